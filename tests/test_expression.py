"""An expression as text means what Python says it means, and nothing else is ever run."""

import math
import sys
import warnings
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value
from autograd.expression import FUNCTIONS, evaluate, names_in
from autograd.primitives import TABLE, Reduction

NAMES = ("a", "b", "c")
DATA = st.floats(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, 1e300, math.inf, math.nan])


def values(**data):
    return {name: Value(number, name) for name, number in data.items()}


def nodes(value):
    """The graph below a value as nested tuples of names, operations and numbers."""
    if not isinstance(value, Value):
        return repr(value)
    operation = value.primitive and value.primitive.name
    return (value.label, operation, repr(value.data), *map(nodes, value.operands))


def refusal(text, **data):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the callers compare all of it
        evaluate(text, values(**(data or {"a": 2.0, "b": 3.0})))
    message = str(caught.value)
    assert "\n" not in message
    return message


# -- What an expression means


def combined(parts):
    """Expressions that use a name on one side of every operator, so that Python's floats are out.

    Python alone would raise an error for 1/0, and answer (-1)**0.5 by a complex number.
    """
    literal = st.sampled_from(["0", "1", "2", "3", "0.5", "1e3", ".25", "0x10", "1_000"])
    binary = st.sampled_from(["+", "-", "*", "/", "**"])
    relation = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    unary = st.sampled_from(["-", "+", "- -"])
    function = st.sampled_from(["tanh", "exp", "sin", "relu", "abs", "sqrt", "log1p"])
    two = st.sampled_from(["maximum", "hypot", "atan2", "pow"])
    many = st.sampled_from(["sum", "mean", "norm", "logsumexp"])
    lists = st.lists(parts, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("({} {} {})".format, parts, binary, parts),
        st.builds("({} {} {})".format, parts, binary, literal),
        st.builds("({} {} {})".format, literal, binary, parts),
        st.builds("{} ** {}".format, st.sampled_from(NAMES), parts),
        st.builds("({}{})".format, unary, parts),
        st.builds("{}({})".format, function, parts),
        st.builds("({}).{}()".format, parts, function),
        st.builds("{}({}, {})".format, two, parts, parts),
        st.builds("{}([{}])".format, many, lists),
        st.builds("dot([{0}, 2], ({1}, {0}), {1})".format, parts, parts),
        st.builds("softmax([{}, {}])[{}]".format, parts, parts, st.sampled_from([0, 1, -1, -2])),
        st.builds("where({} {} {}, {}, {})".format, parts, relation, parts, parts, parts),
    )


EXPRESSIONS = st.recursive(st.sampled_from(NAMES), combined, max_leaves=8)


@given(EXPRESSIONS, st.tuples(DATA, DATA, DATA))
def test_an_expression_records_the_graph_that_python_records_of_it(text, data):
    given_names = values(**dict(zip(NAMES, data, strict=True)))
    functions = {name: getattr(autograd, name) for name in FUNCTIONS}
    expected = eval(text, functions, given_names)
    assert nodes(evaluate(text, given_names)) == nodes(expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_called_by_its_name(name):
    function = getattr(autograd, name)
    a, b = Value(0.5, "a"), Value(0.25, "b")
    given_names = {"a": a, "b": b}
    if name in {"softmax", "log_softmax"}:
        assert nodes(evaluate(f"{name}([a, b])[1]", given_names)) == nodes(function([a, b])[1])
        return
    if name == "dot":
        text, expected = "dot([a], [b])", function([a], [b])
    elif isinstance(TABLE[name], Reduction):
        text, expected = f"{name}([a, b])", function([a, b])
    else:
        count = len(TABLE[name].operand_names)
        text, expected = f"{name}({', '.join('aba'[:count])})", function(*(a, b, a)[:count])
    assert nodes(evaluate(text, given_names)) == nodes(expected)


def test_the_functions_are_all_public_ones_of_numbers_and_lists():
    others = set(autograd.__all__) - set(FUNCTIONS)
    assert set(FUNCTIONS) <= set(autograd.__all__)
    assert not {name for name in others if name in TABLE}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if hasattr(Value, name)])
def test_every_method_of_a_number_is_the_function(name):
    given_names = values(a=0.5)
    method, function = (evaluate(text, given_names) for text in (f"a.{name}()", f"{name}(a)"))
    assert nodes(method) == nodes(function)


def test_operands_with_a_default_may_be_left_out_or_given():
    given_names = values(a=-2.0, b=3.0)
    for text, expected in (
        ("leaky_relu(a)", -0.02),
        ("a.leaky_relu(0.5)", -1.0),
        ("dot([a], [b])", -6.0),
        ("dot([a], [b], 1)", -5.0),
    ):
        assert evaluate(text, given_names).data == expected


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("9**9**9**9", math.inf),
        ("(-8)**(1/3)", math.nan),
        ("1e999", math.inf),
        ("0x" + "f" * 1500, math.inf),
        ("2**0.5", 2**0.5),
        ("3 > 2", 1.0),
        ("(3 <= 2) + (3 >= 3) * 4", 4.0),
        ("log(-1)", math.nan),
        ("sum([])", 0.0),
    ],
)
def test_numbers_are_floats_at_once_and_never_fail(text, constant):
    assert repr(evaluate(f"a + ({text})", values(a=0.0)).data) == repr(constant)


def test_an_assignment_names_and_labels_a_result():
    given_names = values(a=2.0, b=-3.0)
    named = evaluate("d = a*b; e = d + a\ntanh(e) * d", given_names)
    (tanh_e, d) = named.operands
    (e,) = tanh_e.operands
    assert (named.label, tanh_e.label, d.label, e.label) == ("", "", "d", "e")
    assert nodes(evaluate("e = a*b", given_names))[0] == "e"
    assert "d" not in given_names


def test_an_assigned_list_labels_its_items_and_may_be_used_again():
    named = evaluate("p = softmax([a, b, 0]); -log(p[1]) * sum(p)", values(a=1.0, b=2.0))
    assert [p.label for p in named.operands[1].operands] == ["p[0]", "p[1]", "p[2]"]


def test_a_second_name_leaves_the_first_label():
    given_names = {"a": Value(2.0)}
    named = evaluate("d = a; e = -d; f = e; f", given_names)
    assert named.label == "e"
    assert given_names["a"].label == ""


def test_space_and_comments_around_an_expression_are_nothing():
    given_names = values(a=2.0)
    for text in (" a", "\n\ta \n", "a # the first", "(\n a\n)", "a;"):
        assert evaluate(text, given_names) is given_names["a"]


def test_names_are_found_wherever_they_stand():
    assert names_in("d = a*b; where(c > 0, tanh(d), 1)") == {*"abcd", "where", "tanh"}


# -- What is refused

LANGUAGE = (
    "use numbers, names, + - * / **, comparisons, functions such as tanh(x), and lists for these"
)
ITEM = "expected a number, got a list: choose an item, as in softmax([a, b])[0]"
SUBSCRIPT = (
    "Subscript is refused: an item of a list is chosen by a whole number, as in softmax([a, b])[0]"
)
COMPARE = "Compare is refused: compare two numbers, by one of < <= > >= == !="
ATTRIBUTE = "Attribute is refused: after a dot comes a function that is called, as in a.tanh()"
AND = "And is refused: a condition is a number: multiply two, as in (a > 0) * (b > 0)"
FUNCTION = "unknown function: use one of autograd, such as tanh(x)"
STARS = "arguments stand one by one, without names and stars"
CONSTANT = "which has no gradient: use names, and mind that a comparison is a constant"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.data", f"column 1, 'a.data': {ATTRIBUTE}"),
        ("1 + a.__class__", f"column 5, 'a.__class__': {ATTRIBUTE}"),
        ("().__class__.__base__", f"column 1, '().__class__.__base__': {ATTRIBUTE}"),
        ("a.__class__()", ("column 1, 'a.__class__()': numbers have no method '__class__': "
         "use one such as a.tanh()")),
        ("a.arcsin()", ("column 1, 'a.arcsin()': numbers have no method 'arcsin': "
         "did you mean asin or asinh?")),
        ("a.backward()", ("column 1, 'a.backward()': numbers have no method 'backward': "
         "use one such as a.tanh()")),
        ("np.tanh(a)", ("column 1, 'np': unknown name: give its value, as in np=2; "
         "functions stand without a module, as in tanh(x)")),
        ("np.random.rand()", ("column 1, 'np.random.rand()': numbers have no method 'rand': "
         "use one such as a.tanh()")),
        ("__import__('os')", f"column 1, '__import__': {FUNCTION}"),
        ("eval('a')", f"column 1, 'eval': {FUNCTION}"),
        ("Value(a)", f"column 1, 'Value': {FUNCTION}"),
        ("identity(a)", ("column 1, 'identity': unknown function: use one of autograd, "
         "such as tanh(x)")),
        ("tahn(a)", "column 1, 'tahn': unknown function: did you mean tan or tanh?"),
        ("a(b)", "column 1, 'a': a number, no function: write * to multiply"),
        ("2(b)", "column 1, '2': no function: write * to multiply"),
        ("(a + b)(b)", "column 2, 'a + b': no function: write * to multiply"),
        ("c + 1", "column 1, 'c': unknown name: give its value, as in c=2"),
        ("__debug__", "column 1, '__debug__': unknown name: give its value, as in __debug__=2"),
        ("exp", "column 1, 'exp': a function: call it, as in exp(x)"),
        ("clip * 2", "column 1, 'clip': a function: call it, as in clip(x, low, high)"),
        ("lambda: a", f"column 1, 'lambda: a': Lambda is refused: {LANGUAGE}"),
        ("[x for x in [a]]", f"column 1, '[x for x in [a]]': ListComp is refused: {LANGUAGE}"),
        ("sum(a for a in b)", f"column 4, '(a for a in b)': GeneratorExp is refused: {LANGUAGE}"),
        ("f'{a}'", f"column 1, \"f'{{a}}'\": JoinedStr is refused: {LANGUAGE}"),
        ("a + 's'", f"column 5, \"'s'\": str is refused: {LANGUAGE}"),
        ("b'x'", f"column 1, \"b'x'\": bytes is refused: {LANGUAGE}"),
        ("1j * a", f"column 1, '1j': complex is refused: {LANGUAGE}"),
        ("True", f"column 1, 'True': bool is refused: {LANGUAGE}"),
        ("None", f"column 1, 'None': NoneType is refused: {LANGUAGE}"),
        ("...", f"column 1, '...': ellipsis is refused: {LANGUAGE}"),
        ("(y := a)", f"column 2, 'y := a': NamedExpr is refused: {LANGUAGE}"),
        ("{a}", f"column 1, '{{a}}': Set is refused: {LANGUAGE}"),
        ("{a: b}", f"column 1, '{{a: b}}': Dict is refused: {LANGUAGE}"),
        ("await a", f"column 1, 'await a': Await is refused: {LANGUAGE}"),
        ("(yield a)", f"column 2, 'yield a': Yield is refused: {LANGUAGE}"),
        ("a // b", f"column 1, 'a // b': FloorDiv is refused: {LANGUAGE}"),
        ("a % b", f"column 1, 'a % b': Mod is refused: {LANGUAGE}"),
        ("a ^ 2", "column 1, 'a ^ 2': BitXor is refused: a power is a ** b"),
        ("[a] @ [b]", ("column 1, '[a] @ [b]': MatMult is refused: "
         "a product of lists is dot([a, b], [c, d])")),
        ("~a", f"column 1, '~a': Invert is refused: {LANGUAGE}"),
        ("not a", f"column 1, 'not a': Not is refused: {LANGUAGE}"),
        ("a and b", f"column 1, 'a and b': {AND}"),
        ("a or b", f"column 1, 'a or b': Or is refused: {LANGUAGE}"),
        ("a if a > 0 else b", ("column 1, 'a if a > 0 else b': IfExp is refused: "
         "a choice is where(condition, a, b)")),
        ("0 < a < 2", f"column 1, '0 < a < 2': {COMPARE}"),
        ("a in [b]", f"column 1, 'a in [b]': {COMPARE}"),
        ("a is b", f"column 1, 'a is b': {COMPARE}"),
        ("leaky_relu(a, slope=0.1)", f"column 1, 'leaky_relu(a, slope=0.1)': {STARS}"),
        ("maximum(*[a, b])", f"column 1, 'maximum(*[a, b])': {STARS}"),
        ("sum([*[a]])", f"column 6, '*[a]': Starred is refused: {LANGUAGE}"),
        ("sin()", "column 1, 'sin()': expected the operands of sin(x), got 0"),
        ("a.elu(1, 2)", "column 1, 'a.elu(1, 2)': expected the operands of elu(x, alpha), got 3"),
        ("sum(a, b)", "column 1, 'sum(a, b)': expected the operands of sum(xs), got 2"),
        ("sum(a)", "column 5, 'a': expected a list of numbers, such as [a, b]"),
        ("softmax([a, b])", f"column 1, 'softmax([a, b])': {ITEM}"),
        ("sum([[a]])", f"column 6, '[a]': {ITEM}"),
        ("[a] + [b]", f"column 1, '[a]': {ITEM}"),
        ("mean([])", ("column 1, 'mean([])': mean(xs): expected at least one number, "
         "got an empty list")),
        ("dot([a], [a, b])", ("column 1, 'dot([a], [a, b])': dot(ws, xs, bias): "
         "expected ws and xs of equal length, got 1 and 2")),
        ("a[0]", "column 1, 'a': expected a list of numbers, such as [a, b]"),
        ("[a, b][2]", "column 1, '[a, b][2]': there are 2 items: the first is [0]"),
        ("[a, b][-3]", "column 1, '[a, b][-3]': there are 2 items: the first is [0]"),
        ("[a, b][a]", f"column 1, '[a, b][a]': {SUBSCRIPT}"),
        ("[a, b][True]", f"column 1, '[a, b][True]': {SUBSCRIPT}"),
        ("[a, b][0:1]", f"column 1, '[a, b][0:1]': {SUBSCRIPT}"),
        ("2 + 3", f"column 1, '2 + 3': the result is the constant 5, {CONSTANT}"),
        ("a > b", f"column 1, 'a > b': the result is the constant 0, {CONSTANT}"),
        ("d = 2", f"column 1, 'd': the result is the constant 2, {CONSTANT}"),
        ("a*b; a", "column 1, 'a*b': nothing uses this: name it, as in d = a*b; tanh(d)"),
        ("a\n+ b", "line 1, column 1, 'a': nothing uses this: name it, as in d = a*b; tanh(d)"),
        ("d = a\nd + (a\n + e)", "line 3, column 4, 'e': unknown name: give its value, as in e=2"),
        ("'é' + a", f"column 1, \"'é'\": str is refused: {LANGUAGE}"),
        ("a*(b + ü)", "column 8, 'ü': unknown name: give its value, as in ü=2"),
        ("[a,'éé'][0] + ü", f"column 4, \"'éé'\": str is refused: {LANGUAGE}"),
        ("a = 2", "column 1, 'a': this name is taken: choose another"),
        ("d = a; d = b", "column 8, 'd': this name is taken: choose another"),
        ("exp = a", "column 1, 'exp': this name is taken: choose another"),
        ("d = e = a", f"column 1, 'd = e = a': Assign is refused: {LANGUAGE}"),
        ("d, e = a, b", f"column 1, 'd, e = a, b': Assign is refused: {LANGUAGE}"),
        ("a.data = 2", f"column 1, 'a.data = 2': Assign is refused: {LANGUAGE}"),
        ("a += 1", f"column 1, 'a += 1': AugAssign is refused: {LANGUAGE}"),
        ("import os", f"column 1, 'import os': Import is refused: {LANGUAGE}"),
        ("def f():\n  a", f"line 1, column 1, 'def f():': FunctionDef is refused: {LANGUAGE}"),
        ("while a:\n  a", f"line 1, column 1, 'while a:': While is refused: {LANGUAGE}"),
        ("", "the expression is empty: give one, such as a*b + c"),
        (" # a", "the expression is empty: give one, such as a*b + c"),
        ("tanh(a", "column 5: '(' was never closed"),
        ("a\n b", "line 2, column 1: unexpected indent"),
        ("a\udc80", "the expression holds a character that is no text"),
        ("a" * 41, f"column 1, '{'a' * 39}…': unknown name: give its value, as in {'a' * 39}…=2"),
        ("a" * 2001, "expected an expression of at most 2,000 characters, got 2,001"),
        ("sum([" + "a," * 101 + "])",
         f"column 5, '[{'a,' * 19}…': expected at most 100 numbers in a list"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_name_in_one_line(text, message):
    assert refusal(text) == message


def test_a_name_that_is_a_function_is_refused():
    assert refusal("a", exp=2.0) == "exp is a function: give the number another name"


def test_an_unknown_name_like_a_known_one_is_said_to_be_it():
    message = "column 1, 'weigth1': unknown name: did you mean weight1 or weight2?"
    assert refusal("weigth1 * 2", weight1=1.0, weight2=2.0) == message


DEEP = [
    "-" * 1999 + "a",
    "+".join("a" * 1000),
    "a" + "**a" * 600,
    "tanh(" * 150 + "a" + ")" * 150,
    "a" + ".tanh()" * 250,
    "a" + "[0]" * 600,
    "not " * 400 + "a",
    "a" + "()" * 900,
    "lambda:" * 200 + "a",
    "a if a else " * 150 + "a",
]


@pytest.mark.parametrize("text", DEEP, ids=[text[:9] for text in DEEP])
def test_what_is_nested_too_deeply_is_refused(text):
    assert refusal(text) == (
        "the expression is nested more than 100 deep: name parts of it, "
        "as in d = a*b; tanh(d), and add up with sum([a, b])"
    )


@pytest.mark.parametrize("text", ["(" * 300 + "a" + ")" * 300, "[" * 999, "{" * 150, "1" * 2000])
def test_what_the_parser_refuses_is_one_line(text):
    assert refusal(text)


def test_an_expression_of_the_greatest_depth_is_computed():
    deepest = 96  # the tree, its statement and the operator are levels as well
    assert evaluate("+".join("a" * deepest), values(a=1.0)).data == deepest
    assert evaluate("-" * deepest + "a", values(a=1.0)).data == 1.0
    assert evaluate("tanh(" * deepest + "a" + ")" * deepest, values(a=1.0)).data > 0


def test_warnings_of_the_parser_are_not_shown():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusal("'\\d' + a").endswith(LANGUAGE)
        assert refusal("1if a else 2").endswith("where(condition, a, b)")


# -- What is never run

WATCHED = ("exec", "import", "open", "os.", "subprocess.", "socket.", "shutil.", "builtins.")
_events = []
_watching = []


def _audit(event, arguments):
    # of a text that it cannot parse, Python asks whether it stands in a file of its name
    if _watching and event.startswith(WATCHED) and arguments[:1] != ("<unknown>",):
        _events.append(event)


sys.addaudithook(_audit)


@contextmanager
def watched():
    """Yield a list of what is run, imported or opened until the block ends."""
    _events.clear()
    _watching.append(True)
    try:
        yield _events
    finally:
        _watching.clear()


def test_the_watch_sees_what_is_run():
    with watched() as events:
        eval("1")
    assert events == ["exec"]


TOKENS = """
    a b c d 0 1 2 9 1e9 0.5 ( ( ( ) ) ) [ [ ] ] , , + - * / ** . . = == < > ; : := @ ^ % ~ { } *
    tanh sum dot softmax where exp abs Value print eval exec open getattr __import__ __class__
    __subclasses__ os system lambda for in if else and not is import def return yield await async
    'os' "__import__('os')" f'{a}' b'a' None True ... 1j # \\
""".split()  # noqa: SIM905  as one reads them
SOUP = st.builds(
    str.join,
    st.sampled_from(["", " "]),
    st.lists(st.sampled_from([*TOKENS, "\n", "\t"]), max_size=20),
)


@given(SOUP | st.text(max_size=40) | EXPRESSIONS)
def test_whatever_the_text_it_is_a_value_or_refused_in_one_line_and_nothing_is_run(text):
    given_names = values(a=2.0, b=3.0)
    with watched() as events:
        try:
            found, message = evaluate(text, given_names), ""
        except ValueError as error:
            found, message = Value(0.0), str(error)
    assert isinstance(found, Value)
    assert len(message.splitlines()) <= 1
    assert events == []


ATTACKS = [
    "__import__('os').system('echo hacked')",
    "().__class__.__bases__[0].__subclasses__()",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "(lambda: exec('import os'))()",
    "f'{__import__(\"os\")}'",
    "a.__init__.__globals__",
    "a.tanh.__self__",
    "tanh.value(a)",
    "tanh.__class__.__call__(tanh, a)",
    "a.backward()",
    "a.record(tanh, [a])",
    "a.record_one(tanh)",
    "where.bind([1, a, b])",
    "getattr(a, 'data')",
    "globals()['a']",
    "open('/etc/passwd').read()",
    "sum(open('/etc/passwd'))",
    "breakpoint()",
    "exit()",
    "help()",
    "@a\ndef f(): 0",
    "class a: 0",
    "from os import *",
    "tanh = print",
    "a.data = 9",
    "a[0] = 9",
    "del a",
    "global a",
    "raise a",
    "assert a",
    "type a = b",
    "match a:\n case b: 0",
    "# -*- coding: utf-7 -*-\n+AGE-",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_are_refused_and_run_nothing(text):
    given_names = values(a=2.0, b=3.0)
    with watched() as events, pytest.raises(ValueError):  # noqa: PT011  the law is no other error
        evaluate(text, given_names)
    assert events == []
    assert (given_names["a"].data, given_names["a"].grad) == (2.0, 0.0)
