"""Scheduled basal with meal boluses: the treatment of most people with a pump and no closed loop."""

import difflib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from envs import therapy
from envs.therapy import Request
from envs.view import View
from twins.cohort import (
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
)


class BasalBolus:
    """The person's basal rate, meal bolus by carb ratio and correction factor (simglucose's controller).

    gains: of each person the factors (basal, bolus), as found by tuning; without them both are 1.
    """

    def __init__(self, gains: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.gains = dict(gains) if gains is not None else None

    def act(self, view: View) -> Request:
        """See `Treatment.act`. Raises ValueError for a person without gains when there are gains."""
        if self.gains is None:
            return therapy.basal_bolus(view)
        try:
            factors = np.array([self.gains[person] for person in view.ids])
        except KeyError as error:
            near = difflib.get_close_matches(error.args[0], self.gains, n=1)
            raise ValueError(
                f"no tuned gains for {error.args[0]!r}; there are {len(self.gains)} persons with gains"
                f"{f', the nearest is {near[0]!r}' if near else ''}. Tune on the same people that are judged"
            ) from None
        return therapy.basal_bolus(view, factors)


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
