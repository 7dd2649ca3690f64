"""Train a policy in a run folder: validation looks, checkpoints, and going on after an interruption.

What a run leaves, beside what `experiments.runs` names: evaluations.csv (the learning curve), policy/ (the
policy that scored best on validation days; safetensors and JSON), tensorboard/.
"""

from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecMonitor

import envs
from agents import frozen
from agents.frozen import FrozenPolicy
from agents.lagrange import CostPenalty
from agents.learners import make_learner
from agents.multiplier import Multiplier
from agents.sb3 import set_weights
from envs.faces.sb3 import Sb3Env
from experiments.config import TrainConfig
from experiments.imitation import imitate
from experiments.protocol import ProtocolConfig
from experiments.records.tables import read_table
from experiments.runs import Run
from experiments.simulate import world
from experiments.teaching import lessons
from experiments.trainees import Trainees, trainees, world_of
from experiments.validation import STATE, OnLook, Watch, looks_of
from twins.cohort import Cohort

_LITTLE = {
    "n_steps": 2, "batch_size": 2, "n_epochs": 1, "buffer_size": 100, "learning_starts": 0, "gradient_steps": 1,
}  # fmt: skip
"""Hyperparameters of a training of a moment."""


def train(
    config: TrainConfig,
    run: Run,
    progress: bool = False,
    on_look: OnLook | None = None,
    whom: Trainees | None = None,
) -> Path:
    """Train as `config` says in an open run, from its newest checkpoint if there is one; returns the policy's folder.

    on_look: told of every look at validation days. whom: other people than `config` names, noted in the run. Raises
    ValueError when a checkpoint or the policy to go on from does not fit the settings. Interrupted, it keeps the last
    checkpoint.
    """
    protocol = world_of(config)
    looks = looks_of(config, protocol)
    if whom is not None:
        run.update(given_people=list(whom.met))
    whom = whom or trainees(config, protocol, looks)
    cohort = whom.cohort
    parent = None if config.init_from is None or run.latest_checkpoint() else frozen.load(config.init_from)
    if config.max_wall_s is not None:
        _warm_up(config, protocol, cohort)
    env = _environment(config, protocol, cohort)
    model = _learner(config, env, config.hyperparams.model_dump())
    model.set_logger(configure(str(run.folder / "tensorboard"), ["tensorboard"]))
    penalty = _penalty(config)
    watch = Watch(config, looks, whom, run, env, on_look, penalty)
    checkpoint = run.latest_checkpoint()
    if checkpoint is not None:
        watch.restore(model, (checkpoint / STATE).read_bytes())
    elif any((run.folder / "checkpoints").glob("step_*")):
        raise ValueError(
            f"all checkpoints of {run.folder} are damaged; start a new run, this one is kept as it is"
        )
    elif parent is not None:
        _check_parent(parent, config, env)
        set_weights(model, parent.weights)
        trained_on = parent.manifest.trained_on
        run.update(
            parent_sha256=parent.manifest.weights_sha256,
            parent_people=trained_on.get("people", []),
            parent_person_days=trained_on.get("person_days", 0.0),
        )
    if config.max_wall_s is not None:
        watch.rehearse(model)
    if config.teacher is not None and checkpoint is None:
        assert isinstance(model, PPO), "checked with the settings"
        seen, asked, counts = lessons(config, protocol, cohort)
        imitate(model, seen, asked, config.seed, counts)
        run.update(taught_person_days=len(seen) * config.decision_min / 1440)
    left = config.n_timesteps - model.num_timesteps
    if left > 0 and not watch.time_is_up:
        # The weight moves before the watch saves: a checkpoint holds the weight of the rollout that follows.
        callbacks: list[BaseCallback] = [watch] if penalty is None else [penalty, watch]
        model.learn(left, callback=callbacks, reset_num_timesteps=checkpoint is None, progress_bar=progress)
    watch.finish(model)
    return run.folder / "policy"


def train_anew(config: TrainConfig, folder: Path, whom: Trainees | None = None) -> None:
    """Train in a new run folder, see `train`."""
    with Run.create(folder, config, [], {"train": config.seed}, parent=config.init_from) as run:
        train(config, run, whom=whom)


def cut(folder: Path, config: TrainConfig) -> bool:
    """Whether a finished training was ended by its clock, before its steps were done."""
    steps = read_table(folder / "evaluations.csv")["timesteps"][-1]
    return config.max_wall_s is not None and bool(steps < config.n_timesteps)


def ending(folder: Path, config: TrainConfig) -> str:
    """How far a training came, why it ended there, and its best look, in a line for the terminal."""
    looks = read_table(folder / "evaluations.csv")
    kept = frozen.load(folder).manifest.trained_on["timesteps"]  # under a limit not always the best score
    best = int(np.argmax(looks["timesteps"] == kept))
    steps, seconds = looks["timesteps"][-1], looks["wall_s"][-1]
    why = (
        f", ended by max_wall_s {config.max_wall_s:g} before {config.n_timesteps:,}"
        if cut(folder, config)
        else ""
    )
    return (
        f"{steps:,.0f} environment steps in {seconds:.0f} s{why}; kept is the policy of step "
        f"{looks['timesteps'][best]:,.0f}: time in range {looks['tir_pct'][best]:.1f} %, below 70 "
        f"{looks['below_70_pct'][best]:.1f} % on validation days"
    )


def _learner(config: TrainConfig, env: Sb3Env, hyperparams: dict[str, Any]) -> BaseAlgorithm:
    return make_learner(config.algo, VecMonitor(env), hyperparams, config.seed, config.torch_threads)


def _penalty(config: TrainConfig) -> CostPenalty | None:
    """What takes the cost out of the rewards; None when they are learned from as they are."""
    if config.cost_limit is not None:
        gains = config.lagrange_kp, config.lagrange_ki, config.lagrange_kd
        return CostPenalty(multiplier=Multiplier(config.cost_limit, *gains), every=config.lagrange_freq)
    return CostPenalty(config.cost_penalty) if config.cost_penalty else None


def _warm_up(config: TrainConfig, protocol: ProtocolConfig, cohort: Cohort) -> None:
    """Compile the kernels and wake torch by a training of a moment, so that the clock counts training alone."""
    brief = config.model_copy(update={"lanes": 2, "episode_days": config.decision_min / 1440})
    settings = config.hyperparams.model_dump()
    model = _learner(
        brief,
        _environment(brief, protocol, cohort),
        {name: _LITTLE.get(name, value) for name, value in settings.items()},
    )
    model.learn(8)


def _check_parent(parent: FrozenPolicy, config: TrainConfig, env: Sb3Env) -> None:
    """Raises ValueError when a policy saw, decided or was something else than what is trained now."""
    task, held = env.task, parent.manifest
    if held.algo != config.algo:
        raise ValueError(
            f"the policy in {config.init_from} is one of {held.algo}, not of {config.algo}; give --algo {held.algo}"
        )
    told = held.observation_names, held.action_names
    if told != (task.observation_names, tuple(field.name for field in task.fields)):
        raise ValueError(
            f"the policy in {config.init_from} was trained on other observations or actions than this environment has; "
            f"give --set history={str(held.history).lower()} if that differs, or train a new one"
        )


def _environment(config: TrainConfig, protocol: ProtocolConfig, cohort: Cohort) -> Sb3Env:
    """The training face: the protocol's world on days of the split train."""
    env: Sb3Env = envs.make_vec(
        config.env,
        config.lanes,
        "sb3",
        action=config.action,
        history=config.history,
        cohort=cohort,
        **world(protocol),
        decision_min=config.decision_min,
        days=config.episode_days,
        shield=config.shield,
        split="train",
        seed=config.seed,
    )
    return env
