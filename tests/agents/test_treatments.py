"""Treatments: the doses they ask for are the calculator's, and the pump stops when and only when it should."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.basal_bolus import BASAL_BOLUS, BasalBolus, ConstantBasal, RuleOf500
from agents.base import Policy, Treatment
from agents.load import FAMILIES, TREATMENTS
from agents.low_glucose_suspend import LOW_GLUCOSE_SUSPEND, PREDICT_MIN, SUSPEND_BELOW_MG_DL
from agents.tunable import Family, Gain, Tuned
from envs import therapy, view
from envs.therapy import Request
from envs.view import View
from twins import cohort
from twins.cohort import Cohort

PEOPLE = ("adult#001", "adolescent#004", "child#007")


def _view(who: Cohort, readings: list[float], meal_g: float = 0.0) -> View:
    """What agents see after these readings, 5 min apart (NaN: none); a meal is announced at the last one."""
    n, every = len(who), np.arange(len(who))
    seen = View.empty(who.ids, who.therapy, who.weight_kg, 5)
    seen.begin(every, np.full(n, readings[0]))
    basal, none = who.therapy[:, cohort.BASAL_U_PER_H], np.zeros(n)
    for reading in readings[1:]:
        seen.see(np.full(n, reading), basal, none, none, none)
    view.hear(seen.now, every, np.full(n, meal_g))
    return seen


def _flat(glucose: float) -> list[float]:
    return [glucose] * 4


def _sloping(glucose: float, slope: float) -> list[float]:
    """Four readings that end at `glucose` and changed by `slope` mg/dL a minute."""
    return [glucose - slope * minutes for minutes in (15, 10, 5, 0)]


def _same(one: Request, other: Request) -> bool:
    return bool(
        np.array_equal(one.basal_u_per_h, other.basal_u_per_h) and np.array_equal(one.bolus_u, other.bolus_u)
    )


@pytest.fixture(scope="module")
def people() -> Cohort:
    return cohort.load(PEOPLE)


@pytest.mark.parametrize("glucose", [60.0, 120.0, 150.0, 151.0, 300.0])
@pytest.mark.parametrize("meal_g", [0.0, 45.0])
def test_basal_bolus_asks_for_what_the_calculator_says(people: Cohort, glucose: float, meal_g: float) -> None:
    seen = _view(people, _flat(glucose), meal_g)
    asked = BasalBolus().act(seen)
    assert _same(asked, therapy.basal_bolus(seen))
    # and the calculator says what simglucose's controller says: correction only at a meal and above 150
    settings = people.therapy
    bolus = meal_g / settings[:, cohort.CARB_RATIO_G_PER_U]
    if meal_g and glucose > 150:
        bolus = bolus + (glucose - 140) / settings[:, cohort.CORRECTION_FACTOR_MG_DL_PER_U]
    np.testing.assert_allclose(asked.bolus_u, bolus, rtol=1e-12)
    assert np.array_equal(asked.basal_u_per_h, settings[:, cohort.BASAL_U_PER_H])


def test_the_rule_of_500_differs_from_basal_bolus_in_the_settings_alone(people: Cohort) -> None:
    seen = _view(people, _flat(220), 60)
    before = seen.therapy.copy()
    ruled = _view(people.with_rule_of_500(), _flat(220), 60)
    assert _same(RuleOf500().act(seen), BasalBolus().act(ruled))
    daily = people.therapy[:, cohort.DAILY_INSULIN_U]
    np.testing.assert_allclose(RuleOf500().act(seen).bolus_u, 60 * daily / 500 + 80 * daily / 1800)
    assert np.array_equal(seen.therapy, before), "settings of the view are the core's own"


def test_constant_basal_gives_no_bolus_whatever_happens(people: Cohort) -> None:
    asked = ConstantBasal().act(_view(people, _flat(350), 90))
    assert np.array_equal(asked.basal_u_per_h, people.therapy[:, cohort.BASAL_U_PER_H])
    assert not asked.bolus_u.any()


def test_tuned_gains_multiply_basal_and_bolus_of_their_own_person(people: Cohort) -> None:
    gains = {"child#007": (0.5, 2.0), "adult#001": (1.25, 0.75), "adolescent#004": (1.0, 1.0)}
    seen = _view(people, _flat(200), 30)
    plain, tuned = BasalBolus().act(seen), Tuned(BASAL_BOLUS, gains).act(seen)
    np.testing.assert_allclose(tuned.basal_u_per_h / plain.basal_u_per_h, [1.25, 1.0, 0.5])
    np.testing.assert_allclose(tuned.bolus_u / plain.bolus_u, [0.75, 1.0, 2.0])
    assert _same(Tuned(BASAL_BOLUS).act(seen), plain), "untuned it is basal-bolus"


def test_one_set_of_gains_serves_everybody(people: Cohort) -> None:
    seen = _view(people, _flat(200), 30)
    plain, tuned = BasalBolus().act(seen), Tuned(BASAL_BOLUS, (1.25, 0.75)).act(seen)
    np.testing.assert_allclose(tuned.basal_u_per_h, 1.25 * plain.basal_u_per_h)
    np.testing.assert_allclose(tuned.bolus_u, 0.75 * plain.bolus_u)


def test_gains_follow_the_persons_when_others_take_their_places(people: Cohort) -> None:
    gains = {"adult#001": (2.0, 1.0), "adolescent#004": (1.0, 1.0), "child#007": (0.5, 1.0)}
    treatment = Tuned(BASAL_BOLUS, gains)
    for who in (people, people.take([2, 0, 1]), people.take([1])):
        asked = treatment.act(_view(who, _flat(120)))
        factors = [gains[person][0] for person in who.ids]
        np.testing.assert_allclose(asked.basal_u_per_h, who.therapy[:, cohort.BASAL_U_PER_H] * factors)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_person_without_tuned_gains_is_named_with_the_nearest(people: Cohort, family: Family) -> None:
    start = family.start.tolist()
    gains = dict.fromkeys(("adult#001", "adolescent#004", "child#006"), start)
    with pytest.raises(ValueError, match="no tuned gains for 'child#007'; did you mean 'child#006'.*Tune on"):
        Tuned(family, gains).act(_view(people, _flat(120)))
    with pytest.raises(ValueError, match="there are 0 persons with gains"):
        Tuned(family, {}).act(_view(people, _flat(120)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1.0,), "needs 2 numbers: basal_gain, bolus_gain"),
        ((1.0, "x"), "needs 2 numbers"),
        ((float("nan"), 1.0), "basal_gain is nan; basal-bolus allows 0.2 to 3"),
        ((1.0, 2.1), "bolus_gain is 2.1; basal-bolus allows 0.1 to 2"),
        ({"adult#001": (1.0, -1.0)}, "bolus_gain of adult#001 is -1"),
    ],
)
def test_values_that_do_not_fit_their_family_are_refused(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tuned(BASAL_BOLUS, values)


@pytest.mark.parametrize(
    ("start", "low", "high"), [(1, 2, 3), (1, 1, 1), (1, 0, np.inf), (np.nan, 0, 1), (4, 0, 3)]
)
def test_a_gain_lies_within_its_bounds(start: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="gain g: .*with the start within"):
        Gain("g", start, low, high, "")


_SUSPENDS = [
    ("low", _flat(79.9), True),
    ("at the bound", _flat(80.0), False),
    ("well", _flat(110.0), False),
    ("falls to a low within 30 min", _sloping(110.0, -1.1), True),
    ("falls, but not below 80 in 30 min", _sloping(110.0, -0.9), False),
    ("rises, but is low now", _sloping(75.0, 2.0), True),
    ("rises from well", _sloping(85.0, 1.0), False),
    ("no reading for 15 min after a low", [70.0, 70.0, np.nan, np.nan, np.nan], True),
    ("no reading for 20 min after a low", [70.0, 70.0, np.nan, np.nan, np.nan, np.nan], False),
    ("never a reading", [np.nan] * 6, False),
]


@pytest.mark.parametrize(
    ("readings", "suspends"), [case[1:] for case in _SUSPENDS], ids=[case[0] for case in _SUSPENDS]
)
@pytest.mark.parametrize("meal_g", [0.0, 40.0])
def test_low_glucose_suspend_stops_basal_exactly_when_a_low_is_near(
    people: Cohort, readings: list[float], suspends: bool, meal_g: float
) -> None:
    seen = _view(people, readings, meal_g)
    asked, plain = Tuned(LOW_GLUCOSE_SUSPEND).act(seen), BasalBolus().act(seen)
    expected = np.zeros(len(people)) if suspends else plain.basal_u_per_h
    assert np.array_equal(asked.basal_u_per_h, expected)
    assert np.array_equal(asked.bolus_u, plain.bolus_u), "boluses are the calculator's as ever"


def test_low_glucose_suspend_decides_for_every_lane_by_itself(people: Cohort) -> None:
    n = len(people)
    seen = View.empty(people.ids, people.therapy, people.weight_kg, 5)
    seen.begin(np.arange(n), np.array([70.0, 120.0, 79.0]))
    asked = Tuned(LOW_GLUCOSE_SUSPEND, dict.fromkeys(PEOPLE, (2.0, 1.0, 30.0, 80.0))).act(seen)
    scheduled = 2 * people.therapy[:, cohort.BASAL_U_PER_H]
    np.testing.assert_array_equal(asked.basal_u_per_h, scheduled * [0, 1, 0])


def test_the_bounds_of_the_suspension_are_those_of_basal_iq() -> None:
    assert (SUSPEND_BELOW_MG_DL, PREDICT_MIN) == (80.0, 30.0)
    assert LOW_GLUCOSE_SUSPEND.start.tolist() == [1.0, 1.0, PREDICT_MIN, SUSPEND_BELOW_MG_DL]


def test_horizon_and_threshold_of_the_suspension_are_gains(people: Cohort) -> None:
    falls = _view(people, _sloping(110.0, -0.9))  # to 83 in 30 min, to 74 in 40

    def suspends(horizon_min: float, below_mg_dl: float) -> bool:
        asked = Tuned(LOW_GLUCOSE_SUSPEND, (1.0, 1.0, horizon_min, below_mg_dl)).act(falls)
        return not asked.basal_u_per_h.any()

    assert not suspends(30.0, 80.0) and suspends(40.0, 80.0) and suspends(30.0, 90.0)
    assert not suspends(0.0, 105.0) and suspends(0.0, 115.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", TREATMENTS)
def test_every_treatment_asks_for_finite_doses_from_any_view(people: Cohort, name: str) -> None:
    """Also with no reading at all, and without touching what it reads."""
    draw = np.random.default_rng(1)
    treatment = TREATMENTS[name]()
    assert isinstance(treatment, Treatment) and not isinstance(treatment, Policy)
    histories: list[list[float]] = [[np.nan] * 3, [float("nan"), 55.0], draw.uniform(20, 500, 60).tolist()]
    for readings in histories:
        seen = _view(people, readings, float(draw.uniform(0, 100)))
        held: list[NDArray[np.float64]] = [seen.now.copy(), seen.therapy.copy(), seen.cgm_buffer.copy()]
        asked = treatment.act(seen).checked(len(people))
        for dose in (asked.basal_u_per_h, asked.bolus_u):
            assert np.isfinite(dose).all() and (dose >= 0).all()
        for before, now in zip(held, (seen.now, seen.therapy, seen.cgm_buffer), strict=True):
            np.testing.assert_array_equal(before, now)
