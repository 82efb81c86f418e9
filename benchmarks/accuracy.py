"""How accurate every row of the table is: writes docs/accuracy.md.

    python benchmarks/accuracy.py

The references and the points are those of the tests (`tests/reference.py`), with more points.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from reference import CONSTANTS, EXCEPTIONS, points, worst_errors

from autograd.primitives import TABLE, Reduction

PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
COUNT = 40
ORDERS = ("value", "first derivative", "second derivative")
OPENING = """\
# How accurate every operation is

The largest error found of each row's value, first derivatives and second derivatives (mixed ones
too), in units in the last place (ulp) of the true result. A result correct to rounding is within
0.5. The truth comes from mpmath: the function at up to thousands of digits, and central
differences of it, their precision doubled until two answers agree to 20 digits. No rule of
differentiation is used.

Points are drawn from each operand's interval: both ends, evenly spread points, and magnitudes down
to 1e-150 (in intervals that reach that far), the same in every run. Rows over lists are tried on
lists of 1, 2 and 7 numbers. The functions underneath are the C library's where it has them, so the
last digits depend on the platform; the tests hold every number to 8 ulp, but for the exceptions
below. `python benchmarks/accuracy.py` makes this page.

"""
CLOSING = """
## What the exceptions are

* Next to the zero of a derivative that changes sign, its terms cancel, and their roundings are
  large beside what is left. The unit there is the last place of the derivative's size where one
  operand is a tenth larger or smaller.
* `sum`, `mean` and `dot` add left to right, so that `dot` equals the chain of `*` and `+` to the
  last bit; a sum that cancels has no better digits to give. The unit is that of the sum where one
  number is a tenth larger or smaller.

What lies outside the intervals:

* `pow` raises to b - 1, which rounds where b is not a whole number: its derivative by a is off by
  more, in proportion to |log a|.
* `atan2` and `direction` below 1e-154 have second derivatives beyond the largest float, and mixed
  ones whose terms are both beyond it.
* `gelu` below -37.5 multiplies a subnormal probability by x, and with it the rounding: it is within
  50 times the smallest float.
* `log_softmax`, which is composed of rows, has the derivative 1 - p. Where p is nearly 1 that
  cancels, and is within 8 ulp of 1; the logarithm itself, -e^-d, loses d / 2 ulp.
"""


def interval(bounds: tuple[float, float]) -> str:
    """An interval of the table as text."""
    return "[{}, {}]".format(*(f"{x:g}" if abs(x) > 9.0 else f"{x:.9g}" for x in bounds))


def place(positions: tuple[int, ...], point: tuple[float, ...]) -> str:
    """Where an error was found: the point, and by which operands."""
    by = "".join(f" by {i + 1}" for i in positions)
    at = ", ".join(f"{x:.4g}" for x in point[:3]) + (", ..." if len(point) > 3 else "")
    return f"({at}){by}"


def lines() -> list[str]:
    """The table of the page, one line for each row."""
    found = [
        "| row | intervals | points | value | first | second | where the largest is |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in TABLE.values():
        count = COUNT // 4 if isinstance(row, Reduction) else COUNT
        worst = worst_errors(row, count)
        print(row.name, *(f"{error:.2g}" for error, *_ in worst), flush=True)
        marks = ["\\*" if (row.name, order) in EXCEPTIONS else "" for order in range(3)]
        errors = [f"{error:.2f}{mark}" for (error, *_), mark in zip(worst, marks, strict=True)]
        if row.name in CONSTANTS:
            errors[1:] = ["constant", "constant"]
        _, positions, point = max(worst)
        domain = " × ".join(dict.fromkeys(map(interval, row.domain)))
        number = len(points(row, count))
        where = place(positions, point) if max(worst)[0] >= 0.01 else "exact"
        found.append(f"| `{row.name}` | {domain} | {number} | {' | '.join(errors)} | {where} |")
    return found


def reasons() -> list[str]:
    """The exceptions by their reason, each with its bound."""
    found = [
        "",
        "\\* where it is beyond 8, in ulp of the size nearby (see below), and held to a bound:",
    ]
    for reason in dict.fromkeys(why for _, why in EXCEPTIONS.values()):
        held = [
            f"{ORDERS[order]} of `{name}` ({bound:g})"
            for (name, order), (bound, why) in EXCEPTIONS.items()
            if why == reason
        ]
        found += ["", f"* {reason}: {', '.join(held)}."]
    return found


if __name__ == "__main__":
    PAGE.write_text(OPENING + "\n".join([*lines(), *reasons()]) + "\n" + CLOSING, encoding="utf-8")
