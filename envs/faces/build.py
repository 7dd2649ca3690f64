"""From the id of an environment and its keywords to a core: what the three faces share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Box

from envs.bouts.activity import AFTER_MIN, BEFORE_MIN
from envs.core import Core
from envs.living.living import Living
from envs.nights.core import NightsCore
from envs.nights.rest import Rest
from envs.nights.setting import NightsSetting
from envs.roster import Roster
from envs.season.core import SeasonCore, SeasonSetting
from envs.season.plan import Plan
from envs.setting import Setting, make_setting, people
from envs.tasks.dosing import WIDEST, Dosing
from envs.tasks.session import AroundSession
from envs.tasks.task import Field, Task
from envs.tasks.whole_person import WholePerson
from twins.active import active
from twins.bodies.couplings import Couplings
from twins.bodies.glucose import UvaPadova
from twins.cohort import Cohort
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss
from twins.world.sessions import GRID_MIN, Sessions

TASKS = {
    "Homeostat/Dosing-v0": "dosing", "Homeostat/Exercise-v0": "session", "Homeostat/Sleep-v0": "sleep",
    "Homeostat/WholePerson-v0": "whole",
}  # fmt: skip
"""Ids of the environments and their default tasks."""
DECISION_MIN, WHOLE_DAYS = 30, 28.0
"""Of whole persons."""
BY_TASK = ("dosing", "session", "plan", "sleep", "whole")

_SETTING_WORDS = tuple(make_setting.__annotations__)[:-1]
_SESSION_WORDS = (
    "person", "cohort", "scenario", "behaviour", "sensor", "pump", "decision_min", "days", "shield", "oracle", "split",
    "seed", "cancelled", "unannounced",
)  # fmt: skip
_WHOLE_WORDS = (*_SESSION_WORDS[:-2], "strength", "switches", "clock")
_DAILY: dict[str, tuple[Any, Any, Any]] = {
    "plan": (SeasonSetting, SeasonCore, Plan), "sleep": (NightsSetting, NightsCore, Rest),
}  # fmt: skip
"""Tasks that are decided once a day: setting, core, and the task itself."""
_DAILY_WORDS = {task: ("person", *make.__dataclass_fields__) for task, (make, _, _) in _DAILY.items()}


class Decided(Protocol):
    """What spaces are made of."""

    @property
    def fields(self) -> tuple[Field, ...]: ...

    @property
    def observation_names(self) -> tuple[str, ...]: ...


AnyCore = Core | SeasonCore | NightsCore


def build(task: str, lanes: int, rotate: bool = False, **keywords: Any) -> tuple[AnyCore, Roster]:
    """A core and its roster. Keywords of the task "dosing": those of `make_setting`, `action` and `history`; of
    "session" and "whole": of them those of people, meals, devices, shield and seeds, and those of `Sessions` and
    `Living`; of "plan" and "sleep": person or cohort, and those of `SeasonSetting` and `NightsSetting`.

    Raises ValueError or TypeError naming the wrong keyword and the nearest known one.
    """
    if task not in BY_TASK:
        raise ValueError(f"task is {task!r}{near_miss(str(task), BY_TASK)}; allowed are {', '.join(BY_TASK)}")
    if isinstance(lanes, bool) or not isinstance(lanes, int | np.integer) or lanes < 1:
        raise ValueError(f"num_envs is {lanes!r}; give a whole number from 1 on")
    words = {"session": _SESSION_WORDS, "whole": _WHOLE_WORDS, **_DAILY_WORDS}
    known = words.get(task, ("action", "history", *_SETTING_WORDS))
    for word in keywords:
        if word not in known:
            raise TypeError(f"unknown keyword {word!r}{near_miss(word, known)}; known are {', '.join(known)}")
    if task in _DAILY:
        make, core_of, decide = _DAILY[task]
        daily = make(people(keywords.pop("person", None), keywords.pop("cohort", None)), **keywords)
        roster = Roster(daily.cohort, int(lanes), daily.split, daily.seed, rotate)
        return core_of(daily, decide(daily.oracle), int(lanes)), roster
    if task == "session":
        around = session_setting(**keywords)
        roster = Roster(around.cohort, int(lanes), around.split, around.seed, rotate)
        return Core(around, AroundSession(around.oracle), int(lanes)), roster
    if task == "whole":
        lived = whole_setting(**keywords)
        roster = Roster(lived.cohort, int(lanes), lived.split, lived.seed, rotate)
        return Core(lived, WholePerson(lived.oracle), int(lanes)), roster
    action, history = keywords.pop("action", "modulation"), keywords.pop("history", False)
    setting = make_setting(**keywords)
    decisions: Task = Dosing(action, setting.oracle, history)
    core = Core(setting, decisions, int(lanes))
    return core, Roster(setting.cohort, int(lanes), setting.split, setting.seed, rotate)


def session_setting(
    person: str | None = None,
    cohort: str | Sequence[str] | Cohort | None = None,
    cancelled: float = Sessions.cancelled,
    unannounced: float = Sessions.unannounced,
    **keywords: Any,
) -> Setting:
    """The setting of the task "session"; people of UVA/Padova become persons who exercise. Keywords: see `build`.

    Defaults: meals by weight, realistic habits, a decision each quarter of an hour, 26 hours. Raises what
    `make_setting` does.
    """
    defaults: dict[str, Any] = {
        "scenario": "simglucose-weight", "behaviour": "realistic", "decision_min": GRID_MIN,
        "days": (BEFORE_MIN + AFTER_MIN) / MINUTES_PER_DAY,
    }  # fmt: skip
    usual = _of_the_active(person, cohort, defaults | keywords)
    return replace(usual, sessions=Sessions(cancelled, unannounced))


def whole_setting(
    person: str | None = None,
    cohort: str | Sequence[str] | Cohort | None = None,
    strength: float | None = None,
    switches: Couplings | None = None,
    clock: str = Living.clock,
    **keywords: Any,
) -> Setting:
    """The setting of the task "whole"; people of UVA/Padova become persons who exercise. Keywords: see `build`.

    strength, switches, clock: of `envs.living.living.Living`. Defaults: meals by weight, realistic habits, a decision
    each half an hour, 28 days. Raises what `make_setting` and `Living` do.
    """
    living = Living(Couplings() if switches is None else switches, strength, clock)
    defaults: dict[str, Any] = {
        "scenario": "simglucose-weight", "behaviour": "realistic", "decision_min": DECISION_MIN, "days": WHOLE_DAYS,
    }  # fmt: skip
    return replace(_of_the_active(person, cohort, defaults | keywords), living=living)


def _of_the_active(
    person: str | None, cohort: str | Sequence[str] | Cohort | None, keywords: dict[str, Any]
) -> Setting:
    """A setting of people who can exercise, with these keywords."""
    who = people(person, cohort)
    if isinstance(who.model, UvaPadova):
        who = active(who)
    return make_setting(cohort=who, announce="behaviour", **keywords)


def action_space(task: Decided) -> Box:
    """All fields of an action, each scaled to [-1, 1]."""
    return Box(-1.0, 1.0, (len(task.fields),), np.float32)


def observation_space(task: Decided) -> Box:
    """Observations are scaled to about [-1, 1] and clipped far outside."""
    return Box(-WIDEST, WIDEST, (len(task.observation_names),), np.float32)
