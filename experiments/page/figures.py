"""Figures of a page: drawing, caption that counts from the data, words with the numbers for who cannot see it."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from envs.render import day_strip
from experiments.page import standings
from experiments.page.findings import Findings
from experiments.page.svg import Drawing, inline
from experiments.plots import doses, glucose, learning, stress, tradeoff
from experiments.plots import persons as person_plots
from experiments.plots.style import describe
from experiments.records.tables import select
from experiments.results.curves import night, percentiles
from experiments.results.evaluations import person_means, persons
from experiments.results.words import KNOBS, count, listed
from experiments.statistics import SEED, performance_profile
from twins.units import MINUTES_PER_DAY

FAR_POINTS = 30.0
"""Agents so much worse than the first would press all others into a corner of a figure."""


@dataclass(frozen=True)
class PageFigure:
    """A figure as a page shows it. name: of its files when saved; source: file, protocol and hash of its numbers;
    dose: it shows insulin."""

    name: str
    drawing: Drawing
    caption: str
    alt: str
    source: str
    dose: bool = False


def _figure(name: str, ax: Axes, caption: str, alt: str, source: str, dose: bool = False) -> PageFigure:
    return PageFigure(name, inline(ax, name), caption, alt, source, dose)


def _counts(view: Findings) -> str:
    return f"{describe(view.judged)}, protocol {view.primary['protocol']}"


def bars(view: Findings) -> PageFigure:
    """Time in the five ranges of all agents."""
    told = "; ".join(
        f"{row['agent']}, shield {row['shield']}: {row['tir_pct']:.1f} % in 70-180, {row['below_70_pct']:.1f} % below "
        f"70, {row['above_180_pct']:.1f} % above 180 mg/dL"
        for row in view.main
    )
    caption = (
        "Share of time in five ranges of true plasma glucose, mean over persons. Time after a failure counts as out "
        f"of range. Columns: failed episodes, then per cent of time. {_counts(view)}."
    )
    alt = f"Stacked bars of time in range. {told}."
    return _figure("ranges", glucose.range_bars(view.main), caption, alt, view.source("episodes.csv"))


def pareto(view: Findings) -> PageFigure:
    """Time in range against time below 54 of all agents."""
    best = [row["agent"] for row in tradeoff.front(view.ruled)]
    told = "; ".join(
        f"{row['agent']}: {row['tir_pct']:.1f} % in range, {row['below_54_pct']:.2f} % below 54"
        for row in view.ruled
    )
    near = [row for row in view.ruled if row["tir_pct"] >= view.ruled[0]["tir_pct"] - FAR_POINTS]
    far = [row["agent"] for row in view.ruled if row not in near]
    left = f" Not drawn, over {FAR_POINTS:g} points below the first: {listed(far)}." if far else ""
    most = max(row["persons"] for row in near)
    part = " Squares: judged on fewer persons." if any(row["persons"] < most for row in near) else ""
    caption = (
        f"Time in range against time below 54 mg/dL, 95 % intervals over training seeds and persons. Line: Pareto "
        f"front under shield {view.primary['shield']} of those judged on all persons ({listed(best)}): nobody of these "
        f"beats them in both.{left}{part} "
        f"{_counts(view)}."
    )
    ax = tradeoff.pareto(near, view.primary["agent"], view.primary["baseline"])
    return _figure("tradeoff", ax, caption, f"Scatter. {told}.", view.source("episodes.csv"))


def dots(view: Findings) -> PageFigure:
    """Every person under the primary pair, a dot for every training seed."""
    agent, baseline = view.pair
    ours, theirs = select(view.judged, agent=agent), select(view.judged, agent=baseline)
    mine = dict(zip(persons(ours), person_means(ours, "tir_pct"), strict=True))
    other = dict(zip(persons(theirs), person_means(theirs, "tir_pct"), strict=True))
    change = {person: float(mine[person] - other[person]) for person in mine if person in other}
    worst, best = min(change, key=lambda p: change[p]), max(change, key=lambda p: change[p])
    caption = (
        f"Time in range of each person under {agent} (bar; a dot for every training seed) and {baseline} (ring), "
        f"ordered by the difference within age groups; a cross marks persons with a failure. {describe(ours)}."
    )
    alt = (
        f"Dots of time in range for {count(len(change), 'person')}. {agent} is above {baseline} in "
        f"{sum(value > 0 for value in change.values())}; the differences go from {change[worst]:+.1f} points ({worst}) "
        f"to {change[best]:+.1f} points ({best})."
    )
    ax = person_plots.caterpillar(view.judged, agent, baseline)
    return _figure("persons", ax, caption, alt, view.source("episodes.csv"))


def profiles(view: Findings) -> PageFigure:
    """Share of persons and trainings above every time in range."""
    taus = np.arange(0.0, 100.01, 1.0)
    found = {}
    for row in view.ruled:
        cells = standings.scores(select(view.judged, agent=row["agent"]), "tir_pct").scores
        found[row["agent"]] = performance_profile(cells, taus, seed=SEED)
    lowest = min(float(one.taus[one.share < 1][0]) for one in found.values())
    start = max(int(min(lowest, 60.0) // 10) * 10, 0)
    shown = {
        name: one.__class__(one.taus[start:], one.share[start:], one.low[start:], one.high[start:])
        for name, one in found.items()
    }
    at = 70
    told = "; ".join(f"{name}: {100 * one.share[at]:.0f} %" for name, one in found.items())
    caption = (
        "Performance profile: share of persons and training seeds with more time in range than the value below, "
        f"pointwise 95 % bands over training seeds and persons. {_counts(view)}."
    )
    ax = person_plots.profile(shown, view.primary["agent"], view.primary["baseline"])
    alt = f"Falling curves. More than {at} % of time in range have, of persons and training seeds: {told}."
    return _figure("profile", ax, caption, alt, view.source("episodes.csv"))


def costs(view: Findings) -> PageFigure:
    """What the treatment asked for, agent by agent."""
    shown = {name: words for name, words in standings.COSTS.items() if name in view.ruled[0]}
    told = "; ".join(
        f"{words[0]}, {words[1]}: " + ", ".join(f"{row['agent']} {row[name]:.1f}" for row in view.ruled)
        for name, words in shown.items()
    )
    caption = (
        f"What time in range cost, shield {view.primary['shield']}: means over persons, 95 % intervals over training "
        f"seeds and persons. {_counts(view)}."
    )
    ax = tradeoff.costs(view.ruled, shown, view.primary["agent"], view.primary["baseline"])
    return _figure(
        "costs", ax, caption, f"Dots with intervals. {told}.", view.source("episodes.csv"), dose=True
    )


_ALIGNED = {
    "clock": ("by hour of the day", "at {:.0f} o'clock", 60.0, 0.0),
    "meal": (
        "around meals of 20 g or more; the time may hold other meals",
        "{:+.0f} min from the meal",
        1.0,
        0.0,
    ),
    "night": ("from 22:00 to 07:00", "{:.0f} h after 22:00", 60.0, 0.0),
}


def aligned(view: Findings) -> list[PageFigure]:
    """Glucose of the primary pair around the clock, after meals and at night."""
    assert view.study.curves is not None
    curves = view.of_primary(view.study.curves)
    agents = [agent for agent in view.pair if (curves["agent"] == agent).any()]
    if not agents:
        return []
    found = []
    for align, (words, place, unit, start) in _ALIGNED.items():
        rows = night(curves) if align == "night" else select(curves, align=align)
        if not all((rows["agent"] == agent).any() for agent in agents):
            continue
        told = []
        for agent in agents:
            minute, (median, low) = percentiles(select(rows, agent=agent), (50, 5))
            top = int(np.argmax(median))
            at = place.format((minute[top] - start) / unit)
            told.append(f"the median of {agent} is highest, {median[top]:.0f} mg/dL, {at}; its lowest 5th percentile "
                        f"is {low.min():.0f} mg/dL")  # fmt: skip
        number = sum(rows["count"][rows["agent"] == agents[0]])
        caption = (
            f"True plasma glucose {words}: median, 25-75 % (band) and 5-95 % (dashed) of all readings of all persons, "
            f"days and trainings ({number / 1e3:,.0f} thousand values of {agents[0]}); after a failure there are none. "
            f"{_counts(view)}, shield {view.primary['shield']}."
        )
        alt = f"Curves of glucose {words}: {'; '.join(told)}."
        ax = glucose.aligned(curves, agents, align)
        found.append(_figure(f"glucose-{align}", ax, caption, alt, view.source("curves.csv")))
    return found


def dose_maps(view: Findings) -> list[PageFigure]:
    """What the primary pair asks for by glucose, trend and insulin on board, with the clinical rule beside it."""
    assert view.study.doses is not None
    table = view.of_primary(view.study.doses)
    found: list[PageFigure] = []
    for agent in dict.fromkeys([*view.pair, "basal-bolus"]):
        mine = select(table, agent=agent)
        if not len(mine["count"]):
            continue
        total = mine["count"].sum()
        mean = mine["basal_factor_sum"].sum() / total
        left = mine["delivered_factor_sum"].sum() / total
        bolus = mine["bolus_factor_sum"].sum() / max(mine["meals"].sum(), 1.0)
        grid = doses.dose_grid(mine)
        meals = (
            f" At announced meals it asks for {bolus:.2f} times carbohydrate / carb ratio "
            f"({mine['meals'].sum():,.0f} meals)."
        )
        caption = (
            f"{agent}: basal rate asked for, times the scheduled one, by sensor glucose, trend and insulin on board; "
            f"cells with fewer than {doses.RARE} control intervals are blank. On average {mean:.2f} were asked for and "
            f"{left:.2f} delivered.{meals if mine['meals'].any() else ''} Protocol {view.primary['protocol']}, shield "
            f"{view.primary['shield']}, {total / 1e3:,.0f} thousand control intervals."
        )
        alt = (
            f"Map of doses of {agent}: factors from {np.nanmin(grid):.1f} to {np.nanmax(grid):.1f} times the scheduled "
            f"basal rate, {mean:.2f} on average."
            if np.isfinite(grid).any()
            else f"Map of doses of {agent}: no place was visited often enough."
        )
        name = f"doses-{len(found) + 1}"
        found.append(
            _figure(name, doses.dose_map(table, agent), caption, alt, view.source("doses.csv"), dose=True)
        )
    return found


def sweep(view: Findings) -> PageFigure:
    """How agents degrade."""
    table = view.study.sweep
    assert table is not None
    ours, baseline = view.primary["agent"], view.primary["baseline"]
    told = []
    for knob in dict.fromkeys(table["knob"].tolist()):
        for agent in [name for name in (ours, baseline) if name in table["agent"]]:
            mine = select(table, knob=knob, agent=agent)
            worst = int(np.argmin(mine["tir_pct"]))
            told.append(
                f"{agent} is lowest, {mine['tir_pct'][worst]:.1f} %, at {mine['value'][worst]:g} of {knob}"
            )
    failed = int(table["failures"].sum())
    caption = (
        "Time in range and below 54 mg/dL when the world is not as it was in training: insulin sensitivity, carb "
        f"counts and sensor bias are changed one at a time. {count(int(table['persons'].max()), 'person')}, "
        f"{count(int(table['episodes'].max()), 'episode')} a point, shield {view.primary['shield']}; "
        f"failed episodes in all: {failed}."
    )
    ax = stress.degradation(table, KNOBS, ours, baseline)
    alt = f"Curves of time in range: {'; '.join(told)}." if told else "Curves of time in range of all agents."
    return _figure("degradation", ax, caption, alt, view.source("sweep.csv"))


def curve(view: Findings) -> PageFigure:
    """Learning curves of all training runs."""
    table = view.study.learning
    assert table is not None
    ends = []
    for agent in dict.fromkeys(table["agent"].tolist()):
        mine = select(table, agent=agent)
        steps = mine["timesteps"]
        ends.append(
            f"{agent} goes from {mine['tir_pct'][steps == steps.min()].mean():.1f} to "
            f"{mine['tir_pct'][steps == steps.max()].mean():.1f} %"
        )
    runs = len(set(zip(*(table[name].tolist() for name in learning.identity(table)), strict=True)))
    caption = (
        f"Validation during training against environment steps, {count(runs, 'training run')}, each from its first "
        "look to its last; none is left out. Validation days and people are not those judged."
    )
    alt = f"Learning curves of time in range: {'; '.join(ends)}."
    ax = learning.learning_curve(table, view.primary["agent"])
    return _figure("learning", ax, caption, alt, view.source("learning.csv"))


def strips(view: Findings, protocol: str) -> list[PageFigure]:
    """The same day of the same person under each agent of the primary pair, step by step."""
    if view.study.days is None:
        return []
    days = select(view.study.days, protocol=protocol)
    found: list[PageFigure] = []
    for agent in dict.fromkeys(days["agent"].tolist()):
        day = select(days, agent=agent)
        level = day["glucose_mg_dl"].astype(float)
        acted = 100 * float(np.mean(~np.isin(day["reason"], ("none", "", "nan"))))
        number = int((float(day["minute"][0]) - 1) // MINUTES_PER_DAY) + 1
        person, seed = day["person"][0], float(day["train_seed"][0])
        trained = f", training seed {seed:.0f}" if seed >= 0 else ""
        caption = (
            f"{agent}{trained}, shield {day['shield'][0]}: {person}, episode {int(day['replica'][0]) + 1}, day "
            f"{number}: the first scored day of the episode with the middle time in range of {days['agent'][0]} "
            "among those recorded step by step. One person, one day."
        )
        alt = (
            f"One day of {person} under {agent}: glucose from {np.nanmin(level):.0f} to {np.nanmax(level):.0f} mg/dL, "
            f"{np.nansum(day['carbs_g'].astype(float)):.0f} g of carbohydrate, "
            f"{np.nansum(day['bolus_u'].astype(float)):.1f} U of boluses; the shield changed {acted:.0f} % of steps."
        )
        name = f"day-{protocol}-{len(found) + 1}"
        found.append(
            _figure(name, day_strip(day), caption, alt, view.source("days.csv", protocol), dose=True)
        )
    return found
