"""The bars of the twin shield: every row can be run, is counted as defined, and a missed bar is called missed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.records.tables import Table, read_table
from experiments.shield import bars, rows
from scripts import shield


def _table(low: list[float], tir: float = 95.0, days: float = 2.0) -> Table:
    n = len(low)
    numbers = {"below_54_pct": 0.0, "below_70_pct": 0.0, "tir_pct": tir, "twin_acted_pct": 1.0,
               "decisions_cut_pct": 3.5}  # fmt: skip
    table: Table = {"name": np.full(n, "x")} | {name: np.full(n, value) for name, value in numbers.items()}
    return table | {
        "lowest_mg_dl": np.array(low), "very_high": np.arange(n) % 4 == 0, "died_low": np.zeros(n, int),
        "died_high": np.zeros(n, int), "days": np.full(n, days), "body": np.arange(n) % 2,
        "margin_mg_dl": np.full(n, np.nan),
    }  # fmt: skip


def test_every_row_is_named_once_and_its_agent_is_known() -> None:
    cells = bars.cells()
    assert len({cell.name for cell in cells}) == len(cells) == len(rows.ROWS)
    measured = {name for row in rows.ROWS for name, _, _ in row.bars}
    assert measured <= set(bars.MEASURES)
    with pytest.raises(ValueError, match="unknown row 'exactt'"):
        bars.cells(["exactt"])


def test_bars_are_met_or_missed_as_the_numbers_say(tmp_path: Path) -> None:
    tables = {
        "exact-max": _table([80.0, 79.0, 77.9, 85.0], days=7.0), "policy-rule": _table([60.0] * 4, 90.0),
        "policy": _table([70.0] * 4, 89.0),
    }  # fmt: skip
    exact, _, policy = bars.measured(tables)
    assert [met for *_, met in exact["bars"]] == [False, True]
    assert exact["bodies_below_floor_pct"] == 100 and exact["episodes_below_54_pct"] == 0
    assert policy["tir_lost"] == pytest.approx(1.0)
    text = bars.write(tables, tmp_path, ["python", "-m", "scripts.shield"]).read_text()
    (shorter,) = bars.measured({"policy": _table([70.0] * 4, days=1.0)})
    assert {met for *_, met in shorter["bars"]} == {None}, "other days, and nothing to compare with"
    assert "lowest >= 78: MISSED (77.90)" in text and "not a medical device" in text
    assert (
        "decisions cut <= 3: MISSED (3.50)" in text
        and "| 1.00 [1.00, 1.00] | 1.00 | 3.50 [3.50, 3.50] |" in text
    )
    assert policy["episodes_very_high_pct"] == 25


def test_a_decision_is_cut_when_any_of_its_intervals_is() -> None:
    cut = np.zeros((2, 12), bool)
    cut[0, [0, 1, 7]] = True
    cut[1, 11] = True
    assert bars.decisions_cut_pct(cut, 6).tolist() == [100.0, 50.0]
    assert bars.decisions_cut_pct(cut, 1).tolist() == pytest.approx([25.0, 100 / 12])


def test_agents_decide_as_often_as_they_do(tmp_path: Path) -> None:
    """Of a twin that cuts nearly all that is asked for, decisions of a quarter of an hour are cut no less often."""
    tables = {}
    for agent in ("planner", "hostile-max"):
        row = replace(rows.ROWS[0], agent=agent, shield=rows.DOUBTING, oracle=False, seed=5)
        bars.simulate_row(row, tmp_path / f"{agent}.csv", 0.25)
        tables[agent] = read_table(tmp_path / f"{agent}.csv")
    planner, most = tables["planner"], tables["hostile-max"]
    assert (planner["decisions_cut_pct"] >= planner["twin_acted_pct"]).all()
    assert planner["decisions_cut_pct"].sum() > 1.1 * planner["twin_acted_pct"].sum()
    np.testing.assert_allclose(most["decisions_cut_pct"], most["twin_acted_pct"])


def test_who_gets_no_insulin_is_above_300_for_two_hours(tmp_path: Path) -> None:
    row = replace(rows.ROWS[0], agent="hostile-min", shield="off", oracle=False, bars=())
    bars.simulate_row(row, tmp_path / "x.csv", 1.0)
    assert read_table(tmp_path / "x.csv")["very_high"].mean() > 0.9


def test_time_in_range_is_compared_on_the_same_bodies_and_days_alone() -> None:
    rule, twin = _table([60.0] * 4, 90.0), _table([70.0] * 4, 89.0)
    assert bars.tir_lost(rule, twin).estimate == pytest.approx(1.0)
    for other in (twin | {"body": twin["body"][::-1]}, twin | {"days": twin["days"] / 2}, _table([70.0] * 2)):
        with pytest.raises(ValueError, match="rows x and x are not of the same bodies and days"):
            bars.tir_lost(rule, other)


def test_a_person_with_another_twin_is_one_person_to_an_interval() -> None:
    table = _table([70.0] * 60) | {"body": np.arange(60)}
    values = np.arange(60) % 30 * 1.0
    once = bars.by_people(values[:30], table | {"body": np.arange(30)})
    assert bars.by_people(values, table) == once


def test_every_row_behind_a_twin_is_held_against_its_agent_behind_rules() -> None:
    named = {row.name: row for row in rows.ROWS}
    for name, other in rows.AGAINST.items():
        mine, rule = named[name], named[other]
        assert replace(mine, name="", words="", shield="rule", bars=()) == replace(
            rule, name="", words="", bars=()
        )
    behind = {row.name for row in rows.ROWS if row.words.split(" behind")[0] in ("the policy", "basal-bolus",
              "the planner") and row.shield != "rule"}  # fmt: skip
    assert behind == set(rows.AGAINST)


def test_the_floor_for_the_policy_was_chosen_on_other_days_than_it_is_judged_on() -> None:
    named = {row.name: row for row in rows.ROWS}
    choice = [named[f"choice-{floor}"] for floor in rows.CHOICE_FLOORS_MG_DL]
    assert {row.seed for row in choice} == {named["choice-rule"].seed} == {rows.CHOICE_SEED}
    assert not any(row.bars for row in choice), "bars are for the days that rows are judged on"
    chosen = named["policy-chosen"]
    assert chosen.seed == named["policy"].seed == rows.SEED and chosen.bars == named["policy"].bars
    assert chosen.shield in [row.shield for row in choice]


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
    (cell,) = bars.cells(["margin"], days=0.02)
    cell.work(tmp_path, tmp_path / "margin.csv", **cell.arguments)
    assert "margin_mg_dl" in (tmp_path / "margin.csv").read_text().splitlines()[0]
