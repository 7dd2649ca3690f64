"""Who won: the win rule, the win ratio with failures first, and how often the rule errs on identical agents.

Arrays have shape (seeds, persons), see `experiments.statistics`. Time in ranges is in per cent of time, a
difference of two of these in points.

Sources: Pocock and others 2012, European Heart Journal 33:176 (win ratio by priority, matched pairs);
Battelino and others 2023 (time in range first, with time below range no worse).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from experiments.aggregates import Array, difference, person_scores
from experiments.statistics import Interval, crossed_interval

WIN_POINTS = 1.0
"""A difference of time in range that is no larger than this, in points, is no win, however certain."""
LOW_POINTS = 0.5
"""More time below 70 mg/dL than this, in points, must be excluded by the interval."""
TIE_FAILURES, TIE_BELOW_54, TIE_TIR = 0.0, 0.1, 1.0
"""Win ratio: differences up to these (failures per episode, points, points) are ties."""
CRITERIA = ("failures", "below 54", "time in range")

Outcome = Literal["win", "better", "unclear", "worse", "mixed", "unsafe"]


@dataclass(frozen=True)
class Judged:
    """What is known of one agent. All arrays (seeds, persons); NaN or 0 trials where not judged.

    failures: failed episodes (or events). trials: episodes (or days) in which they could happen.
    trained: a lone row is one training of many possible. False for a treatment that is not trained, or to
    speak of this one policy only.
    """

    tir_pct: Array
    below_70_pct: Array
    below_54_pct: Array
    failures: Array
    trials: Array
    trained: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for shapes that disagree and for failures that are no count of trials."""
        names = ("tir_pct", "below_70_pct", "below_54_pct", "failures", "trials")
        shapes = {name: np.shape(getattr(self, name)) for name in names}
        if len(set(shapes.values())) > 1 or len(shapes["tir_pct"]) != 2:
            raise ValueError(
                f"shapes differ or are not (seeds, persons): {shapes}; average days within persons first"
            )
        if not ((self.failures >= 0) & (self.failures <= self.trials)).all() or not self.trials.sum() > 0:
            raise ValueError(
                "failures are counts from 0 to trials, and there are trials; give 0 of both where none"
            )


def judged(episodes: Mapping[str, NDArray[Any]], trained: bool) -> Judged:
    """One agent from its table of episodes, of one protocol and shield setting. trained: see `Judged`."""
    who = episodes["person"], episodes["train_seed"]
    scores = {
        name: person_scores(episodes[name], *who).scores
        for name in ("tir_pct", "below_70_pct", "below_54_pct")
    }
    _, place_of_person = np.unique(who[0], return_inverse=True)
    _, place_of_seed = np.unique(who[1], return_inverse=True)
    failures, trials = np.zeros((2, *scores["tir_pct"].shape))
    np.add.at(failures, (place_of_seed, place_of_person), episodes["failed"])
    np.add.at(trials, (place_of_seed, place_of_person), 1.0)
    return Judged(**scores, failures=failures, trials=trials, trained=trained)


def lone_trained(ours: Judged, theirs: Judged) -> bool:
    """Whether one of two agents is a single training of many possible; see `statistics.resampled`."""
    return any(one.trained and len(one.tir_pct) == 1 for one in (ours, theirs))


@dataclass(frozen=True)
class Verdict:
    """One comparison: differences are ours minus theirs, in points; failures are per trial."""

    outcome: Outcome
    tir: Interval
    below_70: Interval
    failure_rate: float
    their_failure_rate: float


def win(
    ours: Judged,
    theirs: Judged,
    *,
    seed: int,
    win_points: float = WIN_POINTS,
    low_points: float = LOW_POINTS,
    same_seeds: bool = False,
    **how: Any,
) -> Verdict:
    """Judge ours against theirs, the same persons in the same order (`how`: see `statistics.resampled`).

    same_seeds: row k of both goes back to the same training, so that seeds are resampled for both at once.

    In this order:
    unsafe   more failures per trial than theirs, whatever the rest
    worse    the 95 % interval of the difference of time in range lies below 0
    unclear  it holds 0, or there is none: one training says nothing about a method
    mixed    it lies above 0, but that of time below 70 reaches `low_points`
    better   it lies above 0 and lows are non-inferior, but the difference is no more than `win_points`
    win      all of it
    """
    how["lone_trained"] = lone_trained(ours, theirs)
    pairs = (ours.tir_pct, theirs.tir_pct), (ours.below_70_pct, theirs.below_70_pct)
    if same_seeds:
        tir, lows = (crossed_interval(a - b, seed=seed, **how) for a, b in pairs)
    else:
        tir, lows = (crossed_interval(both, difference, seed=seed, **how) for both in pairs)
    failed, tried = ([float(one.sum()) for one in (a, b)] for a, b in _counts(ours, theirs))
    outcome: Outcome = "unclear"
    if failed[0] * tried[1] > failed[1] * tried[0]:
        outcome = "unsafe"
    elif tir.high < 0:
        outcome = "worse"
    elif tir.low > 0:
        outcome = "better" if tir.estimate <= win_points else "win"
        if not lows.high < low_points:
            outcome = "mixed"
    return Verdict(outcome, tir, lows, failed[0] / tried[0], failed[1] / tried[1])


def _counts(ours: Judged, theirs: Judged) -> Iterator[tuple[Array, Array]]:
    yield ours.failures, theirs.failures
    yield ours.trials, theirs.trials


@dataclass(frozen=True)
class WinRatio:
    """Shares of pairs won, lost and tied; won / lost with its interval; what decided how many pairs.

    ratio is inf without a loss and NaN when all pairs tie. decided: criterion to (won, lost) shares.
    """

    wins: float
    losses: float
    ties: float
    ratio: float
    low: float
    high: float
    decided: dict[str, tuple[float, float]]


def win_ratio(
    ours: Judged,
    theirs: Judged,
    *,
    seed: int,
    margins: tuple[float, float, float] = (TIE_FAILURES, TIE_BELOW_54, TIE_TIR),
    level: float = 0.95,
    **how: Any,
) -> WinRatio:
    """Win ratio over all pairs of trainings on the same person: fewer failures win; then less time below 54;
    then more time in range. The next counts only where the one before ties, which differences up to its
    margin do. Pairs with a missing value are left out; persons count by the pairs they have.

    The interval is that of p = wins / (wins + losses) by the crossed bootstrap, cut to 0 ... 1 and turned into
    p / (1 - p): 0 or inf at its ends are said, not hidden. A resample of ties alone counts as p = 1/2. Where
    every decided pair went one way resamples do not vary, and the inner end of the interval is Clopper and
    Pearson's, with the persons with a decided pair as its trials. All ties, or no interval: NaN. Intervals
    that hold 1 for agents that do not differ, of 400 `simulated_pairs`: 95.5 % with 5 seeds against 5, 94 %
    against an untrained comparator, but 88.5 % against one training, for which no more can be said.
    """
    arrays = _criteria(ours), _criteria(theirs)
    judged = [one.shape[1] for one in arrays]
    if judged[0] != judged[1]:
        raise ValueError(f"agents have scores of {judged} persons; compare them on the same persons")
    paired = _paired(*arrays)
    pairs = int(paired.sum())
    if not pairs:
        raise ValueError("no person was judged under both agents; give scores of the same persons")
    parts = _signs(*arrays, margins) * paired[..., None]
    sign = parts.sum(axis=-1)
    # every pair is compared once; resamples are of addresses, whose sums find our row, their row, person
    rows, their_rows, persons = sign.shape
    ours_at = np.arange(rows)[:, None] * their_rows * persons + np.arange(persons)
    theirs_at = np.tile(np.arange(their_rows)[:, None] * persons, persons)

    def share(a: Array, b: Array) -> Array:
        drawn = sign.ravel()[(a[..., :, None, :] + b[..., None, :, :]).astype(np.intp)]
        wins, decided = (drawn > 0).sum(axis=(-3, -2, -1)), (drawn != 0).sum(axis=(-3, -2, -1))
        return np.where(decided > 0, wins / np.maximum(decided, 1), 0.5)

    how["lone_trained"] = lone_trained(ours, theirs)
    addresses = ours_at.astype(float), theirs_at.astype(float)
    interval = crossed_interval(addresses, share, seed=seed, level=level, **how)
    wins, losses = int((sign > 0).sum()), int((sign < 0).sum())
    low, high = float(np.clip(interval.low, 0, 1)), float(np.clip(interval.high, 0, 1))
    least = betaincinv(int((sign != 0).any(axis=(0, 1)).sum()) or 1, 1, (1 - level) / 2)
    if wins + losses == 0:
        low = high = np.nan
    elif not losses:
        low, high = min(low, float(least)), high
    elif not wins:
        low, high = low, max(high, 1 - float(least))
    return WinRatio(
        wins / pairs,
        losses / pairs,
        (pairs - wins - losses) / pairs,
        wins / losses if losses else np.inf if wins else np.nan,
        _odds(low),
        _odds(high),
        {
            name: (float((parts[..., k] > 0).sum()) / pairs, float((parts[..., k] < 0).sum()) / pairs)
            for k, name in enumerate(CRITERIA)
        },
    )


def _odds(share: float) -> float:
    return np.inf if share == 1 else share / (1 - share)


def _criteria(one: Judged) -> Array:
    """What is compared, higher is better: (seeds, persons, 3), in the order of CRITERIA."""
    rate = np.divide(one.failures, one.trials, out=np.full(one.trials.shape, np.nan), where=one.trials > 0)
    return np.stack([-rate, -one.below_54_pct, one.tir_pct], axis=-1)


def _paired(a: Array, b: Array) -> NDArray[np.bool_]:
    """Which pairs have all values: (our seeds, their seeds, persons)."""
    lacking: list[NDArray[np.bool_]] = [np.asarray(np.isnan(one).any(axis=-1)) for one in (a, b)]
    return ~(lacking[0][:, None] | lacking[1][None])


def _signs(a: Array, b: Array, margins: tuple[float, float, float]) -> NDArray[np.int8]:
    """1 won, -1 lost, by the criterion that decides, else 0: (our seeds, their seeds, persons, criteria)."""
    gap = a[:, None] - b[None]
    bound = np.asarray(margins) + 1e-9  # a difference of just the margin ties, whatever its last bit
    sign = (gap > bound).astype(np.int8) - (gap < -bound).astype(np.int8)
    # the first criterion without a tie decides, the others are silent
    before = np.cumsum(sign != 0, axis=-1) - (sign != 0)
    return np.where(before == 0, sign, 0).astype(np.int8)


@dataclass(frozen=True)
class AATest:
    """How comparisons of an agent with itself came out. `covered`: the interval held the true difference, 0."""

    comparisons: int
    wins: int
    above: int
    covered: int

    def __str__(self) -> str:
        """One line for a terminal or a report."""
        share = [100 * one / self.comparisons for one in (self.wins, self.above, self.covered)]
        return (
            f"A/A, {self.comparisons} comparisons of an agent with itself: {share[0]:.1f} % called a win (5 % "
            f"allowed), {share[1]:.1f} % with an interval above 0 (2.5 % expected), {share[2]:.1f} % of intervals "
            "hold 0 (95 % expected)"
        )


def false_positive_rate(pairs: Iterable[tuple[Judged, Judged]], *, seed: int, **how: Any) -> AATest:
    """Judge every pair of identical agents with `win` and count. print() gives a line.

    Pairs come from `simulated_pairs` or, of real scores, from `halves`. Halves of one agent are not independent, so
    of them the counts describe that agent.

    Measured on 1000 `simulated_pairs` with 400 resamples (wins; intervals that hold 0): 5 seeds against 5
    0.5 %, 96.4 %; against an untrained comparator 0.2 %, 95.0 %; against one training 1.1 %, 94.9 %.
    That one training taken for an untrained comparator: the interval holds 0 in 62 % only.
    """
    count = wins = above = covered = 0
    for k, (ours, theirs) in enumerate(pairs):
        verdict = win(ours, theirs, seed=seed + k, **how)
        count += 1
        wins += verdict.outcome == "win"
        above += verdict.tir.low > 0
        covered += verdict.tir.low <= 0 <= verdict.tir.high
    if not count:
        raise ValueError("no pair was given; draw at least one (200 for a rate)")
    return AATest(count, wins, above, covered)


def simulated_pairs(
    comparisons: int = 200,
    *,
    seed: int,
    seeds: int = 5,
    their_seeds: int = 5,
    persons: int = 30,
    trained: bool = True,
    person_sd: float = 8.0,
    seed_sd: float = 0.6,
    noise_sd: float = 1.0,
) -> Iterator[tuple[Judged, Judged]]:
    """Pairs of agents that do not differ: time in range = 80 + person + training + noise, normal, points.

    The noise is of each person under each training, its days included. trained: the comparator varies with
    its training too; False for a treatment that is not trained. Time below 70 varies a quarter as much.
    Nobody fails, which is where a win is easiest.
    """
    rng = np.random.default_rng(seed)

    def agent(body: Array, rows: int, varies: bool) -> Judged:
        noise = noise_sd * rng.standard_normal((2, rows, persons))
        own = seed_sd * varies * rng.standard_normal((2, rows, 1))
        tir, lows = 80 + body + own[0] + noise[0], 3 + (body + own[1] + noise[1]) / 4
        nothing = np.zeros((rows, persons))
        return Judged(tir, lows, nothing, nothing, nothing + 10, trained=varies)

    for _ in range(comparisons):
        body = person_sd * rng.standard_normal(persons)
        yield agent(body, seeds, True), agent(body, their_seeds, trained)


def halves(one: Judged, *, seed: int, comparisons: int = 200) -> Iterator[tuple[Judged, Judged]]:
    """The trainings of one agent, split in two at random again and again: pairs that should not differ.

    Needs two trainings; of four there are three ways to split, of five ten, so that the pairs repeat themselves.
    """
    trainings = len(one.tir_pct)
    if trainings < 2:
        raise ValueError(f"{trainings} training cannot be split in two; give an agent with several")
    rng = np.random.default_rng(seed)
    for _ in range(comparisons):
        order = rng.permutation(trainings)
        yield _some(one, order[: trainings // 2]), _some(one, order[trainings // 2 :])


def _some(one: Judged, trainings: NDArray[np.intp]) -> Judged:
    names = ("tir_pct", "below_70_pct", "below_54_pct", "failures", "trials")
    return Judged(**{name: getattr(one, name)[trainings] for name in names}, trained=one.trained)
