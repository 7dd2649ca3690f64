"""Bouts of exercise as the heart-rate reserve in use, minute by minute, as trials describe them.

Shares of the VO2 reserve and of the heart-rate reserve are taken for the same (Swain & Leutholtz, Med Sci Sports Exerc
29 (1997) 410).
"""

import numpy as np
from numpy.typing import NDArray

Bout = NDArray[np.float64]
"""Share of the heart-rate reserve in use (M,), one value a minute."""

RESTING_BPM, HIGHEST_BPM_AT_BIRTH, LOST_BPM_PER_YEAR = 66.0, 208.0, 0.7
"""Resting rate: mean of the people of mGIPsim; highest: 208 - 0.7 age (Tanaka et al., J Am Coll Cardiol 37 (2001))."""


def steady(intensity: float, minutes: int) -> Bout:
    """The same all the time."""
    return np.full(minutes, intensity)


def repeated(high: float, low: float, work_min: int, rest_min: int, times: int) -> Bout:
    """Work and rest in turns, whole minutes each."""
    return np.tile(np.concatenate([steady(high, work_min), steady(low, rest_min)]), times)


def highest_bpm(age_years: float) -> float:
    """The highest heart rate at this age [1/min]."""
    return HIGHEST_BPM_AT_BIRTH - LOST_BPM_PER_YEAR * age_years


def at_heart_rate(bpm: float, age_years: float) -> float:
    """The share of the reserve that this rate is."""
    return (bpm - RESTING_BPM) / (highest_bpm(age_years) - RESTING_BPM)


def sprints() -> Bout:
    """Yardley et al. 2020: 10 min to warm up, 12 sprints of 10 s in 24 min, 11 min to cool down. The heart does not
    settle between sprints."""
    return np.concatenate([steady(0.4, 10), repeated(0.95, 0.75, 1, 1, 12), steady(0.3, 11)])


def six_minutes() -> Bout:
    """Scott et al. 2018: six times a minute of all that one can, with a minute between."""
    return repeated(1.0, 0.6, 1, 1, 6)


def with_sprints(minutes: int) -> Bout:
    """Intermittent high intensity as most trials of Garcia-Garcia et al. 2015: 40 % of VO2max, with a sprint of 4 s
    every other minute, which the heart shows a little."""
    return repeated(0.60, 0.45, 1, 1, minutes // 2)


def resistance(minutes: int) -> Bout:
    """Sets with rests of twice their length. The heart beats faster than oxygen is used in them, and the latter drives
    the twin: about a quarter of the reserve."""
    return repeated(0.40, 0.15, 1, 2, minutes // 3)


def walking_after_meals(minutes: int) -> Bout:
    """Manohar et al. 2012: half of each hour walking at 1.2 mph, about three times the metabolic rate at rest."""
    return repeated(0.18, 0.02, 17, 13, minutes // 30)
