"""grad, vjp, jacobian, hessian, hvp, linearize: structures, arguments, what they leave alone."""

from __future__ import annotations

import itertools
import math
import struct
import threading
from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize

from autograd import (
    Value,
    clip,
    detect_anomaly,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jacobian_forward,
    jacobian_reverse,
    jvp,
    linearize,
    log,
    maximum,
    minimum,
    no_grad,
    relu,
    sin,
    sqrt,
    sum,
    tanh,
    trace,
    value_and_grad,
    vjp,
    where,
)
from autograd.primitives import gaussian, times

JACOBIANS = [jacobian, jacobian_forward, jacobian_reverse]
jacobians = pytest.mark.parametrize("mode", JACOBIANS, ids=lambda mode: mode.__name__)


class Pair(NamedTuple):
    a: object
    b: object


def cube(x):
    return x * x * x


# Each of these gives the derivative of a function of one number

DERIVATIVES = {
    "grad": grad,
    "value_and_grad": lambda f: lambda x: value_and_grad(f)(x)[1],
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "jacobian": jacobian,
    "jacobian_forward": jacobian_forward,
    "jacobian_reverse": jacobian_reverse,
}
SECOND_DERIVATIVES = {
    "hessian": hessian,
    "hvp": lambda f: lambda x: hvp(f, x, 1.0),
    **{
        f"{outer} of {inner}": lambda f, a=a, b=b: a(b(f))
        for (outer, a), (inner, b) in itertools.product(DERIVATIVES.items(), repeat=2)
    },
}
EVERY = {**DERIVATIVES, **SECOND_DERIVATIVES}
every = pytest.mark.parametrize("name", EVERY)


@every
def test_derivatives_compose_with_each_other_and_with_themselves(name):
    order = 1 if name in DERIVATIVES else 2
    assert EVERY[name](lambda x: x**5)(2.0) == [80.0, 160.0][order - 1]


@every
def test_floats_in_floats_out(name):
    for x in (2.0, 2, True, np.float64(2.0), np.int32(2)):
        assert type(EVERY[name](cube)(x)) is float


@every
def test_a_value_in_a_recorded_value_out(name):
    x = Value(2.0)
    answer = EVERY[name](lambda x: x**5)(x)
    answer.backward()
    assert x.grad == ([160.0, 240.0][name not in DERIVATIVES])


@every
def test_no_grad_of_any_value_is_read_or_changed(name):
    x, a = Value(2.0), Value(3.0)
    x.grad = a.grad = 0.125
    EVERY[name](lambda y: cube(y) * a)(2.0)
    EVERY[name](lambda y: cube(y) * a)(x)
    assert x.grad == a.grad == 0.125


@every
def test_values_that_are_closed_over_are_constants(name):
    a = Value(3.0)
    answer = EVERY[name](lambda x: a * cube(x) + a * a)(2.0)
    assert type(answer) is float
    assert answer == 36.0
    assert EVERY[name](lambda _: a * a)(2.0) == 0.0


@every
def test_a_constant_function_has_derivative_0(name):
    assert EVERY[name](lambda _: 4.0)(2.0) == 0.0
    assert EVERY[name](lambda _: 4)(Value(2.0)) == 0.0


@every
def test_inside_no_grad_derivatives_are_what_they_are_outside(name):
    with no_grad():
        assert EVERY[name](cube)(2.0) == 12.0
        assert EVERY[name](cube)(Value(2.0)) == 12.0
        assert (Value(1.0) + 1.0).operands == ()


@every
def test_inside_detect_anomaly_derivatives_are_what_they_are_outside(name):
    with detect_anomaly():
        assert EVERY[name](cube)(2.0) == 12.0
        assert EVERY[name](lambda x: where(x > 0, cube(x), 1.0))(2.0) == 12.0


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "vjp", "jacobian", "jacobian_reverse"])
def test_detect_anomaly_names_what_gave_the_first_infinity(name):
    with detect_anomaly():
        with pytest.raises(FloatingPointError, match=r"log gave -inf from 0\.0, at line \d+ of .*"):
            EVERY[name](log)(0.0)
        with pytest.raises(FloatingPointError, match=r"cotangent of 0\.0 through sqrt is inf"):
            EVERY[name](sqrt)(0.0)


@every
def test_an_exception_in_the_function_leaves_nothing_behind(name):
    def fails(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        EVERY[name](fails)(2.0)
    assert type(grad(cube)(2.0)) is float
    assert (Value(1.0) + 1.0).operands


def in_threads(works):
    """What each work gave, all of them run at once; raise what any of them raised."""
    results, errors = [None] * len(works), []

    def run(i, work):
        try:
            results[i] = work()
        except BaseException as error:  # noqa: BLE001  to be raised where the test is
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def test_threads_do_not_disturb_each_other():
    """Traces, derivatives of every kind, branches and blocks, at once and many times."""
    barrier = threading.Barrier(8)

    def branching(x):
        return cube(x) if x > 0 else x

    def blocked(x):
        with no_grad():
            return grad(cube)(x)

    def work(job):
        barrier.wait()
        return [job() for _ in range(60)]

    jobs = [
        lambda: grad(branching)(2.0),
        lambda: trace(grad(cube), 0.0)(2.0),
        lambda: jvp(branching, (2.0,), (1.0,))[1],
        lambda: blocked(2.0),
        lambda: hessian(branching)(2.0),
        lambda: jvp(grad(branching), (2.0,), (1.0,))[1],
        lambda: trace(hessian(cube), 0.0)(2.0),
        lambda: grad(grad(branching))(2.0),
    ]
    for answers in in_threads([lambda job=job: work(job) for job in jobs]):
        assert answers == [12.0] * 60


# Derivatives along a direction


def along(f, x):
    """The derivative of f at x, by jvp."""
    return jvp(f, (x,), (1.0,))[1]


def test_derivatives_taken_along_a_direction_are_computed_with_further():
    for first in (grad, jacobian, jacobian_reverse, lambda f: lambda x: vjp(f, x)[1](1.0)[0]):
        assert (
            along(lambda x, d=first: 5.0 * d(cube)(x) + d(cube)(x) ** 2, 2.0) == 5.0 * 12.0 + 288.0
        )


def test_a_derivative_that_is_0_only_here_moves_along_a_direction():
    assert jvp(lambda a: grad(lambda x: times(a, x))(3.0), (0.0,), (2.0,)) == (0.0, 2.0)
    assert jvp(lambda a: 5.0 * grad(lambda x: times(a, x))(3.0), (0.0,), (2.0,)) == (0.0, 10.0)


def test_gradients_by_arguments_of_which_only_one_moves_along_a_direction():
    def by_both(x, y):
        return grad(lambda x, y: x**2 * y**3, (0, 1))(x, y)

    assert along(lambda x: by_both(x, 3.0), 2.0) == (54.0, 108.0)
    assert along(lambda y: by_both(2.0, y), 3.0) == (108.0, 72.0)
    assert along(lambda x: along(lambda y: by_both(x, y), 3.0), 2.0) == (54.0, 72.0)
    assert along(lambda y: along(lambda x: by_both(x, y), 2.0), 3.0) == (54.0, 72.0)
    assert along(lambda x: along(lambda y: 5.0 * by_both(x, y)[0], 3.0), 2.0) == 270.0


def test_a_result_that_does_not_move_along_a_direction_has_a_gradient_that_does_not():
    def by_both(x, y):
        return grad(lambda x, _: cube(x), (0, 1))(x, y)

    assert jvp(lambda y: by_both(2.0, y), (3.0,), (1.0,)) == ((12.0, 0.0), (0.0, 0.0))
    assert along(lambda x: along(lambda y: by_both(x, y), 3.0), 2.0) == (0.0, 0.0)
    assert along(lambda x: jvp(lambda y: by_both(x, y), (3.0,), (1.0,))[0], 2.0) == (12.0, 0.0)


# Structures of arguments


def of_structure(p):
    return p["x"][0] * p["t"][1] + p["pair"].a ** 2 * p["pair"].b


STRUCTURE = {"x": [1, 2.0], "t": (3, True), "pair": Pair(2, 3)}
GRADIENT = {"x": [1.0, 0.0], "t": (0.0, 1.0), "pair": Pair(12.0, 4.0)}


def of_the_program(f):
    return grad(trace(f, STRUCTURE))


def program_of_the_gradient(f):
    return trace(grad(f), STRUCTURE)


@pytest.mark.parametrize("mode", [grad, *JACOBIANS, of_the_program, program_of_the_gradient])
def test_the_gradient_mirrors_the_structure_of_the_argument(mode):
    actual = mode(of_structure)(STRUCTURE)
    assert actual == GRADIENT
    assert repr(actual) == repr(GRADIENT)


def test_vjp_jvp_and_linearize_mirror_structures():
    assert vjp(of_structure, STRUCTURE)[1](2.0) == (
        {"x": [2.0, 0.0], "t": (0.0, 2.0), "pair": Pair(24.0, 8.0)},
    )
    tangent = {"x": [1.0, 0.0], "t": (0.0, 0.0), "pair": Pair(1.0, 0.0)}
    assert jvp(of_structure, (STRUCTURE,), (tangent,))[1] == 13.0
    assert linearize(of_structure, STRUCTURE)[1](tangent) == 13.0
    assert hvp(of_structure, STRUCTURE, tangent)["pair"] == Pair(6.0, 4.0)


def test_the_hessian_has_in_every_place_the_structure_of_the_argument():
    second = hessian(of_structure)(STRUCTURE)
    assert second["pair"].a["pair"] == Pair(6.0, 4.0)
    assert second["x"][0] == {"x": [0.0, 0.0], "t": (0.0, 1.0), "pair": Pair(0.0, 0.0)}
    assert repr(second["t"][0]) == repr({"x": [0.0] * 2, "t": (0.0, 0.0), "pair": Pair(0.0, 0.0)})


@jacobians
def test_the_jacobian_has_the_structure_of_the_result_and_inside_that_of_the_argument(mode):
    def f(p):
        return {"sum": p[0] + p[1], "list": [p[0] * p[1], 3.0]}

    assert mode(f)((2.0, 5.0)) == {"sum": (1.0, 1.0), "list": [(5.0, 2.0), (0.0, 0.0)]}


SHAPES = [(), (1,), (3,), (2, 3), (1, 1, 2)]
EMPTY = [(0,), (2, 0, 3)]


def squares(x):
    return np.multiply(x, x, dtype=object)


def total(x):
    return sum(np.ravel(np.asarray(squares(x), dtype=object)).tolist())


@pytest.mark.parametrize("shape", SHAPES + EMPTY)
def test_an_array_in_a_float_array_of_its_shape_out(shape):
    x = np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape)
    for mode in (grad, *JACOBIANS, lambda f: trace(grad(f), x)):
        actual = mode(total)(x)
        assert (actual.shape, actual.dtype) == (shape, np.dtype(float))
        assert np.array_equal(actual, 2.0 * x)
    assert np.array_equal(hvp(total, x, x), 2.0 * x)
    assert hvp(total, x, x).shape == shape


@pytest.mark.parametrize("shape", SHAPES + EMPTY)
def test_hessians_and_jacobians_of_arrays_have_the_shapes_of_both(shape):
    x = np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape)
    expected = np.zeros(shape * 2)
    for place in np.ndindex(*shape):
        expected[place * 2] = 2.0
    assert np.array_equal(hessian(total)(x), expected)
    for mode in JACOBIANS:
        actual = mode(lambda x: np.asarray(squares(x), dtype=object))(x)
        assert (actual.shape, actual.dtype) == (shape * 2, np.dtype(float))
        assert np.array_equal(actual, expected * x)


def test_an_array_of_values_in_an_object_array_of_values_out():
    x = np.array([Value(2.0), Value(3.0)])
    for actual in (grad(total)(x), jacobian(squares)(x)[0], hessian(total)(x)[0]):
        assert (actual.shape, actual.dtype) == ((2,), np.dtype(object))
        assert {*map(type, actual)} == {Value}
    one = np.array(Value(2.0), dtype=object)
    assert jacobian(lambda x: np.array(x * x, dtype=object))(one).item().data == 4.0


def test_whole_numbers_in_an_array_are_differentiated_as_floats():
    assert grad(total)(np.array([2, 3])).tolist() == [4.0, 6.0]


def test_scipy_minimizes_with_value_and_grad():
    def rosenbrock(x):
        return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2

    found = minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="BFGS")
    assert found.x == pytest.approx([1.0, 1.0], rel=1e-4)


@jacobians
@pytest.mark.parametrize("x", [[], (), {}, np.zeros(0)], ids=repr)
def test_by_no_numbers_there_are_no_derivatives(mode, x):
    rows = mode(lambda _: [1.0, 2.0])(x)
    assert [len(row) for row in rows] == [0, 0]
    assert [type(row) for row in rows] == [type(x)] * 2


@jacobians
def test_of_no_results_there_are_no_derivatives(mode):
    assert mode(lambda _: [])(2.0) == []
    assert mode(lambda _: {"a": ()})([2.0, 3.0]) == {"a": ()}


@pytest.mark.parametrize(("outputs", "inputs"), [(1, 4), (4, 1), (3, 3), (2, 5), (5, 2)])
def test_wide_and_tall_jacobians_are_the_same_by_every_sweep(outputs, inputs):
    def f(xs):
        return [tanh(dot(xs, [0.5 * i + 0.25 * j for j in range(inputs)])) for i in range(outputs)]

    xs = [0.125 * i - 0.25 for i in range(inputs)]
    reverse = np.array(jacobian_reverse(f)(xs))
    assert reverse.shape == (outputs, inputs)
    for mode in (jacobian, jacobian_forward):
        assert np.array(mode(f)(xs)) == pytest.approx(reverse, rel=1e-14)


@pytest.mark.parametrize(("outputs", "inputs"), [(1, 3), (3, 3), (3, 1), (5, 2)])
def test_a_jacobian_is_swept_from_the_fewer_side(outputs, inputs):
    """Reverse or forward shows in the last bits: products are taken from the other end."""

    def f(xs):
        return [dot(xs, [0.3 + i + j for j in range(inputs)]) * 0.3 * 0.7 for i in range(outputs)]

    xs = [1.0] * inputs
    forward, reverse = jacobian_forward(f)(xs), jacobian_reverse(f)(xs)
    assert forward != reverse
    assert jacobian(f)(xs) == (forward if inputs < outputs else reverse)


# Which arguments


def mixed(x, y, z=2.0, *, scale=1.0):
    return x * x * y * z * scale


ARGNUMS = [
    (0, 24.0),
    (1, 8.0),
    (-1, 12.0),
    (-3, 24.0),
    ((0, 1), (24.0, 8.0)),
    ([2, 0], (12.0, 24.0)),
    ((), ()),
    ((-1,), (12.0,)),
]


@pytest.mark.parametrize(("argnums", "expected"), ARGNUMS)
@pytest.mark.parametrize("mode", [grad, *JACOBIANS], ids=lambda mode: mode.__name__)
def test_argnums_chooses_the_arguments(mode, argnums, expected):
    assert mode(mixed, argnums=argnums)(2.0, 3.0, 2.0) == expected
    assert mode(mixed, argnums)(2.0, 3.0, 2.0, scale=1.0) == expected
    if mode is grad:
        assert value_and_grad(mixed, argnums)(2.0, 3.0, 2.0) == (24.0, expected)


@pytest.mark.parametrize("mode", [grad, *JACOBIANS, hessian], ids=lambda mode: mode.__name__)
def test_a_derivative_is_by_the_first_argument_if_none_is_named(mode):
    assert mode(lambda x, y: x * x * y)(3.0, 2.0) == (4.0 if mode is hessian else 12.0)


def test_value_and_grad_is_by_the_first_argument_if_none_is_named():
    assert value_and_grad(lambda x, y: x * x * y)(3.0, 2.0) == (18.0, 12.0)


def test_argnums_chooses_blocks_of_the_hessian():
    assert hessian(mixed, argnums=1)(2.0, 3.0) == 0.0
    assert hessian(mixed, argnums=(0, 1))(2.0, 3.0) == ((12.0, 8.0), (8.0, 0.0))
    assert hessian(mixed, argnums=(-1, 0))(2.0, 3.0) == ((0.0, 8.0), (8.0, 12.0))


def test_arguments_that_are_not_chosen_and_keywords_pass_through_as_they_are():
    seen = {}

    def f(name, x, options, *, flag, rate=1.0):
        seen.update(name=name, options=options, flag=flag, rate=rate)
        return x * rate

    options = object()
    for mode in (grad, value_and_grad, *JACOBIANS, hessian):
        seen.clear()
        mode(f, argnums=1)("name", 2.0, options, flag=None, rate=3)
        assert seen == {"name": "name", "options": options, "flag": None, "rate": 3}


@pytest.mark.parametrize("argnums", [None, 1.5, [3.0], ("x",), (0.0,)])
@pytest.mark.parametrize("mode", [grad, value_and_grad, *JACOBIANS, hessian])
def test_what_is_no_position_is_refused_at_once(mode, argnums):
    said = rf"{mode.__name__}\(f, argnums\): expected a position .* got {type(argnums).__name__}"
    with pytest.raises(TypeError, match=said):
        mode(lambda x, y: x * y, argnums)


@pytest.mark.parametrize("argnums", [2, -3, (0, 5)])
@pytest.mark.parametrize("mode", [grad, value_and_grad, *JACOBIANS, hessian])
def test_an_argument_that_is_not_there_is_named(mode, argnums):
    with pytest.raises(TypeError, match="f was called with 2 positional arguments"):
        mode(mixed, argnums)(1.0, 2.0)


@pytest.mark.parametrize("argnums", [(0, 0), (1, -1)])
def test_an_argument_that_is_chosen_twice_is_refused(argnums):
    with pytest.raises(TypeError, match="an argument is named twice"):
        grad(mixed, argnums)(1.0, 2.0)


def test_functions_of_functions_keep_the_name_and_docstring():
    for mode in (grad, value_and_grad, *JACOBIANS, hessian):
        assert mode(cube).__name__ == "cube"


# vjp and linearize


def test_a_pullback_may_be_called_again_and_is_linear():
    value, pullback = vjp(lambda x, y: [x * y, x + y, 3.0], 2.0, 3.0)
    assert value == [6.0, 5.0, 3.0]
    a, b = pullback([1.0, 0.0, 9.0]), pullback([0.0, 1.0, 9.0])
    assert (a, b) == ((3.0, 2.0), (1.0, 1.0))
    assert pullback([2.0, 10.0, 0.0]) == (16.0, 14.0)


def test_a_pullback_of_values_is_recorded():
    c = Value(2.0)
    _, pullback = vjp(cube, 2.0)
    (answer,) = pullback(c)
    answer.backward()
    assert (answer.data, c.grad) == (24.0, 12.0)


def test_a_pushforward_may_be_called_again_and_runs_the_function_once():
    runs = []
    value, pushforward = linearize(lambda x, y: runs.append(1) or [x * y, sin(x), 2.0], 2.0, 3.0)
    assert value == [6.0, math.sin(2.0), 2.0]
    assert pushforward(1.0, 0.0) == [3.0, math.cos(2.0), 0.0]
    assert pushforward(0.0, 1.0) == [2.0, 0.0, 0.0]
    assert pushforward(0.0, 0.0) == [0.0, 0.0, 0.0]
    assert len(runs) == 1


def test_a_pushforward_of_values_is_recorded():
    t = Value(2.0)
    _, pushforward = linearize(cube, 2.0)
    answer = pushforward(t)
    answer.backward()
    assert (answer.data, t.grad) == (24.0, 12.0)


def test_a_pushforward_of_a_value_of_0_is_recorded():
    t = Value(0.0)
    answer = linearize(cube, 2.0)[1](t)
    answer.backward()
    assert (answer.data, t.grad) == (0.0, 12.0)


def test_a_pushforward_called_in_a_trace_hands_on_what_the_function_captured():
    w = Value(2.0)
    _, pushforward = linearize(lambda x: w * cube(x), 1.0)
    program = trace(lambda x: x * pushforward(1.0), 0.0)
    w.data = 5.0
    assert program(3.0) == 45.0


def bits(numbers):
    return ["nan" if math.isnan(x) else struct.pack("<d", x) for x in numbers]


@pytest.mark.parametrize("t", [-1.0, 0.0, 0.1, -0.3, 1e308, -1e308, math.inf, math.nan])
def test_a_pushforward_gives_the_bits_that_jvp_gives(t):
    def f(x, y):
        return [0.0 * x, x * y + x * 0.7 + y, sin(x) / y, where(x > 0.0, cube(x), sqrt(y)), -y]

    point = (0.1, 0.7)
    _, pushforward = linearize(f, *point)
    for tangents in ((t, 0.3), (0.3, t), (t, t)):
        assert bits(pushforward(*tangents)) == bits(jvp(f, point, tangents)[1])


def test_values_that_vjp_and_linearize_give_are_plain():
    a = Value(3.0)
    for mode in (
        vjp,
        linearize,
        lambda f, x: jvp(f, (x,), (1.0,)),
        lambda f, x: value_and_grad(f)(x),
    ):
        assert type(mode(lambda x: a * x, 2.0)[0]) is float


# Wrong types


@pytest.mark.parametrize("mode", [grad, value_and_grad, hessian])
def test_a_function_of_several_results_is_sent_to_jacobian(mode):
    for result, given in (([1.0, 2.0], "list of 2"), ((1.0,), "tuple of 1"), ({}, "dict of 0")):
        with pytest.raises(
            TypeError, match=f"expected f to return one number, got {given}; use ja"
        ):
            mode(lambda _, r=result: r)(1.0)


@every
def test_results_and_arguments_that_are_no_numbers_are_named(name):
    with pytest.raises(TypeError, match=r"f's result: expected a number .* got str 'x'"):
        EVERY[name](lambda _: "x")(1.0)
    with pytest.raises(TypeError, match=r"expected a number .* got str '1'"):
        EVERY[name](cube)("1")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: vjp(cube, 1.0)[1]([1.0]),
            r"pullback\(cotangent\): expected the structure \., got",
        ),
        (
            lambda: linearize(cube, 1.0)[1](1.0, 2.0),
            r"tangents: expected the structure \(\.,\), got \(\., \.\)",
        ),
        (
            lambda: hvp(total, [1.0, 2.0], [1.0]),
            r"hvp\(f, x, v\): v: expected the structure \[",
        ),
    ],
)
def test_a_direction_of_another_structure_is_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_functions_that_use_pythons_branches_follow_the_numbers():
    def f(x):
        return exp(x) if x > 1 else x

    assert (grad(f)(2.0), grad(f)(0.5), grad(grad(f))(0.5)) == (math.exp(2.0), 1.0, 0.0)


@pytest.mark.parametrize(
    "derivative",
    [
        lambda: vjp(lambda x: [x, x], 1e308)[1]([1.0, 1.0]),
        lambda: linearize(lambda x: [x, x], 1e308)[1](1.0),
        lambda: jacobian(lambda x: [x, x])(1e308),
    ],
)
def test_detect_anomaly_watches_what_the_user_wrote_and_not_how_outputs_are_gathered(derivative):
    with detect_anomaly():
        derivative()


@pytest.mark.parametrize(
    "choice",
    [
        lambda x: minimum(x, -1.0),
        lambda x: minimum(-1.0, x),
        lambda x: maximum(x, 1.0),
        lambda x: clip(x, 1.0, 2.0),
        lambda x: clip(-1.0, 0.0, x + 1.0),
        lambda x: clip(3.0, x, 1.0),
        lambda x: relu(-x),
        lambda x: where(x > 0.0, x, 1.0),
        lambda x: times(0.0, x),
    ],
)
def test_an_operand_that_is_not_chosen_contributes_0_even_if_its_own_slope_is_infinite(choice):
    assert grad(lambda x: choice(sqrt(x)))(0.0) == 0.0


@pytest.mark.parametrize("x", [27.1, -27.1])
def test_the_slope_of_a_gaussian_is_right_where_it_is_almost_0(x):
    assert grad(gaussian)(x) == -2.0 * x * gaussian(x) != 0.0
    assert hessian(gaussian)(x) == pytest.approx(
        (4.0 * x * x - 2.0) * gaussian(x), rel=1e-5, abs=1e-320
    )


def test_linearize_keeps_the_arguments_it_was_given():
    xs = [1.0, 2.0]
    _, pushforward = linearize(lambda xs: xs[0] * xs[1], xs)
    xs[0] = 100.0
    assert pushforward([0.0, 1.0]) == 1.0
    assert float(pushforward([Value(0.0), Value(1.0)])) == 1.0
