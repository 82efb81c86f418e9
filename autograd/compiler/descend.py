"""Descend: many steps of training in machine code, with no return to Python between them.

Two codes take turns. The objective's adds up the gradient over a batch; the update rule's maps each
parameter, with its gradient and what the rule remembers of it, to what they are after the step. The
function written here calls them, and stops where something is inf or nan.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from llvmlite import ir

from autograd.compiler.arrays import NUMBERS as DATA
from autograd.compiler.emit import INDEX, NUMBER, POINTER, Shape, Writer, integer
from autograd.compiler.target import host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.compiler.code import Code
    from autograd.compiler.emit import Index

    Numbers = NDArray[np.float64]

LINE = 8  # numbers that are looked at together: a line of cache
BITS = ir.VectorType(INDEX, LINE)
EXPONENT = ir.Constant(BITS, [0x7FF0000000000000] * LINE)  # all of it is set in inf and nan alone


def descend(
    objective: Code,
    update: Code,
    parameters: Numbers,
    state: Numbers,
    hyperparameters: Numbers,
    order: NDArray[np.int64],
    batch_size: int,
    inputs: Sequence[Numbers],
) -> tuple[int, Numbers, Numbers, Numbers]:
    """Take a step for each batch, up to one that has or makes a number that is inf or nan.

    Args:
        objective: of kind "steps".
        update: of kind "map", of a row of the state and a gradient to a row of the state.
        parameters: of the objective; the first p, those that are updated, change in place.
        state: (p, 1 + memories): each parameter, and what the rule remembers of it.
        hyperparameters: (steps, h): the parameters of the update, for each step.
        order: the rows of the inputs to take, batch by batch.
        batch_size: rows in a batch; the last may have fewer.
        inputs: each (rows, columns).

    Returns:
        How many steps were taken; the objective's results for each row in turn; the state
        afterwards; the gradient of the last batch (p,).
    """
    count, columns = state.shape
    results = np.empty((len(order), len(objective.schedule.stores)))
    before, after = _lines(state.size), _lines(state.size)
    before[: state.size] = state.ravel()
    totals = _lines(1 + len(parameters))
    numbers = (objective.address, update.address, objective.memory(), update.memory())
    sizes = (len(order), batch_size, len(hyperparameters))
    widths = (results.shape[1], count, columns, hyperparameters.shape[1])
    lines = (totals.size // LINE, before.size // LINE)
    arrays = (order, parameters, totals, results, hyperparameters, before, after)
    addresses = [array.ctypes.data for array in arrays]
    steps: int = _driver(len(inputs))[1](
        *numbers, *sizes, *widths, *lines, *addresses, *map(id, inputs)
    )
    final = (after if steps % 2 else before)[: state.size].reshape(count, columns)
    return steps, results[: steps * batch_size], final, totals[1 : 1 + count]


def _lines(size: int) -> Numbers:
    """Return zeros, so many and up to a whole line."""
    return np.zeros(-(-size // LINE) * LINE)


@cache
def _driver(inputs: int) -> tuple[Any, Any]:
    """Return the function for so many input arrays, after the engine that keeps it."""
    module = ir.Module("descend")
    _write(module, inputs)
    engine = host().compiled(str(module))
    arguments = [ctypes.c_void_p] * 4 + [ctypes.c_int64] * 9 + [ctypes.c_void_p] * (7 + inputs)
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, *arguments)
    return engine, kind(engine.get_function_address("descend"))


def _write(module: ir.Module, inputs: int) -> None:
    code_of = [  # the type of a code of so many input arrays
        ir.FunctionType(ir.VoidType(), [INDEX, NUMBER, *[POINTER] * (5 + n)]).as_pointer()
        for n in (inputs, 2)
    ]
    kinds = [*code_of, POINTER, POINTER, *[INDEX] * 9, *[POINTER] * (7 + inputs)]
    function = ir.Function(module, ir.FunctionType(INDEX, kinds), "descend")
    objective, update, *function_arguments = function.args
    memory, update_memory, rows, batch_size, steps, *function_arguments = function_arguments
    width, count, columns, settings, *function_arguments = function_arguments
    totals_lines, state_lines, order, parameters, *function_arguments = function_arguments
    totals, results, hyperparameters, first_state, second_state, *arrays = function_arguments

    builder = ir.IRBuilder(function.append_basic_block("start"))
    head, updating, taken, end = map(
        function.append_basic_block, ("head", "updating", "taken", "end")
    )
    alone = Shape(1, 1, 1, 1, fused=False, precise=True)
    writer = Writer(builder, alone, {}, 0, (), lambda _: True)
    slots = {x: builder.alloca(POINTER) for x in ("order", "parameters", "totals", "results")}
    slots |= {x: builder.alloca(POINTER) for x in ("settings", "before", "after", "gradient")}

    def at(array: ir.Value, place: ir.Value, kind: ir.Type = NUMBER) -> ir.Value:
        return builder.gep(array, [place], source_etype=kind)

    def as_object(name: str, numbers: ir.Value) -> ir.Value:
        """Return what a code takes for an array that has these numbers."""
        builder.store(numbers, slots[name])
        return builder.gep(slots[name], [integer(-DATA)], source_etype=ir.IntType(8))

    def not_finite(array: ir.Value, lines: ir.Value) -> ir.Value:
        def look(line: Index, found: list[ir.Value]) -> list[ir.Value]:
            bits = builder.load(at(array, line.value, BITS), typ=BITS, align=8)
            exponents = builder.and_(bits, EXPONENT)
            return [builder.or_(found[0], builder.icmp_unsigned("==", exponents, EXPONENT))]

        none = ir.Constant(ir.VectorType(ir.IntType(1), LINE), [0] * LINE)
        (found,) = writer.loop(lines, [none], look)
        flags = ir.IntType(LINE)
        return builder.icmp_unsigned("!=", builder.bitcast(found, flags), ir.Constant(flags, 0))

    def clear(line: Index) -> None:
        zeros = ir.Constant(BITS, [0] * LINE)
        builder.store(zeros, at(totals, line.value, BITS), align=8)

    builder.branch(head)
    builder.position_at_end(head)
    step, before, after = builder.phi(INDEX), builder.phi(POINTER), builder.phi(POINTER)
    for phi, value in ((step, integer(0)), (before, first_state), (after, second_state)):
        phi.add_incoming(value, function.entry_basic_block)
    first = builder.mul(step, batch_size)
    left = builder.sub(rows, first)
    size = builder.select(builder.icmp_signed("<", left, batch_size), left, batch_size)
    writer.repeat(totals_lines, clear)
    builder.call(
        objective,
        [
            size,
            builder.fdiv(ir.Constant(NUMBER, 1.0), builder.sitofp(size, NUMBER)),
            as_object("order", at(order, first, INDEX)),
            as_object("parameters", parameters),
            memory,
            as_object("totals", totals),
            as_object("results", at(results, builder.mul(first, width))),
            *arrays,
        ],
    )
    stopped = not_finite(totals, totals_lines)
    first_end = builder.block
    builder.cbranch(stopped, end, updating)

    builder.position_at_end(updating)
    none = ir.Constant(POINTER, None)
    builder.call(
        update,
        [
            count,
            ir.Constant(NUMBER, 1.0),
            none,
            as_object("settings", at(hyperparameters, builder.mul(step, settings))),
            update_memory,
            none,
            as_object("after", after),
            as_object("before", before),
            as_object("gradient", at(totals, integer(1))),
        ],
    )
    stopped = not_finite(after, state_lines)
    second_end = builder.block
    builder.cbranch(stopped, end, taken)

    builder.position_at_end(taken)
    writer.repeat(
        count,
        lambda i: (
            builder.store(
                builder.load(at(after, builder.mul(i.value, columns)), typ=NUMBER),
                at(parameters, i.value),
            )
            and None
        ),
    )
    following = builder.add(step, integer(1))
    third_end = builder.block
    builder.cbranch(builder.icmp_signed("<", following, steps), head, end)
    for phi, value in ((step, following), (before, after), (after, before)):
        phi.add_incoming(value, third_end)

    builder.position_at_end(end)
    result = builder.phi(INDEX)
    for value, block in ((step, first_end), (step, second_end), (following, third_end)):
        result.add_incoming(value, block)
    builder.ret(result)
