"""Bounds of what a whole person may be advised, as data, and the pure functions that hold advice to them.

Nights (AASM's and NSF's hours of adults; Eastman et al., Sleep 28 (2005) 33): no less in bed than seven hours, or
than the habit gives where that is less; no more than ten, or the habit's; bedtime no more than an hour from that of the
evening before, but for going back to the usual one; not before 21:00; up no earlier than 4:00, and in time for work.
Exercise: no more than 75 minutes a day and 420 a week, not in working hours, after breakfast time and two hours before
bed; hard exercise (ACSM: from 0.60 of the reserve on) not two days in turn. When it may begin and must pause is as
around any session (`envs.bouts.bounds`).
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from envs.bouts.bounds import HARD_FROM, WAIT_MIN
from envs.hold import SPARE, Hold
from envs.living.advice import LEAST_MOVE_MIN, LEAST_RESERVE, MOST_MOVE_MIN, MOST_RESERVE
from twins.world.ordinary import WORK_H

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

FLOOR_H, MOST_H = 7.0, 10.0
MOST_SHIFT_H, EARLIEST_BED_H, LATEST_BED_H, EARLIEST_RISE_H = 1.0, 21.0, 26.5, 4.0
READY_H = 0.75
WEEK_MOST_MIN = 420.0
AFTER_RISE_H, BEFORE_BED_H, WAY_H = 0.5, 2.0, 0.25


class Bound(IntEnum):
    """Why advice was changed; NONE when it was not. Of several the last one counts."""

    NONE = 0
    BEDTIME_MOVED = 1
    TOO_LONG = 2
    TOO_SHORT = 3
    REQUIRED = 4
    WEEK_FULL = 5
    HARD_AGAIN = 6
    MOVED_IN_TIME = 7


def hold_night(
    bed_h: Array, rise_h: Array, usual_bed_h: Array, usual_rise_h: Array, before_bed_h: Array, work: Flags
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Bedtime and rising that may be advised, and the last bound that changed them (n,), of `Bound`.

    Arrays (n,), hours of the clock, bed after 24 where it is after midnight. before_bed_h: that of the evening before;
    work: whether there is work in the morning. Idempotent; who keeps the usual hours is never changed.
    """
    within = Hold(len(bed_h))
    keep, reason = within.keep, within.reason
    usual_h = usual_rise_h + 24.0 - usual_bed_h
    floor = np.minimum(FLOOR_H, usual_h)
    latest = np.where(work, np.maximum(WORK_H[0] - READY_H, usual_rise_h), 11.0)
    low = np.minimum(before_bed_h - MOST_SHIFT_H, usual_bed_h)
    high = np.maximum(before_bed_h + MOST_SHIFT_H, usual_bed_h)
    bed = keep(bed_h, np.maximum(low, EARLIEST_BED_H), np.minimum(high, LATEST_BED_H), Bound.BEDTIME_MOVED)
    bed = keep(bed, EARLIEST_BED_H, latest + 24.0 - floor, Bound.TOO_SHORT)
    rise = keep(rise_h, EARLIEST_RISE_H, latest, Bound.REQUIRED)
    rise = keep(rise, EARLIEST_RISE_H, bed + np.maximum(MOST_H, usual_h) - 24.0, Bound.TOO_LONG)
    rise = keep(rise, np.minimum(bed + floor - 24.0, latest), latest, Bound.TOO_SHORT)
    return bed, rise, reason


def hold_move(
    at_h: Array,
    minutes: Array,
    reserve: Array,
    week_min: Array,
    hard_before: Flags,
    rise_h: Array,
    bed_h: Array,
    work: Flags,
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Begin [h of the clock], minutes (0: none) and reserve of today's exercise that may be advised, and the last bound
    that changed them. Arrays (n,). week_min: exercise of the last six days; hard_before: yesterday's was hard; rise_h,
    bed_h: of today. What is not a number is none. Idempotent."""
    known = np.isfinite(at_h) & np.isfinite(minutes) & np.isfinite(reserve)
    wanted = np.where(known, np.clip(minutes, 0.0, MOST_MOVE_MIN), 0.0)
    allowed = np.minimum(wanted, np.maximum(WEEK_MOST_MIN - week_min, 0.0))
    hard = np.clip(np.where(known, reserve, LEAST_RESERVE), LEAST_RESERVE, MOST_RESERVE)
    easy = np.where(hard_before, np.minimum(hard, HARD_FROM - 0.01), hard)
    hours, first = (allowed + WAIT_MIN) / 60, rise_h + AFTER_RISE_H
    last = np.maximum(bed_h - BEFORE_BED_H - hours, first)
    begin = np.clip(np.where(known, at_h, first), first, last)
    at_work = work & (begin + hours > WORK_H[0] - WAY_H) & (begin < WORK_H[1] + WAY_H)
    begin = np.where(at_work, np.minimum(WORK_H[1] + WAY_H, last), begin)
    # Who goes to bed so early that no time is left after work has none.
    none = (allowed < LEAST_MOVE_MIN) | (work & at_work & (begin < WORK_H[1] + WAY_H - SPARE))
    reason = np.full(len(begin), int(Bound.NONE), np.int64)
    asks = wanted >= LEAST_MOVE_MIN
    reason[asks & (np.abs(begin - at_h) > SPARE)] = int(Bound.MOVED_IN_TIME)
    reason[asks & (easy < hard)] = int(Bound.HARD_AGAIN)
    reason[asks & (allowed < wanted)] = int(Bound.WEEK_FULL)
    return begin, np.where(none, 0.0, allowed), easy, reason
