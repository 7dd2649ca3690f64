"""What a forecast comes to: the glucose that doses aim with, the one that guards against lows, carbs needed."""

import numpy as np

from agents.oref import forecast
from agents.oref.rounding import rounded
from agents.oref.situation import TICKS
from twins.kernels import kernel


@kernel
def lowest_forecasts(now, ends, guard, lowest, highest_cob, carbs_count, with_uam, threshold, target):  # type: ignore[no-untyped-def]
    """The forecast that doses aim with (minPredBG), and the one that guards against lows (minGuardBG)."""
    iob_low, cob_low, uam_low = (max(39.0, lowest[forecast.IOB]), max(39.0, lowest[forecast.COB]),
                                 max(39.0, lowest[forecast.UAM]))  # fmt: skip
    unset, zero_guard = forecast.UNSET, guard[forecast.ZT]
    left = now.cob_g / now.carbs_g if now.carbs_g > 0 else np.nan
    if uam_low < unset and cob_low < unset:
        mean = rounded((1 - left) * ends[forecast.UAM] + left * ends[forecast.COB])
    elif cob_low < unset:
        mean = rounded((ends[forecast.IOB] + ends[forecast.COB]) / 2)
    elif uam_low < unset:
        mean = rounded((ends[forecast.IOB] + ends[forecast.UAM]) / 2)
    else:
        mean = rounded(ends[forecast.IOB])
    mean = max(mean, zero_guard)

    if carbs_count:
        guards = guard[forecast.COB]
        if with_uam:
            guards = left * guard[forecast.COB] + (1 - left) * guard[forecast.UAM]
    else:
        guards = guard[forecast.UAM] if with_uam else guard[forecast.IOB]
    guards = rounded(guards)

    # An unannounced meal may end at any time: its line counts less where insulin alone leads low.
    careful = uam_low
    if zero_guard < threshold:
        careful = (uam_low + zero_guard) / 2
    elif zero_guard < target:
        share = (zero_guard - threshold) / (target - threshold)
        careful = (uam_low + uam_low * share + zero_guard * (1 - share)) / 2
    elif zero_guard > uam_low:
        careful = (uam_low + zero_guard) / 2
    careful = rounded(careful)

    aim = rounded(iob_low)
    if now.carbs_g > 0:
        if not with_uam and cob_low < unset:
            aim = rounded(max(iob_low, cob_low))
        elif cob_low < unset:
            aim = rounded(max(iob_low, cob_low, left * cob_low + (1 - left) * careful))
        else:
            aim = careful if with_uam else guards
    elif with_uam:
        aim = rounded(max(iob_low, careful))
    aim = min(aim, mean)
    if highest_cob > now.glucose_mg_dl:
        aim = min(aim, highest_cob)
    return aim, guards


@kernel
def _until_below(line, level):  # type: ignore[no-untyped-def]
    """Minutes until a drawn line (rounded, 39 to 401) is below a level; 240 where it never is."""
    for k in range(TICKS):
        if rounded(min(401.0, max(39.0, line[k]))) < level:
            return 5.0 * k
    return 240.0


@kernel
def end_of(line):  # type: ignore[no-untyped-def]
    return rounded(min(401.0, max(39.0, line[TICKS - 1])))


@kernel
def carbs_required(now, profile, sens, csf, threshold, naive, guards, line):  # type: ignore[no-untyped-def]
    """Grams that are needed against a low (below zero: more than none), and minutes until it."""
    level = naive if naive >= 40 else min(guards, naive)
    soon = _until_below(line, threshold)
    spared = profile.basal_u_per_h * sens * soon / 60
    known = max(0.0, now.cob_g - 0.25 * now.carbs_g)
    return rounded((threshold - level - spared) / csf - known), soon
