"""From folders of evaluations and training runs to the tidy tables of a study."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.records.config_files import load_yaml
from experiments.records.json_files import load_object
from experiments.records.tables import Table, concat, read_table, select
from experiments.results.agents_table import agents_table, with_wall_clock
from experiments.results.curves import CURVE_KEYS, CURVE_SUMS, DOSE_KEYS, DOSE_SUMS, added
from experiments.results.evaluations import Evaluation, person_means, persons, read_evaluation
from experiments.results.example_day import example_days
from experiments.results.study_tables import StudyTables
from experiments.results.subgroups import subgroups
from experiments.results.words import is_reference
from twins.files import read_file

_DEFAULTS: dict[str, float] = {"drawn": 0.0, "fold": -1.0}
"""Columns that evaluations of a protocol without drawn people and folds may lack."""
_MOST_COMMAND = 1 << 16
_PER_TRAINING = ("seed", "timesteps", "person_days", "people", "fold")
"""Facts of a training that may differ between the trainings of one method."""


def collect(
    evaluations: Sequence[str | Path],
    runs: Sequence[str | Path] | Mapping[str | Path, str] = (),
    *,
    title: str = "Learned insulin dosing on virtual people",
    name: str = "study",
    command: str = "",
    primary: Mapping[str, Any] | None = None,
    cells: Table | None = None,
    agents: Mapping[str, Mapping[str, Any]] | None = None,
    sweep: Table | None = None,
    day_from: Sequence[str | Path] = (),
    root: str | Path | None = None,
    notes: Sequence[str] = (),
) -> StudyTables:
    """The tables of a study.

    evaluations: finished folders of scripts.evaluate, the protocol of the claim first; those on recorded days
    among them are known by their summary. runs: folders of scripts.train, or these with the name of the agent.
    primary: agent, baseline, protocol, shield, population named before the numbers were seen; otherwise the best of
    each are picked, and the page says so. cells: rows of cells.csv of evaluations that failed or were refused.
    agents: for some agents, columns of agents.csv that are known better. sweep: of `degradation`. day_from: further
    evaluations that are in no table, whose traces give the day that is shown. root: the folder from which evaluations
    are named in cells.csv (default: that which holds them all).
    Raises FileNotFoundError or ValueError that name file and remedy.
    """
    judged = [read_evaluation(folder) for folder in evaluations]
    _check(judged)
    episodes = _episodes(judged)
    done = concat([_cell(one, name) for one, name in zip(judged, _names(judged, root), strict=True)])
    all_cells = concat([done, {key: cells[key] for key in done}]) if cells is not None else done
    whom = agents_table(judged, agents or {})
    trained = list(runs.items()) if isinstance(runs, Mapping) else [(run, "") for run in runs]
    learning = [_learning(Path(run), agent) for run, agent in trained]
    whom = with_wall_clock(whom, learning)
    chosen = _primary(episodes, whom, primary)
    diaries = [protocol for protocol, said in _protocols(judged).items() if said["diary"]]
    days = example_days([*judged, *map(read_evaluation, day_from)], chosen, diaries)
    groups, checks = subgroup_tables(episodes, chosen)
    return StudyTables(
        {
            "name": name,
            "title": title,
            "protocols": _protocols(judged),
            "primary": chosen,
            "flow": flow_of(all_cells),
            "versions": _versions([one.summary for one in judged]),
            "machine": judged[0].summary.get("machine") or {},
            "command": command,
            "runs": [_run(Path(run), agent) for run, agent in trained],
            "created_utc": max(str(one.summary.get("created_utc", "")) for one in judged),
            "notes": list(notes),
        },
        episodes,
        all_cells,
        whom,
        learning=concat(learning) if learning else None,
        curves=_summed(judged, "curves.csv", CURVE_KEYS, CURVE_SUMS),
        doses=_summed(judged, "doses.csv", DOSE_KEYS, DOSE_SUMS),
        sweep=sweep,
        days=days,
        subgroups=groups,
        subgroup_checks=checks,
    )


def degradation(points: Mapping[tuple[str, float], Sequence[str | Path]]) -> Table:
    """Rows of sweep.csv: (knob, value) to the evaluations made there; means over persons of their means."""
    rows = []
    for (knob, value), folders in points.items():
        episodes = _episodes([read_evaluation(folder) for folder in folders])
        for agent in dict.fromkeys(episodes["agent"].tolist()):
            mine = select(episodes, agent=agent)
            row: dict[str, Any] = {"agent": agent, "knob": knob, "value": float(value)}
            row |= {
                name: float(np.nanmean(person_means(mine, name)))
                for name in ("tir_pct", "below_70_pct", "below_54_pct")
            }
            counts = (mine["failed"].sum(), len(mine["person"]), len(persons(mine)))
            rows.append(row | dict(zip(("failures", "episodes", "persons"), map(float, counts), strict=True)))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _check(judged: Sequence[Evaluation]) -> None:
    """Raise ValueError where evaluations cannot stand in one study."""
    if not judged:
        raise ValueError("no evaluation was given; a study needs at least one folder of scripts.evaluate")
    hashes: dict[str, tuple[str, Path]] = {}
    methods: dict[str, tuple[dict[str, Any], Path]] = {}
    for one in judged:
        protocol, agent = str(one.summary["protocol"]), str(one.summary["agent"])
        digest, method = str(one.summary["protocol_hash"]), _method(one)
        known, folder = hashes.setdefault(protocol, (digest, one.folder))
        if known != digest:
            raise ValueError(
                f"{folder} and {one.folder} hold protocol {protocol} under different hashes (its settings or the "
                "simulator changed in between), so they are not comparable; evaluate both again"
            )
        first, folder = methods.setdefault(agent, (method, one.folder))
        if odd := sorted(name for name in {*first, *method} if first.get(name) != method.get(name)):
            raise ValueError(
                f"{folder} and {one.folder} hold agent {agent} trained differently ({', '.join(odd)}), so they "
                "are no seeds of one method; compare them under names of their own"
            )


def _method(one: Evaluation) -> dict[str, Any]:
    facts = one.summary.get("trained_on") or {}
    return {name: value for name, value in facts.items() if name not in _PER_TRAINING}


def _episodes(judged: Sequence[Evaluation]) -> Table:
    """All episodes, with the columns that every evaluation has."""
    tables = []
    for one in judged:
        rows = len(one.episodes["agent"])
        filled = {name: np.full(rows, value) for name, value in _DEFAULTS.items() if name not in one.episodes}
        tables.append(one.episodes | filled)
    common = [name for name in tables[0] if all(name in table for table in tables)]
    return concat([{name: table[name] for name in common} for table in tables])


def _names(judged: Sequence[Evaluation], root: str | Path | None) -> list[str]:
    """What the folders are called below `root`, or the folder that holds all of them."""
    paths = [one.folder.absolute() for one in judged]
    shared = Path(root).absolute() if root else Path(os.path.commonpath([path.parent for path in paths]))
    return [path.relative_to(shared).as_posix() for path in paths]


def _cell(one: Evaluation, name: str) -> Table:
    """The row of cells.csv of an evaluation that was done."""
    said, git = one.summary, one.summary.get("git") or {}
    commit = str(git.get("commit") or "")[:10] + ("+changes" if git.get("dirty") else "")
    row: dict[str, Any] = {
        "cell": name,
        **{name: str(said[name]) for name in ("agent", "shield", "protocol")},
        "fold": float(one.episodes["fold"][0]) if "fold" in one.episodes else -1.0,
        "train_seed": float(one.episodes["train_seed"][0]),
        "persons": float(said["persons"]),
        "status": "done",
        "protocol_hash": str(said["protocol_hash"]),
        "run": " ".join(filter(None, (str(said.get("created_utc", "")), commit))),
        "command": str(said["command"]),
        "error": "",
    }
    return {name: np.array([value]) for name, value in row.items()}


def _config(run: Path) -> dict[str, Any]:
    return load_yaml(run / "config.yml")


def _learning(run: Path, agent: str) -> Table:
    table = read_table(run / "evaluations.csv")
    needed = ("timesteps", "wall_s", "tir_pct", "below_70_pct", "below_54_pct")
    if not set(needed) <= set(table) or not len(table["timesteps"]):
        raise ValueError(f"{run / 'evaluations.csv'} has no learning curve; give a run that has trained")
    config, rows = _config(run), len(table["timesteps"])
    fold = config.get("fold")
    identity: Table = {
        "agent": np.full(rows, agent or str(config.get("algo", "ppo"))),
        "fold": np.full(rows, -1.0 if fold is None else float(fold)),
        "train_seed": np.full(rows, float(config.get("seed", 0))),
        "run": np.full(rows, run.name),
    }
    return identity | {name: table[name] for name in (*needed, "failures", "score") if name in table}


def _run(run: Path, agent: str) -> dict[str, Any]:
    """What the page says of a training run: name, agent, status, command, people."""
    config = _config(run)
    manifest = load_object(run / "manifest.json", "give a run that has trained")
    return {
        "run": run.name,
        "agent": agent or str(config.get("algo", "ppo")),
        "status": str(manifest.get("status")),
        "command": read_file(run / "command.txt", _MOST_COMMAND).decode(errors="replace").strip(),
    }


def _primary(episodes: Table, agents: Table, named: Mapping[str, Any] | None) -> dict[str, Any]:
    """The comparison that the page is about: the one named, or the best of each by the time in range shown."""
    if named is not None:
        return {"prespecified": True, **named}
    protocol = str(episodes["protocol"][0])
    mine = select(episodes, protocol=protocol)
    shield = "rule" if "rule" in mine["shield"] else str(mine["shield"][0])
    population = "drawn" if mine["drawn"].any() else "table"
    mine = select(mine, shield=shield) | {}
    mine = {name: column[mine["drawn"] == (population == "drawn")] for name, column in mine.items()}
    learned = dict(zip(agents["agent"].tolist(), (agents["learned"] > 0).tolist(), strict=True))
    score = {
        agent: float(np.nanmean(person_means(select(mine, agent=agent), "tir_pct")))
        for agent in dict.fromkeys(mine["agent"].tolist())
        if not is_reference(agent)
    }
    best: dict[bool, str | None] = {
        kind: max((a for a in score if learned[a] == kind), key=lambda a: score[a], default=None)
        for kind in (True, False)
    }
    return {
        "agent": best[True], "baseline": best[False], "protocol": protocol, "shield": shield,
        "population": population, "prespecified": False,
    }  # fmt: skip


def _protocols(judged: Sequence[Evaluation]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in judged:
        settings = one.summary.get("protocol_settings") or {}
        found[str(one.summary["protocol"])] = {
            "hash": str(one.summary["protocol_hash"]),
            "description": str(settings.get("description", "")),
            "scenario": str(one.summary.get("scenario", "")),
            "settings": settings,
            "diary": one.summary.get("diary"),
            "modified": bool(one.summary.get("modified")),
        }
    return found


def flow_of(cells: Table) -> dict[str, int]:
    """How many evaluations were attempted, and what became of them."""
    status = cells["status"].tolist()
    return {
        "attempted": len(status),
        "refused": status.count("refused"),
        "failed": status.count("failed"),
        "analysed": status.count("done"),
    }


def _versions(summaries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    seen: dict[str, set[str]] = {}
    for one in summaries:
        for name, version in (one.get("versions") or {}).items():
            seen.setdefault(str(name), set()).add(str(version))
    return {name: " and ".join(sorted(versions)) for name, versions in sorted(seen.items())}


def _summed(
    judged: Sequence[Evaluation], file: str, keys: Sequence[str], sums: Sequence[str]
) -> Table | None:
    """The counts of all evaluations; None where none has them."""
    tables = [read_table(one.folder / file) for one in judged if (one.folder / file).is_file()]
    tables = [table for table in tables if len(table["count"])]
    return added(tables, keys, sums) if tables else None


def subgroup_tables(episodes: Table, primary: Mapping[str, Any]) -> tuple[Table | None, Table | None]:
    """Groups of the primary protocol against its baseline; None where episodes do not tell enough."""
    if primary["baseline"] is None:
        return None, None
    mine = select(episodes, protocol=primary["protocol"])
    needed = ("weight_kg", "daily_insulin_u", "gri", "alarms_per_day", "recommendations_per_day")
    if any(name not in mine for name in needed):
        return None, None
    found = subgroups(mine, primary["baseline"], primary["shield"])
    return found.groups, found.checks
