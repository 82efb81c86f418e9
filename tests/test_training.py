import io
import itertools
import math
import random
import subprocess
import sys
from contextlib import redirect_stderr
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import nn.datasets
from autograd import Value, mean, no_grad
from nn import MLP, SGD, Adam, Epoch, History, Module, accuracy, cross_entropy, fit, hinge, mse
from nn.metrics import rmse

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]]
Y = [0.0, 1.0, 1.0, 0.0, 0.5]


class Line(Module):
    """y = slope x, of one parameter."""

    def __init__(self, slope=0.0):
        self.slope = Value(slope, "slope")

    def __call__(self, x):
        return self.slope * x


def numbers(model):
    return [p.data for p in model.parameters()]


def mean_loss(model, samples, targets, loss=mse):
    with no_grad():
        return mean([float(loss(model(x), t)) for x, t in zip(samples, targets, strict=True)])


def train(model, epochs=5, batch_size=2, lr=0.1, samples=X, targets=Y, **options):
    """Fit with SGD and mse, without a bar."""
    optimizer = SGD(model.parameters(), lr)
    return fit(
        model, samples, targets, mse, optimizer, epochs, batch_size, progress=False, **options
    )


# The gradient and the order of the samples


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.integers(1, 5), st.booleans())
def test_a_step_descends_the_mean_loss_of_its_batch_plus_the_penalty(seed, size, penalised):
    def penalty(model):
        return 0.1 * sum(p * p for p in model.parameters())

    twin, model = (MLP(2, [3, 1], activation="tanh", seed=seed) for _ in range(2))
    losses = [mse(twin(x), t) for x, t in zip(X[:size], Y[:size], strict=True)]
    total = mean(losses) + penalty(twin) if penalised else mean(losses)
    total.backward()
    expected = [p.data - 0.25 * p.grad for p in twin.parameters()]
    train(
        *(model, 1, size, 0.25, X[:size], Y[:size]),
        penalty=penalty if penalised else None,
        seed=seed,
    )
    assert expected == pytest.approx(numbers(model), rel=1e-12, abs=1e-15)


def test_a_smaller_batch_has_the_mean_over_its_own_samples():
    exact, larger = MLP(2, [3, 1]), MLP(2, [3, 1])
    train(exact, 3, batch_size=len(X))
    train(larger, 3, batch_size=100 * len(X))
    assert numbers(exact) == numbers(larger)


def test_every_epoch_visits_every_sample_once_in_batches_of_the_given_size():
    visited, sizes = [], []

    class Counting(SGD):
        def step(self):
            super().step()
            sizes.append(len(visited))

    def loss(prediction, target):
        visited.append(target)
        return mse(prediction, target)

    model = Line()
    targets = list(range(10))
    fit(model, targets, targets, loss, Counting([model.slope], 1e-3), 3, 4, progress=False)
    assert sizes == [4, 8, 10, 14, 18, 20, 24, 28, 30]
    orders = [visited[i : i + 10] for i in (0, 10, 20)]
    assert [targets] * 3 == [sorted(order) for order in orders]
    assert len({tuple(order) for order in [*orders, targets]}) == 4


def test_the_same_seed_trains_bit_for_bit_alike_and_another_otherwise():
    results = []
    for seed in (1, 1, 2):
        model = MLP(2, [3, 1])
        history = train(model, seed=seed)
        results.append((numbers(model), history.loss))
    assert results[0] == results[1] != results[2]


def test_training_is_the_same_for_every_hash_seed():
    code = """if True:
        from nn import MLP, Adam, fit, mse
        model = MLP(2, [4, 1], activation="tanh")
        X = [[0.1 * i, 0.2 * i] for i in range(9)]
        fit(model, X, range(9), mse, Adam(model.parameters(), 0.1), 3, 2, progress=False)
        print(*[p.data.hex() for p in model.parameters()])
    """
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": nn.__path__[0][: -len("/nn")]},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_training_leaves_the_global_generator_alone():
    before = random.getstate()
    train(MLP(2, [3, 1]))
    assert before == random.getstate()


def test_arrays_train_as_lists_do():
    import numpy as np

    one, other = MLP(2, [3, 2]), MLP(2, [3, 2])
    classes = [0, 1, 1, 0, 1]
    for model, samples, targets in ((one, X, classes), (other, np.array(X), np.array(classes))):
        optimizer = Adam(model.parameters(), 0.1)
        fit(model, samples, targets, cross_entropy, optimizer, 3, 2, progress=False)
    assert numbers(one) == numbers(other)


def test_the_model_may_be_any_function_of_the_optimizers_parameters():
    a, b = Value(0.0), Value(0.0)
    points = [0.0, 1.0, 2.0, 3.0]
    optimizer = SGD([a, b], 0.1)
    targets = [3 * x - 1 for x in points]
    fit(lambda x: a * x + b, points, targets, mse, optimizer, 400, 4, progress=False)
    assert pytest.approx([a.data, b.data], abs=1e-6) == [3.0, -1.0]


# History


def test_history_holds_a_number_for_each_epoch():
    history = train(
        MLP(2, [3, 1]), 4, validation=(X, Y), metric=lambda outputs, _targets: len(outputs)
    )
    assert (history.epochs, history.stopped, history.interrupted) == (4, "epochs", False)
    lengths = map(len, (history.loss, history.validation_loss))
    assert list(lengths) == [4, 4]
    assert (history.metric, history.validation_metric) == ([5.0] * 4, [5.0] * 4)
    assert history.seconds > 0.0


def test_history_is_empty_where_nothing_was_asked_for():
    history = train(MLP(2, [3, 1]), 2)
    assert (history.metric, history.validation_loss, history.validation_metric) == ([], [], [])


def test_the_first_full_batch_loss_is_that_of_the_untrained_model():
    model = MLP(2, [3, 1])
    expected = mean_loss(model, X, Y)
    assert expected == pytest.approx(train(model, 3, 5).loss[0], rel=1e-15)


def test_the_penalty_is_no_part_of_the_loss_reported():
    one, other = (train(MLP(2, [3, 1]), 1, 5), train(MLP(2, [3, 1]), 1, 5, penalty=huge_penalty))
    assert one.loss == other.loss


def huge_penalty(model):
    return 1e6 + 0.0 * sum(p * p for p in model.parameters())


def test_the_validation_loss_is_that_of_the_model_at_the_end_of_the_epoch():
    model = MLP(2, [3, 1])
    history = train(model, 3, validation=(X[:2], Y[:2]))
    assert mean_loss(model, X[:2], Y[:2]) == history.validation_loss[-1]


def test_validation_and_metric_do_not_change_training():
    one, other = MLP(2, [3, 1]), MLP(2, [3, 1])
    train(one)
    train(other, validation=(X, Y), metric=lambda *_both: 0.0)
    assert numbers(one) == numbers(other)


def test_the_metric_sees_each_output_with_its_own_target():
    seen = []

    def metric(outputs, targets):
        seen.extend(zip(outputs, targets, strict=True))
        return 0.0

    model = Line(2.0)
    train(model, 1, 2, 1e-300, [1.0, 2.0, 3.0], [10.0, 20.0, 30.0], metric=metric)
    assert sorted(seen) == [(2.0, 10.0), (4.0, 20.0), (6.0, 30.0)]


def test_no_epochs_is_an_empty_history():
    model = MLP(2, [3, 1])
    before = numbers(model)
    history = train(model, 0)
    assert (history.epochs, history.loss, history.stopped) == (0, [], "epochs")
    assert history.gradients == {}
    assert before == numbers(model)


def test_repr_of_a_history_is_one_short_line():
    history = History()
    assert repr(history) == "History(epochs=0, stopped='epochs', seconds=0, compiled=False)"
    history.records = [Epoch(0.5, validation_loss=0.25, gradients={"model": 1.0})]
    assert repr(history) == (
        "History(epochs=1, loss=0.5, validation_loss=0.25, stopped='epochs', seconds=0, "
        "compiled=False)"
    )


# The gradients


def test_the_history_has_the_root_mean_square_of_each_layers_last_gradient():
    model = MLP(2, [3, 2, 1])

    def penalty(model):
        return sum(p * p for p in model.parameters())

    for _ in range(3):
        history = train(model, 1, penalty=penalty)
        expected = {
            f"layers.{i}": [math.sqrt(mean([p.grad**2 for p in layer.parameters()]))]
            for i, layer in enumerate(model.layers)
        }
        assert history.gradients == {name: pytest.approx(x) for name, x in expected.items()}
    assert all(len(x) == 3 for x in train(model, 3).gradients.values())


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_are_named_as_the_modules_that_hold_the_parameters(compiled):
    class Net(Module):
        def __init__(self):
            self.hidden, self.parts = nn.Layer(2, 3), {"out": nn.Layer(3, 1)}
            self.scale = [Value(1.0)]

        def __call__(self, x):
            return self.parts["out"](self.hidden(x)) * self.scale[0]

    history = train(Net(), 2, compiled=compiled)
    assert list(history.gradients) == ["hidden", "parts.out", "model"]
    history = train(nn.Layer(2, 1), 2, compiled=compiled)
    assert list(history.gradients) == ["model"]
    model = MLP(2, [2, 1])
    optimizer = SGD(model.parameters(), 0.1)
    function = model.__call__
    history = fit(function, X, Y, mse, optimizer, 1, 2, progress=False, compiled=compiled)
    assert list(history.gradients) == ["layers.0", "layers.1"]


@pytest.mark.parametrize("slope", [1e-200, 1e200])
def test_gradients_whose_squares_overflow_or_vanish_keep_their_size(slope):
    line = Line(1.0)
    optimizer = SGD([line.slope], 1e-300)
    history = fit(
        line, [1.0], [slope], lambda p, t: p * t, optimizer, epochs=1, batch_size=1, progress=False
    )
    assert history.gradients == {"model": [slope]}


# Stopping early


def test_stop_below_ends_after_the_first_epoch_below():
    whole = train(Line(), 30, 1, 0.05, [1.0], [3.0])
    history = train(Line(), 30, 1, 0.05, [1.0], [3.0], stop_below=whole.loss[7])
    assert ("stop_below", whole.loss[:9]) == (history.stopped, history.loss)


def test_stop_below_watches_the_validation_loss_if_there_is_one():
    history = train(Line(), 9, 1, 0.05, [1.0], [3.0], validation=([1.0], [99.0]), stop_below=10.0)
    assert (history.stopped, history.epochs) == ("epochs", 9)
    history = train(Line(), 9, 1, 0.05, [1.0], [3.0], validation=([1.0], [0.0]), stop_below=10.0)
    assert (history.stopped, history.epochs) == ("stop_below", 1)


def test_patience_ends_and_puts_back_the_parameters_of_the_lowest_validation_loss():
    model = Line()  # rises towards 3 and passes the held-out optimum 1
    held_out = [1.0], [1.0]
    history = train(model, 50, 1, 0.05, [1.0], [3.0], validation=held_out, patience=4)
    lowest = min(history.validation_loss)
    assert (
        history.stopped,
        history.epochs - 1 - history.validation_loss.index(lowest),
    ) == ("patience", 4)
    assert lowest == mean_loss(model, *held_out)


def test_patience_without_validation_puts_back_the_parameters_of_the_lowest_training_loss():
    model = Line(1.0)  # a schedule that goes too far after the third step
    history = train(model, 50, 1, lambda step: 0.1 if step < 3 else 1.5, [1.0], [3.0], patience=2)
    lowest = min(history.loss)
    assert (history.stopped, history.loss.index(lowest), history.epochs) == ("patience", 3, 6)
    assert lowest == mean_loss(model, [1.0], [3.0])


def test_patience_starts_anew_at_every_new_lowest_loss():
    rates = itertools.cycle([0.1, 0.1, -0.05, 0.1])  # a step back in every four
    slopes = []

    class Wandering(SGD):
        def step(self):
            self.lr = abs(rate := next(rates))
            if rate < 0.0:
                self.parameters[0].grad *= -1.0
            super().step()
            slopes.append(self.parameters[0].data)

    model = Line()
    optimizer = Wandering([model.slope], 0.1)
    history = fit(model, [1.0], [3.0], mse, optimizer, 20, 1, patience=2, progress=False)
    assert (history.stopped, history.epochs) == ("epochs", 20)
    assert slopes[2] < slopes[1]


def test_a_loss_that_is_never_finite_counts_as_no_improvement():
    history = train(Line(), 9, 1, 0.05, [1.0], [3.0], validation=([1.0], [math.inf]), patience=3)
    assert (history.stopped, history.epochs) == ("patience", 3)


def test_a_history_tells_which_epoch_was_kept():
    rising = train(Line(), 9, 1, 0.05, [1.0], [3.0], validation=([1.0], [1.0]), patience=3)
    lowest = min(rising.validation_loss)
    assert rising.stopped == "patience"
    assert rising.validation_loss[rising.kept - 1] == lowest
    assert train(Line(), 3, 1, 0.05, [1.0], [3.0]).kept is None


# Ctrl-C


def interrupt_at_event(count, function):
    """Return the function's result, interrupted at the given line event of an epoch's functions."""
    left = [count]

    def trace(frame, event, _argument):
        if frame.f_code.co_name not in {
            "_train",
            "_step",
            "step",
            "_recorded",
            "_check_gradients",
            "mse",
        }:
            return trace if frame.f_code.co_filename.startswith(nn.__path__[0]) else None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        return function()
    finally:
        sys.settrace(outer)


def test_ctrl_c_on_any_line_of_an_epoch_leaves_the_parameters_between_two_steps():
    samples, targets, epochs = [1.0, 2.0, 3.0], [2.0, 4.0, 7.0], 2

    class Affine(Module):
        def __init__(self):
            self.a, self.b = Value(0.5), Value(0.0)

        def __call__(self, x):
            return self.a * x + self.b

    def run(observed=None):
        model = Affine()
        optimizer = Adam(model.parameters(), 0.1)
        if observed is not None:
            take = optimizer.step

            def step():
                take()
                observed.append(numbers(model))

            optimizer.step = step
        arguments = (model, samples, targets, mse, optimizer, epochs, 2)
        return model, lambda: fit(*arguments, progress=False)

    between = [[0.5, 0.0]]
    run(between)[1]()
    assert len(between) == 5
    ended, count = set(), 0
    while True:
        count += 1
        model, training = run()
        history = interrupt_at_event(count, training)
        assert numbers(model) in between
        if not history.interrupted:
            break
        assert ("interrupted", len(history.loss)) == (history.stopped, history.epochs)
        ended.add((history.epochs, between.index(numbers(model))))
    assert count > 50
    assert {(0, 0), (0, 1), (0, 2), (1, 2), (1, 3), (1, 4)} == ended


def test_ctrl_c_in_a_users_loss_or_metric_ends_training_too():
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    assert train(Line(), 3, 1, 0.1, [1.0], [3.0], metric=interrupt).interrupted
    model = Line()
    optimizer = SGD([model.slope], 0.1)
    history = fit(model, [1.0], [3.0], interrupt, optimizer, 3, 1, progress=False)
    assert (history.interrupted, history.epochs, model.slope.data) == (True, 0, 0.0)


# The progress bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def stderr_of_fit(stderr, metric):
    model = Line()
    optimizer = SGD([model.slope], 0.1)
    with redirect_stderr(stderr):
        fit(model, [1.0, 2.0], [3.0, 6.0], mse, optimizer, 3, 1, metric=metric)
    return stderr.getvalue()


def test_progress_shows_a_bar_with_loss_and_metric():
    last = stderr_of_fit(Terminal(), lambda *_both: 0.75).split("\r")[-1]
    assert "100%" in last
    assert "6/6" in last
    assert "epoch=3" in last
    assert "loss=" in last
    assert "metric=0.75" in last


def test_the_bar_calls_the_metric_by_its_name():
    def share_right(_outputs, _targets):
        return 0.75

    assert "share_right=0.75" in stderr_of_fit(Terminal(), share_right)


def test_a_bar_goes_to_terminals_and_notebooks_not_into_files_and_pipes(monkeypatch):
    assert stderr_of_fit(io.StringIO(), None) == ""
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert "100%" in stderr_of_fit(io.StringIO(), None)


def test_no_progress_prints_nothing_and_does_not_load_tqdm():
    code = """if True:
        import sys
        from nn import MLP, SGD, fit, mse
        model = MLP(1, [1])
        fit(model, [[1.0]], [3.0], mse, SGD(model.parameters(), 0.1), 3, 1, progress=False)
        assert "tqdm" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


# What is refused


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_names_epoch_batch_and_sample_and_takes_no_step(bad):
    model = Line(1.0)
    order = [0, 1, 2]
    Random(0).shuffle(order)
    first = order.index(0)
    with pytest.raises(
        FloatingPointError, match=rf"^epoch 1, batch {first + 1}, sample 0: loss is (nan|inf); "
    ):
        train(model, 5, 1, 1e-300, [bad, 1.0, 2.0], [1.0, 1.0, 2.0])
    assert model.slope.data == 1.0


def test_a_gradient_that_is_not_finite_names_the_parameter_and_takes_no_step():
    model = Line(0.0)
    optimizer = SGD([model.slope], 0.1)
    with pytest.raises(
        FloatingPointError, match=r"^epoch 1, batch 1: the gradient of slope is inf; "
    ):
        fit(model, [1.0], [1.0], lambda p, _t: p.sqrt(), optimizer, 1, 1, progress=False)
    assert model.slope.data == 0.0


def test_a_step_that_overflows_is_an_error_and_leaves_the_model_as_it_was():
    model = Line(1.0)
    optimizer = SGD([model.slope], 1e300)
    with pytest.raises(
        FloatingPointError, match=r"^epoch 1, batch 1: the update of slope overflows: "
    ):
        fit(model, [1e10], [2e30], mse, optimizer, 1, 1, progress=False)
    assert model.slope.data == 1.0


def test_a_validation_loss_that_is_nan_is_an_error():
    with pytest.raises(FloatingPointError, match=r"^epoch 1: the validation loss is nan"):
        train(Line(), 9, 1, 0.05, [1.0], [3.0], validation=([1.0], [math.nan]))


def test_a_dataset_may_be_what_is_trained_and_validated_on():
    data = nn.datasets.Dataset(X, Y, ["a", "b"], "y")
    pair, whole = (MLP(2, [3, 1]) for _ in range(2))
    expected = train(pair, validation=(X, Y)).validation_loss
    optimizer = SGD(whole.parameters(), 0.1)
    actual = fit(whole, *data, mse, optimizer, 5, 2, validation=data, progress=False)
    assert expected == actual.validation_loss


def test_a_loss_or_penalty_without_gradient_is_refused():
    model = Line(1.0)
    optimizer = SGD([model.slope], 0.1)
    with pytest.raises(TypeError, match=r"loss gave 0\.25, which carries no gradient"):
        fit(model, [1.0], [1.5], lambda p, t: (p.data - t) ** 2, optimizer, 1, 1, progress=False)
    with pytest.raises(TypeError, match="penalty gave 0, which carries no gradient"):
        fit(model, [1.0], [1.5], mse, optimizer, 1, 1, penalty=lambda _m: 0, progress=False)
    with no_grad(), pytest.raises(ValueError, match="made under no_grad"):
        fit(model, [1.0], [1.5], mse, optimizer, 1, 1, progress=False)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X": X[:3]}, ValueError, "X and y must be of one length, got 3 and 5"),
        ({"X": [], "y": []}, ValueError, "X and y are empty"),
        ({"epochs": -1}, ValueError, "epochs must be a whole number of at least 0, got -1"),
        ({"epochs": 1.5}, ValueError, "epochs must be a whole number of at least 0, got 1.5"),
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number of at least 1, got 0"),
        ({"batch_size": None}, ValueError, "batch_size must be a whole number"),
        ({"patience": 0}, ValueError, "patience must be a whole number of at least 1, got 0"),
        ({"validation": (X, Y[:1])}, ValueError, "validation X and validation y .* 5 and 1"),
        ({"validation": ([], [])}, ValueError, "validation X and validation y are empty"),
        ({"X": 3}, TypeError, "X must be a list or array of one entry per sample, got 3"),
        ({"y": None}, TypeError, "y must be a list or array of one entry per sample, got None"),
        ({"validation": X}, TypeError, r"validation must be the pair \(X, y\) .*, got \[\["),
        ({"stop_below": "0"}, TypeError, "stop_below must be a number, got '0'"),
        ({"loss": "mse"}, TypeError, r"loss must be a function, such as nn\.mse, got 'mse'"),
        ({"metric": "accuracy"}, TypeError, "metric must be a function, got 'accuracy'"),
        ({"penalty": 1e-4}, TypeError, "penalty must be a function, got 0.0001"),
        ({"X": nn.datasets.xor(5)}, TypeError, r"X must be .* got Dataset.* write \*dataset"),
        ({"optimizer": Adam}, TypeError, "optimizer must be one such as"),
        ({"optimizer": SGD([Value(1.0)], 0.1)}, ValueError, "no parameter of this model"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_done(change, error, message):
    model = MLP(2, [3, 1])
    before = numbers(model)
    arguments = {
        "model": model,
        "X": X,
        "y": Y,
        "loss": mse,
        "epochs": 1,
        "batch_size": 2,
        "optimizer": SGD(model.parameters(), 0.1),
        "progress": False,
    }
    with pytest.raises(error, match=message):
        fit(**{**arguments, **change})
    assert before == numbers(model)


# Accuracy


def test_accuracy_counts_the_largest_output_or_the_sign():
    assert accuracy([[1, 2], [2, 1], [0, 5], [3, 3]], [1, 0, 0, 0]) == 0.75
    assert accuracy([[1.0, 2.0], [2.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]) == 0.5
    assert accuracy([0.5, -0.5, 2.0, -1.0], [1, -1, -1, 0]) == 0.75


def test_an_output_that_is_no_number_is_never_right():
    assert accuracy([math.nan, math.nan], [0, 1]) == 0.0
    assert accuracy([[math.nan, 1.0], [1.0, math.nan]], [0, [1.0, 0.0]]) == 0.0


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1))
def test_rmse_is_the_root_of_mse_at_every_size(pairs):
    predicted, y = map(list, zip(*pairs, strict=True))
    assert math.sqrt(mse(predicted, y)) == pytest.approx(rmse(predicted, y), rel=1e-14, abs=1e-150)
    for size in (1e-200, 1e200):
        assert rmse([3.0 * size, 0.0], [0.0, 4.0 * size]) == pytest.approx(size * 12.5**0.5)


def test_accuracy_agrees_with_scikit_learn():
    import numpy as np
    from sklearn.metrics import accuracy_score

    generator = np.random.default_rng(0)
    outputs, targets = generator.normal(size=(50, 3)), generator.integers(0, 3, 50)
    expected = accuracy_score(targets, outputs.argmax(axis=1))
    assert expected == accuracy(outputs, targets)
    assert expected == accuracy(outputs.tolist(), targets.tolist())


def test_accuracy_refuses_lists_of_different_length_or_none():
    with pytest.raises(ValueError, match="outputs and targets must be of one length, got 1 and 2"):
        accuracy([0.5], [1, 0])
    with pytest.raises(ValueError, match="outputs and targets are empty"):
        accuracy([], [])
    with pytest.raises(TypeError, match=r"outputs must be a list or array .*, got 3"):
        accuracy(3, 4)


# The whole


def test_xor_is_learnt_with_each_loss():
    corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    for loss, targets, size in (
        (hinge, [-1, 1, 1, -1], 1),
        (nn.binary_cross_entropy, [0, 1, 1, 0], 1),
        (cross_entropy, [0, 1, 1, 0], 2),
    ):
        model = MLP(2, [8, size], activation="tanh")
        optimizer = Adam(model.parameters(), 0.05)
        fit(model, corners, targets, loss, optimizer, 200, 4, stop_below=0.01, progress=False)
        assert accuracy(model.predict(corners), targets) == 1.0
