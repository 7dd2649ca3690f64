"""The safety limits as data: by age group and by person.

Sources: AndroidAPS HardLimits.kt (bolus, basal and insulin on board by age group), oref0's
`max safe basal` (3 times the daily maximum, 4 times the current rate), Basal-IQ and Loop (suspension
by prediction), Loop (data older than 15 min are stale, a jump above 40 mg/dL is not trusted), oref0
(flat readings), Medtronic (a suspension ends after 2 h). Where a number is this project's own it says so.
"""

import numpy as np
from numpy.typing import NDArray

from twins.cohort import AGE_GROUP, BASAL_U_PER_H

MAX_BASAL_U_PER_H, MAX_BOLUS_U, MAX_IOB_U = range(3)
LIMIT_COLUMNS = 3

GROUP_MAX_BOLUS_U = (5.0, 10.0, 17.0)  # child, adolescent, adult
GROUP_MAX_BASAL_U_PER_H = (2.0, 5.0, 10.0)
GROUP_MAX_IOB_U = (7.0, 13.0, 22.0)  # with boluses by the controller (AndroidAPS: SMB)
MAX_BASAL_FACTOR = 3.0  # of the scheduled basal, which is flat here: oref0's smaller rule

SUSPEND_BELOW_MG_DL = 70.0
PREDICTED_BELOW_MG_DL = 80.0
PREDICT_MIN = 30.0
STALE_AFTER_MIN = 15.0
FLAT_MIN = 45
FLAT_WITHIN_MG_DL = 1.0
FLAT_ABOVE_MG_DL = 60.0
JUMP_MG_DL = 40.0
JUMP_MEMORY_MIN = 15
FALLBACK_ZERO_BELOW_MG_DL = 80.0
FALLING_MG_DL_PER_MIN = -0.5  # project's own
STARVED_SHARE = 0.25  # project's own: under a quarter of scheduled basal over two hours starves;
REPAID_SHARE = 0.9  # what is restored goes on until nine tenths of six hours' basal have been given
STARVED_ABOVE_MG_DL = 110.0  # project's own: where nothing justifies a suspension


def for_therapy(therapy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Limits of each person, shape (n, 3), columns `MAX_BASAL_U_PER_H`, `MAX_BOLUS_U`, `MAX_IOB_U`."""
    group = therapy[:, AGE_GROUP].astype(int)
    limits = np.empty((len(therapy), LIMIT_COLUMNS))
    own = MAX_BASAL_FACTOR * therapy[:, BASAL_U_PER_H]
    limits[:, MAX_BASAL_U_PER_H] = np.minimum(np.take(GROUP_MAX_BASAL_U_PER_H, group), own)
    limits[:, MAX_BOLUS_U] = np.take(GROUP_MAX_BOLUS_U, group)
    limits[:, MAX_IOB_U] = np.take(GROUP_MAX_IOB_U, group)
    return limits
