"""Scores of an agent over training seeds and persons, and what they come to: means, quartiles, tails, pairs.

Scores have shape (seeds, persons): one row for each training seed, one column for each person, a person's
days already averaged (`person_scores`). A treatment that is not trained has one row. NaN marks a person
who was not judged under a seed. With rotated folds the row s holds, for every person, the score under
training s of that person's fold. Aggregates take arrays (..., seeds, persons) and give (...): leading axes
are resamples.

Sources: Agarwal and others 2021 with rliable 1.2.0; Rockafellar and Uryasev 2002 (CVaR of few values).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class PersonScores(NamedTuple):
    """Scores (seeds, persons) with the labels of the rows and of the columns, both sorted."""

    scores: Array
    seeds: tuple[Any, ...]
    persons: tuple[Any, ...]


def person_scores(values: ArrayLike, person: ArrayLike, seed: ArrayLike) -> PersonScores:
    """Mean of a long table's column within each person and training seed; all three have shape (n,).

    Missing values (NaN) are left out; a cell without any value is NaN.
    """
    column, who, which = np.asarray(values, np.float64), np.asarray(person), np.asarray(seed)
    if column.ndim != 1 or not len(column) or not column.shape == who.shape == which.shape:
        raise ValueError(
            f"values, person and seed have shapes {column.shape}, {who.shape}, {which.shape}; "
            "give three columns of one table, each (n,), not empty"
        )
    persons, columns = np.unique(who, return_inverse=True)
    seeds, rows = np.unique(which, return_inverse=True)
    known = np.isfinite(column)
    shape = (len(seeds), len(persons))
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (rows[known], columns[known]), column[known])
    np.add.at(count, (rows[known], columns[known]), 1.0)
    return PersonScores(_ratio(total, count), tuple(seeds.tolist()), tuple(persons.tolist()))


def _ratio(total: Array, count: Array) -> Array:
    """total / count, NaN where nothing was counted."""
    return np.asarray(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))


def _mean(values: Array, axis: int) -> Array:
    """Mean over an axis without the missing; NaN where all are missing."""
    known = ~np.isnan(values)
    if known.all():
        return np.asarray(values.mean(axis=axis))
    return _ratio(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis).astype(float))


def person_means(scores: Array) -> Array:
    """Mean over training seeds, (..., persons): what is expected of the next training for a person."""
    return _mean(scores, -2)


def mean(scores: Array) -> Array:
    """Mean over persons of their mean over seeds: every person counts once."""
    return _mean(person_means(scores), -1)


def iqm(scores: Array) -> Array:
    """Interquartile mean: the mean of all cells without the lowest and the highest quarter.

    rliable's `aggregate_iqm`: scipy's trim_mean(cells, 0.25), which cuts int(0.25 n) cells at each end.
    """
    cells = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)  # the missing come last
    count = (~np.isnan(cells)).sum(axis=-1, keepdims=True)
    cut = count // 4
    place = np.arange(cells.shape[-1])
    return _mean(np.where((place >= cut) & (place < count - cut), cells, np.nan), -1)


def worst_person(scores: Array, higher_is_better: bool = True) -> Array:
    """The mean over seeds of the person who does worst. An extreme: read its interval as a description."""
    return cvar(scores, alpha=0.0, higher_is_better=higher_is_better)


def cvar(scores: Array, alpha: float = 0.1, higher_is_better: bool = True) -> Array:
    """Mean over the worst share `alpha` of the persons (of their means over seeds).

    Where alpha x persons is not whole, the next person counts with the fraction that is left: of 25 persons,
    the worst two fully and the third by half, divided by 2.5. At least the worst person counts fully.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha:g}; it is a share of the persons, 0 (the worst one) to 1 (all)")
    sign = 1.0 if higher_is_better else -1.0
    ordered = np.sort(sign * person_means(scores), axis=-1)
    known = ~np.isnan(ordered)
    share = np.maximum(alpha * known.sum(axis=-1, keepdims=True), 1.0)
    weight = np.where(known, np.clip(share - np.arange(ordered.shape[-1]), 0.0, 1.0), 0.0)
    found = _ratio((weight * np.where(known, ordered, 0.0)).sum(axis=-1), weight.sum(axis=-1))
    return sign * found + 0.0  # no -0.0


def optimality_gap(scores: Array, gamma: float = 100.0) -> Array:
    """How far scores fall short of gamma, cell by cell; above gamma nothing is gained. rliable's."""
    return gamma - _mean(_mean(np.minimum(scores, gamma), -1), -1)


def difference(ours: Array, theirs: Array) -> Array:
    """Paired difference: mean over persons of our mean over seeds minus theirs, in the scores' unit."""
    return _mean(person_means(ours) - person_means(theirs), -1)


def improvement_probability(ours: Array, theirs: Array) -> Array:
    """Probability that a training of ours beats one of theirs on a person; a tie counts half.

    rliable's probability of improvement: mean over persons of Mann-Whitney's U / (n m).
    """
    a, b = ours[..., :, None, :], theirs[..., None, :, :]
    won = np.where(np.isnan(a) | np.isnan(b), np.nan, (a > b) + 0.5 * (a == b))
    return _mean(_mean(_mean(won, -3), -2), -1)
