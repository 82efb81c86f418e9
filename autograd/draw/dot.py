"""The graph as DOT source: a box for every node, an arrow for every edge, a legend."""

from __future__ import annotations

from math import sqrt

from autograd.draw.graph import number, numbers
from autograd.draw.palette import COLOUR, coloured, entry, largest, legend, sign, signs
from autograd.draw.text import shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from typing import Any

    from autograd.draw.folding import Arrow, Box, View

_SPACED = '<<table border="0" cellspacing="0" cellpadding="2"><tr><td>{}</td></tr></table>>'
_IN_PLACE = 3  # among so many operands a constant is shown in its place
_LISTED = 4  # so many constants are listed, more only counted
_WIDE = 7  # edges from end to end of a picture wide enough for the legend in one row
SHOWN = ("label", "operation", "data", "gradient", "partial", "legend")


def dot_source(
    view: View,
    show: Container[str] = SHOWN,
    rankdir: str = "LR",
    printed: Callable[[Iterable[float | None]], str] = numbers,
) -> str:
    """Return the DOT source of a picture.

    Args:
        view: the boxes and arrows.
        show: what to print, of `SHOWN` and "contribution".
        rankdir: "LR" draws from left to right, "TB" from top to bottom.
        printed: how the numbers of a box or arrow are printed.
    """
    # imported here, so that the table of a graph needs no package
    import graphviz  # noqa: PLC0415

    font, wide = "Helvetica", rankdir == "LR"
    dot = graphviz.Digraph("graph")
    dot.attr(id="graph", rankdir=rankdir, nodesep="0.16", ranksep="0.22" if wide else "0.3")
    dot.attr(pad="0.15", ordering="in", compound="true")
    dot.attr(labelloc="b", labeljust="l", bgcolor=COLOUR["paper"])
    if "legend" in show:
        dot.attr(label=_legend(view, show, wide))
    dot.attr("graph", fontname=font, fontsize="8")
    dot.attr("node", fontname=font, fontsize="10", color=COLOUR["line"], penwidth="0.8")
    dot.attr("node", shape="box", style="rounded,filled", margin="0.07,0.04", width="0", height="0")
    dot.attr("edge", fontname=font, fontsize="9", arrowsize="0.5")
    _add_boxes(dot, view.boxes, view.modules, lambda box: _label(box, show, printed))
    dot.node(view.boxes[-1].name, color=COLOUR["ink"], penwidth="1.5")
    widest = largest(edge.flow for arrow in view.arrows for edge in arrow.edges)
    for i, arrow in enumerate(view.arrows):
        look = _look(arrow, widest, show, printed)
        # a rank more into a frame, where its parameters stand: so that frames stand in a row
        enters = {*arrow.result.modules} - {*arrow.operand.modules}
        look |= {"minlen": "2"} if enters else {}
        dot.edge(arrow.operand.name, arrow.result.name, id=f"e{i}", **look)
    return str(dot.source)


def _add_boxes(
    dot: Any,
    boxes: Sequence[Box],
    modules: Sequence[str],
    label_of: Callable[[Box], str],
    level: int = 0,
) -> None:
    """Add the boxes, those of a module in a frame of its own."""
    inside: dict[str, list[Box]] = {}
    for box in boxes:
        if len(box.modules) > level:
            inside.setdefault(box.modules[level], []).append(box)
            continue
        fill = COLOUR["box" if box.operation else "paper"]
        shape = {"peripheries": "2"} if len(box.nodes) > 1 else {}
        dot.node(box.name, label_of(box), id=box.name, fillcolor=fill, **shape)
    for module, group in inside.items():
        if len(group) == len(boxes) and level:  # a frame right within a frame says nothing
            _add_boxes(dot, group, modules, label_of, level + 1)
            continue
        number_of_module = modules.index(module)
        with dot.subgraph(name=f"cluster_{number_of_module}") as frame:
            outer = group[0].modules[level - 1] if level else ""
            name = shortened(module.removeprefix(f"{outer}."))
            frame.attr(id=f"m{number_of_module}", label=f"<{coloured(name, 'quiet', 9)}>")
            frame.attr(labelloc="t", labeljust="l", style="rounded", color=COLOUR["line"])
            frame.attr(penwidth="0.5", margin="6")
            _add_boxes(frame, group, modules, label_of, level + 1)


def _label(box: Box, show: Container[str], printed: Callable[[Iterable[float | None]], str]) -> str:
    """Return the label of a box: what it is, its number, its gradient."""
    label = shortened(box.short) if "label" in show else ""
    formula = _formula(box) if "operation" in show else ""
    title = f"<b>{coloured(label or formula, 'ink', 11)}</b>" if label or formula else ""
    if label and formula:
        title += coloured(f" {formula}", "quiet", 11)
    lines = [title, _further_constants(box) if formula else ""]
    if "data" in show:
        lines.append(coloured(printed(node.value for node in box.nodes), "ink", 11))
    if "gradient" in show:
        gradients = [node.gradient for node in box.nodes]
        lines.append(coloured("∂", "quiet") + coloured(printed(gradients), sign(gradients)))
    return f"<{'<br/>'.join(filter(None, lines)) or ' '}>"


def _formula(box: Box) -> str:
    """Return the symbol, with constants in place among few operands: "+ 1", "clip(·, 0, 1)"."""
    count = len(box.nodes)
    if count > 1:
        if box.operation:
            return f"{box.symbol} ({count:,})"
        leaves = not any(node.operation for node in box.nodes)
        return f"({count:,})" if leaves and box.label else f"{count:,} nodes"
    operands = box.nodes[0].operands
    shown = [number(operand) if isinstance(operand, float) else "·" for operand in operands]
    if len(shown) > _IN_PLACE or all(operand == "·" for operand in shown):
        return box.symbol
    if len(shown) > 2 or box.symbol[0].isalpha():
        return f"{box.symbol}({', '.join(shown)})"
    return " ".join([shown[0], box.symbol, shown[1]]).strip("· ")


def _further_constants(box: Box) -> str:
    """Return the constants among more operands than that: "with 5.1, 3.5"."""
    operands = box.nodes[0].operands
    constants = [number(operand) for operand in operands if isinstance(operand, float)]
    if len(box.nodes) > 1 or len(operands) <= _IN_PLACE or not constants:
        return ""
    few = len(constants) <= _LISTED
    listed = ", ".join(constants) if few else f"{len(constants)} constants"
    return coloured(f"with {listed}", "quiet")


def _look(
    arrow: Arrow,
    widest: float,
    show: Container[str],
    printed: Callable[[Iterable[float | None]], str],
) -> dict[str, str]:
    """Return how an arrow looks: its partial, and by colour and width what flows back along it."""
    flows = [edge.flow or 0.0 for edge in arrow.edges]
    share = max(map(abs, flows)) / widest
    label = []
    if "partial" in show:
        label.append(printed(edge.partial for edge in arrow.edges))
    if "contribution" in show:
        label.append(f"({printed(edge.flow for edge in arrow.edges)})")
    return {
        "label": _SPACED.format(" ".join(label)) if label else "",
        "style": "solid" if any(flows) else "dashed",
        "penwidth": f"{0.8 + 1.6 * sqrt(min(1.0, share)):.2f}",  # wide also for nan
        "color": COLOUR[sign(flows)],
        "fontcolor": COLOUR["ink"],
    }


def _legend(view: View, show: Container[str], wide: bool) -> str:
    """Return what the marks mean: one below the other, or in one row below a wide picture."""
    marks = {"its width and colour": " the gradient that flows back"}
    if "contribution" in show:
        marks = {"(number) on an arrow": " that times the gradient of the result"} | marks
    if "partial" in show:
        marks = {"number on an arrow": " d result / d operand"} | marks
    if not all(edge.flow for arrow in view.arrows for edge in arrow.edges):
        marks["dashed"] = " nothing flows back"
    if view.folding:
        marks["(16) a … b\u2002"] = " so many nodes in one box, the least and the greatest"
    entries = [entry(mark, meaning) for mark, meaning in marks.items()]
    if "gradient" in show:
        entries.insert(0, entry("∂", f" d {shortened(view.output)} / d node, ") + signs())
        if any(node.gradient is None for box in view.boxes for node in box.nodes):
            entries[0] += coloured(" or · not reached", "quiet")
    notes = [view.folding] if view.folding else []
    return legend(entries, notes, in_a_row=wide and _length(view) > _WIDE)


def _length(view: View) -> int:
    """Return the number of arrows on the longest way through the picture."""
    steps = {box.name: 0 for box in view.boxes}
    for arrow in view.arrows:
        steps[arrow.result.name] = max(steps[arrow.result.name], steps[arrow.operand.name] + 1)
    return max(steps.values())
