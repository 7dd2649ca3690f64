"""Basal-bolus with predictive low-glucose suspend: the pump stops its basal when a low is near."""

import numpy as np
from numpy.typing import NDArray

from agents.basal_bolus import BASAL_GAIN, BOLUS_GAIN
from agents.tunable import Family, Gain
from envs import therapy
from envs import view as v
from envs.limits import STALE_AFTER_MIN
from envs.therapy import Request
from envs.view import View

SUSPEND_BELOW_MG_DL = 80.0
PREDICT_MIN = 30.0
"""Basal-IQ: suspends when glucose is predicted below 80 mg/dL in 30 min by its trend."""

HORIZON = Gain(
    "suspend_horizon_min", PREDICT_MIN, 0.0, 60.0, "minutes ahead that the trend is followed for a suspension"
)
THRESHOLD = Gain(
    "suspend_below_mg_dl",
    SUSPEND_BELOW_MG_DL,
    60.0,
    130.0,
    "predicted glucose below which basal is suspended",
)


def low_is_near(
    view: View, horizon_min: NDArray[np.float64], below_mg_dl: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Of each lane whether glucose, or its straight prediction in horizon_min (n,), is under below_mg_dl (n,).

    Without a reading in the last 15 min no low is seen.
    """
    glucose, slope = view.now[:, v.CGM_MG_DL], view.now[:, v.SLOPE_MG_DL_PER_MIN]
    low: NDArray[np.bool_] = np.minimum(glucose, glucose + horizon_min * slope) < below_mg_dl
    return low & (view.now[:, v.CGM_AGE_MIN] <= STALE_AFTER_MIN)


def request(view: View, values: NDArray[np.float64]) -> Request:
    """Basal-bolus, with zero basal while a low is near; boluses as ever. values (n, 4), see `LOW_GLUCOSE_SUSPEND`."""
    asked = therapy.basal_bolus(view, values[:, :2])
    suspended = low_is_near(view, values[:, 2], values[:, 3])
    return Request(np.where(suspended, 0.0, asked.basal_u_per_h), asked.bolus_u)


LOW_GLUCOSE_SUSPEND = Family("low-glucose-suspend", (BASAL_GAIN, BOLUS_GAIN, HORIZON, THRESHOLD), request)
