"""Figures for a page: drawing as SVG, caption that counts from the data, words for who cannot see it."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from envs.render import day_strip, one_day
from experiments import metrics, plots
from experiments.compare import Evaluation, Row, person_means, persons
from experiments.page.sentences import count
from experiments.records.tables import Table, concat, select
from twins.units import MINUTES_PER_DAY

_USED = ("person", "replica", "minute", "glucose_mg_dl")


@dataclass(frozen=True)
class PageFigure:
    """A figure as a page shows it: SVG in base64, size in pixels, texts; `dose` when it shows insulin."""

    data: str
    width: int
    height: int
    caption: str
    alt: str
    dose: bool = False


def page_figure(ax: Axes, caption: str, alt: str, dose: bool = False) -> PageFigure:
    """The figure of these axes for a page."""
    drawing = plots.svg(ax)
    size = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)
    assert size is not None, "matplotlib writes a viewBox"
    width, height = (round(float(points) * 4 / 3) for points in size.groups())
    return PageFigure(base64.b64encode(drawing).decode(), width, height, caption, alt, dose)


def traces_of(evaluations: Sequence[Evaluation], agent: str) -> list[Table]:
    """Traces of an agent under the rule shield, a table for each of its evaluations (training seeds)."""
    mine = [one for one in evaluations if (one.episodes["agent"] == agent).any()]
    found = [select(one.traces(), agent=agent, shield="rule") for one in mine]
    return [table for table in found if len(table["minute"])]


def bars(episodes: Table, rows: Sequence[Row]) -> PageFigure:
    """Time in the five ranges of all agents."""
    told = "; ".join(
        f"{row['agent']}, shield {row['shield']}: {row['tir_pct']:.1f} % in 70-180, "
        f"{row['below_70_pct']:.1f} % below 70, {row['above_180_pct']:.1f} % above 180 mg/dL"
        for row in rows
    )
    caption = (
        "Share of time in five ranges of true plasma glucose, mean over persons. "
        f"{plots.describe(episodes)}. Time after a failure counts as out of range. Columns: failed episodes, "
        "then per cent of time."
    )
    return page_figure(plots.range_bars(episodes), caption, f"Stacked bars of time in range. {told}.")


def profile(tables: Sequence[Table], agent: str, judged: int) -> PageFigure:
    """Ambulatory glucose profile of an agent, `judged` episodes of which were simulated in all."""
    traces = concat([{name: table[name] for name in _USED} for table in tables])
    shown = sum(len(_episodes(table)) for table in tables)
    days = int(np.ceil(traces["minute"].max() / MINUTES_PER_DAY))
    caption = (
        f"{agent}, rule shield: true plasma glucose by hour of the day; median (line) and the ranges that "
        f"hold 50 and 90 % of the values; time after a failure is not in it. {shown} of {judged} judged episodes, "
        f"{count(len(set(traces['person'].tolist())), 'person')}, {count(days, 'day')} each."
    )
    hour = ((traces["minute"] - 1e-6) % MINUTES_PER_DAY // 60).astype(int)
    known = [h for h in range(24) if np.isfinite(traces["glucose_mg_dl"][hour == h]).any()]
    middle = {h: float(np.nanmedian(traces["glucose_mg_dl"][hour == h])) for h in known}
    low, high = min(middle, key=lambda h: middle[h]), max(middle, key=lambda h: middle[h])
    alt = (
        f"Glucose of {agent} by hour of the day. The median is lowest, {middle[low]:.0f} mg/dL, between "
        f"{low} and {low + 1} o'clock and highest, {middle[high]:.0f} mg/dL, between {high} and {high + 1} "
        "o'clock."
    )
    return page_figure(plots.ambulatory_profile(traces), caption, alt)


def dots(episodes: Table, agent: str, baseline: str) -> PageFigure:
    """Every person under an agent and a baseline. episodes: of one protocol and shield."""
    ours, theirs = select(episodes, agent=agent), select(episodes, agent=baseline)
    mine = dict(zip(persons(ours), person_means(ours, "tir_pct"), strict=True))
    other = dict(zip(persons(theirs), person_means(theirs, "tir_pct"), strict=True))
    change = {person: float(mine[person] - other[person]) for person in mine if person in other}
    worst, best = min(change, key=lambda p: change[p]), max(change, key=lambda p: change[p])
    caption = (
        f"Time in range of each person under {agent} (dot) and {baseline} (ring), rule shield; a cross marks "
        f"persons with a failure. {plots.describe(ours)}."
    )
    alt = (
        f"Dots of time in range for {count(len(change), 'person')}. {agent} is above {baseline} in "
        f"{sum(value > 0 for value in change.values())}; the differences go from {change[worst]:+.1f} points "
        f"({worst}) to {change[best]:+.1f} points ({best})."
    )
    return page_figure(plots.person_dots(episodes, agent, baseline), caption, alt)


def curve(runs: Mapping[str, Table]) -> PageFigure:
    """Learning curves of training runs, by name."""
    first = [float(table["tir_pct"][0]) for table in runs.values()]
    last = [float(table["tir_pct"][-1]) for table in runs.values()]
    caption = (
        f"Validation during training against environment steps, {count(len(runs), 'training run')}, each "
        "from its first look to its last; none is left out."
    )
    alt = (
        f"Learning curves. Time in range goes from {min(first):.1f} to {max(first):.1f} % at the first look "
        f"to {min(last):.1f} to {max(last):.1f} % at the last."
    )
    return page_figure(plots.learning_curve(runs), caption, alt)


def strips(tables: Mapping[str, Table]) -> list[PageFigure]:
    """The same day of the same person under each agent. tables: traces by agent, the one to look at first.

    The day is chosen by a rule: the first of the episode with the middle time in range of the first agent,
    among the episodes that all traces hold (all of the first agent where they share none).
    """
    lead = next(iter(tables))
    shared = set.intersection(*(set(_episodes(table)) for table in tables.values()))
    share = {key: value for key, value in _episodes(tables[lead]).items() if not shared or key in shared}
    person, replica = sorted(share, key=lambda key: (share[key], key))[(len(share) - 1) // 2]
    found = []
    for agent, table in tables.items():
        day = one_day(select(table, person=person, replica=replica), 0)
        if not len(day["minute"]):
            continue
        glucose = day["glucose_mg_dl"].astype(float)
        acted = 100 * float(np.mean(~np.isin(day["reason"], ("none", "", "nan"))))
        caption = (
            f"{agent}, rule shield: {person}, episode {int(replica) + 1}, day 1, the episode with the middle "
            f"time in range of {lead} ({share[person, replica]:.0f} %) among the {len(share)} recorded step by step."
        )
        alt = (
            f"One day of {person} under {agent}: glucose from {np.nanmin(glucose):.0f} to "
            f"{np.nanmax(glucose):.0f} mg/dL, {np.nansum(day['carbs_g'].astype(float)):.0f} g of "
            f"carbohydrate, {np.nansum(day['bolus_u'].astype(float)):.1f} U of boluses; the shield changed "
            f"{acted:.0f} % of steps."
        )
        found.append(page_figure(day_strip(day), caption, alt, dose=True))
    return found


def _episodes(traces: Table) -> dict[tuple[str, float], float]:
    """Time in range of every episode that the traces hold, per cent, by person and replica."""
    keys = list(zip(traces["person"].tolist(), traces["replica"].tolist(), strict=True))
    index = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    at = np.array([index[key] for key in keys])
    return {
        key: float(metrics.time_in_ranges(traces["glucose_mg_dl"][at == k])["tir_pct"])
        for key, k in index.items()
    }
