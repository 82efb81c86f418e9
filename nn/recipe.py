"""How a table's columns become a network's inputs, and its outputs a prediction."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from math import inf, isfinite, isinf
from typing import TYPE_CHECKING, Any

from nn.arguments import few, shown
from nn.datasets.table import Table
from nn.metrics import largest
from nn.modelfile import exact_float

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from nn.datasets import Dataset


@dataclass(frozen=True)
class Standardised:
    """A number x as z = (x - mean) / deviation; z = 0 where the deviation is 0.

    >>> height = Standardised.fit("height", [1.0, 3.0])
    >>> height.encode(5.0), height.decode(3.0)
    ([3.0], 5.0)
    """

    name: str
    mean: float
    deviation: float

    @classmethod
    def fit(cls, name: str, numbers: Sequence[float]) -> Standardised:
        """Take the mean and the (population) standard deviation, both correctly rounded."""
        return cls(name, float(statistics.mean(numbers)), float(statistics.pstdev(numbers)))

    @property
    def inputs(self) -> list[str]:
        """The name of the one input."""
        return [self.name]

    def read(self, table: Table) -> list[float]:
        """Return this column of a table; a number whose z overflows is a DataError."""
        numbers = table.numbers(self.name)
        for row, number in enumerate(numbers):
            if isinf(*self.encode(number)):
                problem = f"{number!r} is too far from the numbers in training; correct it"
                raise table.error(row, self.name, problem)
        return numbers

    def encode(self, number: float) -> list[float]:
        """Return [z]."""
        if not self.deviation:
            return [0.0]
        difference = number - self.mean
        if isinf(difference):  # the half of it is finite
            return [(number / 2 - self.mean / 2) / (self.deviation / 2)]
        return [difference / self.deviation]

    def decode(self, z: float) -> float:
        """Return x = mean + deviation z."""
        return self.mean + self.deviation * z

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as `float.hex` writes them, which loses nothing."""
        return {
            "name": self.name,
            "mean": self.mean.hex(),
            "deviation": self.deviation.hex(),
        }


@dataclass(frozen=True)
class OneHot:
    """A text as one input per category: 1 for its own, 0 for every other.

    >>> OneHot("colour", ["blue", "red"]).encode("red")
    [0.0, 1.0]
    """

    name: str
    categories: list[str]

    @property
    def inputs(self) -> list[str]:
        """The name of each input: `colour=blue`, `colour=red`."""
        return [f"{self.name}={category}" for category in self.categories]

    def read(self, table: Table) -> list[str]:
        """Return this column of a table; a category unknown in training is a DataError."""
        texts = table.texts(self.name)
        for row, text in enumerate(texts):
            try:
                self.encode(text)
            except ValueError as error:
                raise table.error(row, self.name, str(error)) from None
        return texts

    def encode(self, text: str) -> list[float]:
        """Return the one-hot list; a category unknown in training is a ValueError."""
        if text not in self.categories:
            known = few(self.categories, limit=12)
            raise ValueError(f"{shown(text)} did not occur in training; use one of {known}")
        return [float(text == category) for category in self.categories]

    def to_json(self) -> dict[str, Any]:
        """Return name and categories."""
        return {"name": self.name, "categories": self.categories}


@dataclass(frozen=True)
class Recipe:
    """How each column is encoded: a feature as inputs, the target as what the loss compares with.

    Means and deviations are those of the training rows alone; categories and classes, those that
    the dataset lists.

    >>> from nn.datasets import iris
    >>> recipe = Recipe.fit(iris())
    >>> recipe.inputs, recipe.outputs
    (['sepal_length', 'sepal_width', 'petal_length', 'petal_width'], 3)
    """

    features: list[Standardised | OneHot]
    target: Standardised | OneHot

    @classmethod
    def fit(cls, training: Dataset) -> Recipe:
        """Return the recipe that suits these samples."""
        columns = zip(training.features, zip(*training.X, strict=True), strict=True)
        features = [
            OneHot(name, training.categories[name])
            if name in training.categories
            else Standardised.fit(name, column)
            for name, column in columns
        ]
        if training.classes is None:
            return cls(features, Standardised.fit(training.target, training.y))
        return cls(features, OneHot(training.target, training.classes))

    @property
    def inputs(self) -> list[str]:
        """The name of each input of the network."""
        return [name for feature in self.features for name in feature.inputs]

    @property
    def classes(self) -> list[str] | None:
        """The name of each class, or None where the target is a number."""
        return self.target.categories if isinstance(self.target, OneHot) else None

    @property
    def outputs(self) -> int:
        """How many outputs the network has: one per class, or one for a number."""
        return len(self.target.inputs)

    def read(self, path: str | os.PathLike[str]) -> list[list[Any]]:
        """Return the rows of a CSV file in this recipe's columns, in any order and among others.

        Raises:
            OSError: if the file cannot be opened.
            DataError: if the file, a column or a cell cannot be used; the message says which.
        """
        table = Table.read(path)
        return [list(row) for row in zip(*(f.read(table) for f in self.features), strict=True)]

    def encode(self, X: Sequence[Sequence[Any]]) -> list[list[float]]:
        """Return rows of features as the network's inputs."""
        return [
            [z for f, entry in zip(self.features, row, strict=True) for z in f.encode(entry)]
            for row in X
        ]

    def samples(self, data: Dataset) -> tuple[list[list[float]], list[Any]]:
        """Return a dataset as `fit` takes it: inputs, and class indices or standardised numbers."""
        if isinstance(self.target, OneHot):
            return self.encode(data.X), data.y
        return self.encode(data.X), [self.target.encode(number)[0] for number in data.y]

    def decode(self, outputs: Sequence[Any]) -> list[Any]:
        """Return what outputs of the network predict: class indices, or numbers in their unit."""
        if isinstance(self.target, OneHot):
            return list(map(largest, outputs))
        return [self.target.decode(z) for z in outputs]

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as lists, dicts and texts."""
        return {
            "features": [feature.to_json() for feature in self.features],
            "target": self.target.to_json(),
        }

    @classmethod
    def from_json(cls, saved: Any) -> Recipe:
        """Return the recipe that `to_json` wrote, to the last bit.

        Raises:
            ValueError: if it is missing or damaged.
        """
        try:
            recipe = cls(
                [_column(feature) for feature in saved["features"]], _column(saved["target"])
            )
            recipe._check()
        except (KeyError, TypeError, ValueError):
            raise ValueError("the recipe for the data is missing or damaged") from None
        return recipe

    def _check(self) -> None:
        names = [feature.name for feature in self.features]
        if len({*names, self.target.name}) <= len(names):
            raise ValueError("two columns have one name")
        if self.classes is not None and len(self.classes) < 2:
            raise ValueError("nothing can be learnt of a single class")


def _column(saved: dict[str, Any]) -> Standardised | OneHot:
    name = saved["name"]
    if not isinstance(name, str):
        raise TypeError("a column's name is text")
    name.encode()  # a lone surrogate, which JSON can hold, is no text that could be written
    if "categories" in saved:
        categories = saved["categories"]
        if not (isinstance(categories, list) and all(isinstance(c, str) for c in categories)):
            raise TypeError("categories are a list of texts")
        "".join(categories).encode()
        if not categories or len(set(categories)) < len(categories):
            raise ValueError("categories are distinct, and there is one at least")
        return OneHot(name, categories)
    mean, deviation = exact_float(saved["mean"]), exact_float(saved["deviation"])
    if not (isfinite(mean) and 0.0 <= deviation < inf):
        raise ValueError("no column of finite numbers has this mean and deviation")
    return Standardised(name, mean, deviation)
