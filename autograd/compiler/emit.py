"""Emit: loop nests as LLVM instructions.

One vector holds the same slot of several samples, a panel is a few such vectors. Sums of products
are tiled: a nest keeps the sums of several slots in registers, so that whatever is loaded serves
several of them.
"""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import NamedTuple

from llvmlite import ir

from autograd.compiler.arrays import INDEX
from autograd.compiler.lower import LOWERINGS, Emitter
from autograd.compiler.schedule import (
    KEPT,
    LANE,
    PARAMETER,
    TOTAL,
    UNIFORM,
    Access,
    Bundle,
    Nest,
    Part,
    Repeat,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

NUMBER = ir.DoubleType()


class Shape(NamedTuple):
    """How samples are packed.

    Attributes:
        width: samples in a vector.
        vectors: vectors in a panel.
        panels: panels, at most, whose kept slots are there at a time.
        registers: how many sums are kept in registers.
        fused: whether a product and its addition may be rounded once.
        precise: whether nothing may change a bit.
    """

    width: int
    vectors: int
    panels: int
    registers: int
    fused: bool
    precise: bool

    @property
    def lanes(self) -> int:
        """Samples in a panel."""
        return self.width * self.vectors


class Index(NamedTuple):
    """A loop's index: a value of the program, plus a constant."""

    value: ir.Value | None
    constant: int


ZERO = Index(None, 0)


def integer(x: int) -> ir.Constant:
    """Return a constant index."""
    return ir.Constant(INDEX, x)


class Writer:
    """Writes nests into a function.

    Attributes:
        builder: where it writes.
        pointers: where each kind of memory starts.
        kept: how many numbers a kept slot holds, those of all panels one after the other.
    """

    def __init__(
        self,
        builder: ir.IRBuilder,
        shape: Shape,
        pointers: dict[str, ir.Value],
        kept: int,
        constants: Sequence[float],
        needed: Callable[[Access], bool],
    ) -> None:
        self.builder = builder
        self.shape = shape
        self.pointers = pointers
        self.kept = kept
        self.constants = constants
        self.needed = needed
        self.emitter = Emitter(builder, shape.width, shape.precise)
        self.type = self.emitter.type
        self.finite: dict[int, ir.Value] = {}
        self._scaled: list[dict[Any, ir.Value]] = [{}]

    # Loops

    def loop(
        self,
        count: int | ir.Value,
        carried: Sequence[ir.Value],
        body: Callable[[Index, list[ir.Value]], Sequence[ir.Value]],
    ) -> list[ir.Value]:
        """Write a loop that runs at least once; return what it carries from round to round."""
        if count == 1:
            return [*body(ZERO, [*carried])]
        builder = self.builder
        before = builder.block
        head = builder.append_basic_block("loop")
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(INDEX)
        index.add_incoming(integer(0), before)
        phis = []
        for x in carried:
            phi = builder.phi(x.type)
            phi.add_incoming(x, before)
            phis.append(phi)
        self._scaled.append({})
        results = [*body(Index(index, 0), [*phis])]
        self._scaled.pop()
        following = builder.add(index, integer(1))
        end = builder.block
        index.add_incoming(following, end)
        for phi, x in zip(phis, results, strict=True):
            phi.add_incoming(x, end)
        count = integer(count) if isinstance(count, int) else count
        after = builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed("<", following, count), head, after)
        builder.position_at_end(after)
        return results

    def repeat(self, count: int | ir.Value, body: Callable[[Index], None]) -> None:
        """Write a loop that runs at least once and carries nothing from round to round."""

        def round_(index: Index, _: list[ir.Value]) -> list[ir.Value]:
            body(index)
            return []

        self.loop(count, [], round_)

    def choose(
        self, condition: ir.Value, one: Callable[[], None], other: Callable[[], None]
    ) -> None:
        """Write both, to be run as the condition says; neither gives a value."""
        builder = self.builder
        blocks = [builder.append_basic_block(name) for name in ("one", "other", "joined")]
        builder.cbranch(condition, blocks[0], blocks[1])
        for block, write in zip(blocks, (one, other), strict=False):
            builder.position_at_end(block)
            self._scaled.append({})
            write()
            self._scaled.pop()
            builder.branch(blocks[2])
        builder.position_at_end(blocks[2])

    # Memory

    def address(self, access: Access, indices: Sequence[Index], vector: Index = ZERO) -> ir.Value:
        """Return where an access points to."""
        builder, lanes = self.builder, access.space in {LANE, KEPT}
        unit = self.kept if access.space == KEPT else self.shape.lanes if lanes else 1
        constant = access.base * unit
        moving = [
            (i.value, stride * unit)
            for i, stride in zip(indices, access.strides, strict=True)
            if i.value is not None and stride
        ]
        constant += (
            sum(i.constant * stride for i, stride in zip(indices, access.strides, strict=True))
            * unit
        )
        if lanes:
            constant += vector.constant * self.shape.width
            if vector.value is not None:
                moving.append((vector.value, self.shape.width))
        pointer = self.pointers[access.space]
        key = (id(pointer), *[(id(value), stride) for value, stride in moving])
        for known in self._scaled:
            if key in known:
                pointer = known[key]
                break
        else:
            if moving:
                offset: Any = None
                for value, stride in moving:
                    scaled = value if stride == 1 else builder.mul(value, integer(stride))
                    offset = scaled if offset is None else builder.add(offset, scaled)
                pointer = builder.gep(pointer, [offset], source_etype=NUMBER)
                self._scaled[-1][key] = pointer
        return (
            builder.gep(pointer, [integer(constant)], source_etype=NUMBER) if constant else pointer
        )

    def splat(self, scalar: ir.Value) -> ir.Value:
        """Return a number in all lanes."""
        if self.shape.width == 1:
            return scalar
        one = self.builder.insert_element(
            ir.Constant(self.type, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.shape.width), [0] * self.shape.width)
        return self.builder.shuffle_vector(one, ir.Constant(self.type, ir.Undefined), mask)

    def load(self, access: Access, indices: Sequence[Index], vector: Index = ZERO) -> ir.Value:
        """Return what an access reads."""
        if (
            access.space == UNIFORM
            and access.base < len(self.constants)
            and not any(access.strides)
        ):
            return self.emitter.constant(self.constants[access.base])
        pointer = self.address(access, indices, vector)
        if access.space in {LANE, KEPT}:
            return self.builder.load(pointer, typ=self.type, align=8 * self.shape.width)
        return self.splat(self.builder.load(pointer, typ=NUMBER, align=8))

    def store(
        self, value: ir.Value, access: Access, indices: Sequence[Index], vector: Index = ZERO
    ) -> None:
        """Write a result to its slot."""
        pointer = self.address(access, indices, vector)
        self.builder.store(
            value, pointer, align=8 * self.shape.width if access.space in {LANE, KEPT} else 8
        )

    # Arithmetic

    def accumulate(
        self,
        total: ir.Value | None,
        a: ir.Value,
        b: ir.Value | None,
        condition: ir.Value | None,
        negative: bool,
    ) -> ir.Value:
        """Return total ± a × b, the product counting as 0 unless the condition holds."""
        builder = self.builder
        if condition is None and b is not None and total is not None and self.shape.fused:
            if negative:
                a = builder.fneg(a)
            return builder.call(self._fma(), [a, b, total])
        x = a if b is None else builder.fmul(a, b)
        if condition is not None:
            x = builder.select(self.emitter.holds(condition), x, self.emitter.constant(-0.0))
        if total is None:
            return builder.fneg(x) if negative else x
        return builder.fsub(total, x) if negative else builder.fadd(total, x)

    def _added_up(self, bias: ir.Value | None, terms: list[Any]) -> ir.Value:
        """Return bias + the terms; if many, as partial sums, which do not wait for each other."""

        def in_turn(total: ir.Value | None, some: list[Any]) -> ir.Value:
            for term in some:
                total = self.accumulate(total, *term)
            return total

        if self.shape.precise or len(terms) <= 4:
            return in_turn(bias, terms)
        third = -(-len(terms) // 3)
        sums = [in_turn(None, terms[i : i + third]) for i in range(0, len(terms), third)]
        return reduce(self.builder.fadd, sums if bias is None else [bias, *sums])

    def _fma(self) -> ir.Function:
        name = "llvm.fma.f64" if self.shape.width == 1 else f"llvm.fma.v{self.shape.width}f64"
        module = self.builder.module
        if name not in module.globals:
            ir.Function(module, ir.FunctionType(self.type, [self.type] * 3), name)
        return module.globals[name]

    # Nests

    def write(self, steps: Sequence[Any], outer: Sequence[Index] = (), panels: Any = None) -> None:
        """Write nests and loops around nests, in their order."""
        for step in steps:
            if isinstance(step, Repeat):

                def round_(i: Index, body: Any = step.body) -> None:
                    self.write(body, [*outer, i])

                self.repeat(step.rounds, round_)
            elif isinstance(step, Bundle):
                self._write_bundle(step, outer)
            else:
                self.write_sum(step, outer, panels)

    def _write_bundle(self, bundle: Bundle, outer: Sequence[Index]) -> None:
        """Write operations one after the other, results staying in registers."""
        vectors = [Index(None, k) for k in range(self.shape.vectors)]

        def over(indices: list[Index], _: Any) -> None:
            known: dict[Any, ir.Value] = {}

            def value(access: Access | None, k: Index) -> Any:
                return access and self._known(known, access, indices, k)

            for nest, k in product(bundle.nests, vectors):  # which do not wait for each other
                if nest.name == "sum":
                    terms = [
                        (value(x.a, k), value(x.b, k), value(x.condition, k), x.negative)
                        for x in nest.parts
                    ]
                    result = self._added_up(value(nest.bias, k), terms)
                else:
                    operands = [value(x, k) for x in nest.operands]
                    result = LOWERINGS[nest.name](self.emitter, *operands)
                if nest.into.space == TOTAL:
                    self._add_to_total(result, nest.into, indices)
                    continue
                known[self._key(nest.into, indices, k)] = result
                if outer or self.needed(nest.into):
                    self.store(result, nest.into, indices, k)

        self.over(bundle.dims, {}, outer, over)

    def _add_to_total(self, result: ir.Value, into: Access, indices: Sequence[Index]) -> None:
        """Add a number to a total; of one lane."""
        pointer = self.address(into, indices)
        before = self.builder.load(pointer, typ=NUMBER)
        self.builder.store(self.builder.fadd(before, result), pointer)

    def over(
        self,
        dims: Sequence[int],
        tiles: dict[int, int],
        outer: Sequence[Index],
        body: Callable[[list[Index], tuple[int, ...]], None],
    ) -> None:
        """Write loops over some dims, in tiles; the body gets its first indices and the tile."""

        def inside(d: int, indices: list[Index], tile: tuple[int, ...]) -> None:
            if d == len(dims):
                body(indices, tile)
                return
            first = 0
            for count, size in _cuts(dims[d], tiles.get(d, 1)):

                def round_(i: Index, size: int = size, first: int = first) -> None:
                    value = None if i.value is None else self.value(i, size)
                    inside(d + 1, [*indices, Index(value, first)], (*tile, size))

                self.repeat(count, round_)
                first += count * size

        inside(0, [*outer], ())

    def write_sum(self, nest: Nest, outer: Sequence[Index], panels: Any = None) -> None:
        """Write a sum of products, tiled; into totals, over this many panels of kept slots."""
        guarded = [part.b for part in nest.parts if part.vanishes and part.b]
        if not guarded:
            self._write_tiled(nest, outer, panels)
            return
        free = tuple(
            part._replace(condition=None, vanishes=False) if part.vanishes else part
            for part in nest.parts
        )
        finite = self.finite.get(id(nest)) or self._finite(nest, outer, panels)
        self.choose(
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
                guarded = [part.b for part in step.parts if part.vanishes and part.b]
                if guarded and all(b.space in {PARAMETER, UNIFORM} for b in guarded):
                    inside = step._replace(dims=(*outer, *step.dims))
                    self.finite[id(step)] = self._finite(inside, (), None)

    def _finite(self, nest: Nest, outer: Sequence[Index], panels: Any) -> ir.Value:
        """Return whether every factor is finite that a vanishing one is multiplied by."""
        found = [self.emitter.constant(0.0)] * 8  # so many sums do not wait for each other
        for part in nest.parts:
            if part.vanishes and part.b:
                strides = part.b.strides[len(outer) :]
                dims = (*nest.dims, *part.dims)
                live = tuple([n if s else 1 for n, s in zip(dims, strides, strict=True)])
                found = self._add_zeros(part.b, live, outer, found, panels)
        builder = self.builder
        total = reduce(builder.fadd, found)
        total = reduce(builder.fadd, [self.lane(total, i) for i in range(self.shape.width)])
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
        builder, zero = self.builder, self.emitter.constant(0.0)
        lanes = access.space in {LANE, KEPT}
        vectors = [Index(None, k) for k in range(self.shape.vectors if lanes else 1)]
        at_once = max(1, len(sums) // len(vectors))
        last = max([d for d, n in enumerate(dims) if n > 1], default=-1)

        def over(d: int, indices: list[Index], sums: list[ir.Value]) -> list[ir.Value]:
            if d < len(dims) and d != last:
                return self.loop(dims[d], sums, lambda i, xs: over(d + 1, [*indices, i], xs))
            rest = [ZERO] * (len(dims) - d - 1)
            first = 0
            for count, size in _cuts(dims[d], at_once) if dims else [(1, 1)]:

                def some(
                    i: Index, xs: list[ir.Value], size: int = size, first: int = first
                ) -> list[ir.Value]:
                    start = None if i.value is None else self.value(i, size)
                    xs = [*xs]
                    for j in range(size):
                        own = [Index(start, first + j)] if dims else []
                        for k in vectors:
                            place = (j * len(vectors) + k.constant) % len(xs)
                            x = self.load(access, [*indices, *own, *rest], k)
                            xs[place] = builder.fadd(xs[place], builder.fmul(x, zero))
                    return xs

                sums = self.loop(count, sums, some)
                first += count * size
            return sums

        if last < 0 and dims:
            last = len(dims) - 1
        if panels is None or not lanes:
            return over(0, [*outer], sums)
        return self.loop(
            panels, sums, lambda q, xs: self.in_panel(q, lambda: over(0, [*outer], xs))
        )

    def in_panel(self, q: Index, write: Callable[[], Any]) -> Any:
        """Write with the kept slots of a panel."""
        before = self.pointers[KEPT]
        if q.value is not None:
            stride = self.builder.mul(q.value, integer(self.shape.lanes))
            self.pointers[KEPT] = self.builder.gep(before, [stride], source_etype=NUMBER)
        result = write()
        self.pointers[KEPT] = before
        return result

    def _tiles(self, nest: Nest, small: bool) -> dict[int, int]:
        """Return for each dim how many of its sums are in registers at a time."""
        dims = nest.dims
        if small or not dims:
            return {}
        last = len(dims) - 1
        width, registers = self.shape.width, self.shape.registers
        if nest.into.space == TOTAL:
            inner = min(dims[last], max(width, 4))
            tiles = {last: inner}
            if last and registers // inner > 1:
                tiles[last - 1] = min(dims[last - 1], registers // inner)
            return tiles
        return {last: min(dims[last], max(1, registers // self.shape.vectors))}

    def _write_tiled(
        self, nest: Nest, outer: Sequence[Index], panels: Any, *, small: bool = False
    ) -> None:
        totals = nest.into.space == TOTAL
        vectors = self.shape.vectors
        start = self.emitter.constant(-0.0)

        def at(indices: list[Index], tile: tuple[int, ...]) -> None:
            points = [
                [
                    *outer,
                    *(
                        Index(i.value, i.constant + offset)
                        for i, offset in zip(indices[len(outer) :], offsets, strict=True)
                    ),
                ]
                for offsets in product(*map(range, tile))
            ]
            lanes = [ZERO] if totals else [Index(None, k) for k in range(vectors)]
            spots = [(point, k) for point in points for k in lanes]
            # what the longer side of a tile loads is used up at once: so all fits into registers
            order = [*range(len(spots))]
            if totals and len(tile) > 1 and tile[-1] > tile[-2]:
                order.sort(key=lambda i: i % tile[-1])
            sums = []
            known: dict[Any, ir.Value] = {}
            for point, k in spots:
                sums.append(
                    start
                    if nest.bias is None or totals
                    else self._known(known, nest.bias, point, k)
                )

            def add_part(
                part: Part, sums: list[ir.Value], vector: Index | None = None
            ) -> list[ir.Value]:
                def over(d: int, inner: list[Index], sums: list[ir.Value]) -> list[ir.Value]:
                    if d < len(part.dims):
                        return self.loop(
                            part.dims[d], sums, lambda i, xs: over(d + 1, [*inner, i], xs)
                        )
                    known: dict[Any, ir.Value] = {}
                    added = [*sums]
                    for i in order:
                        (point, k), total = spots[i], sums[i]
                        where = [*point, *inner]
                        a, b, condition = (
                            None if x is None else self._known(known, x, where, vector or k)
                            for x in (part.a, part.b, part.condition)
                        )
                        added[i] = self.accumulate(total, a, b, condition, part.negative)
                    return added

                return over(0, [], sums)

            if not totals:
                for part in nest.parts:
                    sums = add_part(part, sums)
                for (point, k), total in zip(spots, sums, strict=True):
                    self.store(total, nest.into, point, k)
                return

            def over_panel(_: Any, sums: list[ir.Value]) -> list[ir.Value]:
                for v in range(vectors):
                    if nest.bias is not None:
                        sums = [
                            self.builder.fadd(x, self.load(nest.bias, point, Index(None, v)))
                            for x, (point, _) in zip(sums, spots, strict=True)
                        ]
                    for part in nest.parts:
                        sums = add_part(part, sums, Index(None, v))
                return sums

            sums = self.loop(
                panels, sums, lambda q, xs: self.in_panel(q, lambda: over_panel(q, xs))
            )
            self._add_up(sums, nest.into, points, tile)

        self.over(nest.dims, self._tiles(nest, small), outer, at)

    def _known(
        self, known: dict[Any, ir.Value], access: Access, indices: Sequence[Index], k: Index
    ) -> ir.Value:
        """Load what is not loaded yet."""
        key = self._key(access, indices, k)
        if key not in known:
            known[key] = self.load(access, indices, k)
        return known[key]

    def _key(self, access: Access, indices: Sequence[Index], k: Index) -> tuple[Any, ...]:
        """Return what an access is known by, while the indices stay."""
        offset = sum(i.constant * s for i, s in zip(indices, access.strides, strict=True))
        return (*access, offset, k if access.space in {LANE, KEPT} else None)

    def _add_up(
        self,
        sums: list[ir.Value],
        into: Access,
        points: Sequence[Sequence[Index]],
        tile: tuple[int, ...],
    ) -> None:
        """Add the lanes of each sum up, and that to its total."""
        builder, width = self.builder, self.shape.width
        if width == 1:
            for x, point in zip(sums, points, strict=True):
                self._add_to_total(x, into, point)
            return
        run = tile[-1] if tile else 1
        together = run % width == 0 and into.strides[-1] == 1
        for first in range(0, len(sums), width):
            chunk = sums[first : first + width]
            count = len(chunk)
            row = self._across([*chunk, *[chunk[0]] * (width - count)])
            if together:
                pointer = self.address(into, points[first])
                before = builder.load(pointer, typ=self.type, align=8)
                builder.store(builder.fadd(before, row), pointer, align=8)
                continue
            for i in range(count):
                x = self.lane(row, i)
                self._add_to_total(x, into, points[first + i])

    def _across(self, vectors: list[ir.Value]) -> ir.Value:
        """Return one vector of the sums over the lanes of as many vectors."""
        step = 1
        while len(vectors) > 1:
            vectors = [
                self.builder.fadd(*self.exchanged(vectors[i], vectors[i + 1], step))
                for i in range(0, len(vectors), 2)
            ]
            step *= 2
        return vectors[0]

    def packed(self, numbers: Sequence[ir.Value]) -> ir.Value:
        """Return a vector of numbers, one for each lane."""
        if len(numbers) == 1:
            return numbers[0]
        vector: Any = ir.Constant(self.type, ir.Undefined)
        for lane, x in enumerate(numbers):
            vector = self.builder.insert_element(vector, x, ir.Constant(ir.IntType(32), lane))
        return vector

    def value(self, index: Index, scale: int = 1, offset: int = 0) -> ir.Value:
        """Return index × scale + offset."""
        constant = integer(index.constant * scale + offset)
        if index.value is None:
            return constant
        value = index.value if scale == 1 else self.builder.mul(index.value, integer(scale))
        return self.builder.add(value, constant) if constant.constant else value

    def lane(self, vector: ir.Value, lane: int) -> ir.Value:
        """Return the number in one lane."""
        if self.shape.width == 1:
            return vector
        return self.builder.extract_element(vector, ir.Constant(ir.IntType(32), lane))

    def exchanged(self, a: ir.Value, b: ir.Value, step: int) -> tuple[ir.Value, ir.Value]:
        """Return two vectors, every other block of lanes exchanged for one of the other's."""
        width = self.shape.width
        low = [j if not j & step else width + j - step for j in range(width)]
        high = [j + step if not j & step else width + j for j in range(width)]
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), width), x) for x in (low, high)]
        return self.builder.shuffle_vector(a, b, masks[0]), self.builder.shuffle_vector(
            a, b, masks[1]
        )

    def transposed(self, rows: list[ir.Value]) -> list[ir.Value]:
        """Return as many vectors as they have lanes, rows and columns exchanged."""
        rows = [*rows]
        step = 1
        while step < len(rows):
            for i in range(len(rows)):
                if not i & step:
                    rows[i], rows[i + step] = self.exchanged(rows[i], rows[i + step], step)
            step *= 2
        return rows


def _cuts(count: int, size: int) -> list[tuple[int, int]]:
    """Cut so many into tiles of a size, and what is left into ones not much smaller."""
    whole, rest = divmod(count, size)
    cuts = [(whole, size)] if whole else []
    if whole and 2 * rest < size and rest and size > 2:
        half, odd = divmod(size + rest, 2)
        cuts = [(whole - 1, size)] if whole > 1 else []
        return [*cuts, *([(1, half + 1), (1, half)] if odd else [(2, half)])]
    return [*cuts, (1, rest)] if rest else cuts
