"""Lower: THE TABLE once more, its rows of fixed arity as machine instructions.

A row here is the formula of the float function in `ieee`, on vectors: one number for each sample.
There is no branch: both sides are computed, and `select` takes one in each lane. Where a formula
has no branch to begin with, the row is the float function itself.

In precise mode every lane of every row equals the float function bit for bit. In default mode
whole vectors go to a series for the exponential and else to glibc's functions for vectors, a few
ulp off, and formulas leave out what makes good the rounding error of an exponent.
"""

from __future__ import annotations

import math

from llvmlite import ir

from autograd import ieee
from autograd.compiler.vectors import Lanes, select
from autograd.ieee import (
    _SQRT_HALF,
    _SQRT_HALF_REST,
    _SQRT_TWO_PI,
    SELU_ALPHA,
    SELU_SCALE,
    _product_and_error,
    inf,
    nan,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from autograd.compiler.vectors import Emitter

    Row = Callable[..., Any]


def _holds(x: Lanes) -> Lanes:
    return x.of(x.emitter.holds(x.value))


# Rows


def _intrinsic(name: str) -> Row:
    def apply(*xs: Any) -> Any:
        x = xs[-1]  # the first may be a float
        return x.of(x.emitter.intrinsic(name, *map(x.like, xs)))

    return apply


def _libm(name: str) -> Row:
    def call(*xs: Any) -> Any:
        return xs[0].of(xs[0].emitter.call(name, *(x.value for x in xs)))

    return call


def _python_hypot(*xs: Any) -> Any:
    return xs[0].of(xs[0].emitter.hypot(*(x.value for x in xs)))


# fmt: off
_copysign, _floor, _ceil, _sqrt = map(_intrinsic, ("copysign", "floor", "ceil", "sqrt"))
_log, _log1p = map(_libm, ("log", "log1p"))
_pow, _cbrt, _hypot, _erfc = map(_libm, ("pow", "cbrt", "hypot", "erfc"))
# fmt: on


def _exponential(name: str, series: Row) -> Row:
    """Return a row of the exponential: C's, of vectors in default mode a series."""
    call = _libm(name)

    def apply(x: Any) -> Any:
        alone = x.emitter.precise or x.emitter.width == 1
        return call(x) if alone else series(x)

    return apply


def _powers(x: Any) -> tuple[Any, Any, Any, Any]:
    """Return a, b, 1 / b and c, such that e^x = a b (c + 1), where a and b are powers of 2.

    x = n ln 2 + r, n a whole number, and c = e^r - 1. Of a power of 2 the exponent would not do:
    2^n may be subnormal, or too large where e^x is not.
    """
    builder = x.emitter.builder
    x = select(x < _EXP_ALL_LOST, _EXP_ALL_LOST, x)
    x = select(x > _EXP_INFINITE, _EXP_INFINITE, x)
    shifted = _fused(x, 1.0 / math.log(2.0), _WHOLE)
    n = shifted - _WHOLE
    r = _fused(n, -_LN_2_REST, _fused(n, -_LN_2, x))
    squared = r * r
    growth = _fused(
        _polynomial(r, squared, [1.0 / math.factorial(k) for k in range(2, 14)]), squared, r
    )

    count = x.emitter.width
    wide = ir.VectorType(ir.IntType(64), count)

    def all_lanes(bits: int) -> ir.Constant:
        return ir.Constant(wide, [bits] * count)

    def power(exponent: ir.Value) -> Any:
        return x.of(builder.bitcast(builder.add(exponent, all_lanes(1023 << 52)), x.value.type))

    bits = builder.bitcast(shifted.value, wide)  # the last of which are n
    half = builder.and_(builder.shl(bits, all_lanes(51)), all_lanes(-1 << 52))
    rest = builder.sub(builder.shl(bits, all_lanes(52)), half)
    inverse = builder.sub(all_lanes(0), rest)
    return power(half), power(rest), power(inverse), growth


def _polynomial(x: Any, squared: Any, terms: list[Any]) -> Any:
    """Return terms[0] + terms[1] x + terms[2] x^2 + ..., by pairs: few steps wait for others."""
    power = x
    while len(terms) > 1:
        pairs = [_fused(power, b, a) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = [*pairs, *terms[2 * len(pairs) :]]
        power = squared if power is x else power * power
    return terms[0]


def _exp_series(x: Any) -> Any:
    a, b, _, growth = _powers(x)
    return (growth + 1.0) * a * b


def _expm1_series(x: Any) -> Any:
    a, b, b_inverse, growth = _powers(x)
    return _copysign(_fused(growth, a, a - b_inverse) * b, x)  # of -0.0 it is -0.0


def _fused(a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once where the processor does so."""
    return a.of(a.emitter.intrinsic("fmuladd", a.value, a.like(b), a.like(c)))


_EXP_ALL_LOST, _EXP_INFINITE = -746.0, 710.0  # e^x is 0 and inf
_WHOLE = 1.5 * 2.0**52  # a number that is added to this is rounded to a whole one
_LN_2 = float.fromhex("0x1.62e42feep-1")  # short, so that n times this is exact
_LN_2_REST = float.fromhex("0x1.a39ef35793c76p-33")
_exp = _exponential("exp", _exp_series)
_expm1 = _exponential("expm1", _expm1_series)


def _is_nan(x: Any) -> Any:
    return x != x  # noqa: PLR0124  IEEE 754's own test


def _times(a: Any, b: Any) -> Any:
    return select((a == 0.0) | (b == 0.0), 0.0, a * b)


def _maximum(a: Any, b: Any) -> Any:
    return select(_is_nan(a), a, select(a > b, a, b))


def _minimum(a: Any, b: Any) -> Any:
    return select(_is_nan(a), a, select(a < b, a, b))


def _power_log(a: Any, b: Any) -> Any:
    return select((a == 0.0) & (b >= 0.0), 0.0, _times(_pow(a, b), _log(a)))


def _mended_cbrt(x: Any) -> Any:
    root = _cbrt(x)
    squared, error = _product_and_error(root, root)
    cube, rest = _product_and_error(squared, root)
    mended = root - ((cube - x) + (rest + error * root)) / (3.0 * squared)
    return select((abs(x) > 1e-290) & (abs(x) < 1e300), mended, root)


def _direction(a: Any, b: Any, hypot: Row) -> Any:
    scale = select((abs(a) < 1e-290) & (abs(b) < 1e-290), 2.0**600, 1.0)
    a_scaled = a * scale
    length = hypot(a_scaled, b * scale)
    cosine = select(length == 0.0, 0.0, a_scaled / length)
    return select((abs(a) == inf) & (abs(b) < inf), _copysign(1.0, a), cosine)


def _exp_difference(a: Any, b: Any) -> Any:
    difference = a - b
    back = difference - a
    error = (a - (difference - back)) - (b + back)
    power = _exp(difference)
    usual = (difference > -750.0) & (difference < 709.0)
    return select(usual, power + power * error, power)


def _logaddexp(a: Any, b: Any, exp_difference: Row) -> Any:
    low, high = _minimum(a, b), _maximum(a, b)
    return select(a == b, a + math.log(2.0), high + _log1p(exp_difference(low, high)))


def _lorentzian(x: Any) -> Any:
    scale = select(abs(x) < 1e150, 1.0, 2.0**-500)
    scaled = x * scale
    return scale / (scale * scale + scaled * scaled) * scale


def _sech(x: Any) -> Any:
    e = _exp(-abs(x))
    return 2.0 * e / (1.0 + e * e)


def _gaussian(x: Any) -> Any:
    squared, error = _product_and_error(x, x)
    power = _exp(-squared)
    return select(abs(x) > 28.0, 0.0, power - power * error)


def _normal_density(x: Any) -> Any:
    squared, error = _product_and_error(x, x)
    power = _exp(-0.5 * squared)
    return select(abs(x) > 40.0, 0.0, (power - power * 0.5 * error) / _SQRT_TWO_PI)


def _normal_distribution(x: Any) -> Any:
    t, error = _product_and_error(-x, _SQRT_HALF)
    error = error - x * _SQRT_HALF_REST
    half = 0.5 * _erfc(t)
    mended = half - error * _gaussian(t) / math.sqrt(math.pi)
    return select((t > -6.0) & (t < 28.0), mended, half)


def _gelu(x: Any, normal_distribution: Row) -> Any:
    return select(x < -40.0, -0.0, x * normal_distribution(x))


def _elu(x: Any, alpha: Any) -> Any:
    return select(x > 0.0, x, alpha * _expm1(x))


def _softplus(x: Any) -> Any:
    return _maximum(x, 0.0) + _log1p(_exp(-abs(x)))


def _sigmoid(x: Any) -> Any:
    e = _exp(-abs(x))
    return select(x >= 0.0, 1.0, e) / (1.0 + e)


def _silu(x: Any) -> Any:
    positive = x >= 0.0
    e = _exp(select(positive, -x, 0.5 * x))
    quotient = select(positive, x, e) / (1.0 + select(positive, e, e * e))
    return select(positive, quotient, select(x < -1500.0, -0.0, x * e * quotient))


def _share(a: Any, b: Any) -> Any:
    return select(a > b, 1.0, select(a == b, 0.5, select(_is_nan(a), a, 0.0)))


def _inside(x: Any, low: Any, high: Any) -> Any:
    return select((x >= low) & (x <= high), 1.0, select(_is_nan(x), x, 0.0))


# fmt: off
# name, formula; below it the formulas that default mode has instead
_ROWS: dict[str, Row] = {
    # Arithmetic
    "add":                 ieee.add,
    "sub":                 ieee.sub,
    "mul":                 ieee.mul,
    "div":                 ieee.div,
    "neg":                 ieee.neg,
    "times":               _times,
    "pow":                 _pow,
    "power_log":           _power_log,
    "square":              ieee.square,
    "reciprocal":          ieee.reciprocal,
    "sqrt":                _sqrt,
    "cbrt":                _mended_cbrt,
    "hypot":               _python_hypot,
    "direction":           lambda a, b: _direction(a, b, _python_hypot),

    # Exponentials and logarithms
    "exp":                 _exp,
    "exp2":                _libm("exp2"),
    "expm1":               _expm1,
    "log":                 _log,
    "log2":                _libm("log2"),
    "log10":               _libm("log10"),
    "log1p":               _log1p,
    "positive_reciprocal": lambda x: select(x >= 0.0, 1.0 / x, nan),
    "logaddexp":           lambda a, b: _logaddexp(a, b, _exp_difference),
    "exp_difference":      _exp_difference,
    "portion":             ieee.portion,
    "xlogy":               lambda x, y: select(_is_nan(y), nan, _times(x, _log(y))),

    # Circular and hyperbolic functions
    "sin":                 _libm("sin"),
    "cos":                 _libm("cos"),
    "tan":                 _libm("tan"),
    "asin":                _libm("asin"),
    "acos":                _libm("acos"),
    "one_minus_square":    ieee.one_minus_square,
    "atan":                _libm("atan"),
    "lorentzian":          _lorentzian,
    "atan2":               _libm("atan2"),
    "sinh":                _libm("sinh"),
    "cosh":                _libm("cosh"),
    "tanh":                _libm("tanh"),
    "sech":                _sech,
    "asinh":               _libm("asinh"),
    "acosh":               _libm("acosh"),
    "atanh":               _libm("atanh"),

    # The error function and the normal distribution
    "erf":                 _libm("erf"),
    "erfc":                _erfc,
    "gaussian":            _gaussian,
    "normal_density":      _normal_density,
    "normal_distribution": _normal_distribution,

    # Transfer functions
    "relu":                lambda x: select(x <= 0.0, 0.0, x),
    "leaky_relu":          lambda x, slope: select(x > 0.0, x, slope * x),
    "elu":                 _elu,
    "selu":                lambda x: SELU_SCALE * _elu(x, SELU_ALPHA),
    "softplus":            _softplus,
    "sigmoid":             _sigmoid,
    "log_sigmoid":         lambda x: -_softplus(-x),
    "silu":                _silu,
    "gelu":                lambda x: _gelu(x, _normal_distribution),
    "softsign":            lambda x: select(abs(x) != inf, x / (1.0 + abs(x)), _copysign(1.0, x)),
    "hardtanh":            lambda x: select(x < -1.0, -1.0, select(x > 1.0, 1.0, x)),

    # Kinks and choices
    "abs":                 ieee.magnitude,
    "sign":                lambda x: select((x < 0.0) | (x > 0.0), _copysign(1.0, x), x),
    "step":                lambda x: select(x > 0.0, 1.0, select(x <= 0.0, 0.0, x)),
    "floor":               _floor,
    "ceil":                _ceil,
    "maximum":             _maximum,
    "minimum":             _minimum,
    "stop_gradient":       ieee.identity,
    "identity":            ieee.same,
    "share":               _share,
    "clip":                lambda x, low, high: _minimum(_maximum(x, low), high),
    "inside":              _inside,
    "where":               lambda condition, a, b: select(_holds(condition), a, b),
    "truth":               _holds,
    "less":                ieee.less,
    "less_equal":          ieee.less_equal,
    "equal":               ieee.equal,
    "not_equal":           ieee.not_equal,

    # Of rows of any length the one that no other operations can write to the last bit
    "norm":                _python_hypot,
}
_DEFAULT_ROWS: dict[str, Row] = {
    "cbrt":                _cbrt,
    "hypot":               _hypot,
    "direction":           lambda a, b: _direction(a, b, _hypot),
    "logaddexp":           lambda a, b: _logaddexp(a, b, lambda low, high: _exp(low - high)),
    "exp_difference":      lambda a, b: _exp(a - b),
    "gaussian":            lambda x: _exp(-(x * x)),
    "normal_density":      lambda x: _exp(-0.5 * (x * x)) / _SQRT_TWO_PI,
    "normal_distribution": lambda x: 0.5 * _erfc(-_SQRT_HALF * x),
    "gelu":                lambda x: _gelu(x, lambda x: 0.5 * _erfc(-_SQRT_HALF * x)),
}
# fmt: on


def _lowering(precise: Row, default: Row) -> Callable[..., ir.Value]:
    def write(emitter: Emitter, *operands: ir.Value) -> ir.Value:
        row = precise if emitter.precise else default
        result = row(*(Lanes(emitter, x) for x in operands)).value
        if result.type == emitter.type:
            return result
        return emitter.number(result)

    return write


# Name of the primitive: function(emitter, *operands) that writes it, and returns a vector of the
# emitter's type; what comparisons give is 0.0 or 1.0.
LOWERINGS = {name: _lowering(row, _DEFAULT_ROWS.get(name, row)) for name, row in _ROWS.items()}
