"""Values held within bounds, and which bound was the last to change each."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPARE = 1e-9


class Hold:
    """reason (n,): the last bound that changed a value of each person, 0 where none did."""

    def __init__(self, n: int) -> None:
        self.reason = np.zeros(n, np.int64)

    def keep(self, value: Array, low: Array | float, high: Array | float, why: IntEnum) -> Array:
        """The values (n,) within low and high; where these cross, the lower one counts."""
        held: Array = np.clip(value, low, np.maximum(low, high))
        self.reason[np.abs(held - value) > SPARE] = int(why)
        return held
