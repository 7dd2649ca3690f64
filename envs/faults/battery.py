"""The fault battery: 25 faults, most of them in more than one size, by name.

Sizes follow the ranges reported for each (sensors, pumps, boluses, exercise: in the module of each fault); when and
how often they act is this project's setting: once in hours or days, and as often as a week can hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from envs.faults.agent import BadAction, Dead, Raises, Slow, Stuck
from envs.faults.announcements import CarbError, ClockShift, LateBolus, MissedBolus, PhantomMeal
from envs.faults.body import Exercise, Illness, Mismatch, SensitivityChange
from envs.faults.pump import DeliveryGain, Occlusion, SiteDegradation
from envs.faults.schedule import Fault
from envs.faults.sensor import (
    Bias,
    Code,
    CompressionLow,
    Disorder,
    Drift,
    Gap,
    Noise,
    NotFinite,
    Spike,
    Stale,
    WrongUnits,
)
from twins.words import near_miss

_DAY = 1440.0
_LUNCH = {"onset_min": 570.0, "duration_min": 300.0, "every_min": _DAY}
"""09:30 to 14:30: one main meal a day lies in it."""


@dataclass(frozen=True)
class Case:
    """A fault in one size. faults: empty where the agent itself (F24) or its file (F25) is the fault."""

    name: str
    words: str
    faults: tuple[Fault, ...] = ()

    @property
    def number(self) -> str:
        """Which of the 25 faults it is: "F4" of "F4b"."""
        return self.name.rstrip("abcd")


BATTERY: tuple[Case, ...] = (
    Case("F1", "sensor gap of 40 min every 4 h", (Gap(duration_min=40, every_min=240, jitter_min=200),)),
    Case(
        "F2",
        "sensor gap of 8 h every night",
        (Gap(onset_min=1320, duration_min=480, every_min=_DAY, jitter_min=120),),
    ),
    Case("F3", "sensor noise, SD 15 % more", (Noise(0.15),)),
    Case("F4a", "calibration +20 %", (Bias(0.2),)),
    Case("F4b", "calibration +30 %", (Bias(0.3),)),
    Case("F4c", "calibration -20 %", (Bias(-0.2),)),
    Case("F5", "calibration drifts, +3 % a day", (Drift(0.03),)),
    Case("F6", "compression low of 18-53, every night", (CompressionLow(1.75),)),
    Case("F7", "reading repeated for 3 h a day", (Stale(duration_min=180, every_min=_DAY, jitter_min=1200),)),
    Case("F8", "a reading in 5 late or doubled", (Disorder(0.2),)),
    Case("F9a", "spike of 100 mg/dL every 4 h", (Spike(100, every_min=240, jitter_min=220),)),
    Case("F9b", "code 39, 401, 0 or 38 every 4 h", (Code(every_min=240, jitter_min=220),)),
    Case(
        "F10",
        "occlusion of 4 h every 2 days, then half of it",
        (Occlusion(0.5, duration_min=240, every_min=2880, jitter_min=2400),),
    ),
    Case(
        "F11",
        "site wears to half in 2 of 3 days",
        (SiteDegradation(0.5, onset_min=_DAY, duration_min=2880, every_min=4320),),
    ),
    Case("F12a", "pump delivers 20 % more", (DeliveryGain(0.2),)),
    Case("F12b", "pump delivers 20 % less", (DeliveryGain(-0.2),)),
    Case("F13", "lunch without a bolus, every day", (MissedBolus(1.0, **_LUNCH),)),
    Case("F14", "every bolus 15-60 min late", (LateBolus(1.0),)),
    Case("F15a", "carb counts spread by 30 %", (CarbError(0.3),)),
    Case("F15b", "lunch counted 50 % too high", (CarbError(0.0, bias=0.5, **_LUNCH),)),
    Case(
        "F16",
        "phantom meal of 40 g, once a day",
        (PhantomMeal(40.0, onset_min=480, duration_min=60, every_min=_DAY, jitter_min=720),),
    ),
    Case(
        "F17a",
        "exercise every 2 days, sensitivity x 1.5",
        (Exercise(1.5, onset_min=960, duration_min=720, every_min=2880, jitter_min=180),),
    ),
    Case(
        "F17b",
        "exercise every 2 days, sensitivity x 2",
        (Exercise(2.0, onset_min=960, duration_min=720, every_min=2880, jitter_min=180),),
    ),
    Case("F18a", "insulin sensitivity +50 %", (SensitivityChange(1.5, onset_min=_DAY),)),
    Case("F18b", "insulin sensitivity -50 %", (SensitivityChange(0.5, onset_min=_DAY),)),
    Case("F18c", "illness of 3 days", (Illness(0.6, onset_min=_DAY),)),
    Case("F19a", "settings 20 % too strong", (Mismatch(0.2),)),
    Case("F19b", "settings 20 % too weak", (Mismatch(-0.2),)),
    Case("F19c", "settings 40 % too strong", (Mismatch(0.4),)),
    Case("F19d", "settings 40 % too weak", (Mismatch(-0.4),)),
    Case("F20a", "clock 1 h ahead", (ClockShift(60, onset_min=_DAY),)),
    Case("F20b", "clock 1 h back", (ClockShift(-60, onset_min=_DAY),)),
    Case("F20c", "clock 8 h ahead", (ClockShift(480, onset_min=_DAY),)),
    Case(
        "F21a",
        "readings not finite, 2 h of 8",
        (NotFinite(1.0, duration_min=120, every_min=480, jitter_min=300),),
    ),
    Case(
        "F21b",
        "readings in mmol/L, 4 h a day",
        (WrongUnits(duration_min=240, every_min=_DAY, jitter_min=1200),),
    ),
    Case(
        "F22",
        "actions beyond any pump, 2 h of 8",
        (BadAction(onset_min=360, duration_min=120, every_min=480),),
    ),
    Case("F23a", "agent too slow from noon of day 2 on", (Slow(onset_min=1.5 * _DAY),)),
    Case("F23b", "agent dead from noon of day 2 on", (Dead(onset_min=1.5 * _DAY),)),
    Case("F23c", "agent raises from noon of day 2 on", (Raises(onset_min=1.5 * _DAY),)),
    Case("F23d", "agent stuck, 6 h a day", (Stuck(onset_min=600, duration_min=360, every_min=_DAY),)),
    Case("F24", "hostile agents"),
    Case("F25", "poisoned or broken model files"),
)
_NAMED = {case.name: case for case in BATTERY}
NUMBERS = tuple(dict.fromkeys(case.number for case in BATTERY))


def cases(names: Sequence[str] | None = None) -> tuple[Case, ...]:
    """The cases of these names: "F4" stands for F4a, F4b and F4c. None: all. Raises ValueError for unknown ones."""
    if names is None:
        return BATTERY
    for name in names:
        if name not in NUMBERS and name not in _NAMED:
            raise ValueError(
                f"unknown fault {name!r}{near_miss(name, [*NUMBERS, *_NAMED])}; known are {', '.join(NUMBERS)}, and "
                f"sizes such as F4a"
            )
    return tuple(case for case in BATTERY if case.name in names or case.number in names)
