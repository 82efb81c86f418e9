"""What the table must give, from mpmath alone: functions, and derivatives as differences.

No rule of differentiation is used anywhere here, so that one error of thought cannot sit on both
sides of a test.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

from mpmath import mp, mpf

from autograd import log_softmax, softmax
from autograd.ieee import SELU_ALPHA, SELU_SCALE
from autograd.primitives import TABLE, Reduction

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTHS = (1, 2, 7)  # of lists; the empty list has no derivative


def logistic(x):
    return 1 / (1 + mp.exp(-x))


def elu(x, alpha):
    return x if x > 0 else alpha * mp.expm1(x)


def log_sum_exp(*xs):
    return mp.log(mp.fsum(map(mp.exp, xs)))


def length(*xs):
    return mp.sqrt(mp.fsum(x * x for x in xs))


def weighted_sum(*operands):
    *pairs, bias = operands
    ws, xs = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    return mp.fdot(ws, xs) + bias


CONSTANTS = {"peak", "stop_gradient"}  # give a constant, whatever their derivative

REFERENCES = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda x: -x,
    "times": lambda a, b: a * b,
    "pow": lambda a, b: a**b,
    "power_log": lambda a, b: a**b * mp.log(a),
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "hypot": length,
    "direction": lambda a, b: a / length(a, b),
    "exp": mp.exp,
    "exp2": lambda x: mpf(2) ** x,
    "expm1": mp.expm1,
    "log": mp.log,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": lambda x: mp.log(x) / mp.log(10),
    "log1p": mp.log1p,
    "positive_reciprocal": lambda x: 1 / x,
    "logaddexp": log_sum_exp,
    "exp_difference": lambda a, b: mp.exp(a - b),
    "portion": lambda a, b: a / (a + b),
    "xlogy": lambda x, y: x * mp.log(y),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "one_minus_square": lambda x: 1 - x * x,
    "atan": mp.atan,
    "lorentzian": lambda x: 1 / (1 + x * x),
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sech": mp.sech,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "gaussian": lambda x: mp.exp(-x * x),
    "normal_density": mp.npdf,
    "normal_distribution": mp.ncdf,
    "relu": lambda x: x if x > 0 else mpf(0),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": elu,
    "selu": lambda x: mpf(SELU_SCALE) * elu(x, mpf(SELU_ALPHA)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "sigmoid": logistic,
    "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "silu": lambda x: x * logistic(x),
    "gelu": lambda x: x * mp.ncdf(x),
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: max(mpf(-1), min(x, mpf(1))),
    "abs": abs,
    "sign": mp.sign,
    "step": lambda x: mpf(x > 0),
    "floor": mp.floor,
    "ceil": mp.ceil,
    "maximum": max,
    "minimum": min,
    "stop_gradient": lambda x: x,
    "identity": lambda x: x,
    "share": lambda a, b: mpf(a > b),
    "clip": lambda x, low, high: min(max(x, low), high),
    "inside": lambda x, low, high: mpf(low <= x <= high),
    "where": lambda condition, a, b: a if condition else b,
    "truth": lambda condition: mpf(condition != 0),
    "less": lambda a, b: mpf(a < b),
    "less_equal": lambda a, b: mpf(a <= b),
    "equal": lambda a, b: mpf(a == b),
    "not_equal": lambda a, b: mpf(a != b),
    "dot": weighted_sum,
    "sum": lambda *xs: mp.fsum(xs),
    "mean": lambda *xs: mp.fsum(xs) / len(xs),
    "norm": length,
    "peak": lambda *xs: max(xs),
    "logsumexp": log_sum_exp,
}


class Operation(NamedTuple):
    """A function of one list of numbers, and what it must give: a function of mpmath's numbers.

    Of softmax and log_softmax it is the first result.
    """

    name: str
    function: Callable
    reference: Callable
    row: object  # whose points it is tried at


def public_call(row):
    """The row as a function of one list."""

    def call(xs):
        if row.name == "dot":
            size = len(xs) // 2
            return row(xs[:size], xs[size:-1], xs[-1])
        return row(xs) if isinstance(row, Reduction) else row(*xs)

    return call


OPERATIONS = {
    row.name: Operation(row.name, public_call(row), REFERENCES[row.name], row)
    for row in TABLE.values()
} | {
    "softmax": Operation(
        "softmax",
        lambda xs: softmax(xs)[0],
        lambda *xs: 1 / mp.fsum(mp.exp(x - xs[0]) for x in xs),
        TABLE["logsumexp"],
    ),
    "log_softmax": Operation(
        "log_softmax",
        lambda xs: log_softmax(xs)[0],
        lambda *xs: -log_sum_exp(*(x - xs[0] for x in xs)),
        TABLE["logsumexp"],
    ),
}


def derivative(function, point, positions):
    """The derivative of `function` at `point` by the operands at `positions`, one after another.

    Central differences in mpmath, the precision doubled until two answers agree to 20 digits.
    """
    previous, digits = None, 60
    while digits < 8000:
        with mp.workdps(digits):
            answer = difference(function, [*map(mpf, point)], positions, mpf(10) ** (-digits // 5))
            if previous is not None:
                gap = abs(answer - previous)
                if answer and gap <= abs(answer) * mpf("1e-20"):
                    return answer
                if digits > 1900 and max(abs(answer), abs(previous)) < mpf(2) ** -1100:
                    return mpf(0)
        previous, digits = answer, 2 * digits
    raise ArithmeticError(f"no agreement on the derivative at {point} by {positions}")


def difference(function, point, positions, relative_step):
    """The central difference quotient, of any order."""
    if not positions:
        return function(*point)
    first, *rest = positions
    step = abs(point[first]) * relative_step or relative_step
    above, below = point.copy(), point.copy()
    above[first] += step
    below[first] -= step
    quotients = [difference(function, p, rest, relative_step) for p in (above, below)]
    return (quotients[0] - quotients[1]) / (2 * step)


def ulps(actual, expected, size=0):
    """How far `actual` is off, in units of the last place of `expected`, or of `size` if larger."""
    actual, nearest = float(actual), float(expected)
    if math.isnan(actual):
        return math.inf
    if math.isinf(actual) or math.isinf(nearest):
        return 0.0 if actual == nearest else math.inf
    unit = math.ulp(max(abs(nearest), abs(float(size))))
    return float(abs(mpf(actual) - expected) / mpf(unit))


def samples(interval, rng, count):
    """Points of an interval: its ends, evenly spread ones, and magnitudes down to tiny ones."""
    low, high = map(float, interval)
    found = [low, high]
    found += [rng.uniform(low, high) for _ in range(count)]
    for sign, smallest, largest in ((1.0, low, high), (-1.0, -high, -low)):
        if largest > 0.0:
            spread = (math.log(max(smallest, 1e-150)), math.log(largest))
            magnitudes = [math.exp(rng.uniform(*spread)) for _ in range(count)]
            found += [min(max(sign * m, low), high) for m in magnitudes]
    return found


def points(row, count):
    """The points at which a row is tried, the same in every run; no two operands are equal."""
    rng = random.Random(row.name)
    domains = [row.domain]
    if isinstance(row, Reduction):
        domains = [row.domain * (2 * n + 1 if row.name == "dot" else n) for n in LENGTHS]
    found = []
    for domain in domains:
        columns = [samples(interval, rng, count) for interval in domain]
        for column in columns[1:]:
            rng.shuffle(column)
        found += zip(*columns, strict=False)
    return [point for point in found if len({*point}) == len(point)]
