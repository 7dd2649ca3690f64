"""Levers that are best for whole persons: insulin alone, insulin and plans apart, and both in turn.

All look by the cross-entropy method, among the rules of `agents.wholes`, on drawn people of the split train with
couplings from the prior, for the reward of the task; and all are given the same number of lives:

- dosing-only: doses, in a life without advice.
- independent: half of the lives for doses without advice, half for plans under the usual doses; then put together.
- joint: plans under the doses found so far, doses under the plans found so far, in turn.
"""

from collections.abc import Callable, Mapping

import numpy as np
import yaml
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.wholes import DOSES, FOUND, PLANS, Levers, first
from envs.faces.build import whole_setting
from envs.setting import Setting
from experiments import cross_entropy
from experiments.daily import seats
from experiments.whole.live import live
from twins import cohort
from twins.draw import draw
from twins.files import atomic_write_text

Array = NDArray[np.float64]
Known = Mapping[str, tuple[float, float, float]]

SEED = 870
TRAIN_PEOPLE, DAYS = 24, 14
POPULATION, GENERATIONS, TURNS = 20, 24, 4
"""Candidates, generations of each agent's search in all, and how often joint takes turns."""


def setting(people: int = TRAIN_PEOPLE, days: float = DAYS, seed: int = SEED) -> Setting:
    """Drawn adults of the split train, with couplings from the prior."""
    drawn = draw(cohort.load("adult"), people, seed)
    return whole_setting(cohort=drawn, days=days, split="train", seed=seed)


class Search:
    """Searches over one setting; each generation lives days of its own, the same for all its candidates."""

    def __init__(self, where: Setting, population: int = POPULATION) -> None:
        self._where, self._population, self._episode = where, population, 0
        self.curve: list[float] = []

    def _lived(self, doses: Array, plans: Array | None, episode: int) -> Array:
        """Objective of candidates (C,), rows of one or both tables."""
        many, people = len(doses), len(self._where.cohort)
        rows, keys = seats(people, self._where, episode)
        each = [None if table is None else np.repeat(table, people, axis=0) for table in (doses, plans)]
        assert each[0] is not None
        agent = Levers(each[0], each[1])
        found = live(agent, self._where, np.tile(rows, many), np.tile(keys, (many, 1)), measured=False)
        means: Array = found.objective.reshape(many, people).mean(axis=1)
        return means

    def _search(
        self, known: Known, begin: Array, scored: Callable[[Array, int], Array], generations: int
    ) -> Array:
        low, high, _ = np.array(list(known.values())).T

        def score(points: Array, generation: int) -> Array:
            return scored(low + (high - low) * points[:, 0], self._episode + generation)[:, None]

        start = (np.clip(begin, low, high) - low) / (high - low)
        dice = [np.random.default_rng([SEED, self._episode])]
        ended = cross_entropy.search(score, start[None], dice, self._population, generations)
        self.curve += ended.curve[:, 0].tolist()
        self._episode += generations
        best: Array = low + (high - low) * ended.mean[0]
        return best

    def doses(self, begin: Array, plans: Array | None, generations: int) -> Array:
        """The best doses under plans."""

        def scored(table: Array, episode: int) -> Array:
            held = None if plans is None else np.tile(plans, (len(table), 1))
            return self._lived(table, held, episode)

        return self._search(DOSES, begin, scored, generations)

    def plans(self, begin: Array, doses: Array, generations: int) -> Array:
        """The best plans under doses."""
        return self._search(
            PLANS,
            begin,
            lambda table, episode: self._lived(np.tile(doses, (len(table), 1)), table, episode),
            generations,
        )


Rules = tuple[Array, Array | None]
"""Doses, and plans where there are any."""


def dosing_only(search: Search, generations: int, turns: int) -> Rules:
    """Doses for a life without advice."""
    return search.doses(first(DOSES), None, generations), None


def independent(search: Search, generations: int, turns: int) -> Rules:
    """Doses without advice, and plans under the usual doses."""
    half = generations // 2
    return search.doses(first(DOSES), None, half), search.plans(first(PLANS), first(DOSES), half)


def joint(search: Search, generations: int, turns: int) -> Rules:
    """Each under the other, in turn, doses first."""
    doses, plans = first(DOSES), first(PLANS)
    for turn in range(turns):
        if turn % 2 == 0:
            doses = search.doses(doses, plans if turn else None, generations // turns)
        else:
            plans = search.plans(plans, doses, generations // turns)
    return doses, plans


SEARCHES: dict[str, Callable[[Search, int, int], Rules]] = {
    "dosing-only": dosing_only, "independent": independent, "joint": joint,
}  # fmt: skip


def find(
    where: Setting, population: int = POPULATION, generations: int = GENERATIONS, turns: int = TURNS
) -> dict[str, Rules]:
    """Doses and plans of every agent that is searched for, by name."""
    return {name: search(Search(where, population), generations, turns) for name, search in SEARCHES.items()}


def store(found: Mapping[str, Rules], command: str) -> None:
    """Write them, with the command that finds them."""
    table = {}
    for name, (doses, plans) in found.items():
        table[name] = {"doses": _told(DOSES, doses)}
        if plans is not None:
            table[name]["plans"] = _told(PLANS, plans)
    head = f"# Rules for whole persons that were found, see experiments/whole/optimum.py. {NOTICE}\n"
    atomic_write_text(FOUND, head + yaml.safe_dump({"command": command, "found": table}, sort_keys=False))


def _told(known: Known, values: Array) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in zip(known, values, strict=True)}
