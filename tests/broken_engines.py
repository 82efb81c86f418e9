"""The teaching engine with one classic mistake at a time, each named as the kit names it."""

from pathlib import Path

SOURCE = Path(__file__).with_name("teaching_engine.py").read_text(encoding="utf-8")

SEED = "self.grad = 1.0 if self.operands else self.grad + 1.0"
FRESH = """\
        for value in order:
            if value.operands:
                value.grad = 0.0
"""
SWEEP = """\
        for value in reversed(order):
            for operand, partial in zip(value.operands, value.partials, strict=True):
                operand.grad += partial * value.grad
"""
ORDER = """\
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            value, complete = stack.pop()
            if complete:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                stack.append((value, True))
                stack += [(operand, False) for operand in value.operands]
"""
PRODUCT = "Value(self.data * other.data, (self, other), (other.data, self.data))"
POWER_PARTIALS = "(b and b * power(a, b - 1), z * logarithm(a))"
REFLECTED = """\
    def __{0}__(self, other):
        return {1}

"""
NEGATION = """\
    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

"""
BACKWARD = "    def backward(self):\n"
OPERANDS = "        self.operands = tuple(operands)\n"
RECURSIVE = """\
        for operand, partial in zip(self.operands, self.partials, strict=True):
            operand.grad += partial * self.grad
        for operand in self.operands:
            operand.pass_on()
"""
EARLY = """\
        self.pass_on(set())

    def pass_on(self, reached):
        if self not in reached:
            reached.add(self)
            for operand, partial in zip(self.operands, self.partials, strict=True):
                operand.grad += partial * self.grad
                operand.pass_on(reached)
"""
CALLED = """\
def called(partial):
    return partial() if callable(partial) else partial


"""


def late(expression):
    """A partial that is a function, called in the sweep."""
    return [
        (SWEEP, SWEEP.replace("partial *", "called(partial) *")),
        (
            "def as_value(x):",
            CALLED + "def as_value(x):",
        ),
        *expression,
    ]


BROKEN = {
    "seed-missing": [(SEED, "pass")],
    "seed-is-data": [(SEED, "self.grad = self.data")],
    "seed-added": [
        (FRESH, FRESH.replace("if value.operands", "if value.operands and value is not self")),
        (SEED, "self.grad += 1.0"),
    ],
    "returns-nothing": [("return Value(self.data * other.data", "Value(self.data * other.data")],
    "returns-number": [("return Value(-self.data, (self,), (-1.0,))", "return -self.data")],
    "nothing-passed-back": [
        ("return Value(-self.data, (self,), (-1.0,))", "return Value(-self.data)")
    ],
    "one-step-only": [("in reversed(order)", "in order")],
    "seed-everywhere": [
        (ORDER, ""),
        (FRESH, ""),
        (SEED, "self.grad = 1.0"),
        (SWEEP, RECURSIVE.replace("operand.pass_on", "operand.operands and operand.backward")),
    ],
    "no-chain-rule": [("operand.grad += partial * value.grad", "operand.grad += partial")],
    "assigned-gradient": [("operand.grad += ", "operand.grad = ")],
    "operand-set": [
        (
            "zip(value.operands, value.partials, strict=True)",
            "dict(zip(value.operands, value.partials, strict=True)).items()",
        )
    ],
    "product-own-factor": [
        (PRODUCT, PRODUCT.replace("other.data, self.data", "self.data, other.data"))
    ],
    "plain-numbers": [("return x if isinstance(x, Value) else Value(x)", "return x")],
    "integer-gradient": [
        ("operand.grad += partial * value.grad", "operand.grad += int(partial * value.grad)")
    ],
    "float32": [
        ("import math\n", "import math\nimport struct\n"),
        ("self.data = float(data)", 'self.data = struct.unpack("f", struct.pack("f", data))[0]'),
    ],
    "subtraction-swapped": [("(1.0, -1.0)", "(-1.0, 1.0)")],
    "subtraction-no-sign": [("(1.0, -1.0)", "(1.0, 1.0)")],
    "reflected-subtraction-swapped": [("Value(other) - self", "self - other")],
    "reflected-division-swapped": [("Value(other) / self", "self / other")],
    "reflected-power-swapped": [("Value(other) ** self", "self**other")],
    "no-reflected-addition": [(REFLECTED.format("radd", "self + other"), "")],
    "no-reflected-multiplication": [(REFLECTED.format("rmul", "self * other"), "")],
    "no-reflected-subtraction": [(REFLECTED.format("rsub", "Value(other) - self"), "")],
    "no-reflected-division": [(REFLECTED.format("rtruediv", "Value(other) / self"), "")],
    "no-reflected-power": [(REFLECTED.format("rpow", "Value(other) ** self"), "")],
    "no-negation": [(NEGATION, "")],
    "negation-sign": [("(self,), (-1.0,)", "(self,), (1.0,)")],
    "sum-fails": [
        ("        return self + other\n", "        return Value(other or None) + self\n"),
    ],
    "division-second-sign": [("-quotient(z, b)", "quotient(z, b)")],
    "division-square-lost": [("-quotient(z, b)", "-z")],
    "division-upside-down": [("quotient(1.0, b), -", "b, -")],
    "division-by-gradient": late(
        [
            ("z = quotient(a, b)\n", "z = quotient(a, b)\n        out = Value(z)\n"),
            (
                "return Value(z, (self, as_value(other)), (quotient(1.0, b), -quotient(z, b)))",
                """out.operands = (self, as_value(other))
        out.partials = (lambda: b / out.grad**2, lambda: a / out.grad**2)
        return out""",
            ),
        ]
    ),
    "epsilon-added": [("z = quotient(a, b)", "z = quotient(a, b + 1e-8)")],
    "power-base-only": [("z * logarithm(a)", "0.0")],
    "power-exponent-kept": [("b * power(a, b - 1)", "b * power(a, b)")],
    "power-factor-lost": [("b and b * power(a, b - 1)", "b and power(a, b - 1)")],
    "power-negative-base": [
        ("z = power(a, b)", "z = power(a, b) if a == 0 else math.exp(b * math.log(a))")
    ],
    "power-divides-by-base": [("b and b * power(a, b - 1)", "b and b * z / a")],
    "in-place-aliasing": [
        (
            BACKWARD,
            "    def __iadd__(self, other):\n"
            "        self.data += other.data\n        return self\n\n" + BACKWARD,
        )
    ],
    "no-topological-order": [
        (
            ORDER,
            """\
        order, seen, queue = [], {self}, [self]
        for value in queue:
            order.insert(0, value)
            for operand in value.operands:
                if operand not in seen:
                    seen.add(operand)
                    queue.append(operand)
""",
        ),
    ],
    "passed-on-early": [(SWEEP, EARLY)],
    "passed-on-twice": [
        (FRESH, ""),
        (SEED, "self.grad = 1.0"),
        (ORDER, "        order = []\n"),
        (SWEEP, "        self.pass_on()\n\n    def pass_on(self):\n" + RECURSIVE),
    ],
    "exponential-time": [
        (FRESH, ""),
        (SEED, ""),
        (ORDER, ""),
        (
            SWEEP,
            """\
        stack = [(self, 1.0)]
        while stack:
            value, cotangent = stack.pop()
            value.grad += cotangent
            for operand, partial in zip(value.operands, value.partials, strict=True):
                stack.append((operand, partial * cotangent))
""",
        ),
    ],
    "stale-interior": [(FRESH, ""), (SEED, "self.grad = 1.0")],
    "leaf-reset": [
        (
            "            if value.operands:\n                value.grad = 0.0",
            "            value.grad = 0.0",
        )
    ],
    "visited-flag": [
        ("value not in seen", "value.operands == () or not value.visited"),
        ("seen.add(value)", "value.visited = True"),
        (OPERANDS, OPERANDS + "        self.visited = False\n"),
    ],
    "used-after-root": [
        (OPERANDS, OPERANDS + "        TAPE.append(self)\n"),
        (ORDER, "        order = list(TAPE)\n"),
        (SEED, "TAPE[-1].grad = 1.0"),
        ("INF, NAN", "TAPE = []\nINF, NAN"),
    ],
    "equality-merges-values": [
        (
            BACKWARD,
            """\
    def __eq__(self, other):
        return self.data == other.data

    def __hash__(self):
        return hash(self.data)

"""
            + BACKWARD,
        ),
    ],
    "unhashable": [
        (BACKWARD, "    def __eq__(self, other):\n        return self is other\n\n" + BACKWARD),
        ("value not in seen", "id(value) not in seen"),
        ("seen.add(value)", "seen.add(id(value))"),
    ],
    "tanh-of-input": [("4 * e / (1 + e) ** 2", "1 - self.data**2 + 0 * e")],
    "sigmoid-of-input": [
        ("(s, (self,), (e / (1 + e) ** 2,))", "(s, (self,), (self.data * (1 - self.data),))")
    ],
    "cosine-sign": [("-math.sin(self.data)", "math.sin(self.data)")],
    "logarithm-upside-down": [("quotient(1.0, self.data),", "self.data,")],
    "relu-leaks": [("(float(self.data > 0),)", "(1.0,)")],
    "tanh-cancels": [("4 * e / (1 + e) ** 2", "1 - math.tanh(self.data) ** 2 + 0 * e")],
    "tanh-overflow": [
        ("e = math.exp(-2 * abs(self.data))", "e = math.exp(2 * self.data)"),
        ("math.tanh(self.data), (self,)", "(e - 1) / (e + 1), (self,)"),
    ],
    "sigmoid-cancels": [("(s, (self,), (e / (1 + e) ** 2,))", "(s, (self,), (s * (1 - s),))")],
    "sigmoid-overflow": [
        ("e = math.exp(-abs(self.data))\n        s", "e = math.exp(-self.data)\n        s"),
        ("s = (1 if self.data >= 0 else e) / (1 + e)", "s = 1 / (1 + e)"),
    ],
    "softplus-overflow": [
        (
            "max(self.data, 0.0) + math.log1p(math.exp(-abs(self.data)))",
            "math.log1p(math.exp(self.data))",
        )
    ],
    "softplus-cancels": [
        ("math.log1p(math.exp(-abs(self.data)))", "math.log(1 + math.exp(-abs(self.data)))")
    ],
    "relu-at-zero": [("self.data > 0)", "self.data >= 0)")],
    "exponential-raises": [("z = exponential(self.data)", "z = math.exp(self.data)")],
    "logarithm-raises": [("Value(logarithm(self.data)", "Value(math.log(self.data)")],
    "root-raises": [
        (
            "return self**0.5",
            "return Value(math.sqrt(self.data), (self,), (0.5 / math.sqrt(self.data),))",
        )
    ],
    "division-raises": [("z = quotient(a, b)", "z = a / b")],
    "power-raises": [
        ("z = power(a, b)", "z = a**b if a >= 0 else power(a, b)"),
        (POWER_PARTIALS, "(b * a ** (b - 1) if a >= 0 else b * power(a, b - 1), z * logarithm(a))"),
        (
            "return self**0.5",
            "return Value(power(self.data, 0.5), (self,), (0.5 * power(self.data, -0.5),))",
        ),
    ],
    "complex-power": [
        ("return NAN if isinstance(z, complex) else z", "return z"),
        (
            "self.data = float(data)",
            "self.data = data if isinstance(data, complex) else float(data)",
        ),
        (
            "return self**0.5",
            (
                "z = power(self.data, 0.5) if self.data >= 0 else NAN\n"
                "        return Value(z, (self,), (0.5 * power(self.data, -0.5),))"
            ),
        ),
    ],
    "nan-lost": [("    if math.isnan(a.data + b.data):\n        return a + b\n", "")],
    "relu-loses-nan": [
        ("0.0 if self.data < 0 else self.data", "self.data if self.data > 0 else 0.0")
    ],
    "zero-skips": [
        (
            "operand.grad += partial * value.grad",
            "operand.grad += value.grad and partial * value.grad",
        )
    ],
    "recursive-order": [
        (
            ORDER,
            """\
        order, seen = [], set()

        def visit(value):
            if value not in seen:
                seen.add(value)
                for operand in value.operands:
                    visit(operand)
                order.append(value)

        visit(self)
        del visit
""",
        ),
    ],
    "quadratic-search": [("set(), [(self", "[], [(self"), ("seen.add", "seen.append")],
    "late-operand": late(
        [
            ("(other.data, self.data)", "(lambda: other.data, lambda: self.data)"),
            (POWER_PARTIALS, "(lambda: b and b * power(self.data, b - 1), z * logarithm(a))"),
        ]
    ),
    "late-result": late(
        [
            (
                "z = exponential(self.data)\n        return Value(z, (self,), (z,))",
                """\
out = Value(exponential(self.data), (self,))
        out.partials = (lambda: out.data,)
        return out""",
            ),
        ]
    ),
    "integer-numbers": [("self.data = float(data)", "self.data = data")],
    "unordered": [("in value.operands]", "in set(value.operands)]")],
    "reference-cycles": [(OPERANDS, OPERANDS + "        self.node = self\n")],
    "memory-grows": [
        (OPERANDS, OPERANDS + "        EVERY.append(self)\n"),
        ("INF, NAN", "EVERY = []\nINF, NAN"),
    ],
}


def broken(mistake):
    """The text of an engine with that mistake."""
    text = SOURCE
    for right, wrong in BROKEN[mistake]:
        assert right in text, f"{mistake}: the teaching engine has no {right!r}"
        text = text.replace(right, wrong, 1)
    return text
