"""Glucose: shares of time in five ranges, and its course around the clock, after meals and at night."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from envs.render import INK, MUTED, RULE, glucose_axis, quiet
from experiments.plots.style import as_label, color_of, legend_above, new_axes
from experiments.records.tables import Table, select
from experiments.results.curves import AFTER_MEAL, BEFORE_MEAL, night, percentiles
from experiments.results.evaluations import Row

RANGES = {
    "below 54": "#4a1486",
    "54-70": "#9e8ac8",
    "70-180": "#a9d3c6",
    "180-250": "#f2b45c",
    "above 250": "#a5470b",
}
"""Ranges of glucose, mg/dL, and their colours: lows violet, highs orange, so no pair is red and green."""
_AT = (58, 70, 82, 100)
"""Where the figures over a bar end, in per cent of its length."""

LEVELS = (5, 25, 50, 75, 95)
ALIGNED = {
    "clock": "Hour of the day",
    "meal": "Minutes from a meal of 20 g or more",
    "night": "Hour of the night",
}
"""Ways to lay days over one another, and what the axis says."""


def range_bars(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Share of time in five ranges of glucose as bars, one per agent and shield setting, in the rows' order.

    rows: of `page.standings`, of one protocol. Over each bar stand its figures, failures first. Agents that were
    judged on fewer persons stand under a heading that says so: theirs may be the easier ones.
    """
    lines: list[Row | str] = []
    most = max(row["persons"] for row in rows)
    blocks = list(dict.fromkeys((row["shield"], row["persons"]) for row in rows))
    for shield, persons in blocks:
        heading = f"Shield {'on' if shield == 'rule' else shield}"
        heading += f", {persons} persons only" if persons < most else ""
        lines += [heading] if len(blocks) > 1 else []
        lines += [row for row in rows if (row["shield"], row["persons"]) == (shield, persons)]
    ax = ax or new_axes(0.85 + 0.4 * len(lines), 0.03, 0.97, 0.24, 0.6)
    for text, x in zip(("failures", "<54", "<70", "70-180"), _AT, strict=True):
        ax.text(x, -0.72, text, fontsize=7.5, color=MUTED, ha="right", va="bottom")
    for y, line in enumerate(lines):
        if isinstance(line, str):
            ax.text(0, y + 0.1, line, fontsize=8, color=MUTED, va="bottom")
            continue
        very_low, low, inside, high, very_high = (
            line[name]
            for name in ("below_54_pct", "below_70_pct", "tir_pct", "above_180_pct", "above_250_pct")
        )
        left = 0.0
        parts = (very_low, low - very_low, inside, high - very_high, very_high)
        for width, color in zip(parts, RANGES.values(), strict=True):
            ax.barh(y, width, 0.36, left, color=color, edgecolor="white", lw=0.4)
            left += width
        figures = (
            f"{line['failures']} of {line['episodes']}",
            f"{very_low:.2f}",
            f"{low:.1f}",
            f"{inside:.1f} %",
        )
        ax.text(0, y - 0.27, as_label(line["agent"]), fontsize=8, color=INK, va="bottom", weight="bold")
        for text, x in zip(figures, _AT, strict=True):
            ax.text(x, y - 0.27, text, fontsize=8, color=INK, va="bottom", ha="right")
    ax.set_xlim(0, 100)
    ax.set_ylim(len(lines) - 0.7, -0.75)
    ax.set_yticks([])
    ax.set_xticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    quiet(ax)
    ends = ax.get_xticklabels()
    ends[0].set_horizontalalignment("left")
    ends[-1].set_horizontalalignment("right")
    ax.legend(
        handles=[Patch(color=color, label=name) for name, color in RANGES.items()], loc="upper center",
        bbox_to_anchor=(0.5, 0), borderaxespad=2.4, ncols=5, frameon=False, fontsize=7.5, handlelength=0.9,
        handleheight=0.9, columnspacing=0.9, handletextpad=0.4, labelcolor=INK,
        title="Share of time by glucose, mg/dL", title_fontsize=7.5,
    )  # fmt: skip
    return ax


def aligned(curves: Table, agents: Sequence[str], align: str = "clock", ax: Axes | None = None) -> Axes:
    """Median, 25-75 % and 5-95 % of true plasma glucose of one or two agents laid over one another.

    curves: rows of curves.csv of one protocol and shield. align: see `ALIGNED`. Time after a failure is not in it.
    Raises ValueError without counts.
    """
    if align not in ALIGNED:
        raise ValueError(f"align is {align!r}; known are {', '.join(ALIGNED)}")
    mine = night(curves) if align == "night" else select(curves, align=align)
    ax = ax or new_axes(2.75, bottom=0.46)
    bands = {}
    for agent in agents:
        bands[agent] = percentiles(select(mine, agent=agent), LEVELS)
    everything = np.concatenate([band.ravel() for _, band in bands.values()])
    top = next((top for top in (300.0, 400.0) if everything.max() < top), 600.0)
    glucose_axis(ax, top, 40.0 if everything.min() > 42 else 0.0)
    for agent, (minute, band) in bands.items():
        x = minute if align == "meal" else minute / 60
        color = color_of(agent, agents[0], agents[1] if len(agents) > 1 else None)
        ax.fill_between(x, band[1], band[3], color=color, alpha=0.22, lw=0)
        for k in (0, 4):
            ax.plot(x, band[k], color=color, lw=0.8, ls=(0, (2, 1.5)))
        ax.plot(x, band[2], color=color, lw=1.7, label=as_label(agent))
    if align == "meal":
        ax.axvline(0, color=INK, lw=0.7)
        ax.set_xlim(-BEFORE_MEAL, AFTER_MEAL)
        ax.set_xticks(range(-BEFORE_MEAL, AFTER_MEAL + 1, 60))
    else:
        hours = range(0, 25, 3) if align == "clock" else range(0, 10)
        ax.set_xlim(min(hours), max(hours))
        ax.set_xticks(hours, [f"{(hour + (0 if align == 'clock' else 22)) % 24:02d}" for hour in hours])
    ax.tick_params(axis="x", pad=5)
    ax.set_xlabel(ALIGNED[align], fontsize=8, color=INK)
    ax.grid(axis="x", color=RULE, lw=0.3)
    short = [as_label(agent) for agent in agents]
    if sum(map(len, short)) <= 23:
        legend_above(ax, 2, 0.86)
    else:  # long names stand in the figure
        ax.legend(
            loc="upper left", frameon=False, fontsize=7.5, labelcolor=INK, handlelength=1.2, borderpad=0.2
        )
    return ax
