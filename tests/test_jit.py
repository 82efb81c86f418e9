"""jit: the same numbers as f and the engine, on every backend; bad input is said in one line."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import subprocess
import sys
import threading
from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import (
    Value,
    cos,
    detect_anomaly,
    dot,
    exp,
    grad,
    gradients,
    hessian,
    jacobian,
    jvp,
    log,
    no_grad,
    primitive,
    sin,
    tanh,
    trace,
    value_and_grad,
    where,
)
from nn import MLP, cross_entropy

sys.path.insert(0, str(Path(__file__).parent))
from expressions import POINTS, bits, expressions

from autograd.compiler import specialization
from autograd.compiler.interpret import Interpreted
from autograd.compiler.run import jit


class NoTargetError(RuntimeError):
    """What the machine code raises where LLVM has no target."""


@pytest.fixture(scope="module", params=["machine", "interpreted"], autouse=True)
def _backend(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specialization, "_kernels", WeakValueDictionary())
        patch.setattr(specialization, "_recent", deque(maxlen=16))
        if request.param == "machine":
            pytest.importorskip("llvmlite")
        else:
            patch.setattr(specialization, "backend", lambda: (Interpreted, NoTargetError))
        yield


@pytest.fixture
def kernels(monkeypatch):
    """The kernels that are alive, none at first."""
    alive = WeakValueDictionary()
    monkeypatch.setattr(specialization, "_kernels", alive)
    monkeypatch.setattr(specialization, "_recent", deque(maxlen=0))
    return alive


class Pair(NamedTuple):
    a: object
    b: object


def same(actual, expected):
    """The same structure and types, and the same numbers to the last bit."""
    assert type(actual) is type(expected)
    if isinstance(expected, dict):
        assert [*actual] == [*expected]
        actual, expected = [*actual.values()], [*expected.values()]
    if isinstance(expected, list | tuple):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            same(one, other)
    elif isinstance(expected, np.ndarray):
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
        assert [*map(bits, actual.ravel().tolist())] == [*map(bits, expected.ravel().tolist())]
    else:
        assert bits(actual) == bits(expected)


def near(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


def row(x, i):
    """Row i of arrays in any structure."""
    if isinstance(x, dict):
        return {key: row(item, i) for key, item in x.items()}
    if isinstance(x, tuple):
        items = [row(item, i) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list) and any(isinstance(item, np.ndarray) for item in x):
        return [row(item, i) for item in x]
    x = x[i]
    return float(x) if isinstance(x, np.float64) else x


def lists(x):
    """A structure with lists for arrays."""
    if isinstance(x, dict):
        return {key: lists(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        items = [*map(lists, x)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return x.tolist() if isinstance(x, np.ndarray) else x


def eagerly(f, parameters, *arrays):
    """The mean of f over the rows and its gradient, by the engine, row after row."""
    for parameter in parameters:
        parameter.grad = 0.0
    count = len(arrays[0])
    total = 0.0
    for args in zip(*arrays, strict=True):
        loss = f(*args)
        total += float(loss)
        if isinstance(loss, Value):
            loss.backward(1.0 / count)
    gradient = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = 0.0
    return total / count, gradient


GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(5, 3))
Y = GENERATOR.normal(size=5)
DATA = {"xs": X, "pair": (Y, X[:, 1:].copy())}


# One evaluation


STRUCTURES = {
    "number": (lambda x: x * x, (3.0,)),
    "numbers": (lambda x, y: x * y - y, (3.0, -2.0)),
    "nothing": (lambda: [1.0, 2], ()),
    "list": (lambda xs: [xs[1], xs[0] * 2.0, 5], ([1.0, 2.0],)),
    "ints": (lambda x, y: x * y, (3, True)),
    "no numbers": (lambda xs, x: [xs, x], ([], 2.0)),
    "tuple": (lambda p: (p[0] * p[1], (p[0],)), ((1.0, 2.0),)),
    "named tuple": (lambda p: Pair(p.a * p.b, [p.a]), (Pair(3.0, 2.0),)),
    "dict": (lambda d: {"s": d["a"] + d["b"][0], 1: d["a"]}, ({"a": 1.0, "b": [2.0]},)),
    "array": (lambda x: x[0] * x[1], (np.array([2.0, 3.0]),)),
    "array to array": (lambda x: x * x, (np.array([[2.0, 3.0]]),)),
    "array and number": (lambda x, y: (x * y, [y]), (np.array([2.0, 3.0]), 0.5)),
    "list and number": (lambda xs, y: [xs[0] * y, y], ([2.0, 3.0], 0.5)),
    "array of no axis": (lambda x: x, (np.array(2.0),)),
    "empty array": (lambda x: x * 2.0, (np.empty((0, 2)),)),
    "numpy number": (lambda x: x * 2.0, (np.float64(2.0),)),
    "constant": (lambda _: 2, (1.0,)),
    "nothing out": (lambda _: [], (1.0,)),
    "the same twice": (lambda x: [x, x, x * 1.0], (-0.0,)),
}


@pytest.mark.parametrize(("f", "args"), STRUCTURES.values(), ids=STRUCTURES)
def test_a_call_gives_what_the_program_gives(f, args):
    expected = trace(f, *args)(*args)
    compiled = jit(f, precise=True)
    for _ in range(3):  # the second call of a structure takes a shorter way
        same(compiled(*args), expected)


@pytest.mark.parametrize(
    "kind", ["float32", "int16", "bool", ">f8", "fortran", "strided", "frozen"]
)
def test_arrays_of_every_kind_are_converted(kind):
    x = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    array = {
        "fortran": np.asfortranarray,
        "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        "frozen": np.copy,
    }.get(kind, operator.methodcaller("astype", kind))(x)
    array.setflags(write=False)
    compiled = jit(lambda x: x[0] * 2.0 + x[1])
    assert compiled.map(array).tolist() == [1.0, 3.0, 0.0]
    assert [compiled(r) for r in array] == [1.0, 3.0, 0.0]
    whole = jit(lambda x: x * 2.0)
    for _ in range(2):
        assert (whole(array) == x * 2.0).all()
        assert (whole.map(array) == x * 2.0).all()


def test_real_numbers_of_every_kind_are_converted():
    numbers = [Fraction(1, 2), Decimal(2), 3, True, 10**400, np.float32(0.25)]
    expected = [1.0, 4.0, 6.0, 2.0, math.inf, 0.5]
    compiled = jit(lambda x: x * 2.0)
    assert compiled.map(numbers).tolist() == [*map(compiled, numbers)] == expected


def test_an_array_that_was_pickled_is_an_array():
    x = pickle.loads(pickle.dumps(X))
    compiled = jit(lambda x: x[0] * x[1])
    assert compiled.map(x).tolist() == near((X[:, 0] * X[:, 1]).tolist())
    assert compiled(x[0]) == near(X[0, 0] * X[0, 1])


def test_a_result_is_the_callers_own():
    compiled = jit(lambda x: x * 2.0)
    x = np.array([1.0, 2.0])
    first = compiled(x)
    first[:] = 0.0
    assert compiled(x).tolist() == [2.0, 4.0]
    assert x.tolist() == [1.0, 2.0]


def test_f_is_run_once_for_each_structure():
    runs = []
    compiled = jit(lambda x: runs.append(x) or x)
    for x in (1.0, 2, np.float64(3.0), Value(4.0), [1.0, 2.0], [3, 4], (1.0, 2.0), np.ones(2)):
        compiled(x)
        compiled(x)
    assert len(runs) == 4
    assert repr(compiled) == "<jit of <lambda>, for 4 structures of arguments>"
    compiled.map(np.ones((3, 2)))
    compiled.map(np.ones((7, 2)))
    compiled.map([1.0, 2.0])
    assert len(runs) == 4
    compiled.map(np.ones((3, 4)))
    assert len(runs) == 5


@pytest.mark.parametrize("keys", [(1, True), (1, 1.0), (0, False)])
def test_keys_that_are_equal_and_of_other_types_are_other_structures(keys):
    compiled = jit(lambda x: {key: isinstance(key, bool) * item for key, item in x.items()})
    for key in keys:
        result = compiled({key: 3.0})
        assert [*map(type, result)] == [type(key)]
        assert result == {key: 3.0 * isinstance(key, bool)}


def test_shapes_differ_and_f_says_what_it_cannot_take():
    compiled = jit(lambda xs: dot(xs, [1.0, 2.0]))
    assert compiled([1.0, 2.0]) == 5.0
    with pytest.raises(ValueError, match="dot"):
        compiled([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="dot"):
        compiled.map(np.ones((2, 3)))
    assert compiled([1.0, 2.0]) == 5.0


def test_the_name_and_the_words_of_f_are_kept():
    def loss(x):
        """What is lost."""
        return x

    compiled = jit(loss)
    assert (compiled.__name__, compiled.__doc__) == ("loss", "What is lost.")
    assert compiled.__wrapped__ is loss
    assert repr(compiled) == "<jit of loss, for 0 structures of arguments>"
    assert str(trace(compiled, 1.0)).startswith("v0 = x\n")
    model = MLP(1, [1])
    assert repr(jit(model)).startswith("<jit of MLP,")
    assert vars(jit(model)).keys().isdisjoint(vars(model))


# Batches


MAPPED = {
    "number": (lambda x: x * x, (Y,)),
    "numbers": (lambda x, y: x * y - y, (Y, Y * 2.0)),
    "array": (lambda x: x[0] * x[1], (X,)),
    "array to array": (lambda x: x * x, (X,)),
    "array and number": (lambda x, y: (x * y, [y, 1.0]), (X, Y)),
    "matrix": (lambda x: x @ x, (GENERATOR.normal(size=(4, 2, 2)),)),
    "tuple": (lambda p: (p[0] * p[1][0], (p[0],)), ((Y, X),)),
    "named tuple": (lambda p: Pair(p.a * 2.0, [p.b, p.a]), (Pair(Y, Y),)),
    "list of arrays": (lambda p: p[0] * p[1][0], ([Y, X],)),
    "dict": (lambda d: {"s": d["xs"][0] * d["pair"][0], "t": [d["pair"][1]]}, (DATA,)),
    "lists": (lambda x: [x[0] * x[1], x[1]], (X.tolist(),)),
    "lists of lists": (lambda x: [x, [x[1], x[0]]], ([[[1.0, 2.0]] * 2] * 3,)),
    "mixed lists": (lambda x: [x[0], [x[1], x[2]]], (X,)),
    "constant": (lambda _: [2, 0.5], (Y,)),
    "nothing out": (lambda _: [], (Y,)),
    "no columns": (lambda x: x * 1.0, (np.empty((3, 0)),)),
}


@pytest.mark.parametrize(("f", "arrays"), MAPPED.values(), ids=MAPPED)
def test_row_i_of_map_is_f_of_row_i(f, arrays):
    compiled = jit(f, precise=True)
    for _ in range(2):  # the second call of a structure takes a shorter way
        mapped = compiled.map(*arrays)
        for i in range(3):
            expected = compiled(*(row(x, i) for x in arrays))
            assert lists(row(mapped, i)) == lists(expected)


SHAPES = [
    (lambda x: x[0], (5,)),
    (lambda x: [x[0]], (5, 1)),
    (lambda x: [[x[0], x[1]]] * 3, (5, 3, 2)),
    (lambda x: [x, x], (5, 2, 3)),
    (lambda x: x.reshape(3, 1), (5, 3, 1)),
    (lambda _: [], (5, 0)),
    (lambda _: [[], []], (5, 2, 0)),
]


@pytest.mark.parametrize(("f", "shape"), SHAPES)
def test_numbers_arrays_and_regular_lists_come_as_one_array(f, shape):
    compiled = jit(f)
    for count in (5, 0):
        found = compiled.map(X[:count])
        assert type(found) is np.ndarray
        assert (found.shape, found.dtype) == ((count, *shape[1:]), float)


def test_other_structures_come_as_structures_of_arrays():
    found = jit(lambda x: {"a": (x, [x, (x,)]), "b": [[x], [x, x]]}).map(Y)
    assert found["a"][0].shape == found["a"][1][1][0].shape == (5,)
    assert [x.shape for x in found["b"]] == [(5, 1), (5, 2)]


def test_f_is_given_what_the_caller_gave_a_row_of():
    seen = []
    compiled = jit(lambda x: seen.append(x) or x[0])
    for arrays in (X, X.tolist(), [X[:, 0], X[:, 1]], (X[:, 0], X[:, 1]), {0: X[:, 0]}):
        compiled.map(arrays)
    assert [*map(type, seen)] == [np.ndarray, list, list, tuple, dict]
    assert [*map(len, seen)] == [3, 3, 2, 2, 1]


def test_a_model_is_mapped_over_arrays_and_lists():
    model = MLP(3, [4, 2], activation="tanh")
    compiled = jit(model)
    expected = model.predict(X.tolist())
    for samples in (X, X.tolist(), X[:2], X[:0]):
        found = compiled.map(samples)
        assert found.tolist() == [near(r) for r in expected[: len(samples)]]
        assert found.shape == (len(samples), 2)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 31, 33, 100])
def test_a_batch_of_any_length_is_right_in_every_row(count):
    w = Value(0.5)
    f = jit(lambda x: tanh(w * x[0]) - x[1])
    x = np.random.default_rng(count).normal(size=(count, 2))
    assert f.map(x).tolist() == near((np.tanh(0.5 * x[:, 0]) - x[:, 1]).tolist())
    mean, gradient = f.mean_and_gradient([0.5], x)
    assert mean == near((np.tanh(0.5 * x[:, 0]) - x[:, 1]).mean())
    assert gradient.tolist() == near([(x[:, 0] / np.cosh(0.5 * x[:, 0]) ** 2).mean()])


# Parameters


def test_parameters_are_read_at_each_call_and_f_is_not_traced_again():
    runs = []
    w = Value(2.0)
    compiled = jit(lambda x: runs.append(x) or x * w)
    assert (compiled(3.0), compiled.map([1.0, 2.0]).tolist()) == (6.0, [2.0, 4.0])
    w.data = 5.0
    assert (compiled(3.0), compiled.map([1.0, 2.0]).tolist()) == (15.0, [5.0, 10.0])
    assert len(runs) == 1


def test_the_order_of_parameters_is_that_given_or_of_first_use():
    a, b, c, unused = (
        Value(x, label) for x, label in zip([2.0, 3.0, 5.0, 7.0], "abcu", strict=True)
    )

    def f(x):
        return c * x + a * b * x

    free = jit(f)
    assert free.mean_and_gradient([5.0, 2.0, 3.0], [1.0])[1].tolist() == [1.0, 3.0, 2.0]
    assert [p.label for p in free.parameters] == ["c", "a", "b"]

    listed = jit(f, iter([unused, b, c]))
    assert [p.label for p in listed.parameters] == ["u", "b", "c"]
    mean, gradient = listed.mean_and_gradient([0.0, 3.0, 5.0], [1.0])
    assert (mean, gradient.tolist()) == (11.0, [0.0, 2.0, 1.0])
    a.data = 10.0  # is read, though it is not listed
    mean, gradient = listed.mean_and_gradient([0.0, 3.0, 5.0], [1.0])
    assert (mean, gradient.tolist()) == (35.0, [0.0, 10.0, 1.0])
    assert listed(1.0) == 35.0
    listed.backward([1.0])
    assert [p.grad for p in (a, b, c, unused)] == [0.0, 10.0, 1.0, 0.0]

    fixed = jit(f, [])
    mean, gradient = fixed.mean_and_gradient([], [1.0])
    assert (mean, gradient.shape) == (35.0, (0,))


def test_captured_values_are_parameters_down_to_the_leaves():
    w, b = Value(2.0), Value(3.0)
    computed = tanh(w * b) + w
    compiled = jit(lambda x: x * computed)
    w.data = 0.5
    assert compiled(2.0) == near(2.0 * (math.tanh(1.5) + 0.5))
    compiled.backward([2.0])
    assert w.grad == near(2.0 * (3.0 / math.cosh(1.5) ** 2 + 1.0))


def test_a_captured_derivative_has_the_parameters_that_it_was_taken_at():
    w = Value(2.0)
    slope = grad(lambda v: v**3)(w)
    compiled = jit(lambda x: x * slope, [w])
    w.data = 3.0
    assert compiled(2.0) == near(2.0 * 3.0 * 3.0**2)
    compiled.backward([2.0])
    assert w.grad == near(2.0 * 6.0 * 3.0)


def test_a_program_of_parameters_alone_has_their_gradient():
    w = Value(3.0)
    compiled = jit(lambda _: w * w)
    assert compiled.backward([1.0, 2.0, 3.0]) == 9.0
    assert w.grad == near(6.0)


def test_a_constant_has_gradient_0():
    w = Value(1.0)
    compiled = jit(lambda _: 2, [w])
    assert compiled.backward([1.0, 5.0]) == near(2.0)
    assert compiled.mean_and_gradient([1.0], [1.0, 5.0])[1].tolist() == [0.0]
    assert w.grad == 0.0


def test_a_parameter_that_is_the_result_has_gradient_1():
    w = Value(3.0)
    mean, gradient = jit(lambda _: w).mean_and_gradient([2.0], [1.0, 5.0, 0.0])
    assert (mean, gradient.tolist()) == (near(2.0), near([1.0]))


# Backward


def network():
    model = MLP(3, [4, 2], activation="tanh")
    targets = np.eye(2)[[0, 1, 1, 0, 1]]
    return model.parameters(), lambda x, y: cross_entropy(model(x), y), targets


def test_backward_adds_what_the_engine_adds_row_after_row():
    parameters, loss, targets = network()
    mean, gradient = eagerly(loss, parameters, X, targets)
    for precise in (True, False):
        compiled = jit(loss, parameters, precise)
        numbers = [p.data for p in parameters]
        found = compiled.mean_and_gradient(numbers, X, targets)
        if precise:
            same(found, (mean, np.array(gradient)))
        assert found[0] == near(mean)
        assert found[1].tolist() == near(gradient)
        assert all(p.grad == 0.0 for p in parameters)
        for k in (1.0, 2.0, 3.0):
            assert compiled.backward(X, targets) == found[0]
            assert [p.grad for p in parameters] == near([k * g for g in gradient])
        for p in parameters:
            p.grad = 0.0


def test_gradients_change_all_or_none():
    a, b = Value(1.0), Value(2.0, "b")
    compiled = jit(lambda x: a * x + b, [a, b])
    b.grad = None
    with pytest.raises(TypeError, match=r"b.grad is None, not a number"):
        compiled.backward([1.0])
    assert (a.grad, b.grad) == (0.0, None)
    a.grad, b.grad = 1, np.float64(2.0)
    compiled.backward([1.0, 2.0])
    assert (a.grad, b.grad) == (2.5, 3.0)


@pytest.mark.parametrize("kind", ["float32", "int64", list, tuple])
def test_parameters_of_any_kind_of_array_are_converted(kind):
    a, b = Value(0.0), Value(0.0)
    compiled = jit(lambda x: a * x + b * b, [a, b])
    numbers = kind([2, 3]) if callable(kind) else np.array([2, 3], dtype=kind)
    mean, gradient = compiled.mean_and_gradient(numbers, np.array([1.0, 3.0]))
    assert (mean, gradient.tolist(), gradient.dtype) == (13.0, [2.0, 6.0], float)
    strided = np.array([2.0, 0.0, 3.0, 0.0])[::2]
    assert compiled.mean_and_gradient(strided, [1.0, 3.0])[1].tolist() == [2.0, 6.0]


def test_a_branch_not_selected_contributes_nothing():
    w = Value(1.0)
    compiled = jit(lambda x: where(x > 0.0, log(w * x), 0.0), [w])
    mean, gradient = compiled.mean_and_gradient([1.0], [0.0, 1.0, -1.0])
    assert (mean, gradient.tolist()) == (0.0, near([1 / 3]))


@settings(max_examples=30)
@given(f=expressions(), points=st.lists(POINTS, min_size=1, max_size=4))
def test_precise_is_the_engine_to_the_last_bit(f, points):
    ws = [Value(0.5), Value(-1.5), Value(2.0)]

    def loss(xs):
        return f([w * x for w, x in zip(ws, xs, strict=True)])

    mean, gradient = eagerly(loss, ws, points)
    compiled = jit(loss, ws, precise=True)
    assert [*map(bits, compiled.map(points).tolist())] == [bits(float(loss(p))) for p in points]
    assert bits(compiled(points[0])) == bits(float(loss(points[0])))
    found = compiled.mean_and_gradient([0.5, -1.5, 2.0], points)
    assert bits(found[0]) == bits(mean)
    assert [bits(g + 0.0) for g in found[1].tolist()] == [bits(g + 0.0) for g in gradient]


# Composition


def cubic(x):
    return x**3 - 2.0 * x


def test_derivatives_see_through_it():
    compiled = jit(cubic)
    assert grad(compiled)(2.0) == grad(cubic)(2.0) == 10.0
    assert grad(grad(compiled))(2.0) == 12.0
    assert jvp(compiled, (2.0,), (1.0,)) == (4.0, 10.0)
    assert hessian(jit(lambda x: x[0] ** 2 * x[1]))([3.0, 2.0]) == [[4.0, 6.0], [6.0, 0.0]]
    assert jacobian(jit(lambda x: x * 2.0))(np.ones(2)).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    compiled(1.0)  # and after machine code was made
    assert grad(compiled)(2.0) == 10.0
    x = Value(2.0)
    compiled(x).backward()
    assert x.grad == 10.0
    (slope,) = gradients(compiled(x), [x])
    assert slope.data == 10.0
    with no_grad():
        assert compiled(x).operands == ()


def test_it_compiles_derivatives():
    points = np.linspace(-2.0, 2.0, 9)
    expected = [grad(cubic)(x) for x in points.tolist()]
    assert jit(grad(cubic)).map(points).tolist() == near(expected)
    assert jit(grad(jit(cubic))).map(points).tolist() == near(expected)
    assert jit(grad(grad(jit(cubic))))(2.0) == near(12.0)
    value, gradient = jit(value_and_grad(lambda x: (x * x).sum())).map(X)
    assert gradient.tolist() == [near(r) for r in (2.0 * X).tolist()]
    assert value.shape == (5,)


def test_jit_in_a_trace_or_in_jit_is_part_of_it():
    w = Value(2.0)
    inner = jit(lambda x: x * w)
    assert str(trace(lambda x: inner(x) + inner(3.0), 0.0)).count("mul") == 2
    outer = jit(lambda x: inner(x) + inner(3.0))
    assert outer(1.0) == 8.0
    w.data = 5.0
    assert outer(1.0) == 20.0
    assert jit(jit(jit(cubic)))(2.0) == 4.0


def test_derivatives_flow_to_what_it_captures():
    assert grad(lambda v: jit(lambda x: v * x)(3.0))(2.0) == 3.0
    assert grad(grad(lambda v: jit(lambda x: v**3 * x)(1.0)))(2.0) == 12.0
    w = Value(2.0)
    compiled = jit(lambda x: w * x)
    compiled(1.0)
    assert grad(lambda x: compiled(x) * x)(3.0) == 12.0


def test_derivatives_flow_through_map():
    assert grad(lambda v: jit(lambda x: v * x).map(Y).sum())(2.0) == near(Y.sum())
    compiled = jit(lambda x: x[0] * x[1])
    compiled.map(X)
    found = grad(lambda x: compiled.map(x).sum())(X)
    assert found.tolist() == [[r[1], r[0], 0.0] for r in X.tolist()]
    assert jvp(lambda x: compiled.map(x)[0], (X,), (X,))[1] == near(2.0 * X[0, 0] * X[0, 1])
    x = Value(3.0)
    assert jit(sin).map([x, 1.0])[0].operands == (x,)


def test_modes_around_leave_machine_code_as_it_is():
    for block in (no_grad(), detect_anomaly()):
        w = Value(2.0)
        compiled = jit(lambda x, w=w: log(w * x + 3.25))
        with block:
            assert compiled(1.0) == near(math.log(5.25))
            assert compiled.map([1.0]).tolist() == near([math.log(5.25)])
            assert compiled.backward([1.0]) == near(math.log(5.25))
        assert w.grad == near(1 / 5.25)
        compiled.backward([1.0])
        assert w.grad == near(2 / 5.25)


def test_a_batch_in_a_trace_or_derivative_is_the_batch_outside():
    compiled = jit(lambda x: where(x > 0.125, exp(x), x))
    trace(lambda x: x * compiled.map([0.5, 0.0]).sum(), 0.0)
    assert grad(lambda x: x * compiled.map([0.5, 0.0]).sum())(1.0) == near(math.exp(0.5))
    assert compiled.map([0.5, 0.0]).tolist() == near([math.exp(0.5), 0.0])


# Primitives of the user's own


def test_a_primitive_written_in_the_engines_operations_is_compiled():
    own = primitive("jit_cube", lambda x: x * x * x, lambda _, x: 3.0 * x * x)
    w = Value(2.0)
    compiled = jit(lambda x, y: own(w * x) + y)
    assert compiled(1.0, 1.0) == near(9.0)
    assert compiled.map([1.0, 2.0], [1.0, 0.0]).tolist() == near([9.0, 64.0])
    mean, gradient = compiled.mean_and_gradient([2.0], [1.0, 2.0], [1.0, 0.0])
    assert (mean, gradient.tolist()) == (near(36.5), near([54.0]))
    assert jit(grad(own))(3.0) == near(27.0)


def test_another_primitive_is_refused_by_name():
    own = primitive("jit_c_sine", math.sin, lambda _, x: cos(x))
    with pytest.raises(TypeError, match="jit: the value of primitive 'jit_c_sine' is not written"):
        jit(lambda x: own(x) + 1.0)(2.0)


# The cache


def test_functions_that_compute_the_same_share_machine_code(kernels):
    a, b = Value(1.0, "a"), Value(2.0, "b")
    one, other = jit(lambda x: x * a), jit(lambda y: y * b)
    assert (one(3.0), other(3.0)) == (3.0, 6.0)
    assert len(kernels) == 1
    precise = jit(lambda x: x * a, precise=True)
    assert precise(3.0) == 3.0
    assert len(kernels) == 2


DIFFERENT = [
    (lambda x: x * 0.0, lambda x: x * -0.0),
    (lambda x: x * 1.0, lambda x: x * x * 1.0),
    (lambda x, _: x + 1.0, lambda x, y: x + y),
    (lambda x, _: [x, 1.0], lambda x, y: [x, y]),
    (lambda x: [x, 0.0], lambda x: [x, -0.0]),
    (lambda x: x * math.inf, lambda x: x * math.nan),
]


@pytest.mark.parametrize(("f", "g"), DIFFERENT)
def test_functions_that_compute_something_else_do_not(kernels, f, g):
    args = (3.0, 5.0)[: f.__code__.co_argcount]
    compiled = [jit(f, precise=True), jit(g, precise=True)]
    for function, fast in zip((f, g), compiled, strict=True):
        same(fast(*args), trace(function, *args)(*args))
    assert len(kernels) == 2


def test_nan_is_one_constant(kernels):
    one, other = (jit(lambda x, n=n: x * n) for n in (float("nan"), float("nan")))
    assert math.isnan(one(1.0))
    assert math.isnan(other(1.0))
    assert len(kernels) == 1


def test_machine_code_that_nobody_can_run_is_freed(kernels):
    compiled = jit(lambda x: x * 2.0)
    assert compiled(1.0) == 2.0
    assert len(kernels) == 1
    del compiled
    gc.collect()
    assert len(kernels) == 0


def test_machine_code_keeps_no_model_alive(monkeypatch):
    from weakref import ref

    monkeypatch.setattr(specialization, "_recent", deque(maxlen=16))
    w = Value(2.0)
    alive = ref(w)
    compiled = jit(lambda x, w=w: x * w)
    assert compiled.backward([1.0]) == 2.0
    del compiled, w
    gc.collect()
    assert specialization._recent
    assert alive() is None


# What was made


def test_what_was_made_is_shown():
    compiled = jit(lambda x: x * 2.0)
    for show in (compiled.report, compiled.source, compiled.llvm, lambda: compiled.parameters):
        with pytest.raises(ValueError, match="compiled nothing yet: call it on numbers first"):
            show()
    compiled.map([1.0])
    for show in (compiled.report, compiled.source, compiled.llvm):
        assert len(show()) > 10
    assert compiled.parameters == ()


def test_where_llvm_has_no_target_python_runs_and_says_so_once(monkeypatch, kernels, recwarn):
    def nowhere(_program, _precise):
        raise NoTargetError("no target for 'abacus'")

    monkeypatch.setattr(specialization, "backend", lambda: (nowhere, NoTargetError))
    specialization._warn.cache_clear()
    compiled = jit(lambda x: x * 2.5)
    expected = "jit: LLVM makes no machine code here .no target for 'abacus'.: functions run in"
    with pytest.warns(RuntimeWarning, match=expected):
        assert compiled(1.0) == 2.5
    assert jit(lambda x: x * 3.5).map([2.0]).tolist() == [7.0]
    assert len(recwarn) == 0
    assert "no machine code" in compiled.report()
    assert "mul v0 2.5" in compiled.source()
    assert "no machine code" in compiled.llvm()
    assert len(kernels) == 1


@pytest.mark.parametrize("missing", ["llvmlite", "numpy"])
def test_without_the_extra_the_error_says_what_to_install(missing):
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "try:\n    from autograd.compiler.run import jit; jit(abs)\n"
        "except ImportError as error: print(error)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "jit needs llvmlite and numpy: pip install 'glassgrad[compile]'\n"


# Threads


def test_many_threads_call_one_function():
    w = Value(0.5)
    compiled = jit(lambda x: tanh(w * x[0]) * x[1])
    start = threading.Barrier(8)
    found, errors = {}, []

    def work(i):
        try:
            start.wait(10.0)
            x = np.full((40 + i, 2), i / 8)
            for _ in range(20):
                found[i] = (compiled.map(x), compiled(x[0]), compiled.mean_and_gradient([0.5], x))
                compiled.backward(x)
        except Exception as error:  # noqa: BLE001  to be shown by the test, not by the thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    slopes = []
    for i in range(8):
        x = i / 8
        many, one, (mean, gradient) = found[i]
        expected = math.tanh(0.5 * x) * x
        assert many.tolist() == near([expected] * (40 + i))
        assert (one, mean) == (near(expected), near(expected))
        slopes.append(x * x / math.cosh(0.5 * x) ** 2)
        assert gradient.tolist() == near([slopes[-1]])
    assert w.grad == near(20.0 * math.fsum(slopes))


# Bad input

w, v = Value(1.0), Value(2.0)
NOT_ONE = "expected f to return one number, got"
BAD = [
    # what jit is given
    (lambda: jit(3.0), TypeError, r"jit\(f\): expected a function, got float 3.0"),
    (lambda: jit(None), TypeError, r"jit\(f\): expected a function, got NoneType None"),
    (lambda: jit(sin, w), TypeError, r"expected a list of Values, got Value .*parameters\(\)"),
    (lambda: jit(sin, [w, 2.0]), TypeError, r"leaf Value as parameters\[1\], got float 2.0"),
    (lambda: jit(sin, [w * v]), TypeError, r"expected a leaf Value as parameters\[0\], got Value"),
    (lambda: jit(sin, [w, v, w]), ValueError, r"parameters\[2\] is parameters\[0\] again"),
    # arguments
    (lambda: jit(cubic)(x=2.0), TypeError, "<jit of cubic, .* by position only: got x by name"),
    (lambda: jit(cubic)("a"), TypeError, "x: expected a number or a list.*, got str 'a'"),
    (lambda: jit(cubic)(None), TypeError, "x: expected a number or a list.*, got NoneType None"),
    (lambda: jit(cubic)(1j), TypeError, "x: expected a number or a list.*, got complex 1j"),
    (lambda: jit(cubic)([1.0, "b"]), TypeError, r"x\[1\]: expected a number .*, got str 'b'"),
    (lambda: jit(cubic)(np.array(["b"])), TypeError, r"x.flat\[0\]: expected .*, got str 'b'"),
    (lambda: jit(operator.add)(2.0), TypeError, "expected 2 arguments, got 1"),
    (lambda: jit(lambda x: 1.0 if x > 0 else x)(2.0), TypeError, "branched on a number, at line"),
    (lambda: jit(math.exp)(2.0), TypeError, "used a number as float, at line"),
    (lambda: jit(lambda _: "a")(2.0), TypeError, "f's result: expected a number .* str 'a'"),
    # arrays
    (lambda: jit(cubic).map(), TypeError, "map: expected at least one array"),
    (lambda: jit(cubic).map({}), TypeError, "map: expected at least one array"),
    (lambda: jit(cubic).map(3.0), TypeError, "array with a leading axis as x, got float 3.0"),
    (lambda: jit(cubic).map(np.array(3.0)), TypeError, "with a leading axis as x, got ndarray"),
    (lambda: jit(cubic).map("abc"), TypeError, "x: expected an array of numbers, got str 'abc'"),
    (lambda: jit(cubic).map(["a"]), TypeError, "x: expected an array of numbers, got one of <U1"),
    (lambda: jit(cubic).map([1j]), TypeError, "x: expected an array .*, got one of complex128"),
    (lambda: jit(cubic).map(None), TypeError, "x: expected an array of numbers, got NoneType"),
    (lambda: jit(cubic).map([1.0, None]), TypeError, "x: expected an array .*got NoneType None in"),
    (lambda: jit(cubic).map([object()]), TypeError, "x: expected an array of numbers, got object"),
    (lambda: jit(cubic).map({1.0}), TypeError, "x: expected an array of numbers, got set"),
    (lambda: jit(cubic).map([[1.0], [1.0, 2.0]]), TypeError, "x: .*, got rows of differing shape"),
    (lambda: jit(cubic).map({"a": [Y, "b"]}), TypeError, r"x\['a'\]\[1\]: expected an array"),
    (lambda: jit(cubic).map(np.array(["2020"], "M8")), TypeError, "x: expected .* datetime64"),
    (
        lambda: jit(operator.add).map(Y, Y[:3]),
        ValueError,
        "map: expected arrays of one length: x0 has 5, x1 has 3 rows",
    ),
    (
        lambda: jit(cubic).map(np.ma.masked_array([1.0, 2.0], mask=[True, False])),
        TypeError,
        "x: expected an array of numbers, got one with masked numbers",
    ),
    # copies
    (lambda: copy.copy(jit(cubic)), TypeError, "<jit of cubic, .* cannot be copied or pickled"),
    (lambda: copy.deepcopy(jit(cubic)), TypeError, "cannot be copied or pickled"),
    (lambda: pickle.dumps(jit(cubic)), TypeError, "cannot be copied or pickled"),
    # means
    (lambda: jit(cubic).backward([]), ValueError, "backward: .* the mean of nothing is undefined"),
    (lambda: jit(cubic).backward(), TypeError, "backward: expected at least one array"),
    (lambda: jit(cubic).backward([w]), TypeError, "backward: expected plain numbers, got Values"),
    (lambda: jit(lambda x: [x, x]).backward(Y), TypeError, f"backward: {NOT_ONE} list of 2"),
    (lambda: jit(lambda x: (x,)).backward(Y), TypeError, f"backward: {NOT_ONE} tuple of 1"),
    (lambda: jit(lambda x: x * 2).backward(X), TypeError, f"backward: {NOT_ONE} ndarray of 3"),
    (
        lambda: jit(cubic).mean_and_gradient([], []),
        ValueError,
        "mean_and_gradient: .* the mean of nothing is undefined",
    ),
    (
        lambda: jit(lambda x: [w * x]).mean_and_gradient([1.0], Y),
        TypeError,
        f"mean_and_gradient: {NOT_ONE} list of 1",
    ),
    (
        lambda: jit(lambda x: w * x).mean_and_gradient([1.0, 2.0], Y),
        ValueError,
        r"expected an array of 1 numbers, one for each parameter, got one of shape \(2,\)",
    ),
    (
        lambda: jit(lambda x: w * x).mean_and_gradient(1.0, Y),
        ValueError,
        r"expected an array of 1 numbers, one for each parameter, got one of shape \(\)",
    ),
    (
        lambda: jit(lambda x: w * x).mean_and_gradient([w], Y),
        TypeError,
        "parameters: expected plain numbers, got Values",
    ),
    (
        lambda: jit(lambda x: w * x).mean_and_gradient("a", Y),
        TypeError,
        "parameters: expected an array of numbers, got str 'a'",
    ),
]


@pytest.mark.parametrize(("call", "error", "said"), BAD)
def test_bad_input_is_said_in_one_line(call, error, said):
    with pytest.raises(error, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_after_an_error_the_right_call_works():
    compiled = jit(operator.add)
    for _ in range(2):
        with pytest.raises(ValueError, match="one length"):
            compiled.map(Y, Y[:3])
        assert compiled.map(Y, Y).tolist() == near((2.0 * Y).tolist())
        with pytest.raises(TypeError, match="leading axis"):
            compiled.map(np.array(1.0), np.array(1.0))
        with pytest.raises(TypeError, match="leading axis"):
            compiled.map(Y, np.array(1.0))


def test_a_descent_of_what_makes_no_sense_is_an_error():
    w = Value(0.0)
    rule = lambda p, g, lr: (p - lr * g,)  # noqa: E731
    square = jit(lambda x: (w - x) ** 2, [w])
    for batch_size, order in ((0, [0]), (1.5, [0]), (1, [[0]]), (-1, [0])):
        with pytest.raises(ValueError, match="batch_size of at least 1"):
            square.descend(rule, (np.zeros(1), np.zeros(1)), [[0.5]], order, batch_size, [3.0])
    with pytest.raises(ValueError, match="no parameters"):
        jit(lambda x: x * x, []).descend(rule, (np.zeros(0), np.zeros(0)), [[0.5]], [0], 1, [3.0])


def test_a_batch_larger_than_any_number_of_rows_is_all_of_them():
    w = Value(0.0)
    state = np.zeros(1), np.zeros(1)
    jit(lambda x: (w - x) ** 2, [w]).descend(
        lambda p, g, lr: (p - lr * g,), state, [[0.5]], [0, 1], 2**64 + 1, [1.0, 2.0]
    )
    assert state[0].tolist() == [1.5]


def test_a_rule_may_use_values_of_its_own():
    w, scale, shift = Value(0.0), Value(0.5), Value(0.25)
    rules = (
        lambda p, g, lr: (p - lr * scale * g - shift,),
        lambda p, g, lr: (p - lr * 0.5 * g - 0.25,),
    )
    found = []
    for rule in rules:
        state = np.zeros(1), np.zeros(1)
        loss = jit(lambda x: (w - x) ** 2, [w])
        loss.descend(rule, state, [[0.5], [0.4], [0.3]], [0, 1, 0], 1, [3.0, 7.0])
        found.append(state[0].tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-12)
