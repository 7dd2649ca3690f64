"""What a run under a fault led to, per episode: glucose, the shield's work, the time to safety, broken rules.

The rules are the hard ones: they hold at every control interval whatever the agent asks for, and are counted over
all of them. Doses are those that the pump reports; one above scheduled basal means a bolus, or a rate more than a step
of the pump above the scheduled one (the pump makes its rounding good).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs import limits as limit
from envs.faults import AgentFault, Code, Fault, Faults, Gap, NotFinite, Spike, Stage, Stale, WrongUnits
from envs.faults.schedule import beginnings
from envs.setting import Setting
from envs.view import HIGHEST_READING, LOWEST_READING
from experiments.metrics import episode_metrics
from experiments.records.tables import Table
from experiments.severe import severe
from experiments.simulate import Rollout
from twins import random
from twins.cohort import BASAL_U_PER_H
from twins.random import Stream

RULES = (
    "dose_not_finite_or_negative",
    "dose_above_a_cap",
    "hour_above_its_cap",
    "day_above_its_cap",
    "above_basal_on_an_old_reading",
    "above_basal_on_an_impossible_reading",
    "above_basal_after_a_jump",
    "above_basal_on_flat_readings",
    "insulin_while_low",
)
_BLINDING = (Gap, Stale, Spike, Code, WrongUnits, NotFinite, AgentFault)
"""Faults after whose onset there is a time to safe action: no dose above scheduled basal, or none."""
_UNKNOWN_MG_DL = 120.0
"""Stands for the first reading of an episode, which is no part of the record: no rule acts on it."""
TAIL_MIN = {Stage.PUMP: 360.0, Stage.ANNOUNCEMENTS: 360.0}
"""How long after an occurrence its window reaches: a surge and a stacked dose act later."""


@dataclass(frozen=True)
class _Seen:
    """The columns of a rollout that rules read, each (n, K); `reading` is the newest before the interval's dose."""

    basal: NDArray[np.float64]
    bolus: NDArray[np.float64]
    reading: NDArray[np.float64]
    age_min: NDArray[np.float64]
    before: NDArray[np.float64]
    """Readings as they came, an interval earlier than the dose: NaN where none came."""
    above_basal: NDArray[np.bool_]
    scheduled: NDArray[np.float64]
    """Scheduled basal as the shield knows it, U/h (n, 1)."""


def outcomes(
    rollout: Rollout, setting: Setting, faults: tuple[Fault, ...], keys: NDArray[np.uint32], shielded: bool
) -> Table:
    """One row an episode. setting: of the run, its cohort's rows repeated replica by replica; keys (n, 6) of the lanes.

    faults: of the world and of the agent. shielded: whether rules can be broken; without a shield none is counted.
    """
    n, samples = rollout.glucose_mg_dl.shape
    dt = setting.sensor.sample_min
    alive = rollout.alive
    table: Table = {"failed": (rollout.failed_side != "").astype(int), "failure_side": rollout.failed_side}
    table |= episode_metrics(
        rollout.glucose_mg_dl, rollout.failed_side, rollout.failure_sample, dt, setting.failure_low_mg_dl,
        setting.failure_high_mg_dl,
    )  # fmt: skip
    until = np.arange(samples) <= rollout.failure_sample[:, None]
    table["min_mg_dl"] = np.where(until, rollout.glucose_mg_dl, np.inf).min(axis=1)
    table["shield_changed_pct"] = rollout.shield_changed_pct
    seen = _seen(rollout, setting)
    table |= severe(rollout, dt, seen.scheduled[:, 0])
    table["intervals"] = alive.sum(axis=1)
    broken = _broken(seen, setting, dt)
    for rule in RULES:
        table[rule] = (broken[rule] & alive).sum(axis=1) if shielded else np.zeros(n, int)
    begun = [_begun(fault, keys, setting.days) for fault in faults]
    window = _window(begun, faults, samples, n, dt)
    scored = np.where(
        alive, rollout.glucose_mg_dl, np.where(rollout.failed_side == "low", 10.0, 600.0)[:, None]
    )
    for bound in (54, 70):
        share = 100 * ((scored < bound) & window).sum(axis=1) / np.maximum(window.sum(axis=1), 1)
        table[f"window_below_{bound}_pct"] = np.where(window.any(axis=1), share, np.nan)
    table["safe_action_min"] = _safe_action(begun, faults, seen, alive, dt)
    return table


def _seen(rollout: Rollout, setting: Setting) -> _Seen:
    n, samples = rollout.glucose_mg_dl.shape
    dt = setting.sensor.sample_min
    cgm = rollout.columns["cgm_mg_dl"]
    # The first reading is taken at the beginning, before the record; nothing is known of it here.
    before = np.concatenate([np.full((n, 1), np.nan), cgm[:, :-1]], axis=1)
    known = np.isfinite(before)
    last = np.maximum.accumulate(np.where(known, np.arange(samples), 0), axis=1)
    therapy = Faults(setting.faults).therapy(setting.cohort.therapy)
    scheduled = therapy[np.arange(n) % len(setting.cohort), BASAL_U_PER_H, None]
    reading = np.take_along_axis(before, last, 1)
    age = np.asarray((np.arange(samples) - last) * float(dt), np.float64)
    basal, bolus = rollout.columns["basal_u_per_h"], rollout.columns["bolus_u"]
    return _Seen(
        basal, bolus, np.where(np.isnan(reading), _UNKNOWN_MG_DL, reading), age, before,
        (bolus > 0) | (basal > scheduled + setting.pump.basal_step_u_per_h + 1e-9), scheduled,
    )  # fmt: skip


def _sums(
    amounts: NDArray[np.float64], scheduled: NDArray[np.float64], minutes: int, dt: int
) -> NDArray[np.float64]:
    """Insulin of the `minutes` that end with each interval, U (n, K); scheduled basal (n, 1) came before the first."""
    many = minutes // dt
    before = np.broadcast_to(scheduled * dt / 60, (len(amounts), many))
    total = np.cumsum(np.concatenate([before, amounts], axis=1), axis=1)
    return np.asarray(total[:, many:] - total[:, :-many])


def _broken(seen: _Seen, setting: Setting, dt: int) -> dict[str, NDArray[np.bool_]]:
    """Of every rule, where it was broken (n, K)."""
    n, samples = seen.basal.shape
    bounds = limit.for_therapy(Faults(setting.faults).therapy(setting.cohort.therapy))
    bounds = bounds[np.arange(n) % len(bounds)]
    fresh = seen.age_min <= limit.STALE_AFTER_MIN
    possible = (seen.reading > LOWEST_READING) & (seen.reading < HIGHEST_READING)
    with np.errstate(invalid="ignore"):
        last = np.concatenate([seen.before[:, :1], seen.before[:, :-1]], axis=1)
        widest = np.minimum(limit.JUMP_MG_DL, limit.JUMP_SHARE * np.minimum(seen.before, last))
        jump = np.abs(seen.before - last) > widest
    jumped = np.zeros_like(jump)
    for back in range(max(limit.JUMP_MEMORY_MIN // dt, 1)):
        jumped[:, back:] |= jump[:, : samples - back]
    flat = np.zeros((n, samples), bool)
    span = limit.FLAT_MIN // dt + 1
    if samples >= span:
        windows = np.lib.stride_tricks.sliding_window_view(seen.before, span, axis=1)
        level = (
            windows.max(axis=2) - windows.min(axis=2)
        ) < limit.FLAT_WITHIN_MG_DL  # False where one is NaN
        flat[:, span - 1 :] = level
    doses = np.stack([seen.basal, seen.bolus])
    amounts = seen.basal * dt / 60 + seen.bolus
    a_day = np.maximum(bounds[:, limit.MAX_DAILY_U, None], 24 * seen.scheduled)
    return {
        "dose_not_finite_or_negative": np.asarray((~np.isfinite(doses) | (doses < 0)).any(axis=0)),
        "dose_above_a_cap": (seen.basal > bounds[:, limit.MAX_BASAL_U_PER_H, None] + 1e-9)
        | (seen.bolus > bounds[:, limit.MAX_BOLUS_U, None] + 1e-9),
        "hour_above_its_cap": _sums(amounts, seen.scheduled, 60, dt)
        > bounds[:, limit.MAX_HOURLY_U, None] + 1e-6,
        "day_above_its_cap": _sums(amounts, seen.scheduled, 1440, dt) > a_day + 1e-6,
        "above_basal_on_an_old_reading": ~fresh & seen.above_basal,
        "above_basal_on_an_impossible_reading": fresh & ~possible & seen.above_basal,
        "above_basal_after_a_jump": jumped & seen.above_basal,
        "above_basal_on_flat_readings": flat & seen.above_basal,
        "insulin_while_low": fresh
        & possible
        & (seen.reading < limit.SUSPEND_BELOW_MG_DL)
        & ((seen.basal > 0) | (seen.bolus > 0)),
    }


def _begun(fault: Fault, keys: NDArray[np.uint32], days: float) -> NDArray[np.float64]:
    """When the occurrences of a fault begin in each lane, (n, occurrences)."""
    return beginnings(random.stream(keys, Stream.FAULTS), Faults([fault]).table[0], days)


def _window(
    begun: list[NDArray[np.float64]], faults: tuple[Fault, ...], samples: int, lanes: int, dt: int
) -> NDArray[np.bool_]:
    """Which intervals lie in an occurrence of a fault, or in its tail, (n, K)."""
    minute = np.arange(samples) * dt
    inside = np.zeros((lanes, samples), bool)
    for fault, first in zip(faults, begun, strict=True):
        lasts = fault.duration_min + TAIL_MIN.get(fault.stage, 0.0)
        for begin in first.T:
            inside |= (minute >= begin[:, None]) & (minute < begin[:, None] + lasts)
    return inside


def _safe_action(
    begun: list[NDArray[np.float64]],
    faults: tuple[Fault, ...],
    seen: _Seen,
    alive: NDArray[np.bool_],
    dt: int,
) -> NDArray[np.float64]:
    """The longest time from an onset to a dose no higher than scheduled basal, min (n,); NaN where none began."""
    longest = np.full(len(alive), np.nan)
    samples = alive.shape[1]
    after = np.where(~seen.above_basal, np.arange(samples), samples)
    next_safe = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    for fault, first in zip(faults, begun, strict=True):
        if not isinstance(fault, _BLINDING):
            continue
        for begin in first.T:
            at = np.where(np.isfinite(begin), np.ceil(np.minimum(begin, 1e9) / dt), samples).astype(int)
            counts = at < samples
            inside = np.minimum(at, samples - 1)[:, None]
            counts &= np.take_along_axis(alive, inside, 1)[:, 0]
            waited = np.take_along_axis(next_safe, inside, 1)[:, 0] * dt - begin
            longest = np.where(counts, np.fmax(longest, waited), longest)
    return longest
