"""Grade published scalar engines with the kit, each in an environment of its own: docs/engines.md.

    python benchmarks/graded.py [FOLDER]

Environments and reports are kept in FOLDER, and what is there is not made again.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
ADAPTERS = ROOT / "benchmarks" / "adapters"
SECONDS = 60  # for a case: a busy machine must not count against an engine


class Engine(NamedTuple):
    """A package, the version that is graded, its class, and what it says of its own limits."""

    package: str
    version: str
    value: str
    note: str = ""


ENGINES = [
    Engine("micrograd", "0.1.0", "micrograd.engine:Value"),
    Engine("propgrad", "0.1.1", "propgrad:Value"),
    Engine("learngrad", "0.2.1", "learngrad.engine:Value"),
    Engine("scalargrad", "1.0.5", "scalargrad:Scalar", "asserts that log's operand is positive"),
    Engine(
        "lilgrad",
        "0.6.0",
        "micrograd:Value",
        "`abs` gives a value without operands, so nothing flows back through it; "
        "log says that it refuses 0 and below",
    ),
    Engine("tinymlp", "0.1.0", "tinymlp:Value", "asserts that log's operand is positive"),
    Engine(
        "kaitorch",
        "0.1.0",
        f"{ADAPTERS / 'kaitorch_names.py'}:Scalar",
        "the derivatives of tanh and sigmoid apply the function to its result once more: "
        "that of tanh at 0.5 is given as 0.814 and is 0.786",
    ),
    Engine("omnigrad", "0.2.3", f"{ADAPTERS / 'omnigrad_names.py'}:Value"),
    Engine("tonygrad", "2.0.0", "tonygrad.engine:Value"),
    Engine(
        "backprop-lib",
        "0.1.0",
        "backprop:Value",
        "documents that a power's exponent gets no gradient",
    ),
    Engine("deep-autograd", "0.0.2", "deep_autograd.engine:Value"),
    Engine(
        "gradflow-kit",
        "0.1.3",
        "micrograd:Node",
        "powers and negation are computed, and nothing flows back through them; "
        "`10 - a` is computed as `a - 10`",
    ),
]
OPENING = """\
# Published engines, graded

Scalar engines from the Python Package Index, graded by the kit in `autograd/conformance` on
{date}, on Python {python}. They are teaching engines, short so that they can be read, and are
graded by what each sets out to do: what an engine does not offer is *missing*, never wrong. Levels
1 to 3 are what every engine sets out to do. Most of what is wrong lies in levels 5 and 6, which ask
for conventions (nothing raises, `inf` and `nan` show) and for a robustness that few of them claim.
To refuse `log(0)` in words is a choice, and counts as wrong all the same.

`python benchmarks/graded.py` installs each engine in an environment of its own, and makes this page
anew.

A level's cell has right answers out of all questions, and after a minus sign how many are wrong;
the rest is missing.

"""
LEVELS = """
| level | asks for |
|---|---|
{rows}

## Engine by engine

Mistakes have the kit's names, which are explained below, with the level at which they show first;
wrong answers have the names of the cases in `cases.json`.
"""


def graded(engine: Engine, folder: Path) -> dict[str, Any]:
    """Install an engine where it is alone, and give the kit's report on it."""
    environment = folder / engine.package
    python = environment / "bin" / "python"
    report = folder / f"{engine.package}.json"
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)  # noqa: S603
        wanted = f"{engine.package}=={engine.version}"
        subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True)  # noqa: S603
    if not report.exists():
        kit = [python, ROOT / "autograd" / "conformance", engine.value]
        options = ["--timeout", str(SECONDS), "--json", report]
        subprocess.run([*kit, *options], cwd=folder, capture_output=True, check=False)  # noqa: S603
    return json.loads(report.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def scores(report: dict[str, Any]) -> list[str]:
    """A cell for each level."""
    cells = []
    for score in report["scores"]:
        total = score["passed"] + score["wrong"] + score["missing"]
        wrong = f" −{score['wrong']}" if score["wrong"] else ""
        cells.append(f"{score['passed']}/{total}{wrong}")
    return cells


def mistakes(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The smells of an answer that was wrong, not of one that was missing."""
    wrong = {v["case"] for v in report["verdicts"] if v["ends"] not in {"passed", "missing"}}
    return [smell for smell in report["smells"] if not wrong.isdisjoint(smell["cases"])]


def lacking(report: dict[str, Any]) -> list[str]:
    """What an engine does not offer, each thing once."""
    says = [v["says"] for v in report["verdicts"] if v["ends"] == "missing"]
    words = ["powers by values" if s.startswith("__pow__") else s.partition(":")[0] for s in says]
    return list(dict.fromkeys(w if " " in w else f"`{w}`" for w in words))


def findings(engine: Engine, report: dict[str, Any]) -> list[str]:
    """An engine's mistakes, what else is wrong, and what is missing."""
    explained = {case for smell in report["smells"] for case in smell["cases"]}
    others = [
        f"`{v['case']}`"
        for v in report["verdicts"]
        if v["ends"] not in {"passed", "missing"} and v["case"] not in explained
    ]
    named = [f"{smell['mistake']} ({smell['level']})" for smell in mistakes(report)]
    lines = ["", f"### {engine.package} {engine.version}", ""]
    lines += [f"- mistakes: {', '.join(named)}"]
    lines += [f"- other wrong answers, to {', '.join(others)}"] * bool(others)
    lines += [f"- missing: {', '.join(lacking(report))}"]
    return lines + [f"- {engine.note}"] * bool(engine.note)


def page(reports: dict[Engine, dict[str, Any]], date: str) -> str:
    """The page, from the reports."""
    lines = [
        "| engine | version | 1 | 2 | 3 | 4 | 5 | 6 | 7 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {' | '.join([engine.package, engine.version, *scores(report)])} |"
        for engine, report in reports.items()
    ]
    first = next(iter(reports.values()))
    rows = "\n".join(f"| {s['level']} | {s['name'].lower()} |" for s in first["scores"])
    lines.append(LEVELS.format(rows=rows))
    for engine, report in reports.items():
        lines += findings(engine, report)
    found = [smell for report in reports.values() for smell in mistakes(report)]
    counts = Counter(smell["mistake"] for smell in found)
    says = {smell["mistake"]: smell["says"].replace("*", r"\*") for smell in found}
    lines += ["", "## The mistakes", "", "| name | engines | means |", "|---|---|---|"]
    lines += [f"| {name} | {count} | {says[name]} |" for name, count in counts.most_common()]
    python = ".".join(platform.python_version_tuple()[:2])
    return OPENING.format(date=date, python=python) + "\n".join(lines) + "\n"


def main() -> None:
    """Grade every engine, and write the page."""
    folder = Path(sys.argv[1] if sys.argv[1:] else Path(tempfile.gettempdir()) / "engines")
    folder.mkdir(parents=True, exist_ok=True)
    reports = {}
    for engine in ENGINES:
        print(engine.package, flush=True)
        reports[engine] = graded(engine, folder.resolve())
    newest = max((folder / f"{e.package}.json").stat().st_mtime for e in ENGINES)
    date = datetime.fromtimestamp(newest, UTC).strftime("%d %B %Y").lstrip("0")
    (ROOT / "docs" / "engines.md").write_text(page(reports, date), encoding="utf-8")


if __name__ == "__main__":
    main()
