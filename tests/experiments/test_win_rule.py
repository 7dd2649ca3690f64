"""The win rule case by case, the win ratio by hand, and what identical agents are called."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import win_rule
from experiments.statistics import crossed_interval
from experiments.win_rule import (
    AATest,
    Judged,
    Verdict,
    WinRatio,
    false_positive_rate,
    halves,
    simulated_pairs,
    win,
    win_ratio,
)

FEW = 200
PERSONS = 12
BODY = np.linspace(60.0, 95.0, PERSONS)


def _judged(
    tir: Any = 0.0,
    lows: Any = 0.0,
    failures: Any = 0,
    seeds: int = 5,
    trained: bool = True,
    spread: float = 0.2,
) -> Judged:
    """An agent whose trainings differ by `spread`, with these gains over BODY, 2 and 1 % of time."""
    shape = (seeds, PERSONS)
    training = spread * np.linspace(-1, 1, seeds)[:, None] if seeds > 1 else np.zeros((1, 1))
    return Judged(
        BODY + tir + training + np.zeros(shape),
        2.0 + lows + training + np.zeros(shape),
        1.0 + np.zeros(shape),
        failures + np.zeros(shape),
        np.full(shape, 10.0),
        trained,
    )


BASELINE = _judged(seeds=1, trained=False)
ONE_FAILURE = np.eye(5, PERSONS)[:1]


def _win(ours: Judged, theirs: Judged = BASELINE, **how: Any) -> Verdict:
    return win(ours, theirs, seed=0, resamples=FEW, **how)


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [
        (_judged(tir=2.0), BASELINE, "win"),
        (_judged(tir=1.01), BASELINE, "win"),
        (_judged(tir=0.99), BASELINE, "better"),
        (_judged(tir=0.1), BASELINE, "unclear"),
        (_judged(tir=-2.0), BASELINE, "worse"),
        (_judged(tir=3.0, spread=5.0), BASELINE, "unclear"),
        (_judged(tir=2.0, lows=0.45), BASELINE, "mixed"),
        (_judged(tir=2.0, lows=0.2), BASELINE, "win"),
        (_judged(tir=0.5, lows=0.6), BASELINE, "mixed"),
        (_judged(tir=9.0, failures=1), BASELINE, "unsafe"),
        (_judged(tir=-9.0, failures=1), BASELINE, "unsafe"),
        (_judged(tir=2.0, failures=1), _judged(failures=1, seeds=1, trained=False), "win"),
        (_judged(tir=2.0, failures=1), _judged(failures=2, seeds=3), "win"),
        (_judged(tir=2.0), _judged(seeds=5), "win"),
        (_judged(tir=2.0, lows=-0.5), _judged(seeds=1), "win"),
        (_judged(tir=2.0), _judged(seeds=1), "mixed"),
        (_judged(tir=9.0, seeds=1), BASELINE, "unclear"),
        (_judged(tir=9.0, seeds=1, failures=1), BASELINE, "unsafe"),
    ],
)
def test_outcomes(ours: Judged, theirs: Judged, outcome: str) -> None:
    assert _win(ours, theirs).outcome == outcome


def test_a_single_failure_more_is_unsafe_and_rates_are_per_episode() -> None:
    verdict = _win(_judged(tir=2.0, failures=np.eye(5, PERSONS)[[0]] * np.eye(5)[:, :1]))
    assert verdict.outcome == "unsafe"
    assert (verdict.failure_rate, verdict.their_failure_rate) == (1 / 600, 0.0)


def test_the_verdict_tells_the_differences() -> None:
    verdict = _win(_judged(tir=2.0, lows=-0.3))
    assert verdict.tir.estimate == pytest.approx(2.0)
    assert verdict.below_70.estimate == pytest.approx(-0.3)
    assert 0 < verdict.tir.low < 2 < verdict.tir.high
    assert verdict == _win(_judged(tir=2.0, lows=-0.3))


def test_a_policy_may_be_judged_as_the_one_it_is() -> None:
    ours = _judged(tir=2.0 + np.linspace(-0.5, 0.5, PERSONS), seeds=1, trained=False)
    assert _win(ours).outcome == "win"


def _one(below_54: list[float], tir: list[float], failures: list[float]) -> Judged:
    """One row, ten episodes for each person, taken as it is."""
    rows = [np.array([one], float) for one in (tir, below_54, failures)]
    return Judged(rows[0], rows[1], rows[1], rows[2], np.full(rows[2].shape, 10.0), trained=False)


def _ratio(ours: Judged, theirs: Judged, **how: Any) -> WinRatio:
    return win_ratio(ours, theirs, seed=0, resamples=FEW, **how)


def test_failures_decide_before_lows_and_lows_before_time_in_range() -> None:
    ours = _one(below_54=[9.0, 0.0, 0.1, 0.1, 0.1], tir=[50, 50, 81, 81.5, 78], failures=[0, 0, 0, 0, 0])
    theirs = _one(below_54=[0.0, 0.2, 0.0, 0.0, 0.0], tir=[90, 90, 80, 80, 80], failures=[1, 0, 0, 0, 0])
    found = _ratio(ours, theirs)
    assert found.decided == {"failures": (0.2, 0.0), "below 54": (0.2, 0.0), "time in range": (0.2, 0.2)}
    assert (found.wins, found.losses, found.ties) == pytest.approx((0.6, 0.2, 0.2))
    assert found.ratio == pytest.approx(3.0)
    assert found.low < 3.0 < found.high
    narrow = _ratio(ours, theirs, margins=(0.0, 0.05, 1.0))
    assert narrow.decided["below 54"] == pytest.approx((0.2, 0.6)), "a narrower margin hands over less"


def test_every_training_meets_every_other_on_the_same_person() -> None:
    ours = Judged(*[np.array([[80.0, 70.0], [84.0, 70.0]])] + [np.zeros((2, 2))] * 3, np.ones((2, 2)))
    theirs = Judged(*[np.array([[82.0, 60.0]] * 3)] + [np.zeros((3, 2))] * 3, np.ones((3, 2)))
    found = _ratio(ours, theirs)
    assert (found.wins, found.losses, found.ties) == pytest.approx((9 / 12, 3 / 12, 0))


def test_without_a_loss_the_ratio_is_infinite_and_its_lower_end_is_exact() -> None:
    ours, theirs = _judged(tir=5.0, spread=0.0), _judged(seeds=3, spread=0.0)
    found = _ratio(ours, theirs)
    least = 0.025 ** (1 / PERSONS)
    assert (found.ratio, found.high) == (np.inf, np.inf)
    assert found.low == pytest.approx(least / (1 - least))
    back = _ratio(theirs, ours)
    assert (back.ratio, back.low) == (0.0, 0.0)
    assert back.high == pytest.approx((1 - least) / least)


def test_resampled_pairs_are_the_pairs_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings against three on two persons: the share that is resampled is that of the table."""
    seen = []

    def spy(scores: Any, statistic: Any, **how: Any) -> Any:
        seen.append(statistic(*scores))
        rows = scores[0][[1, 1]], scores[1][[0, 2, 2]]
        seen.append(statistic(*(one[:, [1, 0]] for one in rows)))
        return crossed_interval(scores, statistic, **how)

    monkeypatch.setattr(win_rule, "crossed_interval", spy)
    ours = Judged(*[np.array([[80.0, 70.0], [84.0, 70.0]])] + [np.zeros((2, 2))] * 3, np.ones((2, 2)))
    theirs = Judged(
        *[np.array([[82.0, 60.0], [70.0, 75.0], [90.0, 76.0]])] + [np.zeros((3, 2))] * 3, np.ones((3, 2))
    )
    _ratio(ours, theirs)
    assert seen == pytest.approx([(1 + 2 + 2) / 12, 2 / 6])


def test_a_resample_of_ties_alone_favours_nobody() -> None:
    found = _ratio(_judged(tir=9.0 * (BODY < 61), seeds=1, trained=False), BASELINE)
    assert (found.wins, found.losses) == pytest.approx((1 / PERSONS, 0))
    assert found.low == pytest.approx(0.025 / 0.975), "one person with a decided pair"


def test_all_ties_have_no_ratio() -> None:
    found = _ratio(_judged(), _judged())
    assert found.ties == 1.0
    assert np.isnan([found.ratio, found.low, found.high]).all()


def test_one_training_has_a_ratio_without_interval() -> None:
    found = _ratio(_judged(tir=5.0, seeds=1), BASELINE)
    assert found.ratio == np.inf
    assert np.isnan([found.low, found.high]).all()


def test_pairs_without_a_score_are_left_out() -> None:
    ours, theirs = _judged(tir=5.0), _judged(tir=np.where(BODY < 70, 20.0, 0.0))
    full = _ratio(ours, theirs)
    gone = np.broadcast_to(BODY < 70, (5, PERSONS))
    part = Judged(
        np.where(gone, np.nan, ours.tir_pct),
        ours.below_70_pct,
        ours.below_54_pct,
        ours.failures,
        np.where(gone, 0, 10),
    )
    assert full.losses > 0
    assert _ratio(part, theirs).losses == 0
    assert _ratio(part, theirs).wins == 1.0


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_the_win_ratio_of_the_other_side_is_the_inverse(draw: int) -> None:
    rng = np.random.default_rng(draw)

    def agent(seeds: int) -> Judged:
        cells = (seeds, 4)
        tir, lows = rng.normal(80, 3, cells), rng.exponential(0.1, cells)
        return Judged(tir, lows, lows, rng.integers(0, 2, cells).astype(float), np.full(cells, 5.0))

    ours, theirs = agent(3), agent(2)
    one, other = _ratio(ours, theirs), _ratio(theirs, ours)
    assert (one.wins, one.losses, one.ties) == pytest.approx((other.losses, other.wins, other.ties))
    assert one.wins + one.losses + one.ties == pytest.approx(1.0)
    assert one.low <= one.ratio <= one.high or np.isnan(one.ratio)


@pytest.mark.parametrize(
    "comparator", [{}, {"their_seeds": 1, "trained": False}, {"their_seeds": 1}], ids=["5", "untrained", "1"]
)
def test_identical_agents_seldom_win(comparator: dict[str, Any]) -> None:
    found = false_positive_rate(simulated_pairs(200, seed=1, **comparator), seed=0, resamples=FEW)
    assert found.comparisons == 200
    assert found.wins <= 0.05 * 200
    assert found.above <= 0.05 * 200
    assert 0.93 <= found.covered / 200 <= 0.99


def test_the_count_sees_intervals_that_are_too_short() -> None:
    """One training taken for a treatment that is not trained: its luck is taken for a difference."""

    def mistaken(theirs: Judged) -> Judged:
        values = {name: getattr(theirs, name) for name in ("tir_pct", "below_70_pct", "below_54_pct")}
        return Judged(**values, failures=theirs.failures, trials=theirs.trials, trained=False)

    pairs = ((ours, mistaken(theirs)) for ours, theirs in simulated_pairs(100, seed=1, their_seeds=1))
    found = false_positive_rate(pairs, seed=0, resamples=FEW)
    assert found.covered < 80
    assert found.above > 5


def _trainings(count: int = 8) -> Judged:
    """Trainings that differ by luck alone, of two days for each person."""
    rng = np.random.default_rng(0)
    tir = BODY + rng.normal(0, 1, (count, PERSONS)) + rng.normal(0, 0.6, (count, 1))
    nothing = np.zeros(tir.shape)
    return Judged(tir, nothing + 1, nothing, nothing + (np.arange(count) == 3)[:, None], nothing + 2)


def test_trainings_split_in_halves_seldom_win() -> None:
    found = false_positive_rate(halves(_trainings(), seed=0, comparisons=60), seed=0, resamples=FEW)
    assert found.comparisons == 60
    assert found.wins <= 3


def test_halves_share_nothing_and_leave_nothing_out() -> None:
    whole = _trainings()
    for ours, theirs in halves(whole, seed=0, comparisons=5):
        together = np.concatenate([ours.tir_pct, theirs.tir_pct])
        np.testing.assert_array_equal(np.sort(together[:, 0]), np.sort(whole.tir_pct[:, 0]))
        assert ours.failures.sum() + theirs.failures.sum() == PERSONS
        assert ours.trials.sum() == theirs.trials.sum() == 4 * PERSONS * 2


def test_the_test_prints_a_line() -> None:
    assert str(AATest(200, 1, 5, 190)) == (
        "A/A, 200 comparisons of an agent with itself: 0.5 % called a win (5 % allowed), 2.5 % with an interval "
        "above 0 (2.5 % expected), 95.0 % of intervals hold 0 (95 % expected)"
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Judged(*[np.zeros(3)] * 4, np.ones(3)), "seeds, persons"),
        (lambda: Judged(*[np.zeros((1, 3))] * 4, np.ones((1, 2))), "shapes differ"),
        (lambda: Judged(*[np.zeros((1, 3))] * 3, np.full((1, 3), 2.0), np.ones((1, 3))), "0 to trials"),
        (lambda: Judged(*[np.zeros((1, 3))] * 5), "there are trials"),
        (lambda: _ratio(_one([0], [80], [0]), _one([0, 0], [80, 80], [0, 0])), "same persons"),
        (lambda: _win(_one([0], [80], [0]), _one([0, 0], [80, 80], [0, 0])), "same persons"),
        (lambda: _ratio(_one([np.nan], [80], [0]), _one([0], [80], [0])), "judged under both"),
        (lambda: false_positive_rate([], seed=0), "no pair"),
        (lambda: next(halves(_trainings(1), seed=0)), "cannot be split in two"),
    ],
)
def test_errors_say_what_is_allowed(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()


def test_trainings_that_go_back_to_one_are_resampled_together() -> None:
    """The seed moves both agents alike: their difference is sure where both are drawn at once, and unclear else."""
    seeds, persons = np.array([[0.0], [4.0], [8.0]]), np.arange(6.0)
    zeros, ones = np.zeros((3, 6)), np.ones((3, 6))
    theirs = Judged(70 + seeds + persons, zeros, zeros, zeros, ones)
    ours = Judged(72 + seeds + persons, zeros, zeros, zeros, ones)
    together, apart = (win(ours, theirs, seed=1, same_seeds=same) for same in (True, False))
    assert (together.tir.low, together.tir.high) == pytest.approx((2.0, 2.0)) and together.outcome == "win"
    assert apart.tir.low < 0 < apart.tir.high and apart.outcome == "unclear"
