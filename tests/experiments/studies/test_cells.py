"""Trainings as cells: what the clock cut short is no result."""

from pathlib import Path

import pytest

from experiments.studies.cells import train_cell

TINY = {"lanes": 4, "eval_days": 0.5, "eval_replicas": 1, "episode_days": 0.5, "save_freq": 10_000_000,
        "people": ["adult#001"], "hyperparams": {"n_steps": 4, "batch_size": 16, "n_epochs": 1}}  # fmt: skip


def test_a_training_that_its_clock_cut_short_is_refused_and_begins_anew(tmp_path: Path) -> None:
    settings = TINY | {"n_timesteps": 10_000_000, "max_wall_s": 0.1}
    with pytest.raises(ValueError, match=r"0\.1 s \(max_wall_s\) did not suffice for 10,000,000 steps"):
        train_cell(tmp_path, tmp_path / "run", settings, "python -m scripts.study x")
    train_cell(tmp_path, tmp_path / "run", settings | {"n_timesteps": 16, "max_wall_s": 500.0}, "python")
    assert (tmp_path / "run" / "policy").is_dir()
