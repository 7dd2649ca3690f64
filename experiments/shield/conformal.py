"""A conformal margin: by how much to raise a floor so that a new body stays above it with a stated probability.

Split conformal prediction on whole trajectories (Vovk et al., "Algorithmic Learning in a Random World", 2005; scores of
trajectories, so that no step is left out): the score of a body is how far its lowest glucose fell below the floor. For
a new body that is exchangeable with those of the calibration, the score exceeds the quantile with a probability of at
most alpha. Raising the floor by that margin changes what is simulated, so the coverage behind it is measured anew.
"""

import numpy as np
from numpy.typing import ArrayLike

from agents.forecast.conformal import conformal_quantile


def conformal_margin(lowest_mg_dl: ArrayLike, floor_mg_dl: float, alpha: float) -> float:
    """The margin [mg/dL], 0 or more, from the lowest glucose (n,) of bodies that were guarded at this floor.

    Raises ValueError unless 0 < alpha < 1, and when n bodies are too few for it: n + 1 >= 1 / alpha is needed.
    """
    lowest = np.asarray(lowest_mg_dl, np.float64)
    if lowest.ndim != 1 or not np.isfinite(lowest).all() or not 0 < alpha < 1:
        raise ValueError(
            f"lowest has shape {lowest.shape}, alpha is {alpha}; give (n,) finite values, 0 < alpha < 1"
        )
    return max(conformal_quantile(floor_mg_dl - lowest, alpha, "bodies"), 0.0)
