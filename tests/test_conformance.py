"""The conformance kit: right answers, every mistake named, no false alarm, no harm from engines."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from broken_engines import BROKEN, broken
from mpmath import mp, mpf

from autograd.conformance import cases as kit_cases
from autograd.conformance import command, runner
from autograd.conformance.diagnosis import diagnose, has_signature
from autograd.conformance.report import Report, text
from autograd.conformance.verdicts import agrees, judge

TESTS = Path(__file__).parent
FOLDER = TESTS.parent / "autograd" / "conformance"
KIT = kit_cases.load()
every_case = pytest.mark.parametrize("case", KIT.cases, ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def graded(engine, cases=KIT.cases, seconds=60.0):
    verdicts = [*runner.grade(engine, cases, seconds)]
    return Report(engine, KIT, verdicts, diagnose(KIT, verdicts))


def engine_file(source, name="engine"):
    Path(f"{name}.py").write_text(source, encoding="utf-8")
    return f"{name}.py:Value"


def named(*names):
    return [KIT.case(name) for name in names]


def mistakes(report):
    return [smell.mistake.name for smell in report.smells]


# The answers: mpmath's values, and differences, never a rule of differentiation

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
CONVENTIONS = {"relu-at-zero", "sqrt-of-zero", "exp-overflow", "power-overflow"}


def evaluated(expression, numbers):
    if isinstance(expression, str):
        return numbers[expression]
    if not isinstance(expression, list):
        return mpf(expression)
    operation, *operands = expression
    return FUNCTIONS[operation](*(evaluated(each, numbers) for each in operands))


def performed(inputs, program):
    """The named numbers, and what every sweep has added to the gradients of the inputs."""
    numbers, gradients = dict(inputs), dict.fromkeys(inputs, mpf(0))
    for done, step in enumerate(program):
        match step:
            case ["let", name, expression]:
                numbers[name] = evaluated(expression, numbers)
            case ["update", name, operation, expression]:
                numbers[name] = FUNCTIONS[operation](numbers[name], evaluated(expression, numbers))
            case ["gradient", name, of, by]:
                numbers[name] = quotient(inputs, program[:done], of, by)
            case ["backward", name]:
                for leaf in inputs:
                    gradients[leaf] += quotient(inputs, program[:done], name, leaf)
            case ["zero", name]:
                gradients[name] = mpf(0)
            case ["repeat", count, [["let", name, expression]]]:
                for _ in range(count):
                    numbers[name] = evaluated(expression, numbers)
    return numbers, gradients


def quotient(inputs, program, of, by):
    """The central difference quotient of a name by an input."""
    program = [step for step in program if step[0] not in {"backward", "zero", "set"}]
    size = (abs(inputs[by]) or 1) * mpf(10) ** -60
    above, below = (
        performed(inputs | {by: inputs[by] + move}, program)[0][of] for move in (size, -size)
    )
    return (above - below) / (2 * size)


def computable(case):
    """Whether a case is about an ordinary point, where the answer is no convention."""
    numbers = [*case.inputs.values(), *(x for x in case.expect[0].values() if x is not True)]
    return case.program and all(map(math.isfinite, numbers)) and case.name not in CONVENTIONS


@pytest.mark.parametrize("case", [*filter(computable, KIT.cases)], ids=lambda case: case.name)
def test_every_answer_is_mpmath_s(case):
    with mp.workdps(400):
        numbers, gradients = performed({k: mpf(x) for k, x in case.inputs.items()}, case.program)
        for reading, answer in case.expect[0].items():
            name, _, attribute = reading.partition(".")
            if attribute == "grad" and name not in case.inputs:
                continue  # of an interior value, which cannot be moved
            if ["set", name] in [step[:2] for step in case.program] and attribute == "data":
                continue
            assert answer == float((numbers if attribute == "data" else gradients)[name])


def test_most_answers_are_computed():
    assert sum(map(bool, map(computable, KIT.cases))) > 80


@every_case
def test_every_case_rests_on_cases_before_it_and_names_mistakes_that_the_kit_knows(case):
    before = [other.name for other in KIT.cases[: KIT.cases.index(case)]]
    assert {*case.needs} <= {*before}
    assert {*case.catches} <= {*KIT.mistakes}
    assert case.lesson.endswith(".")
    assert bool(case.program) != bool(case.probe)
    assert case.question


@every_case
def test_no_right_answer_has_the_signature_of_a_mistake(case):
    for answer in case.expect:
        if "raises" in answer:
            continue
        right = judge(case, {"ends": "answered", "readings": answer})
        assert right.passed
        for signatures in case.catches.values():
            assert not any(has_signature(right, signature) for signature in signatures)
            assert not any(agrees(answer, signature, 1e-6) for signature in signatures)


def test_names_are_unique_and_levels_ascend():
    assert len({case.name for case in KIT.cases}) == len(KIT.cases)
    levels = [case.level for case in KIT.cases]
    assert levels == sorted(levels)
    assert {*levels} == {*KIT.levels} == {*range(1, 8)}


def test_the_file_is_plain_json_that_any_language_reads():
    def refuse(word):
        raise AssertionError(word)

    json.loads(kit_cases.FILE.read_text(encoding="utf-8"), parse_constant=refuse)


# The mistakes: each is named, and nothing else is


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_engine_is_diagnosed_by_name(mistake):
    cases = [case for case in KIT.cases if not case.alone or mistake in case.catches]
    hangs = any({"ends": "hung"} in case.catches.get(mistake, []) for case in KIT.cases)
    report = graded(engine_file(broken(mistake)), cases, seconds=5.0 if hangs else 60.0)
    inherent = {"passed-on-twice": {"stale-interior"}}  # without an order nothing can be cleared
    assert mistakes(report)[0] == mistake
    assert {*mistakes(report)} - {mistake} <= inherent.get(mistake, set())
    assert f": {mistake}\n" in text(report)
    assert report.succeeded == (mistake == "no-reflected-power")  # missing, above level 3


def test_every_mistake_has_its_broken_engine():
    assert {*KIT.mistakes} == {*BROKEN, "second-order-constant"}
    assert len(BROKEN) >= 25


def test_gradients_without_a_graph_of_their_own_are_diagnosed():
    engine_file("""
from teaching_engine import Value

def gradients(y, inputs):
    for leaf in inputs:
        leaf.grad = 0.0
    y.backward()
    found = [Value(leaf.grad) for leaf in inputs]
    for leaf in inputs:
        leaf.grad = 0.0
    return found
""")
    shutil.copy(TESTS / "teaching_engine.py", "teaching_engine.py")
    assert mistakes(graded("engine.py:Value")) == ["second-order-constant"]


# The correct engines: no false alarm


@pytest.mark.parametrize("engine", ["autograd:Value", f"{TESTS / 'teaching_engine.py'}:Value"])
def test_a_correct_engine_is_not_accused(engine):
    report = graded(engine)
    assert not [verdict.says for verdict in report.verdicts if verdict.failed]
    assert report.smells == []
    assert report.succeeded


def test_this_engine_lacks_nothing():
    assert graded("autograd:Value", [c for c in KIT.cases if not c.alone]).missing == {}


def test_micrograd_is_known_for_these():
    report = graded("micrograd.engine:Value")
    assert {*mistakes(report)} >= {
        "stale-interior",
        "recursive-order",
        "late-operand",
        "reference-cycles",
        "integer-numbers",
    }
    assert {score.level for score in report.scores if not score.wrong} == {1, 2, 4, 7}
    assert report.unexplained == []


def test_two_mistakes_at_once_are_both_named():
    source = broken("assigned-gradient").replace("(1.0, -1.0)", "(1.0, 1.0)")
    cases = [case for case in KIT.cases if not case.alone]
    report = graded(engine_file(source), cases)
    assert mistakes(report)[:2] == ["assigned-gradient", "subtraction-no-sign"]


# Engines that harm


HOSTILE = """
import os, sys, time
print("noise on standard output")
sys.stdin.read()

class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
    def __add__(self, other):
        print("more noise")
        return Value(self.data + other.data)
    def __mul__(self, other):
        {deed}
    def backward(self):
        raise ValueError("\\x1b[2J <script>&\\ud800\\x00")
"""
DEEDS = {
    "hung": "time.sleep(1000)",
    "died": "os._exit(3)",
    "raised": "sys.exit()",
}


@pytest.mark.parametrize("ends", DEEDS)
def test_an_engine_that_hangs_dies_or_exits_spoils_that_case_alone(ends):
    engine = engine_file(HOSTILE.format(deed=DEEDS[ends]))
    report = graded(engine, named("sum", "product", "plain-number", "halves"), seconds=2.0)
    assert [verdict.ends for verdict in report.verdicts] == ["raised", ends, "raised", ends]


def test_a_case_that_rests_on_one_that_hung_has_a_tenth_of_the_time():
    engine = engine_file(HOSTILE.format(deed=DEEDS["hung"]))
    report = graded(engine, named("product", "halves"), seconds=2.0)
    assert [verdict.says for verdict in report.verdicts] == [
        "no answer in 2 s",
        "no answer in 0.2 s",
    ]


def test_an_engine_that_dies_at_its_import_is_named_with_the_reason():
    with pytest.raises(ValueError, match="at its import, the interpreter died with status 3"):
        graded(engine_file("import os\nos._exit(3)\n"), named("sum"))


def test_of_long_words_the_beginning_is_shown():
    engine = engine_file(HOSTILE.format(deed="raise ValueError('x' * 100_000)"))
    (verdict,) = graded(engine, named("product")).verdicts
    assert verdict.says.endswith("x... (at y = a * b)")
    assert len(verdict.says) < 500


def test_what_an_operation_that_gives_none_breaks_later_is_wrong_and_not_missing():
    engine = engine_file("""
class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
    def __add__(self, other):
        pass
""")
    (verdict,) = graded(engine, named("deletion")).verdicts
    assert verdict.ends == "raised"


def test_an_engine_without_anything_lacks_all_and_smells_of_nothing():
    source = "class Value:\n    def __init__(self, data):\n        self.data, self.grad = data, 0.0"
    report = graded(engine_file(source), [case for case in KIT.cases if case.level == 1])
    assert mistakes(report) == []
    assert {verdict.ends for verdict in report.verdicts} == {"missing"}


def test_an_assertion_against_what_has_no_logarithm_is_an_error_like_another():
    guarded = "assert self.data > 0\n        return Value(logarithm(self.data)"
    source = broken("negation-sign").replace("return Value(logarithm(self.data)", guarded)
    report = graded(engine_file(source), named("log", "log-of-zero", "log-of-negative"))
    assert mistakes(report) == ["logarithm-raises"]


def test_words_of_an_engine_are_shown_and_never_obeyed(capsys):
    engine = engine_file(HOSTILE.format(deed="return self + other"))
    options = ["--json", "r.json", "--junit", "r.xml", "--markdown", "r.md"]
    assert command.main([engine, "--level", "1", *options]) == 1
    assert "\x1b" not in capsys.readouterr().out
    assert "&lt;script&gt;" in Path("r.md").read_text(encoding="utf-8")
    assert "<script>" not in Path("r.md").read_text(encoding="utf-8")
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["succeeded"] is False
    suites = ET.parse("r.xml").getroot()
    assert "<script>" in suites.find(".//failure").get("message")


# The command


def run(*arguments, cwd=None, **environment):
    known = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "NO_COLOR"}}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=known | environment,
    )


def test_the_copied_folder_runs_by_its_path_and_loads_nothing_of_ours(folder):
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(FOLDER, folder / "homework" / "conformance", ignore=ignored)
    guard = """
import sys
assert not {name for name in sys.modules if name.partition(".")[0] in {"autograd", "nn"}}
"""
    source = (TESTS / "teaching_engine.py").read_text(encoding="utf-8")
    # a homework may have files called as the kit's are
    (folder / "homework" / "report.py").write_text(source + guard, encoding="utf-8")
    done = run("conformance", "report:Value", "--level", "2", cwd=folder / "homework")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Nothing is wrong. Go on with --level 3.\n")


def test_the_module_runs_as_autograd_conformance():
    engine_file((TESTS / "teaching_engine.py").read_text(encoding="utf-8"))
    root = {"PYTHONPATH": str(TESTS.parent)}
    done = run("-m", "autograd.conformance", "engine:Value", "--level", "1", **root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "11 of 11" in done.stdout


def test_exit_status_1_says_that_something_is_wrong_or_missing_up_to_level_3():
    engine = engine_file(broken("no-negation"))
    assert command.main([engine, "--case", "sum"]) == 0
    assert command.main([engine, "--case", "negation"]) == 1
    engine = engine_file(broken("cosine-sign"), "other")
    assert command.main([engine, "--case", "cos"]) == 1
    assert command.main([engine, "--case", "abs"]) == 0  # missing, above level 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["nowhere:Value"],
            "'nowhere:Value': the module cannot be imported (ModuleNotFoundError: No module",
        ),
        (["engine.py:Nothing"], "'engine.py:Nothing': there is no 'Nothing' in the module"),
        (["engine"], "'engine': an engine is given as MODULE:CLASS, such as engine:Value"),
        (["engine.py:x"], "'engine.py:x': that is not a class"),
        (["engine.py:Value", "--case", "none"], "no case is called 'none'"),
        (["engine.py:Value", "--case", "sum", "--json", "no/such.json"], "No such file"),
    ],
)
def test_exit_status_2_and_one_line_say_what_cannot_be_done(arguments, complaint, capsys):
    engine_file("x = 1\nclass Value: pass\n")
    assert command.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error


def test_colour_is_for_terminals_or_whoever_asks(capsys):
    engine = engine_file(broken("negation-sign"))
    command.main([engine, "--case", "negation"])
    assert "\033" not in capsys.readouterr().out
    command.main([engine, "--case", "negation", "--colour", "always"])
    assert "\033[31m" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [40, 80, 96])
def test_a_report_fits_the_terminal_and_breaks_no_name(columns):
    report = graded(engine_file("class Value:\n    def __init__(self, data): pass\n"), seconds=1.0)
    lines = text(report, width=columns).splitlines()
    paragraphs = [line for line in lines if re.match(" +[a-z]", line, re.IGNORECASE)]
    assert max(map(len, paragraphs)) <= columns
    words = {word.strip(",()") for line in lines for word in line.split()}
    assert {verdict.case.name for verdict in report.consequences} <= words


def test_a_report_without_errors_names_the_next_level():
    engine = f"{TESTS / 'teaching_engine.py'}:Value"
    first = [case for case in KIT.cases if case.level == 1]
    assert text(graded(engine, first)).endswith("Nothing is wrong. Go on with --level 2.")
    assert text(graded(engine, first[:1])).endswith("Nothing is wrong.")


def test_help_names_cases_that_there_are():
    named = re.findall(r"--case (\S+)", command.EXAMPLES)
    assert named
    assert {*named} <= {case.name for case in KIT.cases}


def test_both_spellings_of_colour_are_understood(capsys):
    engine = engine_file(broken("negation-sign"))
    command.main([engine, "--case", "negation", "--color", "always"])
    assert "\033[31m" in capsys.readouterr().out


def test_the_reports_agree():
    engine = engine_file(broken("assigned-gradient"))
    files = ["--json", "r.json", "--junit", "r.xml", "--markdown", "r.md"]
    assert command.main([engine, "--level", "2", *files]) == 1
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert report["smells"][0]["mistake"] == "assigned-gradient"
    suites = [*ET.parse("r.xml").getroot()]
    for score, suite in zip(report["scores"], suites, strict=True):
        assert int(suite.get("tests")) == score["passed"] + score["wrong"] + score["missing"]
        assert len(suite.findall(".//failure")) == score["wrong"] == int(suite.get("failures"))
    assert "## Level 1: assigned-gradient" in Path("r.md").read_text(encoding="utf-8")


# Engines with other spellings

OTHER = """
from teaching_engine import Value as Inner

class Scalar:
    __init__ = lambda self, x, inner=None: setattr(self, "inner", inner or Inner(x))

class Value:  # the adapter
    def new(self, x): return Scalar(x)
    def data(self, v): return v.inner.data
    def grad(self, v): return v.inner.grad
    def set_data(self, v, x): v.inner.data = x
    def zero(self, v): v.inner.grad = 0.0
    def backward(self, v): v.inner.backward()
    def update(self, operation, v, operand): return self.apply(operation, v, operand)
    def apply(self, operation, *operands):
        names = {"add": "__add__", "sub": "__sub__", "mul": "__mul__"}
        if operation not in names:
            raise NotImplementedError(operation)
        first, *rest = [x.inner if isinstance(x, Scalar) else x for x in operands]
        first = first if isinstance(first, Inner) else Inner(first)
        return Scalar(0, getattr(first, names[operation])(*rest))
"""


def test_an_adapter_grades_an_engine_with_other_spellings():
    shutil.copy(TESTS / "teaching_engine.py", "teaching_engine.py")
    report = graded(engine_file(OTHER), [c for c in KIT.cases if c.level <= 3])
    assert not [verdict.says for verdict in report.verdicts if verdict.failed]
    assert [score.passed == score.total for score in report.scores] == [True, False, True]


RECORDED = """
class Value:
    def __init__(self, data, operands=(), partials=()):
        self.data, self.grad = float(data), None
        self.operands, self.partials = operands, partials
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (Value(1), Value(1)))
    __radd__ = __add__
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other, self))
    def backward(self, create_graph=False):
        stack = [(self, Value(1))]
        while stack:
            value, cotangent = stack.pop()
            if not value.operands:
                value.grad = cotangent + (value.grad or 0)
            for operand, partial in zip(value.operands, value.partials):
                stack.append((operand, cotangent * partial))
"""


def test_gradients_of_gradients_by_create_graph_are_graded():
    report = graded(engine_file(RECORDED), named("product", "mixed"))
    assert [verdict.says for verdict in report.verdicts] == ["", ""]


def test_the_readme_shows_a_case_and_a_report_as_they_are():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    example = json.loads(readme.partition("```json\n")[2].partition("```")[0])
    shown = json.loads(kit_cases.FILE.read_text(encoding="utf-8"))["cases"]
    assert example in shown
    report = graded(
        engine_file(broken("assigned-gradient")), [c for c in KIT.cases if c.level == 1]
    )
    assert text(report).replace("engine.py:Value", "engine:Value") in readme
    for operation in FUNCTIONS:
        assert operation in readme
