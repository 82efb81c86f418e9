"""Tiles: loops around sums of products, several sums at a time in registers.

So whatever is loaded serves several sums. Those of one sample go to slots of its panel; those over
samples run over all panels of a block, and are added to the totals.

A sum whose terms count under a condition is written twice where they are 0 anyway but for infinite
factors: once without the condition, for when all of these are finite.
"""

from __future__ import annotations

from functools import reduce
from itertools import product

from llvmlite import ir

from autograd.compiler.nests import (
    KEPT,
    LANE,
    PARAMETER,
    TOTAL,
    UNIFORM,
    Nest,
    Repeat,
)
from autograd.compiler.vectors import NUMBER
from autograd.compiler.writer import ZERO, Index, cuts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.compiler.nests import Access, Part
    from autograd.compiler.writer import Writer


class Tiles:
    """Writes sums of products into a writer's function."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._packing = writer.packing
        self._vectors = [Index(None, k) for k in range(writer.packing.vectors)]
        self._nothing = writer.emitter.constant(-0.0)
        self._finite_parameters: dict[int, ir.Value] = {}  # by the nest that they are factors in

    def write(self, nest: Nest, outer: Sequence[Index], panels: Any = None) -> None:
        """Write a sum of products, tiled; into totals, over this many panels of kept slots."""
        if not _guarded(nest):
            self._write_tiled(nest, outer, panels)
            return
        free = tuple(
            part._replace(condition=None, vanishes=False) if part.vanishes else part
            for part in nest.parts
        )
        finite = self._finite_parameters.get(id(nest)) or self._finite(nest, outer, panels)
        self.writer.choose(
            finite,
            lambda: self._write_tiled(nest._replace(parts=free), outer, panels),
            lambda: self._write_tiled(nest, outer, panels, small=True),
        )

    def check_parameters(self, steps: Sequence[Any], outer: Sequence[int] = ()) -> None:
        """Find out, before all samples, where what is the same for all of them is finite."""
        for step in steps:
            if isinstance(step, Repeat):
                self.check_parameters(step.body, [*outer, step.rounds])
            elif isinstance(step, Nest):
                spaces = {b.space for b, _ in _guarded(step)}
                if spaces and spaces <= {PARAMETER, UNIFORM}:
                    inside = step._replace(dims=(*outer, *step.dims))
                    self._finite_parameters[id(step)] = self._finite(inside, (), None)

    def _finite(self, nest: Nest, outer: Sequence[Index], panels: Any) -> ir.Value:
        """Return whether every factor is finite that a vanishing one is multiplied by."""
        found = [self.writer.emitter.constant(0.0)] * 8  # so many sums do not wait for each other
        for b, dims in _guarded(nest):
            strides = b.strides[len(outer) :]
            live = tuple([n if s else 1 for n, s in zip(dims, strides, strict=True)])
            found = self._add_zeros(b, live, outer, found, panels)
        builder = self.writer.builder
        total = reduce(builder.fadd, found)
        lanes = [self.writer.emitter.lane(total, i) for i in range(self._packing.width)]
        total = reduce(builder.fadd, lanes)
        return builder.fcmp_ordered("==", total, ir.Constant(NUMBER, 0.0))

    def _add_zeros(
        self,
        access: Access,
        dims: tuple[int, ...],
        outer: Sequence[Index],
        sums: list[ir.Value],
        panels: Any,
    ) -> list[ir.Value]:
        """Add 0 × what an access reaches to sums: nothing, unless it is infinite or nan."""
        builder, zero = self.writer.builder, self.writer.emitter.constant(0.0)
        lanes = access.space in {LANE, KEPT}
        vectors = self._vectors if lanes else [ZERO]
        at_once = max(1, len(sums) // len(vectors))
        last = max([d for d, n in enumerate(dims) if n > 1], default=-1)

        def over(d: int, indices: list[Index], sums: list[ir.Value]) -> list[ir.Value]:
            if d < len(dims) and d != last:
                return self.writer.loop(dims[d], sums, lambda i, xs: over(d + 1, [*indices, i], xs))
            rest = [ZERO] * (len(dims) - d - 1)
            first = 0
            for count, size in cuts(dims[d], at_once) if dims else [(1, 1)]:

                def some(
                    i: Index, xs: list[ir.Value], size: int = size, first: int = first
                ) -> list[ir.Value]:
                    start = None if i.value is None else self.writer.value(i, size)
                    xs = [*xs]
                    for j in range(size):
                        own = [Index(start, first + j)] if dims else []
                        for k in vectors:
                            place = (j * len(vectors) + k.constant) % len(xs)
                            x = self.writer.load(access, [*indices, *own, *rest], k)
                            xs[place] = builder.fadd(xs[place], builder.fmul(x, zero))
                    return xs

                sums = self.writer.loop(count, sums, some)
                first += count * size
            return sums

        if last < 0 and dims:
            last = len(dims) - 1
        if panels is None or not lanes:
            return over(0, [*outer], sums)
        return self.writer.loop(
            panels, sums, lambda q, xs: self.writer.in_panel(q, lambda: over(0, [*outer], xs))
        )

    def _sizes(self, nest: Nest, small: bool) -> dict[int, int]:
        """Return for each dim how many of its sums are in registers at a time."""
        dims = nest.dims
        if small or not dims:
            return {}
        last = len(dims) - 1
        width, registers = self._packing.width, self._packing.registers
        if nest.into.space == TOTAL:
            inner = min(dims[last], max(width, 4))
            tiles = {last: inner}
            if last and registers // inner > 1:
                tiles[last - 1] = min(dims[last - 1], registers // inner)
            return tiles
        return {last: min(dims[last], max(1, registers // self._packing.vectors))}

    def _write_tiled(
        self, nest: Nest, outer: Sequence[Index], panels: Any, *, small: bool = False
    ) -> None:
        def tile(indices: list[Index], sizes: tuple[int, ...]) -> None:
            own = indices[len(outer) :]
            points = [
                [*outer, *(i.moved(by) for i, by in zip(own, offsets, strict=True))]
                for offsets in product(*map(range, sizes))
            ]
            if nest.into.space == TOTAL:
                self._write_totals(nest, points, sizes, panels)
            else:
                self._write_results(nest, points)

        self.writer.over(nest.dims, self._sizes(nest, small), outer, tile)

    def _write_results(self, nest: Nest, points: Sequence[Sequence[Index]]) -> None:
        """Write the sums of a tile, for each vector of a panel."""
        spots = [*product(points, self._vectors)]
        known: dict[Any, ir.Value] = {}
        sums = [
            self.writer.known(known, nest.bias, point, k) if nest.bias else self._nothing
            for point, k in spots
        ]
        for part in nest.parts:
            sums = self._add_part(part, spots, sums, range(len(spots)))
        for (point, k), total in zip(spots, sums, strict=True):
            self.writer.store(total, nest.into, point, k)

    def _write_totals(
        self, nest: Nest, points: Sequence[Sequence[Index]], sizes: tuple[int, ...], panels: Any
    ) -> None:
        """Write the sums of a tile, over all vectors of the panels; add them to the totals."""
        writer = self.writer
        # what the longer side of a tile loads is used up at once: so all fits into registers
        order = [*range(len(points))]
        if len(sizes) > 1 and sizes[-1] > sizes[-2]:
            order.sort(key=lambda i: i % sizes[-1])

        def panel(sums: list[ir.Value]) -> list[ir.Value]:
            for k in self._vectors:
                spots = [(point, k) for point in points]
                if nest.bias is not None:
                    sums = [
                        writer.builder.fadd(x, writer.load(nest.bias, point, k))
                        for x, (point, _) in zip(sums, spots, strict=True)
                    ]
                for part in nest.parts:
                    sums = self._add_part(part, spots, sums, order)
            return sums

        sums = writer.loop(
            panels,
            [self._nothing] * len(points),
            lambda q, xs: writer.in_panel(q, lambda: panel(xs)),
        )
        self._add_up(sums, nest.into, points, sizes[-1] if sizes else 1)

    def _add_part(
        self,
        part: Part,
        spots: Sequence[tuple[Sequence[Index], Index]],
        sums: list[ir.Value],
        order: Sequence[int],
    ) -> list[ir.Value]:
        """Add the terms of a part to sums, each at its spot: indices, and a vector of the panel."""
        writer = self.writer

        def over(d: int, inner: list[Index], sums: list[ir.Value]) -> list[ir.Value]:
            if d < len(part.dims):
                return writer.loop(part.dims[d], sums, lambda i, xs: over(d + 1, [*inner, i], xs))
            known: dict[Any, ir.Value] = {}
            added = [*sums]
            for i in order:
                point, k = spots[i]
                a, b, condition = (
                    x and writer.known(known, x, [*point, *inner], k)
                    for x in (part.a, part.b, part.condition)
                )
                added[i] = writer.accumulate(sums[i], a, b, condition, part.negative)
            return added

        return over(0, [], sums)

    def _add_up(
        self,
        sums: list[ir.Value],
        into: Access,
        points: Sequence[Sequence[Index]],
        run: int,
    ) -> None:
        """Add the lanes of each sum up, and that to its total."""
        builder, width = self.writer.builder, self._packing.width
        if width == 1:
            for x, point in zip(sums, points, strict=True):
                self.writer.add_to_total(x, into, point)
            return
        together = run % width == 0 and into.strides[-1] == 1
        for first in range(0, len(sums), width):
            chunk = sums[first : first + width]
            count = len(chunk)
            row = self.writer.emitter.across([*chunk, *[chunk[0]] * (width - count)])
            if together:
                pointer = self.writer.address(into, points[first])
                before = builder.load(pointer, typ=self.writer.type, align=8)
                builder.store(builder.fadd(before, row), pointer, align=8)
                continue
            for i in range(count):
                x = self.writer.emitter.lane(row, i)
                self.writer.add_to_total(x, into, points[first + i])


def _guarded(nest: Nest) -> list[tuple[Access, tuple[int, ...]]]:
    """Return the factors that vanishing ones are multiplied by, with how often all loops run."""
    return [(x.b, (*nest.dims, *x.dims)) for x in nest.parts if x.vanishes and x.b]
