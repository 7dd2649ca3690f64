"""The committed results made again by their commands, and set beside what is committed.

Evaluations alone: of committed policies, plans, gains and rules. What trains belongs to studies, whose finished cells
are committed. Each command is a cell of a fleet: done once, going on where it was stopped, anew when a source changed.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from experiments import fleet
from experiments.crew import Workers
from experiments.evidence.count import HOSTILE, POLICY
from experiments.fleet import Cell
from experiments.records.provenance import ROOT
from experiments.results.against_committed import RESULTS
from twins.kernels import hash_of
from twins.world import readers

LOG = "reference.log"
_DATA = "../shared/data"
_MADE_BY = re.compile(rb"[Mm]ade by `[^`]*`")


@dataclass(frozen=True)
class Step:
    """A command of `scripts` with its words, where --out goes beside them, and which files it makes of which of ours.

    data: a data set of recordings that it needs. made: committed file below results, by the file below --out.
    """

    name: str
    words: tuple[str, ...]
    made: Mapping[str, str] = field(default_factory=dict)
    data: str = ""

    @property
    def typed(self) -> str:
        """The command as it is typed, without --out."""
        return f"python -m scripts.{' '.join(self.words)}"


def _same(folder: str, *names: str) -> dict[str, str]:
    return {name: f"{folder}/{name}" for name in names}


STEPS: tuple[Step, ...] = (
    Step("studies", ("verify_results", "--share", "0.05", "--seed", "0")),
    Step("shield", ("shield",), {"results/table.md": "shield/table.md"}),
    Step(
        "frontier",
        ("shield", "--frontier"),
        {"results/frontier.md": "shield/frontier.md", "results/frontier.svg": "shield/frontier.svg"},
    ),
    Step(
        "convergence",
        ("convergence",),
        {"results/convergence.md": "shield/convergence.md", "results/convergence.svg": "shield/convergence.svg"},
    ),
    Step(
        "battery",
        ("battery", "--agent", "basal-bolus", "pid", "planner", POLICY, *HOSTILE, "--guarded", "hostile-max"),
        _same("battery", "table.md", "bars.csv", "battery.csv", "map.svg"),
    ),
    Step("published", ("published",), _same("published", "people.csv", "table.md", "published.svg")),
    Step(
        "worth",
        ("offline", "--worth", "agents/policies/td3-bc-emerson2023/seed0"),
        _same("published", "worth.md"),
    ),
    Step(
        "physiology",
        ("physiology",),
        _same("physiology", "exercise.md", "exercise.svg", "sleep.md", "sleep.svg"),
    ),
    Step("bouts", ("bouts", f"{_DATA}/t1d_uom"), _same("physiology", "bouts.md"), "t1d_uom"),
    Step("sleep", ("sleep",), _same("sleep", "table.md", "raster.svg", "sleepiness.svg")),
    Step(
        "season",
        ("season", "--model", "banister", "busso"),
        _same("season", "table.md", "calendar.svg", "fitness.svg", "load.svg"),
    ),
    Step(
        "whole",
        ("whole",),
        _same("whole", "table.md", "couplings.svg", "map.svg", "strength.svg", "week.svg"),
    ),
    Step(
        "days",
        ("explain", "--agent", "agents/policies/ppo-history", "--protocol", "realistic", "--examples"),
        _same(
            "days",
            "ppo-history-fold1-seed0-adult-004-day2.html",
            "ppo-history-fold1-seed0-adolescent-004-day2.html",
            "ppo-history-fold0-seed0-child-001-day2.html",
            "index.json",
            "bands.md",
            "deletion.md",
        ),
    ),
    Step("wearable", ("wearable",), _same("wearable", "table.md", "beside.svg", "phase.svg"), "t1d_uom"),
)


def cells(names: Sequence[str] | None = None) -> list[Cell]:
    """A cell for each step (of these names), but for those whose recordings are not here. Raises ValueError for a name
    that is none."""
    known = {step.name: step for step in STEPS}
    for name in names or ():
        if name not in known:
            raise ValueError(f"no step is called {name!r}; known are {', '.join(known)}")
    return [
        Cell(f"steps/{step.name}", do, {"words": list(step.words)}, goes_on=True, stamp=_sources())
        for step in known.values()
        if (names is None or step.name in names) and is_here(step)
    ]


def is_here(step: Step) -> bool:
    """Whether the recordings that a step needs are."""
    folder = readers.recordings_folder()
    return not step.data or (folder is not None and (folder / step.data).is_dir())


@cache
def _sources() -> str:
    """SHA-256 (hex) of all that a result may hang on."""
    packages = ("twins", "envs", "agents", "experiments", "scripts")
    found = (path for package in packages for path in (ROOT / package).rglob("*") if path.is_file())
    return hash_of(path for path in found if "__pycache__" not in path.parts)


def do(folder: Path, out: Path, words: Sequence[str]) -> None:
    """Run a command of `scripts`, with --out where it takes one. Raises RuntimeError with the last lines it said."""
    out.mkdir(parents=True, exist_ok=True)
    where = [] if words[0] == "verify_results" else ["--out", str(out)]
    data = str(readers.recordings_folder() or _DATA)
    typed = [word.replace(_DATA, data) for word in words[1:]]
    with open(out / LOG, "a", encoding="utf-8") as log:
        ended = subprocess.run(
            [sys.executable, "-m", f"scripts.{words[0]}", *typed, *where], cwd=ROOT, stdout=log, stderr=log
        )
    if ended.returncode:
        said = (out / LOG).read_text("utf-8").splitlines()[-3:]
        raise RuntimeError(f"exit code {ended.returncode}: {' / '.join(said)}")


def rebuild(
    folder: Path,
    names: Sequence[str] | None = None,
    workers: Workers = None,
    say: Callable[[str], None] | None = None,
) -> tuple[str, bool]:
    """Do what is left of the steps; the page, and whether all was done and came out the same."""
    todo = cells(names)
    flow = fleet.run(todo, folder, workers, say)
    lines, good = [], not flow.failed
    minutes: list[float] = []
    for step in STEPS:
        if names is not None and step.name not in names:
            continue
        at = f"steps/{step.name}"
        state = "recordings are not here" if not is_here(step) else flow.failed.get(at, "done")
        found = {kept: compare(folder / at / made, RESULTS / kept) for made, kept in step.made.items()}
        if state == "done":
            differ = [f"`{kept}` {what}" for kept, what in found.items() if what != "same"]
            state = "the same" if not differ else "; ".join(differ)
            good = good and not differ
        minutes.append(fleet.seconds_of(folder, at) / 60)
        lines.append(f"| {step.name} | `{step.typed}` | {len(step.made)} | {_told(minutes[-1])} | {state} |")
    page = [
        "# The committed results, made again", "", f"{NOTICE} Sources {_sources()[:12]}.", "",
        "Files are compared byte by byte, but for the command that a table says it was made by.", "",
        "| step | command | files | minutes | beside the committed ones |", "|---|---|---:|---:|---|", *lines, "",
        f"{_told(float(np.nansum(minutes)))} min of steps in all; as many ran beside each other as there were workers, "
        "each with what processes its command takes.",
    ]  # fmt: skip
    return "\n".join(page) + "\n", good


def _told(minutes: float) -> str:
    return f"{minutes:.1f}" if np.isfinite(minutes) else ""


def compare(made: Path, kept: Path) -> str:
    """How a file made again stands to the committed one: "same", "differs", "missing"."""
    if not made.is_file() or not kept.is_file():
        return "missing"
    new, old = (_MADE_BY.sub(b"", path.read_bytes()) for path in (made, kept))
    return "same" if new == old else "differs"
