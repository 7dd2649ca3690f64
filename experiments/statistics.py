"""How sure a score is: intervals, p values and bounds of what `experiments.aggregates` gives.

Scores are (seeds, persons), see there; leading axes are resamples. Everything random takes a seed, and gives the
same bytes for the same input.

Sources: Agarwal and others 2021 with rliable 1.2.0 (profile, resampling of runs); Owen 2007, Annals of Applied
Statistics 1:386 (crossed, or pigeonhole, bootstrap); Hesterberg 2015, American Statistician 69:371 (why
percentile intervals of few units are too short); Satterthwaite 1946 (degrees of freedom); Phipson and Smyth
2010 (p values are never 0); Holm 1979; Clopper and Pearson 1934.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from experiments.aggregates import Array, mean, person_scores

Statistic = Callable[..., Array]
"""Takes one array (..., seeds, persons), or one for each agent, and gives an array (...) or (..., k)."""

RESAMPLES, LEVEL = 2000, 0.95
SEED = 2022
"""Of the bootstraps of all tables and pages, so that they are the same every time."""
_BLOCK = 2_000_000
"""Numbers that are resampled at a time: bounds memory, changes no result."""


@dataclass(frozen=True)
class Interval:
    """A statistic of the scores as they are, and the ends of its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Profile:
    """Share of seeds x persons with a score above each tau, with pointwise bands. All (taus,)."""

    taus: Array
    share: Array
    low: Array
    high: Array


def crossed_interval(
    scores: Array | Sequence[Array],
    statistic: Statistic = mean,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    strata: ArrayLike | None = None,
    persons_fixed: bool = False,
    lone_trained: bool = False,
) -> Interval:
    """Interval of a statistic of one agent, or of several on the same persons; see `resampled`.

    For two agents give both and a statistic of two: crossed_interval((ours, theirs), difference, seed=0).
    Both ends are NaN where nothing can be resampled (one seed, and one person or persons fixed).
    """
    estimate, drawn = resampled(
        scores,
        statistic,
        seed=seed,
        resamples=resamples,
        strata=strata,
        persons_fixed=persons_fixed,
        lone_trained=lone_trained,
    )
    low, high = _ends(drawn, level)
    return Interval(float(estimate), float(low), float(high))


def score_interval(values: ArrayLike, person: ArrayLike, train_seed: ArrayLike, **how: Any) -> Interval:
    """Mean of a column of episodes over persons and training seeds, with its interval; three columns (n,).

    A training seed below 0 is none: such an agent was not trained. `how`: see `resampled`.
    """
    table = person_scores(values, person, train_seed)
    lone = len(table.seeds) == 1 and int(table.seeds[0]) >= 0
    return crossed_interval(table.scores, seed=SEED, lone_trained=lone, **how)


def performance_profile(
    scores: Array, taus: ArrayLike, *, seed: int, level: float = LEVEL, **how: Any
) -> Profile:
    """Share of cells above each tau (rliable's score distribution), with bands; `how`: see `resampled`."""
    bounds = np.asarray(taus, np.float64)

    def above(cells: Array) -> Array:
        known = np.maximum((~np.isnan(cells)).sum(axis=(-2, -1)), 1)
        return np.stack([(cells > tau).sum(axis=(-2, -1)) / known for tau in bounds], axis=-1)

    share, drawn = resampled(scores, above, seed=seed, **how)
    low, high = _ends(drawn, level)
    return Profile(bounds, share, np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))


def _ends(drawn: Array, level: float) -> tuple[Array, Array]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}; it lies between 0 and 1, as 0.95")
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=0)
    return low, high


def resampled(
    scores: Array | Sequence[Array],
    statistic: Statistic,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    strata: ArrayLike | None = None,
    persons_fixed: bool = False,
    lone_trained: bool = False,
) -> tuple[Array, Array]:
    """The statistic and its crossed bootstrap, corrected for few units: shapes (...) and (resamples, ...).

    scores: one array (seeds, persons), or one for each agent with the same persons in the same order. A
    resample draws the persons once for all agents, and the training seeds of each agent once for all its
    persons. strata: (persons,) labels, such as age groups; persons are drawn within them, or from all together where
    a stratum has one person only. persons_fixed: only
    seeds are drawn, and the noise of the days of untrained treatments is in no interval.

    A lone row is taken as it is, which is right for a treatment that is not trained. lone_trained: it is one
    training of many possible, and is given the variance over seeds of the agents with several; where none
    has several, everything is NaN, as one training says nothing about others. For differences of agents.

    The plain percentile interval of five seeds is too short, for two reasons: the variance of n drawn units
    is (n - 1) / n of what it should be, and it takes normal tails for those of Student. So every
    axis is also resampled alone, giving V = sum of V_axis n / (n - 1) and Satterthwaite's degrees of freedom
    V^2 / sum(V_axis^2 / (n - 1)), and each resample is moved away from the estimate by
    sqrt(V / variance of the crossed resamples) x t quantile / normal quantile at its own rank, by a
    factor of 1 or more. Skewness stays; the interval is never shorter than the percentile interval.

    Coverage of 95 % intervals, measured on 1000 simulated differences of agents that do not differ (30 persons,
    seed SD 0.6 points, noise SD 1; the plain percentile interval in brackets): 5 seeds against 5 95.8 % (91.0),
    3 against 3 96.2 % (86.5), 5 against an untrained treatment 96.0 % (92.8), 5 against one training
    with lone_trained 96.2 % (62.4). Noise between person and seed is counted more than once: where it
    prevails (no seed effect) 99.5 % of intervals hold the truth. Of one agent (400 simulations, persons SD
    8): mean 95, IQM 96, profile 93 to 96 %; but CVaR of 30 persons 79 % and the worst person 61 %, whose
    sample values look better than what other bodies would give: these two describe, they infer nothing.
    """
    arrays = _checked(scores)
    persons = arrays[0].shape[1]
    groups = _groups(strata, persons)
    if resamples < 100:
        raise ValueError(f"resamples is {resamples}; give at least 100 (2000 for a published interval)")
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, len(one), (resamples, len(one))) for one in arrays]
    columns = np.tile(np.arange(persons), (resamples, 1))
    for places in groups:
        columns[:, places] = places[rng.integers(0, len(places), (resamples, len(places)))]
    whole = [np.arange(len(one))[None] for one in arrays], np.arange(persons)[None]
    estimate = np.asarray(statistic(*arrays), np.float64)

    # every axis that can be resampled: its draws with the other axes whole, units, degrees of freedom
    axes = [
        ([rows[k] if i == k else all_rows for i, all_rows in enumerate(whole[0])], whole[1], n, n - 1)
        for k, n in enumerate(map(len, arrays))
        if n > 1
    ]
    if not persons_fixed and persons > len(groups):
        axes.append((whole[0], columns, persons, persons - len(groups)))
    if not axes:
        return estimate, np.full((resamples, *estimate.shape), np.nan)
    alone = [_apply(statistic, arrays, *axis[:2], resamples) for axis in axes]
    together = rows, whole[1] if persons_fixed else columns
    crossed = alone[0] if len(axes) == 1 else _apply(statistic, arrays, *together, resamples)
    variances = [one.var(axis=0) * axis[2] / axis[3] for one, axis in zip(alone, axes, strict=True)]
    several = range(sum(len(one) > 1 for one in arrays))  # their axes come first
    if lone_trained and len(several) < len(arrays):
        if not several:
            return estimate, np.full((resamples, *estimate.shape), np.nan)
        # the variance of one row is n times that of the mean of n, shared out over the agents with several
        for k in several:
            variances[k] = variances[k] * (1 + axes[k][2] * (len(arrays) - len(several)) / len(several))
    return estimate, _stretched(estimate, crossed, variances, [axis[3] for axis in axes])


def _checked(scores: Array | Sequence[Array]) -> list[Array]:
    arrays = [np.asarray(one, np.float64) for one in ([scores] if isinstance(scores, np.ndarray) else scores)]
    shapes = [one.shape for one in arrays]
    if not shapes or any(len(one) != 2 or 0 in one for one in shapes):
        raise ValueError(f"scores have shapes {shapes}; give (seeds, persons), not empty, for every agent")
    if len({one[1] for one in shapes}) > 1:
        raise ValueError(
            f"agents have scores of {[one[1] for one in shapes]} persons; compare them on the same persons"
        )
    if any(np.isinf(one).any() for one in arrays):
        raise ValueError("scores hold an infinite value; they are finite, or NaN where nobody was judged")
    return arrays


def _groups(strata: ArrayLike | None, persons: int) -> list[NDArray[np.intp]]:
    """The places of the persons of each stratum."""
    labels = np.zeros(persons) if strata is None else np.asarray(strata)
    if labels.shape != (persons,):
        raise ValueError(
            f"strata have shape {labels.shape}; give one label for each of the {persons} persons"
        )
    groups = [np.flatnonzero(labels == one) for one in np.unique(labels)]
    # A lone person would always be drawn: its stratum would hide how much a result hangs on it.
    return groups if min(map(len, groups)) > 1 else [np.arange(persons)]


def _apply(
    statistic: Statistic,
    arrays: Sequence[Array],
    rows: Sequence[NDArray[np.intp]],
    columns: NDArray[np.intp],
    resamples: int,
) -> Array:
    """The statistic of every resample, (resamples, ...); draws of one row are the same in all of them."""
    size = max(int(np.prod([len(one) for one in arrays])) * arrays[0].shape[1], 1)
    step = max(_BLOCK // size, 1)
    found = []
    for start in range(0, resamples, step):
        part = slice(start, start + step)
        people = (columns if len(columns) == 1 else columns[part])[:, None, :]
        drawn = [
            one[(own if len(own) == 1 else own[part])[:, :, None], people]
            for one, own in zip(arrays, rows, strict=True)
        ]
        found.append(np.asarray(statistic(*drawn), np.float64))
    return np.concatenate(found)


def _stretched(estimate: Array, crossed: Array, variances: Sequence[Array], freedom: Sequence[int]) -> Array:
    """Sorted resamples, moved away from the estimate as `resampled` says."""
    n = len(crossed)
    ordered = np.sort(crossed, axis=0)
    total = np.asarray(sum(variances))
    spread = ordered.var(axis=0)
    squares = np.asarray(sum(v**2 / df for v, df in zip(variances, freedom, strict=True)))
    df = np.divide(total**2, squares, out=np.ones_like(total), where=squares > 0)
    scale = np.sqrt(np.divide(total, spread, out=np.ones_like(total), where=spread > 0))
    rank = np.arange(1, n + 1)
    # the ratio of the quantiles has a limit in the middle, where both are 0
    tail = np.minimum(np.minimum(rank, n + 1 - rank) / (n + 1), 0.49).reshape(-1, *[1] * estimate.ndim)
    factor = np.maximum(scale * stdtrit(df, tail) / ndtri(tail), 1.0)
    return np.asarray(estimate + factor * (ordered - estimate))


def bootstrap_p_value(
    scores: Array | Sequence[Array], statistic: Statistic, *, seed: int, null: float = 0.0, **how: Any
) -> float:
    """Two-sided p value of the crossed bootstrap, counterpart of `crossed_interval` (`how`: `resampled`).

    Twice the smaller share of resamples on one side of `null`, one added to count and total, so that the
    smallest p is 2 / (resamples + 1). NaN where nothing can be resampled.
    """
    _, drawn = resampled(scores, statistic, seed=seed, **how)
    if np.isnan(drawn).any():
        return float("nan")
    beyond = min(int((drawn <= null).sum()), int((drawn >= null).sum()))
    return float(min(2 * (beyond + 1) / (len(drawn) + 1), 1.0))


def sign_flip_p_value(differences: ArrayLike, *, seed: int, flips: int = 9999) -> float:
    """Two-sided p value of the mean of paired differences (persons,): their signs are flipped at random.

    Exact, over all 2^persons flips, where these are no more than `flips`. It asks whether THESE policies
    differ over persons. A seed that trained well does so for all persons at once, which no flip undoes: of
    identical methods with 5 seeds each (simulated as for `resampled`) it calls 60 % different at 0.05, where
    `bootstrap_p_value` calls 3 %. For a claim about a method take that one.
    """
    given = np.asarray(differences, np.float64)
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all():
        raise ValueError(f"differences have shape {given.shape}; give finite ones, (persons,), not empty")
    exact = len(given) < 60 and 2 ** len(given) <= flips
    if exact:
        signs = 1 - 2 * ((np.arange(2 ** len(given))[:, None] >> np.arange(len(given))) & 1)
    else:
        signs = np.random.default_rng(seed).choice((-1, 1), (flips, len(given)))
    # equal sums may differ in the last bit; they are as extreme as the observed one
    least = np.abs(given.sum()) - 1e-9 * np.abs(given).sum()
    beyond = int((np.abs(signs @ given) >= least).sum())
    return beyond / len(signs) if exact else (beyond + 1) / (flips + 1)


def holm(p_values: ArrayLike) -> Array:
    """Holm's step-down adjustment of the p values of secondary contrasts, (k,), in the order given.

    Adjusted p below 0.05 keeps the chance of any false finding among them below 5 %. The one primary contrast
    is named beforehand and is not among them.
    """
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p values {p.tolist()} given; give (k,) numbers from 0 to 1, none missing")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


@dataclass(frozen=True)
class EventBound:
    """Events of the persons of a stratum, and the upper bound of the share of persons with any event."""

    stratum: str
    persons: int
    persons_with_event: int
    events: int
    trials: int
    upper: float


def event_bounds(
    events: ArrayLike, trials: ArrayLike, strata: ArrayLike | None = None, level: float = LEVEL
) -> list[EventBound]:
    """One-sided exact (Clopper-Pearson) upper bounds: one for each stratum, then one for "all".

    events, trials: (persons,), how often it happened and how often it could have (episodes, summed over
    seeds). The units of the bound are PERSONS: the episodes of one person share a body and a policy, so that
    who fails once fails again, and three hundred episodes of thirty persons are not three hundred
    independent ones. A person counts as one trial, with an event when there was any; who was never tried does
    not count. Without an event among n persons the bound is 1 - (1 - level)^(1/n), 9.5 % for thirty.
    """
    happened, tried = np.asarray(events), np.asarray(trials)
    if happened.ndim != 1 or happened.shape != tried.shape:
        raise ValueError(
            f"events and trials have shapes {happened.shape}, {tried.shape}; give (persons,) twice"
        )
    if not ((happened >= 0) & (happened <= tried)).all():
        raise ValueError(
            "a person has more events than trials, or fewer than 0; count failed episodes of all"
        )
    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}; it lies between 0 and 1, as 0.95")
    _groups(strata, len(happened))
    labels = np.full(len(happened), "") if strata is None else np.asarray(strata).astype(str)
    parts: Iterable[tuple[str, NDArray[np.bool_]]] = [
        *((str(one), labels == one) for one in np.unique(labels) if strata is not None),
        ("all", np.ones(len(labels), bool)),
    ]
    bounds = []
    for name, mine in parts:
        n, k = int((tried[mine] > 0).sum()), int((happened[mine] > 0).sum())
        upper = 1.0 if k == n else float(betaincinv(k + 1, n - k, level))
        bounds.append(EventBound(name, n, k, int(happened[mine].sum()), int(tried[mine].sum()), upper))
    return bounds


def inference(population: Literal["drawn", "fixed"], persons: int, persons_fixed: bool = False) -> str:
    """Whom the intervals speak of, as a sentence for a report.

    population: "drawn" when the persons were drawn from a sampler of bodies, "fixed" for a named set.
    """
    if population not in ("drawn", "fixed"):
        raise ValueError(
            f"population is {population!r}; it is 'drawn' (by a sampler) or 'fixed' (a named set)"
        )
    if persons_fixed:
        whom = f"other trainings judged on these {persons} bodies, and of no other body"
    elif population == "drawn":
        whom = f"other trainings and other bodies of the sampler from which these {persons} were drawn"
    else:
        return (
            f"These {persons} bodies are a fixed set, drawn from no population: that they are resampled shows how "
            "much a result hangs on which of them were taken, and is no inference to other bodies or to real people."
        )
    return f"Intervals speak of {whom}, and not of real people."
