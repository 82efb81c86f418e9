"""Schedule: instructions in groups, results in slots, groups as loop nests.

Instructions of equal depth do not wait for each other. Those of one depth that are alike (the same
operation on operands from the same kinds of memory) form a group, and their results get consecutive
slots. Where the slots that a group reads advance by constant strides, the group is a loop; where
such loops advance by constant strides, it is a loop of loops. Last, a sequence of nests that comes
again and again, every slot a constant stride further, becomes the body of a loop itself. (Nested
affine loop recognition, after Ketterlin and Clauss, CGO 2008.) What is not regular stays as it is,
nests of no loop.
"""

from __future__ import annotations

from itertools import groupby, product
from math import prod
from typing import NamedTuple

import numpy as np

from autograd.compiler.simplify import SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from autograd.compiler.simplify import Graph, Sum

# Kinds of memory. Each number of the first two is one for all samples; a slot of the next two holds
# one for each sample of a panel. Lane slots are used anew for each panel, kept slots stay until the
# totals over several panels are added up.
PARAMETER, UNIFORM, LANE, KEPT, TOTAL = "parameter", "uniform", "lane", "kept", "total"


STRAIGHT = 8  # nests of no more operations than this are written out
WRITTEN_OUT = 64  # and so are loops around nests
LONGEST = 400  # operations in a piece of straight code


class Access(NamedTuple):
    """Where a nest reads or writes: slot base + stride × index, added over the loops around it."""

    space: str
    base: int
    strides: tuple[int, ...] = ()


class Part(NamedTuple):
    """Terms of a sum that are alike, as loops: ±a × b where the condition, if any, holds.

    Attributes:
        dims: how often each loop runs; its accesses have the nest's strides, then those of these.
    """

    dims: tuple[int, ...]
    a: Access
    b: Access | None
    condition: Access | None
    negative: bool
    vanishes: bool


class Nest(NamedTuple):
    """Loops around one operation, or around a sum of products.

    Attributes:
        name: the primitive, or "sum".
        dims: how often each loop runs, the outermost first.
        into: where results go.
        operands: what a primitive is applied to.
        bias, parts: what a sum adds up.
    """

    name: str
    dims: tuple[int, ...]
    into: Access
    operands: tuple[Access, ...] = ()
    bias: Access | None = None
    parts: tuple[Part, ...] = ()

    def reads(self) -> Iterator[tuple[Access, tuple[int, ...]]]:
        """Yield every access that is read, with how often the nest's loops around it run."""
        for access in (*self.operands, self.bias):
            if access:
                yield access, self.dims
        for part in self.parts:
            for access in (part.a, part.b, part.condition):
                if access:
                    yield access, (*self.dims, *part.dims)

    def accesses(self) -> list[Access]:
        """Every access, in a fixed order."""
        found = [self.into, *self.operands]
        if self.bias:
            found.append(self.bias)
        for part in self.parts:
            found += [x for x in (part.a, part.b, part.condition) if x]
        return found

    def shape(self) -> tuple[Any, ...]:
        """What two nests have in common that differ in the slots they start from alone."""
        accesses = tuple((x.space, x.strides) for x in self.accesses())
        parts = tuple(
            (part.dims, part.b is None, part.condition is None, *part[4:]) for part in self.parts
        )
        return self.name, self.dims, accesses, self.bias is None, parts

    def under(self, strides: Iterator[int]) -> Nest:
        """The same nest inside another loop, along which its accesses advance by these strides."""

        def inner(x: Access | None) -> Access | None:
            return x and Access(x.space, x.base, (next(strides), *x.strides))

        into, *operands = [inner(x) for x in (self.into, *self.operands)]
        bias = inner(self.bias)
        parts = tuple(
            part._replace(
                a=inner(part.a) or part.a, b=inner(part.b), condition=inner(part.condition)
            )
            for part in self.parts
        )
        return Nest(self.name, self.dims, into, tuple(operands), bias, parts)  # type: ignore[arg-type]


class Repeat(NamedTuple):
    """A loop around a sequence of nests, each waiting for the one before."""

    rounds: int
    body: list[Any]


class Bundle(NamedTuple):
    """Loops around several operations, each result of which stays in a register; no loop, if small.

    Attributes:
        dims: how often each loop runs.
        nests: the operations, in order; a nest reads results of earlier ones at its own index.
    """

    dims: tuple[int, ...]
    nests: list[Nest]


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
            elif isinstance(step, Bundle):
                straight += len(step.nests) if not step.dims else 0
                loops += bool(step.dims)
            else:
                sums += 1
        return f"{sums} sums of products, {loops} other loops, {straight} operations without a loop"


def scheduled(made: Graph, inputs: int) -> Schedule:
    """Return the schedule of a graph.

    Args:
        made: the graph.
        inputs: how many inputs it has.
    """
    return _Scheduler(made, inputs).schedule()


class _Scheduler:
    def __init__(self, made: Graph, inputs: int) -> None:
        self.made = made
        self.place: dict[int, tuple[str, int]] = {}
        self.sizes = dict.fromkeys((PARAMETER, UNIFORM, LANE, KEPT, TOTAL), 0)
        self.constants: list[float] = []
        self.groups = 0
        varying = made.varying
        # a total that does not vary counts for all samples, since their seeds add up to 1
        self.varying: list[tuple[int, Sum]] = []
        self.fixed: list[tuple[int, Sum]] = []
        self.kept: set[int] = set()
        for position, total in made.totals:
            operands = total.operands()
            each = made.precise or not varying.isdisjoint(operands)
            (self.varying if each else self.fixed).append((position, total))
            if each:
                self.kept.update(operands)
        self.kept &= varying
        self.used = made.used
        names = made.names
        space = KEPT if any(names[x] == "input" for x in self.kept) else LANE
        self.inputs = Access(space, self._slots(space, inputs))
        space = KEPT if any(names[x] == "seed" for x in self.kept) else LANE
        self.seed = Access(space, self._slots(space, 1))
        for x in self.used:
            if names[x] == "input":
                self.place[x] = (self.inputs.space, self.inputs.base + made.operands[x][0])
            elif names[x] == "seed":
                self.place[x] = (self.seed.space, self.seed.base)
            elif names[x] == "parameter":
                self.place[x] = (PARAMETER, made.operands[x][0])
                self.sizes[PARAMETER] = max(self.sizes[PARAMETER], made.operands[x][0] + 1)
            elif names[x] == "constant":
                self.place[x] = (UNIFORM, self._slots(UNIFORM, 1))
                self.constants.append(made.constants[x])

    def _slots(self, space: str, count: int) -> int:
        first = self.sizes[space]
        self.sizes[space] += count
        return first

    def schedule(self) -> Schedule:
        made = self.made
        depth = [0] * len(made.names)
        levels: list[dict[Any, list[Any]]] = []
        for x in self.used:
            if made.names[x] in SOURCES:
                continue
            operands = made.sums[x].operands() if x in made.sums else made.operands[x]
            d = depth[x] = 1 + max([depth[y] for y in operands], default=0)
            while len(levels) < d:
                levels.append({})
            levels[d - 1].setdefault(
                (x in made.varying, self.made.names[x] if x not in made.sums else "sum"), []
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
            bundled(rerolled(once)),
            bundled(rerolled(each)),
            totals,
            self.constants,
            self.sizes,
            self.inputs,
            self.seed,
            [Access(*self.place[x]) for x in made.stores],
            len(self.used) + len(made.totals),
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
        made, place = self.made, self.place
        groups: dict[Any, list[tuple[int, list[int]]]] = {}
        for x in members:
            places = [place[y] for y in made.operands[x]]
            key = (made.names[x], *[space for space, _ in places])
            groups.setdefault(key, []).append((x, [slot for _, slot in places]))
        for (name, *spaces), group in groups.items():
            self.groups += 1
            space, first = self._target([x for x, _ in group], varies)
            rows = [[first + i, *slots] for i, (_, slots) in enumerate(group)]
            for dims, bases, strides in affine_loops(rows):
                into, *operands = map(Access, (space, *spaces), bases, strides)
                yield Nest(name, dims, into, tuple(operands))

    def _sums(self, members: list[int], varies: bool) -> Iterator[Nest]:
        for kinds, group in self._alike([(x, self.made.sums[x]) for x in members]):
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
        place, one = self.place, self.made.one
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
            if len(found) > 1 and not self.made.precise:
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


def affine_loops(
    rows: Any, *, terms: bool = False
) -> Iterator[tuple[tuple[int, ...], list[int], list[tuple[int, ...]]]]:
    """Cut rows of numbers into nested loops along which every column advances by constant strides.

    Args:
        rows: as many numbers each.
        terms: whether they are the terms of one sum, where what comes twice is no loop.

    Yields:
        How often each loop runs, the outermost first; the first row; for each column its strides.

    >>> [*affine_loops([[0, 10], [1, 10], [2, 10], [3, 20], [4, 20], [5, 20]])]
    [((2, 3), [0, 10], [(3, 1), (10, 0)])]
    """
    count = len(rows)
    if count == 1:
        row = [int(x) for x in rows[0]]
        yield (), row, [()] * len(row)
        return
    table = np.asarray(rows, dtype=np.int64)
    steps = np.diff(table, axis=0)
    changes = np.flatnonzero((steps[1:] != steps[:-1]).any(1)) + 1  # of the stride
    breaks = [*changes.tolist(), count - 1]
    at = following = 0
    while at < count:
        while following < len(breaks) and breaks[following] <= at:
            following += 1
        dims: list[int] = []
        strides: list[Any] = []
        size = 1
        if at < count - 1:
            dims = [breaks[following] - at + 1]
            strides = [steps[at]]
            size = dims[0]
            while at + 2 * size <= count:
                step = table[at + size] - table[at]
                repeats = _repeats(table[at:], size, step)
                whole = at == 0 and repeats * size == count
                if repeats < (2 if whole and not terms else 3):  # twice might be chance
                    break
                dims.insert(0, repeats)
                strides.insert(0, step)
                size *= repeats
            if size == 2 and at + 2 < count:  # more likely a row alone before a regular run
                dims, strides, size = [], [], 1
        yield (
            tuple(dims),
            table[at].tolist(),
            [tuple(int(step[column]) for step in strides) for column in range(table.shape[1])],
        )
        at += size


def _repeats(table: Any, size: int, step: Any) -> int:
    """How often the first rows come again, each time a step further."""
    most = len(table) // size
    first = table[:size]
    found = 1
    chunk = 1
    while found < most:
        upto = min(most, found + chunk)
        block = table[found * size : upto * size].reshape(upto - found, size, -1)
        expected = first + np.arange(found, upto)[:, None, None] * step
        wrong = np.flatnonzero((block != expected).any((1, 2)))
        if len(wrong):
            return found + int(wrong[0])
        found = upto
        chunk *= 2
    return found


def rerolled(nests: list[Any]) -> list[Any]:
    """Find sequences of nests that come again, every slot a constant stride further, as loops."""
    if len(nests) < 4:
        return nests
    ids: dict[Any, int] = {}
    kinds = [ids.setdefault(nest.shape(), len(ids)) for nest in nests]
    bases = [[x.base for x in nest.accesses()] for nest in nests]
    following: list[int] = [0] * len(nests)  # where the same kind comes next
    last: dict[int, int] = {}
    for i in range(len(nests) - 1, -1, -1):
        following[i] = last.get(kinds[i], 0)
        last[kinds[i]] = i
    found: list[Any] = []
    at = 0
    while at < len(nests):
        period, count = _most_repeated(kinds, bases, following, at)
        if count < 3 or count * sum(map(operations, nests[at : at + period])) <= WRITTEN_OUT:
            found.append(nests[at])
            at += 1
            continue
        steps = [
            [b - a for a, b in zip(bases[i], bases[i + period], strict=True)]
            for i in range(at, at + period)
        ]
        body = [nests[at + i].under(iter(steps[i])) for i in range(period)]
        found.append(Repeat(count, body))
        at += count * period
    return found


def _most_repeated(
    kinds: list[int], bases: list[list[int]], following: list[int], at: int
) -> tuple[int, int]:
    """Return the length of the sequence from here on that covers most, and how often it comes."""
    best = (1, 1)
    again = at
    for _ in range(16):  # nests of one kind may stand at several places in the sequence
        again = following[again]
        period = again - at
        if not 0 < period <= LONGEST:
            break
        count = _iterations(kinds, bases, at, period)
        if count > 2 and count * period > best[0] * best[1]:  # twice might be chance
            best = (period, count)
    return best


def _iterations(kinds: list[int], bases: list[list[int]], at: int, period: int) -> int:
    """How often a sequence of nests runs, from the first on."""
    steps: list[list[int]] = []
    count = 1
    while at + (count + 1) * period <= len(kinds):
        for i in range(period):
            here, before = at + count * period + i, at + (count - 1) * period + i
            if kinds[here] != kinds[before]:
                return count
            step = [b - a for a, b in zip(bases[before], bases[here], strict=True)]
            if count == 1:
                steps.append(step)
            elif step != steps[i]:
                return count
        count += 1
    return count


def operations(nest: Nest) -> int:
    """How many operations a nest is, written out."""
    terms = sum(prod(part.dims) for part in nest.parts) or 1
    return prod(nest.dims) * terms


def unrolled(nest: Nest) -> list[Nest]:
    """Return a nest written out, without loops of its own."""
    outer = len(nest.into.strides) - len(nest.dims)

    def moved(access: Access, point: Sequence[int]) -> Access:
        own = access.strides[outer:]
        base = access.base + sum(i * s for i, s in zip(point, own, strict=True))
        return Access(access.space, base, access.strides[:outer])

    singles = []
    for point in product(*map(range, nest.dims)):
        parts = [
            part._replace(
                dims=(),
                a=moved(part.a, (*point, *inner)),
                b=part.b and moved(part.b, (*point, *inner)),
                condition=part.condition and moved(part.condition, (*point, *inner)),
            )
            for part in nest.parts
            for inner in product(*map(range, part.dims))
        ]
        singles.append(
            Nest(
                nest.name,
                (),
                moved(nest.into, point),
                tuple(moved(x, point) for x in nest.operands),
                nest.bias and moved(nest.bias, point),
                tuple(parts),
            )
        )
    return singles


def bundled(steps: list[Any], outer: tuple[int, ...] = ()) -> list[Any]:
    """Put operations together that run over the same loops, as early as their operands allow.

    Args:
        steps: nests, and loops around nests.
        outer: how often the loops around the steps run.
    """
    found: list[Any] = []
    written: dict[tuple[str, int], int] = {}  # the position of the step that writes a slot
    latest: dict[tuple[int, ...], int] = {}  # where the last bundle over these dims stands
    results: dict[int, set[Access]] = {}  # what each bundle gives

    def place(nest: Nest) -> int:
        """Return the position of the bundle that a nest may join, or else of the next step."""
        position = latest.get(nest.dims)
        if position is None or len(found[position].nests) >= LONGEST:
            return len(found)
        for access, dims in nest.reads():
            if access in results[position]:
                continue
            for spot in spots(access, (*outer, *dims)):
                if written.get(spot, -1) >= position:
                    return len(found)
        return position

    for step in steps:
        if isinstance(step, Repeat):
            found.append(step._replace(body=bundled(step.body, (*outer, step.rounds))))
            for access, dims in writes(step):
                reached = spots(access, (*outer, *dims))
                written.update(dict.fromkeys(reached, len(found) - 1))
            continue
        few = STRAIGHT if step.dims else 2 * STRAIGHT
        straight = operations(step) <= few
        for nest in unrolled(step) if straight and (step.dims or step.parts) else [step]:
            if nest.name == "sum" and not straight:
                position = len(found)
                found.append(nest)
            else:
                position = place(nest)
                if position == len(found):
                    found.append(Bundle(nest.dims, []))
                    latest[nest.dims] = position
                    results[position] = set()
                found[position].nests.append(nest)
                results[position].add(nest.into)
            written.update(dict.fromkeys(spots(nest.into, (*outer, *nest.dims)), position))
    return found


def writes(step: Any) -> Iterator[tuple[Access, tuple[int, ...]]]:
    """Yield every access that a step writes to, with how often the loops around it run."""
    if isinstance(step, Repeat):
        for inner in step.body:
            for access, dims in writes(inner):
                yield access, (step.rounds, *dims)
    elif isinstance(step, Bundle):
        for nest in step.nests:
            yield nest.into, step.dims
    else:
        yield step.into, step.dims


def spots(access: Access, dims: Sequence[int]) -> list[tuple[str, int]]:
    """Return every slot that an access reaches."""
    slots = [access.base]
    for count, stride in zip(dims, access.strides, strict=True):
        if stride:
            slots = [slot + stride * i for slot in slots for i in range(count)]
    return [(access.space, slot) for slot in slots]
