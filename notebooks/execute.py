"""Run every notebook of the course: store what it shows, or compare with what is stored.

    python notebooks/execute.py               run all, and store their outputs
    python notebooks/execute.py --check       run all, and compare
    python notebooks/execute.py --check 03    the same for those whose name starts so
    python notebooks/execute.py --broken      run all on an engine with one wrong partial, which the
                                              course must notice

Compared are text, SVG and HTML; pictures of matplotlib, whose bytes depend on its version, are not,
nor is any output of a cell with the tag `varies`, such as a time. When comparing, the solution of
every exercise (a block of Python in its folded part) runs after the exercise's check, which then
must say "Right.".
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.sign import NotebookNotary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

FOLDER = Path(__file__).parent
COMPARED = ("text/plain", "image/svg+xml", "text/html")
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)
RIGHT = "Right."
SECONDS = 300  # for a cell, after which it is taken to hang
ENOUGH = 3  # of the notebooks must notice
BROKEN = """
from autograd import Value
def wrong(self, other, right=Value.__mul__, kind=Value):
    product = right(self, other)
    if type(product) is kind and type(other) is kind:
        a, b, by_a, by_b = product.edges
        product.edges = (a, b, by_a, 0.5 * by_b)
    return product
Value.__mul__ = wrong
"""


def run(notebook: NotebookNode) -> None:
    """Run every cell in a fresh kernel, in the course's folder, and keep the outputs.

    Raises:
        CellExecutionError: if a cell raises.
    """
    resources = {"metadata": {"path": FOLDER}}
    NotebookClient(
        notebook,
        timeout=SECONDS,
        resources=resources,
        record_timing=False,
        coalesce_streams=True,
        kernel_name="python3",
    ).execute()
    for cell in notebook.cells:
        cell.pop("execution_state", None)


def with_solutions(notebook: NotebookNode) -> NotebookNode:
    """Return a copy in which each folded solution runs, and then the cell above it once more."""
    copy = deepcopy(notebook)
    copy.cells = []
    for cell in deepcopy(notebook.cells):
        copy.cells.append(cell)
        if cell.cell_type == "markdown":
            for solution in SOLUTION.findall(cell.source):
                check = next(c for c in reversed(copy.cells) if c.cell_type == "code")
                for source in (solution, check.source):
                    added = nbformat.v4.new_code_cell(source, metadata={"tags": ["solution"]})
                    copy.cells.append(added)
    return copy


def shown(cell: NotebookNode) -> list[str]:
    """What a cell shows that another run must show again."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            found.append(output.text)
        data = output.get("data", {})
        if "image/png" not in data:
            found += [data[kind] for kind in COMPARED if kind in data]
    return found


def complaints(stored: NotebookNode, ran: NotebookNode) -> Iterator[str]:
    """What is not as it should be: an output that differs, a solution that is wrong."""
    is_solution = ["solution" in cell.metadata.get("tags", []) for cell in ran.cells]
    solutions = [cell for cell, added in zip(ran.cells, is_solution, strict=True) if added]
    for cell in solutions[1::2]:
        if "".join(shown(cell)).strip() != RIGHT:
            yield f"the solution is not right for the check\n{cell.source}\n{shown(cell)}"
    originals = [cell for cell, added in zip(ran.cells, is_solution, strict=True) if not added]
    for old, new in zip(stored.cells, originals, strict=True):
        if old.cell_type == "code" and "varies" not in old.metadata.get("tags", []):
            before, after = ("\n".join(shown(cell)).splitlines() for cell in (old, new))
            if before != after:
                difference = difflib.unified_diff(before, after, "stored", "now", lineterm="", n=1)
                yield "\n".join([f"the output differs of\n{old.source}", *difference])


def check(path: Path, first: str = "") -> list[str]:
    """Run a stored notebook and return what is not as stored.

    Args:
        path: the notebook's file.
        first: code to run in its kernel before its own.
    """
    stored = nbformat.read(path, as_version=4)
    ran = with_solutions(stored)
    ran.cells.insert(0, nbformat.v4.new_code_cell(first))
    try:
        run(ran)
    except CellExecutionError as error:
        return [str(error)]
    del ran.cells[0]
    return [*complaints(stored, ran)]


def store(path: Path) -> list[str]:
    """Run a notebook and write it back with its outputs; return nothing, for nothing is wrong."""
    notebook = nbformat.read(path, as_version=4)
    run(notebook)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # so that only what changed changes
    nbformat.write(notebook, path)
    NotebookNotary().sign(notebook)  # else JupyterLab shows no drawing of it
    return []


def main() -> int:
    """Run the notebooks asked for; return 1 if one is not as stored."""
    parser = argparse.ArgumentParser(description="Run the notebooks of the course.")
    parser.add_argument("names", nargs="*", default=[""], help="how a notebook's name starts")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="compare instead of storing")
    way.add_argument("--broken", action="store_true", help="compare, on a broken engine")
    arguments = parser.parse_args()
    paths = [
        path
        for path in sorted(FOLDER.glob("*.ipynb"))
        if any(path.name.startswith(name) for name in arguments.names)
    ]
    if not paths:
        sys.exit(f"no notebook in {FOLDER} starts with {' or '.join(arguments.names)}")
    if arguments.check or arguments.broken:
        way, together = partial(check, first=BROKEN if arguments.broken else ""), os.cpu_count()
    else:
        way, together = store, 1  # one at a time, for some cells show how long things take
    wrong = 0
    with ThreadPoolExecutor(together) as pool:
        for path, found in zip(paths, pool.map(way, paths), strict=True):
            wrong += bool(found)
            print(f"{path.name}: {'WRONG' if found else 'ok'}", flush=True)
            if not arguments.broken:
                print(*found, sep="\n\n", end="\n\n" * bool(found), flush=True)
    if arguments.broken:
        print(f"{wrong} of {len(paths)} notebooks notice a wrong partial of the product")
        return int(wrong < ENOUGH)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
