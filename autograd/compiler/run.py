"""jit: a function of numbers becomes machine code, for one row of arguments or a batch."""

from __future__ import annotations

import math
from functools import update_wrapper
from itertools import repeat
from operator import add, attrgetter

import numpy as np
from numpy import ndarray

from autograd.backward import accumulate
from autograd.compiler.batch import FLOAT, as_array, plain, taken_apart
from autograd.compiler.collector import paused_collector
from autograd.compiler.specialization import Specialization, backend, read
from autograd.modes import under_way
from autograd.primitives import Scalar, shown
from autograd.structure import Array, flatten, names_of_arguments, unflatten
from autograd.tracer import trace
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

_grad = attrgetter("grad")


def jit(
    f: Callable[..., Any], parameters: Iterable[Value] | None = None, precise: bool = False
) -> Compiled:
    """Return f as machine code: a function of the same arguments that runs alone or over a batch.

    f is traced at the first call for each structure of arguments. `Value`s that it uses from
    outside are its parameters: their data is read at every call. Everything else that it uses is
    fixed when it is traced.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            such a structure.
        parameters: the leaf `Value`s to differentiate by, in this order; one that f does not use
            has gradient 0, and one that f uses and that is not here has none. If not given, those
            that f uses, in the order of first use for the structure at hand.
        precise: whether results equal those of the engine to the last bit. Otherwise products and
            sums may be fused and reordered, which is faster, and just as accurate.

    Raises:
        ImportError: llvmlite or numpy is not installed.
        TypeError: f is not callable, or a parameter is no leaf `Value`.
        ValueError: a parameter is listed twice.

    >>> from autograd import Value
    >>> w = Value(3.0)
    >>> loss = jit(lambda x, y: (w * x - y) ** 2)
    >>> loss(1.0, 2.0)
    1.0
    >>> loss.map([1.0, 2.0], [2.0, 2.0]).tolist()
    [1.0, 16.0]
    >>> mean = loss.backward([1.0, 2.0], [2.0, 2.0])
    >>> round(mean, 9), round(w.grad, 9)
    (8.5, 9.0)
    """
    if not callable(f):
        raise TypeError(f"jit(f): expected a function, got {shown(f)}")
    backend()  # what is missing is said here, not at the first call
    return Compiled(f, None if parameters is None else _leaves(parameters), bool(precise))


class Compiled:
    """A function that runs as machine code, made by `jit`. Many threads may call it at once.

    Inside a function that is differentiated or traced, and on `Value`s, `Dual`s and `Tracer`s, it
    runs its `Program`, so that derivatives, traces and `jit` itself see through it.
    """

    def __init__(
        self, f: Callable[..., Any], parameters: list[Value] | None, precise: bool
    ) -> None:
        self._f = f
        self._listed = parameters
        self._precise = precise
        self._specializations: dict[Any, Specialization] = {}  # by structure of the arguments
        # the same for plain numbers and arrays, by what is quick to ask of these
        self._of_one: dict[tuple[Any, ...], tuple[Specialization, Callable[..., ndarray]]] = {}
        self._of_array: dict[tuple[int, ...], Specialization] = {}  # if it is the one argument
        self._of_rows: dict[tuple[Any, ...], Specialization] = {}
        self._updates: dict[tuple[Any, ...], Specialization] = {}  # by rule, memories, settings
        self._last: Specialization | None = None
        self._quick: Callable[..., tuple[float, ndarray] | None] = _unknown  # for it
        self._came_before: Specialization | None = None
        update_wrapper(self, f, updated=())

    def __repr__(self) -> str:
        count = len(self._specializations)
        name = getattr(self._f, "__name__", type(self._f).__name__)
        return f"<jit of {name}, for {count} structure{'s' * (count != 1)} of arguments>"

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled: copy what it was made of, and jit")

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Return f(*args), in f's structure: numbers are floats, arrays float arrays.

        Raises:
            TypeError: an argument is given by name or is no structure of numbers, or f branches on
                a number.
        """
        if len(args) == 1 and type(args[0]) is ndarray and not under_way():
            (array,) = args
            known = self._of_array.get(array.shape)
            if known is not None and array.dtype is FLOAT and array.flags.c_contiguous:
                self._last = known
                return known.one(array)
        if named:
            raise TypeError(
                f"{self!r} takes its arguments by position only: got {', '.join(named)} by name"
            )
        signature = tuple(
            [
                float
                if type(x) is float
                else x.shape
                if type(x) is ndarray and x.dtype is FLOAT
                else _kind(x)
                for x in args
            ]
        )
        found = self._of_one.get(signature)
        if found is None or under_way():
            return self._call(args, signature)
        specialization, gathered = found
        self._last = specialization
        return specialization.one(gathered(args))

    def _call(self, args: tuple[Any, ...], signature: tuple[Any, ...]) -> Any:
        """Return f(*args), for arguments of any kind."""
        try:
            leaves, template = flatten(args, "args")
        except TypeError:
            for name, x in zip(names_of_arguments(self._f, len(args)), args, strict=True):
                flatten(x, name)  # which names the one at fault as f does
            raise
        found = self._specialized(template, len(leaves))
        if under_way() or any(isinstance(x, Scalar) for x in leaves):
            return found.in_python(leaves)
        if all(kind is float or not isinstance(kind, type) for kind in signature):
            self._of_one[signature] = found, _gathering(signature)
            if len(args) == 1 and type(args[0]) is ndarray:
                self._of_array[args[0].shape] = found
        self._last = found
        return found.one(np.array(leaves, dtype=float))

    def map(self, *arrays: Any) -> Any:
        """Return f of every row: row i of the result is f of row i of every argument.

        Args:
            arrays: for a number of f an array (n,); for an array of shape s an array (n, *s); for
                a tuple, list or dict of these such a structure of arrays. Nested lists of numbers
                are rows of lists.

        Returns:
            Arrays in the structure of what f returns: (n,) for a number, (n, *s) for an array of
            shape s or for nested lists of it. While a derivative or a trace is under way, and for
            arrays of `Value`s and their kin, arrays of such, computed in Python.

        Raises:
            TypeError: an argument is no array of numbers with a leading axis, or there is none.
            ValueError: the arrays differ in length.

        >>> jit(lambda x: [x, x * x]).map([1.0, 2.0, 3.0]).tolist()
        [[1.0, 1.0], [2.0, 4.0], [3.0, 9.0]]
        """
        found, inputs = self._rows("map", arrays)
        if inputs[0].dtype.hasobject or (under_way() and found.parameters):
            return found.arrays(found.rows_in_python(inputs))
        self._last = found
        if not len(inputs[0]):
            return found.arrays(np.empty((0, len(found.program.results))))
        return found.arrays(found.kernel.map(inputs, read(found.parameters)))

    def mean_and_gradient(self, parameters: Any, *arrays: Any) -> tuple[float, ndarray]:
        """Return the mean of f over all rows, and its gradient by the parameters.

        Args:
            parameters: their numbers (p,), in the order that `jit` was given, or else of first use.
                `Value`s that f uses and that are not among them count with their data.
            arrays: the arguments, as for `map`.

        Returns:
            The mean, and the gradient (p,) in the order of the parameters.

        Raises:
            TypeError: as for `map`, or f does not return one number.
            ValueError: as for `map`, or there are no rows or not as many numbers as parameters.

        >>> from autograd import Value
        >>> w = Value(0.0)
        >>> jit(lambda x: w * x, precise=True).mean_and_gradient([2.0], [1.0, 5.0])
        (6.0, array([3.]))
        """
        known = self._quick(parameters, *arrays)
        if known is not None:
            return known
        found, inputs = self._scalar_rows("mean_and_gradient", arrays)
        numbers = parameters
        if not (
            type(numbers) is ndarray
            and numbers.dtype is FLOAT
            and numbers.shape == found.shape
            and numbers.flags.c_contiguous
        ):
            numbers = plain(as_array(parameters, "parameters"), "parameters")
            if numbers.shape != found.shape:
                raise ValueError(
                    f"mean_and_gradient(parameters, ...): expected an array of {found.shape[0]} "
                    f"numbers, one for each parameter, got one of shape {numbers.shape}"
                )
        if found.others:
            numbers = np.concatenate([numbers, read(found.others)])
        mean, gradient = found.kernel.mean_and_gradient(inputs, numbers)
        if found.others:
            return mean, gradient[: found.shape[0]]
        if self._came_before is found and all(type(x) is ndarray for x in arrays):
            shapes = [x.shape[1:] for x in arrays]
            self._quick = found.kernel.quick_mean_and_gradient(shapes, len(numbers))
        self._came_before = found
        return mean, gradient

    def backward(self, *arrays: Any) -> float:
        """Return the mean of f over all rows; add its gradient to `.grad` of every parameter.

        All gradients change or, if there is an error, none.

        Args:
            arrays: the arguments, as for `map`.

        Raises:
            TypeError: as for `map`, or f does not return one number.
            ValueError: as for `map`, or there are no rows.
        """
        found, inputs = self._scalar_rows("backward", arrays)
        mean: float
        mean, gradient = found.kernel.mean_and_gradient(inputs, read(found.parameters))
        _add(gradient.tolist()[: len(found.listed)], found.listed)
        return mean

    def descend(
        self,
        update: Callable[..., tuple[Any, ...]],
        state: Sequence[ndarray],
        hyperparameters: Any,
        order: Any,
        batch_size: int,
        *arrays: Any,
    ) -> tuple[int, Any]:
        """Descend the mean of f over one batch of rows after the other, all in machine code.

        A step replaces each parameter and its memory by
        `update(parameter, gradient, *memory, *hyperparameters)`. The `Value`s stay as they are.

        Args:
            update: the rule, a function of numbers that returns (parameter, *memory).
            state: float arrays (p,), changed in place: the parameters, in the order that `jit` was
                given; their gradients, which end as those of the last batch; each memory.
            hyperparameters: (steps, h), those of each step.
            order: (rows,), which rows to take, batch by batch.
            batch_size: rows in a batch; the last may have fewer.
            arrays: the arguments, as for `map`. f returns the objective, or a tuple of it and what
                else is wanted of each row.

        Returns:
            How many steps were taken, and what f gave for the rows of these, each in its batch's
            turn, as `map` gives it. A step that has or makes a gradient, parameter or memory that
            is inf or nan is not taken, and ends the descent.

        Raises:
            TypeError: as for `map`, or the update does not return as many numbers as it keeps.
            ValueError: as for `map`, or the shapes do not fit.

        >>> import numpy as np
        >>> from autograd import Value
        >>> w = Value(0.0)
        >>> state = np.array([0.0]), np.array([0.0])
        >>> loss = jit(lambda x: (w - x) ** 2, [w])
        >>> loss.descend(lambda p, g, lr: (p - lr * g,), state, [[0.5]] * 2, [0, 1], 1, [3.0, 7.0])
        (2, array([ 9., 16.]))
        >>> state[0].tolist(), state[1].tolist(), w.data
        ([7.0], [-8.0], 0.0)
        """
        found, inputs = self._rows("descend", arrays)
        plain(inputs[0], "descend")
        template = found.program.output_template
        if template != 0 and not (isinstance(template, tuple) and template[:1] == (0,)):
            raise TypeError("descend: expected f to return one number, or a tuple that begins so")
        if not found.listed:
            raise ValueError("descend: f has no parameters to update")
        rows, batch_size, settings = _steps(order, batch_size, hyperparameters, len(inputs[0]))
        if len(state) < 2 or {*map(np.shape, state)} != {found.shape}:
            raise ValueError(
                f"descend: expected state to be arrays of shape {found.shape}, parameters, "
                f"gradients and memories, got shapes {[*map(np.shape, state)]}"
            )
        parameters, gradient, *memory = state
        rule = self._update(update, settings, len(memory))
        if not len(settings):
            return 0, found.arrays(np.empty((0, len(found.program.results))))
        if rule.others:
            others = np.broadcast_to(read(rule.others), (len(settings), len(rule.others)))
            settings = np.ascontiguousarray(np.hstack([settings, others]))
        steps, results, final, gradient[:] = found.kernel.descend(
            rule.kernel,
            np.stack([parameters, *memory]),
            read(found.others),
            settings,
            rows,
            batch_size,
            inputs,
        )
        for array, numbers in zip((parameters, *memory), final, strict=True):
            array[:] = numbers
        self._last = found
        return steps, found.arrays(results)

    def _update(self, update: Callable[..., Any], settings: ndarray, kept: int) -> Specialization:
        """Return a rule as a function of a parameter with its memory, and a gradient.

        Its hyperparameters are its parameters: what depends on these alone, such as a correction of
        bias, is computed once a step.
        """
        key = update, kept, settings.shape[1]
        found = self._updates.get(key)
        if found is None:
            example = [0.0] * (2 + kept + settings.shape[1])
            rule = trace(update, *example)  # where hyperparameters have no data to be frozen
            if len(rule.results) != 1 + kept or not isinstance(rule.output_template, tuple):
                raise TypeError(
                    f"descend: expected update to return a tuple of {1 + kept} numbers, the "
                    f"parameter and what is kept of it, got {len(rule.results)}"
                )
            values = [Value(0.0) for _ in range(settings.shape[1])]

            def run(row: list[Any], gradient: Any) -> Any:
                return rule(row[0], gradient, *row[1:], *values)

            template = [*range(1 + kept)], 1 + kept
            found = Specialization(run, template, 2 + kept, values, self._precise)
            self._updates[key] = found
        return found

    @property
    def parameters(self) -> tuple[Value, ...]:
        """The `Value`s to differentiate by, in order.

        Raises:
            ValueError: none were listed, and the function was not called yet.
        """
        if self._listed is not None:
            return tuple(self._listed)
        return tuple(self._used().listed)

    def report(self) -> str:
        """Return what was made of f, for the structure of arguments used last.

        Raises:
            ValueError: nothing was compiled yet.
        """
        report: str = self._used().kernel.report()
        return report

    def source(self) -> str:
        """Return the loops that f became, for the structure of arguments used last.

        Raises:
            ValueError: nothing was compiled yet.
        """
        source: str = self._used().kernel.source()
        return source

    def llvm(self) -> str:
        """Return the LLVM IR of f, for the structure of arguments used last.

        Raises:
            ValueError: nothing was compiled yet.
        """
        llvm: str = self._used().kernel.llvm()
        return llvm

    def _used(self) -> Specialization:
        if self._last is None:
            raise ValueError(f"{self!r} has compiled nothing yet: call it on numbers first")
        return self._last

    def _specialized(self, template: Any, count: int) -> Specialization:
        """Return f for arguments of this structure, of so many numbers."""
        key = _key(template)
        found = self._specializations.get(key)
        if found is None:  # without a lock, since f is the user's: who comes second gives way
            with paused_collector():
                new = Specialization(self._f, template, count, self._listed, self._precise)
            found = self._specializations.setdefault(key, new)
        return found

    def _rows(self, name: str, arrays: tuple[Any, ...]) -> tuple[Specialization, list[ndarray]]:
        """Return f for one row of these arrays, and the arrays as (n, columns) of one type each."""
        signature = tuple(
            [
                x.shape[1:]
                if type(x) is ndarray and x.dtype is FLOAT and x.ndim and x.flags.c_contiguous
                else None
                for x in arrays
            ]
        )
        found = self._of_rows.get(signature)
        if found is not None and (len(arrays) == 1 or len({*map(len, arrays)}) == 1):
            return found, [
                x if x.ndim == 2 else x.reshape(len(x), math.prod(x.shape[1:])) for x in arrays
            ]
        names = names_of_arguments(self._f, len(arrays))
        template, columns, inputs = taken_apart(name, names, arrays)
        found = self._specialized(template, columns)
        if None not in signature:
            self._of_rows[signature] = found
        return found, inputs

    def _scalar_rows(
        self, name: str, arrays: tuple[Any, ...]
    ) -> tuple[Specialization, list[ndarray]]:
        """Return the same for an f that returns one number, and at least one row."""
        found, inputs = self._rows(name, arrays)
        if found.program.output_template != 0:
            given = type(unflatten(found.program.output_template, found.program.results)).__name__
            raise TypeError(
                f"{name}: expected f to return one number, got {given} of "
                f"{len(found.program.results)}"
            )
        if not len(inputs[0]):
            raise ValueError(f"{name}: expected at least one row: the mean of nothing is undefined")
        plain(inputs[0], name)
        self._last = found
        return found, inputs


def _steps(
    order: Any, batch_size: int, hyperparameters: Any, length: int
) -> tuple[ndarray, int, ndarray]:
    """Return which rows to take in which batches, and the hyperparameters of each, as arrays.

    Raises:
        TypeError, ValueError: they do not fit each other, or arrays of this length.
    """
    settings = plain(as_array(hyperparameters, "hyperparameters"), "hyperparameters")
    rows = np.ascontiguousarray(order, dtype=np.int64)
    if not isinstance(batch_size, int) or batch_size < 1 or rows.ndim != 1:
        raise ValueError(
            "descend: expected a batch_size of at least 1 and order (rows,), "
            f"got {shown(batch_size)} and shape {rows.shape}"
        )
    batch_size = max(1, min(batch_size, len(rows)))
    batches = -(-len(rows) // batch_size)
    if settings.ndim != 2 or len(settings) > batches:
        raise ValueError(
            f"descend: expected hyperparameters (steps, h) of at most {batches} steps, one for "
            f"each batch of {batch_size} in {len(rows)} rows, got shape {settings.shape}"
        )
    if len(rows) and not 0 <= rows.min() <= rows.max() < length:
        raise ValueError(f"descend: expected order to name rows below {length}")
    return rows, batch_size, settings


def _unknown(*_arrays: Any) -> None:
    """Know no arrays."""


def _key(template: Any) -> Any:
    """Return a structure as a key of a dict."""
    if isinstance(template, dict):
        return dict, *((type(key), key, _key(item)) for key, item in template.items())
    if isinstance(template, list | tuple) and type(template) is not Array:
        return type(template), *map(_key, template)
    return template


def _leaves(parameters: Iterable[Value]) -> list[Value]:
    """Return the parameters that jit was given as a list.

    Raises:
        TypeError: they are no leaf Values.
        ValueError: one is there twice.
    """
    if not hasattr(parameters, "__iter__"):
        raise TypeError(
            f"jit(f, parameters): expected a list of Values, got {shown(parameters)}; "
            "of a model write model.parameters()"
        )
    places: dict[Value, int] = {}
    for i, parameter in enumerate(parameters):
        if not isinstance(parameter, Value) or parameter.primitive:
            raise TypeError(
                f"jit(f, parameters): expected a leaf Value as parameters[{i}], got "
                f"{shown(parameter)}"
            )
        if places.setdefault(parameter, i) != i:
            raise ValueError(
                f"jit(f, parameters): parameters[{i}] is parameters[{places[parameter]}] again: "
                "list each once"
            )
    return [*places]


def _add(gradient: list[float], parameters: list[Value]) -> None:
    """Add to the `.grad` of every parameter, in one call into C, as `accumulate` does."""
    if not {type(parameter.grad) for parameter in parameters} <= {float, int}:
        accumulate(dict(zip(parameters, gradient, strict=True)))  # which knows other kinds
        return
    sums = map(add, gradient, map(_grad, parameters))
    any(map(setattr, parameters, repeat("grad"), sums))


def _kind(x: Any) -> Any:
    """Return what tells an argument's structure: of a list of floats its length, else the type."""
    if type(x) is list and {*map(type, x)} == {float}:
        return len(x)
    return float if type(x) is np.float64 else type(x)


def _gathering(signature: tuple[Any, ...]) -> Callable[[tuple[Any, ...]], ndarray]:
    """Return the function that puts the numbers of arguments of these kinds into one array."""
    if {*signature} <= {float}:
        return np.array
    if len(signature) > 1:
        return lambda args: np.concatenate([np.ravel(x) for x in args])
    if type(signature[0]) is int:
        return lambda args: np.array(args[0])
    return lambda args: args[0].ravel()
