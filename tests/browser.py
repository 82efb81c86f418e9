"""A browser for tests: headless Chromium, and what a page from disk asks for and complains of.

Where there is none, tests that need one are skipped, and say why; where `REQUIRED` is set, as in
CI, they fail.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from importlib import resources
from typing import NamedTuple

import pytest

REQUIRED = "GLASSGRAD_REQUIRE_BROWSER"
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
""".split()  # noqa: SIM905  as one reads them


def absent(what):
    """Skip, or fail where a browser is required."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what}, but {REQUIRED} is set")
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser():
    """Chromium, with a new profile.

    It is closed with each file of tests: while Playwright is open, asyncio runs nothing else.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        absent("there is no program named chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


class Opened(NamedTuple):
    """A page in the browser, the addresses that it asked for, its errors and warnings."""

    page: object
    requests: list[str]
    complaints: list[str]


@contextmanager
def opened(browser, path, **options):
    """Open a file in a new window; options are those of Playwright's `new_context`."""
    context = browser.new_context(**options)
    try:
        page = context.new_page()
        found = Opened(page, [], [])
        context.on("request", lambda request: found.requests.append(request.url))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                found.complaints.append(message.text)
                if message.type in {"error", "warning", "assert"}
                else None
            ),
        )
        page.goto(path.resolve().as_uri())
        yield found
    finally:
        context.close()


@pytest.fixture
def open_page(browser):
    """`opened`, as a function; windows are closed with the test."""
    with ExitStack() as windows:
        yield lambda path, **options: windows.enter_context(opened(browser, path, **options))


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core, which finds what a page denies to some of its readers."""
    try:
        package = resources.files("axe_playwright_python")
    except ImportError:
        absent("axe-playwright-python is not installed")
    return (package / "axe.min.js").read_text("utf-8")
