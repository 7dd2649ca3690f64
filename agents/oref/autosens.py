"""autosens: how sensitive a person is of late, from the deviations of a day that no meal explains."""

import numpy as np

from agents.oref.carbs import deviation, steps_of_mean
from agents.oref.rounding import rounded
from twins.kernels import kernel

LOOKBACKS_MIN = (480, 1440)
"""Minutes' worth of the latest deviations that count, each for itself; the lower ratio holds."""
LEAST_MG_DL, LOW_MG_DL = 40.0, 80.0
PADDED_MIN, PAD_AT_MOST_MIN = 480, 90
LONG_MEAL_MIN, AFTER_MEAL_MIN = 300, 45


@kernel
def ratio(  # type: ignore[no-untyped-def]
    readings,
    bgi,
    iob,
    count,
    meal_age_min,
    meal_g,
    minute_of_day,
    basal,
    daily_basal,
    sens,
    carb_ratio,
    least,
    lowest,
    highest,
    interval_min,
    lookback_min,
    kept,
):
    """Of sensitivity, 1: as usual, within lowest ... highest.

    readings, bgi, iob: newest first, of which `count` may be used, see `carbs`; minute_of_day: of the newest; kept:
    room for at least as many deviations as there are readings and hours.
    """
    per, lookback, full = (
        steps_of_mean(interval_min),
        lookback_min // interval_min,
        PADDED_MIN // interval_min,
    )
    absorbing, unannounced, meal = False, False, False
    cob, carbs, since_meal = 0.0, 0.0, 5000.0
    first, n, oldest = 0, 0, len(meal_g) - 1
    begun = (count - 2) * interval_min
    for k in range(count - 2 - per, -1, -1):
        if min(readings[k], readings[k + 1], readings[k + per]) < LEAST_MG_DL:
            continue
        off = deviation(readings, bgi, k, 1)
        if readings[k] < LOW_MG_DL and off > 0:
            off = 0.0
        age = k * interval_min
        while oldest >= 0 and not (meal_g[oldest] >= 1 and meal_age_min[oldest] <= begun):
            oldest -= 1
        if oldest >= 0 and meal_age_min[oldest] > age:
            cob += meal_g[oldest]
            carbs += meal_g[oldest]
            oldest -= 1
        if cob > 0:
            cob = max(0.0, cob - max(off, least * interval_min / 5) * carb_ratio / sens)
        counts = False
        if cob > 0 or absorbing or carbs > 0:
            absorbing = off > 0 and not (since_meal > LONG_MEAL_MIN and cob < 0.5)
            if not absorbing and cob < 0.5:
                carbs = 0.0
            if not meal:
                since_meal = 0.0
            since_meal += interval_min
            meal = True
        else:
            meal = False
            counts = not (iob[k] > 2 * basal or unannounced or since_meal < AFTER_MEAL_MIN)
            if not counts:
                since_meal += interval_min
                unannounced = off > 0
        if counts:
            kept[n] = off
            n += 1
        at = (minute_of_day - age) % 1440
        if (
            at % 60 < interval_min and (at // 60) % 2 == 0
        ):  # a neutral one every other hour lets old ones fade
            kept[n] = 0.0
            n += 1
        if n - first > lookback:
            first += 1
    padded = rounded((1 - (n - first) / full) * PAD_AT_MOST_MIN / interval_min) if n - first < full else 0.0
    for _ in range(int(padded)):
        kept[n] = 0.0
        n += 1
    if n == first:
        return 1.0
    found = 1 + middle(np.sort(kept[first:n])) * (60 / interval_min) / sens / daily_basal
    return rounded(min(max(found, lowest), highest), 2)


@kernel
def middle(ordered):  # type: ignore[no-untyped-def]
    """Half-way through the ranks as oref0 counts them: a place beyond the median."""
    place = len(ordered) * 0.5
    lower = int(place)
    if lower + 1 >= len(ordered):
        return ordered[lower]
    return ordered[lower] * (1 - (place - lower)) + ordered[lower + 1] * (place - lower)
