"""Tuning: gains that are better than none, found on training days, the same each time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.basal_bolus import BasalBolus
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.simulate import simulate
from experiments.tune import (
    BASAL_RANGE,
    BOLUS_RANGE,
    TUNE_REPLICAS,
    TUNE_SEED,
    load_gains,
    save_gains,
    score,
    scored,
    tune_gains,
)

PEOPLE = ("child#008", "child#002")


def _protocol(**changes: Any) -> ProtocolConfig:
    small = {"people": PEOPLE, "days": 0.5, "replicas": 2} | changes
    return load_protocol("simglucose-default").model_copy(update=small)


def _mean_score(gains: dict[str, tuple[float, float]] | None, shield: str = "rule") -> dict[str, float]:
    """Mean score of each person on the days that tuning sees."""
    days = _protocol(split="train", seed=TUNE_SEED, replicas=TUNE_REPLICAS)
    values = score(scored(simulate(BasalBolus(gains), days, shield), days))
    means = values.reshape(TUNE_REPLICAS, len(PEOPLE)).mean(axis=0)
    return dict(zip(PEOPLE, means.tolist(), strict=True))


@pytest.fixture(scope="module")
def gains() -> dict[str, tuple[float, float]]:
    return tune_gains(_protocol(), "rule")


def test_every_person_of_the_protocol_gets_gains_within_reach(gains: dict[str, tuple[float, float]]) -> None:
    assert tuple(gains) == PEOPLE
    for basal, bolus in gains.values():
        assert BASAL_RANGE[0] - 0.1 <= round(basal, 2) <= BASAL_RANGE[1] + 0.1
        assert BOLUS_RANGE[0] - 0.1 <= round(bolus, 2) <= BOLUS_RANGE[1] + 0.1
        assert round(basal * 10) == pytest.approx(basal * 10) and round(bolus * 10) == pytest.approx(
            bolus * 10
        )


def test_tuned_gains_score_better_on_training_days_than_gains_of_one(
    gains: dict[str, tuple[float, float]],
) -> None:
    plain, tuned = _mean_score(None), _mean_score(gains)
    assert all(tuned[person] > plain[person] for person in PEOPLE)


def test_no_gains_of_the_grid_score_better_on_training_days(gains: dict[str, tuple[float, float]]) -> None:
    best = _mean_score(gains)
    for basal in np.arange(0.4, 2.05, 0.2):
        for bolus in np.arange(0.3, 1.95, 0.2):
            found = _mean_score(dict.fromkeys(PEOPLE, (round(basal, 2), round(bolus, 2))))
            assert all(found[person] <= best[person] + 1e-9 for person in PEOPLE), (basal, bolus)


def test_tuning_again_or_alone_finds_the_same(gains: dict[str, tuple[float, float]]) -> None:
    alone = tune_gains(_protocol(people=PEOPLE[1:]), "rule")
    assert alone == {PEOPLE[1]: gains[PEOPLE[1]]}


def test_tuning_never_sees_the_days_that_are_judged(gains: dict[str, tuple[float, float]]) -> None:
    """Other judged days, as many as one likes, change nothing."""
    other = _protocol(people=PEOPLE[1:], seed=31, replicas=7, split="validation")
    assert tune_gains(other, "rule") == {PEOPLE[1]: gains[PEOPLE[1]]}


def test_gains_are_tuned_under_the_shield_they_are_used_with() -> None:
    asked = _protocol(people=("child#002",))
    found = tune_gains(asked, "off")
    assert tuple(found) == ("child#002",)
    days = asked.model_copy(update={"split": "train", "seed": TUNE_SEED, "replicas": TUNE_REPLICAS})
    mean = {
        name: float(score(scored(simulate(BasalBolus(held), days, "off"), days)).mean())
        for name, held in (("tuned", found), ("plain", None))
    }
    assert mean["tuned"] > mean["plain"]


def test_the_score_is_time_in_range_less_what_is_low_and_who_died() -> None:
    table = {
        "tir_pct": np.array([80.0, 80.0, 0.0]),
        "below_70_pct": np.array([4.0, 4.0, 100.0]),
        "below_54_pct": np.array([0.0, 1.0, 100.0]),
        "failed": np.array([0, 0, 1]),
    }
    assert score(table).tolist() == [76.0, 74.0, -400.0]


def test_gains_are_kept_as_json(tmp_path: Path, gains: dict[str, tuple[float, float]]) -> None:
    save_gains(gains, tmp_path / "gains.json")
    found = json.loads((tmp_path / "gains.json").read_text())
    assert {person: tuple(pair) for person, pair in found.items()} == gains


def test_gains_are_not_tuned_on_the_days_that_are_judged() -> None:
    protocol = load_protocol("simglucose-default").model_copy(update={"scenario": "diary:simulated"})
    with pytest.raises(ValueError, match="give its gains with --gains FILE"):
        tune_gains(protocol, "rule")


@pytest.mark.parametrize(
    "text", ["[", "[]", '{"a": 1}', '{"a": [1, "x"]}', '{"a": [1, -1]}', '{"a": [1, NaN]}']
)
def test_a_file_that_holds_no_gains_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "g.json").write_text(text)
    with pytest.raises(ValueError, match="g.json holds"):
        load_gains(tmp_path / "g.json")
