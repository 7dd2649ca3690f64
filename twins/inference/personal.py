"""The family of personal twins: a mean adult of the UVA/Padova model, scaled in what ten days of records can tell.

A member is a vector of logarithms `theta` (17,), in the order of `NAMES`, for one person. `bodies` makes
parameters of the model of it, at equilibrium under the person's planned basal rate. What the model does not know is
told by a rhythm (the level of glucose that planned basal holds, by time of day) and by an observer's two disturbances,
one that fades within an hour and one within most of a day.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twins import cohort
from twins.bodies.glucose import COLUMN
from twins.bodies.glucose_forecast import STEP_MIN, Forecast, prepare
from twins.bodies.model import NEUTRAL_DRIVE
from twins.draw import HEPATIC_EXTRACTION
from twins.units import INSULIN_PMOL_PER_U

NODES = 8
"""Times of day, three hours apart, at which the level of glucose is a parameter."""
NAMES = (
    "sensitivity", "liver_feedback", "level", "emptying", "insulin_speed", "carbs", "gain", "fading", "slow_gain",
    *(f"level_{24 // NODES * node:02d}h" for node in range(NODES)),
)  # fmt: skip
"""Scales of: insulin's effect on tissue and liver; the liver's answer to glucose; glucose under planned basal [100
mg/dL]; gastric emptying; absorption of insulin; carbs eaten per gram logged; gain [mg/kg/min per 600 mg/kg missed] and
fading [h] of the fast disturbance; gain [per 6000] of the slow one; level_..h: the level at that hour over the mean."""
SENSITIVITY, FEEDBACK, LEVEL, EMPTYING, SPEED, CARBS, GAIN, FADING, SLOW_GAIN = range(9)
LEVELS = slice(9, 9 + NODES)
SLOW_FADING_H = 15.0
GAIN_UNIT, SLOW_GAIN_UNIT = 1 / 600, 1 / 6000
LEAST_BASAL_U_PER_H = 0.05
EFFECT_MIN = 480
"""A unit of insulin and ten grams have their full effect within this time."""


class Known(Protocol):
    """What the family must know of a person besides their twin: a `Record`, or what a file keeps of one."""

    @property
    def who(self) -> str:
        """A name."""

    @property
    def weight_kg(self) -> float:
        """Body weight."""

    @property
    def planned_basal_u_per_h(self) -> float:
        """The rate at which a twin is in equilibrium."""


def mean_adult() -> NDArray[np.float64]:
    """Geometric mean (P,) of the parameters of the adults."""
    mean: NDArray[np.float64] = np.exp(np.log(cohort.load("adult").parameters).mean(axis=0))
    return mean


def bodies(theta: NDArray[np.float64], person: Known) -> NDArray[np.float64]:
    """Parameters (K, P) of the model for logarithms `theta` (K, 17), at equilibrium under the planned basal rate."""
    out = np.repeat(mean_adult()[None], len(theta), axis=0)
    scale = np.exp(theta)
    p = {name: out[:, column] for name, column in COLUMN.items()}  # views: what is set here is set in `out`
    p["BW"][:] = person.weight_kg
    for parameter, names in (
        (SENSITIVITY, ("Vmx", "kp3")), (FEEDBACK, ("kp2",)), (EMPTYING, ("kmax", "kmin")),
        (SPEED, ("ka1", "ka2", "kd")),
    ):  # fmt: skip
        for name in names:
            p[name] *= scale[:, parameter]
    p["Gb"][:] = 100.0 * scale[:, LEVEL]
    p["m30"][:] = p["m1"] * HEPATIC_EXTRACTION / (1 - HEPATIC_EXTRACTION)
    p["u2ss"][:] = max(person.planned_basal_u_per_h, LEAST_BASAL_U_PER_H) / 60 * INSULIN_PMOL_PER_U / p["BW"]
    p["Ib"][:] = p["u2ss"] / p["Vi"] / (p["m2"] + p["m4"] - p["m1"] * p["m2"] / (p["m1"] + p["m30"]))
    p["kp1"][:] = p["EGPb"] + p["kp2"] * p["Gb"] * p["Vg"] + p["kp3"] * p["Ib"]
    tissue = (p["Fsnc"] - p["EGPb"] + p["k1"] * p["Gb"] * p["Vg"]) / p["k2"]
    p["Vm0"][:] = (p["EGPb"] - p["Fsnc"]) * (p["Km0"] + tissue) / tissue
    return out


def rhythm(theta: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Output of the liver (K, 8) [mg/kg/min], beyond its own, that holds glucose at the level of each node."""
    p = {name: parameters[:, column][:, None] for name, column in COLUMN.items()}
    plasma = p["Gb"] * np.exp(theta[:, LEVELS]) * p["Vg"]
    # Tissue glucose in equilibrium with it: k1 G - k2 T = Vm0 T / (Km0 + T).
    linear = p["k2"] * p["Km0"] + p["Vm0"] - p["k1"] * plasma
    tissue = (np.sqrt(linear**2 + 4 * p["k1"] * p["k2"] * p["Km0"] * plasma) - linear) / (2 * p["k2"])
    lost = p["Fsnc"] + p["k1"] * plasma - p["k2"] * tissue + p["ke1"] * np.maximum(plasma - p["ke2"], 0.0)
    extra: NDArray[np.float64] = lost + p["kp2"] * plasma + p["kp3"] * p["Ib"] - p["kp1"]
    return extra


def effects(theta: NDArray[np.float64], person: Known) -> NDArray[np.float64]:
    """What 1 U lowers and 10 g logged raise glucose at most, from the level under planned basal: (K, 2) [mg/dL]."""
    parameters, model = bodies(theta, person), cohort.load("adult").model
    n, steps = len(theta), EFFECT_MIN // STEP_MIN
    ahead = prepare(parameters, EFFECT_MIN, STEP_MIN)
    state, drive = model.basal_state(parameters), np.tile(np.array(NEUTRAL_DRIVE), (n, 1))
    plans = np.tile(model.basal_u_per_h(parameters)[:, None, None] * STEP_MIN / 60, (1, 2, steps))
    plans[:, 1, 0] += 1.0
    food = np.zeros((n, EFFECT_MIN))
    level, dosed = np.moveaxis(Forecast(ahead, state, drive, food).paths(plans, STEP_MIN), 1, 0)
    food[:, 0] = 10.0 * np.exp(theta[:, CARBS])
    fed = Forecast(ahead, state, drive, food).paths(plans[:, :1], STEP_MIN)[:, 0]
    return np.stack([(level - dosed).max(axis=1), (fed - level).max(axis=1)], axis=1)
