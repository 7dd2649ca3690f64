"""All that the page of a day shows, and how its figures are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from agents.base import Agent
from experiments.explain import moments
from experiments.explain.deletion import Verdict
from experiments.explain.lived import Lived
from experiments.explain.moments import Moment
from experiments.explain.reasons import Reasons
from experiments.explain.what_if import WhatIf
from experiments.metrics import time_in_ranges
from experiments.page.svg import Drawing, inline
from twins.units import MINUTES_PER_DAY


@dataclass(frozen=True)
class Figure:
    """A drawing, its caption, and words for who cannot see it."""

    drawing: Drawing
    caption: str
    alt: str


def figure(name: str, ax: Axes, caption: str, alt: str) -> Figure:
    """A figure of these axes; `name` begins its ids."""
    return Figure(inline(ax, name), caption, alt)


@dataclass(frozen=True)
class Explained:
    """All that a page shows. word: the agent as it was typed; label: its name; why_none: why there are no reasons."""

    lived: Lived
    agent: Agent
    word: str
    label: str
    chosen: Sequence[Moment]
    branches: Mapping[int, WhatIf]
    reasons: Reasons | None
    verdicts: Sequence[Verdict]
    why_none: str | None
    command: str

    @property
    def title(self) -> str:
        """Of the page."""
        return f"Day {self.lived.day} of {self.lived.person} under {self.label}"

    @property
    def exact(self) -> bool:
        """Whether the twins of the protocol are the bodies themselves, so that there are no bands."""
        return self.lived.protocol.twin_error == 0

    @property
    def words(self) -> str:
        """The day in a sentence."""
        lived = self.lived
        inside = moments.within(lived, (lived.day - 1) * MINUTES_PER_DAY, MINUTES_PER_DAY)
        glucose, failed = lived.columns["glucose_mg_dl"][inside].copy(), ""
        start = (lived.day - 1) * MINUTES_PER_DAY
        if lived.failed_min is not None and lived.failed_min < start + MINUTES_PER_DAY:
            side = str(lived.rollout.failed_side[0])
            protocol = lived.protocol
            # What comes after a failure counts as out of range on its side.
            glucose[(lived.failed_min - start) // protocol.sample_min :] = (
                protocol.glucose_failure_low_mg_dl if side == "low" else protocol.glucose_failure_high_mg_dl
            )
            failed = (
                f"FAILED ({side}) at {moments.clock(lived.failed_min)}, a simulated death: what is drawn after it is "
                "no body's, and counts as out of range. "
            )
        shares = time_in_ranges(glucose)
        changed = float(np.mean(lived.columns["reason"][inside] != "none"))
        eaten = float(np.nansum(lived.columns["carbs_g"][inside]))
        told = float(np.nansum(lived.columns["announced_g"][inside]))
        dose = float(
            np.nansum(lived.columns["bolus_u"][inside])
            + np.nansum(lived.columns["basal_u_per_h"][inside]) * lived.protocol.sample_min / 60
        )
        return (
            f"{failed}{shares['tir_pct']:.0f} % of the day within 70-180 mg/dL, {shares['below_70_pct']:.1f} % below "
            f"70; {eaten:.0f} g of carbohydrate eaten and {told:.0f} g announced, {dose:.1f} U of insulin; the shield "
            f"({lived.shield}) changed the dose in {100 * changed:.0f} % of the time."
        )


def lowered(text: str) -> str:
    """A sentence as the part of another."""
    return text[:1].lower() + text[1:]
