"""Bouts in recordings: found in effort, told to a twin; real people where the recordings are."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from experiments.exercise import recorded
from tests.needs import recordings_of
from twins.inference.identify import WEAK
from twins.inference.record import record
from twins.inference.replay import forecasts
from twins.world import readers
from twins.world.diary import STEPS_PER_DAY, Diary, DiaryError
from twins.world.formats import t1d_uom_watch
from twins.world.formats.t1d_uom_habits import Activity


def test_effort_is_laid_on_the_days_of_the_diary_as_a_share_of_the_reserve() -> None:
    diary = _diary()
    met = np.full((3, STEPS_PER_DAY), 1.0)
    met[1, 150:159], met[1, 200:210] = 5.5, np.nan
    reserve = recorded.reserve_in_use(Activity(diary.start - timedelta(days=1), met * 0, met), diary)
    assert len(reserve) == len(diary.glucose_mg_dl)
    np.testing.assert_allclose(reserve[150:159], 0.5)
    assert reserve.sum() == pytest.approx(4.5)
    assert recorded.bouts(reserve).tolist() == [150]
    short = np.zeros(50)
    short[10:12] = 0.5
    assert recorded.bouts(short).tolist() == []  # ten minutes
    again = np.zeros(80)
    again[10:20], again[21:30], again[40:50] = 0.5, 0.5, 0.5
    assert recorded.bouts(again).tolist() == [10, 40]


def test_a_twin_that_is_told_of_work_foresees_lower_glucose_and_at_rest_the_same() -> None:
    plain = record(readers.read(readers.SIMULATED_DIARY))
    reserve = np.zeros(len(plain))
    reserve[2000:2012] = 0.5
    starts = np.array([1000, 2000])
    before, told, half = (
        forecasts(WEAK.mean[None], held, starts, 24)[0]
        for held in (plain, recorded.driven(plain, reserve), recorded.driven(plain, reserve, 0.5))
    )
    assert (told[0] == before[0]).all()
    assert (told[1, 3:] < half[1, 3:]).all() and (half[1, 3:] < before[1, 3:]).all()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: str) -> Path:
        (tmp_path / "sleep").mkdir(exist_ok=True)
        header = "sleep_ts,step_count,heart_rate,intensity,stress_level_value,sleep_level,resting_heart_rate"
        (tmp_path / "sleep" / "UoMsleep2399.csv").write_text("\n".join([header, *rows]) + "\n")
        return tmp_path

    return write


def _diary() -> Diary:
    return readers.read(readers.SIMULATED_DIARY)


def test_a_watch_is_laid_on_the_days_of_the_diary(folder: Callable[..., Path]) -> None:
    day = f"{_diary().start:%d/%m/%Y}"
    rows = [f"{day} 00:05,0,81,8,29,0,55", f"{day} 00:07,0,85,8,29,0,55", f"{day} 00:20,0,0,8,29,0,0"]
    rates = t1d_uom_watch.read(folder(*rows, "01/01/2001 00:00,0,99,0,0,0,40"), "2399", _diary())
    assert rates[1] == 83.0 and np.isfinite(rates).sum() == 1
    assert len(rates) == len(_diary().glucose_mg_dl)


def test_who_wore_no_watch_is_told_of(folder: Callable[..., Path]) -> None:
    where = folder("01/01/2001 00:00,0,99,0,0,0,40")
    with pytest.raises(DiaryError, match="no watch of person '2398'; known are 2399"):
        t1d_uom_watch.read(where, "2398", _diary())
    with pytest.raises(DiaryError, match=r"UoMsleep2399.csv: no heart rate on the days of"):
        t1d_uom_watch.read(where, "2399", _diary())


@pytest.mark.verify
def test_real_bouts_of_a_real_person() -> None:
    """One person of T1D-UOM: the committed row comes out again."""
    one = recorded.follow(recordings_of("t1d_uom"), "2304")
    text = recorded.table([one], [])
    kept = (Path(recorded.__file__).parents[2] / "results/physiology/bouts.md").read_text()
    mine = [line for line in text.splitlines() if line.startswith("| 2304")]
    assert len(mine) == len(recorded.HORIZONS_MIN) and all(line in kept for line in mine)
