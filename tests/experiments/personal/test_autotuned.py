"""autotune on a diary: it moves wrong settings the right way, within its bounds, and shows no dose."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.oref.autotune import LEAST, MOST, tune
from agents.oref.sorting import Settings, Sorted, Told
from experiments.personal import autotuned
from experiments.simulated_diary import simulated_diary
from scripts import autotune as script
from twins.inference.record import Record, record
from twins.world.formats.plain import write_csv


@pytest.fixture(scope="module")
def known() -> Record:
    return record(simulated_diary(7))


def test_settings_come_from_the_diary_or_the_rules(known: Record) -> None:
    found = autotuned.settings_of(known)
    assert found.isf_mg_dl_per_u == pytest.approx(1700 / known.daily_insulin_u)
    assert found.carb_ratio_g_per_u == pytest.approx(500 / known.daily_insulin_u)
    assert (found.basal_u_per_h == known.planned_basal_u_per_h).all()
    assert autotuned.settings_of(known, 40.0, 9.0).isf_mg_dl_per_u == 40.0


def test_a_schedule_without_deviations_of_insulin_has_no_net_insulin(known: Record) -> None:
    flat = replace(
        known, basal_u=np.full(len(known), 1.0 / 12), meal_bolus_u=np.zeros(len(known)),
        other_bolus_u=np.zeros(len(known)), planned_basal_u_per_h=1.0,
    )  # fmt: skip
    pump = Settings(np.full(24, 1.0), 40.0, 10.0)
    for day in autotuned.days_of(flat, pump):
        np.testing.assert_allclose(np.stack([day.net_u, day.iob_u, day.activity_u_per_min]), 0, atol=1e-12)


def test_a_bolus_is_on_board_after_its_step_and_gone_after_six_hours(known: Record) -> None:
    dose = np.zeros(len(known))
    dose[20] = 2.0
    one = replace(known, basal_u=np.full(len(known), 0.6 / 12), meal_bolus_u=dose, other_bolus_u=0 * dose)
    pump = Settings(np.full(24, 0.6), 40.0, 10.0)
    day = autotuned.days_of(one, pump)[0]
    assert day.iob_u[20] == pytest.approx(0, abs=1e-6) and day.net_u[21] == pytest.approx(2)
    assert 1.9 < day.iob_u[21] < 2.0 and day.iob_u[21 + 72] == pytest.approx(0, abs=1e-3)
    assert day.activity_u_per_min.sum() * 5 == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(("rises", "wanted"), [(True, 1), (False, -1)])
def test_glucose_that_drifts_in_the_morning_moves_the_hours_before_it(
    known: Record, rises: bool, wanted: int
) -> None:
    """Fasting days with a drift from 06:00 to 07:00: basal of 03:00 to 06:00 goes along, evening hours do not."""
    n = len(known)
    minute = (known.minute_of_day + 5 * np.arange(n)) % 1440
    drift = np.where((minute >= 360) & (minute < 420), 5.0 if rises else -5.0, 0.0)
    back = np.where((minute >= 600) & (minute < 720), -drift.max() / 2 if rises else 2.5, 0.0)
    level = 140 + np.cumsum(drift + back)
    zero = np.zeros(n)
    fasting = replace(
        known, glucose_mg_dl=level, carbs_g=zero, basal_u=np.full(n, 1.0 / 12), meal_bolus_u=zero, other_bolus_u=zero,
        planned_basal_u_per_h=1.0,
    )  # fmt: skip
    pump = Settings(np.full(24, 1.0), 40.0, 10.0)
    found = autotuned.tuned(fasting, pump)
    change = found.tuned.basal_u_per_h - 1
    assert (np.sign(change[4:6]) == wanted).all(), change
    assert abs(change[4]) > abs(change[20])
    assert found.tuned.isf_mg_dl_per_u == 40.0 and found.tuned.carb_ratio_g_per_u == 10.0


def test_nothing_goes_beyond_the_bounds_around_the_pump(known: Record) -> None:
    pump = autotuned.settings_of(known)
    found = autotuned.tuned(known, pump)
    assert found.days == 7
    factor = found.tuned.basal_u_per_h / pump.basal_u_per_h
    assert (factor >= LEAST - 0.01).all() and (factor <= MOST + 0.01).all()
    assert 1 / MOST <= found.tuned.isf_mg_dl_per_u / pump.isf_mg_dl_per_u <= 1 / LEAST
    assert (factor != 1).any()


def test_the_script_shows_relative_changes_and_no_dose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(simulated_diary(7), tmp_path / "mine.csv", "simulated")
    assert script.main([str(tmp_path / "mine.csv"), "--days", "5", "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "autotune.md").read_text("utf-8")
    assert text in capsys.readouterr().out and "5 days" in text and "not a medical device" in text
    assert " U" not in text and "mg/dL" not in text and text.count("%") == 27


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--carb-ratio", "-3"], "--carb-ratio is -3 g per U; allowed is 2 to 150"),
        (["--correction-factor", "50", "--unit", "mmol/L"], r"--correction-factor is 90\d\.?\d* mg/dL per U; allowed"),
        (["--correction-factor", "inf"], "--correction-factor is inf"),
        (["--unit", "mmol/L"], "which is not given; give both"),
        (["--days", "0"], "--days is 0; give 1 or more"),
        (["--days", "40"], "days 1 to 40 were asked for"),
    ],
)
def test_bad_words_are_refused(words: list[str], said: str, tmp_path: Path) -> None:
    write_csv(simulated_diary(3), tmp_path / "mine.csv", "simulated")
    with pytest.raises(ValueError, match=said):
        script.main([str(tmp_path / "mine.csv"), *words, "--out", str(tmp_path / "out")])


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="24 rates of 0 U/h or more"):
        Settings(np.zeros(24), 40.0, 10.0)


@pytest.mark.parametrize("count", [10, 11])
def test_readings_without_insulin_tell_nothing_of_sensitivity(count: int) -> None:
    """Neither a deviation of zero over an effect of zero, nor one that would be infinite."""
    told = [Told(0, float(k % 2), 0.0) for k in range(count)]
    pump = Settings(np.full(24, 1.0), 50.0, 10.0)
    found = tune(Sorted(sensitivity=told), pump, pump)
    assert found.isf_mg_dl_per_u == 50.0
    mixed = tune(Sorted(sensitivity=[*told, *[Told(0, 1.0, -2.0)] * 20]), pump, pump)
    assert 40.0 < mixed.isf_mg_dl_per_u < 50.0
