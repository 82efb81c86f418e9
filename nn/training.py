"""fit: train a model by minibatches; History, what happened."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from math import hypot, inf, isfinite, isnan, sqrt
from random import Random
from time import perf_counter
from typing import NamedTuple

from autograd import Value, mean, no_grad
from nn.arguments import as_floats, number, shown, whole_number
from nn.compiled import WORTH, Descent, Unsuitable
from nn.metrics import paired
from nn.module import Module, set_at_once
from nn.optim import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal

    from nn.compiled import Batch, Measured

    Loss = Callable[[Any, Any], Any]
    Metric = Callable[[list[Any], list[Any]], float]


class Epoch(NamedTuple):
    """What `fit` measured in one epoch; None where it was not asked for.

    Attributes:
        loss: the training samples' mean loss, measured when each batch had its turn.
        metric: the metric of the training samples' outputs, computed when each batch had its turn.
        validation_loss: the validation samples' mean loss at the end of the epoch.
        validation_metric: the metric of the validation samples at the end of the epoch.
        gradients: for each layer the root mean square of the gradient of the epoch's last step.
    """

    loss: float
    metric: float | None = None
    validation_loss: float | None = None
    validation_metric: float | None = None
    gradients: dict[str, float] | None = None


class History:
    """What `fit` did, epoch by epoch.

    Attributes:
        records: an `Epoch` for each one finished.
        stopped: why training ended: "epochs", "stop_below", "patience" or "interrupted".
        kept: the epoch, counted from 1, of the lowest loss, if patience put back what it was
            measured with; None if the model is what the last step made of it.
        seconds: how long it took.
        compiled: whether machine code took the steps; otherwise the engine did.
        reason: why the engine did.
    """

    def __init__(self) -> None:
        self.records: list[Epoch] = []
        self.stopped = "epochs"
        self.kept: int | None = None
        self.seconds = 0.0
        self.compiled = False
        self.reason = ""

    def __repr__(self) -> str:
        last = "".join(f", {name}={x:.4g}" for name, x in self.last().items())
        return (
            f"History(epochs={self.epochs}{last}, "
            f"stopped={self.stopped!r}, seconds={self.seconds:.3g}, compiled={self.compiled})"
        )

    @property
    def loss(self) -> list[float]:
        """The training loss of each epoch."""
        return [record.loss for record in self.records]

    @property
    def metric(self) -> list[float]:
        """The training metric of each epoch; empty if there was none."""
        return [r.metric for r in self.records if r.metric is not None]

    @property
    def validation_loss(self) -> list[float]:
        """The validation loss of each epoch; empty if there was none."""
        return [r.validation_loss for r in self.records if r.validation_loss is not None]

    @property
    def validation_metric(self) -> list[float]:
        """The validation metric of each epoch; empty if there was none."""
        return [r.validation_metric for r in self.records if r.validation_metric is not None]

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.records)

    @property
    def gradients(self) -> dict[str, list[float]]:
        """The size of each layer's gradient in each epoch, by the layer's dotted name.

        It is the root mean square over the layer's parameters, those of the model itself being
        called "model", of the gradient that the epoch's last step took. In a deep network it shows
        whether gradients vanish on their way back.
        """
        sizes = [r.gradients for r in self.records if r.gradients is not None]
        return {layer: [size[layer] for size in sizes] for layer in (sizes[-1] if sizes else ())}

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.stopped == "interrupted"

    def last(self) -> dict[str, float]:
        """Return the last epoch's numbers by name."""
        last = self.records[-1]._asdict() if self.records else {}
        return {name: x for name, x in last.items() if isinstance(x, float)}


def fit(
    model: Callable[[Any], Any],
    X: Iterable[Any],
    y: Iterable[Any],
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    validation: Iterable[Iterable[Any]] | None = None,
    metric: Metric | None = None,
    penalty: Callable[[Any], Any] | None = None,
    stop_below: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    progress: bool = True,
    compiled: bool | Literal["auto"] = "auto",
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
        validation: (X, y) or a dataset to measure on at the end of each epoch, never to train on.
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
        progress: whether to show a bar in a terminal or notebook; no file or pipe gets one.
        compiled: whether machine code takes the steps, an epoch at a time: True, False, or "auto",
            where it can be made and pays: if epochs × samples × parameters is 300,000 or more.
            `History.compiled` says which it was, and `History.reason` why not.

    Machine code is made of a trace of model, loss, penalty and the optimizer's rule, so these may
    not branch on numbers, and are called beside the steps. Samples and targets are read once; a
    learning rate that is a function of the step is asked for an epoch ahead. Results are the
    engine's but for rounding. The engine computes some samples of the first two steps as well, and
    one in each of the first epochs and every fourth after: where machine code differs, as with
    random numbers or a float of a parameter in the model, "auto" lets the engine go on, and True is
    an error. `.grad` of `Value`s that the optimizer does not hold stays as it is. Ctrl-C takes back
    the epoch that is under way.

    Returns:
        What happened in each epoch, the size of each layer's gradient included, why training ended,
        and how long it took.

    Raises:
        FloatingPointError: if a training loss, a gradient or an updated parameter is inf or nan;
            the parameters are then as they were before the step. Also if the validation loss is
            nan.
        ImportError: if compiled is True, and llvmlite or numpy is not installed.
        RuntimeError: if compiled is True, and machine code differs from the engine.
        TypeError: if a loss or penalty is not a `Value`, or an argument of the wrong kind; if
            compiled is True, and something does not become machine code.
        ValueError: if X and y differ in length or are empty, a number is out of range, or the
            optimizer holds no parameter of the model.
    """
    if hasattr(X, "X"):
        raise TypeError(f"X must be the samples alone, got {shown(X)}; for X and y write *dataset")
    samples, targets = paired(("X", "y"), X, y)
    held_out = None if validation is None else _held_out(validation)
    epochs = whole_number("epochs", epochs, least=0)
    batch_size = whole_number("batch_size", batch_size, least=1)
    longest_wait = inf if patience is None else whole_number("patience", patience, least=1)
    low_enough = -inf if stop_below is None else float(number("stop_below", stop_below))
    if not callable(loss):
        raise TypeError(f"loss must be a function, such as nn.mse, got {shown(loss)}")
    for name, function in {"metric": metric, "penalty": penalty}.items():
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be a function, got {shown(function)}")
    _check_optimizer(optimizer, model)
    if compiled != "auto" and not isinstance(compiled, bool):
        raise ValueError(f"compiled must be True, False or 'auto', got {shown(compiled)}")

    parameters = optimizer.parameters
    data = list(zip(range(len(samples)), samples, targets, strict=True))
    random = Random(seed)
    history = History()

    def step(batch: Batch, position: int) -> Measured:
        where = f"epoch {history.epochs + 1}, batch {position + 1}"
        return _step(model, batch, loss, optimizer, penalty, where)

    layers = _by_layer(model, parameters)
    lowest, lowest_epoch, best = inf, -1, _numbers(parameters)
    began = perf_counter()
    try:
        with _bar(epochs * -(-len(data) // batch_size)) if progress else nullcontext() as bar:
            took = bar.update if bar is not None else lambda _steps: None
            passes = epochs * len(parameters)
            descent, history.reason = _descent(
                compiled,
                passes * len(data),
                step,
                model,
                samples,
                targets,
                loss,
                optimizer,
                batch_size,
                penalty,
                metric is not None,
            )
            history.compiled = descent is not None
            validation_in_code = None
            if descent and held_out and (compiled is True or passes * len(held_out[0]) >= WORTH):
                validation_in_code = descent.validation(*held_out)
            for epoch in range(epochs):
                at_start = [] if patience is None else _numbers(parameters)
                random.shuffle(data)
                if descent is None:
                    losses, outputs = _train(step, data, batch_size, took)
                else:
                    losses, outputs = descent.epoch(data, took)
                    history.compiled, history.reason = not descent.reason, descent.reason
                measured = _summary(losses, outputs, [target for _, _, target in data], metric)
                validated: tuple[float | None, float | None] = None, None
                if held_out and validation_in_code and history.compiled:
                    validated = _summary(*validation_in_code(), held_out[1], metric)
                elif held_out:
                    validated = _validate(model, held_out, loss, metric)
                if validated[0] is not None and isnan(validated[0]):
                    raise FloatingPointError(
                        f"epoch {epoch + 1}: the validation loss is nan; lower the learning rate, "
                        "or look for a nan in the validation data"
                    )
                sizes = {layer: _root_mean_square(held) for layer, held in layers.items()}
                history.records.append(Epoch(*measured, *validated, sizes))
                if bar is not None:
                    last = history.last().items()
                    called = {name.replace("metric", _name(metric)): x for name, x in last}
                    bar.set_postfix({"epoch": epoch + 1, **called})

                watched = (history.validation_loss if held_out else history.loss)[-1]
                if watched < lowest:
                    lowest, lowest_epoch = watched, epoch
                    best = _numbers(parameters) if held_out else at_start
                if watched < low_enough:
                    history.stopped = "stop_below"
                    break
                if epoch - lowest_epoch >= longest_wait:
                    set_at_once((p, "data", x) for p, x in zip(parameters, best, strict=True))
                    history.kept = lowest_epoch + 1 or None
                    history.stopped = "patience"
                    break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    history.seconds = perf_counter() - began
    return history


def _descent(
    compiled: bool | Literal["auto"], work: int, *arguments: Any
) -> tuple[Descent | None, str]:
    """Return what trains in machine code; else None, and why not."""
    if not compiled:
        return None, "compiled=False"
    required = compiled is True
    if work < WORTH and not required:
        return None, f"little to do: epochs × samples × parameters is below {WORTH:,}"
    try:
        return Descent(*arguments, required=required), ""
    except (ImportError, Unsuitable) as error:
        if not required:
            return None, str(error)
        if isinstance(error, ImportError):
            raise
        raise TypeError(f"compiled=True: {error}; leave compiled=True out") from error


def _train(
    step: Callable[[Batch, int], Measured],
    data: list[tuple[int, Any, Any]],
    batch_size: int,
    took: Callable[[int], Any],
) -> Measured:
    """Take a step for each batch of the data; return every loss and output."""
    losses: list[float] = []
    outputs: list[Any] = []
    for position, first in enumerate(range(0, len(data), batch_size)):
        measured = step(data[first : first + batch_size], position)
        losses += measured[0]
        outputs += measured[1]
        took(1)
    return losses, outputs


def _step(
    model: Callable[[Any], Any],
    batch: Batch,
    loss: Loss,
    optimizer: Optimizer,
    penalty: Callable[[Any], Any] | None,
    where: str,
) -> Measured:
    """Take a step for a batch of (index, sample, target); return every loss and output."""
    losses: list[float] = []
    outputs: list[Any] = []
    optimizer.zero_grad()
    for i, sample, target in batch:
        output = model(sample)
        sample_loss = _recorded("loss", loss(output, target), f"{where}, sample {i}")
        # one sample's graph at a time: the gradient of the mean is the mean of the gradients
        sample_loss.backward(1.0 / len(batch))
        losses.append(sample_loss.data)
        outputs.append(as_floats(output))
    if penalty is not None:
        _recorded("penalty", penalty(model), where).backward()
    _check_gradients(optimizer.parameters, where)
    try:
        optimizer.step()
    except FloatingPointError as error:
        raise FloatingPointError(f"{where}: {error}") from None
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
    return _summary(losses, [as_floats(output) for output in outputs], targets, metric)


def _summary(
    losses: list[float], outputs: list[Any], targets: list[Any], metric: Metric | None
) -> tuple[float, float | None]:
    """Return the mean loss and the metric."""
    return mean(losses), None if metric is None else float(metric(outputs, targets))


def _recorded(name: str, result: Any, where: str) -> Value:
    """Return the result of a loss or penalty if it can be differentiated and is finite."""
    if not isinstance(result, Value):
        raise TypeError(
            f"{name} gave {shown(result)}, which carries no gradient: it must return the Value "
            "that autograd's functions and operators make of the parameters"
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
            f"optimizer must be one such as nn.Adam(model.parameters()), got {shown(optimizer)}"
        )
    if isinstance(model, Module):
        updated = {id(parameter) for parameter in optimizer.parameters}
        if updated.isdisjoint(map(id, model.parameters())):
            raise ValueError(
                "the optimizer holds no parameter of this model: make it of model.parameters()"
            )


def _held_out(validation: Any) -> tuple[list[Any], list[Any]]:
    try:
        X, y = validation
    except (TypeError, ValueError):
        raise TypeError(
            f"validation must be the pair (X, y) to measure on, got {shown(validation)}"
        ) from None
    return paired(("validation X", "validation y"), X, y)


def _by_layer(model: Any, parameters: list[Value]) -> dict[str, list[Value]]:
    """Return the parameters by the dotted name of the layer that holds them."""
    named = model.named_parameters() if isinstance(model, Module) else []
    names = {id(parameter): name for name, parameter in named}
    layers: dict[str, list[Value]] = {}
    for parameter in parameters:
        layer = _layer(names.get(id(parameter), parameter.label))
        layers.setdefault(layer, []).append(parameter)
    return layers


def _layer(name: str) -> str:
    """Return what holds a parameter, by its dotted name, and for a neuron the layer it is in."""
    parts = name.split(".")
    while parts and parts[-1].isdecimal():  # its place in lists
        parts.pop()
    holders = parts[:-1]
    if holders[-2:-1] == ["neurons"]:
        holders = holders[:-2]
    return ".".join(holders) or "model"


def _root_mean_square(parameters: list[Value]) -> float:
    """Return that of the gradients; no square overflows or underflows on the way."""
    return hypot(*[parameter.grad for parameter in parameters]) / sqrt(len(parameters))


def _numbers(parameters: list[Value]) -> list[float]:
    return [parameter.data for parameter in parameters]


def _bar(total: int) -> Any:
    from tqdm.auto import tqdm  # noqa: PLC0415  loaded when a bar is shown

    # None hides a bar that is no terminal's, which a notebook's is where it lacks ipywidgets
    disable = False if "ipykernel" in sys.modules else None
    return tqdm(total=total, unit="batch", disable=disable)


def _name(metric: Metric | None) -> str:
    """Return the name of the function that a metric is, if it has one."""
    name: str = getattr(metric, "__name__", "metric")
    return name if name.isidentifier() else "metric"
