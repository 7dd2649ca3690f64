"""A posterior as a cohort: bodies that a person may have, by how likely each is, for environments to be made of.

What the bodies keep of a twin: sensitivity, the liver's feedback, level, emptying, absorption, and how much is eaten
per gram that is announced (as bioavailability). What they leave out: the rhythm of the day and the observer's
disturbances, for which a model has no parameter. Settings come from the clinical rules on the diary, never from a body.
"""

import numpy as np
from numpy.typing import NDArray

from twins import cohort as cohorts
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
)
from twins.inference import personal
from twins.inference.identify import rule
from twins.inference.posterior import Posterior
from twins.inference.record import Record
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


def posterior_cohort(belief: Posterior, record: Record, part: slice) -> Cohort:
    """The draws of a posterior as persons "WHO~draw#001", ... with their weights, all under the same settings."""
    parameters = personal.bodies(belief.theta, record)
    parameters[:, COLUMN["f"]] *= np.exp(belief.theta[:, personal.CARBS])
    count = len(parameters)
    with np.errstate(divide="ignore"):
        log_weight = np.maximum(
            np.log(belief.weight), -700.0
        )  # finite: an impossible draw has weight 0 all the same
    return Cohort(
        cohorts.load("adult").model,
        tuple(f"{record.who}~draw#{number:03d}" for number in range(1, count + 1)),
        parameters,
        np.tile(settings(record, part), (count, 1)),
        np.full(count, record.weight_kg),
        log_weight,
    )
