"""Stable-Baselines3's PPO, made from plain settings, and its whole state as plain arrays."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

Arrays = dict[str, NDArray[Any]]


def make_ppo(env: VecEnv, settings: Mapping[str, Any], seed: int, threads: int = 1) -> PPO:
    """A new PPO for `env`; settings: the keys of agents/hyperparams/ppo.yml. torch gets `threads` threads."""
    torch.set_num_threads(threads)
    settings = dict(settings)
    net_arch, log_std = list(settings.pop("net_arch")), settings.pop("log_std_init")
    rate = settings.pop("learning_rate")
    schedule = settings.pop("learning_rate_schedule", "constant")
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=_linear(rate) if schedule == "linear" else rate,
        policy_kwargs={"net_arch": net_arch, "log_std_init": log_std},
        seed=seed,
        device="cpu",
        **settings,
    )


def _linear(rate: float) -> Callable[[float], float]:
    return lambda left: rate * left


def weights(model: PPO) -> dict[str, NDArray[np.float32]]:
    """All weights of the policy (actor, critic, standard deviation) under SB3's names."""
    return {name: value.detach().numpy().copy() for name, value in model.policy.state_dict().items()}


def set_weights(model: PPO, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Give the policy these weights. Raises ValueError when names or shapes differ."""
    try:
        model.policy.load_state_dict(
            {name: torch.from_numpy(value.copy()) for name, value in arrays.items()}, strict=True
        )
    except RuntimeError as error:
        raise ValueError(
            f"these weights do not fit the policy ({str(error).splitlines()[-1].strip()}); use the same net_arch, "
            "environment and action as they were trained with"
        ) from None


def save_state(model: PPO) -> Arrays:
    """All that the next rollout hangs on but the environment: weights, optimiser, generators, counters."""
    arrays: Arrays = {f"policy.{name}": value for name, value in weights(model).items()}
    for index, state in model.policy.optimizer.state_dict()["state"].items():
        for name, value in state.items():
            arrays[f"optimizer.{index}.{name}"] = value.numpy().copy()
    _, words, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 - SB3 shuffles with it
    arrays["rng.torch"] = torch.get_rng_state().numpy().copy()
    arrays["rng.numpy"] = np.array(words, np.uint32)
    arrays["rng.numpy_position"] = np.array([position, has_gauss])
    arrays["rng.numpy_cached"] = np.array([cached])
    arrays["counters"] = np.array([model.num_timesteps, model._n_updates])
    assert model._last_episode_starts is not None
    arrays["episode_starts"] = model._last_episode_starts.copy()
    return arrays


def restore_state(model: PPO, arrays: Mapping[str, NDArray[Any]], observation: NDArray[np.float32]) -> None:
    """Go on where `save_state` was called; `observation`: what the environment shows now."""
    set_weights(model, {n.removeprefix("policy."): v for n, v in arrays.items() if n.startswith("policy.")})
    optimizer = model.policy.optimizer.state_dict()
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in arrays.items():
        if name.startswith("optimizer."):
            _, index, part = name.split(".")
            state.setdefault(int(index), {})[part] = torch.from_numpy(value.copy())
    optimizer["state"] = state
    model.policy.optimizer.load_state_dict(optimizer)
    torch.set_rng_state(torch.from_numpy(arrays["rng.torch"].copy()))
    position, has_gauss = arrays["rng.numpy_position"].tolist()
    np.random.set_state(  # noqa: NPY002
        ("MT19937", arrays["rng.numpy"], position, has_gauss, float(arrays["rng.numpy_cached"][0]))
    )
    model.num_timesteps, model._n_updates = arrays["counters"].tolist()
    model._last_obs = observation
    model._last_episode_starts = arrays["episode_starts"].copy()
