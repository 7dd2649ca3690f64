"""A trained policy at the task that it was trained for: what the task shows it, and what it asks for there."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.frozen import FrozenPolicy


class Shows(Protocol):
    """What a policy needs of its task; a view is whatever the task looks at."""

    observation_names: tuple[str, ...]

    def observe(self, view: Any) -> NDArray[np.float32]:
        """What is seen (n, O)."""


class OfTask:
    """shows: what shows the observations, for the message. Raises ValueError where the policy was trained on others."""

    def __init__(self, policy: FrozenPolicy, task: Shows, shows: str) -> None:
        if policy.manifest.observation_names != task.observation_names:
            raise ValueError(f"this policy was trained on other observations than {shows}; train it again")
        self._policy, self._shown_by = policy, task

    def action(self, view: Any) -> NDArray[np.float64]:
        """What it asks for (n, A), in [-1, 1]."""
        action, _ = self._policy.predict(self._shown_by.observe(view))
        return action.astype(np.float64)
