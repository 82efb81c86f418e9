"""Descend: many steps of training in machine code, with no return to Python between them.

In each step the objective's code adds up the gradient over a batch. The update rule, written out
here, maps each parameter, with what it remembers of it and the gradient, to what they are after the
step. Where something is inf or nan, the step is not taken.
"""

from __future__ import annotations

import ctypes
from contextvars import Context
from weakref import WeakKeyDictionary

import numpy as np
from llvmlite import ir

from autograd.compiler.arrays import INDEX, NUMBERS, POINTER
from autograd.compiler.lower import LOWERINGS
from autograd.compiler.simplify import drafted, simplified
from autograd.compiler.vectors import NUMBER
from autograd.compiler.writer import Index, Packing, Writer, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.compiler.code import Code
    from autograd.compiler.kernel import Kernel
    from autograd.compiler.simplify import Graph

    Numbers = NDArray[np.float64]

LINE = 8  # numbers that are cleared and looked at together: a line of cache
EXPONENT = 0x7FF0000000000000  # all of its bits are set in inf and nan alone

# By the update, for each number of input arrays, and whether there are parameters for a vector.
_drivers: WeakKeyDictionary[Kernel, dict[tuple[int, bool], tuple[Any, Any]]] = WeakKeyDictionary()


def descend(
    objective: Code,
    update: Kernel,
    state: Numbers,
    others: Numbers,
    hyperparameters: Numbers,
    order: NDArray[np.int64],
    batch_size: int,
    inputs: Sequence[Numbers],
) -> tuple[int, Numbers, Numbers, Numbers]:
    """Take a step for each batch, up to one that has or makes a number that is inf or nan.

    Args:
        objective: of kind "steps".
        update: from a parameter, what the rule remembers of it, and its gradient, to a parameter
            and what to remember.
        state: (1 + memories, p): the parameters, and what the rule remembers of each.
        others: what else the objective's parameters are, after those.
        hyperparameters: (steps, h): the parameters of the update, for each step.
        order: the rows of the inputs to take, batch by batch.
        batch_size: rows in a batch; the last may have fewer.
        inputs: each (rows, columns).

    Returns:
        How many steps were taken; the objective's results for each row in turn; the state
        afterwards; the gradient of the last batch (p,).
    """
    count = state.shape[1]
    before = np.zeros((len(state), count + len(others)))
    before[:, :count] = state
    before[0, count:] = others
    after = before.copy()
    totals = np.zeros(-(-(1 + before.shape[1]) // LINE) * LINE)
    results = np.empty((len(order), len(objective.schedule.stores)))
    sizes = (len(order), batch_size, len(hyperparameters), hyperparameters.shape[1])
    widths = (results.shape[1], count, before.shape[1], len(totals) // LINE)
    arrays = (order, totals, results, hyperparameters, before, after)
    addresses = [array.ctypes.data for array in arrays]
    run = _driver(update, len(inputs), vector=count >= update.target.width)
    steps: int = run(
        objective.address, objective.memory(), *sizes, *widths, *addresses, *map(id, inputs)
    )
    final = after if steps % 2 else before
    return steps, results[: steps * batch_size], final[:, :count], totals[1 : 1 + count]


def _driver(update: Kernel, inputs: int, *, vector: bool) -> Callable[..., int]:
    made = _drivers.setdefault(update, {})
    key = inputs, vector
    if key not in made:
        # in a context of its own: what blocks such as no_grad say is not for this
        module = Context().run(_written, update, inputs, vector=vector)
        engine = update.target.compiled(str(module))
        arguments = [ctypes.c_void_p] * 2 + [ctypes.c_int64] * 8 + [ctypes.c_void_p] * (6 + inputs)
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *arguments)
        made[key] = engine, kind(engine.get_function_address("descend"))
    run: Callable[..., int] = made[key][1]
    return run


def _graph(update: Kernel) -> Graph:
    """Return the update as a graph, whose inputs are what varies from parameter to parameter."""
    drafts, _, _, results, sources = drafted(update.program)
    return simplified(drafts, sources, results, [], precise=update.precise)


def _written(update: Kernel, inputs: int, *, vector: bool) -> ir.Module:
    """Return the function that takes the steps."""
    module = ir.Module("descend")
    objects = [POINTER] * inputs
    kernel = ir.FunctionType(ir.VoidType(), [INDEX, NUMBER, *[POINTER] * 5, *objects])
    arguments = [kernel.as_pointer(), POINTER, *[INDEX] * 8, *[POINTER] * 6, *objects]
    function = ir.Function(module, ir.FunctionType(INDEX, arguments), "descend")
    objective, memory, rows, batch_size, steps, settings, *function_arguments = function.args
    width, count, stride, lines, order, totals, results, hyperparameters = function_arguments[:8]
    first_state, second_state, *arrays = function_arguments[8:]

    builder = ir.IRBuilder(function.append_basic_block("start"))
    start, head, updating, end = (
        builder.block,
        *map(function.append_basic_block, ("head", "updating", "end")),
    )
    target, precise = update.target, update.precise
    scalar = Packing(1, 1, 1, 1, fused=target.fused and not precise, precise=precise)
    lanes = target.width if vector and not precise else 1
    alone, writer = (
        Writer(builder, packing, {}, 0, ()) for packing in (scalar, scalar._replace(width=lanes))
    )
    slots = [builder.alloca(POINTER) for _ in range(4)]
    line = ir.VectorType(INDEX, LINE)

    def as_object(slot: ir.Value, numbers: ir.Value) -> ir.Value:
        """Return what the objective takes for an array that has these numbers."""
        builder.store(numbers, slot)
        return builder.gep(slot, [integer(-NUMBERS)], source_etype=ir.IntType(8))

    def clear(i: Index) -> None:
        builder.store(ir.Constant(line, [0] * LINE), _at(builder, totals, i.value, line), align=8)

    def look(i: Index, found: list[ir.Value]) -> list[ir.Value]:
        bits = builder.load(_at(builder, totals, i.value, line), typ=line, align=8)
        return [builder.or_(found[0], _not_finite(builder, bits))]

    builder.branch(head)
    builder.position_at_end(head)
    step, before, after = builder.phi(INDEX), builder.phi(POINTER), builder.phi(POINTER)
    for phi, value in ((step, integer(0)), (before, first_state), (after, second_state)):
        phi.add_incoming(value, start)
    first = builder.mul(step, batch_size)
    left = builder.sub(rows, first)
    size = builder.select(builder.icmp_signed("<", left, batch_size), left, batch_size)
    writer.repeat(lines, clear)
    builder.call(
        objective,
        [
            size,
            builder.fdiv(NUMBER(1.0), builder.sitofp(size, NUMBER)),
            as_object(slots[0], _at(builder, order, first, INDEX)),
            as_object(slots[1], before),
            memory,
            as_object(slots[2], totals),
            as_object(slots[3], _at(builder, results, builder.mul(first, width))),
            *arrays,
        ],
    )
    (found,) = writer.loop(lines, [_no_flag(line)], look)
    stopped_by_gradient = builder.block
    builder.cbranch(_in_any_lane(builder, found), end, updating)

    builder.position_at_end(updating)
    settings_now = _at(builder, hyperparameters, builder.mul(step, settings))
    arrays_now = before, after, _at(builder, totals, integer(1)), settings_now
    finite = _write_update(update, alone, writer, arrays_now, count, stride)
    taken = builder.add(step, builder.zext(finite, INDEX))
    more = builder.and_(finite, builder.icmp_signed("<", taken, steps))
    stopped_by_state = builder.block
    builder.cbranch(more, head, end)
    for phi, value in ((step, taken), (before, after), (after, before)):
        phi.add_incoming(value, stopped_by_state)

    builder.position_at_end(end)
    result = builder.phi(INDEX)
    result.add_incoming(step, stopped_by_gradient)
    result.add_incoming(taken, stopped_by_state)
    builder.ret(result)
    return module


def _write_update(
    update: Kernel,
    alone: Writer,
    writer: Writer,
    arrays: Sequence[ir.Value],
    count: ir.Value,
    stride: ir.Value,
) -> ir.Value:
    """Write the update of all parameters; return whether what it gives is finite.

    Args:
        update: the rule.
        alone: writes what is the same for all parameters.
        writer: writes the rest, for vectors of parameters.
        arrays: the state before and after, the gradient, and the hyperparameters.
        count: how many parameters are updated.
        stride: numbers from one row of the state to the next.
    """
    builder, lanes = writer.builder, writer.packing.width
    before, after, gradient, hyperparameters = arrays
    graph = _graph(update)
    fixed: dict[int, ir.Value] = {}
    for x in graph.used:
        if x not in graph.varying:
            if graph.names[x] == "parameter":
                place = _at(builder, hyperparameters, integer(graph.operands[x][0]))
                fixed[x] = builder.load(place, typ=NUMBER)
            else:
                fixed[x] = _instruction(graph, x, fixed, alone)
    shared = {x: writer.emitter.splat(value) for x, value in fixed.items()}
    last = builder.sub(count, integer(lanes))
    bits = ir.VectorType(INDEX, lanes) if lanes > 1 else INDEX

    def some(i: Index, found: list[ir.Value]) -> list[ir.Value]:
        place = builder.mul(i.value, integer(lanes))
        place = builder.select(builder.icmp_signed("<", place, last), place, last)
        values = {**shared}

        def row(state: ir.Value, which: int) -> ir.Value:
            return _at(builder, state, builder.add(place, builder.mul(stride, integer(which))))

        for x in graph.used:
            if x in graph.varying:
                if graph.names[x] == "input":
                    (which,) = graph.operands[x]
                    is_state = which < len(graph.stores)
                    source = row(before, which) if is_state else _at(builder, gradient, place)
                    values[x] = builder.load(source, typ=writer.type, align=8)
                else:
                    values[x] = _instruction(graph, x, values, writer)
        (flags,) = found
        for which, x in enumerate(graph.stores):
            builder.store(values[x], row(after, which), align=8)
            not_finite = _not_finite(builder, builder.bitcast(values[x], bits))
            flags = builder.or_(flags, not_finite)
        return [flags]

    vectors = builder.sdiv(builder.add(count, integer(lanes - 1)), integer(lanes))
    (found,) = writer.loop(vectors, [_no_flag(bits)], some)
    return builder.not_(_in_any_lane(builder, found))


def _instruction(graph: Graph, x: int, values: dict[int, ir.Value], writer: Writer) -> ir.Value:
    """Write an instruction of a graph."""
    if x in graph.constants:
        return writer.emitter.constant(graph.constants[x])
    if x not in graph.sums:
        row = LOWERINGS[graph.names[x]]
        return row(writer.emitter, *[values[operand] for operand in graph.operands[x]])
    bias, terms = graph.sums[x]
    total = None if bias is None else values[bias]
    for a, b, condition, negative, _ in terms:
        total = writer.accumulate(
            total,
            values[a],
            None if b == graph.one else values[b],
            None if condition is None else values[condition],
            negative,
        )
    return total


def _at(
    builder: ir.IRBuilder, array: ir.Value, place: ir.Value, kind: ir.Type = NUMBER
) -> ir.Value:
    return builder.gep(array, [place], source_etype=kind)


def _not_finite(builder: ir.IRBuilder, bits: ir.Value) -> ir.Value:
    """Return, in each lane, whether these are the bits of inf or nan."""
    lanes = getattr(bits.type, "count", 0)
    exponent = ir.Constant(bits.type, [EXPONENT] * lanes if lanes else EXPONENT)
    return builder.icmp_unsigned("==", builder.and_(bits, exponent), exponent)


def _in_any_lane(builder: ir.IRBuilder, flags: ir.Value) -> ir.Value:
    lanes = getattr(flags.type, "count", 0)
    if not lanes:
        return flags
    whole = ir.IntType(lanes)
    return builder.icmp_unsigned("!=", builder.bitcast(flags, whole), ir.Constant(whole, 0))


def _no_flag(kind: ir.Type) -> ir.Constant:
    """Return a flag that is not set, in as many lanes as this kind has."""
    lanes = getattr(kind, "count", 0)
    flag = ir.IntType(1)
    return ir.Constant(ir.VectorType(flag, lanes), [0] * lanes) if lanes else flag(0)
