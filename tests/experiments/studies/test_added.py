"""Treatments that are set beside a committed study: their rows, what stays, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.results.study_tables import StudyTables
from experiments.studies import added, plan
from experiments.studies.settings import StudyConfig, load_study
from tests.experiments.tiny_study import episodes, study


def _tables(*agents: str) -> StudyTables:
    return study([episodes(name, [70.0 + len(name)] * 6) for name in agents])


def _asked(*treatments: str) -> StudyConfig:
    return load_study("simglucose-default").model_copy(update={"treatments": treatments})


def test_only_treatments_that_the_tables_lack_are_judged() -> None:
    asked = _asked("basal-bolus", "pid", "planner", "oref0")
    assert added.lacking(asked, _tables("basal-bolus", "planner")) == ["pid", "oref0"]
    names = [cell.name for cell in added.cells(asked, ["oref0"])]
    assert names == [one.name for one in plan.cells(asked) if "/oref0/" in one.name] and len(names) >= 2
    assert all(not cell.needs for cell in added.cells(asked, ["oref0"]))


def test_rows_of_both_stand_in_the_tables_and_what_was_there_stays() -> None:
    held, new = _tables("basal-bolus", "pid"), _tables("oref0")
    both = added.joined(held, new, ["oref0"])
    assert sorted(set(both.episodes["agent"].tolist())) == ["basal-bolus", "oref0", "pid"]
    assert len(both.episodes["agent"]) == len(held.episodes["agent"]) + len(new.episodes["agent"])
    assert both.about["flow"]["analysed"] == len(held.cells["cell"]) + len(new.cells["cell"])
    assert both.about["primary"] == held.about["primary"] and "oref0" in both.about["notes"][-1]
    assert both.curves is held.curves and both.learning is held.learning


def test_another_simulator_is_refused() -> None:
    held, new = _tables("basal-bolus"), _tables("oref0")
    protocols = {name: said | {"hash": "cd" * 32} for name, said in new.about["protocols"].items()}
    with pytest.raises(ValueError, match="has hash cdcdcdcdcdcd now, .* --adopt"):
        added.joined(held, replace(new, about=new.about | {"protocols": protocols}), ["oref0"])


def test_another_simulator_is_refused_before_anything_is_judged(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="protocol simglucose-default has hash .* --adopt"):
        added.add(_asked("oref0"), tmp_path, _tables("basal-bolus"))
    assert not list(tmp_path.iterdir())


def test_tables_that_lack_a_column_are_refused() -> None:
    held, new = _tables("basal-bolus"), _tables("oref0")
    fewer = {name: column for name, column in new.episodes.items() if name != "weight_kg"}
    with pytest.raises(ValueError, match="lack the columns weight_kg"):
        added.joined(held, replace(new, episodes=fewer), ["oref0"])


def test_nothing_to_add_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="joins by doing the study anew"):
        added.add(_asked("basal-bolus"), tmp_path, _tables("basal-bolus"))
