"""What a caller gave: taken as the kind of thing it stands for, or refused in one line."""

from __future__ import annotations

from math import inf
from operator import index
from reprlib import Repr

from autograd import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_short = Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_USUAL = frozenset({float, Value})


def shown(given: object) -> str:
    """Return what was given as an error shows it: its repr, shortened in the middle if long."""
    return plain(" ".join(_short.repr(given).split()), most=200)


def plain(text: object, most: int = 60) -> str:
    r"""Return text as a part of one line: what is not printable escaped, the middle cut if long.

    >>> plain("two\nlines"), plain("abcdefgh", most=7)
    ('two\\nlines', 'ab...gh')
    """
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
    half = (most - 3) // 2
    return line if len(line) <= most else f"{line[:half]}...{line[-half:]}"


def few(names: Iterable[object], limit: int = 3) -> str:
    """Return names for one line: all of them, or the first and how many more there are.

    >>> few(["a", "b", "c"]), few(["a", "b", "c"], limit=2)
    ('a, b, c', 'a, b and 1 more')
    """
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(map(plain, listed[:limit])) + more


def number(name: str, given: Any) -> Any:
    """Return a real number as a float, and any of autograd's kinds of number as it is.

    Real is what `Value(given)` takes: an int, Fraction, Decimal, NumPy scalar and so on.

    Raises:
        TypeError: if it is neither.
    """
    if type(given) in _USUAL:
        return given
    try:
        return Value(given).data
    except (TypeError, OverflowError):
        if hasattr(given, "log_sigmoid"):  # each of autograd's kinds has its functions as methods
            return given
    raise TypeError(f"{name} must be a number, got {shown(given)}")


def numbers(name: str, given: Sequence[Any]) -> list[Any]:
    """Return each item as `number` does; an error names its position."""
    return [x if type(x) in _USUAL else number(f"{name}[{i}]", x) for i, x in enumerate(given)]


def finite_number(
    name: str, given: Any, *, least: float = -inf, above: float = -inf, below: float = inf
) -> float:
    """Return a finite real number as a float.

    Raises:
        ValueError: unless it is a number in its range.
    """
    try:
        found = Value(given).data
    except (TypeError, OverflowError):
        found = inf
    if least <= found < below and found > above:
        return found
    wanted = f"at least {least:g}" if least > -inf else f"above {above:g}"
    limit = f"below {below:g}" if below < inf else "finite"
    raise ValueError(f"{name} must be a number {wanted} and {limit}, got {shown(given)}")


def whole_number(name: str, given: Any, least: int) -> int:
    """Return a whole number of any type as an int.

    Raises:
        ValueError: if it is none, or less than `least`.
    """
    try:
        count = index(given)
    except TypeError:
        count = least - 1
    if count < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {shown(given)}")
    return count


def as_list(given: Iterable[Any]) -> list[Any]:
    """Return the items as a list; those of a NumPy array as Python's own numbers."""
    return given.tolist() if hasattr(given, "tolist") else list(given)


def list_or_number(given: Any) -> Any:
    """Return a list or array as a list, and everything else, such as a number, as it is."""
    if hasattr(given, "__len__") and not isinstance(given, str | bytes | dict):
        return as_list(given)
    return given


def as_floats(output: Any) -> Any:
    """Return a model's output as a float, or a list of floats."""
    return [float(o) for o in output] if isinstance(output, list | tuple) else float(output)
