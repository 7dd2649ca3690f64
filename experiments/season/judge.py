"""Agents for a season of training, judged on people and bodies that nobody was tuned on."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.seasons import SEASON_AGENTS, Learned, Scheme, SeasonAgent
from envs.bouts.bounds import WEEK_MIN
from envs.season import core as c
from envs.season.bounds import MOST_RATIO, Bound
from envs.season.core import SeasonSetting
from envs.season.plan import WITHIN
from experiments.daily import ORACLE_NAME, judged, seats
from experiments.records.tables import Table
from experiments.season.live import Lived, live
from experiments.statistics import SEED
from twins import cohort

WEEK_DAYS = 7
DRAWS = 2000
REFERENCE = "population-optimal"
Judged = dict[str, list[Lived]]
"""What every agent's people lived, once for each training seed (once where nothing was trained)."""


def setting(
    model: str, shield: str = "rule", days: int = 84, split: str = "test", seed: int = 0
) -> SeasonSetting:
    """A season of the adults of the table."""
    return SeasonSetting(cohort.load("adult"), days, model, shield=shield, split=split, seed=seed)


def judge(
    names: Sequence[str], people: int, where: SeasonSetting, oracle: NDArray[np.float64] | None = None
) -> Judged:
    """Every agent on the same people and luck. names: of `SEASON_AGENTS`, "oracle", or folders of policies, or of such
    folders, one for each training seed. oracle (people, K): the plans that an oracle found.

    Raises ValueError for an agent that is not known, PolicyError for a policy that is not of this task.
    """
    rows, keys = seats(people, where)
    knows: SeasonAgent | None = None if oracle is None else Scheme(oracle)
    return judged(names, SEASON_AGENTS, Learned.load, knows, lambda agent: live(agent, where, rows, keys))


def measures(lived: Lived) -> Table:
    """A row a season: bounds, load and weeks kept, days lost, objective (the sum of rewards), gain [points]."""
    days = lived.days
    people, count = days.shape[:2]
    weeks = days[:, : count // WEEK_DAYS * WEEK_DAYS, c.MINUTES].reshape(people, -1, WEEK_DAYS).sum(axis=2)
    return {
        "days_over_ratio": (days[:, :, c.RATIO] > MOST_RATIO + 1e-9).sum(axis=1).astype(float),
        "asked_days_over_ratio": (days[:, :, c.ASKED_RATIO] > MOST_RATIO + 1e-9).sum(axis=1).astype(float),
        "bounded_days": (days[:, :, c.REASON] > int(Bound.NONE)).sum(axis=1).astype(float),
        "on_load": (np.abs(lived.load_share - 1) <= WITHIN + 1e-9).astype(float),
        "load_share": lived.load_share,
        "weeks_of_150_min": (weeks >= WEEK_MIN).mean(axis=1),
        "days_lost": days[:, :, c.LOST].sum(axis=1),
        "skipped_days": days[:, :, c.SKIPPED].sum(axis=1),
        "gained": (days[:, -1, c.PERFORMANCE] > lived.began).astype(float),
        "gain_points": days[:, -1, c.PERFORMANCE] - lived.began,
        "objective": lived.objective,
    }


HEADS = {
    "days_over_ratio": "days over ratio 1.5", "asked_days_over_ratio": "asked for", "bounded_days": "bounded days",
    "on_load": "load within 10 %, %", "weeks_of_150_min": "weeks of 150 min, %", "days_lost": "days lost",
    "skipped_days": "skipped", "gained": "people who gain, %", "gain_points": "gain, points", "objective": "objective",
}  # fmt: skip
_WITH_INTERVAL = ("objective", "gain_points")
_SHARES = ("on_load", "weeks_of_150_min", "gained")


def table(judged: Mapping[str, Sequence[Lived]], where: SeasonSetting) -> str:
    """Markdown, a row an agent, the best by the objective first; 95 % intervals over persons and training seeds."""
    found = {name: _of_seeds([measures(one) for one in lives]) for name, lives in judged.items()}
    order = sorted(found, key=lambda name: -found[name]["objective"].mean())
    people = len(next(iter(found.values()))["objective"][0])
    lines = [
        f"{people} people, {where.days} days, {where.model}, bounds {where.shield}, split {where.split}.",
        f"{NOTICE}", "", "| agent | " + " | ".join(HEADS.values()) + " |", "|---|" + "---:|" * len(HEADS),
    ]  # fmt: skip
    for name in order:
        cells = []
        for key in HEADS:
            values = found[name][key]
            if key in _WITH_INTERVAL:
                low, high = np.percentile(_resampled({name: values})[name], [2.5, 97.5])
                cells.append(f"{values.mean():+.2f} [{low:+.2f}, {high:+.2f}]")
            else:
                cells.append(f"{values.mean() * (100 if key in _SHARES else 1):.1f}")
        seeds = len(found[name]["objective"])
        told = f" ({seeds} seeds)" if seeds > 1 else ""
        lines.append(f"| {_words(name)}{told} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def gap_closed(
    judged: Mapping[str, Sequence[Lived]], name: str, key: str = "objective"
) -> tuple[float, float, float]:
    """The share of the gap from the population's plan to the oracle's that an agent closes, with its 95 % interval
    (bootstrap over persons and training seeds). Raises ValueError where one of the two was not judged."""
    for needed in (REFERENCE, ORACLE_NAME, name):
        if needed not in judged:
            raise ValueError(f"{needed} was not judged; the share of the gap needs it")
    values = {
        one: _of_seeds([measures(lived) for lived in judged[one]])[key]
        for one in (REFERENCE, ORACLE_NAME, name)
    }
    drawn = _resampled(values)

    def share(of: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray((of[name] - of[REFERENCE]) / (of[ORACLE_NAME] - of[REFERENCE]))

    low, high = np.percentile(share(drawn), [2.5, 97.5])
    return float(share({one: np.array(held.mean()) for one, held in values.items()})), float(low), float(high)


def _of_seeds(tables: Sequence[Table]) -> dict[str, NDArray[np.float64]]:
    """Columns (seeds, people)."""
    return {name: np.stack([one[name] for one in tables]) for name in tables[0]}


def _resampled(values: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Means (DRAWS,) of persons drawn with replacement, the same for all agents, and of each agent's seeds likewise."""
    rng = np.random.default_rng(SEED)
    people = next(iter(values.values())).shape[1]
    times = rng.multinomial(people, np.full(people, 1 / people), size=DRAWS) / people
    means = {}
    for name, held in values.items():
        seeds = rng.integers(len(held), size=(DRAWS, len(held)))
        means[name] = np.take_along_axis(times @ held.T, seeds, axis=1).mean(axis=1)
    return means


def _words(name: str) -> str:
    return f"{name} (knows the person)" if name == ORACLE_NAME else name
