"""The float functions: total, as IEEE 754 has them, and accurate where they join two formulas."""

from __future__ import annotations

import itertools
import math
import struct
import sys
from fractions import Fraction
from inspect import isfunction, signature
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import ieee

sys.path.insert(0, str(Path(__file__).parent))
from reference import REFERENCES, derivative, ulps

inf, nan = math.inf, math.nan
EVERY = {
    name: function
    for name, function in vars(ieee).items()
    if isfunction(function) and not name.startswith("_") and name != "total"
}
SPECIAL = [0.0, 0.75, 1.0, 2.0, 3.0, 1e308, 5e-324, inf]
SPECIAL = [*SPECIAL, *(-x for x in SPECIAL), nan]


ANSWER = dict.fromkeys(EVERY, float) | dict.fromkeys(
    ("less", "less_equal", "equal", "not_equal"), bool
)


def arity(function):
    kinds = [p.kind for p in signature(function).parameters.values()]
    return 5 if kinds[0] == kinds[0].VAR_POSITIONAL else len(kinds)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=40)
@given(numbers=st.tuples(*[st.floats()] * 5))
def test_every_function_gives_a_float_or_bool_for_all_floats(name, numbers):
    function = EVERY[name]
    assert type(function(*numbers[: arity(function)])) is ANSWER[name]


@pytest.mark.parametrize("name", EVERY)
def test_every_function_gives_a_float_or_bool_at_special_numbers(name):
    function = EVERY[name]
    for numbers in itertools.product(SPECIAL, repeat=min(arity(function), 3)):
        more = numbers[-1:] * (arity(function) - len(numbers))
        assert type(function(*numbers, *more)) is ANSWER[name], numbers


NUMPY = {name: name for name in EVERY if isinstance(getattr(np, name, None), np.ufunc)} | {
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "atan2": "arctan2",
    "acosh": "arccosh",
    "asinh": "arcsinh",
    "atanh": "arctanh",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "neg": "negative",
    "pow": "power",
    "magnitude": "absolute",
}


@pytest.mark.parametrize("name", NUMPY)
def test_special_numbers_are_answered_as_numpy_answers_them(name):
    function, expected = EVERY[name], getattr(np, NUMPY[name])
    for numbers in itertools.product(SPECIAL, repeat=arity(function)):
        with np.errstate(all="ignore"):
            wanted = float(expected(*map(np.float64, numbers)))
        assert function(*numbers) == pytest.approx(wanted, rel=1e-15, abs=0.0, nan_ok=True), numbers


@pytest.mark.parametrize("f", [ieee.maximum, ieee.minimum], ids=lambda f: f.__name__)
def test_of_equal_operands_the_second_is_given(f):
    """It shows in the sign of zero alone, and there machine code must know it."""
    assert bits(f(0.0, -0.0)) == bits(-0.0)
    assert bits(f(-0.0, 0.0)) == bits(0.0)


def test_zero_keeps_its_sign():
    odd = (ieee.floor, ieee.ceil, ieee.sqrt, ieee.cbrt, ieee.sin, ieee.tanh, ieee.softsign)
    assert {math.copysign(1.0, f(-0.0)) for f in odd} == {-1.0}
    assert ieee.div(1.0, -0.0) == ieee.reciprocal(-0.0) == ieee.pow(-0.0, -3.0) == -inf
    assert ieee.div(-1.0, -0.0) == ieee.pow(-0.0, -2.0) == inf
    assert math.copysign(1.0, ieee.ceil(-0.5)) == -1.0


LIMITS = [
    ("sech", (inf,), 0.0),
    ("gaussian", (-inf,), 0.0),
    ("normal_density", (inf,), 0.0),
    ("normal_distribution", (-inf,), 0.0),
    ("normal_distribution", (inf,), 1.0),
    ("sigmoid", (-inf,), 0.0),
    ("sigmoid", (inf,), 1.0),
    ("softplus", (-inf,), 0.0),
    ("softplus", (inf,), inf),
    ("log_sigmoid", (-inf,), -inf),
    ("log_sigmoid", (inf,), -0.0),
    ("silu", (-inf,), -0.0),
    ("silu", (inf,), inf),
    ("gelu", (-inf,), -0.0),
    ("gelu", (inf,), inf),
    ("selu", (-inf,), -ieee.SELU_SCALE * ieee.SELU_ALPHA),
    ("softsign", (-inf,), -1.0),
    ("softsign", (inf,), 1.0),
    ("hardtanh", (-inf,), -1.0),
    ("lorentzian", (inf,), 0.0),
    ("one_minus_square", (inf,), -inf),
    ("direction", (inf, 3.0), 1.0),
    ("direction", (3.0, -inf), 0.0),
    ("direction", (inf, nan), nan),
    ("direction", (inf, -inf), nan),
    ("direction", (0.0, 0.0), 0.0),
    ("exp_difference", (-inf, 0.0), 0.0),
    ("exp_difference", (1e308, 1e308), 1.0),
    ("exp_difference", (709.9, 0.0), inf),
    ("portion", (0.0, 1.0), 0.0),
    ("times", (0.0, inf), 0.0),
    ("times", (nan, 0.0), 0.0),
    ("power_log", (0.0, 0.0), 0.0),
    ("power_log", (0.0, -1.0), -inf),
    ("xlogy", (0.0, 0.0), 0.0),
    ("xlogy", (0.0, nan), nan),
    ("logaddexp", (-inf, -inf), -inf),
    ("logsumexp", (-inf, -inf), -inf),
    ("logsumexp", (inf, 0.0), inf),
    ("logsumexp", (), -inf),
    ("peak", (1.0, nan, 2.0), nan),
    ("relu", (-0.0,), 0.0),
    ("step", (-0.0,), 0.0),
    ("share", (1.0, 1.0), 0.5),
    ("inside", (1.0, 0.0, 1.0), 1.0),
    ("clip", (3.0, 1.0, 0.0), 0.0),
    ("norm", (1e200, -1e200), 1.414213562373095e200),
    ("sum", (), 0.0),
]


def bits(x):
    return "nan" if math.isnan(x) else struct.pack("<d", x)


@pytest.mark.parametrize(("name", "operands", "limit"), LIMITS)
def test_limits_and_edges(name, operands, limit):
    assert bits(EVERY[name](*operands)) == bits(limit)


CONSTANT_AT_NAN = {"truth"}


@pytest.mark.parametrize("name", [n for n, f in EVERY.items() if arity(f) == 1])
def test_nan_gives_nan(name):
    assert math.isnan(EVERY[name](nan)) or name in CONSTANT_AT_NAN


def either_side(x):
    return [math.nextafter(x, -inf), x, math.nextafter(x, inf)]


SEAMS = {
    "cbrt": [1e-290, -1e-290, 1e300, 5e-324, 1.7e308],
    "gaussian": [26.5, -27.2],
    "normal_density": [38.0, -38.4],
    "normal_distribution": [6.0 * 2**0.5, -6.0, -38.4, 8.3],
    "sech": [0.0, 700.0, -740.0],
    "sigmoid": [0.0, -700.0, -740.0],
    "softplus": [0.0, -740.0, 36.0],
    "silu": [0.0, -1.0, -720.0, -750.0],
    "gelu": [0.0, -8.5, -37.5],
}


@pytest.mark.parametrize(("name", "x"), [(n, x) for n, xs in SEAMS.items() for x in xs])
def test_formulas_join_without_a_seam(name, x):
    for there in either_side(x):
        expected = derivative(REFERENCES[name], (there,), ())
        assert ulps(EVERY[name](there), expected) <= 4.0, there


@pytest.mark.parametrize("difference", [-745.0, -708.4, -30.3, 0.1, 308.9, 708.9])
def test_the_exponential_of_a_difference_is_that_of_the_exact_difference(difference):
    for b in (0.1, -0.3, 1000.7):
        point = (difference + b, b)
        expected = derivative(REFERENCES["exp_difference"], point, ())
        assert ulps(ieee.exp_difference(*point), expected) <= 1.0


@given(x=st.floats(1e-289, 1e299) | st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-289))
def test_a_cube_root_is_the_nearest_float(x):
    root = Fraction(ieee.cbrt(x))
    half = Fraction(math.ulp(ieee.cbrt(x))) * Fraction(51, 100)
    assert (root - half) ** 3 < Fraction(x) < (root + half) ** 3


def test_the_cube_root_of_a_cube_is_exact():
    assert [n for n in range(-300, 300) if ieee.cbrt(float(n**3)) != n] == []


@given(x=st.floats(1e150, 1e154) | st.floats(-1e154, -1e150))
def test_a_large_square_is_inverted_as_if_it_did_not_overflow(x):
    scaled = math.ldexp(x, -500)
    assert ieee.lorentzian(x) == math.ldexp(1.0 / (scaled * scaled), -1000)


MODERATE = st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100)


@given(a=MODERATE, b=MODERATE)
def test_a_product_and_its_error_are_the_exact_product(a, b):
    product, error = ieee._product_and_error(a, b)
    assert Fraction(product) + Fraction(error) == Fraction(a) * Fraction(b)


@given(xs=st.lists(st.floats(-1e300, 1e300), max_size=9))
def test_sums_are_folds_from_the_left(xs):
    total = 0.0
    for x in xs:
        total = total + x
    assert bits(ieee.sum(*xs)) == bits(total)
    assert bits(ieee.dot(*xs, *[1.0] * len(xs), 0.0)) == bits(total)


@given(a=st.floats(), b=st.floats())
def test_maximum_and_minimum_are_symmetric_and_keep_nan(a, b):
    either = math.isnan(a) or math.isnan(b)
    assert math.isnan(ieee.maximum(a, b)) is math.isnan(ieee.minimum(a, b)) is either
    assert ieee.share(a, b) + ieee.share(b, a) == 1.0 or either
    assert either or {ieee.maximum(a, b), ieee.minimum(a, b)} == {a, b}
