"""The dosing task: its table of observations, recomputed by hand, and its actions in physical units."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest

from envs import view as v
from envs.faces.build import observation_space
from envs.tasks.dosing import NAMES, Dosing
from envs.view import View
from tests.envs.worlds import begun, own_actions

Scale = Callable[[float, float, float], float]
SCALINGS: dict[str, Scale] = {
    "(x - 140) / 100": lambda x, d, cr: (x - 140) / 100,
    "x / 30, at most 1": lambda x, d, cr: min(x / 30, 1),
    "x / 3": lambda x, d, cr: x / 3,
    "x / (0.2 D)": lambda x, d, cr: x / (0.2 * d),
    "x / (0.1 D)": lambda x, d, cr: x / (0.1 * d),
    "x / (D / 12)": lambda x, d, cr: x / (d / 12),
    "x / (0.2 D CR)": lambda x, d, cr: x / (0.2 * d * cr),
    "x / 240, at most 1": lambda x, d, cr: min(x / 240, 1),
    "-": lambda x, d, cr: x,
    "ln x": lambda x, d, cr: math.log(x),
    "ln (x / 12)": lambda x, d, cr: math.log(x / 12),
    "ln (x / 40)": lambda x, d, cr: math.log(x / 40),
    "ln (x / 60)": lambda x, d, cr: math.log(x / 60),
}
"""How the docstring writes a scaling, and what it means; D and CR as explained there."""


def _documented() -> list[tuple[str, str]]:
    """(name, scaling) of every observation, in order, from the table in the docstring of the task."""
    text = Dosing.__doc__ or ""
    section = text.split("## Observation space")[1].split("##")[0]
    found: list[tuple[str, str]] = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 4 or not cells[0][0].isdigit():
            continue
        numbers, names, _, scalings = cells
        span = re.fullmatch(r"(\d+)-(\d+)", numbers)
        listed = (
            list(range(int(span[1]), int(span[2]) + 1))
            if span
            else [int(number) for number in numbers.split(",")]
        )
        if span:
            assert names == "cgm_0min ... cgm_240min"
            named = [f"cgm_{15 * k}min" for k in listed]
        else:
            named = names.split(", ")
        each = scalings.split(", ") if "at most" not in scalings else [scalings]
        each = each * len(named) if len(each) == 1 else each
        assert listed == list(range(len(found), len(found) + len(named)))
        found += zip(named, each, strict=True)
    return found


def _physical(view: View, lane: int) -> dict[str, float]:
    """The physical value behind each name."""
    now, therapy = view.now[lane], view.therapy[lane]
    history = view.cgm_history_mg_dl[lane]
    known = np.flatnonzero(np.isfinite(history))
    cgm = {}
    for k in range(17):
        slot = len(history) - 1 - k * 15 // view.interval_min
        older = known[known <= slot]
        values = [*history[older[-1:]], *history[known[:1]], now[v.CGM_MG_DL]]
        cgm[f"cgm_{15 * k}min"] = float(values[0])
    angle = 2 * math.pi * now[v.MINUTE_OF_DAY] / 1440
    return cgm | {
        "cgm_age": now[v.CGM_AGE_MIN],
        "slope": now[v.SLOPE_MG_DL_PER_MIN],
        "iob": now[v.IOB_U],
        "iob_net": now[v.IOB_NET_U],
        "insulin_activity": now[v.ACTIVITY_U_PER_H],
        "insulin_30min": now[v.INSULIN_30MIN_U],
        "insulin_2h": now[v.INSULIN_2H_U],
        "cob_fast": now[v.COB_FAST_G],
        "cob_slow": now[v.COB_SLOW_G],
        "uncovered_carbs": now[v.UNCOVERED_G],
        "since_announced": now[v.SINCE_ANNOUNCED_MIN],
        "time_sin": math.sin(angle),
        "time_cos": math.cos(angle),
        "basal": therapy[0],
        "carb_ratio": therapy[1],
        "correction_factor": therapy[2],
        "weight": view.weight_kg[lane],
        "daily_insulin": therapy[5],
        "plasma_glucose": math.nan if view.oracle_glucose_mg_dl is None else view.oracle_glucose_mg_dl[lane],
    }


def _expected(view: View, lane: int, names: tuple[str, ...]) -> np.ndarray:
    d, cr = view.therapy[lane, 5], view.therapy[lane, 1]
    scalings = dict(_documented())
    physical = _physical(view, lane)
    values = [SCALINGS[scalings[name]](physical[name], d, cr) for name in names]
    return np.clip(values, -5, 5)


def test_the_docstring_lists_every_observation_in_order_with_a_scaling() -> None:
    assert tuple(name for name, _ in _documented()) == (*NAMES, "plasma_glucose")
    assert {scaling for _, scaling in _documented()} == set(SCALINGS)
    assert "35 numbers (36 with `oracle=True`)" in (Dosing.__doc__ or "") and len(NAMES) == 35


@pytest.mark.parametrize("sensor", ["GuardianRT", "Dexcom", "Navigator"])
@pytest.mark.parametrize("oracle", [False, True])
def test_observations_are_those_of_the_docstring(sensor: str, oracle: bool) -> None:
    """Over most of a day of three people, under changing doses."""
    _observe_by_hand(sensor, oracle, 1200, 37)


@pytest.mark.kernels
def test_observations_of_an_hour_are_those_of_the_docstring() -> None:
    _observe_by_hand("GuardianRT", True, 60, 5)


def _observe_by_hand(sensor: str, oracle: bool, minutes: int, every: int) -> None:
    core = begun(
        3, cohort=["adult#009", "adolescent#003", "child#005"], sensor=sensor, oracle=oracle, shield="off"
    )
    names = core.task.observation_names
    space = observation_space(core.task)
    for k, action in enumerate(own_actions(core.keys, minutes // core.control_min)):
        seen = core.step(action).obs
        if k % every == 0:
            for lane in range(3):
                np.testing.assert_allclose(
                    seen[lane], _expected(core.view, lane, names), rtol=2e-6, atol=2e-6
                )
                assert space.contains(seen[lane])
    assert len(names) == 35 + oracle


def test_a_gap_holds_the_older_reading_and_the_oldest_stands_for_what_was_before() -> None:
    rng = np.random.default_rng(0)
    for dt in (1, 3, 5):
        core = begun(sensor={1: "Navigator", 3: "Dexcom", 5: "GuardianRT"}[dt])
        for k in range(700 // dt):
            reading = np.array([np.nan if rng.random() < 0.6 or 300 < k * dt < 400 else rng.uniform(40, 400)])
            core.view.see(reading, *(np.zeros(1) for _ in range(4)))
            if k % 7 == 0:
                got = core.task.observe(core.view)[0, :17]
                np.testing.assert_allclose(got, _expected(core.view, 0, NAMES[:17]), rtol=2e-6)


@pytest.mark.kernels
def test_in_a_gap_longer_than_the_history_the_last_reading_stands_for_all() -> None:
    core = begun()
    core.view.see(np.array([222.0]), *(np.zeros(1) for _ in range(4)))
    for _ in range(60):
        core.view.see(np.array([np.nan]), *(np.zeros(1) for _ in range(4)))
    np.testing.assert_allclose(core.task.observe(core.view)[0, :17], 0.82, rtol=1e-6)


def test_observations_stay_within_their_box_whatever_happened() -> None:
    core = begun(2, cohort=["adult#001", "child#008"], oracle=True)
    space = observation_space(core.task)
    core.view.now[:] = 1e12
    core.view.cgm_buffer[:] = 1e12
    core.glucose[:] = 1e12
    high = core.task.observe(core.view)
    core.view.now[:] = -1e12
    core.view.cgm_buffer[:] = -1e12
    low = core.task.observe(core.view)
    core.view.begin(np.arange(2), np.full(2, np.nan))  # a sensor that never spoke
    silent = core.task.observe(core.view)
    for seen in (*high, *low, *silent):
        assert space.contains(seen)
    assert high.max() == 5 and low.min() == -5
    assert silent[0, NAMES.index("cgm_age")] == 1 and silent[0, NAMES.index("cgm_0min")] == pytest.approx(
        -1.4
    )


@pytest.mark.kernels
def test_an_action_multiplies_the_own_therapy_and_zero_is_the_therapy() -> None:
    core = begun(6, person="adult#004")
    core.view.now[:, v.UNCOVERED_G] = 50.0
    scheduled, ratio = core.view.therapy[0, :2]
    action = np.array([[0, 0], [1, 1], [-1, -1], [-0.4, 0.5], [-0.2, -0.5], [np.nan, 0]])
    request = core.task.decode(action, core.view)
    np.testing.assert_allclose(
        request.basal_u_per_h, scheduled * np.array([1, 3.5, 0, 0, 0.5, np.nan]), atol=1e-12
    )
    np.testing.assert_allclose(request.bolus_u, 50 / ratio * np.array([1, 1.7, 0.3, 1.35, 0.65, 1]))


@pytest.mark.kernels
def test_a_basal_action_spans_zero_to_three_times_the_scheduled_rate_without_boluses() -> None:
    core = begun(4, action="basal", person="child#003")
    core.view.now[:, v.UNCOVERED_G] = 50.0
    request = core.task.decode(np.array([[-1.0], [0.0], [1.0], [np.nan]]), core.view)
    np.testing.assert_allclose(request.basal_u_per_h, core.view.therapy[0, 0] * np.array([0, 1.5, 3, np.nan]))
    np.testing.assert_array_equal(request.bolus_u, [0, 0, 0, np.nan])


@pytest.mark.kernels
def test_a_hybrid_action_has_the_same_rate_beside_the_usual_bolus() -> None:
    core = begun(4, action="hybrid", person="child#003")
    core.view.now[:, v.UNCOVERED_G] = 50.0
    action = np.array([[-1.0], [0.0], [1.0], [np.nan]])
    request = core.task.decode(action, core.view)
    scheduled, ratio = core.view.therapy[0, :2]
    np.testing.assert_allclose(request.basal_u_per_h, scheduled * np.array([0, 1.5, 3, np.nan]))
    np.testing.assert_allclose(request.bolus_u, 50 / ratio * np.array([1, 1, 1, np.nan]))


@pytest.mark.kernels
def test_a_closed_loop_gives_all_insulin_above_the_basal_rate_as_boluses() -> None:
    core = begun(5, action="closed-loop", person="child#003")
    core.view.now[:, v.UNCOVERED_G] = 50.0  # which it does not look at
    request = core.task.decode(np.array([[-1.0], [-0.5], [0.0], [1.0], [np.nan]]), core.view)
    scheduled = core.view.therapy[0, 0]
    half = (39**0.5 - 1) / 38
    np.testing.assert_allclose(
        request.basal_u_per_h, scheduled * np.array([0, half, 1, 1, np.nan]), atol=1e-12
    )
    np.testing.assert_allclose(
        request.bolus_u, scheduled * 5 / 60 * np.array([0, 0, 0, 39, np.nan]), atol=1e-12
    )


def test_fields_tell_names_ranges_and_units_of_the_action() -> None:
    basal, bolus = Dosing().fields
    assert (basal.name, basal.low, basal.high) == ("basal", 0.0, 3.5)
    assert (bolus.name, bolus.low, bolus.high) == ("bolus", pytest.approx(0.3), pytest.approx(1.7))
    (only,) = Dosing("basal").fields
    assert (only.name, only.low, only.high, only.unit) == ("basal", 0.0, 3.0, "x scheduled basal")
    (only,) = Dosing("closed-loop").fields
    assert (only.name, only.low, only.high, only.unit) == ("insulin", 0.0, 40.0, "x scheduled basal")


def test_an_unknown_kind_of_action_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'modulation'"):
        Dosing("modulatio")


def test_only_under_oracle_is_the_truth_seen() -> None:
    assert "plasma_glucose" not in begun().task.observation_names
    assert begun().view.oracle_state is None and begun().view.oracle_glucose_mg_dl is None
    core = begun(oracle=True)
    assert core.task.observation_names[-1] == "plasma_glucose"
    done = core.step(np.zeros((1, 2)))
    assert done.obs[0, -1] == pytest.approx((core.glucose[0] - 140) / 100)
