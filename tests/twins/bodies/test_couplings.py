"""What sleep, the body's hour and stress do to insulin's action: switches, sizes, people without any effect."""

import numpy as np

from twins import random
from twins.bodies import couplings as c
from twins.bodies import stress

PEOPLE = np.array([[0.25, 0.2, 1.0, 0.15], [0.0, 0.0, 1.0, 0.0]])
FIT = np.array([1.0, 1.0])


def _stressed() -> np.ndarray:
    state = stress.calm(2)
    state[:, stress.FELT] = 1.0
    return state


def test_training_adds_up_for_weeks_and_levels_off() -> None:
    fit, days = np.zeros(3), []
    for _ in range(100):
        fit = c.trained(fit, np.array([0.0, c.FITNESS_WORK_H, 2.0]))
        days.append(fit)
    np.testing.assert_allclose(days[24], [0.0, 0.64, 1.28], atol=0.01)
    assert days[-1][0] == 0 and 0.97 < days[-1][1] < 1.0 and days[-1][2] < c.MOST_FITNESS


def test_off_is_nothing_and_each_switch_is_its_own_factor() -> None:
    debt, phase = np.array([4.0, 4.0]), np.array([1.0, 1.0])
    off = c.Couplings(sleep=False, dawn=False, stress=False, fitness=False)
    for factor in off.sensitivity(PEOPLE, debt, phase, _stressed(), FIT):
        assert (factor == 1.0).all()
    alone = [
        c.Couplings(**{name: name == switch for name in c.SWITCHES}).sensitivity(
            PEOPLE, debt, phase, _stressed(), FIT
        )
        for switch in c.FACTORS
    ]
    both = c.Couplings().sensitivity(PEOPLE, debt, phase, _stressed(), FIT)
    for number in range(2):
        np.testing.assert_allclose(both[number], np.prod([one[number] for one in alone], axis=0))
    sleep, dawn, cortisol, fitness = alone
    np.testing.assert_allclose(sleep[0], [0.8, 1.0])
    assert (sleep[1] == 1.0).all()  # the liver is left alone
    np.testing.assert_allclose(dawn[0], [0.8, 1.0])
    np.testing.assert_allclose(cortisol[0], 2**-0.5)
    np.testing.assert_allclose(cortisol[1], 0.5)
    np.testing.assert_allclose(fitness[0], [1.15, 1.0])
    assert (fitness[1] == 1.0).all()
    assert set(c.CONFIDENCE) == set(c.SWITCHES)


def test_rested_calm_and_at_noon_everybody_is_at_one() -> None:
    found = c.Couplings().sensitivity(PEOPLE, np.zeros(2), np.full(2, 7.6), stress.calm(2), np.zeros(2))
    assert all((factor == 1.0).all() for factor in found)


def test_dawn_is_lowest_after_the_temperature_s_minimum_and_six_hours_long() -> None:
    hours = np.arange(0, 24, 0.25)
    dip = c.at_dawn(np.full(len(hours), 0.3), hours)
    assert hours[dip.argmin()] == 1.0 and dip.min() == 0.7
    assert (dip < 1).sum() == 6 * 4 - 1 and dip[hours == 12.0] == 1.0


def test_people_differ_some_feel_nothing_and_each_hangs_on_its_key_alone() -> None:
    keys = random.keys("train", 0, np.arange(4000, dtype=np.uint32), 0, 0)
    drawn = c.draw(keys)
    assert abs((drawn[:, c.DAWN_SHARE] == 0).mean() - 0.5) < 0.03
    none = drawn[:, c.SLEEP_SHARE] == 0
    assert abs(none.mean() - c.SLEEP_NONE) < 0.03
    assert abs(drawn[~none, c.SLEEP_SHARE].mean() - 0.25) < 0.02 and (drawn >= 0).all()
    np.testing.assert_array_equal(c.draw(keys[11:12]), drawn[11:12])
