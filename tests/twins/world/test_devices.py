"""Sensor and pump: simglucose's error for the same draws, limits in the right units, nothing too much."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from twins import random
from twins.cohort import simglucose_table
from twins.random import Stream
from twins.world import devices
from twins.world.devices import SENSOR_STATE_COLUMNS, Pump, Sensor

SENSORS = ("GuardianRT", "Dexcom", "Navigator")


def _keys(n: int, seed: int = 0, episode: int = 0) -> NDArray[np.uint32]:
    return random.stream(random.keys("train", seed, np.arange(n), 0, episode), Stream.SENSOR)


class Wearer:
    """A sensor worn by n people: keeps its memory between readings."""

    def __init__(self, sensor: Sensor, keys: NDArray[np.uint32]):
        self.sensor, self.keys, self.spline = sensor, keys, sensor.spline()
        self.state = np.zeros((len(keys), SENSOR_STATE_COLUMNS))
        self.noise = np.zeros((len(keys), sensor.samples))

    def read(self, glucose_mg_dl: NDArray) -> NDArray:
        sensor, cgm = self.sensor, np.empty(len(self.keys))
        devices.measure(
            self.keys, glucose_mg_dl, self.state, self.noise, self.spline, sensor.shape,
            sensor.lowest_mg_dl, sensor.highest_mg_dl, sensor.noise, cgm,
        )  # fmt: skip
        return cgm

    def errors(self, readings: int) -> NDArray:
        """Errors of many readings of 300 mg/dL, (n, readings)."""
        level = np.full(len(self.keys), 300.0)
        return np.stack([self.read(level) - 300.0 for _ in range(readings)], axis=1)


@pytest.mark.reference
@pytest.mark.parametrize("name", SENSORS)
def test_the_error_is_that_of_simglucose_for_the_same_normal_draws(name: str) -> None:
    """simglucose's own generator, its RandomState replaced by the draws of our stream."""
    from simglucose.sensor.noise_gen import CGMNoise, noise15_iter

    sensor, readings = devices.sensor(name), 3 * 150 + 7
    keys = _keys(3)
    errors = Wearer(sensor, keys).errors(readings)
    row = {
        column: float(value)
        for column, value in simglucose_table("sensor_params.csv")[name].items()
        if column != "Name"
    }
    draws = random.normal(keys, 1000)
    for lane in range(3):

        class Replay:
            values = chain(draws[lane, :1], draws[lane, 2:])  # our process leaves out the second draw

            def randn(self) -> float:
                return float(next(self.values))

        innovations = noise15_iter(row, seed=0)
        innovations.rand_gen = Replay()
        theirs = CGMNoise(row, seed=0)
        theirs._noise15_gen, theirs._noise_init = innovations, next(innovations)
        expected = [float(next(theirs)) for _ in range(readings)]
        assert np.std(expected) > 3
        np.testing.assert_allclose(errors[lane], expected, atol=1e-9, rtol=0)


def test_errors_are_spread_as_the_johnson_curve_of_the_process() -> None:
    """AR(1) with x = a (x + e): variance a^2 / (1 - a^2) at rest; its quantiles through the curve."""
    sensor = devices.sensor("GuardianRT")
    ar, gamma, scale, delta, xi = sensor.shape
    errors = Wearer(sensor, _keys(2000)).errors(150)[:, 32::30]  # at knots, long after the start
    spread = np.sqrt(ar**2 / (1 - ar**2))
    for z in (-1.0, 0.0, 1.0):
        expected = xi + scale * np.sinh((spread * z - gamma) / delta)
        share = (errors < expected).mean()
        assert share == pytest.approx({-1.0: 0.159, 0.0: 0.5, 1.0: 0.841}[z], abs=0.03)


def test_each_episode_and_each_person_has_its_own_error() -> None:
    sensor = devices.sensor()
    first, again, next_day = (Wearer(sensor, _keys(20, episode=episode)).errors(90) for episode in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    stacked = np.concatenate([first, next_day])
    assert len(np.unique(stacked[:, 0])) == 40
    assert np.abs(np.corrcoef(stacked) - np.eye(40)).max() < 0.9


@pytest.mark.kernels
def test_a_persons_readings_do_not_depend_on_company() -> None:
    keys = _keys(5)
    together = Wearer(devices.sensor("Dexcom"), keys).errors(60)
    for rows in ([2], [4, 0], [3, 2, 1, 0]):
        np.testing.assert_array_equal(Wearer(devices.sensor("Dexcom"), keys[rows]).errors(60), together[rows])


@pytest.mark.kernels
def test_the_error_goes_on_from_a_saved_memory() -> None:
    wearer = Wearer(devices.sensor(), _keys(2))
    wearer.errors(47)
    other = Wearer(devices.sensor(), _keys(2))
    other.state, other.noise = wearer.state.copy(), wearer.noise.copy()
    np.testing.assert_array_equal(other.errors(40), wearer.errors(40))


@pytest.mark.kernels
def test_the_error_is_continuous_across_stretches() -> None:
    """The last knot of 150 minutes is the first of the next: no jump at reading 150 of a 1-minute sensor."""
    errors = Wearer(devices.sensor("Navigator"), _keys(1)).errors(320)[0]
    steps = np.abs(np.diff(errors))
    assert steps[[149, 299]].max() <= steps.max()
    assert steps.max() < 0.2 * np.ptp(errors)


@pytest.mark.kernels
@pytest.mark.parametrize(("name", "lowest"), [("GuardianRT", 39.0), ("Dexcom", 39.0), ("Navigator", 32.0)])
def test_readings_end_at_the_limits_of_the_sensor(name: str, lowest: float) -> None:
    for noise in (True, False):
        wearer = Wearer(devices.sensor(name, noise), _keys(3))
        np.testing.assert_array_equal(wearer.read(np.array([-50.0, 1000.0, 0.0])), [lowest, 600.0, lowest])


def test_an_exact_sensor_shows_the_glucose_and_remembers_nothing() -> None:
    wearer = Wearer(devices.sensor(noise=False), _keys(3))
    np.testing.assert_array_equal(wearer.read(np.array([70.0, 123.456, 400.0])), [70.0, 123.456, 400.0])
    assert not wearer.state.any()
    assert not wearer.noise.any()


@pytest.mark.parametrize(
    ("name", "every", "samples"), [("GuardianRT", 5, 30), ("Dexcom", 3, 50), ("Navigator", 1, 150)]
)
def test_sensors_have_their_sample_times(name: str, every: int, samples: int) -> None:
    sensor = devices.sensor(name)
    assert (sensor.sample_min, sensor.samples) == (every, samples)
    spline = sensor.spline()
    assert spline.shape == (samples, 11)
    np.testing.assert_allclose(spline.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(spline[-1], np.eye(11)[-1], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "name", "answer"),
    [
        (devices.sensor, "Guardian", "unknown sensor 'Guardian'; did you mean 'GuardianRT'.*Known are"),
        (devices.sensor, "libre", "unknown sensor 'libre'; Known are Dexcom, GuardianRT, Navigator"),
        (devices.pump, "insulet", "unknown pump 'insulet'; did you mean 'Insulet'.*Known are Cozmo, Insulet"),
        (devices.pump, "", "unknown pump ''; Known are"),
    ],
)
def test_an_unknown_device_is_answered_with_the_nearest_known(make, name: str, answer: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=answer):
        make(name)


def _limits(pump: Pump) -> tuple[float, float, float, float]:
    return pump.max_basal_u_per_h, pump.max_bolus_u, pump.basal_step_u_per_h, pump.bolus_step_u


def _deliver(
    basal: list[float],
    bolus: list[float] | None = None,
    carry: NDArray | None = None,
    name: str = "Insulet",
    ceiling: list[float] | None = None,
) -> tuple[NDArray, NDArray]:
    rate, dose = np.array(basal, float), np.array(bolus or [0.0] * len(basal), float)
    delivered_rate, delivered_dose = np.full(len(rate), np.nan), np.full(len(rate), np.nan)
    carry = np.zeros(len(rate)) if carry is None else carry
    most = np.full(len(rate), np.inf) if ceiling is None else np.array(ceiling, float)
    devices.deliver(rate, dose, most, _limits(devices.pump(name)), carry, delivered_rate, delivered_dose)
    return delivered_rate, delivered_dose


@pytest.mark.kernels
def test_limits_and_steps_are_units_an_hour_and_units() -> None:
    """simglucose reads the same table as U/min and pmol/min, so that no limit ever binds (its issue 71)."""
    rate, dose = _deliver([1.23, 0.05, 29.99, 30.0, 35.0, 1e9], [1.23, 0.05, 29.99, 30.0, 40.0, 1e9])
    np.testing.assert_allclose(rate, [1.20, 0.05, 29.95, 30.0, 30.0, 30.0], rtol=1e-12)
    np.testing.assert_allclose(dose, [1.20, 0.05, 29.95, 30.0, 30.0, 30.0], rtol=1e-12)
    rate, dose = _deliver([50.0], [100.0], name="Cozmo")
    np.testing.assert_allclose([rate[0], dose[0]], [35.0, 75.0], rtol=1e-12)


@pytest.mark.reference
def test_simglucose_still_has_its_pump_in_other_units() -> None:
    """Why our pump is not compared with simglucose's: 35 U/h pass a pump whose table says 30."""
    from simglucose.actuator.pump import InsulinPump

    theirs = InsulinPump.withName("Insulet")
    assert theirs.basal(35 / 60) * 60 == pytest.approx(35, abs=0.01)
    assert theirs.basal(1.23 / 60) * 60 == pytest.approx(1.23, abs=0.001)


@pytest.mark.kernels
def test_a_rate_on_a_step_is_delivered_as_it_is() -> None:
    """0.15 is 3 steps of 0.05 although 0.15 / 0.05 is a little less than 3 in binary."""
    steps = np.arange(0, 601, 7) * 0.05
    rate, dose = _deliver(steps.tolist(), steps.tolist())
    np.testing.assert_allclose(rate, steps, atol=1e-9)
    np.testing.assert_allclose(dose, steps, atol=1e-9)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_basal_never_exceeds_the_requested_and_lags_by_less_than_a_step(rates: list[float]) -> None:
    """Summed from any suspension on, over the requests that the limit allows."""
    carry = np.zeros(1)
    wanted = delivered = 0.0
    for request in rates:
        rate, _ = _deliver([request], carry=carry)
        assert 0 <= rate[0] <= 30
        assert rate[0] / 0.05 == pytest.approx(round(rate[0] / 0.05), abs=1e-6)
        assert rate[0] < request + 0.05
        if request > 0:
            wanted, delivered = wanted + min(request, 30.0), delivered + rate[0]
        else:
            wanted = delivered = 0.0
        assert delivered <= wanted + 1e-7
        if max(rates) < 29:  # at the limit what was carried cannot be made up for
            assert wanted - delivered < 0.05 + 1e-7


@pytest.mark.kernels
def test_a_rate_between_two_steps_is_kept_on_average() -> None:
    carry = np.zeros(3)
    rates = np.array([_deliver([0.02, 0.83, 0.049], carry=carry)[0] for _ in range(200)])
    np.testing.assert_allclose(rates.mean(axis=0), [0.02, 0.83, 0.049], atol=0.05 / 200 + 1e-9)


@pytest.mark.kernels
def test_what_was_carried_is_never_made_up_above_a_ceiling() -> None:
    carry = np.zeros(2)
    rates = np.array([_deliver([0.83, 0.83], carry=carry, ceiling=[0.83, 0.9])[0] for _ in range(50)])
    np.testing.assert_allclose(rates[:, 0], 0.80)
    assert rates[:, 1].max() == pytest.approx(0.85) and rates[:, 1].mean() == pytest.approx(0.83, abs=0.002)
    np.testing.assert_allclose(carry[0], 0.05)


@pytest.mark.kernels
def test_a_suspension_delivers_nothing_and_forgets_what_was_carried() -> None:
    carry = np.array([0.04, 0.04])
    rate, _ = _deliver([0.0, 0.02], carry=carry)
    np.testing.assert_allclose(rate, [0.0, 0.05])
    np.testing.assert_allclose(carry, [0.0, 0.01])


@pytest.mark.kernels
def test_a_bolus_is_rounded_down_and_nothing_of_it_is_carried() -> None:
    carry = np.zeros(1)
    doses = [_deliver([0.0], [0.99], carry)[1][0] for _ in range(10)]
    np.testing.assert_allclose(doses, 0.95)


@pytest.mark.kernels
@pytest.mark.parametrize("request_u", [-1.0, -1e-12, float("nan"), float("-inf")])
def test_a_request_below_zero_or_not_a_number_delivers_nothing(request_u: float) -> None:
    carry = np.array([0.04])
    rate, dose = _deliver([request_u], [request_u], carry)
    assert (rate[0], dose[0], carry[0]) == (0.0, 0.0, 0.0)


@pytest.mark.kernels
def test_each_lane_has_its_own_carry() -> None:
    carry = np.zeros(3)
    for _ in range(3):
        together = _deliver([0.02, 1.0, 0.049], carry=carry)[0]
    alone = np.zeros(1)
    for _ in range(3):
        last = _deliver([0.02], carry=alone)[0]
    assert last[0] == together[0]
    assert alone[0] == carry[0]
