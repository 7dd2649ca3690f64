"""Stress: minutes of alarm, and the cortisol that follows it and lasts for most of a day.

Alarm follows what strains a person within half an hour. It drives cortisol, which is produced by the hour of the body
and cleared within two; what tissues make of it comes hours later and stays (Plat et al., Am J Physiol 270 (1996) E36),
hence two filters. Cortisol counts as its ratio to what it would be without stress at that phase, so who is not stressed
is at 1 whatever the hour.

How it acts: a day at 37 instead of 14 ug/dL moved the insulin that half of the effect needs from 64 to 104 uU/mL for
uptake and from 31 to 81 for the liver (Rizza, Mandarino & Gerich, J Clin Endocrinol Metab 54 (1982) 131): powers of the
ratio of about -1/2 and -1. Alarm alone lets insulin act less for as long as it lasts. After a meal a public test
let glucose fall 45 minutes later, fasting it did nothing (Wiesli et al., Diabetes Care 28 (2005) 1910): no size does
both here, and the one that is set gives 22 minutes and a rise of 6 mg/dL.
"""

import numpy as np
from numpy.typing import NDArray

from twins.bodies.circadian import STEP_MIN

Array = NDArray[np.float64]

STATES = ("alarm", "extra_cortisol", "early_cortisol", "felt_cortisol")
ALARM, EXTRA, EARLY, FELT = range(len(STATES))
"""extra_cortisol: above that of an unstressed person, in units of its mean over a day; early, felt: ratios less one."""

ALARM_MIN, CLEARED_MIN = 20.0, 95.0
"""Cortisol's half-life is 66 minutes."""
EARLY_MIN, FELT_MIN = 180.0, 600.0
"""Its effect begins after four to six hours and lasts for more than 16."""
PER_ALARM = 16.0
"""Production rises by so much at full alarm: a public test of a quarter of an hour (TSST) in the afternoon then doubles
cortisol within half an hour. In saliva, which shows the unbound part, it rose threefold (Faulenbach et al., J Psychosom
Res 72 (2012) 134: 8.5 to 26.4 nmol/L); that the whole rises less is assumed."""
SWING, PEAK_H = 0.75, 3.5
"""Of production over the day, and hours from the temperature's minimum to its peak: about half an hour after waking."""
UPTAKE_POWER, LIVER_POWER = -0.5, -1.0
ALARM_UPTAKE = 0.45
"""At full alarm insulin's action on uptake is lower by this share."""
_LAG_RAD = float(np.arctan(2 * np.pi / 24 * CLEARED_MIN / 60))


def calm(n: int) -> Array:
    """States (n, 4) of people without stress."""
    return np.zeros((n, len(STATES)))


def usual(phase_h: Array) -> Array:
    """Cortisol without stress over its mean of a day (n,)."""
    angle = 2 * np.pi * (phase_h - PEAK_H) / 24
    level: Array = 1.0 + SWING * np.cos(_LAG_RAD) * np.cos(angle - _LAG_RAD)
    return level


def step(state: Array, phase_h: Array, strain: Array) -> None:
    """Five minutes, in place. strain (n,): 0 at rest, 1 as in a public test; phase_h: since the temperature's
    minimum."""
    state[:, ALARM] += (strain - state[:, ALARM]) * (1.0 - np.exp(-STEP_MIN / ALARM_MIN))
    made = 1.0 + SWING * np.cos(2 * np.pi * (phase_h - PEAK_H) / 24)
    kept = np.exp(-STEP_MIN / CLEARED_MIN)
    state[:, EXTRA] = state[:, EXTRA] * kept + PER_ALARM * state[:, ALARM] * made * (1.0 - kept)
    ratio = state[:, EXTRA] / usual(phase_h)
    state[:, EARLY] += (ratio - state[:, EARLY]) * (1.0 - np.exp(-STEP_MIN / EARLY_MIN))
    state[:, FELT] += (state[:, EARLY] - state[:, FELT]) * (1.0 - np.exp(-STEP_MIN / FELT_MIN))


def sensitivity(state: Array) -> tuple[Array, Array]:
    """Factors (n,) on insulin's action on uptake and on the liver."""
    felt = 1.0 + state[:, FELT]
    return felt**UPTAKE_POWER * (1.0 - ALARM_UPTAKE * state[:, ALARM]), felt**LIVER_POWER
