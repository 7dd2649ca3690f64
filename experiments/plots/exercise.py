"""The twin beside trials of exercise."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from envs.render import INK, MUTED, quiet
from experiments.plots.style import AGENT, OTHER, WORSE, head
from experiments.records.tables import Table

_FURTHEST = 3.0
_WIDE, _ROW, _AROUND = 7.4, 0.2, 0.8
"""Inches: all of the figure, a row, and what is above and below the rows."""


def forest(targets: Table, ax: Axes | None = None) -> Axes:
    """Every target with its interval, and the twin's value: both as differences from what people showed, in halves of
    that target's interval, so that all units fit on one axis.

    targets: columns words, unit, value, low, high, twin, and 0 or 1 in fitted and inside; fitted ones first.
    """
    rows = [dict(zip(targets, values, strict=True)) for values in zip(*targets.values(), strict=True)]
    if ax is None:
        height = _AROUND + _ROW * len(rows)
        ax = Figure(figsize=(_WIDE, height)).add_axes((0.43, 0.42 / height, 0.27, 1 - _AROUND / height))
    for number, row in enumerate(rows):
        half = (row["high"] - row["low"]) / 2
        low, high, at = ((row[name] - row["value"]) / half for name in ("low", "high", "twin"))
        ax.plot([low, high], [number, number], color=OTHER, linewidth=1.6, solid_capstyle="butt")
        ax.plot(0.0, number, "|", color=OTHER, markersize=8, markeredgewidth=1.6)
        shown = min(max(at, -_FURTHEST), _FURTHEST)
        mark = "o" if shown == at else "<" if at < 0 else ">"
        ax.plot(
            shown,
            number,
            mark,
            color=AGENT if row["inside"] else WORSE,
            markersize=5,
            markeredgecolor="white",
        )
        said = f"{row['value']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}] {row['unit']}; twin {row['twin']:+.2f}"
        ax.text(
            1.02, number, said, transform=ax.get_yaxis_transform(), va="center", fontsize=6.0,
            color=INK if row["inside"] else WORSE,
        )  # fmt: skip
    fitted = [bool(row["inside"]) for row in rows if row["fitted"]]
    held = [bool(row["inside"]) for row in rows if not row["fitted"]]
    ax.axhline(len(fitted) - 0.5, color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)))
    ax.set_yticks(range(len(rows)), [row["words"] for row in rows], fontsize=6.3)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(-_FURTHEST - 0.2, _FURTHEST + 0.2)
    ax.set_xlabel("Difference from people, in halves of the 95 % interval", fontsize=8)
    inside = f"{sum(fitted)} of {len(fitted)} inside; below: held out, {sum(held)} of {len(held)} inside"
    head(ax, f"above: fitted, {inside}", right=True)
    quiet(ax)
    return ax
