"""A table of what every operation must give: values, first and second partials, from mpmath.

    python tests/reference_values.py [operation ...]

makes reference_values.json anew, in some minutes. Under an operation's name it has a line for each
point: the point, and of its value, first and second partials 22 digits; and where the partial is a
sum, by its number the size that the unit is the last place of, or else, where the unit is that of
the truth, the largest term. Under the name with ''' are some third partials at fewer points; beside
a zero they have their size nearby. The truths are those of `reference.py`: functions, and
differences of them at high precision, never a rule of differentiation.

The size is larger than the truth in two cases only. A sum of a list is judged against the sum of
its absolute terms. And within 0.01 of a zero (at an operand other than 0) the terms of a sum
cancel, and their roundings are large beside what is left: there it is the largest term.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import multiprocessing
import random
import sys
from pathlib import Path
from typing import NamedTuple

from mpmath import mp, mpf

sys.path.insert(0, str(Path(__file__).parent))
from reference import CONSTANTS, OPERATIONS, REFERENCES, derivative, logistic, points, ulps

from autograd.primitives import Reduction

FILE = Path(__file__).with_suffix(".json")
NEAR = 0.01
RATIOS = {"direction", "atan2", "portion"}


BOUNDS = (4.0, 8.0, 32.0)  # ulps, of a value, a first and a second partial

_STILL = "beyond 0.01 of the zero too its terms cancel"
# Held to the same bound, but in ulps of the largest term
CANCEL = {
    ("logaddexp", ()): _STILL,
    ("pow", (0, 1)): _STILL,
    ("portion", (0, 1)): _STILL,
    ("sech", (0, 0)): _STILL,
    ("lorentzian", (0, 0)): _STILL,
    ("silu", (0, 0)): _STILL,
    ("gelu", (0, 0)): _STILL,
}
_ROUNDINGS = "the sum of n powers has n - 1 roundings, and goes in twice"
_SHIFTED = "logits are shifted by the largest, d above: that rounds, e^-d is off by up to d / 2 ulp"
# Held to a bound of their own
LISTS = {
    ("softmax", 1): (16.0, _ROUNDINGS),
    ("log_softmax", 1): (40.0, _SHIFTED),
    ("log_softmax", 2): (40.0, _SHIFTED),
}
_BOTH = "the result is the difference of two numbers that are both beyond the largest float"
_BEYOND = "a factor is beyond the largest float"
_SUBNORMAL = "a factor is so small that it has few digits"
# Not held to any
POINTS = {
    ("atan2", (0, 1), (1e-200, 1e-200)): _BOTH,
    ("direction", (0, 1), (1e-200, 1e-200)): _BOTH,
    ("direction", (1, 1), (1e-200, 1e-200)): _BOTH,
    ("exp2", (0,), (1024.0,)): _BEYOND,
    ("exp2", (0, 0), (1024.0,)): _BEYOND,
    ("gaussian", (0,), (27.2,)): _SUBNORMAL,
    ("gaussian", (0, 0), (27.2,)): _SUBNORMAL,
    ("normal_density", (0, 0), (-37.9,)): _SUBNORMAL,
    ("normal_density", (0, 0), (38.5,)): _SUBNORMAL,
    ("gelu", (), (-37.9,)): _SUBNORMAL,
    ("gelu", (0, 0), (-37.9,)): _SUBNORMAL,
    ("gelu", (), (-38.4,)): _SUBNORMAL,
    ("gelu", (0,), (-38.4,)): _SUBNORMAL,
    ("gelu", (0, 0), (-38.4,)): _SUBNORMAL,
}
# Of which an exception speaks: an operation's partials of an order
EXCEPTIONS = {(name, len(positions)) for name, positions, *_ in (*CANCEL, *POINTS)} | {*LISTS}


# Points: those of every operation, and beside them what is hard about this one

LEAST = 60
_TINY = [sign * x for x in (1e-5, 1e-10, 1e-20, 1e-160, 1e-300) for sign in (1.0, -1.0)]


def near(*centers):
    """Both sides of these numbers, from a quarter away to the next float."""
    away = (2, 4, 7, 12, 20, 30, 40, 52)
    return [x for c in centers for k in away for x in (c * (1 - 2.0**-k), c * (1 + 2.0**-k))]


def beside(*zeros):
    """The neighbourhood of these numbers: within 0.01 of them and a little beyond."""
    away = (1e-15, 1e-10, 1e-6, 1e-3, 5e-3, 9e-3, 0.011, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2)
    return [z + sign * d for z in zeros for d in away for sign in (1.0, -1.0)]


def within(low, high, numbers):
    return [x for x in numbers if low <= x <= high]


_RIGHT_ANGLES = [math.pi / 2, math.pi, 1.5 * math.pi, 2 * math.pi, 355.0, 1e22]
_INSIDE = [x for x in near(1.0, -1.0) if abs(x) < 1.0]
_HUGE = [1e155, -1e155, 1e300, -1e300]
_EXPONENTS = [709.7, 709.8, -708.5, -745.1, -746.0, 36.7, -36.7, -37.5]
MORE = {
    "exp": [*_TINY, *_EXPONENTS],
    "exp2": [*_TINY, 1023.9, 1024.0, -1022.5, -1074.0, -1076.0],
    "expm1": [*_TINY, *_EXPONENTS],
    "log": [*near(1.0), 5e-324, 1e-310, 1.7e308],
    "log2": [*near(1.0, 2.0), 5e-324, 1e-310, 1.7e308],
    "log10": [*near(1.0, 10.0), 5e-324, 1e-310, 1.7e308],
    "log1p": [*_TINY, *(x for x in near(-1.0) if x > -1.0), -1.0 + 2.0**-53, 1e300],
    "sqrt": [*near(1.0), 5e-324, 1e-310, 1.7e308],
    "cbrt": [*near(1.0, -8.0), 1e-320, 1e-290, 1e300, 1.7e308],
    "reciprocal": [*near(1.0), 1e-310, 1e-300, 1.7e308, *_HUGE],
    "square": [*_TINY, *_HUGE],
    "sin": [*_TINY, *_RIGHT_ANGLES, *near(math.pi)],
    "cos": [*_TINY, *_RIGHT_ANGLES, *near(math.pi / 2)],
    "tan": [*_TINY, *_RIGHT_ANGLES, *near(math.pi / 2)],
    "asin": [*_TINY, *_INSIDE],
    "acos": [*_TINY, *_INSIDE],
    "atanh": [*_TINY, *_INSIDE],
    "one_minus_square": [*_TINY, *near(1.0, -1.0)],
    "acosh": [x for x in near(1.0) if x > 1.0],
    "asinh": [*_TINY, *near(1.0, -1.0)],
    "atan": [*_TINY, *near(1.0, -1.0), *_HUGE],
    "sinh": [*_TINY, 709.0, -709.0, 710.4, 711.0],
    "cosh": [*_TINY, 709.0, -709.0, 710.4, 711.0],
    "tanh": [*_TINY, *near(0.55), 19.0, 20.0, -22.0, 354.0, 372.6, -373.5],
    "sech": [*_TINY, *beside(0.881373587019543), 709.0, -744.0],
    "lorentzian": [*_TINY, *beside(3**-0.5), *_HUGE],
    "erf": [*_TINY, *near(1.0, -2.0), 5.9, 27.0, -27.2],
    "erfc": [*_TINY, *near(1.0, -2.0), 26.5, 27.0, 27.2, -6.0],
    "gaussian": [*_TINY, *beside(0.5**0.5), 26.5, 27.2],
    "normal_density": [*_TINY, *beside(1.0), -37.9, 38.5],
    "normal_distribution": [*_TINY, *near(-1.0), -37.9, -38.4, 8.3],
    "sigmoid": [*_TINY, *_EXPONENTS, 40.0],
    "log_sigmoid": [*_TINY, *_EXPONENTS],
    "softplus": [*_TINY, *_EXPONENTS],
    "silu": [*_TINY, *beside(-1.2784645427610738, 2.3993572805154433), *_EXPONENTS],
    "gelu": [*_TINY, *beside(-0.7517915246935645, 2**0.5), -37.9, -38.4, 8.3],
    "elu": [],
    "selu": [*_TINY, *_EXPONENTS],
    "softsign": [*_TINY, *near(1.0, -1.0), *_HUGE],
    "hardtanh": near(1.0, -1.0),
    "relu": [*_TINY, *_HUGE],
    "abs": [*_TINY, *_HUGE],
}
_CURVE = [(a, -1 / math.log(a)) for a in (0.003, 0.1, 0.4, 0.8, 1.5, 2.5, 7.0, 150.0)]
_LEVEL = [(3.0, 4.0), (1e100, -2e100), (1e-100, 1e-101), (-0.3, 1e5)]
_DIAGONAL = [(x * s, x) for x in (1.0, -3e50, 2e-70) for s in near(1.0)]
MORE_PAIRS = {
    "pow": [(a, b + d) for a, b in _CURVE for d in (0.0, 1e-9, -0.005, 0.011, 0.02, -0.05, 0.1)],
    "power_log": [(a, -b) for a, b in _CURVE] + [(1 + d, 2.5) for d in (1e-9, -1e-3, 0.01)],
    "hypot": [*_LEVEL, *_DIAGONAL],
    "direction": [*_LEVEL, *_DIAGONAL, (1e-200, 1e-200)],
    "atan2": [*_LEVEL, *_DIAGONAL, (1e-200, 1e-200)],
    "portion": [*_DIAGONAL[:16], (1e-150, 1e150)],
    "logaddexp": [(-0.7, y) for y in beside(math.log(1 - math.exp(-0.7)))] + [(5.0, 5.0 + 1e-9)],
    "xlogy": [(2.5, y) for y in near(1.0)] + [(1e-300, 1e300)],
    "maximum": [(1.0, x) for x in near(1.0)],
    "minimum": [(1.0, x) for x in near(1.0)],
    "leaky_relu": [(x, 0.01) for x in _TINY],
    "elu": [(x, 1.0) for x in (*_TINY, *_EXPONENTS)],
    "sub": [(1.0, x) for x in near(1.0)],
    "div": [(1.0, 1e-300), (1e300, 1e-5), (1e-300, 1e-5), (1.0, 3.0)],
}
MORE_OF_LISTS = {
    "softmax": [(1e3, 1e3 + 0.7), (-700.0, 0.5), (0.0, 1e-9), (40.0, 1.0, -30.0)],
    "log_softmax": [(1e3, 1e3 + 0.7), (-700.0, 0.5), (0.0, 1e-9), (40.0, 1.0, -30.0)],
    "logsumexp": [(1e3, 1e3 + 0.7), (-700.0, 0.5), (-0.7, -0.69), (40.0, 1.0, -30.0)],
}


def trial_points(operation):
    """The points of an operation in the table."""
    counts = itertools.count(7 if isinstance(operation.row, Reduction) else 20)  # of each kind
    found = next(found for n in counts if len(found := points(operation.row, n)) >= LEAST)
    found += [(x,) for x in MORE.get(operation.name, [])]
    found += MORE_PAIRS.get(operation.name, [])
    found += MORE_OF_LISTS.get(operation.name, [])
    return [*dict.fromkeys(found)]


def middle_points(operation, count):
    """Points with every operand between -5 and 5, where little under- or overflows."""
    rng = random.Random(operation.name)
    lengths = {len(point) for point in points(operation.row, 1)}
    domains = operation.row.domain
    return [
        tuple(
            rng.uniform(max(low, -5.0), min(high, 5.0))
            for low, high in (domains[i % len(domains)] for i in range(length))
        )
        for length in sorted(lengths)
        for _ in range(count)
    ]


def places(size):
    """The operands to differentiate by; of a long list twice by a diagonal and one beside."""
    twice = [(i, j) for i in range(size) for j in range(i, size)]
    if size > 3:
        twice = [tuple(sorted((i, (i + step) % size))) for i in range(size) for step in (0, 1)]
    return [(), *((i,) for i in range(size)), *twice]


def places_of_thirds(size):
    """The operands to differentiate by three times; of long lists a few."""
    if size > 2:
        return [(0, 0, 0), (0, 0, 1), (0, 1, 2)]
    return [*itertools.combinations_with_replacement(range(size), 3)]


# Sizes


def _power_terms(a, b):
    return [a ** (b - 1), b * a ** (b - 1) * mp.log(a)]


def _logaddexp_terms(a, b):
    return [max(a, b), mp.log1p(mp.exp(-abs(a - b)))]


# The terms of what changes sign at an operand other than 0. They are no truths: that they add up
# to the differences is asserted wherever they are used.
TERMS = {
    ("logaddexp", ()): _logaddexp_terms,
    ("pow", (0, 1)): _power_terms,
    ("power_log", (0,)): _power_terms,
    ("power_log", (0, 0)): lambda a, b: [
        b * (b - 1) * a ** (b - 2) * mp.log(a),
        (2 * b - 1) * a ** (b - 2),
    ],
    ("power_log", (0, 1)): lambda a, b: [
        b * a ** (b - 1) * mp.log(a) ** 2,
        2 * a ** (b - 1) * mp.log(a),
    ],
    ("direction", (0, 1)): lambda a, b: [
        2 * b / mp.hypot(a, b) ** 3,
        -3 * b**3 / mp.hypot(a, b) ** 5,
    ],
    ("direction", (1, 1)): lambda a, b: [
        -a / mp.hypot(a, b) ** 3,
        3 * a * b**2 / mp.hypot(a, b) ** 5,
    ],
    ("atan2", (0, 1)): lambda y, x: [y**2 / (x**2 + y**2) ** 2, -(x**2) / (x**2 + y**2) ** 2],
    ("portion", (0, 1)): lambda a, b: [a / (a + b) ** 3, -b / (a + b) ** 3],
    ("sech", (0, 0)): lambda x: [mp.sech(x) * mp.tanh(x) ** 2, -(mp.sech(x) ** 3)],
    ("lorentzian", (0, 0)): lambda x: [8 * x**2 / (1 + x**2) ** 3, -2 / (1 + x**2) ** 2],
    ("gaussian", (0, 0)): lambda x: [4 * x**2 * mp.exp(-x * x), -2 * mp.exp(-x * x)],
    ("normal_density", (0, 0)): lambda x: [x**2 * mp.npdf(x), -mp.npdf(x)],
    ("silu", (0,)): lambda x: [logistic(x), x * logistic(x) * logistic(-x)],
    ("silu", (0, 0)): lambda x: [
        2 * logistic(x) * logistic(-x),
        -x * mp.tanh(x / 2) * logistic(x) * logistic(-x),
    ],
    ("gelu", (0,)): lambda x: [mp.ncdf(x), x * mp.npdf(x)],
    ("gelu", (0, 0)): lambda x: [2 * mp.npdf(x), -(x**2) * mp.npdf(x)],
}


def _softmax_terms(i, j):
    """Of the second derivative of p[0], the first of the softmax, by the logits i and j."""

    def terms(*xs):
        ps = [1 / mp.fsum(mp.exp(x - center) for x in xs) for center in xs]
        kept = ps[0] * ((i == 0) - ps[i]) * ((j == 0) - ps[j])
        return [kept, -ps[0] * ps[i] * ((i == j) - ps[j])]

    return terms


def terms_of_list(name, positions):
    """The terms of a sum over a list, or None."""
    found = {
        ("sum", ()): lambda *xs: xs,
        ("mean", ()): lambda *xs: [x / len(xs) for x in xs],
        ("dot", ()): _weighted,
        ("logsumexp", ()): lambda *xs: [
            max(xs),
            REFERENCES["logsumexp"](*(x - max(xs) for x in xs)),
        ],
        ("log_softmax", ()): lambda *xs: [xs[0], -REFERENCES["logsumexp"](*xs)],
        ("log_softmax", (0,)): lambda *xs: [mpf(1), -OPERATIONS["softmax"].reference(*xs)],
    }
    if name == "softmax" and len(positions) == 2:
        return _softmax_terms(*positions)
    return found.get((name, positions))


def _weighted(*operands):
    *pairs, bias = operands
    half = len(pairs) // 2
    return [bias, *(w * x for w, x in zip(pairs[:half], pairs[half:], strict=True))]


def size_of_terms(operation, point, positions, truth):
    """The sum of a list's absolute terms, the largest of a few terms, or None: it is no sum."""
    of_list = terms_of_list(operation.name, positions)
    of_zero = TERMS.get((operation.name, positions))
    if of_list is None and of_zero is None:
        return None
    with mp.workdps(700):  # of 1e-300 beside 1 too
        terms = (of_list or of_zero)(*map(mpf, point))
        total, absolute = mp.fsum(terms), mp.fsum(terms, absolute=True)
        if abs(total - truth) > max(absolute * mpf("1e-20"), mpf(2) ** -1100):  # 0 to `derivative`
            raise ArithmeticError(f"{operation.name} at {point}: {terms} do not add up to {truth}")
        return absolute if of_list else max(map(abs, terms))


def beside_a_zero(operation, point, positions):
    """Whether the derivative changes sign within 0.01 of an operand; 0.01 of it if it is small.

    Rows that only know ratios of their operands have no other scale than their operands.
    """
    for i, x in enumerate(point):
        away = NEAR * (abs(x) if operation.name in RATIOS else min(1.0, abs(x)))
        low, high = (
            derivative(operation.reference, (*point[:i], there, *point[i + 1 :]), positions)
            for there in (x - away, x + away)
        )
        if low * high <= 0:
            return True
    return False


def size_of_third(operation, point, positions, truth):
    """Its size nearby, if it changes sign there and is a thousand times smaller here; or 0.

    Nearby is where one operand is a tenth larger or smaller; or is 0.1 more or less, if its domain
    has room on both sides of 0.
    """
    if truth == 0:
        return 0.0
    domains = operation.row.domain
    nearby = []
    for i, x in enumerate(point):
        low, high = domains[i % len(domains)]
        for moved in [x - 0.1, x + 0.1] * (low < 0.0 < high) + [0.9 * x, 1.1 * x]:
            if low <= moved <= high:
                there = (*point[:i], moved, *point[i + 1 :])
                nearby.append(derivative(operation.reference, there, positions))
    size = max(map(abs, nearby))
    changes_sign = any(truth * there <= 0 for there in nearby)
    return size if changes_sign and abs(truth) < 1e-3 * size else 0.0


# The table


def wanted(operation, point):
    """The partials that are wanted: none of what only serves to choose, or gives a constant."""
    discrete = operation.name in REFERENCES and not operation.row.partials
    return [()] if discrete or operation.name in CONSTANTS else places(len(point))


def thirds(name):
    """The key of its third derivatives."""
    return f"{name}'''"


def entry(operation, point):
    """A point of the table: point, truths by places, sizes by places (as far as there are any)."""
    found, sizes, others = [], {}, {}
    for k, positions in enumerate(wanted(operation, point)):
        truth = derivative(operation.reference, point, positions)
        found.append(digits(truth))
        size = size_of_terms(operation, point, positions, truth)
        if size is not None and size > abs(truth):
            unit = (operation.name, positions) not in TERMS or beside_a_zero(
                operation, point, positions
            )
            (sizes if unit else others)[str(k)] = float(f"{float(size):.4g}")
    return [list(point), found, *([sizes, others] if sizes or others else [])]


def entry_of_thirds(operation, point):
    """A line of third derivatives: point, truths, sizes where they are beside a zero."""
    found, sizes = [], {}
    for k, positions in enumerate(places_of_thirds(len(point))):
        truth = derivative(operation.reference, point, positions)
        found.append(digits(truth))
        if size := size_of_third(operation, point, positions, truth):
            sizes[str(k)] = float(f"{float(size):.4g}")
    return [list(point), found, *([sizes, {}] if sizes else [])]


def digits(number):
    """As text, to 22 digits."""
    if number == mp.nint(number) and abs(number) < 1e6:
        return str(int(number))
    with mp.workdps(30):
        return mp.nstr(number, 22, min_fixed=-3, max_fixed=4)


def entries_of(name):
    operation = OPERATIONS[name]
    few = [*points(operation.row, 1), *middle_points(operation, 6)]
    return {
        name: [entry(operation, point) for point in trial_points(operation)],
        thirds(name): [entry_of_thirds(operation, point) for point in few],
    }


class Truth(NamedTuple):
    """What an operation must give at a point: numbers by the operands to differentiate by."""

    point: tuple[float, ...]
    truths: dict[tuple[int, ...], mpf]
    sizes: dict[tuple[int, ...], float]  # what the unit is the last place of, if not of the truth
    terms: dict[tuple[int, ...], float]  # beyond 0.01 of a zero the largest term

    def error(self, positions, actual, *, of_terms=False):
        """How far a number is off, in units in the last place; or in ulps of the largest term."""
        size = self.sizes.get(positions, 0.0)
        if of_terms:
            size = self.terms.get(positions, size)
        return ulps(actual, self.truths.get(positions, mpf(0)), size)  # of a constant 0


@functools.cache
def _lines():
    return json.loads(FILE.read_text(encoding="utf-8"))


@functools.cache
def truths(name):
    """What an operation must give at each of its points."""
    return [truth_of(line, places) for line in _lines()[name]]


@functools.cache
def truths_of_thirds(name):
    """What its third derivatives must be."""
    return [truth_of(line, places_of_thirds) for line in _lines()[thirds(name)]]


def truth_of(line, places):
    """A line of the file."""
    point, digits, *sizes = line
    by = places(len(point))
    with mp.workdps(30):
        numbers = dict(zip(by, map(mpf, digits), strict=False))
    kinds = [{by[int(k)]: size for k, size in group.items()} for group in sizes or ({}, {})]
    return Truth(tuple(point), numbers, *kinds)


# Errors


def bound(name, positions, truth):
    """In ulps: of a second partial that of a first, if it is no sum, of no list, and normal."""
    is_sum = (name, positions) in TERMS or isinstance(OPERATIONS[name].row, Reduction)
    if len(positions) < 2 or is_sum or abs(truth) < sys.float_info.min:
        return BOUNDS[len(positions)]
    return BOUNDS[1]


def error(name, truth, positions, actual):
    """In ulps; where an exception says so and it is needed, of the largest term."""
    found = truth.error(positions, actual)
    if found > BOUNDS[len(positions)] and (name, positions) in CANCEL:
        found = truth.error(positions, actual, of_terms=True)
    return found


def errors(name, answers):
    """What is beyond its bound, and the exceptions that it took to keep to the bounds.

    Answers are truths, the operands to differentiate by, and the numbers that were found.
    """
    beyond, taken = [], set()
    for truth, positions, actual in answers:
        order = len(positions)
        most = bound(name, positions, truth.truths.get(positions, 0))
        found = truth.error(positions, actual)
        if found <= most:
            continue
        if (name, positions, truth.point) in POINTS:
            taken.add((name, positions, truth.point))
        elif (name, order) in LISTS and found <= LISTS[name, order][0]:
            taken.add((name, order))
        elif error(name, truth, positions, actual) <= most:
            taken.add((name, positions))
        else:
            beyond.append((positions, truth.point, found))
    return beyond, taken


def worst(name, answers):
    """The largest error, but for the points that are not held to a bound."""
    return max(
        error(name, truth, positions, actual)
        for truth, positions, actual in answers
        if (name, positions, truth.point) not in POINTS
    )


def write(names):
    made = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    with multiprocessing.Pool() as pool:
        for entries in pool.imap_unordered(entries_of, names, chunksize=1):
            print(*entries, flush=True)  # noqa: T201  it takes minutes
            made |= entries
    groups = []
    for key in (key for name in OPERATIONS for key in (name, thirds(name))):
        lines = ",\n".join(json.dumps(e, separators=(",", ":")) for e in made.get(key, []))
        groups.append(f'"{key}":[\n{lines}\n]')
    FILE.write_text("{" + ",\n".join(groups) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1:] or [*OPERATIONS])
