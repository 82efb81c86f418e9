"""The drawing says what the graph holds: every node, every edge, every number.

Twelve drawings are kept in tests/golden. To write them anew, and to see which have changed:

    python tests/test_draw.py
"""

import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from expressions import readme_example
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, clip, dot, exp, log, logsumexp, relu, sign, tanh, where
from autograd.draw import DrawingError, MissingProgram, draw, render
from autograd.draw.graph import graph_of, number
from autograd.draw.palette import PALETTE
from autograd.draw.text import printable
from nn import MLP, hinge

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).parent / "golden"


def parts(drawing, kind):
    """The parts of the picture of one kind, node or edge, by id."""
    groups = ET.fromstring(drawing.svg).iter(f"{SVG}g")
    return {group.get("id"): group for group in groups if group.get("class") == kind}


def texts(part):
    return [text.text for text in part.iter(f"{SVG}text")]


def nodes_of(drawing):
    return [node for box in drawing.picture.view.boxes for node in box.nodes]


def edges_of(drawing):
    return [edge for arrow in drawing.picture.view.arrows for edge in arrow.edges]


# The graph ----------------------------------------------------------------------------------------


def test_an_operand_used_twice_has_two_edges_each_with_its_partial():
    a = Value(3.0, "a")
    assert [edge.partial for edge in graph_of(a + a).edges] == [1.0, 1.0]
    assert [edge.partial for edge in graph_of(a * a).edges] == [3.0, 3.0]


def test_gradients_are_true_before_backward_and_leave_grad_alone():
    root = readme_example()
    nodes = graph_of(root).nodes
    assert number(nodes[-1].value) == "24.7"
    gradients = {node.label: number(node.gradient) for node in nodes}
    assert (gradients["a"], gradients["b"]) == ("138.8", "645.6")
    assert all(value.grad == 0.0 for value in (root, *root.operands))


@given(
    st.lists(
        st.tuples(st.sampled_from("+-*"), st.integers(0, 99), st.integers(0, 99)), max_size=12
    ),
    st.lists(st.integers(-3, 3), min_size=1, max_size=3),
)
def test_a_gradient_is_the_sum_of_what_flows_back_into_the_node(steps, leaves):
    values = [Value(x) for x in leaves]
    for sign_, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append(a + b if sign_ == "+" else a - b if sign_ == "-" else a * b)
    graph = graph_of(values[-1])
    for node in graph.nodes[:-1]:
        flows = [edge.flow for edge in graph.edges if edge.operand == node.name]
        assert math.isclose(node.gradient, math.fsum(flows), rel_tol=1e-9, abs_tol=1e-9)


def test_nothing_flows_back_into_or_below_what_was_not_selected():
    x = Value(0.0, "x")
    graph = graph_of(where(x > 0, log(x), x))
    operation = {node.name: node.operation for node in graph.nodes}
    into = {operation[edge.result]: edge for edge in graph.edges if edge.position < 2}
    assert into["where"].partial == 0.0
    assert into["where"].flow is None
    assert into["log"].partial == math.inf
    assert into["log"].flow is None  # not 0 times inf, which is nan
    assert graph.nodes[0].gradient == 1.0


def test_nothing_flows_back_through_a_flat_function():
    (edge,) = graph_of(sign(Value(2.0))).edges
    assert (edge.partial, edge.flow) == (0.0, 0.0)


def test_a_partial_of_zero_on_a_selected_path_still_flows():
    a, b = Value(0.0), Value(math.inf)
    flows = [edge.flow for edge in graph_of(a * b).edges]
    assert flows == [math.inf, 0.0]


def test_every_node_comes_after_its_operands_and_the_output_last():
    root = readme_example()
    graph = graph_of(root)
    order = {node.name: i for i, node in enumerate(graph.nodes)}
    assert list(order) == [f"n{i}" for i in range(len(order))]
    assert all(order[edge.operand] < order[edge.result] for edge in graph.edges)
    assert graph.nodes[-1].value == root.data


def test_what_is_not_reached_has_no_gradient_and_zero_is_another_thing():
    x, unused = Value(2.0, "x"), Value(5.0, "unused")
    drawing = draw(where(x > 0, sign(x), unused * 3.0))
    gradients = {
        node.label: node.gradient for node in graph_of(where(x > 0, sign(x), unused)).nodes
    }
    assert (gradients["x"], gradients["unused"]) == (0.0, None)
    nodes = {texts(part)[0]: texts(part) for part in parts(drawing, "node").values()}
    assert nodes["x"][-1] == "0"
    assert nodes["unused"][-1] == "·"
    assert re.search(r"unused +5 +·$", str(drawing), re.MULTILINE)
    assert "· not reached" in "".join(texts(ET.fromstring(drawing.svg)))


def test_a_drawing_is_a_snapshot():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    drawing, expected = draw(a * b), draw(a * b).dot
    a.label, a.data, b.grad = "z", 7.0, 5.0
    assert drawing.dot == expected


def test_a_leaf_is_a_picture_of_one_node():
    (box,) = draw(Value(3.0, "a")).picture.view.boxes
    assert (box.label, box.operation, box.nodes[0].value, box.nodes[0].gradient) == ("a", "", 3, 1)


@pytest.mark.parametrize("label", [5, True, None, ("a", 1)])
def test_a_label_that_is_no_string_is_shown_as_one(label):
    a = Value(1.0)
    a.label = label
    assert texts(parts(draw(a), "node")["n0"])[0] == str(label)


# The picture --------------------------------------------------------------------------------------


def test_every_edge_prints_its_partial():
    drawing = draw(readme_example())
    edges = parts(drawing, "edge")
    partials = [number(edge.partial) for edge in edges_of(drawing)]
    assert partials == ["".join(texts(edges[f"e{i}"])) for i in range(len(partials))]


def test_every_node_prints_its_number_and_gradient():
    drawing = draw(readme_example())
    nodes = parts(drawing, "node")
    for node in nodes_of(drawing):
        *_title, value, _d, gradient = texts(nodes[node.name])
        assert (value, gradient) == (number(node.value), number(node.gradient))


def test_every_node_and_edge_has_a_sentence():
    a, b = Value(3.0, "a"), Value(-2.0, "b")
    drawing = draw(relu(a * b) - 2 * a)
    said = [
        part.find(f"{SVG}title").text
        for kind in ("node", "edge")
        for part in parts(drawing, kind).values()
    ]
    assert len(said) == len(nodes_of(drawing)) + len(edges_of(drawing))
    assert {
        "d output / d a = -2: a is 3",
        "d output / d n4 = -1: n4 is mul(2, a) = 6",
        "d n4 / d a = 2 by operand 2: times d output / d n4 = -1, -2 flows back",
        "d n3 / d n2 = 0 by operand 1: not selected, nothing flows back",
    } <= {*said}


@pytest.mark.parametrize(
    ("make", "title"),
    [
        (lambda x: x + 1, "+ 1"),
        (lambda x: 10 / x, "10 ÷"),
        (lambda x: x**3, "^ 3"),
        (lambda x: -x, "−"),
        (lambda x: x * x, "×"),
        (lambda x: clip(x, 0.0, 1.5), "clip(·, 0, 1.5)"),
        (lambda x: x.tanh(), "tanh"),
    ],
)
def test_constants_stand_inside_the_box_of_their_operation(make, title):
    drawing = draw(make(Value(2.0)))
    root = nodes_of(drawing)[-1].name
    assert texts(parts(drawing, "node")[root])[0] == title


def test_the_constants_of_a_neuron_are_listed_or_counted():
    def second_line(size):
        drawing = draw(dot([Value(1.0)] * size, [0.25] * size, Value(0.0)))
        return texts(parts(drawing, "node")["n2"])[1]

    assert second_line(2) == "with 0.25, 0.25"
    assert second_line(64) == "with 64 constants"


def test_colour_is_the_sign_of_what_flows_and_dashes_are_where_nothing_does():
    a, b = Value(2.0), Value(3.0)
    drawing = draw(a * b - relu(-a) + Value(0.0) * b)
    assert {edge.flow for edge in edges_of(drawing)} >= {None, 0.0, 2.0, -1.0}
    edges = parts(drawing, "edge")
    for i, edge in enumerate(edges_of(drawing)):
        line = edges[f"e{i}"].find(f"{SVG}path")
        flow = edge.flow or 0.0
        role = "positive" if flow > 0 else "negative" if flow < 0 else "quiet"
        assert line.get("stroke") == PALETTE[role][0]
        assert (line.get("stroke-dasharray") is not None) == (not edge.flow)


def test_more_flow_is_a_wider_line():
    xs = [Value(0.0) for _ in range(4)]
    drawing = draw(dot([0.5, 2.0, -8.0, 32.0], xs))
    edges = parts(drawing, "edge")
    lines = [edges[f"e{i}"].find(f"{SVG}path") for i in range(len(edges_of(drawing)))]
    widths = [float(line.get("stroke-width", "1")) for line in lines]
    assert all(narrow < wide for narrow, wide in pairwise(widths))


def test_operands_stand_in_order_from_top_to_bottom():
    names = ["logit 0", "logit 1", "logit 2"]
    logits = [Value(float(i), name) for i, name in enumerate(names)]
    nodes = parts(draw(logsumexp(logits) - logits[2]), "node").values()
    heights = {texts(node)[0]: float(node.find(f"{SVG}text").get("y")) for node in nodes}
    assert sorted(names, key=heights.__getitem__) == names


def test_inf_and_nan_are_drawn_as_such():
    x = Value(0.0, "x")
    drawing = draw(log(x) * x + exp(Value(1e3, "y")))
    shown = {word for part in parts(drawing, "node").values() for word in texts(part)}
    assert {"-inf", "inf", "nan"} <= shown


@pytest.mark.parametrize(
    ("x", "printed"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (2.0, "2"),
        (1 / 3, "0.3333"),
        (-13.8846, "-13.88"),
        (123456.0, "1.235e5"),
        (1e-300, "1e-300"),
        (-2.5e-7, "-2.5e-7"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_have_four_significant_digits(x, printed):
    assert number(x) == printed


@given(st.floats(-1e308, 1e308))
def test_a_printed_number_is_within_half_a_unit_of_its_fourth_digit(x):
    assert math.isclose(float(number(x)), x, rel_tol=5.001e-4, abs_tol=5e-324)


@pytest.mark.parametrize("label", ["\\N", "\\", "a\\n\\G", '"', "<b>a</b>", "&lt;", "{x|y}", "-->"])
def test_a_label_is_shown_as_it_is(label):
    assert texts(parts(draw(Value(1.0, label)), "node")["n0"])[0] == label


def test_a_long_label_is_shortened_in_the_picture_alone():
    label = "layer " * 20
    drawing = draw(Value(1.0, label))
    node = parts(drawing, "node")["n0"]
    assert len(texts(node)[0]) == 40
    assert label in node.find(f"{SVG}title").text


def test_every_colour_has_a_counterpart_on_dark_pages():
    svg = draw(readme_example()).svg
    used = set(re.findall(r' (?:fill|stroke)="([^"]+)"', svg)) - {"none"}
    assert used <= {light for light, _dark in PALETTE.values()}
    for colour in used:
        assert f'[fill="{colour}"] {{ fill: {dict(PALETTE.values())[colour]} }}' in svg


@pytest.mark.parametrize("page", ["light", "dark"])
def test_text_stands_out_from_its_ground_as_wcag_asks(page):
    def luminance(colour):  # WCAG 2.2, relative luminance
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    colours = {role: pair[page == "dark"] for role, pair in PALETTE.items()}
    for ground in ("paper", "box"):
        for ink in ("ink", "quiet", "positive", "negative"):
            low, high = sorted(luminance(colours[role]) for role in (ground, ink))
            assert (high + 0.05) / (low + 0.05) >= 4.5


# What to show -------------------------------------------------------------------------------------

SOME = "label, operation, data, gradient, partial, legend, contribution"


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("label", ["a"]),
        ("operation", ["×"]),
        ("data", ["-2", "3", "-6"]),
        ("gradient", ["∂", "3", "∂", "-2", "∂", "1"]),
        ("partial", ["3", "-2"]),
        ("contribution", ["(3)", "(-2)"]),
        (["partial", "contribution"], ["3 (3)", "-2 (-2)"]),
        ([], []),
    ],
)
def test_labels_carry_what_is_asked_for_alone(show, said):
    a = Value(-2.0, "a")
    drawing = draw(a * Value(3.0), show=show)
    words = [text.strip() for text in texts(ET.fromstring(drawing.svg))]
    assert sorted(filter(None, words)) == sorted(said)


def test_the_legend_explains_what_is_shown_alone():
    def legend(**arguments):
        svg = ET.fromstring(draw(where(Value(1.0), a * a, b), **arguments).svg)
        return "".join(text.text for text in svg.find(f"{SVG}g").findall(f"{SVG}text"))

    a, b = Value(2.0), Value(3.0)
    assert "∂ d output / d node" in legend()
    assert "number on an arrow d result / d operand" in legend()
    assert "(number) on an arrow" not in legend()
    assert "dashed nothing flows back" in legend()
    assert "(number) on an arrow" in legend(show=["contribution", "legend"])
    assert "∂" not in legend(show=["label", "legend"])
    assert legend(show="label") == ""


def test_a_drawing_goes_from_left_to_right_or_from_top_to_bottom():
    def places(rankdir, axis):
        nodes = parts(draw(tanh(exp(Value(0.5))), rankdir=rankdir), "node").values()
        return [float(node.find(f"{SVG}text").get(axis)) for node in nodes]

    assert places("LR", "x") == sorted(places("LR", "x"))
    assert places("TB", "y") == sorted(places("TB", "y"))


def test_parameters_stand_in_the_frames_of_their_modules():
    drawing = draw(golden_network())
    frames = parts(drawing, "cluster").values()
    titles = {frame.find(f"{SVG}title").text: "".join(texts(frame)) for frame in frames}
    assert titles == {
        "layers.0": "layers.0",
        "layers.0.neurons.0": "neurons.0",
        "layers.0.neurons.1": "neurons.1",
        "layers.1": "layers.1",
    }


def test_a_picture_says_how_far_it_is_folded():
    drawing = draw(golden_moons())
    assert "folded 407 → 16 nodes" in drawing.svg
    assert repr(drawing) == "<Drawing of loss: 16 nodes, 15 edges, folded 407 → 16 nodes>"
    assert str(drawing).splitlines()[-1] == "folded 407 → 16 nodes"


# Labels that are hostile --------------------------------------------------------------------------

NASTY = [
    *('"', "\\", "\\N", "\\n", "\\l", "{", "}", "{a|b}", "<", ">", "<>", "|", "&", "&lt;", "&#0;"),
    *("\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", " ", "  ", "\u3000", "\xa0"),
    *("<script>alert(1)</script>", "<svg onload=alert(1)>", "</title>", "</svg>", "]]>", "-->"),
    *("<!--", "<![CDATA[", "<?x?>", "<!DOCTYPE x>", "<img src=x onerror=alert(1)>", "'", "' on='"),
    *("javascript:alert(1)", "{{title}}", "%s", "{0}", "${x}", '"];evil[label="', "<<b>x</b>>"),
    *(
        "😀",
        "👩‍👩‍👧",
        "é",
        "e\u0301",
        "漢字",
        "العربية",
        "\u202eevil",
        "\u2066",
        "\ufeff",
        "\ufffe",
    ),
    *("\ud800", "\udfff\ud800", "\U0010ffff", "\ue000", "x" * 300, "<" * 50, "\\" * 41),
    *("a.b.c", "..", "0.0.0", "x*.y", "٣.weights.²", "a.\nb.c", "layers.0.weights.1", "n0", "e0"),
]
hostile = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=4).map("".join),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=4).map(".".join),
    st.text(max_size=30),
    st.text(st.characters(codec=None), max_size=30),
)
ELEMENTS = {"svg", "style", "g", "title", "polygon", "polyline", "path", "ellipse", "text"}
ATTRIBUTES = {
    *("class", "width", "height", "viewBox", "id", "transform", "fill", "stroke", "stroke-width"),
    *("points", "d", "text-anchor", "x", "y", "font-family", "font-size", "font-weight"),
    *("stroke-dasharray", "{http://www.w3.org/XML/1998/namespace}space"),
}


class Reader(HTMLParser):
    """Reads a page as a browser does: which elements it has, and the text in it."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.text = set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data):
        self.text.append(data)


def shortened(text):
    return text if len(text) <= 40 else f"{text[:39]}…"


@settings(max_examples=50)  # of 40 labels each
@given(st.lists(hostile, min_size=40, max_size=40))
def test_any_label_is_shown_as_text_and_is_nothing_else(labels):
    leaves = [Value(float(i), label) for i, label in enumerate(labels[:-1])]
    root = dot(leaves, [1.0] * len(leaves))
    root.label = labels[-1]
    drawing = draw(root)
    nodes, edges = parts(drawing, "node"), parts(drawing, "edge")
    assert ({*nodes}, {*edges}) == (
        {f"n{i}" for i in range(40)},
        {f"e{i}" for i in range(39)},
    )
    output = printable(root.label)
    for i, leaf in enumerate(leaves):
        said = printable(leaf.label) or f"n{i}"
        sentence = f"d {output or 'output'} / d {said} = 1: {said} is {i}"
        assert nodes[f"n{i}"].find(f"{SVG}title").text == sentence
    for box in drawing.picture.view.boxes:
        assert box.label.endswith(box.short)
        if box.short:
            first = texts(nodes[box.name])[0].replace("\xa0", " ")  # so that dot keeps two spaces
            assert first == shortened(printable(box.short))
    assert len(str(drawing).splitlines()) == 41
    svg, page = ET.fromstring(drawing.svg), Reader(drawing.html)
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= ELEMENTS
    assert {name for element in svg.iter() for name in element.attrib} <= ATTRIBUTES
    assert page.elements <= {*ELEMENTS, "html", "meta"}
    assert not page.attributes & {"href", "src", "xlink:href"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert {*texts(svg)} <= {*page.text}


@given(hostile)
def test_a_printed_label_is_one_line_that_no_mark_turns_round(label):
    text = printable(label)
    assert re.sub("[\u200c\u200d]", "", text).isprintable()  # joiners of letters and of emoji
    assert text.encode().decode() == text
    assert text == label or "\\" in text


# The drawing as an object -------------------------------------------------------------------------


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path):
    """No program that lays out graphs is found, until a test puts one into a folder."""
    monkeypatch.delenv("GLASSGRAD_DOT", raising=False)
    folders = {name: tmp_path / name for name in ("scripts", "path")}
    for folder in folders.values():
        folder.mkdir()
    monkeypatch.setenv("PATH", str(folders["path"]))
    monkeypatch.setattr(render.sysconfig, "get_path", {"scripts": str(folders["scripts"])}.get)
    return folders


def program(folder, name, script="exit 0"):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in programs are shell scripts")


@posix
def test_programs_are_sought_in_order(nothing_installed, monkeypatch, tmp_path):
    with pytest.raises(MissingProgram, match=r"pip install 'glassgrad\[viz\]'"):
        render.find_program()
    for folder, name in (("path", "dot"), ("path", "graphviz-pure"), ("scripts", "graphviz-pure")):
        path = program(nothing_installed[folder], name)
        assert path == render.find_program()
    own = program(tmp_path, "own")
    monkeypatch.setenv("GLASSGRAD_DOT", own)
    assert own == render.find_program()


def test_a_program_named_by_the_user_is_not_replaced_by_another(monkeypatch):
    monkeypatch.setenv("GLASSGRAD_DOT", "no-such-program")
    with pytest.raises(MissingProgram, match="GLASSGRAD_DOT names 'no-such-program'"):
        render.find_program()


def test_a_notebook_gets_the_picture_and_the_table():
    a = Value(3.0, "a")
    bundle = draw(a + a)._repr_mimebundle_(include=None, exclude=None)
    assert bundle == {"image/svg+xml": draw(a + a).svg, "text/plain": str(draw(a + a))}


@pytest.mark.usefixtures("nothing_installed")
def test_without_a_program_a_notebook_gets_the_table_and_what_to_install():
    a = Value(3.0, "a")
    (text,) = draw(a + a)._repr_mimebundle_().values()
    assert text.splitlines() == [
        "node  label  operation  operands  value  d output / d node",
        "n0    a                               3                  2",
        "n1           add        n0 n0         6                  1",
        "",
        "no program to lay out the graph: pip install 'glassgrad[viz]'",
    ]


@posix
def test_a_program_that_fails_is_one_clear_error(nothing_installed):
    path = program(nothing_installed["path"], "dot", "echo 'Error: out of\nink' >&2; exit 1")
    drawing = draw(Value(1.0))
    with pytest.raises(RuntimeError) as raised:
        _ = drawing.svg
    assert str(raised.value) == f"{path} could not make svg: Error: out of ink"
    assert drawing._repr_mimebundle_()["text/plain"] == f"{drawing}\n\n{raised.value}"


@posix
def test_a_program_that_hangs_is_one_clear_error(nothing_installed, monkeypatch):
    program(nothing_installed["path"], "dot", "exec /bin/sleep 60")
    monkeypatch.setattr(render, "_SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="draw fewer nodes"):
        _ = draw(Value(1.0)).svg


@posix
@pytest.mark.parametrize(
    "script",
    [
        "echo nonsense",
        r"printf '\377'",
        "echo '<svg ><g>'",
        "echo '</svg><svg '",
        """printf '<svg ><g id="other" class="node">\\n<title>x</title></g></svg>'""",
    ],
)
def test_a_program_that_prints_no_picture_of_the_graph_is_one_clear_error(
    nothing_installed, script
):
    path = program(nothing_installed["path"], "dot", script)
    drawing = draw(Value(1.0))
    with pytest.raises(DrawingError) as raised:
        _ = drawing.svg
    assert str(raised.value) == f"{path} gave no SVG of this graph"
    assert drawing._repr_mimebundle_()["text/plain"] == f"{drawing}\n\n{raised.value}"


@posix
def test_a_program_that_does_not_run_is_one_clear_error(nothing_installed):
    path = Path(program(nothing_installed["path"], "dot"))
    path.write_bytes(b"\x7fELF")
    with pytest.raises(DrawingError, match=rf"^{re.escape(str(path))} does not run: .*$"):
        _ = draw(Value(1.0)).svg


def test_the_programs_warnings_are_not_shown(capfd):
    assert draw(Value(1.0, "漢字")).svg
    assert capfd.readouterr() == ("", "")


def test_saved_files_are_what_their_names_say(tmp_path):
    a = Value(3.0, "<a>")
    drawing = draw(a + a)
    saved = {kind: drawing.save(tmp_path / f"graph.{kind}") for kind in ("svg", "dot", "html")}
    assert saved["svg"].read_text(encoding="utf-8") == drawing.svg
    assert saved["dot"].read_text(encoding="utf-8") == drawing.dot
    assert drawing.svg in saved["html"].read_text(encoding="utf-8")
    assert drawing.save(str(tmp_path / "GRAPH.PNG")).read_bytes().startswith(b"\x89PNG\r\n")
    assert len([*tmp_path.iterdir()]) == 4


def test_a_page_asks_for_nothing_from_elsewhere():
    page = draw(readme_example()).html
    assert not re.search(r"<script|<link|@import|url\(| src=| href=", page)


def test_an_unknown_ending_is_an_error_that_names_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'graph.jpg'.*\.svg, \.dot, \.png or \.html"):
        draw(Value(1.0)).save(tmp_path / "graph.jpg")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(nothing_installed):
    old = nothing_installed["path"] / "graph.svg"
    old.write_text("old", encoding="utf-8")
    with pytest.raises(MissingProgram):
        draw(Value(1.0)).save(old)
    assert [path.read_text(encoding="utf-8") for path in old.parent.iterdir()] == ["old"]


def test_a_save_that_cannot_write_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "graph.svg"
    folder.mkdir()
    with pytest.raises(OSError, match=r"graph\.svg"):
        draw(Value(1.0)).save(folder)
    assert [*tmp_path.iterdir()] == [folder]
    assert [*folder.iterdir()] == []


def test_a_repr_is_one_short_line():
    assert repr(draw(Value(1.0, "a\n") * 2)) == "<Drawing of output: 2 nodes, 1 edges>"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"depth": -1}, "(value, depth): expected a whole number of at least 0, got -1"),
        ({"depth": True}, "(value, depth): expected a whole number of at least 0, got True"),
        ({"depth": 2.5}, "(value, depth): expected a whole number of at least 0, got 2.5"),
        ({"depth": "3"}, "(value, depth): expected a whole number of at least 0, got '3'"),
        ({"rankdir": "lr"}, "(value, rankdir): expected 'LR' or 'TB', got 'lr'"),
        ({"rankdir": []}, "(value, rankdir): expected 'LR' or 'TB', got []"),
        ({"show": "colour"}, f"(value, show): expected some of {SOME}, got 'colour'"),
        ({"show": ["data", 3]}, f"(value, show): expected some of {SOME}, got 3"),
        ({"show": [[]]}, f"(value, show): expected some of {SOME}, got []"),
        ({"show": 3}, f"(value, show): expected some of {SOME}, got 3"),
    ],
)
def test_a_wrong_argument_is_an_error_that_names_the_right_ones(arguments, told):
    with pytest.raises(ValueError, match="draw") as raised:
        draw(Value(1.0), **arguments)
    assert str(raised.value) == f"draw{told}"


def test_importing_autograd_loads_nothing_that_only_drawings_need():
    program = "import sys, autograd; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = {*done.stdout.decode().split()}
    assert "autograd" in loaded
    assert not loaded & {"graphviz", "subprocess", "autograd.draw.graph", "autograd.draw.render"}


# Golden pictures ----------------------------------------------------------------------------------


def golden_neuron():
    """The neuron of micrograd's lecture, whose inputs get -1.5, 1.0, 0.5 and 0.0."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2 = Value(-3.0, "w1"), Value(1.0, "w2")
    b = Value(6.8813735870195432, "b")
    output = (x1 * w1 + x2 * w2 + b).tanh()
    output.label = "o"
    return output


def golden_twice():
    a = Value(3.0, "a")
    return a + a


def diamond():
    a = Value(0.5, "a")
    return tanh(a) * exp(-a)


def unselected():
    x, y = Value(-1.5, "x"), Value(0.5, "y")
    return where(x > y, log(x) * y, relu(x) + 2 * y)


def constants():
    x, y = Value(2.0, "x"), Value(-1.0, "y")
    return clip(dot([5.1, 3.5, x, y], [x, y, 0.25, 1.0], 7.0), 0, 100) / 10 ** Value(0.5, "z")


def losses_of_classes():
    logits = [Value(x, f"logit {i}") for i, x in enumerate([2.0, -1.0, 0.5])]
    return logsumexp(logits) - logits[1]


def hostile_labels():
    labels = ['"\\N"', "<script>alert(1)</script>", "{a|b} & ]]> -->", "two\nlines", "😀\u202etxt"]
    return sum(Value(float(i), label) for i, label in enumerate(labels))


def golden_network():
    inputs = [Value(0.3, "x"), Value(-0.7, "y")]
    return hinge(MLP(2, [2, 1], activation="tanh")(inputs), 1.0)


def golden_moons():
    inputs = [Value(0.3, "x"), Value(-0.7, "y")]
    loss = hinge(MLP(2, [16, 16, 1])(inputs), -1.0)
    loss.label = "loss"
    return loss


def not_finite():
    x, y = Value(0.0, "x"), Value(-0.0, "y")
    return log(x) * y + exp(Value(1e3, "z")) + 1e-300 * x


GRAPHS = {
    "micrograd": lambda: draw(readme_example()),
    "neuron": lambda: draw(golden_neuron()),
    "twice": lambda: draw(golden_twice()),
    "diamond": lambda: draw(diamond(), rankdir="TB", show=["operation", "contribution"]),
    "unselected": lambda: draw(unselected()),
    "constants": lambda: draw(constants()),
    "logsumexp": lambda: draw(losses_of_classes()),
    "hostile": lambda: draw(hostile_labels()),
    "network": lambda: draw(golden_network()),
    "moons": lambda: draw(golden_moons()),
    "depth": lambda: draw(readme_example(), depth=5),
    "not_finite": lambda: draw(not_finite()),
}
SVGS = ["neuron", "unselected", "moons"]  # laid out by graphviz-pure 0.2.2


def pictures():
    """The bytes of each file."""
    drawings = {name: make() for name, make in GRAPHS.items()}
    files = {f"draw_{name}.dot": drawing.dot for name, drawing in drawings.items()}
    files |= {f"draw_{name}.svg": drawings[name].svg for name in SVGS}
    return {name: text.encode() for name, text in files.items()}


@pytest.mark.parametrize("name", GRAPHS)
def test_dot_source_is_byte_for_byte_what_it_was(name):
    assert GRAPHS[name]().dot == (GOLDEN / f"draw_{name}.dot").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SVGS)
def test_a_picture_is_byte_for_byte_what_it_was(name):
    assert GRAPHS[name]().svg == (GOLDEN / f"draw_{name}.svg").read_text(encoding="utf-8")


def test_pictures_are_the_same_from_run_to_run_and_for_every_hash_seed(tmp_path):
    for seed in ("0", "1", "2"):
        subprocess.run(
            [sys.executable, __file__, tmp_path / seed],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        written = {path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()}
        assert written == pictures()


if __name__ == "__main__":
    folder = Path(*sys.argv[1:]) if sys.argv[1:] else GOLDEN
    folder.mkdir(exist_ok=True)
    for name, content in pictures().items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            print(f"{path.name} has changed")  # noqa: T201  to whoever runs it
