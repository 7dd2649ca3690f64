"""What sleep, the hour of the body, stress and training do to insulin's action, each with a switch and how sure it is.

All are factors on the two sensitivities of `twins.bodies.model`, of uptake and of the liver. Who sleeps enough, is
calm and untrained, and whose body's hour is noon is at 1, and so is everyone with all switches off.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies import stress
from twins.kernels import kernel
from twins.random import Stream

Array = NDArray[np.float64]

PARAMETERS = ("sleep_share", "dawn_share", "stress_size", "fitness_share")
SLEEP_SHARE, DAWN_SHARE, STRESS_SIZE, FITNESS_SHARE = range(len(PARAMETERS))
SLEEP_MEAN, SLEEP_SD, SLEEP_NONE = 0.25, 0.10, 0.2
"""What is lost of insulin's action on uptake at a debt without end. One night of four hours, which costs adults with
type-1 diabetes 14 % of disposal in a clamp (Donga et al., Diabetes Care 33 (2010) 1573), is a factor of 0.8. Chronic
restriction does no more, and in one study did nothing (Yuan et al. 2021): so the spread is wide, and some people are
drawn with no effect at all (the share is assumed)."""
DAWN_LOG_MEAN, DAWN_LOG_SD, DAWN_PEOPLE = float(np.log(0.18)), 0.5, 0.5
"""The early morning's loss of insulin's action in those half of people who have it (assumed; a closed loop gave ten
adults 1.18 instead of 0.70 U/h then, Schrezenmeir as cited in `models.md`)."""
STRESS_LOG_SD = 0.3
"""Between people, of what stress does; 1 is that of `twins.bodies.stress` (assumed)."""
FITNESS_MEAN, FITNESS_SD, FITNESS_DAYS, FITNESS_WORK_H, MOST_FITNESS = 0.15, 0.05, 25.0, 0.18, 2.0
"""Who for months works so long a day at full reserve (about 150 minutes a week at half of it) gains this share of
insulin's action on uptake, within weeks; more work more, up to twice. That it grows with the dose: Dube et al., Med Sci
Sports Exerc 44 (2012) 793; the sizes are assumed, beside what a session leaves for a day (`twins.bodies.exercise`)."""
HALF_DEBT_H = 1.0
DAWN_BEGINS_H, DAWN_HOURS = -2.0, 6.0
"""From two hours before the temperature's minimum, for six."""

CONFIDENCE = {
    "sleep": "high in direction, from a clamp of seven adults; its size in chronic debt is not known",
    "dawn": "high that half of people have it; its shape is assumed, and that it moves with the clock",
    "stress": "high in direction, medium in size: infusions of cortisol, a public test in people with type-1 diabetes",
    "fitness": "medium: more training, more action of insulin, from trials; size and pace are assumed",
    "exercise": "high: fitted to published trials of people with type-1 diabetes; spreads are assumed",
    "awakening": "high that few wake by a low, from one clamp in sleep; by a high it is assumed",
    "work": "medium that exercise lengthens sleep a little; as a need it is assumed",
}
"""By switch of `Couplings`."""


@dataclass(frozen=True)
class Couplings:
    """Which couplings hold.

    The first four are factors on insulin's action. exercise: muscles at work; awakening: glucose wakes; work: exercise
    adds to the need of sleep (these in `twins.bodies.whole`).
    """

    sleep: bool = True
    dawn: bool = True
    stress: bool = True
    fitness: bool = True
    exercise: bool = True
    awakening: bool = True
    work: bool = True

    def sensitivity(
        self, parameters: Array, debt_h: Array, phase_h: Array, stressed: Array, fit: Array
    ) -> tuple[Array, Array]:
        """Factors (n,) on insulin's action on uptake and on the liver.

        parameters (n, 4); debt_h (n,): of sleep; phase_h (n,): since the temperature's minimum; stressed (n, 4): states
        of `twins.bodies.stress`; fit (n,): `trained`. Sleep leaves the liver alone: in type-1 diabetes its output did
        not change (Donga).
        """
        uptake, liver = np.empty((2, len(parameters)))
        factors(self.which, parameters, debt_h, phase_h, stressed, fit, uptake, liver)
        return uptake, liver

    @property
    def which(self) -> NDArray[np.bool_]:
        """For `factors`."""
        return np.array([self.sleep, self.dawn, self.stress, self.fitness])


SWITCHES = tuple(field.name for field in fields(Couplings))
FACTORS = ("sleep", "dawn", "stress", "fitness")
"""Switches of factors on insulin's action."""


def trained(fit: Array, worked_h: Array) -> Array:
    """Fitness (n,), 0 of who never trains, after a day with so many hours of the reserve in full use (n,)."""
    next_fit: Array = fit + (np.minimum(worked_h / FITNESS_WORK_H, MOST_FITNESS) - fit) / FITNESS_DAYS
    return next_fit


@kernel
def after_sleep(share, debt_h):  # type: ignore[no-untyped-def]
    """Factor on insulin's action on uptake at a debt of sleep [h]. Numbers or arrays alike."""
    return 1.0 - share * debt_h / (HALF_DEBT_H + debt_h)


@kernel
def at_dawn(share, phase_h):  # type: ignore[no-untyped-def]
    """Factor by the body's hour: lowest an hour after the temperature's minimum. Numbers or arrays alike."""
    into = np.minimum((phase_h - DAWN_BEGINS_H) % 24.0 / DAWN_HOURS, 1.0)
    return 1.0 - share * (0.5 - 0.5 * np.cos(2 * np.pi * into))


@kernel
def factors(which, parameters, debt_h, phase_h, stressed, fit, uptake, liver):  # type: ignore[no-untyped-def]
    """See `Couplings.sensitivity`; uptake, liver (n,) are filled. which (4,): of `FACTORS` count."""
    for lane in range(len(parameters)):
        p, up, out = parameters[lane], 1.0, 1.0
        if which[0]:
            up *= after_sleep(p[SLEEP_SHARE], debt_h[lane])
        if which[1]:
            dip = at_dawn(p[DAWN_SHARE], phase_h[lane])
            up, out = up * dip, out * dip
        if which[2]:
            alarm, felt = stressed[lane, stress.ALARM], stressed[lane, stress.FELT]
            up *= stress.on_uptake(alarm, felt, p[STRESS_SIZE])
            out *= stress.on_liver(felt, p[STRESS_SIZE])
        if which[3]:
            up *= 1.0 + p[FITNESS_SHARE] * fit[lane]
        uptake[lane], liver[lane] = up, out


def draw(keys: NDArray[np.uint32], spread: float = 1.0) -> Array:
    """Parameters (n, 4) of persons; each hangs on its key (n, 6) alone. spread multiplies the standard deviations; who
    has no effect of sleep, and no dawn, is drawn whatever the spread."""
    stream = random.stream(keys, Stream.COUPLINGS)
    z, u = random.normal(stream, len(PARAMETERS)), random.uniform(stream, 2, first=8)
    sleep = np.clip(SLEEP_MEAN + spread * SLEEP_SD * z[:, SLEEP_SHARE], 0.0, 0.6)
    dawn = np.minimum(np.exp(DAWN_LOG_MEAN + spread * DAWN_LOG_SD * z[:, DAWN_SHARE]), 0.6)
    size = np.exp(spread * STRESS_LOG_SD * z[:, STRESS_SIZE])
    fitness = np.clip(FITNESS_MEAN + spread * FITNESS_SD * z[:, FITNESS_SHARE], 0.0, 0.3)
    return np.stack(
        [
            np.where(u[:, 0] < SLEEP_NONE, 0.0, sleep),
            np.where(u[:, 1] < DAWN_PEOPLE, dawn, 0.0),
            size,
            fitness,
        ],
        axis=1,
    )
