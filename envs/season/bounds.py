"""Bounds of a day's training as data, and the pure function that holds a session to them.

Sources: ACWR above 1.5 forbidden, as a cap and never as an aim (Gabbett, Br J Sports Med 50 (2016) 273; disputed,
see `twins.bodies.fitness`); weekly increase of 20 % at most, over the last or the usual week; 30 min longer than the
longest session of four weeks at most; a day of rest in seven; no third vigorous day in a row. What a bound takes is
minutes, never the other way round.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from envs.season.session import LEAST_MIN, VIGOROUS, Session
from envs.season.view import SeasonView
from twins.bodies.fitness import ACUTE_PART, CHRONIC_FLOOR, CHRONIC_PART, trimp_load

MOST_RATIO = 1.5
MOST_WEEKLY_RISE = 0.20
WEEK_FLOOR_LOAD = 1.0
"""A week of less than this load may rise to it at once: a beginner's twenty minutes a day."""
LONGER_MIN = 30.0
LONGEST_FLOOR_MIN = 30.0
REST_EVERY_DAYS = 7
VIGOROUS_IN_A_ROW = 2
TOTAL_SHARE = 1.10
"""Of the load that is prescribed for a season."""
MODERATE = VIGOROUS - 0.01
_SPARE = 1e-9


class Bound(IntEnum):
    """Why a session was changed; NONE when it was not. Of several the last one counts."""

    NONE = 0
    VIGOROUS_DAYS = 1
    LONGER = 2
    WEEKLY_RISE = 3
    RATIO = 4
    TOTAL = 5
    REST_DAY = 6
    INJURED = 7


BOUNDS = tuple(bound.name.lower() for bound in Bound)


def hold(asked: Session, view: SeasonView) -> tuple[Session, NDArray[np.int64]]:
    """The session that is allowed, and for each person the last bound that changed it (n,).

    Idempotent; never raises minutes or intensity.
    """
    minutes, intensity = asked.minutes.copy(), asked.intensity.copy()
    reason = np.full(len(minutes), int(Bound.NONE), np.int64)

    def least(limit: NDArray[np.float64], why: Bound) -> None:
        over = minutes > limit + _SPARE
        reason[over] = int(why)
        minutes[over] = np.maximum(limit, 0.0)[over]

    row = view.hard[:, -VIGOROUS_IN_A_ROW:].sum(axis=1) >= VIGOROUS_IN_A_ROW
    hot = row & (intensity >= VIGOROUS) & (minutes > 0)
    reason[hot], intensity[hot] = int(Bound.VIGOROUS_DAYS), MODERATE
    least(np.maximum(view.minutes.max(axis=1), LONGEST_FLOOR_MIN) + LONGER_MIN, Bound.LONGER)
    per_minute = trimp_load(np.ones_like(intensity), intensity)
    for most, why in (
        (most_load_of_week(view), Bound.WEEKLY_RISE),
        (most_load_by_ratio(view), Bound.RATIO),
        (TOTAL_SHARE * view.target_load - view.done_load, Bound.TOTAL),
    ):
        least(most / per_minute, why)
    every = (view.minutes[:, -(REST_EVERY_DAYS - 1) :] > 0).all(axis=1)
    least(np.where(every, 0.0, np.inf), Bound.REST_DAY)
    least(np.where(view.injured > 0, 0.0, np.inf), Bound.INJURED)
    minutes[minutes < LEAST_MIN] = 0.0
    return Session(minutes, intensity, asked.evening), reason


def most_load_of_week(view: SeasonView) -> NDArray[np.float64]:
    """The load (n,) that keeps the last seven days, today included, within 20 % of the seven before, or of the mean
    week of the last four: who missed a week need not begin from nothing."""
    before = np.maximum(view.loads[:, -13:-6].sum(axis=1), view.loads.sum(axis=1) / 4)
    before = np.maximum(before, WEEK_FLOOR_LOAD)
    most: NDArray[np.float64] = (1 + MOST_WEEKLY_RISE) * before - view.loads[:, -6:].sum(axis=1)
    return most


def most_load_by_ratio(view: SeasonView) -> NDArray[np.float64]:
    """The load (n,) after which acute is 1.5 times chronic load, or the floor of that."""
    acute = (1 - ACUTE_PART) * view.acute
    chronic = (1 - CHRONIC_PART) * view.chronic
    # acute + a w = m (chronic + c w), and while chronic lies below its floor acute + a w = m floor
    above = (MOST_RATIO * chronic - acute) / (ACUTE_PART - MOST_RATIO * CHRONIC_PART)
    on_floor = (MOST_RATIO * CHRONIC_FLOOR - acute) / ACUTE_PART
    most: NDArray[np.float64] = np.maximum(
        above, np.minimum(on_floor, (CHRONIC_FLOOR - chronic) / CHRONIC_PART)
    )
    return most
