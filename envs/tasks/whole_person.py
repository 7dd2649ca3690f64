"""Insulin all day, exercise and sleep by plan. The task is the data sheet of `Homeostat/WholePerson-v0`."""

import numpy as np
from numpy.typing import NDArray

from envs.bouts.bounds import WEEK_MIN
from envs.living import advice as a
from envs.living import seen as s
from envs.living.advice import Moment, Plan
from envs.rewards import dosing_terms
from envs.tasks.dosing import NAMES as DOSING
from envs.tasks.dosing import WIDEST, Dosing
from envs.tasks.task import Field
from envs.therapy import Request
from envs.trace import GLUCOSE_MG_DL, RESCUE_G
from envs.view import View
from twins.cohort import CARB_RATIO_G_PER_U, DAILY_INSULIN_U

Array = NDArray[np.float64]

PER_ASKED_HOUR, PER_SHIFT_H, PER_GRAM = 0.5, 0.15, 0.02
"""Burden: price of an hour of exercise advised, of an hour by which bedtime and rising are advised to change, and of a
gram of carbohydrate eaten on advice or against a low. A day without risk is worth about 14 (assumed, as are all)."""
PER_DAY_UNMOVED, PER_HOUR_SHORT = 3.0, 3.0
"""What is a constraint has a price, each day: none of the 150 minutes of exercise in the last week, in proportion; and
an hour that its nights were shorter than usual. So high that few weeks fall short of what is best (assumed)."""
MIDDAY_H, EITHER_WAY_H = 14.0, 7.0

_LIVING = (
    "waking", "evening", "hour_sin", "hour_cos", "day_share", "work_today", "work_tomorrow", "heavy_today",
    "heavy_tomorrow", "usual_bed", "usual_rise", "to_bed", "in_bed", "slept", "slept_week", "watch_bed", "watch_rise",
    "sleepiness", "planned", "to_start", "since_start", "planned_min", "planned_reserve", "reserve", "active",
    "after_4h", "after_16h", "week_min", "asked_share", "steps_hour", "lux_hour", "carbs_30min",
)  # fmt: skip
NAMES = (*DOSING, *_LIVING)
ACTIONS = ("basal", "bolus", *a.PLAN)


class WholePerson:
    """Insulin, exercise and sleep of one person with type-1 diabetes. Research software, not a medical device.

    ## Description
    Four weeks of work and free days, from noon to noon. The person (UVA/Padova model with exercise, clock, sleep,
    stress, fitness: `twins.bodies.whole`) lives with the own basal-bolus therapy, counts carbs with error, treats lows
    that are noticed, sleeps less than needed on working days, is strained at work, seldom exercises. How strongly
    sleep, dawn, stress and training act is drawn for each person from a prior that includes not at all, and shown to
    nobody. Insulin is decided every 30 minutes (`decision_min=`); on waking today's exercise, and at 20:00 the coming
    night, which the person follows or not: at most seven times in ten (`twins.world.ordinary`). Bounds hold all advice
    (`envs.living.bounds`) and every dose; a session begins and pauses by the bounds of `envs.bouts.bounds`.

    ## Action space: `Box(-1, 1)`, 8 numbers; zero is the usual life
    | # | name | meaning | counts |
    |---|---|---|---|
    | 0 | basal | max(1 + 2.5 a, 0) of the scheduled basal rate | always |
    | 1 | bolus | 1 + 0.7 a of the meal bolus | always |
    | 2 | move_at | 14:00 + 7 a h | on waking |
    | 3 | move_min | 75 a minutes of exercise (below 10: none) | on waking |
    | 4 | move_reserve | 0.5 + 0.2 a of the heart rate's reserve | on waking |
    | 5 | move_carbs | 30 a g at the begin (0 and less: none) | on waking |
    | 6 | bed | usual bedtime + 1.5 a h | at 20:00 |
    | 7 | rise | usual rising + a h | at 20:00 |

    ## Observation space: `Box(-5, 5)`, 67 numbers (68 with `oracle=True`)
    The 35 of `envs.tasks.dosing.Dosing`; which moment it is (2); hour (sine, cosine), share of four weeks gone; work
    and heavy work today and tomorrow (4); usual bedtime - 24 h, usual rising - 7 h, minutes to bedtime / 960, in bed;
    by the watch sleep of the last night - 7 h and mean of seven - 7 h (/ 2), begin - 24 h and end - 7 h (/ 2);
    sleepiness said on waking (/ 9); the session planned: there, minutes to its start and since / 240, minutes / 75,
    reserve; the watch's reserve in use, active; time since the last exercise as 4-h and 16-h decay of its work / 30;
    minutes of the last seven days / 150, share of advised sessions begun, steps / 2000 and log10 lux / 4 of the last
    hour; carbs of half an hour on advice as the insulin they need / (0.1 daily insulin).

    ## Reward
    Terms of `envs.rewards` on true plasma glucose; `burden`: -0.5 for an hour of exercise advised, -0.15 for an hour by
    which bedtime and rising are to change, -0.02 a gram of carbohydrate eaten on advice or against lows; on each waking
    the constraints, of the last seven days: `move_short`: -3 for none of 150 minutes of exercise, in proportion,
    `sleep_short`: -3 for each hour that nights were shorter than usual, on average. `info["cost"]`: share of the
    minutes below 70 mg/dL plus the share below 54.

    ## Episode end
    `terminated`: plasma glucose below 10 or above 600 mg/dL. `truncated`: after 28 days, or `days`.
    """

    def __init__(self, oracle: bool = False) -> None:
        self._dosing = Dosing("modulation", oracle)
        self.fields: tuple[Field, ...] = (
            *self._dosing.fields,
            Field("move_at", MIDDAY_H - EITHER_WAY_H, MIDDAY_H + EITHER_WAY_H, "h", latched=True),
            Field("move_min", 0.0, a.MOST_MOVE_MIN, "min", latched=True),
            Field("move_reserve", a.LEAST_RESERVE, a.MOST_RESERVE, "of heart-rate reserve", latched=True),
            Field("move_carbs", 0.0, a.MOST_CARBS_G, "g", latched=True),
            Field("bed", -a.MOST_EARLIER_H, a.MOST_EARLIER_H, "h from the usual", latched=True),
            Field("rise", -a.MOST_RISE_H, a.MOST_RISE_H, "h from the usual", latched=True),
        )
        self.observation_names: tuple[str, ...] = (*NAMES, *("plasma_glucose",) * oracle)

    def decode(self, action: Array, view: View) -> Request:
        """See `Task.decode`: the own therapy, modulated, and a plan."""
        request = self._dosing.decode(action[:, :2], view)
        request.plan = plan_of(action[:, 2:], view).table()
        return request

    def observe(self, view: View) -> NDArray[np.float32]:
        """See `Task.observe` and the text above."""
        assert view.activity is not None, "nobody lives in this setting"
        t, needs = view.activity.T, 0.1 * view.therapy[:, DAILY_INSULIN_U]
        angle = 2 * np.pi * t[s.HOUR] / 24
        after = np.where(t[s.SINCE_END_MIN] > 0, t[s.SINCE_END_MIN], np.inf)
        columns = [
            t[s.MOMENT] == Moment.WAKING, t[s.MOMENT] == Moment.EVENING, np.sin(angle), np.cos(angle), t[s.DAY] / 28,
            t[s.WORK_TODAY], t[s.WORK_TOMORROW], t[s.HEAVY_TODAY], t[s.HEAVY_TOMORROW], t[s.USUAL_BED_H] - 24,
            t[s.USUAL_RISE_H] - 7, t[s.TO_BED_MIN] / 960, t[s.IN_BED], (t[s.SLEPT_H] - 7) / 2,
            (t[s.SLEPT_WEEK_H] - 7) / 2, (t[s.WATCH_BED_H] - 24) / 2, (t[s.WATCH_RISE_H] - 7) / 2, t[s.SLEEPINESS] / 9,
            t[s.PLANNED], np.maximum(t[s.TO_START_MIN], 0) / 240, np.maximum(-t[s.TO_START_MIN], 0) / 240,
            t[s.PLANNED_MIN] / 75, t[s.PLANNED_RESERVE], t[s.RESERVE], t[s.ACTIVE],
            np.exp(-after / 240) * t[s.LAST_WORK] / 30, np.exp(-after / 960) * t[s.LAST_WORK] / 30,
            t[s.WEEK_MIN] / WEEK_MIN, t[s.ASKED_SHARE], t[s.STEPS_HOUR] / 2000, np.log10(1 + t[s.LUX_HOUR]) / 4,
            t[s.CARBS_30MIN_G] / view.therapy[:, CARB_RATIO_G_PER_U] / needs,
        ]  # fmt: skip
        usual = self._dosing.observe(view)
        first = len(DOSING)
        lived = np.clip(np.stack(columns, axis=1), -WIDEST, WIDEST)
        return np.concatenate([usual[:, :first], lived, usual[:, first:]], axis=1).astype(np.float32)

    def terms(self, trace: Array, interval_min: int, view: View) -> tuple[dict[str, Array], Array]:
        """See `Task.terms`."""
        assert view.activity is not None, "nobody lives in this setting"
        terms, cost = dosing_terms(trace[:, :, GLUCOSE_MG_DL], interval_min)
        t = view.activity.T
        eaten = t[s.ATE_G] + trace[:, :, RESCUE_G].sum(axis=1)
        return terms | {
            "burden": -PER_ASKED_HOUR * t[s.ASKED_MIN] / 60 - PER_SHIFT_H * t[s.SHIFT_H] - PER_GRAM * eaten,
            "move_short": -PER_DAY_UNMOVED * t[s.SHORT_MIN] / WEEK_MIN,
            "sleep_short": -PER_HOUR_SHORT * t[s.SHORT_SLEEP_H],
        }, cost


def plan_of(action: Array, view: View) -> Plan:
    """The plan that the last six numbers of an action (n, 6) stand for."""
    assert view.activity is not None, "nobody lives in this setting"
    seen, x = view.activity, action.T
    return Plan(
        MIDDAY_H + EITHER_WAY_H * x[0], a.MOST_MOVE_MIN * np.maximum(x[1], 0.0),
        0.5 * (a.LEAST_RESERVE + a.MOST_RESERVE) + 0.5 * (a.MOST_RESERVE - a.LEAST_RESERVE) * x[2],
        a.MOST_CARBS_G * np.maximum(x[3], 0.0), seen[:, s.USUAL_BED_H] + a.MOST_EARLIER_H * x[4],
        seen[:, s.USUAL_RISE_H] + a.MOST_RISE_H * x[5],
    )  # fmt: skip
