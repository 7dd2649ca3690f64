"""What the watches of T1D-UOM say of nights (`UoM2301sleeptime.csv`), steps and effort (`UoMActivity2301.csv`).

A night's begin is given in UTC with the local clock's offset beside it, unlike anything else in the data set; its
duration is time in bed asleep or awake. Steps and effort are those of bouts of 15 minutes by the local clock. Nights
that the watch did not confirm are kept, as the origin keeps them.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.world.diary import STEPS_PER_DAY, DiaryError
from twins.world.formats.grid import Grid
from twins.world.formats.t1d_uom import matching
from twins.world.formats.table import Row, read_most, rows

NIGHT = ("start_date_ts", "duration_in_sec", "start_time_offset_s", "awake_s")
_NIGHTS, _ACTIVITY = (
    re.compile(r"UoM(\d+)sleeptime\.csv(?:\.gz)?"),
    re.compile(r"UoMActivity(\d+)\.csv(?:\.gz)?"),
)
BOUT = ("activity_ts", "step_count", "activity_type", "active_time_s", "met")
LONGEST_NIGHT_S, BOUT_S, MOST_STEPS, MOST_MET = 20 * 3600.0, 900.0, 5000.0, 25.0
"""Of one night, and of a bout; what lies above is an error of the watch."""
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True, eq=False)
class Activity:
    """What a watch counted, every five minutes from `start` (00:00), a bout's spread evenly; NaN where it was off.

    steps (days, 288); met (days, 288): metabolic equivalents, 1 at rest, means over the kinds of activity of a bout.
    """

    start: datetime
    steps: NDArray[np.float64]
    met: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nights:
    """A person's nights: fell, woke (nights,): local clock, datetime64[s]; awake_h (nights,): in between."""

    fell: NDArray[np.datetime64]
    woke: NDArray[np.datetime64]
    awake_h: NDArray[np.float64]


def people(folder: Path) -> tuple[str, ...]:
    """Who has both files in the data set's folder."""
    return tuple(sorted(set(_files(folder, _NIGHTS)) & set(_files(folder, _ACTIVITY))))


def active_people(folder: Path) -> tuple[str, ...]:
    """Whose activity lies in the data set's folder."""
    return tuple(sorted(_files(folder, _ACTIVITY)))


def nights(folder: Path, person: str) -> Nights:
    """The nights of a person. Raises DiaryError where there is no file of them."""
    notes: list[str] = []
    path = _file(folder, _NIGHTS, person)
    slept = sorted(read_most(rows(path, NIGHT), _night, notes))
    if not slept:
        raise DiaryError(f"{path.name}: no night can be read; take another person ({'; '.join(notes)})")
    Grid.over(one[0] for one in slept)  # within its days, or a year is mistyped
    columns = list(zip(*slept, strict=True))
    return Nights(
        np.array(columns[0], "datetime64[s]"), np.array(columns[1], "datetime64[s]"), np.array(columns[2], float)
    )  # fmt: skip


def activity(folder: Path, person: str) -> Activity:
    """The steps and metabolic equivalents of a person. Raises DiaryError where there is no file of them."""
    path = _file(folder, _ACTIVITY, person)
    once = {tuple(row.fields): row for row in rows(path, BOUT)}
    walked = read_most(once.values(), _bout, [])
    if not walked:
        raise DiaryError(f"{path.name}: no bout can be read; take another person")
    grid = Grid.over(time for time, _ in walked)
    # A row belongs to the quarter of an hour from its time on, which has one for each kind of activity.
    parts = [(time + timedelta(minutes=later), values) for time, values in walked for later in (0, 5, 10)]
    inside = [one for one in parts if grid.holds(one[0])]
    steps, active, burnt = (
        grid.total([(time, values[column] / 3) for time, values in inside]) for column in range(3)
    )
    steps[np.isnan(grid.mean([(time, 0.0) for time, _ in inside]))] = np.nan
    met = np.where(active > 0, burnt / np.where(active > 0, active, 1.0), np.nan)
    return Activity(grid.start, steps.reshape(-1, STEPS_PER_DAY), met.reshape(-1, STEPS_PER_DAY))


def _night(row: Row) -> tuple[datetime, datetime, float]:
    lasted, offset, awake = (row.number(column) for column in (1, 2, 3))
    begin = row.british_time(0)
    if not FIRST_YEAR <= begin.year <= LAST_YEAR:
        raise row.error(0, f"{row.fields[0]!r} was given; allowed are years {FIRST_YEAR} to {LAST_YEAR}")
    if not 0 < lasted <= LONGEST_NIGHT_S:
        raise row.error(1, f"{row.fields[1]!r} was given; allowed are seconds up to {LONGEST_NIGHT_S:g}")
    if not abs(offset) <= 14 * 3600 or offset % 60:
        raise row.error(2, f"{row.fields[2]!r} was given; allowed are whole minutes up to 14 h, in seconds")
    if not 0 <= awake <= lasted:
        raise row.error(
            3, f"{row.fields[3]!r} was given; allowed are 0 to the {lasted:g} s that the night lasted"
        )
    fell = begin + timedelta(seconds=offset)
    return fell, fell + timedelta(seconds=lasted), awake / 3600


def _bout(row: Row) -> tuple[datetime, tuple[float, float, float]]:
    """Steps, seconds that it lasted, and these times metabolic equivalents."""
    count, lasted, met = (row.number(column) for column in (1, 3, 4))
    if not 0 <= count <= MOST_STEPS:
        raise row.error(1, f"{row.fields[1]!r} was given; allowed are 0 to {MOST_STEPS:g} steps in 15 min")
    if not 0 <= lasted <= BOUT_S or not 0 <= met <= MOST_MET:
        raise row.error(
            4, f"{row.fields[4]!r} for {row.fields[3]!r} s; allowed are 0 to {MOST_MET:g}, and {BOUT_S:g} s"
        )
    return row.british_time(0), (count, lasted, lasted * met)


def _files(folder: Path, name: re.Pattern[str]) -> dict[str, Path]:
    """By person."""
    found: dict[str, Path] = {}
    for match, path in matching(folder, name):
        found.setdefault(match[1], path)
    return found


def _file(folder: Path, name: re.Pattern[str], person: str) -> Path:
    known = _files(folder, name)
    if person not in known:
        wanted = name.pattern.partition(r"\.")[0].replace(r"(\d+)", person)
        there = ", ".join(sorted(known)) or "none"
        raise DiaryError(f"{folder}: no {wanted}.csv; there are such files of: {there}; take one of them")
    return known[person]
