"""Scalar, Primitive, and THE TABLE: every operation once, whole, in one row.

A row says how the operation prints, its float function, its *partial* by each operand, the domain
its tests sample, and the convention at its kinks. A partial is called as `partial(z, *operands)`,
z being the result, and is written in the operations of this table, so that it answers in the kind
of number it is given: floats for backward, `Value`s for higher derivatives, and so on for every
kind of `Scalar`. There is no other table of derivatives.

To read the engine, start here: a partial is one number on one edge of the graph, and everything
else only multiplies partials along paths and adds over paths.
"""

from __future__ import annotations

import math
import sys

from autograd import ieee
from autograd.ieee import SELU_ALPHA, SELU_SCALE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, ClassVar

    Partial = Callable[..., Any]

_RANKS: dict[Any, int] = {float: 0}  # which kind of number decides when several meet
_REAL: set[type] = {int, bool}  # kinds found to be real numbers, so that each is asked about once
TABLE: dict[str, Primitive] = {}


class Scalar:
    """What every kind of number of the engine shares: the operators, and functions as methods.

    A kind of number is a subclass with a `rank` and a class method `record(primitive, operands)`
    that applies a primitive to operands of its own and lower ranks.
    """

    __slots__ = ()
    rank: ClassVar[int] = 0

    def __init_subclass__(cls) -> None:
        _RANKS[cls] = cls.rank

    @classmethod
    def record(cls, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """Apply `primitive` to operands of this rank and below, plain floats among them."""
        raise NotImplementedError

    def record_one(self, primitive: Primitive) -> Any:
        """Apply a primitive of one operand to this number."""
        return self.record(primitive, (self,))

    def record_dot(self, ws: Sequence[Any], xs: Sequence[Any], bias: Any) -> Any:
        """Apply `dot`, this number being the first of `ws`."""
        return dot.bind((*ws, *xs, bias))

    def __add__(self, other: Any) -> Any:
        return add.operate(self, other)

    def __radd__(self, other: Any) -> Any:
        return add.operate(other, self)

    def __sub__(self, other: Any) -> Any:
        return sub.operate(self, other)

    def __rsub__(self, other: Any) -> Any:
        return sub.operate(other, self)

    def __mul__(self, other: Any) -> Any:
        return mul.operate(self, other)

    def __rmul__(self, other: Any) -> Any:
        return mul.operate(other, self)

    def __truediv__(self, other: Any) -> Any:
        return div.operate(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return div.operate(other, self)

    def __pow__(self, other: Any) -> Any:
        return pow.operate(self, other)

    def __rpow__(self, other: Any) -> Any:
        return pow.operate(other, self)

    def __neg__(self) -> Any:
        return self.record_one(neg)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.record_one(abs)

    def __lt__(self, other: Any) -> Any:
        return less.operate(self, other)

    def __le__(self, other: Any) -> Any:
        return less_equal.operate(self, other)

    def __gt__(self, other: Any) -> Any:
        return less.operate(other, self)

    def __ge__(self, other: Any) -> Any:
        return less_equal.operate(other, self)

    def __eq__(self, other: object) -> Any:
        return equal.operate(self, other)

    def __ne__(self, other: object) -> Any:
        return not_equal.operate(self, other)

    __hash__ = object.__hash__

    if TYPE_CHECKING:  # the loop below the table makes these, one for each function of one operand

        def _method(self, *operands: Any) -> Any: ...

        exp = exp2 = expm1 = log = log2 = log10 = log1p = sqrt = cbrt = square = reciprocal = (
            _method
        )
        sin = cos = tan = asin = acos = atan = sinh = cosh = tanh = sech = _method
        asinh = acosh = atanh = arcsin = arccos = arctan = arcsinh = arccosh = arctanh = _method
        erf = erfc = relu = leaky_relu = elu = selu = softplus = sigmoid = log_sigmoid = _method
        silu = gelu = softsign = hardtanh = abs = sign = step = floor = ceil = _method


def is_real(kind: type) -> bool:
    """Whether numbers of this type are real: int, float, bool, Fraction, Decimal, NumPy scalars."""
    if kind in _REAL:
        return True
    kinds: list[type] = [int, float]
    for module, names in (
        ("fractions", ["Fraction"]),
        ("decimal", ["Decimal"]),
        ("numpy", ["integer", "floating", "bool_"]),
    ):
        # a number of a module that nobody has imported cannot be here
        kinds += [getattr(sys.modules[module], name) for name in names if module in sys.modules]
    # NumPy files its spans of time under integers
    if issubclass(kind, tuple(kinds)) and kind.__name__ != "timedelta64":
        _REAL.add(kind)
        return True
    return False


def to_float(number: Any) -> float:
    """Return a real number as the nearest float: an infinity where it is beyond the largest."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
    except ValueError:  # Decimal's signaling nan
        return math.nan


def shown(given: object) -> str:
    """Name what was given, for an error's one line: its type and a short print of it."""
    text = repr(given)
    return f"{type(given).__name__} {text if len(text) <= 40 else text[:37] + '...'}"


class Primitive:
    """One operation: one row of the table. Call it on floats or on any kind of `Scalar`.

    Attributes:
        name: what it is called, in Python and in every printed form.
        symbol: the short text that a drawing shows in a node.
        mathml: its formula as presentation MathML, `{0}`, `{1}` standing for operands, `{*}` for
            all of them.
        value: the float function.
        operand_names: what its operands are called in formulas and errors.
        partials: for each operand a function `partial(z, *operands)`; none at all where the
            operation is piecewise constant: of `Value`s it is a plain number, and nothing flows.
        domain: for each operand the interval that tests sample, its ends included.
        kinks: the partials chosen where the derivative does not exist or is a limit, as
            "operands: partials; ...".
        selects: whether an operand whose partial is 0 was not selected, and so contributes
            nothing, whatever it holds.
        defaults: values of the last operands where a call leaves them out.
    """

    def __init__(
        self,
        name: str,
        value: Callable[..., float],
        *partials: Partial,
        domain: Sequence[tuple[float, float]],
        symbol: str = "",
        mathml: str = "",
        kinks: str = "",
        selects: bool = False,
        defaults: tuple[float, ...] = (),
    ) -> None:
        self.name = name
        self.value = value
        self.partials = partials
        self.domain = tuple(domain)
        self.symbol = symbol or name
        self.kinks = kinks
        self.selects = selects
        self.defaults = defaults
        if name in TABLE:
            raise ValueError(f"primitive {name!r} stands in the table already: choose another name")
        self.operand_names = self._names_of_operands(value, len(domain))
        self.mathml = mathml or self._call(self.symbol.replace("&", "&amp;").replace("<", "&lt;"))
        self.__doc__ = f"{name}({', '.join(self.operand_names)}): {value.__doc__}"
        TABLE[name] = self

    @staticmethod
    def _names_of_operands(value: Callable[..., float], count: int) -> tuple[str, ...]:
        code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
        return code.co_varnames[:count] if code else tuple(f"x{i}" for i in range(count))

    def _call(self, function: str) -> str:
        """MathML of the function of all operands."""
        operands = "<mo>,</mo>".join(f"{{{i}}}" for i, _ in enumerate(self.operand_names))
        return f"<mrow><mi>{function}</mi><mo>&#x2061;</mo><mo>(</mo>{operands}<mo>)</mo></mrow>"

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        return _row_named, (self.name,)

    def __call__(self, *operands: Any, **named: Any) -> Any:
        """Apply it: floats give a float, a `Scalar` among the operands its kind of number."""
        if named or len(operands) != len(self.operand_names):
            operands = self._complete(operands, named)
        return self.bind(operands)

    def _complete(self, operands: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Return all operands, those given by name and the defaults of the last ones included."""
        names = self.operand_names
        given = dict(zip(names[len(names) - len(self.defaults) :], self.defaults, strict=True))
        given |= dict(zip(names, operands, strict=False)) | named
        if (
            len(operands) > len(names)
            or given.keys() != {*names}
            or {*names[: len(operands)]} & {*named}
        ):
            raise TypeError(
                f"{self.name}: expected the operands ({', '.join(names)}), "
                f"got {len(operands)}{' and ' if named else ''}{', '.join(named)}"
            )
        return tuple(given[name] for name in names)

    def bind(self, operands: Sequence[Any]) -> Any:
        """Apply it to as many operands as it has; the highest rank among them decides how."""
        kinds = [*map(type, operands)]
        kind = kinds[0] if kinds else float
        if kinds.count(kind) < len(kinds) or kind not in _RANKS:
            if not _RANKS.keys() >= set(kinds):
                return self.bind(self._numbers(operands))
            kind = max(kinds, key=_RANKS.__getitem__)
        return self.value(*operands) if kind is float else kind.record(self, operands)  # type: ignore[attr-defined]

    def _numbers(self, operands: Sequence[Any]) -> list[Any]:
        """Return every operand as a float or a `Scalar`; raise a TypeError if one is no number."""
        numbers = []
        for position, x in enumerate(operands):
            if type(x) in _RANKS:
                numbers.append(x)
                continue
            if not is_real(type(x)):
                name = self.operand_name(position, len(operands))
                numpy = sys.modules.get("numpy")
                array = numpy is not None and isinstance(x, numpy.ndarray)
                advice = (
                    f"; np.{self.name} takes arrays" if array and hasattr(numpy, self.name) else ""
                )
                raise TypeError(
                    f"{self.name}: expected a number or Value as {name}, got {shown(x)}{advice}"
                )
            numbers.append(to_float(x))
        return numbers

    def operand_name(self, position: int, _count: int) -> str:
        """What the operand at this position, of so many, is called."""
        return self.operand_names[position]

    def operate(self, a: Any, b: Any) -> Any:
        """Apply it as Python's binary operators do: `NotImplemented` where an operand is no number."""
        for operand in (a, b):
            if not (isinstance(operand, Scalar) or is_real(type(operand))):
                return NotImplemented
        return self.bind((a, b))

    def partials_at(self, z: Any, operands: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """For each operand that is wanted the partial by it, None for the others.

        Args:
            z: the result.
            operands: all operands, numbers of any kind; the partials are of the same kind.
            wanted: for each operand whether anything may flow to it.
        """
        return [
            partial(z, *operands) if flows else None
            for partial, flows in zip(self.partials, wanted, strict=True)
        ]


class Function(Primitive):
    """A row of one operand, which is also a method of every `Scalar`."""

    def __call__(self, x: Any) -> Any:
        """Apply it to a float or a `Scalar`."""
        if isinstance(x, Scalar):
            return x.record_one(self)
        if type(x) is float:
            return self.value(x)
        return self.value(*self._numbers([x]))


class Reduction(Primitive):
    """A row over a list, of any length; its one partial gives those by all operands at once."""

    @staticmethod
    def _names_of_operands(_value: Callable[..., float], _count: int) -> tuple[str, ...]:
        return ("xs",)

    def _call(self, function: str) -> str:
        """MathML of the function of all operands."""
        return f"<mrow><mi>{function}</mi><mo>&#x2061;</mo><mo>(</mo>{{*}}<mo>)</mo></mrow>"

    def __call__(self, xs: Iterable[Any], *more: Any) -> Any:
        """Apply it to a list of floats and `Scalar`s."""
        if more:
            raise TypeError(f"{self.name}(xs): expected one list, got {1 + len(more)} arguments")
        return self.bind(_as_list(self.name, xs))

    def operand_name(self, position: int, _count: int) -> str:
        """What the operand at this position, of so many, is called."""
        return f"xs[{position}]"

    def partials_at(self, z: Any, operands: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """For each operand that is wanted the partial by it, None for the others."""
        partials = self.partials[0](z, *operands)
        return [p if flows else None for p, flows in zip(partials, wanted, strict=True)]


def _as_list(name: str, xs: Iterable[Any]) -> list[Any]:
    if not hasattr(xs, "__iter__"):
        raise TypeError(f"{name}(xs): expected a list of numbers, got {shown(xs)}")
    return [*xs]


class _Mean(Reduction):
    def bind(self, operands: Sequence[Any]) -> Any:
        if not operands:
            raise ValueError("mean(xs): expected at least one number, got an empty list")
        return super().bind(operands)


class _Dot(Reduction):
    """The weighted sum of a neuron: operands are all ws, then all xs, then the bias."""

    def __call__(self, ws: Sequence[Any], xs: Sequence[Any], bias: Any = 0.0) -> Any:  # type: ignore[override]
        """Bias + ws[0] xs[0] + ws[1] xs[1] + ..., added left to right."""
        try:
            if len(ws) == len(xs):
                if len(ws) and isinstance(ws[0], Scalar):
                    return ws[0].record_dot(ws, xs, bias)
                return self.bind((*ws, *xs, bias))
        except TypeError:
            for name, given in (("ws", ws), ("xs", xs)):
                if not hasattr(given, "__len__"):
                    raise TypeError(
                        f"dot(ws, xs, bias): expected a list as {name}, got {shown(given)}"
                    ) from None
            raise
        raise ValueError(
            f"dot(ws, xs, bias): expected ws and xs of equal length, got {len(ws)} and {len(xs)}"
        )

    @staticmethod
    def _names_of_operands(_value: Callable[..., float], _count: int) -> tuple[str, ...]:
        return ("ws", "xs", "bias")

    def operand_name(self, position: int, count: int) -> str:
        group, index = divmod(position, count // 2)
        return "bias" if group == 2 else f"{'ws' if group == 0 else 'xs'}[{index}]"


def _row_named(name: str) -> Primitive:
    return TABLE[name]


def _infix(sign: str) -> str:
    return f"<mrow>{{0}}<mo>{sign}</mo>{{1}}</mrow>"


def _one(_z: Any, *_operands: Any) -> float:
    return 1.0


def _zero(_z: Any, *_operands: Any) -> float:
    return 0.0


_FRACTION = "<mfrac>{0}{1}</mfrac>"
_PREFIX_MINUS = "<mrow><mo>−</mo>{0}</mrow>"
_POWER = "<msup>{0}{1}</msup>"
_POWER_LOG = "<mrow><msup>{0}{1}</msup><mi>log</mi><mo>&#x2061;</mo>{0}</mrow>"
_EXP_DIFFERENCE = "<msup><mi>e</mi><mrow>{0}<mo>−</mo>{1}</mrow></msup>"
_PORTION = "<mfrac>{0}<mrow>{0}<mo>+</mo>{1}</mrow></mfrac>"
_SQUARE = "<msup>{0}<mn>2</mn></msup>"
_RECIPROCAL = "<mfrac><mn>1</mn>{0}</mfrac>"
_CUBE_ROOT = "<mroot>{0}<mn>3</mn></mroot>"
_X_LOG_Y = "<mrow>{0}<mi>log</mi><mo>&#x2061;</mo>{1}</mrow>"
_ONE_MINUS_SQUARE = "<mrow><mn>1</mn><mo>−</mo><msup>{0}<mn>2</mn></msup></mrow>"
_LORENTZIAN = f"<mfrac><mn>1</mn>{_ONE_MINUS_SQUARE.replace('−', '+')}</mfrac>"
_EXP = "<msup><mi>e</mi>{0}</msup>"
_GAUSSIAN = "<msup><mi>e</mi><mrow><mo>−</mo><msup>{0}<mn>2</mn></msup></mrow></msup>"
_MAGNITUDE = "<mrow><mo>|</mo>{0}<mo>|</mo></mrow>"

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_REALS = (-3.0, 3.0)
_TAILS = (-740.0, 700.0)
_WIDE = (-1e150, 1e150)
_POSITIVE = (1e-150, 1e150)

# fmt: off
# name, float function                        partial by each operand as a function of the result z and the operands;
#                                             domain, what is printed where that is not name(operands), kinks

# Arithmetic
add        = Primitive("add", ieee.add,       _one,
                                              _one,
                                              domain=[_WIDE, _WIDE], symbol="+", mathml=_infix("+"))
sub        = Primitive("sub", ieee.sub,       _one,
                                              lambda z, a, b: -1.0,
                                              domain=[_WIDE, _WIDE], symbol="−", mathml=_infix("−"))
mul        = Primitive("mul", ieee.mul,       lambda z, a, b: b,
                                              lambda z, a, b: a,
                                              domain=[_WIDE, _WIDE], symbol="×", mathml=_infix("×"))
div        = Primitive("div", ieee.div,       lambda z, a, b: reciprocal(b),
                                              lambda z, a, b: div(-z, b),
                                              domain=[_WIDE, _WIDE], symbol="÷", mathml=_FRACTION,
                                              kinks="0, 0: inf, nan")
neg        = Function("neg", ieee.neg,        lambda z, x: -1.0,
                                              domain=[_WIDE], symbol="−", mathml=_PREFIX_MINUS)
times      = Primitive("times", ieee.times,   lambda z, a, b: b,
                                              lambda z, a, b: a,
                                              domain=[_WIDE, _WIDE], symbol="×", mathml=_infix("×"), selects=True)
pow        = Primitive("pow", ieee.pow,       lambda z, a, b: times(b, pow(a, b - 1.0)),
                                              lambda z, a, b: power_log(a, b),
                                              domain=[(1e-3, 1e3), (-4.0, 4.0)], symbol="^", mathml=_POWER,
                                              kinks="0, 0: 0, 0; 0, 2: 0, 0; 0, -1: -inf, -inf; -2, 2: -4, nan; nan, 0: 0, nan; 1, nan: nan, 0")
power_log  = Primitive("power_log", ieee.power_log,
                                              lambda z, a, b: times(b, power_log(a, b - 1.0)) + pow(a, b - 1.0),
                                              lambda z, a, b: times(z, log(a)),
                                              domain=[(1e-3, 1e3), (-4.0, 4.0)], symbol="a^b log a", mathml=_POWER_LOG)
square     = Function("square", ieee.square,  lambda z, x: 2.0 * x, domain=[_WIDE], symbol="²", mathml=_SQUARE)
reciprocal = Function("reciprocal", ieee.reciprocal,
                                              lambda z, x: -z * z,
                                              domain=[_WIDE], symbol="1/x", mathml=_RECIPROCAL, kinks="0: -inf")
sqrt       = Function("sqrt", ieee.sqrt,      lambda z, x: div(0.5, z),
                                              domain=[_POSITIVE], symbol="√", mathml="<msqrt>{0}</msqrt>",
                                              kinks="0: inf; -1: nan")
cbrt       = Function("cbrt", ieee.cbrt,      lambda z, x: div(square(reciprocal(z)), 3.0),
                                              domain=[_WIDE], symbol="∛", mathml=_CUBE_ROOT, kinks="0: inf")
hypot      = Primitive("hypot", ieee.hypot,   lambda z, a, b: direction(a, b),
                                              lambda z, a, b: direction(b, a),
                                              domain=[_WIDE, _WIDE], kinks="0, 0: 0, 0; inf, nan: nan, nan")
direction  = Primitive("direction", ieee.direction,
                                              lambda z, a, b: direction(b, a) * div(direction(b, a), hypot(a, b)),
                                              lambda z, a, b: -z * div(direction(b, a), hypot(a, b)),
                                              domain=[_WIDE, _WIDE], symbol="cos∠")

# Exponentials and logarithms; positive_reciprocal is 1/x on the domain of log, nan elsewhere.
exp        = Function("exp", ieee.exp,        lambda z, x: z, domain=[_TAILS], mathml=_EXP)
exp2       = Function("exp2", ieee.exp2,      lambda z, x: _LN2 * z,
                                              domain=[(-1000.0, 1000.0)], symbol="2^x", mathml="<msup><mn>2</mn>{0}</msup>")
expm1      = Function("expm1", ieee.expm1,    lambda z, x: exp(x), domain=[_TAILS])
log        = Function("log", ieee.log,        lambda z, x: positive_reciprocal(x),
                                              domain=[_POSITIVE], kinks="0: inf; -1: nan")
log2       = Function("log2", ieee.log2,      lambda z, x: div(positive_reciprocal(x), _LN2),
                                              domain=[_POSITIVE], symbol="log₂", kinks="0: inf; -1: nan")
log10      = Function("log10", ieee.log10,    lambda z, x: div(positive_reciprocal(x), _LN10),
                                              domain=[_POSITIVE], symbol="log₁₀", kinks="0: inf; -1: nan")
log1p      = Function("log1p", ieee.log1p,    lambda z, x: positive_reciprocal(1.0 + x),
                                              domain=[(-0.999, 1e150)], kinks="-1: inf; -2: nan")
positive_reciprocal = Function("positive_reciprocal", ieee.positive_reciprocal,
                                              lambda z, x: -z * z,
                                              domain=[_POSITIVE], symbol="1/x", mathml=_RECIPROCAL)
logaddexp  = Primitive("logaddexp", ieee.logaddexp,
                                              lambda z, a, b: softmax((a, b))[0],
                                              lambda z, a, b: softmax((a, b))[1],
                                              domain=[_TAILS, _TAILS],
                                              kinks="-inf, -inf: nan, nan; inf, inf: nan, nan; -inf, 1: 0, 1")
exp_difference = Primitive("exp_difference", ieee.exp_difference,
                                              lambda z, a, b: z,
                                              lambda z, a, b: -z,
                                              domain=[(-350.0, 350.0), (-350.0, 350.0)], symbol="e^(a−b)", mathml=_EXP_DIFFERENCE)
portion    = Primitive("portion", ieee.portion,
                                              lambda z, a, b: div(portion(b, a), a + b),
                                              lambda z, a, b: -div(z, a + b),
                                              domain=[_POSITIVE, _POSITIVE], symbol="a/(a+b)", mathml=_PORTION)
xlogy      = Primitive("xlogy", ieee.xlogy,   lambda z, x, y: where(equal(hypot(x, y), 0.0), 0.0, log(y)),
                                              lambda z, x, y: times(x, reciprocal(y)),
                                              domain=[_WIDE, _POSITIVE], symbol="x log y", mathml=_X_LOG_Y,
                                              kinks="0, 0: 0, 0; 0, 2: 0.6931471805599453, 0")

# Circular and hyperbolic functions
sin        = Function("sin", ieee.sin,        lambda z, x: cos(x), domain=[(-1e9, 1e9)])
cos        = Function("cos", ieee.cos,        lambda z, x: -sin(x), domain=[(-1e9, 1e9)])
tan        = Function("tan", ieee.tan,        lambda z, x: 1.0 + z * z, domain=[(-1e9, 1e9)])
asin       = Function("asin", ieee.asin,      lambda z, x: reciprocal(sqrt(one_minus_square(x))),
                                              domain=[(-0.999999, 0.999999)], kinks="1: inf; -1: inf; 2: nan")
acos       = Function("acos", ieee.acos,      lambda z, x: -reciprocal(sqrt(one_minus_square(x))),
                                              domain=[(-0.999999, 0.999999)], kinks="1: -inf; 2: nan")
one_minus_square = Function("one_minus_square", ieee.one_minus_square,
                                              lambda z, x: -2.0 * x,
                                              domain=[_WIDE], symbol="1−x²", mathml=_ONE_MINUS_SQUARE)
atan       = Function("atan", ieee.atan,      lambda z, x: lorentzian(x), domain=[_WIDE])
lorentzian = Function("lorentzian", ieee.lorentzian,
                                              lambda z, x: -2.0 * z * times(z, x),
                                              domain=[_WIDE], symbol="1/(1+x²)", mathml=_LORENTZIAN)
atan2      = Primitive("atan2", ieee.atan2,   lambda z, y, x: div(direction(x, y), hypot(x, y)),
                                              lambda z, y, x: -div(direction(y, x), hypot(x, y)),
                                              domain=[_WIDE, _WIDE], kinks="0, 0: nan, nan")
sinh       = Function("sinh", ieee.sinh,      lambda z, x: cosh(x), domain=[(-700.0, 700.0)])
cosh       = Function("cosh", ieee.cosh,      lambda z, x: sinh(x), domain=[(-700.0, 700.0)])
tanh       = Function("tanh", ieee.tanh,      lambda z, x: square(sech(x)), domain=[(-350.0, 350.0)])
sech       = Function("sech", ieee.sech,      lambda z, x: -z * tanh(x), domain=[(-700.0, 700.0)])
asinh      = Function("asinh", ieee.asinh,    lambda z, x: reciprocal(hypot(x, 1.0)), domain=[_WIDE])
acosh      = Function("acosh", ieee.acosh,    lambda z, x: div(reciprocal(sqrt(x - 1.0)), sqrt(x + 1.0)),
                                              domain=[(1.000001, 1e150)], kinks="1: inf; 0: nan")
atanh      = Function("atanh", ieee.atanh,    lambda z, x: positive_reciprocal(one_minus_square(x)),
                                              domain=[(-0.999999, 0.999999)], kinks="1: inf; -1: inf; 2: nan")

# The error function and the normal distribution
erf        = Function("erf", ieee.erf,        lambda z, x: _TWO_OVER_SQRT_PI * gaussian(x),
                                              domain=[(-26.0, 26.0)])
erfc       = Function("erfc", ieee.erfc,      lambda z, x: -_TWO_OVER_SQRT_PI * gaussian(x),
                                              domain=[(-26.0, 26.0)])
gaussian   = Function("gaussian", ieee.gaussian,
                                              lambda z, x: -2.0 * clip(x, -28.0, 28.0) * z,
                                              domain=[(-26.0, 26.0)], symbol="e^−x²", mathml=_GAUSSIAN)
normal_density = Function("normal_density", ieee.normal_density,
                                              lambda z, x: -z * clip(x, -40.0, 40.0), domain=[(-37.0, 37.0)], symbol="φ")
normal_distribution = Function("normal_distribution", ieee.normal_distribution,
                                              lambda z, x: normal_density(x),
                                              domain=[(-37.0, 37.0)], symbol="Φ")

# Transfer functions
relu       = Function("relu", ieee.relu,      lambda z, x: step(stop_gradient(x)),
                                              domain=[_WIDE], selects=True, kinks="0: 0; nan: nan")
leaky_relu = Primitive("leaky_relu", ieee.leaky_relu,
                                              lambda z, x, slope: where(less(0.0, x), 1.0, where(less_equal(x, 0.0), slope, stop_gradient(x))),
                                              lambda z, x, slope: minimum(x, 0.0),
                                              domain=[_WIDE, (0.0, 1.0)], symbol="leaky relu", defaults=(0.01,),
                                              kinks="0, 0.01: 0.01, 0; nan, 0.01: nan, nan")
elu        = Primitive("elu", ieee.elu,       lambda z, x, alpha: where(less(0.0, x), 1.0, alpha * exp(x)),
                                              lambda z, x, alpha: expm1(minimum(x, 0.0)),
                                              domain=[_TAILS, (0.5, 2.0)], defaults=(1.0,),
                                              kinks="0, 1: 1, 0; nan, 1: nan, nan")
selu       = Function("selu", ieee.selu,      lambda z, x: where(less(0.0, x), SELU_SCALE, SELU_SCALE * SELU_ALPHA * exp(x)),
                                              domain=[_TAILS], kinks="0: 1.7580993408473766; nan: nan")
softplus   = Function("softplus", ieee.softplus,
                                              lambda z, x: sigmoid(x), domain=[_TAILS])
sigmoid    = Function("sigmoid", ieee.sigmoid,
                                              lambda z, x: square(0.5 * sech(0.5 * x)),
                                              domain=[(-700.0, 700.0)], symbol="σ")
log_sigmoid = Function("log_sigmoid", ieee.log_sigmoid,
                                              lambda z, x: sigmoid(-x),
                                              domain=[(-700.0, 740.0)], symbol="log σ")
silu       = Function("silu", ieee.silu,      lambda z, x: _silu_partial(clip(x, -1500.0, 1500.0), sech(0.5 * x)),
                                              domain=[_TAILS], kinks="-inf: 0")
gelu       = Function("gelu", ieee.gelu,      lambda z, x: _gelu_partial(clip(x, -40.0, 40.0)),
                                              domain=[(-37.0, 37.0)], kinks="-inf: 0")
softsign   = Function("softsign", ieee.softsign,
                                              lambda z, x: square(reciprocal(1.0 + abs(x))),
                                              domain=[_WIDE], kinks="0: 1")
hardtanh   = Function("hardtanh", ieee.hardtanh,
                                              lambda z, x: step(stop_gradient(1.0 - abs(x))),
                                              domain=[_REALS], kinks="1: 0; -1: 0")

# Kinks and choices; rows without partials give plain numbers of Values, and nothing flows through them;
# identity is x as another node, so that uses of x here and uses of x there can be told apart
abs        = Function("abs", ieee.magnitude,  lambda z, x: sign(stop_gradient(x)),
                                              domain=[_WIDE], symbol="|x|", mathml=_MAGNITUDE,
                                              kinks="0: 0; nan: nan")
sign       = Function("sign", ieee.sign,      _zero, domain=[_REALS], kinks="0: 0; nan: 0")
step       = Function("step", ieee.step,      _zero, domain=[_REALS], kinks="0: 0")
floor      = Function("floor", ieee.floor,    _zero, domain=[(-2.5, 2.5)], mathml="<mrow><mo>⌊</mo>{0}<mo>⌋</mo></mrow>")
ceil       = Function("ceil", ieee.ceil,      _zero, domain=[(-2.5, 2.5)], mathml="<mrow><mo>⌈</mo>{0}<mo>⌉</mo></mrow>")
maximum    = Primitive("maximum", ieee.maximum,
                                              lambda z, a, b: share(a, b),
                                              lambda z, a, b: share(b, a),
                                              domain=[_REALS, _REALS], symbol="max", selects=True,
                                              kinks="1, 1: 0.5, 0.5; 0, 0: 0.5, 0.5; nan, 1: nan, 0")
minimum    = Primitive("minimum", ieee.minimum,
                                              lambda z, a, b: share(-a, -b),
                                              lambda z, a, b: share(-b, -a),
                                              domain=[_REALS, _REALS], symbol="min", selects=True,
                                              kinks="1, 1: 0.5, 0.5; nan, 1: nan, 0")
stop_gradient = Function("stop_gradient", ieee.identity, domain=[_REALS])
identity   = Function("identity", ieee.same, _one, domain=[_WIDE], mathml="{0}")
share      = Primitive("share", ieee.share,   domain=[_REALS, _REALS])
clip       = Primitive("clip", ieee.clip,     lambda z, x, low, high: inside(x, low, high),
                                              lambda z, x, low, high: where(less(x, low), truth(less_equal(low, high)), 0.0),
                                              lambda z, x, low, high: truth(less(high, maximum(x, low))),
                                              domain=[_REALS, (-2.0, -1.0), (1.0, 2.0)], selects=True,
                                              kinks="0, 0, 1: 1, 0, 0; 1, 0, 1: 1, 0, 0")
inside     = Primitive("inside", ieee.inside, domain=[_REALS, (-2.0, -1.0), (1.0, 2.0)])
where      = Primitive("where", ieee.where,   lambda z, condition, a, b: 0.0,
                                              lambda z, condition, a, b: truth(condition),
                                              lambda z, condition, a, b: 1.0 - truth(condition),
                                              domain=[(0.0, 1.0), _REALS, _REALS], selects=True)
truth      = Function("truth", ieee.truth,    domain=[_REALS], symbol="≠0", mathml="<mrow>{0}<mo>≠</mo><mn>0</mn></mrow>")
less       = Primitive("less", ieee.less,    domain=[_REALS, _REALS], symbol="<", mathml=_infix("&lt;"))
less_equal = Primitive("less_equal", ieee.less_equal,
                                              domain=[_REALS, _REALS], symbol="≤", mathml=_infix("≤"))
equal      = Primitive("equal", ieee.equal,  domain=[_REALS, _REALS], symbol="=", mathml=_infix("="))
not_equal  = Primitive("not_equal", ieee.not_equal,
                                              domain=[_REALS, _REALS], symbol="≠", mathml=_infix("≠"))

# Rows of any length; peak is the largest operand as a constant
dot        = _Dot("dot", ieee.dot,            lambda z, *o: (*o[len(o) // 2:-1], *o[:len(o) // 2], 1.0),
                                              domain=[_REALS], symbol="w·x")
sum        = Reduction("sum", ieee.sum,       lambda z, *xs: [1.0] * len(xs), domain=[_REALS], symbol="Σ")
mean       = _Mean("mean", ieee.mean,         lambda z, *xs: [reciprocal(float(len(xs)))] * len(xs),
                                              domain=[_REALS])
norm       = Reduction("norm", ieee.norm,     lambda z, *xs: [*map(direction, xs, _others(xs, hypot))],
                                              domain=[_WIDE], symbol="‖x‖", mathml="<mrow><mo>‖</mo>{*}<mo>‖</mo></mrow>")
peak       = Reduction("peak", ieee.peak,     domain=[_REALS])
logsumexp  = Reduction("logsumexp", ieee.logsumexp,
                                              lambda z, *xs: softmax(xs), domain=[(-30.0, 30.0)])
# fmt: on


# Where the derivatives of silu and gelu are 0, as sums of two floats
_SILU_ZERO, _SILU_ZERO_REST = -1.2784645427610737, -1.0946994183093437e-16
_GELU_ZERO, _GELU_ZERO_REST = -0.7517915246935645, 1.4956759177009883e-17
_SILU_RATE = 3.591121476668622  # -1 / (1 + _SILU_ZERO)


def _silu_partial(x: Any, sech_of_half: Any) -> Any:
    """Derivative of x sigmoid(x), in halves of e^x where e^x alone would be subnormal.

    Around its zero c the two terms cancel: there it is written in d = x - c. With
    (1 + c) e^-c = -1 it is sigmoid(x)^2 times 1 + (1 + x) e^-x = 1 - e^-d - d e^-d / (1 + c).
    """
    away = clip(x, -4.0, -0.5) - _SILU_ZERO - _SILU_ZERO_REST
    lost = -expm1(-away)
    logistic = sigmoid(x)
    half = 0.5 * sech_of_half
    return where(
        inside(x, -4.0, -0.5),
        square(logistic) * (lost + _SILU_RATE * away * (1.0 - lost)),
        where(
            inside(x, -1500.0, -20.0),
            half * (exp(0.5 * x) + half * x),
            logistic + half * half * x,
        ),
    )


def _series_of_gelu_partial() -> list[float]:
    """Taylor's coefficients at its zero, from the first power on.

    Its derivative is (2 - x^2) f, f being the normal density, of which f' = -x f.
    """
    x = _GELU_ZERO
    before, last, density = 0.0, 0.0, ieee.normal_density(x)  # coefficients of f
    series = []
    for power in map(float, range(1, 19)):
        slope = (2.0 - x * x) * density - 2.0 * x * last - before
        series.append(ieee.div(slope, power))
        before, last, density = last, density, -ieee.div(x * density + last, power)
    return series


_GELU_SERIES = _series_of_gelu_partial()


def _gelu_partial(x: Any) -> Any:
    """Derivative of x normal_distribution(x), by a series around its zero: there terms cancel."""
    away = x - _GELU_ZERO - _GELU_ZERO_REST
    series: Any = 0.0
    for coefficient in reversed(_GELU_SERIES):
        series = (series + coefficient) * away
    return where(inside(x, -1.0, -0.5), series, normal_distribution(x) + normal_density(x) * x)


def _others(xs: Sequence[Any], combine: Callable[[Any, Any], Any]) -> list[Any]:
    """For each x all the others combined, from what comes before it and what comes after it.

    Taking x out of a total of all would cancel where x is most of the total.
    """
    after = [0.0]
    for x in xs[:0:-1]:
        after.append(combine(after[-1], x))
    before: Any = 0.0
    others = []
    for x in xs:
        others.append(combine(before, after.pop()))
        before = combine(before, x)
    return others


def softmax(xs: Iterable[Any]) -> list[Any]:
    """e^x_i / (e^x_1 + e^x_2 + ...), shifted by the largest x so that nothing overflows.

    Args:
        xs: numbers of any kind, the logits.

    Returns:
        A list of as many numbers, which add up to 1.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    xs = _as_list("softmax", xs)
    largest = peak(xs)
    powers = [exp_difference(x, largest) for x in xs]
    return [*map(portion, powers, _others(powers, lambda a, b: a + b))]


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """x_i - logsumexp(xs), the logarithms of the softmax, shifted by the largest x.

    Args:
        xs: numbers of any kind, the logits.

    Returns:
        A list of as many numbers, none above 0.

    >>> log_softmax([0.0, -800.0])[1]
    -800.0
    """
    xs = _as_list("log_softmax", xs)
    largest = peak(xs)
    shifted = [x - largest for x in xs]
    total = logsumexp(shifted)
    return [x - total for x in shifted]


_NUMPY_NAMES = {
    "arcsin": asin,
    "arccos": acos,
    "arctan": atan,
    "arcsinh": asinh,
    "arccosh": acosh,
    "arctanh": atanh,
}


def _method(primitive: Primitive) -> Callable[..., Any]:
    def method(self: Scalar, *rest: Any) -> Any:
        return primitive(self, *rest)

    method.__doc__ = primitive.__doc__
    return method


for _name, _row in (*TABLE.items(), *_NUMPY_NAMES.items()):
    if not isinstance(_row, Reduction) and len(_row.operand_names) - len(_row.defaults) == 1:
        setattr(Scalar, _name, _method(_row))
