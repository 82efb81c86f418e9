"""A Program as Python source: text that anyone can read and run, with nothing of ours."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from keyword import iskeyword

from autograd import ieee
from autograd.program import operand
from autograd.tracer import written_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd.program import Program

_INFIX = {"add": "+", "sub": "-", "mul": "*"}
_IEEE_NAMES = {id(function): name for name, function in vars(ieee).items() if callable(function)}


def python_source(program: Program) -> str:
    """Return source of a function `program`, as `Program.to_python` says."""
    program = written_out(program, "to_python")
    data = [float(parameter.data) for parameter in program.parameters]
    used = [*data, *program.results]
    used += [x for _, operands in program.instructions for x in operands]
    needed = {repr(abs(x)) for x in used} & {"inf", "nan"}
    lines: list[str] = []
    names: list[str] = []
    for name in program.names:
        while name in {*names, "parameters"} or not _is_free(name):
            name += "_"  # noqa: PLW2901  until nothing else has it
        names.append(name)
    for path in program.inputs(names):
        lines.append(f"v{len(lines)} = {path}")
    for i in range(len(program.parameters)):
        lines.append(f"v{len(lines)} = parameters[{i}]")
    for primitive, operands in program.instructions:
        xs = [*map(operand, operands)]
        if primitive.name in _INFIX:
            expression = f"{xs[0]} {_INFIX[primitive.name]} {xs[1]}"
        elif primitive.name == "neg":
            expression = f"-{xs[0]}"
        else:
            name = _IEEE_NAMES[id(primitive.value)]
            needed.add(name)
            expression = f"{name}({', '.join(xs)})"
        lines.append(f"v{len(lines)} = {expression}")
    output = program.result()
    arguments = [*names]
    if program.parameters:
        comma = "," * (len(data) == 1)
        arguments.append(f"parameters=({', '.join(map(repr, data))}{comma})")
    body = "".join(f"    {line}\n" for line in [*lines, f"return {output}"])
    return f"{_ieee_source(needed)}def program({', '.join(arguments)}):\n{body}"


def _is_free(name: str) -> bool:
    """Whether the source may call an argument by this name."""
    return not (iskeyword(name) or hasattr(ieee, name) or (name[0] == "v" and name[1:].isdigit()))


@cache
def _ieee_statements() -> tuple[str, dict[str, ast.stmt]]:
    """Return the source of `ieee`, and the statement that defines each of its names."""
    source = inspect.getsource(ieee)
    statements: dict[str, ast.stmt] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef):
            statements[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            for name in ast.walk(statement.targets[0]):
                if isinstance(name, ast.Name):
                    statements[name.id] = statement
    return source, statements


def _ieee_source(needed: Iterable[str]) -> str:
    """Return the source of these functions of `ieee`, and of all that they use, in their order."""
    source, statements = _ieee_statements()
    wanted: dict[ast.stmt, None] = {}
    waiting = [*needed]
    while waiting:
        statement = statements[waiting.pop()]
        if statement not in wanted:
            wanted[statement] = None
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            waiting += names & statements.keys()
    if not wanted:
        return ""
    parts = ["from __future__ import annotations\n\nimport math\n"]
    parts += [
        f"{ast.get_source_segment(source, statement)}\n"
        for statement in sorted(wanted, key=lambda s: s.lineno)
    ]
    return "\n\n".join(parts) + "\n\n"
