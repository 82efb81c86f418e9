"""Arrays: how machine code reads a NumPy array, given as the object that it is.

To ask an array in Python where its numbers are, and whether they are float64 one after the other,
takes longer than a training step of a small network. The fields of an array have kept their places
in the object since NumPy 1; `laid_out_as_known` makes sure of them.
"""

from __future__ import annotations

import ctypes

import numpy as np
from llvmlite import ir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

INDEX = ir.IntType(64)
SMALL = ir.IntType(32)
POINTER = ir.PointerType()

# The places of fields, in bytes from the start of the object
NUMBERS = object.__basicsize__
TYPE = NUMBERS - 8
DIMENSIONS = NUMBERS + 8
SHAPE = NUMBERS + 16
KIND = NUMBERS + 40
FLAGS = NUMBERS + 48
IN_ORDER = 0x101  # C-contiguous and aligned


def laid_out_as_known() -> bool:
    """Whether the fields of arrays are where this file says."""
    array = np.zeros((2, 3))
    turned = array.T

    def pointer(x: Any, field: int) -> Any:
        return ctypes.c_void_p.from_address(id(x) + field).value

    def small(x: Any, field: int) -> int:
        return ctypes.c_int32.from_address(id(x) + field).value

    try:
        shape = (ctypes.c_int64 * 2).from_address(pointer(turned, SHAPE))
        return (
            ctypes.sizeof(ctypes.c_void_p) == 8
            and pointer(array, TYPE) == id(np.ndarray)
            and pointer(array, NUMBERS) == array.ctypes.data
            and small(array, DIMENSIONS) == 2
            and [*shape] == [3, 2]
            and pointer(array, KIND) == id(np.dtype(np.float64))
            and small(array, FLAGS) & IN_ORDER == IN_ORDER
            and small(turned, FLAGS) & IN_ORDER != IN_ORDER
        )
    except (TypeError, ValueError):
        return False


def require(builder: ir.IRBuilder, condition: ir.Value, otherwise: ir.Block) -> None:
    """Go on where a condition holds; else go to a block."""
    following = builder.append_basic_block("known")
    builder.cbranch(condition, following, otherwise)
    builder.position_at_end(following)


def numbers_of(builder: ir.IRBuilder, array: ir.Value) -> ir.Value:
    """Return where the numbers of an array are."""
    return _field(builder, array, NUMBERS, POINTER)


def rows_of(
    builder: ir.IRBuilder, array: ir.Value, shape: Sequence[int], otherwise: ir.Block
) -> ir.Value:
    """Return how many rows of a shape an array of floats holds; go to a block if it is another."""

    def require_equal(x: ir.Value, expected: int) -> None:
        require(builder, builder.icmp_unsigned("==", x, ir.Constant(x.type, expected)), otherwise)

    def require_pointer(field: int, to: object) -> None:
        address = builder.ptrtoint(_field(builder, array, field, POINTER), INDEX)
        require_equal(address, id(to))

    require_pointer(TYPE, np.ndarray)
    require_pointer(KIND, np.dtype(np.float64))
    flags = builder.and_(_field(builder, array, FLAGS, SMALL), ir.Constant(SMALL, IN_ORDER))
    require_equal(flags, IN_ORDER)
    require_equal(_field(builder, array, DIMENSIONS, SMALL), 1 + len(shape))
    sizes = _field(builder, array, SHAPE, POINTER)
    for i, size in enumerate(shape, 1):
        place = builder.gep(sizes, [ir.Constant(INDEX, i)], source_etype=INDEX)
        require_equal(builder.load(place, typ=INDEX), size)
    return builder.load(sizes, typ=INDEX)


def _field(builder: ir.IRBuilder, array: ir.Value, place: int, kind: ir.Type) -> ir.Value:
    field = builder.gep(array, [ir.Constant(INDEX, place)], source_etype=ir.IntType(8))
    return builder.load(field, typ=kind)
