"""Tuning: gains that are better than none, found on training days, the same each time, and kept as checked files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.load import COHORT, FAMILIES, TUNED, load
from agents.tunable import Tuned, Values
from experiments import best_gains, people
from experiments import tune as tuning
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.gains import Tuning, load_gains, load_tuning, save_tuning
from experiments.simulate import simulate
from experiments.tune import TUNE_SEED, other_bodies, score, scored, tune, tune_named
from twins import cohort

PEOPLE = ("child#008", "child#002")
SMALL = 150.0
"""Person-days of a small tuning of one person on half days."""


def _protocol(**changes: Any) -> ProtocolConfig:
    small = {"people": PEOPLE, "days": 0.5, "replicas": 2} | changes
    return load_protocol("simglucose-default").model_copy(update=small)


def _fresh_score(
    values: Values | None, shield: str = "rule", family: str = "basal-bolus"
) -> dict[str, float]:
    """Mean score of each person on days that neither tuning nor judging sees."""
    days = _protocol(split="train", seed=TUNE_SEED + 1, replicas=24)
    rollout = simulate(Tuned(FAMILIES[family], values), days, shield)
    means = score(scored(rollout, days)).reshape(24, len(PEOPLE)).mean(axis=0)
    return dict(zip(PEOPLE, means.tolist(), strict=True))


@pytest.fixture(scope="module")
def each() -> Tuning:
    """Basal-bolus, of each person."""
    return tune("basal-bolus", _protocol(), "rule", person_days=2 * SMALL)


@pytest.fixture(scope="module")
def everybody() -> Tuning:
    """PID, one set."""
    return tune("pid", _protocol(), "rule", shared=True, person_days=4 * SMALL)


def test_every_person_of_the_protocol_gets_gains_and_the_cost_is_told(each: Tuning) -> None:
    assert isinstance(each.values, dict) and tuple(each.values) == PEOPLE
    assert (each.family, each.mode, each.people, each.shield) == ("basal-bolus", "person", 2, "rule")
    assert each.protocol == "simglucose-default" and each.gains == ("basal_gain", "bolus_gain")
    assert 0.8 * 2 * SMALL < each.person_days <= 2 * SMALL


def test_the_person_days_told_are_those_that_were_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes: list[int] = []
    simulated = tuning.run

    def counting(core: Any, *rest: Any) -> Any:
        lanes.append(core.lanes)
        return simulated(core, *rest)

    monkeypatch.setattr(tuning, "run", counting)
    found = tune("basal-bolus", _protocol(days=0.25, warmup_days=0.25), "rule", shared=True, person_days=50.0)
    assert found.person_days == sum(lanes) * 0.5, "warm-up costs, too"


def test_tuned_gains_score_better_on_fresh_days_than_gains_of_one(each: Tuning) -> None:
    plain, tuned = _fresh_score(None), _fresh_score(each.values)
    assert np.mean(list(tuned.values())) > np.mean(list(plain.values())) + 1
    assert tuned["child#002"] > plain["child#002"] + 4, "whose settings are far from the best"
    assert each.score == pytest.approx(np.mean(list(tuned.values())), abs=12)


def test_hardly_any_gains_of_a_grid_score_better_on_fresh_days(each: Tuning) -> None:
    tuned = _fresh_score(each.values)
    for basal in (0.6, 1.2, 1.8):
        for bolus in (0.4, 0.8, 1.2):
            found = _fresh_score((basal, bolus))
            assert all(found[person] < tuned[person] + 4 for person in PEOPLE), (basal, bolus)


def test_one_set_for_everybody_is_better_on_average_than_the_start_values(everybody: Tuning) -> None:
    assert everybody.mode == "cohort" and isinstance(everybody.values, tuple)
    plain, tuned = _fresh_score(None, family="pid"), _fresh_score(everybody.values, family="pid")
    assert np.mean(list(tuned.values())) > np.mean(list(plain.values())) + 1


def test_tuning_again_or_alone_finds_the_same(each: Tuning) -> None:
    alone = tune("basal-bolus", _protocol(people=PEOPLE[1:]), "rule", person_days=SMALL)
    assert isinstance(each.values, dict)
    assert alone.values == {PEOPLE[1]: each.values[PEOPLE[1]]}


def test_tuning_never_sees_the_days_that_are_judged(each: Tuning) -> None:
    """Other judged days, as many as one likes, change nothing."""
    other = _protocol(people=PEOPLE[1:], seed=31, replicas=7, split="validation")
    found = tune("basal-bolus", other, "rule", person_days=SMALL).values
    assert isinstance(each.values, dict)
    assert found == {PEOPLE[1]: each.values[PEOPLE[1]]}


def test_no_day_is_met_twice_in_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    days: list[set[bytes]] = []
    simulated = tuning.run

    def noting(core: Any, rows: Any, keys: Any, *rest: Any) -> Any:
        days.append({key.tobytes() for key in keys})
        return simulated(core, rows, keys, *rest)

    monkeypatch.setattr(tuning, "run", noting)
    tune("basal-bolus", _protocol(people=PEOPLE[1:]), "rule", person_days=50.0)
    assert len(days) > 3  # one batch a generation, and the last choice
    assert sum(map(len, days)) == len(set().union(*days))


def test_gains_are_tuned_under_the_shield_they_are_used_with() -> None:
    asked = _protocol(people=("child#002",))
    found = tune("basal-bolus", asked, "off", person_days=SMALL)
    assert found.shield == "off"
    assert found.values != tune("basal-bolus", asked, "rule", person_days=SMALL).values


def test_the_settings_of_the_judged_people_are_tuned_on_and_their_ids_kept() -> None:
    asked = _protocol(therapy_error=0.2, drawn_per_group=1, people=("child",), folds=0)
    names = tune("basal-bolus", asked, "rule", person_days=250.0).values
    assert isinstance(names, dict) and len(names) == 11
    load("basal-bolus-tuned", lambda _: names)
    simulate(Tuned(FAMILIES["basal-bolus"], names), asked.model_copy(update={"replicas": 1}), "rule")


def test_gains_for_everybody_are_tuned_on_bodies_that_are_not_judged() -> None:
    asked = load_protocol("simglucose-default")
    bodies = other_bodies(asked, None)
    assert not set(bodies.ids) & set(cohort.names()) and len(bodies) == 24
    assert {bodies.group(row) for row in range(24)} == set(cohort.GROUPS)
    some = other_bodies(_protocol(), None)
    assert {some.group(row) for row in range(len(some))} == {"child"}


def test_gains_for_a_fold_are_tuned_on_whom_its_policies_may_train_on() -> None:
    asked = load_protocol("realistic")
    bodies = other_bodies(asked, 2)
    judged = set(people.judged(asked, 2).ids)
    assert not judged & set(bodies.ids) and len(bodies) == 24 + 24
    assert set(people.known(asked, 2)) < set(bodies.ids)
    tiny = asked.model_copy(
        update={"people": ("child",), "drawn_per_group": 0, "days": 0.25, "warmup_days": 0}
    )
    found = tune_named("basal-bolus-cohort", tiny, "rule", person_days_each=30.0, fold=2)
    assert found.people == 8 + 8


@pytest.mark.parametrize("name", ["basal-bolus-tuned", "basal-bolus-cohort"])
def test_a_name_is_tuned_for_its_agent(name: str) -> None:
    found = tune_named(name, _protocol(days=0.25), "rule", person_days_each=30.0)
    agent = load(name, lambda _: found.values)
    assert isinstance(agent, Tuned)
    assert found.people == (2 if name in TUNED else 8)


def test_what_cannot_be_tuned_is_named() -> None:
    known = ", ".join((*TUNED, *COHORT))
    with pytest.raises(ValueError, match="'pid' has no gains to tune") as error:
        tune_named("pid", _protocol(), "rule")
    assert known in str(error.value)
    with pytest.raises(ValueError, match="unknown family 'pit'; did you mean 'pid'"):
        tune("pit", _protocol(), "rule")


@pytest.mark.parametrize("budget", [0.0, 1.0, 42.9])
def test_too_small_a_budget_is_answered_with_the_least(budget: float) -> None:
    with pytest.raises(ValueError, match=f"budget of {budget:g} person-days is too small .*give 43 or more"):
        tune("basal-bolus", _protocol(), "rule", person_days=budget)
    asked = _protocol(people=PEOPLE[1:], days=0.25, warmup_days=0.75)
    assert tune("basal-bolus", asked, "rule", person_days=43.0).person_days == 43.0


@pytest.mark.parametrize("episodes", [43, 60, 100, 200, 331, 1320, 10_000])
def test_a_plan_spends_most_of_its_budget_and_never_more(episodes: int) -> None:
    for gains, persons in ((2, 1), (14, 1), (14, 24)):
        plan = best_gains.spend(2.0 * episodes, 2.0, gains, persons)
        assert 0.75 * episodes < plan.episodes <= episodes
        assert plan.generations >= 3 and plan.replicas >= 1


def test_the_score_is_time_in_range_less_what_is_low_and_who_died() -> None:
    table = {
        "tir_pct": np.array([80.0, 80.0, 0.0]),
        "below_70_pct": np.array([4.0, 4.0, 100.0]),
        "below_54_pct": np.array([0.0, 1.0, 100.0]),
        "failed": np.array([0, 0, 1]),
    }
    assert score(table).tolist() == [76.0, 74.0, -400.0]


def test_gains_are_not_tuned_on_the_days_that_are_judged() -> None:
    protocol = load_protocol("simglucose-default").model_copy(update={"scenario": "diary:simulated"})
    with pytest.raises(ValueError, match="give its gains with --gains FILE"):
        tune("basal-bolus", protocol, "rule")


def test_a_tuning_is_kept_as_json(tmp_path: Path, each: Tuning, everybody: Tuning) -> None:
    for name, one in (("basal-bolus-tuned", each), ("pid-cohort", everybody)):
        save_tuning(one, tmp_path / name)
        assert load_tuning(tmp_path / name) == one
        assert load_gains(tmp_path / name, name) == one.values == load_gains(tmp_path / name)
        load(name, lambda name: load_gains(tmp_path / name, name))
    with pytest.raises(ValueError, match="holds gains of pid-cohort; pid-tuned needs its own"):
        load_gains(tmp_path / "pid-cohort", "pid-tuned")
    with pytest.raises(ValueError, match="holds gains of basal-bolus-tuned; low-glucose-suspend-tuned needs"):
        load_gains(tmp_path / "basal-bolus-tuned", "low-glucose-suspend-tuned")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format": 1}, "no object of format 2"),
        ({"family": "basal-bolsu"}, "unknown family 'basal-bolsu'; did you mean 'basal-bolus'"),
        ({"gains": ["bolus_gain", "basal_gain"]}, "basal-bolus of this version has basal_gain, bolus_gain"),
        ({"mode": "cohort"}, "mode is 'cohort', which does not go with"),
        ({"values": [1.0, 1.0]}, "mode is 'person', which does not go with"),
        ({"values": {"a": [1.0, "x"]}}, "values"),
        ({"values": {"a": [1.0]}}, "needs 2 numbers"),
        ({"values": {"a": [1.0, -1.0]}}, "bolus_gain of a is -1; basal-bolus allows 0.1 to 2"),
        ({"values": {"a": [1.0, float("nan")]}}, "finite"),
        ({"person_days": 0}, "person_days"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_a_file_that_holds_no_gains_is_named_with_its_fault(
    tmp_path: Path, each: Tuning, change: dict[str, Any], fault: str
) -> None:
    path = tmp_path / "g.json"
    save_tuning(each, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=f"g.json holds no gains .*{fault}.*tune anew"):
        load_gains(path)


@pytest.mark.parametrize("text", ["[", "[]", "", "null", '{"a": [1, 2]}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "g.json").write_text(text)
    with pytest.raises(ValueError, match="g.json holds no gains"):
        load_tuning(tmp_path / "g.json")
