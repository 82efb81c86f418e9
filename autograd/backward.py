"""The reverse sweep: a topological order of the graph, then the chain rule along it.

The *cotangent* of a node is d root / d node. The root's is given (1 by default), and a node's is
the sum over its uses of contribution = (cotangent of the user) x (partial on the edge). Processing
users before operands makes every sum complete before it is passed on.

The graph is walked without recursion, so its depth has no limit, and nothing is written to `.grad`
before every number is known.
"""

from __future__ import annotations

from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from autograd.value import Value


def topological_order(root: Value) -> list[Value]:
    """The computed nodes of the graph of `root`, operands before users.

    Depth first from the root, so that the order is the same from run to run.

    >>> from autograd import Value
    >>> a = Value(2.0); b = a * a; c = b + a
    >>> [node.data for node in topological_order(c)]
    [4.0, 6.0]
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Value | None] = [root] if root.edges else []
    push = stack.append
    while stack:
        node = stack.pop()
        if node is None:  # the node below this mark has had all its operands ordered
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            push(node)
            push(None)
            edges = node.edges
            if len(edges) == 4:  # unrolled for two operands and for one: a fifth less time
                a, b, _, _ = edges
                if type(a) is not float and a.edges and a not in seen:
                    push(a)
                if type(b) is not float and b.edges and b not in seen:
                    push(b)
            elif len(edges) == 2:
                a = edges[0]
                if a.edges and a not in seen:
                    push(a)
            else:
                operands = edges[: len(edges) // 2]
                if not seen.issuperset(operands):  # one call into C: a tenth of a training step
                    for x in operands:
                        if type(x) is float:
                            continue
                        if not x.edges:
                            seen.add(x)
                        elif x not in seen:
                            push(x)
    return order


def graph(root: Value) -> list[Value]:
    """Every Value in the graph of `root`, leaves included, operands before users.

    >>> from autograd import Value
    >>> a = Value(1.0, "a"); b = Value(2.0, "b")
    >>> [node.label for node in graph(a + b)]
    ['a', 'b', '']
    """
    found: dict[Value, None] = {}
    for node in topological_order(root):
        found.update((x, None) for x in node.operands if type(x) is not float)
        found[node] = None
    return [*found] or [root]


def cotangents(root: Value, cotangent: float = 1.0) -> dict[Value, float]:
    """The cotangent d root / d node, times `cotangent`, of every node that something flows from.

    Touches no `.grad`. Nodes are keys by identity.

    >>> from autograd import Value
    >>> a = Value(3.0)
    >>> cotangents(a * a)[a]
    6.0
    """
    totals = {root: cotangent}
    total_of = totals.get
    for node in reversed(topological_order(root)):
        g = total_of(node)
        if g is None:  # below an operand that was not selected
            continue
        edges = node.edges
        if len(edges) == 4:  # unrolled as above
            a, b, p, q = edges
            if p is not None:
                totals[a] = total_of(a, 0.0) + g * p
            if q is not None:
                totals[b] = total_of(b, 0.0) + g * q
        elif len(edges) == 2:
            a, p = edges
            if p is not None:
                totals[a] = total_of(a, 0.0) + g * p
        else:
            half = len(edges) // 2
            for operand, partial in zip(edges, edges[half:]):  # noqa: B905  the partials end both
                if partial is not None:
                    totals[operand] = total_of(operand, 0.0) + g * partial
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
    totals = {root: cotangent}
    for node in reversed(topological_order(root)):
        if node not in totals:
            continue
        g = totals[node]
        contributions = []
        half = len(node.edges) // 2
        for operand, partial in zip(node.edges[:half], node.edges[half:], strict=True):
            if partial is not None:
                contribution = g * partial
                totals[operand] = totals.get(operand, 0.0) + contribution
                contributions.append((operand, partial, contribution, totals[operand]))
        yield Step(node, g, contributions)


def accumulate(totals: dict[Value, float]) -> None:
    """Store cotangents in `.grad`: leaves add to what they hold, computed nodes start afresh.

    One call into C reads, adds and assigns, so that no signal and, under the interpreter's lock,
    no other thread comes in between: all gradients change or none.

    Raises:
        TypeError: the `.grad` of a leaf is not a number.
    """
    leaves = [node for node in totals if not node.edges]
    for leaf in leaves:
        if not isinstance(leaf.grad, float | int):
            raise TypeError(
                f"backward(): {leaf.label or 'a leaf'}.grad is {leaf.grad!r}, not a number: "
                "set it to 0.0, or call zero_grad()"
            )
    computed = [node for node in totals if node.edges]
    slot: Any = type(next(iter(totals))).grad  # type: ignore[misc]
    total_of = totals.__getitem__
    sums = map(float.__add__, map(total_of, leaves), map(slot.__get__, leaves))
    fresh = map(total_of, computed)
    any(chain(map(slot.__set__, leaves, sums), map(slot.__set__, computed, fresh)))
