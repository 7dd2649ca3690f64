"""What happens between two rollouts of a training: looks at validation days, checkpoints, and the clock.

The policy that scored best at a look is kept, that of the first look (untrained, or the parent of a fine-tuning)
included: what a training leaves is never worse on these days than what it began with. Under a limit of cost it is the
best of those within the limit; when there is none, the one that cost least; and one of the last quarter of the
training where there is one, for the weight of the cost settles late.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as safetensors
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from agents import frozen
from agents.actors import ACTIVATION
from agents.lagrange import CostPenalty
from agents.sb3 import restore_state, save_state, weights
from envs.faces.sb3 import Sb3Env
from envs.tasks.dosing import Dosing
from experiments.config import LAGRANGE, TrainConfig
from experiments.protocol import ProtocolConfig
from experiments.records.tables import Table, concat, write_table
from experiments.runs import Run
from experiments.simulate import simulate
from experiments.trainees import Trainees
from experiments.tune import score, scored
from twins.kernels import kernel_hash

VALIDATION_SEED = 500
STATE = "state.safetensors"
_LOOK = ("timesteps", "wall_s", "tir_pct", "below_70_pct", "below_54_pct", "failures", "score")
"""Columns of evaluations.csv."""
_FREE = {
    "n_timesteps", "max_wall_s", "eval_freq", "save_freq", "eval_replicas", "torch_threads", "init_from",
}  # fmt: skip

_BEYOND = -1000.0
"""Less than any score."""
SETTLED = 0.75
"""Share of a training after which the weight of its cost is taken to have settled."""

OnLook = Callable[[int, float], None]
"""Told the environment steps and the score of each look; what it raises ends the training."""


def looks_of(config: TrainConfig, protocol: ProtocolConfig) -> ProtocolConfig:
    """The protocol on the validation days of a training's looks."""
    return protocol.model_copy(
        update={
            "split": "validation",
            "seed": VALIDATION_SEED,
            "replicas": config.eval_replicas,
            "days": config.eval_days,
            "warmup_days": 0.0,
        }
    )


@dataclass
class _Best:
    worth: float = -np.inf
    timesteps: int = -1


class Watch(BaseCallback):
    """Between two rollouts: looks at validation days, keeps the best policy, writes checkpoints, minds the clock."""

    def __init__(
        self,
        config: TrainConfig,
        looks: ProtocolConfig,
        whom: Trainees,
        run: Run,
        env: Sb3Env,
        on_look: OnLook | None = None,
        penalty: CostPenalty | None = None,
    ) -> None:
        super().__init__()
        self._on_look, self._penalty = on_look, penalty
        self._config, self._validation, self._run, self._env = config, looks, run, env
        self._judged, self._met = whom.looked_at, whom.met
        self._looks: Table | None = None
        self._best = _Best()
        self._next_look = self._next_save = 0
        self._spent_s = 0.0
        self._since = time.monotonic()

    @property
    def _wall_s(self) -> float:
        """Seconds trained, those before an interruption included."""
        return self._spent_s + time.monotonic() - self._since

    @property
    def time_is_up(self) -> bool:
        """Whether the run has used its `max_wall_s`."""
        return self._config.max_wall_s is not None and self._wall_s >= self._config.max_wall_s

    def rehearse(self, model: BaseAlgorithm) -> None:
        """A look at one decision of one person, kept nowhere: it compiles the kernels before the clock begins."""
        brief = self._validation.model_copy(update={"days": self._config.decision_min / 1440, "replicas": 1})
        policy = frozen.unpack(self._pack(model))
        scored(simulate(policy, brief, self._config.shield, self._judged.take([0])), brief)
        self._since = time.monotonic()

    def _on_step(self) -> bool:
        return not self.time_is_up

    def _on_rollout_start(self) -> None:
        done = self.model.num_timesteps
        if done >= self._next_look:
            self._look(self.model)
            self._next_look = done + self._config.eval_freq
        if done >= self._next_save and done > 0:
            self._next_save = (
                done + self._config.save_freq
            )  # saved with it: both schedules go on after a resume
            self.save(self.model)
        elif done == 0:
            self._next_save = self._config.save_freq

    def finish(self, model: BaseAlgorithm) -> None:
        """A last look and a last checkpoint (of a training that began at all)."""
        if self._looks is None or self._looks["timesteps"][-1] < model.num_timesteps:
            self._look(model)
        if model.num_timesteps > 0:
            self.save(model)

    def _look(self, model: BaseAlgorithm) -> None:
        """Score the policy as it would be saved; keep it when it is the best so far."""
        files = self._pack(model)
        policy = frozen.unpack(files)
        table = scored(
            simulate(policy, self._validation, self._config.shield, self._judged), self._validation
        )
        value = float(score(table).mean())
        row = {
            "timesteps": model.num_timesteps,
            "wall_s": self._wall_s,
            "tir_pct": table["tir_pct"].mean(),
            "below_70_pct": table["below_70_pct"].mean(),
            "below_54_pct": table["below_54_pct"].mean(),
            "failures": table["failed"].sum(),
            "score": value,
        }
        line: Table = {name: np.array([number], float) for name, number in row.items()}
        self._looks = line if self._looks is None else concat([self._looks, line])
        for name, number in row.items():
            model.logger.record(f"validation/{name}", float(number))
        worth = self._worth(value, (row["below_70_pct"] + row["below_54_pct"]) / 100, model.num_timesteps)
        if worth > self._best.worth:
            self._best = _Best(worth, model.num_timesteps)
            frozen.keep(files, self._run.folder / "policy")
        write_table(self._run.folder / "evaluations.csv", self._looks)
        if self._on_look is not None:
            self._on_look(model.num_timesteps, value)

    def _worth(self, value: float, cost: float, timesteps: int) -> float:
        """By what the best look is chosen: the score, where the mean cost is within the limit; else less than any
        score, and the less the more it costs. Before the last quarter less still: the weight is not settled."""
        limit = self._config.cost_limit
        if limit is None:
            return value
        early = _BEYOND * 100 if timesteps < SETTLED * self._config.n_timesteps else 0.0
        return early + (value if cost <= limit else _BEYOND * (1 + cost))

    def _pack(self, model: BaseAlgorithm) -> dict[str, bytes]:
        config, task = self._config, self._env.task
        assert isinstance(task, Dosing)
        before = self._run.manifest  # of a fine-tuning: what its parent met counts as met
        trained_on = {
            "people": list(dict.fromkeys([*before.get("parent_people", ()), *self._met])),
            "fold": config.fold,
            "drawn_per_group": config.drawn_per_group,
            "protocol": config.protocol,
            "split": "train",
            "seed": config.seed,
            "shield": config.shield,
            **_of_cost(config),
            "episode_days": config.episode_days,
            "timesteps": model.num_timesteps,
            **({} if config.teacher is None else {"teacher": config.teacher}),
            "person_days": before.get("parent_person_days", 0.0)
            + before.get("taught_person_days", 0.0)
            + model.num_timesteps * config.decision_min / 1440,
            "validation_seed": VALIDATION_SEED,
            "init_from": before.get("parent_sha256"),
        }
        manifest = {
            "algo": config.algo,
            "env": config.env,
            "action": task.action,
            "oracle": task.oracle,
            "history": task.history,
            "decision_min": config.decision_min,
            "observation_names": task.observation_names,
            "action_names": tuple(field.name for field in task.fields),
            "net_arch": config.hyperparams.net_arch,
            "activation": ACTIVATION[config.algo],
            "lstm_hidden_size": getattr(config.hyperparams, "lstm_hidden_size", None),
            "trained_on": trained_on,
            "kernel_hash": kernel_hash(),
        }
        return frozen.pack(manifest, weights(model))

    # --- checkpoints --------------------------------------------------------------------------------
    def save(self, model: BaseAlgorithm) -> None:
        """A checkpoint from which training goes on bit for bit."""
        arrays: dict[str, NDArray[Any]] = {
            f"model.{name}": value for name, value in save_state(model).items()
        }
        arrays |= {f"env.{name}": value for name, value in self._env.save().items()}
        if self._penalty is not None:
            arrays |= {f"penalty.{name}": value for name, value in self._penalty.save(model).items()}
        looks = self._looks or {}
        arrays |= {f"looks.{name}": column for name, column in looks.items()}
        arrays["watch"] = np.array([self._next_look, self._next_save, self._best.timesteps], np.float64)
        arrays["watch_real"] = np.array([self._best.worth, self._wall_s])
        arrays["settings"] = _digest(self._config)
        data = safetensors.save({name: np.asarray(value, order="C") for name, value in arrays.items()})
        self._run.save_checkpoint(model.num_timesteps, lambda folder: _write(folder / STATE, data))

    def restore(self, model: BaseAlgorithm, data: bytes) -> None:
        """Take back what `save` wrote. Raises ValueError when it does not fit these settings."""
        try:
            arrays = safetensors.load(data)
            same = np.array_equal(arrays["settings"], _digest(self._config))
            if same:
                self._restore(model, arrays)
        except (SafetensorError, KeyError, IndexError, TypeError, RuntimeError) as error:
            raise ValueError(
                f"the newest checkpoint does not fit this version of the code ({error}); start a new run, from the "
                "policy of this one with -i RUN/policy"
            ) from None
        if not same:
            raise ValueError(
                "the newest checkpoint does not fit the settings in config.yml: put back those that the run began "
                f"with (only {', '.join(sorted(_FREE))} may change), or start a new run"
            )

    def _restore(self, model: BaseAlgorithm, arrays: Mapping[str, NDArray[Any]]) -> None:
        observation = self._env.restore(_part(arrays, "env."))
        restore_state(model, _part(arrays, "model."), observation)
        if self._penalty is not None:
            self._penalty.restore(model, _part(arrays, "penalty."))
        looks = _part(arrays, "looks.")
        self._looks = {name: looks[name] for name in _LOOK if name in looks} or None
        self._next_look, self._next_save, best = (int(value) for value in arrays["watch"])
        self._best = _Best(float(arrays["watch_real"][0]), best)
        self._spent_s, self._since = float(arrays["watch_real"][1]), time.monotonic()


def _of_cost(config: TrainConfig) -> dict[str, Any]:
    """Under which limit or penalty of cost a policy was trained; nothing when it was not."""
    if config.cost_limit is not None:
        return {name: getattr(config, name) for name in ("cost_limit", *LAGRANGE)}
    return {"cost_penalty": config.cost_penalty} if config.cost_penalty else {}


def _digest(config: TrainConfig) -> NDArray[np.uint8]:
    """SHA-256 of the settings that cannot change while a training lasts."""
    # Without a twin or teacher as before there were any: older checkpoints can be gone on from.
    unused = {"twin", "twin_draws"} if config.twin is None else set()
    unused |= {"teacher"} if config.teacher is None else set()
    fixed = config.model_dump_json(exclude=_FREE | unused)
    return np.frombuffer(hashlib.sha256(fixed.encode()).digest(), np.uint8)


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
