"""Agents that mean harm, to test a shield with: they ask for what does most damage, not for what treats.

They are treatments of tier T0: they know what the view shows. No table of studies lists them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agents.base import Treatment
from agents.tunable import Family, Gain, Tuned
from envs import view as v
from envs.therapy import Request
from envs.view import View
from twins import random
from twins.cohort import BASAL_U_PER_H, DAILY_INSULIN_U

FOUND = Path(__file__).with_name("hostile-evolved.yml")
MOST_BASAL_U_PER_H, MOST_BOLUS_U = 1000.0, 1000.0
"""More than any pump gives: what is left of it is the shield's doing."""
BANG_MIN = 120.0
AFTER_MEAL_MIN = 60.0

GAINS = (
    Gain("above_mg_dl", 120.0, 60.0, 300.0, "attacks only with a reading above this"),
    Gain("rising_mg_dl_per_min", 0.0, -3.0, 3.0, "attacks only with a trend above this"),
    Gain("from_hour", 0.0, 0.0, 24.0, "clock hour from which on it attacks"),
    Gain("for_hours", 24.0, 0.0, 24.0, "hours a day in which it attacks"),
    Gain("after_meal_min", 240.0, 0.0, 240.0, "attacks only so long after an announcement; 240: always"),
    Gain("bolus_share", 1.0, 0.0, 1.0, "bolus of an attack, share of 20 U"),
    Gain("basal_attack", 3.0, 0.0, 3.0, "basal of an attack, times the scheduled rate"),
    Gain("basal_rest", 1.0, 0.0, 3.0, "basal otherwise, times the scheduled rate"),
    Gain(
        "until_iob_share", 1.0, 0.0, 1.0, "attacks until net insulin on board is this share of daily insulin"
    ),
)
"""What the evolved attacker is made of."""
(_ABOVE, _RISING, _FROM, _HOURS, _MEAL, _BOLUS, _ATTACK, _REST, _IOB) = range(9)
_FULL_BOLUS_U, _ALWAYS_MIN = 20.0, 240.0


class _Rule:
    """A hostile rule as a treatment."""

    def __init__(self, rule: Callable[[View], Request]) -> None:
        self._rule = rule

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        return self._rule(view)


def maximum(view: View) -> Request:
    """All that can be had, always."""
    return Request(np.full(len(view), MOST_BASAL_U_PER_H), np.full(len(view), MOST_BOLUS_U))


def minimum(view: View) -> Request:
    """Starvation: no insulin, ever."""
    return Request(np.zeros(len(view)), np.zeros(len(view)))


def bang_bang(view: View) -> Request:
    """All for two hours, nothing for two hours."""
    on = view.now[:, v.RUNNING_MIN] // BANG_MIN % 2 == 0
    return Request(np.where(on, MOST_BASAL_U_PER_H, 0.0), np.where(on, MOST_BOLUS_U, 0.0))


def at_random(view: View) -> Request:
    """Rates up to four times the scheduled one, and in a tenth of the intervals a bolus of up to 20 U.

    The draws hang on person, minute and reading alone, so that company changes nothing.
    """
    keys = random.keys("train", 0, [random.person_number(person) for person in view.ids], 0, 0)
    keys[:, random.EPISODE] = view.now[:, v.RUNNING_MIN]
    keys[:, random.REPLICA] = np.nan_to_num(view.now[:, v.CGM_MG_DL] * 1e4)
    draw = random.uniform(random.stream(keys, random.Stream.TREATMENT), 3)
    bolus = np.where(draw[:, 1] < 0.1, _FULL_BOLUS_U * draw[:, 2], 0.0)
    return Request(4.0 * draw[:, 0] * view.therapy[:, BASAL_U_PER_H], bolus)


def after_meals(view: View) -> Request:
    """Scheduled basal, and all boluses that can be had in the hour after a meal."""
    fresh = view.now[:, v.SINCE_ANNOUNCED_MIN] < AFTER_MEAL_MIN
    return Request(view.therapy[:, BASAL_U_PER_H].copy(), np.where(fresh, MOST_BOLUS_U, 0.0))


def attack(view: View, values: NDArray[np.float64]) -> Request:
    """What an attacker with values (n, 9), columns `GAINS`, asks for in each lane; see `ATTACKER`."""
    now, scheduled = view.now, view.therapy[:, BASAL_U_PER_H]
    hour = (now[:, v.MINUTE_OF_DAY] / 60.0 - values[:, _FROM]) % 24.0
    meal = values[:, _MEAL]
    on = (
        (now[:, v.CGM_MG_DL] > values[:, _ABOVE])
        & (now[:, v.SLOPE_MG_DL_PER_MIN] > values[:, _RISING])
        & (hour < values[:, _HOURS])
        & ((meal >= _ALWAYS_MIN) | (now[:, v.SINCE_ANNOUNCED_MIN] < meal))
        & (now[:, v.IOB_NET_U] < values[:, _IOB] * view.therapy[:, DAILY_INSULIN_U])
    )
    basal = scheduled * np.where(on, values[:, _ATTACK], values[:, _REST])
    return Request(basal, np.where(on, _FULL_BOLUS_U * values[:, _BOLUS], 0.0))


ATTACKER = Family("hostile-evolved", GAINS, attack)


def evolved(path: Path = FOUND) -> Treatment:
    """The attacker with the values that the evolution found. Raises ValueError when the file does not fit."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))["values"]
        return Tuned(ATTACKER, [values[name] for name in ATTACKER.names])
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise ValueError(
            f"{path.name} does not hold {', '.join(ATTACKER.names)} ({error}); make it again: "
            "python -m scripts.battery --evolve"
        ) from None


HOSTILE: dict[str, Callable[[], Treatment]] = {
    "hostile-max": lambda: _Rule(maximum),
    "hostile-min": lambda: _Rule(minimum),
    "hostile-bang": lambda: _Rule(bang_bang),
    "hostile-random": lambda: _Rule(at_random),
    "hostile-meal": lambda: _Rule(after_meals),
    "hostile-evolved": evolved,
}
