"""Operations and their partials as formulas in MathML, for numbers or names to be put in.

In a formula `{0}`, `{1}` stand for operands and `{z}` for the result; `{0!}` is to be put in
parentheses if it has a sign.
"""

from __future__ import annotations

import re

from autograd.draw.graph import number
from autograd.primitives import TABLE
from autograd.tracer import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from autograd.primitives import Primitive

# How tightly an operation binds, and how tightly its operands must, to need no parentheses.
# Others bind as tightly as names, and put their operands between marks of their own.
_SUM, _PRODUCT, _POWER, _NAME = 1, 2, 3, 4
_BINDS: dict[str, tuple[int, tuple[int, ...]]] = {
    "add": (_SUM, (_SUM, _PRODUCT)),
    "sub": (_SUM, (_SUM, _PRODUCT)),
    "neg": (_SUM, (_PRODUCT,)),
    "mul": (_PRODUCT, (_PRODUCT, _PRODUCT)),
    "times": (_PRODUCT, (_PRODUCT, _PRODUCT)),
    "div": (_POWER, (0, 0)),
    "reciprocal": (_POWER, (0,)),
    "positive_reciprocal": (_POWER, (0,)),
    "pow": (_POWER, (_NAME, 0)),
    "square": (_POWER, (_NAME,)),
    "power_log": (_PRODUCT, (_NAME, 0)),
    "xlogy": (_PRODUCT, (_PRODUCT, _NAME)),
    "exp": (_POWER, (0,)),
    "exp2": (_POWER, (0,)),
    "gaussian": (_POWER, (_NAME,)),
    "exp_difference": (_POWER, (_SUM, _PRODUCT)),
    "one_minus_square": (_SUM, (_NAME,)),
    "lorentzian": (_POWER, (_NAME,)),
    "portion": (_POWER, (_SUM, _SUM)),
    "less": (_SUM, (_SUM, _SUM)),
    "less_equal": (_SUM, (_SUM, _SUM)),
    "equal": (_SUM, (_SUM, _SUM)),
    "not_equal": (_SUM, (_SUM, _SUM)),
    "truth": (_SUM, (_SUM,)),
}
_SAME = {"identity", "stop_gradient"}  # what they give is what they are given
_NEUTRAL = {"pow": 1.0, "add": 0.0}  # last operands that change nothing
_COMPARISONS = {"less", "less_equal", "equal", "not_equal"}
_LISTED = 4  # of more terms the first two and the last are written
_LONGEST = 12  # operations in a formula that a reader takes in


def formula(row: Primitive, count: int) -> str:
    """Return the formula of an operation of so many operands.

    >>> formula(TABLE["tanh"], 1)
    '<mrow><mi>tanh</mi><mo>&#x2061;</mo><mo>(</mo>{0}<mo>)</mo></mrow>'
    """
    names = [f"{{{i}}}" for i in range(count)]
    if row.name == "dot":
        half = count // 2
        pairs = zip(names[:half], names[half:-1], strict=True)
        terms = [_written(TABLE["mul"], [(w, _NAME), (x, _NAME)]) for w, x in pairs]
        return _sum([*terms, _guarded(names[-1])])
    if row.name == "sum":
        return _sum([names[0], *map(_guarded, names[1:])] if names else ["<mn>0</mn>"])
    return _written(row, [(name, _NAME) for name in names])


def partial_formulas(row: Primitive, operands: Sequence[float | None]) -> list[str]:
    """Return the formula of the partial by each operand; nothing where it is too long to be read.

    Args:
        row: the operation.
        operands: its operands, None for what is not constant.

    >>> partial_formulas(TABLE["pow"], [None, 2.0])
    ['<mrow><mn>2</mn><mo>×</mo>{0!}</mrow>', '']
    """
    if not row.partials:
        return [""] * len(operands)
    z = Tracer(None, ())
    given = [Tracer(None, ()) if x is None else x for x in operands]
    names = {x: f"{{{i}}}" for i, x in enumerate(given) if isinstance(x, Tracer)} | {z: "{z}"}
    partials = row.partials_at(z, given, [x is None for x in operands])
    return [
        _written_out(partial, names)[0]
        if x is None and _operations(partial, names) <= _LONGEST
        else ""
        for x, partial in zip(operands, partials, strict=True)
    ]


def _operations(x: Any, names: Mapping[Any, str]) -> int:
    """Count the operations in a formula, those used twice twice; no further than needed."""
    count, stack = 0, [x]
    while stack and count <= _LONGEST:
        x = stack.pop()
        if isinstance(x, Tracer) and x not in names:
            count += 1
            stack += x.operands
    return count


def _written_out(x: Any, names: Mapping[Any, str]) -> tuple[str, int]:
    """Return a number of a trace as a formula, and how tightly that binds."""
    if not isinstance(x, Tracer):
        text = f"<mn>{number(abs(x))}</mn>"
        signed = str(x).startswith("-")
        return (f"<mrow><mo>−</mo>{text}</mrow>", _SUM) if signed else (text, _NAME)
    if x in names:
        return names[x], _NAME
    row = x.primitive
    assert row  # a leaf has a name
    operands = [_written_out(operand, names) for operand in x.operands]
    first, last = x.operands[0], x.operands[-1]
    below = getattr(first, "primitive", None)
    if row.name in _SAME or (row.name == "truth" and below and below.name in _COMPARISONS):
        return operands[0]
    if row.name in _NEUTRAL and type(last) is float and last == _NEUTRAL[row.name]:
        return operands[0]
    if row.name == "add" and type(first) is float and first == 0.0:
        return operands[1]
    return _written(row, operands), _BINDS.get(row.name, (_NAME, ()))[0]


def _written(row: Primitive, operands: Sequence[tuple[str, int]]) -> str:
    """Return an operation applied to formulas, in parentheses where they bind less tightly."""
    _, needed = _BINDS.get(row.name, (_NAME, ()))
    texts = []
    for i, (text, binds) in enumerate(operands):
        least = needed[i] if i < len(needed) else 0
        loose = f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"
        texts.append(loose if binds < least else _guarded(text) if least > _SUM else text)
    places = {"*": _listed(texts, "<mo>,</mo>")} | {str(i): text for i, text in enumerate(texts)}
    return re.sub(r"\{(\*|[0-9]+)\}", lambda place: places[place[1]], row.mathml)


def _guarded(name: str) -> str:
    """Return the place of an operand as one that takes parentheses for a sign."""
    return f"{name[:-1]}!}}" if name.startswith("{") and name.endswith("}") else name


def _sum(terms: Sequence[str]) -> str:
    return f"<mrow>{_listed(terms, '<mo>+</mo>')}</mrow>"


def _listed(items: Sequence[str], between: str) -> str:
    if len(items) > _LISTED:
        items = [*items[:2], "<mo>⋯</mo>", *items[-1:]]
    return between.join(items)
