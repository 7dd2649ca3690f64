"""Evaluations as they are read: a person counts once; what is no evaluation, cut or edited is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.page.findings import Findings
from experiments.records.tables import Table, select, write_table
from experiments.results import evaluations
from experiments.results.collect import collect
from tests.experiments import fake_evaluation as fake
from tests.experiments import tiny_study

NAN = float("nan")


def _episodes(agent: str, tir: dict[str, list[float]], seed: int = -1, shield: str = "rule") -> Table:
    """Episodes with these times in range, a list of replicas for each person; all else the same."""
    keys = [(person, k) for person, values in tir.items() for k in range(len(values))]
    n = len(keys)
    table: Table = {name: np.zeros(n) for name in evaluations.METRICS}
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


BASE = {"adult#001": [60.0, 70.0], "adult#002": [80.0], "child#001": [50.0]}


def test_a_person_counts_once_however_often_simulated() -> None:
    assert evaluations.person_means(_episodes("a", BASE), "tir_pct").tolist() == [65, 80, 50]


def test_persons_come_by_age_and_number() -> None:
    table = _episodes(
        "a", {name: [1.0] for name in ("child#001", "adult#010", "adolescent#002", "adult#002")}
    )
    assert evaluations.persons(table) == ["adult#002", "adult#010", "adolescent#002", "child#001"]


def test_episodes_without_a_value_are_left_out_of_a_mean() -> None:
    table = _episodes("a", BASE)
    table["mean_mg_dl"] = np.array([NAN, 120, 140, NAN])
    np.testing.assert_array_equal(evaluations.person_means(table, "mean_mg_dl"), [120, 140, NAN])


@pytest.mark.slow
def test_text_table(tmp_path: Path) -> None:
    text = evaluations.format_text(Findings(collect(fake.write_study(tmp_path))).rows)
    lines = text.splitlines()
    assert lines[0].split()[:4] == ["agent", "shield", "persons", "failures"]
    assert lines[2].startswith("ppo") and "0 of 24" in lines[2] and "[" in lines[2]
    assert "failed: constant-basal, shield off: child#001" in text and "* best baseline" in text
    assert (
        evaluations.failed_text({"failed_persons": {"adult#001": 1, "child#002": 3}})
        == "adult#001, child#002 (3 times)"
    )


def test_text_table_of_several_protocols() -> None:
    rest = dict.fromkeys(set(evaluations.METRICS) - set(tiny_study.episodes("pid", [80.0] * 6)), 1.0)
    days = [tiny_study.episodes("pid", [80.0] * 6, protocol=name, **rest) for name in ("calm", "stress")]
    days[1]["failed"][2] = 1.0
    about = {
        "primary": {
            "agent": None,
            "baseline": "pid",
            "protocol": "calm",
            "shield": "rule",
            "population": "all",
        }
    }
    lines = evaluations.format_text(Findings(tiny_study.study(days, about=about)).rows).splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["protocol", "pid", "protocol", "pid"]
    assert (lines[2], lines[4]) == ("protocol calm", "protocol stress")
    assert "failed: pid, shield rule, protocol stress: adolescent#001" in lines
    assert not any("*" in line for line in lines), "an agent that stands alone is nobody's best baseline"


def test_folders_that_are_no_evaluations(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no summary.json"):
        evaluations.read_evaluation(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(ValueError, match="summary.json is not JSON"):
        evaluations.read_evaluation(tmp_path)
    (tmp_path / "summary.json").write_text(json.dumps([]))
    with pytest.raises(ValueError, match="summary.json holds no JSON object; run the evaluation again"):
        evaluations.read_evaluation(tmp_path)
    (tmp_path / "summary.json").write_text(json.dumps({}))
    with pytest.raises(ValueError, match="summary.json lacks agent, command, failures"):
        evaluations.read_evaluation(tmp_path)
    needed = {
        "agent": "a",
        "shield": "rule",
        "protocol": "p",
        "protocol_hash": "h",
        "versions": {},
        "command": "",
    }
    summary = json.dumps(needed | {"persons": 1, "replicas": 1, "failures": 0})
    (tmp_path / "summary.json").write_text(summary)
    table = _episodes("a", BASE)
    write_table(
        tmp_path / "episodes.csv", {name: table[name] for name in table if name not in ("failed", "lbgi")}
    )
    with pytest.raises(ValueError, match=r"episodes.csv lacks the columns failed, lbgi"):
        evaluations.read_evaluation(tmp_path)
    write_table(tmp_path / "episodes.csv", select(table, person="nobody"))
    with pytest.raises(ValueError, match="has no rows"):
        evaluations.read_evaluation(tmp_path)


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
    table = dict(evaluations.read_evaluation(folder).episodes)
    if column is None:
        table = {name: values[:-1] for name, values in table.items()}
    else:
        table[column] = np.array([value] + table[column].tolist()[1:])
    write_table(folder / "episodes.csv", table)
    with pytest.raises(ValueError, match=message):
        evaluations.read_evaluation(folder)
