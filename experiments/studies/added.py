"""Treatments set beside a committed study that did not have them yet: judged alone, on the same people and days."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from agents.load import TREATMENTS
from experiments import fleet
from experiments.crew import Workers
from experiments.evaluate import protocol_hash
from experiments.fleet import Cell, Flow
from experiments.records.tables import Table, concat
from experiments.results.collect import collect, flow_of, subgroup_tables
from experiments.results.study_tables import StudyTables
from experiments.simulate import setting_of
from experiments.studies import plan
from experiments.studies.settings import StudyConfig, changed


def lacking(study: StudyConfig, held: StudyTables) -> list[str]:
    """Treatments of the study that its committed tables have no row of."""
    known = set(held.agents["agent"].tolist())
    return [name for name in study.treatments if name in TREATMENTS and name not in known]


def cells(study: StudyConfig, names: list[str]) -> list[Cell]:
    """The judgements of these agents, on every protocol and under every shield of the study."""
    return [
        cell
        for cell in plan.cells(study)
        if cell.name.startswith("cells/") and cell.name.split("/")[3] in names
    ]


def add(
    study: StudyConfig,
    folder: Path,
    held: StudyTables,
    workers: Workers = None,
    say: Callable[[str], None] | None = None,
) -> tuple[StudyTables, Flow]:
    """Judge what the committed tables lack, in a working folder; the tables with it, and what became of the cells.

    Raises ValueError where nothing is lacking, a cell was lost, or the simulator is not the one of the tables.
    """
    names = lacking(study, held)
    if not names:
        raise ValueError(
            f"study {study.name}: its tables have every treatment that needs nothing made first; whatever is "
            "trained, tuned or planned joins by doing the study anew"
        )
    todo = cells(study, names)
    _check(held, {one: _hash_now(study, one) for one in (study.protocol, *study.beside)})
    flow = fleet.run(todo, folder, workers, say)
    if lost := {**flow.failed, **flow.refused}:
        raise ValueError(
            f"study {study.name}: not added, since {'; '.join(f'{k}: {v}' for k, v in lost.items())}"
        )
    return joined(held, collect([folder / cell.name for cell in todo], root=folder), names), flow


def joined(held: StudyTables, new: StudyTables, names: list[str]) -> StudyTables:
    """Tables with the rows of both. Raises ValueError where they were not made by the same simulator and settings."""
    _check(held, {name: said["hash"] for name, said in new.about["protocols"].items()})
    episodes, judged = _both(held.episodes, new.episodes), _both(held.cells, new.cells)
    groups, checks = subgroup_tables(episodes, held.about["primary"])
    about = held.about | {
        "flow": flow_of(judged),
        "created_utc": new.about["created_utc"],
        "notes": [
            *held.about.get("notes", []),
            f"Judged later than the others, by the same simulator: {', '.join(names)}.",
        ],
    }
    return replace(
        held, about=about, episodes=episodes, cells=judged, agents=_both(held.agents, new.agents), subgroups=groups,
        subgroup_checks=checks,
    )  # fmt: skip


def _hash_now(study: StudyConfig, name: str) -> str:
    protocol = changed(name, study.changes.get(name))
    return protocol_hash(protocol, setting_of(protocol, "off").scenario)


def _check(held: StudyTables, hashes: Mapping[str, str]) -> None:
    for name, now in hashes.items():
        kept = held.about["protocols"].get(name)
        if kept is None or kept["hash"] != now:
            raise ValueError(
                f"protocol {name} has hash {now[:12]} now, {str(kept and kept['hash'])[:12]} in the committed tables: "
                "settings or simulator differ. Where no result changed, python -m scripts.verify_results --adopt lists "
                "the sources of today under the earlier name; else do the study anew"
            )


def _both(one: Table, other: Table) -> Table:
    """The rows of both, in the columns of the first. Raises ValueError where the other lacks one."""
    if missing := [name for name in one if name not in other]:
        raise ValueError(f"the evaluations of today lack the columns {', '.join(missing)}; do the study anew")
    return concat([one, {name: other[name] for name in one}])
