"""Sleep, alertness and debt: nights as people have them, and what they cost."""

import numpy as np
import pytest
from numpy.typing import NDArray

from twins import random
from twins.bodies import circadian
from twins.bodies import sleep as s

N, DAY = 120, 288
LUX = 300.0


class Sleepers:
    """N people who live by the clock: in bed from `bed_h` to `rise_h`, entrained to 7 to 23 before."""

    def __init__(self, spread: float = 1.0) -> None:
        keys = random.keys("train", 4, np.arange(N, dtype=np.uint32), 0, 0)
        self.clock, self.parameters, self.own = (
            circadian.Clock(),
            circadian.draw(keys, spread),
            s.draw(keys, spread),
        )
        light = np.repeat(circadian.regular_day(LUX, 7.0, 23.0), N, axis=0)
        self.phases = self.clock.entrained(self.parameters, light)
        self.state, self.rng, self.slept_h = s.rested(N), np.random.default_rng(1), np.zeros(N)
        self.kss: dict[int, NDArray[np.float64]] = {}

    def day(self, bed_h: float, rise_h: float) -> "Sleepers":
        """From midnight to midnight; `kss` holds sleepiness at full hours."""
        self.slept_h = np.zeros(N)
        for step in range(DAY):
            hour, asleep = step * circadian.STEP_MIN / 60, self.state[:, s.ASLEEP] > 0
            in_bed = np.full(N, (hour - bed_h) % 24 < (rise_h - bed_h) % 24)
            phase = self.clock.phase_h(self.phases)
            if step % 12 == 0:
                self.kss[step // 12] = s.sleepiness(s.alertness(self.state, phase))
            s.step(self.state, self.own, phase, in_bed, np.zeros(N, bool), self.rng.random(N))
            self.slept_h += (self.state[:, s.ASLEEP] > 0) * circadian.STEP_MIN / 60
            lux = np.where(asleep | in_bed, 0.0, LUX)
            self.clock.advance(self.phases, self.parameters, lux[:, None])
        return self

    def days(self, count: int, bed_h: float, rise_h: float) -> "Sleepers":
        """So many days alike."""
        for _ in range(count):
            self.day(bed_h, rise_h)
        return self


@pytest.fixture(scope="module")
def rested() -> Sleepers:
    """After ten ordinary days."""
    return Sleepers().days(10, 23.0, 7.0)


def test_a_night_is_as_long_as_people_s(rested: Sleepers) -> None:
    """Eight hours in bed bring nearly seven of sleep: efficiency of 0.88, as in adults with type-1 diabetes."""
    assert 6.6 < rested.slept_h.mean() < 7.4
    assert 0.3 < rested.slept_h.std() < 1.2  # people and nights differ
    assert Sleepers().days(4, 22.0, 9.0).slept_h.mean() < 9.0  # nobody sleeps as long as the bed is free


def test_day_sleep_is_short_and_sleep_comes_late_in_the_evening() -> None:
    """After a night at work people sleep two hours less (Akerstedt, Occup Med 53 (2003) 89)."""
    by_night = Sleepers().days(3, 23.0, 7.0).slept_h.mean()
    by_day = Sleepers().days(3, 9.0, 17.0).slept_h.mean()
    assert 1.0 < by_night - by_day < 3.5
    naps = [Sleepers().days(3, 23.0, 7.0).day(bed, bed + 1.0).slept_h.mean() for bed in (15.0, 20.0)]
    assert naps[1] < 0.8 * naps[0]


def test_sleepiness_has_its_hours(rested: Sleepers) -> None:
    day = {hour: found.mean() for hour, found in rested.kss.items()}
    assert 3.0 < day[16] < 5.0 < day[22] + 1.0 and day[16] < day[12] + 0.5 and day[22] > day[18]
    awake = Sleepers().days(3, 23.0, 7.0)
    awake.days(2, 0.0, 0.0)  # no bed
    assert awake.slept_h.mean() == 0.0 and awake.kss[5].mean() > 8.0 and awake.kss[16].mean() > day[16] + 2


def test_restricted_nights_make_sleepy_and_leave_a_debt(rested: Sleepers) -> None:
    """Seven nights of 3, 5 and 7 h in bed: the fewer, the sleepier (Belenky et al., J Sleep Res 12 (2003) 1)."""
    kss, debts = [], []
    for hours in (3.0, 5.0, 7.0, 9.0):
        some, debt = Sleepers(), np.zeros(N)
        for _ in range(7):
            some.day(7.0 - hours if hours <= 7 else 31.0 - hours, 7.0)
            debt = s.next_debt(debt, some.own, some.slept_h)
        kss.append(np.mean([some.kss[hour] for hour in range(9, 22)]))
        debts.append(debt.mean())
    assert (np.diff(kss) < -0.2).all() and (np.diff(debts) < -0.3).all()


def test_debt_fades_within_days() -> None:
    parameters = np.tile(s.MEDIANS, (1, 1))
    debt = s.next_debt(np.zeros(1), parameters, np.array([4.16]))
    np.testing.assert_allclose(debt, 4.0)
    for _ in range(3):
        debt = s.next_debt(debt, parameters, np.array([8.5]))
    np.testing.assert_allclose(debt, 4.0 * np.exp(-3.0))


@pytest.mark.kernels
def test_reserve_and_pressure_follow_their_equations() -> None:
    """Hours of one state against their closed form."""
    parameters = np.tile(s.MEDIANS, (1, 1))
    parameters[:, s.AWAKENINGS_PER_H] = 0.0
    state = s.rested(1)
    for _ in range(16 * 12):
        s.step(state, parameters, np.array([8.0]), np.array([False]), np.array([False]), np.array([0.5]))
    np.testing.assert_allclose(state[0, s.PRESSURE], 1 - (1 - s.LOWER) * np.exp(-16 / 18.2))
    np.testing.assert_allclose(state[0, s.RESERVE], 2.4 + (14.0 - 2.4) * np.exp(-0.0353 * 16))
    np.testing.assert_allclose(state[0, s.AWAKE_H], 16.0)
    before = state.copy()
    steps = 0
    for _ in range(12 * 12):
        s.step(state, parameters, np.array([0.0]), np.array([True]), np.array([False]), np.array([0.0]))
        steps += int(state[0, s.ASLEEP])
        if not state[0, s.ASLEEP]:
            break
    lowest = s.LOWER - s.SWAY  # at the temperature's minimum
    np.testing.assert_allclose(steps / 12, 4.2 * np.log(before[0, s.PRESSURE] / lowest), atol=0.2)
    linear = (12.2 - before[0, s.RESERVE]) / (0.3814 * 2.1)
    wanted = 14.3 - 2.1 * np.exp(-0.3814 * (steps / 12 - linear))
    np.testing.assert_allclose(state[0, s.RESERVE], wanted, atol=0.1)


@pytest.mark.kernels
def test_alertness_is_the_sum_of_its_parts() -> None:
    """S + C + U + W at hours of the body of which the cosines are known (Ingre et al. 2014)."""
    state = s.rested(3)
    state[:, s.RESERVE], state[:, s.AWAKE_H] = 10.0, (0.0, 100.0, 100.0)
    found = s.alertness(state, np.array([12.4, 12.4, 0.4]))
    half_day = 0.5 * (np.cos(2 * np.pi * (12.4 - 15.4) / 12) - 1.0)
    np.testing.assert_allclose(
        found, [10.0 + 2.5 + half_day - 5.72, 10.0 + 2.5 + half_day, 10.0 - 2.5 + half_day]
    )
    np.testing.assert_allclose(s.sleepiness(np.array([20.0, 10.0, 0.0])), [1.0, 4.6, 9.0])


@pytest.mark.kernels
def test_an_alarm_wakes_and_nobody_sleeps_who_does_not_want_to() -> None:
    parameters = np.tile(s.MEDIANS, (2, 1))
    state = s.rested(2)
    state[:, s.PRESSURE], state[:, s.ASLEEP] = 0.6, 1.0
    one = np.array([True, False])
    s.step(state, parameters, np.zeros(2), np.ones(2, bool), one, np.full(2, 0.99))
    assert state[:, s.ASLEEP].tolist() == [0.0, 1.0]
    s.step(state, parameters, np.zeros(2), np.zeros(2, bool), ~one, np.full(2, 0.0))
    assert state[:, s.ASLEEP].tolist() == [0.0, 0.0]


def test_lows_wake_few_with_diabetes() -> None:
    """An hour at 40 mg/dL woke 1 of 16 (Schultes et al. 2007); a good glucose nobody."""
    chance = np.random.default_rng(0).random((12, 4000))
    woken = np.array([s.woken_by_glucose(np.full(4000, 40.0), one) for one in chance]).any(axis=0).mean()
    assert 0.03 < woken < 0.15
    assert not s.woken_by_glucose(np.full(4000, 120.0), np.full(4000, 1e-9)).any()
    assert s.woken_by_glucose(np.array([300.0]), np.array([0.009])).all()


def test_people_differ_and_hang_on_their_keys_alone() -> None:
    keys = random.keys("train", 0, np.arange(2000, dtype=np.uint32), 0, 0)
    drawn = s.draw(keys)
    np.testing.assert_allclose(np.median(drawn, axis=0), s.MEDIANS, rtol=0.05)
    np.testing.assert_array_equal(s.draw(keys[5:6]), drawn[5:6])
    np.testing.assert_array_equal(s.draw(keys[:1], spread=0.0), s.MEDIANS[None])
