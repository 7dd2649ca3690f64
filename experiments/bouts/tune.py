"""The consensus with gains of each person, found on that person's own body: as much as a baseline can get out of it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.sessions import CONSENSUS
from agents.tunable import PerLane
from envs.roster import Roster
from envs.setting import Setting
from experiments.best_gains import best, spend
from experiments.bouts.judge import LANES, live_lanes
from experiments.records.gains import Tuning

TUNE_SEED = 800
SESSIONS_EACH = 2500
"""Sessions of each person: of thirty people together more than a training sees."""


def tune(setting: Setting, sessions_each: int = SESSIONS_EACH) -> Tuning:
    """The gains with the most reward, for each person of the setting, on sessions of split train.

    Raises ValueError for too few sessions.
    """
    train = replace(setting, split="train", seed=TUNE_SEED)
    plan = spend(float(sessions_each), 1.0, len(CONSENSUS.gains), 1)

    def scores(values: NDArray[np.float64], replicas: range) -> NDArray[np.float64]:
        return _scores(train, values, replicas)

    found, score = best(CONSENSUS, setting.cohort.numbers, plan, scores, False, TUNE_SEED)
    return Tuning(
        family=CONSENSUS.name,
        mode="person",
        gains=CONSENSUS.names,
        values=dict(zip(setting.cohort.ids, [tuple(row.tolist()) for row in found], strict=True)),
        person_days=plan.episodes * setting.days * len(setting.cohort),
        people=len(setting.cohort),
        score=score,
        protocol="session",
        shield=setting.shield,
    )


def _scores(setting: Setting, values: NDArray[np.float64], replicas: range) -> NDArray[np.float64]:
    """Mean reward (C, P) of candidates (C, P, K) on these replicas; all meet the same sessions."""
    people, count = len(setting.cohort), len(replicas)
    roster = Roster(setting.cohort, people * replicas.stop, setting.split, setting.seed)
    rows, keys = roster.next(np.arange(people * replicas.start, people * replicas.stop))
    shape = (count, len(values), people)
    lane = np.broadcast_to(np.arange(people * count).reshape(count, 1, people), shape).ravel()
    gains = np.broadcast_to(values, (*shape, values.shape[-1])).reshape(len(lane), -1)
    parts = []
    for at in range(0, len(lane), LANES):
        chunk = lane[at : at + LANES]
        agent = PerLane(CONSENSUS, gains[at : at + LANES])
        parts.append(live_lanes(agent, setting, rows[chunk], keys[chunk], chunk // people)["reward"])
    mean: NDArray[np.float64] = np.concatenate(parts).reshape(shape).mean(axis=0)
    return mean
