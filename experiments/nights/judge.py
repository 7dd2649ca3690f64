"""Agents for weeks of sleep, judged on bodies, clocks and nights that nobody was tuned on."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.sleepers import SLEEPERS, Learned, Scheme, Sleeper
from envs.nights import core as c
from envs.nights.bounds import FLOOR_H, SHIFT_FLOOR_H, Bound
from envs.nights.setting import NightsSetting
from experiments.aggregates import mean
from experiments.daily import ORACLE_NAME, judged, seats
from experiments.nights.live import Lived, live
from experiments.records.tables import Table
from experiments.statistics import SEED, Interval, crossed_interval
from twins import cohort
from twins.world.duties import KINDS, SCHOOL

REFERENCE = "average-optimal"
Judged = dict[str, list[Lived]]
"""What every agent's people lived, once for each training seed (once where nothing was trained)."""
HEADS = {
    "short_nights": "nights below the floor", "bounded_pct": "plans changed, %", "slept_h": "slept, h",
    "lapses": "lapses", "sleepy_pct": "sleepy, %", "objective": "objective",
}  # fmt: skip
_DIGITS = {"short_nights": 0, "bounded_pct": 1, "slept_h": 2, "lapses": 2, "sleepy_pct": 1, "objective": 2}
_WITH_INTERVAL = ("slept_h", "lapses", "objective")


def setting(
    clock: str, shield: str = "rule", days: int = 21, split: str = "test", seed: int = 0
) -> NightsSetting:
    """Weeks of sleep of the adults of the table; whose bodies play no part here but for their keys."""
    return NightsSetting(cohort.load("adult"), days, clock=clock, shield=shield, split=split, seed=seed)


def judge(
    names: Sequence[str], people: int, where: NightsSetting, oracle: NDArray[np.float64] | None = None
) -> Judged:
    """Every agent on the same people and nights. names: of `SLEEPERS`, "oracle", or folders of policies, or of such
    folders, one for each training seed. oracle (people, K): the schemes that an oracle found.

    Raises ValueError for an agent that is not known, PolicyError for a policy that is not of this task.
    """
    rows, keys = seats(people, where)
    knows: Sleeper | None = None if oracle is None else Scheme(oracle, each=True)
    return judged(names, SLEEPERS, Learned.load, knows, lambda agent: live(agent, where, rows, keys))


def measures(lived: Lived) -> Table:
    """A row a person: nights below the floor of their kind of weeks, share of plans that a bound changed [%], sleep a
    day [h], lapses as a mean over required hours, share of these at a sleepiness of 8 and more [%], objective."""
    days = lived.days
    floor = np.where(lived.kind == SCHOOL, FLOOR_H, SHIFT_FLOOR_H)[:, None]
    busy = np.isfinite(days[:, :, c.LAPSES])
    return {
        "short_nights": (days[:, :, c.RISE] - days[:, :, c.BED] < floor - 1e-9).sum(axis=1).astype(float),
        "bounded_pct": 100.0 * (days[:, :, c.REASON] > int(Bound.NONE)).mean(axis=1),
        "slept_h": days[:, :, c.SLEPT].mean(axis=1),
        "lapses": np.nansum(days[:, :, c.LAPSES], axis=1) / np.maximum(busy.sum(axis=1), 1),
        "sleepy_pct": 100.0 * lived.sleepy,
        "objective": lived.objective,
    }


def table(judged: Mapping[str, Sequence[Lived]], where: NightsSetting) -> str:
    """Markdown: for all kinds of weeks together and for each a row an agent, the best by the objective first."""
    first = next(iter(judged.values()))[0]
    lines = [
        f"{len(first.kind)} people, {where.days} days, clock of {where.clock}, bounds {where.shield}, split "
        f"{where.split}; brackets: 95 % over people and training seeds. {NOTICE}",
    ]  # fmt: skip
    for number, kind in enumerate(("all", *KINDS)):
        mine = np.ones(len(first.kind), bool) if number == 0 else first.kind == number - 1
        if mine.any():
            lines += ["", f"### {kind}, {int(mine.sum())} people", "", *_rows(judged, mine)]
    return "\n".join(lines) + "\n"


def _rows(judged: Mapping[str, Sequence[Lived]], mine: NDArray[np.bool_]) -> list[str]:
    scores = {name: _of_seeds(lives, mine) for name, lives in judged.items()}
    lines = ["| agent | " + " | ".join(HEADS.values()) + " |", "|---|" + "---:|" * len(HEADS)]
    for name in sorted(scores, key=lambda one: -scores[one]["objective"].mean()):
        cells = []
        for key in HEADS:
            values = scores[name][key]
            total = values.sum() if key == "short_nights" else values.mean()
            cell = f"{total:.{_DIGITS[key]}f}"
            if key in _WITH_INTERVAL:
                found = crossed_interval(values, seed=SEED)
                cell += f" [{found.low:.{_DIGITS[key]}f}, {found.high:.{_DIGITS[key]}f}]"
            cells.append(cell)
        seeds = len(scores[name]["objective"])
        told = f" ({seeds} seeds)" if seeds > 1 else " (knows the person)" if name == ORACLE_NAME else ""
        lines.append(f"| {name}{told} | " + " | ".join(cells) + " |")
    return lines


def gap_closed(judged: Mapping[str, Sequence[Lived]], name: str) -> Interval:
    """The share of the gap from the average person's plan to the oracle's that an agent closes, with its interval.

    Raises ValueError where one of them was not judged.
    """
    for needed in (REFERENCE, ORACLE_NAME, name):
        if needed not in judged:
            raise ValueError(f"{needed} was not judged; the share of the gap needs it")
    everybody = np.ones(len(judged[name][0].kind), bool)
    ours, reference, oracle = (
        _of_seeds(judged[one], everybody)["objective"] for one in (name, REFERENCE, ORACLE_NAME)
    )

    def share(a: NDArray[np.float64], b: NDArray[np.float64], o: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((mean(a) - mean(b)) / (mean(o) - mean(b)))

    return crossed_interval((ours, reference, oracle), share, seed=SEED)


def _of_seeds(lives: Sequence[Lived], mine: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Columns (seeds, people)."""
    tables = [measures(one) for one in lives]
    return {name: np.stack([one[name][mine] for one in tables]) for name in tables[0]}
