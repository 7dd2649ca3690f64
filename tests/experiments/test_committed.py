"""What is committed of a study and of a benchmark: the numbers are those of the evaluations and measurements."""

import json
from pathlib import Path

import pytest

from experiments.committed import commit_speed, markdown, write_study
from experiments.page.findings import Findings
from experiments.report import write_report
from experiments.results import study_tables
from experiments.results.collect import collect
from experiments.results.evaluations import Evaluation, read_evaluation
from tests.experiments import fake_evaluation as fake


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Evaluation]]:
    """A study of made-up evaluations, and what is committed of it."""
    folder = tmp_path_factory.mktemp("study")
    judged = [read_evaluation(one) for one in fake.write_study(folder / "evaluations")]
    run = fake.write_training_run(folder / "run", 0)
    tables = collect([one.folder for one in judged], [run], name="out", command="make bench")
    write_study(folder / "out", tables)
    return folder / "out", judged


def test_a_study_leaves_tidy_tables_page_and_figures(study: tuple[Path, list[Evaluation]]) -> None:
    out, _ = study
    names = {path.name for path in out.iterdir()}
    assert {"study.json", "cells.csv", "agents.csv", "learning.csv", "table.md", "report.html"} <= names
    assert {"bars.svg", "day.svg", "profile.svg"} == {path.name for path in out.glob("*.svg")}
    for figure in out.glob("*.svg"):
        assert figure.read_text().lstrip().startswith("<?xml")
    text = (out / "table.md").read_text()
    assert "`make bench`" in text and "not a medical device" in text
    assert "- Failed, constant-basal, shield off: child#001" in text
    assert sum(path.stat().st_size for path in out.glob("*.csv*")) < 1_500_000


@pytest.mark.slow
def test_the_page_is_that_of_the_committed_tables(
    study: tuple[Path, list[Evaluation]], tmp_path: Path
) -> None:
    out, _ = study
    assert write_report(tmp_path / "again.html", out).read_bytes() == (out / "report.html").read_bytes()


@pytest.mark.slow
def test_the_markdown_table_says_what_the_rows_say(study: tuple[Path, list[Evaluation]]) -> None:
    out, judged = study
    rows = Findings(study_tables.read(out)).main
    text = (out / "table.md").read_text()
    assert markdown(rows) in text
    first = next(line for line in text.splitlines() if line.startswith(f"| {rows[0]['agent']} "))
    assert (
        f"{rows[0]['failures']} of {rows[0]['episodes']}" in first and f"{rows[0]['tir_pct']:.1f} [" in first
    )
    means = {
        (row["agent"], row["shield"]): row["tir_pct"]
        for row in Findings(collect([one.folder for one in judged])).rows
    }
    assert {(row["agent"], row["shield"]): row["tir_pct"] for row in rows} == pytest.approx(means, rel=1e-5)


def test_speed_is_written_as_measured(tmp_path: Path) -> None:
    kernel = {
        "kernel_person_min_per_s": 2e7,
        "simglucose_person_min_per_s": 200.0,
        "simglucose_plain_person_min_per_s": 3e3,
        "ratio_to_simglucose": 1e5,
        "ratio_to_simglucose_plain": 6e3,
        "exercise_ratio_to_rest": 0.84,
        "whole_ratio_to_kernel": 0.43,
    }
    step = {"step_us": 30.25, "simglucose_step_us": 14e3, "ratio_to_simglucose": 463.0}
    ppo = {
        "ppo_steps_per_s_5min": 4e4,
        "ppo_steps_per_s_30min": 3e4,
        "simglucose_ppo_steps_per_s": 80.0,
        "ratio_to_simglucose": 500.0,
        "ppo_rule_ratio_to_off": 0.88,
    }
    shield = {"twin_decision_ms": 3.4, "twin_decision_p99_ms": 6.1, "rule_ratio_to_off": 0.97}
    table = commit_speed(tmp_path, {"kernel": kernel, "step": step, "ppo": ppo, "shield": shield}, "make bench")
    assert table in (tmp_path / "speed.md").read_text()
    for cell in ("| 20.0 |", "| 100,000 |", "| 0.84 |", "| 0.43 |", "| 30.2 |", "| 500 |", "| 0.88 |"):
        assert cell in table
    held = json.loads((tmp_path / "speed.json").read_text())
    assert held["ppo"] == ppo and held["command"] == "make bench" and held["versions"]["numpy"]
