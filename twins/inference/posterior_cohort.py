"""A posterior as a cohort: bodies that a person may have, by how likely each is, for environments to be made of.

What the bodies keep of a twin: sensitivity, the liver's feedback, level and its rhythm through the day, emptying,
absorption, and how much is eaten per gram that is announced (as bioavailability). What they leave out is the observer's
disturbances: a scenario brings its own. Settings come from the clinical rules on the diary, never from a body.
"""

import numpy as np
from numpy.typing import NDArray

from twins.bodies.glucose import COLUMN
from twins.cohort import (
    ADULT,
    AGE_GROUP,
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECT_ABOVE,
    CORRECT_ABOVE_MG_DL,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
    TARGET,
    TARGET_MG_DL,
    THERAPY_COLUMNS,
    Cohort,
    join,
)
from twins.inference import personal
from twins.inference.identify import rule
from twins.inference.personal import Known
from twins.inference.posterior import Posterior
from twins.inference.record import Record
from twins.inference.rhythmic import Rhythmic
from twins.world.diary import STEPS_PER_DAY

GRAMS_PER_DAILY_U = 500.0
"""Grams that a unit covers times daily insulin (the "500 rule": Walsh, "Pumping Insulin")."""


def settings(record: Record, part: slice) -> NDArray[np.float64]:
    """Therapy (7,) by the clinical rules from the insulin of some days; basal is the planned rate.

    Raises DiaryError when no insulin was given.
    """
    correction = rule(record, part)
    out = np.empty(THERAPY_COLUMNS)
    out[DAILY_INSULIN_U] = record.delivered_u[part].mean() * STEPS_PER_DAY
    out[BASAL_U_PER_H] = max(record.planned_basal_u_per_h, personal.LEAST_BASAL_U_PER_H)
    out[CARB_RATIO_G_PER_U] = GRAMS_PER_DAILY_U / out[DAILY_INSULIN_U]
    out[CORRECTION_FACTOR_MG_DL_PER_U] = correction
    out[TARGET_MG_DL], out[CORRECT_ABOVE_MG_DL], out[AGE_GROUP] = TARGET, CORRECT_ABOVE, ADULT
    return out


def posterior_cohort(belief: Posterior, person: Known, therapy: NDArray[np.float64]) -> Cohort:
    """The draws of a posterior as persons "WHO~draw#001", ... with their weights, all under the settings (7,)."""
    bodies = personal.bodies(belief.theta, person)
    liver = personal.rhythm(belief.theta, bodies)
    bodies[:, COLUMN["f"]] *= np.exp(belief.theta[:, personal.CARBS])
    count = len(bodies)
    with np.errstate(divide="ignore"):
        # finite: an impossible draw has weight 0 all the same
        log_weight = np.maximum(np.log(belief.weight), -700.0)
    return Cohort(
        Rhythmic(),
        tuple(f"{person.who}~draw#{number:03d}" for number in range(1, count + 1)),
        np.concatenate([bodies, liver], axis=1),
        np.tile(therapy, (count, 1)),
        np.full(count, person.weight_kg),
        log_weight,
    )


def copies(cohort: Cohort, count: int) -> Cohort:
    """At least `count` people: everybody as often as it takes, copies under ids that end in "+2", "+3" ...

    A copy is the same body, and another person to everything that is random: habits and days of their own.
    """
    times = -(-count // len(cohort))
    return join([cohort, *(cohort.renamed(f"+{number}") for number in range(2, times + 1))])


def resampled(cohort: Cohort, count: int) -> Cohort:
    """`count` people who stand for a weighted cohort, all of the same weight (systematic resampling, from the middle).

    A body may come several times, under ids that end in "/2", "/3" ... Raises ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"{count} draws were asked for; give 1 or more")
    weight = np.exp(cohort.log_weight - cohort.log_weight.max())
    rows = np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(count) + 0.5) / count)
    before = [int((rows[:place] == row).sum()) for place, row in enumerate(rows)]
    chosen = [
        cohort.ids[row] + (f"/{copies + 1}" if copies else "")
        for row, copies in zip(rows, before, strict=True)
    ]
    return Cohort(
        cohort.model, tuple(chosen), cohort.parameters[rows], cohort.therapy[rows], cohort.weight_kg[rows]
    )
