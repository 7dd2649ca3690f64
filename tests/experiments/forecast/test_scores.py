"""Scores against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from experiments.forecast.scores import auc, brier, coverage, net_benefit, over_people, rmse


def test_auc_and_brier_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    risk, case = np.round(draw.random(500), 1), (draw.random(500) < 0.2).astype(float)  # many ties
    assert auc(risk, case) == pytest.approx(roc_auc_score(case, risk))
    assert brier(risk, case) == pytest.approx(brier_score_loss(case, risk))
    case[::3] = np.nan
    known = np.isfinite(case)
    assert auc(risk, case) == pytest.approx(roc_auc_score(case[known], risk[known]))


def test_by_hand() -> None:
    assert auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
    assert auc([0.5, 0.5], [0, 1]) == 0.5 and np.isnan(auc([0.5, 0.5], [1, 1]))
    assert rmse([1.0, 5.0, 9.0], [4.0, 1.0, np.nan]) == pytest.approx(np.sqrt(12.5))
    assert coverage([0.0, 0.0, 0.0, 0.0], [1.0] * 4, [0.0, 1.0, 2.0, np.nan]) == pytest.approx(2 / 3)
    # at 0.2: two acted upon, one a case: 1/4 - 0.25 * 1/4; at 0.5: one, a case
    assert net_benefit([0.1, 0.3, 0.6, 0.1], [0, 0, 1, 1], [0.2, 0.5]).tolist() == [0.1875, 0.25]
    assert net_benefit(np.ones(4), [0, 0, 0, 1], [0.25]).tolist() == [0.0]  # at the base rate


@pytest.mark.parametrize("wrong", [([0.1], [0, 1]), ([np.nan, 0.1], [0, 1])])
def test_what_cannot_be_scored_is_said(wrong: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="give"):
        auc(*wrong)
    with pytest.raises(ValueError, match="between 0 and 1"):
        net_benefit([0.5], [1], [1.0])


def test_people_are_drawn_anew() -> None:
    values = np.arange(20.0)
    low, high = over_people(lambda chosen: float(values[chosen].mean()), 20, draws=2000)
    spread = values.std() / np.sqrt(20)
    assert low == pytest.approx(9.5 - 1.96 * spread, abs=0.3) and high == pytest.approx(
        9.5 + 1.96 * spread, abs=0.3
    )
    assert np.isnan(over_people(lambda chosen: float("nan"), 3, draws=5)).all()
