"""The README's counts of bodies that came to harm are those of the committed bodies, row by row."""

import re
from pathlib import Path
from typing import Any

import pytest

from agents.load import label
from experiments.evidence import report
from experiments.evidence.count import HOSTILE, POLICY
from experiments.records.tables import read_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADS = (
    "shield", "settings", "lows", "bodies", "died", "<40 mg/dL", "<40: new bodies at most", ">300 for 2 h",
    ">300: new bodies at most",
)  # fmt: skip
_WRONG = {"drawn": "right", "error-20": "wrong by up to 20 %", "error-40": "wrong by up to 40 %"}
SETTINGS = _WRONG | {"faults": f"{_WRONG['error-20']}, and the faults of an ordinary month"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The counted bodies, a row for each shield, agent, stratum and treatment of lows."""
    return report.rows(read_table(ROOT / "results" / "evidence" / "bodies.csv.gz"))


def test_rows_of_the_policy_are_all_there_and_no_others(rows: list[dict[str, Any]]) -> None:
    told = re.findall(r"^  \| (?:rule|twin) \| .*$", README, re.M)
    assert f"| {' | '.join(HEADS)} |" in README
    wanted = []
    for row in rows:
        if row["agent"] == label(POLICY) and row["stratum"] in SETTINGS:
            cells = [row["shield"], SETTINGS[row["stratum"]], row["lows"], row["bodies"], row["died"]]
            for event in ("very_low", "very_high"):
                share = report.percent(row[event] / row["bodies"])
                cells += [f"{row[event]} ({share})", report.percent(row[f"{event}_upper"])]
            wanted.append(f"  | {' | '.join(map(str, cells))} |")
    assert told == wanted


def test_what_it_says_of_hostile_agents_is_what_was_counted(rows: list[dict[str, Any]]) -> None:
    (said,) = [line for line in README.splitlines() if "Hostile agents treat" in line]
    assert set(re.findall(r"`(?:hostile)?(-\w+)`", said)) == {
        agent.removeprefix("hostile") for agent in HOSTILE
    }
    twin = [row for row in rows if row["shield"] == "twin" and row["agent"] in HOSTILE]
    starves = [row for row in twin if row["agent"] == "hostile-min"]
    others = [row for row in twin if row not in starves]
    behind_rules = [
        row for row in rows if row["shield"] == "rule" and row["agent"] in {one["agent"] for one in others}
    ]
    assert f"treat {_same(twin, 'bodies')} bodies with right settings" in said
    assert f"one of each {_same(twin, 'bodies')} " in said and _same(others, "very_low") == 1
    assert f"at most {report.percent(_same(others, 'very_low_upper'))} of new ones), and one died" in said
    assert sum(row["died"] for row in others) == 1 and sum(row["died"] for row in starves) == 1
    low = [row["very_low"] for row in behind_rules]
    assert f"{min(low)} to {max(low)} of each {_same(behind_rules, 'bodies')} were" in said
    high, of = (sum(row[name] for row in starves) for name in ("very_high", "bodies"))
    assert f"{high} of {of} were above 300 mg/dL for two hours, and one died" in said


def _same(rows: list[dict[str, Any]], name: str) -> Any:
    (value,) = {row[name] for row in rows}
    return value
