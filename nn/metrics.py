"""How good predictions are, as numbers for people: accuracy, root mean square error."""

from __future__ import annotations

import math
from operator import eq, sub

from nn.arguments import as_list, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


def accuracy(outputs: Sequence[Any], targets: Sequence[Any]) -> float:
    """Return the part of the samples that are classified right, from 0 to 1.

    A list of outputs votes for the class with the largest, the target being its index or a list
    with its largest number there. A single output votes by its sign, the target being positive
    (1) or not (0 or -1). An output with a nan is never right.

    Raises:
        TypeError: if outputs or targets are not a list or array.
        ValueError: if they differ in length or are empty.

    >>> accuracy([[0.1, 0.9], [2.0, 1.0]], [1, 1]), accuracy([0.3, -0.2], [1, -1])
    (0.5, 1.0)
    """
    outputs, targets = paired(("outputs", "targets"), outputs, targets)
    y = [
        target if hasattr(output, "__len__") and not hasattr(target, "__len__") else _vote(target)
        for output, target in zip(outputs, targets, strict=True)
    ]
    return count_right(map(_vote, outputs), y) / len(y)


def count_right(predicted: Iterable[float], y: Iterable[float]) -> int:
    """Return how many predicted classes are the true ones."""
    return sum(map(eq, predicted, y))


def rmse(predicted: Sequence[float], y: Sequence[float]) -> float:
    """Return the root of the mean squared error, which has the unit of what is predicted.

    No square overflows or underflows on the way.

    Raises:
        TypeError: if one is not a list or array.
        ValueError: if they differ in length or are empty.

    >>> rmse([1.0, 2.0, 3.0, 4.0], [4.0, 2.0, 3.0, 8.0])
    2.5
    """
    predicted, y = paired(("predicted", "y"), predicted, y)
    return math.hypot(*map(sub, predicted, y)) / math.sqrt(len(y))


def largest(numbers: Sequence[float]) -> int:
    """Return the index of the largest number, the first of equals.

    >>> largest([0.1, 0.7, 0.2])
    1
    """
    return max(range(len(numbers)), key=numbers.__getitem__)


def paired(names: tuple[str, str], first: Any, second: Any) -> tuple[list[Any], list[Any]]:
    """Return two lists of the same length, which is not 0; errors give them these names.

    Raises:
        TypeError: if one is not a list or array.
        ValueError: if they differ in length or are empty.
    """
    lists = []
    for name, given in zip(names, (first, second), strict=True):
        try:
            lists.append(as_list(given))
        except TypeError:
            raise TypeError(
                f"{name} must be a list or array of one entry per sample, got {shown(given)}"
            ) from None
    one, other = lists
    if len(one) != len(other):
        raise ValueError(
            f"{names[0]} and {names[1]} must be of one length, got {len(one)} and {len(other)}"
        )
    if not one:
        raise ValueError(f"{names[0]} and {names[1]} are empty")
    return one, other


def _vote(output: Any) -> float:
    """Return the class that an output, or a target like it, stands for; of a nan, nan."""
    if any(map(math.isnan, output if hasattr(output, "__len__") else [output])):
        return math.nan
    return largest(output) if hasattr(output, "__len__") else bool(output > 0)
