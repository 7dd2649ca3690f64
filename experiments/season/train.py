"""Policies of the task "plan": trained on Banister's bodies, chosen on validation bodies of the same model."""

from pathlib import Path

from agents.frozen import FrozenPolicy
from agents.seasons import Learned
from experiments.learn import LearnConfig, learn
from experiments.records.tables import Table
from experiments.season.judge import setting
from experiments.season.live import live, seats
from twins.bodies.fitness import BANISTER

ID, TASK = "Homeostat/Exercise-v0", "plan"
LANES, STEPS, LOOK_EVERY, MOST_S = 512, 12_000_000, 430_080, 840.0
"""Twelve million days are about 280 seasons of each lane; the clock of 14 min leaves a minute for what is around it."""
LOOKED_AT = 400
"""Validation bodies, the same at every look."""


def train(seed: int, folder: str | Path, steps: int = STEPS, max_wall_s: float = MOST_S) -> Table:
    """Train a policy into a folder; returns its looks, see `experiments.learn.learn`."""
    where = setting(BANISTER, split="validation")
    rows, keys = seats(LOOKED_AT, where)

    def score(policy: FrozenPolicy) -> float:
        return float(live(Learned(policy), where, rows, keys).objective.mean())

    config = LearnConfig.tested(
        ID, TASK, seed=seed, lanes=LANES, n_timesteps=steps, look_every=LOOK_EVERY, max_wall_s=max_wall_s
    )
    return learn(config, {"cohort": where.cohort, "model": BANISTER}, score, folder, {"model": BANISTER})
