"""Copies and pickles of a graph: nodes are copied operands first, never by recursion."""

from __future__ import annotations

from autograd.backward import graph
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def copied(node: Value, edges: tuple[Any, ...]) -> Value:
    """Return a new node like this one, but for its edges."""
    return _restored(type(node), _state(node), edges)


def deeply_copied(root: Value, memo: dict[int, Any]) -> Value:
    """Return a copy of the whole graph, as `copy.deepcopy` asks with its memo."""
    for node in graph(root):
        if id(node) not in memo:
            edges = [memo[id(x)] if isinstance(x, Value) else x for x in node.edges]
            memo[id(node)] = copied(node, tuple(edges))
    copy: Value = memo[id(root)]
    return copy


def reduced(root: Value) -> tuple[Callable[..., Value], tuple[Any, ...]]:
    """Return what `pickle` is to call and with what, to have the whole graph again."""
    if not root.edges:
        return _restored, (type(root), _state(root), ())
    nodes = graph(root)
    position = {node: i for i, node in enumerate(nodes)}
    # a leaf is pickled as itself, so that it stays one leaf under several roots
    rows = [
        (
            _state(x),
            [position[e] if isinstance(e, Value) else e for e in x.operands],
            x.edges[len(x.operands) :],
        )
        if x.edges
        else x
        for x in nodes
    ]
    return _restored_graph, (rows,)


def _state(node: Value) -> tuple[Any, ...]:
    """Everything but the edges; a subclass may have attributes of its own."""
    return node.data, node.grad, node.primitive, node.label, getattr(node, "__dict__", {})


def _restored(kind: type[Value], state: tuple[Any, ...], edges: tuple[Any, ...]) -> Value:
    node: Value = object.__new__(kind)
    node.data, node.grad, node.primitive, node.label, attributes = state
    node.edges = edges
    for name, attribute in attributes.items():
        setattr(node, name, attribute)
    return node


def _restored_graph(rows: list[Any]) -> Value:
    nodes: list[Value] = []
    for row in rows:
        if type(row) is tuple:
            state, operands, partials = row
            values = [nodes[x] if type(x) is int else x for x in operands]
            nodes.append(_restored(Value, state, (*values, *partials)))
        else:
            nodes.append(row)
    return nodes[-1]
