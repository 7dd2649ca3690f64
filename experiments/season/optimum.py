"""Plans of training that are best: one for a population, and one for each person by an oracle that knows the person.

Both look among the plans of `agents.seasons.Scheme` by the cross-entropy method, within the same bounds and for the
same objective as everybody. The population's is found on bodies of the split train, Banister's. The oracle's is found
on the very body that is judged, with its true parameters and habits, on other days than those judged: it knows the
person, not the luck.
"""

from dataclasses import dataclass, replace

import numpy as np
import yaml
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.seasons import FOUND, NUMBERS, Scheme
from envs.season.core import SeasonSetting
from experiments import cross_entropy
from experiments.daily import Keys, seats
from experiments.season.live import live
from twins import cohort
from twins.files import atomic_write_text

Array = NDArray[np.float64]

SEED = 800
LANES = 8192
POPULATION, GENERATIONS, BODIES = 40, 30, 300
"""Of the search for everybody: plans, and bodies that each generation draws anew."""
ORACLE_POPULATION, ORACLE_GENERATIONS, SEASONS, FINAL_SEASONS = 24, 16, 3, 16
"""Of the search for a person: plans, and seasons of other luck that each generation and the last choice live."""

_LOW, _HIGH, _FIRST = np.array(list(NUMBERS.values())).T


@dataclass(frozen=True)
class Optimum:
    """numbers (S, K) of the best plans, the objective of each generation's elite (G, S), and of the plan chosen on
    luck that no generation met (S,)."""

    numbers: Array
    curve: Array
    objective: Array


def for_everybody(
    days: int = 84, bodies: int = BODIES, population: int = POPULATION, generations: int = GENERATIONS
) -> Optimum:
    """The plan (S = 1) that is best on average for bodies of the split train."""
    setting = SeasonSetting(cohort.load("adult"), days, split="train", seed=SEED)

    def scored(numbers: Array, episode: int) -> Array:
        """Means (C, 1) over bodies for plans (C, K)."""
        rows, keys = seats(bodies, setting, episode)
        many = len(numbers)
        found = _objectives(
            np.repeat(numbers, bodies, axis=0), setting, np.tile(rows, many), np.tile(keys, (many, 1)), None
        )
        means: Array = found.reshape(many, bodies).mean(axis=1, keepdims=True)
        return means

    ended = cross_entropy.search(
        lambda points, generation: scored(_numbers(points[:, 0]), generation),
        (_FIRST - _LOW) / (_HIGH - _LOW),
        [np.random.default_rng(SEED)],
        population,
        generations,
    )
    finalists = _numbers(np.concatenate([ended.mean, ended.centre, ended.best[:4, 0]]))
    chosen = finalists[scored(finalists, generations)[:, 0].argmax()]
    return Optimum(chosen[None], ended.curve, scored(chosen[None], generations + 1)[:, 0])


def for_each(
    people: int,
    setting: SeasonSetting,
    first: Array,
    population: int = ORACLE_POPULATION,
    generations: int = ORACLE_GENERATIONS,
    seasons: int = SEASONS,
) -> Optimum:
    """The plans (S = people) that are best for each of the bodies that `experiments.season.live.seats` gives.

    first (K,): the plan that all searches begin with, and that stays where none does better.
    """
    rows, keys = seats(people, setting)
    other = replace(setting, seed=setting.seed + SEED)  # luck, of bodies of which only the luck is used

    def scored(numbers: Array, episode: int, count: int) -> Array:
        """Means (C, S) over seasons for plans (C, S, K)."""
        many = len(numbers)
        dice = np.concatenate([seats(people, other, episode + k)[1] for k in range(count)])
        found = _objectives(
            np.repeat(numbers[:, None], count, axis=1).reshape(-1, numbers.shape[2]),
            setting,
            np.tile(rows, many * count),
            np.tile(keys, (many * count, 1)),
            np.tile(dice, (many, 1)),
        )
        means: Array = found.reshape(many, count, people).mean(axis=1)
        return means

    start = (np.clip(first, _LOW, _HIGH) - _LOW) / (_HIGH - _LOW)
    numbers = setting.cohort.numbers[rows]
    luck = [
        np.random.default_rng([SEED, int(one), k // len(setting.cohort)]) for k, one in enumerate(numbers)
    ]
    ended = cross_entropy.search(
        lambda points, generation: scored(_numbers(points), generation * seasons, seasons),
        start,
        luck,
        population,
        generations,
    )
    finalists = _numbers(np.concatenate([ended.mean[None], ended.centre[None], ended.best[:2]]))
    finalists = np.concatenate([finalists, np.broadcast_to(first, (1, *finalists.shape[1:]))])
    chosen = scored(finalists, generations * seasons, FINAL_SEASONS).argmax(axis=0)
    best = finalists[chosen, np.arange(people)]
    fresh = scored(best[None], generations * seasons + FINAL_SEASONS, FINAL_SEASONS)[0]
    return Optimum(best, ended.curve, fresh)


def _numbers(points: Array) -> Array:
    """Numbers of plans from shares of their ranges."""
    numbers: Array = _LOW + points * (_HIGH - _LOW)
    return numbers


def _objectives(
    numbers: Array, setting: SeasonSetting, rows: NDArray[np.int64], keys: Keys, dice: Keys | None
) -> Array:
    """The objective of every lane's own plan (n,)."""
    parts = []
    for begin in range(0, len(rows), LANES):
        part = slice(begin, begin + LANES)
        own = None if dice is None else dice[part]
        parts.append(live(Scheme(numbers[part]), setting, rows[part], keys[part], own).objective)
    return np.concatenate(parts)


def store(found: Optimum, command: str) -> None:
    """Write the plan for everybody, with the command that finds it, for `agents.seasons.population_optimal`."""
    numbers = {name: round(float(value), 4) for name, value in zip(NUMBERS, found.numbers[0], strict=True)}
    told = {"command": command, "objective": round(float(found.objective[0]), 2), "numbers": numbers}
    head = f"# The plan that is best for bodies of the split train, see experiments/season/optimum.py. {NOTICE}\n"
    atomic_write_text(FOUND, head + yaml.safe_dump(told, sort_keys=False))
