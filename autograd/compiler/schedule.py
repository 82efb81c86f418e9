"""Schedule: instructions in groups, results in slots, groups as loop nests.

Instructions of equal depth do not wait for each other. Those of one depth that are alike (the same
operation on operands from the same kinds of memory) form a group, and their results get consecutive
slots. So most groups are loops; nests of them are rerolled into larger loops, and fused.
"""

from __future__ import annotations

from itertools import groupby
from math import prod
from typing import NamedTuple

import numpy as np

from autograd.compiler.fuse import fused
from autograd.compiler.gather import SOURCES
from autograd.compiler.nests import (
    KEPT,
    LANE,
    PARAMETER,
    SPACES,
    STRAIGHT,
    TOTAL,
    UNIFORM,
    Access,
    FusedLoop,
    Nest,
    Part,
    Repeat,
)
from autograd.compiler.reroll import affine_loops, rerolled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from autograd.compiler.gather import Sum
    from autograd.compiler.simplify import Graph


class Schedule(NamedTuple):
    """What is done, in order.

    Attributes:
        once: nests for all samples together.
        each: nests for every panel of samples.
        totals: nests that add up over samples, after several panels.
        constants: what stands in the first uniform slots.
        sizes: how many slots each kind of memory has.
        inputs: where the inputs go; a space and a first slot.
        seed: where the weight of a sample in the totals goes.
        stores: where what is given for each sample comes from.
        instructions: how many instructions there are, sums of products counting as one.
        groups: how many groups of instructions alike there are.
    """

    once: list[Any]
    each: list[Any]
    totals: list[Any]
    constants: list[float]
    sizes: dict[str, int]
    inputs: Access
    seed: Access
    stores: list[Access]
    instructions: int
    groups: int

    def counted(self) -> str:
        """Return how many loop nests and other steps there are, in words."""
        straight = loops = sums = 0
        waiting = [*self.once, *self.each, *self.totals]
        while waiting:
            step = waiting.pop()
            if isinstance(step, Repeat):
                loops += 1
                waiting += step.body
            elif isinstance(step, FusedLoop):
                straight += len(step.nests) if not step.dims else 0
                loops += bool(step.dims)
            else:
                sums += 1
        return f"{sums} sums of products, {loops} other loops, {straight} operations without a loop"


def scheduled(graph: Graph, inputs: int) -> Schedule:
    """Return the schedule of a graph.

    Args:
        graph: what it does.
        inputs: how many inputs it has.
    """
    return _Scheduler(graph, inputs).schedule()


class _Scheduler:
    def __init__(self, graph: Graph, inputs: int) -> None:
        self.graph = graph
        self.place: dict[int, tuple[str, int]] = {}
        self.sizes = dict.fromkeys(SPACES, 0)
        self.constants: list[float] = []
        self.groups = 0
        varying = graph.varying
        # a total that does not vary counts for all samples, since their seeds add up to 1
        self.varying: list[tuple[int, Sum]] = []
        self.fixed: list[tuple[int, Sum]] = []
        self.kept: set[int] = set()
        for position, total in graph.totals:
            operands = total.operands()
            each = graph.precise or not varying.isdisjoint(operands)
            (self.varying if each else self.fixed).append((position, total))
            if each:
                self.kept.update(operands)
        self.kept &= varying
        self.used = graph.used
        names = graph.names
        space = KEPT if any(names[x] == "input" for x in self.kept) else LANE
        self.inputs = Access(space, self._slots(space, inputs))
        space = KEPT if any(names[x] == "seed" for x in self.kept) else LANE
        self.seed = Access(space, self._slots(space, 1))
        for x in self.used:
            if names[x] == "input":
                self.place[x] = (self.inputs.space, self.inputs.base + graph.operands[x][0])
            elif names[x] == "seed":
                self.place[x] = (self.seed.space, self.seed.base)
            elif names[x] == "parameter":
                self.place[x] = (PARAMETER, graph.operands[x][0])
                self.sizes[PARAMETER] = max(self.sizes[PARAMETER], graph.operands[x][0] + 1)
            elif names[x] == "constant":
                self.place[x] = (UNIFORM, self._slots(UNIFORM, 1))
                self.constants.append(graph.constants[x])

    def _slots(self, space: str, count: int) -> int:
        first = self.sizes[space]
        self.sizes[space] += count
        return first

    def schedule(self) -> Schedule:
        graph = self.graph
        depth = [0] * len(graph.names)
        levels: list[dict[Any, list[Any]]] = []
        for x in self.used:
            if graph.names[x] in SOURCES:
                continue
            operands = graph.sums[x].operands() if x in graph.sums else graph.operands[x]
            d = depth[x] = 1 + max([depth[y] for y in operands], default=0)
            while len(levels) < d:
                levels.append({})
            levels[d - 1].setdefault(
                (x in graph.varying, self.graph.names[x] if x not in graph.sums else "sum"), []
            ).append(x)
        once: list[Nest] = []
        each: list[Nest] = []
        for level in levels:
            for (varies, name), members in level.items():
                nests = self._sums if name == "sum" else self._operations
                (each if varies else once).extend(nests(members, varies))
        once += self._totals(self.fixed)
        totals = self._totals(self.varying)
        return Schedule(
            fused(rerolled(once)),
            fused(rerolled(each)),
            totals,
            self.constants,
            self.sizes,
            self.inputs,
            self.seed,
            [Access(*self.place[x]) for x in graph.stores],
            len(self.used) + len(graph.totals),
            self.groups,
        )

    def _target(self, members: Sequence[int], varies: bool) -> tuple[str, int]:
        """Give the results of a group consecutive slots; return the first."""
        space = UNIFORM
        if varies:
            space = LANE if self.kept.isdisjoint(members) else KEPT
        first = self._slots(space, len(members))
        for i, x in enumerate(members):
            self.place[x] = (space, first + i)
        return space, first

    def _operations(self, members: list[int], varies: bool) -> Iterator[Nest]:
        graph, place = self.graph, self.place
        groups: dict[Any, list[tuple[int, list[int]]]] = {}
        for x in members:
            places = [place[y] for y in graph.operands[x]]
            key = (graph.names[x], *[space for space, _ in places])
            groups.setdefault(key, []).append((x, [slot for _, slot in places]))
        for (name, *spaces), group in groups.items():
            self.groups += 1
            space, first = self._target([x for x, _ in group], varies)
            rows = [[first + i, *slots] for i, (_, slots) in enumerate(group)]
            for dims, bases, strides in affine_loops(rows):
                into, *operands = map(Access, (space, *spaces), bases, strides)
                yield Nest(name, dims, into, tuple(operands))

    def _sums(self, members: list[int], varies: bool) -> Iterator[Nest]:
        for kinds, group in self._alike([(x, self.graph.sums[x]) for x in members]):
            target = self._target([x for x, _ in group], varies)
            rows = [(target[1] + i, slots) for i, (_, slots) in enumerate(group)]
            yield from _sum_nests(target[0], kinds, rows)

    def _totals(self, totals: list[tuple[int, Sum]]) -> list[Nest]:
        nests: list[Nest] = []
        for position, _ in totals:
            self.sizes[TOTAL] = max(self.sizes[TOTAL], position + 1)
        for kinds, group in self._alike(totals):
            group.sort(key=lambda row: row[0])
            nests += _sum_nests(TOTAL, kinds, group)
        return nests

    def _alike(
        self, sums: Sequence[tuple[int, Sum]]
    ) -> Iterator[tuple[Any, list[tuple[int, list[int]]]]]:
        """Group sums whose terms are alike; each has its slots: bias, then a, b, condition."""
        place, one = self.place, self.graph.one
        groups: dict[Any, list[tuple[int, list[int]]]] = {}
        for x, (bias, terms) in sums:
            kinds: list[Any] = []
            slots: list[int] = []
            if bias is None:
                kinds.append(None)
                slots.append(0)
            else:
                space, slot = place[bias]
                kinds.append(space)
                slots.append(slot)
            found = []
            for a, b, condition, negative, vanishes in terms:
                space_a, slot_a = place[a]
                space_b, slot_b = (None, 0) if b == one else place[b]
                space_c, slot_c = (None, 0) if condition is None else place[condition]
                kind = (space_a, space_b, space_c, negative, vanishes)
                found.append((kind, slot_a, slot_b, slot_c))
            if len(found) > 1 and not self.graph.precise:
                order: dict[Any, int] = {}
                found.sort(key=lambda term: order.setdefault(term[0], len(order)))
            for kind, *three in found:
                kinds.append(kind)
                slots += three
            groups.setdefault(tuple(kinds), []).append((x, slots))
        self.groups += len(groups)
        yield from groups.items()


def _sum_nests(space: str, kinds: Any, rows: list[tuple[int, list[int]]]) -> Iterator[Nest]:
    """Yield the nests of sums that are alike: loops over sums, and in them those over terms."""
    bias_space, *patterns = kinds
    if len(rows) == 1 and len(patterns) <= STRAIGHT:  # the same, without arrays
        ((first, slots),) = rows
        yield Nest(
            "sum",
            (),
            Access(space, first),
            bias=bias_space and Access(bias_space, slots[0]),
            parts=tuple(
                _part(pattern, (), ((),) * 3, slots[1 + 3 * i :], ((),) * 3)
                for i, pattern in enumerate(patterns)
            ),
        )
        return
    while rows:
        table: Any = np.array([slots for _, slots in rows], dtype=np.int64)
        terms = table[:, 1:].reshape(len(rows), -1, 3)
        loops = []
        firsts: list[int] = []  # for each term the first one of its loop
        for pattern, run in groupby(patterns):
            start = len(firsts)
            rows_of_terms = terms[0, start : start + len([*run])]
            # a few terms are no loop: what looks like one might be chance
            few = len(patterns) <= STRAIGHT
            for dims, _, strides in (
                _single(rows_of_terms) if few else affine_loops(rows_of_terms, terms=True)
            ):
                loops.append((pattern, len(firsts), dims, strides))
                firsts += [len(firsts)] * prod(dims)
        # these are the loops of all sums whose terms advance as those of the first
        advance = terms - terms[:, firsts]
        same = (advance == advance[0]).all((1, 2))
        starts = [first for _, first, *_ in loops]
        chosen = [row for row, alike in zip(rows, same, strict=True) if alike]
        columns = np.column_stack(
            (
                [x for x, _ in chosen],
                table[same, 0],
                terms[same][:, starts].reshape(len(chosen), -1),
            )
        )
        for dims, bases, strides in affine_loops(columns):
            yield Nest(
                "sum",
                dims,
                Access(space, bases[0], strides[0]),
                bias=bias_space and Access(bias_space, bases[1], strides[1]),
                parts=tuple(
                    _part(pattern, inner, inner_strides, bases[2 + 3 * i :], strides[2 + 3 * i :])
                    for i, (pattern, _, inner, inner_strides) in enumerate(loops)
                ),
            )
        rows = [row for row, alike in zip(rows, same, strict=True) if not alike]


def _part(pattern: Any, dims: Any, inner: Any, bases: Any, outer: Any) -> Part:
    *spaces, negative, vanishes = pattern
    a, b, condition = (
        space and Access(space, bases[i], (*outer[i], *inner[i])) for i, space in enumerate(spaces)
    )
    return Part(dims, a, b, condition, negative, vanishes)


def _single(rows: Any) -> Iterator[tuple[tuple[int, ...], list[int], list[tuple[int, ...]]]]:
    """Yield each row by itself."""
    for row in rows:
        yield from affine_loops([row])
