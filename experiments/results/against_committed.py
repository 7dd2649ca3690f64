"""An evaluation beside the committed table of its protocol: its rank, and paired differences to the best there.

Only like is compared with like: the same protocol hash (settings, days, seed and the simulator's kernels), the
same shield setting, the same people. Where it is not, the answer says why and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.aggregates import mean
from experiments.protocol import load_protocol, protocols
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, select
from experiments.results import study_tables
from experiments.results.evaluations import Evaluation
from experiments.results.study_tables import Reader, StudyTables
from experiments.results.words import is_reference
from experiments.statistics import SEED, Interval
from experiments.win_rule import Judged, Verdict, judged, win

Array = NDArray[np.float64]

RESULTS = ROOT / "results"
"""Where the tables of studies are committed, a folder each."""
OUTCOMES = {
    "unsafe": "it failed more often, which nothing makes good",
    "worse": "less time in range",
    "unclear": "time in range does not differ clearly",
    "mixed": "more time in range, but more time below 70 mg/dL is not excluded",
    "better": "more time in range, by a point or less",
    "win": "more time in range, and no more time below 70 mg/dL",
}
"""What the win rule's outcomes mean."""


@dataclass(frozen=True)
class Standing:
    """An agent among the others, over the same people: mean time in range, failed episodes and all episodes."""

    agent: str
    learned: bool
    tir_pct: float
    failures: int
    episodes: int
    judged: Judged


def committed(
    protocol: str, results: str | Path = RESULTS, read: Reader = study_tables.read
) -> StudyTables | None:
    """The committed study that judged agents on a protocol as it stands, or None.

    Of several the one named like the protocol, else the first by name. Raises ValueError for tables that are broken.
    """
    folders = sorted(path.parent for path in Path(results).glob("*/study.json"))
    for folder in sorted(folders, key=lambda one: one.name != protocol):
        study = read(folder)
        if protocol in study.about["protocols"] and not study.about["protocols"][protocol]["modified"]:
            return study
    return None


def against_committed(
    done: Evaluation, results: str | Path = RESULTS, read: Reader = study_tables.read
) -> str:
    """Lines for a terminal: rank and differences of an evaluation, or in words why there are none."""
    name, shield = str(done.summary["protocol"]), str(done.summary["shield"])
    study = committed(name, results, read)
    if study is None:
        return f"Not compared: no study of protocol {name} is committed."
    if reason := _obstacle(done, study):
        return f"Not compared with the committed table of {name}: {reason}."
    rows = select(study.episodes, protocol=name, shield=shield)
    people = sorted(set(done.episodes["person"].tolist()) & set(rows["person"].tolist()))
    order, left_out = standings(rows, people)
    (ours,), _ = standings(done.episodes, people)
    rank = 1 + sum(one.tir_pct > ours.tir_pct for one in order)
    lines = [
        f"Against the committed table of {name}, shield {shield}, {len(people)} people and their days in common:",
        f"rank {rank} of {len(order) + 1} by time in range (time after a failure is out of range)",
    ]
    lines += [_line(one) for one in order[: rank - 1]]
    lines += [_line(ours, "> "), *(_line(one) for one in order[rank - 1 :])]
    for learned in (False, True):
        mine = (one for one in order if one.learned is learned and not is_reference(one.agent))
        if (best := next(mine, None)) is not None:
            lines.append(_difference(ours, best))
    if left_out:
        lines.append(f"Not ranked, as not all of these people were judged with them: {', '.join(left_out)}.")
    return "\n".join([*lines, *_notes(done, people)])


def _obstacle(done: Evaluation, study: StudyTables) -> str:
    """Why an evaluation is not comparable, with what to do; empty when it is."""
    summary, name = done.summary, str(done.summary["protocol"])
    if changed := _changed(done):
        return f"it is modified ({', '.join(changed)} not as in the protocol); leave these settings out to compare"
    if summary.get("modified"):
        return "it is modified, not judged under the protocol as it stands"
    if study.about["protocols"][name]["hash"] != summary["protocol_hash"]:
        return (
            "the hash of its protocol is another one (settings, recorded days or the simulator have changed since); "
            "judge the agents to compare with yourself"
        )
    mine = select(study.episodes, protocol=name)
    if summary["shield"] not in mine["shield"]:
        return f"no agent of the table was judged under shield {summary['shield']}"
    if not set(done.episodes["person"].tolist()) & set(mine["person"].tolist()):
        return "it has other people; none of them is in the table"
    return ""


def _changed(done: Evaluation) -> list[str]:
    """Settings that differ from those of the protocol of this name that comes with the project."""
    used, name = done.summary.get("protocol_settings"), str(done.summary["protocol"])
    if not isinstance(used, dict) or name not in protocols():
        return []
    own = load_protocol(name).model_dump(mode="json")
    return [name for name in own if used.get(name) != own[name]]


def standings(rows: Table, people: Sequence[str]) -> tuple[list[Standing], list[str]]:
    """The agents of a table of episodes, over these people, the most time in range first; and who lacks some of them.

    rows: of one protocol and shield setting.
    """
    order, left_out = [], []
    for agent in sorted(set(rows["agent"].tolist())):
        mine = select(rows, agent=agent)
        if set(people) <= set(mine["person"].tolist()):
            order.append(_standing(mine, people))
        else:
            left_out.append(agent)
    return sorted(order, key=lambda one: -one.tir_pct), left_out


def _standing(rows: Table, people: Sequence[str]) -> Standing:
    keep = np.isin(rows["person"], people)
    mine = {name: column[keep] for name, column in rows.items()}
    learned = bool((mine["train_seed"] >= 0).all())
    # Of one training only that policy is spoken of.
    scores = judged(mine, trained=learned and len(np.unique(mine["train_seed"])) > 1)
    return Standing(
        str(rows["agent"][0]),
        learned,
        float(mean(scores.tir_pct)),
        int(scores.failures.sum()),
        int(scores.trials.sum()),
        scores,
    )


def _line(one: Standing, mark: str = "  ") -> str:
    return f"{mark}{one.agent:<28} {one.tir_pct:5.1f} %   failures {one.failures} of {one.episodes}"


def _difference(ours: Standing, best: Standing) -> str:
    verdict: Verdict = win(ours.judged, best.judged, seed=SEED)
    kind = "learned agent" if best.learned else "baseline"
    return (
        f"Minus the best {kind}, {best.agent}: time in range {_points(verdict.tir)}, below 70 mg/dL "
        f"{_points(verdict.below_70)}: {OUTCOMES[verdict.outcome]}."
    )


def _points(one: Interval) -> str:
    return f"{one.estimate:+.1f} points [{one.low:+.1f}, {one.high:+.1f}]"


def _notes(done: Evaluation, people: Sequence[str]) -> list[str]:
    """What a reader has to know beside the numbers."""
    notes = [
        "Intervals (95 %) are over people, and over the trainings of the other; they speak of this one agent."
    ]
    met = set((done.summary.get("trained_on") or {}).get("people") or ()) & set(people)
    if met:
        notes.append(f"It was trained on {len(met)} of these {len(people)} people, on other days.")
    return notes
