"""Code: a schedule as one function in machine code, over samples in blocks of panels.

A panel's rows of the inputs are brought to slots, transposed, so that a vector holds the same
number of several samples; then the nests run; what is given for each sample is written to its row;
and after a block of panels the totals are added up. The last panel is filled with the last sample
again and again. In the totals each of these counts in part.
"""

from __future__ import annotations

import ctypes
import threading
from itertools import groupby
from time import perf_counter

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from autograd.compiler.arrays import INDEX, POINTER, numbers_of, rows_of
from autograd.compiler.emit import NUMBER, Index, Shape, Writer, integer
from autograd.compiler.schedule import (
    KEPT,
    LANE,
    PARAMETER,
    TOTAL,
    UNIFORM,
    Access,
    Bundle,
    Repeat,
    Schedule,
    affine_loops,
    spots,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.compiler.target import Target

PIECE = 600  # nests in a function
SCATTERED = 16  # pieces of what is given for each sample: more are written by a table
SPACES = (PARAMETER, UNIFORM, LANE, KEPT, TOTAL)


class Code:
    """The machine code of one schedule.

    Args:
        schedule: what it does.
        columns: how many numbers a row of each input array has.
        target: the machine.
        shape: how samples are packed.

    Attributes:
        text: the LLVM IR.
        seconds: how long each stage took.
    """

    def __init__(
        self, schedule: Schedule, columns: Sequence[int], target: Target, shape: Shape
    ) -> None:
        self.schedule = schedule
        self.columns = columns
        self.shape = shape
        sizes = schedule.sizes
        self._lanes_start = _rounded(sizes[UNIFORM])
        self._kept_start = self._lanes_start + _rounded(sizes[LANE] * shape.lanes)
        # an odd number of lines of cache, so that slots do not share the same few places in it
        self._kept = (_rounded(shape.lanes * shape.panels) | 8) if shape.panels > 1 else shape.lanes
        self.size = self._kept_start + sizes[KEPT] * self._kept
        self._is_read = _slots_read(schedule)
        began = perf_counter()
        self.module = ir.Module("glassgrad")
        self.module.triple = llvm.get_default_triple()
        self._write()
        self.text = str(self.module)
        written = perf_counter()
        self.engine = target.compiled(self.text)
        self.seconds = {"emit": written - began, "LLVM": perf_counter() - written}
        pointers = [ctypes.c_void_p] * (5 + len(columns))
        kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_double, *pointers)
        self.address = self.engine.get_function_address("kernel")
        self._target = target
        self._function = kind(self.address)
        self._threads = threading.local()
        self._engines: list[Any] = []  # which live as long as this

    def run(
        self,
        count: int,
        weight: float,
        order: Any,
        parameters: Any,
        totals: Any,
        stores: Any,
        inputs: Sequence[Any],
    ) -> None:
        """Run it. Each array is given by its id, or by None if there is none.

        Args:
            count: how many samples there are, at least one.
            weight: what each counts in the totals.
            order: the rows of the inputs to take, int64, else the first ones.
            parameters: their numbers.
            totals: what is added up is added to these.
            stores: (count, stores), where what is given for each sample goes.
            inputs: each (rows, columns).
        """
        self._function(count, weight, order, parameters, self.memory(), totals, stores, *inputs)

    def checked(self, parameters: int, shapes: Sequence[tuple[int, ...]]) -> Callable[..., int]:
        """Return a function that checks arrays in machine code before it runs: the quickest way.

        It also sets the totals to 0.

        Args:
            parameters: how many there are.
            shapes: of a row of each input array.

        Returns:
            A function of this thread's memory, the parameters, the totals, and the inputs, arrays.
            It returns how many rows there were; 0, and has done nothing, if an array is not the
            one that it knows.
        """
        module = ir.Module("checked")
        module.triple = self.module.triple
        pointers = [POINTER] * (3 + len(shapes))
        function = ir.Function(module, ir.FunctionType(INDEX, pointers), "checked")
        memory, given, totals, *inputs = function.args
        builder = ir.IRBuilder(function.append_basic_block("start"))
        other = function.append_basic_block("other")
        ir.IRBuilder(other).ret(integer(0))

        def require(condition: ir.Value) -> None:
            following = builder.append_basic_block("known")
            builder.cbranch(condition, following, other)
            builder.position_at_end(following)

        count = rows_of(builder, given, (), other)
        require(builder.icmp_signed("==", count, integer(parameters)))
        rows = [rows_of(builder, x, shape, other) for x, shape in zip(inputs, shapes, strict=True)]
        for more in rows[1:]:
            require(builder.icmp_signed("==", rows[0], more))
        require(builder.icmp_signed(">", rows[0], integer(0)))
        weight = builder.fdiv(ir.Constant(NUMBER, 1.0), builder.sitofp(rows[0], NUMBER))
        null = ir.Constant(POINTER, None)
        byte = ir.IntType(8)
        fill = ir.FunctionType(ir.VoidType(), [POINTER, byte, INDEX, ir.IntType(1)])
        size = integer(8 * (1 + parameters))
        arguments = [numbers_of(builder, totals), ir.Constant(byte, 0), size]
        memset = ir.Function(module, fill, "llvm.memset.p0.i64")
        builder.call(memset, [*arguments, ir.Constant(ir.IntType(1), 0)])
        arguments = [rows[0], weight, null, given, memory, totals, null, *inputs]
        kind = ir.FunctionType(ir.VoidType(), [x.type for x in arguments])
        kernel = builder.inttoptr(integer(self.address), kind.as_pointer())
        builder.call(kernel, arguments)
        builder.ret(rows[0])
        engine = self._target.compiled(str(module))
        objects = [ctypes.py_object] * (2 + len(shapes))
        made = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, *objects)
        call = made(engine.get_function_address("checked"))
        self._engines.append(engine)
        return call

    def memory(self) -> int:
        """Return the address of this thread's working memory."""
        try:
            address: int = self._threads.address
        except AttributeError:
            array = np.zeros(self.size + 8)
            start = -array.ctypes.data % 64 // 8  # of a line of cache
            array[start : start + len(self.schedule.constants)] = self.schedule.constants
            self._threads.array = array
            address = self._threads.address = array.ctypes.data + 8 * start
        return address

    def _write(self) -> None:
        shape, schedule = self.shape, self.schedule
        arguments = [INDEX, NUMBER, *[POINTER] * (5 + len(self.columns))]
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), arguments), "kernel")
        count, weight, order, parameters, memory, totals, stores, *inputs = function.args
        builder = ir.IRBuilder(function.append_basic_block("start"))
        sizes = schedule.sizes
        pointers = {
            PARAMETER: numbers_of(builder, parameters) if sizes[PARAMETER] else parameters,
            UNIFORM: memory,
            LANE: builder.gep(memory, [integer(self._lanes_start)], source_etype=NUMBER),
            KEPT: builder.gep(memory, [integer(self._kept_start)], source_etype=NUMBER),
            TOTAL: numbers_of(builder, totals) if sizes[TOTAL] else totals,
        }
        alone = shape._replace(width=1, vectors=1, panels=1)
        self._write_steps(self._writer(builder, alone, pointers), schedule.once, 1)
        if schedule.each or schedule.totals or schedule.stores:
            writer = self._writer(builder, shape, pointers)
            writer.check_parameters([*schedule.each, *schedule.totals])
            panel = _Panel(writer, count)
            if schedule.stores:
                stores = numbers_of(builder, stores)
            inputs = [numbers_of(builder, array) for array in inputs]

            def one_panel(panels_before: ir.Value) -> None:
                panel.start = builder.mul(panels_before, integer(shape.lanes))
                if inputs:
                    panel.find_rows(order)
                first = schedule.inputs.base
                for array, columns in zip(inputs, self.columns, strict=True):
                    panel.load(array, columns, Access(schedule.inputs.space, first, (1,)))
                    first += columns
                if self._is_read(schedule.seed):
                    panel.weigh(weight, schedule.seed)
                self._write_steps(writer, schedule.each)
                if schedule.stores:
                    panel.store(stores, schedule.stores)

            def block(i: Index) -> None:
                first = writer.value(i, shape.panels)
                left = builder.sub(panel.count, first)
                here: Any = 1
                if shape.panels > 1:
                    fewer = builder.icmp_signed("<", left, integer(shape.panels))
                    here = builder.select(fewer, left, integer(shape.panels))
                writer.repeat(
                    here,
                    lambda q: writer.in_panel(
                        q, lambda: one_panel(builder.add(first, writer.value(q)))
                    ),
                )
                self._write_steps(writer, schedule.totals, here)

            more = builder.add(panel.count, integer(shape.panels - 1))
            writer.repeat(builder.sdiv(more, integer(shape.panels)), block)
        builder.ret_void()

    def _writer(self, builder: ir.IRBuilder, shape: Shape, pointers: dict[str, ir.Value]) -> Writer:
        return Writer(builder, shape, pointers, self._kept, self.schedule.constants, self._is_read)

    def _write_steps(self, writer: Writer, steps: Sequence[Any], panels: Any = None) -> None:
        """Write steps: here, or where they are many in functions of bounded size.

        LLVM's time for a function grows faster than the function.
        """
        pieces = _pieces(steps)
        if len(pieces) == 1:
            writer.write(steps, panels=panels)
            return
        kind = ir.FunctionType(ir.VoidType(), [INDEX, *[POINTER] * len(SPACES)])
        count = integer(panels or 1) if isinstance(panels or 1, int) else panels
        for piece in pieces:
            function = ir.Function(self.module, kind, f"piece{len(self.module.functions)}")
            function.linkage = "internal"
            builder = ir.IRBuilder(function.append_basic_block("start"))
            pointers = dict(zip(SPACES, function.args[1:], strict=True))
            inner = self._writer(builder, writer.shape, pointers)
            inner.write(piece, panels=panels and function.args[0])
            builder.ret_void()
            writer.builder.call(function, [count, *[writer.pointers[name] for name in SPACES]])


class _Panel:
    """What is brought into a panel, and out of it.

    Attributes:
        count: how many panels there are.
        start: the first sample in this one.
    """

    def __init__(self, writer: Writer, samples: ir.Value) -> None:
        self._writer = writer
        self._builder = builder = writer.builder
        self._lanes = lanes = integer(writer.shape.lanes)
        self._last = builder.sub(samples, integer(1))
        self._rows = builder.alloca(INDEX, writer.shape.lanes)
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

        lanes = writer.shape.lanes
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
        width = writer.shape.width
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
                for i, x in enumerate(writer.transposed(read(first, writer.type))):
                    writer.store(x, into, [Index(first, i)], k)

            def column(c: Index) -> None:
                place = writer.value(c, 1, together)
                writer.store(writer.packed(read(place, NUMBER)), into, [Index(place, 0)], k)

            if together:
                writer.repeat(together // width, square)
            if together < columns:
                writer.repeat(columns - together, column)

        writer.repeat(writer.shape.vectors, vector)

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
            for lane in range(writer.shape.width):
                sample = builder.add(self.start, writer.value(k, writer.shape.width, lane))
                halvings = builder.sub(builder.add(sample, integer(1)), self._last)
                fewer = builder.icmp_signed("<", halvings, smallest)
                halvings = builder.select(fewer, halvings, smallest)
                before = builder.icmp_signed("<", sample, self._last)
                halvings = builder.select(before, integer(0), halvings)
                exponent = builder.shl(builder.sub(integer(1023), halvings), integer(52))
                weights.append(builder.fmul(weight, builder.bitcast(exponent, NUMBER)))
            writer.store(writer.packed(weights), into, [], k)

        writer.repeat(writer.shape.vectors, vector)

    def store(self, stores: ir.Value, accesses: Sequence[Access]) -> None:
        """Write what is given for each sample to its row."""
        writer, builder = self._writer, self._builder
        width = writer.shape.width

        def vector(k: Index) -> None:
            rows = []
            for lane in range(width):
                sample = self._sample(Index(writer.value(k, width), 0), lane)
                first = builder.mul(sample, integer(len(accesses)))
                rows.append(builder.gep(stores, [first], source_etype=NUMBER))

            def write(x: ir.Value, column: Access, indices: Sequence[Index]) -> None:
                for lane, row in enumerate(rows):
                    writer.pointers["row"] = row
                    builder.store(writer.lane(x, lane), writer.address(column, indices))

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

        writer.repeat(writer.shape.vectors, vector)


def _pieces(steps: Sequence[Any]) -> list[list[Any]]:
    """Cut steps into lists of about as many nests."""
    pieces: list[list[Any]] = [[]]
    size = 0
    for step in steps:
        nests = _nests(step)
        if size and size + nests > PIECE:
            pieces.append([])
            size = 0
        pieces[-1].append(step)
        size += nests
    return pieces


def _nests(step: Any) -> int:
    if isinstance(step, Repeat):
        return sum(map(_nests, step.body))
    return len(step.nests) if isinstance(step, Bundle) else 1 + len(step.parts)


def _rounded(size: int) -> int:
    """Return a size in numbers, rounded up to whole lines of cache."""
    return -(-size // 8) * 8


def _slots_read(schedule: Schedule) -> Callable[[Access], bool]:
    """Return whether a slot is read from memory: by another step than writes it, or at the end."""
    read: set[tuple[str, int]] = {(x.space, x.base) for x in schedule.stores}

    def visit(steps: Sequence[Any], outer: Sequence[int]) -> None:
        for step in steps:
            if isinstance(step, Repeat):
                visit(step.body, [*outer, step.rounds])
                continue
            here = set()
            for nest in step.nests if isinstance(step, Bundle) else [step]:
                for access, dims in nest.reads():
                    if access not in here:
                        read.update(spots(access, [*outer, *dims]))
                here.add(nest.into)

    for steps in (schedule.once, schedule.each, schedule.totals):
        visit(steps, [])
    return lambda access: (access.space, access.base) in read
