"""How accurate every operation is in every mode of differentiation: writes docs/modes.md.

    python benchmarks/modes.py

The references and the points are those of the tests (`tests/every_mode.py`), with more points.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from every_mode import ALL_EXCEPTIONS, MODES, OPERATIONS, worst_in_every_mode

import autograd

if TYPE_CHECKING:
    from every_mode import Operation

PAGE = Path(__file__).parents[1] / "docs" / "modes.md"
COUNT = 40  # points of each kind
OPERATORS = ("add", "sub", "mul", "div", "neg", "less", "less_equal", "equal", "not_equal")
OPENING = f"""\
# How accurate every mode of differentiation is

Each cell is the largest error found of an operation's derivatives in one mode, in units in the last
place (ulp) of the true derivative: by all its operands, mixed derivatives too, over points drawn
from its intervals, tails included, {COUNT} of each kind (of lists a quarter of that).
The truth comes from mpmath, without any rule of differentiation, as in [accuracy](accuracy.md),
which has the intervals, and harder points. Of `softmax` and `log_softmax` the first
result is differentiated. Each reference is computed once, and every mode is held against it.
`python benchmarks/modes.py` makes this page, in some two minutes on one core.

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
    worst = worst_in_every_mode(operation, COUNT)
    errors = {mode: found[0] for mode, found in worst.items()}
    cells = []
    for order, modes in MODES.items():
        mark = "\\*" if (operation.name, order) in ALL_EXCEPTIONS else ""
        cells += [f"{errors[mode]:.2f}{mark}" for mode in modes]
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


def exceptions() -> list[str]:
    """The bounds beyond 8 ulp, by their reason."""
    lines = []
    for reason in dict.fromkeys(why for _, why in ALL_EXCEPTIONS.values()):
        held = [
            f"{'first' if order == 1 else 'second'} of `{name}` ({bound:g})"
            for (name, order), (bound, why) in ALL_EXCEPTIONS.items()
            if why == reason and order
        ]
        if held:
            lines.append(f"* {reason}: {', '.join(held)}.")
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
        "\\* where it is beyond 8 ulp, in ulp of another size, and held to a bound:",
        "",
        *exceptions(),
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
