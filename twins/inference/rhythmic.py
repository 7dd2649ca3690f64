"""The UVA/Padova body with a rhythm of the day: the level of glucose that planned basal holds, by the hour.

What the rhythm adds to the liver's output is a parameter at eight times of day, with straight lines between them, as a
personal twin's `rhythm` says; a clock in the state tells the time. An episode begins at midnight.
"""

import numpy as np
from numpy.typing import NDArray

from twins.bodies.glucose import PARAMETERS, UvaPadova
from twins.bodies.model import DRIVE_NAMES, LIVER_OUTPUT
from twins.inference.personal import NODES
from twins.units import MINUTES_PER_DAY

LIVER = tuple(f"liver_{24 // NODES * node:02d}h_mg_kg_min" for node in range(NODES))
_INNER = UvaPadova()
_BODY, _STATES = slice(0, len(PARAMETERS)), slice(0, len(_INNER.state_names))


class Rhythmic:
    """A `twins.bodies.model.Model`: parameters of UVA/Padova, then `LIVER`; its states, then a clock [min]."""

    parameter_names: tuple[str, ...] = (*PARAMETERS, *LIVER)
    state_names: tuple[str, ...] = (*_INNER.state_names, "clock_min")
    drive_names: tuple[str, ...] = DRIVE_NAMES

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_u_per_h`: without the rhythm."""
        return _INNER.basal_u_per_h(parameters[:, _BODY])

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_state`: without the rhythm, at midnight."""
        inner = _INNER.basal_state(parameters[:, _BODY])
        return np.concatenate([inner, np.zeros((len(inner), 1))], axis=1)

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Model.interstitial_mg_dl`."""
        return _INNER.interstitial_mg_dl(state[:, _STATES], parameters[:, _BODY])

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rhythm, and what UVA/Padova prepares."""
        both = np.empty(2, object)
        both[0], both[1] = np.array(parameters[:, _BODY.stop :]), _INNER.prepare(parameters[:, _BODY])
        return both

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
        """See `Model.advance`. The rhythm is held over the call, at its value in the middle."""
        liver, inner = coefficients
        clock, body = state[:, _STATES.stop], np.ascontiguousarray(state[:, _STATES])
        moved = drive.copy()
        moved[:, :, LIVER_OUTPUT] += at(liver, clock + minutes / 2)[:, None]
        glucose = _INNER.advance(body, inner, basal_u_per_h, bolus_u, carbs_g, moved, minutes)
        state[:, _STATES] = body
        clock += minutes
        return glucose


def at(nodes: NDArray[np.float64], minute: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (n,) at these minutes of nodes (n, N) that are spread evenly over the day."""
    hour = minute % MINUTES_PER_DAY / (MINUTES_PER_DAY / nodes.shape[1])
    before, lane = hour.astype(int) % nodes.shape[1], np.arange(len(nodes))
    share = hour - hour.astype(int)
    value: NDArray[np.float64] = (1 - share) * nodes[lane, before] + share * nodes[
        lane, (before + 1) % nodes.shape[1]
    ]
    return value
