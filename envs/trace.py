"""The record of what happened, minute by minute: columns of `Transition.trace`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.shield.reasons import REASONS
from twins.kernels import kernel

(
    GLUCOSE_MG_DL,
    CGM_MG_DL,
    BASAL_U_PER_H,
    BOLUS_U,
    REQUESTED_BASAL_U_PER_H,
    REQUESTED_BOLUS_U,
    CARBS_G,
    ANNOUNCED_G,
    RESCUE_G,
    IOB_U,
    REASON,
) = range(11)
TRACE_COLUMNS = 11

NAMES = (
    "glucose_mg_dl",
    "cgm_mg_dl",
    "basal_u_per_h",
    "bolus_u",
    "requested_basal_u_per_h",
    "requested_bolus_u",
    "carbs_g",
    "announced_g",
    "rescue_g",
    "iob_u",
    "reason",
)
"""Names of the columns. Amounts (bolus, carbs) stand in the minute in which they begin, a reading in the
minute in which it is taken (NaN in others); rates, insulin on board and the shield's reason hold."""


@kernel
def record(  # type: ignore[no-untyped-def]
    trace,
    at,
    glucose,
    cgm,
    basal,
    bolus,
    requested_basal,
    requested_bolus,
    plate,
    told,
    rescue,
    now,
    iob_column,
    reason,
):
    """Enter one control interval into `trace` (n, M, F), from minute `at` on."""
    n, minutes = glucose.shape
    for lane in range(n):
        for m in range(minutes):
            row = trace[lane, at + m]
            row[GLUCOSE_MG_DL] = glucose[lane, m]
            row[CGM_MG_DL] = cgm[lane] if m == minutes - 1 else np.nan
            row[BASAL_U_PER_H] = basal[lane]
            row[BOLUS_U] = bolus[lane] if m == 0 else 0.0
            row[REQUESTED_BASAL_U_PER_H] = requested_basal[lane]
            row[REQUESTED_BOLUS_U] = requested_bolus[lane] if m == 0 else 0.0
            row[CARBS_G] = plate[lane, m]
            row[ANNOUNCED_G] = told[lane] if m == 0 else 0.0
            row[RESCUE_G] = rescue[lane] if m == 0 else 0.0
            row[IOB_U] = now[lane, iob_column]
            row[REASON] = reason[lane]


@kernel
def _summary(trace, out):  # type: ignore[no-untyped-def]
    for lane in range(trace.shape[0]):
        lowest, worst, changed = np.inf, 0.0, 0.0
        for m in range(trace.shape[1]):
            lowest = min(lowest, trace[lane, m, GLUCOSE_MG_DL])
            worst = max(worst, trace[lane, m, REASON])
            changed += trace[lane, m, REASON] > 0.0
        out[0, lane], out[1, lane] = trace[lane, trace.shape[1] - 1, GLUCOSE_MG_DL], lowest
        out[2, lane], out[3, lane] = worst, changed


def summary(trace: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each lane (4, n): plasma glucose after the decision, its minimum during it, the code of the gravest
    reason of the shield (the highest), and the minutes in which the shield changed the dose."""
    out = np.empty((4, len(trace)))
    _summary(trace, out)
    return out


def intervals(trace: NDArray[np.float64], first_minute: float, interval_min: int) -> dict[str, NDArray[Any]]:
    """One row per control interval: columns `minute` (its end) and `NAMES`, each of shape (n, M / interval).

    Glucose and readings are those at the end of the interval, amounts are summed over it. All are copies.
    """
    n, minutes, _ = trace.shape
    blocks = trace.reshape(n, minutes // interval_min, interval_min, TRACE_COLUMNS)
    last = blocks[:, :, -1]
    table: dict[str, NDArray[Any]] = {
        "minute": np.broadcast_to(
            first_minute + interval_min * np.arange(1.0, blocks.shape[1] + 1), last.shape[:2]
        )
    }
    for column, name in enumerate(NAMES):
        summed = column in (BOLUS_U, REQUESTED_BOLUS_U, CARBS_G, ANNOUNCED_G, RESCUE_G)
        table[name] = blocks[..., column].sum(axis=2) if summed else last[..., column].copy()
    table["reason"] = np.array(REASONS)[table["reason"].astype(int)]
    return table


def of_lane(table: Mapping[str, NDArray[Any]], lane: int) -> dict[str, NDArray[Any]]:
    """The rows of one lane of a table of `intervals`."""
    return {name: column[lane] for name, column in table.items()}
