"""What goes wrong between pump and body: the pump reports what it was told to deliver, the body gets something else.

Time to an alarm of an occlusion: under 5 h at 1 U/h, 4 to over 40 h at 0.1 U/h, so windows of hours are ordinary.
Infusion sites that lose a fifth to two thirds of their delivery within days: the range of the fault battery.
"""

from dataclasses import dataclass
from typing import ClassVar

from envs.faults.schedule import DRAWS_PER_FAULT, DURATION_MIN, KIND, SEVERITY, Fault, Stage, acting
from twins.kernels import kernel

_OCCLUSION, _DEGRADATION, _GAIN = range(12, 15)


class _OfPump(Fault):
    stage: ClassVar[Stage] = Stage.PUMP


@dataclass(frozen=True)
class Occlusion(_OfPump):
    """Nothing is delivered; the dose is held back in the tube. Severity: the share of it that comes at the release."""

    severity: float = 0.5
    duration_min: float = 240.0
    kind: ClassVar[int] = _OCCLUSION
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "share of the held-back dose that comes at the release"
    draws: ClassVar[int] = _OCCLUSION * DRAWS_PER_FAULT


@dataclass(frozen=True)
class SiteDegradation(_OfPump):
    """An infusion site wears out: delivery falls evenly from all to `severity` of it, until the site is changed."""

    severity: float = 0.5
    duration_min: float = 2880.0
    kind: ClassVar[int] = _DEGRADATION
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "share that is still delivered at the end"
    draws: ClassVar[int] = _DEGRADATION * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.duration_min > 366 * 1440:
            raise ValueError(
                f"SiteDegradation: duration_min is {self.duration_min}; give the minutes it takes, up to 366 days"
            )


@dataclass(frozen=True)
class DeliveryGain(_OfPump):
    """The pump delivers too much or too little. Severity: share added to every dose."""

    severity: float = 0.15
    kind: ClassVar[int] = _GAIN
    allowed: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    unit: ClassVar[str] = "share added to every dose"
    draws: ClassVar[int] = _GAIN * DRAWS_PER_FAULT


@kernel
def misdeliver(keys, minute, faults, rows, memory, dt, basal_u_per_h, bolus_u):  # type: ignore[no-untyped-def]
    """From the reported rates (n,) and boluses (n,) to those the body gets in the interval from `minute` on, in place.

    keys, faults, rows, memory: as in `sensor.disturb`. Held-back insulin is kept in memory, U.
    """
    for lane in range(len(basal_u_per_h)):
        for row in rows:
            fault, held = faults[row], memory[lane, row]
            since, number = acting(keys[lane], fault, minute[lane])
            kind = int(fault[KIND])
            if kind == _OCCLUSION:
                if number >= 0:
                    held[0] += basal_u_per_h[lane] * dt / 60.0 + bolus_u[lane]
                    basal_u_per_h[lane] = bolus_u[lane] = 0.0
                else:
                    bolus_u[lane] += fault[SEVERITY] * held[0]
                    held[0] = 0.0
                continue
            if number < 0:
                continue
            share = 1.0 + fault[SEVERITY]
            if kind == _DEGRADATION:
                share = 1.0 + (fault[SEVERITY] - 1.0) * since / fault[DURATION_MIN]
            basal_u_per_h[lane] *= share
            bolus_u[lane] *= share
