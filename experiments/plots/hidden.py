"""Policies for one person, judged on hidden bodies: a dot for each training of an arm, and what a twin had foreseen."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from envs.render import INK, MUTED, WIDTH_INCHES, quiet
from experiments.aggregates import person_scores
from experiments.plots.style import AGENT, BASELINE, OTHER, head, new_axes
from experiments.records.tables import Table, select
from experiments.statistics import score_interval

PERSONAL = ("twin-posterior", "twin-map", "cohort-twin-settings", "basal-bolus-twin", "pid-twin")


def arms(episodes: Table, shield: str = "rule", ax: Axes | None = None) -> Axes:
    """Time in range of every arm: mean over persons with its interval, and a dot for each training seed."""
    names = list(dict.fromkeys(episodes["arm"].tolist()))
    found = {}
    for arm in names:
        mine = select(episodes, arm=arm, shield=shield)
        columns = mine["tir_pct"], mine["person"], mine["train_seed"]
        found[arm] = person_scores(*columns).scores, score_interval(*columns)
    order = sorted(names, key=lambda arm: found[arm][1].estimate)
    ax = ax or new_axes(0.85 + 0.26 * len(order), 0.33, 0.97, 0.3, 0.42)
    for row, arm in enumerate(order):
        scores, interval = found[arm]
        color = AGENT if arm in PERSONAL else BASELINE if arm == "cohort-history" else OTHER
        ends = np.clip([interval.low, interval.high], 0, 100)  # of few people: no share is outside
        ax.plot(ends, [row, row], color=color, linewidth=1.4, solid_capstyle="butt")
        ax.plot(interval.estimate, row, "|", color=color, markersize=11, markeredgewidth=2.0)
        by_seed = np.nanmean(scores, axis=1)
        if len(by_seed) > 1:
            ax.plot(
                by_seed, np.full(len(by_seed), row), "o", color=color, markersize=4.5, markeredgecolor="white"
            )
    ax.set_yticks(range(len(order)), [arm.replace("-", " ") for arm in order], fontsize=7.5)
    people, seeds = (
        len(np.unique(episodes["person"])),
        len(np.unique(episodes["train_seed"][episodes["train_seed"] >= 0])),
    )
    ax.set_xlabel("Time in 70-180 mg/dL, % of 14 new days", fontsize=8)
    head(ax, f"{people} hidden people, {seeds} training seeds (dots), 95 % intervals", right=True)
    quiet(ax)
    return ax


def foreseen(episodes: Table) -> Axes:
    """What draws of the twin foresaw of agents, against what came true in the hidden body; a dot a person and agent."""
    mine = select(episodes, shield="rule")
    mine = {name: column[np.isfinite(mine["foreseen_tir_pct"])] for name, column in mine.items()}
    figure = Figure(figsize=(WIDTH_INCHES, 2.7))
    axes = [figure.add_axes((left, 0.25, 0.36, 0.63)) for left in (0.11, 0.61)]
    arms = list(dict.fromkeys(mine["arm"].tolist()))
    for ax, name, words in zip(
        axes, ("tir_pct", "below_70_pct"), ("Time in 70-180, %", "Time below 70, %"), strict=True
    ):
        for arm, mark, color in zip(arms, "v^sDo", (OTHER, BASELINE, OTHER, BASELINE, AGENT), strict=False):
            one = mine["arm"] == arm
            ax.plot(mine[f"foreseen_{name}"][one], mine[name][one], mark, color=color, markersize=3.2, alpha=0.8,
                    markeredgewidth=0, label=arm.replace("-", " "))  # fmt: skip
        both = np.concatenate([mine[f"foreseen_{name}"], mine[name]])
        edge = 0.05 * max(float(np.ptp(both)), 1.0)
        ends = (max(float(both.min()) - edge, 0.0), float(both.max()) + edge)
        ax.plot(ends, ends, color=MUTED, linewidth=0.8)
        ax.set_xlim(*ends)
        ax.set_ylim(*ends)
        ax.set_xlabel("foreseen by the twin", fontsize=8)
        head(ax, words, color=INK)
        quiet(ax)
    axes[0].set_ylabel("came true", fontsize=8)
    marks, named = axes[0].get_legend_handles_labels()
    figure.legend(
        marks, named, frameon=False, fontsize=6, loc="lower center", ncols=len(named), handletextpad=0.1,
        columnspacing=1.0, borderpad=0.1,
    )  # fmt: skip
    return axes[0]
