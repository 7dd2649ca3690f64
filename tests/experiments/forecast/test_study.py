"""From recordings to a table of bars: the split, the command, what it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.forecast.learn import Settings
from agents.forecast.saved import load
from experiments.forecast import study
from experiments.forecast.judge import bars
from experiments.forecast.people import cut, everybody, person, whole
from scripts import forecast
from tests.agents.forecast.waves import wave
from twins.inference.record import record
from twins.world import readers
from twins.world.diary import DiaryError
from twins.world.readers import SIMULATED_DIARY, recordings_folder

TINY = Settings(rounds=2, every=1, batch=64, units=6, width=8, members=1, learning_rate=0.02)


def test_the_parts_follow_each_other_in_time_and_nothing_is_read_beyond_them() -> None:
    held = person(wave(days=10))
    assert (held.train, held.hold, held.test) == (slice(0, 2016), slice(2016, 2304), slice(2304, 2880))
    for part in (held.train, held.hold, held.test):
        one = held.examples(part)
        assert part.start <= one.starts.min() and one.starts.max() + 12 < part.stop
        assert np.isfinite(held.record.glucose_mg_dl[one.starts]).all()
    with pytest.raises(DiaryError, match="needed are 5"):
        person(wave(days=4))


def test_the_whole_record_is_that_of_a_twin_where_basal_is_known() -> None:
    diary = readers.read(SIMULATED_DIARY)
    held, theirs = whole(diary), record(diary)
    basal, read = (
        int(np.flatnonzero(np.isfinite(one))[0]) for one in (diary.basal_u_per_h, diary.glucose_mg_dl)
    )
    first = max(basal, read)
    ours, theirs = (
        cut(held, slice(first - read, first - read + 2000)),
        cut(theirs, slice(first - basal, None)),
    )
    assert ours.minute_of_day == theirs.minute_of_day == first * 5 % 1440
    for name in ("glucose_mg_dl", "carbs_g", "basal_u", "meal_bolus_u", "other_bolus_u"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name)[: len(ours)])
    assert np.isfinite(held.glucose_mg_dl[[0, -1]]).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("forecast")
    study.study(SIMULATED_DIARY, out, (), TINY, False, None, lambda line: None)
    return out


def test_the_command_writes_what_it_says(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = json.loads((folder / "numbers.json").read_text())
    assert [row["bar"] for row in found["bars"]][:2] == [
        "RMSE at 60 min, mg/dL",
        "AUC of a low within 60 min",
    ]
    assert {"forecaster", "last reading", "ridge", "gradient boosting"} <= set(found["scores"])
    assert found["windows"] > 300 and 0 <= found["coverage_60_min"] <= 1
    assert all(
        (folder / name).read_bytes().startswith(b"<?xml") for name in study.FILES if name.endswith(".svg")
    )
    argv = [str(SIMULATED_DIARY), "--trained", str(folder), "--no-twins", "--out", str(tmp_path)]
    assert forecast.main(argv) == 0
    told = capsys.readouterr().out
    assert "not a medical device" in told and "| RMSE at 60 min, mg/dL |" in told
    again = json.loads((tmp_path / "numbers.json").read_text())
    assert again == found, "what was saved and loaded judges the same"
    assert (tmp_path / "table.md").read_bytes() == (folder / "table.md").read_bytes()


def test_a_bar_that_is_not_reached_is_said_to_be_missed() -> None:
    found = {
        "scores": {"forecaster": {"rmse_60": 30.6, "auc": 0.91}}, "coverage_60_min": 0.94,
        "alarms": {"recall": 0.8, "false_per_day": 1.01, "lead_min": float("nan")},
    }  # fmt: skip
    assert [row["met"] for row in bars(found)] == [False, True, True, False, False, False]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--people", "x"], "has no x"),
        (["--rounds", "0"], "--rounds is at least 1"),
        (["--trained", "nowhere"], "no manifest.json in nowhere"),
    ],
)
def test_what_cannot_be_is_said(argv: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, OSError), match=says):
        forecast.main([str(SIMULATED_DIARY), *argv, "--out", str(tmp_path)])


@pytest.mark.real
@pytest.mark.slow
def test_real_people_are_forecast_better_than_by_their_last_reading(tmp_path: Path) -> None:
    source = (recordings_folder() or Path()) / "azt1d"
    settings = Settings(rounds=2, every=2, units=16, width=16, members=1)
    study.study(source, tmp_path, ("05", "15"), settings, False, None, lambda line: None)
    scores = json.loads((tmp_path / "numbers.json").read_text())["scores"]
    assert scores["forecaster"]["rmse_60"] < 0.9 * scores["last reading"]["rmse_60"]
    assert scores["forecaster"]["auc"] > 0.8
    assert load(tmp_path, everybody(source, None, ["05"])[0][0].seen.names).sizes.units == 16


@pytest.mark.real
@pytest.mark.verify
def test_bars_on_everybody(tmp_path: Path) -> None:
    """The bars that are met stay met; those that are missed are named in the table, and here by what they reach."""
    source = (recordings_folder() or Path()) / "azt1d"
    text = study.study(source, tmp_path, (), Settings(), True, None, lambda line: None)
    found = json.loads((tmp_path / "numbers.json").read_text())
    reached = {row["bar"]: row for row in found["bars"]}
    for bar in study.MET:
        assert reached[bar]["met"], text
