"""A network as DOT source: a place for every unit, a line for every weight, a legend."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from autograd.draw.graph import number
from autograd.draw.palette import COLOUR, coloured, entry, largest, legend, sign, signs
from autograd.draw.text import shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd.draw.network import Network

ROWS, COLUMNS = 16, 8  # there is room for so many, "49 more" among them
_WIDTH, _HEIGHT = 480.0, 330.0  # from the first unit to the last at most, in points
_NUMBERED = 32  # so many weights may be printed, each on its line,
_NUMBERED_ROWS, _STACKED = 8, 4  # if columns are so short, and so few stand before a unit


class Grid(NamedTuple):
    """Where columns and rows are, in points.

    Attributes:
        across: from column to column.
        down: from row to row.
        rows: of the tallest column.
        radius: of a unit.
        numbered: whether there is room for the number of every weight.
    """

    across: float
    down: float
    rows: int
    radius: float
    numbered: bool


def _grid(network: Network) -> Grid:
    sizes = network.sizes
    across = min(170.0, _WIDTH / (min(len(sizes), COLUMNS) - 1))
    rows = min(max(sizes[i] for i in network.columns), ROWS)
    stacked = all(before <= _STACKED or size == 1 for before, size in pairwise(sizes))
    if stacked and rows <= _NUMBERED_ROWS and network.connections <= _NUMBERED:
        return Grid(across, 46.0, rows, 14.0, numbered=True)
    down = min(36.0, _HEIGHT / max(rows - 1, 1))
    return Grid(across, down, rows, min(10.0, 0.42 * down), numbered=False)


def _spots(network: Network, grid: Grid) -> dict[str, tuple[float, float]]:
    """Return where each unit is, each word of what is left out, each caption, by part."""
    spots = {"m": (grid.across * (COLUMNS // 2), 0.0)}
    for order, i in enumerate(network.columns):
        x = grid.across * (order + (i > order))
        top = (min(network.sizes[i], ROWS) - 1) / 2
        for place, row in enumerate(network.rows(i)):
            spots[f"u{i}_{row}"] = x, grid.down * (top - place - (row > place))
        spots[f"m{i}"] = x, grid.down * (top - ROWS // 2)
        spots[f"l{i}"] = x, -grid.down * (grid.rows - 1) / 2 - grid.radius - 26.0
    return spots


def dot_source(network: Network) -> str:
    """Return the DOT source of a network, in which every unit has its place."""
    # imported here, so that the table of a network needs no package
    import graphviz  # noqa: PLC0415

    grid, units, lines = _grid(network), network.units(), network.lines()
    spots = _spots(network, grid)
    dot = graphviz.Graph("graph")

    def add(name: str, label: str, **look: str) -> None:
        dot.node(name, label, id=name, pos="{:.1f},{:.1f}!".format(*spots[name]), **look)

    def add_circle(name: str, label: str, **look: str) -> None:
        points = f"{min(8.0, 3.2 * grid.radius / len(label)):.1f}"
        add(name, label, fontsize=points, **circle, **look)

    font, width = "Helvetica", f"{grid.radius / 36:.3f}"
    circle = {"shape": "circle", "fixedsize": "true", "width": width, "height": width}
    dot.attr(id="graph", layout="neato", inputscale="72", pad="0.15", outputorder="edgesfirst")
    dot.attr(labelloc="b", labeljust="l", bgcolor=COLOUR["paper"], label=_legend(network))
    dot.attr("graph", fontname=font, fontsize="8")
    dot.attr("node", fontname=font, fontsize="8", fontcolor=COLOUR["ink"], shape="box")
    dot.attr("node", style="filled", fillcolor=COLOUR["paper"], penwidth="0")
    dot.attr("node", margin="0.02,0.01", width="0", height="0")

    for row in network.rows(0):
        look = {"color": COLOUR["line"], "penwidth": "0.8", "fillcolor": COLOUR["box"]}
        add_circle(f"u0_{row}", f"x{row}", **look)
    widest = largest(network.shown(unit.bias) for unit in units.values())
    for name, unit in units.items():
        bias = network.shown(unit.bias)
        look = _look(bias, widest, 0.8, grid.radius / 5)
        look["style"] += ",filled"
        add_circle(name, _rounded(bias) if grid.numbered else name.partition("_")[2], **look)
    for name, words in network.omitted().items():
        mark = "⋯" if name == "m" else "⋮"
        add(name, f"<{coloured(f'{mark} {words}', 'quiet')}>")
    for i in network.columns:
        add(f"l{i}", _caption(network, i, int(grid.across / 4.6)))

    widest = largest(network.shown(line.weight) for line in lines)
    for line in lines:
        weight = network.shown(line.weight)
        look = _look(weight, widest, 0.3, grid.down / 12)
        if weight:
            look["color"] += f"{round(64 + 191 * _share(weight, widest)):02x}"  # opacity
        tail, head = line.ends
        dot.edge(tail, head, id=line.name, **look)
        if grid.numbered:
            # near the head, so that the numbers of all lines stand one below the other
            before, size = network.sizes[line.column - 1 : line.column + 1]
            share = 1 / (before + 1) if size > 1 else 0.4
            (x, y), (from_x, from_y) = spots[head], spots[tail]
            spots[f"n{line.name}"] = x + share * (from_x - x), y + share * (from_y - y)
            add(f"n{line.name}", _rounded(weight), fontsize="7")
    return str(dot.source)


def _look(x: float | None, widest: float, thin: float, wide: float) -> dict[str, str]:
    """Return how a number looks: its sign as colour, its magnitude as width; wide also for nan."""
    width = 0.8 if x is None else thin + (wide - thin) * _share(x, widest)
    return {
        "style": "dotted" if x is None else "solid" if x else "dashed",
        "color": COLOUR[sign([x]) if x else "line"],
        "penwidth": f"{width:.2f}",
    }


def _share(x: float | None, widest: float) -> float:
    return min(1.0, abs(x or 0.0) / widest)  # 1 for nan


def _rounded(x: float | None) -> str:
    return number(x if x is None else float(f"{x:.2g}"))


def _caption(network: Network, i: int, most: int) -> str:
    """Return what is written below a column: name, activation and shape."""
    inputs, layer = f"{network.sizes[0]:,}", network.layers[i - 1]
    words = (layer.name, layer.activation, layer.shape) if i else ("inputs", inputs, "")
    lines = (
        coloured(shortened(word, most) or " ", role)
        for word, role in zip(words, ("ink", "quiet", "quiet"), strict=True)
    )
    return f"<{'<br/>'.join(lines)}>"


def _legend(network: Network) -> str:
    """Return what the marks mean, and how much of the network is drawn."""
    units, lines = network.units(), network.lines()
    weights = [network.shown(line.weight) for line in lines]
    biases = [network.shown(unit.bias) for unit in units.values()]
    of = "gradient of " if network.show == "gradient" else ""
    ring = "ring and the number in it" if _grid(network).numbered else "ring"
    entries = [
        entry("line", f" {of}a weight, ") + signs() + _widest(weights),
        entry(ring, f" {of}a bias") + _widest(biases),
    ]
    if 0.0 in [*weights, *biases]:
        entries.append(entry("dashed", " 0"))
    if any(x != x for x in [*weights, *biases]):  # noqa: PLR0124
        entries.append(entry("grey", " nan"))
    notes = []
    if None in biases:
        notes.append("no gradients yet: call backward()")
    if network.omitted():
        drawn = (
            f"{len(network.rows(0)) + len(units):,} of {sum(network.sizes):,} units, "
            f"{len(lines):,} of {network.connections:,} connections drawn"
        )
        notes.append(drawn)
    return legend(entries, notes, in_a_row=len(network.columns) > 2)


def _widest(xs: Iterable[float | None]) -> str:
    known = [abs(x) for x in xs if x and x == x]  # noqa: PLR0124
    return coloured(f", the widest ±{number(max(known))}", "quiet") if known else ""
