"""Time the engine beside micrograd 0.1.0, in one process and in turn; quote the ratios.

    python benchmarks/eager.py                  (make bench installs micrograd and runs it)
    taskset -c 0 python benchmarks/eager.py     on one core, where there is taskset

The training step is that of micrograd's own demo: 100 moons, MLP 2-16-16-1 with relu, hinge loss
plus L2 penalty, SGD; both engines run the same function. "collector off" suspends Python's cyclic
garbage collector during micrograd's step; Glassgrad runs with the collector as users have it.
"""

from __future__ import annotations

import gc
import operator
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import micrograd.engine
import micrograd.nn

import autograd
import nn
from nn.datasets import moons

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9
X, y = moons(samples=100, noise=0.1, seed=1)
TARGETS = [2 * target - 1 for target in y]


def training_step(model: Any, value: type) -> None:
    """One step of micrograd's demo, for the model and Value of either engine."""
    inputs = [list(map(value, row)) for row in X]
    scores = list(map(model, inputs))
    losses = [(1 + -target * score).relu() for target, score in zip(TARGETS, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    loss = data_loss + penalty
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.01 * p.grad


def chain(value: type, nodes: int) -> float:
    """Build `x = x*a + b` of so many nodes and run backward: nanoseconds per node."""
    x, a, b = value(1.0), value(0.999), value(0.1)
    start = time.perf_counter()
    for _ in range(nodes // 2):
        x = x * a + b
    x.backward()
    return (time.perf_counter() - start) / nodes * 1e9


def seconds(step: Callable[[], None], *, collector: bool = True) -> float:
    """Time one call after a full collection."""
    gc.collect()
    if not collector:
        gc.disable()
    start = time.perf_counter()
    step()
    elapsed = time.perf_counter() - start
    gc.enable()
    return elapsed


def in_turn(**measures: Callable[[], float]) -> dict[str, list[float]]:
    """Measure each in turn, over and over, after a round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(ROUNDS + 1):
        for name, measure in measures.items():
            times[name].append(measure())
    return {name: found[1:] for name, found in times.items()}


def report(title: str, times: dict[str, list[float]], unit: str, scale: float) -> None:
    """Print each one's median, and the median over rounds of its ratio to ours."""
    print(f"\n{title}")
    for name, found in times.items():
        ratio = median(theirs / ours for theirs, ours in zip(found, times["ours"], strict=True))
        print(f"  {name.replace('_', ' '):28} {median(found) * scale:10.1f} {unit} {ratio:8.2f}")


def steps(*, collector: bool) -> None:
    """Time the training step, micrograd's collector running as shipped or suspended."""
    random.seed(1)
    ours = nn.MLP(2, [16, 16, 1])
    theirs = micrograd.nn.MLP(2, [16, 16, 1])

    def our_step() -> None:
        training_step(ours, autograd.Value)

    def their_step() -> None:
        training_step(theirs, micrograd.engine.Value)

    times = in_turn(
        ours=lambda: seconds(our_step), micrograd=lambda: seconds(their_step, collector=collector)
    )
    how = "as shipped" if collector else "its collector off"
    report(
        f"training step of micrograd's demo, micrograd {how}, and ratio to ours", times, "ms", 1e3
    )


def chains() -> None:
    """Time the chain; recursion as deep as micrograd's needs a large stack and a raised limit."""
    sys.setrecursionlimit(100_000)
    for nodes in (1_000, 10_000):
        times = in_turn(
            ours=lambda nodes=nodes: chain(autograd.Value, nodes),
            micrograd=lambda nodes=nodes: chain(micrograd.engine.Value, nodes),
        )
        report(f"chain x = x*a + b of {nodes:,} nodes, and ratio to ours", times, "ns a node", 1)
    times = in_turn(
        ours=lambda: chain(autograd.Value, 10_000), long=lambda: chain(autograd.Value, 1_000_000)
    )
    report("ours at 10,000 nodes, and at 1,000,000", times, "ns a node", 1)


def memory() -> None:
    """Print the bytes that one node of two operands takes."""
    tracemalloc.start()
    x, a, b = autograd.Value(1.0), autograd.Value(0.999), autograd.Value(0.1)
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(50_000):
        x = x * a + b
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"memory: {(after - before) / 100_000:.0f} bytes a node of two operands")


def startup() -> None:
    """Print what `import autograd` adds to the interpreter's start, its byte code cached or not.

    NumPy's import, whose byte code pip has cached, tells how fast the machine is just then.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(
            Path(autograd.__file__).parent,
            Path(folder, "autograd"),
            ignore=shutil.ignore_patterns("__pycache__"),
        )

        def started(program: str, write_bytecode: str) -> float:
            environment = os.environ | {"PYTHONDONTWRITEBYTECODE": write_bytecode}
            command = [sys.executable, "-c", program]
            start = time.perf_counter()
            subprocess.run(command, env=environment, cwd=folder, check=True)  # noqa: S603
            return time.perf_counter() - start

        for name, write_bytecode in (("without", "no"), ("with", "")):
            times = in_turn(
                bare=lambda flag=write_bytecode: started("pass", flag),
                numpy=lambda flag=write_bytecode: started("import numpy", flag),
                ours=lambda flag=write_bytecode: started("import autograd", flag),
            )
            numpy, ours = (
                [t - bare for t, bare in zip(times[which], times["bare"], strict=True)]
                for which in ("numpy", "ours")
            )
            part = median(map(operator.truediv, ours, numpy))
            print(
                f"import autograd {name} cached byte code: {median(ours) * 1e3:.1f} ms on top of "
                f"the start, {part:.2f} of NumPy's import"
            )


BENCHMARKS: dict[str, Callable[[], None]] = {
    "startup": startup,
    "memory": memory,
    "collector-off": lambda: steps(collector=False),
    "as-shipped": lambda: steps(collector=True),
    "chains": chains,
}


def main() -> None:
    """Run each benchmark in a process of its own, bare of what another leaves in memory."""
    print(f"Python {platform.python_version()}, medians of {ROUNDS} rounds", flush=True)
    for name in BENCHMARKS:
        subprocess.run([sys.executable, __file__, name], check=True)  # noqa: S603


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "chains":  # in a thread, whose stack can be large enough for micrograd
        threading.stack_size(512 * 1024 * 1024)
        thread = threading.Thread(target=chains)
        thread.start()
        thread.join()
    else:
        BENCHMARKS[sys.argv[1]]()
