"""Kernel: the machine code of one Program, for one row of inputs or for many."""

from __future__ import annotations

from contextvars import Context
from itertools import pairwise
from math import prod
from time import perf_counter

import numpy as np

from autograd.compiler.code import Code
from autograd.compiler.collector import paused_collector
from autograd.compiler.descend import descend
from autograd.compiler.listing import listing
from autograd.compiler.nests import KEPT, LANE, UNIFORM
from autograd.compiler.schedule import scheduled
from autograd.compiler.simplify import Draft, drafted, simplified
from autograd.compiler.target import Target, Unsupported, host
from autograd.compiler.writer import Packing
from autograd.recorded import recorded_cotangents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.compiler.schedule import Schedule
    from autograd.program import Program

    Numbers = NDArray[np.float64]

__all__ = ["Kernel", "Target", "Unsupported"]

CACHE = 256_000  # bytes for the slots that are kept until totals are added up


class Kernel:
    """Machine code of one Program, made when it is first needed.

    Args:
        program: what it computes; its parameters' own data do not count.
        precise: whether nothing may change a bit.
        target: the machine; this one if not given.

    Raises:
        Unsupported: LLVM does not know this machine.
    """

    def __init__(self, program: Program, precise: bool, target: Target | None = None) -> None:
        self.program = program
        self.precise = precise
        self.target = target or host()
        self._inputs = sum(1 for _ in program.inputs())
        self._codes: dict[tuple[str, tuple[int, ...]], Code] = {}
        self._last: tuple[str, Code] | None = None
        self._alone: Code | None = (
            None  # for one row: there it is the time to look it up that counts
        )

    def one(self, inputs: Numbers, parameters: Numbers) -> Numbers:
        """Return the results (results,) for one row of inputs (inputs,)."""
        code = self._alone
        if code is None:
            code = self._alone = self.code("one", (self._inputs,))
        results = np.empty(len(code.schedule.stores))
        code.run(1, 1.0, None, id(parameters), None, id(results), (id(inputs),))
        return results

    def map(self, inputs: Sequence[Numbers], parameters: Numbers) -> Numbers:
        """Return the results (n, results) for each row of the inputs, arrays (n, columns)."""
        code = self.code("map", tuple([x.shape[1] for x in inputs]))
        count = len(inputs[0])
        results = np.empty((count, len(code.schedule.stores)))
        code.run(count, 1.0, None, id(parameters), None, id(results), [*map(id, inputs)])
        return results

    def mean_and_gradient(
        self, inputs: Sequence[Numbers], parameters: Numbers
    ) -> tuple[float, Numbers]:
        """Return the mean of the one result over the rows, and its gradient (parameters,)."""
        code = self.code("gradient", tuple([x.shape[1] for x in inputs]))
        count = len(inputs[0])
        totals = np.zeros(1 + len(parameters))
        code.run(count, 1.0 / count, None, id(parameters), id(totals), None, [*map(id, inputs)])
        mean = totals.item(0)
        return (mean / count if self.precise else mean), totals[1:]

    def quick_mean_and_gradient(
        self, shapes: Sequence[tuple[int, ...]], parameters: int
    ) -> Callable[..., tuple[float, Numbers] | None]:
        """Return `mean_and_gradient` as a function of the parameters and arrays of known shapes.

        It takes a few microseconds less, and returns None if it is given anything else.

        Args:
            shapes: of a row of each input array.
            parameters: how many there are.
        """
        code = self.code("gradient", tuple(map(prod, shapes)))
        checked = code.checked(parameters, shapes)
        count, size, empty, precise = len(shapes), 1 + parameters, np.empty, self.precise

        def mean_and_gradient(numbers: Any, *arrays: Any) -> tuple[float, Numbers] | None:
            if len(arrays) != count:
                return None
            totals = empty(size)
            rows = checked(code.memory(), numbers, totals, *arrays)
            if not rows:
                return None
            return totals.item(0) / (rows if precise else 1), totals[1:]

        return mean_and_gradient

    def descend(
        self,
        update: Kernel,
        state: Numbers,
        others: Numbers,
        hyperparameters: Numbers,
        order: NDArray[np.int64],
        batch_size: int,
        inputs: Sequence[Numbers],
    ) -> tuple[int, Numbers, Numbers, Numbers]:
        """Take steps of descent as the update rule says: see `autograd.compiler.descend`."""
        objective = self.code("steps", tuple([x.shape[1] for x in inputs]))
        return descend(objective, update, state, others, hyperparameters, order, batch_size, inputs)

    def code(self, kind: str, columns: tuple[int, ...]) -> Code:
        """Return the code of a kind.

        It is for one row, "one", for the results of many, "map", for the mean of the first result
        and its "gradient", or for both of these at a time, "steps".

        Args:
            kind: which of these.
            columns: how many inputs each array holds.
        """
        key = kind, columns
        code = self._codes.get(key)
        if code is None:
            with paused_collector():
                # in a context of its own: what blocks such as no_grad say is not for this
                code = self._codes[key] = Context().run(self._compiled, kind, columns)
        self._last = kind, code
        return code

    def _compiled(self, kind: str, columns: tuple[int, ...]) -> Code:
        times = [perf_counter()]
        drafts, inputs, parameters, results, sources = drafted(self.program)
        seed = Draft(drafts)
        sources[seed] = ("seed", 0)
        totals: list[tuple[int, Any]] = []
        if kind in {"gradient", "steps"}:
            totals = [*self._mean_and_gradient(results[0], inputs, parameters, seed)]
        if kind == "gradient":
            results = []
        times.append(perf_counter())
        graph = simplified(drafts, sources, results, totals, precise=self.precise)
        times.append(perf_counter())
        schedule = scheduled(graph, self._inputs)
        times.append(perf_counter())
        code = Code(schedule, columns, self.target, self._packing(kind, schedule))
        stages = ("differentiate", "simplify", "schedule")
        taken = [after - before for before, after in pairwise(times)]
        code.seconds = dict(zip(stages, taken, strict=True)) | code.seconds
        return code

    def _mean_and_gradient(
        self, result: Any, inputs: list[Draft], parameters: list[Draft], seed: Draft
    ) -> Iterator[tuple[int, Any]]:
        """Yield what is to be added up over samples: (0, the mean), (1 + i, the gradient by i).

        The seed is what a sample counts, 1 / n. What does not depend on the inputs, a penalty on
        the parameters, is added once: the seeds of all samples add up to 1.
        """
        each, once = (result, 0.0) if self.precise else _parts(result, inputs)
        weighted = seed * each
        yield 0, each if self.precise else weighted
        yield 0, once
        for part in (weighted, once):
            if isinstance(part, Draft):
                cotangents = recorded_cotangents(part, parameters).totals
                for i, x in enumerate(parameters):
                    if x in cotangents:
                        yield 1 + i, cotangents[x]

    def _packing(self, kind: str, schedule: Schedule) -> Packing:
        """Return how samples are packed: so that sums fit into registers, and slots into caches."""
        target = self.target
        sums = target.registers * 3 // 4
        if kind == "one" or self.precise:
            fused = target.fused and not self.precise
            return Packing(1, 1, 1, sums, fused=fused, precise=self.precise)
        vectors = 2 if target.registers < 32 else 4
        panel = max(1, schedule.sizes[KEPT]) * vectors * target.width * 8
        panels = max(1, min(64 // vectors, CACHE // panel)) if schedule.totals else 1
        return Packing(target.width, vectors, panels, sums, fused=target.fused, precise=False)

    def report(self) -> str:
        """Return what was made of the Program, for the code used last."""
        if self._last is None:
            return "nothing is compiled yet"
        kind, code = self._last
        return report(kind, code, self.program, self.target)

    def source(self) -> str:
        """Return the loops as Python would write them, for the code used last."""
        return listing(self._last[1].schedule, self._last[1].packing) if self._last else ""

    def llvm(self) -> str:
        """Return the LLVM IR, for the code used last."""
        return self._last[1].text if self._last else ""


def _parts(result: Any, inputs: Sequence[Draft]) -> tuple[Any, Any]:
    """Return a result as the sum of what depends on the inputs and of what does not."""
    if not isinstance(result, Draft):
        return 0.0, result
    varying: set[Any] = {*inputs}
    for node in result.drafts:
        if not varying.isdisjoint(node.operands):
            varying.add(node)
    parts: dict[bool, Any] = {True: 0.0, False: 0.0}
    waiting: list[tuple[Any, bool]] = [(result, False)]
    while waiting:
        node, negative = waiting.pop()
        varies = type(node) is not float and node in varying
        name = node.primitive.name if varies and node.primitive else ""
        if name in {"add", "sub"}:
            a, b = node.operands
            waiting += [(b, negative is not (name == "sub")), (a, negative)]
            continue
        sofar = parts[varies]
        if type(sofar) is float and sofar == 0.0:
            parts[varies] = -node if negative else node
        else:
            parts[varies] = sofar - node if negative else sofar + node
    return parts[True], parts[False]


def report(kind: str, code: Code, program: Program, target: Target) -> str:
    """Return what was found in a Program, and what was made of it."""
    schedule, packing = code.schedule, code.packing
    steps = [*schedule.once, *schedule.each, *schedule.totals]
    sizes = schedule.sizes
    made = {
        "one": "one row",
        "map": "results of rows",
        "gradient": "mean and gradient",
        "steps": "results of rows, mean and gradient",
    }[kind]
    facts = {
        "instructions": f"{schedule.instructions}, in {schedule.groups} groups",
        "steps": f"{len(steps)}: {schedule.counted()}",
        "slots": f"{sizes[LANE] + sizes[KEPT]} for each sample, {sizes[UNIFORM]} for all",
        "memory": f"{8 * code.size} bytes",
        "vectors": f"{packing.width} numbers each, {packing.vectors} to a panel of samples",
        "panels": f"{packing.panels} before totals are added up",
        "machine": target.cpu,
        "LLVM IR": f"{len(code.text.splitlines())} lines",
    }
    facts |= {stage: f"{1000 * seconds:.1f} ms" for stage, seconds in code.seconds.items()}
    return "\n".join([f"{made} of {program!r}", *(f"{x:14} {y}" for x, y in facts.items())])
