"""Records of virtual people whose twin is known: lived minute by minute by the simulator itself."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twins.bodies.glucose import COLUMN, UvaPadova
from twins.bodies.model import NEUTRAL_DRIVE
from twins.inference import personal
from twins.inference.personal import NAMES
from twins.inference.record import Record

PLAIN = np.zeros(len(NAMES))
PLAIN[personal.LEVEL] = np.log(1.2)
PLAIN[personal.GAIN] = PLAIN[personal.SLOW_GAIN] = -20.0  # nothing is learnt of readings


def blank(days: float, basal_u_per_h: float = 1.0, who: str = "virtual") -> Record:
    """Days without readings, food or boluses, from 06:00 on."""
    n = int(days * 288)
    none = np.zeros(n)
    return Record(
        who,
        np.full(n, np.nan),
        none,
        np.full(n, basal_u_per_h / 12),
        none,
        none,
        basal_u_per_h,
        360,
        np.ones(n, bool),
    )


def with_meals(record: Record, seed: int, per_gram_u: float = 0.1) -> Record:
    """Three meals a day at about their hours, with boluses that are off by 30 %, and some corrections."""
    g = np.random.default_rng(seed)
    n = len(record)
    carbs, meal, other = np.zeros(n), np.zeros(n), np.zeros(n)
    for day in range(n // 288):
        for hour in (2, 7, 13):
            at = day * 288 + hour * 12 + int(g.integers(-9, 10))
            carbs[at] = g.integers(20, 80)
            meal[at] = carbs[at] * per_gram_u * np.exp(0.3 * g.standard_normal())
    other[g.integers(0, n, n // 100)] = 0.5
    return replace(record, carbs_g=carbs, meal_bolus_u=meal, other_bolus_u=other)


def lived(theta: NDArray[np.float64], record: Record) -> NDArray[np.float64]:
    """Plasma glucose (n,) [mg/dL] at the beginning of each step, by the simulator, for one twin without a rhythm."""
    model, parameters = UvaPadova(), personal.bodies(theta[None], record)
    state, coefficients = model.basal_state(parameters), model.prepare(parameters)
    drive, out = np.array([[NEUTRAL_DRIVE]]), np.empty(len(record))
    eaten = np.exp(theta[personal.CARBS]) * record.carbs_g
    for step, (dose, food) in enumerate(zip(record.delivered_u, eaten, strict=True)):
        out[step] = state[0, 3] / parameters[0, COLUMN["Vg"]]
        carbs = np.zeros((1, 5))
        carbs[0, 0] = food
        model.advance(state, coefficients, np.zeros(1), np.array([dose]), carbs, drive, 5)
    return out
