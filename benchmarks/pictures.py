"""Make the pictures of README.md anew: python benchmarks/pictures.py."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograd import Value, draw, explore, tanh
from nn.__main__ import main

if TYPE_CHECKING:
    from autograd.draw.drawing import Drawing

DOCS = Path(__file__).parent.parent / "docs"
LOOKS = {
    "gradient": "@keyframes {name} {{ 0%, {begin:.2f}% {{ opacity: 0 }} "
    "{end:.2f}% {{ opacity: 1 }} }}",
    "edge": "@keyframes {name} {{ 0%, {begin:.2f}% {{ opacity: 0.2 }} "
    "{end:.2f}% {{ opacity: 1 }} }}",
    "line": "@keyframes {name} {{ {begin:.2f}% {{ stroke-width: 0.8px }} "
    "{end:.2f}% {{ stroke-width: 7px }} {later:.2f}% {{ stroke-width: revert-layer }} }}",
}


BEAT, REST = 0.8, 3.0  # seconds of one edge, and of the whole picture at the end


def sweep() -> None:
    """Draw a neuron written out, with the backward sweep moving through it."""
    x1, x2 = Value(2.0, "x1"), Value(0.5, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.0, "b")
    output = tanh(x1 * w1 + x2 * w2 + b)
    output.label = "output"
    (DOCS / "sweep.svg").write_text(swept(draw(output)), encoding="utf-8")


def swept(drawing: Drawing) -> str:
    """Return a drawing's SVG in which the backward sweep goes from edge to edge, over and over.

    An edge lights up when its contribution is sent, the gradient of a node appears when the last
    of its contributions is there. Whoever asks for reduced motion sees the whole picture, still.
    """
    view = drawing.picture.view
    sent: list[str] = []  # the arrows, in the order of the sweep
    arrived = {view.boxes[-1].name: 1}  # for each box the beat in which its gradient is whole
    for box in reversed(view.boxes):
        for i, arrow in enumerate(view.arrows):
            if arrow.result is box:
                sent.append(f"e{i}")
                arrived[arrow.operand.name] = len(sent) + 1
    seconds = BEAT * (len(sent) + 2) + REST

    def appears(selector: str, beat: int, look: str) -> str:
        begin, end = 100 * BEAT * beat / seconds, 100 * BEAT * (beat + 0.5) / seconds
        name = f"{look}{beat}"
        keyframes = LOOKS[look].format(name=name, begin=begin, end=end, later=2 * end - begin)
        return f"{keyframes}\n{selector} {{ animation: {name} {seconds:g}s infinite }}"

    rules = [
        appears(f".glassgrad #{name} text:nth-last-of-type(-n + 2)", beat, "gradient")
        for name, beat in arrived.items()
    ]
    for beat, name in enumerate(sent, start=2):
        rules += [
            appears(f".glassgrad #{name}", beat, "edge"),
            appears(f".glassgrad #{name} path", beat, "line"),
        ]
    motion = "\n".join(["@media (prefers-reduced-motion: no-preference) {", *rules, "}"])
    return drawing.svg.replace("</style>", f"{motion}\n</style>", 1)


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
            path=DOCS / "page.png", clip={"x": 0, "y": 110, "width": 1180, "height": 464}
        )
        browser.close()


def demo() -> None:
    """Train as `make` does, and keep two of the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        main(["demo", "-o", folder])
        shutil.copy(Path(folder, "moons", "boundary.png"), DOCS / "moons.png")
        shutil.copy(Path(folder, "iris", "confusion.png"), DOCS / "iris.png")


if __name__ == "__main__":
    sweep()
    page()
    demo()
