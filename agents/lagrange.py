"""Rewards less what unsafe glucose costs: with a fixed weight, or with one that keeps the cost at a limit.

Stooke, Achiam, Abbeel, "Responsive Safety in Reinforcement Learning by PID Lagrangian Methods", ICML 2020,
algorithm 2: the multiplier of a constraint is the output of a controller of the measured cost. What is promised is
little: with enough training the mean cost is about the limit, of the policy that explores, among the people and days
that it is trained on. A hard bound is the shield's work.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback

from agents.multiplier import Multiplier


class CostPenalty(BaseCallback):
    """While a learner of SB3 trains, turns each reward into (reward - w cost) / (1 + w).

    The division keeps rewards at their scale however large w is (the paper's section 6). w is `weight`, or moves with
    `multiplier`: between two rollouts, when `every` environment steps were measured since. What an off-policy learner
    remembers is weighted anew then, so that all it learns from has the same w. Of a failed episode only the minutes
    before its end cost; failures are counted apart.
    """

    def __init__(self, weight: float = 0.0, multiplier: Multiplier | None = None, every: int = 1) -> None:
        super().__init__()
        self.weight, self.multiplier, self.every = weight, multiplier, every
        self._steps, self._cost = 0, 0.0  # since the last update
        self._plain: NDArray[np.float32] | None = None  # rewards and costs of a replay buffer, (2, its shape)

    def _on_rollout_start(self) -> None:
        held = self.multiplier
        if held is not None and self._steps >= self.every:
            self.weight = held.update(self._cost / self._steps)
            self._steps, self._cost = 0, 0.0
            if (buffer := _replay(self.model)) is not None:
                rows = buffer.size()
                buffer.rewards[:rows] = self._weighted(*self._remembered(buffer)[:, :rows])
        self.logger.record("cost/weight", self.weight)
        if held is not None:
            self.logger.record("cost/integral", held.integral)
            self.logger.record("cost/mean", held.previous)

    def _on_step(self) -> bool:
        rewards = self.locals["rewards"]  # the array that the learner keeps after this call
        costs = np.array([info["cost"] for info in self.locals["infos"]], np.float32)
        if (buffer := _replay(self.model)) is not None:
            self._remembered(buffer)[:, buffer.pos] = rewards, costs
        rewards[:] = self._weighted(rewards, costs)
        self._steps += len(costs)
        self._cost += float(costs.sum(dtype=np.float64))
        return True

    def _weighted(self, rewards: NDArray[np.float32], costs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(reward - w cost) / (1 + w), arrays of any shape."""
        return ((rewards - self.weight * costs) / (1 + self.weight)).astype(np.float32, copy=False)

    def _remembered(self, buffer: ReplayBuffer) -> NDArray[np.float32]:
        if self._plain is None:
            self._plain = np.zeros((2, *buffer.rewards.shape), np.float32)
        return self._plain

    # --- stopping and going on -----------------------------------------------------------------------
    def save(self, model: Any) -> dict[str, NDArray[Any]]:
        """All that the next step of a learner hangs on here, as arrays by name."""
        held = self.multiplier
        control = (held.integral, held.previous) if held is not None else (0.0, 0.0)
        arrays: dict[str, NDArray[Any]] = {
            "state": np.array([self.weight, *control, self._steps, self._cost])
        }
        if (buffer := _replay(model)) is not None:
            arrays["plain"] = self._remembered(buffer)[:, : buffer.size()].copy()
        return arrays

    def restore(self, model: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `save` gave, after the learner's own state (its replay buffer must be filled already).

        Raises KeyError when it does not fit that buffer.
        """
        self.weight, integral, previous, steps, self._cost = arrays["state"].tolist()
        self._steps = int(steps)
        if self.multiplier is not None:
            self.multiplier.integral, self.multiplier.previous = integral, previous
        if (buffer := _replay(model)) is not None:
            held, plain = arrays["plain"], self._remembered(buffer)
            if held.shape != (2, buffer.size(), *plain.shape[2:]):
                raise KeyError("the replay buffer has another size")
            plain[:, : buffer.size()] = held


def _replay(model: Any) -> ReplayBuffer | None:
    """The replay buffer of an off-policy learner; None of others."""
    buffer: ReplayBuffer | None = getattr(model, "replay_buffer", None)
    return buffer
