"""Tables of what a mean over persons hides: quarters, tails, the worst person, and who wins pair by pair."""

from collections.abc import Callable

import numpy as np

from experiments.aggregates import Array, cvar, improvement_probability, iqm, person_means, worst_person
from experiments.page import standings
from experiments.page.findings import Findings
from experiments.page.standings import Pair
from experiments.page.tables import Part, anchor, cell
from experiments.plots.style import person_label
from experiments.records.tables import select
from experiments.statistics import SEED, crossed_interval
from experiments.win_rule import TIE_BELOW_54, TIE_TIR, win_ratio

WORST_SHARE = 0.1


def tails(view: Findings) -> Part:
    """For every agent the interquartile mean of time in range, and how its worst persons fare."""
    rows, most = [], max(row["persons"] for row in view.ruled)
    for row in view.ruled:
        mine = select(view.judged, agent=row["agent"])
        tir, very_low = (standings.scores(mine, name) for name in ("tir_pct", "below_54_pct"))
        middle = crossed_interval(tir.scores, iqm, seed=SEED, strata=standings.strata(mine, tir.persons))
        small = f"{middle.low:.1f}\u2013{min(middle.high, 100):.1f}" if np.isfinite(middle.low) else ""
        cells = [
            cell(f"{middle.estimate:.1f}", small),
            cell(f"{cvar(tir.scores, WORST_SHARE):.1f}"),
            _worst(worst_person(tir.scores), tir.persons[int(np.nanargmin(person_means(tir.scores)))], 1),
            cell(f"{cvar(very_low.scores, WORST_SHARE, higher_is_better=False):.2f}"),
            _worst(
                worst_person(very_low.scores, higher_is_better=False),
                very_low.persons[int(np.nanargmax(person_means(very_low.scores)))],
                2,
            ),
        ]
        note = f"{row['persons']} persons" if row["persons"] < most else ""
        link = anchor(row["protocol"], row["agent"], row["shield"])
        rows.append(
            {"name": row["agent"], "note": note, "link": link, "learned": row["learned"], "cells": cells}
        )
    heads = [
        ("Agent", ""), ("70-180, middle half", "interquartile mean, %"), ("70-180, worst tenth", "of persons, %"),
        ("70-180, worst person", "%"), ("<54, worst tenth", "of persons, %"), ("<54, worst person", "%"),
    ]  # fmt: skip
    return {
        "caption": f"Beyond the mean, shield {view.primary['shield']}. Interquartile mean: over all pairs of training "
        "seed and person, without the lowest and the highest quarter, small: 95 % interval. Worst tenth: mean over "
        "that share of the persons (CVaR), days and seeds averaged first. The worst describe these persons; they "
        "infer nothing about others.",
        "source": view.source("episodes.csv"),
        "heads": heads,
        "parts": [{"heading": "", "rows": rows}],
    }


def _worst(value: Array, person: str, places: int) -> Part:
    return cell(f"{float(value):.{places}f}", person_label(person))


def pairs(view: Findings) -> Part | None:
    """The primary agent against everybody: probability of improvement, and the win ratio with failures first."""
    agent, baseline = view.primary["agent"], view.primary["baseline"]
    if view.contrast is None:
        return None
    others = [row["agent"] for row in view.ruled if row["agent"] not in (agent, baseline)]
    rows = []
    for other in (baseline, *others):
        pair = standings.paired(view.judged, agent, other, view.learned)
        if pair is not None:
            note, cells = "primary comparison" if other == baseline else "", _pair(pair)
            rows.append(
                {"name": f"{agent} - {other}", "note": note, "link": "", "learned": False, "cells": cells}
            )
    heads = [
        ("Comparison", ""), ("Probability of improvement", "of 70-180, %"), ("Win ratio", "wins / losses"),
        ("Wins", "% of pairs"), ("Losses", "% of pairs"), ("Ties", "% of pairs"),
        *((f"By {name}", "wins - losses, %") for name in ("failures", "<54", "70-180")),
    ]  # fmt: skip
    return {
        "caption": "Pair by pair: one training of each on the same person. Probability of improvement: that the first "
        "has more time in range, a tie counting half. Win ratio: the fewer failures win; then less time below 54 "
        f"(beyond {TIE_BELOW_54:g} points); then more time in range (beyond {TIE_TIR:g} point); the last columns tell "
        "which decided. Small: 95 % intervals over training seeds and persons.",
        "source": view.source("episodes.csv"),
        "heads": heads,
        "parts": [{"heading": "", "rows": rows}],
    }


def _pair(pair: Pair) -> list[Part]:
    scores = pair.ours.tir_pct, pair.theirs.tir_pct
    better = crossed_interval(scores, improvement_probability, **pair.resampling)
    ratio = win_ratio(pair.ours, pair.theirs, seed=SEED, strata=pair.groups)
    return [
        cell(_percent(better.estimate), _between(better.low, better.high, _percent)),
        cell(_ratio(ratio.ratio), _between(ratio.low, ratio.high, _ratio)),
        *(cell(_percent(share)) for share in (ratio.wins, ratio.losses, ratio.ties)),
        *(cell(f"{_percent(won)} - {_percent(lost)}") for won, lost in ratio.decided.values()),
    ]  # fmt: skip


def _between(low: float, high: float, text: Callable[[float], str]) -> str:
    return "no interval" if np.isnan(low) else f"{text(low)}\u2013{text(high)}"


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.0f}"


def _ratio(value: float) -> str:
    return "none" if np.isnan(value) else "\u221e" if np.isinf(value) else f"{value:.2f}"
