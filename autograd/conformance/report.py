"""The report: text for a terminal, JSON, JUnit XML and Markdown."""

from __future__ import annotations

import json
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from .diagnosis import founded

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cases import Kit
    from .diagnosis import Smell
    from .verdicts import Verdict

REQUIRED = 3  # up to this level an engine lacks nothing
COLOURS = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "faint": "2"}
WIDTH = 96  # at most; a terminal may have less
NARROWEST = 40


class Score(NamedTuple):
    """How many cases of a level passed, were wrong, and were missing."""

    level: int
    name: str
    passed: int
    wrong: int
    missing: int

    @property
    def total(self) -> int:
        """The number of cases."""
        return self.passed + self.wrong + self.missing


class Report(NamedTuple):
    """An engine's verdicts and what they smell of."""

    engine: str
    kit: Kit
    verdicts: list[Verdict]
    smells: list[Smell]

    @property
    def scores(self) -> list[Score]:
        """The score of each level that was graded."""
        found = []
        for level, name in self.kit.levels.items():
            verdicts = [v for v in self.verdicts if v.case.level == level]
            counts = (
                sum(v.passed for v in verdicts),
                sum(v.failed for v in verdicts),
                sum(v.ends == "missing" for v in verdicts),
            )
            if verdicts:
                found.append(Score(level, name, *counts))
        return found

    @property
    def explained(self) -> set[str]:
        """The names of the cases that smell of a known mistake."""
        return {v.case.name for smell in self.smells for v in smell.evidence}

    @property
    def unexplained(self) -> list[Verdict]:
        """What is wrong, smells of no known mistake, and rests on nothing that is wrong."""
        grounds = founded(self.kit, self.verdicts)
        return [v for v in grounds if v.failed and v.case.name not in self.explained]

    @property
    def consequences(self) -> list[Verdict]:
        """What is wrong and may be right once a simpler case is."""
        known = self.explained | {v.case.name for v in self.unexplained}
        return [v for v in self.verdicts if v.failed and v.case.name not in known]

    @property
    def missing(self) -> dict[str, list[Verdict]]:
        """What the engine lacks, and which cases ask for it, but for what is among the smells."""
        found: dict[str, list[Verdict]] = {}
        for v in self.verdicts:
            if v.ends == "missing" and v.case.name not in self.explained:
                found.setdefault(v.says, []).append(v)
        return found

    @property
    def succeeded(self) -> bool:
        """Whether nothing is wrong, and nothing missing up to the level that is required."""
        lacking = any(v.ends == "missing" and v.case.level <= REQUIRED for v in self.verdicts)
        return not lacking and not any(v.failed for v in self.verdicts)


def text(report: Report, *, colour: bool = False, width: int = WIDTH) -> str:
    """The report for a terminal: scores, smells from the lowest level on, what is missing."""

    def paint(name: str, words: str) -> str:
        return f"\033[{COLOURS[name]}m{words}\033[0m" if colour else words

    def wrapped(words: str, first: str, indent: str) -> str:
        return textwrap.fill(
            _printable(words),
            max(NARROWEST, min(width, WIDTH)),
            initial_indent=first,
            subsequent_indent=indent,
            break_on_hyphens=False,  # names of cases are to be copied
        )

    lines = [paint("bold", _printable(report.engine)), ""]
    for score in report.scores:
        bar = "#" * score.passed + "x" * score.wrong + "." * score.missing
        hue = "red" if score.wrong else "yellow" if score.missing else "green"
        counts = f"{score.passed:>2} of {score.total:<2}"
        lines.append(f"{score.level}  {score.name:<28} {paint(hue, counts)}  {bar}")
    lines.append(paint("faint", f"{'':<41}  # right  x wrong  . missing"))
    if report.smells:
        lines += ["", paint("bold", "What it smells of, first things first")]
    for smell in report.smells:
        first, *others = smell.evidence
        lines += ["", paint("red", f"level {smell.level}: {smell.mistake.name}")]
        lines.append(wrapped(smell.mistake.says, "  ", "  "))
        lines.append(wrapped(_seen(first), "  seen: ", "        "))
        if others:
            names = ", ".join(v.case.name for v in others)
            lines.append(wrapped(names, "  also: ", "        "))
        lines.append(paint("green", wrapped(smell.mistake.remedy, "  mend: ", "        ")))
    if report.unexplained:
        lines += ["", paint("bold", "Wrong, but like no mistake that the kit knows")]
    for v in report.unexplained:
        lines += ["", paint("red", f"level {v.case.level}: {v.case.name}")]
        lines.append(wrapped(_seen(v), "  seen: ", "        "))
        if v.ends in {"wrong", "raised"}:
            lines.append(wrapped(v.case.lesson, "  know: ", "        "))
    if report.consequences:
        names = ", ".join(v.case.name for v in report.consequences)
        lines += ["", paint("bold", "Wrong too, and perhaps only because of the above")]
        lines.append(wrapped(names, "  ", "  "))
    if report.missing:
        lines += ["", paint("bold", "Missing")]
    for what, verdicts in report.missing.items():
        names = ", ".join(v.case.name for v in verdicts)
        level = min(v.case.level for v in verdicts)
        lines.append(wrapped(f"{what}  ({names})", f"  level {level}: ", "           "))
    return "\n".join([*lines, "", _conclusion(report)])


def _seen(v: Verdict) -> str:
    """A case's question and answer; a probe's lesson is its question."""
    question = f"{v.case.lesson} Here," if v.case.probe else f"{v.case.question}:"
    return f"{question} {v.says}{' is missing' * (v.ends == 'missing')} [{v.case.name}]"


def _conclusion(report: Report) -> str:
    """What to do next, in one line."""
    for score in report.scores:
        if score.wrong or (score.missing and score.level <= REQUIRED):
            return f"Next: level {score.level}, {score.name.lower()}."
    lacks = " It lacks some operations, which is no error." if report.missing else ""
    asked = {v.case.name for v in report.verdicts}
    last = max((score.level for score in report.scores), default=0)
    whole = all(c.name in asked for c in report.kit.cases if c.level <= last)
    higher = f" Go on with --level {last + 1}." if whole and last + 1 in report.kit.levels else ""
    return f"Nothing is wrong.{lacks}{higher}"


def _printable(words: str) -> str:
    """Words from an engine, without what would command a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in words)


def json_text(report: Report) -> str:
    """The report as JSON; infinities and nan are strings, as in the cases."""
    verdicts = [
        {
            "case": v.case.name,
            "level": v.case.level,
            "ends": v.ends,
            "says": v.says,
            "readings": {key: _finite(x) for key, x in v.readings.items()},
        }
        for v in report.verdicts
    ]
    smells = [
        {
            "mistake": smell.mistake.name,
            "level": smell.level,
            "says": smell.mistake.says,
            "remedy": smell.mistake.remedy,
            "cases": [v.case.name for v in smell.evidence],
        }
        for smell in report.smells
    ]
    scores = [score._asdict() for score in report.scores]
    whole = {"engine": report.engine, "version": report.kit.version, "succeeded": report.succeeded}
    return json.dumps(whole | {"scores": scores, "smells": smells, "verdicts": verdicts}, indent=1)


def _finite(x: float) -> Any:
    return x if x - x == 0 else str(x)


def junit(report: Report) -> str:
    """The report as JUnit XML, a suite a level, for continuous integration."""
    suites = ET.Element("testsuites", name="autograd conformance")
    for score in report.scores:
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=f"{score.level} {score.name}",
            tests=str(score.total),
            failures=str(score.wrong),
            errors="0",
            skipped=str(score.missing),
        )
        for v in report.verdicts:
            if v.case.level != score.level:
                continue
            case = ET.SubElement(
                suite, "testcase", classname=f"level{score.level}", name=v.case.name
            )
            if v.ends == "missing":
                ET.SubElement(case, "skipped", message=_printable(f"missing: {v.says}"))
            elif v.failed:
                smells = [s.mistake for s in report.smells if v in s.evidence]
                words = "\n".join(f"{m.name}: {m.says} {m.remedy}" for m in smells)
                failure = ET.SubElement(case, "failure", type=v.ends, message=_printable(_seen(v)))
                failure.text = words or v.case.lesson
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def markdown(report: Report) -> str:
    """The report as Markdown: scores, smells, what is missing."""
    lines = [f"# {_marked(report.engine)}", "", "| level | | right | wrong | missing |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {s.level} | {s.name} | {s.passed} of {s.total} | {s.wrong} | {s.missing} |"
        for s in report.scores
    ]
    for smell in report.smells:
        lines += ["", f"## Level {smell.level}: {smell.mistake.name}", ""]
        lines += [f"{_marked(smell.mistake.says)} {_marked(smell.mistake.remedy)}", ""]
        lines += [f"- {_marked(_seen(v))}" for v in smell.evidence]
    if report.unexplained:
        lines += ["", "## Wrong, but like no mistake that the kit knows", ""]
        lines += [f"- level {v.case.level}: {_marked(_seen(v))}" for v in report.unexplained]
    if report.consequences:
        names = ", ".join(v.case.name for v in report.consequences)
        lines += ["", "## Wrong too, and perhaps only because of the above", "", names]
    if report.missing:
        lines += ["", "## Missing", ""]
        for what, verdicts in report.missing.items():
            names = ", ".join(v.case.name for v in verdicts)
            lines.append(f"- {_marked(what)} ({names})")
    return "\n".join([*lines, "", _conclusion(report), ""])


def _marked(words: str) -> str:
    """Words as Markdown that shows them as they are."""
    plain = escape(_printable(words), quote=False)
    return "".join(f"\\{c}" if c in "\\`*_[]|#" else c for c in plain)


WRITERS: dict[str, Callable[[Report], str]] = {
    "json": json_text,
    "junit": junit,
    "markdown": markdown,
}
