"""Put the cases to an engine in another process, which may hang or die without harm."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .adapter import adapter_of
from .cases import load
from .execution import execute
from .verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .cases import Case
    from .verdicts import Verdict

LOADING = 60.0  # seconds in which an engine's module must be imported


class Worker:
    """A process that has an engine and answers cases."""

    def __init__(self, engine: str) -> None:
        """Start the process; raises `ValueError` if there is no such engine."""
        self.process = subprocess.Popen(  # noqa: S603  of this interpreter and this folder
            [sys.executable, str(Path(__file__).parent), "--worker", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        try:
            greeting = self.hear(LOADING)
        except BaseException:
            self.close()
            raise
        if greeting["ends"] != "ready":
            self.close()
            when = "" if greeting["ends"] == "failed" else "at its import, "
            raise ValueError(f"{engine!r}: {when}{greeting['says']}")

    def ask(self, case: Case, seconds: float) -> dict[str, Any]:
        """Give the answer to a case; a worker that hung or died answers no other."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(f"{case.name}\n")
            self.process.stdin.flush()
        return self.hear(seconds)

    def hear(self, seconds: float) -> dict[str, Any]:
        """Wait for an answer; the process is killed when the time is over."""
        assert self.process.stdout is not None
        over = threading.Event()

        def stop() -> None:
            over.set()
            self.process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        answer = self.process.stdout.readline()
        timer.cancel()
        if answer:
            return json.loads(answer)  # type: ignore[no-any-return]
        status = self.process.wait()
        if over.is_set():
            return {"ends": "hung", "says": f"no answer in {seconds:g} s"}
        return {"ends": "died", "says": f"the interpreter died with status {status}"}

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def grade(engine: str, cases: Iterable[Case], seconds: float = 10.0) -> Iterator[Verdict]:
    """Yield the verdict on each case.

    A case that may hang, die or exhaust memory has a process of its own, and so has the case
    after one that did. A case that rests on one that hung has a tenth of the time.

    Raises:
        ValueError: there is no such engine.
    """
    kit = load()
    hung: set[str] = set()
    worker: Worker | None = None
    try:
        for case in cases:
            if worker is not None and case.alone:
                worker.close()
                worker = None
            worker = worker or Worker(engine)
            patience = seconds if hung.isdisjoint(kit.foundations(case)) else seconds / 10
            answer = worker.ask(case, patience)
            yield judge(case, answer)
            if answer["ends"] == "hung":
                hung.add(case.name)
            if case.alone or answer["ends"] in {"hung", "died"}:
                worker.close()
                worker = None
    finally:
        if worker is not None:
            worker.close()


def work(engine: str) -> None:
    """Be the worker: read names of cases, one a line, and write an answer a line."""
    with (
        os.fdopen(os.dup(0), encoding="utf-8") as questions,
        os.fdopen(os.dup(1), "w", encoding="utf-8") as out,
        Path(os.devnull).open(encoding="utf-8") as nothing,
    ):
        os.dup2(nothing.fileno(), 0)  # an engine that reads or prints disturbs nobody
        os.dup2(2, 1)

        def say(answer: dict[str, Any]) -> None:
            print(json.dumps(answer), file=out, flush=True)

        try:
            adapter = adapter_of(engine)
        except ValueError as error:
            say({"ends": "failed", "says": str(error)})
            return
        say({"ends": "ready"})
        kit = load()
        for name in questions:
            say(execute(adapter, kit.case(name.strip())))
