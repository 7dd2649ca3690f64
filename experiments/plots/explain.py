"""A decision explained: which inputs moved it, what other doses would have done, and a test of the former."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from envs.render import ACCENT, INK, MUTED, RULE, glucose_axis, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, head, legend_above, new_axes

_ROW, _TALL_ROW, _GAP = 0.21, 0.31, 0.34
"""Inches of a row with one line of words, with two, and between the two parts."""


@dataclass(frozen=True)
class Share:
    """What an input, or a kind of inputs, moved an output by; told: its value then and at the baseline, in words."""

    words: str
    share: float
    told: str = ""


def shares(kinds: Sequence[Share], inputs: Sequence[Share], unit: str, ax: Axes | None = None) -> Axes:
    """Bars of what moved an output, up or down: above by kinds of inputs, below by single ones. unit: of the output.

    The two parts are `ax.child_axes`. Raises ValueError without kinds.
    """
    if not kinds:
        raise ValueError("no kinds of inputs were given; give at least one Share")
    tall = [_ROW * len(kinds), _TALL_ROW * len(inputs)]
    height = 0.3 + tall[0] + _GAP + tall[1] + 0.42
    ax = ax or new_axes(height, 0.0, 1.0, 0.3, 0.42)
    ax.set_axis_off()
    inside = height - 0.72
    most = max([abs(one.share) for one in (*kinds, *inputs)], default=0.0) or 1.0
    for part, low, size, words in (
        (kinds, inside - tall[0], tall[0], "By kind of input"),
        (inputs, 0.0, tall[1], "Single inputs that moved it most"),
    ):  # fmt: skip
        if not part:
            continue
        panel = ax.inset_axes((0.52, low / inside, 0.43, size / inside))
        panel.set_xlim(-1.7 * most, 1.7 * most)
        panel.set_ylim(len(part) - 0.45, -0.55)
        quiet(panel)
        panel.set_yticks([])
        panel.axvline(0, color=MUTED, lw=0.7)
        for row, one in enumerate(part):
            panel.barh(row, one.share, height=0.56, color=ACCENT if one.share > 0 else BASELINE)
            panel.annotate(
                f"{one.share:+.2f}", (one.share, row), (3 if one.share >= 0 else -3, 0), textcoords="offset points",
                ha="left" if one.share >= 0 else "right", va="center", fontsize=7.5, color=INK,
            )  # fmt: skip
            _name(panel, row, one)
        panel.annotate(
            words, (-0.52 / 0.43 + 0.005, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
            fontsize=8, color=INK, va="bottom",
        )  # fmt: skip
        panel.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))
        if part is kinds and inputs:
            panel.set_xticklabels([])
    ax.annotate(
        f"moved up or down by, {unit}", (0.735, 0), (0, -26), xycoords="axes fraction", textcoords="offset points",
        ha="center", fontsize=7.5, color=MUTED,
    )  # fmt: skip
    return ax


def _name(panel: Axes, row: int, one: Share) -> None:
    """The words of a row, left of its bar; what was seen below them in grey."""
    for text, lift, color in ((one.words, 4.5 if one.told else 0, INK), (one.told, -4.5, MUTED)):
        if text:
            panel.annotate(
                text, (0, row), (-4, lift), xycoords=("axes fraction", "data"), textcoords="offset points",
                ha="right", va="center", fontsize=7.2 if color == INK else 6.8, color=color,
            )  # fmt: skip


@dataclass(frozen=True)
class Future:
    """What follows one dose: hours (T,), true (T,) of the body, and what holds half and nine tenths of other bodies,
    each (2, T), glucose in mg/dL."""

    words: str
    hours: NDArray[np.float64]
    true: NDArray[np.float64]
    half: NDArray[np.float64]
    most: NDArray[np.float64]
    lived: NDArray[np.float64] | None = None


def futures(each: Sequence[Future], ax: Axes | None = None) -> Axes:
    """Four panels, one for a dose: bands of bodies, the true body's line, and what was lived. They are
    `ax.child_axes`."""
    ax = ax or new_axes(4.3, 0.08, 0.92, 0.52, 0.38)
    ax.set_axis_off()
    values = np.concatenate([one.most.ravel() for one in each] + [one.true for one in each])
    top = next((top for top in (250.0, 300.0, 400.0) if np.nanmax(values) < top), 600.0)
    bottom = 40.0 if np.nanmin(values) > 42 else 0.0
    for number, one in enumerate(each):
        row, column = divmod(number, 2)
        panel = ax.inset_axes((0.53 * column, 0.55 * (1 - row), 0.47, 0.42))
        _future(panel, one, top, bottom)
        if column:
            panel.set_yticklabels([])
        else:
            panel.child_axes[0].set_visible(False)
        panel.set_xticks([0, 2, 4, 6], labels=["0", "2", "4", "6"] if row else [])
    handles: list[Line2D | Patch] = [Line2D([], [], color=INK, lw=1.5, label="the body itself")]
    if any(np.ptp(one.most, axis=0).max() > 0.5 for one in each):
        handles += [
            Patch(color=AGENT, alpha=0.34, lw=0, label="half of bodies like it"),
            Patch(color=AGENT, alpha=0.16, lw=0, label="nine tenths"),
        ]
    if any(one.lived is not None for one in each):
        handles.append(Line2D([], [], color=BASELINE, lw=1.2, ls=(0, (2, 1.5)), label="as lived"))
    ax.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.06, 1.045), ncols=len(handles), frameon=False, fontsize=7,
        handlelength=1.1, columnspacing=0.8, borderaxespad=0, borderpad=0.2, labelcolor=INK, handletextpad=0.4,
    )  # fmt: skip
    ax.annotate(
        "Hours from the decision; glucose in mg/dL, right in mmol/L", (0.0, 0), (0, -22), xycoords="axes fraction",
        textcoords="offset points", fontsize=7, color=MUTED,
    )  # fmt: skip
    return ax


def _future(panel: Axes, one: Future, top: float, bottom: float) -> None:
    glucose_axis(panel, top, bottom)
    for text in list(panel.texts):
        text.remove()  # what the axes show is said once for all panels
    for band, alpha in ((one.most, 0.16), (one.half, 0.24)):
        panel.fill_between(one.hours, band[0], band[1], color=AGENT, alpha=alpha, lw=0)
    if one.lived is not None:
        panel.plot(one.hours, one.lived, color=BASELINE, lw=1.2, ls=(0, (2, 1.5)))
    panel.plot(one.hours, one.true, color=INK, lw=1.5)
    panel.set_xlim(0, 6)
    head(panel, one.words)


def deletion(
    curves: Mapping[str, Mapping[str, NDArray[np.float64]]], words: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Distance from the baseline's output left after deletions: a panel for what is deleted, a line for an order.

    curves: by what is deleted, then by order, (K + 1,) shares of the distance before. words: of the orders. Panels are
    `ax.child_axes`. Raises ValueError for curves without a first value of 1.
    """
    ax = ax or new_axes(2.5, 0.09, 0.97, 0.42, 0.42)
    ax.set_axis_off()
    looks = {
        "integrated": (AGENT, "-", 1.8),
        "gradient": (BASELINE, (0, (4, 1.5)), 1.3),
        "random": (OTHER, "-", 1.3),
    }
    width = (1 - 0.09 * (len(curves) - 1)) / len(curves)
    highest = max(float(np.max(one)) for part in curves.values() for one in part.values())
    for number, (what, part) in enumerate(curves.items()):
        panel = ax.inset_axes((number * (width + 0.09), 0, width, 0.9))
        for name, curve in part.items():
            if not np.isclose(curve[0], 1.0):
                raise ValueError(
                    f"the curve of {name} begins at {curve[0]:g}; give shares of the distance before"
                )
            color, dash, weight = looks[name]
            panel.plot(range(len(curve)), curve, color=color, ls=dash, lw=weight)
        panel.axhline(0, color=RULE, lw=0.7)
        panel.set_ylim(0, 1.08 * highest)
        panel.set_xlim(0, None)
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        head(panel, what)
        panel.set_xlabel("deleted", fontsize=7.5, color=MUTED)
    handles = [
        Line2D([], [], color=color, ls=dash, lw=weight, label=words[name])
        for name, (color, dash, weight) in looks.items()
    ]
    legend_above(ax, 3, handles=handles, height=1.02)
    return ax
