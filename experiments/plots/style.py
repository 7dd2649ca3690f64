"""What all figures share: size, colours, names, and how they become SVG."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from envs.render import ACCENT, INK, WIDTH_INCHES
from experiments.records.tables import Table
from experiments.results.evaluations import persons

AGENT, BASELINE, OTHER, WORSE = ACCENT, "#b4560f", "#6e7781", "#b3261e"
"""Colours of the primary agent, of its baseline, of all others, and of what failed: blue and orange differ to
every eye."""
_DASHES: tuple[Any, ...] = ((0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (2, 2)))
_GREYS = (OTHER, "#b0b7bf")
LONGEST_NAME = 26
_EQUALLY_WIDE = ["DejaVu Sans", "Verdana", "Geneva"]
"""Fonts in which letters that are kept as text take the room they were given."""


def new_axes(
    height: float, left: float = 0.1, right: float = 0.9, top: float = 0.26, bottom: float = 0.42
) -> Axes:
    """Axes of a figure of its own, `height` inches high; `top` and `bottom` are margins in inches."""
    figure = Figure(figsize=(WIDTH_INCHES, height))
    return figure.add_axes((left, bottom / height, right - left, 1 - (top + bottom) / height))


def svg(ax: Axes, outlines: bool = True) -> bytes:
    """The figure of these axes as an SVG file, the same bytes for the same figure.

    outlines: letters as outlines, which need no font; otherwise as text, which is smaller.
    """
    figure, file = ax.get_figure(root=True), io.BytesIO()
    if figure is None:
        raise ValueError("these axes belong to no figure; give axes that a function of this module returned")
    with matplotlib.rc_context(
        {
            "svg.hashsalt": "homeostat",
            "svg.fonttype": "path" if outlines else "none",
            "font.sans-serif": _EQUALLY_WIDE,
        }
    ):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def as_label(name: str) -> str:
    """A name as it may stand in a figure: not too long, no mathematics, nothing that a legend leaves out."""
    name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."
    return name.replace("$", r"\$").replace("_", " ", name.startswith("_"))


def person_label(person: str) -> str:
    """A person's id without the key that drew them: ``adult~003`` for ``adult~test20000#003``."""
    group, drawn, rest = person.partition("~")
    return f"{group}~{rest.rpartition('#')[2]}" if drawn else person


def color_of(agent: str, ours: str | None, baseline: str | None) -> str:
    """The colour of an agent where these two are compared."""
    return AGENT if agent == ours else BASELINE if agent == baseline else OTHER


def looks_of(agents: Sequence[str], ours: str | None, baseline: str | None) -> dict[str, dict[str, Any]]:
    """How the line of each agent is drawn: the two that are compared in colour, all others grey and dashed, from the
    fifth on in another grey. Those that are compared come last."""
    others = [agent for agent in agents if agent not in (ours, baseline)]
    looks: dict[str, dict[str, Any]] = {}
    for k, agent in enumerate(others):
        shade, dash = divmod(k, len(_DASHES))
        looks[agent] = {"color": _GREYS[shade % len(_GREYS)], "lw": 1.1, "ls": _DASHES[dash], "zorder": 2}
    for zorder, (one, color) in enumerate(((baseline, BASELINE), (ours, AGENT)), 3):
        looks |= {
            agent: {"color": color, "lw": 1.7, "ls": "-", "zorder": zorder}
            for agent in agents
            if agent == one
        }
    return looks


def describe(episodes: Table) -> str:
    """``30 persons, 10 episodes of 2 days each``: what stands in every caption."""
    people, days = len(persons(episodes)), float(episodes["days"].max())
    replicas = len(np.unique(episodes["replica"]))
    seeds = {seed for seed in episodes["train_seed"].tolist() if seed >= 0}
    text = f"{people} {'person' if people == 1 else 'persons'}, {replicas} "
    text += f"{'episode' if replicas == 1 else 'episodes'} of {days:g} {'day' if days == 1 else 'days'} each"
    return text + (f", {len(seeds)} training {'seed' if len(seeds) == 1 else 'seeds'}" if seeds else "")


def head(ax: Axes, text: str, right: bool = False, lift: float = 4.0, color: str = INK) -> None:
    """What a panel shows, above an upper corner; `lift` in points."""
    ax.annotate(
        text, (float(right), 1), (0, lift), xycoords="axes fraction", textcoords="offset points",
        ha="right" if right else "left", va="bottom", fontsize=8, color=color,
    )  # fmt: skip


def legend_above(
    ax: Axes, columns: int, place: float = 0.0, handles: Sequence[Line2D] | None = None, height: float = 1.0
) -> None:
    """A legend without a frame over the axes, from the left edge (`place` 0) or ending at the right one (1), from
    `height` on, as a share of the axes'."""
    if handles is None:
        handles = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
    ax.legend(
        handles=handles, loc="lower left" if place < 0.5 else "lower right", bbox_to_anchor=(place, height),
        ncols=columns, frameon=False, fontsize=7.5, handlelength=1.2, handleheight=0.8, columnspacing=0.9,
        borderaxespad=0.1, borderpad=0.3, labelcolor=INK, handletextpad=0.4,
    )  # fmt: skip
