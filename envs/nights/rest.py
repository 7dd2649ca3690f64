"""The task of sleep: when to bed, when up, a nap, light. The class is the data sheet of `Homeostat/Sleep-v0`."""

import numpy as np
from numpy.typing import NDArray

from envs.nights.night import DAY_H, MOST_AVOID_H, MOST_NAP_H, MOST_SEEK_H, Night
from envs.nights.view import ASKED_AT, LIGHT_BINS, SEEN_DAYS, NightsView
from envs.tasks.dosing import WIDEST
from envs.tasks.task import Field
from twins.world.duties import DUTIES, KINDS, USUAL_H

MOST_SHIFT_H = 4.0
"""Bed and rise can be asked for so much from the usual hours of the day's duty."""
PER_LAPSE, PER_HOUR_SHORT, PER_HOUR_IN_BED, FREE_H = 0.2, 0.5, 0.35, 8.0
"""Price of a lapse in ten minutes of attention, as a mean over required hours, of an hour of sleep too few, and of an
hour in bed beyond eight, naps included, which is an hour less of a day."""
LAPSES_AT_3, LAPSES_PER_KSS = 3.0, 0.32
"""Lapses of a ten-minute test at a sleepiness of 3, and their logarithm by each point: about 15 at 8 (assumed). After
two weeks of six hours people had about 15 (Van Dongen et al., Sleep 26 (2003) 117); here they have 5 to 6, since the
three-process model holds no debt of many nights."""
AHEAD_DAYS = 3
NAMES = (
    "day_share", *(f"kind_{kind}" for kind in KINDS),
    *(f"duty_{k}d_{duty}" for k in range(AHEAD_DAYS) for duty in DUTIES), "daylight",
    *(f"{name}_{k}d" for name in ("slept", "fell_asleep", "woke", "lowest_heart") for k in range(SEEN_DAYS)),
    *(f"light_{3 * k}h" for k in range(LIGHT_BINS)), *(f"sleepiness_{k}" for k in range(ASKED_AT)), "bed", "rise",
)  # fmt: skip


class Rest:
    """Sleep and light under imposed hours, one decision a day. Research software, not a medical device.

    ## Description
    Three weeks of a person whose clock (Forger's by default) and sleep are drawn and hidden: after a flight across
    eight zones, on a rota of nights, or at school (`twins.world.duties`). Every day at 18:00, when nobody's usual hours
    are asleep, the next 24 hours are planned; the bounds (`envs.nights.bounds`) hold each plan.

    ## Action space: `Box(-1, 1)`, 8 numbers
    | # | name | meaning |
    |---|---|---|
    | 0, 1 | bed, rise | -4 to 4 h from the usual hours of the day's duty |
    | 2, 3 | nap_at, nap_for | 0 to 24 h after 18:00; up to 1.5 h, 0 and less: none |
    | 4, 5 | seek_at, seek_for | bright light: daylight while the sun is up, else a lamp; up to 4 h |
    | 6, 7 | avoid_at, avoid_for | dark glasses, up to 8 h |

    Zeros are the usual hours and nothing else.

    ## Observation space: `Box(-5, 5)`, 42 numbers (48 with `oracle=True`)
    Share of the days gone; which kind of weeks; duties of today and the two days after; hours of sun; of the last
    three days sleep, its begin, its end and the hour of the lowest heart rate, by a watch with errors; light of the
    last day, in bins of three hours; sleepiness of the last day; hours in bed as allowed. Never the phase, but under
    `oracle=True`: sine and cosine of it, the clock's period and gain, need and pressure of sleep.

    ## Reward
    `lapses`: -0.2 for each lapse that ten minutes of attention would have, as a mean over the required hours of the
    day; `short`: -0.5 for each hour slept less than needed; `in_bed`: -0.35 for each hour in bed beyond eight of a
    day, naps included. `info["cost"]`: share of required hours at a sleepiness of 8 and more.

    ## Episode end
    `terminated` after `days` (21), never truncated: how many are left is seen.
    """

    def __init__(self, oracle: bool = False) -> None:
        self.oracle = oracle
        self.fields = (
            Field("bed", -MOST_SHIFT_H, MOST_SHIFT_H, "h from the usual"),
            Field("rise", -MOST_SHIFT_H, MOST_SHIFT_H, "h from the usual"),
            Field("nap_at", 0.0, DAY_H, "h since 18:00"), Field("nap_for", 0.0, MOST_NAP_H, "h"),
            Field("seek_at", 0.0, DAY_H, "h since 18:00"), Field("seek_for", 0.0, MOST_SEEK_H, "h"),
            Field("avoid_at", 0.0, DAY_H, "h since 18:00"), Field("avoid_for", 0.0, MOST_AVOID_H, "h"),
        )  # fmt: skip
        own = ("phase_sin", "phase_cos", "period", "light_gain", "need", "pressure")
        self.observation_names = (*NAMES, *(own if oracle else ()))

    def decode(self, action: NDArray[np.float64], view: NightsView) -> Night:
        """A plan from numbers in [-1, 1]; what is not finite is as usual."""
        a = np.clip(np.where(np.isfinite(action), action, np.nan), -1.0, 1.0).T
        bed, rise = USUAL_H[view.today].T
        at, lasts = DAY_H / 2 * (1 + a[2::2]), np.maximum(a[3::2], 0.0)
        return Night.checked(
            view.today, bed + MOST_SHIFT_H * a[0], rise + MOST_SHIFT_H * a[1], at[0], MOST_NAP_H * lasts[0], at[1],
            MOST_SEEK_H * lasts[1], at[2], MOST_AVOID_H * lasts[2],
        )  # fmt: skip

    def observe(self, view: NightsView, body: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """What is seen (n, O); body (n, 6): only under oracle."""
        usual_bed, usual_rise = USUAL_H[view.today].T
        ahead = np.minimum(view.day[:, None] + np.arange(AHEAD_DAYS), view.duty.shape[1] - 1)
        duties = np.take_along_axis(view.duty, ahead, axis=1)
        columns = [
            view.day / view.days, *(view.kind == kind for kind in range(len(KINDS))),
            *(duties[:, k] == duty for k in range(AHEAD_DAYS) for duty in range(len(DUTIES))),
            view.daylight_h / 12 - 1,
            *(view.slept_h[:, -1 - k] / 8 - 1 for k in range(SEEN_DAYS)),
            *(
                (hour[:, -1 - k] - 12) / 12
                for hour in (view.fell_asleep_h, view.woke_h, view.lowest_heart_h)
                for k in range(SEEN_DAYS)
            ),
            *(view.light.T / 2 - 1), *((view.sleepiness.T - 5) / 2), (view.bed - usual_bed) / 4,
            (view.rise - usual_rise) / 4,
        ]  # fmt: skip
        out = np.empty((len(view), len(self.observation_names)), np.float32)
        for column, value in enumerate(columns):
            out[:, column] = value
        if self.oracle:
            assert body is not None, "the setting has no oracle"
            out[:, len(NAMES) :] = body
        return np.clip(out, -WIDEST, WIDEST)

    def terms(
        self, lapses: NDArray[np.float64], short_h: NDArray[np.float64], in_bed_h: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Reward terms by name (n,)."""
        return {
            "lapses": -PER_LAPSE * lapses,
            "short": -PER_HOUR_SHORT * short_h,
            "in_bed": -PER_HOUR_IN_BED * np.maximum(in_bed_h - FREE_H, 0.0),
        }


def lapses(sleepiness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lapses that a ten-minute test of attention would have at a sleepiness (Karolinska's scale)."""
    count: NDArray[np.float64] = LAPSES_AT_3 * np.exp(LAPSES_PER_KSS * (sleepiness - 3.0))
    return count
