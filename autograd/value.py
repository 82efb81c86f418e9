"""Value: a float that remembers how it was computed.

A Value holds its number, the primitive that made it and its *edges*: each operand with the partial
derivative by it, already a number. The hot operations are written out here, because the general
way through the table costs several times as much; a test holds each of them to the table.
"""

from __future__ import annotations

from _thread import allocate_lock
from contextvars import ContextVar

from autograd import ieee
from autograd.backward import accumulate, backward_steps, cotangents, graph
from autograd.primitives import (
    Comparison,
    Scalar,
    add,
    div,
    dot,
    is_real,
    mul,
    neg,
    pow,
    relu,
    shown,
    sub,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Token
    from typing import Any, Self

    from autograd.primitives import Primitive
    from autograd.watch import Watch

_recording: ContextVar[bool] = ContextVar("recording", default=True)
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
_open_modes = 0  # while no block of either mode is open in any context, hot paths ask for neither
_open_modes_lock = allocate_lock()
_PLAIN = frozenset({float, int})  # other real numbers go the general way
_new = object.__new__


class Value(Scalar):
    """A node of the computation graph: a float, and how it was computed.

    Args:
        data: the number: int, float, bool, Fraction, Decimal or NumPy scalar; stored as a float.
        label: a name, for drawings.

    Attributes:
        data: the float.
        grad: where `backward()` adds d root / d self; 0.0 at first.
        label: the name.
        primitive: the operation that made it; None for a leaf.
        edges: the operands, then as many partials; a partial is None where nothing flows.

    Arithmetic with numbers and Values gives Values. `<` and `==` compare data; hashing is by
    identity. `float(v)`, `math.exp(v)` and `np.array(values, dtype=float)` give plain numbers,
    which are constants to every derivative.

    Raises:
        TypeError: `data` is not a real number.

    >>> a = Value(3.0)
    >>> b = a * a + 1
    >>> b.backward()
    >>> b.data, a.grad
    (10.0, 6.0)
    """

    __slots__ = ("__weakref__", "data", "edges", "grad", "label", "primitive")
    rank = 1

    data: float
    grad: float
    label: str
    primitive: Primitive | None
    edges: tuple[Any, ...]

    def __init__(self, data: Any, label: str = "") -> None:
        if type(data) is not float:
            if not is_real(type(data)):
                raise TypeError(f"Value(data): expected a real number, got {shown(data)}")
            data = float(data)
        self.data = data
        self.grad = 0.0
        self.primitive = None
        self.edges = ()
        self.label = label

    # Recording: the hot paths first, then the general way through the table.

    def __add__(self, other: Any) -> Any:
        if not _open_modes:
            if type(other) is Value:
                return _node(self.data + other.data, add, (self, other, 1.0, 1.0))
            if type(other) in _PLAIN:
                other = float(other)
                return _node(self.data + other, add, (self, other, 1.0, None))
        return add.operate(self, other)

    def __radd__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not _open_modes:
            other = float(other)
            return _node(other + self.data, add, (other, self, None, 1.0))
        return add.operate(other, self)

    def __sub__(self, other: Any) -> Any:
        if not _open_modes:
            if type(other) is Value:
                return _node(self.data - other.data, sub, (self, other, 1.0, -1.0))
            if type(other) in _PLAIN:
                other = float(other)
                return _node(self.data - other, sub, (self, other, 1.0, None))
        return sub.operate(self, other)

    def __rsub__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not _open_modes:
            other = float(other)
            return _node(other - self.data, sub, (other, self, None, -1.0))
        return sub.operate(other, self)

    def __mul__(self, other: Any) -> Any:
        if not _open_modes:
            if type(other) is Value:
                a, b = self.data, other.data
                return _node(a * b, mul, (self, other, b, a))
            if type(other) in _PLAIN:
                other = float(other)
                return _node(self.data * other, mul, (self, other, other, None))
        return mul.operate(self, other)

    def __rmul__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not _open_modes:
            other = float(other)
            return _node(other * self.data, mul, (other, self, None, other))
        return mul.operate(other, self)

    def __truediv__(self, other: Any) -> Any:
        if not _open_modes:
            if type(other) is Value:
                b = other.data
                z = ieee.div(self.data, b)
                return _node(z, div, (self, other, ieee.reciprocal(b), ieee.div(-z, b)))
            if type(other) in _PLAIN:
                other = float(other)
                z = ieee.div(self.data, other)
                return _node(z, div, (self, other, ieee.reciprocal(other), None))
        return div.operate(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not _open_modes:
            other, b = float(other), self.data
            z = ieee.div(other, b)
            return _node(z, div, (other, self, None, ieee.div(-z, b)))
        return div.operate(other, self)

    def __pow__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not _open_modes:
            x, exponent = self.data, float(other)
            partial = ieee.times(exponent, ieee.pow(x, exponent - 1.0))
            return _node(ieee.pow(x, exponent), pow, (self, exponent, partial, None))
        return pow.operate(self, other)

    def __neg__(self) -> Any:
        if _open_modes:
            return self.record(neg, (self,))
        return _node(-self.data, neg, (self, -1.0))

    def relu(self) -> Any:
        """max(self, 0); derivative 0 at 0."""
        if _open_modes:
            return self.record(relu, (self,))
        x = self.data
        if x > 0.0:
            return _node(x, relu, (self, 1.0))
        return _node(ieee.relu(x), relu, (self, None if x <= 0.0 else x))

    def record_one(self, primitive: Primitive) -> Any:
        """Apply a primitive of one operand."""
        if primitive is relu:
            return self.relu()
        if _open_modes or primitive.selects or not primitive.partials:
            return self.record(primitive, (self,))
        x = self.data
        z = primitive.value(x)
        return _node(z, primitive, (self, primitive.partials[0](z, x)))

    def record_dot(self, ws: Sequence[Any], xs: Sequence[Any], bias: Any) -> Any:
        """Apply `dot` to weights and a bias that are Values and to inputs of one kind."""
        operands = (*ws, *xs, bias)
        size = len(ws)
        numbers: list[float] = [x.data for x in operands if type(x) is Value]
        inputs: Sequence[float]
        partials: Sequence[float | None]
        if _open_modes:
            return dot.bind(operands)
        if len(numbers) == len(operands):
            inputs, partials = numbers[size:-1], numbers[:size]
        elif len(numbers) == size + 1 and {*map(type, xs)} == {float}:
            inputs, partials = xs, [None] * size
        else:
            return dot.bind(operands)
        z = numbers[-1]
        for w, x in zip(numbers, inputs):  # noqa: B905  numbers starts with the weights
            z += w * x
        node: Value = _new(Value)  # as _node, without the call
        node.data = z
        node.grad = 0.0
        node.primitive = dot
        node.edges = (*operands, *inputs, *partials, 1.0)
        node.label = ""
        return node

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """Apply a primitive to Values and floats: the general way."""
        numbers = [x if type(x) is float else x.data for x in operands]
        z = primitive.value(*numbers)
        if isinstance(primitive, Comparison):
            return z
        if not _recording.get():
            result = Value(z)
        else:
            result = _node(z, primitive, (*operands, *primitive.edges(z, numbers, operands)))
        if _open_modes and (watch := _watch.get()):
            watch.made(result, primitive, operands)
        return result

    # Looking at the graph.

    @property
    def operands(self) -> tuple[Any, ...]:
        """The operands as called: Values and floats, with repeats; none for a leaf."""
        return self.edges[: len(self.edges) // 2]

    @property
    def partials(self) -> tuple[float, ...]:
        """The partial derivative by each operand; 0.0 where nothing flows."""
        stored = self.edges[len(self.edges) // 2 :]
        return tuple(0.0 if partial is None else partial for partial in stored)

    def backward(self, cotangent: float = 1.0) -> None:
        """Add `cotangent` x d self / d leaf to `.grad` of every leaf below.

        The `.grad` of a computed node is what the last sweep gave it.

        Args:
            cotangent: the factor, d loss / d self if self is part of a larger loss.

        Raises:
            TypeError: `cotangent` is not a real number.
            FloatingPointError: inside `detect_anomaly()`, a cotangent is not finite.

        >>> a = Value(2.0)
        >>> (a * a).backward()
        >>> (a * a).backward()
        >>> a.grad
        8.0
        """
        if not is_real(type(cotangent)) and type(cotangent) is not float:
            raise TypeError(f"backward(cotangent): expected a number, got {shown(cotangent)}")
        if _open_modes and (watch := _watch.get()):
            for step in backward_steps(self, float(cotangent)):
                watch.swept(step)
        accumulate(cotangents(self, float(cotangent)))

    def detach(self) -> Value:
        """Return a new leaf of the same data and label, through which nothing flows."""
        return Value(self.data, self.label)

    # As a number.

    def item(self) -> float:
        """Return the data, as NumPy and PyTorch call it."""
        return self.data

    def __float__(self) -> float:
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __round__(self, digits: int | None = None) -> float:
        return round(self.data, digits)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"

    # Copies keep the graph, at any depth: nodes are copied operands first, never by recursion.

    def __copy__(self) -> Value:
        return _restored(self.data, self.grad, self.label, self.primitive, self.edges)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in graph(self):
            if id(node) not in memo:
                edges = [memo[id(x)] if type(x) is Value else x for x in node.edges]
                memo[id(node)] = _restored(
                    node.data, node.grad, node.label, node.primitive, tuple(edges)
                )
        copy: Value = memo[id(self)]
        return copy

    def __reduce__(self) -> tuple[Callable[..., Value], tuple[Any, ...]]:
        if not self.edges:
            return _restored, (self.data, self.grad, self.label, self.primitive, ())
        nodes = graph(self)
        position = {node: i for i, node in enumerate(nodes)}
        # a leaf is pickled as itself, so that it stays one leaf under several roots
        rows = [
            (x.data, x.grad, x.label, x.primitive, [position.get(e, e) for e in x.edges])
            if x.edges
            else x
            for x in nodes
        ]
        return _restored_graph, (rows,)


def _node(data: float, primitive: Primitive, edges: tuple[Any, ...]) -> Value:
    node: Value = _new(Value)  # past __init__ and its checks: half the time
    node.data = data
    node.grad = 0.0
    node.primitive = primitive
    node.edges = edges
    node.label = ""
    return node


def _restored(
    data: float, grad: float, label: str, primitive: Primitive | None, edges: tuple[Any, ...]
) -> Value:
    node = Value(data, label)
    node.grad = grad
    node.primitive = primitive
    node.edges = edges
    return node


def _restored_graph(rows: list[Any]) -> Value:
    nodes: list[Value] = []
    for row in rows:
        if type(row) is tuple:
            data, grad, label, primitive, edges = row
            operands = tuple(nodes[e] if type(e) is int else e for e in edges)
            nodes.append(_restored(data, grad, label, primitive, operands))
        else:
            nodes.append(row)
    return nodes[-1]


class _Mode:
    """A block in which recording differs, in this context alone; blocks nest."""

    _variable: ContextVar[Any]

    def __init__(self) -> None:
        self._tokens: list[Token[Any]] = []

    def _setting(self) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Self:
        _count_open_modes(1)
        self._tokens.append(self._variable.set(self._setting()))
        return self

    def __exit__(self, *_exception: object) -> None:
        _count_open_modes(-1)
        self._variable.reset(self._tokens.pop())


def _count_open_modes(change: int) -> None:
    global _open_modes  # noqa: PLW0603  a module's name is the cheapest thing hot paths can ask
    with _open_modes_lock:
        _open_modes += change


class no_grad(_Mode):  # noqa: N801  as in PyTorch
    """A block inside which nothing is recorded: results are leaf Values.

    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * a
    >>> b.data, b.operands
    (4.0, ())
    """

    _variable = _recording

    def _setting(self) -> bool:
        return False


class detect_anomaly(_Mode):  # noqa: N801  as in PyTorch
    """A block that raises at the first value or cotangent that is inf or nan.

    The error names the operation, its operands and the line that applied it.

    Raises:
        FloatingPointError: when it happens.

    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     Value(0.0).log()
    Traceback (most recent call last):
    FloatingPointError: log gave -inf from 0.0, at line 2 of <doctest ...>
    """

    _variable = _watch

    def _setting(self) -> Watch:
        from autograd.watch import Watch  # noqa: PLC0415  import autograd stays light

        return Watch()
