"""A CSV file as text, and its columns as numbers or as text."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence


class DataError(ValueError):
    """A file that cannot be used as it is.

    Its one line of text names the file, the line and the column, and says what to do.
    """


@dataclass(frozen=True)
class Table:
    """A CSV file: the names of its columns, its cells as text, and the line where each row begins.

    A column is numeric when most of its cells are numbers; then all must be, finite and written
    with a decimal point. Every other column is text.
    """

    path: str
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Table:
        """Read a UTF-8 file (also compressed, `.gz`) whose first line names the columns.

        Cells are separated by `,` or `;` or tabs, whichever splits the first line into most names,
        and may be quoted with `"`. Rows without any text are skipped.

        Raises:
            OSError: if the file cannot be opened.
            DataError: if it is empty, not UTF-8, not rectangular, or a column has no name of its
                own.
        """
        text = _text(Path(path))
        rows, lines, line = [], [], 1
        try:
            for row in (reader := _reader(text)):
                if any(cell.strip() for cell in row):
                    rows.append([cell.strip() for cell in row])
                    lines.append(line)
                line = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}, line {line}: {error}; check the quotes in this row") from None
        if not rows:
            raise DataError(
                f"{path}: the file is empty; it needs a line of column names and rows of data"
            )
        if len(rows) == 1:
            raise DataError(
                f"{path}: there is no row below the line of column names; add rows of data"
            )
        table = cls(str(path), rows[0], rows[1:], lines[1:])
        table._check_shape(lines[0])
        return table

    def _check_shape(self, header: int) -> None:
        for position, name in enumerate(self.columns, start=1):
            if not name:
                raise DataError(
                    f"{self.path}, line {header}: column {position} has no name; give it one"
                )
            if self.columns.index(name) != position - 1:
                raise DataError(
                    f"{self.path}, line {header}: two columns are called {name!r}; rename one"
                )
        for line, row in zip(self.lines, self.rows, strict=True):
            if len(row) != len(self.columns):
                raise DataError(
                    f"{self.path}, line {line}: {len(row)} cells for {len(self.columns)} columns; "
                    "look for a missing or surplus separator"
                )

    def require(self, name: str) -> None:
        """Raise a DataError that lists the columns if none is called `name`."""
        if name not in self.columns:
            close = difflib.get_close_matches(name, self.columns, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}" if close else "is it another file"
            raise DataError(
                f"{self.path}: there is no column {name!r}; {hint}? "
                f"Its columns are {listed(self.columns)}"
            )

    def error(self, row: int, name: str, problem: str) -> DataError:
        """Return the error that says what is wrong in one cell."""
        return DataError(f"{self.path}, line {self.lines[row]}, column {name!r}: {problem}")

    def is_numeric(self, name: str) -> bool:
        """Whether more than half of a column's cells are numbers."""
        cells = self.texts(name)
        return 2 * sum(_number(cell) is not None for cell in cells) > len(cells)

    def texts(self, name: str) -> list[str]:
        """Return a column as text; a missing value is a DataError."""
        self.require(name)
        position = self.columns.index(name)
        cells = [row[position] for row in self.rows]
        if "" in cells:
            raise self.error(
                cells.index(""),
                name,
                f"the value is missing ({cells.count('')} of {len(cells)} rows lack it); "
                "fill it in, or leave out the row or the column",
            )
        return cells

    def numbers(self, name: str) -> list[float]:
        """Return a column as floats; a cell that is not a finite number is a DataError."""
        numbers = []
        for row, cell in enumerate(self.texts(name)):
            number = _number(cell)
            if number is None or not math.isfinite(number):
                kind = "number" if number is None else "finite number"
                raise self.error(
                    row, name, f"{cell!r} is not a {kind}, and this column is numeric; correct it"
                )
            numbers.append(number)
        return numbers


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Return names for a message: all of them, or the first `limit` and how many there are.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], limit=2)
    ('a, b, c', 'a, b, ... (3 in all)')
    """
    rest = f", ... ({len(names)} in all)" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest


def _text(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: not a whole gzip file ({error}); fetch it again") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from None


def _reader(text: str) -> Any:
    """Return a strict CSV reader with the delimiter that makes most of the first line."""
    first = next(filter(str.strip, io.StringIO(text, newline="")), "")
    columns = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in ",;\t"}
    delimiter = max(columns, key=columns.__getitem__)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # Python reads 1_000 as a number
    except ValueError:
        return None
