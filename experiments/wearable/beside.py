"""Simulated days beside real ones: how many are asleep, steps and glucose, by the hour of the clock.

Real: people of T1D-UOM, whose days each give a curve a person. Simulated: adults in the settled part of weeks of office
and weekends under their usual hours (`Homeostat/Sleep-v0`), with the watch of `twins.world.wearable` on, and glucose
of the adults of the protocol "realistic" under basal-bolus. The two simulations do not know of each other, and the
simulated watch sees no exercise. The pulse of T1D-UOM is left out: its files lay it on every five minutes without a
gap, hours away from the steps of the same watch (`pulse_with_steps`).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.basal_bolus import BasalBolus
from agents.sleepers import Usual
from experiments.daily import seats
from experiments.nights.judge import setting
from experiments.nights.live import live
from experiments.people import judged
from experiments.protocol import load_protocol
from experiments.records.tables import Table, concat
from experiments.simulate import simulate
from experiments.wearable.phase import drawn, estimate, eyes, of_movement
from twins.bodies.circadian import FORGER
from twins.cohort import Cohort
from twins.units import MINUTES_PER_HOUR
from twins.world import duties, wearable
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, Diary, DiaryError, onto
from twins.world.formats import t1d_uom, t1d_uom_habits, t1d_uom_watch
from twins.world.formats.t1d_uom_habits import Activity, Nights

Array = NDArray[np.float64]

HOURS = 24
MEASURES = ("asleep", "steps", "glucose")
"""% asleep, steps an hour, mg/dL."""
SIMULATED_PEOPLE = 60
SETTLED_DAY = 10
"""Of the weeks after a flight: from then on they are as usual."""
REAL, SIMULATED = "T1D-UOM", "simulated"


@dataclass(frozen=True)
class Person:
    """A person's curves by hour (24,), NaN where never recorded; fell_h and slept_h: medians of nights [h of the clock,
    12 to 36; h]; steps_day: sum of the hours' means; onset_h: of
    melatonin, like fell_h (`onset_from_steps`); pulse_with_steps: see there. Both are NaN where nothing is known."""

    who: str
    of: str
    curves: dict[str, Array]
    fell_h: float
    slept_h: float
    steps_day: float
    onset_h: float = np.nan
    pulse_with_steps: float = np.nan


def real(folder: Path, most: int | None = None) -> list[Person]:
    """Everybody of T1D-UOM who has nights and steps, or the first few of them. Raises DiaryError where nobody has."""
    ids = t1d_uom_habits.people(folder)
    if not ids:
        raise DiaryError(
            f"{folder}: nobody with nights and steps; give the folder of T1D-UOM, with sleep and activity"
        )
    return [_real(folder, one) for one in ids[:most]]


def _real(folder: Path, who: str) -> Person:
    nights, active, diary = (
        t1d_uom_habits.nights(folder, who),
        t1d_uom_habits.activity(folder, who),
        t1d_uom.read(folder, who),
    )
    steps = by_hour(active.steps.reshape(-1))
    curves = {
        "asleep": 100.0 * by_hour(in_nights(nights)), "steps": 12.0 * steps, "glucose": by_hour(diary.glucose_mg_dl),
    }  # fmt: skip
    slept = (nights.woke - nights.fell).astype(float) / 3600 - nights.awake_h
    return Person(
        who, REAL, curves, float(np.median(clock_h(nights.fell))), float(np.median(slept)), float(12.0 * steps.sum()),
        onset_from_steps(who, nights, active), pulse_with_steps(folder, who, diary, active),
    )  # fmt: skip


def onset_from_steps(who: str, nights: Nights, active: Activity) -> float:
    """Melatonin onset by Forger's clock, median of days [h of the clock, 12 to 36], from steps and nights.

    Raises DiaryError where they do not suffice.
    """
    begin = nights.fell.min().astype("datetime64[D]").astype(datetime)
    first = datetime(begin.year, begin.month, begin.day)
    night = onto(in_nights(nights), first, active.steps.size, active.start)
    steps = np.where(np.isnan(night), np.nan, active.steps.reshape(-1))
    if not np.isfinite(steps).any():
        raise DiaryError(
            f"T1D-UOM {who}: no day with both nights and steps; needed are files of the same days"
        )
    try:
        light = eyes(of_movement(steps, night > 0), night > 0)
    except ValueError as error:
        raise DiaryError(f"T1D-UOM {who}: {error}") from None
    days = estimate(FORGER, drawn(0), light, np.isfinite(steps)).median
    return float(np.nanmedian(days)) if np.isfinite(days).any() else float("nan")


def pulse_with_steps(folder: Path, who: str, diary: Diary, active: Activity) -> float:
    """Correlation of the pulse with the logarithm of steps in the same five minutes, NaN without a pulse.

    Where the clocks of both agree it is well above 0, as in the simulated watch.
    """
    try:
        pulse = t1d_uom_watch.read(folder, who, diary)
    except DiaryError:
        return float("nan")
    walked = onto(active.steps.reshape(-1), active.start, len(pulse), diary.start)
    known = np.isfinite(pulse) & np.isfinite(walked)
    if known.sum() < STEPS_PER_DAY or not pulse[known].std() or not walked[known].std():
        return float("nan")
    return float(np.corrcoef(pulse[known], np.log1p(walked[known]))[0, 1])


def clock_h(times: NDArray[np.datetime64]) -> Array:
    """Hours of the clock from 12 to 36: 25 is one in the morning."""
    since: Array = (times - times.astype("datetime64[D]")).astype(float) / 3600
    return (since - 12.0) % 24.0 + 12.0


def in_nights(nights: Nights) -> Array:
    """Within a night (n,) in every five minutes from the first day on, NaN on days without nights at both ends."""
    first = nights.fell.min().astype("datetime64[D]")
    fell, woke = ((one - first).astype(float) / (60 * STEP_MIN) for one in (nights.fell, nights.woke))
    asleep = np.zeros((int(woke.max()) // STEPS_PER_DAY + 1) * STEPS_PER_DAY)
    for begin, end in zip(fell, woke, strict=True):
        asleep[int(begin) : int(end)] = 1.0
    days = asleep.reshape(-1, STEPS_PER_DAY)
    noon = STEPS_PER_DAY // 2
    evening, early = (np.asarray(half.any(axis=1)) for half in (days[:, noon:], days[:, :noon]))
    begins = evening | np.append(early[1:], False)  # some after midnight
    ended = early | np.append(False, evening[:-1])
    return np.where((begins & ended)[:, None], days, np.nan).reshape(-1)


def by_hour(values: Array) -> Array:
    """Means (24,) of whole days of five minutes (n,), NaN for hours that were never recorded."""
    days = values.reshape(-1, HOURS, 12)
    known = np.isfinite(days)
    count = known.sum(axis=(0, 2))
    total = np.where(known, days, 0.0).sum(axis=(0, 2))
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def simulated(people: int = SIMULATED_PEOPLE, glucose_days: int | None = None) -> list[Person]:
    """Adults under their usual hours, with a watch; glucose of as many adults as the protocol has, for its days or for
    so many."""
    where = replace(setting(FORGER), kind=duties.KINDS[duties.EAST])
    rows, keys = seats(people, where)
    lived = live(Usual(), where, rows, keys, keep=True)
    glucose = _glucose(glucose_days)
    found = []
    steps = lived.steps[SETTLED_DAY:]
    names = ("asleep", "in_bed", "room_lux")
    asleep, in_bed, lux = (np.concatenate([getattr(one, name) for one in steps], axis=1) for name in names)
    worn = wearable.measure(keys, 0, asleep, in_bed, np.zeros(asleep.shape), lux)
    late = round(duties.BEGINS_H * 12)
    for one in range(people):

        def curve(values: NDArray[np.generic], lane: int = one) -> Array:
            return by_hour(
                np.roll(values[lane].astype(float).reshape(-1, STEPS_PER_DAY), late, axis=1).reshape(-1)
            )

        nights = asleep[one].reshape(-1, STEPS_PER_DAY)
        fell = 18.0 + nights.argmax(axis=1) / 12
        walked = curve(worn.steps)
        curves = {
            "asleep": 100.0 * curve(worn.asleep), "steps": 12.0 * walked,
            "glucose": glucose[one % len(glucose)],
        }  # fmt: skip
        found.append(
            Person(
                f"{where.cohort.ids[rows[one]]}/{one}", SIMULATED, curves, float(np.median(fell)),
                float(nights.sum(axis=1).mean() / 12), float(12.0 * walked.sum()),
            )
        )  # fmt: skip
    return found


def _glucose(days: int | None) -> Array:
    """By hour (people, 24) of the adults of the protocol "realistic" under basal-bolus."""
    protocol = load_protocol("realistic")
    if days is not None:
        protocol = protocol.model_copy(update={"days": days})
    everybody: Cohort = judged(protocol)
    adults = [row for row in range(len(everybody)) if everybody.group(row) == "adult"]
    rollout = simulate(BasalBolus(), protocol, "rule", everybody.take(adults))
    hour = (rollout.columns["minute"][0].astype(int) - 1) // MINUTES_PER_HOUR % HOURS
    return np.stack([rollout.glucose_mg_dl[:, hour == one].mean(axis=1) for one in range(HOURS)], axis=1)


def tidy(people: list[Person]) -> Table:
    """A row a person, measure and hour."""
    return concat(
        [
            {
                "of": np.full(HOURS, one.of), "who": np.full(HOURS, one.who), "measure": np.full(HOURS, name),
                "hour": np.arange(HOURS), "value": one.curves[name],
            }
            for one in people
            for name in MEASURES
        ]
    )  # fmt: skip
