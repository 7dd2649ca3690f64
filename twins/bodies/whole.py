"""The whole person: glucose and muscles by the minute, clock, sleep and stress by five minutes, a debt of sleep by day.

In each five minutes first what the person does (bed, light, strain, work) moves clock, sleep and stress; these give the
factors on insulin's action, which hold for the five minutes in which glucose then moves. Every coupling has its switch
(`twins.bodies.couplings`); with all of them off glucose is that of `Person`, bit for bit. Products of factors are an
assumption: nobody has measured two of them at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies import circadian, couplings, sleep, stress
from twins.bodies.circadian import STEP_MIN, Clock
from twins.bodies.couplings import Couplings
from twins.bodies.model import SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, neutral_drive
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN, Person
from twins.random import Stream
from twins.units import MINUTES_PER_DAY

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_FACTOR, MOST_FACTOR = 0.4, 4.0
"""Of all factors together."""
NEED_PER_WORK_H, MOST_WORK_H = 0.1, 2.0
"""An hour at full reserve adds so much to the need of sleep of the night after it, for so many hours at the most
(assumed; total sleep grows by little, Kredlow et al., J Behav Med 38 (2015) 427)."""


@dataclass(frozen=True)
class Traits:
    """What tells n people apart: clocks (n, 2), sleeps (n, 4), coupled (n, 2): parameters of `circadian`, `sleep` and
    `couplings`."""

    clocks: Array
    sleeps: Array
    coupled: Array


@dataclass(frozen=True)
class Inner:
    """What `Whole.advance` moves on in place, beside the state of a `Person`.

    clock (n, 3), sleep (n, 4), stress (n, 4): states of these; debt_h (n,): of sleep; slept_h, worked_h (n,): since
    the last noon, hours asleep, and of the reserve in full use.
    """

    clock: Array
    sleep: Array
    stress: Array
    debt_h: Array
    slept_h: Array
    worked_h: Array

    def copy(self) -> "Inner":
        """With arrays of its own."""
        return Inner(*(getattr(self, name).copy() for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Acts:
    """What n people do in five minutes, arrays (n,): in_bed with closed eyes; lux around them; strain, 1 as in a public
    test; reserve: share of the heart rate's reserve in use; gain: of the session (`exercise`)."""

    in_bed: Flags
    lux: Array
    strain: Array
    reserve: Array
    gain: Array


def draw(keys: NDArray[np.uint32], spread: float = 1.0) -> Traits:
    """Traits of persons; each hangs on its key (n, 6) alone. spread multiplies the standard deviations.

    Who needs more sleep loses more of insulin's action without it (assumed): the need of sleep scales what a debt does.
    """
    clocks, sleeps = circadian.draw(keys, spread), sleep.draw(keys, spread)
    coupled = couplings.draw(keys, spread)
    coupled[:, couplings.SLEEP_SHARE] *= sleeps[:, sleep.NEED_H] / sleep.MEDIANS[sleep.NEED_H]
    return Traits(clocks, sleeps, coupled)


class Whole:
    """A `Person` who sleeps, has a clock and is stressed."""

    def __init__(
        self, person: Person, clock: str = circadian.FORGER, switches: Couplings | None = None
    ) -> None:
        self.person, self.clock = person, Clock(clock)
        self.switches = Couplings() if switches is None else switches

    def rested(self, traits: Traits, light_of_day: Array) -> Inner:
        """Who has lived such days for long, and now wakes from a night that was long enough.

        light_of_day (n, 288): at the eye, from now on.
        """
        n = len(traits.clocks)
        return Inner(
            self.clock.entrained(traits.clocks, light_of_day), sleep.rested(n), stress.calm(n), np.zeros(n),
            traits.sleeps[:, sleep.NEED_H].copy(), np.zeros(n),
        )  # fmt: skip

    def factors(self, inner: Inner, traits: Traits) -> tuple[Array, Array]:
        """On insulin's action on uptake and on the liver (n,), now."""
        phase = self.clock.phase_h(inner.clock)
        uptake, liver = self.switches.sensitivity(traits.coupled, inner.debt_h, phase, inner.stress)
        return np.clip(uptake, LEAST_FACTOR, MOST_FACTOR), np.clip(liver, LEAST_FACTOR, MOST_FACTOR)

    def advance(
        self,
        state: Array,
        inner: Inner,
        coefficients: Array,
        traits: Traits,
        basal_u_per_h: Array,
        bolus_u: Array,
        carbs_g: Array,
        acts: Acts,
        minute: int,
        keys: NDArray[np.uint32],
    ) -> Array:
        """Five minutes, in place; glucose (n, 5) [mg/dL].

        state, coefficients, basal_u_per_h, bolus_u, carbs_g (n, 5): of `Person.advance`; minute: of the local clock
        since a midnight, a multiple of five; keys (n, 6): of the people, chance in sleep hangs on them and the minute.
        Raises ValueError for a minute that is not.
        """
        if minute % STEP_MIN or minute < 0:
            raise ValueError(f"minute is {minute}; needed is a multiple of {STEP_MIN}, from 0 on")
        self._live(state, inner, traits, acts, coefficients, minute, keys)
        uptake, liver = self.factors(inner, traits)
        drive = np.tile(neutral_drive(self.person.drive_names), (len(state), 1, 1))
        drive[:, 0, SENSITIVITY_PERIPHERAL], drive[:, 0, SENSITIVITY_HEPATIC] = uptake, liver
        drive[:, 0, HEART_RATE_RESERVE], drive[:, 0, SESSION_GAIN] = acts.reserve, acts.gain
        return self.person.advance(state, coefficients, basal_u_per_h, bolus_u, carbs_g, drive, STEP_MIN)

    def _live(
        self,
        state: Array,
        inner: Inner,
        traits: Traits,
        acts: Acts,
        coefficients: Array,
        minute: int,
        keys: NDArray[np.uint32],
    ) -> None:
        """Clock, sleep, stress; at noon the debt."""
        chance = random.uniform(random.stream(keys, Stream.SLEEP_CHANCE), 2, first=2 * (minute // STEP_MIN))
        phase = self.clock.phase_h(inner.clock)
        woken = np.zeros(len(state), bool)
        if self.switches.awakening:
            woken = sleep.woken_by_glucose(self.person.plasma_mg_dl(state, coefficients), chance[:, 1])
        sleep.step(inner.sleep, traits.sleeps, phase, acts.in_bed, woken, chance[:, 0])
        self.clock.advance(inner.clock, traits.clocks, np.where(acts.in_bed, 0.0, acts.lux)[:, None])
        stress.step(inner.stress, phase, acts.strain)
        inner.slept_h[:] += (inner.sleep[:, sleep.ASLEEP] > 0) * (STEP_MIN / 60)
        inner.worked_h[:] += acts.reserve * (STEP_MIN / 60)
        if minute % MINUTES_PER_DAY == MINUTES_PER_DAY // 2:
            needs = traits.sleeps.copy()
            if self.switches.work:
                needs[:, sleep.NEED_H] += NEED_PER_WORK_H * np.minimum(inner.worked_h, MOST_WORK_H)
            inner.debt_h[:] = sleep.next_debt(inner.debt_h, needs, inner.slept_h)
            inner.slept_h[:], inner.worked_h[:] = 0.0, 0.0
