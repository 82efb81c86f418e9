"""From the pattern of failures to the mistakes that they smell of.

A case lists the mistakes that it catches, each with the wrong answer that the mistake gives: its
signature. A mistake is suspected when an answer has its signature and no case that would catch it
has passed. A case rests on simpler ones, and while one of these fails its own failure only supports
a suspicion that another case has raised. Among suspects, that which explains most failures comes
first, those counting most that rest on no other, and what it explains needs no second suspect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .verdicts import agrees, close

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cases import Kit, Mistake
    from .verdicts import Verdict

SIMILAR = 1e-6  # relative: a signature names a mistake, it does not measure one


class Smell(NamedTuple):
    """A mistake, and the verdicts that smell of it."""

    mistake: Mistake
    evidence: list[Verdict]

    @property
    def level(self) -> int:
        """The level at which it is seen first."""
        return min(verdict.case.level for verdict in self.evidence)


def has_signature(verdict: Verdict, signature: dict[str, Any]) -> bool:
    """Whether an answer is the one that a mistake gives."""
    if "ends" in signature:
        return bool(verdict.ends == signature["ends"])
    if "raises" in signature:
        return verdict.ends == "raised" and signature["raises"] in verdict.raises
    if verdict.ends != "wrong":
        return False
    if "nearly" in signature:
        return all(
            close(verdict.readings[key], x, signature["nearly"])
            for key, x in verdict.case.expect[0].items()
        )
    return not signature or agrees(verdict.readings, signature, SIMILAR)


def founded(kit: Kit, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts that rest on no simpler case that failed or is missing."""
    verdicts = list(verdicts)
    unproved = {verdict.case.name for verdict in verdicts if not verdict.passed}
    return [v for v in verdicts if unproved.isdisjoint(kit.foundations(v.case))]


def diagnose(kit: Kit, verdicts: Iterable[Verdict]) -> list[Smell]:
    """The mistakes that these verdicts smell of, the lowest level first."""
    verdicts = list(verdicts)
    grounds = {verdict.case.name for verdict in founded(kit, verdicts)}
    suspected: dict[str, list[Verdict]] = {}
    cleared: set[str] = set()
    for verdict in verdicts:
        for name, signatures in verdict.case.catches.items():
            if verdict.passed:
                cleared.add(name)
            elif any(has_signature(verdict, signature) for signature in signatures):
                suspected.setdefault(name, []).append(verdict)

    def weight(found: list[Verdict]) -> tuple[int, int]:
        return sum(v.case.name in grounds for v in found), len(found)

    smells = []
    cleared -= {name for name, mistake in kit.mistakes.items() if mistake.certain}
    left = {name: found for name, found in suspected.items() if name not in cleared}
    while left := {
        name: found for name, found in left.items() if any(v.case.name in grounds for v in found)
    }:
        name = max(left, key=lambda name: weight(left[name]))
        smells.append(Smell(kit.mistakes[name], left.pop(name)))
        explained = {verdict.case.name for verdict in smells[-1].evidence}
        for other, found in left.items():
            left[other] = [verdict for verdict in found if verdict.case.name not in explained]
    return sorted(smells, key=lambda smell: smell.level)
