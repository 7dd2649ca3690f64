"""The command lines as a user types them: what they write, what they print, how they refuse."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments import command
from experiments.config import TrainConfig
from experiments.protocol import load_protocol
from experiments.records.config_files import build, load_yaml
from experiments.records.tables import read_table
from experiments.results.evaluations import read_evaluation
from experiments.runs import read_manifest
from tests.agents import tiny_policy

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("[a-z]*.py"))
SMALL = ("--person", "adult#001", "--days", "0.5", "--replicas", "2")
TINY_TRAINING = (
    "--people", "adult#001", "--n-envs", "4", "-n", "48", "--set", "n_steps=12", "--set", "batch_size=24",
    "--set", "episode_days=0.25", "--set", "eval_replicas=1", "--set", "net_arch=[4]",
)  # fmt: skip


def _main(script: str, *words: str) -> int:
    code = importlib.import_module(f"scripts.{script}").main(words)
    assert isinstance(code, int)
    return code


def _process(*words: str, cwd: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


# --- help ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_an_example_and_what_this_is_not(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        _main(script, "--help")
    said = capsys.readouterr()
    assert left.value.code == 0 and said.err == ""
    assert f"example: python -m scripts.{script}" in said.out
    assert "not a medical device" in said.out
    assert str(ROOT) not in " ".join(said.out.split())


def test_scripts_are_short() -> None:
    """They parse and call; at most 90 lines."""
    assert {"train", "evaluate", "report", "demo"} <= set(SCRIPTS)
    for script in SCRIPTS:
        lines = (ROOT / "scripts" / f"{script}.py").read_text().splitlines()
        assert len(lines) <= 90, script


# --- evaluate -----------------------------------------------------------------------------------------------
def test_evaluate_writes_its_files_and_prints_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--agent", "basal-bolus", *SMALL, "--seed", "3", "--out", str(tmp_path / "out"))
    assert _main("evaluate", *words) == 0
    said = capsys.readouterr().out
    assert "basal-bolus" in said and "not a medical device" in said
    found = read_evaluation(tmp_path / "out")
    assert found.episodes["person"].tolist() == ["adult#001"] * 2
    assert found.summary["seed"] == 3 and found.summary["days"] == 0.5 and found.summary["modified"] is True
    assert found.summary["command"].startswith("python -m scripts.evaluate --agent basal-bolus --person")


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["basal-bolus-tuned", "low-glucose-suspend-tuned"])
def test_evaluate_tunes_for_the_agents_that_need_it(tmp_path: Path, agent: str) -> None:
    assert _main("evaluate", "--agent", agent, *SMALL, "--out", str(tmp_path / "out")) == 0
    assert read_evaluation(tmp_path / "out").summary["agent"] == agent


@pytest.mark.slow
def test_evaluate_judges_a_saved_policy_and_a_protocol_of_ones_own(tmp_path: Path) -> None:
    tiny_policy.write(tmp_path / "policy", oracle=True)
    text = (ROOT / "experiments" / "protocols" / "simglucose-default.yml").read_text()
    (tmp_path / "mine.yml").write_text(text.replace("name: simglucose-default", "name: mine"))
    words = ("--agent", str(tmp_path / "policy"), "--protocol", str(tmp_path / "mine.yml"), *SMALL)
    assert _main("evaluate", *words, "--shield", "off", "--out", str(tmp_path / "out")) == 0
    summary = read_evaluation(tmp_path / "out").summary
    assert (summary["agent"], summary["protocol"], summary["shield"]) == ("ppo (oracle)", "mine", "off")


@pytest.mark.slow
def test_evaluate_judges_whom_a_fold_has_not_met(tmp_path: Path) -> None:
    words = (
        "--protocol",
        "realistic",
        "--set",
        "drawn_per_group=0",
        "--days",
        "0.5",
        "--set",
        "warmup_days=0",
    )
    out = ("--out", str(tmp_path / "out"))
    assert _main("evaluate", "--agent", "basal-bolus", *words, "--people", "child", "--fold", "3", *out) == 0
    found = read_evaluation(tmp_path / "out")
    assert set(found.episodes["person"]) == {"child#007", "child#008"} and found.summary["modified"]
    assert set(found.episodes["fold"]) == {3}


@pytest.mark.verify
def test_a_changed_copy_of_a_shipped_protocol_is_marked_as_modified(tmp_path: Path) -> None:
    text = (ROOT / "experiments" / "protocols" / "simglucose-default.yml").read_text()
    changed = text.replace("people: [all]", "people: [adult#001]").replace("days: 2", "days: 0.5")
    (tmp_path / "simglucose-default.yml").write_text(changed.replace("replicas: 10", "replicas: 1"))
    (tmp_path / "own.yml").write_text(
        changed.replace("name: simglucose-default", "name: own").replace("replicas: 10", "replicas: 1")
    )
    for name, modified in (("simglucose-default", True), ("own", False)):
        words = ("--agent", "basal-bolus", "--protocol", str(tmp_path / f"{name}.yml"))
        assert _main("evaluate", *words, "--out", str(tmp_path / name)) == 0
        assert read_evaluation(tmp_path / name).summary["modified"] is modified


def test_the_printed_protocol_can_be_given_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--agent", "basal-bolus", *SMALL, "--seed", "9", "--set", "behaviour=realistic")
    assert _main("evaluate", *words, "--print-config") == 0
    printed = capsys.readouterr().out
    path = tmp_path / "simglucose-default.yml"
    path.write_text(printed)
    protocol = load_protocol(str(path))
    assert (protocol.seed, protocol.days, protocol.behaviour) == (9, 0.5, "realistic")
    assert _main("evaluate", "--agent", "basal-bolus", "--protocol", str(path), "--print-config") == 0
    assert capsys.readouterr().out == printed
    assert [entry.name for entry in tmp_path.iterdir()] == ["simglucose-default.yml"]


@pytest.mark.slow
def test_evaluate_as_a_module_and_as_a_file_gives_the_same(tmp_path: Path) -> None:
    """The command of the design's page, and the script called by its path from somewhere else."""
    words = (
        "--agent", "basal-bolus", "--person", "adult#001", "--protocol", "simglucose-default", "--seed", "3",
        "--days", "1", "--out",
    )  # fmt: skip
    first = _process("-m", "scripts.evaluate", *words, str(tmp_path / "module"))
    assert first.returncode == 0, first.stderr
    second = _process(str(ROOT / "scripts" / "evaluate.py"), *words, "out", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert "Traceback" not in first.stderr + second.stderr and "Warning" not in first.stderr + second.stderr
    one, other = read_evaluation(tmp_path / "module"), read_evaluation(tmp_path / "out")
    assert one.episodes["person"].tolist() == ["adult#001"] * 10
    assert (one.folder / "episodes.csv").read_bytes() == (other.folder / "episodes.csv").read_bytes()
    assert json.loads((other.folder / "summary.json").read_text())["command"].endswith("--out out")


@pytest.mark.slow
def test_an_agent_of_ones_own_is_found_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "my_agent.py").write_text(
        "class Mine:\n"
        "    def predict(self, observation, state=None, episode_start=None, deterministic=True):\n"
        "        return [[0.0, 0.0]] * len(observation), state\n"
    )
    words = ("--agent", "my_agent:Mine", *SMALL, "--out", "out")
    done = _process(str(ROOT / "scripts" / "evaluate.py"), *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(read_table(tmp_path / "out" / "episodes.csv")["agent"]) == {"my_agent:Mine"}


# --- train and report ----------------------------------------------------------------------------------------
@pytest.mark.slow
def test_train_makes_a_run_and_report_a_page_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main("train", *TINY_TRAINING, "-f", str(tmp_path), "--study", "first", "--seed", "5") == 0
    said = capsys.readouterr()
    assert "48 environment steps in" in said.err and "kept is the policy of step" in said.err
    run = Path(said.out.strip().splitlines()[-1])
    assert run.parent == tmp_path / "first" and run.name.startswith(
        "Homeostat-Dosing-v0__ppo__adult-001__s5__"
    )
    assert (
        (run / "command.txt")
        .read_text()
        .startswith("python -m scripts.train --people 'adult#001' --n-envs 4")
    )
    assert _main("evaluate", "--agent", str(run), *SMALL, "--out", str(tmp_path / "ppo")) == 0
    assert _main("evaluate", "--agent", "basal-bolus", *SMALL, "--out", str(tmp_path / "bb")) == 0
    capsys.readouterr()
    folders = (str(tmp_path / "ppo"), str(tmp_path / "bb"))
    assert _main("report", *folders, "--run", str(run), "--out", str(tmp_path / "page.html")) == 0
    said = capsys.readouterr().out
    assert "ppo" in said and "basal-bolus" in said and "not a medical device" in said
    assert "not a medical device" in (tmp_path / "page.html").read_text()
    assert _main("report", *folders) == 0


def test_the_printed_settings_of_training_can_be_given_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (*TINY_TRAINING, "--seed", "7", "--max-wall-s", "null", "--set", "learning_rate=1e-4")
    assert _main("train", *words, "--print-config") == 0
    printed = capsys.readouterr().out
    (tmp_path / "mine.yml").write_text(printed)
    config = build(TrainConfig, load_yaml(tmp_path / "mine.yml"))
    assert (config.seed, config.max_wall_s, config.hyperparams.learning_rate) == (7, None, 1e-4)
    assert _main("train", "--conf-file", str(tmp_path / "mine.yml"), "--print-config") == 0
    assert capsys.readouterr().out == printed
    out = tmp_path / "run"
    assert _main("train", "--conf-file", str(tmp_path / "mine.yml"), "--out", str(out)) == 0
    assert (out / "config.yml").read_text() == printed


def test_a_run_is_resumed_with_its_own_settings_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    assert _main("train", *TINY_TRAINING, "--out", out) == 0
    assert _main("train", "--resume", out) == 0
    assert len(read_manifest(out)["resumed_at"]) == 1
    for more in (("--seed", "1"), ("--set", "seed=1"), ("--out", "x"), ("--conf-file", f"{out}/config.yml")):
        with pytest.raises(ValueError, match="--resume goes on with the settings of its run"):
            _main("train", "--resume", out, *more)
    with pytest.raises(FileExistsError, match="go on with that run by --resume"):
        _main("train", *TINY_TRAINING, "--out", out)


@pytest.mark.verify
def test_train_shows_a_progress_bar_where_it_is_asked_for(tmp_path: Path) -> None:
    done = _process("-m", "scripts.train", *TINY_TRAINING, "--out", str(tmp_path / "run"), "-P")
    assert done.returncode == 0, done.stderr
    assert "48/48" in done.stdout + done.stderr and "Warning" not in done.stderr
    assert done.stdout.strip().splitlines()[-1] == str(tmp_path / "run")


# --- refusals ------------------------------------------------------------------------------------------------
_EVALUATE = ("evaluate", "--agent", "basal-bolus", "--out", "out")
_PID = ("--agent", "pid", "--out", "out")
_REFUSED: dict[str, tuple[Sequence[str], int, str]] = {
    "unknown person": ((*_EVALUATE, "--person", "adlt#001"), 1, "'adult#001'"),
    "unknown person, by which flag": ((*_EVALUATE, "--person", "adlt#001"), 1, "error: --person: people: "),
    "unknown group": ((*_EVALUATE, "--people", "childs"), 1, "'child'"),
    "unknown protocol": ((*_EVALUATE, "--protocol", "simglucose-defualt"), 1, "'simglucose-default'"),
    "a protocol that is no file": ((*_EVALUATE, "--protocol", "nowhere.yml"), 1, "no file nowhere.yml"),
    "unknown agent": (("evaluate", "--agent", "basal-bolu", "--out", "out"), 1, "'basal-bolus'"),
    "gains for who takes none": (
        (*_EVALUATE, "--gains", "x.json"),
        1,
        "basal-bolus takes none; leave it out, or name one of basal-bolus-tuned",
    ),
    "unknown module": (("evaluate", "--agent", "nowhere:Agent", "--out", "out"), 1, "no module 'nowhere'"),
    "unknown scenario": ((*_EVALUATE, "--set", "scenario=simglucos"), 1, "'simglucose'"),
    "unknown diary": ((*_EVALUATE, "--set", "scenario=diary:nowhere.csv"), 1, "no such file"),
    "unknown behaviour": ((*_EVALUATE, "--set", "behaviour=realstic"), 1, "'realistic'"),
    "unknown setting": ((*_EVALUATE, "--set", "replica=3"), 1, "'replicas'?; --print-config"),
    "unknown shield": ((*_EVALUATE, "--shield", "rul"), 1, "'rule'"),
    "unknown flag": ((*_EVALUATE, "--protcol", "x"), 2, "'--protocol'"),
    "no agent": (("evaluate", "--out", "out"), 2, "--agent"),
    "no folder": (("evaluate", "--agent", "basal-bolus"), 1, "--out is missing"),
    "a folder in use": (("evaluate", "--agent", "basal-bolus", "--out", "full"), 1, "already holds files"),
    "a folder that cannot be written": ((*_EVALUATE[:-1], "/proc/none"), 1, "cannot write"),
    "a seed in words": ((*_EVALUATE, "--seed", "three"), 1, "seed: 'three' given"),
    "no such fold": ((*_EVALUATE, "--protocol", "realistic", "--fold", "5"), 1, "0 to 4"),
    "a protocol without folds": ((*_EVALUATE, "--fold", "0"), 1, "it has no folds; leave the fold out, or name"),
    "no days": ((*_EVALUATE, "--days", "0"), 1, "days: 0 given"),
    "train: unknown person": (("train", "--people", "adlt#001", "--out", "out"), 1, "'adult#001'"),
    "train: unknown environment": (("train", "--env", "Homeostat/Dosing", "--out", "out"), 1, "Dosing-v0'"),
    "train: unknown protocol": (("train", "--protocol", "simglucos", "--out", "out"), 1, "unknown protocol"),
    "train: unknown setting": (("train", "--set", "gama=0.9", "--out", "out"), 1, "hyperparams.gamma"),
    "train: unknown flag": (("train", "--n-timestep", "5"), 2, "'--n-timesteps'"),
    "train: no such file": (("train", "--conf-file", "nowhere.yml"), 1, "no file nowhere.yml"),
    "train: no such run": (("train", "--resume", "nowhere"), 1, "nowhere is no run"),
    "train: no such policy": (
        ("train", *TINY_TRAINING, "-i", "nowhere", "--out", "out"),
        1,
        "no manifest.json",
    ),
    "battery: no episode": (("battery", *_PID, "--replicas", "0"), 1, "--replicas is 0; give 1 or more"),
    "battery: no days": (("battery", *_PID, "--days", "nan"), 1, "--days is nan; give 0.05 or more"),
    "battery: fewer than nobody": (("battery", *_PID, "--drawn", "-3"), 1, "--drawn is -3; give 0 or more"),
    "report: no such folder": (("report", "nowhere"), 1, "no summary.json in nowhere"),
    "report: unknown flag": (("report", "nowhere", "--titel", "x"), 2, "'--title'"),
    "demo: unknown person": (("demo", "--person", "nobody.csv"), 1, "nobody.csv"),
    "demo: unknown seed": (("demo", "--person", "simulated", "--seeds", "9"), 1, "give seeds of 0, 1"),
    "demo: one seed twice": (("demo", "--seeds", "1", "1"), 1, "each once"),
    "demo: unknown flag": (("demo", "--seed", "5"), 2, "'--seeds'"),
}


@pytest.mark.parametrize("case", _REFUSED)
def test_a_mistake_is_answered_with_one_clear_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (script, *words), code, part = _REFUSED[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "episodes.csv").write_text("mine")
    monkeypatch.setattr(sys, "argv", ["program", *words])
    with pytest.raises(SystemExit) as left:
        command.run(importlib.import_module(f"scripts.{script}").main)
    said = capsys.readouterr()
    assert left.value.code == code and said.out == ""
    assert said.err.count("\n") == 1 and said.err.startswith("error: ") and part in said.err
    assert len(said.err) < 600 and "Traceback" not in said.err and "pydantic" not in said.err
    assert (tmp_path / "full" / "episodes.csv").read_text() == "mine"


@pytest.mark.slow
def test_a_real_process_refuses_in_one_line_as_well() -> None:
    done = _process(
        "-m", "scripts.evaluate", "--agent", "basal-bolus", "--person", "adult#01", "--out", "nowhere"
    )
    assert done.returncode == 1 and done.stdout == "" and not (ROOT / "nowhere").exists()
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and "'adult#001'" in done.stderr


# --- studies ------------------------------------------------------------------------------------------------
def test_a_study_lists_its_cells_and_refuses_a_wrong_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main("study", "realistic", "--list") == 0
    names = capsys.readouterr().out.split()
    assert "train/ppo-history/fold4-seed4" in names and "cells/realistic/rule/basal-bolus/all" in names
    with pytest.raises(ValueError, match="unknown study 'realistc'.*did you mean 'realistic'"):
        _main("study", "realistc")
    with pytest.raises(ValueError, match="no cell 'cells/realistic/rule/basal-bolus'"):
        _main("study", "realistic", "--cell", "cells/realistic/rule/basal-bolus")


@pytest.mark.verify
def test_one_cell_of_a_study_by_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = "cells/realistic/rule/basal-bolus/all"
    assert _main("study", "realistic", "--cell", cell, "--folder", str(tmp_path), "--processes", "1") == 0
    found = read_evaluation(tmp_path / cell)
    assert found.summary["command"] == f"python -m scripts.study realistic --cell {cell}"
    assert found.summary["persons"] == 60 and found.summary["modified"] is False
    assert "1/1" in capsys.readouterr().out


@pytest.mark.verify
def test_the_win_rule_on_identical_agents(capsys: pytest.CaptureFixture[str]) -> None:
    study = str(ROOT / "results" / "realistic")
    assert _main("aa_test", "--pairs", "20", "--study", study) == 0
    said = capsys.readouterr().out
    assert said.count("called a win") == 4 and "trainings of ppo-history against its others" in said
