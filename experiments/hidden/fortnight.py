"""A hidden person's days in the environment that policies are judged in: the diary of one fortnight, then the next.

The diary is lived with the settings that a person has, without a shield; half of the people of M3 live it with a pump
that doses by itself. What follows are new days of the same body, under whatever agent is judged.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent, Policy
from envs import trace
from envs import view as v
from envs.core import Core, Transition
from envs.setting import Setting, make_setting
from envs.tasks.dosing import Dosing
from envs.therapy import Request, basal_bolus
from envs.view import View
from experiments.hidden.people import People
from experiments.hidden.pump import Pump
from experiments.simulate import Rollout, run
from twins import random
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U, Cohort
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world.behaviour import Behaviour
from twins.world.diary import STEP_MIN, Diary
from twins.world.scenarios import RandomMeals

DIARY_DAYS = 14
NEW_DAYS = 14
WARMUP_DAYS = 1
"""Days under the judged agent that are not scored: the body is that of the diary's last day, the meals are new."""
START = datetime(2024, 1, 1)
SENSOR = "Dexcom"
RESCUE_LOGGED = 0.5
DIARY_REPLICA, NEW_REPLICA = 0, 1
"""Of the random keys: other days, and the same person's bias in counting carbs."""
_LOGGED_FIRST = 10_000_000


class AsLived:
    """The treatment of the diary: the calculator of a pump, and for some a pump that doses by itself."""

    def __init__(self, automated: NDArray[np.bool_]) -> None:
        self._automated = automated
        self._pump: Pump | None = None

    def act(self, view: View) -> Request:
        """See `agents.base.Treatment`."""
        asked = basal_bolus(view)
        if not self._automated.any():
            return asked
        if self._pump is None:
            columns = (BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U)
            basal, ratio, factor = (view.therapy[:, column] for column in columns)
            self._pump = Pump(basal, ratio, factor, view.interval_min)
        now = view.now
        basal, meal, correction = self._pump.dose(now[:, v.LAST_VALID_MG_DL], now[:, v.ANNOUNCED_G])
        own = self._automated
        return Request(
            np.where(own, basal, asked.basal_u_per_h), np.where(own, meal + correction, asked.bolus_u)
        )


class _Minutes:
    """A watcher that keeps what a diary needs of every minute."""

    def __init__(self) -> None:
        self._kept: list[NDArray[np.float64]] = []

    def begin(self, core: Core) -> None:
        """See `experiments.simulate.Watcher`."""

    def decision(
        self, core: Core, minute: int, observation: NDArray[Any] | None, asked: NDArray[Any] | Request
    ) -> Callable[[Transition], None]:
        """See `experiments.simulate.Watcher`."""
        return lambda done: self._kept.append(done.trace.copy())

    def all(self) -> NDArray[np.float64]:
        """(n, minutes, F), columns of `envs.trace`."""
        return np.concatenate(self._kept, axis=1)


def diaries(people: People, seed: int) -> list[Diary]:
    """The fortnight of each person, as their devices and logs tell of it. It hangs on the person alone."""
    minutes = _Minutes()
    setting = _setting(people.cohort, people.habits, "off", None, DIARY_DAYS, seed)
    keys = _keys(people.cohort, seed, DIARY_REPLICA)
    core = Core(setting, Dosing(), len(keys))
    run(core, np.arange(len(keys)), keys, AsLived(people.automated), watcher=minutes)
    kept = minutes.all()[:, : DIARY_DAYS * MINUTES_PER_DAY]
    steps = kept.shape[1] // STEP_MIN
    blocks = kept[:, : steps * STEP_MIN].reshape(len(kept), steps, STEP_MIN, -1)
    exact = not people.habits.missed
    draws = random.uniform(random.stream(keys, Stream.MISMATCH), steps, first=_LOGGED_FIRST)
    rescue = np.where(exact | (draws < RESCUE_LOGGED), blocks[..., trace.RESCUE_G].sum(axis=2), 0.0)
    carbs = blocks[..., trace.ANNOUNCED_G].sum(axis=2) + rescue
    reading = _latest(blocks[..., trace.CGM_MG_DL])
    bolus, basal = blocks[..., trace.BOLUS_U].sum(axis=2), blocks[..., trace.BASAL_U_PER_H].mean(axis=2)
    return [
        Diary(who, START, reading[row], carbs[row], bolus[row], basal[row])
        for row, who in enumerate(people.cohort.ids)
    ]


def _latest(readings: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last reading before the beginning of each step (n, K) of blocks (n, K, 5); NaN where the block had none."""
    taken = np.isfinite(readings)
    last = readings.shape[2] - 1 - taken[:, :, ::-1].argmax(axis=2)
    found = np.take_along_axis(readings, last[:, :, None], axis=2)[:, :, 0]
    return np.concatenate([found[:, :1], found[:, :-1]], axis=1)


def new_days(
    people: People, agent: Agent, therapy: NDArray[np.float64], shield: str, seed: int, days: int = NEW_DAYS
) -> Rollout:
    """Days after the diary under an agent, with settings `therapy` (n, 7). Policies decide as often as they learned."""
    cohort = people.afterwards(DIARY_DAYS - WARMUP_DAYS, therapy)
    policy = isinstance(agent, Policy)
    decision_min = getattr(agent, "decision_min", None) if policy else None
    setting = _setting(cohort, people.habits, shield, decision_min, WARMUP_DAYS + days, seed)
    task = Dosing(getattr(agent, "action", "modulation"), False, bool(getattr(agent, "history", False)))
    keys = _keys(cohort, seed, NEW_REPLICA)
    return run(Core(setting, task, len(keys)), np.arange(len(keys)), keys, agent, WARMUP_DAYS)


def _setting(
    cohort: Cohort, habits: Behaviour, shield: str, decision_min: int | None, days: int, seed: int
) -> Setting:
    return make_setting(
        cohort=cohort, scenario=RandomMeals(habits), announce="behaviour", sensor=SENSOR, decision_min=decision_min,
        days=days, shield=shield, split="test", seed=seed,
    )  # fmt: skip


def _keys(cohort: Cohort, seed: int, replica: int) -> NDArray[np.uint32]:
    return random.keys("test", seed, cohort.numbers, replica, 0)
