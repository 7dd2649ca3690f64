"""Policies of the task "sleep": trained with Forger's clock, chosen on validation bodies with the same clock."""

from pathlib import Path

from agents.frozen import FrozenPolicy
from agents.sleepers import SLEEPERS, Learned
from experiments.daily import seats
from experiments.learn import LearnConfig, learn
from experiments.nights.judge import REFERENCE, setting
from experiments.nights.live import live
from experiments.nights.shown import shown
from experiments.records.tables import Table
from twins.bodies.circadian import FORGER

ID = "Homeostat/Sleep-v0"
LANES, STEPS, LOOK_EVERY, MOST_S = 512, 20_000_000, 430_080, 850.0
"""A look is after forty times three weeks of each lane; the clock ends a training before its steps do."""
LOOKED_AT = 300
"""Validation bodies, the same at every look."""


def train(seed: int, folder: str | Path, steps: int = STEPS, max_wall_s: float = MOST_S) -> Table:
    """Train a policy into a folder; returns its looks, see `experiments.learn.learn`."""
    where = setting(FORGER, split="validation")
    rows, keys = seats(LOOKED_AT, where)

    def score(policy: FrozenPolicy) -> float:
        return float(live(Learned(policy), where, rows, keys).objective.mean())

    config = LearnConfig.tested(
        ID, "sleep", seed=seed, lanes=LANES, n_timesteps=steps, look_every=LOOK_EVERY, max_wall_s=max_wall_s
    )

    return learn(
        config, {"cohort": where.cohort}, score, folder, {"model": FORGER, "began_as": REFERENCE},
        lambda: shown(SLEEPERS[REFERENCE](), setting(FORGER, split="train", seed=seed), seed),
    )  # fmt: skip
