"""What a person recorded over days: glucose, carbs and insulin on one regular grid.

A diary begins at 00:00 of its first day and ends at 24:00 of its last, in steps of 5 min, so that a
day is a row of 288 values. It serves replay (`as_scenario`) and fitting a twin.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twins.units import GLUCOSE_MG_DL_PER_MMOL_L, MINUTES_PER_DAY
from twins.world.behaviour import EXACT, Behaviour
from twins.world.scenarios import RecordedDays

STEP_MIN = 5
STEPS_PER_DAY = MINUTES_PER_DAY // STEP_MIN
SLOWEST_SENSOR_MIN = 15
"""Sensors store a reading every 1 to 15 min; coverage is counted in stretches of this length."""

MIN_MEALS = 2
MEAL_G = 10.0
DAY_CARBS_G = (60.0, 400.0)
MIN_DAY_COVERAGE = 0.7
"""A day is fit for replay when at least `MIN_MEALS` entries of `MEAL_G` or more are logged, the carbs of
the day lie within `DAY_CARBS_G` (less is a day with meals not logged, more a typing error), and 70 % of
its quarters of an hour have a reading (minimum of the CGM consensus, Battelino, Diabetes Care 42, 2019)."""

RANGE_MG_DL = (70.0, 180.0)
HIGHEST_MEAN_IN_MMOL_L = 30.0
"""A mean glucose below this in mg/dL is incompatible with life: the values are mmol/L."""


def onto(values: NDArray[np.float64], start: datetime, steps: int, begin: datetime) -> NDArray[np.float64]:
    """Values (m,) of every five minutes from `start` on, on the `steps` from `begin` on; NaN where there are none."""
    laid = np.full(steps, np.nan)
    later = round((begin - start).total_seconds() / (60 * STEP_MIN))
    first, last = max(later, 0), min(later + steps, len(values))
    if last > first:
        laid[first - later : last - later] = values[first:last]
    return laid


class DiaryError(ValueError):
    """A recording cannot be used as it is. The message says what was given, what is allowed, what to do."""


@dataclass(frozen=True, eq=False)
class Diary:
    """The recording of one person; every array has shape (days * 288,), value k stands for `start` + 5 k min.

    glucose_mg_dl: mean of the readings nearest to that time, NaN where none. carbs_g, bolus_u: sums of
    what was logged nearest to it, 0 where nothing. basal_u_per_h: rate from then on, NaN where unknown.
    start: 00:00 of the first day, local clock. notes: what the reader repaired or left out, in words.
    Raises DiaryError for other shapes, values that are not allowed, mmol/L, and less than 24 h of glucose.
    """

    who: str
    start: datetime
    glucose_mg_dl: NDArray[np.float64]
    carbs_g: NDArray[np.float64]
    bolus_u: NDArray[np.float64]
    basal_u_per_h: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.start != datetime(*self.start.timetuple()[:3]):
            raise DiaryError(
                f"{self.who}: start is {self.start}; needed is 00:00 of a day, local clock without offset"
            )
        steps = len(self.glucose_mg_dl)
        for name in ("glucose_mg_dl", "carbs_g", "bolus_u", "basal_u_per_h"):
            values = getattr(self, name)
            if values.shape != (steps,) or steps == 0 or steps % STEPS_PER_DAY:
                raise DiaryError(
                    f"{self.who}: {name} has shape {values.shape}; needed is (days * {STEPS_PER_DAY},), "
                    "the same for all four"
                )
            if np.isinf(values).any() or (values < 0).any():
                raise DiaryError(
                    f"{self.who}: {name} holds infinite or negative values; allowed are finite ones from 0 up"
                )
            if name in ("carbs_g", "bolus_u") and np.isnan(values).any():
                raise DiaryError(f"{self.who}: {name} holds NaN; write 0 where nothing was logged")
        read = np.flatnonzero(np.isfinite(self.glucose_mg_dl))
        if len(read) == 0:
            raise DiaryError(f"{self.who}: there is no glucose reading; needed are at least 24 h of them")
        check_unit(self.who, self.glucose_mg_dl)
        span_min = (read[-1] - read[0]) * STEP_MIN + SLOWEST_SENSOR_MIN
        if span_min < MINUTES_PER_DAY:
            raise DiaryError(
                f"{self.who}: glucose was recorded over {span_min / 60:.1f} h; needed are at least 24 h, "
                "so give a longer recording"
            )

    @property
    def days(self) -> int:
        """Calendar days, the first and last one included even where they are recorded in part."""
        return len(self.glucose_mg_dl) // STEPS_PER_DAY

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Local time of each value, shape (days * 288,), datetime64[m]."""
        start = np.datetime64(self.start, "m")
        times: NDArray[np.datetime64] = start + STEP_MIN * np.arange(len(self.glucose_mg_dl))
        return times

    def take(self, first: int, days: int) -> "Diary":
        """The calendar days `first` ... `first + days - 1`, counted from 0.

        Raises DiaryError when the record does not have them, or has less than 24 h of glucose there.
        """
        if days < 1 or first < 0 or first + days > self.days:
            raise DiaryError(
                f"{self.who}: days {first} to {first + days - 1} were asked for; "
                f"the record has days 0 to {self.days - 1}, so ask for some of these"
            )
        part = slice(first * STEPS_PER_DAY, (first + days) * STEPS_PER_DAY)
        return Diary(
            self.who,
            self.start + timedelta(days=first),
            self.glucose_mg_dl[part],
            self.carbs_g[part],
            self.bolus_u[part],
            self.basal_u_per_h[part],
            self.notes,
        )


def check_unit(who: str, glucose_mg_dl: NDArray[np.float64]) -> None:
    """Raise DiaryError when the values (NaN allowed, at least one finite) are mmol/L instead of mg/dL."""
    mean = np.nanmean(glucose_mg_dl)
    if mean < HIGHEST_MEAN_IN_MMOL_L:
        raise DiaryError(
            f"{who}: glucose has a mean of {mean:.1f}, which is mmol/L; needed is mg/dL, so multiply "
            f"the values by {GLUCOSE_MG_DL_PER_MMOL_L}"
        )


@dataclass(frozen=True)
class Summary:
    """A diary in figures. Shares are 0 ... 1; amounts per day are means over days with an entry, or NaN."""

    days: float
    """Days from the first to the last glucose reading."""
    coverage: float
    """Share of the quarters of an hour between these that have a reading."""
    mean_glucose_mg_dl: float
    in_range: float
    """Share of readings within 70-180 mg/dL."""
    below_70: float
    carbs_g_per_day: float
    bolus_u_per_day: float
    basal_u_per_day: float
    """24 h at the mean of the known rates."""
    insulin_u_per_day: float
    """Total daily insulin: bolus and basal; NaN when one of them is unknown."""
    complete_days: int
    """Days fit for replay, see `complete_days`."""


def summary(diary: Diary) -> Summary:
    """The figures of a diary."""
    glucose = diary.glucose_mg_dl[np.isfinite(diary.glucose_mg_dl)]
    covered = np.flatnonzero(_covered(diary).ravel())
    span = covered[-1] - covered[0] + 1
    basal = diary.basal_u_per_h[np.isfinite(diary.basal_u_per_h)]
    bolus, basal_day = _per_day(diary.bolus_u), float(24 * basal.mean()) if len(basal) else np.nan
    return Summary(
        days=float(span * SLOWEST_SENSOR_MIN / MINUTES_PER_DAY),
        coverage=float(len(covered) / span),
        mean_glucose_mg_dl=float(glucose.mean()),
        in_range=float(((glucose >= RANGE_MG_DL[0]) & (glucose <= RANGE_MG_DL[1])).mean()),
        below_70=float((glucose < RANGE_MG_DL[0]).mean()),
        carbs_g_per_day=_per_day(diary.carbs_g),
        bolus_u_per_day=bolus,
        basal_u_per_day=basal_day,
        insulin_u_per_day=bolus + basal_day,
        complete_days=len(complete_days(diary)),
    )


def complete_days(diary: Diary) -> tuple[int, ...]:
    """Days fit for replay, counted from 0; the rule is at `MIN_DAY_COVERAGE`."""
    carbs = _by_day(diary.carbs_g)
    total = carbs.sum(axis=1)
    fit = (
        ((carbs >= MEAL_G).sum(axis=1) >= MIN_MEALS)
        & (total >= DAY_CARBS_G[0])
        & (total <= DAY_CARBS_G[1])
        & (_covered(diary).mean(axis=1) >= MIN_DAY_COVERAGE)
    )
    return tuple(int(day) for day in np.flatnonzero(fit))


def as_scenario(diary: Diary, behaviour: Behaviour = EXACT) -> RecordedDays:
    """The complete days of a diary as meals to replay. Raises DiaryError when there is none."""
    days = complete_days(diary)
    if not days:
        raise DiaryError(
            f"{diary.who}: none of {diary.days} days can be replayed; needed is a day with {MIN_MEALS} meals "
            f"of at least {MEAL_G:g} g, {DAY_CARBS_G[0]:g} to {DAY_CARBS_G[1]:g} g of carbs in all and "
            f"glucose for {MIN_DAY_COVERAGE:.0%} of it; log the meals, or take another person"
        )
    carbs = _by_day(diary.carbs_g)
    meals = tuple(
        tuple((float(step * STEP_MIN), float(carbs[day, step])) for step in np.flatnonzero(carbs[day]))
        for day in days
    )
    return RecordedDays(meals, diary.who, behaviour)


def _by_day(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.reshape(-1, STEPS_PER_DAY)


def _covered(diary: Diary) -> NDArray[np.bool_]:
    """Which quarters of an hour have a reading, shape (days, 96)."""
    read = np.isfinite(_by_day(diary.glucose_mg_dl))
    covered: NDArray[np.bool_] = np.any(read.reshape(diary.days, -1, SLOWEST_SENSOR_MIN // STEP_MIN), axis=2)
    return covered


def _per_day(amount: NDArray[np.float64]) -> float:
    by_day = _by_day(amount).sum(axis=1)
    return float(by_day[by_day > 0].mean()) if by_day.any() else np.nan
