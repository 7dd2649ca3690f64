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
from twins.kernels import inlined, kernel

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
_LAG_COS = float(np.cos(_LAG_RAD))
_KEPT_ALARM, _KEPT, _KEPT_EARLY, _KEPT_FELT = (
    float(np.exp(-STEP_MIN / tau)) for tau in (ALARM_MIN, CLEARED_MIN, EARLY_MIN, FELT_MIN)
)
"""Of these five minutes leave so much."""


def calm(n: int) -> Array:
    """States (n, 4) of people without stress."""
    return np.zeros((n, len(STATES)))


@kernel
def usual(phase_h):  # type: ignore[no-untyped-def]
    """Cortisol without stress over its mean of a day (n,), by hours since the temperature's minimum (n,)."""
    level = np.empty(len(phase_h))
    for lane in range(len(level)):
        level[lane] = _usual(2.0 * np.pi * (phase_h[lane] - PEAK_H) / 24.0)
    return level


@inlined
def _usual(angle):  # type: ignore[no-untyped-def]
    return 1.0 + SWING * _LAG_COS * np.cos(angle - _LAG_RAD)


@kernel
def step(state, phase_h, strain):  # type: ignore[no-untyped-def]
    """Five minutes, in place. state (n, 4); strain (n,): 0 at rest, 1 as in a public test; phase_h (n,): since the
    temperature's minimum."""
    for lane in range(len(state)):
        alarm, extra, early, felt = state[lane]
        angle = 2.0 * np.pi * (phase_h[lane] - PEAK_H) / 24.0
        alarm = strain[lane] + (alarm - strain[lane]) * _KEPT_ALARM
        made = 1.0 + SWING * np.cos(angle)
        extra = extra * _KEPT + PER_ALARM * alarm * made * (1.0 - _KEPT)
        ratio = extra / _usual(angle)
        early = ratio + (early - ratio) * _KEPT_EARLY
        felt = early + (felt - early) * _KEPT_FELT
        state[lane, ALARM], state[lane, EXTRA], state[lane, EARLY], state[lane, FELT] = (
            alarm,
            extra,
            early,
            felt,
        )


@kernel
def on_uptake(alarm, felt, size):  # type: ignore[no-untyped-def]
    """Factor on insulin's action on uptake. size: of the person's answer, 1 as above. Numbers or arrays alike."""
    return np.exp(UPTAKE_POWER * size * np.log1p(felt)) * np.maximum(1.0 - ALARM_UPTAKE * size * alarm, 0.0)


@kernel
def on_liver(felt, size):  # type: ignore[no-untyped-def]
    """Factor on its action on the liver."""
    return np.exp(LIVER_POWER * size * np.log1p(felt))


def sensitivity(state: Array) -> tuple[Array, Array]:
    """Both factors (n,) of states (n, 4), of people who answer as above."""
    return on_uptake(state[:, ALARM], state[:, FELT], 1.0), on_liver(state[:, FELT], 1.0)
