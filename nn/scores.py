"""How well a network does, in words and in the cells of a table, beside the simplest guess."""

from __future__ import annotations

from typing import NamedTuple

from nn.losses import mae
from nn.metrics import rmse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Errors(NamedTuple):
    """How far predicted numbers are from the true ones, in their unit."""

    rmse: float
    mean_absolute: float

    def __str__(self) -> str:
        return f"RMSE {readable(self.rmse)}, mean absolute {readable(self.mean_absolute)}"

    def cells(self) -> dict[str, str]:
        """Return the columns of a table."""
        return {"RMSE": readable(self.rmse), "mean absolute error": readable(self.mean_absolute)}


class Right(NamedTuple):
    """How many predicted classes are the true ones."""

    right: int
    rows: int

    def __str__(self) -> str:
        return f"{self.right / self.rows:.1%} ({self.right} of {self.rows})"

    def cells(self) -> dict[str, str]:
        """Return the columns of a table."""
        return {
            "accuracy": f"{self.right / self.rows:.1%}",
            "right": f"{self.right} of {self.rows}",
        }


class Comparison(NamedTuple):
    """A network's result on the test rows beside the simplest guess's.

    Attributes:
        network: the network's.
        guess: what is always guessed: the most frequent class or the mean of the training rows.
        guessed: the result of that.
        better: whether the network's is.
    """

    network: Errors | Right
    guess: str
    guessed: Errors | Right
    better: bool

    @property
    def verdict(self) -> str:
        """What is to be said if the network is not better."""
        return "" if self.better else "no better than guessing"


def errors_of(predicted: Sequence[float], y: Sequence[float]) -> Errors:
    """Return the errors of predicted numbers."""
    return Errors(rmse(predicted, y), mae(predicted, y))


def readable(x: float) -> str:
    """Return four significant digits, or a whole number of any that has more."""
    return f"{x:.0f}" if 1e4 <= abs(x) < 1e9 else f"{x:.4g}"
