"""Faults in the loop: nothing without them, company changes nothing, and what each does to body, pump and view."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from envs import limits as limit
from envs import trace
from envs import view as v
from envs.core import Core
from envs.faults import (
    BATTERY,
    MEMORY,
    NUMBERS,
    Bias,
    CarbError,
    ClockShift,
    Dead,
    DeliveryGain,
    Exercise,
    Fault,
    Faults,
    Gap,
    Illness,
    LateBolus,
    Mismatch,
    MissedBolus,
    Occlusion,
    PhantomMeal,
    SensitivityChange,
    SensorFaults,
    SiteDegradation,
    Stage,
    cases,
    checked,
)
from envs.setting import make_setting
from tests.envs.worlds import begun, check_same, lanes_of, minutes, own_actions, request, seated, story
from twins import random
from twins.bodies.glucose_kernel import INSULIN_SC_1, INSULIN_SC_2
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world.scenarios import FixedMeals

WORLD_FAULTS = [case for case in BATTERY if case.faults and case.faults[0].stage != Stage.AGENT]
ALL_AT_ONCE = tuple(fault for case in WORLD_FAULTS for fault in case.faults)
SOON = (  # one of each stage, acting within the first hours
    Gap(duration_min=20, every_min=60, jitter_min=30), Occlusion(onset_min=30, duration_min=60), Mismatch(0.1),
    Exercise(onset_min=20, duration_min=120), PhantomMeal(onset_min=30), ClockShift(90, onset_min=60),
    *cases(["F7"])[0].faults,
)  # fmt: skip


def _steps(core: Core, count: int, basal: Any = None, bolus: Any = 0.0) -> np.ndarray:
    """Minutes (n, m, F) of some steps with scheduled basal, or another rate, and the same bolus every time."""
    rate = core.view.therapy[:, BASAL_U_PER_H] if basal is None else basal
    return np.concatenate([core.step(request(core, rate, bolus)).trace.copy() for _ in range(count)], axis=1)


@pytest.mark.kernels
def test_the_battery_has_25_faults_with_names_and_words_of_their_own() -> None:
    assert tuple(f"F{k}" for k in range(1, 26)) == NUMBERS
    assert len({case.name for case in BATTERY}) == len({case.words for case in BATTERY}) == len(BATTERY)
    assert [case.name for case in cases(["F4"])] == ["F4a", "F4b", "F4c"] and cases(["F4b"]) == cases(["F4"])[
        1:2
    ]
    with pytest.raises(ValueError, match="unknown fault 'F4z'; did you mean"):
        cases(["F4z"])
    core = begun(2, faults=SOON)
    core.step(request(core, 1.0))


@pytest.mark.kernels
def test_every_kind_does_something_somewhere_and_nothing_impossible() -> None:
    keys = random.stream(random.keys("test", 2, np.arange(3), 0, 0), Stream.FAULTS)
    for case in WORLD_FAULTS:
        faults = Faults(case.faults)
        memory = np.zeros((3, len(case.faults), MEMORY))
        changed = not np.array_equal(faults.therapy(np.ones((3, 7))), np.ones((3, 7)))
        tell, grams = np.array([[700.0, 2200.0]] * 3), np.full((3, 2), 50.0)
        heard = faults.announce(keys, tell, grams, np.full(3, 60.0), 2.0)
        changed |= not np.array_equal(heard[0], tell) or not np.array_equal(heard[1], grams)
        for minute in range(0, 2880, 10):
            now = np.full(3, minute)
            cgm, drive, view = (
                np.full(3, 120.0 + minute / 100),
                np.ones((3, 1, 4)),
                np.zeros((3, v.NOW_COLUMNS)),
            )
            drive[:, 0, 2:] = 0.0
            faults.sense(keys, now, memory, 10, cgm)
            basal, bolus = faults.deliver(keys, now, memory, 10, np.ones(3), np.zeros(3))
            faults.strain(keys, now, drive)
            view[:, v.MINUTE_OF_DAY] = minute % 1440
            faults.shift_clock(keys, now, view, np.arange(3))
            assert (
                (basal >= 0).all() and (bolus >= 0).all() and (drive >= 0).all() and not np.isinf(cgm).any()
            )
            changed |= bool((cgm != 120.0 + minute / 100).any() or (basal != 1).any())
            changed |= bool(
                (drive != [1, 1, 0, 0]).any() or (view[:, v.MINUTE_OF_DAY] != minute % 1440).any()
            )
        assert changed, case.name


@pytest.mark.parametrize("faults", [SOON, ALL_AT_ONCE], ids=["one of each stage", "the battery at once"])
def test_a_lanes_faults_do_not_hang_on_company_and_a_save_in_their_middle_goes_on_bit_for_bit(
    faults: tuple[Fault, ...],
) -> None:
    keywords: dict[str, Any] = {"cohort": ["adult#001", "child#002", "adolescent#003"], "faults": faults}
    core, rows, keys = seated(6, **keywords)
    actions = own_actions(keys, 40)
    core.reset(rows, keys)
    whole = story(core, list(actions))
    alone = Core(core.setting, core.task, 1)
    alone.reset(rows[4:5], keys[4:5])
    check_same(story(alone, list(actions[:, 4:5])), lanes_of(whole, slice(4, 5)))
    half = Core(core.setting, core.task, 6)
    half.reset(rows, keys)
    for action in actions[:17]:
        half.step(action)
    later = Core(core.setting, core.task, 6)
    later.restore(half.save())
    check_same(story(later, list(actions[17:])), lanes_of(whole, slice(None), slice(17, None)))


def test_a_lane_that_begins_anew_has_forgotten_its_faults() -> None:
    fault = Occlusion(1.0, onset_min=0, duration_min=60)
    core, rows, keys = seated(2, faults=fault)
    core.reset(rows, keys)
    _steps(core, 6, bolus=1.0)
    assert (core.fault_memory[:, 0, 0] > 5).all()
    core.reset(rows[:1], keys[:1], np.array([0]))
    assert core.fault_memory[0, 0, 0] == 0 and core.fault_memory[1, 0, 0] > 5


def test_a_save_of_another_set_of_faults_does_not_fit() -> None:
    saved = begun(2, faults=SOON).save()
    with pytest.raises(ValueError, match="saved fault_memory"):
        begun(2, faults=SOON[:2]).restore(saved)


def test_an_occlusion_is_reported_as_delivered_and_a_part_comes_at_its_release() -> None:
    kept = {"person": "adult#001", "scenario": FixedMeals(), "shield": "off", "days": 0.5}
    clean = begun(**kept)
    blocked, surge = (
        begun(**kept, faults=Occlusion(share, onset_min=60, duration_min=120)) for share in (0, 1)
    )
    told = [_steps(core, 36) for core in (clean, blocked, surge)]
    assert np.array_equal(
        told[0][..., trace.BASAL_U_PER_H], told[1][..., trace.BASAL_U_PER_H]
    )  # reported alike
    assert np.array_equal(clean.view.insulin_history_u, blocked.view.insulin_history_u)
    depot = [core.state[0, [INSULIN_SC_1, INSULIN_SC_2]].sum() for core in (clean, blocked, surge)]
    assert depot[1] < 0.5 * depot[0] and depot[2] == depot[1]  # still blocked
    held = surge.fault_memory[0, 0, 0]
    assert held == pytest.approx(told[0][0, 60:180, trace.BASAL_U_PER_H].sum() / 60)
    for core in (clean, blocked, surge):
        _steps(core, 1)
    depot = [core.state[0, [INSULIN_SC_1, INSULIN_SC_2]].sum() for core in (clean, blocked, surge)]
    at_once = held * 6000 / surge.view.weight_kg[0]  # pmol/kg
    assert depot[2] - depot[1] == pytest.approx(at_once, rel=0.1) and depot[1] < 0.5 * depot[0]
    assert surge.fault_memory[0, 0, 0] == 0.0
    assert (
        _steps(blocked, 24)[0, -1, trace.GLUCOSE_MG_DL] > 1.1 * _steps(clean, 24)[0, -1, trace.GLUCOSE_MG_DL]
    )


@pytest.mark.parametrize(
    ("fault", "share"),
    [(DeliveryGain(0.2), 1.2), (DeliveryGain(-0.2), 0.8), (SiteDegradation(0.5, duration_min=1440), 0.75)],
)
def test_a_pump_that_errs_by_a_share_says_nothing_of_it(fault: Fault, share: float) -> None:
    kept = {"person": "adult#001", "scenario": FixedMeals(), "shield": "off", "days": 1}
    clean, wrong = begun(**kept), begun(**kept, faults=fault)
    told = [_steps(core, 160) for core in (clean, wrong)]
    assert np.array_equal(told[0][..., trace.BASAL_U_PER_H], told[1][..., trace.BASAL_U_PER_H])
    depot = [core.state[0, [INSULIN_SC_1, INSULIN_SC_2]].sum() for core in (clean, wrong)]
    assert depot[1] / depot[0] == pytest.approx(share, abs=0.04)


def test_exercise_takes_glucose_down_by_1_to_3_a_minute_and_leaves_the_body_sensitive() -> None:
    kept = {"cohort": "adult", "scenario": FixedMeals(), "shield": "off", "days": 1}
    clean, moved = begun(10, **kept), begun(10, **kept, faults=Exercise(onset_min=60, duration_min=600))
    told = [_steps(core, 22) for core in (clean, moved)]
    fall = told[0][:, -1, trace.GLUCOSE_MG_DL] - told[1][:, -1, trace.GLUCOSE_MG_DL]
    assert (told[0][:, :60] == told[1][:, :60])[..., trace.GLUCOSE_MG_DL].all()
    assert 1.0 < np.median(fall) / 45 < 3.0
    assert moved.drive[0, 0].tolist() == pytest.approx([1.5 - 2.5 / 555, 1.5 - 2.5 / 555, 0.0, 0.0])
    _steps(moved, 120)
    assert (moved.drive == [1.0, 1.0, 0.0, 0.0]).all()


def test_sensitivity_and_illness_move_glucose_to_their_sides() -> None:
    kept = {"cohort": ["adult#001", "child#001"], "scenario": FixedMeals(), "shield": "off", "days": 1}
    ends = [
        _steps(begun(2, **kept, faults=fault), 100)[:, -1, trace.GLUCOSE_MG_DL]
        for fault in (
            SensitivityChange(1.5),
            None,
            SensitivityChange(0.5),
            (SensitivityChange(0.5), Illness(0.6)),
        )
    ]
    assert (np.diff(ends, axis=0) > 10).all()


def test_a_mismatch_changes_what_is_known_and_not_the_body() -> None:
    clean, wrong = begun(), begun(faults=Mismatch(0.4))
    assert wrong.view.therapy[0, BASAL_U_PER_H] == pytest.approx(1.4 * clean.view.therapy[0, BASAL_U_PER_H])
    assert wrong.view.therapy[0, CARB_RATIO_G_PER_U] == pytest.approx(
        clean.view.therapy[0, CARB_RATIO_G_PER_U] / 1.4
    )
    assert np.array_equal(wrong.limits, limit.for_therapy(wrong.view.therapy)), "they follow what the pump was set to"
    assert wrong.limits[0, 0] == pytest.approx(1.4 * clean.limits[0, 0])
    assert np.array_equal(wrong.state, clean.state)
    assert clean.setting.cohort.therapy[0, BASAL_U_PER_H] == clean.view.therapy[0, BASAL_U_PER_H]


def _announced(fault: Fault | None, lanes: int = 12, days: float = 3) -> tuple[np.ndarray, np.ndarray]:
    core = begun(lanes, cohort="all", days=days, faults=fault)
    return core.tell_minute, core.tell_g


def test_missed_late_and_miscounted_meals() -> None:
    minute, grams = _announced(None)
    meals = np.isfinite(minute)
    missed, _ = _announced(MissedBolus(0.3))
    assert np.isfinite(missed).sum() / meals.sum() == pytest.approx(0.7, abs=0.08)
    late, late_g = _announced(LateBolus(1.0))
    assert np.isfinite(late).sum() == meals.sum() and late_g.sum() == grams.sum()
    delay = late[meals].sum() / meals.sum() - minute[meals].sum() / meals.sum()
    assert delay == pytest.approx(38, abs=4) and all(np.array_equal(row, np.sort(row)) for row in late)
    _, spread = _announced(CarbError(0.3))
    ratio = spread[meals] / grams[meals]
    assert ratio.std() == pytest.approx(0.3, abs=0.04) and ratio.mean() == pytest.approx(1.0, abs=0.06)
    _, lunch = _announced(CarbError(0.0, bias=0.5, onset_min=600, duration_min=240, every_min=1440))
    clock = np.where(meals, minute, 0.0) % MINUTES_PER_DAY
    noon = meals & (clock >= 600) & (clock < 840)
    assert np.allclose(lunch[noon], 1.5 * grams[noon]) and np.array_equal(lunch[~noon], grams[~noon])


def test_a_phantom_meal_is_announced_and_not_eaten() -> None:
    fault = PhantomMeal(40, onset_min=480, duration_min=60, every_min=1440, jitter_min=600)
    core = begun(2, cohort=["adult#002", "child#001"], scenario=FixedMeals(), days=2, faults=fault)
    assert np.isfinite(core.tell_minute).sum(axis=1).tolist() == [2, 2]
    weight = core.view.weight_kg
    assert core.tell_g.max(axis=1) == pytest.approx(40 * np.minimum(weight / 70, 1))
    told = np.concatenate([core.step(np.zeros((2, 2))).trace.copy() for _ in range(288)], axis=1)
    assert told[..., trace.CARBS_G].sum() == 0
    assert told[..., trace.ANNOUNCED_G].sum(axis=1) == pytest.approx(core.tell_g[:, 0])
    assert (told[..., trace.REQUESTED_BOLUS_U].sum(axis=1) > 0).all()


def test_a_clock_that_jumps_moves_the_hour_and_no_insulin_on_board() -> None:
    fault = ClockShift(-60, onset_min=120, duration_min=120)
    clean, wrong = begun(), begun(faults=fault)
    for k in range(60):
        for core in (clean, wrong):
            core.step(request(core, 1.0, 0.5 if k == 20 else 0.0))
        shift = clean.view.now[0, v.MINUTE_OF_DAY] - wrong.view.now[0, v.MINUTE_OF_DAY]
        assert shift == (60 if 120 <= 5 * (k + 1) < 240 else 0)
    assert wrong.view.now[0, v.IOB_U] == clean.view.now[0, v.IOB_U]
    assert begun(faults=ClockShift(480)).view.now[0, v.MINUTE_OF_DAY] == 480


def test_policies_see_no_number_that_is_not_finite_under_any_fault_of_the_battery() -> None:
    core, rows, keys = seated(8, cohort="all", history=True, faults=ALL_AT_ONCE, days=2)
    core.reset(rows, keys)
    told = story(core, list(own_actions(keys, 300)))
    assert np.isfinite(told["obs"]).all()
    doses = minutes(told)[..., [trace.BASAL_U_PER_H, trace.BOLUS_U]]
    assert np.isfinite(doses).all() and (doses >= 0).all()


def test_faults_are_given_as_objects_names_or_a_list() -> None:
    assert checked("F4a") == (Bias(0.2),) == make_setting(faults=[Bias(0.2)]).faults
    assert checked(SensorFaults(missing=0.5)) == (Gap(duration_min=60, every_min=60, chance=0.5),)
    assert make_setting().faults == checked(None) == ()
    env = gymnasium.make("Homeostat/Dosing-v0", faults=["F4b", Gap(0.5)])
    assert env.unwrapped.core.setting.faults == (Bias(0.3), Gap(0.5))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("F4", "several sizes; give one of F4a, F4b, F4c"),
        ("f4", "unknown fault 'f4'"),
        ("F24", "no fault of a world"),
        (3, "3 given; give faults of envs.faults"),
        ([Bias(0.1), None], "None given; give faults"),
        (Dead(), "put it around an agent"),
        ([Bias(0.1)] * 81, "81 given; at most 80"),
    ],
)
def test_what_is_no_fault_of_a_world_is_refused(wrong: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        gymnasium.make("Homeostat/Dosing-v0", faults=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Exercise(workout_min=900), lambda: Illness(liver_mg_per_kg_min=9), lambda: Mismatch(0.1, onset_min=5),
        lambda: LateBolus(earliest_min=90), lambda: CarbError(bias=-1), lambda: SiteDegradation(duration_min=np.inf),
        lambda: Dead(chance=0.5), lambda: ClockShift(2000), lambda: SensitivityChange(0.0),
    ],
)  # fmt: skip
def test_wrong_numbers_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="allowed|leave|give"):
        wrong()
