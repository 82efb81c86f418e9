"""The graph in words: a table of its boxes, and a sentence for every part of a picture."""

from __future__ import annotations

from autograd.draw.graph import number, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd.draw.folding import Arrow, Box, View

_JOINERS = "\u200c\u200d"  # of letters, as in Persian, and of emoji


def printable(text: str) -> str:
    r"""Write line ends, control characters and lone surrogates as escapes such as `\n`."""
    return "".join(c if c.isprintable() or c in _JOINERS else ascii(c)[1:-1] for c in text)


def shortened(text: str, most: int = 40) -> str:
    """Return what is printable of a text, of at most so many characters."""
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def aligned(rows: Sequence[Sequence[str]], sides: str) -> str:
    """Return rows of cells below each other, each column on its side, "<" or ">"."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    formats = [f"{side}{width}" for side, width in zip(sides, widths, strict=True)]
    return "\n".join("  ".join(map(format, row, formats)).rstrip() for row in rows)


def table(view: View) -> str:
    """Return a line for every box, operands before their users, and what is folded."""
    gradient = f"d {printable(view.output)} / d node"
    rows = [("node", "label", "operation", "operands", "value", gradient)]
    for box in view.boxes:
        operands = " ".join(o if isinstance(o, str) else number(o) for o in box.operands)
        operation = " ".join(filter(None, [box.operation, _times(box)]))
        words = (box.name, printable(box.label), operation, operands)
        rows.append((*words, _values(box), _gradients(box)))
    lines = aligned(rows, "<<<<>>")
    return f"{lines}\n{view.folding}" if view.folding else lines


def sentences(view: View) -> dict[str, str]:
    """Return what each part of a picture says, by its id: n0 is a box, e0 an arrow, m0 a module."""
    output = printable(view.output)
    called = {box.name: _called(box) for box in view.boxes}
    graph = f"The graph of {output}, {view.total:,} nodes. {view.folding}".strip()
    said = {"graph": graph} | {f"m{i}": printable(m) for i, m in enumerate(view.modules)}
    for box in view.boxes:
        operands = ", ".join(called[o] if isinstance(o, str) else number(o) for o in box.operands)
        made = f"{box.operation}({operands}) = " if box.operation else ""
        name = " ".join(filter(None, [called[box.name], _times(box)]))
        gradient = f"d {output} / d {called[box.name]} = {_gradients(box)}"
        said[box.name] = f"{gradient}: {name} is {made}{_values(box)}"
    said.update({f"e{i}": _back(arrow, output) for i, arrow in enumerate(view.arrows)})
    return said


def _back(arrow: Arrow, output: str) -> str:
    """Say how the gradient goes back along an arrow."""
    result, operand = _called(arrow.result), _called(arrow.operand)
    partials = numbers(edge.partial for edge in arrow.edges)
    many = len(arrow.edges) > 1
    by = f"on {len(arrow.edges):,} edges" if many else f"by operand {arrow.edges[0].position + 1}"
    partial = f"d {result} / d {operand} = {partials} {by}"
    flows = [edge.flow for edge in arrow.edges]
    if all(flow is None for flow in flows):
        return f"{partial}: not selected, nothing flows back"
    gradient = f"d {output} / d {result} = {_gradients(arrow.result)}"
    return f"{partial}: times {gradient}, {numbers(flows)} flows back"


def _called(box: Box) -> str:
    return printable(box.label) or box.name


def _times(box: Box) -> str:
    return f"({len(box.nodes):,})" if len(box.nodes) > 1 else ""


def _values(box: Box) -> str:
    return numbers(node.value for node in box.nodes)


def _gradients(box: Box) -> str:
    return numbers(node.gradient for node in box.nodes)
