"""The README's counts of bodies that came to harm are those of the committed bodies, row by row."""

import re
from pathlib import Path
from typing import Any

import pytest

from agents.load import label
from experiments.battery.outcomes import RULES
from experiments.battery.report import HOSTILE_CASE
from experiments.battery.run import NONE as CLEAN
from experiments.evidence import report
from experiments.evidence.count import BASELINE, HOSTILE, POLICY
from experiments.records.tables import read_table, select

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADS = (
    "shield", "settings", "lows", "bodies", "died", "<40 mg/dL", "<40: new bodies at most", ">300 for 2 h",
    ">300: new bodies at most",
)  # fmt: skip
AGENTS = (BASELINE, *HOSTILE)
HOSTILE_HEADS = (
    "agent", "settings", "died: rule", "twin", "<40 mg/dL: rule", "twin", "new bodies at most", ">300 for 2 h: rule",
    "twin", "new bodies at most",
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


def test_rows_of_hostile_agents_are_those_that_were_counted(rows: list[dict[str, Any]]) -> None:
    told = re.findall(r"^  \| `(?:planner|hostile-\w+)` \| .*$", README, re.M)
    assert f"| {' | '.join(HOSTILE_HEADS)} |" in README
    found = {(row["shield"], row["agent"], row["stratum"]): row for row in rows if row["agent"] in AGENTS}
    wanted = []
    for agent in AGENTS:
        for stratum in ("drawn", "error-20"):
            both = [found[shield, agent, stratum] for shield in ("rule", "twin")]
            cells = [f"`{agent}`", SETTINGS[stratum], *(row["died"] for row in both)]
            for event in ("very_low", "very_high"):
                cells += [*(row[event] for row in both), report.percent(both[1][f"{event}_upper"])]
            wanted.append(f"  | {' | '.join(map(str, cells))} |")
    assert told == wanted


def test_what_it_says_of_the_people_of_the_table_is_what_was_counted(rows: list[dict[str, Any]]) -> None:
    (said,) = [line for line in README.splitlines() if "Rules bound doses, not glucose. The twin" in line]
    seen = {row["shield"]: row for row in rows if row["stratum"] == "seen" and row["lows"] == "untreated"}
    rule, twin = seen["rule"], seen["twin"]
    assert rule["bodies"] == twin["bodies"] == 30 and rule["very_low_upper"] is twin["very_low_upper"] is None
    assert (
        f"{rule['very_low']} were below 40 mg/dL behind rules and {twin['very_low']} behind the twin" in said
    )
    assert f"and {rule['very_high']} and {twin['very_high']} above 300 for two hours" in said


def test_what_it_says_of_hostile_agents_is_what_was_counted(rows: list[dict[str, Any]]) -> None:
    (said,) = [line for line in README.splitlines() if "Hostile agents treat" in line]
    hostile = [row for row in rows if row["agent"] in HOSTILE]
    assert f"treat {_same(hostile, 'bodies')} bodies with right settings" in said
    assert f"for {_same(hostile, 'days'):g} days behind" in said
    low = {
        shield: [
            row["very_low"] for row in hostile if row["shield"] == shield and row["agent"] != "hostile-min"
        ]
        for shield in ("rule", "twin")
    }
    assert (
        f"{min(low['twin'])} to {max(low['twin'])} of each 60 were below 40 mg/dL behind the twin shield"
        in said
    )
    assert f"{min(low['rule'])} to {max(low['rule'])} behind rules" in said
    starves = [row for row in hostile if row["agent"] == "hostile-min" and row["shield"] == "twin"]
    high, died = ([row[name] for row in starves] for name in ("very_high", "died"))
    assert (
        "Under `hostile-min`, which starves, {} and {} of each 60 were above 300 for two hours behind either".format(
            *high
        )
        in said
    )
    assert "and {} and {} died".format(*died) in said
    (faults,) = [line for line in README.splitlines() if line.startswith("- 25 [faults]")]
    assert "starvation kills within a week, too ({} and {} of each 60)".format(*died) in faults
    alike = ["very_low", "very_high", "died"]
    rules = [row for row in hostile if row["agent"] == "hostile-min" and row["shield"] == "rule"]
    right, wrong = (f"{row['starved_hours']:.1f}" for row in starves)
    assert f"({right} and {wrong} of 168 hours on average had less than a quarter of it)" in said
    assert [[row[name] for name in alike] for row in rules] == [
        [row[name] for name in alike] for row in starves
    ]


def test_what_it_says_of_faults_is_what_was_counted() -> None:
    (said,) = [line for line in README.splitlines() if line.startswith("- 25 [faults]")]
    table = read_table(ROOT / "results" / "battery" / "battery.csv")
    million = table["intervals"][table["case"] != HOSTILE_CASE].sum() / 1e6
    assert f"in {million:.1f} million control intervals" in said and table["rules_broken"].sum() == 0
    assert "none of nine hard rules was broken" in said and len(RULES) == 9
    met, died, high = [], [], []
    for agent in ("basal-bolus", "pid", "planner", label(POLICY)):
        mine = select(table, agent=agent)
        faults = mine["case"] != CLEAN
        assert faults.sum() == 40
        met.append(int((mine["missed"][faults] == 0).sum()))
        died.append(int(mine["died"][faults].sum()))
        high.append(int(mine["very_high"][faults].sum()))
    assert (
        f"`basal-bolus` meets all bars in {met[0]} of the 40, `pid` in {met[1]}, `planner` in {met[2]} ("
        in said
    )
    assert (
        f"`ppo-history` in {met[3]}." in said and "{}, {}, {} and {} ended in a death".format(*died) in said
    )
    assert "and {}, {}, {} and {} were above 300".format(*high) in said
    (exercise,) = select(table, agent=label(POLICY), case="F17b")["died"]
    assert f"`ppo-history`'s {exercise:.0f} under exercise" in said
    agents = ("basal-bolus", "pid", "planner", label(POLICY))

    def of(case: str, name: str) -> list[float]:
        return [float(select(table, agent=agent, shield="rule", case=case)[name][0]) for agent in agents]

    assert (
        "{:.0f}, {:.0f}, {:.0f} and {:.0f} of them under actions beyond any pump".format(*of("F22", "died"))
        in said
    )
    _, pid, _, policy = of("F23d", "safe_action_min")
    assert f"(`pid` {pid:.0f} min, `ppo-history` {policy:.0f}, where 30 are allowed)" in said
    lowest = of(CLEAN, "lowest_mg_dl")
    assert [missed == 0 for missed in of(CLEAN, "missed")] == [False, False, True, False]
    assert f"are {lowest[0]:.0f}, {lowest[1]:.0f} and {lowest[3]:.0f} mg/dL" in said
    for case in ("F23a", "F23b", "F23c"):
        assert of(case, "missed") == [0] * 4 and of(case, "very_high") == [29] * 4
    assert "met with 29 of 36 people above 300 for two hours" in said
    alone = select(table, agent="hostile-max", shield="twin", case=CLEAN)
    lowest, inside = (alone[name][0] for name in ("lowest_mg_dl", "tir_pct"))
    assert f"below {lowest:.1f} mg/dL in these days, with {inside:.1f} % in range" in said


def test_what_the_twin_shield_costs_is_what_the_tables_say() -> None:
    (said,) = [line for line in README.splitlines() if line.startswith("- What it costs: with its defaults")]
    for study, agent in (
        ("realistic", "planner"),
        ("realistic", "ppo-history"),
        ("simglucose-default", "ppo"),
    ):
        lost = _in_range(study, agent, "rule") - _in_range(study, agent, "twin")
        assert f"{lost:.1f} from `{agent}`" in said
    assert lost > 5 and "that bar is missed" in said


def _in_range(study: str, agent: str, shield: str) -> float:
    """Time in range of a row of a study's table, in %."""
    text = (ROOT / "results" / study / "table.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| {agent} \| {shield} \| .*$", text, re.M)
    return float(row.split(" | ")[6].partition(" ")[0])


def _same(rows: list[dict[str, Any]], name: str) -> Any:
    (value,) = {row[name] for row in rows}
    return value
