"""Learning: validation during training against environment steps, every run of every agent."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from envs.render import INK, RULE, quiet
from experiments.plots.style import AGENT, OTHER, as_label, color_of, legend_above, new_axes
from experiments.records.tables import Table, select

_PANELS = (
    ("tir_pct", "Time in 70-180 mg/dL, %", (0, 0.42, 1, 0.58)),
    ("below_70_pct", "Time below 70 mg/dL, %", (0, 0, 1, 0.28)),
)


def identity(learning: Table) -> list[str]:
    """The columns that tell runs apart; older tables do not name the run."""
    return [name for name in ("agent", "fold", "train_seed", "run") if name in learning]


def learning_curve(learning: Table, ours: str | None = None, ax: Axes | None = None) -> Axes:
    """Time in range (upper panel) and below 70 (lower) on validation days. Panels are `ax.child_axes`.

    learning: learning.csv. A thin line is a run; the bold one is the mean of an agent's runs at the steps that all
    of them have. Raises ValueError without a run.
    """
    if not len(learning["timesteps"]):
        raise ValueError("no training run was given; a learning curve needs rows of learning.csv")
    ax = ax or new_axes(3.0, 0.1, 0.95)
    ax.set_axis_off()
    agents = [str(agent) for agent in dict.fromkeys(learning["agent"].tolist())]
    ours = ours if ours is not None and ours in agents else agents[0]
    most = float(learning["timesteps"].max())
    scale, unit = (1e6, "million") if most >= 1e6 else (1e3, "thousand")
    panels = []
    for metric, text, place in _PANELS:
        panel = ax.inset_axes(place, label=metric)
        panels.append(panel)
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        for agent in sorted(agents, key=lambda name: name == ours):
            runs = _runs(select(learning, agent=agent))
            color = color_of(agent, ours, None)
            for run in runs:
                panel.plot(run["timesteps"] / scale, run[metric], color=color, lw=0.7, alpha=0.5)
            if len(runs) > 1:
                shared = runs[0]["timesteps"]
                for run in runs[1:]:
                    shared = np.intersect1d(shared, run["timesteps"])
                values = [run[metric][np.searchsorted(run["timesteps"], shared)] for run in runs]
                panel.plot(shared / scale, np.mean(values, axis=0), color=color, lw=1.7)
        panel.set_xlim(0, 1.02 * most / scale)
        panel.annotate(
            text, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", fontsize=8, color=INK,
        )  # fmt: skip
    upper, lower = panels
    upper.tick_params(labelbottom=False)
    lower.set_ylim(0, None)
    lower.set_xlabel(f"Environment steps, {unit}", fontsize=8, color=INK)
    lines = [Line2D([], [], color=AGENT, lw=1.5, label=as_label(ours))]
    rest = [agent for agent in agents if agent != ours]
    if rest:
        label = as_label(rest[0]) if len(rest) == 1 else f"{len(rest)} others"
        lines.append(Line2D([], [], color=OTHER, lw=1.5, label=label))
    legend_above(upper, 2, 1.0, handles=lines)
    return ax


def _runs(learning: Table) -> list[Table]:
    """The rows of every run of an agent, by steps."""
    names = identity(learning)
    found = []
    for key in dict.fromkeys(zip(*(learning[name].tolist() for name in names), strict=True)):
        run = select(learning, **dict(zip(names, key, strict=True)))
        order = np.argsort(run["timesteps"], kind="stable")
        found.append({name: column[order] for name, column in run.items()})
    return found
