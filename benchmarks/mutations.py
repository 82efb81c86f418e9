"""The mutants of a module: its source with one operator, number or word replaced.

The replacements are those of cosmic-ray, within groups.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINE = Path(__file__).parents[1] / "autograd"

# What replaces what: across these groups a mutant raises at once, and would only swell the score.
GROUPS = [
    "Add Sub Mul Div",
    "Div FloorDiv Mod",
    "Mul Pow",
    "BitOr BitAnd BitXor",
    "Eq NotEq Lt LtE Gt GtE",
    "Is IsNot",
]
OPPOSITE = {ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
UNSEEN = {"TYPE_CHECKING", "_REALS", "_TAILS", "_WIDE", "_POSITIVE"}


class Mutant(NamedTuple):
    """A changed source of a module: the name it changes what is called, and the line."""

    module: str
    source: str
    subject: str
    line: int
    before: str
    after: str


class Essence(ast.NodeTransformer):  # its methods are named and called as ast says
    """Takes away what has no behaviour: annotations, and the intervals that tests sample."""

    def visit_arg(self, node: ast.arg) -> ast.arg:  # noqa: D102
        return ast.arg(node.arg)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:  # noqa: D102
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]  # `/` is no multiplication
        node.defaults += [default for default in node.kw_defaults if default]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: D102
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:  # noqa: D102
        return ast.Assign([node.target], self.visit(node.value)) if node.value else None

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:  # noqa: D102
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        return None if names & UNSEEN else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:  # noqa: D102
        names = {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
        return None if names & UNSEEN else self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:  # noqa: D102
        return None if node.arg == "domain" else self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:  # noqa: D102
        left = node.left
        if (
            isinstance(left, ast.Call)
            and isinstance(left.func, ast.Name)
            and left.func.id == "type"
        ):
            same = {ast.Eq: ast.Is(), ast.NotEq: ast.IsNot()}  # types are equal if they are one
            node.ops = [same.get(type(op), op) for op in node.ops]
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:  # noqa: D102
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), operand)):
                return operand
            case ast.UnaryOp(ast.Not(), ast.Compare(left, [op], right)) if type(op) in OPPOSITE:
                return ast.Compare(left, [OPPOSITE[type(op)]()], right)
        return node


def essence(source: str) -> str:
    """Return what of a source can change what it does."""
    return ast.dump(Essence().visit(ast.parse(source)))


def replacements() -> dict[str, Any]:
    """The operators of cosmic-ray by name, without those that replace across the groups."""

    def stays(name: str) -> bool:
        pair = {*name.split("_")[1:]}
        return len(pair) < 2 or "Delete" in pair or any(pair <= {*g.split()} for g in GROUPS)

    provider = OperatorProvider()
    names = [n for n in provider if stays(n) and not n.startswith("Variable")]
    for identity, equality in (("Is", "Eq"), ("IsNot", "NotEq")):
        names.append(f"ReplaceComparisonOperator_{identity}_{equality}")
    return {name: provider[name]() for name in names}


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module that differs in more than its looks, each once."""
    source = path_of(module).read_text("utf-8")
    operators = replacements()
    start = 0
    for part in _parts(get_ast(source)):
        old = part.get_code()
        before, after = source[:start], source[start + len(old) :]
        start += len(old)
        subject = next(iter(re.findall(r"(?m)^(?:def |class )?(\w+)", old)), "")
        for line, new in _changed(old, operators):
            yield Mutant(
                module,
                before + new + after,
                subject,
                before.count("\n") + line,
                _words(old.splitlines()[line - 1]),
                _words([*new.splitlines(), ""][line - 1]),
            )


def _parts(node: Any) -> Iterator[Any]:
    """Yield the statements of a module, and of its classes each: small ones are read sooner."""
    for child in node.children:
        if node.type == "classdef" or child.type in {"suite", "classdef"}:
            yield from [child] if not hasattr(child, "children") else _parts(child)
        else:
            yield child


def _changed(statement: str, operators: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the statement with one thing replaced, and the line it stands in."""
    head = "class _:\n" if statement.lstrip("\n").startswith(" ") else ""
    statement = head + statement
    try:
        seen = {essence(statement)}
    except SyntaxError:  # a word from the head of a class
        return
    count: Counter[str] = Counter()
    for node in ast_nodes(get_ast(statement)):
        for name, operator in operators.items():
            for (line, _), _ in operator.mutation_positions(node):
                changed = mutate_code(statement, operator, count[name])
                count[name] += 1
                try:
                    core = essence(changed)
                    compile(changed, "", "exec")
                except SyntaxError:
                    continue
                if core not in seen:
                    seen.add(core)
                    yield line - len(head.splitlines()), changed[len(head) :]


def _words(line: str) -> str:
    return " ".join(line.split())


def path_of(module: str) -> Path:
    """Where the source of a module of the engine is."""
    return ENGINE / f"{module}.py"
