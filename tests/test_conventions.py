"""What the engine gives at the edges: every line of docs/conventions.md, and every row's kinks.

Run as a script, this file writes docs/conventions.md from the cases below.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import autograd
from autograd import Value, hypot, log, logsumexp, norm, pow, relu, where
from autograd.backward import cotangents
from autograd.primitives import TABLE, Function

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

The table is made by `tests/test_conventions.py`, whose tests hold the engine to it, within 4 units
in the last place where a number is not exact.
"""

# (expression, the operands it is differentiated by, its value, its derivatives)
FIRST = [
    # the square root, powers, quotients and products
    ("sqrt(x)", {"x": 0.0}, 0.0, [inf]),
    ("sqrt(x * x)", {"x": 0.0}, 0.0, [nan]),
    ("1 / x", {"x": 0.0}, inf, [-inf]),
    ("a / b", {"a": 0.0, "b": 0.0}, nan, [inf, nan]),
    ("a * b", {"a": inf, "b": 0.0}, nan, [0.0, inf]),
    ("a - b", {"a": inf, "b": inf}, nan, [1.0, -1.0]),
    ("x ** 2", {"x": 0.0}, 0.0, [0.0]),
    ("x ** 1", {"x": 0.0}, 0.0, [1.0]),
    ("x ** 0", {"x": 0.0}, 1.0, [0.0]),
    ("x ** 0.5", {"x": 0.0}, 0.0, [inf]),
    ("x ** (1 / 3)", {"x": -8.0}, nan, [nan]),
    ("0 ** y", {"y": 0.0}, 1.0, [0.0]),
    ("0 ** y", {"y": 2.0}, 0.0, [0.0]),
    ("pow(x, y)", {"x": 0.0, "y": 0.0}, 1.0, [0.0, 0.0]),
    ("pow(x, y)", {"x": 0.0, "y": -1.0}, inf, [-inf, -inf]),
    ("pow(x, y)", {"x": -2.0, "y": 2.0}, 4.0, [-4.0, nan]),
    ("pow(x, y)", {"x": nan, "y": 0.0}, 1.0, [0.0, nan]),
    ("pow(x, y)", {"x": 1.0, "y": nan}, 1.0, [nan, 0.0]),
    # lengths and angles
    ("hypot(a, b)", {"a": 0.0, "b": 0.0}, 0.0, [0.0, 0.0]),
    ("hypot(a, b)", {"a": 1e200, "b": 1e200}, 1.414213562373095e200, [math.sqrt(0.5)] * 2),
    ("hypot(a, b)", {"a": inf, "b": nan}, inf, [nan, nan]),
    ("norm([a, b])", {"a": 0.0, "b": 0.0}, 0.0, [0.0, 0.0]),
    ("atan2(y, x)", {"y": 0.0, "x": 0.0}, 0.0, [nan, nan]),
    ("atan2(y, x)", {"y": 1e-200, "x": 1e-200}, math.pi / 4, [5e199, -5e199]),
    # exponentials and logarithms
    ("exp(x)", {"x": 710.0}, inf, [inf]),
    ("log(x)", {"x": 0.0}, -inf, [inf]),
    ("log(x)", {"x": -0.0}, -inf, [-inf]),
    ("log(x)", {"x": -1.0}, nan, [nan]),
    ("x * log(x)", {"x": 0.0}, nan, [nan]),
    ("xlogy(x, y)", {"x": 0.0, "y": 0.0}, 0.0, [0.0, 0.0]),
    ("xlogy(x, y)", {"x": 0.0, "y": 2.0}, 0.0, [math.log(2.0), 0.0]),
    ("logaddexp(a, b)", {"a": -inf, "b": -inf}, -inf, [nan, nan]),
    ("logaddexp(a, b)", {"a": inf, "b": inf}, inf, [nan, nan]),
    ("logaddexp(a, b)", {"a": -inf, "b": 1.0}, 1.0, [0.0, 1.0]),
    ("asin(x)", {"x": 1.0}, math.pi / 2, [inf]),
    # choices
    ("abs(x)", {"x": 0.0}, 0.0, [0.0]),
    ("abs(x)", {"x": nan}, nan, [nan]),
    ("sign(x)", {"x": 0.0}, 0.0, [0.0]),
    ("sign(x)", {"x": 3.0}, 1.0, [0.0]),
    ("sign(x)", {"x": nan}, nan, [0.0]),
    ("step(x)", {"x": 0.0}, 0.0, [0.0]),
    ("maximum(a, b)", {"a": 1.0, "b": 1.0}, 1.0, [0.5, 0.5]),
    ("minimum(a, b)", {"a": 1.0, "b": 1.0}, 1.0, [0.5, 0.5]),
    ("maximum(a, b)", {"a": nan, "b": 1.0}, nan, [nan, 0.0]),
    ("maximum(x, 0)", {"x": 0.0}, 0.0, [0.5]),
    ("clip(x, 0, 1)", {"x": 0.0}, 0.0, [1.0]),
    ("clip(x, 0, 1)", {"x": 1.0}, 1.0, [1.0]),
    ("where(x > 0, log(x), 0)", {"x": 0.0}, 0.0, [0.0]),
    ("where(x > 0, sqrt(x), 0)", {"x": 0.0}, 0.0, [0.0]),
    # transfer functions
    ("relu(x)", {"x": 0.0}, 0.0, [0.0]),
    ("relu(x)", {"x": nan}, nan, [nan]),
    ("leaky_relu(x, 0.01)", {"x": 0.0}, 0.0, [0.01]),
    ("elu(x)", {"x": 0.0}, 0.0, [1.0]),
    ("selu(x)", {"x": 0.0}, 0.0, [1.7580993408473766]),
    ("softsign(x)", {"x": 0.0}, 0.0, [1.0]),
    ("hardtanh(x)", {"x": 1.0}, 1.0, [0.0]),
    ("hardtanh(x)", {"x": -1.0}, -1.0, [0.0]),
    ("sigmoid(x)", {"x": 40.0}, 1.0, [4.248354255291589e-18]),
    ("tanh(x)", {"x": 20.0}, 1.0, [1.6993417021166355e-17]),
    ("softplus(x)", {"x": 25.0}, 25.000000000013888, [0.9999999999861121]),
    ("gelu(x)", {"x": -30.0}, -1.472014178144456e-196, [-4.416031690708495e-195]),
    ("gelu(x)", {"x": -inf}, -0.0, [0.0]),
    ("silu(x)", {"x": -inf}, -0.0, [0.0]),
]

# (row, operands, which two to differentiate by, the second derivative)
SECOND = [
    ("pow(x, y)", {"x": 0.0, "y": 1.0}, "xx", 0.0),
    ("pow(x, y)", {"x": 0.0, "y": 0.0}, "xx", 0.0),
    ("pow(x, y)", {"x": 2.0, "y": 0.0}, "xy", 0.5),
    ("pow(x, y)", {"x": 2.0, "y": 0.0}, "yx", 0.5),
    ("log(x)", {"x": -1.0}, "xx", nan),
]


def same(actual, expected):
    """Equal, nan to nan and -0.0 to -0.0; numbers that are not exact within 4 ulp."""
    if math.isnan(expected):
        return math.isnan(actual)
    if expected == 0.0 or math.isinf(expected):
        return actual == expected and math.copysign(1.0, actual) == math.copysign(1.0, expected)
    return abs(actual - expected) <= 4 * math.ulp(expected)


def plain(x):
    return 0.0 if x == 0.0 else x  # the sign of a zero derivative says nothing


@pytest.mark.parametrize(("expression", "point", "value", "gradient"), FIRST)
def test_every_line_of_the_page_holds(expression, point, value, gradient):
    operands = {name: Value(x) for name, x in point.items()}

    answer = eval(expression, {**vars(autograd), **operands})
    answer.backward() if isinstance(answer, Value) else None

    assert same(answer.data, value), answer
    for operand, expected in zip(operands.values(), gradient, strict=True):
        assert same(plain(operand.grad), expected), operand


@pytest.mark.parametrize(("expression", "point", "by", "expected"), SECOND)
def test_second_derivatives_at_the_edges_hold(expression, point, by, expected):
    row = TABLE[expression.partition("(")[0]]
    operands = {name: Value(x) for name, x in point.items()}
    partial = row.partials[list(point).index(by[0])](row(*operands.values()), *operands.values())

    actual = cotangents(partial).get(operands[by[1]], 0.0)

    assert same(plain(actual), expected)


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


def rendered():
    lines = [POLICY, "| expression | at | value | derivatives |", "|---|---|---|---|"]
    for expression, point, value, gradient in FIRST:
        partials = ", ".join(map(shown, gradient))
        lines.append(f"| `{expression}` | {place(point)} | {shown(value)} | {partials} |")
    lines += ["", "| expression | at | by | second derivative |", "|---|---|---|---|"]
    for expression, point, by, expected in SECOND:
        cells = f"`{expression}`", place(point), ", ".join(by), shown(expected)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_page_shows_these_cases():
    assert PAGE.read_text(encoding="utf-8") == rendered()


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
