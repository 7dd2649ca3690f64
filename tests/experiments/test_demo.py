"""Parts of the demonstration: whose days are replayed, on which body, and what is refused before it begins."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.load import NAMES
from experiments.compare import Evaluation
from experiments.demo import demo, nearest_body, replay
from experiments.protocol import load_protocol
from experiments.records.config_files import ConfigError
from twins import cohort
from twins.cohort import DAILY_INSULIN_U
from twins.world import readers
from twins.world.diary import summary

ADULTS = cohort.select("adult")
GAINS = dict.fromkeys(ADULTS, (1.0, 1.0))


def _people_of(done: list[Evaluation]) -> set[str]:
    return {str(person) for one in done for person in one.episodes["person"]}


@pytest.mark.parametrize("recordings", ["nowhere", "empty"])
def test_without_recordings_the_simulated_diary_is_replayed_and_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recordings: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / recordings))
    done = replay(tmp_path, GAINS, [])
    assert "Instead the simulated diary that comes with the project is replayed" in capsys.readouterr().out
    assert {one.summary["agent"] for one in done} == set(NAMES)
    assert all(one.summary["diary"]["simulated"] is True for one in done)
    wanted = nearest_body(summary(readers.named("simulated")).insulin_u_per_day, ADULTS)
    assert _people_of(done) == {wanted}
    meals = [one.traces()["carbs_g"] for one in done]
    assert meals[0].sum() > 0
    assert all(np.array_equal(meals[0], other) for other in meals[1:]), (
        "all agents meet the same recorded meals"
    )
    again = load_protocol(str(tmp_path / "recorded-days.yml"))  # can be given back
    assert done[0].summary["protocol_settings"] == again.model_dump(mode="json")
    assert again.scenario == "diary:simulated" and again.days == 2


@pytest.mark.real
def test_with_recordings_the_days_of_a_real_person_are_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = replay(tmp_path, GAINS, [])
    assert "simulated" not in capsys.readouterr().out
    for one in done:
        assert one.summary["diary"].items() >= {"data_set": "t1d-uom", "person": "2308", "simulated": False}.items()
    daily = cohort.load(ADULTS).therapy[:, DAILY_INSULIN_U]
    wanted = summary(readers.named("t1d-uom/2308")).insulin_u_per_day
    assert _people_of(done) == {ADULTS[int(np.abs(daily - wanted).argmin())]}


def test_the_nearest_body_is_the_adult_whose_daily_insulin_is_nearest() -> None:
    daily = cohort.load(ADULTS).therapy[:, DAILY_INSULIN_U]
    for person, amount in zip(ADULTS, daily, strict=True):
        assert nearest_body(float(amount), [*ADULTS, "child#001"]) == person
    assert nearest_body(1000.0, ADULTS) == ADULTS[int(daily.argmax())]
    assert nearest_body(10.0, ["child#001", "child#002"]).startswith("child"), "where no adult is known"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"people": ("adlt#001",)}, "did you mean 'adult#001'"),
        ({"people": ()}, "no person was named"),
        ({"replicas": 0}, "replicas: 0 given"),
        ({"train_s": -1.0}, r"max_wall_s: -1.0 given"),
        ({"train_s": float("nan")}, "max_wall_s: nan given"),
        ({"seeds": (0, -1)}, "seed: -1 given"),
        ({"seeds": (0, 0)}, "each once"),
        ({"seeds": ()}, "one or more"),
    ],
)
def test_a_wrong_wish_is_refused_before_anything_is_begun_or_moved(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "report.html").write_text("an earlier page")
    with pytest.raises((ConfigError, ValueError), match=message):
        demo(tmp_path / "demo", **wrong)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["report.html"]
