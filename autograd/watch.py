"""What `detect_anomaly` keeps watch with: the first inf or nan, and the line that made it."""

from __future__ import annotations

import math
import sys
from weakref import ref

from autograd.backward import backward_steps
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.backward import Step
    from autograd.primitives import Primitive

_HERE = __file__.removesuffix("watch.py")


class Watch:
    """For each node made inside a `detect_anomaly` block, the line that made it."""

    def __init__(self) -> None:
        self._lines: dict[ref[Value], str] = {}
        self._gone: list[ref[Value]] = []  # told by calls into C, in which no Ctrl-C gets lost

    def made(self, node: Value, primitive: Primitive, operands: Sequence[Any]) -> None:
        """Note the line that made the node; raise if its data is not finite."""
        line = line_outside()
        while self._gone:
            del self._lines[self._gone.pop()]
        self._lines[ref(node, self._gone.append)] = line
        if not math.isfinite(node.data):
            given = ", ".join(_named(x) for x in operands)
            raise FloatingPointError(f"{primitive.name} gave {node.data} from {given}, at {line}")

    def sweep(self, root: Value, cotangent: float = 1.0) -> None:
        """Raise if a cotangent of the sweep from this root is not finite."""
        if not math.isfinite(cotangent):
            raise FloatingPointError(f"backward(cotangent) of {_named(root)} got {cotangent}")

        for step in backward_steps(root, cotangent):
            self._look(step)

    def _look(self, step: Step) -> None:
        """Raise if the cotangent of an operand, so far, is not finite."""
        node = step.node
        for operand, partial, contribution, total in step.contributions:
            if not math.isfinite(total):
                name = node.primitive.name if node.primitive else "a leaf"
                line = self._lines.get(ref(node), "a line outside detect_anomaly()")
                raise FloatingPointError(
                    f"the cotangent of {_named(operand)} through {name} is {total}, having got "
                    f"{contribution} (cotangent {step.cotangent} x partial {partial}), at {line}"
                )


def line_outside() -> str:
    """Return which line outside the engine is being run."""
    frame = sys._getframe(1)  # noqa: SLF001  the only way to a caller's line without inspect
    while frame.f_back and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"line {frame.f_lineno} of {frame.f_code.co_filename}"


def _named(x: Any) -> str:
    if type(x) is not Value:
        return repr(x)
    return f"{x.label} = {x.data}" if x.label else repr(x.data)
