"""One person: glucose, and what else happens in the same body. So far exercise, and glucagon as an option.

A person is a `twins.bodies.model.Model`, whose drive has two more inputs: the heart-rate reserve in use, and the gain
of the session. Resting and rested it is the UVA/Padova model itself, bit for bit.
"""

import numpy as np
from numpy.typing import NDArray

from twins.bodies import exercise, glucagon
from twins.bodies import glucose_kernel as k
from twins.bodies.glucose import COLUMN, UvaPadova
from twins.bodies.glucose import PARAMETERS as GLUCOSE
from twins.bodies.model import DRIVE_NAMES, check_drive

HEART_RATE_RESERVE, SESSION_GAIN = len(DRIVE_NAMES), len(DRIVE_NAMES) + 1
_BODY = slice(0, len(GLUCOSE))
_FIRST = len(k.STATES)
_GLUCAGON = slice(_FIRST + len(exercise.STATES), _FIRST + len(exercise.STATES) + len(glucagon.STATES))


class Person:
    """Parameters: those of `UvaPadova`, then of `exercise`. `counterregulation=True` adds glucagon."""

    parameter_names: tuple[str, ...] = (*GLUCOSE, *exercise.PARAMETERS)
    drive_names: tuple[str, ...] = (*DRIVE_NAMES, "heart_rate_reserve", "session_gain")

    def __init__(self, counterregulation: bool = False, legacy_gut: bool = False) -> None:
        self.glucose = UvaPadova(legacy_gut)
        self.counterregulation = counterregulation
        self.state_names: tuple[str, ...] = (*k.STATES, *exercise.STATES)
        if counterregulation:
            self.state_names += glucagon.STATES

    @property
    def legacy_gut(self) -> bool:
        """See `UvaPadova`."""
        return self.glucose.legacy_gut

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_u_per_h`."""
        return self.glucose.basal_u_per_h(parameters[:, _BODY])

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_state`: rested, without a bout in the last days."""
        state = np.zeros((len(parameters), len(self.state_names)))
        state[:, :_FIRST] = self.glucose.basal_state(parameters[:, _BODY])
        if self.counterregulation:
            state[:, _GLUCAGON] = glucagon.rest(parameters[:, COLUMN["Gb"]])
        return state

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """The parameters, and what the glucose model prepares of them; opaque."""
        both = np.empty(2, object)
        both[0] = np.ascontiguousarray(parameters, np.float64)
        both[1] = self.glucose.prepare(both[0][:, _BODY])
        return both

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Model.interstitial_mg_dl`."""
        return self.glucose.interstitial_mg_dl(state, parameters)

    def plasma_mg_dl(
        self, state: NDArray[np.float64], coefficients: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Glucose in plasma (n,), of coefficients from `prepare`."""
        return np.asarray(state[:, k.GLUCOSE_PLASMA] / coefficients[0][:, COLUMN["Vg"]])

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
        """See `Model.advance`; drive (n, 1 or minutes, 6). The gain is that of the first minute."""
        n, parameters = len(state), coefficients[0]
        check_drive(drive, n, minutes, self.drive_names)
        body = np.empty((n, minutes, len(DRIVE_NAMES)))
        own = state[:, _FIRST:].copy()  # kept where glucose refuses what it is given
        exercise.work(
            own[:, : len(exercise.STATES)], parameters[:, _BODY.stop :], drive[:, :, HEART_RATE_RESERVE],
            drive[:, 0, SESSION_GAIN], drive, body,
        )  # fmt: skip
        if self.counterregulation:
            self._counter(own, state, parameters, minutes, body)
        glucose = self.glucose.advance(state, coefficients[1], basal_u_per_h, bolus_u, carbs_g, body, minutes)
        state[:, _FIRST:] = own
        return glucose

    def _counter(
        self,
        own: NDArray[np.float64],
        state: NDArray[np.float64],
        parameters: NDArray[np.float64],
        minutes: int,
        body: NDArray[np.float64],
    ) -> None:
        p = parameters.T
        glucagon.answer(
            own[:, len(exercise.STATES) :],
            state[:, k.GLUCOSE_PLASMA] / p[COLUMN["Vg"]],
            np.array(p[COLUMN["Gb"]]),
            state[:, k.INSULIN_PLASMA] / p[COLUMN["Vi"]],
            np.array(p[COLUMN["Ib"]]),
            minutes,
            body,
        )
