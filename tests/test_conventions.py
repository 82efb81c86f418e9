"""What the engine gives at the edges, in every mode: every line of docs/conventions.md.

Run as a script, this file writes docs/conventions.md from the cases below.
"""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import autograd
from autograd import Value, grad, hessian, hypot, jvp, log, logsumexp, norm, pow, relu, trace, where
from autograd import sum as total
from autograd.primitives import TABLE, Function

sys.path.insert(0, str(Path(__file__).parent))
from every_mode import MODES, forward

inf, nan = math.inf, math.nan
PAGE = Path(__file__).parents[1] / "docs" / "conventions.md"

POLICY = """\
# What the engine gives at the edges

Python's `math` raises where a result is not an ordinary number; here results follow IEEE 754, and
every derivative has a value. The policy, in the order in which it is asked:

1. Where the derivative exists, it is that derivative.
2. At a kink it is the sub-gradient of least norm; a tie between operands is split evenly.
3. Else it is the limit, infinite if the limit is.
4. Where a function of one operand is undefined or nan, its derivative is nan, unless the function
   is piecewise constant: then it is 0. With several operands, the row's partials say.
5. A branch that was not selected (by `where`, `maximum`, `minimum`, `clip` or `relu`) contributes
   nothing, whatever it holds. Nothing else hides: elsewhere 0 times inf is nan.

`clip` passes 1 at its bounds. A point that is not listed follows the policy, then PyTorch.

A second derivative is what this policy gives for the first derivative as a function: that of `relu`
and `abs` is piecewise constant, and has derivative 0 even at nan.

## Held in every mode

`tests/test_conventions.py` makes this page and tests every line of it in every mode: values and
first derivatives eager, forward, by `gradients` and `grad`, as a `Program`, of a `Program`, as its
Python source, and compiled, alone, in a batch and by parameters, precise or not; second derivatives
reverse and forward over either, as a `Program`, and compiled. No line differs between modes.
Numbers that are not exact are held within 4 units in the last place; compiled without
`precise=True`, within 1e-12.

Second derivatives of two operands are those by (first, first) and (first, second), then by
(second, first) and (second, second). The two mixed ones may differ at a point where the first
derivatives are chosen.
"""

COMPARISON = """\
## Elsewhere

These points differ in PyTorch 2.13.0, JAX 0.10.2 or TensorFlow 2.21.0 (float64, on one CPU): value
and derivatives, of TensorFlow the derivatives where they were measured.
`python benchmarks/conventions.py` measures the first two again.
"""

LOG2, C = math.log(2.0), 3.5355339059327375e-201
ZEROS, UNKNOWN = [0.0] * 4, [nan] * 4

# expression, where, its value, its derivatives, its second derivatives row by row
LINES = [
    # the square root, powers, quotients and products
    ("sqrt(x)", {"x": 0.0}, 0.0, [inf], [-inf]),
    ("sqrt(x * x)", {"x": 0.0}, 0.0, [nan], [nan]),
    ("1 / x", {"x": 0.0}, inf, [-inf], [inf]),
    ("a / b", {"a": 0.0, "b": 0.0}, nan, [inf, nan], [0.0, -inf, -inf, nan]),
    ("a * b", {"a": inf, "b": 0.0}, nan, [0.0, inf], [0.0, 1.0, 1.0, 0.0]),
    ("a - b", {"a": inf, "b": inf}, nan, [1.0, -1.0], ZEROS),
    ("x ** 2", {"x": 0.0}, 0.0, [0.0], [2.0]),
    ("x ** 1", {"x": 0.0}, 0.0, [1.0], [0.0]),
    ("x ** 0", {"x": 0.0}, 1.0, [0.0], [0.0]),
    ("x ** 0.5", {"x": 0.0}, 0.0, [inf], [-inf]),
    ("cbrt(x)", {"x": 0.0}, 0.0, [inf], [-inf]),
    ("x ** (1 / 3)", {"x": -8.0}, nan, [nan], [nan]),
    ("0 ** y", {"y": 0.0}, 1.0, [0.0], [0.0]),
    ("0 ** y", {"y": 2.0}, 0.0, [0.0], [0.0]),
    ("pow(x, y)", {"x": 0.0, "y": 0.0}, 1.0, [0.0, 0.0], [0.0, inf, inf, 0.0]),
    ("pow(x, y)", {"x": 0.0, "y": -1.0}, inf, [-inf, -inf], [inf, inf, inf, inf]),
    ("pow(x, y)", {"x": -2.0, "y": 2.0}, 4.0, [-4.0, nan], [2.0, nan, nan, nan]),
    ("pow(x, y)", {"x": 0.0, "y": 1.0}, 0.0, [1.0, 0.0], [0.0, 1.0, 1.0, 0.0]),
    ("pow(x, y)", {"x": 2.0, "y": 0.0}, 1.0, [0.0, LOG2], [0.0, 0.5, 0.5, LOG2**2]),
    ("pow(x, y)", {"x": nan, "y": 0.0}, 1.0, [0.0, nan], [0.0, nan, nan, nan]),
    ("pow(x, y)", {"x": 1.0, "y": nan}, 1.0, [nan, 0.0], [nan, nan, 1.0, 0.0]),
    # lengths and angles
    ("hypot(a, b)", {"a": 0.0, "b": 0.0}, 0.0, [0.0, 0.0], UNKNOWN),
    (
        "hypot(a, b)",
        {"a": 1e200, "b": 1e200},
        1.414213562373095e200,
        [math.sqrt(0.5)] * 2,
        [C, -C, -C, C],
    ),
    ("hypot(a, b)", {"a": inf, "b": nan}, inf, [nan, nan], UNKNOWN),
    ("norm([a, b])", {"a": 0.0, "b": 0.0}, 0.0, [0.0, 0.0], UNKNOWN),
    ("atan2(y, x)", {"y": 0.0, "x": 0.0}, 0.0, [nan, nan], UNKNOWN),
    (
        "atan2(y, x)",
        {"y": 1e-200, "x": 1e-200},
        math.pi / 4,
        [5e199, -5e199],
        [-inf, nan, nan, inf],
    ),
    # exponentials and logarithms
    ("exp(x)", {"x": 710.0}, inf, [inf], [inf]),
    ("log(x)", {"x": 0.0}, -inf, [inf], [-inf]),
    ("log(x)", {"x": -0.0}, -inf, [-inf], [-inf]),
    ("log(x)", {"x": -1.0}, nan, [nan], [nan]),
    ("x * log(x)", {"x": 0.0}, nan, [nan], [nan]),
    ("xlogy(x, y)", {"x": 0.0, "y": 0.0}, 0.0, [0.0, 0.0], [0.0, 0.0, inf, 0.0]),
    ("xlogy(x, y)", {"x": 0.0, "y": 2.0}, 0.0, [LOG2, 0.0], [0.0, 0.5, 0.5, 0.0]),
    ("logaddexp(a, b)", {"a": -inf, "b": -inf}, -inf, [nan, nan], UNKNOWN),
    ("logaddexp(a, b)", {"a": inf, "b": inf}, inf, [nan, nan], UNKNOWN),
    ("logaddexp(a, b)", {"a": -inf, "b": 1.0}, 1.0, [0.0, 1.0], ZEROS),
    ("asin(x)", {"x": 1.0}, math.pi / 2, [inf], [inf]),
    ("atan(x)", {"x": inf}, math.pi / 2, [0.0], [0.0]),
    ("acosh(x)", {"x": 1.0}, 0.0, [inf], [-inf]),
    ("erf(x)", {"x": 1e308}, 1.0, [0.0], [0.0]),
    # choices
    ("abs(x)", {"x": 0.0}, 0.0, [0.0], [0.0]),
    ("abs(x)", {"x": nan}, nan, [nan], [0.0]),
    ("sign(x)", {"x": 0.0}, 0.0, [0.0], [0.0]),
    ("sign(x)", {"x": 3.0}, 1.0, [0.0], [0.0]),
    ("sign(x)", {"x": nan}, nan, [0.0], [0.0]),
    ("step(x)", {"x": 0.0}, 0.0, [0.0], [0.0]),
    ("maximum(a, b)", {"a": 1.0, "b": 1.0}, 1.0, [0.5, 0.5], ZEROS),
    ("minimum(a, b)", {"a": 1.0, "b": 1.0}, 1.0, [0.5, 0.5], ZEROS),
    ("maximum(a, b)", {"a": nan, "b": 1.0}, nan, [nan, 0.0], ZEROS),
    ("minimum(a, b)", {"a": nan, "b": 1.0}, nan, [nan, 0.0], ZEROS),
    ("maximum(x, 0)", {"x": 0.0}, 0.0, [0.5], [0.0]),
    ("clip(x, 0, 1)", {"x": 0.0}, 0.0, [1.0], [0.0]),
    ("clip(x, 0, 1)", {"x": 1.0}, 1.0, [1.0], [0.0]),
    ("where(x > 0, log(x), 0)", {"x": 0.0}, 0.0, [0.0], [0.0]),
    ("where(x > 0, sqrt(x), 0)", {"x": 0.0}, 0.0, [0.0], [0.0]),
    ("0 * where(x > 0, 1, log(x))", {"x": 0.0}, nan, [nan], [nan]),
    # transfer functions
    ("relu(x)", {"x": 0.0}, 0.0, [0.0], [0.0]),
    ("relu(x)", {"x": nan}, nan, [nan], [0.0]),
    ("leaky_relu(x, 0.01)", {"x": 0.0}, 0.0, [0.01], [0.0]),
    ("elu(x)", {"x": 0.0}, 0.0, [1.0], [1.0]),
    ("selu(x)", {"x": 0.0}, 0.0, [1.7580993408473766], [1.7580993408473766]),
    ("softsign(x)", {"x": 0.0}, 0.0, [1.0], [0.0]),
    ("hardtanh(x)", {"x": 1.0}, 1.0, [0.0], [0.0]),
    ("hardtanh(x)", {"x": -1.0}, -1.0, [0.0], [0.0]),
    ("sigmoid(x)", {"x": 40.0}, 1.0, [4.248354255291589e-18], [-4.248354255291589e-18]),
    ("tanh(x)", {"x": 20.0}, 1.0, [1.6993417021166355e-17], [-3.398683404233271e-17]),
    ("softplus(x)", {"x": 25.0}, 25.000000000013888, [0.9999999999861121], [1.388794386457827e-11]),
    (
        "gelu(x)",
        {"x": -30.0},
        -1.472014178144456e-196,
        [-4.416031690708495e-195],
        [-1.3233342291209357e-193],
    ),
    ("gelu(x)", {"x": inf}, inf, [1.0], [0.0]),
    ("gelu(x)", {"x": -inf}, -0.0, [0.0], [0.0]),
    ("silu(x)", {"x": inf}, inf, [1.0], [0.0]),
    ("silu(x)", {"x": -inf}, -0.0, [0.0], [0.0]),
]

# What PyTorch, JAX and TensorFlow give where one of them differs: of the third only derivatives,
# measured once; benchmarks/conventions.py holds the other two to it
ELSEWHERE = {
    ("pow(x, y) at x = 0, y = 0", ""): ("1; 0, 0", "1; nan, 0", "nan, 0"),
    ("pow(x, y) at x = 0, y = -1", ""): ("inf; -inf, -inf", "inf; -inf, nan", "-inf, nan"),
    ("pow(x, y) at x = nan, y = 0", ""): ("1; 0, nan", "1; nan, nan", ""),
    ("hypot(a, b) at a = 0, b = 0", ""): ("0; nan, nan", "0; 0.5, 0.5", ""),
    ("hypot(a, b) at a = 1e+200, b = 1e+200", ""): (
        "1.4142e+200; 0.70711, 0.70711",
        "1.4142e+200; 1.0607, 1.0607",
        "",
    ),
    ("norm([a, b]) at a = 0, b = 0", ""): ("0; 0, 0", "0; nan, nan", "nan, nan"),
    ("atan2(y, x) at y = 0, x = 0", ""): ("0; 0, 0", "0; nan, nan", "nan, nan"),
    ("atan2(y, x) at y = 1e-200, x = 1e-200", ""): (
        "0.7854; 0, 0",
        "0.7854; inf, -inf",
        "inf, -inf",
    ),
    ("log(x) at x = -1", ""): ("nan; -1", "nan; -1", "-1"),
    ("xlogy(x, y) at x = 0, y = 0", ""): ("0; 0, nan", "0; -inf, nan", "0, 0"),
    ("logaddexp(a, b) at a = inf, b = inf", ""): ("inf; nan, nan", "inf; 1, 1", "nan, nan"),
    ("abs(x) at x = 0", ""): ("0; 0", "0; 1", "0"),
    ("abs(x) at x = nan", ""): ("nan; 0", "nan; -1", "nan"),
    ("sign(x) at x = nan", ""): ("0; 0", "nan; 0", "0"),
    ("maximum(a, b) at a = nan, b = 1", ""): ("nan; 1, 1", "nan; 0, 0", "0, 1"),
    ("minimum(a, b) at a = nan, b = 1", ""): ("nan; 1, 1", "nan; 0, 0", ""),
    ("clip(x, 0, 1) at x = 0", ""): ("0; 1", "0; 0.5", "1"),
    ("clip(x, 0, 1) at x = 1", ""): ("1; 1", "1; 0.5", "1"),
    ("where(x > 0, log(x), 0) at x = 0", ""): ("0; nan", "0; nan", "nan"),
    ("where(x > 0, sqrt(x), 0) at x = 0", ""): ("0; nan", "0; nan", "0"),
    ("relu(x) at x = nan", ""): ("nan; 1", "nan; 0", "0"),
    ("leaky_relu(x, 0.01) at x = 0", ""): ("0; 0.01", "0; 1", "0.01"),
    ("hardtanh(x) at x = 1", ""): ("1; 0", "1; 1", ""),
    ("hardtanh(x) at x = -1", ""): ("-1; 0", "-1; 1", ""),
    ("sigmoid(x) at x = 40", ""): ("1; 0", "1; 0", "0"),
    ("tanh(x) at x = 20", ""): ("1; 0", "1; 0", "0"),
    ("gelu(x) at x = -30", ""): ("-0; -4.4209e-195", "-1.472e-196; -4.416e-195", "-4.416e-195"),
    ("gelu(x) at x = inf", ""): ("inf; nan", "inf; nan", ""),
    ("gelu(x) at x = -inf", ""): ("nan; nan", "nan; nan", "nan"),
    ("silu(x) at x = inf", ""): ("inf; nan", "inf; nan", ""),
    ("silu(x) at x = -inf", ""): ("nan; nan", "nan; nan", "nan"),
    ("pow(x, y) at x = 0, y = 1", "xx"): ("0", "nan", "nan"),
    ("pow(x, y) at x = 2, y = 0", "xy"): ("0", "0.5", ""),
    ("x ** 0 at x = 0", ""): ("1; 0", "1; 0", "nan"),
    ("pow(x, y) at x = -2, y = 2", ""): ("4; -4, nan", "4; -4, nan", "-4, 0"),
    ("maximum(a, b) at a = 1, b = 1", ""): ("1; 0.5, 0.5", "1; 0.5, 0.5", "1, 0"),
    ("minimum(a, b) at a = 1, b = 1", ""): ("1; 0.5, 0.5", "1; 0.5, 0.5", "1, 0"),
    ("maximum(x, 0) at x = 0", ""): ("0; 0.5", "0; 0.5", "1"),
}


class Case(NamedTuple):
    expression: str
    point: dict[str, float]  # the operands by which it is differentiated, and where
    value: float
    first: list[float]
    second: list[float]  # by each pair of operands, row by row of the Hessian

    def __str__(self):
        return f"{self.expression} at {place(self.point)}"


CASES = [Case(*line) for line in LINES]


@functools.cache
def function(expression, names):
    """The expression as a function of one list."""
    code = compile(expression, expression, "eval")
    return lambda xs: eval(code, {**vars(autograd), **dict(zip(names, xs, strict=True))})


def parts(case):
    return function(case.expression, (*case.point,)), [*case.point.values()]


# Modes: of a case, all its numbers of one order


def flat(structure):
    if isinstance(structure, list):
        return [x for item in structure for x in flat(item)]
    return [structure]


def each(mode):
    """A mode that takes a function and a list."""
    return lambda case: [*map(float, flat(mode(*parts(case))))]


def source_of_value(f, xs):
    names = {}
    exec(trace(f, xs).to_python(), names)
    return names["program"](xs)


@functools.cache
def kernel(derivative, precise):
    """Machine code of all cases at once, which is compiled sooner: a function of all operands."""
    pytest.importorskip("llvmlite")

    def all_cases(xs):
        operands = iter(xs)
        for case in CASES:
            f, point = parts(case)
            yield derivative(f)([next(operands) for _ in point])

    return autograd.jit(lambda xs: flat([*all_cases(xs)]), precise=precise)


@functools.cache
def compiled_results(derivative, precise, rows):
    """What the machine code gives: alone for no rows, else in the middle of a batch."""
    code = kernel(derivative, precise)
    xs = [x for case in CASES for x in case.point.values()]
    return code.map([xs] * rows)[rows // 2].tolist() if rows else code(xs)


@functools.cache
def compiled_gradient(precise):
    """By parameters: of the sum of all cases, each of its own."""
    pytest.importorskip("llvmlite")
    xs = [x for case in CASES for x in case.point.values()]
    parameters = [*map(Value, xs)]

    def all_cases(_):
        operands = iter(parameters)
        return total(f([next(operands) for _ in point]) for f, point in map(parts, CASES))

    code = autograd.jit(all_cases, parameters, precise=precise)
    return code.mean_and_gradient(xs, [0.0])[1].tolist()


def of_case(case, order, results):
    """The part of all cases' numbers that is this case's."""
    start = sum(len(other.point) ** order for other in CASES[: CASES.index(case)])
    return results[start:][: len(case.point) ** order]


def itself(f):
    return f


def compiled(order, *, precise, rows):
    derivative = (itself, grad, hessian)[order]
    return lambda case: of_case(case, order, compiled_results(derivative, precise, rows))


COMPILED = [
    {
        "compiled": compiled(order, precise=False, rows=0),
        "compiled batch": compiled(order, precise=False, rows=9),
        "precise": compiled(order, precise=True, rows=0),
        "precise batch": compiled(order, precise=True, rows=9),
    }
    for order in range(3)
]
IN_MODES = {
    0: {
        "eager": each(lambda f, xs: f([*map(Value, xs)])),
        "forward": each(lambda f, xs: jvp(f, (xs,), ([1.0] * len(xs),))[0]),
        "traced": each(lambda f, xs: trace(f, xs)(xs)),
        "source": each(source_of_value),
        **COMPILED[0],
    },
    1: {
        **{name: each(mode) for name, mode in MODES[1].items()},
        "grad": each(lambda f, xs: grad(f)(xs)),
        "grad of a Program": each(lambda f, xs: grad(trace(f, xs))(xs)),
        "traced forward": each(lambda f, xs: trace(lambda xs: forward(f, xs), xs)(xs)),
        **COMPILED[1],
        "compiled, by parameters": lambda case: of_case(case, 1, compiled_gradient(False)),
        "precise, by parameters": lambda case: of_case(case, 1, compiled_gradient(True)),
    },
    2: {**{name: each(mode) for name, mode in MODES[2].items()}, **COMPILED[2]},
}


def same(actual, expected, tolerance=0.0):
    """Equal, nan to nan and -0.0 to -0.0; numbers that are not exact within 4 ulp."""
    if math.isnan(expected):
        return math.isnan(actual)
    if expected == 0.0 or math.isinf(expected):
        return actual == expected and math.copysign(1.0, actual) == math.copysign(1.0, expected)
    return abs(actual - expected) <= max(4 * math.ulp(expected), tolerance * abs(expected))


def plain(x):
    return 0.0 if x == 0.0 else x  # the sign of a zero derivative says nothing


def in_modes(order):
    """Every case in every mode of this order."""
    cases = pytest.mark.parametrize("case", CASES, ids=str)
    modes = pytest.mark.parametrize("mode", IN_MODES[order])
    return lambda test: modes(cases(test))


def agree(actual, expected, mode):
    tolerance = 1e-12 if mode.startswith("compiled") else 0.0
    pairs = zip(actual, expected, strict=True)
    return all(same(plain(x), plain(y), tolerance) for x, y in pairs)


@in_modes(0)
def test_every_value_of_the_page_holds_in_every_mode(case, mode):
    (actual,) = IN_MODES[0][mode](case)
    assert agree([actual], [case.value], mode), actual
    assert case.value != 0.0 or same(actual, case.value), "the sign of zero"


@in_modes(1)
def test_every_derivative_of_the_page_holds_in_every_mode(case, mode):
    actual = IN_MODES[1][mode](case)
    assert agree(actual, case.first, mode), actual


@in_modes(2)
def test_every_second_derivative_of_the_page_holds_in_every_mode(case, mode):
    actual = IN_MODES[2][mode](case)
    assert agree(actual, case.second, mode), actual


def numbers(text):
    return tuple(map(float, text.split(",")))


KINKS = [
    (row.name, *map(numbers, kink.split(":")))
    for row in TABLE.values()
    for kink in filter(None, row.kinks.split(";"))
]


@pytest.mark.parametrize(("name", "point", "partials"), KINKS)
def test_every_kink_in_the_table_holds(name, point, partials):
    actual = TABLE[name](*map(Value, point)).partials

    assert all(same(plain(p), q) for p, q in zip(actual, partials, strict=True)), actual


FLAT = {"sign", "step", "floor", "ceil"}
FUNCTIONS = [row for row in TABLE.values() if isinstance(row, Function) and row.partials]


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_a_function_of_nan_is_nan_with_derivative_nan_or_0_where_it_is_piecewise_constant(row):
    expected = {"neg": -1.0, "identity": 1.0, **dict.fromkeys(FLAT, 0.0)}.get(row.name, nan)
    z = row(Value(nan))
    assert math.isnan(z.data)
    assert same(z.partials[0], expected)


def test_relu_and_maximum_differ_at_zero_as_documented():
    assert relu(Value(0.0)).partials == (0.0,)
    assert TABLE["maximum"](Value(0.0), 0.0).partials == (0.5, 0.0)


def test_a_branch_that_was_not_selected_contributes_nothing_and_nothing_else_hides():
    x = Value(0.0)
    where(x > 0, log(x), 0.0).backward()
    hidden = x.grad
    (0.0 * log(x)).backward()

    assert (hidden, math.isnan(x.grad)) == (0.0, True)


def test_the_empty_list_has_the_neutral_value():
    assert (norm([]), logsumexp([]), autograd.sum([])) == (0.0, -inf, 0.0)


def test_results_are_never_complex():
    assert math.isnan(pow(-8.0, 1 / 3))
    assert math.isnan((Value(-8.0) ** (1 / 3)).data)
    assert hypot(3.0, -4.0) == 5.0


def shown(x):
    return f"{x:.5g}"


def place(point):
    return ", ".join(f"{name} = {shown(x)}" for name, x in point.items())


def outcome(value, derivatives=()):
    """The value and its derivatives as the page shows them."""
    texts = [shown(value), ", ".join(shown(plain(x)) for x in derivatives)]
    return "; ".join(filter(None, texts))


def second_by(by):
    """The places of two operands x and y, of which one second derivative is taken."""
    return ["xy".index(name) for name in by]


# What is compared: values and derivatives of all cases, second derivatives where they differ
OURS = {(str(case), ""): outcome(case.value, case.first) for case in CASES} | {
    (str(case), by): outcome(case.second[2 * i + j])
    for case in CASES
    for by in ("xx", "xy")
    for i, j in [second_by(by)]
    if (str(case), by) in ELSEWHERE
}


def rendered():
    lines = [POLICY]
    lines += ["| expression | at | value | derivatives | second derivatives |", "|---" * 5 + "|"]
    for case in CASES:
        n = len(case.point)
        rows = [case.second[i : i + n] for i in range(0, n * n, n)]
        cells = [
            f"`{case.expression}`",
            place(case.point),
            shown(case.value),
            ", ".join(map(shown, case.first)),
            "; ".join(", ".join(map(shown, row)) for row in rows),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", COMPARISON]
    lines += ["| expression | at | here | PyTorch | JAX | TensorFlow |", "|---" * 6 + "|"]
    for (name, by), ours in OURS.items():
        if theirs := ELSEWHERE.get((name, by)):
            expression, where_at = name.split(" at ")
            again = f", twice by {', '.join(by)}" * bool(by)
            lines.append(f"| `{expression}`{again} | {where_at} | {' | '.join([ours, *theirs])} |")
    return "\n".join(lines) + "\n"


def test_the_page_shows_these_cases():
    assert PAGE.read_text(encoding="utf-8") == rendered()


def test_every_point_that_differs_elsewhere_is_one_of_these_cases():
    assert ELSEWHERE.keys() <= OURS.keys()
    for key, theirs in ELSEWHERE.items():
        here = {OURS[key], OURS[key].partition("; ")[2], ""}
        assert not here >= {*theirs}, key


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
