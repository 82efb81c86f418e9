"""Tracing: a function is run once on numbers without data, and what it did becomes a Program."""

from __future__ import annotations

from autograd import ieee
from autograd.backward import graph
from autograd.modes import Entry, Hold, Mode, differentiating, under_way
from autograd.primitives import Scalar, identity, stop_gradient
from autograd.program import Instruction, Program
from autograd.structure import flatten, names_of_arguments, unflatten
from autograd.value import Value, innermost
from autograd.watch import line_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from autograd.primitives import Primitive


class Tracer(Scalar):
    """A number without data: it knows only how it is computed.

    Attributes:
        primitive: the operation; None for an input or a parameter.
        operands: what it is applied to, Tracers and floats.
    """

    __slots__ = ("operands", "primitive")
    rank = 2

    def __init__(self, primitive: Primitive | None, operands: tuple[Any, ...]) -> None:
        self.primitive = primitive
        self.operands = operands

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Tracer:
        """Apply a primitive to Tracers, Values and floats; comparisons give Tracers too."""
        if any(isinstance(x, Value) for x in operands):
            trace = innermost("trace")
            if trace is None:
                raise TypeError(
                    f"{primitive.name}: a Tracer met a Value outside of the trace that made it: "
                    "let a traced function return its results, and keep no Tracer"
                )
            operands = [*map(trace.lift, operands)]
        result = cls(primitive, tuple(operands))
        return cls(stop_gradient, (result,)) if innermost("records") is False else result

    @property
    def data(self) -> float:
        """A Tracer has none."""
        raise _no_number("data")

    def __bool__(self) -> bool:
        raise branch_error()

    def __float__(self) -> float:
        raise _no_number("float")

    def __int__(self) -> int:
        raise _no_number("int")

    def __index__(self) -> int:
        raise _no_number("index")

    def __format__(self, spec: str) -> str:
        if spec:
            raise _no_number("text")
        return repr(self)

    def __repr__(self) -> str:
        return f"Tracer({self.primitive.name if self.primitive else 'input'})"


def branch_error() -> TypeError:
    """Return the error of a branch on a number that a trace does not know."""
    return TypeError(
        f"a traced function branched on a number, at {line_outside()}: a trace holds one path "
        "for all numbers; write where(condition, a, b), or maximum, minimum, clip"
    )


def _no_number(kind: str) -> TypeError:
    advice = "fix it outside of the function, or write where(condition, a, b)"
    if kind in {"data", "float"}:
        advice = "write it in the functions of autograd, such as autograd.sin instead of math.sin"
    return TypeError(
        f"a traced function used a number as {kind}, at {line_outside()}: "
        f"a Tracer has no data; {advice}"
    )


class Trace:
    """One run of a function on Tracers. Values met on the way are lifted, with their graphs.

    A graph ends at its leaves, and where a derivative is being taken around the trace at variables:
    derivatives flow to these through the Program's parameters.

    Args:
        within_derivative: whether one is.

    Attributes:
        parameters: those ends with their Tracers, in the order of first use.
    """

    branch_error = staticmethod(branch_error)

    def __init__(self, *, within_derivative: bool) -> None:
        self.parameters: dict[Value, Tracer] = {}
        self._lifted: dict[Value, Tracer] = {}
        self._ends = {None, identity} if within_derivative else {None}

    def __contains__(self, node: Any) -> bool:
        """Whether a graph is not to be looked at below this node."""
        return node in self._lifted or node.primitive in self._ends

    def record(self, primitive: Primitive, operands: Sequence[Any]) -> Tracer:
        """Apply a primitive to Tracers, Values and floats."""
        return Tracer(primitive, tuple(map(self.lift, operands)))

    def lift(self, number: Any) -> Any:
        """Return a Value as the Tracer that stands for it; other numbers as they are."""
        if not isinstance(number, Value):
            return number
        if number not in self._lifted:
            for node in graph(number, above=self) if number.primitive else [number]:
                if node in self._lifted:
                    continue
                if node.primitive in self._ends:
                    self._lifted[node] = self.parameters[node] = Tracer(None, ())
                    continue
                operands = tuple(x if type(x) is float else self._lifted[x] for x in node.operands)
                self._lifted[node] = Tracer(node.primitive, operands)
        return self._lifted[number]


class _Tracing(Mode):
    """The block in which a trace is made; apart from it, so that nothing keeps the block alive."""

    def __init__(self, running: Trace) -> None:
        super().__init__()
        self._running = running

    def _entry(self, hold: Hold) -> Entry:
        return Entry(hold, records=True, trace=self._running)


def trace(f: Callable[..., Any], *example: Any) -> Program:
    """Run f once on numbers without data and return what it computes, as a `Program`.

    Only the structure of the example counts, not its numbers. `Value`s that f uses from outside
    become parameters of the Program, down to the leaves of their graphs; their data is read when
    the Program is run. Everything else that f uses is a constant of the Program.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of them, that returns
            such a structure.
        example: its arguments.

    Raises:
        TypeError: f branched on a number or asked for its data; the error names the line.

    >>> print(trace(lambda x, y: x * y + x, 2.0, 3.0))
    v0 = x
    v1 = y
    v2 = mul v0 v1
    v3 = add v2 v0
    return v3
    """
    leaves, template = flatten(example, "example")
    inputs = [Tracer(None, ()) for _ in leaves]
    running = Trace(within_derivative=under_way())
    with differentiating(), _Tracing(running):
        result = f(*unflatten(template, inputs))
        outputs, output_template = flatten(result, "f's result")
        outputs = [running.lift(x) for x in outputs]
    place: dict[Any, int | float] = {}
    for tracer in (*inputs, *running.parameters.values()):
        place[tracer] = len(place)
    first = len(place)
    instructions: list[Instruction] = []
    for node in _nodes(outputs, place):
        operands = tuple(x if type(x) is float else place[x] for x in node.operands)
        if node.primitive is identity:  # has done its work: to tell uses apart
            place[node] = operands[0]
        else:
            place[node] = first + len(instructions)
            instructions.append(Instruction(node.primitive, operands))
    results = [x if type(x) is float else place[x] for x in outputs]
    names = names_of_arguments(f, len(example))
    parameters = [*running.parameters]
    return Program(names, template, parameters, instructions, results, output_template)


def written_out(program: Program, caller: str) -> Program:
    """Return the same Program with primitives of the users' own written out in the engine's.

    Args:
        program: a Program.
        caller: what an error calls the function that needs this.

    Raises:
        TypeError: the value of a primitive is not written in the engine's operations.
    """

    def is_ours(row: Primitive) -> bool:
        return row.value.__module__ == ieee.__name__

    def apply(row: Primitive, xs: list[Any]) -> Any:
        if is_ours(row):
            return row.bind(xs)
        try:
            return row.value(*xs)
        except (AttributeError, TypeError) as error:
            raise TypeError(
                f"{caller}: the value of primitive {row.name!r} is not written in autograd's "
                f"operations: {error}"
            ) from None

    if all(is_ours(row) for row, _ in program.instructions):
        return program
    numbers = [0.0] * (sum(1 for _ in program.inputs()) + len(program.parameters))
    flat = trace(lambda numbers: program.numbers([*numbers], apply), numbers)
    return written_out(
        Program(
            program.names,
            program.template,
            [*program.parameters, *flat.parameters],
            flat.instructions,
            flat.results,
            program.output_template,
        ),
        caller,
    )


def _nodes(outputs: list[Any], place: dict[Any, int | float]) -> Iterator[Any]:
    """Yield the nodes of these outputs' graphs that have no place yet, operands before users."""
    for output in outputs:
        for node in graph(output, place) if isinstance(output, Tracer) else [output]:
            if isinstance(node, Tracer) and node.primitive:
                if node not in place:
                    yield node
            elif type(node) is not float and node not in place:
                raise TypeError(
                    "trace(f): f uses a number of another trace or derivative: "
                    "pass it to f as an argument"
                )
