"""From a dataset to a network tested on rows it has not seen: what the command runs."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd import Value, dot, draw
from nn import plots
from nn.datasets import DataError, moons, split
from nn.layers import MLP
from nn.losses import cross_entropy, hinge, mae, mse
from nn.metrics import accuracy, count_right, rmse
from nn.optim import SGD, AdamW, cosine
from nn.recipe import Recipe
from nn.training import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from autograd.draw.drawing import Drawing
    from nn.datasets import Dataset
    from nn.training import History


class Errors(NamedTuple):
    """How far predicted numbers are from the true ones, in their unit."""

    rmse: float
    mean_absolute: float

    def __str__(self) -> str:
        return f"RMSE {self.rmse:.4g}, mean absolute {self.mean_absolute:.4g}"


@dataclass(frozen=True)
class Learnt:
    """A network trained on some rows of a dataset, and tested on others.

    Attributes:
        model: the network.
        recipe: how the columns become its inputs, and its outputs a prediction.
        history: of its training.
        training: the rows it was trained on.
        validation: those that said when to stop.
        test: those it was tested on.
        predicted: for each row of `test` the class index or number predicted.
    """

    model: MLP
    recipe: Recipe
    history: History
    training: Dataset
    validation: Dataset
    test: Dataset
    predicted: list[Any]

    @property
    def accuracy(self) -> float:
        """The share of the test rows whose class is predicted right."""
        return count_right(self.predicted, self.test.y) / len(self.test.y)

    @property
    def errors(self) -> Errors:
        """The errors of the numbers predicted for the test rows."""
        return _errors(self.predicted, self.test.y)

    def report(self) -> str:
        """Return what was trained on what, and the test's result beside the simplest guess."""
        rows = [len(part.y) for part in (self.training, self.validation, self.test)]
        sizes = "-".join(map(str, self.model.sizes))
        lines = (
            f"{sum(rows)} rows: {rows[0]} to train on, {rows[1]} to know when to stop, "
            f"{rows[2]} to test on\n"
            f"network: {sizes} {self.model.activation}, "
            f"{len(self.model.parameters())} parameters; {self.history.epochs} epochs "
            f"in {self.history.seconds:.1f} s, {self._how()}\n{self.test_result()}"
        )
        numbers = {*self.training.y, *self.validation.y, *self.test.y}
        if self.recipe.classes is None and len(numbers) <= 10 and all(y == int(y) for y in numbers):
            target = self.test.target
            lines += (
                f"\n{target} is one of {len(numbers)} whole numbers: "
                f"--text {target!r} would learn them as classes"
            )
        return lines

    def _how(self) -> str:
        """Return whether machine code trained the network, and why not."""
        history = self.history
        return "compiled" if history.compiled else f"eager ({history.reason})"

    def test_result(self) -> str:
        """Return the accuracy beside the most frequent class's, or the errors beside the mean's."""
        y, classes = self.test.y, self.recipe.classes
        if classes is None:
            mean = self.recipe.decode([0.0])[0]
            errors, guessed = self.errors, _errors([mean] * len(y), y)
            verdict = "" if errors.rmse < guessed.rmse else "; no better than guessing"
            return (
                f"test error of {self.test.target}: {errors}; "
                f"always {mean:.4g}, the mean: {guessed}{verdict}"
            )
        right = count_right(self.predicted, y)
        commonest = Counter(self.training.y).most_common(1)[0][0]
        verdict = "" if right > y.count(commonest) else "; no better than guessing"
        return (
            f"test accuracy of {self.test.target}: {self.accuracy:.1%} ({right} of {len(y)}); "
            f"always {classes[commonest]!r}: {y.count(commonest) / len(y):.1%}{verdict}"
        )

    def pictures(self) -> dict[str, Callable[[], Any]]:
        """Return, by file name, what draws each picture."""
        return {
            name: partial(picture, self)
            for name, picture in pictures_of(self.test).items()
            if self.history.epochs or picture is not Learnt.loss_curve
        }

    def loss_curve(self) -> Figure:
        """Draw the losses, epoch by epoch."""
        history = self.history
        return plots.loss_curve(history.loss, history.validation_loss, history.kept)

    def confusion_matrix(self) -> Figure:
        """Draw which classes of the test rows were predicted as which."""
        return plots.confusion_matrix(self.test.y, self.predicted, self.recipe.classes or [])

    def predicted_against_true(self) -> Figure:
        """Draw the numbers predicted for the test rows over the true ones."""
        return plots.predicted_against_true(self.test.y, self.predicted, self.test.target)

    def neuron_graph(self) -> Drawing:
        """Draw how the largest loss of a training sample reaches the neuron that it moves most.

        The neuron is one of the first layer. What is drawn is its output times the loss's slope
        there, which has the gradients of the loss at the neuron's weights, bias and inputs.
        """
        X, y = self.recipe.samples(self.training)
        loss = mse if self.recipe.classes is None else cross_entropy
        losses = list(map(loss, self.model.predict(X), y))
        sample = losses.index(max(losses))
        inputs = [Value(x, name) for x, name in zip(X[sample], self.recipe.inputs, strict=True)]
        outputs = self.model.layer_outputs(inputs)
        loss(outputs[-1], y[sample]).backward()
        neurons = outputs[0] if isinstance(outputs[0], list) else [outputs[0]]
        neuron = max(neurons, key=lambda output: abs(output.grad))
        part = neuron * neuron.grad
        part.label = "loss through the neuron"
        return draw(part)


def pictures_of(data: Dataset) -> dict[str, Callable[[Learnt], Any]]:
    """Return, by file name, what draws each picture of what is learnt from such data."""
    result: dict[str, Callable[[Learnt], Any]] = (
        {"prediction.png": Learnt.predicted_against_true}
        if data.classes is None
        else {"confusion.png": Learnt.confusion_matrix}
    )
    return {"loss.png": Learnt.loss_curve, **result, "graph.svg": Learnt.neuron_graph}


def learn(
    data: Dataset,
    *,
    hidden: Sequence[int] = (16,),
    activation: str = "tanh",
    epochs: int = 100,
    batch_size: int = 16,
    lr: float = 0.03,
    test: float = 0.2,
    seed: int = 0,
    eager: bool = False,
    progress: bool = False,
) -> Learnt:
    """Split the data, train on one part, stop when the loss on another falls no more, and test.

    Trains by AdamW (Loshchilov & Hutter 2019), with a learning rate that falls to 0 as a cosine.

    >>> from nn.datasets import iris
    >>> learn(iris(), epochs=20).accuracy > 0.8
    True

    Args:
        data: what to learn; see `check_learnable`.
        hidden: the number of neurons in each hidden layer.
        activation: of the hidden layers.
        epochs: passes over the training rows at most.
        batch_size: rows per step.
        lr: the learning rate at first.
        test: the share of the rows to test on.
        seed: of the split, the weights and the batches.
        eager: whether to train without machine code, even where it would be quicker.
        progress: whether to show a bar.

    Raises:
        FloatingPointError: if a loss or gradient is inf or nan.
    """
    rest, held_out = split(data, test, seed)
    training, validation = split(rest, 0.2, seed)
    recipe = Recipe.fit(training)
    model = MLP(len(recipe.inputs), [*hidden, recipe.outputs], activation, seed=seed)
    batch_size = min(batch_size, len(training.y))
    steps = epochs * math.ceil(len(training.y) / batch_size)
    history = fit(
        model,
        *recipe.samples(training),
        mse if recipe.classes is None else cross_entropy,
        AdamW(model.parameters(), cosine(lr, steps), weight_decay=0.1),
        epochs,
        batch_size,
        validation=recipe.samples(validation) if validation.y else None,
        metric=None if recipe.classes is None else accuracy,
        patience=20,
        seed=seed,
        progress=progress,
        compiled=False if eager else "auto",
    )
    predicted = recipe.decode(model.predict(recipe.encode(held_out.X)))
    return Learnt(model, recipe, history, training, validation, held_out, predicted)


def check_learnable(data: Dataset, path: Path) -> None:
    """Raise a DataError if nothing can be learnt from these rows of a file."""
    if len(data.y) < 10:
        raise DataError(
            f"{path}: {len(data.y)} rows are too few to train and test on; add some, to 10 at least"
        )
    if data.y.count(data.y[0]) == len(data.y):
        raise DataError(
            f"{path}, column {data.target!r}: the same in every row, so there is nothing to learn; "
            "choose another --target"
        )
    if data.classes is None and (most := max(map(abs, data.y))) > 1e150:
        raise DataError(
            f"{path}, column {data.target!r}: numbers as large as {most:g} have squares beyond the "
            "largest float; give it in a larger unit"
        )
    for label, name in enumerate(data.classes or []):
        if data.y.count(label) == 1:
            problem = (
                f"the class {name!r} is in one row alone; correct it, or add or leave out rows"
            )
            raise DataError(f"{path}, column {data.target!r}: {problem}")
    for name, categories in data.categories.items():
        if len(categories) > max(10, len(data.y) / 2):
            raise DataError(
                f"{path}, column {name!r}: {len(categories)} different texts in {len(data.y)} rows "
                f"are names, not categories; leave the column out with --drop {name!r}"
            )


@dataclass(frozen=True)
class Separated:
    """Two moons, and the network that tells them apart by the sign of its output."""

    data: Dataset
    model: MLP
    history: History
    accuracy: float

    def pictures(self) -> dict[str, Callable[[], Any]]:
        """Return, by file name, what draws each picture."""
        boundary = partial(
            plots.decision_boundary,
            self.model.predict,
            self.data.X,
            self.data.y,
            self.data.classes or [],
        )
        return {
            "loss.png": partial(plots.loss_curve, self.history.loss),
            "boundary.png": boundary,
        }


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


def _errors(predicted: Sequence[float], y: Sequence[float]) -> Errors:
    return Errors(rmse(predicted, y), mae(predicted, y))
