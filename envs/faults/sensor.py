"""What goes wrong with a glucose sensor beyond its error. Severities in the docstrings; see `Fault` for times.

Compression lows (lying on the sensor) and their size: Emerson, Guy, McConville, J Biomed Inform 142 (2023), up to
30 mg/dL for up to half an hour; their frequency is this project's setting. Shifts and drifts of calibration: a few
per cent a day, and 20 % as stress. Codes: receivers write 39 and 401 for LO and HI, oref0 takes 38 and all
up to 10 as errors.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.faults.schedule import (
    DRAWS_PER_FAULT,
    FIRST_DRAW,
    FIRST_EXTRA,
    KIND,
    KNOT_DRAWS,
    MINUTE_DRAWS,
    SEVERITY,
    Fault,
    Stage,
    acting,
)
from twins.kernels import kernel
from twins.random import normal_pair, pair

COMPRESSION_MIN = (15.0, 45.0)
COMPRESSION_MG_DL = (10.0, 30.0)
NIGHT_LASTS_MIN = 360
LOWEST_MG_DL = 32.0
"""A shifted reading never falls below this: sensors report no less."""
KNOT_MIN = 15
MG_DL_PER_MMOL_L = 18.018
_CODES = (39.0, 401.0, 0.0, 38.0)
(
    _GAP, _NOISE, _BIAS, _DRIFT, _COMPRESSION, _STALE, _DISORDER, _SPIKE, _CODE, _UNITS, _NOT_FINITE,
) = range(1, 12)  # fmt: skip


class _OfSensor(Fault):
    stage: ClassVar[Stage] = Stage.SENSOR


@dataclass(frozen=True)
class Gap(_OfSensor):
    """No readings. Severity: share of the lanes' readings lost within an occurrence, 1 = all."""

    severity: float = 1.0
    kind: ClassVar[int] = _GAP
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "share of the readings within an occurrence that are lost"
    draws: ClassVar[int] = 1_000_000
    stride: ClassVar[int] = 1


@dataclass(frozen=True)
class Noise(_OfSensor):
    """More error: half of its variance white, half in slow waves. Severity: SD, share of the reading."""

    severity: float = 0.15
    kind: ClassVar[int] = _NOISE
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "standard deviation, as a share of the reading"
    draws: ClassVar[int] = _NOISE * DRAWS_PER_FAULT


@dataclass(frozen=True)
class Bias(_OfSensor):
    """Wrong calibration: reading x (1 + severity) + offset_mg_dl. Above 0 is the dangerous side."""

    severity: float = 0.0
    offset_mg_dl: float = 0.0
    kind: ClassVar[int] = _BIAS
    allowed: ClassVar[tuple[float, float]] = (-0.9, 2.0)
    unit: ClassVar[str] = "share added to every reading"
    draws: ClassVar[int] = _BIAS * DRAWS_PER_FAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if not abs(self.offset_mg_dl) <= 100:
            raise ValueError(f"Bias: offset_mg_dl is {self.offset_mg_dl}; allowed are -100 to 100 mg/dL")

    @property
    def extras(self) -> tuple[float, float]:
        """See `Fault.extras`."""
        return self.offset_mg_dl, 0.0


@dataclass(frozen=True)
class Drift(_OfSensor):
    """Calibration that drifts from the onset on. Severity: share added per day."""

    severity: float = 0.03
    kind: ClassVar[int] = _DRIFT
    allowed: ClassVar[tuple[float, float]] = (-0.2, 0.2)
    unit: ClassVar[str] = "share added to every reading per day"
    draws: ClassVar[int] = _DRIFT * DRAWS_PER_FAULT


@dataclass(frozen=True)
class CompressionLow(_OfSensor):
    """A low reading from lying on the sensor, 15 to 45 min at night. Severity x (10 to 30) mg/dL; `chance` a night."""

    severity: float = 1.0
    duration_min: float = NIGHT_LASTS_MIN
    every_min: float = 1440.0
    kind: ClassVar[int] = _COMPRESSION
    allowed: ClassVar[tuple[float, float]] = (0.0, 5.0)
    unit: ClassVar[str] = "factor of a dip of 10 to 30 mg/dL"
    draws: ClassVar[int] = 0


@dataclass(frozen=True)
class Stale(_OfSensor):
    """The first reading of an occurrence is repeated until it ends, as if it were new. Severity: none, 1."""

    severity: float = 1.0
    kind: ClassVar[int] = _STALE
    allowed: ClassVar[tuple[float, float]] = (1.0, 1.0)
    unit: ClassVar[str] = "a repeated value has none"
    draws: ClassVar[int] = _STALE * DRAWS_PER_FAULT


@dataclass(frozen=True)
class Disorder(_OfSensor):
    """Readings that come an interval late: the one before is told twice, the late one takes the place of the next.

    Severity: probability of a reading. The loop hears one reading an interval and no time stamps, so this is as far
    as duplicates and readings out of order can reach it.
    """

    severity: float = 0.2
    kind: ClassVar[int] = _DISORDER
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "probability of a reading"
    draws: ClassVar[int] = _DISORDER * DRAWS_PER_FAULT


@dataclass(frozen=True)
class Spike(_OfSensor):
    """One reading of an occurrence, its first, is off. Severity: mg/dL, either way with equal probability."""

    severity: float = 100.0
    duration_min: float = 15.0
    kind: ClassVar[int] = _SPIKE
    allowed: ClassVar[tuple[float, float]] = (0.0, 400.0)
    unit: ClassVar[str] = "mg/dL"
    draws: ClassVar[int] = _SPIKE * DRAWS_PER_FAULT


@dataclass(frozen=True)
class Code(_OfSensor):
    """Codes in place of readings: 39 (LO), 401 (HI), 0 or 38, one for an occurrence. Severity: none, 1."""

    severity: float = 1.0
    duration_min: float = 15.0
    kind: ClassVar[int] = _CODE
    allowed: ClassVar[tuple[float, float]] = (1.0, 1.0)
    unit: ClassVar[str] = "a code has none"
    draws: ClassVar[int] = _CODE * DRAWS_PER_FAULT


@dataclass(frozen=True)
class WrongUnits(_OfSensor):
    """Readings in mmol/L where mg/dL are meant. Severity: none, 1."""

    severity: float = 1.0
    kind: ClassVar[int] = _UNITS
    allowed: ClassVar[tuple[float, float]] = (1.0, 1.0)
    unit: ClassVar[str] = "a unit has none"
    draws: ClassVar[int] = _UNITS * DRAWS_PER_FAULT


@dataclass(frozen=True)
class NotFinite(_OfSensor):
    """Not a number, plus or minus infinity in place of a reading. Severity: probability of a reading."""

    severity: float = 1.0
    kind: ClassVar[int] = _NOT_FINITE
    allowed: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "probability of a reading"
    draws: ClassVar[int] = _NOT_FINITE * DRAWS_PER_FAULT


@dataclass(frozen=True)
class SensorFaults:
    """The everyday faults that protocols name; the defaults are none. `parts` are the faults it stands for.

    bias_mg_dl is added to every reading. missing: share of the readings that are lost, in gaps of
    `gap_min` minutes. compression_per_night: probability of a compression low between 00:00 and 06:00.
    """

    bias_mg_dl: float = 0.0
    missing: float = 0.0
    gap_min: int = 60
    compression_per_night: float = 0.0

    def __post_init__(self) -> None:
        if not (
            abs(self.bias_mg_dl) <= 100
            and 0 <= self.missing < 1
            and self.gap_min >= 1
            and 0 <= self.compression_per_night <= 1
        ):
            raise ValueError(
                f"{self}: allowed are a bias of -100 ... 100 mg/dL, a missing share from 0 to below 1, gaps of "
                "1 min or more and a probability of 0 ... 1 per night"
            )

    @property
    def parts(self) -> tuple[Fault, ...]:
        """Those at work: bias, compression lows, gaps."""
        parts: list[Fault] = []
        if self.bias_mg_dl:
            parts.append(Bias(offset_mg_dl=self.bias_mg_dl))
        if self.compression_per_night:
            parts.append(CompressionLow(chance=self.compression_per_night))
        if self.missing:
            length = float(self.gap_min)
            parts.append(Gap(duration_min=length, every_min=length, chance=self.missing))
        return tuple(parts)


@kernel
def disturb(keys, minute, faults, rows, memory, dt, cgm):  # type: ignore[no-untyped-def]
    """Change the readings `cgm` (n,) taken at `minute` (n,) of each lane's episode; NaN where one is lost.

    keys (n, 6) of the stream of faults; faults (F, 11) as `Fault.row`, of which `rows` are the sensor's;
    memory (n, F, 2), zero at the start of an episode; dt: minutes between readings.
    """
    for lane in range(len(cgm)):
        value = cgm[lane]
        for row in rows:
            value = _one(keys[lane], minute[lane], faults[row], memory[lane, row], dt, value)
        cgm[lane] = value


@kernel
def _one(key, now, fault, held, dt, value):  # type: ignore[no-untyped-def]
    """The reading after one fault. held (2,): what the fault remembers of this lane."""
    kind, severity, draw = int(fault[KIND]), fault[SEVERITY], int(fault[FIRST_DRAW])
    since, number = acting(key, fault, now)
    if kind == _DISORDER:
        # held: the reading before, and whether it is still to be told
        before, pending = held[0], held[1] > 0.0
        chance, _ = pair(key, draw + MINUTE_DRAWS + now)
        late = number >= 0 and not pending and before != 0.0 and chance < severity
        held[0], held[1] = value, 1.0 if late else 0.0
        return before if late or pending else value
    if number < 0:
        return value
    if kind == _GAP:
        if severity < 1.0:
            chance, _ = pair(key, draw + MINUTE_DRAWS + now)
            return np.nan if chance < severity else value
        return np.nan
    if kind == _NOT_FINITE:
        chance, which = pair(key, draw + MINUTE_DRAWS + now)
        if chance >= severity:
            return value
        return np.nan if which < 1.0 / 3.0 else (np.inf if which < 2.0 / 3.0 else -np.inf)
    if np.isnan(value):  # what is not there cannot be changed
        return value
    if kind == _STALE:
        if held[0] != number + 1.0:
            held[0], held[1] = number + 1.0, value
        return held[1]
    if kind == _CODE:
        which, _ = pair(key, draw + 2 * number + 1)
        return _CODES[int(which * len(_CODES))]
    if kind == _UNITS:
        return value / MG_DL_PER_MMOL_L
    if kind == _BIAS:
        value = value * (1.0 + severity) + fault[FIRST_EXTRA]
    elif kind == _DRIFT:
        value *= 1.0 + severity * since / 1440.0
    elif kind == _NOISE:
        value *= 1.0 + severity * _error(key, draw, now)
    elif kind == _COMPRESSION:
        value -= severity * _dip(key, draw, since, number)
    elif kind == _SPIKE and since < dt:
        up, _ = pair(key, draw + 2 * number + 1)
        value += severity if up < 0.5 else -severity
    return LOWEST_MG_DL if value < LOWEST_MG_DL else value


@kernel
def _error(key, draw, now):  # type: ignore[no-untyped-def]
    """A standard error of a reading: white noise and a line between normals every 15 min, of equal variance."""
    white, _ = normal_pair(key, draw + MINUTE_DRAWS + now)
    knot, at = now // KNOT_MIN, now % KNOT_MIN / KNOT_MIN
    left, _ = normal_pair(key, draw + KNOT_DRAWS + knot)
    right, _ = normal_pair(key, draw + KNOT_DRAWS + knot + 1)
    wave = ((1.0 - at) * left + at * right) / np.sqrt((1.0 - at) ** 2 + at**2)
    return (white + wave) / np.sqrt(2.0)


@kernel
def _dip(key, draw, since, number):  # type: ignore[no-untyped-def]
    """Depth of a compression low `since` minutes after the beginning of night `number`, mg/dL."""
    _, begins = pair(key, draw + 2 * number)
    lasts, depth = pair(key, draw + 2 * number + 1)
    length = COMPRESSION_MIN[0] + lasts * (COMPRESSION_MIN[1] - COMPRESSION_MIN[0])
    if 0.0 <= since - begins * (NIGHT_LASTS_MIN - length) <= length:
        return COMPRESSION_MG_DL[0] + depth * (COMPRESSION_MG_DL[1] - COMPRESSION_MG_DL[0])
    return 0.0
