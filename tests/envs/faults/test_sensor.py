"""Faults of the sensor: in the sizes that are asked for, when they are asked for, seeded from the lane's key."""

import numpy as np
import pytest

from envs.faults import (
    Bias,
    Code,
    CompressionLow,
    Disorder,
    Drift,
    Fault,
    Faults,
    Gap,
    Noise,
    NotFinite,
    SensorFaults,
    Spike,
    Stale,
    WrongUnits,
)
from envs.faults.sensor import LOWEST_MG_DL, MG_DL_PER_MMOL_L
from twins import random
from twins.random import Stream

DT = 3
MINUTES = np.arange(0, 3 * 1440, DT)


def _keys(lanes: int) -> np.ndarray:
    return random.stream(random.keys("test", 1, np.arange(lanes), 0, 0), Stream.FAULTS)


def _readings(*faults: Fault, lanes: int = 20, true: float | np.ndarray = 120.0) -> np.ndarray:
    """Readings (lanes, times) over three days of a true reading: constant, or one value a time."""
    found = Faults(faults)
    memory = np.zeros((lanes, len(faults), 2))
    table = np.empty((lanes, len(MINUTES)))
    truth = np.broadcast_to(true, len(MINUTES))
    for k, minute in enumerate(MINUTES):
        column = np.full(lanes, truth[k])
        found.sense(_keys(lanes), np.full(lanes, minute), memory, DT, column)
        table[:, k] = column
    return table


@pytest.mark.slow
@pytest.mark.kernels
def test_no_everyday_fault_is_no_fault_and_no_share_loses_nothing() -> None:
    assert SensorFaults().parts == ()
    assert (_readings(Gap(0.0), NotFinite(0.0), Disorder(0.0), lanes=2) == 120.0).all()


def test_bias_is_a_share_and_an_offset_and_no_reading_falls_below_the_sensors_least() -> None:
    assert (_readings(Bias(0.2, offset_mg_dl=-15.0)) == 129.0).all()
    assert (_readings(*SensorFaults(bias_mg_dl=-100.0).parts, true=60.0) == LOWEST_MG_DL).all()


def test_half_of_the_readings_are_lost_in_gaps_of_an_hour() -> None:
    lost = np.isnan(_readings(*SensorFaults(missing=0.5).parts, lanes=40))
    assert lost.mean() == pytest.approx(0.5, abs=0.03)
    by_hour = lost.reshape(len(lost), -1, 20)
    assert (by_hour.all(axis=2) | ~by_hour.any(axis=2)).all()
    assert not np.array_equal(lost[0], lost[1])  # people lose other hours


def test_a_gap_lies_where_it_is_put_and_comes_again() -> None:
    lost = np.isnan(_readings(Gap(onset_min=60, duration_min=30, every_min=1440)))
    at = MINUTES % 1440
    assert (lost == ((at >= 60) & (at < 90))).all()
    jittered = np.isnan(_readings(Gap(onset_min=60, duration_min=30, every_min=1440, jitter_min=600)))
    assert (jittered.reshape(20, 3, -1).sum(axis=2) == 10).all()  # as long, once a day
    begins = MINUTES[jittered.argmax(axis=1)]
    assert 60 <= begins.min() < begins.max() <= 663
    assert 0.4 < np.isnan(_readings(Gap(0.5))).mean() < 0.6


def test_a_compression_low_is_a_dip_of_10_to_30_for_15_to_45_min_at_night() -> None:
    table = _readings(CompressionLow(), lanes=40)
    dips = 120.0 - table
    assert set(np.unique(MINUTES[(dips > 0).any(axis=0)] % 1440 // 360)) == {0}
    per_night = (dips > 0).reshape(len(table), 3, -1).sum(axis=2) * DT
    assert per_night.min() >= 12 and per_night.max() <= 48
    assert dips[dips > 0].min() >= 10.0 and dips.max() <= 30.0
    assert dips.max() - dips[dips > 0].min() > 10.0  # depths differ
    some = _readings(*SensorFaults(compression_per_night=0.5).parts, lanes=40)
    assert (some < 120).any(axis=1).mean() == pytest.approx(0.87, abs=0.15)
    assert (120.0 - _readings(CompressionLow(2.0), lanes=40)).max() == pytest.approx(2 * dips.max())


def test_noise_has_the_spread_that_is_asked_for_and_is_partly_slow() -> None:
    error = _readings(Noise(0.15), lanes=40) / 120.0 - 1.0
    assert error.std() == pytest.approx(0.15, rel=0.05) and abs(error.mean()) < 0.01
    one_apart = np.corrcoef(error[:, 1:].ravel(), error[:, :-1].ravel())[0, 1]
    far_apart = np.corrcoef(error[:, 20:].ravel(), error[:, :-20].ravel())[0, 1]
    assert 0.35 < one_apart < 0.55 and abs(far_apart) < 0.05


def test_drift_grows_by_the_day_from_its_onset() -> None:
    table = _readings(Drift(0.03, onset_min=1440), true=100.0)
    assert (table[:, MINUTES < 1440] == 100.0).all()
    np.testing.assert_allclose(table[0, MINUTES == 2880], 103.0)


def test_a_stale_sensor_repeats_the_first_reading_of_each_occurrence() -> None:
    truth = 100.0 + MINUTES / 60.0
    table = _readings(Stale(onset_min=120, duration_min=180, every_min=1440), true=truth)
    at = MINUTES % 1440
    held = (at >= 120) & (at < 300)
    assert (table[:, ~held] == truth[~held]).all()
    for day in range(3):
        mine = held & (day == MINUTES // 1440)
        assert (table[:, mine] == truth[mine][0]).all()


def test_a_late_reading_doubles_the_one_before_and_takes_the_place_of_the_next() -> None:
    truth = 100.0 + np.arange(len(MINUTES))
    back = truth - _readings(Disorder(0.2), true=truth)  # 1: the reading before was told
    assert set(np.unique(back)) == {0.0, 1.0}
    late = back == 1.0
    assert late.mean() == pytest.approx(2 * 0.2 / 1.2, abs=0.03)
    for lane in late:  # they come in twos: the double, and the late one
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], lane[:-1], [0]]))))[::2]
        assert (runs % 2 == 0).mean() > 0.98


def test_a_spike_is_one_reading_up_or_down_and_a_code_one_of_four() -> None:
    off = _readings(Spike(100, every_min=240, jitter_min=200), true=200.0) - 200.0
    assert set(np.unique(off)) == {-100.0, 0.0, 100.0}
    assert ((off != 0).sum(axis=1) == 18).all()
    codes = _readings(Code(every_min=240, jitter_min=200), true=200.0)
    assert set(np.unique(codes)) == {0.0, 38.0, 39.0, 200.0, 401.0}


def test_what_is_not_finite_is_received_as_no_reading_and_units_are_taken_as_they_come() -> None:
    broken = _readings(NotFinite(0.5))
    assert np.isnan(broken).mean() == pytest.approx(0.5, abs=0.03) and not np.isinf(broken).any()
    np.testing.assert_allclose(_readings(WrongUnits(), lanes=1), 120.0 / MG_DL_PER_MMOL_L)


def test_faults_of_one_kind_draw_apart_and_one_more_fault_changes_no_other() -> None:
    gap = Gap(duration_min=30, every_min=60, jitter_min=20, chance=0.5)
    one, two = np.isnan(_readings(gap)), np.isnan(_readings(gap, gap))
    assert (two & one == one).all() and two.sum() > 1.3 * one.sum()
    assert (np.isnan(_readings(Noise(), gap)) == one).all()


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
def test_wrong_everyday_faults_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="allowed are a bias"):
        SensorFaults(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: Bias(3.0), "severity is 3.0; allowed is -0.9 to 2"),
        (lambda: Bias(np.nan), "severity is nan; give a number"),
        (lambda: Gap(True), "severity is True; give a number"),
        (lambda: Bias(offset_mg_dl=200.0), "allowed are -100 to 100"),
        (lambda: Gap(onset_min=-1), "onset_min is -1"),
        (lambda: Gap(duration_min=0), "duration_min is 0"),
        (lambda: Gap(duration_min=60, every_min=30), "an occurrence ends before the next"),
        (lambda: Gap(duration_min=60, every_min=100, jitter_min=50), "an occurrence ends before the next"),
        (lambda: Gap(chance=1.5), "chance is 1.5"),
    ],
)
def test_wrong_faults_are_refused_in_words(wrong: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wrong()  # type: ignore[operator]
