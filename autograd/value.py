"""Value: a float that remembers how it was computed.

A Value holds its number, the primitive that made it and its *edges*: each operand with the partial
derivative by it, already a number. The hot operations are written out here, because the general
way through the table costs several times as much; a test holds each of them to the table.
"""

from __future__ import annotations

from contextvars import ContextVar

from autograd import ieee
from autograd.backward import accumulate, cotangents
from autograd.primitives import (
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
    to_float,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.modes import Entry
    from autograd.primitives import Primitive

modes: ContextVar[tuple[Entry, ...]] = ContextVar("modes", default=())
open_modes: set[Entry] = set()  # while it is empty, hot paths need not ask for the context's
_PLAIN = frozenset({float, int})  # other real numbers go the general way
_new = object.__new__


class Value(Scalar):
    """A node of the computation graph: a float, and how it was computed.

    Args:
        data: the number: int, float, bool, Fraction, Decimal or NumPy scalar; stored as a float.
        label: a name, for drawings.

    Attributes:
        data: the float; assign floats alone, which no earlier gradient notices.
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
            data = to_float(data)
        if not isinstance(label, str):
            raise TypeError(f"Value(data, label): expected a string as label, got {shown(label)}")
        self.data = data
        self.grad = 0.0
        self.primitive = None
        self.edges = ()
        self.label = label

    # Recording: the general way through the table, then the same written out where it is hot.

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """Apply a primitive to Values and floats: the general way."""
        if not primitive.partials and open_modes and (trace := innermost("trace")):
            return trace.record(primitive, operands)
        numbers = [x if type(x) is float else x.data for x in operands]
        z = primitive.value(*numbers)
        if not primitive.partials:
            return z
        if open_modes and innermost("records") is False:
            result = Value(z)
        else:
            partials = primitive.partials_at(z, numbers, [type(x) is not float for x in operands])
            if primitive.selects:
                partials = [None if p == 0.0 else p for p in partials]
            result = _node(z, primitive, (*operands, *partials))
        if open_modes and (watch := innermost("watch")):
            watch.made(result, primitive, operands)
        return result

    def __add__(self, other: Any) -> Any:
        if not open_modes:
            if type(other) is Value:
                return _node(self.data + other.data, add, (self, other, 1.0, 1.0))
            if type(other) in _PLAIN:
                other = to_float(other)
                return _node(self.data + other, add, (self, other, 1.0, None))
        return add.operate(self, other)

    def __radd__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not open_modes:
            other = to_float(other)
            return _node(other + self.data, add, (other, self, None, 1.0))
        return add.operate(other, self)

    def __sub__(self, other: Any) -> Any:
        if not open_modes:
            if type(other) is Value:
                return _node(self.data - other.data, sub, (self, other, 1.0, -1.0))
            if type(other) in _PLAIN:
                other = to_float(other)
                return _node(self.data - other, sub, (self, other, 1.0, None))
        return sub.operate(self, other)

    def __rsub__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not open_modes:
            other = to_float(other)
            return _node(other - self.data, sub, (other, self, None, -1.0))
        return sub.operate(other, self)

    def __mul__(self, other: Any) -> Any:
        if not open_modes:
            if type(other) is Value:
                a, b = self.data, other.data
                return _node(a * b, mul, (self, other, b, a))
            if type(other) in _PLAIN:
                other = to_float(other)
                return _node(self.data * other, mul, (self, other, other, None))
        return mul.operate(self, other)

    def __rmul__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not open_modes:
            other = to_float(other)
            return _node(other * self.data, mul, (other, self, None, other))
        return mul.operate(other, self)

    def __truediv__(self, other: Any) -> Any:
        if not open_modes:
            if type(other) is Value:
                b = other.data
                z = ieee.div(self.data, b)
                return _node(z, div, (self, other, ieee.reciprocal(b), ieee.div(-z, b)))
            if type(other) in _PLAIN:
                other = to_float(other)
                z = ieee.div(self.data, other)
                return _node(z, div, (self, other, ieee.reciprocal(other), None))
        return div.operate(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not open_modes:
            other, b = to_float(other), self.data
            z = ieee.div(other, b)
            return _node(z, div, (other, self, None, ieee.div(-z, b)))
        return div.operate(other, self)

    def __pow__(self, other: Any) -> Any:
        if type(other) in _PLAIN and not open_modes:
            x, exponent = self.data, to_float(other)
            partial = ieee.times(exponent, ieee.pow(x, exponent - 1.0))
            return _node(ieee.pow(x, exponent), pow, (self, exponent, partial, None))
        return pow.operate(self, other)

    def __neg__(self) -> Any:
        if open_modes:
            return self.record(neg, (self,))
        return _node(-self.data, neg, (self, -1.0))

    def relu(self) -> Any:
        """max(self, 0); derivative 0 at 0."""
        if open_modes:
            return self.record(relu, (self,))
        x = self.data
        if x > 0.0:
            node: Value = _new(Value)  # as _node, without the call
            node.data = x
            node.grad = 0.0
            node.primitive = relu
            node.edges = (self, 1.0)
            node.label = ""
            return node
        return _node(ieee.relu(x), relu, (self, None if x <= 0.0 else x))

    def record_one(self, primitive: Primitive) -> Any:
        """Apply a primitive of one operand."""
        if primitive is relu:
            return self.relu()
        if open_modes or primitive.selects or not primitive.partials:
            return self.record(primitive, (self,))
        x = self.data
        z = primitive.value(x)
        return _node(z, primitive, (self, primitive.partials[0](z, x)))

    def record_dot(self, ws: Sequence[Any], xs: Sequence[Any], bias: Any) -> Any:
        """Apply `dot` to weights and a bias that are Values and to inputs of one kind."""
        kind = type(xs[0])
        if open_modes or not (kind is Value or (kind is float and {*map(type, xs)} == {float})):
            return dot.bind((*ws, *xs, bias))
        inputs: Sequence[float] = xs
        partials: Sequence[float | None] = [None] * len(xs)
        try:
            weights = [w.data for w in ws]
            if kind is Value:
                inputs, partials = [x.data for x in xs], weights
            z = bias.data
            for w, x in zip(weights, inputs):  # noqa: B905  dot has compared their lengths
                z += w * x
        except (AttributeError, TypeError):  # floats or others among Values
            return dot.bind((*ws, *xs, bias))
        if type(z) is not float:
            return dot.bind((*ws, *xs, bias))
        node: Value = _new(Value)  # as _node, without the call
        node.data = z
        node.grad = 0.0
        node.primitive = dot
        node.edges = (*ws, *xs, bias, *inputs, *partials, 1.0)
        node.label = ""
        return node

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
        if open_modes and (watch := innermost("watch")):
            watch.sweep(self, float(cotangent))
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
        if open_modes and (trace := innermost("trace")):
            raise trace.branch_error()
        return bool(self.data)

    def __round__(self, digits: int | None = None) -> float:
        return round(self.data, digits)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"

    # Copies keep the graph, at any depth; their room is loaded on use, so that the import is quick.

    def __copy__(self) -> Value:
        from autograd.copies import copied  # noqa: PLC0415

        return copied(self, self.edges)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        from autograd.copies import deeply_copied  # noqa: PLC0415

        return deeply_copied(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        from autograd.copies import reduced  # noqa: PLC0415

        return reduced(self)


def _node(data: float, primitive: Primitive, edges: tuple[Any, ...]) -> Value:
    node: Value = _new(Value)  # past __init__ and its checks: half the time
    node.data = data
    node.grad = 0.0
    node.primitive = primitive
    node.edges = edges
    node.label = ""
    return node


def innermost(attribute: str) -> Any:
    """What the innermost open block of this context says of it; None where no block does."""
    for entry in reversed(modes.get()):
        if entry in open_modes and (said := getattr(entry, attribute)) is not None:
            return said
    return None
