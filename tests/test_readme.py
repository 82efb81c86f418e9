"""The README's code runs, and prints what the README says."""

import doctest
import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_s_examples_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(README.read_text("utf-8"), {}, "README", None, 0)
    results = doctest.DocTestRunner().run(example)
    assert results.attempted > 10
    assert results.failed == 0


def test_the_readme_s_files_exist():
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8"))
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_the_readme_opens_with_its_two_commands():
    commands = re.search(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[1]
    assert [line.split("#")[0].strip() for line in commands.splitlines()] == ["make", "make test"]
