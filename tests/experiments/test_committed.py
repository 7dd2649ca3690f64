"""What is committed of a study and of a benchmark: the numbers are those of the evaluations and measurements."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.committed import commit_speed, commit_study, markdown
from experiments.compare import Evaluation, read_evaluation, results_table
from experiments.records.tables import read_table, select
from tests.experiments import fake_evaluation as fake


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Evaluation]]:
    """A study of made-up evaluations, and what is committed of it."""
    folder = tmp_path_factory.mktemp("study")
    judged = [read_evaluation(one) for one in fake.write_study(folder / "evaluations")]
    run = fake.write_training_run(folder / "run", 0)
    commit_study(folder / "out", judged, [run], "make bench")
    return folder / "out", judged


def test_a_study_leaves_table_persons_page_and_figures(study: tuple[Path, list[Evaluation]]) -> None:
    out, _ = study
    names = {path.name for path in out.iterdir()}
    assert names == {"table.md", "persons.csv", "report.html", "bars.svg", "day.svg", "profile.svg"}
    for figure in out.glob("*.svg"):
        assert figure.read_text().lstrip().startswith("<?xml")
    text = (out / "table.md").read_text()
    assert "`make bench`" in text and "not a medical device" in text
    assert "- Failed, constant-basal, shield off: child#001" in text


def test_the_markdown_table_says_what_the_rows_say(study: tuple[Path, list[Evaluation]]) -> None:
    out, judged = study
    rows = results_table(judged)
    text = (out / "table.md").read_text()
    assert markdown(rows) in text
    first = next(line for line in text.splitlines() if line.startswith(f"| {rows[0]['agent']} "))
    assert f"{rows[0]['failures']} of {rows[0]['episodes']}" in first and f"{rows[0]['tir_pct']:.1f} [" in first


def test_means_of_persons_are_those_of_their_episodes(study: tuple[Path, list[Evaluation]]) -> None:
    out, judged = study
    table = read_table(out / "persons.csv")
    mine = select(table, agent="ppo", shield="rule", train_seed=1.0, person="child#002")
    source = next(one for one in judged if one.folder.name == "ppo__rule__1")
    episodes = select(source.episodes, person="child#002")
    assert mine["episodes"].tolist() == [len(episodes["person"])]
    np.testing.assert_allclose(mine["tir_pct"], [episodes["tir_pct"].mean()], rtol=1e-5)


def test_speed_is_written_as_measured(tmp_path: Path) -> None:
    kernel = {
        "kernel_person_min_per_s": 2e7,
        "simglucose_person_min_per_s": 200.0,
        "simglucose_plain_person_min_per_s": 3e3,
        "ratio_to_simglucose": 1e5,
        "ratio_to_simglucose_plain": 6e3,
    }
    step = {"step_us": 30.25, "simglucose_step_us": 14e3, "ratio_to_simglucose": 463.0}
    ppo = {
        "ppo_steps_per_s_5min": 4e4,
        "ppo_steps_per_s_30min": 3e4,
        "simglucose_ppo_steps_per_s": 80.0,
        "ratio_to_simglucose": 500.0,
    }
    table = commit_speed(tmp_path, {"kernel": kernel, "step": step, "ppo": ppo}, "make bench")
    assert table in (tmp_path / "speed.md").read_text()
    for cell in ("| 20.0 |", "| 100,000 |", "| 30.2 |", "| 500 |"):
        assert cell in table
    held = json.loads((tmp_path / "speed.json").read_text())
    assert held["ppo"] == ppo and held["command"] == "make bench" and held["versions"]["numpy"]
