"""Nights of an ordinary life: the habit's, the one that is advised and followed or not, and what a watch makes of
it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs import rows
from envs.living import advice as a
from envs.living import record as r
from envs.living.bounds import hold_night
from envs.rows import Array, Counts, Flags
from twins import random
from twins.bodies.circadian import STEP_MIN
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world import ordinary, wearable
from twins.world.ordinary import WEEK_DAYS, Ordinary

EFFICIENCY = 0.85
"""Of hours in bed, what habit is taken to give of sleep."""
SAID_SD = 0.7
"""How what people say of their sleepiness scatters."""
MOST_ASKED_H, LATEST_RISE_H = 3.0, 11.5
"""Bedtimes and risings further from the usual count as so far."""
SLOTS = 60 // STEP_MIN
_SAID_FIRST = 1 << 21
"""Beyond the draws of `twins.world.ordinary` in the same stream."""


def usual_hours(weeks: Ordinary) -> Array:
    """What people's habit gives them of sleep a night (n,), as a mean of the weeks drawn."""
    usual: Array = EFFICIENCY * (weeks.rise_h[:, 1:] + 24.0 - weeks.bed_h[:, :-1]).mean(axis=1)
    return usual


@dataclass
class Nights:
    """Of n people, arrays with a row each; minutes from midnight of the first day.

    bed_min, rise_min: of the night to come, or that goes on. held_bed_h: bedtime of the evening before, as it was.
    slept: truly, since the last waking [h], week (n, 7): of the last nights; sensed, nights (n, 7): the same by the
    watch; fell_h, woke_h: of the last night, by the watch. sleepiness: said on waking. pulse; steps, lux (n, 12): by
    the watch, of the last five minutes and hour. Since the last decision: shift_h, short_sleep_h (on waking, of the
    last week).
    """

    bed_min: Counts
    rise_min: Counts
    held_bed_h: Array
    slept: Array
    sensed: Array
    fell_h: Array
    woke_h: Array
    sleepiness: Array
    pulse: Array
    shift_h: Array
    short_sleep_h: Array
    week: Array
    nights: Array
    steps: Array
    lux: Array

    @classmethod
    def new(cls, weeks: Ordinary, usual_sleep_h: Array) -> "Nights":
        """After weeks of habit, on waking. usual_sleep_h (n,)."""
        n = len(weeks.willing)
        made = rows.zeros(cls, n, {"week": WEEK_DAYS, "nights": WEEK_DAYS, "steps": SLOTS, "lux": SLOTS})
        made.held_bed_h[:] = made.fell_h[:] = weeks.bed_h[:, 0]
        made.woke_h[:], made.sleepiness[:], made.pulse[:] = weeks.rise_h[:, 0], 5.0, wearable.REST_BPM
        made.week[:] = made.nights[:] = usual_sleep_h[:, None]
        made.mean(np.arange(n), np.zeros(n, np.int64), weeks)
        return made

    def in_bed(self, minute: Counts) -> Flags:
        """Who is, at `minute` (n,)."""
        there: Flags = (minute >= self.bed_min) & (minute < self.rise_min)
        return there

    def mean(self, lanes: Counts, day: Counts, weeks: Ordinary) -> None:
        """The night after `day` (m,) as habit and chance would have it, for these lanes; weeks: of everybody."""
        bed = weeks.bed_h[lanes, day] + weeks.scatter_h[lanes, day]
        self.bed_min[lanes], self.rise_min[lanes] = _minutes(day, bed, weeks.rise_h[lanes, day + 1])

    def take(
        self,
        lanes: Counts,
        plan: Array,
        minute: Counts,
        day: Counts,
        debt_h: Array,
        weeks: Ordinary,
        bounded: bool,
        days: Array,
    ) -> None:
        """Advice for the night of these lanes; arguments as of `Moves.take`."""
        usual_bed, usual_rise = weeks.bed_h[lanes, day], weeks.rise_h[lanes, day + 1]
        asked_bed, asked_rise = plan[:, a.BED_H], plan[:, a.RISE_H]
        known = np.isfinite(asked_bed) | np.isfinite(asked_rise)
        asked_bed = np.where(np.isfinite(asked_bed), asked_bed, usual_bed)
        asked_rise = np.where(np.isfinite(asked_rise), asked_rise, usual_rise)
        bed = np.clip(asked_bed, usual_bed - MOST_ASKED_H, usual_bed + MOST_ASKED_H)
        rise = np.clip(asked_rise, usual_rise - MOST_ASKED_H, usual_rise + MOST_ASKED_H)
        before, reason = self.held_bed_h[lanes], np.zeros(len(lanes), np.int64)
        if bounded:
            bed, rise, reason = hold_night(
                bed, rise, usual_bed, usual_rise, before, weeks.work[lanes, day + 1]
            )
        rise = np.minimum(np.maximum(rise, bed - 24.0), LATEST_RISE_H)
        off = np.abs(bed - usual_bed) + np.abs(rise - usual_rise)
        advised = known & (off > 1e-6)
        shift = np.where(advised, bed - usual_bed, 0.0)
        none = np.zeros(len(lanes))
        follows = advised & (
            weeks.chance[lanes, day, 1] < ordinary.follows(weeks.willing[lanes], none, shift, debt_h, none)
        )
        to_bed, up = _minutes(day, bed, rise)
        to_bed = np.maximum(to_bed, minute + 30)
        self.bed_min[lanes] = np.where(follows, to_bed, self.bed_min[lanes])
        self.rise_min[lanes] = np.where(follows, np.maximum(up, to_bed + 60), self.rise_min[lanes])
        self.shift_h[lanes] = np.where(advised, off, 0.0)
        for column, value in (
            (r.ASKED_BED_H, asked_bed), (r.ASKED_RISE_H, asked_rise), (r.NIGHT_ADVISED, advised),
            (r.NIGHT_FOLLOWED, follows), (r.NIGHT_BOUND, reason), (r.SHIFT_H, shift), (r.ALLOWED_BED_H, bed),
            (r.ALLOWED_RISE_H, rise), (r.HELD_BED_H, before),
        ):  # fmt: skip
            days[lanes, day, column] = value

    def watch(
        self,
        minute: Counts,
        day: Counts,
        keys: NDArray[np.uint32],
        asleep: Flags,
        in_bed: Flags,
        used: Array,
        lux: Array,
    ) -> None:
        """What a watch makes of five minutes from `minute` (n,) on."""
        columns = (asleep[:, None], in_bed[:, None], used[:, None], lux[:, None])
        worn = wearable.measure(keys, minute // STEP_MIN, *columns)
        sensed, hour = worn.asleep[:, 0], (minute - day * MINUTES_PER_DAY) / 60
        self.fell_h[:] = np.where(sensed & (self.sensed == 0), hour, self.fell_h)
        self.woke_h[:] = np.where(sensed, hour + STEP_MIN / 60 - 24.0, self.woke_h)
        self.sensed += sensed * (STEP_MIN / 60)
        self.slept += asleep * (STEP_MIN / 60)
        self.pulse[:] = worn.heart_rate_bpm[:, 0]
        rows.push(self.steps, worn.steps[:, 0])
        rows.push(self.lux, worn.lux[:, 0])

    def wake(
        self,
        lanes: Counts,
        day: Counts,
        keys: NDArray[np.uint32],
        sleepiness: Array,
        usual_sleep_h: Array,
        weeks: Ordinary,
        days: Array,
    ) -> None:
        """The night of these lanes is over; keys (m, 6), sleepiness, usual_sleep_h (m,): of them; weeks: of
        everybody."""
        bed, rise = self.bed_min[lanes], self.rise_min[lanes]
        noise = random.normal(random.stream(keys, Stream.FOLLOWING), 1, first=_SAID_FIRST + day)[:, 0]
        self.sleepiness[lanes] = np.clip(sleepiness + SAID_SD * noise, 1.0, 9.0)
        for column, value in (
            (r.LIVED, 1.0), (r.SLEPT_H, self.slept[lanes]), (r.IN_BED_H, (rise - bed) / 60),
            (r.BED_H, bed / 60 - 24 * day), (r.RISE_H, rise / 60 - 24 * (day + 1)),
            (r.USUAL_BED_H, weeks.bed_h[lanes, day]), (r.USUAL_RISE_H, weeks.rise_h[lanes, day + 1]),
            (r.SLEEPINESS, self.sleepiness[lanes]),
        ):  # fmt: skip
            days[lanes, day, column] = value
        for table, value in ((self.nights, self.sensed), (self.week, self.slept)):
            table[lanes] = np.concatenate([table[lanes, 1:], value[lanes, None]], axis=1)
        self.short_sleep_h[lanes] = np.maximum(usual_sleep_h - self.week[lanes].mean(axis=1), 0.0)
        self.held_bed_h[lanes] = bed / 60 - 24 * day
        self.sensed[lanes] = self.slept[lanes] = 0.0
        self.mean(lanes, day + 1, weeks)


def _minutes(day: Counts, bed_h: Array, rise_h: Array) -> tuple[Counts, Counts]:
    """From midnight of the first day, in whole steps: bedtime of the evening of a day, and rising after it."""
    bed = day * MINUTES_PER_DAY + STEP_MIN * np.round(bed_h * SLOTS).astype(np.int64)
    rise = (day + 1) * MINUTES_PER_DAY + STEP_MIN * np.round(rise_h * SLOTS).astype(np.int64)
    return bed, rise
