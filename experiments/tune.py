"""Gains of a treatment from the simulator, for each person or for everybody: what a baseline can get out of it.

How they are sought says `experiments.best_gains`; what it maximises is `score`.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.load import COHORT, FAMILIES, TUNED
from agents.tunable import Family, PerLane, Values
from envs.core import Core
from envs.setting import DIARY, Setting
from envs.tasks.dosing import Dosing
from experiments import people
from experiments.best_gains import best, lanes, mean_of, spend
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
    plan = spend(budget, len(who) * setting.days, gains, len(who) if shared else 1)

    def scores(values: NDArray[np.float64], replicas: range) -> NDArray[np.float64]:
        return _scores(FAMILIES[family], setting, train, values, replicas)

    found, finals = best(FAMILIES[family], who.numbers, plan, scores, shared, TUNE_SEED)
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


def refuse_unused(file: str | None, word: str) -> None:
    """Raises ValueError where a file of gains is given and the agent that `word` names takes none."""
    if file is not None and word not in TUNED | COHORT:
        raise ValueError(
            f"--gains {file} given, but {word} takes none; leave it out, or name one of {', '.join(TUNED | COHORT)}"
        )


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


def _scores(
    family: Family, setting: Setting, protocol: ProtocolConfig, values: NDArray[np.float64], replicas: range
) -> NDArray[np.float64]:
    """Mean score over replicas of every candidate and person (C, P); values (C, P, K), or (C, 1, K) for all people."""
    parts = []
    for one in lanes(setting, values, replicas, LANES):
        core = Core(setting, Dosing("modulation", False), len(one.rows))
        rollout = run(core, one.rows, one.keys, PerLane(family, one.gains), protocol.warmup_days)
        parts.append(score(scored(rollout, protocol)))
    return mean_of(parts, setting, values, replicas)
