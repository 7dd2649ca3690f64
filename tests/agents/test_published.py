"""Published calculators: the bolus of each at a meal, by hand, and what must not have been before a correction."""

import numpy as np
import pytest

from agents.base import Acquainted, Treatment
from agents.load import load
from agents.published import EMERSON2023, FOX2020, G2P2C, PublishedBasalBolus, Rule
from envs.view import ANNOUNCED_G, CGM_MG_DL, View
from twins import cohort as cohorts

RATIO, FACTOR = 10.0, 40.0
ONE = cohorts.load("adult#001").with_therapy(carb_ratio_g_per_u=RATIO, correction_factor_mg_dl_per_u=FACTOR)


def _view(glucose: float, carbs: float) -> View:
    seen = View.empty(ONE.ids, ONE.therapy, ONE.weight_kg, 5)
    seen.now[:, CGM_MG_DL], seen.now[:, ANNOUNCED_G] = glucose, carbs
    return seen


def _met(rule: Rule) -> PublishedBasalBolus:
    agent = PublishedBasalBolus(rule)
    agent.meet(ONE, np.zeros(1, int), np.zeros((1, 6), np.uint32), 5)
    return agent


def _wait(agent: PublishedBasalBolus, minutes: int) -> None:
    for _ in range(minutes // 5):
        agent.act(_view(200.0, 0.0))


@pytest.mark.parametrize(
    ("rule", "glucose", "units"),
    [
        (FOX2020, 220.0, 5 + 80 / 40), (FOX2020, 145.0, 5 + 5 / 40), (FOX2020, 100.0, 5 - 40 / 40),
        (G2P2C, 220.0, 5 + 80 / 40), (G2P2C, 145.0, 5.0), (G2P2C, 100.0, 5.0),
        (EMERSON2023, 224.0, 5 + 80 / 40), (EMERSON2023, 104.0, 5 - 40 / 40),
    ],
)  # fmt: skip
def test_the_first_bolus_is_carbs_over_ratio_and_the_rule_s_correction(
    rule: Rule, glucose: float, units: float
) -> None:
    request = _met(rule).act(_view(glucose, 50.0))
    assert request.bolus_u[0] == pytest.approx(units)
    assert request.basal_u_per_h[0] == ONE.therapy[0, cohorts.BASAL_U_PER_H]


@pytest.mark.parametrize(("rule", "corrected"), [(FOX2020, True), (G2P2C, False), (EMERSON2023, False)])
def test_after_a_meal_without_correction_only_fox_corrects_within_three_hours(
    rule: Rule, corrected: bool
) -> None:
    agent = _met(rule)
    agent.act(_view(140.0, 50.0))
    _wait(agent, 170)
    assert (agent.act(_view(220.0, 50.0)).bolus_u[0] > 5) == corrected
    _wait(agent, 185)
    assert agent.act(_view(230.0, 50.0)).bolus_u[0] > 5


def test_fox_lifts_but_does_not_correct_twice_within_three_hours() -> None:
    agent = _met(FOX2020)
    agent.act(_view(220.0, 50.0))
    _wait(agent, 60)
    assert agent.act(_view(220.0, 50.0)).bolus_u[0] == pytest.approx(5.0)
    assert agent.act(_view(100.0, 50.0)).bolus_u[0] == pytest.approx(4.0)


def test_without_a_meal_there_is_no_bolus_and_none_is_below_zero() -> None:
    agent = _met(FOX2020)
    assert agent.act(_view(300.0, 0.0)).bolus_u[0] == 0
    assert agent.act(_view(60.0, 5.0)).bolus_u[0] == 0


def test_they_are_treatments_by_name_and_begin_anew_with_new_people() -> None:
    agent = load("basal-bolus-g2p2c")
    assert isinstance(agent, Treatment) and isinstance(agent, Acquainted)
    for _ in range(2):
        agent.meet(ONE, np.zeros(1, int), np.zeros((1, 6), np.uint32), 5)
        assert agent.act(_view(220.0, 50.0)).bolus_u[0] == pytest.approx(7.0)
