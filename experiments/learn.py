"""PPO for tasks without a protocol of days with insulin: looks at validation episodes, a clock, the best policy kept.

What a task is judged by is handed in as a function, so that nothing here knows a task. The policy that scored best at a
look is kept, the untrained one's included: what is left is never worse on these episodes than what was begun with.
A training left here is its folder: looks.csv (the learning curve) and policy/ (safetensors and JSON, see
`agents.frozen`). It is short, so it is not gone on with after an interruption: the best so far is on the disk.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

import envs
from agents import frozen
from agents.actors import ACTIVATION
from agents.frozen import FrozenPolicy, TaskName
from agents.sb3 import make_ppo, weights
from envs.faces.sb3 import Sb3Env
from experiments.hyperparams import PpoConfig, load_hyperparams
from experiments.imitation import imitate
from experiments.records.config_files import Config, ConfigError
from experiments.records.tables import Table, concat, write_table
from twins.kernels import kernel_hash
from twins.units import MINUTES_PER_DAY

POLICY, LOOKS = "policy", "looks.csv"
COLUMNS = ("timesteps", "wall_s", "reward", "score")
"""Of looks.csv. reward: mean of a decision since the look before, nan at the first."""

Judge = Callable[[FrozenPolicy], float]
"""The score of a policy on validation episodes; more is better."""
Shown = Callable[[], tuple[NDArray[np.float32], ...]]
"""Observations, what was asked for there, and where not all of it counts, which does."""


class LearnConfig(Config):
    """Settings of a training. Hyperparameters: section "ENV TASK" of agents/hyperparams/ppo.yml unless given."""

    env: str = Field(description="id of the environment")
    task: TaskName = Field(description="which of its tasks")
    seed: int = Field(0, ge=0, lt=2**32, description="of weights, exploration, people and days")
    lanes: int = Field(ge=1, le=65536, description="people side by side")
    n_timesteps: int = Field(ge=1, description="decisions of all lanes together")
    max_wall_s: Annotated[float, Field(gt=0)] | None = Field(None, description="seconds, looks included")
    look_every: int = Field(ge=1, description="decisions of all lanes between two looks")
    torch_threads: int = Field(1, ge=1, le=64, description="threads of torch")
    hyperparams: PpoConfig

    @classmethod
    def tested(cls, env: str, task: TaskName, **changes: Any) -> "LearnConfig":
        """With the tested hyperparameters of the task. Raises ConfigError or ValueError naming what is wrong."""
        held = load_hyperparams("ppo", f"{env} {task}")
        if not isinstance(held, PpoConfig):
            raise ConfigError(f"the settings of {env} {task} are not PPO's")
        return cls(env=env, task=task, hyperparams=held, **changes)


def learn(
    config: LearnConfig,
    keywords: Mapping[str, Any],
    judge: Judge,
    folder: str | Path,
    facts: Mapping[str, Any] | None = None,
    shown: Shown | None = None,
) -> Table:
    """Train a policy into `folder`, which is made; returns the looks.

    keywords: of `envs.make_vec`, beside task, seed and split. facts: what else the manifest tells of it, plain values.
    shown: gives what the new learner is taught before it learns by itself, see `experiments.imitation.imitate`; its
    time counts. Raises ValueError for wrong settings, FileExistsError when a policy lies in the folder.
    """
    config.hyperparams.check(config.lanes)
    folder = Path(folder)
    if (folder / POLICY).exists():
        raise FileExistsError(f"{folder} holds a policy already, and none is written over; give a new folder")
    clock = _Clock(config.max_wall_s)
    env: Sb3Env = envs.make_vec(
        config.env,
        config.lanes,
        "sb3",
        **{**keywords, "task": config.task, "seed": config.seed, "split": "train"},
    )
    # Rewards are divided by the spread of their discounted sums, so that no task needs settings for its unit.
    scaled = VecNormalize(env, norm_obs=False, norm_reward=True, gamma=config.hyperparams.gamma)
    model = make_ppo(scaled, config.hyperparams.model_dump(), config.seed, config.torch_threads)
    rate = model.lr_schedule
    if config.hyperparams.learning_rate_schedule == "linear":
        # to zero at the end, also when the clock ends it before its steps do
        model.lr_schedule = lambda left: rate(min(left, clock.left))
    if shown is not None:
        seen, asked, *counts = shown()
        imitate(model, seen, asked, config.seed, *counts)
    watch = _Watch(config, env, judge, clock, folder, facts or {})
    model.learn(config.n_timesteps, callback=watch)
    watch.look()
    assert watch.looks is not None
    return watch.looks


class _Clock:
    def __init__(self, most_s: float | None) -> None:
        self._since, self._most_s = time.monotonic(), most_s

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self._since

    @property
    def left(self) -> float:
        """Share of the time that is left; 1 without a limit."""
        return 1.0 if self._most_s is None else max(1.0 - self.spent_s / self._most_s, 0.0)


class _Watch(BaseCallback):
    """Looks between two rollouts, keeps the best policy, minds the clock."""

    def __init__(
        self,
        config: LearnConfig,
        env: Sb3Env,
        judge: Judge,
        clock: _Clock,
        folder: Path,
        facts: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._config, self._env, self._judge, self._clock = config, env, judge, clock
        self._folder, self._facts = folder, facts
        self.looks: Table | None = None
        self._best, self._next, self._sum, self._count = -np.inf, 0, 0.0, 0

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self.look()
            self._next = self.num_timesteps + self._config.look_every

    def _on_step(self) -> bool:
        rewards = self.model.get_vec_normalize_env().get_original_reward()  # type: ignore[union-attr]
        self._sum, self._count = self._sum + float(rewards.sum()), self._count + len(rewards)
        return self._clock.left > 0

    def look(self) -> None:
        """Score the policy as it would be saved; keep it when it is the best so far."""
        if self.looks is not None and self.looks["timesteps"][-1] == self.num_timesteps:
            return
        files = self._pack()
        score = float(self._judge(frozen.unpack(files)))
        if not np.isfinite(score):
            raise ValueError(f"the judge gave {score}; a score must be a finite number")
        if score > self._best:
            self._best = score
            frozen.keep(files, self._folder / POLICY)
        reward = self._sum / self._count if self._count else np.nan
        row = (self.num_timesteps, self._clock.spent_s, reward, score)
        line: Table = {name: np.array([value], float) for name, value in zip(COLUMNS, row, strict=True)}
        self.looks = line if self.looks is None else concat([self.looks, line])
        self._sum, self._count = 0.0, 0
        write_table(self._folder / LOOKS, self.looks)

    def _pack(self) -> dict[str, bytes]:
        config, task = self._config, self._env.task
        minutes = self._env.minutes_per_step
        manifest = {
            "algo": "ppo",
            "env": config.env,
            "task": config.task,
            "oracle": getattr(task, "oracle", False),
            "decision_min": minutes,
            "observation_names": task.observation_names,
            "action_names": tuple(field.name for field in task.fields),
            "net_arch": config.hyperparams.net_arch,
            "activation": ACTIVATION["ppo"],
            "trained_on": {
                "people": list(self._env.core.setting.cohort.ids),
                "split": "train",
                "seed": config.seed,
                "timesteps": self.num_timesteps,
                "person_days": self.num_timesteps * minutes / MINUTES_PER_DAY,
                "hyperparams": config.hyperparams.model_dump(mode="json"),
                **self._facts,
            },
            "kernel_hash": kernel_hash(),
        }
        return frozen.pack(manifest, weights(self.model))
