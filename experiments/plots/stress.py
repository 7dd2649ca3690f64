"""How agents degrade when the world is not as it was in training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from envs.render import INK, RULE, quiet
from experiments.plots.style import as_label, color_of, head, new_axes
from experiments.records.tables import Table, select


def degradation(
    sweep: Table,
    words: Mapping[str, tuple[str, str]],
    ours: str | None = None,
    baseline: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Time in range (left) and below 54 mg/dL (right) against every knob of a sweep. Panels are `ax.child_axes`.

    sweep: sweep.csv. words: knob to its name and unit. Raises ValueError without rows.
    """
    knobs = [str(knob) for knob in dict.fromkeys(sweep["knob"].tolist())]
    if not knobs:
        raise ValueError("sweep.csv has no rows; a degradation curve needs some")
    ax = ax or new_axes(1.65 * len(knobs) + 0.35, 0.06, 0.97, 0.5, 0.3)
    ax.set_axis_off()
    tall = 1 / len(knobs)
    agents = sorted(
        dict.fromkeys(sweep["agent"].tolist()),
        key=lambda agent: (agent == ours) + (agent in (ours, baseline)),
    )
    for k, knob in enumerate(knobs):
        mine = select(sweep, knob=knob)
        name, unit = words.get(knob, (knob.replace("_", " "), ""))
        for left, metric in ((0.0, "tir_pct"), (0.56, "below_54_pct")):
            panel = ax.inset_axes(
                (left, 1 - (k + 1) * tall + 0.3 * tall, 0.44, 0.68 * tall), label=f"{knob} {metric}"
            )
            quiet(panel)
            panel.grid(axis="y", color=RULE, lw=0.4)
            for agent in agents:
                own = select(mine, agent=agent)
                order = np.argsort(own["value"])
                told = agent in (ours, baseline)
                panel.plot(
                    own["value"][order], own[metric][order], color=color_of(agent, ours, baseline), marker="o",
                    ms=2.8 if told else 1.8, lw=1.6 if told else 0.8,
                )  # fmt: skip
            panel.set_xticks(np.unique(mine["value"]))
            panel.set_xticklabels([f"{value:g}" for value in np.unique(mine["value"])])
            panel.locator_params(axis="y", nbins=4)
            panel.set_ylim(*((None, None) if metric == "tir_pct" else (0, None)))
            panel.set_xlabel(f"{name}, {unit}" if unit else name, fontsize=6.5, color=INK)
            if k == 0:
                head(panel, "Time in 70-180, %" if metric == "tir_pct" else "Time below 54, %")
    _legend(ax, agents, ours, baseline)
    return ax


def _legend(ax: Axes, agents: Sequence[str], ours: str | None, baseline: str | None) -> None:
    told = [agent for agent in agents if agent in (ours, baseline)]
    lines = [Line2D([], [], lw=1.6, color=color_of(a, ours, baseline), label=as_label(a)) for a in told]
    others = [agent for agent in agents if agent not in told]
    if others:
        label = as_label(others[0]) if len(others) == 1 else f"{len(others)} others"
        lines.append(Line2D([], [], lw=0.8, color=color_of("", ours, baseline), label=label))
    ax.legend(
        handles=lines, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=1.6, ncols=3, frameon=False,
        fontsize=7.5, labelcolor=INK, handlelength=1.2, columnspacing=0.9, borderpad=0,
    )  # fmt: skip
