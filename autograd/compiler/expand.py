"""Expand: rows of any length written out in rows of fixed arity.

The formulas are written in the engine's operations, and so answer in the kind of number they are
given. What they share with each other and with `softmax`, they write alike, so that a compiler
computes it once.
"""

from __future__ import annotations

from functools import reduce
from math import inf

from autograd import primitives
from autograd.primitives import (
    abs,
    dot,
    equal,
    exp_difference,
    expm1,
    less,
    log1p,
    maximum,
    minimum,
    sqrt,
    where,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def peak(*xs: Any) -> Any:
    """The maximum, as max(max(x1, x2), x3) and so on; -inf of nothing.

    Returns:
        What `ieee.peak` gives, to the last bit.
    """
    return reduce(maximum, xs) if xs else -inf


def logsumexp(*xs: Any) -> Any:
    """log(e^x1 + e^x2 + ...) as max + log1p(the others' e^(x - max)).

    The first x that is the maximum is none of the others.

    Returns:
        What `ieee.logsumexp` gives, to the last bit; the maximum itself where it is not finite.
    """
    largest = primitives.peak(xs)
    total: Any = 0.0
    found: Any = 0.0
    for x in xs:
        is_largest = equal(x, largest)
        total += where(less(found, is_largest), 0.0, exp_difference(x, largest))
        found = maximum(found, is_largest)
    return where(less(abs(largest), inf), largest + log1p(total), largest)


def logsumexp_by_count(*xs: Any) -> Any:
    """The same but for rounding: all that are the maximum are left out, and count but for one.

    So no x waits for what was found of the one before.
    """
    largest = primitives.peak(xs)
    are_largest = [equal(x, largest) for x in xs]
    count = primitives.sum(are_largest)
    others = primitives.sum(
        [
            where(is_largest, 0.0, exp_difference(x, largest))
            for x, is_largest in zip(xs, are_largest, strict=True)
        ]
    )
    total = others + where(less(1.0, count), count - 1.0, 0.0)
    return where(less(abs(largest), inf), largest + log1p(total), largest)


def norm(*xs: Any) -> Any:
    """The length sqrt(x1^2 + x2^2 + ...), scaled by a power of 2 where squares would overflow.

    Returns:
        What `math.hypot` gives but for rounding: inf if any x is, even beside nan; else nan if any
        is.
    """
    largest: Any = 0.0
    for size in map(abs, xs):
        largest = where(less(largest, size), size, largest)  # which passes nan by
    scale = where(
        less(largest, 2.0**-400), 2.0**600, where(less(2.0**400, largest), 2.0**-600, 1.0)
    )
    scaled = [x * scale for x in xs]
    return where(equal(largest, inf), inf, sqrt(dot(scaled, scaled)) / scale)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent m / (m + 2), where m = e^2|x| - 1, with the sign of x."""
    m = _double_growth(x)
    return where(less(x, 0.0), -m, m) * (1.0 / (m + 2.0))


def sech_squared(x: Any) -> Any:
    """The derivative of tanh, 1 / cosh(x)^2 = 4 (m + 1) / (m + 2)^2, where m = e^2|x| - 1.

    It has every digit where 1 - tanh(x)^2 has none, and shares m and the division with `tanh`.
    """
    m = _double_growth(x)
    part = 1.0 / (m + 2.0)
    return where(less(_FARTHEST, abs(x)), 0.0, 4.0 * ((m + 1.0) * part * part))


def _double_growth(x: Any) -> Any:
    """e^2|x| - 1, without overflow: tanh is 1 long before."""
    return expm1(2.0 * minimum(abs(x), _FARTHEST))


_FARTHEST = 354.5  # e^2x is just below the largest number


# Name of the primitive: function of its operands.
EXPANSIONS: dict[str, Callable[..., Any]] = {"peak": peak, "logsumexp": logsumexp, "norm": norm}
