"""Blocks in which recording differs: `no_grad`, `detect_anomaly`, and that of a derivative."""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import ContextVar
from weakref import ref

from autograd.value import innermost, modes, open_modes
from autograd.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Entry:
    """One entering of a block, and what holds inside; None where the blocks around it say.

    Attributes:
        records: whether operations are recorded.
        watch: what is told of every node and of every step of a sweep; False for nothing.
        trace: what makes Tracers of comparisons of Values.
    """

    __slots__ = ("records", "trace", "watch")

    def __init__(
        self, records: bool | None = None, watch: Watch | bool | None = None, trace: Any = None
    ) -> None:
        self.records = records
        self.watch = watch
        self.trace = trace


class Mode:
    """A block in which recording differs, in this context alone; blocks nest.

    An entry counts while it stands in its context's tuple and in `open_modes`, and one step takes
    it out of there for all contexts. So blocks may end in any order, in generators and tasks too,
    and one that an interrupt cut short counts no more once its object is gone.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def _entry(self) -> Entry:
        raise NotImplementedError

    def __enter__(self) -> Self:
        entry = self._entry()
        self._entries.append(entry)
        modes.set((*modes.get(), entry))
        open_modes[entry] = None
        return self

    def __exit__(self, *_exception: object) -> None:
        here = modes.get()
        last = self._entries[-1]
        entry = next((e for e in reversed(self._entries) if e in here), last)
        open_modes.pop(entry, None)
        self._entries.remove(entry)
        modes.set(tuple(e for e in here if e is not entry))

    def __del__(self) -> None:
        for entry in self._entries:
            open_modes.pop(entry, None)


class no_grad(Mode):  # noqa: N801  as in PyTorch
    """A block inside which nothing is recorded: results are leaf Values.

    >>> from autograd import Value
    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * a
    >>> b.data, b.operands
    (4.0, ())
    """

    def _entry(self) -> Entry:
        return Entry(records=False)


class recording(Mode):  # noqa: N801  as the others
    """A block inside which everything is recorded, even inside a block of `no_grad`."""

    def _entry(self) -> Entry:
        return Entry(records=True)


class unwatched(Mode):  # noqa: N801  as the others
    """A block inside which nothing is watched: the engine's own operations are not the user's."""

    def _entry(self) -> Entry:
        return Entry(watch=False)


class detect_anomaly(Mode):  # noqa: N801  as in PyTorch
    """A block that raises at the first value or cotangent that is inf or nan.

    The error names the operation, its operands and the line that applied it.

    Raises:
        FloatingPointError: when it happens.

    >>> from autograd import Value
    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     Value(0.0).log()
    Traceback (most recent call last):
    FloatingPointError: log gave -inf from 0.0, at line 2 of <doctest ...>
    """

    def _entry(self) -> Entry:
        return Entry(watch=Watch())


_innermost: ContextVar[ref[differentiating] | None] = ContextVar("innermost", default=None)


class differentiating:  # noqa: N801  as the others
    """A block in which operations, and derivatives taken inside, are recorded.

    It counts while its object lives: an interrupt on the way in or out leaves nothing behind.
    """

    def __enter__(self) -> None:
        self._before = _innermost.get()
        self._recording = recording() if innermost("records") is False else nullcontext()
        self._recording.__enter__()
        _innermost.set(ref(self))

    def __exit__(self, *exception: object) -> None:
        _innermost.set(self._before)
        self._recording.__exit__(*exception)


def under_way() -> bool:
    """Whether a function is being run whose results will be differentiated or traced."""
    block = _innermost.get()
    return block is not None and block() is not None
