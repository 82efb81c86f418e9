"""A CSV file as text, and its columns as numbers or as text."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import math
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nn.arguments import few, plain, shown

if TYPE_CHECKING:
    import os


_MISSING = {"na", "n/a", "nan", "null", "none", "-", "?"}


class DataError(ValueError):
    """A file that cannot be used as it is.

    Its one line of text names the file, the line and the column, and says what to do.
    """


@dataclass(frozen=True)
class Table:
    """A CSV file: the names of its columns, its cells as text, and the line where each row begins.

    A column is numeric when most of its cells, apart from missing ones such as NA, are numbers;
    then all must be, finite and written with a decimal point. Every other column is text.
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
            problem = plain(error)
            raise DataError(
                f"{path}, line {line}: {problem}; check the quotes in this row"
            ) from None
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
            if self._positions[name] != position - 1:
                raise DataError(
                    f"{self.path}, line {header}: two columns are called {shown(name)}; rename one"
                )
        for line, row in zip(self.lines, self.rows, strict=True):
            if len(row) != len(self.columns):
                raise DataError(
                    f"{self.path}, line {line}: {len(row)} cells for {len(self.columns)} columns; "
                    "look for a missing or surplus separator"
                )

    @cached_property
    def _positions(self) -> dict[str, int]:
        """Where each column stands; the last of one name, where two have it."""
        return {name: position for position, name in enumerate(self.columns)}

    def require(self, name: str) -> None:
        """Raise a DataError that lists the columns if none is called `name`."""
        if name not in self._positions:
            close = difflib.get_close_matches(name, self.columns, n=1, cutoff=0.5)
            hint = f"did you mean {shown(close[0])}" if close else "is it another file"
            raise DataError(
                f"{self.path}: there is no column {shown(name)}; {hint}? "
                f"Its columns are {few(self.columns, limit=12)}"
            )

    def error(self, row: int, name: str, problem: str) -> DataError:
        """Return the error that says what is wrong in one cell."""
        return DataError(f"{self.path}, line {self.lines[row]}, column {shown(name)}: {problem}")

    def is_numeric(self, name: str) -> bool:
        """Whether more than half of a column's cells are numbers, missing ones not counted.

        Raises:
            DataError: if more than half would be, were it not for a decimal comma, a separator
                between thousands or a currency sign.
        """
        cells = [cell for cell in self.texts(name) if cell.casefold() not in _MISSING]
        rewritten = [None if _parsed(cell) is not None else _rewritten(cell) for cell in cells]
        count = sum(_parsed(cell) is not None for cell in cells)
        if count <= len(cells) / 2 < count + len(cells) - rewritten.count(None):
            cell = next(c for c, better in zip(cells, rewritten, strict=True) if better)
            raise self.error(
                self.texts(name).index(cell),
                name,
                f"{shown(cell)} is not a number; write {plain(_rewritten(cell))} and so on, "
                f"or keep the column as text with --text {shown(name)}",
            )
        return 2 * count > len(cells)

    def texts(self, name: str) -> list[str]:
        """Return a column as text; a missing value is a DataError."""
        self.require(name)
        position = self._positions[name]
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
            number = _parsed(cell)
            if cell.casefold() in _MISSING:
                raise self.error(
                    row,
                    name,
                    f"the value is missing ({shown(cell)}); fill it in, or leave out the row or "
                    "the column",
                )
            if number is None or not math.isfinite(number):
                better = _rewritten(cell)
                correction = "correct it" if better is None else f"write {plain(better)}"
                kind = "number" if number is None else "finite number"
                raise self.error(
                    row,
                    name,
                    f"{shown(cell)} is not a {kind}, and this column is numeric; {correction}",
                )
            numbers.append(number)
        return numbers


def _text(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: not a whole gzip file ({error}); fetch it again") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: a NUL character is no text; save the file as UTF-8")
    return text


def _reader(text: str) -> Any:
    """Return a strict CSV reader with the delimiter that makes most of the first line."""
    first = next(filter(str.strip, io.StringIO(text, newline="")), "")
    columns = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in ",;\t"}
    delimiter = max(columns, key=columns.__getitem__)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _rewritten(cell: str) -> str | None:
    """Return a number written in another way, such as 94,3 or $1,000, as it should be; else None.

    >>> _rewritten("94,3"), _rewritten("€ 1.234,5"), _rewritten("1_000"), _rewritten("1,000")
    ('94.3', '1234.5', '1000', '1000 or 1.000')
    """
    bare = cell.replace("_", "").strip("$€£¥₹ ")
    point = bare.replace(".", "").replace(",", ".")
    if re.fullmatch(r"[+-]?\d{1,3},\d{3}", bare):
        return f"{bare.replace(',', '')} or {point}"
    grouped = re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", bare)
    decimal = re.fullmatch(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+", bare)
    plain = bare.replace(",", "") if grouped else point if decimal else bare
    return plain if plain != cell and _parsed(plain) is not None else None


def _parsed(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # Python reads 1_000 as a number
    except ValueError:
        return None
