"""What can be advised around a bout, at its moments, in physical units; and the insulin that follows from it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from envs import therapy
from envs.bouts import seen as s
from envs.therapy import Request
from envs.view import View

MOST_FACTOR, MOST_CARBS_G, MOST_DELAY_MIN = 1.2, 30.0, 30.0


class Moment(IntEnum):
    """When advice counts."""

    NONE = 0
    FAR = 1
    NEAR = 2
    START = 3
    DURING = 4
    END = 5
    BEDTIME = 6


@dataclass(frozen=True)
class Advice:
    """For n persons, arrays (n,); each counts only at its moment (`Moment`).

    basal: of scheduled basal, until the next moment, within 0 ... 1.2. bolus: of a meal's bolus, for the meals until
    the next moment, after the end for the first meal alone. carbs_g: eaten now, 0 ... 30. delay_min: the start is put
    off, 0 ... 30. At bedtime bedtime_basal (for 6 h) and bedtime_snack_g count instead.
    """

    basal: NDArray[np.float64]
    bolus: NDArray[np.float64]
    carbs_g: NDArray[np.float64]
    delay_min: NDArray[np.float64]
    bedtime_basal: NDArray[np.float64]
    bedtime_snack_g: NDArray[np.float64]

    @classmethod
    def none(cls, n: int) -> "Advice":
        """Everything as on other days."""
        return cls(np.ones(n), np.ones(n), np.zeros(n), np.zeros(n), np.ones(n), np.zeros(n))


PLAN = ("basal", "bolus", "carbs_g", "delay_min", "bedtime_basal")
"""Columns of `Request.plan` around a bout: factors in force now, and what is eaten and put off now. NaN: no word."""
BASAL, BOLUS, CARBS_G, DELAY_MIN, BEDTIME_BASAL = range(len(PLAN))


def request(view: View, advice: Advice) -> Request:
    """The insulin that the person's own therapy asks for under this advice, and the plan that goes with it.

    Between the moments the factors in force are those of the last one. What is not finite is no request.
    """
    seen = view.activity
    assert seen is not None, "there is no bout in this setting"
    moment = seen[:, s.MOMENT].astype(int)
    day, bed = (moment != Moment.NONE) & (moment != Moment.BEDTIME), moment == Moment.BEDTIME
    basal = np.where(day, np.clip(advice.basal, 0.0, MOST_FACTOR), seen[:, s.BASAL_FACTOR])
    bolus = np.where(day, np.clip(advice.bolus, 0.0, MOST_FACTOR), seen[:, s.BOLUS_FACTOR])
    night = np.where(bed, np.clip(advice.bedtime_basal, 0.0, MOST_FACTOR), seen[:, s.BEDTIME_FACTOR])
    carbs = np.where(bed, advice.bedtime_snack_g, np.where(day, advice.carbs_g, 0.0))
    delay = np.where(moment == Moment.START, advice.delay_min, 0.0)
    in_force = np.where(bed | (seen[:, s.BEDTIME_LEFT_MIN] > 0), night, basal)
    asked = therapy.basal_bolus(view, np.stack([in_force, bolus], axis=1))
    asked.plan = np.stack(
        [basal, bolus, np.clip(carbs, 0.0, MOST_CARBS_G), np.clip(delay, 0.0, MOST_DELAY_MIN), night], axis=1
    )
    return asked
