"""Derivatives of functions: grad, vjp, jacobian, hessian, hvp, linearize.

Each runs the function on numbers that record, and reads what was recorded. They compose with
themselves, each other and `jvp`: a derivative that is taken while another is under way, or at
numbers that are not plain, is recorded in its turn.
"""

from __future__ import annotations

from functools import wraps

from autograd.backward import cotangents, topological_order
from autograd.flow import ALWAYS, Flow
from autograd.forward import Dual, jvp, variable, without_graph
from autograd.modes import differentiating, under_way, unwatched
from autograd.primitives import Scalar, dot, shown
from autograd.recorded import recorded_cotangents
from autograd.structure import Array, flatten, flatten_like, unflatten
from autograd.value import Value, innermost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


class _Run:
    """One run of a function on fresh variables, one for each number of its arguments.

    Attributes:
        numbers: those of the arguments.
        template: the structure of the arguments.
        variables: the numbers f was run on.
        outputs: the numbers it gave.
        output_template: their structure.
        plain: whether derivatives are to be plain numbers; else they are recorded.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any]) -> None:
        self.numbers, self.template = flatten(tuple(args), "args")
        self.plain = not under_way() and not any(map(_records, self.numbers))
        with differentiating():
            self.variables = [*map(variable, self.numbers)]
            result = f(*unflatten(self.template, self.variables))
        self.outputs, self.output_template = flatten(result, "f's result")

    @property
    def value(self) -> Any:
        """What f gave."""
        outputs = [*map(without_graph, self.outputs)] if self.plain else self.outputs
        return unflatten(self.output_template, outputs)

    def output(self, name: str) -> Any:
        """Return the one number that f gave.

        Raises:
            TypeError: it gave something else.
        """
        if self.output_template != 0:
            given = type(unflatten(self.output_template, self.outputs)).__name__
            raise TypeError(
                f"{name}(f): expected f to return one number, got {given} of {len(self.outputs)}; "
                "use jacobian"
            )
        return self.outputs[0]

    def gradient(self, output: Any, *, plain: bool) -> list[Any]:
        """Return the derivative of an output by each variable."""
        found = [g or (0.0, ALWAYS) for g in _gradient(output, self.variables, plain=plain)]
        return [
            Value(g) if isinstance(x, Value) and type(g) is float and not plain else g
            for x, (g, _) in zip(self.variables, found, strict=True)
        ]


def _records(number: Any) -> bool:
    """Whether derivatives at this number must be recorded."""
    if isinstance(number, Dual):
        return _records(number.primal) or _records(number.tangent)
    return isinstance(number, Scalar)


def _gradient(
    output: Any, variables: Sequence[Any], *, plain: bool
) -> list[tuple[Any, Flow] | None]:
    """The derivative of output by each variable, and when it flows; None where it never does.

    Of Duals it is the Dual of the derivatives.
    """
    level = max((x.level for x in (output, *variables) if isinstance(x, Dual)), default=None)
    if level is not None:
        inner = [_part(x, level, "primal") for x in variables]
        primals, tangents = (
            _gradient(_part(output, level, which), inner, plain=plain)
            for which in ("primal", "tangent")
        )
        return [
            (Dual(p[0] if p else 0.0, t[0], level, t[1]), p[1] if p else ALWAYS) if t else p
            for p, t in zip(primals, tangents, strict=True)
        ]
    if type(output) is float:
        return [None] * len(variables)
    if plain:
        if watch := innermost("watch"):
            watch.sweep(output)
        found = cotangents(output)
        return [(found[x], ALWAYS) if x in found else None for x in variables]
    totals, flows, _ = recorded_cotangents(output, variables)
    return [(totals[x], flows[x]) if x in totals else None for x in variables]


def _part(x: Any, level: int, which: str) -> Any:
    if isinstance(x, Dual) and x.level == level:
        return getattr(x, which)
    return x if which == "primal" else 0.0


def _positions(argnums: Any, name: str) -> tuple[int, ...]:
    """Return the positions as a tuple.

    Raises:
        TypeError: they are no ints.
    """
    positions = (argnums,) if not isinstance(argnums, list | tuple) else tuple(argnums)
    if not all(isinstance(position, int) for position in positions):
        raise TypeError(
            f"{name}(f, argnums): expected a position or a sequence of positions, got "
            f"{shown(argnums)}; to differentiate at x write {name}(f)(x)"
        )
    return positions


def _by(
    f: Callable[..., Any], args: Sequence[Any], named: dict[str, Any], argnums: Any, name: str
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return f as a function of the arguments at these positions alone, and those arguments."""
    positions = _positions(argnums, name)
    for position in positions:
        if not -len(args) <= position < len(args):
            raise TypeError(
                f"{name}(f, argnums={argnums!r}): f was called with {len(args)} positional "
                "arguments; argnums counts them from 0"
            )
    if len({position % len(args) for position in positions}) < len(positions):
        raise TypeError(f"{name}(f, argnums={argnums!r}): an argument is named twice")

    def of_these(*chosen: Any) -> Any:
        every = [*args]
        for position, x in zip(positions, chosen, strict=True):
            every[position] = x
        return f(*every, **named)

    return of_these, tuple(args[position] for position in positions)


def _of(template: Any, argnums: Any) -> Any:
    """Return the template of the argument to differentiate by, or of the tuple of arguments."""
    return template[0] if isinstance(argnums, int) else template


def _matrix(template: Any, rows: Sequence[Sequence[Any]], row_template: Any) -> Any:
    """Put rows of derivatives, each in its structure, into the structure of what has them."""
    shape = row_template.shape if isinstance(row_template, Array) else ()
    return unflatten(template, [unflatten(row_template, row) for row in rows], shape)


def value_and_grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., tuple[Any, Any]]:
    """Return the function that gives f(*args) and its gradient, from one run of f.

    As `grad`; `scipy.optimize.minimize(value_and_grad(f), x0, jac=True)` works.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _positions(argnums, "value_and_grad")

    @wraps(f)
    def value_and_gradient(*args: Any, **named: Any) -> tuple[Any, Any]:
        run = _Run(*_by(f, args, named, argnums, "value_and_grad"))
        gradient = run.gradient(run.output("value_and_grad"), plain=run.plain)
        return run.value, unflatten(_of(run.template, argnums), gradient)

    return value_and_gradient


def grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return the function that gives the gradient of f, by one reverse sweep.

    The gradient is by what f is *called* with. What f uses from outside, such as the parameters of
    a model, is constant to it: to differentiate by `Value`s that f closes over, call f, and
    `backward()` on the result, or `gradients(result, values)` for gradients that are graphs. What
    f takes out of the graph (by `float`, `math`, or an array of floats) is constant too. No `.grad`
    is read or changed.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            one number.
        argnums: the position of the argument to differentiate by, or a sequence of positions.

    Returns:
        A function of the same arguments: the derivatives in the structure of the argument (a float
        array for a NumPy array), or a tuple of such for a sequence of positions. On floats it gives
        floats; on `Value`s recorded `Value`s; so it composes with itself to any order.

    Raises:
        TypeError: an argument is no structure of numbers, there is none at this position, or f
            returns something else than one number.

    >>> grad(lambda x, y: x * x * y)(3.0, 2.0)
    12.0
    >>> grad(lambda x, y: x * x * y, argnums=(0, 1))(3.0, 2.0)
    (12.0, 9.0)
    >>> grad(grad(grad(lambda x: x ** 5)))(2.0)
    240.0
    """
    _positions(argnums, "grad")

    @wraps(f)
    def gradient(*args: Any, **named: Any) -> Any:
        run = _Run(*_by(f, args, named, argnums, "grad"))
        found = run.gradient(run.output("grad"), plain=run.plain)
        return unflatten(_of(run.template, argnums), found)

    return gradient


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """f(*args), and its pullback: the function that takes cotangents back, c -> c J(args).

    Returns:
        The value, and a function of a cotangent of the value's structure, which gives a tuple of
        derivatives, one for each argument. It may be called again.

    Raises:
        TypeError: an argument or result is no structure of numbers, or the cotangent has not the
            structure of the value.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
    >>> value, pullback([1.0, 10.0])
    ([6.0, 5.0], (13.0, 12.0))
    """
    run = _Run(f, args)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        seeds = flatten_like(run.output_template, cotangent, "pullback(cotangent)")
        found: tuple[Any, ...] = unflatten(run.template, _combined(run, run.outputs, seeds))
        return found

    return run.value, pullback


def _combined(run: _Run, outputs: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
    """The gradient of the sum of seed x output, by one sweep for all."""
    plain = run.plain and not under_way() and not any(map(_records, seeds))
    return run.gradient(_weighted(outputs, seeds), plain=plain)


def _weighted(outputs: Sequence[Any], seeds: Sequence[Any]) -> Any:
    """Return the sum of seed x output: a root for all outputs, whose own number does not count."""
    with differentiating(), unwatched():
        return dot(outputs, seeds)


def linearize(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[..., Any]]:
    """f(*args), and the function that takes tangents forward, t -> J(args) t.

    f is run once; each call is a forward sweep over the partials that were recorded. (Where the
    derivative is itself differentiated, f is run again, on Duals, at each call.)

    Returns:
        The value, and a function of as many tangents as there are arguments, of their structure,
        which gives a tangent of the structure of the value.

    Raises:
        TypeError: an argument or result is no structure of numbers, or tangents are of another
            structure than the arguments.

    >>> value, pushforward = linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pushforward(1.0, 0.5), pushforward(0.0, 1.0)
    (6.0, 4.0, 2.0)
    """
    run = _Run(f, args)
    sweep = _tangent_sweep(run)

    def pushforward(*tangents: Any) -> Any:
        directions = flatten_like(run.template, tangents, "tangents")
        if sweep is None or under_way() or any(isinstance(t, Scalar) for t in directions):
            return jvp(f, unflatten(run.template, run.numbers), tangents)[1]
        return unflatten(run.output_template, sweep(directions))

    return run.value, pushforward


def _tangent_sweep(run: _Run) -> Callable[[Sequence[float]], list[float]] | None:
    """Return the forward sweep over what a run recorded; None if that is not plain."""
    outputs = run.outputs
    if not run.plain or not all(type(y) in {float, Value} for y in outputs):
        return None
    root = _weighted(outputs, [1.0] * len(outputs))
    order = topological_order(root)[:-1] if isinstance(root, Value) else []

    def sweep(directions: Sequence[float]) -> list[float]:
        tangents = {x: t for x, t in zip(run.variables, directions, strict=True) if t != 0.0}
        for node in order:
            half = len(node.edges) // 2
            for operand, partial in zip(node.edges, node.edges[half:]):  # noqa: B905  as backward
                if partial is not None and operand in tangents:
                    contribution = tangents[operand] * partial
                    tangents[node] = tangents.get(node, -0.0) + contribution
        return [tangents.get(y, 0.0) if isinstance(y, Value) else 0.0 for y in outputs]

    return sweep


def jacobian(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return the function that gives every derivative of f, from one run of f.

    As many sweeps are made over what was recorded as f has outputs or inputs, whichever are fewer:
    reverse sweeps, one for each output, or forward ones, one for each input. (Where the derivatives
    are recorded to be differentiated again, they are reverse sweeps.)
    `jacobian_reverse` and `jacobian_forward` do one or the other.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            such a structure.
        argnums: the position of the argument to differentiate by, or a sequence of positions.

    Returns:
        A function of the same arguments. In the structure of what f returns, it has for every
        number the derivatives in the structure of the argument; m results in an array of n numbers
        in an array make an m x n array.

    Raises:
        TypeError: an argument or result is no structure of numbers, or there is no such argument.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    _positions(argnums, "jacobian")

    @wraps(f)
    def matrix(*args: Any, **named: Any) -> Any:
        run = _Run(*_by(f, args, named, argnums, "jacobian"))
        fewer = 0 < len(run.variables) < len(run.outputs)
        sweep = _tangent_sweep(run) if fewer else None
        if sweep is None:
            rows = [run.gradient(y, plain=run.plain) for y in run.outputs]
        else:
            rows = [*map(list, zip(*map(sweep, _directions(len(run.variables))), strict=True))]
        return _matrix(run.output_template, rows, _of(run.template, argnums))

    return matrix


def _directions(count: int) -> Iterator[list[float]]:
    """Yield the unit vectors."""
    for i in range(count):
        yield [float(i == j) for j in range(count)]


def jacobian_reverse(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return the function that gives every derivative of f, by a reverse sweep for each output.

    As `jacobian`; JAX calls it jacrev.

    >>> jacobian_reverse(lambda x: [x, x * x])(3.0)
    [1.0, 6.0]
    """
    _positions(argnums, "jacobian_reverse")

    @wraps(f)
    def matrix(*args: Any, **named: Any) -> Any:
        run = _Run(*_by(f, args, named, argnums, "jacobian_reverse"))
        rows = [run.gradient(y, plain=run.plain) for y in run.outputs]
        return _matrix(run.output_template, rows, _of(run.template, argnums))

    return matrix


def jacobian_forward(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return the function that gives every derivative of f, by a run on Duals for each input.

    As `jacobian`; JAX calls it jacfwd. It records no graph.

    >>> jacobian_forward(lambda x: [x, x * x])(3.0)
    [1.0, 6.0]
    """
    _positions(argnums, "jacobian_forward")

    @wraps(f)
    def matrix(*args: Any, **named: Any) -> Any:
        of_these, chosen = _by(f, args, named, argnums, "jacobian_forward")
        numbers, template = flatten(chosen, "args")
        columns = []
        for direction in _directions(len(numbers)):
            _, tangent = jvp(of_these, chosen, unflatten(template, direction))
            column, output_template = flatten(tangent, "f's result")
            columns.append(column)
        if not numbers:  # each result has no derivatives then
            results, output_template = flatten(of_these(*chosen), "f's result")
        rows = [*zip(*columns, strict=True)] if numbers else [()] * len(results)
        return _matrix(output_template, rows, _of(template, argnums))

    return matrix


def hessian(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return the function that gives every second derivative of f.

    The gradient is recorded once; then one sweep over it gives each row.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            one number.
        argnums: the position of the argument to differentiate by, or a sequence of positions.

    Returns:
        A function of the same arguments: in the structure of the argument, for every number the
        derivatives of the gradient's component in the same structure; for an array of n numbers an
        n x n array.

    Raises:
        TypeError: as `grad`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 2.0])
    [[4.0, 6.0], [6.0, 0.0]]
    """
    _positions(argnums, "hessian")

    @wraps(f)
    def matrix(*args: Any, **named: Any) -> Any:
        run = _Run(*_by(f, args, named, argnums, "hessian"))
        rows = [run.gradient(g, plain=run.plain) for g in _recorded_gradient(run, "hessian")]
        template = _of(run.template, argnums)
        return _matrix(template, rows, template)

    return matrix


def _recorded_gradient(run: _Run, name: str) -> list[Any]:
    with differentiating():
        return run.gradient(run.output(name), plain=False)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of f at x times v, from the recorded gradient and one sweep over it.

    Args:
        f: a function of one argument that returns one number.
        x: the argument, a number or a nested list, tuple, dict or array of numbers.
        v: a direction, of the same structure.

    Returns:
        sum_j d2 f / dx_i dx_j v_j, in the structure of x.

    Raises:
        TypeError: as `grad`, or v has another structure than x.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 2.0], [1.0, 10.0])
    [64.0, 6.0]
    """
    run = _Run(f, (x,))
    direction = flatten_like(run.template[0], v, "hvp(f, x, v): v")
    return unflatten(run.template, _combined(run, _recorded_gradient(run, "hvp"), direction))[0]
