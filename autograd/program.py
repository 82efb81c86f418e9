"""Program: a graph written flat, as a list of numbered instructions (a Wengert list).

It runs on any kind of number, prints itself, and writes itself as Python source that needs nothing
of ours.
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.modes import under_way
from autograd.primitives import Scalar
from autograd.structure import flatten_like, paths, unflatten, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from autograd.primitives import Primitive
    from autograd.value import Value


class Instruction(NamedTuple):
    """A primitive, and its operands: an int is the number of an earlier result, a float itself."""

    primitive: Primitive
    operands: tuple[int | float, ...]


class Program:
    """What a function computes, for any numbers: made by `trace`, called as the function.

    Results are numbered: first the inputs, then the parameters, then what each instruction gives.

    Attributes:
        parameters: the leaf `Value`s that the function captured, in the order of their first use.
        instructions: what is computed, operands before users. Operands of `dot` are its weights,
            its inputs and its bias.
        results: what it returns, each the number of a result or a float.
        template, output_template: the structures of the arguments and of what it returns.
        names: what the arguments are called.

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
        self.names = names
        self.template = template
        self.results = results
        self.output_template = output_template

    def __call__(self, *args: Any) -> Any:
        """Run it on numbers of any kind, of the structure it was traced with.

        On floats it gives floats, by the parameters' data as they are now. On `Value`s, `Dual`s
        and `Tracer`s, and while a derivative is being taken, the parameters are the `Value`s.

        Raises:
            TypeError: the arguments are of another structure.
        """
        leaves = flatten_like(self.template, args, "args", advice=": trace it again")
        if under_way() or any(isinstance(x, Scalar) for x in leaves):
            return self.run([*leaves, *self.parameters], lambda row, xs: row.bind(xs))
        numbers = [parameter.data for parameter in self.parameters]
        return self.run([*leaves, *numbers], lambda row, xs: row.value(*xs))

    def run(self, numbers: list[Any], apply: Callable[[Primitive, list[Any]], Any]) -> Any:
        """Return the results, from the inputs and parameters, by a way to apply a primitive."""
        return unflatten(self.output_template, self.numbers(numbers, apply))

    def numbers(
        self, numbers: list[Any], apply: Callable[[Primitive, list[Any]], Any]
    ) -> list[Any]:
        """Return the numbers of the results, as `run`, without their structure."""
        for primitive, operands in self.instructions:
            numbers.append(
                apply(primitive, [numbers[x] if type(x) is int else x for x in operands])
            )
        return [numbers[x] if type(x) is int else x for x in self.results]

    def __repr__(self) -> str:
        inputs = sum(1 for _ in paths(self.template, ""))
        return (
            f"<Program of {inputs} inputs, {len(self.parameters)} parameters, "
            f"{len(self.instructions)} instructions>"
        )

    def __str__(self) -> str:
        lines = [f"v{i} = {path}" for i, path in enumerate(self.inputs())]
        for parameter in self.parameters:
            label = f"  # {parameter.label}" if parameter.label else ""
            lines.append(f"v{len(lines)} = parameter {parameter.data!r}{label}")
        for primitive, operands in self.instructions:
            lines.append(f"v{len(lines)} = {primitive.name} {' '.join(map(operand, operands))}")
        return "\n".join([*lines, f"return {self.result()}"])

    def inputs(self, names: Sequence[str] | None = None) -> Iterator[str]:
        """Yield each input as Python would write it, such as `x[0]`."""
        for name, template in zip(names or self.names, self.template, strict=True):
            yield from paths(template, name)

    def result(self) -> str:
        """Return the result as Python would write it; arrays as lists."""
        return written(self.output_template, lambda position: operand(self.results[position]))

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
        from autograd.source import python_source  # noqa: PLC0415  loaded when it is asked for

        return python_source(self)


def operand(x: float) -> str:
    """Return how an operand is written: a result by its number, a float as itself."""
    return f"v{x}" if type(x) is int else repr(x)
