"""Tuned gains as a file: JSON with what was tuned, how, and on how many simulated days. Checked when read."""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.load import COHORT, FAMILIES, TUNED
from agents.sessions import CONSENSUS
from agents.tunable import Values
from experiments.records.json_files import load_object
from twins.files import atomic_write_text
from twins.words import near_miss

_FORMAT = 2
_FAMILIES = FAMILIES | {CONSENSUS.name: CONSENSUS}


class Tuning(BaseModel):
    """Gains of a treatment and how they were found."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    family: str
    """Name in `agents.load.FAMILIES`, or that of `agents.sessions.CONSENSUS`."""
    mode: Literal["person", "cohort"]
    """person: everybody's own, found on the own body; cohort: one set, for bodies that were not among them."""
    gains: tuple[str, ...]
    """Names in the order of the values."""
    values: dict[str, tuple[float, ...]] | tuple[float, ...]
    """By person's id, or one set."""
    person_days: float = Field(gt=0)
    """Simulated days that the search used, of all people together."""
    people: int = Field(ge=1)
    """How many people it was tuned on."""
    score: float
    """Mean of `experiments.tune.score` over them, on the days of the last choice."""
    protocol: str
    shield: str

    @model_validator(mode="after")
    def _fits_its_family(self) -> "Tuning":
        if self.family not in _FAMILIES:
            raise ValueError(
                f"unknown family {self.family!r}{near_miss(self.family, _FAMILIES)}; known are {', '.join(_FAMILIES)}"
            )
        family = _FAMILIES[self.family]
        if self.gains != family.names:
            raise ValueError(
                f"gains are {', '.join(self.gains)}; {self.family} of this version has {', '.join(family.names)}"
            )
        if isinstance(self.values, dict) != (self.mode == "person"):
            raise ValueError(f"mode is {self.mode!r}, which does not go with these values")
        sets = self.values if isinstance(self.values, dict) else {"": self.values}
        for person, values in sets.items():
            family.checked(values, person)
        return self


def save_tuning(tuning: Tuning, path: Path) -> None:
    """Write a tuning as JSON."""
    atomic_write_text(
        path, json.dumps({"format": _FORMAT, **tuning.model_dump(mode="json")}, indent=1) + "\n"
    )


def load_tuning(path: Path) -> Tuning:
    """What `save_tuning` wrote. Raises OSError, or ValueError naming the file, the fault and what to give."""
    remedy = "give a file that a tuning wrote, or tune anew"
    try:
        found = load_object(path, "get it again")
        if found.pop("format", None) != _FORMAT:
            raise ValueError(f"no object of format {_FORMAT}")
        return Tuning.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        fault = f"{where}: {first['msg']}" if where else first["msg"]
    except ValueError as error:
        fault = str(error)
    raise ValueError(f"{path} holds no gains ({fault}); {remedy}")


def load_gains(path: Path, name: str | None = None) -> Values:
    """The values in a file. name: the agent they are for. Raises ValueError for those of another kind, too."""
    tuning = load_tuning(path)
    if name is not None:
        family = (TUNED if tuning.mode == "person" else COHORT).get(name)
        if family is None or family.name != tuning.family:
            kind = "tuned" if tuning.mode == "person" else "cohort"
            raise ValueError(f"{path} holds gains of {tuning.family}-{kind}; {name} needs its own")
    return tuning.values
