"""What an agent may know, recomputed naively from everything that happened."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs import view as v
from envs.view import View, hear, insulin_on_board
from twins.cohort import ADOLESCENT, ADULT, CHILD

# (minute, share left) of LoopKit's exponential curve, duration 360 min
PUBLISHED = {
    75.0: {
        30: 0.9295,
        60: 0.7793,
        75: 0.6943,
        90: 0.6091,
        120: 0.4498,
        180: 0.2082,
        240: 0.0727,
        300: 0.0139,
        360: 0,
    },
    55.0: {60: 0.6807, 120: 0.3144, 180: 0.1147},
}


@pytest.mark.parametrize("peak", PUBLISHED)
def test_insulin_on_board_is_the_curve_of_loopkit(peak: float) -> None:
    for minute, share in PUBLISHED[peak].items():
        assert insulin_on_board(minute, peak) == pytest.approx(share, abs=6e-5)


def test_insulin_on_board_falls_from_one_to_zero_and_stays_there() -> None:
    share = insulin_on_board(np.arange(-10, 400))
    assert (share[:11] == 1).all() and (share[370:] == 0).all()
    assert (np.diff(share) <= 1e-12).all()
    steepest = np.argmin(np.diff(share[10:]))
    assert 73 <= steepest <= 76  # activity peaks at the peak


@pytest.mark.parametrize(("peak", "duration"), [(75, 150), (75, 149), (0, 360), (-1, 360), (180, 360)])
def test_a_duration_up_to_twice_the_peak_is_refused(peak: float, duration: float) -> None:
    with pytest.raises(ValueError, match="twice the peak"):
        insulin_on_board(10, peak, duration)


GROUPS = (ADULT, CHILD, ADOLESCENT)
SCHEDULED = (1.2, 0.3, 0.8)


def _empty(dt: int) -> View:
    therapy = np.array(
        [[basal, 10, 40, 140, 150, 40, group] for basal, group in zip(SCHEDULED, GROUPS, strict=True)]
    )
    return View.empty(("a", "b", "c"), therapy, np.array([70.0, 30.0, 50.0]), dt)


class Naive:
    """One lane by the book: lists of all that happened, every number anew from them."""

    def __init__(self, lane: int, dt: int, reading: float) -> None:
        self.dt, self.scheduled = dt, SCHEDULED[lane] * dt / 60
        self.peak = 75.0 if GROUPS[lane] == ADULT else 65.0
        self.readings, self.doses = [reading], [self.scheduled] * (360 // dt)
        self.meals: list[tuple[int, float]] = []  # (interval, grams)
        self.uncovered, self.slope = 0.0, 0.0

    def see(self, reading: float, dose: float, requested: float, allowed: float) -> None:
        """An interval passes."""
        self.readings.append(reading)
        self.doses.append(dose)
        if requested > 0:
            self.uncovered *= max(1 - allowed / requested, 0)
        elif requested == 0:
            self.uncovered = 0.0
        if self.meals and (len(self.readings) - 1 - self.meals[-1][0]) * self.dt >= 60:
            self.uncovered = 0.0
        if not math.isnan(reading):
            back = min(15 // self.dt, len(self.readings) - 1)
            late = self.readings[-back - 1 :]
            known = [(k * self.dt, g) for k, g in enumerate(late) if 10 < g < 1000]
            self.slope = float(np.polyfit(*zip(*known, strict=True), 1)[0]) if len(known) > 1 else 0.0

    def hear(self, grams: float) -> None:
        """A meal is announced."""
        self.told = grams
        if grams > 0:
            self.meals.append((len(self.readings) - 1, grams))
            self.uncovered += grams

    def now(self) -> dict[int, float]:
        """What the view should say, by column."""
        at, dt = len(self.readings) - 1, self.dt
        known = [k for k, reading in enumerate(self.readings) if not math.isnan(reading)]
        valid = [g for g in self.readings if 10 < g < 1000]
        doses = self.doses[-(360 // dt) :][::-1]
        ages = [dt * (k + 0.5) for k in range(len(doses))]
        td, tp = 360.0, self.peak
        tau = tp * (1 - tp / td) / (1 - 2 * tp / td)
        a = 2 * tau / td
        s = 1 / (1 - a + (1 + a) * math.exp(-td / tau))
        left = [
            1 - s * (1 - a) * ((t**2 / (tau * td * (1 - a)) - t / tau - 1) * math.exp(-t / tau) + 1)
            for t in ages
        ]
        activity = [s / tau**2 * t * (1 - t / td) * math.exp(-t / tau) * 60 for t in ages]
        since = (at - self.meals[-1][0]) * dt if self.meals else math.inf
        return {
            v.CGM_MG_DL: self.readings[known[-1]] if known else 0.0,
            v.CGM_AGE_MIN: (at - known[-1]) * dt if known else math.inf,
            v.SLOPE_MG_DL_PER_MIN: self.slope,
            v.IOB_U: sum(x * dose for x, dose in zip(left, doses, strict=True)),
            v.IOB_NET_U: sum(x * (dose - self.scheduled) for x, dose in zip(left, doses, strict=True)),
            v.ACTIVITY_U_PER_H: sum(x * dose for x, dose in zip(activity, doses, strict=True)),
            v.COB_FAST_G: sum(g * math.exp(-(at - k) * dt / 40) for k, g in self.meals),
            v.COB_SLOW_G: sum(g * math.exp(-(at - k) * dt / 120) for k, g in self.meals),
            v.ANNOUNCED_G: self.told,
            v.UNCOVERED_G: self.uncovered,
            v.SINCE_ANNOUNCED_MIN: since,
            v.MINUTE_OF_DAY: at * dt % 1440,
            v.INSULIN_30MIN_U: sum(doses[: 30 // dt]),
            v.INSULIN_2H_U: sum(doses[: 120 // dt]),
            v.LAST_VALID_MG_DL: valid[-1] if valid else math.nan,
            v.RUNNING_MIN: at * dt,
        }


def _compare(view: View, naive: list[Naive]) -> None:
    for lane, one in enumerate(naive):
        for column, expected in one.now().items():
            rough = column == v.ACTIVITY_U_PER_H  # there a difference quotient, here the derivative
            np.testing.assert_allclose(
                view.now[lane, column], expected, rtol=2e-3 if rough else 1e-9, atol=1e-9, err_msg=str(column)
            )
        for history, kept, filler in (
            (view.cgm_history_mg_dl[lane], one.readings, math.nan),
            (view.insulin_history_u[lane], one.doses, 0.0),
        ):
            expected_tail = ([filler] * len(history) + kept)[-len(history) :]
            np.testing.assert_allclose(history, expected_tail, rtol=1e-12)


@pytest.mark.parametrize("dt", [5, 3, 1])
def test_500_intervals_with_gaps_meals_and_new_episodes_agree_with_a_naive_recomputation(dt: int) -> None:
    _recompute(dt, 500, slice(None, None, 7))


@pytest.mark.kernels
def test_60_intervals_agree_with_a_naive_recomputation() -> None:
    _recompute(5, 60, slice(None, None, 3))


def _recompute(dt: int, intervals: int, checked: slice) -> None:
    rng = np.random.default_rng(dt)
    view, lanes = _empty(dt), np.arange(3)

    def reading() -> float:
        return float(rng.choice([math.nan, 5.0, math.inf, rng.uniform(40, 400)], p=[0.25, 0.02, 0.02, 0.71]))

    def meal() -> float:
        return float(rng.choice([0.0, rng.uniform(5, 90)], p=[0.9, 0.1]))

    def begin(which: NDArray[np.int64]) -> list[Naive]:
        first = np.array([reading() for _ in which])
        view.begin(which, first)
        new = [Naive(lane, dt, value) for lane, value in zip(which.tolist(), first.tolist(), strict=True)]
        told = np.array([meal() for _ in which])
        hear(view.now, which, told)
        for one, grams in zip(new, told.tolist(), strict=True):
            one.hear(grams)
        return new

    naive = begin(lanes)
    at = range(intervals)[checked]
    for k in range(intervals):
        if k == intervals // 2:  # in mid-episode, wherever the buffers stand
            naive[1] = begin(np.array([1]))[0]
        cgm = np.array([reading() for _ in lanes])
        basal, bolus = rng.uniform(0, 3, 3), rng.choice([0.0, 2.5], 3, p=[0.8, 0.2])
        requested = rng.choice([0.0, 4.0, math.nan, math.inf], 3, p=[0.2, 0.2, 0.5, 0.1])
        allowed = rng.choice([0.0, 1.0, 4.0], 3)
        view.see(cgm, basal, bolus, requested, allowed)
        told = np.array([meal() for _ in lanes])
        hear(view.now, lanes, told)
        for lane, one in enumerate(naive):
            one.see(
                float(cgm[lane]), float(basal[lane] * dt / 60 + bolus[lane]), requested[lane], allowed[lane]
            )
            one.hear(float(told[lane]))
        if k in at:
            _compare(view, naive)


def _step(view: View, reading: float = 120.0, requested: float = math.nan, allowed: float = 0.0) -> None:
    view.see(*(np.full(3, x) for x in (reading, 1.0, 0.0, requested, allowed)))


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("requested", "allowed", "left"),
    [
        (6.0, 6.0, 0.0), (6.0, 0.0, 60.0), (6.0, 2.0, 40.0), (6.0, 7.0, 0.0), (0.0, 0.0, 0.0),
        (math.nan, 0.0, 60.0), (math.inf, 0.0, 60.0), (-1.0, 0.0, 60.0),
    ],
)  # fmt: skip
def test_carbs_stay_uncovered_as_far_as_their_bolus_was_held_back(
    requested: float, allowed: float, left: float
) -> None:
    """Who asks for no bolus has chosen to leave a meal uncovered; who asks for nothing valid has not."""
    view = _empty(5)
    view.begin(np.arange(3), np.full(3, 120.0))
    hear(view.now, np.arange(3), np.full(3, 60.0))
    _step(view, requested=requested, allowed=allowed)
    np.testing.assert_allclose(view.now[:, v.UNCOVERED_G], left)


@pytest.mark.kernels
def test_carbs_may_be_covered_for_an_hour_from_the_last_announcement_on() -> None:
    view = _empty(5)
    view.begin(np.arange(3), np.full(3, 120.0))
    hear(view.now, np.arange(3), np.full(3, 60.0))
    left = []
    for _ in range(12):
        _step(view, requested=6.0)
        hear(view.now, np.arange(3), np.zeros(3))
        left.append(view.now[0, v.UNCOVERED_G])
    assert left == [60.0] * 11 + [0.0]
    assert (view.now[:, v.ANNOUNCED_G] == 0).all()


def test_the_slope_is_not_carried_over_a_gap_of_15_min() -> None:
    view = _empty(5)
    view.begin(np.arange(3), np.full(3, 200.0))
    for reading in (190.0, 180.0, 170.0):
        _step(view, reading)
    assert view.now[0, v.SLOPE_MG_DL_PER_MIN] == pytest.approx(-2.0)
    for _ in range(4):
        _step(view, math.nan)
    assert view.now[0, v.SLOPE_MG_DL_PER_MIN] == pytest.approx(-2.0) and view.now[0, v.CGM_AGE_MIN] == 20
    _step(view, 300.0)
    assert view.now[0, v.SLOPE_MG_DL_PER_MIN] == 0.0  # one reading has no trend


@pytest.mark.kernels
@pytest.mark.parametrize("impossible", [0.0, -50.0, 10.0, 1000.0, 1e9, math.inf, -math.inf])
def test_an_impossible_reading_has_no_part_in_the_trend(impossible: float) -> None:
    """It is seen as the last reading, but neither as the last valid one nor in the slope of those after it."""
    view = _empty(5)
    view.begin(np.arange(3), np.full(3, 200.0))
    for reading in (196.0, impossible):
        _step(view, reading)
    assert view.now[0, v.CGM_MG_DL] == impossible and view.now[0, v.LAST_VALID_MG_DL] == 196.0
    assert view.now[0, v.SLOPE_MG_DL_PER_MIN] == pytest.approx(-0.8)
    _step(view, 188.0)
    assert view.now[0, v.SLOPE_MG_DL_PER_MIN] == pytest.approx(-0.8)


def test_a_new_episode_forgets_everything_but_therapy() -> None:
    used, new = _empty(5), _empty(5)
    used.begin(np.arange(3), np.full(3, 120.0))
    for k in range(100):
        _step(used, 100.0 + k)
        hear(used.now, np.arange(3), np.full(3, 10.0))
    for view in (used, new):
        view.begin(np.arange(3), np.full(3, 99.0))
    np.testing.assert_array_equal(used.now, new.now)
    np.testing.assert_array_equal(used.cgm_history_mg_dl, new.cgm_history_mg_dl)
    np.testing.assert_array_equal(used.insulin_history_u, new.insulin_history_u)
    assert abs(new.now[:, v.IOB_NET_U]).max() < 1e-12 and (new.now[:, v.IOB_U] > 0).all()


def test_activity_of_scheduled_basal_is_the_scheduled_rate() -> None:
    """In equilibrium as much acts per hour as is delivered."""
    for dt in (1, 3, 5):
        view: Any = _empty(dt)
        view.begin(np.arange(3), np.full(3, 120.0))
        np.testing.assert_allclose(view.now[:, v.ACTIVITY_U_PER_H], SCHEDULED, rtol=2e-3)


def test_constants_of_time_are_those_of_the_docstrings() -> None:
    assert (v.CGM_HISTORY_MIN, v.INSULIN_HISTORY_MIN) == (240, 360)
    view = _empty(5)
    assert (
        view.cgm_history_mg_dl.shape == (3, 49) and view.insulin_history_u.shape == (3, 72) and len(view) == 3
    )


def test_an_agent_gets_a_copy_that_reaches_neither_shield_nor_body() -> None:
    view = View.empty(("somebody",), np.ones((1, 7)), np.array([70.0]), 5)
    view.begin(np.zeros(1, np.int64), np.array([120.0]))
    shown = view.shown()
    with pytest.raises(ValueError, match="read-only"):
        shown.now[0, 0] = 300.0
    for name in ("now", "therapy", "weight_kg", "cgm_buffer", "insulin_buffer", "position", "curves"):
        mine, theirs = getattr(view, name), getattr(shown, name)
        np.testing.assert_array_equal(mine, theirs)
        assert not np.shares_memory(mine, theirs), name
    assert shown.ids == view.ids and len(shown) == 1
