"""Plans of training that people follow, and extremes: one decision a day for a season.

All know the load that is prescribed, and spread what is left of it over the days that are left, in their own shape; so
that days lost and sessions skipped are made up for, as far as the bounds allow.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from envs.season.session import (
    AEROBIC,
    INTERVAL,
    LEAST_INTENSITY,
    MOST_INTENSITY,
    MOST_MIN,
    Session,
    minutes_for,
)
from envs.season.view import SeasonView

WEEK_DAYS, REST_DAY = 7, 6
EASY, MIDDLE, HARD = 0.45, 0.55, 0.85
TAPER_DAYS, TAPER_SHARES = 14, (0.6, 0.4)
"""Two weeks, of 60 and 40 % of the load (Bosquet et al. 2007: 41 to 60 % less volume for two weeks does best)."""
RAMP = (0.75, 1.25)


class SeasonAgent(Protocol):
    """Decides a day of training for all people of a view."""

    def act(self, view: SeasonView) -> Session:
        """The session to ask for."""


class Shaped:
    """Follows a shape of load over the season, with a share of its days hard.

    shape(day, days): relative load of each day. hard_days: days of the week that are hard.
    """

    def __init__(
        self,
        shape: Callable[[NDArray[np.int64], int], NDArray[np.float64]],
        hard_days: tuple[int, ...] = (),
        easy: float = MIDDLE,
    ) -> None:
        self._shape, self._hard, self._easy = shape, hard_days, easy

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        every = np.arange(view.days)
        relative = np.where(every % WEEK_DAYS == REST_DAY, 0.0, self._shape(every, view.days))
        ahead = np.append(np.cumsum(relative[::-1])[::-1], 0.0)
        now = np.minimum(view.day, view.days - 1)
        left = np.maximum(view.target_load - view.done_load, 0.0)
        load = left * relative[now] / np.maximum(ahead[now], 1e-9)
        hard = np.isin(now % WEEK_DAYS, self._hard)
        intensity = np.where(hard, HARD, self._easy)
        minutes = minutes_for(load, intensity)
        return Session.checked(minutes, intensity, np.where(hard, INTERVAL, AEROBIC))


def even(day: NDArray[np.int64], days: int) -> NDArray[np.float64]:
    """The same every day."""
    return np.ones(len(day))


def ramp_and_taper(day: NDArray[np.int64], days: int) -> NDArray[np.float64]:
    """Rises along a line until two weeks before the end, then two weeks of less and less."""
    low, high = RAMP
    rising = low + (high - low) * day / max(days - TAPER_DAYS, 1)
    left = days - day
    shares = np.where(left > TAPER_DAYS // 2, TAPER_SHARES[0], TAPER_SHARES[1])
    shape: NDArray[np.float64] = np.where(left <= TAPER_DAYS, high * shares, rising)
    return shape


class Rest:
    """Never trains."""

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        return Session.rest(len(view))


class Most:
    """Asks for the longest and hardest session every day."""

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        n = len(view)
        return Session.checked(np.full(n, MOST_MIN), np.full(n, MOST_INTENSITY))


class Random:
    """Asks for anything; what, hangs on the seed, on how often it was asked and for how many."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        u = self._rng.random((4, len(view)))
        intensity = LEAST_INTENSITY + (MOST_INTENSITY - LEAST_INTENSITY) * u[1]
        return Session.checked(u[0] * MOST_MIN, intensity, (3 * u[2]).astype(int), (u[3] > 0.5).astype(int))


SEASON_AGENTS: dict[str, Callable[[], SeasonAgent]] = {
    "even": lambda: Shaped(even),
    "polarised": lambda: Shaped(even, hard_days=(2,), easy=EASY),
    "ramp-taper": lambda: Shaped(ramp_and_taper),
    "rest": Rest,
    "most": Most,
    "random": Random,
}
"""By name. polarised: five easy days and a hard one a week, about 80 to 20 (Seiler, Int J Sports Physiol Perform 5
(2010) 276)."""
