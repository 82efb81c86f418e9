"""Program: a graph written flat, as a list of numbered instructions (a Wengert list).

It runs on any kind of number, prints itself, and writes itself as Python source that needs nothing
of ours.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from keyword import iskeyword
from typing import NamedTuple

from autograd import ieee
from autograd.primitives import Scalar
from autograd.recorded import under_way
from autograd.structure import Array, flatten, nested, paths, unflatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from autograd.primitives import Primitive
    from autograd.value import Value

_INFIX = {"add": "+", "sub": "-", "mul": "*"}
_IEEE_NAMES = {id(function): name for name, function in vars(ieee).items() if callable(function)}


class Instruction(NamedTuple):
    """A primitive, and its operands: an int is the number of an earlier result, a float itself."""

    primitive: Primitive
    operands: tuple[int | float, ...]


class Program:
    """What a function computes, for any numbers: made by `trace`, called as the function.

    Results are numbered: first the inputs, then the parameters, then what each instruction gives.

    Attributes:
        parameters: the leaf `Value`s that the function captured, in the order of their first use.
        instructions: what is computed, operands before users.

    >>> from autograd import trace
    >>> program = trace(lambda xs: xs[0] * xs[1] - 1.0, [2.0, 3.0])
    >>> program([4.0, 5.0])
    19.0
    >>> program
    <Program of 2 inputs, 0 parameters, 2 instructions>
    """

    def __init__(
        self,
        names: Sequence[str],
        template: tuple[Any, ...],
        parameters: list[Value],
        instructions: list[Instruction],
        results: list[int | float],
        output_template: Any,
    ) -> None:
        self.parameters = parameters
        self.instructions = instructions
        self._names = names
        self._template = template
        self._results = results
        self._output_template = output_template

    def __call__(self, *args: Any) -> Any:
        """Run it on numbers of any kind, of the structure it was traced with.

        On floats it gives floats, by the parameters' data as they are now. On `Value`s, `Dual`s
        and `Tracer`s, and while a derivative is being taken, the parameters are the `Value`s.

        Raises:
            TypeError: the arguments are of another structure.
        """
        leaves, template = flatten(args, "args")
        if template != self._template:
            raise TypeError(
                f"this Program was traced for {self._signature(self._template)}, "
                f"got {self._signature(template)}: trace it again"
            )
        if under_way.get() or any(isinstance(x, Scalar) for x in leaves):
            return self._run([*leaves, *self.parameters], lambda row, xs: row.bind(xs))
        numbers = [parameter.data for parameter in self.parameters]
        return self._run([*leaves, *numbers], lambda row, xs: row.value(*xs))

    def _run(self, numbers: list[Any], apply: Callable[[Primitive, list[Any]], Any]) -> Any:
        for primitive, operands in self.instructions:
            numbers.append(
                apply(primitive, [numbers[x] if type(x) is int else x for x in operands])
            )
        results = [numbers[x] if type(x) is int else x for x in self._results]
        return unflatten(self._output_template, results)

    @staticmethod
    def _signature(template: tuple[Any, ...]) -> str:
        """Return a structure in words: a number is `.`, an array its shape."""

        def text(part: Any) -> str:
            if isinstance(part, int):
                return "."
            if isinstance(part, Array):
                return f"array{[*part.shape]}"
            if isinstance(part, dict):
                return "{" + ", ".join(f"{k!r}: {text(item)}" for k, item in part.items()) + "}"
            items = [*map(text, part)]
            if len(items) > 6 and {*items} == {"."}:
                items = [f"{len(items)} numbers"]
            left, right = "[]" if isinstance(part, list) else "()"
            return left + ", ".join(items) + right

        return text(template)

    def __repr__(self) -> str:
        inputs = sum(1 for _ in paths(self._template, ""))
        return (
            f"<Program of {inputs} inputs, {len(self.parameters)} parameters, "
            f"{len(self.instructions)} instructions>"
        )

    def __str__(self) -> str:
        lines = [f"v{i} = {path}" for i, path in enumerate(self._inputs())]
        for parameter in self.parameters:
            label = f"  # {parameter.label}" if parameter.label else ""
            lines.append(f"v{len(lines)} = parameter {parameter.data!r}{label}")
        for primitive, operands in self.instructions:
            lines.append(f"v{len(lines)} = {primitive.name} {' '.join(map(_operand, operands))}")
        return "\n".join([*lines, f"return {self._output()}"])

    def _inputs(self, names: Sequence[str] | None = None) -> Iterator[str]:
        """Yield each input as Python would write it, such as `x[0]`."""
        for name, template in zip(names or self._names, self._template, strict=True):
            yield from paths(template, name)

    def _output(self) -> str:
        """Return the result as Python would write it; arrays as lists."""

        def text(part: Any) -> str:
            if isinstance(part, int):
                return _operand(self._results[part])
            if isinstance(part, dict):
                return "{" + ", ".join(f"{k!r}: {text(item)}" for k, item in part.items()) + "}"
            if isinstance(part, Array):
                part = nested(part.shape, part.start)
                if isinstance(part, int):
                    return text(part)
            if isinstance(part, list):
                return "[" + ", ".join(map(text, part)) + "]"
            return "(" + ", ".join(map(text, part)) + (",)" if len(part) == 1 else ")")

        return text(self._output_template)

    def to_python(self) -> str:
        """Return Python source of a function `program` that computes the same to the last bit.

        The source needs the standard library alone: the IEEE functions it uses stand on top. It
        takes and gives floats, in lists where there were arrays; the parameters' data, as they are
        now, are the default of its last argument.

        Raises:
            TypeError: a primitive of the user's own is not written in the engine's operations.

        >>> from autograd import trace
        >>> print(trace(lambda x: 2.0 * x + 1.0, 0.0).to_python())
        def program(x):
            v0 = x
            v1 = 2.0 * v0
            v2 = v1 + 1.0
            return v2
        <BLANKLINE>
        """
        flat = self._inlined()
        data = [float(parameter.data) for parameter in self.parameters]
        used = [*data, *flat._results]  # noqa: SLF001  of the same class
        used += [x for _, operands in flat.instructions for x in operands]
        needed = {repr(abs(x)) for x in used} & {"inf", "nan"}
        lines: list[str] = []
        names: list[str] = []
        for name in self._names:
            while name in {*names, "parameters"} or not _is_free(name):
                name += "_"  # noqa: PLW2901  until nothing else has it
            names.append(name)
        for path in self._inputs(names):
            lines.append(f"v{len(lines)} = {path}")
        for i in range(len(self.parameters)):
            lines.append(f"v{len(lines)} = parameters[{i}]")
        for primitive, operands in flat.instructions:
            xs = [*map(_operand, operands)]
            if primitive.name in _INFIX:
                expression = f"{xs[0]} {_INFIX[primitive.name]} {xs[1]}"
            elif primitive.name == "neg":
                expression = f"-{xs[0]}"
            else:
                name = _IEEE_NAMES[id(primitive.value)]
                needed.add(name)
                expression = f"{name}({', '.join(xs)})"
            lines.append(f"v{len(lines)} = {expression}")
        output = flat._output()  # noqa: SLF001  of the same class
        arguments = [*names]
        if self.parameters:
            comma = "," * (len(data) == 1)
            arguments.append(f"parameters=({', '.join(map(repr, data))}{comma})")
        body = "".join(f"    {line}\n" for line in [*lines, f"return {output}"])
        return f"{_ieee_source(needed)}def program({', '.join(arguments)}):\n{body}"

    def _inlined(self) -> Program:
        """Return the same with primitives of the users' own written out in the engine's."""
        from autograd.tracer import trace  # noqa: PLC0415  a trace makes Programs

        if all(id(row.value) in _IEEE_NAMES for row, _ in self.instructions):
            return self

        def apply(row: Primitive, xs: list[Any]) -> Any:
            if id(row.value) in _IEEE_NAMES:
                return row.bind(xs)
            try:
                return row.value(*xs)
            except TypeError as error:
                raise TypeError(
                    f"to_python: the value of primitive {row.name!r} is not written in autograd's "
                    f"operations: {error}"
                ) from None

        def run(inputs: list[Any], parameters: list[Any]) -> Any:
            return self._run([*inputs, *parameters], apply)

        inputs = [0.0] * sum(1 for _ in self._inputs())
        return trace(run, inputs, [0.0] * len(self.parameters))


def _is_free(name: str) -> bool:
    """Whether the source may call an argument by this name."""
    return not (iskeyword(name) or hasattr(ieee, name) or (name[0] == "v" and name[1:].isdigit()))


def _operand(x: float) -> str:
    return f"v{x}" if type(x) is int else repr(x)


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
