"""What the command line says, and what it makes of it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import report
from .cases import load
from .diagnosis import diagnose
from .runner import grade, work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cases import Case
    from .verdicts import Verdict

EXAMPLES = """\
examples:
  the class Value of engine.py, by the copied folder, levels 1 to 3:
    python conformance engine:Value --level 3
  by the installed package, all levels:
    python -m autograd.conformance engine:Value
  two questions alone, or reports in files:
    python conformance engine:Value --case diamond --case sum-of-itself
    python conformance micrograd.engine:Value --json r.json --junit r.xml

exit status: 0, nothing is wrong and levels 1 to 3 are complete;
1, something is wrong or missing; 2, the command cannot be carried out.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Grade an engine and report; return the exit status, which `--help` explains."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if len(arguments) == 2 and arguments[0] == "--worker":
        work(arguments[1])
        return 0
    kit = load()
    options = _parser(kit.levels).parse_args(arguments)
    try:
        cases = _chosen(kit.cases, options)
        verdicts = _graded(options.engine, cases, options.timeout)
        graded = report.Report(options.engine, kit, verdicts, diagnose(kit, verdicts))
        _write(options, graded)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"conformance: error: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0 if graded.succeeded else 1


def _parser(levels: dict[int, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="conformance",
        description="Grade a scalar autograd engine, and say which mistakes it smells of.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("engine", metavar="MODULE:CLASS", help="a class, or FILE.py:CLASS")
    parser.add_argument(
        "--level", type=int, choices=levels, default=max(levels), help="grade up to this level"
    )
    parser.add_argument(
        "--case", action="append", metavar="NAME", help="grade this case; may be repeated"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="S", help="seconds for a case (10)"
    )
    parser.add_argument("--colour", "--color", choices=["auto", "always", "never"], default="auto")
    for kind in report.WRITERS:
        parser.add_argument(f"--{kind}", metavar="FILE", help=f"write a {kind} report as well")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, such as 10")
    return seconds


def _chosen(cases: list[Case], options: argparse.Namespace) -> list[Case]:
    if options.case is None:
        return [case for case in cases if case.level <= options.level]
    unknown = {*options.case} - {case.name for case in cases}
    if unknown:
        raise ValueError(f"no case is called {min(unknown)!r}; cases.json has the names")
    return [case for case in cases if case.name in options.case]


def _graded(engine: str, cases: list[Case], seconds: float) -> list[Verdict]:
    """The verdicts, with a count on the way if somebody watches."""
    watched = sys.stderr.isatty()
    verdicts = []
    for verdict in grade(engine, cases, seconds):
        verdicts.append(verdict)
        if watched:
            sys.stderr.write(f"\r{len(verdicts)} of {len(cases)} cases")
            sys.stderr.flush()
    if watched:
        sys.stderr.write("\r\033[K")
    return verdicts


def _write(options: argparse.Namespace, graded: report.Report) -> None:
    wants = {"always": True, "never": False}
    colour = wants.get(options.colour, sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    if hasattr(sys.stdout, "reconfigure"):  # a terminal may lack our signs
        sys.stdout.reconfigure(errors="replace")
    width = shutil.get_terminal_size((report.WIDTH, 24)).columns
    sys.stdout.write(f"{report.text(graded, colour=colour, width=width)}\n")
    sys.stdout.flush()
    for kind, writer in report.WRITERS.items():
        path = getattr(options, kind)
        if path:
            Path(path).write_text(writer(graded), encoding="utf-8")
