"""What a whole person can be advised: today's exercise on waking, the night in the evening; in physical units."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_MOVE_MIN, LEAST_MOVE_MIN = 75.0, 10.0
LEAST_RESERVE, MOST_RESERVE = 0.30, 0.70
MOST_CARBS_G = 30.0
MOST_EARLIER_H = 1.5
"""From the usual bedtime, and later as well; rising up to an hour from the usual."""
MOST_RISE_H = 1.0


class Moment(IntEnum):
    """When advice counts."""

    NONE = 0
    WAKING = 1
    EVENING = 2


PLAN = ("move_at_h", "move_min", "move_reserve", "move_carbs_g", "bed_h", "rise_h")
"""Columns of `Request.plan`: the first four count on waking, the others in the evening. NaN: no word."""
MOVE_AT_H, MOVE_MIN, MOVE_RESERVE, MOVE_CARBS_G, BED_H, RISE_H = range(len(PLAN))


@dataclass(frozen=True)
class Plan:
    """For n persons, arrays (n,). Exercise from an hour of the clock on, for so many minutes (less than ten: none), at
    a share of the heart rate's reserve, with so much fast carbohydrate at its begin; bedtime (after 24 where it is
    after midnight) and rising of the coming night. NaN: no word."""

    move_at_h: Array
    move_min: Array
    move_reserve: Array
    move_carbs_g: Array
    bed_h: Array
    rise_h: Array

    def table(self) -> Array:
        """As `Request.plan` (n, 6)."""
        return np.stack([getattr(self, name) for name in PLAN], axis=1)
