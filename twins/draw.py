"""New virtual people, drawn around a cohort, and settings that are wrong for their person.

The logarithms of the primary parameters are drawn from a normal distribution with the cohort's mean
and its covariance shrunk towards the diagonal (ten people cannot tell 26 variances and 325
covariances); everything that follows from a steady state is derived again. A draw whose basal
insulin or steady state is not physiological is rejected and drawn anew.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.glucose import COLUMN, PARAMETERS
from twins.cohort import (
    AGE_GROUP,
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECT_ABOVE,
    CORRECT_ABOVE_MG_DL,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
    GROUPS,
    TARGET,
    TARGET_MG_DL,
    THERAPY_COLUMNS,
    Cohort,
)
from twins.random import Stream

# Constants of all 30 people, or functions of the other parameters.
_DERIVED = ("f", "ke1", "ke2", "Fsnc", "m4", "m30", "kp1", "Vm0", "u2ss")
PRIMARY = tuple(name for name in PARAMETERS if name not in _DERIVED)
HEPATIC_EXTRACTION = 0.6  # of all 30 people (column HEb)
BASAL_SHARE = 0.48  # of daily insulin, the published rule basal = 0.48 TDI
BASAL_RANGE_U_PER_KG_DAY = (0.08, 1.0)
MAX_TRIES = 200
DRAWN = "~"
"""The sign in an id by which a drawn person is known."""


def draw(
    cohort: Cohort,
    count: int,
    seed: int = 0,
    spread: float = 1.0,
    shrinkage: float = 0.5,
    split: str = "train",
) -> Cohort:
    """`count` new people drawn around `cohort`, whose members must be of one age group.

    spread multiplies the standard deviations (1 = as in the cohort); shrinkage in [0, 1] is the
    weight of the diagonal. Ids are like "adult~7#001" (group, seed, number), or "adult~test7#001" where the
    split is not train; people of different splits are never the same. Therapy by rule: basal of
    the own equilibrium, TDI = basal / 0.48, CR 500 / TDI, CF 1800 / TDI. Raises ValueError when the
    cohort has under 3 people, mixes groups, or no physiological person was found.
    """
    groups = np.unique(cohort.therapy[:, AGE_GROUP])
    if len(cohort) < 3 or len(groups) > 1:
        raise ValueError(
            f"draw() got {len(cohort)} people of {len(groups)} age groups; it needs at least 3 of one group, "
            "such as cohort.load('adult')"
        )
    if count < 1 or spread < 0 or not 0 <= shrinkage <= 1:
        raise ValueError(
            f"count {count}, spread {spread}, shrinkage {shrinkage}; needed: >= 1, >= 0, within 0 ... 1"
        )
    group = GROUPS[int(groups[0])]
    logs = np.log(cohort.parameters[:, [COLUMN[name] for name in PRIMARY]])
    covariance = np.cov(logs, rowvar=False)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance)
    # The symmetric root: the signs of eigenvectors, which differ between machines, cancel in it.
    root = spread * (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T

    prefix = "" if split == "train" else split
    ids = tuple(f"{group}{DRAWN}{prefix}{seed}#{number:03d}" for number in range(1, count + 1))
    rows = []
    for person in ids:
        key = random.stream(random.keys(split, seed, random.person_number(person), 0, 0), Stream.COHORT)
        for attempt in range(MAX_TRIES):
            z = random.normal(key, len(PRIMARY), first=2 * attempt * len(PRIMARY))[0]
            row = _complete(np.exp(logs.mean(axis=0) + root @ z))
            if _physiological(row):
                rows.append(row)
                break
        else:
            raise ValueError(
                f"no physiological person in {MAX_TRIES} draws for {person}; "
                f"use a smaller spread than {spread}"
            )
    parameters = np.array(rows)
    therapy = np.empty((count, THERAPY_COLUMNS))
    therapy[:, BASAL_U_PER_H] = cohort.model.basal_u_per_h(parameters)
    therapy[:, DAILY_INSULIN_U] = therapy[:, BASAL_U_PER_H] * 24 / BASAL_SHARE
    therapy[:, CARB_RATIO_G_PER_U] = 500 / therapy[:, DAILY_INSULIN_U]
    therapy[:, CORRECTION_FACTOR_MG_DL_PER_U] = 1800 / therapy[:, DAILY_INSULIN_U]
    therapy[:, TARGET_MG_DL], therapy[:, CORRECT_ABOVE_MG_DL] = TARGET, CORRECT_ABOVE
    therapy[:, AGE_GROUP] = GROUPS.index(group)
    return Cohort(cohort.model, ids, parameters, therapy, parameters[:, COLUMN["BW"]].copy())


MISTAKEN = (BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U)


def mistaken_therapy(cohort: Cohort, width: float, split: str, seed: int) -> Cohort:
    """The same bodies under settings that are off by up to `width` (0.2: 20 %) either way.

    Basal rate, carb ratio and correction factor are each multiplied by a factor of their own, uniform in
    1 - width ... 1 + width, which hangs on split, seed and person. Daily insulin, which a pump counts, stays.
    Raises ValueError unless 0 <= width < 1.
    """
    if not 0 <= width < 1:
        raise ValueError(f"width of the error is {width}; allowed is 0 up to below 1, such as 0.2")
    keys = random.stream(random.keys(split, seed, cohort.numbers, 0, 0), Stream.THERAPY)
    therapy = cohort.therapy.copy()
    therapy[:, MISTAKEN] *= 1 + width * (2 * random.uniform(keys, len(MISTAKEN)) - 1)
    return replace(cohort, therapy=therapy)


def _complete(primary: NDArray[np.float64]) -> NDArray[np.float64]:
    """All parameters (P,) from the primary ones: the relations that hold in simglucose's table."""
    p = dict(zip(PRIMARY, primary, strict=True))
    p |= {"f": 0.9, "ke1": 0.0005, "ke2": 339.0, "Fsnc": 1.0}
    p["m4"] = 0.4 * p["m2"]
    p["m30"] = p["m1"] * HEPATIC_EXTRACTION / (1 - HEPATIC_EXTRACTION)
    plasma, tissue = p["Gb"] * p["Vg"], _tissue(p)
    p["Vm0"] = (p["EGPb"] - p["Fsnc"]) * (p["Km0"] + tissue) / tissue
    p["kp1"] = p["EGPb"] + p["kp2"] * plasma + p["kp3"] * p["Ib"]
    insulin = p["Ib"] * p["Vi"]
    p["u2ss"] = (p["m2"] + p["m4"]) * insulin - p["m1"] * p["m2"] * insulin / (p["m1"] + p["m30"])
    return np.array([p[name] for name in PARAMETERS])


def _tissue(p: dict[str, float]) -> float:
    return (p["Fsnc"] - p["EGPb"] + p["k1"] * p["Gb"] * p["Vg"]) / p["k2"]


def _physiological(row: NDArray[np.float64]) -> bool:
    p = dict(zip(PARAMETERS, row, strict=True))
    daily_basal_u_per_kg = p["u2ss"] * 1440 / 6000
    return bool(
        np.isfinite(row).all()
        and _tissue(p) > 0
        and p["Vm0"] > 0
        and 0 < p["d"] < p["b"] < 1
        and p["kmin"] < p["kmax"]
        and 90 <= p["Gb"] <= 200
        and BASAL_RANGE_U_PER_KG_DAY[0] <= daily_basal_u_per_kg <= BASAL_RANGE_U_PER_KG_DAY[1]
    )
