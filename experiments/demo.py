"""The demonstration: train, judge, replay a real person's recorded days, and write a page. Under ten minutes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.load import Gains
from experiments.compare import Evaluation, format_text, results_table
from experiments.protocol import load_protocol
from experiments.records.config_files import save
from experiments.report import write_report
from experiments.runs import RUNS
from experiments.study import judge_all, study
from experiments.tune import load_gains
from twins import cohort
from twins.cohort import DAILY_INSULIN_U
from twins.world import readers
from twins.world.diary import Diary, DiaryError, complete_days, summary

DIARY_DAYS, DIARY_REPLICAS = 2, 15
REAL_PERSON = "t1d-uom/2308"
"""Data set and id of the recorded person: a pump without a loop, meals logged on 75 days."""


def demo(
    out: str | Path = RUNS / "demo",
    train_s: float = 150.0,
    seeds: Sequence[int] = (0, 1),
    people: Sequence[str] | None = None,
    replicas: int | None = None,
) -> Path:
    """Run the whole path into `out` and return the page. An earlier demonstration there is renamed, not lost.

    train_s: wall-clock seconds of training; every seed trains in a process of its own, side by side.
    people, replicas: instead of the protocol's. Raises ValueError for a wrong one before anything is begun.
    """
    out = Path(out)
    judged, runs = study(out, "simglucose-default", train_s, seeds, people, replicas)
    print("replaying recorded days")
    diary = replay(out, load_gains(out / "gains-rule.json"), runs)
    page = write_report(
        out / "report.html",
        [one.folder for one in judged],
        runs,
        [one.folder for one in diary],
        notes=[
            "This page is made by the command `make demo`; its tables and traces lie in the folder beside it."
        ],
    )
    print(format_text(results_table(judged)))
    print("\nrecorded days, see the page:")
    print(format_text(results_table(diary)))
    print(f"the page: {page}")
    return page


def replay(out: Path, gains: Gains, runs: Sequence[Path]) -> list[Evaluation]:
    """The recorded days of a real person (else of the shipped simulated diary) on the nearest virtual adult."""
    name, diary = _recorded()
    body = nearest_body(summary(diary).insulin_u_per_day, list(gains))
    protocol = load_protocol("simglucose-default").model_copy(
        update={
            "name": "recorded-days",
            "description": f"Recorded meals of {diary.who} on the virtual body {body}, announced as they were logged.",
            "people": (body,),
            "scenario": f"diary:{name}",
            "days": float(DIARY_DAYS),
            "replicas": min(DIARY_REPLICAS, len(complete_days(diary)) // DIARY_DAYS),
        }
    )
    path = out / f"{protocol.name}.yml"
    save(protocol, path)
    words = ["--protocol", str(path), "--gains", str(out / "gains-rule.json")]
    return judge_all(out / protocol.name, protocol, "rule", gains, runs, words)


def _recorded() -> tuple[str, Diary]:
    """The real person's diary where it is, else the simulated one; says which and why."""
    try:
        return REAL_PERSON, readers.named(REAL_PERSON)
    except DiaryError as error:
        print(f"{error}\nInstead the simulated diary that comes with the project is replayed.")
        return "simulated", readers.named("simulated")


def nearest_body(insulin_u_per_day: float, known: Sequence[str]) -> str:
    """The virtual adult (of those known) whose daily insulin is nearest to a person's."""
    ids = [person for person in known if person.startswith("adult#")] or list(known)
    people = cohort.load(ids)
    return people.ids[int(np.argmin(np.abs(people.therapy[:, DAILY_INSULIN_U] - insulin_u_per_day)))]
