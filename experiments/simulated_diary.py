"""The diary that comes with the project, for demonstrations and tests without a real person's data.

One drawn virtual adult lives on basal-bolus therapy with realistic habits: carbs are miscounted, some meals
go unannounced, insulin sensitivity varies, lows are treated. As in a real diary the carbs are those that the
person logged; what was eaten and not logged shows in the glucose only.
"""

from datetime import datetime

import numpy as np

from agents.basal_bolus import BasalBolus
from experiments.protocol import load_protocol
from experiments.simulate import simulate
from twins import cohort
from twins.cohort import Cohort
from twins.draw import draw
from twins.world.diary import Diary

DAYS = 14
COHORT_SEED, DAYS_SEED = 7, 0
LIFE = {
    "scenario": "simglucose-weight",
    "behaviour": "realistic",
    "announce": "behaviour",
    "sensor": "GuardianRT",
    "sample_min": 5,
    "split": "train",
    "seed": DAYS_SEED,
}
"""Of the protocol that tells how this person lives: their bias in counting carbs hangs on split and seed."""
START = datetime(2024, 1, 1)
COMMENT = "simulated: a virtual adult, no real person; made by python -m scripts.simulate_diary"


def body(cohort_seed: int = COHORT_SEED) -> Cohort:
    """The virtual adult whose diary it is."""
    return draw(cohort.load("adult"), 1, cohort_seed)


def simulated_diary(days: int = DAYS, cohort_seed: int = COHORT_SEED, days_seed: int = DAYS_SEED) -> Diary:
    """The diary of the first adult drawn with `cohort_seed`, on the days of `days_seed`; always the same."""
    person = body(cohort_seed)
    world = {**LIFE, "people": person.ids, "days": float(days), "replicas": 1, "seed": days_seed}
    protocol = load_protocol("simglucose-default").model_copy(update=world)
    lived = simulate(BasalBolus(), protocol, "off", person).columns
    # A reading stands at the end of its interval, insulin and carbs at the beginning; the diary's step k is
    # minute 5 k, so readings move one step on and the last one falls out.
    glucose = np.concatenate([[np.nan], lived["cgm_mg_dl"][0, :-1]])
    return Diary(
        "simulated adult",
        START,
        np.round(glucose),
        np.round(lived["announced_g"][0]),
        np.round(lived["bolus_u"][0], 2),
        np.round(lived["basal_u_per_h"][0], 3),
    )
