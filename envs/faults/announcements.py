"""What goes wrong between a meal and what the therapy hears of it, and with the clock it goes by.

A third of teenagers miss more than 15 % of their boluses; counts of carbs are 28 % under in the median and spread
by up to 50 %; 15 to 60 min late is common: the ranges of the fault battery. Clocks: a change to summer time, a
journey over eight time zones, a battery taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.faults.schedule import (
    DRAWS_PER_FAULT,
    FIRST_DRAW,
    MINUTE_DRAWS,
    SEVERITY,
    Fault,
    Stage,
    acting,
    beginnings,
)
from twins.kernels import kernel
from twins.random import normal_pair, pair
from twins.units import MINUTES_PER_DAY
from twins.world.behaviour import NEVER
from twins.world.scenarios import ADULT_WEIGHT_KG

_MISSED, _LATE, _COUNT, _PHANTOM, _CLOCK = range(19, 24)


class _OfAnnouncements(Fault):
    stage: ClassVar[Stage] = Stage.ANNOUNCEMENTS


@dataclass(frozen=True)
class MissedBolus(_OfAnnouncements):
    """Meals that are eaten but not announced. Severity: probability of a meal."""

    severity: float = 0.3
    kind: ClassVar[int] = _MISSED
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "probability of a meal"
    draws: ClassVar[int] = _MISSED * DRAWS_PER_FAULT


@dataclass(frozen=True)
class LateBolus(_OfAnnouncements):
    """Meals announced `earliest_min` to `latest_min` too late. Severity: probability of a meal."""

    severity: float = 1.0
    earliest_min: float = 15.0
    latest_min: float = 60.0
    kind: ClassVar[int] = _LATE
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "probability of a meal"
    draws: ClassVar[int] = _LATE * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.earliest_min <= self.latest_min < np.inf:
            raise ValueError(f"{self}: allowed is 0 <= earliest_min <= latest_min, in minutes")


@dataclass(frozen=True)
class CarbError(_OfAnnouncements):
    """Miscounted carbs: count x (1 + bias) x (1 + severity z), z normal, at least a tenth. Severity: the spread."""

    severity: float = 0.3
    bias: float = 0.0
    kind: ClassVar[int] = _COUNT
    allowed: ClassVar[tuple[float, float]] = (0.0, 2.0)
    unit: ClassVar[str] = "standard deviation, as a share of the count"
    draws: ClassVar[int] = _COUNT * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -1 < self.bias <= 4:
            raise ValueError(f"{self}: allowed is a bias above -1, up to 4")


@dataclass(frozen=True)
class PhantomMeal(_OfAnnouncements):
    """A meal that is announced and not eaten, once in an occurrence. Severity: grams for 70 kg or more, less below."""

    severity: float = 40.0
    kind: ClassVar[int] = _PHANTOM
    allowed: ClassVar[tuple[float, float]] = (0.0, 400.0)
    unit: ClassVar[str] = "grams of carbs"
    draws: ClassVar[int] = _PHANTOM * DRAWS_PER_FAULT


@dataclass(frozen=True)
class ClockShift(Fault):
    """The clock that the therapy goes by is wrong. Severity: minutes it is ahead; below 0 it went backwards."""

    severity: float = 60.0
    kind: ClassVar[int] = _CLOCK
    stage: ClassVar[Stage] = Stage.CLOCK
    allowed: ClassVar[tuple[float, float]] = (-1439.0, 1439.0)
    unit: ClassVar[str] = "minutes"
    draws: ClassVar[int] = _CLOCK * DRAWS_PER_FAULT


@kernel
def _told(keys, tell_minute, row, happens, unit, normal):  # type: ignore[no-untyped-def]
    """Of each announcement (n, K): whether the fault acts then, and draws of its own, in its minute's name."""
    for lane in range(tell_minute.shape[0]):
        for k in range(tell_minute.shape[1]):
            happens[lane, k] = False
            if tell_minute[lane, k] == np.inf:
                continue
            minute = int(tell_minute[lane, k])
            draw = int(row[FIRST_DRAW]) + MINUTE_DRAWS + 2 * minute
            chance, unit[lane, k] = pair(keys[lane], draw)
            normal[lane, k], _ = normal_pair(keys[lane], draw + 1)
            _, number = acting(keys[lane], row, minute)
            happens[lane, k] = number >= 0 and (chance < row[SEVERITY])


def misheard(
    faults: Sequence[tuple[Fault, NDArray[np.float64]]],
    keys: NDArray[np.uint32],
    tell_minute: NDArray[np.float64],
    tell_g: NDArray[np.float64],
    weight_kg: NDArray[np.float64],
    days: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The announcements (n, K) of an episode under some faults with their rows: minutes (`NEVER`: none) and grams.

    keys (n, 6) of the stream of faults; weight_kg (n,), by which phantom meals are scaled as meals are.
    """
    tell_minute, tell_g = tell_minute.copy(), tell_g.copy()
    for fault, row in faults:
        if isinstance(fault, PhantomMeal):
            minute = np.ceil(beginnings(keys, row, days))
            tell_minute = np.concatenate([tell_minute, minute], axis=1)
            grams = fault.severity * np.minimum(weight_kg / ADULT_WEIGHT_KG, 1.0)[:, None]
            tell_g = np.concatenate([tell_g, np.where(np.isfinite(minute), grams, 0.0)], axis=1)
            continue
        happens = np.empty(tell_minute.shape, np.bool_)
        unit, normal = np.zeros((2, *tell_minute.shape))
        certain = row.copy()
        if isinstance(fault, CarbError):
            certain[SEVERITY] = 1.0  # every count within the occurrence is wrong
        _told(keys, tell_minute, certain, happens, unit, normal)
        if isinstance(fault, MissedBolus):
            tell_minute[happens], tell_g[happens] = NEVER, 0.0
        elif isinstance(fault, LateBolus):
            delay = fault.earliest_min + unit * (fault.latest_min - fault.earliest_min)
            tell_minute = np.where(happens, np.ceil(tell_minute + delay), tell_minute)
        elif isinstance(fault, CarbError):
            factor = (1.0 + fault.bias) * np.maximum(1.0 + fault.severity * normal, 0.1)
            tell_g = np.where(happens, np.maximum(tell_g * factor, 1.0), tell_g)
    order = np.argsort(tell_minute, axis=1, kind="stable")
    return np.take_along_axis(tell_minute, order, axis=1), np.take_along_axis(tell_g, order, axis=1)


@kernel
def shift_clock(keys, minute, faults, rows, clock):  # type: ignore[no-untyped-def]
    """Set clock (n,), the minute of the day that the therapy believes in, from `minute` (n,) of the episode."""
    for lane in range(len(minute)):
        ahead = 0.0
        for row in rows:
            _, number = acting(keys[lane], faults[row], minute[lane])
            if number >= 0:
                ahead += faults[row][SEVERITY]
        clock[lane] = (minute[lane] + ahead) % MINUTES_PER_DAY
