"""The table, row by row: every way to call a row, and how it prints."""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import math
import operator
import pickle
import struct
import sys
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import micrograd.engine
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import (
    Value,
    dot,
    hypot,
    ieee,
    jvp,
    leaky_relu,
    log_softmax,
    logsumexp,
    mean,
    norm,
    primitives,
    softmax,
    sum,
    tanh,
    trace,
)
from autograd.backward import cotangents
from autograd.primitives import TABLE, Function, Reduction

sys.path.insert(0, str(Path(__file__).parent))
from reference import REFERENCES, derivative, points, ulps

ROWS = list(TABLE.values())
FIXED = [row for row in ROWS if not isinstance(row, Reduction)]
FUNCTIONS = [row for row in ROWS if isinstance(row, Function) and row.partials]
DISCRETE = [row for row in ROWS if not row.partials]
COMPARISONS = [TABLE[name] for name in ("less", "less_equal", "equal", "not_equal")]
LISTS = [row for row in ROWS if isinstance(row, Reduction)]
ANY = st.floats()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNT = 4  # points of each kind

rows = functools.partial(pytest.mark.parametrize, "row", ids=lambda row: row.name)


def bits(x):
    """Tells -0.0 from 0.0; every nan is one nan."""
    return "nan" if x != x else struct.pack("<d", x)  # noqa: PLR0124


def same_bits(xs, ys):
    return [*map(bits, xs)] == [*map(bits, ys)]


def a_point(row):
    return points(row, COUNT)[-1]


def called(row, operands):
    """The public call."""
    if row.name == "dot":
        size = len(operands) // 2
        return row(operands[:size], operands[size:-1], operands[-1])
    return row(operands) if isinstance(row, Reduction) else row(*operands)


# The references, to which test_accuracy.py holds the table


def test_every_row_has_a_reference():
    assert TABLE.keys() == REFERENCES.keys()


def test_differences_find_the_derivatives_of_a_polynomial():
    """The reference itself, where the derivatives are known: x^3 y^2 at (2, 3)."""
    wanted = {(): 72, (0,): 108, (1,): 48, (0, 0): 108, (0, 1): 72, (1, 0): 72, (1, 1): 16}
    for positions, expected in wanted.items():
        actual = derivative(lambda x, y: x**3 * y**2, (2.0, 3.0), positions)
        assert ulps(float(actual), mp.mpf(expected)) == 0.0


# Every way to call a row


@rows([row for row in ROWS if row.partials])
def test_every_mix_of_floats_and_values_gives_the_same_number(row):
    point = a_point(row)
    expected = called(row, point)
    everywhere = called(row, [*map(Value, point)]).partials
    mixes = itertools.product([False, True], repeat=min(len(point), 3))
    for mix in itertools.islice(mixes, 1, None):
        chosen = [mix[i % len(mix)] for i in range(len(point))]
        operands = [Value(x) if c else x for x, c in zip(point, chosen, strict=True)]

        z = called(row, operands)

        assert bits(z.data) == bits(expected)
        assert z.primitive is row
        assert all(map(operator.is_, z.operands, operands))
        assert same_bits(
            z.partials, [p if c else 0.0 for p, c in zip(everywhere, chosen, strict=True)]
        )


@rows(DISCRETE)
def test_rows_without_partials_give_a_plain_number_of_values(row):
    for point in points(row, COUNT):
        expected = called(row, point)
        actual = called(row, [*map(Value, point)])
        assert type(actual) is type(expected)
        assert bits(actual) == bits(expected)


@rows(COMPARISONS)
def test_comparisons_give_a_bool_on_floats_and_values(row):
    for point in itertools.product([-1.0, 2.0, math.nan], repeat=2):
        for a, b in itertools.product(*[(x, Value(x)) for x in point]):
            assert row(a, b) is row.value(*point)


@rows(ROWS)
def test_floats_give_a_plain_float(row):
    expected = bool if row in COMPARISONS else float
    assert type(called(row, a_point(row))) is expected


@rows([row for row in FIXED if len(row.partials) > 1])
def test_a_partial_by_a_plain_float_is_never_evaluated(row, monkeypatch):
    def refuse(*_operands):
        raise AssertionError("a constant has no partial")

    point = a_point(row)
    for i, partial in enumerate(row.partials):
        only = [refuse] * len(point)
        only[i] = partial
        monkeypatch.setattr(row, "partials", tuple(only))
        operands = [*point[:i], Value(point[i]), *point[i + 1 :]]
        assert row.bind(operands).operands == tuple(operands)


def test_a_constant_power_never_evaluates_the_logarithm_of_its_base(monkeypatch):
    def refuse(*_operands):
        raise AssertionError

    monkeypatch.setattr(primitives.power_log, "value", refuse)
    x = Value(-7.0)
    (x**2).backward()
    assert x.grad == -14.0


@rows([row for row in FIXED if row.defaults])
def test_defaults_stand_for_the_last_operands(row):
    x = Value(-0.7)
    assert row(x).data == row(x, *row.defaults).data
    assert row(x).operands[1:] == row.defaults


@rows(LISTS)
@pytest.mark.parametrize("size", [0, 1, 2, 7])
def test_lists_of_any_length(row, size):
    if (row.name, size) == ("mean", 0):
        with pytest.raises(ValueError, match=r"mean\(xs\): expected at least one number"):
            mean([])
        return
    numbers = [0.5 * i - 1.0 for i in range(size)]
    values = [*map(Value, numbers)]
    arguments, plain = ([values], [numbers])
    if row.name == "dot":
        arguments, plain = ([values, values[::-1]], [numbers, numbers[::-1]])

    z = row(*arguments)

    assert bits(float(z)) == bits(row(*plain))
    assert isinstance(z, Value) is (size > 0 and row.partials != ())
    if isinstance(z, Value):
        assert len(z.operands) == len(z.partials)


def test_any_iterable_is_a_list():
    values = [Value(1.0), Value(2.0)]
    assert sum(iter(values)).operands == tuple(values)
    assert norm(x for x in (3.0, 4.0)) == 5.0
    assert mean((1.0, 2.0)) == 1.5


# Hot paths: what value.py writes out must be what the table says

OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}
binary = pytest.mark.parametrize("name", OPERATORS)


def assert_as_the_table_says(z, name, operands):
    general = Value.record(TABLE[name], operands)
    assert bits(z.data) == bits(general.data)
    assert z.primitive is general.primitive
    assert all(map(operator.is_, z.operands, operands))
    assert same_bits(z.partials, general.partials)
    dropped = [x is None for x in z.edges]
    assert dropped == [x is None for x in general.edges]


@binary
@given(a=ANY, b=ANY)
def test_operators_are_the_rows_of_the_table_to_the_last_bit(name, a, b):
    x, y = Value(a), Value(b)
    for operands in ((x, y), (x, x), (x, b), (a, y)):
        assert_as_the_table_says(OPERATORS[name](*operands), name, operands)


@binary
@given(a=ANY, n=st.integers(-6, 6))
def test_operators_on_whole_numbers_are_the_rows_of_the_table_to_the_last_bit(name, a, n):
    x = Value(a)
    for operands in ((x, n), (n, x)):
        z = OPERATORS[name](*operands)
        exact = [float(o) if type(o) is int else o for o in operands]
        general = Value.record(TABLE[name], exact)
        assert same_bits([z.data, *z.partials], [general.data, *general.partials])
        assert [*map(type, z.operands)] == [*map(type, exact)]


@rows(FUNCTIONS)
@given(a=ANY)
def test_functions_and_methods_are_the_rows_of_the_table_to_the_last_bit(row, a):
    x = Value(a)
    assert_as_the_table_says(row(x), row.name, (x,))
    assert_as_the_table_says(getattr(x, row.name)(), row.name, (x,))
    assert bits(row(a)) == bits(row.value(a))


@given(a=ANY)
def test_signs_are_the_rows_of_the_table_to_the_last_bit(a):
    x = Value(a)
    assert_as_the_table_says(-x, "neg", (x,))
    assert_as_the_table_says(abs(x), "abs", (x,))
    assert +x is x


PAIRS = st.lists(st.tuples(ANY, ANY), max_size=6)


@given(pairs=PAIRS, bias=ANY)
def test_dot_is_the_chain_of_products_and_sums_to_the_last_bit(pairs, bias):
    ws, xs = [w for w, _ in pairs], [x for _, x in pairs]
    chain = bias
    for w, x in pairs:
        chain = chain + w * x
    weights, inputs, offset = [*map(Value, ws)], [*map(Value, xs)], Value(bias)
    for operands in (
        (weights, inputs, offset),
        (weights, xs, offset),
        (weights, xs, bias),
        (ws, inputs, offset),
        (ws, xs, offset),
        (ws, xs, bias),
    ):
        z = dot(*operands)
        assert bits(float(z)) == bits(chain)
        if isinstance(z, Value):
            flat = (*operands[0], *operands[1], operands[2])
            assert_as_the_table_says(z, "dot", flat)


def test_dot_takes_every_mix_of_kinds_of_number():
    for kinds in itertools.product([Value, float, int, np.float64], repeat=5):
        operands = [kind(x) for kind, x in zip(kinds, [2, 3, 5, 7, 11], strict=True)]
        z = dot(operands[:2], operands[2:4], operands[4])
        assert float(z) == 2 * 5 + 3 * 7 + 11
        assert isinstance(z, Value) == (Value in kinds)
        if isinstance(z, Value):
            assert [*z.operands] == [2, 3, 5, 7, 11]
            assert {*map(type, z.operands)} <= {Value, float}
            wanted = [kind is Value for kind in kinds]
            assert [*z.partials] == [*map(operator.mul, [5, 7, 2, 3, 1], wanted)]


@given(pairs=st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=6), bias=FINITE)
def test_dot_has_the_gradient_of_the_chain_of_products_and_sums(pairs, bias):
    leaves = [Value(x) for pair in pairs for x in pair]
    ws, xs = leaves[::2], leaves[1::2]
    chain = Value(bias)
    for w, x in zip(ws, xs, strict=True):
        chain = chain + w * x

    of_chain, of_dot = cotangents(chain), cotangents(dot(ws, xs, bias))

    assert [of_dot[x] for x in leaves] == [of_chain[x] for x in leaves]


@given(xs=st.lists(ANY, max_size=6))
def test_sum_is_the_chain_of_plus_to_the_last_bit(xs):
    chain = functools.reduce(operator.add, xs, 0.0)
    assert bits(sum(xs)) == bits(chain)
    if xs:
        assert bits(sum([*map(Value, xs)]).data) == bits(chain)
        assert bits(mean(xs)) == bits(chain / len(xs))


# softmax and log_softmax, which are composed of rows


@given(xs=st.lists(st.floats(-800.0, 800.0), min_size=1, max_size=7))
def test_softmax_is_a_distribution_and_log_softmax_its_logarithm(xs):
    ps, logs = softmax(xs), log_softmax(xs)
    assert sum(ps) == pytest.approx(1.0, rel=1e-14)
    assert all(0.0 <= p <= 1.0 for p in ps)
    assert max(logs) <= 0.0
    assert [math.exp(x) for x in logs] == pytest.approx(ps, rel=1e-12, abs=1e-300)


def test_softmax_of_nothing_is_nothing():
    assert softmax([]) == log_softmax([]) == []
    assert logsumexp([]) == -math.inf


# Names and print


@rows(ROWS)
def test_every_row_prints(row):
    operands = [f"<mi>{name}</mi>" for name in "abc"]
    filled = row.mathml.replace("{*}", "<mo>,</mo>".join(operands))
    for i in range(len(row.domain)):
        assert "{*}" in row.mathml or f"{{{i}}}" in row.mathml
        filled = filled.replace(f"{{{i}}}", operands[i])

    ET.fromstring(filled)

    assert "{" not in filled
    assert row.symbol.strip() == row.symbol != ""
    assert repr(row) == f"<primitive {row.name}>"
    assert row.__doc__.startswith(f"{row.name}({', '.join(row.operand_names)}): ")


@rows(ROWS)
def test_every_row_is_the_public_function_of_its_name(row):
    assert getattr(primitives, row.name) is row
    assert TABLE[row.name] is row
    assert pickle.loads(pickle.dumps(row)) is row
    assert copy.deepcopy(row) is row


def test_no_two_rows_share_a_name():
    assert len({row.name for row in ROWS}) == len(ROWS)
    made = [node for node in ast.walk(source()) if is_row(node)]
    assert len(made) == len(ROWS)


@rows(FIXED)
def test_every_operand_has_a_partial_a_domain_and_a_name(row):
    assert len(row.partials) in {0, len(row.domain)}
    assert len(row.operand_names) == len(row.domain)
    assert all(low < high for low, high in row.domain)


def source():
    return ast.parse(Path(primitives.__file__).read_text(encoding="utf-8"))


def is_row(node):
    kinds = {"Primitive", "Function", "Reduction", "_Dot", "_Mean"}
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") in kinds
    )


def test_the_table_writes_div_and_pow_never_their_operators():
    functions = [n for n in ast.walk(source()) if isinstance(n, ast.Lambda | ast.FunctionDef)]
    operators = [n.op for f in functions for n in ast.walk(f) if isinstance(n, ast.BinOp)]
    assert operators
    assert not [op for op in operators if isinstance(op, ast.Div | ast.Pow)]


def test_no_partial_branches_in_python():
    branches = ast.IfExp | ast.BoolOp | ast.Compare | ast.NamedExpr
    partials = [n for row in ast.walk(source()) if is_row(row) for n in ast.walk(row)]
    assert any(isinstance(node, ast.Lambda) for node in partials)
    assert not [node.lineno for node in partials if isinstance(node, branches)]


# Functions as methods


@rows(FUNCTIONS)
def test_every_function_of_one_operand_is_a_method(row):
    x = a_point(row)[0]
    assert bits(getattr(Value(x), row.name)().data) == bits(row(x))


NUMPY_NAMES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
}


OWN_WAY = {"abs", "sign", "floor", "ceil", "square", "reciprocal"}  # NumPy uses operators there
UFUNCS = sorted(
    name
    for name in {row.name for row in FUNCTIONS} - OWN_WAY | NUMPY_NAMES.keys()
    if isinstance(getattr(np, name, None), np.ufunc)
)


@pytest.mark.parametrize("name", UFUNCS)
def test_numpy_functions_apply_the_rows_to_arrays_of_values(name):
    row = TABLE[NUMPY_NAMES.get(name, name)]
    numbers = [point[0] for point in points(row, COUNT)[:3]]

    values = getattr(np, name)(np.array([*map(Value, numbers)]))

    assert [v.data for v in values] == [row(x) for x in numbers]
    assert all(v.primitive is row for v in values)


@pytest.mark.parametrize("name", sorted(OWN_WAY))
def test_numpy_functions_made_of_operators_give_the_rows_numbers(name):
    numbers = [-2.5, -0.3, 0.7, 2.0]
    values = getattr(np, name)(np.array([*map(Value, numbers)]))
    assert [*map(float, values)] == [*map(TABLE[name], numbers)]


def test_numpy_has_functions_that_apply_rows():
    assert {*NUMPY_NAMES, "exp", "log", "sqrt", "cbrt", "sin", "cos", "tan", "tanh"} <= {*UFUNCS}


# Wrong operands


@pytest.mark.parametrize("wrong", ["1", None, [1.0], 1j, object()], ids=lambda x: type(x).__name__)
def test_an_operand_that_is_no_number_is_named(wrong):
    with pytest.raises(
        TypeError, match=f"tanh: expected a number or Value as x, got {type(wrong).__name__}"
    ):
        autograd.tanh(wrong)
    with pytest.raises(
        TypeError, match=f"hypot: expected a number or Value as b, got {type(wrong).__name__}"
    ):
        autograd.hypot(Value(1.0), wrong)
    with pytest.raises(TypeError, match=rf"sum: .* as xs\[1\], got {type(wrong).__name__}"):
        sum([1.0, wrong])


def test_a_wrong_count_of_operands_names_what_was_expected():
    with pytest.raises(TypeError, match=r"hypot: expected the operands \(a, b\), got 1"):
        autograd.hypot(1.0)
    with pytest.raises(TypeError, match=r"where: expected the operands \(condition, a, b\), got 4"):
        autograd.where(1.0, 2.0, 3.0, 4.0)


def test_wrong_lists_are_named():
    with pytest.raises(TypeError, match=r"sum\(xs\): expected a list of numbers, got float 1.0"):
        sum(1.0)
    with pytest.raises(TypeError, match=r"dot\(ws, xs, bias\): expected a list as xs, got int 2"):
        dot([1.0], 2)
    with pytest.raises(TypeError, match=r"dot\(ws, xs, bias\): expected a list as ws, got Value"):
        dot(Value(1.0), [Value(2.0)])
    with pytest.raises(ValueError, match="expected ws and xs of equal length, got 2 and 1"):
        dot([1.0, 2.0], [Value(3.0)])
    with pytest.raises(TypeError, match=r"dot: expected a number or Value as .*, got str 'x'"):
        dot([Value(1.0)], ["x"])
    with pytest.raises(TypeError, match=r"dot: expected a number or Value as xs\[0\], got Value"):
        dot([Value(1.0)], [micrograd.engine.Value(1.0)], Value(2.0))


def test_operands_may_be_given_by_name():
    assert autograd.clip(3.0, low=-1.0, high=1.0) == 1.0
    assert autograd.leaky_relu(Value(-1.0), slope=0.5).data == -0.5
    with pytest.raises(TypeError, match=r"leaky_relu: expected the operands \(x, slope\)"):
        autograd.leaky_relu(1.0, slop=0.5)


def test_a_name_stands_in_the_table_once():
    with pytest.raises(ValueError, match="'tanh' stands in the table already"):
        primitives.Function("tanh", ieee.tanh, domain=[(-1.0, 1.0)])


def test_a_real_beyond_the_largest_float_is_an_infinity():
    assert (Value(1.0) < 10**400, Value(1.0) == 10**400) == (True, False)
    assert (Value(1.0) * -(10**400)).data == -math.inf


def test_a_span_of_time_is_no_real_number():
    assert Value(1.0) != np.timedelta64(1, "s")
    with pytest.raises(TypeError, match="expected a real number"):
        Value(np.timedelta64(1, "s"))


def test_an_array_is_refused_with_the_function_that_takes_it():
    with pytest.raises(TypeError, match=r"sin: expected a number .* got ndarray .*; np\.sin takes"):
        autograd.sin(np.ones(2))
    with pytest.raises(TypeError, match=r"relu: expected .* got ndarray [^;]*$"):
        autograd.relu(np.ones(2))


def test_a_signaling_nan_is_a_nan():
    assert math.isnan(tanh(Decimal("sNaN")))


def test_a_list_may_hold_every_kind_of_number_at_once():
    v = Value(3.0)

    def f(x):
        return jvp(lambda y: sum([1.0, v, y * y, x]), (x,), (1.0,))

    assert trace(f, 2.0)(2.0) == (1.0 + 3.0 + 4.0 + 2.0, 4.0)


def test_an_error_names_what_was_given_by_position_and_by_name():
    with pytest.raises(TypeError, match=r"got 1 and slop$"):
        leaky_relu(1.0, slop=0.1)
    with pytest.raises(TypeError, match=r"got 1$"):
        hypot(1.0)
    with pytest.raises(TypeError, match=r"expected one list, got 3 arguments"):
        sum(1.0, 2.0, 3.0)
