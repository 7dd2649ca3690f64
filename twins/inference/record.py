"""A diary as an identification sees it: steps of 5 min from the first basal value on, insulin told apart by its cause.

A pump that doses by itself reacts to glucose, so its doses tell of glucose to come. What the person decided, and what
would have been given without any reaction (`planned`), is told apart from that: statistical rivals of a twin may see
the plan alone.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, Diary, DiaryError

MEAL_WITHIN_MIN = 15
"""A bolus this near to logged carbs is a meal bolus; other boluses correct what was measured."""
KG = 75.0
"""Weight of a person whose weight is not known."""
FILLED_MIN = 10
"""Gaps of up to this length are bridged where a forecast is scored; the twin itself sees raw readings alone."""


_BY_STEP = ("glucose_mg_dl", "carbs_g", "basal_u", "meal_bolus_u", "other_bolus_u", "basal_known")


@dataclass(frozen=True, eq=False)
class Record:
    """One person's days; arrays (n,), value k stands for 5 k min after the beginning.

    glucose_mg_dl: readings, NaN where none; carbs_g: logged; basal_u: basal insulin of the 5 min, as delivered (the
    planned rate where it is not known); meal_bolus_u, other_bolus_u: doses of the 5 min; planned_basal_u_per_h: median
    of the known rates; basal_known: where. minute_of_day: of value 0. weight_kg: `KG` where nobody knows it.
    exercise (n, 3): what is known of muscles at work, None of nobody's: how much more insulin acts, uptake [1/min], and
    liver output relative to basal, see `twins.bodies.exercise`.
    """

    who: str
    glucose_mg_dl: NDArray[np.float64]
    carbs_g: NDArray[np.float64]
    basal_u: NDArray[np.float64]
    meal_bolus_u: NDArray[np.float64]
    other_bolus_u: NDArray[np.float64]
    planned_basal_u_per_h: float
    minute_of_day: int
    basal_known: NDArray[np.bool_]
    weight_kg: float = KG
    exercise: NDArray[np.float64] | None = None

    @property
    def delivered_u(self) -> NDArray[np.float64]:
        """All insulin of each step [U]."""
        return self.basal_u + self.meal_bolus_u + self.other_bolus_u

    @property
    def planned_u(self) -> NDArray[np.float64]:
        """Insulin of each step without any reaction to glucose: planned basal and meal boluses [U]."""
        return self.planned_basal_u_per_h * STEP_MIN / 60 + self.meal_bolus_u

    @property
    def daily_insulin_u(self) -> float:
        """Mean insulin of a day [U]."""
        return float(self.delivered_u.mean() * STEPS_PER_DAY)

    def take(self, part: slice) -> "Record":
        """The steps `part` as a record. Its planned rate stays that of all days."""
        return replace(
            self, minute_of_day=(self.minute_of_day + STEP_MIN * part.start) % MINUTES_PER_DAY,
            exercise=None if self.exercise is None else self.exercise[part],
            **{name: getattr(self, name)[part] for name in _BY_STEP},
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.glucose_mg_dl)

    def days(self, first: int, last: int) -> slice:
        """Steps of the days `first` to `last`, counted from 1, both included. Raises DiaryError for days it lacks."""
        if not 1 <= first <= last or last * STEPS_PER_DAY > len(self):
            raise DiaryError(
                f"{self.who}: days {first} to {last} were asked for, counted from the first known basal rate; there "
                f"are {len(self) / STEPS_PER_DAY:.1f}, so ask for fewer days, or give a longer recording"
            )
        return slice((first - 1) * STEPS_PER_DAY, last * STEPS_PER_DAY)


def record(diary: Diary, weight_kg: float = KG) -> Record:
    """The days of a diary from its first known basal rate on. Raises DiaryError when there is none."""
    known = np.flatnonzero(np.isfinite(diary.basal_u_per_h))
    if len(known) == 0:
        raise DiaryError(
            f"{diary.who}: no basal insulin is recorded; a twin of a person needs it, so give a record with "
            "basal_u_per_h (of pen users: the daily dose of long-acting insulin over 24 h)"
        )
    whole = slice(known[0], None)
    basal, carbs = diary.basal_u_per_h[whole], diary.carbs_g[whole]
    planned = float(np.nanmedian(basal))
    near = MEAL_WITHIN_MIN // STEP_MIN
    eating = np.convolve(carbs > 0, np.ones(2 * near + 1), "same") > 0
    bolus = diary.bolus_u[whole]
    return Record(
        diary.who,
        diary.glucose_mg_dl[whole],
        carbs,
        np.where(np.isfinite(basal), basal, planned) * STEP_MIN / 60,
        np.where(eating, bolus, 0.0),
        np.where(eating, 0.0, bolus),
        planned,
        int(known[0] * STEP_MIN % MINUTES_PER_DAY),
        np.isfinite(basal),
        weight_kg,
    )


def bridged(glucose_mg_dl: NDArray[np.float64]) -> NDArray[np.float64]:
    """Readings with gaps of up to `FILLED_MIN` filled along a straight line, to be scored against; others stay NaN."""
    step, read = np.arange(len(glucose_mg_dl)), np.isfinite(glucose_mg_dl)
    if not read.any():
        return glucose_mg_dl.copy()
    last = np.maximum.accumulate(np.where(read, step, -len(step)))
    after = np.minimum.accumulate(np.where(read, step, 2 * len(step))[::-1])[::-1]
    near = after - last <= FILLED_MIN // STEP_MIN + 1
    return np.where(near, np.interp(step, step[read], glucose_mg_dl[read]), np.nan)


def on_board(amount: NDArray[np.float64], decay_min: float) -> NDArray[np.float64]:
    """What is left (n,) of all that came before each step, by an exponential."""
    left = np.exp(-STEP_MIN / decay_min)
    out = np.zeros(len(amount) + 1)
    for step, new in enumerate(amount):
        out[step + 1] = left * (out[step] + new)
    return out[:-1]
