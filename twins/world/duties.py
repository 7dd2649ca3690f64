"""Weeks that are imposed on people's sleep: hours that are required, usual nights between them, and the sun.

A day is counted from 18:00 to 18:00 of the local clock, when nobody's usual hours are asleep; hours within it are hours
since 18:00. Three kinds of weeks:

- east: arrival eight zones further east, office hours from the next day on, weekends free.
- nights: four nights of work and four free days in turn: a rota. After a night's work people sleep from the morning on.
- school: a young person's lessons from eight on, after holidays of late nights.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.circadian import STEP_MIN
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss

Array = NDArray[np.float64]

EAST, NIGHTS, SCHOOL = range(3)
KINDS = ("east", "nights", "school")
BEGINS_H = 18.0
STEPS = MINUTES_PER_DAY // STEP_MIN

FREE, OFFICE, NIGHT, LESSONS = range(4)
DUTIES = ("free", "office", "night", "lessons")
REQUIRED_H = np.array([[np.nan, np.nan], [15.0, 23.0], [4.0, 12.0], [14.0, 21.0]])
"""From and to, by duty: none; 9 to 17; 22 to 6; 8 to 15."""
USUAL_H = np.array([[6.0, 14.5], [5.0, 13.0], [14.0, 21.0], [5.5, 12.5]])
"""In bed from and to: 0:00 to 8:30; 23:00 to 7:00; 8:00 to 15:00; 23:30 to 6:30."""
SHIFTED_H = 8.0
HOLIDAY_H = 2.0
"""Before the first day: clocks of who travels are so far behind, and those of pupils that much later than their school
nights would have them (both assumed)."""

SUN_H = (8.0, 16.0)
"""Of daylight: winter to summer, at middle latitudes; around 13:00."""
NOON_H = 19.0
OUTDOORS_LUX, INDOORS_LUX, EVENING_LUX, DUTY_LUX, NIGHT_DUTY_LUX, LAMP_LUX = (
    5000.0, 150.0, 40.0, 300.0, 200.0, 2500.0,
)  # fmt: skip
"""At the eye (assumed): outdoors on an average sky, at home by day and in the evening, at work by day and by night, and
before a lamp for bright light."""
OUTDOORS_SHARE = 0.1
"""Of free daylight hours that people are outdoors anyway, as a mean."""
GLASSES = 0.1
"""What dark glasses let through."""


@dataclass(frozen=True)
class Weeks:
    """Weeks of n people: kind (n,); duty (n, days), of `DUTIES`; daylight_h (n,): hours of sun."""

    kind: NDArray[np.int64]
    duty: NDArray[np.int64]
    daylight_h: Array


def draw(
    keys: NDArray[np.uint32], days: int, kind: str | None = None, minors: NDArray[np.bool_] | None = None
) -> Weeks:
    """Weeks of people under keys (n, 6), each hanging on its key alone. kind: one of `KINDS` for all, None for any,
    but for minors (n,), who go to school.

    Raises ValueError for another.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(
            f"kind is {kind!r}{near_miss(str(kind), KINDS)}; allowed are {', '.join(KINDS)}, None"
        )
    u = random.uniform(random.stream(keys, Stream.DUTIES), 4)
    which = (3 * u[:, 0]).astype(np.int64) if kind is None else np.full(len(keys), KINDS.index(kind))
    if minors is not None and kind is None:
        which = np.where(minors, SCHOOL, which)
    weekday = ((7 * u[:, 1]).astype(np.int64)[:, None] + np.arange(days)) % 7
    rota = ((8 * u[:, 3]).astype(np.int64)[:, None] + np.arange(days)) % 8  # four nights, four free days
    duty = np.where(weekday < 5, OFFICE, FREE)
    duty = np.where((which == NIGHTS)[:, None], np.where(rota < 4, NIGHT, FREE), duty)
    duty = np.where((which == SCHOOL)[:, None], np.where(weekday < 5, LESSONS, FREE), duty)
    return Weeks(which, duty.astype(np.int64), SUN_H[0] + (SUN_H[1] - SUN_H[0]) * u[:, 2])


def hours() -> Array:
    """Hours since 18:00 at the begin of each step of a day (`STEPS`,)."""
    since: Array = np.arange(STEPS, dtype=np.float64) * (STEP_MIN / 60)
    return since


def required(duty: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each step of a day (n, `STEPS`) is one of required hours. duty (n,)."""
    begin, end = REQUIRED_H[duty].T
    now = hours()
    there: NDArray[np.bool_] = (now >= begin[:, None]) & (now < end[:, None])
    return there


def sunny(daylight_h: Array) -> NDArray[np.bool_]:
    """Whether the sun is up in each step of a day (n, `STEPS`)."""
    from_noon = np.abs(hours() - NOON_H)
    from_noon = np.minimum(from_noon, 24 - from_noon)
    up: NDArray[np.bool_] = from_noon < daylight_h[:, None] / 2
    return up


def light(duty: NDArray[np.int64], daylight_h: Array, seeks: NDArray[np.bool_]) -> Array:
    """Lux (n, `STEPS`) around a person. seeks (n, `STEPS`): when bright light is looked for (outdoors in the sun, else
    a lamp; not in required hours)."""
    sun, busy = sunny(daylight_h), required(duty)
    home = np.where(sun, INDOORS_LUX + OUTDOORS_SHARE * OUTDOORS_LUX, EVENING_LUX)
    home = np.where(seeks, np.where(sun, OUTDOORS_LUX, LAMP_LUX), home)
    work = np.where((duty == NIGHT)[:, None], NIGHT_DUTY_LUX, DUTY_LUX)
    lux: Array = np.where(busy, work, home)
    return lux
