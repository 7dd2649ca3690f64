"""Conformal quantile regression: by how much to widen an interval so that it holds the stated share of new readings.

Romano, Patterson, Candès, "Conformalized quantile regression", NeurIPS 2019: the score of a reading is how far it lies
outside the interval (negative within), and the interval grows by the (n + 1)(1 - alpha) / n quantile of the scores of
days that no network learned from. The promise holds for exchangeable readings. Those of later days are not quite that,
so the coverage on days after the calibration is measured, too.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def widening(low: ArrayLike, high: ArrayLike, seen: ArrayLike, alpha: float) -> float:
    """What to take off `low` (n,) and add to `high` (n,), in their unit; negative where intervals are too wide.

    seen (n,): what came; NaN is left out. Raises ValueError unless 0 < alpha < 1, and for fewer than 1 / alpha - 1.
    """
    a, b, y = (np.asarray(one, np.float64) for one in (low, high, seen))
    if not a.shape == b.shape == y.shape or a.ndim != 1 or not 0 < alpha < 1:
        raise ValueError(
            f"intervals have shapes {a.shape} and {b.shape}, readings {y.shape}, alpha is {alpha}; give three of (n,), "
            "0 < alpha < 1"
        )
    return conformal_quantile(np.maximum(a - y, y - b)[np.isfinite(y)], alpha, "readings")


def conformal_quantile(scores: NDArray[np.float64], alpha: float, of: str) -> float:
    """What a new case's score exceeds with a probability of at most `alpha`, from those of exchangeable cases (n,).

    of: what the cases are, for the error. Raises ValueError when they are too few: n + 1 >= 1 / alpha is needed.
    """
    rank = math.ceil((len(scores) + 1) * (1 - alpha))
    if rank > len(scores):
        raise ValueError(
            f"{len(scores)} {of} are too few for alpha {alpha:g}; needed are {math.ceil(1 / alpha) - 1} or more"
        )
    return float(np.sort(scores)[rank - 1])
