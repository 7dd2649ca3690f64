"""The closed loop asks for what its law says, for every person alike, and is safe where it cannot see."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.pid import PID
from agents.tunable import Tuned
from envs import therapy, view
from envs.view import IOB_NET_U, View
from experiments.protocol import load_protocol
from experiments.simulate import simulate
from twins import cohort
from twins.cohort import Cohort

PEOPLE = ("adult#001", "adolescent#004", "child#007")
QUIET = {
    "suspend_horizon_min": 0.0,
    "suspend_below_mg_dl": 60.0,
    "proportional_per_h": 0.0,
    "integral_share": 0.0,
    "derivative_min": 0.0,
    "insulin_feedback": 0.0,
}
"""Gains under which the loop is basal-bolus above 60 mg/dL."""


@pytest.fixture(scope="module")
def people() -> Cohort:
    return cohort.load(PEOPLE)


def _gains(**changes: float) -> list[float]:
    """Gains of `QUIET` but for these."""
    named = dict(zip(PID.names, PID.start.tolist(), strict=True)) | QUIET | changes
    assert tuple(named) == PID.names, "an unknown gain was named"
    return list(named.values())


def _seen(who: Cohort, readings: list[float], meal_g: float = 0.0, bolus_u: float = 0.0) -> View:
    """After readings 5 min apart from midnight; a bolus with the first interval, a meal announced at the last."""
    n, every = len(who), np.arange(len(who))
    seen = View.empty(who.ids, who.therapy, who.weight_kg, 5)
    seen.begin(every, np.full(n, readings[0]))
    basal, none = who.therapy[:, cohort.BASAL_U_PER_H], np.zeros(n)
    for k, reading in enumerate(readings[1:]):
        seen.see(np.full(n, reading), basal, np.full(n, bolus_u if k == 0 else 0.0), none, none)
    view.hear(seen.now, every, np.full(n, meal_g))
    return seen


def _extra(seen: View, **changes: float) -> NDArray[np.float64]:
    """What the loop adds to scheduled basal, in correction doses of 1 mg/dL per hour: the same for everybody."""
    added = Tuned(PID, _gains(**changes)).act(seen).basal_u_per_h - seen.therapy[:, cohort.BASAL_U_PER_H]
    extra: NDArray[np.float64] = added * seen.therapy[:, cohort.CORRECTION_FACTOR_MG_DL_PER_U]
    return extra


@pytest.mark.parametrize("glucose", [70.0, 130.0, 300.0])
@pytest.mark.parametrize("meal_g", [0.0, 45.0])
def test_without_its_terms_it_is_basal_bolus(people: Cohort, glucose: float, meal_g: float) -> None:
    seen = _seen(people, [glucose] * 4, meal_g)
    asked, plain = Tuned(PID, _gains()).act(seen), therapy.basal_bolus(seen)
    np.testing.assert_array_equal(asked.basal_u_per_h, plain.basal_u_per_h)
    np.testing.assert_array_equal(asked.bolus_u, plain.bolus_u)


def test_the_three_terms_are_in_units_of_the_persons_correction_factor(people: Cohort) -> None:
    flat, rising = _seen(people, [200.0] * 60), _seen(people, [185.0, 190.0, 195.0, 200.0])
    np.testing.assert_allclose(_extra(flat, proportional_per_h=0.5, target_mg_dl=120.0), 0.5 * 80)
    both = _extra(flat, proportional_per_h=0.5, target_mg_dl=120.0, integral_share=0.25)
    np.testing.assert_allclose(both, 0.5 * (80 + 0.25 * 80))
    trend = _extra(rising, proportional_per_h=0.5, target_mg_dl=120.0, derivative_min=30.0)
    np.testing.assert_allclose(trend, 0.5 * (80 + 30 * 1.0))


def test_the_integral_knows_the_last_4_h_only_and_leaves_out_what_is_missing(people: Cohort) -> None:
    terms = {"proportional_per_h": 1.0, "integral_share": 1.0, "target_mg_dl": 120.0}
    past = [400.0] * 30 + [140.0] * 49  # 400 mg/dL is over 4 h old
    np.testing.assert_allclose(_extra(_seen(people, past), **terms), 20 + 20)
    gaps = [160.0, np.nan, np.nan, np.nan, 140.0]
    np.testing.assert_allclose(_extra(_seen(people, gaps), **terms), 20 + 30)


def test_insulin_on_board_is_taken_off_the_dose(people: Cohort) -> None:
    seen = _seen(people, [300.0] * 4, bolus_u=0.1)
    terms = {"proportional_per_h": 0.5, "target_mg_dl": 120.0}
    factor = seen.therapy[:, cohort.CORRECTION_FACTOR_MG_DL_PER_U]
    assert (seen.now[:, IOB_NET_U] > 0.08).all()
    taken = _extra(seen, **terms) - _extra(seen, **terms, insulin_feedback=1.0)
    np.testing.assert_allclose(taken, 0.5 * seen.now[:, IOB_NET_U] * factor)


def test_a_meal_bolus_counts_as_on_board_at_once_and_its_carbs_against_it(people: Cohort) -> None:
    seen = _seen(people, [140.0] * 4, meal_g=20.0)
    ratio, factor = seen.therapy[:, cohort.CARB_RATIO_G_PER_U], seen.therapy[:, 2]
    terms = {"proportional_per_h": 0.02, "target_mg_dl": 120.0}  # small, so that no rate meets zero
    bolus = Tuned(PID, _gains()).act(seen).bolus_u
    np.testing.assert_allclose(bolus, 20 / ratio)
    with_bolus = _extra(seen, **terms, insulin_feedback=0.1)
    np.testing.assert_allclose(_extra(seen, **terms) - with_bolus, 0.02 * 0.1 * bolus * factor, rtol=1e-6)
    with_carbs = _extra(seen, **terms, insulin_feedback=0.1, carbs_feedback=0.1)
    np.testing.assert_allclose(with_carbs, _extra(seen, **terms), rtol=1e-6)


def test_the_correction_at_a_meal_goes_both_ways(people: Cohort) -> None:
    for glucose in (100.0, 140.0):
        seen = _seen(people, [glucose] * 4, meal_g=60.0)
        plain = Tuned(PID, _gains()).act(seen).bolus_u
        asked = Tuned(PID, _gains(meal_correction=0.5, target_mg_dl=120.0)).act(seen).bolus_u
        correction = (glucose - 120) / seen.therapy[:, cohort.CORRECTION_FACTOR_MG_DL_PER_U]
        np.testing.assert_allclose(asked, plain + 0.5 * correction)


@pytest.mark.parametrize(
    ("hour", "block"), [(0, 3), (2.9, 3), (3, 0), (8.9, 0), (9, 1), (14.9, 1), (15, 2), (21, 3), (23.9, 3)]
)
def test_the_basal_profile_follows_the_clock(people: Cohort, hour: float, block: int) -> None:
    seen = _seen(people, [130.0] * 2)
    seen.now[:, view.MINUTE_OF_DAY] = hour * 60
    names = [name for name in PID.names if name.startswith("basal_")]
    factors = dict(zip(names, (0.5, 0.75, 1.5, 2.0), strict=True))
    asked = Tuned(PID, _gains(**factors)).act(seen).basal_u_per_h
    expected = list(factors.values())[block]
    np.testing.assert_allclose(asked, expected * seen.therapy[:, cohort.BASAL_U_PER_H])
    assert list(factors)[block].startswith("basal_" + ("03", "09", "15", "21")[block])


def test_without_readings_of_late_the_loop_is_open(people: Cohort) -> None:
    eager = _gains(proportional_per_h=2.0, target_mg_dl=80.0, suspend_below_mg_dl=130.0)
    for glucose in (300.0, 60.0):
        blind = _seen(people, [glucose, glucose, *[np.nan] * 4], meal_g=30.0)  # the last is 20 min old
        asked, plain = Tuned(PID, eager).act(blind), therapy.basal_bolus(blind)
        np.testing.assert_array_equal(asked.basal_u_per_h, plain.basal_u_per_h)
        np.testing.assert_array_equal(asked.bolus_u, plain.bolus_u)
        sees = _seen(people, [glucose, glucose, *[np.nan] * 3], meal_g=30.0)  # 15 min: not yet
        assert (Tuned(PID, eager).act(sees).basal_u_per_h != plain.basal_u_per_h).all()


def test_a_low_ahead_stops_basal_whatever_the_terms_say(people: Cohort) -> None:
    falls = _seen(people, [190.0, 170.0, 150.0, 130.0])  # 4 mg/dL a minute
    strong = {"proportional_per_h": 2.0, "target_mg_dl": 80.0}
    near = {"suspend_horizon_min": 20.0, "suspend_below_mg_dl": 70.0}
    assert (Tuned(PID, _gains(**strong)).act(falls).basal_u_per_h > 0).all()
    assert not Tuned(PID, _gains(**strong, **near)).act(falls).basal_u_per_h.any()


@pytest.mark.parametrize("corner", ["low", "high", "start"])
def test_doses_are_finite_and_not_negative_at_every_corner(people: Cohort, corner: str) -> None:
    low, high = PID.bounds
    values = {"low": low, "high": high, "start": PID.start}[corner]
    for readings in ([40.0] * 3, [400.0] * 3, [np.nan] * 3, [60.0, 300.0, 20.0]):
        for meal_g in (0.0, 200.0):
            asked = Tuned(PID, values.tolist()).act(_seen(people, readings, meal_g, bolus_u=20.0))
            for dose in (asked.basal_u_per_h, asked.bolus_u):
                assert np.isfinite(dose).all() and (dose >= 0).all()


def test_a_lane_decides_as_if_it_were_alone(people: Cohort) -> None:
    """Bit for bit, so that candidates, persons and replicas of a tuning may share a batch."""
    draw = np.random.default_rng(3)
    readings = draw.uniform(60, 300, 60).tolist()
    values = draw.uniform(*PID.bounds, (3, len(PID.gains)))
    together = PID.request(_seen(people, readings, 30.0), values)
    for lane in range(3):
        alone = PID.request(_seen(people.take([lane]), readings, 30.0), values[lane : lane + 1])
        assert alone.basal_u_per_h[0] == together.basal_u_per_h[lane]
        assert alone.bolus_u[0] == together.bolus_u[lane]


def test_untuned_it_holds_a_fasting_person_near_its_target_and_brings_nobody_low() -> None:
    """From 10 % too much and too little scheduled basal: what an open loop cannot do."""
    protocol = load_protocol("simglucose-default").model_copy(
        update={"people": PEOPLE, "scenario": "fasting", "days": 2.0, "warmup_days": 0.5, "replicas": 1}
    )
    for factor in (0.9, 1.1):
        own = cohort.load(PEOPLE)
        wrong = own.with_therapy(basal_u_per_h=factor * own.therapy[:, cohort.BASAL_U_PER_H])
        glucose = simulate(Tuned(PID), protocol, "off", wrong).glucose_mg_dl
        assert glucose.min() > 75 and glucose.max() < 180, factor
