"""The rule shield as a pure function: named situations, and laws that hold in every situation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from envs import limits as limit
from envs import shield
from envs import view as v
from envs.shield import Reason
from envs.therapy import Request
from envs.view import View
from twins.cohort import ADOLESCENT, ADULT, CHILD

NAN = math.nan
FIRST = np.zeros(1, np.int64)


@dataclass(frozen=True)
class Situation:
    """Readings up to now (NaN: a gap) of a person on scheduled basal, and what is asked for.

    iob_net, hour and day (insulin of the last hour and day that counts against the caps, U), since_bolus
    (min), slope (mg/dL/min), age of the last reading and running (min) are as computed from the readings'
    time on scheduled basal, unless they are given.
    """

    readings: Sequence[float]
    basal: float = 1.0
    bolus: float = 0.0
    scheduled: float = 1.0
    group: int = ADULT
    iob_net: float | None = None
    hour: float | None = None
    day: float | None = None
    since_bolus: float | None = None
    slope: float | None = None
    age: float | None = None
    running: float | None = None
    dt: int = 5
    max_iob: float | None = None
    daily: float = 40.0

    def view(self) -> View:
        """What the shield sees of it; the same at every call."""
        return self._view

    @cached_property
    def _view(self) -> View:
        therapy = np.array([[self.scheduled, 10.0, 40.0, 140.0, 150.0, self.daily, self.group]])
        seen = View.empty(("somebody",), therapy, np.array([70.0]), self.dt)
        readings = np.array(self.readings, float)
        seen.begin(FIRST, readings[:1])
        basal, none = np.array([self.scheduled]), np.zeros(1)
        for k in range(1, len(readings)):
            seen.see(readings[k : k + 1], basal, none, none, none)
        for column, value in (
            (v.IOB_NET_U, self.iob_net), (v.COUNTED_1H_U, self.hour), (v.COUNTED_24H_U, self.day),
            (v.SINCE_BOLUS_MIN, self.since_bolus), (v.SLOPE_MG_DL_PER_MIN, self.slope),
            (v.CGM_AGE_MIN, self.age),
            (v.RUNNING_MIN, self.running),
        ):  # fmt: skip
            if value is not None:
                seen.now[0, column] = value
        return seen

    def limits(self, view: View) -> Any:
        """The person's limits; `max_iob` may stand for another one."""
        table = limit.for_therapy(view.therapy)
        if self.max_iob is not None:
            table[0, limit.MAX_IOB_U] = self.max_iob
        return table

    def allowed(self) -> tuple[float, float, Reason, float]:
        """Basal in U/h, bolus in U, reason and margin that the rule shield answers with."""
        view = self.view()
        asked = Request(np.array([self.basal]), np.array([self.bolus]))
        done, reason, margin = shield.rule(asked, view, self.limits(view))
        return float(done.basal_u_per_h[0]), float(done.bolus_u[0]), Reason(reason[0]), float(margin[0])


def calm(glucose: float, count: int = 12) -> list[float]:
    """Readings that end at `glucose` with no trend, but not flat either."""
    return ([glucose, glucose + 2, glucose + 2, glucose] * (count // 4 + 1))[-count:]


def trend(glucose: float, per_min: float, dt: int = 5) -> list[float]:
    """Readings that end at `glucose` on a straight line."""
    return [glucose - per_min * dt * k for k in range(11, -1, -1)]


S = Situation
STARVED: dict[str, Any] = {"basal": 0.0, "iob_net": -1.0}
# 0.75 U/h are 0.0625 U in 5 min: with ROUNDING_U, sums that are exact
ALMOST_AN_HOUR, ALMOST_A_DAY = 20 - 0.0625 - limit.ROUNDING_U, 80 - 0.0625 - limit.ROUNDING_U

SITUATIONS: dict[str, tuple[Situation, float, float, Reason]] = {
    # what is within all limits
    "a usual dose at a usual glucose is given as asked": (S(calm(140), 1.2, 3.0), 1.2, 3.0, Reason.NONE),
    "no insulin at all may be asked for below 100": (S(calm(99.5), 0.0), 0.0, 0.0, Reason.NONE),
    "no insulin at all may be asked for while a bolus works": (
        S(calm(140), 0.0, iob_net=0.1), 0.0, 0.0, Reason.NONE),
    "less than scheduled basal may be asked for": (S(calm(140), 0.3), 0.3, 0.0, Reason.NONE),
    # caps
    "basal at three times the scheduled rate is allowed": (S(calm(140), 3.0), 3.0, 0.0, Reason.NONE),
    "basal above three times the scheduled rate is capped": (S(calm(140), 3.01), 3.0, 0.0, Reason.MAX_BASAL),
    "a child's basal is capped at 2 U/h": (S(calm(140), 2.5, group=CHILD), 2.0, 0.0, Reason.MAX_BASAL),
    "an adolescent's basal is capped at 5 U/h": (
        S(calm(140), 5.5, scheduled=2.0, group=ADOLESCENT), 5.0, 0.0, Reason.MAX_BASAL),
    "a child's 2 U/h are allowed": (S(calm(140), 2.0, group=CHILD), 2.0, 0.0, Reason.NONE),
    "an adolescent's 5 U/h are allowed": (
        S(calm(140), 5.0, scheduled=2.0, group=ADOLESCENT), 5.0, 0.0, Reason.NONE),
    "an adult's 10 U/h are allowed": (S(calm(140), 10.0, scheduled=4.0, daily=120.0), 10.0, 0.0, Reason.NONE),
    "an adult's basal is capped at 10 U/h": (
        S(calm(140), 11.0, scheduled=4.0, daily=120.0), 10.0, 0.0, Reason.MAX_BASAL),
    "a bolus at an adult's cap of 17 U is allowed": (S(calm(140), 1.0, 17.0), 1.0, 17.0, Reason.NONE),
    "a bolus above an adult's cap of 17 U is capped": (S(calm(140), 1.0, 17.5), 1.0, 17.0, Reason.MAX_BOLUS),
    "an adolescent's bolus of 10 U is allowed": (
        S(calm(140), 1.0, 10.0, group=ADOLESCENT), 1.0, 10.0, Reason.NONE),
    "a child's bolus of 5 U is allowed": (S(calm(140), 0.5, 5.0, 0.5, CHILD), 0.5, 5.0, Reason.NONE),
    "an adolescent's bolus is capped at 10 U": (
        S(calm(140), 1.0, 12.0, group=ADOLESCENT), 1.0, 10.0, Reason.MAX_BOLUS),
    "a child's bolus is capped at 5 U": (S(calm(140), 0.5, 9.0, 0.5, CHILD), 0.5, 5.0, Reason.MAX_BOLUS),
    "a billion units become the cap": (S(calm(140), 1e9, 1e9, iob_net=0.0), 3.0, 17.0, Reason.MAX_BOLUS),
    "a bolus up to the limit of insulin on board is allowed": (
        S(calm(140), 1.0, 2.0, iob_net=20.0), 1.0, 2.0, Reason.NONE),
    "a bolus beyond the limit of insulin on board is cut": (
        S(calm(140), 1.0, 2.5, iob_net=20.0), 1.0, 2.0, Reason.MAX_IOB),
    "at 9.5 U of 10 U on board 0.65 U become 0.5 U": (  # Loop's testAutoBolusMaxIOBClamping
        S(calm(140), 1.0, 0.65, iob_net=9.5, max_iob=10.0), 1.0, 0.5, Reason.MAX_IOB),
    "an adolescent's insulin on board is limited to 13 U": (
        S(calm(140), 1.0, 9.0, group=ADOLESCENT, iob_net=10.0), 1.0, 3.0, Reason.MAX_IOB),
    "a child's insulin on board is limited to 7 U": (
        S(calm(140), 0.5, 5.0, 0.5, CHILD, iob_net=4.0), 0.5, 3.0, Reason.MAX_IOB),
    "at the limit of insulin on board scheduled basal goes on": (
        S(calm(140), 1.0, 0.0, iob_net=22.0), 1.0, 0.0, Reason.NONE),
    "at the limit of insulin on board nothing more is given": (
        S(calm(140), 3.0, 1.0, iob_net=22.0), 1.0, 0.0, Reason.MAX_IOB),
    "above the limit of insulin on board scheduled basal goes on": (
        S(calm(140), 3.0, 1.0, iob_net=30.0), 1.0, 0.0, Reason.MAX_IOB),
    "basal above schedule counts as insulin on board": (
        S(calm(140), 3.0, 0.0, iob_net=21.9), 2.2, 0.0, Reason.MAX_IOB),
    "where bolus and basal share the room the bolus comes first": (
        S(calm(140), 3.0, 0.05, iob_net=21.9), 1.6, 0.05, Reason.MAX_IOB),
    "insulin owed after a suspension leaves more room, up to the cap of a bolus": (
        S(calm(140), 1.0, 20.0, iob_net=-5.0), 1.0, 17.0, Reason.MAX_BOLUS),
    "what little room there is may be used": (
        S(calm(140), 1.0, 0.0625, iob_net=21.9375), 1.0, 0.0625, Reason.NONE),
    "insulin on board that is not known leaves room for none": (
        S(calm(140), 2.0, 1.0, iob_net=NAN), 1.0, 0.0, Reason.MAX_IOB),
    # the interval between boluses
    "a bolus 3 min after the last is allowed": (S(calm(140), 1.0, 1.0, since_bolus=3.0), 1.0, 1.0, Reason.NONE),
    "a bolus 2.98 min after the last is withheld": (
        S(calm(140), 1.0, 1.0, since_bolus=2.98), 1.0, 0.0, Reason.BOLUS_INTERVAL),
    "not even 0.05 U are given 1 min after a bolus": (
        S(calm(140), 1.0, 0.05, since_bolus=1.0), 1.0, 0.0, Reason.BOLUS_INTERVAL),
    "basal waits for no bolus": (S(calm(140), 3.0, since_bolus=1.0), 3.0, 0.0, Reason.NONE),
    "when the last bolus was is not known": (
        S(calm(140), 1.0, 1.0, since_bolus=NAN), 1.0, 0.0, Reason.BOLUS_INTERVAL),
    # the sum of an hour: one largest bolus and four hours' basal
    "what an hour still has room for is allowed": (
        S(calm(140), 0.75, 2.0, 0.75, hour=ALMOST_AN_HOUR - 2), 0.75, 2.0, Reason.NONE),
    "a bolus beyond what an hour has room for is cut": (
        S(calm(140), 0.75, 2.5, 0.75, hour=ALMOST_AN_HOUR - 2), 0.75, 2.0, Reason.MAX_HOURLY),
    "basal above schedule takes what the bolus leaves of an hour": (
        S(calm(140), 2.25, 0.5, 0.75, hour=ALMOST_AN_HOUR - 0.5625), 1.5, 0.5, Reason.MAX_HOURLY),
    "scheduled basal goes on in an hour that is full": (
        S(calm(140), 2.0, 1.0, 0.75, hour=25.0), 0.75, 0.0, Reason.MAX_HOURLY),
    "an hour that is not known is full": (
        S(calm(140), 2.0, 1.0, 0.75, hour=NAN), 0.75, 0.0, Reason.MAX_HOURLY),
    "a child's hour has room for 5 U and four hours' basal": (
        S(calm(140), 0.75, 5.0, 0.75, CHILD, hour=7.5 - 0.0625 - limit.ROUNDING_U), 0.75, 0.5, Reason.MAX_HOURLY),
    # the sum of a day: twice the daily insulin
    "what a day still has room for is allowed": (
        S(calm(140), 0.75, 2.0, 0.75, day=ALMOST_A_DAY - 2), 0.75, 2.0, Reason.NONE),
    "a bolus beyond what a day has room for is cut": (
        S(calm(140), 0.75, 2.5, 0.75, day=ALMOST_A_DAY - 2), 0.75, 2.0, Reason.MAX_DAILY),
    "basal above schedule takes what the bolus leaves of a day": (
        S(calm(140), 2.25, 0.5, 0.75, day=ALMOST_A_DAY - 0.5625), 1.5, 0.5, Reason.MAX_DAILY),
    "scheduled basal goes on in a day that is full": (
        S(calm(140), 2.0, 1.0, 0.75, day=85.0), 0.75, 0.0, Reason.MAX_DAILY),
    "a day that is not known is full": (S(calm(140), 2.0, 1.0, 0.75, day=NAN), 0.75, 0.0, Reason.MAX_DAILY),
    "who needs little has a small day": (
        S(calm(140), 0.75, 9.0, 0.75, day=18.0 - 0.0625 - limit.ROUNDING_U, daily=10.0), 0.75, 2.0,
        Reason.MAX_DAILY),
    # low glucose, now
    "a reading of 70 that rises is no low": (S(trend(70, 0.5), 1.0, 1.0), 1.0, 1.0, Reason.NONE),
    "a reading below 70 stops all insulin": (S(trend(69.5, 0.5), 1.0, 1.0), 0.0, 0.0, Reason.LOW),
    "a low that rises fast stops all insulin too": (S(trend(69, 2.5), 1.0, 1.0), 0.0, 0.0, Reason.LOW),
    "a sensor at its lower end stops all insulin": (S([39.0] * 12, 1.0, 1.0), 0.0, 0.0, Reason.LOW),
    "a bolus without basal is stopped in a low": (S(calm(60), 0.0, 2.0), 0.0, 0.0, Reason.LOW),
    "a bolus without basal is stopped before a low": (S(calm(79), 0.0, 2.0), 0.0, 0.0, Reason.PREDICTED_LOW),
    "not even 0.05 U/h are given in a low": (S(calm(60), 0.05), 0.0, 0.0, Reason.LOW),
    "not even 0.05 U are given in a low": (S(calm(60), 0.0, 0.05), 0.0, 0.0, Reason.LOW),
    "nothing is changed where nothing was asked for in a low": (S(calm(60), 0.0), 0.0, 0.0, Reason.NONE),
    # low glucose, soon
    "a prediction of 80 is allowed": (S(trend(110, -1.0), 1.0, 1.0), 1.0, 1.0, Reason.NONE),
    "a prediction below 80 stops all insulin": (
        S(trend(109.5, -1.0), 1.0, 1.0), 0.0, 0.0, Reason.PREDICTED_LOW),
    "a calm 80 is allowed": (S(calm(80)), 1.0, 0.0, Reason.NONE),
    "a calm 79.5 stops all insulin": (S(calm(79.5)), 0.0, 0.0, Reason.PREDICTED_LOW),
    "a trend that is not known stops all insulin": (
        S(calm(140), 1.0, 1.0, slope=NAN), 0.0, 0.0, Reason.PREDICTED_LOW),
    "a steep fall from 200 stops all insulin": (
        S(trend(200, -4.5), 1.0, 1.0), 0.0, 0.0, Reason.PREDICTED_LOW),
    # a sensor that cannot be trusted
    "a reading 15 min old is still fresh": (
        S(calm(140) + [NAN] * 3, 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "a reading 20 min old is stale: no dose above schedule": (
        S(calm(140) + [NAN] * 4, 2.0, 1.0), 1.0, 0.0, Reason.STALE),
    "by the minute, a reading 15 min old is still fresh": (
        S(calm(140) + [NAN] * 15, 2.0, 1.0, dt=1), 2.0, 1.0, Reason.NONE),
    "by the minute, a reading 16 min old is stale": (
        S(calm(140) + [NAN] * 16, 2.0, 1.0, dt=1), 1.0, 0.0, Reason.STALE),
    "a reading 15.2 min old is stale": (S(calm(140), 2.0, 1.0, age=15.2), 1.0, 0.0, Reason.STALE),
    "a sensor that never spoke is stale": (S([NAN], 2.0, 1.0), 1.0, 0.0, Reason.STALE),
    "a stale sensor does not change less than schedule": (
        S(calm(140) + [NAN] * 6, 0.4), 0.4, 0.0, Reason.NONE),
    "scheduled basal goes on under a stale sensor": (S(calm(140) + [NAN] * 6), 1.0, 0.0, Reason.NONE),
    "a bolus without basal is withheld under a stale sensor": (
        S(calm(140) + [NAN] * 4, 0.0, 1.0), 0.0, 0.0, Reason.STALE),
    "not even 0.05 U are given under a stale sensor": (
        S(calm(140) + [NAN] * 4, 0.5, 0.05), 0.5, 0.0, Reason.STALE),
    "a low that has become stale suspends no longer": (
        S(calm(60) + [NAN] * 4, 2.0, 1.0), 1.0, 0.0, Reason.STALE),
    "a low 15 min ago still suspends": (S(calm(60) + [NAN] * 3, 2.0, 1.0), 0.0, 0.0, Reason.LOW),
    "a reading of 30 is impossible": (S([*calm(140), 30.0], 2.0, 1.0), 1.0, 0.0, Reason.IMPOSSIBLE),
    "a reading of 12, which is one in mmol/L, is impossible": (
        S([12.0] * 12, 2.0, 1.0), 1.0, 0.0, Reason.IMPOSSIBLE),
    "a reading of 0 is impossible": (S([*calm(140), 0.0], 2.0, 1.0), 1.0, 0.0, Reason.IMPOSSIBLE),
    "a reading of 1000 is impossible": (S([*calm(140), 1000.0], 2.0, 1.0), 1.0, 0.0, Reason.IMPOSSIBLE),
    "an infinite reading is impossible": (S([*calm(140), math.inf], 2.0, 1.0), 1.0, 0.0, Reason.IMPOSSIBLE),
    "an impossible reading that has become old is stale first": (
        S([*calm(140), 5.0, NAN, NAN, NAN, NAN], 2.0, 1.0), 1.0, 0.0, Reason.STALE),
    "a reading of 31 is possible, and low": (S([*calm(35), 31.0], 2.0, 1.0), 0.0, 0.0, Reason.LOW),
    "a jump of 40 is believed": (S([*calm(240), 280.0], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "a jump of 40.5 is not": (S([*calm(240), 280.5], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "a fall of 40 is believed": (S([*calm(240), 200.0], 2.0, 1.0, slope=0.0), 2.0, 1.0, Reason.NONE),
    "a fall of 41 is not believed either": (S([*calm(240), 199.0], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "a jump of a fifth is believed": (S([*calm(100), 120.0], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "a jump of more than a fifth is not": (S([*calm(100), 120.25], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "a fall of a fifth is believed": (S([*calm(120), 100.0], 2.0, 1.0, slope=0.0), 2.0, 1.0, Reason.NONE),
    "a fall of more than a fifth is not": (
        S([*calm(120.5), 100.0], 2.0, 1.0, slope=0.0), 1.0, 0.0, Reason.JUMP),
    "a jump across a gap is a jump": (
        S([*calm(140), NAN, NAN, 190.0], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "a jump across a long gap is a jump": (
        S([*calm(140), *[NAN] * 40, 190.0], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "after a gap a reading near the one before it is believed": (
        S([*calm(140), *[NAN] * 40, 150.0], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "a jump that nothing has confirmed is not believed while it is fresh": (
        S([*calm(140), 190.0, NAN, NAN, NAN], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "the first reading after four silent hours is not believed": (
        S([*calm(140), *[NAN] * 48, 140.0], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "the second one is": (S([*calm(140), *[NAN] * 48, 140.0, 142.0], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "the very first reading is believed": (S([140.0], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "a fall of 41 whose trend leads below 80 stops all insulin": (
        S([*calm(150), 109.0], 2.0, 1.0), 0.0, 0.0, Reason.PREDICTED_LOW),
    "a jump is remembered for 15 min": (
        S([*calm(140), 190.0, 191.0, 190.0], 2.0, 1.0), 1.0, 0.0, Reason.JUMP),
    "after 15 min a jump is forgotten": (
        S([*calm(140), 190.0, 191.0, 190.0, 190.0], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "by the minute, a jump is remembered for 15 min": (
        S([*calm(140), *[190.0, 191.0] * 7, 190.0], 2.0, 1.0, dt=1), 1.0, 0.0, Reason.JUMP),
    "by the minute, after 15 min a jump is forgotten": (
        S([*calm(140), *[190.0, 191.0] * 8], 2.0, 1.0, dt=1), 2.0, 1.0, Reason.NONE),
    "a jump into a low suspends": (S([*calm(120), 60.0], 2.0, 1.0), 0.0, 0.0, Reason.LOW),
    "45 min without a change are flat": (S([130.0, *[140.0] * 10], 2.0, 1.0), 1.0, 0.0, Reason.FLAT),
    "40 min without a change are not flat": (S([130.0, *[140.0] * 9], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "45 min within less than 1 mg/dL are flat": (
        S([130.0, *[140.0, 140.99] * 5], 2.0, 1.0), 1.0, 0.0, Reason.FLAT),
    "45 min within 1 mg/dL are not flat": (S([130.0, *[140.0, 141.0] * 5], 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "with a gap in the last 45 min nothing is flat": (
        S([140.0] * 5 + [NAN] + [140.0] * 7, 2.0, 1.0), 2.0, 1.0, Reason.NONE),
    "45 flat minutes at 3 min are 16 readings": (
        S([130.0, *[140.0] * 16], 2.0, 1.0, dt=3), 1.0, 0.0, Reason.FLAT),
    "45 flat minutes by the minute are 46 readings": (
        S([130.0, *[140.0] * 46], 2.0, 1.0, dt=1), 1.0, 0.0, Reason.FLAT),
    "44 flat minutes by the minute are not flat": (
        S([130.0, *[140.0] * 45], 2.0, 1.0, dt=1), 2.0, 1.0, Reason.NONE),
    "42 flat minutes at 3 min are not flat": (
        S([130.0, *[140.0] * 15], 2.0, 1.0, dt=3), 2.0, 1.0, Reason.NONE),
    "a flat sensor does not change scheduled basal": (S([140.0] * 12), 1.0, 0.0, Reason.NONE),
    "flat in a low suspends": (S([65.0] * 12, 2.0, 1.0), 0.0, 0.0, Reason.LOW),
    # the order of checks
    "a dose above a cap under a stale sensor names the sensor": (
        S(calm(140) + [NAN] * 4, 9.0, 99.0), 1.0, 0.0, Reason.STALE),
    "a dose above a cap in a low names the low": (S(calm(60), 9.0, 99.0), 0.0, 0.0, Reason.LOW),
    "a later check that changes nothing leaves the earlier reason": (
        S(calm(140), 9.0, 0.0), 3.0, 0.0, Reason.MAX_BASAL),
    "an invalid request in a fall that ends low gives nothing": (
        S(trend(120, -2.0), NAN), 0.0, 0.0, Reason.PREDICTED_LOW),
    # the fallback
    "no request becomes scheduled basal": (S(calm(140), NAN, NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "a basal that is no number drops the bolus with it": (
        S(calm(140), NAN, 2.0), 1.0, 0.0, Reason.INVALID_REQUEST),
    "a bolus that is no number falls back": (S(calm(140), 0.2, NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "infinite basal falls back": (S(calm(140), math.inf), 1.0, 0.0, Reason.INVALID_REQUEST),
    "an infinite bolus falls back": (S(calm(140), 1.0, math.inf), 1.0, 0.0, Reason.INVALID_REQUEST),
    "minus infinity falls back": (S(calm(140), -math.inf), 1.0, 0.0, Reason.INVALID_REQUEST),
    "negative basal falls back": (S(calm(140), -0.01), 1.0, 0.0, Reason.INVALID_REQUEST),
    "a negative bolus falls back": (S(calm(140), 1.0, -0.01), 1.0, 0.0, Reason.INVALID_REQUEST),
    "minus zero is zero": (S(calm(99), -0.0, -0.0), 0.0, 0.0, Reason.NONE),
    "the fallback is nothing when the last valid reading is below 80": (
        S([*trend(79.5, 1.0)], NAN), 0.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback is scheduled basal when the last valid reading is 80": (
        S([*trend(80, 1.0)], NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "an impossible reading does not count as the last valid one": (
        S([*calm(75), 5.0], NAN), 0.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback is nothing where readings are stale and were falling": (
        S(trend(200, -1.0) + [NAN] * 4, NAN), 0.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback is scheduled basal where readings that were falling are 15 min old": (
        S(trend(200, -1.0) + [NAN] * 3, NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "a fall of half a unit a minute is not yet falling": (
        S(trend(200, -0.5) + [NAN] * 4, NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "a fall of a little more is": (
        S(trend(200, -0.5) + [NAN] * 4, NAN, slope=-0.505), 0.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback is scheduled basal where readings are stale and were calm": (
        S(calm(140) + [NAN] * 4, NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback is nothing where readings are stale and were low": (
        S(calm(60) + [NAN] * 4, NAN), 0.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback is scheduled basal where there never was a reading": (
        S([NAN] * 12, NAN), 1.0, 0.0, Reason.INVALID_REQUEST),
    "the fallback stays below the cap of the age group": (
        S(calm(140), NAN, scheduled=2.5, group=CHILD), 2.0, 0.0, Reason.MAX_BASAL),
    # starvation
    "who asks for nothing at 150 gets scheduled basal": (
        S(calm(150), **STARVED), 1.0, 0.0, Reason.STARVATION),
    "a trickle is starvation as well": (
        S(calm(150), **STARVED | {"basal": 0.2475}), 1.0, 0.0, Reason.STARVATION),
    "a quarter of schedule is not starvation": (S(calm(150), **STARVED | {"basal": 0.25}), 0.25, 0.0, Reason.NONE),
    "starvation keeps the bolus that was asked for": (
        S(calm(150), bolus=0.7, **STARVED), 1.0, 0.7, Reason.STARVATION),
    "a bolus that makes up for basal is no starvation": (
        S(calm(150), bolus=1.125, **STARVED), 0.0, 1.125, Reason.NONE),
    "nobody starves with a tenth of an hour's basal on board": (
        S(calm(150), **STARVED | {"iob_net": 0.1}), 0.0, 0.0, Reason.NONE),
    "with a little less on board one may": (
        S(calm(150), **STARVED | {"iob_net": 0.099}), 1.0, 0.0, Reason.STARVATION),
    "who needs little starves at less than a quarter of that": (
        S(calm(150), **STARVED | {"basal": 0.2}, scheduled=0.5), 0.2, 0.0, Reason.NONE),
    "who needs little is not starved with a tenth of an hour of that on board": (
        S(calm(150), **STARVED | {"iob_net": 0.06}, scheduled=0.5), 0.0, 0.0, Reason.NONE),
    "nobody starves with unknown insulin on board": (
        S(calm(150), **STARVED | {"iob_net": NAN}), 0.0, 0.0, Reason.NONE),
    "nobody starves below 100": (S(calm(99.5), **STARVED), 0.0, 0.0, Reason.NONE),
    "at 100 one may": (S(calm(100), **STARVED), 1.0, 0.0, Reason.STARVATION),
    "below 180 less than schedule may be asked for": (
        S(calm(179.5), **STARVED | {"basal": 0.9}), 0.9, 0.0, Reason.NONE),
    "from 180 on less than schedule is starvation": (
        S(calm(180), **STARVED | {"basal": 0.9}), 1.0, 0.0, Reason.STARVATION),
    "while a bolus works less than schedule may be asked for at 300": (
        S(calm(300), 0.0, iob_net=2.0), 0.0, 0.0, Reason.NONE),
    "nobody starves while a low is predicted": (S(trend(150, -2.5), **STARVED), 0.0, 0.0, Reason.NONE),
    "nobody starves while 79.5 is predicted": (S(trend(109.5, -1.0), **STARVED), 0.0, 0.0, Reason.NONE),
    "while 80 is predicted one may": (S(trend(110, -1.0), **STARVED), 1.0, 0.0, Reason.STARVATION),
    "nobody starves under a stale sensor": (S(calm(150) + [NAN] * 4, **STARVED), 0.0, 0.0, Reason.NONE),
    "nobody starves under a flat sensor": (S([150.0] * 12, **STARVED), 0.0, 0.0, Reason.NONE),
    "nobody starves under a jumping sensor": (S([*calm(150), 191.0], **STARVED), 0.0, 0.0, Reason.NONE),
    "nobody starves under an impossible reading": (S([*calm(150), 1e4], **STARVED), 0.0, 0.0, Reason.NONE),
    "below 250 nobody starves under a flat sensor": (S([249.5] * 12, **STARVED), 0.0, 0.0, Reason.NONE),
    "a sensor that stands still at 250 hides no starvation": (
        S([250.0] * 12, **STARVED), 1.0, 0.0, Reason.STARVATION),
    "a sensor at its upper end hides no starvation": (S([600.0] * 12, **STARVED), 1.0, 0.0, Reason.STARVATION),
    "a jump to 300 hides no starvation": (S([*calm(150), 300.0], **STARVED), 1.0, 0.0, Reason.STARVATION),
    "a stale 300 tells nothing": (S(calm(300) + [NAN] * 4, **STARVED), 0.0, 0.0, Reason.NONE),
    "who asks for scheduled basal is not starved": (
        S(calm(150), **STARVED | {"basal": 1.0}), 1.0, 0.0, Reason.NONE),
    "what is restored stays below the cap of the age group": (
        S(calm(150), scheduled=2.5, group=CHILD, **STARVED), 2.0, 0.0, Reason.STARVATION),
    "what is restored needs no room in a full hour or day": (
        S(calm(150), hour=99.0, day=999.0, **STARVED), 1.0, 0.0, Reason.STARVATION),
}  # fmt: skip


def test_reasons_are_numbered_in_the_order_of_the_checks() -> None:
    assert shield.REASONS == (
        "none", "invalid_request", "max_basal", "max_bolus", "bolus_interval", "max_iob", "max_hourly", "max_daily",
        "stale", "impossible", "jump", "flat", "predicted_low", "low", "starvation", "twin",
    )  # fmt: skip
    assert [int(reason) for reason in shield.Reason] == list(range(16))


@pytest.mark.kernels
@pytest.mark.parametrize("sentence", SITUATIONS)
def test_situation(sentence: str) -> None:
    situation, basal, bolus, reason = SITUATIONS[sentence]
    got = situation.allowed()
    assert got[:3] == (pytest.approx(basal, abs=1e-12), pytest.approx(bolus, abs=1e-12), reason)


def _answers(requested: float, glucose: float, hours: int = 48) -> tuple[list[Reason], float]:
    """The reasons of a fast at one glucose with a constant request, and the share of scheduled basal given."""
    view = Situation(calm(glucose, 2)).view()
    none, asked = np.zeros(1), Request(np.array([requested]), np.zeros(1))
    reasons, given = [], []
    for k in range(12 * hours):
        allowed, reason, _ = shield.rule(asked, view, limit.for_therapy(view.therapy))
        reasons.append(Reason(reason[0]))
        given.append(allowed.basal_u_per_h[0])
        view.see(np.array([glucose + 2 * (k % 3)]), allowed.basal_u_per_h, allowed.bolus_u, none, none)
    return reasons, float(np.mean(given))


@pytest.mark.parametrize(
    ("requested", "glucose", "reason", "share"),
    [
        (0.0, 150.0, Reason.STARVATION, 1.0),
        (0.2, 150.0, Reason.STARVATION, 1.0),
        (0.5, 150.0, Reason.NONE, 0.5),
        (0.5, 190.0, Reason.STARVATION, 1.0),
        (0.0, 90.0, Reason.NONE, 0.0),
    ],
)
def test_a_lasting_reduction_in_a_fast(
    requested: float, glucose: float, reason: Reason, share: float
) -> None:
    """Also when it is lived through, with insulin on board as the view keeps it."""
    reasons, given = _answers(requested, glucose)
    assert set(reasons) == {reason} and given == pytest.approx(share)


@pytest.mark.kernels
def test_the_margin_is_how_far_glucose_and_its_prediction_are_above_their_thresholds() -> None:
    assert Situation(calm(140)).allowed()[3] == 60.0  # the prediction is nearer to 80 than glucose to 70
    assert Situation(trend(100, 1.0)).allowed()[3] == 30.0  # glucose is nearer to 70
    assert Situation(trend(120, -2.0)).allowed()[3] == -20.0
    for untrusted in ([*calm(140), 5.0], [*calm(140), NAN, NAN, NAN, NAN]):
        assert math.isnan(Situation(untrusted).allowed()[3])


@pytest.mark.kernels
def test_lanes_do_not_know_of_each_other() -> None:
    """All situations at 5 min at once are answered as one by one."""
    cases = [case for case, *_ in SITUATIONS.values() if case.dt == 5 and case.max_iob is None]
    views = [case.view() for case in cases]
    many = View.empty(
        tuple(map(str, range(len(cases)))),
        np.concatenate([view.therapy for view in views]),
        np.full(len(cases), 70.0),
        5,
    )
    many.now[:] = np.concatenate([view.now for view in views])
    for lane, view in enumerate(views):
        many.cgm_buffer[lane] = np.tile(view.cgm_history_mg_dl[0], 2)
    asked = Request(np.array([case.basal for case in cases]), np.array([case.bolus for case in cases]))
    allowed, reason, margin = shield.rule(asked, many, limit.for_therapy(many.therapy))
    alone = [case.allowed() for case in cases]
    np.testing.assert_array_equal(
        np.column_stack([allowed.basal_u_per_h, allowed.bolus_u, reason, margin]), np.array(alone)
    )


@pytest.mark.kernels
@pytest.mark.parametrize("name", shield.SHIELDS)
def test_a_shield_writes_to_nothing_that_it_is_given(name: str) -> None:
    view = Situation(calm(60)).view()
    limits, plan = limit.for_therapy(view.therapy), np.ones((1, 3))
    asked = Request(np.array([9.0]), np.array([NAN]), plan)
    before = [x.copy() for x in (view.now, view.cgm_buffer, view.insulin_buffer, view.therapy, limits)]
    allowed, _, _ = shield.SHIELDS[name](asked, view, limits, belief=None)
    for old, new in zip(
        before, (view.now, view.cgm_buffer, view.insulin_buffer, view.therapy, limits), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal([asked.basal_u_per_h[0], asked.bolus_u[0]], [9.0, NAN])
    assert allowed.plan is plan and not np.shares_memory(allowed.basal_u_per_h, asked.basal_u_per_h)


@pytest.mark.kernels
def test_without_a_shield_a_valid_request_stands_and_an_invalid_one_falls_back() -> None:
    def answer(situation: Situation) -> tuple[float, float, Reason]:
        view = situation.view()
        asked = Request(np.array([situation.basal]), np.array([situation.bolus]))
        done, reason, margin = shield.off(asked, view, limit.for_therapy(view.therapy))
        assert math.isnan(margin[0])
        return float(done.basal_u_per_h[0]), float(done.bolus_u[0]), Reason(reason[0])

    assert answer(S(calm(50), 1e9, 1e9)) == (1e9, 1e9, Reason.NONE)
    assert answer(S([NAN], 5.0, 5.0)) == (5.0, 5.0, Reason.NONE)
    for wrong in (NAN, math.inf, -1.0):
        assert answer(S(calm(140), wrong, 2.0)) == (1.0, 0.0, Reason.INVALID_REQUEST)
        assert answer(S(trend(79.5, 1.0), 1.0, wrong)) == (0.0, 0.0, Reason.INVALID_REQUEST)


def test_limits_are_those_of_the_age_group_and_of_the_own_basal() -> None:
    therapy = np.zeros((4, 7))
    therapy[:, 0] = 0.4, 2.0, 1.2, 5.0
    therapy[:, 6] = CHILD, ADOLESCENT, ADULT, ADULT
    therapy[:, 5] = 18.0, 50.0, 40.0, 100.0
    assert pytest.approx(0.0078125) == limit.ROUNDING_U
    np.testing.assert_allclose(
        limit.for_therapy(therapy),
        [[1.2, 5, 7, 6.6, 36], [5, 10, 13, 18, 100], [3.6, 17, 22, 21.8, 80], [10, 17, 22, 37, 200]],
    )


# --- laws ------------------------------------------------------------------------------------------------
_GRID = st.integers(24, 800).map(lambda k: k / 2)  # 12 ... 400 in halves: sums are exact
_READINGS = st.lists(_GRID, min_size=1, max_size=16) | st.builds(
    lambda start, steps: [max(start + sum(steps[:k]) / 2, 12.0) for k in range(len(steps) + 1)],
    _GRID,
    st.lists(st.integers(-30, 30), max_size=15),
)
_WITH_GAPS = st.builds(
    lambda readings, gaps: [NAN if gap else g for g, gap in zip(readings, gaps, strict=False)],
    _READINGS,
    st.lists(st.sampled_from([False, False, False, True]), min_size=16, max_size=16),
)
_HIGH = st.lists(st.integers(340, 400).map(float), min_size=1, max_size=16)  # of a known trend
_ANY_READINGS = _WITH_GAPS | st.lists(
    st.one_of(st.floats(-100, 1300), st.just(NAN), st.just(math.inf), _GRID), min_size=1, max_size=16
)
_VALID = st.floats(0, 8) | st.floats(0, 1e9)
_ANY = _VALID | st.floats()


def _situations(readings: Any, dose: Any, wild: bool = False) -> Any:
    """Situations; `wild`: what the view says of insulin may be any number or none."""

    def amount(least: float, most: float) -> Any:
        usual = st.none() | st.floats(least, most)
        return usual | st.floats() if wild else usual

    return st.builds(
        Situation,
        readings=readings,
        basal=dose,
        bolus=dose,
        scheduled=st.floats(0.05, 6.0),
        group=st.sampled_from([CHILD, ADOLESCENT, ADULT]),
        iob_net=st.floats(-5, 30) | st.floats() if wild else st.floats(-5, 30),
        hour=amount(0, 40),
        day=amount(0, 300),
        since_bolus=amount(0, 10),
        slope=st.none() | st.floats() if wild else st.none(),
        running=st.floats(0, 400),
        dt=st.sampled_from([1, 3, 5]),
        daily=st.floats(10, 150),
    )


def _valid(situation: Situation) -> bool:
    return all(math.isfinite(x) and x >= 0 for x in (situation.basal, situation.bolus))


def _fault(case: Situation) -> bool:
    """Whether the sensor is stale, impossible, jumping or flat, counted from the readings themselves."""
    known = [k for k, reading in enumerate(case.readings) if not math.isnan(reading)]
    if not known or (len(case.readings) - 1 - known[-1]) * case.dt > 15:
        return True
    newest = case.readings[known[-1]]
    if not v.LOWEST_READING < newest < 1000:
        return True
    if len(known) == 1:
        return bool(case.running)
    recent = len(case.readings) - 1 - max(15 // case.dt, 1)
    for before, after in zip(known, known[1:], strict=False):
        old, new = case.readings[before], case.readings[after]
        if (after > recent or after == known[-1]) and not abs(new - old) <= min(40, 0.2 * min(old, new)):
            return True
    flat = case.readings[-(45 // case.dt + 1) :]
    return len(flat) == 45 // case.dt + 1 and max(flat) - min(flat) < 1 and not any(map(math.isnan, flat))


def _trusted(case: Situation, view: View) -> bool:
    return view.now[0, v.CGM_AGE_MIN] <= 15 and v.LOWEST_READING < view.now[0, v.CGM_MG_DL] < 1000


def the_answer_is_finite_and_within_the_limits(case: Situation) -> None:
    basal, bolus, _, _ = case.allowed()
    max_basal, max_bolus, *_ = case.limits(case.view())[0]
    assert 0 <= basal <= max_basal and 0 <= bolus <= max_bolus


def a_request_is_raised_by_starvation_alone(case: Situation) -> None:
    basal, bolus, reason, _ = case.allowed()
    if _valid(case):
        assert bolus <= case.bolus
        raised = (
            reason == Reason.STARVATION and basal <= case.scheduled and case.view().now[0, v.CGM_MG_DL] >= 100
        )
        assert basal <= case.basal or raised
        changed = (basal, bolus) != (case.basal, case.bolus)
        assert changed == (reason != Reason.NONE)
    else:
        assert bolus == 0 and basal <= case.scheduled and reason != Reason.NONE


def insulin_on_board_stays_within_its_limit(case: Situation) -> None:
    basal, bolus, _, _ = case.allowed()
    room = max(case.limits(case.view())[0, limit.MAX_IOB_U] - case.iob_net, 0)  # type: ignore[operator]
    assert bolus + max(basal - case.scheduled, 0) * case.dt / 60 <= room + 1e-9


def an_hour_and_a_day_keep_within_their_limits(case: Situation) -> None:
    """And if a dose is above schedule, scheduled basal may follow for good."""
    basal, bolus, _, _ = case.allowed()
    if bolus == 0 and basal <= case.scheduled:
        return
    view = case.view()
    dose = bolus + max(basal, case.scheduled) * case.dt / 60 + limit.ROUNDING_U
    for counted, most in ((v.COUNTED_1H_U, limit.MAX_HOURLY_U), (v.COUNTED_24H_U, limit.MAX_DAILY_U)):
        assert view.now[0, counted] + dose <= case.limits(view)[0, most] + 1e-9


def boluses_are_three_minutes_apart(case: Situation) -> None:
    assert case.allowed()[1] == 0 or case.since_bolus is None or case.since_bolus >= 3


def no_cap_takes_from_scheduled_basal(case: Situation) -> None:
    """Only a low, the request itself or the rate of the age group do."""
    basal, _, reason, _ = case.allowed()
    stopped = reason in (Reason.LOW, Reason.PREDICTED_LOW)
    assert stopped or basal >= min(
        case.basal, case.scheduled, case.limits(case.view())[0, limit.MAX_BASAL_U_PER_H]
    )


def nobody_is_given_less_than_schedule_at_180_without_a_reason(case: Situation) -> None:
    view = case.view()
    glucose, slope = view.now[0, v.CGM_MG_DL], view.now[0, v.SLOPE_MG_DL_PER_MIN]
    assume(_trusted(case, view) and glucose >= 180 and glucose + 30 * slope >= 80)
    assume(not _fault(case) or glucose >= 250)
    basal, bolus, _, _ = case.allowed()
    reason = case.iob_net + bolus >= 0.1 * case.scheduled  # type: ignore[operator]
    assert reason or basal >= min(case.scheduled, case.limits(view)[0, limit.MAX_BASAL_U_PER_H])


def nothing_is_given_below_70_or_predicted_below_80(case: Situation) -> None:
    view = case.view()
    glucose, slope = view.now[0, v.CGM_MG_DL], view.now[0, v.SLOPE_MG_DL_PER_MIN]
    assume(_trusted(case, view) and (glucose < 70 or glucose + 30 * slope < 80))
    assert case.allowed()[:2] == (0, 0)


def an_untrusted_sensor_allows_no_more_than_schedule(case: Situation) -> None:
    assume(_fault(case))
    basal, bolus, reason, _ = case.allowed()
    assert bolus == 0 and basal <= case.scheduled
    view = case.view()
    starvation_seen = _trusted(case, view) and view.now[0, v.CGM_MG_DL] >= 250
    assert reason != Reason.STARVATION or starvation_seen


def a_trusted_sensor_is_not_called_faulty(case: Situation) -> None:
    assume(not _fault(case))
    assert case.allowed()[2] not in (Reason.STALE, Reason.IMPOSSIBLE, Reason.JUMP, Reason.FLAT)


def what_was_allowed_is_allowed_again(case: Situation) -> None:
    basal, bolus, _, _ = case.allowed()
    again = replace(case, basal=basal, bolus=bolus).allowed()
    assert again[:2] == (
        pytest.approx(basal, rel=1e-12, abs=1e-12),
        pytest.approx(bolus, rel=1e-12, abs=1e-12),
    )


def _no_more(less: Situation, more: Situation) -> None:
    """The answer in `less` is in neither part above that in `more`, or starvation restored basal, as it alone may."""
    basal, bolus, reason, _ = less.allowed()
    most_basal, most_bolus, _, _ = more.allowed()
    assert bolus <= most_bolus + 1e-9
    if reason == Reason.STARVATION:
        assert basal <= less.scheduled
    else:
        assert basal <= most_basal + 1e-9


def lower_glucose_of_the_same_course_never_raises_the_dose(case: Situation, by: int) -> None:
    lower = [reading - by for reading in case.readings]
    assume(all(math.isnan(reading) or reading > v.LOWEST_READING for reading in lower))
    _no_more(replace(case, readings=lower), case)


def a_lower_newest_reading_never_raises_the_dose(case: Situation, by: int) -> None:
    """Apart from a rise or a standstill that was not believed: what is capped for it may be freed by a lower one."""
    lower = [*case.readings[:-1], case.readings[-1] - by]
    assume(lower[-1] > v.LOWEST_READING and not _fault(case))
    _no_more(replace(case, readings=lower), case)


def more_insulin_on_board_never_raises_the_dose(case: Situation, by: int) -> None:
    _no_more(replace(case, iob_net=case.iob_net + by / 10), case)  # type: ignore[operator]


def _more(case: Situation, column: int, by: int) -> dict[str, float]:
    name = "hour" if column == v.COUNTED_1H_U else "day"
    return {name: case.view().now[0, column] + by / 10}


def more_insulin_in_the_last_hour_never_raises_the_dose(case: Situation, by: int) -> None:
    _no_more(replace(case, **_more(case, v.COUNTED_1H_U, by)), case)  # type: ignore[arg-type]


def more_insulin_in_the_last_day_never_raises_the_dose(case: Situation, by: int) -> None:
    _no_more(replace(case, **_more(case, v.COUNTED_24H_U, by)), case)  # type: ignore[arg-type]


LAWS = {
    the_answer_is_finite_and_within_the_limits: (_ANY_READINGS, _ANY, True),
    a_request_is_raised_by_starvation_alone: (_ANY_READINGS, _ANY, True),
    insulin_on_board_stays_within_its_limit: (_ANY_READINGS, _ANY, False),
    an_hour_and_a_day_keep_within_their_limits: (_ANY_READINGS, _ANY, False),
    boluses_are_three_minutes_apart: (_ANY_READINGS, _ANY, True),
    no_cap_takes_from_scheduled_basal: (_ANY_READINGS, _VALID, True),
    nobody_is_given_less_than_schedule_at_180_without_a_reason: (_HIGH, _ANY, False),
    nothing_is_given_below_70_or_predicted_below_80: (_WITH_GAPS, _ANY, True),
    an_untrusted_sensor_allows_no_more_than_schedule: (_ANY_READINGS, _ANY, True),
    a_trusted_sensor_is_not_called_faulty: (_WITH_GAPS, _ANY, False),
    what_was_allowed_is_allowed_again: (_ANY_READINGS, _ANY, False),
    lower_glucose_of_the_same_course_never_raises_the_dose: (_WITH_GAPS, _ANY, False),
    a_lower_newest_reading_never_raises_the_dose: (_READINGS, _ANY, False),
    more_insulin_on_board_never_raises_the_dose: (_ANY_READINGS, _ANY, False),
    more_insulin_in_the_last_hour_never_raises_the_dose: (_ANY_READINGS, _ANY, False),
    more_insulin_in_the_last_day_never_raises_the_dose: (_ANY_READINGS, _ANY, False),
}
"""Each with its readings, its requests, and whether the view may say anything at all of insulin."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "examples",
    [pytest.param(15, marks=pytest.mark.kernels), 200, pytest.param(10_000, marks=pytest.mark.verify)],
)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # inf - inf without the JIT,
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # and 60 times the largest float
def test_law(law: Any, examples: int) -> None:
    readings, dose, wild = LAWS[law]
    given_more = {"by": st.integers(1, 200)} if "by" in law.__annotations__ else {}
    check = settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples <= 200,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )(given(case=_situations(readings, dose, wild), **given_more)(law))
    check()
