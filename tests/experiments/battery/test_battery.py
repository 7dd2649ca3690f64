"""The battery from its command: cells, pairs, bars, table and map; nothing is done twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.hostile import evolved
from envs.faults import BATTERY
from experiments import people
from experiments.battery import evolve, report, run
from experiments.battery.bars import BARS, DEFAULT, Bar, judged, measures
from experiments.battery.outcomes import RULES
from experiments.plots.faults import fault_map
from experiments.records.tables import Table, concat, read_table, select
from scripts import battery
from tests.legible import check_legible

FOLD0 = "agents/policies/ppo-history/fold0-seed0"
WHO = ["adult#001", "child#001"]


def _episodes(agent: str, case: str, below_54: tuple[float, ...] = (0.0, 0.4), **changes: object) -> Table:
    n = len(below_54)
    table: Table = {
        "agent": np.full(n, agent), "shield": np.full(n, "rule"), "case": np.full(n, case),
        "person": np.array(["adult#001", "child#001", "child#002"][:n]),
        "group": np.array(["adult", "child", "child"][:n]), "replica": np.zeros(n), "days": np.full(n, 7.0),
        "failed": np.zeros(n), "failure_side": np.full(n, ""), "below_54_pct": np.array(below_54),
        "below_70_pct": np.full(n, 2.0), "tir_pct": np.full(n, 80.0), "above_250_pct": np.full(n, 1.0),
        "cv_pct": np.full(n, 30.0), "min_mg_dl": np.full(n, 55.0), "shield_changed_pct": np.full(n, 10.0),
        "intervals": np.full(n, 3360.0), "window_below_54_pct": np.full(n, np.nan),
        "window_below_70_pct": np.full(n, np.nan), "safe_action_min": np.full(n, np.nan),
        "very_high": np.zeros(n), "starved_hours": np.zeros(n), **{rule: np.zeros(n) for rule in RULES},
    }  # fmt: skip
    return table | {name: np.array(value) for name, value in changes.items()}


def test_every_case_has_a_bar_and_every_bar_a_measure() -> None:
    assert set(BARS) <= {case.name for case in BATTERY}
    clean = _episodes("pid", "none")
    found = measures(_episodes("pid", "F1", safe_action_min=[3.0, 9.0]), clean, clean)
    assert {bar.measure for bars in BARS.values() for bar in bars} <= set(found)
    assert found["safe_action_min"] == 9.0


def test_margins_are_the_distance_to_the_bar_on_its_good_side() -> None:
    assert Bar("x", 4).margin(3) == 1 and Bar("x", 40, at_most=False).margin(38) == -2
    clean = _episodes("pid", "none")
    worse = _episodes("pid", "F1", (0.0, 2.5), tir_pct=[60.0, 75.0], min_mg_dl=[38.0, 60.0], failed=[1, 0])
    missed = {bar.measure: margin for bar, _, margin in judged("F1", measures(worse, clean)) if margin < 0}
    assert missed == pytest.approx(
        {
            "died": -1,
            "median_below_54_pct": -0.25,
            "worst_below_54_pct": -0.5,
            "lowest_mg_dl": -2,
            "delta_tir_pct": -2.5,
        }
    )
    broken = measures(_episodes("pid", "F4b", insulin_while_low=[0, 3]), clean)
    assert [(bar.measure, value) for bar, value, margin in judged("F4b", broken) if margin < 0] == [
        ("rules_broken", 3)
    ]
    assert len(judged("F1", measures(worse, clean, clean))) == len(DEFAULT) + 2


def test_behind_another_shield_the_baseline_is_the_one_behind_rules_where_no_other_was_run() -> None:
    twin = {"shield": ["twin", "twin"]}
    runs = [_episodes("basal-bolus", case) for case in ("none", "F1")]
    runs += [_episodes("hostile-max", "none", **twin), _episodes("hostile-max", "F1", (0.0, 1.4), **twin)]
    rows, _ = report.summary(concat(runs))
    (beyond,) = select(rows, agent="hostile-max", case="F1")["below_54_beyond_baseline_pct"]
    assert beyond == pytest.approx(0.5)


def test_only_the_same_people_and_days_are_compared() -> None:
    with pytest.raises(ValueError, match="not of the same people and days"):
        measures(_episodes("pid", "F1", (0.0,)), _episodes("pid", "none"))


def test_nobody_that_a_policy_has_met_is_judged() -> None:
    (first, *_) = todo = run.cells([FOLD0, "hostile-max"])
    who = first.arguments["persons"]
    assert len(who) == 36 and {person for person in who if "~" not in person} == set(
        people.judged(run.world(drawn_per_group=0), 0).ids
    )
    assert first.name == "cells/ppo-history-fold0-seed0-rule/none.csv"
    assert [cell.arguments["case"] for cell in todo if cell.arguments["agent"] == "hostile-max"] == [
        "none",
        "F24",
    ]
    both = run.cells(["hostile-max"], guarded=["hostile-max", "pid"])
    told = [(cell.arguments["agent"], cell.arguments["shield"], cell.arguments["case"]) for cell in both]
    assert told[:4] == [
        ("hostile-max", shield, case) for shield in ("rule", "twin") for case in ("none", "F24")
    ]
    with_faults = [case.name for case in BATTERY if case.faults]
    assert told[4:] == [("pid", "twin", case) for case in ("none", *with_faults)]
    assert len(run.cells(["pid"], ["twin"], guarded=["pid"])) == 1 + len(with_faults), "nothing is done twice"
    with pytest.raises(ValueError, match="have met everybody"):
        run.cells([FOLD0.replace("fold0", f"fold{k}") for k in range(5)], drawn_per_group=0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--agent", "pid"), "give --agent or --guarded"),
        (("--agent", "pid", "--fault", "F44", "--out", "x"), "unknown fault 'F44'; did you mean 'F4'"),
        (("--agent", "pidd", "--out", "x"), "did you mean 'pid'"),
        (("--agent", "pid", "--shield", "rul", "--out", "x"), "did you mean 'rule'"),
        (("--agent", "pid", "--person", "adult#01", "--out", "x"), "nobody is called 'adult#01'; did you mean"),
    ],
)  # fmt: skip
def test_wrong_words_are_refused_with_the_nearest(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        battery.main(words)


@pytest.mark.verify
def test_the_command_runs_what_is_left_and_writes_table_and_map(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "--agent",
        "basal-bolus",
        "hostile-max",
        "--person",
        *WHO,
        "--days",
        "0.5",
        "--processes",
        "1",
        "--out",
    )
    assert battery.main((*words, str(tmp_path), "--fault", "F4b", "F24")) == 0
    said = capsys.readouterr().out
    assert "4/4" not in said and "F4b calibration +30 %" in said and "not a medical device" in said
    episodes = read_table(tmp_path / "episodes.csv")
    assert (
        len(episodes["case"]) == 2 * 5
    )  # two clean runs, F4b for both agents as it was asked for, F24 for one
    rows, bars = read_table(tmp_path / "battery.csv"), read_table(tmp_path / "bars.csv")
    assert select(rows, case="F24")["agent"].tolist() == ["hostile-max"]
    assert rows["rules_broken"].sum() == 0 and len(bars["met"]) == bars["met"].size
    assert (tmp_path / "map.svg").read_text().startswith("<?xml")
    assert battery.main((*words, str(tmp_path), "--fault", "F4b", "F24")) == 0
    assert "5 of 5 cells are done already" in capsys.readouterr().out
    assert battery.main(("--list",)) == 0
    assert capsys.readouterr().out.count("\n") == len(BATTERY)


def test_the_same_episodes_with_and_without_company_and_under_an_agents_fault() -> None:
    protocol = run.world(days=0.25, drawn_per_group=0)
    both, one = people.judged(protocol).take([0, 20]), people.judged(protocol).take([20])
    fault = next(case.faults for case in BATTERY if case.name == "F3")
    agent = run.load("pid")
    pair, alone = (run.episodes(agent, protocol, "rule", cohort, fault) for cohort in (both, one))
    assert {name: value[1] for name, value in pair.items()}.keys() == alone.keys()
    for name, value in pair.items():
        np.testing.assert_array_equal(value[1:], alone[name], err_msg=name)
    bad = next(case.faults for case in BATTERY if case.name == "F22")
    assert run.episodes(agent, protocol, "rule", both, bad)["dose_not_finite_or_negative"].sum() == 0


def test_table_and_map_tell_failures_first_and_what_was_missed() -> None:
    tables = [_episodes(agent, "none") for agent in ("basal-bolus", "a-policy-with-a-really-long-name")]
    for k, case in enumerate(BATTERY[:-1]):
        tables.append(_episodes("basal-bolus", case.name, (0.1 * k, 0.5), safe_action_min=[5.0, np.nan]))
        if k % 2:
            tables.append(
                _episodes("a-policy-with-a-really-long-name", case.name, (9.0, 0.5), failed=[k % 3, 0])
            )
    rows, bars = report.summary(concat(tables))
    assert list(rows)[3] == "died"
    text = report.markdown(rows, bars, concat(tables), ["python", "-m", "scripts.battery"])
    numbers = "0 | 0 | 0.0 | 0 | 0.05 | 0.00 | 0.0 | 55 | 5 | 10.0 | met; nearest: lowest mg dl 55"
    assert f"| F1 sensor gap of 40 min every 4 h | {numbers}" in text
    assert "broken none" in text and "missed 3 of" in text and "## Not measured" in text
    ax = fault_map({name: column[rows["case"] != "none"] for name, column in rows.items()}, report.WORDS)
    check_legible(ax)
    with pytest.raises(ValueError, match="the battery has no rows"):
        fault_map(select(rows, case="x"), report.WORDS)
    with pytest.raises(ValueError, match="both episodes with and without"):
        report.summary(_episodes("pid", "F1"))


def test_a_hostile_agent_is_paired_with_the_baseline_without_fault() -> None:
    tables = [_episodes("basal-bolus", "none"), _episodes("hostile-max", "none", (90.0, 90.0))]
    tables.append(_episodes("hostile-max", "F24", (90.0, 90.0)))
    rows, _ = report.summary(concat(tables))
    assert select(rows, case="F24")["delta_below_54_pct"] == pytest.approx(90.0 - 0.2)
    rows, _ = report.summary(concat(tables[1:]))
    assert select(rows, case="F24")["delta_below_54_pct"] == 0.0


def test_the_evolution_finds_worse_than_it_began_with_and_its_file_is_read_back(tmp_path: Path) -> None:
    said: list[str] = []
    values, score = evolve.evolve(8, 2, days=0.25, bodies_per_group=1, say=said.append)
    assert len(said) == 2 and values.shape == evolve.ATTACKER.start.shape
    assert score <= evolve.harm(evolve.ATTACKER.start[None], 0.25, 1, range(6000, 6004))[0] + 20
    again, _ = evolve.evolve(8, 2, days=0.25, bodies_per_group=1, say=said.append)
    assert np.array_equal(values, again)
    evolve.store(values, score, "python -m scripts.battery --evolve", tmp_path / "found.yml")
    agent: Any = evolved(tmp_path / "found.yml")
    assert agent.values == pytest.approx(values, abs=1e-4)
    with pytest.raises(ValueError, match="give 5 and 1"):
        evolve.evolve(2, 1)


def test_harm_is_lowest_glucose_and_sooner_deaths_are_worse() -> None:
    most, least = evolve.ATTACKER.start.copy(), evolve.ATTACKER.start.copy()
    most[:2], least[5:] = (60.0, -3.0), (0.0, 1.0, 1.0, 0.0)
    worst, mild = evolve.harm(np.stack([most, least]), 0.5, 1, [0])
    assert worst < 40 < mild
