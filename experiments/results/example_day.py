"""The day that a page shows step by step, chosen by a rule from the traces of two evaluations."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from envs.render import one_day
from experiments.records.tables import Table, concat
from experiments.results.evaluations import Evaluation
from twins.units import MINUTES_PER_DAY


def example_days(
    judged: Sequence[Evaluation], primary: Mapping[str, Any], diaries: Sequence[str]
) -> Table | None:
    """One day of the primary pair, and of the pair on each recorded diary, step by step; None without traces.

    It is the first scored day of the episode with the middle time in range of the agent (of the baseline where there
    is no agent), among those that the traces of both hold: a rule that nobody's taste has a part in.
    """
    found: list[Table] = []
    for protocol in dict.fromkeys([primary["protocol"], *diaries]):
        pair = [
            _first(judged, agent, protocol, primary["shield"])
            for agent in _compared(judged, primary, protocol)
        ]
        found += _one_day_each([one for one in pair if one is not None])
    common = [name for name in found[0] if all(name in table for table in found)] if found else []
    return concat([{name: table[name] for name in common} for table in found]) if found else None


def _compared(judged: Sequence[Evaluation], primary: Mapping[str, Any], protocol: str) -> list[str]:
    """The primary agent and its baseline, or, on a diary where that was not judged, another treatment."""
    there = [str(one.summary["agent"]) for one in judged if one.summary["protocol"] == protocol]
    pair = [agent for agent in (primary["agent"], primary["baseline"]) if agent in there]
    others = [agent for agent in there if agent not in pair and protocol != primary["protocol"]]
    return [*pair, *others][:2]


def _first(judged: Sequence[Evaluation], agent: str | None, protocol: str, shield: str) -> Evaluation | None:
    """The evaluation of the lowest training seed and fold that has traces."""
    mine = [
        one
        for one in judged
        if (one.summary["agent"], one.summary["protocol"], one.summary["shield"]) == (agent, protocol, shield)
        and _has_rows(one.folder / "traces.csv")
    ]
    return min(mine, key=lambda one: (int(one.episodes["train_seed"][0]), one.folder.name), default=None)


def _has_rows(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, encoding="utf-8") as file:
        return len([line for line, _ in zip(file, range(2), strict=False)]) == 2


def _one_day_each(pair: Sequence[Evaluation]) -> list[Table]:
    lines = [_by_episode(one.folder / "traces.csv") for one in pair]
    shared = set.intersection(*(set(one) for one in lines)) if lines else set()
    if not shared:
        return []
    lead = pair[0].episodes
    keys = zip(lead["person"].tolist(), lead["replica"].tolist(), lead["tir_pct"].tolist(), strict=True)
    ranked = sorted(
        (tir, str(person), int(replica)) for person, replica, tir in keys if (person, replica) in shared
    )
    _, person, replica = ranked[(len(ranked) - 1) // 2]
    found = []
    for one, by_episode in zip(pair, lines, strict=True):
        header, rows = by_episode[person, float(replica)]
        table: Table = {}
        for name, fields in zip(header, zip(*rows, strict=True), strict=True):
            try:
                table[name] = np.array([field or "nan" for field in fields], np.float64)
            except ValueError:
                table[name] = np.array(fields, np.str_)
        day = int((float(table["minute"][0]) - 1) // MINUTES_PER_DAY)
        told = {"protocol": str(one.summary["protocol"]), "train_seed": float(one.episodes["train_seed"][0])}
        shown = one_day(table, day)
        count = len(shown["minute"])
        found.append(shown | {name: np.full(count, value) for name, value in told.items()})
    return found


def _by_episode(path: Path) -> dict[tuple[str, float], tuple[list[str], list[list[str]]]]:
    """Header and rows of every person and replica of a table of traces, not yet turned into numbers: it is long."""
    found: dict[tuple[str, float], tuple[list[str], list[list[str]]]] = {}
    with open(path, encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if not {"person", "replica", "minute"} <= set(header):
            raise ValueError(f"{path} is no table of traces; run the evaluation again")
        person, replica = header.index("person"), header.index("replica")
        for row in lines:
            found.setdefault((row[person], float(row[replica])), (header, []))[1].append(row)
    return found
