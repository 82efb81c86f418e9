"""Judge what an engine answered against what it should have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from .cases import ENDINGS, number

if TYPE_CHECKING:
    from .cases import Case
    from .execution import Answer


class Verdict(NamedTuple):
    """How an engine did on a case."""

    case: Case
    ends: str  # "passed", "wrong", "raised", "hung", "died" or "missing"
    says: str  # in words with numbers: what was seen, and what it should be
    readings: dict[str, float]
    raises: list[str]  # the exception's class and the classes it is derived from

    @property
    def passed(self) -> bool:
        """Whether the answer was right."""
        return self.ends == "passed"

    @property
    def failed(self) -> bool:
        """Whether the engine did something wrong, not merely lacks something."""
        return self.ends not in {"passed", "missing"}


def judge(case: Case, answer: Answer) -> Verdict:
    """Compare an answer with each that is right."""
    ends, readings = answer["ends"], answer.get("readings", {})
    says = answer.get("says", "")
    if ends == "answered":
        right = any(agrees(readings, expected, case.tolerance) for expected in case.expect)
        ends = "passed" if right else "wrong"
        says = "" if right else difference(readings, case)
    elif ends == "raised" and any(expected.get("raises") for expected in case.expect):
        ends = "passed"
    return Verdict(case, ends, says, readings, answer.get("raises", []))


def agrees(readings: dict[str, float], expected: dict[str, Any], tolerance: float) -> bool:
    """Whether every expected reading is there, within a relative tolerance."""
    asked = {key: x for key, x in expected.items() if key not in ENDINGS}
    return bool(asked) and all(
        key in readings and close(readings[key], x, tolerance) for key, x in asked.items()
    )


def close(actual: float, expected: float, tolerance: float) -> bool:
    """Whether two numbers agree; nan agrees with nan, and 0 with 0 alone.

    >>> close(1.0, 1.0 + 1e-15, 1e-12), close(math.nan, math.nan, 0), close(1e-300, 0.0, 1e-12)
    (True, True, False)
    """
    if math.isnan(actual) or math.isnan(expected):
        return math.isnan(actual) and math.isnan(expected)
    if math.isinf(actual) or math.isinf(expected):
        return actual == expected
    return abs(actual - expected) <= tolerance * abs(expected)


def difference(readings: dict[str, float], case: Case) -> str:
    """In words, what differs from the first right answer."""
    return ", ".join(
        f"{key}{' is' if '.' in key else ':'} {shown(readings[key])} where it is {shown(x)}"
        for key, x in case.expect[0].items()
        if key not in ENDINGS and not close(readings[key], x, case.tolerance)
    )


def shown(x: float) -> str:
    """A number, short if it is as good.

    >>> shown(3.0), shown(1 / 3), shown(0.1 + 0.2)
    ('3', '0.3333333333333333', '0.30000000000000004')
    """
    return number(x) if math.isfinite(x) else repr(x)
