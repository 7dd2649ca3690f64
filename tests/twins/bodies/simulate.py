"""Runs of the kernel over a day or two, and inputs that make them eventful."""

import numpy as np
from numpy.typing import NDArray

from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, Cohort


def neutral(n: int, minutes: int = 1) -> NDArray:
    return np.tile(NEUTRAL_DRIVE, (n, minutes, 1))


def run(
    cohort: Cohort,
    plate_g: NDArray,
    basal_u_per_h: NDArray,
    bolus_u: NDArray | None = None,
    drive: NDArray | None = None,
    call_min: int = 5,
    state: NDArray | None = None,
) -> NDArray:
    """Plasma glucose (n, minutes) from the basal state, in calls of `call_min` minutes.

    plate_g, basal_u_per_h and bolus_u are (n, minutes); basal is read at the start of each call, boluses
    are summed over it. drive (n, minutes, 4). A given `state` is advanced in place.
    """
    model, (n, minutes) = cohort.model, plate_g.shape
    coefficients = model.prepare(cohort.parameters)
    state = model.basal_state(cohort.parameters) if state is None else state
    bolus_u = np.zeros_like(plate_g) if bolus_u is None else bolus_u
    glucose = [
        model.advance(
            state,
            coefficients,
            basal_u_per_h[:, at].copy(),
            bolus_u[:, at : at + call_min].sum(axis=1),
            plate_g[:, at : at + call_min].copy(),
            neutral(n) if drive is None else drive[:, at : at + call_min].copy(),
            call_min,
        )
        for at in range(0, minutes, call_min)
    ]
    return np.concatenate(glucose, axis=1)


def insulin_u_per_min(basal_u_per_h: NDArray, bolus_u: NDArray, call_min: int = 5) -> NDArray:
    """What `run` infuses each minute: a bolus is spread evenly over its call."""
    n, minutes = bolus_u.shape
    spread = bolus_u.reshape(n, -1, call_min).mean(axis=2).repeat(call_min, axis=1)
    held: NDArray = basal_u_per_h[:, ::call_min].repeat(call_min, axis=1) / 60
    return held + spread


def eventful(cohort: Cohort, days: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Meals (also on a full stomach), basal of 0 to 1.8 times the scheduled rate, boluses of 0.3 to 1.3 of
    the rule: plate_g, basal_u_per_h, bolus_u, each (n, minutes)."""
    generator = np.random.default_rng(seed)
    n, minutes = len(cohort), 1440 * days
    plate, bolus = np.zeros((n, minutes)), np.zeros((n, minutes))
    size = np.minimum(cohort.weight_kg / 70, 1)
    for day in range(days):
        for at in (430, 700, 940, 1100, 1290):
            minute = 1440 * day + at
            plate[:, minute] = np.round(generator.uniform(5, 90, n) * size)
            dose = plate[:, minute] / cohort.therapy[:, CARB_RATIO_G_PER_U]
            bolus[:, minute] = dose * generator.uniform(0.3, 1.3, n)
    factor = generator.uniform(0, 1.8, (n, minutes // 60)).repeat(60, axis=1)
    factor[:, 180:300] = 0.0  # a suspension
    return plate, cohort.therapy[:, BASAL_U_PER_H, None] * factor, bolus


def changing_drive(n: int, minutes: int, seed: int) -> NDArray:
    """Drives that change every half hour, (n, minutes, 4)."""
    generator = np.random.default_rng(seed)
    low, high = np.array([0.5, 0.5, 0.0, 0.0]), np.array([2.5, 1.5, 0.02, 2.0])
    return generator.uniform(low, high, (n, minutes // 30, 4)).repeat(30, axis=1)
