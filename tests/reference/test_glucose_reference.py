"""The glucose kernel against scipy's solver on equations written anew, and against simglucose itself."""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.twins.bodies import uva_padova
from tests.twins.bodies.simulate import changing_drive, eventful, insulin_u_per_min, neutral, run
from twins.cohort import BASAL_U_PER_H, Cohort, load, simglucose_table

pytestmark = pytest.mark.reference

BOUND_MG_DL = 0.05
VALID_ABOVE_MG_DL = 40.0


def _assert_close(glucose: NDArray, reference: NDArray) -> None:
    """Within the bound wherever the reference is above 40 mg/dL, which must be nearly everywhere."""
    valid = reference > VALID_ABOVE_MG_DL
    assert valid.mean() > 0.9
    assert reference.max() - reference[valid].min() > 100, "nothing happened"
    assert np.abs(glucose - reference)[valid].max() <= BOUND_MG_DL


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.verify)])
def test_thirty_people_follow_the_solver_for_two_days(seed: int) -> None:
    cohort = load("all")
    plate, basal, bolus = eventful(cohort, days=2, seed=seed)
    reference = uva_padova.solve(uva_padova.parameters(cohort.ids), insulin_u_per_min(basal, bolus), plate)
    _assert_close(run(cohort, plate, basal, bolus), reference)


@pytest.mark.slow
def test_thirty_people_follow_the_solver_under_changing_drives() -> None:
    cohort = load("all")
    plate, basal, bolus = eventful(cohort, days=1, seed=2)
    drive = changing_drive(len(cohort), plate.shape[1], seed=3)
    reference = uva_padova.solve(
        uva_padova.parameters(cohort.ids), insulin_u_per_min(basal, bolus), plate, drive
    )
    _assert_close(run(cohort, plate, basal, bolus, drive), reference)


@pytest.mark.slow
def test_the_legacy_gut_follows_the_solver_with_grams_added_to_milligrams() -> None:
    """Error of simglucose before 0.2.3 (its issue 41): the meal so far enters in grams."""
    cohort = load("all", legacy_gut=True)
    plate, basal, bolus = eventful(cohort, days=1, seed=4)
    insulin = insulin_u_per_min(basal, bolus)
    people = uva_padova.parameters(cohort.ids)
    legacy = uva_padova.solve(people, insulin, plate, mg_per_g=1.0)
    glucose = run(cohort, plate, basal, bolus)
    _assert_close(glucose, legacy)
    right = uva_padova.solve(people, insulin, plate)
    assert np.abs(glucose - right).max() > 20, "the error makes a difference that this test would miss"


def _patient(person: str, plain: bool) -> Any:
    """simglucose's T1DPatient; `plain` puts its parameters into attributes, which is 18 times as fast."""
    from simglucose.patient.t1dpatient import T1DPatient

    patient = T1DPatient.withName(person)
    if not plain:
        return patient
    series = patient._params
    state = np.copy(series.iloc[2:15].values)
    return T1DPatient(SimpleNamespace(**series.to_dict()), init_state=state)


def _simglucose(patient: Any, insulin: NDArray, plate: NDArray) -> tuple[NDArray, NDArray]:
    """Plasma and interstitial glucose after each minute of simglucose's own patient."""
    from simglucose.patient.t1dpatient import Action

    plasma, interstitial = [], []
    for dose, grams in zip(insulin.tolist(), plate.tolist(), strict=True):
        patient.step(Action(CHO=grams, insulin=dose))
        plasma.append(patient.state[3] / patient._params.Vg)
        interstitial.append(patient.observation.Gsub)
    return np.array(plasma), np.array(interstitial)


def _hour(cohort: Cohort) -> tuple[NDArray, NDArray]:
    """Insulin [U/min] and meals of one eventful hour of the first person."""
    plate, basal, bolus = eventful(cohort, days=1, seed=5)
    hour = slice(420, 480)
    return insulin_u_per_min(basal, bolus)[0, hour], plate[0, hour]


def test_simglucose_with_plain_attributes_is_simglucose_bit_for_bit() -> None:
    """What the next test rests on."""
    insulin, plate = _hour(load("adult#001"))
    assert plate.sum() > 0
    series = _simglucose(_patient("adult#001", plain=False), insulin, plate)
    plain = _simglucose(_patient("adult#001", plain=True), insulin, plate)
    np.testing.assert_array_equal(series, plain)


@pytest.mark.parametrize("person", ["adult#007", "adolescent#003", "child#007", "child#010"])
def test_a_day_follows_simglucose(person: str) -> None:
    cohort = load(person)
    plate, basal, bolus = eventful(cohort, days=1, seed=6)
    insulin = insulin_u_per_min(basal, bolus)
    plasma, interstitial = _simglucose(_patient(person, plain=True), insulin[0], plate[0])
    state = cohort.model.basal_state(cohort.parameters)
    glucose = run(cohort, plate, basal, bolus, state=state)
    assert plasma.min() > VALID_ABOVE_MG_DL
    assert np.abs(glucose[0] - plasma).max() <= BOUND_MG_DL
    last = cohort.model.interstitial_mg_dl(state, cohort.parameters)
    assert last[0] == pytest.approx(interstitial[-1], abs=BOUND_MG_DL)


def test_the_solver_of_these_tests_follows_simglucose_closely() -> None:
    """Two readings of the same equations, neither of them the kernel's."""
    people = uva_padova.parameters(["adolescent#003"])
    insulin, plate = _hour(load("adolescent#003"))
    plasma, _ = _simglucose(_patient("adolescent#003", plain=True), insulin, plate)
    reference = uva_padova.solve(people, insulin[None], plate[None])
    np.testing.assert_allclose(reference[0], plasma, atol=2e-3)


def test_parameters_are_those_that_simglucose_reads() -> None:
    """The table is read without importing simglucose; pandas may round the last digit otherwise."""
    cohort = load("all")
    for row, person in enumerate(cohort.ids):
        theirs = _patient(person, plain=False)._params
        ours = dict(zip(cohort.model.parameter_names, cohort.parameters[row], strict=True))
        assert {name: pytest.approx(theirs[name], rel=1e-14) for name in ours} == ours
        assert cohort.therapy[row, BASAL_U_PER_H] == pytest.approx(theirs.u2ss * theirs.BW / 6000 * 60)
    assert len(simglucose_table("vpatient_params.csv")) == len(cohort)


@pytest.mark.verify
def test_the_kernel_is_50_000_times_as_fast_as_simglucose() -> None:
    """Simulated minutes a second, on one core: 256 people in calls of 5 minutes against `T1DPatient.step`."""
    cohort, lanes, calls = load("all"), np.arange(256) % 30, 200
    model, parameters = cohort.model, cohort.parameters[lanes]
    coefficients, drive, none = model.prepare(parameters), neutral(256), np.zeros(256)
    basal = model.basal_u_per_h(parameters)
    plates = np.where(np.random.default_rng(0).random((calls, 256, 5)) < 3.9 / 1440, 45.0, 0.0)
    insulin, meals = np.full(150, cohort.therapy[0, BASAL_U_PER_H] / 60), np.zeros(150)
    meals[30] = 45.0

    def kernel() -> float:
        state = model.basal_state(parameters)
        began = time.perf_counter()
        for plate in plates:
            model.advance(state, coefficients, basal, none, plate, drive, 5)
        return calls * 256 * 5 / (time.perf_counter() - began)

    def simglucose() -> float:
        patient = _patient("adult#001", plain=False)
        began = time.perf_counter()
        _simglucose(patient, insulin, meals)
        return len(insulin) / (time.perf_counter() - began)

    kernel()
    ratios = [kernel() / simglucose() for _ in range(5)]
    assert np.median(ratios) >= 50_000
