"""Weeks of sleep: a raster of one person's days under two agents, and sleepiness in required hours by day."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from envs.render import INK, RULE, quiet
from experiments.plots.style import WORSE, as_label, head, legend_above, looks_of, new_axes
from experiments.records.tables import Table, select
from twins.bodies.circadian import STEP_MIN
from twins.world.duties import BEGINS_H

_NIGHT, _BED, _BUSY = "#22304a", "#9fb0c8", "#8a5a00"
_LIGHT = LinearSegmentedColormap.from_list("light", ["#ffffff", "#fff3c4", "#ffd24d"])
_DARKEST, _BRIGHTEST = 0.0, np.log10(5000.0)
_STEP_H = STEP_MIN / 60


def raster(steps: Table, agents: Sequence[str], ax: Axes | None = None) -> Axes:
    """Days of one person as rows, from 18:00 on, under two agents side by side: light at the eye, in bed, asleep,
    required hours, and the minimum of temperature. Panels are `ax.child_axes`.

    steps: columns agent, day, step, lux, in_bed, asleep, required (0 or 1), minimum_h. Raises ValueError for an agent
    without rows.
    """
    ax = ax or new_axes(3.9, 0.08, 0.98, 0.62, 0.42)
    ax.set_axis_off()
    width = (1.0 - 0.06 * (len(agents) - 1)) / len(agents)
    for number, agent in enumerate(agents):
        own = select(steps, agent=agent)
        if not len(own["day"]):
            known = ", ".join(dict.fromkeys(steps["agent"].tolist()))
            raise ValueError(f"{agent!r} has no rows; there are {known}")
        panel = ax.inset_axes((number * (width + 0.06), 0.0, width, 0.94))
        _days(panel, own)
        head(panel, as_label(agent))
        if number:
            panel.set_yticklabels([])
    handles = [
        Patch(color=_NIGHT, label="asleep"), Patch(color=_BED, label="in bed"), Patch(color="#ffd24d", label="light"),
        Line2D([], [], color=_BUSY, lw=2.0, label="required"),
        Line2D([], [], color=WORSE, marker="v", ls="", ms=4, label="body coldest"),
    ]  # fmt: skip
    legend_above(ax, len(handles), 0.0, handles)  # type: ignore[arg-type]
    return ax


def _days(panel: Axes, own: Table) -> None:
    quiet(panel)
    days = int(own["day"].max()) + 1
    shape = (days, -1)
    order = np.lexsort((own["step"], own["day"]))
    lux, bed, asleep, busy = (
        own[name][order].reshape(shape) for name in ("lux", "in_bed", "asleep", "required")
    )
    minimum = own["minimum_h"][order].reshape(shape)[:, 0]
    panel.imshow(
        np.log10(lux + 1.0), cmap=_LIGHT, vmin=_DARKEST, vmax=_BRIGHTEST, aspect="auto", interpolation="nearest",
        extent=(0.0, 24.0, days - 0.5, -0.5),
    )  # fmt: skip
    now = np.arange(lux.shape[1]) * _STEP_H
    for day in range(days):
        for there, color, low, high in (
            (bed, _BED, -0.42, 0.42),
            (asleep, _NIGHT, -0.42, 0.42),
            (busy, _BUSY, 0.34, 0.48),
        ):
            panel.fill_between(
                now, day + low, day + high, where=(there[day] == 1).tolist(), color=color, lw=0, step="post"
            )
    panel.plot(minimum, np.arange(days), color=WORSE, marker="v", ls="", ms=3)
    panel.set_xlim(0, 24)
    panel.set_xticks(range(0, 24, 6), [f"{(round(BEGINS_H) + hour) % 24:02d}:00" for hour in range(0, 24, 6)])
    panel.set_yticks(range(0, days, 7), [str(day + 1) for day in range(0, days, 7)])
    panel.set_xlabel("Clock", fontsize=8, color=INK)


def at_work(
    curves: Table,
    ours: str | None = None,
    baseline: str | None = None,
    words: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Sleepiness in required hours by day, means over people, a line an agent; the compared ones come last.

    curves: columns agent, day, sleepiness. words: of whom. Raises ValueError without rows.
    """
    ax = ax or new_axes(3.0, 0.1, 0.97, 0.55, 0.42)
    agents = [str(agent) for agent in dict.fromkeys(curves["agent"].tolist())]
    if not agents:
        raise ValueError("no agent was given; a figure needs rows of curves")
    quiet(ax)
    ax.grid(axis="y", color=RULE, lw=0.5)
    for agent, look in looks_of(agents, ours, baseline).items():
        own = select(curves, agent=agent)
        ax.plot(own["day"], own["sleepiness"], label=as_label(agent), **look)
    ax.set_xticks(range(0, int(curves["day"].max()) + 1, 7))
    ax.set_xlabel(f"Day; {words}" if words else "Day", fontsize=8, color=INK)
    ax.set_ylabel("Sleepiness in required hours (KSS)", fontsize=8, color=INK)
    legend_above(ax, 3)
    return ax
