"""Drawing: a picture that shows itself in a notebook and saves itself."""

from __future__ import annotations

import os
from functools import cached_property
from html import escape
from pathlib import Path
from typing import NamedTuple

from autograd.draw.dot import dot_source
from autograd.draw.palette import PALETTE
from autograd.draw.render import lay_out, svg_of
from autograd.draw.text import printable, sentences, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from autograd.draw.folding import View

    class Picture(Protocol):
        """What a drawing draws, before it is laid out."""

        @property
        def title(self) -> str:
            """What it is called."""

        @property
        def summary(self) -> str:
            """What it is of, in few words."""

        def dot(self) -> str:
            """Return the DOT source."""

        def sentences(self) -> dict[str, str]:
            """Return what each part says, by its id in the DOT source."""

        def table(self) -> str:
            """Return the same as text."""


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ margin: 2rem; background: {light} }}
@media (prefers-color-scheme: dark) {{ body {{ background: {dark} }} }}
</style>
{svg}</html>
"""


class GraphPicture(NamedTuple):
    """The graph of a value, as a picture.

    Attributes:
        view: its boxes and arrows.
        show: what labels carry.
        rankdir: from left to right, "LR", or from top to bottom, "TB".
    """

    view: View
    show: tuple[str, ...]
    rankdir: str

    @property
    def title(self) -> str:
        """What the output is called."""
        return printable(self.view.output)

    @property
    def summary(self) -> str:
        """How many boxes and arrows there are."""
        counts = f"{self.title}: {len(self.view.boxes)} nodes, {len(self.view.arrows)} edges"
        return f"{counts}, {self.view.folding}" if self.view.folding else counts

    def dot(self) -> str:
        """Return the DOT source."""
        return dot_source(self.view, self.show, self.rankdir)

    def sentences(self) -> dict[str, str]:
        """Return what each part says, by its id."""
        return sentences(self.view)

    def table(self) -> str:
        """Return a line for every box."""
        return table(self.view)


class Drawing:
    """A picture, drawn; in a notebook it shows itself, and `print` shows it as a table.

    Attributes:
        picture: what is drawn, as plain data.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    @cached_property
    def dot(self) -> str:
        """The DOT source, which any Graphviz tool reads."""
        return self.picture.dot()

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG element, in light and dark colours as the page asks.

        Raises:
            MissingProgram: there is no program to lay out the graph.
        """
        return svg_of(self.dot, self.picture.sentences())

    @property
    def html(self) -> str:
        """The picture as a web page of one file."""
        light, dark = PALETTE["paper"]
        title = escape(self.picture.title)
        return _PAGE.format(title=title, light=light, dark=dark, svg=self.svg)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing as SVG, DOT, PNG or a web page, as the name's ending says.

        The file appears whole or not at all.

        Args:
            path: where to, ending in .svg, .dot, .png or .html.

        Returns:
            The path.

        Raises:
            ValueError: the name ends otherwise.
            MissingProgram: there is no program to lay out the graph; .dot needs none.
            OSError: the file cannot be written.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".svg":
                content = self.svg.encode()
            case ".dot":
                content = self.dot.encode()
            case ".png":
                content = lay_out(self.dot, "png", "-Gdpi=192")
            case ".html":
                content = self.html.encode()
            case _:
                raise ValueError(
                    f"cannot save as {path.name!r}: expected .svg, .dot, .png or .html at its end"
                )
        return write_whole(path, content)

    def __str__(self) -> str:
        return self.picture.table()

    def __repr__(self) -> str:
        return f"<Drawing of {self.picture.summary}>"

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": str(self)}
        except RuntimeError as error:  # a notebook shows the table and the reason, no traceback
            return {"text/plain": f"{self}\n\n{error}"}


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file that appears whole or not at all, and return its path."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:  # of the file that was asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        part.unlink(missing_ok=True)
    return path
