import math
import random
import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, dot, relu, tanh
from autograd.backward import graph
from nn import MLP, Layer, Module, Neuron
from nn.layers import RELU_KIN

ACTIVATIONS = [
    *("relu", "leaky_relu", "elu", "selu", "softplus", "sigmoid", "log_sigmoid", "silu", "gelu"),
    *("softsign", "hardtanh", "tanh", "sin", "exp", "square", "abs", "step", "atan"),
]
numbers = st.floats(-3, 3)


# What is computed


@settings(deadline=None)
@given(st.lists(numbers, min_size=3, max_size=3))
def test_a_neuron_is_its_activation_of_the_weighted_sum(xs):
    neuron = Neuron(3, activation="tanh", seed=4)
    neuron.bias.data = 0.5
    total = 0.5
    for weight, x in zip(neuron.weights, xs, strict=True):
        total += weight.data * x
    assert math.tanh(total) == pytest.approx(neuron(xs).data, rel=1e-15)


@settings(max_examples=20, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=2), st.integers(0, 9))
def test_an_mlp_is_its_layers_one_after_the_other(xs, seed):
    model = MLP(2, [3, 4, 2], activation="tanh", output="sigmoid", seed=seed)
    expected = xs
    for layer in model.layers:
        expected = [neuron(expected).data for neuron in layer.neurons]
    assert expected == [output.data for output in model(xs)]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_autograds_function_of_that_name(name):
    neuron = Neuron(2, activation=name)
    xs = [0.3, -0.2]
    expected = getattr(autograd, name)(dot(neuron.weights, xs, neuron.bias).data)
    assert expected == float(neuron(xs))


def test_a_function_is_an_activation():
    assert relu(-2.0) == Neuron(1, activation=relu)([0.0]).data
    neuron = Neuron(1, activation=lambda v: 3.0 * v + 1.0)
    assert neuron([0.0]).data == 1.0


def test_one_output_comes_as_a_number_and_several_as_a_list():
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert len(MLP(2, [3, 2])([1.0, 2.0])) == 2
    assert len(Layer(2, 2)([1.0, 2.0])) == 2


def test_hidden_layers_may_have_one_neuron():
    assert isinstance(MLP(2, [1, 1, 1])([1.0, 2.0]), Value)


def test_hidden_layers_take_the_activation_and_the_last_the_output():
    model = MLP(2, [3, 4, 1], activation="tanh", output="sigmoid")
    assert [layer.activation for layer in model.layers] == ["tanh", "tanh", "sigmoid"]
    assert [layer.activation for layer in MLP(2, [3, 1]).layers] == ["relu", "linear"]


# Its graph


def computed(root):
    return [node for node in graph(root) if node.primitive]


def test_a_neuron_is_two_nodes_and_a_linear_one_is_one():
    for activation, expected in (("tanh", ["dot", "tanh"]), ("linear", ["dot"])):
        root = Neuron(3, activation)([1.0, 2.0, 3.0])
        assert expected == [node.primitive.name for node in computed(root)]


def test_labels_are_dotted_names():
    model = MLP(2, [2, 1])
    for name, parameter in model.named_parameters():
        assert name == parameter.label
    hidden = "layers.0.neurons.0", "layers.0.neurons.1"
    expected = sorted([hidden[0]] * 2 + [hidden[1]] * 2 + ["layers.1.neurons.0"])
    assert expected == sorted(node.label for node in computed(model([Value(1.0), Value(2.0)])))


def test_labels_begin_at_the_module_that_labels():
    class Autoencoder(Module):
        def __init__(self):
            self.encoder, self.decoder = MLP(1, [1]), MLP(1, [1])

    model = Autoencoder()
    model.label_parameters()
    assert [name for name, _ in model.named_parameters()] == [p.label for p in model.parameters()]
    assert model.decoder([1.0]).label == "decoder.layers.0.neurons.0"


def test_an_activation_of_ones_own_keeps_the_labels_it_gave():
    constant, named = Value(1.0), Value(2.0, "named")
    for activation in (lambda _: constant, lambda _: named, lambda v: sqrt_called(v * v)):
        label = Layer(1, 1, activation)([1.0]).label
        assert label == {constant: "", named: "named"}.get(activation(named), "square root")


def sqrt_called(v):
    root = v.sqrt()
    root.label = "square root"
    return root


def test_the_gradient_reaches_every_parameter_and_input():
    model = MLP(2, [4, 1], activation="tanh")
    inputs = [Value(0.5), Value(-1.0)]
    model(inputs).backward()
    epsilon = 1e-6
    for leaf in [*model.parameters(), *inputs]:
        at = leaf.data
        leaf.data = at + epsilon
        above = model(inputs).data
        leaf.data = at - epsilon
        below = model(inputs).data
        leaf.data = at
        assert (above - below) / (2 * epsilon) == pytest.approx(leaf.grad, abs=1e-8)


# What may be given


@pytest.mark.parametrize("model", [Neuron(2, "tanh"), Layer(2, 1, "tanh"), MLP(2, [3, 1], "tanh")])
def test_inputs_of_every_kind_give_the_same(model):
    import numpy as np

    expected = model([1.0, 2.0]).data
    for inputs in (
        [1, 2],
        (1.0, 2.0),
        range(1, 3),
        [Value(1.0), Value(2.0)],
        [Value(1.0), 2],
        np.array([1.0, 2.0]),
        np.array([1, 2]),
        np.array([1.0, 2.0], dtype=np.float32),
        [np.float64(1.0), np.float32(2.0)],
        np.array([Value(1.0), Value(2.0)]),
    ):
        output = model(inputs)
        assert (float, expected) == (type(output.data), output.data)


@pytest.mark.parametrize("inputs", [[], [1.0], [1.0, 2.0, 3.0], (1.0,)])
def test_a_wrong_number_of_inputs_names_the_neuron(inputs):
    message = f"expected 2 inputs, got {len(inputs)}"
    with pytest.raises(ValueError, match=rf"^layers\.0\.neurons\.0: {message}$"):
        MLP(2, [3, 1])(inputs)
    with pytest.raises(ValueError, match=rf"^neurons\.0: {message}$"):
        Layer(2, 3)(inputs)
    with pytest.raises(ValueError, match=rf"^neuron: {message}$"):
        Neuron(2)(inputs)


@pytest.mark.parametrize("inputs", [3.0, 3, Value(3.0), None])
def test_a_bare_number_is_refused(inputs):
    for model, name in ((MLP(1, [1]), "layers.0"), (Layer(1, 1), "layer"), (Neuron(1), "neuron")):
        with pytest.raises(
            TypeError, match=rf"^{name}: expected a list of 1 inputs, got .*(3|None)"
        ):
            model(inputs)


def test_an_input_that_is_no_number_is_refused():
    with pytest.raises(
        TypeError, match=r"^layers\.0\.neurons\.0: inputs\[1\] must be a number, got 'two'$"
    ):
        MLP(2, [3, 1])([1.0, "two"])
    with pytest.raises(TypeError, match=r"^neuron: inputs\[0\] must be a number, got None$"):
        Neuron(2)([None, 1.0])


def test_an_unknown_activation_lists_what_is_known_and_the_closest():
    with pytest.raises(
        ValueError, match="unknown activation 'thanh', did you mean 'tanh'"
    ) as caught:
        MLP(2, [3, 1], activation="thanh")
    for name in (*ACTIVATIONS, "linear"):
        assert re.search(rf"\b{name}\b", str(caught.value))
    for name in ("Value", "dot", "softmax", "maximum", "no_grad", "where", "backward"):
        assert not re.search(rf"\b{name}\b", str(caught.value))
    with pytest.raises(ValueError, match="did you mean 'linear'"):
        Neuron(2, activation="Linear")
    with pytest.raises(ValueError, match="leave the output linear"):
        MLP(2, [3, 2], output="softmax")


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", None])
def test_sizes_are_positive_whole_numbers(size):
    for make, name in (
        (lambda: Neuron(size), "nin"),
        (lambda: Layer(size, 1), "nin"),
        (lambda: Layer(1, size), "nout"),
        (lambda: MLP(size, [1]), "nin"),
        (lambda: MLP(1, [size, 1]), "nout"),
    ):
        with pytest.raises(ValueError, match=rf"{name} must be a whole number of at least 1, got"):
            make()


@pytest.mark.parametrize(("nouts", "error"), [([], ValueError), (3, TypeError), ("16", TypeError)])
def test_nouts_is_a_list(nouts, error):
    with pytest.raises(error, match=r"nouts must list the neurons of each layer, .* got"):
        MLP(2, nouts)


# How it starts


def test_the_same_seed_gives_the_same_model_and_another_seed_another():
    assert MLP(2, [3, 1], seed=7).state_dict() == MLP(2, [3, 1], seed=7).state_dict()
    assert MLP(2, [3, 1], seed=7).state_dict() != MLP(2, [3, 1], seed=8).state_dict()


def test_a_generator_given_as_seed_is_drawn_from():
    generator = Random(7)
    first, second = MLP(2, [3, 1], seed=generator), MLP(2, [3, 1], seed=generator)
    assert MLP(2, [3, 1], seed=7).state_dict() == first.state_dict()
    assert first.state_dict() != second.state_dict()


def test_making_a_model_leaves_the_global_generator_alone():
    before = random.getstate()
    MLP(2, [3, 1])
    assert before == random.getstate()


@pytest.mark.parametrize("activation", ["relu", "silu", "tanh", "sigmoid", "selu", "linear"])
def test_weights_are_uniform_with_variance_scaled_to_fan_in_and_biases_are_zero(activation):
    nin = 4000
    neuron = Neuron(nin, activation)
    variance = (2.0 if activation in RELU_KIN else 1.0) / nin
    weights = [weight.data for weight in neuron.weights]
    # the sample variance of uniform numbers has relative standard deviation sqrt(0.8 / n) = 0.014
    assert variance == pytest.approx(sum(w * w for w in weights) / nin, rel=0.07)
    assert abs(sum(weights) / nin) < 5.0 * math.sqrt(variance / nin)
    assert 0.99 < max(map(abs, weights)) / math.sqrt(3.0 * variance) <= 1.0
    assert neuron.bias.data == 0.0


def test_a_deep_relu_net_neither_explodes_nor_vanishes_at_the_start():
    model = MLP(64, [64] * 12, output="relu")
    generator = Random(1)
    outputs = model.predict([[generator.gauss(0.0, 1.0) for _ in range(64)] for _ in range(5)])
    mean_square = sum(v * v for output in outputs for v in output) / (5 * 64)
    assert 0.05 < mean_square < 20.0  # 2^-12 with variance 1 / nin, 2^12 with 4 / nin


# How it shows itself


def test_repr_is_short_and_builds_the_same_architecture():
    for module in (Neuron(2), Layer(2, 3, "tanh"), MLP(2, [16, 1], activation="tanh")):
        assert repr(module) == repr(eval(repr(module)))
    assert repr(MLP(2, [16, 1])) == "MLP(nin=2, nouts=[16, 1], activation='relu', output='linear')"


def test_a_function_as_activation_shows_its_name():
    def bump(x):
        return autograd.exp(-x * x)

    assert [tanh.name, "bump"] == [Neuron(1, function).activation for function in (tanh, bump)]


def test_a_function_of_ones_own_is_never_taken_for_autograds(tmp_path):
    def tanh(v):
        return 2 * v

    def linear(v):
        return 3 * v

    for function in (tanh, linear):
        MLP(2, [1], output=function).save(tmp_path / "model.json")
        with pytest.raises(ValueError, match=f"unknown activation 'custom {function.__name__}'"):
            MLP.from_file(tmp_path / "model.json")
    MLP(2, [1], output=autograd.tanh).save(tmp_path / "model.json")
    assert MLP.from_file(tmp_path / "model.json").layers[-1].activation == "tanh"


# From a file


def test_from_file_rebuilds_the_model(tmp_path):
    path = tmp_path / "model.json"
    model = MLP(2, [3, 2], activation="silu", output="tanh", seed=3)
    model.save(path)
    twin = MLP.from_file(path)
    assert repr(model) == repr(twin)
    assert model.state_dict() == twin.state_dict()
    assert model.predict([[0.1, 0.2]]) == twin.predict([[0.1, 0.2]])


def test_from_file_refuses_what_is_no_mlp_in_one_line(tmp_path):
    path = tmp_path / "model.json"

    class Foreign(Module):
        def architecture(self):
            return {"nin": 2, "nouts": [10**12, 1]}

    for model in (Neuron(2), MLP(2, [1], output=lambda v: v), Foreign(), Module()):
        model.save(path)
        with pytest.raises(ValueError, match="describes no MLP") as caught:
            MLP.from_file(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


# micrograd's demo, only its import lines changed (karpathy/micrograd, demo.ipynb)


def test_micrograds_demo_runs_unchanged_and_reaches_100_percent():
    import numpy as np
    from sklearn.datasets import make_moons

    X, y = make_moons(n_samples=100, noise=0.1, random_state=1)
    y = y * 2 - 1
    model = MLP(2, [16, 16, 1])

    def loss(batch_size=None):
        if batch_size is None:
            Xb, yb = X, y
        else:
            ri = np.random.permutation(X.shape[0])[:batch_size]  # noqa: NPY002
            Xb, yb = X[ri], y[ri]
        inputs = [list(map(Value, xrow)) for xrow in Xb]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(yb, scores)]  # noqa: B905
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(yb, scores)]  # noqa: B905
        return total_loss, sum(accuracy) / len(accuracy)

    for k in range(100):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
    assert acc == 1.0
