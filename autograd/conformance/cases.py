"""The cases: what an engine is asked, and what it should answer. README.md has the format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("cases.json")
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
BINDS = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 3, "pow": 4}  # how tightly
ENDINGS = {"ends", "raises", "nearly"}  # what an answer may say that is no reading
SPECIAL = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


class Case(NamedTuple):
    """One question to an engine, which is a lesson at the same time."""

    name: str
    level: int
    needs: list[str]  # simpler cases: while one of these fails, this one's failure tells nothing
    inputs: dict[str, float]
    program: list[Any]  # or, if empty,
    probe: str  # the procedure that stands in for a program
    alone: bool  # in a process of its own
    tolerance: float  # relative
    expect: list[dict[str, Any]]  # any of these answers is right
    catches: dict[str, list[dict[str, Any]]]  # mistake -> the wrong answers that it gives
    lesson: str

    @property
    def question(self) -> str:
        """The case as a line of Python.

        >>> load().case("sum-of-itself").question
        'y = a + a; y.backward() at a = 3'
        """
        at = ", ".join(f"{name} = {number(x)}" for name, x in self.inputs.items())
        asked = "; ".join(map(line, self.program)) or self.probe.replace("_", " ")
        return f"{asked} at {at}" if at else asked


class Mistake(NamedTuple):
    """A mistake that engines are known to make."""

    name: str
    says: str
    remedy: str
    certain: bool = False  # its signature proves it, whichever other cases pass


class Kit(NamedTuple):
    """All that `cases.json` holds."""

    version: int
    levels: dict[int, str]
    mistakes: dict[str, Mistake]
    cases: list[Case]

    def case(self, name: str) -> Case:
        """Give the case of that name, or raise `KeyError`."""
        return {case.name: case for case in self.cases}[name]

    def foundations(self, case: Case) -> set[str]:
        """Name the simpler cases that a case rests on, and those that these rest on."""
        found: set[str] = set()
        for name in case.needs:
            found |= {name} | self.foundations(self.case(name))
        return found


def load(path: Path = FILE) -> Kit:
    """Read the cases, the levels and the mistakes.

    >>> load().levels[3]
    'The truth about graphs'
    """
    kit = json.loads(path.read_text(encoding="utf-8"))
    return Kit(
        version=kit["version"],
        levels={int(level): name for level, name in kit["levels"].items()},
        mistakes={name: Mistake(name, **words) for name, words in kit["mistakes"].items()},
        cases=[_case(**case) for case in kit["cases"]],
    )


def _case(
    *,
    inputs: dict[str, Any] | None = None,
    expect: Any,
    catches: dict[str, Any] | None = None,
    **rest: Any,
) -> Case:
    optional: dict[str, Any] = {
        "needs": [],
        "program": [],
        "probe": "",
        "alone": False,
        "tolerance": 1e-12,
    }
    return Case(
        inputs={name: plain(x) for name, x in (inputs or {}).items()},
        expect=[_answer(e) for e in _listed(expect)],
        catches={
            mistake: [_answer(answer) for answer in _listed(answers)]
            for mistake, answers in (catches or {}).items()
        },
        **optional | rest,
    )


def _listed(answers: Any) -> list[Any]:
    return answers if isinstance(answers, list) else [answers]


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with its readings as floats."""
    return {key: given if key in ENDINGS else plain(given) for key, given in answer.items()}


def plain(x: Any) -> float:
    """A number of the file as a float: JSON has no inf and nan, so these are strings."""
    return SPECIAL[x] if isinstance(x, str) else float(x)


def number(x: float) -> str:
    """A float as one reads it: 3 for 3.0.

    >>> number(3.0), number(0.1), number(float("inf"))
    ('3', '0.1', 'inf')
    """
    return str(int(x)) if x == x // 1 and abs(x) < 1e15 else repr(x)


def line(step: list[Any]) -> str:
    """A step of a program as Python.

    >>> line(["let", "y", ["mul", ["add", "a", 2], "b"]])
    'y = (a + 2) * b'
    """
    match step:
        case ["let", name, given]:
            return f"{name} = {written(given)}"
        case ["update", name, operation, given]:
            return f"{name} {SIGNS[operation]}= {written(given)}"
        case ["set", name, x]:
            return f"{name}.data = {number(plain(x))}"
        case ["zero", name]:
            return f"{name}.grad = 0"
        case ["backward", name]:
            return f"{name}.backward()"
        case ["gradient", name, of, by]:
            return f"{name} = d{of}/d{by}"
        case ["repeat", count, steps]:
            return f"{count} times ({'; '.join(map(line, steps))})"
    raise ValueError(f"a step of a program is one of README.md's, not {step!r}")


def written(expression: Any, binds: int = 0) -> str:
    """An expression as Python, in brackets if it binds less tightly than its place asks."""
    if isinstance(expression, str) and expression not in SPECIAL:
        return expression
    if not isinstance(expression, list):
        return number(plain(expression))
    operation, *operands = expression
    if operation == "value":
        return f"Value({number(plain(operands[0]))})"
    if operation not in BINDS:
        inside = ", ".join(map(written, operands))
        return f"{operation}([{inside}])" if operation == "sum" else f"{operation}({inside})"
    own = BINDS[operation]
    if operation == "neg":
        text = f"-{written(operands[0], own)}"
    else:
        left, right = operands
        sign = "**" if operation == "pow" else f" {SIGNS[operation]} "
        text = f"{written(left, own + (operation == 'pow'))}{sign}{written(right, own + 1)}"
    return f"({text})" if own < binds else text
