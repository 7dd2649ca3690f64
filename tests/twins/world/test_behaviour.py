"""Habits: what is announced of what is eaten, and how insulin sensitivity moves."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from twins import random
from twins.world.behaviour import (
    EXACT,
    NEVER,
    REALISTIC,
    TREATS_LOWS,
    Behaviour,
    announce,
    named,
    sensitivity,
)

MEALS = 40


def _keys(n: int = 500, replica: int = 0, episode: int = 0) -> NDArray[np.uint32]:
    return random.keys("train", 1, np.arange(n), replica, episode)


def _meals(n: int = 500, grams: float = 50.0) -> tuple[NDArray, NDArray]:
    """Meals every 3 hours, far apart, so that no delay changes their order."""
    return np.tile(180.0 * np.arange(MEALS), (n, 1)), np.full((n, MEALS), grams)


def test_a_perfect_person_announces_every_gram_one_minute_after_the_first_bite() -> None:
    minute, grams = _meals()
    grams = grams + np.arange(MEALS)
    told_minute, told = announce(EXACT, _keys(), minute, grams)
    np.testing.assert_array_equal(told_minute, minute + 1)
    np.testing.assert_array_equal(told, grams)


def test_meals_are_missed_with_the_given_probability() -> None:
    minute, grams = _meals()
    told_minute, told = announce(Behaviour(missed=0.2), _keys(), minute, grams)
    missed = np.isinf(told_minute)
    assert (told[missed] == 0).all()
    assert (told[~missed] == 50).all()
    assert missed.mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / missed.size))
    assert np.isinf(announce(Behaviour(missed=1.0), _keys(), minute, grams)[0]).all()


def test_late_announcements_are_late_by_a_uniform_time() -> None:
    minute, grams = _meals()
    told_minute, _ = announce(Behaviour(late=0.3, late_min=(15.0, 60.0)), _keys(), minute, grams)
    delay = told_minute - minute
    late = delay > 1
    assert (delay[~late] == 1).all()
    assert late.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / late.size))
    assert stats.kstest(delay[late], "uniform", args=(16, 45)).pvalue > 0.01


def test_snacks_below_the_limit_are_never_announced() -> None:
    minute, grams = _meals(n=1)
    grams[0, :3] = (5.9, 6.0, 1.0)
    told_minute, told = announce(Behaviour(unlogged_below_g=6.0), _keys(1), minute, grams)
    assert told_minute[0, :2].tolist() == [181.0, 541.0]
    assert told[0, 0] == 6.0
    assert np.isinf(told_minute[0, -2:]).all()


def test_the_bias_stays_with_the_person_over_meals_replicas_and_episodes() -> None:
    minute, grams = _meals()
    habit = Behaviour(carb_bias_sd=0.15)
    biases = [
        np.log(announce(habit, _keys(replica=replica, episode=episode), minute, grams)[1] / grams)
        for replica, episode in ((0, 0), (3, 0), (0, 5))
    ]
    assert np.ptp(np.stack(biases), axis=(0, 2)).max() < 1e-12
    by_person = biases[0][:, 0]
    assert len(np.unique(by_person)) == 500
    assert stats.kstest(by_person / 0.15, "norm").pvalue > 0.01


def test_the_error_of_each_meal_is_drawn_anew() -> None:
    minute, grams = _meals()
    habit = Behaviour(carb_error_sd=0.25)
    errors = [np.log(announce(habit, _keys(episode=episode), minute, grams)[1] / grams) for episode in (0, 1)]
    assert stats.kstest(errors[0].ravel() / 0.25, "norm").pvalue > 0.01
    assert abs(np.corrcoef(errors[0][:, :-1].ravel(), errors[0][:, 1:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1]) < 0.03
    assert len(np.unique(errors[0])) == errors[0].size


def test_what_is_drawn_for_a_meal_tells_nothing_about_its_other_draws() -> None:
    """Lateness, delay, being missed, error and the person's bias come from numbers that do not overlap."""
    minute, grams = _meals()
    keys = _keys()
    error = np.log(announce(Behaviour(carb_error_sd=0.2), keys, minute, grams)[1] / grams)
    bias = np.log(announce(Behaviour(carb_bias_sd=0.2), keys, minute, grams)[1] / grams)
    delay = announce(Behaviour(late=1.0), keys, minute, grams)[0] - minute
    late = announce(Behaviour(late=0.5), keys, minute, grams)[0] - minute > 1
    lost = announce(Behaviour(missed=0.5, late=1.0, late_min=(0.0, 0.0)), keys, minute, grams)[0]
    missed = np.array([~np.isin(minute[row] + 1, lost[row]) for row in range(len(minute))])
    assert missed.mean() == pytest.approx(0.5, abs=0.02)
    drawn = np.array([error, np.abs(error), bias, delay, late, missed], float)
    first_meal, every_meal = np.corrcoef(drawn[:, :, 0]), np.corrcoef(drawn.reshape(len(drawn), -1))
    for table, bound in ((first_meal, 0.18), (every_meal, 0.03)):
        assert np.abs(table - np.eye(len(drawn))).max() < bound
    shifted = np.corrcoef(error[:, 1:].ravel(), delay[:, :-1].ravel())[0, 1]
    assert abs(shifted) < 0.03


def test_announcements_come_in_order_of_time_with_the_silent_ones_last() -> None:
    """A late meal may be told after the next one."""
    minute = np.tile(30.0 * np.arange(MEALS), (200, 1))
    grams = np.tile(10.0 + np.arange(MEALS), (200, 1))
    told_minute, told = announce(Behaviour(late=0.5, missed=0.2), _keys(200), minute, grams)
    assert (np.diff(np.where(np.isinf(told_minute), 1e9, told_minute), axis=1) >= 0).all()
    swapped = 0
    for row in range(200):
        finite = np.isfinite(told_minute[row])
        assert len(set(told[row, finite])) == finite.sum()
        delay = told_minute[row, finite] - 30.0 * (told[row, finite] - 10.0)
        assert ((delay == 1) | ((delay >= 16) & (delay <= 61))).all(), "grams went with another meal's time"
        swapped += (np.diff(told[row, finite]) < 0).sum()
    assert swapped > 100


def test_padding_is_never_announced() -> None:
    minute = np.array([[60.0, NEVER, NEVER]])
    told_minute, told = announce(REALISTIC, _keys(1), minute, np.array([[40.0, 0.0, 0.0]]))
    assert np.isinf(told_minute[0, 1:]).all()
    assert (told[0, 1:] == 0).all()


@pytest.mark.parametrize("habit", [EXACT, REALISTIC], ids=["exact", "realistic"])
def test_announcements_do_not_depend_on_company_or_on_meals_to_come(habit: Behaviour) -> None:
    minute, grams = _meals(30)
    keys = _keys(30)
    together = announce(habit, keys, minute, grams)
    order = np.random.default_rng(0).permutation(30)[:11]
    for one, other in zip(announce(habit, keys[order], minute[order], grams[order]), together, strict=True):
        np.testing.assert_array_equal(one, other[order])
    shorter = announce(habit, keys, minute[:, :5], grams[:, :5])
    longer = together[0]
    for row in range(30):
        finite = shorter[0][row][np.isfinite(shorter[0][row])]
        np.testing.assert_array_equal(finite, longer[row][: len(finite)])


def test_sensitivity_is_one_without_habits() -> None:
    np.testing.assert_array_equal(sensitivity(EXACT, _keys(3), 50), np.ones((3, 50)))


def test_sensitivity_changes_from_day_to_day_and_not_within() -> None:
    logs = np.log(sensitivity(Behaviour(sensitivity_day_sd=0.12), _keys(), 24 * 10)).reshape(500, 10, 24)
    assert np.ptp(logs, axis=2).max() == 0
    by_day = logs[:, :, 0]
    assert stats.kstest(by_day.ravel() / 0.12, "norm").pvalue > 0.01
    assert abs(np.corrcoef(by_day[:, :-1].ravel(), by_day[:, 1:].ravel())[0, 1]) < 0.06


def test_sensitivity_swings_once_a_day_with_a_phase_of_the_episode() -> None:
    habit = Behaviour(sensitivity_hour_sd=0.1)
    logs = np.log(sensitivity(habit, _keys(), 48))
    np.testing.assert_allclose(logs[:, :24], logs[:, 24:], atol=1e-12)
    np.testing.assert_allclose(logs[:, :24], -logs[:, 12:36], atol=1e-12)
    wave = (logs[:, :24] * np.exp(2j * np.pi * np.arange(24) / 24)).mean(axis=1)
    np.testing.assert_allclose(np.abs(wave), 0.05, rtol=1e-9)
    phase = np.angle(wave) % (2 * np.pi) / (2 * np.pi)
    assert stats.kstest(phase, "uniform").pvalue > 0.01
    next_day = np.log(sensitivity(habit, _keys(episode=1), 24))
    assert np.abs(next_day - logs[:, :24]).max(axis=1).min() > 1e-6


def test_the_phase_tells_nothing_about_the_first_day() -> None:
    """Both hang on one stream: their draws may not share a block."""
    keys = _keys(4000)
    day = np.log(sensitivity(Behaviour(sensitivity_day_sd=1.0), keys, 24))[:, 0]
    course = np.log(sensitivity(Behaviour(sensitivity_hour_sd=1.0), keys, 24))
    for values in (day, np.abs(day)):
        assert abs(np.corrcoef(values, course[:, 0])[0, 1]) < 4 / np.sqrt(4000)
        assert abs(np.corrcoef(values, course[:, 6])[0, 1]) < 4 / np.sqrt(4000)


def test_sensitivity_does_not_depend_on_company_or_on_the_length_of_the_episode() -> None:
    keys = _keys(20)
    together = sensitivity(REALISTIC, keys, 100)
    np.testing.assert_array_equal(sensitivity(REALISTIC, keys[[7]], 100), together[[7]])
    np.testing.assert_array_equal(sensitivity(REALISTIC, keys[::-1], 30), together[::-1, :30])


@pytest.mark.parametrize(
    ("name", "habit"), [("exact", EXACT), ("treats-lows", TREATS_LOWS), ("realistic", REALISTIC)]
)
def test_behaviours_have_names(name: str, habit: Behaviour) -> None:
    assert named(name) is habit


def test_an_unknown_behaviour_is_answered_with_the_nearest_known() -> None:
    with pytest.raises(ValueError, match="unknown behaviour 'realistc'; did you mean 'realistic'.*Known are"):
        named("realistc")
    with pytest.raises(ValueError, match="unknown behaviour 'zzz'; Known are exact, treats-lows, realistic"):
        named("zzz")


def test_replicas_live_with_the_sensitivities_in_turn() -> None:
    habit = Behaviour(sensitivity_factors=(0.7, 1.3))
    keys = random.keys("test", 1, 5, np.arange(4), 0)
    np.testing.assert_allclose(sensitivity(habit, keys, 24)[:, 0], [0.7, 1.3, 0.7, 1.3])


def test_everybodys_counts_can_be_too_low() -> None:
    keys = random.keys("test", 1, 5, np.arange(2), 0)
    at, grams = np.full((2, 1), 400.0), np.full((2, 1), 50.0)
    _, told = announce(Behaviour(carb_count_factor=0.7), keys, at, grams)
    np.testing.assert_allclose(told, 35.0)
