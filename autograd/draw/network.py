"""The network as a network: units in columns by layer, a line for every weight."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import NamedTuple

from autograd.draw.dot import PALETTE, _sign, _text
from autograd.draw.graph import number, numbers
from autograd.draw.text import printable
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_COLOUR = {role: light for role, (light, _dark) in PALETTE.items()}
_ROWS, _COLUMNS = 16, 8  # there is room for so many, "49 more" among them
_WIDTH, _HEIGHT = 480.0, 330.0  # from the first unit to the last at most, in points
_NUMBERED = 32  # so many weights may be printed, each on its line,
_NUMBERED_ROWS, _STACKED = 8, 4  # if columns are so short, and so few stand before a unit
_LONGEST_NAME = 40


class Parameter(NamedTuple):
    """A weight or a bias.

    Attributes:
        name: its label, or else where it stands in the model.
        value: the number.
        gradient: its `.grad`; None if `backward()` has not run.
    """

    name: str
    value: float
    gradient: float | None

    def __str__(self) -> str:
        known = "no gradient yet" if self.gradient is None else f"gradient {number(self.gradient)}"
        return f"{printable(self.name)} = {number(self.value)}, {known}"


class Unit(NamedTuple):
    """A neuron: what it is called, and what it computes from the numbers it reads.

    Attributes:
        name: its label, or else where it stands in the model.
        activation: the function of the weighted sum, by name.
        weights: one for each number it reads.
        bias: what is added to the weighted sum.
    """

    name: str
    activation: str
    weights: tuple[Parameter, ...]
    bias: Parameter


class Layer(NamedTuple):
    """Units that read the same numbers."""

    name: str
    units: tuple[Unit, ...]

    @property
    def activation(self) -> str:
        """The activation of its units, or each of several."""
        return ", ".join(dict.fromkeys(unit.activation for unit in self.units))

    @property
    def shape(self) -> str:
        """How many numbers it reads, and gives."""
        return f"{len(self.units[0].weights):,} → {len(self.units):,}"


class Line(NamedTuple):
    """A weight that is drawn.

    Attributes:
        column: of the unit that it belongs to.
        row: of that unit.
        before: the row of the unit that it reads, in the column before.
        weight: the weight.
    """

    column: int
    row: int
    before: int
    weight: Parameter

    @property
    def name(self) -> str:
        """Its part of the picture."""
        return f"w{self.column}_{self.row}_{self.before}"

    @property
    def ends(self) -> tuple[str, str]:
        """The units that it joins."""
        return f"u{self.column - 1}_{self.before}", f"u{self.column}_{self.row}"


class Network(NamedTuple):
    """A network as it was when it was read, as a picture.

    Attributes:
        kind: the name of its class.
        layers: the first to the last, each reading what the one before gives.
        show: what colour and width mean, "weight" or "gradient".
    """

    kind: str
    layers: tuple[Layer, ...]
    show: str

    @property
    def title(self) -> str:
        """Its class and sizes: MLP 2-4-4-1."""
        sizes = [str(self.sizes[i]) for i in self.columns]
        if len(sizes) < len(self.sizes):
            sizes.insert(_COLUMNS // 2, "…")
        return f"{self.kind} {'-'.join(sizes)}"

    @property
    def summary(self) -> str:
        """How many units and connections it has, its inputs among the units."""
        return f"{self.title}: {sum(self.sizes):,} units, {self.connections:,} connections"

    @property
    def sizes(self) -> list[int]:
        """How many inputs it has, and units in each layer."""
        return [len(self.layers[0].units[0].weights), *(len(layer.units) for layer in self.layers)]

    @property
    def connections(self) -> int:
        """How many weights it has."""
        return sum(before * size for before, size in pairwise(self.sizes))

    @property
    def columns(self) -> list[int]:
        """The columns that are drawn: 0 are the inputs, 1 the first layer."""
        return _ends(len(self.sizes), _COLUMNS)

    def rows(self, column: int) -> list[int]:
        """Return which units of a column are drawn."""
        return _ends(self.sizes[column], _ROWS)

    def units(self) -> dict[str, Unit]:
        """Return the units that are drawn, by their part of the picture."""
        return {
            f"u{i}_{row}": self.layers[i - 1].units[row]
            for i in self.columns[1:]
            for row in self.rows(i)
        }

    def lines(self) -> list[Line]:
        """Return the weights that are drawn: those between two units drawn."""
        return [
            Line(i, row, before, self.layers[i - 1].units[row].weights[before])
            for i in self.columns
            if i - 1 in self.columns
            for row in self.rows(i)
            for before in self.rows(i - 1)
        ]

    def omitted(self) -> dict[str, str]:
        """Return what is left out, by the part of the picture that says so."""
        left_out = {
            f"m{i}": f"{self.sizes[i] - len(self.rows(i)):,} more"
            for i in self.columns
            if len(self.rows(i)) < self.sizes[i]
        }
        layers = len(self.sizes) - len(self.columns)
        return left_out | ({"m": f"{layers:,} more layers"} if layers else {})

    def shown(self, parameter: Parameter) -> float | None:
        """Return the number that colour and width stand for."""
        return parameter.value if self.show == "weight" else parameter.gradient

    def dot(self) -> str:
        """Return the DOT source, in which every unit has its place."""
        return _dot_source(self)

    def sentences(self) -> dict[str, str]:
        """Return what each part says, by its id: u1_0 is a unit, w1_0_2 a weight, l1 a layer."""
        said = {"graph": self.summary, "l0": f"{self.sizes[0]:,} inputs"} | self.omitted()
        for i in self.columns[1:]:
            layer = self.layers[i - 1]
            words = layer.name, layer.activation, layer.shape
            said[f"l{i}"] = ", ".join(printable(word) for word in words if word)
        said |= {f"u0_{row}": f"input {row}" for row in self.rows(0)}
        for name, unit in self.units().items():
            called = printable(unit.name)
            unit_said = ", ".join(filter(None, [called, printable(unit.activation)]))
            said[name] = f"{unit_said}: {str(unit.bias).removeprefix(f'{called}.')}"
        for line in self.lines():
            said[line.name] = said[f"n{line.name}"] = str(line.weight)
        return said

    def table(self) -> str:
        """Return a line for every layer, with the least and the greatest of its numbers."""
        rows = [("layer", "activation", "shape", "weights", "gradients", "biases", "gradients")]
        for layer in self.layers:
            weights = [weight for unit in layer.units for weight in unit.weights]
            biases = [unit.bias for unit in layer.units]
            words = _shortened(layer.name), _shortened(layer.activation), layer.shape
            rows.append((*words, *_ranges(weights), *_ranges(biases)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def network_of(model: Any, show: str | Iterable[str] = "weight") -> Network:
    """Read a network: its weights and biases, and the `.grad` of each.

    What counts is what a model holds, so that one of your own is a network too: a neuron has
    `weights`, a list of Values, `bias`, a Value, and `activation`, a name; a layer has `neurons`, a
    model `layers`. A layer or a neuron alone is a network of one layer.

    Args:
        model: the model, layer or neuron.
        show: what colour and width mean, "weight" or "gradient".

    Raises:
        TypeError: it is no network.
        ValueError: a neuron has not one weight for each number it reads; or `show` is neither.

    >>> from types import SimpleNamespace
    >>> weights, bias = [Value(0.5), Value(-1.0)], Value(0.0)
    >>> neuron = SimpleNamespace(weights=weights, bias=bias, activation="tanh")
    >>> network_of(neuron).layers[0].shape
    '2 → 1'
    """
    kind = printable(type(model).__name__)
    if hasattr(model, "layers"):
        layers = [(f"layers.{i}", layer) for i, layer in enumerate(_held(model, "layers", kind))]
    elif hasattr(model, "neurons") or hasattr(model, "weights"):
        layers = [("", model)]
    else:
        raise TypeError(
            f"draw: expected a Value, or a network with layers, neurons or weights, got {kind}"
        )
    if not isinstance(show, str) or show not in {"weight", "gradient"}:
        raise ValueError(f"draw(network, show): expected 'weight' or 'gradient', got {show!r}")
    neurons = [_neurons(layer, path) for path, layer in layers]
    known = any(x.grad for held in neurons for path, neuron in held for x in _values(neuron, path))
    read = tuple(
        Layer(_name(layer, path), tuple(_unit(neuron, path, known=known) for path, neuron in held))
        for (path, layer), held in zip(layers, neurons, strict=True)
    )
    given = len(read[0].units[0].weights)
    for layer in read:
        for unit in layer.units:
            if len(unit.weights) != given:
                raise ValueError(
                    f"draw: expected {given} weights in {printable(unit.name)}, one for each number"
                    f" that it reads, got {len(unit.weights)}"
                )
        given = len(layer.units)
    return Network(kind, read, show)


def _neurons(layer: Any, path: str) -> list[tuple[str, Any]]:
    """Return the neurons of a layer, each with its path; one neuron stands for a layer too."""
    if not path and not hasattr(layer, "neurons"):
        return [("", layer)]
    held = _held(layer, "neurons", path)
    return [(_joined(path, f"neurons.{i}"), neuron) for i, neuron in enumerate(held)]


def _values(neuron: Any, path: str) -> list[Value]:
    """Return the weights of a neuron, and last its bias."""
    values = [*_held(neuron, "weights", path), getattr(neuron, "bias", None)]
    for value in values:
        if not isinstance(value, Value):
            raise TypeError(
                f"draw: expected Values as the weights and the bias of"
                f" {path or type(neuron).__name__}, got {type(value).__name__}"
            )
    return values


def _held(holder: Any, attribute: str, path: str) -> Sequence[Any]:
    held = getattr(holder, attribute, None)
    if not isinstance(held, list | tuple) or not held:
        got = "an empty one" if isinstance(held, list | tuple) else type(held).__name__
        where = _joined(path, attribute)
        raise TypeError(f"draw: expected a list as {where}, got {got}")
    return held


def _unit(neuron: Any, path: str, *, known: bool) -> Unit:
    *weights, bias = _values(neuron, path)
    activation = getattr(neuron, "activation", None) or ""
    if not isinstance(activation, str):
        activation = getattr(activation, "__name__", type(activation).__name__)
    parameters = tuple(
        Parameter(x.label or _joined(path, f"weights.{i}"), x.data, x.grad if known else None)
        for i, x in enumerate(weights)
    )
    name = bias.label or _joined(path, "bias")
    last = Parameter(name, bias.data, bias.grad if known else None)
    return Unit(_name(neuron, path), activation, parameters, last)


def _name(thing: Any, path: str) -> str:
    label = getattr(thing, "label", "")
    return label if label and isinstance(label, str) else path or type(thing).__name__


def _joined(*names: str) -> str:
    return ".".join(filter(None, names))


def _ends(count: int, most: int) -> list[int]:
    """Return the numbers below `count`, or the first and last, one less than there is room for."""
    if count <= most:
        return [*range(count)]
    first = most // 2
    return [*range(first), *range(count - (most - first - 1), count)]


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
    across = min(170.0, _WIDTH / (min(len(sizes), _COLUMNS) - 1))
    rows = min(max(sizes[i] for i in network.columns), _ROWS)
    stacked = all(before <= _STACKED or size == 1 for before, size in pairwise(sizes))
    if stacked and rows <= _NUMBERED_ROWS and network.connections <= _NUMBERED:
        return Grid(across, 46.0, rows, 14.0, numbered=True)
    down = min(36.0, _HEIGHT / max(rows - 1, 1))
    return Grid(across, down, rows, min(10.0, 0.42 * down), numbered=False)


def _spots(network: Network, grid: Grid) -> dict[str, tuple[float, float]]:
    """Return where each unit is, each word of what is left out, each caption, by part."""
    spots = {"m": (grid.across * (_COLUMNS // 2), 0.0)}
    for order, i in enumerate(network.columns):
        x = grid.across * (order + (i > order))
        top = (min(network.sizes[i], _ROWS) - 1) / 2
        for place, row in enumerate(network.rows(i)):
            spots[f"u{i}_{row}"] = x, grid.down * (top - place - (row > place))
        spots[f"m{i}"] = x, grid.down * (top - _ROWS // 2)
        spots[f"l{i}"] = x, -grid.down * (grid.rows - 1) / 2 - grid.radius - 26.0
    return spots


def _dot_source(network: Network) -> str:
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
    dot.attr(labelloc="b", labeljust="l", bgcolor=_COLOUR["paper"], label=_legend(network))
    dot.attr("graph", fontname=font, fontsize="8")
    dot.attr("node", fontname=font, fontsize="8", fontcolor=_COLOUR["ink"], shape="box")
    dot.attr("node", style="filled", fillcolor=_COLOUR["paper"], penwidth="0")
    dot.attr("node", margin="0.02,0.01", width="0", height="0")

    for row in network.rows(0):
        look = {"color": _COLOUR["line"], "penwidth": "0.8", "fillcolor": _COLOUR["box"]}
        add_circle(f"u0_{row}", f"x{row}", **look)
    largest = _largest(network.shown(unit.bias) for unit in units.values())
    for name, unit in units.items():
        bias = network.shown(unit.bias)
        look = _look(bias, largest, 0.8, grid.radius / 5)
        look["style"] += ",filled"
        add_circle(name, _rounded(bias) if grid.numbered else name.partition("_")[2], **look)
    for name, words in network.omitted().items():
        mark = "⋯" if name == "m" else "⋮"
        add(name, f"<{_text(f'{mark} {words}', 'quiet')}>")
    for i in network.columns:
        add(f"l{i}", _caption(network, i, int(grid.across / 4.6)))

    largest = _largest(network.shown(line.weight) for line in lines)
    for line in lines:
        weight = network.shown(line.weight)
        look = _look(weight, largest, 0.3, grid.down / 12)
        if weight:
            look["color"] += f"{round(64 + 191 * _share(weight, largest)):02x}"  # opacity
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


def _look(x: float | None, largest: float, thin: float, wide: float) -> dict[str, str]:
    """Return how a number looks: its sign as colour, its magnitude as width; wide also for nan."""
    width = 0.8 if x is None else thin + (wide - thin) * _share(x, largest)
    return {
        "style": "dotted" if x is None else "solid" if x else "dashed",
        "color": _COLOUR[_sign([x]) if x else "line"],
        "penwidth": f"{width:.2f}",
    }


def _share(x: float | None, largest: float) -> float:
    return min(1.0, abs(x or 0.0) / largest)  # 1 for nan


def _largest(xs: Iterable[float | None]) -> float:
    return max((abs(x) for x in xs if x and abs(x) < inf), default=1.0)


def _rounded(x: float | None) -> str:
    return number(x if x is None else float(f"{x:.2g}"))


def _caption(network: Network, i: int, most: int) -> str:
    """Return what is written below a column: name, activation and shape."""
    inputs, layer = f"{network.sizes[0]:,}", network.layers[i - 1]
    words = (layer.name, layer.activation, layer.shape) if i else ("inputs", inputs, "")
    lines = (
        _text(_shortened(word, most) or " ", role)
        for word, role in zip(words, ("ink", "quiet", "quiet"), strict=True)
    )
    return f"<{'<br/>'.join(lines)}>"


def _legend(network: Network) -> str:
    """Return what the marks mean, and how much of the network is drawn."""
    units, lines = network.units(), network.lines()
    weights = [network.shown(line.weight) for line in lines]
    biases = [network.shown(unit.bias) for unit in units.values()]
    of = "gradient of " if network.show == "gradient" else ""
    either = ("positive", "positive"), (" or ", "quiet"), ("negative", "negative")
    signs = "".join(_text(*word) for word in either)
    ring = "ring and the number in it" if _grid(network).numbered else "ring"
    entries = [
        _text("line", "ink") + _text(f" {of}a weight, ", "quiet") + signs + _widest(weights),
        _text(ring, "ink") + _text(f" {of}a bias", "quiet") + _widest(biases),
    ]
    if 0.0 in [*weights, *biases]:
        entries.append(_text("dashed", "ink") + _text(" 0", "quiet"))
    if any(x != x for x in [*weights, *biases]):  # noqa: PLR0124
        entries.append(_text("grey", "ink") + _text(" nan", "quiet"))
    if len(network.columns) > 2:
        entries = [_text("   ·   ", "quiet").join(entries)]
    if None in biases:
        entries.append(_text("no gradients yet: call backward()", "ink"))
    if network.omitted():
        drawn = (
            f"{len(network.rows(0)) + len(units):,} of {sum(network.sizes):,} units, "
            f"{len(lines):,} of {network.connections:,} connections drawn"
        )
        entries.append(_text(drawn, "ink"))
    space, left = _text(" ", "quiet", 4), '<br align="left"/>'
    return f"<{left.join([space, *entries])}{left}>"


def _widest(xs: Iterable[float | None]) -> str:
    known = [abs(x) for x in xs if x and x == x]  # noqa: PLR0124
    return _text(f", the widest ±{number(max(known))}", "quiet") if known else ""


def _ranges(xs: Sequence[Parameter]) -> tuple[str, str]:
    return numbers(x.value for x in xs), numbers(x.gradient for x in xs)


def _shortened(text: str, most: int = _LONGEST_NAME) -> str:
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
