"""What the site says of each person of the table: who they are, how every agent did on them, and the worst of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.aggregates import person_means
from experiments.joint.row import SHARES, Failed
from experiments.page.findings import Findings
from experiments.page.standings import of_population, scores
from experiments.published.report import PEOPLE
from experiments.records.tables import Table, read_table, select
from experiments.results.evaluations import decimals
from experiments.results.study_tables import StudyTables
from twins import cohort
from twins.cohort import (
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
)  # fmt: skip

_MIN_PER_H = 60.0
_OF_A_CELL = ("protocol", "shield", "agent", "fold", "train_seed")
"""What tells evaluations apart."""


@dataclass(frozen=True)
class Line:
    """One agent on this person. place: 1 for whom of all persons it kept longest in range, of how many."""

    agent: str
    learned: bool
    failed: Failed
    shares: Mapping[str, str]
    place: int
    of: int
    command: str = ""


@dataclass
class Person:
    """facts: (what, value) as shown. tables: rows by (protocol, shield, words). worst: rows of the worst episodes."""

    name: str
    group: str
    facts: list[tuple[str, str]]
    tables: dict[tuple[str, str], list[Line]] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)
    worst: list[dict[str, Any]] = field(default_factory=list)

    @property
    def file(self) -> str:
        """Name of the page."""
        return f"{self.name.replace('#', '-')}.html"


def everybody(studies: Mapping[str, StudyTables], results: Path) -> list[Person]:
    """The 30 people of the table, in order. Raises ValueError where a study names others among them."""
    found = {one.name: one for one in _people()}
    for study in studies.values():
        episodes = of_population(study.episodes, "table")
        if unknown := sorted(set(episodes["person"].tolist()) - set(found)):
            raise ValueError(f"study {study.about['name']}: {unknown[0]!r} is none of simglucose's 30 people")
        _judged(found, episodes, study)
        _worst(found, episodes, study)
    path = results / "published" / PEOPLE
    if path.is_file():
        _published(found, read_table(path))
    return list(found.values())


def _people() -> list[Person]:
    whom, quest = cohort.load("all"), cohort.simglucose_table("Quest.csv")
    made = []
    for k, name in enumerate(whom.ids):
        therapy, weight = whom.therapy[k], float(whom.weight_kg[k])
        daily = float(therapy[DAILY_INSULIN_U])
        facts = [
            ("age group", whom.group(k)),
            ("age", f"{float(quest[name]['Age']):.0f} years"),
            ("weight", f"{weight:.1f} kg"),
            ("daily insulin", f"{daily:.1f} U, {daily / weight:.2f} U/kg"),
            ("basal rate of equilibrium", f"{therapy[BASAL_U_PER_H]:.2f} U/h"),
            ("carb ratio", f"{therapy[CARB_RATIO_G_PER_U]:.1f} g/U"),
            ("correction factor", f"{therapy[CORRECTION_FACTOR_MG_DL_PER_U]:.1f} mg/dL per U"),
        ]
        made.append(Person(name, whom.group(k), facts))
    return made


def _judged(found: Mapping[str, Person], episodes: Table, study: StudyTables) -> None:
    """Add the lines of a study to its people: means over days and training seeds by `aggregates.person_means`."""
    learned = Findings(study).learned
    keys = dict.fromkeys(
        zip(*(episodes[name].tolist() for name in ("protocol", "shield", "agent")), strict=True)
    )
    for protocol, shield, agent in keys:
        mine = select(episodes, protocol=protocol, shield=shield, agent=agent)
        who = scores(mine, "tir_pct").persons
        means = {name: person_means(scores(mine, name).scores) for name in SHARES}
        order = np.argsort(-means["tir_pct"], kind="stable")
        place = {who[row]: rank for rank, row in enumerate(order.tolist(), 1)}
        for k, name in enumerate(who):
            own = mine["person"] == name
            line = Line(
                agent, agent in learned, Failed(float(mine["failed"][own].sum()), int(own.sum())),
                {one: f"{means[one][k]:.{decimals(one)}f}" for one in SHARES}, place[name], len(who),
            )  # fmt: skip
            found[name].tables.setdefault((protocol, shield), []).append(line)
    for person in found.values():
        for lines in person.tables.values():
            lines.sort(key=lambda one: -float(one.shares["tir_pct"]))


def _worst(found: Mapping[str, Person], episodes: Table, study: StudyTables) -> None:
    """Add the worst episode of each person behind the rule shield, of learned policies and of the study's baseline: a
    failure before all else and the earlier one first, then most time below 54 mg/dL, then below 70."""
    baseline = str(study.about["primary"]["baseline"])
    named = episodes["agent"] == baseline
    trained_rows = (episodes["train_seed"] >= 0) & ~named
    kept = (named | trained_rows) & (episodes["shield"] == "rule")
    table = {name: column[kept] for name, column in episodes.items()}
    early = np.where(table["failed"] > 0, table["failure_minute"], np.inf)
    order = np.lexsort((-table["below_70_pct"], -table["below_54_pct"], early, -table["failed"]))
    commands = _commands(study)
    seen = set[tuple[str, str, bool]]()
    for k in order.tolist():
        protocol, person = str(table["protocol"][k]), str(table["person"][k])
        trained = table["train_seed"][k] >= 0
        if (key := (protocol, person, trained)) in seen:
            continue
        seen.add(key)
        failed = bool(table["failed"][k])
        where = tuple(table[name][k] for name in _OF_A_CELL)
        found[person].worst.append(
            {
                "protocol": protocol, "agent": str(table["agent"][k]), "learned": trained,
                "training": _training(table["fold"][k], table["train_seed"][k]),
                "episode": f"{table['replica'][k]:.0f}", "days": f"{table['days'][k]:g}", "failed": failed,
                "what": _what(failed, str(table["failure_side"][k]), float(table["failure_minute"][k])),
                "shares": {name: f"{table[name][k]:.{decimals(name)}f}" for name in SHARES},
                "command": commands.get(where, ""),
            }
        )  # fmt: skip
    for one in found.values():
        one.worst.sort(key=lambda row: not row["failed"])


def _what(failed: bool, side: str, minute: float) -> str:
    """How an episode ended. A failure at minute 0 came before the scored days, in the warm-up."""
    if not failed:
        return "no failure"
    return (
        f"failed {side} after {minute / _MIN_PER_H:.0f} h"
        if minute
        else f"failed {side} before the scored days"
    )


def _training(fold: float, seed: float) -> str:
    """Which training of an agent: its fold and seed, as far as it has any."""
    return ", ".join(f"{name} {value:.0f}" for name, value in (("fold", fold), ("seed", seed)) if value >= 0)


def _commands(study: StudyTables) -> dict[tuple[Any, ...], str]:
    """The command of an evaluation by protocol, shield, agent, fold and training seed."""
    keys = zip(*(study.cells[name].tolist() for name in _OF_A_CELL), strict=True)
    return dict(zip(keys, study.cells["command"].tolist(), strict=True))


def _published(found: Mapping[str, Person], table: Table) -> None:
    columns: Sequence[str] = ("protocol", "gut", "shield", "agent", "person", "episodes", "failed")
    shares = [name for name in SHARES if name in table]
    for row in zip(*(table[name].tolist() for name in (*columns, *shares)), strict=True):
        said = dict(zip((*columns, *shares), row, strict=True))
        failed = Failed(said["failed"], int(said["episodes"]))
        found[said["person"]].published.append(
            {
                **said,
                "failed": failed,
                **{name: f"{said[name]:.{max(decimals(name), 1)}f}" for name in shares},
            }
        )
