"""Whether a record can tell what insulin and carbs do to its person. One that cannot still serves to forecast.

Thresholds were set on the 17 people of AZT1D in hand: between those whose totals are implausible or who log no food,
and the rest (the nearest kept and refused: 92 and 104 U a day, 2.0 and 0.5 entries, 40 and 22 g).
"""

from dataclasses import dataclass

import numpy as np

from twins.inference.record import Record
from twins.world.diary import SLOWEST_SENSOR_MIN, STEP_MIN, STEPS_PER_DAY

LEAST_INSULIN_U_PER_KG_DAY, MOST_INSULIN_U_PER_KG_DAY = 0.1, 1.3
LEAST_MEALS_PER_DAY = 1.5
LEAST_CARBS_G_PER_DAY = 30.0
LEAST_READ = 0.9
MOST_BASAL_UNKNOWN = 0.2


@dataclass(frozen=True)
class Quality:
    """Figures of the days that a twin is fitted on, per day where they are amounts, and why they do not suffice."""

    days: float
    insulin_u: float
    meals: float
    carbs_g: float
    glucose_read: float
    """Share of the quarters of an hour with a reading."""
    basal_unknown: float
    reasons: tuple[str, ...]


def quality(record: Record, part: slice) -> Quality:
    """The quality of the steps `part` of a record."""
    days = (part.stop - part.start) / STEPS_PER_DAY
    insulin = float(record.delivered_u[part].sum() / days)
    meals, carbs = float((record.carbs_g[part] > 0).sum() / days), float(record.carbs_g[part].sum() / days)
    width = SLOWEST_SENSOR_MIN // STEP_MIN
    read = np.isfinite(record.glucose_mg_dl[part])
    covered = float(read[: len(read) // width * width].reshape(-1, width).any(axis=1).mean())
    unknown = float((~record.basal_known[part]).mean())
    least, most = LEAST_INSULIN_U_PER_KG_DAY * record.weight_kg, MOST_INSULIN_U_PER_KG_DAY * record.weight_kg
    checks = (
        (not least <= insulin <= most,
         f"{insulin:.0f} U of insulin a day; believable are {least:.0f} to {most:.0f} at {record.weight_kg:g} kg"),
        (meals < LEAST_MEALS_PER_DAY, f"{meals:.1f} entries of carbs a day; needed are {LEAST_MEALS_PER_DAY:g}"),
        (carbs < LEAST_CARBS_G_PER_DAY, f"{carbs:.0f} g of carbs a day; needed are {LEAST_CARBS_G_PER_DAY:g}"),
        (covered < LEAST_READ, f"{covered:.0%} of the time has readings; needed are {LEAST_READ:.0%}"),
        (unknown > MOST_BASAL_UNKNOWN,
         f"basal is unknown {unknown:.0%} of the time; allowed is {MOST_BASAL_UNKNOWN:.0%}"),
    )  # fmt: skip
    return Quality(
        days, insulin, meals, carbs, covered, unknown, tuple(words for wrong, words in checks if wrong)
    )
