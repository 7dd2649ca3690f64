"""The one batched stepping loop: decode, shield, pump, twin, sensor, observe, reward. Plain arrays.

The core works at the control interval (the sensor's sample time) and returns at the decision interval.
It never begins an episode by itself: faces do. A lane's future hangs on its key and its actions alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import limits, saved_state, therapy, trace, view
from envs.bouts.activity import Activity
from envs.conduct import Conduct
from envs.faults import MEMORY, Faults
from envs.living.life import Life
from envs.saved_state import EVENTS
from envs.setting import Setting
from envs.shield import REASONS, SHIELDS, Shield
from envs.shield.twin import TwinShield
from envs.tasks.task import Task, numeric
from envs.therapy import Request
from envs.trace import GLUCOSE_MG_DL
from envs.view import View, hear
from twins import random
from twins.bodies.model import neutral_drive
from twins.bodies.person import Person
from twins.cohort import AGE_GROUP
from twins.inference.filter import Belief, Filter
from twins.kernels import kernel
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world.behaviour import EXACT, NEVER, announce
from twins.world.devices import SENSOR_STATE_COLUMNS, deliver, measure
from twins.world.serving import serve

LIVED_BEFORE_MIN = 360
"""As long as rapid-acting insulin acts."""


@dataclass(slots=True)
class Transition:
    """What one decision led to. Arrays have one row per lane; `trace` is overwritten by the next step.

    obs (n, O) float32; reward, cost (n,); terms {name: (n,)}; terminated, truncated (n,) bool;
    trace (n, M, F), a row a minute, columns of `envs.trace`.
    """

    obs: NDArray[np.float32]
    reward: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]]
    cost: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    trace: NDArray[np.float64]


class Core:
    """`lanes` persons side by side under one setting and one task. Call `reset` before `step`.

    conduct: what people do beside insulin and food, where the setting has it.
    """

    reasons = REASONS

    def __init__(self, setting: Setting, task: Task, lanes: int) -> None:
        if lanes < 1:
            raise ValueError(f"{lanes} lanes were asked for; at least one is needed")
        self.setting, self.task, self.lanes = setting, task, lanes
        self.control_min = dt = setting.sensor.sample_min
        self.model = setting.cohort.model
        self._shield: Shield
        self._filter: Filter | None = None
        n, pump, habits = lanes, setting.pump, setting.scenario.behaviour
        self._pump = (pump.max_basal_u_per_h, pump.max_bolus_u, pump.basal_step_u_per_h, pump.bolus_step_u)
        self._treats = (habits.treats_lows_day, habits.treats_lows_night, habits.rescue_g)
        self._spline = setting.sensor.spline()
        self._faults = Faults(setting.faults) if setting.faults else None
        self.conduct: Conduct | None = None
        if setting.sessions is not None:
            self.conduct = Activity(setting.sessions, n, dt, setting.shield != "off")
        if setting.living is not None and isinstance(self.model, Person):
            self.conduct = Life(
                setting.living, self.model, n, math.ceil(setting.days), setting.decision_min, setting.shield != "off"
            )
        self._length_min = round(setting.days * MINUTES_PER_DAY, 6)  # 2.2 * 1440 is a trifle above 3168
        self._all = np.arange(n)

        self._seated = False
        self.rows = np.full(n, -1)
        self.people = np.zeros(n, np.uint32)
        self.keys = np.zeros((n, random.KEY_COLUMNS), np.uint32)
        self.begin, self.minute = np.zeros((2, n), np.int64)
        self.state = np.zeros((n, len(self.model.state_names)))
        self.glucose = np.zeros(n)
        self.eat_minute, self.tell_minute = np.full((2, n, 1), NEVER)
        self.eat_g, self.tell_g = np.zeros((2, n, 1))
        self.sensitivity = np.ones((n, int(np.ceil(setting.event_days * 24))))
        self.cursor = np.zeros((n, 2), np.int64)
        self.sensor_state = np.zeros((n, SENSOR_STATE_COLUMNS))
        self.noise = np.zeros((n, setting.sensor.samples))
        self.carry = np.zeros(n)
        self.plate, self.told, self.rescue = np.zeros((n, dt)), np.zeros(n), np.zeros(n)
        # One row for an interval; where people move, one for each of its minutes.
        self.drive = np.tile(neutral_drive(self.model.drive_names), (n, dt if self.conduct else 1, 1))
        self.fault_memory = np.zeros((n, len(setting.faults), MEMORY))

        self._trace = np.empty((n, setting.decision_min, trace.TRACE_COLUMNS))
        self._cgm, self._basal, self._bolus, self._most = np.empty((4, n))
        self._unasked = np.full(n, np.nan)

    def _seat(self, rows: NDArray[np.int64]) -> None:
        """Put persons into all lanes; what is known of them follows."""
        cohort = self.setting.cohort
        self.rows = np.array(rows, np.int64)
        self.people = cohort.numbers[rows]
        self._seated = True
        self._parameters = cohort.parameters[rows]
        self._coefficients = self.model.prepare(self._parameters)
        self.view = self._empty_view(rows)
        self.limits = limits.for_therapy(self.view.therapy)
        off = self.setting.shield == "off"
        self._highest_basal = np.full(len(rows), np.inf) if off else self.limits[:, limits.MAX_BASAL_U_PER_H]
        if self.setting.oracle:
            self.view.oracle_state, self.view.oracle_glucose_mg_dl = self.state, self.glucose
        self._sensor_keys = random.stream(self.keys, Stream.SENSOR)
        self._treatment_keys = random.stream(self.keys, Stream.TREATMENT)
        self._fault_keys = random.stream(self.keys, Stream.FAULTS)
        self._guard(rows)

    def _guard(self, rows: NDArray[np.int64]) -> None:
        """The shield of these persons, and for the twin shield the observer that it works with."""
        setting, guard = self.setting, self.setting.guard
        legacy = bool(getattr(self.model, "legacy_gut", False))
        if setting.shield != "twin":
            self._shield = SHIELDS[setting.shield]
        elif setting.oracle:
            self._shield = TwinShield(guard, self._parameters[:, None], np.ones(1), self.control_min, legacy)
        else:
            self._filter = Filter(
                setting.twins, rows, guard.trusting, guard.sd, guard.shares, self.control_min
            )
            self._shield = TwinShield(
                guard, self._filter.parameters, self._filter.carb_share, self.control_min, legacy
            )

    @property
    def belief(self) -> Belief | None:
        """States of the bodies as the twin shield knows them: under `oracle=True` the truth; None for other shields."""
        if self.setting.shield != "twin":
            return None
        if self._filter is not None:
            return self._filter.belief
        return Belief(self.state[:, None], np.ones((self.lanes, 1)))

    def _empty_view(self, rows: NDArray[np.int64]) -> View:
        cohort = self.setting.cohort
        ids = tuple(cohort.ids[row] for row in rows)
        therapy = cohort.therapy[rows]
        if self._faults is not None:
            therapy = self._faults.therapy(therapy)
        empty = View.empty(ids, therapy, cohort.weight_kg[rows], self.control_min)
        if self.setting.shield == "twin" and self.setting.guard.shares and not self.setting.oracle:
            empty.cover_min = view.COVER_SLOWLY_MIN
        return empty

    def _known(self, rows: NDArray[np.int64]) -> bool:
        return bool(((rows >= 0) & (rows < len(self.setting.cohort))).all())

    # --- beginning an episode ----------------------------------------------------------------------
    def reset(
        self, rows: NDArray[np.int64], keys: NDArray[np.uint32], lanes: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Begin new episodes in `lanes` (default: all) for persons `rows` (m,) of the cohort under `keys` (m, 6).

        The other lanes go on undisturbed. Returns the observation of all lanes. Raises ValueError for shapes
        or rows that do not fit, and when another person is put into some lanes only: people change places
        when all lanes begin anew. Nothing has happened then.
        """
        if lanes is None:
            lanes = self._all
        shapes = (len(lanes),), (len(lanes), random.KEY_COLUMNS)
        if (np.shape(rows), np.shape(keys)) != shapes or not self._known(rows):
            raise ValueError(
                f"rows {np.shape(rows)} and keys {np.shape(keys)} do not fit; needed are shapes {shapes[0]} and "
                f"{shapes[1]}, rows from 0 to {len(self.setting.cohort) - 1}"
            )
        if not np.array_equal(self.rows[lanes], rows):
            if len(lanes) < self.lanes:
                raise ValueError(
                    "people change places only when all lanes begin anew; reset all lanes, or keep the rows"
                )
            self._seat(rows)
        if self.conduct is None:
            self._begin(keys, lanes, np.zeros(len(lanes), np.int64))
        else:
            self.conduct.begin(lanes, keys)
            self._live_before(keys, lanes, self.conduct.first_min[lanes])
            self.conduct.show(self.minute, self.view)
        self._show_meals()
        return self.task.observe(self.view)

    def _begin(
        self, keys: NDArray[np.uint32], lanes: NDArray[np.int64], first_min: NDArray[np.int64]
    ) -> None:
        """Begin in `lanes` (m,) at these minutes (m,) of their days, in equilibrium."""
        self.keys[lanes] = keys
        self._key_streams(lanes)
        for memory in (
            self.cursor, self.sensor_state, self.noise, self.carry, self.fault_memory,
        ):  # fmt: skip
            memory[lanes] = 0
        self.begin[lanes] = self.minute[lanes] = first_min
        parameters = self._parameters[lanes]
        self.state[lanes] = state = self.model.basal_state(parameters)
        interstitial = self.model.interstitial_mg_dl(state, parameters)
        self.glucose[lanes] = interstitial  # in equilibrium plasma and tissue fluid agree
        self._draw_events(lanes)
        self._first_reading(lanes, interstitial)

    def _key_streams(self, lanes: NDArray[np.int64]) -> None:
        for stream, table in (
            (Stream.SENSOR, self._sensor_keys),
            (Stream.TREATMENT, self._treatment_keys),
            (Stream.FAULTS, self._fault_keys),
        ):
            table[lanes] = random.stream(self.keys[lanes], stream)

    def _live_before(
        self, keys: NDArray[np.uint32], lanes: NDArray[np.int64], first_min: NDArray[np.int64]
    ) -> None:
        """Bring `lanes` (m,) to minute `first_min` (m,) of their days: hours of their own therapy, in a core of their
        own, so that insulin and food are on board when the episode begins."""
        days = self.setting.event_days
        setting = replace(self.setting, sessions=None, living=None, decision_min=self.control_min, days=days)
        before = Core(setting, self.task, len(lanes))
        before._seat(self.rows[lanes])
        before._begin(keys, before._all, first_min - LIVED_BEFORE_MIN)
        for _ in range(0, LIVED_BEFORE_MIN, self.control_min):
            before._interval(therapy.basal_bolus(before.view), 0, asked=True)
        for name in saved_state.LANES:
            if name in EVENTS:
                self._put(name, lanes, getattr(before, name))
            else:  # drive: held for all minutes of an interval
                getattr(self, name)[lanes] = getattr(before, name)
        self.begin[lanes] = first_min
        self._key_streams(lanes)
        self.view.take(lanes, before.view)

    def _show_meals(self) -> None:
        if self.setting.oracle:
            self.view.oracle_meals = np.stack([self.eat_minute, self.eat_g])

    def _draw_events(self, lanes: NDArray[np.int64]) -> None:
        setting, keys = self.setting, self.keys[lanes]
        age_group = self.view.therapy[lanes, AGE_GROUP].astype(np.int64)
        events = setting.scenario.events(keys, self.view.weight_kg[lanes], setting.event_days, age_group)
        tell_minute, tell_g = events.tell_minute, events.tell_g
        if setting.announce == "exact":
            tell_minute, tell_g = announce(EXACT, keys, events.eat_minute, events.eat_g)
        elif setting.announce == "none":
            tell_minute, tell_g = np.full_like(tell_minute, NEVER), np.zeros_like(tell_g)
        if self._faults is not None:
            tell_minute, tell_g = self._faults.announce(
                self._fault_keys[lanes], tell_minute, tell_g, self.view.weight_kg[lanes], setting.days
            )
        for name, table in zip(EVENTS, (events.eat_minute, events.eat_g, tell_minute, tell_g), strict=True):
            self._put(name, lanes, table)
        self.sensitivity[lanes] = events.sensitivity
        past = self.minute[lanes][:, None]  # what was before the episode is over
        self.cursor[lanes] = np.stack(
            [(events.eat_minute < past).sum(axis=1), (tell_minute < past).sum(axis=1)], axis=1
        )

    def _put(self, name: str, lanes: NDArray[np.int64], table: NDArray[np.float64]) -> None:
        """Put rows of any width into an array of events, widening it when they do not fit."""
        held, padding = getattr(self, name), NEVER if name.endswith("minute") else 0.0
        if table.shape[1] > held.shape[1]:
            wider = np.full((self.lanes, table.shape[1]), padding)
            wider[:, : held.shape[1]] = held
            setattr(self, name, wider)
            held = wider
        held[lanes] = padding
        held[lanes, : table.shape[1]] = table

    def _first_reading(self, lanes: NDArray[np.int64], interstitial: NDArray[np.float64]) -> None:
        """The reading at the beginning of an episode and what the first interval brings, for some lanes."""
        sensor, shape = self.setting.sensor, (len(lanes), self.control_min)
        memory, noise, cgm = self.sensor_state[lanes], self.noise[lanes], np.empty(len(lanes))
        measure(
            self._sensor_keys[lanes], interstitial, memory, noise, self._spline, sensor.shape, sensor.lowest_mg_dl,
            sensor.highest_mg_dl, sensor.noise, cgm,
        )  # fmt: skip
        self.sensor_state[lanes], self.noise[lanes] = memory, noise
        self.view.begin(lanes, cgm, self.minute[lanes])
        cursor, plate, told, rescue = (
            self.cursor[lanes],
            np.empty(shape),
            np.empty(len(lanes)),
            np.empty(len(lanes)),
        )
        drive = self.drive[lanes]
        serve(
            self.minute[lanes], self.eat_minute[lanes], self.eat_g[lanes], self.tell_minute[lanes],
            self.tell_g[lanes], self.sensitivity[lanes], cursor, self._treatment_keys[lanes], self.glucose[lanes],
            self._treats, plate, told, rescue, drive,
        )  # fmt: skip
        if self._faults is not None:
            self._faults.strain(self._fault_keys[lanes], self.minute[lanes], drive)
            self._faults.shift_clock(self._fault_keys[lanes], self.minute[lanes], self.view.now, lanes)
        self.cursor[lanes], self.plate[lanes], self.drive[lanes] = cursor, plate, drive
        self.told[lanes], self.rescue[lanes] = told, rescue
        hear(self.view.now, lanes, told)
        if self._filter is not None:
            self._filter.begin(lanes, self.keys[lanes], told)

    # --- a decision --------------------------------------------------------------------------------
    def step(self, action: NDArray[Any] | Request | None) -> Transition:
        """Carry out one decision: an action (n, A) in [-1, 1], a `Request`, or None (the fallback).

        An action is decoded at every control interval; a Request's basal holds and its bolus is given once.
        Values outside [-1, 1] count as the nearest bound, NaN and infinity as an invalid request. Raises
        ValueError for a wrong shape or type; nothing has happened then.
        """
        if not self._seated:
            raise RuntimeError("step() was called before reset(); call reset() first")
        decoded = None
        if action is None:
            request = Request.absent(self.lanes)
        elif isinstance(action, Request):
            request = Request.checked(action, self.lanes)  # not that of a subclass
            if self.conduct is not None:
                request.plan = therapy.checked_plan(request.plan, self.lanes, self.conduct.plan_names)
        else:
            decoded = self._action(action)
        dt = self.control_min
        for at in range(0, self.setting.decision_min, dt):
            if decoded is not None:
                request = self.task.decode(decoded, self.view)
            elif at:
                request = Request(request.basal_u_per_h, np.zeros(self.lanes), request.plan)
            self._interval(request, at, asked=decoded is not None or at == 0)
        return self._transition()

    def _interval(self, request: Request, at: int, asked: bool) -> None:
        """One control interval, minute `at` of the decision: shield, pump, body, sensor, view, world.

        asked: the agent had a say on the bolus of this interval; otherwise it is still to answer what it heard.
        """
        n, dt, sensor = self.lanes, self.control_min, self.setting.sensor
        now_view, cgm, basal, bolus = self.view, self._cgm, self._basal, self._bolus
        allowed, reason, _ = self._shield(request, now_view, self.limits, self.belief)
        _ceiling(request.basal_u_per_h, allowed.basal_u_per_h, self._highest_basal, self._most)
        deliver(allowed.basal_u_per_h, allowed.bolus_u, self._most, self._pump, self.carry, basal, bolus)
        given = basal, bolus  # to the body; where the pump errs, less or more than it reports
        if self._faults is not None:
            given = self._faults.deliver(self._fault_keys, self.minute, self.fault_memory, dt, basal, bolus)
        if self.conduct is not None:
            self.conduct.live(
                self.minute, request.plan, now_view, self.plate, self.drive, self.glucose, first=at == 0
            )  # fmt: skip
        glucose = self.model.advance(self.state, self._coefficients, *given, self.plate, self.drive, dt)
        self.minute += dt
        self.glucose[:] = glucose[:, -1]
        interstitial = self.model.interstitial_mg_dl(self.state, self._parameters)
        measure(
            self._sensor_keys, interstitial, self.sensor_state, self.noise, self._spline, sensor.shape,
            sensor.lowest_mg_dl, sensor.highest_mg_dl, sensor.noise, cgm,
        )  # fmt: skip
        if self._faults is not None:
            self._faults.sense(self._fault_keys, self.minute, self.fault_memory, dt, cgm)
        now_view.see(cgm, basal, bolus, request.bolus_u if asked else self._unasked, allowed.bolus_u)
        eaten, told, rescue = self.plate, self.told, self.rescue
        self.plate, self.told, self.rescue = np.empty((n, dt)), np.empty(n), np.empty(n)
        serve(
            self.minute, self.eat_minute, self.eat_g, self.tell_minute, self.tell_g, self.sensitivity, self.cursor,
            self._treatment_keys, self.glucose, self._treats, self.plate, self.told, self.rescue, self.drive,
        )  # fmt: skip
        if self._faults is not None:
            self._faults.strain(self._fault_keys, self.minute, self.drive)
            self._faults.shift_clock(self._fault_keys, self.minute, now_view.now, self._all)
        hear(now_view.now, self._all, self.told)
        if self.conduct is not None:
            self.conduct.show(self.minute, now_view)
        if self._filter is not None:
            self._filter.update(cgm, basal * (dt / 60) + bolus, self.told)
        trace.record(
            self._trace, at, glucose, cgm, basal, bolus, request.basal_u_per_h, request.bolus_u, eaten, told, rescue,
            now_view.now, view.IOB_U, reason,
        )  # fmt: skip

    def _action(self, action: NDArray[Any]) -> NDArray[np.float64]:
        """The action as floats within [-1, 1]; NaN where it is not finite."""
        array = numeric(action, self.task.fields, self.lanes, "a Request")
        _clip(array)
        return array

    def _transition(self) -> Transition:
        setting = self.setting
        terms, cost = self.task.terms(self._trace, self.control_min, self.view)
        terminated, truncated = np.empty((2, self.lanes), np.bool_)
        _ended(
            self._trace, setting.failure_low_mg_dl, setting.failure_high_mg_dl, self.minute - self.begin,
            self._length_min, terminated, truncated,
        )  # fmt: skip
        reward = sum(terms.values(), np.zeros(self.lanes))
        return Transition(
            self.task.observe(self.view), reward, terms, cost, terminated, truncated, self._trace
        )

    # --- what faces ask for --------------------------------------------------------------------------
    def first_info(self) -> dict[str, NDArray[Any]]:
        """Facts at the beginning of episodes, by name, one row per lane."""
        return {"glucose_mg_dl": self.glucose.copy(), "glucose_min_mg_dl": self.glucose.copy()}

    def info(self, done: Transition) -> dict[str, Any]:
        """Facts about a step, by name, one row per lane; `shield` holds the code of its reason and for how long."""
        glucose, lowest, reason, changed = trace.summary(done.trace)
        return {
            "glucose_mg_dl": glucose,
            "glucose_min_mg_dl": lowest,
            "shield": {"reason": reason.astype(int), "changed_min": changed},
        }

    # --- stopping and going on -----------------------------------------------------------------------
    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that the future of the lanes hangs on, as arrays by name; `restore` takes it back."""
        return saved_state.take(self)

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Go on, bit for bit, where `save` was called; returns the observation of all lanes.

        Raises ValueError when arrays are missing, or do not fit this setting; nothing has happened then.
        """
        saved_state.check(self, saved)
        self._seat(saved["rows"])
        saved_state.put(self, saved)
        if self.conduct is not None:
            self.conduct.show(self.minute, self.view)
        self._show_meals()
        self._key_streams(self._all)
        return self.task.observe(self.view)


@kernel
def _clip(array):  # type: ignore[no-untyped-def]
    for lane in range(array.shape[0]):
        for k in range(array.shape[1]):
            value = array[lane, k]
            array[lane, k] = min(max(value, -1.0), 1.0) if np.isfinite(value) else np.nan


@kernel
def _ceiling(requested, allowed, highest, most):  # type: ignore[no-untyped-def]
    """What the pump may give where it makes its rounding good: no more than a cap, nor than the shield has left."""
    for lane in range(len(allowed)):
        most[lane] = allowed[lane] if allowed[lane] < requested[lane] else highest[lane]


@kernel
def _ended(trace, low, high, minute, end_min, terminated, truncated):  # type: ignore[no-untyped-def]
    """terminated: plasma glucose left `low` ... `high` within the decision; truncated: the planned time is over."""
    for lane in range(trace.shape[0]):
        failed = False
        for m in range(trace.shape[1]):
            value = trace[lane, m, GLUCOSE_MG_DL]
            if not low <= value <= high:
                failed = True
        terminated[lane] = failed
        truncated[lane] = not failed and minute[lane] >= end_min
