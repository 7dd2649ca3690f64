"""Rows of studies with tidy tables, by the same functions that their own tables and pages are made with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from experiments.joint import information
from experiments.joint.row import SHARES, TIME_IN_RANGE, Failed, Information, JointRow, Measure, Origin, Value
from experiments.page.findings import Findings
from experiments.page.standings import of_population, standings
from experiments.records.tables import Table
from experiments.results.evaluations import Row, decimals
from experiments.results.study_tables import StudyTables
from experiments.results.words import POPULATIONS

TASK = "dosing"


def rows(folder: Path, study: StudyTables) -> Iterator[JointRow]:
    """Every agent of a study under every protocol and shield, people of the table and drawn ones apart."""
    agents, learned = study.agents, Findings(study).learned
    known = {name: information.of_study(agents, name) for name in agents["agent"].tolist()}
    said = study.about["protocols"]
    source = next(path.name for path in sorted(folder.glob("episodes.csv*")))
    for population, episodes in populations(study.episodes):
        for row in standings(episodes, learned, tuple(SHARES)):
            origin = Origin(
                f"{folder.name}/{source}",
                str(study.about["command"]),
                str(said[row["protocol"]]["hash"]),
                str(study.about.get("simulator", "")),
            )
            yield joint_row(row, population, known[row["agent"]], origin)


def populations(episodes: Table) -> Iterator[tuple[str, Table]]:
    """The episodes of people of the table and of drawn people, as far as there are any, by the name of each."""
    for name in ("table", "drawn"):
        mine = of_population(episodes, name)
        if len(mine["agent"]):
            yield name, mine


def joint_row(
    row: Row, population: str, known: Information, origin: Origin, visitor: str = "", note: str = ""
) -> JointRow:
    """A row of `standings` in the joint table. visitor, note: as of `JointRow`."""
    shares = {name: _value(row, name) for name in SHARES}
    return JointRow(
        TASK,
        row["protocol"],
        POPULATIONS[population],
        row["agent"],
        row["shield"],
        row["persons"],
        Failed(row["failures"], row["episodes"]),
        Measure(TIME_IN_RANGE, "% of time", shares["tir_pct"], "more"),
        known,
        origin,
        shares,
        visitor,
        note or ("best baseline of its shield setting" if row["best_baseline"] and not visitor else ""),
    )


def _value(row: Mapping[str, float], name: str) -> Value:
    return Value(row[name], row[f"{name}_low"], row[f"{name}_high"], decimals(name))


def read_all(results: Path) -> list[Path]:
    """Folders of the committed studies that have tidy tables, by name."""
    return sorted(path.parent for path in results.glob("*/study.json"))


def split_by_people(found: Sequence[JointRow], among: Sequence[JointRow] | None = None) -> list[JointRow]:
    """Rows whose agents were judged on fewer people than others of their protocol and population stand in a part of
    their own: their numbers are not to be compared with the others'.

    among: rows that say how many there are (default: these).
    """
    most: dict[tuple[str, str], int] = {}
    for one in found if among is None else among:
        key = one.protocol, one.part
        most[key] = max(most.get(key, 0), one.persons or 0)
    return [
        replace(one, part=f"{one.part}, {one.persons} of {there}")
        if one.persons and one.persons < (there := most.get((one.protocol, one.part), 0))
        else one
        for one in found
    ]
