"""What goes wrong with a glucose sensor beyond its error: bias, gaps, compression lows.

A fault is a pure function of key and minute, so it needs no memory and is the same whoever else is
simulated. Compression lows (lying on the sensor) and their size: Emerson, Guy, McConville, J Biomed
Inform 142 (2023), up to 30 mg/dL for up to half an hour; their frequency is this project's setting.
"""

from dataclasses import astuple, dataclass

import numpy as np

from twins.kernels import kernel
from twins.random import pair

COMPRESSION_MIN = (15.0, 45.0)
COMPRESSION_MG_DL = (10.0, 30.0)
NIGHT_LASTS_MIN = 360
LOWEST_MG_DL = 20.0
"""A shifted reading never falls below this: sensors report no less."""
_GAPS_FROM = 1_000_000
"""Draws of gaps begin here; those of nights lie below."""


@dataclass(frozen=True)
class SensorFaults:
    """Faults of a sensor; the defaults are none.

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
    def numbers(self) -> tuple[float, ...]:
        """The fields as `disturb` takes them."""
        return tuple(float(value) for value in astuple(self))


@kernel
def disturb(keys, minute, faults, cgm):  # type: ignore[no-untyped-def]
    """Change the readings `cgm` (n,) taken at `minute` (n,) of each lane's episode; NaN where one is lost.

    keys (n, 6) of the stream of faults; faults as `SensorFaults.numbers`.
    """
    bias, missing, gap_min, per_night = faults
    for lane in range(len(cgm)):
        now = minute[lane]
        value = cgm[lane] + bias
        night = now // 1440
        happens, begins = pair(keys[lane], 2 * night)
        if happens < per_night:
            lasts, depth = pair(keys[lane], 2 * night + 1)
            length = COMPRESSION_MIN[0] + lasts * (COMPRESSION_MIN[1] - COMPRESSION_MIN[0])
            since = now % 1440 - begins * (NIGHT_LASTS_MIN - length)
            if 0.0 <= since <= length:
                value -= COMPRESSION_MG_DL[0] + depth * (COMPRESSION_MG_DL[1] - COMPRESSION_MG_DL[0])
        lost, _ = pair(keys[lane], _GAPS_FROM + now // int(gap_min))
        cgm[lane] = np.nan if lost < missing else max(value, LOWEST_MG_DL)
