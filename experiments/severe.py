"""Too little insulin: glucose above 300 mg/dL for two hours on end, and hours with less than a quarter of basal.

Ketones are not modelled; these stand for them. A shield that only ever says no passes every count of lows, and leads
to ketoacidosis.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.records.tables import Table
from experiments.simulate import Rollout

VERY_HIGH_MG_DL, VERY_HIGH_MIN = 300.0, 120.0
STARVED_SHARE = 0.25


def severe(rollout: Rollout, interval_min: int, basal_u_per_h: NDArray[np.float64]) -> Table:
    """Of every episode: was it above 300 for two hours (0, 1), the longest time above, min, hours of starvation, and
    those of them that were above 300 throughout. basal_u_per_h: scheduled, (n,).

    After a death on the high side glucose counts as above, and no hour counts as starved.
    """
    alive = rollout.alive
    high = np.where(alive, rollout.glucose_mg_dl > VERY_HIGH_MG_DL, (rollout.failed_side == "high")[:, None])
    longest, run = np.zeros(len(high)), np.zeros(len(high))
    for sample in range(high.shape[1]):
        run = np.where(high[:, sample], run + interval_min, 0.0)
        longest = np.maximum(longest, run)
    hour = 60 // interval_min
    whole = high.shape[1] // hour * hour
    dose = rollout.columns["bolus_u"] + rollout.columns["basal_u_per_h"] * interval_min / 60
    hourly = dose[:, :whole].reshape(len(dose), -1, hour).sum(axis=2)
    starved = (hourly < STARVED_SHARE * basal_u_per_h[:, None]) & alive[:, :whole:hour]
    return {
        "very_high": (longest >= VERY_HIGH_MIN).astype(int),
        "very_high_min": longest,
        "starved_hours": starved.sum(axis=1),
        "starved_and_high_hours": (starved & high[:, :whole].reshape(len(dose), -1, hour).all(axis=2)).sum(
            axis=1
        ),
    }
