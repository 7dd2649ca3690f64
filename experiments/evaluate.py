"""Judge an agent on a protocol: episodes, traces, counts for curves and a summary.json in one folder."""

import hashlib
import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent, Policy
from agents.frozen import NOTICE, FrozenPolicy
from envs.setting import DIARY
from experiments import people
from experiments.decisions import check_lanes, start_log
from experiments.metrics import episode_metrics
from experiments.protocol import ProtocolConfig
from experiments.records.lock import FolderLock, check_free
from experiments.records.provenance import provenance
from experiments.records.simulator import simulator_hash
from experiments.records.tables import Table, concat, select, write_table
from experiments.results.burden import burden
from experiments.results.curves import dose_counts, glucose_curves
from experiments.results.evaluations import GROUPS, METRICS, Evaluation, read_evaluation
from experiments.results.words import ORACLE
from experiments.simulate import Rollout, setting_of, simulate
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, DAILY_INSULIN_U, Cohort
from twins.draw import DRAWN
from twins.files import TEMPORARY, atomic_write_text, check_writable
from twins.world import readers
from twins.world.diary import complete_days
from twins.world.scenarios import RecordedDays, Scenario

TRACE_COLUMNS = (
    "minute", "glucose_mg_dl", "cgm_mg_dl", "basal_u_per_h", "bolus_u", "requested_basal_u_per_h", "requested_bolus_u",
    "carbs_g", "announced_g", "rescue_g", "iob_u", "reason",
)  # fmt: skip


def evaluate(
    agent: Agent,
    name: str,
    protocol: ProtocolConfig,
    out: str | Path,
    shield: str = "rule",
    modified: bool = False,
    trace_replicas: int | None = None,
    argv: Sequence[str] = (),
    cohort: Cohort | None = None,
    fold: int | None = None,
    decision_log: str | Path | None = None,
) -> Evaluation:
    """Simulate every person and replica of `protocol` under `agent`, score them, and write the folder `out`.

    name: the agent's name in tables. modified: whether fields of the protocol were overridden.
    trace_replicas: how many replicas of each person go into traces.csv (default: all). cohort: other people
    than the protocol's. fold: whose people these are, for the record. decision_log: a new file for every decision,
    see `experiments.decisions`; the summary keeps its hash. Raises FileExistsError when `out` holds something,
    FolderLocked when another process is at it, StorageError before any work when it cannot be written.
    """
    out = Path(out)
    if trace_replicas is not None and trace_replicas < 0:
        raise ValueError(f"trace_replicas is {trace_replicas}; give 0 (no traces) or more")
    check_out(out)
    with FolderLock(out):
        _check_empty(out)  # nobody else has written between the first look and the lock
        _judge(agent, name, protocol, out, shield, modified, trace_replicas, argv, cohort, fold, decision_log)
    return read_evaluation(out)


def check_out(out: str | Path) -> None:
    """Raise FileExistsError when a folder for results holds something, FolderLocked when another process is at it,
    StorageError when it cannot be written."""
    out = Path(out)
    check_writable(out, 50.0)
    check_free(out)
    _check_empty(out)


def _check_empty(out: Path) -> None:
    if any(path.name != "lock" and not path.name.startswith(TEMPORARY) for path in out.iterdir()):
        raise FileExistsError(
            f"{out} already holds files, and results never overwrite others; give a new folder"
        )


def _judge(
    agent: Agent,
    name: str,
    protocol: ProtocolConfig,
    out: Path,
    shield: str,
    modified: bool,
    trace_replicas: int | None,
    argv: Sequence[str],
    cohort: Cohort | None,
    fold: int | None,
    decision_log: str | Path | None,
) -> None:
    if decision_log is None:
        logged, rollout = None, simulate(agent, protocol, shield, cohort)
    else:
        logged, rollout = _logged(agent, name, protocol, shield, cohort, fold, Path(decision_log))
    setting = setting_of(protocol, shield, cohort=cohort)
    whom = setting.cohort
    lanes = len(rollout.glucose_mg_dl)
    row = np.arange(lanes) % len(whom)
    identity: Table = {
        "agent": np.full(lanes, _name(name, agent)),
        "shield": np.full(lanes, shield),
        "protocol": np.full(lanes, protocol.name),
        "person": np.array(whom.ids)[row],
        "group": np.array([whom.group(person) for person in range(len(whom))])[row],
        "drawn": np.array([int(DRAWN in person) for person in whom.ids])[row],
        "weight_kg": whom.weight_kg[row],
        "daily_insulin_u": whom.therapy[row, DAILY_INSULIN_U],
        "replica": np.arange(lanes) // len(whom),
        "seed": np.full(lanes, protocol.seed),
        "train_seed": np.full(lanes, getattr(agent, "train_seed", 0 if isinstance(agent, Policy) else -1)),
        "fold": np.full(lanes, -1 if fold is None else fold),
    }
    episodes = identity | _episodes(rollout, protocol)
    keep = identity["replica"] < (protocol.replicas if trace_replicas is None else trace_replicas)
    trained = agent.manifest.trained_on if isinstance(agent, FrozenPolicy) else None
    summary = {
        "agent": _name(name, agent),
        "shield": shield,
        "protocol": protocol.name,
        "protocol_version": protocol.version,
        "protocol_hash": protocol_hash(protocol, setting.scenario),
        "protocol_settings": protocol.model_dump(mode="json"),
        "scenario": setting.scenario.description,
        "modified": modified,
        "seed": protocol.seed,
        "train_seed": int(identity["train_seed"][0]),
        "trained_on": trained,
        "diary": _diary(protocol.scenario),
        "decision_log": logged,
        "persons": len(whom),
        "replicas": protocol.replicas,
        "days": protocol.days,
        "failures": int(episodes["failed"].sum()),
        "failed_persons": _failed_persons(episodes),
        "means": _means(episodes),
        "groups": {
            group: _means(select(episodes, group=group)) for group in GROUPS if group in episodes["group"]
        },
        "command": shlex.join(argv),
        **provenance(),
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "disclaimer": NOTICE,
    }
    write_table(out / "episodes.csv", episodes)
    write_table(out / "traces.csv", _traces(rollout, identity, keep))
    curves, doses = _counts(rollout, identity, whom.therapy[row], protocol.sample_min)
    write_table(out / "curves.csv", curves)
    write_table(out / "doses.csv", doses)
    atomic_write_text(
        out / "summary.json", json.dumps(summary, indent=2, allow_nan=False) + "\n"
    )  # last: it is whole


def _logged(
    agent: Agent,
    name: str,
    protocol: ProtocolConfig,
    shield: str,
    cohort: Cohort | None,
    fold: int | None,
    path: Path,
) -> tuple[dict[str, Any], Rollout]:
    """The rollout with every decision in a log, and what the summary keeps of the log."""
    check_lanes(cohort if cohort is not None else people.judged(protocol), protocol)
    log, notes = start_log(path, agent, name, protocol, shield, fold)
    with log:
        rollout = simulate(agent, protocol, shield, cohort, watcher=notes)
    return {"file": path.name, "decisions": log.decisions, "sha256": log.head}, rollout


def protocol_hash(protocol: ProtocolConfig, scenario: Scenario) -> str:
    """SHA-256 (hex) of a protocol's settings, the simulator, and the days that its scenario replays."""
    return protocol.hash(simulator_hash() + _digest(scenario))


def _digest(scenario: Scenario) -> str:
    """Of recorded days what was replayed, so that another content of the same file is another protocol."""
    return (
        hashlib.sha256(repr(scenario.days).encode()).hexdigest() if isinstance(scenario, RecordedDays) else ""
    )


def _diary(scenario: str) -> dict[str, Any] | None:
    """Whose recorded days a scenario replays: data set, person and number of days; None for other scenarios."""
    if not scenario.startswith(DIARY):
        return None
    name = scenario.removeprefix(DIARY)
    data_set, _, person = name.rpartition("/") if name.split("/")[0] in readers.DATA_SETS else ("", "", "")
    diary = readers.named(name)
    return {
        "data_set": data_set or "own file",
        "person": person or diary.who,
        "simulated": name == "simulated",
        "complete_days": len(complete_days(diary)),
    }


def _name(name: str, agent: Agent) -> str:
    """A policy given by its folder goes by its algorithm; simulator state names itself in every table."""
    if isinstance(agent, FrozenPolicy) and Path(name).is_dir():
        name = agent.manifest.algo + ("-fine-tuned" if agent.manifest.trained_on.get("init_from") else "")
    return f"{name}{ORACLE}" if getattr(agent, "oracle", False) else name


def _episodes(rollout: Rollout, protocol: ProtocolConfig) -> Table:
    """Failure columns and metrics of every episode."""
    columns, interval = rollout.columns, protocol.sample_min
    lanes, alive = len(rollout.glucose_mg_dl), rollout.alive
    days_alive = np.maximum(alive.sum(axis=1) * interval / 1440, interval / 1440)
    insulin = columns["bolus_u"] + columns["basal_u_per_h"] * interval / 60
    sides = rollout.failed_side
    table: Table = {
        "days": np.full(lanes, protocol.days),
        "failed": (sides != "").astype(int),
        "failure_side": sides,
        "failure_minute": np.where(sides != "", rollout.failure_sample * interval, -1),
        **episode_metrics(
            rollout.glucose_mg_dl,
            sides,
            rollout.failure_sample,
            interval,
            protocol.glucose_failure_low_mg_dl,
            protocol.glucose_failure_high_mg_dl,
        ),
        **burden(columns, alive, interval),
        "insulin_u_per_day": _alive_sum(insulin, alive) / days_alive,
        "basal_share_pct": 100
        * _alive_sum(columns["basal_u_per_h"] * interval / 60, alive)
        / np.maximum(_alive_sum(insulin, alive), 1e-9),
        "carbs_g_per_day": _alive_sum(columns["carbs_g"], alive) / days_alive,
        "rescue_carbs_g_per_day": _alive_sum(columns["rescue_g"], alive) / days_alive,
        "shield_changed_pct": rollout.shield_changed_pct,
    }
    readings = np.where(alive, columns["cgm_mg_dl"], np.nan)
    seen = np.isfinite(readings)
    counted = np.maximum(seen.sum(axis=1), 1)
    table["cgm_tir_pct"] = 100 * ((readings >= 70) & (readings <= 180)).sum(axis=1) / counted
    table["cgm_below_70_pct"] = 100 * (readings < 70).sum(axis=1) / counted
    return table


def _alive_sum(values: NDArray[np.float64], alive: NDArray[np.bool_]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.where(alive, values, 0.0).sum(axis=1)
    return total


def _failed_persons(episodes: Table) -> dict[str, int]:
    dead = episodes["person"][episodes["failed"] > 0].tolist()
    return {person: dead.count(person) for person in sorted(set(dead))}


def _means(episodes: Table) -> dict[str, float | int | None]:
    """Failures and the mean of each metric over episodes (every person has as many); null where it is nan."""
    means: dict[str, float | int | None] = {"failures": int(episodes["failed"].sum())}
    for name in METRICS:
        value = float(np.mean(episodes[name]))
        means[name] = round(value, 6) if np.isfinite(value) else None
    return means


def _counts(
    rollout: Rollout, identity: Table, therapy: NDArray[np.float64], interval: int
) -> tuple[Table, Table]:
    """Curves and doses as counts, people of the table and drawn ones apart. therapy: (n, 7), of every episode."""
    curves: list[Table] = []
    doses: list[Table] = []
    alive = rollout.alive
    settings = therapy[:, [BASAL_U_PER_H, DAILY_INSULIN_U, CARB_RATIO_G_PER_U]]
    for drawn in np.unique(identity["drawn"]):
        mine = identity["drawn"] == drawn
        columns = {name: column[mine] for name, column in rollout.columns.items()}
        glucose = glucose_curves(columns, alive[mine], interval)
        dosed = dose_counts(columns, alive[mine], interval, *settings[mine].T)
        for counts, into in ((glucose, curves), (dosed, doses)):
            of = {name: identity[name][0] for name in ("agent", "shield", "protocol")} | {"drawn": drawn}
            into.append({name: np.full(len(counts["count"]), value) for name, value in of.items()} | counts)
    return concat(curves), concat(doses)


def _traces(rollout: Rollout, identity: Table, keep: NDArray[np.bool_]) -> Table:
    """Rows of the kept lanes while they live, the failing interval included."""
    samples = rollout.glucose_mg_dl.shape[1]
    shown = keep[:, None] & (np.arange(samples) <= rollout.failure_sample[:, None])
    lane, _ = np.nonzero(shown)
    table: Table = {name: identity[name][lane] for name in ("agent", "shield", "person", "replica")}
    return table | {name: rollout.columns[name][shown] for name in TRACE_COLUMNS}
