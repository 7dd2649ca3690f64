"""Exports of an actigraph (Actiwatch): movement, light and the watch's own scoring of sleep, in epochs of seconds.

One file per person: Date (M/D/YYYY), Time (H:MM:SS AM or PM), Activity (counts of an epoch), White Light (lux at the
wrist), Sleep/Wake (0 asleep, 1 awake). Times are of the local clock; epochs that are missing stay missing.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.world.diary import STEPS_PER_DAY, DiaryError
from twins.world.formats.grid import Grid
from twins.world.formats.table import Row, read_most, rows

COLUMNS = ("Date", "Time", "Activity", "White Light", "Sleep/Wake")
MOST_COUNTS, MOST_LUX = 100_000.0, 200_000.0
"""Of an epoch, and of the sun at noon; what lies above is an error of the watch."""
_TIME = "%m/%d/%Y %I:%M:%S %p"


@dataclass(frozen=True, eq=False)
class Actigraphy:
    """A person's days in steps of five minutes from `start` (00:00), NaN where nothing was recorded.

    movement (n,): counts of an epoch, means; lux (n,): means; asleep (n,): share of epochs scored asleep.
    """

    start: datetime
    movement: NDArray[np.float64]
    lux: NDArray[np.float64]
    asleep: NDArray[np.float64]


def read(path: Path) -> Actigraphy:
    """The recording of a person. Raises DiaryError, which names file, line and remedy."""
    notes: list[str] = []
    epochs = read_most(rows(path, COLUMNS), _epoch, notes)
    if not epochs:
        raise DiaryError(
            f"{path.name}: no epoch can be read; needed are columns {', '.join(COLUMNS)}, as an Actiwatch exports "
            f"({'; '.join(notes)})"
        )
    grid = Grid.over(time for time, _ in epochs)
    movement, lux, asleep = (
        grid.mean([(time, values[column]) for time, values in epochs if not math.isnan(values[column])])
        for column in range(3)
    )
    days = np.asarray(np.isfinite(movement).reshape(-1, STEPS_PER_DAY).any(axis=1))
    if 2 * days.sum() < len(days):
        raise DiaryError(
            f"{path.name}: {days.sum()} of {len(days)} days hold epochs; dates are M/D/YYYY, correct a mistyped one"
        )
    both = np.isfinite(movement) & np.isfinite(asleep)
    up, down = both & (asleep < 0.5), both & (asleep > 0.5)
    if not up.any() or not down.any() or movement[down].mean() >= movement[up].mean():
        raise DiaryError(
            f"{path.name}: no sleep, no waking, or as much movement asleep as awake; {COLUMNS[4]} is 0 asleep, 1 awake"
        )
    return Actigraphy(grid.start, movement, lux, asleep)


def _epoch(row: Row) -> tuple[datetime, tuple[float, float, float]]:
    text = f"{row.fields[0]} {row.fields[1]}"
    try:
        time = datetime.strptime(text, _TIME)
    except ValueError:
        raise row.error(0, f"{text!r} is not a time; write it as 2/20/2019 and 12:32:00 PM") from None
    scored = _known(row, 4, 1.0)
    if scored not in (0.0, 1.0) and not math.isnan(scored):
        raise row.error(4, f"{row.fields[4]!r} was given; allowed are 0 (asleep) and 1 (awake)")
    return time, (_known(row, 2, MOST_COUNTS), _known(row, 3, MOST_LUX), 1.0 - scored)


def _known(row: Row, column: int, most: float) -> float:
    """A number, NaN where the watch wrote NaN or nothing. Raises DiaryError outside 0 to `most`."""
    value = math.nan if row.fields[column] == "NaN" else row.number(column)
    if not math.isnan(value) and not 0 <= value <= most:
        raise row.error(column, f"{row.fields[column]!r} was given; allowed are 0 to {most:g}")
    return value


def find(folder: Path) -> Path:
    """The recording in a folder of recordings. Raises DiaryError where there is none, or more than one."""
    if not folder.is_dir():
        raise DiaryError(f"{folder}: no such folder; put a recording named *actiwatch*.csv there")
    found = sorted(folder.glob("*actiwatch*.csv*"))
    if len(found) != 1:
        raise DiaryError(
            f"{folder}: {len(found)} files named *actiwatch*.csv; leave one there, with columns {', '.join(COLUMNS)}"
        )
    return found[0]
