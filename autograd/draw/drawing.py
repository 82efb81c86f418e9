"""Drawing: a picture of a graph that shows itself in a notebook and saves itself."""

from __future__ import annotations

import os
from functools import cached_property
from html import escape
from pathlib import Path

from autograd.draw.dot import PALETTE, dot_source
from autograd.draw.render import lay_out, svg_of
from autograd.draw.text import printable, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograd.draw.graph import Graph

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ margin: 2rem; background: {light} }}
@media (prefers-color-scheme: dark) {{ body {{ background: {dark} }} }}
</style>
{svg}</html>
"""


class Drawing:
    """A graph, drawn; in a notebook it shows itself, and `print` shows it as a table.

    Attributes:
        graph: what is drawn, as plain data.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def dot(self) -> str:
        """The DOT source, which any Graphviz tool reads."""
        return dot_source(self.graph)

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG element, in light and dark colours as the page asks.

        Raises:
            MissingProgram: there is no program to lay out the graph.
        """
        return svg_of(self.graph, self.dot)

    @property
    def html(self) -> str:
        """The picture as a web page of one file."""
        light, dark = PALETTE["paper"]
        title = escape(printable(self.graph.output))
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
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def __str__(self) -> str:
        return table(self.graph)

    def __repr__(self) -> str:
        nodes, edges = len(self.graph.nodes), len(self.graph.edges)
        return f"<Drawing of {printable(self.graph.output)}: {nodes} nodes, {edges} edges>"

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": str(self)}
        except RuntimeError as error:  # a notebook shows the table and the reason, no traceback
            return {"text/plain": f"{self}\n\n{error}"}
