"""The rule shield: the requested dose becomes the allowed one, with a reason.

Order of checks, which is that of the reasons; a later one overrides an earlier one's reason when it lowers the
dose further:

1. an invalid or absent request becomes the fallback: scheduled basal, or zero when the last valid
   glucose was below 80 mg/dL, or readings are stale and were falling;
2. caps: basal rate; size of a bolus; time since the last one; insulin on board; insulin of any hour; insulin of any
   24 hours. They never raise a request, and apart from the rate of the age group none takes from scheduled basal;
3. a sensor that is stale, impossible, jumping or flat: no dose above scheduled basal;
4. glucose below 70, or predicted below 80 mg/dL in 30 min: no insulin;
5. starvation: with nothing low in sight and no more insulin on board than scheduled basal brings, a request below a
   quarter of scheduled basal becomes scheduled basal from 100 mg/dL on, any smaller one from 180 mg/dL on. This
   alone may raise a request. A sensor that is stale or impossible forbids it, a flat or jumping one up to 250 mg/dL:
   beyond, a sensor stands still at its upper end and would hide what it is for.

The sums of an hour and of 24 hours hold for what is delivered in every window of that length: at most one largest
bolus + 4 hours' basal, and twice the therapy's daily insulin. No cap is to stop scheduled basal, for no insulin
harms too; so each interval counts as at least scheduled basal, and a dose above it is allowed only where scheduled
basal may follow for good without breaking the sum. (24 hours of scheduled basal alone exceed twice the daily insulin
of nobody with sensible settings; where they do, scheduled basal is all that is left.) The basal that starvation
restores is paid for in the same way. The sum of an hour is counted over 60 min before the interval, that of 24 hours
over the 24 to 25 clock hours before it, so that they hold from whichever minute one counts.

After a jump of more than 40 mg/dL or 20 %, also across a gap, and at the first reading after four silent hours, the
sensor is not believed for 15 min: a single spike brings no dose.

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
_BASAL, _BOLUS, _INTERVAL = int(Reason.MAX_BASAL), int(Reason.MAX_BOLUS), int(Reason.BOLUS_INTERVAL)
_IOB, _HOURLY, _DAILY = int(Reason.MAX_IOB), int(Reason.MAX_HOURLY), int(Reason.MAX_DAILY)
_STALE, _IMPOSSIBLE = int(Reason.STALE), int(Reason.IMPOSSIBLE)
_JUMP, _FLAT = int(Reason.JUMP), int(Reason.FLAT)
_PREDICTED, _LOW, _STARVED = int(Reason.PREDICTED_LOW), int(Reason.LOW), int(Reason.STARVATION)


def rule(
    request: Request, view: View, limits: NDArray[np.float64], belief: Any = None
) -> tuple[Request, NDArray[np.int64], NDArray[np.float64]]:
    """The allowed request, reason codes (n,) int64 and margins (n,): the least of glucose and its
    prediction above their thresholds in mg/dL (negative = suspended, NaN = no trusted reading).

    request, limits (n, 5): one row per lane of the view. `belief` is not used by rules.
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
    stale = not age <= limit.STALE_AFTER_MIN
    possible = v.LOWEST_READING < glucose < v.HIGHEST_READING
    trusted = possible and not stale
    predicted = glucose + limit.PREDICT_MIN * row[v.SLOPE_MG_DL_PER_MIN]
    low = trusted and glucose < limit.SUSPEND_BELOW_MG_DL
    soon = trusted and not predicted >= limit.PREDICTED_BELOW_MG_DL

    # 1. fallback
    basal, bolus, reason = valid(basal, bolus, row, scheduled)

    # 2. caps
    if basal > limits[limit.MAX_BASAL_U_PER_H]:
        basal, reason = limits[limit.MAX_BASAL_U_PER_H], _BASAL
    if bolus > limits[limit.MAX_BOLUS_U]:
        bolus, reason = limits[limit.MAX_BOLUS_U], _BOLUS
    if bolus > 0.0 and not row[v.SINCE_BOLUS_MIN] >= limit.BETWEEN_BOLUSES_MIN:
        bolus, reason = 0.0, _INTERVAL
    spoken_for = scheduled * dt / 60.0 + limit.ROUNDING_U
    for room, code in (
        (limits[limit.MAX_IOB_U] - row[v.IOB_NET_U], _IOB),
        (limits[limit.MAX_HOURLY_U] - row[v.COUNTED_1H_U] - spoken_for, _HOURLY),
        (limits[limit.MAX_DAILY_U] - row[v.COUNTED_24H_U] - spoken_for, _DAILY),
    ):
        less_basal, less_bolus = _within(room, basal, bolus, scheduled, dt)
        if less_basal < basal or less_bolus < bolus:
            basal, bolus, reason = less_basal, less_bolus, code

    # 3. sensor
    fault = _sensor_fault(stale, possible, window, row[v.RUNNING_MIN], dt)
    if fault != _NONE and (bolus > 0.0 or basal > scheduled):
        bolus, basal, reason = 0.0, min(basal, scheduled), fault

    # 4. low glucose, now or soon
    if (low or soon) and (basal > 0.0 or bolus > 0.0):
        basal, bolus, reason = 0.0, 0.0, _LOW if low else _PREDICTED

    # 5. starvation
    starved = basal < limit.STARVED_SHARE * scheduled and glucose >= limit.STARVED_ABOVE_MG_DL
    believed = fault == _NONE or glucose >= limit.VERY_HIGH_MG_DL
    unjustified = (
        (starved or glucose >= limit.HIGH_MG_DL)
        and row[v.IOB_NET_U] + bolus < limit.STARVED_IOB_H * scheduled
        and trusted
        and believed
        and not soon
    )
    restored = min(scheduled, limits[limit.MAX_BASAL_U_PER_H])
    if unjustified and basal < restored:
        basal, reason = restored, _STARVED

    margin = min(glucose - limit.SUSPEND_BELOW_MG_DL, predicted - limit.PREDICTED_BELOW_MG_DL)
    return basal, bolus, reason, margin if trusted else np.nan


@kernel
def _within(room, basal, bolus, scheduled, dt):  # type: ignore[no-untyped-def]
    """Basal U/h and bolus U of which no more than `room` U goes beyond scheduled basal; the bolus comes first."""
    if not room > 0.0:  # also where it is not known
        room = 0.0
    bolus = min(bolus, room)
    return min(basal, scheduled + (room - bolus) * 60.0 / dt), bolus


@kernel
def _sensor_fault(stale, possible, window, running, dt):  # type: ignore[no-untyped-def]
    """The first fault of the sensor in the order stale, impossible, jump, flat; NONE without one."""
    if stale:
        return _STALE
    if not possible:
        return _IMPOSSIBLE
    if _jumps(window, running, dt):
        return _JUMP
    return _FLAT if _flat(window, dt) else _NONE


@kernel
def _flat(window, dt):  # type: ignore[no-untyped-def]
    """Whether the readings of the last 45 min, none of them missing, hardly differ."""
    n = len(window)
    lowest, highest = np.inf, -np.inf
    for k in range(limit.FLAT_MIN // dt + 1):
        value = window[n - 1 - k]
        if np.isnan(value):
            return False
        lowest, highest = min(lowest, value), max(highest, value)
    return highest - lowest < limit.FLAT_WITHIN_MG_DL


@kernel
def _jumps(window, running, dt):  # type: ignore[no-untyped-def]
    """Whether the newest reading, or one of the last 15 min, is far from the one before it, however old that is.

    A single reading in the whole window is not believed either, but the very first one.
    """
    n = len(window)
    later, readings = np.nan, 0
    for k in range(n):
        value = window[n - 1 - k]
        if np.isnan(value):
            continue
        if readings > 0:
            widest = min(limit.JUMP_MG_DL, limit.JUMP_SHARE * min(value, later))
            if not abs(later - value) <= widest:
                return True
            if k >= limit.JUMP_MEMORY_MIN // dt:
                return False
        later = value
        readings += 1
    return readings < 2 and running > 0.0
