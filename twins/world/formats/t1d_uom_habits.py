"""What the watches of T1D-UOM say of nights (`UoM2301sleeptime.csv`) and of steps (`UoMActivity2301.csv`).

A night's begin is given in UTC with the local clock's offset beside it, unlike anything else in the data set; its
duration is time in bed asleep or awake. Steps are those of bouts of 15 minutes by the local clock. Nights that the
watch did not confirm are kept, as the origin keeps them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.world.diary import DiaryError
from twins.world.formats.grid import Event, Grid
from twins.world.formats.table import Row, read_most, rows

NIGHT = ("start_date_ts", "duration_in_sec", "start_time_offset_s", "awake_s")
BOUT = ("activity_ts", "step_count", "activity_type", "duration_s")
LONGEST_NIGHT_S, MOST_STEPS = 20 * 3600.0, 5000.0
"""Of one night, and of a bout of a quarter of an hour; what lies above is an error of the watch."""


@dataclass(frozen=True, eq=False)
class Habits:
    """A person's nights and steps. fell, woke (nights,): local clock, datetime64[s]; awake_h (nights,): in between.
    start: of the days of steps (n, 288), every five minutes, a bout's spread evenly; NaN where the watch was off."""

    fell: NDArray[np.datetime64]
    woke: NDArray[np.datetime64]
    awake_h: NDArray[np.float64]
    start: datetime
    steps: NDArray[np.float64]


def people(folder: Path) -> tuple[str, ...]:
    """Who has both files in the data set's folder."""
    ids = (path.name[3:].partition("sleeptime")[0] for path in folder.glob("*/UoM*sleeptime.csv*"))
    return tuple(sorted(one for one in ids if _file(folder, f"UoMActivity{one}.csv") is not None))


def read(folder: Path, person: str) -> Habits:
    """The nights and steps of a person. Raises DiaryError where one of the files is not there."""
    names = (f"UoM{person}sleeptime.csv", f"UoMActivity{person}.csv")
    paths = [_file(folder, name) for name in names]
    for name, path in zip(names, paths, strict=True):
        if path is None:
            known = ", ".join(people(folder)) or "none"
            raise DiaryError(f"{folder}: no {name}; who has nights and steps: {known}; take one of them")
    nights, bouts = (path for path in paths if path is not None)
    slept = sorted(read_most(rows(nights, NIGHT), _night, []))
    once = {tuple(row.fields): row for row in rows(bouts, BOUT)}
    walked = read_most(once.values(), _bout, [])
    if not slept or not walked:
        raise DiaryError(f"{names[0]}, {names[1]}: no night or no bout can be read; take another person")
    grid = Grid.over(time for time, _ in walked)
    # A count belongs to the quarter of an hour from its time on, which has a row for each kind of activity.
    parts = [(time + timedelta(minutes=later), count / 3) for time, count in walked for later in (0, 5, 10)]
    inside = [one for one in parts if grid.holds(one[0])]
    steps = np.where(np.isnan(grid.mean(inside)), np.nan, grid.total(inside))
    columns = list(zip(*slept, strict=True))
    return Habits(
        np.array(columns[0], "datetime64[s]"), np.array(columns[1], "datetime64[s]"), np.array(columns[2], float),
        grid.start, steps.reshape(-1, 288),
    )  # fmt: skip


def _night(row: Row) -> tuple[datetime, datetime, float]:
    lasted, offset, awake = (row.number(column) for column in (1, 2, 3))
    if not 0 < lasted <= LONGEST_NIGHT_S:
        raise row.error(1, f"{row.fields[1]!r} was given; allowed are seconds up to {LONGEST_NIGHT_S:g}")
    if not abs(offset) <= 14 * 3600 or not 0 <= awake <= lasted:
        raise row.error(
            2, "an offset of more than 14 h, or more time awake than the night lasted; correct it"
        )
    fell = row.british_time(0) + timedelta(seconds=offset)
    return fell, fell + timedelta(seconds=lasted), awake / 3600


def _bout(row: Row) -> Event:
    count = row.number(1)
    if not 0 <= count <= MOST_STEPS:
        raise row.error(1, f"{row.fields[1]!r} was given; allowed are 0 to {MOST_STEPS:g} steps in 15 min")
    return row.british_time(0), count


def _file(folder: Path, name: str) -> Path | None:
    return next((path for form in ("*", "*/*") for path in sorted(folder.glob(f"{form}/{name}*"))), None)
