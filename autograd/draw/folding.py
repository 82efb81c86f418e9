"""Folding: what a picture of a large graph shows as one box, so that it can be read.

Boxes are made by ever coarser rules until they are few enough: each node its own; the weights of
one neuron; nodes that are computed alike from nodes that are alike, as the neurons of a layer and
the samples of a batch are, first in one module, then in all; at last everything beyond some
distance from the output.
"""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from autograd.draw.graph import Edge, Graph, Node

UNFOLDED = 50  # nodes at most that are drawn one by one
FEW = 32  # boxes at most of a graph that is folded
MOST = 600  # boxes at most that are laid out, in seconds
_PATH = re.compile(r"\w+(\.\w+)+")
_NUMBER = re.compile(r"([0-9]+)")


class Box(NamedTuple):
    """What a picture shows as one box.

    Attributes:
        name: of its node, or f0, f1, ... where several are folded.
        nodes: one, or several that are folded.
        label: what they are called, with * for numbers that differ: "layers.0.neurons.*".
        modules: the modules around it, the outermost first: "layers.0", "layers.0.neurons.3".
        operands: names of boxes; as in the node, with constants, where nothing is folded.
    """

    name: str
    nodes: tuple[Node, ...]
    label: str
    modules: tuple[str, ...]
    operands: tuple[str | float, ...]

    @property
    def operation(self) -> str:
        """The name of the primitive, if all nodes have the same."""
        first = self.nodes[0].operation
        return first if all(node.operation == first for node in self.nodes) else ""

    @property
    def symbol(self) -> str:
        """How a drawing shows the operation."""
        return self.nodes[0].symbol if self.operation else ""

    @property
    def short(self) -> str:
        """Its label within the innermost module around it."""
        inner = self.modules[-1] if self.modules else None
        return "" if self.label == inner else self.label.removeprefix(f"{inner}.")


class Arrow(NamedTuple):
    """The edges from one box to another: one edge, unless either is folded."""

    operand: Box
    result: Box
    edges: tuple[Edge, ...]


class View(NamedTuple):
    """Boxes, each after its operands and the output last; arrows; and how many nodes there are."""

    output: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    total: int

    @property
    def modules(self) -> list[str]:
        """The modules that boxes are in."""
        return [*dict.fromkeys(module for box in self.boxes for module in box.modules)]

    @property
    def folding(self) -> str:
        """What is folded, in words."""
        shown = len(self.boxes)
        return f"folded {self.total:,} → {shown:,} nodes" if shown < self.total else ""


def view_of(graph: Graph, depth: int | None = None, *, fold: bool = True) -> View:
    """Return what a picture of the graph shows.

    Args:
        graph: all of it.
        depth: nodes with more edges than this between them and the output, along the longest way,
            are folded; None folds none for that reason.
        fold: whether to fold more than `UNFOLDED` boxes, until no more than `FEW` are left.

    Raises:
        ValueError: more than `MOST` boxes are left.

    >>> from autograd import Value
    >>> from autograd.draw.graph import graph_of
    >>> xs = [Value(float(i), f"x{i}") for i in range(100)]
    >>> view = view_of(graph_of(sum(x * x for x in xs)))
    >>> [(box.label, box.operation, len(box.nodes)) for box in view.boxes]
    [('x*', '', 100), ('', 'mul', 100), ('', 'add', 100)]
    """
    each = _Partition(graph, {node.name: node.name for node in graph.nodes})
    partition = each if depth is None else each.cut(depth)
    if fold and partition.size > UNFOLDED:
        for classes in (_neurons(graph), _alike(graph, _in_module), _alike(graph, _pattern)):
            partition = _Partition(graph, classes)
            if depth is not None:
                partition = partition.cut(depth)
            if partition.size <= FEW:
                break
        else:
            partition = partition.cut_to(FEW)
    if partition.size > MOST:
        raise ValueError(
            f"{partition.size:,} boxes are too many to lay out, at most {MOST}: "
            "draw with fold=True, or with depth= the number of edges to show below the output"
        )
    return partition.view()


class _Partition:
    """The nodes in classes, each to be one box; classes in topological order."""

    def __init__(self, graph: Graph, classes: Mapping[str, Hashable]) -> None:
        self.graph = graph
        self.classes = classes
        below: dict[Hashable, dict[Hashable, None]] = {}
        for node in graph.nodes:
            operands = below.setdefault(classes[node.name], {})
            operands |= {classes[x]: None for x in node.operands if isinstance(x, str)}
        for one, operands in below.items():
            operands.pop(one, None)
        self.below = below
        unfolded = len(below) == len(graph.nodes)
        self.order = [*below] if unfolded else [*TopologicalSorter(below).static_order()]
        self.size = len(below)

    def cut(self, depth: int) -> _Partition:
        """Fold what is beyond so many edges: each part that hangs together is one class."""
        return self._without(self._beyond(depth))

    def cut_to(self, size: int) -> _Partition:
        """Fold what is beyond the greatest distance that leaves no more classes than this."""
        distances = sorted(self._distances().values())
        depth = distances[size - 1] if len(distances) >= size else distances[-1]
        while depth > 0 and sum(distance <= depth for distance in distances) >= size:
            depth -= 1
        beyond = self._beyond(depth)
        parts = self._without(beyond)
        return parts if parts.size <= size else self._without(dict.fromkeys(beyond, 0))

    def _distances(self) -> dict[Hashable, int]:
        """Return the number of edges on the longest way from each class to the output's."""
        distances = dict.fromkeys(self.order, 0)
        for one in reversed(self.order):
            for operand in self.below[one]:
                distances[operand] = max(distances[operand], distances[one] + 1)
        return distances

    def _beyond(self, depth: int) -> dict[Hashable, int]:
        """Return the classes beyond so many edges, each with the number of its part."""
        distances = self._distances()
        near: dict[Hashable, list[Hashable]] = {x: [] for x in self.order if distances[x] > depth}
        for one, neighbours in near.items():
            for operand in self.below[one]:
                neighbours.append(operand)
                near[operand].append(one)
        parts: dict[Hashable, int] = {}
        for i, first in enumerate(near):
            stack = [] if first in parts else [first]
            while stack:
                one = stack.pop()
                parts[one] = i
                stack += [x for x in near[one] if x not in parts]
        return {one: parts[one] for one in near}

    def _without(self, parts: Mapping[Hashable, int]) -> _Partition:
        joined = {
            name: ("beyond", parts[one]) if one in parts else one
            for name, one in self.classes.items()
        }
        return _Partition(self.graph, joined)

    def view(self) -> View:
        """Return the classes as boxes, and the edges between them as arrows."""
        nodes: dict[Hashable, list[Node]] = {one: [] for one in self.order}
        for node in self.graph.nodes:
            nodes[self.classes[node.name]].append(node)
        known = {module for node in self.graph.nodes for module in _modules(node.label)}
        boxes: dict[Hashable, Box] = {}
        folds = 0
        for one in self.order:
            members = nodes[one]
            name, label = members[0].name, _common_label(node.label for node in members)
            operands: tuple[str | float, ...] = tuple(boxes[x].name for x in self.below[one])
            if len(members) > 1:
                name, folds = f"f{folds}", folds + 1
            elif not any(len(boxes[x].nodes) > 1 for x in self.below[one]):
                operands = members[0].operands
            inside = [m for m in _modules(label) if "*" not in m]
            if label in known:
                inside.append(label)
            boxes[one] = Box(name, tuple(members), label, tuple(inside), operands)
        bundles: dict[Hashable, list[Edge]] = {}
        for edge in self.graph.edges:
            ends = (self.classes[edge.operand], self.classes[edge.result])
            if ends[0] != ends[1]:
                single = all(len(nodes[end]) == 1 for end in ends)
                bundles.setdefault((*ends, edge.position if single else None), []).append(edge)
        places = {one: i for i, one in enumerate(self.order)}
        arrows = [
            Arrow(*(boxes[self.classes[x]] for x in edges[0][:2]), tuple(edges))
            for edges in bundles.values()
        ]
        arrows.sort(key=lambda arrow: places[self.classes[arrow.edges[0].result]])
        return View(self.graph.output, tuple(boxes.values()), tuple(arrows), len(self.graph.nodes))


def _neurons(graph: Graph) -> dict[str, Hashable]:
    """Put the weights of one neuron in one class: leaves alike but for the last number."""
    classes: dict[str, Hashable] = {}
    for node in graph.nodes:
        path, _, last = node.label.rpartition(".")
        leaf = not node.operation and path and last.isdecimal()
        classes[node.name] = ("leaves", path) if leaf else node.name
    return classes


def _alike(graph: Graph, pattern: Callable[[str], str]) -> dict[str, Hashable]:
    """Put nodes in one class that are computed alike from nodes of the same classes.

    Labels of one pattern are alike, and so are all constants. A node that is computed as
    one of its operands was, from nothing else, joins that one's class: so a sum added up term by
    term is one class.

    A class consists of an operation and the classes below it, none of which can hold the class
    itself; so there is a topological order of the classes.
    """
    users: dict[str, set[Hashable]] = {node.name: set() for node in graph.nodes}
    by_name = {node.name: node for node in graph.nodes}
    for edge in graph.edges:
        user = by_name[edge.result]
        users[edge.operand].add((user.operation, pattern(user.label)))
    numbers: dict[Hashable, int] = {}
    kinds: list[tuple[Hashable, frozenset[int]]] = []
    classes: dict[str, int] = {}
    for node in graph.nodes:
        kind: Hashable = (node.operation, pattern(node.label))
        if not node.operation and not node.label:
            kind = (kind, frozenset(users[node.name]))
        below = frozenset(classes[x] for x in node.operands if isinstance(x, str))
        joined = [x for x in below if kinds[x][0] == kind and below - {x} <= kinds[x][1]]
        if node.operation and joined:
            classes[node.name] = min(joined)
            continue
        one = classes[node.name] = numbers.setdefault((kind, below), len(numbers))
        if one == len(kinds):
            kinds.append((kind, below))
    return {**classes}


def _pattern(label: str) -> str:
    return _NUMBER.sub("*", label)


def _in_module(label: str) -> str:
    """Return the label with * for each number but those of the outermost module."""
    outermost = next(iter(_modules(label)), "")
    return outermost + _pattern(label[len(outermost) :])


def _common_label(labels: Iterable[str]) -> str:
    """Return the label with * for each number that differs; nothing if more differs."""
    distinct = dict.fromkeys(labels)
    if len({_pattern(label) for label in distinct}) > 1:
        return ""
    columns = zip(*(_NUMBER.split(label) for label in distinct), strict=True)
    return "".join(column[0] if len({*column}) == 1 else "*" for column in columns)


def _modules(label: str) -> list[str]:
    """Return the modules that a parameter of this dotted name is in, the outermost first.

    >>> _modules("layers.0.neurons.3.weights.1")
    ['layers.0', 'layers.0.neurons.3']
    """
    if not _PATH.fullmatch(label.replace("*", "0")):
        return []
    parts = label.split(".")
    return [
        ".".join(parts[:i])
        for i in range(1, len(parts))
        if not (parts[i].isdecimal() or parts[i] == "*")
    ]
