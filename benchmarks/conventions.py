"""What PyTorch and JAX give at the edges: holds docs/conventions.md to it, in what it says of them.

    python benchmarks/conventions.py

Every case of `tests/test_conventions.py` is computed by both. It prints the lines of `ELSEWHERE`
there, in which one of them differs, and fails if they are not the ones that stand there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import torch
from jax import numpy as jnp
from jax.scipy import special
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from test_conventions import CASES, ELSEWHERE, OURS, outcome, second_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

jax.config.update("jax_enable_x64", True)
ALIKE = "sqrt exp log pow hypot logaddexp abs sign tanh where erf minimum maximum clip"
TRANSFER = "relu leaky_relu elu selu softplus silu sigmoid"


def number(x: Any) -> torch.Tensor:
    """Return x as PyTorch's float64."""
    return torch.as_tensor(x, dtype=torch.float64)


TORCH: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ALIKE.split() if hasattr(torch, name)},
    **{name: getattr(functional, name) for name in [*TRANSFER.split(), "softsign", "hardtanh"]},
    **{name: getattr(torch, name) for name in ["asin", "atan", "acosh", "atan2"]},
    "gelu": functional.gelu,
    "maximum": lambda a, b: torch.maximum(number(a), number(b)),
    "norm": lambda xs: torch.linalg.norm(torch.stack(xs)),
    "xlogy": torch.special.xlogy,
}
JAX: dict[str, Callable[..., Any]] = {
    **{name: getattr(jnp, name) for name in ALIKE.split() if hasattr(jnp, name)},
    **{name: getattr(jax.nn, name) for name in TRANSFER.split()},
    "acosh": jnp.arccosh,
    "asin": jnp.arcsin,
    "atan": jnp.arctan,
    "atan2": jnp.arctan2,
    "cbrt": jnp.cbrt,
    "erf": special.erf,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "hardtanh": jax.nn.hard_tanh,
    "norm": lambda xs: jnp.linalg.norm(jnp.stack(xs)),
    "softsign": jax.nn.soft_sign,
    "xlogy": special.xlogy,
}


def by_torch(f: Callable[..., Any], xs: list[float], by: str) -> str:
    """The value and derivatives as text, or one second derivative."""
    leaves = [number(x).requires_grad_() for x in xs]
    z = f(leaves)

    def gradient(y: torch.Tensor) -> list[torch.Tensor]:
        if not y.requires_grad:
            return [number(0.0)] * len(xs)
        found = torch.autograd.grad(y, leaves, create_graph=True, allow_unused=True)
        return [number(0.0) if x is None else x for x in found]

    first = gradient(z)
    if by:
        i, j = second_by(by)
        return outcome(gradient(first[i])[j].item())
    return outcome(z.item(), [x.item() for x in first])


def by_jax(f: Callable[..., Any], xs: list[float], by: str) -> str:
    """The value and derivatives as text, or one second derivative."""
    if by:
        i, j = second_by(by)
        return outcome(float(jax.grad(lambda xs: jax.grad(f)(xs)[i])(xs)[j]))
    z, gradient = jax.value_and_grad(f)(xs)
    return outcome(float(z), [*map(float, gradient)])


def measured(expression: str, point: dict[str, float], by: str) -> tuple[str, str]:
    """What PyTorch and JAX give; nothing where they have no such function."""
    found = []
    for names, compute in ((TORCH, by_torch), (JAX, by_jax)):

        def f(xs: list[Any], names: dict[str, Any] = names) -> Any:
            return eval(expression, {**names, **dict(zip(point, xs, strict=True))})  # noqa: S307

        try:
            found.append(compute(f, [*point.values()], by))
        except NameError:
            found.append("")
    return found[0], found[1]


def main() -> None:
    """Print where they differ, and fail if ELSEWHERE says otherwise."""
    wrong = False
    points = {str(case): case.point for case in CASES}
    for (name, by), ours in OURS.items():
        theirs = measured(name.split(" at ")[0], points[name], by)
        expected = ELSEWHERE.get((name, by), (ours, ours, ""))
        if any(x not in {"", ours} for x in theirs):
            print(f"    ({name!r}, {by!r}): {(*theirs, expected[2])},")
        if any(x not in {"", y} for x, y in zip(theirs, expected, strict=False)):
            wrong = True
            print(f"      but ELSEWHERE has {expected}")
    if wrong:
        sys.exit(f"not so with torch {torch.__version__}, jax {jax.__version__}")


if __name__ == "__main__":
    main()
