"""The automated controller of hidden people: it sees readings and logged carbs, and doses in reaction to both.

Basal follows where glucose will be in half an hour if it goes on as it does; a meal gets its bolus; a high that lasts
gets a correction. That is how its doses come to tell of glucose to come, which makes causes hard to find in diaries.
"""

import numpy as np
from numpy.typing import NDArray

TARGET_MG_DL, FULL_MG_DL = 120.0, 40.0
"""At the target basal runs as planned; each `FULL_MG_DL` above it adds once the planned rate."""
MOST_OF_PLANNED = 3.0
SUSPEND_BELOW_MG_DL, CORRECT_ABOVE_MG_DL = 80.0, 180.0
AHEAD_MIN, SLOPE_MIN = 30.0, 15
CORRECTION_EVERY_MIN, CORRECTION_SHARE = 60, 0.6
ACTS_MIN = 90.0
"""Time constant with which insulin on board counts as used up."""


class Pump:
    """The pumps of n people; `dose` is to be called once for each `step_min`. Settings (n,), see `Bodies`."""

    def __init__(
        self,
        basal_u_per_h: NDArray[np.float64],
        carb_ratio_g_per_u: NDArray[np.float64],
        correction_factor_mg_dl_per_u: NDArray[np.float64],
        step_min: int,
    ) -> None:
        self._planned, self._ratio, self._factor = (
            basal_u_per_h,
            carb_ratio_g_per_u,
            correction_factor_mg_dl_per_u,
        )
        self._step_min = step_min
        self._on_board_u = np.zeros(len(basal_u_per_h))
        self._read: list[NDArray[np.float64]] = []
        self._since_correction_min = np.full(len(basal_u_per_h), CORRECTION_EVERY_MIN)

    def dose(
        self, reading_mg_dl: NDArray[np.float64], logged_g: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Basal rate [U/h], meal bolus and correction bolus [U] of this step, (n,) each."""
        self._read = [*self._read[-(SLOPE_MIN // self._step_min) :], reading_mg_dl]
        ahead = reading_mg_dl + AHEAD_MIN * (reading_mg_dl - self._read[0]) / SLOPE_MIN
        share = np.clip(1 + (ahead - TARGET_MG_DL) / FULL_MG_DL, 0.0, MOST_OF_PLANNED)
        basal = self._planned * np.where(ahead < SUSPEND_BELOW_MG_DL, 0.0, share)
        meal = logged_g / self._ratio
        may = (ahead > CORRECT_ABOVE_MG_DL) & (meal == 0)
        may &= self._since_correction_min >= CORRECTION_EVERY_MIN
        needed = (ahead - TARGET_MG_DL) / self._factor - self._on_board_u
        correction = np.where(may, CORRECTION_SHARE * np.maximum(needed, 0.0), 0.0)
        self._since_correction_min = np.where(
            may, self._step_min, self._since_correction_min + self._step_min
        )
        beyond_plan = meal + correction + (basal - self._planned) * self._step_min / 60
        self._on_board_u = self._on_board_u * np.exp(-self._step_min / ACTS_MIN) + beyond_plan
        return basal, meal, correction
