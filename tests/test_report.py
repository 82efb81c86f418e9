"""The report: one file from disk that shows all of a run, to every reader, and runs nothing."""

import re
import sys
import types
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import __main__ as command
from nn import plots
from nn.datasets import Dataset, digits, iris, moons
from nn.experiment import learn
from nn.report import Part, Report
from nn.scores import Right
from nn.two_moons import separate_moons

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "</title></style></script><img src=x onerror='window.hacked = 1'>",
    '" onload="window.hacked = 1',
    "a | b ` ${window.hacked = 1} {title} {{data}}",
    "$x^2$ \\ %s &amp; &lt;",
    "\u202eright to left\u202c עברית",
    "two\nlines\tand a tab",
    "🎓 👩\u200d🔬",
]
VOID = {"img", "link", "meta"}


class Outline(HTMLParser):
    """The elements of a page, and its text outside of style and drawings."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.words = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "svg"} & {*self.open}:
            self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def outline(page):
    found = Outline(page)
    assert found.open == []
    return found


def report(name="name", **changes):
    given = {
        "title": name,
        "result": [["on 3 rows", name], [name, "1"]],
        "verdict": name,
        "facts": {name: name, "columns": [name, name]},
        "parts": [],
    }
    return Report(**{**given, **changes})


def part(make, name="a part"):
    return Part(name, name, name, make)


def failing(error):
    def make():
        raise error

    return make


@pytest.fixture(scope="module")
def classified():
    """What a quick run learns of irises."""
    return learn(iris(), hidden=[3], epochs=3)


@pytest.fixture(scope="module")
def pages(classified):
    """The report of each kind of run, as text."""
    plane = Dataset(*moons(60), ["x1", "x2"], "side", ["upper", "lower"])
    numbers = Dataset([[float(i)] for i in range(30)], [i % 7 / 2 for i in range(30)], ["x"], "y")
    images = digits().take(range(150))
    settings = {"hidden": [3], "epochs": 3}
    return {
        "classes": classified.report("irises").html,
        "plane": learn(plane, **settings).report("moons").html,
        "numbers": learn(numbers, **settings).report().html,
        "images": learn(images, hidden=[8], epochs=3).report("digits").html,
        "moons": separate_moons().report().html,
    }


every_page = pytest.mark.parametrize("name", ["classes", "plane", "numbers", "images", "moons"])

COMMON = ["Loss", "Gradients", "Network", "Step by step"]
HEADINGS = {
    "classes": ["Result", "Confusion matrix", *COMMON],
    "plane": ["Result", "Confusion matrix", "Decision boundary", *COMMON],
    "numbers": ["Result", "Predicted against true", *COMMON],
    "images": [
        *("Result", "Confusion matrix", "Misclassified", "Loss", "Gradients", "First layer"),
        *("Network", "Step by step"),
    ],
    "moons": ["Result", "Decision boundary", *COMMON],
}


@every_page
def test_a_report_has_what_suits_the_run(pages, name):
    assert re.findall("<h2>(.*?)</h2>", pages[name]) == HEADINGS[name]


@every_page
def test_a_report_says_what_was_trained_on_what_beside_the_simplest_guess(pages, name):
    text = outline(pages[name]).text
    for word in ("columns", "target", "network", "parameters", "epochs in", "this network"):
        assert word in text
    assert name == "moons" or "always " in text
    assert name == "moons" or "to train on" in text


@every_page
def test_a_report_asks_for_nothing_but_itself(pages, name):
    found = outline(pages[name])
    (policy,) = [a["content"] for a in found.all("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    for tag, attributes in found.elements:
        for attribute in {"src", "href", "action", "data", "xlink:href"} & attributes.keys():
            assert attributes[attribute].startswith("data:"), tag
    (style,) = re.findall("<style>(.*?)</style>", pages[name].partition("<body>")[0], re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


@every_page
def test_a_report_has_no_script_but_in_the_page_of_the_sample(pages, name):
    found = outline(pages[name])
    assert not found.all("script")
    (frame,) = found.all("iframe")
    assert frame["title"]
    assert frame["srcdoc"].lower().startswith("<!doctype html>")
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)


@every_page
def test_a_report_has_headings_words_for_pictures_and_names_for_rows_and_columns(pages, name):
    found = outline(pages[name])
    assert found.all("html") == [{"lang": "en"}]
    assert len(found.all("h1")) == len(found.all("main")) == 1
    assert pages[name].count("<title>", 0, pages[name].index("<body>")) == 1
    assert all(image["alt"] for image in found.all("img"))
    assert all(cell.get("scope") in {"row", "col"} for cell in found.all("th"))
    assert all(region["aria-label"] for region in found.all("div"))


def test_a_report_of_the_same_run_is_the_same_to_the_last_bit(classified):
    assert classified.report("irises").html == classified.report("irises").html


def test_pictures_of_many_points_are_pixels_and_others_are_drawn():
    for count, kind in ((10, "svg+xml"), (3000, "png")):
        numbers = [float(i * i % 97) for i in range(count)]
        html = report(parts=[part(lambda y=numbers: plots.predicted_against_true(y, y))]).html
        (image,) = outline(html).all("img")
        assert image["src"].startswith(f"data:image/{kind};base64,")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_wherever_it_stands(name):
    page = types.SimpleNamespace(html=f"<!doctype html><title>{name}</title>")
    parts = [part(lambda: page, name), part(failing(RuntimeError(name)), name)]
    found = outline(report(name, parts=parts).html)
    assert found.text.count(name) == 13
    (frame,) = found.all("iframe")
    assert frame["title"] == name
    assert frame["srcdoc"] == page.html
    assert {tag for tag, _ in found.elements} == {
        *("html", "head", "meta", "link", "title", "style", "body", "main", "h1", "h2", "bdi"),
        *("section", "table", "tr", "th", "td", "p", "strong", "iframe", "ul", "li"),
    }


@given(st.text())
def test_any_name_is_found_again_as_text(name):
    shown = name.encode(errors="backslashreplace").decode().replace("\0", "␀")
    assert outline(report(name).html).text.count(shown) >= 8


def test_columns_classes_and_files_with_hostile_names_are_learnt_and_shown(
    tmp_path, monkeypatch, open_page
):
    monkeypatch.chdir(tmp_path)
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    rows = [f"{i % 4},{i % 5},{quoted[i % 2]}" for i in range(24)]
    path = Path("<b>&'\"{title}\u202e🎓.csv")
    path.write_text("\n".join([f"{quoted[2]},{quoted[3]},{quoted[4]}", *rows]), encoding="utf-8")
    status = command.main(
        ["train", str(path), "--target", HOSTILE[4], "--hidden", "2", "--epochs", "2", "-o", "out"]
    )
    assert status == 0
    opened = open_page(Path("out/report.html"))
    text = opened.page.evaluate("document.body.textContent")
    for name in (path.name, *HOSTILE[:5]):
        assert name in text
    frames = opened.page.frames
    assert [frame.evaluate("window.hacked") for frame in frames] == [None, None]
    assert (len(opened.requests), opened.complaints) == (1, [])


# What is missing


def test_without_matplotlib_one_line_says_what_to_install_and_the_rest_is_there(
    classified, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "nn.picture", raising=False)
    found = outline(classified.report().html)
    advice = (
        "Confusion matrix, Loss, Gradients: pictures need matplotlib: pip install 'glassgrad[plot]'"
    )
    assert found.text.count(advice) == found.text.count("pip install") == 1
    assert not found.all("img")
    assert len(found.all("svg")) == len(found.all("iframe")) == 1


def test_without_a_layout_program_one_line_says_so_and_the_rest_is_there(classified, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_DOT", "no-such-program")
    found = outline(classified.report().html)
    assert found.text.count("Network: GLASSGRAD_DOT names 'no-such-program'") == 1
    assert len(found.all("img")) == 3
    assert not found.all("svg")
    (frame,) = found.all("iframe")
    assert "There is no drawing" in frame["srcdoc"]


def test_parts_that_lack_the_same_share_a_line():
    parts = [part(failing(RuntimeError(reason)), name) for name, reason in zip("abc", "xyx")]  # noqa: B905
    assert re.findall("<li>(.*)</li>", report(parts=parts).html) == ["a, c: x", "b: y"]


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.html"
    report().save(path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        report(parts=[part(failing(ZeroDivisionError()))]).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# In a browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@every_page
def test_a_report_opens_from_disk_fits_the_screen_and_denies_nobody_anything(
    pages, name, width, scheme, tmp_path, open_page, axe
):
    path = tmp_path / "report.html"
    path.write_text(pages[name], encoding="utf-8")
    viewport = {"width": width, "height": 900}
    page, requests, complaints = open_page(path, viewport=viewport, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {iframes: false})")
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    assert (requests, complaints) == ([path.resolve().as_uri()], [])


def test_the_page_of_the_sample_steps_in_its_frame(pages, tmp_path, open_page):
    path = tmp_path / "report.html"
    path.write_text(pages["classes"], encoding="utf-8")
    page, _, complaints = open_page(path)
    # a browser does not lay out what it takes for another site's until it is in sight
    centres = """[...document.querySelectorAll("#drawing .node")].flatMap(node => {
        const box = node.querySelector("path").getBoundingClientRect();
        return [...node.querySelectorAll("text")].map(text => text.getBoundingClientRect())
            .filter(at => at.width > 0)
            .map(at => box.left <= at.left + at.width / 2 && at.left + at.width / 2 <= box.right);
    })"""
    assert page.frames[1].evaluate(f"{centres}.every(inside => inside)")
    frame = page.frame_locator("iframe")
    before = frame.locator("#said").inner_text()
    frame.locator("#next").click()
    assert frame.locator("#said").inner_text() != before
    assert complaints == []


# Rows that are images


def test_the_weights_of_pixels_that_never_vary_are_white():
    learnt = learn(digits().take(range(100)), hidden=[4], epochs=1)
    constant = [f.deviation == 0.0 for f in learnt.recipe.features]
    assert any(constant)
    for unit, weights in zip(learnt.model.layers[0].neurons, learnt._first_weights(), strict=True):
        expected = [
            0.0 if never else w.data for never, w in zip(constant, unit.weights, strict=True)
        ]
        assert weights == expected


@pytest.mark.parametrize(
    ("features", "images"),
    [
        ([f"pixel{i}" for i in range(49)], True),
        ([f"{i}x{j}" for i in range(28) for j in range(28)], True),
        ([f"pixel{i}" for i in range(48)], False),
        ([f"x{i}" for i in range(16)], False),
        ([*(f"pixel{i}" for i in range(48)), "age"], False),
    ],
)
def test_numbered_columns_that_make_a_square_are_an_image(features, images):
    X = [[float(i * j % 7 % 3) for j in range(len(features))] for i in range(20)]
    data = Dataset(X, [i % 2 for i in range(20)], features, "y", ["a", "b"])
    html = learn(data, hidden=[1], epochs=1).report().html
    assert ("First layer" in html) == images


def test_a_number_of_rows_is_right_as_a_share_and_as_a_count():
    assert str(Right(29, 30)) == "96.7% (29 of 30)"
