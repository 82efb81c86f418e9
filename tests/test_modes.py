"""The laws that tie the modes together: every way to a derivative leads to the same numbers."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd import (
    Value,
    clip,
    cos,
    exp,
    grad,
    gradients,
    hessian,
    hvp,
    hypot,
    jacobian,
    jacobian_forward,
    jacobian_reverse,
    jvp,
    linearize,
    log,
    logsumexp,
    maximum,
    minimum,
    no_grad,
    norm,
    pow,
    relu,
    sin,
    softmax,
    sqrt,
    square,
    step,
    tanh,
    trace,
    value_and_grad,
    vjp,
    where,
)
from autograd.primitives import times

sys.path.insert(0, str(Path(__file__).parent))
from expressions import (
    BINARY,
    POINTS,
    POLYNOMIAL,
    ROWS,
    UNARY,
    WHOLE,
    expressions,
    flat,
    of_list,
    points_of,
    same_bits,
    terms,
    unit_vectors,
    vectors,
)
from reference import derivative

inf, nan = math.inf, math.nan
rows = functools.partial(pytest.mark.parametrize, "row", ids=lambda row: row.name)


# Modes of the first and second order: a function and a list to a list, and to a matrix


def backward(f):
    def gradient(xs):
        leaves = [*map(Value, xs)]
        root = f(leaves)
        if isinstance(root, Value):
            root.backward()
        return [leaf.grad for leaf in leaves]

    return gradient


def recorded(f):
    def gradient(xs):
        leaves = [*map(Value, xs)]
        root = f(leaves)
        return flat(gradients(root, leaves)) if isinstance(root, Value) else [0.0] * len(xs)

    return gradient


def at_values(derivative_of):
    """The derivative taken at Values, so that it is recorded."""
    return lambda f: lambda xs: derivative_of(f)([*map(Value, xs)])


def traced(derivative_of):
    """The Program of the derivative."""
    return lambda f: lambda xs: trace(derivative_of(f), [0.0] * len(xs))(xs)


def of_program(derivative_of):
    """The derivative of the Program."""
    return lambda f: lambda xs: derivative_of(trace(f, [0.0] * len(xs)))(xs)


def written(program):
    """The function that the Program's Python source defines, run on its own."""
    names = {}
    exec(program.to_python(), names)
    return names["program"]


def source(f):
    return lambda xs: written(trace(grad(f), [0.0] * len(xs)))(xs)


def forward(f):
    """By jvp along each direction, of a function that gives one number or a list."""

    def columns(xs):
        found = [jvp(f, (xs,), (direction,))[1] for direction in unit_vectors(len(xs))]
        return [*map(list, zip(*found, strict=True))] if isinstance(found[0], list) else found

    return columns


def by_linearize(f):
    def gradient(xs):
        _, pushforward = linearize(f, xs)
        return [pushforward(direction) for direction in unit_vectors(len(xs))]

    return gradient


def by_vjp(f):
    return lambda xs: vjp(f, xs)[1](1.0)[0]


def by_hvp(f):
    return lambda xs: [hvp(f, xs, direction) for direction in unit_vectors(len(xs))]


SAME_SWEEP = {  # these add the same numbers in the same order
    "value_and_grad": lambda f: lambda xs: value_and_grad(f)(xs)[1],
    "vjp": by_vjp,
    "jacobian_reverse": jacobian_reverse,
    "recorded": recorded,
    "grad at Values": at_values(grad),
    "grad of a Program": of_program(grad),
}
FIRST = {
    "grad": grad,
    "backward": backward,
    **SAME_SWEEP,
    "jacobian": jacobian,
    "jvp": forward,
    "jvp at Values": at_values(forward),
    "jvp of a Program": of_program(forward),
    "jacobian_forward": jacobian_forward,
    "linearize": by_linearize,
    "Program of grad": traced(grad),
    "Program of jvp": traced(forward),
    "Program of a Program's grad": traced(of_program(grad)),
    "source": source,
}
SECOND = {
    "hessian": hessian,
    "hvp": by_hvp,
    "reverse over reverse": lambda f: jacobian_reverse(grad(f)),
    "forward over reverse": lambda f: forward(grad(f)),
    "reverse over forward": lambda f: jacobian_reverse(forward(f)),
    "forward over forward": lambda f: forward(forward(f)),
    "hessian at Values": at_values(hessian),
    "hessian of a Program": of_program(hessian),
    "Jacobian of a Program of grad": lambda f: jacobian_reverse(traced(grad)(f)),
    "Program of hessian": traced(hessian),
    "Program of grad of grad": traced(lambda f: jacobian_reverse(grad(f))),
    "Program of forward over reverse": traced(lambda f: forward(grad(f))),
    "Program of reverse over forward": traced(lambda f: jacobian_reverse(forward(f))),
    "Program of forward over forward": traced(lambda f: forward(forward(f))),
}
first = functools.partial(pytest.mark.parametrize, "mode", FIRST.values(), ids=FIRST)
second = functools.partial(pytest.mark.parametrize, "mode", SECOND.values(), ids=SECOND)
modes = {**FIRST, **SECOND}


def assert_near(expected, actual, unit):
    """Each the same, or both nan, or apart by no more than the unit."""
    assert len(expected) == len(actual)
    for a, b in zip(expected, actual, strict=True):
        assert a == b or (a != a and b != b) or abs(a - b) <= unit, (expected, actual)  # noqa: PLR0124


def largest(numbers):
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


# Every row of the table


@rows(ROWS)
def test_every_row_has_one_gradient_in_every_mode(row):
    f = of_list(row)
    for point in points_of(row):
        expected = grad(f)(point)
        size = largest(expected)
        for name, mode in FIRST.items():
            actual = flat(mode(f)(point))
            if name in SAME_SWEEP:
                assert same_bits(expected, actual), name
            elif "Program" in name or name == "source":
                assert_near(expected, actual, 4.0 * math.ulp(size))
            else:
                assert_near(expected, actual, 1e-14 * size)


@rows(ROWS)
def test_every_row_has_one_hessian_in_every_mode_and_it_is_symmetric(row):
    f = of_list(row)
    for point in points_of(row):
        if len(point) > 5:
            continue
        expected = hessian(f)(point)
        unit = 1e-14 * largest(flat(expected))
        assert_near(flat(expected), flat([*map(list, zip(*expected, strict=True))]), unit)
        for mode in SECOND.values():
            assert_near(flat(expected), flat(mode(f)(point)), unit)


# where a partial is infinite or a kink of its own, the order of differentiating counts
KINKS = [
    pytest.param(row, [float(x) for x in point.split(",")], [float(x) for x in partials.split(",")])
    for row in ROWS
    for point, partials in (entry.split(":") for entry in row.kinks.split(";") if entry)
]


@pytest.mark.parametrize(("row", "point", "partials"), KINKS)
def test_every_convention_holds_in_every_mode(row, point, partials):
    for name, mode in FIRST.items():
        actual = flat(mode(of_list(row))(point))
        assert all(a == b or (a != a and b != b) for a, b in zip(partials, actual, strict=True)), (  # noqa: PLR0124
            name
        )


@pytest.mark.parametrize(("row", "point", "partials"), KINKS)
def test_at_every_kink_a_program_has_the_second_derivatives_that_values_have(row, point, partials):
    f = of_list(row)
    assert len(partials) == len(point)
    for name in (
        "reverse over reverse",
        "forward over reverse",
        "reverse over forward",
        "forward over forward",
    ):
        mode = SECOND[name]
        assert_near(flat(mode(f)(point)), flat(traced(mode)(f)(point)), 0.0)


# Polynomials of whole numbers, on which floats are exact


class Polynomial:
    """A sum of whole numbers times powers of the variables, {powers: coefficient}."""

    def __init__(self, coefficients):
        self.coefficients = coefficients

    @classmethod
    def of(cls, x):
        return x if isinstance(x, cls) else cls({(0, 0, 0): int(x)})

    def __neg__(self):
        return Polynomial({p: -c for p, c in self.coefficients.items()})

    def __add__(self, other):
        total = Counter(self.coefficients)
        for powers, c in self.of(other).coefficients.items():
            total[powers] += c
        return Polynomial(total)

    def __sub__(self, other):
        return self + -self.of(other)

    def __mul__(self, other):
        total = Counter()
        for p, c in self.coefficients.items():
            for q, d in self.of(other).coefficients.items():
                total[tuple(map(operator.add, p, q))] += c * d
        return Polynomial(total)

    def __radd__(self, other):
        return self.of(other) + self

    def __rsub__(self, other):
        return self.of(other) - self

    __rmul__ = __mul__

    def __pow__(self, n):
        return functools.reduce(operator.mul, [self] * n)

    def derivative(self, i):
        lowered = {(*p[:i], p[i] - 1, *p[i + 1 :]): c * p[i] for p, c in self.coefficients.items()}
        return Polynomial({p: c for p, c in lowered.items() if p[i] >= 0})

    def at(self, xs):
        return sum(
            c * math.prod(int(x) ** p for x, p in zip(xs, powers, strict=True))
            for powers, c in self.coefficients.items()
        )


VARIABLES = [Polynomial({tuple(map(int, powers)): 1}) for powers in unit_vectors(3)]
LARGER = {**BINARY, **UNARY, "-": operator.add, "neg": operator.pos}


def exact(f, point):
    """The polynomial f, if floats hold exactly whatever is met on the way to two derivatives."""
    assume(f.evaluate([abs(x) + 2 for x in point], LARGER, (3, 4)) < 2**50)
    return Polynomial.of(f(VARIABLES))


polynomials = expressions(POLYNOMIAL, max_size=5)


@settings(max_examples=60)
@given(f=polynomials, point=WHOLE)
def test_every_mode_gives_the_exact_gradient_of_a_polynomial(f, point):
    polynomial = exact(f, point)
    expected = [polynomial.derivative(i).at(point) for i in range(3)]
    assert float(f(point)) == polynomial.at(point)
    for name, mode in FIRST.items():
        assert flat(mode(f)(point)) == expected, name


@settings(max_examples=40)
@given(f=polynomials, point=WHOLE)
def test_every_mode_gives_the_exact_hessian_of_a_polynomial(f, point):
    polynomial = exact(f, point)
    expected = [
        polynomial.derivative(i).derivative(j).at(point) for i in range(3) for j in range(3)
    ]
    for name, mode in SECOND.items():
        assert flat(mode(f)(point)) == expected, name


@settings(max_examples=40)
@given(f=polynomials, point=WHOLE, orders=st.permutations([0, 1, 2]))
def test_mixed_partials_commute_in_every_nesting(f, point, orders):
    """Schwarz: the third derivative by all three variables, in any order and by any modes."""
    polynomial = exact(f, point)
    expected = polynomial.derivative(0).derivative(1).derivative(2).at(point)

    def by(position, mode, g):
        if mode == "reverse":
            return lambda xs: grad(g)(xs)[position]
        return lambda xs: jvp(g, (xs,), (unit_vectors(3)[position],))[1]

    for kinds in itertools.product(["reverse", "forward"], repeat=3):
        mixed = f
        for position, kind in zip(orders, kinds, strict=True):
            mixed = by(position, kind, mixed)
        assert mixed(point) == expected, kinds
        assert trace(mixed, point)(point) == expected, kinds


@settings(max_examples=40)
@given(f=polynomials, g=polynomials, point=WHOLE)
def test_a_sum_and_a_product_have_the_derivatives_calculus_says_in_every_mode(f, g, point):
    u, v = exact(f, point), exact(g, point)
    exact(expression_of_product(f, g), point)
    a, b = u.at(point), v.at(point)
    du, dv = ([w.derivative(i).at(point) for i in range(3)] for w in (u, v))
    for name, mode in FIRST.items():
        assert flat(mode(lambda xs: f(xs) + g(xs))(point)) == [*map(operator.add, du, dv)], name
        of_product = [p * b + a * q for p, q in zip(du, dv, strict=True)]
        assert flat(mode(lambda xs: f(xs) * g(xs))(point)) == of_product, name


class expression_of_product:  # noqa: N801  used as a function
    """f g, to be bounded as `exact` bounds expressions."""

    def __init__(self, f, g):
        self.f, self.g = f, g

    def __call__(self, xs):
        return self.f(xs) * self.g(xs)

    def evaluate(self, *how):
        return self.f.evaluate(*how) * self.g.evaluate(*how)


@settings(max_examples=30)
@given(f=polynomials, inner=st.tuples(polynomials, polynomials, polynomials), point=WHOLE)
def test_a_composition_has_the_product_of_jacobians_in_every_mode(f, inner, point):
    sizes = [g.evaluate([abs(x) + 2 for x in point], LARGER, (3, 4)) for g in inner]
    assume(max(sizes) < 2**16)
    middle = [exact(g, point) for g in inner]
    values = [float(p.at(point)) for p in middle]
    assume(f.evaluate([size + 2 for size in sizes], LARGER, (3, 4)) < 2**50)
    outer = exact(f, values)
    expected = [
        sum(outer.derivative(k).at(values) * middle[k].derivative(i).at(point) for k in range(3))
        for i in range(3)
    ]
    for name, mode in FIRST.items():
        assert flat(mode(lambda xs: f([g(xs) for g in inner]))(point)) == expected, name


# Any expressions, to rounding; the unit is what the derivative's terms add up to


def unit_of(f, point):
    size = terms(f([*map(Value, point)]))
    assume(math.isfinite(size))
    return size


@given(f=expressions(), point=POINTS)
def test_eager_and_recorded_gradients_agree_bit_for_bit(f, point):
    expected = grad(f)(point)
    for name, mode in SAME_SWEEP.items():
        assert same_bits(expected, mode(f)(point)), name


@given(f=expressions(), point=POINTS)
def test_programs_and_forward_modes_give_the_gradient_to_rounding(f, point):
    expected, unit = grad(f)(point), unit_of(f, point)
    for name, mode in FIRST.items():
        exactness = 4.0 * math.ulp(unit) if "Program of grad" in name else 1e-14 * unit
        assert_near(expected, flat(mode(f)(point)), exactness)


@given(f=expressions(), point=POINTS)
def test_a_program_and_its_python_source_agree_bit_for_bit(f, point):
    for function in (f, value_and_grad(f), hessian(f)):
        program = trace(function, point)
        assert same_bits(flat(program(point)), flat(written(program)(point)))


@settings(max_examples=50)
@given(f=expressions(max_size=5), point=POINTS)
def test_every_mode_gives_one_symmetric_hessian_to_rounding(f, point):
    leaves = [*map(Value, point)]
    root = f(leaves)
    assume(isinstance(root, Value))
    unit = 1e-12 * (1.0 + terms(root)) * (1.0 + sum(map(terms, gradients(root, leaves))))
    expected = hessian(f)(point)
    assert_near(flat(expected), flat([*map(list, zip(*expected, strict=True))]), unit)
    for mode in SECOND.values():
        assert_near(flat(expected), flat(mode(f)(point)), unit)


@given(f=expressions(), g=expressions(), point=POINTS, t=POINTS, c=vectors(st.integers(-4, 4)))
def test_forward_and_reverse_are_transposed(f, g, point, t, c):
    """<c, J t> = <J^T c, t>."""

    def h(xs):
        return [f(xs), g(xs), f(xs) * xs[0]]

    c = [*map(float, c)]
    _, tangent = jvp(h, (point,), (t,))
    _, pullback = vjp(h, point)
    (cotangent,) = pullback(c)
    _, pushforward = linearize(h, point)

    rows = sum(terms(y) for y in h([*map(Value, point)]))
    unit = 1e-13 * rows * (1.0 + largest(c)) * (1.0 + largest(t))
    assert_near(flat(pushforward(t)), flat(tangent), unit)
    along_t = sum(map(operator.mul, c, flat(tangent)))
    assert_near([along_t], [sum(map(operator.mul, cotangent, t))], 10.0 * unit)


@settings(max_examples=50)
@given(f=expressions(max_size=5), g=expressions(max_size=5), point=POINTS)
def test_the_jacobian_is_the_same_by_every_sweep(f, g, point):
    for outputs in ([f], [f, g], [f, g, f, g]):

        def h(xs, outputs=outputs):
            return [y(xs) for y in outputs]

        unit = 1e-14 * sum(map(terms, h([*map(Value, point)])))
        expected = flat(jacobian_reverse(h)(point))
        for mode in (jacobian, jacobian_forward, forward, traced(jacobian), of_program(jacobian)):
            assert_near(expected, flat(mode(h)(point)), unit)


@settings(max_examples=50)
@given(f=expressions(max_size=5), point=POINTS, v=POINTS)
def test_hvp_is_the_hessian_times_a_vector(f, point, v):
    rows = hessian(f)(point)
    expected = [sum(map(operator.mul, row, v)) for row in rows]
    root_terms = unit_of(f, point)
    unit = 1e-12 * (1.0 + root_terms) * (1.0 + largest(flat(rows))) * 6.0
    assert_near(expected, hvp(f, point, v), unit)
    assert_near(expected, jvp(grad(f), (point,), (v,))[1], unit)
    assert_near(expected, vjp(grad(f), point)[1](v)[0], unit)


# Euler's identity, Taylor's remainder


HOMOGENEOUS = {  # functions of degree k: f(s x) = s^k f(x) for s > 0
    "norm": (1, norm),
    "hypot": (1, lambda xs: hypot(xs[0], xs[1])),
    "geometric mean": (1, lambda xs: (xs[0] * xs[1] * xs[2]) ** (1 / 3)),
    "maximum": (1, lambda xs: maximum(xs[0], maximum(xs[1], xs[2]))),
    "quotient": (0, lambda xs: xs[0] / norm(xs)),
    "logarithm": (0, lambda xs: log(xs[0] / xs[1]) + tanh(xs[2] / xs[1])),
    "product": (3, lambda xs: xs[0] * xs[1] * xs[2]),
    "power": (2.5, lambda xs: xs[0] ** 2.5 + xs[1] ** 1.5 * xs[2]),
    "inverse": (-2, lambda xs: 1.0 / (xs[0] * xs[1] + square(xs[2]))),
    "where": (2, lambda xs: where(xs[0] < xs[1], xs[2] ** 2, xs[0] * xs[1])),
}
POSITIVE = vectors(st.integers(1, 80).map(lambda n: n / 16))


@pytest.mark.parametrize(("degree", "f"), HOMOGENEOUS.values(), ids=HOMOGENEOUS)
@settings(max_examples=10)
@given(point=POSITIVE)
def test_euler_s_identity_holds_in_every_mode(degree, f, point):
    """<x, grad f> = k f, and H x = (k - 1) grad f."""
    assume(len({*point}) == 3)
    value, gradient = value_and_grad(f)(point)
    for mode in FIRST.values():
        products = [*map(operator.mul, point, flat(mode(f)(point)))]
        assert_near([degree * value], [sum(products)], 1e-13 * (largest(products) + abs(value)))
    for mode in (hessian, SECOND["forward over forward"], SECOND["Program of hessian"]):
        for row, slope in zip(mode(f)(point), gradient, strict=True):
            products = [*map(operator.mul, row, point)]
            unit = 1e-12 * (largest(products) + abs(slope))
            assert_near([(degree - 1) * slope], [sum(products)], unit)


SMOOTH = {
    "exp sin": lambda xs: exp(sin(xs[0] * xs[1])) + xs[2] ** 3,
    "quotient": lambda xs: xs[0] / (1.0 + xs[1] ** 2) * cos(xs[2]),
    "logsumexp": lambda xs: logsumexp([xs[0], 2.0 * xs[1], xs[2] * xs[0]]),
    "power": lambda xs: xs[0] ** xs[1] * sqrt(xs[2]),
    "softmax": lambda xs: softmax(xs)[0] * tanh(xs[1]),
}


@pytest.mark.parametrize("f", SMOOTH.values(), ids=SMOOTH)
@pytest.mark.parametrize("mode", ["reverse", "forward", "Program"])
def test_taylor_s_remainder_falls_at_the_order_of_what_is_left_out(f, mode):
    """f(x + h v) - f - h J v - h^2/2 v H v is of order 1, 2, 3 with 0, 1, 2 derivatives."""
    x, v = [0.75, 1.25, 0.5], [0.5, -0.25, 0.75]
    gradient_of, second_of = {
        "reverse": (grad, by_hvp),
        "forward": (forward, SECOND["forward over forward"]),
        "Program": (traced(grad), traced(hessian)),
    }[mode]
    slope = sum(map(operator.mul, gradient_of(f)(x), v))
    curvature = sum(
        a * sum(map(operator.mul, row, v)) for a, row in zip(v, second_of(f)(x), strict=True)
    )
    series = [f(x), slope, curvature / 2.0]
    for order in (1, 2, 3):
        remainders = []
        for h in (2.0**-7, 2.0**-8):
            moved = f([a + h * b for a, b in zip(x, v, strict=True)])
            remainders.append(moved - sum(c * h**k for k, c in enumerate(series[:order])))
        assert math.log2(abs(remainders[0] / remainders[1])) == pytest.approx(order, abs=0.05)


# Nesting: perturbation confusion


def slope(f):
    """The derivative of a function of one number, by jvp."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


KINDS = {"grad": grad, "jvp": slope}
nestings = functools.partial(
    pytest.mark.parametrize,
    "kinds",
    [*itertools.product(KINDS.values(), repeat=3)],
    ids=["-".join(names) for names in itertools.product(KINDS, repeat=3)],
)


@nestings()
def test_siskind_and_pearlmutter_s_derivatives_inside_derivatives(kinds):
    """Perturbation confusion, IFL 2005; Nesting forward-mode AD, HOSC 2008."""
    D, E, F = kinds
    assert D(lambda x: x * E(lambda y: x + y)(1.0))(1.0) == 1.0
    assert D(lambda x: x * E(lambda y: x * y)(2.0))(3.0) == 6.0
    assert D(lambda x: x * E(lambda _: x)(2.0) + x)(3.0) == 1.0
    assert D(lambda x: E(lambda y: y * F(lambda z: x * y * z)(y))(x))(2.0) == 8.0
    assert D(D(lambda x: x * E(lambda y: x * x * y * F(lambda z: z * y)(1.0))(x)))(1.0) == 24.0


@nestings()
def test_autograd_jl_s_tapes_are_not_confused(kinds):
    """AutoGrad.jl, pull request 75: the inner derivative taken at the outer variable itself."""
    D, E, _ = kinds
    assert D(lambda x: x * E(lambda y: x + y)(x))(5.0) == 1.0
    assert D(lambda x: x * E(lambda y: x + y)(1 * x))(5.0) == 1.0


@nestings()
def test_the_amazing_bug_of_derivatives_of_shifted_functions(kinds):
    """Manzyuk, Pearlmutter, Radul, Rush, Siskind 2019: D^ (D^ h) is h'', where a bug has h'."""
    D, E, _ = kinds

    def shifted_slope(kind, f):
        return lambda x: kind(lambda u: f(x + u))(0.0)

    twice = shifted_slope(D, shifted_slope(E, lambda x: x**3))
    assert twice(2.0) == 12.0
    assert shifted_slope(D, twice)(2.0) == 6.0


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_derivative_of_a_function_that_gives_a_function_is_refused(kind):
    """The confusion of 2019 needs it, and nothing here gives it a number's structure."""
    with pytest.raises(TypeError, match=r"f's result: expected a number .*, got function"):
        kind(lambda u: lambda x: x + u)(0.0)


@nestings()
def test_nested_derivatives_of_a_trace_are_not_confused_either(kinds):
    D, E, F = kinds

    def f(x):
        return D(lambda y: x * y * E(lambda z: x * z * y)(y) * F(lambda w: w * x + y)(x))(x)

    # x y (x y) x = x^3 y^2, by y at y = x is 2 x^4
    assert f(3.0) == 2 * 3.0**4
    assert trace(f, 0.0)(3.0) == 2 * 3.0**4
    assert D(f)(3.0) == E(trace(f, 0.0))(3.0) == trace(F(f), 0.0)(3.0) == 8 * 3.0**3


@pytest.mark.parametrize("n", range(1, 6))
def test_derivatives_of_any_order_and_nesting_are_those_of_the_power(n):
    for kinds in itertools.product(KINDS.values(), repeat=n):
        f = functools.reduce(lambda g, kind: kind(g), kinds, lambda x: x**7)
        expected = math.perm(7, n) * 2.0 ** (7 - n)
        assert f(2.0) == expected
        assert trace(f, 0.0)(2.0) == expected


# Branches that are not selected


def infinite(x):
    return exp(800.0 * x)  # inf at 1, and so is its derivative


def dead_in_both(x):
    bad = infinite(x) - x
    return where(x > 0.0, x, bad) + where(x < 0.0, bad * bad, 0.0)


def alive_in_one(x):
    y = 1.0 * x
    return where(x > 0.0, y, infinite(y)) + where(x < 0.0, y * pow(y - 1.0, -1.0), y) - y


UNSELECTED = {  # all are x at 1
    "where": lambda x: where(x > 0.0, x, infinite(x)),
    "where not": lambda x: where(x < 0.0, infinite(x), x),
    "nan": lambda x: where(x > 0.0, x, log(-x)),
    "infinite partial": lambda x: where(x > 0.0, x, (x - 1.0) ** 0.5),
    "maximum": lambda x: maximum(-infinite(x), x),
    "minimum": lambda x: minimum(x, infinite(x)),
    "clip": lambda x: clip(x, -infinite(x), infinite(x)),
    "relu": lambda x: x + relu(-infinite(x)),
    "times": lambda x: x + times(0.0, infinite(x)),
    "nested": lambda x: where(x > 0, maximum(x, -infinite(x)), where(x > 0, infinite(x), -x)),
    "nested in what is not selected": lambda x: where(x > 0, x, maximum(infinite(x), log(-x))),
    "deep": lambda x: where(x > 0.0, x, tanh(infinite(x) * infinite(x)) * log(-x)),
    "list": lambda x: where(x > 0.0, x, logsumexp([infinite(x), x]) + softmax([log(-x), x])[0]),
    "list of kinks": lambda x: where(
        x > 0.0, x, norm([x - 1.0, 2.0 * (x - 1.0)]) * pow(x - 1.0, -1.0)
    ),
    "condition": lambda x: where(infinite(x) > 0.0, x, infinite(x)),
    "joined, dead in both": dead_in_both,
    "joined, alive in one": alive_in_one,
    "alive in a constant": lambda x: x + 0.0 * (1.0 + where(x > 0.0, 2.0, infinite(x))),
    "an infinite partial above": lambda x: x + sqrt(log(where(x > 0.0, 1.0, x))),
    "of a factor": lambda x: x + times(where(x > 0.0, 0.0, x), infinite(x)),
}
ONE_NUMBER = {
    "grad": grad,
    "jvp": slope,
    "recorded": lambda f: lambda x: grad(f)(Value(x)).data,
    "jvp at a Value": lambda f: lambda x: float(slope(f)(Value(x))),
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "Program of grad": lambda f: trace(grad(f), 0.0),
    "grad of a Program": lambda f: grad(trace(f, 0.0)),
    "Program of jvp": lambda f: trace(slope(f), 0.0),
}
ONE_NUMBER_TWICE = {
    "hessian": hessian,
    "hvp": lambda f: lambda x: hvp(f, x, 1.0),
    **{
        f"{outer} of {inner}": lambda f, a=a, b=b: a(b(f))
        for (outer, a), (inner, b) in itertools.product(ONE_NUMBER.items(), repeat=2)
        if {outer, inner}.isdisjoint({"recorded", "jvp at a Value"})
    },
    "Program of hessian": lambda f: trace(hessian(f), 0.0),
    "grad at a Value of grad": lambda f: lambda x: grad(grad(f))(Value(x)).data,
}
branches = functools.partial(pytest.mark.parametrize, "f", UNSELECTED.values(), ids=UNSELECTED)


@branches()
def test_an_unselected_branch_contributes_nothing_in_any_mode(f):
    assert f(1.0) == trace(f, 0.0)(1.0) == written(trace(f, 0.0))(1.0) == 1.0
    for name, mode in ONE_NUMBER.items():
        assert mode(f)(1.0) == 1.0, name
    for name, mode in ONE_NUMBER_TWICE.items():
        assert mode(f)(1.0) == 0.0, name
    for kinds in itertools.product(KINDS.values(), repeat=3):
        third = functools.reduce(lambda g, kind: kind(g), kinds, f)
        assert third(1.0) == trace(third, 0.0)(1.0) == 0.0


OF_DERIVATIVES = {  # functions of a derivative that is 0 because nothing was selected
    "relu": lambda kind: lambda x: log(kind(relu)(x)),
    "where": lambda kind: lambda x: sqrt(kind(lambda y: where(y > 0.0, y * y, 2.0))(x)),
}


@pytest.mark.parametrize("g", OF_DERIVATIVES.values(), ids=OF_DERIVATIVES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_derivative_that_nothing_flows_to_is_a_constant_in_every_mode(g, kind):
    for name, mode in ONE_NUMBER.items():
        assert mode(g(kind))(-1.0) == 0.0, name


HIDES_NOTHING = {  # 0 times inf
    "constant times inf": (lambda x: 0.0 * log(x), 0.0),
    "x log x": (lambda x: x * log(x), 0.0),
    "sqrt of a square": (lambda x: sqrt(x * x), 0.0),
    "square of a root": (lambda x: square(sqrt(x)), 0.0),
    "a selected zero": (lambda x: 0.0 * where(x < 1.0, log(x), 1.0), 0.0),
    "a joined branch": (lambda x: where(x < 1.0, 0.0 * log(x), 1.0) + where(x > 1.0, x, 2.0), 0.0),
    "through a factor 0": (lambda x: x + times(step(x - 5.0), infinite(x)), 1.0),
}


@pytest.mark.parametrize(("f", "x"), HIDES_NOTHING.values(), ids=HIDES_NOTHING)
def test_elsewhere_0_times_inf_is_nan_in_every_mode(f, x):
    for name, mode in ONE_NUMBER.items():
        assert math.isnan(mode(f)(x)), name


def test_times_has_the_derivative_by_a_factor_that_is_0_in_every_mode():
    def product(xs):
        return times(xs[0], xs[1])

    for name, mode in FIRST.items():
        assert flat(mode(product)([0.0, 5.0])) == [5.0, 0.0], name
    for name, mode in SECOND.items():
        assert flat(mode(product)([0.0, 5.0])) == [0.0, 1.0, 1.0, 0.0], name


def power(xs):
    return xs[0] ** xs[1]


def test_the_mixed_derivatives_of_a_power_at_exponent_0_are_the_true_ones():
    """1/x and -1/x^2 at (2, 0): 0.5 and -0.25, where others have 0."""
    point = [2.0, 0.0]
    by = [(0, 1), (0, 0, 1)]
    assert [float(derivative(lambda x, y: x**y, point, b)) for b in by] == [0.5, -0.25]
    for name, mode in SECOND.items():
        assert mode(power)(point)[0][1] == mode(power)(point)[1][0] == 0.5, name
    for order in {*itertools.permutations([0, 0, 1])}:
        for kinds in itertools.product([jacobian_reverse, forward], repeat=3):
            f = power
            for position, kind in zip(order, kinds, strict=True):
                f = component(kind(f), position)
            assert f(point) == trace(f, point)(point) == by_programs(kinds, order)(point) == -0.25


def component(f, position):
    return lambda xs: f(xs)[position]


def by_programs(kinds, order):
    """The same, each derivative but the first taken of a Program."""
    f = power
    for position, kind in zip(order, kinds, strict=True):
        f = component(kind(trace(f, [0.0, 0.0])), position)
    return f


def test_constants_made_inside_no_grad_are_constants_in_every_mode():
    def f(x):
        with no_grad():
            y = x * x
        return x * y

    for name, mode in ONE_NUMBER.items():
        assert mode(f)(3.0) == 9.0, name


# The cost of a gradient


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]
FUNCTIONS = [exp, log, sin, cos, tanh, sqrt]
FREE = {"where", "truth", "less", "less_equal", "equal", "not_equal", "stop_gradient"}


def random_function(rng, size):
    """A function of three numbers in which every operation counts for the result."""
    steps = [(rng.choice(ARITHMETIC + FUNCTIONS), rng.random(), rng.random()) for _ in range(size)]

    def f(xs):
        results = [*xs]
        for operation, place, side in steps:
            operands = [results[-1], results[int(place * len(results))]]
            if operation in FUNCTIONS:
                operands = operands[:1]
            results.append(operation(*(operands if side < 0.5 else operands[::-1])))
        return results[-1]

    return f


def cost(program):
    return sum(row.name not in FREE for row, _ in program.instructions)


def test_value_and_gradient_cost_at_most_five_times_the_function():
    """Griewank's bound, counted: A. Griewank, On automatic differentiation, 1989."""
    rng = random.Random(1989)
    for _ in range(1000):
        f = random_function(rng, rng.randint(5, 60))
        function, gradient = trace(f, [0.0] * 3), trace(value_and_grad(f), [0.0] * 3)
        assert cost(gradient) <= 5 * cost(function), str(function)


CHAINS = {
    "+": (1, operator.add),
    "-": (1, operator.sub),
    "*": (4, operator.mul),
    "/": (7, operator.truediv),  # alone above the bound: a quotient has two partials of its own
    **{
        f.name: (n, lambda x, _, f=f: f(x))
        for f, n in zip(FUNCTIONS, (2, 3, 3, 4, 4, 3), strict=True)
    },
}


@pytest.mark.parametrize(("bound", "operation"), CHAINS.values(), ids=CHAINS)
def test_a_chain_of_one_operation_costs_so_many_times_the_function(bound, operation):
    def f(xs):
        a, b = xs
        for _ in range(50):
            a, b = operation(a, b), a
        return a

    assert cost(trace(value_and_grad(f), [0.0] * 2)) <= bound * cost(trace(f, [0.0] * 2))
