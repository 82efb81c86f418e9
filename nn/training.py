"""fit: train a model by minibatches; accuracy, a metric; History, what happened."""

from __future__ import annotations

from contextlib import nullcontext
from math import inf, isfinite
from random import Random
from time import perf_counter

from autograd import Value, mean, no_grad
from nn.module import Module, listed, plain, set_at_once, whole_number
from nn.optim import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Loss = Callable[[Any, Any], Any]
    Metric = Callable[[list[Any], list[Any]], float]


class History:
    """What `fit` did, epoch by epoch.

    Attributes:
        records: for each finished epoch (loss, metric, validation loss, validation metric), None
            where there is none.
        stopped: why training ended: "epochs", "stop_below", "patience" or "interrupted".
        seconds: how long it took.
    """

    def __init__(self) -> None:
        self.records: list[tuple[float | None, ...]] = []
        self.stopped = "epochs"
        self.seconds = 0.0

    def __repr__(self) -> str:
        last = "".join(f", {name}={number:.4g}" for name, number in self.last().items())
        return (
            f"History(epochs={self.epochs}{last}, "
            f"stopped={self.stopped!r}, seconds={self.seconds:.3g})"
        )

    def _column(self, position: int) -> list[float]:
        return [number for r in self.records if (number := r[position]) is not None]

    @property
    def loss(self) -> list[float]:
        """The training samples' mean loss, measured when each batch had its turn."""
        return self._column(0)

    @property
    def metric(self) -> list[float]:
        """The metric of the training samples' outputs, computed when each batch had its turn."""
        return self._column(1)

    @property
    def validation_loss(self) -> list[float]:
        """The validation samples' mean loss at the end of each epoch."""
        return self._column(2)

    @property
    def validation_metric(self) -> list[float]:
        """The metric of the validation samples at the end of each epoch."""
        return self._column(3)

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.records)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.stopped == "interrupted"

    def last(self) -> dict[str, float]:
        """Return the last epoch's numbers by name."""
        names = ("loss", "metric", "validation_loss", "validation_metric")
        return {name: column[-1] for name in names if (column := getattr(self, name))}


def fit(
    model: Callable[[Any], Any],
    X: Iterable[Any],
    y: Iterable[Any],
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    validation: tuple[Iterable[Any], Iterable[Any]] | None = None,
    metric: Metric | None = None,
    penalty: Callable[[Any], Any] | None = None,
    stop_below: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> History:
    """Train a model: descend the mean loss of one minibatch after the other.

    A step's gradient is that of the batch's mean loss plus `penalty(model)`. Ctrl-C ends training
    between two steps, with the `History` so far.

    >>> from nn import MLP, SGD, mse
    >>> model = MLP(1, [1])
    >>> optimizer = SGD(model.parameters(), lr=0.1)
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> history = fit(model, X, y, mse, optimizer, epochs=200, batch_size=3, progress=False)
    >>> [f"{y:.2f}" for y in model.predict([[3.0], [4.0]])]
    ['7.00', '9.00']

    Args:
        model: a `Module`, or any function of one sample of the optimizer's parameters.
        X: the samples, a list or array.
        y: the targets, a list or array of as many.
        loss: a function of a sample's prediction and target, such as `cross_entropy`.
        optimizer: of the model's parameters.
        epochs: how many times to go through all samples.
        batch_size: samples per step; the last batch of an epoch may be smaller.
        validation: (X, y) to measure on at the end of each epoch, never to train on.
        metric: a function of the lists of all outputs and targets, such as `accuracy`. Outputs are
            floats or lists of floats.
        penalty: a function of the model, added to each batch's mean loss, such as
            `lambda model: 1e-4 * sum(p * p for p in model.parameters())`. It is not part of any
            loss reported.
        stop_below: end after an epoch with a loss below this: the validation loss if there is one,
            else the training loss.
        patience: end after so many epochs in a row without a new lowest loss, the same one, and put
            back the parameters that the lowest was measured with: those at the end of its epoch
            for a validation loss, at its start for a training loss.
        seed: of the order of the samples, shuffled in each epoch.
        progress: whether to show a bar, in a terminal or notebook.

    Raises:
        FloatingPointError: if a loss or gradient is inf or nan; the parameters are then as they
            were before the step.
        TypeError: if a loss or penalty is not a `Value`, or an argument of the wrong kind.
        ValueError: if X and y differ in length or are empty, a number is out of range, or the
            optimizer holds no parameter of the model.
    """
    samples, targets = _pair(("X", "y"), (X, y))
    held_out = None if validation is None else _pair(("validation X", "validation y"), validation)
    epochs = whole_number("epochs", epochs, least=0)
    batch_size = whole_number("batch_size", batch_size, least=1)
    longest_wait = inf if patience is None else whole_number("patience", patience, least=1)
    low_enough = -inf if stop_below is None else float(stop_below)
    if not callable(loss):
        raise TypeError(f"loss must be a function, such as nn.mse, got {loss!r}")
    _check_optimizer(optimizer, model)

    parameters = optimizer.parameters
    data = list(zip(range(len(samples)), samples, targets, strict=True))
    random = Random(seed)
    history = History()
    lowest, lowest_epoch, best = inf, -1, _numbers(parameters)
    began = perf_counter()
    try:
        with _bar(epochs * -(-len(data) // batch_size)) if progress else nullcontext() as bar:
            for epoch in range(epochs):
                at_start = _numbers(parameters)
                random.shuffle(data)
                losses, outputs = _train(
                    model, data, loss, optimizer, batch_size, penalty, f"epoch {epoch + 1}", bar
                )
                measured = _summary(losses, outputs, [target for *_, target in data], metric)
                validated = _validate(model, held_out, loss, metric) if held_out else (None, None)
                history.records.append((*measured, *validated))
                if bar is not None:
                    bar.set_postfix({"epoch": epoch + 1, **history.last()})

                watched = (history.validation_loss if held_out else history.loss)[-1]
                if watched < lowest:
                    lowest, lowest_epoch = watched, epoch
                    best = _numbers(parameters) if held_out else at_start
                if watched < low_enough:
                    history.stopped = "stop_below"
                    break
                if epoch - lowest_epoch >= longest_wait:
                    set_at_once((p, "data", x) for p, x in zip(parameters, best, strict=True))
                    history.stopped = "patience"
                    break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    history.seconds = perf_counter() - began
    return history


def accuracy(outputs: Sequence[Any], targets: Sequence[Any]) -> float:
    """Return the part of the samples that are classified right, from 0 to 1.

    A list of outputs votes for the class with the largest, the target being its index or a list
    with its largest number there. A single output votes by its sign, the target being positive
    (1) or not (0 or -1).

    Raises:
        ValueError: if outputs and targets differ in length or are empty.

    >>> accuracy([[0.1, 0.9], [2.0, 1.0]], [1, 1]), accuracy([0.3, -0.2], [1, -1])
    (0.5, 1.0)
    """
    outputs, targets = _pair(("outputs", "targets"), (outputs, targets))
    return sum(map(_is_right, outputs, targets)) / len(outputs)


def _train(
    model: Callable[[Any], Any],
    data: list[tuple[int, Any, Any]],
    loss: Loss,
    optimizer: Optimizer,
    batch_size: int,
    penalty: Callable[[Any], Any] | None,
    epoch: str,
    bar: Any,
) -> tuple[list[float], list[Any]]:
    """Take a step for each batch of (index, sample, target); return every loss and output."""
    losses: list[float] = []
    outputs: list[Any] = []
    for first in range(0, len(data), batch_size):
        batch = data[first : first + batch_size]
        where = f"{epoch}, batch {first // batch_size + 1}"
        optimizer.zero_grad()
        for i, sample, target in batch:
            output = model(sample)
            sample_loss = _recorded("loss", loss(output, target), f"{where}, sample {i}")
            # one sample's graph at a time: the gradient of the mean is the mean of the gradients
            sample_loss.backward(1.0 / len(batch))
            losses.append(sample_loss.data)
            outputs.append(plain(output))
        if penalty is not None:
            _recorded("penalty", penalty(model), where).backward()
        _check_gradients(optimizer.parameters, where)
        optimizer.step()
        if bar is not None:
            bar.update()
    return losses, outputs


def _validate(
    model: Callable[[Any], Any],
    held_out: tuple[list[Any], list[Any]],
    loss: Loss,
    metric: Metric | None,
) -> tuple[float, float | None]:
    samples, targets = held_out
    with no_grad():
        outputs = [model(sample) for sample in samples]
        losses = [float(loss(o, target)) for o, target in zip(outputs, targets, strict=True)]
    return _summary(losses, [plain(output) for output in outputs], targets, metric)


def _summary(
    losses: list[float], outputs: list[Any], targets: list[Any], metric: Metric | None
) -> tuple[float, float | None]:
    """Return the mean loss and the metric."""
    return mean(losses), None if metric is None else float(metric(outputs, targets))


def _recorded(name: str, result: Any, where: str) -> Value:
    """Return the result of a loss or penalty if it can be differentiated and is finite."""
    if not isinstance(result, Value):
        raise TypeError(
            f"{name} gave {result!r}, which carries no gradient: it must return the Value that "
            "autograd's functions and operators make of the parameters"
        )
    if result.primitive is None:
        raise ValueError(f"{name} gave a constant, {result.data!r}: was it made under no_grad()?")
    if not isfinite(result.data):
        raise FloatingPointError(
            f"{where}: {name} is {result.data}; lower the learning rate, scale the samples, or "
            "train under autograd.detect_anomaly() to see where it arises"
        )
    return result


def _check_gradients(parameters: list[Value], where: str) -> None:
    for position, parameter in enumerate(parameters):
        if not isfinite(parameter.grad):
            name = parameter.label or f"parameter {position}"
            raise FloatingPointError(
                f"{where}: the gradient of {name} is {parameter.grad}; "
                "train under autograd.detect_anomaly() to see where it arises"
            )


def _check_optimizer(optimizer: Optimizer, model: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer must be one such as nn.Adam(model.parameters()), got {optimizer!r}"
        )
    if isinstance(model, Module):
        updated = {id(parameter) for parameter in optimizer.parameters}
        if updated.isdisjoint(map(id, model.parameters())):
            raise ValueError(
                "the optimizer holds no parameter of this model: make it of model.parameters()"
            )


def _pair(names: tuple[str, str], given: Any) -> tuple[list[Any], list[Any]]:
    """Return two lists of the same length, which is not 0."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise TypeError(f"expected the pair ({', '.join(names)}), got {type(given).__name__}")
    first, second = map(listed, given)
    if len(first) != len(second):
        raise ValueError(
            f"{names[0]} and {names[1]} must be of one length, got {len(first)} and {len(second)}"
        )
    if not first:
        raise ValueError(f"{names[0]} and {names[1]} are empty")
    return first, second


def _is_right(output: Any, target: Any) -> bool:
    if not hasattr(output, "__len__"):
        return bool((output > 0) == (target > 0))
    return _largest(output) == (_largest(target) if hasattr(target, "__len__") else target)


def _largest(numbers: Sequence[float]) -> int:
    """Return the index of the largest number, the first of equals."""
    return max(range(len(numbers)), key=numbers.__getitem__)


def _numbers(parameters: list[Value]) -> list[float]:
    return [parameter.data for parameter in parameters]


def _bar(total: int) -> Any:
    from tqdm.auto import tqdm  # noqa: PLC0415  loaded when a bar is shown

    return tqdm(total=total, unit="batch")
