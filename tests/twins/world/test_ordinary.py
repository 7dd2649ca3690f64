"""Ordinary weeks: work, habits, strain, light, and how much advice is followed."""

import numpy as np

from twins import random
from twins.bodies import circadian
from twins.world import ordinary

KEYS = random.keys("train", 1, np.arange(3000, dtype=np.uint32), 0, 0)
WEEKS = ordinary.draw(KEYS, 30)


def test_weeks_have_five_days_of_work_and_hang_on_each_key_alone() -> None:
    assert (WEEKS.work[:, :28].sum(axis=1) == 20).all()
    assert (
        abs(WEEKS.heavy.sum() / WEEKS.work.sum() - ordinary.HEAVY_SHARE) < 0.01
        and not (WEEKS.heavy & ~WEEKS.work).any()
    )
    assert abs(WEEKS.own.mean() - ordinary.OWN_SHARE) < 0.01
    one = ordinary.draw(KEYS[7:8], 30)
    for name in ordinary.Ordinary.__dataclass_fields__:
        assert np.array_equal(getattr(one, name)[0], getattr(WEEKS, name)[7]), name


def test_people_sleep_longer_on_free_days_and_who_has_a_slow_clock_goes_to_bed_later() -> None:
    hours = WEEKS.rise_h[:, 1:] + 24 - WEEKS.bed_h[:, :-1]
    free = ~WEEKS.work[:, 1:]
    assert hours[free].mean() > hours[~free].mean() + 0.5 and 6.5 < hours[~free].mean() < 7.3
    period = circadian.draw(KEYS)[:, circadian.PERIOD_H]
    assert 0.3 < np.corrcoef(period, WEEKS.bed_h.mean(axis=1))[0, 1] < 0.8


def test_strain_comes_at_work_and_harder_on_heavy_days() -> None:
    hours = np.arange(0, 24, 1 / 12) + 0.01

    def day(work: bool, heavy: bool) -> np.ndarray:
        at = np.array([[9.5, 11.0, 14.0]])
        flags = np.array([work]), np.array([heavy])
        return np.array([ordinary.strain(at, *flags, np.array([hour]))[0] for hour in hours])

    light, hard = day(True, False), day(True, True)
    assert (day(False, False) == 0).all() and (light[(hours < 9) | (hours > 17)] == 0).all()
    assert np.isclose(light.sum() / 12 * 60, 3 * 15 * ordinary.LIGHT_STRAIN)
    assert np.isclose((hard > 0).sum() / 12 * 60, 3 * 45)
    assert hard.max() == ordinary.HEAVY_STRAIN


def test_nobody_follows_more_than_seven_in_ten_and_burden_lowers_it() -> None:
    zero, willing = np.zeros(3000), WEEKS.willing

    def share(minutes: float = 0.0, shift: float = 0.0, debt: float = 0.0, fear: float = 0.0) -> float:
        found = ordinary.follows(willing, zero + minutes, zero + shift, zero + debt, zero + fear)
        assert found.max() <= ordinary.MOST_FOLLOWED and found.min() > 0
        return float(found.mean())

    easy = share(30.0)
    assert 0.5 < easy < 0.62
    for burden in (share(75.0), share(shift=-1.5), share(30.0, debt=4.0), share(30.0, fear=1.0)):
        assert burden < easy - 0.03
    assert share(fear=1.0) == share()


def test_light_of_days_is_dim_at_night_and_brightest_when_the_sun_is_up() -> None:
    lux = ordinary.light_of_days(np.array([12.0]))[0]
    assert lux.shape == (2, 288) and lux[:, 0].max() <= 50 and lux[0, 13 * 12] > 500
    assert (lux[1, 10 * 12 : 16 * 12] == 300).all()  # at work
