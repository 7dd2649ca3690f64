"""The phase of the body's clock from what a wrist shows: light, or movement alone, through the clocks of the twin.

No recording here has melatonin, so the truth is not known: what is shown is how far the three clocks, people of other
periods and light gains, and light and movement agree, and where the estimate lies beside sleep.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies import circadian
from twins.bodies.circadian import CLOCKS, DLMO_BEFORE_MINIMUM_H, STEP_MIN, Clock
from twins.world.diary import STEPS_PER_DAY

Array = NDArray[np.float64]

ENTRAINED_DAYS = 30
"""Of the recording's mean day, before its first."""
PEOPLE = 200
"""Drawn for the interval: the recording's person may have any period and light gain."""
SEED = 19
LEAST_KNOWN = 0.5
"""Share of a day that was recorded, for its phase to count."""
MOSTLY_ASLEEP = 0.6
STILL_LUX, MOVING_LUX, BUSY_LUX = 50.0, 200.0, 500.0
"""What movement alone is taken for, awake: below, within and above the thirds of its own counts (assumed)."""


@dataclass(frozen=True)
class Phases:
    """Dim-light melatonin onset of each day (people, days), hours of the local clock, 25 is one in the morning; the
    first row is of the median person, from 12 to 36, others within twelve hours of it. NaN where little is known."""

    clock: str
    dlmo_h: Array

    @property
    def median(self) -> Array:
        """Of the median person (days,)."""
        own: Array = self.dlmo_h[0]
        return own

    def interval(self, share: float = 0.9) -> tuple[Array, Array]:
        """Of the people drawn (days,), (days,)."""
        known = np.asarray(np.isfinite(self.dlmo_h[1:]).any(axis=0))
        both = np.full((2, self.dlmo_h.shape[1]), np.nan)
        both[:, known] = np.nanquantile(self.dlmo_h[1:, known], [(1 - share) / 2, (1 + share) / 2], axis=0)
        return both[0], both[1]


def sleeps(asleep: Array) -> NDArray[np.bool_]:
    """Sleep proper (n,): most of the hour before and the hour after was scored asleep; NaN counts as awake.

    Watches score many quiet minutes by day as sleep, while light still reaches open eyes.
    """
    scored: Array = np.nan_to_num(asleep)
    around = np.ones(2 * STEPS_PER_DAY // 24 + 1)
    share = np.convolve(scored, around, "same") / np.convolve(np.ones(scored.shape), around, "same")
    most: NDArray[np.bool_] = share > MOSTLY_ASLEEP
    return most


def eyes(lux: Array, asleep: NDArray[np.bool_]) -> Array:
    """Light at the eye (n,): none asleep; where nothing was recorded that of the same time of other days.

    Raises ValueError where a time of day was never recorded.
    """
    seen = np.where(asleep, 0.0, np.minimum(lux, circadian.MOST_LUX))
    days = seen.reshape(-1, STEPS_PER_DAY)
    if np.isnan(days).all(axis=0).any():
        raise ValueError("a time of day was never recorded; give a recording of whole days")
    filled: Array = np.where(np.isnan(days), np.nanmean(days, axis=0), days).reshape(-1)
    return filled


def of_movement(movement: Array, asleep: NDArray[np.bool_]) -> Array:
    """What movement alone is taken for as light (n,), NaN where nothing was recorded."""
    awake = movement[~asleep & np.isfinite(movement)]
    if not len(awake):
        raise ValueError("nobody was awake in this recording; give one of whole days")
    low, high = np.quantile(awake, [1 / 3, 2 / 3])
    level = np.where(movement > high, BUSY_LUX, np.where(movement > low, MOVING_LUX, STILL_LUX))
    return np.where(np.isfinite(movement), level, np.nan)


def drawn(people: int = PEOPLE) -> Array:
    """Parameters (people + 1, 2) of clocks: the median person first."""
    keys = random.keys("validation", SEED, np.zeros(people, np.uint32), np.arange(people), 0)
    medians = np.array([[circadian.PERIOD_MEAN_H, 1.0]])
    return np.concatenate([medians, circadian.draw(keys)])


def estimate(clock: str, parameters: Array, light: Array, known: NDArray[np.bool_]) -> Phases:
    """Melatonin onset day by day.

    light (n,): at the eye, whole days of five minutes from 00:00; known (n,): recorded.
    """
    days = len(light) // STEPS_PER_DAY
    body, people = Clock(clock), len(parameters)
    mean_day = light.reshape(days, STEPS_PER_DAY).mean(axis=0)
    state = body.entrained(parameters, np.tile(mean_day, (people, 1)), ENTRAINED_DAYS)
    phase = np.empty((people, len(light)))
    for step in range(len(light)):
        phase[:, step] = body.phase_h(state)
        body.advance(state, parameters, np.full((people, 1), light[step]))
    onset = np.full((people, days), np.nan)
    before = round(DLMO_BEFORE_MINIMUM_H * 60 / STEP_MIN)
    for day in range(days):
        noon = day * STEPS_PER_DAY + STEPS_PER_DAY // 2
        part = phase[:, noon + before - 1 : noon + before + STEPS_PER_DAY]
        if part.shape[1] < STEPS_PER_DAY + 1 or known[noon : noon + STEPS_PER_DAY].mean() < LEAST_KNOWN:
            continue
        lowest = np.diff(part, axis=1) < -12.0  # phase comes round where temperature is lowest
        onset[:, day] = np.where(lowest.any(axis=1), 12.0 + lowest.argmax(axis=1) * STEP_MIN / 60, np.nan)
    # People are counted around the median one, whose onset may be near noon.
    return Phases(clock, around(onset, onset[0]))


def around(onset_h: Array, middle_h: Array) -> Array:
    """The same hours of the clock, within twelve of `middle_h`."""
    near: Array = (onset_h - middle_h + 12.0) % 24.0 - 12.0 + middle_h
    return near


def by_clock(light: Array, known: NDArray[np.bool_], people: int = PEOPLE) -> dict[str, Phases]:
    """Of each of the clocks, for the same people."""
    parameters = drawn(people)
    return {clock: estimate(clock, parameters, light, known) for clock in CLOCKS}
