"""A posterior becomes people that an environment can be made of."""

import numpy as np
import pytest

from envs.core import Core
from envs.roster import Roster
from envs.setting import make_setting
from envs.tasks.dosing import Dosing
from tests.twins.inference.virtual_record import PLAIN, blank, lived, with_meals
from twins.bodies.glucose import COLUMN, PARAMETERS, UvaPadova
from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U, DAILY_INSULIN_U
from twins.inference.personal import CARBS, SENSITIVITY
from twins.inference.posterior import Posterior
from twins.inference.posterior_cohort import posterior_cohort, resampled, settings
from twins.world.diary import DiaryError


def _belief() -> Posterior:
    theta = np.repeat(PLAIN[None], 3, axis=0)
    theta[:, SENSITIVITY], theta[:, CARBS] = (-0.3, 0.0, 0.3), (-0.4, 0.0, 0.2)
    return Posterior(theta, np.array([0.5, 0.5, 0.0]))


def test_settings_are_those_of_the_clinical_rules() -> None:
    therapy = settings(blank(2.0, basal_u_per_h=2.0), slice(0, 288))
    assert therapy[[BASAL_U_PER_H, DAILY_INSULIN_U]] == pytest.approx([2.0, 48.0])
    assert therapy[[CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U]] == pytest.approx(
        [500 / 48, 1700 / 48]
    )
    with pytest.raises(DiaryError, match="no insulin"):
        settings(blank(2.0, basal_u_per_h=0.0), slice(0, 288))


def test_a_person_of_the_cohort_lives_as_the_twin_does() -> None:
    record, belief = with_meals(blank(0.5), seed=4), _belief()
    people = posterior_cohort(belief, record, settings(record, slice(0, 144)))
    assert people.ids[0] == "virtual~draw#001" and np.exp(people.log_weight) == pytest.approx(belief.weight)
    model, whole = UvaPadova(), people.parameters
    assert np.abs(whole[:, len(PARAMETERS) :]).max() < 1e-9, "a twin without a rhythm"
    bodies = whole[:, : len(PARAMETERS)]
    state, coefficients = model.basal_state(bodies), model.prepare(bodies)
    drive, volume = np.tile(np.array(NEUTRAL_DRIVE), (3, 1, 1)), people.parameters[:, COLUMN["Vg"]]
    truth = np.stack([lived(one, record) for one in belief.theta])
    for step in range(144):
        assert state[:, 3] / volume == pytest.approx(truth[:, step], abs=3.0)
        carbs = np.zeros((3, 5))
        carbs[:, 0] = record.carbs_g[step]
        model.advance(state, coefficients, np.zeros(3), np.full(3, record.delivered_u[step]), carbs, drive, 5)


def test_an_environment_can_be_made_of_it() -> None:
    record = blank(1.0, basal_u_per_h=1.0)
    people = posterior_cohort(_belief(), record, settings(record, slice(0, 288)))
    core = Core(make_setting(cohort=people, days=0.25, seed=1), Dosing(), 3)
    core.reset(*Roster(people, 3, "train", 1).next(np.arange(3)))
    for _ in range(20):
        seen = core.step(np.zeros((3, 2)))
    assert np.isfinite(seen.obs).all() and (core.glucose > 40).all()


def test_draws_are_taken_as_often_as_they_are_likely() -> None:
    record = blank(1.0, basal_u_per_h=1.0)
    belief = Posterior(_belief().theta, np.array([0.7, 0.3, 0.0]))
    people = posterior_cohort(belief, record, settings(record, slice(0, 288)))
    ten = resampled(people, 10)
    names = [one.partition("/")[0] for one in ten.ids]
    assert [names.count(one) for one in people.ids] == [7, 3, 0] and len(set(ten.ids)) == 10
    assert np.array_equal(ten.parameters[0], people.parameters[0]) and not ten.log_weight.any()
    with pytest.raises(ValueError, match="0 draws"):
        resampled(people, 0)
