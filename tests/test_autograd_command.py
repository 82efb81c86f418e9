"""`python -m autograd`: what is asked for, or one line that says what to do."""

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw, explain
from autograd import __main__ as command
from autograd.expression import evaluate

NEURON = "(a*b + c).tanh()"
GIVEN = ["a=2", "b=-3", "c=10"]
HELP = "see python -m autograd --help"
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_program(monkeypatch):
    """There is no program here that lays out graphs."""
    monkeypatch.delenv("GLASSGRAD_DOT", raising=False)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)


@pytest.fixture
def pages(monkeypatch):
    """Yield the values that were explored; their pages are empty."""
    explored = []

    class Page:
        def save(self, path):
            path.write_text("page", encoding="utf-8")
            return path

    def explore(value):
        explored.append(value)
        return Page()

    monkeypatch.setattr(autograd, "explore", explore, raising=False)
    return explored


def neuron():
    numbers = {"a": 2.0, "b": -3.0, "c": 10.0}
    return evaluate(NEURON, {name: Value(number, name) for name, number in numbers.items()})


def files():
    return sorted(str(path) for path in Path().rglob("*"))


def output(capsys, *arguments):
    """Run the command, which must end well and complain of nothing, and return what it said."""
    status = command.main(arguments)
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return out


def fail(capsys, *arguments):
    """Run the command, which must end with status 2, and return its one line of complaint."""
    status = command.main(arguments)
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("autograd: error: ")
    return err.removeprefix("autograd: error: ").rstrip("\n")


def run(*arguments, stdout=subprocess.PIPE, **environment):
    return subprocess.run(
        [sys.executable, "-m", "autograd", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**BUFFERED, **environment},
        check=False,
    )


# -- explain


def test_explain_prints_the_tape(capsys):
    assert output(capsys, "explain", NEURON, *GIVEN) == f"{explain(neuron())}\n"
    assert files() == []


def test_explain_writes_text_or_markdown(capsys):
    tape = explain(neuron())
    for name, text in (("tape.txt", str(tape)), ("tape.md", tape.markdown())):
        assert output(capsys, "explain", NEURON, *GIVEN, "-o", name) == f"{name}\n"
        assert Path(name).read_text(encoding="utf-8") == f"{text}\n"


def test_explain_writes_a_web_page(capsys):
    output(capsys, "explain", "where(a < 1, a*b, c)", *GIVEN, "-o", "tape.HTML")
    page = Path("tape.HTML").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>where(a &lt; 1, a*b, c)</title>" in page
    assert page.count("<table>") == 2


# -- draw


@pytest.mark.parametrize("ending", ["svg", "dot", "png", "html"])
def test_draw_writes_what_the_drawing_saves(capsys, ending):
    name = f"graph.{ending}"
    assert output(capsys, "draw", NEURON, *GIVEN, "-o", name) == f"{name}\n"
    expected = draw(neuron()).save(f"expected.{ending}")
    assert Path(name).read_bytes() == expected.read_bytes()


def test_draw_writes_graph_svg_unless_told_otherwise(capsys):
    assert output(capsys, "draw", NEURON, *GIVEN) == "graph.svg\n"
    assert files() == ["graph.svg"]


def test_a_file_that_exists_is_replaced(capsys):
    Path("graph.svg").write_text("old", encoding="utf-8")
    output(capsys, "draw", NEURON, *GIVEN)
    assert "<svg" in Path("graph.svg").read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_program")
def test_without_a_layout_program_draw_prints_the_table_and_says_what_to_install(capsys):
    status = command.main(["draw", NEURON, *GIVEN])
    expected = "autograd: error: no program to lay out the graph: pip install 'glassgrad[viz]'\n"
    assert (status, *capsys.readouterr()) == (1, f"{draw(neuron())}\n", expected)
    assert files() == []


@pytest.mark.usefixtures("no_program")
def test_dot_source_needs_no_layout_program(capsys):
    assert output(capsys, "draw", NEURON, *GIVEN, "-o", "graph.dot") == "graph.dot\n"


def test_a_layout_program_that_fails_is_one_line_after_the_table(capsys, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_DOT", "no-such-program")
    status = command.main(["draw", NEURON, *GIVEN])
    expected = "autograd: error: GLASSGRAD_DOT names 'no-such-program', which is no program\n"
    assert (status, *capsys.readouterr()) == (1, f"{draw(neuron())}\n", expected)


# -- explore


def test_explore_writes_explore_html_unless_told_otherwise(capsys, pages):
    assert output(capsys, "explore", NEURON, *GIVEN) == "explore.html\n"
    assert output(capsys, "explore", NEURON, *GIVEN, "-o", "page.html") == "page.html\n"
    assert files() == ["explore.html", "page.html"]
    assert [page.data for page in pages] == [neuron().data] * 2


@pytest.mark.usefixtures("pages")
def test_open_opens_the_file_in_the_browser(capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    for arguments in (["explore", "a", "a=1"], ["explain", "a", "a=1", "-o", "é #1.html"]):
        output(capsys, *arguments, "--open")
    here = Path.cwd().as_uri()
    assert opened == [f"{here}/explore.html", f"{here}/%C3%A9%20%231.html"]


@pytest.mark.usefixtures("pages")
def test_without_a_browser_open_says_so(capsys, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert command.main(["explore", "a", "a=1", "--open"]) == 0
    expected = "autograd: no web browser was found; open explore.html in one\n"
    assert capsys.readouterr() == ("explore.html\n", expected)


# -- What is given


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "a-b", "a=2", "b=-3", "-o", "tape.md"],
        ["explain", "-o", "tape.md", "a-b", "a=2", "b=-3"],
        ["explain", "a-b", "-o", "tape.md", "a=2", "b=-3"],
        ["explain", "a-b", "a=2", "-o", "tape.md", "b=-3"],
        ["-o", "tape.md", "explain", "a-b", "a=2", "b=-3"],
        ["explain", "-b+a", "a=2", "b=-3", "-o", "tape.md"],
        ["explain", "--a-b", "a=2", "b=-3", "-o", "tape.md"],
        ["explain", "-o", "tape.md", "--", "-b+a", "a=2", "b=-3"],
        ["explain", "a-b", "a = 2.", "b=-300e-2", "-o", "tape.md"],
    ],
)
def test_the_order_of_arguments_and_a_minus_in_front_do_not_matter(capsys, arguments):
    output(capsys, *arguments)
    assert "| 5 |" in Path("tape.md").read_text(encoding="utf-8")


def test_a_name_is_what_python_reads_it_as(capsys):
    assert "= 8\n" in output(capsys, "explain", "µ**ﬁ", "µ=2", "ﬁ=3")


@pytest.mark.parametrize(("text", "number"), [("inf", "inf"), ("nan", "nan"), ("-1e3", "-1000")])
def test_a_number_is_what_float_reads_it_as(capsys, text, number):
    assert f"= {number}\n" in output(capsys, "explain", "a", f"a={text}")


def test_a_name_that_is_not_used_is_said_not_to_be(capsys):
    assert command.main(["explain", "tanh(a)", "c=3", "a=2", "b=1"]) == 0
    out, err = capsys.readouterr()
    assert out
    assert err == "autograd: not used in the expression: c, b\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a=x"], "'a=x': 'x' is no number; give one, as in a=2 or a=-1e3"),
        (["a="], "'a=': '' is no number; give one, as in a=2 or a=-1e3"),
        (["a==2"], "'a==2': '=2' is no number; give one, as in a=2 or a=-1e3"),
        (["a=1", "a=2"], "'a=2': a has a value already; give each name one"),
        (["a"], "'a': expected NAME=VALUE, as in a=2; the whole expression stands in quotes"),
        (
            ["*", "b"],
            "'*': expected NAME=VALUE, as in a=2; the whole expression stands in quotes",
        ),
        (["1a=2"], "'1a=2': '1a' cannot be a name: use letters, as in a=2"),
        (["=2"], "'=2': '' cannot be a name: use letters, as in a=2"),
        (["a.b=2"], "'a.b=2': 'a.b' cannot be a name: use letters, as in a=2"),
        (["lambda=2"], "'lambda=2': 'lambda' cannot be a name: use letters, as in a=2"),
        (["True=2"], "'True=2': 'True' cannot be a name: use letters, as in a=2"),
        (["\x1b[31m=2"], r"'\x1b[31m=2': '\x1b[31m' cannot be a name: use letters, as in a=2"),
        (["\udc80=2"], r"'\udc80=2': '\udc80' cannot be a name: use letters, as in a=2"),
        (["tanh=2"], "tanh is a function: give the number another name"),
        (["-x"], "' -x': expected NAME=VALUE, as in a=2; the whole expression stands in quotes"),
        ([], "column 1, 'a': unknown name: give its value, as in a=2"),
        (
            ["a=1", "-o", "a.pdf"],
            f"-o a.pdf: draw writes files that end in .svg, .dot, .png or .html; {HELP}",
        ),
        (["a=1", "-o"], f"argument -o: expected one argument; {HELP}"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(capsys, arguments, message):
    assert fail(capsys, "draw", "a", *arguments) == message
    assert files() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: command, EXPRESSION"),
        (["draw"], "the following arguments are required: EXPRESSION"),
        (["plot"], "argument command: invalid choice: 'plot' (choose from draw, explore, explain)"),
        (["explore", "a", "-o", "a.svg"], "-o a.svg: explore writes files that end in .html"),
        (
            ["explain", "a", "-o", "folder"],
            "-o folder: explain writes files that end in .txt, .md or .html",
        ),
        (["explain", "a", "--open"], "--open: nothing to open; name a file to write with -o"),
    ],
)
def test_a_command_that_is_none_is_refused_in_one_line(capsys, arguments, message):
    said = fail(capsys, *arguments)
    said = said.replace("'draw', 'explore', 'explain'", "draw, explore, explain")  # by Python 3.11
    assert said == f"{message}; {HELP}"


@pytest.mark.parametrize("text", ["a.__class__", "__import__('os')", "b", "tanh(", "\u202ea", ""])
def test_an_expression_is_refused_in_one_line_of_printable_text(capsys, text):
    assert fail(capsys, "explain", text, "a=2").isprintable()


@given(st.lists(st.text(max_size=12) | st.sampled_from(["a=1", "a", "-o", "--"]), max_size=5))
def test_whatever_the_arguments_there_is_no_traceback(arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = command.main(["explain", *arguments])
    if status == 2:
        assert out.getvalue() == ""
        assert err.getvalue().startswith("autograd: error: ")
        assert len(err.getvalue().splitlines()) == 1
    else:
        assert status == 0


# -- What is written, and where


@pytest.mark.parametrize("subcommand", ["draw", "explain"])
def test_a_file_that_cannot_be_written_is_named_in_one_line(capsys, subcommand):
    Path("taken").touch()
    Path("folder.html").mkdir()
    for path, reason in (
        ("no/a.html", "No such file or directory"),
        ("taken/a.html", "Not a directory"),
        ("folder.html", "Is a directory"),
        (f"{'a' * 300}.html", "File name too long"),
    ):
        message = fail(capsys, subcommand, "a", "a=1", "-o", path)
        assert message == f"{path}: cannot be written ({reason}); choose another file with -o"
    assert files() == ["folder.html", "taken"]


def test_a_read_only_folder_is_named_in_one_line(capsys, folder):
    folder.chmod(0o500)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write anywhere")
        message = fail(capsys, "draw", "a", "a=1", "-o", "a.dot")
    finally:
        folder.chmod(0o700)
    assert message == "a.dot: cannot be written (Permission denied); choose another file with -o"


@pytest.mark.parametrize("arguments", [["explain", NEURON, *GIVEN], ["--help"], ["--version"]])
def test_a_reader_that_has_read_enough_is_no_error(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = run(*arguments, stdout=closed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["explain", NEURON, *GIVEN], ["--help"]])
def test_a_full_standard_output_is_named_in_one_line(arguments):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = run(*arguments, stdout=full)
    expected = (
        "autograd: error: standard output: cannot be written (No space left on device); "
        "send it elsewhere\n"
    )
    assert (done.returncode, done.stderr) == (2, expected)


def test_a_terminal_that_lacks_signs_shows_their_names():
    done = run("explain", "a*a", "a=2", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"2 \xd7 2" in done.stdout


def test_ctrl_c_is_one_line(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "evaluate", interrupted)
    assert command.main(["draw", "a", "a=1"]) == 130
    assert capsys.readouterr() == ("", "autograd: error: interrupted\n")


# -- What it says of itself


def test_the_version_is_that_of_the_package(capsys):
    assert output(capsys, "--version") == f"glassgrad {autograd.__version__}\n"


@pytest.mark.usefixtures("pages")
def test_the_examples_in_the_help_work(capsys, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    lines = output(capsys, "--help").splitlines()
    examples = [line for line in lines if line.startswith("  python -m autograd ")]
    assert len(examples) == 3
    for example in examples:
        output(capsys, *shlex.split(example)[3:])
    assert files() == ["explore.html", "neuron.svg"]


def test_the_command_ends_with_its_status():
    done = run("explain", "b", "a=2")
    expected = "autograd: error: column 1, 'b': unknown name: give its value, as in b=2\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)
