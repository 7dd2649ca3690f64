"""The tidy tables of a study: one folder, the only input of its page, small enough to be committed.

    study.json      what was asked: title, protocols, the primary comparison, run flow, versions, machine, command
    episodes.csv    a row an episode, as `experiments.evaluate` writes them
    cells.csv       a row an evaluation that was attempted: done, failed or refused, with hash, run and command
    agents.csv      a row an agent: what it is, what it may know, what it was trained on
    learning.csv, curves.csv, doses.csv, sweep.csv, days.csv, subgroups.csv, subgroup_checks.csv
                    there if the study has them

A long table is kept as .csv.gz. `experiments.results.collect` makes these tables from folders of evaluations and runs.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.records.json_files import Kind, check_kinds, load_object
from experiments.records.tables import Table, read_table, write_table
from experiments.results.curves import CURVE_KEYS, CURVE_SUMS, DOSE_KEYS, DOSE_SUMS
from twins.files import atomic_write_bytes, atomic_write_text, check_writable

COLUMNS: dict[str, tuple[str, ...]] = {
    "episodes": (
        "agent", "shield", "protocol", "person", "group", "drawn", "replica", "seed", "train_seed", "fold", "days",
        "failed", "failure_side", "failure_minute", "below_54_pct", "below_70_pct", "tir_pct", "above_180_pct",
        "above_250_pct",
    ),
    "cells": (
        "cell", "agent", "shield", "protocol", "fold", "train_seed", "persons", "status", "protocol_hash", "run",
        "command", "error",
    ),
    "agents": (
        "agent", "words", "tier", "learned", "trained_on", "seeds", "person_days", "train_wall_s",
    ),
    "learning": ("agent", "fold", "train_seed", "timesteps", "wall_s", "tir_pct", "below_70_pct", "below_54_pct"),
    "curves": (*CURVE_KEYS, *CURVE_SUMS),
    "doses": (*DOSE_KEYS, *DOSE_SUMS),
    "sweep": (
        "agent", "knob", "value", "tir_pct", "below_70_pct", "below_54_pct", "failures", "episodes", "persons",
    ),
    "days": (
        "agent", "shield", "protocol", "person", "replica", "train_seed", "minute", "glucose_mg_dl", "cgm_mg_dl",
        "basal_u_per_h", "bolus_u", "carbs_g", "reason",
    ),
    "subgroups": ("agent", "feature", "group", "persons", "episodes", "failures", "tir_pct", "below_70_pct"),
    "subgroup_checks": ("agent", "feature", "metric", "worst_group", "worst", "gap", "bar", "check"),
}  # fmt: skip
"""Columns that every table must have; more are kept."""
NEEDED = ("episodes", "cells", "agents")
STATUSES = ("done", "failed", "refused")
PRIMARY = ("agent", "baseline", "protocol", "shield", "population")
POPULATIONS = ("drawn", "table", "all")
"""Whom the primary comparison is about: people drawn by the sampler, those of the table, or both."""
_KINDS: dict[str, Kind] = {
    "name": str, "title": str, "protocols": dict, "primary": dict, "flow": dict, "versions": dict,
    "machine": (dict, type(None)), "command": str, "created_utc": str, "notes": list, "runs": list, "simulator": str,
}  # fmt: skip
_PROTOCOL_KINDS: dict[str, Kind] = {
    "hash": str, "description": str, "scenario": str, "settings": dict, "diary": (dict, type(None)), "modified": bool,
}  # fmt: skip
_PRIMARY_KINDS: dict[str, Kind] = {
    "agent": (str, type(None)), "baseline": (str, type(None)), "protocol": str, "shield": str, "population": str,
    "prespecified": bool,
}  # fmt: skip
_AGAIN = "collect the study again"
_ABOUT = ("name", "title", "protocols", "primary", "flow", "versions", "command", "created_utc")
_TEXT = (
    "agent", "shield", "protocol", "person", "group", "cell", "status", "protocol_hash", "run", "command", "error",
    "words", "tier", "trained_on", "seeds", "failure_side", "knob", "reason", "align", "feature", "metric",
    "worst_group", "bar", "check", "bounds",
)  # fmt: skip
_GZIP_FROM = 100_000


@dataclass(frozen=True)
class StudyTables:
    """All tables of a study. Raises ValueError where columns are missing or tables disagree.

    about: contents of study.json. Its `primary` names agent (None: no learned agent), baseline (None: none),
    protocol, shield, population ("drawn", "table" or "all") and prespecified, whether they were chosen before
    the numbers were seen. `protocols` has for each name: hash, description, scenario, settings, diary, modified.
    """

    about: dict[str, Any]
    episodes: Table
    cells: Table
    agents: Table
    learning: Table | None = None
    curves: Table | None = None
    doses: Table | None = None
    sweep: Table | None = None
    days: Table | None = None
    subgroups: Table | None = None
    subgroup_checks: Table | None = None

    def __post_init__(self) -> None:
        lacking = [name for name in _ABOUT if name not in self.about]
        lacking += [f"primary.{name}" for name in PRIMARY if name not in self.about.get("primary", {})]
        if lacking:
            raise ValueError(f"study.json lacks {', '.join(lacking)}; collect the study again")
        for name, columns in COLUMNS.items():
            table = getattr(self, name)
            missing = [column for column in columns if column not in table] if table is not None else []
            if missing:
                raise ValueError(
                    f"{name}.csv lacks the columns {', '.join(missing)}; collect the study again"
                )
        self._agree()

    def _agree(self) -> None:
        """Raise ValueError where one table speaks of what another does not have."""
        if not len(self.episodes["agent"]):
            raise ValueError("episodes.csv has no rows; a study needs at least one evaluation that was done")
        odd = sorted(set(self.cells["status"].tolist()) - set(STATUSES))
        if odd:
            raise ValueError(f"cells.csv: status {odd[0]!r} is none of {', '.join(STATUSES)}")
        if not np.isin(self.episodes["failed"], (0, 1)).all():
            raise ValueError("episodes.csv: column failed holds something else than 0 and 1; it was edited")
        for column, known, where in (
            ("agent", set(self.agents["agent"].tolist()), "agents.csv"),
            ("protocol", set(self.about["protocols"]), "study.json"),
        ):
            unknown = sorted(set(self.episodes[column].tolist()) - known)
            if unknown:
                raise ValueError(
                    f"episodes.csv: {column} {unknown[0]!r} does not stand in {where}; collect again"
                )
        primary = self.about["primary"]
        if primary["population"] not in POPULATIONS:
            raise ValueError(
                f"study.json: population {primary['population']!r} is none of {', '.join(POPULATIONS)}"
            )
        keys = ("agent", "shield", "protocol", "fold", "train_seed", "person", "replica")
        rows = list(zip(*(self.episodes[name].tolist() for name in keys), strict=True))
        if len(set(rows)) < len(rows):
            twice = next(row for row in rows if rows.count(row) > 1)
            what = ", ".join(f"{name} {value}" for name, value in zip(keys, twice, strict=True))
            raise ValueError(f"the same episode was given twice ({what}); give every evaluation folder once")

    def write(self, folder: str | Path) -> None:
        """Write the folder, tables first and study.json last; tables that there are no more are removed."""
        folder = Path(folder)
        check_writable(folder, 20.0)
        for name in COLUMNS:
            table = getattr(self, name)
            for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
                path.unlink(missing_ok=True)
            if table is not None:
                _write(folder, name, table)
        atomic_write_text(
            folder / "study.json", json.dumps(self.about, indent=2, sort_keys=True, allow_nan=False) + "\n"
        )


def _write(folder: Path, name: str, table: Table) -> None:
    """The table as CSV, compressed where it is long; the same bytes for the same table."""
    path = folder / f"{name}.csv"
    write_table(path, table)
    if path.stat().st_size >= _GZIP_FROM:
        atomic_write_bytes(folder / f"{name}.csv.gz", gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()


def read(folder: str | Path) -> StudyTables:
    """The study of a folder. Raises FileNotFoundError or ValueError that name file and remedy."""
    folder = Path(folder)
    path = folder / "study.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"no study.json in {folder}; give a folder of results, or of scripts.evaluate"
        )
    about = load_object(path, _AGAIN, _KINDS)
    for said, where, kinds in (
        *((one, f"protocols.{name}", _PROTOCOL_KINDS) for name, one in about.get("protocols", {}).items()),
        (about.get("primary", {}), "primary", _PRIMARY_KINDS),
    ):
        if not isinstance(said, dict) or (
            said and where != "primary" and not set(said) >= set(_PROTOCOL_KINDS)
        ):
            raise ValueError(f"{path}: {where} lacks {', '.join(_PROTOCOL_KINDS)}; {_AGAIN}")
        check_kinds(said, kinds, f"{path}, {where}", _AGAIN)
    check_kinds(about.get("flow", {}), dict.fromkeys(about.get("flow", {}), int), f"{path}, flow", _AGAIN)
    tables = {name: found for name in COLUMNS if (found := _read(folder, name)) is not None}
    lacking = [name for name in NEEDED if name not in tables]
    if lacking:
        raise FileNotFoundError(
            f"no {lacking[0]}.csv or {lacking[0]}.csv.gz in {folder}; collect the study again"
        )
    try:
        return StudyTables(about, **tables)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None


Reader = Callable[[Path], StudyTables]
"""`read`, or what remembers the studies that it read: each takes about a second."""


def _read(folder: Path, name: str) -> Table | None:
    plain, packed = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    if not plain.is_file() and not packed.is_file():
        return None
    table = read_table(plain if plain.is_file() else packed)
    # a column of text without a letter, such as one of empty errors, may look like numbers
    return {key: _as_text(column) if key in _TEXT else column for key, column in table.items()}


def _as_text(column: Any) -> Any:
    if column.dtype.kind == "U":
        return column
    return np.array(["" if np.isnan(value) else f"{value:g}" for value in column.tolist()], np.str_)
