"""Data to learn from: small problems made from a seed, real measurements, and any CSV file.

>>> from nn.datasets import moons
>>> X, y = moons(samples=100, noise=0.1, seed=0)
>>> len(X), sum(y)
(100, 50)
"""

from __future__ import annotations

from nn.datasets.dataset import Dataset, read_csv, split
from nn.datasets.measurements import digits, iris
from nn.datasets.shapes import circles, moons, spirals, xor
from nn.datasets.table import DataError

__all__ = [
    "DataError",
    "Dataset",
    "circles",
    "digits",
    "iris",
    "moons",
    "read_csv",
    "spirals",
    "split",
    "xor",
]
