"""The safety limits as data: by age group and by person.

Sources: AndroidAPS HardLimits.kt (bolus, basal and insulin on board by age group), oref0's
`max safe basal` (3 times the daily maximum, 4 times the current rate), its shortest interval between
boluses (3 min), its flat readings and its 20 % rule, Basal-IQ and Loop (suspension by prediction), Loop
(data older than 15 min are stale, a jump above 40 mg/dL is not trusted), Battelino et al. 2019 (above 180
mg/dL is high, above 250 very high). Where a number is this project's own it says so.
"""

import numpy as np
from numpy.typing import NDArray

from twins.cohort import AGE_GROUP, BASAL_U_PER_H, DAILY_INSULIN_U

MAX_BASAL_U_PER_H, MAX_BOLUS_U, MAX_IOB_U, MAX_HOURLY_U, MAX_DAILY_U = range(5)
LIMIT_COLUMNS = 5

GROUP_MAX_BOLUS_U = (5.0, 10.0, 17.0)  # child, adolescent, adult
GROUP_MAX_BASAL_U_PER_H = (2.0, 5.0, 10.0)
GROUP_MAX_IOB_U = (7.0, 13.0, 22.0)  # with boluses by the controller (AndroidAPS: SMB)
MAX_BASAL_FACTOR = 3.0  # of the scheduled basal, which is flat here: oref0's smaller rule
BETWEEN_BOLUSES_MIN = 3.0
HOURLY_BASAL_FACTOR = 4.0
DAILY_FACTOR = 2.0
"""Project's own: in an hour at most one largest bolus and four hours' basal, in a day twice the daily insulin."""
ROUNDING_U = 1 / 128
"""Project's own: kept free in both for a pump's step that is made good later; 0.05 U/h for 5 min are 0.004 U."""

SUSPEND_BELOW_MG_DL = 70.0
PREDICTED_BELOW_MG_DL = 80.0
PREDICT_MIN = 30.0
STALE_AFTER_MIN = 15.0
FLAT_MIN = 45
FLAT_WITHIN_MG_DL = 1.0
JUMP_MG_DL = 40.0
JUMP_SHARE = 0.2  # of the smaller of the two readings
JUMP_MEMORY_MIN = 15
FALLBACK_ZERO_BELOW_MG_DL = 80.0
FALLING_MG_DL_PER_MIN = -0.5  # project's own

STARVED_SHARE, STARVED_ABOVE_MG_DL = 0.25, 100.0
"""Project's own: less than this share of scheduled basal starves a person, from this glucose on."""
HIGH_MG_DL, VERY_HIGH_MG_DL = 180.0, 250.0
"""From the first on nothing justifies less than the whole, from the second on not even a flat or jumping sensor."""
STARVED_IOB_H = 0.1
"""Project's own: hours of basal on board above schedule that justify less; a pump's rounding makes fewer."""


def for_therapy(therapy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Limits of each person, shape (n, 5), columns `MAX_BASAL_U_PER_H` ... `MAX_DAILY_U`."""
    group = therapy[:, AGE_GROUP].astype(int)
    limits = np.empty((len(therapy), LIMIT_COLUMNS))
    scheduled = therapy[:, BASAL_U_PER_H]
    limits[:, MAX_BASAL_U_PER_H] = np.minimum(
        np.take(GROUP_MAX_BASAL_U_PER_H, group), MAX_BASAL_FACTOR * scheduled
    )
    limits[:, MAX_BOLUS_U] = np.take(GROUP_MAX_BOLUS_U, group)
    limits[:, MAX_IOB_U] = np.take(GROUP_MAX_IOB_U, group)
    limits[:, MAX_HOURLY_U] = limits[:, MAX_BOLUS_U] + HOURLY_BASAL_FACTOR * scheduled
    limits[:, MAX_DAILY_U] = DAILY_FACTOR * therapy[:, DAILY_INSULIN_U]
    return limits
