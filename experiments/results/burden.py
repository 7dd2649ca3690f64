"""What a treatment asks of a person beside glucose: alarms, changes to carry out, hours without insulin."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import LOW, VERY_HIGH, events
from experiments.records.tables import Table
from twins.units import MINUTES_PER_DAY

NOTICEABLE = 0.1
"""A change of the basal rate by more than this share of the day's mean rate counts as a recommendation."""


def burden(columns: Mapping[str, NDArray[Any]], alive: NDArray[np.bool_], interval_min: int) -> Table:
    """Per episode (n,), of the time alive:

    alarms_per_day: events of the sensor below 70 and above 250 mg/dL (see `metrics.events`).
    recommendations_per_day: boluses asked for, and changes of the requested basal rate by more than a tenth of its
    mean. suspended_h_per_day: hours in which no basal insulin was delivered. columns: of a rollout, each (n, K).
    """
    days = np.maximum(alive.sum(axis=1) * interval_min / MINUTES_PER_DAY, interval_min / MINUTES_PER_DAY)
    readings = np.where(alive, columns["cgm_mg_dl"], np.nan)
    alarms = np.zeros(len(readings))
    seen = np.isfinite(readings).any(axis=1)
    if seen.any():
        low = events(readings[seen], interval_min, LOW, "low")
        high = events(readings[seen], interval_min, VERY_HIGH, "high")
        alarms[seen] = [len(a) + len(b) for a, b in zip(low, high, strict=True)]
    basal, bolus = columns["requested_basal_u_per_h"], columns["requested_bolus_u"]
    asked = np.where(np.isfinite(basal), basal, 0.0)
    usual = np.where(alive, asked, 0.0).sum(axis=1) / np.maximum(alive.sum(axis=1), 1)
    changed = np.abs(np.diff(asked, axis=1, prepend=asked[:, :1])) > NOTICEABLE * usual[:, None]
    recommended = ((changed | (bolus > 0)) & alive).sum(axis=1)
    suspended = ((columns["basal_u_per_h"] == 0) & alive).sum(axis=1) * interval_min / 60
    return {
        "alarms_per_day": alarms / days,
        "recommendations_per_day": recommended / days,
        "suspended_h_per_day": suspended / days,
    }
