"""Bounds of a day's sleep as data, and the pure function that holds a plan to them.

They are about change that a policy causes, relative to the hours that are imposed. In ordinary life (school): no less
than 5.5 h in bed (the floor of sleep restriction therapy); bedtime no more than an hour from that of the day before,
where the usual one did not move more (Eastman et al., Sleep 28 (2005) 33: to advance by two hours a day shifts no
more). On a rota of nights and after travel: no less than 6 h in bed, and to bed within 16 h of rising, where the usual
hours keep to that. For all: no more than 10 h in bed for the night; no rising before 4:00; up in time for required
hours, and not in bed before a night's work is over. Nobody is in bed in required hours, nor wears dark glasses in them.
"""

from dataclasses import replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from envs.nights.night import Array, Night
from twins.world.duties import NIGHT, REQUIRED_H, SCHOOL, USUAL_H

FLOOR_H, SHIFT_FLOOR_H, MOST_H = 5.5, 6.0, 10.0
MOST_SHIFT_H = 1.0
EARLIEST_RISE_H = 10.0
"""4:00."""
READY_H = 0.75
"""Up so long before required hours begin, and not in bed so long after their end: the way."""
MOST_AWAKE_H = 16.0
_SPARE = 1e-9


class Bound(IntEnum):
    """Why a plan was changed; NONE when it was not. Of several the last one counts."""

    NONE = 0
    BEDTIME_MOVED = 1
    ROSE_EARLY = 2
    TOO_SHORT = 3
    AWAKE_LONG = 4
    TOO_LONG = 5
    REQUIRED = 6


BOUNDS = tuple(bound.name.lower() for bound in Bound)


def hold(
    asked: Night, kind: NDArray[np.int64], duty: NDArray[np.int64], before_bed: Array, before_rise: Array
) -> tuple[Night, NDArray[np.int64]]:
    """The plan that is allowed, and for each person the last bound that changed it (n,).

    kind (n,): of weeks; duty (n,): of the day; before_*: bedtime and rising of the day before, as allowed. Idempotent.
    Who keeps the usual hours is never changed.
    """
    usual_bed, usual_rise = USUAL_H[duty].T
    bed, rise = asked.bed.copy(), asked.rise.copy()
    reason = np.full(len(bed), int(Bound.NONE), np.int64)

    def keep(value: Array, low: Array, high: Array, why: Bound) -> Array:
        held: Array = np.clip(value, low, np.maximum(low, high))
        reason[np.abs(held - value) > _SPARE] = int(why)
        return held

    ordinary = kind == SCHOOL
    most = np.where(ordinary, np.maximum(MOST_SHIFT_H, np.abs(usual_bed - before_bed)), 24.0)
    bed = keep(bed, before_bed - most, before_bed + most, Bound.BEDTIME_MOVED)
    floor = np.where(ordinary, FLOOR_H, SHIFT_FLOOR_H)
    earliest, latest = _earliest_bed(duty), _latest_rise(duty)
    late = np.where(ordinary, 24.0, np.maximum(before_rise - 24.0 + MOST_AWAKE_H, usual_bed))
    bed = keep(bed, earliest, late, Bound.AWAKE_LONG)
    bed = keep(bed, earliest, latest - floor, Bound.TOO_SHORT)
    rise = keep(rise, np.minimum(EARLIEST_RISE_H, usual_rise), np.full_like(rise, 24.0), Bound.ROSE_EARLY)
    rise = keep(rise, np.full_like(rise, 0.0), bed + MOST_H, Bound.TOO_LONG)
    rise = keep(rise, bed + floor, latest, Bound.TOO_SHORT)
    nap_for = asked.nap_for.copy()
    begin, end = REQUIRED_H[duty].T
    into = (asked.nap_at < end + READY_H) & (asked.nap_at + nap_for > begin - READY_H) & (nap_for > 0)
    reason[into], nap_for[into] = int(Bound.REQUIRED), 0.0
    return replace(asked, bed=bed, rise=rise, nap_for=nap_for), reason


def _latest_rise(duty: NDArray[np.int64]) -> Array:
    """By when to be up (n,), so as to be at work in time; after a night's work by the evening."""
    begin = REQUIRED_H[duty][:, 0]
    free = np.isnan(begin) | (duty == NIGHT)
    latest: Array = np.where(free, 24.0, begin - READY_H)
    return latest


def _earliest_bed(duty: NDArray[np.int64]) -> Array:
    """From when one may be in bed (n,): after a night's work, else from the day's begin on."""
    earliest: Array = np.where(duty == NIGHT, REQUIRED_H[duty][:, 1] + READY_H, 0.0)
    return earliest
