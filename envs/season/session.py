"""A day's session: what an agent asks for, what the bounds allow, what the person does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins.bodies.fitness import trimp_load

LEAST_MIN, MOST_MIN = 10.0, 150.0
"""A shorter session is none; nobody is asked for a longer one."""
LEAST_INTENSITY, MOST_INTENSITY = 0.30, 0.95
VIGOROUS = 0.60
"""From this share of the heart-rate reserve on a session is vigorous (ACSM's guidelines)."""


@dataclass(frozen=True)
class Session:
    """One per person, arrays (n,): minutes (0: rest), intensity (share of the heart-rate reserve), and evening (1) or
    morning (0).

    What is done (running, intervals, weights) is not said: no model of performance that has a source tells their
    effects apart at equal load, and a choice without effect would be noise to whoever learns.
    """

    minutes: NDArray[np.float64]
    intensity: NDArray[np.float64]
    evening: NDArray[np.int64]

    @classmethod
    def rest(cls, n: int) -> "Session":
        """Nobody trains."""
        return cls(np.zeros(n), np.full(n, LEAST_INTENSITY), np.zeros(n, np.int64))

    @classmethod
    def checked(
        cls,
        minutes: NDArray[np.float64],
        intensity: NDArray[np.float64],
        evening: NDArray[np.int64] | None = None,
    ) -> "Session":
        """A session from numbers of any kind: what is not finite is rest, what is out of range the nearest bound."""
        minutes, intensity = np.asarray(minutes, float), np.asarray(intensity, float)
        known = np.isfinite(minutes) & np.isfinite(intensity)
        minutes = np.clip(np.where(known, minutes, 0.0), 0.0, MOST_MIN)
        return cls(
            np.where(minutes < LEAST_MIN, 0.0, minutes),
            np.clip(np.where(known, intensity, LEAST_INTENSITY), LEAST_INTENSITY, MOST_INTENSITY),
            _evening(evening, len(minutes)),
        )

    @property
    def load(self) -> NDArray[np.float64]:
        """TRIMP / 100 (n,)."""
        return trimp_load(self.minutes, self.intensity)


def _evening(given: NDArray[Any] | None, n: int) -> NDArray[np.int64]:
    """1 for all that is one or more; what is none or not finite is a morning."""
    if given is None:
        return np.zeros(n, np.int64)
    known = np.nan_to_num(np.asarray(given, float), posinf=0.0, neginf=0.0)
    code: NDArray[np.int64] = (known >= 1).astype(np.int64)
    return code


def minutes_for(load: NDArray[np.float64], intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """How long a session of this intensity must be for a load."""
    minutes: NDArray[np.float64] = load / trimp_load(np.ones_like(intensity), intensity)
    return minutes
