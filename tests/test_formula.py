import math
import re
from random import Random
from xml.etree import ElementTree as ET

import pytest

from autograd import primitive
from autograd.draw.formula import formula, partial_formulas
from autograd.primitives import TABLE, Reduction

FUNCTIONS = {f"f{i}": row for i, row in enumerate(TABLE.values())}
NAMES = {row.symbol: name for name, row in FUNCTIONS.items()}
SIGNS = {"−": "-", "×": "*", "+": "+", ",": ",", "(": "(", ")": ")", "⁡": ""}
SIGNS |= {
    "<": "<",
    "≤": "<=",
    "=": "==",
    "≠": "!=",
    "⌊": "floor(",
    "⌋": ")",
    "⌈": "ceil(",
    "⌉": ")",
}


def python_of(element):
    """A formula as a Python expression, read as a reader of mathematics would."""
    children = [*element]
    if element.tag == "mi":
        text = element.text
        return text if re.fullmatch(r"x\[\d+\]|z|e", text) else NAMES[text]
    if element.tag == "mn":
        return element.text
    if element.tag == "mfrac":
        return "(({}) / ({}))".format(*map(python_of, children))
    if element.tag == "msup":
        return "(({}) ** ({}))".format(*map(python_of, children))
    if element.tag == "msqrt":
        return f"math.sqrt({''.join(map(python_of, children))})"
    if element.tag == "mroot":
        return f"math.cbrt({python_of(children[0])})"
    assert element.tag == "mrow"
    if children[0].text in {"|", "‖"}:
        inner = ", ".join(python_of(child) for child in children[1:-1] if child.tag != "mo")
        return f"math.hypot({inner})"
    text, ended = "", False
    for before, child in zip([None, *children], children, strict=False):
        if child.tag == "mo":
            text += SIGNS[child.text]
            ended = child.text == ")"
            continue
        if ended:
            text += " * "  # nothing between two factors
        inner = python_of(child)
        applied = before is not None and before.text == "⁡" and child.text != "("
        text += f"({inner})" if applied or child.tag != "mi" else inner
        ended = True
    return text


def value_of(mathml, operands, z):
    """The number that a formula stands for."""
    marked = re.sub(r"\{(\d+)!?\}", r"<mi>x[\1]</mi>", mathml)
    marked = re.sub(r"\{z!?\}", "<mi>z</mi>", marked)
    text = python_of(ET.fromstring(f"<mrow>{marked}</mrow>"))
    known = {name: row.value for name, row in FUNCTIONS.items()}
    return eval(
        text,
        {"math": math, "floor": math.floor, "ceil": math.ceil} | known,
        {"x": operands, "z": z, "e": math.e},
    )


def sampled(row, random):
    """Operands in the row's domain, neither large nor small."""
    if isinstance(row, Reduction):
        return [random.uniform(-2.0, 2.0) for _ in range(3)]
    return [
        random.uniform(max(low, -2.0), min(high, 2.0))
        if low < 0 or high < 2
        else random.uniform(max(low, 1.1), min(high, 3.0))
        for low, high in row.domain
    ]


@pytest.mark.parametrize("row", [*TABLE.values()], ids=lambda row: row.name)
def test_a_formula_of_the_table_means_what_the_row_computes(row):
    operands = sampled(row, Random(1))
    z = row.value(*operands)
    assert math.isclose(value_of(formula(row, len(operands)), operands, z), z, rel_tol=1e-9)


@pytest.mark.parametrize(
    "row", [row for row in TABLE.values() if row.partials], ids=lambda row: row.name
)
def test_the_formula_of_a_partial_means_the_partial(row):
    random = Random(2)
    for _ in range(5):
        operands = sampled(row, random)
        z = row.value(*operands)
        partials = row.partials_at(z, operands, [True] * len(operands))
        for text, partial in zip(
            partial_formulas(row, [None] * len(operands)), partials, strict=True
        ):
            if text:  # four digits of a constant are printed
                assert math.isclose(
                    value_of(text, operands, z), partial, rel_tol=2e-3, abs_tol=1e-9
                )


def test_constants_stand_in_the_formula_of_a_partial():
    cubed = partial_formulas(TABLE["pow"], [None, 3.0])
    assert cubed[1] == ""
    assert value_of(cubed[0], [2.0], 8.0) == 12.0
    assert "{1" not in cubed[0]


def test_a_formula_too_long_to_be_read_is_left_out():
    assert partial_formulas(TABLE["silu"], [None]) == [""]
    assert partial_formulas(TABLE["logsumexp"], [None] * 1000)[0] == ""


def test_of_many_terms_the_first_two_and_the_last_are_written():
    places = re.findall(r"\{(\d+)", formula(TABLE["sum"], 1000))
    assert places == ["0", "1", "999"]
    assert re.findall(r"\{(\d+)", formula(TABLE["dot"], 201)) == ["0", "100", "1", "101", "200"]


def test_a_row_without_partials_has_no_formulas_of_them():
    assert partial_formulas(TABLE["less"], [None, None]) == ["", ""]


def test_the_symbol_of_a_primitive_of_the_users_own_is_text_in_its_formula():
    own = primitive("own", lambda x: 3.0 * x, lambda _z, _x: 3.0, symbol="<b>&")
    (symbol,) = [x.text for x in ET.fromstring(formula(own, 1)).iter("mi")]
    assert symbol == "<b>&"
