"""Aggregates against literal values of rliable 1.2.0.

The numbers were printed by rliable 1.2.0 (with arch 7.2.0, pandas 2.3.3, numpy 2.4.6, scipy 1.17.1; with pandas 3 it
does not import) for the two arrays below, by rliable.metrics.aggregate_mean, aggregate_iqm,
aggregate_optimality_gap and probability_of_improvement, and rliable.library.create_performance_profile.
Its intervals are not compared: it draws runs for every task anew, and its random_state has no effect.
"""

import numpy as np
import pytest

from experiments import aggregates, statistics

pytestmark = pytest.mark.reference

OURS = np.array(
    [
        [71.5, 88.0, 93.2, 64.0],
        [74.0, 86.5, 95.1, 60.5],
        [69.8, 90.0, 92.4, 66.0],
        [73.1, 87.7, 96.0, 58.2],
        [70.0, 88.0, 94.4, 62.9],
    ]
)
"""Five runs of four tasks."""
THEIRS = np.array([[70.0, 88.0, 91.0, 65.0], [72.0, 85.0, 93.2, 61.0], [71.5, 86.0, 94.0, 59.0]])
"""Three runs of the same tasks; some tie."""


def test_mean_and_interquartile_mean() -> None:
    assert aggregates.mean(OURS) == pytest.approx(79.065, abs=1e-9)
    assert aggregates.iqm(OURS) == pytest.approx(79.86, abs=1e-9)
    assert aggregates.iqm(THEIRS) == pytest.approx(78.75, abs=1e-9)


def test_probability_of_improvement() -> None:
    assert aggregates.improvement_probability(OURS, THEIRS) == pytest.approx(0.6583333333333333, abs=1e-12)
    assert aggregates.improvement_probability(OURS, OURS) == 0.5


def test_optimality_gap() -> None:
    assert aggregates.optimality_gap(OURS, 90.0) == pytest.approx(11.99, abs=1e-9)
    assert aggregates.optimality_gap(OURS, 100.0) == pytest.approx(20.935, abs=1e-9)


def test_performance_profile_is_of_scores_strictly_above() -> None:
    taus = [60.5, 70.0, 80.0, 88.0, 94.0]  # three of them are scores
    profile = statistics.performance_profile(OURS, taus, seed=0, resamples=100)
    np.testing.assert_allclose(profile.share, [0.9, 0.65, 0.5, 0.3, 0.15], atol=1e-12)
