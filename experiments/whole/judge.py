"""Agents for whole persons, judged on people, weeks and couplings that nothing was found or trained with."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.wholes import WHOLES, Learned
from envs.bouts.bounds import WEEK_MIN
from envs.faces.build import whole_setting
from envs.living import record as r
from envs.setting import Setting
from experiments import metrics
from experiments.aggregates import difference
from experiments.daily import judged, seats
from experiments.records.tables import Table
from experiments.statistics import SEED, Interval, crossed_interval
from experiments.whole.live import Lived, live
from twins import cohort
from twins.bodies.circadian import STEP_MIN
from twins.bodies.couplings import Couplings
from twins.cohort import Cohort
from twins.draw import draw
from twins.units import MINUTES_PER_DAY

Array = NDArray[np.float64]
Judged = dict[str, list[Lived]]
"""What every agent's people lived, once for each training seed (once where nothing was trained)."""

REFERENCE, OURS = "dosing-only", "joint"
PEOPLE, DAYS = 30, 28
AFTER_SESSION_MIN = 720
"""A low counts for a session from its begin until so long after it."""
HEADS = {
    "failed": "failed", "tir_pct": "in range, %", "below_70_pct": "<70, %", "below_54_pct": "<54, %",
    "above_180_pct": ">180, %", "move_min": "exercise, min/week", "weeks_met_pct": "weeks of 150 min, %",
    "slept_h": "slept, h", "more_sleep_min": "to usual, min", "followed_pct": "advice followed, %",
    "lows_a_session": "lows a session", "burden": "burden a day", "constraints": "short of constraints a day",
    "objective": "objective a day",
}  # fmt: skip
_DIGITS = {
    "failed": 0, "tir_pct": 1, "below_70_pct": 2, "below_54_pct": 2, "above_180_pct": 1, "move_min": 0,
    "weeks_met_pct": 0, "slept_h": 2, "more_sleep_min": 0, "followed_pct": 0, "lows_a_session": 2, "burden": 2,
    "constraints": 2, "objective": 2,
}  # fmt: skip
_WITH_INTERVAL = ("tir_pct", "below_70_pct", "objective")


def people(count: int = PEOPLE, seed: int = SEED) -> Cohort:
    """Drawn adults of the split test."""
    return draw(cohort.load("adult"), count, seed, split="test")


def setting(
    who: Cohort,
    strength: float | None = None,
    switches: Couplings | None = None,
    days: float = DAYS,
    shield: str = "rule",
    split: str = "test",
    seed: int = 0,
) -> Setting:
    """Weeks of these people; strength: of the couplings, None: from the prior, which includes 0."""
    return whole_setting(
        cohort=who, strength=strength, switches=switches, days=days, shield=shield, split=split, seed=seed
    )


def judge(names: Sequence[str], lives: int, where: Setting) -> Judged:
    """Every agent on the same people and weeks, `lives` of them. names: of `agents.wholes.WHOLES`, or folders of
    policies, or of such folders, one for each training seed.

    Raises ValueError for an agent that is not known, PolicyError for a policy that is not of this task.
    """
    rows, keys = seats(lives, where)
    return judged(names, WHOLES, Learned.load, None, lambda agent: live(agent, where, rows, keys))


def measures(lived: Lived) -> Table:
    """A row a life: failed, shares of glucose, exercise a week, sleep a night and against the usual [min], what was
    followed of what was advised, lows for each session done, burden and objective a day. The dead count: what they did
    not live is not exercise, nor sleep."""
    days = lived.days[:, :-1]
    real = days[:, :, r.LIVED] > 0
    count = np.maximum(real.sum(axis=1), 1)
    weeks = days.shape[1] // 7
    done = np.where(real, days[:, :, r.DONE_MIN], 0.0)
    each = done[:, : 7 * weeks].reshape(len(done), weeks, 7).sum(axis=2) if weeks else done
    advised = (days[:, :, r.ASKED_MIN] > 0).sum(axis=1) + (days[:, :, r.NIGHT_ADVISED] > 0).sum(axis=1)
    followed = days[:, :, r.MOVE_FOLLOWED].sum(axis=1) + days[:, :, r.NIGHT_FOLLOWED].sum(axis=1)
    slept = np.where(real, days[:, :, r.SLEPT_H], 0.0).sum(axis=1) / count
    lows, sessions = lows_of_sessions(lived)
    table: Table = {
        "failed": (lived.died != "").astype(float),
        **{name: lived.metrics[name] for name in (*HEADS, "mean_mg_dl") if name in lived.metrics},
        "move_min": 7 * done.sum(axis=1) / count,
        "weeks_met_pct": 100.0 * (each >= WEEK_MIN).mean(axis=1) if weeks else np.full(len(done), np.nan),
        "slept_h": slept,
        "more_sleep_min": 60.0 * (slept - lived.usual_sleep_h),
        "advised": advised.astype(float),
        "followed": followed,
        "lows": lows,
        "sessions": sessions,
        "burden": -lived.terms["burden"] / count,
        "constraints": -(lived.terms["move_short"] + lived.terms["sleep_short"]) / count,
        "objective": lived.objective,
    }
    return table


def lows_of_sessions(lived: Lived) -> tuple[Array, Array]:
    """Of each life events below 70 mg/dL that began within a session or twelve hours of its begin, and sessions that
    were begun (n,). A low that two sessions could have is one."""
    lows, sessions = np.zeros((2, len(lived.days)))
    alive = np.where(np.isfinite(lived.glucose), lived.glucose, metrics.TIGHT)  # a death is counted apart
    found = metrics.events(alive, STEP_MIN)
    for person, days in enumerate(lived.days):
        begun = np.flatnonzero(days[:, r.BEGAN_AT_H] > 0)
        at = MINUTES_PER_DAY * begun + 60 * days[begun, r.BEGAN_AT_H] - lived.first_min[person]
        sessions[person] = len(begun)
        starts = np.array([event.start_min for event in found[person]])
        if len(at) and len(starts):
            since = starts[:, None] - at
            lows[person] = ((since >= 0) & (since < AFTER_SESSION_MIN)).any(axis=1).sum()
    return lows, sessions


def by_person(lives: Sequence[Lived], where: Setting, name: str) -> Array:
    """Means of a measure over each person's lives (seeds, people); of shares, of sums."""
    rows, _ = seats(len(lives[0].days), where)
    many = len(where.cohort)

    def summed(values: Array) -> Array:
        total: Array = np.bincount(rows, values, many).astype(np.float64)
        return total

    parts = {"followed_pct": ("followed", "advised", 100.0), "lows_a_session": ("lows", "sessions", 1.0)}
    out = []
    for lived in lives:
        table = measures(lived)
        if name in parts:
            of, to, times = parts[name]
            total = summed(table[to])
            out.append(np.where(total > 0, times * summed(table[of]) / np.maximum(total, 1), np.nan))
        else:
            out.append(summed(table[name]) / np.maximum(summed(np.ones(len(rows))), 1))
    return np.stack(out)


def gain(
    judged: Mapping[str, Sequence[Lived]], where: Setting, ours: str, theirs: str, name: str
) -> Interval:
    """Paired difference of a measure, ours less theirs, with its interval over people and training seeds."""
    pair = tuple(by_person(judged[one], where, name) for one in (ours, theirs))
    return crossed_interval(pair, difference, seed=SEED)


def table(judged: Mapping[str, Sequence[Lived]], where: Setting) -> str:
    """Markdown: a row an agent, the fewest failures first, then by objective."""
    lines = ["| agent | " + " | ".join(HEADS.values()) + " |", "|---|" + "---:|" * len(HEADS)]
    rows = []
    for name, lives in judged.items():
        cells = []
        failed = sum(int(measures(one)["failed"].sum()) for one in lives)
        for key in HEADS:
            if key == "failed":
                cells.append(f"{failed} of {sum(len(one.days) for one in lives)}")
                continue
            scores = by_person(lives, where, key)
            value = float(np.nanmean(scores)) if np.isfinite(scores).any() else np.nan
            cell = "-" if np.isnan(value) else f"{value:.{_DIGITS[key]}f}"
            if key in _WITH_INTERVAL:
                found = crossed_interval(scores, seed=SEED)
                cell += f" [{found.low:.{_DIGITS[key]}f}, {found.high:.{_DIGITS[key]}f}]"
            cells.append(cell)
        seeds = f" ({len(lives)} seeds)" if len(lives) > 1 else ""
        objective = float(np.mean([measures(one)["objective"].mean() for one in lives]))
        rows.append((failed / len(lives), -objective, f"| {name}{seeds} | " + " | ".join(cells) + " |"))
    return "\n".join([*lines, *(line for *_, line in sorted(rows))]) + f"\n\n{NOTICE}\n"
