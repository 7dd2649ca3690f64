"""The core: a lane's days hang on its key and its actions alone, whoever sits beside it, stopped or not."""

from typing import Any

import numpy as np
import pytest

from envs import trace as t
from envs.core import Core
from envs.faces.build import build
from tests.envs.worlds import begun, check_same, lanes_of, minutes, own_actions, request, seated, story
from twins import random

DAY = 288
WORLD: dict[str, Any] = {"cohort": "all", "days": 1.0, "behaviour": "realistic", "announce": "behaviour"}


# --- company -----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def crowd() -> tuple[Any, Any, Any]:
    """The day of 300 lanes (30 people as 10 replicas): rows, keys and story."""
    core, rows, keys = seated(300, **WORLD)
    core.reset(rows, keys)
    return rows, keys, story(core, own_actions(keys, DAY))


def _day_of(rows: Any, keys: Any, **changed: Any) -> Any:
    core, _ = build("dosing", len(rows), **WORLD | changed)
    core.reset(rows, keys)
    return story(core, own_actions(keys, DAY))


@pytest.mark.parametrize("lane", [0, 1, 17, 29, 30, 155, 299])
def test_a_lane_alone_lives_the_same_day_as_among_300(crowd: Any, lane: int) -> None:
    rows, keys, told = crowd
    check_same(_day_of(rows[[lane]], keys[[lane]]), lanes_of(told, [lane]))


@pytest.mark.parametrize("size", [7, 64, 300])
def test_a_lane_lives_the_same_day_in_any_batch_and_order(crowd: Any, size: int) -> None:
    rows, keys, told = crowd
    chosen = np.random.default_rng(size).permutation(300)[:size]
    check_same(_day_of(rows[chosen], keys[chosen]), lanes_of(told, chosen))


@pytest.mark.kernels
def test_a_lane_alone_lives_the_same_hour_as_beside_others_that_begin_anew() -> None:
    core, rows, keys = seated(3, cohort=["adult#001", "child#005", "adolescent#002"], behaviour="treats-lows")
    core.reset(rows, keys)
    actions = own_actions(keys, 12)
    first = story(core, actions[:6])
    core.reset(rows[[0, 2]], keys[[0, 2]], np.array([0, 2]))
    second = story(core, actions[6:])
    alone, _ = build("dosing", 1, cohort=["adult#001", "child#005"], behaviour="treats-lows")
    alone.reset(rows[[1]], keys[[1]])
    check_same(story(alone, actions[:6, [1]]), lanes_of(first, [1]))
    check_same(story(alone, actions[6:, [1]]), lanes_of(second, [1]))


def test_other_lanes_beginning_anew_in_mid_episode_change_nothing() -> None:
    core, rows, keys = seated(7, **WORLD)
    actions = own_actions(keys, DAY)
    core.reset(rows, keys)
    undisturbed = story(core, actions)
    again = seated(7, episode=1, **WORLD)[2]

    core.reset(rows, keys)
    parts = [story(core, actions[:40])]
    core.reset(rows[[1, 3]], again[[1, 3]], np.array([1, 3]))
    parts.append(story(core, actions[40:101]))
    core.reset(rows[[6, 1]], again[[6, 1]], np.array([6, 1]))
    parts.append(story(core, actions[101:]))
    disturbed = {name: np.concatenate([part[name] for part in parts], axis=1) for name in undisturbed}
    calm = [0, 2, 4, 5]
    check_same(lanes_of(disturbed, calm), lanes_of(undisturbed, calm))

    alone, _ = build("dosing", 1, **WORLD)  # and those that began anew live the day of their new key
    alone.reset(rows[[3]], again[[3]])
    check_same(story(alone, actions[40:, [3]]), lanes_of(disturbed, [3], slice(40, None)))


def test_failures_of_other_lanes_and_their_new_episodes_change_nothing() -> None:
    """Lanes 0, 2 and 4 get a deadly dose again and again, and begin anew whenever they have failed."""
    core, rows, keys = seated(6, shield="off", cohort="child", days=1.0)
    deadly = np.array([20.0, 0.3, 25.0, 0.4, 30.0, 0.5])
    roster = build("dosing", 6, shield="off", cohort="child", days=1.0)[1]
    roster.next(np.arange(6))
    core.reset(rows, keys)
    calm, failures, seen = [1, 3, 5], 0, []
    for _ in range(DAY):
        done = core.step(request(core, deadly))
        seen.append((done.obs[calm].copy(), done.trace[calm].copy()))
        failed = np.flatnonzero(done.terminated & (deadly > 1))
        if len(failed):
            failures += len(failed)
            core.reset(*roster.next(failed), failed)
    assert failures >= 6

    alone, _ = build("dosing", 3, shield="off", cohort="child", days=1.0)
    alone.reset(rows[calm], keys[calm])
    told = story(alone, [request(alone, deadly[calm])] * DAY)
    np.testing.assert_array_equal(np.stack([obs for obs, _ in seen], axis=1), told["obs"])
    np.testing.assert_array_equal(np.stack([rows for _, rows in seen], axis=1), told["trace"])


def test_people_change_places_only_when_all_lanes_begin_anew() -> None:
    core, rows, keys = seated(3, cohort="adult", days=1.0)
    core.reset(rows, keys)
    with pytest.raises(ValueError, match="all lanes begin anew"):
        core.reset(rows[[2]], keys[[2]], np.array([0]))
    core.reset(rows[::-1].copy(), keys[::-1].copy())
    assert core.view.ids == ("adult#003", "adult#002", "adult#001")


@pytest.mark.parametrize(
    "wrong", ["a row too few", "a key too few", "keys of 5 columns", "a row that nobody has"]
)
def test_reset_refuses_rows_and_keys_that_do_not_fit_and_leaves_the_lanes_alone(wrong: str) -> None:
    core, rows, keys = seated(3, cohort="adult", days=1.0)
    core.reset(rows, keys)
    twin, _, _ = seated(3, cohort="adult", days=1.0)
    twin.reset(rows, keys)
    bad_rows, bad_keys = {
        "a row too few": (rows[:1], keys),
        "a key too few": (rows, keys[:1]),
        "keys of 5 columns": (rows, keys[:, :5]),
        "a row that nobody has": (np.array([0, 1, 10]), keys),
    }[wrong]
    with pytest.raises(ValueError):
        core.reset(bad_rows, bad_keys)
    actions = own_actions(keys, 10)
    check_same(story(core, actions), story(twin, actions))


def test_a_core_must_be_reset_before_it_steps_and_have_a_lane() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        seated(1)[0].step(np.zeros((1, 2)))
    core = begun()
    with pytest.raises(ValueError, match="at least one"):
        Core(core.setting, core.task, 0)


# --- keys --------------------------------------------------------------------------------------------
def _unattended(key: Any) -> Any:
    core, _ = build("dosing", 1, days=1.0, behaviour="treats-lows")
    core.reset(np.zeros(1, int), key)
    return minutes(story(core, [None] * DAY))[0]


def test_the_same_key_is_the_same_day_and_any_other_is_another() -> None:
    """Another seed, episode, replica or split changes both what is eaten and how the sensor errs."""
    number = random.person_number("adult#001")
    base = random.keys("train", 0, number, 0, 0)
    others = {
        "seed": random.keys("train", 1, number, 0, 0),
        "replica": random.keys("train", 0, number, 1, 0),
        "episode": random.keys("train", 0, number, 0, 1),
        "validation": random.keys("validation", 0, number, 0, 0),
        "test": random.keys("test", 0, number, 0, 0),
        "person": random.keys("train", 0, number + 1, 0, 0),
    }
    day = _unattended(base)
    np.testing.assert_array_equal(_unattended(base), day)
    days = {"base": day} | {name: _unattended(key) for name, key in others.items()}
    for name, one in days.items():
        for other_name, other in days.items():
            if name < other_name:
                assert not np.array_equal(one[:, t.CARBS_G], other[:, t.CARBS_G]), (name, other_name)
                first = slice(0, 60)  # before any meal only the sensor differs
                difference = np.abs(one[first, t.CGM_MG_DL] - other[first, t.CGM_MG_DL])
                assert np.nanmin(difference) > 0, (name, other_name)


# --- stopping and going on ----------------------------------------------------------------------------
@pytest.mark.parametrize("sensor", ["GuardianRT", "Dexcom", "Navigator"])
def test_a_saved_core_goes_on_bit_for_bit_in_the_same_and_in_a_new_object(sensor: str) -> None:
    """In mid-episode, with lanes at different minutes, in the midst of a stretch of sensor error."""
    core, rows, keys = seated(5, **WORLD | {"sensor": sensor})
    core.reset(rows, keys)
    steps = DAY * 5 // core.control_min
    actions = own_actions(keys, steps)
    story(core, actions[:50])
    core.reset(rows[[2]], seated(5, episode=1, **WORLD)[2][[2]], np.array([2]))
    story(core, actions[50:117])
    saved = core.save()
    untouched = {name: value.copy() for name, value in saved.items()}
    told = story(core, actions[117:])
    check_same(saved, untouched)  # the save shares no memory with what goes on

    seen = core.restore(saved)
    np.testing.assert_array_equal(seen, core.task.observe(core.view))
    check_same(story(core, actions[117:]), told)

    new, _ = build("dosing", 5, **WORLD | {"sensor": sensor})
    new.restore(saved)
    check_same(story(new, actions[117:]), told)
    check_same(saved, untouched)


@pytest.mark.kernels
def test_a_core_under_oracle_still_shows_the_truth_after_restore() -> None:
    core = begun(oracle=True, days=0.1)
    saved = core.save()
    told = story(core, own_actions(core.keys, 8))
    other = begun(oracle=True, days=0.1, seed=5)
    other.restore(saved)
    check_same(story(other, own_actions(core.keys, 8)), told)
    assert other.view.oracle_glucose_mg_dl is other.glucose and other.view.oracle_state is other.state


_MEDDLE = {
    "an array is missing": lambda s: s.pop("carry"),
    "an array is unknown": lambda s: s.update(more=np.zeros(2)),
    "another number of lanes": lambda s: s.update({name: value[:1] for name, value in s.items()}),
    "rows of another type": lambda s: s.update(rows=s["rows"].astype(float)),
    "a row that nobody has": lambda s: s["rows"].__setitem__(0, 10),
    "somebody else in a lane": lambda s: s["people"].__setitem__(0, 7),
    "states in another precision": lambda s: s.update(state=s["state"].astype(np.float32)),
    "a state that is not finite": lambda s: s["state"].__setitem__((0, 0), np.nan),
    "glucose of one lane": lambda s: s.update(glucose=s["glucose"][:1]),
    "meals of one lane": lambda s: s.update(eat_minute=s["eat_minute"][:1]),
    "times without amounts": lambda s: s.update(eat_minute=np.hstack([s["eat_minute"], s["eat_minute"]])),
    "a cursor outside the meals": lambda s: s["cursor"].__setitem__((0, 0), -3),
    "a sample outside its stretch": lambda s: s["sensor_state"].__setitem__((0, 2), 31.0),
    "a view of one lane": lambda s: s.update({"view.now": s["view.now"][:1]}),
    "a view in another precision": lambda s: s.update({"view.now": s["view.now"].astype(np.float32)}),
    "one reading for a whole history": lambda s: s.update({"view.cgm_buffer": s["view.cgm_buffer"][:, :1]}),
    "a position outside the buffer": lambda s: s["view.position"].__setitem__(0, 49),
}  # fmt: skip


@pytest.mark.parametrize("fault", _MEDDLE)
def test_restore_refuses_what_does_not_fit_and_goes_on_as_if_it_had_not_been_called(fault: str) -> None:
    core, rows, keys = seated(2, cohort="adult", days=1.0)
    core.reset(rows, keys)
    actions = own_actions(keys, 20)
    story(core, actions[:10])
    saved = core.save()
    told = story(core, actions[10:])
    core.restore(saved)
    wrong = {name: value.copy() for name, value in saved.items()}
    _MEDDLE[fault](wrong)
    with pytest.raises(ValueError, match="saved"):
        core.restore(wrong)
    check_same(story(core, actions[10:]), told)


@pytest.mark.parametrize(
    "other", [{"sensor": "Dexcom"}, {"days": 2.0}, {"cohort": "child"}, {"cohort": "adult", "num": 3}]
)
def test_restore_refuses_the_save_of_another_setting(other: dict[str, Any]) -> None:
    saved = begun(2, **{"cohort": "adult", "days": 1.0}).save()
    lanes = other.pop("num", 2)
    core, _ = build("dosing", lanes, **{"cohort": "adult", "days": 1.0} | other)
    with pytest.raises(ValueError, match="saved"):
        core.restore(saved)
