"""How accurate every operation is, beside PyTorch and JAX: writes docs/accuracy.md.

    python benchmarks/accuracy.py

The points, the truths and the bounds are those of the tests (`tests/reference_values.py`).
"""

from __future__ import annotations

import math
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import torch
from jax.scipy.special import xlogy as jax_xlogy
from jax.scipy.stats import norm as jax_normal
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from every_mode import at_places, eager
from reference import OPERATIONS
from reference_values import BOUNDS, CANCEL, EXCEPTIONS, LISTS, POINTS, error, truths, wanted

from autograd.primitives import Reduction

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reference import Operation

jax.config.update("jax_enable_x64", True)
PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
ORDERS = ("value", "first", "second")


def processor() -> str:
    """What the kernel calls it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


# The peers' functions of the same name

_SAME = [
    "add",
    "neg",
    "mul",
    "sub",
    "square",
    "reciprocal",
    "sqrt",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "hypot",
    "logaddexp",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "abs",
    "sign",
    "floor",
    "ceil",
    "maximum",
    "minimum",
    "pow",
]
PYTORCH: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in _SAME},
    "div": torch.div,
    "xlogy": torch.xlogy,
    "erf": torch.erf,
    "erfc": torch.erfc,
    "normal_distribution": torch.special.ndtr,
    "relu": functional.relu,
    "leaky_relu": lambda x, a: torch.stack([*map(functional.leaky_relu, x, a.tolist())]),
    "elu": lambda x, a: torch.stack([*map(functional.elu, x, a.tolist())]),
    "selu": functional.selu,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": functional.logsigmoid,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "softsign": functional.softsign,
    "hardtanh": functional.hardtanh,
    "clip": torch.clip,
    "where": lambda condition, a, b: torch.where(condition != 0.0, a, b),
    "dot": lambda *xs: xs[-1] + _dot(torch.stack(xs[:-1], -1)),
    "sum": lambda *xs: torch.sum(torch.stack(xs, -1), -1),
    "mean": lambda *xs: torch.mean(torch.stack(xs, -1), -1),
    "norm": lambda *xs: torch.linalg.vector_norm(torch.stack(xs, -1), dim=-1),
    "logsumexp": lambda *xs: torch.logsumexp(torch.stack(xs, -1), -1),
    "softmax": lambda *xs: torch.softmax(torch.stack(xs, -1), -1)[..., 0],
    "log_softmax": lambda *xs: torch.log_softmax(torch.stack(xs, -1), -1)[..., 0],
}
JAX: dict[str, Callable[..., Any]] = {
    **{name: getattr(jnp, name) for name in _SAME if name not in {"mul", "sub", "neg"}},
    "mul": jnp.multiply,
    "sub": jnp.subtract,
    "neg": jnp.negative,
    "div": jnp.divide,
    "cbrt": jnp.cbrt,
    "xlogy": jax_xlogy,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "normal_density": jax_normal.pdf,
    "normal_distribution": jax_normal.cdf,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "softplus": jax.nn.softplus,
    "sigmoid": jax.nn.sigmoid,
    "log_sigmoid": jax.nn.log_sigmoid,
    "silu": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "softsign": jax.nn.soft_sign,
    "hardtanh": jax.nn.hard_tanh,
    "clip": jnp.clip,
    "where": lambda condition, a, b: jnp.where(condition != 0.0, a, b),
    "dot": lambda *xs: xs[-1] + _dot(jnp.stack(xs[:-1], -1)),
    "sum": lambda *xs: jnp.sum(jnp.stack(xs)),
    "mean": lambda *xs: jnp.mean(jnp.stack(xs)),
    "norm": lambda *xs: jnp.linalg.norm(jnp.stack(xs)),
    "logsumexp": lambda *xs: jax.nn.logsumexp(jnp.stack(xs)),
    "softmax": lambda *xs: jax.nn.softmax(jnp.stack(xs))[0],
    "log_softmax": lambda *xs: jax.nn.log_softmax(jnp.stack(xs))[0],
}
# operands that are no numbers to differentiate by there
SETTINGS = {("PyTorch", "leaky_relu", 1), ("PyTorch", "elu", 1)}
NORMAL = sys.float_info.min  # below it floats have fewer digits


def _dot(pairs: Any) -> Any:
    half = pairs.shape[-1] // 2
    return (pairs[..., :half] * pairs[..., half:]).sum(-1)


Point = tuple[float, ...]
Answers = dict[tuple[int, ...], float]


def of_one_length(points: list[Point], answer: Callable[[list[Point]], list[Any]]) -> list[Answers]:
    """The answers at all points, those of a length asked for at once: value, first, second."""
    found: dict[Point, Answers] = {}
    for size in {len(p) for p in points}:
        rows = [p for p in points if len(p) == size]
        found |= zip(rows, map(at_places, *answer(rows)), strict=True)
    return [found[p] for p in points]


def of_pytorch(operation: Operation, points: list[Point]) -> list[Answers]:
    """Its answers, each derivative by a sweep over all points."""

    def answer(rows: list[Point]) -> list[Any]:
        columns = [
            torch.tensor(c, dtype=torch.float64, requires_grad=True)
            for c in zip(*rows, strict=True)
        ]
        value = PYTORCH[operation.name](*columns)

        def slopes(z: Any) -> list[Any]:
            if not z.requires_grad:
                return [torch.zeros_like(c) for c in columns]
            found = torch.autograd.grad(z.sum(), columns, create_graph=True, allow_unused=True)
            return [
                torch.zeros_like(c) if g is None else g for g, c in zip(found, columns, strict=True)
            ]

        first = slopes(value)
        second = torch.stack([torch.stack(slopes(g), -1) for g in first], 1)
        return [value.tolist(), torch.stack(first, -1).tolist(), second.tolist()]

    return of_one_length(points, answer)


def of_jax(operation: Operation, points: list[Point]) -> list[Answers]:
    """Its answers, compiled over all points."""

    def f(xs: Any) -> Any:
        return JAX[operation.name](*xs)

    def answer(rows: list[Point]) -> list[Any]:
        x = jnp.array(rows, dtype=jnp.float64)
        return [jax.jit(jax.vmap(g))(x).tolist() for g in (f, jax.grad(f), jax.hessian(f))]

    return of_one_length(points, answer)


# Errors


class Worst(NamedTuple):
    """The largest error of an order."""

    error: float = 0.0
    positions: tuple[int, ...] = ()
    point: Point = ()


def worst_of(
    engine: str, operation: Operation, answers: list[Answers], least: float
) -> list[Worst]:
    """The largest error of each order, in every engine in the same units and but for `POINTS`.

    Points with an operand, and truths, that are not 0 and below `least` do not count.
    """
    worst = [Worst()] * 3
    for truth, answer in zip(truths(operation.name), answers, strict=True):
        for positions in wanted(operation, truth.point):
            sizes = (*map(abs, truth.point), abs(float(truth.truths[positions])))
            if (
                (operation.name, positions, truth.point) in POINTS
                or any((engine, operation.name, i) in SETTINGS for i in positions)
                or any(0.0 < size < least for size in sizes)
            ):
                continue
            order = len(positions)
            found = error(operation.name, truth, positions, answer[positions])
            worst[order] = max(worst[order], Worst(found, positions, truth.point))
    return worst


ENGINES = {
    "ours": (OPERATIONS, eager),
    "PyTorch": (PYTORCH, of_pytorch),
    "JAX": (JAX, of_jax),
}


Found = dict[str, dict[str, list[Worst]]]  # by engine and operation


def measured() -> tuple[Found, Found]:
    """The largest errors, of all numbers and of normal ones."""
    found: Found = {engine: {} for engine in ENGINES}
    normal: Found = {engine: {} for engine in ENGINES}
    for name, operation in OPERATIONS.items():
        points = [truth.point for truth in truths(name)]
        for engine, (functions, answers) in ENGINES.items():
            if name in functions:
                given = answers(operation, points)
                found[engine][name] = worst_of(engine, operation, given, 0.0)
                normal[engine][name] = worst_of(engine, operation, given, NORMAL)
        shown = {e: [round(w.error, 2) for w in of.get(name, [])] for e, of in found.items()}
        print(name, shown, flush=True)
    return found, normal


# The page


def interval(bounds: tuple[float, float]) -> str:
    """An interval of the table as text."""
    return "[{}, {}]".format(*(f"{x:g}" if abs(x) > 9.0 else f"{x:.9g}" for x in bounds))


def place(worst: Worst) -> str:
    """Where an error was found: the point, and by which operands."""
    by = "".join(f" by {i + 1}" for i in worst.positions) if len(worst.point) > 1 else ""
    at = ", ".join(f"{x:.6g}" for x in worst.point[:3]) + (", ..." if len(worst.point) > 3 else "")
    return f"({at}){by}"


def ulps(error: float) -> str:
    """An error as text."""
    if math.isinf(error):
        return "wrong"
    return f"{error:.2f}" if error < 1000 else f"{error:.1e}".replace("e+", "e")


def differentiable(name: str) -> bool:
    """Whether the table has derivatives of it."""
    return len(truths(name)[-1].truths) > 1


def our_lines(found: dict[str, list[Worst]]) -> list[str]:
    """A line for each operation."""
    lines = [
        "| operation | mostly in | points | value | first | second | the worst first is at |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, worst in found.items():
        domain = " × ".join(dict.fromkeys(map(interval, OPERATIONS[name].row.domain)))
        cells = [ulps(w.error) + mark(name, order) for order, w in enumerate(worst)]
        if not differentiable(name):
            cells[1:] = ["constant", "constant"]
        where = place(worst[1]) if worst[1].error >= 0.01 else "exact"
        where = where if differentiable(name) else ""
        lines.append(
            f"| `{name}` | {domain} | {len(truths(name))} | {' | '.join(cells)} | {where} |"
        )
    return lines


def mark(name: str, order: int) -> str:
    """A star where there is an exception."""
    return "\\*" if (name, order) in EXCEPTIONS else ""


def peers_lines(found: Found) -> list[str]:
    """A line for each operation that has derivatives."""
    lines = [
        "| operation | ours | PyTorch | at | JAX | at |",
        "|---|---|---|---|---|---|",
    ]
    for name, worst in found["ours"].items():
        if differentiable(name):
            cells = [ulps(worst[1].error)]
            for peer in ("PyTorch", "JAX"):
                of = found[peer].get(name)
                cells.append(f"**{ulps(of[1].error)}**" if of and of[1].error > 8 else "-")
                if of and of[1].error <= 8:
                    cells[-1] = ulps(of[1].error)
                cells.append(place(of[1]) if of and of[1].error >= 0.01 else "")
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def counts(found: Found, normal: Found) -> list[str]:
    """How many operations keep to the bounds at every point."""
    lines = ["| at every point | ours | PyTorch | JAX |", "|---|---|---|---|"]
    shared = [n for n in found["ours"] if differentiable(n) and all(n in f for f in found.values())]
    kinds = (
        ("first derivatives within 8 ulp", 1, found, []),
        ("of the operations that all three have", 1, found, shared),
        ("of these without subnormal numbers", 1, normal, shared),
        ("values within 4 ulp", 0, found, []),
        ("of the operations that all three have", 0, found, shared),
        ("second derivatives within 32 ulp", 2, found, []),
        ("of the operations that all three have", 2, found, shared),
    )
    for kind, order, of, only in kinds:
        cells = []
        for errors in of.values():
            names = only or [n for n in errors if order == 0 or differentiable(n)]
            good = sum(errors[n][order].error <= BOUNDS[order] for n in names)
            cells.append(f"{good} of {len(names)}")
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines


def partial_name(name: str, positions: tuple[int, ...]) -> str:
    """What is differentiated."""
    names = OPERATIONS[name].row.operand_names
    by = ", by ".join(names[i] for i in positions)
    order = ("value", "first derivative", "second derivative")[len(positions)]
    single = isinstance(OPERATIONS[name].row, Reduction) or len(names) == 1 or not by
    return f"{order} of `{name}`" + ("" if single else f" by {by}")


def exceptions() -> list[str]:
    """The exceptions by their reason."""
    by_reason: dict[str, list[str]] = {}
    for (name, positions), why in CANCEL.items():
        by_reason.setdefault(
            f"{why}; held to the same bound in ulp of the largest term", []
        ).append(partial_name(name, positions))
    for (name, order), (bound, why) in LISTS.items():
        by_reason.setdefault(f"{why}; held to {bound:g} ulp", []).append(
            partial_name(name, (0,) * order)
        )
    for (name, positions, point), why in POINTS.items():
        at = ", ".join(f"{x:g}" for x in point)
        by_reason.setdefault(f"{why}; not held to a bound", []).append(
            f"{partial_name(name, positions)} at {at}"
        )
    return [f"* {why[0].upper()}{why[1:]}: {'; '.join(what)}." for why, what in by_reason.items()]


def page(found: Found, normal: Found) -> str:
    """The whole page."""
    total = sum(len(truths(name)) for name in OPERATIONS)
    numbers = sum(len(truth.truths) for name in OPERATIONS for truth in truths(name))
    return "\n".join(
        [
            f"""\
# How accurate every operation is

Each number here is the largest error found, in units in the last place (ulp) of the truth: a result
that is correct to rounding is within 0.5. The truth is a stored table of {numbers} values, first
and second derivatives at {total} points, made by mpmath: functions, and central differences of
them, the precision doubled until two answers agree to 20 digits. No rule of differentiation is
used. The tests hold every value to {BOUNDS[0]:g} ulp, every first derivative to {BOUNDS[1]:g}, and
every second one, mixed ones too, to {BOUNDS[2]:g} (to {BOUNDS[1]:g} where it is no sum, of no
list, and a normal number), but for the exceptions at the end.

{chr(10).join(counts(found, normal))}

Ours are the engine's results; `jit(f, precise=True)` gives the same bits, which is tested at every
point. The others' are those of their function of the same name, in float64, at the same points, in
the same units, and with the same exceptional points left out. Many of their errors are where a
number is subnormal, below 2.2e-308: XLA, under JAX, takes those for 0.

PyTorch {torch.__version__}, JAX {jax.__version__} (jitted, x64), Python
{platform.python_version()}, {" ".join(platform.libc_ver())}, {processor()}. Ours calls the C
library, so the last digits depend on the platform.

* Points: both ends of each operand's interval, evenly spread ones, magnitudes down to 1e-150, and
  beyond that what is hard about the operation: both sides of its singular points and kinks to the
  next float, the neighbourhood of zeros, the edges of under- and overflow. Operations on lists are
  tried on 1, 2 and 7 numbers. Of `softmax` and `log_softmax` it is the first result.
* Within 0.01 of a zero (at an operand other than 0) the unit is an ulp of the largest term: the
  terms cancel, and what is left shows their roundings.
* A sum of a list is judged against the sum of its absolute terms.
* `python tests/reference_values.py` makes the table, `python benchmarks/accuracy.py` this page.

## First derivatives, beside PyTorch and JAX

Bold is beyond 8 ulp; "wrong" is inf or nan where there is a number, or the reverse; - is where they
have no such function.
""",
            *peers_lines(found),
            "",
            "## Ours: values, first and second derivatives",
            "",
            *our_lines(found["ours"]),
            "",
            "## Exceptions",
            "",
            "Marked \\* above, where the points that are not held to a bound do not count.",
            "",
            *exceptions(),
            """
## What lies outside the intervals

* `pow` raises to b - 1, which rounds where b is not a whole number: its derivative by a is off by
  more, in proportion to |log a|.
* `sin`, `cos` and `tan` are the C library's: at 6381956970095103 * 2^797, of all floats the nearest
  to a multiple of pi / 2, glibc 2.36 is 8 ulp off.
""",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(*measured()), encoding="utf-8")
