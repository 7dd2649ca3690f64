"""Alarms scored as a person meets them: as events, not as moments, which repeat each other.

An event begins with the first of 15 min of readings below 70 mg/dL, and is over after 15 min at 70 or above (Battelino
and others, Diabetes Care 42, 2019). An alarm sounds when the risk comes up to a threshold from below, unless one has
sounded within the refractory time; while glucose is below 70 there is nothing to foresee and no alarm. An event is
caught by an alarm in the 60 min before it, and its lead time is counted from the earliest of them; an alarm with no
event in the 60 min after it is false.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import LOW_MG_DL
from agents.forecast.targets import STEPS
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

EVENT_STEPS = 3
REFRACTORY_MIN = 60
"""An alarm speaks of the next hour, so none is needed within it."""
MOST_FALSE_PER_DAY = 1.0


@dataclass(frozen=True, eq=False)
class Course:
    """A stretch of one person's record. risk (n,): of a low within the hour, NaN where there is no forecast or glucose
    is below 70; events: steps at which one begins."""

    risk: NDArray[np.float64]
    events: NDArray[np.int64]

    @property
    def days(self) -> float:
        """Time with a risk, in days."""
        return float(np.isfinite(self.risk).sum() / STEPS_PER_DAY)


@dataclass(frozen=True)
class Alarms:
    """What a threshold gives. recall: share of the events that were caught; lead_min: median over these."""

    threshold: float
    events: int
    recall: float
    false_per_day: float
    lead_min: float
    days: float


def event_starts(glucose_mg_dl: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps at which an event begins, in readings (n,) of every 5 min; NaN is neither low nor back."""
    low, back = glucose_mg_dl < LOW_MG_DL, glucose_mg_dl >= LOW_MG_DL
    found, within, above = [], False, 0
    for step in range(len(low)):
        if within:
            above = above + 1 if back[step] else 0 if low[step] else above
            within = above < EVENT_STEPS
        elif low[step : step + EVENT_STEPS].sum() == EVENT_STEPS:
            found.append(step)
            within, above = True, 0
    return np.array(found, np.int64)


def alarm_steps(
    risk: NDArray[np.float64], threshold: float, refractory_min: int = REFRACTORY_MIN
) -> NDArray[np.int64]:
    """Steps at which an alarm sounds, for risks (n,); over NaN the last risk stands."""
    found: list[int] = []
    last = -np.inf
    for step in np.flatnonzero(np.isfinite(risk)):
        came_up = risk[step] >= threshold > last
        if came_up and (not found or (step - found[-1]) * STEP_MIN >= refractory_min):
            found.append(int(step))
        last = risk[step]
    return np.array(found, np.int64)


def score(courses: Sequence[Course], threshold: float, refractory_min: int = REFRACTORY_MIN) -> Alarms:
    """The alarms of a threshold over all courses together; NaN where there is no event or no day."""
    caught, false, leads = 0, 0, []
    for course in courses:
        alarms = alarm_steps(course.risk, threshold, refractory_min)
        after = course.events[None] - alarms[:, None]  # steps from each alarm to each event
        in_time = (after > 0) & (after <= STEPS)
        false += int((~in_time.any(axis=1)).sum())
        caught += int(in_time.any(axis=0).sum())
        leads += (np.where(in_time, after, 0).max(axis=0, initial=0)[in_time.any(axis=0)] * STEP_MIN).tolist()
    events, days = sum(len(one.events) for one in courses), sum(one.days for one in courses)
    return Alarms(
        threshold, events, caught / events if events else float("nan"), false / days if days else float("nan"),
        float(np.median(leads)) if leads else float("nan"), days,
    )  # fmt: skip


def choose(courses: Sequence[Course], most_false_per_day: float = MOST_FALSE_PER_DAY) -> float:
    """The lowest threshold from which on no higher one gives more false alarms a day than allowed.

    Lower thresholds warn earlier and miss less. Raises ValueError when no threshold below 1 is that quiet.
    """
    tried = np.round(np.arange(0.99, 0.0, -0.01), 2)
    best = float("nan")
    for threshold in tried:
        if not score(courses, float(threshold)).false_per_day <= most_false_per_day:
            break
        best = float(threshold)
    if np.isnan(best):
        raise ValueError(
            f"even a threshold of {tried[0]} gives more than {most_false_per_day:g} false alarms a day, or there is no "
            "day; allow more, or calibrate on longer records"
        )
    return best
