"""A policy is taught what the planner asks for: actions ask for its doses, lessons repeat, a training begins there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import frozen
from agents.planner import EVERY_MIN
from envs import view as v
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from envs.view import View
from experiments import teaching
from experiments.config import TrainConfig
from experiments.protocol import load_protocol
from experiments.records.config_files import ConfigError, build
from experiments.records.tables import read_table
from experiments.runs import Run
from experiments.train import train
from twins import cohort as cohorts
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U

FEW = ["adult#001", "child#003"]


def _config(**changes: Any) -> TrainConfig:
    small = {
        "people": FEW, "lanes": 2, "episode_days": 0.25, "decision_min": EVERY_MIN, "teacher": "planner",
        "max_wall_s": None, "n_timesteps": 96, "eval_replicas": 1, "eval_days": 0.25,
        "hyperparams": {"n_steps": 48, "batch_size": 48, "net_arch": [16, 16]},
    }  # fmt: skip
    return build(TrainConfig, small | changes)


def _view(uncovered_g: list[float]) -> View:
    therapy = cohorts.load(["adult#001"] * 1).therapy.repeat(len(uncovered_g), axis=0)
    view = View.empty(("somebody",) * len(uncovered_g), therapy, np.full(len(uncovered_g), 70.0), 3)
    view.begin(np.arange(len(uncovered_g)), np.full(len(uncovered_g), 120.0))
    view.now[:, v.UNCOVERED_G] = uncovered_g
    return view


def test_actions_ask_for_the_doses_that_they_stand_for() -> None:
    """Twice the basal rate; a bolus of three quarters of the formula's; more than both numbers can ask for; nothing."""
    view = _view([0.0, 40.0, 40.0, 0.0])
    basal, ratio = view.therapy[0, BASAL_U_PER_H], view.therapy[0, CARB_RATIO_G_PER_U]
    bolus = np.array([basal * EVERY_MIN / 60, 30 / ratio, 99.0, 0.0])
    action, counts = teaching.as_action(Request(np.array([basal, basal, basal, 0.0]), bolus), view)
    got = Dosing().decode(action, view)
    assert got.basal_u_per_h == pytest.approx([2 * basal, basal, 3 * basal, 0.0])
    assert got.bolus_u == pytest.approx([0.0, 30 / ratio, 1.7 * 40 / ratio, 0.0])
    assert counts.tolist() == [[1, 0], [1, 1], [1, 1], [1, 0]]


def test_lessons_are_of_every_decision_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "EPISODES", 2)
    monkeypatch.setattr(teaching, "DAYS", 0.5)
    config, who = _config(history=True), cohorts.load(FEW)
    seen, asked, counts = teaching.lessons(config, load_protocol(config.protocol), who)
    assert seen.shape == (2 * 2 * 48, 131) and asked.shape == counts.shape == (2 * 2 * 48, 2)
    again = teaching.lessons(config, load_protocol(config.protocol), who)
    assert all(np.array_equal(one, other) for one, other in zip((seen, asked, counts), again, strict=True))
    assert counts[:, 1].any() and not counts[:, 1].all() and np.abs(asked).max() <= 1.0
    assert not np.array_equal(asked[:96], asked[96:]), "other days in each episode"


@pytest.mark.slow
def test_a_training_begins_with_what_it_was_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.imitation.EPOCHS", 300)
    monkeypatch.setattr(teaching, "DAYS", 0.5)
    policies = {}
    for name in ("planner", None):
        config = _config(
            teacher=name,
            n_timesteps=96,
            hyperparams={"learning_rate": 1e-9, "n_steps": 48, "batch_size": 48, "net_arch": [16, 16]},
        )
        with Run.create(tmp_path / str(name), config, ["python"], {"train": 0}, need_mb=1) as run:
            train(config, run)
        policies[name] = frozen.load(tmp_path / str(name))
    seen, asked, counts = teaching.lessons(_config(), load_protocol("simglucose-default"), cohorts.load(FEW))
    errors = {
        name: float((counts * (policy.predict(seen)[0] - asked) ** 2).sum() / counts.sum())
        for name, policy in policies.items()
    }
    assert errors["planner"] < 0.5 * errors[None]
    told = policies["planner"].manifest.trained_on
    assert told["teacher"] == "planner" and "teacher" not in policies[None].manifest.trained_on
    assert told["person_days"] > policies[None].manifest.trained_on["person_days"] + 5.9
    assert len(read_table(tmp_path / "planner" / "evaluations.csv")["score"]) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decision_min": 30}, "decision_min: 30 given beside teacher planner, which teaches policies with"),
        ({"action": "basal"}, "action: basal given beside teacher"),
        ({"init_from": "somewhere"}, "init_from: somewhere given beside teacher"),
        ({"algo": "sac", "hyperparams": {}}, "algo: sac given beside teacher planner, .* with algo ppo"),
        ({"teacher": "oracle"}, "teacher: 'oracle' given"),
    ],
)
def test_who_cannot_be_taught_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _config(**changes)
