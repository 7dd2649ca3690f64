"""Learners of Stable-Baselines3 and sb3-contrib, made from plain settings, so that they begin near the own therapy.

An action of zero is the person's own therapy. A new actor is therefore nearly zero with little noise, and
off-policy learners explore with it from the first step, where SB3 would act uniformly at random: random doses
of insulin end episodes early and fill the replay buffer with what no policy should visit.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import TQC, CrossQ, RecurrentPPO
from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from agents.actors import Algo

SMALL = 0.01
"""Factor of the first weights of an actor's last layer (PPO's own way of beginning near zero)."""


class _ActsFromTheStart(OffPolicyAlgorithm):
    """Until `learning_starts` the policy itself acts: nothing is learned yet, and nothing is done at random."""

    def _sample_action(
        self, learning_starts: int, action_noise: ActionNoise | None = None, n_envs: int = 1
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        return super()._sample_action(0, action_noise, n_envs)


class _Sac(_ActsFromTheStart, SAC):
    pass


class _Td3(_ActsFromTheStart, TD3):
    pass


class _Tqc(_ActsFromTheStart, TQC):
    pass


class _CrossQ(_ActsFromTheStart, CrossQ):
    pass


_KINDS: dict[Algo, tuple[type[BaseAlgorithm], str]] = {
    "ppo": (PPO, "MlpPolicy"),
    "recurrent_ppo": (RecurrentPPO, "MlpLstmPolicy"),
    "sac": (_Sac, "MlpPolicy"),
    "td3": (_Td3, "MlpPolicy"),
    "tqc": (_Tqc, "MlpPolicy"),
    "crossq": (_CrossQ, "MlpPolicy"),
}
_OF_POLICY = ("log_std_init", "lstm_hidden_size", "enable_critic_lstm", "n_quantiles", "n_critics")
"""Settings that SB3 takes as policy_kwargs."""


def make_learner(
    algo: Algo, env: VecEnv, settings: Mapping[str, Any], seed: int, threads: int = 1
) -> BaseAlgorithm:
    """A new learner for `env`; settings: the keys of agents/hyperparams/ALGO.yml. torch gets `threads` threads."""
    torch.set_num_threads(threads)
    rest = dict(settings)
    rate, schedule = rest.pop("learning_rate"), rest.pop("learning_rate_schedule", "constant")
    of_policy = {name: rest.pop(name) for name in _OF_POLICY if name in rest}
    of_policy["net_arch"] = net_arch = list(rest.pop("net_arch"))
    off_policy = "qf_arch" in rest
    if off_policy:
        of_policy["net_arch"] = {"pi": net_arch, "qf": list(rest.pop("qf_arch"))}
        log_std = of_policy.pop("log_std_init", None)  # SB3 heeds it for another kind of noise only
    if "noise_std" in rest:
        width: Any = env.action_space.shape
        rest["action_noise"] = NormalActionNoise(np.zeros(width), np.full(width, rest.pop("noise_std")))
    kind, policy = _KINDS[algo]
    model: Any = kind(
        policy,
        env,
        learning_rate=_linear(rate) if schedule == "linear" else rate,
        policy_kwargs=of_policy,
        seed=seed,
        device="cpu",
        **rest,
    )
    if off_policy:
        _begin_near_zero(model, log_std)
    made: BaseAlgorithm = model
    return made


def _linear(rate: float) -> Callable[[float], float]:
    return lambda left: rate * left


def _begin_near_zero(model: Any, log_std: float | None) -> None:
    """Make the mean action nearly zero for every observation, and its log standard deviation nearly `log_std`."""
    actor = model.policy.actor
    last = actor.mu if isinstance(actor.mu, torch.nn.Linear) else actor.mu[-2]  # TD3 ends in Linear, Tanh
    with torch.no_grad():
        last.weight.mul_(SMALL)
        last.bias.zero_()
        if log_std is not None:
            actor.log_std.weight.mul_(SMALL)
            actor.log_std.bias.fill_(log_std)
    if hasattr(model.policy, "actor_target"):
        model.policy.actor_target.load_state_dict(actor.state_dict())
