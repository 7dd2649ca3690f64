"""The demonstration: a small study, trained and judged in minutes, and a real person's recorded days beside it."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.records.config_files import build
from experiments.results.evaluations import format_text
from experiments.runs import RUNS
from experiments.studies import study
from experiments.studies.settings import StudyConfig
from twins.world import readers
from twins.world.diary import DiaryError, complete_days

TUNE_PERSON_DAYS = 300
"""Budget of a tuning for each person: a tenth of that of the committed tables, for the sake of time."""
DIARY = "diary"
"""The protocol of a recorded person's days."""


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
    asked = settings(train_s, seeds, people, replicas)
    keep_earlier(out)
    tables, _ = study.run(asked, out)
    print(format_text(study.commit(asked, tables, out, out, out / "policies")))
    page = out / "report.html"
    print(f"the page: {page}")
    return page


def settings(
    train_s: float, seeds: Sequence[int], people: Sequence[str] | None, replicas: int | None
) -> StudyConfig:
    """The demonstration as a study."""
    given: dict[str, Any] = {"people": people, "replicas": replicas}
    changes = {name: value for name, value in given.items() if value is not None}
    learner = {
        "words": "PPO trained for minutes on the bodies that are judged, on other days",
        "seeds": list(seeds),
        "settings": {"algo": "ppo", "max_wall_s": train_s},
    }
    return build(
        StudyConfig,
        {
            "name": "demo",
            "title": "A demonstration: learned insulin dosing on virtual people",
            "protocol": "simglucose-default",
            "beside": [DIARY],
            "primary": "ppo",
            "learners": {"ppo": learner},
            "treatments": ["basal-bolus", "basal-bolus-rule", "low-glucose-suspend", "constant-basal"],
            "tuned": ["basal-bolus-tuned", "low-glucose-suspend-tuned", "pid-tuned"],
            "tune_person_days_each": TUNE_PERSON_DAYS,
            "changes": {"simglucose-default": changes, DIARY: _recorded()},
        },
        "demo",
    )


def _recorded() -> dict[str, Any]:
    """Changes of the protocol of recorded days: none where the recordings are, else the simulated diary."""
    try:
        readers.named("t1d-uom/2308")
    except DiaryError as error:
        print(f"{error}\nInstead the simulated diary that comes with the project is replayed.")
        days = len(complete_days(readers.named("simulated")))
        return {"scenario": "diary:simulated", "replicas": max(days // 2, 1)}
    return {}


def keep_earlier(folder: Path) -> None:
    """Rename a folder that holds something, so that nothing saved is lost."""
    if folder.exists() and any(folder.iterdir()):
        stamp = datetime.fromtimestamp(folder.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = folder.with_name(f"{folder.name}-{stamp}")
        shutil.move(folder, kept)
        print(f"earlier results are kept in {kept}")
