"""The bout of each lane as it is lived: put off, refused, begun, broken off, over; what is eaten and held on advice."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import rows
from envs import view as v
from envs.bouts import advice as a
from envs.bouts import seen as s
from envs.bouts.advice import Moment
from envs.bouts.bounds import WAIT_MIN, WITHIN_MIN, Bound, must_pause, refusal
from envs.view import View
from twins import random
from twins.bodies.model import SENSITIVITY_HEPATIC
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world.sessions import GRID_MIN, MOST_MIN, Sessions, reserve

BEFORE_MIN, AFTER_MIN = 120, 1440
"""An episode reaches from so long before the planned start to so long after it."""
FAR_MIN, NEAR_MIN = 90, 30
BEDTIME_CLOCK_MIN, NIGHT_MIN = 1350, 360
"""22:30; the night's rate holds for six hours (Riddell et al., Lancet Diabetes Endocrinol 5 (2017) 377)."""
WATCH_SD = 0.02
_NOISE_FIRST = 10_000
"""Draws of the watch, beyond those of the body in the same stream."""
NEVER = -1


@dataclass
class Lived:
    """What became of the sessions of n lanes, arrays (n,).

    started_min, ended_min: minutes from 00:00 of the first day, -1: not. over: done, broken off, refused or cancelled.
    told_start, told_end: these moments were. heard_meal: one was announced since the end. pausing; refused: the bound
    that holds the start back now. asked_against, began_against: the bound against which a start was first asked for,
    and was made. delay_min. done, whole: intensity-minutes, and of the session. used: share of the reserve in the last
    interval. ate_g, just_over: on advice, and whether it was over, since the last decision; total_ate_g: in all. basal,
    bolus, bedtime: factors in force.
    """

    started_min: NDArray[np.int64]
    ended_min: NDArray[np.int64]
    over: NDArray[np.bool_]
    just_over: NDArray[np.bool_]
    told_start: NDArray[np.bool_]
    told_end: NDArray[np.bool_]
    heard_meal: NDArray[np.bool_]
    pausing: NDArray[np.bool_]
    refused: NDArray[np.int64]
    asked_against: NDArray[np.int64]
    began_against: NDArray[np.int64]
    delay_min: NDArray[np.float64]
    done: NDArray[np.float64]
    whole: NDArray[np.float64]
    used: NDArray[np.float64]
    ate_g: NDArray[np.float64]
    total_ate_g: NDArray[np.float64]
    basal: NDArray[np.float64]
    bolus: NDArray[np.float64]
    bedtime: NDArray[np.float64]

    @classmethod
    def new(cls, n: int) -> "Lived":
        """Before anything."""
        zeros: dict[str, Any] = {one.name: np.zeros(n) for one in fields(cls)}
        zeros |= {
            name: np.zeros(n, bool)
            for name in ("over", "just_over", "told_start", "told_end", "heard_meal", "pausing")
        }
        zeros |= {name: np.zeros(n, np.int64) for name in ("refused", "asked_against", "began_against")}
        zeros |= {name: np.full(n, NEVER) for name in ("started_min", "ended_min")}
        zeros |= {name: np.ones(n) for name in ("basal", "bolus", "bedtime", "whole")}
        return cls(**zeros)


class Activity:
    """Of `lanes` persons, in intervals of `interval_min`. bounded: whether the bounds of `envs.bouts.bounds` hold; with
    the shield off they do not.

    drawn: the sessions as they come from outside; lived: what becomes of them.
    """

    plan_names: tuple[str, ...] = a.PLAN

    def __init__(self, sessions: Sessions, lanes: int, interval_min: int, bounded: bool) -> None:
        self.sessions, self.interval_min, self.bounded = sessions, interval_min, bounded
        drawn = sessions.draw(np.zeros((lanes, random.KEY_COLUMNS), np.uint32))
        self.drawn, self.lived = drawn, Lived.new(lanes)
        self.eaten_g = np.zeros((lanes, WITHIN_MIN // interval_min))
        self.seen = np.zeros((lanes, len(s.COLUMNS)))
        self._keys = np.zeros((lanes, random.KEY_COLUMNS), np.uint32)

    @property
    def first_min(self) -> NDArray[np.int64]:
        """When the episodes begin (n,)."""
        first: NDArray[np.int64] = self.drawn.begin_min - BEFORE_MIN
        return first

    @property
    def missed(self) -> NDArray[np.bool_]:
        """Whose session took place and is over with too little done (n,)."""
        too_little: NDArray[np.bool_] = self.lived.done < s.WHOLE * self.lived.whole - 1e-9
        return self.drawn.happens & self.lived.over & too_little

    def begin(self, lanes: NDArray[np.int64], keys: NDArray[np.uint32]) -> None:
        """New sessions for these lanes, under keys (m, 6); shown by `show`."""
        drawn, lived = self.sessions.draw(keys), Lived.new(len(lanes))
        profile = reserve(drawn.kind, drawn.intensity, np.zeros(len(lanes), np.int64), MOST_MIN)
        lived.whole[:] = np.where(np.arange(MOST_MIN) < drawn.minutes[:, None], profile, 0.0).sum(axis=1)
        rows.put(self.drawn, lanes, drawn)
        rows.put(self.lived, lanes, lived)
        self.eaten_g[lanes] = 0.0
        self._keys[lanes] = random.stream(keys, Stream.EXERCISE)

    # --- an interval --------------------------------------------------------------------------------------
    def live(
        self,
        minute: NDArray[np.int64],
        plan: NDArray[np.float64] | None,
        view: View,
        plate: NDArray[np.float64],
        drive: NDArray[np.float64],
        glucose_mg_dl: NDArray[np.float64],
        first: bool,
    ) -> None:
        """See `Conduct.live`. plan (n, K): columns of `envs.bouts.advice.PLAN`; it counts at its moments alone."""
        if first:
            self.lived.ate_g[:], self.lived.just_over[:] = 0.0, False
        d, w, dt = self.drawn, self.lived, self.interval_min
        self._take(plan, view, plate)
        cgm, age = view.now[:, v.CGM_MG_DL], view.now[:, v.CGM_AGE_MIN]
        came = minute >= d.begin_min
        self._end(came & ~d.happens & ~w.over, minute)
        waits = d.happens & ~w.over & (w.started_min == NEVER)
        due = waits & (minute >= d.begin_min + w.delay_min)
        against = refusal(cgm, age, self.eaten_g.sum(axis=1), d.intensity, d.kind)
        unasked = due & (w.asked_against == int(Bound.NONE))
        w.asked_against[unasked] = against[unasked]
        held = due & (against != int(Bound.NONE)) & self.bounded
        w.refused[:] = np.where(held, against, int(Bound.NONE))
        starts = due & ~held
        w.started_min[starts], w.began_against[starts] = minute[starts], against[starts]
        self._end(held & (minute >= d.begin_min + w.delay_min + WAIT_MIN), minute)

        active = (w.started_min != NEVER) & ~w.over
        w.pausing[:] = must_pause(cgm, age, w.pausing) & active & self.bounded
        since = np.where(active, minute - w.started_min, 0)
        used = reserve(d.kind, d.intensity, since, dt)
        left = since[:, None] + np.arange(dt) < d.minutes[:, None]
        used = np.where((active & ~w.pausing)[:, None] & left, used, 0.0)
        drive[:, :, : SENSITIVITY_HEPATIC + 1] = drive[:, :1, : SENSITIVITY_HEPATIC + 1]
        drive[:, :, HEART_RATE_RESERVE], drive[:, :, SESSION_GAIN] = used, d.gain[:, None]
        w.done += used.sum(axis=1)
        w.used[:] = used.mean(axis=1)
        self._end(active & (since + dt >= d.minutes), minute + dt)

    def _take(self, plan: NDArray[np.float64] | None, view: View, plate: NDArray[np.float64]) -> None:
        """Advice that counts now; what is not finite is none."""
        w, seen = self.lived, self.seen
        moment = seen[:, s.MOMENT].astype(int)
        w.told_start |= moment == Moment.START
        w.told_end |= moment == Moment.END
        eats = np.zeros(len(seen))
        if plan is not None:
            now = (moment != Moment.NONE)[:, None] & np.isfinite(plan)
            bed = moment == Moment.BEDTIME
            for column, array, counts in (
                (a.BASAL, w.basal, ~bed), (a.BOLUS, w.bolus, ~bed), (a.BEDTIME_BASAL, w.bedtime, bed),
            ):  # fmt: skip
                here = now[:, column] & counts
                array[here] = np.clip(plan[here, column], 0.0, a.MOST_FACTOR)
            eats = np.where(now[:, a.CARBS_G], np.clip(plan[:, a.CARBS_G], 0.0, a.MOST_CARBS_G), 0.0)
            put_off = now[:, a.DELAY_MIN] & (moment == Moment.START)
            w.delay_min[put_off] = np.clip(plan[put_off, a.DELAY_MIN], 0.0, a.MOST_DELAY_MIN)
        w.ate_g += eats
        w.total_ate_g += eats
        self.eaten_g[:, :-1] = self.eaten_g[:, 1:].copy()
        self.eaten_g[:, -1] = eats
        plate[:, 0] += eats
        # After the end the fraction is for the first meal alone, until that is covered: the shield may hold its bolus
        # back. At bedtime all of the day's is over.
        covered, bed = w.heard_meal & (view.now[:, v.UNCOVERED_G] <= 0), moment == Moment.BEDTIME
        w.heard_meal |= w.over & w.told_end & (view.now[:, v.ANNOUNCED_G] > 0)
        w.bolus[covered | bed] = 1.0
        w.basal[bed] = 1.0
        w.told_end |= bed & w.over

    def _end(self, lanes: NDArray[np.bool_], minute: NDArray[np.int64]) -> None:
        self.lived.over |= lanes
        self.lived.just_over |= lanes
        self.lived.ended_min[lanes] = minute[lanes]

    def show(self, minute: NDArray[np.int64], view: View) -> None:
        """What is seen at `minute` (n,) into `view.activity`."""
        d, w, seen = self.drawn, self.lived, self.seen
        to_start = (d.begin_min - minute).astype(float)
        active = (w.started_min != NEVER) & ~w.over
        bedtime = MINUTES_PER_DAY + BEDTIME_CLOCK_MIN
        on_grid = (minute - self.first_min) % GRID_MIN == 0
        moment = np.full(len(seen), int(Moment.NONE))
        known = (d.announced | (w.refused > 0)) & ~active & ~w.over
        for here, which in (
            (known & (to_start == FAR_MIN), Moment.FAR), (known & (to_start == NEAR_MIN), Moment.NEAR),
            (known & (to_start <= 0), Moment.START), (active & (minute > w.started_min), Moment.DURING),
            (w.over & ~w.told_end & (w.told_start | (w.started_min != NEVER)), Moment.END),
            (minute == bedtime, Moment.BEDTIME),
        ):  # fmt: skip
            moment[here & on_grid] = int(which)
        planned = known | active
        noise = random.normal(self._keys, 1, _NOISE_FIRST + minute // self.interval_min)[:, 0]
        # A watch never tells a light session from rest for certain; the plan gives way to the session itself.
        for column, value in (
            (s.MOMENT, moment), (s.PLANNED, planned), (s.TO_START_MIN, np.where(planned, to_start, 0.0)),
            (s.PLANNED_INTENSITY, np.where(planned, np.where(active, d.intensity, d.told_intensity), 0.0)),
            (s.PLANNED_MIN, np.where(planned, np.where(active, d.minutes, d.told_minutes), 0.0)),
            (s.PLANNED_KIND, np.where(planned, d.kind, 0)), (s.RESERVE, w.used + WATCH_SD * noise),
            (s.ACTIVE, active), (s.DONE_SHARE, w.done / w.whole),
            (s.SINCE_END_MIN, np.where(w.over & (w.started_min != NEVER), minute - w.ended_min, 0)),
            (s.TO_BEDTIME_MIN, np.maximum(bedtime - minute, 0)), (s.BASAL_FACTOR, w.basal),
            (s.BOLUS_FACTOR, w.bolus), (s.BEDTIME_FACTOR, w.bedtime),
            (s.BEDTIME_LEFT_MIN, np.where(minute > bedtime, np.maximum(bedtime + NIGHT_MIN - minute, 0), 0)),
            (s.CARBS_30MIN_G, self.eaten_g.sum(axis=1)), (s.ATE_G, w.ate_g), (s.REFUSED, w.refused > 0),
            (s.ENDED, w.just_over), (s.MISSED, self.missed),
        ):  # fmt: skip
            seen[:, column] = value
        view.activity = seen

    # --- stopping and going on ------------------------------------------------------------------------------
    def held(self) -> dict[str, NDArray[Any]]:
        """See `Conduct.held`: drawn sessions follow from these, what is seen from both."""
        lived = {one.name: getattr(self.lived, one.name) for one in fields(self.lived)}
        return lived | {"eaten_g": self.eaten_g}

    def fault_in(self, saved: Mapping[str, NDArray[Any]]) -> str:
        """See `Conduct.fault_in`."""
        most = dict.fromkeys(("basal", "bolus", "bedtime"), a.MOST_FACTOR)
        most |= {"delay_min": a.MOST_DELAY_MIN, "eaten_g": a.MOST_CARBS_G, "used": 1.0}
        most |= dict.fromkeys(("done", "ate_g", "total_ate_g"), np.inf)
        for name, highest in most.items():
            if not ((saved[name] >= 0) & (saved[name] <= highest)).all():
                return name
        for name in ("refused", "asked_against", "began_against"):
            if not ((saved[name] >= 0) & (saved[name] < len(Bound))).all():
                return name
        return ""

    def restore(self, saved: Mapping[str, NDArray[Any]], keys: NDArray[np.uint32]) -> None:
        """See `Conduct.restore`: the sessions are drawn from the keys again."""
        self.begin(np.arange(len(keys)), keys)
        for name, array in self.held().items():
            if name != "whole":  # follows from the session
                array[...] = saved[name]
