"""Situations, histories and diaries that both implementations are asked about: as JSON for the package, as ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.oref.insulin import activity
from agents.oref.situation import PROFILE, SITUATION, TICKS, Preferences, Records, empty
from envs.view import insulin_on_board

SEED = 20261127
STATES, HISTORIES, READINGS = 1500, 150, 288
NOW_MS = 1_795_000_200_000
"""A moment on a full 5 min; autosens alone asks the clock, see `ask.js`."""

Question = dict[str, Any]

NAMES = {
    "max_daily_safety_multiplier": "max_daily_safety_multiplier",
    "current_basal_safety_multiplier": "current_basal_safety_multiplier",
    "autosens_max": "autosens_max",
    "autosens_min": "autosens_min",
    "sensitivity_raises_target": "sensitivity_raises_target",
    "resistance_lowers_target": "resistance_lowers_target",
    "exercise_mode": "exercise_mode",
    "low_temptarget_lowers_sensitivity": "low_temptarget_lowers_sensitivity",
    "half_basal_exercise_target": "half_basal_exercise_target",
    "noisy_target_multiplier": "noisyCGMTargetMultiplier",
    "remaining_carbs_cap_g": "remainingCarbsCap",
    "remaining_carbs_fraction": "remainingCarbsFraction",
    "min_carb_impact": "min_5m_carbimpact",
    "max_cob_g": "maxCOB",
    "carbs_req_threshold_g": "carbsReqThreshold",
    "unannounced_meals": "enableUAM",
    "smb_always": "enableSMB_always",
    "smb_with_cob": "enableSMB_with_COB",
    "smb_after_carbs": "enableSMB_after_carbs",
    "smb_with_temptarget": "enableSMB_with_temptarget",
    "smb_high_bg": "enableSMB_high_bg",
    "smb_high_bg_mg_dl": "enableSMB_high_bg_target",
    "smb_with_high_temptarget": "allowSMB_with_high_temptarget",
    "max_smb_basal_min": "maxSMBBasalMinutes",
    "max_uam_smb_basal_min": "maxUAMSMBBasalMinutes",
    "smb_interval_min": "SMBInterval",
    "bolus_increment_u": "bolus_increment",
    "max_delta_share": "maxDelta_bg_threshold",
}
"""What the package calls each of our preferences."""

SETTINGS = (
    (Preferences(), False),
    (Preferences(smb_always=True), True),
    (
        Preferences(
            smb_with_cob=True, smb_after_carbs=True, smb_with_temptarget=True, smb_high_bg=True,
            unannounced_meals=False, exercise_mode=True, low_temptarget_lowers_sensitivity=True,
            resistance_lowers_target=True, max_smb_basal_min=75, max_uam_smb_basal_min=60, bolus_increment_u=0.05,
        ),
        True,
    ),
)  # fmt: skip
"""Preferences, and whether microboluses are allowed: of the classic loop, of oref1, and the rest switched over."""


def preferences(of: Preferences) -> dict[str, Any]:
    """Preferences in the package's words."""
    return {NAMES[name]: value for name, value in of.__dict__.items()} | {"A52_risk_enable": False}


@dataclass(frozen=True)
class States:
    """Situations (n,), profiles (n,), and activities (n, TICKS) in U/min."""

    now: Records
    profile: Records
    activity: NDArray[np.float64]
    zero: NDArray[np.float64]


def states(seed: int = SEED, count: int = STATES) -> States:
    """Constructed situations of all kinds, rounded as the package's own inputs are."""
    rng = np.random.default_rng(seed)
    now, profile = empty(SITUATION, count), empty(PROFILE, count)
    carbs = np.where(rng.random(count) < 0.4, 0.0, np.round(rng.uniform(1, 120, count), 1))
    runs = rng.random(count) < 0.7
    basal = np.round(rng.uniform(0.1, 3, count), 3)
    targets = rng.choice([80.0, 95.0, 100.0, 110.0, 140.0], count)
    half = rng.choice([0.0, 5.0, 10.0], count)
    profile.basal_u_per_h, profile.max_daily_basal_u_per_h = (
        basal,
        np.round(basal * rng.uniform(1, 1.5, count), 3),
    )
    profile.max_basal_u_per_h, profile.max_iob_u = (
        rng.choice([2.0, 4, 10], count),
        rng.choice([0.0, 3, 8], count),
    )
    profile.isf_mg_dl_per_u = rng.choice([20, 37.5, 50, 83.3], count)
    profile.carb_ratio_g_per_u = rng.choice([5, 8.7, 12, 25], count)
    profile.low_target_mg_dl, profile.high_target_mg_dl = targets - half, targets + half
    profile.temp_target = (rng.random(count) < 0.2).astype(float)
    now.glucose_mg_dl = np.round(
        np.choose(
            rng.choice(5, count, p=[0.25, 0.4, 0.33, 0.01, 0.01]),
            [
                rng.uniform(45, 100, count),
                rng.uniform(80, 180, count),
                rng.uniform(100, 400, count),
                38.0,
                9.0,
            ],
        )
    )
    now.delta, now.short_delta, now.long_delta = np.round(rng.normal(0, 5, (3, count)), 2)
    flat = rng.random(count) < 0.04
    now.delta[flat], now.short_delta[flat], now.long_delta[flat] = 0.0, 0.5, -0.5
    now.age_min = rng.choice([0, 1.5, 5, 11, 12.1, -6], count, p=[0.4, 0.3, 0.2, 0.06, 0.02, 0.02])
    now.noise = rng.choice(4, count, p=[0.5, 0.4, 0.07, 0.03])
    rate = np.choose(
        rng.integers(4, size=count), [0 * basal, basal, 2 * basal, rng.uniform(0, 3, count) * basal]
    )
    now.temp_u_per_h = np.where(runs, np.round(rate * 20) / 20, 0.0)
    now.temp_left_min = np.where(runs, rng.choice([3, 10, 17, 25, 30, 45, 90, 120], count), 0)
    now.iob_u = np.round(rng.normal(0.5, 1.5, count), 3)
    t = 5.0 * np.arange(TICKS)
    falls = np.exp(-t / rng.uniform(40, 150, (count, 1)))
    acts = np.round(now.iob_u[:, None] * 0.006 * rng.uniform(0.5, 1.5, (count, 1)) * falls, 4)
    zero = np.round(acts - basal[:, None] / 60 * (1 - np.exp(-t / 90)), 4)
    now.activity_u_per_min, now.since_bolus_min = acts[:, 0], rng.choice([1, 2.5, 4, 30, 600], count)
    now.carbs_g, now.since_carbs_min = carbs, np.round(rng.uniform(0, 360, count))
    left = np.where(rng.random(count) < 0.3, 0.0, rng.random(count))
    now.cob_g = np.round(np.minimum(carbs, 120) * left)
    now.slope_from_max = np.round(-np.abs(rng.normal(0, 1, count)), 3)
    now.slope_from_min = np.round(np.abs(rng.normal(0, 1, count)), 3)
    now.autosens = np.where(rng.random(count) < 0.3, np.nan, np.round(rng.uniform(0.7, 1.2, count), 2))
    return States(now, profile, acts, zero)


def asked_of(many: States, of: Preferences, microbolus: bool) -> Iterator[Question]:
    """The same as questions to determine-basal."""
    for now, own, acts, zero in zip(many.now, many.profile, many.activity, many.zero, strict=True):
        ticks: list[Any] = [
            {"iob": now.iob_u, "activity": a, "iobWithZeroTemp": {"activity": z}}
            for a, z in zip(acts.tolist(), zero.tolist(), strict=True)
        ]
        ticks[0]["lastBolusTime"] = NOW_MS - now.since_bolus_min * 60_000
        ticks[0]["lastTemp"] = {
            "date": NOW_MS - 300_000, "rate": now.temp_u_per_h, "duration": now.temp_left_min + 5,
        }  # fmt: skip
        yield {
            "ask": "determine", "now": NOW_MS, "iob": ticks, "microbolus": microbolus,
            "glucose": {
                "glucose": now.glucose_mg_dl, "delta": now.delta, "short_avgdelta": now.short_delta,
                "long_avgdelta": now.long_delta, "noise": now.noise, "date": NOW_MS - now.age_min * 60_000,
            },
            "temp": {"rate": now.temp_u_per_h, "duration": now.temp_left_min, "temp": "absolute"},
            "autosens": None if np.isnan(now.autosens) else {"ratio": now.autosens},
            "meal": {
                "carbs": now.carbs_g, "mealCOB": now.cob_g, "lastCarbTime": NOW_MS - now.since_carbs_min * 60_000,
                "slopeFromMaxDeviation": now.slope_from_max, "slopeFromMinDeviation": now.slope_from_min,
                "bwFound": False,
            },
            "profile": preferences(of) | {
                "current_basal": own.basal_u_per_h, "max_daily_basal": own.max_daily_basal_u_per_h,
                "max_basal": own.max_basal_u_per_h, "max_iob": own.max_iob_u, "sens": own.isf_mg_dl_per_u,
                "carb_ratio": own.carb_ratio_g_per_u, "min_bg": own.low_target_mg_dl, "max_bg": own.high_target_mg_dl,
                "temptargetSet": bool(own.temp_target),
            },
        }  # fmt: skip


@dataclass(frozen=True)
class History:
    """A day: readings, effect of insulin per step and insulin on board, newest first; meals and boluses by age."""

    readings: NDArray[np.float64]
    bgi: NDArray[np.float64]
    iob: NDArray[np.float64]
    meal_age_min: NDArray[np.float64]
    meal_g: NDArray[np.float64]
    boluses: tuple[tuple[float, float], ...]
    isf: float
    ratio: float
    basal: float
    least: float = 8.0


def up(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Rounded with halves up."""
    rounded: NDArray[np.float64] = np.floor(values * 10.0**digits + 0.5) / 10.0**digits
    return rounded


def histories(seed: int = SEED, count: int = HISTORIES) -> Iterator[History]:
    """Days of a wandering glucose with five boluses and up to four meals, none of them close together."""
    rng = np.random.default_rng(seed)
    ages = 5 * np.arange(READINGS)
    for _ in range(count):
        waves = 30 * np.sin(np.arange(READINGS) / 20 + rng.uniform(0, 6))
        level = np.clip(np.round(110 + np.cumsum(rng.normal(0, 4, READINGS)) + waves), 41, 390)
        isf, ratio = float(rng.choice([30, 50, 90])), float(rng.choice([6, 10, 15]))
        basal = float(rng.choice([0.5, 1, 1.7]))
        at = np.sort(rng.choice(np.arange(7, 1400, 11), 5, replace=False)).astype(float)
        units = np.round(rng.uniform(0.5, 6, 5), 1)
        meals = np.sort(rng.choice(np.arange(4, 1400, 13), 4, replace=False)).astype(float)
        grams = np.round(rng.uniform(5, 80, 4))
        apart = np.abs(meals[:, None] - at).min(axis=1) > 12
        since = at[:, None] - ages
        acts = np.where((since >= 0) & (since < 360), activity(since), 0.0)
        left = np.where((since >= 0) & (since < 360), insulin_on_board(since), 0.0)
        yield History(
            level, up(-up(units @ acts, 4) * isf * 5, 2), up(units @ left, 3), meals[apart], grams[apart],
            tuple(zip(at.tolist(), units.tolist(), strict=True)), isf, ratio, basal,
        )  # fmt: skip


def stamp(age_min: float, now_ms: int = NOW_MS) -> str:
    """The moment so many minutes ago, as the package reads it."""
    return datetime.fromtimestamp(now_ms / 1000 - age_min * 60, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def past(day: History) -> tuple[list[Question], list[Question], list[Question], dict[str, Any]]:
    """Readings, pump history, meals and profile of a day in the package's words."""
    readings = [
        {"glucose": value, "date": NOW_MS - 300_000 * k, "dateString": stamp(5 * k)}
        for k, value in enumerate(day.readings.tolist())
    ]
    pump = [
        {"_type": "Bolus", "amount": units, "timestamp": stamp(age), "created_at": stamp(age)}
        for age, units in day.boluses
    ]
    meals = [
        {"timestamp": stamp(age), "created_at": stamp(age), "carbs": grams, "nsCarbs": grams}
        for age, grams in zip(day.meal_age_min.tolist(), day.meal_g.tolist(), strict=True)
    ]
    profile = preferences(Preferences()) | {
        "dia": 6, "curve": "rapid-acting", "sens": day.isf, "carb_ratio": day.ratio, "current_basal": day.basal,
        "max_daily_basal": day.basal, "suspend_zeros_iob": True,
        "isfProfile": {"sensitivities": [{"offset": 0, "sensitivity": day.isf, "endOffset": 1440}]},
        "basalprofile": [{"minutes": 0, "rate": day.basal, "start": "00:00:00", "i": 0}],
    }  # fmt: skip
    return readings, pump, meals, profile
