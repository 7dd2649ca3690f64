"""The clock of a body: an oscillator that light sets, in three published forms, so that a policy meets others too.

- forger: Forger, Jewett & Kronauer, J Biol Rhythms 14 (1999) 533: a van der Pol oscillator behind a photoreceptor.
- skeldon: the same form with the constants of the model of Skeldon et al. (2023), whose light is that of open eyes.
- hannay: Hannay, Booth & Forger, J Biol Rhythms 34 (2019) 658: amplitude and phase of many coupled oscillators.

Each has three states; the last is the share of the photoreceptor that is used up. Two numbers tell people apart: the
period that the clock has in darkness, and how much it heeds light. Equations and constants are as the package
`circadian` (Arcascope, MIT) has them, which the tests compare with; of skeldon, which its release lacks, as in
`models.md`. A clock has no idea of sleep: who sleeps has closed eyes, which is the caller's light.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.kernels import inlined, kernel
from twins.random import Stream
from twins.units import MINUTES_PER_DAY

Array = NDArray[np.float64]

FORGER, SKELDON, HANNAY = "forger", "skeldon", "hannay"
CLOCKS = (FORGER, SKELDON, HANNAY)

PARAMETERS = ("period_h", "light_gain")
PERIOD_H, LIGHT_GAIN = range(len(PARAMETERS))
PERIOD_MEAN_H, PERIOD_SD_H = 24.15, 0.2
"""Duffy et al., PNAS 108 Suppl 3 (2011) 15602: 157 people in forced desynchrony."""
LIGHT_GAIN_LOG_SD = 0.4
"""Assumed; people's melatonin differs in what light halves it by far more (Phillips et al., PNAS 116 (2019) 12019)."""

STEP_MIN = 5
"""Of Runge and Kutta's fourth order: the photoreceptor, the fastest state, follows within six minutes at 10,000 lux."""
MOST_LUX = 50_000.0
"""More makes steps of five minutes unstable; in direct sun the eye looks elsewhere."""
DLMO_BEFORE_MINIMUM_H = 7.0
"""Melatonin rises in dim light (DLMO) so long before the minimum of core body temperature, from which phase counts."""

# alpha0, beta, p, I0 [lux], G, k, mu; beta of hannay is its delta
_CONSTANTS = {
    FORGER: np.array([0.05, 0.0075, 0.5, 9500.0, 33.75, 0.55, 0.23]),
    SKELDON: np.array([0.16, 0.013, 0.6, 9500.0, 19.9, 0.55, 0.23]),
    HANNAY: np.array([0.05, 0.0075, 1.5, 9325.0, 33.75, 0.0, 0.0]),
}
_ALPHA, _BETA, _POWER, _HALF_LUX, _GAIN, _STIFF, _MU = range(7)
_PERIOD_RATIO = 0.99669
"""A van der Pol oscillator of this stiffness is so much faster than its linear part."""
_K, _GAMMA, _BETA1, _A1, _A2, _BETA_L1, _BETA_L2, _SIGMA = (
    0.06358, 0.024, -0.09318, 0.3855, 0.1977, -0.0026, -0.957756, 0.0400692,
)  # fmt: skip
_FREE_R4 = 1.0 - 2.0 * _GAMMA / (_K * np.cos(_BETA1))
"""Fourth power of hannay's amplitude in darkness."""
_SLOWED_PER_H = float(0.5 * _K * np.sin(_BETA1) * (1.0 + _FREE_R4))
"""What its coupling adds to the rate of its phase there [1/h], so that `period_h` is the period that one sees."""


@dataclass(frozen=True)
class Clock:
    """One of `CLOCKS`; arrays have one row per person. Raises ValueError for another name."""

    name: str = FORGER

    def __post_init__(self) -> None:
        if self.name not in CLOCKS:
            raise ValueError(f"clock is {self.name!r}; allowed are {', '.join(CLOCKS)}")

    @property
    def state_names(self) -> tuple[str, str, str]:
        """Of a state's columns."""
        return ("amplitude", "phase_rad", "receptor") if self.name == HANNAY else ("x", "xc", "receptor")

    @property
    def ring(self) -> bool:
        """For `turn` and `phases`: whether the states are an amplitude and a phase."""
        return self.name == HANNAY

    @property
    def constants(self) -> Array:
        """For `turn`."""
        return _CONSTANTS[self.name]

    def advance(self, state: Array, parameters: Array, lux: Array) -> None:
        """Live through `lux` (n, M), light at the eye in steps of `STEP_MIN`; state (n, 3) changes in place.

        parameters: (n, 2) of `PARAMETERS`. Raises ValueError for light that is not a number from 0 to `MOST_LUX`.
        """
        check_light(lux, len(state))
        turn(self.ring, self.constants, state, parameters, lux, STEP_MIN / 60)

    def entrained(self, parameters: Array, lux: Array, days: int = 60) -> Array:
        """States (n, 3) after so many days of the same light: lux (n, steps of one day), from its first step on."""
        state = np.empty((len(parameters), 3))
        state[:] = (0.8, 1.7, 0.5) if self.name == HANNAY else (-0.1, -1.1, 0.5)
        for _ in range(days):
            self.advance(state, parameters, lux)
        return state

    def angle_rad(self, state: Array) -> Array:
        """Phase (n,) from -pi on, where core body temperature is lowest, to pi."""
        angle = state[:, 1] if self.ring else np.arctan2(-state[:, 1], state[:, 0])
        wrapped: Array = (angle + np.pi) % (2 * np.pi) - np.pi
        return wrapped

    def phase_h(self, state: Array) -> Array:
        """Hours (n,) since the minimum of core body temperature, a cycle being 24: 0 to 24."""
        hours: Array = phases(self.ring, state)
        return hours

    def amplitude(self, state: Array) -> Array:
        """About 1 for who lives by the sun (hannay: 0.8)."""
        size: Array = state[:, 0] if self.name == HANNAY else np.hypot(state[:, 0], state[:, 1])
        return size


def check_light(lux: Array, people: int) -> None:
    """Raise ValueError unless it is (people, steps) of numbers from 0 to `MOST_LUX`."""
    if (
        lux.ndim != 2
        or len(lux) != people
        or not (lux.min(initial=0) >= 0 and lux.max(initial=0) <= MOST_LUX)
    ):
        raise ValueError(
            f"light has shape {lux.shape} for {people} persons; needed is (n, steps), in lux, 0 to {MOST_LUX:g}"
        )


def draw(keys: NDArray[np.uint32], spread: float = 1.0) -> Array:
    """Parameters (n, 2) of persons; each hangs on its key (n, 6) alone. spread multiplies the standard deviations."""
    z = random.normal(random.stream(keys, Stream.CLOCK), len(PARAMETERS))
    period = PERIOD_MEAN_H + spread * PERIOD_SD_H * z[:, PERIOD_H]
    return np.stack([period, np.exp(spread * LIGHT_GAIN_LOG_SD * z[:, LIGHT_GAIN])], axis=1)


def regular_day(lux: float, wake_h: float, bed_h: float) -> Array:
    """Light (1, steps of a day) of one who is up from `wake_h` to `bed_h` (hours of the clock) and sees no other."""
    hour = np.arange(0, MINUTES_PER_DAY, STEP_MIN) / 60
    up = (hour - wake_h) % 24 < (bed_h - wake_h) % 24
    return np.where(up, lux, 0.0)[None]


@inlined
def _activation(ring, c, lux):  # type: ignore[no-untyped-def]
    """Rate [1/min] at which light uses the photoreceptor up."""
    if ring:
        bright = lux ** c[_POWER]
        alpha = c[_ALPHA] * bright / (bright + c[_HALF_LUX])
    else:
        alpha = c[_ALPHA] * (lux / c[_HALF_LUX]) ** c[_POWER]
    return alpha


@inlined
def _rates(ring, c, a, b, used, alpha, parameters):  # type: ignore[no-untyped-def]
    """Rates [1/h] of the three states. ring: hannay, whose a is an amplitude and b a phase."""
    if ring:
        push = parameters[LIGHT_GAIN] * c[_GAIN] * (1.0 - used) * alpha
        a4 = a * a * a * a
        one, two = b + _BETA_L1, 2.0 * b + _BETA_L2
        da = (
            -_GAMMA * a + 0.5 * _K * np.cos(_BETA1) * a * (1.0 - a4)
            + 0.5 * push * (_A1 * (1.0 - a4) * np.cos(one) + _A2 * a * (1.0 - a4 * a4) * np.cos(two))
        )  # fmt: skip
        own = 2.0 * np.pi / parameters[PERIOD_H] - _SLOWED_PER_H
        turned = _A1 * (a * a * a + 1.0 / a) * np.sin(one) + _A2 * (1.0 + a4 * a4) * np.sin(two)
        db = own + 0.5 * _K * np.sin(_BETA1) * (1.0 + a4) + push * (_SIGMA - 0.5 * turned)
    else:
        push = parameters[LIGHT_GAIN] * c[_GAIN] * (1.0 - used) * alpha * (1.0 - 0.4 * a) * (1.0 - 0.4 * b)
        stiff = 24.0 / (_PERIOD_RATIO * parameters[PERIOD_H])
        da = np.pi / 12.0 * (b + push)
        db = np.pi / 12.0 * (c[_MU] * (b - 4.0 / 3.0 * b * b * b) - a * (stiff * stiff + c[_STIFF] * push))
    return da, db, 60.0 * (alpha * (1.0 - used) - c[_BETA] * used)


@kernel
def turn(ring, c, state, parameters, lux, hours):  # type: ignore[no-untyped-def]
    """See `Clock.advance`. Runge and Kutta's fourth order, `hours` a step; light is held over a step."""
    for lane in range(len(state)):
        a, b, n = state[lane]
        p = parameters[lane]
        for step in range(lux.shape[1]):
            seen = _activation(ring, c, lux[lane, step])
            a1, b1, n1 = _rates(ring, c, a, b, n, seen, p)
            half = 0.5 * hours
            a2, b2, n2 = _rates(ring, c, a + half * a1, b + half * b1, n + half * n1, seen, p)
            a3, b3, n3 = _rates(ring, c, a + half * a2, b + half * b2, n + half * n2, seen, p)
            a4, b4, n4 = _rates(ring, c, a + hours * a3, b + hours * b3, n + hours * n3, seen, p)
            a += hours / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
            b += hours / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
            n += hours / 6.0 * (n1 + 2.0 * n2 + 2.0 * n3 + n4)
        state[lane, 0], state[lane, 1], state[lane, 2] = a, b, n


@kernel
def phases(ring, state):  # type: ignore[no-untyped-def]
    """See `Clock.phase_h`."""
    hours = np.empty(len(state))
    for lane in range(len(state)):
        angle = state[lane, 1] if ring else np.arctan2(-state[lane, 1], state[lane, 0])
        hours[lane] = ((angle + np.pi) % (2.0 * np.pi)) * 24.0 / (2.0 * np.pi) % 24.0
    return hours
