"""A person who can exercise: at rest the plain body; at work what the equations say; glucagon as an option."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from twins import cohort
from twins.active import active
from twins.bodies import exercise, glucagon
from twins.bodies.model import (
    LIVER_OUTPUT,
    NEUTRAL_DRIVE,
    SENSITIVITY_PERIPHERAL,
    UPTAKE,
    Model,
    neutral_drive,
)
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN, Person
from twins.cohort import Cohort

AT_REST = tuple(neutral_drive(Person.drive_names))
PEOPLE = cohort.load("all")


def _hours(
    people: Cohort, neutral: tuple[float, ...], steps: int = 48, bolus_u: float = 1.0, reserve: float = 0.0
) -> NDArray[np.float64]:
    """Glucose (n, minutes): 30 g and a bolus first, then basal insulin; `reserve` in the second hour."""
    model: Model = people.model
    n = len(people)
    state, coefficients = model.basal_state(people.parameters), model.prepare(people.parameters)
    out = []
    for step in range(steps):
        drive = np.tile(np.array(neutral), (n, 1, 1))
        if reserve and 12 <= step < 24:
            drive[:, :, HEART_RATE_RESERVE] = reserve
        first = step == 0
        out.append(
            model.advance(
                state, coefficients, model.basal_u_per_h(people.parameters), np.full(n, bolus_u * first),
                np.full((n, 5), 6.0 * first), drive, 5,
            )
        )  # fmt: skip
    return np.concatenate(out, axis=1)


def test_at_rest_a_person_is_the_plain_body_bit_for_bit() -> None:
    plain = _hours(PEOPLE, NEUTRAL_DRIVE)
    assert (_hours(active(PEOPLE), AT_REST) == plain).all()


def test_work_lowers_glucose_more_the_harder_and_a_gain_of_zero_spares_the_muscle() -> None:
    people = active(PEOPLE)
    rest, light, hard = (_hours(people, AT_REST, reserve=e)[:, 119] for e in (0.0, 0.3, 0.6))
    assert (rest > light).all() and (light > hard).mean() > 0.7  # the liver answers some people more
    resting_muscle = (*AT_REST[:SESSION_GAIN], 0.0)
    assert (_hours(people, resting_muscle, reserve=0.6)[:, 119] > hard).all()


def test_drive_follows_its_equations() -> None:
    """Against a solver, through an hour's work and five hours after; what is left is the step of a minute."""
    p = exercise.draw(np.array([7], np.uint32), np.array([2.0]))
    reserve = np.zeros((1, 360))
    reserve[0, 30:60], reserve[0, 60:90] = 0.5, 0.95

    def slope(t: float, x: NDArray[np.float64]) -> list[float]:
        y, h, early, late = x
        e = reserve[0, min(int(t), 359)]
        above = max(e - p[0, exercise.THRESHOLD], 0.0) / (1 - p[0, exercise.THRESHOLD])
        pace = exercise.SURGE_UP_MIN if above > h else exercise.SURGE_DOWN_MIN
        return [
            (e - y) / exercise.DRIVE_MIN, (above - h) / pace, y - early / exercise.EARLY_MIN,
            early / exercise.EARLY_MIN - late / exercise.LATE_MIN,
        ]  # fmt: skip

    state, drive = np.zeros((1, 4)), np.empty((1, 360, 4))
    exercise.work(state, p, reserve, np.ones(1), np.tile(np.array(NEUTRAL_DRIVE), (1, 360, 1)), drive)
    right = solve_ivp(slope, (0, 360), np.zeros(4), max_step=0.5, rtol=1e-8).y[:, -1]
    np.testing.assert_allclose(state[0], right, rtol=0.003, atol=1e-6)
    assert drive[0, 89, SENSITIVITY_PERIPHERAL] > 3 and drive[0, 89, UPTAKE] > 0
    assert 1.0 < drive[0, -1, SENSITIVITY_PERIPHERAL] < 1.6  # hours later, for a while
    _, _, early, late = state[0]
    assert drive[0, 59, LIVER_OUTPUT] == pytest.approx(
        2.0 * p[0, exercise.LIVER] * 0.5, rel=0.05
    )  # of 2 basal
    assert drive[0, 89, LIVER_OUTPUT] > 2.0 * p[0, exercise.SURGE_LIVER] * 0.5
    held = p[0, exercise.ACTION_EARLY] * early + p[0, exercise.ACTION_LATE] * late
    most = exercise.MOST_HELD
    assert drive[0, -1, SENSITIVITY_PERIPHERAL] == pytest.approx(
        1 + most * (1 - np.exp(-held / most)), rel=1e-3
    )
    muscle = 0.5 * (1 + exercise.HALF_WORK) / (0.5 + exercise.HALF_WORK)
    assert drive[0, 59, UPTAKE] == pytest.approx(p[0, exercise.UPTAKE_PER_MIN] * muscle, rel=0.01)
    short = np.tile(np.array(NEUTRAL_DRIVE), (1, 1, 1))
    again, same = np.zeros((1, 4)), np.empty_like(drive)
    exercise.work(again, p, reserve, np.ones(1), short, same)  # what is given is held, the reserve is not
    assert (same == drive).all()


def test_what_exercise_does_to_a_person_hangs_on_the_person_alone() -> None:
    everybody, one = active(PEOPLE), active(cohort.load("child#003"))
    row = everybody.ids.index("child#003")
    assert (everybody.parameters[row] == one.parameters[0]).all()
    alike = active(PEOPLE, spread=0.0).parameters[:, -len(exercise.PARAMETERS) : -1]
    assert (alike == exercise.MEDIANS).all()
    many = exercise.draw(np.arange(4000, dtype=np.uint32), np.ones(4000))[:, :-1]
    np.testing.assert_allclose(np.log(many[:, :6]).std(axis=0), exercise.LOG_SD[:6], rtol=0.06)
    np.testing.assert_allclose(np.median(many[:, :6], axis=0), exercise.MEDIANS[:6], rtol=0.06)
    assert many[:, exercise.THRESHOLD].max() <= 0.95
    with pytest.raises(ValueError, match="spread is -1"):
        exercise.draw(np.arange(2, dtype=np.uint32), np.ones(2), spread=-1)
    with pytest.raises(
        ValueError, match="the cohort is of Person; needed are people of the UVA/Padova model"
    ):
        active(everybody)


def test_a_drive_of_another_width_is_refused() -> None:
    people = active(cohort.load("adult#001"))
    state, coefficients = (
        people.model.basal_state(people.parameters),
        people.model.prepare(people.parameters),
    )
    with pytest.raises(ValueError, match=r"drive has shape \(1, 1, 4\); needed is \(1, 1 or 5, 6\)"):
        people.model.advance(
            state,
            coefficients,
            np.ones(1),
            np.zeros(1),
            np.zeros((1, 5)),
            np.tile(np.array(NEUTRAL_DRIVE), (1, 1, 1)),
            5,
        )


def test_glucagon_answers_lows_and_nothing_else() -> None:
    adults = cohort.load("adult")
    without, held = active(adults), active(adults, counterregulation=True)
    assert (
        _hours(held, AT_REST, steps=6, bolus_u=0.0)
        == _hours(without, AT_REST, steps=6, bolus_u=0.0)
    ).all()  # nothing falls below basal in half an hour after a meal
    low, defended = (_hours(one, AT_REST, steps=48, bolus_u=6.0) for one in (without, held))
    assert (defended.min(axis=1) >= low.min(axis=1)).all() and (defended > low).any()


@pytest.mark.parametrize(("insulin_pmol_l", "more"), [(80.0, 0.6), (180.0, 0.01)])
def test_much_insulin_holds_glucagon_back(insulin_pmol_l: float, more: float) -> None:
    """At 60 mg/dL below basal the liver gives 0.6 mg/kg/min more in the end, next to nothing under excess insulin."""
    state, drive = glucagon.rest(np.array([120.0])), np.zeros((1, 60, 4))
    glucagon.answer(
        state, np.array([60.0]), np.array([120.0]), np.array([insulin_pmol_l]), np.array([80.0]), 60, drive
    )
    assert drive[0, -1, LIVER_OUTPUT] == pytest.approx(more, abs=0.01)


def test_glucagon_at_rest_stays() -> None:
    state, drive = glucagon.rest(np.array([120.0])), np.zeros((1, 5, 4))
    before = state.copy()
    glucagon.answer(state, np.array([120.0]), np.array([120.0]), np.array([80.0]), np.array([80.0]), 5, drive)
    np.testing.assert_allclose(state, before)
    assert not drive.any()
