"""The consensus with gains of each person, found on that person's own body, with more sessions than a training has."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.sessions import CONSENSUS
from agents.tunable import PerLane
from envs.setting import Setting
from experiments.best_gains import best, lanes, mean_of, spend
from experiments.bouts.judge import LANES, live_lanes
from experiments.records.gains import Tuning

TUNE_SEED = 800
SESSIONS_EACH = 10_000
"""Sessions of each person; a training sees 28,000 to 64,000 of everybody together. With 2,500 gains were still
better with more."""


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
    """Mean reward (C, P) of candidates (C, P, K) on these replicas."""
    parts = [
        live_lanes(PerLane(CONSENSUS, one.gains), setting, one.rows, one.keys, measured=False)["reward"]
        for one in lanes(setting, values, replicas, LANES)
    ]
    return mean_of(parts, setting, values, replicas)
