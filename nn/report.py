"""Report: a web page of one file that shows what was trained, how well, and how it works.

It opens from disk. A browser that opens it loads nothing else: figures stand in it, and its policy
forbids everything that would come from elsewhere.
"""

from __future__ import annotations

import base64
import io
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd import Value, draw, explore
from nn import plots
from nn.modelfile import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from nn.datasets import Dataset
    from nn.layers import MLP
    from nn.modelfile import FilePath
    from nn.training import History

REPORT = "report.html"  # what a report is called in a folder
_LARGEST_SVG = 150_000  # bytes; a picture of many points is smaller as pixels


class Part(NamedTuple):
    """A section of a report.

    Attributes:
        heading: its heading.
        note: what it shows, in a sentence or two.
        alt: what is seen in its picture, for those who do not see it.
        make: makes the picture: a matplotlib figure, a drawing, or an interactive page.
    """

    heading: str
    note: str
    alt: str
    make: Callable[[], Any]


class Report:
    """What was trained on what, how well it did, and pictures of it.

    Args:
        title: of the page.
        result: rows of a table, the first of which names the columns; each begins with a name.
        verdict: what the result means, if that needs saying.
        facts: what was trained on what, by name. A list is a list of names.
        parts: the pictures. One that cannot be made here is left out, and a line says why.
    """

    def __init__(
        self,
        title: str,
        result: Sequence[Sequence[str]],
        verdict: str,
        facts: Mapping[str, str | list[str]],
        parts: Iterable[Part],
    ) -> None:
        self.title = title
        self.result = result
        self.verdict = verdict
        self.facts = facts
        self.parts = parts

    @property
    def html(self) -> str:
        """The page, as text."""
        sections: list[str] = []
        missing: dict[str, list[str]] = {}
        for part in self.parts:
            try:
                sections.append(_section(part))
            except RuntimeError as error:  # a program or package is missing, or it failed
                missing.setdefault(str(error), []).append(part.heading)
        lines = "".join(
            f"<li>{_text(', '.join(names))}: {_text(reason)}</li>\n"
            for reason, names in missing.items()
        )
        if missing:
            sections.append(f"<section>\n<h2>Not shown</h2>\n<ul>\n{lines}</ul>\n</section>\n")
        return (
            f"{_HEAD.format(title=_text(self.title), style=_STYLE)}"
            f"<section>\n<h2>Result</h2>\n{_table(self.result, self.verdict)}"
            f"{_facts(self.facts)}</section>\n{''.join(sections)}</main>\n</body>\n</html>\n"
        )

    def save(self, path: FilePath) -> None:
        """Write the page to a file, whole or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        write_whole(path, self.html)


def described(model: MLP) -> str:
    """Return the sizes of a network."""
    sizes = "-".join(map(str, model.sizes))
    return f"{sizes} {model.activation}, {len(model.parameters())} parameters"


def trained(history: History) -> str:
    """Return how long training took, whether machine code did it, and why not."""
    how = "compiled" if history.compiled else f"eager ({history.reason})"
    return f"{history.epochs} epochs in {history.seconds:.1f} s, {how}"


def training_parts(history: History) -> Iterator[Part]:
    """Yield pictures of training, if there was any."""
    if not history.epochs:
        return
    losses = {"training": history.loss, "validation": history.validation_loss}
    ends = [f"{name} from {x[0]:.3g} to {x[-1]:.3g}" for name, x in losses.items() if x]
    yield Part(
        "Loss",
        "The mean loss of each epoch.",
        f"The loss went in {history.epochs} epochs: {', '.join(ends)}.",
        partial(plots.loss_curve, history.loss, history.validation_loss, history.kept),
    )
    sizes = [f"{name} from {x[0]:.2g} to {x[-1]:.2g}" for name, x in history.gradients.items()]
    yield Part(
        "Gradients",
        "How large the gradient of each epoch's last step is, layer by layer. Where it vanishes on "
        "its way back, the first layers lie far below the others.",
        f"The root mean square of the gradient went: {', '.join(sizes)}.",
        partial(plots.gradient_sizes, history.gradients),
    )


def boundary_part(
    predict: Callable[[list[list[float]]], list[Any]], data: Dataset, rows: str
) -> Part:
    """Return the plane of two features, and on it the data, which the note calls `rows`."""
    classes = data.classes or []
    return Part(
        "Decision boundary",
        f"The plane in the colours of the predicted classes; the points are {rows}.",
        f"Where each of {', '.join(classes)} is predicted, by {' and '.join(data.features)}.",
        partial(plots.decision_boundary, predict, data.X, data.y, classes, data.features),
    )


def network_part(model: MLP) -> Part:
    """Return the network, drawn."""
    return Part(
        "Network",
        "A line is a weight: blue positive, orange negative, the wider the larger.",
        f"The network {described(model)}",
        partial(draw, model),
    )


def page_part(value: Callable[[], Value], what: str) -> Part:
    """Return the page that steps through the graph of a value, which the note calls `what`."""
    return Part(
        "Step by step",
        f"Forward and backward through {what}: every number, edge by edge.",
        f"Interactive page: forward and backward through {what}",
        lambda: explore(value()),
    )


def _section(part: Part) -> str:
    picture = part.make()
    if hasattr(picture, "savefig"):
        kind, shown = "figure", f'<img src="{_source(picture)}" alt="{_text(part.alt)}">'
    elif hasattr(picture, "svg"):
        kind, label = "drawing", f'tabindex="0" role="region" aria-label="{_text(part.alt)}"'
        shown = f"<div {label}>{picture.svg}</div>"
    else:
        kind = "page"
        shown = f'<iframe title="{_text(part.alt)}" srcdoc="{_text(picture.html)}"></iframe>'
    return (
        f'<section class="{kind}">\n<h2>{_text(part.heading)}</h2>\n'
        f"<p>{_text(part.note)}</p>\n{shown}\n</section>\n"
    )


def _source(figure: Any) -> str:
    """Return a matplotlib figure as a URL that holds all of it, the same at every run."""
    from matplotlib import rc_context  # noqa: PLC0415  optional, and slow to load

    with rc_context({"svg.hashsalt": "glassgrad"}), io.BytesIO() as file:
        figure.savefig(file, format="svg", dpi=100, metadata={"Date": None})
        kind, content = "svg+xml", file.getvalue()
    if len(content) > _LARGEST_SVG:
        with io.BytesIO() as file:
            figure.savefig(file, format="png")
            kind, content = "png", file.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _table(rows: Sequence[Sequence[str]], verdict: str) -> str:
    head, *body = rows
    columns = "".join(f'<th scope="col">{_name(cell)}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row">{_name(name)}</th>'
        f"{''.join(f'<td>{_name(cell)}</td>' for cell in cells)}</tr>\n"
        for name, *cells in body
    )
    said = f"<p><strong>{_text(verdict)}</strong></p>\n" if verdict else ""
    return f'<table class="result">\n<tr>{columns}</tr>\n{lines}</table>\n{said}'


def _facts(facts: Mapping[str, str | list[str]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{_name(name)}</th><td>{_names(fact)}</td></tr>\n'
        for name, fact in facts.items()
    )
    return f'<table class="facts">\n{lines}</table>\n'


def _names(fact: str | list[str]) -> str:
    """Return a fact, or the first of many names and how many more there are."""
    if isinstance(fact, str):
        return _name(fact)
    more = f" and {len(fact) - 12} more" if len(fact) > 12 else ""
    return ", ".join(map(_name, fact[:12])) + more


def _name(text: str) -> str:
    """Return text that others wrote, which keeps its own direction of writing to itself."""
    return f"<bdi>{_text(text)}</bdi>"


def _text(text: str) -> str:
    """Return text as HTML that shows it: of what HTML cannot hold, an escape or a symbol."""
    whole = text.encode(errors="backslashreplace").decode()
    return escape(whole).replace("\0", "␀").replace("\r", "&#13;")


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1><bdi>{title}</bdi></h1>
"""

_STYLE = """
:root { --paper: #fff; --ink: #22303c; --quiet: #566472; --line: #d5dce3; --box: #f4f6f8 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14191e; --ink: #e6ebf0; --quiet: #a3b1be; --line: #37434f; --box: #1d242b }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 80rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif;
  overflow-wrap: break-word;
}
h1 { margin: 0; grid-column: 1 / -1; font-size: 1.7rem; line-height: 1.2 }
h2 { margin: 0; font-size: 1.15rem }
section > p { margin: .15rem 0 .75rem; color: var(--quiet) }
table { border-collapse: collapse; margin: .5rem 0 1.25rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem 1.2rem .3rem 0; text-align: left; vertical-align: top }
tr + tr > * { border-top: 1px solid var(--line) }
.facts th { color: var(--quiet); font-weight: normal }
.facts td { overflow-wrap: anywhere }
.result th[scope=col] { color: var(--quiet); font-weight: normal }
.result tr:nth-child(2) > * { font-size: 1.3rem; font-weight: 700 }
.result tr:nth-child(n + 3) > * { font-weight: normal }
main { display: grid; gap: 1.75rem 2rem; grid-template-columns: minmax(0, 1fr) }
section { min-width: 0 }
img { display: block; max-width: 100%; height: auto; border-radius: .5rem; background: #fff }
.drawing div { overflow: auto; border: 1px solid var(--line); border-radius: .5rem }
.drawing svg { display: block; margin: 0 auto; max-width: 100%; height: auto }
iframe { width: 100%; height: 56rem; border: 1px solid var(--line); border-radius: .5rem }
:focus-visible { outline: 3px solid #1f6fb4; outline-offset: 1px }
@media (min-width: 60rem) {
  main { grid-template-columns: repeat(2, minmax(0, 1fr)) }
  .drawing, .page { grid-column: 1 / -1 }
}
@media (max-width: 40rem) {
  body { padding: .8rem }
  th, td { padding-right: .7rem }
  .result tr:nth-child(2) > * { font-size: 1.1rem }
  .drawing svg { max-width: none }
  iframe { height: 44rem }
}
"""
