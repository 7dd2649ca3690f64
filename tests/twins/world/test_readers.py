"""Reading recordings: what comes out, what errors say, traps of the published data sets (made-up rows)."""

import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from twins.world.diary import STEPS_PER_DAY, Diary, DiaryError
from twins.world.formats.plain import write_csv
from twins.world.readers import people, read, recordings_folder

HEADER = "time,glucose_mg_dl,carbs_g,bolus_u,basal_u_per_h"
DAY = [f"2024-01-31T{minute // 60:02d}:{minute % 60:02d},120,,," for minute in range(0, 1440, 5)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines to a file below the test's folder and return its path; the name decides about gzip."""

    def write(name: str, *lines: str, end: str = "\n", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = (end.join(lines) + end).encode(encoding)
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return path

    return write


def _known(values: np.ndarray) -> dict[int, float]:
    """Steps with a value that is neither 0 nor NaN."""
    return {int(step): float(values[step]) for step in np.flatnonzero(np.nan_to_num(values))}


# The plain format


def test_plain_csv(write: Callable[..., Path]) -> None:
    rows = DAY.copy()
    rows[96] = "2024-01-31T08:00:00,121.5,50,4.5,0.8"
    rows[200] = "2024-01-31 16:42,140,,0.25,unknown"
    diary = read(write("me.csv", "# from my pump", HEADER, *rows, "2024-02-01T00:02,,12,,0.5"))
    assert diary.who == "me" and diary.start == datetime(2024, 1, 31) and diary.days == 2
    assert diary.glucose_mg_dl[96] == 121.5 and np.isnan(diary.glucose_mg_dl[288:]).all()
    assert _known(diary.carbs_g) == {96: 50, 288: 12}
    assert _known(diary.bolus_u) == {96: 4.5, 200: 0.25}
    held = np.full(576, np.nan)
    held[96:120], held[288:312] = 0.8, 0.5  # unchanged for 2 h and not longer
    np.testing.assert_array_equal(diary.basal_u_per_h, held)


def test_readings_in_mmol_l_have_a_column_of_their_own(write: Callable[..., Path]) -> None:
    rows = [row.replace("120", "6.7") for row in DAY]
    diary = read(write("me.csv", HEADER.replace("mg_dl", "mmol_l"), *rows))
    np.testing.assert_allclose(diary.glucose_mg_dl, 6.7 * 18.0182)


def test_the_word_unknown_ends_a_rate_at_once(write: Callable[..., Path]) -> None:
    rows = DAY.copy()
    rows[10], rows[14] = rows[10] + "1.5", rows[14] + "unknown"
    assert _known(read(write("me.csv", HEADER, *rows)).basal_u_per_h) == {10: 1.5, 11: 1.5, 12: 1.5, 13: 1.5}


def test_events_go_to_the_nearest_step(write: Callable[..., Path]) -> None:
    rows = ["2024-01-30T23:57:29,100,,,", "2024-01-30T23:57:30,100,1,1,", "2024-01-31T00:02:29,130,2,2,"]
    diary = read(write("me.csv", HEADER, *rows, *DAY[1:]))
    assert diary.days == 2 and diary.carbs_g[288] == 3 and diary.bolus_u[288] == 3
    assert diary.glucose_mg_dl[287:289].tolist() == [100, 115]


def test_gzip_bom_crlf_blank_lines_order_and_other_columns(write: Callable[..., Path]) -> None:
    rows = [f"x,{','.join(reversed(row.split(',')))}," for row in DAY]
    lines = ["\ufeffnote,basal_u_per_h,bolus_u,carbs_g, glucose_mg_dl,time,", "", *rows]
    diary = read(write("me.csv.gz", *lines, end="\r\n"), person="Ada")
    assert diary.who == "Ada" and (diary.glucose_mg_dl == 120).all()


def test_round_trip(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    steps = 3 * STEPS_PER_DAY
    glucose = np.where(rng.random(steps) < 0.3, np.nan, rng.uniform(60, 250, steps))
    carbs, bolus = (np.where(rng.random(steps) < 0.02, rng.uniform(0.1, 9, steps), 0) for _ in range(2))
    basal = rng.uniform(0, 3, steps)
    basal[100:400], basal[410:412], basal[-20:] = np.nan, np.nan, np.nan
    glucose[[0, -1]] = 100.0
    diary = Diary("me", datetime(2024, 1, 31), glucose, carbs, bolus, basal)
    write_csv(diary, tmp_path / "me.csv", "a comment")
    assert (tmp_path / "me.csv").read_text().startswith("# a comment\ntime,")
    again = read(tmp_path / "me.csv")
    assert (again.who, again.start) == (diary.who, diary.start)
    for name in ("glucose_mg_dl", "carbs_g", "bolus_u", "basal_u_per_h"):
        np.testing.assert_array_equal(getattr(again, name), getattr(diary, name), name)
    assert [path.name for path in tmp_path.iterdir()] == ["me.csv"]
    with pytest.raises(DiaryError, match="several lines"):
        write_csv(diary, tmp_path / "me.csv", "a\nb")


def _with(line: int, text: str) -> list[str]:
    """A good day with another line; the header is line 1."""
    lines = [HEADER, *DAY]
    lines[line - 1] = text
    return lines


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER.replace("cose_mg_dl", "cose")], "'glucose_mg_dl' or 'glucose_mmol_l'; did you mean 'glucose'.*rename"),
        (["time,a,carbs_g,bolus_u,b"], "or 'glucose_mmol_l'. Given are time, a, .*; rename or add it"),
        ([HEADER.replace(",", ";")], "no column 'time'.*separate the fields by commas"),
        ([HEADER.replace("mg_dl", "mmol_l"), *DAY], "line 2, column glucose_mmol_l: 120 .*mg/dL divided by 18.0182"),
        ([HEADER + ",glucose_mmol_l", *DAY], "columns 'glucose_mg_dl' and 'glucose_mmol_l'; keep one"),
        ([HEADER + ",time", *DAY], "column 'time' is there 2 times"),
        ([HEADER], "a header but no rows"),
        ([""], "the file is empty"),
        (["# only", "# comments"], "the file is empty"),
        ([HEADER, *DAY[:280]], r"recorded over 23.5 h; needed are at least 24 h"),
        ([HEADER, *(row.replace("120", "") for row in DAY)], "no glucose reading"),
        ([HEADER, *(row.replace("120", "6.7") for row in DAY)], "mean of 6.7, which is mmol/L.*18.0182"),
        (_with(9, "2024-01-31T00:35,9,,,"), "line 9, column glucose_mg_dl: 9 was given; allowed are 10 to"),
        (_with(9, "2024-01-31T00:35,120,,,0,9"), "line 9: 6 fields were given, the header has 5"),
        (_with(9, "2024-01-31T00:35,120"), "line 9: 2 fields were given, the header has 5"),
        (_with(9, "31/01/2024 00:35,120,,,"), "line 9, column time: '31/01/2024 .*is not a time.*ISO 8601"),
        (_with(9, "2024-01-31T00:35Z,120,,,"), "line 9, column time: .* offset from UTC; write local clock"),
        (_with(9, "2024-01-31T00:30,120,,,"), "line 9, column time: .* was given after .*merge the two rows"),
        (_with(9, "2024-01-31T00:25,120,,,"), "line 9, column time: .* was given after .*sort the rows"),
        (_with(2, "2014-01-31T00:00,120,,,"), "spans 3653 days, 2014-01-31 to 2024-01-31.*mistyped year"),
        (_with(9, "2024-01-31T00:35,high,,,"), "line 9, column glucose_mg_dl: 'high' is not a number"),
        (_with(9, '2024-01-31T00:35,"120,5",,,'), "'120,5' is not a number.*decimals with a point"),
        (_with(9, "2024-01-31T00:35,nan,,,"), "'nan' is not a finite number; leave the field empty"),
        (_with(9, "2024-01-31T00:35,120,,inf,"), "column bolus_u: 'inf' is not a finite number"),
        (_with(9, "2024-01-31T00:35,120,-5,,"), "column carbs_g: -5 was given; allowed are 0 to 500 g"),
        (_with(9, "2024-01-31T00:35,120,,900,"), "column bolus_u: 900 was given; allowed are 0 to 60 U"),
        (_with(9, "2024-01-31T00:35,120,,,850"), "column basal_u_per_h: 850 .*0 to 8 U/h; divide mU/h by"),
    ],
)
def test_errors_name_file_line_and_remedy(lines: list[str], message: str, write: Callable[..., Path]) -> None:
    with pytest.raises(DiaryError, match=message) as caught:
        read(write("me.csv", *lines), "csv")
    assert "me.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04\x00\x00\xff\xfe", "not text in UTF-8"),
        ("time,glucosé".encode("latin-1"), "not text in UTF-8"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-20], "cannot be read"),
        (b"\x1f\x8bnonsense, nonsense, nonsense", "cannot be read"),
        (b'time,"' + b"x" * 200_000 + b'"', "field larger than field limit"),
    ],
)
def test_files_that_are_no_csv(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "me.csv").write_bytes(data)
    with pytest.raises(DiaryError, match=message):
        read(tmp_path / "me.csv")


# T1D-UOM


def _t1d_uom(write: Callable[..., Path], person: str = "2399") -> Path:
    """Three days of readings every 15 min at 10 mmol/L; returns the folder of the data set."""
    rows = [
        f"{day:02d}/02/2024 {minute // 60:02d}:{minute % 60:02d},10"
        for day in (12, 13, 14)
        for minute in range(0, 1440, 15)
    ]
    path = write(f"glucose/UoMGlucose{person}.csv.gz", "bg_ts,value", *rows, rows[-1], end="\r\n")
    return path.parent.parent


def test_t1d_uom_day_first_mmol_bom_and_missing_files(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write)
    meals = ["\ufeffmeal_ts,meal_type,meal_tag,carbs_g,prot_g,,", " 12/02/2024 08:01 ,,,40,1,,"]
    meals += ["13/02/2024 12:00,Lunch,Soup,30,,,", "12/02/2204 12:00,Lunch,Soup,30,,,"]
    meals += ["12/02/2024 09:00,,,,,,"]
    write("nutrition/UoMNutrition2399.csv", *meals)
    diary = read(folder, person="2399")
    assert people(folder) == ("2399",)
    assert diary.who == "T1D-UOM 2399" and diary.start == datetime(2024, 2, 12) and diary.days == 3
    assert np.flatnonzero(np.isfinite(diary.glucose_mg_dl)).tolist() == list(range(0, 864, 3))
    assert np.nanmax(diary.glucose_mg_dl) == pytest.approx(180.182)
    assert _known(diary.carbs_g) == {96: 40, 288 + 144: 30}
    assert not diary.bolus_u.any() and np.isnan(diary.basal_u_per_h).all()
    assert diary.notes == (
        "UoMGlucose2399.csv.gz: repeated rows left out: 1",
        "no file UoMBolus",
        "meals outside the days with glucose left out: 1",
        "no file UoMBasal",
    )
    assert read(folder / "glucose" / "UoMGlucose2399.csv.gz").who == diary.who


def test_t1d_uom_injections_are_spread_over_24_h(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write)
    rows = ["basal_ts,basal_dose,insulin_kind", "12/02/2024 10:00,24,L", "13/02/2024 09:00,12,L"]
    write("insulin/UoMBasal2399.csv", *rows)
    basal = read(folder, person="2399").basal_u_per_h
    assert np.isnan(basal[:120]).all() and (basal[120:396] == 1).all()
    assert (basal[396:408] == 1.5).all()  # an hour early: both act
    assert (basal[408:684] == 0.5).all() and (basal[684:708] == 0.5).all()  # then held for 2 h
    assert np.isnan(basal[708:]).all()


def test_t1d_uom_rates_of_a_pump_hold_until_the_next(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write)
    rows = [f"12/02/2024 {change},R,," for change in ("00:00,0.5", "08:00,0.75", "20:00,0", "20:30,0.5")]
    write("insulin/UoMBasal2399.csv", "basal_ts,basal_dose,insulin_kind,,", *rows)
    basal = read(folder, person="2399").basal_u_per_h
    changes = np.repeat([0.5, 0.75, 0.0, 0.5], [96, 144, 6, 288])
    np.testing.assert_array_equal(basal[:534], changes)
    assert np.isnan(basal[534:]).all()


def test_t1d_uom_fine_pump_logs_hold_for_2_h(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write)
    rows = ["12/02/2024 00:00,0.5,R", "12/02/2024 00:05,0.6,R", "12/02/2024 00:10,0.7,R"]
    write("insulin/UoMBasal2399.csv", "basal_ts,basal_dose,insulin_kind", *rows)
    basal = read(folder, person="2399").basal_u_per_h
    assert _known(basal) == {0: 0.5, 1: 0.6} | dict.fromkeys(range(2, 26), 0.7)


def test_t1d_uom_few_unreadable_rows_are_left_out_and_said(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write)
    good = [f"12/02/2024 {hour:02d}:00,3" for hour in range(10)]
    bad = ["12/02/2024 20:00,68", "12/13/2024 20:00,3", "12/02/2024 20:00,x"]
    write("insulin/UoMBolus2399.csv", "bolus_ts,bolus_dose", *good, *bad)
    diary = read(folder, person="2399")
    assert diary.bolus_u.sum() == 30
    assert diary.notes[1].startswith("unreadable rows left out: 3, the first: UoMBolus2399.csv, line 12,")
    write("insulin/UoMBolus2399.csv", "bolus_ts,bolus_dose", *good, *bad, "12/30/2024 08:00,3")
    with pytest.raises(DiaryError, match="UoMBolus2399.csv, line 12, column bolus_dose: 68 was given"):
        read(folder, person="2399")


def test_t1d_uom_without_a_reading(write: Callable[..., Path]) -> None:
    with pytest.raises(DiaryError, match="UoMGlucose2399.csv: there is no glucose reading"):
        read(write("UoMGlucose2399.csv", "bg_ts,value", "12/02/2024 08:00,"))


def test_t1d_uom_unknown_kind_of_insulin(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write)
    rows = [f"12/02/2024 {hour:02d}:00,3,Q" for hour in range(4)]
    write("insulin/UoMBasal2399.csv", "basal_ts,basal_dose,insulin_kind", *rows)
    with pytest.raises(DiaryError, match="line 2, column insulin_kind: 'Q' was given; allowed are R"):
        read(folder, person="2399")


def test_t1d_uom_readings_of_another_person_in_2304(write: Callable[..., Path]) -> None:
    folder = _t1d_uom(write, "2303")
    rows = gzip.decompress((folder / "glucose/UoMGlucose2303.csv.gz").read_bytes()).decode().splitlines()
    own = [f"{day}/02/2024 {hour:02d}:05,5" for day in (12, 13) for hour in range(24)]
    path = write("glucose/UoMGlucose2304.csv", *rows, *own)
    diary = read(path)
    assert set(_known(diary.glucose_mg_dl)) == set(range(1, 576, 12))
    assert any("readings of person 2303 left out: 288" in note for note in diary.notes)
    (folder / "glucose/UoMGlucose2303.csv.gz").unlink()
    with pytest.raises(DiaryError, match="UoMGlucose2304.csv: .* put UoMGlucose2303.csv beside it"):
        read(path)


# AZT1D

AZT1D = (
    "EventDateTime,DeviceMode,BolusType,Basal,CorrectionDelivered,TotalBolusInsulinDelivered,"
    "FoodDelivered,CarbSize"
)


@pytest.mark.parametrize("glucose", ["CGM", "Readings (CGM / BGM)"])
def test_azt1d(glucose: str, write: Callable[..., Path]) -> None:
    rows = [f"2024-01-12 {m // 60:02d}:{m % 60:02d}:45,,,,,,,,150" for m in range(3, 1440, 5)]
    event = "2024-01-12 08:03:45,,Standard,900.0,0.0,2.5,2.5,18.0,150"
    rows[96:97] = [event, event.replace("900.0", "0.8"), "2024-01-12 08:03:45,,Standard,,0.0,1.5,1.5,0.0,150"]
    diary = read(write("azt1d/subject_07.csv.gz", f"{AZT1D},{glucose}", *rows))
    assert diary.who == "AZT1D 07" and diary.start == datetime(2024, 1, 12)
    assert _known(diary.carbs_g) == {97: 18} and _known(diary.bolus_u) == {97: 4}
    assert _known(diary.basal_u_per_h) == dict.fromkeys(range(97, 121), 0.8)
    assert diary.notes == (
        "repeated rows of boluses and carbs left out: 1",
        "basal rates above 8 taken as mU/h: 1",
    )
    folder = write("azt1d/Subject 3.csv", f"{AZT1D},{glucose}", *rows).parent
    assert people(folder) == ("03", "07")
    assert read(folder, person="7").who == "AZT1D 07"
    for wrong in ("70", "Ada"):
        with pytest.raises(DiaryError, match=f"person '{wrong}'.*Known are 03, 07"):
            read(folder, person=wrong)
    with pytest.raises(DiaryError, match="is the recording of 07; '3' was asked for"):
        read(folder / "subject_07.csv.gz", person="3")


def test_azt1d_rows_out_of_bounds(write: Callable[..., Path]) -> None:
    rows = [f"2024-01-12 {hour:02d}:00:00,,,9000,0,0,0,0,150" for hour in range(24)]
    with pytest.raises(DiaryError, match="line 2, column Basal: 9 was given; allowed are 0 to 8 U/h"):
        read(write("subject_07.csv", f"{AZT1D},CGM", *rows))


# What is asked for


def test_unknown_format_person_and_folder(write: Callable[..., Path], tmp_path: Path) -> None:
    folder = _t1d_uom(write)
    path = folder / "glucose" / "UoMGlucose2399.csv.gz"
    with pytest.raises(DiaryError, match="unknown format 't1d_uom'; did you mean 't1d-uom'.*csv, t1d-uom"):
        read(folder, "t1d_uom", "2399")
    with pytest.raises(DiaryError, match="no T1D-UOM glucose of person '2398'; did you mean '2399'"):
        read(folder, person="2398")
    with pytest.raises(DiaryError, match="several people; name one of 2399"):
        read(folder)
    with pytest.raises(DiaryError, match="is a folder; a recording in format 'csv' is a file"):
        read(folder, "csv")
    with pytest.raises(DiaryError, match="no T1D-UOM file of person 2301"):
        read(path, person="2301")
    with pytest.raises(DiaryError, match="no T1D-UOM file of person ID; needed is a file named such as"):
        read(write("other.csv", "bg_ts,value"))
    with pytest.raises(DiaryError, match="no such file"):
        read(tmp_path / "none.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DiaryError, match="neither T1D-UOM .* nor AZT1D"):
        read(tmp_path / "empty", person="1")
    with pytest.raises(DiaryError, match="no such folder"):
        people(tmp_path / "none")
    with pytest.raises(DiaryError, match="no AZT1D recording of person '2399'. Known are none"):
        read(folder, "azt1d", "2399")


def test_folder_of_recordings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path))
    assert recordings_folder() == tmp_path
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / "none"))
    assert recordings_folder() is None
