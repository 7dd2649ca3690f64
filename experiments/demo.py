"""The demonstration: train, judge, replay a real person's recorded days, and write a page. Under ten minutes."""

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from agents.load import Gains
from experiments.compare import Evaluation, format_text, results_table
from experiments.config import load_protocol
from experiments.config_files import save
from experiments.report import write_report
from experiments.runs import RUNS
from experiments.study import judge_all, train_side_by_side
from experiments.tune import save_gains, tune_gains
from twins import cohort
from twins.cohort import DAILY_INSULIN_U
from twins.world import readers
from twins.world.diary import complete_days, summary

DIARY_DAYS, DIARY_REPLICAS = 2, 15
REAL_PERSON = "t1d-uom/2308"
"""Data set and id of the recorded person: a pump without a loop, meals logged on 75 days."""


def demo(
    out: str | Path = RUNS / "demo",
    train_s: float = 150.0,
    seeds: Sequence[int] = (0, 1),
    people: Sequence[str] = ("all",),
    replicas: int | None = None,
) -> Path:
    """Run the whole path into `out` and return the page. An earlier demonstration there is renamed, not lost.

    train_s: wall-clock seconds of training; every seed trains in a process of its own, side by side.
    replicas: episodes per person instead of the protocol's.
    """
    out = Path(out)
    _keep_earlier(out)
    began = time.monotonic()
    said = _Progress(began)
    said(f"training {len(seeds)} policies side by side for {train_s:.0f} s")
    runs = train_side_by_side(out, train_s, seeds, people)
    protocol = load_protocol("simglucose-default")
    changes: dict[str, object] = {"people": tuple(people)} | ({"replicas": replicas} if replicas else {})
    judged: list[Evaluation] = []
    gains: dict[str, Gains] = {}
    for shield in ("rule", "off"):
        said(f"tuning basal-bolus for each person, shield {shield}")
        asked = protocol.model_copy(update=changes)
        gains[shield] = tune_gains(asked, shield)
        save_gains(gains[shield], out / f"gains-{shield}.json")
        said(f"judging on unseen days, shield {shield}")
        judged += judge_all(out / "evaluations", asked, shield, gains[shield], runs, asked != protocol)
    said("replaying recorded days")
    diary = replay(out, gains["rule"], runs)
    said("writing the page")
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
    said(f"done: {page}")
    return page


class _Progress:
    """Prints what happens, with the seconds since the beginning."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self, what: str) -> None:
        print(f"[{time.monotonic() - self._began:4.0f} s] {what}", flush=True)


def _keep_earlier(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        stamp = datetime.fromtimestamp(out.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = out.with_name(f"{out.name}-{stamp}")
        shutil.move(out, kept)
        print(f"the earlier demonstration is kept in {kept}")


def replay(out: Path, gains: Gains, runs: Sequence[Path]) -> list[Evaluation]:
    """The recorded days of a real person (else of the shipped simulated diary) on the nearest virtual adult."""
    name = REAL_PERSON if readers.recordings_folder() is not None else "simulated"
    if name == "simulated":
        print(
            "no recordings of real people (HOMEOSTAT_DATA): the simulated diary that comes with the project is replayed"
        )
    diary = readers.named(name)
    body = nearest_body(summary(diary).insulin_u_per_day, list(gains))
    whole = len(complete_days(diary)) // DIARY_DAYS
    protocol = load_protocol("simglucose-default").model_copy(
        update={
            "name": "recorded-days",
            "description": f"Recorded meals of {diary.who} on the virtual body {body}, announced as they were logged.",
            "people": (body,),
            "scenario": f"diary:{name}",
            "days": float(DIARY_DAYS),
            "replicas": min(DIARY_REPLICAS, whole),
        }
    )
    save(protocol, out / "recorded-days.yml")
    return judge_all(out / "recorded-days", protocol, "rule", gains, runs)


def nearest_body(insulin_u_per_day: float, known: Sequence[str]) -> str:
    """The virtual adult (of those known) whose daily insulin is nearest to a person's."""
    ids = [person for person in known if person.startswith("adult#")] or list(known)
    people = cohort.load(ids)
    return people.ids[int(np.argmin(np.abs(people.therapy[:, DAILY_INSULIN_U] - insulin_u_per_day)))]
