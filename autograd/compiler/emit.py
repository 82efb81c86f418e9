"""Emit: the steps of a schedule as LLVM instructions, in functions of bounded size.

Sums of products in loops are tiled; of all other operations each result goes from one to the next
in registers, and to its slot where another step reads it.
"""

from __future__ import annotations

from functools import reduce
from itertools import product

from llvmlite import ir

from autograd.compiler.arrays import INDEX, POINTER
from autograd.compiler.lower import LOWERINGS
from autograd.compiler.nests import SPACES, TOTAL, FusedLoop, Repeat
from autograd.compiler.tiles import Tiles
from autograd.compiler.writer import Index, Writer, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.compiler.nests import Access

PIECE = 600  # nests in a function


class Emission:
    """Writes steps into a writer's function, and into functions that this one calls.

    Args:
        writer: where it writes.
        is_read: whether a slot is read from memory.
    """

    def __init__(self, writer: Writer, is_read: Callable[[Access], bool]) -> None:
        self.writer = writer
        self.tiles = Tiles(writer)
        self._is_read = is_read

    def write(self, steps: Sequence[Any], panels: Any = None) -> None:
        """Write steps: here, or where they are many in functions of bounded size.

        LLVM's time for a function grows faster than the function.

        Args:
            steps: nests and loops around them.
            panels: over how many panels of kept slots totals run.
        """
        pieces = _pieces(steps)
        if len(pieces) == 1:
            self.write_here(steps, (), panels)
            return
        writer = self.writer
        module = writer.builder.module
        kind = ir.FunctionType(ir.VoidType(), [INDEX, *[POINTER] * len(SPACES)])
        count = integer(panels or 1) if isinstance(panels or 1, int) else panels
        for piece in pieces:
            function = ir.Function(module, kind, f"piece{len(module.functions)}")
            function.linkage = "internal"
            builder = ir.IRBuilder(function.append_basic_block("start"))
            pointers = dict(zip(SPACES, function.args[1:], strict=True))
            inner = Writer(builder, writer.packing, pointers, writer.kept, writer.constants)
            Emission(inner, self._is_read).write_here(piece, (), panels and function.args[0])
            builder.ret_void()
            writer.builder.call(function, [count, *[writer.pointers[name] for name in SPACES]])

    def write_here(self, steps: Sequence[Any], outer: Sequence[Index], panels: Any) -> None:
        """Write nests and loops around nests, in their order."""
        for step in steps:
            if isinstance(step, Repeat):

                def round_(i: Index, body: Any = step.body) -> None:
                    self.write_here(body, [*outer, i], None)

                self.writer.repeat(step.rounds, round_)
            elif isinstance(step, FusedLoop):
                self._write_fused(step, outer)
            else:
                self.tiles.write(step, outer, panels)

    def _write_fused(self, loop: FusedLoop, outer: Sequence[Index]) -> None:
        """Write operations one after the other, results staying in registers."""
        writer = self.writer
        vectors = [Index(None, k) for k in range(writer.packing.vectors)]

        def over(indices: list[Index], _: Any) -> None:
            known: dict[Any, ir.Value] = {}

            def value(access: Access | None, k: Index) -> Any:
                return access and writer.known(known, access, indices, k)

            for nest, k in product(loop.nests, vectors):  # which do not wait for each other
                if nest.name == "sum":
                    terms = [
                        (value(x.a, k), value(x.b, k), value(x.condition, k), x.negative)
                        for x in nest.parts
                    ]
                    result = self._added_up(value(nest.bias, k), terms)
                else:
                    operands = [value(x, k) for x in nest.operands]
                    result = LOWERINGS[nest.name](writer.emitter, *operands)
                if nest.into.space == TOTAL:
                    writer.add_to_total(result, nest.into, indices)
                    continue
                known[writer.key(nest.into, indices, k)] = result
                if outer or self._is_read(nest.into):
                    writer.store(result, nest.into, indices, k)

        writer.over(loop.dims, {}, outer, over)

    def _added_up(self, bias: ir.Value | None, terms: list[Any]) -> ir.Value:
        """Return bias + the terms; if many, as partial sums, which do not wait for each other."""

        def in_turn(total: ir.Value | None, some: list[Any]) -> ir.Value:
            for term in some:
                total = self.writer.accumulate(total, *term)
            return total

        if self.writer.packing.precise or len(terms) <= 4:
            return in_turn(bias, terms)
        third = -(-len(terms) // 3)
        sums = [in_turn(None, terms[i : i + third]) for i in range(0, len(terms), third)]
        return reduce(self.writer.builder.fadd, sums if bias is None else [bias, *sums])


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
    return len(step.nests) if isinstance(step, FusedLoop) else 1 + len(step.parts)
