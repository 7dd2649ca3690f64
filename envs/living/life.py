"""An ordinary life as it is lived: what the person does, what that does to the body, what of it is seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import rows
from envs.living import advice as a
from envs.living import record as r
from envs.living import seen as s
from envs.living.advice import Moment
from envs.living.bounds import MOST_SHIFT_H
from envs.living.living import Living
from envs.living.moves import Moves
from envs.living.nights import Nights, usual_hours
from envs.rows import Array, Counts
from envs.view import View
from twins import random
from twins.bodies import sleep, whole
from twins.bodies.circadian import STEP_MIN
from twins.bodies.person import Person
from twins.bodies.whole import Acts, Whole
from twins.units import MINUTES_PER_DAY
from twins.world import ordinary, wearable

EVENING_MIN = 20 * 60
"""The night is planned at 20:00."""
NOON_MIN, UP_H = 12 * 60, 5
"""Lives begin at noon, when people have been up for so long."""
_MORE_DAYS = 3
"""Drawn beyond those that are lived: calendars are seen, and habits counted on, ahead."""


class Life:
    """Of `lanes` whole persons, in intervals of five minutes, for `days` days. bounded: whether the bounds hold; with
    the shield off they do not.

    weeks: as they come from outside; traits, inner: bodies; strength, usual_sleep_h (n,): of the couplings, and what
    habit gives of sleep a night; moves, nights: what becomes of both; day, wakes, evening (n,): days that are over, and
    whether advice for the day, or the night, is due; days (n, D, C): columns of `envs.living.record`.
    """

    plan_names: tuple[str, ...] = a.PLAN

    def __init__(
        self, living: Living, person: Person, lanes: int, days: int, decision_min: int, bounded: bool
    ) -> None:
        self.living, self.bounded, self.lanes, self.decision_min = living, bounded, lanes, decision_min
        self.whole = Whole(person, living.clock, living.switches)
        self._drawn_days = days + _MORE_DAYS
        self._keys = keys = np.zeros((lanes, random.KEY_COLUMNS), np.uint32)
        self.weeks, self.traits = ordinary.draw(keys, self._drawn_days), whole.draw(keys)
        self.strength, self.usual_sleep_h = np.zeros((2, lanes))
        self._light = ordinary.light_of_days(self.weeks.daylight_h)
        self.inner = self.whole.rested(self.traits, self._light[:, 0])
        self.moves, self.nights = Moves.new(lanes), Nights.new(self.weeks, self.usual_sleep_h)
        self.day = np.zeros(lanes, np.int64)
        self.wakes, self.evening = np.zeros((2, lanes), bool)
        self.days = np.zeros((lanes, days + 1, len(r.COLUMNS)))
        self.seen = np.zeros((lanes, len(s.COLUMNS)))
        self._all = np.arange(lanes)

    @property
    def first_min(self) -> Counts:
        """When the episodes begin (n,): at noon, so that they end when everybody has risen."""
        return np.full(self.lanes, NOON_MIN)

    def begin(self, lanes: Counts, keys: NDArray[np.uint32]) -> None:
        """See `Conduct.begin`: who has been up for some hours, after weeks of habit."""
        self._draw(lanes, keys)
        weeks, traits = rows.take(self.weeks, lanes), rows.take(self.traits, lanes)
        hour = np.arange(MINUTES_PER_DAY // STEP_MIN) * STEP_MIN / 60
        bed, rise = weeks.bed_h[:, :1], weeks.rise_h[:, :1]
        up = ((hour >= rise) & (hour < bed)) | (hour + 24 < bed)
        usual = np.where(up, self._light[lanes, 1], 0.0)
        inner = self.whole.rested(traits, np.roll(usual, -NOON_MIN // STEP_MIN, axis=1))
        never, phase = np.zeros(len(lanes), bool), self.whole.clock.phase_h(inner.clock)
        for _ in range(UP_H * 60 // STEP_MIN):
            sleep.step(inner.sleep, traits.sleeps, phase, never, never, np.ones(len(lanes)))
        usual_sleep_h = self.usual_sleep_h[lanes]
        missing = np.maximum(traits.sleeps[:, sleep.NEED_H] - usual_sleep_h, 0.0)
        inner.debt_h[:] = missing / (1.0 - np.exp(-1.0 / sleep.DEBT_FADES_DAYS))  # adds up, fades: in balance
        inner.slept_h[:] = usual_sleep_h
        rows.put(self.inner, lanes, inner)
        rows.put(self.moves, lanes, Moves.new(len(lanes)))
        rows.put(self.nights, lanes, Nights.new(weeks, usual_sleep_h))
        self.day[lanes], self.wakes[lanes], self.evening[lanes], self.days[lanes] = 0, True, False, 0.0

    def _draw(self, lanes: Counts, keys: NDArray[np.uint32]) -> None:
        """All that hangs on the keys alone."""
        self._keys[lanes] = keys
        weeks = ordinary.draw(keys, self._drawn_days)
        rows.put(self.weeks, lanes, weeks)
        self.strength[lanes] = strength = self.living.strengths(keys)
        rows.put(self.traits, lanes, whole.draw(keys).scaled(strength))
        self._light[lanes] = ordinary.light_of_days(weeks.daylight_h)
        self.usual_sleep_h[lanes] = usual_hours(weeks)

    # --- an interval ------------------------------------------------------------------------------------
    def live(
        self,
        minute: Counts,
        plan: Array | None,
        view: View,
        plate: Array,
        drive: Array,
        glucose_mg_dl: Array,
        first: bool,
    ) -> None:
        """See `Conduct.live`."""
        if (minute >= self.days.shape[1] * MINUTES_PER_DAY).any():
            raise RuntimeError("the weeks of a lane are over; call reset() for it first")
        moves, nights, weeks, here = self.moves, self.nights, self.weeks, self._all
        if first:
            for since in (
                moves.ate_g,
                moves.asked_min,
                moves.short_min,
                nights.shift_h,
                nights.short_sleep_h,
            ):
                since[:] = 0.0
            self._take(plan, minute)
        used = moves.live(
            minute, self.day, nights.bed_min, view, plate, glucose_mg_dl, self.bounded, self.days
        )  # fmt: skip
        day, into, in_bed = minute // MINUTES_PER_DAY, minute % MINUTES_PER_DAY, nights.in_bed(minute)
        work = weeks.work[here, day]
        felt = ordinary.strain(weeks.strain_at_h[here, day], work, weeks.heavy[here, day], into / 60)
        lux = self._light[here, work.astype(np.int64), into // STEP_MIN]
        acts = Acts(in_bed, lux, felt, used, weeks.gain[here, day])
        self.whole.live(self.inner, self.traits, acts, glucose_mg_dl, minute, self._keys, drive)
        asleep = self.inner.sleep[:, sleep.ASLEEP] > 0
        nights.watch(minute, self.day, self._keys, asleep, in_bed, used, np.where(in_bed, 0.0, lux))
        self.evening |= into + STEP_MIN == EVENING_MIN
        up = minute + STEP_MIN == nights.rise_min
        if up.any():
            self._wake(np.flatnonzero(up))

    def _take(self, plan: Array | None, minute: Counts) -> None:
        """What is advised now, where it is due."""
        if plan is None:
            plan = np.full((self.lanes, len(a.PLAN)), np.nan)
        for due in (self.wakes, self.evening):
            if not due.any():
                continue
            lanes = np.flatnonzero(due)
            due[:] = False
            day, weeks, debt = self.day[lanes], self.weeks, self.inner.debt_h[lanes]
            if due is self.wakes:
                # By when to be done: the night may be advised to begin an hour before that of yesterday.
                bed = np.minimum(weeks.bed_h[lanes, day], self.nights.held_bed_h[lanes] - MOST_SHIFT_H)
                self.moves.take(
                    lanes, plan[lanes], minute[lanes], day, bed, debt, weeks, self.bounded, self.days
                )
                self.days[lanes, day, r.STRENGTH] = self.strength[lanes]
            else:
                self.nights.take(lanes, plan[lanes], minute[lanes], day, debt, weeks, self.bounded, self.days)

    def _wake(self, lanes: Counts) -> None:
        """The day of these lanes is over."""
        day = self.day[lanes]
        alert = sleep.alertness(self.inner.sleep[lanes], self.whole.clock.phase_h(self.inner.clock[lanes]))
        self.days[lanes, day, r.DEBT_H] = self.inner.debt_h[lanes]
        self.days[lanes, day, r.FIT] = self.inner.fit[lanes]
        said = sleep.sleepiness(alert)
        self.nights.wake(
            lanes, day, self._keys[lanes], said, self.usual_sleep_h[lanes], self.weeks, self.days
        )
        self.moves.wake(lanes, day, self.days)
        self.day[lanes], self.wakes[lanes] = day + 1, True

    # --- what is seen -----------------------------------------------------------------------------------
    def show(self, minute: Counts, view: View) -> None:
        """See `Conduct.show`; nothing is seen anew between two decisions."""
        if (minute[0] - NOON_MIN) % self.decision_min and view.activity is not None:
            return
        m, n, o, here, day = self.moves, self.nights, self.weeks, self._all, self.day
        pending = m.pending(minute)
        moment = np.where(
            self.wakes, int(Moment.WAKING), np.where(self.evening, int(Moment.EVENING), int(Moment.NONE))
        )
        for column, value in (
            (s.MOMENT, moment), (s.DAY, day), (s.HOUR, minute % MINUTES_PER_DAY / 60),
            (s.WORK_TODAY, o.work[here, day]), (s.WORK_TOMORROW, o.work[here, day + 1]),
            (s.HEAVY_TODAY, o.heavy[here, day]), (s.HEAVY_TOMORROW, o.heavy[here, day + 1]),
            (s.USUAL_BED_H, o.bed_h[here, day]), (s.USUAL_RISE_H, o.rise_h[here, day + 1]),
            (s.TO_BED_MIN, n.bed_min - minute), (s.IN_BED, n.in_bed(minute)), (s.SLEPT_H, n.nights[:, -1]),
            (s.SLEPT_WEEK_H, n.nights.mean(axis=1)), (s.USUAL_SLEEP_H, self.usual_sleep_h), (s.WATCH_BED_H, n.fell_h),
            (s.WATCH_RISE_H, n.woke_h), (s.SLEEPINESS, n.sleepiness), (s.PLANNED, pending),
            (s.TO_START_MIN, np.where(pending, m.told_min - minute, 0)),
            (s.PLANNED_MIN, np.where(pending, m.told_for_min, 0)),
            (s.PLANNED_RESERVE, np.where(pending, m.told_reserve, 0.0)),
            (s.RESERVE, np.clip((n.pulse - wearable.REST_BPM) / wearable.RESERVE_BPM, -0.2, 1.2)),
            (s.ACTIVE, m.active & m.follows), (s.SINCE_END_MIN, m.since_end_min(minute)), (s.LAST_WORK, m.last_work),
            (s.WEEK_MIN, m.week.sum(axis=1)), (s.ASKED_SHARE, (m.begun_of + 1.0) / (m.advised_of + 2.0)),
            (s.STEPS_HOUR, n.steps.sum(axis=1)), (s.LUX_HOUR, n.lux.mean(axis=1)),
            (s.CARBS_30MIN_G, m.eaten.sum(axis=1)), (s.ATE_G, m.ate_g), (s.ASKED_MIN, m.asked_min),
            (s.SHIFT_H, n.shift_h), (s.SHORT_MIN, m.short_min), (s.SHORT_SLEEP_H, n.short_sleep_h),
        ):  # fmt: skip
            self.seen[:, column] = value
        view.activity = self.seen

    # --- stopping and going on --------------------------------------------------------------------------
    def held(self) -> dict[str, NDArray[Any]]:
        """See `Conduct.held`; the days lived so far, too."""
        held = rows.held(inner=self.inner, moves=self.moves, nights=self.nights)
        return held | {name: getattr(self, name) for name in ("day", "wakes", "evening", "days")}

    def fault_in(self, saved: Mapping[str, NDArray[Any]]) -> str:
        """See `Conduct.fault_in`."""
        last = (self.days.shape[1] + _MORE_DAYS) * MINUTES_PER_DAY
        ranges = {
            "day": (0, self.days.shape[1] - 1), "inner.debt_h": (0, 1e3), "inner.fit": (0, 10),
            "inner.slept_h": (0, 48), "inner.worked_h": (0, 24), "inner.clock": (-1e4, 1e4), "inner.sleep": (0, 1e3),
            "inner.stress": (-1, 1e4),
            **{f"moves.{name}": (-1, last) for name in ("told_min", "begin_min", "started_min", "ended_min")},
            **{f"moves.{name}": (0, 1e3) for name in ("minutes", "told_for_min", "carbs_g", "week", "eaten", "fear")},
            "moves.reserve": (0, 1), "moves.told_reserve": (0, 1), "moves.advised_of": (0, 1e4),
            "moves.begun_of": (0, 1e4), "nights.bed_min": (0, last), "nights.rise_min": (0, last),
            "nights.held_bed_h": (12, 36), "nights.nights": (0, 24), "nights.week": (0, 24), "nights.lux": (0, 1e6),
            "nights.steps": (0, 1e6),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not ((saved[name] >= low) & (saved[name] <= high)).all():
                return name
        for name in ("nights.bed_min", "nights.rise_min"):
            if (saved[name] % STEP_MIN).any():
                return name
        return ""

    def restore(self, saved: Mapping[str, NDArray[Any]], keys: NDArray[np.uint32]) -> None:
        """See `Conduct.restore`."""
        self._draw(np.arange(len(keys)), keys)
        for name, array in self.held().items():
            array[...] = saved[name]
