"""Basal-bolus with predictive low-glucose suspend: the pump stops its basal when a low is near."""

from collections.abc import Mapping

import numpy as np

from agents.basal_bolus import BasalBolus
from envs import view as v
from envs.therapy import Request
from envs.view import View

SUSPEND_BELOW_MG_DL = 80.0
PREDICT_MIN = 30.0
"""Basal-IQ: suspends when glucose is predicted below 80 mg/dL in 30 min by its trend."""


class LowGlucoseSuspend:
    """Zero basal while glucose, or its straight prediction in 30 min, is below 80 mg/dL; boluses as ever.

    gains: see `BasalBolus`.
    """

    def __init__(self, gains: Mapping[str, tuple[float, float]] | None = None) -> None:
        self._inner = BasalBolus(gains)

    def act(self, view: View) -> Request:
        """See `Treatment.act`. Without a reading in the last 15 min nothing is suspended."""
        request = self._inner.act(view)
        glucose, slope = view.now[:, v.CGM_MG_DL], view.now[:, v.SLOPE_MG_DL_PER_MIN]
        low = np.minimum(glucose, glucose + PREDICT_MIN * slope) < SUSPEND_BELOW_MG_DL
        low &= view.now[:, v.CGM_AGE_MIN] <= 15.0
        return Request(np.where(low, 0.0, request.basal_u_per_h), request.bolus_u)
