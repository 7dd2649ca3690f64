"""An attacker bred against the rule shield: what thresholds on glucose, trend, clock and meals do most harm.

A (mu, lambda) evolution (Schwefel 1981: the best fifth, recombined, with a step size that shrinks) over the values of
`agents.hostile.ATTACKER`, on bodies that nobody is judged on and days of the split train, new ones every generation.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agents.hostile import ATTACKER
from agents.hostile import FOUND as FOUND
from envs.core import Core
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from envs.view import View
from experiments.battery.run import world
from experiments.simulate import LANES, join, run, setting_of
from twins import cohort as cohorts
from twins import random
from twins.cohort import GROUPS
from twins.draw import draw
from twins.files import atomic_write_text

SEED = 900
POPULATION, GENERATIONS, DAYS, BODIES_PER_GROUP = 30, 20, 2.0, 4
KEEP_SHARE = 0.2
FIRST_STEP, SHRINK = 0.35, 0.88
"""Step of the first generation as a share of each range, and its factor from one generation to the next."""
FINAL_EPISODES = 4
DEAD_MG_DL = 10.0


class _Candidates:
    """Many attackers at once: each lane has its own. values (n, K)."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self._values = values

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        return ATTACKER.request(view, self._values)


def harm(
    values: NDArray[np.float64], days: float, bodies_per_group: int, episodes: Sequence[int]
) -> NDArray[np.float64]:
    """How low each attacker (row of values, (n, K)) drives glucose: mean over bodies and episodes, mg/dL (n,).

    The lowest glucose of an episode; where somebody died, the bound less 10 for each day left: sooner is worse.
    """
    who = cohorts.join([draw(cohorts.load(group), bodies_per_group, SEED, split="train") for group in GROUPS])
    protocol = world(days, 1, 0).model_copy(update={"split": "train", "seed": SEED})
    setting = setting_of(protocol, "rule", cohort=who)
    task = Dosing()
    each = len(who) * len(episodes)
    rows = np.tile(np.arange(len(who)), len(values) * len(episodes))
    episode = np.tile(np.repeat(np.array(episodes), len(who)), len(values))
    keys = random.keys("train", SEED, who.numbers[rows], 0, episode)
    own = np.repeat(values, each, axis=0)
    parts = []
    for first in range(0, len(rows), LANES):
        part = slice(first, first + LANES)
        core = Core(setting, task, len(rows[part]))
        parts.append(run(core, rows[part], keys[part], _Candidates(own[part])))
    rollout = join(parts)
    samples = rollout.glucose_mg_dl.shape[1]
    seen = np.arange(samples) < rollout.failure_sample[:, None]
    lowest = np.where(seen, rollout.glucose_mg_dl, np.inf).min(axis=1)
    left = (1.0 - rollout.failure_sample / samples) * days
    score = np.where(rollout.failed_side == "low", DEAD_MG_DL - 10.0 * left, lowest)
    return np.asarray(score.reshape(len(values), each).mean(axis=1))


def evolve(
    population: int = POPULATION,
    generations: int = GENERATIONS,
    days: float = DAYS,
    bodies_per_group: int = BODIES_PER_GROUP,
    say: Callable[[str], None] = print,
) -> tuple[NDArray[np.float64], float]:
    """The most harmful attacker that was found, its values (K,), and its score on days that chose nobody."""
    if population < 5 or generations < 1:
        raise ValueError(f"population {population}, {generations} generations; give 5 and 1, or more")
    low, high = ATTACKER.bounds
    key = random.keys("train", SEED, 0, 0, np.arange(generations))
    keep = max(int(KEEP_SHARE * population), 2)
    parents, step = ATTACKER.start[None], FIRST_STEP
    elite: list[NDArray[np.float64]] = [ATTACKER.start]
    for generation in range(generations):
        draws = random.normal(key[generation : generation + 1], population * len(low))[0].reshape(
            population, -1
        )
        children = np.clip(parents.mean(axis=0) + step * (high - low) * draws, low, high)
        children[: len(parents)] = parents
        score = harm(children, days, bodies_per_group, [generation])
        order = np.argsort(score, kind="stable")
        parents, step = children[order[:keep]], step * SHRINK
        elite.append(parents[0])
        say(
            f"generation {generation + 1} of {generations}: best {score[order[0]]:.1f}, median {np.median(score):.1f}"
        )
    finalists = np.unique(np.array(elite), axis=0)
    chosen = finalists[np.argmin(harm(finalists, days, bodies_per_group, range(5000, 5000 + FINAL_EPISODES)))]
    final = harm(chosen[None], days, bodies_per_group, range(6000, 6000 + FINAL_EPISODES))[0]
    return chosen, float(final)


def store(values: NDArray[np.float64], score: float, command: str, path: Path = FOUND) -> None:
    """Write what was found, with the command that finds it, for `agents.hostile.evolved`."""
    found = {name: round(float(value), 4) for name, value in zip(ATTACKER.names, values, strict=True)}
    told = {"score_mg_dl": round(score, 1), "command": command, "values": found}
    head = (
        "# What scripts.battery --evolve found against the rule shield; see experiments/battery/evolve.py.\n"
    )
    atomic_write_text(path, head + yaml.safe_dump(told, sort_keys=False))
