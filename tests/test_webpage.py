import json
import math
import re
import sys
from html import unescape
from random import Random

import pytest
from expressions import expressions, readme_example, vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, backward_steps, explore, log, primitive, relu, sign, tanh, where
from autograd.draw import render
from autograd.draw.graph import number, numbers
from autograd.draw.programs import constant
from autograd.draw.text import printable
from nn import MLP, hinge

MAX = sys.float_info.max
HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload=window.hacked=1>',
    "{{data}}",
    "]]> --> <!-- \\N \\u003c",
    "a\nb\u2028c\x00d",
    "\u202eright to left\u202c",
    "\ud800",
    "🎓 &amp; &lt;",
    "' \" ` ${window.hacked = 1}",
]


def square():
    x, w, b = Value(0.5, "x"), Value(-1.2, "w"), Value(0.3, "b")
    return tanh(x * w + b) ** 2


def loss_of(*sizes):
    model = MLP(2, [*sizes], activation="tanh", seed=0)
    return hinge(model([Value(0.3, "x1"), Value(-0.2, "x2")]), 1.0)


def powers(count):
    x = Value(1.01, "x")
    y = x
    for _ in range(count):
        y = y * x
    return y + 1.0


def hostile():
    return sum((i + 1.0) * Value(float(i), label) for i, label in enumerate(HOSTILE))


GRAPHS = {
    "a leaf": lambda: Value(2.0, "x"),
    "a square": square,
    "micrograd's example": readme_example,
    "a small network": lambda: loss_of(2, 1),
    "a folded network": lambda: loss_of(4, 4, 1),
    "a folded chain": lambda: powers(100),
    "a choice": lambda: where(Value(0.0, "x") > 0, log(Value(0.0, "y")), Value(3.0, "z") * 2),
    "numbers that are none": lambda: log(Value(0.0, "x")) * Value(0.0, "y"),
    "hostile labels": hostile,
}


def batched(values):
    """Neighbours two by two; the last of an odd number is its own neighbour."""
    return zip(values[::2], [*values[1::2], values[-1]], strict=False)


def data_of(page):
    """What the script of a page reads."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page.html, re.DOTALL)[1])


# The page -----------------------------------------------------------------------------------------


@given(expressions(), vectors(st.floats(-3.0, 3.0)))
def test_the_program_of_a_page_gives_the_numbers_of_the_engine(f, point):
    leaves = [Value(x) for x in point]
    root = f(leaves)
    if not isinstance(root, Value):
        return
    page = explore(root)
    values, cotangents, partials, contributions = page.program()
    close = {"rel_tol": 1e-9, "abs_tol": 1e-12}
    for node, value, cotangent in zip(page.graph.nodes, values, cotangents, strict=True):
        assert value == node.value
        assert math.isclose(cotangent, node.gradient or 0.0, **close)
    for edge, partial, contribution in zip(page.graph.edges, partials, contributions, strict=True):
        assert math.isclose(contribution, edge.flow or 0.0, **close)
        if edge.flow is not None:
            assert math.isclose(partial, edge.partial, **close)


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_page_asks_for_nothing_else(graph):
    html = explore(GRAPHS[graph]()).html
    assert set(re.findall(r"https?://[^\"'\s<]*", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"<(script|img|iframe|object)[^>]* src=|@import|url\(", html)
    assert "default-src 'none'" in html


def test_a_page_is_the_same_from_run_to_run():
    assert explore(readme_example()).html == explore(readme_example()).html


def test_a_page_of_200_nodes_takes_no_more_than_150_kilobytes():
    random, values = Random(0), [Value(float(i), f"x{i}") for i in range(20)]
    for i in range(180):
        a, b = values[i], random.choice(values[i + 1 :])  # so that every node is used
        values.append(random.choice([a + b, a * b, a - b]) if i % 3 else a * b.data)
    page = explore(sum(values[180:], values[179]))
    assert 200 <= len(page.graph.nodes) <= 230
    assert len(page.html.encode()) <= 150_000


def test_short_labels_that_are_no_other_s_are_names_in_formulas():
    a, b, c = Value(1.0, "a"), Value(2.0, "twice"), Value(3.0, "twice")
    d, e = Value(4.0, "n1"), Value(5.0, "much too long to be read")
    names = explore(a * b * c * d * e).names
    first, *others, last = names
    assert (names[first], names[last]) == ("a", "output")
    assert all(names[name] == name for name in others)


def test_a_graph_too_large_for_a_page_is_refused_in_one_line():
    x = Value(1.0)
    for _ in range(6000):
        x = x * 0.999
    with pytest.raises(
        ValueError, match=r"6,001 nodes are too many for a page, at most 5,000"
    ) as e:
        explore(x)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("value", [3.0, None, "a*b", [Value(1.0)], MLP(2, [1])])
def test_what_is_no_value_is_refused(value):
    with pytest.raises(TypeError, match=r"explore\(value\): expected a Value, got"):
        explore(value)


def test_a_page_is_saved_whole_and_only_as_html(tmp_path):
    page = explore(square())
    assert page.save(tmp_path / "page.html").read_text("utf-8") == page.html
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(ValueError, match=r"cannot save as 'page.svg': expected \.html"):
        page.save(tmp_path / "page.svg")


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    path = tmp_path / "page.html"
    path.mkdir()
    for target in (path, tmp_path / "missing" / "page.html"):
        with pytest.raises(OSError, match=r"page\.html") as e:
            explore(square()).save(target)
        assert e.value.filename == str(target)
    assert [*tmp_path.iterdir()] == [path]


def test_a_notebook_shows_the_whole_page_in_a_frame():
    page = explore(square())
    assert unescape(re.search(r'srcdoc="([^"]*)"', page._repr_html_())[1]) == page.html


def test_a_primitive_of_the_users_own_is_written_out_for_the_page():
    cube = primitive("cube", lambda x: x * x * x, lambda _z, x: 3.0 * x * x)
    data = data_of(explore(cube(Value(2.0, "x"))))
    assert {name for name, *_ in data["program"]["instructions"]} == {"mul"}
    assert any("cube" in formula for formula in data["formulas"])


@pytest.mark.usefixtures("without_a_renderer")
def test_without_a_program_for_drawings_the_page_does_the_rest():
    html = explore(square()).html
    assert "<svg" not in html
    assert "pip install &#x27;glassgrad[viz]&#x27;" in html
    assert '"program"' in html


@pytest.fixture
def without_a_renderer(monkeypatch):
    monkeypatch.delenv("GLASSGRAD_DOT", raising=False)
    monkeypatch.setattr(render.shutil, "which", lambda *_args, **_kinds: None)


@settings(max_examples=50)
@given(st.lists(st.text(max_size=20) | st.sampled_from(HOSTILE), min_size=40, max_size=40))
def test_any_label_is_text_in_a_page(labels):
    page = explore(sum(Value(1.0, label) for label in labels), fold=False)
    assert page.html.count("<script") == 2
    data = data_of(page)
    found = [title or name for title, name in zip(data["titles"], data["names"], strict=True)]
    assert {printable(label)[:59] for label in labels if label} <= {name[:59] for name in found}


# In the browser -----------------------------------------------------------------------------------


@pytest.fixture
def walk(open_page, tmp_path):
    """Open the page of a value."""

    def open_value(value, **options):
        found = open_page(explore(value).save(tmp_path / "page.html"), **options)
        return found.page

    return open_value


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_page_opens_with_one_request_and_no_complaint_and_walks_to_the_end(
    open_page, tmp_path, graph
):
    found = open_page(explore(GRAPHS[graph]()).save(tmp_path / "page.html"))
    last = found.page.evaluate("steps.length - 1")
    for _ in range(last):
        found.page.keyboard.press("ArrowRight")
    assert found.page.locator("#next").is_disabled()
    assert found.page.evaluate("now") == last
    assert len(found.requests) == 1
    assert found.complaints == []
    assert found.page.evaluate("window.hacked") is None


def test_every_contribution_of_the_sweep_is_a_step_with_its_numbers(walk):
    root = square()
    page = walk(root)
    names = dict(zip(explore(root).graph.nodes, explore(root).names.values(), strict=True))
    expected = set()
    for step in backward_steps(root):
        for _operand, partial, contribution, total in step.contributions:
            numbers = [f"{x:.6g}" for x in (step.cotangent, partial, contribution, total)]
            signed = [f"({x})" if x.startswith("-") else x for x in numbers[:2]]
            expected.add("{} × {} = {}, total {}".format(*signed, *numbers[2:]))
    said = []
    while page.locator("#next").is_enabled():
        page.locator("#next").click()
        said.append(page.locator("#said").inner_text())
    contributions = [text.split(".grad += ")[1] for text in said if ".grad += " in text]
    assert {*contributions} == expected
    assert len(contributions) == len(explore(root).graph.edges)
    assert {text.split(".grad")[0] for text in said if ".grad" in text} <= {*names.values()}


def test_the_drawing_shows_value_gradient_and_the_edge_of_the_step(walk):
    page = walk(square())

    def text_of(node):
        return page.locator(f'#drawing [id="{node.name}"]').text_content()

    page.keyboard.press("End")
    nodes = explore(square()).graph.nodes
    for node in nodes:
        *_, value, gradient = filter(None, text_of(node).split("\n"))
        assert value == number(node.value)
        assert gradient == f"∂ {number(node.gradient)}"
    assert page.locator(".edge.current").count() == 1
    assert page.locator(".node.current").count() == 1
    page.keyboard.press("Home")
    assert page.locator(".node.later").count() == 4
    assert all("∂ ·" in text_of(node) for node in nodes)


def test_at_the_end_every_box_shows_the_gradients_of_all_its_nodes(walk):
    root = powers(100)
    page = walk(root)
    page.keyboard.press("End")
    for box in explore(root).view.boxes:
        gradients = [node.gradient for node in box.nodes]
        text = page.locator(f'#drawing [id="{box.name}"]').text_content()
        assert f"∂ {numbers(gradients)}" in text


@pytest.mark.parametrize("graph", ["a square", "a small network", "micrograd's example"])
def test_moved_sliders_give_the_numbers_of_python_running_the_same_program(walk, graph):
    root = GRAPHS[graph]()
    program = explore(root).program
    page = walk(root)
    fields = page.locator("#leaf-rows input[type=number]").count()
    assert fields == len(program.parameters)
    random = Random(0)
    settings = [[random.uniform(-2.0, 2.0) for _ in range(fields)] for _ in range(200)]
    found = page.evaluate(
        """settings => settings.map(numbers => {
            rows.filter(row => row.field).forEach(({ field, leaf }) => {
                field.value = numbers[leaf];
                field.dispatchEvent(new Event("input"));
            });
            return [values, cotangents, partials, contributions].map(xs => [...xs]);
        })""",
        settings,
    )
    for setting, (values, cotangents, *edges) in zip(settings, found, strict=True):
        for parameter, x in zip(program.parameters, setting, strict=True):
            parameter.data = x
        expected = program()
        for xs, ys in zip((values, cotangents, *edges), expected, strict=True):
            for x, y in zip(xs, ys, strict=True):
                assert math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-290)


def test_the_tables_print_what_a_slider_changed(walk):
    page = walk(square())
    slider = page.get_by_label("x, slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    x = float(page.get_by_label("x, value").input_value())
    assert x > 0.5
    inner = x * -1.2 + 0.3
    row = page.locator("#leaf-rows tr", has=slider).locator("td")
    gradient = 2 * math.tanh(inner) / math.cosh(inner) ** 2 * -1.2
    assert row.nth(2).inner_text() == f"{gradient:.6g}"
    assert page.evaluate("values[values.length - 1]") == pytest.approx(math.tanh(inner) ** 2)
    page.get_by_role("button", name="Put back").click()
    assert page.get_by_label("x, value").input_value() == "0.5"


def test_differences_agree_with_the_gradient_and_are_red_where_there_is_a_kink(walk):
    page = walk(square())
    page.wait_for_selector("#leaf-rows td:last-child:empty", state="detached")
    assert page.locator(".differs").count() == 0
    page = walk(relu(Value(0.0, "x")) * Value(2.0, "y"))
    page.wait_for_selector(".differs")
    assert "differs" in page.locator("#leaf-rows tr").first.inner_text()
    assert page.locator(".differs").count() == 1


@pytest.mark.parametrize("size", [1e-300, 1e-9, 1e-5, 2e-3, 1.0, 1e9, 1e250])
def test_differences_of_a_smooth_function_agree_at_every_size(walk, size):
    page = walk(log(Value(size, "x")))
    page.wait_for_selector("#leaf-rows td:last-child:empty", state="detached")
    assert page.locator(".differs").count() == 0
    assert page.locator("#leaf-rows td:last-child").first.inner_text() == number_of_page(1 / size)


def test_differences_say_nothing_where_the_output_is_not_finite(walk):
    page = walk(GRAPHS["numbers that are none"]())
    page.wait_for_selector("#leaf-rows td:last-child:empty", state="detached")
    assert page.locator("#leaf-rows td:last-child").all_inner_texts() == ["·", "·"]


def test_differences_are_red_at_a_jump(walk):
    page = walk(sign(Value(0.0, "x")))
    page.wait_for_selector(".differs")


def number_of_page(x):
    mantissa, e, exponent = f"{x:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


@settings(max_examples=20)
@given(st.lists(st.floats() | st.integers(-(10**6), 10**6).map(lambda n: n / 16), max_size=200))
def test_the_page_prints_numbers_as_python_does(script_of_page, xs):
    expected = [["0" if x == 0 else f(x) for f in (number, number_of_page)] for x in xs]
    found = "xs => xs.map(Number).map(x => [print(x), print(x, 6)])"
    assert script_of_page.evaluate(found, [*map(constant, xs)]) == expected


@pytest.fixture(scope="module")
def script_of_page(browser, tmp_path_factory):
    path = explore(square()).save(tmp_path_factory.mktemp("page") / "page.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    yield page
    page.close()


@pytest.mark.parametrize("x", [0.0, 5e-324, 1e-300, -3e-5, 0.02, 7.0, -1e308, MAX])
def test_a_slider_moves_any_number_within_its_range(walk, x):
    page = walk(Value(x, "x") * 1.0)
    slider = page.get_by_label("x, slider")
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    assert -math.inf < low <= x <= high < math.inf
    before = float(slider.input_value())
    assert math.isclose(before, x, rel_tol=1e-12, abs_tol=1e-300)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    after = page.evaluate("leaves[0]")
    assert low <= after < before
    assert abs(after - before) <= (high - low) / 100


def test_a_leaf_that_is_no_finite_number_is_shown_and_put_back(open_page, tmp_path):
    root = Value(math.inf, "x") + Value(math.nan, "y")
    found = open_page(explore(root).save(tmp_path / "page.html"))
    page = found.page

    def shown(name):
        return page.get_by_label(f"{name}, value").get_attribute("placeholder")

    page.get_by_label("x, value").fill("2")
    assert page.evaluate("values[0]") == 2.0
    page.get_by_role("button", name="Put back").click()
    assert page.evaluate("values[0]") == math.inf
    assert (shown("x"), shown("y")) == ("inf", "nan")
    assert found.complaints == []


def test_the_keyboard_alone_completes_a_walk(walk):
    page = walk(square())
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "next":
            break
    while page.locator("#next").is_enabled():
        page.keyboard.press("Enter")
    assert "backward 6 of 6" in page.locator("#place").inner_text()
    page.keyboard.press("ArrowLeft")
    assert "backward 5 of 6" in page.locator("#place").inner_text()
    page.keyboard.press("Home")
    assert page.locator("#place").inner_text() == "start"
    page.keyboard.press("p")
    page.wait_for_selector("#back:enabled")
    page.keyboard.press("p")
    assert page.locator("#play").inner_text() == "Play"


def test_a_box_leads_to_the_step_that_completes_it_and_a_link_to_its_step(walk):
    page = walk(square())
    page.keyboard.press("End")
    page.locator("#drawing .node", has_text="tanh").click()
    assert page.locator("#said").inner_text().startswith("n5.grad +=")
    page.evaluate("location.hash = '#3'")
    page.wait_for_selector("#place:text-is('forward 3 of 4')")


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("graph", ["a square", "a folded network"])
def test_axe_finds_no_serious_violation(walk, axe, graph, width, colours):
    page = walk(GRAPHS[graph](), viewport={"width": width, "height": 900}, color_scheme=colours)
    page.evaluate(axe)
    for key in ("Home", "End"):
        page.keyboard.press(key)
        found = page.evaluate("axe.run()")["violations"]
        serious = [x for x in found if x["impact"] in {"serious", "critical"}]
        assert [(x["id"], [n["html"] for n in x["nodes"]][:3]) for x in serious] == []


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_phone_scrolls_the_page_in_one_direction_only(walk, graph):
    page = walk(GRAPHS[graph](), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_reduced_motion_is_respected(walk):
    page = walk(square(), reduced_motion="reduce")
    page.keyboard.press("End")
    moving = "getComputedStyle(document.querySelector('.edge.current')).animationName"
    assert page.evaluate(moving) == "none"
    page = walk(square(), reduced_motion="no-preference")
    page.keyboard.press("End")
    assert page.evaluate(moving) == "beat"


def test_hostile_labels_are_read_as_they_are_and_run_nothing(walk):
    page = walk(hostile())
    page.keyboard.press("End")
    shown = page.locator("#leaf-rows th").all_inner_texts()
    normal = [re.sub(r"\s+", " ", text).strip() for text in shown]
    for label in HOSTILE:
        assert re.sub(r"\s+", " ", printable(label)).strip() in normal
    assert page.evaluate("window.hacked") is None


@pytest.mark.usefixtures("without_a_renderer")
def test_a_page_without_a_drawing_walks_as_well(open_page, tmp_path):
    path = explore(square()).save(tmp_path / "page.html")
    found = open_page(path)
    found.page.keyboard.press("End")
    assert "backward 6 of 6" in found.page.locator("#place").inner_text()
    assert found.complaints == []


def test_a_page_of_500_boxes_steps_as_any_other(open_page, tmp_path):
    level = [Value(i / 190) for i in range(190)]
    while len(level) > 1:
        level = [a * b + 1.0 if i % 3 else tanh(a + b) for i, (a, b) in enumerate(batched(level))]
    page = open_page(explore(level[0], fold=False).save(tmp_path / "page.html")).page
    assert page.locator("#drawing .node").count() >= 500
    page.keyboard.press("End")
    node = explore(level[0]).graph.nodes[0]
    text = page.locator(f'#drawing [id="{node.name}"]').text_content()
    assert f"∂ {number(node.gradient)}" in text


def test_without_a_script_the_page_says_so_and_shows_no_dummies(open_page, tmp_path):
    found = open_page(explore(square()).save(tmp_path / "page.html"), java_script_enabled=False)
    assert "needs JavaScript" in found.page.inner_text("body")
    assert not found.page.locator("main").is_visible()
