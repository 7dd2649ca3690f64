"""Searches for hyperparameters: shared by processes, resumable after kill -9, and without leftovers."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from agents.actors import ALGOS, Algo
from experiments import hyperparams, search
from experiments.config import TrainConfig, train_settings
from experiments.hyperparams import SETTINGS, Range, load_hyperparams, load_space
from experiments.records.config_files import ConfigError, build, load_yaml
from scripts.search import main

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "people": ["adult#001"], "lanes": 4, "episode_days": 0.125, "eval_days": 0.125, "eval_replicas": 1,
    "n_timesteps": 96, "eval_freq": 32, "save_freq": 10**6, "max_wall_s": None,
    "hyperparams": {
        "net_arch": [4], "qf_arch": [4], "learning_starts": 8, "batch_size": 8, "buffer_size": 400,
    },
}  # fmt: skip
SPACE = "  learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}\n  gradient_steps: {low: 1, high: 2}\n"
SPACE += "  gamma: [0.9, 0.95]\n  qf_arch: [[4], [4, 4]]\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """A training of a moment, and a small space to search."""
    own = load_hyperparams("sac").model_dump()
    folder = tmp_path / "hyperparams"
    folder.mkdir()
    text = "default:\n" + "".join(
        f"  {k}: {list(v) if isinstance(v, tuple) else v}\n" for k, v in own.items()
    )
    (folder / "sac.yml").write_text(f"{text}\nsearch:\n{SPACE}")
    monkeypatch.setattr(hyperparams, "HYPERPARAMETERS", folder)
    return build(TrainConfig, {"algo": "sac", **TINY})


def _study(storage: Path, name: str = "sac") -> list[optuna.trial.FrozenTrial]:
    return search.open_study(storage, name).get_trials()


# --- spaces -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("algo", ALGOS)
def test_every_space_holds_the_tested_values_and_only_what_can_be_set(algo: Algo) -> None:
    space, tested = load_space(algo), load_hyperparams(algo).model_dump()
    assert len(space) >= 8
    for name, held in space.items():
        if isinstance(held, Range):
            assert held.low <= tested[name] <= held.high, name
            ends: list[Any] = [held.low, held.high]
        else:
            choices = [tuple(choice) if isinstance(choice, list) else choice for choice in held]
            assert tested[name] in choices, name
            ends = held
        for value in ends:
            SETTINGS[algo].model_validate({**tested, name: value})
            build(TrainConfig, {"algo": algo, "hyperparams": {name: value}})
    pairs = itertools.product(space.get("n_steps", [None]), space.get("batch_size", [None]))
    for n_steps, batch in pairs:  # these must fit together
        both = {name: value for name, value in (("n_steps", n_steps), ("batch_size", batch)) if value}
        build(TrainConfig, {"algo": algo, "hyperparams": both})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("search:\n  gama: [0.9]\n", "td3 has no 'gama'; did you mean 'gamma'"),
        ("search:\n  gamma: 0.9\n", "search.gamma: give a list of choices, or low, high and log"),
        ("search:\n  gamma: {low: 0.9, hihg: 0.99}\n", "search.gamma: .*did you mean 'high'"),
        ("default: {}\n", "no section `search`"),
    ],
)
def test_mistakes_in_a_space_are_named(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "td3.yml").write_text(text)
    monkeypatch.setattr(hyperparams, "HYPERPARAMETERS", tmp_path)
    with pytest.raises(ConfigError, match=f"td3.yml.*{message}"):
        load_space("td3")


# --- one process --------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_search_tries_what_the_space_holds_and_gives_the_best(config: TrainConfig, tmp_path: Path) -> None:
    storage = tmp_path / "s" / "journal"
    found = search.search(config, storage, "sac", 3)
    trials = _study(storage)
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 3
    winner = max(trials, key=lambda trial: trial.value or 0.0)
    assert found.hyperparams.learning_rate == winner.params["learning_rate"]
    drawn = {name: json.loads(v) if isinstance(v, str) else v for name, v in winner.params.items()}
    plain = found.hyperparams.model_dump(mode="json")
    assert set(drawn) == {"learning_rate", "gradient_steps", "gamma", "qf_arch"}
    assert all(plain[name] == value for name, value in drawn.items())
    assert len({trial.params["learning_rate"] for trial in trials}) == 3
    for number, trial in enumerate(trials):
        assert trial.user_attrs["seeds"] == {"train": 0, "sampler": number}
        assert len(trial.intermediate_values) == 4, "a look before training and at each 32 steps"
        assert trial.value == max(trial.intermediate_values.values())
    assert [path.name for path in storage.parent.rglob("*")] == ["journal"] or not list(
        (storage.parent / "journal.trials").iterdir()
    ), "the folders of the trials are gone"
    again = search.search(config, tmp_path / "other", "sac", 3)
    assert again == found, "the same seed searches the same"


def test_a_study_that_is_done_only_tells_its_best_and_more_trials_go_on(
    config: TrainConfig, tmp_path: Path
) -> None:
    storage = tmp_path / "journal"
    one = search.search(config, storage, "sac", 1)
    assert search.search(config, storage, "sac", 1) == one and len(_study(storage)) == 1
    search.search(config, storage, "sac", 2)
    assert len(_study(storage)) == 2


def test_a_study_of_other_settings_is_not_mixed_with_these(config: TrainConfig, tmp_path: Path) -> None:
    search.search(config, tmp_path / "journal", "sac", 1)
    with pytest.raises(ValueError, match=r"begun with other settings \(lanes, n_timesteps\)"):
        search.search(
            build(TrainConfig, {"algo": "sac", **TINY, "lanes": 5, "n_timesteps": 50}),
            tmp_path / "journal",
            "sac",
            1,
        )
    other = config.model_copy(update={"seed": 5})
    search.search(other, tmp_path / "journal", "sac", 2)
    assert _study(tmp_path / "journal")[1].user_attrs["seeds"] == {"train": 5, "sampler": 6}


def test_trials_below_the_median_end_early(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([(1.0, 5.0, 6.0)] * 4 + [(1.0, 2.0, 9.0)] + [(1.0, 5.5, 7.0)])

    def pretend(_: TrainConfig, run: Any, on_look: Callable[[int, float], None]) -> None:
        for step, score in enumerate(next(scores)):
            on_look(step, score)

    monkeypatch.setattr(search, "train", pretend)
    search.search(config, tmp_path / "journal", "sac", 6)
    trials = _study(tmp_path / "journal")
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 4 + ["PRUNED", "COMPLETE"]
    assert list(trials[4].intermediate_values.values()) == [1.0, 2.0], "it was not trained to its end"


def test_a_trial_that_diverges_is_reported_and_the_search_goes_on(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = iter([ValueError("weights hold values that are not finite"), None])

    def pretend(_: TrainConfig, run: Any, on_look: Callable[[int, float], None]) -> None:
        if (error := next(outcomes)) is not None:
            raise error
        on_look(0, 3.0)

    monkeypatch.setattr(search, "train", pretend)
    with pytest.raises(ValueError, match="no trial of the study came to a score .*not finite"):
        search.search(config, tmp_path / "journal", "sac", 1)
    search.search(config, tmp_path / "journal", "sac", 2)
    trials = _study(tmp_path / "journal")
    assert [trial.state.name for trial in trials] == ["FAIL", "COMPLETE"]
    assert "not finite" in trials[0].user_attrs["failed"] and "trial 0 failed" in caplog.text


def test_ctrl_c_leaves_a_trial_to_be_tried_again(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(search, "train", _interrupted)
        search.search(config, tmp_path / "journal", "sac", 1)
    search.search(config, tmp_path / "journal", "sac", 1)
    first, again = _study(tmp_path / "journal")
    assert (first.state, again.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert again.params == first.params and again.user_attrs["retry_of"] == 0


def _interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_file_that_is_no_journal_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text('{"a": 1}\n')
    with pytest.raises(ValueError, match="is no journal of a search"):
        search.search(config, tmp_path / "notes", "sac", 1)


# --- several processes --------------------------------------------------------------------------------------
def _words(storage: Path, trials: int, **changes: Any) -> list[str]:
    plain = {**TINY, **changes}
    inner = plain.pop("hyperparams")
    sets = {**plain, **{f"hyperparams.{name}": value for name, value in inner.items()}}
    sets["people"] = "adult#001"
    sets["max_wall_s"] = "null"
    words = [f"--set={name}={value}" for name, value in sets.items()]
    return ["--algo", "sac", "--storage", str(storage), "--trials", str(trials), *words]


def _process(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "scripts.search", *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.verify
def test_two_processes_share_a_study_and_one_that_was_killed_is_made_up_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """kill -9 in mid-trial; another process on the same file, at work beside this one, tries the same values again."""
    storage = tmp_path / "journal"
    words = _words(storage, 2, n_timesteps=160, eval_freq=80)
    one = _process(words)
    folders = tmp_path / "journal.trials"
    for _ in range(6000):
        if list(folders.glob("*/run/policy/manifest.json")):
            break
        assert one.poll() is None, one.communicate()[1]
        time.sleep(0.01)
    one.send_signal(signal.SIGKILL)
    one.communicate()
    (left,) = folders.iterdir()
    lost = _study(storage)[int(left.name)]
    assert lost.state == TrialState.RUNNING
    two = _process(words)
    assert main(words) == 0
    told, (said, errors) = capsys.readouterr().out, two.communicate()
    assert two.returncode == 0, errors
    assert "its values are tried again" in errors + caplog.text
    trials = _study(storage)
    assert trials[lost.number].state == TrialState.FAIL
    assert [trial.params for trial in trials if trial.user_attrs.get("retry_of") == lost.number] == [
        lost.params
    ]
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert 2 <= len(done) <= 3 and not list(folders.iterdir())
    (tmp_path / "best.yml").write_text(max(said, told, key=len))
    best = train_settings({}, str(tmp_path / "best.yml"), [])
    assert best.algo == "sac" and best.lanes == 4
    assert best.hyperparams.learning_rate in {trial.params["learning_rate"] for trial in done}
    assert build(TrainConfig, load_yaml(tmp_path / "best.yml")) == best


def test_the_command_line_refuses_what_cannot_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="give --storage FILE"):
        main(["--algo", "sac"])
    with pytest.raises(ValueError, match="--trials of at least 1"):
        main(["--storage", "x", "--trials", "0"])
    assert main(["--algo", "tqc", "--print-config"]) == 0
    assert "algo: tqc" in capsys.readouterr().out
