"""Float functions that answer as IEEE 754 does, where Python's `math` would raise or turn complex.

Python's `math.log(0.0)` raises, `1.0 / 0.0` raises, `(-8.0) ** (1 / 3)` is complex and
`math.exp(710.0)` overflows into an exception. A graph of numbers wants the IEEE answers instead:
-inf, inf, nan, inf. Every function here takes and returns plain floats, and adds care where the
textbook formula loses digits (`normal_distribution`, `silu`, `gaussian`, ...).
"""

from __future__ import annotations

import math

inf = math.inf
nan = math.nan
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, section 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def total(
    formula: str,
    function: Callable[[float], float],
    beyond: Callable[[float], float] = lambda _x: nan,
) -> Callable[[float], float]:
    """Make a function of `math` total: where it raises, the answer is `beyond(x)`.

    `math` raises `OverflowError` where the result is too large, and `ValueError` outside the domain
    and at poles.
    """

    def answer(x: float) -> float:
        try:
            return function(x)
        except (OverflowError, ValueError):
            return beyond(x)

    answer.__doc__ = formula
    return answer


def _inf(_x: float) -> float:
    return inf


def _signed_inf(x: float) -> float:
    return math.copysign(inf, x)


def _minus_inf_at(pole: float) -> Callable[[float], float]:
    return lambda x: -inf if x == pole else nan


def _signed_inf_at_one(x: float) -> float:
    return math.copysign(inf, x) if abs(x) == 1.0 else nan


exp = total("e^x", math.exp, _inf)
exp2 = total("2^x", math.exp2, _inf)
expm1 = total("e^x - 1, exact to rounding next to 0", math.expm1, _inf)
log = total("the natural logarithm", math.log, _minus_inf_at(0.0))
log2 = total("the logarithm to base 2", math.log2, _minus_inf_at(0.0))
log10 = total("the logarithm to base 10", math.log10, _minus_inf_at(0.0))
log1p = total("log(1 + x), exact to rounding next to 0", math.log1p, _minus_inf_at(-1.0))
sqrt = total("the square root", math.sqrt)
sin = total("the sine, x in radians", math.sin)
cos = total("the cosine, x in radians", math.cos)
tan = total("the tangent, x in radians", math.tan)
asin = total("the inverse of the sine, in radians", math.asin)
acos = total("the inverse of the cosine, in radians", math.acos)
sinh = total("(e^x - e^-x) / 2", math.sinh, _signed_inf)
cosh = total("(e^x + e^-x) / 2", math.cosh, _inf)
acosh = total("the inverse of the hyperbolic cosine", math.acosh)
atanh = total("the inverse of the hyperbolic tangent", math.atanh, _signed_inf_at_one)
atan = total("the inverse of the tangent, in radians", math.atan)
tanh = total("(e^x - e^-x) / (e^x + e^-x)", math.tanh)
asinh = total("the inverse of the hyperbolic sine", math.asinh)
erf = total("2 / sqrt(pi) times the integral of e^-t^2 from 0 to x", math.erf)
erfc = total("1 - erf(x), exact to rounding in the upper tail", math.erfc)


def add(a: float, b: float) -> float:
    """The sum a + b."""
    return a + b


def sub(a: float, b: float) -> float:
    """The difference a - b."""
    return a - b


def mul(a: float, b: float) -> float:
    """The product a b."""
    return a * b


def neg(a: float) -> float:
    """-a."""
    return -a


def div(a: float, b: float) -> float:
    """The quotient a / b; 1/0 is inf with the sign of the zero, 0/0 is nan."""
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0.0 or a != a:
            return nan
        return math.copysign(inf, a) * math.copysign(1.0, b)


def reciprocal(x: float) -> float:
    """1 / x."""
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return math.copysign(inf, x)


def pow(a: float, b: float) -> float:
    """The power a^b as in C: never complex; x^0 = 1 and 1^y = 1 even where x or y is nan."""
    try:
        return math.pow(a, b)
    except OverflowError:
        negative = a < 0.0 and math.fmod(b, 2.0) != 0.0
        return -inf if negative else inf
    except ValueError:
        if a != 0.0:
            return nan
        odd = math.fmod(b, 2.0) == -1.0  # b is negative: 0 raised to it is a pole
        return math.copysign(inf, a) if odd else inf


def positive_reciprocal(x: float) -> float:
    """1 / x on the domain of the logarithm, nan where x is negative."""
    return reciprocal(x) if x >= 0.0 else nan


def power_log(a: float, b: float) -> float:
    """The product a^b log(a), the derivative of a^b by b; 0 at a = 0 if b >= 0: 0^b is flat."""
    if a == 0.0 and b >= 0.0:
        return 0.0
    return times(pow(a, b), log(a))


def times(a: float, b: float) -> float:
    """The product a b in which 0 times anything, even inf and nan, is 0."""
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def square(x: float) -> float:
    """The square x^2."""
    return x * x


def one_minus_square(x: float) -> float:
    """1 - x^2 as (1 - x)(1 + x), exact to rounding even next to 1."""
    return (1.0 - x) * (1.0 + x)


def lorentzian(x: float) -> float:
    """1 / (1 + x^2), scaled where x^2 would overflow."""
    scale = 1.0 if abs(x) < 1e150 else 2.0**-500
    scaled = x * scale
    return scale / (scale * scale + scaled * scaled) * scale


def atan2(y: float, x: float) -> float:
    """The angle of the point (x, y), in radians."""
    return math.atan2(y, x)


def sech(x: float) -> float:
    """1 / cosh(x) = 2 e^-|x| / (1 + e^-2|x|), which does not overflow."""
    e = math.exp(-abs(x))
    return 2.0 * e / (1.0 + e * e)


def _split(x: float) -> tuple[float, float]:
    """The operand as the sum of two halves of 26 bits, whose products are exact (Veltkamp 1968)."""
    shifted = 134217729.0 * x
    high = shifted - (shifted - x)
    return high, x - high


def _product_and_error(a: float, b: float) -> tuple[float, float]:
    """The rounded product of a and b, and what rounding lost (Dekker 1971)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def cbrt(x: float) -> float:
    """The cube root, of either sign; a step of Newton's method mends the last digit of C's."""
    root = math.cbrt(x)
    if not 1e-290 < abs(x) < 1e300:
        return root
    squared, error = _product_and_error(root, root)
    cube, rest = _product_and_error(squared, root)
    return root - ((cube - x) + (rest + error * root)) / (3.0 * squared)


def gaussian(x: float) -> float:
    """e^-x^2, the rounding error of x^2 made good: at x = 26 that error alone is 300 ulp."""
    if abs(x) > 28.0:
        return 0.0
    squared, error = _product_and_error(x, x)
    power = math.exp(-squared)
    return power - power * error


_SQRT_TWO_PI = math.sqrt(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)
_SQRT_HALF_REST = -4.833646656726457e-17  # sqrt(1/2) - _SQRT_HALF


def normal_density(x: float) -> float:
    """e^(-x^2 / 2) / sqrt(2 pi), the rounding error of x^2 made good."""
    if abs(x) > 40.0:
        return 0.0
    squared, error = _product_and_error(x, x)
    power = math.exp(-0.5 * squared)
    return (power - power * 0.5 * error) / _SQRT_TWO_PI


def normal_distribution(x: float) -> float:
    """P(Z <= x) = erfc(-x / sqrt 2) / 2, the rounding error of x / sqrt 2 made good.

    With t = -x / sqrt 2 rounded and d its error, erfc(t + d) = erfc(t) - 2 d e^-t^2 / sqrt(pi) to
    first order. Without it the lower tail loses a thousand ulp.
    """
    t, error = _product_and_error(-x, _SQRT_HALF)
    if not -6.0 < t < 28.0:
        return 0.5 * math.erfc(t)
    error -= x * _SQRT_HALF_REST
    return 0.5 * math.erfc(t) - error * gaussian(t) / math.sqrt(math.pi)


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), through e^x where x is negative, so that neither end overflows."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus(x: float) -> float:
    """log(1 + e^x) = max(x, 0) + log1p(e^-|x|)."""
    return maximum(x, 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """log(1 / (1 + e^-x)) = -softplus(-x)."""
    return -softplus(-x)


def silu(x: float) -> float:
    """The product x sigmoid(x); the limit -0.0 at -inf.

    For negative x as (x e^(x/2)) e^(x/2) / (1 + e^x): e^x alone would be subnormal from -708 on.
    """
    if x >= 0.0:
        return x / (1.0 + math.exp(-x))
    if x < -1500.0:
        return -0.0
    e = math.exp(0.5 * x)
    return x * e * (e / (1.0 + e * e))


def gelu(x: float) -> float:
    """The product x P(Z <= x), Z standard normal; the limit -0.0 at -inf."""
    return -0.0 if x < -40.0 else x * normal_distribution(x)


def relu(x: float) -> float:
    """max(x, 0), nan at nan."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: float, slope: float) -> float:
    """The operand x where x > 0, else slope x."""
    return x if x > 0.0 else slope * x


def elu(x: float, alpha: float) -> float:
    """The operand x where x > 0, else alpha (e^x - 1)."""
    return x if x > 0.0 else alpha * math.expm1(x)


def selu(x: float) -> float:
    """The scaled elu that keeps mean 0 and variance 1 through layers (Klambauer et al. 2017)."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def softsign(x: float) -> float:
    """The quotient x / (1 + |x|); its limits -1 and 1 at the infinities."""
    return x / (1.0 + abs(x)) if abs(x) != inf else math.copysign(1.0, x)


def hardtanh(x: float) -> float:
    """The operand x between -1 and 1, the nearer of the two outside."""
    return -1.0 if x < -1.0 else 1.0 if x > 1.0 else x


def magnitude(x: float) -> float:
    """|x|."""
    return abs(x)


def sign(x: float) -> float:
    """-1, 0 or 1; nan at nan."""
    return math.copysign(1.0, x) if x < 0.0 or x > 0.0 else x


def step(x: float) -> float:
    """1 where x > 0, else 0; nan at nan."""
    return 1.0 if x > 0.0 else 0.0 if x <= 0.0 else x


def floor(x: float) -> float:
    """The largest whole number not above x."""
    return math.copysign(float(math.floor(x)), x) if abs(x) < inf else x


def ceil(x: float) -> float:
    """The smallest whole number not below x."""
    return math.copysign(float(math.ceil(x)), x) if abs(x) < inf else x


def maximum(a: float, b: float) -> float:
    """The larger; nan if either is nan."""
    return a if a > b or a != a else b


def minimum(a: float, b: float) -> float:
    """The smaller; nan if either is nan."""
    return a if a < b or a != a else b


def identity(x: float) -> float:
    """The operand x itself, as a constant."""
    return x


def same(x: float) -> float:
    """The operand x itself."""
    return x


def share(a: float, b: float) -> float:
    """How much of max(a, b) is a: 1, 1/2 at a tie, 0; nan where a is nan."""
    return 1.0 if a > b else 0.5 if a == b else a if a != a else 0.0


def clip(x: float, low: float, high: float) -> float:
    """min(max(x, low), high)."""
    return minimum(maximum(x, low), high)


def inside(x: float, low: float, high: float) -> float:
    """1 where low <= x <= high, else 0; nan where x is nan."""
    return 1.0 if low <= x <= high else 0.0 if x == x else x


def hypot(a: float, b: float) -> float:
    """sqrt(a^2 + b^2) without overflow."""
    return math.hypot(a, b)


def direction(a: float, b: float) -> float:
    """The cosine a / hypot(a, b) of the angle of (a, b); 0 at the origin."""
    if abs(a) == inf and abs(b) < inf:
        return math.copysign(1.0, a)
    length = math.hypot(a, b)
    if length < 1e-290:  # too few digits are left in a subnormal length
        a, b = a * 2.0**600, b * 2.0**600
        length = math.hypot(a, b)
    return 0.0 if length == 0.0 else a / length


def exp_difference(a: float, b: float) -> float:
    """e^(a - b), the rounding error of a - b made good (Knuth 1969): it alone can be 256 ulp."""
    difference = a - b
    if not -750.0 < difference < 709.0:
        return exp(difference)
    back = difference - a
    error = (a - (difference - back)) - (b + back)
    power = math.exp(difference)
    return power + power * error


def portion(a: float, b: float) -> float:
    """What part a is of a + b, both positive."""
    return div(a, a + b)


def logaddexp(a: float, b: float) -> float:
    """log(e^a + e^b) = max + log1p(e^-|a - b|)."""
    if a == b:
        return a + math.log(2.0)
    return maximum(a, b) + math.log1p(exp_difference(minimum(a, b), maximum(a, b)))


def xlogy(x: float, y: float) -> float:
    """The product x log(y), and 0 where x is 0."""
    return nan if y != y else times(x, log(y))


def where(condition: float, a: float, b: float) -> float:
    """The operand a where the condition holds (is not 0), else b."""
    return a if condition else b


def truth(condition: float) -> float:
    """1 where the condition holds (is not 0), else 0."""
    return 1.0 if condition else 0.0


def less(a: float, b: float) -> bool:
    """Whether a < b."""
    return a < b


def less_equal(a: float, b: float) -> bool:
    """Whether a <= b."""
    return a <= b


def equal(a: float, b: float) -> bool:
    """Whether a = b."""
    return a == b


def not_equal(a: float, b: float) -> bool:
    """Whether a and b differ."""
    return a != b


def dot(*operands: float) -> float:
    """Bias + w1 x1 + w2 x2 + ..., added left to right; operands are the ws, the xs and the bias."""
    size = len(operands) // 2
    accumulated = operands[-1]
    for i in range(size):
        accumulated += operands[i] * operands[size + i]
    return accumulated


def sum(*operands: float) -> float:
    """x1 + x2 + ..., added left to right."""
    accumulated = 0.0
    for x in operands:
        accumulated += x
    return accumulated


def mean(*operands: float) -> float:
    """(x1 + x2 + ...) / n, added left to right."""
    return sum(*operands) / len(operands)


def norm(*operands: float) -> float:
    """sqrt(x1^2 + x2^2 + ...) without overflow."""
    return math.hypot(*operands)


def peak(*operands: float) -> float:
    """The largest operand; nan if any is nan."""
    largest = -inf
    for x in operands:
        largest = maximum(largest, x)
    return largest


def logsumexp(*operands: float) -> float:
    """log(e^x1 + e^x2 + ...) = max + log1p(the others' e^(x - max)); -inf of nothing."""
    largest = peak(*operands)
    if not abs(largest) < inf:
        return largest
    others = list(operands)
    others.remove(largest)
    return largest + math.log1p(sum(*(exp_difference(x, largest) for x in others)))
