"""Net insulin on board and its activity over the next 4 h, with what runs and with a zero rate from now on.

The curve is the exponential one of rapid-acting insulin (LoopKit issue 388) with oref0's peak at 75 min for everybody;
`envs.view` has the same, with an earlier peak for the young. A dose of an interval counts as given in its middle.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.oref.situation import TICK_MIN, TICKS
from envs.view import INSULIN_HISTORY_MIN, insulin_on_board
from twins.kernels import kernel

PEAK_MIN = 75.0


def activity(
    minute: ArrayLike, peak_min: float = PEAK_MIN, duration_min: float = INSULIN_HISTORY_MIN
) -> NDArray[np.float64]:
    """Share of a dose that acts per minute, `minute` minutes after it: minus the slope of `insulin_on_board`."""
    tau = peak_min * (1 - peak_min / duration_min) / (1 - 2 * peak_min / duration_min)
    a = 2 * tau / duration_min
    scale = 1 / (1 - a + (1 + a) * np.exp(-duration_min / tau))
    t = np.clip(np.asarray(minute, np.float64), 0.0, duration_min)
    acts: NDArray[np.float64] = scale / tau**2 * t * (1 - t / duration_min) * np.exp(-t / tau)
    return acts


class Projection:
    """Curves for doses of the last 6 h in intervals of so many minutes. Activities in U/min."""

    def __init__(self, interval_min: int) -> None:
        taps = INSULIN_HISTORY_MIN // interval_min
        age = interval_min * (np.arange(taps)[::-1] + 0.5)
        ahead = TICK_MIN * np.arange(TICKS)
        self._left = insulin_on_board(age, PEAK_MIN, INSULIN_HISTORY_MIN)
        self._acts = activity(age[:, None] + ahead)
        since = ahead[:, None] - TICK_MIN * (np.arange(TICKS) + 0.5)  # of each coming interval, at each tick
        self._zero = np.where(since > 0, activity(since), 0.0).sum(axis=1) * TICK_MIN / 60

    def of(
        self, net_u: NDArray[np.float64], basal_u_per_h: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Insulin on board (n,), its activity at the ticks (n, TICKS), and that with a zero rate from now on.

        net_u (n, taps): delivered less scheduled, oldest first, of the last 6 h; basal_u_per_h (n,): scheduled.
        """
        iob, acts = np.empty(len(net_u)), np.empty((len(net_u), TICKS))
        _project(net_u, self._left, self._acts, iob, acts)
        return iob, acts, acts - basal_u_per_h[:, None] * self._zero


@kernel
def _project(net, left, acts, iob, out):  # type: ignore[no-untyped-def]
    """Sums lane by lane: a matrix product's last digits would hang on how many lanes there are."""
    for i in range(len(net)):
        total = 0.0
        for k in range(net.shape[1]):
            total += net[i, k] * left[k]
        iob[i] = total
        for tick in range(out.shape[1]):
            total = 0.0
            for k in range(net.shape[1]):
                total += net[i, k] * acts[k, tick]
            out[i, tick] = total
