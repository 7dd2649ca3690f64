"""A day's plan of sleep and light: what an agent asks for, in hours since 18:00."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twins.bodies.circadian import STEP_MIN
from twins.world.duties import STEPS, USUAL_H, hours

Array = NDArray[np.float64]

MOST_NAP_H, LEAST_NAP_H = 1.5, 0.25
MOST_SEEK_H, MOST_AVOID_H = 4.0, 8.0
DAY_H = 24.0 - STEP_MIN / 60


@dataclass(frozen=True)
class Night:
    """Of n people, arrays (n,) of hours since 18:00 and of hours: in bed from bed to rise; a nap of nap_for from
    nap_at; bright light looked for during seek_for from seek_at, dark glasses during avoid_for from avoid_at. Nothing
    reaches beyond the day."""

    bed: Array
    rise: Array
    nap_at: Array
    nap_for: Array
    seek_at: Array
    seek_for: Array
    avoid_at: Array
    avoid_for: Array

    @classmethod
    def usual(cls, duty: NDArray[np.int64]) -> "Night":
        """As imposed, with neither nap nor light. duty (n,)."""
        bed, rise = USUAL_H[duty].T
        nothing = np.zeros(len(duty))
        return cls(bed, rise, *(nothing,) * 6)

    @classmethod
    def checked(cls, duty: NDArray[np.int64], *given: NDArray[np.float64]) -> "Night":
        """Of numbers of any kind, in the order of the fields: what is not finite is as usual, what is out of range the
        nearest bound; a nap of less than a quarter of an hour is none. Raises ValueError for wrong shapes."""
        usual, out = cls.usual(duty), []
        shapes = {np.shape(one) for one in given}
        if len(given) != len(fields(cls)) or shapes != {np.shape(duty)}:
            raise ValueError(
                f"a night has shapes {shapes}; needed are {len(fields(cls))} of {np.shape(duty)}"
            )
        most = {"nap_for": MOST_NAP_H, "seek_for": MOST_SEEK_H, "avoid_for": MOST_AVOID_H}
        for field, value in zip(fields(cls), given, strict=True):
            known = np.where(np.isfinite(value), value, getattr(usual, field.name))
            out.append(np.clip(known, 0.0, most.get(field.name, DAY_H)))
        out[1] = np.maximum(out[1], out[0])
        out[3] = np.where(out[3] < LEAST_NAP_H, 0.0, out[3])
        return cls(*out)

    def in_bed(self) -> NDArray[np.bool_]:
        """In each step of the day (n, `STEPS`)."""
        now = hours()
        night = (now >= self.bed[:, None]) & (now < self.rise[:, None])
        return night | _during(self.nap_at, self.nap_for)

    def seeks(self) -> NDArray[np.bool_]:
        """When bright light is looked for (n, `STEPS`)."""
        return _during(self.seek_at, self.seek_for)

    def avoids(self) -> NDArray[np.bool_]:
        """When dark glasses are worn (n, `STEPS`)."""
        return _during(self.avoid_at, self.avoid_for)


def _during(begin: Array, lasts: Array) -> NDArray[np.bool_]:
    now = hours()
    there: NDArray[np.bool_] = (now >= begin[:, None]) & (now < (begin + lasts)[:, None])
    assert there.shape[1] == STEPS
    return there
