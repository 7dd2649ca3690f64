"""What time in range was bought with: lows against time in range, and what the treatment asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from envs.render import INK, MUTED, RULE, quiet
from experiments.plots.style import (
    AGENT,
    BASELINE,
    OTHER,
    WORSE,
    as_label,
    color_of,
    head,
    legend_above,
    new_axes,
)
from experiments.results.evaluations import Row
from experiments.statistics import Interval


def front(rows: Sequence[Row]) -> list[Row]:
    """The rows that no other beats in both time in range and time below 54: the Pareto front, by time in range.

    Agents that were judged on fewer persons than others are not on it: theirs may be the easier ones.
    """
    most = max((row["persons"] for row in rows), default=0)
    rows = [row for row in rows if row["persons"] == most]
    found = [
        row
        for row in rows
        if not any(
            other["tir_pct"] >= row["tir_pct"]
            and other["below_54_pct"] <= row["below_54_pct"]
            and (other["tir_pct"], other["below_54_pct"]) != (row["tir_pct"], row["below_54_pct"])
            for other in rows
        )
    ]
    return sorted(found, key=lambda row: row["tir_pct"])


def pareto(
    rows: Sequence[Row], ours: str | None = None, baseline: str | None = None, ax: Axes | None = None
) -> Axes:
    """Time in range against time below 54 mg/dL of all agents, 95 % intervals as hairs, the Pareto front as line.

    rows: of `page.standings`, of one protocol. Filled: under the rule shield; hollow: without it. Squares were
    judged on fewer persons. A cross marks agents with failures. Better is right and down.
    """
    ax = ax or new_axes(0.75 + 2.3 + 0.128 * len(rows), 0.12, 0.95, 0.3, 0.5 + 0.128 * len(rows))
    best = front([row for row in rows if row["shield"] == rows[0]["shield"]])
    ax.plot(
        [row["tir_pct"] for row in best], [row["below_54_pct"] for row in best], color=MUTED, lw=0.9,
        ls=(0, (3, 2)), zorder=1,
    )  # fmt: skip
    handles, most = [], max(row["persons"] for row in rows)
    for number, row in enumerate(rows, 1):
        color = color_of(row["agent"], ours, baseline)
        x, y = row["tir_pct"], row["below_54_pct"]
        for ends, flat in (
            ([row["tir_pct_low"], row["tir_pct_high"]], True),
            ([row["below_54_pct_low"], row["below_54_pct_high"]], False),
        ):
            if np.isfinite(ends).all():
                ax.plot(
                    *((ends, [y, y]) if flat else ([x, x], ends)), color=color, lw=0.6, alpha=0.6, zorder=1
                )
        face = color if row["shield"] == "rule" else "white"
        shape = "o" if row["persons"] == most else "s"
        ax.plot(x, y, shape, ms=8.5, mfc=face, mec=color, mew=1.0, zorder=3)
        ink = "white" if row["shield"] == "rule" else color
        ax.text(x, y, str(number), fontsize=6, color=ink, ha="center", va="center_baseline", zorder=4)
        if row["failures"]:
            ax.plot(x, y, "x", ms=13, color=WORSE, mew=1.1, zorder=2)
        label = f"{number}  {as_label(row['agent'])}"
        label += "" if row["shield"] == "rule" else f", shield {row['shield']}"
        label += f", {row['persons']} persons" if row["persons"] < most else ""
        label += f": {row['failures']} failed" if row["failures"] else ""
        handles.append(Line2D([], [], ls="", marker=shape, ms=5, mfc=face, mec=color, label=label))
    quiet(ax)
    ax.grid(color=RULE, lw=0.4)
    # Hairs may leave the frame: one agent's wide interval must not press all points together.
    tir, low = ([row[name] for row in rows] for name in ("tir_pct", "below_54_pct"))
    ax.set_xlim(min(tir) - 2, max(tir) + 3)
    ax.set_ylim(0, max(1.3 * max(low), 0.1))
    ax.set_xlabel("Time in 70-180 mg/dL, %  (better: right)", fontsize=8, color=INK)
    head(ax, "Time below 54 mg/dL, %  (better: down)")
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(-0.1, 0), borderaxespad=3.4, frameon=False, fontsize=7,
        labelcolor=INK, handletextpad=0.3, labelspacing=0.25,
    )  # fmt: skip
    return ax


def costs(
    rows: Sequence[Row],
    metrics: Mapping[str, tuple[str, str]],
    ours: str | None = None,
    baseline: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A panel for every cost with a dot and a 95 % interval for every agent; panels are `ax.child_axes`.

    rows: of one protocol and shield. metrics: column to heading and unit, of those that the rows have.
    """
    shown = {name: words for name, words in metrics.items() if name in rows[0]}
    high = 0.14 * len(rows) + 0.55
    count = -(-len(shown) // 2)
    ax = ax or new_axes(high * count + 0.15, 0.01, 0.99, 0.25, 0.12)
    ax.set_axis_off()
    figure = ax.get_figure(root=True)
    assert figure is not None
    tall = 1.0 / count
    for k, (name, (text, unit)) in enumerate(shown.items()):
        first = k % 2 == 0
        box = (
            0.33 if first else 0.71,
            1 - (k // 2 + 1) * tall + 0.34 / high * tall,
            0.28,
            tall * (1 - 0.55 / high),
        )
        panel = ax.inset_axes(box, label=name)
        for y, row in enumerate(rows):
            color = color_of(row["agent"], ours, baseline)
            ends = row[f"{name}_low"], row[f"{name}_high"]
            if np.isfinite(ends).all():
                panel.plot(ends, [y, y], color=color, lw=0.9)
            panel.plot(row[name], y, "o", ms=4, color=color, mew=0)
        quiet(panel)
        panel.set_ylim(len(rows) - 0.4, -0.6)
        panel.set_yticks(range(len(rows)), [as_label(row["agent"]) for row in rows] if first else [])
        panel.locator_params(axis="x", nbins=4)
        panel.grid(axis="x", color=RULE, lw=0.4)
        panel.set_xlim(left=min(0.0, panel.get_xlim()[0]))
        panel.annotate(
            f"{text}, {unit}", (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", fontsize=7,
            color=INK,
        )  # fmt: skip
        panel.tick_params(axis="y", labelsize=6.5)
        for label, row in zip(panel.get_yticklabels(), rows, strict=False):
            label.set_color(AGENT if row["agent"] == ours else INK)
    return ax


@dataclass(frozen=True)
class Trade:
    """What harm is left at which price, a line for each series of settings.

    series: by name, of each setting its label, price and harm. bars: price and harm that are allowed (None: no bar).
    """

    harm: str
    price: str
    series: Mapping[str, Sequence[tuple[str, Interval, float]]]
    bars: tuple[float | None, float]


_LOOKS = ((AGENT, "o"), (BASELINE, "s"), (OTHER, "^"), (INK, "D"))


def protection(trades: Sequence[Trade], ax: Axes | None = None) -> Axes:
    """A panel for each trade, harm against price with the price's interval as a hair; bars are dotted lines.

    Panels are `ax.child_axes`. Raises ValueError for more series than there are looks.
    """
    ax = ax or new_axes(1.75 * len(trades) + 0.3, 0.01, 0.99, 0.3, 0.02)
    ax.set_axis_off()
    tall = 1 / len(trades)
    for number, trade in enumerate(trades):
        if len(trade.series) > len(_LOOKS):
            raise ValueError(f"{len(trade.series)} series; there are looks for {len(_LOOKS)}")
        panel = ax.inset_axes((0.09, 1 - (number + 1) * tall + 0.27 * tall, 0.88, 0.6 * tall))
        quiet(panel)
        panel.grid(color=RULE, lw=0.4)
        for (name, settings), (color, shape) in zip(trade.series.items(), _LOOKS, strict=False):
            at, harm = [one[1].estimate for one in settings], [one[2] for one in settings]
            panel.plot(at, harm, f"{shape}-", color=color, ms=3.5, lw=0.8, label=name or "_", zorder=2)
            for label, price, high in settings:
                panel.plot(
                    [price.low, price.high], [high] * 2, color=color, lw=0.5, alpha=0.5, label="_", zorder=1
                )
                panel.annotate(
                    label, (price.estimate, high), (4, 3), textcoords="offset points", fontsize=6, color=color
                )
        # No run and one run stand apart, and so do a few and most.
        panel.set_yscale("symlog", linthresh=2.0, linscale=1.0)
        panel.set_ylim(-0.3, 1.6 * panel.get_ylim()[1])
        panel.set_yticks([0, 1, 2, 5, 10, 20, 50], ["0", "1", "2", "5", "10", "20", "50"])
        panel.minorticks_off()
        panel.axhline(trade.bars[1], color=MUTED, lw=0.9, ls=(0, (1, 2)), label="_", zorder=0)
        if trade.bars[0] is not None:
            panel.axvline(trade.bars[0], color=MUTED, lw=0.9, ls=(0, (1, 2)), label="_", zorder=0)
        panel.set_xlabel(trade.price, fontsize=7.5, color=INK, labelpad=1)
        head(panel, trade.harm)
        if number == 0:
            legend_above(panel, len(trade.series), height=1.14)
    return ax
