"""Basal-bolus as published tables have it: the same carbs over the same ratio, corrected each in its own way.

Settings come with the protocol (`experiments/protocols`); meals are heard of as its behaviour says. Two calculators
that share a name give another bolus at the same meal, so that a table is repeated only by its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.therapy import Request
from envs.view import ANNOUNCED_G, CGM_MG_DL, View
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U, Cohort

COOLDOWN_MIN = 180.0


@dataclass(frozen=True)
class Rule:
    """How a bolus corrects. Glucose in mg/dL.

    target_mg_dl: what corrections aim at. above_mg_dl: glucose is corrected downwards above this. lifts: whether a
    bolus is made smaller below the target. after: what must not have been within the last three hours for a correction
    downwards, another "correction" or a "meal".
    """

    target_mg_dl: float
    above_mg_dl: float
    lifts: bool
    after: str


FOX2020 = Rule(140.0, 140.0, True, "correction")
"""ManualBBController in MLD3/RL4BG (Fox and others, MLHC 2020)."""
G2P2C = Rule(140.0, 150.0, False, "meal")
"""The standard treatment in RL4H/G2P2C."""
EMERSON2023 = Rule(144.0, 144.0, True, "meal")
"""The bolus calculator in hemerson1/offline-glucose (Emerson and others 2023)."""


class PublishedBasalBolus:
    """Scheduled basal, and boluses by one of these rules. It meets its people, for it remembers what was last done."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._since = np.empty(0)

    def meet(
        self, twins: Cohort, rows: NDArray[np.int64], keys: NDArray[np.uint32], interval_min: int
    ) -> None:
        """See `Acquainted.meet`."""
        self._since = np.full(len(rows), np.inf)

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        rule, now, therapy = self._rule, view.now, view.therapy
        if len(self._since) != len(view):  # whoever was not met has done nothing yet
            self._since = np.full(len(view), np.inf)
        eats = now[:, ANNOUNCED_G] > 0
        excess = now[:, CGM_MG_DL] - rule.target_mg_dl
        corrects = eats & (now[:, CGM_MG_DL] > rule.above_mg_dl) & (self._since > COOLDOWN_MIN)
        lifted = eats & (excess < 0) & rule.lifts
        if rule.after == "meal":
            lifted &= self._since > COOLDOWN_MIN
        units = now[:, ANNOUNCED_G] / therapy[:, CARB_RATIO_G_PER_U]
        units += np.where(corrects | lifted, excess, 0.0) / therapy[:, CORRECTION_FACTOR_MG_DL_PER_U]
        self._since = (
            np.where(corrects if rule.after == "correction" else eats, 0.0, self._since) + view.interval_min
        )
        return Request(therapy[:, BASAL_U_PER_H].copy(), np.where(eats, np.maximum(units, 0.0), 0.0))
