"""What goes wrong with the body that settings and agents were made for: unannounced exercise, illness, mismatch.

Exercise: moderate, 30 to 60 min, a fall of 1 to 3 mg/dL/min, then insulin sensitivity 1.5 to 3 times for half a day;
illness: sensitivity down by a third to a half with more output of the liver: ranges of the fault battery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.faults.schedule import (
    DRAWS_PER_FAULT,
    DURATION_MIN,
    FIRST_EXTRA,
    KIND,
    SECOND_EXTRA,
    SEVERITY,
    Fault,
    Stage,
    acting,
)
from twins.bodies.model import LIVER_OUTPUT, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U
from twins.kernels import kernel

_EXERCISE, _SENSITIVITY, _ILLNESS, _MISMATCH = range(15, 19)


class _OfBody(Fault):
    stage: ClassVar[Stage] = Stage.BODY


@dataclass(frozen=True)
class Exercise(_OfBody):
    """Exercise that nobody announced. Severity: factor of insulin sensitivity, which ebbs away until the end.

    During the first `workout_min` minutes muscle also takes up `uptake_per_min` of the tissue's glucose a minute.
    """

    severity: float = 1.5
    duration_min: float = 720.0
    workout_min: float = 45.0
    uptake_per_min: float = 0.04
    kind: ClassVar[int] = _EXERCISE
    allowed: ClassVar[tuple[float, float]] = (1.0, 5.0)
    unit: ClassVar[str] = "factor of insulin sensitivity"
    draws: ClassVar[int] = _EXERCISE * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.workout_min <= self.duration_min < np.inf and 0 <= self.uptake_per_min <= 0.2):
            raise ValueError(
                f"{self}: allowed are a workout within the duration, which is finite, and an uptake of 0 to 0.2 per "
                "minute"
            )

    @property
    def extras(self) -> tuple[float, float]:
        """See `Fault.extras`."""
        return self.workout_min, self.uptake_per_min


@dataclass(frozen=True)
class SensitivityChange(_OfBody):
    """Insulin acts more or less than it did. Severity: factor of insulin sensitivity."""

    severity: float = 1.5
    kind: ClassVar[int] = _SENSITIVITY
    allowed: ClassVar[tuple[float, float]] = (0.1, 10.0)
    unit: ClassVar[str] = "factor of insulin sensitivity"
    draws: ClassVar[int] = _SENSITIVITY * DRAWS_PER_FAULT


@dataclass(frozen=True)
class Illness(_OfBody):
    """Insulin acts less and the liver gives more. Severity: factor of sensitivity; liver output in mg/kg/min."""

    severity: float = 0.6
    duration_min: float = 4320.0
    liver_mg_per_kg_min: float = 0.3
    kind: ClassVar[int] = _ILLNESS
    allowed: ClassVar[tuple[float, float]] = (0.1, 1.0)
    unit: ClassVar[str] = "factor of insulin sensitivity"
    draws: ClassVar[int] = _ILLNESS * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.liver_mg_per_kg_min <= 5:
            raise ValueError(f"{self}: allowed is an output of the liver of 0 to 5 mg/kg/min")

    @property
    def extras(self) -> tuple[float, float]:
        """See `Fault.extras`."""
        return self.liver_mg_per_kg_min, 0.0


@dataclass(frozen=True)
class Mismatch(Fault):
    """Settings that were made for somebody else, all wrong to the same side. They hold for the whole episode.

    Severity s: basal rate times 1 + s, carb ratio and correction factor divided by it, so that above 0 all doses are
    too large. The body, and its equilibrium at the beginning, stay.
    """

    severity: float = 0.2
    kind: ClassVar[int] = _MISMATCH
    stage: ClassVar[Stage] = Stage.SETTINGS
    allowed: ClassVar[tuple[float, float]] = (-0.9, 2.0)
    unit: ClassVar[str] = "share added to every dose that settings lead to"
    draws: ClassVar[int] = _MISMATCH * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.onset_min or self.duration_min < np.inf or self.chance < 1:
            raise ValueError(
                f"{self}: settings are wrong for a whole episode; leave onset, duration and chance out"
            )


def mistaken(faults: Sequence[Fault], therapy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Settings (n, 7) as they are known under the mismatches among some faults; a copy."""
    therapy = therapy.copy()
    for fault in faults:
        if isinstance(fault, Mismatch):
            therapy[:, BASAL_U_PER_H] *= 1.0 + fault.severity
            therapy[:, (CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U)] /= 1.0 + fault.severity
    return therapy


@kernel
def strain(keys, minute, faults, rows, drive):  # type: ignore[no-untyped-def]
    """What the faults of the body do to drive (n, 1, 4) in the interval from `minute` (n,) on, in place.

    keys, faults, rows: as in `sensor.disturb`.
    """
    for lane in range(len(minute)):
        to = drive[lane, 0]
        to[UPTAKE] = to[LIVER_OUTPUT] = 0.0
        for row in rows:
            fault = faults[row]
            since, number = acting(keys[lane], fault, minute[lane])
            if number < 0:
                continue
            factor, kind = fault[SEVERITY], int(fault[KIND])
            if kind == _EXERCISE:
                workout = fault[FIRST_EXTRA]
                if since < workout:
                    to[UPTAKE] += fault[SECOND_EXTRA]
                else:
                    left = (fault[DURATION_MIN] - since) / max(fault[DURATION_MIN] - workout, 1.0)
                    factor = 1.0 + (factor - 1.0) * left
            elif kind == _ILLNESS:
                to[LIVER_OUTPUT] += fault[FIRST_EXTRA]
            to[SENSITIVITY_PERIPHERAL] *= factor
            to[SENSITIVITY_HEPATIC] *= factor
