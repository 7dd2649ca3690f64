"""Faults of sensor, pump, body, announcements, clock and agent: seeded, with severity and onset, in any combination.

Without faults the loop is what it was, bit for bit. `BATTERY` names the 25 faults of the battery.
"""

from collections.abc import Iterable

from envs.faults.agent import AgentFault, BadAction, Dead, Raises, Slow, Stuck
from envs.faults.announcements import CarbError, ClockShift, LateBolus, MissedBolus, PhantomMeal
from envs.faults.battery import BATTERY, NUMBERS, Case, cases
from envs.faults.body import Exercise, Illness, Mismatch, SensitivityChange
from envs.faults.pump import DeliveryGain, Occlusion, SiteDegradation
from envs.faults.schedule import Fault, Stage
from envs.faults.sensor import (
    Bias,
    Code,
    CompressionLow,
    Disorder,
    Drift,
    Gap,
    Noise,
    NotFinite,
    SensorFaults,
    Spike,
    Stale,
    WrongUnits,
)
from envs.faults.stages import MEMORY, MOST_FAULTS, Faults

__all__ = [
    "BATTERY", "MEMORY", "NUMBERS", "AgentFault", "BadAction", "Bias", "CarbError", "Case", "ClockShift", "Code",
    "CompressionLow", "Dead", "DeliveryGain", "Disorder", "Drift", "Exercise", "Fault", "Faults", "Gap", "Given",
    "Illness", "LateBolus", "Mismatch", "MissedBolus", "Noise", "NotFinite", "Occlusion", "PhantomMeal", "Raises",
    "SensitivityChange", "SensorFaults", "SiteDegradation", "Slow", "Spike", "Stage", "Stale", "Stuck", "WrongUnits",
    "cases", "checked",
]  # fmt: skip

Given = Fault | SensorFaults | str
"""What stands for faults: one, everyday ones of a sensor, or a name of the battery such as "F4a"."""


def checked(given: Given | Iterable[Given] | None) -> tuple[Fault, ...]:
    """The faults of a world that were given, as one tuple. Raises ValueError for what is none, or is an agent's."""
    if given is None:
        return ()
    if isinstance(given, Fault | SensorFaults | str) or not isinstance(given, Iterable):
        given = (given,)
    found: list[Fault] = []
    for one in given:
        if isinstance(one, SensorFaults):
            found += one.parts
        elif isinstance(one, str):
            sizes = cases([one])
            if len(sizes) > 1:
                raise ValueError(
                    f"faults: {one!r} has several sizes; give one of {', '.join(size.name for size in sizes)}"
                )
            if not sizes[0].faults:
                raise ValueError(
                    f"faults: {one} ({sizes[0].words}) is no fault of a world; see scripts.battery"
                )
            found += sizes[0].faults
        elif isinstance(one, Fault):
            found.append(one)
        else:
            raise ValueError(
                f"faults: {one!r} given; give faults of envs.faults such as Bias(0.2), names such as 'F4a', or a list"
            )
    for fault in found:
        if isinstance(fault, AgentFault):
            raise ValueError(
                f"faults: {fault} is a fault of the agent, not of its world; put it around an agent with "
                "agents.broken.broken(agent, fault)"
            )
    if len(found) > MOST_FAULTS:
        raise ValueError(f"faults: {len(found)} given; at most {MOST_FAULTS} can act at once")
    return tuple(found)
