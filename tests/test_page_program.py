"""The functions of the page are the float functions of the table, and its `run` runs Programs."""

from __future__ import annotations

import itertools
import json
import math
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from expressions import POINTS, POLYNOMIAL, expressions, same_bits
from reference import points
from test_conventions import LINES

import autograd
from autograd import (
    gradients,
    ieee,
    primitive,
    primitives,
    sech,
    square,
    tanh,
    trace,
    value_and_grad,
)
from autograd.draw.programs import constant, program_json
from autograd.primitives import TABLE, Primitive, Reduction
from autograd.tracer import Tracer
from nn import MLP

inf, nan = math.inf, math.nan
SCRIPT = Path(autograd.__file__).parent / "draw" / "page" / "program.js"
ENGINES = {row.name for row in vars(primitives).values() if isinstance(row, Primitive)}
ROWS = [row for row in TABLE.values() if row.name in ENGINES]
SPECIAL = [0.0, 1.0, 0.5, 2.0, 3.0, 5e-324, 1e-310, 1e-200, 1e200, 1.7e308, inf]
SPECIAL = [*SPECIAL, *(-x for x in SPECIAL), nan]
FEW = [0.0, -0.0, 0.5, -2.0, 1e300, inf, -inf, nan]
BOUND = 8.0  # ulps: two libraries, each right to a few


@pytest.fixture(scope="module")
def script(browser):
    """An empty page with the script in it."""
    page = browser.new_page()
    page.add_script_tag(content=SCRIPT.read_text("utf-8"))
    yield page
    page.close()


def results_of(script, programs):
    """What the page computes: from Programs and numbers the numbers of their results."""
    sent = [[program_json(program), [*map(constant, xs)]] for program, xs in programs]
    return script.evaluate(
        "text => JSON.parse(text).map(([program, xs]) => run(program, xs.map(Number)))",
        json.dumps(sent, allow_nan=False),
    )


def wrong(actual, expected):
    """Whether they are of another kind or sign, or further apart than the bound."""
    if expected == 0.0 or not math.isfinite(expected):
        return not same_bits([actual], [expected])
    return not abs(actual - expected) <= BOUND * math.ulp(expected)


# Row by row


def kinks(row):
    return [
        tuple(map(float, k.split(":")[0].split(","))) for k in filter(None, row.kinks.split(";"))
    ]


def trials(row):
    """Points of the domain, kinks, what is special in every place, numbers of every size."""
    rng = random.Random(row.name)
    sizes = [len(row.domain)]
    if isinstance(row, Reduction):
        sizes = {"dot": [1, 3, 5], "mean": [1, 2, 7]}.get(row.name, [0, 1, 2, 7])
    powers_of_2 = [(-1074.0, 1023.9), (-60.0, 60.0), (-3.0, 3.0)]
    found = [*points(row, 60), *kinks(row)]
    for size in sizes:
        if size <= 3:
            found += itertools.product(SPECIAL if size < 3 else FEW, repeat=size)
        found += [tuple(rng.choices(SPECIAL, k=size)) for _ in range(200)]
        found += [tuple(rng.uniform(-40.0, 40.0) for _ in range(size)) for _ in range(200)]
        for interval in powers_of_2 * 200:
            signs = rng.choices((-1.0, 1.0), k=size)
            found.append(tuple(sign * 2.0 ** rng.uniform(*interval) for sign in signs))
    return found


def test_the_script_has_the_rows_of_the_table_in_its_order(script):
    assert script.evaluate("Object.keys(ieee)") == [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_function_is_the_float_function(script, row):
    at = trials(row)
    found = script.evaluate(
        "([name, text]) => JSON.parse(text).map((xs) => ieee[name](...xs.map(Number)))",
        [row.name, json.dumps([[*map(constant, xs)] for xs in at])],
    )
    errors = [
        (xs, x, expected)
        for xs, x in zip(at, found, strict=True)
        if wrong(x, expected := float(row.value(*xs)))
    ]
    assert not errors[:5]


# Programs


@pytest.mark.parametrize(("expression", "point", "value", "gradient", "_hessian"), LINES)
def test_every_line_of_the_page_on_conventions_holds(
    script, expression, point, value, gradient, _hessian
):
    f = eval(f"lambda {', '.join(point)}: {expression}", {**vars(autograd)})
    program = trace(value_and_grad(f, [*range(len(point))]), *point.values())
    ((found, *derivatives),) = results_of(script, [(program, point.values())])
    assert not wrong(found, value)
    for x, expected in zip(derivatives, gradient, strict=True):
        assert not wrong(x or 0.0, expected or 0.0)  # the sign of a zero derivative says nothing


FLOATS = st.floats() | st.floats(-30.0, 30.0)
STEPS = st.tuples(
    st.sampled_from(ROWS), st.lists(st.integers(0, 99) | FLOATS, min_size=3, max_size=5)
)


def program_of(steps, inputs):
    """Instructions of any rows; an operand is a float, or an int that picks an earlier number."""

    def f(xs):
        numbers = [*xs]
        for row, picked in steps:
            size = len(row.domain) if not isinstance(row, Reduction) else len(picked) // 2 * 2 - 1
            operands = [numbers[x % len(numbers)] if type(x) is int else x for x in picked[:size]]
            numbers.append(row.bind(operands))
        return [x if isinstance(x, Tracer) else float(x) for x in numbers]

    return trace(f, inputs)


@settings(max_examples=40)
@given(
    batch=st.lists(
        st.tuples(
            st.lists(STEPS, min_size=1, max_size=12), st.lists(FLOATS, min_size=1, max_size=4)
        ),
        max_size=40,
    )
)
def test_every_step_of_a_run_is_the_float_function_of_the_numbers_before_it(script, batch):
    programs = [(program_of(steps, inputs), inputs) for steps, inputs in batch]
    for program, inputs in programs:
        program.results = [*range(len(inputs) + len(program.instructions))]
    found = results_of(script, programs)
    for (program, inputs), numbers in zip(programs, found, strict=True):
        assert same_bits(numbers[: len(inputs)], inputs)
        for (row, operands), x in zip(program.instructions, numbers[len(inputs) :], strict=True):
            xs = [float(numbers[o]) if type(o) is int else o for o in operands]  # JSON has ints
            assert not wrong(x, float(row.value(*xs))), (row, xs, x)


@settings(max_examples=10)
@given(
    batch=st.lists(
        st.tuples(expressions((*POLYNOMIAL, "/", "dot", "maximum", "sqrt")), POINTS), max_size=60
    )
)
def test_programs_of_exact_operations_and_their_gradients_agree_to_the_last_bit(script, batch):
    programs = [(trace(value_and_grad(f), xs), xs) for f, xs in batch]
    for (program, xs), found in zip(programs, results_of(script, programs), strict=True):
        y, gradient = program(xs)
        assert same_bits(found, [y, *gradient])


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu", "softplus", "silu"])
def test_a_networks_loss_and_gradient_agree_at_200_points(script, activation):
    model, rng = MLP(3, [4, 1], activation), random.Random(activation)

    def loss_and_gradient(xs):
        loss = square(model(xs) - 1.0)
        return [loss, *gradients(loss, model.parameters())]

    program = trace(loss_and_gradient, [0.0] * 3)
    numbers = [parameter.data for parameter in program.parameters]
    inputs = [[rng.gauss(0.0, 1.0) for _ in range(3)] for _ in range(200)]
    found = results_of(script, [(program, [*xs, *numbers]) for xs in inputs])
    for xs, actual in zip(inputs, found, strict=True):
        assert actual == pytest.approx(program(xs), rel=1e-12, abs=0.0)


# What is sent


@given(xs=st.lists(st.floats(), max_size=100))
@settings(max_examples=30)
def test_constants_are_read_exactly(script, xs):
    assert same_bits(script.evaluate("xs => xs.map(Number)", [*map(constant, xs)]), xs)


def test_a_wrong_count_of_numbers_is_an_error(script):
    sync_api = pytest.importorskip("playwright.sync_api")
    with pytest.raises(sync_api.Error, match="expected 1 numbers"):
        results_of(script, [(trace(tanh, 0.0), [1.0, 2.0])])


def test_primitives_of_the_users_own_are_written_out():
    softer = primitive("softer", lambda x: tanh(0.5 * x), lambda _z, x: 0.5 * square(sech(0.5 * x)))
    sent = program_json(trace(softer, 0.0))
    assert sent["instructions"] == [["mul", "0.5", 0], ["tanh", 1]]
    same = primitive("same_tanh", ieee.tanh, lambda _z, x: square(sech(x)))
    assert program_json(trace(same, 0.0))["instructions"] == [["tanh", 0]]


def test_a_primitive_that_is_not_written_in_the_engines_operations_is_named():
    outside = primitive("outside", math.tanh, lambda _z, x: square(sech(x)))
    with pytest.raises(TypeError, match="explore: the value of primitive 'outside' is not written"):
        program_json(trace(outside, 0.0))
