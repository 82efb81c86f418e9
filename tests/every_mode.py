"""Every operation's derivatives in every mode of differentiation."""

from __future__ import annotations

import functools

from reference_values import places, truths

from autograd import Value, grad, gradients, hessian, jvp, trace

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


# Third derivatives


def by(f, i):
    """The derivative of f by its i-th number, as a function again."""
    return lambda xs: grad(f)(xs)[i]


def third_derivative(f, xs, positions):
    for i in positions:
        f = by(f, i)
    return f(xs)


# Answers at the points of the table


def number(answer, positions):
    for i in positions:
        answer = answer[i]
    return answer


def in_mode(operation, mode, order):
    """Its answers: truths, by which operands, numbers; of second derivatives in either order."""
    for truth in truths(operation.name):
        answer = mode(operation.function, [*truth.point])
        for positions in places(len(truth.point)):
            if len(positions) == order:
                for either in {positions, positions[::-1]}:
                    yield truth, positions, number(answer, either)


def at_places(*orders):
    """Of a value, first and second partials all numbers, by the operands to differentiate by."""
    return {p: number(orders[len(p)], p) for p in places(len(orders[1]))}


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
