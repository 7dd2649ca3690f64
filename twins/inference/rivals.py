"""What a twin must beat: forecasts without physiology, from the same record and the same days, given no more.

None sees what a pump will dose in reaction to glucose: that would tell it the glucose to come.
"""

import numpy as np
from numpy.typing import NDArray

from twins.inference.identify import targets, window_starts
from twins.inference.record import Record, bridged, on_board
from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN

BLOCKS = 8
"""Of a day, for the mean by time of day."""
PAST_MIN = 60
INSULIN_DECAY_MIN, CARBS_DECAY_MIN = 75.0, 60.0
PENALTIES = 10.0 ** np.arange(-1, 5)
Horizons = tuple[int, ...]


def persistence(record: Record, starts: NDArray[np.int64], horizons_min: Horizons) -> NDArray[np.float64]:
    """The reading at the start, held: (W, H) [mg/dL]."""
    return np.repeat(bridged(record.glucose_mg_dl)[starts][:, None], len(horizons_min), axis=1)


def time_of_day_mean(
    record: Record, part: slice, starts: NDArray[np.int64], horizons_min: Horizons
) -> NDArray[np.float64]:
    """The person's own mean glucose of `part` at that time of day, in blocks of 3 h: (W, H) [mg/dL]."""
    read = part.start + np.flatnonzero(np.isfinite(record.glucose_mg_dl[part]))
    glucose, block = record.glucose_mg_dl[read], _block(record, read)
    means = np.array(
        [glucose[block == one].mean() if (block == one).any() else glucose.mean() for one in range(BLOCKS)]
    )
    return np.asarray(means[_block(record, starts[:, None] + np.array(horizons_min) // STEP_MIN)])


def ridge(
    record: Record, part: slice, starts: NDArray[np.int64], horizons_min: Horizons
) -> NDArray[np.float64]:
    """Ridge regression fitted on `part`, one for each horizon: (W, H) [mg/dL].

    From the last hour of readings, insulin and carbs on board and the time of day, and of what is to come from meal
    boluses and carbs. The penalty is the one with the smallest leave-one-out error (generalised cross-validation).
    """
    learned = window_starts(record, part, 3 * STEP_MIN, max(horizons_min))
    seen = targets(record, learned, horizons_min)
    out = np.empty((len(starts), len(horizons_min)))
    for column, horizon in enumerate(horizons_min):
        x, y = _features(record, learned, horizon), seen[:, column]
        x, y = x[np.isfinite(y)], y[np.isfinite(y)]
        mean, sd = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
        u, s, vt = np.linalg.svd((x - mean) / sd, full_matrices=False)
        inner = u.T @ (y - y.mean())
        scores = []
        for penalty in PENALTIES:
            kept = s**2 / (s**2 + penalty)
            left = (y - y.mean()) - u @ (kept * inner)
            scores.append((left @ left) / (1 - (kept.sum() + 1) / len(y)) ** 2)
        best = PENALTIES[int(np.argmin(scores))]
        weights = vt.T @ (s / (s**2 + best) * inner)
        out[:, column] = y.mean() + (_features(record, starts, horizon) - mean) / sd @ weights
    return out


def _features(record: Record, starts: NDArray[np.int64], horizon_min: int) -> NDArray[np.float64]:
    """Columns of the regression (W, F)."""
    glucose = record.glucose_mg_dl
    read = np.flatnonzero(np.isfinite(glucose))
    newest = np.maximum.accumulate(np.where(np.isfinite(glucose), np.arange(len(glucose)), read[0]))
    held = glucose[newest]
    past = [held[np.maximum(starts - back, 0)] for back in range(0, PAST_MIN // STEP_MIN + 1, 3)]
    left = [
        on_board(amount, decay)[starts]
        for amount, decay in ((record.delivered_u, INSULIN_DECAY_MIN), (record.carbs_g, CARBS_DECAY_MIN))
    ]
    angle = 2 * np.pi * (record.minute_of_day + STEP_MIN * starts) / MINUTES_PER_DAY
    clock = [f(times * angle) for times in (1, 2) for f in (np.sin, np.cos)]
    coming = []
    for amount in (record.carbs_g, record.meal_bolus_u):
        total = np.append(0.0, np.cumsum(amount))
        for hour in range(0, horizon_min, 60):
            first, last = starts + hour // STEP_MIN, starts + min(hour + 60, horizon_min) // STEP_MIN
            coming.append(total[np.minimum(last, len(glucose))] - total[np.minimum(first, len(glucose))])
    return np.stack([*past, *left, *clock, *coming], axis=1)


def _block(record: Record, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    minute = (record.minute_of_day + STEP_MIN * steps) % MINUTES_PER_DAY
    return minute * BLOCKS // MINUTES_PER_DAY
