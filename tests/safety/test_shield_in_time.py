"""The rule shield in time: readings, gaps, jumps and any request, in any order; every dose is counted apart.

A pump rounds what the shield allows as in the core, and what it delivers is what the view learns.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from envs import limits as limit
from envs import shield
from envs import view as v
from envs.shield import Reason
from envs.therapy import Request
from envs.view import View, insulin_on_board
from twins.cohort import ADOLESCENT, ADULT, CHILD
from twins.world import devices

DAY = 1440
_RATES = st.floats(0, 12) | st.sampled_from([0.0, 1e9])
_DOSES = st.floats(0, 20) | st.sampled_from([0.0, 0.0, 0.05, 2.0, 1e9])
_WRONG = st.sampled_from([math.nan, math.inf, -math.inf, -0.01, -1e9])


class Therapy(RuleBasedStateMachine):
    """One person whose sensor and agent do anything."""

    untold: int | None = None
    """A limit that the shield is not told of, so that the checks can be seen to fail."""

    @initialize(
        dt=st.sampled_from([1, 3, 5]),
        group=st.sampled_from([CHILD, ADOLESCENT, ADULT]),
        scheduled=st.floats(0.2, 2.0),
        daily=st.floats(1.3, 4.0),
        glucose=st.floats(60, 300),
    )
    def begins(self, dt: int, group: int, scheduled: float, daily: float, glucose: float) -> None:
        therapy = np.array([[scheduled, 10.0, 40.0, 140.0, 150.0, daily * 24 * scheduled, group]])
        self.dt, self.scheduled, self.glucose = dt, scheduled, glucose
        self.limits = limit.for_therapy(therapy)
        self.told = self.limits.copy()
        if self.untold is not None:
            self.told[:, self.untold] = 1e6
        self.view = View.empty(("somebody",), therapy, np.array([70.0]), dt)
        self.view.begin(np.zeros(1, np.int64), np.array([glucose]))
        self.carry = np.zeros(1)
        self.minutes = [scheduled / 60] * DAY
        self.doses = [scheduled * dt / 60] * (360 // dt)
        ages = dt * (np.arange(360 // dt)[::-1] + 0.5)
        self.curve = insulin_on_board(ages, v.PEAK_MIN["adult" if group == ADULT else "young"])
        self.since_bolus, self.age, self.since_jump = math.inf, 0, math.inf

    @rule(basal=_RATES, bolus=_DOSES, drift=st.floats(-3, 3), intervals=st.integers(1, 40))
    def a_course(self, basal: float, bolus: float, drift: float, intervals: int) -> None:
        """The same request again and again while glucose drifts (mg/dL/min) to where sensors end."""
        for _ in range(intervals):
            self.glucose = min(max(self.glucose + drift * self.dt, 39.0), 600.0)
            self.asks(basal, bolus, self.glucose)

    @rule(basal=_RATES, bolus=_DOSES, hours=st.integers(1, 6))
    def steady_hours(self, basal: float, bolus: float, hours: int) -> None:
        """At a glucose at which nothing forbids insulin; as long as it takes to fill an hour or a day."""
        self.glucose = min(max(self.glucose, 120.0), 250.0)
        for k in range(60 * hours // self.dt):
            self.asks(basal, bolus, self.glucose + 2 * (k % 3))

    @rule(basal=_RATES, bolus=_DOSES, by=st.floats(-250, 250).filter(lambda by: abs(by) > 41))
    def a_jump(self, basal: float, bolus: float, by: float) -> None:
        self.asks(basal, bolus, max(self.glucose + by, 15.0))

    @rule(basal=_RATES, bolus=_DOSES, intervals=st.integers(1, 30))
    def a_gap(self, basal: float, bolus: float, intervals: int) -> None:
        for _ in range(intervals):
            self.asks(basal, bolus, math.nan)

    @rule(reading=st.sampled_from([0.0, -5.0, 10.0, 1000.0, 1e9, math.inf]), basal=_RATES, bolus=_DOSES)
    def an_impossible_reading(self, reading: float, basal: float, bolus: float) -> None:
        self.asks(basal, bolus, reading)

    @rule(basal=_RATES | _WRONG, bolus=_WRONG, other_way=st.booleans())
    def an_invalid_request(self, basal: float, bolus: float, other_way: bool) -> None:
        self.asks(*((bolus, basal) if other_way else (basal, bolus)), self.glucose)

    @precondition(lambda self: self.since_bolus < 10)
    @rule(bolus=_DOSES)
    def a_bolus_at_once(self, bolus: float) -> None:
        self.asks(self.scheduled, bolus, self.glucose)

    def asks(self, basal: float, bolus: float, reading: float) -> None:
        """One control interval: the shield answers to what was seen, the pump delivers, the sensor reads `reading`."""
        asked = Request(np.array([basal]), np.array([bolus]))
        allowed, reason, _ = shield.rule(asked, self.view, self.told)
        self.check_allowed(basal, bolus, allowed.basal_u_per_h[0], allowed.bolus_u[0], Reason(reason[0]))
        pump = devices.pump()
        most = np.where(allowed.basal_u_per_h < asked.basal_u_per_h, allowed.basal_u_per_h, self.limits[:, 0])
        rate, dose = np.empty(1), np.empty(1)
        numbers = (pump.max_basal_u_per_h, pump.max_bolus_u, pump.basal_step_u_per_h, pump.bolus_step_u)
        devices.deliver(allowed.basal_u_per_h, allowed.bolus_u, most, numbers, self.carry, rate, dose)
        self.check_delivered(float(rate[0]), float(dose[0]))
        self.view.see(np.array([reading]), rate, dose, asked.bolus_u, allowed.bolus_u)
        self.since_jump += self.dt
        if math.isnan(reading):
            self.age += self.dt
        else:
            known = self.view.cgm_history_mg_dl[0, :-1]
            known = known[~np.isnan(known)]
            before = float(known[-1]) if len(known) else reading
            if reading != before and not abs(reading - before) <= min(40, 0.2 * min(reading, before)):
                self.since_jump = 0
            self.age, self.glucose = 0, min(max(reading, 39.0), 600.0)

    def check_allowed(self, basal: float, bolus: float, rate: float, dose: float, reason: Reason) -> None:
        seen, scheduled = self.view.now[0], self.scheduled
        valid = math.isfinite(basal) and math.isfinite(bolus) and basal >= 0 and bolus >= 0
        assert 0 <= rate <= self.limits[0, limit.MAX_BASAL_U_PER_H]
        assert 0 <= dose <= self.limits[0, limit.MAX_BOLUS_U]
        if valid:
            assert dose <= bolus and (rate <= basal or reason == Reason.STARVATION and rate <= scheduled)
        else:
            assert dose == 0 and rate <= scheduled and reason != Reason.NONE
        if dose > 0:
            assert self.since_bolus >= 3
        believed = self.age <= 15 and v.LOWEST_READING < seen[v.CGM_MG_DL] < 1000
        if not believed or self.since_jump < 15:
            assert dose == 0 and rate <= scheduled
        if believed and seen[v.CGM_MG_DL] < 70:
            assert dose == rate == 0
        net = float(self.curve @ (np.array(self.doses) - scheduled * self.dt / 60))
        room = max(self.limits[0, limit.MAX_IOB_U] - net, 0)
        assert dose + max(rate - scheduled, 0) * self.dt / 60 <= room + 1e-9

    def check_delivered(self, rate: float, dose: float) -> None:
        """Every window of 60 and of 1440 min that ends in this interval, whatever the shield counts itself."""
        new = [rate / 60 + (dose if minute == 0 else 0.0) for minute in range(self.dt)]
        self.minutes = [*self.minutes[-DAY:], *new]
        total = np.cumsum([0.0, *self.minutes])
        last = np.arange(len(self.minutes) - self.dt, len(self.minutes)) + 1
        assert (total[last] - total[last - 60]).max() <= self.limits[0, limit.MAX_HOURLY_U] + 1e-9
        day = max(self.limits[0, limit.MAX_DAILY_U], 24 * self.scheduled)
        assert (total[last] - total[np.maximum(last - DAY, 0)]).max() <= day + 1e-9
        self.since_bolus = self.dt if dose > 0 else self.since_bolus + self.dt
        self.doses = [*self.doses[1:], rate * self.dt / 60 + dose]


def _check(machine: type[Therapy], examples: int) -> None:
    check: Any = settings(
        max_examples=examples,
        stateful_step_count=10,
        deadline=None,
        derandomize=examples <= 200,
        database=None,
        report_multiple_bugs=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=check)


@pytest.mark.parametrize("dt", [1, 3, 5])
def test_a_bolus_counts_for_an_hour_and_for_24_to_25_hours(dt: int) -> None:
    """On top of scheduled basal, which counts also where none was given."""
    therapy = np.array([[1.2, 10.0, 40.0, 140.0, 150.0, 50.0, ADULT]])
    view = View.empty(("somebody",), therapy, np.array([70.0]), dt)
    view.begin(np.zeros(1, np.int64), np.array([140.0]))
    nothing, counted = np.zeros(1), {}
    for k in range(1, 26 * 60 // dt + 1):
        dose = 3.0 if k * dt == 30 else 0.0
        view.see(np.array([140.0]), nothing, np.array([dose]), nothing, nothing)
        counted[k * dt] = view.now[0, [v.COUNTED_1H_U, v.COUNTED_24H_U, v.SINCE_BOLUS_MIN]]
    basal = 1.2 * dt / 60  # the interval of the bolus counts with what it was given
    assert counted[30 - dt][0] == pytest.approx(1.2) and counted[30 - dt][2] == math.inf
    for minute, row in counted.items():
        with_bolus = 3.0 - basal if 30 <= minute < 90 else 0.0
        assert row[0] == pytest.approx(1.2 + with_bolus)
        held = 3.0 - basal if 30 <= minute < 25 * 60 + dt else 0.0
        clock_hours = 24 + (minute - 1) % 60 // dt * dt / 60 + dt / 60
        assert row[1] == pytest.approx(1.2 * clock_hours + held)
        assert row[2] == (minute - 30 + dt if minute >= 30 else math.inf)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [200, pytest.param(10_000, marks=pytest.mark.verify)])
def test_in_time(examples: int) -> None:
    _check(Therapy, examples)


@pytest.mark.parametrize(
    "untold",
    [limit.MAX_BASAL_U_PER_H, limit.MAX_BOLUS_U, limit.MAX_IOB_U, limit.MAX_HOURLY_U, limit.MAX_DAILY_U],
)
def test_a_shield_that_does_not_know_a_limit_is_found_out(untold: int) -> None:
    machine = type("Uninformed", (Therapy,), {"untold": untold})
    with pytest.raises(AssertionError):
        _check(machine, 200)
