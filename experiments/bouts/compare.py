"""Two agents around the same sessions: differences with intervals over people and training seeds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.records.tables import Table
from experiments.statistics import SEED

DRAWS = 4000
MARGIN_TIR_POINTS = 2.0
FEWER_EVENTS = 0.70
Interval = tuple[float, float, float]
"""Value, and the ends of its 95 % interval."""


def by_person(tables: Sequence[Table], column: str, among: str | None = None) -> NDArray[np.float64]:
    """Sums (seeds, people by name) of a column, of the episodes in which `among` is 1.

    Raises ValueError when the tables are not of the same people.
    """
    people = sorted(set(tables[0]["person"].tolist()))
    if any(sorted(set(table["person"].tolist())) != people for table in tables):
        raise ValueError("tables of different people were given; what is compared must be of the same")
    out = np.zeros((len(tables), len(people)))
    for k, table in enumerate(tables):
        value = table[column] * (1 if among is None else table[among])
        for j, person in enumerate(people):
            out[k, j] = value[table["person"] == person].sum()
    return out


def _resampled(seeds: int, people: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of seeds and of people; the latter the same whatever the seeds, so that people stay paired."""
    one, two = np.random.default_rng([SEED, 0]), np.random.default_rng([SEED, 1])
    return one.integers(seeds, size=(DRAWS, seeds)), two.integers(people, size=(DRAWS, people))


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return value, float(low), float(high)


def event_rate(tables: Sequence[Table]) -> Interval:
    """Events of low glucose in episodes in which a session took place, per session that was completed."""
    return _interval(*_rates(tables))


def _rates(tables: Sequence[Table]) -> tuple[float, NDArray[np.float64]]:
    events, done = by_person(tables, "events", "happens"), by_person(tables, "completed")
    seeds, people = _resampled(*events.shape)
    drawn = np.array(
        [
            events[np.ix_(s, p)].sum() / max(done[np.ix_(s, p)].sum(), 1)
            for s, p in zip(seeds, people, strict=True)
        ]
    )
    return float(events.sum() / max(done.sum(), 1)), drawn


def event_ratio(tables: Sequence[Table], baseline: Sequence[Table]) -> Interval:
    """The rate of these agents over that of the baseline, people paired."""
    by_person([*tables, *baseline], "events")  # of the same people
    (ours, drawn), (theirs, other) = _rates(tables), _rates(baseline)
    return _interval(ours / max(theirs, 1e-9), drawn / np.maximum(other, 1e-9))


def mean(tables: Sequence[Table], column: str) -> Interval:
    """Mean of a column over episodes."""
    return difference(tables, None, column)


def difference(tables: Sequence[Table], baseline: Sequence[Table] | None, column: str) -> Interval:
    """Mean of a column less that of the baseline, people paired."""
    by_person([*tables, *(baseline or [])], column)  # of the same people
    ours = by_person(tables, column) / _episodes(tables[0])
    theirs = (
        np.zeros((1, ours.shape[1]))
        if baseline is None
        else by_person(baseline, column) / _episodes(baseline[0])
    )
    seeds, people = _resampled(*ours.shape)
    drawn = np.array(
        [ours[np.ix_(s, p)].mean() - theirs[:, p].mean() for s, p in zip(seeds, people, strict=True)]
    )
    return _interval(float(ours.mean() - theirs.mean()), drawn)


def _episodes(table: Table) -> float:
    return len(table["person"]) / len(set(table["person"].tolist()))
