"""Policies for one person, judged on hidden bodies: a dot for each training of an arm, and what a twin had foreseen."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from envs.render import INK, MUTED, WIDTH_INCHES, quiet
from experiments.aggregates import person_scores
from experiments.plots.style import AGENT, BASELINE, OTHER, head, new_axes
from experiments.records.tables import Table, select
from experiments.statistics import SEED, crossed_interval

PERSONAL = ("twin-posterior", "twin-map", "cohort-twin-settings", "basal-bolus-twin", "pid-twin")


def arms(episodes: Table, shield: str = "rule", ax: Axes | None = None) -> Axes:
    """Time in range of every arm: mean over persons with its interval, and a dot for each training seed."""
    names = list(dict.fromkeys(episodes["arm"].tolist()))
    found = {}
    for arm in names:
        mine = select(episodes, arm=arm, shield=shield)
        table = person_scores(mine["tir_pct"], mine["person"], mine["train_seed"])
        lone = len(table.scores) == 1 and table.seeds[0] >= 0
        found[arm] = table.scores, crossed_interval(table.scores, seed=SEED, lone_trained=lone)
    order = sorted(names, key=lambda arm: found[arm][1].estimate)
    ax = ax or new_axes(0.8 + 0.26 * len(order), 0.24, 0.94, 0.12, 0.46)
    for row, arm in enumerate(order):
        scores, interval = found[arm]
        color = AGENT if arm in PERSONAL else BASELINE if arm == "cohort-history" else OTHER
        ax.plot([interval.low, interval.high], [row, row], color=color, linewidth=1.4, solid_capstyle="butt")
        ax.plot(interval.estimate, row, "|", color=color, markersize=11, markeredgewidth=2.0)
        by_seed = np.nanmean(scores, axis=1)
        if len(by_seed) > 1:
            ax.plot(
                by_seed, np.full(len(by_seed), row), "o", color=color, markersize=4.5, markeredgecolor="white"
            )
    ax.set_yticks(range(len(order)), [arm.replace("-", " ") for arm in order], fontsize=8)
    people, seeds = (
        len(np.unique(episodes["person"])),
        len(np.unique(episodes["train_seed"][episodes["train_seed"] >= 0])),
    )
    ax.set_xlabel(
        f"Time in 70-180 mg/dL, % of 14 new days; {people} hidden people, {seeds} training seeds (dots), 95 % interval",
        fontsize=8,
    )  # fmt: skip
    quiet(ax)
    return ax


def foreseen(episodes: Table, axes: Sequence[Axes] | None = None) -> Axes:
    """What the twins foresaw of the policy trained on them, against what came true; a dot for each person and seed."""
    mine = select(episodes, arm="twin-posterior", shield="rule")
    if axes is None:
        figure = Figure(figsize=(WIDTH_INCHES, 3.1))
        axes = [figure.add_axes((left, 0.16, 0.36, 0.72)) for left in (0.09, 0.58)]
    for ax, name, words in zip(
        axes, ("tir_pct", "below_70_pct"), ("Time in 70-180 mg/dL, %", "Time below 70 mg/dL, %"), strict=True
    ):
        told, came = mine[f"foreseen_{name}"], mine[name]
        known = np.isfinite(told)
        for core, mark in zip(np.unique(mine["core"]).tolist(), "os^", strict=False):
            one = known & (mine["core"] == core)
            ax.plot(
                told[one], came[one], mark, color=AGENT, markersize=4, markeredgecolor="white", label=core
            )
        both = np.concatenate([told[known], came[known]])
        low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
        edge = 0.04 * max(high - low, 1.0)
        ends = (max(low - edge, 0.0), high + edge)
        ax.plot(ends, ends, color=MUTED, linewidth=0.8)
        ax.set_xlim(*ends)
        ax.set_ylim(*ends)
        ax.set_xlabel("Foreseen by the twin", fontsize=8)
        ax.set_ylabel("Came true in the hidden body", fontsize=8)
        head(ax, words, color=INK)
        quiet(ax)
    axes[0].legend(frameon=False, fontsize=7.5, loc="lower right")
    return axes[0]
