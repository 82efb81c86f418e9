"""The network as a network: units in columns by layer, a line for every weight."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from autograd.draw.graph import number, numbers
from autograd.draw.network_dot import COLUMNS, ROWS, dot_source
from autograd.draw.text import aligned, printable, shortened
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


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
            sizes.insert(COLUMNS // 2, "…")
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
        return _ends(len(self.sizes), COLUMNS)

    def rows(self, column: int) -> list[int]:
        """Return which units of a column are drawn."""
        return _ends(self.sizes[column], ROWS)

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
        return dot_source(self)

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
            words = shortened(layer.name), shortened(layer.activation), layer.shape
            rows.append((*words, *_ranges(weights), *_ranges(biases)))
        return aligned(rows, "<" * 7)


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


def _ranges(xs: Sequence[Parameter]) -> tuple[str, str]:
    return numbers(x.value for x in xs), numbers(x.gradient for x in xs)
