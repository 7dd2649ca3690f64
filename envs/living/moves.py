"""Today's exercise as it is lived: advised, followed or not, held back, begun, paused, over; or the person's own."""

from dataclasses import dataclass

import numpy as np

from envs import rows
from envs import view as v
from envs.bouts.bounds import HARD_FROM, WAIT_MIN, WEEK_MIN, WITHIN_MIN, Bound, must_pause, refusal
from envs.living import advice as a
from envs.living import record as r
from envs.living.bounds import hold_move
from envs.rows import Array, Counts, Flags
from envs.view import View
from twins.bodies.circadian import STEP_MIN
from twins.units import MINUTES_PER_DAY
from twins.world import ordinary
from twins.world.ordinary import WEEK_DAYS, Ordinary
from twins.world.sessions import AEROBIC

LATEST_H = 23.0
"""No session begins later where nothing else bounds it."""
NEVER = -1


@dataclass
class Moves:
    """Of n people, arrays with a row each; minutes from midnight of the first day, -1: not.

    told_min, told_for_min, told_reserve: of what is advised today, where advised. begin_min, minutes, reserve, carbs_g:
    of the session that there will be, the advised one where the person follows, else the own, where there is one;
    follows, over, paused: of it; started_min, left_min, done_work [intensity-minutes], was_low: since its begin.
    ended_min, last_work: of the last one that was begun. hard: done yesterday. fear: after a low in it, fades. week (n,
    7): minutes done by day, today's last. advised_of, begun_of: sessions so far. eaten (n, 6): on advice, in the last
    intervals. Since the last decision: ate_g, asked_min, short_min (on waking, of the last week).
    """

    told_min: Counts
    begin_min: Counts
    started_min: Counts
    ended_min: Counts
    advised: Flags
    follows: Flags
    over: Flags
    paused: Flags
    was_low: Flags
    hard: Flags
    told_for_min: Array
    told_reserve: Array
    minutes: Array
    reserve: Array
    carbs_g: Array
    left_min: Array
    done_work: Array
    last_work: Array
    fear: Array
    advised_of: Array
    begun_of: Array
    ate_g: Array
    asked_min: Array
    short_min: Array
    week: Array
    eaten: Array

    @classmethod
    def new(cls, n: int) -> "Moves":
        """After weeks of habit."""
        made = rows.zeros(cls, n, {"week": WEEK_DAYS, "eaten": WITHIN_MIN // STEP_MIN})
        made.begin_min[:] = made.started_min[:] = made.ended_min[:] = NEVER
        made.over[:], made.week[:, :-1] = True, ordinary.OWN_SHARE * ordinary.OWN_MIN
        return made

    @property
    def active(self) -> Flags:
        """Whose session goes on (n,)."""
        going: Flags = ~self.over & (self.started_min != NEVER)
        return going

    def pending(self, minute: Counts) -> Flags:
        """Who is advised a session that is not over (n,); that one will not follow is not known before its hour."""
        waits: Flags = self.advised & np.where(self.follows, ~self.over, minute < self.told_min)
        return waits

    def take(
        self,
        lanes: Counts,
        plan: Array,
        minute: Counts,
        day: Counts,
        bed_h: Array,
        debt_h: Array,
        weeks: Ordinary,
        bounded: bool,
        days: Array,
    ) -> None:
        """Advice for today of these lanes: plan (m, 6); minute, day (m,): now; bed_h, debt_h (m,); weeks of everybody;
        days (n, D, C), the record, is filled."""
        wants = plan[:, [a.MOVE_AT_H, a.MOVE_MIN, a.MOVE_RESERVE]].T
        rise, work = minute / 60 - 24 * day, weeks.work[lanes, day]
        if bounded:
            week = self.week[lanes, :-1].sum(axis=1)
            at, minutes, reserve, reason = hold_move(
                wants[0], wants[1], wants[2], week, self.hard[lanes], rise, bed_h, work
            )  # fmt: skip
        else:
            asked = np.nan_to_num(wants, nan=0.0, posinf=0.0, neginf=0.0)
            at, minutes = np.clip(asked[0], rise, LATEST_H), np.clip(asked[1], 0.0, a.MOST_MOVE_MIN)
            minutes = np.where(minutes < a.LEAST_MOVE_MIN, 0.0, minutes)
            reserve, reason = (
                np.clip(asked[2], a.LEAST_RESERVE, a.MOST_RESERVE),
                np.zeros(len(lanes), np.int64),
            )
        advised = minutes > 0
        likely = ordinary.follows(
            weeks.willing[lanes], minutes, np.zeros(len(lanes)), debt_h, self.fear[lanes]
        )
        follows = advised & (weeks.chance[lanes, day, 0] < likely)
        own = weeks.own[lanes, day] & ~follows
        carbs = np.clip(np.nan_to_num(plan[:, a.MOVE_CARBS_G], nan=0.0, posinf=0.0), 0.0, a.MOST_CARBS_G)
        told = 60 * 24 * day + STEP_MIN * np.round(60 * at / STEP_MIN).astype(np.int64)
        self.told_min[lanes], self.told_reserve[lanes] = told, reserve
        self.told_for_min[lanes] = whole_min = STEP_MIN * np.floor(minutes / STEP_MIN + 1e-9)
        self.begin_min[lanes] = np.where(own, round(60 * ordinary.OWN_AT_H) + 60 * 24 * day, told)
        self.minutes[lanes] = np.where(own, ordinary.OWN_MIN, whole_min)
        self.reserve[lanes] = np.where(own, ordinary.OWN_RESERVE, reserve)
        self.carbs_g[lanes] = np.where(follows, carbs, 0.0)
        self.advised[lanes], self.follows[lanes] = advised, follows
        self.over[lanes], self.started_min[lanes] = ~(follows | own), NEVER
        self.advised_of[lanes] += advised
        self.asked_min[lanes] = minutes
        for column, value in (
            (r.ASKED_MIN, minutes), (r.ASKED_RESERVE, np.where(advised, reserve, 0.0)),
            (r.ASKED_AT_H, np.where(advised, at, 0.0)), (r.MOVE_FOLLOWED, follows), (r.MOVE_BOUND, reason),
            (r.OWN, own), (r.WORK, work), (r.HEAVY, weeks.heavy[lanes, day]),
        ):  # fmt: skip
            days[lanes, day, column] = value

    def live(
        self,
        minute: Counts,
        day: Counts,
        bed_min: Counts,
        view: View,
        plate: Array,
        glucose_mg_dl: Array,
        bounded: bool,
        days: Array,
    ) -> Array:
        """Five minutes from `minute` (n,) on: share of the reserve in use (n,). Carbs go onto the plate (n, M)."""
        rows.push(self.eaten, np.zeros(len(minute)))
        self._end(~self.over & (minute >= bed_min), minute)  # nobody begins, nor goes on, in bed
        due = ~self.over & (self.started_min == NEVER) & (minute >= self.begin_min)
        if not (due.any() or self.active.any()):
            return np.zeros(len(minute))
        here, cgm, age = np.arange(len(minute)), view.now[:, v.CGM_MG_DL], view.now[:, v.CGM_AGE_MIN]
        eats = np.where(due & self.follows & (minute == self.begin_min), self.carbs_g, 0.0)
        plate[:, 0] += eats
        self.ate_g += eats
        self.eaten[:, -1] = eats
        against = refusal(cgm, age, self.eaten.sum(axis=1), self.reserve, np.full(len(minute), AEROBIC))
        refused = due & (against != int(Bound.NONE))
        days[here[refused], day[refused], r.REFUSED] = against[refused]
        starts = due & ~(refused & bounded)
        self.started_min[starts], self.left_min[starts] = minute[starts], self.minutes[starts]
        self.was_low[starts], self.done_work[starts] = False, 0.0
        self.begun_of += starts & self.follows
        days[here[starts], day[starts], r.BEGAN_AT_H] = minute[starts] / 60 - 24 * day[starts]
        waited = due & ~starts & (minute >= self.begin_min + WAIT_MIN)
        self._end(waited, minute)

        active = self.active
        self.paused[:] = must_pause(cgm, age, self.paused) & active & bounded
        used = np.where(active & ~self.paused, self.reserve, 0.0)
        done = STEP_MIN * (used > 0)
        self.week[:, -1] += done
        self.done_work += STEP_MIN * used
        self.was_low |= active & (glucose_mg_dl < 70.0)
        for column, value in ((r.DONE_MIN, done), (r.PAUSED_MIN, STEP_MIN * self.paused), (r.CARBS_G, eats)):
            days[here, day, column] += value
        days[here, day, r.DONE_RESERVE] = np.maximum(days[here, day, r.DONE_RESERVE], used)
        self.left_min -= STEP_MIN * active
        self._end(active & (self.left_min <= 0), minute + STEP_MIN)
        return used

    def _end(self, lanes: Flags, minute: Counts) -> None:
        began = lanes & self.active
        self.ended_min[began], self.last_work[began] = minute[began], self.done_work[began]
        self.fear[began] = np.maximum(self.fear[began], self.was_low[began])
        self.over |= lanes
        self.paused[lanes] = False

    def wake(self, lanes: Counts, day: Counts, days: Array) -> None:
        """The day of these lanes is over, day (m,)."""
        done = days[lanes, day]
        self.hard[lanes] = (done[:, r.DONE_MIN] > 0) & (done[:, r.DONE_RESERVE] >= HARD_FROM)
        self.short_min[lanes] = np.maximum(WEEK_MIN - self.week[lanes].sum(axis=1), 0.0)
        self.week[lanes] = np.concatenate([self.week[lanes, 1:], np.zeros((len(lanes), 1))], axis=1)
        self.fear[lanes] *= ordinary.FEAR_KEPT_A_DAY
        self.over[lanes] = True

    def since_end_min(self, minute: Counts) -> Counts:
        """Of the last session (n,), 0 before any; none is remembered for more than a week."""
        since: Counts = np.where(
            self.ended_min == NEVER, 0, np.minimum(minute - self.ended_min, 7 * MINUTES_PER_DAY)
        )
        return since
