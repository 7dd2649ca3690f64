"""Studies as settings: the shipped ones are whole, wrong ones are refused, the plan is complete."""

from pathlib import Path
from typing import Any

import pytest

from experiments.records.config_files import ConfigError, build
from experiments.studies import plan
from experiments.studies.settings import StudyConfig, load_study, studies


def settings(**changes: Any) -> dict[str, Any]:
    """A small study."""
    learner = {"words": "x", "seeds": [0, 1], "settings": {"algo": "ppo", "history": True}}
    return {
        "name": "small", "title": "Small", "protocol": "realistic", "beside": ["stress"], "primary": "a",
        "learners": {"a": learner}, "treatments": ["basal-bolus"], "tuned": ["pid-cohort", "pid-tuned"],
        "sweep": {"cgm_bias": [-15.0, 15.0]}, "sweep_agents": ["a", "basal-bolus"],
        "fine_tuned": {"learner": "a", "seed": 0, "fold": 1},
    } | changes  # fmt: skip


@pytest.mark.parametrize("name", studies())
def test_shipped_studies_are_whole(name: str) -> None:
    study = load_study(name)
    cells = plan.cells(study)
    names = [cell.name for cell in cells]
    assert len(set(names)) == len(names)
    assert {need for cell in cells for need in cell.needs} <= set(names)


def test_the_primary_study_is_what_the_project_asks_for() -> None:
    study = load_study("realistic")
    assert study.protocol == "realistic" and "realistic-untreated" in study.beside
    assert len(study.learners[study.primary].seeds) == 5 and study.folds(study.primary) == (0, 1, 2, 3, 4)
    for name, learner in study.learners.items():
        for fold in study.folds(name):
            for seed in learner.seeds:
                wall = study.training(name, seed, fold).max_wall_s
                assert wall is not None and wall <= 600


def test_the_plan_trains_tunes_chooses_and_judges_every_copy() -> None:
    study = build(StudyConfig, settings())
    cells = {cell.name: cell for cell in plan.cells(study)}
    assert (
        "train/a/fold4-seed1" in cells
        and "tuned/pid-cohort-fold3.json" in cells
        and "tuned/pid-tuned.json" in cells
    )
    judged = cells["cells/realistic/rule/a/fold4-seed1"]
    assert judged.needs == ("train/a/fold4-seed1",) and judged.arguments["fold"] == 4
    assert cells["cells/realistic/off/pid-cohort/pid-cohort-fold2"].needs == ("tuned/pid-cohort-fold2.json",)
    assert cells["cells/validation/a/fold0-seed0"].arguments["whom"] == "validation"
    assert not any(
        name.startswith("cells/validation/pid-tuned") for name in cells
    )  # it has no gains for strangers
    swept = cells["cells/sweep/cgm_bias=-15/a/fold2-seed0"]
    assert swept.arguments["changes"]["cgm_bias_mg_dl"] == -15.0
    assert not any(name.startswith("cells/stress/off") for name in cells)
    tuned = cells["train/a-fine-tuned/adult-003"]
    assert tuned.needs == ("train/a/fold1-seed0",) and tuned.arguments["settings"]["own_settings"] is True
    assert cells["cells/realistic/rule/a-fine-tuned/adult-003"].arguments["person"] == "adult#003"


def test_a_part_of_the_plan_brings_what_it_needs() -> None:
    cells = plan.cells(build(StudyConfig, settings()))
    names = [cell.name for cell in plan.part(cells, "cells/realistic/rule/a-fine-tuned/adult-003")]
    assert names == [
        "train/a/fold1-seed0", "train/a-fine-tuned/adult-003", "cells/realistic/rule/a-fine-tuned/adult-003",
    ]  # fmt: skip
    assert all(cell.name.startswith("tuned/") for cell in plan.part(cells, prefix="tuned/"))
    with pytest.raises(ValueError, match="no cell 'tuned/pid-tuned'.*did you mean 'tuned/pid-tuned.json'"):
        plan.part(cells, "tuned/pid-tuned")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"primary": "b"}, "unknown learner 'b'"),
        ({"treatments": ["basal-bolos"]}, "did you mean 'basal-bolus'"),
        ({"tuned": ["pid-cohorts"]}, "did you mean 'pid-cohort'"),
        ({"sweep": {"cgm_bais": [1.0]}}, "did you mean 'cgm_bias'"),
        ({"sweep_agents": ["nobody"]}, "unknown agent 'nobody'"),
        ({"protocol": "realistik"}, "did you mean 'realistic'"),
        (
            {"learners": {"a": {"words": "x", "seeds": [0], "folds": [7], "settings": {}}}},
            "7 given; realistic has 5",
        ),
        (
            {"learners": {"a": {"words": "x", "seeds": [0], "settings": {"algoo": "ppo"}}}},
            "did you mean 'algo'",
        ),
        ({"changes": {"stres": {}}}, "did you mean 'stress'"),
        (
            {"changes": {"realistic": {"folds": 10, "days": 1}}},
            "folds given, which trainings would not follow",
        ),
        ({"changes": {"stress": {"replica": 1}}}, "did you mean 'replicas'"),
    ],
)
def test_wrong_studies_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(StudyConfig, settings(**changes))


def test_a_study_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("name: other\ntitle: x\n")
    with pytest.raises(ConfigError):
        load_study(str(path))
    with pytest.raises(ConfigError, match="unknown study 'realistik'.*did you mean 'realistic'"):
        load_study("realistik")
