"""What the watches of T1D-UOM measured: heart rate, and the rate at rest, every few minutes (`UoMsleep2301.csv`).

The files are named after sleep and hold whole days. A rate of 0 means: not measured. Their times cannot be trusted:
rows stand every five minutes without a gap, hours away from the steps that the same watch counted, by more the later
(`results/wearable/table.md`).
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.world.diary import Diary, DiaryError
from twins.world.formats.grid import Event, Grid
from twins.world.formats.table import Row, read_most, rows

COLUMNS = ("sleep_ts", "heart_rate", "resting_heart_rate")
_FILE = re.compile(r"UoMsleep(\d+)\.csv(?:\.gz)?")
LOWEST_BPM, HIGHEST_BPM = 30.0, 230.0
"""Rates outside are errors of the watch."""


@dataclass(frozen=True, eq=False)
class Watch:
    """Heart rate (n,) [bpm] on the steps of a diary, NaN where not measured; resting_bpm: median over the days."""

    heart_rate_bpm: NDArray[np.float64]
    resting_bpm: float


def people(folder: Path) -> dict[str, Path]:
    """The files of the data set's folder by person ("2301")."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*/*")):
        if match := _FILE.fullmatch(path.name):
            found.setdefault(match[1], path)
    return found


def read(folder: Path, person: str, diary: Diary) -> Watch:
    """The watch of a person of T1D-UOM, laid on the days of their diary. Raises DiaryError where there is none."""
    known = people(folder)
    if person not in known:
        raise DiaryError(
            f"{folder}: no watch of person {person!r}; known are {', '.join(known) or 'none'}; take one of them"
        )
    notes: list[str] = []
    measured = read_most(rows(known[person], COLUMNS), _measured, notes)
    grid = Grid(diary.start, len(diary.glucose_mg_dl))
    inside = [one for one in measured if grid.holds(one[0][0])]
    beats: list[Event] = [(time, bpm) for (time, bpm), _ in inside if LOWEST_BPM <= bpm <= HIGHEST_BPM]
    resting = [rest for _, rest in inside if LOWEST_BPM <= rest <= HIGHEST_BPM]
    if not beats:
        raise DiaryError(
            f"{known[person].name}: no heart rate on the days of {diary.who}; take another person"
        )
    rates = grid.mean(beats)
    # Without a rate at rest the watch's lowest twentieth stands for it.
    return Watch(rates, float(np.median(resting)) if resting else float(np.nanpercentile(rates, 5)))


def _measured(row: Row) -> tuple[Event, float]:
    bpm, rest = row.number(1), row.number(2)
    return (row.british_time(0), 0.0 if math.isnan(bpm) else bpm), 0.0 if math.isnan(rest) else rest
