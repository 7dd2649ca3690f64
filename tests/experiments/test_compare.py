"""Tables of evaluations: a person counts once; intervals, pairs, the best baseline, the verdict."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import compare
from experiments.compare import Evaluation, Row
from experiments.records.tables import Table, concat, select, write_table
from tests.experiments import fake_evaluation as fake

NAN = float("nan")


def _episodes(agent: str, tir: dict[str, list[float]], seed: int = -1, shield: str = "rule") -> Table:
    """Episodes with these times in range, a list of replicas for each person; all else the same."""
    keys = [(person, k) for person, values in tir.items() for k in range(len(values))]
    n = len(keys)
    table: Table = {name: np.zeros(n) for name in compare.METRICS}
    return table | {
        "agent": np.full(n, agent),
        "shield": np.full(n, shield),
        "protocol": np.full(n, "p"),
        "person": np.array([person for person, _ in keys]),
        "group": np.array([person.split("#")[0] for person, _ in keys]),
        "replica": np.array([float(k) for _, k in keys]),
        "seed": np.full(n, 20000.0),
        "train_seed": np.full(n, float(seed)),
        "days": np.full(n, 2.0),
        "failed": np.zeros(n),
        "tir_pct": np.array([tir[person][k] for person, k in keys], float),
    }


def _evaluation(*tables: Table, digest: str = "h") -> Evaluation:
    return Evaluation(Path("folder"), concat(tables), {"protocol": "p", "protocol_hash": digest})


def _verdict(*tables: Table) -> Row | None:
    evaluations = [_evaluation(table) for table in tables]
    return compare.verdict(compare.results_table(evaluations), compare.all_episodes(evaluations))


BASE = {"adult#001": [60.0, 70.0], "adult#002": [80.0], "child#001": [50.0]}
BETTER = {person: [value + 5 for value in values] for person, values in BASE.items()}


def test_a_person_counts_once_however_often_simulated() -> None:
    (row,) = compare.results_table([_evaluation(_episodes("a", BASE))])
    assert row["tir_pct"] == pytest.approx((65 + 80 + 50) / 3)
    assert (row["persons"], row["replicas"], row["episodes"], row["days"]) == (3, 2, 4, 2)
    (child,) = compare.results_table([_evaluation(_episodes("a", BASE))], group="child")
    assert child["tir_pct"] == 50 and np.isnan(child["tir_pct_low"])


def test_persons_come_by_age_and_number() -> None:
    table = _episodes(
        "a", {name: [1.0] for name in ("child#001", "adult#010", "adolescent#002", "adult#002")}
    )
    assert compare.persons(table) == ["adult#002", "adult#010", "adolescent#002", "child#001"]


def test_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    values = np.random.default_rng(0).normal(70, 10, (30, 2))
    low, high = compare.bootstrap_interval(values)
    assert (low < values.mean(axis=0)).all() and (values.mean(axis=0) < high).all()
    standard_error = values.std(axis=0, ddof=1) / np.sqrt(30)
    np.testing.assert_allclose(high - low, 2 * 1.96 * standard_error, rtol=0.1)
    np.testing.assert_array_equal(compare.bootstrap_interval(values)[0], low)
    assert np.isnan(compare.bootstrap_interval(values[:1])[0]).all()


def test_episodes_without_a_value_are_left_out_of_a_mean() -> None:
    table = _episodes("a", BASE)
    table["mean_mg_dl"] = np.array([NAN, 120, 140, NAN])
    np.testing.assert_array_equal(compare.person_means(table, "mean_mg_dl"), [120, 140, NAN])
    (row,) = compare.results_table([_evaluation(table)])
    assert row["mean_mg_dl"] == 130


def test_rows_rule_shield_first_then_by_time_in_range() -> None:
    tables = [
        _episodes(name, {"adult#001": [tir]}, shield=shield)
        for shield, name, tir in (("off", "a", 90), ("rule", "b", 40), ("rule", "c", 60))
    ]
    rows = compare.results_table([_evaluation(_episodes("ppo", {"adult#001": [70.0]}, seed=3), *tables)])
    assert [(row["agent"], row["best_baseline"]) for row in rows] == [
        ("ppo", False),
        ("c", True),
        ("b", False),
        ("a", True),
    ]
    assert rows[0]["learned"] and rows[0]["train_seeds"] == [3]


def test_training_seeds_are_shown_apart() -> None:
    seeds = [
        _episodes("ppo", {"adult#001": [tir], "adult#002": [tir]}, seed=k)
        for k, tir in ((0, 60.0), (7, 80.0))
    ]
    (row,) = compare.results_table([_evaluation(table) for table in seeds])
    assert row["train_seeds"] == [0, 7] and row["seed_tir_pct"] == [60, 80] and row["tir_pct"] == 70


def test_paired_difference_is_of_the_days_both_have() -> None:
    other = {"adult#001": [58.0], "adult#002": [81.0], "adult#003": [0.0]}
    found = compare.paired_difference(concat([_episodes("a", BASE), _episodes("b", other)]), "a", "b", "rule")
    assert (found["mean"], found["persons"], found["better"]) == (0.5, 2, 1)
    with pytest.raises(ValueError, match="a and b .* have no day of a person in common"):
        strange = _episodes("b", BASE) | {"seed": np.full(4, 1.0)}
        compare.paired_difference(concat([_episodes("a", BASE), strange]), "a", "b", "rule")


def test_verdict() -> None:
    base = _episodes("base", BASE)
    assert (_verdict(base, _episodes("ppo", BETTER, seed=0)) or {})["outcome"] == "better"
    assert (_verdict(_episodes("base", BETTER), _episodes("ppo", BASE, seed=0)) or {})["outcome"] == "worse"
    mixed = {"adult#001": [90.0, 90.0], "adult#002": [60.0], "child#001": [50.0]}
    assert (_verdict(base, _episodes("ppo", mixed, seed=0)) or {})["outcome"] == "unclear"
    one = {"adult#001": [60.0]}
    assert (_verdict(_episodes("base", one), _episodes("ppo", one, seed=0)) or {})["outcome"] == "unclear"
    assert _verdict(base) is None
    assert (_verdict(_episodes("ppo", BASE, seed=0)) or {})["baseline"] is None


def test_more_time_in_range_does_not_outweigh_a_death() -> None:
    deadly = _episodes("ppo", BETTER, seed=0)
    deadly["failed"][1] = 1.0
    found = _verdict(_episodes("base", BASE), deadly)
    assert found is not None and found["outcome"] == "unsafe"
    assert found["learned"]["failed_persons"] == {"adult#001": 1}


def test_more_time_in_range_does_not_outweigh_more_time_below_70() -> None:
    lower = _episodes("ppo", BETTER, seed=0)
    lower["below_70_pct"] = lower["below_70_pct"] + 3.0
    base = _episodes("base", BASE)
    found = _verdict(base, lower)
    assert found is not None and found["outcome"] == "mixed"
    assert found["lows"]["high"] >= compare.LOW_MARGIN_POINTS
    assert (_verdict(base, _episodes("ppo", BETTER, seed=0)) or {})["outcome"] == "better"


def test_text_table(tmp_path: Path) -> None:
    text = compare.format_text(
        compare.results_table([compare.read_evaluation(f) for f in fake.write_study(tmp_path)])
    )
    lines = text.splitlines()
    assert lines[0].split()[:4] == ["agent", "shield", "persons", "failures"]
    assert lines[2].startswith("ppo") and "0 of 24" in lines[2] and "[" in lines[2]
    assert "failed: constant-basal, shield off: child#001" in text and "* best baseline" in text
    assert (
        compare.failed_text({"failed_persons": {"adult#001": 1, "child#002": 3}})
        == "adult#001, child#002 (3 times)"
    )


def test_folders_that_are_no_evaluations(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no summary.json"):
        compare.read_evaluation(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(ValueError, match="summary.json is not JSON"):
        compare.read_evaluation(tmp_path)
    (tmp_path / "summary.json").write_text(json.dumps([]))
    with pytest.raises(ValueError, match="summary.json lacks agent, command, failures"):
        compare.read_evaluation(tmp_path)
    needed = {"agent": "a", "shield": "rule", "protocol": "p", "protocol_hash": "h", "versions": {}, "command": ""}
    summary = json.dumps(needed | {"persons": 1, "replicas": 1, "failures": 0})
    (tmp_path / "summary.json").write_text(summary)
    table = _episodes("a", BASE)
    write_table(
        tmp_path / "episodes.csv", {name: table[name] for name in table if name not in ("failed", "lbgi")}
    )
    with pytest.raises(ValueError, match=r"episodes.csv lacks the columns failed, lbgi"):
        compare.read_evaluation(tmp_path)
    write_table(tmp_path / "episodes.csv", select(table, person="nobody"))
    with pytest.raises(ValueError, match="has no rows"):
        compare.read_evaluation(tmp_path)
    with pytest.raises(ValueError, match="no evaluation was given"):
        compare.results_table([])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("tir_pct", np.nan, "tir_pct leaves 0 ... 100"),
        ("tir_pct", 900.0, "tir_pct leaves 0 ... 100"),
        ("failed", 0.5, "something else than 0 and 1"),
        ("failed", 1.0, "summary.json says"),
        ("lbgi", "much", "column lbgi holds text"),
        ("shield", "off", "column shield does not agree with summary.json"),
        (None, None, "summary.json says"),
    ],
)
def test_edited_or_cut_episodes_are_found_out(
    tmp_path: Path, column: str | None, value: float | str, message: str
) -> None:
    folder = fake.write_evaluation(tmp_path / "one", "basal-bolus", "rule")
    table = dict(compare.read_evaluation(folder).episodes)
    if column is None:
        table = {name: values[:-1] for name, values in table.items()}
    else:
        table[column] = np.array([value] + table[column].tolist()[1:])
    write_table(folder / "episodes.csv", table)
    with pytest.raises(ValueError, match=message):
        compare.read_evaluation(folder)


def test_seeds_that_were_trained_differently_are_not_one_method(tmp_path: Path) -> None:
    folders = [fake.write_evaluation(tmp_path / f"{seed}", "ppo", "rule", seed) for seed in (0, 1)]
    judged = [compare.read_evaluation(folder) for folder in folders]
    facts = {"people": ["adult#001"], "shield": "rule", "seed": 0, "timesteps": 5}
    judged[0].summary["trained_on"] = facts
    judged[1].summary["trained_on"] = facts | {"seed": 1, "timesteps": 7}
    assert compare.results_table(judged)[0]["train_seeds"] == [0, 1]
    judged[1].summary["trained_on"] = facts | {"seed": 1, "shield": "off"}
    with pytest.raises(ValueError, match="trained differently .shield."):
        compare.results_table(judged)


def test_what_must_not_be_compared() -> None:
    table = _episodes("a", BASE)
    with pytest.raises(ValueError, match="given twice .*adult#001.*replica 0"):
        compare.results_table([_evaluation(table), _evaluation(table)])
    with pytest.raises(ValueError, match="different hashes"):
        compare.results_table([_evaluation(table), _evaluation(_episodes("b", BASE), digest="other")])
