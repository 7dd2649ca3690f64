"""How learned policies stand to their rivals: every comparison that a committed study makes, with its outcome.

Outcomes are those of the win rule where the study uses it. Elsewhere the 95 % interval decides: better or worse where
it lies on one side of no difference, unclear where it holds it. A paper's number has no interval here; then the
numbers alone decide, and the comparison says so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.hidden.arms import POLICIES
from experiments.hidden.outcome import COMPARED
from experiments.joint.joint import Joint
from experiments.joint.markdown import read_page, value
from experiments.joint.row import PAPER, Better, JointRow, Value
from experiments.joint.tables import HIDDEN
from experiments.page.findings import Findings
from experiments.published import claims
from experiments.results.study_tables import StudyTables
from experiments.results.words import is_reference

LOST, OPEN, WON = ("unsafe", "worse"), ("unclear", "mixed"), ("better", "win")
"""Outcomes by what they mean for the learned policy."""
HIDDEN_HEADS = ("arm", "less", "70-180", "<70", "by the win rule")
GAIN_HEADS = ("less dosing-only", "tir_pct", "below_70_pct", "objective")
ONE_PART = ("hidden people, shield rule", "drawn adults")
"""Where a page has one part alone."""
_REFERENCE = "true-body"
_SPAN = r"[+-]?[\d.]+ \[[+-]?[\d.]+, [+-]?[\d.]+\]"
_BEGAN = re.compile(r"^- population-optimal-hours closes (-?\d+ % \[-?\d+, -?\d+\]) of the gap", re.M)
_GAP = re.compile(r"^- (\S+-ppo) closes (-?\d+) % \[(-?\d+), (-?\d+)\] of the gap from (\S+) to", re.M)


@dataclass(frozen=True)
class Comparison:
    """page: name of its page. difference: ours less theirs, or what `measure` says. by: who decides the outcome."""

    page: str
    where: str
    agent: str
    rival: str
    measure: str
    difference: Value
    outcome: str
    by: str
    source: str
    failures: str = ""
    lows: Value | None = None


def comparisons(joint: Joint, results: Path) -> list[Comparison]:
    """All of them, in the order of the pages. Raises ValueError where a table no longer says what it said."""
    return [
        *of_studies(joint.studies),
        *of_papers(joint.rows),
        *(_with_failures(one, joint) for one in _of_tables(results)),
    ]


def _of_tables(results: Path) -> Iterator[Comparison]:
    yield from of_hidden(results)
    yield from of_sessions(results)
    yield from of_gaps(results, "season", "bodies of {}'s model")
    yield from of_gaps(results, "sleep", "Clock of {}, all hours")
    yield from of_whole(results)


def _with_failures(one: Comparison, joint: Joint) -> Comparison:
    """The comparison with what failed of each, by the rows of the joint table: behind shield or bounds, in its part."""
    told = []
    for agent in (one.agent, one.rival):
        mine = [
            row
            for row in joint.of(one.page)
            if row.agent.partition(" (")[0] == agent
            and row.shield != "off"
            and one.where in (row.part, *ONE_PART)
        ]
        told.append(mine[0].failed.text if len(mine) == 1 and mine[0].failed is not None else "not said")
    return one if told[0] == "not said" else replace(one, failures=" / ".join(told))


def of_studies(studies: Mapping[str, StudyTables]) -> Iterator[Comparison]:
    """The primary comparison of each study and its secondary ones with treatments; no oracle is a rival."""
    for name, study in studies.items():
        view = Findings(study)
        for one in [view.contrast, *view.secondary]:
            if one is None or is_reference(one.baseline) or one.baseline in view.learned:
                continue
            tir, lows, rates = (
                one.verdict.tir,
                one.verdict.below_70,
                (one.verdict.failure_rate, one.verdict.their_failure_rate),
            )
            kind = "primary comparison" if one is view.contrast else "secondary, adjusted by Holm"
            yield Comparison(
                one.protocol.partition(",")[0], f"{one.protocol}, shield {one.shield}", one.agent, one.baseline,
                "time in range, points", Value(tir.estimate, tir.low, tir.high, 1, True), one.outcome,
                f"win rule; {kind}", f"{name}/study.json",
                " / ".join(f"{100 * rate:.2f} %" for rate in rates),
                Value(lows.estimate, lows.low, lows.high, 1, True),
            )  # fmt: skip


def of_papers(rows: Iterable[JointRow]) -> Iterator[Comparison]:
    """Ours on the published protocols beside each paper's learned policy and the rerun loop, with the stomach of then,
    no shield, as published. Of people whose meals are not known nothing is said."""
    then = [one for one in rows if "as it erred then" in one.part and one.shield == "off"]
    for key in dict.fromkeys((one.protocol, one.part) for one in then):
        mine = [one for one in then if (one.protocol, one.part) == key]
        if key[0] == claims.UNKNOWN_MEALS[0] and "children" in key[1]:
            continue
        theirs = [one for one in mine if one.agent.startswith(PAPER) and one.measure.value.known]
        for ours in (one for one in mine if one.information.learned):
            for rival in [*theirs[-1:], *(one for one in mine if theirs and one.agent == "pid")]:
                gap = ours.measure.value.estimate - rival.measure.value.estimate
                more_lows = _lows(ours) > _lows(rival) if rival.share("below_70_pct").known else False
                yield Comparison(
                    key[0], key[1], ours.agent, rival.agent, f"{ours.measure.name}, difference",
                    Value(gap, places=2, signed=True), _by_number(gap, ours.measure.better, more_lows),
                    "the numbers alone, one training seed", ours.origin.source,
                    f"{_failed(ours)} / {_failed(rival)}",
                )  # fmt: skip


def _lows(row: JointRow) -> float:
    return row.share("below_70_pct").estimate


def _failed(row: JointRow) -> str:
    if row.failed is None:
        return "not said"
    return row.failed.text if row.failed.of is None else f"{100 * row.failed.count / row.failed.of:.2f} %"


def _by_number(gap: float, better: Better, more_lows: bool) -> str:
    good = gap > 0 if better == "more" else gap < 0
    return "worse" if not good else "mixed" if more_lows else "better"


def of_hidden(results: Path) -> Iterator[Comparison]:
    """Policies of hidden people against each other's, the placebo among them, and against gains found on the twin."""
    for rung in HIDDEN:
        page = read_page(results / "hidden" / f"{rung}.md")
        (table,) = page.with_heads(HIDDEN_HEADS)
        if tuple((row[0], row[1]) for row in table.rows) != COMPARED:
            raise ValueError(f"{table.where}: other pairs of arms than experiments.hidden.outcome.COMPARED")
        for row in table.rows:
            if row[0] in POLICIES and row[1] != _REFERENCE:
                yield Comparison(
                    f"hidden-{rung}", "hidden people, shield rule", row[0], row[1], "time in range, points",
                    table.value(row, "70-180"), row[-1],
                    "win rule; primary comparison" if rung == HIDDEN[0] and row is table.rows[0]
                    else "win rule; not adjusted",
                    f"hidden/{rung}.md", lows=table.value(row, "<70"),
                )  # fmt: skip


def of_sessions(results: Path) -> Iterator[Comparison]:
    """The policy around a session of exercise against the consensus tuned to each person's own body."""
    page = read_page(results / "session" / "table.md")
    for heading, part in _sections(page.text):
        lows = re.search(rf"^- Events a session over those of (\S+): ({_SPAN});", part, re.M)
        tir = re.search(rf"^- Time in range less that of (\S+): ({_SPAN}) points;", part, re.M)
        if lows is None or tir is None:
            raise ValueError(
                f"{page.path}, {heading!r}: says nothing of events and time in range against a rival"
            )
        asked: tuple[tuple[re.Match[str], str, Better, float], ...] = (
            (lows, "lows a session, ratio", "less", 1.0),
            (tir, "time in range, points", "more", 0.0),
        )
        for found, measure, better, neutral in asked:
            gap = value(found[2])
            yield Comparison(
                "session", heading, "ppo-session", found[1], measure, gap, by_interval(gap, better, neutral),
                "its interval", "session/table.md",
            )  # fmt: skip


def of_gaps(results: Path, name: str, where: str) -> Iterator[Comparison]:
    """How much of the gap from a population's plan to the oracle's a policy closes. where: its part, {} the bodies'."""
    page = read_page(results / name / "table.md")
    models = re.findall(r"^\d+ people, \d+ days, (?:clock of )?(\w+), bounds rule", page.text, re.M)
    found, began = _GAP.findall(page.text), _BEGAN.findall(page.text)
    if not found or len(found) != len(models):
        raise ValueError(
            f"{page.path}: {len(found)} lines on a gap that is closed for {len(models)} kinds of bodies"
        )
    for k, (model, (agent, share, low, high, rival)) in enumerate(zip(models, found, strict=True)):
        gap = Value(float(share), float(low), float(high), 0)
        part = where.format(model.capitalize() if name == "season" else model)
        yield Comparison(
            name, part, agent, rival, "share of the gap to the oracle that is closed, %", gap,
            by_interval(gap, "more", 0.0),
            f"its interval; what it began as closes {began[k]}" if began else "its interval", f"{name}/table.md",
        )  # fmt: skip


def of_whole(results: Path) -> Iterator[Comparison]:
    """Whole persons under the policy, against the best insulin alone."""
    (table,) = read_page(results / "whole" / "table.md").with_heads(GAIN_HEADS)
    for row in (one for one in table.rows if one[0] == "whole-ppo"):
        for column, measure in (("tir_pct", "time in range, points"), ("objective", "objective a day")):
            gap = table.value(row, column)
            yield Comparison(
                "whole", "drawn adults", row[0], "dosing-only", measure, gap, by_interval(gap, "more", 0.0),
                "its interval", "whole/table.md", lows=table.value(row, "below_70_pct"),
            )  # fmt: skip


def by_interval(gap: Value, better: Better, neutral: float) -> str:
    """better, worse or unclear, by where an interval lies."""
    if gap.low > neutral or gap.high < neutral:
        return "better" if (gap.low > neutral) == (better == "more") else "worse"
    return "unclear"


def _sections(text: str) -> list[tuple[str, str]]:
    """Headings of the second level, each with what stands below it."""
    parts = re.split(r"^## (.+)$", text, flags=re.M)
    return list(zip(parts[1::2], parts[2::2], strict=True))
