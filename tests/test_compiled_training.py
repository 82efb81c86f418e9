"""fit in machine code: what the engine does, but for rounding; and when the engine does it."""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys

import numpy as np
import pytest

import nn
import nn.experiment
from autograd import Value, detect_anomaly, dot, jit, log_softmax, sqrt, where
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Module,
    accuracy,
    cosine,
    cross_entropy,
    fit,
    hinge,
    huber,
    mse,
    step_decay,
    warmup,
)
from nn.datasets import iris
from nn.optim import Optimizer

random_ = random.Random(0)
X = [[random_.gauss(0.0, 1.0) for _ in range(3)] for _ in range(22)]
SUMS = [math.sin(a) + 0.5 * b * c for a, b, c in X]
PAIRS = [[a * b, b - c] for a, b, c in X]
CLASSES = [(a > 0.0) + (b > 0.3) for a, b, _ in X]
SIGNS = [1 if a * b > 0.0 else -1 for a, b, _ in X]


def numbers(model):
    return [p.data for p in model.parameters()]


def gradients(optimizer):
    return [p.grad for p in optimizer.parameters]


def adam(parameters):
    return Adam(parameters, 0.01)


def trained(compiled, make=lambda: MLP(3, [5, 1], "tanh"), rule=adam, data=(X, SUMS), **changes):
    """Train; return model, optimizer and history."""
    settings = {"loss": mse, "epochs": 10, "batch_size": 4, "progress": False, **changes}
    model = make()
    optimizer = rule(model.parameters())
    history = fit(model, *data, optimizer=optimizer, compiled=compiled, **settings)
    return model, optimizer, history


def close(actual, expected, rel=1e-9):
    return actual == pytest.approx(expected, rel=rel, abs=1e-12)


def assert_alike(**settings):
    """Check that machine code does what the engine does; return the history."""
    model, optimizer, history = trained(True, **settings)
    twin, peer, expected = trained(False, **settings)
    assert (history.compiled, history.reason) == (True, "")
    assert (expected.compiled, expected.reason) == (False, "compiled=False")
    for name in ("loss", "metric", "validation_loss", "validation_metric"):
        assert close(getattr(history, name), getattr(expected, name)), name
    assert list(history.gradients) == list(expected.gradients)
    for layer, sizes in history.gradients.items():
        assert close(sizes, expected.gradients[layer]), layer
    assert (history.stopped, history.kept) == (expected.stopped, expected.kept)
    assert close(numbers(model), numbers(twin))
    assert close(gradients(optimizer), gradients(peer), rel=1e-7)
    assert optimizer.steps == peer.steps
    assert close(
        np.array(optimizer.memory).ravel().tolist(), np.array(peer.memory).ravel().tolist()
    )
    assert all(type(kept) is tuple and {*map(type, kept)} <= {float} for kept in optimizer.memory)
    assert {*map(type, numbers(model) + gradients(optimizer))} == {float}
    return history


# The same as the engine


@pytest.mark.parametrize(
    "rule",
    [
        lambda p: SGD(p, 0.05),
        lambda p: SGD(p, 0.05, momentum=0.9, weight_decay=0.01),
        lambda p: SGD(p, 0.05, momentum=0.9, nesterov=True),
        lambda p: Adam(p, 0.01, weight_decay=0.1),
        lambda p: AdamW(p, 0.01, betas=(0.8, 0.95), weight_decay=0.3),
        lambda p: Adam(p, cosine(0.02, 60)),
        lambda p: SGD(p, warmup(step_decay(0.05, 0.5, 7), 5)),
    ],
    ids=["sgd", "momentum", "nesterov", "adam", "adamw", "cosine", "warmup"],
)
def test_every_rule_and_schedule(rule):
    assert_alike(rule=rule)


@pytest.mark.parametrize(
    ("outputs", "loss", "targets"),
    [
        (1, huber, SUMS),
        (1, hinge, SIGNS),
        (2, mse, PAIRS),
        (3, cross_entropy, CLASSES),
        (3, cross_entropy, [[0.8 if i == c else 0.1 for i in range(3)] for c in CLASSES]),
        (3, lambda scores, c: 2.0 * cross_entropy(scores, c), CLASSES),
        (1, nn.binary_cross_entropy, [float(sign > 0) for sign in SIGNS]),
    ],
    ids=["huber", "hinge", "lists", "classes", "probabilities", "wrapped", "binary"],
)
def test_every_kind_of_target(outputs, loss, targets):
    def metric(outputs, targets):
        assert {*map(type, outputs)} <= {float, list}
        return accuracy(outputs, targets) if loss is not mse else outputs[0][1] + outputs[-1][0]

    history = assert_alike(
        make=lambda: MLP(3, [6, outputs]), loss=loss, data=(X, targets), metric=metric
    )
    assert len(history.metric) == 10


def test_penalty_validation_and_metric():
    def penalty(model):
        return 1e-2 * dot(model.parameters(), model.parameters())

    history = assert_alike(
        data=(X[:15], SUMS[:15]),
        validation=(X[15:], SUMS[15:]),
        penalty=penalty,
        metric=nn.metrics.rmse,
        batch_size=7,
    )
    assert len(history.validation_loss) == 10


def test_validation_of_classes():
    assert_alike(
        make=lambda: MLP(3, [4, 3]),
        data=(X[:15], CLASSES[:15]),
        loss=cross_entropy,
        validation=(X[15:], CLASSES[15:]),
        metric=accuracy,
    )


def test_stop_below_and_patience():
    whole = trained(False)[2]
    history = assert_alike(stop_below=whole.loss[6] * 1.001)
    assert history.epochs == 7
    rising = {"data": (X[:9], SUMS[:9]), "validation": (X[9:], [0.0] * 13), "patience": 2}
    history = assert_alike(**rising, epochs=60, rule=lambda p: Adam(p, 0.05))
    assert history.stopped == "patience"
    history = assert_alike(patience=2, epochs=40, rule=lambda p: SGD(p, 0.9))
    assert history.stopped == "patience"


@pytest.mark.parametrize("batch_size", [1, 5, 21, 22, 99])
def test_every_size_of_batch(batch_size):
    assert_alike(batch_size=batch_size)


def test_one_sample_that_is_a_number():
    class Line(Module):
        def __init__(self):
            self.slope = Value(0.5, "slope")

        def __call__(self, x):
            return self.slope * x

    assert_alike(make=Line, data=([2.0], [3]), rule=lambda p: SGD(p, 0.01))


@pytest.mark.parametrize(
    "kind", [np.array, lambda x: [*map(np.array, x)], lambda x: [*map(tuple, x)]]
)
def test_samples_may_be_arrays_or_tuples(kind):
    assert_alike(data=(kind(X), SUMS))
    kinds = set()

    class Noting(MLP):
        def __call__(self, x):
            kinds.add(type(x))
            return super().__call__(x)

    trained(True, make=lambda: Noting(3, [2, 1]), data=(kind(X), SUMS), epochs=2)
    assert len(kinds) == 1


def test_nested_samples():
    class Pooling(MLP):
        def __call__(self, rows):
            return super().__call__([sum(column) for column in zip(*rows, strict=True)])

    assert_alike(make=lambda: Pooling(3, [1]), data=([[x, x] for x in X], SUMS))


def test_parameters_of_the_model_that_the_optimizer_lacks_stay_and_others_of_its_own_decay():
    extra = []

    def rule(parameters):
        extra.append(Value(1.0))
        return AdamW([*parameters[:-3], extra[-1]], 0.01)

    assert_alike(rule=rule)
    assert extra[0].data == pytest.approx(extra[1].data, rel=1e-9)
    assert extra[0].data < 1.0


def test_a_function_is_a_model_and_training_goes_on_where_it_ended():
    def line(x):
        return w[0] * x + w[1]

    found = []
    for compiled in (True, False):
        w = [Value(0.1, "a"), Value(-0.2, "b")]
        optimizer = Adam(w, 0.05)
        for _ in range(2):
            data = [x[0] for x in X], SUMS
            history = fit(*(line, *data, mse, optimizer, 3, 4), progress=False, compiled=compiled)
        found.append([*history.loss, *(p.data for p in w)])
        assert optimizer.steps == 36
    assert close(*found)


def test_an_optimizer_of_the_users_own():
    class Sign(Optimizer):
        memory_least = ()

        @staticmethod
        def rule(parameter, gradient, lr, step):
            return (parameter - lr * gradient / sqrt(step + gradient * gradient),)

        def hyperparameters(self, lr):
            return lr, self.steps + 1

    assert_alike(rule=lambda p: Sign(p, 0.05))


def test_what_changes_between_epochs_counts():
    model = MLP(3, [3, 1])
    optimizer = SGD(model.parameters(), 0.1)

    def metric(_outputs, _targets):
        optimizer.lr = 1e-3
        for p in model.parameters():
            p.data = 0.5
        return 0.0

    fit(model, X, SUMS, mse, optimizer, 2, 4, metric=metric, progress=False, compiled=True)
    assert {*numbers(model)} == {0.5}


def test_python_runs_it_where_llvm_has_no_target(monkeypatch):
    from autograd.compiler import specialization
    from autograd.compiler.interpret import Interpreted

    monkeypatch.setattr(specialization, "_kernel", Interpreted)
    assert_alike(epochs=3, validation=(X, SUMS))


# Errors


def errors(**settings):
    found = []
    for compiled in (True, False):
        model = MLP(3, [2, 1], "tanh", seed=3)
        model.label_parameters()
        optimizer = settings.get("rule", adam)(model.parameters())
        data = settings.get("data", (X, SUMS))
        loss = settings.get("loss", mse)
        with pytest.raises(Exception) as caught:  # noqa: PT011  whichever the engine raises
            fit(model, *data, loss, optimizer, 5, 4, progress=False, compiled=compiled)
        found.append((str(caught.value), numbers(model), optimizer.steps))
    assert found[0][0] == found[1][0]
    assert close(found[0][1], found[1][1])
    assert found[0][2] == found[1][2]
    return found[0][0]


def test_what_is_not_finite_is_the_same_error_and_takes_no_step():
    targets = [*SUMS[:-1], math.inf]
    assert "loss is inf; lower" in errors(data=(X, targets))
    samples = [*X[:-1], [math.nan, 0.0, 0.0]]
    assert "loss is nan; lower" in errors(data=(samples, SUMS))
    assert "epoch 1, batch 1, " in errors(data=(X, [math.inf] * len(X)))
    rule = {"rule": lambda p: SGD(p, lambda step: 0.1 if step < 9 else 1.7e308)}
    assert "overflows: " in errors(**rule, data=(X, [100.0 * y for y in SUMS]))
    steep = {"loss": lambda p, t: where(t > 100.0, sqrt(p - p) + p * p, mse(p, t))}
    assert "the gradient of " in errors(**steep, data=(X, [*SUMS[:-1], 101.0]))


def test_a_schedule_that_fails_does_so_at_its_step():
    def schedule(step):
        return 0.1 if step < 9 else -1.0

    assert "lr(9) must be a number" in errors(rule=lambda p: SGD(p, schedule))


def test_ctrl_c_ends_training_between_epochs():
    def interrupted(_outputs, _targets):
        if optimizer.steps == 12:
            raise KeyboardInterrupt
        return 0.0

    model = MLP(3, [2, 1])
    optimizer = adam(model.parameters())
    history = fit(
        *(model, X, SUMS, mse, optimizer, 9, 4), metric=interrupted, progress=False, compiled=True
    )
    assert (history.stopped, history.epochs, optimizer.steps) == ("interrupted", 1, 12)
    twin, *_ = trained(False, make=lambda: MLP(3, [2, 1]), epochs=2)
    assert close(numbers(model), numbers(twin))


def test_ctrl_c_within_an_epoch_leaves_what_the_last_one_left(monkeypatch):
    from autograd.compiler.run import Compiled

    descend = Compiled.descend

    def interrupted(self, *arguments):
        found = descend(self, *arguments)
        if optimizer.steps == 12:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Compiled, "descend", interrupted)
    model = MLP(3, [2, 1])
    optimizer = adam(model.parameters())
    history = fit(model, X, SUMS, mse, optimizer, 9, 4, progress=False, compiled=True)
    assert (history.stopped, history.epochs, optimizer.steps) == ("interrupted", 2, 12)
    twin, *_ = trained(False, make=lambda: MLP(3, [2, 1]), epochs=2)
    assert close(numbers(model), numbers(twin))


# When the engine trains


class Branching(MLP):
    def __call__(self, x):
        output = super().__call__(x)
        return output if output > 0.0 else 0.5 * output


class Dropping(MLP):
    """Drops inputs at random."""

    def __call__(self, x):
        return super().__call__([a if random_.random() < 0.8 else 0.0 for a in x])


class Detached(MLP):
    """Reads a parameter as a float."""

    def __call__(self, x):
        return super().__call__(x) * (2.0 + self.parameters()[0].data)


class Counting(MLP):
    calls = 0

    def __call__(self, x):
        self.calls += 1
        return super().__call__(x) + 0.01 * self.calls


class Summing(Module):
    """Takes samples of any length."""

    def __init__(self):
        self.weight = Value(0.3)

    def __call__(self, x):
        return self.weight * sum(x)


class Clipped(Adam):
    def step(self):
        nn.clip_gradients(self.parameters, 0.1)
        super().step()


class Branched(SGD):
    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.rule = lambda p, g, v, lr, _m, _d: (p - lr * (1.0 if g > 0.0 else -1.0), v)


class Looking(SGD):
    def hyperparameters(self, lr):
        return super().hyperparameters(lr / (1.0 + abs(self.parameters[0].grad)))


class Tallying(SGD):
    tally = 1

    def hyperparameters(self, lr):
        self.tally += 1
        return super().hyperparameters(lr / self.tally)


class Noisy(SGD):
    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        noise = random.Random(5)
        self.rule = lambda p, g, v, lr, _m, _d: (p - lr * (g + noise.gauss(0.0, 0.1)), v)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"make": lambda: Branching(3, [3, 1])}, "branched on a number, at line"),
        ({"rule": lambda p: Clipped(p, 0.01)}, r"Clipped has a step\(\) of its own"),
        ({"rule": lambda p: Branched(p, 0.01)}, "branched on a number"),
        ({"rule": lambda p: Looking(p, 0.01)}, "'Looking' object has no attribute 'parameters'"),
        ({"rule": lambda p: Tallying(p, 0.01)}, r"Tallying.hyperparameters\(\) changes"),
        (
            {"loss": lambda p, t: -log_softmax(p)[[0, 1, 2][t]], "data": (X, CLASSES)}
            | {"make": lambda: MLP(3, [3])},
            "as index, at line",
        ),
        (
            {"data": ([x[: 2 + i % 2] for i, x in enumerate(X)], SUMS)} | {"make": Summing},
            "must be numbers, or lists of numbers that are equally long",
        ),
    ],
    ids=["model", "step", "rule", "looking", "tallying", "index", "ragged"],
)
def test_what_does_not_trace_the_engine_trains_and_says_why(monkeypatch, changes, reason):
    monkeypatch.setattr(nn.training, "WORTH", 0)
    found = [trained(compiled, **changes) for compiled in ("auto", False)]
    (model, _, history), (twin, _, expected) = found
    assert not history.compiled
    assert re.search(reason, history.reason)
    assert (history.loss, numbers(model)) == (expected.loss, numbers(twin))
    with pytest.raises(TypeError, match=rf"^compiled=True: .*{reason}.*; leave compiled=True out$"):
        trained(True, **changes)


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t: p[0] ** 2 if t == 0 else (p[0] - 1.0) ** 2,
        lambda p, t: p[0] ** 2 * (2.0 if t else 1.0),
        lambda p, t: p[0] ** 2 * (2.0 if t in {1, 2} else 1.0),
        lambda p, t: p[0] ** 2 * {0: 5.0}.get(t, 1.0),
        lambda p, t: p[0] ** 2 * (2.0 if isinstance(t, int) and t > 1 else 1.0),
    ],
    ids=["equal", "bool", "in", "get", "isinstance"],
)
def test_a_loss_that_branches_on_the_class_or_looks_it_up_is_found_out(monkeypatch, loss):
    monkeypatch.setattr(nn.training, "WORTH", 0)
    changes = {"make": lambda: MLP(3, [3]), "data": (X, CLASSES), "loss": loss}
    found = [trained(compiled, **changes) for compiled in ("auto", False)]
    (model, _, history), (twin, _, expected) = found
    assert not history.compiled
    assert history.reason
    assert (history.loss, numbers(model)) == (expected.loss, numbers(twin))
    with pytest.raises(TypeError, match=r"^compiled=True: "):
        trained(True, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"make": lambda: Dropping(3, [3, 1])},
        {"make": lambda: Detached(3, [3, 1])},
        {"make": lambda: Counting(3, [3, 1])},
        {"rule": lambda p: Noisy(p, 0.01)},
    ],
    ids=["random", "detached", "counting", "noisy"],
)
@pytest.mark.parametrize("batch_size", [4, 22])
def test_what_a_trace_would_freeze_is_found_out(monkeypatch, changes, batch_size):
    monkeypatch.setattr(nn.training, "WORTH", 0)
    history = trained("auto", **changes, batch_size=batch_size)[2]
    assert not history.compiled
    assert "machine code and engine differ after step " in history.reason
    with pytest.raises(RuntimeError, match=r"^compiled=True: machine code and engine differ"):
        trained(True, **changes, batch_size=batch_size)


def test_steps_taken_before_a_difference_is_found_are_the_engines(monkeypatch):
    monkeypatch.setattr(nn.training, "WORTH", 0)
    model, _, history = trained("auto", make=lambda: Detached(3, [3, 1]))
    twin, _, expected = trained(False, make=lambda: Detached(3, [3, 1]))
    assert close(history.loss, expected.loss)
    assert close(numbers(model), numbers(twin))


def test_a_penalty_that_changes_between_epochs_is_found_out(monkeypatch):
    monkeypatch.setattr(nn.training, "WORTH", 0)

    def run(compiled):
        strength = [0.1]

        def metric(_outputs, _targets):
            strength[0] *= 0.5
            return 0.0

        return trained(
            compiled,
            metric=metric,
            penalty=lambda m: strength[0] * dot(m.parameters(), m.parameters()),
        )

    (model, _, history), (twin, _, expected) = run("auto"), run(False)
    assert "differ after step 6" in history.reason
    assert close(history.loss, expected.loss)
    assert close(numbers(model), numbers(twin))


def test_a_loss_that_refuses_a_target_does_so_at_its_sample(monkeypatch):
    monkeypatch.setattr(nn.training, "WORTH", 0)
    with pytest.raises(ValueError, match="index from 0 to 2, got 3"):
        trained("auto", make=lambda: MLP(3, [3]), data=(X, [*CLASSES[:-1], 3]), loss=cross_entropy)
    with pytest.raises(TypeError, match="carries no gradient"):
        trained("auto", loss=lambda p, t: (p.data - t) ** 2)
    with pytest.raises(ValueError, match="target must be 1 or -1"):
        trained("auto", loss=hinge, data=(X, SIGNS), validation=(X[:1], [3]))


def test_little_to_do_the_engine_does_and_does_not_load_numpy():
    code = """if True:
        import sys
        from nn import MLP, SGD, fit, mse
        model = MLP(1, [1])
        data = [[1.0]], [3.0]
        history = fit(model, *data, mse, SGD(model.parameters(), 0.1), 3, 1, progress=False)
        assert history.reason.startswith("little to do: "), history.reason
        assert not {"numpy", "llvmlite"} & {*sys.modules}
        sys.modules["llvmlite"] = None
        try:
            fit(model, *data, mse, SGD(model.parameters(), 0.1), 3, 1, compiled=True)
        except ImportError as error:
            assert "pip install 'glassgrad[compile]'" in str(error), error
        history = fit(model, [[1.0]] * 1000, [3.0] * 1000, mse,
                      SGD(model.parameters(), 1e-3), 500, 1000, progress=False, stop_below=99.0)
        assert history.reason == "jit needs llvmlite and numpy: pip install 'glassgrad[compile]'"
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_much_to_do_machine_code_does():
    data = X * 50, SUMS * 50
    history = trained("auto", data=data, epochs=40, batch_size=32)[2]
    assert (history.compiled, history.reason) == (True, "")
    assert repr(history).endswith("compiled=True)")


def test_the_command_says_which_it_was():
    settings = {"hidden": [4], "epochs": 100}
    quick, slow = (nn.experiment.learn(iris(), **settings, eager=eager) for eager in (False, True))
    assert "s, compiled\n" in quick.summary()
    assert "s, eager (compiled=False)\n" in slow.summary()
    assert quick.history.loss == pytest.approx(slow.history.loss, rel=1e-9)


def test_detect_anomaly_keeps_watch_over_the_engine(monkeypatch):
    monkeypatch.setattr(nn.training, "WORTH", 0)
    with detect_anomaly():
        history = trained("auto", epochs=1)[2]
    assert history.reason == "detect_anomaly() looks at every number of the engine"


def test_compiled_is_true_false_or_auto():
    with pytest.raises(ValueError, match="compiled must be True, False or 'auto', got 'yes'"):
        trained("yes")


# Compiled.descend


def test_descend_takes_rows_in_order_and_stops_before_what_is_not_finite():
    w = Value(0.0)
    f = jit(lambda x: ((w - x) ** 2, x), [w])
    state = [np.zeros(1), np.zeros(1)]

    def update(parameter, gradient, lr):
        return (parameter - lr * gradient,)

    order = [2, 0, 1, 1]
    steps, (losses, xs) = f.descend(update, state, [[0.5]] * 4, order, 1, [1.0, math.inf, 3.0])
    assert (steps, losses.tolist(), xs.tolist()) == (2, [9.0, 4.0], [3.0, 1.0])
    assert state[0].tolist() == [1.0]
    steps, _ = f.descend(update, state, np.empty((0, 1)), [], 1, [1.0])
    assert steps == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": [0, 2]}, "order to name rows below 2"),
        ({"order": [-1, 0]}, "order to name rows below 2"),
        ({"hyperparameters": [[0.1]] * 3}, "at most 2 steps"),
        ({"hyperparameters": [0.1, 0.1]}, r"got shape \(2,\)"),
        ({"state": [np.zeros(1)]}, r"arrays of shape \(1,\)"),
        ({"state": [np.zeros(2), np.zeros(2)]}, r"arrays of shape \(1,\)"),
        ({"update": lambda p, _g, _lr: p}, "a tuple of 1 numbers"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_descend_refuses_what_does_not_fit(change, message):
    w = Value(0.0)
    settings = {
        "update": lambda p, g, lr: (p - lr * g,),
        "state": [np.zeros(1), np.zeros(1)],
        "hyperparameters": [[0.1]] * 2,
        "order": [0, 1],
        "batch_size": 1,
    } | change
    with pytest.raises((ValueError, TypeError), match=message):
        jit(lambda x: (w - x) ** 2, [w]).descend(*settings.values(), [1.0, 2.0])
