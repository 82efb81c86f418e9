"""Derivatives against differences: gradcheck, and primitives of the users' own.

Differences know nothing of the chain rule or the table, so they can accuse both.
"""

from __future__ import annotations

import math
import random
from functools import wraps
from typing import NamedTuple

from autograd.backward import graph
from autograd.functional import jacobian_forward, jacobian_reverse
from autograd.modes import no_grad
from autograd.primitives import TABLE, Function, Primitive, Scalar, is_real, shown, to_float
from autograd.recorded import gradients
from autograd.structure import flatten, names_of_arguments, paths, unflatten
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

HALVINGS = 30  # from an eighth of a size down to where rounding is all that is left
_TAKES_ANY = 0x04  # the flag of *args in a code object
POINTS = 6  # at which a primitive is checked when it is registered


class Difference(NamedTuple):
    """What difference quotients say of a derivative.

    Attributes:
        estimate: the derivative, extrapolated to steps of size 0; nan where it cannot be told.
        error: how far the extrapolation still moved, and the rounding in it.
        scale: |f(x)| / max(|x|, 1), the size that a derivative usually has.
        kink: whether the slopes to the left and to the right differ.
    """

    estimate: float
    error: float
    scale: float
    kink: bool

    def agrees(self, derivative: float, tolerance: float) -> bool:
        """Whether a derivative is this, within the tolerance and what the difference knows."""
        if derivative == self.estimate:
            return True
        size = max(abs(derivative), abs(self.estimate))
        gap = abs(derivative - self.estimate)
        if not math.isfinite(gap):
            return False
        return self.settled(tolerance) and gap <= tolerance * size + 4.0 * self.error

    def settled(self, tolerance: float) -> bool:
        """Whether the quotients came to an end, so that they can say anything."""
        return self.error <= tolerance * max(abs(self.estimate), self.scale)


def difference(f: Callable[[float], Sequence[float]], x: float) -> list[Difference]:
    """The derivative of each result of f at x, from values of f alone.

    Central differences (f(x + h) - f(x - h)) / 2h at steps h that are halved from |x| / 8 on, and
    from 1/8 on, extrapolated to h = 0 (Richardson); of all extrapolations the one that moved least
    is taken (Ridders 1982).

    >>> [found] = difference(lambda x: [x * x * x], 2.0)
    >>> abs(found.estimate - 12.0) < 1e-9
    True
    """
    here = f(x)
    best = [(math.nan, math.inf, False)] * len(here)
    for size in sorted({1.0, abs(x) or 1.0}):
        for k, found in enumerate(_extrapolated(f, x, here, size)):
            # in relation: across a pole quotients are small, and so is what they move by
            if found[1] * abs(best[k][0]) < best[k][1] * abs(found[0]) or best[k][1] == math.inf:
                best[k] = found
    return [
        Difference(estimate, error, abs(y) / max(abs(x), 1.0), kink)
        for (estimate, error, kink), y in zip(best, here, strict=True)
    ]


def _extrapolated(
    f: Callable[[float], Sequence[float]], x: float, here: Sequence[float], size: float
) -> list[tuple[float, float, bool]]:
    """Of each result the estimate, its error and whether there is a kink, by steps of a size."""
    best = [(math.nan, math.inf, False)] * len(here)
    coarser: list[list[float]] = [[] for _ in here]
    for halving in range(3, 3 + HALVINGS):
        above, below = x + size * 0.5**halving, x - size * 0.5**halving
        if above == below:
            break
        try:
            high, low = f(above), f(below)
        except (ArithmeticError, ValueError):  # outside the domain of a function of math
            coarser = [[] for _ in here]
            continue
        for k, (left, middle, right) in enumerate(zip(low, here, high, strict=True)):
            row = [(right - left) / (above - below)]
            for power, earlier in enumerate(coarser[k], start=1):
                row.append(row[-1] + (row[-1] - earlier) / (4.0**power - 1.0))
                error = max(abs(row[-1] - row[-2]), abs(row[-1] - earlier))
                error += math.ulp(max(abs(left), abs(right))) / (above - below) + math.ulp(row[-1])
                if error < best[k][1]:
                    slopes = (middle - left) / (x - below), (right - middle) / (above - x)
                    best[k] = row[-1], error, _differ(*slopes)
            coarser[k] = row if all(map(math.isfinite, row)) else []
    return best


def _differ(left: float, right: float) -> bool:
    return abs(right - left) > 0.1 * max(abs(left), abs(right))


class Disagreement(NamedTuple):
    """A derivative that is not what differences say."""

    result: str
    argument: str
    reverse: float
    forward: float
    difference: Difference

    def __str__(self) -> str:
        estimate, error, _, kink = self.difference
        gap = max(abs(self.reverse - estimate), abs(self.forward - estimate))
        return (
            f"d {self.result} / d {self.argument}: reverse {self.reverse!r}, forward "
            f"{self.forward!r}, differences {estimate!r} (+- {error:.1g}), off by {gap:.3g}"
            + ("; there is a kink here" if kink else "")
        )


class Accusation(NamedTuple):
    """A primitive whose partial is not what differences of its own value say."""

    primitive: Primitive
    position: int
    operands: tuple[float, ...]
    partial: float
    difference: Difference

    def __str__(self) -> str:
        numbers = ", ".join(map(repr, self.operands))
        name = self.primitive.operand_name(self.position, len(self.operands))
        return (
            f"primitive {self.primitive.name} at ({numbers}): its partial by {name} is "
            f"{self.partial!r}, differences say {self.difference.estimate!r}"
        )


class Report(NamedTuple):
    """What `gradcheck` found; true when all derivatives agree and repeat to the last bit.

    Attributes:
        checked: how many derivatives were compared.
        disagreements: those that differ.
        accusations: the primitives at fault, where there are disagreements.
        unrepeatable: derivatives that came out differently the second time.
    """

    checked: int
    disagreements: list[Disagreement]
    accusations: list[Accusation]
    unrepeatable: list[str]

    def __bool__(self) -> bool:
        return not self.disagreements and not self.unrepeatable

    def __str__(self) -> str:
        if self:
            return f"all {self.checked} derivatives agree with differences"
        lines = [f"{len(self.disagreements)} of {self.checked} derivatives disagree"]
        lines += map(str, self.disagreements)
        lines += map(str, self.accusations)
        if self.disagreements and not self.accusations:
            lines.append(
                "no primitive is at fault: f branches, has a kink or an end of its domain here, or "
                "takes a number out of the graph (float, math, an array of floats)"
            )
        lines += [f"{name} is not the same when computed again" for name in self.unrepeatable]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def gradcheck(f: Callable[..., Any], *args: Any, order: int = 1, tolerance: float = 1e-6) -> Report:
    """Compare the derivatives of f, in reverse and forward mode, with difference quotients.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            such a structure.
        args: where to compare.
        order: 1 for first derivatives; 2 for second ones too.
        tolerance: how far, in relation to the larger one, two numbers may differ. Whatever the
            tolerance, computing the same derivative again must give the same bits.

    Returns:
        A report that is true when all agree, and prints what does not: the argument, the numbers,
        and the primitive at fault, if it is one.

    Raises:
        TypeError: an argument or result is no structure of numbers.
        ValueError: `order` is neither 1 nor 2, `tolerance` is negative.

    >>> from autograd import sin
    >>> gradcheck(lambda x, y: sin(x * y), 1.0, 2.0, order=2)
    all 6 derivatives agree with differences
    >>> gradcheck(lambda x: x * float(x), 3.0)  # doctest: +ELLIPSIS
    1 of 1 derivatives disagree
    d f / d x: reverse 3.0, forward 3.0, differences 6.0 (+- ...), off by 3
    no primitive is at fault: f branches, has a kink ...
    """
    if order not in {1, 2}:
        raise ValueError(f"gradcheck(order): expected 1 or 2, got {shown(order)}")
    if not tolerance >= 0.0:
        raise ValueError(f"gradcheck(tolerance): expected at least 0, got {shown(tolerance)}")
    numbers, template = flatten(args, "args")
    point = [*map(float, numbers)]
    arguments = [
        path
        for name, part in zip(names_of_arguments(f, len(args)), template, strict=True)
        for path in paths(part, name)
    ]
    results: list[str] = []

    def first(xs: list[Any]) -> list[Any]:
        outputs, shape = flatten(f(*unflatten(template, xs)), "f's result")
        results[:] = paths(shape, "f")
        return outputs

    def second(xs: list[Any]) -> list[Any]:
        return [derivative for row in jacobian_reverse(first)(xs) for derivative in row]

    def numbers_of_first(xs: list[float]) -> list[float]:
        with no_grad():  # on Values, which have the methods that f may use
            return [*map(float, first([*map(Value, xs)]))]

    report = _compared(first, numbers_of_first, point, results, arguments, tolerance)
    if order == 2:
        firsts = [f"(d {result} / d {x})" for result in results for x in arguments]
        further = _compared(second, second, point, firsts, arguments, tolerance)
        report = Report(
            report.checked + further.checked,
            report.disagreements + further.disagreements,
            [],
            report.unrepeatable + further.unrepeatable,
        )
    if report.disagreements:
        report = report._replace(accusations=_accused(first, point, order, tolerance))
    return report


def _compared(
    f: Callable[[list[Any]], list[Any]],
    numbers: Callable[[list[float]], list[float]],
    point: list[float],
    results: Sequence[str],
    arguments: Sequence[str],
    tolerance: float,
) -> Report:
    """Compare every first derivative of f with differences of its numbers.

    `results` is filled by the first call of f.
    """
    reverse, again = jacobian_reverse(f)(point), jacobian_reverse(f)(point)
    forward = jacobian_forward(f)(point)
    disagreements, unrepeatable = [], []
    for i, argument in enumerate(arguments):
        found = difference(lambda x, i=i: numbers([*point[:i], x, *point[i + 1 :]]), point[i])  # type: ignore[misc]
        for k, result in enumerate(results):
            r, d, truth = reverse[k][i], forward[k][i], found[k]
            if repr(r) != repr(again[k][i]):
                unrepeatable.append(f"d {result} / d {argument}")
            if not truth.agrees(r, tolerance) or not truth.agrees(d, tolerance):
                disagreements.append(Disagreement(result, argument, r, d, truth))
    return Report(len(results) * len(arguments), disagreements, [], unrepeatable)


def _accused(
    f: Callable[[list[Any]], list[Any]], point: list[float], order: int, tolerance: float
) -> list[Accusation]:
    """Return the primitives in the graph of f whose own partials differences do not confirm."""
    xs = [*map(Value, point)]
    roots = [y for y in f(xs) if isinstance(y, Value)]
    if order == 2:
        roots += [g for y in roots for g in gradients(y, xs)]
    accusations: dict[tuple[str, int], Accusation] = {}
    for node in dict.fromkeys(node for root in roots for node in graph(root)):
        row = node.primitive
        operands = tuple(map(float, node.operands))
        for position, partial in enumerate(node.edges[len(operands) :]):
            if partial is None or (row.name, position) in accusations:
                continue
            [truth] = difference(_along(row, operands, position), operands[position])
            if truth.settled(tolerance) and not truth.agrees(partial, tolerance):
                accusation = Accusation(row, position, operands, partial, truth)
                accusations[row.name, position] = accusation
    return [*accusations.values()]


def _along(
    row: Primitive, operands: tuple[float, ...], position: int
) -> Callable[[float], list[float]]:
    """Return the primitive as a function of one operand, the others held."""
    return lambda x: [row.value(*operands[:position], x, *operands[position + 1 :])]


_OWN: set[str] = set()  # names of rows that users registered; a notebook's cell may run again


def primitive(
    name: str,
    value: Callable[..., Any],
    partials: Callable[..., Any] | Sequence[Callable[..., Any]],
    *,
    domain: Sequence[tuple[float, float]] | None = None,
    symbol: str = "",
    mathml: str = "",
    kinks: str = "",
) -> Primitive:
    """Register an operation of your own: it works in every mode, as the table's rows do.

    Args:
        name: what it is called, in graphs, Programs and errors. A name of yours may be registered
            again; one of the engine's may not.
        value: its function of floats, which returns a number. Written in autograd's functions and
            operators, it can also be inlined where a Program becomes Python source.
        partials: the derivative by each operand, a function `partial(z, *operands)` of the result
            and the operands, written in autograd's functions and operators; for one operand the
            function alone.
        domain: for each operand the interval in which the partials are checked, (0.5, 2.0) if not
            given.
        symbol: how a drawing shows it; the name if not given.
        mathml: its formula, `{0}`, `{1}` standing for operands.
        kinks: the partials chosen where the derivative does not exist, for the reader.

    Returns:
        The primitive: call it on floats or on any kind of number.

    Raises:
        TypeError: something is of the wrong kind, or there is not one partial for each operand.
        ValueError: differences, of first or second order, do not confirm the partials; the error
            is `gradcheck`'s report. Nothing is registered then.

    >>> from autograd import grad, log
    >>> xlogx = primitive("xlogx", lambda x: x * log(x), lambda z, x: 1.0 + log(x))
    >>> xlogx(1.0), grad(xlogx)(1.0), grad(grad(xlogx))(2.0)
    (0.0, 1.0, 0.5)
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"primitive(name): expected a name such as 'my_sine', got {shown(name)}")
    rules: list[Any] = [*partials] if isinstance(partials, list | tuple) else [partials]
    for given in (value, *rules):
        if not callable(given):
            raise TypeError(f"primitive({name!r}): expected functions, got {shown(given)}")
    count = len(rules)
    if not count or _arity(value) not in {None, count}:
        raise TypeError(
            f"primitive({name!r}): expected a partial for each operand of value, got {count}"
        )
    for rule in rules:
        if _arity(rule) not in {None, count + 1}:
            raise TypeError(
                f"primitive({name!r}): expected partials of the result and {count} operands, "
                f"partial(z, {', '.join('abcdefgh'[:count])}), got one of {_arity(rule)}"
            )
    intervals = [(0.5, 2.0)] * count if domain is None else domain
    if not isinstance(intervals, list | tuple) or len(intervals) != count:
        raise TypeError(
            f"primitive({name!r}): expected a list of {count} intervals as domain, such as "
            f"[(0.5, 2.0)], got {shown(domain)}"
        )
    before = TABLE.get(name)
    if name in _OWN:
        TABLE.pop(name, None)
    try:
        kind = Function if count == 1 else Primitive
        functions = [_of_numbers(name, function) for function in (value, *rules)]
        row = kind(name, *functions, domain=intervals, symbol=symbol, mathml=mathml, kinks=kinks)
        _check(row)
    except BaseException:
        TABLE.pop(name, None)
        if before is not None:
            TABLE[name] = before
        raise
    _OWN.add(name)
    return row


def _of_numbers(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with what it gives as a float or a `Scalar`.

    Raises:
        TypeError: on a call, if it gives something else.
    """

    @wraps(function)
    def number(*operands: Any) -> Any:
        x = function(*operands)
        if isinstance(x, Scalar) or type(x) is float:
            return x
        if not is_real(type(x)):
            raise TypeError(
                f"primitive {name!r}: expected numbers of its functions, got {shown(x)}"
            )
        return to_float(x)

    return number


def _arity(function: Callable[..., Any]) -> int | None:
    """Return how many arguments a function takes; None where it does not say, or takes any."""
    code = getattr(function, "__code__", None)
    return None if code is None or code.co_flags & _TAKES_ANY else code.co_argcount


def _check(row: Primitive) -> None:
    """Raise unless differences confirm the partials at points of the domain, in both orders."""
    rng = random.Random(row.name)
    defined = 0
    for _ in range(POINTS):
        point = [rng.uniform(*interval) for interval in row.domain]
        try:
            z = row.value(*point)
        except (ArithmeticError, ValueError) as error:
            raise ValueError(
                f"primitive({row.name!r}) at {point}: value raised {error}: give the domain, or "
                "write value in autograd's functions, which give inf and nan"
            ) from None
        if math.isfinite(z):
            defined += 1
            if not (report := gradcheck(row, *point, order=2)):
                raise ValueError(f"primitive({row.name!r}) at {point}: {report}")
    if not defined:
        raise ValueError(
            f"primitive({row.name!r}): value is finite nowhere in {row.domain}: give the domain"
        )
