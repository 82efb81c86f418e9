import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from nn import __main__ as command
from nn import experiment, plots
from nn.datasets import Dataset, iris, measurements, read_csv
from nn.experiment import learn

IRIS = str(measurements._FOLDER / "iris.csv")
FLOWERS = ["train", IRIS, "--target", "species"]
QUICK = ["--hidden", "3", "--epochs", "2"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files():
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def write(name, text, encoding="utf-8"):
    Path(name).write_bytes(text.encode(encoding))
    return name


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "nn", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
    )


def cars(count=24):
    """Return the name of a table whose price is 2 doors, 3 more if red, and up to 0.4 by chance."""
    rows = [
        f"{('red', 'blue')[i % 2]},{2 + i % 3},{2 * (2 + i % 3) + 3 * (i % 2 == 0) + i % 5 / 10}"
        for i in range(count)
    ]
    return write("cars.csv", "\n".join(["colour,doors,price", *rows]) + "\n")


def fail(capsys, *arguments):
    """Run the command, which must end with status 2, and return its one line of complaint."""
    try:
        status = command.main(arguments)
    except SystemExit as exit_:
        status = exit_.code
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("nn: error: ")
    return err.removeprefix("nn: error: ").rstrip("\n")


# -- train


def test_iris_is_learnt_to_95_percent_test_accuracy_on_average():
    assert sum(learn(iris(), seed=seed).accuracy for seed in range(5)) / 5 >= 0.95


def test_the_command_learns_as_learn_does_by_default(capsys, monkeypatch):
    monkeypatch.setattr(experiment.Learnt, "pictures", lambda *_: {})
    assert command.main(FLOWERS) == 0
    assert learn(iris()).test_result() in capsys.readouterr().out


def test_train_writes_the_model_and_the_pictures_of_a_classifier():
    done = run(*FLOWERS, *QUICK)
    assert (done.returncode, done.stderr) == (0, "")
    assert "150 rows: 96 to train on, 24 to know when to stop, 30 to test on" in done.stdout
    assert "always 'setosa': 33.3%" in done.stdout
    assert (
        "see runs/iris: model.json, loss.png, confusion.png, graph.svg, report.html\n"
        in done.stdout
    )
    expected = ["confusion.png", "graph.svg", "loss.png", "model.json", "report.html"]
    assert list(files()) == [f"runs/iris/{name}" for name in expected]


def test_train_writes_the_model_and_the_pictures_of_a_regression(capsys):
    assert command.main(["train", cars(), "--target", "price", *QUICK, "-o", "a/b"]) == 0
    assert "test error of price: RMSE " in capsys.readouterr().out
    expected = ["graph.svg", "loss.png", "model.json", "prediction.png", "report.html"]
    assert list(files()) == [*(f"a/b/{name}" for name in expected), "cars.csv"]


def test_a_regression_beats_the_mean(capsys):
    assert command.main(["train", cars(60), "--target", "price"]) == 0
    out = capsys.readouterr().out
    learnt, baseline = (float(part.split(",")[0]) for part in out.split("RMSE ")[1:])
    assert learnt < baseline / 2


def test_errors_are_in_the_targets_own_unit(capsys):
    for unit in (1, 1000):
        rows = [f"{i % 7},{unit * (i % 7)}" for i in range(40)]
        write("data.csv", "\n".join(["x,y", *rows]))
        assert command.main(["train", "data.csv", "--target", "y", *QUICK]) == 0
    one, thousand = (
        [float(part.split(",")[0]) for part in line.split("RMSE ")[1:]]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("test error")
    )
    assert thousand == pytest.approx([1000 * error for error in one], rel=1e-3)


def test_a_run_is_the_same_to_the_last_bit_for_every_hash_seed():
    arguments = ["train", cars(), "--target", "colour", *QUICK, "-o"]
    for seed in ("1", "2"):
        assert run(*arguments, seed, PYTHONHASHSEED=seed).returncode == 0
    made = files()
    for name in ("model.json", "loss.png", "confusion.png", "graph.svg"):
        assert made[f"1/{name}"] == made[f"2/{name}"]


def test_numbers_named_as_text_are_classes(capsys):
    write("grades.csv", "x,grade\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    arguments = ["train", "grades.csv", "--target", "grade", "--text", "grade", *QUICK]
    assert command.main(arguments) == 0
    assert "test accuracy of grade" in capsys.readouterr().out


@pytest.mark.parametrize(("unit", "said"), [(1, True), (0.5, False)])
def test_few_whole_numbers_are_said_to_be_learnable_as_classes(unit, said):
    numbers = [[float(i)] for i in range(20)], [unit * (i % 2) for i in range(20)]
    summary = learn(Dataset(*numbers, ["x"], "grade"), hidden=[], epochs=1).summary()
    advice = "grade is one of 2 whole numbers: --text 'grade' would learn them as classes"
    assert said == (advice in summary.splitlines())


def test_a_result_no_better_than_the_simplest_guess_is_said_to_be_none():
    learnt = learn(iris(), hidden=[3], epochs=2)
    y = learnt.test.y
    for predicted, said in ((y, False), ([max(y)] * len(y), True)):
        result = replace(learnt, predicted=predicted).test_result()
        assert said == result.endswith("; no better than guessing")


def test_a_network_without_hidden_layer_is_linear(capsys):
    assert command.main([*FLOWERS, "--hidden", "", "--epochs", "2"]) == 0
    assert "network: 4-3 tanh, 15 parameters; 2 epochs" in capsys.readouterr().out


def test_a_second_run_leaves_nothing_of_the_first():
    arguments = ["train", cars(), *QUICK, "-o", "run", "--target"]
    assert command.main([*arguments, "price"]) == 0
    Path("run/notes.txt").write_text("mine", encoding="utf-8")
    assert command.main([*arguments, "colour"]) == 0
    expected = ["confusion.png", "graph.svg", "loss.png", "model.json", "notes.txt", "report.html"]
    assert sorted(path.name for path in Path("run").iterdir()) == expected


def test_files_that_no_run_wrote_stay():
    mine = {write(name, "mine"): b"mine" for name in ("prediction.png", "notes.txt")}
    assert command.main([*FLOWERS, *QUICK, "-o", "."]) == 0
    assert command.main([*FLOWERS, *QUICK, "-o", "."]) == 0
    after = files()
    assert {name: after[name] for name in mine} == mine
    assert json.loads(after["model.json"])["files"] == [
        *("model.json", "loss.png", "confusion.png", "graph.svg", "report.html")
    ]


@pytest.mark.parametrize(
    "name", ["model.json", "loss.png", "confusion.png", "graph.svg", "report.html"]
)
def test_a_file_that_no_run_wrote_is_not_replaced(capsys, monkeypatch, name):
    monkeypatch.setattr(command, "learn", lambda *_, **__: pytest.fail("trained"))
    before = {write(name, "mine"): b"mine"}
    message = fail(capsys, *FLOWERS, "-o", ".")
    assert message.startswith(f"{name}: exists, and no earlier run wrote it; move it away")
    assert files() == before


def test_a_model_file_that_lists_files_elsewhere_removes_none_of_them():
    assert command.main([*FLOWERS, *QUICK, "-o", "run"]) == 0
    write("notes.txt", "mine")
    contents = json.loads(Path("run/model.json").read_text(encoding="utf-8"))
    contents["files"] += ["../notes.txt", "..", "", 3]
    write("run/model.json", json.dumps(contents))
    assert command.main([*FLOWERS, *QUICK, "-o", "run"]) == 0
    assert files()["notes.txt"] == b"mine"


def test_the_graph_has_the_gradient_of_the_whole_loss():
    learnt = learn(iris(), hidden=[3], epochs=2)
    boxes = learnt.neuron_graph().picture.view.boxes
    nodes = {node.label: node.gradient for box in boxes for node in box.nodes}
    learnt.model.zero_grad()
    learnt._hardest()[1].backward()
    gradients = {name: p.grad for name, p in learnt.model.named_parameters() if name in nodes}
    assert len(gradients) == 5
    assert {name: nodes[name] for name in gradients} == pytest.approx(gradients, rel=1e-12)


@pytest.mark.parametrize("name", ["run", "a & b/ü #1"])
def test_the_last_line_is_the_address_of_the_report(capsys, name):
    assert command.main([*FLOWERS, *QUICK, "-o", name]) == 0
    *_, line = capsys.readouterr().out.splitlines()
    assert line == f"report: {Path(name, 'report.html').resolve().as_uri()}"
    page = Path(url2pathname(urlsplit(line.removeprefix("report: ")).path))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


# -- what is missing, and Ctrl-C


def test_without_matplotlib_one_line_says_what_to_install_and_the_rest_is_done(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "nn.picture", raising=False)
    assert command.main([*FLOWERS, *QUICK]) == 0
    advice = (
        "without loss.png, confusion.png: pictures need matplotlib: pip install 'glassgrad[plot]'"
    )
    assert capsys.readouterr().out.splitlines().count(advice) == 1
    names = ("graph.svg", "model.json", "report.html")
    assert list(files()) == [f"runs/iris/{name}" for name in names]


def test_without_a_layout_program_the_rest_is_done(capsys, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_DOT", "no-such-program")
    assert command.main([*FLOWERS, *QUICK]) == 0
    assert "without graph.svg: " in capsys.readouterr().out
    names = ("confusion.png", "loss.png", "model.json", "report.html")
    assert list(files()) == [f"runs/iris/{name}" for name in names]


@pytest.mark.parametrize("measured", [0, 3])
def test_ctrl_c_in_training_saves_the_model_so_far(capsys, monkeypatch, measured):
    calls = iter(range(measured))

    def metric(*_):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return 0.5

    monkeypatch.setattr(experiment, "accuracy", metric)
    assert command.main([*FLOWERS, "--hidden", "3"]) == 130
    assert "\ninterrupted: this is the model so far\n" in capsys.readouterr().out
    assert command.main(["predict", "runs/iris", IRIS]) == 0


def test_ctrl_c_outside_training_writes_nothing(capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(plots, "loss_curve", interrupt)
    assert command.main([*FLOWERS, *QUICK]) == 130
    assert "nn: interrupted; nothing was written" in capsys.readouterr().err
    assert files() == {}


# -- predict


def predictions(capsys, *arguments):
    assert command.main(["predict", *arguments]) == 0
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


def test_predict_gives_what_the_trained_network_gives(capsys):
    assert command.main(["train", cars(), "--target", "price", *QUICK]) == 0
    capsys.readouterr()
    data = read_csv("cars.csv", "price")
    learnt = learn(data, hidden=[3], epochs=2)
    outputs = learnt.model.predict(learnt.recipe.encode(data.X))
    expected = [["price"], *([repr(number)] for number in learnt.recipe.decode(outputs))]
    assert predictions(capsys, "runs/cars", "cars.csv") == expected


def test_predict_gives_the_most_probable_class_and_all_probabilities(capsys):
    assert command.main([*FLOWERS, "--epochs", "5"]) == 0
    capsys.readouterr()
    header, *rows = predictions(capsys, "runs/iris", IRIS)
    assert header == ["species", "P(setosa)", "P(versicolor)", "P(virginica)"]
    assert len(rows) == 150
    for name, *texts in rows:
        probabilities = list(map(float, texts))
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert probabilities[iris().classes.index(name)] == max(probabilities)


def test_predict_needs_neither_the_target_nor_the_order_of_columns(capsys):
    assert command.main(["train", cars(), "--target", "price", *QUICK]) == 0
    capsys.readouterr()
    expected = predictions(capsys, "runs/cars", "cars.csv")
    rows = csv.DictReader(Path("cars.csv").read_text(encoding="utf-8").splitlines())
    swapped = "".join(f"{row['doors']};;{row['colour']}\n" for row in rows)
    write("other.csv", "doors;remarks;colour\n" + swapped)
    assert predictions(capsys, "runs/cars", "other.csv") == expected


def test_predict_writes_the_same_to_a_file(capsys):
    assert command.main([*FLOWERS, *QUICK]) == 0
    capsys.readouterr()
    assert command.main(["predict", "runs/iris", IRIS]) == 0
    expected = capsys.readouterr().out
    assert command.main(["predict", "runs/iris", IRIS, "-o", "out.csv"]) == 0
    assert Path("out.csv").read_text(encoding="utf-8") == expected


def test_predict_ends_quietly_when_its_reader_does():
    assert run(*FLOWERS, *QUICK).returncode == 0
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "nn", "predict", "runs/iris", IRIS],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


# -- demo


def test_the_demo_learns_both_and_names_every_picture(capsys):
    assert command.main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "training accuracy: 100.0%" in out
    assert "see runs/iris: model.json, loss.png, confusion.png, graph.svg, report.html\n" in out
    assert "see runs/moons: model.json, loss.png, boundary.png, report.html\n" in out
    assert out.count(f"report: {Path('runs').resolve().as_uri()}/") == 2
    assert len(files()) == 9


# -- bad input: one line, status 2, nothing written

ROWS = "".join(f"{i},{i % 3},{'ab'[i % 2]}\n" for i in range(12))
DATA = "x,z,y\n" + ROWS

BAD_FILES = {
    "empty": ("", "data.csv: the file is empty"),
    "header only": ("x,z,y\n", "data.csv: there is no row below"),
    "ragged": (DATA + "1,2\n", "data.csv, line 14: 2 cells for 3 columns"),
    "missing": (DATA + "1,,a\n", "data.csv, line 14, column 'z': the value is missing"),
    "no number": (DATA + "1,b,a\n", "data.csv, line 14, column 'z': 'b' is not a number"),
    "nan": (DATA + "1,nan,a\n", "data.csv, line 14, column 'z': the value is missing ('nan')"),
    "twice": ("x,x,y\n" + ROWS, "data.csv, line 1: two columns are called 'x'"),
    "unknown": ("x,z,why\n" + ROWS, "no column 'y'; did you mean 'why'?"),
    "constant": ("x,y\n" + "1,a\n2,a\n" * 6, "data.csv, column 'y': the same in every row"),
    "one sample": (DATA + "\n1,2,c\n", "data.csv, column 'y': the class 'c' is in one row alone"),
    "huge": (
        "x,y\n" + "".join(f"{i},{i}e307\n" for i in range(12)),
        "data.csv, column 'y': numbers as large as 1.1e+308 have squares beyond the largest float",
    ),
    "few rows": (DATA[:42], "data.csv: 6 rows are too few"),
    "names": (
        "x,y\n" + "".join(f"name {i},{i % 4}\n" for i in range(12)),
        "data.csv, column 'x': 12 different texts in 12 rows are names",
    ),
    "quotes": (DATA + '"1,2,a\n', "data.csv, line 14: unexpected end of data"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused_in_one_line_before_anything_is_written(capsys, text, message):
    before = {write("data.csv", text): text.encode()}
    assert message in fail(capsys, "train", "data.csv", "--target", "y")
    assert files() == before


def test_a_file_that_is_missing_a_folder_or_not_utf_8_is_refused(capsys):
    assert fail(capsys, "train", "no.csv", "--target", "y").startswith("no.csv: No such file")
    Path("folder").mkdir()
    assert fail(capsys, "train", "folder", "--target", "y").startswith("folder: Is a directory")
    write("data.csv", DATA.replace("a", "ä"), "latin-1")
    assert "data.csv, line 2: byte 0xe4" in fail(capsys, "train", "data.csv", "--target", "y")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required"),
        (["train", "data.csv"], "the following arguments are required: --target"),
        ([*FLOWERS, "--hidden", "16,x"], "--hidden: '16,x' is no list of layer sizes"),
        ([*FLOWERS, "--hidden", "16,,4"], "--hidden: '16,,4' is no list of layer sizes"),
        ([*FLOWERS, "--hidden", "0"], "--hidden: '0' is no list of layer sizes"),
        ([*FLOWERS, "--activation", "rleu"], "unknown activation 'rleu', did you mean 'relu'"),
        ([*FLOWERS, "--epochs", "0"], "--epochs: '0' is no whole number"),
        ([*FLOWERS, "--batch-size", "9" * 400], "9999' is no whole number from 1 to 999999999"),
        ([*FLOWERS, "--batch-size", "1.5"], "--batch-size: '1.5' is no whole number"),
        ([*FLOWERS, "--lr", "-1"], "--lr: '-1' is no number greater than 0"),
        ([*FLOWERS, "--lr", "fast"], "--lr: 'fast' is no number greater than 0"),
        ([*FLOWERS, "--test", "1"], "--test: '1' is no number greater than 0 and less than 1"),
        ([*FLOWERS, "--seed", "x"], "--seed: invalid int value: 'x'"),
        ([*FLOWERS, "--drop", "sepal"], "there is no column 'sepal'; did you mean 'sepal_"),
        ([*FLOWERS, "--text", "petal"], "there is no column 'petal'; did you mean 'petal_"),
        ([*FLOWERS, "--drop", "species"], "'species' is the target"),
    ],
)
def test_a_bad_argument_is_refused_in_one_line(capsys, arguments, message):
    assert message in fail(capsys, *arguments)
    assert files() == {}


def test_a_folder_that_cannot_be_written_is_refused_before_training(capsys, monkeypatch):
    monkeypatch.setattr(command, "learn", lambda *_, **__: pytest.fail("trained"))
    write("taken", "")
    for folder in ("taken", "taken/below"):
        message = fail(capsys, *FLOWERS, "-o", folder)
        assert message.startswith(f"{folder}: cannot be written (Not a directory); choose another")
    assert files() == {"taken": b""}


def test_a_dangling_link_is_refused_before_training(capsys, monkeypatch):
    monkeypatch.setattr(command, "learn", lambda *_, **__: pytest.fail("trained"))
    Path("link").symlink_to("nowhere")
    message = fail(capsys, *FLOWERS, "-o", "link")
    assert message.startswith("link: cannot be written (No such file or directory); choose another")


def test_sigterm_in_training_leaves_nothing(monkeypatch):
    earlier = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(command, "learn", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit) as caught:
        command.main(FLOWERS)
    assert caught.value.code == 128 + signal.SIGTERM
    assert list(Path().iterdir()) == []
    assert earlier == signal.getsignal(signal.SIGTERM)


def test_a_batch_has_at_most_all_rows():
    whole, more = (learn(iris(), epochs=2, batch_size=size) for size in (96, 10**400))
    assert whole.history.loss == more.history.loss


def test_a_run_that_fails_leaves_the_earlier_one_as_it_was(capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert command.main([*FLOWERS, *QUICK]) == 0
    capsys.readouterr()
    before = files()
    monkeypatch.setattr(plots, "loss_curve", full)
    status = command.main([*FLOWERS, *QUICK, "--seed", "1"])
    expected = "nn: error: runs/iris: No space left on device; make room there\n"
    assert (status, capsys.readouterr().err) == (2, expected)
    assert files() == before
    assert [path.name for path in Path("runs/iris").iterdir() if path.is_dir()] == []


def test_training_that_diverges_is_one_line(capsys):
    message = fail(
        capsys, "train", cars(), "--target", "price", "--lr", "1e200", "--activation", "square"
    )
    assert message.startswith("training broke off in epoch ")
    assert "lower the learning rate" in message
    assert list(files()) == ["cars.csv"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The model file of a quick run."""
    folder = tmp_path_factory.mktemp("trained")
    assert command.main([*FLOWERS, *QUICK, "-o", str(folder)]) == 0
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


DAMAGES = {
    "no recipe": lambda model: model.pop("recipe"),
    "half a recipe": lambda model: model["recipe"].pop("target"),
    "another recipe": lambda model: model["recipe"]["features"].pop(),
    "no parameters": lambda model: model.pop("parameters"),
    "a missing parameter": lambda model: model["parameters"].pop("layers.0.neurons.0.bias"),
    "a decimal parameter": lambda model: model["parameters"].update({"layers.0.neurons.0.bias": 1}),
    "another version": lambda model: model.update(version=99),
    "a parameter that is nan": lambda model: model["parameters"].update(
        {"layers.0.neurons.0.bias": "nan"}
    ),
    "another number of classes": lambda model: model["recipe"]["target"]["categories"].pop(),
    "a name that is null": lambda model: model["recipe"]["features"][0].update(name=None),
    "another format": lambda model: model.update(format="pickle"),
    "another architecture": lambda model: model["architecture"].update(nin=5),
    "a foreign architecture": lambda model: model["architecture"].update(heads=8),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_or_foreign_model_is_refused_in_one_line(capsys, trained, damage):
    model = json.loads(json.dumps(trained))
    damage(model)
    write("model.json", json.dumps(model))
    message = fail(capsys, "predict", ".", IRIS, "-o", "out.csv")
    assert message.startswith("model.json: ")
    assert message.endswith("; train again with python -m nn train")
    assert list(files()) == ["model.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\0", "[" * 100_000])
def test_a_model_file_that_is_not_one_is_refused_in_one_line(capsys, text):
    write("model.json", text)
    assert fail(capsys, "predict", ".", IRIS).startswith("model.json: not a glassgrad model")


def test_a_folder_without_a_model_is_refused(capsys):
    assert fail(capsys, "predict", "runs/no", IRIS).startswith("runs/no/model.json: No such file")


def test_rows_that_do_not_suit_the_model_are_refused(capsys, trained):
    write("model.json", json.dumps(trained))
    header = "sepal_length,sepal_width,petal_length,petal_width\n"
    for text, message in (
        (header.replace("petal_width", "petal") + "1,2,3,4\n", "there is no column 'petal_width'"),
        (header + "1,2,3,4\n1,2,x,4\n", "line 3, column 'petal_length': 'x' is not a number"),
    ):
        write("data.csv", text)
        assert message in fail(capsys, "predict", ".", "data.csv", "-o", "out.csv")
        assert sorted(files()) == ["data.csv", "model.json"]


def test_predictions_that_cannot_be_written_are_refused(capsys, trained):
    write("model.json", json.dumps(trained))
    message = fail(capsys, "predict", ".", IRIS, "-o", "no/out.csv")
    assert message.startswith("no/out.csv: cannot be written (No such file or directory); choose")
    message = fail(capsys, "predict", ".", IRIS, "-o", os.devnull)
    assert message.startswith(f"{os.devnull}: cannot be written (not a regular file); choose")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_standard_output_is_named_in_one_line(trained):
    write("model.json", json.dumps(trained))
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nn", "predict", ".", IRIS],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    expected = (
        "nn: error: standard output: cannot be written (No space left on device); "
        "send it elsewhere\n"
    )
    assert (done.returncode, done.stderr) == (2, expected)


def test_the_command_ends_with_its_status():
    done = run("train", "no.csv", "--target", "y")
    expected = (
        "nn: error: no.csv: No such file or directory; check the path, and that you may use it\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)
