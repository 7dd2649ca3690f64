"""The conformal margin: its coverage on bodies of a known law, its edges, and what it refuses."""

import numpy as np
import pytest

from experiments.shield.conformal import conformal_margin


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_a_new_body_stays_above_with_the_stated_probability(alpha: float) -> None:
    rng, kept = np.random.default_rng(1), []
    for _ in range(4000):
        lows = 80 + 10 * rng.standard_t(3, 40)  # heavy tails: no law is assumed
        kept.append(lows[-1] >= 80 - conformal_margin(lows[:-1], 80.0, alpha))
    assert 1 - alpha - 0.01 <= np.mean(kept) <= 1 - alpha + 1 / 40 + 0.01


def test_the_margin_is_the_order_statistic() -> None:
    lows = np.array([79.0, 70.0, 85.0, 60.0, 81.0, 90.0, 75.0, 88.0, 77.0])
    assert conformal_margin(lows, 80.0, 0.1) == 20.0
    assert conformal_margin(lows, 80.0, 0.2) == 10.0
    assert conformal_margin(lows + 30, 80.0, 0.1) == 0.0, "a margin never lowers a floor"


@pytest.mark.parametrize(
    ("lows", "alpha", "told"),
    [([80.0] * 8, 0.1, "needed are 9 or more"), ([80.0], 0.0, "0 < alpha < 1"), ([np.nan] * 20, 0.1, "finite"),
     ([[80.0]], 0.5, "shape")],
)  # fmt: skip
def test_what_it_cannot_answer_is_refused(lows: list[float], alpha: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        conformal_margin(lows, 80.0, alpha)
