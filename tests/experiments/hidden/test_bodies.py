"""Hidden bodies do what their table says, hang on nobody else, and spread around the clinical rule as stated."""

import numpy as np
import pytest

from experiments.hidden import bodies
from experiments.hidden.food import USUAL_G_PER_DAY
from experiments.hidden.measure import carb_ratio_g_per_u
from twins.bodies.glucose import COLUMN
from twins.bodies.model import NEUTRAL_DRIVE
from twins.draw import BASAL_SHARE


def test_a_person_hangs_on_seed_and_number_alone() -> None:
    many, one = bodies.make(3, 3, daily="planned"), bodies.make(1, 3, first=2, daily="planned")
    other = bodies.make(3, 4, daily="planned")
    assert one.who == many.who[1:2] and np.array_equal(one.keys, many.keys[1:2])
    for name in ("parameters", "fall_mg_dl_per_u", "rise_mg_dl_per_10_g", "carb_ratio_g_per_u"):
        assert np.array_equal(getattr(one, name), getattr(many, name)[1:2]), name
        assert not np.isclose(getattr(other, name), getattr(many, name)).all(axis=-1).any(), name


def test_a_unit_lowers_glucose_in_the_simulator_by_what_is_told() -> None:
    held = bodies.make(2, 5)
    model, lowered = held.model, np.zeros((2, 2, 96))
    coefficients = model.prepare(held.parameters)
    for which, dose in enumerate((0.0, 1.0)):
        state = model.basal_state(held.parameters)
        for k in range(96):
            bolus, drive = np.full(2, dose if k == 0 else 0.0), np.tile(np.array(NEUTRAL_DRIVE), (2, 1, 1))
            glucose = model.advance(
                state, coefficients, held.basal_u_per_h, bolus, np.zeros((2, 5)), drive, 5
            )
            lowered[which, :, k] = glucose[:, -1]
    assert np.ptp(lowered[0], axis=1).max() < 0.1, "basal insulin holds the level"
    np.testing.assert_allclose((lowered[0] - lowered[1]).max(axis=1), held.fall_mg_dl_per_u, rtol=0.01)


def test_falls_spread_around_the_rule_and_rates_around_the_adults() -> None:
    held = bodies.make(64, 6, daily="planned")
    off = np.log(held.fall_mg_dl_per_u * held.basal_u_per_h * 24 / BASAL_SHARE / bodies.RULE_MG_DL)
    assert abs(off.mean()) < 0.1 and 0.2 < off.std() < 0.3
    speed = np.log(held.parameters[:, COLUMN["kabs"]])
    adults = np.log(np.unique(bodies.cohort.load("adult").parameters[:, COLUMN["kabs"]]))
    assert np.abs(speed[:, None] - adults).min(axis=1).max() > 0.01, "gut of their own"
    assert (held.parameters[:, COLUMN["kmin"]] < held.parameters[:, COLUMN["kmax"]]).all()


def test_the_rule_is_right_for_the_insulin_that_is_said() -> None:
    planned, delivered = (bodies.make(8, 7, daily=one) for one in bodies.DAILY[::-1])
    # Both carry the same error around the rule, and the carb ratio the same error of the pump's setting.
    off = np.log(planned.fall_mg_dl_per_u * planned.basal_u_per_h * 24 / BASAL_SHARE / bodies.RULE_MG_DL)
    settings = delivered.correction_factor_mg_dl_per_u / delivered.fall_mg_dl_per_u
    assert np.ptp(settings) > 0.05
    carbs = carb_ratio_g_per_u(delivered.model, delivered.parameters)
    daily = delivered.basal_u_per_h * 24 + USUAL_G_PER_DAY / carbs
    np.testing.assert_allclose(delivered.fall_mg_dl_per_u * daily / bodies.RULE_MG_DL, np.exp(off), rtol=0.02)


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown daily insulin 'given'"):
        bodies.make(1, 3, daily="given")
    with pytest.raises(ValueError, match="0 people"):
        bodies.make(0, 3)
