"""The cross-entropy method with independent normals, for many searches side by side.

Rubinstein, Methodol Comput Appl Probab 1 (1999) 127; the best are weighted by logarithmic rank as in CMA-ES (Hansen,
arXiv 1604.00772). Values are shares of their range, 0 to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ELITE_SHARE = 0.25
SPREAD, LEAST_SPREAD, LEARNING = 0.25, 0.03, 0.7
"""Standard deviation of the first generation and least one later, as shares of a value's range; the weight of the best
of a generation in the mean and spread of the next."""


@dataclass(frozen=True)
class Found:
    """Where S searches of K values ended: the normals' mean and the last elite's weighted one, each (S, K), the last
    elite (E, S, K), best first, and the mean score of each generation's elite (G, S)."""

    mean: Array
    centre: Array
    best: Array
    curve: Array


def search(
    score: Callable[[Array, int], Array],
    start: Array,
    dice: Sequence[np.random.Generator],
    population: int,
    generations: int,
) -> Found:
    """Look for the highest score.

    score: of candidates (C, S, K) in a generation, (C, S), or (C, 1) for one that all searches share. start (K,) or
    (S, K): where searches begin. dice: a generator for each search, so that none hangs on the others.
    """
    mean = np.array(np.broadcast_to(start, (len(dice), start.shape[-1])))
    spread = np.full_like(mean, SPREAD)
    elite = max(int(ELITE_SHARE * population), 2)
    weights = np.log(elite + 0.5) - np.log(np.arange(1.0, elite + 1.0))
    weights = (weights / weights.sum())[:, None, None]
    best, centre, curve = np.empty((0, *mean.shape)), mean, np.empty((generations, len(dice)))
    for generation in range(generations):
        steps = np.stack([one.standard_normal((population, mean.shape[1])) for one in dice], axis=1)
        points = np.clip(mean + spread * steps, 0.0, 1.0)
        points[0] = mean
        found = score(points, generation)
        order = np.argsort(-found, axis=0, kind="stable")[:elite, :, None]
        best = np.take_along_axis(points, order, axis=0)
        curve[generation] = np.take_along_axis(found, order[:, :, 0], axis=0).mean(axis=0)
        centre = (weights * best).sum(axis=0)
        off = np.sqrt((weights * (best - centre) ** 2).sum(axis=0))
        mean = (1 - LEARNING) * mean + LEARNING * centre
        spread = np.maximum((1 - LEARNING) * spread + LEARNING * off, LEAST_SPREAD)
    return Found(mean, centre, best, curve)
