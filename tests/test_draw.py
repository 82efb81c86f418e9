"""The drawing says what the graph holds: every node, every edge, every number."""

import math
import os
import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, clip, dot, exp, log, logsumexp, relu, sign, where
from autograd.draw import MissingProgram, draw, render
from autograd.draw.dot import PALETTE
from autograd.draw.graph import LEFT_OUT, graph_of, number
from autograd.draw.text import printable

SVG = "{http://www.w3.org/2000/svg}"


def parts(drawing, kind):
    """The parts of the picture of one kind, node or edge, by id."""
    groups = ET.fromstring(drawing.svg).iter(f"{SVG}g")
    return {group.get("id"): group for group in groups if group.get("class") == kind}


def texts(part):
    return [text.text for text in part.iter(f"{SVG}text")]


def readme_example():
    """The example of micrograd's README, which prints 24.7041, 138.8338 and 645.5773."""
    a, b = Value(-4.0, "a"), Value(2.0, "b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


# The graph ----------------------------------------------------------------------------------------


def test_an_operand_used_twice_has_two_edges_each_with_its_partial():
    a = Value(3.0, "a")
    assert [edge.partial for edge in graph_of(a + a, 9).edges] == [1.0, 1.0]
    assert [edge.partial for edge in graph_of(a * a, 9).edges] == [3.0, 3.0]


def test_gradients_are_true_before_backward_and_leave_grad_alone():
    root = readme_example()
    nodes = graph_of(root, 99).nodes
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
    graph = graph_of(values[-1], 99)
    for node in graph.nodes[:-1]:
        flows = [edge.flow for edge in graph.edges if edge.operand is node]
        assert math.isclose(node.gradient, math.fsum(flows), rel_tol=1e-9, abs_tol=1e-9)


def test_nothing_flows_back_into_or_below_what_was_not_selected():
    x = Value(0.0, "x")
    graph = graph_of(where(x > 0, log(x), x), 99)
    into = {edge.result.operation: edge for edge in graph.edges if edge.position < 2}
    assert into["where"].partial == 0.0
    assert into["where"].flow is None
    assert into["log"].partial == math.inf
    assert into["log"].flow is None  # not 0 times inf, which is nan
    assert graph.nodes[0].gradient == 1.0


def test_nothing_flows_back_through_a_flat_function():
    (edge,) = graph_of(sign(Value(2.0)), 99).edges
    assert (edge.partial, edge.flow) == (0.0, 0.0)


def test_a_partial_of_zero_on_a_selected_path_still_flows():
    a, b = Value(0.0), Value(math.inf)
    flows = [edge.flow for edge in graph_of(a * b, 9).edges]
    assert flows == [math.inf, 0.0]


def test_every_node_comes_after_its_operands_and_the_output_last():
    root = readme_example()
    graph = graph_of(root, 99)
    order = {node.name: i for i, node in enumerate(graph.nodes)}
    assert list(order) == [f"n{i}" for i in range(len(order))]
    assert all(order[edge.operand.name] < order[edge.result.name] for edge in graph.edges)
    assert graph.nodes[-1].value == root.data


def test_a_chain_of_any_depth_is_drawn_up_to_the_limit():
    x = Value(1.0)
    for _ in range(100_000):
        x = x * 0.5
    graph = graph_of(x, 20)
    assert [node.gradient for node in graph.nodes] == [0.5**i for i in reversed(range(20))]
    assert graph.omission == "20 of 100,001 nodes; 99,981 further from the output are left out"


@pytest.mark.parametrize("limit", [1, 2, 5, 26, 99])
def test_no_node_is_drawn_that_is_farther_from_the_output_than_one_left_out(limit):
    root = readme_example()
    distances = {root: 0}
    queue = [root]
    for value in queue:
        for operand in value.operands:
            if isinstance(operand, Value) and operand not in distances:
                distances[operand] = distances[value] + 1
                operand.label = f"v{len(queue)}"
                queue.append(operand)
    graph = graph_of(root, limit)
    drawn = {node.label for node in graph.nodes}
    near = [distance for value, distance in distances.items() if value.label in drawn]
    far = [distance for value, distance in distances.items() if value.label not in drawn]
    assert len(graph.nodes) == min(limit, 27)
    assert graph.total == len(near) + len(far) == 27
    assert max(near) <= min(far, default=math.inf)


def test_what_is_left_out_is_said_in_picture_and_table():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    drawing = draw(a * b, limit=1)
    assert drawing.graph.nodes[0].operands == (LEFT_OUT, LEFT_OUT)
    assert texts(parts(drawing, "node")["n0_more"]) == ["… 2 operands"]
    for said in (drawing.svg, drawing.dot, str(drawing)):
        assert "1 of 3 nodes; 2 further from the output are left out" in said


# The picture --------------------------------------------------------------------------------------


def test_every_edge_prints_its_partial():
    drawing = draw(readme_example())
    edges = parts(drawing, "edge")
    partials = [number(edge.partial) for edge in drawing.graph.edges]
    assert partials == ["".join(texts(edges[f"e{i}"])) for i in range(len(partials))]


def test_every_node_prints_its_number_and_gradient():
    drawing = draw(readme_example())
    nodes = parts(drawing, "node")
    for node in drawing.graph.nodes:
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
    assert len(said) == len(drawing.graph.nodes) + len(drawing.graph.edges)
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
    root = drawing.graph.nodes[-1].name
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
    assert {edge.flow for edge in drawing.graph.edges} >= {None, 0.0, 2.0, -1.0}
    edges = parts(drawing, "edge")
    for i, edge in enumerate(drawing.graph.edges):
        line = edges[f"e{i}"].find(f"{SVG}path")
        flow = edge.flow or 0.0
        role = "positive" if flow > 0 else "negative" if flow < 0 else "quiet"
        assert line.get("stroke") == PALETTE[role][0]
        assert (line.get("stroke-dasharray") is not None) == (not edge.flow)


def test_more_flow_is_a_wider_line():
    xs = [Value(0.0) for _ in range(4)]
    drawing = draw(dot([0.5, 2.0, -8.0, 32.0], xs))
    edges = parts(drawing, "edge")
    lines = [edges[f"e{i}"].find(f"{SVG}path") for i in range(len(drawing.graph.edges))]
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


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30) | st.text(st.characters(codec=None), max_size=30))
def test_any_string_is_a_safe_label(label):
    a = Value(1.0, label)
    drawing = draw(a * a)
    sentence = parts(drawing, "node")["n0"].find(f"{SVG}title").text
    assert (
        sentence == f"d output / d {printable(label) or 'n0'} = 2: {printable(label) or 'n0'} is 1"
    )
    assert "\n" not in printable(label)
    assert len(str(drawing).splitlines()) == 3


def test_a_long_label_is_shortened_in_the_picture_alone():
    label = "layer " * 20
    drawing = draw(Value(1.0, label))
    node = parts(drawing, "node")["n0"]
    assert len(texts(node)[0]) == 40
    assert label in node.find(f"{SVG}title").text


def test_a_picture_is_the_same_from_run_to_run_and_for_every_hash_seed():
    program = """
from autograd import Value, exp, where
from autograd.draw import draw
x, y = Value(2.0, "x"), Value(-1.0, "y")
print(draw(where(x > y, x * y + x, exp(y)) ** 2 - y).svg)
"""
    pictures = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(pictures) == 1
    assert b"<title>" in pictures.pop()


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


class Model:
    def __call__(self, x):
        return x


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        (3.0, "got float"),
        ([Value(1.0)], "got list"),
        (Model(), "got Model: call the model on a sample and draw the result"),
    ],
)
def test_anything_but_a_value_is_an_error_that_says_so(given_, told):
    with pytest.raises(TypeError) as raised:
        draw(given_)
    assert str(raised.value) == f"draw(value): expected a Value, {told}"


def test_a_limit_below_one_is_an_error():
    with pytest.raises(ValueError, match="got 0"):
        draw(Value(1.0), limit=0)


def test_importing_autograd_loads_nothing_that_only_drawings_need():
    program = "import sys, autograd; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = {*done.stdout.decode().split()}
    assert "autograd" in loaded
    assert not loaded & {"graphviz", "subprocess", "autograd.draw.graph", "autograd.draw.render"}
