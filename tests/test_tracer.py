"""Tracing: no data, so no branches; what is met on the way is captured; nothing leaks."""

from __future__ import annotations

import math
import operator
import threading
from inspect import currentframe

import numpy as np
import pytest

from autograd import (
    Value,
    detect_anomaly,
    dot,
    exp,
    grad,
    hessian,
    jacobian_forward,
    jvp,
    maximum,
    no_grad,
    sum,
    tanh,
    trace,
    where,
)
from autograd.primitives import TABLE, Reduction
from autograd.tracer import Trace, Tracer, _Tracing


def captured(f, *example):
    """The Tracers that f is run on."""
    seen = []
    trace(lambda *args: seen.extend(args) or f(*args), *example)
    return seen


def names(program):
    return [row.name for row, _ in program.instructions]


# What is traced


def test_a_function_is_run_once_on_tracers():
    runs = []
    trace(lambda x, ys: runs.append((x, *ys)) or x * ys[0], 1.0, [2.0, 3.0])
    ((x, *ys),) = runs
    assert {*map(type, (x, *ys))} == {Tracer}
    assert repr(x) == "Tracer(input)"
    assert repr(x * 2.0) == "Tracer(mul)"


def test_only_the_structure_of_the_example_counts():
    def f(x):
        return exp(x) * x

    programs = [trace(f, x) for x in (0.0, 1, math.nan, Value(3.0))]
    assert len({*map(str, programs)}) == 1
    assert {p(0.5) for p in programs} == {f(0.5)}


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_row_is_one_instruction(row):
    size = 5 if isinstance(row, Reduction) else len(row.domain)
    program = trace(row.bind, [0.0] * size)
    expected = [] if row.name == "identity" else [row.name]  # which leaves no trace
    assert names(program) == expected
    assert [*program.instructions][:1] == [(row, tuple(range(size)))][: len(expected)]


def test_what_the_result_does_not_need_is_left_out():
    program = trace(lambda x, y: [exp(x), x * y][1], 0.0, 0.0)
    assert names(program) == ["mul"]


def test_what_is_used_twice_is_computed_once():
    def f(x):
        y = exp(x)
        return y * y + y

    assert names(trace(f, 0.0)) == ["exp", "mul", "add"]


def test_results_may_be_inputs_constants_and_shared():
    program = trace(lambda x, y: {"a": [y, 2, x * y], "b": (x, x)}, 0.0, 0.0)
    assert program(2.0, 3.0) == {"a": [3.0, 2.0, 6.0], "b": (2.0, 2.0)}


def test_numbers_that_are_no_values_are_constants():
    rate = 2.0
    program = trace(lambda x: x * rate + Value(3.0).data, 0.0)
    rate = 5.0
    assert program(1.0) == 5.0
    assert program.parameters == []


def test_operators_functions_and_methods_are_traced_alike():
    program = trace(lambda x: [2 - x, x**2, 2**x, -x, abs(x), +x, x.tanh(), 1 / x, x / 2], 0.5)
    assert program(0.5) == [1.5, 0.25, 2.0**0.5, -0.5, 0.5, 0.5, math.tanh(0.5), 2.0, 0.25]


# Comparisons, branches, and asking for data


COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
def test_comparisons_in_a_trace_give_tracers(compare):
    a = Value(1.0)
    for pair in ((lambda x: (x, 1.0)), (lambda x: (1, x)), (lambda x: (a, x)), lambda x: (x, x)):
        results = captured(lambda x, pair=pair: compare(*pair(x)), 0.0)
        assert [*map(type, results)] == [Tracer]
    program = trace(lambda x: where(compare(x, a), 10.0, 20.0), 0.0)
    for x in (0.0, 1.0, 2.0, math.nan):
        assert program(x) == (10.0 if compare(x, 1.0) else 20.0)


def test_comparisons_of_captured_values_are_traced_too():
    a, b = Value(1.0), Value(2.0)
    program = trace(lambda x: where(a < b, x, -x), 0.0)
    assert program(3.0) == 3.0
    a.data = 5.0
    assert program(3.0) == -3.0
    assert (a < b) is False


def test_a_tracer_is_unequal_to_what_is_no_number():
    answers = []
    trace(lambda x: answers.extend([x == "x", x != "x", x in (None, "x")]) or x, 0.0)
    assert answers == [False, True, False]


a = Value(1.0)
BRANCHES = {
    "if": lambda x: 1.0 if x else 2.0,
    "if less": lambda x: 1.0 if x < 1.0 else 2.0,
    "and": lambda x: x and 1.0,
    "not": lambda x: not x,
    "max": lambda x: max(x, 1.0),
    "sorted": lambda x: sorted([x, 1.0]),
    "in": lambda x: x in [1.0, 2.0],
    "captured": lambda x: x if a else 2.0,
    "captured less": lambda x: x if a < 1.0 else 2.0,
    "captured equal": lambda x: x if a == 1.0 else 2.0,
    "captured computed": lambda x: x if a * 2.0 > a else 2.0,
}


@pytest.mark.parametrize("f", BRANCHES.values(), ids=BRANCHES)
@pytest.mark.parametrize(
    "around", [lambda f: f, grad, hessian, jacobian_forward], ids=["f", "grad", "hessian", "jvp"]
)
def test_a_branch_is_an_error_that_names_the_line_and_where(f, around):
    line = f.__code__.co_firstlineno
    expected = (
        f"a traced function branched on a number, at line {line} of {__file__}: a trace holds one "
        r"path for all numbers; write where\(condition, a, b\), or maximum, minimum, clip"
    )
    with pytest.raises(TypeError, match=expected):
        trace(around(f), 0.0)


def test_the_line_is_that_of_the_branch_in_a_longer_function():
    lines = []

    def f(x):
        y = exp(x)
        lines.append(currentframe().f_lineno + 1)
        if y > 1.0:
            return y
        return x

    with pytest.raises(TypeError, match="branched on a number") as error:
        trace(f, 0.0)
    assert f"at line {lines[0]} of {__file__}" in str(error.value)


DATA = {
    "float": float,
    "math": math.exp,
    "complex": complex,
    "numpy": lambda x: np.array([x], dtype=float),
    "int": int,
    "index": lambda x: [1.0, 2.0][x],
    "range": lambda x: [*range(x)],
}
KIND = {"int": "int", "index": "index", "range": "index"}


@pytest.mark.parametrize("name", DATA)
def test_asking_a_tracer_for_its_data_is_an_error_that_names_the_line(name):
    def f(x):
        return DATA[name](x)

    kind = KIND.get(name, "float")
    expected = rf"used a number as {kind}, at line \d+ of {__file__}: a Tracer has no data"
    for around in (f, jacobian_forward(f)):
        if name in {"index", "range"} and around is not f:
            continue  # a Dual has no index either
        with pytest.raises(TypeError, match=expected):
            trace(around, 0.0)


def test_what_to_write_instead_depends_on_what_was_asked_for():
    instead, outside = "such as autograd.sin instead of math.sin", "fix it outside of the function"
    for ask, advice in ((math.sin, instead), (lambda x: x.data, instead), (range, outside)):
        with pytest.raises(TypeError, match=advice):
            trace(ask, 0.0)


def test_a_tracers_data_or_digits_are_refused_by_name_but_it_may_be_printed():
    printed = []
    for kind, ask in (("data", lambda x: x.data), ("text", lambda x: f"{x:.2f}")):
        with pytest.raises(TypeError, match=f"used a number as {kind}, at line .* has no data"):
            trace(ask, 0.0)
    trace(lambda x: printed.append(f"{x} {x!r} {-x}") or x, 0.0)
    assert printed == ["Tracer(input) Tracer(input) Tracer(neg)"]


@pytest.mark.parametrize("ask", [round, lambda x: x // 2, lambda x: f"{x:.2f}", lambda x: x % 2])
def test_what_has_no_meaning_for_a_tracer_is_pythons_own_error(ask):
    with pytest.raises(TypeError):
        trace(ask, 0.0)


def test_an_error_leaves_no_trace_behind():
    with pytest.raises(TypeError, match="branched"):
        trace(lambda x: 1.0 if x else 2.0, 0.0)
    assert bool(Value(1.0)) is True
    assert (Value(1.0) < 2.0) is True
    assert type(grad(tanh)(0.5)) is float


def test_data_asked_of_a_captured_value_is_a_constant():
    b = Value(2.0)
    program = trace(lambda x: x * float(b) + b.item() + b.data, 0.0)
    b.data = 7.0
    assert program(1.0) == 6.0
    assert program.parameters == []


# Captured Values


def test_captured_values_become_parameters_in_the_order_of_their_first_use():
    b, c, d = (Value(x, label) for x, label in ((2.0, "b"), (3.0, "c"), (4.0, "d")))
    program = trace(lambda x: d * (x + b) + c * d + b, 0.0)
    assert [p.label for p in program.parameters] == ["b", "d", "c"]
    assert all(p is q for p, q in zip(program.parameters, [b, d, c], strict=True))


def test_captured_values_become_parameters_down_to_the_leaves():
    w, b = Value(2.0), Value(3.0)
    computed = tanh(w * b) + w
    program = trace(lambda x: x * computed, 0.0)
    assert [*map(id, program.parameters)] == [id(w), id(b)]
    assert program(2.0) == 2.0 * computed.data
    w.data = 0.5
    assert program(2.0) == 2.0 * (math.tanh(1.5) + 0.5)


def test_parameters_are_read_when_the_program_is_called():
    b = Value(2.0)
    program = trace(lambda x: x * b, 0.0)
    assert program(3.0) == 6.0
    b.data = 5.0
    assert program(3.0) == 15.0


def test_a_value_that_is_only_the_result_is_a_parameter():
    b = Value(2.0)
    program = trace(lambda _: [b, b * b], 0.0)
    assert program(1.0) == [2.0, 4.0]
    assert [*map(id, program.parameters)] == [id(b)]


def test_values_that_meet_only_each_other_are_captured_with_what_they_compute():
    w, v = Value(2.0), Value(3.0)
    program = trace(lambda x: x + dot([w, v], [v, 1.0]) + maximum(w, v), 0.0)
    w.data = 10.0
    assert program(1.0) == 1.0 + 33.0 + 10.0


def test_the_gradient_of_a_program_reaches_its_parameters_as_values():
    w = Value(2.0)
    program = trace(lambda x: tanh(w * x), 0.0)
    x = Value(0.5)
    program(x).backward()
    assert (w.grad, x.grad) == pytest.approx(
        (0.5 / math.cosh(1.0) ** 2, 2.0 / math.cosh(1.0) ** 2), rel=1e-15
    )


def test_captured_values_are_constants_to_a_gradient_in_a_trace():
    w = Value(2.0)
    program = trace(grad(lambda x: w * x * x), 0.0)
    assert program(3.0) == 12.0
    w.data = 5.0
    assert program(3.0) == 30.0
    assert w.grad == 0.0


def test_a_graph_of_20_000_captured_nodes_is_lifted_without_recursion():
    w = y = Value(1.0)
    for _ in range(20_000):
        y = y + w
    program = trace(lambda x: x * y, 0.0)
    assert program(1.0) == 20_001.0


# Nesting and leaks


def test_a_program_called_in_a_trace_is_part_of_the_trace():
    inner = trace(lambda x, y: x * y, 0.0, 0.0)
    outer = trace(lambda x: inner(x, 3.0) + inner(2.0, 5.0), 0.0)
    assert names(outer) == ["mul", "add"]  # and a constant
    assert outer(7.0) == 31.0


def test_a_program_called_on_floats_in_a_trace_hands_on_its_parameters():
    w = Value(2.0)
    inner = trace(lambda x: x * w, 0.0)
    outer = trace(lambda x: x + inner(3.0), 0.0)
    w.data = 5.0
    assert outer(1.0) == 16.0


def test_a_trace_inside_a_trace_is_its_own():
    outer = trace(lambda x: x * trace(lambda y: y * y, 0.0)(x), 0.0)
    assert outer(3.0) == 27.0


def test_a_trace_inside_a_trace_captures_the_same_values():
    w = Value(2.0)
    outer = trace(lambda x: trace(lambda y: y * w, 0.0)(x) + w, 0.0)
    assert [*map(id, outer.parameters)] == [id(w)]
    w.data = 5.0
    assert outer(3.0) == 20.0


OTHERS = "trace.f.: f uses a number of another trace or derivative: pass it to f as an argument"


def test_a_number_of_the_trace_or_derivative_around_is_refused_inside():
    for around in (lambda f: trace(f, 0.0), lambda f: jvp(f, (2.0,), (1.0,))):
        with pytest.raises(TypeError, match=OTHERS):
            around(lambda y: trace(lambda z: z * y, 0.0)(y))


def leaked():
    return captured(lambda x: x, 0.0)[0]


def test_a_tracer_that_leaked_is_refused_where_it_meets_values():
    expected = "mul: a Tracer met a Value outside of the trace that made it: let a traced function"
    old = leaked()
    for meet in (lambda y: old * Value(y), lambda y: Value(y) * old, grad(lambda y: y * old)):
        with pytest.raises(TypeError, match=expected):
            meet(2.0)


def test_a_tracer_that_leaked_is_refused_by_another_trace():
    old = leaked()
    for f in (lambda x: x * old, lambda _: old, lambda _: old * Value(1.0), lambda x: [x, x + old]):
        with pytest.raises(TypeError, match=OTHERS):
            trace(f, 0.0)


# Blocks and threads


def test_a_trace_inside_no_grad_and_detect_anomaly_is_the_trace_outside():
    w = Value(2.0)

    def f(x):
        return w * exp(x) + x

    outside = str(trace(grad(f), 0.0))
    for block in (no_grad(), detect_anomaly()):
        with block:
            assert str(trace(grad(f), 0.0)) == outside
            assert trace(f, 0.0)(0.0) == 2.0


def test_what_is_computed_inside_no_grad_is_a_constant_of_the_derivative():
    def f(x):
        with no_grad():
            y = x * x
        return x * y

    program = trace(f, 0.0)
    assert program(3.0) == 27.0
    assert grad(program)(3.0) == trace(grad(f), 0.0)(3.0) == 9.0


def test_a_value_branches_in_a_thread_while_another_traces():
    inside, finish = threading.Event(), threading.Event()

    def f(x):
        inside.set()
        assert finish.wait(10.0)
        return x * x

    programs = []
    thread = threading.Thread(target=lambda: programs.append(trace(f, 0.0)))
    thread.start()
    assert inside.wait(10.0)
    b = Value(2.0)
    answers = (b > 1.0, bool(b), type(b * 2.0), grad(lambda x: x * x if x > 0 else x)(3.0))
    finish.set()
    thread.join()
    assert answers == (True, True, Value, 6.0)
    assert programs[0](3.0) == 9.0
    assert programs[0].parameters == []


# Wrong types


@pytest.mark.parametrize("result", ["x", None, {1.0}], ids=lambda x: type(x).__name__)
def test_a_result_that_is_no_structure_of_numbers_is_named(result):
    with pytest.raises(TypeError, match=f"f's result: expected a number .*{type(result).__name__}"):
        trace(lambda _: result, 0.0)


def test_an_example_that_is_no_structure_of_numbers_is_named():
    with pytest.raises(TypeError, match=r"example\[1\]\['a'\]: expected a number .* got str 'b'"):
        trace(lambda *args: args, 0.0, {"a": "b"})


def test_sums_of_tracers_by_pythons_sum_and_ours_are_the_same():
    import builtins

    xs = [0.25, 0.5, 1.0]
    assert trace(sum, xs)(xs) == trace(builtins.sum, xs)(xs) == 1.75


@pytest.mark.parametrize(
    ("derivative", "expected"),
    [
        (lambda: grad(lambda x: trace(lambda y: x * y, 1.0)(3.0))(Value(2.0)), 3.0),
        (
            lambda: grad(grad(lambda x: trace(lambda y: x * x * x * y, 1.0)(1.0)))(2.0),
            12.0,
        ),
    ],
)
def test_derivatives_flow_into_a_trace_made_inside_them(derivative, expected):
    assert float(derivative()) == expected


def test_a_trace_inside_a_derivative_has_its_variables_as_parameters_and_nothing_below_them():
    found = []

    def f(x):
        program = trace(lambda y: x * y + x, 1.0)
        found.append([parameter is x for parameter in program.parameters])
        return program(3.0)

    for x in (2.0, Value(2.0), Value(1.0) * 2.0):
        assert float(grad(f)(x)) == 4.0
    assert found == [[True]] * 3


def test_a_trace_that_was_cut_short_leaves_nothing_behind():
    block = _Tracing(Trace(within_derivative=False))
    block.__enter__()
    del block
    assert (Value(1.0) > 0.0) is True
    assert grad(lambda x: x * x)(2.0) == 4.0
