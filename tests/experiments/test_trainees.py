"""Training on a person's twin: on draws of its posterior, under its settings, and never on a twin that was refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import frozen
from experiments.config import PERSONAL, TrainConfig, train_settings
from experiments.personal import twin_file
from experiments.protocol import load_protocol
from experiments.records.config_files import ConfigError, build, load_yaml
from experiments.trainees import BODIES, LOOKED_AT, trainees
from experiments.validation import looks_of
from scripts import fit_twin, train
from twins.world.readers import SIMULATED_DIARY

SMALL = [
    "--set", "lanes=4", "--set", "episode_days=0.25", "--set", "eval_days=0.25", "--set", "eval_replicas=1",
    "--set", "n_timesteps=96", "--set", "eval_freq=48", "--set", "save_freq=96", "--set", "max_wall_s=null",
    "--set", "hyperparams.n_steps=12", "--set", "hyperparams.batch_size=48", "--set", "hyperparams.net_arch=[8,8]",
]  # fmt: skip


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("person")
    argv = [str(SIMULATED_DIARY), "--fit-days", "6", "--test-days", "2", "--out", str(out)]
    assert fit_twin.main(argv) == 0
    return out


def _whom(twin: Path, **changes: Any):  # type: ignore[no-untyped-def]
    config = build(TrainConfig, {"twin": str(twin), "protocol": PERSONAL, **changes})
    protocol = load_protocol(config.protocol)
    return trainees(config, protocol, looks_of(config, protocol))


def test_draws_are_met_under_the_settings_of_the_diary(twin: Path) -> None:
    held, whom = twin_file.load(twin / "twin.json"), _whom(twin, twin_draws=20)
    assert (
        len(whom.cohort) >= BODIES and len(whom.looked_at) == LOOKED_AT and whom.met == (f"twin of {held.who}",)
    )
    assert (whom.cohort.therapy == held.therapy).all()
    assert len(np.unique(whom.cohort.parameters, axis=0)) > 5
    alone = _whom(twin, twin_draws=1)
    assert alone.met == (f"{held.who}~draw#001",) and len(np.unique(alone.cohort.parameters, axis=0)) == 1
    # As many people with habits of their own: one would miscount carbs by one factor in all of a training.
    assert len(alone.cohort) == BODIES and len(alone.looked_at) == LOOKED_AT


def test_a_policy_is_trained_on_a_twin_and_says_so(twin: Path, tmp_path: Path) -> None:
    assert train.main(["--twin", str(twin), *SMALL, "--out", str(tmp_path / "run")]) == 0
    config = load_yaml(tmp_path / "run" / "config.yml")
    assert config["protocol"] == PERSONAL and Path(config["twin"]) == twin
    told = frozen.load(tmp_path / "run").manifest.trained_on
    assert told["people"] == [f"twin of {twin_file.load(twin / 'twin.json').who}"]


def test_a_refused_twin_trains_nobody(twin: Path, tmp_path: Path) -> None:
    held = json.loads((twin / "twin.json").read_text("utf-8")) | {"accepted": False}
    (tmp_path / "twin.json").write_text(json.dumps(held))
    with pytest.raises(
        ValueError, match=r"refuses this twin, so no policy may be trained on it \(reasons: .*card.md"
    ):
        _whom(tmp_path)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (["people=adult#001"], r"people: .* given beside twin"),
        (["drawn_per_group=3"], "drawn_per_group: 3 given beside twin"),
        (["own_settings=true"], "own_settings: True given beside twin"),
    ],
)
def test_a_twin_stands_for_the_people(said: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        train_settings({"twin": "somewhere"}, None, said)


def test_draws_without_a_twin_do_nothing_and_are_refused() -> None:
    with pytest.raises(ConfigError, match="twin_draws: 3 given, which does nothing without a twin"):
        train_settings({}, None, ["twin_draws=3"])
    given = train_settings({"twin": "somewhere", "protocol": "realistic"}, None, [])
    assert given.protocol == "realistic" and train_settings({"twin": "x"}, None, []).protocol == PERSONAL


def test_a_twin_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no twin\.json in .*; make it again with scripts.fit_twin"):
        _whom(tmp_path / "nothing")


def test_a_run_on_given_people_cannot_be_gone_on_with_by_its_settings(twin: Path, tmp_path: Path) -> None:
    assert train.main(["--twin", str(twin), *SMALL, "--out", str(tmp_path / "run")]) == 0
    manifest = tmp_path / "run" / "manifest.json"
    held = json.loads(manifest.read_text("utf-8")) | {"given_people": ["somebody"]}
    manifest.write_text(json.dumps(held))
    with pytest.raises(ValueError, match="was trained on somebody, whom its settings do not name"):
        train.main(["--resume", str(tmp_path / "run")])
