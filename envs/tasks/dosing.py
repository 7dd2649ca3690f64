"""The dosing task: how much insulin, now. The class is the data sheet of `Homeostat/Dosing-v0`."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from envs import view as v
from envs.rewards import dosing_terms
from envs.tasks.history import NAMES as PAST
from envs.tasks.history import observe_past
from envs.tasks.task import Field
from envs.therapy import Request, basal_bolus
from envs.trace import GLUCOSE_MG_DL
from envs.view import View
from twins.cohort import (
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
)
from twins.kernels import kernel
from twins.words import near_miss

BASAL_GAIN, BOLUS_GAIN = 2.5, 0.7
MAX_BASAL_FACTOR = 3.0
CGM_EVERY_MIN = 15
CGM_READINGS = v.CGM_HISTORY_MIN // CGM_EVERY_MIN + 1
_OTHER = (
    "cgm_age", "slope", "iob", "iob_net", "insulin_activity", "insulin_30min", "insulin_2h", "cob_fast", "cob_slow",
    "uncovered_carbs", "since_announced", "time_sin", "time_cos", "basal", "carb_ratio", "correction_factor", "weight",
    "daily_insulin",
)  # fmt: skip
NAMES = (*(f"cgm_{k * CGM_EVERY_MIN}min" for k in range(CGM_READINGS)), *_OTHER)
FEATURES = len(NAMES)
WIDEST = 5.0
"""Observations are clipped to plus and minus this; almost all lie within [-1, 1]."""

Action = Literal["modulation", "basal", "hybrid", "closed-loop"]
ACTIONS: tuple[Action, ...] = get_args(Action)
MAX_CLOSED_LOOP_FACTOR = 40.0
"""Most of a closed loop, x scheduled basal: the 43 of Fox and others 2020, rounded."""
_CLOSED_LOOP = np.log(MAX_CLOSED_LOOP_FACTOR - 1)


_BASAL_ALONE = (Field("basal", 0.0, MAX_BASAL_FACTOR, "x scheduled basal"),)
_FIELDS: dict[str, tuple[Field, ...]] = {
    "modulation": (
        Field("basal", 0.0, 1 + BASAL_GAIN, "x scheduled basal"),
        Field("bolus", 1 - BOLUS_GAIN, 1 + BOLUS_GAIN, "x meal bolus"),
    ),
    "basal": _BASAL_ALONE,
    "hybrid": _BASAL_ALONE,
    "closed-loop": (Field("insulin", 0.0, MAX_CLOSED_LOOP_FACTOR, "x scheduled basal"),),
}


class Dosing:
    """Insulin dosing for type-1 diabetes. Research software, not a medical device.

    ## Description
    A virtual person (UVA/Padova 2008 model) eats, measures glucose and wears a pump. At each decision
    the agent sets the insulin of the coming interval; below it works the person's own basal-bolus
    calculator at the sensor's sample time, above it the safety shield.

    ## Action space: `Box(-1, 1)`
    `action="modulation"` (default), two numbers that multiply the person's own therapy; zero is the therapy:

    | # | name | factor | range |
    |---|---|---|---|
    | 0 | basal | max(1 + 2.5 a, 0) of the scheduled basal rate | 0 to 3.5 (the shield allows 3) |
    | 1 | bolus | 1 + 0.7 a of the meal bolus | 0.3 to 1.7 |

    `action="basal"`, one number: rate = (a + 1) / 2 x 3 x scheduled basal (U/h); no boluses. `action="hybrid"`: the
    same rate beside the calculator's boluses. `action="closed-loop"`, one number, for days whose meals are not
    announced: insulin = (39^(a + 1) - 1) / 38 x scheduled basal, so that -1, 0 and 1 are none, the basal rate and 40
    times it; what exceeds the basal rate is given as a bolus at every reading, of which a pump leaves out what is less
    than its step (0.05 U of an Insulet): little more than the basal rate may be as much as that rate.

    ## Observation space: `Box(-5, 5)`, 35 numbers (36 with `oracle=True`)
    `history=True` adds the 96 of `envs.tasks.history` (the last 24 hours) before the one of the oracle.

    | # | name | physical value | scaling |
    |---|---|---|---|
    | 0-16 | cgm_0min ... cgm_240min | reading so long ago, mg/dL (a gap holds the older value) | (x - 140) / 100 |
    | 17 | cgm_age | minutes since the last reading | x / 30, at most 1 |
    | 18 | slope | trend of the last 15 min, mg/dL/min | x / 3 |
    | 19 | iob | insulin on board, U | x / (0.2 D) |
    | 20 | iob_net | insulin on board above scheduled basal, U | x / (0.1 D) |
    | 21 | insulin_activity | insulin acting, U/h | x / (D / 12) |
    | 22, 23 | insulin_30min, insulin_2h | insulin delivered, U | x / (0.1 D), x / (0.2 D) |
    | 24, 25 | cob_fast, cob_slow | announced carbs on board, decay 40 and 120 min, g | x / (0.2 D CR) |
    | 26 | uncovered_carbs | announced carbs without a bolus yet, g | x / (0.2 D CR) |
    | 27 | since_announced | minutes since an announcement | x / 240, at most 1 |
    | 28, 29 | time_sin, time_cos | time of day | - |
    | 30 | basal | scheduled basal rate, U/h | ln x |
    | 31 | carb_ratio | g/U | ln (x / 12) |
    | 32 | correction_factor | mg/dL/U | ln (x / 40) |
    | 33 | weight | kg | ln (x / 60) |
    | 34 | daily_insulin | U | ln (x / 40) |
    | 35 | plasma_glucose | true plasma glucose, mg/dL; only with `oracle=True` | (x - 140) / 100 |

    D = the person's daily insulin in U, CR = carb ratio in g/U: insulin and carbs are seen relative to the
    person's need. Values are clipped to [-5, 5]. Insulin on board follows LoopKit's exponential curve.

    ## Reward
    Sum of named terms (`info["reward_terms"]`, see `envs.rewards`), on true plasma glucose: `in_control`
    0.6 per hour, `low_risk` and `high_risk` minus the hour's weighted Kovatchev risk. Safety is apart:
    `info["cost"]` is the share of the minutes below 70 mg/dL plus the share below 54.

    ## Starting state
    00:00, equilibrium at basal insulin. Meals, sensor error and habits hang on split, seed, person, replica
    and episode.

    ## Episode end
    `terminated`: plasma glucose below 10 or above 600 mg/dL. `truncated`: after `days`.
    """

    def __init__(self, action: str = "modulation", oracle: bool = False, history: bool = False) -> None:
        if action not in ACTIONS:
            raise ValueError(
                f"action is {action!r}{near_miss(str(action), ACTIONS)}; allowed are {', '.join(ACTIONS)}"
            )
        self.action = action
        for name, given in (("oracle", oracle), ("history", history)):
            if not isinstance(given, bool):
                raise ValueError(f"{name} is {given!r}; allowed are True and False")
        self.oracle, self.history = oracle, history
        self.fields = _FIELDS[action]
        self.observation_names = (*NAMES, *PAST * history, *("plasma_glucose",) * oracle)

    def decode(self, action: NDArray[np.float64], view: View) -> Request:
        """See `Task.decode`: a dose in U/h and U from numbers in [-1, 1]."""
        scheduled = view.therapy[:, BASAL_U_PER_H]
        if self.action == "closed-loop":
            factor = np.expm1(_CLOSED_LOOP * (action[:, 0] + 1)) / np.expm1(_CLOSED_LOOP)
            above = np.maximum(factor - 1.0, 0.0)
            return Request((factor - above) * scheduled, above * scheduled * view.interval_min / 60)
        if self.action in ("basal", "hybrid"):
            rate = (action[:, 0] + 1) / 2 * MAX_BASAL_FACTOR * scheduled
            bolus = basal_bolus(view).bolus_u if self.action == "hybrid" else np.zeros(len(view))
            return Request(rate, bolus + 0.0 * rate)  # NaN stays an invalid request
        factors = np.empty_like(action)
        _modulation(action, factors)
        return basal_bolus(view, factors)

    def observe(self, view: View) -> NDArray[np.float32]:
        """See `Task.observe` and the table above."""
        out = np.empty((len(view), len(self.observation_names)), np.float32)
        _observe(
            view.now, view.cgm_buffer, view.position, view.therapy, view.weight_kg, view.interval_min, out
        )
        if self.history:
            past = out[:, FEATURES : FEATURES + len(PAST)]
            observe_past(view.now, view.hourly, view.therapy, past)
            np.clip(past, -WIDEST, WIDEST, out=past)
        if self.oracle:
            assert view.oracle_glucose_mg_dl is not None, "the setting has no oracle"
            out[:, -1] = np.clip((view.oracle_glucose_mg_dl - 140.0) / 100.0, -WIDEST, WIDEST)
        return out

    def terms(
        self, trace: NDArray[np.float64], interval_min: int, view: View
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """See `Task.terms`."""
        return dosing_terms(trace[:, :, GLUCOSE_MG_DL], interval_min)


@kernel
def _modulation(action, factors):  # type: ignore[no-untyped-def]
    for lane in range(len(action)):
        basal = 1.0 + BASAL_GAIN * action[lane, 0]
        factors[lane, 0] = 0.0 if basal < 0.0 else basal
        factors[lane, 1] = 1.0 + BOLUS_GAIN * action[lane, 1]


@kernel
def _observe(now, cgm_buffer, position, therapy, weight_kg, dt, out):  # type: ignore[no-untyped-def]
    length = cgm_buffer.shape[1] // 2
    p, every = position[0], CGM_EVERY_MIN // dt
    for lane in range(len(now)):
        row, settings, to = now[lane], therapy[lane], out[lane]
        value = row[v.CGM_MG_DL]  # the oldest known stands for what was before
        for k in range(length):
            reading = cgm_buffer[lane, p + k]
            if not np.isnan(reading):
                value = reading
                break
        # From old to new, so that a gap holds the reading before it.
        for k in range(CGM_READINGS):
            back = (CGM_READINGS - 1 - k) * every
            for j in range(every):  # the readings since the slot before
                at = length - 1 - back - (every - 1 - j)
                if at >= 0 and not np.isnan(cgm_buffer[lane, p + at]):
                    value = cgm_buffer[lane, p + at]
            to[CGM_READINGS - 1 - k] = (value - 140.0) / 100.0
        daily, ratio = settings[DAILY_INSULIN_U], settings[CARB_RATIO_G_PER_U]
        angle = 2.0 * np.pi * row[v.MINUTE_OF_DAY] / 1440.0
        c = CGM_READINGS
        to[c] = min(row[v.CGM_AGE_MIN] / 30.0, 1.0)
        to[c + 1] = row[v.SLOPE_MG_DL_PER_MIN] / 3.0
        to[c + 2] = row[v.IOB_U] / (0.2 * daily)
        to[c + 3] = row[v.IOB_NET_U] / (0.1 * daily)
        to[c + 4] = row[v.ACTIVITY_U_PER_H] / (daily / 12.0)
        to[c + 5] = row[v.INSULIN_30MIN_U] / (0.1 * daily)
        to[c + 6] = row[v.INSULIN_2H_U] / (0.2 * daily)
        to[c + 7] = row[v.COB_FAST_G] / (0.2 * daily * ratio)
        to[c + 8] = row[v.COB_SLOW_G] / (0.2 * daily * ratio)
        to[c + 9] = row[v.UNCOVERED_G] / (0.2 * daily * ratio)
        to[c + 10] = min(row[v.SINCE_ANNOUNCED_MIN] / 240.0, 1.0)
        to[c + 11] = np.sin(angle)
        to[c + 12] = np.cos(angle)
        to[c + 13] = np.log(settings[BASAL_U_PER_H])
        to[c + 14] = np.log(ratio / 12.0)
        to[c + 15] = np.log(settings[CORRECTION_FACTOR_MG_DL_PER_U] / 40.0)
        to[c + 16] = np.log(weight_kg[lane] / 60.0)
        to[c + 17] = np.log(daily / 40.0)
        for k in range(FEATURES):
            to[k] = min(max(to[k], -WIDEST), WIDEST)
