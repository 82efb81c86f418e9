"""Drawings of the graph: every node with its number and gradient, every edge with its partial."""

from __future__ import annotations

from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from autograd.draw.drawing import Drawing
    from autograd.draw.folding import View
    from autograd.draw.graph import Graph
    from autograd.draw.webpage import Page


class DrawingError(RuntimeError):
    """A drawing could not be laid out; the message says why."""


class MissingProgram(DrawingError):  # noqa: N818 - it says what is missing
    """No program was found that lays out graphs; the message says what to install."""


def draw(
    value: Any,
    *,
    depth: int | None = None,
    fold: bool = True,
    show: str | Iterable[str] | None = None,
    rankdir: str = "LR",
) -> Drawing:
    """Draw the graph that computed `value`, with d value / d node at every node, or a network.

    The gradients are those of `value` alone, whether or not `backward()` has run; `.grad` is
    neither read nor changed. A dot stands for the gradient of a node that the sweep does not reach.

    A graph of more than 50 nodes is folded, and the drawing says so: the weights of a neuron become
    one box, then the neurons of a layer and whatever else is computed alike, then what is far from
    the output.

    Args:
        value: the output, a `Value`; or a model: an `MLP`, `Layer` or `Neuron` is drawn as a
            network, units by layer.
        depth: fold what has more operations than this between itself and the output.
        fold: whether to fold a graph of more than 50 nodes.
        show: what to print, of "label", "operation", "data", "gradient", "partial", "legend" (all
            of these if not given) and "contribution", what flows back along an edge. Of a network,
            what colour and width of its lines mean: "weight" or "gradient", its `.grad`.
        rankdir: "LR" draws a graph from left to right, "TB" from top to bottom.

    Returns:
        A drawing that shows itself in a notebook, and saves itself with `.save("graph.svg")`.

    Raises:
        TypeError: `value` is neither a `Value` nor a network.
        ValueError: an argument is none of these, or there are too many nodes to lay out.

    >>> a = Value(3.0, "a")
    >>> print(draw(a + a))
    node  label  operation  operands  value  d output / d node
    n0    a                               3                  2
    n1           add        n0 n0         6                  1
    """
    # imported here, so that `import autograd` loads nothing that only drawings need
    from autograd.draw.drawing import Drawing, GraphPicture  # noqa: PLC0415

    if not isinstance(value, Value):
        from autograd.draw.network import network_of  # noqa: PLC0415

        network = network_of(value, "weight" if show is None else show)
        if (depth, fold, rankdir) != (None, True, "LR"):
            raise ValueError("draw(model): depth, fold and rankdir are for the graph of a Value")
        return Drawing(network)
    from autograd.draw.dot import SHOWN  # noqa: PLC0415

    known = (*SHOWN, "contribution")
    parts: Any = SHOWN if show is None else show
    several = hasattr(parts, "__iter__") and not isinstance(parts, str)
    shown = tuple(parts) if several else (parts,)
    if unknown := [x for x in shown if x not in known]:
        some = ", ".join(known)
        raise ValueError(f"draw(value, show): expected some of {some}, got {unknown[0]!r}")
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"draw(value, rankdir): expected 'LR' or 'TB', got {rankdir!r}")
    _, view = _graph_and_view("draw", value, depth, fold)
    return Drawing(GraphPicture(view, shown, rankdir))


def _graph_and_view(caller: str, value: Value, depth: int | None, fold: bool) -> tuple[Graph, View]:
    from autograd.draw.folding import view_of  # noqa: PLC0415  as above
    from autograd.draw.graph import graph_of  # noqa: PLC0415

    if depth is not None and (type(depth) is not int or depth < 0):
        raise ValueError(
            f"{caller}(value, depth): expected a whole number of at least 0, got {depth!r}"
        )
    graph = graph_of(value)
    return graph, view_of(graph, depth, fold=fold)


def explore(value: Any, *, depth: int | None = None, fold: bool = True) -> Page:
    """Return a web page that steps through the graph of `value`, forward and backward.

    Each step shows its formula and its numbers, in the drawing too. Sliders move the leaves, and
    every value and gradient follows. The page computes everything from the leaves' present data.
    It is one file: it needs no network and no server.

    Args:
        value: the output, a `Value`.
        depth: as in `draw`.
        fold: as in `draw`.

    Returns:
        A page that shows itself in a notebook, and saves itself with `.save("graph.html")`.

    Raises:
        TypeError: `value` is not a `Value`.
        ValueError: the graph is too large for a page, or `depth` is negative.

    >>> a = Value(3.0, "a")
    >>> explore(a * a)
    <Page of output: 2 nodes, 1 leaf>
    """
    if not isinstance(value, Value):
        advice = ": call the model on a sample and explore the result" if callable(value) else ""
        raise TypeError(f"explore(value): expected a Value, got {type(value).__name__}{advice}")
    from autograd.draw.webpage import Page  # noqa: PLC0415  as above

    return Page(value, *_graph_and_view("explore", value, depth, fold))
