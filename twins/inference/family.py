"""A family of twins: how a vector of logarithms `theta` (17,), in the order of `personal.NAMES`, forecasts a record."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.inference import personal, replay


@dataclass(frozen=True)
class Family:
    """forecasts, effects: see `replay.forecasts` and `personal.effects`, whose arguments and results others share."""

    name: str
    forecasts: Callable[..., NDArray[np.float64]]
    effects: Callable[..., NDArray[np.float64]]


UVA_PADOVA = Family("uva-padova", replay.forecasts, personal.effects)
"""The family in use: why, see `scripts.families`."""
