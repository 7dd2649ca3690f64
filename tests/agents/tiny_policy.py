"""A small untrained policy, and its folder as a training run leaves it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import frozen
from agents.actors import ACTIVATION, needed
from envs.tasks.dosing import Dosing

Weights = dict[str, NDArray[np.float32]]


def manifest(**changes: Any) -> dict[str, Any]:
    """Everything that `frozen.pack` asks for; what is given in `changes` replaces it."""
    task = Dosing(
        changes.get("action", "modulation"), changes.get("oracle", False), changes.get("history", False)
    )
    algo = changes.get("algo", "ppo")
    plain: dict[str, Any] = {
        "algo": algo,
        "env": "Homeostat/Dosing-v0",
        "action": task.action,
        "oracle": task.oracle,
        "decision_min": 30,
        "observation_names": task.observation_names,
        "action_names": tuple(field.name for field in task.fields),
        "net_arch": (16, 8),
        "activation": ACTIVATION[algo],
        "lstm_hidden_size": 12 if algo == "recurrent_ppo" else None,
        "trained_on": {"people": ["adult#001"], "seed": 7, "episode_days": 2.0},
        "kernel_hash": "0" * 64,
    }
    return plain | changes


def weights(plain: Mapping[str, Any], seed: int = 0, scale: float = 0.4) -> Weights:
    """Normal weights of the actor, of the shapes that a manifest asks for; variances are positive."""
    sizes = [len(plain["observation_names"]), *plain["net_arch"], len(plain["action_names"])]
    draw = np.random.default_rng(seed)
    made: Weights = {}
    for name, shape in needed(plain["algo"], sizes, plain.get("lstm_hidden_size")).items():
        value = draw.normal(0, scale, shape).astype(np.float32)
        made[name] = np.abs(value) + np.float32(0.1) if name.endswith((".ra_var", ".scale")) else value
    return made


def write(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """The folder of such a policy."""
    plain = manifest(**changes)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in frozen.pack(plain, weights(plain, seed)).items():
        (folder / name).write_bytes(data)
    return folder
