"""Samples with their targets: made by hand, read from a CSV file, or split in two."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nn.arguments import few, shown
from nn.datasets.table import DataError, Table

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Sequence


@dataclass(frozen=True, repr=False)
class Dataset:
    """Samples and their targets, which unpack as `X, y = dataset`.

    Attributes:
        X: one row per sample, in it one entry per feature: a float, or a str in a text feature.
        y: one target per sample: the index of its class, or a float where `classes` is None.
        features: the name of each feature.
        target: the name of what is to be predicted.
        classes: the name of each class, or None where the target is a number.
        categories: for each text feature, by name, the texts that occur in it.

    >>> X, y = Dataset([[0.0], [1.0]], [0, 1], ["x"], "sign", ["minus", "plus"])
    >>> X, y
    ([[0.0], [1.0]], [0, 1])
    """

    X: list[list[Any]]
    y: list[Any]
    features: list[str]
    target: str
    classes: list[str] | None = None
    categories: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[list[Any]]:
        return iter((self.X, self.y))

    def __repr__(self) -> str:
        kind = "a number" if self.classes is None else f"one of {few(self.classes, limit=12)}"
        features = few(self.features, limit=12)
        return f"Dataset({len(self.X)} samples of {features}; {self.target} is {kind})"

    def take(self, samples: Sequence[int]) -> Dataset:
        """Return the dataset of the samples at these positions.

        >>> iris_like = Dataset([[1.0], [2.0], [3.0]], [0, 1, 0], ["x"], "kind", ["a", "b"])
        >>> iris_like.take([2, 0]).X
        [[3.0], [1.0]]
        """
        X, y = [self.X[i] for i in samples], [self.y[i] for i in samples]
        return Dataset(X, y, self.features, self.target, self.classes, self.categories)


def split(dataset: Dataset, test: float = 0.2, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Return `(training, test)`: two datasets that share no sample and keep the samples' order.

    The share `test` of the samples, drawn at random, goes to the second; where the target is a
    class, the share of each class (stratified). It is rounded, but every class with two samples or
    more is on both sides, and a class with one is in training alone.

    >>> numbers = Dataset([[float(i)] for i in range(10)], [0.0] * 10, ["x"], "y")
    >>> training, held_out = split(numbers, test=0.3)
    >>> len(training.X), len(held_out.X)
    (7, 3)

    Raises:
        ValueError: if `test` is not between 0 and 1.
    """
    if not 0 < test < 1:
        raise ValueError(f"test is the share held out, between 0 and 1, not {test}")
    generator = random.Random(seed)
    groups: dict[int | None, list[int]] = {}
    for sample, target in enumerate(dataset.y):
        groups.setdefault(None if dataset.classes is None else target, []).append(sample)
    held_out: list[int] = []
    for group in groups.values():
        count = min(max(1, round(test * len(group))), len(group) - 1)
        held_out += generator.sample(group, count)
    kept = set(range(len(dataset.y))).difference(held_out)
    return dataset.take(sorted(kept)), dataset.take(sorted(held_out))


def read_csv(
    path: str | os.PathLike[str],
    target: str,
    *,
    text: Collection[str] = (),
    drop: Collection[str] = (),
) -> Dataset:
    """Return the rows of a CSV file as a dataset whose target is the column `target`.

    A column is numeric when most of its cells, apart from missing ones such as NA, are numbers
    (then all must be), else text. A text target makes classes, in alphabetical order; a text
    feature stays text, its categories listed.

    Args:
        path: a UTF-8 file whose first line names the columns; see `Table.read`.
        target: the column to be predicted; every other one is a feature.
        text: columns that are text even where they hold numbers, such as codes.
        drop: columns to leave out.

    Raises:
        OSError: if the file cannot be opened.
        DataError: if the file, a column or a cell cannot be used; the message says which and why.
    """
    table = Table.read(path)
    for name in (target, *text, *drop):
        table.require(name)
    if target in drop:
        raise DataError(f"{table.path}: {shown(target)} is the target, so it cannot be dropped")
    columns: dict[str, list[Any]] = {
        name: table.texts(name)
        if name in text or not table.is_numeric(name)
        else table.numbers(name)
        for name in table.columns
        if name not in drop
    }
    y = columns.pop(target)
    if not columns:
        raise DataError(f"{table.path}: {shown(target)} has no other column to be predicted from")
    categories = {name: sorted(set(column)) for name, column in columns.items() if _is_text(column)}
    classes = sorted(set(y)) if _is_text(y) else None
    labels = {name: label for label, name in enumerate(classes or [])}
    return Dataset(
        X=[list(row) for row in zip(*columns.values(), strict=True)],
        y=y if classes is None else [labels[name] for name in y],
        features=list(columns),
        target=target,
        classes=classes,
        categories=categories,
    )


def _is_text(column: list[Any]) -> bool:
    return isinstance(column[0], str)
