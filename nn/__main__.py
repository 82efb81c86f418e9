"""The command: `python -m nn train`, `predict` and `demo`."""

from __future__ import annotations

import argparse
import csv
import errno
import io
import math
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from autograd import softmax
from nn import MLP, Neuron, plots
from nn.arguments import plain, shown
from nn.datasets import DataError, iris, read_csv
from nn.experiment import check_learnable, learn, pictures_of
from nn.modelfile import read_model, remove_abandoned, write_whole
from nn.recipe import Recipe
from nn.report import REPORT
from nn.two_moons import separate_moons

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from nn.datasets import Dataset

    Pictures = Mapping[str, Callable[[], Any]]

MODEL = "model.json"
DEFAULTS: dict[str, Any] = learn.__kwdefaults__ or {}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments and return its exit status.

    0: done. 2: something given cannot be used; one line on standard error names it and says what to
    do, and nothing was written. 130: Ctrl-C; if training had begun, the model so far is saved.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a class may have a name this terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        with _ended_by_sigterm():
            status: int = arguments.command(arguments)
        _say("", end="")
    except DataError as error:
        return _failure(str(error))
    except FloatingPointError as error:
        return _failure(f"training broke off in {error}")
    except BrokenPipeError:  # whoever reads our output, such as `head`, has read enough
        _discard_output()
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "make room there" if full else "check the path, and that you may use it"
        return _failure(f"{where}{error.strerror}; {advice}")
    except MemoryError:
        return _failure("there is not enough memory for this; take fewer rows or columns")
    except KeyboardInterrupt:
        print("\nnn: interrupted; nothing was written", file=sys.stderr)
        return 130
    return status


def train(arguments: argparse.Namespace) -> int:
    """Train a network on a CSV file, measure it on rows it has not seen, save it with pictures."""
    path = arguments.data
    data = read_csv(path, arguments.target, text=arguments.text, drop=arguments.drop)
    check_learnable(data, path)
    folder = arguments.output or Path("runs", path.name.partition(".")[0])
    given = vars(arguments)
    settings = {name: given[name] for name in DEFAULTS if name in given}
    return _train(data, folder, path.name, **settings)


def predict(arguments: argparse.Namespace) -> int:
    """Write a prediction for each row of a CSV file: a number, or a class and its probability."""
    model, recipe = _load(arguments.folder / MODEL)
    outputs = model.predict(recipe.encode(recipe.read(arguments.data)))
    predicted = recipe.decode(outputs)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    if recipe.classes is None:
        table.writerow([recipe.target.name])
        table.writerows([repr(number)] for number in predicted)
    else:
        table.writerow([recipe.target.name, *(f"P({name})" for name in recipe.classes)])
        for index, output in zip(predicted, outputs, strict=True):
            table.writerow([recipe.classes[index], *(f"{p:.6g}" for p in softmax(output))])
    if arguments.output is None:
        _say(text.getvalue(), end="")
        return 0
    try:
        write_whole(arguments.output, text.getvalue())
    except OSError as error:
        raise DataError(
            f"{arguments.output}: cannot be written ({error.strerror}); choose another file with -o"
        ) from None
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Learn Fisher's irises, then two moons in the plane, and say where the reports are."""
    folder = arguments.output
    _say("Fisher's irises: which species, from four measurements in centimetres?")
    status = _train(iris(), folder / "iris", "Fisher's irises")
    if status:
        return status
    _say("\nTwo moons: which half circle does a point in the plane belong to?")
    moons, names = folder / "moons", [MODEL, "loss.png", "boundary.png", REPORT]
    _check_writable(moons, names)
    separated = separate_moons(progress=sys.stderr.isatty())
    _say(f"training accuracy: {separated.accuracy:.1%}")
    with _replacing(moons, names) as new:
        _save(separated.model, separated.pictures(), new)
    _link(moons)
    return 130 if separated.history.interrupted else 0


def _train(data: Dataset, folder: Path, source: str, **settings: Any) -> int:
    """Learn, say how well, and save the network and its pictures; return the exit status."""
    names = [MODEL, *pictures_of(data), REPORT]
    _check_writable(folder, names)
    learnt = learn(data, **settings, progress=sys.stderr.isatty())
    _say(learnt.summary())
    with _replacing(folder, names) as new:
        _save(learnt.model, learnt.pictures(source), new, recipe=learnt.recipe.to_json())
    interrupted = learnt.history.interrupted
    if interrupted:
        _say("interrupted: this is the model so far")
    _link(folder)
    return 130 if interrupted else 0


def _link(folder: Path) -> None:
    """Say where the report is, as an address that a terminal opens."""
    _say(f"report: {(folder / REPORT).resolve().as_uri()}")


def _load(path: Path) -> tuple[MLP, Recipe]:
    """Return the network and the recipe of a model file that `train` wrote."""
    problem = ""
    try:
        model = MLP.from_file(path)
        recipe = Recipe.from_json(read_model(path).get("recipe"))
        unusable = [p.label for p in model.parameters() if not math.isfinite(p.data)]
        if unusable:
            problem = f"damaged: parameter {unusable[0]} is not finite"
        elif (model.sizes[0], model.sizes[-1]) != (len(recipe.inputs), recipe.outputs):
            problem = "the recipe for the data is not that of the network"
    except ValueError as error:
        problem = str(error).removeprefix(f"{path}: ")
    if problem:
        raise DataError(f"{path}: {problem}; train again with python -m nn train")
    return model, recipe


def _save(model: MLP, pictures: Pictures, folder: Path, **extra: Any) -> None:
    """Draw the pictures that can be drawn here, and write the model file, which lists all files.

    One line says why others are missing: what to install, or what the layout program said.
    """
    missing: dict[str, list[str]] = {}
    for name, draw_picture in pictures.items():
        if problem := _draw(draw_picture, folder / name):
            missing.setdefault(problem, []).append(name)
    for reason, names in missing.items():
        _say(f"without {', '.join(names)}: {reason}")
    files = [MODEL, *(name for name in pictures if (folder / name).exists())]
    model.save(folder / MODEL, **extra, files=files)


def _draw(draw_picture: Callable[[], Any], path: Path) -> str:
    """Draw a picture and save it; return the reason if this computer lacks what that needs."""
    try:
        picture = draw_picture()
    except plots.MissingMatplotlib as error:
        return str(error)
    if path.suffix == ".png":
        picture.savefig(path)
        return ""
    try:
        picture.save(path)
    except RuntimeError as error:  # there is no layout program, or it failed: nothing else is run
        return str(error)
    return ""


def _check_writable(folder: Path, names: Collection[str]) -> None:
    """Raise a DataError, before the work is done, if its files cannot be written to a folder.

    Files that no earlier run wrote stay as they are: one called as one of `names`, which are to be
    written, is an error.
    """
    earlier = _written_earlier(folder)
    for name in names:
        if name not in earlier and os.path.lexists(folder / name):
            raise DataError(
                f"{folder / name}: exists, and no earlier run wrote it; "
                "move it away, or choose another folder with -o"
            )
    _new_folder(folder).cleanup()


def _new_folder(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Return an empty folder, on the same disk as `folder` is or would be."""
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    try:
        remove_abandoned(nearest)
        return tempfile.TemporaryDirectory(prefix=".nn-", suffix=".part", dir=nearest)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with -o"
        ) from None


@contextmanager
def _replacing(folder: Path, names: Collection[str]) -> Iterator[Path]:
    """Yield an empty folder; at the end its files take the place of an earlier run's in `folder`.

    If an error ends the block, nothing has changed.
    """
    earlier = _written_earlier(folder)
    with _new_folder(folder) as name:
        new = Path(name)
        try:
            yield new
        except OSError as error:
            if not isinstance(error, BrokenPipeError):  # that is of standard output
                error.filename = _final(error.filename, new, folder)
            raise
        folder.mkdir(parents=True, exist_ok=True)
        written = [file for file in names if (new / file).exists()]
        for file in earlier.difference(written):
            (folder / file).unlink(missing_ok=True)
        for file in written:  # the model first, as it lists the others
            (new / file).replace(folder / file)
    _say(f"see {folder}: {', '.join(written)}")


def _final(name: Any, new: Path, folder: Path) -> str:
    """Return where a file of the new folder is to be in the end; `folder` for want of a name."""
    path = Path(name) if isinstance(name, str | os.PathLike) else new
    return str(folder / path.relative_to(new) if path.is_relative_to(new) else path)


def _written_earlier(folder: Path) -> set[str]:
    """Return the names of the files that an earlier run wrote, as its model file lists them."""
    try:
        files = read_model(folder / MODEL).get("files")
    except (OSError, ValueError):
        return set()
    names = files if isinstance(files, list) else []
    return {
        name
        for name in names
        if isinstance(name, str) and Path(name).name == name and (folder / name).is_file()
    }


def _say(text: str, end: str = "\n") -> None:
    """Write to standard output at once; that it is full, say, is a DataError."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        raise DataError(
            f"standard output: cannot be written ({error.strerror}); send it elsewhere"
        ) from None


def _discard_output() -> None:
    """Send what standard output still holds nowhere, lest Python fail to write it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as an exception does, so that no temporary folder stays."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    earlier = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _failure(message: str) -> int:
    print(f"nn: error: {plain(' '.join(message.split()), most=2000)}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_failure(f"{message}; see {self.prog} --help"))


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m nn",
        description="Train a neural network on a CSV file, and predict with it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "train",
        help="learn a column of a CSV file from the others",
        description="Learn a column of a CSV file from the others: its class where it is text, "
        "its number where it is numeric. Writes the model, the loss curve, the predictions for "
        "rows held out beside their true values, the gradient graph of one neuron, and a web page "
        "that shows all of it.",
    )
    command.set_defaults(command=train)
    option = command.add_argument
    option("data", type=Path, metavar="DATA.csv", help="a line of column names, then rows")
    option("--target", required=True, metavar="COLUMN", help="the column to learn")
    for name, use in (("--text", "to take as text even if numeric"), ("--drop", "to leave out")):
        described = f"a column {use}; may be repeated"
        option(name, action="append", default=[], metavar="COLUMN", help=described)
    for name, kind, metavar, help_ in (
        ("hidden", _sizes, "16,16", "neurons in each hidden layer, '' for none"),
        ("activation", _activation, "NAME", "what these compute of their sums"),
        ("epochs", _whole, "N", "passes over the rows at most"),
        ("batch_size", _whole, "N", "rows per step"),
        ("lr", partial(_positive, below=math.inf), "X", "learning rate at first"),
        ("test", partial(_positive, below=1.0), "SHARE", "share of the rows to test on"),
        ("seed", int, "N", "of the split, the weights and the batches"),
    ):
        default = DEFAULTS[name]
        text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        described = f"{help_} (default: {text})"
        flag = f"--{name.replace('_', '-')}"
        option(flag, type=kind, default=default, metavar=metavar, help=described)
    option("--eager", action="store_true", help="train without machine code")
    option("-o", dest="output", type=Path, metavar="FOLDER", help="instead of runs/DATA")

    command = commands.add_parser(
        "predict",
        help="predict with a trained network",
        description="Write a prediction for each row of a CSV file. It has the columns that were "
        "learnt from, in any order; others are ignored.",
    )
    command.set_defaults(command=predict)
    option = command.add_argument
    option("folder", type=Path, metavar="FOLDER", help="what train wrote")
    option("data", type=Path, metavar="DATA.csv", help="a line of column names, then rows")
    option("-o", dest="output", type=Path, metavar="FILE", help="instead of standard output")

    command = commands.add_parser(
        "demo",
        help="learn irises and two moons",
        description="Learn Fisher's irises and two moons in the plane, and draw both.",
    )
    command.set_defaults(command=demo)
    option = command.add_argument
    runs = Path("runs")
    option(
        "-o", dest="output", type=Path, default=runs, metavar="FOLDER", help=f"instead of {runs}"
    )
    return parser


def _sizes(text: str) -> list[int]:
    try:
        return [_whole(size) for size in text.split(",")] if text else []
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of layer sizes, such as 16 or 16,16"
        ) from None


def _activation(text: str) -> str:
    try:
        Neuron(1, text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _whole(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{shown(text)} is no whole number from 1 to {10**9 - 1}")
    return int(text)


def _positive(text: str, below: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < below:
        limit = "" if below == math.inf else f" and less than {below:g}"
        raise argparse.ArgumentTypeError(f"{text!r} is no number greater than 0{limit}")
    return number


if __name__ == "__main__":
    sys.exit(main())
