"""What varies around a body: no insulin and no gram is lost, and every hour, day, site and meal does what it should."""

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.hidden import varied
from experiments.hidden.people import people
from experiments.hidden.varied import Varied
from twins import random
from twins.bodies.glucose_kernel import STATES
from twins.bodies.model import LIVER_OUTPUT, NEUTRAL_DRIVE, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL

DAY = 1440


class Recorder:
    """A body that keeps what it was given."""

    state_names = ("nothing",)
    parameter_names = ("basal_u_per_h",)
    drive_names = ()

    def __init__(self) -> None:
        self.insulin_u: list[NDArray[np.float64]] = []
        self.carbs_g: list[NDArray[np.float64]] = []
        self.drive: list[NDArray[np.float64]] = []

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return parameters[:, 0]

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.zeros((len(parameters), 1))

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return parameters

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return state[:, 0]

    def advance(
        self, state: NDArray[np.float64], coefficients: NDArray[np.float64], basal_u_per_h: NDArray[np.float64],
        bolus_u: NDArray[np.float64], carbs_g: NDArray[np.float64], drive: NDArray[np.float64], minutes: int,
    ) -> NDArray[np.float64]:  # fmt: skip
        self.insulin_u.append(basal_u_per_h * minutes / 60 + bolus_u)
        self.carbs_g.append(carbs_g)
        self.drive.append(drive[:, 0].copy())
        return np.zeros((len(state), minutes))


def _lived(
    days: int, meals: dict[int, float] | None = None, doses: dict[int, float] | None = None, count: int = 8
) -> tuple[Recorder, NDArray[np.float64], NDArray[np.float64], Varied]:
    body = Recorder()
    model = Varied(body)
    keys = random.keys("test", 5, np.arange(100, 100 + count), 0, 0)
    parameters = np.concatenate([np.full((count, 1), 1.0), varied.draw(keys)], axis=1)
    state, coefficients = model.basal_state(parameters), model.prepare(parameters)
    drive = np.tile(np.array(NEUTRAL_DRIVE), (count, 1, 1))
    for minute in range(0, days * DAY, 5):
        carbs = np.zeros((count, 5))
        carbs[:, 2] = (meals or {}).get(minute, 0.0)
        bolus = np.full(count, (doses or {}).get(minute, 0.0))
        model.advance(state, coefficients, np.ones(count), bolus, carbs, drive, 5)
    return body, parameters, state, model


def test_all_insulin_arrives_and_sooner_from_an_older_site() -> None:
    body, parameters, state, model = _lived(6, doses={600: 10.0, 2 * DAY + 600: 10.0})
    arrived = np.array(body.insulin_u)  # (steps, n)
    given = 6 * 24.0 + 20.0
    begun = model.basal_state(parameters)[:, 2]
    assert arrived.sum(axis=0) + state[:, 2] - begun == pytest.approx(given)
    assert arrived[:20] == pytest.approx(1 / 12, rel=0.02), "at basal, what comes in goes out"
    young, old = (arrived[at // 5 : at // 5 + 6].sum(axis=0) for at in (600, 2 * DAY + 600))
    drift = parameters[:, 1 + varied.VARIATION.index("site_log_per_day")]
    assert ((old > young) == (drift > 0)).all() and (np.abs(old - young) > 0.01).all()


def test_no_gram_is_lost_and_meals_are_of_three_kinds() -> None:
    meals = {day * DAY + 60 * hour: 60.0 for day in range(12) for hour in (4, 12, 20)} | {90: 10.0}
    body, *_ = _lived(12, meals)
    out = np.concatenate(body.carbs_g, axis=1)
    eaten = sum(meals.values())
    assert out.sum(axis=1) == pytest.approx(eaten, abs=1.0) and out.min() >= 0
    at_once = out[:, [day * DAY + 60 * hour + 2 for day in range(12) for hour in (4, 12, 20)]]
    assert np.array_equal(out[:, 92], np.full(8, 10.0)), "little is always fast"
    kinds = np.array([(np.abs(at_once - share * 60) < 2).mean() for share in (1.0, 0.0, 0.6)])
    assert kinds.sum() == pytest.approx(1) and (np.abs(kinds - [0.5, 0.3, 0.2]) < 0.09).all()


def test_hours_and_days_move_sensitivity_and_dawn_the_liver() -> None:
    body, parameters, *_ = _lived(3)
    drive = np.array(body.drive)  # (steps, n, 4)
    own = parameters[:, 1:]
    nodes = own[:, varied.VARIATION.index("sensitivity_00h") :][:, : varied.NODES]
    days = own[:, varied.VARIATION.index("sensitivity_day_00") :]
    for day, node in ((0, 0), (1, 3), (2, 5)):
        moved = drive[(day * DAY + node * DAY // varied.NODES) // 5]
        for column in (SENSITIVITY_PERIPHERAL, SENSITIVITY_HEPATIC):
            assert np.log(moved[:, column]) == pytest.approx(nodes[:, node] + days[:, day])
    dawn, midnight = drive[72, :, LIVER_OUTPUT], drive[0, :, LIVER_OUTPUT]
    assert dawn == pytest.approx(own[:, varied.VARIATION.index("dawn_mg_kg_min")])
    assert (midnight < 0.01).all() and abs(nodes.mean(axis=1)).max() < 1e-12


def test_days_are_as_alike_as_stated_and_later_days_are_the_same_persons() -> None:
    drawn = varied.draw(random.keys("test", 1, np.arange(2000), 0, 0))
    days = drawn[:, varied.VARIATION.index("sensitivity_day_00") :]
    assert days.std() == pytest.approx(varied.DAY_LOG_SD, rel=0.05)
    assert np.corrcoef(days[:, 5], days[:, 6])[0, 1] == pytest.approx(varied.DAY_KEPT, abs=0.06)
    held = people("M1", "uva", 2, 3)
    after = held.afterwards(14, held.cohort.therapy)
    model = after.model
    assert (model.basal_state(after.parameters)[:, len(STATES)] == 14 * DAY).all()
    assert (after.parameters != held.cohort.parameters).sum() == 2 and after.ids == held.cohort.ids


def test_a_body_lives_the_same_alone_and_in_company() -> None:
    many = people("M1", "uva", 2, 3).cohort
    traces = []
    for rows in ([0, 1], [1]):
        one = many.take(rows)
        state, coefficients = one.model.basal_state(one.parameters), one.model.prepare(one.parameters)
        drive = np.tile(np.array(NEUTRAL_DRIVE), (len(rows), 1, 1))
        carbs = np.zeros((len(rows), 5))
        carbs[:, 0] = 60.0
        for k in range(200):
            plate = carbs if k == 60 else 0 * carbs
            trace = one.model.advance(
                state, coefficients, np.ones(len(rows)), np.zeros(len(rows)), plate, drive, 5
            )
        traces.append(trace[-1])
    assert np.array_equal(*traces)
