"""Panel: samples from the rows of arrays to slots, and from slots to rows.

A panel's rows of the inputs are brought to slots, transposed, so that a vector holds the same
number of several samples; what is given for each sample is written to its row. The last panel is
filled with the last sample again and again. In the totals each of these counts in part.
"""

from __future__ import annotations

from itertools import groupby

from llvmlite import ir

from autograd.compiler.arrays import INDEX, POINTER, numbers_of
from autograd.compiler.nests import Access
from autograd.compiler.reroll import affine_loops
from autograd.compiler.vectors import NUMBER
from autograd.compiler.writer import Index, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.compiler.writer import Writer

SCATTERED = 16  # pieces of what is given for each sample: more are written by a table


class Panel:
    """What is brought into a panel, and out of it.

    Attributes:
        count: how many panels there are.
        start: the first sample in this one.
    """

    def __init__(self, writer: Writer, samples: ir.Value) -> None:
        self._writer = writer
        self._builder = builder = writer.builder
        self._lanes = lanes = integer(writer.packing.lanes)
        self._last = builder.sub(samples, integer(1))
        self._rows = builder.alloca(INDEX, writer.packing.lanes)
        self.count = builder.sdiv(builder.add(self._last, lanes), lanes)
        self.start = integer(0)

    def _sample(self, lane: Index, offset: int = 0) -> ir.Value:
        """Return the sample that is in a lane: the last one in the lanes that are too many."""
        builder = self._builder
        sample = builder.add(self.start, self._writer.value(lane, 1, offset))
        return builder.select(builder.icmp_signed("<", sample, self._last), sample, self._last)

    def _table(self, numbers: Sequence[int]) -> ir.Value:
        """Return a table of constants."""
        module = self._builder.module
        kind = ir.ArrayType(INDEX, len(numbers))
        table = ir.GlobalVariable(module, kind, f"table{len(module.globals)}")
        table.linkage = "internal"
        table.global_constant = True
        table.initializer = ir.Constant(kind, [*numbers])
        return self._builder.bitcast(table, POINTER)

    def find_rows(self, order: ir.Value) -> None:
        """Find out which row of the inputs each lane takes."""
        writer, builder = self._writer, self._builder

        def slot(lane: Index) -> ir.Value:
            return builder.gep(self._rows, [writer.value(lane)], source_etype=INDEX)

        def ordered(lane: Index) -> None:
            rows = numbers_of(builder, order)
            row = builder.gep(rows, [self._sample(lane)], source_etype=INDEX)
            builder.store(builder.load(row, typ=INDEX), slot(lane))

        lanes = writer.packing.lanes
        given = builder.icmp_unsigned("!=", builder.ptrtoint(order, INDEX), integer(0))
        writer.choose(
            given,
            lambda: writer.repeat(lanes, ordered),
            lambda: writer.repeat(
                lanes, lambda i: builder.store(self._sample(i), slot(i)) and None
            ),
        )

    def load(self, array: ir.Value, columns: int, into: Access) -> None:
        """Bring the panel's rows of an array to slots."""
        writer, builder = self._writer, self._builder
        width = writer.packing.width
        together = columns // width * width if width > 1 else 0

        def vector(k: Index) -> None:
            rows = []
            for lane in range(width):
                slot = builder.gep(self._rows, [writer.value(k, width, lane)], source_etype=INDEX)
                first = builder.mul(builder.load(slot, typ=INDEX), integer(columns))
                rows.append(builder.gep(array, [first], source_etype=NUMBER))

            def read(column: ir.Value, kind: ir.Type) -> list[ir.Value]:
                places = [builder.gep(row, [column], source_etype=NUMBER) for row in rows]
                return [builder.load(place, typ=kind, align=8) for place in places]

            def square(c: Index) -> None:
                first = writer.value(c, width)
                for i, x in enumerate(writer.emitter.transposed(read(first, writer.type))):
                    writer.store(x, into, [Index(first, i)], k)

            def column(c: Index) -> None:
                place = writer.value(c, 1, together)
                writer.store(writer.emitter.packed(read(place, NUMBER)), into, [Index(place, 0)], k)

            if together:
                writer.repeat(together // width, square)
            if together < columns:
                writer.repeat(columns - together, column)

        writer.repeat(writer.packing.vectors, vector)

    def weigh(self, weight: ir.Value, into: Access) -> None:
        """Give each lane its weight.

        The last sample, as often as it is there, gets halves, quarters and so on of its weight,
        which add up to it exactly.
        """
        writer, builder = self._writer, self._builder
        copies = builder.sub(builder.mul(self.count, self._lanes), self._last)
        smallest = builder.sub(copies, integer(1))

        def vector(k: Index) -> None:
            weights = []
            for lane in range(writer.packing.width):
                sample = builder.add(self.start, writer.value(k, writer.packing.width, lane))
                halvings = builder.sub(builder.add(sample, integer(1)), self._last)
                fewer = builder.icmp_signed("<", halvings, smallest)
                halvings = builder.select(fewer, halvings, smallest)
                before = builder.icmp_signed("<", sample, self._last)
                halvings = builder.select(before, integer(0), halvings)
                exponent = builder.shl(builder.sub(integer(1023), halvings), integer(52))
                weights.append(builder.fmul(weight, builder.bitcast(exponent, NUMBER)))
            writer.store(writer.emitter.packed(weights), into, [], k)

        writer.repeat(writer.packing.vectors, vector)

    def store(self, stores: ir.Value, accesses: Sequence[Access]) -> None:
        """Write what is given for each sample to its row."""
        writer, builder = self._writer, self._builder
        width = writer.packing.width

        def vector(k: Index) -> None:
            rows = []
            for lane in range(width):
                sample = self._sample(Index(writer.value(k, width), 0), lane)
                first = builder.mul(sample, integer(len(accesses)))
                rows.append(builder.gep(stores, [first], source_etype=NUMBER))

            def write(x: ir.Value, column: Access, indices: Sequence[Index]) -> None:
                for lane, row in enumerate(rows):
                    writer.pointers["row"] = row
                    builder.store(writer.emitter.lane(x, lane), writer.address(column, indices))

            for space, run in groupby(enumerate(accesses), key=lambda pair: pair[1].space):
                places = [[column, access.base] for column, access in run]
                loops = [*affine_loops(places)]
                if len(loops) > SCATTERED:
                    table = self._table([slot for _, slot in places])

                    def entry(c: Index, table: Any = table, first: int = places[0][0]) -> None:
                        place = builder.gep(table, [writer.value(c)], source_etype=INDEX)
                        slot = Index(builder.load(place, typ=INDEX), 0)
                        x = writer.load(Access(space, 0, (1,)), [slot], k)  # noqa: B023  at once
                        write(x, Access("row", first, (1,)), [c])

                    writer.repeat(len(places), entry)
                    continue
                for dims, bases, strides in loops:
                    column, slot = map(Access, ("row", space), bases, strides)

                    def body(at: list[Index], _: Any, c: Access = column, s: Access = slot) -> None:
                        write(writer.load(s, at, k), c, at)

                    writer.over(dims, {}, (), body)

        writer.repeat(writer.packing.vectors, vector)
