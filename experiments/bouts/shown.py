"""What the consensus asks for around sessions, as actions: where a policy's training begins."""

import numpy as np
from numpy.typing import NDArray

from agents.sessions import CONSENSUS
from agents.tunable import Tuned
from envs.bouts import advice as a
from envs.bouts import seen as s
from envs.bouts.advice import MOST_CARBS_G, MOST_DELAY_MIN, MOST_FACTOR, Moment
from envs.core import Core
from envs.roster import Roster
from envs.setting import Setting
from envs.tasks.session import AroundSession

EPISODES = 6
STRAY_SD = 0.3
"""Advice strays from the consensus by so much, so that it is also seen what is asked for then."""
NO_FOOD = -0.15
"""The action that stands for no food and no delay: so near to some that a learner tries it."""


def shown(
    setting: Setting, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Observations (m, O) at moments, what the consensus asks for there as actions (m, 6), and which of them count."""
    n = len(setting.cohort)
    roster, rng = Roster(setting.cohort, n, setting.split, setting.seed), np.random.default_rng(seed)
    seen, asked, counted = [], [], []
    consensus = Tuned(CONSENSUS)
    for _ in range(EPISODES):
        core = Core(setting, AroundSession(setting.oracle), n)
        observation = core.reset(*roster.next(np.arange(n)))
        for _ in range(round(setting.days * 1440) // setting.decision_min):
            assert core.view.activity is not None
            moment = core.view.activity[:, s.MOMENT].astype(int)
            plan = consensus.act(core.view).plan
            assert plan is not None
            action, now = as_action(plan, moment), moment > 0
            seen.append(observation[now])
            asked.append(action[now])
            counted.append(_counts(moment)[now])
            observation = core.step(rng.normal(action, STRAY_SD)).obs
    return (
        np.concatenate(seen), np.concatenate(asked).astype(np.float32), np.concatenate(counted).astype(np.float32),
    )  # fmt: skip


def as_action(plan: NDArray[np.float64], moment: NDArray[np.int64]) -> NDArray[np.float64]:
    """The actions (n, 6) of `AroundSession` that ask for a plan (n, K), see `envs.bouts.advice.PLAN`."""
    food = np.where(plan[:, a.CARBS_G] > 0, plan[:, a.CARBS_G] / MOST_CARBS_G, NO_FOOD)
    delay = np.where(plan[:, a.DELAY_MIN] > 0, plan[:, a.DELAY_MIN] / MOST_DELAY_MIN, NO_FOOD)
    bed = moment == Moment.BEDTIME
    return np.stack(
        [
            _share(plan[:, a.BASAL]), _share(plan[:, a.BOLUS]), np.where(bed, NO_FOOD, food), delay,
            _share(plan[:, a.BEDTIME_BASAL]), np.where(bed, food, NO_FOOD),
        ],
        axis=1,
    )  # fmt: skip


def _share(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(factor > 1, (factor - 1) / (MOST_FACTOR - 1), factor - 1)


def _counts(moment: NDArray[np.int64]) -> NDArray[np.float64]:
    day, bed = (moment > 0) & (moment != Moment.BEDTIME), moment == Moment.BEDTIME
    return np.stack([day, day, day, moment == Moment.START, bed, bed], axis=1).astype(float)
