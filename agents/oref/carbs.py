"""What readings and insulin say of glucose's course and of carbs: changes, deviations, carbs still to be absorbed.

Readings are newest first, in even steps, gaps filled in a straight line. A deviation is the change of glucose that
insulin does not explain, mg/dL per step. While carbs are on board, at least `min_carb_impact` of it is theirs.
"""

import numpy as np

from agents.oref.rounding import rounded
from twins.kernels import kernel

LEAST_MG_DL = 39.0
"""Lower readings are error codes."""
CARB_WINDOW_MIN = 360.0
DEVIATION_WINDOW_MIN = 45.0


@kernel
def changes(readings, interval_min):  # type: ignore[no-untyped-def]
    """Glucose now and its mean change per 5 min over about 5, up to 15, and 20 to 40 min (newest first, NaN: none)."""
    now, count = readings[0], np.zeros(3)
    total = np.zeros(3)
    for k in range(1, len(readings)):
        age = k * interval_min
        if age >= 42.5:
            break
        then = readings[k]
        if not then > LEAST_MG_DL - 1:
            continue
        if age < 2.5:  # the mean of all that is as new
            now = (now + then) / 2
            continue
        change = (now - then) / age * 5
        if age < 7.5:
            total[0] += change
            count[0] += 1
        if age < 17.5:
            total[1] += change
            count[1] += 1
        else:
            total[2] += change
            count[2] += 1
    for k in range(3):
        total[k] = rounded(total[k] / count[k], 2) if count[k] > 0 else 0.0
    return rounded(now, 2), total[0], total[1], total[2]


@kernel
def filled(readings, out):  # type: ignore[no-untyped-def]
    """Readings with their gaps filled in a straight line, in whole mg/dL, into out; how many there are of them."""
    last = -1
    for k in range(len(readings)):
        if not readings[k] >= LEAST_MG_DL:
            continue
        out[k] = readings[k]
        if last >= 0:
            for j in range(last + 1, k):
                out[j] = rounded(readings[last] + (readings[k] - readings[last]) * (j - last) / (k - last))
        elif k > 0:  # no reading of now: nothing can be said
            return 0
        last = k
    return last + 1


@kernel
def steps_of_mean(interval_min):  # type: ignore[no-untyped-def]
    """Steps over which a mean change is taken: 15 min."""
    return max(int(15 // interval_min), 1)


@kernel
def deviation(readings, bgi, k, per):  # type: ignore[no-untyped-def]
    """The deviation at reading k from the change of the last `per` steps."""
    change = (readings[k] - readings[k + per]) / per
    return rounded(rounded(change, 2) - bgi[k], 2 if per == 1 else 3)


@kernel
def slopes(readings, bgi, count, interval_min):  # type: ignore[no-untyped-def]
    """Deviation now, and the slopes to it from the highest and from the lowest of the last 45 min, per 5 min.

    Zero and 999 where none is higher than zero or lower than 999.
    """
    per = steps_of_mean(interval_min)
    usable = min(count, int(DEVIATION_WINDOW_MIN // interval_min) + 1) - per
    current, highest, lowest, from_max, from_min = np.nan, 0.0, 999.0, 0.0, 999.0
    for k in range(max(usable, 0)):
        mean = deviation(readings, bgi, k, per)
        if k == 0:
            current = mean
            continue
        slope = (current - mean) / (k * interval_min) * 5 * 5 / interval_min
        if mean > highest:
            from_max, highest = min(0.0, slope), mean
        if mean < lowest:
            from_min, lowest = max(0.0, slope), mean
    return current, from_max, from_min


@kernel
def on_board(readings, bgi, count, meal_age_min, meal_g, sens, ratio, least, most_g, interval_min):  # type: ignore[no-untyped-def]
    """Carbs of the last 6 h that count (g), those still to be absorbed (g), and minutes since the last.

    bgi: what insulin does per step at each reading. meal_age_min, meal_g (K,): newest first, NaN: none. least: impact
    that is always carbs', mg/dL per 5 min. Every meal is asked what came down since it; the largest rest counts.
    """
    current, _, _ = slopes(readings, bgi, count, interval_min)
    total, rest, dropped, since = 0.0, 0.0, 0.0, np.inf
    if np.isnan(current):
        current = 0.0
        most_g = 0.0
    for m in range(len(meal_g)):
        age = meal_age_min[m]
        if not (age < CARB_WINDOW_MIN and meal_g[m] >= 1):
            continue
        total += meal_g[m]
        since = min(since, age)
        usable = min(count, int(age // interval_min) + 2) - steps_of_mean(interval_min)
        absorbed = 0.0
        for k in range(max(usable, 0)):
            if k * interval_min < age:
                impact = max(deviation(readings, bgi, k, 1), current / 2, least * interval_min / 5)
                absorbed += impact * ratio / sens
        mine = max(0.0, total - absorbed)
        rest = max(rest, mine)
        dropped = dropped + meal_g[m] if mine < rest else 0.0
    return rounded(total - dropped, 3), rounded(min(rest, most_g)), since
