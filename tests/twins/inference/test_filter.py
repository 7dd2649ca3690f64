"""The observer against the true state of the simulator, under sensor noise and a wrong beginning."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs import trace
from envs.core import Core
from envs.roster import Roster
from envs.setting import make_setting
from envs.tasks.dosing import Dosing
from envs.therapy import basal_bolus
from twins import cohort as cohorts
from twins import mismatch, random
from twins.bodies.glucose_kernel import GLUCOSE_PLASMA, GLUCOSE_TISSUE, INSULIN_ACTION, INTESTINE, PLATE
from twins.cohort import Cohort
from twins.inference import filter as observer
from twins.inference.filter import REFUTED, Filter

FEW = ["adult#001", "adolescent#003", "child#004"]


def followed(
    people: Cohort, days: float, phantom: bool = False, truth: Cohort | None = None, **settings: Any
) -> tuple[Core, Filter, NDArray[np.float64], NDArray[np.float64]]:
    """A core under basal-bolus and a filter beside it: true states (K, n, S) and believed ones (K, n, E, S)."""
    n = len(people)
    setting = make_setting(cohort=truth or people, days=days, split="test", seed=3)
    core = Core(setting, Dosing(), n)
    rows, keys = Roster(people, n, "test", 3).next(np.arange(n))
    core.reset(rows, keys)
    if phantom:
        core.eat_g[:] = 0.0
    watch = Filter(people, **settings)
    watch.begin(np.arange(n), keys, core.told)
    states, beliefs = [], []
    for _ in range(int(days * 288)):
        done = core.step(basal_bolus(core.view)).trace
        given = (done[:, :, trace.BASAL_U_PER_H] / 60 + done[:, :, trace.BOLUS_U]).sum(axis=1)
        watch.update(done[:, -1, trace.CGM_MG_DL], given, core.told)
        states.append(core.state.copy())
        beliefs.append(watch.state.copy())
    return core, watch, np.array(states), np.array(beliefs)


def test_the_true_state_is_found_within_half_the_noise_of_the_sensor() -> None:
    people = cohorts.load("all")
    _, watch, true, believed = followed(people, 1.0, members=1, sd=0.0)
    volume = watch.parameters[:, 0, list(people.model.parameter_names).index("Vg")]
    error = (believed[:, :, 0, GLUCOSE_PLASMA] - true[:, :, GLUCOSE_PLASMA]) / volume
    begin, end = np.abs(error[0]).mean(), np.sqrt((error[144:] ** 2).mean())
    assert begin > 10, "the beginning is not known"
    assert end < 0.5 * observer.NOISE_SD_MG_DL
    assert np.allclose(believed[-1, :, 0, INSULIN_ACTION], true[-1, :, INSULIN_ACTION], atol=1e-6)
    tissue = believed[-1, :, 0, GLUCOSE_TISSUE] / true[-1, :, GLUCOSE_TISSUE]
    assert np.abs(tissue - 1).max() < 0.25
    food = np.abs(believed[144:, :, 0, INTESTINE] - true[144:, :, INTESTINE]).mean()
    assert food < 0.15 * true[144:, :, INTESTINE].mean(), "announced five minutes late, but all of it"


def test_an_ensemble_follows_a_body_that_differs_from_its_twin() -> None:
    twins_, truth = cohorts.load("all"), mismatch.mismatched(cohorts.load("all"), 0.2, "test", 5)
    errors = {}
    for members, sd in ((1, 0.0), (16, 0.2)):
        _, watch, true, believed = followed(twins_, 1.0, truth=truth, members=members, sd=sd)
        volume = watch.parameters[:, :, list(twins_.model.parameter_names).index("Vg")]
        plasma = (believed[:, :, :, GLUCOSE_PLASMA] / volume).mean(axis=2)
        error = plasma - true[:, :, GLUCOSE_PLASMA] / volume[:, 0]
        errors[members] = np.sqrt((error[72:] ** 2).mean())
    assert errors[16] < errors[1], "the spread of the members opens the filter to the readings"
    assert errors[16] < 15


def test_a_gap_corrects_nothing_and_one_reading_moves_little() -> None:
    people = cohorts.load(FEW)
    one, other = (Filter(people, members=4) for _ in range(2))
    for watch in (one, other):
        watch.update(np.full(3, 140.0), np.full(3, 0.05), np.zeros(3))
    one.update(np.full(3, np.nan), np.full(3, 0.05), np.zeros(3))
    other.update(np.array([5.0, 900.0, np.inf]), np.full(3, 0.05), np.zeros(3))
    assert np.array_equal(one.state, other.state), "what no sensor can show is no reading"
    before = one.state[:, :, GLUCOSE_PLASMA].copy()
    one.update(np.full(3, 390.0), np.full(3, 0.05), np.zeros(3))
    moved = np.abs(one.state[:, :, GLUCOSE_PLASMA] - before) / one.parameters[:, :, 9]
    assert moved.max() < 0.5 * observer.INNOVATION_MG_DL


def test_a_real_meal_refutes_those_who_did_not_eat_and_a_phantom_meal_those_who_did() -> None:
    people = cohorts.load("all")
    shares = (0.0, 0.5)
    for phantom in (False, True):
        core, watch, *_ = followed(people, 0.45, phantom, members=1, sd=0.0, shares=shares)
        told = core.tell_minute < 0.45 * 1440 - 60
        breakfast = (np.where(told, core.tell_g, 0.0)).sum(axis=1) >= 30
        weight = watch.belief.weight
        assert breakfast.sum() > 15 and np.allclose(weight.sum(axis=1), 1)
        likeliest = watch.carb_share[weight.argmax(axis=1)]
        right = (likeliest == 0) if phantom else (likeliest == 1)
        assert right[breakfast].mean() > 0.85, phantom


def test_an_announcement_makes_all_groups_equally_likely_again() -> None:
    people = cohorts.load(FEW)
    watch = Filter(people, members=1, sd=0.0, shares=(0.0,))
    watch.log_weight[:] = [0.0, 2 * np.log(REFUTED)]
    watch.state[:, 1, GLUCOSE_PLASMA] *= 3  # the refuted one has gone astray
    assert (watch.belief.weight[:, 1] == 0).all()
    told = np.array([50.0, 0.0, 0.0])
    watch.update(np.full(3, 140.0), np.full(3, 0.05), told)
    assert np.allclose(watch.belief.weight[0], 0.5) and (watch.belief.weight[1:, 1] == 0).all()
    assert watch.state[0, 1, GLUCOSE_PLASMA] == watch.state[0, 0, GLUCOSE_PLASMA]
    assert watch.state[0, :, PLATE].tolist() == [50.0, 0.0]
    assert watch.state[1, 1, GLUCOSE_PLASMA] != watch.state[1, 0, GLUCOSE_PLASMA]


def test_a_belief_does_not_depend_on_company() -> None:
    people = cohorts.load("all")
    keys = random.keys("test", 1, people.numbers, 0, 0)
    rng = np.random.default_rng(0)
    together = Filter(people, members=5, shares=(0.0,))
    alone = Filter(people, np.array([17]), members=5, shares=(0.0,))
    together.begin(np.arange(30), keys, np.zeros(30))
    alone.begin(np.arange(1), keys[17:18], np.zeros(1))
    for _ in range(20):
        cgm, dose, told = rng.uniform(60, 200, 30), rng.uniform(0, 0.3, 30), 20.0 * (rng.random(30) < 0.1)
        together.update(cgm, dose, told)
        belief = alone.update(cgm[17:18], dose[17:18], told[17:18])
    assert np.array_equal(belief.state[0], together.belief.state[17])
    assert np.array_equal(belief.weight[0], together.belief.weight[17])


def test_a_filter_goes_on_bit_for_bit_where_it_was_saved() -> None:
    people = cohorts.load(FEW)
    one = Filter(people, members=3, shares=(0.0, 0.5))
    one.update(np.full(3, 120.0), np.full(3, 0.05), np.full(3, 30.0))
    held = one.save()
    other = Filter(people, members=3, shares=(0.0, 0.5))
    other.restore(held)
    for watch in (one, other):
        watch.update(np.full(3, 150.0), np.full(3, 0.1), np.zeros(3))
    assert np.array_equal(one.state, other.state) and np.array_equal(one.missed, other.missed, equal_nan=True)
    for wrong in (held | {"state": held["state"][:2]}, held | {"log_weight": held["log_weight"] * np.nan}):
        with pytest.raises(ValueError, match="belief"):
            other.restore(wrong)


@pytest.mark.parametrize("wrong", [{"members": 0}, {"shares": (-0.1,)}, {"shares": (9.0,)}])
def test_wrong_members_and_shares_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least one member"):
        Filter(cohorts.load(FEW), **wrong)


def test_twins_of_another_name_are_refused() -> None:
    people = cohorts.load(FEW)
    with pytest.raises(ValueError, match="same ids"):
        make_setting(cohort=people, believed=replace(people, ids=("a", "b", "c")), shield="twin")
