"""What came after a moment of a record: readings of the next hour, and whether any was low within an hour or a night.

Readings as they are: nothing is bridged, so nothing is scored that was not read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import LOW_MG_DL
from twins.inference.record import Record
from twins.world.diary import STEP_MIN

STEPS = 12
HORIZONS_MIN = tuple(range(STEP_MIN, STEPS * STEP_MIN + 1, STEP_MIN))
NIGHT_STEPS = 84
"""From 23:00 to 06:00."""
LEAST_READ = 0.75
"""Whether there was a low is known when this share of the steps was read."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """After each of W starts. glucose_mg_dl (W, 12): readings, NaN where none; low_by (W, 12): whether one up to that
    step was below 70; low (W,), low_night (W,): within 60 min and 7 h, 0 or 1, NaN where too little was read."""

    glucose_mg_dl: NDArray[np.float64]
    low_by: NDArray[np.bool_]
    low: NDArray[np.float64]
    low_night: NDArray[np.float64]


def ahead(record: Record, starts: NDArray[np.int64], end: int) -> Ahead:
    """What was read after `starts` (W,) and before the step `end`; later readings count as not made.

    Raises ValueError for starts outside the record, or an `end` beyond it.
    """
    starts = np.asarray(starts, np.int64)
    if end > len(record) or (len(starts) and not 0 <= starts.min() <= starts.max() < end):
        raise ValueError(f"starts and end must lie within the record of {len(record)} steps; end is {end}")
    glucose = np.append(record.glucose_mg_dl[:end], np.full(NIGHT_STEPS + 1, np.nan))
    later = glucose[starts[:, None] + np.arange(1, NIGHT_STEPS + 1)]
    hour = later[:, :STEPS]
    return Ahead(hour, np.logical_or.accumulate(hour < LOW_MG_DL, axis=1), _any_low(hour), _any_low(later))


def _any_low(glucose: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(glucose).mean(axis=1) >= LEAST_READ
    return np.where(known, (glucose < LOW_MG_DL).any(axis=1), np.nan)
