"""Scheduled basal with meal boluses: the treatment of most people with a pump and no closed loop."""

import numpy as np
from numpy.typing import NDArray

from agents.tunable import Family, Gain
from envs import therapy
from envs.therapy import Request
from envs.view import View
from twins.cohort import (
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
)

BASAL_GAIN = Gain("basal_gain", 1.0, 0.2, 3.0, "factor of the scheduled basal rate")
BOLUS_GAIN = Gain("bolus_gain", 1.0, 0.1, 2.0, "factor of the calculator's meal bolus")

BASAL_BOLUS = Family("basal-bolus", (BASAL_GAIN, BOLUS_GAIN), therapy.basal_bolus)


class BasalBolus:
    """The person's basal rate, meal bolus by carb ratio and correction factor (simglucose's controller)."""

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        return therapy.basal_bolus(view)


class RuleOf500:
    """Basal-bolus with carb ratio 500 / TDI and correction factor 1800 / TDI, as in most published tables."""

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        settings: NDArray[np.float64] = view.therapy.copy()
        daily = settings[:, DAILY_INSULIN_U]
        settings[:, CARB_RATIO_G_PER_U] = 500 / daily
        settings[:, CORRECTION_FACTOR_MG_DL_PER_U] = 1800 / daily
        return therapy.basal_bolus(view, therapy=settings)


class ConstantBasal:
    """Scheduled basal and nothing else: what happens when no meal is ever covered."""

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        return Request(view.therapy[:, BASAL_U_PER_H].copy(), np.zeros(len(view)))
