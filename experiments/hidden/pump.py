"""The automated controller of hidden people: it sees readings and logged carbs, and doses in reaction to both.

Basal follows where glucose will be in half an hour if it goes on as it does; a meal gets its bolus; a high that lasts
gets a correction. That is how its doses come to tell of glucose to come, which makes causes hard to find in diaries.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.hidden.bodies import Bodies
from twins.world.diary import STEP_MIN

TARGET_MG_DL, FULL_MG_DL = 120.0, 40.0
"""At the target basal runs as planned; each `FULL_MG_DL` above it adds once the planned rate."""
MOST_OF_PLANNED = 3.0
SUSPEND_BELOW_MG_DL, CORRECT_ABOVE_MG_DL = 80.0, 180.0
AHEAD_MIN, SLOPE_MIN = 30.0, 15
CORRECTION_EVERY_MIN, CORRECTION_SHARE = 60, 0.6
ACTS_MIN = 90.0
"""Time constant with which insulin on board counts as used up."""


class Pump:
    """The pumps of n people; `dose` is to be called once for each step of 5 min."""

    def __init__(self, bodies: Bodies) -> None:
        n = len(bodies)
        self._bodies = bodies
        self._on_board_u = np.zeros(n)
        self._read: list[NDArray[np.float64]] = []
        self._since_correction = np.full(n, CORRECTION_EVERY_MIN // STEP_MIN)

    def dose(
        self, reading_mg_dl: NDArray[np.float64], logged_g: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Basal rate [U/h], meal bolus and correction bolus [U] of this step, (n,) each."""
        self._read = [*self._read[-(SLOPE_MIN // STEP_MIN) :], reading_mg_dl]
        ahead = reading_mg_dl + AHEAD_MIN * (reading_mg_dl - self._read[0]) / SLOPE_MIN
        share = np.clip(1 + (ahead - TARGET_MG_DL) / FULL_MG_DL, 0.0, MOST_OF_PLANNED)
        basal = self._bodies.basal_u_per_h * np.where(ahead < SUSPEND_BELOW_MG_DL, 0.0, share)
        meal = logged_g / self._bodies.carb_ratio_g_per_u
        may = (ahead > CORRECT_ABOVE_MG_DL) & (meal == 0)
        may &= self._since_correction >= CORRECTION_EVERY_MIN // STEP_MIN
        needed = (ahead - TARGET_MG_DL) / self._bodies.correction_factor_mg_dl_per_u - self._on_board_u
        correction = np.where(may, CORRECTION_SHARE * np.maximum(needed, 0.0), 0.0)
        self._since_correction = np.where(may, 1, self._since_correction + 1)
        beyond_plan = meal + correction + (basal - self._bodies.basal_u_per_h) * STEP_MIN / 60
        self._on_board_u = self._on_board_u * np.exp(-STEP_MIN / ACTS_MIN) + beyond_plan
        return basal, meal, correction
