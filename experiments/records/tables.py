"""Tidy tables as CSV files: one row an observation, one column a quantity.

A table in memory is a dictionary of columns. Numbers are written with six significant digits, whole
numbers exactly; "nan" stands for a missing one. Text that looks like a number comes back as a number.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins.files import UnfitFile, atomic_write_bytes, atomic_write_text, read_file

Table = dict[str, NDArray[Any]]
"""Columns of equal length n: arrays of shape (n,), float64 or str."""

MOST_BYTES, MOST_UNPACKED, MOST_UNPACKED_FIELDS = 256 << 20, 24 << 20, 6_000_000
"""Limits of a plain table, which takes memory in proportion to its size, and of a packed one, which need not."""
_WIDEST_LINE = 1 << 20
_MOST_TEXT = 64 << 20
"""Bytes that a table's columns of text may take beside 16 times its size: one long field widens a whole column."""
_GZIP = b"\x1f\x8b"
_BLOCK_ROWS = 4096
_EXACT = 2.0**53
"""Whole numbers up to this size are exact in float64."""


def read_table(path: str | Path) -> Table:
    """The table of a CSV file with a header, plain or gzip-compressed; columns of numbers become float64, others str.

    An empty field in a column of numbers is nan; a column with no number at all is text.
    Raises FileNotFoundError, or ValueError naming file, row and remedy, also for a file larger than the limits above.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no table {path}; give the path of a CSV file with a header")
    packed = path.suffix == ".gz"
    try:
        if packed and read_file(path, MOST_UNPACKED)[:2] != _GZIP:
            raise UnfitFile(f"{path} is not a gzip file")
        data = read_file(path, MOST_UNPACKED if packed else MOST_BYTES, unpack=packed)
    except (OSError, UnfitFile) as error:
        raise ValueError(f"{path} cannot be read ({error}); write it again") from None
    if packed and data.count(b",") + data.count(b"\n") > MOST_UNPACKED_FIELDS:
        raise ValueError(
            f"{path} holds more than {MOST_UNPACKED_FIELDS} fields; such a table is not packed. Do not use it"
        )
    try:
        lines = list(csv.reader(_lines(data), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file in UTF-8 ({error}); write it again") from None
    if not lines or not lines[0]:
        raise ValueError(f"{path} is empty; a table begins with a line of column names")
    header = lines[0]
    if len(set(header)) != len(header):
        twice = sorted({name for name in header if header.count(name) > 1})
        raise ValueError(f"{path}: column names must differ, given twice: {', '.join(twice)}")
    rows = [line for line in lines[1:] if line]
    if not all(len(row) == len(header) for row in rows):
        row, line = next((k, line) for k, line in enumerate(lines, 1) if line and len(line) != len(header))
        raise ValueError(
            f"{path}, row {row}: {len(line)} fields, the header names {len(header)} columns. "
            "The file may have been cut off; write it again"
        )
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    table, left = {}, _MOST_TEXT + 16 * len(data)
    for name, fields in zip(header, columns, strict=True):
        numbers = _numbers(fields)
        if numbers is None:
            left -= 4 * len(fields) * max(map(len, fields), default=0)
            if left < 0:
                raise ValueError(f"{path}: column {name[:40]!r} holds a text that is too long for its table")
        table[name] = np.array(fields, np.str_) if numbers is None else numbers
    return table


def _lines(data: bytes) -> Iterator[str]:
    """The lines of a text, ends included. Raises csv.Error for one without end."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    while line := text.readline(_WIDEST_LINE + 1):
        if len(line) > _WIDEST_LINE:
            raise csv.Error(f"a line has more than {_WIDEST_LINE} characters")
        yield line


def _numbers(fields: Sequence[str]) -> NDArray[np.float64] | None:
    """The fields as numbers; None for a column of text."""
    try:
        return np.array(fields, np.float64)
    except ValueError:
        pass
    if "" in fields and any(fields):
        try:
            return np.array([field or "nan" for field in fields], np.float64)
        except ValueError:
            pass
    return None


def write_table(path: str | Path, table: Table) -> None:
    """Write a table as CSV, atomically; packed where the name ends in .gz.

    Raises ValueError for columns that are no table, or StorageError.
    """
    rows = _rows(table)
    alone = len(table) == 1  # an empty line would not be a row
    cells = [_cells(name, np.asarray(column), alone) for name, column in table.items()]
    line = ",".join(form for form, _ in cells) + "\n"
    parts = [",".join(_quoted(name) for name in table) + "\n"]
    for start in range(0, rows, _BLOCK_ROWS):
        block = [values(slice(start, start + _BLOCK_ROWS)) for _, values in cells]
        flat = [value for row in zip(*block, strict=True) for value in row]
        parts.append(line * len(block[0]) % tuple(flat))
    text = "".join(parts)
    if str(path).endswith(".gz"):
        atomic_write_bytes(path, gzip.compress(text.encode(), 9, mtime=0))
    else:
        atomic_write_text(path, text)


def _cells(name: str, column: NDArray[Any], alone: bool) -> tuple[str, Callable[[slice], list[Any]]]:
    """The %-format of a column and a function that gives the values of some of its rows."""
    if column.dtype.kind in "iub":
        return "%d", lambda rows: column[rows].tolist()
    if column.dtype.kind == "f":
        finite = column[np.isfinite(column)]
        whole = bool(np.all(finite == np.round(finite)) and np.all(np.abs(finite) <= _EXACT))
        return "%.0f" if whole else "%.6g", lambda rows: column[rows].tolist()
    if column.dtype.kind == "U":
        seen = {"": '""' if alone else ""}

        def quoted(rows: slice) -> list[str]:
            fields: list[str] = column[rows].tolist()
            seen.update((field, _quoted(field)) for field in set(fields).difference(seen))
            return [seen[field] for field in fields]

        return "%s", quoted
    raise ValueError(f"column {name!r} holds {column.dtype}; a table holds numbers or text")


def _quoted(field: str) -> str:
    if any(character in field for character in ',"\r\n'):
        return '"' + field.replace('"', '""') + '"'
    return field


def _rows(table: Table) -> int:
    """Number of rows. Raises ValueError when the columns disagree or there are none."""
    lengths = {name: np.shape(column) for name, column in table.items()}
    if not lengths or "" in lengths:
        raise ValueError("a table needs at least one column, and every column a name")
    shape = next(iter(lengths.values()))
    if len(shape) != 1 or set(lengths.values()) != {shape}:
        raise ValueError(f"columns of a table are one-dimensional and of equal length, given: {lengths}")
    return int(shape[0])


def concat(tables: Sequence[Table]) -> Table:
    """The rows of several tables below one another; all must have the same columns (in any order)."""
    if not tables:
        raise ValueError("no table was given; concat needs at least one")
    names = list(tables[0])
    for table in tables[1:]:
        if set(table) != set(names):
            odd = sorted(set(table).symmetric_difference(names))
            raise ValueError(f"tables must have the same columns; only some have {', '.join(odd)}")
    filled = [table for table in tables if _rows(table)] or [tables[0]]
    return {name: np.concatenate([table[name] for table in filled]) for name in names}


def select(table: Table, **equals: str | float) -> Table:
    """The rows in which every named column equals the given value: ``select(table, person="adult#001")``."""
    keep = np.ones(_rows(table), bool)
    for name, value in equals.items():
        if name not in table:
            raise ValueError(f"unknown column {name!r}; the table has {', '.join(table)}")
        keep &= table[name] == value
    return {name: column[keep] for name, column in table.items()}
