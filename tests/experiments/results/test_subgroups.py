"""Groups of people under an agent: persons count once, the worst group is found, and bars say kept or broken."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame

from experiments.records.tables import Table, concat, select
from experiments.results import subgroups as module
from experiments.results.subgroups import (
    CANNOT_BE_ASSESSED,
    Subgroups,
    everyone,
    features,
    subgroups,
    worst_persons,
)
from experiments.statistics import crossed_interval
from tests.experiments.tiny_study import PEOPLE, episodes

BASE = (80.0, 70.0, 75.0, 65.0, 72.0, 60.0)
OURS = (90.0, 86.0, 74.0, 70.0, 60.0, 66.0)
AGENTS = (
    episodes("base", BASE),
    episodes("ours", OURS, train_seed=0),
    episodes("ours", OURS, train_seed=1),
    episodes("few", (50.0, 60.0), people=PEOPLE[:2]),
    episodes("busy", BASE, train_seed=0, alarms_per_day=(1, 1, 1, 1, 1, 20), recommendations_per_day=40),
    episodes("low-within-bars", BASE, train_seed=0, below_54_pct=(1.0, 1.0, 0.5, 0.5, 0.5, 0.5)),
    episodes("low-in-a-group", BASE, train_seed=0, below_54_pct=(1.1, 1.1, 0.7, 0.7, 0.7, 0.7)),
    episodes("low-with-a-gap", BASE, train_seed=0, below_54_pct=(0.9, 0.9, 0.3, 0.3, 0.3, 0.3)),
)


def one(table: Table, **equals: str) -> dict[str, Any]:
    found = select(table, **equals)
    assert len(found["agent"]) == 1, equals
    return {name: column[0] for name, column in found.items()}


@pytest.fixture(scope="module")
def rows() -> Table:
    return concat(AGENTS)


@pytest.fixture(scope="module")
def found(rows: Table) -> Iterator[Subgroups]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "crossed_interval", partial(crossed_interval, resamples=200))
        yield subgroups(rows, "base")


def test_a_person_counts_once_however_often_they_were_simulated(found: Subgroups) -> None:
    more = episodes("ours", (90.0,), train_seed=1, people=("adult#001",), replicas=40)
    groups = subgroups(concat([*AGENTS[:3], more]), "base").groups
    adults = one(groups, agent="ours", feature="age group", group="adult")
    assert adults["tir_pct"] == pytest.approx((90 + 86) / 2)
    assert (adults["persons"], adults["episodes"]) == (2, 48)
    everyone = one(found.groups, agent="ours", feature="everyone")
    assert everyone["tir_pct"] == pytest.approx(np.mean(OURS)) and everyone["persons"] == 6
    assert everyone["tir_difference"] == pytest.approx(np.mean(OURS) - np.mean(BASE))
    assert everyone["tir_difference_low"] < everyone["tir_difference"] < everyone["tir_difference_high"]


def test_rows_of_one_agent_or_of_everyone_are_those_among_all(
    rows: Table, found: Subgroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "crossed_interval", partial(crossed_interval, resamples=200))
    ours = subgroups(rows, "base", of=("ours",))
    for some, among in ((ours.groups, found.groups), (ours.checks, found.checks)):
        for name, column in select(among, agent="ours").items():
            np.testing.assert_array_equal(some[name], column, name)
    whole, among = everyone(rows, "base"), select(found.groups, feature="everyone")
    order = np.argsort(among["agent"])
    for name, column in among.items():
        np.testing.assert_array_equal(whole[name], column[order], name)


def test_groups_are_age_origin_and_thirds_of_weight_and_of_need(rows: Table) -> None:
    """Weights fall from the first person to the last; need per kg is least in adults and most in adolescents."""
    by_name = {feature.name: feature for feature in features(rows)}
    assert list(by_name) == ["everyone", "age group", "drawn", "weight", "insulin sensitivity"]
    assert by_name["age group"].group.tolist() == ["adult"] * 2 + ["adolescent"] * 2 + ["child"] * 2
    assert (
        by_name["drawn"].groups == ("of the table", "drawn")
        and (by_name["drawn"].group == "drawn").sum() == 2
    )
    assert by_name["weight"].group.tolist() == ["heaviest"] * 2 + ["middle"] * 2 + ["lightest"] * 2
    need = dict(zip(PEOPLE, by_name["insulin sensitivity"].group.tolist(), strict=True))
    assert need["adult#001"] == need["adult#002"] == "most sensitive"
    assert need["adolescent#001"] == need["adolescent~test7#001"] == "least sensitive"
    assert by_name["weight"].bounds["lightest"].startswith("up to 4") and "U/kg/day" in str(
        by_name["insulin sensitivity"].bounds
    )


def test_thirds_are_those_of_the_study_not_of_the_few_an_agent_was_judged_on(found: Subgroups) -> None:
    groups = select(found.groups, agent="few", feature="weight")
    assert groups["group"].tolist() == ["heaviest"] and groups["persons"].tolist() == [2]


def test_the_worst_group_and_the_gap_stand_for_every_metric(found: Subgroups) -> None:
    age = one(found.checks, agent="ours", feature="age group", metric="tir_pct")
    assert (age["worst_group"], age["worst"], age["gap"]) == (
        "child",
        pytest.approx(63),
        pytest.approx(88 - 63),
    )
    assert age["check"] == "broken", "25 points are more than 10 and more than the baseline's gap of 9"
    lost = one(found.checks, agent="ours", feature="age group", metric="tir_difference")
    assert (
        lost["worst_group"] == "child"
        and lost["worst"] == pytest.approx(63 - 66)
        and lost["check"] == "broken"
    )
    lows = one(found.checks, agent="ours", feature="age group", metric="below_70_pct")
    assert lows["worst_group"] == "child" and lows["check"] == ""


@pytest.mark.parametrize(
    ("agent", "check"),
    [("low-within-bars", "kept"), ("low-in-a-group", "broken"), ("low-with-a-gap", "broken")],
)
def test_very_low_glucose_has_a_bar_for_the_worst_group_and_one_for_the_gap(
    found: Subgroups, agent: str, check: str
) -> None:
    row = one(found.checks, agent=agent, feature="age group", metric="below_54_pct")
    assert (row["worst_group"], row["check"]) == ("adult", check)


def test_a_gap_as_large_as_the_baselines_own_is_no_fault_of_the_agent() -> None:
    wide = (95.0, 95.0, 75.0, 75.0, 60.0, 60.0)
    table = concat([episodes("base", wide), episodes("ours", wide, train_seed=0)])
    assert (
        one(subgroups(table, "base").checks, agent="ours", feature="age group", metric="tir_pct")["check"]
        == "kept"
    )


def test_the_person_who_lost_most_and_the_burden_have_bars_of_their_own(found: Subgroups) -> None:
    person = one(found.checks, agent="ours", feature="person", metric="tir_difference")
    assert (person["worst_group"], person["worst"]) == ("child#001", pytest.approx(-12))
    assert person["check"] == "broken"
    assert one(found.checks, agent="busy", feature="person", metric="tir_difference")["check"] == "kept"
    burden = select(found.checks, agent="busy", feature="burden")
    assert burden["check"].tolist() == ["kept", "broken", "broken"]
    of_baseline = select(found.checks, agent="base")["metric"].tolist()
    assert of_baseline and not any("difference" in metric for metric in of_baseline)


def test_worst_persons_are_those_who_failed_then_those_with_the_least_time_in_range(rows: Table) -> None:
    failing = episodes("failing", OURS, train_seed=0, failed=(1, 0, 0, 0, 0, 0))
    found = worst_persons(concat([rows, failing]), "failing", "base")
    assert found["person"].tolist() == ["adult#001", "child#001", "child~test7#001"]
    assert found["failures"].tolist() == [2, 0, 0]
    assert found["tir_difference"].tolist() == pytest.approx([10, -12, 6])


@pytest.mark.slow
def test_values_and_intervals_agree_with_fairlearns_own() -> None:
    """Its percentile bootstrap of the same persons; ours may be wider, as few persons need."""
    rng = np.random.default_rng(3)
    values = rng.normal(75, 8, 24)
    frame = MetricFrame(
        metrics={"mean": lambda y_true, y_pred: float(np.mean(y_true))},
        y_true=values,
        y_pred=values,
        sensitive_features=np.repeat(["a", "b"], 12),
        n_boot=200,
        ci_quantiles=[0.025, 0.975],
        random_state=7,
    )
    for k, group in enumerate("ab"):
        ours = crossed_interval(values[None, 12 * k : 12 * (k + 1)], seed=1)
        low, high = (float(end.loc[group, "mean"]) for end in frame.by_group_ci)
        assert ours.estimate == pytest.approx(float(frame.by_group.loc[group, "mean"]))
        assert 0.95 < (ours.high - ours.low) / (high - low) < 1.5


def test_what_cannot_be_assessed_is_said() -> None:
    said = " ".join(CANNOT_BE_ASSESSED)
    assert "sex" in said and "ethnicity" in said and "no population" in said.replace("represent ", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {k: v for k, v in t.items() if k != "weight_kg"}, "lack weight_kg; judge"),
        (
            lambda t: t | {"protocol": np.where(t["agent"] == "ours", "a", "b")},
            "of protocols a, b; give those of one",
        ),
        (lambda t: t | {"shield": np.full(len(t["agent"]), "off")}, "of protocols none"),
        (lambda t: select(t, agent="ours"), "baseline 'base' was not judged.*judged were ours"),
    ],
)
def test_a_table_that_cannot_be_divided_is_refused(rows: Table, change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        subgroups(change(rows), "base")
    with pytest.raises(ValueError, match="agent 'nobody' was not judged"):
        worst_persons(rows, "nobody", "base")
