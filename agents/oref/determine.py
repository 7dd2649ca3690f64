"""oref0's determine-basal: which temporary basal rate to set for half an hour, and whether to give a microbolus.

The first rule that fits decides, in this order: an unusable reading; a low now or ahead; glucose that will end below
its target; that falls faster than it should; that will end within its target; too much insulin on board; and else a
rate, and where it is allowed a microbolus, that brings the lowest forecast to the target.
"""

from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

from agents.oref import forecast
from agents.oref.outlook import carbs_required, end_of, lowest_forecasts
from agents.oref.rounding import pump_rate, rounded
from agents.oref.situation import ANSWER, PROFILE, SITUATION, TICKS, Preferences, Records, empty
from agents.oref.temporary import TOLERANCE, safe_rate, set_neutral, set_rate, zero_minutes
from twins.kernels import kernel


class Why(IntEnum):
    """The rule that decided."""

    UNUSABLE = 0
    LOW = auto()
    RISING_ANYWAY = auto()
    ENDS_LOW = auto()
    FALLS = auto()
    IN_RANGE = auto()
    MAX_IOB = auto()
    CORRECTS = auto()


_UNUSABLE, _LOW, _RISING, _ENDS_LOW, _FALLS, _IN_RANGE, _MAX_IOB, _CORRECTS = (float(why) for why in Why)
_STALE_MIN, _FUTURE_MIN = 12.0, -5.0
_ERROR_MG_DL, _XDRIP_ERROR_MG_DL, _FLAT_ABOVE_MG_DL = 10.0, 38.0, 60.0
_NORMAL_MG_DL, _LEAST_TARGET_MG_DL, _MOST_NOISY_TARGET_MG_DL = 100.0, 80.0, 200.0


def determine(
    situations: Records,
    profiles: Records,
    activity: NDArray[np.float64],
    zero_activity: NDArray[np.float64],
    preferences: Preferences,
    microbolus_allowed: bool,
) -> tuple[Records, NDArray[np.float64]]:
    """Answers (n,) and the lines that they hang on (n, LINES, TICKS), mg/dL, NaN where the reading is unusable.

    situations, profiles (n,): records of `situation`. activity, zero_activity (n, TICKS), U/min: see `Projection.of`.
    Raises ValueError for records or activities that do not fit each other.
    """
    n = len(situations)
    if (
        situations.dtype.names != SITUATION.names
        or profiles.dtype.names != PROFILE.names
        or len(profiles) != n
    ):
        raise ValueError("situations and profiles must be records of agents.oref.situation, a row a person")
    if activity.shape != (n, TICKS) or zero_activity.shape != (n, TICKS):
        raise ValueError(
            f"activities have shapes {activity.shape} and {zero_activity.shape}; needed is ({n}, {TICKS}) of both"
        )
    answers, paths = empty(ANSWER, n), np.full((n, forecast.LINES, TICKS), np.nan)
    _determine(
        situations,
        profiles,
        activity,
        zero_activity,
        preferences.record(),
        microbolus_allowed,
        answers,
        paths,
    )
    return answers, paths


@kernel
def _determine(  # type: ignore[no-untyped-def]
    situations, profiles, activity, zero_activity, preferences, microbolus_allowed, answers, paths
):
    for i in range(len(situations)):
        _one(
            situations[i], profiles[i], activity[i], zero_activity[i], preferences, microbolus_allowed, answers[i],
            paths[i],
        )  # fmt: skip


@kernel
def _unusable(now):  # type: ignore[no-untyped-def]
    """Whether the reading is an error code, noisy, old, from the future, or stands still."""
    still = max(abs(now.short_delta), abs(now.long_delta)) < 1 and now.delta == 0
    return (
        now.glucose_mg_dl <= _ERROR_MG_DL
        or now.glucose_mg_dl == _XDRIP_ERROR_MG_DL
        or now.noise >= 3
        or rounded(now.age_min, 1) > _STALE_MIN
        or rounded(now.age_min, 1) < _FUTURE_MIN
        or (still and now.glucose_mg_dl > _FLAT_ABOVE_MG_DL)
    )


@kernel
def _ratio(now, profile, target, preferences):  # type: ignore[no-untyped-def]
    """Of sensitivity: by a temporary target where that moves it, else autosens's; NaN where there is none."""
    high = preferences.exercise_mode > 0 and target > _NORMAL_MG_DL
    low = preferences.low_temptarget_lowers_sensitivity > 0 and target < _NORMAL_MG_DL
    if not (profile.temp_target > 0 and (high or low)):
        return now.autosens
    half = preferences.half_basal_exercise_target
    span = (half if half > 0 else 160.0) - _NORMAL_MG_DL
    moved = span + target - _NORMAL_MG_DL
    ratio = preferences.autosens_max
    if span * moved > 0:
        ratio = min(ratio, span / moved)
    return rounded(ratio, 2)


@kernel
def _targets(now, profile, preferences):  # type: ignore[no-untyped-def]
    """Lower end, middle and upper end of the target, as sensitivity and noise move them."""
    low, high = profile.low_target_mg_dl, profile.high_target_mg_dl
    target = (low + high) / 2
    ratio = now.autosens
    moves = (preferences.sensitivity_raises_target > 0 and ratio < 1) or (
        preferences.resistance_lowers_target > 0 and ratio > 1
    )
    if not profile.temp_target > 0 and moves:
        low, high = rounded((low - 60) / ratio) + 60, rounded((high - 60) / ratio) + 60
        target = max(_LEAST_TARGET_MG_DL, rounded((target - 60) / ratio) + 60)
    if now.noise >= 2:
        factor = max(1.1, preferences.noisy_target_multiplier)
        low = rounded(min(_MOST_NOISY_TARGET_MG_DL, low * factor))
        target = rounded(min(_MOST_NOISY_TARGET_MG_DL, target * factor))
        high = rounded(min(_MOST_NOISY_TARGET_MG_DL, high * factor))
    return low, target, high


@kernel
def _microboluses(now, profile, target, preferences, allowed):  # type: ignore[no-untyped-def]
    """Whether preferences and what is going on allow microboluses."""
    temporary = profile.temp_target > 0
    if not allowed or (temporary and target > 100 and not preferences.smb_with_high_temptarget > 0):
        return False
    return (
        preferences.smb_always > 0
        or (preferences.smb_with_cob > 0 and now.cob_g > 0)
        or (preferences.smb_after_carbs > 0 and now.carbs_g > 0)
        or (preferences.smb_with_temptarget > 0 and temporary and target < 100)
        or (preferences.smb_high_bg > 0 and now.glucose_mg_dl >= preferences.smb_high_bg_mg_dl)
    )


@kernel
def _one(now, profile, activity, zero_activity, preferences, allowed, answer, path):  # type: ignore[no-untyped-def]
    glucose, scheduled = now.glucose_mg_dl, pump_rate(profile.basal_u_per_h)
    if _unusable(now):
        answer.reason = _UNUSABLE
        if now.temp_u_per_h > scheduled:
            answer.rate_u_per_h, answer.duration_min = scheduled, 30.0
        elif now.temp_u_per_h == 0 and now.temp_left_min > 30:
            answer.rate_u_per_h, answer.duration_min = 0.0, 30.0
        return
    ratio = _ratio(now, profile, (profile.low_target_mg_dl + profile.high_target_mg_dl) / 2, preferences)
    low, target, high = _targets(now, profile, preferences)
    threshold = low - 0.5 * (low - 40)
    basal = pump_rate(profile.basal_u_per_h * ratio) if ratio > 0 else scheduled
    sens = profile.isf_mg_dl_per_u
    if now.autosens > 0:
        sens = rounded(sens / ratio, 1)
    csf = sens / profile.carb_ratio_g_per_u

    by_insulin = rounded(-now.activity_u_per_min * sens * 5, 2)
    recent = min(now.delta, now.short_delta)
    deviation = rounded(6 * (recent - by_insulin))
    if deviation < 0:
        deviation = rounded(6 * (min(now.short_delta, now.long_delta) - by_insulin))
    if deviation < 0:
        deviation = rounded(6 * (now.long_delta - by_insulin))
    of_iob = sens if now.iob_u > 0 else min(sens, profile.isf_mg_dl_per_u)
    naive = rounded(glucose - now.iob_u * of_iob)
    eventual = naive + deviation
    expected = rounded(by_insulin + (target - eventual) / 24, 1)

    with_uam = preferences.unannounced_meals > 0
    unexplained = rounded(recent - by_insulin, 1)
    impact, ticks, peak, hours = forecast.impact_of_carbs(
        now, profile, sens, csf, ratio, unexplained, preferences
    )
    carbs_count = ticks != 0 or peak > 0
    ends, guard, lowest, highest_cob = forecast.lines(
        now, activity, zero_activity, sens, impact, unexplained, ticks, peak, hours, with_uam, path
    )
    has_cob = now.cob_g > 0 and (impact > 0 or peak > 0)
    if has_cob:
        eventual = max(eventual, end_of(path[forecast.COB]))
    if with_uam and (impact > 0 or peak > 0):
        eventual = max(eventual, end_of(path[forecast.UAM]))
    aim, guards = lowest_forecasts(
        now, ends, guard, lowest, highest_cob, carbs_count, with_uam, threshold, target
    )
    answer.eventual_mg_dl, answer.lowest_mg_dl, answer.guard_mg_dl, answer.required_u = (
        eventual,
        aim,
        guards,
        0.0,
    )

    microboluses = _microboluses(now, profile, target, preferences, allowed) and guards >= threshold
    steepest = max(now.delta, now.short_delta, now.long_delta)
    microboluses = microboluses and steepest <= min(preferences.max_delta_share, 0.3) * glucose
    line = path[forecast.COB] if has_cob else path[forecast.IOB]
    grams, soon = carbs_required(now, profile, sens, csf, threshold, naive, guards, line)
    if grams >= preferences.carbs_req_threshold_g and soon <= 45:
        answer.carbs_required_g = grams

    rises = recent > expected and recent > 0
    comes_back = glucose < threshold and now.iob_u < -profile.basal_u_per_h * 20 / 60 and rises
    if (glucose < threshold or guards < threshold) and not comes_back:
        answer.reason = _LOW
        minutes = zero_minutes((target - guards) / sens, profile.basal_u_per_h, 120.0)
        set_rate(0.0, max(30.0, minutes), now, profile, preferences, answer)
        return
    if eventual < low:
        _ends_low(
            now, profile, preferences, answer, basal, sens, target, naive, eventual, recent, expected,
            rises and grams == 0,
        )  # fmt: skip
        return
    if recent < expected and not microboluses:
        answer.reason = _FALLS
        set_neutral(basal, now, profile, preferences, answer)
        return
    if min(eventual, aim) < high and not microboluses:
        answer.reason = _IN_RANGE
        set_neutral(basal, now, profile, preferences, answer)
        return
    if now.iob_u > profile.max_iob_u:
        answer.reason = _MAX_IOB
        set_neutral(basal, now, profile, preferences, answer)
        return
    _correct(
        now, profile, preferences, answer, basal, sens, target, naive, lowest[forecast.IOB], eventual, aim,
        microboluses and glucose > threshold,
    )  # fmt: skip


@kernel
def _ends_low(  # type: ignore[no-untyped-def]
    now, profile, preferences, answer, basal, sens, target, naive, eventual, recent, expected, rises
):
    """Glucose will end below its target: less basal, for longer where it takes longer to come back.

    rises: faster than it should, with exactly no carbs required (as the package has it: less than none does not do).
    """
    if rises:
        answer.reason = _RISING
        if naive < 40:
            set_rate(0.0, 30.0, now, profile, preferences, answer)
        else:
            set_neutral(basal, now, profile, preferences, answer)
        return
    answer.reason = _ENDS_LOW
    required = rounded(2 * min(0.0, (eventual - target) / sens), 2)
    of_naive = rounded(min(0.0, (naive - target) / sens), 2)
    if recent < 0 and recent > expected:
        required = rounded(required * (recent / expected), 2)
    rate = pump_rate(basal + 2 * required)
    scheduled = now.temp_left_min * (now.temp_u_per_h - basal) / 60
    if scheduled < min(required, of_naive) - basal * 0.3:  # takes off much more than is needed
        set_rate(rate, 30.0, now, profile, preferences, answer)
    elif not (now.temp_left_min > 5 and rate >= now.temp_u_per_h * (1 - TOLERANCE)):
        minutes = 30.0
        if rate <= 0:
            minutes = zero_minutes((target - naive) / sens, profile.basal_u_per_h, 120.0)
            minutes = minutes if minutes > 0 else 30.0
        set_rate(rate, minutes, now, profile, preferences, answer)


@kernel
def _correct(  # type: ignore[no-untyped-def]
    now, profile, preferences, answer, basal, sens, target, naive, iob_low, eventual, aim, microbolus
):
    """What brings the lowest forecast to the target, half of it as a microbolus where that is allowed."""
    answer.reason = _CORRECTS
    required = min(rounded((min(aim, eventual) - target) / sens, 2), profile.max_iob_u - now.iob_u)
    rate = pump_rate(basal + 2 * required)
    required = rounded(required, 3)
    answer.required_u = required
    if microbolus:
        of_carbs = rounded(now.cob_g / profile.carb_ratio_g_per_u, 3)
        minutes = preferences.max_smb_basal_min
        if now.iob_u > of_carbs and now.iob_u > 0:
            minutes = preferences.max_uam_smb_basal_min if preferences.max_uam_smb_basal_min > 0 else 30.0
        most = rounded(profile.basal_u_per_h * minutes / 60, 1)
        increment = preferences.bolus_increment_u if preferences.bolus_increment_u > 0 else 0.1
        per_unit = 1 / increment
        units = np.floor(min(required / 2, most) * per_unit) / per_unit
        # The bolus goes beside a low rate that would make up for it, should the carbs stop here.
        worst = (target - (naive + max(39.0, iob_low)) / 2) / sens
        zero = rounded(60 * worst / profile.basal_u_per_h)
        low_rate = 0.0
        if required > 0 and units < increment:
            zero = 0.0
        if zero >= 30:
            zero = min(60.0, rounded(zero / 30) * 30)
        elif zero > 0:
            low_rate, zero = rounded(basal * zero / 30, 2), 30.0
        interval = min(
            10.0, max(1.0, preferences.smb_interval_min if preferences.smb_interval_min > 0 else 3.0)
        )
        if rounded(now.since_bolus_min, 1) > interval and units > 0:
            answer.microbolus_u = units
        if zero > 0:
            answer.rate_u_per_h, answer.duration_min = low_rate, zero
            return
    if rate > safe_rate(profile, preferences):
        rate = pump_rate(safe_rate(profile, preferences))
    scheduled = now.temp_left_min * (now.temp_u_per_h - basal) / 60
    lower = scheduled >= required * 2
    runs = now.temp_left_min > 5 and pump_rate(rate) <= pump_rate(now.temp_u_per_h)
    if lower or now.temp_left_min == 0 or not runs:
        set_rate(rate, 30.0, now, profile, preferences, answer)
