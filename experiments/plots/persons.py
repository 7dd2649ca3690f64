"""Person by person: every person under two agents, every training seed, and what share of cells reaches a value."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from envs.render import INK, MUTED, RULE, quiet
from experiments.plots.style import (
    AGENT,
    BASELINE,
    WORSE,
    as_label,
    color_of,
    legend_above,
    new_axes,
    person_label,
)
from experiments.records.tables import Table, select
from experiments.results.evaluations import person_means, persons
from experiments.statistics import Profile


def caterpillar(episodes: Table, agent: str, baseline: str, ax: Axes | None = None) -> Axes:
    """Time in range of each person: a ring for the baseline, a small dot for every training seed, their mean as bar.

    episodes: of one protocol, shield and population. Persons are grouped by age and ordered by the difference; a
    cross marks who failed under either. Raises ValueError where they share no person.
    """
    ours, theirs = select(episodes, agent=agent), select(episodes, agent=baseline)
    if not len(ours["person"]) or not len(theirs["person"]):
        known = ", ".join(sorted(set(episodes["agent"].tolist())))
        raise ValueError(f"no episodes of {agent!r} or of {baseline!r}; these are of {known}")
    mine = dict(zip(persons(ours), person_means(ours, "tir_pct"), strict=True))
    other = dict(zip(persons(theirs), person_means(theirs, "tir_pct"), strict=True))
    shared = [person for person in mine if person in other]
    group = dict(zip(ours["person"].tolist(), ours["group"].tolist(), strict=True))
    order = list(dict.fromkeys(group[person] for person in shared))
    shared.sort(key=lambda person: (order.index(group[person]), mine[person] - other[person]))
    at = {person: y + 0.7 * order.index(group[person]) for y, person in enumerate(shared)}
    ax = ax or new_axes(0.8 + 0.145 * (len(shared) + len(order)), 0.27, 0.96, 0.3, 0.42)
    lowest = 100.0
    for person, y in at.items():
        own = select(ours, person=person)
        dots = [
            float(np.mean(own["tir_pct"][own["train_seed"] == seed]))
            for seed in np.unique(own["train_seed"]).tolist()
        ]
        lowest = min(lowest, other[person], *dots)
        color = AGENT if mine[person] >= other[person] else WORSE
        ax.plot([other[person], mine[person]], [y, y], color=color, lw=0.9)
        ax.plot(dots, [y] * len(dots), "o", ms=2.6, color=AGENT, alpha=0.75, mew=0)
        ax.plot([mine[person]] * 2, [y - 0.36, y + 0.36], color=AGENT, lw=1.6)
        ax.plot(other[person], y, "o", ms=4.2, mfc="white", mec=BASELINE, mew=1.1)
    for table, values in ((theirs, other), (ours, mine)):
        dead = [p for p in sorted(set(table["person"][table["failed"] > 0].tolist())) if p in at]
        ax.plot([values[p] for p in dead], [at[p] for p in dead], "x", ms=7, color=WORSE, mew=1.5)
    ax.set_yticks(list(at.values()), [person_label(person) for person in at])
    ax.set_ylim(max(at.values()) + 0.8, -0.8)
    ax.set_xlim(min(50.0, 5 * np.floor(lowest / 5)), 101)  # whole dots at 100
    ax.set_xlabel("Time in 70-180 mg/dL, %", fontsize=8, color=INK)
    quiet(ax)
    ax.tick_params(axis="y", labelsize=6.5)
    ax.grid(axis="x", color=RULE, lw=0.5)
    marks = [
        Line2D([], [], ls="", marker="o", ms=4.2, mfc="white", mec=BASELINE, label=as_label(baseline)),
        Line2D([], [], ls="", marker="|", ms=7, mew=1.6, color=AGENT, label=as_label(agent)),
        Line2D([], [], ls="", marker="o", ms=2.6, color=AGENT, label="its seeds"),
        Line2D([], [], ls="", marker="x", ms=6, color=WORSE, label="failed"),
    ]
    legend_above(ax, 4 if len(agent) + len(baseline) < 26 else 2, 1.0, handles=marks)
    return ax


def profile(
    profiles: Mapping[str, Profile],
    ours: str | None = None,
    baseline: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Share of persons x training seeds whose time in range reaches a value, with pointwise 95 % bands.

    profiles: of `statistics.performance_profile` by agent, in the order of the legend. The curve farther right is
    better; a short left tail means that nobody is left behind.
    """
    if not profiles:
        raise ValueError("no agent was given; a performance profile needs at least one")
    ax = ax or new_axes(2.9, 0.12, 0.96, 0.12, 0.46)
    for agent, one in profiles.items():
        color = color_of(agent, ours, baseline)
        told = agent in (ours, baseline)
        if told:
            ax.fill_between(one.taus, 100 * one.low, 100 * one.high, color=color, alpha=0.18, lw=0)
        ax.plot(one.taus, 100 * one.share, color=color, lw=1.7 if told else 0.9)
    _name_lines(ax, profiles, ours, baseline)
    quiet(ax)
    ax.grid(color=RULE, lw=0.4)
    ax.set_ylim(0, 103)
    taus = next(iter(profiles.values())).taus
    ax.set_xlim(float(taus[0]), float(taus[-1]))
    ax.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    ax.tick_params(axis="x", pad=6)
    ax.set_xlabel("Time in 70-180 mg/dL of more than, %", fontsize=8, color=INK)
    return ax


def _name_lines(
    ax: Axes, names: Sequence[str] | Mapping[str, Profile], ours: str | None, baseline: str | None
) -> None:
    """A legend with the two that are compared and one entry for all others."""
    told = [name for name in names if name in (ours, baseline)]
    lines = [
        Line2D([], [], lw=1.7, color=color_of(name, ours, baseline), label=as_label(name)) for name in told
    ]
    others = [name for name in names if name not in told]
    if others:
        label = as_label(others[0]) if len(others) == 1 else f"{len(others)} others"
        lines.append(Line2D([], [], lw=0.9, color=MUTED, label=label))
    ax.legend(
        handles=lines,
        loc="lower left",
        frameon=False,
        fontsize=7.5,
        labelcolor=INK,
        handlelength=1.2,
        borderpad=0.3,
    )


def among(episodes: Table, person: str, agents: Sequence[str], ax: Axes | None = None) -> Axes:
    """Time in range of one person among all others, a line for each agent; a cross where this person failed.

    episodes: of one protocol, shield and population. Raises ValueError for a person whom nobody was judged on.
    """
    if not agents or person not in episodes["person"]:
        raise ValueError(f"no episodes of {person!r} under these agents; give a person of the table, and agents")
    ax = ax or new_axes(0.75 + 0.19 * len(agents), 0.36, 0.97, 0.12, 0.42)
    for y, agent in enumerate(agents):
        mine = select(episodes, agent=agent)
        means = dict(zip(persons(mine), person_means(mine, "tir_pct"), strict=True))
        others = [value for name, value in means.items() if name != person]
        ax.plot(others, [y] * len(others), "o", ms=3, color=RULE, mew=0)
        if person in means:
            failed = bool(select(mine, person=person)["failed"].any())
            color = WORSE if failed else AGENT
            ax.plot(means[person], y, "x" if failed else "o", ms=6.5 if failed else 5, color=color, mew=1.5 * failed)
    ax.set_yticks(range(len(agents)), [as_label(agent) for agent in agents])
    ax.set_ylim(len(agents) - 0.4, -0.6)
    ax.set_xlim(-2, 102)
    ax.set_xlabel("Time in 70-180 mg/dL, %", fontsize=8, color=INK)
    quiet(ax)
    ax.grid(axis="x", color=RULE, lw=0.4)
    return ax
