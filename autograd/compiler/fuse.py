"""Fuse: operations over the same loops as one loop, in which results stay in registers."""

from __future__ import annotations

from autograd.compiler.nests import (
    LONGEST,
    STRAIGHT,
    Access,
    FusedLoop,
    Nest,
    Repeat,
    operations,
    spots,
    unrolled,
    writes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def fused(steps: list[Any], outer: tuple[int, ...] = ()) -> list[Any]:
    """Put operations together that run over the same loops, as early as their operands allow.

    Args:
        steps: nests, and loops around nests.
        outer: how often the loops around the steps run.
    """
    found: list[Any] = []
    written: dict[tuple[str, int], int] = {}  # the position of the step that writes a slot
    latest: dict[tuple[int, ...], int] = {}  # where the last bundle over these dims stands
    results: dict[int, set[Access]] = {}  # what each bundle gives

    def place(nest: Nest) -> int:
        """Return the position of the bundle that a nest may join, or else of the next step."""
        position = latest.get(nest.dims)
        if position is None or len(found[position].nests) >= LONGEST:
            return len(found)
        for access, dims in nest.reads():
            if access in results[position]:
                continue
            for spot in spots(access, (*outer, *dims)):
                if written.get(spot, -1) >= position:
                    return len(found)
        return position

    for step in steps:
        if isinstance(step, Repeat):
            found.append(step._replace(body=fused(step.body, (*outer, step.rounds))))
            for access, dims in writes(step):
                reached = spots(access, (*outer, *dims))
                written.update(dict.fromkeys(reached, len(found) - 1))
            continue
        few = STRAIGHT if step.dims else 2 * STRAIGHT
        straight = operations(step) <= few
        for nest in unrolled(step) if straight and (step.dims or step.parts) else [step]:
            if nest.name == "sum" and not straight:
                position = len(found)
                found.append(nest)
            else:
                position = place(nest)
                if position == len(found):
                    found.append(FusedLoop(nest.dims, []))
                    latest[nest.dims] = position
                    results[position] = set()
                found[position].nests.append(nest)
                results[position].add(nest.into)
            written.update(dict.fromkeys(spots(nest.into, (*outer, *nest.dims)), position))
    return found
