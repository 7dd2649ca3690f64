"""Records made by hand: glucose that goes up and down, with meals and boluses."""

import numpy as np

from twins.inference.record import Record
from twins.world.diary import STEPS_PER_DAY


def wave(days: int = 6, period_min: float = 170.0, seed: int = 0, middle_mg_dl: float = 120.0) -> Record:
    """Glucose swings by 60 mg/dL about the middle; every tenth reading or so is missing; meals come by chance."""
    draw = np.random.default_rng(seed)
    n = days * STEPS_PER_DAY
    glucose = (
        middle_mg_dl + 60 * np.sin(2 * np.pi * 5 * np.arange(n) / period_min + seed) + draw.normal(0, 1, n)
    )
    glucose[draw.random(n) < 0.1] = np.nan
    glucose[[0, -1]] = middle_mg_dl
    eaten = draw.random(n) < 0.01
    known = np.arange(n) >= n // 3
    return Record(
        f"wave {seed}", glucose, np.where(eaten, 40.0, 0.0), np.where(known, 0.08, 0.07), np.where(eaten, 4.0, 0.0),
        np.where(draw.random(n) < 0.01, 1.0, 0.0), 0.9, 0, known,
    )  # fmt: skip
