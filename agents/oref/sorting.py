"""Which readings of a diary tell of what: carbs, sensitivity or basal insulin, and which meals tell of the carb ratio.

Glucose that insulin does not explain (the deviation) belongs to a meal while carbs are on board and as long after it as
it goes on rising; to an unannounced meal where it rises much; else to sensitivity where insulin acts by more than a
quarter of basal insulin, and to basal insulin where it does not.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agents.oref.autosens import LEAST_MG_DL, LOW_MG_DL
from agents.oref.rounding import rounded
from agents.oref.situation import Preferences

SPAN = 4
"""Readings over which a mean change is taken."""
RISES_MUCH = 6.0
LEAST_PERIOD_MIN = 60
"""A meal that is over sooner tells nothing of the ratio."""
FEW = 10
LEAST_SETTING = 0.01
"""Of any setting, in its unit: less is no therapy, and would be lost in rounding."""


@dataclass(frozen=True)
class Settings:
    """Basal rate of each hour of the day (24,) [U/h], correction factor [mg/dL/U], carb ratio [g/U]."""

    basal_u_per_h: NDArray[np.float64]
    isf_mg_dl_per_u: float
    carb_ratio_g_per_u: float

    def __post_init__(self) -> None:
        numbers = np.array([*self.basal_u_per_h, self.isf_mg_dl_per_u, self.carb_ratio_g_per_u])
        large = np.isfinite(numbers) & (numbers >= LEAST_SETTING)
        if np.shape(self.basal_u_per_h) != (24,) or not large.all():
            raise ValueError(
                f"settings need a basal rate of at least {LEAST_SETTING:g} U/h for each of 24 hours, and a correction "
                f"factor and a carb ratio as large; given are {len(self.basal_u_per_h)} rates of "
                f"{np.min(self.basal_u_per_h):g} U/h or more, {self.isf_mg_dl_per_u:g} mg/dL/U and "
                f"{self.carb_ratio_g_per_u:g} g/U. Where they come from a diary, it has too little basal insulin"
            )


@dataclass(frozen=True)
class Day:
    """A day in steps of 5 min, oldest first; arrays (t,).

    glucose_mg_dl: readings, NaN where none. minute_of_day: of each. carbs_g: eaten since the step before. net_u:
    insulin above the schedule since then; iob_u, activity_u_per_min: what is on board of it, and how much acts.
    """

    glucose_mg_dl: NDArray[np.float64]
    minute_of_day: NDArray[np.float64]
    carbs_g: NDArray[np.float64]
    net_u: NDArray[np.float64]
    iob_u: NDArray[np.float64]
    activity_u_per_min: NDArray[np.float64]


@dataclass(frozen=True)
class Meal:
    """A meal from its first carbs until both carbs and insulin are gone."""

    carbs_g: float
    insulin_u: float
    from_mg_dl: float
    to_mg_dl: float
    from_iob_u: float


@dataclass(frozen=True)
class Told:
    """What one reading tells: clock hour, deviation and effect of insulin, mg/dL per 5 min."""

    hour: int
    deviation: float
    bgi: float


@dataclass
class Sorted:
    """Readings by what they tell of, and meals that tell of the ratio."""

    carbs: list[Told] = field(default_factory=list)
    sensitivity: list[Told] = field(default_factory=list)
    basal: list[Told] = field(default_factory=list)
    unannounced: list[Told] = field(default_factory=list)
    meals: list[Meal] = field(default_factory=list)


def sort(day: Day, settings: Settings, least_carb_impact: float = Preferences.min_carb_impact) -> Sorted:
    """Sort the readings of a day under these settings."""
    found, meal = Sorted(), _MealSoFar()
    isf, cob, carbs_of_meal = settings.isf_mg_dl_per_u, 0.0, 0.0
    absorbing = unannounced = False
    waiting: list[float] = []
    steps = np.flatnonzero(day.glucose_mg_dl >= LEAST_MG_DL - 1)
    for number in range(len(steps)):
        k = int(steps[number])
        since = int(steps[number - 1]) + 1 if number else 0
        waiting += [grams for grams in day.carbs_g[since : k + 1].tolist() if grams >= 1]
        if number < SPAN or number == len(steps) - 1:
            continue
        eaten = waiting.pop(0) if waiting else 0.0
        cob, carbs_of_meal = cob + eaten, carbs_of_meal + eaten
        glucose, before = day.glucose_mg_dl[k], day.glucose_mg_dl[steps[number - SPAN]]
        if min(glucose, before) < LEAST_MG_DL:
            continue
        change = rounded((glucose - before) / SPAN, 2)
        bgi = rounded(-day.activity_u_per_min[k] * isf * 5, 2)
        off = change - bgi
        off = rounded(0.0 if glucose < LOW_MG_DL and off > 0 else off, 2)
        iob, hour = float(day.iob_u[k]), int(day.minute_of_day[k] // 60)
        basal = float(settings.basal_u_per_h[hour])
        told = Told(hour, off, bgi)
        if cob > 0:
            cob = max(0.0, cob - max(off, least_carb_impact) * settings.carb_ratio_g_per_u / isf)
        goes_on = number < len(steps) - 2 and (cob > 0 or iob > basal / 2)
        meal.see(day, k, eaten, cob > 0, goes_on, number == len(steps) - 2 and cob > 0, found.meals)
        if cob > 0 or absorbing or carbs_of_meal > 0:
            absorbing = off > 0 and iob >= basal / 2
            if not absorbing and cob == 0:
                carbs_of_meal = 0.0
            found.carbs.append(told)
        elif iob > 2 * basal or off > RISES_MUCH or unannounced:
            unannounced = off > 0
            found.unannounced.append(told)
        elif rounded(basal * isf / 12, 2) > -4 * bgi or change > max(0, -2 * bgi):
            found.basal.append(told)
        else:
            found.sensitivity.append(told)
    return _balanced(found)


class _MealSoFar:
    """The meal that is being followed."""

    def __init__(self) -> None:
        self._begun: int | None = None
        self._carbs = 0.0

    def see(
        self, day: Day, k: int, eaten: float, has_cob: bool, goes_on: bool, cut: bool, meals: list[Meal]
    ) -> None:
        """Step k: carbs eaten now, whether carbs are on board, and whether the meal goes on after it.

        cut: the day ends before the carbs do.
        """
        if not has_cob and self._begun is None:
            return
        self._carbs += eaten
        first = k if self._begun is None else self._begun
        if goes_on:
            self._begun = first
            return
        if 5 * (k - first) >= LEAST_PERIOD_MIN and not cut:
            given = float(day.net_u[first + 1 : k + 1].sum())
            meals.append(
                Meal(
                    self._carbs, rounded(given, 3), float(day.glucose_mg_dl[first]), float(day.glucose_mg_dl[k]),
                    float(day.iob_u[first]),
                )
            )  # fmt: skip
        self._begun, self._carbs = None, 0.0


def _balanced(found: Sorted) -> Sorted:
    """Unannounced meals and carbs lent to what has too few readings of its own."""
    basal, sensitivity, carbs = found.basal, found.sensitivity, found.carbs
    if len(carbs) > 12:
        basal = basal + found.unannounced
    else:
        if 2 * len(basal) < len(found.unannounced):
            basal = _lower_half(basal + found.unannounced)
        if 2 * len(sensitivity) < len(found.unannounced) and len(sensitivity) < FEW:
            sensitivity = _lower_half(sensitivity + found.unannounced)
    if 4 * len(basal) + len(sensitivity) < len(carbs) and len(sensitivity) < FEW:
        sensitivity, carbs = sensitivity + carbs, []
    return replace(found, basal=basal, sensitivity=sensitivity, carbs=carbs)


def _lower_half(many: list[Told]) -> list[Told]:
    ordered = sorted(many, key=lambda one: one.deviation)
    return ordered[: len(ordered) // 2]
