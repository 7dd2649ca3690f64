"""A personal twin against its person: forecasts over a day that it was judged on, and errors beside its rivals'."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from numpy.typing import NDArray

from envs.render import INK, MEAL, MUTED, WIDTH_INCHES, glucose_axis, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, new_axes
from twins.inference import personal
from twins.inference.identify import errors, window_starts
from twins.inference.replay import forecasts
from twins.inference.validity import ALL_MIN, HORIZONS_MIN, TEST_EVERY_MIN, Personal
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


def fan(fitted: Personal, ax: Axes | None = None) -> Axes:
    """One forecast of 4 h, the one of the test whose error is the median of all: bands, and what was read then."""
    record, steps = fitted.record, len(ALL_MIN)
    starts = window_starts(record, fitted.test, TEST_EVERY_MIN)
    missed = np.nanmean(errors(fitted.forecast.theta[None], record, starts, ALL_MIN)[0] ** 2, axis=1)
    start = int(starts[np.argsort(missed)[len(missed) // 2]])
    path = forecasts(fitted.forecast.theta[None], record, np.array([start]), steps)[0, 0]
    ax = ax or new_axes(2.6, top=0.3)
    hours = np.arange(1, steps + 1) * STEP_MIN / 60
    for low, high, alpha, words in ((0, 3, 0.14, "90 %"), (1, 2, 0.26, "50 %")):
        ax.fill_between(
            hours,
            path - fitted.band[high],
            path - fitted.band[low],
            color=AGENT,
            alpha=alpha,
            linewidth=0,
            label=words,
        )
    ax.plot(hours, path, color=AGENT, linewidth=1.3)
    before = min(24, start)
    part = slice(start - before, start + steps + 1)
    around = record.glucose_mg_dl[part]
    ax.plot((np.arange(len(around)) - before) * STEP_MIN / 60, around, ".", color=INK, markersize=2.8)
    ax.axvline(0, color=MUTED, linewidth=0.7)
    for step in np.flatnonzero(record.carbs_g[part]):
        ax.annotate(
            f"{record.carbs_g[part][step]:.0f} g", ((step - before) * STEP_MIN / 60, 1.0), (0, 2), fontsize=6.5,
            color=MEAL, xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", va="bottom",
        )  # fmt: skip
    glucose_axis(ax, top=350.0)
    ax.set_xlim(-before * STEP_MIN / 60, 4)
    ax.set_xlabel(
        "Hours from a forecast of median error; points: readings",
        fontsize=7,
    )
    return ax


def pairs(fitted: Personal) -> Axes:
    """The posterior of the causal twin in pairs of parameters: draws, larger the more they weigh, and the likeliest."""
    best = fitted.belief.theta[0, list(_SHOWN)]
    shown = fitted.belief.weight > LEAST_SHOWN * fitted.belief.weight.max()
    theta, weight = fitted.belief.theta[shown][:, list(_SHOWN)], fitted.belief.weight[shown]
    names, count = list(_SHOWN.values()), len(_SHOWN)
    figure = Figure(figsize=(WIDTH_INCHES, WIDTH_INCHES))
    size = 0.86 / count
    rows = np.random.default_rng(0).choice(len(weight), 400, p=weight / weight.sum())
    first: Axes | None = None
    for down in range(count):
        for across in range(down + 1):
            ax = figure.add_axes((0.13 + across * size, 0.98 - (down + 1) * size, 0.9 * size, 0.9 * size))
            first = first or ax
            if across == down:
                ax.hist(theta[rows, across], bins=14, color=AGENT, alpha=0.6)
                ax.set_yticks([])
            else:
                ax.scatter(
                    theta[:, across], theta[:, down], s=60 * weight / weight.max(), color=AGENT,
                    alpha=0.35, linewidth=0,
                )  # fmt: skip
                ax.plot(best[across], best[down], "+", color=BASELINE, markersize=6)
                if across:
                    ax.set_yticklabels([])
                else:
                    _factors(ax.yaxis, theta[:, down])
                    ax.set_ylabel(names[down], fontsize=6.5)
            if down == count - 1:
                _factors(ax.xaxis, theta[:, across])
                ax.set_xlabel(names[across], fontsize=6.5)
            else:
                ax.set_xticklabels([])
            quiet(ax)
            ax.tick_params(labelsize=6)
    assert first is not None
    return first


LEAST_SHOWN = 0.02
"""Draws that are less likely than this, beside the likeliest, are not drawn."""
_SHOWN = {
    personal.SENSITIVITY: "sensitivity", personal.FEEDBACK: "liver feedback", personal.LEVEL: "level",
    personal.EMPTYING: "emptying", personal.SPEED: "insulin speed", personal.CARBS: "carbs per g",
}  # fmt: skip


def _factors(axis: Axis, values: NDArray[np.float64]) -> None:
    """Two ticks that stand for factors, within these logarithms."""
    low, high = np.quantile(values, [0.1, 0.9])
    axis.set_ticks([low, high], [f"{np.exp(low):.2g}", f"{np.exp(high):.2g}"])


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
