"""The README's and the guide's code runs, and prints what they say; their links lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README, GUIDE = ROOT / "README.md", ROOT / "docs" / "guide.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "notebooks" / "README.md"]


def identifier(heading):
    """What a code host calls a heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [README, GUIDE], ids=lambda page: page.name)
def test_the_examples_run_as_printed(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(page.read_text("utf-8"), {}, page.name, None, 0)
    results = doctest.DocTestRunner().run(example)
    assert results.attempted >= 6
    assert results.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_links_lead_to_files_and_headings(page):
    prose = re.sub(r"`[^`\n]+`", "", page.read_text("utf-8"))
    for path, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose):
        target = page.parent / path if path else page
        assert target.exists(), path
        if heading and target.suffix == ".md":
            headings = re.findall(r"(?m)^#+ (.*)$", target.read_text("utf-8"))
            assert heading in map(identifier, headings), (path, heading)


def test_the_readme_opens_with_its_two_commands():
    commands = re.search(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[1]
    assert [line.split("#")[0].strip() for line in commands.splitlines()] == ["make", "make test"]
