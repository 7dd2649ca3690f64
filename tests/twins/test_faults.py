"""Sensor faults: none by default, pure functions of key and minute, in the sizes that are asked for."""

import numpy as np
import pytest

from twins import random
from twins.random import Stream
from twins.world import faults as module
from twins.world.faults import SensorFaults, disturb

MINUTES = np.arange(0, 3 * 1440, 3)


def _readings(faults: SensorFaults, lanes: int = 40, glucose: float = 120.0) -> np.ndarray:
    """Readings (lanes, times) over three days of a constant true reading."""
    keys = random.stream(random.keys("test", 1, np.arange(lanes), 0, 0), Stream.SENSOR_FAULTS)
    table = np.full((lanes, len(MINUTES)), glucose)
    for k, minute in enumerate(MINUTES):
        column = table[:, k].copy()
        disturb(keys, np.full(lanes, minute), faults.numbers, column)
        table[:, k] = column
    return table


@pytest.mark.kernels
def test_no_fault_changes_nothing() -> None:
    assert (_readings(SensorFaults(), 3)[:, ::100] == 120.0).all()


def test_bias_is_added_and_no_reading_falls_below_the_sensors_least() -> None:
    assert (_readings(SensorFaults(bias_mg_dl=-15.0)) == 105.0).all()
    assert (_readings(SensorFaults(bias_mg_dl=-100.0), glucose=60.0) == module.LOWEST_MG_DL).all()


def test_half_of_the_readings_are_lost_in_gaps_of_an_hour() -> None:
    lost = np.isnan(_readings(SensorFaults(missing=0.5)))
    assert lost.mean() == pytest.approx(0.5, abs=0.03)
    by_hour = lost.reshape(len(lost), -1, 20)
    assert (by_hour.all(axis=2) | ~by_hour.any(axis=2)).all()
    assert not np.array_equal(lost[0], lost[1])  # people lose other hours


def test_a_compression_low_is_a_dip_of_10_to_30_for_15_to_45_min_at_night() -> None:
    table = _readings(SensorFaults(compression_per_night=1.0))
    dips = 120.0 - table
    assert set(np.unique(MINUTES[(dips > 0).any(axis=0)] % 1440 // 360)) == {0}
    per_night = (dips > 0).reshape(len(table), 3, -1).sum(axis=2) * 3
    assert per_night.min() >= 12 and per_night.max() <= 48
    assert dips[dips > 0].min() >= 10.0 and dips.max() <= 30.0
    assert dips.max() - dips[dips > 0].min() > 10.0  # depths differ
    assert (_readings(SensorFaults(compression_per_night=0.5)) < 120).any(axis=1).mean() == pytest.approx(
        0.87, abs=0.15
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"bias_mg_dl": 200.0},
        {"missing": 1.0},
        {"gap_min": 0},
        {"compression_per_night": 1.5},
        {"bias_mg_dl": np.nan},
    ],
)
def test_wrong_faults_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="allowed are a bias"):
        SensorFaults(**wrong)  # type: ignore[arg-type]
