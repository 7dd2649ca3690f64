"""Two twins of each hidden person, fitted on ten days of their diary, beside what their bodies truly do."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.hidden import bodies
from experiments.hidden.life import Life, live
from experiments.hidden.what_if import SCALES, as_twins_say, truly
from experiments.records.tables import Table, concat, write_table
from twins.inference import personal, priors
from twins.inference.identify import errors, fit, for_causes, for_forecasts, rule, window_starts
from twins.inference.posterior import WIDENED, posterior, quantiles
from twins.inference.record import Record, record
from twins.inference.validity import TEST_EVERY_MIN
from twins.world.diary import STEP_MIN

FIT_DAYS, TEST_DAYS = 10, 4
TWINS = ("causal", "forecast")
EFFECTS = ("fall", "rise")
"""What 1 U lowers, and 10 g logged raise glucose at most [mg/dL]."""
WIDTHS = tuple(sorted({1.0, 1.5, 2.0, 2.5, 3.0, WIDENED}))
"""Factors on the standard deviations of a posterior, of which `WIDENED` is in use."""
AFTER_MIN = 180


def judge(
    folder: Path, out: Path, seed: int, first: int, count: int, daily: str, widths: tuple[float, ...] = WIDTHS
) -> None:
    """Write people.csv and what_ifs.csv of `count` hidden people from number `first` on into the folder `out`."""
    life = live(bodies.make(count, seed, first, daily), FIT_DAYS + TEST_DAYS)
    people, what_ifs = tables(life, tuple(widths))
    out.mkdir(parents=True)
    write_table(out / "people.csv", people)
    write_table(out / "what_ifs.csv", what_ifs)


def tables(life: Life, widths: tuple[float, ...] = WIDTHS) -> tuple[Table, Table]:
    """A line for each person: effects, true, by the rule and fitted, their intervals (90 %) for each width, 4-h errors;
    a line for each what-if: true and foreseen change after 3 h [mg/dL], mean error over 4 h [% of true glucose]."""
    asked = truly(life, FIT_DAYS + 1, FIT_DAYS + TEST_DAYS)
    people, what_ifs = [], []
    for number in range(len(life.bodies)):
        diary = record(life.diary(number))
        line, theta = _person(life, number, diary, widths)
        people.append(line)
        mine = asked.person == number
        if not mine.any():
            continue
        said = as_twins_say(theta, diary, asked.step[mine])
        what_ifs.append(_what_ifs(diary.who, asked.factual[mine], asked.other[mine], said))
    return concat(people), concat(what_ifs)


def _person(
    life: Life, number: int, diary: Record, widths: tuple[float, ...]
) -> tuple[Table, NDArray[np.float64]]:
    """The line of one person, and the twins (2, 17) in the order of `TWINS`."""
    part, test = diary.days(1, FIT_DAYS), diary.days(FIT_DAYS + 1, FIT_DAYS + TEST_DAYS)
    told = for_causes(diary, part)
    causal, forecast = fit(diary, part, told), fit(diary, part, for_forecasts(priors.prior(diary.who)))
    theta = np.stack([causal.theta, forecast.theta])
    held = {
        "fall_true": life.bodies.fall_mg_dl_per_u[number],
        "rise_true": life.bodies.rise_mg_dl_per_10_g[number],
        "fall_rule": rule(diary, part),
    }
    found = personal.effects(theta, diary)
    missed = errors(theta, diary, window_starts(diary, test, TEST_EVERY_MIN), (240,))
    for which, twin in enumerate(TWINS):
        held |= {f"{name}_{twin}": found[which, column] for column, name in enumerate(EFFECTS)}
        held[f"rmse_{twin}"] = np.sqrt(np.nanmean(missed[which] ** 2))
    for width in widths:
        belief = posterior(diary, part, told, causal, widened=width)
        drawn = personal.effects(belief.theta, diary)
        held[f"draws_{width:g}"] = belief.effective
        for column, name in enumerate(EFFECTS):
            low, high = quantiles(drawn[:, column], belief.weight, (0.05, 0.95))
            held |= {f"{name}_low_{width:g}": low, f"{name}_high_{width:g}": high}
    return {"who": np.array([diary.who])} | {name: np.array([one]) for name, one in held.items()}, theta


def _what_ifs(
    who: str, factual: NDArray[np.float64], other: NDArray[np.float64], said: NDArray[np.float64]
) -> Table:
    """Lines of one person; said (2, E, S, 48)."""
    change, late = other - factual[:, None], AFTER_MIN // STEP_MIN - 1
    table: Table = {
        "who": np.full(change[..., 0].size, who),
        "scale": np.tile(SCALES, len(factual)),
        "change_true": change[..., late].ravel(),
        "error_no_change": (100 * np.abs(change) / other).mean(axis=-1).ravel(),
    }
    for which, twin in enumerate(TWINS):
        table[f"change_{twin}"] = said[which, ..., late].ravel()
        table[f"error_{twin}"] = (100 * np.abs(said[which] - change) / other).mean(axis=-1).ravel()
    return table
