"""The whole person: glucose and muscles by the minute, clock, sleep and stress by five, debt of sleep, fitness by day.

In each five minutes first what the person does (bed, light, strain, work) moves clock, sleep and stress; these give the
factors on insulin's action, which hold for the five minutes in which glucose then moves. Every coupling has its switch
(`twins.bodies.couplings`); with all but that of exercise off glucose is that of `Person`, bit for bit. Products of
factors are an assumption: nobody has measured two of them at once.
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
from twins.kernels import kernel
from twins.random import Stream
from twins.units import MINUTES_PER_DAY

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_FACTOR, MOST_FACTOR = 0.4, 4.0
"""Of all factors together."""
MOST_COUPLED = np.array([0.9, 0.9, 3.0, 0.45])
"""Of `Traits.coupled`, however strong."""
NEED_PER_WORK_H, MOST_WORK_H = 0.1, 2.0
"""An hour at full reserve adds so much to the need of sleep of the night after it, for so many hours at the most
(assumed; total sleep grows by little, Kredlow et al., J Behav Med 38 (2015) 427)."""


@dataclass(frozen=True)
class Traits:
    """What tells n people apart: clocks (n, 2), sleeps (n, 4), coupled (n, 4): parameters of `circadian`, `sleep` and
    `couplings`."""

    clocks: Array
    sleeps: Array
    coupled: Array

    def scaled(self, strength: Array) -> "Traits":
        """The same people, in whom sleep, dawn, stress and training do so many times as much (n,); no less than 0, and
        no more than leaves insulin a tenth of its action."""
        return Traits(self.clocks, self.sleeps, np.minimum(self.coupled * strength[:, None], MOST_COUPLED))


@dataclass(frozen=True)
class Inner:
    """What `Whole.advance` moves on in place, beside the state of a `Person`.

    clock (n, 3), sleep (n, 4), stress (n, 4): states of these; debt_h (n,): of sleep; fit (n,): fitness; slept_h,
    worked_h (n,): since the last noon, hours asleep, and of the reserve in full use.
    """

    clock: Array
    sleep: Array
    stress: Array
    debt_h: Array
    fit: Array
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
        self._neutral, self._which = neutral_drive(person.drive_names), self.switches.which

    def rested(self, traits: Traits, light_of_day: Array) -> Inner:
        """Who has lived such days for long, never trains, and now wakes from a night that was long enough.

        light_of_day (n, 288): at the eye, from now on.
        """
        n = len(traits.clocks)
        return Inner(
            self.clock.entrained(traits.clocks, light_of_day), sleep.rested(n), stress.calm(n), np.zeros(n),
            np.zeros(n), traits.sleeps[:, sleep.NEED_H].copy(), np.zeros(n),
        )  # fmt: skip

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

        state, coefficients, basal_u_per_h, bolus_u, carbs_g (n, 5): of `Person.advance`; the others: of `live`.
        """
        drive = np.empty((len(state), 1, len(self._neutral)))
        drive[:] = self._neutral
        self.live(inner, traits, acts, self.person.plasma_mg_dl(state, coefficients), minute, keys, drive)
        return self.person.advance(state, coefficients, basal_u_per_h, bolus_u, carbs_g, drive, STEP_MIN)

    def live(
        self,
        inner: Inner,
        traits: Traits,
        acts: Acts,
        glucose_mg_dl: Array,
        minute: int | NDArray[np.int64],
        keys: NDArray[np.uint32],
        drive: Array,
    ) -> None:
        """Five minutes of clock, sleep, stress, and at noon of debt and fitness, in place; what they do to glucose goes
        into drive (n, 1 or 5, 6), as `Person.advance` takes it; sensitivities of its first minute are multiplied.

        glucose_mg_dl (n,): in plasma; minute: one, or (n,), of the local clock since a midnight, a multiple of five;
        keys (n, 6): of the people, chance in sleep hangs on them and the minute. Raises ValueError for a minute that is
        not.
        """
        each = np.asarray(minute)
        if each.size and (each.min() < 0 or (each % STEP_MIN).any()):
            raise ValueError(f"minute is {minute}; needed is a multiple of {STEP_MIN}, from 0 on")
        now = np.broadcast_to(each, acts.in_bed.shape)
        circadian.check_light(acts.lux[:, None], len(now))
        clock, on = self.clock, self.switches
        phase = _live(
            random.stream(keys, Stream.SLEEP_CHANCE), now // STEP_MIN, acts.in_bed, acts.lux, acts.strain, acts.reserve,
            glucose_mg_dl, on.awakening, clock.ring, clock.constants, inner.clock, traits.clocks,
            inner.sleep, traits.sleeps, inner.stress, inner.slept_h, inner.worked_h,
        )  # fmt: skip
        noon = now % MINUTES_PER_DAY == MINUTES_PER_DAY // 2
        if noon.any():
            self._noon(inner, traits, noon)
        _drive(
            self._which, on.exercise, phase, traits.coupled, inner.debt_h, inner.stress, inner.fit, acts.reserve,
            acts.gain, drive,
        )  # fmt: skip

    def _noon(self, inner: Inner, traits: Traits, here: Flags) -> None:
        """A day of sleep and work is over where it is noon (n,)."""
        needs = traits.sleeps[here]
        if self.switches.work:
            needs[:, sleep.NEED_H] += NEED_PER_WORK_H * np.minimum(inner.worked_h[here], MOST_WORK_H)
        inner.debt_h[here] = sleep.next_debt(inner.debt_h[here], needs, inner.slept_h[here])
        inner.fit[here] = couplings.trained(inner.fit[here], inner.worked_h[here])
        inner.slept_h[here], inner.worked_h[here] = 0.0, 0.0


@kernel
def _live(  # type: ignore[no-untyped-def]
    keys, step, in_bed, lux, strain, reserve, glucose, wakes, ring, constants, clocks, clock_of, sleeping,
    sleeps, stressed, slept_h, worked_h,
):  # fmt: skip
    """Clock, sleep and stress, see `Whole.live`; gives the phase [h]."""
    n = len(keys)
    seen, chance, woken = np.empty((n, 1)), np.empty(n), np.zeros(n, np.bool_)
    for lane in range(n):
        seen[lane, 0] = 0.0 if in_bed[lane] else lux[lane]
        chance[lane], other = random.pair(keys[lane], step[lane])
        if wakes and sleeping[lane, sleep.ASLEEP] > 0:
            woken[lane] = sleep.woken_by_glucose(glucose[lane], other)
    circadian.turn(ring, constants, clocks, clock_of, seen, STEP_MIN / 60)
    phase = circadian.phases(ring, clocks)
    sleep.step(sleeping, sleeps, phase, in_bed, woken, chance)
    stress.step(stressed, phase, strain)
    for lane in range(n):
        slept_h[lane] += STEP_MIN / 60 if sleeping[lane, sleep.ASLEEP] > 0 else 0.0
        worked_h[lane] += reserve[lane] * (STEP_MIN / 60)
    return phase


@kernel
def _drive(which, moves, phase, coupled, debt_h, stressed, fit, reserve, gain, drive):  # type: ignore[no-untyped-def]
    """What all that does to glucose."""
    n = len(coupled)
    uptake, liver = np.empty(n), np.empty(n)
    couplings.factors(which, coupled, debt_h, phase, stressed, fit, uptake, liver)
    for lane in range(n):
        up = drive[lane, 0, SENSITIVITY_PERIPHERAL] * min(max(uptake[lane], LEAST_FACTOR), MOST_FACTOR)
        out = drive[lane, 0, SENSITIVITY_HEPATIC] * min(max(liver[lane], LEAST_FACTOR), MOST_FACTOR)
        for minute in range(drive.shape[1]):
            row = drive[lane, minute]
            row[SENSITIVITY_PERIPHERAL], row[SENSITIVITY_HEPATIC] = up, out
            row[HEART_RATE_RESERVE] = reserve[lane] if moves else 0.0
            row[SESSION_GAIN] = gain[lane]
