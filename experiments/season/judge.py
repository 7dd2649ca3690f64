"""Agents for a season of training, judged on people and bodies that nobody was tuned on."""

from collections.abc import Sequence

import numpy as np

from agents.frozen import NOTICE
from agents.seasons import SEASON_AGENTS, SeasonAgent
from envs.season import core as c
from envs.season.bounds import MOST_RATIO, Bound
from envs.season.core import SeasonCore, SeasonSetting
from envs.season.plan import WEEK_MIN, WITHIN, Plan
from experiments.records.tables import Table
from experiments.statistics import SEED
from twins import cohort, random
from twins.words import near_miss

WEEK_DAYS = 7
DRAWS = 2000


def live(agent: SeasonAgent, people: int, setting: SeasonSetting) -> Table:
    """A row a season: objective (the sum of rewards), gain [points], days lost, load done over prescribed, share of
    weeks of 150 min or more, days over the ratio of 1.5 as done and as asked for, and days on which a bound changed
    what was asked for."""
    core = SeasonCore(setting, Plan(setting.oracle), people)
    rows = np.arange(people) % len(setting.cohort)
    replica = np.arange(people) // len(setting.cohort)
    core.reset(rows, random.keys(setting.split, setting.seed, setting.cohort.numbers[rows], replica, 0))
    began = core.body.performance(core.state, core._parameters)
    record, objective = [], np.zeros(people)
    for _ in range(setting.days):
        done = core.step(agent.act(core.view.shown()))
        record.append(done.trace[:, 0].copy())
        objective += done.reward
    days = np.stack(record, axis=1)
    weeks = (
        days[:, : setting.days // WEEK_DAYS * WEEK_DAYS, c.MINUTES].reshape(people, -1, WEEK_DAYS).sum(axis=2)
    )
    load = core.view.done_load / np.maximum(core.view.target_load, 1e-9)
    return {
        "objective": objective,
        "gain_points": days[:, -1, c.PERFORMANCE] - began,
        "days_lost": days[:, :, c.LOST].sum(axis=1),
        "load_share": load,
        "on_load": (np.abs(load - 1) <= WITHIN + 1e-9).astype(float),
        "weeks_of_150_min": (weeks >= WEEK_MIN).mean(axis=1),
        "days_over_ratio": (days[:, :, c.RATIO] > MOST_RATIO + 1e-9).sum(axis=1).astype(float),
        "asked_days_over_ratio": (days[:, :, c.ASKED_RATIO] > MOST_RATIO + 1e-9).sum(axis=1).astype(float),
        "bounded_days": (days[:, :, c.REASON] > int(Bound.NONE)).sum(axis=1).astype(float),
        "skipped_days": days[:, :, c.SKIPPED].sum(axis=1),
    }


HEADS = {
    "objective": "objective", "gain_points": "gain, points", "days_lost": "days lost", "on_load": "load within 10 %, %",
    "weeks_of_150_min": "weeks of 150 min, %", "days_over_ratio": "days over ratio 1.5",
    "asked_days_over_ratio": "the same as asked for", "bounded_days": "bounded days", "skipped_days": "skipped",
}  # fmt: skip
_WITH_INTERVAL = ("objective", "gain_points")
_SHARES = ("on_load", "weeks_of_150_min")


def table(names: Sequence[str], people: int, setting: SeasonSetting) -> str:
    """Markdown, a row an agent, the best by the objective first; 95 % intervals over persons (bootstrap).

    Raises ValueError for an agent that is not known.
    """
    for name in names:
        if name not in SEASON_AGENTS:
            raise ValueError(
                f"agent is {name!r}{near_miss(name, SEASON_AGENTS)}; allowed are {', '.join(SEASON_AGENTS)}"
            )
    found = {name: live(SEASON_AGENTS[name](), people, setting) for name in names}
    order = sorted(found, key=lambda name: -found[name]["objective"].mean())
    rng = np.random.default_rng(SEED)
    pick = rng.integers(people, size=(DRAWS, people))
    lines = [
        f"{people} people, {setting.days} days, {setting.model}, bounds {setting.shield}, split {setting.split}.",
        f"{NOTICE}", "", "| agent | " + " | ".join(HEADS.values()) + " |", "|---|" + "---:|" * len(HEADS),
    ]  # fmt: skip
    for name in order:
        one = found[name]
        cells = []
        for key in _WITH_INTERVAL:
            low, high = np.percentile(one[key][pick].mean(axis=1), [2.5, 97.5])
            cells.append(f"{one[key].mean():+.2f} [{low:+.2f}, {high:+.2f}]")
        cells += [
            f"{one[key].mean() * (100 if key in _SHARES else 1):.1f}"
            for key in HEADS
            if key not in _WITH_INTERVAL
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def setting(
    model: str, shield: str = "rule", days: int = 84, split: str = "test", seed: int = 0
) -> SeasonSetting:
    """A season of the adults of the table."""
    return SeasonSetting(cohort.load("adult"), days, model, shield=shield, split=split, seed=seed)
