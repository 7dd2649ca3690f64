"""Recordings of real people: what is read is counted again here with plain csv code."""

import csv
import gzip
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.needs import recordings_of
from twins.world.diary import as_scenario, summary
from twins.world.readers import people, read

pytestmark = pytest.mark.real


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _british(text: str) -> datetime:
    day, month, rest = text.strip().split("/")
    return datetime.fromisoformat(f"{rest[:4]}-{month}-{day}{rest[4:]}")


def _step(time: datetime) -> datetime:
    """The nearest full 5 min."""
    later = time + timedelta(seconds=150)
    return later - timedelta(minutes=later.minute % 5, seconds=later.second)


@pytest.mark.verify
def test_every_person_of_t1d_uom() -> None:
    folder = recordings_of("t1d_uom")
    ids = people(folder)
    assert len(ids) == len(list((folder / "glucose").iterdir())) >= 12
    for person in ids:
        diary = read(folder, person=person)
        readings = [
            (_british(row["bg_ts"]), 18.0182 * float(row["value"]))
            for row in _rows(folder / "glucose" / f"UoMGlucose{person}.csv.gz")
        ]
        if person != "2304":  # mixed with 2303, tested below
            known = np.isfinite(diary.glucose_mg_dl)
            assert known.sum() == len({_step(time) for time, _ in readings}), person
            lowest, highest = min(value for _, value in readings), max(value for _, value in readings)
            assert lowest - 1e-6 <= diary.glucose_mg_dl[known].min() < 72, person
            assert 270 < diary.glucose_mg_dl[known].max() <= highest + 1e-6 < 510, person
            assert diary.start.date() == _step(readings[0][0]).date()
        figures = summary(diary)
        assert 100 < figures.mean_glucose_mg_dl < 200 and 0.4 < figures.in_range < 0.95
        path = folder / "insulin" / f"UoMBolus{person}.csv.gz"
        if path.exists():
            end = diary.start + timedelta(days=diary.days)
            doses = [
                float(row["bolus_dose"])
                for row in _rows(path)
                if row["bolus_dose"] and diary.start <= _step(_british(row["bolus_ts"])) < end
            ]
            assert diary.bolus_u.sum() == pytest.approx(sum(dose for dose in doses if dose <= 60)), person
            assert 5 < figures.bolus_u_per_day < 60
        else:
            assert not diary.bolus_u.any() and np.isnan(figures.bolus_u_per_day)
        assert not (diary.basal_u_per_h > 8).any()
        assert np.isnan(figures.basal_u_per_day) or 5 < figures.basal_u_per_day < 80


def test_2304_of_t1d_uom_holds_own_readings_only() -> None:
    """Where 2303 wore a sensor the two files agree nearly always; what is left has one reading per 5 min."""
    folder = recordings_of("t1d_uom")
    own, other = read(folder, person="2304"), read(folder, person="2303")
    assert own.start == other.start
    days = slice(0, 30 * 288)  # after this, 2304 has no reading of its own until the end of the year
    both = np.isfinite(own.glucose_mg_dl[days]) & np.isfinite(other.glucose_mg_dl[days])
    assert both.sum() > 5000
    same = own.glucose_mg_dl[days][both] == other.glucose_mg_dl[days][both]
    assert same.mean() < 0.05
    gap = own.glucose_mg_dl[30 * 288 : 49 * 288]
    assert np.isfinite(gap).mean() < 0.02


@pytest.mark.slow
def test_injections_and_pumps_of_t1d_uom() -> None:
    folder = recordings_of("t1d_uom")
    injected = read(folder, person="2306")
    doses = [float(row["basal_dose"]) for row in _rows(folder / "insulin" / "UoMBasal2306.csv.gz")]
    assert np.nanmedian(injected.basal_u_per_h) == pytest.approx(np.median(doses) / 24)
    assert summary(injected).basal_u_per_day == pytest.approx(np.mean(doses), rel=0.05)
    pump = read(folder, person="2308")
    rates = {float(row["basal_dose"]) for row in _rows(folder / "insulin" / "UoMBasal2308.csv.gz")}
    assert {*pump.basal_u_per_h[np.isfinite(pump.basal_u_per_h)].tolist()} <= rates  # some last under 5 min
    assert np.nanmax(pump.basal_u_per_h) == max(rates) and np.isfinite(pump.basal_u_per_h).mean() > 0.8
    assert summary(pump).complete_days >= 50 and len(as_scenario(pump).days) >= 50


@pytest.mark.verify
def test_every_person_of_azt1d() -> None:
    folder = recordings_of("azt1d")
    ids = people(folder)
    assert len(ids) == len(list(folder.glob("subject_*"))) >= 17
    for person in ids:
        rows = _rows(folder / f"subject_{person}.csv.gz")
        glucose = next(name for name in rows[0] if "CGM" in name)
        events = {
            (row["EventDateTime"], float(row["TotalBolusInsulinDelivered"]), float(row["CarbSize"]))
            for row in rows
            if float(row["TotalBolusInsulinDelivered"] or 0) > 0 or float(row["CarbSize"] or 0) > 0
        }
        diary = read(folder, person=person)
        known = np.isfinite(diary.glucose_mg_dl)
        assert known.sum() == len({_step(datetime.fromisoformat(row["EventDateTime"])) for row in rows})
        values = [float(row[glucose]) for row in rows]
        assert min(values) <= diary.glucose_mg_dl[known].min() <= min(values) + 10
        assert max(values) >= diary.glucose_mg_dl[known].max() >= max(values) - 10
        assert diary.bolus_u.sum() == pytest.approx(sum(bolus for _, bolus, _ in events)), person
        assert diary.carbs_g.sum() == pytest.approx(sum(carbs for _, _, carbs in events)), person
        assert 0 < np.nanmax(diary.basal_u_per_h) < 6.2, person
        assert 20 < summary(diary).insulin_u_per_day < 200


def test_repairs_of_azt1d_10() -> None:
    """SOURCE.md: after repair of mU/h and of repeated rows this person is usable."""
    diary = read(recordings_of("azt1d"), person="10")
    assert "repeated rows of boluses and carbs left out: 100" in diary.notes
    assert any(note.startswith("basal rates above 8 taken as mU/h: 38") for note in diary.notes)
    figures = summary(diary)
    assert 5 < figures.bolus_u_per_day < 15 and 15 < figures.basal_u_per_day < 25
