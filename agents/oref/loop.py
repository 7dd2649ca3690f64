"""oref0 as a treatment: what it remembers of readings, insulin and meals, and the pump's rate between its decisions."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.oref import autosens, carbs
from agents.oref.determine import determine
from agents.oref.insulin import Projection
from agents.oref.situation import PROFILE, SITUATION, Preferences, Records, empty
from envs import view as v
from envs.therapy import Request
from envs.view import View
from twins.cohort import (
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
    Cohort,
)
from twins.kernels import kernel
from twins.units import MINUTES_PER_DAY

TARGET_MG_DL = 110.0
MEALS_KEPT = 24
BASAL_AT_MOST = 4.0
"""A temporary rate is at most this many times the scheduled one; oref0's own multipliers hold beside it."""

TEMPORARY_RATES = Preferences()
MICROBOLUSES = replace(TEMPORARY_RATES, smb_always=True)
"""oref1: microboluses at any time."""


class Oref0:
    """Temporary basal rates, and microboluses where preferences allow them, by oref0 with autosens.

    Announced carbs get carbs / ratio at once, as its users bolus for meals; everything else is the loop's. The most
    insulin on board is what the documentation advises: a mean meal's bolus (a sixth of the daily insulin) and three
    hours of basal insulin. It meets its people, for it remembers a day of them; who begins anew, or was not asked for a
    while, is noticed by the clock. What a shield leaves of a rate it is not told: it sees what was delivered in its
    insulin on board, but takes the rate that it asked for as running.
    """

    def __init__(
        self, preferences: Preferences = TEMPORARY_RATES, target_mg_dl: float = TARGET_MG_DL
    ) -> None:
        if not 80 <= target_mg_dl <= 200:
            raise ValueError(f"target of oref0 is {target_mg_dl} mg/dL; give one from 80 to 200")
        self._preferences, self._target = preferences, target_mg_dl
        self._at = np.empty(0)

    def meet(
        self, twins: Cohort, rows: NDArray[np.int64], keys: NDArray[np.uint32], interval_min: int
    ) -> None:
        """See `Acquainted.meet`."""
        self._begin(len(rows), interval_min)

    def _begin(self, n: int, interval_min: int) -> None:
        length = MINUTES_PER_DAY // interval_min + 1
        self._readings = np.full((n, length), np.nan)
        self._bgi, self._iob = np.zeros((n, length)), np.zeros((n, length))
        self._meal_age, self._meal_g = np.full((n, MEALS_KEPT), np.nan), np.full((n, MEALS_KEPT), np.nan)
        self._rate, self._left = np.zeros(n), np.zeros(n)
        self._projection = Projection(interval_min)
        self._at = np.full(n, np.nan)

    def _catch_up(self, view: View) -> None:
        """Forget who begins anew; of whoever was not asked for some intervals, let that time pass."""
        now = view.now[:, v.RUNNING_MIN]
        for lane in np.flatnonzero(now - self._at != view.interval_min):
            missed = (now[lane] - self._at[lane]) / view.interval_min - 1
            if not 0 < missed < self._readings.shape[1]:  # the first time, or time went back
                self._readings[lane], self._meal_age[lane], self._meal_g[lane] = np.nan, np.nan, np.nan
                self._bgi[lane] = self._iob[lane] = self._rate[lane] = self._left[lane] = 0.0
                continue
            steps, seen = int(missed), view.cgm_history_mg_dl[lane, -2::-1]
            for kept in (self._readings, self._bgi, self._iob):
                kept[lane, steps:] = kept[lane, :-steps].copy()
                kept[lane, :steps] = kept[lane, steps]
            self._readings[lane, :steps] = np.nan
            told = min(steps, len(seen))
            self._readings[lane, :told] = seen[:told]
            self._meal_age[lane] += missed * view.interval_min
            self._left[lane] = max(self._left[lane] - missed * view.interval_min, 0.0)
        self._at = now.copy()

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        if len(view) != len(self._at):  # whoever was not met has no past yet
            self._begin(len(view), view.interval_min)
        scheduled, isf = view.therapy[:, BASAL_U_PER_H], view.therapy[:, CORRECTION_FACTOR_MG_DL_PER_U]
        self._catch_up(view)
        net = view.insulin_history_u - (scheduled * view.interval_min / 60)[:, None]
        iob, activity, zero = self._projection.of(net, scheduled)
        self._remember(view, iob, -activity[:, 0] * isf * view.interval_min)
        self._left = np.maximum(self._left - view.interval_min, 0.0)
        self._rate = np.where(self._left > 0, self._rate, 0.0)
        now, profile = self._situation(view, iob, activity[:, 0]), self._profile(view)
        answer, _ = determine(now, profile, activity, zero, self._preferences, True)
        sets = ~np.isnan(answer.rate_u_per_h)
        self._rate = np.where(sets, answer.rate_u_per_h, self._rate)
        self._left = np.where(sets, answer.duration_min, self._left)
        meal = view.now[:, v.UNCOVERED_G] / view.therapy[:, CARB_RATIO_G_PER_U]
        return Request(
            np.where(self._left > 0, self._rate, scheduled), meal + np.nan_to_num(answer.microbolus_u)
        )

    def _remember(self, view: View, iob: NDArray[np.float64], bgi: NDArray[np.float64]) -> None:
        for kept, newest in (
            (self._readings, view.cgm_history_mg_dl[:, -1]),
            (self._bgi, bgi),
            (self._iob, iob),
        ):
            kept[:, 1:] = kept[:, :-1]
            kept[:, 0] = newest
        self._meal_age += view.interval_min
        eats = view.now[:, v.ANNOUNCED_G] > 0
        for kept, newest in (
            (self._meal_age, np.zeros(len(view))),
            (self._meal_g, view.now[:, v.ANNOUNCED_G]),
        ):
            kept[eats, 1:] = kept[eats, :-1]
            kept[eats, 0] = newest[eats]

    def _profile(self, view: View) -> Records:
        profile = empty(PROFILE, len(view))
        basal = view.therapy[:, BASAL_U_PER_H]
        profile.basal_u_per_h = profile.max_daily_basal_u_per_h = basal
        profile.max_basal_u_per_h = BASAL_AT_MOST * basal
        profile.max_iob_u = view.therapy[:, DAILY_INSULIN_U] / 6 + 3 * basal
        profile.isf_mg_dl_per_u = view.therapy[:, CORRECTION_FACTOR_MG_DL_PER_U]
        profile.carb_ratio_g_per_u = view.therapy[:, CARB_RATIO_G_PER_U]
        profile.low_target_mg_dl = profile.high_target_mg_dl = self._target
        profile.temp_target = 0.0
        return profile

    def _situation(self, view: View, iob: NDArray[np.float64], activity: NDArray[np.float64]) -> Records:
        now = empty(SITUATION, len(view))
        now.noise, now.temp_u_per_h, now.temp_left_min = 0.0, self._rate, self._left
        now.iob_u, now.activity_u_per_min = iob, activity
        now.since_bolus_min = view.now[:, v.SINCE_BOLUS_MIN]
        # Copies: columns and slices of a view are laid out in several ways, each of which is compiled for by itself.
        minute, therapy = view.now[:, v.MINUTE_OF_DAY].copy(), view.therapy.copy()
        _look_back(
            self._readings, self._bgi, self._iob, self._meal_age, self._meal_g, minute, therapy,
            self._preferences.record(), view.interval_min, now,
        )  # fmt: skip
        return now


@kernel
def _look_back(readings, bgi, iob, meal_age, meal_g, minute_of_day, therapy, preferences, interval, now):  # type: ignore[no-untyped-def]
    """Fill in what a situation says of the past, lane by lane; of a reading over 30 min old only its age."""
    length = readings.shape[1]
    line, kept = np.empty(length), np.empty(length + 2 * 24 + 96)
    for i in range(len(now)):
        first = 0
        while first < length and not readings[i, first] >= carbs.LEAST_MG_DL:
            first += 1
        age = first * interval
        now[i].age_min, now[i].autosens = age, 1.0
        now[i].glucose_mg_dl = now[i].delta = now[i].short_delta = now[i].long_delta = 0.0
        now[i].carbs_g = now[i].cob_g = 0.0
        now[i].since_carbs_min, now[i].slope_from_max, now[i].slope_from_min = 0.0, 0.0, 999.0
        if age > 30:
            continue
        past, effect = readings[i, first:], bgi[i, first:]
        now[i].glucose_mg_dl, now[i].delta, now[i].short_delta, now[i].long_delta = carbs.changes(past, interval)
        count = carbs.filled(past, line)
        ages = meal_age[i] - age
        sens, ratio = therapy[i, CORRECTION_FACTOR_MG_DL_PER_U], therapy[i, CARB_RATIO_G_PER_U]
        least, most = preferences.min_carb_impact, preferences.max_cob_g
        eaten, rest, since = carbs.on_board(
            line, effect, count, ages, meal_g[i], sens, ratio, least, most, interval
        )
        now[i].carbs_g, now[i].cob_g, now[i].since_carbs_min = eaten, rest, min(since, 1440.0) + age
        _, now[i].slope_from_max, now[i].slope_from_min = carbs.slopes(line, effect, count, interval)
        basal = therapy[i, BASAL_U_PER_H]
        found = preferences.autosens_max
        for lookback in autosens.LOOKBACKS_MIN:
            found = min(found, autosens.ratio(
                line, effect, iob[i, first:], count, ages, meal_g[i], minute_of_day[i] - age, basal, basal, sens, ratio,
                least, preferences.autosens_min, preferences.autosens_max, interval, lookback, kept,
            ))  # fmt: skip
        now[i].autosens = found
