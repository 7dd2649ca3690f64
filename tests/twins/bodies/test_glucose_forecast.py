"""Forecasts against the kernel itself, minute by minute, for all 30 people."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from twins import cohort as cohorts
from twins.bodies import glucose_forecast as ahead
from twins.bodies import glucose_kernel as k
from twins.bodies.glucose_forecast import Forecast
from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, Cohort


def drive(n: int) -> NDArray[np.float64]:
    return np.tile(np.array(NEUTRAL_DRIVE), (n, 1))


def lived(people: Cohort, hours: float, seed: int) -> NDArray[np.float64]:
    """States after some hours of random meals and doses."""
    rng, model, n = np.random.default_rng(seed), people.model, len(people)
    state, coefficients = model.basal_state(people.parameters), model.prepare(people.parameters)
    basal = people.therapy[:, BASAL_U_PER_H]
    for _ in range(int(hours * 12)):
        carbs = np.zeros((n, 5))
        carbs[:, 2] = np.where(rng.random(n) < 0.03, rng.uniform(5, 100, n), 0.0)
        dose = basal * rng.uniform(0, 2, n)
        model.advance(state, coefficients, dose, carbs[:, 2] / 25, carbs, drive(n)[:, None], 5)
    return state


def by_the_kernel(
    people: Cohort, state: NDArray[np.float64], dose_u: NDArray[np.float64], minutes: int, dose_min: int = 5
) -> NDArray[np.float64]:
    """The lowest glucose at the end of five minutes, over the snacks, from the kernel of the simulator."""
    model, n = people.model, len(people)
    coefficients, lowest = model.prepare(people.parameters), np.full(n, np.inf)
    held = state[:, :3].sum(axis=1) + 1000 * state[:, k.PLATE]
    for number, (at, grams) in enumerate(ahead.SNACKS):
        now, low = state.copy(), np.full(n, np.inf)
        for minute in range(minutes):
            bite = np.full((n, 1), grams if minute == at else 0.0)
            bolus = dose_u / dose_min if minute < dose_min else np.zeros(n)
            glucose = model.advance(now, coefficients, np.zeros(n), bolus, bite, drive(n)[:, None], 1)
            if minute % 5 == 4:
                low = np.minimum(low, glucose[:, 0])
        counts = (number == 0) | (held >= ahead.SMALL_GUT_MG)
        lowest = np.where(counts, np.minimum(lowest, low), lowest)
    return lowest


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("dose_min", [3, 5])
def test_forecasts_agree_with_the_kernel_within_half_a_mg_per_dl(seed: int, dose_min: int) -> None:
    people = cohorts.load("all")
    state = lived(people, 8.0, seed)
    dose = np.random.default_rng(seed).uniform(0, 3, 30) * people.therapy[:, BASAL_U_PER_H]
    seen = Forecast(ahead.prepare(people.parameters, 600, dose_min), state, drive(30)).lowest(dose)
    truth = by_the_kernel(people, state, dose, 600, dose_min)
    alive = truth > 20
    assert alive.sum() > 20
    assert np.abs(seen - truth)[alive].max() < 0.5


@pytest.mark.kernels
def test_an_hour_ahead_agrees_too() -> None:
    people = cohorts.load(["adult#001", "child#001"])
    state = people.model.basal_state(people.parameters)
    state[:, k.INTESTINE], state[1, k.PLATE] = 9000.0, 20.0
    dose = np.array([2.0, 0.5])
    seen = Forecast(ahead.prepare(people.parameters, 60, 5), state, drive(2)).lowest(dose)
    assert np.allclose(seen, by_the_kernel(people, state, dose, 60), atol=0.5)


def test_more_insulin_never_raises_the_lowest_glucose() -> None:
    people = cohorts.load("all")
    forecast = Forecast(ahead.prepare(people.parameters, 600, 5), lived(people, 6.0, 3), drive(30))
    lows = np.array([forecast.lowest(np.full(30, dose)) for dose in np.linspace(0, 5, 21)])
    alive = lows[1:] > 5  # below zero the model stands still
    assert (np.diff(lows, axis=0)[alive] <= 1e-9).all()


def test_a_bite_after_a_large_meal_can_lower_glucose_and_is_reckoned_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = cohorts.load("all")
    state = people.model.basal_state(people.parameters)
    coefficients = people.model.prepare(people.parameters)
    for minute in range(150):
        meal = np.full((30, 1), 80.0 if minute == 0 else 0.0)
        people.model.advance(state, coefficients, np.zeros(30), np.zeros(30), meal, drive(30)[:, None], 1)
    dose, bodies = 60 / people.therapy[:, CARB_RATIO_G_PER_U], ahead.prepare(people.parameters, 600, 5)
    with_bites = Forecast(bodies, state, drive(30)).lowest(dose)
    monkeypatch.setattr(ahead, "SNACKS", ahead.SNACKS[:1])
    without = Forecast(bodies, state, drive(30)).lowest(dose)
    assert (with_bites <= without).all() and (with_bites < without - 5).sum() >= 3


def test_a_future_does_not_depend_on_company() -> None:
    people = cohorts.load("all")
    state, dose = lived(people, 5.0, 4), np.linspace(0, 3, 30)
    together = Forecast(ahead.prepare(people.parameters, 600, 5), state, drive(30)).lowest(dose)
    for row in (0, 15, 16, 29):
        alone = ahead.prepare(people.parameters[row : row + 1], 600, 5)
        low = Forecast(alone, state[row : row + 1], drive(1)).lowest(dose[row : row + 1])
        assert low[0] == together[row]


def test_some_bodies_can_be_asked_for_alone() -> None:
    people, dose = cohorts.load("all"), np.linspace(0, 3, 30)
    forecast = Forecast(ahead.prepare(people.parameters, 600, 5), lived(people, 5.0, 4), drive(30))
    everybody, wanted = forecast.lowest(dose), np.arange(30) >= ahead.LANES
    some = forecast.lowest(dose, wanted)
    assert np.array_equal(some[wanted], everybody[wanted]) and np.isinf(some[~wanted]).all()


def test_more_sensitive_bodies_go_lower() -> None:
    people = cohorts.load(["adult#001"])
    state, bodies = people.model.basal_state(people.parameters), ahead.prepare(people.parameters, 600, 5)
    sensitive = drive(1)
    sensitive[:, :2] = 1.5
    dose = np.array([2.0])
    assert (
        Forecast(bodies, state, sensitive).lowest(dose) < Forecast(bodies, state, drive(1)).lowest(dose) - 5
    )


@pytest.mark.parametrize(
    ("horizon", "dose_min"), [(601, 5), (30, 5), (600, 0), (600, 600)]
)  # fmt: skip
def test_a_horizon_that_cannot_be_stepped_is_refused(horizon: int, dose_min: int) -> None:
    with pytest.raises(ValueError, match="multiple of 5"):
        ahead.prepare(cohorts.load("child").parameters, horizon, dose_min)


@pytest.mark.parametrize("change", [{"state": np.zeros((2, 17))}, {"drive": np.zeros((1, 3))}])
def test_shapes_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    given: dict[str, Any] = {"state": np.zeros((1, 17)), "drive": drive(1)} | change
    with pytest.raises(ValueError, match="1 prepared bodies"):
        Forecast(ahead.prepare(cohorts.load("adult#001").parameters, 60, 5), **given)


def test_plans_of_doses_agree_with_the_kernel_with_meals_that_are_known() -> None:
    people = cohorts.load(["adult#001", "adolescent#002", "child#003"])
    state, model, rng = lived(people, 6.0, 7), people.model, np.random.default_rng(2)
    food = np.zeros((3, 600))
    food[:, 40], food[1, 200] = 50.0, 20.0
    plans = rng.uniform(0, 0.6, (3, 20, 8))
    seen = Forecast(ahead.prepare(people.parameters, 600, 15), state, drive(3), food).paths(plans, 15)
    coefficients, none = model.prepare(people.parameters), np.zeros(3)
    for plan in (0, 19):
        now, truth = state.copy(), []
        for step in range(120):
            dose = plans[:, plan, step // 3] / 3 if step < 24 else none
            bites = food[:, 5 * step : 5 * step + 5]
            truth.append(model.advance(now, coefficients, none, dose, bites, drive(3)[:, None], 5)[:, -1])
        difference = np.abs(seen[:, plan] - np.array(truth).T)
        assert difference[np.array(truth).T > 20].max() < 1.0


def test_plans_that_do_not_fit_are_refused() -> None:
    people = cohorts.load("adult#001")
    forecast = Forecast(
        ahead.prepare(people.parameters, 60, 5), people.model.basal_state(people.parameters), drive(1)
    )
    for plans, every in ((np.zeros((1, 2, 3)), 7), (np.zeros((2, 2, 3)), 5), (np.zeros((1, 2)), 5)):
        with pytest.raises(ValueError, match="multiple of 5"):
            forecast.paths(plans, every)
