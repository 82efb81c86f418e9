"""DOT source laid out by a program: SVG with words and dark colours, or PNG."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from html import escape

from autograd.draw import DrawingError, MissingProgram
from autograd.draw.palette import PALETTE

_SECONDS = 120
_FONTS = '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif'


def find_program() -> str:
    """Return the path of the program that lays out graphs.

    It is the one that the environment variable GLASSGRAD_DOT names, or else graphviz-pure, or else
    Graphviz's dot.

    Raises:
        MissingProgram: there is none; the message says what to install.
    """
    named = os.environ.get("GLASSGRAD_DOT")
    if named:
        program = shutil.which(named)
        if program is None:
            raise MissingProgram(f"GLASSGRAD_DOT names {named!r}, which is no program")
        return program
    # a kernel or an editor may run this Python without its scripts on PATH
    scripts = sysconfig.get_path("scripts")
    program = (
        shutil.which("graphviz-pure", path=scripts)
        or shutil.which("graphviz-pure")
        or shutil.which("dot")
    )
    if program is None:
        raise MissingProgram("no program to lay out the graph: pip install 'glassgrad[viz]'")
    return program


def lay_out(source: str, kind: str, *options: str) -> bytes:
    """Return DOT source laid out as `kind`, "svg" or "png".

    Raises:
        MissingProgram: there is no program for it.
        DrawingError: the program failed; the message gives its reason.
    """
    program = find_program()
    command = [program, f"-T{kind}", *options]
    try:
        done = subprocess.run(  # noqa: S603 - a program of the user's own, and no shell
            command, input=source.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"{program} took more than {_SECONDS} s: draw fewer nodes, as draw(value, depth=5)"
        ) from None
    except OSError as error:
        raise DrawingError(f"{program} does not run: {error}") from None
    if done.returncode or not done.stdout:
        reason = " ".join(done.stderr.decode(errors="replace").split()) or "no output"
        raise DrawingError(f"{program} could not make {kind}: {reason}")
    return done.stdout


def svg_of(source: str, said: dict[str, str]) -> str:
    """Return DOT source laid out as an SVG element, with a sentence for every part by its id."""
    try:
        svg = lay_out(source, "svg").decode().replace("\r\n", "\n")
        start = svg.index("<svg ")
        svg = svg[start : svg.rindex("</svg>", start)] + "</svg>\n"
        svg = re.sub(r"<!--.*?-->\n", "", svg, flags=re.DOTALL)
        svg = re.sub(
            r'(<g id="([^"]+)" class="\w+"[^>]*>\n<title>)[^<]*',
            lambda match: match[1] + escape(said[match[2]], quote=False),
            svg,
        )
    except (ValueError, KeyError):
        raise DrawingError(f"{find_program()} gave no SVG of this graph") from None
    return svg.replace("<svg ", '<svg class="glassgrad" ', 1).replace(
        "<g id=", f"<style>{_style()}</style>\n<g id=", 1
    )


def _style() -> str:
    """Return what attributes cannot say: fonts, clear ground behind numbers, dark counterparts."""
    paper, dark_paper = PALETTE["paper"]
    dark = "".join(
        f'.glassgrad [{paint}="{light}"] {{ {paint}: {dark} }}\n'
        for light, dark in PALETTE.values()
        for paint in ("fill", "stroke")
    )
    return f"""
.glassgrad text {{ font-family: {_FONTS} }}
.glassgrad .edge text {{ stroke: {paper}; stroke-width: 2px; paint-order: stroke }}
@media (prefers-color-scheme: dark) {{
.glassgrad .edge text {{ stroke: {dark_paper} }}
{dark}}}
"""
