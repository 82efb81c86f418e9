"""What benchmarks/robustness.py claims, with smaller counts, and what it once found broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import robustness
from corruption import model_text

from autograd import Value, detect_anomaly, no_grad
from nn import MLP
from nn import __main__ as command
from nn.arguments import plain, shown
from nn.datasets import DataError, read_csv
from nn.modelfile import ABANDONED

COUNTS = {
    robustness.deep_graphs: 5_000,
    robustness.threads_of_their_own: 30,
    robustness.threads_of_one_model: 10,
    robustness.threads_that_add: 100,
    robustness.interrupted_backward: 100,
    robustness.interrupted_fit: 20,
    robustness.interrupted_compiled_fit: 20,
    robustness.killed_saves: 6,
    robustness.full_disk: 20,
    robustness.corrupted_models: 300,
    robustness.corrupted_tables: 300,
    robustness.flat_memory: 2000,
    robustness.flat_memory_compiled: 1000,
    robustness.flat_memory_of_new_functions: 10,
}


@pytest.mark.skipif(sys.platform != "linux", reason="signals, limits and /proc are Linux's")
@pytest.mark.parametrize("claim", COUNTS, ids=lambda claim: claim.__name__)
def test_a_claim_holds(claim):
    """In a process of its own: other people's callbacks of the collector would swallow Ctrl-Cs."""
    code = f"import robustness; print(robustness.{claim.__name__}({COUNTS[claim]}))"
    environment = os.environ | {"PYTHONPATH": str(Path(robustness.__file__).parent)}
    call = [sys.executable, "-c", code]
    run = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


# Ctrl-C


def calls_of(work):
    """Which functions of Python are called meanwhile: an interrupt in one of these may be lost."""
    called = []
    sys.setprofile(lambda frame, event, _: event == "call" and called.append(frame.f_code.co_name))
    try:
        work()
    finally:
        sys.setprofile(None)
    return called


@pytest.mark.parametrize("kind", [no_grad, detect_anomaly])
def test_a_block_cut_short_ends_without_a_call_of_python(kind):
    blocks = [kind()]
    blocks[0].__enter__()
    assert calls_of(blocks.clear) == []
    a = Value(0.0)
    assert (a * 2.0).operands == (a, 2.0)
    a.log()


def test_a_watched_node_is_deleted_without_a_call_of_python():
    a = Value(2.0)
    with detect_anomaly():
        nodes = [a * a]
        assert calls_of(nodes.clear) == []
        for _ in range(10):
            (a * a).backward()


# Files that writers left behind


def test_what_a_killed_writer_left_is_removed_an_hour_later(tmp_path):
    old, new, elsewhere = (tmp_path / f".nn-{name}.part" for name in ("old", "new", "link"))
    kept = tmp_path / "kept"
    kept.mkdir()
    for folder in (old, kept):
        folder.mkdir(exist_ok=True)
        (folder / "model.json").touch()
    new.touch()
    elsewhere.symlink_to(kept)
    for path in (old, elsewhere):
        os.utime(path, (0.0, 0.0), follow_symlinks=False)
    MLP(1, [1]).save(tmp_path / "model.json")
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "kept", new.name}
    assert (kept / "model.json").exists()
    age = new.stat().st_mtime - ABANDONED - 1.0
    os.utime(new, (age, age))
    MLP(1, [1]).save(tmp_path / "model.json")
    assert not new.exists()


def table(folder, rows, name="data.csv"):
    path = folder / name
    path.write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows), encoding="utf-8")
    return path


def test_while_a_network_is_trained_nothing_lies_about(tmp_path, monkeypatch, capsys):
    found = []

    def looking(*_arguments, **_settings):
        found.extend(tmp_path.iterdir())
        raise MemoryError

    monkeypatch.setattr(command, "learn", looking)
    path = table(tmp_path, [(i, i % 3) for i in range(20)])
    assert command.main(["train", str(path), "--target", "b", "-o", str(tmp_path / "run")]) == 2
    assert found == [path]
    error = "nn: error: there is not enough memory for this; take fewer rows or columns\n"
    assert capsys.readouterr().err == error


# Damaged files


def test_sizes_that_fit_the_parameters_but_would_fill_the_memory_are_refused(tmp_path):
    path = tmp_path / "model.json"
    contents = json.loads(model_text())
    contents["architecture"]["nouts"] = sizes = [10**9, -5, -2]  # 5e9 + 2 - 5e9 - 5 + 8 - 2 ...
    assert (4 + 1) * sizes[0] + (sizes[0] + 1) * sizes[1] + (sizes[1] + 1) * sizes[2] == 3
    contents["parameters"] = dict.fromkeys("abc", "0x1.8000000000000p+0")
    path.write_text(json.dumps(contents), encoding="utf-8")
    with pytest.raises(ValueError, match="each size must be a whole number of at least 1, got -5"):
        MLP.from_file(path)


def test_a_name_that_stands_twice_is_found_among_very_many(tmp_path):
    path = tmp_path / "model.json"
    names = [*range(100_000), 99_999]
    path.write_text("{" + ",".join(f'"{name}": 0' for name in names) + "}", encoding="utf-8")
    with pytest.raises(ValueError, match="'99999' occurs twice in one object"):
        MLP.from_file(path)


@pytest.mark.parametrize("place", ["name", "categories"])
def test_text_that_cannot_be_written_is_no_recipe(tmp_path, capsys, place):
    path = tmp_path / "model.json"
    contents = json.loads(model_text())
    strange = {"name": "\ud800", "categories": ["\ud800", "b", "c"]}
    contents["recipe"]["target"][place] = strange[place]
    path.write_text(json.dumps(contents), encoding="utf-8")
    arguments = ["predict", str(tmp_path), str(robustness.IRIS), "-o", str(tmp_path / "out.csv")]
    assert command.main(arguments) == 2
    assert "the recipe for the data is missing or damaged" in capsys.readouterr().err


def test_an_error_is_one_short_line_whatever_a_cell_or_a_column_is_called(tmp_path):
    path = table(tmp_path, [("1", "2")] * 9 + [("9" * 9000 + "x", "\x1b[2J")])
    with pytest.raises(DataError) as cell:
        read_csv(path, "b")
    path.write_text("\x1b[2Jx,y\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError) as column:
        read_csv(path, "a" * 9000)
    for error in map(str, (cell.value, column.value)):
        assert error.isprintable()
        assert len(error) < len(str(path)) + 400
    assert r"Its columns are \x1b[2Jx, y" in str(column.value)


def test_what_is_shown_is_short_at_any_nesting():
    nested = "x" * 1000
    for _ in range(4):
        nested = [nested] * 6
    assert len(shown(nested)) <= 200
    assert plain("a\nb\ud800\x7f") == r"a\nb\ud800\x7f"


@pytest.mark.parametrize("column", ["a", "b"])
def test_more_texts_than_can_be_inputs_or_outputs_are_refused(tmp_path, capsys, column):
    rows = [(f"name {i // 2}", i % 3) for i in range(2200)]
    path = table(tmp_path, rows)
    assert command.main(["train", str(path), "--target", column, "-o", str(tmp_path / "run")]) == 2
    said = {"a": "1100 classes are too many to learn, 1000 the most", "b": "--drop 'a'"}
    assert said[column] in capsys.readouterr().err
