"""Time compiled functions beside PyTorch, JAX and C tuned by hand, in float64 on one thread.

    python benchmarks/compiled.py                   every comparison, each in its own process
    python benchmarks/compiled.py moons digits      some of them
    taskset -c 0 python benchmarks/compiled.py      on one core, where there is taskset

Needs torch, jax, llvmlite and gcc; what fails is shown with its reason, and the others go on. Peers
first have to agree with PyTorch on value and gradient, within 1e-9. Then they are timed in turn,
over and over: a time is the median over rounds, a ratio the median of the rounds' ratios.

Ours is compiled from code on scalars, PyTorch is eager, JAX is under `jax.jit`, C is tuned.c. Each
keeps parameters and data in the layout that suits it, made before its time is taken.
"""

from __future__ import annotations

import ctypes
import gc
import operator
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import autograd
import nn
from nn import datasets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Array = np.ndarray[Any, Any]
    Bars = dict[tuple[str, str], float | None]

ROUNDS = 15
SECONDS = 0.02  # for which each peer runs in each round
FRESH = 3  # processes for a measurement that needs its own
LONG = 10.0  # seconds after which no further one is started
CONDITIONS = {  # one thread, and modules in bytecode, as they are once they are installed
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "PYTHONDONTWRITEBYTECODE": "",
}


# Measuring ----------------------------------------------------------------------------------------


class Peer(NamedTuple):
    """What is timed, and how to write what it returns as one array, where it is to be checked."""

    call: Callable[[], Any]
    numbers: Callable[[Any], Array] | None = None


def compare(title: str, peers: dict[str, Callable[[], Peer]], bars: Bars) -> dict[str, list[float]]:
    """Check all peers against the first, print their times in turn, and return these.

    A bar is the least ratio of the time of one peer to that of another.
    """
    print_title(title)
    calls: dict[str, Callable[[], Any]] = {}
    found: dict[str, Array] = {}
    for name, make in peers.items():
        with reported(name):
            call, numbers = make()
            if numbers is not None:
                found[name] = numbers(call())
                wanted = next(iter(found.values()))
                np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-9)
            calls[name] = call
    times = in_turn(calls)
    for name, taken in times.items():
        ratio = quotient(taken, times.get("ours")) if name != "ours" else None
        print_ratio(name, shown(median(taken)), ratio, bars.get((name, "ours")))
    for (name, other), bar in bars.items():
        if other != "ours" and name in times:
            print_ratio(f"{name} / {other}", "", quotient(times[name], times.get(other)), bar)
    return times


def in_turn(calls: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Return the seconds that a call of each takes, in each round."""
    gc.collect()
    gc.freeze()  # what is alive by now costs the collector nothing more
    repeats = {
        name: max(1, round(SECONDS / min(seconds(call) for _ in range(3))))
        for name, call in calls.items()
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(seconds(call, repeats[name]))
    return times


def seconds(call: Callable[[], Any], repeats: int = 1) -> float:
    """Time a call, repeated."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def fresh(measure: Callable[..., Any], *arguments: Any) -> Any:
    """Return the median, or medians, of a measure taken in processes of their own.

    If they take long, there are fewer of them.
    """
    found: list[Any] = []
    start = time.perf_counter()
    while not found or (len(found) < FRESH and time.perf_counter() - start < LONG):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found.append(process.submit(measure, *arguments).result())
    return np.median(found, axis=0).tolist()


def quotient(times: list[float], others: list[float] | None) -> float | None:
    """Return the median of the rounds' ratios, where there are others."""
    return others and median(map(operator.truediv, times, others))


@contextmanager
def reported(name: str) -> Iterator[None]:
    """Print what fails in place of its row."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  a peer may fail in any way
        reason = " ".join(str(error).split())[:160]
        print(f"  {name} failed: {type(error).__name__}: {reason}", flush=True)


def print_title(title: str) -> None:
    """Print a table's title and the names of its columns."""
    print(f"\n{title}")
    print_row("", "time", "/ ours", "bar")


def print_row(name: str, cell: str, ratio: str = "", bar: str = "", missed: bool = False) -> None:
    """Print a row of a table."""
    print(f"  {name:36}{cell:>12}{ratio:>10}{bar:>12}{'  missed' * missed}", flush=True)


def print_ratio(name: str, cell: str, ratio: float | None, least: float | None) -> None:
    """Print a time and its ratio to another, with the least that it should be."""
    print_row(
        name,
        cell,
        "" if ratio is None else f"{ratio:.2f}",
        "" if least is None else f"≥ {least:.3g}",
        ratio is not None and least is not None and ratio < least,
    )


def print_limit(name: str, found: float, most: float, written: Callable[[float], str]) -> None:
    """Print a number, with the most that it should be."""
    print_row(name, written(found), "", f"≤ {written(most)}", found > most)


def shown(duration: float) -> str:
    """Write seconds in the unit that suits them."""
    for scale, unit in ((1e6, "us"), (1e3, "ms")):
        if duration * scale < 999.95:
            return f"{duration * scale:.1f} {unit}"
    return f"{duration:.2f} s"


# Networks -----------------------------------------------------------------------------------------


class Network:
    """A network of nn's and a batch; each method makes a peer of the mean loss and its gradient.

    The loss is hinge for a single output, with targets 1 and -1, or else cross-entropy, with the
    indices of classes, which ours gets as a probability for each class.
    """

    def __init__(self, sizes: Sequence[int], activation: str, X: Any, t: Any) -> None:
        self.sizes, self.activation = sizes, activation
        self.X, self.t = np.array(X, dtype=float), np.array(t)
        self.classifies = sizes[-1] > 1
        self.model = nn.MLP(sizes[0], list(sizes[1:]), activation=activation)
        self.parameters = np.array([p.data for p in self.model.parameters()])

    def __str__(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        loss = "cross-entropy" if self.classifies else "hinge loss"
        return f"{sizes} {self.activation}, {loss}, mean and gradient of a batch of {len(self.X)}"

    def compare(self, bars: Bars) -> None:
        """Compare all peers."""
        peers = {"PyTorch": self.pytorch, "JAX": self.jax, "C": self.c, "ours": self.ours}
        compare(str(self), peers, bars)

    def layers(self, numbers: Array) -> list[Array]:
        """Split what belongs to all parameters: a layer is a row for each neuron, its bias last."""
        shapes = [(outputs, inputs + 1) for inputs, outputs in pairwise(self.sizes)]
        ends = np.cumsum([outputs * columns for outputs, columns in shapes])
        parts = np.split(numbers, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def ours(self) -> Peer:
        """Compile the loss of a sample."""
        loss = nn.cross_entropy if self.classifies else nn.hinge
        targets = np.eye(self.sizes[-1])[self.t] if self.classifies else self.t
        compiled = autograd.jit(
            lambda x, t: loss(self.model(x), t), parameters=self.model.parameters()
        )
        return Peer(
            lambda: compiled.mean_and_gradient(self.parameters, self.X, targets),
            lambda found: np.append(*found),
        )

    def pytorch(self) -> Peer:
        """Record the loss of the batch and differentiate it, each time."""
        torch = torch_on_one_thread()
        functional = torch.nn.functional
        X, t = torch.tensor(self.X), torch.tensor(self.t)
        column = t[:, None]
        leaves = [
            torch.tensor(numbers, requires_grad=True)
            for rows in self.layers(self.parameters)
            for numbers in (rows[:, :-1], rows[:, -1])
        ]
        *hidden, last = zip(leaves[::2], leaves[1::2], strict=True)
        activation = getattr(torch, self.activation)

        def call() -> Any:
            y = X
            for weights, biases in hidden:
                y = activation(functional.linear(y, weights, biases))
            y = functional.linear(y, *last)
            loss = (
                functional.cross_entropy(y, t)
                if self.classifies
                else torch.relu(1.0 - column * y).mean()
            )
            return loss, torch.autograd.grad(loss, leaves)

        def numbers(found: Any) -> Array:
            loss, gradient = found
            return joined(loss.item(), zip(gradient[::2], gradient[1::2], strict=True))

        return Peer(call, numbers)

    def jax(self) -> Peer:
        """Compile the loss of the batch."""
        jax = jax_in_float64()
        X, t = jax.numpy.array(self.X), jax.numpy.array(self.t)
        layers = [
            (jax.numpy.array(rows[:, :-1].T), jax.numpy.array(rows[:, -1]))
            for rows in self.layers(self.parameters)
        ]
        activation = jax.numpy.tanh if self.activation == "tanh" else jax.nn.relu

        def loss(layers: Any, X: Any, t: Any) -> Any:
            *hidden, (last_weights, last_biases) = layers
            y = X
            for weights, biases in hidden:
                y = activation(y @ weights + biases)
            y = y @ last_weights + last_biases
            if not self.classifies:
                return jax.nn.relu(1.0 - t[:, None] * y).mean()
            return -jax.numpy.take_along_axis(jax.nn.log_softmax(y), t[:, None], axis=1).mean()

        compiled = jax.jit(jax.value_and_grad(loss))
        return Peer(
            lambda: jax.block_until_ready(compiled(layers, X, t)),
            lambda found: joined(found[0], ((weights.T, biases) for weights, biases in found[1])),
        )

    def c(self) -> Peer:
        """Call the C, whose layers are transposed."""
        function = self.library().mean_and_gradient
        function.restype = ctypes.c_double
        positions = self.layers(np.arange(self.parameters.size))
        order = np.concatenate([rows.T.ravel() for rows in positions])
        gradient = np.empty_like(self.parameters)
        *given, result = (
            array.ctypes.data_as(ctypes.c_void_p)
            for array in (self.parameters[order], self.X, self.t, gradient)
        )
        arguments = (*given, ctypes.c_int(len(self.X)), result)
        return Peer(
            lambda: function(*arguments),
            lambda mean: np.append(mean, gradient[np.argsort(order)]),
        )

    def library(self) -> ctypes.CDLL:
        """Compile tuned.c for this network."""
        inputs, hidden, *_, outputs = self.sizes
        macros = {"INPUTS": inputs, "HIDDEN": hidden, "OUTPUTS": outputs}
        macros |= {"DEPTH": len(self.sizes) - 2, self.activation.upper(): 1}
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "tuned.so")
            command = ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", str(target)]
            command += [f"-D{name}={value}" for name, value in macros.items()]
            source = Path(__file__).with_name("tuned.c")
            subprocess.run([*command, str(source), "-lm"], check=True)  # noqa: S603
            return ctypes.CDLL(str(target))


def joined(value: Any, layers: Iterable[Any]) -> Array:
    """Return a value and the pairs of weights and biases of layers as one array, in our order."""
    rows = [np.column_stack(layer).ravel() for layer in layers]
    return np.concatenate([[value], *rows])


def random_batch(sizes: Sequence[int], samples: int) -> tuple[Array, Array]:
    """Return inputs from 0 to 1, and classes or, for a single output, 1 and -1."""
    generator = np.random.default_rng(0)
    known: Any = sizes[-1] if sizes[-1] > 1 else (-1.0, 1.0)
    return generator.random((samples, sizes[0])), generator.choice(known, size=samples)


def torch_on_one_thread() -> Any:
    """Import PyTorch, which uses all cores unless told otherwise."""
    import torch

    torch.set_num_threads(1)
    return torch


def jax_in_float64() -> Any:
    """Import JAX, which is in float32 unless told otherwise."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


# Functions ----------------------------------------------------------------------------------------


def valley(x: Sequence[Any]) -> Any:
    """Rosenbrock's function: 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, added up."""
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def valley_of_array(x: Any) -> Any:
    """Rosenbrock's function of an array, of NumPy's kind."""
    a, b = x[:-1], x[1:]
    return (100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2).sum()


def energy(m: Any, r: Any) -> Any:
    """Return the energy of two particles at a distance r, with the functions of a module m.

    A Morse bond, a screened charge and a ripple, cut off smoothly, and a slow logarithmic pull.
    """
    stretch = 1.0 - m.exp(-1.2 * (r - 1.5))
    screened = m.exp(-0.8 * r) / r
    ripple = m.sin(4.0 * r) / (1.0 + r * r)
    cutoff = 0.5 - 0.5 * m.tanh(3.0 * (r - 3.0))
    return (2.0 * stretch * stretch + screened + ripple) * cutoff + m.log(m.sqrt(r * r + 0.5))


def force(r: Array) -> Array:
    """Return the derivative of the energy, by hand in NumPy."""
    bond = np.exp(-1.2 * (r - 1.5))
    stretch = 1.0 - bond
    squared = r * r
    screened = np.exp(-0.8 * r) / r
    ripple = np.sin(4.0 * r) / (1.0 + squared)
    step = np.tanh(3.0 * (r - 3.0))
    inside = 2.0 * stretch * stretch + screened + ripple
    by_inside = (
        4.8 * stretch * bond
        - screened * (0.8 + 1.0 / r)
        + (4.0 * np.cos(4.0 * r) - 2.0 * r * ripple) / (1.0 + squared)
    )
    by_cutoff = -1.5 * (1.0 - step * step)
    return by_inside * (0.5 - 0.5 * step) + inside * by_cutoff + r / (squared + 0.5)


OPERATIONS: tuple[Callable[[Any, Any], Any], ...] = (
    operator.add,
    operator.sub,
    operator.mul,
    lambda a, _: autograd.sin(a),
    lambda a, _: autograd.tanh(a),
)


def straight_line(instructions: int) -> Callable[[Sequence[Any]], Any]:
    """Return a program of random operations, each on the last result and any earlier one."""
    generator = random.Random(0)
    steps = [
        (generator.choice(OPERATIONS), generator.randrange(4 + i)) for i in range(instructions)
    ]

    def program(x: Sequence[Any]) -> Any:
        numbers = [*x]
        for operation, earlier in steps:
            numbers.append(operation(numbers[-1], numbers[earlier]))
        return numbers[-1]

    return program


# Comparisons --------------------------------------------------------------------------------------


def moons() -> None:
    """Compare on micrograd's demo, too small a batch for anyone to be slowed by arithmetic."""
    X, y = datasets.moons(samples=100, noise=0.1, seed=1)
    network = Network((2, 16, 16, 1), "relu", X, [2.0 * target - 1.0 for target in y])
    c_bars = {("C", "ours"): 1 / 1.5, ("PyTorch", "C"): 24.0}
    network.compare({("PyTorch", "ours"): 20.0, ("JAX", "ours"): 4.5, **c_bars})


def digits() -> None:
    """Compare on handwritten digits, in a usual batch and all at once."""
    X, y = datasets.digits()
    c_bars = {("C", "ours"): 1.0, ("PyTorch", "C"): 2.5}
    for samples, bars in (
        (64, {("PyTorch", "ours"): 7.0, ("JAX", "ours"): 2.5}),
        (1797, {("PyTorch", "ours"): 3.3, ("JAX", "ours"): 1.7, **c_bars}),
    ):
        for activation, share in (("relu", 1.0), ("tanh", 0.8)):
            network = Network((64, 32, 10), activation, X[:samples], y[:samples])
            network.compare({pair: share * bar for pair, bar in bars.items()})


def wide() -> None:
    """Compare on wide layers, where all is products of matrices."""
    for sizes in ((784, 32, 10), (64, 128, 10)):
        Network(sizes, "relu", *random_batch(sizes, 1024)).compare({("PyTorch", "ours"): 2.0})


def peak() -> None:
    """Compare with as many multiplications and additions in registers alone.

    Biases, activations and the loss do not count as work.
    """
    network = Network((64, 32, 10), "relu", *datasets.digits())
    weights = [inputs * outputs for inputs, outputs in pairwise(network.sizes)]
    operations = 2 * len(network.X) * (2 * sum(weights) + sum(weights[1:]))

    def arithmetic() -> Peer:
        function = network.library().multiply_and_add
        function.argtypes, function.restype = [ctypes.c_long], ctypes.c_double
        rounds = round(operations / function(1))
        return Peer(lambda: function(rounds))

    times = compare(
        f"{network}, beside its {operations / 1e6:.1f} Mflop alone",
        {"C": network.c, "ours": network.ours, "arithmetic": arithmetic},
        {("arithmetic", "ours"): 0.65, ("arithmetic", "C"): None},
    )
    for name, taken in times.items():
        print_row(name, f"{operations / median(taken) / 1e9:.1f} Gflop/s")


def latency() -> None:
    """Time what comes before the first result, and how it grows with the length of a program."""
    print_title("from the call of jit to the first result, in a fresh process")
    for sizes, most in (
        ((2, 16, 16, 1), 0.3),
        ((64, 32, 10), 0.5),
        ((64, 128, 10), 0.6),
        ((784, 128, 10), 4.0),
    ):
        name = "-".join(map(str, sizes))
        with reported(name):
            print_limit(name, fresh(first_mean_and_gradient, sizes), most, shown)
    print_title("the same of straight-line code, for each of its instructions")
    for what in ("value", "value and gradient"):
        with reported(what):
            times = []
            for instructions in (10_000, 100_000):
                times.append(fresh(first_of_straight_line, instructions, what) / instructions)
                print_row(f"{what}, {instructions:,} of them", shown(times[-1]))
            print_limit("the longer / the shorter", times[1] / times[0], 1.5, "{:.2f}".format)


def first_mean_and_gradient(sizes: Sequence[int]) -> float:
    """Seconds to compile a network and run it once."""
    network = Network(sizes, "relu", *random_batch(sizes, 64))
    return seconds(lambda: network.ours().call())


def first_of_straight_line(instructions: int, what: str) -> float:
    """Seconds to compile a straight-line program, or its gradient, and run it once."""
    program = straight_line(instructions)
    function = program if what == "value" else autograd.value_and_grad(program)
    x = np.array([0.1, 0.2, 0.3, 0.4])
    return seconds(lambda: autograd.jit(function)(x))


def first_of_valley(inputs: int) -> float:
    """Seconds to compile the value and gradient of Rosenbrock's function and run it once."""
    x = np.linspace(-1.0, 1.0, inputs)
    return seconds(lambda: autograd.jit(autograd.value_and_grad(valley))(x))


def rosenbrock() -> None:
    """Compare on a function of many inputs and no data, and with itself without the gradient."""
    x = np.linspace(-1.0, 1.0, 100)

    def ours() -> Peer:
        compiled = autograd.jit(autograd.value_and_grad(valley))
        return Peer(lambda: compiled(x), lambda found: np.append(*found))

    def pytorch() -> Peer:
        torch = torch_on_one_thread()
        leaf = torch.tensor(x, requires_grad=True)

        def call() -> Any:
            value = valley_of_array(leaf)
            return value, *torch.autograd.grad(value, leaf)

        return Peer(call, lambda found: np.append(found[0].item(), found[1]))

    def jax() -> Peer:
        jax = jax_in_float64()
        array = jax.numpy.array(x)
        compiled = jax.jit(jax.value_and_grad(valley_of_array))
        return Peer(lambda: jax.block_until_ready(compiled(array)), lambda found: np.append(*found))

    times = compare(
        "Rosenbrock's function of 100 inputs: value and gradient",
        {"PyTorch": pytorch, "JAX": jax, "ours": ours},
        {("JAX", "ours"): 4.0},
    )
    if "ours" in times:
        print_limit("ours, a call", median(times["ours"]), 5e-6, shown)

    print_title("Rosenbrock's function of 1,000 inputs")
    with reported("ours"):
        x = np.linspace(-1.0, 1.0, 1000)
        function, gradient = autograd.jit(valley), autograd.jit(autograd.value_and_grad(valley))
        own = in_turn({"value": lambda: function(x), "value and gradient": lambda: gradient(x)})
        for name, taken in own.items():
            print_row(name, shown(median(taken)))
        ratio = median(map(operator.truediv, own["value and gradient"], own["value"]))
        print_limit("value and gradient / value", ratio, 3.0, "{:.2f}".format)
        print_limit("from jit to the first result", fresh(first_of_valley, 1000), 1.0, shown)


def formula() -> None:
    """Compare on the derivative of a formula of one number, at a million points."""
    r = np.linspace(0.5, 6.0, 1_000_000)

    def ours() -> Peer:
        compiled = autograd.jit(autograd.grad(lambda r: energy(autograd, r)))
        return Peer(lambda: compiled.map(r), np.asarray)

    def pytorch() -> Peer:
        torch = torch_on_one_thread()
        leaf = torch.tensor(r, requires_grad=True)
        return Peer(
            lambda: torch.autograd.grad(energy(torch, leaf).sum(), leaf)[0],
            lambda found: found.numpy(),
        )

    def jax() -> Peer:
        jax = jax_in_float64()
        array = jax.numpy.array(r)
        compiled = jax.jit(jax.vmap(jax.grad(lambda r: energy(jax.numpy, r))))
        return Peer(lambda: jax.block_until_ready(compiled(array)), np.asarray)

    compare(
        "a formula of one number: its derivative at 1,000,000 points, NumPy's written by hand",
        {
            "PyTorch": pytorch,
            "NumPy": lambda: Peer(lambda: force(r), np.asarray),
            "JAX": jax,
            "ours": ours,
        },
        {("NumPy", "ours"): 1.0, ("JAX", "ours"): 1.0},
    )


def fit() -> None:
    """Compare 20 epochs of training, each peer from its lists of numbers to its trained model.

    The ratio is of the loops alone: of ours it takes the time of 20 further epochs, as a part of
    100, in which nothing is compiled.
    """
    training, test = digits_to_learn()
    print_title("64-32-10 relu trained on 1,438 digits, 20 epochs of Adam in batches of 32")
    calls: dict[str, Callable[[], Any]] = {"PyTorch": lambda: train_in_pytorch(training)}
    with reported("ours"):
        whole, errors = fresh(first_training)
        calls |= {"short": lambda: train(training, 20), "long": lambda: train(training, 120)}
    times = in_turn(calls)
    loop = (
        [(long - short) / 5 for long, short in zip(times["long"], times["short"], strict=True)]
        if "long" in times
        else None
    )
    print_ratio("PyTorch", shown(median(times["PyTorch"])), quotient(times["PyTorch"], loop), 6.0)
    if loop:
        print_row("ours, compilation left out", shown(median(loop)))
        print_limit("ours, all in a fresh process", whole, 2.0, shown)
        print_limit("errors on 359 others: ours", errors, 0.03, "{:.1%}".format)
    logits = train_in_pytorch(training)(test.X)
    print_row("errors on 359 others: PyTorch", f"{1.0 - nn.accuracy(logits, test.y):.1%}")


def digits_to_learn() -> tuple[datasets.Dataset, datasets.Dataset]:
    """Return the digits to train on and the others."""
    return datasets.split(datasets.digits(), test=0.2, seed=0)


def train(training: Iterable[Any], epochs: int) -> nn.MLP:
    """Return a model trained by nn.fit."""
    model = nn.MLP(64, [32, 10])
    adam = nn.Adam(model.parameters(), lr=0.01)
    size = {"epochs": epochs, "batch_size": 32}
    nn.fit(model, *training, nn.cross_entropy, adam, **size, compiled=True, progress=False)
    return model


def first_training() -> tuple[float, float]:
    """Seconds to train a model, compilation included, and its share of errors on others."""
    training, test = digits_to_learn()
    models: list[nn.MLP] = []
    taken = seconds(lambda: models.append(train(training, 20)))
    return taken, 1.0 - nn.accuracy(models[0].predict(test.X), test.y)


def train_in_pytorch(training: Iterable[Any]) -> Callable[[Any], Any]:
    """Return the function of a model trained by PyTorch."""
    torch = torch_on_one_thread()
    torch.manual_seed(0)
    X, y = training
    X, y = torch.tensor(X, dtype=torch.float64), torch.tensor(y)
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    model.double()
    adam = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    for _ in range(20):
        for batch in torch.randperm(len(X)).split(32):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(model(X[batch]), y[batch]).backward()
            adam.step()
    return lambda X: model(torch.tensor(X, dtype=torch.float64)).tolist()


COMPARISONS = {
    comparison.__name__: comparison
    for comparison in (moons, digits, wide, peak, latency, rosenbrock, fit, formula)
}


def main() -> None:
    """Run each comparison asked for in a process of its own, under the same conditions."""
    for name in sys.argv[1:] or COMPARISONS:
        if os.environ.items() >= CONDITIONS.items():
            COMPARISONS[name]()
        else:
            command = [sys.executable, __file__, name]
            subprocess.run(command, env=os.environ | CONDITIONS, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
