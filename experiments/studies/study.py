"""A study from its settings to its tables: do the cells, choose what is compared, collect, commit."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agents import frozen
from agents.load import COHORT, POLICIES
from experiments import fleet
from experiments.committed import write_study
from experiments.crew import Workers
from experiments.fleet import Flow
from experiments.protocol import load_protocol
from experiments.records.gains import load_tuning
from experiments.records.simulator import simulator_hash
from experiments.records.tables import Table
from experiments.results.against_committed import RESULTS
from experiments.results.collect import collect, degradation
from experiments.results.evaluations import Row, read_evaluation
from experiments.results.study_tables import StudyTables
from experiments.studies import plan
from experiments.studies.settings import StudyConfig
from experiments.tune import score
from twins.files import atomic_write_bytes


def run(
    study: StudyConfig,
    folder: str | Path,
    workers: Workers = None,
    say: Callable[[str], None] | None = None,
) -> tuple[StudyTables, Flow]:
    """Do what is left of a study in its working folder; its tables, and what became of its cells.

    Raises ValueError when nothing was judged, FolderLocked when another process is at this study.
    """
    folder = Path(folder)
    flow = fleet.run(plan.cells(study), folder, workers, say)
    return tables(study, folder, flow), flow


def tables(study: StudyConfig, folder: Path, flow: Flow) -> StudyTables:
    """The tables of a study whose cells lie in `folder`."""
    names = [name for name in flow.done if name.startswith("cells/")]
    judged = [n for n in names if not n.startswith(("cells/validation/", "cells/sweep/"))]
    if not judged:
        raise ValueError(
            f"study {study.name}: no cell was judged; see the reasons above and in {folder}/failed"
        )
    trained = [name for name in flow.done if name.startswith("train/")]
    found = collect(
        [folder / name for name in judged],
        {folder / name: name.split("/")[1] for name in trained},
        title=study.title,
        name=study.name,
        command=f"python -m scripts.study {study.name}",
        primary=_primary(study, folder, flow),
        cells=_lost(flow),
        agents=_facts(study, folder, flow),
        sweep=_sweep(folder, names),
        root=folder,
        notes=_notes(study),
    )
    found.about["simulator"] = simulator_hash()  # a cell of another one would not count as done
    return _slim(found, {*study.sweep_agents, study.primary, found.about["primary"]["baseline"]})


def _slim(tables: StudyTables, shown: set[str]) -> StudyTables:
    """The same tables with curves and doses of the agents that figures show: the others' are half of all bytes."""

    def kept(table: Table | None) -> Table | None:
        if table is None:
            return None
        keep = np.isin(table["agent"], list(shown))
        return {name: column[keep] for name, column in table.items()}

    return replace(tables, curves=kept(tables.curves), doses=kept(tables.doses))


def _primary(study: StudyConfig, folder: Path, flow: Flow) -> dict[str, Any]:
    """The one comparison of the study: its primary learner and the closed loop that did best where nobody is judged."""
    population = "table" if load_protocol(study.protocol).drawn_per_group else "all"
    return {
        "agent": study.primary,
        "baseline": comparator(study, folder, flow),
        "protocol": study.protocol,
        "shield": "rule",
        "population": population,
    }


def comparator(study: StudyConfig, folder: Path, flow: Flow) -> str | None:
    """The best tuned treatment with the learner's own information, by the score it was tuned for.

    With folds: gains found on other bodies, compared on the people to choose on. Without: gains of each person,
    compared on the fresh training days of their last choice.
    """
    others = [name for name in study.tuned if name in COHORT]
    found: dict[str, float] = {}
    for agent in others or study.tuned:
        prefix = f"cells/validation/{agent}/" if others else f"tuned/{agent}"
        mine = [folder / name for name in flow.done if name.startswith(prefix)]
        if mine and others:
            found[agent] = float(np.mean([score(read_evaluation(path).episodes).mean() for path in mine]))
        elif mine:
            found[agent] = float(np.mean([load_tuning(path).score for path in mine]))
    return max(found, key=lambda agent: found[agent]) if found else None


def _facts(study: StudyConfig, folder: Path, flow: Flow) -> dict[str, dict[str, Any]]:
    """What the study knows of its agents beside what their evaluations say."""
    facts: dict[str, dict[str, Any]] = {name: {"words": one.words} for name, one in study.learners.items()}
    if study.fine_tuned:
        base = study.fine_tuned.learner
        seconds = study.fine_tuned.max_wall_s
        facts[f"{base}-fine-tuned"] = {
            "words": f"{base}, each copy trained on for {seconds:g} s on one person's own body and settings",
            "tier": "T2 (this body)",
        }
    for agent in study.tuned:
        mine = [load_tuning(folder / name) for name in flow.done if name.startswith(f"tuned/{agent}")]
        if mine:
            facts[agent] = {"person_days": float(np.mean([one.person_days for one in mine]))}
    return facts


def _lost(flow: Flow) -> Table | None:
    """Rows of cells.csv for the evaluations that failed or were refused."""
    rows = [
        {
            "cell": name, "agent": name.split("/")[-2], "shield": name.split("/")[2], "protocol": name.split("/")[1],
            "fold": -1, "train_seed": -1, "persons": 0, "status": status, "protocol_hash": "", "run": "",
            "command": "", "error": reason,
        }
        for status, reasons in (("failed", flow.failed), ("refused", flow.refused))
        for name, reason in reasons.items()
        if name.startswith("cells/") and not name.startswith(("cells/validation/", "cells/sweep/"))
    ]  # fmt: skip
    return {key: np.array([row[key] for row in rows]) for key in rows[0]} if rows else None


def _sweep(folder: Path, names: list[str]) -> Table | None:
    points: dict[tuple[str, float], list[str | Path]] = {}
    for name in names:
        if name.startswith("cells/sweep/"):
            knob, _, value = name.split("/")[2].partition("=")
            points.setdefault((knob, float(value)), []).append(folder / name)
    return degradation(points) if points else None


def _notes(study: StudyConfig) -> list[str]:
    return [
        f"Made by python -m scripts.study {study.name}; single evaluations by the commands in the table of runs.",
        *study.notes,
    ]


def commit(
    study: StudyConfig, found: StudyTables, folder: str | Path, out: str | Path, policies: Path = POLICIES
) -> list[Row]:
    """Write a study's tables, page, gains and trained policies where they are kept; the rows of its main table.

    out: the folder of its results. policies: the folder of shipped policies, one folder in it for each learner.
    """
    folder, out = Path(folder), Path(out)
    rows = write_study(out, found)
    if out.resolve() != folder.resolve():  # they lie there already
        for path in sorted((folder / "tuned").glob("*.json")):
            atomic_write_bytes(_new(out / "tuned" / path.name), path.read_bytes())
    for learner in study.learners:
        for run in sorted((folder / "train" / learner).glob("*")):
            if not (run / "policy" / frozen.MANIFEST).is_file():
                continue
            for name in (frozen.MANIFEST, frozen.WEIGHTS):
                kept = policies / learner / run.name / name
                atomic_write_bytes(_new(kept), (run / "policy" / name).read_bytes())
    return rows


def _new(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def shipped(study: StudyConfig, results: Path, folder: Path, policies: Path = POLICIES) -> None:
    """Lay out a working folder in which all that was trained and tuned is what is shipped: judging can begin."""
    for path in sorted((results / "tuned").glob("*.json")):
        atomic_write_bytes(_new(folder / "tuned" / path.name), path.read_bytes())
    for learner in study.learners:
        for policy in sorted((policies / learner).glob("*/")):
            shutil.copytree(policy, folder / "train" / learner / policy.name)


def places(study: StudyConfig, folder: Path, keep: bool) -> tuple[Path, Path]:
    """Where `commit` puts results and policies: in the tree when they are to be kept, else beside the work."""
    return (RESULTS / study.name, POLICIES) if keep else (folder / "results", folder / "policies")
