"""Listing: a schedule as Python would write it, to be read."""

from __future__ import annotations

from autograd.compiler.nests import Access, FusedLoop, Nest, Part, Repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from autograd.compiler.schedule import Schedule
    from autograd.compiler.writer import Packing

_NAMES = {"lane": "slot", "kept": "kept", "uniform": "fixed"}
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def listing(schedule: Schedule, packing: Packing) -> str:
    """Return the loops of a schedule as text: what is done once, for each panel, and at the end."""
    lines = [f"# fixed[:{len(schedule.constants)}] = {schedule.constants}"]
    write = _Lines(schedule.constants)
    if schedule.once:
        lines += ["# once", *write.steps(schedule.once, "", ())]
    lanes = f"{packing.lanes} samples" if packing.lanes > 1 else "one sample"
    lines.append(f"for panel in panels:  # of {lanes}; every name stands for as many numbers")
    lines.append(f"    {_NAMES[schedule.inputs.space]}[{schedule.inputs.base}:] = inputs[panel]")
    lines += write.steps(schedule.each, "    ", ())
    stores = ", ".join(write.access(x, ()) for x in schedule.stores[:8])
    if schedule.stores:
        more = ", ..." if len(schedule.stores) > 8 else ""
        lines.append(f"    results[panel] = {stores}{more}")
    if schedule.totals:
        lines.append("# over the samples of all panels")
        lines += write.steps(schedule.totals, "", ())
    return "\n".join(lines)


class _Lines:
    """Writes steps as lines of text."""

    def __init__(self, constants: Sequence[float]) -> None:
        self._constants = constants

    def steps(self, steps: Sequence[Any], indent: str, outer: tuple[str, ...]) -> Iterator[str]:
        """Yield the lines of steps."""
        for step in steps:
            if isinstance(step, Repeat):
                name = f"t{len(outer)}"
                yield f"{indent}for {name} in range({step.rounds}):"
                yield from self.steps(step.body, indent + "    ", (*outer, name))
                continue
            indices = "ijklmn"[: len(step.dims)]
            inside = indent
            for name, count in zip(indices, step.dims, strict=True):
                yield f"{inside}for {name} in range({count}):"
                inside += "    "
            for nest in step.nests if isinstance(step, FusedLoop) else [step]:
                yield inside + self.nest(nest, (*outer, *indices))

    def nest(self, nest: Nest, indices: tuple[str, ...]) -> str:
        """Return the assignment that a nest makes."""
        into = self.access(nest.into, indices)
        if nest.name != "sum":
            operands = [self.access(x, indices) for x in nest.operands]
            if nest.name in _INFIX:
                return f"{into} = {operands[0]} {_INFIX[nest.name]} {operands[1]}"
            return f"{into} = {nest.name}({', '.join(operands)})"
        terms = [(False, self.access(nest.bias, indices))] if nest.bias else []
        terms += [(part.negative, self.part(part, indices)) for part in nest.parts]
        text = "".join(f" {'-' if negative else '+'} {term}" for negative, term in terms)
        equals = "+=" if nest.into.space == "total" else "="
        text = (
            text.removeprefix(" + ") if text.startswith(" + ") else f"-{text.removeprefix(' - ')}"
        )
        return f"{into} {equals} {text}"

    def part(self, part: Part, outer: tuple[str, ...]) -> str:
        """Return a product, or the sum of the products of a loop."""
        own = "pqrstuvw"[: len(part.dims)]
        indices = (*outer, *own)
        text = self.access(part.a, indices)
        if part.b:
            text += f" * {self.access(part.b, indices)}"
        if part.condition:
            text = f"where({self.access(part.condition, indices)}, {text}, 0.0)"
        if not own:
            return text
        loops = (f"for {i} in range({n})" for i, n in zip(own, part.dims, strict=True))
        return f"sum({text} {' '.join(loops)})"

    def access(self, access: Access, indices: tuple[str, ...]) -> str:
        """Return a slot as an array's element, a constant as itself."""
        constant = access.space == "uniform" and not any(access.strides)
        if constant and access.base < len(self._constants):
            return repr(self._constants[access.base])
        terms = [
            i if stride == 1 else f"{stride}*{i}"
            for i, stride in zip(indices, access.strides, strict=True)
            if stride
        ]
        if access.base or not terms:
            terms.append(str(access.base))
        place = " + ".join(terms).replace("+ -", "- ")
        return f"{_NAMES.get(access.space, access.space)}[{place}]"
