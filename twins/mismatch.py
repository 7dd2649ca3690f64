"""Bodies that differ from the twin that stands for them: every model of a person is wrong by some amount.

The factors are lognormal and independent, on what an identification from a person's data knows least: how insulin acts
and is absorbed, how food empties and is absorbed. The basal steady state stays, since it is what a therapy is set by.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.glucose import COLUMN
from twins.cohort import Cohort
from twins.random import Stream

UNCERTAIN = ("Vmx", "kp3", "kp2", "p2u", "ki", "ka1", "ka2", "kd", "kabs", "kmax", "kmin", "f")
_COLUMNS = [COLUMN[name] for name in UNCERTAIN]


def vary(
    parameters: NDArray[np.float64], sd: float, keys: NDArray[np.uint32], first: int = 0
) -> NDArray[np.float64]:
    """Parameters (n, P) times lognormal factors of standard deviation `sd` (0.2: about 20 %), basal state unchanged.

    keys (n, 6): what the draws hang on; first: number of the draw, so that one key gives many bodies.
    Raises ValueError unless 0 <= sd < 1.
    """
    if not 0 <= sd < 1:
        raise ValueError(f"sd of the mismatch is {sd!r}; allowed is 0 up to below 1, such as 0.2 for 20 %")
    out = np.array(parameters, np.float64)
    z = random.normal(random.stream(keys, Stream.MISMATCH), len(UNCERTAIN), first=first * len(UNCERTAIN))
    out[:, _COLUMNS] *= np.exp(sd * z)
    p = {name: out[:, column] for name, column in COLUMN.items()}
    out[:, COLUMN["f"]] = np.minimum(p["f"], 1.0)
    out[:, COLUMN["kmin"]] = np.minimum(p["kmin"], p["kmax"])
    out[:, COLUMN["kp1"]] = p["EGPb"] + p["kp2"] * p["Gb"] * p["Vg"] + p["kp3"] * p["Ib"]
    return out


def mismatched(cohort: Cohort, sd: float, split: str, seed: int) -> Cohort:
    """The same people, by ids and therapy, in bodies that differ from their twins by `sd`: see `vary`."""
    if sd == 0:
        return cohort
    keys = random.keys(split, seed, cohort.numbers, 0, 0)
    return replace(cohort, parameters=vary(cohort.parameters, sd, keys))


def members(cohort: Cohort, count: int, sd: float, seed: int = 0) -> NDArray[np.float64]:
    """An ensemble (n, count, P) around each person's twin: the twin itself first, then draws of `vary`.

    The draws are of the split "train": a body of a test that is drawn by the same law is never a member.
    """
    keys = random.keys("train", seed, cohort.numbers, 0, 0)
    others = [vary(cohort.parameters, sd, keys, first=1 + member) for member in range(count - 1)]
    return np.stack([cohort.parameters, *others], axis=1)
