"""What a body truly does with a unit of insulin and with food, whatever its equations: found by giving them."""

import numpy as np
from numpy.typing import NDArray

from twins.bodies.model import NEUTRAL_DRIVE, Model

EFFECT_MIN = 480
"""A unit of insulin and ten grams have their full effect within this time."""
MEAL_G, BACK_MIN = 50.0, 360
"""The carb ratio is found on a meal of this size, after which glucose is to be back where it was after this time."""
GIVEN_MIN = 5
"""A dose takes this long."""
_DOSES_U = np.linspace(0.0, 20.0, 41)


def paths(model: Model, parameters: NDArray[np.float64], dose_u: float, grams: float) -> NDArray[np.float64]:
    """Plasma glucose (n, 480) [mg/dL] each minute after a dose and a meal now, from basal equilibrium."""
    n = len(parameters)
    state, coefficients = model.basal_state(parameters), model.prepare(parameters)
    basal, food = model.basal_u_per_h(parameters), np.zeros((n, EFFECT_MIN))
    drive = np.tile(np.array(NEUTRAL_DRIVE), (n, 1, 1))
    food[:, 0] = grams
    parts = []
    for begin, end, bolus in ((0, GIVEN_MIN, dose_u), (GIVEN_MIN, EFFECT_MIN, 0.0)):
        plate = food[:, begin:end]
        parts.append(model.advance(state, coefficients, basal, np.full(n, bolus), plate, drive, end - begin))
    return np.concatenate(parts, axis=1)


def effects(model: Model, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """What 1 U lowers and 10 g raise glucose at most, from basal equilibrium: (n, 2) [mg/dL]."""
    level, dosed, fed = (paths(model, parameters, *given) for given in ((0.0, 0.0), (1.0, 0.0), (0.0, 10.0)))
    return np.stack([(level - dosed).max(axis=1), (fed - level).max(axis=1)], axis=1)


def carb_ratio_g_per_u(model: Model, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grams that 1 U covers (n,); the smallest that can be found is `MEAL_G` over 20 U."""
    level = paths(model, parameters, 0.0, 0.0)[:, BACK_MIN - 1]
    left = np.stack([paths(model, parameters, dose, MEAL_G)[:, BACK_MIN - 1] for dose in _DOSES_U], axis=1)
    needed = [np.interp(-goal, -after, _DOSES_U) for goal, after in zip(level, left, strict=True)]
    ratio: NDArray[np.float64] = MEAL_G / np.maximum(np.array(needed), _DOSES_U[1])
    return ratio
