"""Intervals are widened by the right rank of what they missed by."""

import numpy as np
import pytest

from agents.forecast.conformal import widening


def test_by_hand() -> None:
    seen = [5.0, 12.0, -3.0, 20.0, 9.0, np.nan]
    low, high = [0.0] * 6, [10.0] * 6  # scores: -5, 2, 3, 10, -1
    assert widening(low, high, seen, 0.5) == 2.0  # rank 3 of 5
    assert widening(low, high, seen, 1 / 3) == 3.0  # rank 4
    assert widening([0.0] * 5, [100.0] * 5, seen[:5], 0.5) == -9.0, "too wide intervals shrink"


def test_new_readings_are_held_as_often_as_stated() -> None:
    draw = np.random.default_rng(0)
    held = []
    for _ in range(400):
        wide = widening(np.full(99, -1.0), np.full(99, 1.0), draw.normal(size=99), 0.1)
        held.append(np.mean(np.abs(draw.normal(size=50)) <= 1 + wide))
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("low", "alpha", "says"),
    [([0.0] * 3, 0.1, "3 readings are too few for alpha 0.1; needed are 9"), ([0.0] * 2, 0.1, "give three of"),
     ([0.0] * 3, 1.0, "0 < alpha < 1")],
)  # fmt: skip
def test_what_cannot_be_is_said(low: list[float], alpha: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        widening(low, [1.0] * 3, [0.5] * 3, alpha)
