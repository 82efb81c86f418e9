"""The reverse sweep: a topological order of the graph, then the chain rule along it.

The *cotangent* of a node is d root / d node. The root's is given (1 by default), and a node's is
the sum over its uses of contribution = (cotangent of the user) x (partial on the edge). Processing
users before operands makes every sum complete before it is passed on.

The order does not depend on what was selected: so sums are added up in the same order wherever they
are computed, to the same last bit, though a trace must walk branches that nothing flows to here.

The graph is walked without recursion, so its depth has no limit, and nothing is written to `.grad`
before every number is known.
"""

from __future__ import annotations

from itertools import chain, filterfalse, repeat
from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from typing import Any

    from autograd.value import Value

# The total of a node that nothing has reached. Adding x to it gives x, even for x = -0.0, and never
# this very object; no constant is this object, since it is made at run time.
_NOTHING = float("-0.0")


def topological_order(root: Value) -> list[Value]:
    """Every node below `root` and itself, unselected branches too, operands before users.

    Depth first from the root, the last operand before the others.

    >>> from autograd import Value
    >>> a = Value(2.0); b = a * a; c = b + a
    >>> [node.data for node in topological_order(c)]
    [2.0, 4.0, 6.0]
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Value | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:  # the node below this mark has had all its operands ordered
            order.append(stack.pop())  # type: ignore[arg-type]
            continue
        while node not in seen:
            seen.add(node)
            edges = node.edges
            size = len(edges)
            if size == 2:  # unrolled for one operand and for two: a fifth less time
                stack.append(node)
                stack.append(None)
                node = edges[0]
            elif size == 4:
                stack.append(node)
                stack.append(None)
                a, node, p, q = edges  # an operand with a partial is no float
                if q is None and type(node) is float:
                    node = a
                elif (p is not None or type(a) is not float) and a not in seen:
                    stack.append(a)
            else:
                operands = edges[: size // 2]
                if seen.issuperset(operands):  # in C: a tenth of a training step
                    order.append(node)
                    break
                stack.append(node)
                stack.append(None)
                for operand in operands:
                    if type(operand) is float or operand in seen:
                        continue
                    if operand.edges:
                        stack.append(operand)
                    else:
                        seen.add(operand)
                        order.append(operand)
    return order


def graph(
    root: Any,
    above: Container[Any] = (),
    operands_of: Callable[[Any], Sequence[Any]] = attrgetter("operands"),
) -> list[Any]:
    """Every node in the graph of `root`, unselected branches included, operands before users.

    Args:
        root: a node, of any kind that has `operands`.
        above: nodes below which not to look.
        operands_of: what to look at below a node, the first before the others.

    >>> from autograd import Value
    >>> a = Value(1.0, "a"); b = Value(2.0, "b")
    >>> [node.label for node in graph(a + b)]
    ['a', 'b', '']
    """
    found: dict[Any, None] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        operands = () if node in found or node in above else operands_of(node)
        missing = [x for x in reversed(operands) if type(x) is not float and x not in found]
        stack += missing
        if not missing:
            found[stack.pop()] = None
    return [*found]


def cotangents(root: Value, cotangent: float = 1.0) -> dict[Value, float]:
    """The cotangent d root / d node, times `cotangent`, of every node that something flows to.

    Touches no `.grad`. Nodes are keys by identity.

    >>> from autograd import Value
    >>> a = Value(3.0)
    >>> cotangents(a * a)[a]
    6.0
    """
    order = topological_order(root)
    nothing = _NOTHING
    totals = dict.fromkeys(order, nothing)
    totals[root] = cotangent
    for node in reversed(order):
        g = totals[node]
        if g is nothing:
            del totals[node]
            continue
        edges = node.edges
        size = len(edges)
        if size == 2:  # unrolled as above
            a, p = edges
            if p is not None:
                totals[a] += g * p
        elif size == 4:
            a, b, p, q = edges
            if p is not None:
                totals[a] += g * p
            if q is not None:
                totals[b] += g * q
        else:
            half = size // 2
            for operand, partial in zip(edges, edges[half:]):  # noqa: B905  the partials end both
                if partial is not None:
                    totals[operand] += g * partial
    return totals


class Step:
    """One step of the reverse sweep: a node whose cotangent is complete passes it on.

    Attributes:
        node: the node.
        cotangent: d root / d node.
        contributions: for each edge `(operand, partial, contribution, total)`, where contribution
            = cotangent x partial, and total is the operand's sum of contributions so far.
    """

    __slots__ = ("contributions", "cotangent", "node")

    def __init__(
        self,
        node: Value,
        cotangent: float,
        contributions: list[tuple[Value, float, float, float]],
    ) -> None:
        self.node = node
        self.cotangent = cotangent
        self.contributions = contributions

    def __repr__(self) -> str:
        return f"Step({self.node!r}, cotangent={self.cotangent!r}, {len(self.contributions)} edges)"


def backward_steps(root: Value, cotangent: float = 1.0) -> Iterator[Step]:
    """The reverse sweep step by step, users before operands; touches no `.grad`.

    Args:
        root: the value to differentiate.
        cotangent: the root's own cotangent.

    Yields:
        A `Step` for each computed node, in the order and with the numbers of `backward()`.

    Raises:
        TypeError: `root` is not a `Value`.

    >>> from autograd import Value
    >>> a = Value(3.0)
    >>> for step in backward_steps(a + a):
    ...     print([total for operand, partial, contribution, total in step.contributions])
    [1.0, 2.0]
    """
    if not hasattr(root, "edges"):
        raise TypeError(
            f"backward_steps(root): expected a Value, got {type(root).__name__} {root!r}"
        )
    order = topological_order(root)
    totals = dict.fromkeys(order, _NOTHING)
    totals[root] = cotangent
    for node in reversed(order):
        g = totals[node]
        if g is _NOTHING or not node.edges:
            continue
        contributions = []
        half = len(node.edges) // 2
        for operand, partial in zip(node.edges[:half], node.edges[half:], strict=True):
            if partial is not None:
                contribution = g * partial
                totals[operand] += contribution
                contributions.append((operand, partial, contribution, totals[operand]))
        yield Step(node, g, contributions)


def accumulate(totals: dict[Value, float]) -> None:
    """Store cotangents in `.grad`: leaves add to what they hold, computed nodes start afresh.

    One call into C reads, adds and assigns, so that no signal and, under the interpreter's lock,
    no other thread comes in between: all gradients change or none.

    Args:
        totals: the cotangent of each node; leaves are taken out of it.

    Raises:
        TypeError: the `.grad` of a leaf is not a number.
    """
    leaves = [*filterfalse(attrgetter("edges"), totals)]
    for leaf in leaves:
        if not isinstance(leaf.grad, float | int):
            raise TypeError(
                f"backward(): {leaf.label or 'a leaf'}.grad is {leaf.grad!r}, not a number: "
                "set it to 0.0, or call zero_grad()"
            )
    found = [*map(totals.pop, leaves)]
    sums = map(float.__add__, found, map(getattr, leaves, repeat("grad")))
    any(map(setattr, chain(leaves, totals), repeat("grad"), chain(sums, totals.values())))
