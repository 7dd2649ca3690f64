"""A personal twin against its person: forecasts over a day that it was judged on, and errors beside its rivals'."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from envs.render import INK, MEAL, MUTED, glucose_axis, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, new_axes
from twins.inference.replay import forecasts
from twins.inference.validity import ALL_MIN, HORIZONS_MIN, Personal
from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

RIVALS = {
    "persistence": "last reading", "time_of_day_mean": "own mean by hour", "population_twin": "twin of the others",
    "ridge": "ridge regression",
}  # fmt: skip
"""Of a card's references, in words."""
_MARKS = ("v", "s", "D", "^")


def overlay(fitted: Personal, day: int = 0, ax: Axes | None = None) -> Axes:
    """Readings of one day of the test (counted from 0) and the forecast twin's bands, made anew every 4 h.

    Raises ValueError for a day that the test does not have.
    """
    record, steps = fitted.record, len(ALL_MIN)
    days = (fitted.test.stop - fitted.test.start) // STEPS_PER_DAY
    if not 0 <= day < days:
        raise ValueError(f"day is {day}; the test has days 0 ... {days - 1}")
    ax = ax or new_axes(2.6, top=0.3)
    first = fitted.test.start + day * STEPS_PER_DAY
    starts = first + np.arange(0, STEPS_PER_DAY - steps + 1, steps)
    for start, path in zip(
        starts, forecasts(fitted.forecast.theta[None], record, starts, steps)[0], strict=True
    ):
        hours = (start - first + np.arange(1, steps + 1)) * STEP_MIN / 60
        for low, high, alpha in ((0, 3, 0.14), (1, 2, 0.26)):
            ax.fill_between(
                hours,
                path - fitted.band[high],
                path - fitted.band[low],
                color=AGENT,
                alpha=alpha,
                linewidth=0,
            )
        ax.plot(hours, path, color=AGENT, linewidth=1.3)
    part = slice(first, first + STEPS_PER_DAY)
    ax.plot(
        np.arange(STEPS_PER_DAY) * STEP_MIN / 60, record.glucose_mg_dl[part], ".", color=INK, markersize=2.4
    )
    for step in np.flatnonzero(record.carbs_g[part]):
        ax.annotate(
            f"{record.carbs_g[part][step]:.0f} g", (step * STEP_MIN / 60, 1.0), (0, 2), fontsize=6.5, color=MEAL,
            xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", va="bottom",
        )  # fmt: skip
    glucose_axis(ax, top=350.0)
    begins = (record.minute_of_day + STEP_MIN * first) % MINUTES_PER_DAY // 60
    ax.set_xlim(0, 24)
    ax.set_xticks(range(0, 25, 4), [f"{(begins + hour) % 24:02d}:00" for hour in range(0, 25, 4)])
    ax.set_xlabel(
        f"{record.who}, day {day + 1} of {days} after the fit; forecasts of 4 h, bands of 50 and 90 %", fontsize=7,
        color=MUTED,
    )  # fmt: skip
    return ax


def error_by_horizon(card: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Root mean squared error of both twins and their rivals at 1, 2 and 4 h, on days after the fit."""
    ax = ax or new_axes(2.6, 0.12, 0.66, 0.2, 0.46)
    hours = [horizon / 60 for horizon in HORIZONS_MIN]
    lines = [
        ("twin for forecasts", card["rmse_mg_dl"], AGENT, "o", 2.0),
        ("causal twin", card["rmse_mg_dl_causal"], BASELINE, "o", 2.0),
        *(
            (words, card["rmse_mg_dl_references"][name], OTHER, mark, 1.0)
            for (name, words), mark in zip(RIVALS.items(), _MARKS, strict=True)
        ),
    ]
    ends = []
    for words, found, color, mark, width in lines:
        values = [found[str(horizon)] for horizon in HORIZONS_MIN]
        ax.plot(hours, values, color=color, marker=mark, linewidth=width, markersize=4)
        ends.append((values[-1], words, color))
    low, high = ax.get_ylim()
    at = -np.inf
    for value, words, color in sorted(ends):
        at = max(value, at + (high - low) * 0.075)
        ax.text(4.12, at, words, color=color, fontsize=7.5, va="center")
    ax.set_xticks(hours, [f"{hour:g} h" for hour in hours])
    ax.set_ylabel("Error, mg/dL (RMSE)", fontsize=8)
    ax.set_xlabel(f"Ahead; {card['windows']} forecasts on {card['test_days']} days after the fit", fontsize=8)
    quiet(ax)
    return ax
