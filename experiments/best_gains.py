"""The search for gains: which of a family's are best for each person, or on average over everybody.

The search is `experiments.cross_entropy`. Every generation meets days that none met before, so that no gains profit
from the luck of a day; among the finalists the choice is made on fresh days once more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.tunable import Family
from envs.roster import Roster
from envs.setting import Setting
from experiments import cross_entropy

Scores = Callable[[NDArray[np.float64], range], NDArray[np.float64]]
"""Mean scores (C, P) over these replicas of candidates with values (C, P, K), or (C, 1, K) for all people."""

POPULATION, LEAST_POPULATION = 32, 12
GENERATIONS, LEAST_GENERATIONS = 9, 3
ENOUGH_EPISODES = 4
"""Episodes that a score should be a mean over, where the budget allows."""
FINALISTS, FINAL_SHARE = 6, 0.13
"""Beside the start values; the share of the budget that the choice among them may use."""


@dataclass(frozen=True)
class Spending:
    """How a budget is spent: episodes of each person and candidate in a generation and in the final choice."""

    population: int
    generations: int
    replicas: int
    final_replicas: int

    @property
    def episodes(self) -> int:
        """Episodes of each person."""
        search = self.population * self.generations * self.replicas
        return search + (FINALISTS + 1) * self.final_replicas


def spend(person_days: float, days_a_replica: float, gains: int, persons_a_score: int) -> Spending:
    """Spend a budget: more gains need more candidates, and a score of one day or two tells nothing.

    persons_a_score: how many people a candidate's score is a mean over. Raises ValueError if it is too small.
    """
    episodes = person_days / days_a_replica
    search = (1 - FINAL_SHARE) * episodes
    most = min(LEAST_POPULATION + 2 * (gains - 2), POPULATION)
    enough = -(-ENOUGH_EPISODES // persons_a_score)
    for population, replicas in ((most, enough), (most // 2, enough), (LEAST_POPULATION, 1)):
        generations = min(int(search / (population * replicas)), GENERATIONS)
        if generations >= LEAST_GENERATIONS and population >= LEAST_POPULATION:
            replicas = int(search / (population * generations))
            final = int((episodes - population * generations * replicas) / (FINALISTS + 1))
            if final:
                return Spending(population, generations, replicas, final)
    search = LEAST_POPULATION * LEAST_GENERATIONS
    least = np.ceil(max(search / (1 - FINAL_SHARE), search + FINALISTS + 1) * days_a_replica)
    raise ValueError(
        f"a budget of {person_days:g} person-days is too small to tune on; give {least:.0f} or more, or fewer people, "
        "or shorter episodes"
    )


@dataclass(frozen=True)
class Lanes:
    """Lanes that are simulated together: whom (rows of the cohort), under which keys, with which gains (n, K)."""

    rows: NDArray[np.int64]
    keys: NDArray[np.uint32]
    gains: NDArray[np.float64]


def _shape(setting: Setting, values: NDArray[np.float64], replicas: range) -> tuple[int, int, int]:
    return len(replicas), len(values), len(setting.cohort)


def lanes(setting: Setting, values: NDArray[np.float64], replicas: range, most: int) -> Iterator[Lanes]:
    """Every candidate with every person on these replicas, at most so many at a time; all meet the same days.

    values: of candidates (C, P, K), or (C, 1, K) for all people.
    """
    shape = _shape(setting, values, replicas)
    people, count = shape[2], shape[0]
    roster = Roster(setting.cohort, people * replicas.stop, setting.split, setting.seed)
    rows, keys = roster.next(np.arange(people * replicas.start, people * replicas.stop))
    lane = np.broadcast_to(np.arange(people * count).reshape(count, 1, people), shape).ravel()
    gains = np.broadcast_to(values, (*shape, values.shape[-1])).reshape(len(lane), -1)
    for at in range(0, len(lane), most):
        chunk = lane[at : at + most]
        yield Lanes(rows[chunk], keys[chunk], gains[at : at + most])


def mean_of(
    parts: Sequence[NDArray[np.float64]], setting: Setting, values: NDArray[np.float64], replicas: range
) -> NDArray[np.float64]:
    """Mean over replicas (C, P) of what `lanes` scored, part by part."""
    mean: NDArray[np.float64] = np.concatenate(parts).reshape(_shape(setting, values, replicas)).mean(axis=0)
    return mean


def best(
    family: Family, people: NDArray[np.uint32], plan: Spending, scores: Scores, shared: bool, seed: int
) -> tuple[NDArray[np.float64], float]:
    """The best values (S, K) and their mean score; a row per person of these numbers, or S = 1 when they are shared.

    Within, gains are shares of their range, candidates (C, S, K) with scores (C, S).
    """
    low, high = family.bounds
    start = (family.start - low) / (high - low)
    searches = [0] if shared else people.tolist()  # a person's luck is the same in any company
    dice = [np.random.default_rng([seed, one]) for one in searches]

    def judged(points: NDArray[np.float64], first: int, replicas: int) -> NDArray[np.float64]:
        found = scores(low + points * (high - low), range(first, first + replicas))
        return found.mean(axis=1, keepdims=True) if shared else found

    ended = cross_entropy.search(
        lambda points, generation: judged(points, generation * plan.replicas, plan.replicas),
        start,
        dice,
        plan.population,
        plan.generations,
    )
    mean, centre, elite = ended.mean, ended.centre, ended.best
    finalists = [mean[None], centre[None], elite[: FINALISTS - 2], np.tile(start, (1, len(dice), 1))]
    # Few elites leave fewer finalists than planned: the mean fills up.
    finalists += [mean[None]] * (FINALISTS + 1 - sum(map(len, finalists)))
    points = np.concatenate(finalists)
    found = judged(points, plan.generations * plan.replicas, plan.final_replicas)
    chosen = found.argmax(axis=0)
    every = np.arange(len(dice))
    return low + points[chosen, every] * (high - low), float(found[chosen, every].mean())
