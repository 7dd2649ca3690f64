"""What an agent may know of a season: loads done, what a watch shows in the morning, a weekly time trial."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.view import Visible

HISTORY_DAYS = 28


@dataclass
class SeasonView(Visible):
    """The visible past of n persons on the morning of `day` (0, 1, ...). Arrays are the core's own: read them.

    loads, minutes, hard, skipped, lost (n, 28): of the days before, newest last; hard: 1 where a session was vigorous;
    skipped: 1 where one was planned and not done; lost: 1 where none could be done. acute, chronic (n,): weighted
    means of the loads. resting_bpm, hrv_ln_ms (n,): this morning's; mean_*: weighted means of the mornings of about a
    week; usual_*: before the season. trial (n,): the last time trial [points], its age in days, the one before it, the
    first one. planned, planned_evening, skipped_of, skipped_evening (n,): sessions that were planned on days without
    injury since the season began, those in the evening, those of both that were not done. injured (n,): cannot train.
    target_load (n,): prescribed for the season, less what days lost would have held; done_load (n,).
    """

    ids: tuple[str, ...]
    days: int
    day: NDArray[np.int64]
    loads: NDArray[np.float64]
    minutes: NDArray[np.float64]
    hard: NDArray[np.float64]
    skipped: NDArray[np.float64]
    lost: NDArray[np.float64]
    acute: NDArray[np.float64]
    chronic: NDArray[np.float64]
    resting_bpm: NDArray[np.float64]
    hrv_ln_ms: NDArray[np.float64]
    mean_bpm: NDArray[np.float64]
    mean_hrv_ln_ms: NDArray[np.float64]
    usual_bpm: NDArray[np.float64]
    usual_hrv_ln_ms: NDArray[np.float64]
    trial: NDArray[np.float64]
    trial_age_days: NDArray[np.float64]
    trial_before: NDArray[np.float64]
    first_trial: NDArray[np.float64]
    planned: NDArray[np.float64]
    planned_evening: NDArray[np.float64]
    skipped_of: NDArray[np.float64]
    skipped_evening: NDArray[np.float64]
    injured: NDArray[np.float64]
    target_load: NDArray[np.float64]
    done_load: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.day)
