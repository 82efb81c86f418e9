"""gradients: recorded, to be differentiated again; nothing is touched and nothing stale is used."""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path

import pytest

from autograd import (
    Value,
    exp,
    grad,
    gradients,
    jvp,
    log,
    maximum,
    no_grad,
    relu,
    sin,
    tanh,
    trace,
    where,
)
from autograd.backward import cotangents, graph
from autograd.modes import under_way
from autograd.primitives import TABLE, Reduction, times

sys.path.insert(0, str(Path(__file__).parent))
from expressions import ROWS, points_of, same_bits

HAVE_PARTIALS = [row for row in ROWS if row.partials]


def test_gradients_are_values_that_can_be_differentiated_again():
    x = Value(2.0)
    first, expected = x**5, [80.0, 160.0, 240.0, 240.0, 120.0, 0.0]
    for derivative in expected:
        (first,) = gradients(first, [x])
        assert type(first) is Value
        assert first.data == derivative


def test_backward_through_gradients_gives_second_derivatives():
    x, y = Value(2.0), Value(3.0)
    by_x, by_y = gradients(x * x * y, [x, y])
    (10.0 * by_x + by_y).backward()
    assert (x.grad, y.grad) == (10.0 * 2.0 * 3.0 + 2.0 * 2.0, 10.0 * 2.0 * 2.0)


def test_no_grad_of_any_node_changes():
    x, y = Value(2.0), Value(3.0)
    z = tanh(x * y) + exp(x)
    for node in graph(z):
        node.grad = 0.125
    found = gradients(z, [x, y])
    gradients(found[0], [x, y])
    assert {node.grad for node in graph(z)} == {0.125}


def test_what_a_value_does_not_depend_on_has_gradient_0():
    x, other = Value(2.0), Value(3.0)
    (g,) = gradients(x * x, [other])
    assert (type(g), g.data, g.operands) == (Value, 0.0, ())
    assert gradients(x * x, []) == []


def test_a_value_has_gradient_1_by_itself():
    x = Value(2.0)
    assert [g.data for g in gradients(x, [x])] == [1.0]
    y = x * x
    assert [g.data for g in gradients(y, (y, x))] == [1.0, 0.0]


def test_an_input_may_be_computed_and_counts_as_a_variable_of_its_own():
    x = Value(3.0)
    square = x * x
    z = square * x
    assert [g.data for g in gradients(z, [square])] == [3.0]
    assert [g.data for g in gradients(z, [square, x])] == [3.0, 9.0]
    assert [g.data for g in gradients(z, [x])] == [27.0]


def test_an_input_given_twice_gets_its_gradient_twice():
    x = Value(3.0)
    assert [g.data for g in gradients(x * x, [x, x])] == [6.0, 6.0]


def test_an_operand_used_twice_gets_both_contributions():
    x = Value(3.0)
    assert [g.data for g in gradients(x + x, [x])] == [2.0]


def test_a_chain_of_100_000_nodes_needs_no_recursion():
    x = y = Value(1.0)
    for _ in range(100_000):
        y = y + x
    (g,) = gradients(y, [x])
    assert g.data == 100_001.0


def test_a_diamond_of_2_to_the_200_paths_is_swept_once():
    x = y = Value(1.0)
    for _ in range(200):
        y = y + y
    (g,) = gradients(y, [x])
    assert g.data == 2.0**200


def test_inside_no_grad_gradients_are_leaves():
    x = Value(3.0)
    z = x * x * x
    with no_grad():
        (g,) = gradients(z, [x])
    assert (g.data, g.operands) == (27.0, ())


def test_gradients_inside_jvp_are_moved_along():
    """Values inside, a Dual outside: the derivative of a gradient along a tangent."""
    x = Value(3.0)
    (g,) = gradients(sin(x) * x, [x])
    (second,) = gradients(g, [x])
    _, tangent = jvp(lambda t: math.cos(t) * t + sin(t), (3.0,), (1.0,))
    assert tangent == pytest.approx(math.cos(3.0) + math.cos(3.0), rel=1e-15)
    assert second.data == pytest.approx(2.0 * math.cos(3.0) - 3.0 * math.sin(3.0), rel=1e-15)


# What the plain sweep gives

CHOOSING = [
    TABLE[name] for name in ("where", "maximum", "minimum", "clip", "relu", "times", "less")
]
OTHERS = [TABLE[name] for name in ("add", "sub", "mul", "neg", "tanh", "hypot", "sum", "dot")]
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 0.1, 3.3, 5e-324, 1e200, math.inf, math.nan)


def random_function(rng, size=20):
    """A function of a list: rows, many of which choose, whose operands are used again and again."""
    steps, count = [], 3
    for _ in range(size):
        row = rng.choice(rng.choice([CHOOSING, OTHERS]))
        arity = 5 if isinstance(row, Reduction) else len(row.operand_names)
        places = [rng.randrange(max(0, count - 6), count) for _ in range(arity)]
        steps.append((row, [rng.choice(NUMBERS) if rng.random() < 0.1 else i for i in places]))
        count += 1

    def f(xs):
        numbers = [*xs]
        for row, operands in steps:
            numbers.append(row.bind([numbers[x] if type(x) is int else x for x in operands]))
        return numbers[-1]

    return f


@pytest.mark.parametrize("seed", range(60))
def test_recorded_and_traced_gradients_are_those_of_backward_bit_for_bit(seed):
    rng = random.Random(seed)
    f = random_function(rng)
    program = trace(grad(f), [0.0] * 3)
    for _ in range(8):
        leaves = [Value(rng.choice(NUMBERS)) for _ in range(3)]
        data = [leaf.data for leaf in leaves]
        z = f(leaves)
        expected = grad(f)(data)
        assert same_bits(program(data), expected)
        if isinstance(z, Value):
            z.backward()
            assert same_bits([leaf.grad for leaf in leaves], [0.0 + g for g in expected])
            assert same_bits([g.data for g in gradients(z, leaves)], expected)
            computed = [(node, g) for node, g in cotangents(z).items() if node.primitive]
            for node, g in computed[:3]:
                assert same_bits([x.data for x in gradients(z, [node])], [g])


def test_a_sum_is_added_up_in_the_same_order_whatever_is_selected():
    def f(xs):
        u = xs[0] * 0.1
        return u + xs[0] * 0.7 + xs[0] * 0.3 + where(xs[1] > 0.0, 0.0, relu(u))

    program = trace(grad(f), [0.0] * 2)
    for point in ([1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]):
        assert same_bits(program(point), grad(f)(point))
    assert grad(f)([1.0, 1.0]) == [0.7 + 0.3 + 0.1, 0.0] != [0.1 + 0.7 + 0.3, 0.0]


def test_nothing_from_times_0_changes_no_zeros_sign():
    def f(xs):
        return times(xs[0], xs[1]) + -0.0 * xs[0]

    for point in ([2.0, 0.0], [0.0, 2.0], [0.0, 0.0], [math.inf, 0.0], [-2.0, -0.0]):
        expected = grad(f)(point)
        assert same_bits(trace(grad(f), point)(point), expected)
        leaves = [*map(Value, point)]
        recorded = gradients(f(leaves), leaves)
        assert same_bits([g.data for g in recorded], expected)
        if math.isfinite(point[0]):  # though nothing flows, the derivative of nothing does
            assert gradients(recorded[0], leaves)[1].data == 1.0


# What was changed since it was recorded


def recorded_and_changed(row, changed):
    """The row at a point, and its operands of which one has changed since; whether that matters."""
    operands = [*map(Value, [*points_of(row)][-1])]
    z = row.bind(operands)
    operands[changed].data = 0.75 * operands[changed].data + 0.0625
    again = row.bind(operands)
    return z, operands, (again.data, again.partials) != (z.data, z.partials)


@pytest.mark.parametrize("row", HAVE_PARTIALS, ids=lambda row: row.name)
def test_an_operand_that_was_changed_is_an_error_wherever_it_makes_a_difference(row):
    for changed in range(len([*points_of(row)][-1])):
        z, operands, matters = recorded_and_changed(row, changed)
        if matters:
            with pytest.raises(RuntimeError, match=f"{row.name} or of an operand was changed"):
                gradients(z, operands)
        else:
            assert [g.data for g in gradients(z, operands)] == [*z.partials]


def test_the_error_says_what_was_and_is():
    x, y = Value(2.0), Value(3.0)
    z = x * y
    y.data = 4.0
    expected = r"mul or .* its result was 6\.0, now it is 8\.0; compute it again"
    with pytest.raises(RuntimeError, match=expected):
        gradients(z, [x])
    x.data, y.data = 3.0, 2.0
    expected = r"mul or .* its partial 1 was 3\.0, now it is 2\.0; compute it again"
    with pytest.raises(RuntimeError, match=expected):
        gradients(z, [x])


def test_a_result_that_was_changed_is_an_error_too():
    x = Value(2.0)
    y = exp(x)
    y.data = 1.0
    with pytest.raises(RuntimeError, match="exp or of an operand was changed"):
        gradients(y, [x])


def test_a_change_that_selects_another_operand_is_an_error():
    x, y = Value(2.0), Value(1.0)
    z = maximum(x, y)
    y.data = 3.0
    with pytest.raises(RuntimeError, match="maximum or of an operand was changed"):
        gradients(z, [x, y])


def test_a_change_elsewhere_is_none():
    x, y = Value(2.0), Value(1.0)
    z, _ = x * x, x * y
    y.data = 3.0
    assert [g.data for g in gradients(z, [x])] == [4.0]


def test_nan_partials_are_not_taken_for_changed():
    x = Value(-1.0)
    (g,) = gradients(log(x), [x])
    assert math.isnan(g.data)


def test_an_unselected_branch_is_not_recorded():
    x, bad = Value(1.0), Value(math.nan)
    by_x, by_bad = gradients(where(True, x * x, bad * bad), [x, bad])
    assert (by_x.data, by_bad.data, by_bad.operands) == (2.0, 0.0, ())


# Wrong types


@pytest.mark.parametrize(
    ("value", "inputs", "message"),
    [
        (1.0, [Value(1.0)], "expected a Value as value, got float 1.0"),
        (Value(1.0), [2.0], r"expected a Value as inputs\[0\], got float 2.0"),
        (Value(1.0), [Value(2.0), "x"], r"expected a Value as inputs\[1\], got str 'x'"),
        (Value(1.0), Value(2.0), r"expected a list of Values, got Value"),
        ([Value(1.0)], [Value(2.0)], "expected a Value as value, got list"),
    ],
)
def test_what_is_no_value_is_named(value, inputs, message):
    with pytest.raises(TypeError, match=message):
        gradients(value, inputs)


def test_no_derivative_is_under_way_outside_of_one():
    assert under_way() is False


@pytest.mark.parametrize(
    "loss",
    [
        lambda w: w.relu() * w,
        lambda w: where(w > 0.0, w * w, 0.0),
        lambda w: tanh(w) ** 2,
        lambda w: maximum(w, 0.5 * w) * w,
    ],
)
def test_gradients_inside_a_trace_are_part_of_it(loss):
    w = Value(1.5)
    program = trace(lambda x: x * gradients(loss(w), [w])[0], 1.0)
    for data in (1.5, 0.25):
        w.data = data
        assert program(2.0) == 2.0 * gradients(loss(w), [w])[0].data
