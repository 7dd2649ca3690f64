"""Many twins live one record: against the simulator minute by minute, and what a forecast may not know."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.twins.inference.virtual_record import PLAIN, blank, lived, with_meals
from twins.inference import personal, replay
from twins.inference.personal import CARBS, LEVEL, LEVELS, NAMES, SENSITIVITY, SPEED


def _twins(count: int) -> NDArray[np.float64]:
    theta = np.repeat(PLAIN[None], count, axis=0)
    theta[:, SENSITIVITY] = np.linspace(-0.6, 0.6, count)
    theta[:, SPEED] = np.linspace(0.3, -0.3, count)
    theta[:, CARBS] = np.linspace(-0.4, 0.1, count)
    return theta


def test_forecasts_are_those_of_the_simulator() -> None:
    record = with_meals(blank(1.0), seed=1)
    theta = _twins(3)
    starts = np.array([0, 40, 150])
    found = replay.forecasts(theta, record, starts, 48, foreseen=True)
    for k, one in enumerate(theta):
        truth = lived(one, record)
        for w, start in enumerate(starts):
            assert np.abs(found[k, w] - truth[start + 1 : start + 49]).max() < 0.6, NAMES


def test_a_twin_is_the_same_alone_and_among_others() -> None:
    record = with_meals(blank(0.5), seed=2)
    theta = _twins(17)
    together = replay.forecasts(theta, record, np.array([3, 60]), 24)
    for k in (0, 15, 16):
        assert np.array_equal(replay.forecasts(theta[[k]], record, np.array([3, 60]), 24)[0], together[k])


@pytest.mark.kernels
def test_a_dose_lowers_and_food_raises_also_without_the_compiler() -> None:
    record = blank(24 / 288)
    first = np.arange(len(record)) == 0
    dosed, fed = replace(record, other_bolus_u=5.0 * first), replace(record, carbs_g=50.0 * first)
    plain, lower, higher = (
        replay.forecasts(PLAIN[None], one, np.array([1]), 16)[0, 0, -1] for one in (record, dosed, fed)
    )
    assert lower < plain < higher


def test_what_a_pump_will_dose_in_reaction_is_not_foreseen() -> None:
    record = with_meals(blank(1.0), seed=3)
    later = np.arange(len(record)) >= 100
    other = replace(
        record,
        basal_u=np.where(later, record.basal_u * 3, record.basal_u),
        other_bolus_u=np.where(later, 2.0, record.other_bolus_u),
    )
    theta, start = _twins(2), np.array([100])
    told = [replay.forecasts(theta, one, start, 40) for one in (record, other)]
    assert np.array_equal(*told)
    known = [replay.forecasts(theta, one, start, 40, foreseen=True) for one in (record, other)]
    assert (known[1][:, 0, -1] < known[0][:, 0, -1] - 20).all()


def test_what_was_given_before_goes_on_acting() -> None:
    record = blank(1.0)
    dosed = replace(record, other_bolus_u=np.where(np.arange(len(record)) == 95, 3.0, 0.0))
    theta, start = _twins(2), np.array([100])
    plain, after = (replay.forecasts(theta, one, start, 40)[:, 0, -1] for one in (record, dosed))
    assert (after < plain - 10).all()
    assert np.allclose(after, replay.forecasts(theta, dosed, start, 40, foreseen=True)[:, 0, -1], atol=1e-6)


def test_planned_basal_holds_the_level_of_the_hour() -> None:
    theta = PLAIN.copy()
    theta[LEVELS] = np.log(1.25)
    found = replay.forecasts(theta[None], blank(2.0), np.array([0]), 570)[0, 0]
    assert found[-1] == pytest.approx(100 * np.exp(theta[LEVEL]) * 1.25, abs=0.5)


def test_a_reading_sets_glucose_and_what_was_missed_is_a_disturbance() -> None:
    record = blank(1.0)
    glucose = record.glucose_mg_dl.copy()
    glucose[99:101] = 150.0
    record = replace(record, glucose_mg_dl=glucose)
    quiet, learns = PLAIN.copy(), PLAIN.copy()
    learns[[personal.GAIN, personal.FADING]] = np.log(20.0), 0.0
    found = replay.forecasts(np.stack([quiet, learns]), record, np.array([100]), 12)[:, 0]
    assert found[0, 0] == pytest.approx(150, abs=3) and found[1, 5] > found[0, 5] + 5


def test_a_forecast_may_not_reach_outside_the_record() -> None:
    with pytest.raises(ValueError, match="the record has steps 0"):
        replay.forecasts(PLAIN[None], blank(0.5), np.array([140]), 10)


def test_effects_are_those_of_the_simulator() -> None:
    record = blank(0.5)
    dosed = replace(record, meal_bolus_u=np.where(np.arange(len(record)) == 0, 1.0, 0.0))
    fed = replace(record, carbs_g=np.where(np.arange(len(record)) == 0, 10.0, 0.0))
    for one in _twins(2):
        level = lived(one, record)
        fall, rise = personal.effects(one[None], record)[0]
        assert fall == pytest.approx((level - lived(one, dosed)).max(), rel=0.02)
        assert rise == pytest.approx((lived(one, fed) - level).max(), rel=0.02)
