"""The experiment that decides whether personal twins are worth having, as cells that are each done once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.fleet import Cell
from experiments.hidden.arms import fit_cell, judge_cell, policies, train_cell, tune_cell
from experiments.hidden.bars import sources
from experiments.hidden.people import RUNGS
from experiments.records.tables import Table, concat, read_table
from twins.random import check_seed

TRAINED = ("twin-posterior", "twin-map", "true-body")
TUNED = {"basal-bolus-twin": "basal-bolus", "pid-twin": "pid"}


def cells(rung: str, per_core: int, seed: int, train_seeds: Sequence[int]) -> list[Cell]:
    """All work of a rung: `per_core` people of each core, policies of each training seed.

    Raises ValueError for rungs that are none, no people, and seeds that are none or given twice.
    """
    if rung not in RUNGS:
        raise ValueError(f"unknown rung {rung!r}; allowed are {', '.join(RUNGS)}")
    if per_core < 1 or per_core % 4 or not train_seeds or len(set(train_seeds)) < len(train_seeds):
        raise ValueError(
            f"{per_core} people of each core, training seeds {list(train_seeds)}; give 4, 8, 12 ... people, in "
            "pairs who are each other's placebo, and each seed once"
        )
    # Each names the policies of the seeds that it uses: more seeds leave what is done of the others.
    code = sources()
    of_none, of_all = code + policies(()), code + policies(train_seeds)
    of_seed = {train_seed: code + policies([train_seed]) for train_seed in train_seeds}
    whom: list[dict[str, Any]] = [
        {"rung": rung, "core": core, "number": number, "seed": check_seed(seed)}
        for number in range(1, per_core + 1)
        for core in RUNGS[rung].cores
    ]
    names = [f"{one['core']}-{one['number']:03d}" for one in whom]
    made: list[Cell] = []
    for name, one in zip(names, whom, strict=True):
        twin = f"twins/{name}"
        made.append(Cell(twin, fit_cell, one, stamp=of_none))
        for arm, family in TUNED.items():
            made.append(
                Cell(
                    f"tuned/{arm}/{name}.json",
                    tune_cell,
                    {"family": family, "twin": twin},
                    (twin,),
                    stamp=of_none,
                )
            )
        for arm in TRAINED:
            for train_seed in train_seeds:
                arguments = {"arm": arm, "person": one, "twin": twin, "train_seed": train_seed}
                made.append(
                    Cell(
                        _training(arm, name, train_seed),
                        train_cell,
                        arguments,
                        (twin,),
                        stamp=of_seed[train_seed],
                    )
                )
    for name, one in zip(names, whom, strict=True):
        other = f"{one['core']}-{partner(one['number']):03d}"
        trainings = {arm: [_training(arm, name, k) for k in train_seeds] for arm in TRAINED}
        tunings = {arm: f"tuned/{arm}/{name}.json" for arm in TUNED}
        placebo = [_training("twin-posterior", other, k) for k in train_seeds]
        arguments = {
            "person": one, "twin": f"twins/{name}", "trainings": trainings, "tunings": tunings, "placebo": placebo,
            "train_seeds": list(train_seeds),
        }  # fmt: skip
        needs = [
            f"twins/{name}",
            *tunings.values(),
            *(cell for many in trainings.values() for cell in many),
            *placebo,
        ]
        made.append(Cell(f"judged/{name}", judge_cell, arguments, tuple(needs), stamp=of_all))
    return made


def partner(number: int) -> int:
    """Whose twin is a person's placebo: the next but one's, of the same kind of pump; 1 and 3, 2 and 4, 5 and 7 ..."""
    return ((number - 1) ^ 2) + 1


def _training(arm: str, name: str, train_seed: int) -> str:
    return f"train/{arm}/{name}/seed{train_seed}"


def read(folder: Path, done: Sequence[str]) -> Table:
    """Episodes of the judged people."""
    return concat([read_table(folder / name / "episodes.csv") for name in done if name.startswith("judged/")])
