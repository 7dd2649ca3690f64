"""oref0 in Python beside the JavaScript package: thousands of decisions, histories and curves, digit by digit."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.oref import autosens, carbs, forecast
from agents.oref.autotune import tune
from agents.oref.determine import Why, determine
from agents.oref.insulin import PEAK_MIN, activity
from agents.oref.loop import MICROBOLUSES, Oref0
from agents.oref.situation import TICKS
from agents.oref.sorting import Day, Settings, sort
from envs.view import insulin_on_board
from experiments.protocol import load_protocol
from experiments.simulate import simulate
from tests.needs import lacking
from tests.reference.oref0 import answers, questions
from twins import cohort as cohorts

LINES = {"IOB": forecast.IOB, "ZT": forecast.ZT, "COB": forecast.COB, "UAM": forecast.UAM}
SHOWN = {"rate": "rate_u_per_h", "duration": "duration_min", "units": "microbolus_u", "eventualBG": "eventual_mg_dl",
         "insulinReq": "required_u", "carbsReq": "carbs_required_g"}  # fmt: skip


@pytest.fixture(scope="module")
def said() -> list[Any]:
    return answers.kept()


def _histories(said: list[Any]) -> Iterator[tuple[questions.History, list[Any]]]:
    """Each day with the package's answers about it."""
    left = iter(said[len(questions.SETTINGS) * questions.STATES + questions.HISTORIES + 1 :])
    for day in questions.histories():
        yield day, [next(left) for _ in answers.of_history(day)]


@pytest.mark.parametrize("which", range(len(questions.SETTINGS)))
def test_every_decision_is_that_of_the_package(which: int, said: list[Any]) -> None:
    many, (of, microbolus) = questions.states(), questions.SETTINGS[which]
    ours, paths = determine(many.now, many.profile, many.activity, many.zero, of, microbolus)
    theirs = said[which * questions.STATES : (which + 1) * questions.STATES]
    for name, field in SHOWN.items():
        wanted = np.array([one.get(name, np.nan) for one in theirs], float)
        np.testing.assert_allclose(ours[field], wanted, rtol=0, atol=1e-9, err_msg=name)
    for one, path in zip(theirs, paths, strict=True):
        for name, line in one.get("predBGs", {}).items():
            drawn = np.floor(np.clip(path[LINES[name]], 39, 401) + 0.5)
            np.testing.assert_array_equal(drawn[: len(line)], line, err_msg=name)


def test_the_states_reach_every_rule() -> None:
    many, found = questions.states(), Counter[Why]()
    for of, microbolus in questions.SETTINGS:
        ours, _ = determine(many.now, many.profile, many.activity, many.zero, of, microbolus)
        found.update(Why(int(why)) for why in ours.reason)
        assert (ours.microbolus_u > 0).any() == microbolus and (ours.carbs_required_g > 0).any()
    assert set(found) == set(Why)
    assert sum(found.values()) >= 1000 and min(found.values()) >= 3, found


def test_insulin_acts_by_the_same_curve(said: list[Any]) -> None:
    theirs = said[len(questions.SETTINGS) * questions.STATES + questions.HISTORIES]
    wanted = [[one["iobContrib"], one["activityContrib"]] for one in theirs]
    minute = np.array(answers.CURVE_MIN, float)
    ours = np.stack([insulin_on_board(minute, PEAK_MIN, 360.0), activity(minute)], axis=1)
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-12)


def test_changes_of_glucose_and_deviations_are_the_same(said: list[Any]) -> None:
    for day, (status, slopes, *_) in _histories(said):
        ours = carbs.changes(day.readings, 5)
        assert ours == pytest.approx(
            (status["glucose"], status["delta"], status["short_avgdelta"], status["long_avgdelta"]), abs=1e-9
        )
        ours = carbs.slopes(day.readings, day.bgi, len(day.readings), 5)
        wanted = slopes["currentDeviation"], slopes["slopeFromMaxDeviation"], slopes["slopeFromMinDeviation"]
        assert ours == pytest.approx(wanted, abs=1e-6)


def _on_board(day: questions.History, bgi: Any) -> tuple[float, float, float]:
    found: tuple[float, float, float] = carbs.on_board(
        day.readings,
        bgi,
        len(day.readings),
        day.meal_age_min,
        day.meal_g,
        day.isf,
        day.ratio,
        day.least,
        120.0,
        5,
    )
    return found


def test_carbs_on_board_are_the_same(said: list[Any]) -> None:
    """Without insulin as the whole of the package has it; with insulin by what it says was absorbed of each meal.

    The package's whole cannot be asked with insulin: it leaves the clock of its first look at the meal set for the
    next ones, which then miss all boluses since.
    """
    some = 0
    for day, (_, _, *absorbed, meal, _, _) in _histories(said):
        eaten, rest, _ = _on_board(day, np.zeros_like(day.bgi))
        assert (eaten, rest) == (meal["carbs"], meal["mealCOB"])
        total = wanted = dropped = 0.0
        for grams, one in zip(day.meal_g.tolist(), absorbed, strict=False):
            total += grams
            mine = max(0.0, total - one["carbsAbsorbed"])
            wanted = max(wanted, mine)
            dropped = dropped + grams if mine < wanted else 0.0
        eaten, rest, _ = _on_board(day, day.bgi)
        assert (eaten, rest) == (total - dropped, np.floor(min(wanted, 120.0) + 0.5))
        some += rest > 0
    assert some > 10


@pytest.mark.slow
def test_autosens_is_the_same_over_8_and_24_hours(said: list[Any]) -> None:
    minute, found = questions.NOW_MS // 60_000 % 1440, []
    for day, (*_, eight, whole) in _histories(said):
        for lookback, theirs in zip(autosens.LOOKBACKS_MIN, (eight, whole), strict=True):
            ours = autosens.ratio(
                day.readings, day.bgi, day.iob, len(day.readings), day.meal_age_min, day.meal_g, minute, day.basal,
                day.basal, day.isf, day.ratio, day.least, 0.7, 1.2, 5, lookback, np.zeros(600),
            )  # fmt: skip
            assert ours == pytest.approx(theirs["ratio"], abs=1e-9)
            found.append(ours)
    assert len(set(found)) > 10


def _as_day(day: questions.History) -> Day:
    """The history oldest first. What happens at the moment of a reading is eaten after it, and given after it."""
    n = len(day.readings)
    carbs_g, net_u, age = np.zeros(n), np.zeros(n), 5.0 * np.arange(n)[::-1]
    for at, grams in zip(day.meal_age_min.tolist(), day.meal_g.tolist(), strict=True):
        carbs_g[int((age[0] - at) // 5) + 1] += grams
    given, units = (np.array(column) for column in zip(*day.boluses, strict=True))
    for at, dose in day.boluses:
        net_u[int(np.ceil((age[0] - at) / 5))] += dose
    since = given[:, None] - age
    acting = (since > 0) & (since < 360)
    iob = questions.up(units @ np.where(acting, insulin_on_board(since), 0.0), 3)
    acts = questions.up(units @ np.where(acting, activity(since), 0.0), 4)
    minute = (questions.NOW_MS / 60_000 - age) % 1440
    return Day(day.readings[::-1], minute, carbs_g, net_u, iob, acts)


def test_autotune_sorts_the_same_readings_and_finds_the_same_settings(said: list[Any]) -> None:
    first = len(questions.SETTINGS) * questions.STATES
    moved = Counter[str]()
    for day, theirs in zip(questions.histories(), said[first : first + questions.HISTORIES], strict=True):
        pump = Settings(np.full(24, day.basal), day.isf, day.ratio)
        found = sort(_as_day(day), pump)
        ours = tune(found, pump, pump)
        counts = [len(found.carbs), len(found.sensitivity), len(found.basal), len(found.meals)]
        assert counts == theirs["counts"]
        np.testing.assert_allclose(ours.basal_u_per_h, theirs["basals"], rtol=0, atol=1e-9)
        assert ours.isf_mg_dl_per_u == pytest.approx(theirs["isf"], abs=1e-9)
        assert ours.carb_ratio_g_per_u == pytest.approx(theirs["ratio"], abs=1e-9)
        moved["isf"] += ours.isf_mg_dl_per_u != day.isf
        moved["ratio"] += ours.carb_ratio_g_per_u != day.ratio
        moved["basal"] += bool((ours.basal_u_per_h != day.basal).any())
    assert min(moved.values()) > 20, moved


@pytest.mark.verify
def test_the_package_still_answers_so(tmp_path: Path, said: list[Any]) -> None:
    try:
        folder = answers.installed(tmp_path)
    except FileNotFoundError as error:
        lacking(str(error))
    assert answers.ask(folder, answers.questions()) == said


def test_records_that_do_not_fit_are_refused() -> None:
    many = questions.states(count=3)
    with pytest.raises(ValueError, match="records of agents.oref.situation"):
        determine(many.profile, many.profile, many.activity, many.zero, questions.SETTINGS[0][0], False)
    with pytest.raises(ValueError, match=rf"needed is \(3, {TICKS}\)"):
        determine(many.now, many.profile, many.activity[:2], many.zero, questions.SETTINGS[0][0], False)

@pytest.mark.slow
@pytest.mark.parametrize("agent", [Oref0, lambda: Oref0(MICROBOLUSES)])
def test_a_person_s_doses_do_not_depend_on_company(agent) -> None:  # type: ignore[no-untyped-def]
    """Bit for bit: alone, and among others in another order."""
    protocol = load_protocol("realistic").model_copy(update={"days": 1.0, "warmup_days": 0.0, "drawn_per_group": 0})
    many = cohorts.load(["child#003", "adult#001", "adolescent#002", "adult#007", "child#001"])
    whole = simulate(agent(), protocol, "rule", many).columns
    alone = simulate(agent(), protocol, "rule", cohorts.load("adult#001")).columns
    for name in ("basal_u_per_h", "bolus_u", "glucose_mg_dl"):
        np.testing.assert_array_equal(whole[name][1], alone[name][0], err_msg=name)
    assert alone["bolus_u"].sum() > 0
