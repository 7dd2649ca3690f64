"""Training: what a run leaves, and that stopping it, by whatever means, changes nothing of what it learns."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import numpy as safetensors
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from agents import frozen
from experiments import validation
from experiments.config import TrainConfig, train_settings
from experiments.hyperparams import SETTINGS
from experiments.protocol import load_protocol
from experiments.records import checkpoints
from experiments.records.config_files import ConfigError, build, load_yaml, save
from experiments.records.tables import Table, read_table
from experiments.runs import Run, latest_checkpoint, read_manifest
from experiments.simulate import simulate
from experiments.train import ending, train
from experiments.tune import score, scored
from experiments.validation import VALIDATION_SEED
from scripts.train import main
from twins.files import StorageError
from twins.kernels import kernel_hash

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("adult#001", "child#003")
ROLLOUT = 96
"""Environment steps of a rollout: 8 lanes x 12 decisions."""
LOOKS = ("timesteps", "wall_s", "tir_pct", "below_70_pct", "below_54_pct", "failures", "score")


def _config(**changes: Any) -> TrainConfig:
    """A training of a second: five rollouts, a look at every second one, a checkpoint after each."""
    small = {
        "n_steps": 12, "batch_size": 48, "n_epochs": 2, "net_arch": [8, 8], "learning_rate": 0.003,
        "qf_arch": [8], "train_freq": 12, "gradient_steps": 2, "learning_starts": 8, "lstm_hidden_size": 8,
        "buffer_size": 240,
    }  # fmt: skip
    known = SETTINGS[changes.get("algo", "ppo")].model_fields
    hyperparams = {name: value for name, value in small.items() if name in known} | changes.pop(
        "hyperparams", {}
    )
    small = {
        "people": list(PEOPLE), "lanes": 8, "episode_days": 0.25, "eval_freq": 2 * ROLLOUT, "save_freq": ROLLOUT,
        "eval_replicas": 1, "n_timesteps": 5 * ROLLOUT, "max_wall_s": None, "seed": 3,
    }  # fmt: skip
    return build(TrainConfig, small | changes | {"hyperparams": hyperparams})


def _train(folder: Path, config: TrainConfig) -> Path:
    with Run.create(folder, config, ["python"], {"train": config.seed}, need_mb=1) as run:
        train(config, run)
    return folder


def _resume(folder: Path) -> Path:
    with Run.resume(folder, need_mb=1) as run:
        train(build(TrainConfig, load_yaml(folder / "config.yml")), run)
    return folder


def _weights(run: Path) -> dict[str, NDArray[Any]]:
    """The weights at the end of training, which need not be those of the best look."""
    newest = latest_checkpoint(run)
    assert newest is not None
    held = safetensors.load((newest / validation.STATE).read_bytes())
    return {name: value for name, value in held.items() if name.startswith("model.policy.")}


def _looks(run: Path) -> Table:
    """The learning curve but for the clock."""
    return {name: column for name, column in read_table(run / "evaluations.csv").items() if name != "wall_s"}


def _policy(run: Path) -> tuple[bytes, dict[str, Any]]:
    """The best policy: weights and manifest, but for the version of the simulator."""
    told = json.loads((run / "policy" / frozen.MANIFEST).read_text())
    assert told.pop("kernel_hash")
    return (run / "policy" / frozen.WEIGHTS).read_bytes(), told


def _assert_same_training(one: Path, other: Path) -> None:
    ours, theirs = _weights(one), _weights(other)
    assert ours.keys() == theirs.keys() and len(ours) > 8
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert _policy(one) == _policy(other)
    ours, theirs = _looks(one), _looks(other)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was not disturbed."""
    return _train(tmp_path_factory.mktemp("whole") / "run", _config())


# --- what a run leaves ----------------------------------------------------------------------------------
def test_a_run_leaves_its_settings_curve_policy_and_checkpoints(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {
        "config.yml", "command.txt", "manifest.json", "checkpoints", "evaluations.csv", "policy", "tensorboard",
    }  # fmt: skip
    manifest = read_manifest(whole)
    assert manifest["status"] == "finished" and manifest["seeds"] == {"train": 3}
    assert build(TrainConfig, load_yaml(whole / "config.yml")) == _config()
    steps = [checkpoints.step_of(path) for path in sorted((whole / "checkpoints").iterdir())]
    assert steps == [3 * ROLLOUT, 4 * ROLLOUT, 5 * ROLLOUT]
    assert any(path.name.startswith("events") for path in (whole / "tensorboard").iterdir())
    assert not list(whole.rglob(".tmp-*"))


def test_the_learning_curve_has_a_row_for_every_look_on_schedule(whole: Path) -> None:
    curve = read_table(whole / "evaluations.csv")
    assert tuple(curve) == LOOKS
    assert curve["timesteps"].tolist() == [0, 2 * ROLLOUT, 4 * ROLLOUT, 5 * ROLLOUT]
    assert (np.diff(curve["wall_s"]) > 0).all()
    assert ((curve["tir_pct"] >= 0) & (curve["tir_pct"] <= 100)).all()
    assert len(np.unique(curve["score"])) > 1, "the policy changed from look to look"
    expected = curve["tir_pct"] - curve["below_70_pct"] - 2 * curve["below_54_pct"] - 50 * curve["failures"]
    np.testing.assert_allclose(curve["score"], expected, atol=0.01)  # two episodes: a death costs 100 of one


def test_the_policy_kept_is_the_one_that_scored_best_on_validation_days(whole: Path) -> None:
    policy, curve = frozen.load(whole / "policy"), read_table(whole / "evaluations.csv")
    best = int(curve["score"].argmax())
    assert policy.manifest.trained_on["timesteps"] == curve["timesteps"][best]
    days = load_protocol("simglucose-default").model_copy(
        update={"people": PEOPLE, "split": "validation", "seed": VALIDATION_SEED, "replicas": 1}
    )
    again = scored(simulate(policy, days, "rule"), days)
    assert float(score(again).mean()) == pytest.approx(curve["score"][best], rel=1e-5)
    assert again["tir_pct"].mean() == pytest.approx(curve["tir_pct"][best], rel=1e-5)


def test_the_manifest_of_the_policy_says_on_whom_and_on_what_it_was_trained(whole: Path) -> None:
    manifest = frozen.load(whole / "policy").manifest
    facts = manifest.trained_on
    assert facts["people"] == list(PEOPLE) and facts["seed"] == 3 and facts["split"] == "train"
    assert facts["episode_days"] == 0.25 and facts["protocol"] == "simglucose-default"
    assert facts["shield"] == "rule" and facts["init_from"] is None
    assert facts["person_days"] == facts["timesteps"] * 30 / 1440
    assert facts["validation_seed"] == VALIDATION_SEED
    assert (manifest.algo, manifest.env, manifest.action) == ("ppo", "Homeostat/Dosing-v0", "modulation")
    assert manifest.net_arch == (8, 8) and manifest.decision_min == 30
    assert manifest.kernel_hash == kernel_hash()


def test_groups_of_people_are_named_one_by_one_in_the_manifest(tmp_path: Path) -> None:
    run = _train(tmp_path / "run", _config(people=["adult#001", "child"], n_timesteps=1))
    named = frozen.load(run / "policy").manifest.trained_on["people"]
    assert named == ["adult#001", *(f"child#{k:03d}" for k in range(1, 11))]


def test_a_run_holds_no_path_of_the_machine(whole: Path) -> None:
    for path in whole.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert str(whole).encode() not in data and str(ROOT).encode() not in data, path


def test_the_same_settings_train_the_same_and_another_seed_differently(whole: Path, tmp_path: Path) -> None:
    _assert_same_training(_train(tmp_path / "again", _config()), whole)
    other = _train(tmp_path / "other", _config(seed=4))
    ours, theirs = _weights(whole), _weights(other)
    assert not all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_how_often_one_looks_and_saves_does_not_change_what_is_learned(whole: Path, tmp_path: Path) -> None:
    seldom = _train(tmp_path / "run", _config(eval_freq=10**6, save_freq=10**6))
    ours, theirs = _weights(whole), _weights(seldom)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert _looks(seldom)["timesteps"].tolist() == [0, 5 * ROLLOUT]
    assert len(list((seldom / "checkpoints").iterdir())) == 1


# --- other algorithms -------------------------------------------------------------------------------------
OTHERS = ("recurrent_ppo", "sac", "td3", "tqc", "crossq")


@pytest.mark.parametrize("algo", OTHERS)
def test_every_algorithm_trains_stops_goes_on_bit_for_bit_and_is_loaded_back(
    algo: str, tmp_path: Path
) -> None:
    whole = _train(tmp_path / "whole", _config(algo=algo))
    curve = read_table(whole / "evaluations.csv")
    assert curve["timesteps"].tolist() == [0, 2 * ROLLOUT, 4 * ROLLOUT, 5 * ROLLOUT]
    assert len(np.unique(curve["score"])) > 1, "the policy changed from look to look"
    policy = frozen.load(whole)
    assert policy.manifest.algo == algo and policy.manifest.net_arch == (8, 8)
    stopped = _stopped_after(tmp_path / "stopped", 3, algo=algo)
    _assert_same_training(_resume(stopped), whole)
    tuned = _train(tmp_path / "tuned", _config(algo=algo, init_from=str(whole), seed=9, n_timesteps=ROLLOUT))
    assert _looks(tuned)["score"][0] == pytest.approx(curve["score"].max(), rel=1e-5)
    assert max(path.stat().st_size for path in whole.rglob("*")) < 500_000


def test_a_checkpoint_of_an_off_policy_learner_is_refused_when_its_buffer_is_gone(tmp_path: Path) -> None:
    run = _train(tmp_path / "run", _config(algo="td3", n_timesteps=2 * ROLLOUT))
    held = safetensors.load(_state(run).read_bytes())
    del held["model.replay.actions"]
    _put_state(run, safetensors.save(held))
    with pytest.raises(ValueError, match="does not fit"):
        _resume(run)


# --- stopping and going on --------------------------------------------------------------------------------
def _flags(config: TrainConfig) -> list[str]:
    hyperparams = config.hyperparams.model_dump()
    words = ("n_steps", "batch_size", "n_epochs", "net_arch", "learning_rate")
    chosen = {f"hyperparams.{word}": hyperparams[word] for word in words} | {
        name: getattr(config, name) for name in ("episode_days", "eval_replicas")
    }
    sets = [f"--set={name}={list(v) if isinstance(v, tuple) else v}" for name, v in chosen.items()]
    wall = "null" if config.max_wall_s is None else str(config.max_wall_s)
    return [
        "--people", ",".join(config.people), "--n-envs", str(config.lanes), "-n", str(config.n_timesteps),
        "--eval-freq", str(config.eval_freq), "--save-freq", str(config.save_freq), "--seed", str(config.seed),
        "--max-wall-s", wall, *sets,
    ]  # fmt: skip


def _process(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.train", *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what it puts into the background deaf to Ctrl-C, and so would be what that starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _wait_for(process: subprocess.Popen[str], there: Callable[[], bool]) -> None:
    for _ in range(6000):
        if there():
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    pytest.fail("nothing came of it within a minute")


def _newest_step(run: Path) -> int:
    return max((checkpoints.step_of(path) for path in (run / "checkpoints").glob("step_*")), default=-1)


LONG = 40
"""Rollouts of a training that lasts long enough to be stopped."""


def _long() -> TrainConfig:
    return _config(n_timesteps=LONG * ROLLOUT, eval_freq=7 * ROLLOUT, save_freq=4 * ROLLOUT)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of `_long` that was not disturbed."""
    return _train(tmp_path_factory.mktemp("long") / "run", _long())


@pytest.mark.verify
def test_a_training_that_was_killed_goes_on_bit_for_bit(
    long: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """kill -9 in the middle, then --resume: weights, policy and curve of a training that was never disturbed."""
    config = _long()
    run = tmp_path / "run"
    process = _process(*_flags(config), "--out", str(run))
    _wait_for(process, lambda: _newest_step(run) >= 8 * ROLLOUT)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    reached = _newest_step(run)
    assert 8 * ROLLOUT <= reached < LONG * ROLLOUT, "it was killed in mid-training"
    assert read_manifest(run)["status"] == "running" and (run / "lock").exists()
    assert build(TrainConfig, load_yaml(run / "config.yml")) == config

    assert main(["--resume", str(run)]) == 0
    assert capsys.readouterr().out.strip() == str(run)
    manifest = read_manifest(run)
    assert manifest["status"] == "finished" and len(manifest["resumed_at"]) == 1
    assert not (run / "lock").exists()
    _assert_same_training(run, long)


@pytest.mark.verify
def test_ctrl_c_leaves_an_interrupted_run_that_can_go_on(long: Path, tmp_path: Path) -> None:
    config = _long()
    run = tmp_path / "run"
    process = _process(*_flags(config), "--out", str(run))
    _wait_for(process, lambda: _newest_step(run) >= 3 * ROLLOUT)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate()
    assert process.returncode == 130 and said == ""
    assert errors.strip().splitlines()[-1] == "interrupted" and "Traceback" not in errors
    manifest = read_manifest(run)
    assert manifest["status"] == "interrupted" and manifest["error"].startswith("KeyboardInterrupt")
    assert not (run / "lock").exists() and frozen.load(run / "policy")
    assert _newest_step(run) < LONG * ROLLOUT
    _resume(run)
    assert read_manifest(run)["status"] == "finished"
    _assert_same_training(run, long)


@pytest.mark.parametrize("rollouts", [1, 2, 3, 4])
def test_from_every_checkpoint_the_same_end_is_reached(whole: Path, tmp_path: Path, rollouts: int) -> None:
    """The schedules of looks and checkpoints go on as well."""
    run = _stopped_after(tmp_path / "run", rollouts)
    assert _newest_step(run) == rollouts * ROLLOUT
    _assert_same_training(_resume(run), whole)


def _stopped_after(folder: Path, rollouts: int, **changes: Any) -> Path:
    """A run that was interrupted in the rollout after this many."""

    class Stopped(KeyboardInterrupt):
        pass

    config = _config(**changes)
    with pytest.raises(Stopped), Run.create(folder, config, ["python"], {"train": 3}, need_mb=1) as run:
        save = run.save_checkpoint

        def saved(step: int, write: Callable[[Path], object], keep: int = 3) -> Path:
            path = save(step, write, keep)
            if step >= rollouts * ROLLOUT:
                raise Stopped
            return path

        run.save_checkpoint = saved  # type: ignore[method-assign]
        train(config, run)
    return folder


def test_a_run_that_was_stopped_before_its_first_checkpoint_begins_anew(whole: Path, tmp_path: Path) -> None:
    run = _stopped_after(tmp_path / "run", 1)
    shutil.rmtree(run / "checkpoints")
    _assert_same_training(_resume(run), whole)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = _stopped_after(tmp_path / "run", 3)
    state = run / "checkpoints" / f"step_{3 * ROLLOUT:012d}" / validation.STATE
    state.write_bytes(state.read_bytes()[:-7])
    _assert_same_training(_resume(run), whole)
    assert "is damaged and not used" in caplog.text


def test_a_finished_run_is_not_trained_again(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    policy = (run / "policy" / frozen.WEIGHTS).read_bytes()
    curve, steps = (run / "evaluations.csv").read_bytes(), _newest_step(run)
    _resume(run)
    assert (run / "policy" / frozen.WEIGHTS).read_bytes() == policy
    assert (run / "evaluations.csv").read_bytes() == curve and _newest_step(run) == steps
    _assert_same_training(run, whole)
    manifest = read_manifest(run)
    assert manifest["status"] == "finished" and len(manifest["resumed_at"]) == 1


def test_a_run_that_was_told_to_train_longer_goes_on_from_its_end(whole: Path, tmp_path: Path) -> None:
    """Somebody raised n_timesteps in config.yml: the same as a longer training from the start."""
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    text = (run / "config.yml").read_text()
    (run / "config.yml").write_text(
        text.replace(f"n_timesteps: {5 * ROLLOUT}\n", f"n_timesteps: {7 * ROLLOUT}\n")
    )
    _resume(run)
    longer = _train(tmp_path / "longer", _config(n_timesteps=7 * ROLLOUT))
    ours, theirs = _weights(run), _weights(longer)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert _looks(run)["timesteps"].tolist() == [0, 192, 384, 480, 576, 672]


_CHANGES = {
    "fewer lanes": ("lanes: 8\n", "lanes: 4\n"),
    "other layers": ("net_arch: [8, 8]", "net_arch: [8, 4]"),
    "longer episodes": ("episode_days: 0.25", "episode_days: 2"),
    "fewer people": ("people: [adult#001, child#003]", "people: [adult#001]"),
    "other people": ("people: [adult#001, child#003]", "people: [adult#001, child#004]"),
    "another seed": ("seed: 3", "seed: 4"),
    "another shield": ("shield: rule", "shield: 'off'"),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_checkpoint_of_other_settings_is_refused_in_words(
    whole: Path, tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    run, (old, new) = tmp_path / "run", _CHANGES[change]
    shutil.copytree(whole, run)
    text = (run / "config.yml").read_text()
    assert old in text
    (run / "config.yml").write_text(text.replace(old, new))
    with pytest.raises(ValueError, match="does not fit the settings in config.yml: put back"):
        _resume(run)
    assert "config.yml is not as the run wrote it" in caplog.text
    assert read_manifest(run)["status"] == "failed"
    assert _newest_step(run) == 5 * ROLLOUT, "what there was is still there"


@pytest.mark.parametrize(
    "harm",
    [
        lambda held: held.pop("model.rng.torch"),
        lambda held: held.pop("watch"),
        lambda held: held.pop("env.state"),
        lambda held: held.update({"model.rng.torch": np.zeros(3, np.uint8)}),
        lambda held: held.clear(),
    ],
    ids=["no generator", "no schedule", "no bodies", "a broken generator", "nothing"],
)
def test_a_checkpoint_with_parts_missing_is_refused_in_words(
    whole: Path, tmp_path: Path, harm: Callable[[dict[str, Any]], object]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    held = safetensors.load(_state(run).read_bytes())
    harm(held)
    _put_state(run, safetensors.save(held))
    with pytest.raises(ValueError, match="does not fit"):
        _resume(run)


def test_a_checkpoint_that_is_a_pickle_is_refused_in_words_and_not_run(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    _put_state(run, b"cos\nsystem\n(S'touch trap'\ntR.")
    with pytest.raises(ValueError, match="does not fit"):
        _resume(run)
    assert not list(tmp_path.rglob("trap")) and not Path("trap").exists()


def _state(run: Path) -> Path:
    newest = latest_checkpoint(run)
    assert newest is not None
    return newest / validation.STATE


def _put_state(run: Path, data: bytes) -> None:
    """Other contents for the newest checkpoint, with checksums that agree."""
    step = checkpoints.step_of(_state(run).parent)
    checkpoints.save(run / "checkpoints", step, lambda folder: (folder / validation.STATE).write_bytes(data))


# --- a limit of cost --------------------------------------------------------------------------------------
_LIMITED: dict[str, Any] = {
    "cost_limit": 0.0, "lagrange_freq": ROLLOUT, "shield": "off", "episode_days": 0.4, "eval_days": 1.0,
    "hyperparams": {"log_std_init": 1.5},
}  # fmt: skip
"""Doses at random without the shield, so that it costs something and the weight moves. Episodes end in mid-rollout."""


def _penalty(run: Path) -> dict[str, NDArray[Any]]:
    held = safetensors.load(_state(run).read_bytes())
    return {name: value for name, value in held.items() if name.startswith("penalty.")}


@pytest.mark.parametrize("algo", ["ppo", "sac"])
def test_a_training_under_a_limit_of_cost_goes_on_bit_for_bit_in_mid_episode(
    algo: str, tmp_path: Path
) -> None:
    whole = _train(tmp_path / "whole", _config(algo=algo, **_LIMITED))
    again = _resume(_stopped_after(tmp_path / "stopped", 3, algo=algo, **_LIMITED))
    _assert_same_training(again, whole)
    ours, theirs = _penalty(whole), _penalty(again)
    assert ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert ours["penalty.state"][0] > 0.01, "the weight moved"
    free = _train(
        tmp_path / "free", _config(algo=algo, **{**_LIMITED, "cost_limit": None, "lagrange_freq": 14_400})
    )
    assert not all(np.array_equal(value, _weights(free)[name]) for name, value in _weights(whole).items())
    facts = frozen.load(whole).manifest.trained_on
    assert (facts["cost_limit"], facts["shield"]) == (0.0, "off") and "cost_penalty" not in facts
    assert facts["lagrange_kp"] == 20.0 and facts["lagrange_freq"] == ROLLOUT
    told = {value.tag for path in (whole / "tensorboard").iterdir() for value in _scalars(path)}
    assert {"cost/weight", "cost/integral", "cost/mean"} <= told
    held = safetensors.load(_state(whole).read_bytes())
    del held["penalty.state"]
    _put_state(whole, safetensors.save(held))
    with pytest.raises(ValueError, match="does not fit"):
        _resume(whole)


@pytest.mark.verify
@pytest.mark.parametrize("algo", ["ppo", "sac"])
def test_a_training_under_a_limit_that_was_killed_goes_on_bit_for_bit(algo: str, tmp_path: Path) -> None:
    changes = {"n_timesteps": LONG * ROLLOUT, "eval_freq": 7 * ROLLOUT, "save_freq": 4 * ROLLOUT}
    config = _config(algo=algo, **(_LIMITED | changes))
    save(config, tmp_path / "settings.yml")
    run = tmp_path / "run"
    process = _process("--conf-file", str(tmp_path / "settings.yml"), "--out", str(run))
    _wait_for(process, lambda: _newest_step(run) >= 8 * ROLLOUT)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 8 * ROLLOUT <= _newest_step(run) < LONG * ROLLOUT, "it was killed in mid-training"
    _, errors = (process := _process("--resume", str(run))).communicate()
    assert process.returncode == 0, errors
    whole = _train(tmp_path / "whole", config)
    _assert_same_training(run, whole)
    ours, theirs = _penalty(whole), _penalty(run)
    assert all(np.array_equal(value, theirs[name]) for name, value in ours.items())


def _scalars(path: Path) -> list[Any]:
    return [value for event in EventFileLoader(str(path)).Load() for value in event.summary.value]


@pytest.mark.slow
def test_the_policy_kept_is_the_best_within_the_limit_else_the_one_that_cost_least(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same training under three limits (of a weight next to nothing), so the same looks: another one is kept.

    With every look as good as the last; and then with those alone that come when the weight has settled.
    """

    def looks(name: str, limit: float) -> tuple[NDArray[Any], NDArray[Any], int]:
        config = _config(
            cost_limit=limit, lagrange_kp=1e-9, lagrange_ki=0.0, lagrange_kd=0.0, shield="off", people=["child"],
            protocol="realistic", eval_days=2.0, eval_freq=ROLLOUT, n_timesteps=3 * ROLLOUT,
            hyperparams={"learning_rate": 0.03},
        )  # fmt: skip
        run = _train(tmp_path / name, config)
        curve = _looks(run)
        cost = (curve["below_70_pct"] + curve["below_54_pct"]) / 100
        kept = int(frozen.load(run).manifest.trained_on["timesteps"]) // ROLLOUT
        assert f"kept is the policy of step {kept * ROLLOUT:,}" in ending(run, config)
        return cost, curve["score"], kept

    *_, kept = looks("late", 2.0)
    assert kept == 3
    monkeypatch.setattr("experiments.validation.SETTLED", 0.0)
    cost, score, kept = looks("any", 2.0)
    assert kept == score.argmax() and cost[kept] > cost.min() > 0, "not what this test is about"
    limit = (cost[kept] + cost.min()) / 2
    cost, score, kept = looks("some", limit)
    assert kept == np.where(cost <= limit, score, -np.inf).argmax() != score.argmax()
    cost, score, kept = looks("none", cost.min() / 2)
    assert kept == cost.argmin()


def test_a_fixed_penalty_is_learned_from_and_told(whole: Path, tmp_path: Path) -> None:
    changes = {**_LIMITED, "cost_limit": None, "lagrange_freq": 14_400}
    fixed = _train(tmp_path / "fixed", _config(**changes, cost_penalty=2.0))
    free = _train(tmp_path / "free", _config(**changes))
    assert not all(np.array_equal(value, _weights(free)[name]) for name, value in _weights(fixed).items())
    facts = frozen.load(fixed).manifest.trained_on
    assert facts["cost_penalty"] == 2.0 and not {"cost_limit", "lagrange_kp"} & set(facts)
    assert not {"cost_limit", "cost_penalty"} & set(frozen.load(whole).manifest.trained_on)


# --- going on from a saved policy -------------------------------------------------------------------------
def test_fine_tuning_begins_with_the_weights_of_the_saved_policy(whole: Path, tmp_path: Path) -> None:
    parent = frozen.load(whole / "policy")
    config = _config(init_from=str(whole / "policy"), people=["child#003"], seed=8, n_timesteps=ROLLOUT)
    tuned = _train(tmp_path / "tuned", config)
    days = load_protocol("simglucose-default").model_copy(
        update={"people": ("child#003",), "split": "validation", "seed": VALIDATION_SEED, "replicas": 1}
    )
    first = scored(simulate(parent, days, "rule"), days)
    assert _looks(tuned)["score"][0] == pytest.approx(float(score(first).mean()), rel=1e-5)
    unlike = _looks(_train(tmp_path / "new", _config(people=["child#003"], seed=8, n_timesteps=ROLLOUT)))
    assert unlike["score"][0] != _looks(tuned)["score"][0]
    ours = _weights(tuned)["model.policy.action_net.weight"]
    assert not np.array_equal(ours, parent.weights["action_net.weight"]), "and then they change"
    facts = frozen.load(tuned / "policy").manifest.trained_on
    before = parent.manifest.trained_on
    assert facts["init_from"] == parent.manifest.weights_sha256
    met = [*before["people"], "child#003"]
    assert facts["people"] == list(dict.fromkeys(met)) != ["child#003"], "whom the parent met, it has met"
    assert before["person_days"] <= facts["person_days"] <= before["person_days"] + ROLLOUT * 30 / 1440


def test_fine_tuning_goes_on_though_the_saved_policy_is_gone(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "policy", tmp_path / "parent")
    run = _stopped_after(tmp_path / "run", 2, init_from=str(tmp_path / "parent"))
    undisturbed = _train(tmp_path / "whole", _config(init_from=str(tmp_path / "parent")))
    shutil.rmtree(tmp_path / "parent")
    _assert_same_training(_resume(run), undisturbed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hyperparams": {"net_arch": [8]}}, "do not fit the policy"),
        ({"init_from": "nowhere"}, "no manifest.json in nowhere"),
    ],
)
def test_fine_tuning_from_what_does_not_fit_is_refused(
    whole: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        _train(tmp_path / "run", _config(**{"init_from": str(whole / "policy"), **changes}))


def test_fine_tuning_from_a_policy_of_another_algorithm_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is one of ppo, not of sac; give --algo ppo"):
        _train(tmp_path / "run", _config(algo="sac", init_from=str(whole)))


def test_fine_tuning_keeps_its_parent_where_nothing_is_better(whole: Path, tmp_path: Path) -> None:
    """Steps so long that every policy after the first is bad: the first look is that of the parent, and counts."""
    wild = _config(
        init_from=str(whole), people=["child#003"], hyperparams={"learning_rate": 1.0}, eval_days=1.0,
        eval_replicas=4, n_timesteps=3 * ROLLOUT, seed=5, history=False,
    )  # fmt: skip
    run = _train(tmp_path / "run", wild)
    scores = _looks(run)["score"]
    assert scores[0] > scores[1:].max(), "not what this test is about"
    kept, parent = frozen.load(run), frozen.load(whole)
    assert kept.manifest.trained_on["timesteps"] == 0
    assert all(np.array_equal(kept.weights[name], value) for name, value in parent.weights.items())


def test_fine_tuning_of_a_policy_that_sees_its_history(tmp_path: Path) -> None:
    """With what the command line gives: the policy and a person; the rest is the policy's own."""
    parent = _train(tmp_path / "parent", _config(history=True, n_timesteps=ROLLOUT))
    flags = {"init_from": str(parent), "people": "child#003", "max_wall_s": "45", "n_timesteps": "500"}
    small = [
        "lanes=8",
        "n_steps=12",
        "batch_size=48",
        "episode_days=0.25",
        "eval_replicas=1",
        "eval_freq=192",
    ]
    config = train_settings(flags, None, small)
    assert config.history and config.hyperparams.net_arch == (8, 8)
    tuned = _train(tmp_path / "tuned", config)
    curve, policy = _looks(tuned), frozen.load(tuned)
    assert len(curve["score"]) > 2 and policy.history and len(policy.manifest.observation_names) == 131
    assert policy.manifest.trained_on["timesteps"] == curve["timesteps"][curve["score"].argmax()]
    with pytest.raises(ValueError, match="other observations .* give --set history=true"):
        _train(tmp_path / "run", config.model_copy(update={"history": False}))


@pytest.mark.parametrize("names", ["observation_names", "action_names"])
def test_fine_tuning_from_a_policy_that_saw_or_did_something_else_is_refused(
    whole: Path, tmp_path: Path, names: str
) -> None:
    """Weights of the right shape that mean other numbers would be noise."""
    shutil.copytree(whole / "policy", tmp_path / "policy")
    told = json.loads((tmp_path / "policy" / frozen.MANIFEST).read_text())
    told[names][0] = "something_new"
    (tmp_path / "policy" / frozen.MANIFEST).write_text(json.dumps(told))
    with pytest.raises(ValueError, match="other observations or actions"):
        _train(tmp_path / "run", _config(init_from=str(tmp_path / "policy")))


# --- what the caller is told ---------------------------------------------------------------------------------
def test_every_look_is_told_and_may_end_the_training(whole: Path, tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []

    def on_look(timesteps: int, score: float) -> None:
        told.append((timesteps, score))
        if len(told) == 3:
            raise InterruptedError("enough")

    with (
        pytest.raises(InterruptedError),
        Run.create(tmp_path / "run", _config(), ["x"], {}, need_mb=1) as run,
    ):
        train(_config(), run, on_look=on_look)
    curve = _looks(whole)
    assert [step for step, _ in told] == curve["timesteps"][:3].tolist()
    assert [score for _, score in told] == pytest.approx(curve["score"][:3].tolist(), abs=1e-3)


# --- limits -------------------------------------------------------------------------------------------------
def test_the_wall_limit_ends_training_with_a_usable_policy(tmp_path: Path) -> None:
    began = time.monotonic()
    run = _train(tmp_path / "run", _config(n_timesteps=10**9, max_wall_s=1.0))
    assert 1.0 <= time.monotonic() - began < 6.0
    assert read_manifest(run)["status"] == "finished" and frozen.load(run / "policy")
    assert 0 < _newest_step(run) < 10**6
    reached = _newest_step(run)
    _resume(run)
    assert _newest_step(run) == reached, "time that is used up is used up, also after a resume"
    assert (np.diff(read_table(run / "evaluations.csv")["wall_s"]) > 0).all()


@pytest.mark.slow
def test_the_clock_begins_when_everything_is_warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes tens of seconds on a new machine; a short training would consist of nothing else."""
    rehearse, slept = validation.Watch.rehearse, 4.0

    def slowly(self: validation.Watch, model: Any) -> None:
        time.sleep(slept)
        rehearse(self, model)

    monkeypatch.setattr(validation.Watch, "rehearse", slowly)
    began = time.monotonic()
    run = _train(tmp_path / "run", _config(n_timesteps=2 * ROLLOUT, max_wall_s=100.0))
    lasted = time.monotonic() - began  # of all of it, on however slow a machine
    assert read_table(run / "evaluations.csv")["wall_s"][-1] < lasted - slept
    assert _looks(run)["timesteps"].tolist() == [0, 2 * ROLLOUT]
    same = _train(tmp_path / "same", _config(n_timesteps=2 * ROLLOUT, max_wall_s=None))
    ours, theirs = _weights(run), _weights(same)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours), "warming up leaves no trace"


def test_the_wall_clock_counts_the_time_before_an_interruption(tmp_path: Path) -> None:
    run = _stopped_after(tmp_path / "run", 3, max_wall_s=1000.0)
    held = safetensors.load(_state(run).read_bytes())
    spent = float(held["watch_real"][1])
    assert 0 < spent < 100
    time.sleep(0.3)  # nobody trains in between
    _resume(run)
    wall = read_table(run / "evaluations.csv")["wall_s"]
    assert (np.diff(wall) > 0).all() and wall[-1] > spent
    held["watch_real"][1] = 999.9999
    stopped = _stopped_after(tmp_path / "late", 3, max_wall_s=1000.0)
    _put_state(stopped, safetensors.save(held))
    _resume(stopped)
    assert _newest_step(stopped) <= 4 * ROLLOUT, "hardly a moment was left"


def test_a_limit_that_is_over_at_once_still_leaves_a_policy(tmp_path: Path) -> None:
    run = _train(tmp_path / "run", _config(max_wall_s=1e-9))
    assert read_manifest(run)["status"] == "finished"
    assert frozen.load(run / "policy").manifest.trained_on["timesteps"] == 0
    assert _looks(run)["timesteps"].tolist() == [0]


@pytest.mark.parametrize("steps", [1, ROLLOUT, ROLLOUT + 1])
def test_training_ends_with_the_rollout_that_reaches_its_length(tmp_path: Path, steps: int) -> None:
    run = _train(tmp_path / "run", _config(n_timesteps=steps))
    assert _newest_step(run) == -(-steps // ROLLOUT) * ROLLOUT


def test_a_folder_that_cannot_be_written_stops_before_training() -> None:
    with pytest.raises(StorageError, match="cannot write .* Choose a folder"):
        _train(Path("/proc/none/run"), _config())


def test_a_disk_that_fills_up_while_training_fails_clearly_and_keeps_what_was_saved(tmp_path: Path) -> None:
    """A limit of file size stands for the full disk."""
    run = _stopped_after(tmp_path / "run", 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Run.resume(run, need_mb=1) as again:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(StorageError, match="no room on the disk"):
                train(_config(), again)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _newest_step(run) == 2 * ROLLOUT and latest_checkpoint(run) is not None
    assert not list((run / "checkpoints").glob(".tmp-*"))


def test_an_environment_that_is_not_known_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'Homeostat/Dosing-v0'"):
        build(TrainConfig, {"env": "Homeostat/Dosing-v1"})


def test_the_manifest_of_a_run_is_json_and_names_the_parent(whole: Path, tmp_path: Path) -> None:
    config = _config(init_from=str(whole / "policy"), n_timesteps=1)
    with Run.create(tmp_path / "run", config, ["x"], {"train": 3}, config.init_from, need_mb=1) as run:
        train(config, run)
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["parent"] == str(whole / "policy")
