"""The phase from what a wrist shows: found again where the truth is known, wide where it is not."""

from pathlib import Path

import numpy as np
import pytest

from experiments.wearable import beside
from experiments.wearable.phase import around, by_clock, drawn, estimate, eyes, of_movement, sleeps
from tests.needs import recordings_of
from twins.bodies import circadian
from twins.bodies.circadian import CLOCKS, DLMO_BEFORE_MINIMUM_H, STEP_MIN, Clock
from twins.world.diary import DiaryError
from twins.world.formats.t1d_uom_habits import Nights

STEPS, DAYS = 288, 12
MEDIAN = np.array([[circadian.PERIOD_MEAN_H, 1.0]])


def _day(wake_h: float, bed_h: float, lux: float) -> np.ndarray:
    hour = np.arange(STEPS) * STEP_MIN / 60
    return np.where((hour - wake_h) % 24 < (bed_h - wake_h) % 24, lux, 0.0)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_onset_is_that_of_the_twin_under_the_same_light(clock: str) -> None:
    light = np.tile(_day(7.0, 23.0, 500.0), DAYS)
    found = estimate(clock, MEDIAN, light, np.ones(len(light), bool)).median
    body = Clock(clock)
    state = body.entrained(MEDIAN, _day(7.0, 23.0, 500.0)[None], 60)  # at midnight
    steps = 0
    while not 0.0 <= body.phase_h(state)[0] < 1.0:
        body.advance(state, MEDIAN, _day(7.0, 23.0, 500.0)[None, steps : steps + 1])
        steps += 1
    until = steps * STEP_MIN / 60 - DLMO_BEFORE_MINIMUM_H
    assert np.isnan(found[-1])  # its evening is not over
    assert found[5] == pytest.approx((until - 12.0) % 24.0 + 12.0, abs=0.15)


def test_onsets_near_noon_are_found_and_people_are_counted_around_the_median_one() -> None:
    known = np.ones(DAYS * STEPS, bool)
    for later in (13.5, 14.0, 14.5, 15.0):
        found = by_clock(np.tile(_day(7.0 + later, 23.0 + later, 500.0), DAYS), known, people=20)["forger"]
        assert np.isfinite(found.median[2:-2]).all()
        low, high = found.interval()
        assert (high - low)[5] < 6.0
    assert around(np.array([35.9, 12.3]), np.array([12.1, 12.1])).tolist() == pytest.approx([11.9, 12.3])


def test_days_are_known_with_a_night_at_both_ends() -> None:
    fell = np.array(["2024-01-02T00:30", "2024-01-02T23:00", "2024-01-03T23:30"], "datetime64[s]")
    held = Nights(fell, fell + np.timedelta64(8 * 3600, "s"), np.zeros(3))
    days = beside.in_nights(held).reshape(-1, STEPS)
    assert np.isnan(days[:, 0]).tolist() == [False, False, True]  # the last one's evening is not known
    assert days[1].sum() == 12 * (7 + 0.5)


def test_who_lives_later_is_estimated_later() -> None:
    known = np.ones(DAYS * STEPS, bool)
    early, late = (
        estimate("forger", MEDIAN, np.tile(_day(wake, wake + 16.0, 500.0), DAYS), known).median[6]
        for wake in (6.0, 9.0)
    )
    assert late - early == pytest.approx(3.0, abs=0.3)


def test_days_without_a_recording_have_no_phase_and_people_spread() -> None:
    known = np.ones(DAYS * STEPS, bool)
    known[4 * STEPS : 6 * STEPS] = False
    found = by_clock(np.tile(_day(7.0, 23.0, 100.0), DAYS), known, people=20)["forger"]
    assert np.isnan(found.median[4]) and np.isfinite(found.median[8])
    low, high = found.interval()
    assert low[8] < found.median[8] < high[8] and high[8] - low[8] > 1.0
    assert drawn(20).shape == (21, 2)


def test_sleep_proper_is_no_quiet_quarter_of_an_hour_and_eyes_are_closed_in_it_alone() -> None:
    scored = np.zeros(STEPS)
    scored[:84] = 1.0
    scored[150:153] = 1.0
    scored[200] = np.nan
    asleep = sleeps(scored)
    assert asleep[10:70].all() and not asleep[100:].any()
    lux = np.full(2 * STEPS, 80.0)
    lux[STEPS + 150] = np.nan
    seen = eyes(lux, np.tile(asleep, 2))
    assert seen[20] == 0.0 and seen[150] == 80.0 and seen[STEPS + 150] == 80.0
    with pytest.raises(ValueError, match="whole days"):
        eyes(np.full(STEPS, np.nan), np.zeros(STEPS, bool))


def test_movement_is_taken_for_more_light_the_more_there_is_of_it() -> None:
    level = of_movement(np.array([0.0, 1.0, 50.0, 60.0, 500.0, 600.0, np.nan]), np.zeros(7, bool))
    assert (np.diff(level[:6]) >= 0).all() and level[0] < level[5] and np.isnan(level[6])
    with pytest.raises(ValueError, match="awake"):
        of_movement(np.ones(5), np.ones(5, bool))


def test_means_by_hour_leave_out_what_was_not_recorded() -> None:
    values = np.arange(2 * STEPS, dtype=float)
    values[STEPS:] = np.nan
    values[:12] = np.nan
    hours = beside.by_hour(values)
    assert np.isnan(hours[0]) and hours[1] == pytest.approx(17.5)


def test_simulated_days_sleep_by_night_and_walk_by_day() -> None:
    people = beside.simulated(6, glucose_days=2)
    assert len(people) == 6
    for one in people:
        assert one.curves["asleep"][3] > 70 and one.curves["asleep"][14] < 5
        assert one.curves["steps"][3] < 30 < one.curves["steps"][14]
        assert one.curves["glucose"].min() > 60 and one.curves["glucose"].max() < 350
    table = beside.tidy(people)
    assert len(table["value"]) == 6 * 24 * len(beside.MEASURES)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.verify
def test_real_people_of_t1d_uom() -> None:
    people = beside.real(recordings_of("t1d_uom"), most=2)
    assert len(people) == 2
    assert np.median([one.curves["asleep"][3] for one in people]) > 85
    assert np.median([one.curves["asleep"][14] for one in people]) < 10
    assert all(5.0 < one.slept_h < 12.0 for one in people)
    # The files of the pulse have wrong times; where this fails they were mended, and the pulse can be used.
    assert all(not abs(one.pulse_with_steps) > 0.2 for one in people)


def test_a_folder_without_watches_says_so(tmp_path: Path) -> None:
    with pytest.raises(DiaryError, match="nights and steps"):
        beside.real(tmp_path)
