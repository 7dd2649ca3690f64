"""What the core asks of a task."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.therapy import Request
from envs.view import View


@dataclass(frozen=True)
class Field:
    """One number of an action: its meaning in physical units. Agents give it scaled to [-1, 1].

    every_min: 0 = at each decision; otherwise it counts only at multiples of it. latched: holds
    between those moments.
    """

    name: str
    low: float
    high: float
    unit: str
    every_min: int = 0
    latched: bool = False


def numeric(
    action: NDArray[Any], fields: tuple[Field, ...], lanes: int, otherwise: str
) -> NDArray[np.float64]:
    """The action as floats (lanes, fields), a copy. otherwise: what else the caller takes, for the message.

    Raises ValueError where it is not numeric or has another shape.
    """
    shape = (lanes, len(fields))
    try:
        # same_kind: whole numbers become floats, words and complex numbers do not
        array = np.asarray(action).astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the action is {type(action).__name__} and not numeric ({error}); give floats of shape {shape}, or "
            f"{otherwise}"
        ) from None
    if array.shape != shape:
        names = ", ".join(field.name for field in fields)
        raise ValueError(
            f"the action has shape {array.shape}; needed is {shape}: {names}, each within [-1, 1]"
        )
    return array


class Task(Protocol):
    """Decodes actions, observes and rewards; arrays have one row per lane."""

    fields: tuple[Field, ...]
    observation_names: tuple[str, ...]

    def decode(self, action: NDArray[np.float64], view: View) -> Request:
        """The request that an action (n, A) stands for now; called at every control interval."""

    def observe(self, view: View) -> NDArray[np.float32]:
        """What the agent sees, shape (n, O), scaled to about [-1, 1]."""

    def terms(
        self, trace: NDArray[np.float64], interval_min: int, view: View
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """Reward terms by name, each (n,), and the cost (n,), of a decision: its trace (n, M, F), the view after it."""
