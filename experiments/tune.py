"""Gains of a treatment from the simulator, for each person or for everybody: what a baseline can get out of it.

The search is the cross-entropy method (`experiments.cross_entropy`). Every generation meets days that none met before,
so that no gains profit from the luck of a day; among the finalists the choice is made on fresh days once more.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.load import COHORT, FAMILIES, TUNED
from agents.tunable import Family, Values
from envs.core import Core
from envs.roster import Roster
from envs.setting import DIARY, Setting
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from envs.view import View
from experiments import cross_entropy, people
from experiments.metrics import episode_metrics
from experiments.protocol import ProtocolConfig
from experiments.records.gains import Tuning, load_gains
from experiments.records.tables import Table
from experiments.simulate import LANES, Rollout, run, setting_of
from twins import cohort as cohorts
from twins.cohort import Cohort
from twins.draw import draw
from twins.words import near_miss

TUNE_SEED = 700
PERSON_DAYS, EPISODES = 2640.0, 1320
"""Default budget for each person tuned on: simulated days, and episodes where these are shorter than two days."""
LONGEST_DAYS = 3.0
"""Scored days of an episode: many short ones tell more of a set of gains than few long ones."""
DRAWN_PER_GROUP = 8
"""Drawn bodies of each age group among those that gains for everybody are tuned on."""

POPULATION, LEAST_POPULATION = 32, 12
GENERATIONS, LEAST_GENERATIONS = 9, 3
ENOUGH_EPISODES = 4
"""Episodes that a score should be a mean over, where the budget allows."""
FINALISTS, FINAL_SHARE = 6, 0.13
"""Beside the start values; the share of the budget that the choice among them may use."""


def score(episodes: Table) -> NDArray[np.float64]:
    """What tuning and the choice of a checkpoint maximise: TIR - <70 - 2 x <54 (points), less 100 for a death.

    Per episode (n,). One objective for baselines and learned policies alike.
    """
    value: NDArray[np.float64] = (
        episodes["tir_pct"]
        - episodes["below_70_pct"]
        - 2 * episodes["below_54_pct"]
        - 100 * episodes["failed"]
    )
    return value


def scored(rollout: Rollout, protocol: ProtocolConfig) -> Table:
    """The metrics of a rollout and who failed, as far as `score` needs them."""
    table = episode_metrics(
        rollout.glucose_mg_dl,
        rollout.failed_side,
        rollout.failure_sample,
        protocol.sample_min,
        protocol.glucose_failure_low_mg_dl,
        protocol.glucose_failure_high_mg_dl,
    )
    table["failed"] = (rollout.failed_side != "").astype(int)
    return table


def tune(
    family: str,
    protocol: ProtocolConfig,
    shield: str,
    cohort: Cohort | None = None,
    *,
    shared: bool = False,
    person_days: float | None = None,
) -> Tuning:
    """The best gains of a family on training days of a protocol, under the shield they are to be used with.

    cohort: who is tuned on (default: those that the protocol judges). shared: one set that is best on average over
    them; else each person's own, which hang on that person alone. person_days: budget in simulated days of all
    people together, warm-up included (default: see `PERSON_DAYS`). Raises ValueError for an unknown family,
    recorded days, and a budget under the least possible.
    """
    if family not in FAMILIES:
        raise ValueError(
            f"unknown family {family!r}{near_miss(family, FAMILIES)}; known are {', '.join(FAMILIES)}"
        )
    if protocol.scenario.startswith(DIARY):
        raise ValueError(
            f"{protocol.scenario} has the same days for tuning and for judging; tune on another protocol and give its "
            "gains with --gains FILE"
        )
    who = people.judged(protocol) if cohort is None else cohort
    train = protocol.model_copy(
        update={"split": "train", "seed": TUNE_SEED, "days": min(protocol.days, LONGEST_DAYS)}
    )
    setting = setting_of(train, shield, cohort=who)
    budget = len(who) * min(PERSON_DAYS, EPISODES * setting.days) if person_days is None else person_days
    gains = len(FAMILIES[family].gains)
    plan = _plan(budget, len(who) * setting.days, gains, len(who) if shared else 1)
    found, finals = _search(FAMILIES[family], setting, train, plan, shared)
    sets = [tuple(row.tolist()) for row in found]
    return Tuning(
        family=family,
        mode="cohort" if shared else "person",
        gains=FAMILIES[family].names,
        values=sets[0] if shared else dict(zip(who.ids, sets, strict=True)),
        person_days=plan.episodes * setting.days * len(who),
        people=len(who),
        score=finals,
        protocol=protocol.name,
        shield=shield,
    )


def tune_named(
    name: str,
    protocol: ProtocolConfig,
    shield: str,
    person_days_each: float | None = None,
    fold: int | None = None,
) -> Tuning:
    """The tuning that an agent of `agents.load.TUNED` or `COHORT` needs to be judged on a protocol.

    The latter is tuned on `other_bodies`. person_days_each: budget for each person tuned on. fold: whose people are
    judged (None: all). Raises ValueError for other names.
    """
    if name not in TUNED and name not in COHORT:
        known = (*TUNED, *COHORT)
        raise ValueError(
            f"{name!r} has no gains to tune{near_miss(name, known)}; those are {', '.join(known)}"
        )
    shared = name in COHORT
    who = other_bodies(protocol, fold) if shared else people.judged(protocol, fold)
    budget = None if person_days_each is None else person_days_each * len(who)
    return tune((TUNED | COHORT)[name].name, protocol, shield, who, shared=shared, person_days=budget)


def gains_for(name: str, file: str | None, protocol: ProtocolConfig, shield: str, fold: int | None) -> Values:
    """The gains that an agent needs to be judged: those of `file`, or a tuning's, which takes minutes and says so."""
    if file is not None:
        return load_gains(Path(file), name)
    print(f"tuning {name} on training days, which takes some minutes for 30 people", file=sys.stderr)
    return tune_named(name, protocol, shield, fold=fold).values


def other_bodies(protocol: ProtocolConfig, fold: int | None) -> Cohort:
    """Whom gains for everybody are tuned on: nobody who is judged.

    fold: those that a policy of this fold may train on. Without one all of the table are judged; then these are new
    bodies drawn around each of its age groups, their settings right.
    """
    if fold is not None:
        return people.training(protocol, fold, DRAWN_PER_GROUP, copies=1, seed=0)
    judged = people.judged(protocol)
    groups = {judged.group(row): None for row in range(len(judged))}
    return cohorts.join([draw(cohorts.load(group), DRAWN_PER_GROUP, TUNE_SEED) for group in groups])


@dataclass(frozen=True)
class _Plan:
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


def _plan(person_days: float, days_a_replica: float, gains: int, persons_a_score: int) -> _Plan:
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
                return _Plan(population, generations, replicas, final)
    search = LEAST_POPULATION * LEAST_GENERATIONS
    least = np.ceil(max(search / (1 - FINAL_SHARE), search + FINALISTS + 1) * days_a_replica)
    raise ValueError(
        f"a budget of {person_days:g} person-days is too small to tune on; give {least:.0f} or more, or fewer people, "
        "or shorter episodes"
    )


class _PerLane:
    """A treatment with gains (n, K) of its own for every lane."""

    def __init__(self, family: Family, values: NDArray[np.float64]) -> None:
        self._family, self._values = family, values

    def act(self, view: View) -> Request:
        return self._family.request(view, self._values)


def _search(
    family: Family, setting: Setting, protocol: ProtocolConfig, plan: _Plan, shared: bool
) -> tuple[NDArray[np.float64], float]:
    """The best values (S, K) and their mean score; a row per person, or S = 1 when they are shared.

    Within, gains are shares of their range, candidates (C, S, K) with scores (C, S).
    """
    low, high = family.bounds
    start = (family.start - low) / (high - low)
    searches = (
        [0] if shared else setting.cohort.numbers.tolist()
    )  # a person's luck is the same in any company
    dice = [np.random.default_rng([TUNE_SEED, one]) for one in searches]

    def scores(points: NDArray[np.float64], first: int, replicas: int) -> NDArray[np.float64]:
        values = low + points * (high - low)
        found = _scores(family, setting, protocol, values, range(first, first + replicas))
        return found.mean(axis=1, keepdims=True) if shared else found

    ended = cross_entropy.search(
        lambda points, generation: scores(points, generation * plan.replicas, plan.replicas),
        start,
        dice,
        plan.population,
        plan.generations,
    )
    mean, centre, best = ended.mean, ended.centre, ended.best
    finalists = [mean[None], centre[None], best[: FINALISTS - 2], np.tile(start, (1, len(dice), 1))]
    # Few elites leave fewer finalists than planned: the mean fills up.
    finalists += [mean[None]] * (FINALISTS + 1 - sum(map(len, finalists)))
    points = np.concatenate(finalists)
    found = scores(points, plan.generations * plan.replicas, plan.final_replicas)
    chosen = found.argmax(axis=0)
    every = np.arange(len(dice))
    return low + points[chosen, every] * (high - low), float(found[chosen, every].mean())


def _scores(
    family: Family, setting: Setting, protocol: ProtocolConfig, values: NDArray[np.float64], replicas: range
) -> NDArray[np.float64]:
    """Mean score over replicas of every candidate and person (C, P); values (C, P, K), or (C, 1, K) for all people.

    All candidates meet the same days.
    """
    persons, count = len(setting.cohort), len(replicas)
    roster = Roster(setting.cohort, persons * replicas.stop, setting.split, setting.seed)
    rows, keys = roster.next(np.arange(persons * replicas.start, persons * replicas.stop))
    shape = (count, len(values), persons)
    lane = np.broadcast_to(np.arange(persons * count).reshape(count, 1, persons), shape).ravel()
    gains = np.broadcast_to(values, (*shape, values.shape[-1])).reshape(len(lane), -1)
    parts = []
    for first in range(0, len(lane), LANES):
        chunk = lane[first : first + LANES]
        core = Core(setting, Dosing("modulation", False), len(chunk))
        agent = _PerLane(family, gains[first : first + LANES])
        rollout = run(core, rows[chunk], keys[chunk], agent, protocol.warmup_days)
        parts.append(score(scored(rollout, protocol)))
    mean: NDArray[np.float64] = np.concatenate(parts).reshape(shape).mean(axis=0)
    return mean
