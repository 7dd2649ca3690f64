"""A day as it was lived under an agent: each of its decisions with what was seen, asked and allowed.

The whole episode of the protocol is simulated, by the one loop that evaluations use; of one day everything is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent, Policy
from envs import therapy, trace
from envs import view as v
from envs.core import Core, Transition
from envs.setting import Setting
from envs.therapy import Request
from experiments import people
from experiments.decisions import Notes
from experiments.evaluate import protocol_hash
from experiments.protocol import ProtocolConfig
from experiments.simulate import Rollout, setting_of, simulate
from twins.cohort import Cohort
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss

TOGETHER_MIN = 30
"""What a treatment decides at every reading is shown together, so many minutes at a time."""


@dataclass
class Decision:
    """A decision of the day, or what a treatment decided within `TOGETHER_MIN`. Arrays have an entry per interval.

    minute: of its beginning, since that of the episode. now: row of `View.now` then. observation, action: what a policy
    saw and gave (None for a treatment). saved: the core as it stood (`Core.save`, one lane). Doses in U/h and U:
    requested, allowed by the shield, delivered, and own, by the person's own therapy.
    """

    minute: int
    now: NDArray[np.float64]
    observation: NDArray[np.float64] | None
    action: NDArray[np.float64] | None
    saved: dict[str, NDArray[Any]]
    interval_min: int
    doses: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    reason: list[str] = field(default_factory=list)

    def basal_u_per_h(self, which: str) -> NDArray[np.float64]:
        """Basal rates; `which` as in the class: requested, allowed, delivered or own."""
        return np.array([basal for basal, _ in self.doses[which]])

    def bolus_u(self, which: str) -> NDArray[np.float64]:
        """Boluses. What was requested and not allowed is asked for again at the next reading: here it counts once."""
        amounts: NDArray[np.float64] = np.nan_to_num(np.array([bolus for _, bolus in self.doses[which]]))
        return amounts * self._fresh() if which in ("requested", "own") else amounts

    def _fresh(self) -> NDArray[np.float64]:
        """Share (intervals,) of each requested bolus that was not asked for before and held back."""
        asked = np.nan_to_num(np.array([bolus for _, bolus in self.doses["requested"]]))
        allowed = np.array([bolus for _, bolus in self.doses["allowed"]])
        share, held = np.ones(len(asked)), 0.0
        for k in range(len(asked)):
            if asked[k] > 0:
                share[k] = max(asked[k] - held, 0.0) / asked[k]
            held = max(asked[k] - allowed[k], 0.0)
        return share

    def insulin_u(self, which: str) -> float:
        """All insulin of the decision."""
        basal = np.nan_to_num(self.basal_u_per_h(which))
        return float(basal.sum() * self.interval_min / 60 + self.bolus_u(which).sum())


@dataclass(frozen=True)
class Lived:
    """An episode of some people, and every decision of one day (1: the first of the episode) of the first of them.

    rows (n, D, O): what a policy saw at each decision of the scored days (None for a treatment). protocol_hash: as an
    evaluation on the whole protocol has it.
    """

    protocol: ProtocolConfig
    protocol_hash: str
    shield: str
    setting: Setting
    day: int
    rollout: Rollout
    decisions: list[Decision]
    rows: NDArray[np.float64] | None
    decision_min: int

    @property
    def person(self) -> str:
        """Whose day it is."""
        return self.setting.cohort.ids[0]

    @property
    def first_scored_min(self) -> int:
        """Minute of the episode at which the scored days begin."""
        return int(round(self.protocol.warmup_days * MINUTES_PER_DAY))

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """What happened to the person in the scored days, an entry per control interval: columns of `trace`."""
        return trace.of_lane(self.rollout.columns, 0)

    @property
    def failed_min(self) -> int | None:
        """Minute of the episode at which the person failed (a simulated death); None for those who lived."""
        if not self.rollout.failed_side[0]:
            return None
        return self.first_scored_min + int(self.rollout.failure_sample[0]) * self.protocol.sample_min

    def bolus_asked(self) -> NDArray[np.bool_]:
        """At which decisions of the scored days a bolus was asked for, (n, D)."""
        every = self.decision_min // self.protocol.sample_min
        asked = np.nan_to_num(self.rollout.columns["requested_bolus_u"]) > 0
        whole = asked.shape[1] // every * every
        return np.asarray(asked[:, :whole].reshape(len(asked), -1, every).any(axis=2))


def first_day(protocol: ProtocolConfig) -> int:
    """The first scored day of an episode that has all its hours; 1 is the first of the episode."""
    return int(np.floor(protocol.warmup_days)) + 1


def live(
    agent: Agent,
    protocol: ProtocolConfig,
    person: str,
    day: int,
    shield: str = "rule",
    beside: tuple[str, ...] = (),
) -> Lived:
    """Simulate the episode of a person of the protocol under an agent, and of others beside.

    Raises ValueError for a person or a scored day that the protocol does not have, for a day after a failure, and as
    `simulate` does.
    """
    cohort = _people(protocol, (person, *(one for one in beside if one != person)))
    first = first_day(protocol)
    last = int(np.floor(protocol.warmup_days + protocol.days))
    if not first <= day <= last:
        warmed = " (those before are warm-up)" if first > 1 else ""
        raise ValueError(f"day is {day}; the scored days of {protocol.name} are {first} to {last}{warmed}")
    one_each = protocol.model_copy(update={"replicas": 1})
    learned = isinstance(agent, Policy)
    control = protocol.sample_min
    decision_min = int(getattr(agent, "decision_min", control)) if learned else control
    together = decision_min if learned else -(-TOGETHER_MIN // control) * control
    witness = _Witness((day - 1) * MINUTES_PER_DAY, together)
    rollout = simulate(agent, one_each, shield, cohort, watcher=witness)
    setting = setting_of(one_each, shield, decision_min, cohort, bool(getattr(agent, "oracle", False)))
    scored = int(round(protocol.warmup_days * MINUTES_PER_DAY))
    rows = [seen for minute, seen in witness.seen if minute >= scored]
    lived = Lived(
        one_each, protocol_hash(protocol, setting.scenario), shield, setting, day, rollout, witness.decisions,
        np.stack(rows, axis=1).astype(np.float64) if rows else None, decision_min,
    )  # fmt: skip
    if lived.failed_min is not None and lived.failed_min < (day - 1) * MINUTES_PER_DAY:
        raise ValueError(
            f"{person} failed ({rollout.failed_side[0]}) on day {lived.failed_min // MINUTES_PER_DAY + 1}, before day "
            f"{day} began; give a day up to that one"
        )
    return lived


def _people(protocol: ProtocolConfig, ids: tuple[str, ...]) -> Cohort:
    cohort = people.judged(protocol)
    for person in ids:
        if person not in cohort.ids:
            some = [*cohort.ids[:3], "...", cohort.ids[-1]] if len(cohort) > 4 else cohort.ids
            raise ValueError(
                f"{person!r} is nobody of the protocol {protocol.name}{near_miss(person, cohort.ids)}; its people are "
                f"{', '.join(some)} ({len(cohort)} in all)"
            )
    return cohort.take([cohort.ids.index(person) for person in ids])


class _Witness:
    """Keeps what every decision saw, and of the first lane's decisions within a day from `first_min` on everything.

    See `experiments.simulate.Watcher`. Requests, reasons and doses come from `experiments.decisions.Notes`.
    """

    def __init__(self, first_min: int, together_min: int) -> None:
        self._first_min, self._together_min = first_min, together_min
        self._notes = Notes(self._note, {})
        self._own: list[tuple[float, float]] = []
        self.decisions: list[Decision] = []
        self.seen: list[tuple[int, NDArray[np.float32]]] = []

    def begin(self, core: Core) -> None:
        """See `Watcher`."""
        self._notes.begin(core)
        noted = core._shield  # what the person's own therapy would do hangs on what is shown at every reading

        def beside(request: Request, view: v.View, *rest: Any, **more: Any) -> Any:
            own = therapy.basal_bolus(view)
            self._own.append((float(own.basal_u_per_h[0]), float(own.bolus_u[0])))
            return noted(request, view, *rest, **more)

        core._shield = beside

    def decision(
        self, core: Core, minute: int, observation: NDArray[Any] | None, asked: NDArray[Any] | Request
    ) -> Callable[[Transition], None]:
        """See `Watcher`."""
        if observation is not None:
            self.seen.append((minute, observation.copy()))
        self._own = []
        self._of_day = self._first_min <= minute < self._first_min + MINUTES_PER_DAY
        if not self._of_day:
            return _nothing
        if (minute - self._first_min) % self._together_min == 0:
            saved = {
                name: array.copy() if name == "view.position" else array[:1].copy()
                for name, array in core.save().items()
            }
            action = None if isinstance(asked, Request) else np.asarray(asked, float)[0].copy()
            seen = None if observation is None else observation[0].astype(float)
            self.decisions.append(
                Decision(minute, core.view.now[0].copy(), seen, action, saved, core.control_min)
            )
        return self._notes.decision(core, minute, observation, asked)

    def _note(self, line: dict[str, Any]) -> None:
        """A line of `Notes`; the first lane's comes first."""
        if not self._own:
            return
        one = self.decisions[-1]
        for which in ("requested", "allowed", "delivered"):
            pairs = zip(line[f"{which}_basal_u_per_h"], line[f"{which}_bolus_u"], strict=True)
            one.doses.setdefault(which, []).extend(
                (float(basal), float(bolus)) for basal, bolus in pairs
            )  # "nan" is a word in a log
        one.doses.setdefault("own", []).extend(self._own)
        one.reason += line["reason"]
        self._own = []


def _nothing(done: Transition) -> None:
    """Told of decisions of other days."""
