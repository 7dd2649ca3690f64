"""Which decisions of a day are looked at closely, and all of them as rows of a table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs import view as v
from envs.render import REASONS
from experiments.explain.lived import Decision, Lived

MOST = 8
MEALS, SHIELDED = 3, 2
"""So many of the largest announced meals are looked at, and of the largest changes by the shield; the other places are
those of the largest changes against the person's own therapy."""
APART_MIN = 60
"""Two changes that are closer than this are one."""
LEAST_U = 0.02
"""Less insulin is no change."""
LEAST_DOSE_U = 0.01
"""Of less insulin no other dose is tried."""
LATER_MIN = 60
NO_VALUE = "-"
HEADS = (
    ("time", ""), ("reading", "mg/dL"), ("trend", "mg/dL/min"), ("insulin on board", "U"),
    ("announced carbs on board", "g"), ("asked, basal", "U/h"), ("asked, bolus", "U"), ("allowed, basal", "U/h"),
    ("allowed, bolus", "U"), ("own therapy", "U in all"), ("plasma an hour later", "mg/dL"),
    ("changed by the shield", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """A decision that is looked at closely: its place among the day's, the kind that it was chosen as, and words."""

    number: int
    kind: str
    words: str


def clock(minute: float) -> str:
    """Minute of an episode, which begins at 00:00, as time of day."""
    return f"{int(minute) % 1440 // 60:02d}:{int(minute) % 60:02d}"


def change_u(decision: Decision) -> float:
    """Insulin asked for less that of the person's own therapy, U."""
    return decision.insulin_u("requested") - decision.insulin_u("own")


def cut_u(decision: Decision) -> float:
    """Insulin allowed less what was asked for, U; above zero where the shield gave insulin back."""
    return decision.insulin_u("allowed") - decision.insulin_u("requested")


def chosen(lived: Lived) -> list[Moment]:
    """At most `MOST` decisions of the day in the order of time, by the rule of `MEALS` and `SHIELDED`."""
    decisions = lived.decisions
    told = [announced_g(lived, one) for one in decisions]
    change = [abs(change_u(one)) for one in decisions]
    cut = [abs(cut_u(one)) for one in decisions]
    found: dict[int, str] = {}
    for score, most, least, kind in (
        (told, MEALS, 0.0, "a meal"), (cut, SHIELDED, LEAST_U, "the shield"), (change, MOST, LEAST_U, "a large change"),
    ):  # fmt: skip
        count = 0
        for number in sorted(range(len(score)), key=lambda k: (-score[k], k)):
            if count >= most or len(found) >= MOST or score[number] <= least:
                break
            near = kind == "a large change" and any(
                abs(decisions[number].minute - decisions[other].minute) < APART_MIN for other in found
            )
            if number not in found and not near:
                found[number] = kind
                count += 1
    return [Moment(number, kind, _told(lived, decisions[number])) for number, kind in sorted(found.items())]


def _told(lived: Lived, one: Decision) -> str:
    parts = []
    if (grams := announced_g(lived, one)) > 0:
        parts.append(f"A meal of {grams:.0f} g was announced.")
    more = change_u(one)
    if abs(more) >= LEAST_U / 2:
        parts.append(
            f"{one.insulin_u('requested'):.2f} U were asked for, {abs(more):.2f} U {'more' if more > 0 else 'less'} "
            "than by the person's own therapy."
        )
    if words := shield_words(one):
        cut = cut_u(one)
        amount = f"{abs(cut):.2f} U" if abs(cut) >= 0.005 else "less than 0.01 U"
        parts.append(f"The shield {'took away' if cut < 0 else 'added'} {amount} ({words}).")
    return " ".join(parts)


def within(lived: Lived, minute: int, length_min: int) -> slice:
    """Control intervals of the scored days that lie in some minutes from a minute of the episode on."""
    control = lived.protocol.sample_min
    first = (minute - lived.first_scored_min) // control
    return slice(first, first + length_min // control)


def announced_g(lived: Lived, one: Decision) -> float:
    """Carbs announced within a decision."""
    inside = within(lived, one.minute, len(one.reason) * one.interval_min)
    return float(np.nansum(lived.columns["announced_g"][inside]))


def later_mg_dl(lived: Lived, minute: int, after_min: int = LATER_MIN) -> float:
    """True plasma glucose so long after a minute of the episode; nan beyond its end."""
    at = within(lived, minute, after_min).stop - 1
    glucose = lived.columns["glucose_mg_dl"]
    return float(glucose[at]) if at < len(glucose) else float("nan")


def shield_words(one: Decision) -> str:
    """What the shield changed within a decision and for how long, in words."""
    reasons = [reason for reason in dict.fromkeys(one.reason) if reason != "none"]
    parts = [
        f"{REASONS.get(reason, (reason.replace('_', ' '), ''))[0]}, {one.reason.count(reason) * one.interval_min} min"
        for reason in reasons
    ]
    return "; ".join(parts)


def rows(lived: Lived) -> Iterator[list[str]]:
    """Every decision of the day under `HEADS`."""
    for one in lived.decisions:
        requested, allowed = one.basal_u_per_h("requested"), one.basal_u_per_h("allowed")
        bolus, given = one.bolus_u("requested").sum(), one.bolus_u("allowed").sum()
        yield [
            clock(one.minute), _number(one.now[v.CGM_MG_DL], 0), _trend(one.now[v.SLOPE_MG_DL_PER_MIN]),
            _number(one.now[v.IOB_U], 2), _number(one.now[v.COB_SLOW_G], 0), _rate(requested),
            _amount(bolus), _rate(allowed), _amount(given), _number(one.insulin_u("own"), 2),
            _number(later_mg_dl(lived, one.minute), 0), shield_words(one) or NO_VALUE,
        ]  # fmt: skip


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else NO_VALUE


def _amount(value: float) -> str:
    return f"{value:.2f}" if value > 0.005 else NO_VALUE


def _trend(slope: float) -> str:
    text = f"{slope:+.1f}"
    return "0.0" if text in ("-0.0", "+0.0") else text


def _rate(rates: NDArray[np.float64]) -> str:
    """The mean of a rate over the decision."""
    return f"{rates.mean():.2f}" if np.isfinite(rates).all() else "invalid"
