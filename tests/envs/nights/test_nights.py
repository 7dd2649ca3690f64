"""Weeks of sleep as an environment: what it hangs on, what is seen, what light and sleep do, and what users type."""

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import envs
from envs.nights import core as n
from envs.nights.core import NightsCore
from envs.nights.night import MOST_NAP_H, Night
from envs.nights.rest import NAMES, Rest, lapses
from envs.nights.setting import NightsSetting
from twins import cohort, random
from twins.world import duties

PEOPLE = cohort.load("adult")
ID = "Homeostat/Sleep-v0"
DAYS = 8


def _core(rows: list[int], **changes: object) -> NightsCore:
    setting = NightsSetting(PEOPLE, days=DAYS, **changes)  # type: ignore[arg-type]
    core = NightsCore(setting, Rest(setting.oracle), len(rows))
    core.reset(np.array(rows), random.keys("train", 1, PEOPLE.numbers[rows], 0, 0))
    return core


def _days(core: NightsCore, actions: NDArray[np.float64], first: int = 0) -> list[NDArray[np.float64]]:
    return [core.step(actions[:, day]).trace.copy() for day in range(first, actions.shape[1])]


def test_a_person_does_not_depend_on_company_and_goes_on_from_a_save_bit_for_bit() -> None:
    actions = np.random.default_rng(2).uniform(-1, 1, (6, DAYS, 8))
    many, one = _core(list(range(6))), _core([4])
    together, alone = _days(many, actions), _days(one, actions[4:5])
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a[4], b[0])
    first, later = _core(list(range(6))), _core(list(reversed(range(6))))
    _days(first, actions[:, :3])
    later.restore(first.save())
    for a, b in zip(together[3:], _days(later, actions, 3), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="does not fit this setting \\(clock_state\\)"):
        later.restore({name: array for name, array in first.save().items() if name != "clock_state"})
    with pytest.raises(ValueError, match="not people of this setting"):
        later.restore(first.save() | {"rows": np.full(6, 99)})
    other = _core(list(range(6)), clock="hannay")
    with pytest.raises(ValueError, match="saved under other settings"):
        other.restore(first.save())
    with pytest.raises(ValueError, match="view.day lies outside"):
        later.restore(first.save() | {"view.day": np.full(6, 99)})
    with pytest.raises(RuntimeError, match="weeks of a lane are over"):
        many.step(None)


def test_lanes_begin_anew_alone_while_the_others_go_on() -> None:
    actions = np.zeros((3, DAYS, 8))
    core, whole = _core([0, 1, 2]), _core([0, 1, 2])
    _days(core, actions[:, :3])
    core.reset(np.array([5]), random.keys("train", 7, PEOPLE.numbers[[5]], 0, 0), np.array([1]))
    mixed, steady = _days(core, actions[:, :4]), _days(whole, actions[:, :7])[3:]
    for a, b in zip(mixed, steady, strict=True):
        np.testing.assert_array_equal(a[[0, 2]], b[[0, 2]])
    fresh = NightsCore(core.setting, Rest(), 1)
    fresh.reset(np.array([5]), random.keys("train", 7, PEOPLE.numbers[[5]], 0, 0))
    for a, b in zip(mixed, _days(fresh, actions[:1, :4]), strict=True):
        np.testing.assert_array_equal(a[1], b[0])


def test_who_has_travelled_is_out_of_time_and_light_before_the_minimum_holds_them_there() -> None:
    """Eight zones east the minimum of temperature is late in the morning: light before it delays, the wrong way, so
    that dark glasses after rising help, and daylight after rising does harm."""
    minimum = {}
    for name, changes in (("usual", {}), ("daylight", {4: 13.0, 5: 2.0}), ("glasses", {6: 13.0, 7: 4.0})):
        core = _core(list(range(10)), kind="east")
        begin = (24.0 - core.clock.phase_h(core.clock_state)) % 24.0
        assert 15.0 < begin.mean() < 21.0  # 11:00, where it is 4:00 at home
        for _ in range(3):
            duty = core.view.today
            hours = [np.array(getattr(Night.usual(duty), one)) for one in Night.__dataclass_fields__]
            for field, value in changes.items():
                hours[field] = np.full(10, value)
            trace = core.step(Night.checked(duty, *hours)).trace[:, 0]
        minimum[name] = trace[:, n.MINIMUM].mean()
        assert minimum[name] < begin.mean() - 1.0
    assert minimum["glasses"] < minimum["usual"] - 0.15 < minimum["daylight"] - 0.6


def test_sleepiness_and_lapses_are_those_of_required_hours_alone() -> None:
    core = _core(list(range(10)), kind="nights")
    for _ in range(DAYS):
        duty = core.view.today.copy()
        done = core.step(None)
        row, lived = done.trace[:, 0], core.lived
        free = duty == duties.FREE
        assert (
            np.isnan(row[free, n.LAPSES]).all()
            and (done.terms["lapses"][free] == 0).all()
            and (done.cost[free] == 0).all()
        )
        for lane in np.flatnonzero(~free):
            there = lived.required[lane]
            np.testing.assert_allclose(row[lane, n.LAPSES], lapses(lived.sleepiness[lane, there]).mean())
            np.testing.assert_allclose(done.cost[lane], (lived.sleepiness[lane, there] >= 8.0).mean())
        assert not (lived.asleep & lived.required).any() and not (lived.asleep & ~lived.in_bed).any()
        assert (lived.lux[lived.in_bed] == 0).all()
        np.testing.assert_allclose(done.reward, sum(done.terms.values()))
        np.testing.assert_allclose(row[:, n.SLEPT], lived.asleep.sum(axis=1) / 12)
    assert done.terminated.all() and not done.truncated.any()
    assert lapses(np.array([3.0]))[0] == 3.0 and 13 < lapses(np.array([7.9]))[0] < 16


def test_weeks_are_as_their_kind_says() -> None:
    keys = random.keys("test", 0, np.arange(300, dtype=np.uint32), 0, 0)
    weeks = duties.draw(keys, 22)
    assert (
        80 < (weeks.kind == duties.EAST).sum() < 120
        and (weeks.daylight_h > 8).all()
        and (weeks.daylight_h < 16).all()
    )
    for kind, duty, share in (
        (duties.EAST, duties.OFFICE, 5 / 7),
        (duties.NIGHTS, duties.NIGHT, 0.5),
        (duties.SCHOOL, duties.LESSONS, 5 / 7),
    ):
        mine = weeks.duty[weeks.kind == kind]
        assert set(np.unique(mine)) == {duties.FREE, duty} and abs((mine == duty).mean() - share) < 0.04
    np.testing.assert_array_equal(duties.draw(keys[4:5], 22).duty, weeks.duty[4:5])
    with pytest.raises(ValueError, match="kind is 'nigths'; did you mean 'nights'"):
        duties.draw(keys, 22, "nigths")
    minors = duties.draw(keys, 22, None, np.ones(300, bool))
    assert (minors.kind == duties.SCHOOL).all()
    begins = np.bincount(
        [row.tolist().index(duties.FREE) for row in weeks.duty[weeks.kind != duties.NIGHTS]], minlength=6
    )
    assert len(begins) == 6 and begins[1:].min() > 10  # weeks begin on any day
    nothing = np.zeros((1, duties.STEPS), bool)
    for duty in range(4):
        for seeks in (nothing, ~nothing):
            lux = duties.light(np.array([duty]), np.array([12.0]), seeks)[0]
            busy = duties.required(np.array([duty]))[0]
            assert (lux[busy] <= duties.DUTY_LUX).all()  # no bright light at work
            assert lux.max() <= duties.OUTDOORS_LUX


def test_who_is_under_age_goes_to_school() -> None:
    everybody = cohort.load("all")
    setting = NightsSetting(everybody, days=3)
    core = NightsCore(setting, Rest(), 30)
    core.reset(np.arange(30), random.keys("train", 1, everybody.numbers, 0, 0))
    young = np.array([everybody.group(row) != "adult" for row in range(30)])
    assert (core.view.kind[young] == duties.SCHOOL).all() and (core.view.kind[~young] != duties.SCHOOL).any()
    with pytest.raises(ValueError, match="kind is 'nights' for persons under age"):
        gym.make(ID, person="child#001", kind="nights")


def test_glasses_shade_the_eye_and_not_the_wrist() -> None:
    plain, shaded = _core([0, 1]), _core([0, 1])
    hours = [np.array(getattr(Night.usual(plain.view.today), one)) for one in Night.__dataclass_fields__]
    plain.step(Night.checked(plain.view.today, *hours))
    hours[6], hours[7] = np.zeros(2), np.full(2, 4.0)
    shaded.step(Night.checked(shaded.view.today, *hours))
    np.testing.assert_array_equal(shaded.view.light, plain.view.light)
    there = np.flatnonzero((plain.lived.lux[0] > 0) & ~plain.lived.required[0])[:12]
    np.testing.assert_allclose(shaded.lived.lux[0, there], duties.GLASSES * plain.lived.lux[0, there])


def test_bounds_hold_whoever_asks_and_what_was_asked_for_is_kept_beside() -> None:
    rng = np.random.default_rng(0)
    held, free = _core(list(range(10))), _core(list(range(10)), shield="off")
    for core in (held, free):
        for _ in range(DAYS):
            row = core.step(rng.uniform(-1, 1, (10, 8))).trace[:, 0]
            if core is held:
                assert (row[:, n.RISE] - row[:, n.BED] >= 5.5 - 1e-9).all()
        changed = (row[:, n.BED] != row[:, n.ASKED_BED]) | (row[:, n.RISE] != row[:, n.ASKED_RISE])
        assert changed.any() == (core is held)
    assert (row[:, n.REASON] == 0).all()


def test_oracles_see_the_phase_and_nobody_else_does() -> None:
    plain, told = _core([0, 1]), _core([0, 1], oracle=True)
    seen = told.step(None).obs
    assert seen.shape == (2, len(NAMES) + 6) and plain.step(None).obs.shape == (2, len(NAMES)) == (2, 42)
    np.testing.assert_allclose(
        np.arctan2(seen[:, -6], seen[:, -5]), told.clock.angle_rad(told.clock_state), atol=1e-5
    )
    assert not any("phase" in name for name in NAMES)


def test_what_is_no_plan_is_the_usual_one_and_wrong_types_are_refused() -> None:
    usual, odd = _core([0, 1]), _core([0, 1])
    a = usual.step(None).trace
    b = odd.step(np.full((2, 8), np.nan)).trace
    np.testing.assert_array_equal(a[:, :, n.SLEPT], b[:, :, n.SLEPT])
    zeros = _core([0, 1]).step(np.zeros((2, 8))).trace
    np.testing.assert_array_equal(a[:, :, n.SLEPT], zeros[:, :, n.SLEPT])
    before = usual.save()
    for wrong in (np.zeros((2, 3)), np.array(["a"]), np.zeros((3, 8))):
        with pytest.raises((ValueError, TypeError)):
            usual.step(wrong)
    with pytest.raises(ValueError, match="needed are 8 of"):
        usual.step(Night(*(np.zeros(3),) * 8))
    for name, array in usual.save().items():
        np.testing.assert_array_equal(array, before[name])
    night = Night.checked(
        np.array([0]), *(np.array([value]) for value in (np.inf, 99.0, 3.0, 9.0, 0.0, 0.0, 0.0, 0.0))
    )
    assert night.bed[0] == duties.USUAL_H[0, 0] and night.rise[0] < 24.0 and night.nap_for[0] == MOST_NAP_H
    with pytest.raises(RuntimeError, match="call reset"):
        NightsCore(usual.setting, Rest(), 2).step(None)


@pytest.mark.parametrize(
    ("keywords", "hint"),
    [
        ({"days": 0}, "days is 0; give whole days from 1 to 120"),
        ({"kind": "est"}, "kind is 'est'; did you mean 'east'"),
        ({"clock": "forgr"}, "did you mean 'forger'"),
        ({"shield": "twin"}, "shield is 'twin'"),
        ({"spread": -1.0}, "spread is -1.0"),
        ({"oracle": 1}, "oracle is 1"),
        ({"decision_min": 60}, "sleep is decided once a day"),
    ],
)
def test_wrong_settings_say_what_is_allowed(keywords: dict[str, object], hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        gym.make(ID, **keywords)


def test_the_id_as_users_type_it() -> None:
    env = gym.make(ID, kind="nights", days=4)
    seen, info = env.reset(seed=3)
    assert seen.shape == (42,) and "phase_h" not in info
    assert 0 <= gym.make(ID, oracle=True).reset(seed=3)[1]["phase_h"] <= 24
    for day in range(4):
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert np.isfinite(reward) and info["slept_h"] > 2 and info["minute"] == 1440 * (day + 1)
        assert (
            set(info["reward_terms"]) == {"lapses", "short", "in_bed"} and info["shield"]["changed_min"] >= 0
        )
    assert terminated and not truncated
    many = envs.make_vec(ID, 4, "sb3", clock="hannay", days=3)
    many.seed(5)
    first = many.reset()
    for _ in range(3):
        seen, _, done, infos = many.step(np.zeros((4, 8), np.float32))
    assert done.all() and "terminal_observation" in infos[0] and not np.array_equal(seen, first)
