"""The command: `python -m autograd draw`, `explore` and `explain` an expression."""

from __future__ import annotations

import argparse
import io
import os
import sys
import webbrowser
from functools import partial
from html import escape
from itertools import pairwise
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from unicodedata import normalize

import autograd
from autograd.draw import DrawingError
from autograd.draw.drawing import write_whole
from autograd.draw.text import printable
from autograd.expression import evaluate, names_in, quoted
from autograd.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autograd.tape import Tape

# the endings of the file that each command writes; the file it writes unless told otherwise
ENDINGS = {
    "draw": (".svg", ".dot", ".png", ".html"),
    "explore": (".html",),
    "explain": (".txt", ".md", ".html"),
}
FILES = {"draw": "graph.svg", "explore": "explore.html"}
EXAMPLES = """\
examples:
  python -m autograd explain "(a*b + c).tanh()" a=2 b=-3 c=10
  python -m autograd draw "relu(w*x + b)" w=0.5 x=3 b=-1 -o neuron.svg
  python -m autograd explore "p = softmax([u, v, 0]); -log(p[1])" u=1 v=2 --open

An expression is made of numbers, names, + - * / **, comparisons, and the functions of autograd,
which are also methods: tanh(x) or x.tanh(), where(x > 0, x, 0), dot([a, b], [c, d]). Results can
be named on the way: d = a*b; tanh(d).
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<h1><code>{title}</code></h1>
{tables}
</html>
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments and return its exit status.

    0: done. 1: there is no program to lay out graphs; the graph is printed as a table. 2: something
    given cannot be used; one line on standard error names it and says what to do. 130: Ctrl-C.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may lack the signs of a table
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            status = _run(sys.argv[1:] if argv is None else argv)
        except SystemExit as exit_:  # argparse has said what is to be said
            status = exit_.code if isinstance(exit_.code, int) else 0
        _say("", end="")
    except ValueError as error:
        return _failure(str(error))
    except BrokenPipeError:  # whoever reads our output, such as `head`, has read enough
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        return _failure(f"standard output: cannot be written ({error.strerror}); send it elsewhere")
    except KeyboardInterrupt:
        return _failure("interrupted", 130)
    return status


def _run(argv: Sequence[str]) -> int:
    parser = _parser()
    arguments = parser.parse_intermixed_args(_with_minus(argv))
    command, text, path = arguments.command, arguments.expression, arguments.output
    if path is None and command in FILES:
        path = Path(FILES[command])
    if path is None and arguments.open:
        parser.error("--open: nothing to open; name a file to write with -o")
    if path is not None and path.suffix.lower() not in ENDINGS[command]:
        *others, last = ENDINGS[command]
        expected = f"{', '.join(others)} or {last}" if others else last
        parser.error(f"-o {path}: {command} writes files that end in {expected}")

    names = _names(arguments.names)
    value = evaluate(text, names)
    used = names_in(text)
    if unused := [name for name in names if name not in used]:
        _warn(f"not used in the expression: {', '.join(unused)}")

    if command != "explain":
        write = partial(getattr(autograd, command)(value).save, path)
    elif path is None:
        _say(repr(autograd.explain(value)))
        return 0
    else:
        write = partial(write_whole, path, _document(autograd.explain(value), text, path).encode())
    try:
        write()
    except DrawingError as error:  # nothing lays out graphs here: the table needs nothing
        _say(str(autograd.draw(value)))
        return _failure(str(error), status=1)
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be written ({error.strerror}); choose another file with -o"
        ) from None
    _say(str(path))
    if arguments.open and not webbrowser.open(path.resolve().as_uri()):
        _warn(f"no web browser was found; open {path} in one")
    return 0


def _document(tape: Tape, text: str, path: Path) -> str:
    """Return the tape in the form that the file's ending names."""
    match path.suffix.lower():
        case ".md":
            return f"{tape.markdown()}\n"
        case ".html":
            return PAGE.format(title=escape(printable(text.strip())), tables=tape.html())
        case _:
            return f"{tape}\n"


def _names(arguments: Iterable[str]) -> dict[str, Value]:
    """Return the named Values that arguments such as a=2 give."""
    names: dict[str, Value] = {}
    for argument in arguments:
        left, equals, right = argument.partition("=")
        name = normalize("NFKC", left.strip())  # as Python reads names
        if not equals:
            raise ValueError(
                f"{quoted(argument)}: expected NAME=VALUE, as in a=2; "
                "the whole expression stands in quotes"
            )
        if not name.isidentifier() or iskeyword(name):
            raise ValueError(
                f"{quoted(argument)}: {quoted(left)} cannot be a name: use letters, as in a=2"
            )
        if name in names:
            raise ValueError(f"{quoted(argument)}: {name} has a value already; give each name one")
        try:
            number = float(right)
        except ValueError:
            raise ValueError(
                f"{quoted(argument)}: {quoted(right)} is no number; give one, as in a=2 or a=-1e3"
            ) from None
        names[name] = Value(number, name)
    return names


def _with_minus(argv: Sequence[str]) -> list[str]:
    """Put a space before an expression such as -a*b, which would be taken for an option.

    So the `--` that ends options is not needed, and is left out.
    """
    options = {"-o", "-h", "--help", "--open", "--version"}
    return [
        f" {argument}"
        if argument.startswith("-") and argument not in options and before != "-o"
        else argument
        for before, argument in pairwise(["", *argv])
        if argument != "--"
    ]


def _say(text: str, end: str = "\n") -> None:
    """Write to standard output at once, so that an error comes here."""
    print(text, end=end, flush=True)  # noqa: T201


def _warn(text: str) -> None:
    print(f"autograd: {printable(text)}", file=sys.stderr)  # noqa: T201


def _failure(message: str, status: int = 2) -> int:
    _warn(f"error: {' '.join(message.split())}")
    return status


def _discard_output() -> None:
    """Send what standard output still holds nowhere, lest Python fail to write it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_failure(f"{message}; see {self.prog} --help"))


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m autograd",
        description="Draw an expression with its gradients, step through it, or explain it line "
        "by line.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option(
        "command",
        choices=[*ENDINGS],
        help="draw: a picture; explore: a web page that steps forward and back; "
        "explain: a table of both sweeps",
    )
    option("expression", metavar="EXPRESSION", help="in quotes; see below")
    option(
        "names",
        nargs="*",
        default=[],
        metavar="NAME=VALUE",
        help="the numbers that its names stand for",
    )
    option(
        "-o",
        dest="output",
        type=Path,
        metavar="FILE",
        help="; ".join(f"{name}: {', '.join(ends)}" for name, ends in ENDINGS.items()),
    )
    option("--open", action="store_true", help="open what was written in the web browser")
    option("--version", action="version", version=f"glassgrad {autograd.__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
