"""M0, a check of the code: bodies of the twin's own family, drawn from what a causal fit believes beforehand.

If posterior and fit were those of one probability model, the share of the posterior below the truth would be uniform
over people (simulation-based calibration: Talts, Betancourt, Simpson, Vehtari, Gelman, arXiv 1804.06788). They are not:
overlapping errors count as `n_eff` independent ones, and the width is set for people of other equations. So the table
shows the departure, and the width with which intervals of 90 % hold 90 % of these people. Nothing else is claimed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from agents.frozen import NOTICE
from experiments.fleet import Cell
from experiments.hidden.bars import sources
from experiments.hidden.food import eat
from experiments.hidden.life import correlated
from experiments.records.tables import Table, concat, read_table, write_table
from experiments.statistics import holm
from twins import random
from twins.bodies.glucose import COLUMN
from twins.bodies.glucose_kernel import GLUCOSE_PLASMA
from twins.bodies.model import LIVER_OUTPUT, NEUTRAL_DRIVE
from twins.draw import BASAL_SHARE
from twins.inference import personal
from twins.inference.identify import RULE_MG_DL, WEAK, Anchor, Told, fit
from twins.inference.personal import NAMES
from twins.inference.posterior import posterior, quantiles
from twins.inference.record import KG, Record
from twins.inference.rhythmic import Rhythmic
from twins.random import Stream, check_seed
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

DAYS = 14
MOST_DRAWS = 400
TOGETHER = 4
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
SHOWN = ("fall", "rise", *NAMES[:6])
"""What is ranked: the effects of 1 U and of 10 g, and the parameters that are not the observer's."""
DAILY_U = (20.0, 70.0)
SENSOR_SD_MG_DL, SENSOR_KEPT = 5.0, 0.7
LIVER_SD_MG_KG_MIN, LIVER_KEPT = 0.3, 0.97
"""What the family calls a disturbance: a liver that drifts over some hours."""
BOLUS_LOG_SD = 0.3
"""Of boluses around what the meal needs: without it their effects and the meals' could not be told apart."""


@dataclass(frozen=True, eq=False)
class Virtual:
    """People of the family: theta (n, 17), and their records."""

    theta: NDArray[np.float64]
    records: list[Record]


@dataclass(frozen=True)
class _Known:
    who: str
    planned_basal_u_per_h: float
    weight_kg: float = KG


def people(count: int, seed: int, first: int = 1) -> Virtual:
    """People number `first` ... of a seed, drawn from what a causal fit believes beforehand, its anchor included."""
    who = tuple(f"own{seed}#{number:03d}" for number in range(first, first + count))
    keys = random.keys("test", seed, np.array([random.person_number(one) for one in who]), 0, 0)
    own = random.stream(keys, Stream.COHORT)
    low, high = DAILY_U
    daily = low + (high - low) * random.uniform(own, 1)[:, 0]
    known = [_Known(one, BASAL_SHARE * u / 24) for one, u in zip(who, daily, strict=True)]
    theta = np.empty((count, len(NAMES)))
    left = np.arange(count)
    for attempt in range(MOST_DRAWS):  # by rejection: likely beforehand, and as likely by the anchor
        z = random.normal(own[left], len(NAMES), first=2 + 2 * attempt * len(NAMES))
        theta[left] = WEAK.mean + WEAK.sd * z
        fall = np.maximum(_effects(theta[left], [known[row] for row in left])[:, 0], 1e-6)
        off = np.log(fall * daily[left] / RULE_MG_DL) / Anchor(1.0).log_sd
        chance = random.uniform(own[left], 1, first=1_000_000 + 2 * attempt)[:, 0]
        left = left[chance >= np.exp(-(off**2) / 2)]
        if len(left) == 0:
            break
    else:
        raise ValueError(f"no {len(left)} of {count} people were found in {MOST_DRAWS} draws")
    return Virtual(theta, _lived(theta, known, keys))


def _effects(theta: NDArray[np.float64], known: Sequence[_Known]) -> NDArray[np.float64]:
    return np.concatenate([personal.effects(row[None], one) for row, one in zip(theta, known, strict=True)])


def _lived(theta: NDArray[np.float64], known: Sequence[_Known], keys: NDArray[np.uint32]) -> list[Record]:
    """The records of `DAYS` days: planned basal, meals logged exactly, boluses that are off by chance."""
    n, steps, model = len(theta), DAYS * STEPS_PER_DAY, Rhythmic()
    bodies = np.concatenate([personal.bodies(row[None], one) for row, one in zip(theta, known, strict=True)])
    whole = np.concatenate([bodies, personal.rhythm(theta, bodies)], axis=1)
    food = eat(keys, DAYS)
    logged = np.round(food.on_grid(food.eaten_g, steps))
    eaten = logged * np.exp(theta[:, personal.CARBS])[:, None]
    fall, rise = _effects(theta, known).T
    off = np.exp(BOLUS_LOG_SD * random.normal(random.stream(keys, Stream.THERAPY), steps))
    bolus = logged * (rise / 10 / fall)[:, None] * off
    basal = np.array([one.planned_basal_u_per_h for one in known])
    drift = LIVER_SD_MG_KG_MIN * correlated(random.stream(keys, Stream.SENSITIVITY), steps, LIVER_KEPT)
    noise = SENSOR_SD_MG_DL * correlated(random.stream(keys, Stream.SENSOR), steps, SENSOR_KEPT)
    state, coefficients = model.basal_state(whole), model.prepare(whole)
    glucose, drive = np.empty((n, steps)), np.tile(np.array(NEUTRAL_DRIVE), (n, 1, 1))
    plate = np.zeros((n, STEP_MIN))
    for k in range(steps):
        glucose[:, k] = state[:, GLUCOSE_PLASMA] / bodies[:, COLUMN["Vg"]]
        plate[:, 0], drive[:, 0, LIVER_OUTPUT] = eaten[:, k], drift[:, k]
        model.advance(state, coefficients, basal, bolus[:, k], plate, drive, STEP_MIN)
    read = np.clip(glucose + noise, 40.0, 400.0)
    none, always = np.zeros(steps), np.ones(steps, bool)
    return [
        Record(
            one.who, read[row], logged[row], np.full(steps, basal[row] * STEP_MIN / 60), bolus[row], none,
            one.planned_basal_u_per_h, 0, always, one.weight_kg,
        )
        for row, one in enumerate(known)
    ]  # fmt: skip


def cells(count: int, seed: int) -> list[Cell]:
    """The work for `count` people of a seed. Raises ValueError for no people, and seeds that are none."""
    if count < 1:
        raise ValueError(f"{count} people were asked for; give 1 or more")
    return [
        Cell(
            f"cells/{seed}-{first:03d}", judge,
            {"seed": check_seed(seed), "first": first, "count": min(TOGETHER, count + 1 - first)}, stamp=sources(),
        )
        for first in range(1, count + 1, TOGETHER)
    ]  # fmt: skip


def judge(folder: Path, out: Path, seed: int, first: int, count: int) -> None:
    """Write people.csv: for each person, width and quantity the share of the posterior below the truth."""
    held, lines = people(count, seed, first), []
    for theta, record in zip(held.theta, held.records, strict=True):
        part = record.days(1, DAYS)
        told = Told(WEAK, n_eff=100.0, anchor=Anchor(_rule(record)))
        found = fit(record, part, told)
        true = np.concatenate([personal.effects(theta[None], record)[0], theta[:6]])
        for width in WIDTHS:
            belief = posterior(record, part, told, found, widened=width)
            drawn = np.concatenate([personal.effects(belief.theta, record), belief.theta[:, :6]], axis=1)
            for column, name in enumerate(SHOWN):
                low, high = quantiles(drawn[:, column], belief.weight, (0.05, 0.95))
                lines.append({
                    "who": record.who, "width": width, "of": name, "draws": belief.effective,
                    "below": float(belief.weight[drawn[:, column] < true[column]].sum()),
                    "inside": float(low <= true[column] <= high),
                })  # fmt: skip
    out.mkdir(parents=True)
    write_table(out / "people.csv", {name: np.array([line[name] for line in lines]) for name in lines[0]})


def _rule(record: Record) -> float:
    """The rule for the insulin that these people are made for, of which their planned basal rate is a fixed share."""
    return RULE_MG_DL / (record.planned_basal_u_per_h * 24 / BASAL_SHARE)


def read(folder: Path, names: Sequence[str]) -> Table:
    """The lines of some cells."""
    return concat([read_table(folder / name / "people.csv") for name in names])


def words(table: Table, command: Sequence[str]) -> str:
    """The tables as Markdown."""
    count = len(np.unique(table["who"]))
    lines = [
        "# M0: are the causal twin's posteriors calibrated for bodies of its own family?", "", NOTICE, "",
        f"Made by `{' '.join(command)}`.", "",
        f"{count} virtual people of the family, {DAYS} days of diary each. Share of people (%) whose truth lies within "
        "the 90 % interval, by the factor on the posterior's standard deviations:", "",
        f"| factor | {' | '.join(name.replace('_', ' ') for name in SHOWN)} | draws worth |",
        "|---:|" + "---:|" * (len(SHOWN) + 1),
    ]  # fmt: skip
    for width in WIDTHS:
        mine = table["width"] == width
        inside = [100 * table["inside"][mine & (table["of"] == name)].mean() for name in SHOWN]
        shown = " | ".join(f"{one:.0f}" for one in inside)
        lines.append(f"| {width:g} | {shown} | {np.median(table['draws'][mine]):.0f} |")
    lines += [
        "", "Simulation-based calibration: is the share of the posterior below the truth uniform over people? "
        "Kolmogorov-Smirnov p values, adjusted by Holm over the quantities; below 0.05 it is not calibrated.",
        "", f"| factor | {' | '.join(name.replace('_', ' ') for name in SHOWN)} |", "|---:|" + "---:|" * len(SHOWN),
    ]  # fmt: skip
    for width in WIDTHS:
        ranks = [table["below"][(table["width"] == width) & (table["of"] == name)] for name in SHOWN]
        adjusted = holm([kstest(np.clip(one, 0.0, 1.0), "uniform").pvalue for one in ranks])
        lines.append(f"| {width:g} | {' | '.join(f'{one:.3f}' for one in adjusted)} |")
    best = {name: _nearest(table, name) for name in SHOWN[:2]}
    lines += ["", "Nearest to 90 %: " + "; ".join(f"{name} with factor {width:g} ({share:.0f} %)"
                                               for name, (width, share) in best.items()) + "."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _nearest(table: Table, name: str) -> tuple[float, float]:
    """The width whose intervals of 90 % come nearest to that, and what they hold (%)."""
    held = {
        width: 100 * float(table["inside"][(table["width"] == width) & (table["of"] == name)].mean())
        for width in WIDTHS
    }
    width = min(held, key=lambda one: abs(held[one] - 90))
    return width, held[width]
