"""AZT1D: 25 adults on automated insulin delivery, Mayo Clinic Arizona (Mendeley Data 10.17632/gk9m674wcx.1).

One file per person, `subject_10.csv.gz` or `Subject 10.csv`, a row per reading or event. The export has
two kinds of errors, repaired here: rates in mU/h for stretches, and rows that were written twice.
"""

import re
from datetime import datetime
from math import isnan
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from twins.words import near_miss
from twins.world.diary import Diary, DiaryError
from twins.world.formats.grid import Grid
from twins.world.formats.table import LIMITS, Row, read_most, rows

TIME_COLUMN = "EventDateTime"
COLUMNS = (TIME_COLUMN, ("CGM", "Readings (CGM / BGM)"), "CarbSize", "TotalBolusInsulinDelivered", "Basal")
TIME, GLUCOSE, CARBS, BOLUS, BASAL = range(5)
HIGHEST_U_PER_H = LIMITS["basal_u_per_h"][1]
_FILE = re.compile(r"subject[ _](\d+)\.csv(?:\.gz)?", re.IGNORECASE)


class _Sample(NamedTuple):
    """One row; NaN where there is no reading or rate, 0 where there is no event."""

    time: datetime
    glucose_mg_dl: float
    carbs_g: float
    bolus_u: float
    basal: float


def files(folder: Path) -> dict[str, Path]:
    """The files of a folder by person, "01", "02", ... in this order."""
    found = {match[1].zfill(2): path for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
    return dict(sorted(found.items()))


def read(source: Path, person: str | None = None) -> Diary:
    """The diary of a person ("10") from the data set's folder, or of one file. Raises DiaryError."""
    who, path = _locate(source, person)
    notes: list[str] = []
    table = sorted(read_most(rows(path, COLUMNS), _parse, notes), key=attrgetter("time"))
    events = [(row.time, row.bolus_u, row.carbs_g) for row in table if row.bolus_u > 0 or row.carbs_g > 0]
    once = list(dict.fromkeys(events))
    if len(once) < len(events):
        notes.append(f"repeated rows of boluses and carbs left out: {len(events) - len(once)}")
    milli = sum(row.basal > HIGHEST_U_PER_H for row in table)
    if milli:
        notes.append(f"basal rates above {HIGHEST_U_PER_H:g} taken as mU/h: {milli}")
    grid = Grid.over(row.time for row in table)
    return Diary(
        f"AZT1D {who}",
        grid.start,
        grid.mean([(row.time, row.glucose_mg_dl) for row in table if not isnan(row.glucose_mg_dl)]),
        grid.total([(time, carbs) for time, _, carbs in once]),
        grid.total([(time, bolus) for time, bolus, _ in once]),
        grid.held([(row.time, _in_u_per_h(row.basal)) for row in table if not isnan(row.basal)]),
        tuple(notes),
    )


def _locate(source: Path, person: str | None) -> tuple[str, Path]:
    if source.is_dir():
        known = files(source)
        who = (person or "").zfill(2)
        if who not in known:
            raise DiaryError(
                f"{source}: no AZT1D recording of person {person!r}{near_miss(who, known) or '.'} "
                f"Known are {', '.join(known) or 'none'}"
            )
        return who, known[who]
    match = _FILE.fullmatch(source.name)
    who = match[1].zfill(2) if match else person or source.name.split(".")[0]
    if person is not None and person.zfill(2) != who.zfill(2):
        raise DiaryError(
            f"{source.name} is the recording of {who}; {person!r} was asked for; leave out one of them"
        )
    return who, source


def _parse(row: Row) -> _Sample:
    glucose = row.allowed(GLUCOSE, row.number(GLUCOSE), "glucose_mg_dl")
    carbs = row.allowed(CARBS, row.number(CARBS), "carbs_g")
    bolus = row.allowed(BOLUS, row.number(BOLUS), "bolus_u")
    basal = row.number(BASAL)
    row.allowed(BASAL, _in_u_per_h(basal), "basal_u_per_h")
    return _Sample(
        row.iso_time(TIME), glucose, 0.0 if isnan(carbs) else carbs, 0.0 if isnan(bolus) else bolus, basal
    )


def _in_u_per_h(rate: float) -> float:
    return rate / 1000 if rate > HIGHEST_U_PER_H else rate
