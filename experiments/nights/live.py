"""Weeks of sleep that many people live side by side under an agent, day by day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.sleepers import Sleeper
from envs.nights.core import LAPSES, NightsCore
from envs.nights.rest import Rest
from envs.nights.setting import NightsSetting
from envs.nights.watch import Lived as Steps
from experiments.daily import Keys


@dataclass(frozen=True)
class Lived:
    """What n people lived: days (n, T, R), columns of `envs.nights.core.RECORD`; rewards (n,) by term; sleepy (n,):
    mean share of required hours at a sleepiness of 8 and more; kind (n,); steps: each day in steps, if kept."""

    days: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]]
    sleepy: NDArray[np.float64]
    kind: NDArray[np.int64]
    steps: tuple[Steps, ...]

    @property
    def objective(self) -> NDArray[np.float64]:
        """The sum of all rewards (n,)."""
        total: NDArray[np.float64] = np.sum(list(self.terms.values()), axis=0)
        return total


def live(
    agent: Sleeper, setting: NightsSetting, rows: NDArray[np.int64], keys: Keys, keep: bool = False
) -> Lived:
    """The weeks of each body."""
    core = NightsCore(setting, Rest(setting.oracle), len(rows))
    core.reset(rows, keys)
    days, steps, sleepy = [], [], np.zeros(len(rows))
    terms: dict[str, NDArray[np.float64]] = {}
    for _ in range(setting.days):
        done = core.step(agent.act(core.view.shown()))
        days.append(done.trace[:, 0].copy())
        sleepy += done.cost
        if keep:
            steps.append(core.lived)
        terms = {name: terms.get(name, np.zeros(len(rows))) + value for name, value in done.terms.items()}
    busy = np.maximum(np.isfinite(np.stack(days, axis=1)[:, :, LAPSES]).sum(axis=1), 1)
    return Lived(np.stack(days, axis=1), terms, sleepy / busy, core.view.kind.copy(), tuple(steps))
