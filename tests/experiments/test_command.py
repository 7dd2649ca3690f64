"""What command lines share: one clear line for a mistake, settings in a fixed order, nothing of the machine."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from experiments import command
from experiments.config import TrainConfig, train_settings
from experiments.records.config_files import ConfigError, build, save
from experiments.records.provenance import ROOT
from twins.files import StorageError


def _raises(error: BaseException) -> Callable[[Sequence[str]], int]:
    def main(_: Sequence[str]) -> int:
        raise error

    return main


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_that_of_main(code: int) -> None:
    with pytest.raises(SystemExit) as left:
        command.run(lambda words: code)
    assert left.value.code == code


def test_main_gets_the_words_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["program", "--seed", "3"])
    got: list[Sequence[str]] = []
    with pytest.raises(SystemExit):
        command.run(lambda words: got.append(words) or 0)
    assert got == [["--seed", "3"]]


@pytest.mark.parametrize("error", [ValueError("no"), ConfigError("no"), StorageError("no"), TypeError("no")])
def test_a_mistake_of_the_user_is_one_line_and_exit_code_1(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        command.run(_raises(error))
    said = capsys.readouterr()
    assert left.value.code == 1 and said.err == "error: no\n" and said.out == ""


def test_ctrl_c_is_no_error_and_exit_code_130(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.run(_raises(KeyboardInterrupt()))
    assert left.value.code == 130 and capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("error", [RuntimeError("a fault"), KeyError("a fault"), AssertionError("a fault")])
def test_a_fault_of_the_program_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error), match="a fault"):
        command.run(_raises(error))


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = command.parser("what it does", "python -m scripts.what --seed 3")
    command.add_settings(parser, TrainConfig, {"seed": ("--seed",)})
    return parser


def test_help_shows_an_example_the_notice_and_the_meaning_of_settings(
    parser: argparse.ArgumentParser,
) -> None:
    text = parser.format_help()
    assert "example: python -m scripts.what --seed 3" in text and "not a medical device" in text
    assert "seed of the policy and of the training days (default: 0)" in " ".join(text.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sed", "3"], "error: unrecognized arguments: --sed 3; did you mean '--seed'? (see --help)\n"),
        (["--sed=3"], "error: unrecognized arguments: --sed=3; did you mean '--seed'? (see --help)\n"),
        (["--zzzzz"], "error: unrecognized arguments: --zzzzz (see --help)\n"),
        (["--see", "3"], "error: unrecognized arguments: --see 3; did you mean '--seed'? (see --help)\n"),
        (["--seed"], "error: argument --seed: expected one argument (see --help)\n"),
    ],
)
def test_a_wrong_flag_is_answered_in_one_line_with_the_nearest(
    parser: argparse.ArgumentParser, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parser.parse_args(words)
    assert left.value.code == 2 and capsys.readouterr().err == message


def test_flags_win_over_the_file_and_set_over_flags(tmp_path: Path) -> None:
    held = {"seed": 1, "lanes": 150, "decision_min": 60, "hyperparams": {"batch_size": 720}}
    save(build(TrainConfig, held), tmp_path / "c.yml")
    path = str(tmp_path / "c.yml")
    assert train_settings({}, None, []) == TrainConfig()
    found = train_settings({}, path, [])
    assert (found.seed, found.lanes, found.decision_min) == (1, 150, 60)
    found = train_settings({"seed": "2", "lanes": None, "decision_min": "15"}, path, [])
    assert (found.seed, found.lanes, found.decision_min) == (2, 150, 15)
    found = train_settings({"seed": "2"}, path, ["seed=3", "learning_rate=0.5"])
    assert (found.seed, found.hyperparams.learning_rate) == (3, 0.5)


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("lane: 3\n")
    with pytest.raises(ConfigError, match="mine.yml: unknown key 'lane'; did you mean 'lanes'"):
        train_settings({}, str(tmp_path / "mine.yml"), [])


def test_the_command_for_the_record_is_what_was_typed_without_the_place_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = ["python", "-m", "scripts.train"]
    assert command.typed("train", ["--seed", "3"]) == [*begun, "--seed", "3"]
    assert command.typed("train", [f"--out={ROOT}/results/x"]) == [*begun, "--out=results/x"]
    assert command.typed("train", ["--out", f"{ROOT}/x y"]) == [*begun, "--out", "x y"]
    assert command.typed("train", ["--out", "../elsewhere"]) == [*begun, "--out", "../elsewhere"]
    monkeypatch.setattr("sys.argv", ["anything", "-n", "5"])
    assert command.typed("train", None) == [*begun, "-n", "5"]
