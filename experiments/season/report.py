"""A judged season as tidy tables, and the folder with its table and figures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.seasons import SEASON_AGENTS, population_optimal
from envs.season import core as c
from envs.season.bounds import MOST_RATIO
from envs.season.core import SeasonSetting
from envs.season.session import VIGOROUS
from experiments.daily import ORACLE_NAME
from experiments.plots import season as plots
from experiments.plots.style import svg
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat
from experiments.season import optimum
from experiments.season.judge import REFERENCE, Judged, gap_closed, judge, table
from experiments.season.live import Lived
from twins.files import atomic_write_bytes, atomic_write_text

WEEK_DAYS = 7
POLICY = ROOT / "agents" / "policies" / "season-ppo"
_WITH_RULE = "population-optimal-hours"
"""What a policy is shown before it learns: what of a gap that closes alone belongs beside what the policy does."""
_LEFT_OUT = ("rest", "random", "polarised", "even")
"""Of the figures, which can tell no more than six agents apart."""
_NOTES = (
    "Bounds first: days on which acute load was over 1.5 times chronic load as executed, and as it would have been had "
    "the session been done as asked for; days on which a bound changed what was asked for. Means over people; 95 % "
    "intervals (bootstrap) over people and training seeds. The oracle searches each person's plan with the true body "
    "and habits, on other luck than is judged. A policy is trained on Banister's bodies only, and begins as "
    "population-optimal-hours. That one hour of the day suits a person, and the other is skipped more often, is an "
    "assumption of the twin; what is gained by finding it exists because of that. A point is a percent of an untrained "
    "person's performance.",
)


def curves(judged: Judged, names: Sequence[str]) -> Table:
    """A row a day of each agent: means over people of performance, fitness and fatigue against before the season
    [points], load of the last seven days over the prescribed week's, ratio, and the highest ratio of anybody."""
    tables: list[Table] = []
    for name in names:
        lived = judged[name]
        days = np.concatenate([one.days for one in lived])
        began = np.concatenate([one.began for one in lived])
        prescribed = np.concatenate([one.prescribed for one in lived])
        load = np.cumsum(np.pad(days[:, :, c.LOAD], ((0, 0), (WEEK_DAYS, 0))), axis=1)
        week = (load[:, WEEK_DAYS:] - load[:, :-WEEK_DAYS]) / WEEK_DAYS / prescribed[:, None]
        week[:, : WEEK_DAYS - 1] = np.nan  # no whole week lies behind
        first = np.concatenate([one.parts for one in lived])
        count = days.shape[1]
        tables.append(
            {
                "agent": np.full(count, name),
                "day": np.arange(1.0, count + 1),
                "performance": (days[:, :, c.PERFORMANCE] - began[:, None]).mean(axis=0),
                "fitness": (days[:, :, c.FITNESS] - first[:, :1]).mean(axis=0),
                "fatigue": (days[:, :, c.FATIGUE] - first[:, 1:]).mean(axis=0),
                "load": week.mean(axis=0),
                "ratio": days[:, :, c.RATIO].mean(axis=0),
                "most_ratio": days[:, :, c.RATIO].max(axis=0),
            }
        )
    return concat(tables)


def calendar(lived: Lived, person: int) -> Table:
    """A row a day of one person, as `experiments.plots.season.calendar` reads them."""
    days: NDArray[np.float64] = lived.days[person]
    return {
        "day": np.arange(1.0, len(days) + 1),
        "load": days[:, c.LOAD],
        "minutes": days[:, c.MINUTES],
        "vigorous": (days[:, c.INTENSITY] >= VIGOROUS).astype(float),
        "evening": days[:, c.EVENING],
        "skipped": days[:, c.SKIPPED],
        "lost": days[:, c.LOST],
    }


def typical(lived: Lived) -> int:
    """The person whose objective is the median of those who skipped something and were injured for a few days, or of
    all where nobody was."""
    lost, skipped = lived.days[:, :, c.LOST].sum(axis=1), lived.days[:, :, c.SKIPPED].sum(axis=1)
    some = np.flatnonzero((lost >= 2) & (lost <= 10) & (skipped > 0))
    some = some if len(some) else np.arange(len(lost))
    return int(some[np.argsort(lived.objective[some])[len(some) // 2]])


def everybody() -> list[str]:
    """All agents that can be named, the oracle, and the policies that come with the project."""
    shipped = [str(POLICY.relative_to(ROOT))] if POLICY.is_dir() else []
    return [*SEASON_AGENTS, ORACLE_NAME, *shipped]


def judged_table(
    names: Sequence[str], people: int, settings: Sequence[SeasonSetting], out: str | Path | None, command: str
) -> str:
    """Judge agents in each setting; Markdown. out: a folder for it and the figures, those of the last setting."""
    parts = ["# Twelve weeks of training", "", f"Made by `{command}`. {NOTICE}", "", *_NOTES]
    for where in settings:
        plans = None
        if ORACLE_NAME in names:
            plans = optimum.for_each(people, where, population_optimal().numbers)
        words = [str(ROOT / name) if (ROOT / name).is_dir() else name for name in names]
        judged = judge(words, people, where, None if plans is None else plans.numbers)
        parts += ["", table(judged, where)]
        learned = [name for name in judged if name not in (*SEASON_AGENTS, ORACLE_NAME)]
        if plans is not None:
            parts += [
                f"Oracle, objective of the best plans of a generation: {series(plans.curve.mean(axis=1))}.",
                "",
            ]
            for name in [*learned, _WITH_RULE] if {REFERENCE, _WITH_RULE} <= set(judged) else []:
                share, low, high = (100 * value for value in gap_closed(judged, name))
                parts.append(
                    f"- {name} closes {share:.0f} % [{low:.0f}, {high:.0f}] of the gap from {REFERENCE} to the oracle."
                )
    text = "\n".join(parts) + "\n"
    if out is not None:
        told = f"{people} people, bodies of {where.model.capitalize()}'s model"
        write(judged, text, out, learned[0] if learned else None, told)
    return text


def series(values: NDArray[np.float64]) -> str:
    """About eight of the numbers, first and last among them."""
    at = np.unique(np.linspace(0, len(values) - 1, min(len(values), 8)).round().astype(int))
    return ", ".join(f"{values[k]:+.2f}" for k in at)


def write(judged: Judged, text: str, out: str | Path, ours: str | None, words: str) -> None:
    """table.md and the figures into a folder. ours: the agent that is set against the population's plan. words: of how
    many people in which bodies."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    shown = sorted((name for name in judged if name not in _LEFT_OUT), key=lambda name: name == "most")
    lines = curves(judged, shown)
    mild = curves(judged, [name for name in shown if name != "most"])  # whose fatigue dwarfs all others
    person = typical(judged[ours][0]) if ours else 0
    week = calendar(judged[ours or shown[0]][0], person)
    atomic_write_bytes(out / "fitness.svg", svg(plots.fitness_and_fatigue(mild, ours, REFERENCE, words)))
    atomic_write_bytes(out / "load.svg", svg(plots.load_and_ratio(lines, MOST_RATIO, ours, REFERENCE, words)))
    atomic_write_bytes(out / "calendar.svg", svg(plots.calendar(week, f"One of {words}")))
    atomic_write_text(out / "table.md", text)
