"""A closed loop: PID with insulin feedback over a basal profile, meal boluses as feed-forward, predictive suspend.

The law follows Medtronic's "physiologic insulin delivery": Steil, J Diabetes Sci Technol 7 (2013) 1621 (the
three terms); Steil and others, J Clin Endocrinol Metab 96 (2011) 1402, and Ruiz and others, J Diabetes Sci
Technol 6 (2012) 1123 (insulin feedback, which took away the late lows after meals); a study of the same
group with a basal profile below the loop is at PMC3570882. Announced meals get the calculator's bolus,
as in the hybrid closed loops that are sold.
"""

import numpy as np
from numpy.typing import NDArray

from agents.basal_bolus import BOLUS_GAIN
from agents.low_glucose_suspend import HORIZON, THRESHOLD, low_is_near
from agents.tunable import Family, Gain
from envs import therapy
from envs import view as v
from envs.limits import STALE_AFTER_MIN
from envs.therapy import Request
from envs.view import View
from twins.cohort import CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U
from twins.kernels import kernel

BLOCK_MIN, FIRST_BLOCK_MIN = 360, 180
"""The basal profile has a factor for each quarter of the day; the first begins at 03:00, as insulin that is to
act at breakfast is given well before it."""


def _block(hours: str) -> Gain:
    return Gain(f"basal_{hours}", 1.0, 0.0, 3.0, f"factor of the scheduled basal rate, clock hours {hours}")


GAINS = (
    BOLUS_GAIN,
    HORIZON,
    THRESHOLD,
    *(_block(hours) for hours in ("03_09", "09_15", "15_21", "21_03")),
    Gain("target_mg_dl", 130.0, 80.0, 180.0, "glucose that the loop aims at"),
    Gain("proportional_per_h", 0.3, 0.0, 2.0, "share of the correction dose that is given per hour"),
    Gain("integral_share", 0.1, 0.0, 2.0, "weight of the mean error of the last 4 h beside the error of now"),
    Gain("derivative_min", 30.0, 0.0, 120.0, "minutes by which the trend anticipates the error"),
    Gain(
        "insulin_feedback", 1.0, 0.0, 1.5, "share of the net insulin on board taken off the correction dose"
    ),
    Gain("carbs_feedback", 0.0, 0.0, 1.5, "share of the carbs on board whose insulin is not taken off so"),
    Gain(
        "meal_correction",
        0.0,
        0.0,
        1.5,
        "share of the correction dose given with, or taken off, a meal bolus",
    ),
)
"""Untuned: half of a full correction in about 2 h, the trend followed for as long as suspension follows it,
all insulin on board counted as calculators count it."""

(_BOLUS, _HORIZON, _BELOW, _PROFILE, _TARGET, _PROPORTIONAL, _INTEGRAL, _DERIVATIVE, _INSULIN, _CARBS, _MEAL) = (
    0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13,
)  # fmt: skip


def request(view: View, values: NDArray[np.float64]) -> Request:
    """What the loop asks for under gains (n, K) of every lane, columns `GAINS`.

    Without a reading in the last 15 min the basal profile and the meal bolus are given as they are.
    """
    asked = therapy.basal_bolus(view, np.stack([np.ones(len(view)), values[:, _BOLUS]], axis=1))
    _control(
        view.now, view.therapy, view.cgm_history_mg_dl, values, asked.basal_u_per_h, asked.bolus_u
    )  # fmt: skip
    asked.basal_u_per_h[low_is_near(view, values[:, _HORIZON], values[:, _BELOW])] = 0.0
    return asked


@kernel
def _control(now, therapy, readings, values, basal, bolus):  # type: ignore[no-untyped-def]
    """From scheduled basal (n,) and meal boluses (n,) to those of the loop, in place.

    The correction dose (U) is error / correction factor - feedback of insulin on board; the error (mg/dL) has
    the three terms. The integral is a mean over the 4 h that the view holds, so it cannot wind up. In units of
    the correction factor and of the carb ratio a gain means the same for a child and an adult.
    """
    for lane in range(len(now)):
        row, gain, own = now[lane], values[lane], therapy[lane]
        since_first = (row[v.MINUTE_OF_DAY] - FIRST_BLOCK_MIN) % 1440.0
        basal[lane] *= gain[_PROFILE + int(since_first // BLOCK_MIN)]
        if not row[v.CGM_AGE_MIN] <= STALE_AFTER_MIN:
            continue
        count = total = 0.0
        for k in range(readings.shape[1]):
            if v.LOWEST_READING < readings[lane, k] < v.HIGHEST_READING:  # False where it is NaN
                count += 1.0
                total += readings[lane, k] - gain[_TARGET]
        error = (
            row[v.CGM_MG_DL]
            - gain[_TARGET]
            + gain[_INTEGRAL] * total / max(count, 1.0)
            + gain[_DERIVATIVE] * row[v.SLOPE_MG_DL_PER_MIN]
        )
        # A meal of this moment is not on board of the dose that corrects with it, but of the rate after it.
        announced = row[v.ANNOUNCED_G]
        carbs = gain[_CARBS] / own[CARB_RATIO_G_PER_U]
        dose = error / own[CORRECTION_FACTOR_MG_DL_PER_U]
        dose += carbs * (row[v.COB_SLOW_G] - announced) - gain[_INSULIN] * row[v.IOB_NET_U]
        if announced > 0.0:
            bolus[lane] = max(bolus[lane] + gain[_MEAL] * dose, 0.0)
            dose += carbs * announced - gain[_INSULIN] * bolus[lane]
        basal[lane] = max(basal[lane] + gain[_PROPORTIONAL] * dose, 0.0)


PID = Family("pid", GAINS, request)
