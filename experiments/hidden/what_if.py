"""What another meal bolus would have done: truly, in the hidden body, and as twins of the person say.

A what-if changes one meal bolus of a lived day; all else, doses of the pump and sugar against lows included, stays as
it was. So a difference between the two traces is what the insulin did.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.hidden.life import Life, plasma, step
from twins.inference.family import UVA_PADOVA, Family
from twins.inference.record import Record
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

SCALES = (0.7, 1.3)
HOURS = 4
LEAST_BOLUS_U = 0.5
STEPS = HOURS * 60 // STEP_MIN


@dataclass(frozen=True)
class WhatIfs:
    """E meals of lived days. person, step (E,): whose and when; true plasma glucose [mg/dL] at the ends of the next 48
    steps: factual (E, 48), and other (E, 2, 48) had the bolus been `SCALES` times as large."""

    person: NDArray[np.int64]
    step: NDArray[np.int64]
    factual: NDArray[np.float64]
    other: NDArray[np.float64]


def truly(life: Life, first_day: int, last_day: int) -> WhatIfs:
    """The meal boluses of some days (from 1, both included) that `HOURS` follow in these days, and their what-ifs."""
    begin, end = (first_day - 1) * STEPS_PER_DAY, last_day * STEPS_PER_DAY - STEPS
    person, at = np.nonzero(life.meal_bolus_u[:, begin:end] > LEAST_BOLUS_U)
    at = at + begin
    # All meals, and each as lived and with its other boluses, are one batch of bodies.
    row, now, scale = np.repeat(person, 1 + len(SCALES)), np.repeat(at, 1 + len(SCALES)), (1.0, *SCALES)
    parameters = life.bodies.parameters[row]
    state, coefficients = life.state[row, now].copy(), life.bodies.model.prepare(parameters)
    lived = np.empty((len(row), STEPS))
    for ahead in range(STEPS):
        k = now + ahead
        meal = life.meal_bolus_u[row, k] * (np.tile(scale, len(at)) if ahead == 0 else 1.0)
        step(
            life.bodies, coefficients, state, life.basal_u_per_h[row, k], meal + life.correction_u[row, k],
            life.eaten_g[row, k], life.drive[row, k],
        )  # fmt: skip
        lived[:, ahead] = plasma(state, parameters)
    traces = lived.reshape(len(at), len(scale), STEPS)
    return WhatIfs(person, at, traces[:, 0], traces[:, 1:])


def as_twins_say(
    theta: NDArray[np.float64], record: Record, steps: NDArray[np.int64], family: Family = UVA_PADOVA
) -> NDArray[np.float64]:
    """Changes of glucose (K, E, 2, 48) [mg/dL] that twins `theta` (K, 17) foresee of the what-ifs of one person.

    steps (E,): of the meals. Every dose after the meal is foreseen as recorded, as it is in the truth.
    """
    out = np.empty((len(theta), len(steps), len(SCALES), STEPS))
    factual = family.forecasts(theta, record, steps, STEPS, foreseen=True)
    for number, now in enumerate(steps):
        until = slice(0, now + STEPS)
        short = replace(
            record,
            **{
                name: getattr(record, name)[until]
                for name in ("glucose_mg_dl", "carbs_g", "basal_u", "other_bolus_u", "basal_known")
            },
        )
        for which, scale in enumerate(SCALES):
            bolus = record.meal_bolus_u[until].copy()
            bolus[now] *= scale
            changed = replace(short, meal_bolus_u=bolus)
            told = family.forecasts(theta, changed, steps[number : number + 1], STEPS, foreseen=True)
            out[:, number, which] = told[:, 0] - factual[:, number]
    return out
