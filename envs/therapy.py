"""The bolus calculator and basal rate a person is treated with. It sits below agents: tasks use it too."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import view as v
from envs.view import View
from twins.cohort import (
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECT_ABOVE_MG_DL,
    CORRECTION_FACTOR_MG_DL_PER_U,
    TARGET_MG_DL,
)
from twins.kernels import kernel


@dataclass
class Request:
    """What an agent asks for in the coming interval, per lane.

    basal_u_per_h (n,) holds until the next decision; bolus_u (n,) is given once. NaN means no
    request. plan (n, K) is for tasks that plan.
    """

    basal_u_per_h: NDArray[np.float64]
    bolus_u: NDArray[np.float64]
    plan: NDArray[np.float64] | None = None

    @classmethod
    def absent(cls, n: int) -> "Request":
        """No request for n lanes; the shield puts its fallback in place."""
        return cls(np.full(n, np.nan), np.full(n, np.nan))

    def checked(self, n: int) -> "Request":
        """The same as float64 arrays of n lanes. Raises ValueError when it has not one number per lane."""
        return Request(
            _column(self.basal_u_per_h, n, "basal_u_per_h"), _column(self.bolus_u, n, "bolus_u"), self.plan
        )


def checked_plan(plan: Any, n: int, names: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The plan of a request as floats (n, K), a copy; None where there is none. names (K,): of its columns. Raises
    ValueError for anything else."""
    if plan is None:
        return None
    array = _numbers(plan, "the plan", "floats, or None")
    if array.shape != (n, len(names)):
        raise ValueError(
            f"the plan of a request has shape {array.shape}; needed is ({n}, {len(names)}): {', '.join(names)}, or None"
        )
    return array


def _column(value: NDArray[np.float64], n: int, name: str) -> NDArray[np.float64]:
    array = _numbers(value, name, "floats, one per lane")
    if array.shape != (n,):
        raise ValueError(f"{name} of a request has shape {array.shape}; needed is ({n},), one value per lane")
    return array


def _numbers(value: Any, name: str, needed: str) -> NDArray[np.float64]:
    try:
        array: NDArray[np.float64] = np.asarray(value).astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} of a request is not numeric ({error}); give {needed}") from None
    return array


def basal_bolus(
    view: View, modulation: NDArray[np.float64] | None = None, therapy: NDArray[np.float64] | None = None
) -> Request:
    """Scheduled basal and meal bolus, each times `modulation` (n, 2) (default: ones).

    therapy (n, 7): other settings than those of the view.

    Bolus = carbs / CR, plus (glucose - target) / CF at a meal when glucose is above the correction
    threshold: the formula of simglucose's controller. Carbs are those announced and not yet covered,
    so that a bolus that the shield held back is asked for again while the meal is fresh.
    """
    n = len(view)
    request = Request(np.empty(n), np.empty(n))
    if modulation is None:
        modulation = np.ones((n, 2))
    calculate(
        view.now,
        view.therapy if therapy is None else therapy,
        modulation,
        request.basal_u_per_h,
        request.bolus_u,
    )
    return request


@kernel
def calculate(now, therapy, modulation, basal, bolus):  # type: ignore[no-untyped-def]
    """The calculator of `basal_bolus`; `basal` and `bolus` (n,) are filled."""
    for lane in range(len(now)):
        row, settings = now[lane], therapy[lane]
        basal[lane] = settings[BASAL_U_PER_H] * modulation[lane, 0]
        dose = row[v.UNCOVERED_G] / settings[CARB_RATIO_G_PER_U]
        if row[v.ANNOUNCED_G] > 0.0 and row[v.CGM_MG_DL] > settings[CORRECT_ABOVE_MG_DL]:
            dose += (row[v.CGM_MG_DL] - settings[TARGET_MG_DL]) / settings[CORRECTION_FACTOR_MG_DL_PER_U]
        bolus[lane] = max(dose, 0.0) * modulation[lane, 1]
