"""How fast the project is, each figure as a ratio to simglucose measured in the same run.

Machines are noisy: both sides of a ratio alternate in short rounds, and the median of the rounds counts.
"""

import time
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

import envs
from agents.sb3 import make_ppo
from envs.compat import quiet_gym
from envs.core import Core
from envs.therapy import Request
from experiments.config import load_hyperparams
from twins import cohort, random
from twins.active import active
from twins.bodies.model import NEUTRAL_DRIVE, neutral_drive
from twins.bodies.person import HEART_RATE_RESERVE, Person
from twins.bodies.whole import Acts, Whole, draw
from twins.cohort import BASAL_U_PER_H, Cohort
from twins.units import MINUTES_PER_DAY

BATCH, CALL_MIN = 256, 5
MEALS_PER_DAY, MEAL_G = 3.9, 60.0

Figures = dict[str, float]


def kernel_speed(rounds: int = 5, seconds: float = 1.0) -> Figures:
    """Person-minutes per second of the glucose kernel (float64, one core, 256 people, calls of 5 min), of the same
    people while they exercise, of whole persons, and of simglucose's T1DPatient.step, with its parameters in pandas as
    it comes, and in a plain object."""
    people = cohort.load()
    works = {
        "kernel": _kernel(people), "exercise": _kernel(active(people)), "whole": _whole(active(people)),
        "simglucose": _patient(plain=False), "simglucose_plain": _patient(plain=True),
    }  # fmt: skip
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(_rate(work, seconds))
    ratio = np.array(found["kernel"]) / np.array(found["simglucose"])
    to_plain = np.array(found["kernel"]) / np.array(found["simglucose_plain"])
    return {
        "kernel_person_min_per_s": float(np.median(found["kernel"])),
        "simglucose_person_min_per_s": float(np.median(found["simglucose"])),
        "simglucose_plain_person_min_per_s": float(np.median(found["simglucose_plain"])),
        "ratio_to_simglucose": float(np.median(ratio)),
        "ratio_to_simglucose_plain": float(np.median(to_plain)),
        "exercise_ratio_to_rest": float(np.median(np.array(found["exercise"]) / np.array(found["kernel"]))),
        "whole_ratio_to_kernel": float(np.median(np.array(found["whole"]) / np.array(found["kernel"]))),
    }


def _rate(work: Callable[[], int], seconds: float) -> float:
    """Units of work per second: `work` does some and says how many."""
    work()
    began, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        done += work()
    return done / spent


def _kernel(people: Cohort) -> Callable[[], int]:
    """Who can exercise does so."""
    rows = np.arange(BATCH) % len(people)
    parameters, model = people.parameters[rows], people.model
    state, coefficients = model.basal_state(parameters), model.prepare(parameters)
    basal, bolus = people.therapy[rows, BASAL_U_PER_H].copy(), np.zeros(BATCH)
    drive = np.tile(neutral_drive(model.drive_names), (BATCH, 1, 1))
    drive[:, :, len(NEUTRAL_DRIVE) : HEART_RATE_RESERVE + 1] = 0.5
    draw = np.random.default_rng(0)
    meals = draw.random((64, BATCH, CALL_MIN)) < MEALS_PER_DAY / 1440
    plates = [np.where(one, MEAL_G, 0.0) for one in meals]
    turn = iter(range(10**9))

    def work() -> int:
        for _ in range(20):
            model.advance(state, coefficients, basal, bolus, plates[next(turn) % 64], drive, CALL_MIN)
        return 20 * BATCH * CALL_MIN

    return work


def _whole(people: Cohort) -> Callable[[], int]:
    """Whole persons, awake and resting, under all couplings."""
    rows = np.arange(BATCH) % len(people)
    parameters, model = people.parameters[rows], people.model
    if not isinstance(model, Person):
        raise TypeError(f"the cohort is of {type(model).__name__}; needed are people who can exercise")
    body, keys = Whole(model), random.keys("train", 0, people.numbers[rows], np.arange(BATCH), 0)
    traits = draw(keys)
    inner = body.rested(traits, np.full((BATCH, MINUTES_PER_DAY // CALL_MIN), 300.0))
    state, coefficients = model.basal_state(parameters), model.prepare(parameters)
    basal, nothing = people.therapy[rows, BASAL_U_PER_H].copy(), np.zeros(BATCH)
    plate = np.zeros((BATCH, CALL_MIN))
    acts = Acts(np.zeros(BATCH, bool), np.full(BATCH, 300.0), nothing, nothing, np.ones(BATCH))
    turn = iter(range(10**9))

    def work() -> int:
        for _ in range(20):
            minute = CALL_MIN * next(turn)
            body.advance(state, inner, coefficients, traits, basal, nothing, plate, acts, minute, keys)
        return 20 * BATCH * CALL_MIN

    return work


def _patient(plain: bool) -> Callable[[], int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from simglucose.patient.t1dpatient import Action, T1DPatient
    patient = T1DPatient.withName("adult#001")
    if plain:
        patient._params = SimpleNamespace(**patient._params.to_dict())
        patient.reset = lambda: None
    insulin = float(cohort.load("adult#001").therapy[0, BASAL_U_PER_H]) / 60
    draw = np.random.default_rng(0)

    def work() -> int:
        for _ in range(20):
            patient.step(Action(CHO=MEAL_G if draw.random() < MEALS_PER_DAY / 1440 else 0.0, insulin=insulin))
        return 20

    return work


def step_speed(rounds: int = 5, seconds: float = 1.0) -> Figures:
    """Microseconds of one `gymnasium.Env.step` (one person, 5 min, rule shield on), and of simglucose's (3 min)."""
    ours = gymnasium.make("Homeostat/Dosing-v0", days=30)
    theirs = SimglucoseEnv()
    action = np.zeros(2, np.float32)
    ours.reset(seed=0)
    theirs.reset(seed=0)

    def our_steps() -> int:
        for _ in range(100):
            *_, terminated, truncated, _ = ours.step(action)
            if terminated or truncated:
                ours.reset()
        return 100

    def their_steps() -> int:
        for _ in range(5):
            *_, terminated, truncated, _ = theirs.step(np.zeros(1, np.float32))
            if terminated or truncated:
                theirs.reset()
        return 5

    rates = np.array([[_rate(our_steps, seconds), _rate(their_steps, seconds)] for _ in range(rounds)])
    us = 1e6 / np.median(rates, axis=0)
    return {
        "step_us": float(us[0]),
        "simglucose_step_us": float(us[1]),
        "ratio_to_simglucose": float(np.median(rates[:, 0] / rates[:, 1])),
    }


def shield_speed(rounds: int = 5, seconds: float = 1.0, decisions: int = 1000) -> Figures:
    """Milliseconds of one decision of the twin shield (one person, 32 members, 10 h, four snacks, an agent that always
    asks for the most, so that the largest safe dose is searched for); and steps per second of 300 lanes under random
    actions with the rule shield, as a ratio to none."""
    env = gymnasium.make("Homeostat/Dosing-v0", days=30, shield="twin")
    env.reset(seed=0)
    core: Core = env.unwrapped.core  # type: ignore[attr-defined]
    shield, spent = core._shield, []

    def timed(*given: Any) -> Any:
        began = time.perf_counter()
        answer = shield(*given)
        spent.append(1e3 * (time.perf_counter() - began))
        return answer

    core._shield = timed  # type: ignore[assignment]
    for _ in range(decisions + 10):
        core.step(Request(np.full(1, 1000.0), np.full(1, 1000.0)))
    median, most = np.percentile(spent[10:], [50, 99])  # the first ones compile

    def lanes(name: str) -> Callable[[], int]:
        many = envs.make_vec("Homeostat/Dosing-v0", 300, "sb3", cohort="all", shield=name)
        many.reset()
        actions = np.random.default_rng(0).uniform(-1, 1, (300, 2)).astype(np.float32)

        def work() -> int:
            many.step(actions)
            return 300

        return work

    ruled, free = lanes("rule"), lanes("off")
    rates = np.array([[_rate(ruled, seconds), _rate(free, seconds)] for _ in range(rounds)])
    return {
        "twin_decision_ms": float(median),
        "twin_decision_p99_ms": float(most),
        "rule_steps_per_s": float(np.median(rates[:, 0])),
        "rule_ratio_to_off": float(np.median(rates[:, 0] / rates[:, 1])),
    }


def ppo_speed(
    seconds: float = 20.0,
    their_seconds: float = 40.0,
    lanes: int = 300,
    their_steps: int = 128,
    **changes: Any,
) -> Figures:
    """Environment steps per second of PPO end to end: ours with one thread (300 lanes, a decision every 5 min and
    every 30 min), as a ratio to ours without the rule shield (5 min; median of three pairs), and the same PPO on
    simglucose's environment in two processes (a decision every 3 min).

    their_steps: of each of the two in one rollout. changes: hyperparameters of ours other than the tested ones.
    """
    quiet_gym()
    settings = load_hyperparams("ppo").model_dump() | changes
    found: Figures = {}

    def ours(decision_min: int, shield: str = "rule") -> float:
        told = {"cohort": "all", "decision_min": decision_min, "shield": shield}
        env = envs.make_vec("Homeostat/Dosing-v0", lanes, "sb3", **told)
        return _learn(make_ppo(env, settings, 0), seconds)

    pairs = np.array([[ours(5), ours(5, "off")] for _ in range(3)])
    found["ppo_steps_per_s_5min"] = float(np.median(pairs[:, 0]))
    found["ppo_rule_ratio_to_off"] = float(np.median(pairs[:, 0] / pairs[:, 1]))
    found["ppo_steps_per_s_30min"] = ours(30)
    small = settings | {
        "n_steps": their_steps,
        "batch_size": 64,
    }  # two environments fill no larger batch in reasonable time
    theirs: VecEnv = SubprocVecEnv([SimglucoseEnv, SimglucoseEnv], start_method="spawn")
    try:
        found["simglucose_ppo_steps_per_s"] = _learn(make_ppo(theirs, small, 0), their_seconds)
    finally:
        theirs.close()
    found["ratio_to_simglucose"] = found["ppo_steps_per_s_5min"] / found["simglucose_ppo_steps_per_s"]
    return found


def _learn(model: PPO, seconds: float) -> float:
    """Steps per second of learning, the first rollout (which compiles) left out."""
    clock = _Clock(seconds)
    model.learn(10**9, callback=clock)
    return clock.steps_per_s


class _Clock(BaseCallback):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds, self._rollouts = seconds, 0
        self._began = self._first = 0.0
        self.steps_per_s = 0.0

    def _on_rollout_start(self) -> None:
        self._rollouts += 1
        if self._rollouts == 2:
            self._began, self._first = time.perf_counter(), self.num_timesteps
        elif self._rollouts > 2:  # whole rollouts with their training only
            self.steps_per_s = (self.num_timesteps - self._first) / (time.perf_counter() - self._began)

    def _on_step(self) -> bool:
        return self._rollouts < 3 or time.perf_counter() - self._began < self._seconds


class SimglucoseEnv(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """simglucose's own environment, with the two repairs without which SB3 cannot train on it: it wants a plain
    number as action, and gives a numpy bool as end."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from simglucose.envs import T1DSimGymnaisumEnv
        torch.set_num_threads(1)
        self._inner: Any = T1DSimGymnaisumEnv(patient_name="adult#001", seed=0)
        self.observation_space = gymnasium.spaces.Box(0, 1000, (1,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """A new episode (of the same day: its seeds do nothing)."""
        super().reset(seed=seed)
        self._steps = 0
        return self._inner.reset()[0], {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Three minutes; the action is scaled to 0 ... 0.04 U/min, since its own scale kills within a day."""
        self._steps += 1
        observation, reward, ended, _, _ = self._inner.step(0.02 * (1 + float(action[0])))
        return observation, float(reward), bool(ended), self._steps >= 480, {}
