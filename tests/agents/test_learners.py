"""Every learner: begins near the own therapy, acts frozen as in torch, and goes on after a stop bit for bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

import envs
from agents import frozen
from agents.actors import ALGOS, Algo
from agents.frozen import FrozenPolicy, PolicyError
from agents.learners import make_learner
from agents.sb3 import Arrays, restore_state, save_state, set_weights, weights
from envs.faces.sb3 import Sb3Env
from experiments.hyperparams import load_hyperparams
from tests.agents import tiny_policy

LANES, ROUND = 6, 4
OFF_POLICY = ("sac", "td3", "tqc", "crossq")
SMALL = {
    "n_steps": ROUND, "batch_size": 12, "n_epochs": 2, "net_arch": (8, 6), "qf_arch": (8,), "lstm_hidden_size": 5,
    "buffer_size": LANES * 9, "learning_starts": LANES * 2, "train_freq": ROUND, "gradient_steps": 3,
    "learning_rate": 3e-3, "n_quantiles": 5, "noise_std": 0.3, "top_quantiles_to_drop_per_net": 1,
}  # fmt: skip
"""Trainings of a moment: a rollout is four decisions of six lanes; the replay buffer is soon full."""


def _settings(algo: Algo, **changes: Any) -> dict[str, Any]:
    own = load_hyperparams(algo).model_dump()
    small = {name: value for name, value in SMALL.items() if name in own}
    if algo in OFF_POLICY:
        small["n_steps"] = 2
    return own | small | changes


def _new(algo: Algo, seed: int = 0, **changes: Any) -> tuple[Sb3Env, BaseAlgorithm]:
    """Three people twice; episodes of 3 h, so that some end within a rollout."""
    people = ["adult#001", "adolescent#002", "child#003"]
    env: Sb3Env = envs.make_vec(
        "Homeostat/Dosing-v0", LANES, "sb3", cohort=people, decision_min=30, days=0.125
    )
    return env, make_learner(algo, VecMonitor(env), _settings(algo, **changes), seed)


class _KeepAndStop(BaseCallback):
    """Keeps all that the future hangs on after some rollouts, and stops the training there."""

    def __init__(self, env: Sb3Env, rollouts: int) -> None:
        super().__init__()
        self._env, self._at = env, rollouts * ROUND * LANES
        self.kept: tuple[Arrays, Arrays] | None = None

    def _on_rollout_start(self) -> None:
        if self.num_timesteps == self._at:
            self.kept = save_state(self.model), self._env.save()

    def _on_step(self) -> bool:
        return self.kept is None


def _kept(algo: Algo, rollouts: int, seed: int = 0) -> tuple[Arrays, Arrays]:
    env, model = _new(algo, seed)
    watch = _KeepAndStop(env, rollouts)
    model.learn(8 * ROUND * LANES, callback=watch)
    assert watch.kept is not None
    return watch.kept


def _go_on(algo: Algo, kept: tuple[Arrays, Arrays], rollouts: int) -> Arrays:
    env, model = _new(algo, seed=99)
    restore_state(model, kept[0], env.restore(kept[1]))
    model.learn(rollouts * ROUND * LANES, reset_num_timesteps=False)
    return save_state(model)


def _equal(one: Arrays, other: Arrays) -> bool:
    assert one.keys() == other.keys()
    return all(np.array_equal(one[name], other[name]) for name in one)


def _observations(n: int, width: int = 35, seed: int = 0) -> NDArray[np.float32]:
    draw = np.random.default_rng(seed)
    return np.clip(draw.normal(0, 1, (n, width)) * draw.choice([0.1, 1, 3], (n, 1)), -5, 5).astype(np.float32)


# --- beginning ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("algo", ALGOS)
def test_a_new_learner_acts_near_the_own_therapy(algo: Algo) -> None:
    """So that neither the first rollouts nor the first validation look are of random doses."""
    env, model = _new(algo, log_std_init=-2.0) if algo != "td3" else _new(algo, noise_std=0.13)
    rows = _observations(200)
    mean, _ = model.predict(rows, deterministic=True)
    assert 0 < np.abs(mean).max() < 0.15
    if algo in OFF_POLICY:
        model._setup_learn(LANES)
        model.num_timesteps = 0
        tried = [model._sample_action(10**6, model.action_noise, LANES)[0] for _ in range(50)]  # type: ignore[attr-defined]
        assert 0.05 < np.std(tried) < 0.3, "before learning starts the policy acts, with its little noise"
    else:
        assert np.exp(model.policy.log_std.detach().numpy()) == pytest.approx(np.exp(-2.0))


@pytest.mark.parametrize("algo", OFF_POLICY)
def test_nothing_is_learned_before_learning_starts_and_then_by_whole_rollouts(algo: Algo) -> None:
    _, model = _new(algo, learning_starts=ROUND * LANES)
    untouched = weights(model)
    model.learn(ROUND * LANES)
    assert model._n_updates == 0 and _equal(weights(model), untouched)
    model.learn(2 * ROUND * LANES, reset_num_timesteps=False)
    assert model._n_updates == 6 and not _equal(weights(model), untouched)


def test_hidden_layers_of_policy_and_critics_are_those_asked_for() -> None:
    _, model = _new("crossq", net_arch=(7,), qf_arch=(9, 10))
    held = weights(model)
    assert held["actor.latent_pi.1.weight"].shape == (7, 35)
    assert held["critic.qf0.4.weight"].shape == (10, 9)


# --- frozen -------------------------------------------------------------------------------------------------
def _trained(algo: Algo) -> BaseAlgorithm:
    """A learner whose actions are spread, and whose running statistics are no longer the first ones."""
    _, model = _new(algo, net_arch=(16, 8))
    model.learn(3 * ROUND * LANES)
    with torch.no_grad():
        for name, value in model.policy.named_parameters():
            if "critic" not in name and "value" not in name:
                value.add_(0.3 * torch.randn_like(value))
    return model


def _frozen(algo: Algo, held: Arrays, **changes: Any) -> FrozenPolicy:
    plain = tiny_policy.manifest(algo=algo, **changes)
    lstm = SMALL["lstm_hidden_size"] if algo == "recurrent_ppo" else None
    return FrozenPolicy(frozen.Manifest(**plain | {"lstm_hidden_size": lstm}, weights_sha256="-"), held)


@pytest.mark.parametrize("algo", ALGOS)
def test_a_frozen_policy_acts_as_torch_does_within_1e_5(algo: Algo) -> None:
    model = _trained(algo)
    policy = _frozen(algo, weights(model))
    theirs_state, ours_state, spread = None, None, []
    for step in range(40):
        rows = _observations(64, seed=step)
        begins = np.random.default_rng(step).random(64) < (1.0 if step == 0 else 0.05)
        theirs, theirs_state = model.predict(rows, theirs_state, begins, deterministic=True)
        ours, ours_state = policy.predict(rows, ours_state, begins)
        assert ours.dtype == np.float32 and ours.shape == theirs.shape == (64, 2)
        assert np.abs(ours - theirs).max() < 1e-5, step
        spread.append(theirs)
    inside = np.abs(np.array(spread)) < 0.99
    assert inside.mean() > 0.2 and np.array(spread)[inside].std() > 0.1, "not a comparison of clipped actions"
    assert (ours_state is None) == (algo != "recurrent_ppo")


@pytest.mark.kernels
@pytest.mark.parametrize("algo", ALGOS)
def test_a_row_acts_alone_as_it_acts_among_others(algo: Algo) -> None:
    """Bit for bit, the memory of a recurrent policy included."""
    plain = tiny_policy.manifest(algo=algo)
    policy = FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), tiny_policy.weights(plain))
    lanes, together, alone = 9, None, [None] * 9
    for step in range(4):
        rows = _observations(lanes, seed=step)
        begins = np.arange(lanes) % 3 == step
        acted, together = policy.predict(rows, together, begins)
        assert len(np.unique(acted, axis=0)) > 4
        for k in range(lanes):
            one, alone[k] = policy.predict(rows[k], alone[k], begins[k : k + 1])
            assert np.array_equal(one, acted[k]), (step, k)


def test_the_memory_of_a_recurrent_policy_matters_until_an_episode_begins() -> None:
    plain = tiny_policy.manifest(algo="recurrent_ppo")
    policy = FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), tiny_policy.weights(plain))
    rows = _observations(3)
    first, memory = policy.predict(rows)
    assert memory is not None and memory[0].shape == memory[1].shape == (1, 3, 12)
    later, _ = policy.predict(rows, memory, np.array([False, True, False]))
    assert not np.array_equal(later[0], first[0]) and np.array_equal(later[1], first[1])
    wild = (np.full((1, 3, 12), np.nan), memory[1])
    assert np.isfinite(policy.predict(rows, wild, np.ones(3, bool))[0]).all(), "what was before is forgotten"


@pytest.mark.parametrize(
    ("state", "begins", "message"),
    [
        ((np.zeros((1, 2, 12)), np.zeros((1, 3, 12))), None, r"needs two arrays of \(1, 3, 12\)"),
        (None, np.zeros(2, bool), "episode_start has 2 lanes; the observations have 3"),
    ],
)
def test_a_memory_of_other_lanes_is_refused(state: Any, begins: Any, message: str) -> None:
    plain = tiny_policy.manifest(algo="recurrent_ppo")
    policy = FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), tiny_policy.weights(plain))
    with pytest.raises(ValueError, match=message):
        policy.predict(_observations(3), state, begins)


@pytest.mark.kernels
@pytest.mark.parametrize("algo", ALGOS)
def test_an_observation_that_is_not_finite_gives_no_made_up_action(algo: Algo) -> None:
    plain = tiny_policy.manifest(algo=algo)
    policy = FrozenPolicy(frozen.Manifest(**plain, weights_sha256="-"), tiny_policy.weights(plain))
    rows = _observations(2)
    rows[0, 3] = np.nan
    acted, _ = policy.predict(rows)
    assert np.isnan(acted[0]).all() and np.isfinite(acted[1]).all()


@pytest.mark.parametrize("net_arch", [(), (4,)])
@pytest.mark.parametrize("algo", ALGOS)
def test_other_depths_are_named_as_sb3_names_them(algo: Algo, net_arch: tuple[int, ...]) -> None:
    _, model = _new(algo, net_arch=net_arch)
    policy = _frozen(algo, weights(model), net_arch=net_arch)
    rows = _observations(5)
    np.testing.assert_allclose(policy.predict(rows)[0], model.predict(rows, deterministic=True)[0], atol=1e-5)


@pytest.mark.parametrize("algo", ALGOS)
def test_what_is_saved_is_what_acting_and_fine_tuning_need(algo: Algo) -> None:
    model = _trained(algo)
    held = weights(model)
    assert not [name for name in held if "target" in name]
    assert ("log_ent_coef" in held) == (algo in ("sac", "tqc", "crossq"))
    lstm = SMALL["lstm_hidden_size"] if algo == "recurrent_ppo" else None
    plain = tiny_policy.manifest(algo=algo) | {"lstm_hidden_size": lstm}
    files = frozen.pack(plain, held)
    assert frozen.pack(plain, held) == files
    _, other = _new(algo, seed=5, net_arch=(16, 8))
    set_weights(other, held)
    assert _equal(weights(other), held)
    rows = _observations(30)
    assert np.array_equal(*(one.predict(rows, deterministic=True)[0] for one in (model, other)))
    state = other.policy.state_dict()
    for name in state:
        if "_target" in name:
            assert torch.equal(state[name], state[name.replace("_target", "")]), "slow copies begin equal"


@pytest.mark.parametrize(
    ("algo", "name", "harm", "message"),
    [
        ("crossq", "actor.latent_pi.3.ra_var", lambda value: -value, "a variance below 0"),
        ("crossq", "actor.latent_pi.3.ra_mean", lambda value: value[1:], r"float32\(16,\) needed"),
        ("recurrent_ppo", "lstm_actor.weight_hh_l0", lambda value: value[:-1], r"float32\(48, 12\) needed"),
        ("sac", "actor.mu.weight", lambda value: value * np.nan, "not finite"),
        ("td3", "actor.mu.4.bias", lambda value: value.astype(float), r"float64\(2,\) found"),
        ("tqc", "actor.latent_pi.2.bias", lambda value: value[None], "needed by the manifest"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    algo: Algo, name: str, harm: Callable[[Any], Any], message: str
) -> None:
    plain = tiny_policy.manifest(algo=algo)
    held = tiny_policy.weights(plain)
    frozen.pack(plain, held)
    with pytest.raises(PolicyError, match=message):
        frozen.pack(plain, {**held, name: harm(held[name])})


@pytest.mark.parametrize(
    ("algo", "changes", "message"),
    [
        ("sac", {"activation": "tanh"}, "policies of sac have relu"),
        ("ppo", {"lstm_hidden_size": 4}, "lstm_hidden_size belongs to recurrent_ppo"),
        ("recurrent_ppo", {"lstm_hidden_size": None}, "lstm_hidden_size belongs to recurrent_ppo"),
        ("ppo", {"net_arch": (1,) * 9}, "at most 8 items"),
        ("a2c", {}, "Input should be 'ppo'"),
    ],
)
def test_manifests_that_contradict_themselves_are_refused(
    algo: str, changes: dict[str, Any], message: str
) -> None:
    plain = tiny_policy.manifest() | {"algo": algo} | ({"activation": "relu"} if algo == "sac" else {})
    plain |= {"lstm_hidden_size": 12} if algo == "recurrent_ppo" else {}
    with pytest.raises(ValueError, match=message):
        frozen.Manifest(**plain | changes, weights_sha256="-")


# --- going on -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [1, 4])
@pytest.mark.parametrize("algo", ALGOS)
def test_training_that_goes_on_is_bit_for_bit_training_that_never_stopped(algo: Algo, before: int) -> None:
    """Everything is compared at the end: networks, optimisers, replay buffer, generators, counters."""
    env, model = _new(algo)
    model.learn(6 * ROUND * LANES)
    whole, world = save_state(model), env.save()
    kept = _kept(algo, before)
    again = _go_on(algo, kept, 6 - before)
    assert _equal(again, whole)
    assert whole["counters"][1] > 0 and world.keys() == kept[1].keys()


_PARTS = {
    "recurrent_ppo": ("lstm", "episode_starts", "optimizer.0.exp_avg"),
    "sac": ("log_ent_coef", "optimizer.entropy.0.exp_avg", "optimizer.actor.0.exp_avg", "replay.rewards",
            "policy.critic_target.qf0.0.weight", "replay.next_observations", "rng.numpy", "rng.torch"),
    "td3": ("policy.actor_target.mu.0.weight", "replay.actions", "optimizer.critic.1.exp_avg_sq"),
    "tqc": ("log_ent_coef", "policy.critic_target.qf1.0.weight"),
    "crossq": ("policy.actor.latent_pi.0.ra_mean", "policy.critic.qf0.0.ra_var", "replay.observations"),
}  # fmt: skip


@pytest.mark.parametrize(("algo", "part"), [(algo, part) for algo, parts in _PARTS.items() for part in parts])
def test_every_part_of_the_state_counts(algo: Algo, part: str) -> None:
    """A state with one part of another training leads elsewhere; so nothing in it is idle."""
    kept, whole, other = _three(algo)
    held, strange = kept[0][part], other[0][part]
    if part == "episode_starts":
        strange = ~held
    assert held.shape == strange.shape and not np.array_equal(held, strange)
    ended = _go_on(algo, (kept[0] | {part: strange}, kept[1]), 2)
    others = [name for name in whole if name.startswith("policy.") and name != part]
    assert any(not np.array_equal(ended[name], whole[name]) for name in others)


_MEMO: dict[Algo, tuple[tuple[Arrays, Arrays], Arrays, tuple[Arrays, Arrays]]] = {}


def _three(algo: Algo) -> tuple[tuple[Arrays, Arrays], Arrays, tuple[Arrays, Arrays]]:
    """A state, where it leads, and a state of another seed."""
    if algo not in _MEMO:
        kept = _kept(algo, 5)  # in mid-episode, the replay buffer full
        _MEMO[algo] = kept, _go_on(algo, kept, 2), _kept(algo, 5, seed=1)
    return _MEMO[algo]


@pytest.mark.parametrize("rollouts", [1, 4])
def test_the_replay_buffer_comes_back_as_it_was_at_half_the_size(rollouts: int) -> None:
    """Before and after it is full; at the ends of episodes what came next is not what the next row holds."""
    _, model = _new("sac", buffer_size=LANES * 14)
    model.learn(rollouts * ROUND * LANES)
    buffer: Any = model.replay_buffer  # type: ignore[attr-defined]
    assert buffer.full == (rollouts == 4)
    rows = buffer.buffer_size if buffer.full else buffer.pos
    state = save_state(model)
    env, other = _new("sac", seed=3, buffer_size=LANES * 14)
    restore_state(other, state, env.reset())
    again: Any = other.replay_buffer  # type: ignore[attr-defined]
    for name in ("observations", "next_observations", "actions", "rewards", "dones", "timeouts"):
        assert np.array_equal(getattr(again, name)[:rows], getattr(buffer, name)[:rows]), name
    assert (again.pos, again.full) == (buffer.pos, buffer.full)
    ended = state["replay.ended"][0].any(axis=1).sum() if rollouts == 4 else 0
    assert len(state["replay.next_observations"]) <= (ended + 1) * LANES


def test_a_replay_buffer_of_another_size_is_refused() -> None:
    _, model = _new("td3")
    model.learn(4 * ROUND * LANES)
    env, other = _new("td3", buffer_size=LANES * 4)
    with pytest.raises(KeyError, match="another size"):
        restore_state(other, save_state(model), env.reset())
