"""Forward mode: numbers that carry a tangent along.

A Dual is a primal and its *tangent*, d primal / d t along some direction t. An operation on Duals
gives a Dual whose tangent is the sum of partial x tangent over its operands: the same partials,
of the same table, as the reverse sweep multiplies from the other side.
"""

from __future__ import annotations

from contextlib import nullcontext
from itertools import count

from autograd.flow import ALWAYS, Flow
from autograd.modes import recording, under_way
from autograd.primitives import Scalar, identity
from autograd.structure import flatten, flatten_like, unflatten
from autograd.value import Value, innermost, open_modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.primitives import Primitive

_levels = count(1)  # a direction begun inside another has a higher level


class Dual(Scalar):
    """primal + tangent e, where e^2 = 0 and e belongs to one direction, its level.

    The primal and the tangent may be numbers of any kind, Duals of lower levels among them; so
    derivatives of derivatives keep their directions apart. Comparisons are those of primals.

    Attributes:
        primal: the number.
        tangent: its derivative along the direction.
        level: which direction.
        flow: when anything flows to the tangent.

    >>> x = Dual(3.0, 1.0)
    >>> x * x
    Dual(primal=9.0, tangent=6.0)
    """

    __slots__ = ("flow", "level", "primal", "tangent")
    rank = 3

    def __init__(self, primal: Any, tangent: Any, level: int = 0, flow: Flow = ALWAYS) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level
        self.flow = flow

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """Apply a primitive: to the highest level among the operands, all others are constant."""
        level = max(x.level for x in operands if isinstance(x, Dual))
        moving = [isinstance(x, Dual) and x.level == level for x in operands]
        primals = [x.primal if moves else x for x, moves in zip(operands, moving, strict=True)]
        z = primitive.bind(primals)
        if not primitive.partials or (open_modes and innermost("records") is False):
            return z
        partials = primitive.partials_at(z, primals, moving)
        tangent: Any = None
        flow = ALWAYS
        for x, partial in zip(operands, partials, strict=True):
            if partial is None or (edge := x.flow.along(primitive, partial)) is None:
                continue
            contribution = edge.carry(x.tangent, partial)
            if tangent is not None:
                contribution, edge = tangent + contribution, flow.joined(edge)
            tangent, flow = contribution, edge
        return z if tangent is None else Dual(z, tangent, level, flow)

    @property
    def data(self) -> float:
        """A Dual has none, lest its tangent be lost unseen."""
        raise AttributeError(
            "a Dual has no data: float(x) or x.item() gives its number, a constant"
        )

    def item(self) -> float:
        """Return the primal as a float, a constant."""
        return float(self.primal)

    def detach(self) -> Any:
        """Return the primal, through which nothing flows."""
        return self.primal.detach() if hasattr(self.primal, "detach") else self.primal

    def __float__(self) -> float:
        return float(self.primal)

    def __round__(self, digits: int | None = None) -> float:
        return round(float(self.primal), digits)

    def __format__(self, spec: str) -> str:
        return format(float(self.primal), spec) if spec else repr(self)

    def __int__(self) -> int:
        return int(self.primal)

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __repr__(self) -> str:
        return f"Dual(primal={self.primal!r}, tangent={self.tangent!r})"


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*args) and its derivative along the tangents, J(args) tangents, in one forward pass.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            such a structure.
        args: its arguments, a tuple or list. On floats the results are floats: `Value`s that f uses
            from outside are constant to it, as to `grad`.
        tangents: a direction, of the same structure. An input whose tangent is exactly 0.0 is
            passed as a constant.

    Returns:
        The value and the tangent, both of the structure of what f returns.

    Raises:
        TypeError: an argument, a tangent or a result is not a structure of numbers, or the tangents
            are of another structure than the arguments.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.5))
    (6.0, 4.0)
    """
    for name, given in (("args", args), ("tangents", tangents)):
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"jvp(f, args, tangents): expected a tuple as {name}, got {type(given).__name__}; "
                "write (x,) for a single one"
            )
    primals, template = flatten(tuple(args), "args")
    directions = flatten_like(template, tuple(tangents), "jvp(f, args, tangents): tangents")
    level = next(_levels)
    inputs = [
        variable(x) if type(t) is float and t == 0.0 else Dual(x, t, level)
        for x, t in zip(primals, directions, strict=True)
    ]
    with recording() if innermost("records") is False else nullcontext():
        result = f(*unflatten(template, inputs))
    outputs, shape = flatten(result, "f's result")
    if not under_way() and not any(isinstance(x, Scalar) for x in (*primals, *directions)):
        outputs = [*map(without_graph, outputs)]
    moving = [isinstance(y, Dual) and y.level == level for y in outputs]
    values = [y.primal if moves else y for y, moves in zip(outputs, moving, strict=True)]
    rates = [y.tangent if moves else 0.0 for y, moves in zip(outputs, moving, strict=True)]
    return unflatten(shape, values), unflatten(shape, rates)


def variable(number: Any) -> Any:
    """Return a node of its own that stands for the number and passes derivatives on to it."""
    if isinstance(number, Dual):
        return Dual(variable(number.primal), number.tangent, number.level, number.flow)
    if trace := innermost("trace"):
        return trace.record(identity, (number,))
    return identity(number) if isinstance(number, Scalar) else Value(number)


def without_graph(x: Any) -> Any:
    """Return a number as it is without what it was computed from."""
    if isinstance(x, Dual):
        return Dual(without_graph(x.primal), without_graph(x.tangent), x.level, x.flow)
    return x.data if isinstance(x, Value) else x
