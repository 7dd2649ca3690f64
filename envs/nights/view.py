"""What an agent may know of weeks of sleep: the calendar, what a watch shows, how sleepy a person says to be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.view import Visible

SEEN_DAYS = 3
ASKED_AT = 3
"""Sleepiness is asked in the first, the middle and the last third of the time awake."""
LIGHT_BINS = 8
"""Of three hours each, from 18:00 on."""


@dataclass
class NightsView(Visible):
    """The visible past of n persons at 18:00 of `day` (0, 1, ...). Arrays are the core's own: read them.

    kind (n,): of `twins.world.duties.KINDS`; duty (n, days + 1): of the coming days, from today on known; daylight_h
    (n,). slept_h, fell_asleep_h, woke_h, lowest_heart_h (n, 3): of the last days by a watch, newest last: sleep in all
    [h], begin and end of sleep within the night that was planned (its own hours where there was none) and the hour of
    the lowest heart rate in it [h since 18:00]. light (n, 8): log10 of lux, means of three hours of the last day, at
    the wrist, without glasses. sleepiness (n, 3): of the last day, Karolinska's
    scale. bed, rise (n,): of the last day, as allowed [h since 18:00].
    """

    ids: tuple[str, ...]
    days: int
    day: NDArray[np.int64]
    kind: NDArray[np.int64]
    duty: NDArray[np.int64]
    daylight_h: NDArray[np.float64]
    slept_h: NDArray[np.float64]
    fell_asleep_h: NDArray[np.float64]
    woke_h: NDArray[np.float64]
    lowest_heart_h: NDArray[np.float64]
    light: NDArray[np.float64]
    sleepiness: NDArray[np.float64]
    bed: NDArray[np.float64]
    rise: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.day)

    @property
    def today(self) -> NDArray[np.int64]:
        """Duty of the coming day (n,)."""
        found: NDArray[np.int64] = np.take_along_axis(self.duty, self.day[:, None], axis=1)[:, 0]
        return found
