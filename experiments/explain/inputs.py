"""What a policy's inputs are in words and physical units: the table of `envs.tasks.dosing` read backwards."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from envs.tasks.dosing import CGM_EVERY_MIN, CGM_READINGS
from envs.view import NEAR_LOW_MG_DL, PAST_HOURS

Physical = Callable[[float, float, float], float]
"""From the number that a policy sees, the person's daily insulin [U] and carb ratio [g/U]."""


@dataclass(frozen=True)
class Input:
    """A column of the observation: words, unit (empty for none), digits that are worth showing, and its value."""

    words: str
    unit: str
    digits: int
    physical: Physical

    def told(self, seen: float, daily_insulin_u: float, carb_ratio_g_per_u: float) -> str:
        """The value behind a number that was seen, with its unit."""
        value = self.physical(seen, daily_insulin_u, carb_ratio_g_per_u)
        text = f"{value:.{self.digits}f}"
        text = text.removeprefix("-") if not text.strip("-0.") else text
        return f"{text} {self.unit}".rstrip()


def _mg_dl(x: float, daily: float, ratio: float) -> float:
    return 140 + 100 * x


def _times(factor: float) -> Physical:
    return lambda x, daily, ratio: factor * x


def _of_daily(share: float) -> Physical:
    return lambda x, daily, ratio: share * daily * x


def _of_food(x: float, daily: float, ratio: float) -> float:
    return 0.2 * daily * ratio * x


def _exp(unit: float) -> Physical:
    return lambda x, daily, ratio: float(unit * np.exp(x))


def _hour(hour: int) -> str:
    return "in this hour" if hour == 0 else f"{hour} h ago"


INPUTS: dict[str, Input] = {
    **{
        f"cgm_{minute}min": Input(
            "glucose now" if minute == 0 else f"glucose {minute} min ago", "mg/dL", 0, _mg_dl
        )
        for minute in range(0, CGM_READINGS * CGM_EVERY_MIN, CGM_EVERY_MIN)
    },
    "cgm_age": Input("age of the reading", "min", 0, _times(30)),
    "slope": Input("trend of 15 min", "mg/dL/min", 1, _times(3)),
    "iob": Input("insulin on board", "U", 2, _of_daily(0.2)),
    "iob_net": Input("insulin on board beyond basal", "U", 2, _of_daily(0.1)),
    "insulin_activity": Input("insulin acting", "U/h", 2, _of_daily(1 / 12)),
    "insulin_30min": Input("insulin of the last 30 min", "U", 2, _of_daily(0.1)),
    "insulin_2h": Input("insulin of the last 2 h", "U", 2, _of_daily(0.2)),
    "cob_fast": Input("announced carbs on board, fast", "g", 0, _of_food),
    "cob_slow": Input("announced carbs on board, slow", "g", 0, _of_food),
    "uncovered_carbs": Input("announced carbs without a bolus", "g", 0, _of_food),
    "since_announced": Input("time since an announcement", "min", 0, _times(240)),
    "time_sin": Input("time of day, sine", "", 2, _times(1)),
    "time_cos": Input("time of day, cosine", "", 2, _times(1)),
    "basal": Input("scheduled basal rate", "U/h", 2, _exp(1)),
    "carb_ratio": Input("carb ratio", "g/U", 1, _exp(12)),
    "correction_factor": Input("correction factor", "mg/dL/U", 0, _exp(40)),
    "weight": Input("body weight", "kg", 0, _exp(60)),
    "daily_insulin": Input("daily insulin", "U", 1, _exp(40)),
    **{
        f"past_{quantity}_{hour}h": Input(f"{words} {_hour(hour)}", unit, digits, physical)
        for quantity, words, unit, digits, physical in (
            ("glucose", "mean glucose", "mg/dL", 0, _mg_dl),
            ("low", f"readings below {NEAR_LOW_MG_DL:.0f}", "%", 0, _times(100)),
            ("insulin", "insulin delivered", "U", 2, _of_daily(1 / 12)),
            ("carbs", "carbs announced", "g", 0, _of_food),
        )
        for hour in range(PAST_HOURS)
    },
    "plasma_glucose": Input("true plasma glucose", "mg/dL", 0, _mg_dl),
}
"""By the names of `envs.tasks.dosing` and `envs.tasks.history`. Ages and times are shown up to 30 and 240 min."""

FAMILIES = (
    ("readings of the last 4 h and their trend", r"cgm_\d+min|cgm_age|slope|plasma_glucose"),
    ("insulin on board and of the last 2 h", r"iob|iob_net|insulin_.*"),
    ("announced food", r"cob_.*|uncovered_carbs|since_announced"),
    ("time of day", r"time_.*"),
    ("settings and weight", r"basal|carb_ratio|correction_factor|weight|daily_insulin"),
    ("the last 24 h, hour by hour", r"past_.*"),
)


def family(name: str) -> str:
    """The kind of input that a column is, in words. Raises KeyError for a name that is no column."""
    return next(words for words, pattern in FAMILIES if name in INPUTS and re.fullmatch(pattern, name))
