"""Make the pictures of README.md anew: python benchmarks/pictures.py."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from autograd import Value, draw, explore, tanh
from nn.__main__ import main

DOCS = Path(__file__).parent.parent / "docs"


def neuron() -> None:
    """Draw the README's first expression, a neuron written out."""
    x1, x2 = Value(2.0, "x1"), Value(0.5, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.0, "b")
    output = tanh(x1 * w1 + x2 * w2 + b)
    output.label = "output"
    draw(output).save(DOCS / "neuron.svg")


def page() -> None:
    """Take a picture of the page of a small expression, in the middle of its backward walk."""
    from playwright.sync_api import sync_playwright

    x, w, b = Value(0.5, "x"), Value(-1.2, "w"), Value(0.3, "b")
    output = tanh(x * w + b) ** 2 + x
    output.label = "y"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = explore(output).save(Path(folder, "page.html"))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        view = browser.new_page(
            viewport={"width": 1180, "height": 640},
            device_scale_factor=1.5,
            reduced_motion="reduce",
        )
        view.goto(f"{path.as_uri()}#13")
        view.screenshot(
            path=DOCS / "page.png", clip={"x": 0, "y": 110, "width": 1180, "height": 480}
        )
        browser.close()


def demo() -> None:
    """Train as `make` does, and keep two of the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        main(["demo", "-o", folder])
        shutil.copy(Path(folder, "moons", "boundary.png"), DOCS / "moons.png")
        shutil.copy(Path(folder, "iris", "confusion.png"), DOCS / "iris.png")


if __name__ == "__main__":
    neuron()
    page()
    demo()
