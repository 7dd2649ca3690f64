"""Measures of glucose: the consensus on CGM metrics, risk indices, events, and what a death counts for.

Glucose is in mg/dL, shape (n, samples) for n episodes or (samples,) for one; a result has one value an
episode, shape (n,) or (). NaN is a missing reading. Percentages are of the valid readings. An episode
without any reading has no metrics: ValueError, never 0. Sample k stands for the minutes from k x interval
to (k + 1) x interval.

Sources: Battelino and others, Diabetes Care 2019, 42:1593 (ranges, events, sufficiency); Kovatchev and
others 2006 (LBGI, HBGI); Magni and others 2007 and 2008 (risk, CVGA); Klonoff and others 2022 (GRI);
Leelarathna and others 2020 (COGI); Service and others 1970 (MAGE).
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.rewards import risks
from experiments.records.tables import Table
from twins.units import MINUTES_PER_DAY

Array = NDArray[np.float64]

VERY_LOW, LOW, TIGHT, HIGH, VERY_HIGH = 54.0, 70.0, 140.0, 180.0, 250.0
"""Bounds of the consensus, mg/dL: 70 and 180 are in range, 54 is not very low, 250 not very high."""

EVENT_MIN = 15.0
"""An event begins and ends with this many minutes on one side of its bound; longer gaps are not bridged."""
EXTENDED_MIN = 120.0
NIGHT_ENDS_MIN = 360
"""Night is 00:00 to 06:00."""
SUFFICIENT_DAYS, SUFFICIENT_PCT = 14.0, 70.0
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY


def checked(glucose: ArrayLike) -> Array:
    """Glucose as float64. ValueError for an episode without reading, or readings that are no glucose."""
    found = np.asarray(glucose, np.float64)
    if found.ndim not in (1, 2) or not found.size:
        raise ValueError(
            f"glucose has shape {found.shape}; give (samples,) or (episodes, samples), not empty"
        )
    if np.isnan(found).all(axis=-1).any():
        rows = np.flatnonzero(np.isnan(np.atleast_2d(found)).all(axis=1))
        raise ValueError(f"no reading in episode {rows[0]}: all {found.shape[-1]} samples are missing")
    if not np.nanmin(found) > 1 or np.isinf(found).any():
        raise ValueError(
            f"readings from {np.nanmin(found):g} to {np.nanmax(found):g} given; glucose is finite and above "
            "1 mg/dL (NaN where a reading is missing)"
        )
    return found


def time_in_ranges(glucose: ArrayLike) -> dict[str, Array]:
    """Per cent of readings below 54 and 70, in 70-180 (tir_pct) and 70-140 (titr_pct), above 180 and 250.

    Of these below_70, tir and above_180 sum to 100; below_54 is part of below_70, above_250 of above_180.
    """
    g = checked(glucose)
    known = np.isfinite(g).sum(axis=-1)
    inside = {
        "below_54_pct": g < VERY_LOW,
        "below_70_pct": g < LOW,
        "tir_pct": (g >= LOW) & (g <= HIGH),
        "titr_pct": (g >= LOW) & (g <= TIGHT),
        "above_180_pct": g > HIGH,
        "above_250_pct": g > VERY_HIGH,
    }
    return {name: 100.0 * here.sum(axis=-1) / known for name, here in inside.items()}


def mean(glucose: ArrayLike) -> Array:
    """Mean of the readings, mg/dL."""
    return np.asarray(np.nanmean(checked(glucose), axis=-1))


def sd(glucose: ArrayLike) -> Array:
    """Standard deviation of the readings (ddof = 1), mg/dL; NaN for a single reading."""
    g = checked(glucose)
    known = np.isfinite(g).sum(axis=-1)
    squares = np.nansum((g - np.nanmean(g, axis=-1, keepdims=True)) ** 2, axis=-1)
    return np.asarray(np.where(known > 1, np.sqrt(squares / np.maximum(known - 1, 1)), np.nan))


def cv_pct(glucose: ArrayLike) -> Array:
    """Coefficient of variation, 100 SD / mean; NaN for a single reading."""
    return np.asarray(100.0 * sd(glucose) / mean(glucose))


def gmi_pct(mean_mg_dl: ArrayLike) -> Array:
    """Glucose management indicator of a mean glucose, per cent: 3.31 + 0.02392 mean (Bergenstal 2018)."""
    return 3.31 + 0.02392 * np.asarray(mean_mg_dl, np.float64)


def kovatchev_risk(glucose: ArrayLike) -> tuple[Array, Array]:
    """Risk of low and of high glucose of every reading (low, high), 0 to about 100; both 0 at 112.5 mg/dL."""
    return risks(glucose)


def lbgi(glucose: ArrayLike) -> Array:
    """Low blood glucose index: mean risk of low glucose. HBGI is its counterpart, BGRI the sum of both."""
    return np.asarray(np.nanmean(kovatchev_risk(checked(glucose))[0], axis=-1))


def hbgi(glucose: ArrayLike) -> Array:
    """High blood glucose index: mean risk of high glucose."""
    return np.asarray(np.nanmean(kovatchev_risk(checked(glucose))[1], axis=-1))


def magni_risk(glucose: ArrayLike) -> Array:
    """Magni's risk of every reading: 25 at 70 and at 280 mg/dL, 0 at 138.9."""
    return np.asarray(10.0 * (3.5506 * (np.log(np.asarray(glucose, np.float64)) ** 0.8353 - 3.7932)) ** 2)


def gri(
    below_54_pct: ArrayLike, below_70_pct: ArrayLike, above_180_pct: ArrayLike, above_250_pct: ArrayLike
) -> Array:
    """Glycemia risk index, 0 (best) to 100, from shares of time; below 70 includes below 54, and so above."""
    very_low, low, high, very_high = map(
        np.asarray, (below_54_pct, below_70_pct, above_180_pct, above_250_pct)
    )
    index = 3.0 * very_low + 2.4 * (low - very_low) + 1.6 * very_high + 0.8 * (high - very_high)
    return np.asarray(np.minimum(index, 100.0))


def cogi(tir_pct: ArrayLike, below_70_pct: ArrayLike, sd_mg_dl: ArrayLike) -> Array:
    """Continuous glucose monitoring index, 0 to 100 (best); the SD counts between 1 and 6 mmol/L."""
    low = 100.0 - (100.0 / 15.0) * np.minimum(below_70_pct, 15.0)
    steady = 120.0 - 20.0 * np.clip(np.asarray(sd_mg_dl) / 18.018, 1.0, 6.0)
    return np.asarray(0.5 * np.asarray(tir_pct) + 0.35 * low + 0.15 * steady)


CVGA_ZONES = (
    ("A", "Upper B", "Upper C"),
    ("Lower B", "B", "Upper D"),
    ("Lower C", "Lower D", "E"),
)
"""Rows: minimum 90 and above, 70-90, below 70. Columns: maximum up to 180, 180-300, above 300."""


def cvga_zone(glucose: ArrayLike) -> NDArray[np.str_]:
    """Zone of the control variability grid, from the percentiles 2.5 (minimum) and 97.5 (maximum).

    Every episode has a zone: whatever lies outside the grid counts at its edge.
    """
    lowest, highest = np.nanpercentile(checked(glucose), (2.5, 97.5), axis=-1)
    row = (lowest < 90.0).astype(int) + (lowest < 70.0)
    zones: NDArray[np.str_] = np.asarray(CVGA_ZONES)
    return np.asarray(zones[row, (highest > 180.0).astype(int) + (highest > 300.0)])


class Event(NamedTuple):
    """A time on the wrong side of a bound: its start, its length, whether over 120 min were unbroken."""

    start_min: float
    duration_min: float
    extended: bool


def events(
    glucose: ArrayLike, interval_min: float, bound: float = LOW, side: Literal["low", "high"] = "low"
) -> list[list[Event]]:
    """The events of every episode: below 70 (level 1), below 54 (`bound=54`), or above 180 or 250.

    An event starts with 15 consecutive minutes beyond the bound and ends with 15 on its good side, with a
    gap of more than 15 minutes, or with the data. A shorter gap takes the side of the last reading before
    it. One list an episode, also for glucose of shape (samples,).
    """
    g = np.atleast_2d(checked(glucose))
    if not interval_min > 0:
        raise ValueError(f"interval_min: {interval_min} given; minutes between samples are above 0")
    beyond = g < bound if side == "low" else g > bound
    state = np.where(np.isnan(g), -1, beyond.astype(int))
    return [_events(row, interval_min) for row in state]


def _events(state: NDArray[np.int_], interval_min: float) -> list[Event]:
    """Events of one episode; state 1 = beyond the bound, 0 = not, -1 = missing."""
    bridged = state.copy()
    for value, first, end in _runs(state):
        if value < 0 and first and (end - first) * interval_min <= EVENT_MIN:
            bridged[first:end] = bridged[first - 1]
    found: list[Event] = []
    start: int | None = None
    longest = 0.0

    def close(end: int) -> None:
        if start is not None:
            found.append(Event(start * interval_min, (end - start) * interval_min, longest > EXTENDED_MIN))

    for value, first, end in _runs(bridged):
        lasted = (end - first) * interval_min
        if value == 1 and (start is not None or lasted >= EVENT_MIN):
            start, longest = (first, lasted) if start is None else (start, max(longest, lasted))
        elif value < 0 or (value == 0 and lasted >= EVENT_MIN):
            close(first)
            start, longest = None, 0.0
    close(len(state))
    return found


def _runs(values: NDArray[np.int_]) -> Iterator[tuple[int, int, int]]:
    """Value, first index and end of every unbroken run of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    for first, end in zip(edges[:-1], edges[1:], strict=True):
        yield int(values[first]), first, end


def is_night(samples: int, interval_min: float, first_minute: float = 0.0) -> NDArray[np.bool_]:
    """Which samples lie between 00:00 and 06:00, shape (samples,); the first is at minute `first_minute`."""
    minute = first_minute + interval_min * np.arange(samples)
    return np.asarray(minute % MINUTES_PER_DAY < NIGHT_ENDS_MIN)


def day_and_night(
    metric: Callable[[Array], Array], glucose: ArrayLike, interval_min: float, first_minute: float = 0.0
) -> tuple[Array, Array]:
    """A metric, such as `mean`, of the day and of the night. ValueError where either has no reading."""
    g = np.asarray(glucose, np.float64)
    night = is_night(g.shape[-1], interval_min, first_minute)
    return metric(g[..., ~night]), metric(g[..., night])


def mage(glucose: ArrayLike) -> Array:
    """Mean amplitude of glycaemic excursions, mg/dL; NaN where no excursion exceeds one SD.

    Algorithm: missing readings are left out. A reading is a turning point when glucose comes to it and
    goes from it by more than one SD of the whole trace, so turning points alternate and everything smaller
    is passed over. An excursion leads from one turning point to the next; the ends of the trace are none.
    MAGE is the mean of those that go the way of the first one. A sine of amplitude A has 2 A. Give one day
    at a time for the SD within days of Service (1970).
    """
    g = checked(glucose)
    spread = np.atleast_1d(sd(g))
    found = [_mage(row[np.isfinite(row)], limit) for row, limit in zip(np.atleast_2d(g), spread, strict=True)]
    return np.array(found) if g.ndim == 2 else np.array(found[0])


def _mage(trace: Array, limit: float) -> float:
    turns: list[float] = []
    low = high = extreme = float(trace[0])
    rising = 0
    for value in trace.tolist():
        if not rising:
            low, high = min(low, value), max(high, value)
            if high - low > limit:
                rising, extreme = (1, value) if value == high else (-1, value)
        elif rising * (value - extreme) >= 0:
            extreme = value
        elif abs(value - extreme) > limit:
            turns.append(extreme)
            rising, extreme = -rising, value
    legs = np.abs(np.diff(turns))
    return float(legs[::2].mean()) if len(legs) else float("nan")


def sensor_active_pct(glucose: ArrayLike) -> Array:
    """Readings there are, in per cent of those expected."""
    return np.asarray(100.0 * np.isfinite(checked(glucose)).mean(axis=-1))


def is_sufficient(glucose: ArrayLike, interval_min: float) -> NDArray[np.bool_]:
    """Whether the consensus would report these data: 14 days or more, 70 % of the readings or more."""
    g = checked(glucose)
    long_enough = g.shape[-1] * interval_min >= SUFFICIENT_DAYS * MINUTES_PER_DAY
    return np.asarray(long_enough & (sensor_active_pct(g) >= SUFFICIENT_PCT))


def episode_metrics(
    glucose_mg_dl: ArrayLike,
    failed_side: ArrayLike,
    failure_sample: ArrayLike,
    interval_min: float,
    low_bound: float,
    high_bound: float,
) -> Table:
    """The metrics of n episodes as columns of episodes.csv, each of shape (n,). The dead count.

    glucose_mg_dl: (n, samples), the whole planned time. failed_side: (n,), "low", "high" or "" (alive).
    failure_sample: (n,), index of the first sample of the dead time; glucose from there on is not read.
    low_bound, high_bound: glucose at which an episode fails, mg/dL.

    All planned time is scored. After a failure it counts as glucose at the bound that was crossed: below 54
    or above 250, in the index of that side, and as an event that lasts to the end. Mean, SD, CV, GMI, Magni
    risk and the index of the other side are of the time alive, which the dead time could only make look
    better; COGI takes its SD from there. An episode with no time alive has NaN for these.
    """
    g = np.array(glucose_mg_dl, np.float64)
    side, first = np.asarray(failed_side, np.str_), np.asarray(failure_sample)
    if g.ndim != 2 or side.shape != (len(g),) or first.shape != (len(g),):
        raise ValueError(
            f"shapes {g.shape}, {side.shape}, {first.shape} given for glucose, failed_side, failure_sample; "
            "they are (n, samples), (n,), (n,)"
        )
    if not set(side.tolist()) <= {"", "low", "high"}:
        raise ValueError(f"failed_side holds {sorted(set(side.tolist()))}; known are '', 'low', 'high'")
    if not low_bound < VERY_LOW < VERY_HIGH < high_bound:
        raise ValueError(
            f"failure bounds {low_bound:g} and {high_bound:g} given; they lie below 54 and above 250"
        )
    died = (side != "")[:, None] & (np.arange(g.shape[1]) >= first[:, None])
    scored = checked(np.where(died, np.where(side == "low", low_bound, high_bound)[:, None], g))
    lived = np.where(died, np.nan, g)
    some = np.isfinite(lived).any(axis=1)

    def alive(metric: Callable[[Array], Array]) -> Array:
        values = np.full(len(g), np.nan)
        if some.any():
            values[some] = metric(lived[some])
        return values

    table: Table = dict(time_in_ranges(scored))
    table["mean_mg_dl"], table["sd_mg_dl"], table["cv_pct"] = alive(mean), alive(sd), alive(cv_pct)
    table["gmi_pct"] = gmi_pct(table["mean_mg_dl"])
    table["lbgi"] = np.where(side == "high", alive(lbgi), lbgi(scored))
    table["hbgi"] = np.where(side == "low", alive(hbgi), hbgi(scored))
    table["bgri"] = table["lbgi"] + table["hbgi"]
    table["magni_risk"] = alive(lambda part: np.asarray(np.nanmean(magni_risk(part), axis=-1)))
    shares = ("below_54_pct", "below_70_pct", "above_180_pct", "above_250_pct")
    table["gri"] = gri(*(table[name] for name in shares))
    table["cogi"] = cogi(table["tir_pct"], table["below_70_pct"], table["sd_mg_dl"])
    weeks = g.shape[1] * interval_min / MINUTES_PER_WEEK
    low = events(scored, interval_min)
    table["low_events_per_week"] = np.array([len(one) for one in low]) / weeks
    table["very_low_events_per_week"] = (
        np.array([len(one) for one in events(scored, interval_min, VERY_LOW)]) / weeks
    )
    table["extended_low_events_per_week"] = np.array([sum(e.extended for e in one) for one in low]) / weeks
    return table
