"""The loop around oref0: what it remembers, what it asks of the pump, and what it does without readings."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.base import Acquainted, Treatment
from agents.load import load, tier
from agents.oref import loop
from agents.oref.insulin import Projection
from agents.oref.loop import MICROBOLUSES, Oref0
from agents.oref.situation import TICKS, Preferences
from envs.view import INSULIN_HISTORY_MIN, View
from twins import cohort as cohorts
from twins.cohort import BASAL_U_PER_H

pytestmark = pytest.mark.kernels

BASAL, RATIO, FACTOR = 1.0, 10.0, 50.0
ONE = cohorts.load("adult#001").with_therapy(
    basal_u_per_h=BASAL, carb_ratio_g_per_u=RATIO, correction_factor_mg_dl_per_u=FACTOR
)
LANE = np.zeros(1, np.int64)


class Lived:
    """One lane at 5 min whose readings are given, with scheduled basal delivered."""

    def __init__(self, agent: Oref0, interval_min: int = 5) -> None:
        self.agent = agent
        self.view = View.empty(ONE.ids, ONE.therapy, ONE.weight_kg, interval_min)
        self.view.begin(LANE, np.array([120.0]), 0)
        agent.meet(ONE, LANE, np.zeros((1, 6), np.uint32), interval_min)

    def through(self, readings: list[float], announced_g: float = 0.0) -> tuple[float, float]:
        """Basal rate (U/h) and bolus (U) that are asked for after the last of these readings."""
        for number, value in enumerate(readings):
            self.view.see(np.array([value]), np.array([BASAL]), np.zeros(1), np.zeros(1), np.zeros(1))
            last = number == len(readings) - 1
            self.view.now[:, 8] = announced_g if last else 0.0
            self.view.now[:, 9] = announced_g if last else 0.0
            asked = self.agent.act(self.view)
        return float(asked.basal_u_per_h[0]), float(asked.bolus_u[0])


def _line(start: float, slope: float, count: int = 12) -> list[float]:
    return [start + slope * k for k in range(count)]


@pytest.mark.slow
def test_high_and_rising_glucose_gets_more_than_basal_and_a_low_one_nothing() -> None:
    rate, bolus = Lived(Oref0()).through(_line(180, 3))
    assert rate > BASAL and bolus == 0
    assert Lived(Oref0()).through(_line(110, -4))[0] == 0


def test_only_oref1_gives_microboluses() -> None:
    _, bolus = Lived(Oref0(MICROBOLUSES)).through(_line(180, 3))
    assert 0 < bolus <= BASAL / 2 + 1e-9  # half an hour of basal at most


def test_announced_carbs_get_their_bolus_at_once() -> None:
    assert Lived(Oref0()).through(_line(110, 0.3), announced_g=50)[1] == pytest.approx(5.0)


def test_the_safe_rate_holds() -> None:
    rate, _ = Lived(Oref0()).through(_line(300, 6))
    assert rate == pytest.approx(3 * BASAL)  # of the largest scheduled rate of a day


def test_a_temporary_rate_lapses_without_readings() -> None:
    """The rate set last holds for its half hour; nobody renews it, so that scheduled basal comes back."""
    one = Lived(Oref0())
    assert one.through(_line(180, 3))[0] > BASAL
    rates = [one.through([np.nan])[0] for _ in range(12)]
    assert rates[0] > BASAL and rates[-1] == BASAL


def test_a_gap_of_one_reading_is_bridged_and_an_old_one_is_not() -> None:
    one = Lived(Oref0())
    one.through(_line(180, 3))
    assert one.through([np.nan])[0] > BASAL
    for _ in range(6):
        rate, _ = one.through([np.nan])
    assert rate <= BASAL


def test_whoever_is_met_anew_has_no_past() -> None:
    agent = Oref0()
    first = Lived(agent).through(_line(180, 3))
    Lived(agent).through(_line(100, -3, 40), announced_g=80)
    assert Lived(agent).through(_line(180, 3)) == first


def test_insensitive_days_raise_the_ratio_and_so_the_rate() -> None:
    """Glucose that rises all day though insulin says it should not: autosens finds resistance."""
    agent = Oref0()
    one = Lived(agent)
    for _ in range(4):
        one.through([*_line(140, 1.0, 40), *_line(180, -0.9, 20)])
    seen: list[NDArray[np.float64]] = []
    original = loop.determine

    def watched(now, *rest):  # type: ignore[no-untyped-def]
        seen.append(now.autosens.copy())
        return original(now, *rest)

    loop.determine = watched
    try:
        one.through([150.0])
    finally:
        loop.determine = original
    assert seen[0][0] > 1


@pytest.mark.parametrize("interval", [3, 5])
def test_a_zero_rate_takes_what_scheduled_basal_would_have_done(interval: int) -> None:
    """Net of a schedule of 0 for hours behind and ahead: the activity is minus that of the schedule."""
    taps = INSULIN_HISTORY_MIN // interval
    net = np.full((1, taps), -BASAL * interval / 60)
    iob, acts, zero = Projection(interval).of(net, np.array([BASAL]))
    assert iob[0] < -1 and acts.shape == zero.shape == (1, TICKS)
    assert acts[0, 0] == pytest.approx(-BASAL / 60, rel=0.01)
    assert zero[0] == pytest.approx(-BASAL / 60, rel=0.01)
    assert acts[0, -1] == pytest.approx(0, abs=BASAL / 60 * 0.1)


def test_three_minute_readings_dose_much_like_five_minute_ones() -> None:
    five, _ = Lived(Oref0(), 5).through(_line(170, 2.5, 24))
    three, _ = Lived(Oref0(), 3).through(_line(170, 1.5, 40))
    assert three == pytest.approx(five, abs=0.3)


def test_they_are_treatments_by_name() -> None:
    for name in ("oref0", "oref1"):
        agent = load(name)
        assert isinstance(agent, Treatment) and isinstance(agent, Acquainted) and tier(name) == "T0"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"autosens_max": 0.9}, "must hold 1"),
        ({"min_carb_impact": -1.0}, "min_carb_impact is -1"),
        ({"max_cob_g": float("nan")}, "max_cob_g is nan"),
    ],
)
def test_preferences_that_make_no_sense_are_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Preferences(**changes)  # type: ignore[arg-type]


def test_a_target_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="target of oref0 is 60"):
        Oref0(target_mg_dl=60)
    assert ONE.therapy[0, BASAL_U_PER_H] == BASAL


def test_whoever_begins_anew_without_being_met_has_no_past() -> None:
    agent = Oref0()
    one = Lived(agent)
    one.through(_line(110, -4), announced_g=80)
    one.view.begin(LANE, np.array([120.0]), 0)
    assert one.through(_line(180, 3)) == Lived(Oref0()).through(_line(180, 3))


def test_time_in_which_it_was_not_asked_passes() -> None:
    """Readings of the gap are taken from the view, and a temporary rate runs out."""
    agent, readings = Oref0(), _line(140, 2, 30)
    one, always = Lived(agent), Lived(Oref0())
    wanted = always.through(readings)
    for number, value in enumerate(readings):
        one.view.see(np.array([value]), np.array([BASAL]), np.zeros(1), np.zeros(1), np.zeros(1))
        if number not in range(15, 25):
            asked = agent.act(one.view)
    assert asked.basal_u_per_h[0] == pytest.approx(wanted[0], abs=0.2)
    np.testing.assert_array_equal(agent._readings[0, :30], always.agent._readings[0, :30])
