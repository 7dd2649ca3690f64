"""Everybody's recording, and how its days are shared out: to learn from, to choose and calibrate by, to judge on.

In time, person by person: the last fifth is the test, the last eighth of what is before it is held out. What is learned
or scored in a part is also read in that part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import Seen, see
from agents.forecast.learn import Examples
from agents.forecast.targets import STEPS, ahead
from twins.inference.record import Record, record
from twins.world import readers
from twins.world.diary import STEPS_PER_DAY, Diary, DiaryError

TEST, HOLD = 0.2, 0.125
LEAST_DAYS = 5


@dataclass(frozen=True, eq=False)
class Person:
    """One person's record with its features, and the steps of the three parts."""

    who: str
    record: Record
    seen: Seen
    train: slice
    hold: slice
    test: slice

    def starts(self, part: slice) -> NDArray[np.int64]:
        """Steps of a part from which an hour's forecast stays within it."""
        steps = np.arange(part.start, part.stop - STEPS)
        return np.asarray(steps[self.seen.allowed[steps]], np.int64)

    def examples(self, part: slice) -> Examples:
        """The windows of a part, with nothing read beyond it."""
        starts = self.starts(part)
        return Examples(self.seen, starts, ahead(self.record, starts, part.stop))


def whole(diary: Diary) -> Record:
    """The record from the first reading to the last. Where basal insulin is not known, `basal_known` says so.

    `twins.inference.record` begins at the first known basal rate; a forecaster can learn from the days before it, too.
    """
    known = np.isfinite(diary.basal_u_per_h)
    usual = float(np.median(diary.basal_u_per_h[known])) if known.any() else 0.0
    held = record(replace(diary, basal_u_per_h=np.where(known, diary.basal_u_per_h, usual)))
    first, last = np.flatnonzero(np.isfinite(diary.glucose_mg_dl))[[0, -1]]
    return replace(held, basal_known=known).take(slice(first, last + 1))


def person(held: Record) -> Person:
    """A record with its parts. Raises DiaryError for less than `LEAST_DAYS` days."""
    n = len(held)
    if n < LEAST_DAYS * STEPS_PER_DAY:
        raise DiaryError(
            f"{held.who}: {n / STEPS_PER_DAY:.1f} days are recorded; needed are {LEAST_DAYS}, so give a longer record"
        )
    test = round((1 - TEST) * n)
    hold = round((1 - HOLD) * test)
    return Person(held.who, held, see(held), slice(0, hold), slice(hold, test), slice(test, n))


def everybody(
    folder: str | Path, format: str | None = None, wanted: Sequence[str] = ()
) -> tuple[list[Person], dict[str, str]]:
    """The people of a data set's folder, or of a single file, and the reasons why others are left out, by person.

    wanted: ids; all when empty. Raises DiaryError for a folder that is no data set, and when nobody is left.
    """
    folder = Path(folder)
    known = readers.people(folder) if folder.is_dir() else ("",)
    if unknown := [one for one in wanted if one not in known]:
        raise DiaryError(f"{folder} has no {', '.join(unknown)}; known are {', '.join(known)}")
    found, without = [], {}
    for one in wanted or known:
        try:
            found.append(person(whole(readers.read(folder, format, one or None))))
        except DiaryError as error:
            without[one] = str(error)
    if not found:
        raise DiaryError(f"nobody in {folder} can be used: {'; '.join(without.values())}")
    return found, without
