"""What more protection costs: every setting is run in every world, harm and price are counted, bars stay."""

import re
from pathlib import Path

import numpy as np
import pytest

from envs.shield.twin import named
from experiments.plots import tradeoff
from experiments.records.tables import Table
from experiments.results.against_committed import RESULTS
from experiments.shield import frontier, rows
from scripts import shield
from tests.legible import check_legible


def _table(low: list[float], tir: float) -> Table:
    n = len(low)
    numbers = {"tir_pct": np.full(n, tir), "days": np.full(n, 2.0), "died_high": np.zeros(n, int)}
    return {"lowest_mg_dl": np.array(low), "body": np.arange(n) % 2, **numbers}


def _tables(safe: tuple[int, int | None], lost: float) -> dict[str, Table]:
    """All rows: at one setting no run too low and so much lost, at every other one run too low and nothing lost."""
    tables = {"policy-rule": _table([80.0] * 4, 90.0)}
    for row in frontier.rows()[1:]:
        world, _, rest = row.name.partition("-")
        chosen = rest == "-".join(map(str, safe))
        low = [60.0 if chosen else 39.0, 45.0 if not chosen else 54.0, 75.0, 80.0]
        price = 0.3 * int(rest) if world == "margin" else lost if world == "policy" and chosen else 0.0
        tables[row.name] = _table(low, 90.0 - price)
    return tables


def test_every_setting_is_lived_in_every_world_beside_the_row_whose_shield_it_replaces() -> None:
    tried = {row.name: row for row in frontier.rows()}
    assert len(tried) == len(frontier.cells()) == len(frontier.rows())
    assert {row.seed for row in frontier.rows()} == {rows.CHOICE_SEED}, "days to choose by, no others"
    committed = {row.name: row for row in rows.ROWS}
    for world, of in (("carbs", "carbs"), ("phantoms", "phantoms"), ("policy", "policy-doubting")):
        same = tried[f"{world}-90-60"]
        assert named(same.shield) == named(committed[of].shield), "the setting of the bars is among them"
        assert (same.faults, same.agent, same.days) == (committed[of].faults, committed[of].agent, 2)
    _, trusting = named(tried["carbs-80-None"].shield)
    assert trusting.uneaten_floor_mg_dl is None and trusting.floor_mg_dl == 80
    _, wide = named(tried["margin-12"].shield)
    assert wide.margin_mg_dl == 12 and tried["margin-12"].twin_error == 0.2


def test_harm_and_price_are_counted_and_a_setting_that_meets_all_bars_is_named(tmp_path: Path) -> None:
    tables = _tables((90, 60), 4.0)
    found = {(one.floor, one.uneaten): one for one in frontier.points(tables)}
    assert len(found) == 16
    one, other = found[90, 60], found[80, None]
    assert (one.runs, one.carbs_below_54, one.phantoms_below_40, one.lost.estimate) == (4, 0, 0, 4.0)
    assert (other.carbs_below_54, other.phantoms_below_40, other.phantoms_below_54) == (2, 1, 2)
    assert [one.meets_all for one in found.values()].count(True) == 1
    margin = frontier.margins(tables)[0]
    assert (margin.bodies, margin.below_floor_pct, margin.tir_pct) == (2, 100.0, 90.0)
    text = frontier.write(tables, tmp_path, ["python", "-m", "scripts.shield"]).read_text()
    assert "loses least first: 90 and 60." in text and "not a medical device" in text
    assert "| 80 | trusted | 4 x 2 | 2 | 39.0 | 1 | 2 | 39.0 | 0 | 0.00 [0.00, 0.00] |" in text
    assert b"</svg>" in (tmp_path / "frontier.svg").read_bytes()


def test_too_much_lost_is_not_met_and_a_setting_without_all_its_rows_is_no_point(tmp_path: Path) -> None:
    tables = _tables((90, 60), 5.1)
    assert "first: none." in frontier.write(tables, tmp_path, ["x"]).read_text()
    del tables["phantoms-90-60"]
    assert len(frontier.points(tables)) == 15


def test_other_days_than_those_of_the_bars_are_not_judged(tmp_path: Path) -> None:
    tables = {name: table | {"days": np.full(4, 1.0)} for name, table in _tables((90, 60), 4.0).items()}
    assert "first: not judged" in frontier.write(tables, tmp_path, ["x"]).read_text()
    for days in ("0", "-1", "nan", "inf"):
        with pytest.raises(ValueError, match="above 0 and up to 366"):
            shield.main(["--days", days, "--out", str(tmp_path / "none")])
    assert not (tmp_path / "none").exists()


def test_the_bars_are_judged_with_the_setting_that_was_chosen() -> None:
    text = (RESULTS / "shield" / "frontier.md").read_text()
    (first,) = re.findall(r"the one that loses least first: (\d+) and (\d+)", text)
    _, guard = named(rows.DOUBTING)
    assert (guard.floor_mg_dl, guard.uneaten_floor_mg_dl) == tuple(map(float, first))


def test_every_series_is_drawn_and_none_is_dropped() -> None:
    tables = _tables((90, 60), 4.0)
    ax = tradeoff.protection(frontier.trades(frontier.points(tables), frontier.margins(tables)))
    drawn = [line for line in ax.child_axes[0].lines if str(line.get_label()).startswith("floor")]
    assert len(drawn) == len(frontier.FLOORS_MG_DL) and len(ax.child_axes) == 3
    check_legible(ax)
    trade = tradeoff.Trade("x", "y", {str(k): [] for k in range(5)}, (None, 1.0))
    with pytest.raises(ValueError, match="5 series"):
        tradeoff.protection([trade])


def test_rows_cannot_be_chosen_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="leave it out with --frontier"):
        shield.main(["--frontier", "--only", "carbs", "--out", "x"])
    assert shield.main(["--frontier", "--list"]) == 0
    assert "phantoms-90-70" in capsys.readouterr().out


@pytest.mark.verify
def test_the_frontier_is_run_by_its_command(tmp_path: Path) -> None:
    argv = ["--frontier", "--days", "0.05", "--out", str(tmp_path), "--processes", "1"]
    assert shield.main(argv) == 0
    assert (tmp_path / "results" / "frontier.md").read_text().count("\n| 1") == 9
    assert b"</svg>" in (tmp_path / "results" / "frontier.svg").read_bytes()
