"""Saved policies: they act as torch does, each row by itself, and come back from files as they went."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import envs
from agents import frozen
from agents.base import Policy
from agents.frozen import FrozenPolicy, PolicyError
from agents.sb3 import make_ppo, weights
from experiments.config import load_hyperparams
from tests.agents import tiny_policy


def _policy(seed: int = 0, scale: float = 0.4, **changes: object) -> FrozenPolicy:
    plain = tiny_policy.manifest(**changes)
    held = tiny_policy.weights(plain, seed, scale)
    return FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), held)


def _observations(n: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Mostly within [-1, 1], some at the bounds of the observation space."""
    draw = np.random.default_rng(seed)
    rows = np.clip(draw.normal(0, 1, (n, width)) * draw.choice([0.1, 1, 5], (n, 1)), -5, 5)
    return rows.astype(np.float32)


def _by_hand(policy: FrozenPolicy, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """The actor in numpy's words."""
    held, depth = policy.weights, len(policy.manifest.net_arch)
    values = rows.astype(np.float64)
    for k in range(depth):
        name = f"mlp_extractor.policy_net.{2 * k}"
        values = np.tanh(values @ held[f"{name}.weight"].T.astype(float) + held[f"{name}.bias"])
    values = values @ held["action_net.weight"].T.astype(float) + held["action_net.bias"]
    return np.clip(values, -1, 1)


@pytest.mark.kernels
@pytest.mark.parametrize("net_arch", [(), (3,), (16, 8), (5, 4, 3)])
def test_the_forward_pass_is_the_actor_of_the_weights(net_arch: tuple[int, ...]) -> None:
    policy = _policy(net_arch=net_arch)
    rows = _observations(6, len(policy.manifest.observation_names))
    acted, _ = policy.predict(rows)
    assert acted.dtype == np.float32 and acted.shape == (6, 2)
    np.testing.assert_allclose(acted, _by_hand(policy, rows), atol=1e-6)
    assert np.abs(acted).max() <= 1.0


@pytest.mark.kernels
def test_a_row_acts_alone_as_it_acts_among_others() -> None:
    _check_rows(16)


def test_a_row_acts_alone_as_it_acts_in_a_batch_of_4096() -> None:
    """Bit for bit, in any order, whatever the neighbours hold."""
    _check_rows(4096)


def _cancelling() -> FrozenPolicy:
    """A policy whose last sums are of large terms that cancel, so that every change of their order shows."""
    plain = tiny_policy.manifest(net_arch=(16, 32))
    held = tiny_policy.weights(plain, scale=0.3)
    for part in ("weight", "bias"):  # pairs of equal units ...
        layer = held[f"mlp_extractor.policy_net.2.{part}"]
        layer[16:] = layer[:16]
    out = held["action_net.weight"]
    out[:, :16] *= 1e14
    out[:, 16:] = -out[:, :16]  # ... that go out with opposite signs
    return FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), held)


def _check_rows(n: int) -> None:
    for policy in (_policy(scale=0.3), _cancelling()):
        _check_rows_of(policy, n)


def _check_rows_of(policy: FrozenPolicy, n: int) -> None:
    rows = _observations(n, len(policy.manifest.observation_names))
    together, _ = policy.predict(rows)
    alone = np.array([policy.predict(row)[0] for row in rows])
    assert np.array_equal(together, alone)
    assert len(np.unique(alone, axis=0)) > n // 2, "the rows differ, so that a mix-up would show"
    order = np.random.default_rng(1).permutation(n)
    assert np.array_equal(policy.predict(rows[order])[0], together[order])
    rows[1::2] = np.nan
    assert np.array_equal(policy.predict(rows)[0][::2], together[::2])


@pytest.mark.parametrize("action", ["modulation", "basal"])
def test_a_frozen_policy_acts_as_torch_does_within_1e_5(action: str) -> None:
    env = envs.make_vec("Homeostat/Dosing-v0", 2, "sb3", action=action)
    settings = load_hyperparams().model_dump() | {"n_steps": 2, "batch_size": 2}
    model = make_ppo(env, settings, seed=3)
    with torch.no_grad():  # an untrained action_net is nearly zero and would hide mistakes
        for value in model.policy.parameters():
            value.add_(0.02 * torch.randn_like(value))
        model.policy.action_net.weight.mul_(5)
    plain = tiny_policy.manifest(action=action, net_arch=(64, 64))
    policy = FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), weights(model))
    rows = _observations(4096, len(plain["observation_names"]))
    theirs, _ = model.predict(rows, deterministic=True)
    ours, _ = policy.predict(rows)
    assert np.abs(ours - theirs).max() < 1e-5
    inside = np.abs(theirs) < 1
    assert inside.mean() > 0.2 and theirs[inside].std() > 0.1, "the comparison is not of clipped actions"


def test_predict_keeps_to_sb3s_words() -> None:
    policy = _policy()
    rows = _observations(3, len(policy.manifest.observation_names))
    assert isinstance(policy, Policy)
    acted, state = policy.predict(rows, state="kept", episode_start=np.ones(3, bool), deterministic=True)
    assert state == "kept" and acted.shape == (3, 2)
    one, state = policy.predict(rows[0])
    assert one.shape == (2,) and state is None and np.array_equal(one, acted[0])
    assert (policy.decision_min, policy.action, policy.oracle, policy.train_seed) == (
        30,
        "modulation",
        False,
        7,
    )


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (4, 36), (1, 2, 35), (0, 34)])
def test_observations_of_another_shape_are_refused_by_name(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"this policy needs \(n, 35\): cgm_0min, .*daily_insulin"):
        _policy().predict(np.zeros(shape))


def test_no_lanes_give_no_actions() -> None:
    assert _policy().predict(np.zeros((0, 35)))[0].shape == (0, 2)


def test_an_observation_that_is_not_finite_gives_no_made_up_action() -> None:
    """NaN comes out, which the shield turns into its fallback."""
    rows = _observations(2, 35)
    rows[0, 3] = np.nan
    acted, _ = _policy().predict(rows)
    assert np.isnan(acted[0]).all() and np.isfinite(acted[1]).all()


def test_a_policy_comes_back_from_its_files_as_it_was_packed(tmp_path: Path) -> None:
    plain = tiny_policy.manifest(net_arch=(7, 5), oracle=True)
    held = tiny_policy.weights(plain)
    held["value_net.bias"] = np.array([3.0], np.float32)  # the critic travels too, for fine-tuning
    files = frozen.pack(plain, held)
    assert set(files) == {"policy.safetensors", "manifest.json"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    policy = frozen.load(tmp_path)
    assert policy.weights.keys() == held.keys()
    assert all(
        np.array_equal(policy.weights[name], value) and policy.weights[name].dtype == np.float32
        for name, value in held.items()
    )
    found = json.loads(files["manifest.json"])
    assert found["weights_sha256"] == hashlib.sha256(files["policy.safetensors"]).hexdigest()
    assert found["notice"] == "Research software, not a medical device." and found["oracle"] is True
    assert policy.manifest.trained_on == plain["trained_on"] and policy.oracle
    assert frozen.pack(plain, held) == files, "the same policy gives the same bytes"
    rows = _observations(9, 36)
    before = FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), held)
    assert np.array_equal(policy.predict(rows)[0], before.predict(rows)[0])
    assert frozen.load(str(tmp_path)).manifest == policy.manifest


def test_weights_of_column_order_are_packed_as_they_read() -> None:
    plain = tiny_policy.manifest()
    held = tiny_policy.weights(plain)
    turned = {name: np.asfortranarray(value) for name, value in held.items()}
    assert frozen.pack(plain, turned) == frozen.pack(plain, held)


def test_what_could_not_be_loaded_is_not_packed() -> None:
    plain = tiny_policy.manifest()
    held = tiny_policy.weights(plain)
    with pytest.raises(PolicyError, match="not finite"):
        frozen.pack(plain, {**held, "action_net.bias": np.array([np.nan, 0], np.float32)})
    with pytest.raises(PolicyError, match=r"action_net.bias: nothing found, float32\(2,\) needed"):
        frozen.pack(plain, {name: value for name, value in held.items() if name != "action_net.bias"})
    with pytest.raises(PolicyError, match=r"float64\(2,\) found"):
        frozen.pack(plain, {**held, "action_net.bias": np.zeros(2)})  # type: ignore[dict-item]
