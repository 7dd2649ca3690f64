"""Training for tasks without a protocol: what is left in the folder, the clock, and which policy is kept."""

from pathlib import Path

import numpy as np
import pytest

import envs
from agents import frozen
from agents.frozen import FrozenPolicy, PolicyError
from experiments.learn import COLUMNS, LearnConfig, learn
from experiments.records.tables import read_table

ID = "Homeostat/Exercise-v0"
KEYWORDS = {"cohort": "all", "days": 7}


def _config(**changes: object) -> LearnConfig:
    config = LearnConfig.tested(ID, "plan", lanes=8, n_timesteps=224, look_every=56, seed=3)
    little = config.hyperparams.model_copy(update={"n_steps": 7, "batch_size": 28, "n_epochs": 2})
    return config.model_copy(update={"hyperparams": little, **changes})


def test_a_training_keeps_the_best_policy_and_says_what_it_is(tmp_path: Path) -> None:
    scores, seen = [1.0, 0.0, 5.0, 2.0, 4.0], []

    def judge(policy: FrozenPolicy) -> float:
        seen.append({name: value.copy() for name, value in policy.weights.items()})
        return scores[len(seen) - 1]

    looks = learn(_config(), KEYWORDS, judge, tmp_path / "run", {"model": "banister"})
    assert tuple(looks) == COLUMNS and looks["score"].tolist() == scores
    assert looks["timesteps"].tolist() == [0, 56, 112, 168, 224] and np.isfinite(looks["reward"][1:]).all()
    assert read_table(tmp_path / "run" / "looks.csv")["score"].tolist() == scores
    policy = frozen.load(tmp_path / "run", "plan")
    assert all((policy.weights[name] == value).all() for name, value in seen[2].items())
    assert any((policy.weights[name] != value).any() for name, value in seen[4].items())
    said = policy.manifest
    assert (said.task, said.action, said.decision_min, said.oracle) == ("plan", None, 1440, False)
    assert said.trained_on["timesteps"] == 112 and said.trained_on["model"] == "banister"
    assert said.trained_on["split"] == "train" and said.trained_on["seed"] == 3
    env = envs.make_vec(ID, num_envs=3, face="sb3", task="plan", **KEYWORDS)
    assert env.action_space.shape == policy.predict(env.reset())[0][0].shape
    with pytest.raises(FileExistsError, match="holds a policy already"):
        learn(_config(), KEYWORDS, judge, tmp_path / "run")


def test_the_clock_ends_a_training_and_the_rate_with_it(tmp_path: Path) -> None:
    looks = learn(_config(n_timesteps=10**9, max_wall_s=1.0), KEYWORDS, lambda policy: 0.0, tmp_path)
    assert 0 < looks["timesteps"][-1] < 10**6 and 1.0 <= looks["wall_s"][-1] < 3.0


def test_the_same_seed_trains_the_same_policy_and_another_seed_another(tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        count = iter(range(100))
        learn(_config(seed=seed), KEYWORDS, lambda policy: float(next(count)), tmp_path / name)  # noqa: B023
        weights.append(frozen.load(tmp_path / name, "plan").weights["action_net.weight"])
    assert (weights[0] == weights[1]).all() and (weights[0] != weights[2]).any()


def test_wrong_settings_are_answered(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not divide the rollout of 56"):
        odd = _config().hyperparams.model_copy(update={"batch_size": 30})
        learn(_config(hyperparams=odd), KEYWORDS, lambda policy: 0.0, tmp_path)
    with pytest.raises(ValueError, match="score must be a finite number"):
        learn(_config(), KEYWORDS, lambda policy: float("nan"), tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(PolicyError, match="decides the task 'dosing', needed is 'plan'.*scripts.evaluate"):
        frozen.load("agents/policies/ppo/seed0", "plan")
