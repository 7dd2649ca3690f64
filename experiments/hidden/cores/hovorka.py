"""The model of Hovorka et al. as a body: two compartments of glucose, and three separate actions of insulin.

Equations and means: Hovorka et al., "Nonlinear model predictive control of glucose concentration in subjects with type
1 diabetes", Physiol Meas 25 (2004) 905. The sensor's compartment: Wilinska et al., J Diabetes Sci Technol 4 (2010) 132.
"""

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.model import DRIVE_NAMES, LIVER_OUTPUT, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.kernels import kernel

MG_PER_MMOL = 180.16
MG_DL_PER_MMOL_L = MG_PER_MMOL / 10
SUBSTEPS = 5
"""Of a minute, by Euler's method: within 0.5 mg/dL of a solver over half a day (a test)."""

MEANS = {
    "weight_kg": 75.0, "liver_mmol_per_kg_min": 0.0161, "brain_mmol_per_kg_min": 0.0097, "back_per_min": 0.066,
    "glucose_l_per_kg": 0.16, "bioavailability": 0.8, "gut_min": 40.0, "depot_min": 55.0, "insulin_gone_per_min": 0.138,
    "insulin_l_per_kg": 0.12, "transport_per_min": 0.006, "disposal_per_min": 0.06, "hepatic_per_min": 0.03,
    "transport_l_per_mu_min": 51.2e-4, "disposal_l_per_mu_min": 8.2e-4, "hepatic_l_per_mu": 520e-4,
    "sensor_per_min": 0.073, "fasting_mg_dl": 130.0,
}  # fmt: skip
"""In the paper's letters: weight, EGP0, F01, k12, VG, AG, tmaxG, tmaxI, ke, VI, ka1, ka2, ka3, SIT, SID, SIE; then the
rate of the sensor's compartment, and the glucose that basal insulin holds (assumed)."""
LOG_SD = {
    "weight_kg": 0.15, "liver_mmol_per_kg_min": 0.1, "brain_mmol_per_kg_min": 0.1, "back_per_min": 0.2,
    "glucose_l_per_kg": 0.1, "gut_min": 0.25, "depot_min": 0.15, "insulin_gone_per_min": 0.15,
    "insulin_l_per_kg": 0.1, "transport_per_min": 0.2, "disposal_per_min": 0.2, "hepatic_per_min": 0.2,
    "transport_l_per_mu_min": 0.28, "disposal_l_per_mu_min": 0.38, "hepatic_l_per_mu": 0.26, "fasting_mg_dl": 0.08,
}  # fmt: skip
"""Between persons; assumed, of the three sensitivities near the spreads of Resalat et al. (PLoS ONE 14, 2019)."""
(
    _WEIGHT, _LIVER, _BRAIN, _BACK, _VG, _BIO, _GUT, _DEPOT, _KE, _VI, _KA1, _KA2, _KA3, _SIT, _SID, _SIE, _SENSOR,
    _FASTING,
) = range(len(MEANS))  # fmt: skip
RENAL_ABOVE_MMOL_L, RENAL_PER_MIN = 9.0, 0.003
BRAIN_FULL_MMOL_L = 4.5
_LOG_SD = np.array([LOG_SD.get(name, 0.0) for name in MEANS])

STATES = (
    "glucose_mmol", "tissue_mmol", "depot_1_mu", "depot_2_mu", "insulin_mu_per_l", "transport_per_min",
    "disposal_per_min", "hepatic", "gut_1_mmol", "gut_2_mmol", "sensor_mmol_per_l",
)  # fmt: skip
_Q1, _Q2, _S1, _S2, _I, _X1, _X2, _X3, _D1, _D2, _C = range(len(STATES))


class Hovorka:
    """A `twins.bodies.model.Model`; its drive works as in the other models."""

    state_names: tuple[str, ...] = STATES
    parameter_names: tuple[str, ...] = tuple(MEANS)
    drive_names: tuple[str, ...] = DRIVE_NAMES

    def draw(self, keys: NDArray[np.uint32], attempt: int) -> NDArray[np.float64]:
        """Parameters (n, P), log-normal around the means; number `attempt` of the draws of each key (n, 6)."""
        z = random.normal(keys, len(MEANS), first=attempt * len(MEANS))
        drawn: NDArray[np.float64] = np.exp(np.log(list(MEANS.values())) + _LOG_SD * z)
        return drawn

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Insulin rate (n,) that holds fasting glucose; NaN where none up to 10 U/h does."""
        p = parameters.T
        low, high = np.zeros(len(parameters)), np.full(len(parameters), 10.0)
        none = self._rises(parameters, high)
        for _ in range(50):
            middle = (low + high) / 2
            rises = self._rises(parameters, middle)
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        found: NDArray[np.float64] = np.where(
            none | ~self._rises(parameters, 0 * p[0]), np.nan, (low + high) / 2
        )
        return found

    def _rises(self, parameters: NDArray[np.float64], u_per_h: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether glucose would rise from its fasting level under this constant rate."""
        state = self._at_fasting(parameters, u_per_h)
        p, glucose = parameters.T, parameters[:, _FASTING] / MG_DL_PER_MMOL_L
        gain = p[_WEIGHT] * p[_LIVER] * np.maximum(1 - state[:, _X3], 0.0) + p[_BACK] * state[:, _Q2]
        loss = state[:, _X1] * state[:, _Q1] + p[_WEIGHT] * p[_BRAIN] * np.minimum(
            glucose / BRAIN_FULL_MMOL_L, 1.0
        )
        loss += RENAL_PER_MIN * np.maximum(glucose - RENAL_ABOVE_MMOL_L, 0.0) * p[_VG] * p[_WEIGHT]
        rises: NDArray[np.bool_] = gain > loss
        return rises

    def _at_fasting(
        self, parameters: NDArray[np.float64], u_per_h: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """All in equilibrium with this rate and with fasting plasma glucose."""
        p = parameters.T
        state = np.zeros((len(parameters), len(STATES)))
        mu_per_min = u_per_h * 1000 / 60
        state[:, _S1] = state[:, _S2] = mu_per_min * p[_DEPOT]
        state[:, _I] = mu_per_min / (p[_KE] * p[_VI] * p[_WEIGHT])
        for action, sensitivity in ((_X1, _SIT), (_X2, _SID), (_X3, _SIE)):
            state[:, action] = p[sensitivity] * state[:, _I]
        state[:, _C] = p[_FASTING] / MG_DL_PER_MMOL_L
        state[:, _Q1] = state[:, _C] * p[_VG] * p[_WEIGHT]
        state[:, _Q2] = state[:, _X1] * state[:, _Q1] / (p[_BACK] + state[:, _X2])
        return state

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_state`."""
        return self._at_fasting(parameters, self.basal_u_per_h(parameters))

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
        dose = (basal_u_per_h / 60 + bolus_u / minutes) * 1000  # mU/min
        drive = np.ascontiguousarray(np.broadcast_to(drive, (len(state), minutes, len(DRIVE_NAMES))))
        _advance(state, coefficients, dose, np.ascontiguousarray(carbs_g, np.float64), drive, glucose)
        return glucose

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Model.interstitial_mg_dl`."""
        return state[:, _C] * MG_DL_PER_MMOL_L


@kernel
def _advance(state, parameters, dose, carbs, drive, out):  # type: ignore[no-untyped-def]
    step = 1.0 / SUBSTEPS
    for lane in range(state.shape[0]):
        x, p = state[lane], parameters[lane]
        weight = p[_WEIGHT]
        volume = p[_VG] * weight
        for minute in range(out.shape[1]):
            peripheral, hepatic = (
                drive[lane, minute, SENSITIVITY_PERIPHERAL],
                drive[lane, minute, SENSITIVITY_HEPATIC],
            )
            extra = drive[lane, minute, LIVER_OUTPUT] / MG_PER_MMOL * weight
            eaten = carbs[lane, minute] * 1000 / MG_PER_MMOL * p[_BIO]
            for _ in range(SUBSTEPS):
                glucose = x[_Q1] / volume
                brain = p[_BRAIN] * weight * min(glucose / BRAIN_FULL_MMOL_L, 1.0)
                renal = RENAL_PER_MIN * max(glucose - RENAL_ABOVE_MMOL_L, 0.0) * volume
                liver = max(p[_LIVER] * weight * max(1 - hepatic * x[_X3], 0.0) + extra, 0.0)
                leaves = peripheral * x[_X1] * x[_Q1]
                from_gut, from_depot = x[_D2] / p[_GUT], x[_S2] / p[_DEPOT]
                tissue_to_plasma = p[_BACK] * x[_Q2]
                d_q1 = liver + from_gut + tissue_to_plasma - brain - renal - leaves
                d_q1 -= drive[lane, minute, UPTAKE] * x[_Q1]
                d_q2 = leaves - tissue_to_plasma - peripheral * x[_X2] * x[_Q2]
                d_c = p[_SENSOR] * (glucose - x[_C])
                d_i = from_depot / (p[_VI] * weight) - p[_KE] * x[_I]
                x[_D2] += step * (x[_D1] / p[_GUT] - from_gut)
                x[_D1] += step * (eaten - x[_D1] / p[_GUT])
                x[_S2] += step * (x[_S1] / p[_DEPOT] - from_depot)
                x[_S1] += step * (dose[lane] - x[_S1] / p[_DEPOT])
                x[_X1] += step * p[_KA1] * (p[_SIT] * x[_I] - x[_X1])
                x[_X2] += step * p[_KA2] * (p[_SID] * x[_I] - x[_X2])
                x[_X3] += step * p[_KA3] * (p[_SIE] * x[_I] - x[_X3])
                x[_I] += step * d_i
                x[_C] += step * d_c
                x[_Q2] = max(x[_Q2] + step * d_q2, 0.0)
                x[_Q1] = max(x[_Q1] + step * d_q1, 0.0)
            out[lane, minute] = x[_Q1] / volume * MG_DL_PER_MMOL_L
