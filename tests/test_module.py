import copy
import json
import math
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value
from nn import MLP, Layer, Module, Neuron, read_model
from nn.modelfile import write_whole


class Held(Module):
    """Holds whatever is given."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


def bits(number):
    return struct.pack("<d", number)


def names(module):
    return [name for name, _ in module.named_parameters()]


def test_parameters_come_weights_then_bias_neuron_by_neuron_layer_by_layer():
    model = MLP(2, [2, 1])
    expected = [
        parameter
        for layer in model.layers
        for neuron in layer.neurons
        for parameter in [*neuron.weights, neuron.bias]
    ]
    assert list(map(id, expected)) == list(map(id, model.parameters()))
    assert len(expected) == 9


def test_parameters_are_named_by_their_path():
    expected = [
        *("layers.0.neurons.0.weights.0", "layers.0.neurons.0.bias"),
        *("layers.0.neurons.1.weights.0", "layers.0.neurons.1.bias"),
        *(
            "layers.1.neurons.0.weights.0",
            "layers.1.neurons.0.weights.1",
            "layers.1.neurons.0.bias",
        ),
    ]
    assert expected == names(MLP(1, [2, 1]))


def test_parameters_are_found_through_modules_lists_tuples_and_dicts():
    a, b, c, d, e = map(Value, range(5))
    module = Held(
        first=a, text="no", number=3, pair=(b, [c]), table={"key": d, 7: None}, inner=Held(x=e)
    )
    assert names(module) == ["first", "pair.0", "pair.1.0", "table.key", "inner.x"]
    assert list(map(id, [a, b, c, d, e])) == list(map(id, module.parameters()))


def test_a_shared_parameter_is_listed_once_by_identity_under_its_first_name():
    shared, equal = Value(1.0), Value(1.0)
    module = Held(a=shared, b=[shared, equal], c=Held(d=shared))
    assert names(module) == ["a", "b.1"]


def test_computed_values_are_no_parameters():
    x = Value(2.0)
    assert names(Held(result=x * x, x=x)) == ["x"]


def test_cycles_between_modules_and_containers_end():
    inner, loop = Held(x=Value(1.0)), []
    outer = Held(inner=inner, loop=loop)
    inner.parent = outer
    loop.append(loop)
    assert names(outer) == ["inner.x"]


def test_nesting_has_no_depth_limit():
    module = Held(x=Value(1.0))
    for _ in range(3 * sys.getrecursionlimit()):
        module = Held(inner=module)
    assert len(module.parameters()) == 1
    while vars(module).get("inner"):  # taken apart level by level, as deletion itself recurses
        module = module.inner


def test_zero_grad_zeroes_every_gradient():
    model = MLP(2, [3, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 13


def test_state_dict_round_trips():
    one, other = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    assert one.state_dict() != other.state_dict()
    other.load_state_dict(one.state_dict())
    assert one.state_dict() == other.state_dict()


def test_load_state_dict_takes_any_real_number():
    module = Held(x=Value(0.0))
    module.load_state_dict({"x": 3})
    assert (float, 3.0) == (type(module.x.data), module.x.data)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("b"), ValueError, "missing b$"),
        (lambda s: s.update(c=1.0), ValueError, "unexpected c$"),
        (
            lambda s: s.update({f"c{i}": 1.0 for i in range(9)}),
            ValueError,
            "c0, c1, c2 and 6 more$",
        ),
        (lambda s: s.update(d=s.pop("a")), ValueError, "missing a; unexpected d$"),
        (lambda s: s.update(b="1.0"), TypeError, "^b must be a number, got '1.0'"),
        (lambda s: s.update(b=None), TypeError, "^b must be a number, got None"),
    ],
)
def test_load_state_dict_changes_nothing_if_something_is_wrong(change, error, message):
    module = Held(a=Value(1.0), b=Value(2.0))
    state = {"a": 10.0, "b": 20.0}
    change(state)
    with pytest.raises(error, match=message):
        module.load_state_dict(state)
    assert module.state_dict() == {"a": 1.0, "b": 2.0}


def test_what_is_no_state_or_no_list_of_samples_is_refused():
    with pytest.raises(TypeError, match=r"state must be numbers by name, .* got 3$"):
        Neuron(1).load_state_dict(3)
    with pytest.raises(TypeError, match="X must be a list or array of samples, got 3;"):
        Neuron(1).predict(3)


def test_two_parameters_of_one_name_are_an_error():
    module = Held(table={"1": Value(1.0), 1: Value(2.0)})
    with pytest.raises(ValueError, match=r"two parameters are named table\.1"):
        module.state_dict()


def test_deepcopy_and_pickle_keep_numbers_and_behaviour():
    model = MLP(2, [3, 1], activation="tanh")
    expected = model.predict([[0.5, -1.0]])
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert expected == twin.predict([[0.5, -1.0]])
        twin.parameters()[0].data += 1.0
        assert expected == model.predict([[0.5, -1.0]])


# predict and summary


def test_predict_gives_plain_floats_equal_to_the_forward_pass():
    X = [[0.5, -1.0], [2.0, 3.0]]
    one, three = MLP(2, [4, 1]), MLP(2, [4, 3])
    assert [one(x).data for x in X] == one.predict(X)
    assert [[v.data for v in three(x)] for x in X] == three.predict(X)
    assert {float} == {type(y) for y in one.predict(X)} | {type(v) for v in three.predict(X)[0]}


def test_predict_leaves_gradients_and_recording_as_they_were():
    model = MLP(1, [2, 1])
    model([1.0]).backward()
    before = [p.grad for p in model.parameters()]
    model.predict([[3.0]])
    assert before == [p.grad for p in model.parameters()]
    assert model([3.0]).primitive is not None


def test_predict_records_no_graph():
    made = []

    class Square(Held):
        def __call__(self, x):
            made.append(self.w * self.w * x)
            return made[-1]

    Square(w=Value(2.0)).predict([1.0, 3.0])
    assert [(v.data, v.primitive, v.edges) for v in made] == [(4.0, None, ()), (12.0, None, ())]


def test_predict_takes_a_numpy_array():
    import numpy as np

    model = MLP(2, [3, 2])
    X = np.array([[0.1, 0.2], [0.3, 0.4]])
    assert model.predict(X.tolist()) == model.predict(X)
    assert model.predict(X.tolist()) == model.predict(list(X))


def test_summary_counts_every_parameter_once():
    shared = Layer(2, 3)
    module = Held(one=shared, two=shared, three=[Neuron(3, activation="tanh")], scale=Value(1.0))
    expected = [
        ["layer", "shape", "activation", "parameters"],
        ["one", "2", "→", "3", "relu", "9"],
        ["three.0", "3", "→", "1", "tanh", "4"],
        ["scale", "1"],
        ["total", "14"],
    ]
    assert expected == [line.split() for line in module.summary().splitlines()]
    assert len(module.parameters()) == 14


def test_a_module_without_call_says_so():
    with pytest.raises(NotImplementedError, match="Held must define __call__"):
        Held().predict([1.0])


# The model file

floats = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=50, deadline=None)
@given(st.lists(floats, max_size=8))
def test_save_and_load_keep_every_float_to_the_last_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("model") / "model.json"
    written = Held(numbers=[Value(x) for x in numbers])
    read = Held(numbers=[Value(0.5) for _ in numbers])
    written.save(path)
    read.load(path)
    expected = [bits(math.nan if math.isnan(x) else x) for x in numbers]
    assert expected == [bits(p.data) for p in read.parameters()]


def test_the_file_is_the_documented_json(tmp_path):
    path = tmp_path / "model.json"
    Neuron(1, seed=1).save(path, recipe={"mean": [0.5]})
    contents = json.loads(path.read_text(encoding="utf-8"))
    assert list(contents) == ["format", "version", "architecture", "parameters", "recipe"]
    assert (contents["format"], contents["version"]) == ("glassgrad model", 1)
    assert contents["architecture"] == {"nin": 1, "activation": "relu"}
    assert contents["parameters"]["bias"] == "0x0.0p+0"
    assert contents["recipe"] == {"mean": [0.5]}


def test_read_model_gives_parameters_as_floats_and_all_the_rest(tmp_path):
    path = tmp_path / "model.json"
    model = MLP(2, [3, 1])
    model.save(path, classes=["a", "b"])
    contents = read_model(path)
    assert model.state_dict() == contents["parameters"]
    assert contents["classes"] == ["a", "b"]
    assert model.architecture() == contents["architecture"]


def test_an_extra_may_not_take_a_name_of_the_file(tmp_path):
    with pytest.raises(ValueError, match="keeps the name parameters for itself"):
        MLP(1, [1]).save(tmp_path / "model.json", parameters={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("extra", [object(), math.nan])
def test_what_json_cannot_hold_leaves_the_old_file(tmp_path, extra):
    path = tmp_path / "model.json"
    MLP(1, [1]).save(path)
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError), match="JSON"):
        MLP(1, [1], seed=5).save(path, extra=extra)
    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def good_contents():
    return {
        "format": "glassgrad model",
        "version": 1,
        "architecture": {"nin": 1, "activation": "relu"},
        "parameters": {"weights.0": "0x1.0000000000000p+0", "bias": "0x0.0p+0"},
    }


def test_the_contents_that_the_next_test_damages_are_good(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(good_contents()), encoding="utf-8")
    neuron = Neuron(1)
    neuron.load(path)
    assert neuron.state_dict() == {"weights.0": 1.0, "bias": 0.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("format"), "not a glassgrad model"),
        (lambda c: c.update(format="onnx"), "not a glassgrad model"),
        (lambda c: c.update(version=True), "version True of the format"),
        (lambda c: c.update(version=2), "version 2 of the format, .* reads version 1"),
        (lambda c: c.pop("parameters"), '"parameters" is missing'),
        (lambda c: c.update(architecture=[]), '"architecture" is missing or no JSON object'),
        (lambda c: c["architecture"].update(activation="tanh"), "activation is 'tanh' in the file"),
        (lambda c: c["architecture"].update(nin=2), "nin is 2 in the file and 1 in this model"),
        (lambda c: c["parameters"].pop("bias"), "missing bias"),
        (lambda c: c["parameters"].update(extra="0x0.0p+0"), "unexpected extra"),
        (lambda c: c["parameters"].update(bias="0.1"), "parameter bias is '0.1'"),
        (lambda c: c["parameters"].update(bias="0x1p99999"), "parameter bias is '0x1p99999'"),
        (lambda c: c["parameters"].update(bias="spam"), "parameter bias is 'spam'"),
        (lambda c: c["parameters"].update(bias=0.5), "parameter bias is 0.5"),
        (lambda c: c["parameters"].update(bias=None), "parameter bias is None"),
    ],
)
def test_a_damaged_file_changes_nothing_and_is_named_in_one_line(tmp_path, change, message):
    path = tmp_path / "model.json"
    contents = good_contents()
    change(contents)
    path.write_text(json.dumps(contents), encoding="utf-8")
    neuron = Neuron(1)
    before = neuron.state_dict()
    with pytest.raises(ValueError, match=message) as caught:
        neuron.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert before == neuron.state_dict()


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"null",
        b"\xff\xfe\x00",
        b"a,b\n1,2\n",
        b"[" * 100_000,
        b"\0" * 100,
        b'{"a": 1, "a": 2}',
    ],
)
def test_a_foreign_file_is_named_in_one_line(tmp_path, contents):
    path = tmp_path / "model.json"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match="not a glassgrad model") as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_every_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "model.json"
    MLP(1, [1]).save(path)
    whole = path.read_bytes().rstrip()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="not a glassgrad model, or damaged"):
            read_model(path)


def test_a_missing_file_is_an_oserror_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        MLP(1, [1]).load(tmp_path / "nowhere.json")


def test_an_unwritable_place_is_an_oserror_that_names_the_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        MLP(1, [1]).save(tmp_path / "nowhere" / "model.json")
    assert str(tmp_path / "nowhere" / "model.json") == caught.value.filename
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder") as caught:
        MLP(1, [1]).save(tmp_path / "folder")
    assert str(tmp_path / "folder") == caught.value.filename
    assert [tmp_path / "folder"] == list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path, monkeypatch, failing, error):
    path = tmp_path / "model.json"
    path.write_text("old", encoding="utf-8")

    def fail(*_arguments):
        raise error(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(error, match="No space left"):
        write_whole(path, "new")
    monkeypatch.undo()
    assert path.read_text(encoding="utf-8") == "old"
    assert [path] == list(tmp_path.iterdir())


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, Path(os.devnull), tmp_path):
        before = path.stat().st_mode
        with pytest.raises(OSError, match="not a regular file") as caught:
            write_whole(path, "new")
        assert (before, str(path)) == (path.stat().st_mode, caught.value.filename)
    assert [fifo] == list(tmp_path.iterdir())


def test_an_error_names_the_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    monkeypatch.setattr(os, "fsync", lambda _: os.rename(tmp_path / "none", path))  # noqa: PTH104
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, "new")
    assert str(caught.value) == f"[Errno 2] No such file or directory: '{path}'"


@pytest.mark.parametrize("permissions", [0o600, 0o644, 0o664])
def test_a_file_replaced_keeps_its_permissions(tmp_path, permissions):
    path = tmp_path / "model.json"
    path.write_text("old", encoding="utf-8")
    path.chmod(permissions)
    write_whole(path, "new")
    assert permissions == path.stat().st_mode & 0o777


def test_a_symbolic_link_stays_a_link_to_the_new_contents(tmp_path):
    path, link = tmp_path / "model.json", tmp_path / "link.json"
    path.write_text("old", encoding="utf-8")
    link.symlink_to(path)
    write_whole(link, "new")
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "new"


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("", encoding="utf-8")
    write_whole(tmp_path / "whole", "")
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "whole").stat().st_mode


# Being imported


def test_import_nn_loads_nothing_heavy():
    code = "import sys, nn; print(*{'numpy', 'tqdm', 'matplotlib', 'graphviz'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
