"""PPO: the same seed learns the same, and a training that was stopped goes on as if it had not been."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import numpy as safetensors
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

import envs
from agents.sb3 import Arrays, make_ppo, restore_state, save_state, set_weights, weights
from envs.faces.sb3 import Sb3Env
from experiments.config import load_hyperparams

ROOT = Path(__file__).resolve().parents[2]
LANES, STEPS = 6, 10
ROLLOUT = LANES * STEPS


def _env() -> Sb3Env:
    """Three people twice; episodes of 3 h, so that some end within a rollout."""
    env: Sb3Env = envs.make_vec(
        "Homeostat/Dosing-v0",
        LANES,
        "sb3",
        cohort=["adult#001", "adolescent#002", "child#003"],
        decision_min=30,
        days=0.125,
    )
    return env


def _settings(**changes: Any) -> dict[str, Any]:
    small = {"n_steps": STEPS, "batch_size": 20, "n_epochs": 2, "net_arch": (8, 8), "learning_rate": 3e-3}
    return load_hyperparams().model_dump() | small | changes


def _new(seed: int = 0, **changes: Any) -> tuple[Sb3Env, PPO]:
    env = _env()
    return env, make_ppo(VecMonitor(env), _settings(**changes), seed)


def _learned(rollouts: int, seed: int = 0, **changes: Any) -> PPO:
    _, model = _new(seed, **changes)
    return model.learn(rollouts * ROLLOUT)


def _equal(one: PPO, other: PPO) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


class _KeepAndStop(BaseCallback):
    """Keeps all that the future hangs on after some rollouts, and stops the training there."""

    def __init__(self, env: Sb3Env, rollouts: int) -> None:
        super().__init__()
        self._env, self._at = env, rollouts * ROLLOUT
        self.kept: tuple[Arrays, Arrays] | None = None

    def _on_rollout_start(self) -> None:
        assert isinstance(self.model, PPO)
        if self.num_timesteps == self._at:
            self.kept = save_state(self.model), self._env.save()

    def _on_step(self) -> bool:
        return self.kept is None


def _kept(rollouts: int, of: int, seed: int = 0, **changes: Any) -> tuple[Arrays, Arrays]:
    """State of model and environment after some rollouts of a training for `of`."""
    env, model = _new(seed, **changes)
    watch = _KeepAndStop(env, rollouts)
    model.learn(of * ROLLOUT, callback=watch)
    assert watch.kept is not None
    return watch.kept


def _go_on(kept: tuple[Arrays, Arrays], rollouts: int, **changes: Any) -> PPO:
    """A new environment and a new model of another seed take up what was kept, and train on."""
    env, model = _new(seed=99, **changes)
    restore_state(model, kept[0], env.restore(kept[1]))
    return model.learn(rollouts * ROLLOUT, reset_num_timesteps=False)


def test_the_same_seed_learns_the_same_weights_and_another_seed_others() -> None:
    one, again, other = _learned(3), _learned(3), _learned(3, seed=1)
    assert _equal(one, again)
    assert not _equal(one, other)
    _, untrained = _new()
    assert not _equal(one, untrained), "something was learned at all"


def test_seeds_change_the_days_and_not_only_the_weights() -> None:
    """Two policies of the same first weights, trained on days of other seeds, part ways."""
    (_, one), (_, other) = _new(0), _new(1)
    set_weights(other, weights(one))
    assert one.env is not None and other.env is not None
    assert np.array_equal(one.env.reset()[:, 17:], other.env.reset()[:, 17:])  # the same people ...
    still = np.zeros((LANES, 2), np.float32)
    ours = [one.env.step(still)[0] for _ in range(6)][-1]
    theirs = [other.env.step(still)[0] for _ in range(6)][-1]
    assert not np.array_equal(ours[:, 0], theirs[:, 0])  # ... and other readings


@pytest.mark.parametrize("schedule", ["constant", "linear"])
@pytest.mark.parametrize("before", [1, 3])
def test_training_that_goes_on_is_bit_for_bit_training_that_never_stopped(schedule: str, before: int) -> None:
    changes = {"learning_rate_schedule": schedule}
    whole = _learned(4, **changes)
    kept = _kept(before, 4, **changes)
    _learned(1, seed=5)  # whatever else the process does to the global generators
    again = _go_on(kept, 4 - before, **changes)
    assert _equal(again, whole)
    assert again.num_timesteps == whole.num_timesteps == 4 * ROLLOUT and again._n_updates == whole._n_updates


def test_every_part_of_the_state_counts() -> None:
    """A state with one part of another training leads elsewhere; so nothing in it is idle."""
    kept, other = _kept(2, 4), _kept(2, 4, seed=1)
    whole = _go_on(kept, 2)
    for part in ("policy.action_net.weight", "optimizer.0.exp_avg", "rng.torch", "rng.numpy"):
        model_state = kept[0] | {part: other[0][part]}
        assert not np.array_equal(kept[0][part], other[0][part]), part
        assert not _equal(_go_on((model_state, kept[1]), 2), whole), part


@pytest.mark.verify
def test_the_state_survives_a_file_and_another_process(tmp_path: Path) -> None:
    model_state, env_state = _kept(2, 4)
    plain = {f"model.{k}": v for k, v in model_state.items()} | {f"env.{k}": v for k, v in env_state.items()}
    held = {name: np.ascontiguousarray(value) for name, value in plain.items()}
    (tmp_path / "state").write_bytes(safetensors.save(held))
    code = (
        "import sys; from pathlib import Path; from tests.agents import test_sb3\n"
        "test_sb3.in_another_process(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    theirs, ours = safetensors.load((tmp_path / "weights").read_bytes()), weights(_learned(4))
    assert all(np.array_equal(theirs[name], value) for name, value in ours.items())


def in_another_process(folder: Path) -> None:
    """Take up the state in this folder, train two rollouts, and leave the weights there."""
    held = safetensors.load((folder / "state").read_bytes())
    parts = [
        {k.removeprefix(f"{part}."): v for k, v in held.items() if k.startswith(f"{part}.")}
        for part in ("model", "env")
    ]
    (folder / "weights").write_bytes(safetensors.save(weights(_go_on((parts[0], parts[1]), 2))))


def test_the_state_is_plain_arrays_and_a_copy() -> None:
    model = _learned(1)
    state = save_state(model)
    assert all(isinstance(value, np.ndarray) and value.dtype != object for value in state.values())
    before = {name: value.copy() for name, value in state.items()}
    model.learn(ROLLOUT, reset_num_timesteps=False)
    assert all(np.array_equal(before[name], value) for name, value in state.items())
    held = weights(model)
    held["action_net.bias"][:] = 9
    assert not np.array_equal(weights(model)["action_net.bias"], held["action_net.bias"])


def test_weights_go_from_one_policy_to_another() -> None:
    one, (_, other) = _learned(1), _new(seed=4)
    given = weights(one)
    set_weights(other, given)
    assert _equal(one, other)
    given["action_net.bias"][:] = 9
    assert _equal(one, other), "the policy holds a copy"
    rows = np.random.default_rng(0).normal(size=(20, 35)).astype(np.float32)
    assert np.array_equal(
        one.predict(rows, deterministic=True)[0], other.predict(rows, deterministic=True)[0]
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.pop("value_net.bias"),
        lambda held: held.update(extra=np.zeros(1, np.float32)),
        lambda held: held.update({"action_net.weight": np.zeros((2, 9), np.float32)}),
        lambda held: held.clear(),
    ],
    ids=["one is missing", "one too many", "another shape", "none"],
)
def test_weights_of_another_policy_are_refused_with_the_reason(change: Callable[[Arrays], object]) -> None:
    _, model = _new()
    held: Arrays = dict(weights(model))
    before = weights(model)
    change(held)
    with pytest.raises(ValueError, match="these weights do not fit the policy .*use the same net_arch"):
        set_weights(model, held)
    assert all(np.array_equal(before[name], value) for name, value in weights(model).items())


def test_torch_gets_the_threads_it_was_given() -> None:
    _new()
    assert torch.get_num_threads() == 1


def test_the_learning_rate_falls_to_zero_when_it_is_linear() -> None:
    _, model = _new(learning_rate_schedule="linear")
    assert [model.lr_schedule(left) for left in (1.0, 0.5, 0.0)] == [3e-3, 1.5e-3, 0.0]
    _, model = _new()
    assert model.lr_schedule(0.0) == 3e-3
