"""Two moons told apart, as in micrograd's demo: the second half of `python -m nn demo`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd import Value, dot
from nn import plots
from nn.datasets import moons
from nn.layers import MLP
from nn.losses import hinge
from nn.metrics import accuracy
from nn.optim import SGD
from nn.report import (
    REPORT,
    Part,
    Report,
    boundary_part,
    described,
    network_part,
    page_part,
    trained,
    training_parts,
)
from nn.scores import Right
from nn.training import fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from nn.datasets import Dataset
    from nn.training import History


@dataclass(frozen=True)
class Separated:
    """Two moons, and the network that tells them apart by the sign of its output."""

    data: Dataset
    model: MLP
    history: History
    accuracy: float

    def pictures(self) -> dict[str, Callable[[], Any]]:
        """Return, by file name, what draws each picture and makes the report."""
        return {
            "loss.png": partial(plots.loss_curve, self.history.loss),
            "boundary.png": self._boundary().make,
            REPORT: self.report,
        }

    def _boundary(self) -> Part:
        return boundary_part(self.model.predict, self.data, "what it was trained on")

    def report(self) -> Report:
        """Return the web page of what was trained, how well it did, and how it works."""
        right = Right(round(self.accuracy * len(self.data.y)), len(self.data.y))
        return Report(
            "Two moons told apart",
            [
                [f"on {len(self.data.y)} training points", *right.cells()],
                ["this network", *right.cells().values()],
            ],
            "",
            {
                "columns": self.data.features,
                "target": self.data.target,
                "classes": self.data.classes or [],
                "network": described(self.model),
                "training": trained(self.history),
            },
            [
                self._boundary(),
                *training_parts(self.history),
                network_part(self.model),
                page_part(self._loss, "the loss of the point that is hardest to tell"),
            ],
        )

    def _loss(self) -> Value:
        """Return the loss of the point that is hardest to tell."""
        X, y = self.data
        signs = [2 * label - 1 for label in y]
        margins = [sign * score for sign, score in zip(signs, self.model.predict(X), strict=True)]
        hardest = margins.index(min(margins))
        inputs = list(map(Value, X[hardest], self.data.features))
        loss: Value = hinge(self.model(inputs), signs[hardest])
        loss.label = "loss"
        return loss


def separate_moons(*, progress: bool = False) -> Separated:
    """Train as micrograd's demo does: MLP 2-16-16-1, hinge, 100 steps of gradient descent.

    The accuracy is that on the 100 points it was trained on.
    """
    data = moons(samples=100, noise=0.1, seed=0)
    signs = [2 * label - 1 for label in data.y]
    model = MLP(2, [16, 16, 1])
    history = fit(
        model,
        data.X,
        signs,
        hinge,
        SGD(model.parameters(), lr=lambda step: 1.0 - 0.009 * step),
        epochs=100,
        batch_size=100,
        metric=accuracy,
        progress=progress,
        penalty=lambda model: 1e-4 * dot(model.parameters(), model.parameters()),
    )
    return Separated(data, model, history, accuracy(model.predict(data.X), signs))
