"""A season of training: fitness and fatigue, load and its ratio, and a person's calendar."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from envs.render import INK, MUTED, RULE, quiet
from experiments.plots.style import WORSE, as_label, head, legend_above, looks_of, new_axes
from experiments.records.tables import Table, select

_PLACES = ((0.0, 0.6, 1.0, 0.4), (0.0, 0.0, 0.44, 0.4), (0.56, 0.0, 0.44, 0.4))
"""Of three panels: a wide one above two."""
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EASY, _VIGOROUS = "#bcd6ec", "#7fb0d8"


def _panels(
    curves: Table,
    panels: Sequence[tuple[str, str, tuple[float, float, float, float]]],
    ours: str | None,
    baseline: str | None,
    ax: Axes,
) -> list[Axes]:
    """A panel for each column of `curves`, a line for each agent, and their legend."""
    agents = [str(agent) for agent in dict.fromkeys(curves["agent"].tolist())]
    if not agents:
        raise ValueError("no agent was given; a figure needs rows of curves")
    looks = looks_of(agents, ours, baseline)
    ax.set_axis_off()
    made = []
    for column, words, place in panels:
        panel = ax.inset_axes(place, label=column)
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        for agent in agents:
            own = select(curves, agent=agent)
            panel.plot(own["day"] / 7, own[column], **looks[agent])
        panel.set_xlim(0, float(curves["day"].max()) / 7)
        panel.set_xticks(np.arange(0, float(curves["day"].max()) / 7 + 0.1, 4))
        head(panel, words)
        made.append(panel)
    lines = [Line2D([], [], label=as_label(agent), **looks[agent]) for agent in agents]
    ax.legend(
        handles=lines, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=7.5, labelcolor=INK,
        handlelength=2.2, columnspacing=1.2, borderaxespad=2.0, borderpad=0,
    )  # fmt: skip
    return made


def _below(words: str, first: bool) -> str:
    """The label of an axis of weeks, under the first panel with whom all panels are of."""
    return f"Week; {words}" if first and words else "Week"


def fitness_and_fatigue(
    curves: Table,
    ours: str | None = None,
    baseline: str | None = None,
    words: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Change of performance, fitness and fatigue over a season, means over people. Panels are `ax.child_axes`.

    curves: columns agent, day, performance, fitness, fatigue [points, against before the season]. words: of whom.
    Raises ValueError without rows.
    """
    ax = ax or new_axes(4.2, 0.08, 0.97, 0.78, 0.42)
    panels = _panels(
        curves,
        [
            ("performance", "Performance, points", _PLACES[0]),
            ("fitness", "Fitness, points", _PLACES[1]),
            ("fatigue", "Fatigue, points", _PLACES[2]),
        ],
        ours,
        baseline,
        ax,
    )
    for panel in panels:
        panel.axhline(0, color=MUTED, lw=0.7)
        panel.set_xlabel(_below(words, panel is panels[0]), fontsize=8, color=INK)
    return ax


def load_and_ratio(
    curves: Table,
    most_ratio: float,
    ours: str | None = None,
    baseline: str | None = None,
    words: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Load of the last seven days over the prescribed week's, and acute to chronic load, as executed: means over
    people, and the highest ratio of anybody. Panels are `ax.child_axes`.

    curves: columns agent, day, load, ratio, most_ratio. most_ratio: the bound. words: of whom. Raises ValueError
    without rows.
    """
    ax = ax or new_axes(4.2, 0.08, 0.97, 0.78, 0.42)
    panels = _panels(
        curves,
        [
            ("load", "Load of 7 days over prescribed", _PLACES[0]),
            ("ratio", "Acute : chronic load, mean", _PLACES[1]),
            ("most_ratio", "Highest of all people", _PLACES[2]),
        ],
        ours,
        baseline,
        ax,
    )
    for panel in panels:
        panel.set_ylim(0, None)
        panel.set_xlabel(_below(words, panel is panels[0]), fontsize=8, color=INK)
    for panel in panels[1:]:
        panel.set_ylim(0, 1.2 * most_ratio)
        panel.axhline(most_ratio, color=WORSE, lw=1.0)
        panel.annotate(
            f"bound {most_ratio:g}", (1, most_ratio), (-2, 3), xycoords=("axes fraction", "data"), color=WORSE,
            textcoords="offset points", fontsize=7, ha="right", va="bottom",
        )  # fmt: skip
    return ax


def calendar(days: Table, words: str = "", ax: Axes | None = None) -> Axes:
    """One person's season as a calendar: a row a week, a box a day, filled as far as its load goes, with its minutes.

    days: columns day, load, minutes, vigorous, evening, skipped, lost (0 or 1 in the last four). words: what stands
    above. Raises ValueError without rows.
    """
    count = len(days["day"])
    if not count:
        raise ValueError("no day was given; a calendar needs some")
    weeks = -(-count // 7)
    ax = ax or new_axes(0.25 * weeks + 0.95, 0.12, 0.98, 0.6, 0.35)
    most = max(float(days["load"].max()), 1e-9)
    for k in range(count):
        row: Mapping[str, float] = {name: float(column[k]) for name, column in days.items()}
        x, y = k % 7, k // 7
        ax.add_patch(Rectangle((x + 0.04, y + 0.08), 0.92, 0.84, facecolor="none", edgecolor=RULE, lw=0.6))
        told, color = (f"{row['minutes']:.0f} min", INK) if row["load"] > 0 else ("", INK)
        if row["lost"]:
            told, color = "injured", WORSE
        elif row["skipped"]:
            told, color = "skipped", MUTED
        elif row["load"] > 0:
            fill = _VIGOROUS if row["vigorous"] else _EASY
            wide = 0.92 * row["load"] / most
            ax.add_patch(Rectangle((x + 0.04, y + 0.08), wide, 0.84, facecolor=fill, lw=0))
            if row["evening"]:
                ax.plot(x + 0.88, y + 0.26, "o", color=INK, markersize=2.2)
        ax.text(x + 0.46, y + 0.53, told, ha="center", va="center", fontsize=6.3, color=color)
    ax.set_xlim(0, 7)
    ax.set_ylim(weeks, 0)
    ax.set_xticks(np.arange(7) + 0.5, _WEEK, fontsize=7.5)
    ax.set_yticks(np.arange(weeks) + 0.5, [f"week {week + 1}" for week in range(weeks)], fontsize=7)
    ax.tick_params(length=0, colors=INK)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if words:
        head(ax, words, lift=22.0)
    handles: Any = [
        Patch(facecolor=_EASY, label="easy"),
        Patch(facecolor=_VIGOROUS, label="vigorous"),
        Line2D([], [], color=INK, marker="o", markersize=2.2, lw=0, label="evening"),
    ]
    legend_above(ax, 3, 0.0, handles=handles)
    return ax
