"""Reward terms and cost: published values of the risk function, weights and bounds."""

import numpy as np
import pytest

from envs import rewards
from envs.rewards import dosing_terms, risk

# 10 (1.509 ((ln g)^1.084 - 5.381))^2 of Kovatchev 1997, as tabulated in reviews of the risk function
PUBLISHED = {
    20: 100.04, 40: 36.418, 54: 18.461, 70: 7.755, 90: 1.725, 140: 1.665, 180: 7.729, 250: 22.436, 400: 57.046,
    600: 99.95,
}  # fmt: skip


@pytest.mark.kernels
@pytest.mark.parametrize(("glucose", "expected"), PUBLISHED.items())
def test_risk_is_that_of_kovatchev(glucose: float, expected: float) -> None:
    low, high = risk(float(glucose))
    assert min(low, high) == 0.0
    assert max(low, high) == pytest.approx(expected, abs=6e-3)
    assert (low > high) == (glucose < 112.517)


@pytest.mark.kernels
def test_risk_is_zero_at_112_517_and_finite_everywhere() -> None:
    assert sum(risk(112.517)) == pytest.approx(0.0, abs=1e-6)
    for glucose in (-5.0, 0.0, 1e-300, 1.0, 1e6):
        assert np.isfinite(risk(glucose)).all()
    assert risk(0.0) == risk(1.0)


@pytest.mark.kernels
def test_an_hour_without_risk_is_worth_0_6_and_a_day_about_14() -> None:
    terms, cost = dosing_terms(np.full((1, 60), 112.517), 5)
    assert set(terms) == set(rewards.TERMS)
    assert sum(term[0] for term in terms.values()) == pytest.approx(0.6, abs=1e-6) and cost[0] == 0
    assert pytest.approx(14.4) == 24 * 0.6


@pytest.mark.kernels
def test_low_risk_weighs_twice_and_both_are_bounded() -> None:
    def hour(glucose: float) -> dict[str, float]:
        terms, _ = dosing_terms(np.full((1, 60), glucose), 5)
        return {name: float(term[0]) for name, term in terms.items()}

    assert hour(70.0) == pytest.approx(
        {"in_control": 0.6, "low_risk": -0.6 * 2 * 7.755 / 20, "high_risk": 0}, abs=1e-3
    )
    assert hour(180.0) == pytest.approx(
        {"in_control": 0.6, "low_risk": 0, "high_risk": -0.6 * 7.729 / 20}, abs=1e-3
    )
    assert hour(11.0)["low_risk"] == pytest.approx(-0.6 * 6.0)
    assert hour(599.0)["high_risk"] == pytest.approx(-0.6 * 3.0)


@pytest.mark.kernels
def test_a_reward_does_not_hang_on_how_a_stretch_is_cut_into_decisions() -> None:
    glucose = np.random.default_rng(0).uniform(30, 420, (3, 120))
    whole, whole_cost = dosing_terms(glucose, 5)
    for cut in (5, 15, 30, 60):
        parts = [dosing_terms(glucose[:, k : k + cut], 5) for k in range(0, 120, cut)]
        for name, term in whole.items():
            np.testing.assert_allclose(sum(part[name] for part, _ in parts), term, rtol=1e-12)
        np.testing.assert_allclose(np.mean([cost for _, cost in parts], axis=0), whole_cost)


@pytest.mark.kernels
def test_cost_is_the_share_of_minutes_below_70_plus_that_below_54() -> None:
    glucose = np.array(
        [[100.0] * 5, [70.0] * 5, [69.9, 70, 70, 70, 70], [54.0] * 5, [53.9] * 5, [60, 50, 80, 80, 40]]
    )
    _, cost = dosing_terms(glucose, 5)
    np.testing.assert_allclose(cost, [0, 0, 0.2, 1.0, 2.0, 0.6 + 0.4])
