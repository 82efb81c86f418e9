"""Simplify: the graph of a traced function as few instructions.

What is constant is folded, what is computed twice is computed once, what nobody needs is dropped,
and what is added up is gathered. In precise mode nothing is done that could change a bit.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import NamedTuple

from autograd.compiler.expand import EXPANSIONS, logsumexp_by_count, sech_squared, tanh
from autograd.compiler.gather import gather
from autograd.primitives import TABLE, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.compiler.gather import Sum
    from autograd.primitives import Primitive
    from autograd.program import Program


class Draft(Scalar):
    """A number without data, as a Tracer, that is written down when it is made: in half the time.

    Attributes:
        drafts: where it and what is computed from it is written down, operands before users.
        primitive, operands: how it is computed; None and nothing if nothing is known.
        number: the instruction that it becomes.
    """

    __slots__ = ("drafts", "number", "operands", "primitive")
    rank = 5

    def __init__(
        self, drafts: list[Draft], primitive: Primitive | None = None, operands: Sequence[Any] = ()
    ) -> None:
        self.drafts = drafts
        self.primitive = primitive
        self.operands = operands
        self.number = -1

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Draft:
        """Apply a primitive to Drafts and floats."""
        for x in operands:
            if type(x) is cls:
                break
        draft = cls(x.drafts, primitive, tuple(operands))
        x.drafts.append(draft)
        return draft


class Drafted(NamedTuple):
    """A Program as Drafts.

    Attributes:
        drafts: what is computed, operands before users.
        inputs, parameters, results: of the Program.
        sources: what each Draft that no primitive made stands for: its kind and position.
    """

    drafts: list[Draft]
    inputs: list[Draft]
    parameters: list[Draft]
    results: list[Any]
    sources: dict[Draft, tuple[str, int]]


def drafted(program: Program) -> Drafted:
    """Return a Program as Drafts, from which more may be computed."""
    drafts: list[Draft] = []
    inputs = [Draft(drafts) for _ in program.inputs()]
    parameters = [Draft(drafts) for _ in program.parameters]
    sources = {x: ("input", i) for i, x in enumerate(inputs)}
    sources |= {x: ("parameter", i) for i, x in enumerate(parameters)}
    results = program.numbers([*inputs, *parameters], lambda row, xs: row.bind(xs))
    return Drafted(drafts, inputs, parameters, results, sources)


class Graph:
    """Instructions, numbered; each knows whether it varies from sample to sample.

    Attributes:
        names: of each instruction the primitive's name, or what else it is: "input", "seed",
            "parameter" or "constant".
        operands: the numbers of the instructions it is applied to; of an input or a parameter its
            position.
        constants: the values of the constants.
        varying: what depends on an input; what does not is computed once for all samples.
        sums: the sums of products, by the number of the instruction whose place they take.
        used: what is needed, operands before users; the inner instructions of sums are not.
        stores: what is given for each sample.
        totals: what is added up over samples: each a position, and a sum.
    """

    def __init__(self, precise: bool) -> None:
        self.precise = precise
        self.names: list[str] = []
        self.operands: list[tuple[int, ...]] = []
        self.constants: dict[int, float] = {}
        self.varying: set[int] = set()
        self.sums: dict[int, Sum] = {}
        self.used: list[int] = []
        self.stores: list[int] = []
        self.totals: list[tuple[int, Sum]] = []
        self._known: dict[tuple[Any, ...], int] = {}
        self._leaves: dict[int, tuple[int, ...]] = {}
        self.one = self.constant(1.0)
        self.zero = self.constant(0.0)

    def constant(self, value: float) -> int:
        """Return the instruction that is this number; -0.0 and 0.0 are two."""
        key = "constant", struct.pack("d", value)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._new("constant", ())
            self.constants[number] = value
        return number

    def source(self, kind: str, position: int) -> int:
        """Return an input, the seed, or a parameter."""
        number = self._new(kind, (position,))
        if kind != "parameter":
            self.varying.add(number)
        return number

    def _new(self, name: str, operands: tuple[int, ...]) -> int:
        self.names.append(name)
        self.operands.append(operands)
        return len(self.names) - 1

    def add(self, name: str, operands: tuple[int, ...]) -> int:
        """Return the instruction that applies a primitive, simplified."""
        constants = self.constants
        if not constants.keys().isdisjoint(operands):
            if constants.keys() >= {*operands}:
                return self.constant(float(TABLE[name].value(*(constants[x] for x in operands))))
            rule = _OF_CONSTANTS.get(name)
            simpler = rule(self, *operands) if rule else None
            if simpler is not None:
                return simpler
        rule = _RULES.get(name)
        simpler = rule(self, *operands) if rule else None
        if simpler is not None:
            return simpler
        if name in EXPANSIONS and not (self.precise and name == "norm"):
            return self.expand(EXPANSIONS[name], operands)
        return self.apply(name, operands)

    def expand(self, formula: Callable[..., Any], operands: Sequence[int]) -> int:
        """Return the instruction that a formula of others ends with."""
        return Node.number(self, formula(*[Node(self, x) for x in operands]))

    def apply(self, name: str, operands: tuple[int, ...]) -> int:
        """Return the instruction that applies a primitive, an old one if there is one."""
        key = name, operands
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._new(name, operands)
            if not self.varying.isdisjoint(operands):
                self.varying.add(number)
        return number

    def same_leaves(self, a: int, b: int) -> int | None:
        """Return an instruction that adds up the same numbers as a + b, in whatever order."""
        leaves = self._leaves.get(a, (a,)) + self._leaves.get(b, (b,))
        if len(leaves) > 64:
            return None
        leaves = tuple(sorted(leaves))
        known = self._known.get(("leaves", leaves))
        if known is None:
            known = self._known["leaves", leaves] = self.apply("add", (a, b))
            self._leaves[known] = leaves
        return known


class Node(Scalar):
    """An instruction of a graph as a number, so that expansions can be written in operators."""

    __slots__ = ("graph", "position")
    rank = 4

    def __init__(self, graph: Graph, position: int) -> None:
        self.graph = graph
        self.position = position

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Node:
        """Add an instruction to the graph."""
        graph = next(x.graph for x in operands if isinstance(x, Node))
        numbers = tuple([Node.number(graph, x) for x in operands])
        return cls(graph, graph.add(primitive.name, numbers))

    @staticmethod
    def number(graph: Graph, x: Any) -> int:
        """Return the instruction that a Node or a float is."""
        return x.position if isinstance(x, Node) else graph.constant(x)


def _square(graph: Graph, x: int) -> int:
    if graph.names[x] == "sech" and not graph.precise:
        return graph.expand(sech_squared, graph.operands[x])
    return graph.add("mul", (x, x))


def _tanh(graph: Graph, x: int) -> int | None:
    return None if graph.precise else graph.expand(tanh, [x])


def _logsumexp(graph: Graph, *xs: int) -> int | None:
    return None if graph.precise or not xs else graph.expand(logsumexp_by_count, xs)


def _peak(graph: Graph, *xs: int) -> int | None:
    """The peak of numbers that are all less their peak: of that, less itself."""
    differences = [graph.operands[x] for x in xs if graph.names[x] == "sub"]
    subtracted = {b for _, b in differences}
    if len(differences) < len(xs) or len(subtracted) != 1:
        return None
    (peak,) = subtracted
    same = graph.add("peak", tuple([a for a, _ in differences])) == peak
    return graph.add("sub", (peak, peak)) if same else None


def _mul(graph: Graph, a: int, b: int) -> int | None:
    for x, factor in ((a, graph.constants.get(b)), (b, graph.constants.get(a))):
        if factor == 1.0:
            return x
        if factor == -1.0:
            return graph.add("neg", (x,))
    return None


def _add(graph: Graph, a: int, b: int) -> int | None:
    for x, y in ((a, graph.constants.get(b)), (b, graph.constants.get(a))):
        if str(y) == "-0.0":
            return x
    return None


def _where(graph: Graph, condition: int, a: int, b: int) -> int | None:
    known = graph.constants.get(condition)
    return None if known is None else a if known else b


def _where_again(graph: Graph, condition: int, a: int, b: int) -> int | None:
    if not graph.precise and b != graph.zero and graph.constants.get(b) == 0.0:
        return graph.add("where", (condition, a, graph.zero))  # which may be there already
    if graph.names[a] == "where" and graph.operands[a][0] == condition:
        return graph.add("where", (condition, graph.operands[a][1], b))
    return a if a == b else None


def _times(graph: Graph, a: int, b: int) -> int | None:
    for x in (a, b):
        factor = graph.constants.get(x)
        if factor and isfinite(factor) and not graph.precise:
            return graph.add("mul", (a, b))
    return None


def _pow(graph: Graph, a: int, b: int) -> int | None:
    exponent = graph.constants.get(b)
    if graph.precise or exponent is None:
        return None
    if exponent == 1.0:
        return a
    if exponent == -1.0:
        return graph.add("reciprocal", (a,))
    if exponent in {2.0, 3.0, 4.0}:
        squared = graph.add("mul", (a, a))
        other = {2.0: graph.one, 3.0: a, 4.0: squared}[exponent]
        return graph.add("mul", (squared, other))
    return None


def _in_any_order(graph: Graph, a: int, b: int) -> int | None:
    return None if graph.precise else graph.same_leaves(a, b)


# What an instruction is the same as; None if nothing simpler. To the last bit, in precise mode.
_OF_CONSTANTS: dict[str, Callable[..., int | None]] = {
    "mul": _mul,
    "add": _add,
    "sub": lambda graph, a, b: a if str(graph.constants.get(b)) == "0.0" else None,
    "where": _where,
    "times": _times,
    "pow": _pow,
}
_RULES: dict[str, Callable[..., int | None]] = {
    "identity": lambda _, x: x,
    "stop_gradient": lambda _, x: x,
    "add": _in_any_order,
    "neg": lambda graph, x: graph.operands[x][0] if graph.names[x] == "neg" else None,
    "square": _square,
    "tanh": _tanh,
    "peak": _peak,
    "logsumexp": _logsumexp,
    "reciprocal": lambda graph, x: graph.add("div", (graph.one, x)),
    "portion": lambda graph, a, b: graph.add("div", (a, graph.add("add", (a, b)))),
    "mean": lambda graph, *xs: graph.add(
        "div", (graph.add("sum", xs), graph.constant(float(len(xs))))
    ),
    "where": _where_again,
}


def simplified(
    drafts: list[Draft],
    sources: dict[Draft, tuple[str, int]],
    stores: Sequence[Any],
    totals: Sequence[tuple[int, Any]],
    *,
    precise: bool,
) -> Graph:
    """Return the graph of what is wanted, in as few instructions as can be.

    Args:
        drafts: what is computed, operands before users.
        sources: what each Draft that no primitive made stands for: its kind and position.
        stores: Drafts and floats that are wanted for each sample.
        totals: Drafts and floats that are wanted added up over samples, each with its position.
        precise: whether results must stay the same to the last bit.
    """
    graph = Graph(precise)
    for draft, source in sources.items():
        draft.number = graph.source(*source)

    def number(x: Any) -> int:
        return x.number if type(x) is Draft else graph.constant(x)

    wanted = {*stores, *(x for _, x in totals)}
    for draft in reversed(drafts):
        if draft in wanted:
            wanted.update(draft.operands)
    for draft in drafts:
        if draft in wanted:
            numbers = [x.number if type(x) is Draft else graph.constant(x) for x in draft.operands]
            draft.number = graph.add(draft.primitive.name, tuple(numbers))  # type: ignore[union-attr]
    graph.stores = [*map(number, stores)]
    gather(graph, [(position, number(x)) for position, x in totals])
    return graph
