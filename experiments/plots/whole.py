"""Whole persons: what is gained by strength of the couplings, what each coupling does, and a person's week."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch

from envs.render import IN_RANGE, INK, MEAL, MUTED, RULE, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, as_label, head, legend_above, new_axes
from experiments.records.tables import Table, select
from experiments.statistics import Interval

_BED, _MOVE = "#9fb0c8", "#7a4fa3"
_SURE = {"high": AGENT, "medium": BASELINE}
"""Colours of the first word of a confidence."""
_NODES = {
    "exercise": (0.11, 0.86), "sleep": (0.11, 0.48), "clock": (0.11, 0.10), "strain": (0.55, 0.08),
    "fitness": (0.38, 0.68), "insulin's action": (0.57, 0.48), "glucose": (0.92, 0.48),
}  # fmt: skip
_BENDS, _TOLD_AT = {"awakening": -0.26, "exercise": -0.3}, {"awakening": 0.28}
"""How arrows bend, and how far along them their names stand, where not straight and half-way."""
_EDGES = {
    "sleep": ("sleep", "insulin's action"), "dawn": ("clock", "insulin's action"),
    "stress": ("strain", "insulin's action"), "fitness": ("fitness", "insulin's action"),
    "exercise": ("exercise", "glucose"), "awakening": ("glucose", "sleep"), "work": ("exercise", "sleep"),
}  # fmt: skip
"""From and to, by switch of `twins.bodies.couplings`."""


def by_strength(
    found: Mapping[str, Interval], ours: str, theirs: str, words: str, ax: Axes | None = None
) -> Axes:
    """What one agent has more in range than another, by strength of the couplings, with intervals. Raises ValueError
    without any."""
    ax = ax or new_axes(2.6, 0.1, 0.97, 0.2, 0.5)
    if not found:
        raise ValueError("no strength was given; a figure needs one and more")
    quiet(ax)
    ax.axhline(0.0, color=RULE, lw=0.8)
    ax.axhspan(-0.5, 0.5, color=IN_RANGE, lw=0)
    for at, one in enumerate(found.values()):
        ax.plot([at, at], [one.low, one.high], color=AGENT, lw=1.6)
        ax.plot([at], [one.estimate], color=AGENT, marker="o", ms=5)
    ax.set_xticks(range(len(found)), list(found))
    ax.set_xlim(-0.6, len(found) - 0.4)
    ax.set_xlabel(f"Strength of the couplings; {words}", fontsize=8, color=INK)
    ax.set_ylabel("Points of time in range", fontsize=8, color=INK)
    head(ax, f"{as_label(ours)} less {as_label(theirs)}; band: ±0.5 points")
    return ax


def effects(found: Sequence[tuple[str, str, Interval]], words: str, ax: Axes | None = None) -> Axes:
    """What each coupling does to mean glucose under two agents: rows of (coupling, agent, interval). Raises ValueError
    without any."""
    ax = ax or new_axes(2.9, 0.17, 0.97, 0.3, 0.42)
    if not found:
        raise ValueError("no coupling was given; a figure needs one and more")
    quiet(ax)
    ax.axvline(0.0, color=RULE, lw=0.8)
    names, agents = (
        list(dict.fromkeys(column)) for column in ([one[0] for one in found], [one[1] for one in found])
    )
    colors = dict(zip(agents, (BASELINE, AGENT), strict=False))
    for name, agent, one in found:
        at = names.index(name) + (0.16 if agents.index(agent) else -0.16)
        ax.plot([one.low, one.high], [at, at], color=colors[agent], lw=1.6)
        ax.plot([one.estimate], [at], color=colors[agent], marker="o", ms=4)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel(f"Mean glucose, with less without, mg/dL; {words}", fontsize=8, color=INK)
    handles = [Line2D([], [], color=colors[one], marker="o", ms=4, label=as_label(one)) for one in agents]
    legend_above(ax, 2, 0.0, handles)
    return ax


def coupling_map(
    effect_mg_dl: Mapping[str, float], confidence: Mapping[str, str], words: str, ax: Axes | None = None
) -> Axes:
    """What acts on what in a whole person: arrows as wide as they move mean glucose, in the colour of how sure they
    are.

    effect_mg_dl, confidence: by switch. Raises ValueError for a coupling that is not drawn.
    """
    ax = ax or new_axes(3.4, 0.02, 0.98, 0.3, 0.3)
    odd = set(effect_mg_dl) - set(_EDGES)
    if odd:
        raise ValueError(f"{', '.join(sorted(odd))} is no coupling; known are {', '.join(_EDGES)}")
    quiet(ax)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    edges = [(*ends, switch) for switch, ends in _EDGES.items() if switch in effect_mg_dl]
    for begin, end, switch in [*edges, ("exercise", "fitness", ""), ("insulin's action", "glucose", "")]:
        color = _SURE.get(confidence[switch].split()[0].strip(":"), OTHER) if switch else OTHER
        width = 0.8 + min(abs(effect_mg_dl.get(switch, 0.0)), 20.0) / 4.0
        bend = _BENDS.get(switch, 0.0)
        room = 16.0 if abs(_NODES[begin][0] - _NODES[end][0]) < 0.3 else 27.0  # boxes are wider than high
        ax.add_patch(FancyArrowPatch(
            _NODES[begin], _NODES[end], arrowstyle="-|>", mutation_scale=7 + width, lw=width, color=color, shrinkA=room,
            shrinkB=room, connectionstyle=f"arc3,rad={bend}", zorder=1,
        ))  # fmt: skip
        if switch:
            x, y = _along(ax, _NODES[begin], _NODES[end], bend, _TOLD_AT.get(switch, 0.5))
            ax.text(
                x, y, f"{switch} {effect_mg_dl[switch]:+.1f}", ha="center", va="center", fontsize=7, color=INK,
                zorder=3, bbox={"fc": "white", "ec": "none", "pad": 0.8},
            )  # fmt: skip
    for name, (x, y) in _NODES.items():
        ax.text(
            x, y, name, ha="center", va="center", fontsize=8.5, color=INK, zorder=4,
            bbox={"boxstyle": "round,pad=0.35", "fc": "white", "ec": MUTED, "lw": 0.8},
        )  # fmt: skip
    handles = [
        Line2D([], [], color=color, lw=2.0, label=f"{word} confidence") for word, color in _SURE.items()
    ]
    legend_above(ax, 3, 0.0, [*handles, Line2D([], [], color=OTHER, lw=1.0, label="as it acts, no switch")])
    ax.set_xlabel(f"Change of mean glucose by each coupling, mg/dL; {words}", fontsize=8, color=INK)
    return ax


def _along(
    ax: Axes, begin: tuple[float, float], end: tuple[float, float], bend: float, t: float
) -> tuple[float, float]:
    """A point of an arc3 arrow, a parabola whose bend counts in inches, in data coordinates of axes from 0 to 1."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    place, (wide, high) = ax.get_position(), figure.get_size_inches()
    w, h = place.width * wide, place.height * high
    dx, dy = (end[0] - begin[0]) * w, (end[1] - begin[1]) * h
    aside = 2 * t * (1 - t) * bend
    return begin[0] + t * (end[0] - begin[0]) + aside * dy / w, begin[1] + t * (
        end[1] - begin[1]
    ) - aside * dx / h


def week(rows: Table, agents: Sequence[str], ax: Axes | None = None) -> Axes:
    """Seven days of one person under two agents, one above the other: glucose, insulin, food, exercise, nights. Panels
    are `ax.child_axes`.

    rows: columns agent, hour (0 to 168), glucose_mg_dl, in_bed, moving (0 or 1), basal_share, bolus_u, carbs_g. Raises
    ValueError for an agent without rows.
    """
    ax = ax or new_axes(4.6, 0.11, 0.98, 0.45, 0.42)
    ax.set_axis_off()
    each = 1.0 / len(agents)
    for number, agent in enumerate(agents):
        own = select(rows, agent=agent)
        if not len(own["hour"]):
            known = ", ".join(dict.fromkeys(rows["agent"].tolist()))
            raise ValueError(f"{agent!r} has no rows; there are {known}")
        floor = 1.0 - (number + 1) * each
        upper, lower = (
            ax.inset_axes((0.0, floor + low, 1.0, high)) for low, high in ((0.15, each * 0.58), (0.03, 0.105))
        )
        _glucose(upper, own)
        _insulin(lower, own, last=number == len(agents) - 1)
        head(upper, as_label(agent))
    handles = [
        Patch(color=_BED, label="in bed"), Patch(color=_MOVE, label="exercise"),
        Line2D([], [], color=MEAL, marker="|", ls="", ms=7, label="food"),
        Line2D([], [], color=AGENT, lw=1.2, label="basal, x scheduled"),
        Line2D([], [], color=BASELINE, marker="|", ls="", ms=7, label="bolus, 1/3 for 1 U"),
    ]  # fmt: skip
    legend_above(ax, len(handles), 1.0, handles, 1.03)  # type: ignore[arg-type]
    return ax


def _glucose(panel: Axes, own: Table) -> None:
    quiet(panel)
    hour = own["hour"]
    panel.axhspan(70, 180, color=IN_RANGE, lw=0)
    for name, color in (("in_bed", _BED), ("moving", _MOVE)):
        panel.fill_between(
            hour,
            0,
            1,
            where=(own[name] > 0).tolist(),
            color=color,
            alpha=0.45,
            lw=0,
            transform=panel.get_xaxis_transform(),
        )
    panel.plot(hour, own["glucose_mg_dl"], color=INK, lw=0.9)
    eats = own["carbs_g"] > 0
    panel.vlines(hour[eats], 42, 42 + 0.6 * np.minimum(own["carbs_g"][eats], 100), color=MEAL, lw=1.1)
    panel.set_ylim(40, 320)
    panel.set_yticks([70, 180, 300])
    panel.set_xlim(0, 168)
    panel.set_xticks(range(0, 169, 24), [])
    panel.set_ylabel("mg/dL", fontsize=8, color=INK)


def _insulin(panel: Axes, own: Table, last: bool) -> None:
    quiet(panel)
    hour = own["hour"]
    panel.step(hour, own["basal_share"], color=AGENT, lw=0.8, where="pre")
    gives = own["bolus_u"] > 0.05
    panel.vlines(hour[gives], 0, own["bolus_u"][gives] / 3.0, color=BASELINE, lw=1.1)
    panel.set_ylim(0, 3.2)
    panel.set_yticks([0, 1, 3])
    panel.set_xlim(0, 168)
    panel.set_xticks(range(0, 169, 24), [f"day {day + 1}" for day in range(8)] if last else [])
    panel.set_ylabel("basal, x", fontsize=8, color=INK)
