"""The plain format: one CSV file per person.

Columns, in any order, others are ignored:
- time: local clock, ISO 8601 (2024-01-31T07:05), rising from row to row;
- glucose_mg_dl (or glucose_mmol_l), carbs_g, bolus_u: a reading, carbs eaten, a dose; empty where none;
- basal_u_per_h: the rate from then on; empty means unchanged, for at most 2 h, after which the rate is
  unknown; the word `unknown` says so at once.

Lines that begin with '#' are comments. The file may be gzip-compressed.
"""

import math
from pathlib import Path

import numpy as np

from twins.files import atomic_write_text
from twins.units import GLUCOSE_MG_DL_PER_MMOL_L
from twins.world.diary import Diary, DiaryError, check_unit
from twins.world.formats.grid import Event, Grid
from twins.world.formats.table import Row, rows

COLUMNS = ("time", "glucose_mg_dl", "carbs_g", "bolus_u", "basal_u_per_h")
TIME, GLUCOSE, CARBS, BOLUS, BASAL = range(5)
IN_MMOL_L = "glucose_mmol_l"
UNKNOWN = "unknown"


def read(path: Path, person: str | None = None) -> Diary:
    """The diary in a plain CSV file; `person` is its name, by default that of the file. Raises DiaryError."""
    table = rows(path, (COLUMNS[TIME], (COLUMNS[GLUCOSE], IN_MMOL_L), *COLUMNS[CARBS:]))
    times = [row.iso_time(TIME) for row in table]
    for row, before, time in zip(table[1:], times, times[1:], strict=False):
        if time <= before:
            remedy = "merge the two rows" if time == before else "sort the rows by time"
            raise row.error(TIME, f"{time} was given after {before}; allowed are rising times; {remedy}")
    glucose = np.array([row.number(GLUCOSE) for row in table])
    if table[0].names[GLUCOSE] == COLUMNS[GLUCOSE] and np.isfinite(glucose).any():
        check_unit(path.name, glucose)
    events: dict[int, list[Event]] = {column: [] for column in (GLUCOSE, CARBS, BOLUS, BASAL)}
    for row, time in zip(table, times, strict=True):
        for column, found in events.items():
            value, stops = _value(row, column)
            if stops or not math.isnan(value):
                found.append((time, value))
    grid = Grid.over(times)
    return Diary(
        person or _stem(path),
        grid.start,
        grid.mean(events[GLUCOSE]),
        grid.total(events[CARBS]),
        grid.total(events[BOLUS]),
        grid.held(events[BASAL]),
    )


def write_csv(diary: Diary, path: str | Path, comment: str = "") -> None:
    """Write a diary in the plain format, with `comment` (one line) first; `read` gives back the same arrays.

    The file appears whole or not at all. A comment of several lines is refused (DiaryError).
    """
    path = Path(path)
    if "\n" in comment or "\r" in comment:
        raise DiaryError(f"the comment of {path.name} has several lines; give one")
    lines = [f"# {comment}"] if comment else []
    lines.append(",".join(COLUMNS))
    known_before = False
    stamps = np.datetime_as_string(diary.times, unit="m")
    values = (diary.glucose_mg_dl, diary.carbs_g, diary.bolus_u, diary.basal_u_per_h)
    table = zip(stamps, *(array.tolist() for array in values), strict=True)
    for stamp, glucose, carbs, bolus, basal in table:
        known = not math.isnan(basal)
        rate = _text(basal) if known else UNKNOWN if known_before else ""
        known_before = known
        fields = ("" if math.isnan(glucose) else _text(glucose), _amount(carbs), _amount(bolus), rate)
        if any(fields):
            lines.append(",".join((str(stamp), *fields)))
    atomic_write_text(path, "\n".join(lines) + "\n")


def _value(row: Row, column: int) -> tuple[float, bool]:
    """The number in a field (NaN where none), and whether it says that the rate is unknown from then on."""
    if column == BASAL and row.fields[BASAL] == UNKNOWN:
        return math.nan, True
    value = row.allowed(column, row.number(column), row.names[column])
    return value * GLUCOSE_MG_DL_PER_MMOL_L if row.names[column] == IN_MMOL_L else value, False


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".csv")


def _text(value: float) -> str:
    return repr(value).removesuffix(".0")


def _amount(value: float) -> str:
    return _text(value) if value else ""
