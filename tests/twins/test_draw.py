"""Drawn people: physiological, reproducible, like the cohort they are drawn around."""

import numpy as np
import pytest

from tests.twins.bodies.simulate import run
from twins import cohort
from twins.bodies.glucose import COLUMN, PARAMETERS
from twins.cohort import (
    AGE_GROUP,
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
    Cohort,
)
from twins.draw import BASAL_RANGE_U_PER_KG_DAY, PRIMARY, _complete, draw, mistaken_therapy

GROUPS = ("adult", "adolescent", "child")


def _logs(people: Cohort) -> np.ndarray:
    return np.log(people.parameters[:, [COLUMN[name] for name in PRIMARY]])


def test_the_derived_parameters_follow_from_the_others_for_all_thirty() -> None:
    """The relations that drawn people are completed with hold in simglucose's own table."""
    everybody = cohort.load("all")
    for row in everybody.parameters:
        completed = _complete(row[[COLUMN[name] for name in PRIMARY]])
        np.testing.assert_allclose(completed, row, rtol=2e-5)


@pytest.mark.parametrize("group", GROUPS)
def test_drawn_people_are_physiological(group: str) -> None:
    people = draw(cohort.load(group), 200, seed=1)
    column = {name: people.parameters[:, index] for name, index in COLUMN.items()}
    assert (people.parameters > 0).all()
    assert ((column["Gb"] >= 90) & (column["Gb"] <= 200)).all()
    assert ((column["d"] < column["b"]) & (column["b"] < 1) & (column["kmin"] < column["kmax"])).all()
    basal_per_kg = people.therapy[:, BASAL_U_PER_H] * 24 / people.weight_kg
    low, high = BASAL_RANGE_U_PER_KG_DAY
    assert ((basal_per_kg >= low) & (basal_per_kg <= high)).all()
    assert {people.group(row) for row in range(len(people))} == {group}
    np.testing.assert_array_equal(people.weight_kg, column["BW"])


@pytest.mark.parametrize("group", GROUPS)
def test_the_basal_state_of_drawn_people_is_an_equilibrium(group: str) -> None:
    people = draw(cohort.load(group), 40, seed=2)
    minutes = 480
    basal = np.repeat(people.therapy[:, [BASAL_U_PER_H]], minutes, axis=1)
    glucose = run(people, np.zeros((40, minutes)), basal)
    np.testing.assert_allclose(glucose, people.parameters[:, [COLUMN["Gb"]]].repeat(minutes, 1), atol=1e-6)


def test_therapy_of_drawn_people_follows_the_rules() -> None:
    people = draw(cohort.load("adult"), 20, seed=3)
    daily = people.therapy[:, DAILY_INSULIN_U]
    np.testing.assert_allclose(people.therapy[:, BASAL_U_PER_H] * 24, 0.48 * daily)
    np.testing.assert_allclose(people.therapy[:, CARB_RATIO_G_PER_U] * daily, 500)
    np.testing.assert_allclose(people.therapy[:, CORRECTION_FACTOR_MG_DL_PER_U] * daily, 1800)
    assert (people.therapy[:, AGE_GROUP] == cohort.ADULT).all()
    assert ((daily > 10) & (daily < 200)).all()


def test_a_drawn_person_does_not_depend_on_how_many_are_drawn() -> None:
    adults = cohort.load("adult")
    many, few = draw(adults, 50, seed=4), draw(adults, 3, seed=4)
    assert few.ids == many.ids[:3] == ("adult~4#001", "adult~4#002", "adult~4#003")
    np.testing.assert_array_equal(few.parameters, many.parameters[:3])
    np.testing.assert_array_equal(few.therapy, many.therapy[:3])


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    adults = cohort.load("adult")
    np.testing.assert_array_equal(draw(adults, 5, seed=5).parameters, draw(adults, 5, seed=5).parameters)
    other = draw(adults, 5, seed=6)
    assert set(other.ids).isdisjoint(draw(adults, 5, seed=5).ids)
    assert (np.abs(other.parameters[:, 0] - draw(adults, 5, seed=5).parameters[:, 0]) > 1e-6).all()
    assert len(np.unique(draw(adults, 200, seed=5).parameters[:, 0])) == 200


@pytest.mark.parametrize("group", GROUPS)
def test_means_spreads_and_correlations_resemble_the_cohort(group: str) -> None:
    """Rejecting what is not physiological moves them a little; halved correlations are the shrinkage."""
    source = cohort.load(group)
    drawn, given = _logs(draw(source, 2000, seed=7)), _logs(source)
    spread = given.std(axis=0, ddof=1)
    assert (np.abs(drawn.mean(axis=0) - given.mean(axis=0)) < 0.35 * spread).all()
    ratio = drawn.std(axis=0) / spread
    assert ((ratio > 0.5) & (ratio < 1.15)).all()
    off = ~np.eye(len(PRIMARY), dtype=bool)
    theirs, ours = np.corrcoef(given, rowvar=False)[off], np.corrcoef(drawn, rowvar=False)[off]
    assert np.corrcoef(theirs, ours)[0, 1] > 0.9
    slope = (theirs * ours).sum() / (theirs**2).sum()
    assert slope == pytest.approx(0.5, abs=0.1)


def test_shrinkage_of_one_leaves_no_correlation_and_none_leaves_all() -> None:
    """Without rejections, which spread 0.05 has none of, the covariance is that asked for."""
    source = cohort.load("adult")
    given = _logs(source)
    off = ~np.eye(len(PRIMARY), dtype=bool)
    theirs = np.corrcoef(given, rowvar=False)[off]
    free = np.corrcoef(_logs(draw(source, 1000, spread=0.05, shrinkage=1.0)), rowvar=False)[off]
    assert np.abs(free).max() < 0.16
    full = np.corrcoef(_logs(draw(source, 1000, spread=0.05, shrinkage=0.0)), rowvar=False)[off]
    assert np.abs(full - theirs).max() < 0.16


def test_no_spread_gives_the_geometric_mean_of_the_cohort() -> None:
    source = cohort.load("child")
    people = draw(source, 3, spread=0.0)
    np.testing.assert_allclose(_logs(people), np.tile(_logs(source).mean(axis=0), (3, 1)), rtol=1e-12)


def test_drawn_people_keep_the_model_they_were_drawn_around() -> None:
    assert draw(cohort.load("adult", legacy_gut=True), 2).model.legacy_gut is True  # type: ignore[attr-defined]
    assert draw(cohort.load("adult"), 2).model.parameter_names == PARAMETERS


@pytest.mark.parametrize("who", ["all", ["adult", "child#001"], ["adult#001", "adult#002"]])
def test_a_mixed_or_small_cohort_is_refused(who: str | list[str]) -> None:
    with pytest.raises(ValueError, match="it needs at least 3 of one group"):
        draw(cohort.load(who), 5)


@pytest.mark.parametrize("bad", [{"count": 0}, {"spread": -1.0}, {"shrinkage": 1.5}, {"shrinkage": -0.1}])
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needed: >= 1, >= 0, within 0 ... 1"):
        draw(cohort.load("adult"), **({"count": 5} | bad))  # type: ignore[arg-type]


def test_a_spread_that_allows_nobody_ends_with_advice() -> None:
    with pytest.raises(ValueError, match="no physiological person in 200 draws for adult~0#001; use"):
        draw(cohort.load("adult"), 1, spread=100.0)


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed are whole numbers"):
        draw(cohort.load("adult"), 1, seed=-1)


def test_people_of_another_split_are_other_people_under_other_names() -> None:
    adults = cohort.load("adult")
    train, test = draw(adults, 3, seed=7), draw(adults, 3, seed=7, split="test")
    assert (
        test.ids == ("adult~test7#001", "adult~test7#002", "adult~test7#003")
        and train.ids[0] == "adult~7#001"
    )
    assert not np.isclose(train.parameters[:, 0], test.parameters[:, 0]).any()


def test_mistaken_settings_are_off_by_up_to_the_width_each_by_its_own_factor() -> None:
    people = cohort.load("all")
    wrong = mistaken_therapy(people, 0.2, "test", 1)
    settings = [BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U]
    moved = wrong.therapy[:, settings] / people.therapy[:, settings]
    assert 0.8 <= moved.min() < 0.85 and 1.15 < moved.max() <= 1.2
    assert abs(np.corrcoef(moved.T)[np.triu_indices(3, 1)]).max() < 0.5
    others = [column for column in range(people.therapy.shape[1]) if column not in settings]
    np.testing.assert_array_equal(wrong.therapy[:, others], people.therapy[:, others])
    np.testing.assert_array_equal(wrong.parameters, people.parameters)
    alone = mistaken_therapy(people.take([4]), 0.2, "test", 1)
    np.testing.assert_array_equal(alone.therapy[0], wrong.therapy[4])
    assert not np.allclose(mistaken_therapy(people, 0.2, "train", 1).therapy, wrong.therapy)
    with pytest.raises(ValueError, match="width of the error is 1.5"):
        mistaken_therapy(people, 1.5, "test", 1)
