"""Plans of sleep and light that are best: for the average person, and for each person by an oracle that knows the body.

Both look among the schemes of `agents.sleepers.Scheme` by the cross-entropy method, within the same bounds and for the
same objective as everybody. The average person has the medians of clock and sleep, and lives weeks of the split train.
The oracle's search lives in the very body and the very weeks that are judged.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import yaml
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.sleepers import FOUND, NUMBERS, PUBLISHED, Scheme
from envs.nights.setting import NightsSetting
from experiments import cross_entropy
from experiments.daily import Keys, seats
from experiments.nights.live import live
from twins import cohort
from twins.files import atomic_write_text
from twins.world.duties import KINDS

Array = NDArray[np.float64]

SEED = 810
LANES = 4096
POPULATION, GENERATIONS, WEEKS = 48, 40, 24
"""Of the search for the average person, for each kind of weeks: schemes, and weeks (calendars, seasons of the year,
nights) that each generation draws anew."""
ORACLE_POPULATION, ORACLE_GENERATIONS = 32, 24

_LOW, _HIGH = np.array(list(NUMBERS.values())).T


@dataclass(frozen=True)
class Optimum:
    """numbers (S, K) of the best schemes, and the objective of each generation's elite (G, S)."""

    numbers: Array
    curve: Array


def for_the_average(
    population: int = POPULATION, generations: int = GENERATIONS, weeks: int = WEEKS, clock: str = "forger"
) -> Optimum:
    """The schemes (S = 3, one for each kind of weeks) that are best for the average person."""
    setting = NightsSetting(cohort.load("adult"), clock=clock, spread=0.0, split="train", seed=SEED)
    found = [
        _for_a_kind(replace(setting, kind=kind), k, population, generations, weeks)
        for k, kind in enumerate(KINDS)
    ]
    return Optimum(
        np.concatenate([one.numbers for one in found]), np.concatenate([one.curve for one in found], axis=1)
    )


def _for_a_kind(setting: NightsSetting, kind: int, population: int, generations: int, weeks: int) -> Optimum:
    def scored(numbers: Array, episode: int) -> Array:
        rows, keys = seats(weeks, setting, episode)
        many = len(numbers)
        lanes = np.repeat(numbers[:, 0], weeks, axis=0)
        found = _objectives(lanes, setting, np.tile(rows, many), np.tile(keys, (many, 1)))
        means: Array = found.reshape(many, weeks).mean(axis=1, keepdims=True)
        return means

    first = np.array([PUBLISHED[kind].get(name, 0.0) for name in NUMBERS])
    return _search(scored, first[None], [np.random.default_rng([SEED, kind])], population, generations)


def for_each(
    people: int,
    setting: NightsSetting,
    first: Array,
    population: int = ORACLE_POPULATION,
    generations: int = ORACLE_GENERATIONS,
) -> Optimum:
    """The schemes (S = people) that are best for each of the bodies that `experiments.nights.live.seats` gives.

    first (3, K): where searches begin, by kind, and what stays where none does better. The weeks are those judged,
    nights included: the oracle knows the person and what is to come, as far as a scheme can use it.
    """
    rows, keys = seats(people, setting)
    kinds = live(Scheme(first), replace(setting, days=1), rows, keys).kind

    def scored(numbers: Array, _: int) -> Array:
        many = len(numbers)
        found = _objectives(
            numbers.reshape(-1, numbers.shape[2]), setting, np.tile(rows, many), np.tile(keys, (many, 1))
        )
        return found.reshape(many, people)

    dice = [np.random.default_rng([SEED, int(key), k]) for k, key in enumerate(setting.cohort.numbers[rows])]
    return _search(scored, first[kinds], dice, population, generations)


def _search(
    scored: Callable[[Array, int], Array],
    first: Array,
    dice: list[np.random.Generator],
    population: int,
    generations: int,
) -> Optimum:
    """The best of searches that begin with `first` (S, K), which stays where none does better."""

    def numbers(points: Array) -> Array:
        return np.asarray(_LOW + (_HIGH - _LOW) * points)

    begin = (np.clip(first, _LOW, _HIGH) - _LOW) / (_HIGH - _LOW)
    ended = cross_entropy.search(
        lambda points, generation: scored(numbers(points), generation), begin, dice, population, generations
    )
    finalists = numbers(np.concatenate([ended.mean[None], ended.centre[None], ended.best[:2], begin[None]]))
    chosen = scored(finalists, generations).argmax(axis=0)
    return Optimum(finalists[chosen, np.arange(len(dice))], ended.curve)


def _objectives(numbers: Array, setting: NightsSetting, rows: NDArray[np.int64], keys: Keys) -> Array:
    """The objective of every lane's own scheme (n,)."""
    parts = []
    for begin in range(0, len(rows), LANES):
        part = slice(begin, begin + LANES)
        parts.append(live(Scheme(numbers[part], each=True), setting, rows[part], keys[part]).objective)
    return np.concatenate(parts)


def store(found: Optimum, command: str) -> None:
    """Write the schemes for the average person, with the command that finds them."""
    rows = {
        kind: {name: round(float(value), 3) for name, value in zip(NUMBERS, row, strict=True)}
        for kind, row in zip(KINDS, found.numbers, strict=True)
    }
    told = {"command": command, "numbers": rows}
    head = (
        f"# The schemes that are best for the average person, see experiments/nights/optimum.py. {NOTICE}\n"
    )
    atomic_write_text(FOUND, head + yaml.safe_dump(told, sort_keys=False))
