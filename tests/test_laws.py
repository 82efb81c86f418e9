"""Laws of derivatives on random expressions, against exact arithmetic on fractions."""

from __future__ import annotations

import operator
import struct
import sys
from fractions import Fraction
from itertools import permutations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd import Value, cos, dot, exp, hypot, log1p, logsumexp, maximum, sigmoid, sqrt, tanh
from autograd.backward import cotangents

NAMES = "abc"
EPSILON = Fraction(sys.float_info.epsilon)


def points(coordinates):
    return st.tuples(*[coordinates] * 3).map(lambda xs: dict(zip(NAMES, xs, strict=True)))


WHOLE = points(st.integers(-9, 9))
POINTS = points((st.integers(1, 64) | st.integers(-64, -1)).map(lambda n: n / 16))
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "neg": operator.neg,
    **{f"to the {n}": lambda x, n=n: x**n for n in range(-2, 4)},
}


def programs(*operations):
    """Expressions with shared parts: a list of (operation, positions of operands counted back)."""
    instruction = st.tuples(st.sampled_from(operations), st.integers(0, 2), st.integers(0, 6))
    return st.lists(instruction, min_size=2, max_size=7)


def evaluate(program, numbers, constant=float, operations=OPERATORS):
    """The last result of the program, in the kind of number of `numbers`."""
    results = [constant(2), constant(-3), *numbers.values()]
    for name, *positions in program:
        operation = operations[name]
        arity = 1 if name in UNARY else 2
        operands = [results[-1 - i % len(results)] for i in positions[:arity]]
        results.append(operation(*operands))
    return results[-1]


def gradient(program, point):
    """Its value and its derivative by every name, by the engine."""
    leaves = {name: Value(x) for name, x in point.items()}
    root = evaluate(program, leaves)
    totals = cotangents(root) if isinstance(root, Value) else {}
    return float(root), [totals.get(leaf, 0.0) for leaf in leaves.values()]


FUNCTIONS = {
    "tanh": tanh,
    "sigmoid": sigmoid,
    "cos": cos,
    "exp tanh": lambda x: exp(tanh(x)),
    "log1p square": lambda x: log1p(x * x),
    "sqrt": lambda x: sqrt(x * x + 1.0),
    "hypot": hypot,
    "maximum": maximum,
    "dot": lambda x, y: dot([x, y], [y, 0.5], x),
    "logsumexp": lambda x, y: logsumexp([x, y, 0.5]),
}
UNARY = {"neg", "tanh", "sigmoid", "cos", "exp tanh", "log1p square", "sqrt"}
UNARY |= {name for name in OPERATORS if name.startswith("to the")}
POLYNOMIALS = programs("+", "-", "*", "neg", "to the 0", "to the 1", "to the 2", "to the 3")
RATIONALS = programs(*OPERATORS)
SMOOTH = programs("+", "-", "*", "neg", *FUNCTIONS)


# Rational expressions against exact dual numbers

TINY = Fraction(2) ** -300  # underflow and overflow are far away


class Dual:
    """A number p + q d with fractions p and q, where d d = 0 (Clifford 1873): exact derivatives.

    `p_error` and `q_error` bound what rounding does to p and q in floats, to first order, in units
    of one rounding; `paths` is the sum over all paths of the size of what each contributes to q.
    """

    def __init__(self, p, q=0, p_error=0, q_error=0, paths=None):
        self.p, self.q = Fraction(p), Fraction(q)
        self.p_error, self.q_error = p_error, q_error
        self.paths = abs(self.q) if paths is None else paths
        assume(max(abs(self.p), self.paths) < 1 / TINY)

    def __neg__(self):
        return Dual(-self.p, -self.q, self.p_error, self.q_error, self.paths)

    def __add__(self, other):
        p, paths = self.p + other.p, self.paths + other.paths
        p_error = self.p_error + other.p_error + abs(p)
        return Dual(p, self.q + other.q, p_error, self.q_error + other.q_error + paths, paths)

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        a, b = abs(self.p), abs(other.p)
        p_error = a * other.p_error + self.p_error * b + a * b
        paths = a * other.paths + self.paths * b
        q_error = (
            a * other.q_error
            + self.p_error * other.paths
            + self.paths * other.p_error
            + self.q_error * b
            + paths
        )
        q = self.p * other.q + self.q * other.p
        return Dual(self.p * other.p, q, p_error, q_error, paths)

    def reciprocal(self):
        assume(abs(self.p) > max(1000 * EPSILON * self.p_error, TINY))  # else first order is wrong
        r = 1 / self.p
        size = abs(r)
        p_error = size**2 * self.p_error + size
        paths = size**2 * self.paths
        q_error = size**2 * self.q_error + 2 * size * self.paths * p_error + paths
        return Dual(r, -r * r * self.q, p_error, q_error, paths)

    def __truediv__(self, other):
        return self * other.reciprocal()

    def __pow__(self, n):
        answer = Dual(1)
        for _ in range(abs(n)):
            answer = answer * self
        return answer if n >= 0 else answer.reciprocal()


@settings(max_examples=300)
@given(program=RATIONALS, point=POINTS)
def test_rational_expressions_have_their_exact_derivatives(program, point):
    duals = [
        evaluate(program, {n: Dual(x, n == name) for n, x in point.items()}, Dual) for name in NAMES
    ]

    value, partials = gradient(program, point)

    for dual, partial in zip(duals, partials, strict=True):
        assert abs(Fraction(value) - dual.p) <= 2 * EPSILON * dual.p_error + TINY
        assert abs(Fraction(partial) - dual.q) <= 4 * EPSILON * dual.q_error + TINY


# Whole numbers, on which floats are exact


SIZES = {**OPERATORS, "-": operator.add, "neg": operator.pos}


def sizes(programs, numbers):
    """Bounds of what programs can meet, forward or backward, from bounds of their numbers."""
    return {
        name: evaluate(program, numbers, lambda n: abs(n) + 1, SIZES)
        for name, program in zip(NAMES, programs, strict=False)
    }


def larger(point):
    return {name: abs(x) + 1 for name, x in point.items()}


def exact_gradient(program, point):
    """The gradient where floats hold every number on the way exactly."""
    assume(sizes([program], larger(point))["a"] < 2**50)
    value, partials = gradient(program, point)
    return int(value), [*map(int, partials)]


@given(program=POLYNOMIALS, point=WHOLE)
def test_polynomials_of_whole_numbers_have_exact_derivatives(program, point):
    value, partials = exact_gradient(program, point)
    duals = [
        evaluate(program, {n: Dual(x, n == name) for n, x in point.items()}, Dual) for name in NAMES
    ]
    assert value == duals[0].p
    assert partials == [dual.q for dual in duals]


def combined(operation, f, g, point):
    """The gradient of an operation on two programs that share their leaves."""
    leaves = {name: Value(x) for name, x in point.items()}
    root = OPERATORS[operation](evaluate(f, leaves), evaluate(g, leaves))
    totals = cotangents(root) if isinstance(root, Value) else {}
    return [totals.get(leaf, 0.0) for leaf in leaves.values()]


@given(f=POLYNOMIALS, g=POLYNOMIALS, point=WHOLE)
def test_the_gradient_of_a_sum_is_the_sum_of_the_gradients(f, g, point):
    (_, df), (_, dg) = exact_gradient(f, point), exact_gradient(g, point)
    assert combined("+", f, g, point) == [a + b for a, b in zip(df, dg, strict=True)]


@given(f=POLYNOMIALS, g=POLYNOMIALS, point=WHOLE)
def test_the_gradient_of_a_product_follows_the_product_rule(f, g, point):
    (u, df), (v, dg) = exact_gradient(f, point), exact_gradient(g, point)
    expected = [a * v + u * b for a, b in zip(df, dg, strict=True)]
    of_f, of_g = sizes([f, g], larger(point)).values()
    assume(of_f * of_g < 2**50)
    assert combined("*", f, g, point) == expected


@given(f=POLYNOMIALS, inner=st.tuples(*[POLYNOMIALS] * 3), point=WHOLE)
def test_the_gradient_of_a_composition_follows_the_chain_rule(f, inner, point):
    values, jacobian = zip(*(exact_gradient(g, point) for g in inner), strict=True)
    _, df = exact_gradient(f, dict(zip(NAMES, values, strict=True)))
    assume(sizes([f], sizes(inner, larger(point)))["a"] < 2**50)
    expected = [sum(d * row[i] for d, row in zip(df, jacobian, strict=True)) for i in range(3)]

    leaves = {name: Value(x) for name, x in point.items()}
    middle = {name: evaluate(g, leaves) for name, g in zip(NAMES, inner, strict=True)}
    root = evaluate(f, middle)
    totals = cotangents(root) if isinstance(root, Value) else {}

    assert [totals.get(leaf, 0.0) for leaf in leaves.values()] == expected


@given(f=POLYNOMIALS, point=WHOLE, cotangent=st.integers(-8, 8))
def test_the_gradient_is_linear_in_the_cotangent(f, point, cotangent):
    _, once = exact_gradient(f, point)
    assume(sizes([f], larger(point))["a"] < 2**45)
    leaves = {name: Value(x) for name, x in point.items()}
    root = evaluate(f, leaves)
    assume(isinstance(root, Value))

    root.backward(cotangent)
    root.backward(5 - cotangent)

    assert [leaf.grad for leaf in leaves.values()] == [5 * g for g in once]


# Any functions, to the last bit


ALL = {**OPERATORS, **FUNCTIONS}


def bits(numbers):
    return [struct.pack("<d", x) for x in numbers]


@given(program=SMOOTH, point=POINTS)
def test_floats_and_values_give_the_same_bits(program, point):
    of_floats = evaluate(program, point, float, ALL)
    of_values = evaluate(program, {n: Value(x) for n, x in point.items()}, float, ALL)
    assert bits([of_floats]) == bits([float(of_values)])


@given(program=SMOOTH, point=POINTS)
def test_the_order_in_which_leaves_were_made_changes_no_bit(program, point):
    gradients = []
    for order in permutations(NAMES):
        made = {name: Value(point[name]) for name in order}
        leaves = {name: made[name] for name in NAMES}
        root = evaluate(program, leaves, float, ALL)
        assume(isinstance(root, Value))
        root.backward()
        gradients.append(bits(leaf.grad for leaf in leaves.values()))
    assert all(g == gradients[0] for g in gradients)
