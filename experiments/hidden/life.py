"""Days of hidden people under automated pumps, and the diaries that they leave.

What a diary does not tell: meals that were not logged, sugar against lows, a sensitivity and a liver that drift over
hours, and what the sensor misread.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from experiments.hidden.bodies import Bodies
from experiments.hidden.food import Food, eat
from experiments.hidden.pump import Pump
from twins import random
from twins.bodies.glucose import COLUMN
from twins.bodies.glucose_kernel import GLUCOSE_PLASMA
from twins.bodies.model import LIVER_OUTPUT, NEUTRAL_DRIVE, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL
from twins.random import Stream
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, Diary

START = datetime(2024, 1, 1)
DRIFT_H = 12.0
SENSITIVITY_LOG_SD, LIVER_SD_MG_KG_MIN = 0.05, 0.3
"""Of one slow process: in a good hour all insulin, basal too, acts more and the liver gives less; assumed."""
RESCUE_BELOW_MG_DL, RESCUE_G, RESCUE_EVERY_MIN = 65.0, 15.0, 20
"""Sugar against lows, by true glucose; never logged."""
SENSOR_SD_MG_DL, SENSOR_CORRELATION = 6.0, 0.9
"""Of the sensor's error, and from one reading to the next."""
READINGS_MG_DL = (40.0, 400.0)


@dataclass(frozen=True, eq=False)
class Life:
    """What truly happened to n people over N steps of 5 min; arrays (n, N), amounts of a step, values at its beginning.

    state (n, N, S): of the bodies; eaten_g: with sugar against lows; drive (n, N, 4).
    """

    bodies: Bodies
    food: Food
    state: NDArray[np.float64]
    drive: NDArray[np.float64]
    reading_mg_dl: NDArray[np.float64]
    basal_u_per_h: NDArray[np.float64]
    meal_bolus_u: NDArray[np.float64]
    correction_u: NDArray[np.float64]
    eaten_g: NDArray[np.float64]
    logged_g: NDArray[np.float64]

    @property
    def glucose_mg_dl(self) -> NDArray[np.float64]:
        """True plasma glucose (n, N)."""
        return plasma(self.state, self.bodies.parameters[:, None])

    def diary(self, number: int) -> Diary:
        """What one person's devices and log keep of it."""
        bolus = self.meal_bolus_u[number] + self.correction_u[number]
        return Diary(
            self.bodies.who[number], START, self.reading_mg_dl[number], self.logged_g[number], bolus,
            self.basal_u_per_h[number],
        )  # fmt: skip


def plasma(state: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Plasma glucose [mg/dL] of states (..., S) of bodies (..., P)."""
    glucose: NDArray[np.float64] = state[..., GLUCOSE_PLASMA] / parameters[..., COLUMN["Vg"]]
    return glucose


def live(bodies: Bodies, days: int) -> Life:
    """Everybody's days, all at once; nobody's hang on who else lives."""
    n, steps, model = len(bodies), days * STEPS_PER_DAY, bodies.model
    food = eat(bodies.keys, days)
    eaten, logged = food.on_grid(food.eaten_g, steps), food.on_grid(food.logged_g, steps)
    drive = _drift(bodies, steps)
    noise = correlated(random.stream(bodies.keys, Stream.SENSOR), steps, SENSOR_CORRELATION)
    reading, basal, meal, correction = np.empty((4, n, steps))
    state, coefficients = model.basal_state(bodies.parameters), model.prepare(bodies.parameters)
    states = np.empty((n, steps, state.shape[1]))
    settings = bodies.basal_u_per_h, bodies.carb_ratio_g_per_u, bodies.correction_factor_mg_dl_per_u
    pump, since = Pump(*settings, STEP_MIN), np.full(n, RESCUE_EVERY_MIN // STEP_MIN + 1)
    for k in range(steps):
        states[:, k] = state
        read = model.interstitial_mg_dl(state, bodies.parameters) + SENSOR_SD_MG_DL * noise[:, k]
        reading[:, k] = np.clip(read, *READINGS_MG_DL)
        basal[:, k], meal[:, k], correction[:, k] = pump.dose(reading[:, k], logged[:, k])
        low = (plasma(state, bodies.parameters) < RESCUE_BELOW_MG_DL) & (since > RESCUE_EVERY_MIN // STEP_MIN)
        eaten[:, k] += np.where(low, RESCUE_G, 0.0)
        since = np.where(low, 1, since + 1)
        step(
            bodies, coefficients, state, basal[:, k], meal[:, k] + correction[:, k], eaten[:, k], drive[:, k]
        )
    return Life(bodies, food, states, drive, reading, basal, meal, correction, eaten, logged)


def step(
    bodies: Bodies,
    coefficients: NDArray[np.float64],
    state: NDArray[np.float64],
    basal_u_per_h: NDArray[np.float64],
    bolus_u: NDArray[np.float64],
    eaten_g: NDArray[np.float64],
    drive: NDArray[np.float64],
) -> None:
    """The states (n, S) five minutes later, in place; food comes in the first minute, drive (n, 4) is held."""
    carbs = np.zeros((len(state), STEP_MIN))
    carbs[:, 0] = eaten_g
    bodies.model.advance(state, coefficients, basal_u_per_h, bolus_u, carbs, drive[:, None], STEP_MIN)


def _drift(bodies: Bodies, steps: int) -> NDArray[np.float64]:
    """Drive (n, steps, 4) of bodies that drift."""
    kept = float(np.exp(-STEP_MIN / 60 / DRIFT_H))
    good = correlated(random.stream(bodies.keys, Stream.SENSITIVITY), steps, kept)
    drive = np.tile(np.array(NEUTRAL_DRIVE), (*good.shape, 1))
    for column in (SENSITIVITY_PERIPHERAL, SENSITIVITY_HEPATIC):
        drive[..., column] = np.exp(SENSITIVITY_LOG_SD * good)
    drive[..., LIVER_OUTPUT] = -LIVER_SD_MG_KG_MIN * good
    return drive


def correlated(keys: NDArray[np.uint32], steps: int, kept: float) -> NDArray[np.float64]:
    """Normal values (n, steps) of sd 1, each correlated by `kept` with the one before."""
    z = random.normal(keys, steps)
    for k in range(1, steps):
        z[:, k] = kept * z[:, k - 1] + np.sqrt(1 - kept**2) * z[:, k]
    return z
