"""A whole study in small: trained, tuned, judged, collected, kept, done again from what is kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import verify
from experiments.fleet import Flow
from experiments.records import simulator
from experiments.records.config_files import build
from experiments.records.tables import read_table, write_table
from experiments.results import study_tables
from experiments.results.study_tables import StudyTables
from experiments.studies.settings import StudyConfig
from experiments.studies.study import commit, comparator, run

WHO = ["adult#001", "adult#002", "adult#003", "adult#004"]
TINY = {"lanes": 4, "n_timesteps": 32, "max_wall_s": None, "eval_days": 0.5, "eval_replicas": 1,
        "hyperparams": {"n_steps": 4, "batch_size": 16, "n_epochs": 1, "net_arch": [8]}}  # fmt: skip
SETTINGS = {
    "name": "tiny", "title": "A study in small", "protocol": "simglucose-default", "primary": "ppo",
    "learners": {"ppo": {"words": "a tiny policy", "seeds": [0, 1], "settings": TINY}},
    "treatments": ["basal-bolus"], "tuned": ["pid-tuned"], "tune_person_days_each": 100,
    "fine_tuned": {"learner": "ppo", "max_wall_s": 1.0},
    "sweep": {"cgm_bias": [-15.0, 15.0]}, "sweep_agents": ["ppo", "basal-bolus"], "sweep_days": 0.5,
    "changes": {"simglucose-default": {"people": WHO[:2], "replicas": 1, "days": 0.5}},
}  # fmt: skip

Done = tuple[StudyConfig, Path, StudyTables, Flow]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A study, its working folder, its tables, what became of its cells."""
    study, folder = build(StudyConfig, SETTINGS), tmp_path_factory.mktemp("study")
    tables, flow = run(study, folder, 1, lambda _: None)
    return study, folder, tables, flow


def test_every_agent_is_judged_and_nothing_is_lost(done: Done) -> None:
    _, _, tables, flow = done
    assert not flow.failed and not flow.refused
    assert set(tables.episodes["agent"].tolist()) == {"ppo", "ppo-fine-tuned", "basal-bolus", "pid-tuned"}
    assert set(tables.episodes["shield"].tolist()) == {"rule", "off"}
    seeds = tables.episodes["train_seed"][tables.episodes["agent"] == "ppo"]
    assert set(seeds.tolist()) == {0.0, 1.0}
    about = tables.about["primary"]
    assert (about["agent"], about["baseline"], about["population"]) == ("ppo", "pid-tuned", "all")
    assert tables.about["protocols"]["simglucose-default"]["modified"] is True
    whom = dict(zip(tables.agents["agent"].tolist(), tables.agents["tier"].tolist(), strict=True))
    assert whom == {
        "ppo": "T2 (this body)", "ppo-fine-tuned": "T2 (this body)", "pid-tuned": "T2 (this body)", "basal-bolus": "T0",
    }  # fmt: skip
    assert tables.sweep is not None and set(tables.sweep["value"].tolist()) == {-15.0, 15.0}
    assert tables.learning is not None and set(tables.learning["agent"].tolist()) >= {"ppo"}


def test_a_second_call_does_nothing_again(done: Done) -> None:
    study, folder, tables, _ = done
    marks = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "lock"
    }
    again, _ = run(study, folder, 1, lambda _: None)
    assert (
        marks.items()
        <= {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}.items()
    )
    assert (again.episodes["tir_pct"] == tables.episodes["tir_pct"]).all()


@pytest.mark.verify
def test_two_processes_write_the_same_tables(done: Done, tmp_path: Path) -> None:
    """Judging is repeatable to the byte; trainings and tunings are copied, since a clock may end the former."""
    study, folder, _, _ = done
    for part in ("train", "tuned", "done"):
        for path in (folder / part).rglob("*"):
            if path.is_file() and not path.name.startswith("cells__"):
                target = tmp_path / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    run(study, tmp_path, 2, lambda _: None)
    compared = 0
    for path in (folder / "cells").rglob("*.csv"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes()
        compared += 1
    assert compared > 20


@pytest.mark.verify
def test_what_is_kept_can_be_read_and_done_again(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, folder, tables, _ = done
    results, policies = tmp_path / "results", tmp_path / "policies"
    commit(study, tables, folder, results / "tiny", policies)
    held = study_tables.read(results / "tiny")
    assert len(held.episodes["agent"]) == len(tables.episodes["agent"])
    assert (policies / "ppo" / "seed1" / "policy.safetensors").is_file()
    assert (results / "tiny" / "report.html").stat().st_size > 10_000
    monkeypatch.setattr(verify, "load_study", lambda name: study)
    found = verify.verify(
        "tiny", seed=1, share=1.0, results=results, policies=policies, workers=1, say=lambda _: None
    )
    assert found.exact and not found.differing and len(found.cells) == 8
    monkeypatch.setattr(verify, "studies", lambda: ["tiny"])
    monkeypatch.setattr(simulator, "kernel_hash", lambda: "grown")
    assert verify.adopt({"tiny": found}, 1, results) == held.about["simulator"]
    listed = results / "simulators.json"
    assert simulator.name_of("grown", listed) == held.about["simulator"]
    assert simulator.listed(listed)["grown"]["cells"] == {"tiny": list(found.cells)}
    with pytest.raises(ValueError, match="tiny was not done again"):
        verify.adopt({}, 1, results)
    with pytest.raises(ValueError, match="of tiny only 1 evaluations were done again; verify with each"):
        verify.adopt({"tiny": replace(found, cells=found.cells[:1])}, 1, results)
    listed.unlink()
    path = next((results / "tiny").glob("episodes.csv*"))
    assert path.suffix == ".csv"
    table = read_table(path)
    cells = zip(table["agent"].tolist(), table["shield"].tolist(), table["train_seed"].tolist(), strict=True)
    first = list({cell: k for k, cell in reversed(list(enumerate(cells)))}.values())
    table["tir_pct"][first] -= 1  # one episode of every cell, so that the one done again holds such a one
    write_table(path, table)
    edited = verify.verify("tiny", 1, 0.1, results, policies, 1, lambda _: None)
    every = verify.verify("tiny", 1, 0.1, results, policies, 1, lambda _: None, each=True)
    assert {cell.split("/")[2] for cell in every.cells} == {"rule", "off"} and every.differing
    with pytest.raises(ValueError, match="tiny differs; results of another simulator are to be made anew"):
        verify.adopt({"tiny": every}, 1, results)
    with pytest.raises(ValueError, match="compared within 1e-6 only"):
        verify.adopt({"tiny": replace(found, exact=False)}, 1, results)
    assert not listed.exists()
    assert len(edited.cells) == 1 and "tir_pct of" in edited.differing[edited.cells[0]]


def test_the_comparator_is_chosen_by_what_nobody_is_judged_on(done: Done, tmp_path: Path) -> None:
    study, folder, _, flow = done
    assert comparator(study, folder, flow) == "pid-tuned"
    both = study.model_copy(update={"tuned": ("pid-tuned", "basal-bolus-tuned")})
    for name, score in (("pid-tuned", 50.0), ("basal-bolus-tuned", 60.0)):
        tuning = json.loads((folder / "tuned" / "pid-tuned.json").read_text())
        (tmp_path / "tuned").mkdir(exist_ok=True)
        tuning |= {"score": score}
        (tmp_path / "tuned" / f"{name}.json").write_text(json.dumps(tuning))
    names = ("tuned/pid-tuned.json", "tuned/basal-bolus-tuned.json")
    assert comparator(both, tmp_path, Flow(names, {}, {})) == "basal-bolus-tuned"
    assert comparator(both, tmp_path, Flow((), {}, {})) is None
