"""What an environment is made of: who, in which world, with which devices, decided how often.

`make_setting` turns the keywords that users give into a `Setting`; every wrong one is answered with
what was given, what is allowed and the nearest known name.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.faults import Fault, Given, checked
from envs.living.living import Living
from envs.shield import NAMES as SHIELD_NAMES
from envs.shield.twin import Guard, named
from twins import cohort as cohorts
from twins.bodies.circadian import STEP_MIN
from twins.bodies.person import Person
from twins.cohort import Cohort
from twins.random import SPLITS, check_seed
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss
from twins.world import behaviour as behaviours
from twins.world import devices, readers, scenarios
from twins.world.devices import Pump, Sensor
from twins.world.diary import as_scenario
from twins.world.scenarios import Scenario
from twins.world.sessions import GRID_MIN, Sessions

DIARY = "diary:"
SESSION_WITHIN_DAYS = 2.0
"""An episode around a session begins before so many days have passed."""
MOST_DECISION_MIN, MOST_WHOLE_DAYS = 60, 365
"""Minutes between two decisions for a whole person, and days of one."""
ANNOUNCE = ("exact", "behaviour", "none")
FAILURE_LOW_MG_DL, FAILURE_HIGH_MG_DL = 10.0, 600.0
"""simglucose's bounds: outside them an episode has failed (a simulated death)."""


@dataclass(frozen=True)
class Setting:
    """Everything around a task. Times in minutes unless the name says otherwise.

    announce: what the therapy hears of meals: "exact" = all of them, at the first reading after the
    first bite; "behaviour" = what the person tells; "none" = nothing.
    """

    cohort: Cohort
    scenario: Scenario
    sensor: Sensor
    pump: Pump
    announce: str = "exact"
    decision_min: int = 5
    days: float = 2.0
    shield: str = "rule"
    oracle: bool = False
    split: str = "train"
    seed: int = 0
    failure_low_mg_dl: float = FAILURE_LOW_MG_DL
    failure_high_mg_dl: float = FAILURE_HIGH_MG_DL
    faults: tuple[Fault, ...] = ()
    guard: Guard = Guard()
    believed: Cohort | None = None
    sessions: Sessions | None = None
    living: Living | None = None

    @property
    def event_days(self) -> float:
        """For how long events are drawn: an episode around a session begins somewhere within its second day, that of a
        whole person on the first day's waking."""
        if self.living is not None:
            return self.days + 1
        return self.days if self.sessions is None else self.days + SESSION_WITHIN_DAYS

    @property
    def twins(self) -> Cohort:
        """What shield and planner take the persons' bodies for."""
        return self.cohort if self.believed is None or self.oracle else self.believed

    def __post_init__(self) -> None:
        control = self.sensor.sample_min
        if not _whole(self.decision_min) or self.decision_min < 1 or self.decision_min % control:
            raise ValueError(
                f"decision_min is {self.decision_min!r}; {self.sensor.name} measures every {control} min, so give a "
                f"multiple of {control}"
            )
        if not (
            isinstance(self.days, int | float)
            and self.days is not True
            and math.isfinite(self.days)
            and 0 < self.days <= 366
        ):
            raise ValueError(f"days is {self.days!r}; give a length above 0 and up to 366 days")
        if self.days * MINUTES_PER_DAY < self.decision_min:
            raise ValueError(
                f"days is {self.days:g}, shorter than one decision of {self.decision_min} min; give a longer episode"
            )
        for name, allowed in (("announce", ANNOUNCE), ("shield", SHIELD_NAMES), ("split", SPLITS)):
            given = getattr(self, name)
            if given not in allowed:
                raise ValueError(
                    f"{name} is {given!r}{near_miss(str(given), allowed)}; allowed are {', '.join(allowed)}"
                )
        if not isinstance(self.oracle, bool):
            raise ValueError(f"oracle is {self.oracle!r}; allowed are True and False")
        if checked(self.faults) != self.faults:
            raise ValueError(f"faults is {self.faults!r}; give a tuple of faults, or use make_setting")
        if not isinstance(self.guard, Guard):
            raise ValueError(f"guard is {self.guard!r}; give envs.shield.twin.Guard(...) or None")
        if self.believed is not None and self.believed.ids != self.cohort.ids:
            raise ValueError(
                f"believed has the people {', '.join(self.believed.ids[:3])} ...; needed are the twins of "
                f"{', '.join(self.cohort.ids[:3])} ..., the same ids in the same order"
            )
        self._check_sessions()
        check_seed(self.seed)
        if not 0 < self.failure_low_mg_dl < 70 or not 250 < self.failure_high_mg_dl < math.inf:
            raise ValueError(
                f"failure bounds are {self.failure_low_mg_dl!r} and {self.failure_high_mg_dl!r} mg/dL; the lower must "
                "lie between 0 and 70, the upper above 250"
            )

    def _check_sessions(self) -> None:
        where = "around a session" if self.living is None else "of whole persons"
        if self.sessions is None and self.living is None:
            return
        model, control = self.cohort.model, self.sensor.sample_min
        if self.sessions is not None and self.living is not None:
            raise ValueError("sessions and living were both given; give one of the two")
        if "heart_rate_reserve" not in model.drive_names or (
            self.living is not None and not isinstance(model, Person)
        ):
            raise ValueError(
                f"people of {type(model).__name__} do not exercise; give twins.active.active(cohort), or ids"
            )
        if self.shield == "twin":
            raise ValueError(f"shield is 'twin', whose twins do not exercise; {where} give 'rule' or 'off'")
        if self.faults:
            raise ValueError(f"faults cannot be put into days {where}; leave faults out")
        if self.sessions is not None and GRID_MIN % self.decision_min:
            raise ValueError(
                f"decision_min is {self.decision_min}; {where} give {GRID_MIN}, or a part of it that the "
                f"sensor's {control} min fit into"
            )
        if self.living is not None and self.days > MOST_WHOLE_DAYS:
            raise ValueError(f"days is {self.days:g}; {where} give up to {MOST_WHOLE_DAYS}")
        if self.living is not None and (control != STEP_MIN or MOST_DECISION_MIN % self.decision_min):
            raise ValueError(
                f"decision_min is {self.decision_min} and {self.sensor.name} measures every {control} min; {where} "
                f"give a part of {MOST_DECISION_MIN} min and a sensor of {STEP_MIN} min, such as GuardianRT"
            )


def make_setting(
    person: str | None = None,
    cohort: str | Sequence[str] | Cohort | None = None,
    scenario: str | Scenario = "simglucose",
    behaviour: str = "exact",
    sensor: str | Sensor = "GuardianRT",
    pump: str | Pump = "Insulet",
    announce: str = "exact",
    decision_min: int | None = None,
    days: float = 2.0,
    shield: str = "rule",
    oracle: bool = False,
    split: str = "train",
    seed: int = 0,
    failure_low_mg_dl: float = FAILURE_LOW_MG_DL,
    failure_high_mg_dl: float = FAILURE_HIGH_MG_DL,
    legacy_gut: bool = False,
    faults: Given | Iterable[Given] | None = None,
    guard: Guard | None = None,
    believed: Cohort | None = None,
) -> Setting:
    """A setting from keywords; the defaults are those of the protocol simglucose-default.

    person: one id (default "adult#001"), or cohort: a group ("all", "adult" ...), a list of ids or a
    `Cohort`. scenario: a name of `twins.world.scenarios`, "diary:FILE" for recorded days, or a `Scenario`
    (which brings its own behaviour). decision_min: minutes between decisions (default: the sensor's
    sample time). shield: "rule", "off", "twin", or one with settings of its guard, such as "twin:floor_mg_dl=80";
    guard: the same as an object, beside "twin".
    faults: what goes wrong, see `envs.faults`: one or more faults, or names such as "F4a". believed: the twins that
    shield and planner work with, where they are not the cohort's own bodies.
    Raises ValueError that names the wrong keyword, what is allowed and the near miss.
    """
    if isinstance(sensor, str):
        sensor = devices.sensor(sensor)
    if isinstance(shield, str):
        word = shield
        shield, asked = named(word)
        if guard is not None and shield in SHIELD_NAMES and word != "twin":
            raise ValueError(
                f"guard is {guard!r} beside shield {word!r}; give a guard with shield 'twin' alone, or its settings in "
                "the word, such as 'twin:floor_mg_dl=80'"
            )
        guard = asked if guard is None else guard
    return Setting(
        people(person, cohort, legacy_gut),
        scenario_named(scenario, behaviour) if isinstance(scenario, str) else scenario,
        sensor,
        devices.pump(pump) if isinstance(pump, str) else pump,
        announce,
        sensor.sample_min if decision_min is None else _plain(decision_min),
        _plain(days),
        shield,
        oracle,
        split,
        seed,
        failure_low_mg_dl,
        failure_high_mg_dl,
        checked(faults),
        guard or Guard(),
        believed,
    )


def scenario_named(name: str, behaviour: str = "exact") -> Scenario:
    """A scenario of `twins.world.scenarios`, or "diary:NAME" (see `twins.world.readers.named`) as recorded days."""
    if name.startswith(DIARY):
        return as_scenario(readers.named(name.removeprefix(DIARY)), behaviours.named(behaviour))
    return scenarios.named(name, behaviour)


def people(
    person: str | None = None,
    cohort: str | Sequence[str] | Cohort | None = None,
    legacy_gut: bool = False,
) -> Cohort:
    """One person by id (default "adult#001"), or a cohort. Raises ValueError for both at once, and for unknown ids."""
    if cohort is not None:
        if person is not None:
            raise ValueError(f"person={person!r} and cohort={cohort!r} were given; give one of the two")
        return cohort if isinstance(cohort, Cohort) else cohorts.load(cohort, legacy_gut)
    one = cohorts.load("adult#001" if person is None else person, legacy_gut)
    if len(one) != 1:
        raise ValueError(f"person={person!r} names {len(one)} people; give one id, or cohort={person!r}")
    return one


def _plain(value: Any) -> Any:
    """A number of numpy as Python's own; other values as they are."""
    return value.item() if isinstance(value, np.generic) else value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
