"""The graph as plain data: every node with its number and gradient, every edge with its partial."""

from __future__ import annotations

from typing import NamedTuple

from autograd.backward import cotangents, graph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd.value import Value


class Node(NamedTuple):
    """One number of the graph.

    Attributes:
        name: n0, n1, ... in topological order.
        label: what the user calls it.
        operation: the name of the primitive; empty for a leaf.
        symbol: how a drawing shows the operation.
        operands: names of nodes, and constants.
        value: the number.
        gradient: d output / d node; None where the sweep does not come.
    """

    name: str
    label: str
    operation: str
    symbol: str
    operands: tuple[str | float, ...]
    value: float
    gradient: float | None


class Edge(NamedTuple):
    """One operand position of `result`, and the derivative there.

    Attributes:
        operand: the name of the node used.
        result: the name of the node computed from it.
        position: where among the operands it stands.
        partial: d result / d operand.
        flow: the contribution, the gradient of `result` times the partial; None where nothing
            flows because the operand, or something between it and the output, was not selected.
    """

    operand: str
    result: str
    position: int
    partial: float
    flow: float | None


class Graph(NamedTuple):
    """Nodes, each after its operands and the output last, and edges in the order of their results.

    >>> from autograd import Value
    >>> a = Value(3.0, "a")
    >>> [edge.flow for edge in graph_of(a + a).edges]
    [1.0, 1.0]
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def output(self) -> str:
        """What the output is called."""
        return self.nodes[-1].label or "output"


def graph_of(root: Value) -> Graph:
    """Read the graph of `root`, with d root / d node at every node; no `.grad` is touched."""
    gradients = cotangents(root)
    names: dict[Value, str] = {}
    nodes, edges = [], []
    for value in graph(root):
        name = names[value] = f"n{len(names)}"
        primitive, gradient = value.primitive, gradients.get(value)
        operands = value.operands
        nodes.append(
            Node(
                name,
                str(value.label),  # for one may assign anything
                primitive.name if primitive else "",
                primitive.symbol if primitive else "",
                tuple(x if type(x) is float else names[x] for x in operands),
                value.data,
                gradient,
            )
        )
        partials = value.edges[len(operands) :]  # None where nothing flows
        for position, (operand, partial) in enumerate(zip(operands, partials, strict=True)):
            if type(operand) is not float:
                flow = None if gradient is None or partial is None else gradient * partial
                slope = 0.0 if partial is None else partial
                edges.append(Edge(names[operand], name, position, slope, flow))
    return Graph(tuple(nodes), tuple(edges))


def number(x: float | None) -> str:
    """Print a number with four significant digits, inf and nan as such; a dot for none."""
    if x is None:
        return "·"
    mantissa, e, exponent = f"{x:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def numbers(xs: Iterable[float | None]) -> str:
    """Print one number, or of several the least and the greatest: "-0.5 … 2"."""
    known = [x for x in xs if x is not None]
    if not known:
        return number(None)
    # nan is neither less nor greater: it is said beside the others
    comparable = [x for x in known if x == x]  # noqa: PLR0124
    ends = [number(min(comparable)), number(max(comparable))] if comparable else []
    ends += ["nan"] if len(comparable) < len(known) else []
    return " … ".join(dict.fromkeys(ends))
