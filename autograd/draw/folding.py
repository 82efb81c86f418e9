"""Folding: what a picture of a large graph shows as one box, so that it can be read.

Boxes are made by ever coarser rules until they are few enough: each node its own; the weights of
one neuron; nodes that are computed alike from nodes that are alike, as the neurons of a layer and
the samples of a batch are, first in one module, then in all; at last everything beyond some
distance from the output.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from autograd.draw.graph import Edge, Graph, Node

UNFOLDED = 50  # nodes at most that are drawn one by one
FEW = 32  # boxes at most of a graph that is folded
MOST = 600  # boxes at most that are laid out, in seconds
FARTHEST = 2_000  # ranks that arrows may span in all; the time grows with the cube of these
_PATH = re.compile(r"\w+(\.\w+){1,20}")  # no module lies deeper
_NUMBER = re.compile(r"(\d+)")


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
        fold: whether to fold more than `UNFOLDED` boxes, until no more than `FEW` are left; and
            fewer, where their arrows span more than `FARTHEST` ranks.

    Raises:
        ValueError: more than `MOST` boxes are left, or their arrows span too many ranks.

    >>> from autograd import Value
    >>> from autograd.draw.graph import graph_of
    >>> xs = [Value(float(i), f"x{i}") for i in range(100)]
    >>> view = view_of(graph_of(sum(x * x for x in xs)))
    >>> [(box.label, box.operation, len(box.nodes)) for box in view.boxes]
    [('x*', '', 100), ('', 'mul', 100), ('', 'add', 99), ('', 'add', 1)]
    """
    each = _Partition(graph, {node.name: node.name for node in graph.nodes})
    partition = each if depth is None else each.cut(depth)
    if fold and not partition.fits(UNFOLDED):
        for classes in _ever_coarser(graph):
            partition = _Partition(graph, classes)
            if depth is not None:
                partition = partition.cut(depth)
            if partition.fits(FEW):
                break
        else:
            cut = partition.cut_to(FEW)
            partition = cut if cut.fits(FEW) else partition.cut_to(FEW // 2)
    if not partition.fits(MOST):
        what = f"{partition.size:,} boxes are too many to lay out, at most {MOST}"
        if partition.size <= MOST:
            what = f"the arrows span {partition.span:,} ranks, at most {FARTHEST:,} are laid out"
        raise ValueError(
            f"{what}: "
            "draw with fold=True, or with depth= the number of edges to show below the output"
        )
    return partition.view()


class _Partition:
    """The nodes in classes, each to be one box.

    The first nodes of the classes stand in topological order: a class comes after those that it is
    computed from.
    """

    def __init__(self, graph: Graph, classes: Mapping[str, Hashable]) -> None:
        self.graph = graph
        self.classes = classes
        self.order = [*dict.fromkeys(classes.values())]
        self.size = len(self.order)

    @cached_property
    def below(self) -> dict[Hashable, dict[Hashable, None]]:
        """For each class the others that it is computed from."""
        below: dict[Hashable, dict[Hashable, None]] = {one: {} for one in self.order}
        for edge in self.graph.edges:
            operand, result = self.classes[edge.operand], self.classes[edge.result]
            if operand != result:
                below[result][operand] = None
        return below

    @property
    def span(self) -> int:
        """How many ranks the arrows go across in all."""
        ranks = self._distances()
        return sum(ranks[x] - ranks[one] for one in self.order for x in self.below[one])

    def fits(self, most: int) -> bool:
        """Whether there are no more boxes than this, and arrows short enough to be laid out."""
        return self.size <= most and self.span <= FARTHEST

    def cut(self, depth: int) -> _Partition:
        """Fold what is beyond so many edges: each part that hangs together is one class."""
        return self._without(self._beyond(depth))

    def cut_to(self, size: int) -> _Partition:
        """Fold what is beyond the greatest distance that leaves no more classes than this."""
        depth = sorted(self._distances().values())[:size][-1] - 1
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
        labels = {node.label for node in self.graph.nodes}
        known = {module for label in labels for module in _modules(label)}
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
        bundles: defaultdict[tuple[Hashable, Hashable, int | None], list[Edge]] = defaultdict(list)
        for edge in self.graph.edges:
            operand, result = self.classes[edge.operand], self.classes[edge.result]
            if operand != result:
                single = len(nodes[operand]) == len(nodes[result]) == 1
                bundles[operand, result, edge.position if single else None].append(edge)
        places = {one: i for i, one in enumerate(self.order)}
        arrows = [
            Arrow(boxes[operand], boxes[result], tuple(edges))
            for (operand, result, _), edges in bundles.items()
        ]
        arrows.sort(key=lambda arrow: places[self.classes[arrow.edges[0].result]])
        return View(self.graph.output, tuple(boxes.values()), tuple(arrows), len(self.graph.nodes))


def _ever_coarser(graph: Graph) -> Iterator[Mapping[str, Hashable]]:
    """Yield the class of each node by name, by one rule after the other."""
    yield _neurons(graph)
    yield _alike(graph, _in_module)
    if any(_modules(node.label) for node in graph.nodes):  # else it is the same again
        yield _alike(graph, _pattern)


def _neurons(graph: Graph) -> dict[str, Hashable]:
    """Put the weights of one neuron in one class: leaves alike but for the last number."""
    classes: dict[str, Hashable] = {}
    for node in graph.nodes:
        path, _, last = node.label.rpartition(".")
        leaf = not node.operation and path and last.isdecimal()
        classes[node.name] = ("leaves", path) if leaf else node.name
    return classes


def _alike(graph: Graph, pattern: Callable[[str], Hashable]) -> dict[str, int]:
    """Put nodes in one class that are computed alike from nodes of the same classes.

    Labels of one pattern are alike, and so are constants used alike. A node that is computed as the
    last of its operands' classes was joins it: so a sum added up term by term is one class. The
    output stays alone.

    Classes are numbered as they are found, and none is computed from a later one; with the nodes
    taken level by level, the terms of a sum are found before the sum.
    """
    patterns = {label: pattern(label) for label in {node.label for node in graph.nodes}}
    kinds = {node.name: (node.operation, patterns[node.label]) for node in graph.nodes}
    users: dict[str, set[Hashable]] = {  # of constants
        node.name: set() for node in graph.nodes if not node.operation and not node.label
    }
    levels = {node.name: 0 for node in graph.nodes}
    for edge in graph.edges:
        if edge.operand in users:
            users[edge.operand].add(kinds[edge.result])
        levels[edge.result] = max(levels[edge.result], levels[edge.operand] + 1)
    found: dict[Hashable, int] = {}
    kind_of: list[Hashable] = []
    classes: dict[str, int] = {}
    for node in sorted(graph.nodes, key=lambda node: levels[node.name]):
        kind = kinds[node.name]
        below = frozenset(classes[x] for x in node.operands if isinstance(x, str))
        last = max(below, default=None)
        if last is not None and kind_of[last] == kind and node is not graph.nodes[-1]:
            classes[node.name] = last
            continue
        alike = (kind, frozenset(users.get(node.name, below)))
        one = classes[node.name] = found.setdefault(alike, len(found))
        if one == len(kind_of):
            kind_of.append(kind)
    return classes


def _pattern(label: str) -> tuple[str, ...]:
    """Return what stands between the numbers of the label."""
    return tuple(_NUMBER.split(label)[::2])


def _in_module(label: str) -> tuple[str, ...]:
    """Return the same, but with the numbers of the outermost module."""
    outermost = next(iter(_modules(label)), "")
    return (outermost, *_pattern(label[len(outermost) :]))


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
