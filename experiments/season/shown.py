"""What the population's plan asks for, as actions: where a policy's training begins."""

import numpy as np
from numpy.typing import NDArray

from agents.seasons import SeasonAgent
from envs.season.core import SeasonCore, SeasonSetting
from envs.season.plan import MOST_SHARE, Plan
from envs.season.session import LEAST_INTENSITY, MOST_INTENSITY, Session
from envs.season.view import SeasonView
from experiments.daily import seats

PEOPLE, EPISODES = 512, 4
"""Bodies, each time others, whose seasons are shown."""
STRAYS = 0.3
"""Share of days on which somebody strays from the plan, so that it is also seen what it asks for then."""
HOUR = 0.4
"""How far into its range the action goes that asks for an hour: not so far that the other is never tried."""


def shown(
    plan: SeasonAgent, setting: SeasonSetting, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Observations (m, O) and what the plan asks for there, as actions (m, A)."""
    rng, task = np.random.default_rng(seed), Plan()
    seen, asked = [], []
    for episode in range(EPISODES):
        core = SeasonCore(setting, task, PEOPLE)
        observation = core.reset(*seats(PEOPLE, setting, episode))
        for _ in range(setting.days):
            action = as_action(plan.act(core.view.shown()), core.view)
            seen.append(observation)
            asked.append(action)
            strays = rng.random((PEOPLE, 1)) < STRAYS
            observation = core.step(np.where(strays, rng.normal(action, 0.3), action)).obs
    return np.concatenate(seen), np.concatenate(asked).astype(np.float32)


def as_action(session: Session, view: SeasonView) -> NDArray[np.float64]:
    """The action (n, A) of the task "plan" that asks for a session; loads beyond its range are the nearest bound."""
    times = session.load / np.maximum(view.target_load / view.days, 1e-9)
    load = np.minimum(2 * times / MOST_SHARE - 1, 1.0)
    middle, half = (LEAST_INTENSITY + MOST_INTENSITY) / 2, (MOST_INTENSITY - LEAST_INTENSITY) / 2
    return np.stack(
        [
            load,
            (session.intensity - middle) / half,
            np.where(session.evening == 1, HOUR, -HOUR),
        ],
        axis=1,
    )
