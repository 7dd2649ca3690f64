"""What a plan of sleep asks for, as actions: where a policy's training begins."""

import numpy as np
from numpy.typing import NDArray

from agents.sleepers import Sleeper
from envs.nights.core import NightsCore
from envs.nights.night import DAY_H, MOST_AVOID_H, MOST_NAP_H, MOST_SEEK_H, Night
from envs.nights.rest import MOST_SHIFT_H, Rest
from envs.nights.setting import NightsSetting
from experiments.daily import seats
from twins.world.duties import USUAL_H

PEOPLE, EPISODES = 512, 4
"""Bodies, each time others, whose weeks are shown."""
STRAY_SD = 0.2
"""Plans stray from what is shown by so much, so that it is also seen what is asked for then."""
NOTHING = -0.1
"""The action that stands for no nap, no light and no glasses: so near to some that a learner tries them."""


def shown(
    plan: Sleeper, setting: NightsSetting, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Observations (m, O) and what the plan asks for there, as actions (m, 8)."""
    rng, task = np.random.default_rng(seed), Rest()
    seen, asked = [], []
    for episode in range(EPISODES):
        core = NightsCore(setting, task, PEOPLE)
        observation = core.reset(*seats(PEOPLE, setting, episode))
        for _ in range(setting.days):
            action = as_action(plan.act(core.view.shown()), core.view.today)
            seen.append(observation)
            asked.append(action)
            observation = core.step(rng.normal(action, STRAY_SD)).obs
    return np.concatenate(seen), np.concatenate(asked).astype(np.float32)


def as_action(night: Night, duty: NDArray[np.int64]) -> NDArray[np.float64]:
    """The action (n, 8) of `envs.nights.rest.Rest` that asks for a plan; hours beyond its range are the nearest."""
    bed, rise = USUAL_H[duty].T

    def lasts(hours: NDArray[np.float64], most: float) -> NDArray[np.float64]:
        action: NDArray[np.float64] = np.where(hours > 0, hours / most, NOTHING)
        return action

    columns = [(night.bed - bed) / MOST_SHIFT_H, (night.rise - rise) / MOST_SHIFT_H]
    for at, hours, most in (
        (night.nap_at, night.nap_for, MOST_NAP_H), (night.seek_at, night.seek_for, MOST_SEEK_H),
        (night.avoid_at, night.avoid_for, MOST_AVOID_H),
    ):  # fmt: skip
        columns += [2 * at / DAY_H - 1, lasts(hours, most)]
    action: NDArray[np.float64] = np.clip(np.stack(columns, axis=1), -1.0, 1.0)
    return action
