"""A row of the joint table: what was judged, on whom, what failed, and the measure that its study is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NAN = float("nan")

SHARES = {
    "below_54_pct": "<54",
    "below_70_pct": "<70",
    "tir_pct": "70-180",
    "above_180_pct": ">180",
    "above_250_pct": ">250",
}
"""Shares of time by true plasma glucose in mg/dL, in %: columns of every row, empty where glucose is not judged."""
TIME_IN_RANGE = "time in 70-180 mg/dL"
PAPER = "paper: "
"""What the names of rows begin with that a paper reports: nothing of them was computed here."""

Better = Literal["more", "less", ""]


@dataclass(frozen=True)
class Value:
    """A number with the ends of its 95 % interval (NaN where there is none) and the decimals it is printed with."""

    estimate: float
    low: float = NAN
    high: float = NAN
    places: int = 1
    signed: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return self.estimate == self.estimate

    @property
    def text(self) -> str:
        """The number as it is printed; empty where there is none."""
        return self._shown(self.estimate) if self.known else ""

    @property
    def interval(self) -> str:
        """``[78.1, 86.6]``; empty where there is none."""
        return f"[{self._shown(self.low)}, {self._shown(self.high)}]" if self.low == self.low else ""

    def _shown(self, number: float) -> str:
        return f"{number:{'+' if self.signed else ''}.{self.places}f}"


NONE = Value(NAN)


@dataclass(frozen=True)
class Failed:
    """How much failed, of how many (None: not a share of anything), and what a failure is."""

    count: float
    of: int | None = None
    what: str = "episodes"

    @property
    def text(self) -> str:
        """``3 of 150``, ``0``, or ``3.20 %`` where only a share is known."""
        if self.what.startswith("%"):
            return f"{self.count:.2f} %"
        shown = f"{self.count:,.0f}" if self.count == round(self.count) else f"{self.count:,.1f}"
        return shown if self.of is None else f"{shown} of {self.of:,}"


@dataclass(frozen=True)
class Measure:
    """What a study is about: its name, unit, number, and whether more of it or less is better."""

    name: str
    unit: str
    value: Value
    better: Better


@dataclass(frozen=True)
class Information:
    """What an agent may know beside the sensor: tier, what it learned from in words, whether it was trained."""

    tier: str
    learned_from: str
    learned: bool


@dataclass(frozen=True)
class Origin:
    """Where a row comes from: the table below results, the command that made it, and hashes where they are known."""

    source: str
    command: str
    protocol_hash: str = ""
    simulator: str = ""


@dataclass(frozen=True)
class JointRow:
    """One row. `part` tells rows of a protocol apart that are not compared: whom, which bodies, which stomach.

    protocol: the name of the page, a protocol's or a study's. persons: None where a study does not say. failed: None
    where nothing can. visitor: empty for what is committed; else the folder of the visitor's own evaluation. note: in
    words, what a reader has to know beside the numbers.
    """

    task: str
    protocol: str
    part: str
    agent: str
    shield: str
    persons: int | None
    failed: Failed | None
    measure: Measure
    information: Information
    origin: Origin
    shares: Mapping[str, Value] = field(default_factory=dict)
    visitor: str = ""
    note: str = ""

    def share(self, name: str) -> Value:
        """One of `SHARES`, without a number where the study does not give it."""
        return self.shares.get(name, NONE)
