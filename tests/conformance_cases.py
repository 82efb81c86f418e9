"""Write autograd/conformance/cases.json: the cases, their answers computed by mpmath.

    python tests/conformance_cases.py

Programs are written as Python and stored as data. Values come from mpmath at 400 digits, and
gradients from differences at that precision, never from a rule of differentiation. Where a case is
about inf, nan, a kink or a changed number, its answer is written down here, as a convention.
"""

import ast
import json
from pathlib import Path

from mpmath import mp, mpf

OUT = Path(__file__).parents[1] / "autograd" / "conformance" / "cases.json"
LEVELS = {
    1: "Add, multiply, backward",
    2: "Every operator",
    3: "The truth about graphs",
    4: "Functions, tails included",
    5: "Kinks, nan, infinity",
    6: "Robustness",
    7: "Higher order",
}
OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.USub: "neg",
}
FUNCTIONS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: mpf(a) ** b,
    "neg": lambda a: -a,
    "sum": lambda *xs: mp.fsum(xs),
    "value": lambda x: x,
    "exp": mp.exp,
    "log": mp.log,
    "sqrt": mp.sqrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "relu": lambda x: max(x, mpf(0)),
    "abs": abs,
    "maximum": max,
    "minimum": min,
}
STEP = mpf(10) ** -60  # of differences, relative; three in one another leave 220 digits


# Programs: from Python to data


def program(lines):
    """The steps that lines of Python mean; a pair (count, lines) repeats."""
    return [
        ["repeat", line[0], program(line[1:])]
        if isinstance(line, tuple)
        else step(ast.parse(line).body[0])
        for line in lines
    ]


def step(node):
    match node:
        case ast.Assign(
            [ast.Name(name)], ast.Call(ast.Name("gradient"), [ast.Name(y), ast.Name(x)])
        ):
            return ["gradient", name, y, x]
        case ast.Assign([ast.Name(name)], given):
            return ["let", name, expression(given)]
        case ast.AugAssign(ast.Name(name), operation, given):
            return ["update", name, OPERATORS[type(operation)], expression(given)]
        case ast.Assign([ast.Attribute(ast.Name(name), "data")], given):
            return ["set", name, ast.literal_eval(given)]
        case ast.Assign([ast.Attribute(ast.Name(name), "grad")], ast.Constant(0)):
            return ["zero", name]
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "backward"))):
            return ["backward", name]
    raise ValueError(ast.unparse(node))


def expression(node):
    match node:
        case ast.Name(name):
            return name
        case ast.UnaryOp(ast.USub(), ast.Constant(x)):
            return -x
        case ast.Constant(x):
            return x
        case ast.UnaryOp(operation, operand):
            return [OPERATORS[type(operation)], expression(operand)]
        case ast.BinOp(left, operation, right):
            return [OPERATORS[type(operation)], expression(left), expression(right)]
        case ast.Call(ast.Name("sum"), [ast.List(operands)]):
            return ["sum", *map(expression, operands)]
        case ast.Call(ast.Name(name), operands):
            return [name.lower(), *map(expression, operands)]
    raise ValueError(ast.unparse(node))


# Answers: values, and gradients as differences


def run(inputs, steps):
    """The named numbers and the gradients of the inputs after these steps."""
    numbers, gradients = dict(inputs), dict.fromkeys(inputs, mpf(0))
    done = []
    for each in steps:
        match each:
            case ["let", name, given]:
                numbers[name] = evaluate(given, numbers)
            case ["update", name, operation, given]:
                numbers[name] = FUNCTIONS[operation](numbers[name], evaluate(given, numbers))
            case ["gradient", name, of, by]:
                numbers[name] = difference(inputs, done, of, by)
            case ["backward", name]:
                for leaf in inputs:
                    gradients[leaf] += difference(inputs, done, name, leaf)
            case ["zero", name]:
                gradients[name] = mpf(0)
            case ["repeat", count, inner]:
                for _ in range(count):
                    for step in inner:
                        _, name, given = step
                        numbers[name] = evaluate(given, numbers)
        done = [*done, each]
    return numbers, gradients


def evaluate(given, numbers):
    if isinstance(given, str):
        return numbers[given]
    if not isinstance(given, list):
        return mpf(given)
    operation, *operands = given
    return FUNCTIONS[operation](*(evaluate(each, numbers) for each in operands))


def difference(inputs, steps, of, by):
    """The central difference quotient of one name by one input."""
    steps = [each for each in steps if each[0] not in {"backward", "zero"}]
    size = abs(inputs[by]) * STEP or STEP
    above = run(inputs | {by: inputs[by] + size}, steps)[0][of]
    below = run(inputs | {by: inputs[by] - size}, steps)[0][of]
    return (above - below) / (2 * size)


def answers(inputs, steps, readings):
    with mp.workdps(400):
        numbers, gradients = run({name: mpf(x) for name, x in inputs.items()}, steps)
        known = {
            reading: (gradients if reading.endswith(".grad") else numbers)[reading[:-5]]
            for reading in readings
        }
        return {reading: plain(float(x)) for reading, x in known.items()}


def plain(x):
    return int(x) if x == int(x) and abs(x) < 1e15 else x


# The file


CASES = []
MISTAKES = {}


def mistake(name, says, remedy):
    MISTAKES[name] = [says, remedy]


def case(name, level, inputs, lines, reads, lesson, **rest):
    """A case with computed answers, or with those of `reads` if it holds them."""
    steps = program(lines)
    expect = answers(inputs, steps, reads.split()) if isinstance(reads, str) else reads
    add(name, level, lesson, expect, {"inputs": inputs, "program": steps}, rest)


def probe(name, level, procedure, expect, lesson, **rest):
    add(name, level, lesson, expect, {"probe": procedure}, rest)


def add(name, level, lesson, expect, asked, rest):
    whole = {"name": name, "level": level, **asked, "expect": expect, **rest, "lesson": lesson}
    assert name not in {each["name"] for each in CASES}, name
    assert {*rest.get("catches", {})} <= {*MISTAKES}, f"{name}: {rest['catches'].keys()}"
    CASES.append(whole)


def write():
    def rows(pairs):
        return ",\n".join(f"  {json.dumps(key)}: {compact(given)}" for key, given in pairs)

    def entry(each):
        return (
            "  {\n"
            + ",\n".join(f"   {json.dumps(k)}: {compact(v)}" for k, v in each.items())
            + "\n  }"
        )

    levels = rows((str(level), name) for level, name in LEVELS.items())
    used = {name for each in CASES for name in each.get("catches", {})}
    assert used == {*MISTAKES}, {*MISTAKES} - used
    entries = ",\n".join(map(entry, sorted(CASES, key=lambda each: each["level"])))
    text = f"""{{
 "version": 1,
 "levels": {{
{levels}
 }},
 "mistakes": {{
{rows(MISTAKES.items())}
 }},
 "cases": [
{entries}
 ]
}}
"""
    OUT.write_text(text, encoding="utf-8")


def compact(given):
    return json.dumps(given, ensure_ascii=False, allow_nan=False)


# The mistakes

RAISES = {"raises": "Exception"}

mistake(
    "seed-missing",
    "backward() never starts: the root's own gradient is not set to 1.",
    "d y / d y is 1: before the sweep write `self.grad = 1.0`.",
)
mistake(
    "seed-is-data",
    "backward() starts from the root's number where it should start from 1.",
    "d y / d y is 1, whatever y is: before the sweep write `self.grad = 1.0`.",
)
mistake(
    "no-chain-rule",
    "The local derivative is passed on without the gradient that came from above.",
    "Multiply: `operand.grad += local_derivative * out.grad`.",
)
mistake(
    "assigned-gradient",
    "You assign `.grad` where you should add: of several uses only the last one counts.",
    "Write `self.grad += ...`, not `self.grad = ...`, in every operation.",
)
mistake(
    "operand-set",
    "Operands are kept in a set or a dict, where a value that is used twice by one operation"
    " is there once.",
    "Keep operands in a tuple: (a, a) has two entries.",
)
mistake(
    "product-own-factor",
    "The product rule is crossed: each factor gets itself, where it should get the other one.",
    "d(ab)/da is b: `self.grad += other.data * out.grad`.",
)
mistake(
    "plain-numbers",
    "A plain number as the other operand is not made a value.",
    "Begin each operation with `other = other if isinstance(other, Value) else Value(other)`.",
)
mistake(
    "integer-gradient",
    "Gradients are rounded to whole numbers.",
    "Keep numbers as floats: `float(...)`, never `int(...)` or `//`.",
)
mistake(
    "float32",
    "Numbers are kept in single precision: some seven digits are right, then noise.",
    "Use Python's float, which has double precision.",
)
mistake(
    "subtraction-swapped",
    "The signs of subtraction's derivatives are swapped.",
    "d(a - b)/da is 1 and d(a - b)/db is -1.",
)
mistake(
    "subtraction-no-sign",
    "The second operand of a subtraction gets the gradient without its minus sign.",
    "d(a - b)/db is -1.",
)
mistake(
    "reflected-subtraction-swapped",
    "`10 - a` is computed as `a - 10`: Python calls a.__rsub__(10), and self is on the right.",
    "Write `def __rsub__(self, other): return Value(other) - self`.",
)
mistake(
    "reflected-division-swapped",
    "`6 / a` is computed as `a / 6`: Python calls a.__rtruediv__(6), and self is below the line.",
    "Write `def __rtruediv__(self, other): return Value(other) / self`.",
)
mistake(
    "reflected-power-swapped",
    "`2 ** a` is computed as `a ** 2`: Python calls a.__rpow__(2), and self is the exponent.",
    "Write `def __rpow__(self, other): return Value(other) ** self`.",
)
for sign, method, use in (
    ("addition", "__radd__", "2 + a"),
    ("multiplication", "__rmul__", "3 * a"),
    ("subtraction", "__rsub__", "10 - a"),
    ("division", "__rtruediv__", "6 / a"),
    ("power", "__rpow__", "2 ** a"),
):
    also = " So sum() fails too: it starts from 0." if sign == "addition" else ""
    mistake(
        f"no-reflected-{sign}",
        f"With a plain number on the left, as in `{use}`, Python calls {method}, which is not"
        f" there.{also}",
        f"Define {method}(self, other).",
    )
mistake(
    "no-negation",
    "`-a` needs __neg__, which is not there.",
    "Write `def __neg__(self): return self * -1`.",
)
mistake(
    "negation-sign",
    "The derivative of -a is given as 1 where it is -1.",
    "d(-a)/da is -1.",
)
mistake(
    "sum-fails",
    "sum() fails though 2 + a is there: sum() starts from the int 0.",
    "Let __radd__ take any number, 0 included.",
)
mistake(
    "division-second-sign",
    "The second derivative of division has the wrong sign.",
    "d(a/b)/db is -a/b**2, with the minus.",
)
mistake(
    "division-upside-down",
    "Division passes on g * b where it should pass on g / b.",
    "d(a/b)/da is 1/b: `self.grad += out.grad / other.data`.",
)
mistake(
    "division-by-gradient",
    "Division divides by the gradient that came from above: b/g and a/g.",
    "The gradient from above is a factor: g / b, and -g * a / b**2.",
)
mistake(
    "power-base-only",
    "In a ** b only the base gets a gradient; the exponent is a value too.",
    "d(a**b)/db is a**b * log(a). If exponents are to be plain numbers, refuse a value"
    " with NotImplementedError.",
)
mistake(
    "power-exponent-kept",
    "The power rule keeps its exponent: n * a**n.",
    "d(a**n)/da is n * a**(n - 1).",
)
mistake(
    "power-factor-lost",
    "The power rule loses its factor: a**(n - 1).",
    "d(a**n)/da is n * a**(n - 1).",
)
mistake(
    "power-negative-base",
    "A power of a negative base takes the logarithm of the base, which does not exist,"
    " though nobody asked for the exponent's derivative.",
    "Compute log(base) only if the exponent is a value, and only where the base is positive;"
    " never compute a power as exp(b * log(a)).",
)
mistake(
    "power-divides-by-base",
    "The power rule is written n * a**n / a, which divides by zero at a = 0.",
    "Write it n * a**(n - 1).",
)
mistake(
    "in-place-aliasing",
    "`y += b` changes the number inside the value, so every other name of that value,"
    " and the graph behind it, changes too.",
    "Do not define __iadd__ and its kin: Python then makes `y = y + b` of it.",
)
mistake(
    "no-topological-order",
    "A value passes its gradient on before it has received all of it.",
    "Order the graph so that every user comes before its operands, and sweep in that order.",
)
mistake(
    "passed-on-twice",
    "backward() calls itself at every operand, so a value with two users passes its whole"
    " gradient on twice.",
    "Collect the graph in topological order first; then visit every value once.",
)
mistake(
    "exponential-time",
    "Every path through the graph is walked, and paths double with every reuse.",
    "Visit every value once, in topological order.",
)
mistake(
    "stale-interior",
    "Interior gradients of an earlier backward() are still there at the next one,"
    " and are passed on again.",
    "Only leaves accumulate: at the beginning of backward() set interior gradients to 0.",
)
mistake(
    "seed-added",
    "backward() adds 1 to the root's own gradient, where an earlier sweep may have left something.",
    "Set it: `self.grad = 1.0`, before the sweep.",
)
mistake(
    "leaf-reset",
    "backward() sets the gradients of leaves back, so a second root does not add to them.",
    "Leaves accumulate over calls of backward(); whoever trains sets them to 0.",
)
mistake(
    "visited-flag",
    "Values stay marked as visited, so a second backward() stops at them.",
    "Keep a fresh set of the values seen in each backward().",
)
mistake(
    "used-after-root",
    "backward() runs through values that the root does not depend on.",
    "Sweep over what is reachable from the root, and nothing else.",
)
mistake(
    "equality-merges-values",
    "Two values with equal numbers count as one: __eq__ or __hash__ goes by the number, so a set"
    " or `in` takes one for the other.",
    "Let hash go by identity (`__hash__ = object.__hash__`), and decide with `is` or id().",
)
mistake(
    "unhashable",
    "Values cannot be put in a set: a class that defines __eq__ loses __hash__.",
    "Write `__hash__ = object.__hash__` below __eq__.",
)
mistake(
    "tanh-of-input",
    "tanh's derivative is computed from its input, 1 - x**2.",
    "It is 1 - t**2, where t is tanh(x).",
)
mistake(
    "sigmoid-of-input",
    "sigmoid's derivative is computed from its input, x * (1 - x).",
    "It is s * (1 - s), where s is sigmoid(x).",
)
mistake(
    "cosine-sign",
    "The derivative of cos has the wrong sign.",
    "It is -sin(x).",
)
mistake(
    "logarithm-upside-down",
    "The derivative of log is given as x.",
    "It is 1 / x.",
)
mistake(
    "relu-leaks",
    "relu passes its gradient on where its input is negative.",
    "Multiply by 1 where x > 0, else by 0.",
)
mistake(
    "tanh-cancels",
    "1 - t**2 has no correct digit once t rounds to 1: the gradient is 0 too early.",
    "Write it 1 / cosh(x)**2, or 4e / (1 + e)**2 with e = exp(-2 * abs(x)).",
)
mistake(
    "tanh-overflow",
    "tanh is computed by an exponential that overflows.",
    "Use math.tanh, and exponentials of -abs(x) alone.",
)
mistake(
    "sigmoid-cancels",
    "s * (1 - s) has no correct digit once s rounds to 1: the gradient is 0 too early.",
    "Write it e / (1 + e)**2 with e = exp(-abs(x)).",
)
mistake(
    "sigmoid-overflow",
    "sigmoid computes exp(-x), which overflows for very negative x.",
    "For x < 0 compute exp(x) / (1 + exp(x)).",
)
mistake(
    "softplus-overflow",
    "softplus computes exp(x), which overflows.",
    "Write it max(x, 0) + log1p(exp(-abs(x))).",
)
mistake(
    "softplus-cancels",
    "log(1 + e) has no correct digit once 1 + e rounds to 1.",
    "Write it with log1p.",
)
mistake(
    "relu-at-zero",
    "relu's derivative at 0 is given as other than 0, which everyone else gives.",
    "Compare with >, not >=.",
)
mistake(
    "exponential-raises",
    "exp raises where the result is too large for a float; the result is inf.",
    "Catch OverflowError and give inf.",
)
mistake(
    "logarithm-raises",
    "log raises at 0 and below; the results are -inf and nan.",
    "Python's math raises ValueError there: test for x <= 0 first.",
)
mistake(
    "root-raises",
    "sqrt raises at 0 or below; its derivative at 0 is inf, and below 0 both are nan.",
    "Python's math raises there: test for x <= 0 first.",
)
mistake(
    "division-raises",
    "Dividing by 0 raises; the result is an infinity, or nan for 0 / 0.",
    "Python's floats raise ZeroDivisionError: test for it, and give copysign(inf, ...).",
)
mistake(
    "power-raises",
    "A power raises where the result is infinite or undefined.",
    "Python's floats raise OverflowError and ZeroDivisionError: catch them, and give inf.",
)
mistake(
    "complex-power",
    "A fractional power of a negative number has become a complex number.",
    "Python's float ** float does that: give nan, as math.pow would like to.",
)
mistake(
    "nan-lost",
    "nan is lost in maximum or minimum: comparisons with nan are False, so Python's max and min"
    " give whichever operand came first.",
    "Test for nan (x != x) before comparing.",
)
mistake(
    "relu-loses-nan",
    "relu of nan is given as 0, which hides an error.",
    "Write it `0.0 if x < 0 else x`: then nan stays nan.",
)
mistake(
    "zero-skips",
    "A zero in the gradient is taken to mean that nothing flows, and 0 times inf is nan.",
    "Multiply, also by zero.",
)
mistake(
    "recursive-order",
    "The graph is walked by recursion, which ends at Python's recursion limit of 1,000.",
    "Keep a stack of your own in a list.",
)
mistake(
    "quadratic-search",
    "Time grows with the square of the graph: the values seen are searched in a list.",
    "Keep them in a set.",
)
mistake(
    "late-operand",
    "backward() reads the operands' numbers late, when somebody may have changed them.",
    "Compute local derivatives, or copy the numbers, when the operation runs.",
)
mistake(
    "late-result",
    "backward() reads the result's number late, when somebody may have changed it.",
    "Keep the result in a local variable: `t = math.exp(self.data)`.",
)
mistake(
    "integer-numbers",
    "Numbers stay ints, or become something else than floats.",
    "Write `self.data = float(data)` and `self.grad = 0.0`.",
)
mistake(
    "unordered",
    "The same program gives different last digits: the order of additions depends on where"
    " objects lie in memory, as the order of a set does.",
    "Keep operands in a tuple, and visit them in its order.",
)
mistake(
    "reference-cycles",
    "Values refer to themselves in circles (a closure that holds its own result), so memory"
    " waits for the garbage collector.",
    "Store operands and local derivatives, not closures over the result.",
)
mistake(
    "memory-grows",
    "Something keeps every value that was ever made, such as a global list.",
    "Let the graph hang on its result alone.",
)
mistake(
    "second-order-constant",
    "Gradients of gradients are 0: the first gradient has no graph of its own.",
    "Compute gradients in the engine's own operations.",
)


# Level 1

AB = {"a": 2, "b": 3}

case(
    "sum",
    1,
    AB,
    ["y = a + b", "y.backward()"],
    "y.data a.grad b.grad",
    "Addition hands its gradient on to both operands unchanged.",
    catches={"seed-missing": {"a.grad": 0}, "seed-is-data": {"a.grad": 5}},
)
case(
    "product",
    1,
    AB,
    ["y = a * b", "y.backward()"],
    "y.data a.grad b.grad",
    "The derivative of a product by one factor is the other factor.",
    catches={
        "seed-missing": {"a.grad": 0},
        "seed-is-data": {"a.grad": 18},
        "product-own-factor": {"a.grad": 2, "b.grad": 3},
    },
)
case(
    "product-and-sum",
    1,
    {"a": 2, "b": -3, "c": 10},
    ["y = a * b + c", "y.backward()"],
    "y.data a.grad b.grad c.grad",
    "Gradients flow from the result back to the leaves, through every operation.",
    catches={"seed-missing": {"a.grad": 0}, "product-own-factor": {"a.grad": 2}},
)
case(
    "product-of-three",
    1,
    {"a": 2, "b": 3, "c": 4},
    ["y = a * b * c", "y.backward()"],
    "a.grad b.grad c.grad",
    "The chain rule: what comes from above, times the local derivative.",
    catches={"no-chain-rule": {"a.grad": 3, "b.grad": 2}, "seed-missing": {"a.grad": 0}},
)
case(
    "sum-of-itself",
    1,
    {"a": 3},
    ["y = a + a", "y.backward()"],
    "y.data a.grad",
    "A value used twice gets gradient twice: add, do not assign.",
    catches={"assigned-gradient": {"a.grad": 1}, "operand-set": {"a.grad": 1}},
)
case(
    "product-with-itself",
    1,
    {"a": 3},
    ["y = a * a", "y.backward()"],
    "y.data a.grad",
    "The derivative of a * a is 2a: one a for each of the two uses.",
    catches={
        "assigned-gradient": {"a.grad": 3},
        "operand-set": {"a.grad": 3},
        "seed-missing": {"a.grad": 0},
    },
)
case(
    "plain-number",
    1,
    {"a": 3},
    ["y = (a + 2) * 5", "y.backward()"],
    "y.data a.grad",
    "A plain number is a constant: it takes part, and nothing flows to it.",
    catches={"plain-numbers": [{"raises": "AttributeError"}, {"ends": "missing"}]},
)
case(
    "halves",
    1,
    {"a": 3, "b": 0.5},
    ["y = a * b", "y.backward()"],
    "y.data a.grad b.grad",
    "Gradients are real numbers, even where all numbers look whole.",
    catches={"integer-gradient": {"a.grad": 0, "b.grad": 3}, "seed-missing": {"a.grad": 0}},
)
case(
    "tenths",
    1,
    {"a": 0.1, "b": 0.3},
    ["y = a * b + a", "y.backward()"],
    "y.data a.grad b.grad",
    "Sixteen digits are right in double precision, seven in single.",
    catches={"float32": {"nearly": 1e-6}},
)
case(
    "root-alone",
    1,
    {"a": 5},
    ["a.backward()"],
    "a.data a.grad",
    "A root that is a leaf has the derivative 1 by itself.",
    catches={"seed-missing": {"a.grad": 0}, "seed-is-data": {"a.grad": 5}},
)
case(
    "root-gradient",
    1,
    AB,
    ["y = a + b", "z = y * 4", "z.backward()"],
    {"z.data": 20, "z.grad": 1, "y.grad": 4, "b.grad": 4},
    "Interior values have gradients too, which are good to look at.",
    catches={"seed-missing": {"b.grad": 0}},
)

# Level 2


def missing(name, **more):
    return {name: {"ends": "missing"}, **more}


case(
    "difference",
    2,
    AB,
    ["y = a - b", "y.backward()"],
    "y.data a.grad b.grad",
    "The second operand of a subtraction gets the gradient with a minus sign.",
    catches={
        "subtraction-swapped": {"a.grad": -1, "b.grad": 1},
        "subtraction-no-sign": {"a.grad": 1, "b.grad": 1},
    },
)
case(
    "negation",
    2,
    {"a": 3},
    ["y = -a", "y.backward()"],
    "y.data a.grad",
    "-a is an operation like any other; its derivative is -1.",
    catches=missing("no-negation", **{"negation-sign": {"a.grad": 1}}),
)
case(
    "number-plus",
    2,
    {"a": 3},
    ["y = 2 + a", "y.backward()"],
    "y.data a.grad",
    "2 + a: the int does not know what to do, so Python asks a.__radd__(2).",
    catches=missing("no-reflected-addition"),
)
case(
    "number-times",
    2,
    {"a": 3},
    ["y = 2 * a", "y.backward()"],
    "y.data a.grad",
    "2 * a: the int does not know what to do, so Python asks a.__rmul__(2).",
    catches=missing("no-reflected-multiplication"),
)
case(
    "number-minus",
    2,
    {"a": 3},
    ["y = 10 - a", "y.backward()"],
    "y.data a.grad",
    "In 10 - a Python calls a.__rsub__(10): self is the right operand.",
    catches=missing(
        "no-reflected-subtraction", **{"reflected-subtraction-swapped": {"y.data": -7}}
    ),
)
case(
    "minus-number",
    2,
    {"a": 3},
    ["y = a - 10", "y.backward()"],
    "y.data a.grad",
    "A plain number may stand on the right of a minus.",
)
case(
    "quotient",
    2,
    {"a": 6, "b": 4},
    ["y = a / b", "y.backward()"],
    "y.data a.grad b.grad",
    "d(a/b)/da is 1/b, d(a/b)/db is -a/b**2.",
    catches={
        "division-second-sign": {"a.grad": 0.25, "b.grad": 0.375},
        "division-upside-down": {"a.grad": 4},
        "division-by-gradient": {"a.grad": 4, "b.grad": 6},
    },
)
case(
    "quotient-below",
    2,
    {"a": 6, "b": 4},
    ["y = (a / b) * 8", "y.backward()"],
    "a.grad b.grad",
    "What comes from above is a factor of every derivative, in a division too.",
    catches={
        "division-second-sign": {"a.grad": 2, "b.grad": 3},
        "division-upside-down": {"a.grad": 32},
        "division-by-gradient": {"a.grad": 0.5, "b.grad": 0.75},
    },
)
case(
    "number-over",
    2,
    {"a": 4},
    ["y = 6 / a", "y.backward()"],
    "y.data a.grad",
    "In 6 / a Python calls a.__rtruediv__(6): self is below the line.",
    catches=missing("no-reflected-division", **{"reflected-division-swapped": {"y.data": 4 / 6}}),
)
case(
    "over-number",
    2,
    {"a": 6},
    ["y = a / 4", "y.backward()"],
    "y.data a.grad",
    "Dividing by a plain number scales the gradient.",
)
case(
    "cube",
    2,
    {"a": 2},
    ["y = a ** 3", "y.backward()"],
    "y.data a.grad",
    "d(a**n)/da is n * a**(n - 1).",
    catches={"power-exponent-kept": {"a.grad": 24}, "power-factor-lost": {"a.grad": 4}},
)
case(
    "square-root",
    2,
    {"a": 4},
    ["y = a ** 0.5", "y.backward()"],
    "y.data a.grad",
    "The power rule holds for every exponent, 0.5 too.",
    catches={"power-exponent-kept": {"a.grad": 1}, "power-factor-lost": {"a.grad": 0.5}},
)
case(
    "reciprocal",
    2,
    {"a": 4},
    ["y = a ** -1", "y.backward()"],
    "y.data a.grad",
    "The power rule holds for negative exponents.",
    catches={"power-exponent-kept": {"a.grad": -0.25}, "power-factor-lost": {"a.grad": 0.0625}},
)
case(
    "value-as-exponent",
    4,
    AB,
    ["y = a ** b", "y.backward()"],
    "y.data a.grad b.grad",
    "If an exponent may be a value, it has a derivative: a**b * log(a).",
    catches={"power-base-only": {"a.grad": 12, "b.grad": 0}},
)
case(
    "number-to-the-power",
    4,
    {"a": 3},
    ["y = 2 ** a", "y.backward()"],
    "y.data a.grad",
    "In 2 ** a Python calls a.__rpow__(2): self is the exponent.",
    catches=missing("no-reflected-power", **{"reflected-power-swapped": {"y.data": 9}}),
)
case(
    "square-of-negative",
    2,
    {"a": -3},
    ["y = a ** 2", "y.backward()"],
    "y.data a.grad",
    "A negative base is fine for a whole exponent.",
    catches={
        "power-negative-base": [
            {"raises": "ValueError"},
            {"y.data": "nan"},
            {"a.grad": "nan"},
            {"raises": "TypeError"},
        ]
    },
)
case(
    "square-of-zero",
    2,
    {"a": 0},
    ["y = a ** 2", "y.backward()"],
    "y.data a.grad",
    "The derivative of a**2 at 0 is 0; no division is needed to find it.",
    catches={
        "power-divides-by-base": [{"raises": "ZeroDivisionError"}, {"a.grad": "nan"}],
    },
)
case(
    "built-in-sum",
    2,
    {"a": 1, "b": 2, "c": 4},
    ["y = sum([a, b, c])", "z = y * y", "z.backward()"],
    "y.data a.grad c.grad",
    "Python's sum() begins with the int 0: it asks for 0 + a, which is a.__radd__(0).",
    catches=missing("no-reflected-addition", **{"sum-fails": [RAISES, {"y.data": 6}, {}]}),
)
case(
    "mean",
    2,
    {"a": 1, "b": 2},
    ["y = (a + b) / 2", "z = (a - y) ** 2 + (b - y) ** 2", "z.backward()"],
    "z.data a.grad b.grad",
    "Many small operations make a formula, and its gradient comes by itself.",
    catches={"assigned-gradient": {}},
)
case(
    "in-place",
    2,
    AB,
    ["y = a * 1", "z = y * 5", "y += b", "y.backward()"],
    "y.data z.data a.grad b.grad",
    "`y += b` gives the name y to a new value; whoever has the old value still has it.",
    catches={"in-place-aliasing": {}},
)
case(
    "in-place-leaf",
    2,
    AB,
    ["y = a", "y += b", "w = y * a", "w.backward()"],
    "a.data w.data a.grad b.grad",
    "After `y = a` both names are of one value; `y += b` must leave a as it was.",
    catches={"in-place-aliasing": {"a.data": 5}},
)
case(
    "running-total",
    2,
    AB,
    ["total = Value(0)", "total += a * b", "total += a * 10", "total.backward()"],
    "total.data a.grad b.grad",
    "A loss is often added up in a loop with +=.",
    catches={"in-place-aliasing": {}},
)

# Level 3

case(
    "two-ways",
    3,
    {"a": 3},
    ["b = a * 2", "c = a * 3", "y = b + c", "y.backward()"],
    "y.data a.grad",
    "Where paths meet, gradients add.",
    catches={"assigned-gradient": [{"a.grad": 2}, {"a.grad": 3}]},
)
case(
    "diamond",
    3,
    {"a": 3},
    ["b = a + 1", "c = a * 2", "y = b * c", "y.backward()"],
    "y.data a.grad",
    "Two paths lead from a to y; each multiplies along itself, and both are added.",
    catches={"assigned-gradient": [{"a.grad": 6}, {"a.grad": 8}]},
)
case(
    "uneven-left",
    3,
    {"a": 1},
    ["b = a * 2", "c = b * 3", "y = b * c", "y.backward()"],
    "y.data a.grad",
    "b is used by y and by c: it may pass on only after both have given.",
    catches={
        "assigned-gradient": [{"a.grad": 12}],
        "no-topological-order": [{"a.grad": 12}],
        "passed-on-twice": [{"a.grad": 36}],
    },
)
case(
    "uneven-right",
    3,
    {"a": 1},
    ["b = a * 2", "c = b * 3", "y = c * b", "y.backward()"],
    "y.data a.grad",
    "The order in which operands are written must not matter.",
    catches={
        "assigned-gradient": [{"a.grad": 12}],
        "passed-on-twice": [{"a.grad": 48}, {"a.grad": 36}],
    },
)
case(
    "long-way-round",
    3,
    {"a": 1},
    ["b = a * 2", "c = b * 3", "d = c * 5", "e = d * 7", "y = b * e + d * b", "y.backward()"],
    "a.grad",
    "However long the one path is and short the other, the value where they part waits for both.",
    catches={"no-topological-order": [{}], "passed-on-twice": [{}], "assigned-gradient": [{}]},
)
case(
    "tower",
    3,
    {"a": 1},
    ["x = a + 0", (50, "x = x + x"), "x.backward()"],
    "x.data a.grad",
    "Fifty doublings have 2**50 paths and 50 values: visit values, not paths.",
    alone=True,
    catches={
        "exponential-time": {"ends": "hung"},
        "passed-on-twice": {"ends": "hung"},
        "assigned-gradient": {"a.grad": 1},
        "operand-set": {"a.grad": 1},
    },
)
case(
    "two-roots",
    3,
    AB,
    ["y = a * b", "z = a + b", "y.backward()", "z.backward()"],
    "a.grad b.grad",
    "A leaf adds up what every root gives it.",
    catches={
        "leaf-reset": {"a.grad": 1, "b.grad": 1},
        "assigned-gradient": {"a.grad": 1, "b.grad": 1},
        "used-after-root": [{"a.grad": 7}],
    },
)
case(
    "two-roots-share",
    3,
    AB,
    ["s = a * b", "y = s * 2", "z = s * 3", "y.backward()", "z.backward()"],
    "a.grad b.grad",
    "Two roots may share interior values, which begin anew for each root.",
    catches={
        "stale-interior": {"a.grad": 21},
        "visited-flag": {"a.grad": 6},
        "leaf-reset": {"a.grad": 9},
        "assigned-gradient": {"a.grad": 9},
    },
)
case(
    "second-backward",
    3,
    AB,
    ["s = a * b", "y = s * 5", "y.backward()", "y.backward()"],
    "a.grad b.grad",
    "Two sweeps give twice the gradient, no more.",
    catches={
        "stale-interior": {"a.grad": 45},
        "seed-added": {"a.grad": 60},
        "visited-flag": {"a.grad": 15},
        "leaf-reset": {"a.grad": 15},
        "assigned-gradient": {"a.grad": 15},
    },
)
case(
    "zero-between",
    3,
    AB,
    ["s = a * b", "y = s * 5", "y.backward()", "a.grad = 0", "b.grad = 0", "y.backward()"],
    "a.grad b.grad",
    "Whoever sets the leaves to 0 gets the gradient afresh.",
    catches={
        "stale-interior": {"a.grad": 30},
        "seed-added": {"a.grad": 45},
        "visited-flag": {"a.grad": 0},
    },
)
case(
    "interior-root",
    3,
    AB,
    ["s = a * b", "y = s * 4", "s.backward()", "y.backward()"],
    "a.grad b.grad",
    "An interior value can be a root, and so can what was computed from it.",
    catches={
        "stale-interior": {"a.grad": 18},
        "visited-flag": {"a.grad": 3},
        "leaf-reset": {"a.grad": 12},
        "assigned-gradient": {"a.grad": 12},
    },
)
case(
    "interior-root-after",
    3,
    AB,
    ["s = a * b", "y = s * 4", "y.backward()", "s.backward()"],
    "a.grad b.grad",
    "A root's own gradient is 1, whatever an earlier sweep left there.",
    catches={"seed-added": {"a.grad": 27}, "leaf-reset": {"a.grad": 3}},
)
case(
    "not-below-the-root",
    3,
    {"a": 2, "b": 3, "c": 5},
    ["s = a * b", "z = s * c", "s.backward()"],
    "a.grad b.grad c.grad",
    "What was computed from the root later gets nothing from it.",
    catches={"used-after-root": [{"a.grad": 15}, {"a.grad": 18}, {"c.grad": 6}, {"a.grad": 0}]},
)
case(
    "equal-numbers",
    3,
    {"a": 2, "b": 2},
    ["u = a * 3", "v = b * 3", "y = u * 2 + v * 5", "y.backward()"],
    "a.grad b.grad",
    "Values with equal numbers are still different values.",
    catches={"equality-merges-values": [{"a.grad": 0}, {"b.grad": 0}, {}]},
)
case(
    "equal-results",
    3,
    {"a": 2, "b": 3},
    ["u = a * 3", "v = b * 2", "y = u + v", "z = y * y", "z.backward()"],
    "a.grad b.grad",
    "Two results may be equal by chance: 2 * 3 and 3 * 2.",
    catches={"equality-merges-values": [{}]},
)

# Level 4


def function(name, level, x, lines, lesson, *, reads="y.data x.grad", **rest):
    case(name, level, {"x": x}, [*lines, "y.backward()"], reads, lesson, **rest)


function("exp", 4, 1.5, ["y = exp(x)"], "exp is its own derivative.")
function("exp-inside", 4, 1.5, ["y = exp(x * 2) * 3"], "The chain rule, through a function.")
function("exp-tail", 4, -700.0, ["y = exp(x)"], "Tiny is not zero.")
function(
    "log",
    4,
    2.5,
    ["y = log(x)"],
    "The derivative of log is 1/x.",
    catches={"logarithm-upside-down": {"x.grad": 2.5}},
)
function("log-tail", 4, 1e-300, ["y = log(x)"], "Near 0 the logarithm is steep.")
function("sqrt", 4, 9.0, ["y = sqrt(x)"], "The derivative of a square root is half its reciprocal.")
function("sin", 4, 1.0, ["y = sin(x)"], "The derivative of sin is cos.")
function(
    "cos",
    4,
    1.0,
    ["y = cos(x)"],
    "The derivative of cos is -sin.",
    catches={"cosine-sign": {"x.grad": 0.8414709848078965}},
)
function(
    "tanh",
    4,
    0.5,
    ["y = tanh(x)"],
    "tanh' is 1 - tanh**2: from the result, not the input.",
    catches={"tanh-of-input": {"x.grad": 0.75}},
)
function(
    "tanh-inside",
    4,
    0.25,
    ["y = tanh(x * 3 + 0.5) * 2"],
    "A neuron: a line, then a bend.",
    catches={"tanh-of-input": {"x.grad": -3.375}},
)
function(
    "tanh-tail",
    4,
    20.0,
    ["y = tanh(x)"],
    "tanh(20) rounds to 1, yet its slope is 1.7e-17: 1 - t**2 cannot see it.",
    tolerance=1e-11,
    catches={"tanh-cancels": [{"x.grad": 0}, {}]},
)
function(
    "tanh-negative-tail",
    4,
    -12.0,
    ["y = tanh(x)"],
    "At -12 1 - t**2 has half of its digits.",
    tolerance=1e-11,
    catches={"tanh-cancels": [{"nearly": 1e-2}, {"y.data": -1}], "tanh-overflow": {"ends": "hung"}},
)
function(
    "sigmoid",
    4,
    0.5,
    ["y = sigmoid(x)"],
    "sigmoid' is s * (1 - s): from the result.",
    catches={"sigmoid-of-input": {"x.grad": 0.25}},
)
function(
    "sigmoid-again",
    4,
    -1.5,
    ["y = sigmoid(x)"],
    "sigmoid is steepest at 0.",
    catches={"sigmoid-of-input": {"x.grad": -3.75}},
)
function(
    "sigmoid-tail",
    4,
    40.0,
    ["y = sigmoid(x)"],
    "sigmoid(40) rounds to 1, yet its slope is 4.2e-18.",
    tolerance=1e-11,
    catches={"sigmoid-cancels": [{"x.grad": 0}]},
)
function(
    "sigmoid-negative-tail",
    4,
    -40.0,
    ["y = sigmoid(x)"],
    "Far to the left sigmoid is tiny, and so is its slope.",
    tolerance=1e-11,
)
function(
    "softplus",
    4,
    0.5,
    ["y = softplus(x)"],
    "softplus' is sigmoid.",
)
function(
    "softplus-tail",
    4,
    -40.0,
    ["y = softplus(x)"],
    "log(1 + e) loses e; log1p(e) keeps it.",
    tolerance=1e-11,
    catches={"softplus-cancels": [{"y.data": 0}, {"nearly": 1e-2}]},
)
function(
    "softplus-far",
    4,
    800.0,
    ["y = softplus(x)"],
    "Far to the right softplus is x.",
    catches={"softplus-overflow": [{"raises": "OverflowError"}, {"y.data": "inf"}]},
)
function("relu", 4, 2.5, ["y = relu(x) * 3"], "Where it is on, relu passes the gradient on.")
function(
    "relu-off",
    4,
    -2.5,
    ["y = relu(x) * 3"],
    "Where it is off, relu passes nothing on.",
    catches={"relu-leaks": {"x.grad": 3}},
)
function("abs", 4, -2.5, ["y = abs(x) * 3"], "The derivative of abs is the sign.")
case(
    "maximum",
    4,
    AB,
    ["y = maximum(a, b) * 4", "y.backward()"],
    "y.data a.grad b.grad",
    "The larger operand gets all of the gradient.",
)
case(
    "minimum",
    4,
    AB,
    ["y = minimum(a, b) * 4", "y.backward()"],
    "y.data a.grad b.grad",
    "The smaller operand gets all of the gradient.",
)
for far, x, y in (("far", 1000.0, 1), ("negative-far", -1000.0, -1)):
    function(
        f"tanh-{far}",
        4,
        x,
        ["y = tanh(x)"],
        "Far out tanh is flat, and nothing overflows.",
        reads={"y.data": y, "x.grad": 0},
        catches={
            "tanh-overflow": [
                {"raises": "OverflowError"},
                {"y.data": "nan"},
                {"raises": "ZeroDivisionError"},
            ]
        },
    )
function(
    "sigmoid-far",
    4,
    -800.0,
    ["y = sigmoid(x)"],
    "exp(800) is too large for a float, and sigmoid(-800) is simply 0.",
    reads={"y.data": 0, "x.grad": 0},
    catches={
        "sigmoid-overflow": [{"raises": "OverflowError"}, {"x.grad": "nan"}, {"y.data": "nan"}]
    },
)
function(
    "sigmoid-far-right",
    4,
    800.0,
    ["y = sigmoid(x)"],
    "Far to the right sigmoid is 1.",
    reads={"y.data": 1, "x.grad": 0},
)

# Level 5

INF, NAN = "inf", "nan"
KINK = "At a kink any slope between the two sides' is a subgradient; "

function(
    "relu-at-zero",
    5,
    0.0,
    ["y = relu(x)"],
    KINK + "for relu all the world gives 0.",
    reads={"y.data": 0, "x.grad": 0},
    catches={"relu-at-zero": {}},
)
function(
    "abs-at-zero",
    5,
    0.0,
    ["y = abs(x)"],
    KINK + "0 is the smallest.",
    reads=[{"y.data": 0, "x.grad": g} for g in (0, 1, -1)],
)
case(
    "maximum-of-equals",
    5,
    {"a": 2, "b": 2},
    ["y = maximum(a, b)", "y.backward()"],
    [{"y.data": 2, "a.grad": g, "b.grad": 1 - g} for g in (0.5, 1, 0)],
    "Equal operands share the gradient, or one has it all: together they get 1.",
)
function(
    "log-of-zero",
    5,
    0.0,
    ["y = log(x)"],
    "log(0) is -inf, with an infinite slope.",
    reads={"y.data": "-inf", "x.grad": INF},
    catches={"logarithm-raises": RAISES},
)
function(
    "log-of-negative",
    5,
    -1.0,
    ["y = log(x)"],
    "log(-1) is no real number: nan, not an error.",
    reads={"y.data": NAN},
    catches={"logarithm-raises": RAISES},
)
function(
    "sqrt-of-zero",
    5,
    0.0,
    ["y = sqrt(x)"],
    "A square root starts with a vertical slope.",
    reads={"y.data": 0, "x.grad": INF},
    catches={"root-raises": RAISES},
)
function(
    "sqrt-of-negative",
    5,
    -4.0,
    ["y = sqrt(x)"],
    "sqrt(-4) is nan.",
    reads={"y.data": NAN},
    catches={"root-raises": RAISES},
)
function(
    "exp-overflow",
    5,
    710.0,
    ["y = exp(x)"],
    "What is too large for a float is inf.",
    reads={"y.data": INF, "x.grad": INF},
    catches={"exponential-raises": {"raises": "OverflowError"}},
)
function(
    "one-over-zero",
    5,
    0.0,
    ["y = 1 / x"],
    "1/0 is inf, with the slope -inf.",
    reads={"y.data": INF, "x.grad": "-inf"},
    catches={"division-raises": {"raises": "ZeroDivisionError"}},
)
case(
    "zero-over-zero",
    5,
    {"a": 0, "b": 0},
    ["y = a / b", "y.backward()"],
    {"y.data": NAN, "b.grad": NAN},
    "0/0 is nan.",
    catches={"division-raises": {"raises": "ZeroDivisionError"}},
)
function(
    "zero-to-minus-one",
    5,
    0.0,
    ["y = x ** -1"],
    "0 ** -1 is 1/0: inf.",
    reads={"y.data": INF, "x.grad": "-inf"},
    catches={"power-raises": {"raises": "ArithmeticError"}},
)
function(
    "root-of-zero",
    5,
    0.0,
    ["y = x ** 0.5"],
    "x ** 0.5 has the slope of a square root.",
    reads={"y.data": 0, "x.grad": INF},
    catches={"power-raises": {"raises": "ArithmeticError"}},
)
function(
    "power-overflow",
    5,
    1e200,
    ["y = x ** 2"],
    "The square of 1e200 is inf; its slope is 2e200.",
    reads={"y.data": INF, "x.grad": 2e200},
    catches={"power-raises": {"raises": "ArithmeticError"}},
)
function(
    "zero-to-the-zero",
    5,
    0.0,
    ["y = x ** 0"],
    "x ** 0 is the constant 1.",
    reads={"y.data": 1, "x.grad": 0},
    catches={"power-raises": {"raises": "ArithmeticError"}},
)
function(
    "root-of-negative",
    5,
    -8.0,
    ["y = x ** (1 / 3)"],
    "Python makes a complex number of (-8.0) ** (1/3); an engine of reals gives nan.",
    reads={"y.data": NAN},
    catches={"complex-power": [{"raises": "TypeError"}, {"raises": "AttributeError"}]},
)
case(
    "infinity-times-zero",
    5,
    {"a": INF, "b": 0},
    ["y = a * b", "y.backward()"],
    {"y.data": NAN, "a.grad": 0, "b.grad": INF},
    "Infinity times 0 is nan; the slopes exist.",
)
case(
    "zero-from-above",
    5,
    {"a": 0, "b": INF},
    ["u = a * b", "y = u * 0", "y.backward()"],
    {"y.data": NAN, "a.grad": NAN},
    "0 from above times an infinite slope is nan, not 0.",
    catches={"zero-skips": {"a.grad": 0}},
)
for name, a, b in (("nan-first", NAN, 1), ("nan-second", 1, NAN)):
    for operation in ("maximum", "minimum"):
        case(
            f"{operation}-{name}",
            5,
            {"a": a, "b": b},
            [f"y = {operation}(a, b)", "y.backward()"],
            {"y.data": NAN},
            "nan says that something went wrong: it must not be lost.",
            catches={"nan-lost": {"y.data": 1}},
        )
function(
    "relu-of-nan",
    5,
    NAN,
    ["y = relu(x)"],
    "relu of nan is nan.",
    reads={"y.data": NAN},
    catches={"relu-loses-nan": {"y.data": 0}},
)
case(
    "nan-in-sum",
    5,
    {"a": NAN, "b": 1},
    ["y = a * 2 + b", "y.backward()"],
    {"y.data": NAN, "a.grad": 2, "b.grad": 1},
    "nan goes through; the slopes do not depend on it.",
)
function(
    "tanh-of-infinity",
    5,
    INF,
    ["y = tanh(x)"],
    "tanh(inf) is 1, and flat.",
    reads={"y.data": 1, "x.grad": 0},
    catches={"tanh-overflow": [RAISES, {}]},
)
function(
    "sigmoid-of-minus-infinity",
    5,
    "-inf",
    ["y = sigmoid(x)"],
    "sigmoid(-inf) is 0, and flat.",
    reads={"y.data": 0, "x.grad": 0},
)
function(
    "exp-of-minus-infinity",
    5,
    "-inf",
    ["y = exp(x)"],
    "exp(-inf) is 0.",
    reads={"y.data": 0, "x.grad": 0},
)

# Level 6

RECURSION = [{"raises": "RecursionError"}, {"ends": "died"}]

case(
    "deep",
    6,
    {"a": 1},
    ["x = a + 0", (2000, "x = x + a"), "x.backward()"],
    "x.data a.grad",
    "A loop of 2,000 additions is a graph 2,000 deep; Python recurses 1,000 deep.",
    alone=True,
    catches={"recursive-order": RECURSION},
)
case(
    "very-deep",
    6,
    {"a": 1},
    ["x = a + 0", (100_000, "x = x + a"), "x.backward()"],
    "x.data a.grad",
    "100,000 values take a second, if the time grows with the graph and not with its square.",
    alone=True,
    catches={"recursive-order": RECURSION, "quadratic-search": {"ends": "hung"}},
)
probe(
    "deletion",
    6,
    "deletion",
    {"last.data": 200_001},
    "Dropping a deep graph must not kill the interpreter.",
    alone=True,
)
case(
    "operand-changed",
    6,
    AB,
    ["y = a * b", "a.data = 100", "y.backward()"],
    [{"a.grad": 3, "b.grad": 2}, {"raises": True}],
    "The gradient is that of what was computed, also if a number is changed before backward();"
    " refusing to go on is right too.",
    catches={"late-operand": {"b.grad": 100}},
)
case(
    "exponent-base-changed",
    6,
    {"a": 3},
    ["y = a ** 2", "a.data = 100", "y.backward()"],
    [{"a.grad": 6}, {"raises": True}],
    "The same, for a power.",
    catches={"late-operand": {"a.grad": 200}},
)
case(
    "result-changed",
    6,
    {"a": 1},
    ["y = exp(a)", "z = y * 1", "y.data = 7", "z.backward()"],
    [{"a.grad": 2.718281828459045}, {"raises": True}],
    "The same, for the result, which some derivatives use.",
    catches={"late-result": {"a.grad": 7}},
)
probe(
    "types",
    6,
    "types",
    {"data.float": 1, "grad.float": 1},
    "Value(3) holds 3.0: an int would never overflow to inf, and prints differently.",
    catches={"integer-numbers": {}},
)
probe(
    "identity",
    6,
    "identity",
    {"set.size": 2},
    "Values can be put in sets and dicts, by identity.",
    catches={"unhashable": {"raises": "TypeError"}, "equality-merges-values": {"set.size": 1}},
)
probe(
    "determinism",
    6,
    "determinism",
    {"grad.answers": 1},
    "The same program gives the same bits, every time.",
    alone=True,
    catches={"unordered": {}},
)
probe(
    "cycles",
    6,
    "cycles",
    {"left.objects": 0},
    "A graph without cycles goes the moment its last name goes.",
    alone=True,
    catches={"reference-cycles": {}},
)
probe(
    "memory",
    6,
    "memory",
    {"memory.grows": 0},
    "Training makes millions of graphs, and keeps none.",
    alone=True,
    catches={"memory-grows": {}},
)

# Level 7

CONSTANT = {"second-order-constant": [{"a.grad": 0}, {}]}
case(
    "second-of-cube",
    7,
    {"a": 3},
    ["y = a ** 3", "g = gradient(y, a)", "g.backward()"],
    "g.data a.grad",
    "The derivative of 3a**2 is 6a.",
    catches=CONSTANT,
)
case(
    "mixed",
    7,
    AB,
    ["y = a * a * b", "g = gradient(y, a)", "g.backward()"],
    "g.data a.grad b.grad",
    "Mixed derivatives: first by a, then by b.",
    catches=CONSTANT,
)
case(
    "second-of-quotient",
    7,
    {"a": 6, "b": 4},
    ["y = b / a", "g = gradient(y, a)", "g.backward()"],
    "g.data a.grad b.grad",
    "Division, differentiated twice.",
    catches=CONSTANT,
)
case(
    "second-of-tanh",
    7,
    {"a": 0.5},
    ["y = tanh(a)", "g = gradient(y, a)", "g.backward()"],
    "g.data a.grad",
    "tanh'' is -2 tanh tanh'.",
    catches=CONSTANT,
)
case(
    "second-of-exp",
    7,
    {"a": 0.5},
    ["y = exp(a * a)", "g = gradient(y, a)", "g.backward()"],
    "g.data a.grad",
    "The chain rule and the product rule, twice.",
    catches=CONSTANT,
)
case(
    "third-of-power",
    7,
    {"a": 2},
    ["y = a ** 5", "g = gradient(y, a)", "h = gradient(g, a)", "h.backward()"],
    "g.data h.data a.grad",
    "Gradients of gradients of gradients.",
    catches=CONSTANT,
)
case(
    "power-mixed",
    7,
    {"a": 2, "b": 3},
    ["y = a ** b", "g = gradient(y, a)", "g.backward()"],
    "g.data a.grad b.grad",
    "d2(a**b)/da db is a**(b-1) * (1 + b log a).",
    catches=CONSTANT,
)

if __name__ == "__main__":
    write()
