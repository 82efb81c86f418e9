"""The command: `python -m nn train`, `predict` and `demo`."""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from autograd import Value, dot, draw, softmax
from nn import MLP, SGD, AdamW, Neuron, accuracy, cosine, cross_entropy, fit, hinge, mae, mse, plots
from nn.datasets import DataError, moons, read_csv, split
from nn.datasets.table import Table
from nn.module import read_model, write_whole
from nn.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograd.draw.drawing import Drawing
    from nn import History
    from nn.datasets import Dataset

    Pictures = dict[str, Callable[[], Any]]

IRIS = Path(__file__).parent / "datasets" / "iris.csv"
FILES = ("model.json", "loss.png", "confusion.png", "prediction.png", "boundary.png", "graph.svg")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments and return its exit status.

    0: done. 2: something given cannot be used; one line on standard error names it and says what to
    do, and nothing was written. 130: Ctrl-C; if training had begun, the model so far is saved.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a class may have a name this terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except DataError as error:
        return _failure(str(error))
    except FloatingPointError as error:
        return _failure(f"training broke off in {error}")
    except BrokenPipeError:  # whoever reads our output, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failure(f"{where}{error.strerror}; check the path, and that you may use it")
    except KeyboardInterrupt:
        print("\nnn: interrupted; nothing was written", file=sys.stderr)
        return 130
    return status


def train(arguments: argparse.Namespace) -> int:
    """Train a network on a CSV file, measure it on rows it has not seen, save it with pictures."""
    path = arguments.data
    data = read_csv(path, arguments.target, text=arguments.text, drop=arguments.drop)
    check_learnable(data, path)
    with _replacing(arguments.output or Path("runs", path.name.partition(".")[0])) as folder:
        learnt = learn(data, arguments)
        learnt.model.save(folder / "model.json", recipe=learnt.recipe.to_json())
        print(learnt.report())
        _save(learnt.pictures(), folder)
    if learnt.history.interrupted:
        print("interrupted: this is the model so far")
        return 130
    return 0


def predict(arguments: argparse.Namespace) -> int:
    """Write a prediction for each row of a CSV file: a number, or a class and its probability."""
    model, recipe = _load(arguments.folder / "model.json")
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
        print(text.getvalue(), end="")
        return 0
    try:
        write_whole(arguments.output, text.getvalue())
    except OSError as error:
        raise DataError(
            f"{arguments.output}: cannot be written ({error.strerror}); choose another file with -o"
        ) from None
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Learn Fisher's irises, then two moons in the plane, and say where the pictures are."""
    folder = arguments.output
    print("Fisher's irises: which species, from four measurements in centimetres?")
    iris = ["train", str(IRIS), "--target", "species", "-o", str(folder / "iris")]
    status = train(_parser().parse_args(iris))
    if status:
        return status
    print("\nTwo moons: which half circle does a point in the plane belong to?")
    data = moons(samples=100, noise=0.1, seed=0)
    y = [2 * label - 1 for label in data.y]
    model = MLP(2, [16, 16, 1], activation="relu", seed=0)
    with _replacing(folder / "moons") as new:
        history = fit(
            model,
            data.X,
            y,
            hinge,
            SGD(model.parameters(), lr=lambda step: 1.0 - 0.009 * step),
            epochs=100,
            batch_size=100,
            metric=accuracy,
            progress=sys.stderr.isatty(),
            penalty=lambda model: 1e-4 * dot(model.parameters(), model.parameters()),
        )
        print(f"training accuracy: {accuracy(model.predict(data.X), y):.1%}")
        model.save(new / "model.json")
        pictures: Pictures = {
            "loss.png": partial(plots.loss_curve, history.loss),
            "boundary.png": partial(
                plots.decision_boundary, model.predict, data.X, data.y, data.classes or []
            ),
        }
        _save(pictures, new)
    return 130 if history.interrupted else 0


def check_learnable(data: Dataset, path: Path) -> None:
    """Raise a DataError if nothing can be learnt from these rows."""
    if len(data.y) < 10:
        raise DataError(
            f"{path}: {len(data.y)} rows are too few to train and test on; add some, to 10 at least"
        )
    if data.y.count(data.y[0]) == len(data.y):
        raise DataError(
            f"{path}, column {data.target!r}: the same in every row, so there is nothing to learn; "
            "choose another --target"
        )
    for label, name in enumerate(data.classes or []):
        if data.y.count(label) == 1:
            problem = f"{name!r} is in this row alone; correct it, or add or leave out rows"
            raise Table.read(path).error(data.y.index(label), data.target, problem)
    for name, categories in data.categories.items():
        if len(categories) > max(10, len(data.y) / 2):
            raise DataError(
                f"{path}, column {name!r}: {len(categories)} different texts in {len(data.y)} rows "
                f"are names, not categories; leave the column out with --drop {name!r}"
            )


@dataclass(frozen=True)
class Learnt:
    """A network trained on some rows of a dataset, and tested on others."""

    model: MLP
    recipe: Recipe
    history: History
    training: Dataset
    validation: Dataset
    test: Dataset
    predicted: list[Any]

    def report(self) -> str:
        """Return what was trained on what, and the test's result beside the simplest guess."""
        rows = [len(part.y) for part in (self.training, self.validation, self.test)]
        return (
            f"{sum(rows)} rows: {rows[0]} to train on, {rows[1]} to know when to stop, "
            f"{rows[2]} to test on\n"
            f"network: {self.model.shape.replace(' → ', '-')} {self.model.activation}, "
            f"{len(self.model.parameters())} parameters; {self.history.epochs} epochs "
            f"in {self.history.seconds:.1f} s\n{self.test_result()}"
        )

    def test_result(self) -> str:
        """Return the accuracy beside the most frequent class's, or the errors beside the mean's."""
        y, guesses = self.test.y, self.predicted
        if self.recipe.classes is None:
            mean = self.recipe.decode([0.0])[0]
            return (
                f"test error of {self.test.target}: {_errors(guesses, y)}; "
                f"always {mean:.4g}, the mean: {_errors([mean] * len(y), y)}"
            )
        right = sum(guess == true for guess, true in zip(guesses, y, strict=True))
        commonest = Counter(self.training.y).most_common(1)[0][0]
        return (
            f"test accuracy of {self.test.target}: {right / len(y):.1%} ({right} of {len(y)}); "
            f"always {self.recipe.classes[commonest]!r}: {y.count(commonest) / len(y):.1%}"
        )

    def pictures(self) -> Pictures:
        """Return, by file name, what draws each picture."""
        history, y, name, classes = self.history, self.test.y, self.test.target, self.recipe.classes
        pictures: Pictures = {"graph.svg": self.neuron_graph}
        if history.epochs:
            curves = history.loss, history.validation_loss
            pictures["loss.png"] = partial(plots.loss_curve, *curves)
        if classes is None:
            draw_result = partial(plots.predicted_against_true, y, self.predicted, name)
            pictures["prediction.png"] = draw_result
        else:
            draw_result = partial(plots.confusion_matrix, y, self.predicted, classes)
            pictures["confusion.png"] = draw_result
        return pictures

    def neuron_graph(self) -> Drawing:
        """Draw how the largest loss of a training sample reaches the neuron that it moves most.

        The neuron is one of the first layer. What is drawn is its output times the loss's slope
        there, which has the gradients of the loss at the neuron's weights, bias and inputs.
        """
        X, y = self.recipe.samples(self.training)
        loss = mse if self.recipe.classes is None else cross_entropy
        losses = list(map(loss, self.model.predict(X), y))
        sample = losses.index(max(losses))
        inputs = [Value(x, name) for x, name in zip(X[sample], self.recipe.inputs, strict=True)]
        first = outputs = self.model.layers[0](inputs)
        for layer in self.model.layers[1:]:
            outputs = layer(outputs if isinstance(outputs, list) else [outputs])
        loss(outputs, y[sample]).backward()
        neurons = first if isinstance(first, list) else [first]
        neuron = max(neurons, key=lambda output: abs(output.grad))
        part = neuron * neuron.grad
        part.label = "loss through the neuron"
        return draw(part, limit=60)


def learn(data: Dataset, options: argparse.Namespace) -> Learnt:
    """Split the data, train on one part, stop when the loss on another falls no more, and test.

    Trains by AdamW (Loshchilov & Hutter 2019), with a learning rate that falls to 0 as a cosine.
    """
    rest, test = split(data, options.test, options.seed)
    training, validation = split(rest, 0.2, options.seed)
    recipe = Recipe.fit(training)
    sizes = [*options.hidden, recipe.outputs]
    model = MLP(len(recipe.inputs), sizes, options.activation, seed=options.seed)
    steps = options.epochs * math.ceil(len(training.y) / options.batch_size)
    history = fit(
        model,
        *recipe.samples(training),
        mse if recipe.classes is None else cross_entropy,
        AdamW(model.parameters(), cosine(options.lr, steps), weight_decay=0.1),
        options.epochs,
        options.batch_size,
        validation=recipe.samples(validation) if validation.y else None,
        metric=None if recipe.classes is None else accuracy,
        patience=20,
        seed=options.seed,
        progress=sys.stderr.isatty(),
    )
    predicted = recipe.decode(model.predict(recipe.encode(test.X)))
    return Learnt(model, recipe, history, training, validation, test, predicted)


def _errors(predicted: list[float], y: list[float]) -> str:
    return f"RMSE {math.sqrt(mse(predicted, y)):.4g}, mean absolute {mae(predicted, y):.4g}"


def _load(path: Path) -> tuple[MLP, Recipe]:
    """Return the network and the recipe of a model file that `train` wrote."""
    problem = ""
    try:
        model = MLP.from_file(path)
        recipe = Recipe.from_json(read_model(path).get("recipe"))
        built = model.architecture()
        if (built["nin"], built["nouts"][-1]) != (len(recipe.inputs), recipe.outputs):
            problem = "the recipe for the data is not that of the network"
    except ValueError as error:
        problem = str(error).removeprefix(f"{path}: ")
    if problem:
        raise DataError(f"{path}: {problem}; train again with python -m nn train")
    return model, recipe


def _save(pictures: Pictures, folder: Path) -> None:
    """Draw the pictures that can be drawn here, and say what to install for the others."""
    missing: dict[str, list[str]] = {}
    for name, draw_picture in pictures.items():
        try:
            picture = draw_picture()
            save = picture.savefig if name.endswith(".png") else picture.save
            save(folder / name)
        except RuntimeError as error:
            missing.setdefault(str(error), []).append(name)
    for reason, names in missing.items():
        print(f"without {', '.join(names)}: {reason}")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; at the end its files take the place of an earlier run's in `folder`.

    If an error ends the block, nothing has changed.
    """
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        temporary = tempfile.TemporaryDirectory(prefix=".nn-", dir=nearest)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with -o"
        ) from None
    with temporary as name:
        new = Path(name)
        yield new
        folder.mkdir(parents=True, exist_ok=True)
        written = [file for file in FILES if (new / file).exists()]
        for file in FILES:
            if file in written:
                (new / file).replace(folder / file)
            else:
                (folder / file).unlink(missing_ok=True)
    print(f"see {folder}: {', '.join(written)}")


def _failure(message: str) -> int:
    print(f"nn: error: {' '.join(message.split())}", file=sys.stderr)
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
        "rows held out beside their true values, and the gradient graph of one neuron.",
    )
    command.set_defaults(command=train)
    option = command.add_argument
    option("data", type=Path, metavar="DATA.csv", help="a line of column names, then rows")
    option("--target", required=True, metavar="COLUMN", help="the column to learn")
    for name, use in (("--text", "to take as text even if numeric"), ("--drop", "to leave out")):
        described = f"a column {use}; may be repeated"
        option(name, action="append", default=[], metavar="COLUMN", help=described)
    for name, kind, default, metavar, help_ in (
        ("--hidden", _sizes, "16", "16,16", "neurons in each hidden layer, '' for none"),
        ("--activation", _activation, "tanh", "NAME", "what these compute of their sums"),
        ("--epochs", _whole, 100, "N", "passes over the rows at most"),
        ("--batch-size", _whole, 16, "N", "rows per step"),
        ("--lr", partial(_number, below=math.inf), 0.03, "X", "learning rate at first"),
        ("--test", partial(_number, below=1.0), 0.2, "SHARE", "share of the rows to test on"),
        ("--seed", int, 0, "N", "of the split, the weights and the batches"),
    ):
        described = f"{help_} (default: %(default)s)"
        option(name, type=kind, default=default, metavar=metavar, help=described)
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
    option("-o", dest="output", type=Path, default="runs", metavar="FOLDER", help="instead of runs")
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
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _number(text: str, below: float) -> float:
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
