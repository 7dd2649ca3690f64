"""What takes the place of an invalid request, under every shield."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import limits as limit
from envs import view as v
from envs.shield.reasons import Reason
from envs.therapy import Request
from envs.view import View
from twins.cohort import BASAL_U_PER_H
from twins.kernels import kernel

_NONE, _INVALID = int(Reason.NONE), int(Reason.INVALID_REQUEST)


def off(
    request: Request, view: View, limits: NDArray[np.float64], belief: Any = None
) -> tuple[Request, NDArray[np.int64], NDArray[np.float64]]:
    """No shield: the request as it is; only an invalid one, which no pump can deliver, becomes the fallback."""
    n = len(view)
    allowed = Request(np.empty(n), np.empty(n), request.plan)
    reason = np.empty(n, np.int64)
    _only_valid(
        request.basal_u_per_h,
        request.bolus_u,
        view.now,
        view.therapy,
        allowed.basal_u_per_h,
        allowed.bolus_u,
        reason,
    )
    return allowed, reason, np.full(n, np.nan)


@kernel
def _only_valid(basal_u_per_h, bolus_u, now, therapy, allowed_basal, allowed_bolus, reason):  # type: ignore[no-untyped-def]
    for lane in range(len(now)):
        allowed_basal[lane], allowed_bolus[lane], reason[lane] = valid(
            basal_u_per_h[lane], bolus_u[lane], now[lane], therapy[lane, BASAL_U_PER_H]
        )


@kernel
def valid(basal, bolus, row, scheduled):  # type: ignore[no-untyped-def]
    """A request that is not finite or negative becomes the fallback: (basal U/h, bolus U, reason)."""
    if np.isfinite(basal) and np.isfinite(bolus) and basal >= 0.0 and bolus >= 0.0:
        return basal, bolus, _NONE
    stale = not row[v.CGM_AGE_MIN] <= limit.STALE_AFTER_MIN
    falling = row[v.SLOPE_MG_DL_PER_MIN] < limit.FALLING_MG_DL_PER_MIN
    unsafe = row[v.LAST_VALID_MG_DL] < limit.FALLBACK_ZERO_BELOW_MG_DL or (stale and falling)
    return 0.0 if unsafe else scheduled, 0.0, _INVALID
