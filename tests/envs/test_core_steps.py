"""What a step of the core does: requests and actions, the world, the record, ends, reward and units."""

import math
from typing import Any

import numpy as np
import pytest

from envs import trace as t
from envs import view as v
from envs.core import Core
from envs.shield import Reason
from envs.therapy import Request, basal_bolus
from tests.envs.worlds import begun, check_same, minutes, own_actions, request, story
from twins.cohort import BASAL_U_PER_H
from twins.world.scenarios import FixedMeals

FEAST = FixedMeals(tuple((hour, 250.0) for hour in (0.5, 2.0, 4.0, 6.0, 8.0)))


# --- what is asked for --------------------------------------------------------------------------------
@pytest.mark.kernels
@pytest.mark.parametrize("decision_min", [5, 15, 30])
def test_zero_modulation_is_basal_bolus_at_every_control_interval(decision_min: int) -> None:
    """Also when decisions are rarer: an action is decoded anew at every reading."""
    world = {"cohort": ["adult#001", "child#005"], "days": 0.5, "behaviour": "realistic"}
    acting = begun(2, decision_min=decision_min, **world)
    asking = begun(2, **world)
    acted = minutes(story(acting, [np.zeros((2, 2))] * (720 // decision_min)))
    asked = []
    for _ in range(720 // 5):
        asked.append(asking.step(basal_bolus(asking.view)).trace.copy())
    np.testing.assert_array_equal(acted, np.concatenate(asked, axis=1))
    assert acted[:, :, t.BOLUS_U].sum() > 1


@pytest.mark.parametrize(("decision_min", "sensor"), [(5, "GuardianRT"), (15, "Dexcom"), (30, "Navigator")])
def test_a_request_holds_its_basal_and_gives_its_bolus_once(decision_min: int, sensor: str) -> None:
    core = begun(sensor=sensor, decision_min=decision_min, scenario="fasting", shield="off")
    rows = core.step(request(core, 0.9, 2.0)).trace[0]
    assert rows.shape == (decision_min, t.TRACE_COLUMNS)
    np.testing.assert_array_equal(rows[:, t.BASAL_U_PER_H], np.full(decision_min, rows[0, t.BASAL_U_PER_H]))
    assert rows[0, t.BOLUS_U] == 2.0 and rows[1:, t.BOLUS_U].sum() == 0
    assert (rows[:, t.REQUESTED_BASAL_U_PER_H] == 0.9).all()
    assert rows[0, t.REQUESTED_BOLUS_U] == 2.0 and rows[1:, t.REQUESTED_BOLUS_U].sum() == 0


def test_a_meal_told_in_the_midst_of_a_decision_may_still_be_covered_at_the_next() -> None:
    """Who asks by requests every 30 min has not had a say on the carbs that were announced in between."""
    core = begun(decision_min=30, scenario=FixedMeals(((1.1, 60.0),)))
    told = minutes(story(core, [basal_bolus(core.view)] * 3))
    assert told[0, :, t.ANNOUNCED_G].sum() == 60 and core.minute[0] == 90
    later = basal_bolus(core.view)
    assert later.bolus_u[0] == pytest.approx(6.0)  # carb ratio 10 g/U


def _fallback_worlds() -> list[Any]:
    return [
        None, np.full((1, 2), np.nan), np.array([[np.inf, 0.0]]), np.array([[0.0, -np.inf]]),
        Request(np.array([np.nan]), np.zeros(1)), Request(np.ones(1), np.array([np.inf])),
        Request(np.array([-0.1]), np.zeros(1)), Request(np.ones(1), np.array([-1.0])),
    ]  # fmt: skip


@pytest.mark.parametrize("shield", ["rule", "off"])
@pytest.mark.parametrize("case", range(8))
def test_no_request_and_an_impossible_one_become_scheduled_basal(case: int, shield: str) -> None:
    core, plain = begun(shield=shield), begun(shield=shield)
    absent = minutes(story(core, [_fallback_worlds()[case]] * 24))
    scheduled = plain.view.therapy[0, BASAL_U_PER_H]
    asked = minutes(story(plain, [request(plain, scheduled)] * 24))
    for column in (t.GLUCOSE_MG_DL, t.CGM_MG_DL, t.BASAL_U_PER_H, t.BOLUS_U):
        np.testing.assert_array_equal(absent[:, :, column], asked[:, :, column])
    assert (absent[:, :, t.REASON] == Reason.INVALID_REQUEST).all()
    assert (asked[:, :, t.REASON] == Reason.NONE).all()


_WRONG = {
    "one number too few": np.zeros((2, 1)),
    "one number too many": np.zeros((2, 3)),
    "one lane too few": np.zeros((1, 2)),
    "one lane too many": np.zeros((3, 2)),
    "no axis of lanes": np.zeros(2),
    "a scalar": 0.5,
    "a ragged list": [[0.0, 0.0], [0.0]],
    "words": [["low", "low"], ["low", "low"]],
    "numbers as words": np.array([["0.1", "0.1"], ["0.1", "0.1"]]),
    "complex numbers": np.zeros((2, 2), complex),
    "objects": np.full((2, 2), None),
    "dates": np.zeros((2, 2), "datetime64[s]"),
    "a request for too few lanes": Request(np.zeros(1), np.zeros(2)),
    "a request for too many lanes": Request(np.zeros(2), np.zeros(3)),
    "a request with an axis too many": Request(np.zeros((2, 1)), np.zeros(2)),
    "a request in words": Request(np.array(["1.0", "1.0"]), np.zeros(2)),  # type: ignore[arg-type]
    "a request of complex numbers": Request(np.zeros(2, complex), np.zeros(2)),  # type: ignore[arg-type]
    "a request of nothing": Request(None, np.zeros(2)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_wrong_shape_or_type_raises_value_error_and_changes_nothing(wrong: str) -> None:
    core, other = begun(2, cohort="adult"), begun(2, cohort="adult")
    actions = own_actions(core.keys, 30)
    check_same(story(core, actions[:10]), story(other, actions[:10]))
    with pytest.raises(ValueError, match="shape|numeric"):
        core.step(_WRONG[wrong])
    check_same(core.save(), other.save())
    check_same(story(core, actions[10:]), story(other, actions[10:]))


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.int8, np.bool_, list])
def test_whole_numbers_booleans_and_lists_are_numbers_too(kind: Any) -> None:
    core, other = begun(2, cohort="adult"), begun(2, cohort="adult")
    action = np.array([[1.0, 0.0], [0.0, 1.0]])
    check_same(
        story(core, [action.tolist() if kind is list else action.astype(kind)] * 3),
        story(other, [action] * 3),
    )


def test_values_beyond_one_count_as_the_nearest_bound_and_the_action_is_not_written_to() -> None:
    core, other = begun(), begun()
    wild = np.array([[1e9, -7.0]])
    check_same(story(core, [wild] * 20), story(other, [np.array([[1.0, -1.0]])] * 20))
    np.testing.assert_array_equal(wild, [[1e9, -7.0]])


# --- the world: announcements, sensors, behaviour --------------------------------------------------------
def _heard(core: Core, rows: Any) -> list[tuple[int, float]]:
    told = rows[:, t.ANNOUNCED_G]
    return [(int(minute), told[minute]) for minute in np.flatnonzero(told)]


@pytest.mark.parametrize("sensor", ["GuardianRT", "Dexcom", "Navigator"])
@pytest.mark.parametrize("announce", ["exact", "behaviour", "none"])
def test_the_therapy_hears_of_meals_at_the_first_reading_after_they_are_told(
    announce: str, sensor: str
) -> None:
    """exact: each meal in full, a minute after its first bite; behaviour: as the person tells; none: silence."""
    core = begun(announce=announce, sensor=sensor, behaviour="realistic", days=2.0, seed=3)
    rows = minutes(story(core, [np.zeros((1, 2))] * (2880 // core.control_min)))[0]
    events = core.setting.scenario.events(core.keys, core.view.weight_kg, 2.0)
    expected: dict[int, float] = {}
    if announce != "none":
        when, grams = (
            (events.eat_minute[0] + 1, events.eat_g[0])
            if announce == "exact"
            else (events.tell_minute[0], events.tell_g[0])
        )
        for minute, carbs in zip(when, grams, strict=True):
            if np.isfinite(minute):
                at = math.ceil(minute / core.control_min) * core.control_min
                expected[at] = expected.get(at, 0.0) + carbs
    assert dict(_heard(core, rows)) == pytest.approx(expected)
    assert bool(expected) == (announce != "none")


@pytest.mark.kernels
@pytest.mark.parametrize(("sensor", "every"), [("GuardianRT", 5), ("Dexcom", 3), ("Navigator", 1)])
def test_readings_come_at_the_pace_of_the_sensor_and_at_the_end_of_an_interval(
    sensor: str, every: int
) -> None:
    core = begun(sensor=sensor, decision_min=15, days=0.1)
    assert core.control_min == core.view.interval_min == every
    told = story(core, [np.zeros((1, 2))] * 9)
    rows = minutes(told)[0]
    read = np.flatnonzero(np.isfinite(rows[:, t.CGM_MG_DL]))
    np.testing.assert_array_equal(read, np.arange(every - 1, 135, every))
    np.testing.assert_array_equal(core.view.cgm_history_mg_dl[0, -len(read) :], rows[read, t.CGM_MG_DL])
    assert core.view.now[0, v.MINUTE_OF_DAY] == 135 and core.minute[0] == 135
    assert core.setting.sensor.lowest_mg_dl <= rows[read, t.CGM_MG_DL].min()
    assert len(np.unique(rows[read, t.CGM_MG_DL])) == len(read)  # noise in every single one


def test_an_exact_sensor_reads_the_tissue_which_lags_behind_plasma() -> None:
    from twins.world.devices import sensor

    core = begun(sensor=sensor("Dexcom", noise=False), scenario=FixedMeals(((0.5, 80.0),)), days=0.2)
    rows = minutes(story(core, [None] * 60))[0]
    reading, plasma = rows[2::3, t.CGM_MG_DL], rows[2::3, t.GLUCOSE_MG_DL]
    rising = np.flatnonzero(np.diff(plasma) > 1)
    assert len(rising) > 10 and (reading[rising] < plasma[rising]).all()
    assert np.abs(reading[:5] - plasma[:5]).max() < 0.5


# --- the record -----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def lows() -> tuple[Core, Any]:
    """A day and a half of six people who treat their lows, on too much basal insulin and without a shield."""
    core = begun(
        6, cohort=["adult", "child"], shield="off", behaviour="treats-lows", days=1.5, decision_min=15
    )
    too_much = core.view.therapy[:, BASAL_U_PER_H] * 1.6
    asked = [Request(too_much, np.full(6, 0.3))] * (2160 // 15)
    return core, minutes(story(core, asked))


def test_amounts_stand_in_the_first_minute_of_an_interval_and_readings_in_the_last(lows: Any) -> None:
    _, rows = lows
    first = np.arange(rows.shape[1]) % 5 == 0
    for column in (t.BOLUS_U, t.REQUESTED_BOLUS_U, t.ANNOUNCED_G, t.RESCUE_G):
        assert rows[:, first, column].sum() > 0, t.NAMES[column]
        assert rows[:, ~first, column].sum() == 0, t.NAMES[column]
    last = np.arange(rows.shape[1]) % 5 == 4
    assert np.isfinite(rows[:, last, t.CGM_MG_DL]).all()
    assert np.isnan(rows[:, ~last, t.CGM_MG_DL]).all()
    others = [c for c in range(t.TRACE_COLUMNS) if c != t.CGM_MG_DL]
    assert np.isfinite(rows[:, :, others]).all()


@pytest.mark.kernels
@pytest.mark.parametrize("impossible", [np.nan, np.inf, -np.inf])
def test_an_impossible_bolus_is_recorded_as_it_was_asked_for_in_the_first_minute_alone(
    impossible: float,
) -> None:
    core = begun(scenario="fasting")
    rows = core.step(request(core, 1.0, impossible)).trace[0]
    np.testing.assert_array_equal(rows[:, t.REQUESTED_BOLUS_U], [impossible, 0, 0, 0, 0])
    np.testing.assert_array_equal(rows[:, t.BOLUS_U], 0)


def test_carbs_of_the_record_are_the_meals_of_the_scenario_and_the_rescue_carbs(lows: Any) -> None:
    core, rows = lows
    events = core.setting.scenario.events(core.keys, core.view.weight_kg, 1.5)
    rescue = rows[:, :, t.RESCUE_G]
    for lane in range(core.lanes):
        expected = rescue[lane].copy()
        for minute, grams in zip(events.eat_minute[lane], events.eat_g[lane], strict=True):
            if np.isfinite(minute):
                expected[int(minute)] += grams
        np.testing.assert_allclose(rows[lane, :, t.CARBS_G], expected, atol=1e-12)
    taken = np.argwhere(rescue > 0)
    assert len(taken) > 5 and set(rescue[rescue > 0]) == {15.0}
    for lane, minute in taken:
        assert minute % 15 == 0 and rows[lane, minute - 1, t.GLUCOSE_MG_DL] < 70


def test_nobody_takes_rescue_carbs_unless_lows_are_treated() -> None:
    core = begun(shield="off", scenario="fasting", days=0.5)
    rows = minutes(story(core, [request(core, 3.0)] * 144))[0]
    assert rows[:, t.GLUCOSE_MG_DL].min() < 60 and rows[:, t.CARBS_G].sum() == 0


def test_insulin_on_board_of_the_record_is_that_of_the_view_after_the_interval() -> None:
    core = begun(shield="off", scenario="fasting")
    for bolus in (0.0, 3.0, 0.0):
        rows = core.step(request(core, 1.0, bolus)).trace[0]
        assert (rows[:, t.IOB_U] == core.view.now[0, v.IOB_U]).all()


@pytest.mark.kernels
def test_a_table_of_intervals_and_a_summary_say_what_the_minutes_say() -> None:
    """Amounts are summed over an interval, all else is as at its end; the table keeps no hold on the record."""
    core = begun(2, cohort=["adult#001", "child#001"], decision_min=15, scenario=FixedMeals(((0.1, 40.0),)))
    rows = core.step(request(core, [2.0, 5.0], [1.0, 0.4])).trace
    table = t.intervals(rows, 300, 5)
    last, lowest, worst, changed = t.summary(rows)
    for lane in range(2):
        one = t.of_lane(table, lane)
        assert one["minute"].tolist() == [305, 310, 315]
        for column, name in enumerate(t.NAMES[:-1]):
            blocks = rows[lane, :, column].reshape(3, 5)
            amount = name in ("bolus_u", "requested_bolus_u", "carbs_g", "announced_g", "rescue_g")
            np.testing.assert_array_equal(one[name], blocks.sum(axis=1) if amount else blocks[:, -1])
        codes = rows[lane, :, t.REASON].astype(int)
        assert one["reason"].tolist() == [Reason(code).name.lower() for code in codes[4::5]]
        glucose = rows[lane, :, t.GLUCOSE_MG_DL]
        assert (last[lane], lowest[lane]) == (glucose[-1], glucose.min())
        assert (worst[lane], changed[lane]) == (codes.max(), (codes > 0).sum())
    assert table["carbs_g"].sum() == 80 and table["reason"][1, 0] == "max_basal"
    held = table["glucose_mg_dl"].copy()
    core.step(None)
    np.testing.assert_array_equal(table["glucose_mg_dl"], held)


# --- ends ------------------------------------------------------------------------------------------------
def _until_the_end(core: Core, action: Any, limit: int = 3000) -> tuple[int, Any]:
    for step in range(limit):
        done = core.step(action)
        assert not (done.terminated & done.truncated).any()
        if (done.terminated | done.truncated).any():
            return step + 1, done
    raise AssertionError("the episode did not end")


@pytest.mark.parametrize("side", ["low", "high"])
def test_an_episode_fails_in_the_step_in_which_plasma_glucose_leaves_10_to_600(side: str) -> None:
    world: dict[str, Any] = {"shield": "off", "person": "child#001", "days": 3.0}
    world["scenario"] = "fasting" if side == "low" else FEAST
    core = begun(**world)
    action = request(core, 6.0 if side == "low" else 0.0)
    extreme: list[float] = []
    outside = False
    step = -1
    while not outside:
        step += 1
        done = core.step(action)
        glucose = done.trace[0, :, t.GLUCOSE_MG_DL]
        outside = ((glucose < 10) | (glucose > 600)).any()
        extreme.append(glucose.min() if side == "low" else glucose.max())
        assert done.terminated[0] == outside and not done.truncated[0]
    assert extreme[-1] < 10 if side == "low" else extreme[-1] > 600
    assert step > 10

    # Where the planned time ends with the very decision in which it fails, it has failed.
    short = begun(**world | {"days": (step + 1) * 5 / 1440})
    steps, done = _until_the_end(short, action)
    assert steps == step + 1 and done.terminated[0] and not done.truncated[0]
    # And where it ends one decision earlier, it has not.
    shorter = begun(**world | {"days": step * 5 / 1440})
    steps, done = _until_the_end(shorter, action)
    assert steps == step and done.truncated[0] and not done.terminated[0]


@pytest.mark.kernels
@pytest.mark.parametrize("side", ["low", "high"])
def test_glucose_at_a_bound_of_failure_has_not_failed_and_beyond_it_has(side: str) -> None:
    def step(**bound: float) -> Any:
        meals = FixedMeals() if side == "low" else FixedMeals(((0.2, 150.0),))
        core = begun(shield="off", scenario=meals, decision_min=180, **bound)
        return core.step(request(core, 30.0 if side == "low" else 0.0))

    glucose = step().trace[0, :, t.GLUCOSE_MG_DL]
    extreme = float(glucose.min() if side == "low" else glucose.max())
    assert extreme < 70 or extreme > 250
    name = f"failure_{side}_mg_dl"
    assert not step(**{name: extreme}).terminated[0]
    assert step(**{name: float(np.nextafter(extreme, 150.0 if side == "high" else 100.0))}).terminated[0]


def test_a_failure_within_a_long_decision_counts_even_if_glucose_comes_back() -> None:
    bounds = {"failure_low_mg_dl": 69.9, "failure_high_mg_dl": 251.0}
    core = begun(scenario=FixedMeals(((0.2, 150.0),)), decision_min=480, days=2.0, shield="off", **bounds)
    done = core.step(request(core, 2.5, 8.0))
    glucose = done.trace[0, :, t.GLUCOSE_MG_DL]
    assert glucose.max() > 251 > glucose[-1] and done.terminated[0]


@pytest.mark.parametrize(
    ("days", "sensor", "decision_min", "steps"),
    [
        (1.0, "GuardianRT", 5, 288), (0.25, "GuardianRT", 5, 72), (0.3, "GuardianRT", 5, 87),
        (1 / 3, "GuardianRT", 30, 16), (0.5, "GuardianRT", 35, 21), (2.2, "Dexcom", 3, 1056),
        (1.1, "Navigator", 1, 1584), (29 / 1440, "Navigator", 1, 29), (5 / 1440, "GuardianRT", 5, 1),
    ],
)  # fmt: skip
def test_an_episode_is_truncated_at_the_end_of_its_days(
    days: float, sensor: str, decision_min: int, steps: int
) -> None:
    """With the first decision at whose end the planned time is over, also for fractions of days."""
    core = begun(days=days, sensor=sensor, decision_min=decision_min)
    taken, done = _until_the_end(core, np.zeros((1, 2)))
    assert taken == steps and done.truncated[0] and not done.terminated[0]


# --- reward and cost ------------------------------------------------------------------------------------
def _risk(glucose: float) -> float:
    return 10 * (1.509 * (math.log(glucose) ** 1.084 - 5.381)) ** 2


@pytest.mark.kernels
@pytest.mark.parametrize(("sensor", "decision_min"), [("GuardianRT", 5), ("GuardianRT", 15), ("Dexcom", 6)])
def test_reward_and_cost_are_those_of_the_true_glucose_of_the_record(sensor: str, decision_min: int) -> None:
    """Recomputed by hand, value by value, on a stretch with lows, highs and everything between."""
    core = begun(2, cohort=["adult#004", "child#008"], sensor=sensor, decision_min=decision_min, shield="off",
                 scenario=FixedMeals(((3.0, 120.0),)))  # fmt: skip
    basal = core.view.therapy[:, BASAL_U_PER_H]
    low = high = 0.0
    for _ in range(480 // decision_min):
        done = core.step(Request(3.0 * basal, np.zeros(2)))
        for lane in range(2):
            glucose = done.trace[lane, :, t.GLUCOSE_MG_DL]
            control = core.control_min
            at_readings = glucose[control - 1 :: control]
            zero = 112.517
            hours = decision_min / 60 * 0.6
            losses = {"low_risk": 0.0, "high_risk": 0.0}
            for value in at_readings:
                if value < zero:
                    losses["low_risk"] += min(2 * _risk(value) / 20, 6.0)
                else:
                    losses["high_risk"] += min(_risk(value) / 20, 3.0)
            expected = {"in_control": hours} | {
                name: -hours * loss / len(at_readings) for name, loss in losses.items()
            }
            assert {name: term[lane] for name, term in done.terms.items()} == pytest.approx(
                expected, abs=1e-6
            )
            assert done.reward[lane] == pytest.approx(sum(expected.values()), abs=1e-6)
            assert done.cost[lane] == pytest.approx((glucose < 70).mean() + (glucose < 54).mean())
            low, high = low - expected["low_risk"], high - expected["high_risk"]
    assert low > 0.1 and high > 0.1


# --- units ----------------------------------------------------------------------------------------------
def test_one_unit_per_hour_for_an_hour_delivers_one_unit() -> None:
    for sensor in ("GuardianRT", "Dexcom", "Navigator"):
        core = begun(shield="off", scenario="fasting", sensor=sensor)
        rows = minutes(story(core, [request(core, 1.0)] * (60 // core.control_min)))[0]
        assert len(rows) == 60 and (rows[:, t.BASAL_U_PER_H] == 1.0).all()
        assert rows[:, t.BASAL_U_PER_H].sum() / 60 == pytest.approx(1.0)
        assert core.view.insulin_history_u[0, -60 // core.control_min :].sum() == pytest.approx(1.0)


def test_a_unit_of_bolus_acts_like_a_unit_of_basal_over_its_interval() -> None:
    """12 U/h over 5 min and a bolus of 1 U are the same insulin to the body."""
    by_basal, by_bolus = (begun(shield="off", scenario="fasting") for _ in range(2))
    story(by_basal, [request(by_basal, 12.0)])
    story(by_bolus, [request(by_bolus, 0.0, 1.0)])
    np.testing.assert_allclose(by_basal.state, by_bolus.state, rtol=1e-12)
    assert by_basal.view.now[0, v.IOB_U] == pytest.approx(by_bolus.view.now[0, v.IOB_U])


@pytest.mark.kernels
def test_the_pump_delivers_whole_steps_and_keeps_a_rate_between_two_on_average() -> None:
    core = begun(shield="off", scenario="fasting", days=2.0)
    rows = minutes(story(core, [request(core, 1.02, 1.27 if k == 0 else 0.0) for k in range(120)]))[0]
    steps = rows[:, t.BASAL_U_PER_H] / 0.05
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert set(np.round(steps)) == {20.0, 21.0}
    assert rows[:, t.BASAL_U_PER_H].mean() == pytest.approx(1.02, abs=0.05 / 120)
    assert rows[0, t.BOLUS_U] == pytest.approx(1.25)


def test_the_pump_gives_no_more_than_it_can_even_without_a_shield() -> None:
    core = begun(shield="off", scenario="fasting")
    rows = core.step(request(core, 1e9, 1e9)).trace[0]
    assert (rows[:, t.BASAL_U_PER_H] == 30.0).all() and rows[:, t.BOLUS_U].sum() == 30.0
