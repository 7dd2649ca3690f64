"""The part of a day's page that says how far its reasons and bands can be trusted: every test that was made."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.explain.attribution import TOLERANCE
from experiments.explain.deletion import HEADS, MOST_DELETED, ORDERS, RANDOM_ORDERS, Verdict, lines
from experiments.explain.explained import Explained, Figure, figure, lowered
from experiments.plots import explain as plots
from experiments.results.words import count


def trust(one: Explained) -> dict[str, Any]:
    """The part as the template takes it."""
    text: list[str] = []
    results: list[str] = []
    after: list[str] = []
    if one.branches and not one.exact:
        first, second = (
            [branch.held(share).mean() for branch in one.branches.values()] for share in (0.9, 0.5)
        )
        text.append(
            f"Bands: over the {len(one.branches)} moments, four doses each, the body's line lies within the band of "
            f"nine tenths for {100 * np.mean(first):.0f} % of the time and within that of one half for "
            f"{100 * np.mean(second):.0f} %. Over many people it should be 90 and 50; one person's twin is off in one "
            "way."
        )
    if one.reasons is None:
        text.append(f"What moved it: {lowered(one.why_none or '')}")
        return {"text": text, "results": [], "after": [], "figures": [], "table": None}
    missed = max(float(np.abs(found.missed).max()) for found in one.reasons.found)
    text.append(
        f"Completeness: over the {len(one.lived.decisions)} decisions of the day the shares of all inputs add up to "
        f"what they should but for {missed:.4f} at most (tolerance {TOLERANCE:g})."
    )
    if one.verdicts:
        first_one = one.verdicts[0]
        decisions = "; ".join(
            f"{name}: {size:,}"
            for name, size in {part.output: part.decisions for part in one.verdicts}.items()
        )
        text.append(
            f"The deletion test, on decisions of {count(first_one.persons, 'person')} under this policy ({decisions}; "
            "of boluses those at which one was asked for): inputs are set to their average one after the other, "
            f"{MOST_DELETED} of them, or all of a kind together, and what is left of the distance to what is asked "
            "for at the average is measured. The area is the mean over the deletions: 0 is best, random orders (the "
            f"mean of {RANDOM_ORDERS}) are to be beaten. Brackets: 95 % over persons."
        )
        results = [f"{part.words[0].upper()}{part.words[1:]}." for part in one.verdicts]
        if any(part.less["random"].high >= 0 for part in one.verdicts):
            after.append(
                "Where an order does not do better than chance, single bars say little by themselves: readings a "
                "quarter of an hour apart carry nearly the same news, and to change one alone makes a trace that no "
                "sensor shows. There the bars by kind of input are to be read."
            )
    outputs = dict.fromkeys(part.output for part in one.verdicts)
    return {
        "text": text,
        "results": results,
        "after": after,
        "figures": [_deletion(one.verdicts, output) for output in outputs],
        "table": None if not one.verdicts else {
            "caption": "The deletion test: distance left, as a share of that before.",
            "heads": HEADS,
            "rows": list(lines(one.verdicts)),
        },
    }  # fmt: skip


def _deletion(verdicts: Sequence[Verdict], output: str) -> Figure:
    mine = [part for part in verdicts if part.output == output]
    ax = plots.deletion({part.what: part.curves for part in mine}, ORDERS)
    people = mine[0].persons
    caption = (
        f"Deletion test of {output}: what is left of the distance to the average, mean of {people} persons."
    )
    told = "; ".join(
        f"{part.what}, {ORDERS[name]}: {part.curves[name][1:].mean():.2f}"
        for part in mine
        for name in part.curves
    )
    return figure(f"deletion-{output}", ax, caption, f"Falling curves. Areas: {told}.")
