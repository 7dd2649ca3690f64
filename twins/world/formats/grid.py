"""From events at odd times to the regular grid of a diary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from twins.units import MINUTES_PER_HOUR
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, DiaryError

Event = tuple[datetime, float]
"""When (local clock), and a value in the unit of its column; NaN where a rate becomes unknown."""

HOLD_H = 2.0
"""A basal rate that nobody repeated is taken as unchanged for at most this long."""
INJECTION_H = 24.0
"""Long-acting insulin is spread evenly over this time."""
MAX_DAYS = 1100


@dataclass(frozen=True)
class Grid:
    """Whole days in steps of 5 min from `start` (00:00). Every event counts at the step nearest to it."""

    start: datetime
    steps: int

    @classmethod
    def over(cls, times: Iterable[datetime]) -> "Grid":
        """The days that hold all `times` (at least one). Raises DiaryError when that is over `MAX_DAYS`."""
        minutes = np.array(list(times), "datetime64[s]")
        nearest = minutes + np.timedelta64(STEP_MIN * 30, "s")
        first, last = nearest.min().astype("datetime64[D]"), nearest.max().astype("datetime64[D]")
        days = int((last - first).astype(int)) + 1
        if days > MAX_DAYS:
            raise DiaryError(
                f"the record spans {days} days, {first} to {last}; allowed are {MAX_DAYS}; "
                "correct a mistyped year"
            )
        return cls(datetime.fromisoformat(str(first)), days * STEPS_PER_DAY)

    def mean(self, events: Sequence[Event]) -> NDArray[np.float64]:
        """Mean of the events of each step, NaN where there is none; shape (steps,)."""
        count = np.bincount(self._step(events), minlength=self.steps)
        mean = np.full(self.steps, np.nan)
        np.divide(self.total(events), count, out=mean, where=count > 0)
        return mean

    def total(self, events: Sequence[Event]) -> NDArray[np.float64]:
        """Sum of the events of each step, 0 where there is none; shape (steps,)."""
        return np.bincount(self._step(events), _values(events), self.steps).astype(float)

    def held(self, events: Sequence[Event], hours: float = HOLD_H) -> NDArray[np.float64]:
        """Rates that hold until the next event, for at most `hours`; NaN where unknown; shape (steps,).

        Of several rates in one step the last one counts; events must be in order of time.
        """
        last = np.full(self.steps, -1)
        last[self._step(events)] = np.arange(len(events))
        last = np.maximum.accumulate(last)
        if len(events) == 0:
            return np.full(self.steps, np.nan)
        age = np.arange(self.steps) - self._step(events)[last]
        known = (last >= 0) & (age * STEP_MIN < hours * MINUTES_PER_HOUR)
        return np.where(known, _values(events)[last], np.nan)

    def spread(self, events: Sequence[Event]) -> NDArray[np.float64]:
        """Injections in U as rates in U/h over the 24 h after each; overlapping ones add up; shape (steps,).

        Where the next injection is late the last rate is held for at most 2 h; NaN where unknown.
        """
        length = int(INJECTION_H * MINUTES_PER_HOUR / STEP_MIN)
        rate, last = np.zeros(self.steps + length), np.full(self.steps, -1)
        for step, (_, dose) in zip(self._step(events), events, strict=True):
            rate[step : step + length] += dose / INJECTION_H
            last[step] = step
        last = np.maximum.accumulate(last)
        age = np.where(last >= 0, np.arange(self.steps) - last, self.steps + length)
        late = (age >= length) & (age < length + HOLD_H * MINUTES_PER_HOUR / STEP_MIN)
        held = rate[np.maximum(np.arange(self.steps) - (age - length + 1), 0)]
        return np.where(age < length, rate[: self.steps], np.where(late, held, np.nan))

    def holds(self, time: datetime) -> bool:
        """Whether an event at this time falls into the grid."""
        return 0 <= int(self._step([(time, 0.0)])[0]) < self.steps

    def _step(self, events: Sequence[Event]) -> NDArray[np.int64]:
        """The step nearest to each event; outside 0 ... steps - 1 for events outside the grid."""
        times = np.array([time for time, _ in events], "datetime64[s]")
        seconds = (times - np.datetime64(self.start, "s")).astype(np.int64)
        nearest: NDArray[np.int64] = (seconds + STEP_MIN * 30) // (STEP_MIN * 60)
        return nearest


def _values(events: Sequence[Event]) -> NDArray[np.float64]:
    return np.array([value for _, value in events], float)
