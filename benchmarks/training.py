"""Measure what training reaches: irises, two moons, handwritten digits.

    python benchmarks/training.py

Everything is seeded and eager; accuracy is on rows that training never saw, except where the two
moons' own training set is named.
"""

from __future__ import annotations

import tempfile
from contextlib import redirect_stdout
from io import StringIO
from statistics import mean

from nn import MLP, SGD, Adam, accuracy, cosine, cross_entropy, fit, hinge
from nn.__main__ import IRIS, main
from nn.datasets import digits, moons, split


def irises() -> None:
    """`python -m nn train iris.csv --target species` with the default settings, seeds 0 to 4."""
    found = []
    for seed in range(5):
        report = StringIO()
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(report):
            main(["train", str(IRIS), "--target", "species", "--seed", str(seed), "-o", folder])
        line = next(text for text in report.getvalue().splitlines() if "test accuracy" in text)
        found.append(float(line.split()[4].rstrip("%;")))
    print(f"iris, test accuracy: mean {mean(found):.1f} % of seeds 0 to 4: {found}")


def two_moons() -> None:
    """The demo of micrograd: MLP 2-16-16-1, hinge, 100 steps of gradient descent on 100 points."""
    X, y = moons(samples=100, noise=0.1, seed=0)
    targets = [2 * label - 1 for label in y]
    model = MLP(2, [16, 16, 1])
    optimizer = SGD(model.parameters(), lr=lambda step: 1.0 - 0.009 * step)
    history = fit(
        model,
        X,
        targets,
        hinge,
        optimizer,
        epochs=100,
        batch_size=100,
        penalty=lambda model: 1e-4 * sum(p * p for p in model.parameters()),
        progress=False,
    )
    right = accuracy(model.predict(X), targets)
    print(f"moons, training accuracy after 100 steps: {right:.1%} in {history.seconds:.1f} s")


def handwritten_digits() -> None:
    """MLP 64-32-10, Adam: four fifths of 1,797 images to train on, the rest to test on."""
    training, test = split(digits(), test=0.2, seed=0)
    model = MLP(64, [32, 10])
    epochs, batch_size = 10, 32
    steps = epochs * -(-len(training.y) // batch_size)
    optimizer = Adam(model.parameters(), cosine(0.01, steps))
    history = fit(model, *training, cross_entropy, optimizer, epochs, batch_size, progress=False)
    right = accuracy(model.predict(test.X), test.y)
    print(f"digits, test accuracy after {epochs} epochs: {right:.1%} in {history.seconds:.1f} s")


if __name__ == "__main__":
    irises()
    two_moons()
    handwritten_digits()
