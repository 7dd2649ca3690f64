"""Reading comma-separated text row by row, with errors that name file, line and remedy."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from twins.files import UnfitFile, read_file
from twins.words import near_miss
from twins.world.diary import DiaryError

LIMITS = {
    "glucose_mg_dl": (10.0, 1000.0, "mg/dL; mmol/L go into the column glucose_mmol_l"),
    "glucose_mmol_l": (0.6, 55.0, "mmol/L; mg/dL divided by 18.0182 gives it"),
    "carbs_g": (0.0, 500.0, "g in one entry"),
    "bolus_u": (0.0, 60.0, "U in one dose (a pen gives no more at once); mU divided by 1000 gives it"),
    "basal_u_per_h": (0.0, 8.0, "U/h; divide mU/h by 1000, and U of long-acting insulin per day by 24"),
}
"""Lowest and highest value of a field, unit and remedy. What lies outside is an error of typing or unit."""

UNREADABLE_SHARE, UNREADABLE_ROWS = 0.02, 3
"""So many rows of a data set's file (the larger of the two) may be unreadable; they are left out."""

MOST_BYTES, MOST_LINES, WIDEST_LINE = 32 << 20, 1_600_000, 1 << 18
"""Limits of a recording, unpacked: three years have 1.6 million minutes. Beyond them a file is not parsed at all, as a
short line costs many times its size in memory."""

Parsed = TypeVar("Parsed")


class Row:
    """The wanted fields of one line, stripped of blanks."""

    __slots__ = ("file", "line", "names", "fields")

    def __init__(self, file: str, line: int, names: Sequence[str], fields: Sequence[str]):
        self.file, self.line, self.names, self.fields = file, line, names, fields

    def error(self, column: int, problem: str) -> DiaryError:
        """A DiaryError about one field."""
        return DiaryError(f"{self.file}, line {self.line}, column {self.names[column]}: {problem}")

    def number(self, column: int) -> float:
        """A finite number, NaN for an empty field. Raises DiaryError otherwise."""
        text = self.fields[column]
        if not text:
            return math.nan
        try:
            value = float(text)
        except ValueError:
            hint = "; write decimals with a point" if "," in text else ""
            problem = f"{_brief(text)} is not a number; write one or leave the field empty{hint}"
            raise self.error(column, problem) from None
        if not math.isfinite(value):
            raise self.error(column, f"{_brief(text)} is not a finite number; leave the field empty for no value")
        return value

    def allowed(self, column: int, value: float, quantity: str) -> float:
        """`value` (NaN passes), or DiaryError when it is outside the `LIMITS` of this quantity."""
        low, high, unit = LIMITS[quantity]
        if not math.isnan(value) and not low <= value <= high:
            raise self.error(column, f"{value:g} was given; allowed are {low:g} to {high:g} {unit}")
        return value

    def iso_time(self, column: int) -> datetime:
        """A local time such as 2024-01-31T07:05. Raises DiaryError for anything else, an offset included."""
        text = self.fields[column]
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            problem = f"{_brief(text)} is not a time; write it as 2024-01-31T07:05 (ISO 8601)"
            raise self.error(column, problem) from None
        if time.tzinfo is not None:
            raise self.error(column, f"{_brief(text)} has an offset from UTC; write local clock time without it")
        return time

    def british_time(self, column: int) -> datetime:
        """A local time DD/MM/YYYY HH:MM, seconds optional. Raises DiaryError for anything else."""
        text = self.fields[column]
        for form in ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"):
            try:
                return datetime.strptime(text, form)
            except ValueError:
                continue
        raise self.error(column, f"{_brief(text)} is not a time; needed is DD/MM/YYYY HH:MM")


def _brief(text: str) -> str:
    """A field as an error shows it."""
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


def header(path: Path) -> list[str]:
    """Names of the columns of a file. Raises DiaryError when it is not such a file."""
    return _header_and_lines(path)[0]


def rows(path: Path, columns: Sequence[str | tuple[str, ...]]) -> list[Row]:
    """The rows of a file, plain or gzip-compressed, with the fields of `columns` in this order.

    A tuple gives alternative names of one column. Lines that are blank or begin with '#' are passed over.
    Raises DiaryError for a missing column (naming the nearest), lines of another width, no rows.
    """
    names, lines = _header_and_lines(path)
    places = [_find(path, names, column) for column in columns]
    chosen = [names[place] for place in places]
    table = []
    for line, fields in lines:
        width = len(fields)
        if width <= max(places) or any(fields[len(names) :]):
            raise DiaryError(
                f"{path.name}, line {line}: {width} fields were given, the header has {len(names)}; "
                "separate fields by one comma and write decimals with a point"
            )
        table.append(Row(path.name, line, chosen, [fields[place] for place in places]))
    if not table:
        raise DiaryError(f"{path.name}: there is a header but no rows; give a file with a recording")
    return table


def read_most(table: Iterable[Row], parse: Callable[[Row], Parsed], notes: list[str]) -> list[Parsed]:
    """`parse` of the rows of a published data set, which may hold a few unreadable ones (`UNREADABLE_SHARE`).

    Says in `notes` how many were left out. Raises the first DiaryError when there are more.
    """
    good, bad = [], []
    for row in table:
        try:
            good.append(parse(row))
        except DiaryError as error:
            bad.append(error)
    if len(bad) > max(UNREADABLE_ROWS, UNREADABLE_SHARE * (len(good) + len(bad))):
        raise bad[0]
    if bad:
        notes.append(f"unreadable rows left out: {len(bad)}, the first: {bad[0]}")
    return good


def _find(path: Path, names: list[str], column: str | tuple[str, ...]) -> int:
    wanted = (column,) if isinstance(column, str) else column
    found = [index for index, name in enumerate(names) if name in wanted]
    if len(found) == 1:
        return found[0]
    if found and len({names[index] for index in found}) > 1:
        raise DiaryError(f"{path.name}: there are columns {' and '.join(map(repr, wanted))}; keep one of them")
    if found:
        name = names[found[0]]
        raise DiaryError(f"{path.name}: column {name!r} is there {len(found)} times; keep one of them")
    remedy = "rename or add it, with values in the unit that its name says"
    if any(";" in name or "\t" in name for name in names):
        remedy = "separate the fields by commas"
    raise DiaryError(
        f"{path.name}: there is no column {' or '.join(map(repr, wanted))}"
        f"{near_miss(wanted[0], filter(None, names)) or '.'} Given are {', '.join(names)}; {remedy}"
    )


def _header_and_lines(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    lines = _lines(path, _text(path))
    first = next(lines, None)
    if first is None:
        raise DiaryError(f"{path.name}: the file is empty; give a file with a recording")
    return first[1], lines


def _text(path: Path) -> str:
    try:
        data = read_file(path, MOST_BYTES, unpack=True)
    except (OSError, UnfitFile) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise DiaryError(f"{path}: {reason}; give the path of a CSV file, plain or gzip-compressed") from None
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero((raw == ord("\n")) | (raw == ord("\r")))
    if len(ends) > MOST_LINES or np.diff(ends, prepend=-1, append=len(data)).max() > WIDEST_LINE:
        raise DiaryError(
            f"{path.name}: {len(ends) + 1} lines, or one of more than {WIDEST_LINE} bytes; a recording has at most "
            f"{MOST_LINES} lines, of one reading each"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DiaryError(f"{path.name}: this is not text in UTF-8; save it as comma-separated text (CSV)")
    return text


def _lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for fields in reader:
            if any(fields) and not fields[0].startswith("#"):
                yield reader.line_num, [field.strip() for field in fields]
    except csv.Error as error:
        problem = f"{path.name}, line {reader.line_num}: {error}; save it as comma-separated text"
        raise DiaryError(problem) from None
