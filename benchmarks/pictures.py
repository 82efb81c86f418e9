"""Make the pictures of README.md anew: python benchmarks/pictures.py."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from autograd import Value, dot, draw, tanh
from nn.__main__ import main

DOCS = Path(__file__).parent.parent / "docs"


def neuron() -> None:
    """Draw one neuron on one sample."""
    weights = [Value(-3.0, "w1"), Value(1.0, "w2")]
    inputs = [Value(2.0, "x1"), Value(0.5, "x2")]
    output = tanh(dot(weights, inputs, Value(6.0, "bias")))
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
