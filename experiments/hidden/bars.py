"""The causal twin against its bars, on hidden people whose bodies are known; a bar that is missed is called missed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from experiments.fleet import Cell
from experiments.hidden.bodies import DAILY
from experiments.hidden.judge import EFFECTS, FIT_DAYS, TEST_DAYS, TWINS, judge
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, read_table
from twins.inference.posterior import WIDENED
from twins.random import check_seed

FOLDERS = (
    "twins/inference",
    "twins/data",
    "experiments/hidden",
    "experiments/hidden/cores",
    "experiments/personal",
)
FILES = ("trainees.py", "train.py", "validation.py", "tune.py", "config.py", "protocols/personal.yml")
TOGETHER = 4
"""People of a cell: they live in one batch, and their twins are fitted one after the other."""


@dataclass(frozen=True)
class Bar:
    """A measure of the causal twin and where it is to lie, both ends included."""

    words: str
    low: float
    high: float

    def verdict(self, value: float) -> str:
        """Whether the bar is met."""
        return "met" if self.low <= value <= self.high else "MISSED"


BARS = {
    "what_if_mard_pct": Bar("what-if error, % of true glucose (MARD)", 0.0, 4.0),
    "slope": Bar("slope of foreseen on true change at 3 h", 0.75, 1.25),
    "fall_error_pct": Bar("error of the fall per unit, %, median", 0.0, 25.0),
    "fall_coverage_pct": Bar("true fall within the 90 % interval, % of people", 80.0, 97.0),
}
BESIDE = {
    "fall_ratio": "fall per unit, found over true, median",
    "fall_ratio_least": "smallest",
    "fall_ratio_most": "largest",
    "rise_error_pct": "error of the rise per 10 g, %, median",
    "rise_coverage_pct": "true rise within the 90 % interval, % of people",
    "rmse_mg_dl": "4-h error of forecasts, mg/dL (RMSE), median",
}
WORLDS = {
    "delivered": "the clinical rule is right on average for the insulin that is delivered",
    "planned": "the clinical rule is right on average for twice the planned basal, and too high for what is delivered",
}


def cells(people: int, seeds: Sequence[int], daily: str) -> list[Cell]:
    """The work for `people` of each seed. Raises ValueError for no people, seeds that are none or given twice."""
    if people < 1 or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"{people} people of seeds {list(seeds)}; give 1 or more, and each seed once")
    if daily not in DAILY:
        raise ValueError(f"unknown daily insulin {daily!r}; allowed are {', '.join(DAILY)}")
    stamp = sources()
    return [
        Cell(
            f"cells/{daily}{seed}-{first:03d}",
            judge,
            {
                "seed": check_seed(seed),
                "first": first,
                "count": min(TOGETHER, people + 1 - first),
                "daily": daily,
            },
            stamp=stamp,
        )
        for seed in seeds
        for first in range(1, people + 1, TOGETHER)
    ]


def sources() -> str:
    """SHA-256 of those who fit and those who judge: what is inferred is no part of the simulator's own hash."""
    digest = hashlib.sha256()
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*"))]
    for path in (*inside, *(ROOT / "experiments" / name for name in FILES)):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read(folder: Path, names: Sequence[str]) -> tuple[Table, Table]:
    """People and what-ifs of some cells."""
    people, what_ifs = (
        concat([read_table(folder / name / f"{kind}.csv") for name in names])
        for kind in ("people", "what_ifs")
    )
    return people, what_ifs


def measured(people: Table, what_ifs: Table) -> dict[str, dict[str, float]]:
    """Measures by twin, and of those who foresee without one: "no_change", and "rule" of what a unit does."""
    found: dict[str, dict[str, float]] = {
        "no_change": {"what_if_mard_pct": float(what_ifs["error_no_change"].mean()), "slope": 0.0},
        "rule": _ratios(people, "fall", "rule"),
    }
    true = what_ifs["change_true"]
    for twin in TWINS:
        found[twin] = {
            "what_if_mard_pct": float(what_ifs[f"error_{twin}"].mean()),
            "slope": float((true * what_ifs[f"change_{twin}"]).sum() / (true**2).sum()),
            "rmse_mg_dl": float(np.median(people[f"rmse_{twin}"])),
        }
        for name in EFFECTS:
            found[twin] |= _ratios(people, name, twin)
    for name in EFFECTS:
        if f"{name}_low_{WIDENED:g}" in people:
            found["causal"][f"{name}_coverage_pct"] = coverage(people, name, WIDENED)
    return found


def _ratios(people: Table, effect: str, by: str) -> dict[str, float]:
    ratio = people[f"{effect}_{by}"] / people[f"{effect}_true"]
    return {
        f"{effect}_error_pct": float(100 * np.median(np.abs(ratio - 1))),
        f"{effect}_ratio": float(np.median(ratio)),
        f"{effect}_ratio_least": float(ratio.min()),
        f"{effect}_ratio_most": float(ratio.max()),
    }


def coverage(people: Table, effect: str, width: float) -> float:
    """Percent of the people whose true effect lies within the 90 % interval of a posterior of this width."""
    true = people[f"{effect}_true"]
    inside = (people[f"{effect}_low_{width:g}"] <= true) & (true <= people[f"{effect}_high_{width:g}"])
    return float(100 * inside.mean())


def words(people: Table, what_ifs: Table, daily: str, command: Sequence[str]) -> str:
    """The tables as Markdown."""
    found = measured(people, what_ifs)
    columns = (*TWINS, "no_change", "rule")
    lines = [
        "# The causal twin against its bars, on hidden people", "", f"{NOTICE}", "",
        f"Made by `{' '.join(command)}`.", "",
        f"{len(people['who'])} virtual people with automated pumps, food that is not logged and bodies that drift; "
        f"{WORLDS[daily]}. Twins are fitted on {FIT_DAYS} days and asked on the {TEST_DAYS} days after them: "
        f"{len(what_ifs['who'])} times a meal bolus is 30 % smaller or larger, and all else as it was.", "",
        "| measure | bar | causal twin | | forecast twin | no change | rule alone |",
        "|---|---|---:|---|---:|---:|---:|",
    ]  # fmt: skip
    for name, says in {**{name: bar.words for name, bar in BARS.items()}, **BESIDE}.items():
        bar = BARS.get(name)
        limits, verdict = "", ""
        if bar is not None:
            limits = f"{bar.low:g} ... {bar.high:g}"
            verdict = bar.verdict(found["causal"][name]) if name in found["causal"] else "not judged"
        numbers = [f"{found[by][name]:.2f}" if name in found[by] else "" for by in columns]
        lines.append(f"| {says} | {limits} | {numbers[0]} | {verdict} | {' | '.join(numbers[1:])} |")
    lines += [
        "", "Share of people whose true effect lies within the 90 % interval, by the factor on the posterior's "
        f"standard deviations; {WIDENED:g} is in use:", "",
        "| factor | fall per unit, % | rise per 10 g, % | draws worth |",
        "|---:|---:|---:|---:|",
    ]  # fmt: skip
    for width in (float(name.removeprefix("draws_")) for name in people if name.startswith("draws_")):
        covered = " | ".join(f"{coverage(people, name, width):.0f}" for name in EFFECTS)
        lines.append(f"| {width:g} | {covered} | {np.median(people[f'draws_{width:g}']):.0f} |")
    return "\n".join(lines) + "\n"
