"""The stepping loop of a season: decode, bounds, adherence, body, watch. One step is one day; plain arrays.

It has the face of `envs.core.Core`, so that the same faces serve it. A lane's future hangs on its key and its actions
alone: also the body, whose time constants, gains and frailty are drawn anew for each key and shown to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import daily
from envs.core import Transition
from envs.season import life
from envs.season.bounds import BOUNDS, Bound, hold
from envs.season.plan import Plan
from envs.season.session import VIGOROUS, Session, minutes_for
from envs.season.view import HISTORY_DAYS, SeasonView
from envs.tasks.task import numeric
from twins import random
from twins.bodies import fitness
from twins.bodies.fitness import Fitness
from twins.cohort import Cohort
from twins.random import Stream
from twins.units import MINUTES_PER_DAY

DRAWS_PER_DAY = 4
"""Pairs of draws. Uniforms: whether the session is done, an injury, its length; normals: heart rate, HRV, trial."""
TRIAL_EVERY_DAYS = 7
HABIT_INTENSITY = 0.5
TARGET_GROWTH = 1.4
"""Prescribed load of a season over that of the person's habit."""
(
    PERFORMANCE, LOAD, MINUTES, INTENSITY, ASKED_MINUTES, ASKED_INTENSITY, RATIO, HURT, LOST, SKIPPED, REASON,
    ASKED_RATIO, ALLOWED_MINUTES, EVENING, FITNESS, FATIGUE,
) = range(16)  # fmt: skip
RECORD = (
    "performance", "load", "minutes", "intensity", "asked_minutes", "asked_intensity", "ratio", "hurt", "lost",
    "skipped", "reason", "asked_ratio", "allowed_minutes", "evening", "fitness", "fatigue",
)  # fmt: skip
"""Columns of `Transition.trace`, a row a day. asked_ratio: acute to chronic load had the session been done as asked;
fitness, fatigue: points that they add to and take from performance."""
_SAVED = ("rows", "people", "keys", "dice", "state", "habit")
_SAVED_VIEW = tuple(name for name in SeasonView.__dataclass_fields__ if name not in ("ids", "days"))


@dataclass(frozen=True)
class SeasonSetting:
    """Who trains, for how long, in which body, within which bounds. Raises ValueError naming what is wrong.

    model: "banister" or "busso". ratio_weight: of the acute:chronic ratio in the hazard of injuries. spread: of the
    bodies around their medians. foreseen: rewards are for what a day does to performance on the last day, see
    `envs.season.plan.Plan`. oracle: agents see the body's parameters, for a reference that names itself.
    """

    cohort: Cohort
    days: int = 84
    model: str = fitness.BANISTER
    ratio_weight: float = 1.0
    spread: float = 1.0
    shield: str = "rule"
    foreseen: bool = False
    oracle: bool = False
    split: str = "train"
    seed: int = 0
    decision_min: int = MINUTES_PER_DAY

    def __post_init__(self) -> None:
        daily.check_setting(
            self, "a season", (7, 366, 84), {"model": fitness.MODELS}, ("ratio_weight", "spread"),
            ("foreseen", "oracle"),
        )  # fmt: skip


class SeasonCore:
    """`lanes` persons side by side. Call `reset` before `step`."""

    reasons = BOUNDS

    def __init__(self, setting: SeasonSetting, task: Plan, lanes: int) -> None:
        self.setting, self.task, self.lanes = setting, task, lanes
        self.body = Fitness(setting.model, setting.ratio_weight)
        self.rows = np.full(lanes, -1)
        self.people = np.zeros(lanes, np.uint32)
        self.keys = np.zeros((lanes, random.KEY_COLUMNS), np.uint32)
        self.dice = self.keys.copy()
        self.state = np.zeros((lanes, len(fitness.STATES)))
        self.habit = np.zeros(lanes)
        self._record = np.empty((lanes, 1, len(RECORD)))
        self._seated = False

    def reset(
        self,
        rows: NDArray[np.int64],
        keys: NDArray[np.uint32],
        lanes: NDArray[np.int64] | None = None,
        dice: NDArray[np.uint32] | None = None,
    ) -> NDArray[np.float32]:
        """Begin new seasons in `lanes` (default: all) for persons `rows` (m,) under `keys` (m, 6).

        dice (m, 6): keys of what the days bring, where a body is to live another season than its own. Raises
        ValueError for shapes or rows that do not fit; nothing has happened then.
        """
        if lanes is None:
            lanes = np.arange(self.lanes)
        dice = keys if dice is None else dice
        daily.check_seats(self, rows, lanes, self._seated, keys, dice)
        self.rows[lanes], self.keys[lanes], self.dice[lanes] = rows, keys, dice
        self.people[lanes] = self.setting.cohort.numbers[rows]
        self._draw()
        if not self._seated:
            self._seated = True
            self.view = self._empty()
        self.view.ids = tuple(self.setting.cohort.ids[row] for row in self.rows)
        self.state[lanes] = self.body.begin(self._parameters[lanes])
        self.habit[lanes] = life.HABIT_FIRST
        self._begin_view(lanes)
        return self.task.observe(self.view, self._known())

    def _draw(self) -> None:
        """All that hangs on the keys alone."""
        self._parameters = fitness.draw(self.keys, self.setting.spread)
        self._willing, self._evening = life.draw(self.keys)
        usual = fitness.habit_loads(self._parameters, fitness.WEEK_DAYS).max(axis=1)
        self._usual_min = minutes_for(usual, np.full(self.lanes, HABIT_INTENSITY))
        self._stream = random.stream(self.dice, Stream.TRAINING)

    def _known(self) -> NDArray[np.float64] | None:
        return self._parameters if self.setting.oracle else None

    def _empty(self) -> SeasonView:
        n = self.lanes
        arrays = {name: np.zeros(n) for name in _SAVED_VIEW}
        arrays |= {
            name: np.zeros((n, HISTORY_DAYS)) for name in ("loads", "minutes", "hard", "skipped", "lost")
        }
        arrays["day"] = np.zeros(n, np.int64)
        return SeasonView(ids=(), days=self.setting.days, **arrays)  # type: ignore[arg-type]

    def _begin_view(self, lanes: NDArray[np.int64]) -> None:
        """The 28 days of habit before, the first morning, the first trial."""
        view, p = self.view, self._parameters[lanes]
        for name in _SAVED_VIEW:
            getattr(view, name)[lanes] = 0
        easy = fitness.habit_loads(p, HISTORY_DAYS)
        view.loads[lanes] = easy
        view.minutes[lanes] = minutes_for(easy, np.full_like(easy, HABIT_INTENSITY))
        view.target_load[lanes] = TARGET_GROWTH * p[:, fitness.HABIT] * self.setting.days
        usual = self.body.shown(self.state[lanes], p, np.zeros((len(lanes), 2)))
        view.usual_bpm[lanes], view.usual_hrv_ln_ms[lanes] = usual[:, 0], usual[:, 1]
        view.mean_bpm[lanes], view.mean_hrv_ln_ms[lanes] = usual[:, 0], usual[:, 1]
        self._morning(lanes)
        view.first_trial[lanes] = view.trial_before[lanes] = view.trial[lanes]

    def _morning(self, lanes: NDArray[np.int64]) -> None:
        """What is seen on the morning of the day: load's means, watch, injury, and every week a time trial."""
        view, p, state = self.view, self._parameters[lanes], self.state[lanes]
        day = view.day[lanes]
        noise = random.normal(self._stream[lanes], 3, 2 * DRAWS_PER_DAY * day)
        view.acute[lanes], view.chronic[lanes] = state[:, fitness.ACUTE], state[:, fitness.CHRONIC]
        view.injured[lanes] = (state[:, fitness.LOST] >= 1.0).astype(float)
        seen = self.body.shown(state, p, noise[:, :2])
        view.resting_bpm[lanes], view.hrv_ln_ms[lanes] = seen[:, 0], seen[:, 1]
        view.mean_bpm[lanes] += fitness.ACUTE_PART * (seen[:, 0] - view.mean_bpm[lanes])
        view.mean_hrv_ln_ms[lanes] += fitness.ACUTE_PART * (seen[:, 1] - view.mean_hrv_ln_ms[lanes])
        tested = (day % TRIAL_EVERY_DAYS == 0) & ((view.injured[lanes] == 0) | (day == 0))
        shown = self.body.performance(state, p) + fitness.TRIAL_SD * noise[:, 2]
        view.trial_before[lanes] = np.where(tested, view.trial[lanes], view.trial_before[lanes])
        view.trial[lanes] = np.where(tested, shown, view.trial[lanes])
        view.trial_age_days[lanes] = np.where(tested, 0.0, view.trial_age_days[lanes] + 1.0)

    def step(self, action: NDArray[Any] | Session | None) -> Transition:
        """A day: an action (n, A) in [-1, 1], a `Session`, or None (rest).

        Values outside [-1, 1] count as the nearest bound, what is not finite as rest. Raises ValueError for a wrong
        shape or type; nothing has happened then.
        """
        if not self._seated:
            raise RuntimeError("step() was called before reset(); call reset() first")
        view, p = self.view, self._parameters
        asked = self._asked(action)
        allowed, reason = (
            hold(asked, view) if self.setting.shield == "rule" else (asked, np.zeros(self.lanes, int))
        )
        ready = view.injured == 0
        asked_ratio = self.body.ratio_after(self.state, np.where(ready, asked.load, 0.0))
        before = self._worth()
        chance = random.uniform(self._stream, 3, 2 * DRAWS_PER_DAY * view.day + 4)
        tired = self.body.fatigue_load(self.state, p)
        planned = allowed.minutes > 0
        done = (
            planned
            & ready
            & (
                chance[:, 0]
                < life.follows(allowed, self._willing, self._evening, self.habit, tired, self._usual_min)
            )
        )
        load = np.where(done, allowed.load, 0.0)
        day = self.body.advance(self.state, p, load, chance[:, 1:])
        self.habit += np.where(done, life.HABIT_PER_SESSION * (1 - self.habit), 0.0)
        self._note(allowed, load, done, planned & ready & ~done, day.lost)
        left = np.maximum(view.target_load - view.done_load, 0.0)
        view.target_load -= np.where(day.lost, left / np.maximum(view.days - view.day, 1), 0.0)
        view.day += 1
        self._morning(np.arange(self.lanes))
        row, cost = self._record[:, 0], self.body.cost(self.state, p)
        for column, value in (
            (PERFORMANCE, day.performance), (LOAD, load), (MINUTES, np.where(done, allowed.minutes, 0.0)),
            (INTENSITY, np.where(done, allowed.intensity, 0.0)), (ASKED_MINUTES, asked.minutes),
            (ASKED_INTENSITY, asked.intensity), (RATIO, day.ratio), (HURT, day.hurt), (LOST, day.lost),
            (SKIPPED, planned & ready & ~done), (REASON, reason), (ASKED_RATIO, asked_ratio),
            (ALLOWED_MINUTES, allowed.minutes), (EVENING, done & (allowed.evening == 1)),
            (FITNESS, day.performance - fitness.BASE + cost), (FATIGUE, cost),
        ):  # fmt: skip
            row[:, column] = value
        terms = self.task.terms(self._record, view, self._worth() - before)
        over = view.day >= self.setting.days
        return Transition(
            self.task.observe(view, self._known()), sum(terms.values(), np.zeros(self.lanes)), terms,
            day.lost.astype(float), over, np.zeros(self.lanes, bool), self._record,
        )  # fmt: skip

    def _worth(self) -> NDArray[np.float64]:
        """What a day's reward is the change of (n,)."""
        if not self.setting.foreseen:
            return self.body.performance(self.state, self._parameters)
        left = np.maximum(self.setting.days - self.view.day, 0).astype(float)
        return self.body.foreseen(self.state, self._parameters, left)

    def _asked(self, action: NDArray[Any] | Session | None) -> Session:
        if action is None:
            return Session.rest(self.lanes)
        if isinstance(action, Session):
            asked = Session.checked(action.minutes, action.intensity, action.evening)
            shapes = {
                np.shape(asked.minutes),
                np.shape(asked.intensity),
                np.shape(asked.evening),
            }
            if shapes != {(self.lanes,)}:
                raise ValueError(f"a session has shapes {shapes}; needed is ({self.lanes},) of each")
            return asked
        return self.task.decode(numeric(action, self.task.fields, self.lanes, "a Session"), self.view)

    def _note(
        self,
        allowed: Session,
        load: NDArray[np.float64],
        done: NDArray[np.bool_],
        skipped: NDArray[np.bool_],
        lost: NDArray[np.bool_],
    ) -> None:
        view = self.view
        for table, value in (
            (view.loads, load), (view.minutes, np.where(done, allowed.minutes, 0.0)),
            (view.hard, done & (allowed.intensity >= VIGOROUS)), (view.skipped, skipped),
            (view.lost, lost),
        ):  # fmt: skip
            table[:, :-1] = table[:, 1:].copy()
            table[:, -1] = value
        view.done_load += load
        planned = done | skipped
        view.planned += planned
        view.planned_evening += planned & (allowed.evening == 1)
        view.skipped_of += skipped
        view.skipped_evening += skipped & (allowed.evening == 1)

    @property
    def minute(self) -> NDArray[np.int64]:
        """Minutes since the season began (n,)."""
        minutes: NDArray[np.int64] = self.view.day * MINUTES_PER_DAY
        return minutes

    # --- what faces ask for -----------------------------------------------------------------------------
    def first_info(self) -> dict[str, NDArray[Any]]:
        """Facts at the beginning of episodes, by name, one row per lane."""
        return {"performance": self.body.performance(self.state, self._parameters)}

    def info(self, done: Transition) -> dict[str, Any]:
        """Facts about a step, by name, one row per lane; `shield` holds the code of the bound and the minutes taken."""
        row = done.trace[:, 0]
        taken = np.where(
            row[:, REASON] > int(Bound.NONE), row[:, ASKED_MINUTES] - row[:, ALLOWED_MINUTES], 0.0
        )
        return {
            "performance": row[:, PERFORMANCE], "load": row[:, LOAD], "ratio": row[:, RATIO], "lost": row[:, LOST],
            "shield": {"reason": row[:, REASON].astype(int), "changed_min": taken},
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
        return self.task.observe(self.view, self._known())
