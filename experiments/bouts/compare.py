"""Agents around the same sessions: means, rates of events and differences, with intervals over people and trainings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.aggregates import difference as less
from experiments.aggregates import mean as over_people
from experiments.records.tables import Table
from experiments.statistics import SEED, Interval, crossed_interval

MARGIN_TIR_POINTS = 2.0
FEWER_EVENTS = 0.70


def by_person(
    tables: Sequence[Table], column: str, among: str | None = None, per: str | None = None
) -> NDArray[np.float64]:
    """Sums (trainings, people by name) of a column over episodes (of those in which `among` is 1), for each episode, or
    for each 1 in the column `per` (where there is none, as if there were one).

    Raises ValueError when the tables are not of the same people.
    """
    people = sorted(set(tables[0]["person"].tolist()))
    if any(sorted(set(table["person"].tolist())) != people for table in tables):
        raise ValueError("tables of different people were given; what is compared must be of the same")
    out = np.zeros((len(tables), len(people)))
    for k, table in enumerate(tables):
        value = table[column] * (1 if among is None else table[among])
        for j, person in enumerate(people):
            mine = table["person"] == person
            out[k, j] = value[mine].sum() / (mine.sum() if per is None else max(table[per][mine].sum(), 1))
    return out


EVENTS, NEAR = "events", "near_events"
"""Columns of events: all, and those that begin before a session, in it, or up to six hours after it."""


def _rates(tables: Sequence[Table], which: str) -> NDArray[np.float64]:
    return by_person(tables, which, "happens", "completed")


def event_rate(tables: Sequence[Table], which: str = EVENTS) -> Interval:
    """Events of low glucose in episodes in which a session took place, per session that was completed; every person
    counts alike. which: `EVENTS` or `NEAR`."""
    return crossed_interval(_rates(tables, which), seed=SEED)


def event_ratio(tables: Sequence[Table], baseline: Sequence[Table], which: str = EVENTS) -> Interval:
    """The rate of these agents over that of the baseline, people paired."""

    def ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(over_people(ours) / np.maximum(over_people(theirs), 1e-9))

    both, many = _rates([*tables, *baseline], which), len(tables)
    return crossed_interval((both[:many], both[many:]), ratio, seed=SEED)


def mean(tables: Sequence[Table], column: str) -> Interval:
    """Mean of a column over episodes."""
    return crossed_interval(by_person(tables, column), seed=SEED)


def difference(tables: Sequence[Table], baseline: Sequence[Table], column: str) -> Interval:
    """Mean of a column less that of the baseline, people paired."""
    both, many = by_person([*tables, *baseline], column), len(tables)
    return crossed_interval((both[:many], both[many:]), less, seed=SEED)
