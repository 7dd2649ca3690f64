"""The bars of the twin shield: every row can be run, is counted as defined, and a missed bar is called missed."""

from pathlib import Path

import numpy as np
import pytest

from experiments import shield_bars
from experiments.records.tables import Table
from scripts import shield


def _table(low: list[float], tir: float = 95.0, days: float = 2.0) -> Table:
    n = len(low)
    numbers = {"below_54_pct": 0.0, "below_70_pct": 0.0, "tir_pct": tir, "twin_acted_pct": 1.0}
    table: Table = {name: np.full(n, value) for name, value in numbers.items()}
    return table | {
        "lowest_mg_dl": np.array(low), "died_low": np.zeros(n, int), "died_high": np.zeros(n, int),
        "days": np.full(n, days), "body": np.arange(n) % 2, "margin_mg_dl": np.full(n, np.nan),
    }  # fmt: skip


def test_every_row_is_named_once_and_its_agent_is_known() -> None:
    cells = shield_bars.cells()
    assert len({cell.name for cell in cells}) == len(cells) == len(shield_bars.ROWS)
    measured = {name for row in shield_bars.ROWS for name, _, _ in row.bars}
    assert measured <= set(shield_bars.MEASURES)
    with pytest.raises(ValueError, match="unknown row 'exactt'"):
        shield_bars.cells(["exactt"])


def test_bars_are_met_or_missed_as_the_numbers_say(tmp_path: Path) -> None:
    tables = {
        "exact-max": _table([80.0, 79.0, 77.9, 85.0], days=7.0), "policy-rule": _table([60.0] * 4, 90.0),
        "policy": _table([70.0] * 4, 89.0),
    }  # fmt: skip
    exact, _, policy = shield_bars.measured(tables)
    assert [met for *_, met in exact["bars"]] == [False, True]
    assert exact["bodies_below_floor_pct"] == 100 and exact["episodes_below_54_pct"] == 0
    assert policy["tir_lost"] == pytest.approx(1.0)
    text = shield_bars.write(tables, tmp_path, ["python", "-m", "scripts.shield"]).read_text()
    (shorter,) = shield_bars.measured({"policy": _table([70.0] * 4, days=1.0)})
    assert {met for *_, met in shorter["bars"]} == {None}, "other days, and nothing to compare with"
    assert "lowest >= 78: MISSED (77.90)" in text and "not a medical device" in text


@pytest.mark.slow
def test_rows_are_run_by_their_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--only", "exact-max", "--days", "0.02", "--out", str(tmp_path), "--processes", "1"]
    assert shield.main(argv) == 0
    told = capsys.readouterr().out
    assert "true body and state, max" in told
    with pytest.raises(ValueError, match="--out is missing"):
        shield.main([])


@pytest.mark.slow
def test_a_margin_is_found_before_it_is_used(tmp_path: Path) -> None:
    (cell,) = shield_bars.cells(["margin"], days=0.02)
    cell.work(tmp_path, tmp_path / "margin.csv", **cell.arguments)
    assert "margin_mg_dl" in (tmp_path / "margin.csv").read_text().splitlines()[0]
