"""Bounds of a day's sleep as data, and the pure function that holds a plan to them.

They are about change that a policy causes, relative to the hours that are imposed. In ordinary life (school): no less
in bed than a school night's usual 7 h, for who is young is not restricted; bedtime no more than an hour from that of
the day before, but for going back to the usual one (Eastman et al., Sleep 28 (2005) 33: to advance by two hours a day
shifts no more). On a rota of nights and after travel: no less than 6 h in bed, and to bed within 16 h of rising, or
later by as much as the usual hours are. For all: no more than 10 h in bed for the night, 8 h up between two nights, and
two hours between a nap and a night; no rising before 4:00, nor, in ordinary life, so late that lessons on the next
morning would leave no room for the other bounds; up in time for required hours, and not in bed before a
night's work is over, which goes before all else. Nobody is in bed in required hours, nor wears dark glasses in them.
"""

from dataclasses import replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from envs.hold import Hold
from envs.nights.night import Array, Night
from twins.world.duties import LESSONS, NIGHT, REQUIRED_H, SCHOOL, USUAL_H

FLOOR_H, SHIFT_FLOOR_H, MOST_H = 7.0, 6.0, 10.0
MOST_SHIFT_H = 1.0
EARLIEST_RISE_H = 10.0
"""4:00."""
READY_H = 0.75
"""Up so long before required hours begin, and not in bed so long after their end: the way."""
MOST_AWAKE_H, LEAST_AWAKE_H, NAP_APART_H = 16.0, 8.0, 2.0
SCHOOL_RISE_H = float(REQUIRED_H[LESSONS, 0]) - READY_H - FLOOR_H - LEAST_AWAKE_H + 24.0
"""Who rises later cannot be up 8 h, sleep 7 h and be in time for lessons on the next morning."""


class Bound(IntEnum):
    """Why a plan was changed; NONE when it was not. Of several the last one counts."""

    NONE = 0
    BEDTIME_MOVED = 1
    ROSE_EARLY = 2
    TOO_SHORT = 3
    AWAKE_LONG = 4
    TOO_LONG = 5
    REQUIRED = 6
    NAP_NEAR_NIGHT = 7


BOUNDS = tuple(bound.name.lower() for bound in Bound)


def hold(
    asked: Night,
    kind: NDArray[np.int64],
    duty: NDArray[np.int64],
    before_bed: Array,
    before_rise: Array,
    before_duty: NDArray[np.int64],
) -> tuple[Night, NDArray[np.int64]]:
    """The plan that is allowed, and for each person the last bound that changed it (n,).

    kind (n,): of weeks; duty (n,): of the day; before_*: bedtime and rising of the day before, as allowed, and its
    duty. Idempotent. Who keeps the usual hours is never changed.
    """
    (usual_bed, usual_rise), before_usual = USUAL_H[duty].T, USUAL_H[before_duty][:, 1]
    bed, rise = asked.bed.copy(), asked.rise.copy()
    within = Hold(len(bed))
    keep, reason = within.keep, within.reason

    ordinary = kind == SCHOOL
    wide = np.where(ordinary, 0.0, 24.0)
    low, high = (
        np.minimum(before_bed - MOST_SHIFT_H, usual_bed),
        np.maximum(before_bed + MOST_SHIFT_H, usual_bed),
    )
    bed = keep(bed, low - wide, high + wide, Bound.BEDTIME_MOVED)
    floor = np.where(ordinary, FLOOR_H, SHIFT_FLOOR_H)
    earliest = np.maximum(_earliest_bed(duty), before_rise - 24.0 + LEAST_AWAKE_H)
    latest = np.minimum(_latest_rise(duty), np.where(ordinary, SCHOOL_RISE_H, 24.0))
    usually_longer = np.maximum(usual_bed + 24.0 - before_usual - MOST_AWAKE_H, 0.0)
    late = np.where(ordinary, 24.0, before_rise - 24.0 + MOST_AWAKE_H + usually_longer)
    bed = keep(bed, earliest, late, Bound.AWAKE_LONG)
    bed = keep(bed, earliest, latest - floor, Bound.TOO_SHORT)
    rise = keep(rise, np.minimum(EARLIEST_RISE_H, usual_rise), 24.0, Bound.ROSE_EARLY)
    rise = keep(rise, 0.0, bed + MOST_H, Bound.TOO_LONG)
    rise = keep(rise, bed + floor, latest, Bound.TOO_SHORT)
    nap_for = asked.nap_for.copy()
    begin, end = REQUIRED_H[duty].T
    into = (asked.nap_at < end + READY_H) & (asked.nap_at + nap_for > begin - READY_H) & (nap_for > 0)
    reason[into], nap_for[into] = int(Bound.REQUIRED), 0.0
    near = (nap_for > 0) & (asked.nap_at < rise + NAP_APART_H) & (asked.nap_at + nap_for > bed - NAP_APART_H)
    near |= (nap_for > 0) & (asked.nap_at < before_rise - 24.0 + NAP_APART_H)
    reason[near], nap_for[near] = int(Bound.NAP_NEAR_NIGHT), 0.0
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
