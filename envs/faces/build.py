"""From the id of an environment and its keywords to a core: what the three faces share."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from envs.core import Core
from envs.roster import Roster
from envs.setting import make_setting
from envs.tasks.dosing import WIDEST, Dosing
from envs.tasks.task import Task
from twins.words import near_miss

TASKS = {"Homeostat/Dosing-v0": "dosing"}
"""Ids of the environments and their tasks."""

_SETTING_WORDS = tuple(make_setting.__annotations__)[:-1]


def build(task: str, lanes: int, rotate: bool = False, **keywords: Any) -> tuple[Core, Roster]:
    """A core and its roster; keywords are those of `make_setting`, `action` and `history`.

    Raises ValueError or TypeError naming the wrong keyword and the nearest known one.
    """
    if isinstance(lanes, bool) or not isinstance(lanes, int | np.integer) or lanes < 1:
        raise ValueError(f"num_envs is {lanes!r}; give a whole number from 1 on")
    action, history = keywords.pop("action", "modulation"), keywords.pop("history", False)
    for word in keywords:
        if word not in _SETTING_WORDS:
            known = ("action", "history", *_SETTING_WORDS)
            raise TypeError(f"unknown keyword {word!r}{near_miss(word, known)}; known are {', '.join(known)}")
    setting = make_setting(**keywords)
    decisions: Task = Dosing(action, setting.oracle, history)
    core = Core(setting, decisions, int(lanes))
    return core, Roster(setting.cohort, int(lanes), setting.split, setting.seed, rotate)


def action_space(task: Task) -> Box:
    """All fields of an action, each scaled to [-1, 1]."""
    return Box(-1.0, 1.0, (len(task.fields),), np.float32)


def observation_space(task: Task) -> Box:
    """Observations are scaled to about [-1, 1] and clipped far outside."""
    return Box(-WIDEST, WIDEST, (len(task.observation_names),), np.float32)
