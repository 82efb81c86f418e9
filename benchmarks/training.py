"""Measure what training reaches: irises, two moons, handwritten digits.

    python benchmarks/training.py

Everything is seeded and eager; accuracy is on rows that training never saw, except where the two
moons' own training set is named.
"""

from __future__ import annotations

from statistics import mean

from nn import MLP, Adam, accuracy, cosine, cross_entropy, fit
from nn.datasets import digits, iris, split
from nn.experiment import learn
from nn.two_moons import separate_moons


def irises() -> None:
    """`python -m nn train iris.csv --target species` with the default settings, seeds 0 to 4."""
    found = [learn(iris(), seed=seed).accuracy for seed in range(5)]
    shown = ", ".join(f"{share:.1%}" for share in found)
    print(f"iris, test accuracy: mean {mean(found):.1%} of seeds 0 to 4: {shown}")


def two_moons() -> None:
    """The demo of micrograd: MLP 2-16-16-1, hinge, 100 steps of gradient descent on 100 points."""
    moons = separate_moons()
    seconds = moons.history.seconds
    print(f"moons, training accuracy after 100 steps: {moons.accuracy:.1%} in {seconds:.1f} s")


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
