"""The tape says how every number came about, forward and back."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, backward_steps, dot, exp, log, maximum, norm, relu, sin, where
from autograd import sum as sum_
from autograd.backward import cotangents
from autograd.tape import Cotangent, Use, explain


def worked_example():
    """Baydin et al. 2018, tables 2 and 3: y = ln x1 + x1 x2 - sin x2 at (2, 5)."""
    x1, x2 = Value(2.0, "x1"), Value(5.0, "x2")
    y = log(x1) + x1 * x2 - sin(x2)
    y.label = "y"
    return y


def by_name(rows):
    return {row.label or row.name: row for row in rows}


def last(value):
    """The last line of the forward trace, as an equation."""
    row = explain(value).primals[-1]
    return row.formula, row.calculation


@st.composite
def graphs(draw):
    """Roots of graphs in which nodes are shared, repeated, unselected, infinite and nan."""
    numbers = st.sampled_from([0.0, -1.5, 2.0, 3.25, 1e200, math.inf])
    values = [Value(x) for x in draw(st.lists(numbers, min_size=1, max_size=4))]
    makers = [
        lambda a, b: a + b,
        lambda a, b: a - 0.5 * b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: dot([a, b], [b, 2.0], a),
        lambda a, b: where(a > b, log(a), a),
        maximum,
        lambda a, _: relu(a),
        lambda a, _: -a,
        lambda a, b: sum_([a, b, a, a, b]),
    ]
    steps = st.tuples(st.sampled_from(makers), st.integers(0, 99), st.integers(0, 99))
    for make, i, j in draw(st.lists(steps, max_size=15)):
        values.append(make(values[i % len(values)], values[j % len(values)]))
    return values[-1]


def same(a, b):
    """Equal to the last bit, the sign of zero included; all nans alike."""
    return a.hex() == b.hex()


# The traces ---------------------------------------------------------------------------------------


def test_the_worked_example_of_baydin_et_al_comes_out_as_printed_there():
    tape = explain(worked_example())
    primals, cotangents_ = by_name(tape.primals), by_name(tape.cotangents)
    assert f"{primals['y'].value:.3f}" == "11.652"
    assert f"{cotangents_['x1'].value:.3f}" == "5.500"
    assert f"{cotangents_['x2'].value:.3f}" == "1.716"
    assert (
        "\n" + str(tape)
        == """
Forward primal trace: inputs, then each variable after its operands
x1  v₋₁                                       = 2
x2  v₀                                        = 5
    v₁   = log(v₋₁)  = log(2)                 = 0.693147
    v₂   = v₋₁ × v₀  = 2 × 5                  = 10
    v₃   = v₁ + v₂   = 0.693147 + 10          = 10.6931
    v₄   = sin(v₀)   = sin(5)                 = -0.958924
y   v₅   = v₃ − v₄   = 10.6931 − (-0.958924)  = 11.6521

Reverse cotangent trace: v̄ = ∂v₅/∂v, the sum of ū × ∂u/∂v over the uses u of v
y   v̄₅                                                               = 1
    v̄₃   = v̄₅ × ∂v₅/∂v₃                   = 1 × 1                    = 1
    v̄₁   = v̄₃ × ∂v₃/∂v₁                   = 1 × 1                    = 1
    v̄₂   = v̄₃ × ∂v₃/∂v₂                   = 1 × 1                    = 1
    v̄₄   = v̄₅ × ∂v₅/∂v₄                   = 1 × (-1)                 = -1
x2  v̄₀   = v̄₂ × ∂v₂/∂v₀ + v̄₄ × ∂v₄/∂v₀    = 1 × 2 + (-1 × 0.283662)  = 1.71634
x1  v̄₋₁  = v̄₁ × ∂v₁/∂v₋₁ + v̄₂ × ∂v₂/∂v₋₁  = 1 × 0.5 + 1 × 5          = 5.5"""
    )


@given(graphs())
def test_the_contributions_of_a_node_add_up_to_its_cotangent(root):
    output, *others = explain(root).cotangents
    assert (output.uses, output.value) == ((), 1.0)
    for row in others:
        total = 0.0
        for use in row.uses:
            if use.contribution is not None:
                assert same(use.contribution, use.cotangent * use.partial)
                total += use.contribution
        assert row.value == total or (math.isnan(row.value) and math.isnan(total))


@given(graphs())
def test_every_number_is_that_of_the_sweep_to_the_last_bit(root):
    tape, found = explain(root), cotangents(root)
    nodes = {row.name: row for row in tape.cotangents}
    swept = [step.cotangent for step in backward_steps(root)]
    assert all(map(same, swept, (row.value for row in tape.cotangents)))
    for row in tape.cotangents:
        for use in row.uses:
            assert use.cotangent is None or same(use.cotangent, nodes[use.user].value)
    nonzero = [x.hex() for x in found.values() if x != 0.0]
    assert sorted(nonzero) == sorted(r.value.hex() for r in tape.cotangents if r.value != 0.0)


@given(graphs())
def test_every_operand_is_a_use_and_every_use_an_operand(root):
    tape = explain(root)
    operands = [
        (x, row.name) for row in tape.primals for x in row.operands if not isinstance(x, float)
    ]
    uses = [(row.name, use.user) for row in tape.cotangents for use in row.uses]
    assert sorted(operands) == sorted(uses)


@given(graphs())
def test_both_traces_hold_every_variable_once_inputs_first_and_inputs_last(root):
    tape = explain(root)
    names = [row.name for row in tape.primals]
    inputs = sum(not row.operation for row in tape.primals)
    numbers = [
        int(name[1:].translate(str.maketrans("₋₀₁₂₃₄₅₆₇₈₉", "-0123456789"))) for name in names
    ]
    assert numbers == [*range(1 - inputs, tape.total - inputs + 1)]
    assert {*names[:inputs]} == {row.name for row in tape.cotangents[tape.total - inputs :]}
    assert {*names} == {row.name for row in tape.cotangents}
    assert names[-1] == tape.cotangents[0].name


@given(graphs())
def test_every_line_comes_after_those_it_is_computed_from(root):
    tape = explain(root)
    above = set()
    for row in tape.primals:
        assert {x for x in row.operands if not isinstance(x, float)} <= above
        above.add(row.name)
    above = set()
    for row in tape.cotangents:
        assert {use.user for use in row.uses if use.contribution is not None} <= above
        above.add(row.name)


def test_grad_is_neither_read_nor_changed():
    root = worked_example()
    before = str(explain(root))
    assert all(value.grad == 0.0 for value in (root, *root.operands))
    root.backward()
    root.backward()
    assert str(explain(root)) == before


def test_an_operand_used_twice_contributes_twice():
    a = Value(3.0)
    row = explain(a + a).cotangents[-1]
    assert row == Cotangent("v₀", "", (Use("v₁", 1.0, 1.0, 1.0),) * 2, 2.0)
    assert row.formula == "v̄₁ × ∂v₁/∂v₀ + v̄₁ × ∂v₁/∂v₀"
    assert row.calculation == "1 × 1 + 1 × 1"


def test_unselected_edges_and_what_lies_below_them_say_so():
    x = Value(0.0, "x")
    tape = explain(where(x > 0, log(x * x), x))
    notes = {row.name: (row.value, row.note) for row in tape.cotangents}
    assert notes == {
        "v₃": (1.0, ""),
        "v₂": (0.0, "not selected by v₃"),
        "v₁": (0.0, "nothing flows to v₂"),
        "v₀": (1.0, "nothing flows to v₁"),
    }
    assert tape.cotangents[-1].formula == "v̄₃ × ∂v₃/∂v₀"
    assert "not selected by v₃" in str(tape)
    assert "not selected by v₃" in tape.markdown()
    assert "not selected by v₃" in tape.html()


def test_an_input_alone_is_its_own_output():
    tape = explain(Value(3.0, "a"))
    forward, reverse = str(tape).split("\n\n")
    assert forward.splitlines()[1:] == ["a  v₀  = 3"]
    assert reverse.splitlines()[1:] == ["a  v̄₀  = 1"]


# Formulas -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "formula", "calculation"),
    [
        (lambda a, b: a + b, "v₋₁ + v₀", "-2 + 3"),
        (lambda a, b: b - a, "v₋₁ − v₀", "3 − (-2)"),
        (lambda a, b: a * b, "v₋₁ × v₀", "-2 × 3"),
        (lambda a, b: b / a, "v₋₁ ÷ v₀", "3 ÷ (-2)"),
        (lambda a, _: -a, "−v₀", "−(-2)"),
        (lambda a, _: a**2, "v₀ ^ 2", "(-2) ^ 2"),
        (lambda _, b: (-2) ** b, "(-2) ^ v₀", "(-2) ^ 3"),
        (lambda _, b: 1e-7 * b, "1e-7 × v₀", "1e-7 × 3"),
        (lambda _, b: b / -0.0, "v₀ ÷ (-0)", "3 ÷ (-0)"),
        (lambda _, b: exp(b), "exp(v₀)", "exp(3)"),
        (maximum, "maximum(v₋₁, v₀)", "maximum(-2, 3)"),
        (lambda a, b: where(1.0, a, b), "where(1, v₋₁, v₀)", "where(1, -2, 3)"),
        (lambda a, b: norm([a, b]), "norm(v₋₁, v₀)", "norm(-2, 3)"),
        (lambda a, b: dot([a, b], [b, 0.5]), "v₋₁ × v₀ + v₀ × 0.5", "-2 × 3 + 3 × 0.5"),
        (lambda a, b: dot([b], [2.0], a), "v₋₀ + v₋₁ × 2", "-2 + 3 × 2"),
        (lambda a, _: dot([], [], a), "v₀", "-2"),
    ],
)
def test_a_formula_reads_as_mathematics(make, formula, calculation):
    assert last(make(Value(-2.0), Value(3.0))) == (formula.replace("₋₀", "₀"), calculation)


def test_formula_and_calculation_have_the_same_shape_where_a_bias_happens_to_be_zero():
    bias = Value(0.0)
    assert last(dot([Value(1.0)], [2.0], bias)) == ("v₀ + v₋₁ × 2", "0 + 1 × 2")


def test_long_formulas_are_shortened():
    ws, xs = [Value(0.5) for _ in range(1000)], [Value(2.0) for _ in range(1000)]
    assert last(dot(ws, xs)) == (
        "v₋₁₉₉₉ × v₋₉₉₉ + v₋₁₉₉₈ × v₋₉₉₈ + … + v₋₁₀₀₀ × v₀",
        "0.5 × 2 + 0.5 × 2 + … + 0.5 × 2",
    )
    assert last(sum_(ws)) == ("sum(v₋₉₉₉, v₋₉₉₈, …, v₀)", "sum(0.5, 0.5, …, 0.5)")
    row = explain(sum_(ws[:1] * 1000)).cotangents[-1]
    assert (len(row.uses), row.value) == (1000, 1000.0)
    assert row.calculation == "1 × 1 + 1 × 1 + … + 1 × 1"


@pytest.mark.parametrize(
    ("x", "printed"),
    [
        (0.1, "0.1"),
        (100000.0, "100000"),
        (1234567.0, "1.23457e6"),
        (2 / 3, "0.666667"),
        (-0.0, "-0"),
        (5e-324, "4.94066e-324"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_have_up_to_six_significant_digits(x, printed):
    assert str(explain(Value(x))).splitlines()[1] == f"v₀  = {printed}"


# What it shows ------------------------------------------------------------------------------------


@given(graphs(), st.integers(1, 9))
def test_of_a_long_tape_head_and_tail_are_shown_and_the_rest_is_counted(root, limit):
    whole, tape = explain(root), explain(root, limit)
    lines = min(limit, whole.total)
    head = limit // 2 if lines < whole.total else lines
    assert tape.total == whole.total
    assert tape.primals[:head] == whole.primals[:head]
    assert repr(tape.primals[head:]) == repr(whole.primals[whole.total - lines + head :])
    assert repr(tape.cotangents[: lines - head]) == repr(whole.cotangents[: lines - head])
    assert repr(tape.cotangents[lines - head :]) == repr(whole.cotangents[whole.total - head :])
    said = f"… {whole.total - lines} of {whole.total} lines are left out"
    for text in (str(tape), tape.markdown(), tape.html()):
        assert text.count(said) == (2 if lines < whole.total else 0)


def test_what_is_left_out_is_said_where_it_would_stand():
    forward, reverse = str(explain(worked_example(), limit=3)).split("\n\n")
    assert [line.split("  ")[0] for line in forward.splitlines()[1:]] == [
        "x1",
        "… 4 of 7 lines are left out",
        "",
        "y",
    ]
    assert [line.split("  ")[0] for line in reverse.splitlines()[1:]] == [
        "y",
        "",
        "… 4 of 7 lines are left out",
        "x1",
    ]


def test_a_chain_of_any_depth_is_explained():
    x = Value(1.0)
    for _ in range(100_000):
        x = x * 0.5
    tape = explain(x)
    assert (tape.total, len(tape.primals), len(tape.cotangents)) == (100_001, 60, 60)
    assert "… 99,941 of 100,001 lines are left out" in str(tape)


def test_only_lines_that_are_shown_are_written(monkeypatch):
    written = []
    write = Cotangent.formula.fget
    monkeypatch.setattr(
        Cotangent, "formula", property(lambda row: written.append(row.name) or write(row))
    )
    x = Value(1.0)
    for _ in range(1000):
        x = x * 0.5
    assert str(explain(x, limit=4))
    assert len(written) == 4


def test_columns_are_aligned_whatever_the_width_of_their_letters():
    a, b = Value(2.0, "損失"), Value(3.0, "e\N{COMBINING ACUTE ACCENT}")
    forward, _ = str(explain(a * b)).split("\n\n")
    assert forward.splitlines()[1:] == [
        "損失  v₋₁                       = 2",
        "e\N{COMBINING ACUTE ACCENT}     v₀                        = 3",
        "      v₁   = v₋₁ × v₀  = 2 × 3  = 6",
    ]


@pytest.mark.parametrize("label", ["a|b", "<script>alert(1)</script>", "*x*_y_`z`", "a\nb", "a\\|"])
def test_labels_are_plain_text_in_every_form(label):
    tape = explain(Value(1.0, label) * 2)
    assert tape.primals[0].label == label
    plain = label.replace("\n", r"\n")
    assert all(
        f"{plain}  v" in line for line in (str(tape).splitlines()[1], str(tape).splitlines()[-1])
    )
    tables = ET.fromstring(f"<div>{tape.html()}</div>")
    assert [row[0].text for row in tables.iter("tr")].count(plain) == 2
    for line in tape.markdown().splitlines():
        cells = re.split(r"(?<!\\)(?:\\\\)*\|", line)
        assert len(cells) in {1, 7}
    assert "<script" not in tape.html() + tape.markdown().replace(r"\<", "")


def test_long_labels_are_shortened():
    assert f"{'a' * 39}…  v₀" in str(explain(Value(1.0, "a" * 99)))


def test_columns_that_would_be_empty_are_left_out():
    tape = explain(Value(1.0) * 2)
    assert "| variable | formula | in numbers | value |" in tape.markdown()
    assert "| cotangent | formula | in numbers | value |" in tape.markdown()


def test_markdown_and_html_hold_the_same_cells_as_the_text():
    tape = explain(worked_example())
    words = re.sub(r"= |\s", "", "".join(str(tape).split("trace")[2].splitlines()[1:]))
    tables = ET.fromstring(f"<div>{tape.html()}</div>").findall("table")
    cells = [cell.text or "" for cell in tables[1].iter("td")]
    assert "".join(cells).replace(" ", "") == words
    rows = tape.markdown().split("---")[-1].splitlines()[1:]
    assert "".join(rows).replace(" ", "").replace("|", "") == words


def test_it_shows_itself_in_a_notebook_and_at_the_prompt():
    tape = explain(worked_example())
    assert tape._repr_html_() == tape.html()
    assert repr(tape) == str(tape)


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_", [3.0, "x", None, [Value(1.0)]])
def test_what_is_not_a_value_is_refused_by_name(given_):
    kind = type(given_).__name__
    with pytest.raises(TypeError, match=rf"^explain\(value\): expected a Value, got {kind}$"):
        explain(given_)


def test_a_model_is_refused_with_advice():
    with pytest.raises(TypeError, match="call the model on a sample and explain the result"):
        explain(lambda x: x)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit):
    with pytest.raises(ValueError, match=rf"expected a limit of at least 1, got {limit}$"):
        explain(Value(1.0), limit)
