"""From a dataset to a network tested on rows it has not seen: what the command runs."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd import Value, draw, gradients
from nn import plots
from nn.arguments import shown
from nn.datasets import DataError, split
from nn.layers import MLP
from nn.losses import cross_entropy, mse
from nn.metrics import accuracy, count_right, largest
from nn.optim import AdamW, cosine
from nn.recipe import Recipe, Standardised
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
from nn.scores import Comparison, Errors, Right, errors_of, readable
from nn.training import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from autograd.draw.drawing import Drawing
    from nn.datasets import Dataset
    from nn.training import History


LOOKED_AT = 200  # training rows, to find one that is hard
MOST = 1000  # different texts in a column: each becomes an input or an output
SMALL = 500  # parameters of a network whose every step can be followed


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
        return errors_of(self.predicted, self.test.y)

    def summary(self) -> str:
        """Return what was trained on what, and the test's result beside the simplest guess."""
        lines = (
            f"{self._rows()}\nnetwork: {described(self.model)}; {trained(self.history)}\n"
            f"{self.test_result()}"
        )
        numbers = {*self.training.y, *self.validation.y, *self.test.y}
        if self.recipe.classes is None and len(numbers) <= 10 and all(y == int(y) for y in numbers):
            target = self.test.target
            lines += (
                f"\n{target} is one of {len(numbers)} whole numbers: "
                f"--text {target!r} would learn them as classes"
            )
        return lines

    def _rows(self) -> str:
        """Return how many rows there were, and for what."""
        rows = [len(part.y) for part in (self.training, self.validation, self.test)]
        return (
            f"{sum(rows)} rows: {rows[0]} to train on, {rows[1]} to know when to stop, "
            f"{rows[2]} to test on"
        )

    def comparison(self) -> Comparison:
        """Return the result on the test rows beside the simplest guess's."""
        y, classes = self.test.y, self.recipe.classes
        if classes is None:
            mean = self.recipe.decode([0.0])[0]
            errors, guessed = self.errors, errors_of([mean] * len(y), y)
            better = errors.rmse < guessed.rmse
            return Comparison(errors, f"always {readable(mean)}, the mean", guessed, better)
        right = Right(count_right(self.predicted, y), len(y))
        commonest = Counter(self.training.y).most_common(1)[0][0]
        luck = Right(y.count(commonest), len(y))
        return Comparison(right, f"always {classes[commonest]!r}", luck, right > luck)

    def test_result(self) -> str:
        """Return the accuracy beside the most frequent class's, or the errors beside the mean's."""
        network, guess, guessed, _ = compared = self.comparison()
        kind = "error" if self.recipe.classes is None else "accuracy"
        said = f"test {kind} of {self.test.target}: {network}; {guess}: {guessed}"
        return "; ".join(filter(None, [said, compared.verdict]))

    def pictures(self, source: str = "") -> dict[str, Callable[[], Any]]:
        """Return, by file name, what draws each picture and makes the report; see `report`."""
        drawn = {
            name: partial(picture, self)
            for name, picture in pictures_of(self.test).items()
            if self.history.epochs or picture is not Learnt.loss_curve
        }
        return {**drawn, REPORT: partial(self.report, source)}

    def report(self, source: str = "") -> Report:
        """Return the web page of what was trained on what, how well it did, and how it works.

        Args:
            source: what the data is called, such as the name of its file.
        """
        network, guess, guessed, _ = compared = self.comparison()
        head = [f"on {len(self.test.y)} test rows", *network.cells()]
        rows = [["this network", *network.cells().values()], [guess, *guessed.cells().values()]]
        facts: dict[str, str | list[str]] = {
            "data": source,
            "rows": self._rows(),
            "columns": self.test.features,
            "target": self.test.target,
            "classes": self.recipe.classes or [],
            "network": described(self.model),
            "training": trained(self.history),
        }
        return Report(
            f"{self.test.target} learnt from {source or 'data'}",
            [head, *rows],
            compared.verdict,
            {name: fact for name, fact in facts.items() if fact},
            [*self._result_parts(), *training_parts(self.history), *self._network_parts()],
        )

    def _result_parts(self) -> Iterator[Part]:
        """Yield pictures of what was predicted for the test rows."""
        X, y = self.test
        classes = self.recipe.classes
        if classes is None:
            yield Part(
                "Predicted against true",
                "Each test row is a point: on the line if it is predicted exactly.",
                f"Predictions for {len(y)} test rows over the true numbers: {self.errors}.",
                self.predicted_against_true,
            )
            return
        errors = Counter((t, p) for t, p in zip(y, self.predicted, strict=True) if t != p)
        mistakes = [
            f"{classes[true]} taken for {classes[guess]}: {count}."
            for (true, guess), count in errors.most_common(12)
        ]
        yield Part(
            "Confusion matrix",
            "How often each class of the test rows was predicted as which: right is blue.",
            " ".join([f"Right: {self.comparison().network}.", *mistakes]),
            self.confusion_matrix,
        )
        features = self.recipe.features
        numeric = all(isinstance(feature, Standardised) for feature in features)
        if numeric and len(features) == 2 and len(classes) <= len(plots.PALETTE):
            yield boundary_part(
                lambda X: self.model.predict(self.recipe.encode(X)), self.test, "the test rows"
            )
        if _are_images(self.test) and errors:
            yield Part(
                "Misclassified",
                "Test rows whose class was predicted wrong, as images.",
                "What they are and what they were taken for: " + " ".join(mistakes),
                partial(plots.misclassified, X, y, self.predicted, classes),
            )

    def _network_parts(self) -> Iterator[Part]:
        """Yield pictures of the network and of its gradients."""
        if _are_images(self.test):
            yield Part(
                "First layer",
                "The weights of each unit of the first layer, as an image of what it looks for. "
                "A pixel that is the same in every training row is left white.",
                f"Weights of {self.model.sizes[1]} units.",
                lambda: plots.weight_images(self._first_weights()),
            )
        yield network_part(self.model)
        if len(self.model.parameters()) <= SMALL:
            yield page_part(lambda: self._hardest()[1], "the training row with the largest loss")
        else:
            yield page_part(self._through_neuron, "the neuron that the largest loss moves most")

    def _first_weights(self) -> list[list[float]]:
        """Return the weights of the first layer, and 0 for those of inputs that are always 0."""
        varied = [isinstance(f, Standardised) and f.deviation > 0.0 for f in self.recipe.features]
        return [
            [
                weight.data if used else 0.0
                for weight, used in zip(unit.weights, varied, strict=True)
            ]
            for unit in self.model.layers[0].neurons
        ]

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

        The sample is one of the first 200, and the neuron one of the first layer. What is drawn is
        the neuron's output times the loss's slope there, which has the gradients of the loss at its
        weights, bias and inputs.
        """
        return draw(self._through_neuron())

    def _through_neuron(self) -> Value:
        """Return the output of the neuron that the largest loss moves most, times its slope."""
        outputs, loss = self._hardest()
        neurons = outputs[0] if isinstance(outputs[0], list) else [outputs[0]]
        slopes = [slope.data for slope in gradients(loss, neurons)]
        i = largest([abs(slope) for slope in slopes])
        part: Value = neurons[i] * slopes[i]
        part.label = "loss through the neuron"
        return part

    def _hardest(self) -> tuple[list[Any], Value]:
        """Return each layer's outputs and the loss for the sample of the first with the largest."""
        few = self.training.take(range(min(LOOKED_AT, len(self.training.y))))
        X, y = self.recipe.samples(few)
        loss = mse if self.recipe.classes is None else cross_entropy
        losses = list(map(loss, self.model.predict(X), y))
        sample = losses.index(max(losses))
        inputs = [Value(x, name) for x, name in zip(X[sample], self.recipe.inputs, strict=True)]
        outputs = self.model.layer_outputs(inputs)
        result = loss(outputs[-1], y[sample])
        result.label = "loss"
        return outputs, result


def pictures_of(data: Dataset) -> dict[str, Callable[[Learnt], Any]]:
    """Return, by file name, what draws each picture of what is learnt from such data."""
    result: dict[str, Callable[[Learnt], Any]] = (
        {"prediction.png": Learnt.predicted_against_true}
        if data.classes is None
        else {"confusion.png": Learnt.confusion_matrix}
    )
    return {"loss.png": Learnt.loss_curve, **result, "graph.svg": Learnt.neuron_graph}


def _are_images(data: Dataset) -> bool:
    """Whether rows are square images: numbered columns of numbers, 7 × 7 or more of them."""
    side = math.isqrt(len(data.features))
    called = {re.sub(r"\d+", "0", name) for name in data.features}
    return (
        side >= 7 and side * side == len(data.features) and len(called) == 1 > len(data.categories)
    )


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
    target = shown(data.target)
    if len(data.y) < 10:
        raise DataError(
            f"{path}: {len(data.y)} rows are too few to train and test on; add some, to 10 at least"
        )
    if data.y.count(data.y[0]) == len(data.y):
        raise DataError(
            f"{path}, column {target}: the same in every row, so there is nothing to learn; "
            "choose another --target"
        )
    if data.classes is None and (most := max(map(abs, data.y))) > 1e150:
        raise DataError(
            f"{path}, column {target}: numbers as large as {most:g} have squares beyond the "
            "largest float; give it in a larger unit"
        )
    counts = Counter(data.y)
    for label, name in enumerate(data.classes or []):
        if counts[label] == 1:
            problem = f"the class {shown(name)} is in one row alone"
            advice = "correct it, or add or leave out rows"
            raise DataError(f"{path}, column {target}: {problem}; {advice}")
    if len(data.classes or []) > MOST:
        raise DataError(
            f"{path}, column {target}: {len(data.classes or [])} classes are too many to learn, "
            f"{MOST} the most; choose another --target"
        )
    for name, categories in data.categories.items():
        if len(categories) > min(max(10, len(data.y) / 2), MOST):
            raise DataError(
                f"{path}, column {shown(name)}: {len(categories)} different texts in "
                f"{len(data.y)} rows are names, not categories; leave the column out with "
                f"--drop {shown(name)}"
            )
