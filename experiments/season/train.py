"""Policies of the task "plan": trained on Banister's bodies, chosen on validation bodies of the same model."""

from pathlib import Path

from agents.frozen import FrozenPolicy
from agents.seasons import SEASON_AGENTS, Learned
from experiments.daily import seats
from experiments.learn import LearnConfig, learn
from experiments.records.tables import Table
from experiments.season.judge import setting
from experiments.season.live import live
from experiments.season.shown import shown
from twins.bodies.fitness import BANISTER

ID = "Homeostat/Exercise-v0"
BEGINS_AS = "population-optimal-hours"
"""The plan that a policy is shown before it learns by itself."""
LANES, STEPS, LOOK_EVERY, MOST_S = 512, 20_000_000, 430_080, 270.0
"""A look is after ten seasons of each lane; the clock ends a training before its steps do."""
LOOKED_AT = 800
"""Validation bodies, the same at every look."""


def train(seed: int, folder: str | Path, steps: int = STEPS, max_wall_s: float = MOST_S) -> Table:
    """Train a policy into a folder; returns its looks, see `experiments.learn.learn`."""
    where = setting(BANISTER, split="validation")
    rows, keys = seats(LOOKED_AT, where)

    def score(policy: FrozenPolicy) -> float:
        return float(live(Learned(policy), where, rows, keys).objective.mean())

    config = LearnConfig.tested(
        ID, "plan", seed=seed, lanes=LANES, n_timesteps=steps, look_every=LOOK_EVERY, max_wall_s=max_wall_s
    )
    keywords = {"cohort": where.cohort, "model": BANISTER, "foreseen": True}

    return learn(
        config, keywords, score, folder, {"model": BANISTER, "began_as": BEGINS_AS},
        lambda: shown(SEASON_AGENTS[BEGINS_AS](), setting(BANISTER, split="train", seed=seed), seed),
    )  # fmt: skip
