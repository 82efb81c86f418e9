"""The graph as plain data: all that a drawing says, before it is laid out."""

from __future__ import annotations

from typing import NamedTuple

from autograd.backward import cotangents, graph
from autograd.value import Value

LEFT_OUT = "…"


class Node(NamedTuple):
    """One number of the graph; `operands` are names of nodes, constants, or `LEFT_OUT`."""

    name: str
    label: str
    operation: str
    symbol: str
    operands: tuple[str | float, ...]
    value: float
    gradient: float


class Edge(NamedTuple):
    """One operand position of `result`, and the derivative there.

    `partial` is d result / d operand. `flow` is what goes back along the edge, the gradient of
    `result` times the partial; None where nothing flows because the operand, or something between
    it and the output, was not selected.
    """

    operand: Node
    result: Node
    position: int
    partial: float
    flow: float | None


class Graph(NamedTuple):
    """Nodes, each after its operands and the output last; edges; how many nodes there are."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    total: int

    @property
    def output(self) -> str:
        """What the output is called."""
        return self.nodes[-1].label or "output"

    @property
    def omission(self) -> str:
        """What is not drawn, in words."""
        drawn = len(self.nodes)
        left = self.total - drawn
        further = f"; {left:,} further from the output are left out"
        return f"{drawn:,} of {self.total:,} nodes{further}" if left else ""


def graph_of(root: Value, limit: int) -> Graph:
    """Read the `limit` nodes nearest to `root`, with d root / d node at each."""
    gradients = cotangents(root)
    values = graph(root)
    drawn = set(_nearest(values, limit))
    nodes: dict[Value, Node] = {}
    edges = []
    for value in values:
        if value not in drawn:
            continue
        primitive = value.primitive
        gradient = gradients.get(value, 0.0)
        names = tuple(
            x if isinstance(x, float) else nodes[x].name if x in nodes else LEFT_OUT
            for x in value.operands
        )
        node = nodes[value] = Node(
            name=f"n{len(nodes)}",
            label=value.label,
            operation=primitive.name if primitive else "",
            symbol=primitive.symbol if primitive else "",
            operands=names,
            value=value.data,
            gradient=gradient,
        )
        partials = value.edges[len(value.operands) :]  # None where nothing flows
        for position, (operand, partial) in enumerate(zip(value.operands, partials, strict=True)):
            if isinstance(operand, Value) and operand in drawn:
                flows = partial is not None and value in gradients
                flow = gradient * partial if flows else None
                edges.append(Edge(nodes[operand], node, position, partial or 0.0, flow))
    return Graph(tuple(nodes.values()), tuple(edges), len(values))


def _nearest(values: list[Value], limit: int) -> list[Value]:
    """Return `limit` of these values that have the fewest edges between them and the last one."""
    distances = {values[-1]: 0}
    for value in reversed(values):
        for operand in value.operands:
            if isinstance(operand, Value):
                farther = distances[value] + 1
                distances[operand] = min(farther, distances.get(operand, farther))
    return sorted(distances, key=distances.__getitem__)[:limit]


def number(x: float) -> str:
    """Print a number with four significant digits, inf and nan as such."""
    mantissa, e, exponent = f"{x:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa
