"""A week of one person: seven days around sessions of exercise, as two agents let them go."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from envs.bouts.activity import BEFORE_MIN
from envs.render import IN_RANGE, INK, MEAL, MUTED, RULE, quiet
from experiments.plots.style import AGENT, BASELINE, as_label, head, legend_above, new_axes, person_label
from experiments.records.tables import Table, concat, select
from twins.world.sessions import KINDS

DAYS = 7
_COLUMNS = (
    "replica", "kind", "announced", "clock_min", "glucose_mg_dl", "basal_share", "reserve", "carbs_g",
)  # fmt: skip
_FROM_H, _TO_H = 6, 32
"""Clock of the panels: from early in the morning to the morning after."""
_LOWEST, _HIGHEST = 0.0, 310.0
_STRIP = 0.13
"""Share of a panel's height for a rate as scheduled."""
_SESSION = "#c9b8dc"


def days_of(tables: Mapping[str, Table], person: str, interval_min: int) -> Table:
    """Tidy rows for `week`: agent, person, day (0 ... 6), kind, announced, hour (of the clock), glucose_mg_dl,
    basal_share, active (1 while a session goes on), carbs_g; of the person's first seven days with a session.

    tables: by agent, of `experiments.bouts.judge.live` with `keep`. Raises ValueError for a person without seven such
    days.
    """
    parts = []
    for agent, table in tables.items():
        mine = (table["person"] == person) & (table["happens"] == 1)
        own = {name: table[name][mine] for name in _COLUMNS}
        order = np.argsort(own["replica"])[:DAYS]
        if len(order) < DAYS:
            raise ValueError(f"{person!r} has {len(order)} days with a session; a week needs {DAYS}")
        for day, row in enumerate(order):
            samples = own["glucose_mg_dl"].shape[1]
            clock = own["clock_min"][row] - BEFORE_MIN + np.arange(samples) * interval_min
            parts.append(
                {
                    "agent": np.full(samples, agent), "person": np.full(samples, person),
                    **{
                        name: np.full(samples, value)
                        for name, value in (
                            ("day", day), ("kind", own["kind"][row]), ("announced", int(own["announced"][row])),
                        )
                    },
                    "hour": clock / 60, "active": (own["reserve"][row] > 0).astype(int),
                    **{name: own[name][row] for name in ("glucose_mg_dl", "basal_share", "carbs_g")},
                }
            )  # fmt: skip
    return concat(parts)


def week(days: Table, ours: str, baseline: str, ax: Axes | None = None) -> Axes:
    """A panel a day: plasma glucose of two agents by the clock, the session, food (all of it, of ours) and basal over
    scheduled (of ours, filled from below). days: rows of `days_of`. Panels are `ax.child_axes`.

    Raises ValueError for an agent without rows.
    """
    ax = ax or new_axes(7.3, 0.09, 0.97, 0.74, 0.42)
    ax.set_axis_off()
    for agent in (ours, baseline):
        if agent not in days["agent"]:
            known = ", ".join(dict.fromkeys(days["agent"].tolist()))
            raise ValueError(f"{agent!r} has no rows; there are {known}")
    shown = sorted(set(days["day"].tolist()))
    height = 1.0 / len(shown)
    for number, day in enumerate(shown):
        panel = ax.inset_axes((0.0, 1 - (number + 0.92) * height, 1.0, 0.72 * height))
        _day(panel, select(days, day=day), ours, baseline)
        if number + 1 < len(shown):
            panel.set_xticklabels([])
        else:
            panel.set_xlabel("Clock (the night falls into the day after)", fontsize=8, color=INK)
    who = person_label(str(days["person"][0]))
    handles = [
        *(
            Line2D([], [], color=color, lw=1.5, label=as_label(agent))
            for agent, color in _looks(ours, baseline)
        ),
        Patch(color=_SESSION, label="session"),
        Line2D([], [], color=MEAL, marker="|", ls="", ms=6, label="food (all)"),
        Patch(color=RULE, label="basal"),
    ]
    legend_above(ax, 3, 0.0, handles)  # type: ignore[arg-type]
    head(ax, f"{who}: plasma glucose, mg/dL, of seven days with a session", lift=34)
    return ax


def _looks(ours: str, baseline: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (baseline, BASELINE), (ours, AGENT)


def _day(panel: Axes, rows: Table, ours: str, baseline: str) -> None:
    quiet(panel)
    mine = select(rows, agent=ours)
    panel.axhspan(70, 180, color=IN_RANGE, lw=0, zorder=0)
    reach = _HIGHEST - _LOWEST
    panel.fill_between(
        mine["hour"],
        _LOWEST,
        _LOWEST + _STRIP * reach * mine["basal_share"],
        color=RULE,
        lw=0,
        step="post",
        zorder=1,
    )
    active = mine["active"] == 1
    panel.fill_between(
        mine["hour"], _LOWEST, _HIGHEST, where=active.tolist(), color=_SESSION, lw=0, alpha=0.8, zorder=1
    )
    for agent, color in _looks(ours, baseline):
        own = select(rows, agent=agent)
        panel.plot(own["hour"], own["glucose_mg_dl"], color=color, lw=1.3, zorder=3)
    fed = (mine["carbs_g"] > 0) & (mine["hour"] >= _FROM_H) & (mine["hour"] <= _TO_H)
    panel.plot(
        mine["hour"][fed], np.full(fed.sum(), _HIGHEST), color=MEAL, marker="|", ls="", ms=5, clip_on=False
    )
    panel.set_ylim(_LOWEST, _HIGHEST)
    panel.set_yticks([70, 180, 300])
    panel.set_xlim(_FROM_H, _TO_H)
    ticks = range(_FROM_H, _TO_H + 1, 4)
    panel.set_xticks(ticks, [f"{hour % 24:02d}:00" for hour in ticks])
    panel.axvline(24, color=MUTED, lw=0.6, ls=(0, (2, 2)))
    minutes = round(float(active.sum() * np.diff(mine["hour"][:2])[0] * 60))
    told = "" if mine["announced"][0] else ", not planned"
    words = f"Day {int(mine['day'][0]) + 1}: {KINDS[int(mine['kind'][0])]}, {minutes} min{told}"
    head(panel, words, lift=3, color=MUTED)
