"""Persons as rows: the 30 virtual people, their therapy, and what a cohort refuses."""

import csv
from dataclasses import FrozenInstanceError, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from twins import cohort
from twins.cohort import (
    AGE_GROUP,
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECT_ABOVE_MG_DL,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
    TARGET_MG_DL,
    Cohort,
)


def test_all_are_ten_adults_ten_adolescents_and_ten_children() -> None:
    everybody = cohort.load("all")
    assert len(everybody) == 30
    assert everybody.ids == cohort.names()
    assert everybody.ids == tuple(
        f"{group}#{number:03d}" for group in ("adult", "adolescent", "child") for number in range(1, 11)
    )
    assert [everybody.group(row) for row in (0, 10, 20)] == ["adult", "adolescent", "child"]
    assert len(set(everybody.numbers.tolist())) == 30


def test_therapy_is_that_of_the_questionnaire_and_basal_that_of_the_equilibrium() -> None:
    everybody = cohort.load("all")
    origin = find_spec("simglucose").origin  # type: ignore[union-attr]
    with open(Path(origin or "").parent / "params" / "Quest.csv", newline="") as file:
        quest = {row["Name"]: row for row in csv.DictReader(file)}
    assert set(quest) == set(everybody.ids)
    for row, person in enumerate(everybody.ids):
        therapy = everybody.therapy[row]
        assert therapy[CARB_RATIO_G_PER_U] == float(quest[person]["CR"])
        assert therapy[CORRECTION_FACTOR_MG_DL_PER_U] == float(quest[person]["CF"])
        assert therapy[DAILY_INSULIN_U] == float(quest[person]["TDI"])
    np.testing.assert_array_equal(
        everybody.therapy[:, BASAL_U_PER_H], everybody.model.basal_u_per_h(everybody.parameters)
    )
    share = everybody.therapy[:, BASAL_U_PER_H] * 24 / everybody.therapy[:, DAILY_INSULIN_U]
    assert ((share > 0.2) & (share < 0.9)).all(), "basal is no longer in U/h"
    assert (everybody.therapy[:, TARGET_MG_DL] == 140).all()
    assert (everybody.therapy[:, CORRECT_ABOVE_MG_DL] == 150).all()
    weight = everybody.weight_kg
    assert weight[everybody.therapy[:, AGE_GROUP] == cohort.ADULT].mean() > 60
    assert weight[everybody.therapy[:, AGE_GROUP] == cohort.CHILD].mean() < 40


@pytest.mark.parametrize(
    ("who", "ids"),
    [
        ("child#010", ["child#010"]),
        (["child#002", "adult#001"], ["child#002", "adult#001"]),
        ("adolescent", [f"adolescent#{number:03d}" for number in range(1, 11)]),
        (["adult#003", "adult", "adult#003"], [f"adult#{n:03d}" for n in (3, 1, 2, 4, 5, 6, 7, 8, 9, 10)]),
    ],
)
def test_people_are_named_alone_in_groups_or_in_lists(who: str | list[str], ids: list[str]) -> None:
    assert list(cohort.select(who)) == ids
    assert list(cohort.load(who).ids) == ids


@pytest.mark.parametrize(
    ("who", "hint"),
    [
        ("adult#01", "did you mean .*'adult#001'"),
        ("Adult#001", "did you mean 'adult#001'"),
        ("adults", "did you mean 'adult'"),
        (["adult#001", "chld#003"], "unknown person 'chld#003'; did you mean 'child#003'"),
        ("", "unknown person ''; Known are"),
        ("zzz", "unknown person 'zzz'; Known are the 30 ids"),
    ],
)
def test_an_unknown_person_is_answered_with_the_nearest_known(who: str | list[str], hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        cohort.load(who)


def test_nobody_is_no_cohort() -> None:
    with pytest.raises(ValueError, match="no person was named"):
        cohort.load([])
    with pytest.raises(ValueError, match="at least one person"):
        cohort.load("all").take([])


def test_taking_rows_keeps_every_column_together() -> None:
    everybody = cohort.load("all")
    weighted = replace(everybody, log_weight=-np.arange(30.0))
    taken = weighted.take([29, 0, 7])
    assert taken.ids == ("child#010", "adult#001", "adult#008")
    for column in ("parameters", "therapy", "weight_kg", "log_weight"):
        np.testing.assert_array_equal(getattr(taken, column), getattr(weighted, column)[[29, 0, 7]])
    assert taken.model is everybody.model
    assert taken.numbers.tolist() == everybody.numbers[[29, 0, 7]].tolist()
    alone = cohort.load("adult#008")
    np.testing.assert_array_equal(alone.parameters[0], taken.parameters[2])


def test_a_person_taken_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="copies of one person are replicas"):
        cohort.load("adult").take([0, 0])


def test_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError):
        cohort.load("adult").take([10])


def test_other_settings_leave_body_and_original_as_they_were() -> None:
    adults = cohort.load("adult")
    before = adults.therapy.copy()
    changed = adults.with_therapy(carb_ratio_g_per_u=10, target_mg_dl=np.linspace(100, 140, 10))
    assert (changed.therapy[:, CARB_RATIO_G_PER_U] == 10).all()
    np.testing.assert_array_equal(changed.therapy[:, TARGET_MG_DL], np.linspace(100, 140, 10))
    np.testing.assert_array_equal(changed.therapy[:, BASAL_U_PER_H], before[:, BASAL_U_PER_H])
    np.testing.assert_array_equal(adults.therapy, before)
    assert changed.parameters is adults.parameters


def test_the_rule_of_500_takes_ratio_and_factor_from_daily_insulin() -> None:
    adults = cohort.load("adult").with_rule_of_500()
    daily = adults.therapy[:, DAILY_INSULIN_U]
    np.testing.assert_allclose(adults.therapy[:, CARB_RATIO_G_PER_U] * daily, 500)
    np.testing.assert_allclose(adults.therapy[:, CORRECTION_FACTOR_MG_DL_PER_U] * daily, 1800)


def test_an_unknown_setting_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown therapy setting 'carb_ratio'; .*carb_ratio_g_per_u"):
        cohort.load("adult").with_therapy(carb_ratio=10)


def test_a_setting_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cohort.therapy has shape .* needed are finite values"):
        cohort.load("adult").with_therapy(carb_ratio_g_per_u=np.nan)


def test_weights_are_zero_when_not_given() -> None:
    adults = cohort.load("adult")
    plain = Cohort(adults.model, adults.ids, adults.parameters, adults.therapy, adults.weight_kg)
    np.testing.assert_array_equal(plain.log_weight, np.zeros(10))
    one = plain.take([3])
    np.testing.assert_array_equal(one.log_weight, [0.0])
    plain.log_weight[0] = 1.0
    assert cohort.load("child").log_weight[0] == 0, "cohorts share their weights"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("parameters", np.zeros((10, 3))),
        ("therapy", np.zeros((9, 7))),
        ("weight_kg", np.zeros((10, 1))),
        ("weight_kg", np.full(10, np.inf)),
        ("log_weight", np.zeros(3)),
        ("log_weight", np.empty(0)),
        ("log_weight", np.full(10, np.nan)),
    ],
)
def test_a_column_of_a_wrong_shape_or_not_finite_is_named(column: str, value: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"cohort.{column} has shape .*needed are finite values of shape"):
        replace(cohort.load("adult"), **{column: value})


def test_a_cohort_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        cohort.load("adult").ids = ("me",)  # type: ignore[misc]


def test_cohorts_are_joined_and_copies_are_other_persons() -> None:
    two = cohort.load(["adult#001", "child#001"])
    both = cohort.join([two, two.renamed("/2")])
    assert both.ids == ("adult#001", "child#001", "adult#001/2", "child#001/2")
    np.testing.assert_array_equal(both.parameters[:2], both.parameters[2:])
    assert len(set(both.numbers.tolist())) == 4  # other random numbers
    with pytest.raises(ValueError, match="ids of a cohort must differ"):
        cohort.join([two, two])
    with pytest.raises(ValueError, match="no cohort was given"):
        cohort.join([])
