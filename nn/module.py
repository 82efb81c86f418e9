"""Module: anything that holds parameters, nested to any depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import starmap

from autograd import Value, no_grad
from nn.arguments import as_floats, as_list, few, number, plain, shown
from nn.modelfile import read_model, write_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from nn.modelfile import FilePath


class Module:
    """Something with parameters: derive from it, hold them in attributes, define `__call__`.

    The parameters are the leaf `Value`s found in its attributes, and in the modules, lists, tuples
    and dicts found there, to any depth, in the order of definition. A `Value` that an operation
    made is a result and no parameter.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.intercept
    >>> Line().state_dict()
    {'slope': 2.0, 'intercept': 1.0}
    >>> Line().predict([0.0, 3.0])
    [1.0, 7.0]

    Attributes:
        shape: what `summary` shows as its shape, such as "2 → 16".
        activation: what `summary` shows as its activation.
        label: its dotted name in the model whose `label_parameters` was called last.
    """

    shape: str = ""
    activation: str = ""
    label: str  # without a default here, which would make every look-up slower

    def __call__(self, inputs: Any) -> Any:
        """Compute the output for one sample; every subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, inputs)")

    def __repr__(self) -> str:
        arguments = (f"{name}={value!r}" for name, value in self.architecture().items())
        return f"{type(self).__name__}({', '.join(arguments)})"

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that build this module anew, as JSON knows them.

        They are printed, stored in the model file and compared on loading. A subclass without any
        has nothing to say here.
        """
        return {}

    def _walk(self) -> Iterator[tuple[str, Module | Value]]:
        """Yield every module and parameter with its dotted name, once, in order of definition."""
        seen: set[int] = set()
        stack: list[tuple[str, Any]] = [("", self)]
        while stack:
            name, item = stack.pop()
            if id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, Value):
                if item.primitive is None:
                    yield name, item
                continue
            held: Iterable[tuple[Any, Any]]
            if isinstance(item, Module):
                yield name, item
                held = vars(item).items()
            else:
                held = item.items() if isinstance(item, dict) else enumerate(item)
            prefix = f"{name}." if name else ""
            stack += [
                (f"{prefix}{key}", inner)
                for key, inner in reversed([*held])
                if isinstance(inner, _SEARCHED)
            ]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return each parameter with its dotted name, such as `layers.0.neurons.3.weights.1`.

        >>> from nn import Neuron
        >>> [name for name, _ in Neuron(2).named_parameters()]
        ['weights.0', 'weights.1', 'bias']
        """
        return [(name, item) for name, item in self._walk() if isinstance(item, Value)]

    def parameters(self) -> list[Value]:
        """Return the parameters in order of definition, each once, by identity.

        >>> from nn import MLP
        >>> len(MLP(2, [16, 1]).parameters())
        65
        """
        return [parameter for _, parameter in self.named_parameters()]

    def label_parameters(self) -> None:
        """Label each parameter and each module held with its dotted name, for drawings and errors.

        `MLP`, `Layer` and `Neuron` label themselves. A module of your own that holds them calls
        this at the end of its `__init__`, so that the labels begin at the whole.

        >>> class Twins(Module):
        ...     def __init__(self):
        ...         self.left, self.right = Value(1.0), Value(2.0)
        ...         self.label_parameters()
        >>> Twins().right.label
        'right'
        """
        for name, item in self._walk():
            item.label = name

    def zero_grad(self) -> None:
        """Set the `.grad` of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def predict(self, X: Iterable[Any]) -> list[Any]:
        """Return the output for each sample as a float or a list of floats; no graph is recorded.

        >>> from nn import MLP
        >>> len(MLP(2, [16, 3]).predict([[0.5, 1.0]])[0])
        3

        Args:
            X: the samples, a list or array of what the module is called with.

        Raises:
            TypeError: if X is no list or array.
        """
        try:
            samples = as_list(X)
        except TypeError:
            raise TypeError(
                f"X must be a list or array of samples, got {shown(X)}; "
                "to predict for one sample write predict([sample])"
            ) from None
        with no_grad():
            return [as_floats(self(sample)) for sample in samples]

    def summary(self) -> str:
        """Return a table of the layers: name, shape, activation and number of parameters.

        A row is a module or a parameter that this module holds; a parameter held twice counts where
        it is met first.
        """
        rows: list[list[Any]] = []
        for name, item in self._walk():
            if rows and name.startswith(f"{rows[-1][0]}."):
                rows[-1][-1] += isinstance(item, Value)
            elif isinstance(item, Value):
                rows.append([name, "", "", 1])
            elif item is not self:
                rows.append([name, item.shape, item.activation, 0])
        total = ["total", "", "", sum(row[-1] for row in rows)]
        table = [["layer", "shape", "activation", "parameters"], *rows, total]
        widths = [max(len(str(row[column])) for row in table) for column in range(3)]
        return "\n".join(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False))
            + f"  {row[-1]:>10}"
            for row in table
        )

    def state_dict(self) -> dict[str, float]:
        """Return the parameters' numbers by dotted name.

        Raises:
            ValueError: if two parameters have the same dotted name.
        """
        named = self.named_parameters()
        state = {name: float(parameter.data) for name, parameter in named}
        if len(state) < len(named):
            names = [name for name, _ in named]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"two parameters are named {twice}: rename a key or an attribute")
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set every parameter to the number that `state` has under its dotted name.

        Everything is checked before anything is changed.

        >>> from nn import Neuron
        >>> neuron = Neuron(1)
        >>> neuron.load_state_dict({"weights.0": 2, "bias": -1})
        >>> neuron([5.0]).data
        9.0

        Raises:
            ValueError: if names are missing or unexpected.
            TypeError: if `state` is no mapping, or something in it not a number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"state must be numbers by name, as state_dict() gives them, got {shown(state)}"
            )
        expected = self.state_dict()
        differences = {
            "missing": [name for name in expected if name not in state],
            "unexpected": [name for name in state if name not in expected],
        }
        if any(differences.values()):
            text = "; ".join(f"{kind} {few(names)}" for kind, names in differences.items() if names)
            raise ValueError(f"the parameters are not those of this model: {text}")
        changes = [
            (parameter, "data", float(number(name, state[name])))
            for name, parameter in self.named_parameters()
        ]
        set_at_once(changes)

    def save(self, path: FilePath, **extra: Any) -> None:
        """Write the model file, and in it whatever else is given by name, as JSON.

        The file is complete or not there at all; `nn.modelfile` describes it.

        >>> import tempfile
        >>> from nn import MLP
        >>> model, twin = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     model.save(file.name)
        ...     twin.load(file.name)
        >>> model.state_dict() == twin.state_dict()
        True

        Raises:
            TypeError: if JSON cannot hold something given.
            ValueError: if a name is one of the model file's own, or a float given is not finite.
            OSError: if the file cannot be written.
        """
        write_model(path, self.architecture(), self.state_dict(), extra)

    def load(self, path: FilePath) -> None:
        """Set the parameters to those of a model file written by `save` of a model built alike.

        Everything is checked before anything is changed.

        Raises:
            ValueError: if the file is damaged, foreign, or of another model.
            OSError: if it cannot be read.
        """
        contents = read_model(path)
        theirs = contents["architecture"]
        ours = json.loads(json.dumps(self.architecture()))
        for name in [*theirs, *ours]:
            if theirs.get(name) != ours.get(name):
                raise ValueError(
                    f"{path}: {plain(name)} is {shown(theirs.get(name))} in the file "
                    f"and {shown(ours.get(name))} in this model"
                )
        try:
            self.load_state_dict(contents["parameters"])
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


_SEARCHED = (Module, Value, list, tuple, dict)


def set_at_once(changes: Iterable[tuple[object, str, Any]]) -> None:
    """Set attributes, given as (object, name, value): all of them or none, whenever Ctrl-C comes.

    One call into C makes all the changes, and no signal interrupts that.
    """
    any(starmap(setattr, list(changes)))
