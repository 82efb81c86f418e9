"""Reroll: rows of slots that advance by constant strides as loops, and nests that do likewise.

Where the slots that a group of instructions reads advance by constant strides, the group is a loop;
where such loops advance by constant strides, it is a loop of loops. A sequence of nests that comes
again and again, every slot a constant stride further, becomes the body of a loop itself. (Nested
affine loop recognition, after Ketterlin and Clauss, CGO 2008.) What is not regular stays as it is,
nests of no loop.
"""

from __future__ import annotations

import numpy as np

from autograd.compiler.nests import LONGEST, Repeat, operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

WRITTEN_OUT = 64  # operations: loops around nests of no more than these are written out


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
    kinds = [ids.setdefault(nest.kind(), len(ids)) for nest in nests]
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
