"""Bounds of a day's sleep: each by itself, what is usual is never changed, and what comes out keeps to them all."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from envs.nights import bounds as b
from envs.nights.bounds import Bound, hold
from envs.nights.night import Night
from twins.world import duties
from twins.world.duties import EAST, FREE, LESSONS, NIGHT, NIGHTS, OFFICE, SCHOOL, USUAL_H

EPS = 1e-9


def _night(duty: NDArray[np.int64], **changes: float) -> Night:
    values = [np.array(getattr(Night.usual(duty), name)) for name in Night.__dataclass_fields__]
    for name, value in changes.items():
        values[list(Night.__dataclass_fields__).index(name)] = np.full(len(duty), value)
    return Night.checked(duty, *values)


def _held(kind: int, duty: int, before: int | None = None, **changes: float) -> tuple[Night, Bound]:
    """Of one who lived the usual hours of the day before."""
    today, day_before = np.array([duty]), np.array([duty if before is None else before])
    bed, rise = USUAL_H[day_before].T
    held, reason = hold(_night(today, **changes), np.array([kind]), today, bed, rise, day_before)
    return held, Bound(int(reason[0]))


@pytest.mark.parametrize(
    ("kind", "duty", "changes", "allowed", "why"),
    [
        (
            SCHOOL,
            FREE,
            {"bed": 7.0, "rise": 15.0},
            {"bed": 7.0},
            Bound.NONE,
        ),  # usually 0:00, six hours after 18:00
        (SCHOOL, FREE, {"bed": 7.1, "rise": 15.0}, {"bed": 7.0}, Bound.BEDTIME_MOVED),
        (SCHOOL, LESSONS, {"bed": 4.4}, {"bed": 4.5}, Bound.BEDTIME_MOVED),
        (SCHOOL, LESSONS, {"rise": 12.4}, {"rise": 12.5}, Bound.TOO_SHORT),  # from 23:30 on the usual 7 h
        (EAST, OFFICE, {"bed": 2.0, "rise": 9.9}, {"rise": 10.0}, Bound.ROSE_EARLY),
        (SCHOOL, LESSONS, {"rise": 13.5}, {"rise": 13.25}, Bound.TOO_SHORT),  # 45 min before lessons
        (EAST, OFFICE, {"bed": 3.0}, {"bed": 3.0}, Bound.NONE),
        (EAST, FREE, {"bed": 3.0, "rise": 14.0}, {"rise": 13.0}, Bound.TOO_LONG),
        (EAST, OFFICE, {"bed": 5.1}, {"bed": 5.0}, Bound.AWAKE_LONG),  # risen at 7:00
        (EAST, OFFICE, {"rise": 10.9}, {"rise": 11.0}, Bound.TOO_SHORT),  # from 23:00 on 6 h
        (
            NIGHTS,
            NIGHT,
            {"bed": 12.0, "rise": 16.0},
            {"bed": 12.75, "rise": 18.75},
            Bound.TOO_SHORT,
        ),  # home by 6:45
        (EAST, OFFICE, {"nap_at": 18.0, "nap_for": 1.0}, {"nap_for": 0.0}, Bound.REQUIRED),
        (EAST, OFFICE, {"nap_at": 0.0, "nap_for": 1.0}, {"nap_for": 1.0}, Bound.NONE),
        (EAST, OFFICE, {"nap_at": 2.5, "nap_for": 1.0}, {"nap_for": 0.0}, Bound.NAP_NEAR_NIGHT),
    ],
)
def test_each_bound_by_itself_at_its_edge(
    kind: int, duty: int, changes: dict[str, float], allowed: dict[str, float], why: Bound
) -> None:
    held, reason = _held(kind, duty, **changes)
    assert reason == why
    for name, value in allowed.items():
        assert getattr(held, name)[0] == value


def test_whoever_keeps_the_usual_hours_is_never_changed() -> None:
    for kind in range(len(duties.KINDS)):
        for before in range(len(duties.DUTIES)):
            for duty in range(len(duties.DUTIES)):
                held, reason = _held(kind, duty, before)
                assert reason == Bound.NONE
                assert (held.bed[0], held.rise[0]) == tuple(USUAL_H[duty])


_hours = st.floats(-3.0, 30.0)


@settings(max_examples=200, deadline=None)
@example(
    kind=SCHOOL, asked=[23.0] + 7 * [0.0], week=7 * [0] + [1], wobble=8 * [0.0]
)  # ever later, then lessons
@given(
    kind=st.sampled_from([EAST, NIGHTS, SCHOOL]),
    asked=st.lists(_hours, min_size=8, max_size=8),
    week=st.lists(st.integers(0, 1), min_size=2, max_size=8),
    wobble=st.lists(st.floats(-4.0, 4.0), min_size=8, max_size=8),
)
def test_weeks_of_any_plans_keep_every_bound_and_holding_twice_is_holding_once(
    kind: int, asked: list[float], week: list[int], wobble: list[float]
) -> None:
    busy, ordinary = {EAST: OFFICE, NIGHTS: NIGHT, SCHOOL: LESSONS}[kind], kind == SCHOOL
    before = np.array([busy if week[0] else FREE])
    bed, rise = (column.copy() for column in USUAL_H[before].T)
    for number, works in enumerate(week):
        one = busy if works else FREE
        duty = np.array([one])
        values = [np.array([asked[k] + wobble[(k + number) % 8]]) for k in range(8)]
        held, _ = hold(Night.checked(duty, *values), np.array([kind]), duty, bed, rise, before)
        again, _ = hold(held, np.array([kind]), duty, bed, rise, before)
        for name in Night.__dataclass_fields__:
            assert getattr(again, name)[0] == getattr(held, name)[0]
        usual_bed, usual_rise = USUAL_H[one]
        in_bed, up = held.rise[0] - held.bed[0], held.bed[0] + 24.0 - rise[0]
        assert (7.0 if ordinary else 6.0) - EPS <= in_bed <= 10.0 + EPS and up >= 8.0 - EPS
        assert held.rise[0] >= min(b.EARLIEST_RISE_H, usual_rise) - EPS
        assert held.bed[0] >= -EPS and held.rise[0] <= 24.0 + EPS
        begin, end = duties.REQUIRED_H[one]
        if one in (OFFICE, LESSONS):
            assert held.rise[0] <= begin - b.READY_H + EPS
        if one == NIGHT:
            assert held.bed[0] >= end + b.READY_H - EPS
        if (
            ordinary
        ):  # by more than an hour only to the usual hour, or earlier where lessons leave too little sleep
            assert held.bed[0] <= max(bed[0] + 1.0, usual_bed) + EPS
            assert held.bed[0] >= min(bed[0] - 1.0, usual_bed, 13.25 - 7.0) - EPS
        else:
            usually = usual_bed + 24.0 - USUAL_H[before[0], 1]
            home = (
                end + b.READY_H + 24.0 - rise[0] if one == NIGHT else 0.0
            )  # who works all night cannot but be up
            assert up <= max(16.0 + max(usually - 16.0, 0.0), home) + EPS
        if held.nap_for[0] > 0:
            assert (
                held.nap_at[0] + held.nap_for[0] <= held.bed[0] - 2.0 + EPS
                or held.nap_at[0] >= held.rise[0] + 2.0 - EPS
            )
            assert held.nap_at[0] + 24.0 - rise[0] >= 2.0 - EPS
        bed, rise, before = held.bed, held.rise, duty
