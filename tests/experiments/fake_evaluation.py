"""Evaluation and training folders with made-up glucose, for tests of tables, figures and pages.

Nothing here is physiology: glucose is a few leaky sums that look like a day with diabetes.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from experiments.metrics import episode_metrics
from experiments.records.tables import Table, concat, select, write_table
from experiments.results.burden import burden
from experiments.results.curves import (
    CURVE_KEYS,
    CURVE_SUMS,
    DOSE_KEYS,
    DOSE_SUMS,
    added,
    dose_counts,
    glucose_curves,
)
from twins.files import atomic_write_text

PEOPLE = ("adult#001", "adult#002", "adolescent#001", "adolescent#002", "child#001", "child#002")
REPLICAS, DAYS, STEP_MIN = 2, 2, 5
AGENTS = {  # name: (mean meal bolus, its spread, reaction of basal to glucose)
    "basal-bolus": (0.75, 0.3, 0.0),
    "basal-bolus-tuned": (0.95, 0.2, 0.0),
    "predictive-suspend": (0.8, 0.25, 0.0),
    "constant-basal": (0.0, 0.0, 0.0),
    "ppo": (1.0, 0.1, 0.008),
}
DIES = ("constant-basal", "off", "child#001", 1)
"""Agent, shield, person and replica of the one trace that breaks off."""
DIES_BELOW, HIGHEST = 20.0, 600.0


def make_traces(
    agent: str, shield: str, seed: int = 0, days: int = DAYS, people: tuple[str, ...] = PEOPLE
) -> Table:
    """Traces of all persons and replicas; the meals depend on person and replica only."""
    return concat(
        [
            _trace(agent, shield, person, replica, seed, days)
            for person in people
            for replica in range(REPLICAS)
        ]
    )


@cache
def _trace(agent: str, shield: str, person: str, replica: int, seed: int, days: int) -> Table:
    identity = [PEOPLE.index(person), replica] if person in PEOPLE else [99, replica]
    world = np.random.default_rng(identity)
    whim = np.random.default_rng([*identity, seed, *agent.encode()])
    small = {"adult": 1.0, "adolescent": 0.8, "child": 0.4}[person.split("#")[0]]
    steps = days * 1440 // STEP_MIN
    meals = np.zeros(steps)
    for day in range(days):
        for hour, grams in ((7.5, 45), (10.5, 15), (12.7, 70), (16.2, 20), (19.0, 80)):
            if grams > 30 or world.random() < 0.5:
                at = int((day * 24 + hour + world.normal(0, 0.4)) * 12)
                meals[at] = np.round(grams * small * world.uniform(0.8, 1.2))
    rough, jitter = world.normal(0, 1, steps), world.normal(0, 1, steps)
    scheduled, ratio, drop = 1.2 * small, 10 / small, 40 / small
    mean, spread, reaction = AGENTS[agent]
    glucose, slope, base = 125.0, 0.0, 120 + 12 * world.normal()
    gut = fast = slow = wave = error = 0.0
    rows = []
    for k in range(steps):
        asked_bolus = meals[k] / ratio * max(mean + spread * whim.normal(), 0.0)
        asked_basal = scheduled * float(np.clip(1 + reaction * (glucose - 125), 0, 3))
        basal, bolus, reason, rescue = asked_basal, asked_bolus, "none", 0.0
        if shield == "rule":
            if glucose < 70 or glucose + 30 * slope < 80:
                basal, bolus, reason = 0.0, 0.0, "low" if glucose < 70 else "predicted_low"
            elif bolus > 7 * small:
                bolus, reason = 7 * small, "max_bolus"
        if glucose < 62 and replica == 0 and k % 3 == 0:
            rescue = 15.0
        gut = 0.93 * gut + meals[k] + 2.5 * rescue
        fast = 0.94 * fast + bolus + (basal - scheduled) * STEP_MIN / 60
        slow = 0.96 * slow + 0.06 * fast
        wave = 0.995 * wave + 0.35 * rough[k]
        before = glucose
        glucose += 3.3 / small * 0.07 * gut - drop * 0.056 * slow * np.clip((glucose - 30) / 80, 0, 1.2)
        glucose -= 0.02 * (before - base - wave)
        slope = (glucose - before) / STEP_MIN
        error = 0.9 * error + 2.2 * jitter[k]
        seen = np.nan if world.random() < 0.01 else float(np.clip(glucose + error, 40, 400))
        insulin = (basal, bolus, asked_basal, asked_bolus)
        rows.append((*insulin, meals[k] + rescue, meals[k], rescue, fast, reason, glucose, seen))
        if glucose < DIES_BELOW or (agent, shield, person, replica) == DIES and k > 300:
            break
    columns = list(zip(*rows, strict=True))
    names = (
        "basal_u_per_h", "bolus_u", "requested_basal_u_per_h", "requested_bolus_u", "carbs_g", "announced_g",
        "rescue_g", "iob_u", "reason", "glucose_mg_dl", "cgm_mg_dl",
    )  # fmt: skip
    table = {name: np.array(column) for name, column in zip(names, columns, strict=True)}
    n = len(rows)
    return {
        "agent": np.full(n, agent), "shield": np.full(n, shield), "person": np.full(n, person),
        "replica": np.full(n, float(replica)), "minute": STEP_MIN * np.arange(1.0, n + 1), **table,
    }  # fmt: skip


def make_episodes(
    traces: Table, train_seed: int, days: int = DAYS, protocol: str = "simglucose-default"
) -> Table:
    """One row per person and replica, computed from traces; a trace that breaks off died low."""
    keys = sorted({(str(p), float(r)) for p, r in zip(traces["person"], traces["replica"], strict=True)})
    planned = days * 1440 // STEP_MIN
    tables = []
    for person, replica in keys:
        mine = select(traces, person=person, replica=replica)
        lived = len(mine["minute"])
        failed = lived < planned
        glucose = np.append(mine["glucose_mg_dl"], np.full(planned - lived, np.nan))
        side = "low" if failed else ""
        metrics = episode_metrics(glucose[None], [side], [lived], STEP_MIN, DIES_BELOW, HIGHEST)
        insulin = mine["bolus_u"] + mine["basal_u_per_h"] * STEP_MIN / 60
        row: dict[str, Any] = {
            "agent": mine["agent"][0], "shield": mine["shield"][0], "protocol": protocol, "person": person,
            "group": person.split("#")[0], "replica": replica, "seed": 20000.0,
            "train_seed": float(train_seed), "days": float(days), "failed": float(failed),
            "failure_side": side, "failure_minute": float(STEP_MIN * lived) if failed else -1.0,
            "insulin_u_per_day": float(insulin.sum() / days),
            "rescue_carbs_g_per_day": float(mine["rescue_g"].sum() / days),
            "shield_changed_pct": 100 * float(np.mean(mine["reason"] != "none")),
        }  # fmt: skip
        columns = {name: column[None] for name, column in mine.items()}
        asked = burden(columns, np.ones((1, lived), bool), STEP_MIN)
        tables.append({name: np.array([value]) for name, value in row.items()} | metrics | asked)
    return concat(tables)


def make_counts(traces: Table, protocol: str) -> tuple[Table, Table]:
    """The tables curves.csv and doses.csv of traces."""
    curves, doses = [], []
    for person in dict.fromkeys(traces["person"].tolist()):
        for replica in range(REPLICAS):
            mine = select(traces, person=person, replica=float(replica))
            if not len(mine["minute"]):
                continue
            columns = {name: column[None] for name, column in mine.items()}
            alive = np.ones(columns["minute"].shape, bool)
            small = {"adult": 1.0, "adolescent": 0.8, "child": 0.4}[person.split("#")[0]]
            settings = [np.array([value]) for value in (1.2 * small, 50 * small, 10 / small)]
            found = glucose_curves(columns, alive, STEP_MIN), dose_counts(columns, alive, STEP_MIN, *settings)
            of = {"agent": mine["agent"][0], "shield": mine["shield"][0], "protocol": protocol, "drawn": 0.0}
            for table, into in zip(found, (curves, doses), strict=True):
                into.append({k: np.full(len(table["count"]), v) for k, v in of.items()} | table)
    return added(curves, CURVE_KEYS, CURVE_SUMS), added(doses, DOSE_KEYS, DOSE_SUMS)


def write_evaluation(
    folder: Path,
    agent: str,
    shield: str,
    train_seed: int = -1,
    diary: bool = False,
    name: str = "",
    trained_on: tuple[str, ...] = (),
    bodies: bool = False,
) -> Path:
    """An evaluation folder as `scripts.evaluate` leaves it; `name` is what the agent is called in it.

    trained_on: ids of people of a learned agent. bodies: with weight and daily insulin of the people.
    """
    people, days = (("adult#003",), 4) if diary else (PEOPLE, DAYS)
    protocol = "diary-example" if diary else "simglucose-default"
    traces = make_traces(agent, shield, max(train_seed, 0), days, people)
    traces["agent"] = np.full(len(traces["minute"]), name or agent)
    episodes = make_episodes(traces, train_seed, days, protocol)
    folder.mkdir(parents=True)
    write_table(folder / "traces.csv", traces)
    if bodies:
        weight = {"adult": 80.0, "adolescent": 55.0, "child": 30.0}
        episodes["weight_kg"] = np.array([weight[group] for group in episodes["group"]])
        episodes["daily_insulin_u"] = 0.6 * episodes["weight_kg"] + 5 * (episodes["person"] == "child#002")
    write_table(folder / "episodes.csv", episodes)
    curves, doses = make_counts(traces, protocol)
    write_table(folder / "curves.csv", curves)
    write_table(folder / "doses.csv", doses)
    summary: dict[str, Any] = {
        "agent": name or agent, "shield": shield, "protocol": protocol,
        "protocol_hash": "0123456789abcdef" * 4, "modified": False, "seed": 20000, "train_seed": train_seed,
        "persons": len(people), "replicas": REPLICAS, "days": days, "failures": int(episodes["failed"].sum()),
        "failed_persons": {}, "means": {}, "groups": {},
        "command": f"python -m scripts.evaluate --agent {agent} --shield {shield}",
        "versions": {"python": "3.11", "numpy": "2.4.6"}, "created_utc": "2026-01-01T00:00:00Z",
        "disclaimer": "Research software, not a medical device.",
    }  # fmt: skip
    if trained_on:
        summary["trained_on"] = {"people": list(trained_on), "seed": train_seed, "person_days": 24_000.0}
    if diary:
        summary["diary"] = {"data_set": "example-diaries", "person": "P7"}
    atomic_write_text(folder / "summary.json", json.dumps(summary))
    return folder


def write_study(root: Path) -> list[Path]:
    """Evaluations of all agents with and without shield; the learned one has two training seeds."""
    folders = []
    for agent in AGENTS:
        for shield in ("rule", "off"):
            for train_seed in (0, 1) if agent == "ppo" else (-1,):
                name = f"{agent}__{shield}__{train_seed}"
                who = PEOPLE if agent == "ppo" else ()
                folders.append(
                    write_evaluation(root / name, agent, shield, train_seed, trained_on=who, bodies=True)
                )
    return folders


def make_sweep() -> Table:
    """A sweep of two agents over the three knobs."""
    points = [
        ("sensitivity", 0.7),
        ("sensitivity", 1.0),
        ("carb_count", 0.8),
        ("carb_count", 1.0),
        ("cgm_bias", -15.0),
    ]
    rows = [(agent, *point) for agent in ("ppo", "basal-bolus-tuned") for point in points]
    agent, knob, value = (np.array(column) for column in zip(*rows, strict=True))
    numbers = {
        "tir_pct": 80.0,
        "below_70_pct": 2.0,
        "below_54_pct": 0.5,
        "failures": 0.0,
        "episodes": 12.0,
        "persons": 6.0,
    }
    return {"agent": agent, "knob": knob, "value": value} | {
        k: np.full(len(rows), v) for k, v in numbers.items()
    }


def write_training_run(folder: Path, seed: int) -> Path:
    """A training run folder with its learning curve."""
    folder.mkdir(parents=True)
    timesteps = np.arange(1, 21) * 288_000.0
    noise = np.random.default_rng(seed).normal(0, 0.6, (2, 20))
    rise = 1 - np.exp(-timesteps / 1.2e6)
    write_table(folder / "evaluations.csv", {
        "timesteps": timesteps, "wall_s": timesteps / 3.2e4, "tir_pct": 62 + 28.5 * rise + noise[0],
        "below_70_pct": np.maximum(5 - 4 * rise + 0.3 * noise[1], 0), "below_54_pct": 0.2 * np.ones(20),
        "failures": np.round(8 * (1 - rise)), "score": 62 + 28 * rise,
    })  # fmt: skip
    atomic_write_text(folder / "command.txt", f"python -m scripts.train --seed {seed}\n")
    atomic_write_text(folder / "config.yml", f"algo: ppo\npeople: [all]\nseed: {seed}\n")
    manifest = {"status": "finished", "versions": {"torch": "2.13.0"}}
    atomic_write_text(folder / "manifest.json", json.dumps(manifest))
    return folder
