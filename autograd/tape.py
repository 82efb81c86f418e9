"""The tape as a table: primals forward, cotangents backward, each as a formula and its numbers."""

from __future__ import annotations

from html import escape
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from autograd.backward import backward_steps, cotangents, graph
from autograd.draw.text import printable
from autograd.primitives import TABLE
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    Item = TypeVar("Item")

_SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in r"\`*_[]<>|~&$"})
_BETWEEN = {"add", "sub", "mul", "times", "div", "pow"}  # written between their operands
# on every cell, for notebooks align cells to the right
_LEFT = ' style="text-align: left; white-space: nowrap; padding: 0.15em 1em 0.15em 0"'
_LEFT_OUT = "…"
_SIDES = ("formula", "in numbers", "value")  # of an equation
_LONGEST_LABEL = 40
_LONGEST_LIST = 4  # of more items the first two and the last are written


class Primal(NamedTuple):
    """One line of the forward trace: a variable, how it was computed, and its number.

    Attributes:
        name: the variable.
        label: the label of its Value.
        operation: the name of the primitive; empty for an input.
        operands: the variables and constants that it was applied to.
        numbers: as many numbers.
        value: the result.
    """

    name: str
    label: str
    operation: str
    operands: tuple[str | float, ...]
    numbers: tuple[float, ...]
    value: float

    @property
    def formula(self) -> str:
        """How it was computed, in variables."""
        return self._applied_to(self.operands)

    @property
    def calculation(self) -> str:
        """How it was computed, in numbers."""
        return self._applied_to(self.numbers)

    def _applied_to(self, operands: Sequence[str | float]) -> str:
        if not self.operation:
            return ""
        if self.operation == "dot":  # from the bias on, as it is added; no bias is a bias of 0.0
            half = len(operands) // 2
            terms: list[Sequence[str | float]]
            terms = [*zip(operands[:half], operands[half:-1], strict=True)]
            if self.operands[-1] != 0.0 or not terms:
                terms = [operands[-1:], *terms]
            return _chain("+", _listed(terms, lambda term: _chain("×", [*map(_written, term)])))
        written = _listed(operands, _written)
        if self.operation == "neg":
            return f"−{_guarded(written[0])}"
        if self.operation in _BETWEEN:
            if self.operation == "pow":
                written[0] = _guarded(written[0])
            return _chain(TABLE[self.operation].symbol, written)
        return f"{self.operation}({', '.join(written)})"


class Use(NamedTuple):
    """One use of a variable as an operand, and what the sweep sent back along that edge.

    Attributes:
        user: the variable computed from it.
        cotangent: the user's cotangent; None where nothing flows to the user.
        partial: d user / d operand; None where the user did not select the operand.
        contribution: cotangent x partial; None where nothing flows along the edge.
    """

    user: str
    cotangent: float | None
    partial: float | None
    contribution: float | None


class Cotangent(NamedTuple):
    """One line of the reverse trace: d output / d variable as the sum over its uses.

    Attributes:
        name: the variable.
        label: the label of its Value.
        uses: every use, in the order of the sweep; those along which nothing flows come last.
        value: the cotangent; 0.0 where nothing flows.
    """

    name: str
    label: str
    uses: tuple[Use, ...]
    value: float

    @property
    def formula(self) -> str:
        """The sum of contributions, in variables."""
        return self._sum(lambda use: (_barred(use.user), f"∂{use.user}/∂{self.name}"))

    @property
    def calculation(self) -> str:
        """The sum of contributions, in numbers."""
        return self._sum(lambda use: (_number(use.cotangent), _number(use.partial)))

    @property
    def note(self) -> str:
        """Along which uses nothing flows, and why."""
        still = [use for use in self.uses if use.contribution is None]
        causes = {
            "not selected by": [use.user for use in still if use.partial is None],
            "nothing flows to": [use.user for use in still if use.partial is not None],
        }
        return "; ".join(
            f"{cause} {', '.join(_listed([*dict.fromkeys(users)], str))}"
            for cause, users in causes.items()
            if users
        )

    def _sum(self, factors: Callable[[Any], Sequence[str]]) -> str:
        flowing = [use for use in self.uses if use.contribution is not None]
        return _chain("+", _listed(flowing, lambda use: _chain("×", factors(use))))


class Tape(NamedTuple):
    """The trace of a computation, forward and back; it shows itself as text and in a notebook.

    Attributes:
        primals: the lines of the forward trace: inputs first, the output last.
        cotangents: the lines of the reverse trace, in the order of the sweep: the output first,
            inputs last.
        total: how many lines either trace has, those left out included.
    """

    primals: tuple[Primal, ...]
    cotangents: tuple[Cotangent, ...]
    total: int

    def __repr__(self) -> str:
        return "\n\n".join(map(_text, self._tables()))

    def markdown(self) -> str:
        """Return both traces as Markdown tables."""
        return "\n\n".join(map(_markdown, self._tables()))

    def html(self) -> str:
        """Return both traces as HTML tables, in the colours of the page around them."""
        return "\n".join(map(_html, self._tables()))

    def _repr_html_(self) -> str:
        return self.html()

    def _tables(self) -> Iterator[_Table]:
        lines, output = len(self.primals), self.primals[-1].name
        left = self.total - lines
        omission = f"{_LEFT_OUT} {left:,} of {self.total:,} lines are left out" if left else ""
        yield _Table(
            "Forward primal trace: inputs, then each variable after its operands",
            ("label", "variable", *_SIDES),
            [
                (_short(p.label), p.name, p.formula, p.calculation, _number(p.value))
                for p in self.primals
            ],
            omission,
            lines // 2,
        )
        yield _Table(
            f"Reverse cotangent trace: v̄ = ∂{output}/∂v, the sum of ū × ∂u/∂v over the uses u of v",
            ("label", "cotangent", *_SIDES, "nothing flows"),
            [
                (
                    _short(c.label),
                    _barred(c.name),
                    c.formula,
                    c.calculation,
                    _number(c.value),
                    c.note,
                )
                for c in self.cotangents
            ],
            omission,
            lines - lines // 2,
        )


def explain(value: Any, limit: int = 60) -> Tape:
    """Write down how `value` was computed and how its gradient comes about, line by line.

    Forward, v = primitive(operands): inputs are numbered up to v₀, what was computed from them is
    v₁, v₂ and so on. Backward, the cotangent v̄ = d value / d v is the sum of ū x d u / d v over the
    uses u of v. The numbers are those of `backward()`, whether or not it has run; `.grad` is
    neither read nor changed.

    Args:
        value: the output, a `Value`.
        limit: how many lines of each trace to write down; of a longer one these are its head and
            its tail, and between them stands how many are left out.

    Returns:
        A tape that prints as text and shows itself in a notebook; `.markdown()` and `.html()` give
        it as tables, `.primals` and `.cotangents` as plain data.

    Raises:
        TypeError: `value` is not a `Value`.
        ValueError: `limit` is less than 1.

    Source: Baydin, Pearlmutter, Radul, Siskind, "Automatic Differentiation in Machine Learning: a
    Survey", JMLR 18 (2018), tables 2 and 3.

    >>> from autograd import explain
    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> explain(a * b + a)
    Forward primal trace: inputs, then each variable after its operands
    a  v₋₁                          = 2
    b  v₀                           = -3
       v₁   = v₋₁ × v₀  = 2 × (-3)  = -6
       v₂   = v₁ + v₋₁  = -6 + 2    = -4
    <BLANKLINE>
    Reverse cotangent trace: v̄ = ∂v₂/∂v, the sum of ū × ∂u/∂v over the uses u of v
       v̄₂                                                        = 1
       v̄₁   = v̄₂ × ∂v₂/∂v₁                   = 1 × 1             = 1
    b  v̄₀   = v̄₁ × ∂v₁/∂v₀                   = 1 × 2             = 2
    a  v̄₋₁  = v̄₂ × ∂v₂/∂v₋₁ + v̄₁ × ∂v₁/∂v₋₁  = 1 × 1 + 1 × (-3)  = -2
    """
    if not isinstance(value, Value):
        advice = ": call the model on a sample and explain the result" if callable(value) else ""
        raise TypeError(f"explain(value): expected a Value, got {type(value).__name__}{advice}")
    if limit < 1:
        raise ValueError(f"explain(value, limit): expected a limit of at least 1, got {limit}")
    values = graph(value)
    inputs = [v for v in values if not v.edges]
    computed = [v for v in values if v.edges]
    index = {v: i for i, v in enumerate([*inputs, *computed], 1 - len(inputs))}

    def name(v: Value) -> str:
        return f"v{index[v]}".translate(_SUBSCRIPTS)

    totals = cotangents(value)
    swept = [v for v in reversed(totals) if v.edges]
    still = [v for v in computed if v not in totals]
    backward = [*swept, *reversed([*inputs, *still])]

    half = limit // 2
    uses: dict[Value, list[Use]] = {v: [] for v in _ends(backward, limit - half, half)}
    for step in backward_steps(value):
        for operand, partial, contribution, _ in step.contributions:
            if operand in uses:
                use = Use(name(step.node), step.cotangent, partial, contribution)
                uses[operand].append(use)
    for user in reversed(computed):
        operands, reached = user.operands, totals.get(user)
        for operand, partial in zip(operands, user.edges[len(operands) :], strict=True):
            if type(operand) is float or operand not in uses:
                continue
            if partial is None or reached is None:
                uses[operand].append(Use(name(user), reached, partial, None))
    return Tape(
        tuple(
            Primal(
                name(v),
                v.label,
                v.primitive.name if v.primitive else "",
                tuple(x if type(x) is float else name(x) for x in v.operands),
                tuple(x if type(x) is float else x.data for x in v.operands),
                v.data,
            )
            for v in _ends([*index], half, limit - half)
        ),
        tuple(Cotangent(name(v), v.label, tuple(uses[v]), totals.get(v, 0.0)) for v in uses),
        len(index),
    )


def _ends(items: list[Item], head: int, tail: int) -> list[Item]:
    """Return so many items from either end, or all if they are no more."""
    return items if len(items) <= head + tail else items[:head] + items[len(items) - tail :]


def _number(x: float) -> str:
    """Print a number with up to six significant digits, inf and nan as such."""
    mantissa, e, exponent = f"{x:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def _written(operand: str | float) -> str:
    return operand if isinstance(operand, str) else _number(operand)


def _barred(name: str) -> str:
    return name.replace("v", "v\N{COMBINING MACRON}")


def _short(label: str) -> str:
    text = printable(label)
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}{_LEFT_OUT}"


def _listed(items: Sequence[Item], written: Callable[[Item], str]) -> list[str]:
    """Write each item, the middle ones of many as one ellipsis."""
    if len(items) <= _LONGEST_LIST:
        return [*map(written, items)]
    return [written(items[0]), written(items[1]), _LEFT_OUT, written(items[-1])]


def _chain(sign: str, texts: Sequence[str]) -> str:
    """Join with a sign between, negative ones in parentheses but for the first."""
    first, *more = texts or [""]
    return f" {sign} ".join([first, *map(_guarded, more)])


def _guarded(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


class _Table(NamedTuple):
    """One trace, written cell by cell; after `gap` rows stands what is left out."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    omission: str
    gap: int

    def filled(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Return the columns in which something stands, each with its heading."""
        columns = zip(*self.rows, strict=True)
        return ((h, c) for h, c in zip(self.header, columns, strict=True) if any(c))

    def lines(self, rows: Iterable[str], omission: str) -> list[str]:
        """Return the rows, and where some are left out the line that says so."""
        lines = [*rows]
        return [*lines[: self.gap], omission, *lines[self.gap :]] if self.omission else lines


def _text(table: _Table) -> str:
    columns = []
    for heading, cells in table.filled():
        column = [f"= {c}" if c and heading in _SIDES else c for c in cells]
        width = max(map(_width, column))
        columns.append([c + " " * (width - _width(c)) for c in column])
    rows = ("  ".join(row).rstrip() for row in zip(*columns, strict=True))
    return "\n".join([table.title, *table.lines(rows, table.omission)])


def _width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)


def _markdown(table: _Table) -> str:
    headings, columns = zip(*table.filled(), strict=True)
    rows = (_bars(c.translate(_ESCAPES) for c in row) for row in zip(*columns, strict=True))
    omission = _bars([table.omission, *[""] * (len(headings) - 1)])
    head = [_bars(headings), _bars(["---"] * len(headings))]
    return "\n".join([table.title, "", *head, *table.lines(rows, omission)])


def _bars(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _html(table: _Table) -> str:
    headings, columns = zip(*table.filled(), strict=True)
    omission = f'<tr><td colspan="{len(headings)}"{_LEFT}>{table.omission}</td></tr>'
    rows = (_tags("td", row) for row in zip(*columns, strict=True))
    caption = f"<caption{_LEFT}><b>{table.title}</b></caption>"
    body = table.lines(rows, omission)
    return "\n".join(["<table>", caption, _tags("th", headings), *body, "</table>"])


def _tags(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}{_LEFT}>{escape(c)}</{tag}>' for c in cells)}</tr>"
