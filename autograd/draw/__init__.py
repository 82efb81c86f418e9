"""Drawings of the graph: every node with its number and gradient, every edge with its partial."""

from __future__ import annotations

from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograd.draw.drawing import Drawing


class DrawingError(RuntimeError):
    """A drawing could not be laid out; the message says why."""


class MissingProgram(DrawingError):  # noqa: N818 - it says what is missing
    """No program was found that lays out graphs; the message says what to install."""


def draw(value: Any, limit: int = 300) -> Drawing:
    """Draw the graph that computed `value`, with d value / d node at every node.

    The gradients are those of `value` alone, whether or not `backward()` has run; `.grad` is
    neither read nor changed.

    Args:
        value: the output, a `Value`.
        limit: how many nodes to draw; of a larger graph those nearest to the output are drawn, and
            the drawing says how many are left out.

    Returns:
        A drawing that shows itself in a notebook, and saves itself with `.save("graph.svg")`.

    Raises:
        TypeError: `value` is not a `Value`.
        ValueError: `limit` is less than 1.

    >>> a = Value(3.0, "a")
    >>> print(draw(a + a))
    node  label  operation  operands  value  d output / d node
    n0    a                               3                  2
    n1           add        n0 n0         6                  1
    """
    if not isinstance(value, Value):
        advice = ": call the model on a sample and draw the result" if callable(value) else ""
        raise TypeError(f"draw(value): expected a Value, got {type(value).__name__}{advice}")
    if limit < 1:
        raise ValueError(f"draw(value, limit): expected a limit of at least 1, got {limit}")
    # imported here, so that `import autograd` loads nothing that only drawings need
    from autograd.draw.drawing import Drawing  # noqa: PLC0415
    from autograd.draw.graph import graph_of  # noqa: PLC0415

    return Drawing(graph_of(value, limit))
