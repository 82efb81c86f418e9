"""Functions of one list of numbers to differentiate: rows of the table and random expressions.

With them, how large the terms are that a derivative adds up: rounding is measured by these, because
a sum whose terms cancel has no other unit.
"""

from __future__ import annotations

import operator
import struct
from collections import Counter

from hypothesis import strategies as st
from reference import points

from autograd import (
    Value,
    cos,
    dot,
    exp,
    hypot,
    log1p,
    logsumexp,
    maximum,
    sigmoid,
    sin,
    sqrt,
    tanh,
    where,
)
from autograd.backward import topological_order
from autograd.primitives import TABLE

SIZE = 3  # how many numbers an expression is of
BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda x, y: x / (y * y + 1.0),
    "^": lambda x, y: (x * x + 0.5) ** tanh(y),
    "hypot": lambda x, y: hypot(x, y + 0.25),
    "dot": lambda x, y: dot([x, y], [y, 0.5], x),
    "logsumexp": lambda x, y: logsumexp([x, y, 0.5]),
    "maximum": maximum,
    "where": lambda x, y: where(x < y, sin(x), x * y),
}
UNARY = {
    "neg": operator.neg,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "cos": cos,
    "exp tanh": lambda x: exp(tanh(x)),
    "log1p square": lambda x: log1p(x * x),
    "sqrt": lambda x: sqrt(x * x + 1.0),
}
OPERATIONS = BINARY | UNARY
POLYNOMIAL = ("+", "-", "*", "neg", "square", "cube")


class Expression:
    """A list of (operation, positions of its operands, counted back) as a function of a list."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, xs):
        return self.evaluate(xs, OPERATIONS, (2.0, -3.0))

    def evaluate(self, xs, operations, constants):
        results = [*constants, *xs]
        for name, *positions in self.steps:
            operands = [results[-1 - k % len(results)] for k in positions]
            results.append(operations[name](*operands[: 1 if name in UNARY else 2]))
        return results[-1]

    def __repr__(self):
        return f"Expression({self.steps})"


def expressions(operations=tuple(OPERATIONS), max_size=7):
    step = st.tuples(st.sampled_from(operations), st.integers(0, 2), st.integers(0, 6))
    return st.lists(step, min_size=2, max_size=max_size).map(Expression)


def vectors(coordinates):
    return st.lists(coordinates, min_size=SIZE, max_size=SIZE)


SIXTEENTHS = (st.integers(1, 32) | st.integers(-32, -1)).map(lambda n: n / 16)
POINTS = vectors(SIXTEENTHS)
WHOLE = vectors(st.integers(-9, 9).map(float))


def of_list(row):
    """The row as a function of one list."""
    return row.bind


def points_of(row):
    """At most three points for each length, the first an end of the row's domain."""
    seen = Counter()
    for point in points(row, 1):
        seen[len(point)] += 1
        if seen[len(point)] <= 3:
            yield [*point]


ROWS = [*TABLE.values()]


def bits(x):
    """Tells -0.0 from 0.0; every nan is one nan."""
    return "nan" if x != x else struct.pack("<d", x)  # noqa: PLR0124


def same_bits(xs, ys):
    return [*map(bits, xs)] == [*map(bits, ys)]


def flat(structure):
    """The numbers of nested lists, as floats."""
    if isinstance(structure, list | tuple):
        return [x for item in structure for x in flat(item)]
    return [float(structure)]


def unit_vectors(size):
    return [[float(i == j) for j in range(size)] for i in range(size)]


def terms(root):
    """The largest sum, over all nodes, of the sizes of what is added to a cotangent."""
    if not isinstance(root, Value):
        return 0.0
    order = topological_order(root)
    sizes = dict.fromkeys(order, 0.0)
    sizes[root] = 1.0
    for node in reversed(order):
        half = len(node.edges) // 2
        for operand, partial in zip(node.edges[:half], node.edges[half:], strict=True):
            if partial is not None and sizes[node]:
                sizes[operand] += sizes[node] * abs(partial)
    return max(sizes.values())


def readme_example():
    """The example of micrograd's README, which prints 24.7041, 138.8338 and 645.5773."""
    a, b = Value(-4.0, "a"), Value(2.0, "b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g
