"""Training in machine code: what `fit(compiled=...)` runs in the place of the engine."""

from __future__ import annotations

import copy
from contextlib import suppress
from itertools import chain, repeat
from operator import attrgetter, index

import autograd
from autograd import Value, no_grad
from nn.arguments import shown
from nn.optim import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy import ndarray

    Batch = Sequence[tuple[int, Any, Any]]  # number, sample, target
    Measured = tuple[list[float], list[Any]]  # losses, and outputs if they are wanted

WORTH = 300_000  # passes of a sample times parameters: from about here on machine code pays
TRIALS = 2  # steps at first that are taken one at a time, and compared
COMPARED = 64  # distinct targets whose loss is compared before
CHECKED = 32  # samples and parameters of these that are computed by the engine as well
OFTEN, SELDOM = 10, 4  # one sample in each of so many epochs, and later in every fourth
RELATIVE, ABSOLUTE = 1e-9, 1e-12  # how far both may differ: in parts of the largest, and at all


class Unsuitable(Exception):  # noqa: N818  nobody's error
    """Something does not become machine code, and why."""


class Descent:
    """Steps in machine code, on arrays; between epochs the `Value`s are what the arrays are.

    A trace fixes what a function uses besides parameters and arguments: a random number, a `float`
    of a parameter, a count of calls. So the engine computes some samples as well: of the first two
    steps, and one in many an epoch, when the parameters are others than those of the trace. Steps
    that differ are not taken, and the engine alone goes on.

    Args:
        step: takes the engine's step for a batch of a number, and returns losses and outputs.
        model, samples, targets, loss, optimizer, batch_size, penalty: as in `fit`.
        metric: whether there is one, which wants outputs.
        required: whether it is an error that the engine goes on.

    Raises:
        ImportError: llvmlite or numpy is not installed.
        Unsuitable: something does not become machine code.

    Attributes:
        reason: why the engine alone goes on; empty while it does not.
    """

    def __init__(
        self,
        step: Callable[[Batch, int], Measured],
        model: Callable[[Any], Any],
        samples: list[Any],
        targets: list[Any],
        loss: Callable[[Any, Any], Any],
        optimizer: Optimizer,
        batch_size: int,
        penalty: Callable[[Any], Any] | None,
        metric: bool,
        *,
        required: bool,
    ) -> None:
        self.reason = ""
        self._step = step
        self._model = model
        self._loss = loss
        self._penalty = penalty
        self._optimizer = optimizer
        self._batch_size = batch_size
        self._metric = metric
        self._required = required
        self._kept: list[tuple[float, ...]] = []  # the optimizer's memory, and as arrays
        self._memory: list[ndarray] = []
        self._trials = TRIALS
        self._descents = 0
        self._largest = 0.0  # loss or objective so far
        self._objective = autograd.jit(self._traced, optimizer.parameters)
        try:
            _check_recorded()
            self._samples = Rows(samples)
            with no_grad():
                self._output = model(samples[0])
            self._classes = self._count_classes(targets)
            self._targets = self._encoded(targets)
            self._check_gradient(model(samples[0]), targets[0])
            settings = [_setting(optimizer)(optimizer.steps)]
            self._descended(self._state(), _array(settings)[:0], [])  # traces, and takes no step
        except Exception as error:
            text = " ".join(str(error).split())
            raise Unsuitable(text or type(error).__name__) from error

    def _traced(self, x: Any, y: Any) -> tuple[Any, ...]:
        """Return the objective, the loss and, if a metric wants them, the outputs for a sample."""
        output = self._model(self._samples.item(x))
        loss = self._loss(output, self._targets.item(y))
        objective = self._penalised(loss)
        if not self._metric:
            return objective, loss
        return objective, loss, [*output] if isinstance(output, list | tuple) else output

    def _penalised(self, loss: Any) -> Any:
        return loss if self._penalty is None else loss + self._penalty(self._model)

    def _check_gradient(self, output: Any, target: Any) -> None:
        """Raise if the loss or the penalty carries no gradient, which the engine does not allow."""
        found = [self._loss(output, target)]
        if self._penalty is not None:
            found.append(self._penalty(self._model))
        if not all(isinstance(x, Value) and x.primitive for x in found):
            raise TypeError("loss and penalty must be Values that carry a gradient")

    def _count_classes(self, targets: list[Any]) -> int:
        """Return 0, or how many classes there are if the loss takes no traced index of one.

        It then takes a list of probabilities, as `cross_entropy` does.
        """
        rows, output = Rows(targets), self._output
        try:
            autograd.trace(lambda o, y: self._loss(o, rows.item(y)), output, rows.array[0])
        except Exception:
            if not (isinstance(output, list | tuple) and all(map(_is_index, targets))):
                raise
            with suppress(Exception):
                autograd.trace(self._loss, output, [0.0] * len(output))
                return len(output)
            raise
        return 0

    def _encoded(self, targets: list[Any]) -> Rows:
        """Return targets as rows, if the loss takes every one of them, traced as well.

        Raises:
            TypeError: a trace gives another loss, because the loss branches on targets or looks
                them up.
        """
        encoded = targets
        if self._classes:
            encoded = [[float(i == target) for i in range(self._classes)] for target in targets]
        rows, output = Rows(encoded), self._output
        traced = autograd.trace(lambda o, y: self._loss(o, rows.item(y)), output, rows.array[0])
        with no_grad():
            for count, place in enumerate(_distinct(targets)):
                expected = float(self._loss(output, targets[place]))
                found = float(traced(output, rows.array[place])) if count < COMPARED else expected
                if not (found == expected or _close(found, expected, abs(expected))):
                    raise TypeError(
                        f"the loss of target {shown(targets[place])} is {expected:.6g} in the "
                        f"engine and {found:.6g} in a trace, which knows no target: the loss must "
                        "not branch on targets or look them up"
                    )
        return rows

    def epoch(self, data: Batch, took: Callable[[int], Any]) -> Measured:
        """Take a step for each batch of the data in order; return every loss and output.

        Args:
            data: the samples, with their numbers and targets.
            took: is told how many steps were taken.
        """
        losses: list[float] = []
        outputs: list[Any] = []
        first = 0
        while first < len(data):
            batch = data[first : first + self._batch_size]
            steps = 0
            if not self.reason:
                steps, measured = self._descend(batch if self._trials else data[first:])
            if not steps:  # what is wrong with this batch, the engine says
                steps, measured = 1, self._step(batch, first // self._batch_size)
            losses += measured[0]
            outputs += measured[1]
            took(steps)
            first += steps * self._batch_size
        return losses, outputs

    def _descend(self, data: Batch) -> tuple[int, Measured]:
        """Take steps in machine code, if it agrees; return how many, and what was measured."""
        checked = data[: min(self._count_checked(), self._batch_size)]
        expected = [*zip(*map(self._computed, checked), strict=True)] or [(), ()]
        state, settings = self._state(), self._settings(-(-len(data) // self._batch_size))
        before = [array.copy() for array in state] if self._trials else []
        steps, rows = self._descended(state, settings, [i for i, _, _ in data])
        if not steps:
            return 0, ([], [])
        self._largest = max(self._largest, *(abs(x).max() for x in rows[:2]))
        agrees = all(
            _close(x[: len(checked)], y, self._largest)
            for x, y in zip(rows[:2], expected, strict=True)
        )
        if self._trials:
            self._trials -= 1
            agrees = agrees and self._agrees(before, settings[0].tolist(), state)
        if not agrees:
            self._give_up()
            return 0, ([], [])
        self._write(state, steps)
        return steps, self._measured(rows)

    def _count_checked(self) -> int:
        """Return how many samples are to be compared this time."""
        self._descents += 1
        if self._trials:
            return CHECKED
        return int(self._descents <= OFTEN or self._descents % SELDOM == 0)

    def _computed(self, numbered: tuple[int, Any, Any]) -> tuple[float, float]:
        """Return the objective and the loss of a sample as the engine computes them."""
        _, sample, target = numbered
        loss = self._loss(self._model(sample), target)
        return float(self._penalised(loss)), float(loss)

    def _agrees(self, before: list[ndarray], settings: list[float], after: list[ndarray]) -> bool:
        """Whether a step is what the rule makes of some parameters."""
        some = slice(None, None, -(-len(before[0]) // CHECKED))
        parameters, _, *memory = [array[some].tolist() for array in before]
        updated, gradients, *kept = [array[some].tolist() for array in after]
        found = [
            self._optimizer.rule(*numbers, *settings)
            for numbers in zip(parameters, gradients, *memory, strict=True)
        ]
        return all(
            _close(x, y, max(map(abs, y)))
            for x, y in zip((updated, *kept), zip(*found, strict=True), strict=True)
        )

    def _descended(
        self, state: list[ndarray], settings: ndarray, order: list[int]
    ) -> tuple[int, tuple[ndarray, ...]]:
        if settings.ndim < 2:  # there are none for the first step
            return 0, ()
        X, y = self._samples.array, self._targets.array
        return self._objective.descend(
            self._optimizer.rule, state, settings, order, self._batch_size, X, y
        )

    def validation(self, samples: list[Any], targets: list[Any]) -> Callable[[], Measured] | None:
        """Return what measures these samples in machine code; None if they do not suit it."""
        try:
            X, y = Rows(samples), self._encoded(targets)
        except Exception:  # noqa: BLE001  the engine raises it again, in its place
            return None
        if not (X.like(self._samples) and y.like(self._targets)):
            return None
        return lambda: self._measured(self._objective.map(X.array, y.array))

    def _measured(self, rows: tuple[ndarray, ...]) -> Measured:
        return rows[1].tolist(), rows[2].tolist() if self._metric else []

    def _state(self) -> list[ndarray]:
        """Return parameters, gradients yet to come, and memory as arrays (p,)."""
        optimizer = self._optimizer
        parameters = _array([*map(attrgetter("data"), optimizer.parameters)])
        if optimizer.memory is not self._kept:
            self._kept = optimizer.memory
            self._memory = [*map(_array, zip(*optimizer.memory, strict=True))]
        return [parameters, 0.0 * parameters, *(array.copy() for array in self._memory)]

    def _write(self, state: list[ndarray], steps: int) -> None:
        """Give parameters and optimizer what the arrays hold after so many steps."""
        optimizer = self._optimizer
        numbers, gradients, *memory = [array.tolist() for array in state]
        self._kept = [*zip(*memory, strict=True)] or [()] * len(numbers)
        self._memory = state[2:]
        taken = optimizer.steps + steps
        changes = (
            map(setattr, optimizer.parameters, repeat("data"), numbers),
            map(setattr, optimizer.parameters, repeat("grad"), gradients),
            map(setattr, repeat(optimizer), ("steps", "memory"), (taken, self._kept)),
        )
        any(chain(*changes))  # one call into C, as `set_at_once` makes, without its tuples

    def _settings(self, steps: int) -> ndarray:
        """Return the hyper-parameters of the next steps, up to one of which there are none."""
        setting = _setting(self._optimizer)
        first = self._optimizer.steps
        found: list[tuple[Any, ...]] = []
        with suppress(Exception):  # the engine raises it again, in its place
            found.extend(map(setting, range(first, first + steps)))
        return _array(found)

    def _give_up(self) -> None:
        """Let the engine alone go on."""
        self.reason = (
            f"machine code and engine differ after step {self._optimizer.steps}: model, loss, "
            "penalty or rule use what changes, beside parameters, samples and targets"
        )
        if self._required:
            raise RuntimeError(f"compiled=True: {self.reason}; leave compiled=True out")


class Rows:
    """Samples or targets as an array of floats with a leading axis.

    Raises:
        TypeError: they are no such array.
    """

    def __init__(self, items: list[Any]) -> None:
        import numpy as np  # noqa: PLC0415  only where it is needed

        try:
            array = np.array(items)
        except ValueError:  # they differ in length
            array = np.array(None)
        self._kinds = {*map(type, items)} if array.ndim > 1 else {float}
        if array.dtype.kind not in "fiub" or not (
            len(self._kinds) == 1 and self._kinds <= {float, list, tuple, np.ndarray}
        ):
            raise TypeError(
                "samples and targets must be numbers, or lists of numbers that are equally long"
            )
        self.array = _array(array)

    def like(self, other: Rows) -> bool:
        """Whether a row is what one of the others is."""
        return self._kinds == other._kinds and self.array.shape[1:] == other.array.shape[1:]

    def item(self, row: Any) -> Any:
        """Return a traced row as what it was made of: a number, a list, a tuple or an array."""
        (kind,) = self._kinds
        if kind is list:
            return row.tolist()
        return tuple(row.tolist()) if kind is tuple else row


def _array(numbers: Any) -> ndarray:
    import numpy as np  # noqa: PLC0415  only where it is needed

    return np.array(numbers, dtype=float)


def _close(actual: Any, expected: Any, largest: float) -> bool:
    """Whether numbers are the same but for rounding, which is that of the largest."""
    difference = abs(_array(actual) - _array(expected))
    return bool((difference <= RELATIVE * largest + ABSOLUTE).all())


def _setting(optimizer: Optimizer) -> Callable[[int], tuple[Any, ...]]:
    """Return the hyper-parameters as a function of the number of steps taken before.

    Raises:
        TypeError: they depend on more than that, or a step is more than its rule.
    """
    kind = type(optimizer)
    for name in ("step", "zero_grad"):
        if name in vars(optimizer) or getattr(kind, name) is not getattr(Optimizer, name):
            raise TypeError(f"{kind.__name__} has a {name}() of its own")
    alone = copy.copy(optimizer)  # without what changes within an epoch
    del alone.parameters, alone.memory
    known = {**vars(alone)}

    def setting(steps: int) -> tuple[Any, ...]:
        known["steps"] = alone.steps = steps
        found = alone.settings()
        if vars(alone) != known:
            raise TypeError(f"{kind.__name__}.hyperparameters() changes the optimizer")
        return found

    return setting


def _distinct(targets: list[Any]) -> list[int]:
    """Return where each distinct target stands first, or where each stands if they are lists."""
    try:
        return [*{target: i for i, target in reversed([*enumerate(targets)])}.values()][::-1]
    except TypeError:  # lists
        return [*range(len(targets))]


def _is_index(x: Any) -> bool:
    try:
        return index(x) >= 0
    except TypeError:
        return False


def _check_recorded() -> None:
    """Raise if the engine is to look at every number, as `detect_anomaly` says."""
    try:
        Value(0.0).log()
    except FloatingPointError:
        raise TypeError("detect_anomaly() looks at every number of the engine") from None
