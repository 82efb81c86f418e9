"""Nests: what a schedule is made of: loops around an operation, and where they read and write."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

# Kinds of memory. Each number of the first two is one for all samples; a slot of the next two holds
# one for each sample of a panel. Lane slots are used anew for each panel, kept slots stay until the
# totals over several panels are added up.
PARAMETER, UNIFORM, LANE, KEPT, TOTAL = SPACES = ("parameter", "uniform", "lane", "kept", "total")

STRAIGHT = 8  # nests of no more operations than this are written out
LONGEST = 400  # operations in a piece of straight code


class Access(NamedTuple):
    """Where a nest reads or writes: slot base + stride × index, added over the loops around it."""

    space: str
    base: int
    strides: tuple[int, ...] = ()


class Part(NamedTuple):
    """Terms of a sum that are alike, as loops: ±a × b where the condition, if any, holds.

    Attributes:
        dims: how often each loop runs; its accesses have the nest's strides, then those of these.
    """

    dims: tuple[int, ...]
    a: Access
    b: Access | None
    condition: Access | None
    negative: bool
    vanishes: bool


class Nest(NamedTuple):
    """Loops around one operation, or around a sum of products.

    Attributes:
        name: the primitive, or "sum".
        dims: how often each loop runs, the outermost first.
        into: where results go.
        operands: what a primitive is applied to.
        bias, parts: what a sum adds up.
    """

    name: str
    dims: tuple[int, ...]
    into: Access
    operands: tuple[Access, ...] = ()
    bias: Access | None = None
    parts: tuple[Part, ...] = ()

    def reads(self) -> Iterator[tuple[Access, tuple[int, ...]]]:
        """Yield every access that is read, with how often the nest's loops around it run."""
        for access in (*self.operands, self.bias):
            if access:
                yield access, self.dims
        for part in self.parts:
            for access in (part.a, part.b, part.condition):
                if access:
                    yield access, (*self.dims, *part.dims)

    def accesses(self) -> list[Access]:
        """Every access, in a fixed order."""
        found = [self.into, *self.operands]
        if self.bias:
            found.append(self.bias)
        for part in self.parts:
            found += [x for x in (part.a, part.b, part.condition) if x]
        return found

    def kind(self) -> tuple[Any, ...]:
        """What two nests have in common that differ in the slots they start from alone."""
        accesses = tuple((x.space, x.strides) for x in self.accesses())
        parts = tuple(
            (part.dims, part.b is None, part.condition is None, *part[4:]) for part in self.parts
        )
        return self.name, self.dims, accesses, self.bias is None, parts

    def under(self, strides: Iterator[int]) -> Nest:
        """The same nest inside another loop, along which its accesses advance by these strides."""

        def inner(x: Access | None) -> Access | None:
            return x and Access(x.space, x.base, (next(strides), *x.strides))

        into, *operands = [inner(x) for x in (self.into, *self.operands)]
        bias = inner(self.bias)
        parts = tuple(
            part._replace(
                a=inner(part.a) or part.a, b=inner(part.b), condition=inner(part.condition)
            )
            for part in self.parts
        )
        return Nest(self.name, self.dims, into, tuple(operands), bias, parts)  # type: ignore[arg-type]


class Repeat(NamedTuple):
    """A loop around a sequence of nests, each waiting for the one before."""

    rounds: int
    body: list[Any]


class FusedLoop(NamedTuple):
    """Loops around several operations, each result of which stays in a register; no loop, if small.

    Attributes:
        dims: how often each loop runs.
        nests: the operations, in order; a nest reads results of earlier ones at its own index.
    """

    dims: tuple[int, ...]
    nests: list[Nest]


def operations(nest: Nest) -> int:
    """How many operations a nest is, written out."""
    terms = sum(prod(part.dims) for part in nest.parts) or 1
    return prod(nest.dims) * terms


def unrolled(nest: Nest) -> list[Nest]:
    """Return a nest written out, without loops of its own."""
    outer = len(nest.into.strides) - len(nest.dims)

    def moved(access: Access, point: Sequence[int]) -> Access:
        own = access.strides[outer:]
        base = access.base + sum(i * s for i, s in zip(point, own, strict=True))
        return Access(access.space, base, access.strides[:outer])

    singles = []
    for point in product(*map(range, nest.dims)):
        parts = [
            part._replace(
                dims=(),
                a=moved(part.a, (*point, *inner)),
                b=part.b and moved(part.b, (*point, *inner)),
                condition=part.condition and moved(part.condition, (*point, *inner)),
            )
            for part in nest.parts
            for inner in product(*map(range, part.dims))
        ]
        singles.append(
            Nest(
                nest.name,
                (),
                moved(nest.into, point),
                tuple(moved(x, point) for x in nest.operands),
                nest.bias and moved(nest.bias, point),
                tuple(parts),
            )
        )
    return singles


def writes(step: Any) -> Iterator[tuple[Access, tuple[int, ...]]]:
    """Yield every access that a step writes to, with how often the loops around it run."""
    if isinstance(step, Repeat):
        for inner in step.body:
            for access, dims in writes(inner):
                yield access, (step.rounds, *dims)
    elif isinstance(step, FusedLoop):
        for nest in step.nests:
            yield nest.into, step.dims
    else:
        yield step.into, step.dims


def spots(access: Access, dims: Sequence[int]) -> list[tuple[str, int]]:
    """Return every slot that an access reaches."""
    slots = [access.base]
    for count, stride in zip(dims, access.strides, strict=True):
        if stride:
            slots = [slot + stride * i for slot in slots for i in range(count)]
    return [(access.space, slot) for slot in slots]
