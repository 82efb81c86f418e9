import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
from browser import axe, browser, open_page  # noqa: F401  fixtures for every file

from autograd.primitives import TABLE

# no deadline: a slow machine is no failure; in CI the same examples on every run
settings.register_profile("glassgrad", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("glassgrad")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(autouse=True)
def table():
    """The table, without the rows that a test has added when it ends."""
    rows = {**TABLE}
    yield TABLE
    TABLE.clear()
    TABLE.update(rows)
