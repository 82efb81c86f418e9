"""The picture of a network holds every unit and every weight, or says what it leaves out."""

import math
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value
from autograd.draw import draw
from autograd.draw.network import network_of
from autograd.draw.palette import PALETTE
from autograd.draw.render import svg_of
from autograd.draw.text import printable
from nn import MLP, Layer, Neuron

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).parent / "golden"
COLOUR = {role: light for role, (light, _dark) in PALETTE.items()}
anything = st.floats()
numbers = st.floats(allow_nan=False)


def neuron(weights, bias=0.0, activation="tanh"):
    values = [Value(x) for x in weights]
    return SimpleNamespace(weights=values, bias=Value(bias), activation=activation)


def layer(*neurons):
    return SimpleNamespace(neurons=[*neurons])


def parts(network):
    """The parts of the picture by id: the words that each says, and its shapes."""
    groups = ET.fromstring(svg_of(network.dot(), network.sentences())).iter(f"{SVG}g")
    return {group.get("id"): group for group in groups}


def looks(network, what="edge"):
    """How each line, or each unit, looks in the DOT source, by id."""
    found = {}
    for line in network.dot().splitlines():
        look = dict(re.findall(r'(\w+)="?([^"\s\]]+)"?', line))
        if (" -- " in line) == (what == "edge") and "color" in look and "id" in look:
            found[look["id"]] = look
    return found


def words(network):
    """All words of the picture, without the markup."""
    svg = ET.fromstring(svg_of(network.dot(), network.sentences()))
    texts = [text.text or "" for text in svg.iter(f"{SVG}text")]
    return " ".join(" ".join(texts).split())


# What is drawn ------------------------------------------------------------------------------------


def test_every_unit_and_every_weight_of_a_small_network_is_drawn_once():
    model = MLP(2, [4, 4, 1])
    found = list(parts(network_of(model)))
    for i, (before, size) in enumerate(pairwise([2, 4, 4, 1]), start=1):
        for row in range(size):
            assert found.count(f"u{i}_{row}") == 1
            assert all(found.count(f"w{i}_{row}_{k}") == 1 for k in range(before))
    assert sum(name[0] == "u" for name in found) == 2 + 4 + 4 + 1
    assert sum(name[0] == "w" for name in found) == 2 * 4 + 4 * 4 + 4


def test_sentences_carry_every_parameter_by_its_name_with_its_number_and_gradient():
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    (model([0.5, -1.0]) ** 2).backward()
    said = "\n".join(network_of(model).sentences().values())
    for name, parameter in model.named_parameters():
        value, gradient = f"{parameter.data:.4g}", f"{parameter.grad:.4g}"
        shown = name if "weights" in name else name.replace(".bias", ", \\w+: bias")
        assert re.search(rf"^{shown} = {value}, gradient {gradient}$", said, re.MULTILINE)


def test_every_part_of_the_picture_has_a_sentence_and_every_sentence_a_part():
    for network in map(network_of, (MLP(2, [4, 4, 1]), MLP(40, [18, 3]), MLP(3, [2] * 12))):
        found, said = parts(network), network.sentences()
        extra = {name for name in said if name[0] == "n"}  # numbers, where there is room
        assert said.keys() - extra <= found.keys() <= said.keys()
        for name, group in found.items():
            assert group.find(f"{SVG}title").text == said[name]


def test_a_small_network_prints_every_number():
    network = network_of(MLP(2, [4, 4, 1]))
    printed = [
        group.find(f"{SVG}text").text for name, group in parts(network).items() if "n" in name
    ]
    numbers_ = [
        weight.value for layer in network.layers for u in layer.units for weight in u.weights
    ]
    assert sorted(map(float, printed)) == sorted(float(f"{x:.2g}") for x in numbers_)


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5))
@settings(max_examples=60)
def test_the_numbers_stand_apart(sizes):
    source = network_of(MLP(sizes[0], sizes[1:])).dot()
    spots = re.findall(r'id=nw(\d+)_\S+ pos="([-\d.]+),([-\d.]+)!"', source)
    for column in {column for column, _, _ in spots}:
        heights = sorted(float(y) for of, _, y in spots if of == column)
        assert all(b - a > 9.0 for a, b in pairwise(heights))


def test_units_stand_in_columns_by_layer_from_left_to_right():
    circles = {
        name: group.find(f"{SVG}ellipse").attrib
        for name, group in parts(network_of(MLP(2, [16, 5, 1]))).items()
        if name[0] == "u"
    }
    columns = [
        [spot for name, spot in circles.items() if name.startswith(f"u{i}_")] for i in range(4)
    ]
    xs = [{float(spot["cx"]) for spot in column} for column in columns]
    assert all(max(left) + 50 < min(right) for left, right in pairwise(xs))
    assert all(max(of) - min(of) < 0.02 for of in xs)  # as printed
    for column in columns:
        ys = [float(spot["cy"]) for spot in column]
        assert all(b - a > 2 * float(column[0]["ry"]) for a, b in pairwise(ys))


def test_below_each_column_stand_name_activation_and_shape():
    shown = words(network_of(MLP(2, [16, 1], activation="tanh")))
    assert "inputs 2 layers.0 tanh 2 → 16 layers.1 linear 16 → 1" in shown


def test_units_of_several_activations_are_a_layer_of_each():
    network = network_of(layer(neuron([1.0]), neuron([1.0], activation="relu"), neuron([1.0])))
    assert network.layers[0].activation == "tanh, relu"


def test_a_layer_or_a_neuron_alone_is_a_network():
    assert network_of(Layer(3, 5)).summary == "Layer 3-5: 8 units, 15 connections"
    assert network_of(Neuron(3)).summary == "Neuron 3-1: 4 units, 3 connections"
    names = [weight.name for weight in network_of(Neuron(2)).layers[0].units[0].weights]
    assert names == ["weights.0", "weights.1"]
    assert network_of(MLP(2, [3, 1]).layers[1]).layers[0].name == "layers.1"


def test_a_class_of_ones_own_with_the_same_attributes_is_a_network():
    class Gate:
        def __init__(self):
            self.layers = (layer(neuron([1.0, -1.0], 2.0, math.tanh)), layer(neuron([0.5])))

    network = network_of(Gate())
    assert network.title == "Gate 2-1-1"
    assert network.layers[0].activation == "tanh"
    said = network.sentences()
    assert said["w1_0_1"] == "layers.0.neurons.0.weights.1 = -1, no gradient yet"
    assert said["u1_0"] == "layers.0.neurons.0, tanh: bias = 2, no gradient yet"


def test_a_picture_stays_as_the_network_was_when_it_was_read():
    model = MLP(2, [2, 1])
    network = network_of(model)
    before = network.dot(), network.sentences(), network.table()
    for parameter in model.parameters():
        parameter.data, parameter.grad = 7.0, 1.0
    assert (network.dot(), network.sentences(), network.table()) == before


def test_the_table_has_a_line_for_every_layer_with_the_range_of_its_numbers():
    model = MLP(2, [2, 1], seed=3)
    lines = network_of(model).table().splitlines()
    assert lines[0].split()[:4] == ["layer", "activation", "shape", "weights"]
    for i, line in enumerate(lines[1:]):
        weights = [w.data for n in model.layers[i].neurons for w in n.weights]
        assert f"{min(weights):.4g} … {max(weights):.4g}" in line
        assert line.startswith(f"layers.{i}  {model.layers[i].activation}")


def test_draw_shows_a_network():
    model = MLP(2, [4, 4, 1])
    drawing = draw(model)
    assert repr(drawing) == "<Drawing of MLP 2-4-4-1: 11 units, 28 connections>"
    assert str(drawing) == network_of(model).table()
    assert draw(model, show="gradient").dot == network_of(model, "gradient").dot()


# Colour and width ---------------------------------------------------------------------------------


@given(st.lists(anything, min_size=1, max_size=8))
def test_colour_tells_the_sign(weights):
    found = looks(network_of(neuron(weights)))
    for k, weight in enumerate(weights):
        role = "positive" if weight > 0 else "negative" if weight < 0 else "line"
        role = "quiet" if math.isnan(weight) else role
        assert found[f"w1_0_{k}"]["color"].startswith(COLOUR[role])
        assert found[f"w1_0_{k}"]["style"] == ("solid" if weight else "dashed")


@given(st.lists(numbers, min_size=2, max_size=8))
def test_width_and_opacity_grow_with_magnitude(weights):
    found = looks(network_of(neuron(weights)))
    ordered = sorted(range(len(weights)), key=lambda k: abs(weights[k]))
    of = [found[f"w1_0_{k}"] for k in ordered]
    widths = [float(look["penwidth"]) for look in of]
    opacities = [int(look["color"][7:] or "0", 16) for look in of]
    assert widths == sorted(widths)
    assert opacities == sorted(opacities)


@given(st.lists(numbers, min_size=2, max_size=8))
def test_the_ring_of_a_unit_tells_its_bias(biases):
    network = network_of(layer(*(neuron([1.0], bias) for bias in biases)))
    found = looks(network, "node")
    ordered = sorted(range(len(biases)), key=lambda row: abs(biases[row]))
    widths = [float(found[f"u1_{row}"]["penwidth"]) for row in ordered]
    assert widths == sorted(widths)
    for row, bias in enumerate(biases):
        role = "positive" if bias > 0 else "negative" if bias < 0 else "line"
        assert found[f"u1_{row}"]["color"] == COLOUR[role]


def test_show_gradient_draws_gradients_for_weights():
    unit = neuron([1.0, 1.0, -1.0])
    for weight, gradient in zip(unit.weights, [-3.0, 0.0, 1.0], strict=True):
        weight.grad = gradient
    found = looks(network_of(unit, "gradient"))
    colours = [found[f"w1_0_{k}"]["color"][:7] for k in range(3)]
    assert colours == [COLOUR["negative"], COLOUR["line"], COLOUR["positive"]]
    assert found["w1_0_1"]["style"] == "dashed"
    assert words(network_of(unit, "gradient")).startswith("line gradient of a weight, positive or")


def test_gradients_that_were_never_computed_are_told_from_zero():
    model = MLP(2, [2, 1])
    never = network_of(model, "gradient")
    assert "no gradients yet: call backward()" in words(never)
    assert "dashed 0" not in words(never)
    assert {look["style"] for look in looks(never).values()} == {"dotted"}
    assert "no gradients yet" not in words(network_of(model))
    model.layers[0].neurons[0].bias.grad = 1e-300
    known = network_of(model, "gradient")
    assert "no gradients yet" not in words(known)
    assert "dashed 0" in words(known)
    assert {look["style"] for look in looks(known).values()} == {"dashed"}


def test_nan_and_infinity_are_drawn():
    network = network_of(neuron([math.nan, math.inf, -math.inf, 1.0], math.nan))
    shown = words(network)
    assert all(text in shown.split() for text in ("nan", "inf", "-inf", "1"))
    assert "the widest ±inf" in shown
    assert "grey nan" in shown
    widths = [looks(network)[f"w1_0_{k}"]["penwidth"] for k in range(4)]
    assert len({*widths}) == 1


# What is left out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[17, 1], [64, 32, 10], [3, 200], [1, 16, 17]], ids=str)
def test_a_large_network_says_what_it_leaves_out(sizes):
    network = network_of(MLP(sizes[0], sizes[1:]))
    found, shown = parts(network), words(network)
    units, lines = ([name for name in found if name[0] == kind] for kind in "uw")
    connections = sum(a * b for a, b in pairwise(sizes))
    said = f"{len(units)} of {sum(sizes)} units, {len(lines)} of {connections:,} connections drawn"
    assert said in shown
    for i, size in enumerate(sizes):
        drawn = [int(name.partition("_")[2]) for name in units if name.startswith(f"u{i}_")]
        assert drawn[0] == 0
        assert drawn[-1] == size - 1
        assert (f"{size - len(drawn)} more" in shown) == (len(drawn) < size)


def test_a_network_within_the_budget_leaves_out_nothing():
    network = network_of(MLP(16, [16] * 7))
    assert not network.omitted()
    assert "drawn" not in words(network)
    assert sum(name[0] == "w" for name in parts(network)) == network.connections


def test_of_a_deep_network_the_first_and_last_layers_are_drawn():
    network = network_of(MLP(3, [2] * 20))
    shown = words(network)
    assert network.title == "MLP 3-2-2-2-…-2-2-2"
    assert "14 more layers" in shown
    assert [i for i in range(20) if f"layers.{i} " in shown] == [0, 1, 2, 17, 18, 19]


@pytest.mark.parametrize("sizes", [[784, 128, 10], [200, 200], [17, 1], [1] * 300])
def test_a_picture_has_a_size_that_no_network_exceeds(sizes):
    network = network_of(MLP(sizes[0], sizes[1:]))
    assert len(network.units()) < 8 * 16
    assert len(network.lines()) < 7 * 16 * 16
    xs, ys = zip(*re.findall(r'pos="([-\d.]+),([-\d.]+)!"', network.dot()), strict=True)
    assert max(map(float, xs)) - min(map(float, xs)) < 500
    assert max(map(float, ys)) - min(map(float, ys)) < 400


# Hostile labels, same bytes, errors ---------------------------------------------------------------


@given(st.text(min_size=1), st.text(min_size=1))
@settings(max_examples=60, deadline=None)
def test_hostile_names_come_back_as_text(label, activation):
    unit = neuron([1.0, 2.0], activation=activation)
    unit.weights[1].label = unit.label = label
    held = layer(unit)
    held.label = label
    found = parts(network_of(SimpleNamespace(layers=[held])))
    titles = {name: group.find(f"{SVG}title").text for name, group in found.items()}
    assert titles["w1_0_1"] == f"{printable(label)} = 2, no gradient yet"
    assert titles["l1"] == f"{printable(label)}, {printable(activation)}, 2 → 1"
    assert titles["u1_0"].startswith(f"{printable(label)}, {printable(activation)}: ")


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"];}',
        r"\N\G\l",
        "&amp;",
        "<b>",
        "a|{b}",
        "🎉 שלום",
        "a\nb",
        ">",
    ],
)
def test_hostile_names_stand_below_their_column_as_text(name):
    held = layer(neuron([1.0], activation=name))
    held.label = name
    network = network_of(held)
    texts = [text.text for text in parts(network)["l1"].iter(f"{SVG}text")]
    assert texts == [printable(name), printable(name), "1 → 1"]
    assert "<script" not in svg_of(network.dot(), network.sentences())


def test_the_dot_source_is_the_golden_one():
    network = network_of(MLP(2, [4, 4, 1], activation="tanh", seed=0))
    assert network.dot() == (GOLDEN / "network_2_4_4_1.dot").read_text(encoding="utf-8")


def test_the_bytes_are_the_same_whatever_the_hash_seed():
    script = (
        "from autograd import draw; from nn import MLP; import sys;"
        "drawing = draw(MLP(20, [18, 3]));"
        "sys.stdout.buffer.write((drawing.dot + drawing.svg + str(drawing)).encode())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[1],
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize(
    "thing",
    [
        3.0,
        "model",
        None,
        [Value(1.0)],
        MLP,
        SimpleNamespace(layers=3),
        SimpleNamespace(layers=[]),
        SimpleNamespace(layers=[3]),
        SimpleNamespace(neurons=[SimpleNamespace()]),
        SimpleNamespace(weights=[1.0], bias=Value(1.0)),
        SimpleNamespace(weights=[Value(1.0)]),
        SimpleNamespace(weights=[], bias=Value(1.0)),
    ],
    ids=repr,
)
def test_what_is_no_network_is_refused_in_one_line(thing):
    with pytest.raises(TypeError, match=r"\Adraw: expected .*, got .*\Z"):
        network_of(thing)


def test_a_neuron_needs_one_weight_for_each_number_that_it_reads():
    ragged = layer(neuron([1.0, 2.0]), neuron([1.0]))
    message = "draw: expected 2 weights in neurons.1, one for each number that it reads, got 1"
    with pytest.raises(ValueError, match=message):
        network_of(ragged)
    with pytest.raises(ValueError, match=r"expected 1 weights in layers.1.neurons.0, .* got 2"):
        network_of(SimpleNamespace(layers=[layer(neuron([1.0])), layer(neuron([1.0, 2.0]))]))


@pytest.mark.parametrize("show", ["data", ("label", "gradient"), 3])
def test_show_is_weight_or_gradient(show):
    with pytest.raises(ValueError, match="expected 'weight' or 'gradient', got"):
        network_of(Neuron(2), show)


@pytest.mark.parametrize("options", [{"depth": 1}, {"fold": False}, {"rankdir": "TB"}])
def test_what_is_for_graphs_alone_is_refused(options):
    with pytest.raises(ValueError, match="depth, fold and rankdir are for the graph of a Value"):
        draw(MLP(2, [2, 1]), **options)
