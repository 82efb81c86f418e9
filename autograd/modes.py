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


class Hold:
    """What a block alone holds of an entry, so that both end together."""

    __slots__ = ("__weakref__",)


class Entry(ref[Hold]):
    """One entering of a block, and what holds inside; None where the blocks around it say.

    Once its hold is gone it leaves `open_modes`: by a call into C, in which no Ctrl-C gets lost as
    it would in a `__del__`.

    Attributes:
        records: whether operations are recorded.
        watch: what is told of every node and of every step of a sweep; False for nothing.
        trace: what makes Tracers of comparisons of Values.
    """

    __slots__ = ("records", "trace", "watch")

    def __new__(cls, hold: Hold, **_said: Any) -> Self:
        """Refer to the hold."""
        return super().__new__(cls, hold, open_modes.discard)

    def __init__(
        self,
        _hold: Hold,
        *,
        records: bool | None = None,
        watch: Watch | bool | None = None,
        trace: Any = None,
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
        self._holds: dict[Entry, Hold] = {}

    def _entry(self, hold: Hold) -> Entry:
        raise NotImplementedError

    def __enter__(self) -> Self:
        hold = Hold()
        entry = self._entry(hold)
        self._holds[entry] = hold
        modes.set((*modes.get(), entry))
        open_modes.add(entry)
        return self

    def __exit__(self, *_exception: object) -> None:
        here = modes.get()
        last = next(reversed(self._holds))
        entry = next((e for e in reversed(self._holds) if e in here), last)
        open_modes.discard(entry)
        del self._holds[entry]
        modes.set(tuple(e for e in here if e is not entry))


class no_grad(Mode):  # noqa: N801  as in PyTorch
    """A block inside which nothing is recorded: results are leaf Values.

    >>> from autograd import Value
    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * a
    >>> b.data, b.operands
    (4.0, ())
    """

    def _entry(self, hold: Hold) -> Entry:
        return Entry(hold, records=False)


class recording(Mode):  # noqa: N801  as the others
    """A block inside which everything is recorded, even inside a block of `no_grad`."""

    def _entry(self, hold: Hold) -> Entry:
        return Entry(hold, records=True)


class unwatched(Mode):  # noqa: N801  as the others
    """A block inside which nothing is watched: the engine's own operations are not the user's."""

    def _entry(self, hold: Hold) -> Entry:
        return Entry(hold, watch=False)


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

    def _entry(self, hold: Hold) -> Entry:
        return Entry(hold, watch=Watch())


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
