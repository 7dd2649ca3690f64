"""What exercise does to glucose: the drive of a body's equations while muscles work, and for two days after.

What drives it is the share of the heart-rate reserve in use (HR - rest) / (maximum - rest), about the share of the
VO2 reserve. Four states follow it:

- drive: the working muscle, minutes behind the heart. It takes up glucose without insulin, lets insulin act several
  times as much, and the liver answers it in part (form: Breton, Diabetes Technol Ther 10 (2008) 19; that uptake
  outruns the liver: Nguyen et al., meta-analysis 2021).
- surge: catecholamines above a threshold of intensity; liver output rises until after the bout (form: threshold as in
  the model of Hovorka extended by mGIPsim, Rashid et al., Processes 7 (2019) 400).
- early and late: intensity-minutes, held for hours and for a day. Muscle that refills its glycogen lets insulin act
  more: during the first hours, and overnight (McMahon et al., J Clin Endocrinol Metab 92 (2007) 963).

Medians were fitted to published trials by `scripts.physiology --fit`; what was fitted, what was not used and how well
both come out is in `results/physiology`. Spreads between people are assumed, as is the spread between sessions.
"""

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.model import LIVER_OUTPUT, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.kernels import kernel
from twins.random import Stream

STATES = ("exercise_drive", "exercise_surge", "exercise_early_min", "exercise_late_min")
DRIVE, SURGE, EARLY, LATE = range(len(STATES))

PARAMETERS = (
    "exercise_uptake_per_min", "exercise_action", "exercise_action_early_per_min", "exercise_action_late_per_min",
    "exercise_liver", "exercise_surge_liver", "exercise_threshold", "liver_output_mg_kg_min",
)  # fmt: skip
"""uptake: fraction of the tissue's glucose per minute at full drive; action: insulin's action on uptake rises by this
factor at full drive, and by the next two per intensity-minute held; liver, surge_liver: its output rises by so many
times its basal output at full drive and surge; threshold: share of reserve above which catecholamines surge."""
UPTAKE_PER_MIN, ACTION, ACTION_EARLY, ACTION_LATE, LIVER, SURGE_LIVER, THRESHOLD, LIVER_BASAL = range(
    len(PARAMETERS)
)

MEDIANS = np.array([0.0184, 2.55, 0.00625, 0.0130, 0.579, 5.28, 0.799])
LOG_SD = np.array([0.5, 0.4, 0.5, 0.5, 0.3, 0.4, 0.06])
"""Between people, of the logarithms; assumed."""
SESSION_LOG_SD = 0.35
"""Between sessions of a person, of what muscle does (`gain`); assumed: free-living changes spread by 39 mg/dL around a
mean of 18 (T1DEXI, Diabetes Care 46 (2023) 704), which people alone do not give."""

DRIVE_MIN, SURGE_UP_MIN, SURGE_DOWN_MIN, EARLY_MIN, LATE_MIN = 5.0, 10.0, 40.0, 180.0, 1200.0
"""Time constants; those of drive as in Breton 2008, the others assumed."""
_KEPT_DRIVE, _KEPT_UP, _KEPT_DOWN = (
    float(np.exp(-1.0 / tau)) for tau in (DRIVE_MIN, SURGE_UP_MIN, SURGE_DOWN_MIN)
)
"""Of these a minute leaves so much; early and late are slow enough for a step of a minute."""
HALF_WORK = 0.3
"""What muscle does levels off with intensity, y (1 + c) / (y + c) with this c: its uptake over a bout was 12.4 at
moderate and 13.1 at high intensity (AUC, mmol/L; Nguyen et al. 2021), of bouts of unlike length, so the value is
assumed between that and a straight line."""
MOST_HELD = 0.6
"""Insulin's action rises by no more than this by what is held of earlier bouts, however many: about what divides
trained from untrained people (assumed). Without it a busy week would add up without end."""


def draw(
    people: NDArray[np.uint32],
    liver_output_mg_kg_min: NDArray[np.float64],
    spread: float = 1.0,
    medians: NDArray[np.float64] = MEDIANS,
) -> NDArray[np.float64]:
    """Parameters (n, P) of people by their numbers (`random.person_number`), each hanging on the number alone.

    liver_output_mg_kg_min (n,): basal, which the liver's answer is relative to. spread multiplies the standard
    deviations; 0 gives everybody the medians (7,). Raises ValueError when it is negative.
    """
    if not spread >= 0:
        raise ValueError(f"spread is {spread!r}; allowed is 0 (all alike) and more, 1 as between people")
    keys = random.stream(random.keys("train", 0, people, 0, 0), Stream.EXERCISE)
    out = np.empty((len(people), len(PARAMETERS)))
    out[:, :LIVER_BASAL] = medians * np.exp(spread * LOG_SD * random.normal(keys, len(medians)))
    out[:, THRESHOLD] = np.minimum(out[:, THRESHOLD], 0.95)
    out[:, LIVER_BASAL] = liver_output_mg_kg_min
    return out


@kernel
def work(state, parameters, reserve, gain, given, drive):  # type: ignore[no-untyped-def]
    """Follow the heart-rate reserve in use for some minutes; what it does goes into the body's drive.

    state (n, 4) is advanced in place; parameters (n, P); reserve (n, 1 or M) from 0 to 1; gain (n,) of the session, 1
    on average; given (n, 1 or M, 4 or more): drive without exercise, columns of `twins.bodies.model`; drive (n, M, 4)
    is filled. At rest, and rested, it is what was given, bit for bit.
    """
    for lane in range(len(state)):
        y, h, early, late = state[lane]
        p = parameters[lane]
        for minute in range(drive.shape[1]):
            at = minute if minute < given.shape[1] else 0  # else held
            for column in range(drive.shape[2]):
                drive[lane, minute, column] = given[lane, at, column]
            e = min(max(reserve[lane, minute if minute < reserve.shape[1] else 0], 0.0), 1.0)
            before = y
            y = e + (y - e) * _KEPT_DRIVE
            middle = 0.5 * (before + y)
            above = max(e - p[THRESHOLD], 0.0) / (1.0 - p[THRESHOLD])
            h = above + (h - above) * (_KEPT_UP if above > h else _KEPT_DOWN)
            late += early / EARLY_MIN - late / LATE_MIN
            early += middle - early / EARLY_MIN
            muscle = gain[lane] * middle * (1.0 + HALF_WORK) / (middle + HALF_WORK)
            held = p[ACTION_EARLY] * early + p[ACTION_LATE] * late
            held = MOST_HELD * (1.0 - np.exp(-held / MOST_HELD))
            drive[lane, minute, SENSITIVITY_PERIPHERAL] *= 1.0 + p[ACTION] * muscle + held
            drive[lane, minute, UPTAKE] += p[UPTAKE_PER_MIN] * muscle
            drive[lane, minute, LIVER_OUTPUT] += p[LIVER_BASAL] * (p[LIVER] * middle + p[SURGE_LIVER] * h)
        state[lane, DRIVE], state[lane, SURGE], state[lane, EARLY], state[lane, LATE] = y, h, early, late
