"""What faults do to agents, as a map: a row a fault, a column an agent."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from envs.render import INK
from experiments.plots.style import WORSE, as_label
from experiments.records.tables import Table, select

MOST_POINTS = 2.0
"""Colour is full at so many points more of time below 54 mg/dL."""
_COLOURS = LinearSegmentedColormap.from_list("more lows", ["#ffffff", "#f2b8a0", WORSE])
_ROW_INCHES, _COLUMN_INCHES, _WORDS_INCHES, _NAMES_INCHES, _FOOT_INCHES = 0.185, 0.68, 2.9, 1.6, 0.4


def fault_map(table: Table, words: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """Change of time below 54 mg/dL by each fault, in points; a dagger and their number where people died, an asterisk
    where a pass bar is missed.

    table: a row for each case and agent, columns agent, shield, case, died, missed, delta_below_54_pct. words: what
    each case is. Empty fields were not run. Raises ValueError without rows.
    """
    if not len(table["case"]):
        raise ValueError("the table of the battery has no rows; a map needs some")
    columns = list(dict.fromkeys(zip(table["agent"].tolist(), table["shield"].tolist(), strict=True)))
    rows = [case for case in words if case in set(table["case"].tolist())]
    ax = ax or _axes(len(rows), len(columns))
    shade = Normalize(0.0, MOST_POINTS, clip=True)
    for x, (agent, shield) in enumerate(columns):
        for y, case in enumerate(rows):
            one = select(table, agent=agent, shield=shield, case=case)
            if not len(one["case"]):
                continue
            died, more = int(one["died"][0]), float(one["delta_below_54_pct"][0])
            level = 1.0 if died else float(shade(max(more, 0.0)))
            ax.add_patch(Rectangle((x, y), 0.96, 0.92, facecolor=_COLOURS(level), edgecolor="none"))
            text = f"{more:+.1f}" + (f" †{died}" if died else "") + ("*" if one["missed"][0] > 0 else "")
            ax.text(
                x + 0.48, y + 0.48, text, ha="center", va="center", fontsize=6.5, color="white" if level > 0.8 else INK,
            )  # fmt: skip
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(rows), 0)
    ax.set_yticks(np.arange(len(rows)) + 0.48, [f"{case}  {words[case]}" for case in rows], fontsize=6.5)
    names = [
        as_label(agent) if shield == "rule" else f"{as_label(agent)}, {shield}" for agent, shield in columns
    ]
    ax.set_xticks(np.arange(len(columns)) + 0.48, names, fontsize=7, rotation=90)
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelcolor=INK)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.annotate(
        "Change of time below 54 mg/dL, points; † died, * a pass bar missed", (0.02, 0), (0, 8),
        xycoords="figure fraction", textcoords="offset points", ha="left", va="bottom", fontsize=7, color=INK,
    )  # fmt: skip
    return ax


def _axes(rows: int, columns: int) -> Axes:
    """Axes of a figure as large as the map needs."""
    width = _WORDS_INCHES + _COLUMN_INCHES * max(columns, 2)
    height = _NAMES_INCHES + _ROW_INCHES * rows + _FOOT_INCHES
    left, bottom = _WORDS_INCHES / width, _FOOT_INCHES / height
    return Figure(figsize=(width, height)).add_axes((left, bottom, 1 - left, _ROW_INCHES * rows / height))
