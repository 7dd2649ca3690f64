"""Published trials of exercise in type-1 diabetes, done again on persons of the twin.

Each trial is a plan for a group of persons as its paper describes it; where a paper is silent (meals of a clinical
day, how well doses are set) the choice stands here. `Target`s in `targets` say what people showed.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from experiments.exercise import bouts
from experiments.exercise.living import Array, Plan, customary_bolus, live
from twins import cohort, random
from twins.active import active
from twins.bodies import exercise
from twins.bodies.person import Person
from twins.cohort import Cohort
from twins.random import Stream
from twins.units import GLUCOSE_MG_DL_PER_MMOL_L

BREAKFAST_G = 75.0
STARTS_MIN = 90
"""Exercise begins so long after breakfast, in trials of the day (Rabasa-Lhoret et al. 2001)."""
COPIES = 3
NIGHT_LOG_SD = 0.30
DAY_LOG_SD = 0.20
"""Insulin sensitivity from night to night and from day to day, and errors of doses; assumed. The twin's nights at rest
have fewer lows than those of Tsalikian et al. 2005 (12 against 28 %)."""
BREAKS_MIN = 5
SNACK_G, SNACK_BELOW_MG_DL = 15.0, 126.0


@dataclass(frozen=True)
class Trials:
    """All trials on persons whose exercise has these medians (`exercise.MEDIANS`). counterregulation: with glucagon."""

    medians: NDArray[np.float64]
    counterregulation: bool = False

    def _people(self, group: str, copies: int) -> Cohort:
        some = cohort.load(group)
        many = cohort.join([some.renamed(f"'{copy}") for copy in range(copies)])
        return active(many, counterregulation=self.counterregulation, medians=self.medians)

    @cached_property
    def adults(self) -> Cohort:
        """Ten bodies, three times, with exercise of their own."""
        return self._people("adult", COPIES)

    @cached_property
    def youths(self) -> Cohort:
        """Adolescents."""
        return self._people("adolescent", 20)

    @cached_property
    def _full(self) -> Array:
        return customary_bolus(self.adults, BREAKFAST_G)

    def _after_breakfast(self, dose: float, bout: bouts.Bout) -> Plan:
        plan = Plan.of(len(self.adults), 300).eats(0, BREAKFAST_G).injects(0, dose * self._full)
        return plan.moves(STARTS_MIN, bout)

    def against_rest(self, bout: bouts.Bout, dose: float | None = 1.0) -> Array:
        """Glucose less that at rest (n, minutes) [mmol/L], from the bout's begin; dose None: fasted, no bolus."""
        begin = STARTS_MIN
        plan = Plan.of(len(self.adults), 300).moves(begin, bout)
        if dose is not None:
            plan = self._after_breakfast(dose, bout)
        difference = live(self.adults, plan) - live(self.adults, plan.rests())
        return difference[:, begin:] / GLUCOSE_MG_DL_PER_MMOL_L

    def rate(self, bout: bouts.Bout) -> float:
        """Change against rest during a bout after a meal, mmol/L/h."""
        return float(self.against_rest(bout)[:, len(bout) - 1].mean() / (len(bout) / 60))

    def after_breakfast(self, dose: float, bout: bouts.Bout) -> float:
        """Glucose at the end of a bout less that before breakfast, mmol/L, with a share of the full dose."""
        glucose = live(self.adults, self._after_breakfast(dose, bout))
        basal = self.adults.parameters[:, Person.parameter_names.index("Gb")]
        change = glucose[:, STARTS_MIN + len(bout) - 1] - basal
        return float(change.mean() / GLUCOSE_MG_DL_PER_MMOL_L)

    def fasted(self, bout: bouts.Bout, after_min: int = 0) -> float:
        """Change against rest at the end of a fasted bout, or from there on for so long; mmol/L."""
        change = self.against_rest(bout, None)
        end = len(bout) - 1
        return float((change[:, end + after_min] - (change[:, end] if after_min else 0.0)).mean())

    def sensitivity_later(self, bout: bouts.Bout, hours: float) -> float:
        """Insulin's action on uptake so long after a bout, relative to without it."""
        people = self.adults
        state = np.zeros((len(people), len(exercise.STATES)))
        reserve = np.zeros((len(people), len(bout) + round(hours * 60)))
        reserve[:, : len(bout)] = bout
        given = np.tile(np.array([1.0, 1.0, 0.0, 0.0]), (len(people), 1, 1))
        drive = np.empty((*reserve.shape, 4))
        own = people.parameters[:, -len(exercise.PARAMETERS) :]
        exercise.work(state, own, reserve, np.ones(len(people)), np.repeat(given, reserve.shape[1], 1), drive)
        return float(drive[:, -1, 0].mean())

    # --- trials that were not used in fitting ----------------------------------------------------------
    def free_living(self, bout: bouts.Bout) -> tuple[float, float]:
        """T1DEXI: change during a bout at some time of a day with meals; mean and SD over persons, mg/dL.

        When people exercised and what they ate before is not published: here they do so two hours or more after a meal,
        and eat `SNACK_G` first where glucose is below `SNACK_BELOW_MG_DL` (consensus: Riddell et al., Lancet Diabetes
        Endocrinol 5 (2017) 377).
        """
        people = self._people("adult", 16)
        n = len(people)
        z, u = _normal(people, 8), _uniform(people, 1)
        plan = Plan.of(n, 22 * 60)
        unit = customary_bolus(people, 60.0) / 60.0
        for number, (at, grams) in enumerate(((7 * 60, 45.0), (12 * 60, 65.0), (18 * 60 + 30, 75.0))):
            plan = plan.eats(at, grams).injects(at, unit * grams * np.exp(DAY_LOG_SD * z[:, number]))
        reserve = plan.reserve.copy()
        free = np.concatenate([np.arange(9 * 60, 11.5 * 60, 5), np.arange(14 * 60, 18 * 60, 5)]).astype(int)
        at = free[(u[:, 0] * len(free)).astype(int)]
        for lane, begin in enumerate(at):
            reserve[lane, begin : begin + len(bout)] = bout
        plan = replace(
            plan, reserve=reserve, sensitivity=np.exp(DAY_LOG_SD * z[:, 3]),
            gain=np.exp(exercise.SESSION_LOG_SD * z[:, 4]),
        )  # fmt: skip
        begins = live(people, plan.rests())[np.arange(n), at - 1]
        food = plan.carbs_g.copy()
        food[np.arange(n), at - 1] += np.where(begins < SNACK_BELOW_MG_DL, SNACK_G, 0.0)
        glucose = live(people, replace(plan, carbs_g=food))
        change = glucose[np.arange(n), at + len(bout) - 1] - glucose[np.arange(n), at - 1]
        return float(change.mean()), float(change.std())

    def basal_before(self, factor: float, lead_min: int, start_mg_dl: float, start_sd: float) -> float:
        """Zaharieva et al. 2019: change over an hour at half of VO2peak, the basal rate times `factor` from `lead_min`
        before it until its end; mg/dL. Glucose at its begin is as theirs."""
        people = self.adults
        plan = Plan.of(len(people), 150).moves(90, bouts.steady(0.5, 60)).pumps(90 - lead_min, 150, factor)
        start = np.maximum(start_mg_dl + start_sd * _normal(people, 1)[:, 0], 80.0)
        before = start
        for _ in range(4):  # so that glucose is at `start` when the bout begins
            glucose = live(people, replace(plan, start_mg_dl=before))
            before = np.maximum(before + (start - glucose[:, 89]), 40.0)
        return float((glucose[:, 149] - glucose[:, 89]).mean())

    def _afternoon(self) -> tuple[Plan, int, int]:
        """The clinical day of DirecNet: four times a quarter of an hour at a heart rate of 140 from 16:00. Minutes
        count from 12:00."""
        people, z = self.youths, _normal(self.youths, 4)
        work = bouts.at_heart_rate(140.0, 14.0)
        bout = np.concatenate([bouts.repeated(work, 0.1, 15, BREAKS_MIN, 3), bouts.steady(work, 15)])
        begin, minutes = 4 * 60, 18 * 60
        unit = customary_bolus(people, 60.0) / 60.0
        plan = Plan.of(len(people), minutes)
        for number, (at, grams) in enumerate(((0, 70.0), (6 * 60, 70.0), (9 * 60, 15.0))):
            plan = plan.eats(at, grams)
            if number < 2:  # the snack at bedtime has no dose
                plan = plan.injects(at, unit * grams * np.exp(DAY_LOG_SD * z[:, number]))
        plan = replace(
            plan.moves(begin, bout), sensitivity=np.exp(NIGHT_LOG_SD * z[:, 2]),
            gain=np.exp(exercise.SESSION_LOG_SD * z[:, 3]),
        )  # fmt: skip
        return plan, begin, begin + len(bout)

    def night_after(self) -> tuple[float, float, float]:
        """Tsalikian et al. 2005: mean glucose from 22:00 to 6:00 against the night at rest [mg/dL], nights with 60
        mg/dL or less against those at rest [points], and those at rest [%]."""
        plan, _, _ = self._afternoon()
        night = slice(10 * 60, 18 * 60)
        moved, rested = (live(self.youths, one)[:, night] for one in (plan, plan.rests()))
        low, low_rested = (100.0 * (one.min(axis=1) <= 60).mean() for one in (moved, rested))
        return float(moved.mean() - rested.mean()), float(low - low_rested), float(low_rested)

    def basal_stopped(self) -> tuple[float, float]:
        """DirecNet 2006: basal stopped during the bout against going on: children with 70 mg/dL or less in it, and
        those whose glucose rose by a fifth to 200 or more 45 min later; both in points."""
        plan, begin, end = self._afternoon()
        found = []
        for one in (plan.pumps(begin, end, 0.0), plan):
            glucose = live(self.youths, one)
            low = glucose[:, begin:end].min(axis=1) <= 70
            later = glucose[:, end + 45]
            high = (later >= 200) & (later >= 1.2 * glucose[:, begin])
            found.append((100 * low.mean(), 100 * high.mean()))
        return float(found[0][0] - found[1][0]), float(found[0][1] - found[1][1])

    def basal_less_at_night(self) -> float:
        """Taplin et al. 2010: nadir of the night after an hour of exercise, with a fifth less basal for 6 h against
        without; mg/dL."""
        plan, _, _ = self._afternoon()
        night = slice(10 * 60, 18 * 60)
        less, same = (live(self.youths, one)[:, night] for one in (plan.pumps(9 * 60, 15 * 60, 0.8), plan))
        return float((less.min(axis=1) - same.min(axis=1)).mean())

    def walks_after_meal(self) -> float:
        """Manohar et al. 2012: rise above the glucose before a meal, over 270 min; walking against sitting, % less."""
        plan = Plan.of(len(self.adults), 270).eats(0, BREAKFAST_G).injects(0, self._full)
        walked = live(self.adults, plan.moves(0, bouts.walking_after_meals(270)))
        sat = live(self.adults, plan)
        basal = self.adults.parameters[:, [Person.parameter_names.index("Gb")]]
        area, area_sat = (np.maximum(one - basal, 0.0).mean() for one in (walked, sat))
        return float(100 * (1 - area / area_sat))


def _keys(people: Cohort) -> NDArray[np.uint32]:
    return random.stream(random.keys("train", 0, people.numbers, 0, 0), Stream.SESSIONS)


def _normal(people: Cohort, count: int) -> Array:
    return random.normal(_keys(people), count)


def _uniform(people: Cohort, count: int) -> Array:
    return random.uniform(_keys(people), count, first=100)
