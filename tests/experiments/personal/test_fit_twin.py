"""A diary becomes a folder with a twin and its card; what is read back is checked; what is wrong is said."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from experiments.personal.everybody import table
from experiments.personal.twin_file import load
from scripts import fit_twin
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, DAILY_INSULIN_U
from twins.inference.personal import NAMES
from twins.world.diary import DiaryError
from twins.world.readers import SIMULATED_DIARY

ARGV = [str(SIMULATED_DIARY), "--fit-days", "6", "--test-days", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("twin")
    assert fit_twin.main([*ARGV, "--out", str(out)]) == 0
    return out


def test_the_card_says_what_may_be_done_with_the_twin(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert set(card["rmse_mg_dl"]) == set(card["rmse_mg_dl_causal"]) == {"60", "120", "240"}
    assert set(card["rmse_mg_dl_references"]) == {
        "persistence",
        "time_of_day_mean",
        "population_twin",
        "ridge",
    }
    assert card["accepted"] is True and card["light"] in ("green", "amber") and card["reasons"] == []
    assert card["rmse_mg_dl"]["240"] < card["rmse_mg_dl_references"]["persistence"]["240"]
    fall = card["fall_mg_dl_per_u"]
    assert fall["low"] < fall["value"] < fall["high"]
    assert 0.5 < card["coverage"]["90"] <= 1 and card["fit_days"] == 6 and card["test_days"] == 2
    text = (folder / "card.md").read_text("utf-8")
    assert "not a medical device" in text and f"{card['rmse_mg_dl']['60']:.1f}" in text
    assert all((folder / name).read_bytes().startswith(b"<?xml") for name in ("overlay.svg", "errors.svg"))


def test_the_card_expires_two_weeks_after_the_last_day(folder: Path) -> None:
    days = [line[:10] for line in SIMULATED_DIARY.read_text("utf-8").splitlines() if line[:2] == "20"]
    from datetime import date, timedelta

    last = date.fromisoformat(days[0]) + timedelta(days=8)
    assert json.loads((folder / "card.json").read_text("utf-8"))["expires"] == str(last + timedelta(days=14))


def test_a_twin_is_read_back(folder: Path) -> None:
    twin = load(folder / "twin.json")
    assert twin.forecast.shape == (len(NAMES),) and twin.band.shape == (4, 48)
    draws, weight = twin.belief.theta, twin.belief.weight
    assert draws.shape == (len(weight), len(NAMES)) and weight.sum() == pytest.approx(1)
    assert twin.accepted and twin.therapy[BASAL_U_PER_H] == twin.planned_basal_u_per_h > 0
    assert twin.therapy[CARB_RATIO_G_PER_U] * twin.therapy[DAILY_INSULIN_U] == pytest.approx(500)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 1}, "of another version"),
        ({"names": ["a"]}, "of another version"),
        ({"forecast": None}, "forecast is 'None'; needed is list"),
        ({"forecast": [0.0] * 3}, r"forecast has shape \(3,\); needed are finite numbers"),
        ({"forecast": [99.0] * 17}, "needed are finite numbers"),
        ({"forecast": ["a"] * 17}, "is no table of numbers"),
        ({"draws": [[0.0] * 17]}, r"draws has shape \(1, 17\)"),
        ({"weights": [-1.0, 2.0]}, "draws has shape"),
        ({"weight_kg": 1000.0}, r"weight_kg is 1000.0; allowed is 10 \.\.\. 300"),
        ({"therapy": [0.0] * 7}, "therapy has settings that are not above 0"),
        ({"therapy": [1.0] * 6}, r"therapy has shape \(6,\)"),
        ({"carbs_g_per_day": 0.0}, r"carbs_g_per_day is 0.0; allowed is 1.0 \.\.\. 1000"),
        ({"accepted": "yes"}, "accepted is 'yes'; needed is bool"),
        ({"weight_kg": "75"}, "weight_kg is '75'; needed is float"),
    ],
)
def test_a_file_that_was_edited_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    held = json.loads((folder / "twin.json").read_text("utf-8")) | change
    (tmp_path / "twin.json").write_text(json.dumps(held))
    with pytest.raises(ValueError, match=says):
        load(tmp_path / "twin.json")
    del held["draws"]
    (tmp_path / "twin.json").write_text(json.dumps(held | {"format": 2}))
    with pytest.raises(ValueError):
        load(tmp_path / "twin.json")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (
            ["--fit-days", "10", "--test-days", "40"],
            "days 11 to 50 were asked for|days 1 to 50 were asked for",
        ),
        (["--fit-days", "0"], "days 1 to "),
        (["--test-days", "0"], "days 1 to |days 7 to 6"),
        (["--weight-kg", "7"], "weight is 7; allowed is 10"),
        (["--correction-factor", "0.5"], "correction factor is 0.5"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, argv: list[str], says: str) -> None:
    with pytest.raises((DiaryError, ValueError), match=says):
        fit_twin.main([*ARGV, *argv, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out" / "twin.json").exists()


@pytest.mark.slow
def test_an_update_fits_all_days_and_judges_the_twin_before(folder: Path, tmp_path: Path) -> None:
    argv = [str(SIMULATED_DIARY), "--test-days", "2", "--update", str(folder), "--out", str(tmp_path / "new")]
    assert fit_twin.main(argv) == 0
    card = json.loads((tmp_path / "new" / "card.json").read_text("utf-8"))
    assert card["fit_days"] > 6 and card["twin_before"]["drifted"] is False
    assert "not drifted away" in (tmp_path / "new" / "card.md").read_text("utf-8")
    stranger = json.loads((folder / "twin.json").read_text("utf-8")) | {"who": "somebody else"}
    (tmp_path / "twin.json").write_text(json.dumps(stranger))
    with pytest.raises(ValueError, match="holds the twin of somebody else"):
        fit_twin.main([*argv[:4], str(tmp_path), *argv[5:]])


def test_the_table_of_everybody_hides_nobody(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text("utf-8"))
    refused = card | {
        "light": "red",
        "reasons": ["0 g of carbs a day"],
        "quality_reasons": ["0 g of carbs a day"],
    }
    text = table({"01": card, "02": refused}, {"03": "no basal insulin is recorded"})
    assert "median of 1 whose record suffices" in text
    assert "- 02 may not be used: 0 g of carbs a day" in text and "- 03 has no twin: no basal" in text


def test_the_page_shows_what_was_found_and_no_dose(folder: Path) -> None:
    text = (folder / "report.html").read_text("utf-8")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert text.count("<svg role") == 4 and text.count("not a medical device") >= 2
    for name, said in (("record", "meals"), ("card", "last reading"), ("limits", "expires")):
        assert f'id="{name}"' in text and said in text
    assert f"{card['rmse_mg_dl']['60']:.1f}" in text and 'id="policies"' not in text and "https:" not in text
    seen = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", text, flags=re.S)
    assert not re.search(r"\d ?U\b", seen), "effects, and no dose"
