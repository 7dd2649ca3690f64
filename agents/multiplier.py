"""The weight of the cost that a controller moves while `agents.lagrange` trains; settings need it without torch."""

from dataclasses import dataclass

import numpy as np

MOST = 100.0
"""Bound of a weight: with it 99 % of what is learned from is cost already."""


@dataclass
class Multiplier:
    """The weight of the cost that keeps its mean at `limit`: a PID controller which never pays for being below it.

    limit: mean cost of a decision (`info["cost"]`, 0 to 2). kp, ki, kd: weight per unit of cost. integral: sum of
    what was above the limit, of at least 0; previous: the cost of the last update.
    """

    limit: float
    kp: float
    ki: float
    kd: float
    integral: float = 0.0
    previous: float = 0.0

    def update(self, cost: float) -> float:
        """The new weight, from 0 to `MOST`, after a mean cost was measured."""
        excess, rise = cost - self.limit, max(0.0, cost - self.previous)
        most = MOST / self.ki if self.ki > 0 else np.inf  # a weight at its bound winds nothing up
        self.integral = float(min(max(0.0, self.integral + excess), most))
        self.previous = cost
        return float(min(max(0.0, self.kp * excess + self.ki * self.integral + self.kd * rise), MOST))
