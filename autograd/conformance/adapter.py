"""How the kit speaks to an engine, whatever the engine calls things."""

from __future__ import annotations

import importlib
import importlib.util
import operator
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "abs": abs,
}
IN_PLACE: dict[str, Callable[..., Any]] = {
    "add": operator.iadd,
    "sub": operator.isub,
    "mul": operator.imul,
    "div": operator.itruediv,
}
METHODS = {"div": "truediv"}  # where Python's name of an operator is not ours
SYNONYMS = {"log": ["ln"], "maximum": ["max"], "minimum": ["min"], "sigmoid": ["logistic"]}
REFUSALS = ("unsupported operand", "bad operand type", "not supported between")


class MissingError(Exception):
    """The engine has no such operation, which is no error of the engine's."""


class Adapter:
    """What the kit asks of an engine, in the spelling that most engines have.

    An engine with other spellings is graded through an object (or a class, called without
    arguments) that has `new` and whichever other methods of this class it does differently.
    """

    def __init__(self, new: Callable[[float], Any], module: object = None) -> None:
        self.new = new
        self.module = module

    def data(self, value: Any) -> Any:
        """The number that a value holds."""
        return value.data

    def grad(self, value: Any) -> Any:
        """The derivative that a value has accumulated; None counts as 0."""
        return value.grad

    def set_data(self, value: Any, x: float) -> None:
        """Give a value another number."""
        value.data = x

    def zero(self, value: Any) -> None:
        """Set a value's gradient back."""
        value.grad = 0.0

    def backward(self, value: Any) -> None:
        """Add d value / d leaf to the gradient of every leaf."""
        if not hasattr(value, "backward"):
            raise MissingError("backward()")
        value.backward()

    def apply(self, operation: str, *operands: Any) -> Any:
        """Compute an operation, one operand at least being a value."""
        if operation == "sum":
            return self.attempt("+ from 0, which sum() needs (__radd__)", sum, operands)
        if operation in OPERATORS:
            return self.attempt(
                _missing_method(operation, operands), OPERATORS[operation], *operands
            )
        return self.function(operation, operands[0])(*operands)

    def update(self, operation: str, value: Any, operand: Any) -> Any:
        """Compute `value += operand`, or another operation, in place."""
        return self.attempt(f"{operation} in place", IN_PLACE[operation], value, operand)

    def attempt(self, name: str, function: Callable[..., Any], *operands: Any) -> Any:
        """Call a function that Python has and the engine may refuse."""
        try:
            return function(*operands)
        except TypeError as error:
            given = all(operand is not None for operand in operands)  # by an earlier operation
            if given and any(words in str(error) for words in REFUSALS):
                raise MissingError(name) from error
            if function is operator.pow and not isinstance(operands[1], (int, float)):
                raise MissingError(f"{name} with a value as exponent") from error
            raise
        except (NotImplementedError, AssertionError) as error:  # a refusal, in words
            raise MissingError(f"{name}: {error}" if str(error) else name) from error

    def function(self, name: str, value: Any) -> Callable[..., Any]:
        """Find a function: a method of the value, or a name of the engine's module."""
        for spelling in (name, *SYNONYMS.get(name, ())):
            if callable(getattr(value, spelling, None)):
                return getattr(type(value), spelling)  # type: ignore[no-any-return]
            found = getattr(self.module, spelling, None)
            if callable(found) and getattr(found, "__module__", None) not in {"math", "builtins"}:
                return found  # type: ignore[no-any-return]
        raise MissingError(f"{name}()")

    def gradients(self, value: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        """Give d value / d input as values that can be differentiated again."""
        offered = getattr(self.module, "gradients", None)
        if callable(offered):
            return offered(value, inputs)  # type: ignore[no-any-return]
        try:
            value.backward(create_graph=True)
        except TypeError as error:
            raise MissingError("gradients that can be differentiated again") from error
        return [leaf.grad for leaf in inputs]


PROTOCOL = [name for name in vars(Adapter) if not name.startswith("_")]


def _missing_method(operation: str, operands: Sequence[Any]) -> str:
    reflected = "r" if isinstance(operands[0], (int, float)) else ""
    return f"__{reflected}{METHODS.get(operation, operation)}__"


def adapter_of(engine: str) -> Adapter:
    """Find an engine by its name, `module:Class` or `file.py:Class`.

    Raises:
        ValueError: no such module or class; the message says what was given.
    """
    place, _, name = engine.rpartition(":")
    if not place or not name:
        raise ValueError("an engine is given as MODULE:CLASS, such as engine:Value")
    module = _module(place)
    thing: Any = module
    for part in name.split("."):
        if not hasattr(thing, part):
            raise ValueError(f"there is no {part!r} in the module")
        thing = getattr(thing, part)
    if not hasattr(thing, "new"):
        if not callable(thing):
            raise ValueError("that is not a class")
        return Adapter(thing, module)
    given = thing() if isinstance(thing, type) else thing
    adapter = Adapter(given.new, module)
    for method in PROTOCOL:
        if hasattr(given, method):
            setattr(adapter, method, getattr(given, method))
    return adapter


def _module(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        path = Path(place).resolve()
        sys.path.insert(0, str(path.parent))
        return importlib.import_module(path.stem)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(f"the module cannot be imported ({what})") from error
