"""The planning task: which session today. The class is the data sheet of `Homeostat/Exercise-v0` with `task="plan"`."""

import numpy as np
from numpy.typing import NDArray

from envs.bouts.bounds import WEEK_MIN
from envs.season.session import LEAST_INTENSITY, MOST_INTENSITY, Session, minutes_for
from envs.season.view import HISTORY_DAYS, SeasonView
from envs.tasks.dosing import WIDEST
from envs.tasks.task import Field
from twins.bodies.fitness import MEDIANS, PARAMETERS

MOST_SHARE = 2.0
"""A day's load that can be asked for, over the prescribed daily load."""
WEEK_DAYS = 7
PER_DAY_LOST, PER_WEEK_SHORT, PER_SHARE_OFF, WITHIN = 0.3, 0.5, 20.0, 0.10
SEEN_DAYS = 7
NAMES = (
    "day_share", "days_left_share", *(f"load_{k}d" for k in range(SEEN_DAYS)), "acute", "chronic", "ratio",
    "minutes_week", "hard_days", "days_since_rest", "skipped", "resting_bpm", "hrv", "mean_resting_bpm", "mean_hrv",
    "trial_gain", "trial_change", "trial_age", "skipped_morning", "skipped_evening", "planned_morning",
    "planned_evening", "injured", "done_share", "ahead_of_plan", "target_load", "week_day_sin", "week_day_cos",
)  # fmt: skip
LOST = 8
"""Column of a day's record, see `envs.season.core.RECORD` (a test holds the two together)."""
_SPARE = 1e-9


class Plan:
    """A season's training, one decision a day. Research software, not a medical device.

    ## Description
    A person trains for 84 days. Time constants, gains and frailty of the body are drawn for each season and hidden; a
    watch shows resting heart rate and HRV, a noisy time trial comes once a week. The bounds (`envs.season.bounds`) hold
    every session, and the person does it or does not (`envs.season.life`).

    ## Action space: `Box(-1, 1)`, 3 numbers
    | # | name | meaning |
    |---|---|---|
    | 0 | load | 0 to 2 times the prescribed daily load; sessions under 10 min are rest |
    | 1 | intensity | 0.30 to 0.95 of the heart-rate reserve; load and intensity give the minutes, at most 150 |
    | 2 | evening | above 0 in the evening, else in the morning |

    So zeros are the prescribed load every day, at 0.625 of the reserve. Kinds of training (running, intervals, weights)
    are no choice, see `envs.season.session.Session`.

    ## Observation space: `Box(-5, 5)`, 33 numbers (44 with `oracle=True`)
    Shares of the season gone and left; loads of the last 7 days, acute and chronic load relative to the prescribed
    daily load, their ratio; minutes of the week / 150; vigorous days of 7; days since rest; share of sessions skipped;
    resting heart rate and HRV against before the season, of this morning and as means of a week; the last trial against
    the first and against the one before, and its age; share of sessions skipped by time of day, and how many there
    were; injured; load done over prescribed; the same ahead of an even plan; prescribed daily load; day of the week.
    Under `oracle=True` the logarithms of the body's parameters over their medians.

    ## Reward
    `performance`: its change today, so that a season's sum is the gain (points); `days_lost`: -0.3 for each day
    without training for an injury; `week_short`: -0.5 for a week of no minutes, in proportion below 150, unless a day
    of it was lost; `load_off`: at the end, -20 for each unit by which the load is more than 10 % off the prescribed.
    `info["cost"]`: 1 for a day lost.

    With `foreseen=True` `performance` is the change of what performance on the last day would be if rest followed: the
    same sum, but for what rest from the first day on would leave, which hangs on nobody's choice. So the best plan is
    the same (Ng, Harada & Russell, ICML 1999), and what a day is worth is told on that day.

    ## Episode end
    `terminated` after `days`, never truncated: the objective ends with the season, and what is left of it is seen, so
    that nothing may be expected beyond (Pardo et al., ICML 2018).
    """

    def __init__(self, oracle: bool = False) -> None:
        self.oracle = oracle
        self.fields = (
            Field("load", 0.0, MOST_SHARE, "times the prescribed daily load"),
            Field("intensity", LEAST_INTENSITY, MOST_INTENSITY, "share of the heart-rate reserve"),
            Field("evening", 0.0, 1.0, "morning, evening"),
        )
        self.observation_names = (*NAMES, *(f"body_{name}" for name in PARAMETERS if oracle))

    def decode(self, action: NDArray[np.float64], view: SeasonView) -> Session:
        """A session from numbers in [-1, 1]; what is not finite is rest."""
        a = np.clip(np.where(np.isfinite(action), action, np.nan), -1.0, 1.0)
        middle, half = (LEAST_INTENSITY + MOST_INTENSITY) / 2, (MOST_INTENSITY - LEAST_INTENSITY) / 2
        times = MOST_SHARE / 2 * (1 + a[:, 0])
        intensity = middle + half * a[:, 1]
        minutes = minutes_for(times * view.target_load / view.days, intensity)
        return Session.checked(minutes, intensity, np.nan_to_num(a[:, 2]) > 0)

    def observe(self, view: SeasonView, body: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """What is seen (n, O); body (n, P): only under oracle."""
        n, daily = len(view), np.maximum(view.target_load / view.days, 1e-3)
        share = view.day / view.days
        rested = np.argmax(view.minutes[:, ::-1] == 0, axis=1)
        rested = np.where((view.minutes > 0).all(axis=1), HISTORY_DAYS, rested)
        angle = 2 * np.pi * view.day / WEEK_DAYS
        columns = [
            share, 1 - share, *(view.loads[:, -1 - k] / daily / 2 for k in range(SEEN_DAYS)), view.acute / daily / 2,
            view.chronic / daily / 2, view.acute / np.maximum(view.chronic, 1e-3) - 1,
            view.minutes[:, -WEEK_DAYS:].sum(axis=1) / WEEK_MIN - 1, view.hard[:, -WEEK_DAYS:].sum(axis=1) / 3 - 1,
            rested / 6, view.skipped.mean(axis=1) * 4, (view.resting_bpm - view.usual_bpm) / 10,
            (view.hrv_ln_ms - view.usual_hrv_ln_ms) * 4, (view.mean_bpm - view.usual_bpm) / 4,
            (view.mean_hrv_ln_ms - view.usual_hrv_ln_ms) * 10, (view.trial - view.first_trial) / 10,
            (view.trial - view.trial_before) / 5, view.trial_age_days / WEEK_DAYS,
            *(4 * part for part in skipped_share(view)), np.minimum((view.planned - view.planned_evening) / 10, 1),
            np.minimum(view.planned_evening / 10, 1), view.injured,
            view.done_load / np.maximum(view.target_load, 1e-3),
            view.done_load / np.maximum(view.target_load, 1e-3) - share, daily, np.sin(angle), np.cos(angle),
        ]  # fmt: skip
        out = np.empty((n, len(self.observation_names)), np.float32)
        for column, value in enumerate(columns):
            out[:, column] = value
        if self.oracle:
            assert body is not None, "the setting has no oracle"
            out[:, len(NAMES) :] = np.log(body / MEDIANS)
        return np.clip(out, -WIDEST, WIDEST)

    def terms(
        self, record: NDArray[np.float64], view: SeasonView, gained: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Reward terms by name (n,), after a day: view is that of the next morning."""
        lost = record[:, 0, LOST]
        whole = (view.day % WEEK_DAYS == 0) & (view.lost[:, -WEEK_DAYS:].sum(axis=1) == 0)
        short = np.maximum(1 - view.minutes[:, -WEEK_DAYS:].sum(axis=1) / WEEK_MIN, 0.0)
        over = view.day >= view.days
        off = np.maximum(
            np.abs(view.done_load / np.maximum(view.target_load, 1e-3) - 1) - WITHIN - _SPARE, 0.0
        )
        return {
            "performance": gained,
            "days_lost": -PER_DAY_LOST * lost,
            "week_short": np.where(whole, -PER_WEEK_SHORT * short, 0.0),
            "load_off": np.where(over, -PER_SHARE_OFF * off, 0.0),
        }


def skipped_share(view: SeasonView) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the sessions in the morning and of those in the evening that were skipped, each (n,), as if two more had
    been planned and a quarter of one skipped."""
    evening = (view.skipped_evening + 0.25) / (view.planned_evening + 2)
    skipped, planned = view.skipped_of - view.skipped_evening, view.planned - view.planned_evening
    return (skipped + 0.25) / (planned + 2), evening
