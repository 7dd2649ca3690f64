"""What the forecaster must beat, on the same moments: no forecast at all, linear regression, boosted trees.

Everybody's windows together, like the forecaster. Boosting is scikit-learn's histogram version (installed with
fairlearn), which grows its trees in the manner of LightGBM; XGBoost would be one more dependency for the same method.
Each rival gives glucose at 60 min and a risk of a reading below 70 within the hour; where it has no probability of its
own, the risk is the lower glucose, which ranks as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from agents.forecast.features import LOW_MG_DL
from agents.forecast.learn import Examples

PENALTIES = 10.0 ** np.arange(0, 6)
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Guess:
    """For the windows of one person. glucose_mg_dl (W,): at 60 min; risk (W,): higher means a low is likelier."""

    glucose_mg_dl: Array
    risk: Array


Rival = Callable[[Sequence[Examples], Sequence[Examples], Sequence[Examples]], list[Guess]]
"""Of windows to learn from, to choose by, and to guess for."""


def persistence(
    train: Sequence[Examples], hold: Sequence[Examples], asked: Sequence[Examples]
) -> list[Guess]:
    """The reading at the start, held; lower is riskier."""
    return [_ranked(current(one)) for one in asked]


def ridge_of_readings(
    train: Sequence[Examples], hold: Sequence[Examples], asked: Sequence[Examples]
) -> list[Guess]:
    """Ridge regression from the 24 readings of the last two hours alone."""
    return _ridge(_readings, train, hold, asked)


def ridge(train: Sequence[Examples], hold: Sequence[Examples], asked: Sequence[Examples]) -> list[Guess]:
    """Ridge regression from all that the forecaster sees."""
    return _ridge(_all, train, hold, asked)


def boosting(
    train: Sequence[Examples], hold: Sequence[Examples], asked: Sequence[Examples], seed: int = 0
) -> list[Guess]:
    """Gradient boosting from all that the forecaster sees: one for glucose, one for lows."""
    x, y, low = _learned(_all, train)
    glucose = np.concatenate([current(one) for one in train])
    read, known = np.isfinite(y), np.isfinite(low)
    how = {"learning_rate": 0.05, "l2_regularization": 5.0, "max_features": 0.4, "early_stopping": False}
    value = HistGradientBoostingRegressor(
        max_iter=250, max_leaf_nodes=20, min_samples_leaf=200, random_state=seed, **how
    ).fit(x[read], (y - glucose)[read])
    lows = HistGradientBoostingClassifier(
        max_iter=120, max_leaf_nodes=10, min_samples_leaf=300, random_state=seed, **how
    ).fit(x[known], low[known])
    return [
        Guess(value.predict(_all(one)) + current(one), lows.predict_proba(_all(one))[:, 1]) for one in asked
    ]


RIVALS: dict[str, Rival] = {
    "last reading": persistence, "ridge, readings alone": ridge_of_readings, "ridge": ridge,
    "gradient boosting": boosting,
}  # fmt: skip


def current(one: Examples) -> Array:
    """The reading at each start (W,) [mg/dL]."""
    return np.asarray(one.seen.now[one.starts, one.seen.names.index("glucose")], np.float64)


def low_known(one: Examples) -> Array:
    """Whether a low came within the hour (W,): 1, 0, or NaN where unknown or glucose is low already."""
    return np.where(current(one) >= LOW_MG_DL, one.ahead.low, np.nan)


def _ridge(
    see: Callable[[Examples], Array],
    train: Sequence[Examples],
    hold: Sequence[Examples],
    asked: Sequence[Examples],
) -> list[Guess]:
    """The penalty is the one with the smallest error on held-out windows."""
    x, y, _ = _learned(see, train)
    mean, sd = np.nanmean(x, axis=0), np.maximum(np.nanstd(x, axis=0), 1e-6)

    def scaled(values: Array) -> Array:
        return np.asarray(np.clip(np.nan_to_num((values - mean) / sd), -5, 5))

    read = np.isfinite(y)
    a, level = scaled(x[read]), y[read].mean()
    normal, moment = a.T @ a, a.T @ (y[read] - level)
    apart, seen, _ = _learned(see, hold)
    best, weights = np.inf, moment
    for penalty in PENALTIES:
        tried = np.linalg.solve(normal + penalty * np.eye(len(normal)), moment)
        missed = float(np.nanmean((level + scaled(apart) @ tried - seen) ** 2))
        if missed < best:
            best, weights = missed, tried
    return [_ranked(level + scaled(see(one)) @ weights) for one in asked]


def _ranked(glucose: Array) -> Guess:
    return Guess(glucose, -glucose)


def _learned(see: Callable[[Examples], Array], people: Sequence[Examples]) -> tuple[Array, Array, Array]:
    """Features, glucose at 60 min, and whether a low came, of everybody."""
    parts = [(see(one), one.ahead.glucose_mg_dl[:, -1], low_known(one)) for one in people]
    x, y, low = (np.concatenate([part[number] for part in parts]) for number in range(3))
    return x, y, low


def _readings(one: Examples) -> Array:
    return one.seen.windows(one.starts)[:, :, 0].astype(np.float64)


def _all(one: Examples) -> Array:
    return np.concatenate([_readings(one), one.seen.now[one.starts].astype(np.float64)], axis=1)
