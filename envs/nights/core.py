"""The stepping loop of weeks of sleep: decode, bounds, body, watch. One step is one day from 18:00 on; plain arrays.

It has the face of `envs.core.Core`, so that the same faces serve it. A lane's future hangs on its key and its actions
alone: also the body, whose clock and sleep are drawn anew for each key and shown to nobody.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import daily, rows
from envs.core import Transition
from envs.nights import watch
from envs.nights.bounds import BOUNDS, hold
from envs.nights.night import Night
from envs.nights.rest import Rest, lapses
from envs.nights.setting import NightsSetting, minors
from envs.nights.view import ASKED_AT, LIGHT_BINS, SEEN_DAYS, NightsView
from envs.nights.watch import Lived, minimum_h
from envs.tasks.task import numeric
from twins import random
from twins.bodies import circadian, sleep
from twins.bodies.circadian import STEP_MIN, Clock
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world import duties
from twins.world.duties import STEPS, USUAL_H

ENTRAINED_DAYS = 25
SETTLED_DAYS = 3
"""Days of the old life: so many for the clock alone, and so many asleep and awake before the first day."""
SLEEPY_KSS = 8.0
(
    BED, RISE, ASKED_BED, ASKED_RISE, SLEPT, SHORT, LAPSES, SLEEPINESS, MINIMUM, REASON, IN_BED,
) = range(11)  # fmt: skip
RECORD = (
    "bed", "rise", "asked_bed", "asked_rise", "slept_h", "short_h", "lapses", "sleepiness", "minimum_h", "reason",
    "in_bed_h",
)  # fmt: skip
"""Columns of `Transition.trace`, a row a day; hours since 18:00 or hours. lapses, sleepiness: means over required
hours, nan without any; minimum_h: of core body temperature; in_bed_h: naps included."""
_SAVED = ("rows", "people", "keys", "clock_state", "sleep_state")
_SAVED_VIEW = tuple(
    name
    for name in NightsView.__dataclass_fields__
    if name not in ("ids", "days", "kind", "duty", "daylight_h")
)
_FIRST_NOISE = 2 * STEPS * 1000
"""Beyond the draws of a thousand days."""


class NightsCore:
    """`lanes` persons side by side. Call `reset` before `step`. lived: the last day in steps, for figures."""

    reasons = BOUNDS
    lived: Lived

    def __init__(self, setting: NightsSetting, task: Rest, lanes: int) -> None:
        self.setting, self.task, self.lanes = setting, task, lanes
        self.clock = Clock(setting.clock)
        self._minors = minors(setting.cohort)
        self.rows = np.full(lanes, -1)
        self.people = np.zeros(lanes, np.uint32)
        self.keys = np.zeros((lanes, random.KEY_COLUMNS), np.uint32)
        self.clock_state, self.sleep_state = np.zeros((lanes, 3)), sleep.rested(lanes)
        self._seated = False

    def reset(
        self, rows: NDArray[np.int64], keys: NDArray[np.uint32], lanes: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Begin new weeks in `lanes` (default: all) for persons `rows` (m,) under `keys` (m, 6).

        Raises ValueError for shapes or rows that do not fit; nothing has happened then.
        """
        if lanes is None:
            lanes = np.arange(self.lanes)
        daily.check_seats(self, rows, lanes, self._seated, keys)
        self.rows[lanes], self.keys[lanes] = rows, keys
        self.people[lanes] = self.setting.cohort.numbers[rows]
        self._draw()
        if not self._seated:
            self._seated, self.view = True, self._empty()
        self.view.ids = tuple(self.setting.cohort.ids[row] for row in self.rows)
        self._begin(lanes)
        return self.task.observe(self.view, self._known())

    def _draw(self) -> None:
        """All that hangs on the keys alone."""
        setting = self.setting
        self._clocks = circadian.draw(self.keys, setting.spread)
        self._sleeps = sleep.draw(self.keys, setting.spread)
        self._weeks = duties.draw(self.keys, setting.days + 1, setting.kind, self._minors[self.rows])
        self._stream = random.stream(self.keys, Stream.NIGHTS)

    def _known(self) -> NDArray[np.float64] | None:
        if not self.setting.oracle:
            return None
        angle, clocks = self.clock.angle_rad(self.clock_state), self._clocks
        return np.stack(
            [
                np.sin(angle), np.cos(angle), clocks[:, circadian.PERIOD_H] - circadian.PERIOD_MEAN_H,
                np.log(clocks[:, circadian.LIGHT_GAIN]), self._sleeps[:, sleep.NEED_H] - 8.0,
                self.sleep_state[:, sleep.PRESSURE],
            ],
            axis=1,
        )  # fmt: skip

    def _empty(self) -> NightsView:
        n, days = self.lanes, self.setting.days
        wide = {"light": LIGHT_BINS, "sleepiness": ASKED_AT}
        arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((n, wide.get(name, SEEN_DAYS))) for name in _SAVED_VIEW
        }
        arrays |= {name: np.zeros(n) for name in ("daylight_h", "bed", "rise")}
        integers = {"day": np.zeros(n, np.int64), "kind": np.zeros(n, np.int64)}
        integers["duty"] = np.zeros((n, days + 1), np.int64)
        return NightsView(ids=(), days=days, **(arrays | integers))

    def _begin(self, lanes: NDArray[np.int64]) -> None:
        """The old life: weeks for the clock, then some days lived, which fill what is seen."""
        weeks, view = rows.take(self._weeks, lanes), self.view
        home = np.where(weeks.kind == duties.EAST, duties.OFFICE, duties.FREE)
        late = np.select(
            [weeks.kind == duties.EAST, weeks.kind == duties.SCHOOL],
            [duties.SHIFTED_H, duties.HOLIDAY_H],
            0.0,
        )
        back = np.round(late * 60 / STEP_MIN).astype(int)
        night = Night.usual(home)
        nothing, ones = np.zeros((len(lanes), STEPS), bool), np.ones((len(lanes), STEPS))
        usual = duties.light(home, weeks.daylight_h, nothing)
        usual[night.in_bed()] = 0.0
        # By the new clock, which the old life is `late` behind.
        there = (np.arange(STEPS) - back[:, None]) % STEPS
        shifted = np.take_along_axis(usual, there, axis=1)
        state = self.clock.entrained(self._clocks[lanes], shifted, ENTRAINED_DAYS)
        self.clock_state[lanes], self.sleep_state[lanes] = state, sleep.rested(len(lanes))
        in_bed = np.take_along_axis(night.in_bed(), there, axis=1)
        self._calendar(lanes)
        for day in range(SETTLED_DAYS):
            today = np.full(len(lanes), day)
            lived = self._live(lanes, in_bed, shifted, ones, nothing, today)
            watch.see(view, lanes, lived, night.bed + late, night.rise + late, self._noise(lanes, today))
        view.day[lanes] = 0
        # Nobody is held to the old life's hours: the day before counts as one of the first day's.
        view.bed[lanes], view.rise[lanes] = USUAL_H[weeks.duty[:, 0]].T

    def step(self, action: NDArray[Any] | Night | None) -> Transition:
        """A day: an action (n, A) in [-1, 1], a `Night`, or None (the usual hours).

        Values outside [-1, 1] count as the nearest bound, what is not finite as usual. Raises ValueError for a wrong
        shape or type; nothing has happened then.
        """
        if not self._seated:
            raise RuntimeError("step() was called before reset(); call reset() first")
        if (self.view.day >= self.setting.days).any():
            raise RuntimeError("the weeks of a lane are over; call reset() for it first")
        view, everybody, duty = self.view, np.arange(self.lanes), self.view.today
        before = np.take_along_axis(view.duty, np.maximum(view.day - 1, 0)[:, None], axis=1)[:, 0]
        asked = self._asked(action)
        allowed, reason = asked, np.zeros(self.lanes, np.int64)
        if self.setting.shield == "rule":
            allowed, reason = hold(asked, view.kind, duty, view.bed, view.rise, before)
        busy = duties.required(duty)
        in_bed = allowed.in_bed() & ~busy
        lux = duties.light(duty, view.daylight_h, allowed.seeks())
        glasses = np.where(allowed.avoids() & ~busy, duties.GLASSES, 1.0)
        day = view.day + SETTLED_DAYS
        lived = self.lived = self._live(everybody, in_bed, lux, glasses, busy, day)
        record = self._record(lived, asked, allowed, reason)
        view.bed[:], view.rise[:] = allowed.bed, allowed.rise
        watch.see(view, everybody, lived, allowed.bed, allowed.rise, self._noise(everybody, day))
        view.day += 1
        count = np.nan_to_num(record[:, 0, LAPSES])
        terms = self.task.terms(count, record[:, 0, SHORT], record[:, 0, IN_BED])
        sleepy = (lived.sleepiness >= SLEEPY_KSS) & busy
        cost = sleepy.sum(axis=1) / np.maximum(busy.sum(axis=1), 1)
        return Transition(
            self.task.observe(view, self._known()), sum(terms.values(), np.zeros(self.lanes)), terms, cost,
            view.day >= self.setting.days, np.zeros(self.lanes, bool), record,
        )  # fmt: skip

    def _asked(self, action: NDArray[Any] | Night | None) -> Night:
        duty = self.view.today
        if action is None:
            return Night.usual(duty)
        if isinstance(action, Night):
            return Night.checked(
                duty, *(np.asarray(getattr(action, one.name), float) for one in fields(Night))
            )
        return self.task.decode(numeric(action, self.task.fields, self.lanes, "a Night"), self.view)

    def _live(
        self,
        lanes: NDArray[np.int64],
        in_bed: NDArray[np.bool_],
        lux: NDArray[np.float64],
        glasses: NDArray[np.float64],
        busy: NDArray[np.bool_],
        day: NDArray[np.int64],
    ) -> Lived:
        """A day of these lanes in steps of five minutes. day (m,): which draws come."""
        chance = random.uniform(self._stream[lanes], STEPS, first=STEPS * day)
        turning, state = self.clock_state[lanes], self.sleep_state[lanes]
        room = np.where(in_bed, 0.0, lux)
        eyes = room * glasses
        asleep, phase, alert = sleep.live(
            self.clock, turning, self._clocks[lanes], state, self._sleeps[lanes], in_bed, eyes, chance
        )
        self.clock_state[lanes], self.sleep_state[lanes] = turning, state
        return Lived(asleep, in_bed, busy, room, eyes, phase, sleep.sleepiness(alert))

    def _noise(self, lanes: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.float64]:
        """Errors of a day (m, `watch.NOISES`)."""
        return random.normal(self._stream[lanes], watch.NOISES, first=_FIRST_NOISE + watch.NOISES * day)

    def _record(
        self, lived: Lived, asked: Night, allowed: Night, reason: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        slept = lived.asleep.sum(axis=1) * STEP_MIN / 60
        busy = np.maximum(lived.required.sum(axis=1), 1)
        has = lived.required.any(axis=1)

        def over_required(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.where(has, np.where(lived.required, values, 0.0).sum(axis=1) / busy, np.nan)

        columns = {
            BED: allowed.bed, RISE: allowed.rise, ASKED_BED: asked.bed, ASKED_RISE: asked.rise, SLEPT: slept,
            SHORT: np.maximum(self._sleeps[:, sleep.NEED_H] - slept, 0.0),
            LAPSES: over_required(lapses(lived.sleepiness)), SLEEPINESS: over_required(lived.sleepiness),
            MINIMUM: minimum_h(lived.phase_h), REASON: reason, IN_BED: lived.in_bed.sum(axis=1) * STEP_MIN / 60,
        }  # fmt: skip
        record = np.empty((self.lanes, 1, len(RECORD)))
        for column, value in columns.items():
            record[:, 0, column] = value
        return record

    @property
    def minute(self) -> NDArray[np.int64]:
        """Minutes since the first 18:00 (n,)."""
        minutes: NDArray[np.int64] = self.view.day * MINUTES_PER_DAY
        return minutes

    # --- what faces ask for -----------------------------------------------------------------------------
    def first_info(self) -> dict[str, NDArray[Any]]:
        """Facts at the beginning of episodes, by name, one row per lane."""
        return self._told()

    def _told(self) -> dict[str, NDArray[Any]]:
        return {"phase_h": self.clock.phase_h(self.clock_state)} if self.setting.oracle else {}

    def info(self, done: Transition) -> dict[str, Any]:
        """Facts about a step, by name, one row per lane; lapses are 0 without required hours; `shield` holds the code
        of the bound and the minutes by which bedtime and rising were moved."""
        row = done.trace[:, 0]
        moved = np.abs(row[:, BED] - row[:, ASKED_BED]) + np.abs(row[:, RISE] - row[:, ASKED_RISE])
        return {
            "slept_h": row[:, SLEPT], "lapses": np.nan_to_num(row[:, LAPSES]), **self._told(),
            "shield": {"reason": row[:, REASON].astype(int), "changed_min": 60.0 * moved},
        }  # fmt: skip

    # --- stopping and going on ----------------------------------------------------------------------------
    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that the future of the lanes hangs on; `restore` takes it back."""
        return daily.take(self, _SAVED, self.view, _SAVED_VIEW)

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Go on, bit for bit, where `save` was called. Raises ValueError when it does not fit; nothing has happened."""
        self.view = daily.put(self, _SAVED, self._empty(), _SAVED_VIEW, saved)
        self._seated = True
        self._draw()
        self._calendar(np.arange(self.lanes))
        return self.task.observe(self.view, self._known())

    def _calendar(self, lanes: NDArray[np.int64]) -> None:
        """What follows from the keys and is seen."""
        weeks, view = rows.take(self._weeks, lanes), self.view
        view.kind[lanes], view.duty[lanes], view.daylight_h[lanes] = weeks.kind, weeks.duty, weeks.daylight_h
