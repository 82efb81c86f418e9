"""Every operation's derivatives in every mode of differentiation, and how far off they are."""

from __future__ import annotations

import functools
import random

import reference_values
from mpmath import mpf
from reference import (
    BOUND,
    CONSTANTS,
    EXCEPTIONS,
    OPERATIONS,  # noqa: F401  of those who import this
    derivative,
    points,
    size_nearby,
    ulps,
)

from autograd import Value, grad, gradients, hessian, jvp, trace
from autograd.primitives import Reduction


def trial_points(operation, count):
    """Fewer of each kind for lists, which are tried in several lengths."""
    return points(operation.row, -(-count // 4) if isinstance(operation.row, Reduction) else count)


# Modes: of a function and the numbers it is taken at, the derivative by each number


def directions(xs):
    return [[float(i == j) for j in range(len(xs))] for i in range(len(xs))]


def reverse(f, xs):
    leaves = [*map(Value, xs)]
    z = f(leaves)
    if isinstance(z, Value):  # else it is a plain number, and nothing flows
        z.backward()
    return [leaf.grad for leaf in leaves]


def forward(f, xs):
    return [jvp(f, (xs,), (direction,))[1] for direction in directions(xs)]


def recorded(f, xs):
    leaves = [*map(Value, xs)]
    z = f(leaves)
    return gradients(z, leaves) if isinstance(z, Value) else [0.0] * len(xs)


@functools.cache
def traced_gradient(f, size):
    return trace(grad(f), [0.0] * size)


def traced(f, xs):
    return traced_gradient(f, len(xs))(xs)


@functools.cache
def source_of_gradient(f, size):
    names = {}
    exec(traced_gradient(f, size).to_python(), names)
    return names["program"]


def source(f, xs):
    return source_of_gradient(f, len(xs))(xs)


# and of second derivatives the matrix


def reverse_over_reverse(f, xs):
    return hessian(f)(xs)


def forward_over_reverse(f, xs):
    return forward(grad(f), xs)


def reverse_over_forward(f, xs):
    return [grad(lambda xs, d=d: jvp(f, (xs,), (d,))[1])(xs) for d in directions(xs)]


def forward_over_forward(f, xs):
    return [forward(lambda xs, d=d: jvp(f, (xs,), (d,))[1], xs) for d in directions(xs)]


@functools.cache
def traced_matrix(f, size):
    return trace(hessian(f), [0.0] * size)


def traced_hessian(f, xs):
    return traced_matrix(f, len(xs))(xs)


MODES = {
    1: {
        "reverse": reverse,
        "forward": forward,
        "recorded": recorded,
        "traced": traced,
        "source": source,
    },
    2: {
        "reverse over reverse": reverse_over_reverse,
        "forward over reverse": forward_over_reverse,
        "reverse over forward": reverse_over_forward,
        "forward over forward": forward_over_forward,
        "traced hessian": traced_hessian,
    },
}


# Errors

# of the rows, and of softmax and log_softmax, which are composed of rows
ALL_EXCEPTIONS = EXCEPTIONS | {
    ("softmax", 2): (16.0, "it changes sign; in ulps of the smaller first derivative"),
    ("log_softmax", 1): (8.0, "1 - p cancels where p is nearly 1; in ulps of 1"),
    ("log_softmax", 2): (40.0, "half an ulp more for each of largest - smallest"),
}


@functools.cache
def expected(operation, point, positions):
    if operation.name in CONSTANTS:
        return mpf(0)
    return derivative(operation.reference, point, positions)


@functools.cache
def size_near(operation, point, positions):
    """The unit of an exception is the last place of this."""
    if operation.name == "log_softmax":
        return 1 if len(positions) == 1 else 0
    if operation.name == "softmax":
        return min(abs(expected(operation, point, (i,))) for i in positions)
    return size_nearby(operation.reference, point, positions)


def error(operation, point, positions, answer):
    """In ulps; where an exception says so, of the size nearby."""
    found = ulps(answer, expected(operation, point, positions))
    if found > BOUND and (operation.name, len(positions)) in ALL_EXCEPTIONS:
        size = size_near(operation, point, positions)
        found = ulps(answer, expected(operation, point, positions), size)
    return found


def places(size, order):
    """The operands to differentiate by; of a long list twice by a diagonal and one beside."""
    if order == 1:
        return [(i,) for i in range(size)]
    if size <= 3:
        return [(i, j) for i in range(size) for j in range(size)]
    return [(i, (i + step) % size) for i in range(size) for step in (0, 1)]


def worst_in_every_mode(operation, count):
    """For each mode the largest error over the operation's points: (ulps, positions, point)."""
    worst = {name: (0.0, (), ()) for modes in MODES.values() for name in modes}
    for point in trial_points(operation, count):
        for order, modes in MODES.items():
            for name, mode in modes.items():
                answers = mode(operation.function, [*point])
                for positions in places(len(point), order):
                    answer = answers
                    for i in positions:
                        answer = answer[i]
                    found = error(operation, point, positions, answer)
                    worst[name] = max(worst[name], (found, positions, point))
    return worst


# Third derivatives


def middle_points(operation, count):
    """Points with every operand between -5 and 5, where little under- or overflows."""
    rng = random.Random(operation.name)
    lengths = {len(point) for point in trial_points(operation, 1)}
    domains = operation.row.domain
    return [
        tuple(
            rng.uniform(max(low, -5.0), min(high, 5.0))
            for low, high in (domains[i % len(domains)] for i in range(length))
        )
        for length in sorted(lengths)
        for _ in range(count)
    ]


def by(f, i):
    """The derivative of f by its i-th number, as a function again."""
    return lambda xs: grad(f)(xs)[i]


def third_derivative(f, xs, positions):
    for i in positions:
        f = by(f, i)
    return f(xs)


def beside_a_zero(operation, point, positions):
    """Whether the derivative is below 1e-3 of its size nearby, and changes sign there.

    Nearby is where one operand is a tenth larger or smaller; or is 0.1 more or less, if its domain
    has room on both sides of 0.
    """
    here = expected(operation, point, positions)
    domains = operation.row.domain
    small = changes_sign = False
    for i, x in enumerate(point):
        low, high = domains[i % len(domains)]
        for moved in [x - 0.1, x + 0.1] * (low < 0.0 < high) + [0.9 * x, 1.1 * x]:
            there = derivative(operation.reference, (*point[:i], moved, *point[i + 1 :]), positions)
            small |= abs(here) < 1e-3 * abs(there)
            changes_sign |= here * there <= 0
            if small and changes_sign:
                return True
    return False


# All answers at a point: value, first and second partials, by the operands to differentiate by


def at_places(value, first, second):
    return {
        positions: second[positions[0]][positions[1]]
        if len(positions) == 2
        else first[positions[0]]
        if positions
        else value
        for positions in reference_values.places(len(first))
    }


def eager(operation, points):
    """The engine's answers: `backward` from the value, and `hessian`."""
    f = operation.function
    return [at_places(float(f([*p])), reverse(f, p), hessian(f)([*p])) for p in points]


def compiled(operation, points):
    """What machine code gives, all points of a length being rows of one call."""
    from autograd import jit

    f = operation.function
    code = jit(lambda xs: (f(xs), grad(f)(xs), hessian(f)(xs)), precise=True)
    found = {}
    for size in {len(p) for p in points}:
        rows = [p for p in points if len(p) == size]
        answers = (part.tolist() for part in code.map(rows))
        found |= zip(rows, map(at_places, *answers), strict=True)
    return [found[p] for p in points]
