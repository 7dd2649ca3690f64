"""Persons as columns of arrays: who they are, how their body works, how they are treated.

The 30 virtual people come with simglucose 0.2.11. Their numbers are read from its files without
importing it (importing would pull in gym 0.9.4 and pkg_resources).
"""

import csv
import difflib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.bodies.glucose import COLUMN, PARAMETERS, UvaPadova
from twins.bodies.model import Model
from twins.random import person_number

(
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    TARGET_MG_DL,
    CORRECT_ABOVE_MG_DL,
    DAILY_INSULIN_U,
    AGE_GROUP,
) = range(7)
THERAPY_COLUMNS = 7

CHILD, ADOLESCENT, ADULT = range(3)
GROUPS = ("child", "adolescent", "adult")

TARGET = 140.0
"""Target of simglucose's basal-bolus controller, mg/dL; it corrects above `CORRECT_ABOVE`."""
CORRECT_ABOVE = 150.0

_UNWEIGHTED = np.empty(0)  # stands for a log_weight that was not given


@dataclass(frozen=True)
class Cohort:
    """Many persons; a person is a cohort of one, a posterior is a cohort with weights.

    ids: n distinct names. parameters (n, P) in the order of `model.parameter_names`. therapy (n, 7):
    columns `BASAL_U_PER_H` ... `AGE_GROUP`. weight_kg (n,). log_weight (n,), zeros when not given.
    """

    model: Model
    ids: tuple[str, ...]
    parameters: NDArray[np.float64]
    therapy: NDArray[np.float64]
    weight_kg: NDArray[np.float64]
    log_weight: NDArray[np.float64] = field(default_factory=lambda: _UNWEIGHTED)

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.log_weight is _UNWEIGHTED:
            object.__setattr__(self, "log_weight", np.zeros(n))
        shapes = {
            "parameters": (n, len(self.model.parameter_names)),
            "therapy": (n, THERAPY_COLUMNS),
            "weight_kg": (n,),
            "log_weight": (n,),
        }
        if n == 0:
            raise ValueError("a cohort needs at least one person; none was given")
        if len(set(self.ids)) != n:
            raise ValueError("ids of a cohort must differ; copies of one person are replicas, not persons")
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value.shape != shape or not np.isfinite(value).all():
                raise ValueError(
                    f"cohort.{name} has shape {value.shape}; needed are finite values of shape {shape}"
                )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def numbers(self) -> NDArray[np.uint32]:
        """The numbers that stand for the persons in random keys, shape (n,)."""
        return np.array([person_number(person) for person in self.ids], np.uint32)

    def group(self, person: int) -> str:
        """ "child", "adolescent" or "adult"."""
        return GROUPS[int(self.therapy[person, AGE_GROUP])]

    def take(self, rows: Sequence[int]) -> "Cohort":
        """The persons of these rows, in this order."""
        rows = list(rows)
        return Cohort(
            self.model,
            tuple(self.ids[row] for row in rows),
            self.parameters[rows],
            self.therapy[rows],
            self.weight_kg[rows],
            self.log_weight[rows],
        )

    def renamed(self, suffix: str) -> "Cohort":
        """The same people under ids that end in `suffix`: other persons to everything that is random."""
        return replace(self, ids=tuple(person + suffix for person in self.ids))

    def with_therapy(self, **columns: NDArray[np.float64] | float) -> "Cohort":
        """The same bodies under other settings; names as the column constants in lower case.

        Example: ``cohort.with_therapy(carb_ratio_g_per_u=10, target_mg_dl=120)``.
        """
        therapy = self.therapy.copy()
        for name, value in columns.items():
            column = _THERAPY_NAMES.get(name)
            if column is None:
                raise ValueError(f"unknown therapy setting {name!r}; allowed are {', '.join(_THERAPY_NAMES)}")
            therapy[:, column] = value
        return replace(self, therapy=therapy)

    def with_rule_of_500(self) -> "Cohort":
        """Carb ratio 500 / TDI and correction factor 1800 / TDI, the settings of most published tables."""
        daily = self.therapy[:, DAILY_INSULIN_U]
        return self.with_therapy(carb_ratio_g_per_u=500 / daily, correction_factor_mg_dl_per_u=1800 / daily)


_THERAPY_NAMES = {
    "basal_u_per_h": BASAL_U_PER_H,
    "carb_ratio_g_per_u": CARB_RATIO_G_PER_U,
    "correction_factor_mg_dl_per_u": CORRECTION_FACTOR_MG_DL_PER_U,
    "target_mg_dl": TARGET_MG_DL,
    "correct_above_mg_dl": CORRECT_ABOVE_MG_DL,
}


def join(parts: Sequence[Cohort]) -> Cohort:
    """The people of several cohorts of one model as one cohort; their ids must differ."""
    if not parts:
        raise ValueError("no cohort was given; join() needs at least one")
    return Cohort(
        parts[0].model,
        tuple(person for part in parts for person in part.ids),
        np.concatenate([part.parameters for part in parts]),
        np.concatenate([part.therapy for part in parts]),
        np.concatenate([part.weight_kg for part in parts]),
        np.concatenate([part.log_weight for part in parts]),
    )


def simglucose_table(name: str) -> dict[str, dict[str, str]]:
    """One of simglucose's parameter files as rows keyed by the column Name, read without importing it."""
    spec = importlib.util.find_spec("simglucose")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "the virtual people and devices come from simglucose 0.2.11, which is not installed; "
            "run: pip install 'simglucose==0.2.11'"
        )
    with open(Path(spec.origin).parent / "params" / name, newline="") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


@cache
def names() -> tuple[str, ...]:
    """Ids of the 30 virtual people: adults, adolescents, children."""
    table = simglucose_table("vpatient_params.csv")
    return tuple(sorted(table, key=lambda person: (-GROUPS.index(person.split("#")[0]), person)))


def select(who: str | Sequence[str]) -> tuple[str, ...]:
    """Ids for a person, a group ("all", "adult", "adolescent", "child") or a list of either.

    Raises ValueError naming the nearest known names when one is unknown.
    """
    chosen: list[str] = []
    for word in [who] if isinstance(who, str) else who:
        found = [person for person in names() if word in ("all", person, person.split("#")[0])]
        if not found:
            known = [*names(), "all", *GROUPS]
            near = difflib.get_close_matches(str(word), known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
            raise ValueError(
                f"unknown person {word!r}; {hint}Known are the 30 ids such as 'adult#001' ... 'child#010' "
                "and the groups 'all', 'adult', 'adolescent', 'child'"
            )
        chosen += [person for person in found if person not in chosen]
    if not chosen:
        raise ValueError("no person was named; give an id such as 'adult#001' or a group such as 'all'")
    return tuple(chosen)


def load(who: str | Sequence[str] = "all", legacy_gut: bool = False) -> Cohort:
    """The named virtual people: basal of their equilibrium; CR, CF and TDI of simglucose's Quest.csv."""
    ids = select(who)
    people, quest = simglucose_table("vpatient_params.csv"), simglucose_table("Quest.csv")
    parameters = np.array([[float(people[person][name]) for name in PARAMETERS] for person in ids])
    model = UvaPadova(legacy_gut)
    therapy = np.empty((len(ids), THERAPY_COLUMNS))
    therapy[:, BASAL_U_PER_H] = model.basal_u_per_h(parameters)
    columns = {"CR": CARB_RATIO_G_PER_U, "CF": CORRECTION_FACTOR_MG_DL_PER_U, "TDI": DAILY_INSULIN_U}
    for name, column in columns.items():
        therapy[:, column] = [float(quest[person][name]) for person in ids]
    therapy[:, TARGET_MG_DL], therapy[:, CORRECT_ABOVE_MG_DL] = TARGET, CORRECT_ABOVE
    therapy[:, AGE_GROUP] = [GROUPS.index(person.split("#")[0]) for person in ids]
    return Cohort(model, ids, parameters, therapy, parameters[:, COLUMN["BW"]].copy())
