"""One loop that runs any agent over people and days: used by evaluation, tuning and validation."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.base import Acquainted, Agent, Policy, Treatment
from agents.frozen import FrozenPolicy
from envs import trace
from envs.core import Core, Transition
from envs.faults import Fault, SensorFaults
from envs.roster import Roster
from envs.setting import Setting, make_setting, scenario_named
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from experiments import people
from experiments.protocol import ProtocolConfig
from experiments.watchdog import Watchdog
from twins.cohort import Cohort
from twins.mismatch import mismatched
from twins.world import devices
from twins.world.scenarios import RandomMeals

LANES = 512
"""Most lanes simulated at once: larger batches are no faster, and hold more memory."""


@dataclass
class Rollout:
    """What happened in n episodes, a column per control interval of the scored time.

    glucose_mg_dl (n, K): true plasma glucose at the end of each interval. failed_side (n,): "low", "high"
    or "". failure_sample (n,): the first interval that is not scored, K for those who lived.
    columns: every column of `envs.trace.intervals`, each (n, K).
    """

    glucose_mg_dl: NDArray[np.float64]
    failed_side: NDArray[np.str_]
    failure_sample: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Which intervals lie before a failure, (n, K)."""
        return np.asarray(np.arange(self.glucose_mg_dl.shape[1]) < self.failure_sample[:, None])

    @property
    def shield_changed_pct(self) -> NDArray[np.float64]:
        """Share of the time alive in which the shield changed a dose, (n,)."""
        alive = self.alive
        changed = ((self.columns["reason"] != "none") & alive).sum(axis=1)
        share: NDArray[np.float64] = 100 * changed / np.maximum(alive.sum(axis=1), 1)
        return share


class Watcher(Protocol):
    """Told of every decision of a simulation, such as `experiments.decisions.Notes`."""

    def begin(self, core: Core) -> None:
        """The lanes of a core sit; nothing was decided yet."""

    def decision(
        self, core: Core, minute: int, observation: NDArray[Any] | None, asked: NDArray[Any] | Request
    ) -> Callable[[Transition], None]:
        """What is shown (None: the view) and asked; the function it gives is told what came of it."""


def setting_of(
    protocol: ProtocolConfig,
    shield: str,
    decision_min: int | None = None,
    cohort: Cohort | None = None,
    oracle: bool = False,
    faults: Sequence[Fault] = (),
) -> Setting:
    """The setting that a protocol describes, for its people or another cohort (taken as it is).

    faults: beside those of the protocol.
    """
    bodies, around = cohort if cohort is not None else people.judged(protocol), world(protocol)
    return make_setting(
        cohort=bodies,
        believed=mismatched(bodies, protocol.twin_error, protocol.split, protocol.seed),
        **around | {"faults": (*around["faults"], *faults)},
        decision_min=decision_min,
        days=protocol.warmup_days + protocol.days,
        shield=shield,
        oracle=oracle,
        split=protocol.split,
        seed=protocol.seed,
    )


def world(protocol: ProtocolConfig) -> dict[str, Any]:
    """Keywords of `make_setting` for what surrounds the people of a protocol: meals, habits, devices, failure."""
    scenario: Any = scenario_named(protocol.scenario, protocol.behaviour)
    if protocol.carbs_g_per_day is not None:
        scenario = _sized(scenario, protocol.carbs_g_per_day)
    changes = {
        name: value
        for name in ("sensitivity_factors", "carb_count_factor")
        if (value := getattr(protocol, name)) is not None
    }
    faults = SensorFaults(
        protocol.cgm_bias_mg_dl,
        protocol.cgm_missing,
        compression_per_night=protocol.compression_lows_per_night,
    )
    return {
        "scenario": replace(scenario, behaviour=replace(scenario.behaviour, **changes)),
        "announce": protocol.announce,
        "sensor": devices.adapted(protocol.sensor, protocol.sample_min, protocol.sensor_range_mg_dl),
        "pump": protocol.pump,
        "failure_low_mg_dl": protocol.glucose_failure_low_mg_dl,
        "failure_high_mg_dl": protocol.glucose_failure_high_mg_dl,
        "faults": faults.parts,
    }


def _sized(scenario: Any, carbs_g_per_day: float) -> RandomMeals:
    """The same meals, larger or smaller. Raises ValueError for days that are not drawn."""
    if not isinstance(scenario, RandomMeals):
        raise ValueError(
            f"carbs_g_per_day is {carbs_g_per_day:g}, but {scenario.description} has meals of its own; give a scenario "
            "of random meals, or leave it out"
        )
    factor = carbs_g_per_day / sum(slot.probability * slot.carbs_g for slot in scenario.day)
    day = [
        replace(slot, carbs_g=slot.carbs_g * factor, carbs_sd=slot.carbs_sd * factor) for slot in scenario.day
    ]
    return replace(scenario, day=tuple(day))


def simulate(
    agent: Agent,
    protocol: ProtocolConfig,
    shield: str,
    cohort: Cohort | None = None,
    faults: Sequence[Fault] = (),
    watchdog: Callable[[], Watchdog] | None = None,
    watcher: Watcher | None = None,
) -> Rollout:
    """Every person and replica of a protocol under one agent. Lanes are ordered replica by replica.

    faults: of the world, beside those of the protocol. watchdog: makes one to guard the agent in each batch; without
    it an agent that fails ends the simulation.
    Raises ValueError when the agent's actions or requests do not fit.
    """
    if isinstance(agent, FrozenPolicy) and agent.task != "dosing":
        raise ValueError(f"this policy decides the task {agent.task!r}; a protocol judges those of 'dosing'")
    learned = isinstance(agent, Policy)
    decision = getattr(agent, "decision_min", None) if learned else None
    oracle = bool(getattr(agent, "oracle", False))
    setting = setting_of(protocol, shield, decision, cohort, oracle, faults)
    task = Dosing(getattr(agent, "action", "modulation"), oracle, bool(getattr(agent, "history", False)))
    if isinstance(agent, FrozenPolicy) and agent.manifest.observation_names != task.observation_names:
        raise ValueError(
            "this policy was trained on other observations than this version shows; train it again"
        )
    lanes = len(setting.cohort) * protocol.replicas
    rows, keys = Roster(setting.cohort, lanes, setting.split, setting.seed).next(np.arange(lanes))
    parts = []
    for first in range(0, lanes, LANES):
        chunk = slice(first, min(first + LANES, lanes))
        core = Core(setting, task, chunk.stop - first)
        guard = None if watchdog is None else watchdog()
        parts.append(run(core, rows[chunk], keys[chunk], agent, protocol.warmup_days, guard, watcher))
    return join(parts)


def run(
    core: Core,
    rows: NDArray[np.int64],
    keys: NDArray[np.uint32],
    agent: Agent,
    warmup_days: float = 0.0,
    watchdog: Watchdog | None = None,
    watcher: Watcher | None = None,
) -> Rollout:
    """One episode of every lane of a core under an agent, see `simulate`. Failures end what is read, not the lanes."""
    setting, control = core.setting, core.control_min
    # Asked once: of these protocols isinstance looks through all attributes, which took a seventh of a simulation.
    policy, treatment = (agent, None) if isinstance(agent, Policy) else (None, agent)
    if isinstance(agent, Acquainted):
        agent.meet(setting.twins, rows, keys, control)
    observation = core.reset(rows, keys)
    if watcher is not None:
        watcher.begin(core)
    state: Any = None
    begins = np.ones(core.lanes, bool)
    tables: list[dict[str, NDArray[Any]]] = []
    extremes: list[NDArray[np.float64]] = []
    planned_min = int(round(setting.days * 1440))
    for minute in range(0, planned_min, setting.decision_min):
        ask = _asks(policy, treatment, core, observation, state, begins)
        if watchdog is not None:
            done, state = watchdog.decide(core, ask, state)
        else:
            asked, state = ask()
            shown = observation if policy is not None else None
            note = watcher.decision(core, minute, shown, asked) if watcher is not None else None
            done = core.step(asked)
            if note is not None:
                note(done)
        observation, begins = done.obs, np.zeros(core.lanes, bool)
        tables.append(trace.intervals(done.trace, minute, control))
        by_interval = done.trace[:, :, trace.GLUCOSE_MG_DL].reshape(core.lanes, -1, control)
        extremes.append(np.stack([by_interval.min(axis=2), by_interval.max(axis=2)]))
    planned = -(-planned_min // control)  # the last decision may reach beyond the planned time
    columns = {
        name: np.concatenate([table[name] for table in tables], axis=1)[:, :planned] for name in tables[0]
    }
    lowest, highest = np.concatenate(extremes, axis=2)[:, :, :planned]
    low, high = lowest < setting.failure_low_mg_dl, highest > setting.failure_high_mg_dl
    failed = low | high
    samples = failed.shape[1]
    first = np.where(failed.any(axis=1), failed.argmax(axis=1), samples)
    at = np.minimum(first, samples - 1)[:, None]
    side = np.where(np.take_along_axis(low, at, 1)[:, 0], "low", "high")
    side = np.where(first < samples, side, "").astype(np.str_)
    skip = int(round(warmup_days * 1440)) // control
    columns = {name: column[:, skip:] for name, column in columns.items()}
    return Rollout(columns["glucose_mg_dl"], side, np.maximum(first - skip, 0), columns)


def _asks(
    policy: Policy | None,
    treatment: Treatment | None,
    core: Core,
    observation: NDArray[np.float32],
    state: Any,
    begins: NDArray[np.bool_],
) -> Callable[[], tuple[Any, Any]]:
    """What asks the agent, which is one of the two, for its next action or request, and its new state."""
    if policy is not None:

        def predict() -> tuple[Any, Any]:
            with _told(policy, "predict"):
                return policy.predict(observation, state=state, episode_start=begins, deterministic=True)

        return predict
    assert treatment is not None
    shown = core.view.shown()

    def act() -> tuple[Any, Any]:
        with _told(treatment, "act"):
            asked = treatment.act(shown)
        if not isinstance(asked, Request):
            raise ValueError(
                f"act(view) of {type(treatment).__name__} gave {type(asked).__name__}; needed is an "
                "envs.therapy.Request(basal_u_per_h, bolus_u), one value per lane"
            )
        return asked, None

    return act


@contextmanager
def _told(agent: Agent, method: str) -> Iterator[None]:
    """What an agent raises, as an error that names agent and place: the words alone rarely tell whose they are."""
    try:
        yield
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise ValueError(
            f"{method} of {type(agent).__name__} raised {type(error).__name__}: {error} "
            f"({Path(place.filename).name}, line {place.lineno})"
        ) from error


def join(parts: Sequence[Rollout]) -> Rollout:
    """The episodes of several rollouts below one another."""
    return Rollout(
        np.concatenate([part.glucose_mg_dl for part in parts]),
        np.concatenate([part.failed_side for part in parts]),
        np.concatenate([part.failure_sample for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
    )
