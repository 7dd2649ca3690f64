"""Sessions of exercise that come from outside: when, what, how hard, how long, and what is told of them beforehand.

A person trains because a class, a friend or a train says so. What is planned is known inexactly, three in ten planned
sessions are cancelled at the last moment, and of those that take place two in ten were not planned. On ordinary days
nothing is planned and nothing takes place: without a plan a session comes in one of three cases, so that nobody can
know it from there being no plan.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.exercise import SESSION_LOG_SD
from twins.random import Stream
from twins.units import MINUTES_PER_DAY

AEROBIC, INTERVAL, RESISTANCE = range(3)
KINDS = ("aerobic", "interval", "resistance")
KIND_SHARES = (0.6, 0.2, 0.2)
CLOCKS_MIN, CLOCK_SHARES = (450, 750, 1020, 1170), (0.25, 0.15, 0.30, 0.30)
"""7:30, 12:30, 17:00 and 19:30, give or take half an hour (assumed)."""
CLOCK_EITHER_WAY_MIN = 30
GRID_MIN = 15
LEAST_MIN, MOST_MIN = 30, 90
INTENSITIES = ((0.35, 0.70), (0.50, 0.70), (0.20, 0.35))
"""Mean share of the heart-rate reserve, by kind: light to vigorous; interval; the quarter that sets of resistance come
to (sets with rests of twice their length)."""
TOLD_INTENSITY_LOG_SD, TOLD_MINUTES_LOG_SD = 0.15, 0.20
"""Errors of a plan (assumed)."""
ORDINARY_PER_UNANNOUNCED = 2.0
HARD_SHARE = 0.35
"""In an interval session every third minute lies by so much of the reserve above the mean, the two others below."""
_DRAWS = 8


@dataclass(frozen=True)
class Drawn:
    """One session for each of n lanes, arrays (n,).

    begin_min: minutes from 00:00 of the first day, on the second day. minutes, intensity (mean share of the heart-rate
    reserve), kind, gain (see `twins.bodies.exercise.work`): as it will be. told_minutes, told_intensity: as planned.
    announced: it was planned; happens: it takes place.
    """

    begin_min: NDArray[np.int64]
    minutes: NDArray[np.int64]
    intensity: NDArray[np.float64]
    kind: NDArray[np.int64]
    gain: NDArray[np.float64]
    told_minutes: NDArray[np.float64]
    told_intensity: NDArray[np.float64]
    announced: NDArray[np.bool_]
    happens: NDArray[np.bool_]


@dataclass(frozen=True)
class Sessions:
    """How sessions come. cancelled: share of the planned ones; unannounced: share of those that take place.

    Raises ValueError for shares outside 0 ... 0.95.
    """

    cancelled: float = 0.30
    unannounced: float = 0.20

    def __post_init__(self) -> None:
        for name in ("cancelled", "unannounced"):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 0.95:
                raise ValueError(f"{name} is {given!r}; give a share from 0 to 0.95")

    def draw(self, keys: NDArray[np.uint32]) -> Drawn:
        """The sessions of lanes with these keys (n, 6)."""
        stream = random.stream(keys, Stream.SESSIONS)
        u, z = random.uniform(stream, _DRAWS), random.normal(stream, 4, first=2 * _DRAWS)
        clock = np.take(CLOCKS_MIN, _which(u[:, 0], CLOCK_SHARES))
        shift = (2 * CLOCK_EITHER_WAY_MIN // GRID_MIN + 1) * u[:, 1]
        begin = MINUTES_PER_DAY + clock - CLOCK_EITHER_WAY_MIN + GRID_MIN * shift.astype(np.int64)
        kind = _which(u[:, 2], KIND_SHARES)
        low, high = np.take(INTENSITIES, kind, axis=0).T
        intensity = low + (high - low) * u[:, 3]
        steps = (MOST_MIN - LEAST_MIN) // GRID_MIN + 1
        minutes = LEAST_MIN + GRID_MIN * (steps * u[:, 4]).astype(np.int64)
        told = minutes * np.exp(TOLD_MINUTES_LOG_SD * z[:, 0])
        unplanned = (
            (1.0 - self.cancelled) * self.unannounced / (1.0 - self.unannounced)
        )  # for each planned one
        planned = 1.0 / (1.0 + (1.0 + ORDINARY_PER_UNANNOUNCED) * unplanned)
        announced = u[:, 5] < planned
        takes_place = np.where(
            announced, u[:, 6] >= self.cancelled, u[:, 6] < 1.0 / (1.0 + ORDINARY_PER_UNANNOUNCED)
        )
        return Drawn(
            begin, minutes, intensity, kind, np.exp(SESSION_LOG_SD * z[:, 1]),
            np.maximum(GRID_MIN * np.round(told / GRID_MIN), GRID_MIN),
            np.clip(intensity * np.exp(TOLD_INTENSITY_LOG_SD * z[:, 2]), 0.1, 1.0),
            announced, takes_place,
        )  # fmt: skip


def reserve(
    kind: NDArray[np.int64], intensity: NDArray[np.float64], since_min: NDArray[np.int64], minutes: int
) -> NDArray[np.float64]:
    """Share of the heart-rate reserve in use (n, minutes) from minute `since_min` (n,) of sessions on; its mean over
    three minutes is `intensity`."""
    at = since_min[:, None] + np.arange(minutes)
    hard = at % 3 == 0
    swing = np.where(kind == INTERVAL, HARD_SHARE, np.where(kind == RESISTANCE, 0.6 * intensity, 0.0))
    used: NDArray[np.float64] = intensity[:, None] + swing[:, None] * np.where(hard, 1.0, -0.5)
    return np.clip(used, 0.0, 1.0)


def _which(u: NDArray[np.float64], shares: tuple[float, ...]) -> NDArray[np.int64]:
    return np.searchsorted(np.cumsum(shares)[:-1], u, side="right").astype(np.int64)
