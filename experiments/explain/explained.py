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
    def words(self) -> str:
        """The day in a sentence."""
        lived = self.lived
        inside = moments.within(lived, (lived.day - 1) * MINUTES_PER_DAY, MINUTES_PER_DAY)
        shares = time_in_ranges(lived.columns["glucose_mg_dl"][inside])
        changed = float(np.mean(lived.columns["reason"][inside] != "none"))
        eaten = float(np.nansum(lived.columns["carbs_g"][inside]))
        dose = float(
            np.nansum(lived.columns["bolus_u"][inside])
            + np.nansum(lived.columns["basal_u_per_h"][inside]) * lived.protocol.sample_min / 60
        )
        return (
            f"{shares['tir_pct']:.0f} % of the day within 70-180 mg/dL, {shares['below_70_pct']:.1f} % below 70; "
            f"{eaten:.0f} g of carbohydrate and {dose:.1f} U of insulin; the shield ({lived.shield}) changed the "
            "dose in "
            f"{100 * changed:.0f} % of the time."
        )


def lowered(text: str) -> str:
    """A sentence as the part of another."""
    return text[:1].lower() + text[1:]
