"""Who sleeps, under which hours, with which clock, within which bounds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs import daily
from twins.bodies import circadian
from twins.cohort import Cohort
from twins.units import MINUTES_PER_DAY
from twins.world import duties


@dataclass(frozen=True)
class NightsSetting:
    """Who sleeps, under which hours, with which clock, within which bounds. Raises ValueError naming what is wrong.

    kind: of `twins.world.duties.KINDS`, None for any by chance (school for who is under age). clock: of
    `twins.bodies.circadian.CLOCKS`. spread: of bodies around their medians. oracle: agents see phase and body, for a
    reference that names itself.
    """

    cohort: Cohort
    days: int = 21
    kind: str | None = None
    clock: str = circadian.FORGER
    spread: float = 1.0
    shield: str = "rule"
    oracle: bool = False
    split: str = "train"
    seed: int = 0
    decision_min: int = MINUTES_PER_DAY

    def __post_init__(self) -> None:
        words = {"kind": (*duties.KINDS, None), "clock": circadian.CLOCKS}
        daily.check_setting(self, "sleep", (1, 120, 21), words, ("spread",), ("oracle",))
        if self.kind not in (None, duties.KINDS[duties.SCHOOL]) and minors(self.cohort).any():
            raise ValueError(
                f"kind is {self.kind!r} for persons under age, who have neither office nor night work; give adults, or "
                "kind='school'"
            )


def minors(cohort: Cohort) -> NDArray[np.bool_]:
    """Who is under age (n,)."""
    return np.array([cohort.group(row) != "adult" for row in range(len(cohort))])
