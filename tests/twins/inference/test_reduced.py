"""The smaller family: its equations step by step, what is foreseen and what is not, and effects that add up."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twins.inference.virtual_record import PLAIN, blank, with_meals
from twins.inference import personal, reduced
from twins.inference.identify import for_causes, for_forecasts, rule
from twins.inference.reduced import REDUCED, effects, forecasts
from twins.world.diary import STEP_MIN

FADING = PLAIN.copy()
FADING[personal.GAIN] = 1.0


def _by_hand(theta, record, steps: int):  # type: ignore[no-untyped-def]
    """Glucose at the end of each step from the first on, as the docstring's equations say, minute by minute."""
    s = np.exp(theta)
    weight, basal = record.weight_kg, record.planned_basal_u_per_h * 1000 / 60 / record.weight_kg
    level = reduced.LEVEL_MG_DL * s[personal.LEVEL]
    ke, ka = reduced.EMPTYING_PER_MIN * s[personal.EMPTYING], reduced.INSULIN_PER_MIN * s[personal.SPEED]
    i1 = i2 = ip = z = q1 = q2 = q3 = 0.0
    glucose, out = level, []
    for step in range(steps):
        u = record.delivered_u[step] * 1000 / STEP_MIN / weight - basal
        q1 += record.carbs_g[step] * 1000 / weight * s[personal.CARBS]
        for _ in range(STEP_MIN):
            ra = 0.9 * 0.03 * q3 / 1.45
            gone = reduced.EFFECTIVENESS_PER_MIN * s[personal.FEEDBACK]
            change = -(gone + 5e-4 * s[personal.SENSITIVITY] * z) * glucose + gone * level + ra
            i1, i2, ip, z = (
                i1 + u - 0.03 * i1, i2 + 0.03 * i1 - ka * i2, ip + ka * i2 / 0.126 - 0.127 * ip,
                z + 0.0106 * (ip - z),
            )  # fmt: skip
            q1, q2, q3 = q1 - ke * q1, q2 + ke * (q1 - q2), q3 + ke * q2 - 0.03 * q3
            glucose += change
        out.append(glucose)
    return np.array(out)


@pytest.mark.slow
def test_it_lives_as_its_equations_say() -> None:
    record, theta = with_meals(blank(0.5), seed=4), PLAIN.copy()
    theta[[personal.SENSITIVITY, personal.CARBS, personal.EMPTYING]] = 0.3, -0.2, 0.1
    told = forecasts(theta[None], record, np.array([0]), 140, foreseen=True)[0, 0]
    assert told == pytest.approx(_by_hand(theta, record, 140), abs=0.5)


def test_effects_are_those_of_a_dose_and_of_food() -> None:
    record, theta = blank(0.5), PLAIN.copy()
    still = forecasts(theta[None], record, np.array([0]), 96)[0, 0]
    dose, food = record.meal_bolus_u.copy(), record.carbs_g.copy()
    dose[0], food[0] = 1.0, 10.0
    dosed = forecasts(theta[None], replace(record, meal_bolus_u=dose), np.array([0]), 96)[0, 0]
    fed = forecasts(theta[None], replace(record, carbs_g=food), np.array([0]), 96)[0, 0]
    fall, rise = effects(theta[None], record)[0]
    assert fall == pytest.approx((still - dosed).max(), rel=0.02) and fall > 10
    assert rise == pytest.approx((fed - still).max(), rel=0.02) and rise > 5


def test_doses_that_react_to_glucose_are_not_foreseen_but_go_on_acting() -> None:
    record = blank(1.0)
    other = record.other_bolus_u.copy()
    other[100] = 3.0
    reacting, start = replace(record, other_bolus_u=other), np.array([95, 110])
    plain, blind, told = (
        forecasts(PLAIN[None], one, start, 48, foreseen)[0]
        for one, foreseen in ((record, False), (reacting, False), (reacting, True))
    )
    assert np.array_equal(plain[0], blind[0]) and (told[0, -1] < blind[0, -1] - 10)
    assert blind[1] == pytest.approx(told[1], abs=1e-9) and (blind[1, -1] < plain[1, -1] - 10)


def test_readings_move_it_and_fade() -> None:
    record = blank(0.5)
    read = np.full(len(record), np.nan)
    read[:12] = 200.0
    told = forecasts(FADING[None], replace(record, glucose_mg_dl=read), np.array([12]), 60)[0, 0]
    assert told[0] > 190 and told[-1] < 160
    nothing = forecasts(PLAIN[None], record, np.array([12]), 60)[0, 0]
    assert nothing == pytest.approx(reduced.LEVEL_MG_DL * 1.2)


def test_it_is_asked_and_told_as_the_larger_family() -> None:
    record = replace(blank(1.0), meal_bolus_u=np.full(288, 0.01))
    part = slice(0, 288)
    assert for_forecasts(family=REDUCED).family is REDUCED
    told = for_causes(record, part, family=REDUCED)
    assert told.anchor is not None and told.anchor.fall_mg_dl_per_u == rule(record, part)
    with pytest.raises(ValueError, match="forecasts of 48 steps from 250"):
        forecasts(PLAIN[None], record, np.array([250]), 48)
