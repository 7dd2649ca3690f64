"""Settings: the defaults are those of the first protocol, and what is wrong is named with what is near."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from envs.setting import Setting, make_setting
from twins import cohort
from twins.world import behaviour, devices, scenarios

PROTOCOL = Path(__file__).resolve().parents[2] / "experiments" / "protocols" / "simglucose-default.yml"


def test_the_defaults_are_those_of_the_protocol_simglucose_default() -> None:
    protocol = yaml.safe_load(PROTOCOL.read_text())
    setting = make_setting()
    assert setting.scenario == scenarios.named(protocol["scenario"], protocol["behaviour"])
    assert setting.scenario.behaviour == behaviour.named(protocol["behaviour"])
    assert setting.announce == protocol["announce"]
    assert setting.sensor == devices.sensor(protocol["sensor"])
    assert setting.sensor.sample_min == setting.decision_min == protocol["sample_min"]
    assert setting.pump == devices.pump(protocol["pump"])
    assert setting.days == protocol["days"] and protocol["warmup_days"] == 0
    assert setting.failure_low_mg_dl == protocol["glucose_failure_low_mg_dl"]
    assert setting.failure_high_mg_dl == protocol["glucose_failure_high_mg_dl"]


def test_the_other_defaults_are_a_shielded_adult_on_training_days() -> None:
    setting = make_setting()
    assert setting.cohort.ids == ("adult#001",)
    assert (setting.shield, setting.split, setting.seed, setting.oracle) == ("rule", "train", 0, False)


@pytest.mark.parametrize(("sensor", "every"), [("GuardianRT", 5), ("Dexcom", 3), ("Navigator", 1)])
def test_without_decision_min_one_decides_at_every_reading(sensor: str, every: int) -> None:
    assert make_setting(sensor=sensor).decision_min == every


def test_things_may_be_given_as_objects_and_groups() -> None:
    people = cohort.load(["child#003"])
    meals = scenarios.FixedMeals(((7.0, 30.0),))
    exact = devices.sensor("Dexcom", noise=False)
    setting = make_setting(cohort=people, scenario=meals, sensor=exact, pump=devices.pump("Cozmo"))
    assert setting.cohort is people and setting.scenario is meals and setting.sensor is exact
    assert setting.decision_min == 3 and setting.pump.name == "Cozmo"
    assert len(make_setting(cohort="child").cohort) == 10
    assert make_setting(cohort=["adult#002", "child"]).cohort.ids[:2] == ("adult#002", "child#001")
    assert make_setting(legacy_gut=True).cohort.model.legacy_gut  # type: ignore[attr-defined]


_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"person": "adlt#001"}, "did you mean 'adult#001'"),
    ({"person": "adult"}, "names 10 people; give one id, or cohort='adult'"),
    ({"person": "adult#001", "cohort": "child"}, "give one of the two"),
    ({"cohort": "childs"}, "did you mean 'child"),
    ({"cohort": []}, "no person was named"),
    ({"scenario": "simglucos"}, "did you mean 'simglucose'"),
    ({"scenario": "diary:nobody-has-this"}, "nobody-has-this"),
    ({"behaviour": "realistc"}, "did you mean 'realistic'"),
    ({"sensor": "Dexcon"}, "did you mean 'Dexcom'"),
    ({"pump": "Insulett"}, "did you mean 'Insulet'"),
    ({"announce": "exactly"}, "announce is 'exactly'; did you mean 'exact'"),
    ({"announce": None}, "allowed are exact, behaviour, none"),
    ({"shield": "of"}, "did you mean 'off'"),
    ({"shield": True}, "allowed are rule, off"),
    ({"split": "training"}, "did you mean 'train'"),
    ({"seed": -1}, "0 to 4294967295"),
    ({"seed": 2**32}, "0 to 4294967295"),
    ({"seed": 0.5}, "0 to 4294967295"),
    ({"decision_min": 0}, "multiple of 5"),
    ({"decision_min": -5}, "multiple of 5"),
    ({"decision_min": 7}, "multiple of 5"),
    ({"decision_min": 5.0}, "multiple of 5"),
    ({"decision_min": True}, "multiple of 5"),
    ({"decision_min": 5, "sensor": "Dexcom"}, "Dexcom measures every 3 min"),
    ({"days": 0}, "above 0 and up to 366"),
    ({"days": -1}, "above 0 and up to 366"),
    ({"days": 367}, "above 0 and up to 366"),
    ({"days": float("nan")}, "above 0 and up to 366"),
    ({"days": float("inf")}, "above 0 and up to 366"),
    ({"days": "2"}, "above 0 and up to 366"),
    ({"days": 4 / 1440}, "shorter than one decision of 5 min"),
    ({"failure_low_mg_dl": 0.0}, "failure bounds"),
    ({"failure_low_mg_dl": 70.0}, "failure bounds"),
    ({"failure_high_mg_dl": 250.0}, "failure bounds"),
    ({"failure_high_mg_dl": float("inf")}, "failure bounds"),
    ({"failure_low_mg_dl": float("nan")}, "failure bounds"),
]


@pytest.mark.parametrize(
    ("keywords", "message"), _WRONG, ids=lambda value: str(value) if isinstance(value, dict) else ""
)
def test_what_is_wrong_is_named_with_what_is_allowed_and_what_is_near(
    keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        make_setting(**keywords)
    assert message in str(caught.value)


def test_a_setting_cannot_be_changed() -> None:
    setting = make_setting()
    with pytest.raises(AttributeError):
        setting.days = 3.0  # type: ignore[misc]
    assert isinstance(setting, Setting)


def test_recorded_days_can_be_a_scenario() -> None:
    """The simulated diary that comes with the project, by the name that a protocol would use."""
    setting = make_setting(scenario="diary:simulated", behaviour="treats-lows", days=1.0)
    assert setting.scenario.behaviour == behaviour.TREATS_LOWS
    keys = np.zeros((1, 6), np.uint32)
    events = setting.scenario.events(keys, np.array([70.0]), 1.0)
    assert np.isfinite(events.eat_minute).sum() >= 2
