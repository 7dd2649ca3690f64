"""A second body that exercises, for tests alone: the model of Hovorka with exercise as in Deichmann et al. 2021.

Equations and parameters: Deichmann et al., "Simulation-based evaluation of treatment adjustment to exercise in type 1
diabetes", Front Endocrinol 12 (2021) 723812, as LoopInsighT1 (MIT) has them. Heart rate drives an uptake without
insulin (beta Y), and insulin acts more by the dose of the bout (alpha W Z). Two terms would run away and are held: in
the paper W never fades, so that a week of bouts adds up without end; here it fades as Z does. And at Y = 0 its formula
divides by zero; here it is written so that it does not.

No training, tuning or fit may see this body; what was learned on the UVA/Padova body is asked here whether it still has
the same sign.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.hidden.cores.hovorka import Hovorka
from twins.bodies.model import DRIVE_NAMES, SENSITIVITY_PERIPHERAL, UPTAKE, check_drive
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN
from twins.kernels import kernel

ALPHA_PER_BPM_MIN, BETA_PER_BPM_MIN = 2.59e-4, 3.39e-4
HEART_MIN, LASTS_MIN, HALF_SHARE, STEEP = 5.0, 600.0, 0.1, 4
RESTING_BPM, HIGHEST_BPM = 80.0, 200.0
"""The paper's alpha, beta, tau_HR, tau, a, n, HR_b and HR_max."""
EXERCISE_STATES = ("heart_bpm", "lasting", "dose_bpm_min")
_HEART, _LASTING, _DOSE = range(3)


class ActiveHovorka:
    """A `twins.bodies.model.Model`; drive as that of `twins.bodies.person.Person`."""

    drive_names: tuple[str, ...] = (*DRIVE_NAMES, "heart_rate_reserve", "session_gain")

    def __init__(self) -> None:
        self.inner = Hovorka()
        self.parameter_names = self.inner.parameter_names
        self.state_names = (*self.inner.state_names, *EXERCISE_STATES)
        self._states = len(self.inner.state_names)

    def draw(self, keys: NDArray[np.uint32], attempt: int) -> NDArray[np.float64]:
        """See `Hovorka.draw`."""
        return self.inner.draw(keys, attempt)

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_u_per_h`."""
        return self.inner.basal_u_per_h(parameters)

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_state`; rested."""
        return np.concatenate([self.inner.basal_state(parameters), np.zeros((len(parameters), 3))], axis=1)

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.prepare`."""
        return self.inner.prepare(parameters)

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Model.interstitial_mg_dl`."""
        return self.inner.interstitial_mg_dl(state, parameters)

    def advance(
        self,
        state: NDArray[np.float64],
        coefficients: NDArray[np.float64],
        basal_u_per_h: NDArray[np.float64],
        bolus_u: NDArray[np.float64],
        carbs_g: NDArray[np.float64],
        drive: NDArray[np.float64],
        minutes: int,
    ) -> NDArray[np.float64]:
        """See `Model.advance`; drive (n, 1 or minutes, 6)."""
        check_drive(drive, len(state), minutes, self.drive_names)
        body = np.empty((len(state), minutes, len(DRIVE_NAMES)))
        _work(state[:, self._states :], np.ascontiguousarray(drive), body)
        inner = np.ascontiguousarray(state[:, : self._states])
        glucose = self.inner.advance(inner, coefficients, basal_u_per_h, bolus_u, carbs_g, body, minutes)
        state[:, : self._states] = inner
        return glucose


@kernel
def _work(state, given, drive):  # type: ignore[no-untyped-def]
    for lane in range(len(state)):
        y, z, w = state[lane]
        for minute in range(drive.shape[1]):
            at = minute if minute < given.shape[1] else 0
            for column in range(drive.shape[2]):
                drive[lane, minute, column] = given[lane, at, column]
            reserve = min(max(given[lane, at, HEART_RATE_RESERVE], 0.0), 1.0)
            beats = reserve * (HIGHEST_BPM - RESTING_BPM)
            y += (beats - y) / HEART_MIN
            raised, half = y**STEEP, (HALF_SHARE * RESTING_BPM) ** STEEP
            works = raised / (raised + half)
            z += works - (works + 1.0 / LASTS_MIN) * z
            w += beats - w / LASTS_MIN
            gain = given[lane, at, SESSION_GAIN]
            drive[lane, minute, SENSITIVITY_PERIPHERAL] *= 1.0 + gain * ALPHA_PER_BPM_MIN * w * z
            drive[lane, minute, UPTAKE] += gain * BETA_PER_BPM_MIN * y
        state[lane, _HEART], state[lane, _LASTING], state[lane, _DOSE] = y, z, w
