"""The part of a day's page that looks closely: what moved a decision, and what other doses would have led to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from experiments.explain import moments
from experiments.explain.attribution import TOLERANCE
from experiments.explain.explained import Explained, Figure, figure, lowered
from experiments.explain.lived import Decision
from experiments.explain.moments import Moment, clock
from experiments.explain.what_if import MEMBERS, SCALES, WORDS, WhatIf
from experiments.metrics import LOW, VERY_LOW
from experiments.plots import explain as plots

_TABLED_H = (1, 2, 4)
DRAWN_MIN = 18
"""Futures are drawn at points so far apart; tables and shares take every control interval."""


def anchor(moment: Moment) -> str:
    """The name of a moment's place on the page."""
    return f"moment-{moment.number}"


def about(one: Explained) -> list[str]:
    """How moments are chosen, and what is shown of them."""
    sd = one.lived.protocol.twin_error
    text = [
        f"Chosen by a rule: up to {moments.MEALS} of the largest announced meals, up to {moments.SHIELDED} of the "
        "largest changes by the shield, and the largest changes against the person's own therapy that are "
        f"{moments.APART_MIN} min apart or more; {moments.MOST} in all at most."
    ]
    if one.reasons is not None:
        assert one.lived.rows is not None, "a policy sees rows"
        text.append(
            "What moved it: integrated gradients of what the policy asks for, from this person's average moment (the "
            f"mean of each of its {len(one.reasons.names)} inputs over the {len(one.lived.rows[0])} decisions of the "
            "scored days) to this one. The shares of all inputs add up to what was asked for less what is asked for "
            f"at the average moment; where they do not to within {TOLERANCE:g}, it is said. A kind of input is the "
            "sum of its inputs."
        )
    elif one.why_none is not None:
        text.append(f"What moved it: {lowered(one.why_none)}")
    bodies = (
        f"Bands: {MEMBERS} other bodies, drawn around the person's twin as the protocol draws the twin around the "
        f"body: in what an identification knows least they are off by about {100 * sd:.0f} %."
        if sd
        else "There are no bands, since the twins of this protocol are exact: all bodies are the person's own."
    )
    text.append(
        "Nothing, half, as asked, double: the insulin asked for in the decision (its basal and its bolus) times 0, "
        "0.5, 1 and 2, at its own times; after it the person's own therapy, with no shield. The simulated body goes "
        "on from that very moment with the same meals, announcements, sensitivity, sensor error and habits (it may "
        f"take sugar against a low). {bodies} All begin in the body's true state, which of a real person nobody "
        "knows."
    )
    return text


def closely(one: Explained, moment: Moment) -> dict[str, Any]:
    """A moment as the template takes it."""
    decision = one.lived.decisions[moment.number]
    name = anchor(moment)
    why: list[Figure] = []
    if one.reasons is not None:
        why = [
            _shares(one, moment, output, f"{name}-{output}")
            for output, (what, _) in enumerate(one.reasons.outputs)
            if what != "bolus" or decision.bolus_u("requested").sum() > 0
        ]
    branch = one.branches.get(moment.number)
    if_not = [] if branch is None else [_futures(one, decision, branch, f"{name}-if")]
    rows = [[*why, *if_not]] if len(why) < 2 else [why, if_not]  # two to a row
    return {
        "name": name,
        "heading": f"{clock(decision.minute)}, {moment.kind}",
        "words": moment.words if branch is not None else f"{moment.words} {_no_branch(decision)}",
        "figures": [row for row in rows if row],
        "table": None if branch is None else _table(decision, branch, one.exact),
    }


def _no_branch(decision: Decision) -> str:
    if decision.insulin_u("requested") < moments.LEAST_DOSE_U:
        return "No insulin was asked for, and half or double of it is none, too."
    return "Too little is left of the episode to look ahead."


def _shares(one: Explained, moment: Moment, output: int, name: str) -> Figure:
    found, number = one.reasons, moment.number
    assert found is not None
    what, unit = found.outputs[output]
    told = found.found[output]
    kinds = found.kinds(output, number)
    inputs = found.inputs(output, number, one.lived.setting.cohort.therapy[0])
    value, missed = told.value[number], told.missed[number]
    total = told.shares[number].sum()
    good = "" if abs(missed) <= TOLERANCE else f", which misses the tolerance of {TOLERANCE:g}"
    caption = (
        f"{what.capitalize()}: {value:.2f} {unit} asked for, {told.at_baseline:.2f} at the average moment. All shares "
        f"add up to {total:+.2f} (off by {max(abs(missed), 1e-4):.4f} at most{good})."
    )
    alt = f"Bars. {caption} By kind: " + "; ".join(f"{part.words} {part.share:+.2f}" for part in kinds)
    alt += (
        ". Single inputs: "
        + "; ".join(f"{part.words} ({part.told}) {part.share:+.2f}" for part in inputs)
        + "."
    )
    return figure(name, plots.shares(kinds, inputs, unit), caption, alt)


def _futures(one: Explained, decision: Decision, branch: WhatIf, name: str) -> Figure:
    hours = np.concatenate([[0.0], branch.minute / 60])
    inside = moments.within(one.lived, decision.minute, int(branch.minute[-1]))
    glucose = one.lived.columns["glucose_mg_dl"]
    # What was lived up to now ends with the interval before; the first decision of all has none before it.
    start = float(glucose[inside.start - 1]) if inside.start else float(branch.true[0, 0])
    half, most = branch.band(0.5), branch.band(0.9)
    step = max(DRAWN_MIN // one.lived.protocol.sample_min, 1)
    keep = np.unique(np.append(np.arange(0, len(hours), step), len(hours) - 1))
    futures = [
        plots.Future(
            f"{WORDS[scale]}, {branch.dose_u[row]:.2f} U",
            hours[keep],
            _with(start, branch.true[row])[keep],
            np.stack([_with(start, end)[keep] for end in half[:, row]]),
            np.stack([_with(start, end)[keep] for end in most[:, row]]),
            _with(start, glucose[inside])[keep] if scale == 1 else None,
        )
        for row, scale in enumerate(SCALES)
    ]
    caption = (
        f"Plasma glucose over {branch.minute[-1] / 60:.0f} h after "
        f"{', '.join(f'{dose:.2f}' for dose in branch.dose_u)} U at {clock(decision.minute)}. As lived: with the "
        f"policy's later doses, and the shield. {NOTICE}"
    )
    alt = "Four panels of glucose. " + "; ".join(
        f"{WORDS[scale]}: lowest {branch.true[row].min():.0f}, at the end {branch.true[row, -1]:.0f} mg/dL"
        for row, scale in enumerate(SCALES)
    )
    return figure(name, plots.futures(futures), caption, f"{alt}.")


def _with(start: float, line: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([[start], line])


def _table(decision: Decision, branch: WhatIf, exact: bool) -> dict[str, Any]:
    low, high = branch.band(0.9)
    step = branch.minute[0]

    def cell(value: float, ends: tuple[float, float]) -> str:
        return f"{value:.0f}" if exact else f"{value:.0f} [{ends[0]:.0f}, {ends[1]:.0f}]"

    rows = []
    for row, scale in enumerate(SCALES):
        cells = [WORDS[scale], f"{branch.dose_u[row]:.2f}"]
        for hour in _TABLED_H:
            at = int(60 * hour / step) - 1
            there = at < len(branch.minute)
            cells.append(
                cell(branch.true[row, at], (low[row, at], high[row, at])) if there else moments.NO_VALUE
            )
        lowest = branch.members[row].min(axis=1)
        ends = np.quantile(lowest, [0.05, 0.95])
        cells.append(cell(branch.true[row].min(), (ends[0], ends[1])))
        if not exact:
            cells += [f"{100 * np.mean(lowest < bound):.0f}" for bound in (LOW, VERY_LOW)]
        rows.append([*cells, f"{branch.rescue_g[row]:.0f}"])
    beside = "" if exact else f", in brackets what nine tenths of {MEMBERS} other bodies have"
    return {
        "caption": f"What {clock(decision.minute)} could have led to: the body's glucose in mg/dL{beside}. "
        f"{branch.carbs_g:.0f} g are eaten meanwhile, beside sugar. {NOTICE}",
        "heads": [
            ("dose", ""), ("insulin", "U"), *((f"after {hour} h", "mg/dL") for hour in _TABLED_H),
            (f"lowest in {branch.minute[-1] / 60:.0f} h", "mg/dL"),
            *((f"below {bound:.0f}", "% of bodies") for bound in (LOW, VERY_LOW) if not exact),
            ("sugar", "g, by the body"),
        ],
        "rows": rows,
    }  # fmt: skip
