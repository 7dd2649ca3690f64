"""The faults of one core, each put to work at its place in the loop."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.faults.announcements import misheard, shift_clock
from envs.faults.body import mistaken, strain
from envs.faults.pump import misdeliver
from envs.faults.schedule import DRAWS_PER_FAULT, FAULT_COLUMNS, Fault, Stage
from envs.faults.sensor import disturb
from envs.view import MINUTE_OF_DAY
from twins.kernels import kernel

_REPEATED = 1_000_000_000
"""Draws of faults of a kind that was there before begin here, by their place."""
MOST_FAULTS = 80
MEMORY = 2


class Faults:
    """Some faults of the world as the kernels take them. Arrays have one row per lane; keys are of `Stream.FAULTS`.

    faults: those of `checked`. table (F, 11): the rows, in the order given, which is that in which faults of
    one stage act. memory (n, F, 2) belongs to the core and is zero at the start of an episode.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        seen: set[int] = set()
        self.table = np.empty((len(self.faults), FAULT_COLUMNS))
        for place, fault in enumerate(self.faults):
            again = fault.kind in seen
            self.table[place] = fault.row(_REPEATED + place * DRAWS_PER_FAULT if again else fault.draws)
            seen.add(fault.kind)
        self._rows = {
            stage: np.array([k for k, fault in enumerate(self.faults) if fault.stage == stage], np.int64)
            for stage in Stage
        }

    def therapy(self, therapy: NDArray[np.float64]) -> NDArray[np.float64]:
        """The settings (n, 7) that pump, shield and agent go by."""
        return mistaken(self.faults, therapy) if len(self._rows[Stage.SETTINGS]) else therapy

    def announce(
        self,
        keys: NDArray[np.uint32],
        tell_minute: NDArray[np.float64],
        tell_g: NDArray[np.float64],
        weight_kg: NDArray[np.float64],
        days: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is told of an episode's meals, minutes (n, K) and grams (n, K)."""
        rows = [(self.faults[k], self.table[k]) for k in self._rows[Stage.ANNOUNCEMENTS]]
        return misheard(rows, keys, tell_minute, tell_g, weight_kg, days) if rows else (tell_minute, tell_g)

    def deliver(
        self,
        keys: NDArray[np.uint32],
        minute: NDArray[np.int64],
        memory: NDArray[np.float64],
        dt: int,
        basal_u_per_h: NDArray[np.float64],
        bolus_u: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the body gets (n,), (n,) of the rate and bolus that the pump reports, from `minute` on for dt min."""
        if not len(rows := self._rows[Stage.PUMP]):
            return basal_u_per_h, bolus_u
        basal, bolus = basal_u_per_h.copy(), bolus_u.copy()
        misdeliver(keys, minute, self.table, rows, memory, dt, basal, bolus)
        return basal, bolus

    def sense(
        self,
        keys: NDArray[np.uint32],
        minute: NDArray[np.int64],
        memory: NDArray[np.float64],
        dt: int,
        cgm: NDArray[np.float64],
    ) -> None:
        """Change the readings cgm (n,) of `minute` in place; what is not finite is received as no reading."""
        if len(rows := self._rows[Stage.SENSOR]):
            disturb(keys, minute, self.table, rows, memory, dt, cgm)
            _receive(cgm)

    def strain(self, keys: NDArray[np.uint32], minute: NDArray[np.int64], drive: NDArray[np.float64]) -> None:
        """Change the body's drive (n, 1, 4) from `minute` on in place."""
        if len(rows := self._rows[Stage.BODY]):
            strain(keys, minute, self.table, rows, drive)

    def shift_clock(
        self,
        keys: NDArray[np.uint32],
        minute: NDArray[np.int64],
        now: NDArray[np.float64],
        lanes: NDArray[np.int64],
    ) -> None:
        """Set the clock of `lanes` (m,) in the view's `now` (n, 17); keys (m, 6) and minute (m,) are theirs."""
        if len(rows := self._rows[Stage.CLOCK]):
            clock = np.empty(len(lanes))
            shift_clock(keys, minute, self.table, rows, clock)
            now[lanes, MINUTE_OF_DAY] = clock


@kernel
def _receive(cgm):  # type: ignore[no-untyped-def]
    """A receiver takes numbers for readings, and nothing else."""
    for lane in range(len(cgm)):
        if not np.isfinite(cgm[lane]):
            cgm[lane] = np.nan
