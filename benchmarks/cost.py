"""What a gradient costs beside its function, in operations and in time: writes docs/cost.md.

python benchmarks/cost.py
"""

from __future__ import annotations

import functools
import gc
import itertools
import operator
import platform
import random
import time
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import autograd
from autograd import dot, tanh, trace, value_and_grad

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autograd.program import Program

    Function = Callable[[Sequence[Any]], Any]

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
PROGRAMS, SMALLEST, LARGEST, INPUTS = 1000, 5, 60, 4
SIZES = (1, 10, 100, 1000)
INSTRUCTIONS = (1_000, 10_000, 100_000)
ROUNDS = 7
UNCOUNTED = {"less", "less_equal", "equal", "not_equal", "truth", "where"}
BINARY = {
    "a + b": operator.add,
    "a - b": operator.sub,
    "a * b": operator.mul,
    "a / b": operator.truediv,
}
UNARY = {name: getattr(autograd, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt")}

OPENING = """\
# What a gradient costs

Operations are counted in Programs: those of `trace(value_and_grad(f))`, which gives the value and
the gradient, beside those of `trace(f)`. Each arithmetic operation and each call of a library
function counts as one, a `dot` of n pairs as n products and n sums; comparisons, `where`
and constants do not count. `python benchmarks/cost.py` makes this page.
"""
RANDOM = """
## Random programs

{programs} programs of 1 to {inputs} inputs and {smallest} to {largest} operations, both drawn
uniformly. Each operation is drawn uniformly from `+ - * / exp log sin cos tanh sqrt`, each operand
uniformly from the inputs and all earlier results; what is unused in the end is added up. The seed
is 0.

| | value and gradient / value |
|---|---|
| mean | {mean:.2f} |
| median | {median:.2f} |
| largest | {worst:.2f} |
| bound of Griewank & Walther (2008), chapter 4 | 5 |

A program is within the bound where all its operations are. Of one operation alone, a hundred times
over, x = operation(a, x) or x = operation(x), the ratio is

| {names} |
|{rule}
| {ratios} |

A quotient alone is beyond it: the table writes its partials 1 / b and -(a / b) / b independently of
each other, which takes two operations more than to share g / b, g being the cotangent, would.
"""
MANY = """
## Many inputs

Rosenbrock's function, and the squared error at 4 points of a network of one input, tanh neurons and
one output, by its n parameters. Central differences evaluate the function twice for each input, and
once for the value: 2 n + 1 times, the differences and quotients themselves not counted. (At n = 1
Rosenbrock's function has no term.)

| function | n | operations | with gradient | ratio | ratio of differences | times more |
|---|---|---|---|---|---|---|"""
GROWTH = """
## Time

Seconds for each 1,000 instructions of Rosenbrock's Program, to trace it, to trace its value and
gradient, to print it, to run it on floats, and to write it as Python source, with Python's cyclic
garbage collector on, as users have it, and off. Medians of {rounds} rounds, on {cpu}, Python
{python}; only how they grow is of interest.

| instructions | collector | trace | trace the gradient | print | run | write source |
|---|---|---|---|---|---|---|"""
AFTER = """
Time is in proportion to the Program, but for the collector, which looks at all the nodes of a trace
again as it grows, and for a constant part of writing source: looking up the functions that it has
on top.
"""


def operations(program: Program) -> int:
    """Arithmetic and library calls: a `dot` of n pairs is n products and n sums."""
    return sum(
        len(operands) - 1 if row.name == "dot" else 1
        for row, operands in program.instructions
        if row.name not in UNCOUNTED
    )


def random_function(rng: random.Random) -> tuple[Function, int]:
    """Return a function drawn as the page says, and how many inputs it has."""
    inputs, size = rng.randint(1, INPUTS), rng.randint(SMALLEST + 1, LARGEST)
    steps, unused, known = [], {*range(inputs)}, inputs
    while len(steps) + len(unused) < size:
        operation = rng.choice([*BINARY.values(), *UNARY.values()])
        operands = rng.choices(range(known), k=2 if operation in BINARY.values() else 1)
        steps.append((operation, operands))
        unused = unused.difference(operands) | {known}
        known += 1

    def function(xs: Sequence[Any]) -> Any:
        numbers = [*xs]
        for operation, operands in steps:
            numbers.append(operation(*(numbers[i] for i in operands)))
        return functools.reduce(operator.add, [numbers[i] for i in sorted(unused)])

    return function, inputs


def chain(name: str) -> Function:
    """Return x = operation(a, x), or operation(x), a hundred times over."""

    def function(xs: Sequence[Any]) -> Any:
        a, x = xs
        for _ in range(100):
            x = BINARY[name](a, x) if name in BINARY else UNARY[name](x)
        return x

    return function


def rosenbrock(xs: Sequence[Any]) -> Any:
    """100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, added up."""
    total = 0.0
    for a, b in itertools.pairwise(xs):
        total = total + 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
    return total


def network_loss(parameters: Sequence[Any]) -> Any:
    """The squared error at 4 points of a network: one input, n // 3 tanh neurons, one output."""
    hidden = len(parameters) // 3
    weights, biases, output = (parameters[i * hidden : (i + 1) * hidden] for i in range(3))
    total = 0.0
    for x, y in ((-1.0, 0.5), (-0.3, 0.1), (0.4, 0.9), (1.0, 0.2)):
        activations = [tanh(w * x + b) for w, b in zip(weights, biases, strict=True)]
        total = total + (dot(output, activations, parameters[-1]) - y) ** 2
    return total


def counted(function: Function, inputs: int) -> tuple[int, int]:
    """Operations of the function, and of value and gradient."""
    example = [1.0] * inputs
    return (
        operations(trace(function, example)),
        operations(trace(value_and_grad(function), example)),
    )


def random_programs() -> str:
    """The section on random programs."""
    rng = random.Random(0)
    ratios, sizes = [], []
    for _ in range(PROGRAMS):
        own, both = counted(*random_function(rng))
        sizes.append(own)
        ratios.append(both / own)
    chains = {name: counted(chain(name), 2) for name in (*BINARY, *UNARY)}
    return RANDOM.format(
        programs=f"{PROGRAMS:,}",
        inputs=INPUTS,
        smallest=min(sizes),
        largest=max(sizes),
        mean=mean(ratios),
        median=median(ratios),
        worst=max(ratios),
        names=" | ".join(f"`{name}`" for name in chains),
        rule="---|" * len(chains),
        ratios=" | ".join(f"{both / own:.2f}" for own, both in chains.values()),
    )


def many_inputs() -> str:
    """The section on functions of many inputs."""
    lines = [MANY]
    for name, function in (("Rosenbrock", rosenbrock), ("network", network_loss)):
        for inputs in SIZES:
            if (name, inputs) != ("Rosenbrock", 1):  # which has no term
                own, both = counted(function, inputs)
                differences = 2 * inputs + 1
                lines.append(
                    f"| {name} | {inputs:,} | {own:,} | {both:,} | {both / own:.2f} | "
                    f"{differences:,} | {differences * own / both:.1f} |"
                )
    return "\n".join(lines) + "\n"


def seconds(action: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def growth() -> str:
    """The section on time; the sizes are measured in turn, so that all see the same machine."""
    programs = [
        (trace(rosenbrock, [0.5] * (size // 8 + 1)), [0.5] * (size // 8 + 1), collects)
        for size in INSTRUCTIONS
        for collects in (True, False)
    ]
    rounds = [[times(*program) for program in programs] for _ in range(ROUNDS)]
    lines = [GROWTH.format(rounds=ROUNDS, cpu=processor(), python=platform.python_version())]
    for (program, _, collects), found in zip(programs, zip(*rounds, strict=True), strict=True):
        cells = " | ".join(f"{median(column):.5f}" for column in zip(*found, strict=True))
        collector = "on" if collects else "off"
        lines.append(f"| {len(program.instructions):,} | {collector} | {cells} |")
    return "\n".join([*lines, AFTER])


def times(program: Program, xs: list[float], collects: bool) -> list[float]:
    """Seconds for each 1,000 instructions, in the order of the page's columns."""
    actions = (
        lambda: trace(rosenbrock, xs),
        lambda: trace(value_and_grad(rosenbrock), xs),
        lambda: str(program),
        lambda: program(xs),
        program.to_python,
    )
    gc.collect()
    if not collects:
        gc.disable()
    found = [seconds(action) / len(program.instructions) * 1000 for action in actions]
    gc.enable()
    return found


def processor() -> str:
    """What the machine calls its processor, as Linux knows it or else Python does."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    PAGE.write_text(OPENING + random_programs() + many_inputs() + growth(), encoding="utf-8")
