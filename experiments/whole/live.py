"""Whole persons under an agent: every minute's glucose, every day's record, the reward by its terms. The dead count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.wholes import WholeAgent
from envs import trace as t
from envs.core import Core
from envs.living.life import Life
from envs.setting import Setting
from envs.tasks.whole_person import WholePerson
from experiments.daily import Keys
from experiments.metrics import LOW, episode_metrics
from experiments.records.tables import Table
from twins.bodies.circadian import STEP_MIN
from twins.units import MINUTES_PER_DAY

PER_DEATH = 300.0
"""What a failed life costs, beside what is not earned after it: about three weeks without risk (assumed)."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lived:
    """What n people lived: days (n, D, C), columns of `envs.living.record`; terms: sums of reward (n,) by name, until
    death; died (n,): "low", "high" or ""; glucose (n, T), at each reading from `first_min` (n,) on, metrics: of it;
    usual_sleep_h (n,); kept: more per reading, where asked for."""

    days: Array
    terms: dict[str, Array]
    died: NDArray[np.str_]
    glucose: Array
    first_min: NDArray[np.int64]
    metrics: Table
    usual_sleep_h: Array
    kept: dict[str, Array]

    @property
    def objective(self) -> Array:
        """Reward a day of those planned (n,), a death included."""
        total: Array = np.sum(list(self.terms.values()), axis=0) - PER_DEATH * (self.died != "")
        whole_days = self.glucose.shape[1] * STEP_MIN / MINUTES_PER_DAY
        each: Array = total / whole_days
        return each


def live(
    agent: WholeAgent,
    setting: Setting,
    rows: NDArray[np.int64],
    keys: Keys,
    measured: bool = True,
    keep: bool = False,
) -> Lived:
    """The weeks of each of these people (n,) under keys (n, 6). measured: with metrics of glucose, which a search does
    not need."""
    n, dt = len(rows), setting.sensor.sample_min
    core = Core(setting, WholePerson(setting.oracle), n)
    core.reset(rows, keys)
    life = core.conduct
    assert isinstance(life, Life)
    steps = round(setting.days * MINUTES_PER_DAY) // setting.decision_min
    each = setting.decision_min // dt
    glucose, alive = np.full((n, steps * each), np.nan), np.ones(n, bool)
    died, failed_at, first = np.full(n, "", "U4"), np.full(n, -1), life.first_min.copy()
    terms: dict[str, Array] = {}
    of_the_dead = np.zeros_like(life.days)
    more = ("basal_share", "bolus_u", "carbs_g", "iob_u") if keep else ()
    kept = {name: np.zeros((n, steps * each)) for name in more}
    scheduled = core.view.therapy[:, 0].copy()
    for step in range(steps):
        done = core.step(agent.act(core.view.shown()))
        for name, value in done.terms.items():
            terms[name] = terms.get(name, np.zeros(n)) + np.where(alive, value, 0.0)
        here = slice(step * each, (step + 1) * each)
        glucose[alive, here] = done.trace[alive][:, dt - 1 :: dt, t.GLUCOSE_MG_DL]
        if keep:
            held = t.intervals(done.trace, 0.0, dt)
            kept["basal_share"][:, here] = held["basal_u_per_h"] / scheduled[:, None]
            for name in more[1:]:
                kept[name][:, here] = held[name]
        fails = alive & done.terminated
        died[fails] = np.where(core.glucose[fails] < LOW, "low", "high")
        failed_at[fails], of_the_dead[fails] = (step + 1) * each - 1, life.days[fails]
        alive &= ~fails
    metrics: Table = {}
    if measured:
        low, high = setting.failure_low_mg_dl, setting.failure_high_mg_dl
        metrics = episode_metrics(glucose, died, failed_at, dt, low, high)
    # The core goes on with the dead; their days end here.
    days = np.where((died != "")[:, None, None], of_the_dead, life.days)
    return Lived(days, terms, died, glucose, first, metrics, life.usual_sleep_h.copy(), kept)
