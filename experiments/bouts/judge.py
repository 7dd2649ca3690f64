"""Agents around sessions of exercise, judged on the same people, sessions and days: a row an episode."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent, Policy
from envs import trace as t
from envs.bouts import seen as s
from envs.bouts.activity import Activity
from envs.core import Core
from envs.roster import Roster
from envs.setting import Setting
from envs.tasks.session import AroundSession
from experiments.metrics import LOW, episode_metrics, events
from experiments.records.tables import Table
from twins import random

LANES = 1500
PER_DEATH = 100.0
"""What a death costs beyond the rewards that it ends."""
NEAR_MIN = 360
"""Lows that begin up to so long after a session count as near it: the rest of the 24 hours has other meals, whose doses
nothing that is advised around the session changes."""


def live(agent: Agent, setting: Setting, replicas: int, first: int = 0, keep: bool = False) -> Table:
    """A row an episode of every person of the setting, replicas `first` ... `first + replicas - 1`.

    Columns: person, replica; of the session kind, happens, announced, clock_min, completed, missed, asked_against and
    began_against (codes of `envs.bouts.bounds.Bound`); failed; events (of low glucose, see `experiments.metrics`),
    near_events (those of them that begin up to `NEAR_MIN` after the session); advised_g, rescue_g, eaten_g, insulin_u;
    reward; and those of `episode_metrics`. keep: also glucose_mg_dl, basal_share, reserve, carbs_g (n, T), a column an
    interval.
    """
    people = len(setting.cohort)
    total = Roster(setting.cohort, people * (first + replicas), setting.split, setting.seed)
    lanes = np.arange(people * first, people * (first + replicas))
    rows, keys = total.next(lanes)
    parts = []
    for at in range(0, len(lanes), LANES):
        chunk = slice(at, at + LANES)
        parts.append(live_lanes(agent, setting, rows[chunk], keys[chunk], keep))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def live_lanes(
    agent: Agent,
    setting: Setting,
    rows: NDArray[np.int64],
    keys: NDArray[np.uint32],
    keep: bool = False,
    measured: bool = True,
) -> Table:
    """One episode of each of these people (n,) under keys (n, 6); see `live`. measured: else only the reward is told,
    as a search for gains needs it."""
    n, dt = len(rows), setting.sensor.sample_min
    if not isinstance(agent, Policy):  # a treatment acts at every reading
        setting = replace(setting, decision_min=dt)
    core = Core(setting, AroundSession(setting.oracle), n)
    observation, state, begins = core.reset(rows, keys), None, np.ones(n, bool)
    activity, steps = core.conduct, round(setting.days * 1440) // setting.decision_min
    assert isinstance(activity, Activity)
    alive, reward, side = np.ones(n, bool), np.zeros(n), np.full(n, "", "U4")
    failed_at = np.full(n, -1)
    samples = round(setting.days * 1440) // dt
    glucose, rows_of = np.full((n, samples), np.nan), samples // steps
    sums = {name: np.zeros(n) for name in ("rescue_g", "insulin_u")}
    at_death: Table = {}
    kept: dict[str, NDArray[np.float64]] = {}
    if keep:
        kept = {name: np.zeros((n, samples)) for name in ("basal_share", "reserve", "carbs_g")}
    scheduled = core.view.therapy[:, 0]
    for step in range(steps):
        if isinstance(agent, Policy):
            action, state = agent.predict(observation, state, begins, deterministic=True)
            done = core.step(action)
        else:
            done = core.step(agent.act(core.view.shown()))
        observation, begins = done.obs, np.zeros(n, bool)
        held = t.intervals(done.trace, 0.0, dt)
        columns = slice(step * rows_of, (step + 1) * rows_of)
        glucose[alive, columns] = held["glucose_mg_dl"][alive]
        sums["rescue_g"] += np.where(alive, held["rescue_g"].sum(axis=1), 0.0)
        dose = held["bolus_u"].sum(axis=1) + held["basal_u_per_h"].sum(axis=1) * dt / 60
        sums["insulin_u"] += np.where(alive, dose, 0.0)
        reward += np.where(alive, done.reward, 0.0)
        if keep:
            kept["basal_share"][:, columns] = held["basal_u_per_h"] / scheduled[:, None]
            kept["carbs_g"][:, columns] = held["carbs_g"]
            kept["reserve"][:, columns] = activity.lived.used[:, None]
        died = alive & done.terminated
        side[died] = np.where(core.glucose[died] < LOW, "low", "high")
        failed_at[died] = (step + 1) * rows_of - 1
        if died.any():  # the core goes on with the dead; their sessions end here
            for name, column in _of_session(activity).items():
                at_death.setdefault(name, column.copy())[died] = column[died]
        alive &= ~died
    low, high = setting.failure_low_mg_dl, setting.failure_high_mg_dl
    reward -= np.where(side != "", PER_DEATH, 0.0)
    if not measured:
        return {"reward": reward}
    metrics = episode_metrics(glucose, side, failed_at, dt, low, high)
    session = _of_session(activity)
    for name, column in at_death.items():
        session[name] = np.where(alive, session[name], column)
    session["missed"] = np.where(alive, session["missed"], session["happens"] - session["completed"])
    ended = session.pop("ended_min")
    near_min = np.where(ended >= 0, ended - activity.first_min + NEAR_MIN, np.inf)
    lows = events(glucose, dt)
    return {
        "person": np.array(core.view.ids), "replica": keys[:, random.REPLICA].astype(np.int64),
        **session, **sums,
        "failed": (side != "").astype(int),
        "events": metrics["low_events_per_week"] * setting.days / 7, "reward": reward,
        "near_events": np.array(
            [sum(low.start_min <= most for low in own) for own, most in zip(lows, near_min, strict=True)], float
        ),
        "eaten_g": session["advised_g"] + sums["rescue_g"], **metrics, **kept,
        **({"glucose_mg_dl": glucose} if keep else {}),
    }  # fmt: skip


def _of_session(activity: Activity) -> Table:
    drawn, lived = activity.drawn, activity.lived
    share = lived.done / lived.whole
    return {
        "kind": drawn.kind.copy(), "happens": drawn.happens.astype(int), "announced": drawn.announced.astype(int),
        "clock_min": drawn.begin_min % 1440, "completed": (drawn.happens & (share >= s.WHOLE - 1e-9)).astype(int),
        "missed": activity.missed.astype(int), "asked_against": lived.asked_against.copy(),
        "began_against": lived.began_against.copy(), "advised_g": lived.total_ate_g.copy(),
        "ended_min": lived.ended_min.copy(),
    }  # fmt: skip
