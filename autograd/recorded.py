"""The sweep that records itself: gradients that are graphs, to be differentiated again.

The partials stored on edges are plain numbers. Here each partial is evaluated anew, on the nodes
themselves, so that it is a node too. The same sweep serves every kind of number that has a graph,
`Value`s and `Tracer`s.
"""

from __future__ import annotations

from contextvars import ContextVar

from autograd.backward import graph
from autograd.primitives import mul, shown, times, where
from autograd.value import Value

# True while a function is run whose results will be differentiated or traced: gradients taken
# inside it must be recorded.
under_way: ContextVar[bool] = ContextVar("under_way", default=False)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.primitives import Primitive


def gradients(value: Value, inputs: Sequence[Value]) -> list[Value]:
    """D value / d input for each input, recorded: each is a `Value` with a graph of its own.

    Touches no `.grad`. An input may be a leaf or a computed node; what flows through other paths
    to what lies below it does not count.

    Args:
        value: what to differentiate.
        inputs: by what; each counts as a variable of its own.

    Returns:
        A Value for each input; 0.0 where `value` does not depend on it.

    Raises:
        TypeError: `value` or an input is not a `Value`.
        RuntimeError: the `.data` of an operand was changed after the graph was recorded.

    >>> x = Value(2.0)
    >>> slope, = gradients(x ** 3, [x])
    >>> curvature, = gradients(slope, [x])
    >>> slope.data, curvature.data
    (12.0, 12.0)
    """
    if not isinstance(inputs, list | tuple):
        raise TypeError(f"gradients(value, inputs): expected a list of Values, got {shown(inputs)}")
    for name, given in (("value", value), *((f"inputs[{i}]", x) for i, x in enumerate(inputs))):
        if not isinstance(given, Value):
            raise TypeError(
                f"gradients(value, inputs): expected a Value as {name}, got {shown(given)}"
            )
    totals = recorded_cotangents(value, inputs)
    found = [totals.get(x, 0.0) for x in inputs]
    return [g if isinstance(g, Value) else Value(g) for g in found]


def recorded_cotangents(root: Any, inputs: Sequence[Any]) -> dict[Any, Any]:
    """The cotangent, a number of the root's kind, of every node from the root to the inputs.

    A trace does not know which operand a row selects. There a contribution from an operand that
    may not be selected, and everything below it, is `where(condition, contribution, 0)`; below a
    product by `times`, which may be 0, cotangents are multiplied by `times` as well. So what was
    not selected contributes nothing, even inf or nan, now and when this is differentiated again.
    """
    stops = {*inputs}
    between = {*inputs}
    order = []
    for node in graph(root, stops):
        depends = any(type(x) is not float and x in between for x in node.operands)
        if node in stops or (depends and node.primitive.partials):
            between.add(node)
            order.append(node)
    totals: dict[Any, Any] = {root: 1.0}
    flows: dict[Any, Flow] = {root: _ALWAYS}
    for node in reversed(order):
        if node in stops or node not in totals:
            continue
        row, operands, g, here = node.primitive, node.operands, totals[node], flows[node]
        wanted = [type(x) is not float and x in between for x in operands]
        partials = row.partials_at(node, operands, wanted)
        for position, (operand, partial) in enumerate(zip(operands, partials, strict=True)):
            if partial is None:
                continue
            edge = here
            chosen = _was_chosen(node, position, partial)
            if row.selects and chosen is not True:
                if type(partial) is float:
                    if partial == 0.0:
                        continue
                elif row is times:
                    edge = Flow(edge.condition, may_be_zero=True)
                else:
                    edge = edge.under(partial)
            contribution = product(g, partial, times if edge.may_be_zero else mul)
            if edge.condition is not None:
                contribution = where(edge.condition, contribution, 0.0)
            if operand in totals:
                contribution = totals[operand] + contribution
                edge = flows[operand].joined(edge)
            totals[operand], flows[operand] = contribution, edge
    return totals


class Flow:
    """What is known of whether anything flows to a node.

    Attributes:
        condition: a number that is not 0 where something does; None where that needs no asking.
        may_be_zero: whether it comes through a factor whose being 0 means that nothing does.
    """

    __slots__ = ("condition", "may_be_zero")

    def __init__(self, condition: Any, *, may_be_zero: bool) -> None:
        self.condition = condition
        self.may_be_zero = may_be_zero

    def under(self, condition: Any) -> Flow:
        """Return the flow through an edge where this condition holds too."""
        if self.condition is not None:
            condition = where(self.condition, condition, 0.0)
        return Flow(condition, may_be_zero=self.may_be_zero)

    def joined(self, other: Flow) -> Flow:
        """Return the flow to a node that either of two flows reaches."""
        if self.certain or other.certain:
            return _ALWAYS
        condition = None
        if self.condition is not None and other.condition is not None:
            condition = where(self.condition, 1.0, other.condition)
        return Flow(condition, may_be_zero=self.may_be_zero or other.may_be_zero)

    @property
    def certain(self) -> bool:
        """Whether something flows whatever the numbers are."""
        return self.condition is None and not self.may_be_zero


_ALWAYS = Flow(None, may_be_zero=False)


def product(g: Any, partial: Any, multiply: Primitive = mul) -> Any:
    """Return g x partial, g a cotangent or tangent; a factor of exactly 1 changes nothing."""
    if type(partial) is float and partial == 1.0:
        return g
    if type(g) is float and g == 1.0:
        return partial
    return multiply(g, partial)


def _was_chosen(node: Any, position: int, partial: Any) -> bool | None:
    """Whether something flowed along this edge when it was recorded; None if it is a trace.

    Raises:
        RuntimeError: the partial is not what it was then.
    """
    if not isinstance(node, Value) or node.primitive is None:
        return None
    stored = node.edges[len(node.edges) // 2 + position]
    now, then = float(partial), stored or 0.0
    if now != then and not (now != now and then != then):  # noqa: PLR0124  nan is not nan
        raise RuntimeError(
            f"gradients: the data of an operand of {node.primitive.name} was changed after it was "
            f"recorded: its partial {position + 1} was {then}, now it is {now}; compute it again"
        )
    return stored is not None
