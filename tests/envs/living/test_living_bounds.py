"""Bounds of nights and exercise as pure functions: idempotent, usual hours untouched, nothing outside."""

import numpy as np
import pytest

from envs.living.advice import LEAST_MOVE_MIN, LEAST_RESERVE, MOST_MOVE_MIN, MOST_RESERVE
from envs.living.bounds import (
    EARLIEST_BED_H,
    EARLIEST_RISE_H,
    FLOOR_H,
    HARD_FROM,
    LATEST_BED_H,
    MOST_H,
    MOST_SHIFT_H,
    WEEK_MOST_MIN,
    Bound,
    hold_move,
    hold_night,
)

N = 4000
DICE = np.random.default_rng(3)
WORK = DICE.random(N) < 0.7
USUAL_BED, USUAL_RISE = DICE.uniform(22.0, 26.0, N), np.where(WORK, DICE.uniform(6.0, 7.5, N), 8.5)
BEFORE = DICE.uniform(21.0, 26.5, N)


def test_nights_stay_inside_whatever_is_asked_and_holding_twice_changes_nothing() -> None:
    asked = DICE.uniform(15.0, 32.0, N), DICE.uniform(-3.0, 16.0, N)
    bed, rise, reason = hold_night(*asked, USUAL_BED, USUAL_RISE, BEFORE, WORK)
    floor = np.minimum(FLOOR_H, USUAL_RISE + 24 - USUAL_BED)
    hours = rise + 24 - bed
    assert (hours >= floor - 1e-9).all() and (
        hours <= np.maximum(MOST_H, USUAL_RISE + 24 - USUAL_BED) + 1e-9
    ).all()
    assert (bed >= EARLIEST_BED_H).all() and (bed <= LATEST_BED_H).all() and (rise >= EARLIEST_RISE_H).all()
    assert (rise[WORK] <= 8.25 + 1e-9).all()
    back = (bed >= np.minimum(BEFORE, USUAL_BED)) & (bed <= np.maximum(BEFORE, USUAL_BED))
    assert ((np.abs(bed - BEFORE) <= MOST_SHIFT_H + 1e-9) | back).all()
    again = hold_night(bed, rise, USUAL_BED, USUAL_RISE, BEFORE, WORK)
    assert np.allclose(again[0], bed) and np.allclose(again[1], rise)
    assert set(np.unique(reason)) >= {int(Bound.BEDTIME_MOVED), int(Bound.TOO_LONG), int(Bound.REQUIRED)}


def test_who_keeps_the_usual_hours_is_never_changed() -> None:
    bed, rise, reason = hold_night(USUAL_BED, USUAL_RISE, USUAL_BED, USUAL_RISE, BEFORE, WORK)
    assert np.allclose(bed, USUAL_BED) and np.allclose(rise, USUAL_RISE)
    assert (reason == int(Bound.NONE)).all()


def test_exercise_stays_inside_and_holding_twice_changes_nothing() -> None:
    asked = DICE.uniform(-2.0, 26.0, N), DICE.uniform(-20.0, 200.0, N), DICE.uniform(0.0, 1.2, N)
    week, hard = DICE.uniform(0.0, 500.0, N), DICE.random(N) < 0.4
    rise, bed = np.full(N, 6.75), np.full(N, 23.0)
    at, minutes, reserve, reason = hold_move(*asked, week, hard, rise, bed, WORK)
    moves = minutes > 0
    assert (minutes[moves] >= LEAST_MOVE_MIN).all() and (minutes <= MOST_MOVE_MIN).all()
    assert (week + minutes <= np.maximum(WEEK_MOST_MIN, week) + 1e-9).all()
    assert (
        (reserve >= LEAST_RESERVE).all()
        and (reserve <= MOST_RESERVE).all()
        and (reserve[hard] < HARD_FROM).all()
    )
    ends = at + minutes / 60
    assert (at[moves] >= 7.25 - 1e-9).all() and (ends[moves] <= 21.0 + 1e-9).all()
    inside = moves & WORK
    assert ((ends[inside] <= 8.75 + 1e-9) | (at[inside] >= 17.25 - 1e-9)).all()
    again = hold_move(at, minutes, reserve, week, hard, rise, bed, WORK)
    assert np.allclose(again[1], minutes) and np.allclose(again[0][moves], at[moves])
    for bound in (Bound.WEEK_FULL, Bound.HARD_AGAIN, Bound.MOVED_IN_TIME):
        assert (reason == int(bound)).any()


@pytest.mark.parametrize("what", range(3))
def test_exercise_that_is_not_a_number_is_none(what: int) -> None:
    asked = [np.array([18.0]), np.array([40.0]), np.array([0.5])]
    asked[what] = np.array([np.nan])
    none, no = np.zeros(1), np.zeros(1, bool)
    assert (
        hold_move(asked[0], asked[1], asked[2], none, no, np.array([7.0]), np.array([23.0]), no)[1][0] == 0.0
    )


def test_who_goes_to_bed_right_after_work_has_no_time_for_exercise() -> None:
    one, yes = np.ones(1), np.ones(1, bool)
    bed = 18.5 * one
    assert hold_move(18 * one, 45 * one, 0.5 * one, 0 * one, ~yes, 7 * one, bed, yes)[1][0] == 0.0
    assert hold_move(10 * one, 45 * one, 0.5 * one, 0 * one, ~yes, 7 * one, bed, ~yes)[1][0] == 45.0
