"""Four lines of glucose over the next 4 h, each with another thought of what carbs will do; and their lowest values.

IOB: the deviation of now fades within an hour. ZT: insulin alone, with a zero rate from now on. COB: known carbs are
absorbed as they are now, and the rest in a triangle. UAM: an unannounced meal fades as the deviations of late do.
"""

import numpy as np

from agents.oref.rounding import rounded
from agents.oref.situation import TICKS
from twins.kernels import kernel

IOB, ZT, COB, UAM = range(4)
LINES = 4
UNSET = 999.0
"""A lowest value that was never set: higher than any line goes."""
CARBS_AT_MOST_G_PER_H = 30.0
CARBS_ASSUMED_G_PER_H = 20.0
LEAST_ABSORPTION_H = 3.0
ABSORPTION_GROWS = 1.5
INSULIN_PEAK_TICKS = 18
"""Insulin given within half an hour has its peak after 90 min: what comes earlier cannot be helped any more."""
UAM_PEAK_TICKS = 12
UAM_FADES_TICKS = 36.0


@kernel
def impact_of_carbs(now, profile, sens, csf, ratio, deviation, preferences):  # type: ignore[no-untyped-def]
    """Carb impact now (mg/dL per 5 min), how many ticks known carbs last at it, peak of the triangle of the rest
    (mg/dL per 5 min), its length in h. csf: rise by a gram, mg/dL; ratio: of sensitivity, NaN where none is known."""
    impact = min(deviation, rounded(CARBS_AT_MOST_G_PER_H * csf * 5 / 60, 1))
    hours = LEAST_ABSORPTION_H
    if ratio > 0:  # False where it is NaN
        hours /= ratio
    if now.carbs_g > 0:
        hours = max(hours, now.cob_g / CARBS_ASSUMED_G_PER_H)
        hours = rounded(hours + ABSORPTION_GROWS * rounded(now.since_carbs_min, 0) / 60, 1)
    absorbed_g = max(0.0, impact / 5 * 60 * hours / 2) / csf
    cap, share = 90.0, 1.0
    if preferences.remaining_carbs_cap_g > 0:
        cap = min(cap, preferences.remaining_carbs_cap_g)
    if preferences.remaining_carbs_fraction > 0:
        share = min(share, preferences.remaining_carbs_fraction)
    rest_g = min(cap, max(0.0, now.cob_g - absorbed_g - now.carbs_g * (1 - share)))
    peak = rest_g * csf * 5 / 60 / (hours / 2)
    ticks = 0.0
    if impact != 0:
        ticks = min(hours * 60 / 5 / 2, max(0.0, now.cob_g * csf / impact))
    return impact, ticks, peak, hours


@kernel
def lines(now, activity, zero_activity, sens, impact, deviation, ticks, peak, hours, with_uam, path):  # type: ignore[no-untyped-def]
    """Fill path (LINES, TICKS) with the four lines, unrounded; give where each ends, the lowest of each, the lowest
    after insulin's peak of each, and the highest of the COB line (mg/dL).

    activity, zero_activity (TICKS,): U/min. impact: of carbs now; deviation: the same without its limit.
    """
    ends = np.full(LINES, now.glucose_mg_dl)
    guard, lowest = np.full(LINES, UNSET), np.full(LINES, UNSET)
    path[:, 0] = now.glucose_mg_dl
    highest_iob, highest_cob = now.glucose_mg_dl, now.glucose_mg_dl
    fall = min(rounded(now.slope_from_max, 2), -rounded(now.slope_from_min, 2) / 3)
    carbs_count = ticks != 0 or peak > 0
    for k in range(TICKS):
        step = k + 1.0
        by_insulin = rounded(-activity[k] * sens * 5, 2)
        fading = impact * (1 - min(1.0, step / 12))
        known = max(0.0, max(0.0, impact) * (1 - step / max(ticks * 2, 1.0)))
        rest = max(0.0, min(step, hours * 12 - step) / (hours / 2 * 12) * peak)
        unannounced = min(
            max(0.0, deviation + step * fall), max(0.0, deviation * (1 - step / UAM_FADES_TICKS))
        )
        ends[IOB] = path[IOB, k] + by_insulin + fading
        ends[ZT] = path[ZT, k] + rounded(-zero_activity[k] * sens * 5, 2)
        ends[COB] = path[COB, k] + by_insulin + min(0.0, fading) + known + rest
        ends[UAM] = path[UAM, k] + by_insulin + min(0.0, fading) + unannounced
        if k + 1 < TICKS:
            path[:, k + 1] = ends
        for line in range(LINES):
            if ends[line] < guard[line]:
                guard[line] = rounded(ends[line])
        length = min(k + 2, TICKS)
        if length > INSULIN_PEAK_TICKS and ends[IOB] < lowest[IOB]:
            lowest[IOB] = rounded(ends[IOB])
        if carbs_count and length > INSULIN_PEAK_TICKS and ends[COB] < lowest[COB]:
            lowest[COB] = rounded(ends[COB])
        if with_uam and length > UAM_PEAK_TICKS and ends[UAM] < lowest[UAM]:
            lowest[UAM] = rounded(ends[UAM])
        highest_iob = max(highest_iob, ends[IOB])
        if carbs_count and ends[COB] > highest_iob:
            highest_cob = ends[COB]
    return ends, guard, lowest, highest_cob
