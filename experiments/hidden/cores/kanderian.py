"""Bergman's minimal model as a body, with insulin and meals as Kanderian, Weinzimer, Voskanyan and Steil put around it.

Equations and the parameters of ten people: "Identification of intraday metabolic profiles during closed-loop glucose
control in individuals with type 1 diabetes", J Diabetes Sci Technol 3 (2009) 1047. One plasma compartment, one action
of insulin on all glucose, and a meal that appears as t exp(-t / peak).
"""

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.model import DRIVE_NAMES, LIVER_OUTPUT, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.kernels import kernel

SUBSTEPS = 5
"""Of a minute, by Euler's method: within 0.5 mg/dL of a solver over half a day (a test)."""
NAMES = (
    "weight_kg", "clearance_ml_per_min", "depot_min", "plasma_min", "volume_dl", "action_per_min",
    "liver_mg_dl_per_min", "effectiveness_per_min", "sensitivity_ml_per_uu_min", "meal_min", "sensor_min",
    "fasting_mg_dl",
)  # fmt: skip
"""In the paper's letters: weight, CI, tau1, tau2, VG, p2, EGP, GEZI, SI; the meal's peak, the sensor's delay; the
glucose that basal insulin holds (assumed)."""
_WEIGHT, _CI, _TAU1, _TAU2, _VG, _P2, _EGP, _GEZI, _SI, _MEAL, _SENSOR, _FASTING = range(len(NAMES))
SUBJECTS = np.array([
    (89, 2010, 49, 47, 253, 0.0106, 1.33, 0.0022, 8.11e-4),
    (63, 1281, 41, 10, 261, 0.0116, 0.6, 0.00438, 9.64e-5),
    (65, 909, 71, 70, 199, 0.0233, 1.07, 0.0035, 4.63e-4),
    (116, 1813, 91, 70, 337, 0.00814, 0.98, 1.64e-5, 3.77e-4),
    (64, 1535, 46, 46, 188, 0.00963, 0.6, 0.00433, 2.05e-4),
    (51, 588, 68, 30, 104, 0.00915, 0.603, 0.00101, 4.12e-4),
    (77, 1806, 60, 60, 263, 0.0101, 1.11, 0.0023, 8.16e-4),
    (65, 540, 95, 37, 137, 0.0103, 1.3, 1e-8, 3.68e-4),
    (100, 875, 131, 21, 193, 0.0103, 1.27, 0.00639, 2.56e-4),
    (64, 1309, 53, 53, 204, 0.0102, 0.611, 0.00104, 6.03e-4),
])  # fmt: skip
"""The ten people of the paper, in the order of `NAMES` (weight to sensitivity)."""
LOG_SD = 0.15
"""Of each parameter of a new person around one of the ten; assumed."""
MEAL_MIN, MEAL_LOG_SD, SENSOR_MIN = 40.0, 0.3, 10.0
"""Peak of a meal (the paper's meals: mostly 25 to 80 min) and the sensor's delay."""
FASTING_MG_DL, FASTING_LOG_SD = 130.0, 0.08
_LOG_SD = np.array([*[LOG_SD] * SUBJECTS.shape[1], MEAL_LOG_SD, 0.0, FASTING_LOG_SD])
_CHOICE = 1_000_000
"""Draws that nothing else of the stream reaches."""

STATES = (
    "depot_uu_per_ml",
    "insulin_uu_per_ml",
    "action_per_min",
    "glucose_mg_dl",
    "gut_1_mg",
    "gut_2_mg",
    "sensor_mg_dl",
)
_SC, _IP, _IEFF, _G, _M1, _M2, _C = range(len(STATES))


class Kanderian:
    """A `twins.bodies.model.Model`; its drive works as in the other models, but it has one action of insulin alone,
    which the peripheral sensitivity scales."""

    state_names: tuple[str, ...] = STATES
    parameter_names: tuple[str, ...] = NAMES
    drive_names: tuple[str, ...] = DRIVE_NAMES

    def draw(self, keys: NDArray[np.uint32], attempt: int) -> NDArray[np.float64]:
        """Parameters (n, P) around the ten people of the paper; number `attempt` of the draws of each key (n, 6)."""
        z = random.normal(keys, len(NAMES), first=attempt * len(NAMES))
        which = (random.uniform(keys, 1, first=_CHOICE + 2 * attempt)[:, 0] * len(SUBJECTS)).astype(int)
        others = np.tile([MEAL_MIN, SENSOR_MIN, FASTING_MG_DL], (len(keys), 1))
        drawn: NDArray[np.float64] = np.concatenate([SUBJECTS[which], others], axis=1) * np.exp(_LOG_SD * z)
        return drawn

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Insulin rate (n,) that holds fasting glucose; negative where glucose falls by itself."""
        p = parameters.T
        insulin = (p[_EGP] / p[_FASTING] - p[_GEZI]) / p[_SI]  # uU/mL
        rate: NDArray[np.float64] = insulin * p[_CI] * 60 / 1e6
        return rate

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_state`."""
        p = parameters.T
        state = np.zeros((len(parameters), len(STATES)))
        state[:, _SC] = state[:, _IP] = self.basal_u_per_h(parameters) * 1e6 / 60 / p[_CI]
        state[:, _IEFF] = p[_SI] * state[:, _IP]
        state[:, _G] = state[:, _C] = p[_FASTING]
        return state

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """The parameters themselves."""
        return np.ascontiguousarray(parameters, np.float64)

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
        """See `Model.advance`."""
        glucose = np.empty((len(state), minutes))
        dose = (basal_u_per_h / 60 + bolus_u / minutes) * 1e6  # uU/min
        drive = np.ascontiguousarray(np.broadcast_to(drive, (len(state), minutes, len(DRIVE_NAMES))))
        _advance(state, coefficients, dose, np.ascontiguousarray(carbs_g, np.float64), drive, glucose)
        return glucose

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Model.interstitial_mg_dl`."""
        return state[:, _C].copy()


@kernel
def _advance(state, parameters, dose, carbs, drive, out):  # type: ignore[no-untyped-def]
    step = 1.0 / SUBSTEPS
    for lane in range(state.shape[0]):
        x, p = state[lane], parameters[lane]
        for minute in range(out.shape[1]):
            liver = max(p[_EGP] + drive[lane, minute, LIVER_OUTPUT] * p[_WEIGHT] / p[_VG], 0.0)
            for _ in range(SUBSTEPS):
                from_gut = x[_M2] / p[_MEAL]
                gone = (
                    p[_GEZI]
                    + drive[lane, minute, SENSITIVITY_PERIPHERAL] * x[_IEFF]
                    + drive[lane, minute, UPTAKE]
                )
                d_g = liver + from_gut / p[_VG] - gone * x[_G]
                d_c = (x[_G] - x[_C]) / p[_SENSOR]
                x[_M2] += step * (x[_M1] / p[_MEAL] - from_gut)
                x[_M1] += step * (carbs[lane, minute] * 1000 - x[_M1] / p[_MEAL])
                x[_IEFF] += step * p[_P2] * (p[_SI] * x[_IP] - x[_IEFF])
                x[_IP] += step * (x[_SC] - x[_IP]) / p[_TAU2]
                x[_SC] += step * (dose[lane] / p[_CI] - x[_SC]) / p[_TAU1]
                x[_C] += step * d_c
                x[_G] = max(x[_G] + step * d_g, 0.0)
            out[lane, minute] = x[_G]
