"""What an agent asks for where: factors of the scheduled basal rate by glucose, trend and insulin on board."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from numpy.typing import NDArray

from agents.frozen import NOTICE
from envs.render import INK, MUTED
from experiments.plots.style import new_axes
from experiments.records.tables import Table, select
from experiments.results.curves import GLUCOSE_FROM, IOB_FROM, TREND_FROM

RARE = 30
"""Places that were visited in fewer control intervals are left white."""
_TRENDS = ("falls fast", "falls", "falls slowly", "steady", "rises slowly", "rises", "rises fast")
_MOST = 2.5


def dose_grid(doses: Table) -> NDArray[np.float64]:
    """Mean factor of the scheduled basal rate asked for, (iob, trend, glucose); NaN where it was rarely decided."""
    grid = np.full((len(IOB_FROM), len(TREND_FROM), len(GLUCOSE_FROM)), np.nan)
    columns = ("iob_from_pct", "trend_from_mg_dl_per_min", "glucose_from_mg_dl", "count", "basal_factor_sum")
    for iob, trend, glucose, count, total in zip(*(doses[name].tolist() for name in columns), strict=True):
        if count >= RARE:
            place = IOB_FROM.index(iob), TREND_FROM.index(trend), GLUCOSE_FROM.index(glucose)
            grid[place] = total / count
    return grid


def dose_map(doses: Table, agent: str, ax: Axes | None = None) -> Axes:
    """Mean basal factor asked for, a panel for every level of insulin on board; panels are `ax.child_axes`.

    doses: doses.csv of one protocol and shield. 1 (white) is the scheduled rate, 0 (brown) none, above 1 violet.
    Every cell has its number. Raises ValueError where the agent has no counts.
    """
    mine = select(doses, agent=agent)
    if not len(mine["count"]):
        raise ValueError(
            f"no doses of {agent!r}; these are of {', '.join(sorted(set(doses['agent'].tolist())))}"
        )
    grid = dose_grid(mine)
    ax = ax or new_axes(5.0, 0.19, 0.99, 0.25, 0.62)
    ax.set_axis_off()
    tall = 1 / len(IOB_FROM)
    norm = TwoSlopeNorm(1.0, 0.0, _MOST)
    for k, level in enumerate(IOB_FROM):
        panel = ax.inset_axes((0, 1 - (k + 1) * tall + 0.07, 1, tall - 0.09), label=f"iob {level:g}")
        panel.pcolormesh(
            np.arange(len(GLUCOSE_FROM) + 1), np.arange(len(TREND_FROM) + 1), grid[k], cmap="PuOr", norm=norm,
            edgecolors="white", lw=0.6,
        )  # fmt: skip
        for row, column in zip(*np.nonzero(np.isfinite(grid[k])), strict=True):
            value = float(grid[k, row, column])
            dark = value < 0.35 or value > 1.9
            panel.text(
                column + 0.5, row + 0.5, f"{value:.1f}", fontsize=5.5, ha="center", va="center_baseline",
                color="white" if dark else INK,
            )  # fmt: skip
        panel.set_yticks(np.arange(len(TREND_FROM)) + 0.5, _TRENDS)
        panel.set_xticks(range(1, len(GLUCOSE_FROM)), [f"{edge:g}" for edge in GLUCOSE_FROM[1:]])
        panel.tick_params(labelsize=6, colors=MUTED, length=0, pad=2)
        for spine in panel.spines.values():
            spine.set_visible(False)
        upper = f" to {IOB_FROM[k + 1]:g}" if k + 1 < len(IOB_FROM) else " or more"
        panel.annotate(
            f"Insulin on board {level:g}{upper} % of daily insulin", (0, 1), (0, 3), xycoords="axes fraction",
            textcoords="offset points", fontsize=7.5, color=INK,
        )  # fmt: skip
    ax.annotate(
        "Sensor glucose, mg/dL, against its trend over 15 min. Numbers: basal\n"
        f"rate asked for, times the scheduled one. Simulation.\n{NOTICE}",
        (0, 0), (-40, -6), xycoords="axes fraction", textcoords="offset points", va="top", fontsize=7, color=MUTED,
    )  # fmt: skip
    return ax
