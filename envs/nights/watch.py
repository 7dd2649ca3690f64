"""What a watch shows of a day of sleep, and how sleepy a person says to be: all with errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.nights.view import ASKED_AT, LIGHT_BINS, NightsView
from twins.bodies.circadian import STEP_MIN
from twins.world.duties import STEPS, hours

SLEEP_ERROR_H, ONSET_ERROR_H, HEART_ERROR_H, LIGHT_ERROR_LOG10, KSS_ERROR = 0.4, 0.25, 1.5, 0.15, 1.0
"""Standard deviations (assumed)."""
SLEEP_BIAS_H = 0.3
"""A watch takes lying still for sleep (assumed)."""
NOISES = 4 + LIGHT_BINS + ASKED_AT


@dataclass(frozen=True)
class Lived:
    """A day in steps of five minutes, (n, `STEPS`): asleep, in_bed, required, room_lux without glasses, lux at the eye,
    phase_h, sleepiness."""

    asleep: NDArray[np.bool_]
    in_bed: NDArray[np.bool_]
    required: NDArray[np.bool_]
    room_lux: NDArray[np.float64]
    lux: NDArray[np.float64]
    phase_h: NDArray[np.float64]
    sleepiness: NDArray[np.float64]


def see(
    view: NightsView,
    lanes: NDArray[np.int64],
    lived: Lived,
    bed: NDArray[np.float64],
    rise: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """What a watch shows of a day of these lanes, and how sleepy they say they were, into the view.

    bed, rise (m,): of the night that was planned; noise (m, `NOISES`): standard normals.
    """
    now = hours()
    main = lived.asleep & (now >= bed[:, None]) & (now < rise[:, None])
    some = main.any(axis=1)
    fell = np.where(some, now[main.argmax(axis=1)], bed)
    woke = np.where(some, now[STEPS - 1 - main[:, ::-1].argmax(axis=1)] + STEP_MIN / 60, rise)
    lowest = np.clip(minimum_h(lived.phase_h), fell, woke)
    slept = lived.asleep.sum(axis=1) * STEP_MIN / 60 + SLEEP_BIAS_H
    for table, value, error, column in (
        (view.slept_h, slept, SLEEP_ERROR_H, 0), (view.fell_asleep_h, fell, ONSET_ERROR_H, 1),
        (view.woke_h, woke, ONSET_ERROR_H, 2), (view.lowest_heart_h, lowest, HEART_ERROR_H, 3),
    ):  # fmt: skip
        table[lanes, :-1] = table[lanes, 1:].copy()
        table[lanes, -1] = value + error * noise[:, column]
    bins = np.log10(lived.room_lux + 1.0).reshape(len(lanes), LIGHT_BINS, -1).mean(axis=2)
    view.light[lanes] = bins + LIGHT_ERROR_LOG10 * noise[:, 4 : 4 + LIGHT_BINS]
    awake = ~lived.asleep & ~lived.in_bed
    third = np.minimum(ASKED_AT * np.cumsum(awake, axis=1) // np.maximum(awake.sum(axis=1), 1)[:, None], 2)
    for part in range(ASKED_AT):
        there = awake & (third == part)
        mean = np.where(there, lived.sleepiness, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        said = mean + KSS_ERROR * noise[:, 4 + LIGHT_BINS + part]
        view.sleepiness[lanes, part] = np.clip(said, 1.0, 9.0)


def minimum_h(phase_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """When core body temperature is lowest (n,), hours since the begin of a day of steps (n, `STEPS`): where phase
    comes round, else by the phase at its begin."""
    round_ = np.diff(phase_h, axis=1) < -12.0
    at: NDArray[np.float64] = np.where(
        round_.any(axis=1), (round_.argmax(axis=1) + 1) * STEP_MIN / 60, (24.0 - phase_h[:, 0]) % 24.0
    )
    return at
