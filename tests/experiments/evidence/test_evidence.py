"""Sampler D and the counting of bodies: who is drawn, what counts as an event, what may be said."""

from pathlib import Path

import numpy as np
import pytest

from experiments.evidence import count, kept, report, sampler
from experiments.records.tables import Table, read_table, write_table
from experiments.results.against_committed import RESULTS
from experiments.simulate import Rollout
from scripts import evidence
from twins.cohort import BASAL_U_PER_H


def test_a_body_hangs_on_its_stratum_and_number_alone() -> None:
    one = sampler.stratum("error-20")
    many, few = sampler.bodies(one, 0, 9), sampler.bodies(one, 4, 2)
    assert few.ids == many.ids[4:6]
    assert np.array_equal(few.parameters, many.parameters[4:6])
    assert np.array_equal(few.therapy, many.therapy[4:6])
    assert [many.group(row) for row in range(3)] == ["child", "adolescent", "adult"]
    assert not set(many.ids) & set(sampler.bodies(sampler.stratum("drawn"), 0, 9).ids)


def test_settings_are_as_wrong_as_the_stratum_says() -> None:
    right = sampler.bodies(sampler.stratum("drawn"), 0, 6)
    assert np.allclose(right.therapy[:, BASAL_U_PER_H], right.model.basal_u_per_h(right.parameters))
    wrong = sampler.bodies(sampler.stratum("error-40"), 0, 30)
    off = np.abs(wrong.therapy[:, BASAL_U_PER_H] / wrong.model.basal_u_per_h(wrong.parameters) - 1)
    assert 0.2 < off.max() <= 0.4


def test_lives_are_the_realistic_ones_and_the_hash_tells_samplers_apart() -> None:
    treated, untreated = (sampler.life(sampler.stratum("faults"), lows) for lows in sampler.LOWS)
    assert treated.behaviour == "realistic" != untreated.behaviour
    assert treated.twin_error == 0.2 and treated.days == 35 and treated.split == "test"
    assert sampler.sampler_hash() != sampler.sampler_hash(sampler.STRATA[:2])


@pytest.mark.parametrize(("first", "many"), [(-1, 3), (0, 0), (29, 2)])
def test_bodies_that_do_not_exist_are_refused(first: int, many: int) -> None:
    with pytest.raises(ValueError, match="no such"):
        sampler.bodies(sampler.stratum("seen"), first, many)


def test_unknown_strata_and_lows_are_answered() -> None:
    with pytest.raises(ValueError, match="did you mean 'drawn'"):
        sampler.stratum("drwn")
    with pytest.raises(ValueError, match="treated, untreated"):
        sampler.life(sampler.stratum("drawn"), "noticed")


def _rollout(glucose: list[list[float]], sides: list[str], ends: list[int], dose_u: float = 0.05) -> Rollout:
    values = np.array(glucose, float)
    columns = {
        "bolus_u": np.zeros(values.shape),
        "basal_u_per_h": np.full(values.shape, dose_u * 12),
        "reason": np.full(values.shape, "none"),
    }
    return Rollout(values, np.array(sides), np.array(ends), columns)


def test_events_are_counted_as_they_are_defined() -> None:
    calm = [120.0] * 48
    low = [120.0] * 20 + [39.9] + [120.0] * 27
    high = [301.0] * 24 + [120.0] * 24
    nearly = [301.0] * 23 + [300.0] + [301.0] * 23 + [120.0]
    died = [60.0] * 48
    rollout = _rollout([calm, low, high, nearly, died], ["", "", "", "", "low"], [48, 48, 48, 48, 30])
    found = count.outcomes(rollout, 5, np.full(5, 0.6))
    assert found["very_low"].tolist() == [0, 1, 0, 0, 1]
    assert found["very_high"].tolist() == [0, 0, 1, 0, 0]
    assert found["very_high_min"].tolist() == [0, 0, 120, 115, 0]
    assert found["starved_hours"].tolist() == [0] * 5
    assert found["tir_pct"][0] == 100 and found["below_54_pct"][4] == pytest.approx(100 * 18 / 48)
    starved = count.outcomes(_rollout([high], [""], [48], 0.01), 5, np.full(1, 0.6))
    assert starved["starved_hours"][0] == 4 and starved["starved_and_high_hours"][0] == 2


def test_the_committed_bodies_are_of_the_sampler_and_the_simulator_at_hand() -> None:
    counted = kept.read(RESULTS / "evidence")
    assert kept.left(count.cells(), counted) == [], "everybody was counted"


def test_rows_cover_what_is_promised() -> None:
    cells = count.cells()
    assert len({cell.name for cell in cells}) == len(cells)
    bodies: dict[str, int] = {}
    for cell in cells:
        row = cell.name.rsplit("/", 1)[0].removeprefix("cells/")
        bodies[row] = bodies.get(row, 0) + cell.arguments["count"]
    for stratum in ("drawn", "error-20", "error-40", "faults"):
        for lows in sampler.LOWS:
            assert bodies[f"{stratum}/{lows}/rule/ppo-history"] == 3000
    for stratum in ("drawn", "error-20", "faults"):
        assert bodies[f"{stratum}/untreated/twin/ppo-history"] == 300
        assert bodies[f"{stratum}/treated/twin/ppo-history"] == 96
    for lows, shield in ((lows, shield) for lows in sampler.LOWS for shield in ("rule", "twin")):
        assert bodies[f"seen/{lows}/{shield}/ppo-history"] == 30
    assert bodies["error-20/untreated/rule/planner"] == bodies["drawn/untreated/twin/planner"] == 60
    assert bodies["drawn/untreated/twin/hostile-max"] == 60


@pytest.mark.slow
def test_cells_are_done_once_and_the_table_says_what_may_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "DAYS", 0.2)
    argv = ["--share", "0.001", "--only", "seen/untreated/rule", "--out", str(tmp_path), "--processes", "1"]
    assert evidence.main(argv) == 0
    capsys.readouterr()
    assert evidence.main(argv) == 0
    told = capsys.readouterr().out
    assert "1 of 1 cells are done already" in told and "This is not a human risk." in told
    (row,) = report.rows(read_table(tmp_path / "results" / "bodies.csv.gz"))
    assert row["bodies"] == 3 and row["very_low_upper"] is None, "people that were seen have no bound"


def test_rows_stand_in_order_whatever_was_counted_last() -> None:
    rows = report.rows(kept.read(RESULTS / "evidence"))
    policy = [row for row in rows if row["agent"] == "ppo-history-fold0-seed0"]
    assert [row["shield"] for row in rows] == sorted(row["shield"] for row in rows)
    assert [(row["stratum"], row["lows"]) for row in policy if row["shield"] == "twin"][:4] == [
        ("drawn", "treated"), ("drawn", "untreated"), ("error-20", "treated"), ("error-20", "untreated"),
    ]  # fmt: skip


def test_a_bound_stands_behind_drawn_bodies() -> None:
    n = 300
    table: Table = {name: np.full(n, "") for name in ("person", "died")}
    table |= {"agent": np.full(n, "x"), "shield": np.full(n, "rule"), "stratum": np.full(n, "drawn")}
    table |= {"lows": np.full(n, "treated"), "days": np.full(n, 35.0)}
    table |= {name: np.zeros(n, int) for name in ("very_low", "very_high")}
    for name in (
        "tir_pct",
        "below_70_pct",
        "below_54_pct",
        "shield_changed_pct",
        "starved_hours",
        "lowest_mg_dl",
    ):
        table[name] = np.zeros(n)
    (row,) = report.rows(table)
    assert row["very_low_upper"] == pytest.approx(0.00994, abs=1e-4)
    said = report.sentence(row, "abc")
    assert (
        "0 of 300 bodies had plasma glucose below 40 mg/dL, so of new bodies of D at most 0.99 % (95 %"
        in said
    )
    assert "and 0 had it above 300 for two hours on end, so of new" in said
    assert said.endswith("This is not a human risk.")


def test_rows_behind_one_shield_can_be_done_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for shield in ("rule", "twin"):
        assert evidence.main(["--share", "0.01", "--shield", shield, "--list"]) == 0
        named = capsys.readouterr().out.split()
        assert len(named) > 12 and all(f"/{shield}/" in name for name in named)


def test_rows_without_their_policy_or_with_columns_lost_are_refused(tmp_path: Path) -> None:
    for name in (kept.BODIES, kept.TABLE):
        (tmp_path / name).write_bytes((RESULTS / "evidence" / name).read_bytes())
    few = {name: column[:3] for name, column in kept.read(tmp_path).items()}
    write_table(tmp_path / kept.BODIES, {name: few[name] for name in few if name != "died"})
    with pytest.raises(ValueError, match="has no column died; give a folder"):
        kept.read(tmp_path)
    write_table(tmp_path / kept.BODIES, few)
    said = (tmp_path / kept.TABLE).read_text()
    (tmp_path / kept.TABLE).write_text(said.replace(count.policy_hash(), "0" * 64))
    with pytest.raises(ValueError, match=r"not of the policy agents/policies/ppo-history/fold0-seed0 \("):
        kept.read(tmp_path)
    (tmp_path / kept.TABLE).write_bytes(b"\xa7\x00")
    with pytest.raises(ValueError, match="not of this sampler"):
        kept.read(tmp_path)


def test_what_is_counted_already_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    told = ["--only", "drawn/treated/rule", "--beside", str(RESULTS / "evidence"), "--list"]
    assert evidence.main(told) == 0
    assert "nothing is left" in capsys.readouterr().out


def test_wrong_words_are_answered() -> None:
    with pytest.raises(ValueError, match="above 0"):
        evidence.main(["--share", "0", "--out", "x"])
    with pytest.raises(ValueError, match="--only nonsense: no cell begins so; such as drawn/treated/rule"):
        evidence.main(["--only", "drawn", "nonsense", "--list"])
    with pytest.raises(ValueError, match="no cell of .* is behind --shield twin"):
        evidence.main(["--only", "error-40", "--shield", "twin", "--list"])
    with pytest.raises(ValueError, match="--out"):
        evidence.main([])


@pytest.mark.verify
def test_bodies_that_were_counted_before_stand_in_the_table_and_are_not_lived_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--share", "0.001", "--only", "drawn/untreated/rule/hostile", "--processes", "1"]
    assert evidence.main([*asked, "--out", str(tmp_path / "one")]) == 0
    first = tmp_path / "one" / "results"
    listed = ["--share", "0.05", "--only", "drawn/untreated/rule/hostile", "--beside", str(first), "--list"]
    assert evidence.main(listed) == 0  # three of three bodies are there; a row of 60 wants more
    assert len(capsys.readouterr().out.strip().splitlines()) >= 1
    before = read_table(first / "bodies.csv.gz")
    again = [
        *asked[:2],
        "--only",
        "drawn/untreated/rule",
        "--beside",
        str(first),
        "--out",
        str(tmp_path / "two"),
    ]
    assert evidence.main([*again, "--processes", "1"]) == 0
    both = read_table(tmp_path / "two" / "results" / "bodies.csv.gz")
    assert not list((tmp_path / "two" / "cells").rglob("hostile-*"))  # not lived again
    hostile = np.char.startswith(both["agent"], "hostile")
    assert hostile.sum() == len(before["person"]) and (~hostile).sum() == 3
    np.testing.assert_array_equal(both["lowest_mg_dl"][hostile], before["lowest_mg_dl"])
    gap = {name: np.delete(column, 0) for name, column in before.items()}  # the first body was lost
    cells = [
        cell for cell in count.cells(0.001) if cell.name.startswith("cells/drawn/untreated/rule/hostile-max")
    ]
    assert kept.left(cells, before) == [] and kept.left(cells, gap) == cells
    made = kept.made_by(tmp_path / "two" / "results")
    assert len(made) == 2 and made[1:] == kept.made_by(first)
    assert all(command.startswith("python -m scripts.evidence ") for command in made)
    twice = kept.merged(before, before)
    np.testing.assert_array_equal(twice["person"], before["person"])
    text = (first / "table.md").read_text().replace(sampler.sampler_hash(), "0" * 64)
    (first / "table.md").write_text(text)
    with pytest.raises(ValueError, match="not of this sampler"):
        evidence.main(again)
