"""Make the pictures of README.md anew: python benchmarks/pictures.py."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from autograd import Value, draw, tanh
from nn.__main__ import main

DOCS = Path(__file__).parent.parent / "docs"


def neuron() -> None:
    """Draw the README's first expression, a neuron written out."""
    x1, x2 = Value(2.0, "x1"), Value(0.5, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.0, "b")
    output = tanh(x1 * w1 + x2 * w2 + b)
    output.label = "output"
    draw(output).save(DOCS / "neuron.svg")


def demo() -> None:
    """Train as `make` does, and keep two of the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        main(["demo", "-o", folder])
        shutil.copy(Path(folder, "moons", "boundary.png"), DOCS / "moons.png")
        shutil.copy(Path(folder, "iris", "confusion.png"), DOCS / "iris.png")


if __name__ == "__main__":
    neuron()
    demo()
