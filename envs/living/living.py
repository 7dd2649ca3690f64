"""What life a whole person lives: which couplings hold and how strongly, which clock ticks, whether there is choice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.circadian import CLOCKS, FORGER
from twins.bodies.couplings import Couplings
from twins.random import Stream
from twins.words import near_miss

NONE_SHARE, LEAST_STRENGTH, MOST_STRENGTH = 0.25, 0.25, 1.75
"""The prior of the couplings' strength: in so many people there is none, in the others it lies anywhere between."""


@dataclass(frozen=True)
class Living:
    """switches: of the couplings. strength: of all that have one, 1 as published, None: drawn for each person from the
    prior, which includes 0. clock: of `twins.bodies.circadian`. Raises ValueError naming what is wrong."""

    switches: Couplings = Couplings()
    strength: float | None = None
    clock: str = FORGER

    def __post_init__(self) -> None:
        if not isinstance(self.switches, Couplings):
            raise ValueError(f"switches is {self.switches!r}; give twins.bodies.couplings.Couplings(...)")
        given = self.strength
        if given is not None and (
            isinstance(given, bool) or not isinstance(given, int | float | np.number) or not 0 <= given <= 3
        ):
            raise ValueError(
                f"strength is {given!r}; give a number from 0 (none) to 3, or None for the prior"
            )
        if self.clock not in CLOCKS:
            raise ValueError(
                f"clock is {self.clock!r}{near_miss(str(self.clock), CLOCKS)}; allowed are {', '.join(CLOCKS)}"
            )

    def strengths(self, keys: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Of people under keys (n, 6)."""
        if self.strength is not None:
            return np.full(len(keys), float(self.strength))
        u = random.uniform(random.stream(keys, Stream.STRENGTH), 2)
        some = LEAST_STRENGTH + (MOST_STRENGTH - LEAST_STRENGTH) * u[:, 1]
        return np.where(u[:, 0] < NONE_SHARE, 0.0, some)
