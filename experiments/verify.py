"""Do the committed results still come out? A random part of a study's evaluations, done again from what is shipped."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.load import POLICIES
from experiments import fleet
from experiments.crew import Workers
from experiments.records import simulator
from experiments.records.provenance import machine
from experiments.records.tables import Table, select
from experiments.results import study_tables
from experiments.results.against_committed import RESULTS
from experiments.results.evaluations import read_evaluation
from experiments.studies import plan, study
from experiments.studies.settings import StudyConfig, load_study, studies

SHARE = 0.05
TOLERANCE = 1e-6
"""Relative difference allowed on another CPU model; the tables' six significant digits come on top."""
_ROUNDING = 1e-5
_KEYS = ("agent", "shield", "protocol", "train_seed", "fold")


@dataclass(frozen=True)
class Verified:
    """What came of it: cells done again by name, and for those that differ what differs.

    exact: whether equal digits were asked for, because the CPU model is that of the committed study.
    """

    cells: tuple[str, ...]
    differing: dict[str, str]
    exact: bool


def verify(
    name: str,
    seed: int,
    share: float = SHARE,
    results: Path = RESULTS,
    policies: Path = POLICIES,
    workers: Workers = None,
    say: Callable[[str], None] | None = None,
    each: bool = False,
) -> Verified:
    """Do a random `share` of the evaluations of a committed study again and compare every episode.

    seed: of the choice. each: and at least one of every protocol under every shield. Raises FileNotFoundError when the
    study or what it needs is not committed, ValueError for a share outside 0 ... 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; give more than 0 and up to 1, such as {SHARE}")
    asked, held = load_study(name), study_tables.read(results / name)
    known = {cell.name: cell for cell in plan.cells(asked)}
    done = [str(cell) for cell in held.cells["cell"][held.cells["status"] == "done"] if cell in known]
    # What was fine-tuned to one person is not shipped, so it cannot be judged again.
    done = [cell for cell in done if "-fine-tuned/" not in cell]
    count = max(round(share * len(done)), 1)
    order = [done[k] for k in np.random.default_rng(seed).permutation(len(done)).tolist()]
    chosen = order[:count]
    if each:  # cells/PROTOCOL/SHIELD/...
        chosen += list({tuple(one.split("/")[1:3]): one for one in reversed(order)}.values())
    chosen = sorted(set(chosen))
    exact = machine()["cpu"] == held.about["machine"].get("cpu")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        study.shipped(asked, results / name, folder, policies)
        cells = [fleet.Cell(one, known[one].work, known[one].arguments) for one in chosen]
        flow = fleet.run(cells, folder, workers, say)
        differing = {**flow.failed, **flow.refused}
        for one in flow.done:
            again = read_evaluation(folder / one).episodes
            if fault := _difference(again, _committed(held.episodes, again), exact):
                differing[one] = fault
    return Verified(tuple(chosen), differing, exact)


def _committed(episodes: Table, again: Table) -> Table:
    """The committed rows of the same evaluation, in the order of those made again."""
    mine = select(episodes, **{key: again[key][0] for key in _KEYS})
    names = list(zip(mine["person"].tolist(), mine["replica"].tolist(), strict=True))
    at = {name: k for k, name in enumerate(names)}
    wanted = list(zip(again["person"].tolist(), again["replica"].tolist(), strict=True))
    rows = [at[one] for one in wanted if one in at]
    return {key: column[rows] for key, column in mine.items()}


def _difference(again: Table, held: Table, exact: bool) -> str:
    """What differs between two tables of episodes, in words; empty when nothing does."""
    if len(held["person"]) != len(again["person"]):
        return f"{len(again['person'])} episodes, committed are {len(held['person'])}"
    for name, column in again.items():
        if name not in held:
            return f"column {name} is not committed"
        old = held[name]
        if column.dtype.kind != "f":
            same = column == old
        elif exact:
            same = (column == old) | (np.isnan(column) & np.isnan(old))
        else:
            same = np.isclose(column, old, rtol=TOLERANCE + _ROUNDING, atol=TOLERANCE, equal_nan=True)
        if not np.all(same):
            k = int(np.argmin(same))
            return f"{name} of {again['person'][k]}: {column[k]} now, {old[k]} committed"
    return ""


def adopt(found: Mapping[str, Verified], seed: int, results: Path = RESULTS) -> str:
    """List the simulator at hand as giving the committed results of an earlier one; returns the earlier one's name.

    found: by study, what `verify` said with `each` of at least `SHARE` of the evaluations of all committed studies,
    with this seed. Raises ValueError where the evidence does not reach: something differs, digits were not compared, a
    study or a protocol and shield of it is missing, too little was done, or the studies are of different simulators.
    """
    missing = sorted({study.name for study in committed_studies(results)} - set(found))
    if missing or not found:
        raise ValueError(
            f"not adopted: {', '.join(missing) or 'nothing'} was not done again; leave --study out"
        )
    held = {name: study_tables.read(results / name) for name in found}
    for name, one in found.items():
        cells = held[name].cells
        ways = {tuple(cell.split("/")[1:3]) for cell in cells["cell"].tolist()}
        seen = {tuple(cell.split("/")[1:3]) for cell in one.cells}
        if ways - seen or len(one.cells) < SHARE * (cells["status"] == "done").sum() - 1:
            raise ValueError(
                f"not adopted: of {name} only {len(one.cells)} evaluations were done again; verify with each"
            )
        if one.differing or not one.exact:
            why = "differs" if one.differing else "was compared within 1e-6 only, on another CPU model"
            raise ValueError(f"not adopted: {name} {why}; results of another simulator are to be made anew")
    named = {str(study.about.get("simulator")) for study in held.values()}
    if len(named) > 1 or "None" in named:
        raise ValueError(
            f"not adopted: the committed studies are of simulators {', '.join(sorted(named))}; commit them with one"
        )
    (earlier,) = named
    simulator.adopt(
        earlier, {name: one.cells for name, one in found.items()}, seed, path=results / simulator.LISTED.name
    )
    return earlier


def committed_studies(results: Path = RESULTS) -> list[StudyConfig]:
    """The studies that come with the project and whose results are committed."""
    return [load_study(name) for name in studies() if (results / name / "study.json").is_file()]
