"""Bounds of a bout as data, and the pure functions that hold a person to them.

Sources: no start below 90 mg/dL without 15 g of fast carbohydrate, no hard exercise from 250 mg/dL on (ketones are to
be tested first, which nobody does here), none from 350 mg/dL on (American Diabetes Association: Colberg et al.,
Diabetes Care 39 (2016) 2065; table of Zaharieva & Riddell); none below 70 mg/dL, stop below 70 and go on from 80 on
(EASD/ISPAD: Moser et al., Diabetologia 63 (2020) 2501, who also ask for an even or rising trend, which is not asked
here). Without a reading of the last 15 min nobody starts.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twins.world.sessions import AEROBIC, INTERVAL

START_FROM_MG_DL, START_WITH_CARBS_FROM_MG_DL = 90.0, 70.0
CARBS_G, WITHIN_MIN = 15.0, 30
NOT_HARD_FROM_MG_DL, NONE_FROM_MG_DL = 250.0, 350.0
STOP_BELOW_MG_DL, GO_ON_FROM_MG_DL = 70.0, 80.0
STALE_AFTER_MIN = 15.0
WAIT_MIN = 30
"""Held back by a bound, a person waits so long beyond the start and its delay, then goes home."""
WEEK_MIN = 150.0
"""Of exercise: what adults are advised to do (WHO's guidelines on physical activity, 2020; the ADA as above)."""
HARD_FROM = 0.60
"""From this share of the heart-rate reserve on exercise is vigorous (ACSM's guidelines); intervals are."""


class Bound(IntEnum):
    """Why a bout may not begin now; NONE when it may."""

    NONE = 0
    STALE = 1
    LOW = 2
    HARD_WHILE_HIGH = 3
    HIGH = 4


BOUNDS = tuple(bound.name.lower() for bound in Bound)


def refusal(
    cgm_mg_dl: NDArray[np.float64],
    cgm_age_min: NDArray[np.float64],
    carbs_g: NDArray[np.float64],
    intensity: NDArray[np.float64],
    kind: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Why a bout may not begin now (n,), of `Bound`. carbs_g: fast carbohydrate of the last `WITHIN_MIN`."""
    glucose = np.asarray(cgm_mg_dl, float)
    least = np.where(carbs_g >= CARBS_G, START_WITH_CARBS_FROM_MG_DL, START_FROM_MG_DL)
    hard = (kind == INTERVAL) | ((kind == AEROBIC) & (intensity >= HARD_FROM))
    reason = np.full(len(glucose), int(Bound.NONE), np.int64)
    for against, why in (
        (glucose >= NONE_FROM_MG_DL, Bound.HIGH),
        (hard & (glucose >= NOT_HARD_FROM_MG_DL) & (glucose < NONE_FROM_MG_DL), Bound.HARD_WHILE_HIGH),
        (glucose < least, Bound.LOW),
        (~(cgm_age_min <= STALE_AFTER_MIN) | ~np.isfinite(glucose), Bound.STALE),
    ):
        reason[against] = int(why)
    return reason


def must_pause(
    cgm_mg_dl: NDArray[np.float64], cgm_age_min: NDArray[np.float64], pausing: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether a bout that has begun must rest now (n,): below 70 mg/dL, then until 80. pausing: whether it does.

    A reading that is missing or old does not stop a bout, nor lets it go on.
    """
    known = (cgm_age_min <= STALE_AFTER_MIN) & np.isfinite(cgm_mg_dl)
    least = np.where(pausing, GO_ON_FROM_MG_DL, STOP_BELOW_MG_DL)
    return np.where(known, cgm_mg_dl < least, pausing)
