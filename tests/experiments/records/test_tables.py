"""Tables: what is written comes back, a cut file is found out, 200,000 rows are quick."""

import time
from pathlib import Path

import numpy as np
import pytest

from experiments.records.tables import Table, concat, read_table, select, write_table
from twins.files import StorageError


def _table() -> Table:
    return {
        "person": np.array(["adult#001", 'a "quoted", name', "two\nlines", ""]),
        "cgm_mg_dl": np.array([120.123456, np.nan, -3.5, 1e-7]),
        "minute": np.array([0.0, 5.0, np.nan, 12_345_678.0]),
        "seed": np.array([0, 1, 2, 4_294_967_295]),
        "failed": np.array([True, False, False, True]),
        "reason": np.array(["", "", "", ""]),
    }


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    table = _table()
    write_table(tmp_path / "t.csv", table)
    back = read_table(tmp_path / "t.csv")
    assert list(back) == list(table)
    assert back["person"].tolist() == table["person"].tolist()
    assert back["reason"].tolist() == ["", "", "", ""]
    for name in ("cgm_mg_dl", "minute", "seed", "failed"):
        assert back[name].dtype == np.float64
    np.testing.assert_allclose(back["cgm_mg_dl"], table["cgm_mg_dl"], rtol=1e-5)
    np.testing.assert_array_equal(back["minute"], table["minute"])  # whole numbers are exact
    np.testing.assert_array_equal(back["seed"], table["seed"])
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_written_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", _table())
    write_table(tmp_path / "b.csv", read_table(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert "120.123" in (tmp_path / "a.csv").read_text()


@pytest.mark.parametrize("rows", [0, 1, 4096, 4097])
def test_any_number_of_rows(tmp_path: Path, rows: int) -> None:
    table: Table = {"x": np.arange(rows) / 8, "who": np.array(["p"] * rows, np.str_)}
    write_table(tmp_path / "t.csv", table)
    back = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(back["x"], table["x"])
    assert len(back["who"]) == rows


def test_one_column_of_empty_text_keeps_its_rows(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", {"reason": np.array(["", "low", ""])})
    assert read_table(tmp_path / "t.csv")["reason"].tolist() == ["", "low", ""]


def test_empty_field_among_numbers_is_nan(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("cgm,who\n1,a\n,b\n3,\n")
    back = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(back["cgm"], [1, np.nan, 3])
    assert back["who"].tolist() == ["a", "b", ""]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n3\n", "row 3: 1 fields, the header names 2"),
        ("a,a\n1,2\n", "given twice: a"),
        ('a,b\n1,"2\n', "not a CSV file"),
    ],
)
def test_damaged_file_is_named_with_row_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_table(tmp_path / "t.csv")
    assert "t.csv" in str(error.value)


def test_binary_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match="UTF-8"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(FileNotFoundError, match="no table"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"": np.zeros(2)},
        {"a": np.zeros(2), "b": np.zeros(3)},
        {"a": np.zeros((2, 2))},
        {"a": np.array([object()])},
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, table: Table) -> None:
    with pytest.raises(ValueError, match="table|column"):
        write_table(tmp_path / "t.csv", table)
    assert list(tmp_path.iterdir()) == []


def test_failed_write_keeps_the_old_table(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot write"):
        write_table(tmp_path / "file" / "t.csv", _table())


def test_select_and_concat() -> None:
    a: Table = {"person": np.array(["x", "y"]), "replica": np.array([0.0, 1.0])}
    b: Table = {"replica": np.array([2.0]), "person": np.array(["a longer name"])}
    none: Table = {"person": np.array([], np.float64), "replica": np.array([])}
    both = concat([none, a, b])
    assert both["person"].tolist() == ["x", "y", "a longer name"]
    assert both["replica"].tolist() == [0, 1, 2]
    assert select(both, person="y", replica=1)["replica"].tolist() == [1]
    assert len(select(both, person=3)["person"]) == 0
    assert len(concat([none, none])["person"]) == 0
    with pytest.raises(ValueError, match="unknown column 'persons'; the table has person, replica"):
        select(both, persons="x")
    with pytest.raises(ValueError, match="only some have replica"):
        concat([a, {"person": np.array(["x"])}])
    with pytest.raises(ValueError, match="at least one"):
        concat([])


@pytest.mark.slow
def test_traces_of_a_whole_evaluation_are_written_quickly(tmp_path: Path) -> None:
    """200,000 rows x 15 columns; the bar is 3 s, a machine busy with other tests gets 10."""
    rows = 200_000
    draws = np.random.default_rng(0).normal(120, 40, (11, rows))
    table: Table = {f"column_{k}": draws[k] for k in range(11)}
    table |= {name: np.full(rows, "low_glucose") for name in ("agent", "shield", "person", "reason")}
    start = time.perf_counter()
    write_table(tmp_path / "t.csv", table)
    assert time.perf_counter() - start < 10
    back = read_table(tmp_path / "t.csv")
    np.testing.assert_allclose(back["column_3"], draws[3], rtol=1e-5)
