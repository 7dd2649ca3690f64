"""Judged weeks of sleep as tidy tables, and the folder with its table and figures."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents.sleepers import FOUND, SLEEPERS, Sleeper, Usual, average_optimal
from envs.nights import core as c
from envs.nights.setting import NightsSetting
from experiments.daily import ORACLE_NAME, seats
from experiments.nights import optimum
from experiments.nights.judge import REFERENCE, Judged, gap_closed, judge, table
from experiments.nights.live import Lived, live
from experiments.plots import nights as plots
from experiments.plots.style import svg
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat
from twins.files import atomic_write_bytes, atomic_write_text
from twins.world.duties import EAST, KINDS

POLICY = ROOT / "agents" / "policies" / "sleep-ppo"
_NOTES = (
    "Nights below the floor of hours in bed that the bounds hold come first. Lapses: of a ten-minute test of "
    "attention, by the sleepiness in required hours. Sleepy: share of required hours at a sleepiness of 8 and more "
    "(Karolinska's scale). The oracle searches each person's scheme with the true body and nights; the average "
    "person's plan and policies were found with Forger's clock. That light, sleep and sleepiness act as in the twin is "
    "an assumption; no agent is told the phase."
)


def everybody() -> list[str]:
    """All agents that there are; the average person's plan and the oracle, which begins with it, once it was found."""
    known = [name for name in SLEEPERS if name != REFERENCE or FOUND.is_file()]
    return [*known, *([str(POLICY)] if POLICY.is_dir() else []), *([ORACLE_NAME] if FOUND.is_file() else [])]


def judged_table(
    names: Sequence[str], people: int, settings: Sequence[NightsSetting], out: str | Path | None, command: str
) -> str:
    """The tables of these agents under each setting, also into the folder `out` with figures."""
    lines = ["# Three weeks of sleep under imposed hours", "", f"Made by `{command}`. {_NOTES}"]
    judged: Judged = {}
    for where in settings:
        schemes = None
        if ORACLE_NAME in names:
            schemes = optimum.for_each(people, where, average_optimal().numbers).numbers
        judged = judge(names, people, where, schemes)
        lines += ["", f"## Clock of {where.clock}", "", table(judged, where)]
        if ORACLE_NAME in judged and REFERENCE in judged:
            for name in judged:
                if name not in (ORACLE_NAME, REFERENCE):
                    found = gap_closed(judged, name)
                    lines.append(
                        f"- {name} closes {100 * found.estimate:.0f} % [{100 * found.low:.0f}, {100 * found.high:.0f}] "
                        f"of the gap from {REFERENCE} to {ORACLE_NAME}."
                    )
    text = "\n".join(lines) + "\n"
    if out is not None:
        folder, last = Path(out), settings[-1]
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write_text(folder / "table.md", text)
        words = f"{people} people, clock of {last.clock}"
        ours = POLICY.name if POLICY.name in judged else None
        atomic_write_bytes(
            folder / "sleepiness.svg", svg(plots.at_work(curves(judged), ours, REFERENCE, words))
        )
        rows = travelled(last)
        atomic_write_bytes(
            folder / "raster.svg", svg(plots.raster(rows, list(dict.fromkeys(rows["agent"].tolist()))))
        )
    return text


def travelled(where: NightsSetting) -> Table:
    """Days of the first person after a flight, in steps, under the usual hours and the average person's plan (before
    that was found: the published one)."""
    east = replace(where, kind=KINDS[EAST])
    rows, keys = seats(1, east)
    best = REFERENCE if FOUND.is_file() else "published"
    agents: dict[str, Sleeper] = {"usual": Usual(), best: SLEEPERS[best]()}
    return concat(
        [steps_of(live(agent, east, rows, keys, keep=True), name, 0) for name, agent in agents.items()]
    )


def curves(judged: Judged) -> Table:
    """A row a day of each agent: mean sleepiness in required hours, of those who had some that day."""
    tables: list[Table] = []
    for name, lives in judged.items():
        days = np.concatenate([one.days for one in lives])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a day on which nobody has any is nan
            sleepy = np.nanmean(days[:, :, c.SLEEPINESS], axis=0)
        count = len(sleepy)
        tables.append({"agent": np.full(count, name), "day": np.arange(1.0, count + 1), "sleepiness": sleepy})
    return concat(tables)


def steps_of(lived: Lived, agent: str, person: int) -> Table:
    """Rows for `experiments.plots.nights.raster` of one person; lived: with `keep`."""
    parts = []
    for day, one in enumerate(lived.steps):
        count = one.lux.shape[1]
        parts.append(
            {
                "agent": np.full(count, agent), "day": np.full(count, day), "step": np.arange(count),
                "lux": one.lux[person], "in_bed": one.in_bed[person].astype(int),
                "asleep": one.asleep[person].astype(int), "required": one.required[person].astype(int),
                "minimum_h": np.full(count, lived.days[person, day, c.MINIMUM]),
            }
        )  # fmt: skip
    return concat(parts)
