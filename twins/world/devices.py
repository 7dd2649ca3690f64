"""What stands between a twin and the world: a glucose sensor with its error, a pump with its steps.

Sensor error: Breton and Kovatchev, "Analysis, modeling, and simulation of the accuracy of continuous
glucose sensors", J Diabetes Sci Technol 2 (2008), as in simglucose 0.2.11: an AR(1) process every
15 min, transformed by a Johnson SU curve and joined by a cubic spline over 150 min.
"""

import difflib
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from twins.cohort import simglucose_table
from twins.kernels import kernel
from twins.random import normal_pair

KNOT_MIN = 15
KNOTS = 10  # new ones in each stretch of 150 min
STRETCH_MIN = KNOT_MIN * KNOTS

AR_VALUE, LAST_KNOT, SAMPLE, STRETCH = range(4)
SENSOR_STATE_COLUMNS = 4


@dataclass(frozen=True)
class Sensor:
    """A continuous glucose monitor. `noise=False` gives an exact one with the same limits and timing."""

    name: str
    sample_min: int
    lowest_mg_dl: float
    highest_mg_dl: float
    shape: tuple[float, float, float, float, float]
    """AR coefficient and Johnson parameters gamma, lambda, delta, xi."""
    noise: bool = True

    @property
    def samples(self) -> int:
        """Readings in one stretch of 150 min."""
        return STRETCH_MIN // self.sample_min

    def spline(self) -> NDArray[np.float64]:
        """Matrix (samples, 11) from the knots of a stretch to its readings (not-a-knot cubic spline)."""
        knots = np.arange(KNOTS + 1) * KNOT_MIN
        at = np.arange(1, self.samples + 1) * self.sample_min
        return np.ascontiguousarray(CubicSpline(knots, np.eye(KNOTS + 1))(at))


@dataclass(frozen=True)
class Pump:
    """An insulin pump. Limits and steps are in U/h (basal) and U (bolus).

    simglucose applies the same numbers to U/min and pmol/min (its issue 71).
    """

    name: str
    max_basal_u_per_h: float
    max_bolus_u: float
    basal_step_u_per_h: float
    bolus_step_u: float


@cache
def sensor(name: str = "GuardianRT", noise: bool = True) -> Sensor:
    """ "GuardianRT" (every 5 min), "Dexcom" (3 min) or "Navigator" (1 min). Raises ValueError for others."""
    row = _row("sensor_params.csv", name, "sensor")
    shape = tuple(float(row[column]) for column in ("PACF", "gamma", "lambda", "delta", "xi"))
    return Sensor(
        name,
        int(float(row["sample_time"])),
        float(row["min"]),
        float(row["max"]),
        shape,  # type: ignore[arg-type]
        noise,
    )


@cache
def adapted(name: str, sample_min: int, range_mg_dl: tuple[float, float] | None = None) -> Sensor:
    """A sensor by name that is read every `sample_min` minutes, and within another range.

    Raises ValueError for intervals that do not divide 15 min, and for ranges that are none.
    """
    found = sensor(name)
    if KNOT_MIN % sample_min:
        raise ValueError(
            f"sample_min: {sample_min} given; {name} has {found.sample_min}, and allowed are parts of {KNOT_MIN}"
        )
    low, high = (found.lowest_mg_dl, found.highest_mg_dl) if range_mg_dl is None else range_mg_dl
    if not 0 < low < high < np.inf:
        raise ValueError(
            f"sensor_range_mg_dl: {low:g}, {high:g} given; needed is a lower and a higher reading above 0"
        )
    return replace(found, sample_min=sample_min, lowest_mg_dl=low, highest_mg_dl=high)


@cache
def pump(name: str = "Insulet") -> Pump:
    """ "Insulet" or "Cozmo". Raises ValueError for others."""
    row = _row("pump_params.csv", name, "pump")
    return Pump(name, *(float(row[c]) for c in ("max_basal", "max_bolus", "inc_basal", "inc_bolus")))


def _row(file: str, name: str, kind: str) -> dict[str, str]:
    table = simglucose_table(file)
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown {kind} {name!r}; {hint}Known are {', '.join(table)}")
    return table[name]


@kernel
def measure(keys, glucose_mg_dl, state, noise, spline, shape, lowest, highest, noisy, cgm):  # type: ignore[no-untyped-def]
    """One reading per lane into `cgm` (n,), from interstitial `glucose_mg_dl` (n,).

    keys (n, 6) of the sensor stream; state (n, 4) and noise (n, samples) are the sensor's memory,
    zero at the start of an episode.
    """
    knots = np.empty(KNOTS + 1)
    for lane in range(len(cgm)):
        error = 0.0
        if noisy:
            sample = int(state[lane, SAMPLE])
            if sample == 0:
                _next_stretch(keys[lane], state[lane], knots, shape)
                for k in range(noise.shape[1]):
                    total = 0.0
                    for j in range(KNOTS + 1):
                        total += spline[k, j] * knots[j]
                    noise[lane, k] = total
            error = noise[lane, sample]
            state[lane, SAMPLE] = (sample + 1) % noise.shape[1]
        value = glucose_mg_dl[lane] + error
        cgm[lane] = min(max(value, lowest), highest)


@kernel
def _next_stretch(key, state, knots, shape):  # type: ignore[no-untyped-def]
    """Errors at the 11 knots of the next 150 min; the first is the last one of the stretch before."""
    ar, gamma, scale, delta, xi = shape
    stretch = int(state[STRETCH])
    value = state[AR_VALUE]
    if stretch == 0:
        value, _ = normal_pair(key, 0)
        state[LAST_KNOT] = xi + scale * np.sinh((value - gamma) / delta)
    knots[0] = state[LAST_KNOT]
    for j in range(KNOTS):
        draw = 2 + stretch * KNOTS + j
        a, b = normal_pair(key, draw // 2)
        value = ar * (value + (b if draw % 2 else a))
        knots[j + 1] = xi + scale * np.sinh((value - gamma) / delta)
    state[AR_VALUE] = value
    state[LAST_KNOT] = knots[KNOTS]
    state[STRETCH] = stretch + 1.0


@kernel
def deliver(  # type: ignore[no-untyped-def]
    basal_u_per_h, bolus_u, ceiling_u_per_h, limits, carry, delivered_basal, delivered_bolus
):
    """What the pump can deliver of an allowed dose, per lane.

    limits = (max basal U/h, max bolus U, basal step U/h, bolus step U). Both are rounded down, never
    up. What rounding takes from the basal rate is carried to the next interval (carry (n,), U/h), so
    that a rate between two steps is kept on average, but no rate goes above ceiling_u_per_h (n,); a
    suspension delivers nothing and clears it. What is not a number, or below zero, is not delivered.
    """
    max_basal, max_bolus, basal_step, bolus_step = limits
    for lane in range(len(basal_u_per_h)):
        wanted = min(basal_u_per_h[lane], max_basal)
        if wanted > 0.0:
            most = min(wanted + carry[lane], ceiling_u_per_h[lane], max_basal)
            rate = np.floor(most / basal_step + 1e-9) * basal_step
            carry[lane] = min(max(wanted + carry[lane] - rate, 0.0), basal_step)
            delivered_basal[lane] = rate
        else:
            carry[lane] = 0.0
            delivered_basal[lane] = 0.0
        wanted = min(bolus_u[lane], max_bolus)
        delivered_bolus[lane] = np.floor(wanted / bolus_step + 1e-9) * bolus_step if wanted > 0.0 else 0.0
