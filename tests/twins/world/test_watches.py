"""Recordings of watches: an actigraph, and nights and steps of T1D-UOM; made up ones here, real ones counted again."""

import csv
import gzip
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.needs import recordings_of
from twins.world.diary import DiaryError
from twins.world.formats import actiwatch, t1d_uom_habits

HEAD = "Date,Time,Activity,White Light,Sleep/Wake\n"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_epochs_become_steps_of_five_minutes(tmp_path: Path) -> None:
    night = [f"2/20/2019,3:{k:02d}:00 AM,0,0,0" for k in range(10)]
    lines = [f"2/20/2019,12:0{k // 2}:{30 * (k % 2):02d} PM,{k},{10 * k},{int(k > 1)}" for k in range(4)]
    held = actiwatch.read(
        _write(
            tmp_path / "a.csv",
            HEAD
            + "\n".join([*night, "2/20/2019,3:00:00 PM,50,5,1", *lines, "2/20/2019,11:58:00 PM,7,NaN,NaN"]),
        )
    )
    assert held.start == datetime(2019, 2, 20)
    noon = 144
    assert held.movement[noon] == 1.5 and held.lux[noon] == 15.0 and held.asleep[noon] == 0.5
    assert held.movement[288] == 7  # two minutes before midnight are nearest to it
    assert np.isnan(held.lux[0]) and np.isnan(held.asleep[200]) and held.asleep[37] == 1.0


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("20.2.2019,12:00:00 PM,1,1,1", "is not a time"),
        ("2/20/2019,12:00:00 PM,-3,1,1", "allowed are 0 to"),
        ("2/20/2019,12:00:00 PM,1,1e9,1", "allowed are 0 to"),
        ("2/20/2019,12:00:00 PM,1,1,0.5", "allowed are 0 .asleep. and 1"),
    ],
)
def test_what_no_epoch_can_be_is_refused(tmp_path: Path, line: str, hint: str) -> None:
    with pytest.raises(DiaryError, match=hint):
        actiwatch.read(_write(tmp_path / "a.csv", HEAD + "\n".join([line] * 4)))


def test_scores_the_other_way_round_and_mistyped_years_are_refused(tmp_path: Path) -> None:
    rows = [
        f"2/20/2019,{hour}:00:00 {half},{5 if half == 'AM' else 90},1,{int(half == 'PM')}"
        for half in ("AM", "PM")
        for hour in range(1, 12)
    ]
    assert actiwatch.read(_write(tmp_path / "a.csv", HEAD + "\n".join(rows))).movement[156] == 90
    turned = [row[:-1] + str(1 - int(row[-1])) for row in rows]
    with pytest.raises(DiaryError, match="as much movement asleep as awake"):
        actiwatch.read(_write(tmp_path / "a.csv", HEAD + "\n".join(turned)))
    with pytest.raises(DiaryError, match="2 of 366 days"):
        actiwatch.read(_write(tmp_path / "a.csv", HEAD + "\n".join([*rows, "2/20/2020,1:00:00 PM,90,1,1"])))


def test_a_folder_holds_one_recording(tmp_path: Path) -> None:
    with pytest.raises(DiaryError, match="0 files"):
        actiwatch.find(tmp_path)
    path = _write(tmp_path / "my_actiwatch.csv", HEAD)
    assert actiwatch.find(tmp_path) == path
    _write(tmp_path / "other_actiwatch.csv", HEAD)
    with pytest.raises(DiaryError, match="2 files"):
        actiwatch.find(tmp_path)


def _uom(folder: Path, night: str = "01/10/2023 20:51,33840,3600,2340") -> Path:
    _write(
        folder / "sleep" / "UoM9sleeptime.csv",
        "start_date_ts,duration_in_sec,start_time_offset_s,awake_s\n" + night,
    )
    _write(
        folder / "activity" / "UoMActivity9.csv",
        "activity_ts,step_count,activity_type,active_time_s,met\n01/10/2023 05:45,200,WALKING,600,4\n"
        "01/10/2023 05:45,100,GENERIC,300,1\n01/10/2023 05:45,100,GENERIC,300,1\n",
    )
    return folder


def test_nights_are_of_the_local_clock_and_steps_are_spread_over_their_bout(tmp_path: Path) -> None:
    held, active = t1d_uom_habits.nights(_uom(tmp_path), "9"), t1d_uom_habits.activity(tmp_path, "9")
    assert held.fell[0] == np.datetime64("2023-10-01T21:51:00")
    assert held.woke[0] - held.fell[0] == np.timedelta64(33840, "s")
    assert held.awake_h[0] == pytest.approx(0.65)
    assert active.steps.shape == (1, 288)
    assert active.steps[0, 69:72].tolist() == [100.0] * 3
    assert np.isnan(active.steps[0, 68]) and np.isnan(active.steps[0, 72])
    assert active.met[0, 69:72].tolist() == pytest.approx([3.0] * 3)
    assert t1d_uom_habits.people(tmp_path) == ("9",) == t1d_uom_habits.active_people(tmp_path)


def test_nights_that_cannot_be_are_refused_and_who_is_missing_is_named(tmp_path: Path) -> None:
    for night in (
        "31/12/9999 20:51,3600,0,0",
        "01/10/2023 20:51,3600,1,0",
        "01/10/2023 20:51,-5,0,0",
        "01/10/2023 20:51,9999999,0,0",
        "01/10/2023 20:51,3600,0,7200",
    ):
        with pytest.raises(DiaryError, match="UoM9sleeptime"):
            t1d_uom_habits.nights(_uom(tmp_path, "\n".join([night] * 4)), "9")
    with pytest.raises(DiaryError, match="take one of them"):
        t1d_uom_habits.nights(tmp_path, "10")
    with pytest.raises(DiaryError, match="of: 9; take one of them"):
        t1d_uom_habits.activity(tmp_path, "10")


@pytest.mark.slow
@pytest.mark.real
def test_the_real_actigraph_is_as_plain_code_counts_it() -> None:
    path = actiwatch.find(recordings_of("circadian_arcascope"))
    held = actiwatch.read(path)
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        found = [row for row in csv.DictReader(file)]
    assert len(held.lux) == 20 * 288
    first = datetime(2019, 2, 22, 14, 0)
    window = [
        float(row["White Light"])
        for row in found
        if abs(datetime.strptime(f"{row['Date']} {row['Time']}", "%m/%d/%Y %I:%M:%S %p") - first)
        < timedelta(minutes=2.4)
    ]
    at = int((first - held.start) / timedelta(minutes=5))
    assert held.lux[at] == pytest.approx(np.mean(window), rel=0.15)
    assert held.movement[np.nan_to_num(held.asleep) > 0.9].mean() < 0.3 * np.nanmean(held.movement)


@pytest.mark.slow
@pytest.mark.real
def test_real_nights_lie_in_the_night_and_steps_add_up() -> None:
    folder = recordings_of("t1d_uom")
    ids = t1d_uom_habits.people(folder)
    assert len(ids) >= 11
    assert all(len(t1d_uom_habits.nights(folder, person).fell) > 30 for person in ids)
    for person in ids[:3]:
        held, active = t1d_uom_habits.nights(folder, person), t1d_uom_habits.activity(folder, person)
        hours = (held.fell - held.fell.astype("datetime64[D]")).astype(float) / 3600
        assert 21 < np.median((hours - 12) % 24 + 12) < 28
        paths = sorted((folder / "activity").glob(f"UoMActivity{person}*"))
        with gzip.open(paths[0], "rt", encoding="utf-8-sig", newline="") as file:
            rows = {tuple(row.values()): float(row["step_count"] or 0) for row in csv.DictReader(file)}
        assert 0.98 * sum(rows.values()) < np.nansum(active.steps) <= 1.001 * sum(rows.values())
