"""The glucose twin: the UVA/Padova type-1 diabetes model of 2008 as in simglucose 0.2.11.

Equations: Dalla Man, Rizza, Cobelli, "Meal simulation model of the glucose-insulin system", IEEE
TBME 54 (2007), with the subcutaneous insulin of Kovatchev et al., J Diabetes Sci Technol 3 (2009).
The kernel that integrates them is in `glucose_kernel`; here are names, derived constants and the
exact matrices of the insulin subsystem.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from twins.bodies import glucose_kernel as k
from twins.bodies.model import DRIVE_NAMES
from twins.units import INSULIN_PMOL_PER_U, MINUTES_PER_HOUR

PARAMETERS = (
    "BW", "EGPb", "Gb", "Ib", "kabs", "kmax", "kmin", "b", "d", "Vg", "Vi", "Vmx", "Km0", "k2", "k1", "p2u",
    "m1", "m2", "m4", "m30", "ki", "kp1", "kp2", "kp3", "f", "ke1", "ke2", "Fsnc", "Vm0", "kd", "ksc", "ka1",
    "ka2", "u2ss",
)  # fmt: skip
"""Parameter columns under simglucose's names: BW [kg], EGPb [mg/kg/min], Gb [mg/dL], Ib [pmol/L], rate
constants [1/min], Vg [dL/kg], Vi [L/kg], u2ss [pmol/kg/min]; d and b are fractions of the meal."""

COLUMN = {name: index for index, name in enumerate(PARAMETERS)}

# The linear insulin subsystem, in the order of the local matrices below.
_PLASMA, _ACTION, _DELAY_1, _DELAY_2, _LIVER, _SC_1, _SC_2, _INPUT, _ONE = range(9)


class UvaPadova:
    """13 physiological states and 4 of meal bookkeeping, one compiled kernel for any number of people.

    `legacy_gut=True` reproduces the error of simglucose before 0.2.3 (milligrams and grams added in
    the stomach's reference amount, its issue 41), for comparison with tables published with it.
    """

    state_names: tuple[str, ...] = k.STATES
    parameter_names: tuple[str, ...] = PARAMETERS
    drive_names: tuple[str, ...] = DRIVE_NAMES

    def __init__(self, legacy_gut: bool = False):
        self.legacy_gut = legacy_gut

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Insulin rate that keeps the basal state in equilibrium, shape (n,)."""
        pmol_per_min: NDArray[np.float64] = parameters[:, COLUMN["u2ss"]] * parameters[:, COLUMN["BW"]]
        return pmol_per_min / INSULIN_PMOL_PER_U * MINUTES_PER_HOUR

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Equilibrium at basal insulin and basal glucose, fasted: shape (n, 17)."""
        p = {name: parameters[:, index] for name, index in COLUMN.items()}
        state = np.zeros((len(parameters), len(k.STATES)))
        state[:, k.GLUCOSE_PLASMA] = state[:, k.GLUCOSE_SUBCUTANEOUS] = p["Gb"] * p["Vg"]
        state[:, k.GLUCOSE_TISSUE] = (p["Fsnc"] - p["EGPb"] + p["k1"] * p["Gb"] * p["Vg"]) / p["k2"]
        state[:, k.INSULIN_PLASMA] = p["Ib"] * p["Vi"]
        state[:, k.INSULIN_LIVER] = p["m2"] * p["Ib"] * p["Vi"] / (p["m1"] + p["m30"])
        state[:, k.INSULIN_DELAY_1] = state[:, k.INSULIN_DELAY_2] = p["Ib"]
        state[:, k.INSULIN_SC_1] = p["u2ss"] / (p["ka1"] + p["kd"])
        state[:, k.INSULIN_SC_2] = p["kd"] * state[:, k.INSULIN_SC_1] / p["ka2"]
        return state

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Subcutaneous glucose, which a sensor measures, shape (n,)."""
        glucose: NDArray[np.float64] = state[:, k.GLUCOSE_SUBCUTANEOUS] / parameters[:, COLUMN["Vg"]]
        return glucose

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Kernel coefficients in blocks of lanes, shape (ceil(n / LANES), C, LANES); opaque.

        The last block is padded with copies of the last person, so that one person and many run the
        same instructions. Raises ValueError when the table has the wrong shape or is not finite.
        """
        parameters = np.asarray(parameters, float)
        fits = parameters.ndim == 2 and parameters.shape[1] == len(PARAMETERS) and len(parameters) > 0
        if not fits or not np.isfinite(parameters).all():
            raise ValueError(
                f"parameters have shape {parameters.shape}; needed are finite values of shape "
                f"(n, {len(PARAMETERS)}) in the order of twins.bodies.glucose.PARAMETERS"
            )
        people, lane = np.unique(parameters, axis=0, return_inverse=True)
        table = kernel_table(people)[lane.ravel()]
        blocks = -(-len(table) // k.LANES)
        padded = np.concatenate([table, np.repeat(table[-1:], blocks * k.LANES - len(table), axis=0)])
        return np.ascontiguousarray(padded.reshape(blocks, k.LANES, -1).transpose(0, 2, 1))

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
        """See `Model.advance`. Error against a solver at rtol 1e-9: below 0.05 mg/dL over 48 h.

        state may have further columns behind its own, which stay. Raises ValueError for shapes that do not fit: the
        kernel itself checks no bounds.
        """
        n = len(state)
        # Contiguous float64: for any other layout or type numba would compile the kernel once more.
        basal_u_per_h = np.ascontiguousarray(basal_u_per_h, np.float64)
        bolus_u = np.ascontiguousarray(bolus_u, np.float64)
        carbs_g = np.ascontiguousarray(carbs_g, np.float64)
        drive = np.ascontiguousarray(drive, np.float64)
        held = 1 if drive.ndim == 3 and drive.shape[1] == 1 else minutes
        for name, array, shape in (
            ("state", state[..., : len(k.STATES)], (n, len(k.STATES))),
            ("coefficients", coefficients, (-(-n // k.LANES), k.COEFFICIENTS, k.LANES)),
            ("basal_u_per_h", basal_u_per_h, (n,)),
            ("bolus_u", bolus_u, (n,)),
            ("carbs_g", carbs_g, (n, minutes)),
            ("drive", drive, (n, held, len(DRIVE_NAMES))),
        ):
            if array.shape != shape:
                raise ValueError(
                    f"{name} has shape {array.shape}; needed is {shape} for {n} people and {minutes} minutes"
                )
        if state.dtype != np.float64 or minutes < 1:
            raise ValueError(
                f"state is {state.dtype} and minutes {minutes}; needed are float64 and at least 1 minute"
            )
        glucose = np.empty((n, minutes))
        k.advance(state, coefficients, basal_u_per_h, bolus_u, carbs_g, drive, self.legacy_gut, glucose)
        return glucose


def insulin_matrix(p: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Generator of the linear insulin subsystem extended by its input and a constant, shape (n, 9, 9)."""
    matrix = np.zeros((len(p["BW"]), 9, 9))
    matrix[:, _SC_1, _SC_1] = -(p["ka1"] + p["kd"])
    matrix[:, _SC_1, _INPUT] = 1.0  # pmol/kg/min
    matrix[:, _SC_2, _SC_1] = p["kd"]
    matrix[:, _SC_2, _SC_2] = -p["ka2"]
    matrix[:, _PLASMA, _PLASMA] = -(p["m2"] + p["m4"])
    matrix[:, _PLASMA, _LIVER] = p["m1"]
    matrix[:, _PLASMA, _SC_1] = p["ka1"]
    matrix[:, _PLASMA, _SC_2] = p["ka2"]
    matrix[:, _LIVER, _LIVER] = -(p["m1"] + p["m30"])
    matrix[:, _LIVER, _PLASMA] = p["m2"]
    matrix[:, _ACTION, _ACTION] = -p["p2u"]  # action above basal: p2u (I - Ib)
    matrix[:, _ACTION, _PLASMA] = p["p2u"] / p["Vi"]
    matrix[:, _ACTION, _ONE] = -p["p2u"] * p["Ib"]
    matrix[:, _DELAY_1, _DELAY_1] = matrix[:, _DELAY_2, _DELAY_2] = -p["ki"]
    matrix[:, _DELAY_1, _PLASMA] = p["ki"] / p["Vi"]
    matrix[:, _DELAY_2, _DELAY_1] = p["ki"]
    return matrix


def kernel_table(parameters: NDArray[np.float64], gut_steps: int = k.GUT_STEPS) -> NDArray[np.float64]:
    """Coefficients of the kernel, shape (n, C), in the order of `glucose_kernel`'s constants."""
    p = {name: parameters[:, index] for name, index in COLUMN.items()}
    out = np.zeros((len(parameters), k.COEFFICIENTS))
    for name, column in k.PLAIN_COEFFICIENTS.items():
        out[:, column] = p[name]
    out[:, k.C_RATE_OF_APPEARANCE] = p["f"] * p["kabs"] / p["BW"]
    out[:, k.C_DOSE] = INSULIN_PMOL_PER_U / p["BW"]  # U/min -> pmol/kg/min
    out[:, k.C_SOLID_HALF_STEP] = np.exp(-p["kmax"] / (2 * gut_steps))
    absorbed = p["kabs"] / gut_steps  # of the intestine in a step of the gut
    out[:, k.C_GUT_STEP] = np.exp(-absorbed)
    out[:, k.C_GUT_INFLOW] = -np.expm1(-absorbed) / absorbed  # what is left of an even inflow
    out[:, k.C_STEEP_EMPTY] = 5 / (1 - p["b"])  # 2 * 5 / (2 (1 - b)): the kernel works with exp(2 .)
    out[:, k.C_STEEP_FULL] = 5 / p["d"]
    matrix = insulin_matrix(p)
    whole, half = expm(matrix), expm(matrix / 2)
    for column, (row, source) in enumerate(_WHOLE_STEP):
        out[:, k.C_WHOLE + column] = whole[:, row, source]
    for column, (row, source) in enumerate(_HALF_STEP):
        out[:, k.C_HALF + column] = half[:, row, source]
    return out


_ENTERS_PLASMA = (_PLASMA, _LIVER, _SC_1, _SC_2, _INPUT)
_WHOLE_STEP = (
    *((_SC_1, s) for s in (_SC_1, _INPUT)),
    *((_SC_2, s) for s in (_SC_1, _SC_2, _INPUT)),
    *((_PLASMA, s) for s in _ENTERS_PLASMA),
    *((_LIVER, s) for s in _ENTERS_PLASMA),
    *((_ACTION, s) for s in (_ACTION, *_ENTERS_PLASMA, _ONE)),
    *((_DELAY_1, s) for s in (_DELAY_1, *_ENTERS_PLASMA)),
    *((_DELAY_2, s) for s in (_DELAY_2, _DELAY_1, *_ENTERS_PLASMA)),
)
_HALF_STEP = (
    *((_ACTION, s) for s in (_ACTION, *_ENTERS_PLASMA, _ONE)),
    *((_DELAY_2, s) for s in (_DELAY_2, _DELAY_1, *_ENTERS_PLASMA)),
)
