"""A Program run in Python, row by row: what `jit` falls back on where LLVM has no target."""

from __future__ import annotations

from contextvars import Context

import numpy as np

from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy import ndarray

    from autograd.program import Program

_NOTICE = "no machine code: LLVM has no target for this machine, so Python runs the Program"


class Interpreted:
    """What `Kernel` is, in Python: the same calls, the results of the eager engine bit by bit.

    Args:
        program: what to run.
        precise: nothing to it, which is always precise.
    """

    def __init__(self, program: Program, precise: bool) -> None:  # noqa: ARG002  as Kernel
        self._program = program

    def one(self, inputs: ndarray, parameters: ndarray) -> ndarray:
        """Return the results of one row of inputs."""
        return np.array(self._row(inputs.ravel().tolist(), parameters.tolist()), dtype=float)

    def map(self, inputs: list[ndarray], parameters: ndarray) -> ndarray:
        """Return the results of each row, (n, results)."""
        numbers = parameters.tolist()
        results = [self._row(row, numbers) for row in np.hstack(inputs).tolist()]
        return np.array(results, dtype=float).reshape(len(results), len(self._program.results))

    def mean_and_gradient(
        self, inputs: list[ndarray], parameters: ndarray
    ) -> tuple[float, ndarray]:
        """Return the mean of the first result over the rows, and its gradient by the parameters.

        The gradient is what `f(*row).backward(1 / n)` adds up, row after row.
        """
        # in a context of its own: what blocks such as no_grad say is not for this
        return Context().run(self._mean_and_gradient, np.hstack(inputs), parameters)

    def quick_mean_and_gradient(
        self, _shapes: list[tuple[int, ...]], _parameters: int
    ) -> Callable[..., None]:
        """Return a function that knows no arrays: there is no quicker way."""
        return lambda *_arrays: None

    def _mean_and_gradient(self, rows: ndarray, numbers: ndarray) -> tuple[float, ndarray]:
        parameters = [*map(Value, numbers.tolist())]
        total = 0.0
        for row in rows.tolist():
            result, *_ = self._program.numbers([*row, *parameters], lambda row, xs: row.bind(xs))
            total += float(result)
            if isinstance(result, Value):
                result.backward(1.0 / len(rows))
        return total / len(rows), np.array([x.grad for x in parameters], dtype=float)

    def descend(
        self,
        update: Interpreted,
        state: ndarray,
        others: ndarray,
        hyperparameters: ndarray,
        order: ndarray,
        batch_size: int,
        inputs: list[ndarray],
    ) -> tuple[int, ndarray, ndarray, ndarray]:
        """Take steps of descent as the update rule says: see `autograd.compiler.descend`."""
        results = np.empty((len(order), len(self._program.results)))
        parameters = np.concatenate([state[0], others])
        count, steps = state.shape[1], 0
        for settings in hyperparameters:
            rows = order[steps * batch_size : (steps + 1) * batch_size]
            batch = [x[rows] for x in inputs]
            results[steps * batch_size :][: len(rows)] = self.map(batch, parameters)
            _, gradient = self.mean_and_gradient(batch, parameters)
            after = update.map([state.T, gradient[:count, None]], settings).T
            if not (np.isfinite(gradient).all() and np.isfinite(after).all()):
                break
            state = after
            parameters[:count] = state[0]
            steps += 1
        return steps, results[: steps * batch_size], state, gradient[:count]

    def _row(self, inputs: list[float], parameters: list[float]) -> list[float]:
        return self._program.numbers([*inputs, *parameters], lambda row, xs: row.value(*xs))

    def report(self) -> str:
        """Say that there is no machine code."""
        return f"{_NOTICE}: {self._program!r}"

    def source(self) -> str:
        """Return the instructions that Python runs."""
        return f"# {_NOTICE}\n{self._program}"

    def llvm(self) -> str:
        """Say that there is no machine code."""
        return f"; {_NOTICE}"
