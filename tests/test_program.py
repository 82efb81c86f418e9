"""Programs: run on any number, printed, written as Python, of any length."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import (
    Value,
    dot,
    exp,
    grad,
    jvp,
    log,
    maximum,
    pow,
    primitive,
    sech,
    square,
    tanh,
    trace,
    value_and_grad,
    where,
)
from autograd.forward import Dual
from autograd.primitives import Reduction
from autograd.tracer import Tracer

sys.path.insert(0, str(Path(__file__).parent))
from expressions import POINTS, ROWS, bits, expressions, flat, points_of, same_bits

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, 1e308, -2.5]


class Pair(NamedTuple):
    a: object
    b: object


def written(program):
    """The function that the source defines, with nothing of ours in reach."""
    names = {}
    exec(program.to_python(), names)
    return names["program"]


# Running


@given(f=expressions(), point=POINTS)
def test_a_program_gives_the_bits_that_its_function_gives(f, point):
    program = trace(f, [0.0] * 3)
    assert bits(program(point)) == bits(float(f(point)))
    as_value = program([*map(Value, point)])
    assert bits(float(as_value)) == bits(float(f(point)))


def test_a_program_runs_on_every_kind_of_number():
    program = trace(lambda x, y: x * exp(y), 0.0, 0.0)
    assert type(program(2.0, 0.0)) is float
    assert program(2, True) == 2.0 * math.e
    assert program(np.float32(2.0), 0.0) == 2.0
    assert type(program(Value(2.0), 0.0)) is Value
    assert program(Dual(2.0, 1.0), 0.0).tangent == 1.0
    assert jvp(program, (2.0, 0.0), (0.0, 1.0)) == (2.0, 2.0)
    assert grad(program, argnums=(0, 1))(2.0, 0.0) == (1.0, 2.0)
    kinds = []
    trace(lambda x: kinds.append(type(program(x, 1.0))) or x, 0.0)
    assert kinds == [Tracer]


def test_floats_run_past_the_graph():
    w = Value(3.0)
    program = trace(lambda x: x * w, 0.0)
    assert type(program(2.0)) is float
    assert w.grad == 0.0


def test_a_program_of_a_program_is_the_program():
    program = trace(lambda x: tanh(x) * x, 0.0)
    assert str(trace(program, 0.0)).replace("x0", "x") == str(program)


def test_a_program_keeps_the_structures_of_arguments_and_result():
    def f(p, xs):
        return Pair({"x": xs * p["a"]}, [p["b"][1], 3])

    program = trace(f, {"a": 0.0, "b": (0.0, 0.0)}, np.zeros((2, 2)))
    xs = np.array([[1.0, 2.0], [3.0, 4.0]])
    answer = program({"a": 2, "b": (5, 6)}, xs)
    assert type(answer) is Pair
    assert np.array_equal(answer.a["x"], 2.0 * xs)
    assert answer.b == [6.0, 3.0]


STRUCTURES = [
    (0.0, (1.0, 2.0), r"expected the structure \(\.,\), got \(\., \.\)"),
    ([0.0, 0.0], ([1.0],), r"expected the structure \(\[\., \.\],\), got \(\[\.\],\)"),
    ({"a": 0.0}, ({"b": 1.0},), r"expected the structure \(\{'a': \.\},\), got \(\{'b': \.\},\)"),
    ((0.0, 0.0), ([1.0, 2.0],), r"expected the structure \(\(\., \.\),\), got \(\[\., \.\],\)"),
    (
        np.zeros((2, 3)),
        (np.zeros(6),),
        r"expected the structure \(array\[2, 3\],\), got \(array\[6\],\)",
    ),
    ([0.0] * 9, ([0.0] * 8,), r"expected the structure \(\[9 numbers\],\), got \(\[8 numbers\],\)"),
    (0.0, (), r"expected the structure \(\.,\), got \(\): trace it again"),
]


@pytest.mark.parametrize(("example", "args", "message"), STRUCTURES)
def test_arguments_of_another_structure_are_an_error_that_shows_both(example, args, message):
    program = trace(lambda x: x if isinstance(x, list) else [x], example)
    with pytest.raises(TypeError, match=f"args: {message}"):
        program(*args)


def test_arguments_that_are_no_numbers_are_named():
    with pytest.raises(TypeError, match=r"args\[0\]: expected a number .* got str 'a'"):
        trace(lambda x: x, 0.0)("a")


def test_one_program_runs_in_many_threads():
    from concurrent.futures import ThreadPoolExecutor

    program = trace(grad(lambda x: tanh(x) * exp(x)), 0.0)
    points = [0.125 * i for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(program, points)] == [*map(program, points)]


# Printing


def test_a_program_prints_its_numbered_instructions():
    w = Value(0.5, "w")
    program = trace(lambda x, ys: {"z": [x * w + ys[1], -1.0]}, 0.0, [0.0, 0.0])
    assert str(program) == (
        "v0 = x\n"
        "v1 = ys[0]\n"
        "v2 = ys[1]\n"
        "v3 = parameter 0.5  # w\n"
        "v4 = mul v0 v3\n"
        "v5 = add v4 v2\n"
        "return {'z': [v5, -1.0]}"
    )
    assert repr(program) == "<Program of 3 inputs, 1 parameters, 2 instructions>"


RESULTS = [
    (lambda x: (x,), "(v0,)"),
    (lambda x: (x, [x], ()), "(v0, [v0], ())"),
    (lambda x: {1: x, "a": math.inf}, "{1: v0, 'a': inf}"),
    (lambda x: Pair(x, 2), "(v0, 2.0)"),
    (lambda x: np.array([[x, 1.0], [2.0, x]], dtype=object), "[[v0, 1.0], [2.0, v0]]"),
    (lambda x: np.array(x, dtype=object), "v0"),
    (lambda _: np.zeros((2, 0)), "[[], []]"),
]


@pytest.mark.parametrize(("f", "text"), RESULTS)
def test_results_print_as_python_writes_them(f, text):
    assert str(trace(f, 0.0)).splitlines()[-1] == f"return {text}"


def test_arguments_print_by_their_names_or_their_numbers():
    assert str(trace(lambda weight: weight, 0.0)).startswith("v0 = weight")
    assert str(trace(lambda *args: args[1], 0.0, 0.0)).startswith("v0 = x0\nv1 = x1")
    assert str(trace(grad(lambda weight: weight), 0.0)).startswith("v0 = weight")
    array = trace(lambda x: x, np.zeros((1, 2)))
    assert str(array) == "v0 = x[0][0]\nv1 = x[0][1]\nreturn [[v0, v1]]"


# Python source


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_written_to_the_last_bit_of_value_and_gradient(row):
    size = 5 if isinstance(row, Reduction) else len(row.domain)
    points = [p for p in points_of(row) if len(p) == size]
    points += [[x] * size for x in SPECIAL] + [SPECIAL[i : i + size] for i in range(5)]
    for f in (row.bind, value_and_grad(row.bind)):
        program = trace(f, [0.0] * size)
        source = written(program)
        for point in points:
            assert same_bits(flat(program(point)), flat(source(point))), point


@pytest.mark.parametrize("module", ["__main__", "a", "zz"])
def test_a_primitive_of_the_users_own_is_written_in_the_engines_from_whatever_module(module):
    def softer(x):
        return tanh(0.5 * x)

    softer.__module__ = module
    row = primitive("softer", softer, lambda _z, x: 0.5 * square(sech(0.5 * x)))
    w, v = Value(3.0, "w"), Value(4.0)
    program = trace(lambda x, y: row(x * w) * v - row(y), 0.0, 0.0)
    assert "softer" not in program.to_python()
    assert written(program)(0.25, 2.0) == program(0.25, 2.0)


@settings(max_examples=30)
@given(f=expressions(), points=st.lists(POINTS, min_size=1, max_size=5))
def test_source_and_program_agree_bit_for_bit(f, points):
    for function in (f, value_and_grad(f)):
        program = trace(function, [0.0] * 3)
        source = written(program)
        for point in points:
            assert same_bits(flat(program(point)), flat(source(point)))


def test_the_source_runs_on_its_own_in_a_bare_python():
    w = Value(0.5)
    program = trace(value_and_grad(lambda x: maximum(tanh(w * x), pow(x, 0.5)) / log(x)), 0.0)
    script = program.to_python() + "\nprint(*map(float.hex, program(2.0)))"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", script],
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout.split() == [*map(float.hex, program(2.0))]


def test_the_source_needs_no_more_of_ieee_than_it_uses():
    body = "    v0 = x\n    v1 = 2.0 * v0\n    v2 = -v0\n    v3 = v1 - v2\n    return v3\n"
    assert trace(lambda x: 2.0 * x - -x, 0.0).to_python() == f"def program(x):\n{body}"
    source = trace(exp, 0.0).to_python()
    assert "exp = " in source
    assert "def gelu" not in source


def test_parameters_are_the_defaults_of_the_last_argument():
    w, b = Value(0.5), Value(-math.inf)
    program = trace(lambda x: [x * w, b], 0.0)
    assert "def program(x, parameters=(0.5, -inf)):" in program.to_python()
    source = written(program)
    assert source(2.0) == program(2.0) == [1.0, -math.inf]
    assert source(2.0, [3.0, 4.0]) == [6.0, 4.0]
    w.data = 2.0
    assert source(2.0) == [1.0, -math.inf]
    assert written(program)(2.0) == [4.0, -math.inf]


@pytest.mark.parametrize("x", SPECIAL, ids=repr)
def test_constants_of_every_kind_are_written(x):
    program = trace(lambda y: [x, where(y > 0, x, y), y * x], 0.0)
    for y in (1.0, -1.0):
        assert same_bits(flat(program(y)), flat(written(program)(y)))


def test_structures_are_written_with_lists_for_arrays():
    program = trace(lambda p: {"r": p["xs"] * p["pair"].b, 0: (p["pair"].a,)}, EXAMPLE)
    answer, source = program(EXAMPLE), written(program)(EXAMPLE)
    assert source == {"r": answer["r"].tolist(), 0: answer[0]}


EXAMPLE = {"xs": np.array([[1.0, 2.0]]), "pair": Pair(3.0, 4.0)}


class Named:
    """A function of three arguments of these names."""

    def __init__(self, names):
        self.operand_names = names
        self.factor = Value(2.0)

    def __call__(self, a, b, c):
        return pow(a, b) * self.factor + c * math.inf


NAMES = [
    "pow pow_ pow__",
    "math inf nan",
    "parameters program annotations",
    "v0 v1 v",
    "float abs ValueError",
    "lambda match _",
]


@pytest.mark.parametrize("names", NAMES)
def test_arguments_of_any_name_are_written(names):
    program = trace(Named(names.split()), 0.0, 0.0, 0.0)
    assert str(program).startswith(f"v0 = {names.split()[0]}\n")
    assert written(program)(3.0, 2.0, -1.0) == program(3.0, 2.0, -1.0) == -math.inf


# Size


def test_a_program_of_100_000_instructions_needs_no_recursion():
    """It is traced, differentiated, printed, run and written."""

    def f(x):
        y = x
        for _ in range(50_000):
            y = y * x + 0.5
        return y

    assert sys.getrecursionlimit() < 10_000
    program = trace(f, 0.0)
    assert len(program.instructions) == 100_000
    assert str(program).count("\n") == 100_001
    assert program(0.5) == 1.0 == written(program)(0.5)

    gradient = trace(grad(f), 0.0)
    assert gradient(0.5) == grad(program)(0.5) == grad(f)(0.5) == 2.0
    assert gradient.to_python().count("\n") > len(gradient.instructions)
    assert jvp(program, (0.5,), (1.0,))[1] == 2.0


def test_a_dot_of_10_000_operands_is_one_instruction():
    xs = [1.0] * 10_000
    program = trace(lambda xs: dot(xs, xs), xs)
    assert len(program.instructions) == 1
    assert program(xs) == written(program)(xs) == 10_000.0
    assert grad(program)(xs) == [2.0] * 10_000
