"""Simplify: the graph of a traced function as few instructions.

What is constant is folded, what is computed twice is computed once, what nobody needs is dropped,
and trees of + and × whose inner results have one use are gathered into sums of products, whether
they were written as `dot`, as `sum`, or as a chain of operators.

In precise mode nothing is done that could change a bit: a chain is gathered only along its left
spine, so that products are added in the order in which the program adds them.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import NamedTuple

from autograd.compiler.expand import EXPANSIONS, logsumexp_by_count, sech_squared, tanh
from autograd.primitives import TABLE, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.primitives import Primitive


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
        made = cls(x.drafts, primitive, tuple(operands))
        x.drafts.append(made)
        return made


class Term(NamedTuple):
    """One product in a sum: ±a × b; where there is a condition, 0 unless it holds.

    Attributes:
        a, b: the factors; b is the constant 1 where there is none.
        condition: None, or what must not be 0 for the product to count.
        negative: whether it is subtracted.
        vanishes: whether a is 0 where the condition does not hold: the product is then 0 anyway,
            unless b is infinite or nan.
    """

    a: int
    b: int
    condition: int | None = None
    negative: bool = False
    vanishes: bool = False


class Sum(NamedTuple):
    """A sum of products: the bias if there is one, and the terms, added left to right."""

    bias: int | None
    terms: list[Term]

    def operands(self) -> list[int]:
        """Return what it is computed from."""
        found = [] if self.bias is None else [self.bias]
        for a, b, condition, *_ in self.terms:
            found += (a, b) if condition is None else (a, b, condition)
        return found


class Graph:
    """Instructions, numbered; each knows whether it varies from sample to sample.

    Attributes:
        names: of each instruction the primitive's name, or what else it is: "input", "seed",
            "parameter" or "constant".
        operands: the numbers of the instructions it is applied to; of an input or a parameter its
            position, of a constant its value.
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
        among = next(x.graph for x in operands if isinstance(x, Node))
        numbers = tuple([Node.number(among, x) for x in operands])
        return cls(among, among.add(primitive.name, numbers))

    @staticmethod
    def number(among: Graph, x: Any) -> int:
        """Return the instruction that a Node or a float is."""
        return x.position if isinstance(x, Node) else among.constant(x)


def _square(among: Graph, x: int) -> int:
    if among.names[x] == "sech" and not among.precise:
        return among.expand(sech_squared, among.operands[x])
    return among.add("mul", (x, x))


def _tanh(among: Graph, x: int) -> int | None:
    return None if among.precise else among.expand(tanh, [x])


def _logsumexp(among: Graph, *xs: int) -> int | None:
    return None if among.precise or not xs else among.expand(logsumexp_by_count, xs)


def _peak(among: Graph, *xs: int) -> int | None:
    """The peak of numbers that are all less their peak: of that, less itself."""
    differences = [among.operands[x] for x in xs if among.names[x] == "sub"]
    subtracted = {b for _, b in differences}
    if len(differences) < len(xs) or len(subtracted) != 1:
        return None
    (peak,) = subtracted
    same = among.add("peak", tuple([a for a, _ in differences])) == peak
    return among.add("sub", (peak, peak)) if same else None


def _mul(among: Graph, a: int, b: int) -> int | None:
    for x, factor in ((a, among.constants.get(b)), (b, among.constants.get(a))):
        if factor == 1.0:
            return x
        if factor == -1.0:
            return among.add("neg", (x,))
    return None


def _add(among: Graph, a: int, b: int) -> int | None:
    for x, y in ((a, among.constants.get(b)), (b, among.constants.get(a))):
        if str(y) == "-0.0":
            return x
    return None


def _where(among: Graph, condition: int, a: int, b: int) -> int | None:
    known = among.constants.get(condition)
    return None if known is None else a if known else b


def _where_again(among: Graph, condition: int, a: int, b: int) -> int | None:
    if not among.precise and b != among.zero and among.constants.get(b) == 0.0:
        return among.add("where", (condition, a, among.zero))  # which may be there already
    if among.names[a] == "where" and among.operands[a][0] == condition:
        return among.add("where", (condition, among.operands[a][1], b))
    return a if a == b else None


def _times(among: Graph, a: int, b: int) -> int | None:
    for x in (a, b):
        factor = among.constants.get(x)
        if factor and isfinite(factor) and not among.precise:
            return among.add("mul", (a, b))
    return None


def _pow(among: Graph, a: int, b: int) -> int | None:
    exponent = among.constants.get(b)
    if among.precise or exponent is None:
        return None
    if exponent == 1.0:
        return a
    if exponent == -1.0:
        return among.add("reciprocal", (a,))
    if exponent in {2.0, 3.0, 4.0}:
        squared = among.add("mul", (a, a))
        other = {2.0: among.one, 3.0: a, 4.0: squared}[exponent]
        return among.add("mul", (squared, other))
    return None


def _in_any_order(among: Graph, a: int, b: int) -> int | None:
    return None if among.precise else among.same_leaves(a, b)


# What an instruction is the same as; None if nothing simpler. To the last bit, in precise mode.
_OF_CONSTANTS: dict[str, Callable[..., int | None]] = {
    "mul": _mul,
    "add": _add,
    "sub": lambda among, a, b: a if str(among.constants.get(b)) == "0.0" else None,
    "where": _where,
    "times": _times,
    "pow": _pow,
}
_RULES: dict[str, Callable[..., int | None]] = {
    "identity": lambda _, x: x,
    "stop_gradient": lambda _, x: x,
    "add": _in_any_order,
    "neg": lambda among, x: among.operands[x][0] if among.names[x] == "neg" else None,
    "square": _square,
    "tanh": _tanh,
    "peak": _peak,
    "logsumexp": _logsumexp,
    "reciprocal": lambda among, x: among.add("div", (among.one, x)),
    "portion": lambda among, a, b: among.add("div", (a, among.add("add", (a, b)))),
    "mean": lambda among, *xs: among.add(
        "div", (among.add("sum", xs), among.constant(float(len(xs))))
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
    made = Graph(precise)
    for draft, source in sources.items():
        draft.number = made.source(*source)

    def number(x: Any) -> int:
        return x.number if type(x) is Draft else made.constant(x)

    wanted = {*stores, *(x for _, x in totals)}
    for draft in reversed(drafts):
        if draft in wanted:
            wanted.update(draft.operands)
    for draft in drafts:
        if draft in wanted:
            numbers = [x.number if type(x) is Draft else made.constant(x) for x in draft.operands]
            draft.number = made.add(draft.primitive.name, tuple(numbers))  # type: ignore[union-attr]
    made.stores = [*map(number, stores)]
    _gather(made, [(position, number(x)) for position, x in totals])
    return made


SOURCES = {"input", "seed", "parameter", "constant"}
_ADDITIVE = {"add", "sub", "dot", "sum"}


def _gather(made: Graph, totals: list[tuple[int, int]]) -> None:
    """Gather sums of products, and find what is used."""
    names, operands = made.names, made.operands
    uses = [0] * len(names)
    for x in (*made.stores, *(x for _, x in totals)):
        uses[x] += 1
    for x in range(len(names) - 1, -1, -1):  # users come after operands
        if uses[x] and names[x] not in SOURCES:
            for operand in operands[x]:
                uses[operand] += 1
    gather = _Spine(made, uses) if made.precise else _Tree(made, uses)
    made.totals = [
        (position, gather.of(x, root=True))
        for position, x in totals
        if made.constants.get(x) != 0.0
    ]
    waiting = [made.one, *made.stores]
    for _, total in made.totals:
        waiting += total.operands()
    seen = bytearray(len(names))
    while waiting:
        x = waiting.pop()
        if seen[x]:
            continue
        seen[x] = 1
        if names[x] in SOURCES:
            continue
        if names[x] in _ADDITIVE:
            total = made.sums[x] = gather.of(x, root=False)
            waiting += total.operands()
        else:
            waiting += operands[x]
    made.used = [x for x, used in enumerate(seen) if used]


class _Gatherer:
    """Finds the terms of a sum; what has another use, or varies otherwise, stays whole."""

    def __init__(self, made: Graph, uses: list[int]) -> None:
        self.made = made
        self.uses = uses

    def inner(self, x: int, varies: bool) -> bool:
        """Whether an instruction has no use but in the sum that is being gathered."""
        return self.uses[x] == 1 and (x in self.made.varying) == varies

    def term(self, x: int, varies: bool, negative: bool, root: bool = False) -> Term:
        """Return an instruction as a term: its factors if it is a product without another use."""
        made = self.made
        one = made.one
        if not (root and self.uses[x] == 1) and not self.inner(x, varies):
            return Term(x, one, None, negative)
        name, operands = made.names[x], made.operands[x]
        if name == "mul":
            return Term(*self._factors(*operands), None, negative)
        if name == "where" and self._adds_nothing(operands[2]):
            condition, y, _ = operands
            if made.names[y] == "mul" and self.inner(y, varies):
                a, b = made.operands[y]
                if not self._vanishes(a, condition) and self._vanishes(b, condition):
                    a, b = b, a
                return Term(
                    a, b, condition, negative, not made.precise and self._vanishes(a, condition)
                )
            return Term(y, one, condition, negative)
        return Term(x, one, None, negative)

    def _adds_nothing(self, x: int) -> bool:
        """Whether an instruction is a zero; of any sign, where the sign of zeros may change."""
        zero = self.made.constants.get(x)
        return zero == 0.0 and not (self.made.precise and str(zero) == "0.0")

    def _factors(self, a: int, b: int) -> tuple[int, int]:
        """Return a factor that is the same for all samples first."""
        return (b, a) if b not in self.made.varying and a in self.made.varying else (a, b)

    def _vanishes(self, x: int, condition: int) -> bool:
        made = self.made
        if made.names[x] != "where":
            return False
        chosen_by, _, other = made.operands[x]
        return chosen_by == condition and made.constants.get(other) == 0.0


class _Spine(_Gatherer):
    """Along the left spine alone: what is added stays in its order, bit for bit."""

    def of(self, x: int, *, root: bool) -> Sum:
        made = self.made
        names, varies = made.names, x in made.varying
        if names[x] not in _ADDITIVE or (root and self.uses[x] > 1):
            return Sum(None, [self.term(x, varies, negative=False, root=root)])
        terms: list[Term] = []
        bias: int | None = None
        while True:
            name, operands = names[x], made.operands[x]
            if name == "dot":
                size = len(operands) // 2
                pairs = [*zip(operands[:size], operands[size:-1], strict=True)]
                terms += [Term(a, b) for a, b in reversed(pairs)]
                bias = operands[-1]
                if not self._continues(bias, varies):
                    break
                x, bias = bias, None
            elif name == "sum":
                terms += [Term(a, made.one) for a in reversed(operands)]
                bias = made.zero
                break
            else:
                a, b = operands
                if name == "add" and not self._continues(a, varies) and self._continues(b, varies):
                    a, b = b, a
                terms.append(self.term(b, varies, negative=name == "sub"))
                if not self._continues(a, varies):
                    terms.append(self.term(a, varies, negative=False))
                    break
                x = a
        return Sum(bias, terms[::-1])

    def _continues(self, x: int, varies: bool) -> bool:
        return self.made.names[x] in _ADDITIVE and self.inner(x, varies)


class _Tree(_Gatherer):
    """The whole tree: terms from wherever they are in it."""

    def of(self, x: int, *, root: bool) -> Sum:
        made = self.made
        names, varies = made.names, x in made.varying
        if root and (self.uses[x] > 1 or names[x] not in _ADDITIVE):
            return Sum(None, [self.term(x, varies, negative=False, root=True)])
        terms: list[Term] = []
        bias: int | None = None
        waiting = [(x, False)]
        while waiting:
            y, negative = waiting.pop()
            name, operands = names[y], made.operands[y]
            if y != x and not self.inner(y, varies):
                terms.append(Term(y, made.one, None, negative))
            elif name == "add":
                waiting += [(operands[1], negative), (operands[0], negative)]
            elif name == "sub":
                waiting += [(operands[1], not negative), (operands[0], negative)]
            elif name == "neg":
                waiting.append((operands[0], not negative))
            elif name == "sum":
                waiting += [(operand, negative) for operand in reversed(operands)]
            elif name == "dot":
                size = len(operands) // 2
                terms += [
                    Term(*self._factors(a, b), None, negative)
                    for a, b in zip(operands[:size], operands[size:-1], strict=True)
                ]
                if bias is None and not negative:
                    bias = operands[-1]
                else:
                    waiting.append((operands[-1], negative))
            else:
                terms.append(self.term(y, varies, negative))
        zeros = {x for x in (bias, *(term.a for term in terms)) if made.constants.get(x) == 0.0}  # type: ignore[arg-type]
        some = [term for term in terms if term.a not in zeros or term.b != made.one]
        if some or (bias is not None and bias not in zeros):
            return Sum(None if bias in zeros else bias, some)
        return Sum(bias, terms)
