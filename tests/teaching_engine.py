"""A small correct engine, as a course would build it: the conformance kit must not accuse it.

`broken_engines.py` makes one classic mistake after another out of this text.
"""

import math

INF, NAN = math.inf, math.nan


class Value:
    """A number that remembers how it was computed."""

    def __init__(self, data, operands=(), partials=()):
        self.data = float(data)
        self.grad = 0.0
        self.operands = tuple(operands)
        self.partials = tuple(partials)

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            value, complete = stack.pop()
            if complete:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                stack.append((value, True))
                stack += [(operand, False) for operand in value.operands]
        for value in order:
            if value.operands:
                value.grad = 0.0
        self.grad = 1.0 if self.operands else self.grad + 1.0
        for value in reversed(order):
            for operand, partial in zip(value.operands, value.partials, strict=True):
                operand.grad += partial * value.grad

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        other = as_value(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __truediv__(self, other):
        a, b = self.data, as_value(other).data
        z = quotient(a, b)
        return Value(z, (self, as_value(other)), (quotient(1.0, b), -quotient(z, b)))

    def __pow__(self, other):
        a, b = self.data, as_value(other).data
        z = power(a, b)
        return Value(z, (self, as_value(other)), (b and b * power(a, b - 1), z * logarithm(a)))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value(other) - self

    def __rtruediv__(self, other):
        return Value(other) / self

    def __rpow__(self, other):
        return Value(other) ** self

    def exp(self):
        z = exponential(self.data)
        return Value(z, (self,), (z,))

    def log(self):
        return Value(logarithm(self.data), (self,), (quotient(1.0, self.data),))

    def sqrt(self):
        return self**0.5

    def sin(self):
        return Value(math.sin(self.data), (self,), (math.cos(self.data),))

    def cos(self):
        return Value(math.cos(self.data), (self,), (-math.sin(self.data),))

    def tanh(self):
        e = math.exp(-2 * abs(self.data))
        return Value(math.tanh(self.data), (self,), (4 * e / (1 + e) ** 2,))

    def sigmoid(self):
        e = math.exp(-abs(self.data))
        s = (1 if self.data >= 0 else e) / (1 + e)
        return Value(s, (self,), (e / (1 + e) ** 2,))

    def softplus(self):
        z = max(self.data, 0.0) + math.log1p(math.exp(-abs(self.data)))
        return Value(z, (self,), (self.sigmoid().data,))

    def relu(self):
        return Value(0.0 if self.data < 0 else self.data, (self,), (float(self.data > 0),))

    def maximum(self, other):
        return select(self, other, self.data > other.data)

    def minimum(self, other):
        return select(self, other, self.data < other.data)


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


def select(a, b, first):
    if math.isnan(a.data + b.data):
        return a + b
    share = 0.5 if a.data == b.data else float(first)
    return Value(a.data if first else b.data, (a, b), (share, 1.0 - share))


def quotient(a, b):
    if b == 0.0:
        return NAN if a == 0.0 else a * math.copysign(INF, b)
    return a / b


def power(a, b):
    try:
        z = a**b
    except ArithmeticError:
        return INF
    return NAN if isinstance(z, complex) else z


def exponential(x):
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def logarithm(x):
    return -INF if x == 0.0 else NAN if x < 0.0 else math.log(x)
