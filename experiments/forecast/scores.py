"""How forecasts are scored: errors, ranks, probabilities, coverage, net benefit, and how sure one is of them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def rmse(forecast: ArrayLike, seen: ArrayLike) -> float:
    """Root mean squared error, in the unit of both; NaN in `seen` is left out."""
    missed = np.asarray(forecast, np.float64) - np.asarray(seen, np.float64)
    return float(np.sqrt(np.nanmean(missed**2)))


def auc(risk: ArrayLike, happened: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a case has a higher risk than a non-case, ties counting half.

    Both have shape (n,); cases where `happened` is NaN are left out. NaN when all or none are cases.
    """
    score, case = _known(risk, happened)
    cases, others = int(case.sum()), int((~case).sum())
    if not cases or not others:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[case].sum() - cases * (cases + 1) / 2) / (cases * others))


def brier(risk: ArrayLike, happened: ArrayLike) -> float:
    """Mean squared difference of probability and outcome, (n,) each."""
    score, case = _known(risk, happened)
    return float(np.mean((score - case) ** 2))


def coverage(low: ArrayLike, high: ArrayLike, seen: ArrayLike) -> float:
    """Share of what was read that lies within the intervals, (n,) each; NaN in `seen` is left out."""
    y = np.asarray(seen, np.float64)
    read = np.isfinite(y)
    inside = (y >= np.asarray(low, np.float64)) & (y <= np.asarray(high, np.float64))
    return float(inside[read].mean())


def net_benefit(risk: ArrayLike, happened: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit (T,) of acting where the risk reaches each of `thresholds` (T,), a share of all moments.

    True positives less false ones, each weighed by the odds of the threshold: who acts from a risk of 10 % on holds a
    missed low for nine times as bad as a needless act (Vickers and Elkin, Medical Decision Making 26, 2006).
    """
    score, case = _known(risk, happened)
    at = np.asarray(thresholds, np.float64)
    if ((at <= 0) | (at >= 1)).any():
        raise ValueError("thresholds are probabilities between 0 and 1, both left out")
    acted = score[None] >= at[:, None]
    odds = at / (1 - at)
    found: NDArray[np.float64] = (acted & case).mean(axis=1) - odds * (acted & ~case).mean(axis=1)
    return found


def over_people(
    statistic: Callable[[list[int]], float], people: int, draws: int = 500, seed: int = 0
) -> tuple[float, float]:
    """The middle 95 % of a statistic when people are drawn anew with replacement; draws that give NaN are left out.

    statistic: of a list of people's numbers, 0 ... people - 1, in which a number may come more than once.
    """
    draw = np.random.default_rng(seed)
    found = np.array([statistic(draw.integers(people, size=people).tolist()) for _ in range(draws)])
    found = found[np.isfinite(found)]
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def joined(parts: Sequence[NDArray[np.float64]], chosen: Sequence[int]) -> NDArray[np.float64]:
    """What some people have, one after the other."""
    return np.concatenate([parts[number] for number in chosen])


def _known(risk: ArrayLike, happened: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    score, case = np.asarray(risk, np.float64), np.asarray(happened, np.float64)
    if score.shape != case.shape or score.ndim != 1:
        raise ValueError(f"risks have shape {score.shape}, outcomes {case.shape}; give two of (n,)")
    known = np.isfinite(case)
    if not np.isfinite(score[known]).all():
        raise ValueError("a risk is not finite; give one for every known outcome")
    return score[known], case[known] > 0.5
