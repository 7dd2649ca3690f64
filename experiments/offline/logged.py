"""Days as a log holds them: what a closed loop saw and did, with noise that explores, and what came of it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.base import Acquainted, Treatment
from envs.core import Core
from envs.roster import Roster
from envs.setting import Setting
from envs.tasks.dosing import MAX_BASAL_FACTOR, Dosing
from experiments.protocol import ProtocolConfig
from experiments.simulate import setting_of
from twins.cohort import BASAL_U_PER_H

LEARNER = "td3-bc"
"""What learns from logs, see `experiments.offline.td3_bc`."""
DECISION_MIN = 15
NOISE_SD, NOISE_KEPT = 0.2, 0.9
"""Noise of an action (of its range of 2): an Ornstein-Uhlenbeck process that keeps so much until the next decision."""
FRESH_SD = NOISE_SD * math.sqrt(1 - NOISE_KEPT**2)


@dataclass(frozen=True)
class Log:
    """E episodes of T decisions of the task with `action="hybrid"`: a basal rate beside the calculator's boluses.

    observations (E, T + 1, O); meant (E, T): the action of the policy that was logged; raw (E, T): with its noise;
    rewards (E, T); ended (E, T): a failure came of this decision; valid (E, T): it was not after one. person (E,): ids.
    """

    observations: NDArray[np.float32]
    meant: NDArray[np.float64]
    raw: NDArray[np.float64]
    rewards: NDArray[np.float64]
    ended: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    person: NDArray[np.str_]

    @property
    def actions(self) -> NDArray[np.float64]:
        """What was done (E, T): within [-1, 1]."""
        return np.clip(self.raw, -1.0, 1.0)

    def take(self, episodes: NDArray[np.int64]) -> "Log":
        """These episodes, in this order."""
        return Log(*(getattr(self, name)[episodes] for name in Log.__dataclass_fields__))

    def between(self, first: int, end: int) -> "Log":
        """The decisions from `first` on and before `end` of all episodes."""
        at = slice(first, end)
        return Log(
            self.observations[:, first : end + 1],
            self.meant[:, at],
            self.raw[:, at],
            self.rewards[:, at],
            self.ended[:, at],
            self.valid[:, at],
            self.person,
        )

    def transitions(self) -> tuple[NDArray[Any], ...]:
        """Observation, action, reward, next observation, ended of every valid decision, as float32 (N, ...)."""
        at = self.valid
        return (
            self.observations[:, :-1][at],
            self.actions[at][:, None].astype(np.float32),
            self.rewards[at].astype(np.float32),
            self.observations[:, 1:][at],
            self.ended[at].astype(np.float32),
        )


@dataclass(frozen=True)
class Moment:
    """All lanes of a core at one decision of the log: `saved` as `Core.save` gives it, alive (E,)."""

    decision: int
    saved: dict[str, NDArray[Any]]
    alive: NDArray[np.bool_]


def setting(protocol: ProtocolConfig, split: str, seed: int, days: float) -> Setting:
    """The world of a protocol on other days, decided every `DECISION_MIN` minutes, without a shield."""
    around = protocol.model_copy(update={"warmup_days": 0.0, "days": days})
    return replace(setting_of(around, "off", DECISION_MIN), split=split, seed=seed)


def task() -> Dosing:
    """What is decided: the basal rate, beside the usual boluses."""
    return Dosing("hybrid")


def collect(
    around: Setting, treatment: Treatment, replicas: int, seed: int, keep: tuple[int, ...] = ()
) -> tuple[Log, list[Moment]]:
    """Log `replicas` episodes of every person under a treatment's basal rate with noise, and keep the lanes at some
    decisions, so that another future can begin there.

    seed: of the noise. Raises ValueError where the treatment asks for nothing.
    """
    lanes = len(around.cohort) * replicas
    core = Core(around, task(), lanes)
    rows, keys = Roster(around.cohort, lanes, around.split, around.seed).next(np.arange(lanes))
    if isinstance(treatment, Acquainted):
        treatment.meet(around.twins, rows, keys, core.control_min)
    observation = core.reset(rows, keys)
    decisions = int(around.days * 1440) // around.decision_min
    noise = exploration(keys, decisions, seed)
    shape = (lanes, decisions)
    observations = np.empty((lanes, decisions + 1, observation.shape[1]), np.float32)
    meant, raw, rewards = np.empty(shape), np.empty(shape), np.empty(shape)
    ended, valid = np.zeros(shape, bool), np.zeros(shape, bool)
    alive, moments = np.ones(lanes, bool), []
    for decision in range(decisions):
        if decision in keep:
            moments.append(Moment(decision, core.save(), alive.copy()))
        observations[:, decision] = observation
        meant[:, decision] = as_action(treatment.act(core.view.shown()).basal_u_per_h, core)
        raw[:, decision] = meant[:, decision] + noise[:, decision]
        done = core.step(raw[:, decision][:, None])
        rewards[:, decision], valid[:, decision] = done.reward, alive
        ended[:, decision] = done.terminated & alive
        alive &= ~done.terminated
        observation = done.obs
    observations[:, decisions] = observation
    if not np.isfinite(meant[valid]).all():
        raise ValueError(
            f"{type(treatment).__name__} asked for no basal rate at times; give one that always does"
        )
    ids = np.array(around.cohort.ids)[rows]
    return Log(observations, meant, raw, rewards, ended, valid, ids), moments


def as_action(basal_u_per_h: NDArray[np.float64], core: Core) -> NDArray[np.float64]:
    """The action (n,) of the task that stands for these rates (n,)."""
    scheduled = core.view.therapy[:, BASAL_U_PER_H]
    action: NDArray[np.float64] = np.clip(2 * basal_u_per_h / (MAX_BASAL_FACTOR * scheduled) - 1, -1.0, 1.0)
    return action


def exploration(keys: NDArray[np.uint32], decisions: int, seed: int) -> NDArray[np.float64]:
    """The noise of every decision (E, T); that of an episode hangs on its key (E, 6) and the seed alone."""
    drawn = np.stack(
        [np.random.default_rng([seed, *key.tolist()]).standard_normal(decisions) for key in keys]
    )
    noise = np.empty_like(drawn)
    noise[:, 0] = NOISE_SD * drawn[:, 0]
    for decision in range(1, decisions):
        noise[:, decision] = NOISE_KEPT * noise[:, decision - 1] + FRESH_SD * drawn[:, decision]
    return noise


def noise_after(
    noise: NDArray[np.float64], last: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (E, T) and standard deviation (T,) of each step of this noise (E, T), given the one before.

    last (E,): the noise before the first step; None: there was none, it begins here.
    """
    before = np.zeros_like(noise[:, :1]) if last is None else last[:, None]
    sd = np.full(noise.shape[1], FRESH_SD)
    sd[0] = NOISE_SD if last is None else FRESH_SD
    return NOISE_KEPT * np.concatenate([before, noise[:, :-1]], axis=1), sd


def log_density(noise: NDArray[np.float64], last: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Log density (E, T) of each step of this noise, but for a constant; last: see `noise_after`."""
    expected, sd = noise_after(noise, last)
    density: NDArray[np.float64] = -0.5 * ((noise - expected) / sd) ** 2 - np.log(sd)
    return density
