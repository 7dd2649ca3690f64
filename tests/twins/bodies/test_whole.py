"""The whole person: with all couplings off glucose is the person's own; each switch does what it says, and no more."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from twins import cohort, random
from twins.active import active
from twins.bodies import couplings, sleep
from twins.bodies.couplings import SWITCHES, Couplings
from twins.bodies.model import neutral_drive
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN, Person
from twins.bodies.whole import Acts, Inner, Traits, Whole, draw

PEOPLE = active(cohort.load("adult"))
N = len(PEOPLE)
KEYS = random.keys("train", 5, PEOPLE.numbers, 0, 0)
NOTHING = Couplings(**{name: name == "exercise" for name in SWITCHES})
"""A `Person`: exercise is that one's own."""
DAY = 288


def _only(**on: bool) -> Couplings:
    return replace(NOTHING, **on)


def _light() -> NDArray[np.float64]:
    """From waking at 7:00 on."""
    hour = (7.0 + np.arange(DAY) / 12) % 24
    return np.tile(np.where((hour >= 7) & (hour < 23), 300.0, 0.0), (N, 1))


class _Life:
    """Days of people from 7:00 on, in bed from `bed` to `rise`, with a meal and scheduled basal insulin."""

    def __init__(
        self, switches: Couplings, rows: NDArray[np.int64] | None = None, traits: Traits | None = None
    ) -> None:
        rows = np.arange(N) if rows is None else rows
        people = PEOPLE.take(rows.tolist())
        self.model = people.model
        assert isinstance(self.model, Person)
        self.body = Whole(self.model, switches=switches)
        self.keys, traits = KEYS[rows], traits or draw(KEYS)
        self.traits = Traits(traits.clocks[rows], traits.sleeps[rows], traits.coupled[rows])
        self.basal = self.model.basal_u_per_h(people.parameters)
        self.state, self.coefficients = (
            self.model.basal_state(people.parameters),
            self.model.prepare(people.parameters),
        )
        self.inner: Inner = self.body.rested(self.traits, _light()[rows])
        self.minute, self.n = 7 * 60, len(rows)
        self.asleep: list[NDArray[np.bool_]] = []

    def live(
        self,
        hours: float,
        bed: float = 23.0,
        rise: float = 7.0,
        strain: float = 0.0,
        reserve: float = 0.0,
        basal: float = 1.0,
    ) -> NDArray[np.float64]:
        found = []
        for _ in range(round(12 * hours)):
            hour = self.minute / 60 % 24
            in_bed = hour >= bed or hour < rise
            acts = Acts(
                np.full(self.n, in_bed), np.full(self.n, 300.0), np.full(self.n, strain), np.full(self.n, reserve),
                np.ones(self.n),
            )  # fmt: skip
            eats = np.full((self.n, 5), 8.0 if hour == 8.0 else 0.0)
            found.append(
                self.body.advance(
                    self.state, self.inner, self.coefficients, self.traits, basal * self.basal,
                    np.full(self.n, 3.0 if hour == 8.0 else 0.0), eats, acts, self.minute, self.keys,
                )
            )  # fmt: skip
            self.asleep.append(self.inner.sleep[:, sleep.ASLEEP] > 0)
            self.minute += 5
        return np.concatenate(found, axis=1)


def test_with_all_couplings_off_glucose_is_the_person_s_own_bit_for_bit() -> None:
    life = _Life(NOTHING)
    whole = np.concatenate([life.live(30, strain=0.5), life.live(1, reserve=0.5), life.live(6)], axis=1)
    state, coefficients = PEOPLE.model.basal_state(PEOPLE.parameters), PEOPLE.model.prepare(PEOPLE.parameters)
    assert isinstance(PEOPLE.model, Person)
    alone = []
    for step in range(37 * 12):
        hour = (7 * 60 + 5 * step) / 60 % 24
        drive = np.tile(neutral_drive(PEOPLE.model.drive_names), (N, 1, 1))
        drive[:, 0, HEART_RATE_RESERVE] = 0.5 if 30 * 12 <= step < 31 * 12 else 0.0
        drive[:, 0, SESSION_GAIN] = 1.0
        alone.append(
            PEOPLE.model.advance(
                state, coefficients, life.basal, np.full(N, 3.0 if hour == 8.0 else 0.0),
                np.full((N, 5), 8.0 if hour == 8.0 else 0.0), drive, 5,
            )
        )  # fmt: skip
    assert np.array_equal(whole, np.concatenate(alone, axis=1))


def test_a_short_night_raises_the_next_day_of_those_alone_who_are_drawn_with_an_effect() -> None:
    traits = draw(KEYS)
    traits.coupled[:3, couplings.SLEEP_SHARE] = 0.0
    long, short = (_Life(_only(sleep=True), traits=traits) for _ in range(2))
    for life, bed, rise in ((long, 23.0, 7.0), (short, 23.0, 3.0)):
        life.live(30, bed=bed, rise=rise)
    assert (short.inner.debt_h > long.inner.debt_h + 1.5).all()
    higher = short.live(12).mean(axis=1) - long.live(12).mean(axis=1)
    feels = long.traits.coupled[:, couplings.SLEEP_SHARE] > 0
    assert feels.sum() >= 4 and (~feels).sum() >= 3
    assert (higher[feels] > 0.3).all() and (np.abs(higher[~feels]) < 1e-9).all()


def test_dawn_raises_the_morning_of_those_who_have_one() -> None:
    with_dawn, without = _Life(_only(dawn=True)), _Life(NOTHING)
    morning = slice(22 * 60, 24 * 60)
    higher = (with_dawn.live(24) - without.live(24))[:, morning].mean(axis=1)
    has = with_dawn.traits.coupled[:, couplings.DAWN_SHARE] > 0
    assert (higher[has] > 1.0).all() and (higher[~has] == 0).all()


def test_strain_raises_glucose_for_hours() -> None:
    strained, calm = _Life(_only(stress=True)), _Life(_only(stress=True))
    strained.live(1, strain=1.0)
    calm.live(1)
    assert ((strained.live(8) - calm.live(8)).mean(axis=1) > 0.5).all()


def test_lows_wake_some_and_only_with_their_switch() -> None:
    def awake(switches: Couplings, basal: float = 4.0) -> float:
        life = _Life(switches)
        life.live(16)
        life.live(8, basal=basal)
        return float(1.0 - np.array(life.asleep)[16 * 12 + 12 :].mean())

    assert awake(NOTHING) == awake(NOTHING, basal=1.0)
    assert awake(_only(awakening=True)) > awake(NOTHING)


def test_work_adds_to_the_need_of_sleep() -> None:
    worked, rested = _Life(_only(work=True)), _Life(_only(work=True))
    off = _Life(NOTHING)
    for life in (worked, rested, off):
        life.live(8)
        life.live(1, reserve=0.0 if life is rested else 0.6)
        life.live(24)
    more = worked.inner.debt_h - rested.inner.debt_h
    assert np.allclose(more[more > 1e-9], 0.06) and (more > 1e-9).any()
    assert np.array_equal(off.inner.debt_h, rested.inner.debt_h)


def test_nobody_depends_on_company() -> None:
    everybody, alone = _Life(Couplings()), _Life(Couplings(), np.array([4]))
    assert np.array_equal(everybody.live(40)[4:5], alone.live(40))
    for name in Inner.__dataclass_fields__:
        assert np.array_equal(getattr(everybody.inner, name)[4:5], getattr(alone.inner, name))


def test_who_needs_more_sleep_loses_more_without_it() -> None:
    many = random.keys("train", 0, np.arange(3000, dtype=np.uint32), 0, 0)
    found = draw(many)
    has = found.coupled[:, couplings.SLEEP_SHARE] > 0
    assert (
        np.corrcoef(found.sleeps[has, sleep.NEED_H], found.coupled[has, couplings.SLEEP_SHARE])[0, 1] > 0.05
    )
    assert np.array_equal(draw(many[7:8]).coupled, found.coupled[7:8])


def test_minutes_that_are_none_are_refused_and_copies_are_their_own() -> None:
    life = _Life(NOTHING)
    before = life.inner.copy()
    life.minute = 7 * 60 + 3
    with pytest.raises(ValueError, match="multiple of 5"):
        life.live(1 / 12)
    assert np.array_equal(before.sleep, life.inner.sleep)
    life.minute = 7 * 60
    life.live(1)
    assert not np.array_equal(before.clock, life.inner.clock)


def test_without_the_switch_of_exercise_muscles_rest_while_the_day_s_work_counts() -> None:
    off, rested = _Life(_only(exercise=False)), _Life(_only(exercise=False))
    off.live(1, reserve=0.7)
    rested.live(1)
    assert np.array_equal(off.state, rested.state)
    assert (off.inner.worked_h > 0.6).all() and (rested.inner.worked_h == 0).all()


def test_months_of_training_lower_glucose_by_their_switch_alone() -> None:
    trained, untrained, off = _Life(_only(fitness=True)), _Life(_only(fitness=True)), _Life(NOTHING)
    trained.inner.fit[:] = off.inner.fit[:] = 1.0
    lower = untrained.live(8, basal=1.2) - trained.live(8, basal=1.2)
    assert (lower.mean(axis=1) > 0.5).all()
    assert np.array_equal(off.live(8), _Life(NOTHING).live(8))


def test_strength_scales_what_the_couplings_do_and_zero_is_none() -> None:
    traits = draw(KEYS)
    none, twice = traits.scaled(np.zeros(N)), traits.scaled(np.full(N, 2.0))
    assert (none.coupled == 0).all() and np.array_equal(none.sleeps, traits.sleeps)
    assert np.array_equal(
        twice.coupled[:, couplings.DAWN_SHARE], np.minimum(2 * traits.coupled[:, couplings.DAWN_SHARE], 0.9)
    )
    calm, free = (
        _Life(NOTHING, traits=none),
        _Life(_only(sleep=True, dawn=True, stress=True, fitness=True), traits=none),
    )
    for life in (calm, free):
        life.live(20, bed=1.0, rise=4.0, strain=0.5)
    np.testing.assert_allclose(calm.state, free.state, rtol=1e-9)
