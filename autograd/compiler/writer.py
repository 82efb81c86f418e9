"""Writer: loops, memory and vectors as LLVM instructions.

One vector holds the same slot of several samples; a panel is a few such vectors.
"""

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir

from autograd.compiler.arrays import INDEX
from autograd.compiler.nests import KEPT, LANE, UNIFORM
from autograd.compiler.vectors import NUMBER, Emitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.compiler.nests import Access


class Packing(NamedTuple):
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

    def moved(self, by: int) -> Index:
        """Return the index that is this much further."""
        return Index(self.value, self.constant + by)


ZERO = Index(None, 0)


def integer(x: int) -> ir.Constant:
    """Return a constant index."""
    return ir.Constant(INDEX, x)


class Writer:
    """Writes into a function.

    Attributes:
        builder: where it writes.
        pointers: where each kind of memory starts.
        kept: how many numbers a kept slot holds, those of all panels one after the other.
        constants: what stands in the first uniform slots.
    """

    def __init__(
        self,
        builder: ir.IRBuilder,
        packing: Packing,
        pointers: dict[str, ir.Value],
        kept: int,
        constants: Sequence[float],
    ) -> None:
        self.builder = builder
        self.packing = packing
        self.pointers = pointers
        self.kept = kept
        self.constants = constants
        self.emitter = Emitter(builder, packing.width, packing.precise)
        self.type = self.emitter.type
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
            for count, size in cuts(dims[d], tiles.get(d, 1)):

                def round_(i: Index, size: int = size, first: int = first) -> None:
                    value = None if i.value is None else self.value(i, size)
                    inside(d + 1, [*indices, Index(value, first)], (*tile, size))

                self.repeat(count, round_)
                first += count * size

        inside(0, [*outer], ())

    def in_panel(self, q: Index, write: Callable[[], Any]) -> Any:
        """Write with the kept slots of a panel."""
        before = self.pointers[KEPT]
        if q.value is not None:
            stride = self.builder.mul(q.value, integer(self.packing.lanes))
            self.pointers[KEPT] = self.builder.gep(before, [stride], source_etype=NUMBER)
        result = write()
        self.pointers[KEPT] = before
        return result

    # Memory

    def address(self, access: Access, indices: Sequence[Index], vector: Index = ZERO) -> ir.Value:
        """Return where an access points to."""
        builder, lanes = self.builder, access.space in {LANE, KEPT}
        unit = self.kept if access.space == KEPT else self.packing.lanes if lanes else 1
        constant = (access.base + _offset(access, indices)) * unit
        moving = [
            (i.value, stride * unit)
            for i, stride in zip(indices, access.strides, strict=True)
            if i.value is not None and stride
        ]
        if lanes:
            constant += vector.constant * self.packing.width
            if vector.value is not None:
                moving.append((vector.value, self.packing.width))
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
            return self.builder.load(pointer, typ=self.type, align=8 * self.packing.width)
        return self.emitter.splat(self.builder.load(pointer, typ=NUMBER, align=8))

    def store(
        self, value: ir.Value, access: Access, indices: Sequence[Index], vector: Index = ZERO
    ) -> None:
        """Write a result to its slot."""
        pointer = self.address(access, indices, vector)
        self.builder.store(
            value, pointer, align=8 * self.packing.width if access.space in {LANE, KEPT} else 8
        )

    def known(
        self, known: dict[Any, ir.Value], access: Access, indices: Sequence[Index], k: Index
    ) -> ir.Value:
        """Load what is not loaded yet."""
        key = self.key(access, indices, k)
        if key not in known:
            known[key] = self.load(access, indices, k)
        return known[key]

    def key(self, access: Access, indices: Sequence[Index], k: Index) -> tuple[Any, ...]:
        """Return what an access is known by, while the indices stay."""
        return (*access, _offset(access, indices), k if access.space in {LANE, KEPT} else None)

    def value(self, index: Index, scale: int = 1, offset: int = 0) -> ir.Value:
        """Return index × scale + offset."""
        constant = integer(index.constant * scale + offset)
        if index.value is None:
            return constant
        value = index.value if scale == 1 else self.builder.mul(index.value, integer(scale))
        return self.builder.add(value, constant) if constant.constant else value

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
        if condition is None and b is not None and total is not None and self.packing.fused:
            if negative:
                a = builder.fneg(a)
            return self.emitter.intrinsic("fma", a, b, total)
        x = a if b is None else builder.fmul(a, b)
        if condition is not None:
            x = builder.select(self.emitter.holds(condition), x, self.emitter.constant(-0.0))
        if total is None:
            return builder.fneg(x) if negative else x
        return builder.fsub(total, x) if negative else builder.fadd(total, x)

    def add_to_total(self, result: ir.Value, into: Access, indices: Sequence[Index]) -> None:
        """Add a number to a total; of one lane."""
        pointer = self.address(into, indices)
        before = self.builder.load(pointer, typ=NUMBER)
        self.builder.store(self.builder.fadd(before, result), pointer)


def _offset(access: Access, indices: Sequence[Index]) -> int:
    """Return how far the constant parts of indices move an access."""
    return sum(i.constant * stride for i, stride in zip(indices, access.strides, strict=True))


def cuts(count: int, size: int) -> list[tuple[int, int]]:
    """Cut so many into tiles of a size, and what is left into ones not much smaller."""
    whole, rest = divmod(count, size)
    if whole and rest and 2 * rest < size and size > 2:
        half, odd = divmod(size + rest, 2)
        last = [(1, half + 1), (1, half)] if odd else [(2, half)]
        return [(whole - 1, size), *last] if whole > 1 else last
    return [cut for cut in ((whole, size), (1, rest)) if all(cut)]
