"""A small study with numbers that are known beforehand: its episodes, its tables, an evaluation beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.records.tables import Table, concat
from experiments.results.evaluations import Evaluation
from experiments.results.study_tables import StudyTables

PEOPLE = ("adult#001", "adult#002", "adolescent#001", "adolescent~test7#001", "child#001", "child~test7#001")
WEIGHT_KG = (100.0, 80.0, 60.0, 50.0, 30.0, 20.0)
NEED_U_PER_KG = (0.4, 0.5, 1.2, 1.0, 0.8, 0.6)
HASH = "ab" * 32


def episodes(
    agent: str,
    tir_pct: Sequence[float],
    *,
    shield: str = "rule",
    protocol: str = "simglucose-default",
    train_seed: int = -1,
    people: Sequence[str] = PEOPLE,
    replicas: int = 2,
    **columns: Any,
) -> Table:
    """Episodes with this time in range for each person; the days differ by 1 point around it.

    Other columns are given as a number, or one a person. Below 70 is a tenth of what is out of range.
    """
    row = np.tile(np.arange(len(people)), replicas)
    at = [PEOPLE.index(people[k]) for k in row]
    replica = np.repeat(np.arange(replicas), len(people))
    tir = np.asarray(tir_pct, float)[row] + (replica - (replicas - 1) / 2)
    weight = np.array(WEIGHT_KG)[at]
    n = len(row)
    table: Table = {
        "agent": np.full(n, agent),
        "shield": np.full(n, shield),
        "protocol": np.full(n, protocol),
        "person": np.array(people)[row],
        "group": np.array([people[k].partition("#")[0].partition("~")[0] for k in row]),
        "drawn": np.array([float("~" in people[k]) for k in row]),
        "weight_kg": weight,
        "daily_insulin_u": weight * np.array(NEED_U_PER_KG)[at],
        "replica": replica.astype(float),
        "seed": np.full(n, 20000.0),
        "train_seed": np.full(n, float(train_seed)),
        "fold": np.full(n, -1.0),
        "days": np.full(n, 2.0),
        "failed": np.zeros(n),
        "failure_side": np.full(n, ""),
        "failure_minute": np.full(n, -1.0),
        "below_54_pct": np.full(n, 0.2),
        "below_70_pct": (100 - tir) / 10,
        "tir_pct": tir,
        "above_180_pct": (100 - tir) * 0.9,
        "above_250_pct": np.full(n, 3.0),
        "gri": 100 - tir,
        "alarms_per_day": np.full(n, 2.0),
        "recommendations_per_day": np.full(n, 4.0),
    }  # fmt: skip
    return table | {
        name: np.broadcast_to(np.asarray(value, float), len(people))[row] for name, value in columns.items()
    }


def study(
    tables: Sequence[Table], name: str = "tiny", digest: str = HASH, about: Mapping[str, Any] | None = None
) -> StudyTables:
    """The tables of a study with these episodes."""
    rows = concat(tables)
    agents = sorted(set(rows["agent"].tolist()))
    learned = [float((rows["train_seed"][rows["agent"] == one] >= 0).any()) for one in agents]
    one = {
        "hash": digest,
        "description": "",
        "scenario": "",
        "settings": {},
        "diary": None,
        "modified": False,
    }
    text = ("cell", "agent", "shield", "protocol", "status", "protocol_hash", "run", "command", "error")
    cells = {column: np.full(len(agents), "") for column in text}
    cells |= {column: np.full(len(agents), -1.0) for column in ("fold", "train_seed", "persons")}
    cells |= {"agent": np.array(agents), "status": np.full(len(agents), "done")}
    cells |= {"command": np.array([f"python -m scripts.evaluate --agent {one}" for one in agents])}
    return StudyTables(
        {
            "name": name, "title": "", "protocols": {word: one for word in sorted(set(rows["protocol"].tolist()))},
            "primary": {"agent": None, "baseline": None, "protocol": "", "shield": "rule", "population": "all"},
            "flow": {}, "versions": {}, "command": "", "created_utc": "", **(about or {}),
        },
        rows,
        cells,
        {
            "agent": np.array(agents), "words": np.full(len(agents), ""), "tier": np.full(len(agents), "T0"),
            "learned": np.array(learned), "trained_on": np.full(len(agents), "nothing"),
            "seeds": np.full(len(agents), ""), "person_days": np.zeros(len(agents)),
            "train_wall_s": np.zeros(len(agents)),
        },
    )  # fmt: skip


def evaluation(rows: Table, **summary: Any) -> Evaluation:
    """An evaluation of one agent with these episodes, as `read_evaluation` gives it."""
    said = {name: str(rows[name][0]) for name in ("agent", "shield", "protocol")}
    return Evaluation(Path("nowhere"), rows, {**said, "protocol_hash": HASH, "modified": False, **summary})
