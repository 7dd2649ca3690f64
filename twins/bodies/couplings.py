"""What sleep, the hour of the body and stress do to insulin's action, each with a switch and how sure it is.

All are factors on the two sensitivities of `twins.bodies.model`, of uptake and of the liver. Who sleeps enough, is
calm, and whose body's hour is noon is at 1, and so is everyone with all switches off.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies import stress
from twins.random import Stream

Array = NDArray[np.float64]

PARAMETERS = ("sleep_share", "dawn_share")
SLEEP_SHARE, DAWN_SHARE = range(len(PARAMETERS))
SLEEP_MEAN, SLEEP_SD, SLEEP_NONE = 0.25, 0.10, 0.2
"""What is lost of insulin's action on uptake at a debt without end. One night of four hours, which costs adults with
type-1 diabetes 14 % of disposal in a clamp (Donga et al., Diabetes Care 33 (2010) 1573), is a factor of 0.8. Chronic
restriction does no more, and in one study did nothing (Yuan et al. 2021): so the spread is wide, and some people are
drawn with no effect at all (the share is assumed)."""
DAWN_LOG_MEAN, DAWN_LOG_SD, DAWN_PEOPLE = float(np.log(0.18)), 0.5, 0.5
"""The early morning's loss of insulin's action in those half of people who have it (assumed; a closed loop gave ten
adults 1.18 instead of 0.70 U/h then, Schrezenmeir as cited in `models.md`)."""
HALF_DEBT_H = 1.0
DAWN_BEGINS_H, DAWN_HOURS = -2.0, 6.0
"""From two hours before the temperature's minimum, for six."""

CONFIDENCE = {
    "sleep": "high in direction, from a clamp of seven adults; its size in chronic debt is not known",
    "dawn": "high that half of people have it; its shape is assumed, and that it moves with the clock",
    "stress": "high in direction, medium in size: infusions of cortisol, a public test in people with type-1 diabetes",
    "awakening": "high that few wake by a low, from one clamp in sleep; by a high it is assumed",
    "work": "medium that exercise lengthens sleep a little; as a need it is assumed",
}
"""By switch of `Couplings`."""


@dataclass(frozen=True)
class Couplings:
    """Which couplings hold.

    The first three are factors on insulin's action. awakening: glucose wakes; work: exercise adds to the need of sleep
    (both in `twins.bodies.whole`).
    """

    sleep: bool = True
    dawn: bool = True
    stress: bool = True
    awakening: bool = True
    work: bool = True

    def sensitivity(
        self, parameters: Array, debt_h: Array, phase_h: Array, stressed: Array
    ) -> tuple[Array, Array]:
        """Factors (n,) on insulin's action on uptake and on the liver.

        parameters (n, 2); debt_h (n,): of sleep; phase_h (n,): since the temperature's minimum; stressed (n, 4): states
        of `twins.bodies.stress`. Sleep leaves the liver alone: in type-1 diabetes its output did not change (Donga).
        """
        uptake, liver = np.ones(len(parameters)), np.ones(len(parameters))
        if self.sleep:
            uptake *= after_sleep(parameters[:, SLEEP_SHARE], debt_h)
        if self.dawn:
            dip = at_dawn(parameters[:, DAWN_SHARE], phase_h)
            uptake, liver = uptake * dip, liver * dip
        if self.stress:
            on_uptake, on_liver = stress.sensitivity(stressed)
            uptake, liver = uptake * on_uptake, liver * on_liver
        return uptake, liver


SWITCHES = tuple(field.name for field in fields(Couplings))
FACTORS = ("sleep", "dawn", "stress")
"""Switches of factors on insulin's action."""


def after_sleep(share: Array, debt_h: Array) -> Array:
    """Factor (n,) on insulin's action on uptake at a debt of sleep [h]."""
    factor: Array = 1.0 - share * debt_h / (HALF_DEBT_H + debt_h)
    return factor


def at_dawn(share: Array, phase_h: Array) -> Array:
    """Factor (n,) by the body's hour: lowest an hour after the temperature's minimum."""
    into = np.clip((phase_h - DAWN_BEGINS_H) % 24.0 / DAWN_HOURS, 0.0, 1.0)
    factor: Array = 1.0 - share * (0.5 - 0.5 * np.cos(2 * np.pi * into))
    return factor


def draw(keys: NDArray[np.uint32], spread: float = 1.0) -> Array:
    """Parameters (n, 2) of persons; each hangs on its key (n, 6) alone. spread multiplies the standard deviations; who
    has no effect of sleep, and no dawn, is drawn whatever the spread."""
    stream = random.stream(keys, Stream.COUPLINGS)
    z, u = random.normal(stream, 2), random.uniform(stream, 2, first=8)
    sleep = np.clip(SLEEP_MEAN + spread * SLEEP_SD * z[:, SLEEP_SHARE], 0.0, 0.6)
    dawn = np.minimum(np.exp(DAWN_LOG_MEAN + spread * DAWN_LOG_SD * z[:, DAWN_SHARE]), 0.6)
    return np.stack(
        [np.where(u[:, 0] < SLEEP_NONE, 0.0, sleep), np.where(u[:, 1] < DAWN_PEOPLE, dawn, 0.0)], axis=1
    )
