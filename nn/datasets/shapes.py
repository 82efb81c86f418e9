"""Small problems in the plane, made from a formula and a seed."""

from __future__ import annotations

import math
import random

from nn.datasets.dataset import Dataset

Point = tuple[float, float]


def moons(samples: int = 100, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return two interleaving half circles, the classes `upper` and `lower`.

    With t even in [0, pi], half the points are (cos t, sin t), the other half
    (1 - cos t, 1/2 - sin t), each plus Gaussian noise of standard deviation `noise`.

    Source: scikit-learn's `make_moons`, whose points these are up to order and noise.

    >>> X, y = moons(samples=4, noise=0.0)
    >>> sorted((round(a, 6), round(b, 6), label) for (a, b), label in zip(X, y))
    [(-1.0, 0.0, 0), (0.0, 0.5, 1), (1.0, 0.0, 0), (2.0, 0.5, 1)]

    Raises:
        ValueError: if `samples` is not a positive int or `noise` is negative.
    """
    first, second = _halves(samples)
    upper = [_polar(1, t) for t in _even(0, math.pi, first)]
    lower = [(1 - math.cos(t), 0.5 - math.sin(t)) for t in _even(0, math.pi, second)]
    return _scattered({"upper": upper, "lower": lower}, noise, seed)


def circles(samples: int = 100, noise: float = 0.1, seed: int = 0, factor: float = 0.5) -> Dataset:
    """Return a circle within a circle, the classes `outer` and `inner`.

    With t even in [0, 2 pi), half the points are (cos t, sin t), the other half
    `factor` (cos t, sin t), each plus Gaussian noise of standard deviation `noise`.

    Source: scikit-learn's `make_circles`, whose points these are up to order and noise (there
    `factor` is 0.8 unless given).

    >>> X, y = circles(samples=6, noise=0.0)
    >>> sorted((round(math.hypot(*point), 6), label) for point, label in zip(X, y))
    [(0.5, 1), (0.5, 1), (0.5, 1), (1.0, 0), (1.0, 0), (1.0, 0)]

    Raises:
        ValueError: if `samples` is not a positive int or `noise` is negative.
    """
    first, second = _halves(samples)
    outer = [_polar(1, 2 * math.pi * i / first) for i in range(first)]
    inner = [_polar(factor, 2 * math.pi * i / second) for i in range(second)]
    return _scattered({"outer": outer, "inner": inner}, noise, seed)


def spirals(samples: int = 100, noise: float = 0.02, seed: int = 0, turns: float = 1.5) -> Dataset:
    """Return two spirals around each other, the classes `first` and `second`.

    With t even in [0.1, 1] and n = `turns`, half the points are t (cos 2 pi n t, sin 2 pi n t), the
    other half their negatives, each plus Gaussian noise of standard deviation `noise`.

    Source: after K. J. Lang and M. J. Witbrock, "Learning to tell two spirals apart", Proceedings
    of the 1988 Connectionist Models Summer School (three turns there).

    >>> X, y = spirals(samples=6, noise=0.0)
    >>> sorted((round(math.hypot(*point), 6), label) for point, label in zip(X, y))
    [(0.1, 0), (0.1, 1), (0.55, 0), (0.55, 1), (1.0, 0), (1.0, 1)]

    Raises:
        ValueError: if `samples` is not a positive int or `noise` is negative.
    """
    count, other = _halves(samples)
    first = [_polar(t, 2 * math.pi * turns * t) for t in _even(0.1, 1, count)]
    second = [_polar(-t, 2 * math.pi * turns * t) for t in _even(0.1, 1, other)]
    return _scattered({"first": first, "second": second}, noise, seed)


def xor(samples: int = 100, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return the exclusive or of two inputs, the classes `false` and `true`.

    Half the points are the corners (0, 0) and (1, 1) in turn, the other half (0, 1) and (1, 0),
    each plus Gaussian noise of standard deviation `noise`.

    Source: M. Minsky and S. Papert, "Perceptrons", 1969: one neuron alone cannot learn it.

    >>> X, y = xor(samples=4, noise=0.0)
    >>> sorted((*point, label) for point, label in zip(X, y))
    [(0.0, 0.0, 0), (0.0, 1.0, 1), (1.0, 0.0, 1), (1.0, 1.0, 0)]

    Raises:
        ValueError: if `samples` is not a positive int or `noise` is negative.
    """
    first, second = _halves(samples)
    equal = [(float(i % 2), float(i % 2)) for i in range(first)]
    different = [(float(i % 2), float(1 - i % 2)) for i in range(second)]
    return _scattered({"false": equal, "true": different}, noise, seed)


def _halves(samples: int) -> tuple[int, int]:
    if not isinstance(samples, int) or samples < 1:
        raise ValueError(f"samples is how many points to make, a positive int, not {samples!r}")
    return samples // 2, samples - samples // 2


def _polar(radius: float, angle: float) -> Point:
    return radius * math.cos(angle), radius * math.sin(angle)


def _even(start: float, stop: float, count: int) -> list[float]:
    step = (stop - start) / max(1, count - 1)
    return [start + i * step for i in range(count)]


def _scattered(points: dict[str, list[Point]], noise: float, seed: int) -> Dataset:
    if noise < 0:
        raise ValueError(f"noise is a standard deviation, at least 0, not {noise}")
    samples = [(point, y) for y, half in enumerate(points.values()) for point in half]
    generator = random.Random(seed)
    generator.shuffle(samples)
    return Dataset(
        X=[[x + generator.gauss(0, noise) for x in point] for point, _ in samples],
        y=[label for _, label in samples],
        features=["x1", "x2"],
        target="class",
        classes=list(points),
    )
