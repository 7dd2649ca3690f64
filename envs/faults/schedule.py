"""What every fault has: a severity, and when it acts.

A fault acts in occurrences. Number k begins at ``onset_min + k every_min``, up to `jitter_min` later, lasts
`duration_min` and happens with probability `chance`. Delay and chance are drawn from the lane's key, so that an
occurrence is a pure function of key and minute, and the same whoever else is simulated.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twins.kernels import kernel
from twins.random import pair

(
    KIND, SEVERITY, FIRST_EXTRA, SECOND_EXTRA, ONSET_MIN, DURATION_MIN, EVERY_MIN, JITTER_MIN, CHANCE, FIRST_DRAW,
    STRIDE,
) = range(11)  # fmt: skip
FAULT_COLUMNS = 11

DRAWS_PER_FAULT = 40_000_000
"""Draws of one kind of fault: occurrences below the first 10 million, those of single minutes above."""
MINUTE_DRAWS, KNOT_DRAWS = 10_000_000, 20_000_000


class Stage(IntEnum):
    """Where in the loop a fault acts."""

    SETTINGS = 0
    ANNOUNCEMENTS = 1
    PUMP = 2
    BODY = 3
    SENSOR = 4
    CLOCK = 5
    AGENT = 6


@dataclass(frozen=True)
class Fault:
    """A fault of severity `severity`; each kind says in which unit and range. Times in minutes of the episode.

    Occurrences must not overlap: ``jitter_min + duration_min <= every_min``. Raises ValueError otherwise.
    """

    severity: float
    onset_min: float = 0.0
    duration_min: float = np.inf
    every_min: float = np.inf
    jitter_min: float = 0.0
    chance: float = 1.0

    kind: ClassVar[int]
    stage: ClassVar[Stage]
    allowed: ClassVar[tuple[float, float]]
    """Range of the severity."""
    unit: ClassVar[str]
    """What the severity is, in words."""
    draws: ClassVar[int]
    stride: ClassVar[int] = 2

    def __post_init__(self) -> None:
        name, (low, high) = type(self).__name__, self.allowed
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or np.isnan(value):
                raise ValueError(f"{name}: {field.name} is {value!r}; give a number")
        if not low <= self.severity <= high:
            raise ValueError(
                f"{name}: severity is {self.severity}; allowed is {low:g} to {high:g} ({self.unit})"
            )
        if not (0 <= self.onset_min < np.inf and 0 <= self.jitter_min < np.inf):
            raise ValueError(
                f"{name}: onset_min is {self.onset_min}, jitter_min {self.jitter_min}; allowed are finite minutes, "
                "0 or more"
            )
        if not (self.duration_min > 0 and self.jitter_min + self.duration_min <= self.every_min):
            raise ValueError(
                f"{name}: duration_min is {self.duration_min}, jitter_min {self.jitter_min}, every_min "
                f"{self.every_min}; the first is above 0, and an occurrence ends before the next may begin"
            )
        if not 0 <= self.chance <= 1:
            raise ValueError(f"{name}: chance is {self.chance}; allowed is 0 to 1")

    @property
    def extras(self) -> tuple[float, float]:
        """Up to two numbers that a kind needs beside its severity."""
        return 0.0, 0.0

    def row(self, first_draw: int) -> NDArray[np.float64]:
        """The numbers of the fault as kernels take them, (11,); its draws begin at `first_draw`."""
        return np.array(
            [
                self.kind, self.severity, *self.extras, self.onset_min, self.duration_min, self.every_min,
                self.jitter_min, self.chance, first_draw, self.stride,
            ],
            np.float64,
        )  # fmt: skip


def acts_at(fault: Fault, minute: float) -> bool:
    """Whether a fault without delay and chance, such as those of an agent, acts at this minute."""
    since = minute - fault.onset_min
    return (
        since >= 0 and (since % fault.every_min if fault.every_min < np.inf else since) < fault.duration_min
    )


@kernel
def begins(key, fault, number):  # type: ignore[no-untyped-def]
    """Minute at which occurrence `number` of a fault (11,) begins in the lane of `key`; infinity: it does not."""
    first = fault[ONSET_MIN]
    if number > 0:
        first += number * fault[EVERY_MIN]
    if fault[CHANCE] < 1.0 or fault[JITTER_MIN] > 0.0:
        chance, delay = pair(key, int(fault[FIRST_DRAW] + fault[STRIDE] * number))
        if chance >= fault[CHANCE]:
            return np.inf
        first += delay * fault[JITTER_MIN]
    return first


@kernel
def acting(key, fault, minute):  # type: ignore[no-untyped-def]
    """(minutes since the occurrence that acts at `minute` began, its number); (-1, -1) when none acts."""
    if minute < fault[ONSET_MIN]:
        return -1.0, -1
    number = int((minute - fault[ONSET_MIN]) // fault[EVERY_MIN]) if fault[EVERY_MIN] < np.inf else 0
    since = minute - begins(key, fault, number)
    return (since, number) if 0.0 <= since < fault[DURATION_MIN] else (-1.0, -1)


@kernel
def _beginnings(keys, fault, out):  # type: ignore[no-untyped-def]
    for lane in range(out.shape[0]):
        for number in range(out.shape[1]):
            out[lane, number] = begins(keys[lane], fault, number)


def beginnings(keys: NDArray[np.uint32], fault: NDArray[np.float64], days: float) -> NDArray[np.float64]:
    """Minutes at which the occurrences of a fault (its row) begin within `days`, (n, K); infinity where one does not.

    keys (n, 6) of the stream of faults.
    """
    left = max(days * 1440 - fault[ONSET_MIN], 0.0)
    count = 1 if fault[EVERY_MIN] == np.inf else max(int(np.ceil(left / fault[EVERY_MIN])), 1)
    out = np.empty((len(keys), count))
    _beginnings(keys, fault, out)
    out[out >= days * 1440] = np.inf
    return out
