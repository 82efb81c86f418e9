"""A Program as JSON, for the script of a page: names of functions, places and constants."""

from __future__ import annotations

from autograd.primitives import TABLE
from autograd.tracer import written_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograd.primitives import Primitive
    from autograd.program import Program

# which row of the engine has a float function; a row of a user's own may wrap the same one
_NAMES = {row.value: row.name for row in reversed(TABLE.values())}


def program_json(program: Program) -> dict[str, Any]:
    """Return a Program as what `json` writes and `run` of `page/program.js` evaluates.

    An operand that is a number is the place of an earlier result, inputs and parameters first; one
    that is a string is a constant.

    Args:
        program: a Program; primitives of the users' own are written out in the engine's.

    Returns:
        How many inputs and parameters it takes, its instructions, its results.

    Raises:
        TypeError: the value of a primitive is not written in the engine's operations.

    >>> from autograd import trace
    >>> program_json(trace(lambda x: 2.0 * x + 0.1, 0.0))
    {'inputs': 1, 'instructions': [['mul', '2', 0], ['add', 1, '0.1']], 'results': [2]}
    """
    program = written_out(program, "explore")
    return {
        "inputs": sum(1 for _ in program.inputs()) + len(program.parameters),
        "instructions": [
            [_function(primitive), *map(_operand, operands)]
            for primitive, operands in program.instructions
        ],
        "results": [*map(_operand, program.results)],
    }


def constant(x: float) -> str:
    """Return the text that JavaScript's `Number` reads as exactly this float.

    >>> [*map(constant, [3.0, -0.0, 1e-05, float("inf")])]
    ['3', '-0', '1e-05', 'Infinity']
    """
    return repr(float(x)).removesuffix(".0").replace("inf", "Infinity").replace("nan", "NaN")


def _function(primitive: Primitive) -> str:
    return _NAMES[getattr(primitive.value, "__wrapped__", primitive.value)]


def _operand(x: float) -> int | str:
    return x if type(x) is int else constant(x)
