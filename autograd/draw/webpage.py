"""Page: one self-contained web page that steps through a graph, forward and backward.

The page carries the graph as a `Program` that computes, from the leaves, the value and cotangent of
every node, and the partial and contribution of every edge. Its script runs that Program; it knows
the functions of the table and no derivative.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cached_property
from html import escape
from pathlib import Path

from autograd import backward
from autograd.draw import DrawingError
from autograd.draw.dot import dot_source
from autograd.draw.drawing import write_whole
from autograd.draw.formula import formula, partial_formulas
from autograd.draw.graph import number
from autograd.draw.palette import PALETTE
from autograd.draw.programs import constant, program_json
from autograd.draw.render import svg_of
from autograd.draw.text import printable, shortened
from autograd.primitives import TABLE
from autograd.recorded import recorded_cotangents
from autograd.tracer import trace, written_out
from autograd.value import innermost

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Any

    from autograd.draw.folding import Box, View
    from autograd.draw.graph import Graph, Node
    from autograd.value import Value

_FILES = Path(__file__).with_name("page")
_LOOKS = re.compile(
    r'<style>.*?</style>\n| (?:fill|stroke|stroke-width|font-family)="[^"]*"| class="glassgrad"',
    re.DOTALL,
)
_LABELS = ("label", "operation", "data", "gradient", "partial")
_LONGEST_NAME = 12  # in a formula
_LONGEST_TITLE = 60
_MOST = 5_000  # nodes of a page that still answers at once


class Page:
    """A web page of one file that steps through the graph of a value; a notebook shows it.

    Attributes:
        graph: all of the graph.
        view: what the page's drawing shows of it.
        program: computes from the leaves, in the order of `leaves`, the values of all nodes, their
            cotangents, the partials of all edges, and their contributions, each a list.
        leaves: the names of the leaves.
    """

    def __init__(self, root: Value, graph: Graph, view: View) -> None:
        if len(graph.nodes) > _MOST:
            raise ValueError(
                f"explore(value): {len(graph.nodes):,} nodes are too many for a page, at most "
                f"{_MOST:,}: explore a part, such as the loss of one sample"
            )
        self.graph = graph
        self.view = view
        values = backward.graph(root)
        names = dict(zip(values, (node.name for node in graph.nodes), strict=True))
        self._sent: set[tuple[str, int]] = set()

        def numbers() -> list[list[Any]]:
            tracers = dict(zip(map(innermost("trace").lift, values), names.values(), strict=True))
            root = [*tracers][-1]
            sweep = recorded_cotangents(root, [x for x in tracers if x.primitive is None])
            sent = {
                (tracers[node], position): (partial, contribution)
                for node, position, partial, contribution in sweep.edges
            }
            self._sent.update(sent)
            edges = [sent.get((edge.result, edge.position), (0.0, 0.0)) for edge in graph.edges]
            totals = [sweep.totals.get(x, 0.0) for x in tracers]
            return [[*tracers], totals, [p for p, _ in edges], [c for _, c in edges]]

        self.names = _names(graph)
        self.program = written_out(trace(numbers), "explore")
        self.leaves = [names[leaf] for leaf in self.program.parameters]

    @cached_property
    def html(self) -> str:
        """The page, as text."""
        parts = {path.name: path.read_text("utf-8") for path in _FILES.iterdir()}
        data = json.dumps(self._data(), separators=(",", ":"))
        parts |= {
            "data": data.replace("<", r"\u003c"),
            "title": escape(printable(self.view.output)),
            "colours": _colours(),
            "drawing": self._drawing(),
        }
        place = re.compile(rf"{{{{({'|'.join(map(re.escape, parts))})}}}}")
        return place.sub(lambda found: parts[found[1]], parts["page.html"])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file, which appears whole or not at all.

        Args:
            path: where to, ending in .html.

        Returns:
            The path.

        Raises:
            ValueError: the name ends otherwise.
            OSError: the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in {".html", ".htm"}:
            raise ValueError(f"cannot save as {path.name!r}: expected .html at its end")
        return write_whole(path, self.html.encode())

    def __repr__(self) -> str:
        nodes, leaves = len(self.graph.nodes), len(self.leaves)
        counts = f"{_counted(nodes, 'node', 'nodes')}, {_counted(leaves, 'leaf', 'leaves')}"
        return f"<Page of {printable(self.view.output)}: {counts}>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{escape(repr(self))}" '
            'style="width: 100%; height: 46rem; border: 0"></iframe>'
        )

    def _drawing(self) -> str:
        """Return the picture with room for any number, or why there is none."""
        view = self.view
        said = {f"m{i}": printable(module) for i, module in enumerate(view.modules)}
        said |= {box.name: _title(box) or box.name for box in view.boxes}
        for i, arrow in enumerate(view.arrows):
            said[f"e{i}"] = f"{self._name(arrow.operand)} → {self._name(arrow.result)}"
        said["graph"] = f"The graph of {printable(view.output)}"
        named = {box.name: self._named(box) for box in view.boxes}
        arrows = [
            arrow._replace(operand=named[arrow.operand.name], result=named[arrow.result.name])
            for arrow in view.arrows
        ]
        view = view._replace(boxes=tuple(named.values()), arrows=tuple(arrows))
        try:
            svg = svg_of(dot_source(view, _LABELS, printed=_room), said)
        except DrawingError as error:
            return f"<p>There is no drawing: {escape(str(error))}.</p>"
        # the page's own style says the rest
        return _LOOKS.sub("", svg)

    def _name(self, box: Box) -> str:
        """Return what formulas call a box."""
        if len(box.nodes) == 1:
            return self.names[box.nodes[0].name]
        label = printable(box.label)
        return label if 0 < len(label) <= _LONGEST_NAME else box.name

    def _named(self, box: Box) -> Box:
        """Return the box with its name beside its label, if that is another."""
        short, name = box.short, self._name(box)
        if name in {short, printable(box.label)}:
            return box
        label = f"{short} {name}".strip()
        return box._replace(label=f"{box.modules[-1]}.{label}" if box.modules else label)

    def _data(self) -> dict[str, Any]:
        """Return what the script reads."""
        nodes, edges, view = self.graph.nodes, self.graph.edges, self.view
        node_at = {node.name: i for i, node in enumerate(nodes)}
        box_at = {box.name: i for i, box in enumerate(view.boxes)}
        edge_at = {edge: i for i, edge in enumerate(edges)}
        formulas: dict[str, int] = {"": 0}

        def numbered(text: str) -> int:
            return formulas.setdefault(text, len(formulas))

        operations: list[Any] = []
        partials: dict[str, list[str]] = {}
        for node in nodes:
            operands = [node_at[x] if isinstance(x, str) else number(x) for x in node.operands]
            if not node.operation:
                operations.append(0)
                continue
            row = TABLE[node.operation]
            operations.append([numbered(formula(row, len(operands))), *operands])
            partials[node.name] = partial_formulas(
                row, [None if isinstance(x, str) else x for x in node.operands]
            )
        return {
            "output": self.names[nodes[-1].name],
            "folding": view.folding,
            "program": program_json(self.program),
            "leaves": [node_at[name] for name in self.leaves],
            "numbers": [constant(leaf.data) for leaf in self.program.parameters],
            "names": [*self.names.values()],
            "titles": [
                0 if self.names[node.name] == node.label or not node.label else _full(node)
                for node in nodes
            ],
            "operations": operations,
            "edges": [
                [
                    node_at[edge.operand],
                    node_at[edge.result],
                    numbered(partials[edge.result][edge.position]),
                    int((edge.result, edge.position) in self._sent),
                ]
                for edge in edges
            ],
            "boxes": [
                [box.name, self._name(box), _title(box), *(node_at[x.name] for x in box.nodes)]
                for box in view.boxes
            ],
            "arrows": [
                [
                    box_at[arrow.operand.name],
                    box_at[arrow.result.name],
                    *(edge_at[edge] for edge in arrow.edges),
                ]
                for arrow in view.arrows
            ],
            "formulas": [*formulas],
        }


def _room(xs: Iterable[float | None]) -> str:
    """Return a number as wide as any that comes later in its place."""
    return "-0.000e-00" if len([*xs]) == 1 else "-0.000e-00 … -0.000e-00"


def _names(graph: Graph) -> dict[str, str]:
    """Return what formulas call each node: its label, if that is short and no other's."""
    labels = Counter(node.label for node in graph.nodes)
    names = {
        node.name: label
        if 0 < len(label := printable(node.label)) <= _LONGEST_NAME
        and labels[node.label] == 1
        and not re.fullmatch("[nf][0-9]+", label)
        else node.name
        for node in graph.nodes
    }
    root = graph.nodes[-1]
    if not root.label and "output" not in labels:
        names[root.name] = "output"
    return names


def _full(node: Node) -> str:
    """Return the label of a node, with its operation: a neuron's two nodes have one label."""
    label = shortened(node.label, _LONGEST_TITLE)
    return f"{label} ({node.symbol})" if node.operation else label


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _title(box: Box) -> str:
    """Return what a box is, in full."""
    count = f"{len(box.nodes):,} × {box.symbol or 'nodes'}" if len(box.nodes) > 1 else box.symbol
    return " ".join(filter(None, [shortened(box.label, _LONGEST_TITLE), count]))


def _colours() -> str:
    """Return the palette as CSS variables, on light and on dark pages."""
    light, dark = (
        "".join(f"--{role}: {pair[i]};" for role, pair in PALETTE.items()) for i in (0, 1)
    )
    return f":root {{{light}}}\n@media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n"
