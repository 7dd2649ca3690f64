"""How people dose and eat around a session of exercise: by consensus, by a higher target, as on any day; and extremes.

The consensus is Riddell et al., Lancet Diabetes Endocrinol 5 (2017) 377: less basal from 90 minutes before an aerobic
session until its end, less bolus with a meal before it (a quarter to three quarters, by intensity and length), 10 to
20 g of carbohydrate where glucose is not well above 126 mg/dL, half a bolus with the meal after, a fifth less basal in
the night, a snack at bedtime. Its numbers are gains: untuned they are those of the consensus.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agents.base import Treatment
from agents.tunable import Family, Gain, Tuned
from envs import view as v
from envs.bouts import seen as s
from envs.bouts.advice import MOST_CARBS_G, MOST_DELAY_MIN, MOST_FACTOR, Advice, Moment, request
from envs.bouts.bounds import CARBS_G, START_FROM_MG_DL
from envs.therapy import Request
from envs.view import View
from twins.cohort import BASAL_U_PER_H, CORRECTION_FACTOR_MG_DL_PER_U
from twins.world.sessions import AEROBIC

MILD, HEAVY = 0.40, 0.60
SHORT_MIN = 45
_BOLUS_CUTS = np.array([[0.25, 0.50], [0.50, 0.75], [0.75, 0.75]])
"""By intensity (mild, moderate, heavy) and length (30 min, 60 min)."""
WAIT_MIN, LOW_START_G = 15.0, 20.0

_GAINS = (
    Gain("basal_cut", 0.5, 0.0, 1.0, "share of basal taken away from 90 min before an aerobic session until its end"),
    Gain("other_share", 0.3, 0.0, 1.0, "of that and of the bolus cut for interval and resistance sessions"),
    Gain("bolus_cut", 1.0, 0.0, 1.3, "factor on the consensus' cut of a meal's bolus before a session"),
    Gain("start_below_mg_dl", 126.0, 80.0, 180.0, "carbohydrate before the start below this reading"),
    Gain("start_g", 10.0, 0.0, 30.0, "how much"),
    Gain("during_below_mg_dl", 110.0, 70.0, 180.0, "carbohydrate each quarter of an hour of it below this reading"),
    Gain("during_g", 10.0, 0.0, 30.0, "how much"),
    Gain("after_bolus_cut", 0.5, 0.0, 0.8, "share of the next meal's bolus taken away"),
    Gain("night_cut", 0.2, 0.0, 0.6, "share of basal taken away for six hours from bedtime on"),
    Gain("snack_below_mg_dl", 126.0, 70.0, 180.0, "a snack at bedtime below this reading"),
    Gain("snack_g", 15.0, 0.0, 30.0, "how much"),
)  # fmt: skip
(
    _BASAL, _OTHER, _BOLUS, _START_BELOW, _START_G, _DURING_BELOW, _DURING_G, _AFTER, _NIGHT, _SNACK_BELOW, _SNACK_G,
) = range(len(_GAINS))  # fmt: skip


def consensus(view: View, values: NDArray[np.float64]) -> Request:
    """What the consensus asks for under gains (n, 11) of every lane."""
    assert view.activity is not None, "there is no session in this setting"
    seen, gain, glucose = view.activity.T, values.T, view.now[:, v.CGM_MG_DL]
    moment, other = seen[s.MOMENT], seen[s.PLANNED_KIND] != AEROBIC
    strength = np.where(other, gain[_OTHER], 1.0)
    level = np.searchsorted([MILD, HEAVY], seen[s.PLANNED_INTENSITY], side="right")
    bolus_cut = gain[_BOLUS] * strength * _BOLUS_CUTS[level, (seen[s.PLANNED_MIN] > SHORT_MIN).astype(int)]
    ends, starts = moment == Moment.END, moment == Moment.START
    trained = seen[s.DONE_SHARE] > 0
    low = starts & (glucose < START_FROM_MG_DL)
    carbs = np.where(starts & (glucose < gain[_START_BELOW]), gain[_START_G], 0.0)
    carbs = np.where(low, np.maximum(carbs, LOW_START_G), carbs)
    during = (moment == Moment.DURING) & (glucose < gain[_DURING_BELOW])
    return request(
        view,
        Advice(
            basal=np.where(ends, 1.0, 1.0 - gain[_BASAL] * strength),
            bolus=np.where(
                ends, np.where(trained, 1.0 - gain[_AFTER], 1.0), np.maximum(1.0 - bolus_cut, 0.0)
            ),
            carbs_g=np.where(during, gain[_DURING_G], carbs),
            delay_min=np.where(low, WAIT_MIN, 0.0),
            bedtime_basal=np.where(trained, 1.0 - gain[_NIGHT], 1.0),
            bedtime_snack_g=np.where(trained & (glucose < gain[_SNACK_BELOW]), gain[_SNACK_G], 0.0),
        ),
    )


CONSENSUS = Family("consensus", _GAINS, consensus)

TARGET_MG_DL, NORMAL_MG_DL, HALF_BASAL_MG_DL = 140.0, 100.0, 160.0
"""A target for exercise, the usual one, and that at which basal would be halved (defaults of oref0)."""
TARGET_UNTIL_MIN, AHEAD_MIN, MOST_TEMP = 120.0, 30.0, 2.0


class HigherTarget:
    """A loop that doses basal for a higher target from 90 min before a session until two hours after, as oref0 with an
    exercise target: basal times 0.6, more or less as glucose, its trend and insulin on board say; at every reading.
    Otherwise the usual therapy. Carbohydrate only where a bound asks for it."""

    def act(self, view: View) -> Request:
        """See `agents.base.Treatment`."""
        assert view.activity is not None, "there is no session in this setting"
        seen, now = view.activity.T, view.now
        low = (seen[s.MOMENT] == Moment.START) & (now[:, v.CGM_MG_DL] < START_FROM_MG_DL)
        usual = Advice.none(len(view))
        asked = request(
            view,
            Advice(
                usual.basal, usual.bolus, np.where(low, CARBS_G, 0.0), np.where(low, WAIT_MIN, 0.0),
                usual.bedtime_basal, usual.bedtime_snack_g,
            ),
        )  # fmt: skip
        before = (seen[s.PLANNED] > 0) & (seen[s.TO_START_MIN] <= 90)
        after = (seen[s.SINCE_END_MIN] > 0) & (seen[s.SINCE_END_MIN] <= TARGET_UNTIL_MIN)
        reach = HALF_BASAL_MG_DL - NORMAL_MG_DL
        ratio = reach / (reach + TARGET_MG_DL - NORMAL_MG_DL)
        factor = view.therapy[:, CORRECTION_FACTOR_MG_DL_PER_U] / ratio
        scheduled = view.therapy[:, BASAL_U_PER_H]
        expected = -(now[:, v.ACTIVITY_U_PER_H] - scheduled) / 60.0 * factor
        eventual = (
            now[:, v.CGM_MG_DL]
            - now[:, v.IOB_NET_U] * factor
            + AHEAD_MIN * (now[:, v.SLOPE_MG_DL_PER_MIN] - expected)
        )
        rate = ratio * scheduled + 2.0 * (eventual - TARGET_MG_DL) / factor
        known = np.isfinite(rate)
        temp = np.where(known, np.clip(rate, 0.0, MOST_TEMP * scheduled), ratio * scheduled)
        asked.basal_u_per_h = np.where(before | after, temp, asked.basal_u_per_h)
        return asked


class Always:
    """The same advice at every moment. Raises nothing; what is out of range counts as the nearest bound."""

    def __init__(self, factor: float = 1.0, carbs_g: float = 0.0, delay_min: float = 0.0) -> None:
        self._amounts = factor, factor, carbs_g, delay_min, factor, carbs_g

    def act(self, view: View) -> Request:
        """See `agents.base.Treatment`."""
        return request(view, Advice(*(np.full(len(view), amount) for amount in self._amounts)))


class Anything:
    """Random advice; what, hangs on the seed, on how often it was asked and for how many."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, view: View) -> Request:
        """See `agents.base.Treatment`."""
        u = self._rng.random((6, len(view)))
        most = (MOST_FACTOR, MOST_FACTOR, MOST_CARBS_G, MOST_DELAY_MIN, MOST_FACTOR, MOST_CARBS_G)
        return request(view, Advice(*(u * np.array(most)[:, None])))


SESSION_AGENTS: dict[str, Callable[[], Treatment]] = {
    "usual": Always,
    "consensus": lambda: Tuned(CONSENSUS),
    "higher-target": HigherTarget,
    "zero": lambda: Always(0.0),
    "most": lambda: Always(MOST_FACTOR, MOST_CARBS_G, MOST_DELAY_MIN),
    "random": Anything,
}
"""By name. usual: the therapy of other days. zero: neither insulin nor food at any moment."""
