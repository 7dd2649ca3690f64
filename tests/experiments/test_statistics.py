"""Aggregates, the crossed bootstrap and its coverage, p values, Holm, bounds: against scipy and by hand."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments import statistics
from experiments.aggregates import (
    Array,
    cvar,
    difference,
    improvement_probability,
    iqm,
    mean,
    optimality_gap,
    person_scores,
    worst_person,
)
from experiments.statistics import (
    bootstrap_p_value,
    crossed_interval,
    event_bounds,
    holm,
    inference,
    performance_profile,
    resampled,
    sign_flip_p_value,
)

NAN = np.nan
FEW = 400
matrices = arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.integers(0, 100))


def _agent(rng: np.random.Generator, body: Array, seeds: int = 5, seed_sd: float = 0.6) -> Array:
    return body + seed_sd * rng.standard_normal((seeds, 1)) + rng.standard_normal((seeds, len(body)))


def test_days_are_averaged_within_person_and_seed() -> None:
    found = person_scores([1.0, 3.0, 10.0, NAN, 5.0, NAN], ["b", "b", "a", "b", "a", "a"], [0, 0, 0, 1, 1, 1])
    assert (found.seeds, found.persons) == ((0, 1), ("a", "b"))
    np.testing.assert_array_equal(found.scores, [[10.0, 2.0], [5.0, NAN]])


def test_five_folds_fill_one_row_for_each_seed_label() -> None:
    """Persons belong to one fold, every fold has its own trainings 0 to 4: nobody lacks a score."""
    persons, seeds = np.meshgrid(np.arange(10), np.arange(5))
    found = person_scores((persons + seeds / 10).ravel(), persons.ravel(), seeds.ravel())
    np.testing.assert_allclose(found.scores, np.arange(10) + np.arange(5)[:, None] / 10)


def test_a_person_counts_once_however_many_seeds_judged_them() -> None:
    assert mean(np.array([[10.0, 50.0], [20.0, NAN]])) == pytest.approx((15 + 50) / 2)
    assert difference(np.array([[10.0, 50.0], [20.0, NAN]]), np.array([[5.0, NAN]])) == 10.0
    assert np.isnan(mean(np.full((2, 2), NAN)))


@settings(deadline=None, max_examples=40)
@given(matrices)
def test_iqm_is_scipys_trimmed_mean(scores: Array) -> None:
    assert iqm(scores) == pytest.approx(scipy.stats.trim_mean(scores.ravel(), 0.25))
    padded = np.concatenate([scores, np.full_like(scores, NAN)])
    assert iqm(padded) == pytest.approx(float(iqm(scores)))


@settings(deadline=None, max_examples=40)
@given(matrices, matrices)
def test_improvement_is_mann_whitney_of_every_person(ours: Array, theirs: Array) -> None:
    n = min(ours.shape[1], theirs.shape[1])
    ours, theirs = ours[:, :n], theirs[:, :n]
    expected = [
        scipy.stats.mannwhitneyu(one, other, method="exact").statistic / (len(one) * len(other))
        for one, other in zip(ours.T, theirs.T, strict=True)
    ]
    assert improvement_probability(ours, theirs) == pytest.approx(np.mean(expected))
    back = improvement_probability(theirs, ours)
    assert improvement_probability(ours, theirs) + back == pytest.approx(1.0)


def test_cvar_counts_the_next_person_by_a_fraction() -> None:
    scores = np.arange(25.0)[None]
    assert cvar(scores) == pytest.approx((0 + 1 + 0.5 * 2) / 2.5)
    assert cvar(scores, higher_is_better=False) == pytest.approx((24 + 23 + 0.5 * 22) / 2.5)
    assert cvar(scores, alpha=1.0) == pytest.approx(12.0)
    assert cvar(scores[:, :5]) == worst_person(scores[:, :5]) == 0.0, (
        "a tenth of five is less than one person"
    )
    assert worst_person(np.array([[9.0, NAN, 4.0], [1.0, 3.0, 8.0]])) == 3.0


@settings(deadline=None, max_examples=40)
@given(matrices, st.floats(0, 1))
def test_cvar_lies_between_the_worst_and_the_mean(scores: Array, alpha: float) -> None:
    assert worst_person(scores) - 1e-9 <= cvar(scores, alpha) <= mean(scores) + 1e-9


@pytest.mark.parametrize("statistic", [mean, iqm, worst_person, cvar, optimality_gap])
def test_leading_axes_are_resamples(statistic: Any) -> None:
    many = np.random.default_rng(0).normal(80, 8, (7, 3, 5))
    many[2, 1, 1] = NAN
    np.testing.assert_allclose(statistic(many), [statistic(one) for one in many])


def test_same_input_gives_the_same_bytes_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pair = _agent(rng, rng.normal(80, 8, 30)), _agent(rng, rng.normal(80, 8, 30))
    first = resampled(pair, difference, seed=1, resamples=FEW)[1]
    monkeypatch.setattr(statistics, "_BLOCK", 10_000)
    assert first.tobytes() == resampled(pair, difference, seed=1, resamples=FEW)[1].tobytes()
    assert first.tobytes() != resampled(pair, difference, seed=2, resamples=FEW)[1].tobytes()


def test_a_seed_is_drawn_for_all_persons_at_once() -> None:
    """Were seeds drawn for each of 200 persons anew, their effect would average out."""
    scores = np.tile(np.array([0.0, 1.0, 2.0, 3.0, 4.0])[:, None], 200)
    interval = crossed_interval(scores, seed=0, resamples=FEW)
    assert interval.low < 0.7
    assert interval.high > 3.3


def test_persons_are_drawn_for_both_agents_at_once_and_seeds_for_each() -> None:
    body = np.random.default_rng(0).normal(80, 20, 30)
    same_gain = crossed_interval((body[None] + 2, body[None]), difference, seed=0, resamples=FEW)
    assert same_gain.low == pytest.approx(2.0)
    assert same_gain.high == pytest.approx(2.0)
    trained = body + np.arange(5.0)[:, None]
    seeds = crossed_interval((trained, trained), difference, seed=0, resamples=FEW)
    assert seeds.low < -1.5
    assert seeds.high > 1.5


def test_a_stratum_of_one_person_hides_no_variation() -> None:
    """Within strata of one everybody would be drawn every time, and only the seeds would vary."""
    scores = np.array([[60.0, 80.0, 95.0], [61.0, 81.0, 96.0]])
    lone = crossed_interval(scores, seed=0, resamples=FEW, strata=["adult", "adolescent", "child"])
    assert lone == crossed_interval(scores, seed=0, resamples=FEW)
    assert lone.high - lone.low > 10


def test_strata_keep_their_share_of_the_persons() -> None:
    scores = np.repeat([60.0, 90.0], [20, 10])[None]
    free = crossed_interval(scores, seed=0, resamples=FEW)
    assert free.high - free.low > 5
    kept = crossed_interval(scores, seed=0, resamples=FEW, strata=["child"] * 20 + ["adult"] * 10)
    assert (kept.low, kept.high) == pytest.approx((70.0, 70.0))


def test_fixed_persons_are_not_drawn() -> None:
    scores = np.random.default_rng(0).normal(80, 8, 30) + np.array([[-1.0], [0.0], [1.0]])
    fixed = crossed_interval(scores, seed=0, resamples=FEW, persons_fixed=True)
    drawn = crossed_interval(scores, seed=0, resamples=FEW)
    assert 0.5 < fixed.high - fixed.low < drawn.high - drawn.low
    lone = crossed_interval(scores[:1], seed=0, resamples=FEW, persons_fixed=True)
    assert np.isnan([lone.low, lone.high]).all()
    assert lone.estimate == pytest.approx(scores[0].mean())


def test_of_few_seeds_the_interval_is_students() -> None:
    seeds = np.array([78.0, 79.5, 80.2, 81.0, 82.3])
    interval = crossed_interval(np.tile(seeds[:, None], 4), seed=0, resamples=4000, persons_fixed=True)
    half = scipy.stats.t.ppf(0.975, 4) * seeds.std(ddof=1) / np.sqrt(5)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.06)


def test_of_many_persons_the_interval_is_scipys_percentile_interval() -> None:
    persons = np.random.default_rng(0).exponential(5, 400)
    interval = crossed_interval(persons[None], seed=0, resamples=4000)
    theirs = scipy.stats.bootstrap(
        (persons,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=0.06)


def test_coverage_of_five_seeds_is_what_the_interval_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the plain percentile interval, on the same agents, is too short."""

    def covered() -> float:
        rng = np.random.default_rng(3)
        held = 0
        for k in range(200):
            body = rng.normal(80, 8, 30)
            pair = _agent(rng, body), _agent(rng, body)
            interval = crossed_interval(pair, difference, seed=k, resamples=200)
            held += interval.low <= 0 <= interval.high
        return held / 200

    corrected = covered()
    monkeypatch.setattr(statistics, "_stretched", lambda estimate, crossed, *_: crossed)
    assert 0.93 <= corrected <= 0.99
    assert covered() < corrected - 0.02


def test_one_training_of_many_is_as_uncertain_as_the_trainings_of_the_other() -> None:
    """Five trainings against a fixed row vary by v/5, against one training of many by v/5 + v."""
    body = np.random.default_rng(0).normal(80, 8, 30)
    pair = body + np.arange(5.0)[:, None], body[None]
    taken = crossed_interval(pair, difference, seed=0, resamples=FEW)
    trained = crossed_interval(pair, difference, seed=0, resamples=FEW, lone_trained=True)
    assert (trained.high - trained.low) / (taken.high - taken.low) == pytest.approx(np.sqrt(6))
    lone = crossed_interval((pair[1], pair[1]), difference, seed=0, resamples=FEW, lone_trained=True)
    assert np.isnan([lone.low, lone.high]).all()


def test_p_values_agree_with_the_interval_and_are_never_zero() -> None:
    rng = np.random.default_rng(0)
    body = rng.normal(80, 8, 30)
    theirs = _agent(rng, body)
    for gain in (-1.0, 0.0, 0.5, 0.8, 1.0, 1.2, 1.5):
        pair = theirs + gain + 0.3 * rng.standard_normal((5, 1)), theirs
        interval = crossed_interval(pair, difference, seed=0, resamples=FEW)
        p = bootstrap_p_value(pair, difference, seed=0, resamples=FEW)
        assert (interval.low > 0 or interval.high < 0) == (p < 0.05)
    assert bootstrap_p_value((theirs + 90, theirs), difference, seed=0, resamples=199) == pytest.approx(0.01)
    assert np.isnan(bootstrap_p_value(theirs[:1], mean, seed=0, persons_fixed=True))


def test_flipping_signs_is_scipys_permutation_test() -> None:
    assert sign_flip_p_value([1.0, 2.0, 3.0, 4.0, 5.0], seed=0) == 2 / 32
    some = np.random.default_rng(0).normal(0.5, 1, 10)
    exact = scipy.stats.permutation_test(
        (some,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip_p_value(some, seed=0) == pytest.approx(exact)
    assert sign_flip_p_value(some, seed=0, flips=1000) == pytest.approx(exact, abs=0.03)
    assert sign_flip_p_value(np.full(40, 3.0), seed=0, flips=999) == 1 / 1000


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.4, 0.9]), [0.8, 0.9])
    assert holm([]).shape == (0,)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.01, 0.5))
def test_holm_rejects_as_the_step_down_procedure_does(p_values: list[float], alpha: float) -> None:
    rejected = set()
    for k, (p, place) in enumerate(sorted((p, i) for i, p in enumerate(p_values))):
        if p * (len(p_values) - k) > alpha:
            break
        rejected.add(place)
    assert {k for k, p in enumerate(holm(p_values)) if p <= alpha} == rejected


def test_no_event_among_thirty_persons_bounds_their_share_by_a_tenth() -> None:
    (all_of_them,) = event_bounds(np.zeros(30, int), np.full(30, 10))
    assert all_of_them.upper == pytest.approx(1 - 0.05 ** (1 / 30))
    assert (all_of_them.persons, all_of_them.trials) == (30, 300)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_bounds_are_clopper_and_pearsons_over_persons(events: list[int]) -> None:
    (found,) = event_bounds(events, [3] * len(events))
    with_event = sum(k > 0 for k in events)
    exact = scipy.stats.binomtest(with_event, len(events), alternative="less").proportion_ci(0.95)
    assert found.upper == pytest.approx(exact.high, abs=1e-9)
    assert (found.persons_with_event, found.events) == (with_event, sum(events))


def test_every_stratum_has_its_bound_and_the_untried_do_not_count() -> None:
    found = event_bounds([0, 2, 0, 0], [5, 5, 5, 0], ["child", "child", "adult", "adult"])
    assert [(one.stratum, one.persons, one.persons_with_event) for one in found] == [
        ("adult", 1, 0),
        ("child", 2, 1),
        ("all", 3, 1),
    ]
    assert found[0].upper == pytest.approx(0.95)


def test_a_profile_falls_from_all_to_none_within_its_bands() -> None:
    rng = np.random.default_rng(0)
    profile = performance_profile(
        _agent(rng, rng.normal(80, 8, 30)), np.arange(0, 101, 5), seed=0, resamples=FEW
    )
    assert (profile.share[0], profile.share[-1]) == (1.0, 0.0)
    assert (np.diff(profile.share) <= 0).all()
    assert ((profile.low <= profile.share) & (profile.share <= profile.high)).all()
    middle = np.argmin(np.abs(profile.share - 0.5))
    assert 0.2 < profile.high[middle] - profile.low[middle] < 0.6


def test_the_inference_names_whom_it_speaks_of() -> None:
    assert "sampler" in inference("drawn", 30)
    assert "no inference to other bodies" in inference("fixed", 30)
    for population in ("drawn", "fixed"):
        assert "no other body" in inference(population, 30, persons_fixed=True)  # type: ignore[arg-type]
    assert all("real people" in inference(one, 30) for one in ("drawn", "fixed"))  # type: ignore[arg-type]


PLAIN = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: crossed_interval(np.ones(3), seed=0), "seeds, persons"),
        (lambda: crossed_interval((PLAIN, np.ones((2, 4))), difference, seed=0), "same persons"),
        (lambda: crossed_interval(PLAIN * np.inf, seed=0), "infinite"),
        (lambda: crossed_interval(PLAIN, seed=0, level=95), "between 0 and 1"),
        (lambda: crossed_interval(PLAIN, seed=0, resamples=10), "at least 100"),
        (lambda: crossed_interval(PLAIN, seed=0, strata=["a"]), "one label for each"),
        (lambda: person_scores([1.0], ["a", "b"], [0, 0]), "three columns"),
        (lambda: cvar(PLAIN, alpha=10), "share of the persons"),
        (lambda: holm([0.5, NAN]), "none missing"),
        (lambda: sign_flip_p_value([NAN], seed=0), "finite"),
        (lambda: event_bounds([2], [1]), "more events than trials"),
        (lambda: event_bounds([1], [1, 2]), "shapes"),
        (lambda: event_bounds([0], [1], level=0), "between 0 and 1"),
        (lambda: inference("real", 30), "'drawn'"),  # type: ignore[arg-type]
    ],
)
def test_errors_say_what_is_allowed(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
