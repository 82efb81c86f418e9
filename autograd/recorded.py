"""The sweep that records itself: gradients that are graphs, to be differentiated again.

The partials stored on edges are plain numbers. Here each partial is evaluated anew, on the nodes
themselves, so that it is a node too. The same sweep serves every kind of number that has a graph,
`Value`s and `Tracer`s.
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.backward import graph
from autograd.flow import ALWAYS, Flow
from autograd.primitives import Scalar, shown
from autograd.value import Value, innermost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def gradients(value: Value, inputs: Sequence[Value]) -> list[Value]:
    """Return d value / d input for each input, recorded: each a `Value` with a graph of its own.

    Touches no `.grad`. An input may be a leaf or a computed node; what flows through other paths
    to what lies below it does not count.

    Args:
        value: what to differentiate.
        inputs: by what; each counts as a variable of its own.

    By a model's parameters: `gradients(loss, model.parameters())`, and again of the results for
    second derivatives. In a function that is traced, the results are Tracers; inside `no_grad`
    they are leaves.

    Returns:
        A Value for each input; 0.0 where `value` does not depend on it.

    Raises:
        TypeError: `value` or an input is not a `Value`.
        RuntimeError: the `.data` of an operand was changed after the graph was recorded.

    >>> x = Value(2.0)
    >>> slope, = gradients(x ** 3, [x])
    >>> curvature, = gradients(slope, [x])
    >>> slope.data, curvature.data
    (12.0, 12.0)
    """
    if not isinstance(inputs, list | tuple):
        raise TypeError(f"gradients(value, inputs): expected a list of Values, got {shown(inputs)}")
    trace = innermost("trace")
    for name, given in (("value", value), *((f"inputs[{i}]", x) for i, x in enumerate(inputs))):
        if not isinstance(given, Value) and not (trace and isinstance(given, Scalar)):
            raise TypeError(
                f"gradients(value, inputs): expected a Value as {name}, got {shown(given)}"
            )
    if trace:
        value, inputs = trace.lift(value), [*map(trace.lift, inputs)]
    totals = recorded_cotangents(value, inputs).totals
    found = [totals.get(x, 0.0) for x in inputs]
    return [Value(g) if type(g) is float else g for g in found]


class Sweep(NamedTuple):
    """What a sweep that records itself found.

    Attributes:
        totals: the cotangent, a number of the root's kind, of every node from root to inputs.
        flows: for each of these nodes when anything flows to it.
        edges: for each edge passed, in order: `(node, position, partial, contribution)`.
    """

    totals: dict[Any, Any]
    flows: dict[Any, Flow]
    edges: list[tuple[Any, int, Any, Any]]


def recorded_cotangents(root: Any, inputs: Sequence[Any]) -> Sweep:
    """The cotangent, a number of the root's kind, of every node from the root to the inputs.

    What was not selected contributes nothing, even inf or nan, now and when this is differentiated
    again. A trace does not know what a row selects: there a contribution from an operand that may
    not be selected, and everything below it, is `where(condition, contribution, -0.0)`. A product
    by `times` whose factor is 0 contributes -0.0 whatever the other holds, but to the derivative by
    that factor it does contribute: everything below it is multiplied by `times` as well.
    """
    stops = {*inputs}
    between = {*inputs}
    order = []
    for node in graph(root, stops, _ways_down):
        depends = any(type(x) is not float and x in between for x in node.operands)
        if node in stops or (depends and node.primitive.partials):
            between.add(node)
            order.append(node)
    totals: dict[Any, Any] = {root: 1.0}
    flows = {root: ALWAYS}
    edges = []
    for node in reversed(order):
        if node in stops or node not in totals:
            continue
        row, operands, g, here = node.primitive, node.operands, totals[node], flows[node]
        if isinstance(node, Value):
            numbers = [x if type(x) is float else x.data for x in operands]
            _assert_unchanged(node, "result", node.data, row.value(*numbers))
        wanted = [type(x) is not float and x in between for x in operands]
        partials = row.partials_at(node, operands, wanted)
        for position, (operand, partial) in enumerate(zip(operands, partials, strict=True)):
            if partial is None:
                continue
            chosen = _was_chosen(node, position, partial)
            edge = here if chosen else here.along(row, partial)
            if edge is None:
                continue
            contribution = edge.carry(g, partial)
            edges.append((node, position, partial, contribution))
            if operand in totals:
                contribution = totals[operand] + contribution
                edge = flows[operand].joined(edge)
            totals[operand], flows[operand] = contribution, edge
    for x in inputs:
        if x in totals:
            totals[x] = flows[x].ends(totals[x])
    return Sweep(totals, flows, edges)


def _ways_down(node: Any) -> Sequence[Any]:
    """The operands of which a node may have a derivative, in the order of the plain sweep."""
    row, operands = node.primitive, node.operands
    return operands[::-1] if row and row.partials else ()


def _was_chosen(node: Any, position: int, partial: Any) -> bool:
    """Whether something is known to have flowed along this edge when it was recorded.

    Raises:
        RuntimeError: the partial is not what it was then.
    """
    if not isinstance(node, Value):
        return False
    stored = node.edges[len(node.edges) // 2 + position]
    _assert_unchanged(node, f"partial {position + 1}", stored or 0.0, float(partial))
    return stored is not None


def _assert_unchanged(node: Any, what: str, then: float, now: float) -> None:
    if now != then and not (now != now and then != then):  # noqa: PLR0124  nan is not nan
        raise RuntimeError(
            f"gradients: the data of {node.primitive.name} or of an operand was changed after it "
            f"was recorded: its {what} was {then}, now it is {now}; compute it again"
        )
