"""Structures: numbers in nested lists, tuples, dicts and NumPy arrays.

A function of the engine may take and give any structure. Inside, it is a flat list of numbers and
a *template*: the same structure, holding positions in that list.
"""

from __future__ import annotations

import math
import re
import sys
from typing import NamedTuple

from autograd.primitives import Scalar, is_real, shown, to_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


class Array(NamedTuple):
    """The template of a NumPy array: its shape, and where its numbers start in the list."""

    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def flatten(structure: Any, name: str) -> tuple[list[Any], Any]:
    """Take a structure apart into its numbers, each a float or a `Scalar`, and its template.

    Args:
        structure: a number, or a nested list, tuple, dict or NumPy array of numbers.
        name: what an error calls it.

    Raises:
        TypeError: something in it is not a number.

    >>> flatten({"a": [1, 2.5], "b": 3.0}, "x")
    ([1.0, 2.5, 3.0], {'a': [0, 1], 'b': 2})
    """
    leaves: list[Any] = []

    def template_of(x: Any, path: str) -> Any:
        if isinstance(x, Scalar):
            leaves.append(x)
            return len(leaves) - 1
        if is_real(type(x)):
            leaves.append(to_float(x))
            return len(leaves) - 1
        if isinstance(x, dict):
            return {key: template_of(item, f"{path}[{key!r}]") for key, item in x.items()}
        if isinstance(x, list | tuple):
            items = [template_of(item, f"{path}[{i}]") for i, item in enumerate(x)]
            return items if isinstance(x, list) else _tuple_like(x, items)
        if _is_array(x):
            start = len(leaves)
            for position, item in enumerate(x.ravel().tolist()):
                template_of(item, f"{path}.flat[{position}]")
            return Array(x.shape, start)
        raise TypeError(
            f"{path}: expected a number or a list, tuple, dict or array of numbers, got {shown(x)}"
        )

    return leaves, template_of(structure, name)


def flatten_like(template: Any, structure: Any, name: str, advice: str = "") -> list[Any]:
    """Take a structure apart that must be like a template.

    Raises:
        TypeError: it has another structure, or something in it is not a number.
    """
    leaves, found = flatten(structure, name)
    if found != template:
        raise TypeError(
            f"{name}: expected the structure {described(template)}, got {described(found)}{advice}"
        )
    return leaves


def described(template: Any) -> str:
    """Return a structure in words: `.` is a number, an array is its shape.

    >>> described((0, [1, 2], {"a": 3}))
    "(., [., .], {'a': .})"
    """
    text = written(template, lambda _: ".", lambda array: f"array{[*array.shape]}")
    return re.sub(r"\.(, \.){6,}", lambda many: f"{many[0].count('.')} numbers", text)


def written(
    template: Any, number: Callable[[int], str], array: Callable[[Array], str] | None = None
) -> str:
    """Return a structure as Python would write it.

    Args:
        template: the structure.
        number: how the number at a position is written.
        array: how an array is written; as nested lists if not given.
    """
    if isinstance(template, Array):
        if array:
            return array(template)
        template = nested(template.shape, template.start)
    if isinstance(template, int):
        return number(template)
    if isinstance(template, dict):
        items = (f"{key!r}: {written(item, number, array)}" for key, item in template.items())
        return f"{{{', '.join(items)}}}"
    text = ", ".join(written(item, number, array) for item in template)
    if isinstance(template, list):
        return f"[{text}]"
    return f"({text},)" if len(template) == 1 else f"({text})"


def unflatten(template: Any, leaves: Sequence[Any], inner: tuple[int, ...] = ()) -> Any:
    """Put leaves together as the template says; a leaf may be anything, an array of shape `inner`.

    An array of floats is a float array, of other numbers an object array, of arrays an array of
    more dimensions.

    >>> unflatten({'a': [0, 1], 'b': 2}, [1.0, 2.5, 3.0])
    {'a': [1.0, 2.5], 'b': 3.0}
    """
    if isinstance(template, int):
        return leaves[template]
    if isinstance(template, dict):
        return {key: unflatten(item, leaves, inner) for key, item in template.items()}
    if isinstance(template, Array):
        numbers = leaves[template.start : template.start + template.size]
        return _array(template.shape, numbers, inner)
    items = [unflatten(item, leaves, inner) for item in template]
    return items if isinstance(template, list) else _tuple_like(template, items)


def paths(template: Any, path: str) -> Iterator[str]:
    """Yield how Python would reach each number, in the order of `flatten`."""
    if isinstance(template, int):
        yield path
    elif isinstance(template, Array):
        yield from paths(nested(template.shape, 0), path)
    elif isinstance(template, dict):
        for key, item in template.items():
            yield from paths(item, f"{path}[{key!r}]")
    else:
        for i, item in enumerate(template):
            yield from paths(item, f"{path}[{i}]")


def nested(shape: Sequence[int], start: int) -> Any:
    """Return the template of an array as nested lists."""
    if not shape:
        return start
    size = math.prod(shape[1:])
    return [nested(shape[1:], start + i * size) for i in range(shape[0])]


def names_of_arguments(f: Callable[..., Any], count: int) -> list[str]:
    """Return what f calls its arguments, or x0, x1, ... where it does not say."""
    while hasattr(f, "__wrapped__"):  # as grad and its kin leave it
        f = f.__wrapped__
    names = getattr(f, "operand_names", ())  # as a primitive has them
    if len(names) == count:
        return [*names]
    code = getattr(f, "__code__", None)
    if code and code.co_argcount == count:
        return [*code.co_varnames[:count]]
    return [f"x{i}" for i in range(count)]


def _tuple_like(like: Any, items: list[Any]) -> Any:
    return type(like)(*items) if hasattr(like, "_fields") else tuple(items)


def _is_array(x: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def _array(shape: tuple[int, ...], leaves: Sequence[Any], inner: tuple[int, ...]) -> Any:
    np = sys.modules["numpy"]  # loaded, since an array was given
    if not leaves:
        return np.empty(shape + inner)
    if all(type(leaf) is float for leaf in leaves):
        return np.array(leaves, dtype=float).reshape(shape)
    if all(isinstance(leaf, np.ndarray) for leaf in leaves):
        return np.stack(leaves).reshape(shape + leaves[0].shape)
    array = np.empty(len(leaves), dtype=object)
    for i, leaf in enumerate(leaves):
        array[i] = leaf
    return array.reshape(shape)
