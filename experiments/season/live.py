"""Seasons that many people live side by side under an agent, day by day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.seasons import SeasonAgent
from envs.season.core import SeasonCore, SeasonSetting
from envs.season.plan import Plan
from experiments.daily import Keys
from twins.bodies import fitness


@dataclass(frozen=True)
class Lived:
    """What n people lived: days (n, T, R), columns of `envs.season.core.RECORD`; rewards (n,) by term; performance
    before (n,), and the points of fitness and of fatigue in it (n, 2); the load prescribed a day (n,); load done over
    prescribed, less what days lost would have held (n,)."""

    days: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]]
    began: NDArray[np.float64]
    parts: NDArray[np.float64]
    prescribed: NDArray[np.float64]
    load_share: NDArray[np.float64]

    @property
    def objective(self) -> NDArray[np.float64]:
        """The sum of all rewards (n,)."""
        total: NDArray[np.float64] = np.sum(list(self.terms.values()), axis=0)
        return total


def live(
    agent: SeasonAgent, setting: SeasonSetting, rows: NDArray[np.int64], keys: Keys, dice: Keys | None = None
) -> Lived:
    """A season of each body. dice: of the days, where they are not those of the keys."""
    core = SeasonCore(setting, Plan(setting.oracle), len(rows))
    core.reset(rows, keys, dice=dice)
    began = core.body.performance(core.state, core._parameters)
    cost = core.body.cost(core.state, core._parameters)
    parts = np.stack([began - fitness.BASE + cost, cost], axis=1)
    prescribed = core.view.target_load / setting.days
    days: list[NDArray[np.float64]] = []
    terms: dict[str, NDArray[np.float64]] = {}
    for _ in range(setting.days):
        done = core.step(agent.act(core.view.shown()))
        days.append(done.trace[:, 0].copy())
        terms = {name: terms.get(name, np.zeros(len(rows))) + value for name, value in done.terms.items()}
    share = core.view.done_load / np.maximum(core.view.target_load, 1e-9)
    return Lived(np.stack(days, axis=1), terms, began, parts, prescribed, share)
