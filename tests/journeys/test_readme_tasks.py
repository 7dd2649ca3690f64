"""The README's tables of exercise, nights and whole persons: each line is made again from the committed tables."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from experiments.joint.markdown import MarkdownTable, Page, read_page

ROOT = Path(__file__).resolve().parents[2]


def _page(name: str) -> Page:
    return read_page(ROOT / "results" / name / "table.md")


def _section(heading: str) -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.split(r"^##", readme.partition(f"### {heading}\n")[2], maxsplit=1, flags=re.M)[0]


def _cell(table: MarkdownTable, agent: str, head: str) -> str:
    (row,) = [row for row in table.rows if row[0].partition(" (")[0] == agent]
    return row[table.column(head)]


def _estimate(cell: str) -> str:
    return cell.partition(" [")[0]


def _told(section: str, label: str, *cells: str) -> bool:
    """Whether the section has a line of this label that begins with these cells."""
    return f"\n| {label} | {' | '.join(cells)}" in section


def _all_told(section: str, tables: Sequence[MarkdownTable], head: str, agents: Mapping[str, str]) -> None:
    """Each of these lines gives a column of these tables for its agent."""
    for label, agent in agents.items():
        assert _told(section, label, *(_cell(table, agent, head) for table in tables)), label


def test_sessions() -> None:
    page, told = _page("session"), partial(_told, _section("The day around one session"))
    tables = [table for table in page.tables if table.heads[0] == "agent"]
    assert len(tables) == 3

    def both(head: str) -> list[str]:
        agents = ("ppo-session", "consensus-tuned")
        return [", ".join(_estimate(_cell(table, agent, head)) for agent in agents) for table in tables]

    assert told("episodes failed", *both("failed"))
    assert told("events below 70 mg/dL a completed session", *both("events a session"))
    assert told("reward", *both("reward"))
    for label, words in (
        ("- their ratio", "Events a session over those of consensus-tuned"),
        (
            "- of those within six hours of a session",
            "The same ratio of events that begin no later than six hours",
        ),
        ("time in range, points more", "Time in range less that of consensus-tuned"),
        ("carbohydrate in all, g more an episode (26 h)", "Carbohydrate in all less that of consensus-tuned"),
    ):
        found = re.findall(rf"^- {words}.*?: (\S+ \[[^\]]+\])", page.text, re.M)
        assert len(found) == 3 and told(label, *found), label


def test_seasons() -> None:
    page, section = _page("season"), _section("A season")
    tables = [table for table in page.tables if "gain, points" in table.heads]
    assert len(tables) == 2
    agents = {
        "points gained: population's plan": "population-optimal",
        "- with the rule of hours": "population-optimal-hours",
        "- policy, three seeds": "season-ppo",
        "- oracle, which knows the person": "oracle",
    }
    _all_told(section, tables, "gain, points", agents)
    rule = "gap in the objective, plan to oracle, that the rule closes"
    assert _told(section, rule, *_closed(page, "population-optimal-hours"))
    assert _told(section, "- that the policy closes", *_closed(page, "season-ppo"))


def test_nights() -> None:
    page, section = _page("sleep"), _section("Three weeks of nights")
    tables = [table for table in page.tables if table.under[-1].startswith("all,")]
    assert len(tables) == 2
    agents = {
        "sleep, h a day: imposed hours": "usual",
        "- average person's plan": "average-optimal",
        "- policy": "sleep-ppo",
        "- oracle": "oracle",
    }
    _all_told(section, tables, "slept, h", agents)
    gap = "gap in the objective, average person's plan to oracle, that the policy closes"
    assert _told(section, gap, *_closed(page, "sleep-ppo"))


def test_whole_persons() -> None:
    page, section = _page("whole"), _section("Four weeks of all of it")
    (levels,) = [table for table in page.tables if "exercise, min/week" in table.heads]
    (gains,) = [table for table in page.tables if table.heads[0] == "less dosing-only"]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    agents = [line.partition("`")[2].partition("`")[0] for line in lines]
    assert agents == ["joint", "independent", "fixed-advice", "whole-ppo"]
    for agent, line in zip(agents, lines, strict=True):
        gained = [_cell(gains, agent, head) for head in ("tir_pct", "below_70_pct", "objective")]
        own = [_cell(levels, agent, head) for head in ("exercise, min/week", "lows a session")]
        assert line.endswith(f" | {' | '.join(gained + own)} |"), agent
    heads = ("in range, %", "<70, %", "objective a day", "exercise, min/week", "lows a session")
    base = [_estimate(_cell(levels, "dosing-only", head)) for head in heads]
    assert (
        "{} % in range, {} % below 70, objective {}, {} min/week, {} lows a session".format(*base) in section
    )
    (by_strength,) = [table for table in page.tables if table.heads[0] == "strength"]
    strengths = ("0", "1.5", "all off")
    gained = [_cell(by_strength, strength, "in range, points") for strength in strengths]
    assert re.search(".*".join(map(re.escape, gained)), section)


def _closed(page: Page, agent: str) -> list[str]:
    """The share of a gap that an agent closes, with its interval, in each part of a page."""
    found = re.findall(rf"^- {agent} closes (\d+ % \[[^\]]+\]) of the gap", page.text, re.M)
    assert len(found) == 2
    return found
