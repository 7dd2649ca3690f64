"""Figures of evaluations and training runs, drawn from tidy tables.

Every function is `(data, ax=None) -> Axes`; without `ax` it makes a figure of its own. None keeps
state, none calls pyplot. Whoever shows a figure writes the numbers of persons, replicas, days and seeds
into its caption: `describe` gives them.
"""

import io
from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from envs.render import ACCENT, INK, MUTED, RULE, WIDTH_INCHES, glucose_axis, quiet
from experiments.compare import person_means, persons
from experiments.records.tables import Table, select
from twins.units import MINUTES_PER_DAY

RANGES = {
    "below 54": "#4a1486",
    "54-70": "#9e8ac8",
    "70-180": "#a9d3c6",
    "180-250": "#f2b45c",
    "above 250": "#a5470b",
}
"""Ranges of glucose, mg/dL, and their colours: lows violet, highs orange, so no pair is red and green."""

_SHARES = ("below_54_pct", "below_70_pct", "tir_pct", "above_180_pct", "above_250_pct")
_AT = (58, 70, 82, 100)
"""Where the figures over a bar end, in per cent of its length."""

BASELINE, WORSE = "#6e7781", "#b3261e"
PERCENTILES = (5, 25, 50, 75, 95)
LONGEST_NAME = 26


def new_axes(
    height: float, left: float = 0.1, right: float = 0.9, top: float = 0.26, bottom: float = 0.42
) -> Axes:
    """Axes of a figure of its own, `height` inches high; `top` and `bottom` are margins in inches."""
    figure = Figure(figsize=(WIDTH_INCHES, height))
    return figure.add_axes((left, bottom / height, right - left, 1 - (top + bottom) / height))


def svg(ax: Axes) -> bytes:
    """The figure of these axes as an SVG file: letters as outlines, the same bytes for the same figure."""
    figure, file = ax.get_figure(root=True), io.BytesIO()
    if figure is None:
        raise ValueError("these axes belong to no figure; give axes that a function of this module returned")
    with matplotlib.rc_context({"svg.hashsalt": "homeostat", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def as_label(name: str) -> str:
    """A name as it may stand in a figure: not too long, no mathematics, nothing that a legend leaves out."""
    name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."
    return name.replace("$", r"\$").replace("_", " ", name.startswith("_"))


def describe(episodes: Table) -> str:
    """``30 persons, 10 episodes of 2 days each``: what stands in every caption."""
    people, days = len(persons(episodes)), float(episodes["days"].max())
    replicas = len(np.unique(episodes["replica"]))
    seeds = {seed for seed in episodes["train_seed"] if seed >= 0}
    text = f"{people} {'person' if people == 1 else 'persons'}, {replicas} "
    text += f"{'episode' if replicas == 1 else 'episodes'} of {days:g} {'day' if days == 1 else 'days'} each"
    return text + (f", {len(seeds)} training {'seed' if len(seeds) == 1 else 'seeds'}" if seeds else "")


def ambulatory_profile(traces: Table, ax: Axes | None = None, bin_min: int = 15) -> Axes:
    """Percentiles 5, 25, 50, 75, 95 of true plasma glucose by time of day, all persons and days together.

    Time after a failure is not in traces and so not in the picture. Raises ValueError without glucose.
    """
    ax = ax or new_axes(2.7)
    glucose = traces["glucose_mg_dl"].astype(float)
    known = np.isfinite(glucose)
    if not known.any():
        raise ValueError(
            "these traces hold no glucose; a profile needs the column glucose_mg_dl of traces.csv"
        )
    bins = (((traces["minute"].astype(float) - 1e-6) % MINUTES_PER_DAY) // bin_min).astype(int)
    hour, bands = [], []
    for k in np.unique(bins[known]):
        hour.append((k + 0.5) * bin_min / 60)
        bands.append(np.percentile(glucose[known & (bins == k)], PERCENTILES))
    band = np.array(bands).T
    top = next((top for top in (300.0, 400.0) if band.max() < top), 600.0)
    glucose_axis(ax, top, 40.0 if band.min() > 45 else 0.0)
    ax.fill_between(hour, band[0], band[4], color=ACCENT, alpha=0.16, lw=0, label="5-95 %")
    ax.fill_between(hour, band[1], band[3], color=ACCENT, alpha=0.36, lw=0, label="25-75 %")
    ax.plot(hour, band[2], color=INK, lw=1.5, label="median")
    ax.set_xlim(0, 24)
    ax.set_xticks(range(0, 25, 3), [f"{h:02d}" for h in range(0, 25, 3)])
    ax.tick_params(axis="x", pad=5)
    ax.set_xlabel("Hour of the day", fontsize=8, color=INK)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.57, 1.0), ncols=3, frameon=False, fontsize=7.5,
        handlelength=1.0, handleheight=0.8, columnspacing=0.9, borderaxespad=0.1, borderpad=0.3,
        labelcolor=INK, handletextpad=0.4,
    )  # fmt: skip
    return ax


def range_bars(episodes: Table, ax: Axes | None = None) -> Axes:
    """Share of time in five ranges of glucose as bars, one per agent and shield setting, best on top.

    Over each bar stand its figures, failures first. Values are means over persons of person means.
    """
    shields = sorted(set(episodes["shield"].tolist()), key=lambda shield: (shield != "rule", shield))
    lines: list[tuple[str, int, dict[str, float]] | str] = []
    for shield in shields:
        lines += [f"Shield {'on' if shield == 'rule' else shield}"] if len(shields) > 1 else []
        rows: list[tuple[float, str, int, dict[str, float]]] = []
        for agent in sorted(set(select(episodes, shield=shield)["agent"].tolist())):
            mine = select(episodes, agent=agent, shield=shield)
            mean = {name: float(person_means(mine, name).mean()) for name in _SHARES}
            rows.append((-mean["tir_pct"], agent, int((mine["failed"] > 0).sum()), mean))
        lines += [row[1:] for row in sorted(rows, key=lambda row: row[:2])]
    ax = ax or new_axes(0.85 + 0.4 * len(lines), 0.03, 0.97, 0.24, 0.6)
    for text, x in zip(("failures", "<54", "<70", "70-180"), _AT, strict=True):
        ax.text(x, -0.72, text, fontsize=7.5, color=MUTED, ha="right", va="bottom")
    for y, line in enumerate(lines):
        if isinstance(line, str):
            ax.text(0, y + 0.1, line, fontsize=8, color=MUTED, va="bottom")
            continue
        agent, failures, mean = line
        below, above = mean["below_54_pct"], mean["above_250_pct"]
        parts = (below, mean["below_70_pct"] - below, mean["tir_pct"], mean["above_180_pct"] - above, above)
        left = 0.0
        for width, color in zip(parts, RANGES.values(), strict=True):
            ax.barh(y, width, 0.36, left, color=color, edgecolor="white", lw=0.4)
            left += width
        figures = (f"{failures}", f"{below:.2f}", f"{mean['below_70_pct']:.1f}", f"{mean['tir_pct']:.1f} %")
        ax.text(0, y - 0.27, as_label(agent), fontsize=8, color=INK, va="bottom", weight="bold")
        for text, x in zip(figures, _AT, strict=True):
            ax.text(x, y - 0.27, text, fontsize=8, color=INK, va="bottom", ha="right")
    ax.set_xlim(0, 100)
    ax.set_ylim(len(lines) - 0.7, -0.75)
    ax.set_yticks([])
    ax.set_xticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    quiet(ax)
    ends = ax.get_xticklabels()
    ends[0].set_horizontalalignment("left")
    ends[-1].set_horizontalalignment("right")
    ax.legend(
        handles=[Patch(color=color, label=name) for name, color in RANGES.items()], loc="upper center",
        bbox_to_anchor=(0.5, 0), borderaxespad=2.4, ncols=5, frameon=False, fontsize=7.5, handlelength=0.9,
        handleheight=0.9, columnspacing=0.9, handletextpad=0.4, labelcolor=INK,
        title="Share of time by glucose, mg/dL", title_fontsize=7.5,
    )  # fmt: skip
    return ax


def person_dots(episodes: Table, agent: str, baseline: str, ax: Axes | None = None) -> Axes:
    """Time in range of each person under a baseline (ring) and an agent (dot); a cross marks who failed.

    episodes: of one shield setting. Persons are grouped by age and ordered by the baseline's value.
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
    shared.sort(key=lambda person: (order.index(group[person]), -other[person]))
    at = {person: y + 0.7 * order.index(group[person]) for y, person in enumerate(shared)}
    ax = ax or new_axes(0.75 + 0.145 * (len(shared) + len(order)), 0.25, 0.96, 0.3, 0.4)
    for person, y in at.items():
        better = mine[person] >= other[person]
        ax.plot([other[person], mine[person]], [y, y], color=ACCENT if better else WORSE, lw=1)
        ax.plot(other[person], y, "o", ms=4.2, mfc="white", mec=BASELINE, mew=1.1)
        ax.plot(mine[person], y, "o", ms=4.2, color=ACCENT, mew=0)
    for table, values in ((theirs, other), (ours, mine)):
        dead = [p for p in sorted(set(table["person"][table["failed"] > 0].tolist())) if p in at]
        ax.plot([values[p] for p in dead], [at[p] for p in dead], "x", ms=7, color=WORSE, mew=1.5)
    ax.set_yticks(list(at.values()), list(at))
    ax.set_ylim(max(at.values()) + 0.8, -0.8)
    ax.set_xlim(min(50.0, 5 * np.floor(min(*mine.values(), *other.values()) / 5)), 101)  # whole dots at 100
    ax.set_xlabel("Time in 70-180 mg/dL, %", fontsize=8, color=INK)
    quiet(ax)
    ax.grid(axis="x", color=RULE, lw=0.5)
    marks = [
        Line2D([], [], ls="", marker="o", ms=4.2, mfc="white", mec=BASELINE, label=as_label(baseline)),
        Line2D([], [], ls="", marker="o", ms=4.2, color=ACCENT, label=as_label(agent)),
        Line2D([], [], ls="", marker="x", ms=6, color=WORSE, label="failed"),
    ]
    ax.legend(
        handles=marks, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=3, frameon=False,
        fontsize=7.5, handletextpad=0.1, columnspacing=1.0, labelcolor=INK,
    )  # fmt: skip
    return ax


def learning_curve(evaluations: Mapping[str, Table], ax: Axes | None = None) -> Axes:
    """Validation in training: time in range (upper panel) and below 70 (lower) against environment steps.

    evaluations: the table evaluations.csv of each run by its name. A thin line is a run, the bold one their
    mean at the steps that all have. The panels are `ax.child_axes`. Raises ValueError without a run.
    """
    if not evaluations:
        raise ValueError("no training run was given; a learning curve needs evaluations.csv of at least one")
    ax = ax or new_axes(3.0, 0.1, 0.95)
    ax.set_axis_off()
    most = max(float(table["timesteps"].max(initial=1.0)) for table in evaluations.values())
    scale, unit = (1e6, "million") if most >= 1e6 else (1e3, "thousand")
    tables = list(evaluations.values())
    shared = tables[0]["timesteps"]
    for table in tables[1:]:
        shared = np.intersect1d(shared, table["timesteps"])
    panels = (
        ("tir_pct", "Time in 70-180 mg/dL, %", (0, 0.42, 1, 0.58)),
        ("below_70_pct", "Time below 70 mg/dL, %", (0, 0, 1, 0.28)),
    )
    drawn = []
    for metric, text, place in panels:
        panel = ax.inset_axes(place, label=metric)
        drawn.append(panel)
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        for table in tables:
            panel.plot(table["timesteps"] / scale, table[metric], color=ACCENT, lw=0.8, alpha=0.6)
        if len(tables) > 1:
            runs = [table[metric][np.searchsorted(table["timesteps"], shared)] for table in tables]
            panel.plot(shared / scale, np.mean(runs, axis=0), color=INK, lw=1.6)
        panel.set_xlim(0, 1.02 * most / scale)
        panel.annotate(
            text, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", fontsize=8, color=INK,
        )  # fmt: skip
    upper, lower = drawn
    upper.tick_params(labelbottom=False)
    lower.set_ylim(0, None)
    lower.set_xlabel(f"Environment steps, {unit}", fontsize=8, color=INK)
    lines = [Line2D([], [], color=ACCENT, lw=0.8, alpha=0.6, label="one training seed")]
    lines += [Line2D([], [], color=INK, lw=1.6, label=f"mean of {len(tables)}")] * (len(tables) > 1)
    upper.legend(
        handles=lines, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=7.5,
        handlelength=1.2, columnspacing=0.9, borderaxespad=0.1, borderpad=0.3, labelcolor=INK,
        handletextpad=0.4,
    )  # fmt: skip
    return ax
