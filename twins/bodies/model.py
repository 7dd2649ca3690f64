"""What every model of a body offers to the layers above, whatever its equations."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SENSITIVITY_PERIPHERAL, SENSITIVITY_HEPATIC, UPTAKE, LIVER_OUTPUT = range(4)
DRIVE_NAMES = (
    "sensitivity_peripheral",
    "sensitivity_hepatic",
    "uptake_per_min",
    "liver_output_mg_per_kg_min",
)
NEUTRAL_DRIVE = (1.0, 1.0, 0.0, 0.0)
"""Drive inputs that leave a model as it is: multipliers of total insulin action on uptake and on the
liver, extra fractional glucose uptake of tissue [1/min], extra glucose output of the liver [mg/kg/min]."""

_NEUTRAL = dict(zip(DRIVE_NAMES, NEUTRAL_DRIVE, strict=True)) | {"heart_rate_reserve": 0.0, "session_gain": 1.0}


def neutral_drive(names: tuple[str, ...]) -> NDArray[np.float64]:
    """Drive inputs of these names (D,) that leave a model as it is; of a body that can exercise, at rest."""
    return np.array([_NEUTRAL[name] for name in names])


def check_drive(drive: NDArray[np.float64], people: int, minutes: int, names: tuple[str, ...]) -> None:
    """Raise ValueError unless drive is (people, 1 or minutes, D): kernels check no bounds."""
    if drive.shape not in ((people, 1, len(names)), (people, minutes, len(names))):
        raise ValueError(
            f"drive has shape {drive.shape}; needed is ({people}, 1 or {minutes}, {len(names)}): {', '.join(names)}"
        )


class Model(Protocol):
    """A body's equations over a batch. First axis of every array = person (lane)."""

    state_names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    drive_names: tuple[str, ...]

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Equilibrium under scheduled basal insulin, fasted: shape (n, S) from parameters (n, P)."""

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Insulin rate that keeps `basal_state` in equilibrium: shape (n,)."""

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coefficients of the kernel for parameters of shape (n, P); opaque, only for `advance`."""

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
        """Advance `state` (n, S) in place by `minutes`; returns plasma glucose (n, minutes) in mg/dL.

        basal_u_per_h (n,) is constant and bolus_u (n,) is spread evenly over the call. carbs_g
        (n, minutes) is what is put on the plate each minute. drive is (n, minutes, D), or (n, 1, D)
        for one value held over the call.
        """

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Glucose where a sensor sits: shape (n,)."""
