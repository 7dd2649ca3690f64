"""What a forecaster sees at a moment of a record: the last two hours step by step, and figures of the person's past.

Nothing of the future: readings up to the moment itself; insulin and carbs of the steps before it, since an amount on
the grid may have been logged up to 2.5 min later. Which bolus belongs to a meal, and the planned basal rate of a
record, are known only afterwards, so neither is used. Insulin counts relative to what the person took a day so far:
people differ by a factor of eight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.inference.record import Record, on_board
from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

PAST_STEPS = 24
CHANNELS = (
    "glucose", "change", "not_read", "bolus", "basal", "basal_known", "carbs", "insulin_on_board", "carbs_on_board",
)  # fmt: skip
"""Of each of the last `PAST_STEPS` steps."""
LOW_MG_DL = 70.0
NEARLY_LOW_MG_DL = 80.0
WEEK = 7 * STEPS_PER_DAY
_STRETCHES = {
    "3h": 36,
    "6h": 72,
    "day": STEPS_PER_DAY,
    "week": WEEK,
    "fortnight": 2 * WEEK,
    "ever": 1000 * WEEK,
}
_NO_BASAL_U = 1e-3
_USUAL_U_PER_DAY, _LEAST_U_PER_DAY = 40.0, 5.0
_BOARD_MIN = {"insulin": (40.0, 75.0, 150.0), "carbs": (40.0, 60.0, 120.0)}
_AGO_MIN = ((0, 15), (15, 30), (30, 60), (60, 120), (120, 180), (180, 240), (240, 360))
"""Stretches of the past over which boluses and carbs are summed."""
_BASAL_AGO_MIN = ((0, 15), (15, 30), (30, 60), (60, 120), (120, 240))

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """Features of every step of a record. past (n, C): channels of that step; now (n, S): figures, NaN where unknown;
    names (S,): of the figures; allowed (n,): where a forecast may start (a reading, and two hours of record before)."""

    past: NDArray[np.float32]
    now: NDArray[np.float32]
    names: tuple[str, ...]
    allowed: NDArray[np.bool_]

    def windows(self, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """The channels (W, `PAST_STEPS`, C) of the steps up to each start, the start last.

        Raises ValueError for starts that are not allowed.
        """
        starts = np.asarray(starts, np.int64)
        if len(starts) and not (
            0 <= starts.min() <= starts.max() < len(self.past) and self.allowed[starts].all()
        ):
            raise ValueError(
                f"a forecast needs a reading at its start and {PAST_STEPS * STEP_MIN} min of record before it; "
                "take starts from `allowed`"
            )
        return np.asarray(self.past[starts[:, None] + np.arange(1 - PAST_STEPS, 1)])


def see(record: Record) -> Seen:
    """Features of every step of a record; those of a step change with nothing that comes after it."""
    glucose = record.glucose_mg_dl
    n = len(glucose)
    read = np.isfinite(glucose)
    held = _held(glucose)
    bolus, carbs = record.meal_bolus_u + record.other_bolus_u, record.carbs_g
    known = record.basal_known
    basal = np.where(known, record.basal_u, 0.0)
    daily = np.nan_to_num(_before(_mean(bolus, WEEK)) * STEPS_PER_DAY, nan=_USUAL_U_PER_DAY)
    daily = np.where(daily < _LEAST_U_PER_DAY, _USUAL_U_PER_DAY, daily)
    usual = _over(_total(basal, 0, WEEK), _total(known, 0, WEEK))
    usual = np.where(usual > 1e-3, usual, np.nan)
    last = np.where(_before(known) > 0, _before(basal) / usual - 1, 0.0)
    step_back = np.append(held[:1], held[:-1])
    past = np.stack(
        [
            (held - 140) / 60, (held - step_back) / 10, ~read, 20 * _before(bolus) / daily,
            np.clip(np.nan_to_num(last), -1, 3), _before(known), _before(carbs) / 40,
            10 * on_board(bolus, 75.0) / daily, on_board(carbs, 60.0) / 50,
        ],
        axis=1,
    )  # fmt: skip
    now = _shape(held) | _clock(record, n) | _history(glucose)
    now |= _amounts("bolus", bolus, "insulin", daily) | _amounts("carbs", carbs, "carbs", np.full(n, 50.0))
    for a, b in _BASAL_AGO_MIN:
        rate = _over(_total(basal, a // STEP_MIN, b // STEP_MIN), _total(known, a // STEP_MIN, b // STEP_MIN))
        now[f"basal_{a}_{b}"] = np.clip(rate / usual, 0, 5)
    idle = known & (basal < _NO_BASAL_U)
    now |= {f"without_basal_{b}": _total(idle, 0, b // STEP_MIN) for b in (15, 30, 60, 120)}
    now["bolus_u_per_day"], now["basal_u_per_day"] = np.log(daily), usual * STEPS_PER_DAY
    allowed = (
        read
        & (np.arange(n) >= PAST_STEPS - 1)
        & np.isfinite(held[np.maximum(np.arange(n) - PAST_STEPS + 1, 0)])
    )
    return Seen(
        np.nan_to_num(past).astype(np.float32), np.stack(list(now.values()), axis=1).astype(np.float32),
        tuple(now), allowed,
    )  # fmt: skip


def _shape(held: Array) -> dict[str, Array]:
    """How glucose has been going."""
    back = {steps: _before(held, steps) for steps in (3, 6, 12)}
    lowest = {hours: _lowest(held, hours * 60 // STEP_MIN) for hours in (3, 6)}
    return {
        "glucose": held, "rise_15": held - back[3], "rise_30": held - back[6], "rise_60": held - back[12],
        "bend": held - 2 * back[3] + back[6], "lowest_3h": lowest[3], "lowest_6h": lowest[6],
    }  # fmt: skip


def _clock(record: Record, n: int) -> dict[str, Array]:
    angle = 2 * np.pi * (record.minute_of_day + STEP_MIN * np.arange(n)) / MINUTES_PER_DAY
    return {
        f"{name}_{times}": f(times * angle)
        for times in (1, 2)
        for name, f in (("sin", np.sin), ("cos", np.cos))
    }


def _history(glucose: Array) -> dict[str, Array]:
    """The person's readings so far: mean, spread, shares that were low or nearly so, how rough they run, and what used
    to be read an hour later on other days.

    Shares are told by their roots: between none and one low in a hundred lies more than between nine and ten.
    """
    out: dict[str, Array] = {}
    low = np.where(np.isfinite(glucose), glucose < LOW_MG_DL, np.nan)
    nearly = np.where(np.isfinite(glucose), glucose < NEARLY_LOW_MG_DL, np.nan)
    for name, length in _STRETCHES.items():
        mean = _mean(glucose, length)
        out[f"mean_{name}"] = mean
        out[f"spread_{name}"] = np.sqrt(np.maximum(_mean(glucose**2, length) - mean**2, 0))
        if length >= STEPS_PER_DAY:
            out[f"low_{name}"] = np.sqrt(_mean(low, length))
            out[f"nearly_low_{name}"] = np.sqrt(_mean(nearly, length))
    for name, values, days in (("glucose", glucose, 7), ("low", low, 14), ("nearly_low", nearly, 14)):
        out[f"{name}_used_to_be"] = _an_hour_later(values, days)
    change = np.append(np.nan, np.diff(glucose))
    out["rough_2h"] = np.sqrt(_mean(change**2, 24))
    out["rough_1h"] = np.sqrt(_mean(np.append(np.nan, np.diff(change)) ** 2, 12))
    steps = np.arange(len(glucose))
    latest = np.maximum.accumulate(np.where(low == 1, steps, -STEPS_PER_DAY))
    out["since_low"] = np.log1p(np.minimum(steps - latest, STEPS_PER_DAY) * 1.0)
    return out


def _an_hour_later(values: Array, days: int) -> Array:
    """Mean on the days before of the two hours that end 90 min after the same time of day."""
    smooth = _mean(values, 24)
    ahead = [_before(smooth, day * STEPS_PER_DAY - 18) for day in range(1, days + 1)]
    there = np.isfinite(ahead)
    return _over(np.where(there, ahead, 0.0).sum(axis=0), there.sum(axis=0))


def _amounts(name: str, amount: Array, board: str, unit: Array) -> dict[str, Array]:
    """An amount over stretches of the past, and what is left of it by exponentials, in `unit` (n,)."""
    out = {f"{name}_{a}_{b}": _total(amount, a // STEP_MIN, b // STEP_MIN) / unit for a, b in _AGO_MIN}
    return out | {f"{name}_left_{tau:g}": on_board(amount, tau) / unit for tau in _BOARD_MIN[board]}


def _held(glucose: Array) -> Array:
    """The latest reading at each step, NaN before the first."""
    latest = np.maximum.accumulate(np.where(np.isfinite(glucose), np.arange(len(glucose)), -1))
    return np.where(latest >= 0, glucose[np.maximum(latest, 0)], np.nan)


def _before(values: NDArray[np.generic], steps: int = 1) -> Array:
    """The value so many steps ago; NaN where there is none."""
    return np.append(np.full(min(steps, len(values)), np.nan), values[: max(len(values) - steps, 0)])


def _total(amount: NDArray[np.generic], first: int, last: int) -> Array:
    """Sum over the steps k - last ... k - first - 1, for each k; the step k itself is never among them."""
    sums = np.append(0.0, np.cumsum(amount, dtype=np.float64))
    k = np.arange(len(amount))
    return np.asarray(sums[np.maximum(k - first, 0)] - sums[np.maximum(k - last, 0)])


def _mean(values: Array, steps: int) -> Array:
    """Mean of the finite ones of the last `steps` values up to that of each step, NaN where there are none."""
    finite = np.isfinite(values)
    total, count = np.append(0.0, np.cumsum(np.where(finite, values, 0.0))), np.append(0, np.cumsum(finite))
    k = np.arange(1, len(values) + 1)
    low = np.maximum(k - steps, 0)
    return _over(total[k] - total[low], count[k] - count[low])


def _over(a: Array, b: NDArray[np.generic]) -> Array:
    """a / b, NaN where b is 0."""
    return np.asarray(np.divide(a, b, out=np.full(len(a), np.nan), where=np.asarray(b) > 0))


def _lowest(values: Array, steps: int) -> Array:
    """The lowest of the last `steps` values up to that of each step, NaN left out."""
    filled = np.append(np.full(steps - 1, np.inf), np.where(np.isfinite(values), values, np.inf))
    found = np.lib.stride_tricks.sliding_window_view(filled, steps).min(axis=1)
    return np.where(np.isfinite(found), found, np.nan)
