"""TD3-BC: TD3 on logged transitions, with an actor that stays near what was logged.

Fujimoto and Gu, "A minimalist approach to offline reinforcement learning", NeurIPS 2021. Networks, their slow copies
and optimisers are Stable-Baselines3's; nothing acts in the environment.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import TD3
from stable_baselines3.common.utils import polyak_update
from torch.nn import functional

from agents.learners import make_learner
from envs.faces.sb3 import Sb3Env
from experiments.hyperparams import load_hyperparams


@dataclass(frozen=True)
class Settings:
    """gamma: discount of a decision. alpha: weight of the value beside the log (2.5 in the paper; 0: cloning alone)."""

    steps: int = 100_000
    batch: int = 256
    learning_rate: float = 3e-4
    gamma: float = 0.97
    alpha: float = 2.5
    tau: float = 0.005
    policy_delay: int = 2
    target_noise: float = 0.1
    target_clip: float = 0.2
    net_arch: tuple[int, ...] = (128, 128)


def learn(
    env: Sb3Env,
    transitions: tuple[NDArray[Any], ...],
    settings: Settings,
    seed: int,
) -> TD3:
    """A TD3 learner of Stable-Baselines3 after `steps` gradient steps on transitions (see `Log.transitions`).

    env: gives the spaces.
    """
    plain = load_hyperparams("td3").model_dump()
    changes = {"net_arch": settings.net_arch, "qf_arch": settings.net_arch, "buffer_size": 1, "n_steps": 1}
    model: Any = make_learner("td3", env, plain | changes | {"learning_rate": settings.learning_rate}, seed)
    data = [torch.from_numpy(np.ascontiguousarray(part)) for part in transitions]
    draw = torch.Generator().manual_seed(seed)
    actor, critic = model.actor, model.critic
    for step in range(1, settings.steps + 1):
        at = torch.randint(len(data[0]), (settings.batch,), generator=draw)
        seen, done, reward, then, ended = (part[at] for part in data)
        with torch.no_grad():
            noise = torch.randn(done.shape, generator=draw) * settings.target_noise
            noise = noise.clamp(-settings.target_clip, settings.target_clip)
            following = (model.actor_target(then) + noise).clamp(-1, 1)
            value = torch.min(*model.critic_target(then, following))[:, 0]
            target = reward + settings.gamma * (1 - ended) * value
        loss = sum(functional.mse_loss(q[:, 0], target) for q in critic(seen, done))
        _step(critic.optimizer, loss)
        if step % settings.policy_delay == 0:
            action = actor(seen)
            q = critic.q1_forward(seen, action)
            weight = settings.alpha / q.abs().mean().detach()
            _step(actor.optimizer, functional.mse_loss(action, done) - weight * q.mean())
            polyak_update(critic.parameters(), model.critic_target.parameters(), settings.tau)
            polyak_update(actor.parameters(), model.actor_target.parameters(), settings.tau)
    learned: TD3 = model
    return learned


def _step(optimizer: torch.optim.Optimizer, loss: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
