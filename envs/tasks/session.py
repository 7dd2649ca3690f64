"""The task around a session: how to dose and eat around it. The data sheet of `Homeostat/Exercise-v0`."""

import numpy as np
from numpy.typing import NDArray

from envs.bouts import seen as s
from envs.bouts.advice import MOST_CARBS_G, MOST_DELAY_MIN, MOST_FACTOR, Advice, Moment, request
from envs.rewards import dosing_terms
from envs.tasks.dosing import NAMES as DOSING
from envs.tasks.dosing import WIDEST, Dosing
from envs.tasks.task import Field
from envs.therapy import Request
from envs.trace import GLUCOSE_MG_DL, RESCUE_G
from envs.view import View
from twins.cohort import CARB_RATIO_G_PER_U, DAILY_INSULIN_U
from twins.world.sessions import KINDS

PER_LOW_HOUR, PER_GRAM, PER_MISSED_SESSION = 10.0, 0.02, 4.0
"""Price of an hour below 70 mg/dL (below 54 it counts twice), of a gram of carbohydrate eaten on advice or against a
low, and of a session of which less than 90 % was done, so that avoiding exercise loses. A day without risk is worth
about 14."""

_MOMENTS = tuple(f"moment_{moment.name.lower()}" for moment in Moment if moment)
_BOUT = (
    "planned", "to_start", "since_start", "planned_intensity", "planned_min", *(f"kind_{kind}" for kind in KINDS),
    "reserve", "active", "done_share", "work_left", "after_4h", "after_16h", "to_bedtime", "basal_factor",
    "bolus_factor", "night_factor", "night_left", "carbs_30min", "refused",
)  # fmt: skip
NAMES = (*DOSING, *_MOMENTS, *_BOUT)


class AroundSession:
    """Insulin and food around a session of exercise in type-1 diabetes. Research software, not a medical device.

    ## Description
    A session comes from outside: aerobic, interval or resistance, 30 to 90 minutes. What is planned is known inexactly;
    30 % of the planned ones are cancelled when they should begin, and 20 % of those that take place were not planned.
    The person (UVA/Padova model with exercise) lives with the own basal-bolus therapy, counts carbs with error, treats
    lows that are noticed, and begins only within bounds (`envs.bouts.bounds`; `shield="off"` lifts these, too). On
    ordinary days nothing is planned and nothing comes. What is advised at the start is eaten also where the session is
    cancelled then. An episode reaches from 2 h before the planned start to 24 h after it; 6 h before it are lived under
    the therapy, so that insulin and food are on board.

    ## Action space: `Box(-1, 1)`, 6 numbers; zero is the usual therapy
    | # | name | meaning | counts |
    |---|---|---|---|
    | 0 | basal | 0 to 1.2 x scheduled basal (0 is 1) until the next moment | -90, -30, 0 min, each 15 min during, end |
    | 1 | bolus | 0 to 1.2 x meal bolus (0 is 1) until the next moment; after the end for one meal | the same |
    | 2 | carbs | 0 to 30 g now (0 and less is none) | the same |
    | 3 | delay | the start 0 to 30 min after the planned one (0 and less is none) | 0, each 15 min until it begins |
    | 4 | bedtime_basal | 0 to 1.2 x scheduled basal for 6 h (0 is 1) | at 22:30 |
    | 5 | bedtime_snack | 0 to 30 g (0 and less is none) | at 22:30 |

    ## Observation space: `Box(-5, 5)`, 62 numbers (63 with `oracle=True`)
    The 35 of `envs.tasks.dosing.Dosing`; which moment it is (6); the plan, while there is one: it is there, minutes to
    its start and since / 120, intensity, minutes / 90, its kind (3); share of the heart-rate reserve by the watch; goes
    on, share done, intensity-minutes left / 60; time since the end as 4-h and 16-h decay; minutes to bedtime / 1440;
    factors in force - 1 (basal, bolus, night's), minutes left of the night's / 360; advised carbs of half an hour as
    the insulin they need / (0.1 daily insulin); a bound holds the start back.

    ## Reward
    Terms of `envs.rewards` on true plasma glucose; `low_time`: -10 an hour below 70 mg/dL, again below 54, since lows
    are what exercise is feared for; `carbs`: -0.02 a gram, advised or against lows; `missed_session`: -4 when a session
    that was not cancelled is over with less than 90 % of its intensity-minutes.
    `info["cost"]`: share of the minutes below 70 mg/dL plus the share below 54.

    ## Episode end
    `terminated`: plasma glucose below 10 or above 600 mg/dL. `truncated`: after 26 h, or `days`.
    """

    def __init__(self, oracle: bool = False) -> None:
        self._dosing = Dosing("modulation", oracle)
        self.fields: tuple[Field, ...] = (
            Field("basal", 0.0, MOST_FACTOR, "x scheduled basal", latched=True),
            Field("bolus", 0.0, MOST_FACTOR, "x meal bolus", latched=True),
            Field("carbs", 0.0, MOST_CARBS_G, "g"),
            Field("delay", 0.0, MOST_DELAY_MIN, "min"),
            Field("bedtime_basal", 0.0, MOST_FACTOR, "x scheduled basal", latched=True),
            Field("bedtime_snack", 0.0, MOST_CARBS_G, "g"),
        )
        self.observation_names: tuple[str, ...] = (*NAMES, *("plasma_glucose",) * oracle)

    def decode(self, action: NDArray[np.float64], view: View) -> Request:
        """See `Task.decode`: the person's own therapy under the advice that the numbers stand for."""
        a = action.T
        return request(
            view,
            Advice(
                _factor(a[0]), _factor(a[1]), _amount(a[2], MOST_CARBS_G), _amount(a[3], MOST_DELAY_MIN), _factor(a[4]),
                _amount(a[5], MOST_CARBS_G),
            ),
        )  # fmt: skip

    def observe(self, view: View) -> NDArray[np.float32]:
        """See `Task.observe` and the text above."""
        assert view.activity is not None, "there is no session in this setting"
        seen, needs = view.activity.T, 0.1 * view.therapy[:, DAILY_INSULIN_U]
        moment, planned = seen[s.MOMENT], seen[s.PLANNED] > 0
        kind = np.where(planned, seen[s.PLANNED_KIND], -1)
        after = np.where(seen[s.SINCE_END_MIN] > 0, seen[s.SINCE_END_MIN], np.inf)
        columns = [
            *(moment == int(one) for one in Moment if one), planned, np.maximum(seen[s.TO_START_MIN], 0) / 120,
            np.maximum(-seen[s.TO_START_MIN], 0) / 120, seen[s.PLANNED_INTENSITY], seen[s.PLANNED_MIN] / 90,
            *(kind == k for k in range(len(KINDS))), seen[s.RESERVE], seen[s.ACTIVE], seen[s.DONE_SHARE],
            seen[s.PLANNED_INTENSITY] * seen[s.PLANNED_MIN] * (1 - seen[s.DONE_SHARE]) / 60,
            np.exp(-after / 240), np.exp(-after / 960), seen[s.TO_BEDTIME_MIN] / 1440, seen[s.BASAL_FACTOR] - 1,
            seen[s.BOLUS_FACTOR] - 1, seen[s.BEDTIME_FACTOR] - 1, seen[s.BEDTIME_LEFT_MIN] / 360,
            seen[s.CARBS_30MIN_G] / view.therapy[:, CARB_RATIO_G_PER_U] / needs, seen[s.REFUSED],
        ]  # fmt: skip
        usual = self._dosing.observe(view)
        first = len(DOSING)
        bout = np.clip(np.stack(columns, axis=1), -WIDEST, WIDEST)
        return np.concatenate([usual[:, :first], bout, usual[:, first:]], axis=1).astype(np.float32)

    def terms(
        self, trace: NDArray[np.float64], interval_min: int, view: View
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """See `Task.terms`."""
        assert view.activity is not None, "there is no session in this setting"
        terms, cost = dosing_terms(trace[:, :, GLUCOSE_MG_DL], interval_min)
        seen = view.activity
        eaten = seen[:, s.ATE_G] + trace[:, :, RESCUE_G].sum(axis=1)
        missed = (seen[:, s.MISSED] > 0) & (seen[:, s.ENDED] > 0)
        low = -PER_LOW_HOUR * cost * trace.shape[1] / 60
        return terms | {
            "low_time": low,
            "carbs": -PER_GRAM * eaten,
            "missed_session": -PER_MISSED_SESSION * missed,
        }, cost


def _factor(a: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 at -1, 1 at 0, the most at 1."""
    return np.where(a > 0, 1 + (MOST_FACTOR - 1) * a, 1 + a)


def _amount(a: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """None at 0 and below, the most at 1."""
    return most * np.maximum(a, 0.0)
