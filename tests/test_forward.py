"""Duals and jvp: one direction each, never confused, mirrored structures, clear errors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

from autograd import (
    Value,
    dot,
    exp,
    grad,
    jacobian_forward,
    jvp,
    log,
    maximum,
    primitives,
    sin,
    sqrt,
    tanh,
    trace,
)
from autograd.forward import Dual


class Pair(NamedTuple):
    a: object
    b: object


# Duals


def test_a_dual_carries_the_derivative_along():
    x = Dual(3.0, 2.0)
    z = x * x + 1
    assert (z.primal, z.tangent) == (10.0, 12.0)
    assert repr(z) == "Dual(primal=10.0, tangent=12.0)"


def test_numbers_on_either_side_of_a_dual_are_constants():
    x = Dual(2.0, 1.0)
    tangents = [(3 + x).tangent, (3 - x).tangent, (3 * x).tangent, (3 / x).tangent, (3**x).tangent]
    assert tangents == pytest.approx([1.0, -1.0, 3.0, -0.75, 9.0 * math.log(3.0)], rel=1e-15)
    assert [(x**3).tangent, (x / 4).tangent, (-x).tangent, abs(x).tangent] == [
        12.0,
        0.25,
        -1.0,
        1.0,
    ]


def test_duals_compare_by_their_primals_and_give_bools():
    x, y = Dual(1.0, 5.0), Dual(2.0, -5.0)
    assert (x < y, x > y, x <= 1.0, x == 1.0, x != y) == (True, False, True, True, True)
    assert all(type(answer) is bool for answer in (x < y, x == 1.0))
    assert (x == "1", Dual(0.0, 1.0) or "zero") == (False, "zero")


def test_a_dual_is_its_primal_where_python_wants_a_number():
    x = Dual(2.5, 1.0)
    assert (float(x), int(x), bool(x), math.exp(x)) == (2.5, 2, True, math.exp(2.5))


def test_a_dual_is_written_as_its_number_where_a_format_asks_for_one():
    x = Dual(2.5, 1.0)
    assert (f"{x:.2f}", f"{x:+.0e}", round(x, 0)) == ("2.50", "+2e+00", 2.0)
    assert f"{x}" == str(x) == repr(x)


def test_detach_gives_the_primal_and_cuts_its_graph_too():
    a = Value(2.0)
    cut = Dual(a * 3.0, 1.0).detach()
    assert (cut.data, cut.operands) == (6.0, ())
    assert Dual(2.5, 1.0).detach() == 2.5
    assert Dual(Dual(2.5, 1.0, level=1), 1.0, level=2).detach() == 2.5


def test_a_piecewise_constant_function_gives_a_plain_number():
    assert primitives.less(Dual(1.0, 1.0), 2.0) is True
    assert type(primitives.stop_gradient(Dual(1.0, 1.0))) is float


def test_two_directions_keep_apart():
    x, y = Dual(2.0, 1.0, level=1), Dual(3.0, 1.0, level=2)
    z = x * y
    assert (z.level, z.tangent.primal if isinstance(z.tangent, Dual) else z.tangent) == (2, 2.0)
    assert z.primal.tangent == 3.0
    assert z.tangent.tangent == 1.0


def test_duals_enclose_values_never_the_reverse():
    a = Value(2.0)
    for z in (a * Dual(3.0, 1.0), Dual(3.0, 1.0) * a):
        assert type(z) is Dual
        assert (type(z.primal), type(z.tangent)) == (Value, Value)
        z.tangent.backward()
    assert a.grad == 2.0


def test_a_partial_by_a_constant_is_never_evaluated(monkeypatch):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(primitives.power_log, "value", refuse)
    assert jvp(lambda x: x**2, (-7.0,), (1.0,)) == (49.0, -14.0)


def test_an_operand_that_was_not_selected_has_no_tangent():
    assert type(maximum(Dual(1.0, math.inf), 2.0)) is float
    assert maximum(Dual(1.0, math.nan), Dual(2.0, 1.0)).tangent == 1.0


# jvp


def test_jvp_gives_the_value_and_the_derivative_along_the_tangents():
    value, tangent = jvp(lambda x, y: exp(x) * sin(y), (0.5, 0.25), (2.0, -1.0))
    assert value == math.exp(0.5) * math.sin(0.25)
    expected = math.exp(0.5) * (2.0 * math.sin(0.25) - math.cos(0.25))
    assert tangent == pytest.approx(expected, rel=1e-15)


def test_a_result_that_does_not_depend_on_the_direction_has_rate_0_whatever_else_moves():
    def outer(x):
        return jvp(lambda _: x * x, (5.0,), (1.0,))

    assert jvp(outer, (3.0,), (1.0,)) == ((9.0, 0.0), (6.0, 0.0))


def test_grad_at_a_dual_made_by_hand_is_the_dual_of_the_gradient():
    slope = grad(lambda x: x * x * x)(Dual(3.0, 1.0))
    assert (slope.primal, slope.tangent) == (27.0, 18.0)


def test_jvp_is_linear_in_the_tangents():
    def f(x, y):
        return [x * y, tanh(x)]

    _, a = jvp(f, (0.5, 2.0), (1.0, 0.0))
    _, b = jvp(f, (0.5, 2.0), (0.0, 1.0))
    _, both = jvp(f, (0.5, 2.0), (4.0, 8.0))
    assert both == [4.0 * p + 8.0 * q for p, q in zip(a, b, strict=True)]


STRUCTURES = [
    (lambda x: x * x, 3, 2, (9.0, 12.0)),
    (lambda p: {"b": p["a"][0] + 1}, {"a": [1, 2]}, {"a": [3, 4]}, ({"b": 2.0}, {"b": 3.0})),
    (lambda p: Pair(p.b, p.a * p.b), Pair(2, 3), Pair(1, 1), (Pair(3.0, 6.0), Pair(1.0, 5.0))),
    (lambda p: (p[0], [1.0, p[1]]), (2.0, 3.0), (1.0, 5.0), ((2.0, [1.0, 3.0]), (1.0, [0.0, 5.0]))),
    (lambda _: 4, 1.0, 1.0, (4.0, 0.0)),
    (lambda p: p, [], [], ([], [])),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x", "t", "expected"), STRUCTURES)
def test_value_and_tangent_mirror_the_structure_of_the_result(f, x, t, expected):
    actual = jvp(f, (x,), (t,))
    assert actual == expected
    assert [*map(type, actual)] == [*map(type, expected)]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_arrays_of_any_shape_keep_it(shape):
    x = np.full(shape, 3.0)
    value, tangent = jvp(lambda x: np.multiply(x, x, dtype=object), (x,), (np.full(shape, 6.0),))
    for actual, expected in ((value, 9.0), (tangent, 36.0)):
        assert np.shape(actual) == shape
        assert np.all(np.asarray(actual) == expected)


def test_an_input_whose_tangent_is_0_is_a_constant():
    """So 0 times an infinite partial does not arise."""
    seen = []
    jvp(lambda x, y: seen.append((x, y)) or x * y, (2.0, 3.0), (0.0, 1.0))
    assert not isinstance(seen[0][0], Dual)
    assert jvp(lambda x, y: sqrt(x) + y, (0.0, 1.0), (0.0, 1.0)) == (1.0, 1.0)


def test_arguments_and_tangents_may_be_values_and_results_are_recorded():
    x, t = Value(3.0), Value(2.0)
    value, tangent = jvp(lambda x: x * x, (x,), (t,))
    assert (value.data, tangent.data) == (9.0, 12.0)
    tangent.backward()
    assert (x.grad, t.grad) == (4.0, 6.0)


def test_closed_over_values_are_constants():
    a = Value(3.0)
    for f in (lambda x: a * x, lambda x: [a, a * a * x][1], lambda _: a):
        for result in jvp(f, (2.0,), (1.0,)):
            assert type(result) is float
    assert jvp(lambda x: a * a * x, (2.0,), (1.0,)) == (18.0, 9.0)
    assert a.grad == 0.0


def test_a_dot_of_duals_and_constants_has_the_tangent_of_its_terms():
    _, tangent = jvp(lambda xs: dot(xs, [2.0, xs[0]], 1.0), ([3.0, 5.0],), ([1.0, 10.0],))
    assert tangent == 2.0 + 5.0 + 30.0


def test_a_branch_on_a_dual_follows_its_primal():
    def f(x):
        return log(x) if x > 0 else x

    assert jvp(f, (2.0,), (1.0,)) == (math.log(2.0), 0.5)
    assert jvp(f, (-2.0,), (1.0,)) == (-2.0, 1.0)


def test_jvp_in_a_trace_is_part_of_the_program():
    program = trace(lambda x, t: jvp(lambda x: x * x * x, (x,), (t,)), 0.0, 0.0)
    assert program(2.0, 3.0) == (8.0, 36.0)


@pytest.mark.parametrize(
    ("args", "tangents", "message"),
    [
        (2.0, (1.0,), r"expected a tuple as args, got float; write \(x,\)"),
        ((2.0,), 1.0, r"expected a tuple as tangents, got float"),
        ((2.0,), (1.0, 2.0), r"tangents: expected the structure \(\.,\), got \(\., \.\)"),
        (([2.0],), ((1.0,),), r"tangents: expected the structure \(\[\.\],\), got \(\(\.,\),\)"),
        (("2",), (1.0,), r"args\[0\]: expected a number .* got str '2'"),
        ((2.0,), (None,), r"tangents\[0\]: expected a number .* got NoneType None"),
    ],
)
def test_wrong_arguments_and_tangents_are_named(args, tangents, message):
    with pytest.raises(TypeError, match=message):
        jvp(lambda x: x, args, tangents)


@pytest.mark.parametrize("result", ["x", None, {1.0}, lambda x: x], ids=lambda x: type(x).__name__)
def test_a_result_that_is_no_structure_of_numbers_is_named(result):
    with pytest.raises(TypeError, match=f"f's result: expected a number .*{type(result).__name__}"):
        jvp(lambda _: result, (1.0,), (1.0,))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: x[0].square() * x[1].square(), [1.0, 2.0], [8.0, 4.0]),
        (lambda x: x[0] + 1.0 / x[1], [1.0, 0.0], [1.0, -math.inf]),
        (lambda x: x[0] * x[1] ** 2.0, [1.0, -1.0], [1.0, -2.0]),
    ],
)
def test_inputs_that_do_not_move_are_numbers_of_the_engine_too(f, x, expected):
    assert jacobian_forward(f)(x) == expected


def test_a_dot_of_values_and_duals_moves_with_the_duals():
    weights = [Value(2.0), Value(3.0)]

    def f(a, b):
        return dot(weights, [Value(5.0), a], b)

    assert jvp(f, (7.0, 1.0), (1.0, 0.0)) == (32.0, 3.0)
    assert jvp(f, (7.0, 1.0), (0.0, 1.0)) == (32.0, 1.0)
    assert jvp(lambda w: dot([weights[0], w], [1.0, 4.0]), (3.0,), (1.0,)) == (14.0, 4.0)
    with pytest.raises(AttributeError, match="a Dual has no data"):
        jvp(lambda x: x * x.data, (1.0,), (1.0,))
