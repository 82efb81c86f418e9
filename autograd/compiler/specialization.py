"""Specialization: a function for arguments of one structure, as a Program and as machine code.

What computes the same has one kernel, whoever traced it.
"""

from __future__ import annotations

import warnings
from collections import deque
from functools import cache, cached_property
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np

from autograd.compiler import MISSING
from autograd.compiler.batch import FLOAT, structured, with_arrays
from autograd.compiler.collector import paused_collector
from autograd.program import Instruction, Program
from autograd.structure import Array, unflatten
from autograd.tracer import trace, written_out
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy import ndarray

_NOTHING = np.empty(0)

# Kernels by what they compute. A kernel lives as long as a function that runs it, so that machine
# code does not pile up; the last few stay, for a loop that makes the same function again and again.
_kernels: WeakValueDictionary[str, Any] = WeakValueDictionary()
_recent: deque[Any] = deque(maxlen=16)
_compiling = Lock()


class Specialization:
    """A function for arguments of one structure: its Program, and machine code once it is needed.

    Attributes:
        program: what it computes, for numbers of any kind.
        listed: the parameters to differentiate by, in order.
        others: the other parameters.
        parameters: all of them.
        shape: that of the gradient.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        template: tuple[Any, ...],
        count: int,
        listed: list[Value] | None,
        precise: bool,
    ) -> None:
        self.program = trace(f, *unflatten(template, [0.0] * count))
        self._inlined = written_out(self.program, "jit")
        self._count = count
        self._precise = precise
        self.listed = self.program.parameters if listed is None else listed
        self.parameters = [*dict.fromkeys([*self.listed, *self._inlined.parameters])]
        self.others = self.parameters[len(self.listed) :]
        self.shape = (len(self.listed),)
        self._rows_template = with_arrays(self.program.output_template)
        self._assembled = _assembling(self.program.output_template)

    @cached_property
    def kernel(self) -> Any:
        """Its machine code."""
        with paused_collector():
            return _kernel(_arranged(self._inlined, self._count, self.parameters), self._precise)

    def one(self, inputs: ndarray) -> Any:
        """Return the result for one row of inputs."""
        return self._assembled(self.kernel.one(inputs, read(self.parameters)))

    def in_python(self, inputs: list[Any]) -> Any:
        """Return the result for numbers of any kind, by the Program."""
        program = self.program
        return program.run([*inputs, *program.parameters], lambda row, xs: row.bind(xs))

    def rows_in_python(self, inputs: list[ndarray]) -> ndarray:
        """Return the results (n, results) of rows of numbers of any kind, by the Program."""
        program = self.program
        results = np.empty((len(inputs[0]), len(program.results)), dtype=object)
        for i, parts in enumerate(zip(*inputs, strict=True)):
            row = [x for part in parts for x in part.tolist()]
            results[i] = program.numbers([*row, *program.parameters], lambda row, xs: row.bind(xs))
        return results

    def arrays(self, results: ndarray) -> Any:
        """Put results (n, results) into the structure of f's, as arrays."""
        return structured(self._rows_template, results)


def backend() -> tuple[Any, Any]:
    """Return what makes machine code of a Program, and the error of a machine that LLVM lacks.

    Raises:
        ImportError: llvmlite is not installed.
    """
    try:
        from autograd.compiler.kernel import Kernel, Unsupported  # noqa: PLC0415  needs llvmlite
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == "llvmlite":
            raise ImportError(MISSING) from None
        raise
    return Kernel, Unsupported


def _kernel(program: Program, precise: bool) -> Any:
    """Return the machine code of a Program, the same for all that compute the same."""
    # as text, where -0.0 is not 0.0, 1 is not 1.0 and nan is nan
    key = (
        f"{precise} {sum(1 for _ in program.inputs())} {len(program.parameters)} "
        f"{program.instructions} {program.results}"
    )
    with _compiling:
        kernel = _kernels.get(key)
        if kernel is None:
            kernel = _kernels[key] = _made(program, precise)
        if kernel not in _recent:
            _recent.append(kernel)
    return kernel


def _made(program: Program, precise: bool) -> Any:
    kernel, unsupported = backend()
    try:
        return kernel(program, precise)
    except unsupported as reason:
        from autograd.compiler.interpret import Interpreted  # noqa: PLC0415  seldom needed

        _warn(str(reason))
        return Interpreted(program, precise)


@cache  # once
def _warn(reason: str) -> None:
    warnings.warn(
        f"jit: LLVM makes no machine code here ({reason}): functions run in Python, row by row, "
        "some hundred times slower",
        RuntimeWarning,
        stacklevel=2,
    )


def _arranged(program: Program, count: int, parameters: list[Value]) -> Program:
    """Return the same, of so many inputs, with these parameters.

    They are stand-ins: a kernel is shared, and keeps nobody's model alive.
    """
    places = {parameter: count + i for i, parameter in enumerate(parameters)}
    numbers = [*range(count), *(places[parameter] for parameter in program.parameters)]
    shift = len(parameters) - len(program.parameters)

    def moved(x: float) -> int | float:
        if type(x) is not int:
            return x
        return numbers[x] if x < len(numbers) else x + shift

    return Program(
        program.names,
        program.template,
        [Value(0.0, parameter.label) for parameter in parameters],
        [Instruction(row, tuple(map(moved, operands))) for row, operands in program.instructions],
        [*map(moved, program.results)],
        program.output_template,
    )


def read(parameters: list[Value]) -> ndarray:
    """Return the data of parameters as they are now."""
    if not parameters:
        return _NOTHING
    return np.fromiter([parameter.data for parameter in parameters], FLOAT, len(parameters))


def _assembling(template: Any) -> Callable[[ndarray], Any]:
    """Return the function that puts one row of results into a structure: floats, float arrays."""
    if type(template) is int:
        return lambda results: results.item(template)
    if type(template) is Array:
        part = slice(template.start, template.start + template.size)
        return lambda results: results[part].reshape(template.shape)
    if type(template) is tuple:
        parts = [*map(_assembling, template)]
        return lambda results: tuple([part(results) for part in parts])
    if type(template) is list and template == [*range(len(template))]:
        return lambda results: results[: len(template)].tolist()
    return lambda results: unflatten(template, results.tolist())
