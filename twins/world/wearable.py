"""A watch, with its errors: what it makes of a day's sleep, movement, pulse and light, every five minutes.

Sleep: of five minutes awake in bed half count as sleep, of those asleep one in twenty as awake: the specificity of
0.3 to 0.6 and sensitivity of 0.93 to 0.98 that wrist-worn watches have against the sleep laboratory (Chinoy et al.,
Sleep 44 (2021) zsaa291). Steps: those of ordinary life, by walks that come and go, and those of exercise; their sizes
are set by the watches of T1D-UOM's people (`experiments.wearable`). Pulse: rest, lower asleep, higher on foot, the
reserve that exercise uses, and an error. Light: at the wrist, under a sleeve at times. What is not cited is assumed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.random import Stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SENSED_ASLEEP, SENSED_AWAKE_IN_BED = 0.95, 0.5
WALKS_SHARE, STEPS_IN_WALK, STEPS_LOG_SD = 0.6, 75.0, 1.3
"""Of five minutes awake that hold steps, their mean number, and how it scatters."""
STEPS_AT_FULL_RESERVE = 800.0
REST_BPM, RESERVE_BPM, ASLEEP_BPM, ON_FOOT_BPM, PULSE_SD_BPM = 70.0, 110.0, -8.0, 16.0, 5.0
SLEEVE_SHARE, SLEEVE_PASSES, LIGHT_LOG10_SD = 0.2, 0.1, 0.15
_CHANCES, _ERRORS = 3, 3
"""Draws of each five minutes."""
_FIRST_ERROR = 1 << 30
"""Beyond the chances of any life."""


@dataclass(frozen=True)
class Worn:
    """What a watch shows of n people, arrays (n, T): asleep; steps of each five minutes; heart_rate_bpm; lux."""

    asleep: Flags
    steps: Array
    heart_rate_bpm: Array
    lux: Array


def measure(
    keys: NDArray[np.uint32],
    first: int | NDArray[np.int64],
    asleep: Flags,
    in_bed: Flags,
    heart_rate_reserve: Array,
    lux: Array,
) -> Worn:
    """A watch on n people during T steps of five minutes, all arrays (n, T).

    keys (n, 6): of the people; what is drawn hangs on them and on `first`, the number of steps before, one or (n,),
    alone.
    Raises ValueError for arrays of other shapes.
    """
    shapes = {np.shape(one) for one in (asleep, in_bed, heart_rate_reserve, lux)}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2 or len(keys) != len(asleep) or np.any(np.asarray(first) < 0):
        raise ValueError(
            f"shapes {shapes} for {len(keys)} keys from step {first}; needed is one shape (n, steps), from 0 on"
        )
    n, steps = asleep.shape
    stream = random.stream(keys, Stream.WEARABLE)
    u = random.uniform(stream, _CHANCES * steps, first=_CHANCES * first).reshape(n, steps, _CHANCES)
    z = random.normal(stream, _ERRORS * steps, first=_FIRST_ERROR + _ERRORS * first).reshape(
        n, steps, _ERRORS
    )
    in_sleep = np.where(asleep, SENSED_ASLEEP, np.where(in_bed, SENSED_AWAKE_IN_BED, 0.0))
    up = ~asleep & ~in_bed
    walks = up & (u[:, :, 1] < WALKS_SHARE)
    walked = STEPS_IN_WALK * np.exp(STEPS_LOG_SD * z[:, :, 0] - 0.5 * STEPS_LOG_SD**2)
    exercised = STEPS_AT_FULL_RESERVE * heart_rate_reserve
    pulse = REST_BPM + RESERVE_BPM * heart_rate_reserve + np.where(asleep, ASLEEP_BPM, 0.0)
    pulse = pulse + np.where(walks, ON_FOOT_BPM, 0.0) + PULSE_SD_BPM * z[:, :, 1]
    sleeve = np.where(u[:, :, 2] < SLEEVE_SHARE, SLEEVE_PASSES, 1.0)
    noise = 10.0 ** (LIGHT_LOG10_SD * z[:, :, 2])
    return Worn(
        u[:, :, 0] < in_sleep, np.round(np.where(walks, walked, 0.0) + exercised), pulse, lux * sleeve * noise
    )
