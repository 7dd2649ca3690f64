"""What a learner of Stable-Baselines3 knows, as plain arrays: its weights, and all that its next step hangs on."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.vec_env import VecEnv

from agents.learners import make_learner

Arrays = dict[str, NDArray[Any]]
_TARGETS = {"actor_target.": "actor.", "critic_target.": "critic."}
"""Slow copies of networks, and of which."""
_ENTROPY = "log_ent_coef"


def make_ppo(env: VecEnv, settings: Mapping[str, Any], seed: int, threads: int = 1) -> PPO:
    """`make_learner` for PPO."""
    model = make_learner("ppo", env, settings, seed, threads)
    assert isinstance(model, PPO)
    return model


# --- weights ------------------------------------------------------------------------------------------------
def weights(model: BaseAlgorithm) -> Arrays:
    """What acting and fine-tuning need, under SB3's names: actor, critics, spread of the actions; no slow copies."""
    held = {
        name: value for name, value in _all_weights(model).items() if not name.startswith(tuple(_TARGETS))
    }
    if _entropy(model) is not None:
        held[_ENTROPY] = _entropy(model).detach().numpy().copy()
    return held


def set_weights(model: BaseAlgorithm, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give the policy these weights; slow copies begin equal. Raises ValueError when names or shapes differ."""
    held = {name: value for name, value in arrays.items() if name != _ENTROPY}
    for name in model.policy.state_dict():
        for copy, of in _TARGETS.items():
            source = of + name.removeprefix(copy)
            if name.startswith(copy) and name not in held and source in held:
                held[name] = held[source]
    try:
        model.policy.load_state_dict({name: _tensor(value) for name, value in held.items()}, strict=True)
        if _ENTROPY in arrays and _entropy(model) is not None:
            with torch.no_grad():
                _entropy(model).copy_(_tensor(arrays[_ENTROPY]))
    except RuntimeError as error:
        raise ValueError(
            f"these weights do not fit the policy ({str(error).splitlines()[-1].strip()}); use the same net_arch, "
            "environment and action as they were trained with"
        ) from None


def _all_weights(model: BaseAlgorithm) -> Arrays:
    return {name: value.detach().numpy().copy() for name, value in model.policy.state_dict().items()}


def _entropy(model: BaseAlgorithm) -> Any:
    """The learned logarithm of the weight of the entropy; None where there is none."""
    return getattr(model, _ENTROPY, None)


def _tensor(value: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(value))


# --- the whole state ----------------------------------------------------------------------------------------
def save_state(model: BaseAlgorithm) -> Arrays:
    """All that the next step hangs on but the environment: networks, optimisers, memories, generators, counters."""
    arrays: Arrays = {f"policy.{name}": value for name, value in _all_weights(model).items()}
    if _entropy(model) is not None:
        arrays[_ENTROPY] = _entropy(model).detach().numpy().copy()
    for part, optimizer in _optimizers(model):
        for index, state in optimizer.state_dict()["state"].items():
            arrays |= {f"{part}.{index}.{name}": value.numpy().copy() for name, value in state.items()}
    _, words, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 - SB3 shuffles with it
    arrays["rng.torch"] = torch.get_rng_state().numpy().copy()
    arrays["rng.numpy"] = np.array(words, np.uint32)
    arrays["rng.numpy_position"] = np.array([position, has_gauss])
    arrays["rng.numpy_cached"] = np.array([cached])
    arrays["counters"] = np.array([model.num_timesteps, model._n_updates])
    assert model._last_episode_starts is not None
    arrays["episode_starts"] = model._last_episode_starts.copy()
    if (memory := getattr(model, "_last_lstm_states", None)) is not None:
        arrays["lstm"] = torch.stack([*memory.pi, *memory.vf]).numpy().copy()
    if (buffer := getattr(model, "replay_buffer", None)) is not None:
        arrays |= {f"replay.{name}": value for name, value in _save_replay(buffer).items()}
    return arrays


def restore_state(
    model: BaseAlgorithm, arrays: Mapping[str, NDArray[Any]], observation: NDArray[np.float32]
) -> None:
    """Go on where `save_state` was called; `observation`: what the environment shows now."""
    set_weights(model, _part(arrays, "policy.") | {n: v for n, v in arrays.items() if n == _ENTROPY})
    for part, optimizer in _optimizers(model):
        known = optimizer.state_dict()
        known["state"] = {}
        for name, value in _part(arrays, f"{part}.").items():
            index, word = name.split(".")
            known["state"].setdefault(int(index), {})[word] = _tensor(value)
        optimizer.load_state_dict(known)
    torch.set_rng_state(_tensor(arrays["rng.torch"]))
    position, has_gauss = arrays["rng.numpy_position"].tolist()
    np.random.set_state(  # noqa: NPY002
        ("MT19937", arrays["rng.numpy"], position, has_gauss, float(arrays["rng.numpy_cached"][0]))
    )
    model.num_timesteps, model._n_updates = arrays["counters"].tolist()
    model._last_obs = observation
    model._last_episode_starts = arrays["episode_starts"].copy()
    if hasattr(model, "_last_lstm_states"):
        one, two, three, four = _tensor(arrays["lstm"])
        model._last_lstm_states = RNNStates((one, two), (three, four))
    if (buffer := getattr(model, "replay_buffer", None)) is not None:
        _restore_replay(buffer, _part(arrays, "replay."))


def _optimizers(model: Any) -> Iterator[tuple[str, torch.optim.Optimizer]]:
    """Every optimiser of a learner, and the beginning of the names of its arrays."""
    if hasattr(model, "actor"):
        yield "optimizer.actor", model.actor.optimizer
        yield "optimizer.critic", model.critic.optimizer
        if getattr(model, "ent_coef_optimizer", None) is not None:
            yield "optimizer.entropy", model.ent_coef_optimizer
    else:
        yield "optimizer", model.policy.optimizer


def _save_replay(buffer: ReplayBuffer) -> Arrays:
    """The filled part of a replay buffer. What comes next is mostly what the following row holds: only the rest is
    kept, which halves the file."""
    rows = buffer.buffer_size if buffer.full else buffer.pos
    following = np.roll(buffer.observations[:rows], -1, axis=0)
    other = (buffer.next_observations[:rows] != following).any(axis=2)
    return {
        "position": np.array([buffer.pos, buffer.full]),
        "observations": buffer.observations[:rows].copy(),
        "actions": buffer.actions[:rows].copy(),
        "rewards": buffer.rewards[:rows].copy(),
        "ended": np.stack([buffer.dones[:rows], buffer.timeouts[:rows]]).astype(bool),
        "other": other,
        "next_observations": buffer.next_observations[:rows][other],
    }


def _restore_replay(buffer: ReplayBuffer, held: Mapping[str, NDArray[Any]]) -> None:
    rows = len(held["observations"])
    if held["observations"].shape[1:] != buffer.observations.shape[1:] or rows > buffer.buffer_size:
        raise KeyError("the replay buffer has another size")
    buffer.observations[:rows] = held["observations"]
    buffer.next_observations[:rows] = np.roll(held["observations"], -1, axis=0)
    buffer.next_observations[:rows][held["other"]] = held["next_observations"]
    buffer.actions[:rows], buffer.rewards[:rows] = held["actions"], held["rewards"]
    buffer.dones[:rows], buffer.timeouts[:rows] = held["ended"]
    buffer.pos, buffer.full = int(held["position"][0]), bool(held["position"][1])


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
