"""What a harder search still gains."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from envs.render import INK, RULE, quiet
from experiments.plots.style import AGENT, BASELINE, head, legend_above, new_axes
from experiments.statistics import Interval

_LOOKS = ({"color": AGENT, "marker": "o"}, {"color": BASELINE, "marker": "s"})
_APART = 1.06
"""Factor by which the points of one line stand right of the other's, so that intervals do not cover each other."""


def curves(found: Mapping[str, Sequence[tuple[int, Interval]]], default: int) -> Axes:
    """Cost above that of the hardest search against the plans tried for a dose, a line for each agent.

    found: by agent, plans and the cost above, in %. default: plans of the search that is used. Raises ValueError
    without any.
    """
    if not found:
        raise ValueError("no search was lived; a curve needs some")
    ax = new_axes(2.4, 0.06, 0.98, 0.3, 0.42)
    quiet(ax)
    ax.grid(axis="y", color=RULE, lw=0.4)
    for k, (name, points) in enumerate(found.items()):
        x = [plans * _APART ** (k - 0.5) for plans, _ in points]
        y = [one.estimate for _, one in points]
        ends = [[one.estimate - one.low for _, one in points], [one.high - one.estimate for _, one in points]]
        look = _LOOKS[k % len(_LOOKS)]
        ax.errorbar(x, y, ends, lw=0.9, ls="none", color=look["color"])
        ax.plot(x, y, lw=1.4, ms=4, label=name, **look)  # type: ignore[arg-type]
    ax.axvline(default, color=INK, lw=0.7, ls=(0, (2, 2)), zorder=0)
    ax.annotate(
        "default", (default, 1), (3, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
        va="top", fontsize=7.5, color=INK,
    )  # fmt: skip
    ax.axhline(0, color=INK, lw=0.7)
    ax.set_xscale("log")
    ax.set_xticks(sorted({plans for points in found.values() for plans, _ in points}))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.minorticks_off()
    ax.set_xlabel("Plans that are tried for one dose", fontsize=8, color=INK)
    head(ax, "Cost above the hardest search's, %")
    legend_above(ax, 2, 1.0)
    return ax
