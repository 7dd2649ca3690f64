"""People of a cohort as persons who can exercise."""

import numpy as np
from numpy.typing import NDArray

from twins.bodies import exercise
from twins.bodies.glucose import COLUMN, UvaPadova
from twins.bodies.person import Person
from twins.cohort import Cohort


def active(
    cohort: Cohort,
    spread: float = 1.0,
    counterregulation: bool = False,
    medians: NDArray[np.float64] = exercise.MEDIANS,
) -> Cohort:
    """The same people as persons who can exercise; what exercise does to each hangs on the person's id.

    cohort: of `UvaPadova`. spread, medians: see `exercise.draw`. Raises ValueError for a cohort of another model.
    """
    if not isinstance(cohort.model, UvaPadova):
        raise ValueError(
            f"the cohort is of {type(cohort.model).__name__}; needed are people of the UVA/Padova model"
        )
    drawn = exercise.draw(cohort.numbers, cohort.parameters[:, COLUMN["EGPb"]], spread, medians)
    model = Person(counterregulation, cohort.model.legacy_gut)
    return Cohort(
        model,
        cohort.ids,
        np.concatenate([cohort.parameters, drawn], axis=1),
        cohort.therapy,
        cohort.weight_kg,
        cohort.log_weight,
    )
