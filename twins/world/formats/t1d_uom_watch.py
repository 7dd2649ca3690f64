"""What the watches of T1D-UOM measured: heart rate every few minutes (`UoMsleep2301.csv`).

The files are named after sleep and hold whole days. A rate of 0 means: not measured. Their times cannot be trusted:
rows stand every five minutes without a gap, hours away from the steps that the same watch counted, by more the later
(`results/wearable/table.md`).
"""

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.world.diary import Diary, DiaryError
from twins.world.formats.grid import Event, Grid
from twins.world.formats.t1d_uom import matching
from twins.world.formats.table import Row, read_most, rows

COLUMNS = ("sleep_ts", "heart_rate")
_FILE = re.compile(r"UoMsleep(\d+)\.csv(?:\.gz)?")
LOWEST_BPM, HIGHEST_BPM = 30.0, 230.0
"""Rates outside are errors of the watch."""


def people(folder: Path) -> dict[str, Path]:
    """The files of the data set's folder by person ("2301")."""
    found: dict[str, Path] = {}
    for match, path in matching(folder, _FILE):
        found.setdefault(match[1], path)
    return found


def read(folder: Path, person: str, diary: Diary) -> NDArray[np.float64]:
    """The heart rate (n,) [bpm] of a person of T1D-UOM on the steps of their diary, NaN where not measured.

    Raises DiaryError where there is none.
    """
    known = people(folder)
    if person not in known:
        raise DiaryError(
            f"{folder}: no watch of person {person!r}; known are {', '.join(known) or 'none'}; take one of them"
        )
    grid = Grid(diary.start, len(diary.glucose_mg_dl))
    measured = read_most(rows(known[person], COLUMNS), _measured, [])
    beats = [one for one in measured if grid.holds(one[0]) and LOWEST_BPM <= one[1] <= HIGHEST_BPM]
    if not beats:
        raise DiaryError(
            f"{known[person].name}: no heart rate on the days of {diary.who}; take another person"
        )
    return grid.mean(beats)


def _measured(row: Row) -> Event:
    bpm = row.number(1)
    return row.british_time(0), 0.0 if math.isnan(bpm) else bpm
