"""A log as a Minari dataset, the format that libraries of offline learning read."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from agents.frozen import NOTICE
from envs.faces.build import action_space, observation_space
from experiments.offline import logged
from experiments.offline.logged import Log

NAME = "homeostat-hybrid-{}-v{}"


def new_folder(folder: Path, protocol: str, version: int = 0) -> Path:
    """Where a log of a protocol goes below `folder`. Raises FileExistsError where one lies there, ValueError where
    Minari is not installed."""
    _storage()
    where = folder / NAME.format(protocol, version)
    if where.exists():
        raise FileExistsError(f"{where} is there already; give another folder, or delete it")
    return where


def _storage() -> Any:
    try:
        from minari.dataset.minari_storage import MinariStorage  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise ValueError(
            "datasets need Minari, which is not installed; run pip install 'homeostat[offline]'"
        ) from None
    return MinariStorage


def export(log: Log, where: Path) -> None:
    """Write a log as a dataset into `where` (see `new_folder`), which `minari.load_dataset` reads by the folder's name
    with MINARI_DATASETS_PATH set to the folder around it."""
    task = logged.task()
    episodes = [_episode(log, row) for row in range(len(log.person))]
    data = where / "data"
    data.mkdir(parents=True)
    storage = _storage().new(data, observation_space(task), action_space(task), None)
    storage.update_metadata({
        "dataset_id": where.name, "algorithm_name": "PID with noise", "minari_version": version("minari"),
        "author": "The Homeostat developers",
        "description": f"Simulated people. {NOTICE}",
    })  # fmt: skip
    storage.update_episodes(episodes)
    storage.update_metadata({"dataset_size": storage.get_size()})


def _episode(log: Log, row: int) -> dict[str, Any]:
    length = int(log.valid[row].sum())
    ended = log.ended[row, :length]
    truncated = np.zeros(length, bool)
    truncated[-1] = not ended[-1]
    return {
        "observations": log.observations[row, : length + 1],
        "actions": log.actions[row, :length, None].astype(np.float32),
        "rewards": log.rewards[row, :length],
        "terminations": ended,
        "truncations": truncated,
    }
