"""Published protocols rerun: what each agent reaches, the papers' and ours, by stomach."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from envs.render import INK, WIDTH_INCHES, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, as_label, head

_MEASURES = {
    "tir_pct": ("time in 70-180 mg/dL, %", 100.0),
    "magni_risk": ("Magni risk (lower is better)", 30.0),
}
MANY = {"adult": "adults", "adolescent": "adolescents", "child": "children"}
_ROW, _AROUND = 0.17, 0.72
"""Inches of a row, and of a panel's head and axis."""

Mark = tuple[float, str, str]
"""Value, marker, colour."""


def published(rows: Sequence[Mapping[str, Any]], claims: Sequence[Any]) -> Axes:
    """A panel a protocol, of every agent without shield: time in range, dead counted, or where a paper has none the
    Magni risk; the papers' as they count.

    rows: of `experiments.published.report.rows`. claims: of `experiments.published.claims`. Groups of age where a paper
    has them, else everybody.
    """
    protocols = list(dict.fromkeys(row["protocol"] for row in rows))
    panels = {name: _lines(name, rows, claims) for name in protocols}
    heights = [_AROUND + _ROW * len(lines) for lines in panels.values()]
    total = sum(heights) + 0.3
    figure, top, axes = Figure(figsize=(WIDTH_INCHES, total)), total, []
    for (name, lines), height in zip(panels.items(), heights, strict=True):
        ax = figure.add_axes((0.4, (top - height + 0.42) / total, 0.56, (height - _AROUND) / total))
        for at, (_, marks) in enumerate(reversed(lines)):
            ax.axhline(at, color="#e6e8eb", linewidth=0.6, zorder=0)
            for value, marker, color in marks:
                filled = "white" if color == OTHER else color
                ax.plot(value, at, marker, color=color, markersize=4.5, markerfacecolor=filled)
        ax.set_yticks(range(len(lines)), [words for words, _ in reversed(lines)], fontsize=7)
        ax.tick_params(axis="x", labelsize=7)
        words, most = _MEASURES[_measure(name, claims)]
        ax.set_ylim(-0.6, len(lines) - 0.4)
        ax.set_xlim(0, most)
        head(ax, f"{name}: {words}", color=INK)
        quiet(ax)
        axes.append(ax)
        top -= height
    handles = [
        Line2D(
            [], [], linestyle="", marker=marker, color=color, markerfacecolor=face, markersize=5, label=label
        )
        for marker, color, face, label in (
            ("D", BASELINE, BASELINE, "the paper's"),
            ("o", AGENT, AGENT, "ours, stomach as then"),
            ("o", OTHER, "white", "ours, corrected stomach"),
        )
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=7, columnspacing=1.2, handletextpad=0.2
    )
    return axes[0]


def _measure(name: str, claims: Sequence[Any]) -> str:
    told = [one for one in claims if one.protocol == name]
    return "tir_pct" if any(one.tir_pct is not None for one in told) else "magni_risk"


def _lines(
    name: str, rows: Sequence[Mapping[str, Any]], claims: Sequence[Any]
) -> list[tuple[str, list[Mark]]]:
    """Labels and marks of a panel, from its top."""
    told, measure = [one for one in claims if one.protocol == name], _measure(name, claims)
    lines: list[tuple[str, list[Mark]]] = []
    for group in dict.fromkeys(one.group for one in told):
        aside = "" if group == "all" else f", {MANY[group]}"
        for one in told:
            value = getattr(one, measure)
            if one.group == group and value is not None:
                lines.append((f"paper: {one.agent}{aside}", [(value, "D", BASELINE)]))
        mine = [row for row in rows if (row["protocol"], row["group"], row["shield"]) == (name, group, "off")]
        for agent in dict.fromkeys(row["agent"] for row in mine):
            marks = [
                (row[measure], "o", AGENT if row["gut"] == "legacy" else OTHER)
                for row in mine
                if row["agent"] == agent
            ]
            lines.append((f"{as_label(agent.replace(f'-{name}', ''))}{aside}", marks))
    return lines
