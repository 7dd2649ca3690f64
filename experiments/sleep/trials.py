"""Published trials of short nights, light and stress, done again on persons of the twin.

Each is as its paper describes it; where a paper is silent the choice stands here. `targets` says what people showed.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from experiments.exercise.living import Array, Plan, customary_bolus, live
from experiments.sleep.clamp import Clamped, clamp, insulin_for
from twins import cohort, random
from twins.active import active
from twins.bodies import circadian, couplings, sleep, stress
from twins.bodies.glucose import PARAMETERS as BODY
from twins.cohort import Cohort
from twins.world.duties import BEGINS_H, STEPS, hours

SLEEPERS = 60
LUX, DIM_LUX = 300.0, 5.0
USUAL = (23.0, 7.0)
"""In bed from, to, by the clock; a laboratory's light is indoors' by day."""
MEAL_G = 75.0
TEST_MIN = 20
"""A public test (TSST) with its announcement."""
STRESS_AFTER_MEAL_MIN = 75


@dataclass(frozen=True)
class Nights:
    """What people slept: hours (nights, n), and the debt after the last night (n,)."""

    slept_h: Array
    debt_h: Array


class Trials:
    """All trials, on the ten adults of the table and on `SLEEPERS` people whose sleep and clocks are drawn."""

    @cached_property
    def adults(self) -> Cohort:
        """With exercise of their own, at rest here."""
        return active(cohort.load("adult"))

    # --- nights ---------------------------------------------------------------------------------------
    def nights(self, *beds: tuple[float, float]) -> Nights:
        """One night after the other, in bed from, to (hours of the clock), after a week of usual ones, in which nobody
        is in debt; 18:00 to 18:00."""
        keys = random.keys("train", 0, np.arange(SLEEPERS, dtype=np.uint32), 0, 0)
        clock, parameters, own = circadian.Clock(), circadian.draw(keys), sleep.draw(keys)
        light = np.repeat(circadian.regular_day(LUX, USUAL[1], USUAL[0]), SLEEPERS, axis=0)
        phases = clock.entrained(
            parameters, np.roll(light, -round(BEGINS_H * 60 / circadian.STEP_MIN), axis=1)
        )
        state, rng, debt, slept = sleep.rested(SLEEPERS), np.random.default_rng(0), np.zeros(SLEEPERS), []
        hour = (BEGINS_H + hours()) % 24
        sun = np.where((hour >= USUAL[1]) & (hour < USUAL[0]), LUX, DIM_LUX)
        for night, (bed, rise) in enumerate((*(USUAL,) * 7, *beds)):
            in_bed = np.tile((hour - bed) % 24 < (rise - bed) % 24, (SLEEPERS, 1))
            chance = rng.random((len(hour), SLEEPERS)).T
            lux = np.where(in_bed, 0.0, sun)
            asleep, _, _ = sleep.live(clock, phases, parameters, state, own, in_bed, lux, chance)
            if night >= 7:
                slept.append(asleep.sum(axis=1) * circadian.STEP_MIN / 60)
                debt = sleep.next_debt(debt, own, slept[-1])
        return Nights(np.stack(slept), debt)

    @cached_property
    def one_short(self) -> Nights:
        """Four hours in bed, once; they slept 222 of 240 min."""
        return self.nights((23.0, 3.0))

    @cached_property
    def week_short(self) -> Nights:
        """Five hours in bed, seven times."""
        return self.nights(*((2.0, 7.0),) * 7)

    def shorter_by_day(self) -> float:
        """Sleep from 9 to 17 after a night at work, less that of a usual night; h."""
        by_day = self.nights((9.0, 17.0)).slept_h[-1]
        return float((by_day - self.nights(USUAL).slept_h[-1]).mean())

    # --- clamps ---------------------------------------------------------------------------------------
    def _clamped(self, debt_h: Array) -> tuple[Clamped, Clamped]:
        """Adults at 5.1 mmol/L, the liver giving as much of what is disposed of as in Donga et al., 6.2 of 25.5:
        rested, and with the mean debt of such nights and the mean effect."""
        body = self.adults.parameters[:, : len(BODY)]
        share, debt = np.full(len(body), couplings.SLEEP_MEAN), np.full(len(body), debt_h.mean())
        insulin = insulin_for(body, 5.1, 6.2 / 25.5)
        return (
            clamp(body, insulin, 5.1, 1.0, 1.0),
            clamp(body, insulin, 5.1, couplings.after_sleep(share, debt), 1.0),
        )

    def disposal(self, nights: Nights) -> float:
        """Change of disposal in a clamp after such nights, %."""
        rested, tired = self._clamped(nights.debt_h)
        return 100.0 * float(tired.disposal.mean() / rested.disposal.mean() - 1.0)

    def infusion(self, nights: Nights) -> float:
        """Change of the glucose infused, %."""
        rested, tired = self._clamped(nights.debt_h)
        return 100.0 * float(tired.infusion.mean() / rested.infusion.mean() - 1.0)

    # --- cortisol and stress --------------------------------------------------------------------------
    def cortisol_for_a_day(self, ratio: float) -> tuple[float, float]:
        """So many times the usual cortisol for 24 h: how many times the insulin that uptake and the liver then need."""
        state = stress.calm(1)
        for step in range(STEPS):
            phase = np.array([(8.0 + step * circadian.STEP_MIN / 60) % 24])
            state[:, stress.EXTRA] = (
                (ratio - 1.0) * stress.usual(phase) / np.exp(-circadian.STEP_MIN / stress.CLEARED_MIN)
            )
            stress.step(state, phase, np.zeros(1))
        uptake, liver = stress.sensitivity(state)
        return float(1.0 / uptake[0]), float(1.0 / liver[0])

    def _stressed(self, minutes: int, at: int) -> Plan:
        """Rest for so many minutes with a public test in the morning; no food."""
        n = len(self.adults)
        plan, state = Plan.of(n, minutes), stress.calm(n)
        uptake, liver = np.ones((n, minutes)), np.ones((n, minutes))
        for minute in range(0, minutes, circadian.STEP_MIN):
            phase = np.full(n, (4.0 + minute / 60) % 24)
            stress.step(state, phase, np.full(n, float(at <= minute < at + TEST_MIN)))
            (
                uptake[:, minute : minute + circadian.STEP_MIN],
                liver[:, minute : minute + circadian.STEP_MIN],
            ) = (column[:, None] for column in stress.sensitivity(state))
        return replace(plan, uptake=uptake, liver=liver)

    def later_after_a_meal(self) -> float:
        """How much later glucose falls by half of its rise when a test follows a meal; min."""
        minutes, n = 420, len(self.adults)
        dose = customary_bolus(self.adults, MEAL_G)
        calm, strained = (
            live(self.adults, plan.eats(0, MEAL_G).injects(0, dose)).mean(axis=0)
            for plan in (Plan.of(n, minutes), self._stressed(minutes, STRESS_AFTER_MEAL_MIN))
        )
        half = (calm[0] + calm.max()) / 2
        last = [np.flatnonzero(glucose > half)[-1] for glucose in (calm, strained)]
        return float(last[1] - last[0])

    def fasting(self) -> float:
        """The most that a test changes glucose within two hours, fasting; mg/dL."""
        glucose = live(self.adults, self._stressed(180, 30)).mean(axis=0)
        return float(glucose[30:150].max() - glucose[29])

    # --- light ----------------------------------------------------------------------------------------
    def response_to_light(self, name: str) -> float:
        """From the largest delay to the largest advance by 6.7 h of bright light (9,000 lux on average) after days of
        150 lux, at every hour, of the clock of this name; h."""
        shifts = []
        parameters = np.array([[circadian.PERIOD_MEAN_H, 1.0]])
        clock = circadian.Clock(name)
        begin = clock.entrained(parameters, circadian.regular_day(150.0, 8.0, 0.0))
        for hour in range(24):
            lit, dim = begin.copy(), begin.copy()
            lux = np.full((1, 4 * STEPS), DIM_LUX)
            clock.advance(dim, parameters, lux)
            lux[:, STEPS + hour * 12 : STEPS + hour * 12 + 80] = 9000.0
            clock.advance(lit, parameters, lux)
            shifts.append(float((clock.phase_h(lit) - clock.phase_h(dim) + 12)[0] % 24 - 12))
        return max(shifts) - min(shifts)
