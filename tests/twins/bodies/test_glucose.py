"""What must hold for the glucose twin whatever its numbers; tests/reference has the other solvers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.twins.bodies import uva_padova
from tests.twins.bodies.simulate import changing_drive, eventful, insulin_u_per_min, neutral, run
from twins.bodies import glucose_kernel
from twins.bodies.glucose import COLUMN, PARAMETERS
from twins.bodies.glucose_kernel import (
    GLUCOSE_PLASMA,
    GLUCOSE_TISSUE,
    INTESTINE,
    LANES,
    PHYSIOLOGICAL_STATES,
    PLATE,
    STOMACH_LIQUID,
    STOMACH_SOLID,
)
from twins.bodies.model import (
    LIVER_OUTPUT,
    SENSITIVITY_HEPATIC,
    SENSITIVITY_PERIPHERAL,
    UPTAKE,
)
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, Cohort, load


def _scheduled(cohort: Cohort, minutes: int) -> NDArray:
    return np.repeat(cohort.therapy[:, [BASAL_U_PER_H]], minutes, axis=1)


def test_the_basal_state_is_that_of_the_table() -> None:
    cohort = load("all")
    people = uva_padova.parameters(cohort.ids)
    table = np.stack([people[f"x0_{state:2d}"] for state in range(1, PHYSIOLOGICAL_STATES + 1)], axis=1)
    state = cohort.model.basal_state(cohort.parameters)
    np.testing.assert_allclose(state[:, :PHYSIOLOGICAL_STATES], table, rtol=1e-6, atol=1e-9)
    assert (state[:, PHYSIOLOGICAL_STATES:] == 0).all()


@pytest.mark.parametrize("legacy_gut", [False, True])
def test_at_scheduled_basal_glucose_stays_where_it_is_for_a_day(legacy_gut: bool) -> None:
    cohort = load("all", legacy_gut=legacy_gut)
    glucose = run(cohort, np.zeros((30, 1440)), _scheduled(cohort, 1440))
    np.testing.assert_allclose(glucose, cohort.parameters[:, [COLUMN["Gb"]]].repeat(1440, axis=1), atol=1e-6)


@pytest.mark.kernels
def test_an_hour_with_a_meal_and_a_bolus_follows_the_solver() -> None:
    cohort = load(["adult#001", "child#007", "adolescent#010"])
    plate, bolus = np.zeros((3, 60)), np.zeros((3, 60))
    plate[:, 5], bolus[:, 5], plate[:, 40] = (70.0, 20.0, 12.0), (7.0, 1.0, 3.0), (3.0, 33.0, 16.0)
    basal = _scheduled(cohort, 60)
    drive = changing_drive(3, 60, seed=0)
    insulin = insulin_u_per_min(basal, bolus)
    people = uva_padova.parameters(cohort.ids)
    for given_drive in (None, drive):
        reference = uva_padova.solve(people, insulin, plate, given_drive)
        glucose = run(cohort, plate, basal, bolus, given_drive)
        np.testing.assert_allclose(glucose, reference, atol=0.05, rtol=0)


_FACTORS = st.lists(st.floats(0, 1.5), min_size=12, max_size=12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(less=_FACTORS, more=_FACTORS, meal=st.floats(0, 90))
def test_more_insulin_never_raises_glucose(less: list[float], more: list[float], meal: float) -> None:
    """Basal and bolus of every hour at least as large: glucose of every minute at most as high."""
    cohort = load("all")
    plate, bolus = np.zeros((30, 720)), np.zeros((30, 720))
    plate[:, 60], bolus[:, 60] = meal, meal / cohort.therapy[:, CARB_RATIO_G_PER_U] / 4
    basal = _scheduled(cohort, 720)
    low, high = np.repeat(less, 60), np.repeat(np.maximum(less, more), 60)
    before, after = (run(cohort, plate, basal * factor, bolus * factor) for factor in (low, high))
    assert (after <= before + 1e-9).all()
    if (high - low).max() > 0.1:
        assert (after[:, -1] < before[:, -1]).all()


def _without_glucose_loss(cohort: Cohort) -> tuple[NDArray, NDArray]:
    """Bodies whose plasma glucose changes by what the gut gives and nothing else: parameters and state."""
    parameters = cohort.parameters.copy()
    state = cohort.model.basal_state(parameters)
    parameters[:, [COLUMN[name] for name in ("kp1", "kp2", "kp3", "Fsnc", "ke1", "k1")]] = 0.0
    state[:, GLUCOSE_TISSUE] = 0.0
    return parameters, state


def _assert_balance(cohort: Cohort, plate: NDArray) -> None:
    parameters, state = _without_glucose_loss(cohort)
    n, minutes = plate.shape
    before = state[:, GLUCOSE_PLASMA].copy()
    coefficients = cohort.model.prepare(parameters)
    basal = cohort.therapy[:, BASAL_U_PER_H]
    cohort.model.advance(state, coefficients, basal, np.zeros(n), plate, neutral(n), minutes)
    weight, share = parameters[:, COLUMN["BW"]], parameters[:, COLUMN["f"]]
    absorbed = (state[:, GLUCOSE_PLASMA] - before) * weight / share
    on_the_way = state[:, [STOMACH_SOLID, STOMACH_LIQUID, INTESTINE]]
    assert (on_the_way >= 0).all()
    np.testing.assert_allclose(
        absorbed + on_the_way.sum(axis=1) + 1000 * state[:, PLATE], 1000 * plate.sum(axis=1), rtol=1e-9
    )


@pytest.mark.parametrize("minutes", [7, 61, 300, 1440])
def test_every_gram_eaten_is_in_the_gut_or_in_the_blood(minutes: int) -> None:
    cohort = load("all")
    plate = np.zeros((30, minutes))
    plate[:, 0], plate[:, minutes // 3] = np.linspace(0.5, 120, 30), np.linspace(80, 1, 30)
    _assert_balance(cohort, plate)


@pytest.mark.kernels
def test_half_an_hour_of_eating_loses_no_gram() -> None:
    plate = np.zeros((2, 30))
    plate[:, 0], plate[:, 12] = (80.0, 4.0), (0.0, 7.0)
    _assert_balance(load(["adult#006", "child#001"]), plate)


@pytest.mark.kernels
def test_food_goes_from_the_plate_at_five_grams_a_minute() -> None:
    cohort = load("adult#001")
    model, state = cohort.model, cohort.model.basal_state(cohort.parameters)
    plate = np.zeros((1, 4))
    plate[0, 1] = 12.0
    left = []
    for minute in range(4):
        model.advance(
            state, model.prepare(cohort.parameters), np.ones(1), np.zeros(1),
            plate[:, minute : minute + 1], neutral(1), 1,
        )  # fmt: skip
        left.append(state[0, PLATE])
    assert left == [0.0, 7.0, 2.0, 0.0]


@pytest.mark.kernels
@pytest.mark.parametrize("grams", [5e-324, 1e-300, 1e-90, 1e-12])
@pytest.mark.parametrize("legacy_gut", [False, True])
def test_a_crumb_of_any_size_changes_nothing_that_counts(grams: float, legacy_gut: bool) -> None:
    """The meal is what the stomach's content is divided by."""
    cohort = load(["adult#001", "child#004"], legacy_gut=legacy_gut)
    plate = np.zeros((2, 10))
    plate[:, 1] = grams
    glucose = run(cohort, plate, _scheduled(cohort, 10))
    np.testing.assert_allclose(glucose, run(cohort, np.zeros((2, 10)), _scheduled(cohort, 10)), atol=1e-9)


def test_the_legacy_gut_differs_only_where_something_is_eaten() -> None:
    right, legacy = load("all"), load("all", legacy_gut=True)
    plate, basal, bolus = eventful(right, days=1, seed=0)
    first_meal = int(np.flatnonzero(plate.any(axis=0))[0])
    ours, theirs = run(right, plate, basal, bolus), run(legacy, plate, basal, bolus)
    np.testing.assert_array_equal(ours[:, :first_meal], theirs[:, :first_meal])
    assert (np.abs(ours - theirs).max(axis=1) > 0.5).all()


DIRECTIONS = {
    "more peripheral sensitivity lowers": (SENSITIVITY_PERIPHERAL, 1.3, -1),
    "less peripheral sensitivity raises": (SENSITIVITY_PERIPHERAL, 0.7, 1),
    "more hepatic sensitivity lowers": (SENSITIVITY_HEPATIC, 1.1, -1),
    "less hepatic sensitivity raises": (SENSITIVITY_HEPATIC, 0.9, 1),
    "uptake lowers": (UPTAKE, 0.01, -1),
    "output of the liver raises": (LIVER_OUTPUT, 1.0, 1),
}


@pytest.mark.parametrize("case", DIRECTIONS)
def test_each_drive_moves_glucose_of_a_fasting_person_at_basal_insulin(case: str) -> None:
    """At basal insulin the action above basal is zero, so this fails for multipliers that act on it alone."""
    column, value, sign = DIRECTIONS[case]
    cohort = load("all")
    drive = neutral(30, 120)
    drive[:, :, column] = value
    driven = run(cohort, np.zeros((30, 120)), _scheduled(cohort, 120), drive=drive)
    change = sign * np.diff(np.column_stack([cohort.parameters[:, COLUMN["Gb"]], driven]), axis=1)
    assert (change[:, :60] > -1e-9).all()
    assert (sign * (driven[:, -1] - cohort.parameters[:, COLUMN["Gb"]]) > 1).all()


@pytest.mark.kernels
def test_a_neutral_drive_held_or_given_each_minute_is_the_same() -> None:
    cohort = load(["adult#001", "child#002"])
    plate = np.zeros((2, 20))
    plate[:, 3] = 30.0
    results = []
    for drive in (neutral(2), neutral(2, 20)):
        state = cohort.model.basal_state(cohort.parameters)
        coefficients = cohort.model.prepare(cohort.parameters)
        glucose = cohort.model.advance(
            state, coefficients, np.array([1.0, 0.2]), np.array([3.0, 0.0]), plate, drive, 20
        )
        results.append(np.concatenate([glucose, state], axis=1))
    np.testing.assert_array_equal(*results)


def test_a_driven_neighbour_changes_nothing() -> None:
    """Rows with a neutral drive are bit for bit those of a batch without any drive."""
    cohort = load("all")
    plate, basal, bolus = eventful(cohort, days=1, seed=1)
    drive = changing_drive(30, 1440, seed=1)
    drive[::2] = neutral(15, 1440)
    with_neighbours, plain = run(cohort, plate, basal, bolus, drive), run(cohort, plate, basal, bolus)
    np.testing.assert_array_equal(with_neighbours[::2], plain[::2])
    assert (np.abs(with_neighbours[1::2] - plain[1::2]).max(axis=1) > 1).all()


CROWD = 300


def _day_in_company(rows: NDArray) -> NDArray:
    """Glucose of an eventful day, and the state at its end, of these rows of a crowd who all differ."""
    cohort = load("all")
    person = rows % len(cohort)
    parameters = cohort.parameters[person]
    days = [eventful(cohort, days=1, seed=seed) for seed in range(CROWD // len(cohort))]
    plate, basal, bolus = (np.concatenate(arrays)[rows] for arrays in zip(*days, strict=True))
    drive = changing_drive(CROWD, plate.shape[1], seed=2)[rows]
    state = cohort.model.basal_state(parameters)
    coefficients = cohort.model.prepare(parameters)
    glucose = [
        cohort.model.advance(
            state,
            coefficients,
            basal[:, at].copy(),
            bolus[:, at : at + 5].sum(axis=1),
            plate[:, at : at + 5].copy(),
            drive[:, at : at + 5].copy(),
            5,
        )
        for at in range(0, plate.shape[1], 5)
    ]
    return np.concatenate([*glucose, state], axis=1)


def test_a_persons_future_does_not_depend_on_company() -> None:
    """Bit for bit the same alone, in batches that fill lanes or do not, in a crowd, and in any order."""
    crowd = _day_in_company(np.arange(CROWD))
    assert len(np.unique(crowd[:, :1440], axis=0)) == CROWD
    generator = np.random.default_rng(0)
    for size in (1, 1, 7, LANES, LANES + 1, CROWD):
        rows = generator.permutation(CROWD)[:size]
        np.testing.assert_array_equal(_day_in_company(rows), crowd[rows])


@pytest.mark.kernels
def test_a_few_minutes_do_not_depend_on_company_either() -> None:
    cohort = load(["adult#001", "adult#002", "child#010"])
    plate, basal = np.zeros((3, 12)), np.array([[1.0], [0.0], [0.4]]).repeat(12, axis=1)
    plate[:, 2] = (40.0, 0.0, 13.0)
    together = run(cohort, plate, basal, call_min=6)
    for row in range(3):
        alone = run(cohort.take([row]), plate[[row]], basal[[row]], call_min=6)
        np.testing.assert_array_equal(alone, together[[row]])


def test_minutes_may_be_split_over_calls_in_any_way() -> None:
    """Bit for bit, glucose and states, with meals and drives under way at each cut."""
    cohort = load("all")
    plate, basal, _ = eventful(cohort, days=1, seed=3)
    drive = changing_drive(30, 1440, seed=3)
    results = []
    for call_min in (1, 5, 12, 60):
        state = cohort.model.basal_state(cohort.parameters)
        glucose = run(cohort, plate, basal, drive=drive, call_min=call_min, state=state)
        results.append(np.concatenate([glucose, state], axis=1))
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_a_bolus_over_one_call_is_the_same_insulin_as_a_rate() -> None:
    """1 U spread over 5 minutes is 12 U/h for 5 minutes."""
    cohort = load("all")
    none = np.zeros((30, 120))
    bolus, rate = none.copy(), none.copy()
    bolus[:, 0], rate[:, :5] = 1.0, 12.0
    np.testing.assert_allclose(run(cohort, none, none, bolus), run(cohort, none, rate), rtol=1e-12)


def test_the_sensor_site_follows_plasma_late() -> None:
    cohort = load("all")
    state = cohort.model.basal_state(cohort.parameters)
    at_rest = cohort.model.interstitial_mg_dl(state, cohort.parameters)
    np.testing.assert_allclose(at_rest, cohort.parameters[:, COLUMN["Gb"]], rtol=1e-12)
    plate = np.zeros((30, 30))
    plate[:, 0] = 50.0
    glucose = run(cohort, plate, _scheduled(cohort, 30), state=state)
    site = cohort.model.interstitial_mg_dl(state, cohort.parameters)
    assert (site > at_rest).all()
    assert (site < glucose[:, -1]).all()


@pytest.mark.kernels
def test_the_exponential_without_a_library_call_is_right_where_it_counts() -> None:
    """Its use is e^z / (1 + e^z), for any z a meal may give."""
    z = np.linspace(-300, 300, 2001)
    ours = np.array([glucose_kernel._exp(value) for value in z])
    near = np.abs(z) <= 7
    np.testing.assert_allclose(ours[near], np.exp(z[near]), rtol=2e-10)
    np.testing.assert_allclose(ours / (1 + ours), 1 / (1 + np.exp(-z)), atol=1e-11)


SHAPES = {
    "state": (2, 17),
    "basal_u_per_h": (2,),
    "bolus_u": (2,),
    "carbs_g": (2, 5),
    "drive": (2, 1, 4),
}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("state", (2, 13)),
        ("state", (17,)),
        ("coefficients", (2, glucose_kernel.COEFFICIENTS, LANES)),
        ("coefficients", (1, 34)),
        ("basal_u_per_h", (3,)),
        ("basal_u_per_h", (2, 1)),
        ("bolus_u", ()),
        ("carbs_g", (2, 4)),
        ("carbs_g", (2,)),
        ("drive", (2, 2, 4)),
        ("drive", (2, 4)),
        ("drive", (1, 1, 4)),
    ],
)
def test_a_wrong_shape_is_named_with_the_right_one(name: str, shape: tuple[int, ...]) -> None:
    cohort = load(["adult#001", "adult#002"])
    arrays = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    arrays["coefficients"] = cohort.model.prepare(cohort.parameters)
    arrays[name] = np.zeros(shape)
    with pytest.raises(ValueError, match=rf"^{name} has shape .* needed is .* people and 5 minutes"):
        cohort.model.advance(**arrays, minutes=5)


def test_states_of_whole_numbers_and_no_minutes_are_refused() -> None:
    cohort = load(["adult#001", "adult#002"])
    arrays = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    coefficients = cohort.model.prepare(cohort.parameters)
    whole = arrays | {"state": np.zeros((2, 17), int)}
    with pytest.raises(ValueError, match="state is int64 .* needed are float64"):
        cohort.model.advance(**whole, coefficients=coefficients, minutes=5)
    nothing = arrays | {"carbs_g": np.zeros((2, 0))}
    with pytest.raises(ValueError, match="minutes 0; needed .* at least 1 minute"):
        cohort.model.advance(**nothing, coefficients=coefficients, minutes=0)


@pytest.mark.parametrize("shape", [(len(PARAMETERS),), (3, len(PARAMETERS) - 1), (0, len(PARAMETERS))])
def test_parameters_of_a_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"needed are finite values of shape \(n, {len(PARAMETERS)}\)"):
        load("adult#001").model.prepare(np.ones(shape))


def test_a_parameter_that_is_not_a_number_is_refused() -> None:
    cohort = load("adult")
    parameters = cohort.parameters.copy()
    parameters[3, COLUMN["kabs"]] = np.nan
    with pytest.raises(ValueError, match="needed are finite values"):
        cohort.model.prepare(parameters)
