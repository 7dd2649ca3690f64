"""Policies of the task "whole": one flat action for insulin, exercise and nights, trained on drawn people.

A policy begins as the rules that were found jointly: it is shown what they ask for, and learns to ask so, before it
learns by itself.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.frozen import FrozenPolicy
from agents.wholes import WHOLES, Learned
from envs.core import Core
from envs.living import seen as s
from envs.living.advice import PLAN, Moment
from envs.setting import Setting
from envs.tasks.whole_person import ACTIONS, WholePerson
from experiments.daily import seats
from experiments.learn import LearnConfig, learn
from experiments.records.tables import Table
from experiments.whole import optimum
from experiments.whole.judge import OURS, setting
from experiments.whole.live import live
from twins import cohort
from twins.draw import draw

ID = "Homeostat/WholePerson-v0"
BEGINS_AS = OURS
LANES, STEPS, LOOK_EVERY, MOST_S = 240, 50_000_000, 460_800, 850.0
"""A look is after forty days of each lane; the clock ends a training before its steps do."""
LOOKED_AT, LOOKED_DAYS = 48, 14
"""Validation lives, the same at every look."""
SHOWN_DAYS, STRAYS, FAR = 6, 0.3, 0.15
"""Days of every lane that are shown; share of decisions in which somebody strays from the rules, and how far, so that
it is also seen what they ask for then."""
_OF_WAKING, _OF_EVENING = slice(2, 6), slice(6, 2 + len(PLAN))


def train(seed: int, folder: str | Path, steps: int = STEPS, max_wall_s: float = MOST_S) -> Table:
    """Train a policy into a folder; returns its looks, see `experiments.learn.learn`."""
    validation = draw(cohort.load("adult"), LOOKED_AT, optimum.SEED, split="validation")
    where = setting(validation, days=LOOKED_DAYS, split="validation")
    rows, keys = seats(LOOKED_AT, where)

    def score(policy: FrozenPolicy) -> float:
        return float(live(Learned(policy), where, rows, keys, measured=False).objective.mean())

    config = LearnConfig.tested(
        ID, "whole", seed=seed, lanes=LANES, n_timesteps=steps, look_every=LOOK_EVERY, max_wall_s=max_wall_s
    )
    there = optimum.setting(seed=optimum.SEED)
    keywords = {"cohort": there.cohort, "days": there.days}
    return learn(config, keywords, score, folder, {"began_as": BEGINS_AS}, lambda: shown(there, seed))


def shown(
    where: Setting, seed: int, lanes: int = LANES
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Observations (m, O), what the rules ask for there as actions (m, A), and which numbers count then (m, A)."""
    rng, agent = np.random.default_rng(seed), WHOLES[BEGINS_AS]()
    core = Core(where, WholePerson(), lanes)
    observation = core.reset(*seats(lanes, where, episode=seed))
    seen: list[NDArray[np.float32]] = []
    asked: list[NDArray[np.float32]] = []
    counts: list[NDArray[np.float32]] = []
    for _ in range(SHOWN_DAYS * 24 * 60 // where.decision_min):
        view = core.view.shown()
        action = agent.act(view)
        assert view.activity is not None, "nobody lives in this setting"
        moment = view.activity[:, s.MOMENT]
        here = np.ones((lanes, len(ACTIONS)), np.float32)
        here[moment != Moment.WAKING, _OF_WAKING] = 0.0
        here[moment != Moment.EVENING, _OF_EVENING] = 0.0
        seen.append(observation.copy())
        asked.append(action.astype(np.float32))
        counts.append(here)
        strays = rng.random((lanes, 1)) < STRAYS
        observation = core.step(np.where(strays, rng.normal(action, FAR), action)).obs
    return np.concatenate(seen), np.concatenate(asked), np.concatenate(counts)
