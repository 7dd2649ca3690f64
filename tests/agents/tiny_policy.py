"""A small untrained policy, and its folder as a training run leaves it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import frozen
from envs.tasks.dosing import Dosing

Weights = dict[str, NDArray[np.float32]]


def manifest(**changes: Any) -> dict[str, Any]:
    """Everything that `frozen.pack` asks for; what is given in `changes` replaces it."""
    task = Dosing(changes.get("action", "modulation"), changes.get("oracle", False))
    plain: dict[str, Any] = {
        "algo": "ppo",
        "env": "Homeostat/Dosing-v0",
        "action": task.action,
        "oracle": task.oracle,
        "decision_min": 30,
        "observation_names": task.observation_names,
        "action_names": tuple(field.name for field in task.fields),
        "net_arch": (16, 8),
        "trained_on": {"people": ["adult#001"], "seed": 7, "episode_days": 2.0},
        "kernel_hash": "0" * 64,
    }
    return plain | changes


def weights(plain: Mapping[str, Any], seed: int = 0, scale: float = 0.4) -> Weights:
    """Normal weights of the actor, of the shapes that a manifest asks for."""
    sizes = [len(plain["observation_names"]), *plain["net_arch"], len(plain["action_names"])]
    names = [f"mlp_extractor.policy_net.{2 * k}" for k in range(len(plain["net_arch"]))] + ["action_net"]
    draw = np.random.default_rng(seed)
    made: Weights = {}
    for name, before, after in zip(names, sizes, sizes[1:], strict=False):
        made[f"{name}.weight"] = draw.normal(0, scale, (after, before)).astype(np.float32)
        made[f"{name}.bias"] = draw.normal(0, scale, after).astype(np.float32)
    return made


def write(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """The folder of such a policy."""
    plain = manifest(**changes)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in frozen.pack(plain, weights(plain, seed)).items():
        (folder / name).write_bytes(data)
    return folder
