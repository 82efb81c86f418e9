"""gradcheck finds what is wrong and accuses the right primitive; users' own primitives."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import (
    Value,
    draw,
    exp,
    explain,
    grad,
    gradcheck,
    hessian,
    hvp,
    ieee,
    jacobian,
    jvp,
    log,
    primitive,
    sin,
    tanh,
    trace,
    value_and_grad,
)
from autograd.differences import difference
from autograd.primitives import TABLE, Reduction

TAME = (-2.5, 2.5)


def tame_point(row):
    """A point inside the row's domain, where numbers are ordinary and no two are equal."""
    rng = random.Random(row.name)
    count = {"dot": 5}.get(row.name, 3) if isinstance(row, Reduction) else len(row.domain)
    intervals = itertools.islice(itertools.cycle(row.domain), count)
    return [
        rng.uniform(max(low, TAME[0]) + 0.01, min(high, TAME[1]) - 0.01) for low, high in intervals
    ]


def applied(row):
    """The row as a function of its operands one by one."""
    return lambda *operands: row.bind(operands)


def slopes(row):
    """Its partials at the tame point."""
    point = tame_point(row)
    return row.partials_at(row.value(*point), point, [True] * len(point))


ROWS = [row for row in TABLE.values() if row.partials]
SLOPING = [row for row in ROWS if any(slopes(row))]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


# Differences


@given(x=st.floats(-700.0, 700.0))
def test_differences_find_the_derivative_of_exp(x):
    [found] = difference(lambda x: [ieee.exp(x)], x)
    assert found.estimate == pytest.approx(math.exp(x), rel=1e-8)
    assert not found.kink


@given(exponent=st.integers(-150, 150), sign=st.sampled_from([-1.0, 1.0]))
def test_steps_fit_operands_of_every_size(exponent, sign):
    x = sign * 10.0**exponent
    [found] = difference(lambda x: [1.0 / x], x)
    assert found.agrees(-1.0 / x / x, 1e-6)


def test_every_result_has_its_difference():
    first, second = difference(lambda x: [x * x, 5.0], 3.0)
    assert first.estimate == pytest.approx(6.0, rel=1e-10)
    assert second.estimate == 0.0


def test_a_kink_is_seen():
    [found] = difference(lambda x: [max(x, 0.0)], 0.0)
    assert found.kink


def test_what_does_not_settle_agrees_with_nothing():
    noise = random.Random(0)
    [found] = difference(lambda _: [noise.random()], 1.0)
    assert not any(found.agrees(guess, 1e-6) for guess in (0.0, 1.0, found.estimate + 1.0))


# gradcheck


@every_row
def test_every_row_passes_in_both_orders(row):
    report = gradcheck(applied(row), *tame_point(row), order=2)
    assert report, f"{tame_point(row)}: {report}"


@pytest.mark.parametrize("row", SLOPING, ids=lambda row: row.name)
def test_a_partial_off_by_a_thousandth_is_caught_and_its_primitive_accused(row, monkeypatch):
    rules = row.partials
    wrong = (
        (lambda z, *o: [1.001 * p for p in rules[0](z, *o)],)
        if isinstance(row, Reduction)
        else tuple(lambda z, *o, rule=rule: 1.001 * rule(z, *o) for rule in rules)
    )
    monkeypatch.setattr(row, "partials", wrong)
    point = tame_point(row)
    if not any(row.partials_at(row.value(*point), point, [True] * len(point))):
        pytest.skip("its partials are 0 there")
    f = {"add": row, "mul": row}.get(row.name, applied(row))
    monkeypatch.setattr(
        Value, "record_one", lambda self, primitive: self.record(primitive, (self,))
    )
    report = gradcheck(f, *point)
    assert not report
    assert {accusation.primitive for accusation in report.accusations} == {row}
    assert f"primitive {row.name} at (" in str(report)


def test_the_report_names_argument_numbers_and_gap():
    report = gradcheck(lambda a, b: [a["x"] * float(b[1]), b[0]], {"x": 2.0}, [3.0, 5.0])
    assert not report
    assert report.checked == 6
    assert str(report).splitlines()[0] == "1 of 6 derivatives disagree"
    assert (
        str(report)
        .splitlines()[1]
        .startswith("d f[0] / d b[1]: reverse 0.0, forward 0.0, differences 2.")
    )
    assert "no primitive is at fault" in str(report)


def test_a_second_derivative_that_was_detached_is_caught_by_order_2():
    wrong = autograd.primitives.Function(
        "detached_cube", lambda x: x**3, lambda z, x: 3.0 * float(x) ** 2, domain=[TAME]
    )
    assert gradcheck(wrong, 2.0)
    assert not gradcheck(wrong, 2.0, order=2)


def test_an_unrepeatable_function_is_caught_at_any_tolerance():
    count = itertools.count()
    report = gradcheck(lambda x: x * (1.0 + next(count) * 1e-15), 1.0, tolerance=1.0)
    assert not report
    assert "d f / d x is not the same when computed again" in str(report)


def test_a_kink_is_told():
    assert "there is a kink here" in str(gradcheck(autograd.relu, 0.0))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (exp, (700.0,)),
        (log, (1e-12,)),
        (sin, (1e5,)),
        (lambda x: 1e8 + 0.0 * x, (1.0,)),
        (lambda xs: [tanh(xs[0] * xs[1]), autograd.logsumexp(xs)], ([0.3, 2.0],)),
        (lambda x: (x * x).sum(), (np.array([[1.0, 2.0], [3.0, 4.0]]),)),
        (grad(lambda x: sin(x) * x), (0.7,)),
        (lambda _: 3.0, (1.0,)),
        (lambda: 3.0, ()),
    ],
)
def test_what_is_right_passes_at_every_scale_and_structure(f, args):
    assert gradcheck(f, *args, order=2)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"gradcheck\(order\): expected 1 or 2, got int 3"):
        gradcheck(sin, 1.0, order=3)
    with pytest.raises(ValueError, match=r"gradcheck\(tolerance\): expected at least 0"):
        gradcheck(sin, 1.0, tolerance=math.nan)
    with pytest.raises(TypeError, match=r"args\[0\]: expected a number .* got str 'x'"):
        gradcheck(sin, "x")


# Primitives of the users' own


def composed(a, b):
    return a * a / (1.0 + b * b)


def softened():
    """The same as a primitive."""
    return primitive(
        "softened",
        composed,
        [lambda z, a, b: 2.0 * a / (1.0 + b * b), lambda z, a, b: -2.0 * b * z / (1.0 + b * b)],
    )


@given(a=st.floats(-3.0, 3.0), b=st.floats(-3.0, 3.0))
def test_a_primitive_works_in_every_mode_as_what_it_stands_for(a, b):
    own = TABLE.get("softened") or softened()  # once for all examples
    xs = [a, b]

    def near(expected):
        return pytest.approx(expected, rel=1e-12, abs=1e-12)

    def one(x):
        return sin(own(x[0], x[1])) * x[0]

    def other(x):
        return sin(composed(x[0], x[1])) * x[0]

    assert value_and_grad(one)(xs)[1] == near(value_and_grad(other)(xs)[1])
    assert jvp(one, (xs,), ([1.0, 0.5],)) == near(jvp(other, (xs,), ([1.0, 0.5],)))
    assert np.array(hessian(one)(xs)) == near(np.array(hessian(other)(xs)))
    assert hvp(one, xs, [1.0, 2.0]) == near(hvp(other, xs, [1.0, 2.0]))
    assert jacobian(grad(one))(xs)[0] == near(jacobian(grad(other))(xs)[0])
    third = grad(grad(grad(lambda t: one([t, b]))))
    assert third(a) == near(grad(grad(grad(lambda t: other([t, b]))))(a))
    program = trace(value_and_grad(one), xs)
    assert program(xs)[1] == near(value_and_grad(other)(xs)[1])
    namespace = {}
    exec(program.to_python(), namespace)
    assert namespace["program"](xs)[1] == near(program(xs)[1])


def test_a_primitive_is_drawn_explained_copied_and_pickled():
    own = softened()
    z = own(Value(2.0, "a"), 3.0)
    assert "softened" in str(draw(z))
    assert "softened" in str(explain(z))
    for twin in (copy.deepcopy(z), pickle.loads(pickle.dumps(z))):
        assert (twin.data, twin.primitive) == (z.data, own)


def test_a_value_that_asks_for_data_is_refused_in_source_by_name():
    own = primitive("c_sine", math.sin, lambda z, x: autograd.cos(x))
    assert grad(own)(0.5) == math.cos(0.5)
    program = trace(grad(own), 0.5)
    assert program(0.5) == math.cos(0.5)
    assert "c_sine" not in program.to_python()
    with pytest.raises(TypeError, match="the value of primitive 'c_sine' is not written"):
        trace(own, 0.5).to_python()


@pytest.mark.parametrize(
    ("value", "partials", "said"),
    [
        (lambda a, b: a * b, [lambda z, a, b: b, lambda z, a, b: -a], "its partial by b is"),
        (lambda x: x**3, lambda z, x: 3.0 * float(x) ** 2, r"d \(d f / d x\) / d x: reverse 0.0"),
        (lambda x: x, lambda z, x: 2.0, "its partial by x is 2.0"),
        (lambda x: log(-x), lambda z, x: 1.0 / x, "finite nowhere"),
    ],
)
def test_what_differences_refute_is_not_registered(value, partials, said):
    with pytest.raises(ValueError, match=said):
        primitive("refuted", value, partials)
    assert "refuted" not in TABLE


def test_the_domain_says_where_it_is_checked():
    primitive("log_minus", lambda x: log(-x), lambda z, x: 1.0 / x, domain=[(-3.0, -1.0)])
    with pytest.raises(ValueError, match=r"primitive\('broken'\)"):
        primitive("broken", abs, lambda z, x: 1.0, domain=[(-3.0, 3.0)])


def test_a_name_of_ones_own_may_be_registered_again_and_survives_a_wrong_attempt():
    primitive("doubled", lambda x: 2.0 * x, lambda z, x: 2.0)
    again = primitive("doubled", lambda x: x + x, lambda z, x: 2.0)
    assert TABLE["doubled"] is again
    with pytest.raises(ValueError, match="disagree"):
        primitive("doubled", lambda x: 2.0 * x, lambda z, x: 3.0)
    assert TABLE["doubled"] is again


def test_wrong_registrations_are_named():
    with pytest.raises(ValueError, match="primitive 'sin' stands in the table already"):
        primitive("sin", lambda x: x, lambda z, x: 1.0)
    assert TABLE["sin"] is sin
    with pytest.raises(TypeError, match=r"expected a name such as 'my_sine', got str 'my sine'"):
        primitive("my sine", lambda x: x, lambda z, x: 1.0)
    with pytest.raises(TypeError, match="expected a partial for each operand of value, got 1"):
        primitive("p", lambda a, b: a * b, lambda z, a, b: b)
    with pytest.raises(TypeError, match="expected functions, got float"):
        primitive("p", lambda a: a, [1.0])
    with pytest.raises(TypeError, match="expected a list of 1 intervals as domain"):
        primitive("p", lambda a: a, lambda z, a: 1.0, domain=[(0, 1), (0, 1)])
    with pytest.raises(TypeError, match="expected numbers of its functions, got str 'x'"):
        primitive("p", lambda a: "x", lambda z, a: 0.0)
    assert "p" not in TABLE


def test_a_partial_without_the_result_before_its_operands_is_refused():
    with pytest.raises(TypeError, match=r"partial\(z, a\), got one of 1"):
        primitive("p", lambda x: x * x, lambda x: 2.0 * x)


def test_a_value_that_raises_on_its_domain_is_told_to_name_it():
    with pytest.raises(ValueError, match=r"value raised .* give the domain"):
        primitive("p", lambda x: math.sqrt(-x), lambda z, x: -0.5 / z)
    with pytest.raises(TypeError, match=r"such as \[\(0.5, 2.0\)\], got tuple"):
        primitive("p", lambda x: x * x, lambda z, x: 2.0 * x, domain=(1.5, 3.0))


@pytest.mark.parametrize(("row", "x"), [("floor", 1.0), ("step", 0.0), ("log", -1.0)])
def test_where_no_difference_can_be_taken_no_primitive_is_accused(row, x):
    report = gradcheck(TABLE[row], x)
    assert not report
    assert report.accusations == []


def test_whatever_numbers_an_own_primitive_gives_become_floats():
    own = primitive("halves", lambda x: np.float64(x) if x > 0.4 else 0, lambda z, x: np.float64(1))
    assert type(own(Value(0.0)).data) is float
    assert type(own(0.0)) is float
    assert grad(lambda x: own(x[0]) + own(x[1]))(np.array([1.0, 2.0])).dtype == float


def test_an_own_primitive_may_use_another_and_both_are_written_out():
    cube = primitive("own_cube", lambda x: x * x * x, lambda z, x: 3.0 * x * x)
    fourth = primitive("own_fourth", lambda x: cube(x) * x, lambda z, x: 4.0 * cube(x))
    namespace = {}
    exec(trace(lambda x: fourth(x) + 1.0, 1.0).to_python(), namespace)
    assert namespace["program"](2.0) == 17.0


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x * x + autograd.sqrt(x - float(x)), 2.0),
        (lambda x: 1.0 / (1.0 / x), 1e160),
        (lambda x: x + autograd.acos(1.0 - x * 1e-20), 1.0),
    ],
)
def test_an_infinite_derivative_of_a_smooth_function_does_not_pass(f, x):
    assert not gradcheck(f, x)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: x**0.5, (0.1,)),
        (lambda x: x.tanh(), (1.0,)),
        (lambda x: np.tanh(x).sum(), (np.array([0.1, 0.2]),)),
        (lambda x, y: tanh(y**2) + x, (1.0, 1e200)),
        (sin, (1e7,)),
    ],
)
def test_functions_written_for_values_are_checked_as_they_are(f, args):
    assert gradcheck(f, *args)
