"""Damaged model files and CSV files, each held to what loading promises.

    python benchmarks/corruption.py models|tables FIRST COUNT

Each number is the seed of a file. A file is refused in one line that names it, or what was loaded
is what an independent reading of it says; nothing else is opened and nothing is run. The process
has so much memory, and for each file so much time of the processor: beyond it the system ends it.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import gzip
import io
import json
import random
import re
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nn import MLP
from nn.datasets import iris, read_csv
from nn.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = 1 << 30  # bytes of addresses
SECONDS = 5.0  # of the processor, for one file
LONGEST = 1000  # characters of an error: a line, not a page
ATTACK = "__import__('os').system('touch executed')"
FORBIDDEN = {"compile", "exec", "os.system", "os.exec", "os.fork", "subprocess.Popen"}
FORBIDDEN |= {"pickle.find_class", "socket.connect", "ctypes.dlopen", "os.posix_spawn"}


# What a JSON document may hold in the place of something else; after "number:", as it is written.
NUMBERS = ("1e400", "-1e400", "NaN", "-Infinity", "-0", "1E5", "0.1", "9" * 5000, "1" + "0" * 400)
WORDS = (
    *("", "nan", "inf", "0x1p99999", "-0x0.0p+0", "0x1.8p+0", "0.1", "linear", "softmax", "record"),
    *("backward", "exit", "__class__", "../../etc/passwd", ATTACK, "\ud800", "\0", "\x1b[2J", "é"),
    *("a\nb", "x" * 10_000, "$\\frac", "<script>"),
)
THINGS: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 7, 10**9, 10**18, -(10**9)),
    *([], {}, [None], [[]], {"a": {}}, [1] * 1000, ["a", "b", "c"], [10**9, -2, 3]),
)
STRANGE = (*THINGS, *WORDS, *(f"number:{number}" for number in NUMBERS))

# Model files --------------------------------------------------------------------------------------


def model_text() -> str:
    """Return a whole model file such as `train` writes."""
    data = iris()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        model = MLP(4, [3, 3], "tanh", seed=1)
        model.save(path, recipe=Recipe.fit(data).to_json(), files=["model.json", "loss.png"])
        return path.read_text(encoding="utf-8")


def damaged_model(text: str, draw: random.Random) -> bytes:
    """Return a model file damaged in a way that the generator draws."""
    if draw.random() < 0.4:
        return damaged_bytes(text.encode(), draw)
    contents = json.loads(text)
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        damage_json(contents, draw)
    text = re.sub(r'"number:([^"]*)"', r"\1", json.dumps(contents, indent=1))
    if draw.random() < 0.1:  # nested beyond any stack
        text = text.replace('"', f'"deep": {"[" * draw.choice((50, 10**5))}, "', 1)
    if draw.random() < 0.1:  # what stands twice
        lines = text.splitlines(keepends=True)
        twice = draw.randrange(len(lines))
        text = "".join([*lines[:twice], lines[twice], *lines[twice:]])
    return text.encode()


def damage_json(contents: Any, draw: random.Random) -> None:
    """Change one place of a JSON document, the parameters no more often than the rest."""
    places: list[tuple[Any, Any]] = []
    stack = [contents]
    while stack:
        inner = stack.pop()
        keys = [*inner] if isinstance(inner, dict) else [*range(len(inner))]
        chosen = keys if len(keys) < 8 else draw.sample(keys, 4)
        places += [(inner, key) for key in chosen]
        stack += [inner[key] for key in keys if isinstance(inner[key], dict | list)]
    if not places:
        return
    holder, key = draw.choice(places)
    strange = copy.deepcopy(draw.choice(STRANGE))
    kind = draw.randrange(5)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[strange if isinstance(strange, str) else "self"] = holder.pop(key)
    elif kind == 2 and isinstance(holder, dict):
        holder[draw.choice(("seed", "self", "cls", "nin", "categories", "x"))] = strange
    elif kind == 3 and isinstance(holder, list):
        holder.insert(0, strange)
    else:
        holder[key] = strange


def check_model(path: Path, content: bytes) -> bool:
    """Return whether a model file is loaded, rightly; a refusal must be what is promised."""
    model = loaded(lambda: MLP.from_file(path), path)
    twin = MLP(4, [3, 3], "tanh", seed=2)
    before = twin.state_dict()
    if loaded(lambda: (twin.load(path), twin)[1], path) is None:
        assert twin.state_dict() == before, "a refused file changed the model"
    if model is None:
        return False
    saved = json.loads(content.decode())
    numbers = {name: number.hex() for name, number in model.state_dict().items()}
    assert numbers == saved["parameters"], "the parameters are not those of the file"
    ours = model.architecture()
    assert all(ours.get(k) == v for k, v in saved["architecture"].items() if k != "seed")
    with contextlib.suppress(ValueError):  # what it says, the command's test looks at
        recipe = Recipe.from_json(saved.get("recipe"))
        ours = recipe.to_json()
        theirs = saved["recipe"]
        columns = zip(
            [*ours["features"], ours["target"]],
            [*theirs["features"], theirs["target"]],
            strict=True,
        )
        assert all(us.items() <= them.items() for us, them in columns), "not the file's recipe"
    return True


# CSV files ----------------------------------------------------------------------------------------


def table_text(draw: random.Random) -> str:
    """Return a CSV file that can be learnt from."""
    rows = [
        [f"{draw.gauss(0.0, 3.0):.3f}", str(draw.randrange(9)), draw.choice(("red", "blue", "é"))]
        for _ in range(draw.choice((1, 5, 30)))
    ]
    lines = [["length", "count", "colour"], *rows]
    mark = draw.choice(",;\t")
    return "".join(mark.join(line) + "\n" for line in lines)


CELLS = (
    *("", " ", "NA", "nan", "inf", "-inf", "1e400", "-1e400", "1e-400", "1_000", "1,5", '"', '""'),
    *("9" * 5000, "x" * 200_000, "١٢", "1e5", "0x10", "$x^", "\ufeff", "\u202e", "\x1b[2J", "\r"),
    *("\0", "\u2028", "a\nb", '"a\nb"', '"a,b;c"', "=cmd()", ATTACK, "../../etc/passwd", "True"),
    *("<script>", "1e308", "-1e308", "5e-324", "\ud800", "'", "𝄞", "-", "\x85", "\x0c"),
)


def damaged_table(text: str, draw: random.Random) -> bytes:
    """Return a CSV file damaged in a way that the generator draws."""
    if draw.random() < 0.3:
        return damaged_bytes(text.encode(), draw)
    mark = next(m for m in ",;\t" if m in text)
    rows = [line.split(mark) for line in text.splitlines()]
    for _ in range(draw.choice((1, 1, 2, 5))):
        damage_rows(rows, draw)
    ending = draw.choice(("\n", "\n", "\r\n", "\r"))
    return ending.join(map(mark.join, rows)).encode("utf-8", "surrogatepass")


def damage_rows(rows: list[list[str]], draw: random.Random) -> None:
    """Change one place of a table."""
    row, cell, kind = draw.choice(rows), draw.choice(CELLS), draw.randrange(8)
    place = draw.randrange(len(row) + 1)
    if kind == 0:  # ragged
        row[place:] = [] if draw.random() < 0.5 else [cell, *row[place:]]
    elif kind == 1:  # a column of one thing
        for other in rows[1:]:
            other[place : place + 1] = [cell]
    elif kind == 2:
        rows[0][place : place + 1] = [cell]
    elif kind == 3:  # the header alone, and perhaps a row
        del rows[draw.choice((1, 1, 2)) :]
    elif kind == 4:
        rows.insert(place, [])
    elif kind == 5:  # two columns of one name
        rows[0][-1:] = rows[0][:1]
    else:
        row[place : place + 1] = [cell]


def check_table(path: Path, content: bytes) -> bool:
    """Return whether a CSV file is read, rightly; a refusal must be what is promised."""
    found = [data for name in ("colour", "count") if (data := loaded_table(path, name))]
    if not found:
        return False
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    text = content.decode("utf-8-sig")
    for data in found:
        names = {*data.features, data.target}
        tables = [
            [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if row]
            for mark in ",;\t"
        ]
        (rows,) = (
            [[cell.strip() for cell in row] for row in table if any(map(str.strip, row))]
            for table in tables
            if {cell.strip() for cell in next(r for r in table if any(map(str.strip, r)))} == names
        )
        header, *cells = rows
        places = [header.index(name) for name in data.features]
        assert len(data.X) == len(data.y) == len(cells), "a row is lost"
        for sample, row in zip(data.X, cells, strict=True):
            read = [
                row[place] if isinstance(entry, str) else float(row[place])
                for place, entry in zip(places, sample, strict=True)
            ]
            assert sample == read, f"{sample} is not {read}"
    return True


def loaded_table(path: Path, target: str) -> Any:
    """Return the dataset, or None where it is refused."""
    return loaded(lambda: read_csv(path, target), path)


# Both ---------------------------------------------------------------------------------------------


def damaged_bytes(content: bytes, draw: random.Random) -> bytes:
    """Return a file with other bytes: cut, flipped, inserted, doubled or in another encoding."""
    place, other = sorted(draw.sample(range(len(content)), 2))
    kind = draw.randrange(12)
    if kind < 3:
        flipped = bytearray(content)
        for _ in range(draw.choice((1, 2, 20))):
            flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        return bytes(flipped)
    return (
        lambda: content[:place],
        lambda: content[:place] + content[other:],
        lambda: content[:other] + content[place:],
        lambda: content[:place] + draw.randbytes(draw.choice((1, 4, 1000))) + content[place:],
        lambda: content[:place] + b"\0" * draw.choice((1, 100)) + content[other:],
        lambda: content.decode().encode(draw.choice(("utf-16", "utf-32", "utf-8-sig", "cp500"))),
        lambda: draw.choice((b"", b"\n", b" ", b"\xef\xbb\xbf", b"{}", b"[]", b"null", b'"')),
        lambda: gzip.compress(content, mtime=0)[: draw.choice((None, 20))],
        lambda: draw.randbytes(draw.randrange(5000)),
    )[kind - 3]()


def loaded(load: Callable[[], Any], path: Path) -> Any:
    """Return what is loaded, or None where it is refused as promised."""
    try:
        return load()
    except (ValueError, OSError) as error:
        message = str(error)
    assert path.name in message, f"the file is not named: {message[:200]!r}"
    assert message.isprintable(), f"not one line of text: {message[:200]!r}"
    assert len(message) <= LONGEST, f"{len(message)} characters: {message[:200]!r}"
    return None


CHECKS: dict[str, tuple[str, Callable[[Path, bytes], bool]]] = {
    "models": ("model.json", check_model),
    "tables": ("data.csv", check_table),
}


def files(kind: str, first: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Yield the damaged files of one kind, by their seeds."""
    whole = model_text() if kind == "models" else ""
    for seed in range(first, first + count):
        draw = random.Random(seed)
        if kind == "models":
            yield seed, damaged_model(whole, draw)
        else:
            yield seed, damaged_table(table_text(draw), draw)


def main(kind: str, first: int, count: int) -> int:
    """Check so many files from a seed on; print how many were loaded, or what went wrong."""
    name, check = CHECKS[kind]
    events: list[str] = []
    watched: list[str] = []
    sys.addaudithook(lambda event, _: event in FORBIDDEN and watched and events.append(event))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path(folder, name)
        for content in (b'{"format": 1}', b"a,b\n1,2\n"):  # what is imported on use is imported
            path.write_bytes(content)
            with contextlib.suppress(ValueError):
                check(path, content)
        with contextlib.suppress(ValueError):
            MLP(1, [1], "no such")
        taken = 0
        for seed, content in files(kind, first, count):
            path.write_bytes(content)
            watched.append(name)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # whose signal ends the process
            try:
                taken += check(path, content)
            except BaseException as error:  # noqa: BLE001  whatever it is, it was not promised
                print(f"{kind} {seed}: {type(error).__name__}: {str(error)[:300]}")
                return 1
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
                watched.clear()
            if events or {*Path(folder).iterdir()} != {path}:
                print(f"{kind} {seed}: something was run or written: {events}")
                return 1
    print(taken)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
