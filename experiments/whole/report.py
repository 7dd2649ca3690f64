"""Judged whole persons: the table, gains by strength of the couplings, what each coupling does, and the figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from agents.wholes import FOUND, WHOLES
from envs.living import record as r
from envs.setting import Setting
from experiments.daily import seats
from experiments.plots import whole as plots
from experiments.plots.style import svg
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat
from experiments.statistics import Interval
from experiments.whole.judge import OURS, REFERENCE, Judged, gain, judge, setting, table
from experiments.whole.live import live
from twins.bodies.circadian import STEP_MIN
from twins.bodies.couplings import CONFIDENCE, SWITCHES, Couplings
from twins.cohort import Cohort
from twins.files import atomic_write_bytes, atomic_write_text

POLICY = ROOT / "agents" / "policies" / "whole-ppo"
STRENGTHS, OFF = (0.0, 0.5, 1.0, 1.5), "all off"
WITHIN_POINTS = 0.5
WEEK_PERSON, WEEK_FIRST_DAY = 0, 7
NEEDS = ("dosing-only", "fixed-advice", "independent", "joint")
"""Agents that hang on what was found."""
GAINS = ("tir_pct", "below_70_pct", "objective")
_NOTES = (
    "Failures come first. Drawn adults of the split test; rules were found, and policies trained, on drawn adults of "
    "the split train, with couplings from the prior (a quarter of people have none). All doses of all agents are held "
    "by the rule shield, all advice by the bounds of exercise and sleep. Advice is followed in part, see `advice "
    "followed`. Lows a session: events below 70 mg/dL that began within a session or 12 h of its begin, for each that "
    "was begun. To usual: sleep less what the habit is taken to give. Burden: price of what is advised and eaten. "
    "Brackets: 95 % over people and training seeds. That sleep, stress, dawn and training act as in the twin is an "
    "assumption."
)


@dataclass(frozen=True)
class Effect:
    """What a coupling does: change of a measure when its switch alone goes off."""

    switch: str
    agent: str
    tir: Interval
    mean_mg_dl: Interval


def everybody() -> list[str]:
    """All agents that there are; those that hang on what was found once it was."""
    known = [name for name in WHOLES if name not in NEEDS or FOUND.is_file()]
    return [*known, *([str(POLICY)] if POLICY.is_dir() else [])]


def judged_table(
    names: Sequence[str],
    lives: int,
    who: Cohort,
    days: float,
    shield: str,
    out: str | Path | None,
    command: str,
) -> str:
    """The tables of these agents, also into the folder `out` with figures."""
    where = setting(who, days=days, shield=shield)
    lines = [
        "# Whole persons: insulin, exercise and sleep", "", f"Made by `{command}`. {_NOTES}", "",
        f"{lives} lives of {len(who)} people, {days:g} days, shield {shield}, couplings from the prior.", "",
    ]  # fmt: skip
    judged = judge(names, lives, where)
    lines += [table(judged, where)]
    pair = [name for name in (REFERENCE, OURS) if name in judged]
    if len(pair) < 2:
        return _written("\n".join(lines) + "\n", out)
    lines += ["## Gains", "", *_gains(judged, where, REFERENCE)]
    if "usual" in judged:
        lines += ["", *_gains(judged, where, "usual", ("slept_h",))]
    by_strength = {f"{one:g}": _pair(lives, setting(who, one, days=days, shield=shield)) for one in STRENGTHS}
    off = setting(who, 0.0, Couplings(**dict.fromkeys(SWITCHES, False)), days, shield)
    by_strength[OFF] = _pair(lives, off)
    lines += ["", f"## {OURS} less {REFERENCE}, by strength of the couplings", "", *_by_strength(by_strength)]
    effects = _effects(judged, lives, where)
    lines += ["", "## What each coupling does", "", *_by_switch(effects)]
    text = "\n".join(lines) + "\n\n" + NOTICE + "\n"
    if out is not None:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        words = f"{lives} lives of {len(who)} people"
        moves = {e.switch: e.mean_mg_dl.estimate for e in effects if e.agent == REFERENCE}
        figures = {
            "strength": plots.by_strength({name: one[0] for name, one in by_strength.items()}, OURS, REFERENCE, words),
            "couplings": plots.effects([(e.switch, e.agent, e.mean_mg_dl) for e in effects], words),
            "map": plots.coupling_map(moves, CONFIDENCE, words),
            "week": plots.week(week(where), [REFERENCE, OURS]),
        }  # fmt: skip
        for name, axes in figures.items():
            atomic_write_bytes(folder / f"{name}.svg", svg(axes))
    return _written(text, out)


def _written(text: str, out: str | Path | None) -> str:
    if out is not None:
        Path(out).mkdir(parents=True, exist_ok=True)
        atomic_write_text(Path(out) / "table.md", text)
    return text


def _gains(judged: Judged, where: Setting, against: str, measures: Sequence[str] = GAINS) -> list[str]:
    lines = [f"| less {against} | " + " | ".join(measures) + " |", "|---|" + "---:|" * len(measures)]
    for name in judged:
        if name != against:
            cells = [_told(gain(judged, where, name, against, one)) for one in measures]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _told(found: Interval, digits: int = 2) -> str:
    return f"{found.estimate:+.{digits}f} [{found.low:+.{digits}f}, {found.high:+.{digits}f}]"


def _pair(lives: int, where: Setting) -> tuple[Interval, Interval, Interval]:
    """Gains of the joint agent over dosing alone: time in range, below 70, objective."""
    judged = judge([REFERENCE, OURS], lives, where)
    tir, low, objective = (
        gain(judged, where, OURS, REFERENCE, one) for one in ("tir_pct", "below_70_pct", "objective")
    )
    return tir, low, objective


def _by_strength(found: dict[str, tuple[Interval, Interval, Interval]]) -> list[str]:
    lines = ["| strength | in range, points | <70, points | objective a day |", "|---|---:|---:|---:|"]
    lines += [
        f"| {name} | " + " | ".join(_told(one) for one in cells) + " |" for name, cells in found.items()
    ]
    for name, what in (
        (f"{STRENGTHS[0]:g}", "sleep, dawn, stress and training without effect"),
        (OFF, "muscles at rest, too"),
    ):
        tir = found[name][0]
        met = "within" if abs(tir.estimate) <= WITHIN_POINTS else "not within"
        lines += [
            "",
            f"With {what}, the gain is {_told(tir)} points: {met} the {WITHIN_POINTS} points of none that were wanted.",
        ]
    return lines


def _effects(with_all: Judged, lives: int, where: Setting) -> list[Effect]:
    """What time in range and mean glucose are with each coupling less what they are without it, for both agents.

    with_all: what these people lived with all couplings."""
    assert where.living is not None, "nobody lives in this setting"
    found = []
    for switch in SWITCHES:
        off = replace(where, living=replace(where.living, switches=Couplings(**{switch: False})))
        without = judge([REFERENCE, OURS], lives, off)
        for name in (REFERENCE, OURS):
            both: Judged = {"with": with_all[name], "without": without[name]}
            tir, level = (gain(both, where, "with", "without", one) for one in ("tir_pct", "mean_mg_dl"))
            found.append(Effect(switch, name, tir, level))
    return found


def _by_switch(effects: Sequence[Effect]) -> list[str]:
    lines = [
        "With the coupling less without it.",
        "",
        "| coupling | agent | in range, points | mean glucose, mg/dL | confidence |",
        "|---|---|---:|---:|---|",
    ]
    for one in effects:
        lines.append(
            f"| {one.switch} | {one.agent} | {_told(one.tir)} | {_told(one.mean_mg_dl)} | {CONFIDENCE[one.switch]} |"
        )
    return lines


def week(where: Setting) -> Table:
    """A row a reading of one person's second week under both agents."""
    rows, keys = seats(WEEK_PERSON + 1, where)
    short = replace(
        where, days=WEEK_FIRST_DAY + 8.0, living=replace(where.living, strength=1.0) if where.living else None
    )
    parts: list[Table] = []
    for name in (REFERENCE, OURS):
        lived = live(WHOLES[name](), short, rows, keys, keep=True)
        minute = lived.first_min[WEEK_PERSON] + STEP_MIN * np.arange(1, lived.glucose.shape[1] + 1)
        own = lived.days[WEEK_PERSON]
        in_bed, moving = np.zeros((2, len(minute)))
        for day, row in enumerate(own):
            if row[r.LIVED]:
                begin, end = 60 * (24 * day + row[r.BED_H]), 60 * (24 * (day + 1) + row[r.RISE_H])
                in_bed[(minute > begin) & (minute <= end)] = 1.0
                if row[r.BEGAN_AT_H] > 0:
                    began = 60 * (24 * day + row[r.BEGAN_AT_H])
                    moving[(minute > began) & (minute <= began + row[r.DONE_MIN] + row[r.PAUSED_MIN])] = 1.0
        keep = (minute > 1440 * WEEK_FIRST_DAY) & (minute <= 1440 * (WEEK_FIRST_DAY + 7))
        parts.append({
            "agent": np.full(keep.sum(), name), "hour": minute[keep] / 60 - 24 * WEEK_FIRST_DAY,
            "glucose_mg_dl": lived.glucose[WEEK_PERSON][keep], "in_bed": in_bed[keep], "moving": moving[keep],
            **{one: lived.kept[one][WEEK_PERSON][keep] for one in ("basal_share", "bolus_u", "carbs_g")},
        })  # fmt: skip
    return concat(parts)
