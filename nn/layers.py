"""Neuron, Layer, MLP: a neuron is two nodes, a weighted sum and a transfer function."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import autograd
from autograd import Value, dot
from nn.arguments import as_list, numbers, plain, shown, whole_number
from nn.modelfile import read_model
from nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from nn.modelfile import FilePath

    Activation = str | Callable[[Any], Any]

# By kin: each lets through about one half of its input's variance, or more
RELU_KIN = ("relu", "leaky_relu", "elu", "silu", "gelu", "softplus")


class Neuron(Module):
    """activation(bias + weights[0] inputs[0] + weights[1] inputs[1] + ...), of a list of numbers.

    Weights are drawn uniformly with variance 2 / nin before a function of relu's kin (He et al.
    2015, eq. 10) and 1 / nin before any other (Glorot & Bengio 2010, eq. 10; for selu LeCun et al.
    1998, section 4.6, as Klambauer et al. 2017 ask); the bias starts at 0. The graph shows two
    nodes, `dot` and the activation, or one if that is "linear".

    >>> Neuron(2, activation="tanh")
    Neuron(nin=2, activation='tanh')

    Args:
        nin: how many inputs it has.
        activation: the name of one of autograd's functions of one number, "linear" for none, or a
            function of your own, which a model file names but does not hold.
        seed: of the random weights, or a `random.Random` to draw them from.

    Raises:
        ValueError: if `nin` is less than 1, or the activation is unknown.
    """

    def __init__(self, nin: int, activation: Activation = "relu", seed: int | Random = 0) -> None:
        count = whole_number("nin", nin, least=1)
        self.activation, self._transfer = _transfer_function(activation)
        self.shape = f"{count} → 1"
        limit = math.sqrt((6.0 if self.activation in RELU_KIN else 3.0) / count)
        random = _generator(seed)
        self.weights = [Value(random.uniform(-limit, limit)) for _ in range(count)]
        self.bias = Value(0.0)
        self.label_parameters()

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that build this neuron anew."""
        return {"nin": len(self.weights), "activation": self.activation}

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Return the output for a list of `nin` numbers.

        Raises:
            ValueError: if there are more or fewer.
            TypeError: if it is not a list, or holds something that is not a number.
        """
        if type(inputs) is not list:  # costs less than isinstance, and a list is the rule
            inputs = _inputs(inputs, self.label or "neuron", len(self.weights))
        try:
            weighted_sum = dot(self.weights, inputs, self.bias)
        except (TypeError, ValueError) as error:
            name = self.label or "neuron"
            raise _input_error(inputs, name, len(self.weights)) or error from None
        transfer = self._transfer
        if type(weighted_sum) is not Value:  # other kinds of number have no label
            return weighted_sum if transfer is None else transfer(weighted_sum)
        weighted_sum.label = label = self.label
        if transfer is None:
            return weighted_sum
        output = transfer(weighted_sum)
        # an activation of the user's own may return a Value that has a name already, or a leaf
        if type(output) is Value and output.edges and not output.label:
            output.label = label
        return output


class Layer(Module):
    """`nout` neurons that read the same inputs: a list of numbers, or one number if nout is 1.

    >>> Layer(2, 16, activation="tanh")
    Layer(nin=2, nout=16, activation='tanh')

    Args:
        nin: how many inputs each neuron has.
        nout: how many neurons, and so how many outputs.
        activation: as in `Neuron`.
        seed: as in `Neuron`.

    Raises:
        ValueError: if `nin` or `nout` is less than 1, or the activation is unknown.
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: Activation = "relu",
        seed: int | Random = 0,
    ) -> None:
        random = _generator(seed)
        count = whole_number("nout", nout, least=1)
        self.neurons = [Neuron(nin, activation, random) for _ in range(count)]
        self.activation = self.neurons[0].activation
        self.shape = f"{nin} → {nout}"
        self.label_parameters()

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that build this layer anew."""
        return {
            "nin": len(self.neurons[0].weights),
            "nout": len(self.neurons),
            "activation": self.activation,
        }

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Return the outputs for a list of `nin` numbers; raises as `Neuron` does."""
        if type(inputs) is not list:  # here too, lest every neuron converts an array again
            inputs = _inputs(inputs, self.label or "layer", len(self.neurons[0].weights))
        outputs = [neuron(inputs) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs


class MLP(Module):
    """A multi-layer perceptron: layers one after the other, each reading the one before.

    >>> model = MLP(2, [16, 16, 1])
    >>> model
    MLP(nin=2, nouts=[16, 16, 1], activation='relu', output='linear')
    >>> print(model.summary())
    layer     shape    activation  parameters
    layers.0  2 → 16   relu                48
    layers.1  16 → 16  relu               272
    layers.2  16 → 1   linear              17
    total                                 337

    Args:
        nin: how many inputs the first layer has.
        nouts: how many neurons each layer has.
        activation: of all layers but the last; as in `Neuron`.
        output: the activation of the last layer.
        seed: of the random weights, or a `random.Random` to draw them from.

    Attributes:
        sizes: of the input and of each layer: `[nin, *nouts]`.
        layers: the `Layer`s.

    Raises:
        ValueError: if a size is less than 1, `nouts` is empty, or an activation is unknown.
        TypeError: if `nouts` is not a list.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation = "relu",
        output: Activation = "linear",
        seed: int | Random = 0,
    ) -> None:
        wanted = f"nouts must list the neurons of each layer, such as [16, 1], got {shown(nouts)}"
        if not isinstance(nouts, list | tuple):
            raise TypeError(wanted)
        if not nouts:
            raise ValueError(wanted)
        random = _generator(seed)
        self.sizes = [nin, *nouts]
        activations = [activation] * (len(nouts) - 1) + [output]
        self.layers = [
            Layer(*sizes, transfer, random)
            for sizes, transfer in zip(pairwise(self.sizes), activations, strict=True)
        ]
        self.activation, _ = _transfer_function(activation)
        self.shape = " → ".join(map(str, self.sizes))
        self.label_parameters()

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that build this model anew."""
        return {
            "nin": self.sizes[0],
            "nouts": self.sizes[1:],
            "activation": self.activation,
            "output": self.layers[-1].activation,
        }

    @classmethod
    def from_file(cls, path: FilePath) -> Self:
        """Return the model that a model file describes, with the parameters stored there.

        Raises:
            ValueError: if the file is damaged, foreign, or describes no MLP.
            OSError: if it cannot be read.
        """
        contents = read_model(path)
        architecture, parameters = contents["architecture"], contents["parameters"]
        try:
            _check_sizes(architecture, parameters)
            model = cls(**architecture)
            model.load_state_dict(parameters)
        except (TypeError, ValueError) as error:
            problem = plain(error, most=400)
            raise ValueError(f"{path}: describes no {cls.__name__}: {problem}") from None
        return model

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Return the outputs for a list of `nin` numbers; raises as `Neuron` does."""
        return self.layer_outputs(inputs)[-1]

    def layer_outputs(self, inputs: Sequence[Any]) -> list[Any]:
        """Return what each layer gives for a list of `nin` numbers, the model's own output last.

        >>> [len(outputs) for outputs in MLP(2, [16, 3]).layer_outputs([1.0, 2.0])]
        [16, 3]

        Raises:
            ValueError, TypeError: as `Neuron` does.
        """
        given = []
        for layer in self.layers:
            outputs = layer(inputs)
            given.append(outputs)
            inputs = outputs if type(outputs) is list else [outputs]
        return given


def _transfer_function(activation: Activation) -> tuple[str, Callable[[Any], Any] | None]:
    """Return the activation's name and function, which is None for "linear"."""
    if activation == "linear":
        return "linear", None
    known = {
        name: function
        for name, function in vars(autograd).items()
        if callable(function) and hasattr(Value, name)  # functions of one number are methods too
    }
    if callable(activation):
        name = getattr(activation, "name", getattr(activation, "__name__", "function"))
        if name == "linear" or (name in known and activation is not known[name]):
            name = f"custom {name}"  # lest a model file be loaded with autograd's function
        return name, activation
    if activation in known:
        return activation, known[activation]
    from difflib import get_close_matches  # noqa: PLC0415  loaded for the error alone

    close = get_close_matches(str(activation), ["linear", *known], n=1)
    hint = f", did you mean {close[0]!r}?" if close else ";"
    if activation == "softmax":
        hint = ": leave the output linear, cross_entropy takes logits;"
    raise ValueError(
        f"unknown activation {shown(activation)}{hint} known are linear, {', '.join(sorted(known))}"
    )


def _check_sizes(architecture: dict[str, Any], parameters: dict[str, float]) -> None:
    """Raise unless the sizes fit the parameters: a damaged size could ask for all memory."""
    sizes = [architecture.get("nin"), *architecture.get("nouts", [])]
    for size in sizes:
        whole_number("each size", size, least=1)
    if sum((nin + 1) * nout for nin, nout in pairwise(sizes)) != len(parameters):
        raise ValueError(f"sizes {shown(sizes)} do not fit {len(parameters)} parameters")


def _inputs(inputs: Any, name: str, count: int) -> list[Any]:
    """Return the inputs as a list; a bare number is an error."""
    try:
        found = as_list(inputs)
    except TypeError:
        found = inputs
    if not isinstance(found, list):
        raise TypeError(
            f"{name}: expected a list of {count} inputs, got {shown(inputs)}; "
            "write [x] for a single number"
        )
    return found


def _input_error(inputs: list[Any], name: str, count: int) -> Exception | None:
    """Return the error of too many or too few inputs, or of the first that is no number."""
    if len(inputs) != count:
        return ValueError(f"{name}: expected {count} inputs, got {len(inputs)}")
    try:
        numbers(f"{name}: inputs", inputs)
    except TypeError as error:
        return error
    return None


def _generator(seed: int | Random) -> Random:
    return seed if isinstance(seed, Random) else Random(seed)
