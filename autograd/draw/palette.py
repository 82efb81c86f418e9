"""The colours of pictures, by role, and coloured words in DOT's markup: labels and legends."""

from __future__ import annotations

from html import escape
from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# By role: on a light page, on a dark page. Blue and orange differ to colour-blind eyes too.
PALETTE = {
    "paper": ("#ffffff", "#14181d"),
    "box": ("#f3f4f6", "#222830"),
    "line": ("#b4bbc5", "#5b6472"),
    "ink": ("#1f2328", "#e8ebef"),
    "quiet": ("#667080", "#9aa4b2"),
    "positive": ("#0072b2", "#5cb8ee"),
    "negative": ("#b84900", "#f0a03c"),
}
COLOUR = {role: light for role, (light, _dark) in PALETTE.items()}


def coloured(text: str, role: str, size: int | None = None) -> str:
    """Return text as DOT's markup, in the colour of its role, `size` points large."""
    points = f' point-size="{size}"' if size else ""
    words = escape(text).replace("\\", r"\\")  # for dot expands \N and the like even in markup
    return f'<font color="{COLOUR[role]}"{points}>{words}</font>'


def sign(xs: Iterable[float | None]) -> str:
    """Return the role of the sign that all numbers have but zeros; "quiet" if they differ."""
    positive = {x > 0 for x in xs if x and x == x}  # noqa: PLR0124  nan has no sign
    return "quiet" if len(positive) != 1 else "positive" if positive.pop() else "negative"


def largest(xs: Iterable[float | None]) -> float:
    """Return the magnitude of the largest finite number, which the widest line stands for."""
    return max((abs(x) for x in xs if x and abs(x) < inf), default=1.0)


def signs() -> str:
    """Return both signs in their colours, as a legend names them."""
    words = ("positive", "positive"), (" or ", "quiet"), ("negative", "negative")
    return "".join(coloured(*word) for word in words)


def entry(mark: str, meaning: str) -> str:
    """Return a mark and what it means, as a legend says it."""
    return coloured(mark, "ink") + coloured(meaning, "quiet")


def legend(entries: Sequence[str], notes: Sequence[str], *, in_a_row: bool) -> str:
    """Return the entries one below the other or in a row, and below them the notes, as markup."""
    rows = [coloured("   ·   ", "quiet").join(entries)] if in_a_row else [*entries]
    rows += [coloured(note, "ink") for note in notes]
    left = '<br align="left"/>'
    return f"<{left.join([coloured(' ', 'quiet', 4), *rows])}{left}>"
