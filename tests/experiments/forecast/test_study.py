"""From recordings to a table of bars: the split, the command, what it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.forecast.features import see
from agents.forecast.learn import Settings
from agents.forecast.saved import TRAINED, load
from agents.forecast.targets import ahead
from experiments.forecast import study
from experiments.forecast.judge import bars
from experiments.forecast.people import everybody, person, whole
from experiments.forecast.personal_twin import twin_guess
from experiments.forecast.scores import rmse
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
        held.take(slice(first - read, first - read + 2000)),
        theirs.take(slice(first - basal, None)),
    )
    assert ours.minute_of_day == theirs.minute_of_day == first * 5 % 1440
    for name in ("glucose_mg_dl", "carbs_g", "basal_u", "meal_bolus_u", "other_bolus_u"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name)[: len(ours)])
    assert np.isfinite(held.glucose_mg_dl[[0, -1]]).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("forecast")
    study.study(SIMULATED_DIARY, out, (), TINY, False, None, "a test", lambda line: None)
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
    ours, theirs = ((one / "table.md").read_text().split("| bar |") for one in (tmp_path, folder))
    assert ours[1] == theirs[1] and "Made by `python -m scripts.forecast" in ours[0]


def test_who_was_recorded_too_briefly_has_no_twin() -> None:
    held = person(whole(readers.read(SIMULATED_DIARY)))
    assert (
        twin_guess(held, held.starts(held.test))
        == "fewer than 10 days with known basal insulin before the test"
    )


def test_the_trained_forecaster_that_comes_along_can_be_used() -> None:
    record = wave(days=6, middle_mg_dl=150.0)
    seen = see(record)
    found = load(TRAINED, seen.names).of(seen, np.flatnonzero(seen.allowed)[100:])
    came = ahead(record, np.flatnonzero(seen.allowed)[100:], len(record)).glucose_mg_dl[:, 0]
    assert rmse(found.mean_mg_dl[:, 0], came) < 15 and (found.low_mg_dl < found.high_mg_dl).all()
    assert (found.low >= 0).all() and (found.low <= 1).all()


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
@pytest.mark.verify
def test_real_people_are_forecast_better_than_by_their_last_reading(tmp_path: Path) -> None:
    source = (recordings_folder() or Path()) / "azt1d"
    settings = Settings(rounds=4, every=2, batch=128, units=16, width=16, members=1, learning_rate=0.01)
    study.study(source, tmp_path, ("05", "15"), settings, True, None, "a test", lambda line: None)
    scores = json.loads((tmp_path / "numbers.json").read_text())["scores"]
    assert scores["forecaster"]["rmse_60"] < 0.95 * scores["last reading"]["rmse_60"]
    assert scores["forecaster"]["auc"] > 0.8
    assert scores["personal twin"]["people"] == 2 and scores["personal twin"]["auc"] > 0.7
    assert load(tmp_path, everybody(source, None, ["05"])[0][0].seen.names).sizes.units == 16


@pytest.mark.real
@pytest.mark.verify
def test_bars_on_everybody(tmp_path: Path) -> None:
    """What is met stays met. The lead is not: half of the events are announced less than 25 min before."""
    source = (recordings_folder() or Path()) / "azt1d"
    text = study.study(source, tmp_path, (), Settings(), True, None, "a test", lambda line: None)
    found = json.loads((tmp_path / "numbers.json").read_text())
    missed = [row["bar"] for row in found["bars"] if not row["met"]]
    assert missed in ([], ["median lead, min"]), text
    assert found["alarms"]["lead_min"] >= 20, text
    theirs = found["scores"]
    for rival in ("last reading", "ridge, readings alone", "ridge", "personal twin"):
        assert theirs["forecaster"]["rmse_60"] < theirs[rival]["rmse_60"], text
        assert theirs["forecaster"]["auc"] > theirs[rival]["auc"], text
    assert (
        found["overnight"]["forecaster"]["auc"]["value"]
        > found["overnight"]["glucose at bedtime"]["auc"]["value"]
    )
