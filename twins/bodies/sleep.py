"""Sleep: a pressure that builds while awake and falls asleep, between bounds that the clock sways; alertness; debt.

- pressure: the two-process model (Borbely, Hum Neurobiol 1 (1982) 195; constants of Daan, Beersma & Borbely, Am J
  Physiol 246 (1984) R161). Who is in bed falls asleep after a while, unless the pressure is too low for the hour, and
  wakes when it is: so nobody sleeps long by day. In the evening, some hours before the usual bedtime, it takes longer.
- alertness: the three-process model (Akerstedt & Folkard; constants as Ingre et al., PLoS ONE 9 (2014) e108679): a
  reserve, the clock, a dip after noon, and inertia after waking. Its C and U are tied to the phase of the clock here,
  not to the hour, so that jet lag is felt; habitually the minimum of temperature is at 4:24.
- debt: hours of sleep that are missing, most of it of the last nights. Its size and pace are this project's.

Who wants to stay awake does, however tired; that is what lapses are for. Steps of five minutes; arrays have one row per
person.
"""

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.circadian import STEP_MIN, Clock
from twins.kernels import kernel
from twins.random import Stream

Array = NDArray[np.float64]

PARAMETERS = ("need_h", "latency_min", "awakenings_per_h", "reserve_loss_per_h")
NEED_H, LATENCY_MIN, AWAKENINGS_PER_H, RESERVE_LOSS_PER_H = range(len(PARAMETERS))
MEDIANS = np.array([8.16, 15.0, 0.28, 0.0353])
LOG_SD = np.array([0.05, 0.5, 0.4, 0.15])
"""need_h: what neither adds nor takes away lapses (24 less 15.84 h; Van Dongen et al., Sleep 26 (2003) 117).
latency_min: in bed until asleep. awakenings_per_h: of sleep, longer than a few minutes; with them a night's efficiency
is near 0.88, as in adults with type-1 diabetes. reserve_loss_per_h: how fast alertness fades. Spreads are assumed."""

STATES = ("pressure", "reserve", "asleep", "awake_h")
PRESSURE, RESERVE, ASLEEP, AWAKE_H = range(len(STATES))
"""asleep: 1 or 0; awake_h: since the last sleep, 0 in it."""

BUILDS_H, FALLS_H = 18.2, 4.2
LOWER, SWAY = 0.17, 0.10
MARGIN = 0.08
"""Above the bound at which one wakes, so much more pressure is needed to fall asleep (assumed)."""
FORBIDDEN_H, FORBIDDEN_SD_H, FORBIDDEN_TIMES = 16.0, 1.2, 4.0
"""Around this hour from the temperature's minimum, half past eight in the evening, sleep hardly comes (Lavie,
Electroencephalogr Clin Neurophysiol 63 (1986) 414; Strogatz et al., Am J Physiol 253 (1987) R172): it takes so many
times as long (assumed)."""
LEAST_RESERVE, MOST_RESERVE, EVEN_RESERVE, REFILLS_PER_H = 2.4, 14.3, 12.2, 0.3814
CLOCK_SIZE, CLOCK_PEAK_H = 2.5, 12.4
HALF_DAY_SIZE, HALF_DAY_PEAK_H = 0.5, 15.4
INERTIA, INERTIA_PER_H = -5.72, 1.51
"""Peaks are hours since the temperature's minimum."""
DEBT_FADES_DAYS = 1.0
LOW_MG_DL, LOW_PER_STEP, HIGH_MG_DL, HIGH_PER_STEP = 70.0, 0.0045, 250.0, 0.01
"""Chance in five minutes of sleep to wake by 20 mg/dL below 70, and by 50 above 250. An hour at 40 mg/dL woke 1 of 16
people with type-1 diabetes, and 10 of 16 without (Schultes et al., PLoS Med 4 (2007) e69); highs are assumed."""
_H = STEP_MIN / 60


def draw(keys: NDArray[np.uint32], spread: float = 1.0) -> Array:
    """Parameters (n, 4) of persons; each hangs on its key (n, 6) alone. spread multiplies the standard deviations."""
    z = random.normal(random.stream(keys, Stream.SLEEP), len(PARAMETERS))
    drawn: Array = MEDIANS * np.exp(spread * LOG_SD * z)
    return drawn


def rested(n: int) -> Array:
    """States (n, 4) of who has just woken after good nights."""
    state = np.zeros((n, len(STATES)))
    state[:, PRESSURE], state[:, RESERVE] = LOWER, 14.0
    return state


@kernel
def step(state, parameters, phase_h, wants_sleep, woken, chance):  # type: ignore[no-untyped-def]
    """Five minutes, in place.

    state (n, 4), parameters (n, 4); phase_h (n,): hours since the temperature's minimum. wants_sleep (n,): in bed, eyes
    closed; else nobody sleeps. woken (n,): by something now, as by a low. chance (n,): a uniform draw.
    """
    for lane in range(len(state)):
        p, phase = parameters[lane], phase_h[lane]
        asleep = state[lane, ASLEEP] > 0
        pressure, reserve = state[lane, PRESSURE], state[lane, RESERVE]
        # The clock sways the bounds: lowest at the minimum of temperature, highest twelve hours later.
        bound = LOWER - SWAY * np.cos(2 * np.pi * phase / 24)
        if asleep:
            pressure *= np.exp(-_H / FALLS_H)
            if reserve < EVEN_RESERVE:
                reserve += _H * REFILLS_PER_H * (MOST_RESERVE - EVEN_RESERVE)
            else:
                reserve = MOST_RESERVE - (MOST_RESERVE - reserve) * np.exp(-_H * REFILLS_PER_H)
            wakes = not wants_sleep[lane] or woken[lane] or pressure < bound
            wakes = wakes or chance[lane] < _H * p[AWAKENINGS_PER_H]
            state[lane, ASLEEP], state[lane, AWAKE_H] = (0.0, _H) if wakes else (1.0, 0.0)
        else:
            pressure = 1.0 - (1.0 - pressure) * np.exp(-_H / BUILDS_H)
            reserve = LEAST_RESERVE + (reserve - LEAST_RESERVE) * np.exp(-_H * p[RESERVE_LOSS_PER_H])
            from_forbidden = (phase - FORBIDDEN_H + 12.0) % 24.0 - 12.0
            longer = 1.0 + (FORBIDDEN_TIMES - 1.0) * np.exp(-0.5 * (from_forbidden / FORBIDDEN_SD_H) ** 2)
            falls = wants_sleep[lane] and not woken[lane] and pressure > bound + MARGIN
            falls = falls and chance[lane] < 1.0 - np.exp(-STEP_MIN / (p[LATENCY_MIN] * longer))
            state[lane, ASLEEP] = 1.0 if falls else 0.0
            state[lane, AWAKE_H] = 0.0 if falls else state[lane, AWAKE_H] + _H
        state[lane, PRESSURE], state[lane, RESERVE] = pressure, reserve


@kernel
def alertness(state, phase_h):  # type: ignore[no-untyped-def]
    """S + C + U + W of the three-process model (n,): 14 is wide awake, 7 hard to stay awake; of sleepers, if woken.

    state (n, 4); phase_h (n,): hours since the temperature's minimum.
    """
    total = np.empty(len(state))
    for lane in range(len(state)):
        clock = CLOCK_SIZE * np.cos(2 * np.pi * (phase_h[lane] - CLOCK_PEAK_H) / 24)
        half_day = HALF_DAY_SIZE * (np.cos(2 * np.pi * (phase_h[lane] - HALF_DAY_PEAK_H) / 12) - 1.0)
        inertia = INERTIA * np.exp(-INERTIA_PER_H * state[lane, AWAKE_H])
        total[lane] = state[lane, RESERVE] + clock + half_day + inertia
    return total


def sleepiness(alert: Array) -> Array:
    """Karolinska's scale (KSS): 1 very alert, 9 fighting sleep; Ingre et al. 2014."""
    said: Array = np.clip(10.6 - 0.6 * alert, 1.0, 9.0)
    return said


def live(
    clock: Clock,
    phases: Array,
    clocks: Array,
    state: Array,
    parameters: Array,
    in_bed: NDArray[np.bool_],
    lux: Array,
    chance: Array,
) -> tuple[NDArray[np.bool_], Array, Array]:
    """Live through (n, M) steps: asleep, the phase each began with [h], alertness. Clock and sleep change in place.

    phases (n, 3), clocks (n, 2): state and parameters of the clock; state, parameters (n, 4): of sleep; in_bed, lux at
    the eye, chance (a uniform draw) (n, M). Nothing wakes anybody but the end of the bed's hours.
    """
    nobody = np.zeros(len(state), bool)
    asleep, phase_h, alert = np.zeros(in_bed.shape, bool), np.zeros(in_bed.shape), np.zeros(in_bed.shape)
    for now in range(in_bed.shape[1]):
        phase_h[:, now] = phase = clock.phase_h(phases)
        step(state, parameters, phase, in_bed[:, now], nobody, chance[:, now])
        asleep[:, now] = state[:, ASLEEP] > 0
        alert[:, now] = alertness(state, phase)
        clock.advance(phases, clocks, lux[:, now : now + 1])
    return asleep, phase_h, alert


def next_debt(debt_h: Array, parameters: Array, slept_h: Array) -> Array:
    """Debt [h] (n,) after a day in which a person slept so long [h]: what is missing adds up, and fades within days."""
    owed: Array = debt_h * np.exp(-1.0 / DEBT_FADES_DAYS) + np.maximum(parameters[:, NEED_H] - slept_h, 0.0)
    return owed


@kernel
def woken_by_glucose(glucose_mg_dl, chance):  # type: ignore[no-untyped-def]
    """Who wakes in these five minutes, of sleepers, by a low, which few do, or by a high. chance: uniform. Numbers or
    arrays alike."""
    low = LOW_PER_STEP * np.maximum(LOW_MG_DL - glucose_mg_dl, 0.0) / 20.0
    high = HIGH_PER_STEP * np.maximum(glucose_mg_dl - HIGH_MG_DL, 0.0) / 50.0
    return chance < low + high
