"""What people showed in trials, with 95 % intervals, and the twin's value beside each.

An interval is the published one (`published`), or follows from the published standard deviation and number of people
(`sd`), or from the published P value of the difference (`p`); where a trial gives neither, the standard deviation of a
like trial stands in (`like`), or a guess (`assumed`). Published means and numbers are facts; papers are named at each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from scipy import stats

T = TypeVar("T")
"""What does a trial again on twins."""


@dataclass(frozen=True)
class Target(Generic[T]):
    """One result of a trial. low, high: its 95 % interval; how: where that comes from; fitted: whether it was used;
    measure: the twin's value; misfit: why it misses, where that is known."""

    name: str
    words: str
    unit: str
    value: float
    low: float
    high: float
    how: str
    fitted: bool
    source: str
    measure: Callable[[T], float]
    misfit: str = ""

    @property
    def standard_error(self) -> float:
        """Half the interval over 1.96."""
        return (self.high - self.low) / (2 * 1.96)


def sd(value: float, sd: float, people: int) -> tuple[float, float]:
    half = stats.t.ppf(0.975, people - 1) * sd / np.sqrt(people)
    return value - half, value + half


def se(value: float, se: float, people: int) -> tuple[float, float]:
    half = stats.t.ppf(0.975, people - 1) * se
    return value - half, value + half


def p_value(value: float, p: float, people: int) -> tuple[float, float]:
    """The interval of a paired difference whose two-sided P value is known."""
    t = stats.t.ppf(1 - p / 2, people - 1)
    return se(value, abs(value) / t, people)


def ratio(rise: tuple[float, float]) -> tuple[float, float]:
    return 1 + rise[0], 1 + rise[1]


def discordant(more: int, fewer: int, people: int) -> tuple[float, float]:
    """The interval of a paired difference of shares [points], from the pairs that differ."""
    value = (more - fewer) / people
    half = 1.96 * np.sqrt((more + fewer) / people - value**2) / np.sqrt(people)
    return 100 * (value - half), 100 * (value + half)


@dataclass(frozen=True)
class Found:
    """A target and what the twin shows."""

    target: Target[Any]
    model: float

    @property
    def inside(self) -> bool:
        """Whether the twin's value lies in the interval of people."""
        return self.target.low <= self.model <= self.target.high


def compare(targets: Sequence[Target[T]], trials: T) -> list[Found]:
    """Every target beside the twin's value."""
    return [Found(one, one.measure(trials)) for one in targets]
