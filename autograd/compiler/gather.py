"""Gather: trees of + and × whose inner results have one use, as sums of products.

They may have been written as `dot`, as `sum`, or as a chain of operators. In precise mode a chain
is gathered along its left spine alone, so that products are added in the order in which the program
adds them.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.compiler.simplify import Graph

SOURCES = {"input", "seed", "parameter", "constant"}  # what is not computed
_ADDITIVE = {"add", "sub", "dot", "sum"}


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


def gather(graph: Graph, totals: list[tuple[int, int]]) -> None:
    """Gather sums of products, and find what is used."""
    names, operands = graph.names, graph.operands
    uses = [0] * len(names)
    for x in (*graph.stores, *(x for _, x in totals)):
        uses[x] += 1
    for x in range(len(names) - 1, -1, -1):  # users come after operands
        if uses[x] and names[x] not in SOURCES:
            for operand in operands[x]:
                uses[operand] += 1
    gather = _Spine(graph, uses) if graph.precise else _Tree(graph, uses)
    graph.totals = [
        (position, gather.of(x, root=True))
        for position, x in totals
        if graph.constants.get(x) != 0.0
    ]
    waiting = [graph.one, *graph.stores]
    for _, total in graph.totals:
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
            total = graph.sums[x] = gather.of(x, root=False)
            waiting += total.operands()
        else:
            waiting += operands[x]
    graph.used = [x for x, used in enumerate(seen) if used]


class _Gatherer:
    """Finds the terms of a sum; what has another use, or varies otherwise, stays whole."""

    def __init__(self, graph: Graph, uses: list[int]) -> None:
        self.graph = graph
        self.uses = uses

    def inner(self, x: int, varies: bool) -> bool:
        """Whether an instruction has no use but in the sum that is being gathered."""
        return self.uses[x] == 1 and (x in self.graph.varying) == varies

    def term(self, x: int, varies: bool, negative: bool, root: bool = False) -> Term:
        """Return an instruction as a term: its factors if it is a product without another use."""
        graph = self.graph
        one = graph.one
        if not (root and self.uses[x] == 1) and not self.inner(x, varies):
            return Term(x, one, None, negative)
        name, operands = graph.names[x], graph.operands[x]
        if name == "mul":
            return Term(*self._factors(*operands), None, negative)
        if name == "where" and self._adds_nothing(operands[2]):
            condition, y, _ = operands
            if graph.names[y] == "mul" and self.inner(y, varies):
                a, b = graph.operands[y]
                if not self._vanishes(a, condition) and self._vanishes(b, condition):
                    a, b = b, a
                return Term(
                    a, b, condition, negative, not graph.precise and self._vanishes(a, condition)
                )
            return Term(y, one, condition, negative)
        return Term(x, one, None, negative)

    def _adds_nothing(self, x: int) -> bool:
        """Whether an instruction is a zero; of any sign, where the sign of zeros may change."""
        zero = self.graph.constants.get(x)
        return zero == 0.0 and not (self.graph.precise and str(zero) == "0.0")

    def _factors(self, a: int, b: int) -> tuple[int, int]:
        """Return a factor that is the same for all samples first."""
        return (b, a) if b not in self.graph.varying and a in self.graph.varying else (a, b)

    def _vanishes(self, x: int, condition: int) -> bool:
        graph = self.graph
        if graph.names[x] != "where":
            return False
        chosen_by, _, other = graph.operands[x]
        return chosen_by == condition and graph.constants.get(other) == 0.0


class _Spine(_Gatherer):
    """Along the left spine alone: what is added stays in its order, bit for bit."""

    def of(self, x: int, *, root: bool) -> Sum:
        graph = self.graph
        names, varies = graph.names, x in graph.varying
        if names[x] not in _ADDITIVE or (root and self.uses[x] > 1):
            return Sum(None, [self.term(x, varies, negative=False, root=root)])
        terms: list[Term] = []
        bias: int | None = None
        while True:
            name, operands = names[x], graph.operands[x]
            if name == "dot":
                size = len(operands) // 2
                pairs = [*zip(operands[:size], operands[size:-1], strict=True)]
                terms += [Term(a, b) for a, b in reversed(pairs)]
                bias = operands[-1]
                if not self._continues(bias, varies):
                    break
                x, bias = bias, None
            elif name == "sum":
                terms += [Term(a, graph.one) for a in reversed(operands)]
                bias = graph.zero
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
        return self.graph.names[x] in _ADDITIVE and self.inner(x, varies)


class _Tree(_Gatherer):
    """The whole tree: terms from wherever they are in it."""

    def of(self, x: int, *, root: bool) -> Sum:
        graph = self.graph
        names, varies = graph.names, x in graph.varying
        if root and (self.uses[x] > 1 or names[x] not in _ADDITIVE):
            return Sum(None, [self.term(x, varies, negative=False, root=True)])
        terms: list[Term] = []
        bias: int | None = None
        waiting = [(x, False)]
        while waiting:
            y, negative = waiting.pop()
            name, operands = names[y], graph.operands[y]
            if y != x and not self.inner(y, varies):
                terms.append(Term(y, graph.one, None, negative))
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
        zeros = {x for x in (bias, *(term.a for term in terms)) if graph.constants.get(x) == 0.0}  # type: ignore[arg-type]
        some = [term for term in terms if term.a not in zeros or term.b != graph.one]
        if some or (bias is not None and bias not in zeros):
            return Sum(None if bias in zeros else bias, some)
        return Sum(bias, terms)
