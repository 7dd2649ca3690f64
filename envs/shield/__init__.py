"""The shield: the requested dose becomes the allowed one, with a reason.

`rule` checks a request against rules of real pumps, `twin` also rolls the person's twin ahead, `off` only puts the
fallback in the place of what no pump can deliver.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.shield.fallback import off
from envs.shield.reasons import REASONS, Reason
from envs.shield.rule import rule
from envs.therapy import Request
from envs.view import View

__all__ = ["NAMES", "REASONS", "SHIELDS", "Reason", "Shield", "off", "rule"]


class Shield(Protocol):
    """A shield: `shield(request, view, limits, belief) -> (allowed request, reason (n,), margin (n,))`."""

    def __call__(
        self, request: Request, view: View, limits: NDArray[np.float64], belief: Any = None
    ) -> tuple[Request, NDArray[np.int64], NDArray[np.float64]]: ...


SHIELDS: dict[str, Shield] = {"rule": rule, "off": off}
"""Shields that are the same for everybody; `twin.TwinShield` is made for the persons it guards."""
NAMES = (*SHIELDS, "twin")
"""What the keyword `shield` may name."""
