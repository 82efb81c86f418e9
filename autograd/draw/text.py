"""The graph in words: a table of its nodes, and a sentence for every node and edge."""

from __future__ import annotations

from autograd.draw.graph import LEFT_OUT, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.draw.graph import Edge, Graph, Node


def printable(text: str) -> str:
    r"""Write line ends, control characters and lone surrogates as escapes such as `\n`."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def table(graph: Graph) -> str:
    """Return a line for every node, operands before their users, and what is left out."""
    gradient = f"d {printable(graph.output)} / d node"
    rows = [("node", "label", "operation", "operands", "value", gradient)]
    for node in graph.nodes:
        operands = " ".join(o if isinstance(o, str) else number(o) for o in node.operands)
        words = (node.name, printable(node.label), node.operation, operands)
        rows.append((*words, number(node.value), number(node.gradient)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = ["<"] * 4 + [">"] * 2
    lines = [
        "  ".join(map(format, row, map("{}{}".format, aligned, widths))).rstrip() for row in rows
    ]
    return "\n".join([*lines, graph.omission] if graph.omission else lines)


def sentences(graph: Graph) -> dict[str, str]:
    """Return what each part of a picture says, by its id: n0 is a node, e0 an edge."""
    output = printable(graph.output)
    called = {node.name: _called(node) for node in graph.nodes}
    said = {"graph": f"The graph of {output}, {len(called)} nodes. {graph.omission}".strip()}
    for node in graph.nodes:
        name = _called(node)
        operands = ", ".join(
            called.get(o, LEFT_OUT) if isinstance(o, str) else number(o) for o in node.operands
        )
        made = f"{node.operation}({operands}) = " if node.operation else ""
        gradient = f"d {output} / d {name} = {number(node.gradient)}"
        said[node.name] = f"{gradient}: {name} is {made}{number(node.value)}"
        if left_out := node.operands.count(LEFT_OUT):
            more = f"{node.name}_more"
            said[more] = said[f"{more}_edge"] = f"operands of {name} left out: {left_out}"
    said.update({f"e{i}": _back(edge, output) for i, edge in enumerate(graph.edges)})
    return said


def _back(edge: Edge, output: str) -> str:
    """Say how the gradient goes back along an edge."""
    result, operand, position = _called(edge.result), _called(edge.operand), edge.position + 1
    partial = f"d {result} / d {operand} = {number(edge.partial)} by operand {position}"
    if edge.flow is None:
        return f"{partial}: not selected, nothing flows back"
    gradient = f"d {output} / d {result} = {number(edge.result.gradient)}"
    return f"{partial}: times {gradient}, {number(edge.flow)} flows back"


def _called(node: Node) -> str:
    return printable(node.label) or node.name
