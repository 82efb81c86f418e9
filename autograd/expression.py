"""An expression as text: `evaluate` computes what its syntax tree says, and runs nothing else."""

from __future__ import annotations

import ast
import warnings
from difflib import get_close_matches

import autograd
from autograd.primitives import (
    TABLE,
    Primitive,
    add,
    div,
    dot,
    equal,
    less,
    less_equal,
    log_softmax,
    mul,
    neg,
    not_equal,
    pow,
    softmax,
    sub,
    to_float,
)
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Number = float | Value

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: row for name, row in TABLE.items() if name in autograd.__all__},
    "softmax": softmax,
    "log_softmax": log_softmax,
}
_METHODS = [name for name in FUNCTIONS if hasattr(Value, name)]
_OPERATORS: dict[type[ast.AST], Callable[[Number, Number], Number]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.Div: div,
    ast.Pow: pow,
    ast.Lt: less,
    ast.LtE: less_equal,
    ast.Gt: lambda a, b: less(b, a),
    ast.GtE: lambda a, b: less_equal(b, a),
    ast.Eq: equal,
    ast.NotEq: not_equal,
}
_ADVICE: dict[type, str] = {
    ast.And: "a condition is a number: multiply two, as in (a > 0) * (b > 0)",
    ast.Attribute: "after a dot comes a function that is called, as in a.tanh()",
    ast.BitXor: "a power is a ** b",
    ast.Compare: "compare two numbers, by one of < <= > >= == !=",
    ast.IfExp: "a choice is where(condition, a, b)",
    ast.MatMult: "a product of lists is dot([a, b], [c, d])",
    ast.Subscript: "an item of a list is chosen by a whole number, as in softmax([a, b])[0]",
}
_LANGUAGE = (
    "use numbers, names, + - * / **, comparisons, functions such as tanh(x), and lists for these"
)
_LISTS = {"ws", "xs"}  # operands of these names are lists
_LONGEST_TEXT = 2_000
_LONGEST_LIST = 100
_DEEPEST = 100
_LONGEST_QUOTE = 40
_TOO_DEEP = (
    f"the expression is nested more than {_DEEPEST} deep: "
    "name parts of it, as in d = a*b; tanh(d), and add up with sum([a, b])"
)


def evaluate(text: str, names: Mapping[str, Value]) -> Value:
    """Compute an expression of named Values, and record its graph.

    It may use numbers, the names, `+ - * / **` and parentheses, comparisons (1 if true, else 0),
    the package's functions of numbers and lists, as methods too, and items of lists. Results can be
    named on the way: `d = a*b; tanh(d)`; the name becomes the label. Numbers are floats at once.

    Args:
        text: the expression; statements are separated by `;` or line ends.
        names: what its names stand for.

    Returns:
        The value of the last statement.

    Raises:
        ValueError: the text is no such expression; in one line, with the place.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> evaluate("d = a*b; tanh(d + 7)", {"a": a, "b": b})
    Value(data=0.7615941559557649, grad=0.0)
    """
    text = text.strip()
    return _Reader(text, names).result(_parsed(text).body)


def names_in(text: str) -> set[str]:
    """Return all names in an expression, those of functions too.

    >>> sorted(names_in("tanh(a * b)"))
    ['a', 'b', 'tanh']

    Raises:
        ValueError: as `evaluate`, where the text cannot be parsed.
    """
    tree = _parsed(text.strip())
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


class _Reader:
    """The text, and what its names stand for so far."""

    def __init__(self, text: str, names: Mapping[str, Value]) -> None:
        self.text = text
        self.names: dict[str, Number | list[Number]] = {**names}
        for name in names:
            if name in FUNCTIONS:
                raise ValueError(f"{name} is a function: give the number another name")

    def result(self, statements: Sequence[ast.stmt]) -> Value:
        """Carry out the statements, of which all but the last name their results."""
        for statement in statements:
            last = statement is statements[-1]
            match statement:
                case ast.Expr(value=node) if last:
                    pass
                case ast.Expr(value=node):
                    raise self.refused(node, "nothing uses this: name it, as in d = a*b; tanh(d)")
                case ast.Assign(targets=[ast.Name() as target], value=node):
                    self.assign(target, node)
                    if last:
                        node = target
                case _:
                    raise self.refused(statement)
        result = self.number(node)
        if isinstance(result, Value):
            return result
        raise self.refused(
            node,
            f"the result is the constant {result:g}, which has no gradient: "
            "use names, and mind that a comparison is a constant",
        )

    def assign(self, target: ast.Name, node: ast.expr) -> None:
        """Name a result, and label what was computed for it."""
        name = target.id
        if name in self.names or name in FUNCTIONS:
            raise self.refused(target, "this name is taken: choose another")
        found = self.names[name] = self.read(node)
        if isinstance(found, list):
            labelled = [(f"{name}[{i}]", item) for i, item in enumerate(found)]
        else:
            labelled = [(name, found)]
        for label, item in labelled:
            if isinstance(item, Value) and item.primitive and not item.label:
                item.label = label

    def number(self, node: ast.expr) -> Number:
        """Return what an expression comes to, which must be a number."""
        found = self.read(node)
        if isinstance(found, list):
            raise self.refused(
                node, "expected a number, got a list: choose an item, as in softmax([a, b])[0]"
            )
        return found

    def numbers(self, node: ast.expr) -> list[Number]:
        """Return what an expression comes to, which must be a list."""
        found = self.read(node)
        if not isinstance(found, list):
            raise self.refused(node, "expected a list of numbers, such as [a, b]")
        return found

    def read(self, node: ast.expr) -> Number | list[Number]:
        """Return what an expression comes to."""
        match node:
            case ast.Constant(value=int() | float() as x) if type(x) is not bool:
                return to_float(x)
            case ast.Name():
                return self.named(node)
            case ast.UnaryOp(op=ast.USub(), operand=x):
                negative: Number = neg(self.number(x))
                return negative
            case ast.UnaryOp(op=ast.UAdd(), operand=x):
                return self.number(x)
            case (
                ast.BinOp(left=a, op=op, right=b) | ast.Compare(left=a, ops=[op], comparators=[b])
            ) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](self.number(a), self.number(b))
            case ast.List(elts=items) | ast.Tuple(elts=items):
                if len(items) > _LONGEST_LIST:
                    raise self.refused(node, f"expected at most {_LONGEST_LIST} numbers in a list")
                return [self.number(item) for item in items]
            case ast.Subscript(value=xs, slice=index):
                return self.item(node, xs, index)
            case ast.Call(args=arguments, keywords=named) if named or ast.Starred in map(
                type, arguments
            ):
                raise self.refused(node, "arguments stand one by one, without names and stars")
            case ast.Call(func=ast.Name() as function, args=arguments):
                if function.id not in FUNCTIONS:
                    raise self.unknown_function(function)
                return self.apply(node, function.id, arguments)
            case ast.Call(func=ast.Attribute(value=ast.Name() as x)) if x.id not in self.names:
                raise self.refused(
                    x, f"{self.unknown(x)}; functions stand without a module, as in tanh(x)"
                )
            case ast.Call(func=ast.Attribute(value=x, attr=name), args=arguments):
                if name not in _METHODS:
                    advice = _guess(name, _METHODS, "use one such as a.tanh()")
                    raise self.refused(node, f"numbers have no method {quoted(name)}: {advice}")
                return self.apply(node, name, [x, *arguments])
            case ast.Call(func=function):
                raise self.refused(function, "no function: write * to multiply")
        raise self.refused(node)

    def named(self, node: ast.Name) -> Number | list[Number]:
        """Return what a name stands for."""
        if node.id in self.names:
            return self.names[node.id]
        if node.id in FUNCTIONS:
            raise self.refused(node, f"a function: call it, as in {_signature(node.id)}")
        raise self.refused(node, self.unknown(node))

    def unknown(self, node: ast.Name) -> str:
        """Say that a name is unknown, and what to do."""
        advice = _guess(node.id, self.names, f"give its value, as in {_short(node.id)}=2")
        return f"unknown name: {advice}"

    def unknown_function(self, node: ast.Name) -> ValueError:
        """Return the error for a call of what is no function."""
        if node.id in self.names:
            return self.refused(node, "a number, no function: write * to multiply")
        advice = _guess(node.id, FUNCTIONS, "use one of autograd, such as tanh(x)")
        return self.refused(node, f"unknown function: {advice}")

    def item(self, node: ast.Subscript, xs: ast.expr, index: ast.expr) -> Number:
        """Return one item of a list."""
        match index:
            case ast.Constant(value=int() as i) if type(i) is not bool:
                pass
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as i)):
                i = -i
            case _:
                raise self.refused(node)
        items = self.numbers(xs)
        if not -len(items) <= i < len(items):
            raise self.refused(node, f"there are {len(items)} items: the first is [0]")
        return items[i]

    def apply(
        self, node: ast.expr, name: str, arguments: Sequence[ast.expr]
    ) -> Number | list[Number]:
        """Apply a function of the package."""
        operands, least = _operands(name)
        if not least <= len(arguments) <= len(operands):
            raise self.refused(
                node, f"expected the operands of {_signature(name)}, got {len(arguments)}"
            )
        given = [
            self.numbers(argument) if operand in _LISTS else self.number(argument)
            for operand, argument in zip(operands, arguments, strict=False)
        ]
        try:
            found: Number | list[Number] = FUNCTIONS[name](*given)
        except ValueError as error:  # of lists that are empty, or not of one length
            raise self.refused(node, str(error)) from None
        return found

    def refused(self, node: ast.expr | ast.stmt, reason: str = "") -> ValueError:
        """Return the error that quotes a part of the text, with its place and the reason."""
        line = self.text.encode().splitlines()[node.lineno - 1]
        column = len(line[: node.col_offset].decode()) + 1
        end = node.end_col_offset if node.end_lineno == node.lineno else None
        quote = quoted(line[node.col_offset : end].decode())
        if not reason:
            kind = type(_named_by(node))
            reason = f"{kind.__name__} is refused: {_ADVICE.get(kind, _LANGUAGE)}"
        return ValueError(f"{_place(self.text, node.lineno, column)}, {quote}: {reason}")


def _named_by(node: ast.AST) -> object:
    """Return what the type of a refused part is named after: an operator, or a constant's value."""
    match node:
        case ast.BinOp(op=named) | ast.BoolOp(op=named) | ast.UnaryOp(op=named):
            return named
        case ast.Constant(value=named):
            return named
    return node


def _operands(name: str) -> tuple[tuple[str, ...], int]:
    """Return what a function's operands are called, and how many it needs at least."""
    function = FUNCTIONS[name]
    if function is dot:
        return dot.operand_names, 2
    if not isinstance(function, Primitive):
        return ("xs",), 1
    return function.operand_names, len(function.operand_names) - len(function.defaults)


def _signature(name: str) -> str:
    return f"{name}({', '.join(_operands(name)[0])})"


def _place(text: str, line: int, column: int) -> str:
    return f"line {line}, column {column}" if "\n" in text else f"column {column}"


def _guess(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the advice to use the known name that is most like this one, if any is."""
    close = get_close_matches(name, known, 2)
    return f"did you mean {' or '.join(close)}?" if close else otherwise


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


def quoted(text: str) -> str:
    """Quote what was given, shortened, for an error's one line."""
    return repr(_short(text))


def _parsed(text: str) -> ast.Module:
    """Return the syntax tree of a text that is neither too long nor nested too deeply."""
    if len(text) > _LONGEST_TEXT:
        raise ValueError(
            f"expected an expression of at most {_LONGEST_TEXT:,} characters, got {len(text):,}"
        )
    try:
        with warnings.catch_warnings():  # of what is refused anyway
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        place = _place(text, error.lineno or 1, error.offset or 1)
        raise ValueError(f"{place}: {error.msg}") from None
    except ValueError:
        raise ValueError("the expression holds a character that is no text") from None
    except (RecursionError, MemoryError):  # limits of Python's parser
        raise ValueError(_TOO_DEEP) from None
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ValueError(_TOO_DEEP)
    if not tree.body:
        raise ValueError("the expression is empty: give one, such as a*b + c")
    return tree
