"""Forecasts against their rivals: the use of acting on a risk, events caught against false alarms, errors by person."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from envs.render import INK, MUTED, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, as_label, head, new_axes

_STYLES = {
    "forecaster": (AGENT, "-", 2.0),
    "gradient boosting": (BASELINE, "-", 1.4),
    "always": (OTHER, ":", 1.2),
}
_MARKS = ("-", "--", "-.", (0, (1, 1)))


def net_benefit(data: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Decision curves (Vickers and Elkin 2006): true alarms less false ones, weighed by the odds of the threshold.

    data: thresholds (T,) and, under curves, the net benefit (T,) of each way by its name; moments and people, which
    the caption tells.
    """
    ax = ax or new_axes(2.6, 0.12, 0.64)
    at = 100 * np.asarray(data["thresholds"])
    others = 0
    for name, values in data["curves"].items():
        color, line, width = _STYLES.get(name, (OTHER, _MARKS[others % len(_MARKS)], 1.1))
        others += name not in _STYLES
        ax.plot(
            at, 1000 * np.asarray(values), color=color, linestyle=line, linewidth=width, label=as_label(name)
        )
    ax.axhline(0, color=MUTED, linewidth=0.8)
    most = max(1000 * float(np.max(values)) for values in data["curves"].values())
    ax.set_ylim(-0.15 * most, 1.1 * most)
    ax.set_xlim(at.min(), at.max())
    ax.set_ylabel("Net benefit per 1,000 moments", fontsize=8)
    ax.set_xlabel("Risk from which one acts, %", fontsize=8)
    head(ax, f"{data['moments']:,} moments of {data['people']} people, from 70 mg/dL or more")
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=7.5, labelcolor=INK)
    quiet(ax)
    return ax


def alarm_curve(data: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Events caught, and how long before, against false alarms a day, as the threshold falls.

    data: false_per_day, recall, lead_min (T,) each; chosen: those of the threshold that was chosen before the test;
    events and days, which the caption tells.
    """
    ax = ax or new_axes(2.6, 0.12, 0.88)
    false, recall, lead = (np.asarray(data[name]) for name in ("false_per_day", "recall", "lead_min"))
    ax.plot(false, 100 * recall, color=AGENT, linewidth=2.0)
    chosen = data["chosen"]
    ax.plot([chosen["false_per_day"]], [100 * chosen["recall"]], "o", color=AGENT, markersize=6)
    ax.set_ylim(0, 100)
    ax.set_xlim(0, max(3.0, chosen["false_per_day"] * 1.2))
    ax.set_ylabel("Events caught, %", fontsize=8, color=AGENT)
    ax.set_xlabel("False alarms a day", fontsize=8)
    head(ax, f"{data['events']} events in {data['days']:.0f} days; the dot was chosen before the test")
    quiet(ax)
    right = ax.twinx()
    right.plot(false, lead, color=BASELINE, linewidth=1.3)
    right.set_ylim(0, 60)
    right.set_ylabel("Median lead, min", fontsize=8, color=BASELINE)
    quiet(right)
    ax.set_yticks(range(20, 101, 20))
    right.set_yticks(range(10, 61, 10))
    return ax


def error_by_person(data: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Error at 60 min of each person, forecaster beside a rival, ordered by the rival's.

    data: who (P,), forecaster (P,) and rival (P,) [mg/dL], rival_name.
    """
    ax = ax or new_axes(2.8, 0.1, 0.96, 0.3, 0.75)
    order = np.argsort(data["rival"])
    at = np.arange(len(order))
    ours, theirs = (np.asarray(data[name])[order] for name in ("forecaster", "rival"))
    ax.vlines(at, ours, theirs, color=MUTED, linewidth=1.0)
    ax.plot(at, theirs, "o", color=BASELINE, markersize=5, label=as_label(data["rival_name"]))
    ax.plot(at, ours, "o", color=AGENT, markersize=5, label="forecaster")
    ax.set_xticks(at, [str(data["who"][number]) for number in order], rotation=90, fontsize=6.5)
    ax.set_ylim(0, None)
    ax.set_ylabel("Error at 60 min, mg/dL", fontsize=8)
    ax.legend(loc="lower right", frameon=False, fontsize=7.5, labelcolor=INK)
    quiet(ax)
    return ax
