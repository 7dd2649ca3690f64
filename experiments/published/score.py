"""Episodes of published protocols, scored twice: dead counted on plasma, and as each paper did it."""

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import episode_metrics, magni_risk, time_in_ranges
from experiments.protocol import ProtocolConfig
from experiments.records.tables import Table
from experiments.simulate import Rollout
from twins.bodies.glucose import COLUMN
from twins.cohort import Cohort

SHARES = ("tir_pct", "below_70_pct", "below_54_pct", "above_180_pct", "above_250_pct")
SCORED_BY_READING = ("g2p2c", "emerson2023")
"""Papers that score the sensor's readings; the other scores interstitial glucose, which simglucose calls BG."""
FAILS_BY_READING = {"g2p2c": (40.0, 600.0)}
"""Readings at which an episode of that paper has failed: run_clinical_treatment.py of RL4H/G2P2C."""


def episodes(rollout: Rollout, protocol: ProtocolConfig, cohort: Cohort) -> Table:
    """One row an episode. Columns without an ending: the dead count. `_published`: as in the paper, where time after a
    failure is not scored; NaN for an episode without any scored time."""
    dead = episode_metrics(
        rollout.glucose_mg_dl,
        rollout.failed_side,
        rollout.failure_sample,
        protocol.sample_min,
        protocol.glucose_failure_low_mg_dl,
        protocol.glucose_failure_high_mg_dl,
    )
    table: Table = {"failed": (rollout.failed_side != "").astype(int)}
    table |= {name: dead[name] for name in SHARES}
    lived, failed = _as_published(rollout, protocol, cohort)
    some = np.isfinite(lived).any(axis=1)
    table["failed_published"] = failed.astype(int)
    found = time_in_ranges(lived[some])
    found["magni"] = np.nanmean(magni_risk(lived[some]), axis=1)
    for name in (*SHARES, "magni"):
        table[f"{name}_published"] = np.full(len(lived), np.nan)
        table[f"{name}_published"][some] = found[name]
    return table


def _as_published(
    rollout: Rollout, protocol: ProtocolConfig, cohort: Cohort
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Glucose (n, K) that the paper scores, NaN after its failure, and which episodes failed (n,)."""
    readings = rollout.columns["cgm_mg_dl"]
    alive, failed = rollout.alive, rollout.failed_side != ""
    if protocol.name in FAILS_BY_READING:
        low, high = FAILS_BY_READING[protocol.name]
        outside = (readings <= low) | (readings >= high)
        alive, failed = np.cumsum(outside, axis=1) == 0, outside.any(axis=1)
    if protocol.name in SCORED_BY_READING:
        return np.where(alive, readings, np.nan), failed
    rate = np.tile(cohort.parameters[:, COLUMN["ksc"]], len(readings) // len(cohort))
    return np.where(alive, interstitial(rollout.glucose_mg_dl, rate, protocol.sample_min), np.nan), failed


def interstitial(
    glucose_mg_dl: NDArray[np.float64], rate_per_min: NDArray[np.float64], interval_min: float
) -> NDArray[np.float64]:
    """Glucose (n, K) of the tissue fluid under a sensor, which follows that of the plasma (n, K) at a rate (n,).

    The twin's equation, exact for plasma that changes steadily between readings; begins in equilibrium.
    """
    step = rate_per_min * interval_min
    kept = np.exp(-step)
    newer = 1 - (1 - kept) / step  # weight of the reading at the end; the one before has the rest
    found = np.empty_like(glucose_mg_dl)
    found[:, 0] = glucose_mg_dl[:, 0]
    for k in range(1, found.shape[1]):
        plasma = (1 - kept - newer) * glucose_mg_dl[:, k - 1] + newer * glucose_mg_dl[:, k]
        found[:, k] = kept * found[:, k - 1] + plasma
    return found
