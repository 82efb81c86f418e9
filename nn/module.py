"""Module: anything that holds parameters, nested to any depth, with its model file.

A model file is JSON:

    {
     "format": "glassgrad model",
     "version": 1,
     "architecture": {"nin": 2, "nouts": [16, 1], "activation": "relu", "output": "linear"},
     "parameters": {"layers.0.neurons.0.weights.0": "0x1.5bf0a8b145769p+1", ...},
     ...
    }

Parameters are hexadecimal floats (`float.hex`), exact to the last bit, infinities and nan included.
Whatever else its writer wants to keep, such as the recipe that prepares the data, stands beside
them under names of its own.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import starmap
from operator import index
from pathlib import Path

from autograd import Value, no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    FilePath = str | os.PathLike[str]

FORMAT = "glassgrad model"
VERSION = 1


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
    """

    shape: str = ""
    activation: str = ""

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
            children: Iterable[tuple[Any, Any]]
            if isinstance(item, Module):
                yield name, item
                children = vars(item).items()
            else:
                children = item.items() if isinstance(item, dict) else enumerate(item)
            prefix = f"{name}." if name else ""
            stack += [
                (f"{prefix}{key}", child)
                for key, child in reversed([*children])
                if isinstance(child, _SEARCHED)
            ]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return each parameter with its dotted name, such as `layers.0.neurons.3.weights.1`."""
        return [(name, item) for name, item in self._walk() if isinstance(item, Value)]

    def parameters(self) -> list[Value]:
        """Return the parameters in order of definition, each once, by identity."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the `.grad` of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def predict(self, X: Iterable[Any]) -> list[Any]:
        """Return the output for each sample as a float or a list of floats; no graph is recorded.

        Args:
            X: the samples, a list or array of what the module is called with.
        """
        with no_grad():
            return [plain(self(sample)) for sample in listed(X)]

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

        Raises:
            ValueError: if names are missing or unexpected.
            TypeError: if something is not a number.
        """
        expected = self.state_dict()
        differences = {
            "missing": [name for name in expected if name not in state],
            "unexpected": [name for name in state if name not in expected],
        }
        if any(differences.values()):
            text = "; ".join(
                f"{kind} {_few(names)}" for kind, names in differences.items() if names
            )
            raise ValueError(f"the parameters are not those of this model: {text}")
        changes = []
        for name, parameter in self.named_parameters():
            try:
                changes.append((parameter, "data", Value(state[name]).data))
            except TypeError as error:
                raise TypeError(f"{name}: {error}") from None
        set_at_once(changes)

    def save(self, path: FilePath, **extra: Any) -> None:
        """Write the model file, and in it whatever else is given by name, as JSON.

        The file is complete or not there at all: see `write_whole`.

        Raises:
            TypeError: if JSON cannot hold something given.
            ValueError: if a name is one of the model file's own, or a float given is not finite.
            OSError: if the file cannot be written.
        """
        contents = {
            "format": FORMAT,
            "version": VERSION,
            "architecture": self.architecture(),
            "parameters": {name: number.hex() for name, number in self.state_dict().items()},
        }
        if taken := sorted(contents.keys() & extra):
            raise ValueError(f"save: the model file keeps the name {taken[0]} for itself")
        write_whole(path, json.dumps(contents | extra, indent=1, allow_nan=False) + "\n")

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
                    f"{path}: {name} is {theirs.get(name)!r} in the file "
                    f"and {ours.get(name)!r} in this model"
                )
        try:
            self.load_state_dict(contents["parameters"])
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


_SEARCHED = (Module, Value, list, tuple, dict)


def read_model(path: FilePath) -> dict[str, Any]:
    """Return the contents of a model file, its parameters as floats by name, and all the rest.

    Raises:
        ValueError: if the file is damaged or foreign, in one line that says where.
        OSError: if it cannot be read.
    """
    try:
        contents = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a {FORMAT}, or damaged: {error}") from None
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise ValueError(f'{path}: not a {FORMAT}: it lacks "format": "{FORMAT}"')
    if contents.get("version") != VERSION:
        raise ValueError(
            f"{path}: written in version {contents.get('version')!r} of the format, "
            f"but this program reads version {VERSION}"
        )
    parts = ("architecture", "parameters")
    if missing := [part for part in parts if not isinstance(contents.get(part), dict)]:
        raise ValueError(f'{path}: damaged: "{missing[0]}" is missing or no JSON object')
    contents["parameters"] = {
        name: _exact_float(path, name, text) for name, text in contents["parameters"].items()
    }
    return contents


def write_whole(path: FilePath, text: str) -> None:
    """Write a UTF-8 text file so that it is there whole, or as it was before.

    The text goes to a new file in the same folder, is synced to the disk, and takes the name `path`
    in one move.

    Raises:
        OSError: if it cannot be written; the new file is then removed.
    """
    target = Path(path).resolve()  # through a symbolic link, so that the link stays one
    temporary = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException as error:  # Ctrl-C too must leave nothing behind
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = os.fspath(path), None  # not the new file's own name
        raise


def set_at_once(changes: Iterable[tuple[object, str, Any]]) -> None:
    """Set attributes, given as (object, name, value): all of them or none, whenever Ctrl-C comes.

    One call into C makes all the changes, and no signal interrupts that.
    """
    any(starmap(setattr, list(changes)))


def listed(items: Iterable[Any]) -> list[Any]:
    """Return the items as a list; those of a NumPy array as Python's own numbers."""
    return items.tolist() if hasattr(items, "tolist") else list(items)


def plain(output: Any) -> Any:
    """Return an output as a float, or a list of floats."""
    return [float(o) for o in output] if isinstance(output, list | tuple) else float(output)


def whole_number(name: str, number: Any, least: int) -> int:
    """Return a whole number of any type as an int; raise a ValueError if it is none, or small."""
    try:
        count = index(number)
    except TypeError:
        count = least - 1
    if count < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {number!r}")
    return count


def _exact_float(path: FilePath, name: str, text: Any) -> float:
    """Read what `float.hex` wrote, and nothing else: a decimal "0.1" would silently mean 1/16."""
    try:
        number = float.fromhex(text)
        if number.hex() == text:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{path}: damaged: parameter {name} is {text!r}, not a float written by hex()")


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(str, names[:3])) + more
