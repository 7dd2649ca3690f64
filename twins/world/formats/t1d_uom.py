"""T1D-UOM: 17 adults with type-1 diabetes, Manchester (Zenodo 10.5281/zenodo.15806142, Sci Data 12, 1379).

A person has up to four files: `UoMGlucose2301.csv` (mmol/L), `UoMBolus...` (U), `UoMBasal...` (U/h of a
pump, kind R, or U of an injection, kind L) and `UoMNutrition...`, in folders below the data set's, plain
or gzip-compressed. A file that is missing means: not recorded. The origin's README says MM/DD/YYYY, the
rows are DD/MM/YYYY. The days are those of the glucose; what lies outside (mistyped years) is left out.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from twins.units import GLUCOSE_MG_DL_PER_MMOL_L
from twins.words import near_miss
from twins.world.diary import Diary, DiaryError
from twins.world.formats.grid import HOLD_H, Event, Grid
from twins.world.formats.table import Row, read_most, rows

GLUCOSE = ("bg_ts", "value")
BOLUS = ("bolus_ts", "bolus_dose")
BASAL = ("basal_ts", "basal_dose", "insulin_kind")
NUTRITION = ("meal_ts", "carbs_g", "meal_type", "meal_tag")  # two meals of one minute differ in type or tag
TIME_COLUMNS = (GLUCOSE[0], BOLUS[0], BASAL[0], NUTRITION[0])
_FILE = re.compile(r"UoM(Glucose|Bolus|Basal|Nutrition)(\d+)\.csv(?:\.gz)?")

PUMP_HOLD_H = 24.0
"""Pumps of T1D-UOM log each change of rate (programme, suspension) and the rate at midnight, so a rate holds
until the next row; closed-loop pumps log every few minutes, and there the usual limit stands."""
FINE_LOG_MIN = 30.0

HOLDS_ALSO = {"2304": "2303"}
"""The glucose file of the first person also holds nearly all rows of the second one (14,125 of 14,187)."""


def files(folder: Path) -> dict[str, dict[str, Path]]:
    """The files of the data set's folder: by person ("2301", ...) and kind ("Glucose", "Bolus", ...)."""
    found: dict[str, dict[str, Path]] = {}
    for match, path in matching(folder, _FILE):
        found.setdefault(match[2], {}).setdefault(match[1], path)
    return {person: found[person] for person in sorted(found) if "Glucose" in found[person]}


def matching(folder: Path, name: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Path]]:
    """Files of the data set's folder with such names, the nearest first."""
    for depth in ("*", "*/*", "*/*/*"):  # the origin keeps insulin one folder deeper
        for path in sorted(folder.glob(depth)):
            if match := name.fullmatch(path.name):
                yield match, path


def read(source: Path, person: str | None = None) -> Diary:
    """The diary of a person ("2301") from the data set's folder or from one of the person's files.

    Raises DiaryError.
    """
    folder, who = _locate(source, person)
    known = files(folder)
    if who not in known:
        raise DiaryError(
            f"{folder}: no T1D-UOM glucose of person {who!r}{near_miss(str(who), known) or '.'} "
            f"Known are {', '.join(known) or 'none'}"
        )
    mine = known[who]
    notes: list[str] = []
    glucose = _events(mine, "Glucose", GLUCOSE, _reading, notes)
    if who in HOLDS_ALSO:
        glucose = _without(HOLDS_ALSO[who], known, glucose, notes)
    if not glucose:
        raise DiaryError(f"{mine['Glucose'].name}: there is no glucose reading; take another person")
    grid = Grid.over(time for time, _ in glucose)
    bolus = _within(grid, _events(mine, "Bolus", BOLUS, _bolus, notes), "boluses", notes)
    meals = _within(grid, _events(mine, "Nutrition", NUTRITION, _meal, notes), "meals", notes)
    pump = _within(grid, _events(mine, "Basal", BASAL, _pump_rate, notes), "basal rates", notes)
    injected = _within(grid, _events(mine, "Basal", BASAL, _injection, []), "injections", notes)
    held, spread = grid.held(pump, _hold_h(pump)), grid.spread(injected)
    basal = np.where(np.isnan(held), spread, held + np.where(np.isnan(spread), 0.0, spread))
    return Diary(
        f"T1D-UOM {who}",
        grid.start,
        grid.mean(glucose),
        grid.total(meals),
        grid.total(bolus),
        basal,
        tuple(notes),
    )


def _locate(source: Path, person: str | None) -> tuple[Path, str | None]:
    if source.is_dir():
        return source, person
    match = _FILE.fullmatch(source.name)
    if match is None or person not in (None, match[2]):
        raise DiaryError(
            f"{source.name}: this is no T1D-UOM file of person {person or 'ID'}; needed is a file named "
            f"such as UoMGlucose{person or '2301'}.csv, or the folder of the data set and a person"
        )
    folder = source.resolve().parent
    while folder.name.lower().startswith(("glucose", "nutrition", "insulin", "basal", "bolus")):
        folder = folder.parent
    return folder, match[2]


def _events(
    mine: dict[str, Path],
    kind: str,
    columns: tuple[str, ...],
    parse: Callable[[Row], Event],
    notes: list[str],
) -> list[Event]:
    """What `parse` makes of a file's rows, in order of time, without those that repeat or have no value."""
    if kind not in mine:
        notes.append(f"no file UoM{kind}")
        return []
    table = rows(mine[kind], columns)
    once = {tuple(row.fields): row for row in table}
    if len(once) < len(table):
        notes.append(f"{mine[kind].name}: repeated rows left out: {len(table) - len(once)}")
    parsed = read_most(once.values(), parse, notes)
    return sorted((event for event in parsed if not math.isnan(event[1])), key=lambda event: event[0])


def _reading(row: Row) -> Event:
    return row.british_time(0), row.allowed(1, row.number(1) * GLUCOSE_MG_DL_PER_MMOL_L, "glucose_mg_dl")


def _bolus(row: Row) -> Event:
    return row.british_time(0), row.allowed(1, row.number(1), "bolus_u")


def _meal(row: Row) -> Event:
    return row.british_time(0), row.allowed(1, row.number(1), "carbs_g")


def _pump_rate(row: Row) -> Event:
    rate = row.number(1) if _kind(row) == "R" else math.nan
    return row.british_time(0), row.allowed(1, rate, "basal_u_per_h")


def _injection(row: Row) -> Event:
    dose = row.number(1) if _kind(row) == "L" else math.nan
    row.allowed(1, dose / 24, "basal_u_per_h")
    return row.british_time(0), dose


def _kind(row: Row) -> str:
    kind = row.fields[2]
    if kind not in ("R", "L"):
        raise row.error(2, f"{kind!r} was given; allowed are R (pump, U/h) and L (long-acting, U)")
    return kind


def _without(
    other: str, known: dict[str, dict[str, Path]], glucose: list[Event], notes: list[str]
) -> list[Event]:
    """The readings that are not in the file of person `other`."""
    if other not in known:
        raise DiaryError(
            f"this person's file also holds the glucose of {other}; put UoMGlucose{other}.csv beside it, "
            "so that the two can be told apart"
        )
    theirs = set(_events(known[other], "Glucose", GLUCOSE, _reading, []))
    own = [event for event in glucose if event not in theirs]
    notes.append(f"readings of person {other} left out: {len(glucose) - len(own)}")
    return own


def _within(grid: Grid, events: list[Event], what: str, notes: list[str]) -> list[Event]:
    kept = [event for event in events if grid.holds(event[0])]
    if len(kept) < len(events):
        notes.append(f"{what} outside the days with glucose left out: {len(events) - len(kept)}")
    return kept


def _hold_h(pump: list[Event]) -> float:
    gaps_min = np.diff(np.array([time for time, _ in pump], "datetime64[s]")).astype(float) / 60
    return HOLD_H if len(gaps_min) and np.median(gaps_min) <= FINE_LOG_MIN else PUMP_HOLD_H
