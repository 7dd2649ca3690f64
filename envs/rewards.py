"""Named reward terms and, apart from them, the cost of unsafe glucose.

Risk of a glucose value: Kovatchev, Cox, Gonder-Frederick, Clarke, "Symmetrization of the blood glucose
measurement scale and its applications", Diabetes Care 20 (1997); LBGI and HBGI are its means.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twins.kernels import kernel

LOW_MG_DL, VERY_LOW_MG_DL = 70.0, 54.0

LOW_WEIGHT = 2.0
"""How much more a unit of low risk costs than one of high risk."""
RISK_SCALE = 20.0
WORST_LOW, WORST_HIGH = 6.0, 3.0
"""Bounds of the two penalties: without them a single death outweighs months of treatment."""
PER_HOUR = 0.6
"""Reward of an hour at no risk, so that a day is worth about 14."""

TERMS = ("in_control", "low_risk", "high_risk")


@kernel
def risk(glucose_mg_dl):  # type: ignore[no-untyped-def]
    """(low, high) risk of one glucose value; r = 10 f^2, f = 1.509 ((ln g)^1.084 - 5.381), zero at 112.5 mg/dL."""
    g = 1.0 if glucose_mg_dl < 1.0 else glucose_mg_dl
    f = 1.509 * (np.log(g) ** 1.084 - 5.381)
    r = 10.0 * f * f
    return r if f < 0.0 else 0.0 * r, r if f > 0.0 else 0.0 * r  # not a number stays so


@kernel
def _risks(glucose, low, high):  # type: ignore[no-untyped-def]
    for k in range(len(glucose)):
        low[k], high[k] = risk(glucose[k])


def risks(glucose_mg_dl: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`risk` of every value of an array of any shape: (low, high); NaN for NaN."""
    glucose = np.asarray(glucose_mg_dl, np.float64)
    low, high = np.empty((2, glucose.size))
    _risks(glucose.ravel(), low, high)
    return low.reshape(glucose.shape), high.reshape(glucose.shape)


@kernel
def risk_terms(glucose, every, out):  # type: ignore[no-untyped-def]
    """Terms of the dosing reward, and the cost, into out (n, 4), from glucose (n, minutes) read every `every` min.

    in_control: `PER_HOUR` times the hours that passed. low_risk, high_risk: minus the weighted risk, bounded.
    cost: share of the minutes below 70 mg/dL plus share of those below 54.
    """
    n, minutes = glucose.shape
    hours = minutes / 60.0 * PER_HOUR
    samples = minutes // every
    for lane in range(n):
        low_sum = high_sum = below = 0.0
        for k in range(samples):
            low, high = risk(glucose[lane, (k + 1) * every - 1])
            low_sum += min(LOW_WEIGHT * low / RISK_SCALE, WORST_LOW)
            high_sum += min(high / RISK_SCALE, WORST_HIGH)
        for m in range(minutes):
            value = glucose[lane, m]
            below += (1.0 if value < LOW_MG_DL else 0.0) + (1.0 if value < VERY_LOW_MG_DL else 0.0)
        out[lane, 0] = hours
        out[lane, 1] = -hours * low_sum / samples
        out[lane, 2] = -hours * high_sum / samples
        out[lane, 3] = below / minutes


def dosing_terms(
    glucose_mg_dl: NDArray[np.float64], every_min: int
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Terms by name (`TERMS`), each (n,), and the cost (n,), from glucose (n, minutes)."""
    out = np.empty((len(glucose_mg_dl), 4))
    risk_terms(glucose_mg_dl, every_min, out)
    return {name: out[:, k] for k, name in enumerate(TERMS)}, out[:, 3]
