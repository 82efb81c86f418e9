"""Mutation testing: small changes to the engine that its tests must notice; writes docs/mutants.md.

    python benchmarks/mutants.py [MODULE ...]   judge the mutants of these modules, or of all
    python benchmarks/mutants.py --known        write the page of the verdicts that there are

The engine is never written to. This process loads everything but the engine, and forks for every
mutant; the fork imports the mutant in its module's place and runs the tests that are about it,
which *kill* it if one of them fails.

Verdicts are kept in build/mutants.jsonl and hold while the module and, for a survivor, its tests
are the same: so an interrupted run goes on where it was.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import signal
import sys
import time
import tomllib
from collections import defaultdict
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import mpmath  # noqa: F401  loaded once, before every fork, as is NumPy
import numpy as np  # noqa: F401
import pytest
from hypothesis import Phase, settings
from mutations import Mutant, mutants, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
VERDICTS = ROOT / "build" / "mutants.jsonl"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
PAGE = ROOT / "docs" / "mutants.md"
CORES = 2
OPTIONS = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider"]
MEMORY = 4 << 30  # bytes: a loop without end may be one that appends

# For each module the test files about it, quick and telling ones first; and what of them is left
# out, because it takes long and tells of nothing else.
TESTS = {
    "backward": "backward value functional recorded",
    "forward": "forward tracer functional laws",
    "functional": "functional forward laws",
    "tracer": "tracer functional program differences",
    "program": "tracer program",
    "value": "value tracer functional backward primitives",
    "primitives": "accuracy value primitives conventions forward structure functional",
    "ieee": "accuracy ieee conventions",
    "flow": "functional recorded tracer conventions",
    "recorded": "functional recorded",
    "modes": "value",
    "structure": "structure functional program",
    "copies": "value",
}
LEFT_OUT = {
    "accuracy": "machine_code or stored_table",
    "conventions": "compiled or precise",
    "differences": "every_row or every_scale or every_mode or drawn",
    "primitives": "agrees_with_mpmath or page_on_accuracy",
    "program": "100_000",
    "value": "any_depth or without_recursion",
}

OPENING = """\
# Mutants: do the tests notice?

A mutant is a module of the engine with one operator, number or word replaced: `+` by `-`, `<` by
`<=`, 1 by 2, `and` by `or`, a condition by its opposite, a loop by none. The tests kill it if one
of them fails. `python benchmarks/mutants.py` makes every mutant, runs the tests that are about its
module in a process of its own, and makes this page; a run on two cores took {minutes} minutes of
processor time.

The replacements are cosmic-ray's, within groups: `+ - * /`, `/ // %`, `* **`, comparisons of order,
and `is` and `==`. Others raise at once, and would only swell the score. What cannot change
what the engine does is no mutant: annotations, which are never evaluated, `TYPE_CHECKING`,
docstrings, `type(x) == float` for `type(x) is float`, and the intervals of the table from which
tests take their numbers.
"""
HEAD = """\
| module | mutants | not run | equivalent | killed | by a limit | open | score | but equivalent |
|---|---|---|---|---|---|---|---|---|"""
SURVIVE = """\
## Survivors

Equivalent mutants do what the engine does, or differ in what it does not promise: they are listed
in `benchmarks/equivalent.toml` with the reason, are not run, and count as not killed in the first
score."""
OPEN = "Open: a test is missing, or a reason"


class Verdict(NamedTuple):
    """What became of a mutant: why it is equivalent, else what killed it.

    The killer is '' if nothing killed it, and None if it has not run yet.
    """

    mutant: Mutant
    why: str
    killer: str | None
    seconds: float


class Settings:
    """A pytest plugin: hypothesis need not make the example small that kills a mutant."""

    def pytest_sessionstart(self) -> None:  # noqa: D102
        settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutants")


class Loader(SourceFileLoader):
    """Imports a module of the engine from another source than its file's."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"autograd.{mutant.module}", str(path_of(mutant.module)))
        self.source = mutant.source

    def get_code(self, fullname: str) -> Any:  # noqa: ARG002, D102
        return compile(self.source, self.path, "exec", dont_inherit=True)

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:  # noqa: D102
        return spec_from_loader(fullname, self) if fullname == self.name else None


def run_tests(mutant: Mutant, limits: dict[str, float]) -> None:
    """Run the tests about a mutant in this process, and end it with the place of what failed.

    It ends with 0 if nothing fails, and by a signal where a file takes far longer than it should.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.meta_path.insert(0, Loader(mutant))
    for place, name in enumerate(TESTS[mutant.module].split(), 1):
        seconds = time.process_time() + limits.get(name, 300.0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), resource.RLIM_INFINITY))
        signal.alarm(600)  # for a mutant that waits
        chosen = f"not ({LEFT_OUT[name]})" if name in LEFT_OUT else ""
        first = [f"{chosen} and {mutant.subject}"] if name == "accuracy" and mutant.subject else []
        for choice in (*first, chosen):  # the accuracy of the row that is changed tells most
            code = pytest.main([*OPTIONS, "-k", choice, f"tests/test_{name}.py"], [Settings()])
            if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
                os._exit(place)
    os._exit(0)


def forked(jobs: Iterable[tuple[Mutant, dict[str, float]]]) -> Iterator[tuple[Mutant, int, float]]:
    """Run tests in a fork for each job, one on each core; yield exit codes and CPU seconds."""
    running: dict[int, Mutant] = {}

    def ended() -> tuple[Mutant, int, float]:
        pid, status, used = os.wait4(-1, 0)
        return running.pop(pid), os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime

    for mutant, limits in jobs:
        if len(running) == CORES:
            yield ended()
        pid = os.fork()
        if not pid:
            run_tests(mutant, limits)
        running[pid] = mutant
    while running:
        yield ended()


def key_of(mutant: Mutant) -> str:
    """Return what stands for a mutant in the file of verdicts."""
    return hashlib.sha256(f"{mutant.module}\n{mutant.source}".encode()).hexdigest()[:20]


def digest_of_tests(module: str) -> str:
    """Return what changes when a test about the module does."""
    files = [ROOT / "tests" / f"test_{name}.py" for name in TESTS[module].split()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:20]


def why_equivalent(mutant: Mutant) -> str:
    """Return why no test can kill a mutant, if benchmarks/equivalent.toml says so, else ''."""
    before, after = _bare(mutant.before), _bare(mutant.after)
    for reason in tomllib.loads(EQUIVALENT.read_text("utf-8"))["reason"]:
        for modules, *change in reason["mutants"]:
            old, new = map(_bare, change)
            places = [i for i in range(len(before)) if before.startswith(old, i)]
            if mutant.module in modules.split() and any(
                before[:i] + new + before[i + len(old) :] == after for i in places
            ):
                return reason["why"]
    return ""


def _bare(line: str) -> str:
    return line.replace(" ", "")


def known_verdicts(module: str) -> list[Verdict]:
    """Return the verdict on every mutant of a module, as far as it is on file."""
    tests = digest_of_tests(module)
    known: dict[str, tuple[str, float]] = {}
    lines = VERDICTS.read_text("utf-8").splitlines() if VERDICTS.exists() else []
    for key, killer, seconds, of_tests in map(json.loads, lines):
        if killer or of_tests == tests:
            known[key] = killer, seconds
    return [
        Verdict(mutant, why_equivalent(mutant), *known.get(key_of(mutant), (None, 0.0)))
        for mutant in mutants(module)
    ]


def judge(module: str) -> list[Verdict]:
    """Return the verdict on every mutant of a module, from the file or from its tests."""
    tests = digest_of_tests(module)
    new = [v.mutant for v in known_verdicts(module) if v.killer is None and not v.why]
    limits = time_limits(module) if new else {}
    VERDICTS.parent.mkdir(exist_ok=True)
    with VERDICTS.open("a", encoding="utf-8") as file:
        for mutant, code, seconds in forked((mutant, limits) for mutant in new):
            names = ["", *TESTS[module].split()]
            killer = names[code] if code >= 0 else signal.Signals(-code).name
            print(json.dumps([key_of(mutant), killer, seconds, tests]), file=file, flush=True)
            if not killer:
                print(f"  survives: {mutant.module}:{mutant.line} {shown(mutant)}", flush=True)
    return known_verdicts(module)


def time_limits(module: str) -> dict[str, float]:
    """Return how long each test file may take; the module itself must pass them."""
    limits = {}
    whole = Mutant(module, path_of(module).read_text("utf-8"), "", 0, "", "")
    every = TESTS[module]
    for name in every.split():
        TESTS[module] = name
        ((_, code, seconds),) = forked([(whole, {})])
        if code:
            raise SystemExit(f"{module}: test_{name}.py fails without a mutant")
        limits[name] = 3.0 * seconds + 5.0
    TESTS[module] = every
    return limits


def shown(mutant: Mutant) -> str:
    """Return what changed, in a few words around it."""
    before, after = mutant.before, mutant.after
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    left = max(0, start - 30)

    def cut(line: str) -> str:
        stop = len(line) - max(0, end - 30)
        return f"{'…' if left else ''}{line[left:stop]}{'…' if end > 30 else ''}"

    return f"`{cut(before)}` → `{cut(after)}`"


def _alike(a: str, b: str) -> int:
    """Return how many characters two lines begin with alike."""
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def page(verdicts: dict[str, list[Verdict]], seconds: float) -> str:
    """Return docs/mutants.md."""
    rows, survivors = [], defaultdict(list)
    for module, every in (*verdicts.items(), ("all", [v for e in verdicts.values() for v in e])):
        alike = sum(1 for v in every if v.why)
        ran = [v.killer for v in every if not v.why and v.killer is not None]
        killed = [killer for killer in ran if killer]
        ended = sum(1 for killer in killed if killer.startswith("SIG"))
        left = len(every) - alike - len(ran)
        cells = (len(every), left, alike, len(killed), ended, len(ran) - len(killed))
        ran_or_alike = len(ran) + alike
        scores = [f"{100 * len(killed) / n:.1f} %" if n else "" for n in (ran_or_alike, len(ran))]
        rows.append("| " + " | ".join(map(str, (f"`{module}`", *cells, *scores))) + " |")
        if module != "all":
            for v in every:
                if v.why or v.killer == "":
                    survivors[v.why or OPEN].append(
                        f"`{module}` {v.mutant.line}: {shown(v.mutant)}"
                    )
    lists = [
        f"**{why}**\n\n" + "\n".join(f"* {line}" for line in lines)
        for why, lines in sorted(survivors.items(), key=lambda item: -len(item[1]))
    ]
    table = "\n".join([HEAD, *rows])
    return "\n\n".join([OPENING.format(minutes=round(seconds / 60)), table, SURVIVE, *lists]) + "\n"


def main(modules: list[str]) -> None:
    """Judge the mutants of these modules, or of all, and write the page if it is all."""
    os.chdir(ROOT)
    os.environ |= {"CI": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OPENBLAS_NUM_THREADS": "1"}
    gc.freeze()
    known = modules == ["--known"]
    verdicts = {}
    for module in TESTS if known else modules or TESTS:
        verdicts[module] = known_verdicts(module) if known else judge(module)
        killed = sum(1 for v in verdicts[module] if v.killer and not v.why)
        seconds = sum(v.seconds for v in verdicts[module])
        print(f"{module}: {killed} of {len(verdicts[module])} killed, {seconds:.0f} s", flush=True)
    if known or not modules:
        seconds = sum(v.seconds for every in verdicts.values() for v in every)
        PAGE.write_text(page(verdicts, seconds), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
