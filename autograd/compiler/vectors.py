"""Vectors: numbers of several samples, computed on at a time, as LLVM instructions.

Formulas are written on `Lanes`, in Python's operators. What no instruction computes, a function of
C's mathematical library does.
"""

from __future__ import annotations

import ctypes
import math
import sys
from functools import cache

from llvmlite import binding, ir

from autograd import ieee

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

NUMBER = ir.DoubleType()


class Emitter:
    """Writes operations on a vector of numbers, wherever its builder stands.

    Attributes:
        builder: where it writes; it may be moved.
        width: lanes of a vector; 1 means a plain double.
        precise: whether every lane must equal the float function bit for bit.
        type: the type of a vector.
    """

    def __init__(self, builder: ir.IRBuilder, width: int, precise: bool) -> None:
        self.builder = builder
        self.width = width
        self.precise = precise
        self.type = NUMBER if width == 1 else ir.VectorType(NUMBER, width)
        self._masks: dict[ir.Value, ir.Value] = {}

    def number(self, mask: ir.Value) -> ir.Value:
        """Return 1.0 where a mask holds, else 0.0."""
        result = self.builder.select(mask, self.constant(1.0), self.constant(0.0))
        self._masks[result] = mask
        return result

    def holds(self, x: ir.Value) -> ir.Value:
        """Return the mask of what is not 0; the one that x was made of, if it was."""
        if x not in self._masks:
            self._masks[x] = self.builder.fcmp_unordered("!=", x, self.constant(0.0))
        return self._masks[x]

    def constant(self, x: float) -> ir.Constant:
        """Return a number in every lane."""
        return ir.Constant(self.type, float(x) if self.width == 1 else [float(x)] * self.width)

    def intrinsic(self, name: str, *operands: ir.Value) -> ir.Value:
        """Return an operation that LLVM has for vectors, such as fabs, sqrt, floor or fmuladd."""
        if name in {"floor", "ceil"} and not _register(name, _library_of_math(), name):
            return self.call(name, *operands)  # LLVM calls C's where the processor has neither
        suffix = "f64" if self.width == 1 else f"v{self.width}f64"
        return self._apply(f"llvm.{name}.{suffix}", self.type, operands)

    def call(self, name: str, *operands: ir.Value) -> ir.Value:
        """Return a function of C's mathematical library, in default mode of glibc's for vectors."""
        symbol = None if self.precise else _vector_symbol(name, len(operands), self.width)
        if symbol:
            return self._apply(symbol, self.type, operands)
        return self._in_each_lane(_scalar_symbol(name, len(operands)), operands)

    def hypot(self, *operands: ir.Value) -> ir.Value:
        """Return `math.hypot` of any number of operands, which rounds as Python has it, not C."""
        if len(operands) > _MOST_OPERANDS:
            raise NotImplementedError(
                f"norm: {len(operands)} numbers, to the last bit at most {_MOST_OPERANDS}"
            )
        return self._in_each_lane(_hypot_symbol(len(operands)), operands)

    def splat(self, scalar: ir.Value) -> ir.Value:
        """Return a number in all lanes."""
        if self.width == 1:
            return scalar
        one = self.builder.insert_element(
            ir.Constant(self.type, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        return self.builder.shuffle_vector(one, ir.Constant(self.type, ir.Undefined), mask)

    def packed(self, numbers: Sequence[ir.Value]) -> ir.Value:
        """Return a vector of numbers, one for each lane."""
        if len(numbers) == 1:
            return numbers[0]
        vector: Any = ir.Constant(self.type, ir.Undefined)
        for lane, x in enumerate(numbers):
            vector = self.builder.insert_element(vector, x, ir.Constant(ir.IntType(32), lane))
        return vector

    def lane(self, vector: ir.Value, lane: int) -> ir.Value:
        """Return the number in one lane."""
        if self.width == 1:
            return vector
        return self.builder.extract_element(vector, ir.Constant(ir.IntType(32), lane))

    def exchanged(self, a: ir.Value, b: ir.Value, step: int) -> tuple[ir.Value, ir.Value]:
        """Return two vectors, every other block of lanes exchanged for one of the other's."""
        width = self.width
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

    def across(self, vectors: list[ir.Value]) -> ir.Value:
        """Return one vector of the sums over the lanes of as many vectors."""
        step = 1
        while len(vectors) > 1:
            vectors = [
                self.builder.fadd(*self.exchanged(vectors[i], vectors[i + 1], step))
                for i in range(0, len(vectors), 2)
            ]
            step *= 2
        return vectors[0]

    def _in_each_lane(self, symbol: str, operands: Sequence[ir.Value]) -> ir.Value:
        if self.width == 1:
            return self._apply(symbol, NUMBER, operands)
        builder, result = self.builder, ir.Constant(self.type, ir.Undefined)
        for i in range(self.width):
            lane = ir.Constant(ir.IntType(32), i)
            numbers = [builder.extract_element(x, lane) for x in operands]
            result = builder.insert_element(result, self._apply(symbol, NUMBER, numbers), lane)
        return result

    def _apply(self, symbol: str, kind: ir.Type, operands: Sequence[ir.Value]) -> ir.Value:
        function = self.builder.module.globals.get(symbol)
        if function is None:
            signature = ir.FunctionType(kind, [kind] * len(operands))
            function = ir.Function(self.builder.module, signature, symbol)
            function.attributes.add("nounwind")
            function.attributes.add("readnone")  # so that LLVM moves and joins calls
        return self.builder.call(function, operands)


# Functions of libraries. LLVM finds them by names that are not C's: of what it knew as C's `exp` or
# `pow` it would compute and replace some calls itself, and round as it likes.

_VARIANTS = {2: "b", 4: "d", 8: "e"}  # of glibc's vector functions: SSE, AVX2, AVX-512
_MOST_OPERANDS = 1024  # that ctypes hands to a function of Python
_callbacks: list[Any] = []  # kept for good: machine code knows no more of them than an address


@cache
def _register(symbol: str, library: ctypes.CDLL | None, name: str) -> str | None:
    """Return the symbol that stands for a library's function, None if it has none of that name."""
    function = getattr(library, name, None)
    if function is None:
        return None
    binding.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)
    return symbol


@cache
def _library(path: str | None) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(path)
    except OSError:
        return None


def _library_of_math() -> ctypes.CDLL | None:
    """Return the library that Python's `math` is linked with, reached through `math` itself."""
    windows = sys.platform == "win32"
    return _library("ucrtbase" if windows else getattr(math, "__file__", None))


def _vector_symbol(name: str, arity: int, width: int) -> str | None:
    if width not in _VARIANTS:
        return None
    symbol = f"_ZGV{_VARIANTS[width]}N{width}{'v' * arity}_{name}"
    return _register(symbol, _library("libmvec.so.1"), symbol)


def _scalar_symbol(name: str, arity: int) -> str:
    found = _register(f"libm.{name}", _library_of_math(), name)
    return found or _called_back(f"ieee.{name}", getattr(ieee, name), arity)


def _hypot_symbol(arity: int) -> str:
    # itself, as no step of Python then runs below machine code: an interrupt there would be lost
    return _called_back(f"math.hypot.{arity}", math.hypot, arity)


@cache
def _called_back(symbol: str, function: Callable[..., float], arity: int) -> str:
    """Return the symbol that stands for a function of Python."""
    callback = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * arity)(function)
    _callbacks.append(callback)
    binding.add_symbol(symbol, ctypes.cast(callback, ctypes.c_void_p).value)
    return symbol


# Vectors as numbers: formulas are written in Python's operators


def _operator(instruction: str) -> tuple[Any, Any]:
    """Return an operator, and the same with its operands in the other order."""

    def forward(a: Lanes, b: Lanes | float) -> Lanes:
        return a.of(getattr(a.emitter.builder, instruction)(a.value, a.like(b)))

    def reflected(b: Lanes, a: float) -> Lanes:
        return b.of(getattr(b.emitter.builder, instruction)(b.like(a), b.value))

    return forward, reflected


def _comparison(sign: str) -> Any:
    def compare(a: Lanes, b: Lanes | float) -> Lanes:
        builder = a.emitter.builder
        # of nan nothing holds but ≠
        write = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        return a.of(write(sign, a.value, a.like(b)))

    return compare


class Lanes:
    """A vector as a number. Comparisons give masks, which `&` and `|` join and `select` takes."""

    __slots__ = ("emitter", "value")
    __add__, __radd__ = _operator("fadd")
    __sub__, __rsub__ = _operator("fsub")
    __mul__, __rmul__ = _operator("fmul")
    __truediv__, __rtruediv__ = _operator("fdiv")
    __and__, __rand__ = _operator("and_")
    __or__, __ror__ = _operator("or_")
    __lt__, __le__, __gt__, __ge__ = map(_comparison, ("<", "<=", ">", ">="))
    __eq__, __ne__ = map(_comparison, ("==", "!="))
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, emitter: Emitter, value: ir.Value) -> None:
        self.emitter = emitter
        self.value = value

    def of(self, value: ir.Value) -> Lanes:
        """Return another value written by the same emitter."""
        return Lanes(self.emitter, value)

    def like(self, x: Lanes | float) -> ir.Value:
        """Return the vector that a number is."""
        return x.value if isinstance(x, Lanes) else self.emitter.constant(x)

    def __neg__(self) -> Lanes:
        return self.of(self.emitter.builder.fneg(self.value))

    def __abs__(self) -> Lanes:
        return self.of(self.emitter.intrinsic("fabs", self.value))

    def __bool__(self) -> bool:
        raise TypeError("lanes may differ in what holds: use select(condition, a, b)")


def select(condition: Any, a: Any, b: Any) -> Any:
    """In each lane a where the condition holds, else b."""
    write = condition.emitter.builder.select
    return condition.of(write(condition.value, condition.like(a), condition.like(b)))
