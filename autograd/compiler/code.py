"""Code: a schedule as one function in machine code, over samples in blocks of panels.

What is the same for all samples is done once. Then for each panel its rows of the inputs come to
slots, the nests run, and what is given for each sample goes to its row; and after a block of panels
the totals are added up.
"""

from __future__ import annotations

import ctypes
import threading
from time import perf_counter

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from autograd.compiler.arrays import INDEX, POINTER, numbers_of, require, rows_of
from autograd.compiler.emit import Emission
from autograd.compiler.nests import (
    KEPT,
    LANE,
    PARAMETER,
    TOTAL,
    UNIFORM,
    Access,
    FusedLoop,
    Repeat,
    spots,
)
from autograd.compiler.panel import Panel
from autograd.compiler.vectors import NUMBER
from autograd.compiler.writer import Index, Packing, Writer, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.compiler.schedule import Schedule
    from autograd.compiler.target import Target


class Code:
    """The machine code of one schedule.

    Args:
        schedule: what it does.
        columns: how many numbers a row of each input array has.
        target: the machine.
        packing: how samples are packed.

    Attributes:
        text: the LLVM IR.
        seconds: how long each stage took.
    """

    def __init__(
        self, schedule: Schedule, columns: Sequence[int], target: Target, packing: Packing
    ) -> None:
        self.schedule = schedule
        self.columns = columns
        self.packing = packing
        sizes = schedule.sizes
        self._lanes_start = _rounded(sizes[UNIFORM])
        self._kept_start = self._lanes_start + _rounded(sizes[LANE] * packing.lanes)
        # an odd number of lines of cache, so that slots do not share the same few places in it
        self._kept = (
            (_rounded(packing.lanes * packing.panels) | 8) if packing.panels > 1 else packing.lanes
        )
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

        count = rows_of(builder, given, (), other)
        require(builder, builder.icmp_signed("==", count, integer(parameters)), other)
        rows = [rows_of(builder, x, shape, other) for x, shape in zip(inputs, shapes, strict=True)]
        for more in rows[1:]:
            require(builder, builder.icmp_signed("==", rows[0], more), other)
        require(builder, builder.icmp_signed(">", rows[0], integer(0)), other)
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
        packing, schedule = self.packing, self.schedule
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
        alone = packing._replace(width=1, vectors=1, panels=1)
        self._emission(builder, alone, pointers).write(schedule.once, 1)
        if schedule.each or schedule.totals or schedule.stores:
            emission = self._emission(builder, packing, pointers)
            emission.tiles.check_parameters([*schedule.each, *schedule.totals])
            writer = emission.writer
            panel = Panel(writer, count)
            if schedule.stores:
                stores = numbers_of(builder, stores)
            inputs = [numbers_of(builder, array) for array in inputs]

            def one_panel(panels_before: ir.Value) -> None:
                panel.start = builder.mul(panels_before, integer(packing.lanes))
                if inputs:
                    panel.find_rows(order)
                first = schedule.inputs.base
                for array, columns in zip(inputs, self.columns, strict=True):
                    panel.load(array, columns, Access(schedule.inputs.space, first, (1,)))
                    first += columns
                if self._is_read(schedule.seed):
                    panel.weigh(weight, schedule.seed)
                emission.write(schedule.each)
                if schedule.stores:
                    panel.store(stores, schedule.stores)

            def block(i: Index) -> None:
                first = writer.value(i, packing.panels)
                left = builder.sub(panel.count, first)
                here: Any = 1
                if packing.panels > 1:
                    fewer = builder.icmp_signed("<", left, integer(packing.panels))
                    here = builder.select(fewer, left, integer(packing.panels))
                writer.repeat(
                    here,
                    lambda q: writer.in_panel(
                        q, lambda: one_panel(builder.add(first, writer.value(q)))
                    ),
                )
                emission.write(schedule.totals, here)

            more = builder.add(panel.count, integer(packing.panels - 1))
            writer.repeat(builder.sdiv(more, integer(packing.panels)), block)
        builder.ret_void()

    def _emission(
        self, builder: ir.IRBuilder, packing: Packing, pointers: dict[str, ir.Value]
    ) -> Emission:
        writer = Writer(builder, packing, pointers, self._kept, self.schedule.constants)
        return Emission(writer, self._is_read)


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
            for nest in step.nests if isinstance(step, FusedLoop) else [step]:
                for access, dims in nest.reads():
                    if access not in here:
                        read.update(spots(access, [*outer, *dims]))
                here.add(nest.into)

    for steps in (schedule.once, schedule.each, schedule.totals):
        visit(steps, [])
    return lambda access: (access.space, access.base) in read
