"""What training does over weeks: fitness and fatigue, load, overreaching, injury, and what a watch shows of it.

Two models of performance, one to train policies on and one to test them on:

- Banister: every day's load leaves fitness that fades within weeks, and fatigue that weighs more and fades within days
  (Banister et al., Aust J Sports Med 7 (1975) 57; Morton, Fitz-Clarke & Banister, J Appl Physiol 69 (1990) 1171). Here
  the fitness of a day levels off with its load.
- Busso: fitness does not level off, but what a day's fatigue weighs grows with the load of the days before it (Busso,
  Med Sci Sports Exerc 35 (2003) 1188).

Load is one number a day: TRIMP / 100, minutes times share of the heart-rate reserve, weighted by its exponential
(Banister 1991). The acute:chronic ratio is of exponentially weighted means of 7 and 28 days (Williams et al., Br J
Sports Med 51 (2017) 209), over a chronic floor, so that a beginner has one.

The hazard of an injury hangs on acute load mainly. That the ratio causes injuries is disputed: Murray et al. 2017 found
relative risks of 6 and more above a ratio of 2, Impellizzeri et al. 2020 as much with chronic loads drawn at random. So
its weight is a switch (`ratio_weight`). Sizes are assumed unless a source is named; days are the clock.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from twins import random
from twins.random import Stream

Array = NDArray[np.float64]

BANISTER, BUSSO = "banister", "busso"
MODELS = (BANISTER, BUSSO)

PARAMETERS = (
    "fitness_days", "fatigue_days", "fitness_per_load", "fatigue_per_load", "growth_days", "growth_per_load",
    "hazard_per_day", "resting_bpm", "highest_bpm", "hrv_ln_ms", "habit_load",
)  # fmt: skip
(
    FITNESS_DAYS, FATIGUE_DAYS, FITNESS, FATIGUE, GROWTH_DAYS, GROWTH, HAZARD, RESTING, HIGHEST, HRV, HABIT,
) = range(len(PARAMETERS))  # fmt: skip
MEDIANS = np.array([38.0, 11.0, 2.3, 3.6, 2.3, 1.59, 0.004, 62.0, 186.0, 4.0, 0.35])
LOG_SD = np.array([0.15, 0.20, 0.4, 0.15, 0.3, 0.2, 0.5, 0.10, 0.03, 0.08, 0.3])
"""fitness_days lie between Busso's and Morton's, fatigue_days within the 7 to 15 of publications. fitness_per_load,
fatigue_per_load: points of performance, of which `BASE` is an untrained person's. Their sizes are such that both models
do about what training did to people (tests hold it): 20 weeks from nothing, three times a week, brought 16 to 17 % of
VO2max (HERITAGE; Bouchard et al., J Appl Physiol 87 (1999) 1003), 12 weeks of three to five sessions 30 (SD 7) % of
power (Busso 2003; the models say 19 to 21); half the load for two weeks brings about two percent (Bosquet et al., Med
Sci Sports Exerc 39 (2007) 1358); twelve weeks without training take 16 % (Coyle et al., J Appl Physiol 57 (1984) 1857).
growth_per_load: of Busso's model alone, such that both agree at a load of 0.8. hazard_per_day: a training day's at
usual load, with the person's frailty in it. habit_load: a day, before; people who train for recreation, two to eight
hours a week. Who gains more by a load tires more by it: the spreads of fatigue and growth come on top of that of
fitness; wider or independent ones would make every fourth person worse by training.
"""
HARD_LOAD, HALF_LOAD = 0.8, 1.5
"""Loads of a day: where both models agree, and where a day of Banister's model leaves half of the fitness that it would
leave without an end. Without it his model has people train without bounds and then rest for weeks (Ceddia et al., arXiv
2505.20859); that loads level off: Hellard et al., J Strength Cond Res 19 (2005) 67. The size is assumed."""
FASTER = 0.6
"""Fatigue fades at least by this faster than fitness: the models have no meaning otherwise."""
BASE = 100.0

STATES = (
    "fitness", "fatigue", "growth", "acute", "chronic", "days_lost", "strain_days", "response", "hurt_days_ago",
)  # fmt: skip
(FIT, TIRED, GROWN, ACUTE, CHRONIC, LOST, STRAIN, RESPONSE, HURT) = range(len(STATES))

ACUTE_PART, CHRONIC_PART = 2 / (7 + 1), 2 / (28 + 1)
CHRONIC_FLOOR = 0.15
"""Below it nobody's habit is said to be: half an hour's walk a day."""
HABIT_DAYS, WEEK_DAYS = 182, 7
LOAD_WEIGHT, RATIO_WEIGHT, RATIO_FROM, RECENT_WEIGHT, RECENT_DAYS = 0.8, 1.2, 1.3, 0.7, 60.0
"""Of the hazard's logarithm: per unit of acute load above habit, per unit of ratio above 1.3, and for an injury within
60 days."""
NEVER_DAYS = 1e6
LOST_MEDIAN_DAYS, LOST_LOG_SD, LOST_MOST_DAYS = 8.0, 1.0, 84.0
STRAINED_DAYS, STRAIN_KEEPS = 14, 0.98
"""Overreaching: performance below that of an untrained person for more than two weeks; then each day of training takes
2 % of what training gives, and each day of rest gives it back."""
HRV_PER_FATIGUE, HRV_SD, BPM_PER_FATIGUE, BPM_SD = 0.012, 0.10, 0.35, 1.5
"""Per load held as fatigue."""
TRIAL_SD = 1.0
"""A time trial shows performance with this error, in points."""


def trimp_load(minutes: Array, intensity: Array) -> Array:
    """Load of a session: TRIMP / 100. intensity: share of the heart-rate reserve."""
    load: Array = minutes * intensity * 0.64 * np.exp(1.92 * intensity) / 100.0
    return load


def draw(keys: NDArray[np.uint32], spread: float = 1.0) -> Array:
    """Parameters (n, P) of persons; each hangs on its key (n, 6) alone. spread multiplies the standard deviations."""
    z = random.normal(random.stream(keys, Stream.FITNESS), len(PARAMETERS))
    drawn: Array = MEDIANS * np.exp(spread * LOG_SD * z)
    for column in (FATIGUE, GROWTH):
        drawn[:, column] *= drawn[:, FITNESS] / MEDIANS[FITNESS]
    drawn[:, FATIGUE_DAYS] = np.minimum(drawn[:, FATIGUE_DAYS], FASTER * drawn[:, FITNESS_DAYS])
    return drawn


def habit_loads(parameters: Array, days: int) -> Array:
    """Loads (n, days) of the days before a season, newest last: six equal days a week, the last of seven is rest."""
    rest = np.arange(-days, 0) % WEEK_DAYS == WEEK_DAYS - 1
    daily = parameters[:, HABIT] * WEEK_DAYS / (WEEK_DAYS - 1)
    loads: Array = np.where(rest, 0.0, daily[:, None])
    return loads


@dataclass(frozen=True)
class Day:
    """What a day of training led to, for n persons: arrays (n,).

    performance: in points; ratio: acute to chronic load; hurt: injured today; lost: no training was possible today.
    """

    performance: Array
    ratio: Array
    hurt: NDArray[np.bool_]
    lost: NDArray[np.bool_]


class Fitness:
    """Bodies that train. Arrays have one row per person.

    model: "banister" or "busso". ratio_weight: 1 as above, 0 for a hazard that hangs on acute load alone. Raises
    ValueError for another model.
    """

    def __init__(self, model: str = BANISTER, ratio_weight: float = 1.0) -> None:
        if model not in MODELS:
            raise ValueError(f"model is {model!r}; allowed are {', '.join(MODELS)}")
        self.model, self.ratio_weight = model, ratio_weight

    def begin(self, parameters: Array) -> Array:
        """States (n, S) after half a year of the person's habit."""
        n = len(parameters)
        state = np.zeros((n, len(STATES)))
        state[:, RESPONSE], state[:, HURT] = 1.0, NEVER_DAYS
        state[:, ACUTE] = state[:, CHRONIC] = parameters[:, HABIT]
        for load in habit_loads(parameters, HABIT_DAYS).T:
            self._train(state, parameters, load)
        return state

    def performance(self, state: Array, parameters: Array) -> Array:
        """Points (n,)."""
        points: Array = BASE + parameters[:, FITNESS] * state[:, FIT] - self.cost(state, parameters)
        return points

    def foreseen(self, state: Array, parameters: Array, days: Array) -> Array:
        """Performance (n,) after so many days (n,) of rest."""
        fit = parameters[:, FITNESS] * state[:, FIT] * np.exp(-days / parameters[:, FITNESS_DAYS])
        cost = self.cost(state, parameters) * np.exp(-days / parameters[:, FATIGUE_DAYS])
        points: Array = BASE + fit - cost
        return points

    def fatigue_load(self, state: Array, parameters: Array) -> Array:
        """Fatigue (n,) as the load that it weighs as much as: of one unit in both models."""
        load: Array = self.cost(state, parameters) / parameters[:, FATIGUE]
        return load

    def cost(self, state: Array, parameters: Array) -> Array:
        """What fatigue takes (n,), in points. Busso's weighs every day's load when it is done."""
        cost: Array = state[:, TIRED] * (parameters[:, FATIGUE] if self.model == BANISTER else 1.0)
        return cost

    def ratio(self, state: Array) -> Array:
        """Acute to chronic load (n,), the latter at least `CHRONIC_FLOOR`."""
        ratio: Array = state[:, ACUTE] / np.maximum(state[:, CHRONIC], CHRONIC_FLOOR)
        return ratio

    def ratio_after(self, state: Array, load: Array) -> Array:
        """What the ratio would be after one more day of this load."""
        acute = state[:, ACUTE] + ACUTE_PART * (load - state[:, ACUTE])
        chronic = state[:, CHRONIC] + CHRONIC_PART * (load - state[:, CHRONIC])
        ratio: Array = acute / np.maximum(chronic, CHRONIC_FLOOR)
        return ratio

    def advance(self, state: Array, parameters: Array, load: Array, chance: Array) -> Day:
        """A day, in place: `load` (n,) where the person can train. chance (n, 2): uniform draws, of injury and of how
        long it lasts."""
        lost = state[:, LOST] >= 1.0
        done = np.where(lost, 0.0, load)
        state[:, LOST] = np.maximum(state[:, LOST] - 1.0, 0.0)
        state[:, HURT] += 1.0
        self._train(state, parameters, done)
        self._strain(state, parameters, done)
        hurt = (done > 0) & (chance[:, 0] < 1.0 - np.exp(-self._hazard(state, parameters)))
        days = np.ceil(LOST_MEDIAN_DAYS * np.exp(LOST_LOG_SD * ndtri(chance[:, 1])))
        state[:, LOST] = np.where(hurt, np.minimum(days, LOST_MOST_DAYS), state[:, LOST])
        state[:, HURT] = np.where(hurt, 0.0, state[:, HURT])
        return Day(self.performance(state, parameters), self.ratio(state), hurt, lost)

    def shown(self, state: Array, parameters: Array, noise: Array) -> Array:
        """What a watch shows in the morning (n, 2): resting heart rate [bpm] and ln rMSSD. noise (n, 2): standard
        normals."""
        tired = self.fatigue_load(state, parameters)
        bpm = parameters[:, RESTING] + BPM_PER_FATIGUE * tired + BPM_SD * noise[:, 0]
        hrv = parameters[:, HRV] - HRV_PER_FATIGUE * tired + HRV_SD * noise[:, 1]
        return np.stack([bpm, hrv], axis=1)

    def _train(self, state: Array, parameters: Array, load: Array) -> None:
        p = parameters.T
        if self.model == BANISTER:
            gives, costs = load * (HALF_LOAD + HARD_LOAD) / (HALF_LOAD + load), load
        else:
            gives, costs = load, p[GROWTH] * (state[:, GROWN] + load) * load
        state[:, GROWN] = (state[:, GROWN] + load) * np.exp(-1.0 / p[GROWTH_DAYS])
        state[:, FIT] = (state[:, FIT] + state[:, RESPONSE] * gives) * np.exp(-1.0 / p[FITNESS_DAYS])
        state[:, TIRED] = (state[:, TIRED] + costs) * np.exp(-1.0 / p[FATIGUE_DAYS])
        state[:, ACUTE] += ACUTE_PART * (load - state[:, ACUTE])
        state[:, CHRONIC] += CHRONIC_PART * (load - state[:, CHRONIC])

    def _strain(self, state: Array, parameters: Array, load: Array) -> None:
        strained = self.performance(state, parameters) < BASE
        state[:, STRAIN] = np.where(strained, state[:, STRAIN] + 1.0, 0.0)
        over = state[:, STRAIN] > STRAINED_DAYS
        state[:, RESPONSE] = np.where(
            over & (load > 0), state[:, RESPONSE] * STRAIN_KEEPS, state[:, RESPONSE]
        )
        state[:, RESPONSE] = np.where(
            load > 0, state[:, RESPONSE], np.minimum(state[:, RESPONSE] / STRAIN_KEEPS, 1.0)
        )

    def _hazard(self, state: Array, parameters: Array) -> Array:
        log = LOAD_WEIGHT * (state[:, ACUTE] - parameters[:, HABIT])
        log = log + self.ratio_weight * RATIO_WEIGHT * np.maximum(self.ratio(state) - RATIO_FROM, 0.0)
        log = log + RECENT_WEIGHT * (state[:, HURT] < RECENT_DAYS)
        hazard: Array = parameters[:, HAZARD] * np.exp(log)
        return hazard
