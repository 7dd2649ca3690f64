"""The simulated watch: what it adds to the truth, and on what its errors hang."""

import numpy as np
import pytest

from twins import random
from twins.world import wearable

KEYS = random.keys("train", 3, np.arange(40, dtype=np.uint32), 0, 0)
N, T = 40, 288


def _day() -> tuple[np.ndarray, ...]:
    asleep = np.zeros((N, T), bool)
    asleep[:, :96] = True
    in_bed = np.zeros((N, T), bool)
    in_bed[:, :108] = True
    return asleep, in_bed, np.zeros((N, T)), np.full((N, T), 100.0)


def test_errors_are_as_large_as_is_said() -> None:
    asleep, in_bed, reserve, lux = _day()
    worn = wearable.measure(KEYS, 0, asleep, in_bed, reserve, lux)
    assert abs(worn.asleep[asleep].mean() - wearable.SENSED_ASLEEP) < 0.02
    assert abs(worn.asleep[in_bed & ~asleep].mean() - wearable.SENSED_AWAKE_IN_BED) < 0.08
    assert not worn.asleep[~in_bed].any()
    assert not worn.steps[in_bed].any()
    walks = worn.steps[~in_bed] > 0
    assert abs(walks.mean() - wearable.WALKS_SHARE) < 0.02
    assert abs(worn.steps[~in_bed][walks].mean() / wearable.STEPS_IN_WALK - 1) < 0.06
    night = worn.heart_rate_bpm[asleep]
    assert abs(night.mean() - wearable.REST_BPM - wearable.ASLEEP_BPM) < 0.5
    assert abs(night.std() - wearable.PULSE_SD_BPM) < 0.3
    assert 0.8 < np.median(worn.lux) / 100.0 < 1.2
    assert (worn.lux < 30.0).mean() == pytest.approx(wearable.SLEEVE_SHARE, abs=0.02)


def test_exercise_makes_steps_and_pulse() -> None:
    asleep, in_bed, reserve, lux = _day()
    rest = wearable.measure(KEYS, 0, asleep, in_bed, reserve, lux)
    reserve[:, 200:206] = 0.6
    run = wearable.measure(KEYS, 0, asleep, in_bed, reserve, lux)
    assert (run.steps[:, 200:206] - rest.steps[:, 200:206]).mean() == pytest.approx(480.0, abs=1.0)
    assert (run.heart_rate_bpm - rest.heart_rate_bpm)[:, 200:206].mean() == pytest.approx(66.0)
    assert np.array_equal(run.steps[:, :200], rest.steps[:, :200])


def test_a_watch_hangs_on_its_person_and_the_time_alone() -> None:
    day = _day()
    whole = wearable.measure(KEYS, 0, *day)
    alone = wearable.measure(KEYS[7:8], 0, *(one[7:8] for one in day))
    later = wearable.measure(KEYS, 120, *(one[:, 120:] for one in day))
    for name in ("asleep", "steps", "heart_rate_bpm", "lux"):
        assert np.array_equal(getattr(whole, name)[7:8], getattr(alone, name))
        assert np.array_equal(getattr(whole, name)[:, 120:], getattr(later, name))
    other = wearable.measure(random.keys("train", 4, np.arange(40, dtype=np.uint32), 0, 0), 0, *day)
    assert not np.array_equal(whole.steps, other.steps)


def test_arrays_of_other_shapes_are_refused() -> None:
    asleep, in_bed, reserve, lux = _day()
    with pytest.raises(ValueError, match="needed is one shape"):
        wearable.measure(KEYS, 0, asleep, in_bed, reserve, lux[:, :5])
    with pytest.raises(ValueError, match="needed is one shape"):
        wearable.measure(KEYS[:3], 0, asleep, in_bed, reserve, lux)
