"""What the table must give, from mpmath alone: functions, and derivatives as differences.

No rule of differentiation is used anywhere here, so that one error of thought cannot sit on both
sides of a test.
"""

from __future__ import annotations

import math
import random
import sys

from mpmath import mp, mpf

from autograd import Value
from autograd.backward import cotangents
from autograd.ieee import SELU_ALPHA, SELU_SCALE
from autograd.primitives import TABLE, Reduction

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


def ulps(actual, expected):
    """How far `actual` is from `expected`, in units of the last place of the latter."""
    actual = float(actual)
    if math.isnan(actual):
        return math.inf
    nearest = float(expected)
    if math.isinf(actual) or math.isinf(nearest):
        return 0.0 if actual == nearest else math.inf
    return float(abs(mpf(actual) - expected) / mpf(math.ulp(nearest)))


def samples(interval, rng, count):
    """Points of an interval: its ends, evenly spread ones, and magnitudes down to tiny ones."""
    low, high = map(float, interval)
    points = [low, high]
    points += [rng.uniform(low, high) for _ in range(count)]
    for sign, largest in ((1.0, high), (-1.0, -low)):
        if largest > 0.0:
            smallest = max(sign * low if sign > 0.0 else -high, 1e-150)
            spread = (math.log(smallest), math.log(largest))
            magnitudes = [math.exp(rng.uniform(*spread)) for _ in range(count)]
            points += [min(max(sign * m, low), high) for m in magnitudes]
    return points


def points(row, count=10):
    """The points at which tests try a row, the same in every run; no two operands are equal."""
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


def partials(row, z, operands):
    """The partial by every operand, in the kind of number of the operands."""
    if isinstance(row, Reduction):
        return row.gradient(z, *operands) if row.gradient else [0.0] * len(operands)
    return [partial(z, *operands) for partial in row.partials] or [0.0] * len(operands)


def derivatives(row, point):
    """Everything the table says at a point: {positions: number}, of order 0, 1 and 2."""
    operands = [Value(x) for x in point]
    z = row.bind(operands)
    answers = {(): float(z)}
    first = partials(row, float(z), point)
    for i, p in enumerate(partials(row, z, operands)):
        answers[i,] = first[i]
        totals = cotangents(p) if isinstance(p, Value) else {}
        for j, operand in enumerate(operands[: i + 1] if len(operands) > 3 else operands):
            answers[i, j] = totals.get(operand, 0.0)
    return answers


def errors(row, point):
    """The error of every derivative of order 0, 1 and 2 at a point, in ulps."""
    reference = REFERENCES[row.name]
    return {
        positions: ulps(answer, derivative(reference, point, positions))
        for positions, answer in derivatives(row, point).items()
    }
