"""The rule shield: the requested dose becomes the allowed one, with a reason.

Order of checks; a later one overrides an earlier one's reason when it lowers the dose further:

1. an invalid or absent request becomes the fallback: scheduled basal, or zero when the last valid
   glucose was below 80 mg/dL, or readings are stale and were falling;
2. caps: basal, bolus, insulin on board. They never raise a request;
3. a sensor that is stale, impossible, jumping or flat: no dose above scheduled basal;
4. glucose below 70, or predicted below 80 mg/dL in 30 min: no insulin;
5. starvation: after two hours under a quarter of scheduled basal, with negative insulin on board and nothing
   low in sight, scheduled basal is restored until nine tenths of six hours' basal have been given. This alone
   may raise a request.

These are rules of real pumps. They bound the dose; they do not bound glucose under a hostile agent.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import limits as limit
from envs import view as v
from envs.shield.fallback import valid
from envs.shield.reasons import Reason
from envs.therapy import Request
from envs.view import View
from twins.cohort import BASAL_U_PER_H
from twins.kernels import kernel

_NONE = int(Reason.NONE)
_BASAL, _BOLUS, _IOB = int(Reason.MAX_BASAL), int(Reason.MAX_BOLUS), int(Reason.MAX_IOB)
_STALE, _IMPOSSIBLE = int(Reason.STALE), int(Reason.IMPOSSIBLE)
_JUMP, _FLAT = int(Reason.JUMP), int(Reason.FLAT)
_PREDICTED, _LOW, _STARVED = int(Reason.PREDICTED_LOW), int(Reason.LOW), int(Reason.STARVATION)


def rule(
    request: Request, view: View, limits: NDArray[np.float64], belief: Any = None
) -> tuple[Request, NDArray[np.int64], NDArray[np.float64]]:
    """The allowed request, reason codes (n,) int64 and margins (n,): the least of glucose and its
    prediction above their thresholds in mg/dL (negative = suspended, NaN = no trusted reading).

    request, limits (n, 3): one row per lane of the view. `belief` is not used by rules.
    """
    n = len(view)
    allowed = Request(np.empty(n), np.empty(n), request.plan)
    reason, margin = np.empty(n, np.int64), np.empty(n)
    apply(
        request.basal_u_per_h, request.bolus_u, view.now, view.cgm_buffer, view.position, view.therapy, limits,
        view.interval_min, allowed.basal_u_per_h, allowed.bolus_u, reason, margin,
    )  # fmt: skip
    return allowed, reason, margin


@kernel
def apply(  # type: ignore[no-untyped-def]
    basal_u_per_h,
    bolus_u,
    now,
    cgm_buffer,
    position,
    therapy,
    limits,
    dt,
    allowed_basal,
    allowed_bolus,
    reason,
    margin,
):
    """All lanes of the rule shield; the last four arrays (n,) are filled."""
    length = cgm_buffer.shape[1] // 2
    for lane in range(len(now)):
        allowed_basal[lane], allowed_bolus[lane], reason[lane], margin[lane] = _one(
            basal_u_per_h[lane],
            bolus_u[lane],
            now[lane],
            cgm_buffer[lane, position[0] : position[0] + length],
            therapy[lane, BASAL_U_PER_H],
            limits[lane],
            dt,
        )


@kernel
def _one(basal, bolus, row, window, scheduled, limits, dt):  # type: ignore[no-untyped-def]
    """One lane: (allowed basal U/h, allowed bolus U, reason, margin mg/dL)."""
    glucose, age = row[v.CGM_MG_DL], row[v.CGM_AGE_MIN]
    slope = row[v.SLOPE_MG_DL_PER_MIN]
    stale = not age <= limit.STALE_AFTER_MIN
    possible = v.LOWEST_READING < glucose < v.HIGHEST_READING
    predicted = glucose + limit.PREDICT_MIN * slope

    # 1. fallback
    basal, bolus, reason = valid(basal, bolus, row, scheduled)

    # 2. caps
    if basal > limits[limit.MAX_BASAL_U_PER_H]:
        basal, reason = limits[limit.MAX_BASAL_U_PER_H], _BASAL
    if bolus > limits[limit.MAX_BOLUS_U]:
        bolus, reason = limits[limit.MAX_BOLUS_U], _BOLUS
    room = max(limits[limit.MAX_IOB_U] - row[v.IOB_NET_U], 0.0)
    extra = max(basal - scheduled, 0.0) * dt / 60.0
    if bolus + extra > room:
        reason = _IOB
        bolus = min(bolus, room)
        basal = min(basal, scheduled + max(room - bolus, 0.0) * 60.0 / dt)

    # 3. sensor
    fault = _sensor_fault(glucose, stale, possible, window, dt)
    if fault != _NONE and (bolus > 0.0 or basal > scheduled):
        bolus, basal, reason = 0.0, min(basal, scheduled), fault

    # 4. low glucose, now or soon
    trusted = possible and not stale
    low = trusted and glucose < limit.SUSPEND_BELOW_MG_DL
    soon = trusted and predicted < limit.PREDICTED_BELOW_MG_DL
    if (low or soon) and (basal > 0.0 or bolus > 0.0):
        basal, bolus, reason = 0.0, 0.0, _LOW if low else _PREDICTED

    # 5. starvation; that basal has been given again for half an hour tells a restoration from a beginning
    begins = row[v.INSULIN_2H_U] < limit.STARVED_SHARE * 2.0 * scheduled
    given_again = row[v.INSULIN_30MIN_U] >= limit.REPAID_SHARE * 0.5 * scheduled
    goes_on = given_again and row[v.INSULIN_6H_U] < limit.REPAID_SHARE * 6.0 * scheduled
    starved = (
        (begins or goes_on)
        and row[v.IOB_NET_U] < 0.0
        and row[v.RUNNING_MIN] >= 120.0
        and fault == _NONE
        and trusted
        and glucose >= limit.STARVED_ABOVE_MG_DL
        and not soon
    )
    restored = min(scheduled, limits[limit.MAX_BASAL_U_PER_H])
    if starved and basal < restored:
        basal, reason = restored, _STARVED

    margin = min(glucose - limit.SUSPEND_BELOW_MG_DL, predicted - limit.PREDICTED_BELOW_MG_DL)
    return basal, bolus, reason, margin if trusted else np.nan


@kernel
def _sensor_fault(glucose, stale, possible, window, dt):  # type: ignore[no-untyped-def]
    """The first fault of the sensor in the order stale, impossible, jump, flat; NONE without one."""
    if stale:
        return _STALE
    if not possible:
        return _IMPOSSIBLE
    n = len(window)
    steps = min(max(limit.JUMP_MEMORY_MIN // dt, 1), n - 1)
    for k in range(steps):
        if abs(window[n - 1 - k] - window[n - 2 - k]) > limit.JUMP_MG_DL:  # False where one is NaN
            return _JUMP
    lowest, highest, steps = np.inf, -np.inf, min(limit.FLAT_MIN // dt, n - 1)
    for k in range(steps + 1):
        value = window[n - 1 - k]
        if np.isnan(value):
            return _NONE
        lowest, highest = min(lowest, value), max(highest, value)
    if highest - lowest < limit.FLAT_WITHIN_MG_DL and glucose > limit.FLAT_ABOVE_MG_DL:
        return _FLAT
    return _NONE
