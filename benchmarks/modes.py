"""How accurate every operation is in every mode of differentiation: writes docs/modes.md.

    python benchmarks/modes.py

The points, the truths and the exceptions are those of the tests (`tests/reference_values.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from every_mode import MODES, in_mode
from reference import OPERATIONS
from reference_values import EXCEPTIONS, worst

import autograd

if TYPE_CHECKING:
    from reference import Operation

PAGE = Path(__file__).parents[1] / "docs" / "modes.md"
OPERATORS = ("add", "sub", "mul", "div", "neg", "less", "less_equal", "equal", "not_equal")
OPENING = """\
# How accurate every mode of differentiation is

Each cell is the largest error found of an operation's derivatives in one mode, in units in the last
place (ulp), by all its operands, mixed derivatives too. The points, the truths (of mpmath, without
any rule of differentiation), the units and the exceptions are those of [accuracy](accuracy.md).
The tests hold every mode to the same bounds as there.
`python benchmarks/modes.py` makes this page, in half a minute on one core.

First derivatives of f at x:

* **reverse**: `f(x).backward()`, the tests hold `grad(f)(x)` to the same bits;
* **forward**: `jvp(f, (x,), (1.0,))`;
* **recorded**: `gradients(f(x), [x])`;
* **traced**: `trace(grad(f), x)`, run on floats;
* **source**: that Program's `to_python()`, run.

Second derivatives:

* **reverse over reverse**: `hessian(f)(x)`;
* **forward over reverse**: `jvp(grad(f), (x,), (1.0,))`;
* **reverse over forward**: `grad` of the tangent of `jvp(f, (x,), (1.0,))`;
* **forward over forward**: `jvp` of that tangent;
* **traced hessian**: `trace(hessian(f), x)`, run on floats.

All modes multiply the same partials, from the one table, so a row of this page is nearly one
number. An operation that is piecewise constant gives a plain number, to which nothing flows: its
derivatives are 0 in every mode.
"""
CLOSING = """\
These are roundings in another order. A reverse sweep adds what comes along several paths and
multiplies the sum by the next partial; a forward sweep multiplies along each path and adds at the
end."""


def line(operation: Operation) -> tuple[str, dict[str, float]]:
    """The operation's line of the page, and its error in each mode."""
    errors, cells = {}, []
    for order, modes in MODES.items():
        mark = "\\*" if (operation.name, order) in EXCEPTIONS else ""
        for name, mode in modes.items():
            errors[name] = worst(operation.name, in_mode(operation, mode, order))
            cells.append(f"{errors[name]:.2f}{mark}")
    print(operation.name, *cells, flush=True)
    return f"| `{operation.name}` | {' | '.join(cells)} |", errors


def table(title: str, operations: list[Operation], found: dict[str, dict[str, float]]) -> list[str]:
    """A section of the page; the errors go into `found`."""
    names = [mode for modes in MODES.values() for mode in modes]
    lines = ["", f"## {title}", "", f"| | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for operation in operations:
        text, found[operation.name] = line(operation)
        lines.append(text)
    return lines


def disagreements(found: dict[str, dict[str, float]]) -> list[str]:
    """Where modes of the same order differ by more than a hundredth of an ulp."""
    lines = []
    for name, errors in found.items():
        for modes in MODES.values():
            of_order = {mode: errors[mode] for mode in modes}
            if max(of_order.values()) - min(of_order.values()) > 0.01:
                shown = ", ".join(f"{mode} {error:.2f}" for mode, error in of_order.items())
                lines.append(f"* `{name}`: {shown}.")
    return lines


def page() -> str:
    """The whole page."""
    public = [o for o in OPERATIONS.values() if o.name in autograd.__all__]
    operators = [OPERATIONS[name] for name in OPERATORS]
    internal = [o for o in OPERATIONS.values() if o not in public and o not in operators]
    found: dict[str, dict[str, float]] = {}
    lines = [
        *table("Functions", public, found),
        *table("Operators", operators, found),
        *table("Rows that only partials are written in", internal, found),
        "",
        "\\* one of the exceptions that [accuracy](accuracy.md#exceptions) lists.",
        "",
        "## Where modes of the same order differ",
        "",
        "\n".join(disagreements(found)) or "Nowhere.",
        "",
        CLOSING,
    ]
    return OPENING + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
