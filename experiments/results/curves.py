"""Counts that add up: glucose by hour and after meals, doses by glucose, trend and insulin on board.

An evaluation writes these tables beside its episodes. Rows of several evaluations are summed with `added`, so a
study needs no traces for its curves and its map of doses, and nothing is averaged twice. Nights are hours of the
clock and need no table of their own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.records.tables import Table, concat
from twins.units import MINUTES_PER_DAY

Array = NDArray[np.float64]

GLUCOSE_BIN, HIGHEST_BIN = 10, 600
"""Width of a bin of glucose and the beginning of the last, which holds everything above, mg/dL."""
CLOCK_SLOT, MEAL_SLOT = 30, 15
"""Minutes of a slot of the day, and of a slot around a meal."""
BEFORE_MEAL, AFTER_MEAL = 60, 300
"""Minutes shown around a meal."""
MEAL_G = 20.0
"""A meal of as many grams of carbohydrate or more counts as one; carbohydrate against lows does not."""

GLUCOSE_FROM = (0.0, 54.0, 70.0, 90.0, 110.0, 140.0, 180.0, 220.0, 260.0)
TREND_FROM = (-10.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
IOB_FROM = (0.0, 3.0, 6.0)
"""Where the bins of the map of doses begin: reading (mg/dL), its trend (mg/dL/min), insulin on board (% of the
person's daily insulin). The last of each has no end."""
TREND_MIN = 15
"""The trend is that of the readings of as many minutes."""

CURVE_KEYS = ("agent", "shield", "protocol", "drawn", "align", "minute", "glucose_bin_mg_dl")
CURVE_SUMS = ("count",)
DOSE_BINS = ("glucose_from_mg_dl", "trend_from_mg_dl_per_min", "iob_from_pct")
DOSE_KEYS = ("agent", "shield", "protocol", "drawn", *DOSE_BINS)
DOSE_SUMS = ("count", "basal_factor_sum", "delivered_factor_sum", "meals", "bolus_factor_sum")


def glucose_curves(columns: Mapping[str, NDArray[Any]], alive: NDArray[np.bool_], interval_min: int) -> Table:
    """Counts of true plasma glucose of the time alive: align, minute, glucose_bin_mg_dl, count.

    columns: of `envs.trace.intervals`, each (n, K). align "clock": minute is the beginning of a slot of the day;
    "meal": that of a slot relative to a meal, before which it is negative. A meal's slots may hold other meals.
    """
    glucose, minute = columns["glucose_mg_dl"], columns["minute"]
    known = alive & np.isfinite(glucose)
    level = (np.clip(np.where(known, glucose, 0.0), 0, HIGHEST_BIN) // GLUCOSE_BIN).astype(int)
    clock = ((minute - interval_min) % MINUTES_PER_DAY // CLOCK_SLOT).astype(int)
    tables = [_counted("clock", clock[known] * CLOCK_SLOT, level[known])]
    lane, at = np.nonzero(alive & (np.nan_to_num(columns["carbs_g"] - columns["rescue_g"]) >= MEAL_G))
    steps = np.arange(-BEFORE_MEAL // interval_min, AFTER_MEAL // interval_min)
    place = at[:, None] + steps
    inside = (place >= 0) & (place < glucose.shape[1])
    place = np.where(inside, place, 0)
    counts = inside & known[lane[:, None], place]
    slot = np.broadcast_to(steps * interval_min // MEAL_SLOT * MEAL_SLOT, place.shape)
    tables.append(_counted("meal", slot[counts], level[lane[:, None], place][counts]))
    return concat(tables)


def _counted(align: str, minute: NDArray[np.int_], level: NDArray[np.int_]) -> Table:
    """How often every pair of slot and bin occurs."""
    pairs, count = np.unique(np.stack([minute, level]), axis=1, return_counts=True)
    return {
        "align": np.full(len(count), align),
        "minute": pairs[0].astype(float),
        "glucose_bin_mg_dl": pairs[1].astype(float) * GLUCOSE_BIN,
        "count": count.astype(float),
    }


def dose_counts(
    columns: Mapping[str, NDArray[Any]],
    alive: NDArray[np.bool_],
    interval_min: int,
    basal_u_per_h: Array,
    daily_insulin_u: Array,
    carb_ratio_g_per_u: Array,
) -> Table:
    """What was asked for, by what could be seen before: sums over control intervals of the time alive.

    basal_u_per_h, daily_insulin_u, carb_ratio_g_per_u: settings of the n persons. basal_factor_sum: requested
    basal over the scheduled one, delivered_factor_sum: what the shield and the pump left of it. meals: intervals
    with an announcement; bolus_factor_sum: requested bolus over announced carbohydrate / carb ratio.
    Rows with a missing reading are left out.
    """
    back = max(TREND_MIN // interval_min, 1)
    first = back + 1
    seen, before = columns["cgm_mg_dl"][:, back:-1], columns["cgm_mg_dl"][:, : -first or None]
    now = {name: column[:, first:] for name, column in columns.items()}
    iob = 100 * columns["iob_u"][:, back:-1] / daily_insulin_u[:, None]
    trend = (seen - before) / (back * interval_min)
    asked, given = (now[f"{kind}basal_u_per_h"] / basal_u_per_h[:, None] for kind in ("requested_", ""))
    told = now["announced_g"]
    bolus = now["requested_bolus_u"] * carb_ratio_g_per_u[:, None] / np.maximum(told, 1e-9)
    keep = alive[:, first:] & np.isfinite(trend) & np.isfinite(iob) & np.isfinite(asked)
    meal = keep & (told > 0) & np.isfinite(bolus)
    bins = [
        np.clip(np.searchsorted(edges, values[keep], "right") - 1, 0, len(edges) - 1)
        for edges, values in ((GLUCOSE_FROM, seen), (TREND_FROM, trend), (IOB_FROM, iob))
    ]
    shape = len(GLUCOSE_FROM), len(TREND_FROM), len(IOB_FROM)
    flat = np.ravel_multi_index(bins, shape)
    values = {
        "count": np.ones(int(keep.sum())),
        "basal_factor_sum": asked[keep],
        "delivered_factor_sum": given[keep],
        "meals": meal[keep].astype(float),
        "bolus_factor_sum": np.where(meal, bolus, 0.0)[keep],
    }
    sums = {name: np.bincount(flat, column, int(np.prod(shape))) for name, column in values.items()}
    there = np.flatnonzero(sums["count"])
    places = np.unravel_index(there, shape)
    edges = np.array(GLUCOSE_FROM), np.array(TREND_FROM), np.array(IOB_FROM)
    keys = {name: edge[place] for name, edge, place in zip(DOSE_BINS, edges, places, strict=True)}
    return keys | {name: column[there] for name, column in sums.items()}


def added(tables: Sequence[Table], keys: Sequence[str], sums: Sequence[str]) -> Table:
    """The rows of several tables with the same keys summed, sorted by the keys. Raises ValueError without a table."""
    rows = concat([{name: table[name] for name in (*keys, *sums)} for table in tables])
    codes = [np.unique(rows[name], return_inverse=True) for name in keys]
    flat = np.zeros(len(rows[keys[0]]), np.int64)
    for values, code in codes:
        flat = flat * len(values) + code
    groups, first, place = np.unique(flat, return_index=True, return_inverse=True)
    found: Table = {name: rows[name][first] for name in keys}
    return found | {name: np.bincount(place, rows[name], len(groups)) for name in sums}


def percentiles(curve: Table, levels: Sequence[float], period: float | None = None) -> tuple[Array, Array]:
    """Middle of each slot (slots,), and percentiles of glucose in it (levels, slots), from counts of one alignment.

    Within a bin values are taken to be spread evenly. period: width of the slots in minutes (default: the
    smallest step). Raises ValueError for a table without rows.
    """
    slots = np.unique(curve["minute"])
    if not len(slots):
        raise ValueError("these counts are empty; give rows of curves.csv of one agent and one alignment")
    width = period or float(np.diff(slots).min() if len(slots) > 1 else CLOCK_SLOT)
    edges = np.arange(0, HIGHEST_BIN + 2 * GLUCOSE_BIN, GLUCOSE_BIN, dtype=float)
    found = np.empty((len(levels), len(slots)))
    for k, slot in enumerate(slots):
        mine = curve["minute"] == slot
        place = (curve["glucose_bin_mg_dl"][mine] / GLUCOSE_BIN).astype(int)
        counts = np.bincount(place, curve["count"][mine], len(edges) - 1)
        below = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
        rising = np.concatenate([[True], np.diff(below) > 0])  # of a flat stretch only its first point
        found[:, k] = np.interp(np.array(levels) / 100, below[rising], edges[rising])
    return slots + width / 2, found


def night(curves: Table) -> Table:
    """The rows from 22:00 to 07:00 of the clock, with minutes counted from 22:00."""
    since = (curves["minute"] - 22 * 60) % MINUTES_PER_DAY
    keep = (curves["align"] == "clock") & (since < 9 * 60)
    return {name: column[keep] for name, column in (curves | {"minute": since}).items()}
