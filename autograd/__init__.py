"""Glassgrad's engine: automatic differentiation of scalars, in every mode, from one table.

>>> from autograd import Value, tanh
>>> a = Value(0.5)
>>> tanh(3 * a).backward()
>>> f"{a.grad:.6f}"
'0.542120'
"""

from autograd.backward import backward_steps
from autograd.draw import draw, explore
from autograd.primitives import (
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    dot,
    elu,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    gelu,
    hardtanh,
    hypot,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    log_sigmoid,
    log_softmax,
    logaddexp,
    logsumexp,
    maximum,
    mean,
    minimum,
    norm,
    pow,
    reciprocal,
    relu,
    sech,
    selu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softmax,
    softplus,
    softsign,
    sqrt,
    square,
    step,
    sum,
    tan,
    tanh,
    where,
    xlogy,
)
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.compiler.run import jit
    from autograd.differences import gradcheck, primitive
    from autograd.forward import jvp
    from autograd.functional import (
        grad,
        hessian,
        hvp,
        jacobian,
        jacobian_forward,
        jacobian_reverse,
        linearize,
        value_and_grad,
        vjp,
    )
    from autograd.modes import detect_anomaly, no_grad
    from autograd.recorded import gradients
    from autograd.tape import explain
    from autograd.tracer import trace

__version__ = "0.1.0"

__all__ = [
    "Value",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "backward_steps",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "detect_anomaly",
    "dot",
    "draw",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "explain",
    "explore",
    "expm1",
    "floor",
    "gelu",
    "grad",
    "gradcheck",
    "gradients",
    "hardtanh",
    "hessian",
    "hvp",
    "hypot",
    "jacobian",
    "jacobian_forward",
    "jacobian_reverse",
    "jit",
    "jvp",
    "leaky_relu",
    "linearize",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "no_grad",
    "norm",
    "pow",
    "primitive",
    "reciprocal",
    "relu",
    "sech",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "step",
    "sum",
    "tan",
    "tanh",
    "trace",
    "value_and_grad",
    "vjp",
    "where",
    "xlogy",
]

# Names whose rooms are loaded when they are first asked for, so that `import autograd` is quick.
_ROOMS = {
    "detect_anomaly": "modes",
    "explain": "tape",
    "grad": "functional",
    "gradcheck": "differences",
    "gradients": "recorded",
    "hessian": "functional",
    "hvp": "functional",
    "jacobian": "functional",
    "jacobian_forward": "functional",
    "jacobian_reverse": "functional",
    "jit": "compiler.run",
    "jvp": "forward",
    "linearize": "functional",
    "no_grad": "modes",
    "primitive": "differences",
    "trace": "tracer",
    "value_and_grad": "functional",
    "vjp": "functional",
}


if not TYPE_CHECKING:  # a type checker reads the imports above

    def __getattr__(name: str) -> object:
        if name not in _ROOMS:
            raise AttributeError(f"module 'autograd' has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        found = globals()[name] = getattr(import_module(f"autograd.{_ROOMS[name]}"), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
