"""autotune on a person's diary: how much each day asks of basal rates, correction factor and carb ratio."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.oref.autotune import autotune
from agents.oref.insulin import activity
from agents.oref.sorting import Day, Settings
from envs.view import INSULIN_HISTORY_MIN, insulin_on_board
from experiments.command import NOTICE
from twins.inference.record import Record
from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

CORRECTION_RULE, RATIO_RULE = 1700.0, 500.0
"""Correction factor and carb ratio times the daily insulin, where a pump's settings are not known."""

FACTORS, RATIOS = (5.0, 500.0), (2.0, 150.0)
"""What a pump's correction factor (mg/dL/U) and carb ratio (g/U) may be: about Loop's guardrails."""


@dataclass(frozen=True)
class Autotuned:
    """Settings before and after so many days of somebody's diary."""

    who: str
    days: int
    pump: Settings
    tuned: Settings


def settings_of(
    record: Record,
    correction_factor_mg_dl_per_u: float | None = None,
    carb_ratio_g_per_u: float | None = None,
) -> Settings:
    """The settings of a person's pump: the planned basal rate, and what is given or else the rules of 1700 and 500."""
    daily = record.daily_insulin_u
    return Settings(
        np.full(24, record.planned_basal_u_per_h),
        correction_factor_mg_dl_per_u or CORRECTION_RULE / daily,
        carb_ratio_g_per_u or RATIO_RULE / daily,
    )


def days_of(record: Record, pump: Settings) -> list[Day]:
    """The whole days of a record, with the effect of its insulin above the pump's schedule."""
    minute = (record.minute_of_day + STEP_MIN * np.arange(len(record))) % MINUTES_PER_DAY
    net = record.delivered_u - pump.basal_u_per_h[(minute // 60).astype(int)] * STEP_MIN / 60
    age = STEP_MIN * (np.arange(INSULIN_HISTORY_MIN // STEP_MIN) + 0.5)
    iob, acts = _acting(net, insulin_on_board(age)), _acting(net, activity(age))
    parts = [record.days(day, day) for day in range(1, len(record) // STEPS_PER_DAY + 1)]
    return [
        Day(
            record.glucose_mg_dl[p],
            minute[p].astype(float),
            record.carbs_g[p],
            _since(net)[p],
            iob[p],
            acts[p],
        )
        for p in parts
    ]


def _since(net: NDArray[np.float64]) -> NDArray[np.float64]:
    """A record's dose of a step is given after its reading; a day counts what came before it."""
    return np.concatenate([[0.0], net[:-1]])


def _acting(net: NDArray[np.float64], curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """What of all doses before each reading is there by a curve of their age."""
    return np.convolve(_since(net), curve)[: len(net)]


def tuned(record: Record, pump: Settings, days: int | None = None) -> Autotuned:
    """autotune over the first days of a record (default: all whole ones). Raises DiaryError for days it lacks."""
    if days is not None:
        record = record.take(record.days(1, days))
    found = days_of(record, pump)
    return Autotuned(record.who, len(found), pump, autotune(found, pump))


def words(found: Autotuned) -> str:
    """How the settings moved, relative to the pump's: never a dose."""
    change = found.tuned.basal_u_per_h / found.pump.basal_u_per_h - 1
    rows = [
        f"| basal rate, {hour:02d}:00 | {_percent(value)} |" for hour, value in enumerate(change.tolist())
    ]
    isf = found.tuned.isf_mg_dl_per_u / found.pump.isf_mg_dl_per_u - 1
    ratio = found.tuned.carb_ratio_g_per_u / found.pump.carb_ratio_g_per_u - 1
    lines = [
        f"# autotune, {found.who}, {found.days} days", "",
        f"{NOTICE} What the rules of oref0's autotune ask for, which were written for a person's own judgement; "
        "none of it was shown to be better for this person.", "",
        "| setting | change |", "|---|---:|",
        f"| basal rate, mean of the day | {_percent(change.mean())} |",
        f"| correction factor (more: a unit lowers further) | {_percent(isf)} |",
        f"| carb ratio (more: less insulin for carbs) | {_percent(ratio)} |",
        *rows,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _percent(change: float) -> str:
    return f"{round(100 * change) + 0:+d} %"
