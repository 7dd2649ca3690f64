"""What simulated days cost: person-days of each kind of work in a second of one core, and what more cores would give.

Measured on this machine: each kind of work alone, and the same cells by one process and by as many as there are cores.
What is said of more cores is reckoned from these, not measured: cells share nothing, so that so many cores do so many
times as much as long as there are as many cells; what a cluster's network and file system take is not in it.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.frozen import NOTICE
from agents.load import load
from experiments import fleet
from experiments.crew import cores
from experiments.evidence.count import POLICY, TWIN
from experiments.fleet import Cell
from experiments.people import judged
from experiments.protocol import load_protocol
from experiments.records.provenance import machine
from experiments.simulate import simulate
from twins.files import atomic_write_text

MORE = (1, 100, 10_000)


@dataclass(frozen=True)
class Work:
    """A kind of work: an agent behind a shield, so many of the 30 people for so many days."""

    words: str
    agent: str
    shield: str
    people: int
    days: float

    def __call__(self, share: float = 1.0) -> float:
        """Do it once; the person-days that it was. share: of the days."""
        protocol = load_protocol("realistic").model_copy(
            update={"drawn_per_group": 0, "warmup_days": 0.0, "days": max(self.days * share, 0.05)}
        )
        cohort = judged(protocol).take(range(self.people))
        simulate(load(self.agent), protocol, self.shield, cohort)
        return self.people * protocol.days


WORKS = (
    Work("basal-bolus, no shield", "basal-bolus", "off", 30, 40.0),
    Work("basal-bolus, rule shield", "basal-bolus", "rule", 30, 40.0),
    Work("shipped policy, rule shield", POLICY, "rule", 30, 40.0),
    Work("shipped policy, twin shield", POLICY, TWIN, 12, 0.5),
    Work("planner, rule shield", "planner", "rule", 6, 1.0),
)
STUDIES: dict[str, tuple[str, float, int]] = {
    "8 rows of 3,000 bodies x 35 days behind the rule shield": ("shipped policy, rule shield", 8 * 3_000 * 35.0, 400),
    "3 rows of 300 bodies x 35 days behind the twin shield": ("shipped policy, twin shield", 3 * 300 * 35.0, 75),
    "protocol `fox2020`: 30 people x 100 x 10 days, 3 agents, 2 shields, 2 stomachs": (
        "shipped policy, rule shield", 12 * 30 * 100 * 10.0, 12,
    ),
    "protocol `realistic`: 60 people x 15 days, the planner": ("planner, rule shield", 60 * 15.0, 1),
}  # fmt: skip
"""What studies of this project take: the kind of work, person-days, and cells, which no core shares with another."""


def measure(share: float = 1.0, rounds: int = 3) -> dict[str, float]:
    """Person-days in a second of one core, the best of some rounds, by kind of work. share: of the days of each."""
    found = {}
    for work in WORKS:
        work(0.01)  # compiles
        found[work.words] = max(_rate(lambda work=work: work(share)) for _ in range(rounds))  # type: ignore[misc]
    return found


def _rate(work: Callable[[], float]) -> float:
    began = time.process_time()
    return work() / max(time.process_time() - began, 1e-9)


def do(folder: Path, out: Path, number: int, share: float) -> None:
    """The work of a cell, for `scaling`. number: tells cells apart."""
    atomic_write_text(out, f"{WORKS[1](share)}\n")


def scaling(share: float = 1.0, each: int = 4) -> tuple[int, float]:
    """Processes, and how many times as fast they do the same cells as one. each: cells a process."""
    many = cores()
    took = {}
    for processes in (1, many):
        with tempfile.TemporaryDirectory() as folder:
            cells = [Cell(f"cells/{k}", do, {"number": k, "share": share}) for k in range(each * many)]
            began = time.monotonic()
            flow = fleet.run(cells, folder, processes, lambda _: None)
            took[processes] = time.monotonic() - began
            if flow.failed:
                raise RuntimeError(f"a cell failed: {flow.failed}")
    return many, took[1] / took[many]


def words(rates: Mapping[str, float], processes: int, faster: float, command: str) -> str:
    """The page, as Markdown."""
    who = machine()
    lines = [
        "# What simulated days cost", "", f"Made by `{command}` on {_named(who)}. {NOTICE}", "",
        "Measured: people of `realistic`, 3-minute control, in seconds of one core's own time.", "",
        "| work | person-days a core-second |", "|---|---:|",
        *(f"| {name} | {rate:,.3g} |" for name, rate in rates.items()), "",
        f"Measured: the same cells by {processes} processes and by one, start included: {faster:.2f} times as fast.",
        "",
        "Reckoned, not measured: cells share nothing, so that so many cores do so many times as much until there are "
        "as many cores as cells. A cluster's network and file system are not in it, nor that cells of few people are "
        "slower.",
        "",
        f"| study | cells | {' | '.join(f'{many:,} core' + 's' * (many > 1) for many in MORE)} |",
        "|---|---:|" + "---:|" * len(MORE),
    ]  # fmt: skip
    for study, (work, person_days, cells) in STUDIES.items():
        spans = [_span(person_days / rates[work] / min(many, cells)) for many in MORE]
        lines.append(f"| {study} | {cells} | {' | '.join(spans)} |")
    return "\n".join(lines) + "\n"


def _named(who: Mapping[str, Any]) -> str:
    return ", ".join(str(value) for value in who.values())


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"
