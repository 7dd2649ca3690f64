"""Committed results made again: what came out the same, what did not, and that every command is one."""

import re
from pathlib import Path

import pytest

from experiments import reference
from experiments.reference import RESULTS, Step
from scripts import reference as script

QUICK = (
    "published",
    "--protocol",
    "g2p2c",
    "--agent",
    "--shield",
    "off",
    "--replicas",
    "2",
    "--processes",
    "1",
)


def test_every_step_makes_committed_files_by_a_script_that_there_is() -> None:
    for step in reference.STEPS:
        assert (reference.ROOT / "scripts" / f"{step.words[0]}.py").is_file()
        for kept in step.made.values():
            assert (RESULTS / kept).is_file(), f"{step.name}: {kept} is not committed"


def test_what_differs_is_found_and_the_command_a_table_names_does_not_count(tmp_path: Path) -> None:
    one, other = tmp_path / "one.md", tmp_path / "other.md"
    one.write_text("Made by `python -m scripts.x --out a`. 82.1")
    other.write_text("Made by `python -m scripts.x --out b`. 82.1")
    assert reference.compare(one, other) == "same"
    other.write_text("Made by `python -m scripts.x --out b`. 82.2")
    assert reference.compare(one, other) == "differs"
    assert reference.compare(one, tmp_path / "none.md") == "missing"


@pytest.mark.slow
def test_a_command_is_done_once_and_its_files_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Step("good", QUICK, {"people.csv": "people.csv"})
    bad = Step("bad", ("published", "--protocol", "nobody"), {})
    monkeypatch.setattr(reference, "STEPS", (good, bad))
    monkeypatch.setattr(reference, "RESULTS", tmp_path / "kept")
    said: list[str] = []
    page, fine = reference.rebuild(tmp_path / "out", ["good"], 1, said.append)
    assert "`people.csv` missing" in page and not fine
    (tmp_path / "kept").mkdir()
    made = tmp_path / "out/steps/good/people.csv"
    (tmp_path / "kept/people.csv").write_bytes(made.read_bytes())
    page, fine = reference.rebuild(tmp_path / "out", ["good"], 1, said.append)
    assert fine and said[-1].startswith("1 of 1 cells are done already")
    assert re.search(r"\| 1 \| \d+\.\d \| the same \|\n\n\d+\.\d min of steps", page)
    page, fine = reference.rebuild(tmp_path / "out", None, 1, said.append)
    assert not fine and "exit code 1: " in page and "nobody" in page and "| the same |" in page


def test_wrong_names_are_refused_and_commands_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="no step is called 'sleap'; known are studies"):
        script.main(["--only", "sleap", "--out", str(tmp_path)])
    assert script.main(["--list"]) == 0
    assert "python -m scripts.sleep" in capsys.readouterr().out


def test_recordings_that_are_not_here_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path))
    monkeypatch.setattr(reference, "STEPS", (Step("bouts", ("bouts", "x"), {}, "t1d_uom"),))
    assert "recordings are not here" in reference.rebuild(tmp_path / "out", None, 1, lambda _: None)[0]
