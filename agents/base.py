"""What the evaluator asks of an agent.

A learned policy has SB3's `predict`, works on observations and decides every `decision_min` minutes. A
treatment has `act`, works on the `View` in physical units and decides at every reading of the sensor.
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from envs.therapy import Request
from envs.view import View
from twins.cohort import Cohort


@runtime_checkable
class Policy(Protocol):
    """SB3's interface. Optional attributes: decision_min (default: the sensor's sample time), action
    (one of `envs.tasks.dosing.ACTIONS`), oracle, train_seed."""

    def predict(
        self,
        observation: NDArray[Any],
        state: Any = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[NDArray[Any], Any]:
        """Actions (n, A) in [-1, 1] for observations (n, O), and the policy's state."""


@runtime_checkable
class Treatment(Protocol):
    """A treatment in physical units; unless it is `Acquainted`, it keeps no memory of its own."""

    def act(self, view: View) -> Request:
        """The request of every lane for the coming control interval."""


@runtime_checkable
class Acquainted(Protocol):
    """An agent that works with twins: it meets its persons' before an episode begins, and keeps what it believes."""

    def meet(self, twins: Cohort, rows: NDArray[np.int64], keys: NDArray[np.uint32], interval_min: int) -> None:
        """rows (n,): whose twin stands in each lane; keys (n, 6) of the episodes; minutes between readings."""


Agent = Policy | Treatment
