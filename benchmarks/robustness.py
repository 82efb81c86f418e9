"""What the engine and the network library withstand: runs every claim, writes docs/robustness.md.

    python benchmarks/robustness.py

Each claim is a function, the claim its docstring; it raises where something was lost. The tests
(`tests/test_robustness.py`) run them with smaller counts.
"""

# ruff: noqa: S603, S607  it runs itself, and mount
from __future__ import annotations

import copy
import gc
import io
import math
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from contextlib import redirect_stdout, suppress
from functools import partial
from operator import add
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))
from corruption import CHECKS, LONGEST, files

import autograd
from autograd import Value, detect_anomaly, dot, explain, grad, gradients, jit, no_grad, tanh
from nn import MLP, Adam, fit, mse
from nn.__main__ import main as command
from nn.modelfile import read_model

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[1] / "docs" / "robustness.md"
IRIS = Path(autograd.__file__).parents[1] / "nn" / "datasets" / "iris.csv"
SMALL_STACK = 1 << 18  # bytes
THREADS = 8

# Depth --------------------------------------------------------------------------------------------


def chain(size: int) -> tuple[Value, dict[Value, float]]:
    """Return a graph of one path, -x each time, and the gradient of each leaf."""
    leaf = node = Value(2.0)
    for _ in range(size):
        node = -node
    return node, {leaf: (-1.0) ** size}


def ladder(size: int) -> tuple[Value, dict[Value, float]]:
    """Return a graph of exponentially many paths, a, b = b, b - a, and the gradients."""
    leaves = a, b = Value(2.0), Value(3.0)
    for _ in range(size):
        a, b = b, b - a
    slopes = (1.0, 0.0), (0.0, 1.0)
    for _ in range(size % 6):  # six steps lead back
        slopes = slopes[1], tuple(q - p for p, q in zip(*slopes, strict=True))
    return b, dict(zip(leaves, slopes[1], strict=True))


def tree(size: int) -> tuple[Value, dict[Value, float]]:
    """Return a graph that is wide at the bottom, sums of two, and the gradients."""
    row = leaves = [Value(1.0) for _ in range(size // 2 + 1)]
    while len(row) > 1:
        row = [*map(add, row[::2], row[1::2]), *(row[-1:] if len(row) % 2 else [])]
    return row[0], dict.fromkeys(leaves, 1.0)


def wide(size: int) -> tuple[Value, dict[Value, float]]:
    """Return one operation of so many operands, and the gradients."""
    leaves = [Value(float(i % 7)) for i in range(size)]
    return dot(leaves, [2.0] * size), dict.fromkeys(leaves, 2.0)


SHAPES = {"one path": chain, "a ladder": ladder, "a tree": tree, "one wide operation": wide}


def deep_graphs(count: int) -> str:
    """A graph of a million nodes is differentiated, copied, pickled, explained and deleted.

    On a stack of 256 KiB, for each of four shapes. The copies have the gradients too, the tape has
    head and tail, and deletion frees every node without the garbage collector.
    """
    gc.disable()
    try:
        for shape in SHAPES.values():
            in_threads([partial(_deep_graph, shape, count)], stack=SMALL_STACK)
    finally:
        gc.enable()
    return f"{count:,} nodes, as {', '.join(SHAPES)}"


def _deep_graph(shape: Callable[[int], Any], count: int) -> None:
    root, expected = shape(count)
    root.backward()
    assert [leaf.grad for leaf in expected] == [*expected.values()]
    text = repr(tape := explain(root, limit=10))
    assert tape.total >= count
    assert len(tape.primals) == len(tape.cotangents) == 10
    assert "lines are left out" in text
    assert tape.primals[-1].value == root.data
    assert tape.cotangents[-1].value in expected.values()
    del tape
    for duplicate in (copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):  # noqa: S301
        again, leaves = duplicate((root, [*expected]))
        for leaf in leaves:
            leaf.grad = 0.0
        again.backward(2.0)
        assert [leaf.grad for leaf in leaves] == [2.0 * g for g in expected.values()]
        last = weakref.ref(leaves[-1])
        del again, leaves, leaf
        assert last() is None
    assert [leaf.grad for leaf in expected] == [*expected.values()]
    inner = [weakref.ref(x) for x in (root, *root.operands[:1], next(iter(expected)))]
    del root, expected
    assert [x() for x in inner] == [None] * len(inner), "nodes are left"


# Threads ------------------------------------------------------------------------------------------


def in_threads(works: list[Callable[[], Any]], stack: int = 0) -> list[Any]:
    """Return what each function gives, each run in a thread of its own at the same time."""
    found: dict[int, Any] = {}
    errors: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            start.wait()
            found[place] = work()
        except BaseException as error:  # noqa: BLE001  raised again below
            errors.append(error)

    before = threading.stack_size(stack)
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
        threading.stack_size(before)
    for error in errors:
        raise error
    return [found[place] for place in range(len(works))]


def trained_alone(seed: int, steps: int) -> dict[str, float]:
    """Return a small network's parameters after some steps."""
    model = MLP(2, [4, 1], "tanh", seed=seed)
    optimizer = Adam(model.parameters(), lr=0.01)
    for step in range(steps):
        optimizer.zero_grad()
        mse(model([float(step % 3), 1.0]), 0.5).backward()
        optimizer.step()
        if step % 5 == seed % 5:  # while others record
            with no_grad():
                assert not model([1.0, 2.0]).operands
    return model.state_dict()


def threads_of_their_own(count: int) -> str:
    """Threads with graphs of their own compute what one thread computes, bit for bit.

    `no_grad` in one of them is no matter to the others.
    """
    expected = [trained_alone(seed, count) for seed in range(THREADS)]
    works = [partial(trained_alone, seed, count) for seed in range(THREADS)]
    assert in_threads(works) == expected
    return f"{THREADS} threads, {count:,} steps each"


def threads_of_one_model(count: int) -> str:
    """Threads that share parameters have each the right `gradients()` of their own graph."""
    model = MLP(2, [4, 1], "tanh", seed=0)
    parameters = model.parameters()

    def slopes(seed: int) -> list[float]:
        loss = mse(model([float(seed), -1.0]), 0.5)
        return [g.data for g in gradients(loss, parameters)]

    expected = [slopes(seed) for seed in range(THREADS)]

    def work(seed: int) -> None:
        for _ in range(count):
            assert slopes(seed) == expected[seed]

    in_threads([partial(work, seed) for seed in range(THREADS)])
    assert {p.grad for p in parameters} == {0.0}
    return f"{THREADS} threads, {count:,} gradients each"


def threads_that_add(count: int) -> str:
    """`backward()` of several threads into the same parameters loses nothing."""
    leaves = [Value(1.0) for _ in range(20)]

    def work() -> None:
        for _ in range(count):
            dot(leaves, [2.0] * 20).backward()

    in_threads([work] * THREADS)
    assert [leaf.grad for leaf in leaves] == [2.0 * THREADS * count] * 20
    return f"{THREADS} threads, {count:,} sweeps each"


# Ctrl-C -------------------------------------------------------------------------------------------


def interrupted(work: Callable[[], Any], seconds: float) -> tuple[bool, bool]:
    """Run, and after so many seconds do what Python does at Ctrl-C.

    Returns:
        Whether it came to that before the end, and whether the interrupt came out of what was run.
    """
    rung: list[int] = []

    def ring(number: int, frame: Any) -> None:
        rung.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGALRM, ring)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    except KeyboardInterrupt:
        return True, True
    finally:
        signal.signal(signal.SIGALRM, before)
    return bool(rung), False


def duration(work: Callable[[], Any]) -> float:
    """Return how long it takes, the shortest of some runs."""
    times = []
    for _ in range(5):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return min(times)


def assert_no_mode_is_open() -> None:
    """Raise if recording differs from what it is outside all blocks."""
    a = Value(0.0)
    assert (a * 2.0).operands == (a, 2.0), "no_grad is still on"
    a.log()  # raises if detect_anomaly is still on
    assert type(grad(tanh)(1.0)) is float, "a derivative is still under way"
    assert not autograd.value.open_modes, "a block is still open"


def network(size: int) -> tuple[Value, dict[Value, float]]:
    """Return the loss of a network of about so many parameters; its gradients are not known."""
    model = MLP(2, [max(1, size // 4), 1], "tanh", seed=0)
    return mse(model([0.3, -0.7]), 1.0), dict.fromkeys(model.parameters(), math.nan)


def modes_in_turn(root: Value) -> None:
    """Enter and leave every kind of block, with little to do inside."""
    for _ in range(20):
        with no_grad():
            tanh(root)
        with detect_anomaly(), no_grad():
            tanh(root)
        grad(lambda x: x * tanh(x))(1.0)


def watched(root: Value) -> None:
    """Sweep under detect_anomaly."""
    with detect_anomaly():
        root.backward()


def unrecorded(root: Value) -> None:
    """Sweep under no_grad."""
    with no_grad():
        root.backward()


def interrupted_backward(count: int) -> str:
    """Ctrl-C at a random moment of `backward()` leaves every `.grad` as it was, or all of them new.

    Plain, under `no_grad` and `detect_anomaly`, and of `gradients` and `grad`, on five shapes of
    graph. No block stays open, and the next sweep gives the same gradients bit for bit.
    """
    draw = random.Random(0)
    came = before = 0
    shapes = [*SHAPES.values(), network]
    sweeps = [Value.backward, unrecorded, watched, None, modes_in_turn]
    cases = []
    for shape in shapes:
        root, leaves = shape(300)
        root.backward()
        expected = [leaf.grad for leaf in leaves]
        for sweep in sweeps:
            work = partial(sweep, root) if sweep else partial(gradients, root, [*leaves])
            cases.append((root, [*leaves], expected, work, duration(work)))
    while came < count:
        root, leaves, expected, work, seconds = draw.choice(cases)
        for leaf in leaves:
            leaf.grad = 0.0
        came_now, hit = interrupted(work, max(1e-6, draw.uniform(0.0, 1.2) * seconds))
        assert hit == came_now, "the interrupt got lost"
        came += hit
        found = [leaf.grad for leaf in leaves]
        assert found in (expected, [0.0] * len(leaves)), "some gradients are new and some are not"
        before += hit and found != expected
        assert_no_mode_is_open()
        for leaf in leaves:
            leaf.grad = 0.0
        root.backward()
        assert [leaf.grad for leaf in leaves] == expected
    return f"{came:,} interrupts, {before:,} of them before the gradients were written"


SAMPLES = [[i / 20.0, (i % 7) / 7.0] for i in range(20)]
TARGETS = [math.sin(3.0 * a) + b for a, b in SAMPLES]


def learner() -> tuple[MLP, Adam]:
    """Return a network that has learnt nothing, with its optimizer."""
    model = MLP(2, [3, 1], "tanh", seed=0)
    return model, Adam(model.parameters(), lr=0.02)


def learn(model: MLP, optimizer: Adam, epochs: int, *, compiled: bool) -> Any:
    """Train with batches of 4, 5 steps an epoch."""
    return fit(
        *(model, SAMPLES, TARGETS, mse, optimizer, epochs, 4),
        validation=(SAMPLES[:3], TARGETS[:3]),
        progress=False,
        compiled=compiled,
    )


def state(model: MLP, optimizer: Adam) -> Any:
    """Return everything that training changes but `.grad`."""
    return model.state_dict(), optimizer.steps, optimizer.memory


def interrupted_fit(count: int) -> str:
    """Ctrl-C at a random moment of `fit` leaves parameters and optimizer between two steps.

    It ends training with the History so far; no block stays open, and a further `fit` goes on from
    there bit for bit as if it had been asked for these steps alone.
    """
    return _interrupted_fit(count, epochs=4, compiled=False)


def interrupted_compiled_fit(count: int) -> str:
    """Ctrl-C at a random moment of `fit(compiled=True)` leaves what the last epoch made.

    Of the first epoch two steps are taken one at a time. The rest is as in the engine.
    """
    return _interrupted_fit(count, epochs=6, compiled=True)


def _interrupted_fit(count: int, epochs: int, *, compiled: bool) -> str:
    states = _states(epochs, compiled=compiled)
    seconds = duration(lambda: learn(*learner(), epochs, compiled=compiled))
    draw = random.Random(1)
    came = escaped = 0  # interrupts in all, and those before or after training
    steps: set[int] = set()
    while came < count:
        model, optimizer = learner()
        histories: list[Any] = []
        came_now, hit = interrupted(
            lambda: histories.append(learn(model, optimizer, epochs, compiled=compiled)),  # noqa: B023
            max(1e-6, draw.uniform(0.0, 1.05) * seconds),
        )
        came += came_now
        escaped += hit
        assert optimizer.steps in states, f"{optimizer.steps} steps are none that it takes"
        assert state(model, optimizer) == states[optimizer.steps], "not what its steps make"
        if histories:
            (history,) = histories
            assert hit or history.interrupted == came_now, "the interrupt got lost"
            assert history.interrupted or history.epochs == epochs
            assert 0 <= optimizer.steps - 5 * history.epochs <= 5
        else:  # it came on the way in or out
            assert hit
            assert optimizer.steps in (0, 5 * epochs)
        steps.add(optimizer.steps)
        assert_no_mode_is_open()
        twin, other = learner()
        twin.load_state_dict(model.state_dict())
        other.load_state_dict(optimizer.state_dict())
        learn(model, optimizer, 1, compiled=False)
        learn(twin, other, 1, compiled=False)
        assert state(model, optimizer) == state(twin, other)
    return (
        f"{came:,} interrupts, {escaped} of them before or after training, the others after "
        f"{len(steps)} different numbers of steps"
    )


def _states(epochs: int, *, compiled: bool) -> dict[int, Any]:
    """Return the state after each step that training may be left at, by the number of steps."""
    states: dict[int, Any] = {}
    model, _ = learner()

    class Noted(Adam):
        """An optimizer whose every state is noted."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "memory":  # which is set last
                states[self.steps] = state(model, self)

    learn(model, Noted(model.parameters(), lr=0.02), epochs, compiled=compiled)
    return states


# Files --------------------------------------------------------------------------------------------

SAVING = """
import sys
from nn import MLP
model = MLP(4, [8, 3], "tanh")
version = int(sys.argv[2])
print("ready", flush=True)
while True:
    version += 1
    for parameter in model.parameters():
        parameter.data = float(version)
    model.save(sys.argv[1], version_saved=version)
    print(version, flush=True)
"""


def version_of(path: Path) -> int:
    """Return which whole model the file holds."""
    contents = read_model(path)
    model = MLP.from_file(path)
    (number,) = {*model.state_dict().values()}
    assert number == contents["version_saved"]
    return int(number)


def killed_saves(count: int) -> str:
    """A process killed (SIGKILL) at a random moment of saving leaves the old model or the new one.

    What it leaves beside it, a file `.nn-*.part`, hinders no later save; a save an hour later
    removes it.
    """
    draw = random.Random(2)
    version = left = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        MLP(4, [8, 3], "tanh").save(path, version_saved=0)
        set_to(path, 0)
        for _ in range(count):
            arguments = [sys.executable, "-c", SAVING, str(path), str(version)]
            with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
                assert child.stdout is not None
                assert child.stdout.readline() == "ready\n"
                sleep(draw.uniform(0.0, 0.03))
                child.kill()
                said = [version, *map(int, child.stdout.read().split("\n")[:-1])]
            found = version_of(path)
            assert said[-1] <= found <= said[-1] + 1, f"saved {said[-1]}, found {found}"
            version = found
        litter = [*Path(folder).glob(".nn-*.part")]
        assert {*Path(folder).iterdir()} == {path, *litter}
        left = len(litter)
        for abandoned in litter:
            os.utime(abandoned, (0.0, 0.0))
        set_to(path, version + 1)
        assert [*Path(folder).iterdir()] == [path]
    return f"{count:,} kills, {version:,} saves, {left} files left behind and removed"


def set_to(path: Path, version: int) -> None:
    """Save a model whose every parameter is a number."""
    model = MLP(4, [8, 3], "tanh")
    for parameter in model.parameters():
        parameter.data = float(version)
    model.save(path, version_saved=version)


def contents_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def run(*arguments: object, limits: dict[int, int] | None = None, **options: Any) -> Any:
    """Run `python -m nn` with these arguments; return its status, its output and its errors."""

    def limit() -> None:
        for kind, most in (limits or {}).items():
            resource.setrlimit(kind, (most, most))

    return subprocess.run(
        [sys.executable, "-m", "nn", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        timeout=600,
        **options,
    )


def assert_one_line(done: Any, *names: str) -> None:
    """Raise unless a command refused in one line that holds the names."""
    assert done.returncode == 2, f"status {done.returncode}: {done.stderr[-500:]}"
    line = done.stderr
    assert line.startswith("nn: error: ")
    assert line.endswith("\n"), line[-500:]
    assert line[:-1].isprintable(), line[:500]
    assert len(line) <= LONGEST + 100, line[:500]
    assert all(name in line for name in names), line


TRAIN = ("train", IRIS, "--target", "species", "--hidden", "3", "--epochs", "2", "--eager")


def killed_trainings(count: int) -> str:
    """`train` killed (SIGKILL) at a random moment leaves a folder whose model predicts.

    Pictures and report are written whole too; after a kill in the last moment they may be those of
    the run before.
    """
    draw = random.Random(3)
    new = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "run")
        began = perf_counter()
        assert run(*TRAIN, "-o", folder).returncode == 0
        seconds = perf_counter() - began
        models = {contents_of(folder)["model.json"]}
        names = contents_of(folder).keys()
        for seed in range(1, count + 1):
            arguments = [sys.executable, "-m", "nn", *map(str, TRAIN), "-o", str(folder)]
            with subprocess.Popen(
                [*arguments, "--seed", str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as child:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(draw.uniform(0.5, 1.1) * seconds)
                child.kill()
                child.communicate()
            found = contents_of(folder)
            assert found.keys() == names, "a file is missing or left over"
            with redirect_stdout(io.StringIO()) as output:
                assert command(["predict", str(folder), str(IRIS)]) == 0
            assert output.getvalue().count("\n") == 151
            new += found["model.json"] not in models
            models.add(found["model.json"])
    return f"{count} kills, {new} of them after the new model was in its place"


def full_disk(count: int) -> str:
    """On a full disk a model is saved whole, or an OSError names the file and the old one stays.

    The disk is full at every length of the file in turn (`RLIMIT_FSIZE`).
    """
    script = (
        "import resource, sys; from nn import MLP; from pathlib import Path\n"
        "path = Path(sys.argv[1]); old = path.read_bytes(); model = MLP.from_file(path)\n"
        "for p in model.parameters(): p.data += 1.0\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "for limit in map(int, sys.argv[2:]):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))\n"
        "    try: model.save(path)\n"
        "    except OSError as error: assert error.filename == str(path), error\n"
        "    else: raise SystemExit(f'saved in {limit} bytes')\n"
        "    assert path.read_bytes() == old and [*path.parent.iterdir()] == [path]\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        MLP(4, [8, 3], "tanh").save(path)
        size = path.stat().st_size
        limits = [str(size * i // count) for i in range(count)]
        subprocess.run([sys.executable, "-c", script, path, *limits], check=True)
        MLP.from_file(path)
    return f"{count} sizes of the disk"


def full_disk_in_training(count: int) -> str:
    """`train` on a full disk writes everything, or says so in one line and changes nothing."""
    whole = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "run")
        assert run(*TRAIN, "-o", folder).returncode == 0
        before = contents_of(folder)
        largest = max(map(len, before.values()))
        for i in range(count):
            limit = largest * i // (count - 1) + (i == count - 1) * largest
            limits = {resource.RLIMIT_FSIZE: limit}
            done = run(*TRAIN, "--seed", i, "-o", folder, limits=limits)
            if done.returncode == 0:
                whole += 1
                assert contents_of(folder).keys() == before.keys()
                before = contents_of(folder)
            else:
                assert_one_line(done, str(folder))
                assert contents_of(folder) == before
            assert {*folder.iterdir()} == {folder / file for file in before}, "left over"
    return f"{count} sizes of the disk, {whole} of them large enough"


def full_tmpfs(count: int) -> str:
    """The same on a real disk of a few kB, where this system lets one be mounted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "disk")
        folder.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder]
        if subprocess.run(mounted, check=False, capture_output=True).returncode:
            return "not tried: no disk can be mounted here"
        try:
            return _full_tmpfs(folder, count)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _full_tmpfs(folder: Path, count: int) -> str:
    path = folder / "model.json"
    model = MLP(2, [8, 3])
    model.save(path)
    old = path.read_bytes()
    refused = 0
    for size in range(count):
        (folder / "filler").write_bytes(b"x" * min(4096, 50 * size))
        named = str(path)
        try:
            model.save(path, note="x" * (80 * size))
        except OSError as error:
            refused += 1
            named = error.filename
            assert path.read_bytes() == old
        assert named == str(path)
        old = path.read_bytes()
        MLP.from_file(path)
        assert {*folder.iterdir()} == {path, folder / "filler"}
    assert 0 < refused < count or count < 10
    remount = ["mount", "-o", "remount,size=4m", folder]
    subprocess.run(remount, check=True)
    run_folder = folder / "run"
    assert run(*TRAIN, "-o", run_folder).returncode == 0
    before = contents_of(run_folder)
    used = sum(math.ceil(len(content) / 4096) for content in before.values()) + 4
    for pages in (1, 5, 20):
        subprocess.run([*remount[:2], f"remount,size={(used + pages) * 4}k", folder], check=True)
        done = run(*TRAIN, "--seed", 5, "-o", run_folder)
        assert_one_line(done, str(run_folder), "make room")
        assert contents_of(run_folder) == before
    return f"{count} saves, {refused} of them refused; 3 trainings, refused"


def corrupted(kind: str, count: int) -> str:
    """Check so many damaged files, in processes of a thousand each."""
    taken = 0
    script = Path(__file__).with_name("corruption.py")
    for first in range(0, count, 1000):
        arguments = [sys.executable, script, kind, str(first), str(min(1000, count - first))]
        done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout or done.stderr or f"ended by {-done.returncode}"
        assert not done.stderr, done.stderr
        taken += int(done.stdout)
    return f"{count:,} files, {taken:,} of them sound enough to be loaded"


def corrupted_models(count: int) -> str:
    """A damaged model file is refused in one line that names it, or loaded exactly as it stands.

    Never a traceback, a hang, much memory, a changed model or code that is run.
    """
    return corrupted("models", count)


def corrupted_tables(count: int) -> str:
    """A damaged CSV file is refused in one line that names it, or read exactly as it stands."""
    return corrupted("tables", count)


def corrupted_for_commands(count: int) -> str:
    """`predict` with damaged models, `train` with damaged tables: done, or one line of error.

    With 4 GiB of addresses and a minute of the processor.
    """
    limits = {resource.RLIMIT_AS: 4 << 30, resource.RLIMIT_CPU: 60}
    done = {"models": 0, "tables": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in CHECKS:
            for seed, content in files(kind, 10**6, count if kind == "models" else count // 2):
                if kind == "models":
                    (folder / "model.json").write_bytes(content)
                    found = run("predict", folder, IRIS, limits=limits, cwd=folder)
                else:
                    (folder / "data.csv").write_bytes(content)
                    options = ("--epochs", "1", "--hidden", "2", "-o", folder / "run")
                    target = ("count", "colour", "length")[seed % 3]
                    given = ("train", "data.csv", "--target", target, *options)
                    found = run(*given, limits=limits, cwd=folder)
                if found.returncode == 0:
                    done[kind] += 1
                    assert "Traceback" not in found.stderr, found.stderr
                else:
                    assert_one_line(found)
                    assert CHECKS[kind][0] in found.stderr or str(IRIS) in found.stderr, seed
                assert {path.name for path in folder.iterdir()} <= {
                    *("model.json", "data.csv", "run")
                }
    return f"{count} models, {done['models']} usable; {count // 2} tables, {done['tables']} usable"


# Memory -------------------------------------------------------------------------------------------


def flat_memory(count: int) -> str:
    """Memory stays flat over training steps with the garbage collector off."""
    model, optimizer = learner()

    def steps(many: int) -> None:
        for i in range(many):
            optimizer.zero_grad()
            mse(model(SAMPLES[i % 20]), TARGETS[i % 20]).backward()
            optimizer.step()

    return _flat(steps, count)


def flat_memory_compiled(count: int) -> str:
    """The same for steps whose gradients come from machine code."""
    import numpy as np

    model, optimizer = learner()
    objective = jit(lambda x, y: mse(model([x[0], x[1]]), y), model.parameters())
    X, y = np.array(SAMPLES), np.array(TARGETS)

    def steps(many: int) -> None:
        for _ in range(many):
            optimizer.zero_grad()
            objective.backward(X, y)
            optimizer.step()

    return _flat(steps, count)


def flat_memory_of_new_functions(count: int) -> str:
    """Drawing, tracing and compiling ever new functions keeps nothing once they are collected."""

    def functions(many: int) -> None:
        for i in range(many):
            w = Value(float(i))
            compiled = jit(lambda x, w=w, i=i: tanh(w * x) + float(i))
            compiled(1.0)
            autograd.trace(lambda x, w=w: tanh(w * x), 1.0)
            autograd.draw(tanh(w * 2.0)).dot  # noqa: B018  makes it
            explain(tanh(w * 2.0))
        gc.collect()

    return _flat(functions, count, warm=count)


def _flat(work: Callable[[int], None], count: int, warm: int = 1000) -> str:
    """Return how much more memory there is at the end; raise unless it is a trifle."""
    gc.collect()
    gc.disable()
    try:
        work(warm)
        blocks, memory = sys.getallocatedblocks(), resident()
        work(count)
        more = sys.getallocatedblocks() - blocks
        grown = resident() - memory
    finally:
        gc.enable()
    assert more <= 500, f"{more} blocks more after {count} steps"
    assert grown <= 8 << 20, f"{grown} bytes more after {count} steps"
    return f"{count:,} steps, {more} blocks and {max(0, grown) >> 10} KiB more"


def resident() -> int:
    """Return how many bytes of memory this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


# The page -----------------------------------------------------------------------------------------


CLAIMS: dict[str, list[tuple[Callable[[int], str], int]]] = {
    "Depth": [(deep_graphs, 10**6)],
    "Threads": [
        (threads_of_their_own, 2000),
        (threads_of_one_model, 500),
        (threads_that_add, 20_000),
    ],
    "Ctrl-C": [
        (interrupted_backward, 1000),
        (interrupted_fit, 1000),
        (interrupted_compiled_fit, 1000),
    ],
    "Files": [
        (killed_saves, 200),
        (killed_trainings, 30),
        (full_disk, 500),
        (full_disk_in_training, 12),
        (full_tmpfs, 60),
        (corrupted_models, 10_000),
        (corrupted_tables, 10_000),
        (corrupted_for_commands, 200),
    ],
    "Memory": [
        (flat_memory, 100_000),
        (flat_memory_compiled, 100_000),
        (flat_memory_of_new_functions, 300),
    ],
}


OPENING = """\
# What it withstands

Each line is a promise, tried so often in so many seconds of the processor. `python
benchmarks/robustness.py` tries them all again, in some ten minutes on one core, and makes this
page; with names, such as `killed_saves`, those alone. The tests try them with smaller counts.
Interrupts, kills and damages are drawn at random from a seed; how often they fall where they could
do harm is a matter of the machine.
"""
CLOSING = """
An interrupt is what Python does at Ctrl-C, by a timer (`setitimer`). A kill is `SIGKILL` to a
process of its own; what a power failure leaves is up to the disk, to which each file is synced
before it takes its name. A file is damaged by flipped, cut, doubled and inserted bytes, other
encodings, NULs, and in its structure: other types, numbers such as 1e400 and 10^9, names twice or
strange, nesting of 100,000 levels, ragged rows, quotes, huge cells, no rows, columns of one thing.
Loading one has 1 GiB of addresses and 5 seconds of the processor, after which the system would end
it; an audit hook watches that nothing is run. Exactly as it stands is what an independent reading
by `json` or `csv` says.

What is not promised: that Ctrl-C before `fit` has begun or after it has ended is more than a
`KeyboardInterrupt`; that Ctrl-C comes through machine code before its epoch ends; that threads
train one model together, since a step reads `.grad`, to which others add; that a machine with
little memory takes every file that is sound and large.
"""


def tried(check: Callable[[int], str], count: int) -> tuple[str, bool]:
    """Try a claim; print its result, and return its line of the page and whether it held."""
    began = processor()
    try:
        said, held = f"{check(count)}; lost: 0", True
    except Exception as error:  # noqa: BLE001  every other claim is tried as well
        said, held = f"FAILED: {type(error).__name__}: {error}", False
    seconds = f"{processor() - began:.0f} s"
    print(f"{check.__name__}: {said}; {seconds}", flush=True)
    claim = " ".join((check.__doc__ or "").split())
    return f"| {claim} | {said} | {seconds} |", held


def processor() -> float:
    """Return how many seconds of the processor this process and those that it ran have had."""
    return sum(os.times()[:4])


def page(lines: dict[str, str]) -> str:
    """Return the page, from the line of each claim by its name."""
    parts = [OPENING]
    for section, claims in CLAIMS.items():
        parts += [f"## {section}\n", "| promised | tried | in |", "|---|---|---|"]
        parts += [*(lines[check.__name__] for check, _ in claims), ""]
    return "\n".join(parts) + CLOSING


def main(names: set[str]) -> int:
    """Try all claims and write the page, or those of these names alone; return 1 if one failed."""
    wanted = [
        (f, n) for claims in CLAIMS.values() for f, n in claims if not names or f.__name__ in names
    ]
    found = {check.__name__: tried(check, count) for check, count in wanted}
    if not names:
        PAGE.write_text(page({name: line for name, (line, _) in found.items()}), encoding="utf-8")
    return 0 if all(held for _, held in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main({*sys.argv[1:]}))
