"""Whether a person does what was planned: habit, burden, fatigue, and the time of day that suits them.

Form and weights are assumed, but for the pace of habit: 95 % of it after 66 repetitions (Lally et al., Eur J Soc
Psychol 40 (2010) 998), and a day without takes nothing away.
"""

import numpy as np
from numpy.typing import NDArray

from envs.season.session import Session
from twins import random
from twins.random import Stream

HABIT_PER_SESSION, HABIT_FIRST = 0.045, 0.3
WILLING, PER_HABIT, PER_HOUR, PER_FATIGUE, SUITS, PERSON_SD = 2.0, 1.5, 0.8, 0.05, 0.7, 0.5
_WILL, _EVENING = 0, 2


def draw(keys: NDArray[np.uint32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How willing persons are (n,), and whether the evening suits them (n,)."""
    stream = random.stream(keys, Stream.SESSIONS)
    willing = WILLING + PERSON_SD * random.normal(stream, 1, first=_WILL)[:, 0]
    return willing, (random.uniform(stream, 1, first=_EVENING)[:, 0] < 0.5).astype(np.int64)


def follows(
    asked: Session,
    willing: NDArray[np.float64],
    evening: NDArray[np.int64],
    habit: NDArray[np.float64],
    fatigue: NDArray[np.float64],
    usual_min: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The probability (n,) that a session is done. fatigue: load held as such; usual_min: length of the person's
    sessions before the season, for what one is used to is no burden."""
    logit = willing + PER_HABIT * habit - PER_HOUR * (asked.minutes - usual_min) / 60 - PER_FATIGUE * fatigue
    logit = logit + np.where(asked.evening == evening, SUITS, -SUITS)
    chance: NDArray[np.float64] = 1 / (1 + np.exp(-logit))
    return chance
