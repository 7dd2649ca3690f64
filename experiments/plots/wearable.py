"""What a wrist shows: the clock's phase from light and movement, and simulated days beside real ones by the hour."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from envs.render import INK, RULE, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, head, legend_above, new_axes
from experiments.records.tables import Table, select
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

_LOOKS = {"forger": (AGENT, "-"), "skeldon": (OTHER, (0, (4, 1.5))), "hannay": (BASELINE, "-")}
_HEADS = {"asleep": "Asleep (%)", "steps": "Steps in an hour", "glucose": "Glucose (mg/dL)"}
_COLORS = (BASELINE, AGENT)
"""Of real people and of simulated ones, in the order of the table."""
Days = Mapping[str, NDArray[np.float64]]
"""median, low, high (days,): hours of the clock, 12 to 36."""
_SLEEP = "#dfe5ee"


def phases(
    by_source: Mapping[str, Mapping[str, Days]],
    asleep: NDArray[np.bool_],
    words: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Melatonin onset by day, a panel for each source, a line for each clock; the people's interval of the first one.

    by_source: "light" and "movement", each a mapping of clocks; asleep (n,): whole days of five
    minutes from 00:00. Raises ValueError without a source.
    """
    if not by_source:
        raise ValueError("no source was given; give phases by light, by movement or both")
    ax = ax or new_axes(3.4, 0.1, 0.98, 0.66, 0.42)
    ax.set_axis_off()
    width = (1.0 - 0.06 * (len(by_source) - 1)) / len(by_source)
    for number, (source, found) in enumerate(by_source.items()):
        panel = ax.inset_axes((number * (width + 0.06), 0.0, width, 0.92))
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        _nights(panel, asleep)
        for clock, one in found.items():
            days = np.arange(1, len(one["median"]) + 1)
            color, style = _LOOKS[clock]
            if clock == next(iter(found)):
                panel.fill_between(days, one["low"], one["high"], color=color, alpha=0.15, lw=0)
            panel.plot(days, one["median"], color=color, ls=style, lw=1.4)
        panel.set_ylim(36, 12)
        panel.set_yticks(range(12, 37, 6), [f"{hour % 24:02d}:00" for hour in range(12, 37, 6)])
        panel.set_xlabel(f"Day; {words}" if words and not number else "Day", fontsize=8, color=INK)
        head(panel, f"From {source}")
        if number:
            panel.set_yticklabels([])
    lines = [
        Line2D([], [], color=color, ls=style, lw=1.4, label=clock) for clock, (color, style) in _LOOKS.items()
    ]
    patches = [
        Patch(color=AGENT, alpha=0.15, label="90 % of people (forger)"),
        Patch(color=_SLEEP, label="asleep by the watch"),
    ]
    legend_above(ax, 3, 0.0, [*lines, *patches])  # type: ignore[list-item]
    return ax


def _nights(panel: Axes, asleep: NDArray[np.bool_]) -> None:
    """Sleep from noon to noon as bars, under the day in which it begins."""
    noon = STEPS_PER_DAY // 2
    days = np.append(asleep[noon:], np.zeros(noon, bool)).reshape(-1, STEPS_PER_DAY)
    hour = 12.0 + np.arange(STEPS_PER_DAY + 1) * (STEP_MIN / 60)
    for day, row in enumerate(days, 1):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        for begin, end in edges.reshape(-1, 2):
            panel.bar(day, hour[end] - hour[begin], 0.9, hour[begin], color=_SLEEP, lw=0, zorder=1)


def beside(curves: Table, words: str = "", ax: Axes | None = None) -> Axes:
    """Each measure by the hour of the clock: means over people and the middle 80 % of them, real and simulated.

    curves: of `experiments.wearable.beside.tidy`. Panels are `ax.child_axes`.
    """
    ax = ax or new_axes(2.7, 0.06, 0.98, 0.5, 0.42)
    ax.set_axis_off()
    kinds = [str(one) for one in dict.fromkeys(curves["of"].tolist())]
    for number, name in enumerate(_HEADS):
        panel = ax.inset_axes((0.36 * number, 0.0, 0.28, 0.9), label=name)
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        for of, color in zip(kinds, _COLORS, strict=False):
            own = select(curves, of=of, measure=name)["value"].reshape(-1, 24)
            own = own[np.isfinite(own).all(axis=1)]
            if not len(own):
                continue
            hours = np.arange(25)
            closed = np.concatenate([own, own[:, :1]], axis=1)
            low, high = np.quantile(closed, [0.1, 0.9], axis=0)
            panel.fill_between(hours, low, high, color=color, alpha=0.15, lw=0)
            panel.plot(hours, closed.mean(axis=0), color=color, lw=1.5)
        panel.set_xlim(0, 24)
        panel.set_ylim(bottom=0 if name in ("asleep", "steps") else None)
        panel.set_xticks(range(0, 25, 6))
        panel.set_xlabel("Hour", fontsize=8, color=INK)
        head(panel, _HEADS[name])
    lines = [Line2D([], [], color=color, lw=1.5, label=of) for of, color in zip(kinds, _COLORS, strict=False)]
    legend_above(ax, 2, 0.0, lines, 1.0)
    ax.text(1.0, 1.13, words, transform=ax.transAxes, ha="right", va="bottom", fontsize=7, color=INK)
    return ax
