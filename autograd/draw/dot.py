"""The graph as DOT source: a box for every node, an arrow for every edge, a legend."""

from __future__ import annotations

from html import escape
from math import inf, sqrt

from autograd.draw.graph import LEFT_OUT, number
from autograd.draw.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.draw.graph import Edge, Graph, Node

# By role: on a light page, on a dark page. Blue and orange differ to colour-blind eyes too.
PALETTE = {
    "paper": ("#ffffff", "#14181d"),
    "box": ("#f3f4f6", "#222830"),
    "line": ("#b4bbc5", "#5b6472"),
    "ink": ("#1f2328", "#e8ebef"),
    "quiet": ("#667080", "#9aa4b2"),
    "positive": ("#0072b2", "#5cb8ee"),
    "negative": ("#b84900", "#f0a03c"),
}
_COLOUR = {role: light for role, (light, _dark) in PALETTE.items()}
_SPACED = '<<table border="0" cellspacing="0" cellpadding="2"><tr><td>{}</td></tr></table>>'
_LONGEST_LABEL = 40
_IN_PLACE = 3  # among so many operands a constant is shown in its place
_LISTED = 4  # so many constants are listed, more only counted
_WIDE = 7  # edges from end to end of a picture wide enough for the legend in one row


def dot_source(graph: Graph) -> str:
    """Return the DOT source of a picture of the graph, from left to right."""
    # imported here, so that the table of a graph needs no package
    import graphviz  # noqa: PLC0415

    quiet, font = _COLOUR["quiet"], "Helvetica"
    dot = graphviz.Digraph("graph")
    dot.attr(id="graph", rankdir="LR", nodesep="0.16", ranksep="0.22", pad="0.15", ordering="in")
    dot.attr(label=_legend(graph), labelloc="b", labeljust="l", bgcolor=_COLOUR["paper"])
    dot.attr("graph", fontname=font, fontsize="8")
    dot.attr("node", fontname=font, fontsize="10", color=_COLOUR["line"], penwidth="0.8")
    dot.attr("node", shape="box", style="rounded,filled", margin="0.07,0.04", width="0", height="0")
    dot.attr("edge", fontname=font, fontsize="9", arrowsize="0.5")
    for node in graph.nodes:
        fill = _COLOUR["box" if node.operation else "paper"]
        dot.node(node.name, _box(node), id=node.name, fillcolor=fill)
        if left_out := node.operands.count(LEFT_OUT):
            more = f"{node.name}_more"
            words = f"{LEFT_OUT} {left_out} operand{'s' if left_out > 1 else ''}"
            dot.node(more, words, id=more, shape="plain", style="", fontcolor=quiet)
            dot.edge(more, node.name, id=f"{more}_edge", style="dotted", color=quiet)
    dot.node(graph.nodes[-1].name, color=_COLOUR["ink"], penwidth="1.5")
    flows = [abs(edge.flow) for edge in graph.edges if edge.flow]
    largest = max((flow for flow in flows if flow < inf), default=1.0)
    for i, edge in enumerate(graph.edges):
        dot.edge(edge.operand.name, edge.result.name, id=f"e{i}", **_arrow(edge, largest))
    return str(dot.source)


def _box(node: Node) -> str:
    """Return the label of a node: what it is, its number, its gradient."""
    label, formula = _shortened(node.label), _formula(node)
    title = f"<b>{_text(label or formula, 'ink', 11)}</b>" if label or formula else ""
    if label and formula:
        title += _text(f" {formula}", "quiet", 11)
    lines = [
        title,
        _further_constants(node),
        _text(number(node.value), "ink", 11),
        _text("∂", "quiet") + _text(number(node.gradient), _sign(node.gradient)),
    ]
    return f"<{'<br/>'.join(filter(None, lines))}>"


def _formula(node: Node) -> str:
    """Return the symbol, with constants in place among few operands: "+ 1", "clip(·, 0, 1)"."""
    shown = [number(operand) if isinstance(operand, float) else "·" for operand in node.operands]
    if len(shown) > _IN_PLACE or all(operand == "·" for operand in shown):
        return node.symbol
    if len(shown) > 2 or node.symbol[0].isalpha():
        return f"{node.symbol}({', '.join(shown)})"
    return " ".join([shown[0], node.symbol, shown[1]]).strip("· ")


def _further_constants(node: Node) -> str:
    """Return the constants among more operands than that: "with 5.1, 3.5"."""
    constants = [number(operand) for operand in node.operands if isinstance(operand, float)]
    if len(node.operands) <= _IN_PLACE or not constants:
        return ""
    few = len(constants) <= _LISTED
    return _text(f"with {', '.join(constants) if few else f'{len(constants)} constants'}", "quiet")


def _arrow(edge: Edge, largest: float) -> dict[str, str]:
    """Return how an edge looks: its partial, and by colour and width what flows back along it."""
    flow = edge.flow or 0.0
    share = abs(flow) / largest
    return {
        "label": _SPACED.format(number(edge.partial)),
        "style": "solid" if flow else "dashed",
        "penwidth": f"{0.8 + 1.6 * sqrt(min(1.0, share)):.2f}",  # wide also for nan
        "color": _COLOUR[_sign(flow)],
        "fontcolor": _COLOUR["ink"],
    }


def _legend(graph: Graph) -> str:
    """Return what the marks mean: one below the other, or in one row below a wide picture."""
    marks = {
        "∂": f" d {_shortened(graph.output)} / d node, ",
        "number on an arrow": " d result / d operand",
        "its width and colour": " the gradient that flows back",
    }
    if not all(edge.flow for edge in graph.edges):
        marks["dashed"] = " nothing flows back"
    entries = [_text(mark, "ink") + _text(meaning, "quiet") for mark, meaning in marks.items()]
    either = ("positive", "positive"), (" or ", "quiet"), ("negative", "negative")
    entries[0] += "".join(_text(*word) for word in either)
    if _length(graph) > _WIDE:
        entries = [_text("   ·   ", "quiet").join(entries)]
    if graph.omission:
        entries.append(_text(graph.omission, "ink"))
    space, left = _text(" ", "quiet", 4), '<br align="left"/>'
    return f"<{left.join([space, *entries])}{left}>"


def _length(graph: Graph) -> int:
    """Return the number of edges on the longest way through the graph."""
    steps = {node.name: 0 for node in graph.nodes}
    for edge in graph.edges:
        steps[edge.result.name] = max(steps[edge.result.name], steps[edge.operand.name] + 1)
    return max(steps.values())


def _text(text: str, role: str, size: int | None = None) -> str:
    points = f' point-size="{size}"' if size else ""
    words = escape(text).replace("\\", r"\\")  # for dot expands \N and the like even in markup
    return f'<font color="{_COLOUR[role]}"{points}>{words}</font>'


def _shortened(label: str) -> str:
    text = printable(label)
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _sign(x: float) -> str:
    return "positive" if x > 0 else "negative" if x < 0 else "quiet"
