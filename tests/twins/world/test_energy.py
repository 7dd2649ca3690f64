"""Meals that cover the need of energy: the sizes that Fox and others' code gives to the 30 people."""

import numpy as np
import pytest

from twins import cohort as cohorts
from twins import random
from twins.cohort import AGE_GROUP
from twins.world.energy import carbs_for_energy_g
from twins.world.scenarios import EnergyMeals, named


@pytest.mark.parametrize(
    ("group", "meals"),
    [("adult", (62, 73, 87, 8)), ("adolescent", (48, 57, 68, 7)), ("child", (40, 47, 57, 5.5))],
)
def test_mean_meals_of_each_age_group_are_those_of_the_paper_s_code(
    group: str, meals: tuple[float, ...]
) -> None:
    people = cohorts.load(group)
    carbs = carbs_for_energy_g(people.weight_kg, people.therapy[:, AGE_GROUP].astype(int)).mean()
    for share, grams in zip((1.1, 1.3, 1.55, 0.15), meals, strict=True):
        assert carbs * share / 4.4 == pytest.approx(grams, abs=1.0)


def test_days_hold_what_the_person_needs_and_vary_from_day_to_day() -> None:
    people = cohorts.load("adult")
    group = people.therapy[:, AGE_GROUP].astype(int)
    rows = np.repeat(np.arange(10), 40)
    keys = random.keys("test", 1, people.numbers[rows], np.tile(np.arange(40), 10), 0)
    events = EnergyMeals().events(keys, people.weight_kg[rows], 10.0, group[rows])
    eaten = events.eat_g.sum(axis=1).reshape(10, 40).mean(axis=1) / 10
    # A main meal is eaten on 95 of 100 days, a snack on 30.
    shares = (0.95 * (1.1 + 1.3 + 1.55) + 0.3 * 0.45) / 4.4
    np.testing.assert_allclose(eaten, carbs_for_energy_g(people.weight_kg, group) * shares, rtol=0.03)
    assert len(np.unique(events.eat_g)) > 50


def test_meals_that_hang_on_age_say_that_they_need_it() -> None:
    with pytest.raises(ValueError, match="give age_group"):
        EnergyMeals().events(np.zeros((1, 6), np.uint32), np.array([70.0]), 1.0)


def test_published_days_are_known_by_name() -> None:
    keys = np.zeros((1, random.KEY_COLUMNS), np.uint32)
    events = named("g2p2c", "g2p2c").events(keys, np.array([70.0]), 1.0)
    assert events.eat_minute[0].tolist() == [480.0, 780.0, 1200.0]
    assert events.eat_g[0].tolist() == [40.0, 80.0, 60.0]
    assert events.tell_minute[0].tolist() == [460.0, 760.0, 1180.0]  # 20 min before
    assert named("emerson2023").description.startswith("random meals as in Emerson")
