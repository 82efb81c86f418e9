"""Run one case on an engine, in this process: what the engine answers, without a judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import probes
from .adapter import MissingError
from .cases import ENDINGS, line, plain, written

if TYPE_CHECKING:
    from .adapter import Adapter
    from .cases import Case

# How a case ends, with "hung" and "died", which only another process can tell.
Answer = dict[str, Any]  # {"ends": "answered" | "raised" | "missing", ...}


NUMBERS = {int, float}
LONGEST = 400  # characters of an exception's words


class NothingError(Exception):
    """An operation gave no value."""


class NumberError(Exception):
    """An operation on a value gave a plain number."""


def execute(adapter: Adapter, case: Case) -> Answer:
    """Run a case: its readings, or what was raised, or which operation is missing."""
    try:
        readings = getattr(probes, case.probe)(adapter) if case.probe else run(adapter, case)
    except (MissingError, NotImplementedError) as missing:
        return {"ends": "missing", "says": str(missing) or "an operation"}
    except (Exception, SystemExit) as error:  # noqa: BLE001  an engine may raise anything
        kinds = [kind.__name__ for kind in type(error).__mro__[:-2]]
        notes = " ".join(f"({note})" for note in getattr(error, "__notes__", ()))
        words = str(error)
        words = words if len(words) <= LONGEST else f"{words[:LONGEST]}..."
        return {"ends": "raised", "raises": kinds, "says": f"{kinds[0]}: {words} {notes}".strip()}
    return {"ends": "answered", "readings": readings}


def run(adapter: Adapter, case: Case) -> dict[str, float]:
    """Perform the steps of a case's program and read what it asks for."""
    values = {name: adapter.new(x) for name, x in case.inputs.items()}
    for step in case.program:
        try:
            perform(adapter, step, values)
        except (Exception, SystemExit) as error:
            error.add_note(f"at {line(step)}")
            raise
    asked = {key: None for answer in case.expect for key in answer if key not in ENDINGS}
    return {reading: read(adapter, values, reading) for reading in asked}


def perform(adapter: Adapter, step: list[Any], values: dict[str, Any]) -> None:
    """Perform one step of a program on the named values."""
    match step:
        case ["let", name, expression]:
            values[name] = evaluate(adapter, expression, values)
        case ["update", name, operation, expression]:
            operand = evaluate(adapter, expression, values)
            values[name] = adapter.update(operation, values[name], operand)
        case ["set", name, x]:
            adapter.set_data(values[name], plain(x))
        case ["zero", name]:
            adapter.zero(values[name])
        case ["backward", name]:
            adapter.backward(values[name])
        case ["gradient", name, of, by]:
            (values[name],) = adapter.gradients(values[of], [values[by]])
            for value in values.values():  # some engines leave the first gradient in .grad
                adapter.zero(value)
        case ["repeat", count, steps]:
            for _ in range(count):
                for inner in steps:
                    perform(adapter, inner, values)


def evaluate(adapter: Adapter, expression: Any, values: dict[str, Any]) -> Any:
    """The value of an expression: a name, a plain number, or an operation on expressions."""
    if isinstance(expression, str) and expression in values:
        return values[expression]
    if not isinstance(expression, list):
        return expression if isinstance(expression, int) else plain(expression)
    operation, *operands = expression
    if operation == "value":
        return adapter.new(plain(operands[0]))
    given = [evaluate(adapter, each, values) for each in operands]
    result = adapter.apply(operation, *given)
    if result is None:
        raise NothingError(f"{written(expression)} gave None")
    if type(result) in NUMBERS and not all(type(each) in NUMBERS for each in given):
        raise NumberError(f"{written(expression)} gave the plain number {result}")
    return result


def read(adapter: Adapter, values: dict[str, Any], reading: str) -> float:
    """What `name.data` or `name.grad` says, as a float."""
    name, _, attribute = reading.partition(".")
    found = getattr(adapter, attribute)(values[name])
    if attribute == "grad" and found is None:
        return 0.0
    if isinstance(found, complex):
        raise TypeError(f"{reading} is the complex number {found}")
    try:
        return float(found)
    except TypeError:  # a gradient that is itself a value
        return float(adapter.data(found))
    except OverflowError as error:  # of an int
        raise OverflowError(f"{reading} is an int too large for a float") from error
