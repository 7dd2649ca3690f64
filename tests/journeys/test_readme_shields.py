"""What the README says of the twin shield's bars and of short trainings is what the committed tables say."""

import re
from pathlib import Path

import pytest

from envs.shield.twin import Guard
from experiments.joint.counted import SHIELD_HEADS
from experiments.joint.markdown import MarkdownTable, read_page
from experiments.joint.tables import STUDY_HEADS
from experiments.shield.bars import MEASURES
from experiments.shield.rows import CHOICE_FLOORS_MG_DL, CHOSEN_MG_DL, ROWS
from tests.readme import README, said_line

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bars() -> MarkdownTable:
    (table,) = read_page(ROOT / "results" / "shield" / "table.md").with_heads(SHIELD_HEADS)
    return table


def _runs(table: MarkdownTable, name: str, head: str) -> int:
    """How many runs of a row a share in % stands for."""
    (row,) = [row for row in table.rows if row[0] == name]
    runs = int(row[2].split(" x ")[0])
    count = table.value(row, head).estimate * runs / 100
    assert count == pytest.approx(round(count), abs=0.01)
    return round(count)


def _value(table: MarkdownTable, name: str, head: str) -> float:
    (row,) = [row for row in table.rows if row[0] == name]
    return table.value(row, head).estimate


def test_wrong_carbs_and_phantoms(bars: MarkdownTable) -> None:
    said = said_line("- The twin shield where the state is estimated from readings")
    assert _runs(bars, "carbs counted 50 % too high, doubted", "runs <54, %") == 0
    assert "with carbs counted half too high none of 120 runs fell below 54" in said
    phantoms = "a quarter of the meals phantom, doubted"
    assert _runs(bars, phantoms, "runs <40, %") == 0
    assert f"phantom none below 40 ({_runs(bars, phantoms, 'runs <54, %')} below 54)" in said
    doubting = "the policy behind a twin that doubts"
    assert f"loses {_value(bars, doubting, '70-180 lost'):.1f} points" in said
    high = [_value(bars, name, "died high") for name in (doubting, "the policy behind the rules")]
    assert "; {:.0f} of its 120 runs ended above 600, {:.0f} behind rules alone)".format(*high) in said


def test_readings_alone_and_bodies_that_differ(bars: MarkdownTable) -> None:
    said = said_line("- The twin shield where the state is estimated from readings")
    for name, words in (
        ("exact twin, state from readings", "below {:.1f} mg/dL in 120 runs of two days with readings alone ({:.1f} %"),
        ("bodies off from their twins by 20 %", "below {:.1f} with bodies off by up to 20 % and a floor of 90 ({:.1f}"),
    ):  # fmt: skip
        assert words.format(*(_value(bars, name, head) for head in ("lowest", "70-180, %"))) in said


def test_missed_bars_are_named(bars: MarkdownTable) -> None:
    said = said_line("- The twin shield where the state is estimated from readings")
    missed = [row[0] for row in bars.rows if "MISSED" in row[-1]]
    policy = "the policy behind the twin"
    assert missed == ["true body and state, random", "the same at floor 80 with a conformal margin", policy]
    assert "Three bars are missed" in said
    assert f"margin {_value(bars, missed[1], 'bodies <80, %'):.0f} % of the bodies, not 10" in said
    assert f"(`hostile-random`, {_value(bars, missed[0], 'lowest'):.1f})" in said
    assert f"cuts {_value(bars, policy, 'decisions cut, %'):.1f} % of the policy's decisions, not 3" in said
    chosen = f"the policy behind the twin, floor {CHOSEN_MG_DL}, chosen on other days"
    cut, low = (_value(bars, chosen, head) for head in ("decisions cut, %", "<70, %"))
    assert f"{CHOSEN_MG_DL} mg/dL, chosen on other days, cuts {cut:.1f} % with {low:.2f} % below 70" in said


def test_the_planner(bars: MarkdownTable) -> None:
    said = said_line("- The twin shield where the state is estimated from readings")
    lost = [
        _value(bars, f"the planner behind {twin}", "70-180 lost")
        for twin in ("the twin", "a twin that doubts")
    ]
    assert lost[0] < 0 and "`planner` behind the twin loses nothing where announcements are trusted" in said
    assert f"and {lost[1]:.1f} points where they are doubted" in said


def test_the_floor_chosen_for_the_policy_is_the_highest_that_met_its_bars(bars: MarkdownTable) -> None:
    """On days to choose by, as the committed table has them."""
    (judged,) = [row for row in ROWS if row.name == "policy-chosen"]
    words = {row.shield: row.words for row in ROWS if row.name.startswith("choice-")}

    def meets(floor: int) -> bool:
        name = next(said for shield, said in words.items() if shield.startswith(f"twin:floor_mg_dl={floor},"))
        return all(
            (sign, _value(bars, name, MEASURES[measure]) <= limit) == ("<=", True)
            for measure, sign, limit in judged.bars
        )

    assert max(floor for floor in CHOICE_FLOORS_MG_DL if meets(floor)) == CHOSEN_MG_DL


def _study(name: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Shares below 70 and in range of each agent and shield of a study."""
    (table,) = read_page(ROOT / "results" / name / "table.md").with_heads(STUDY_HEADS)
    return {
        (row[0].removesuffix(" \\*"), row[1]): (
            table.value(row, "<70").estimate,
            table.value(row, "70-180").estimate,
        )
        for row in table.rows
    }


def test_learning_under_a_limit() -> None:
    said, rows = said_line("`--set cost_limit=0.01` trains under a limit"), _study("constrained")
    ways = ("reward", "penalty", "lagrange")
    for algo, words in (
        ("ppo", "PPO trained without it spends {} % of the time below 70 mg/dL by reward alone, {} with a fixed "
                "penalty and {} under the limit, for {}, {} and {} % in range"),
        ("sac", "SAC {}, {} and {} for {}, {} and {}"),
    ):  # fmt: skip
        found = [rows[f"{algo}-{way}-unshielded", "off"] for way in ways]
        figures = [f"{low:.1f}" for low, _ in found] + [f"{inside:.1f}" for _, inside in found]
        assert words.format(*figures) in said
    inside = [
        f"{rows[f'{algo}-reward', shield][0]:.1f}" for algo in ("ppo", "sac") for shield in ("rule", "off")
    ]
    assert re.search("has {} % below 70 behind it and {} .* SAC {} and {}".format(*inside), said)
    (table,) = read_page(ROOT / "results" / "constrained" / "table.md").with_heads(STUDY_HEADS)
    ppo, sac = (
        sum(table.value(row, head).estimate for head in ("<70", "<54"))
        for algo in ("ppo", "sac")
        for row in table.rows
        if row[:2] == (f"{algo}-lagrange-unshielded", "off")
    )
    assert f"keeps the limit of 1 % ({ppo:.1f} with what is below 54), SAC does not ({sac:.1f})" in said
    assert ppo < 1 < sac
    for agent, shield in (("planner", "rule"), ("hostile-max", "twin")):
        assert "{:.1f} % below 70 and {:.1f} % in range".format(*rows[agent, shield]) in said


def test_lessons_of_the_planner() -> None:
    said, rows = said_line("`--set teacher=planner --decision-min 15`"), _study("taught")
    taught, alone, lessons = (rows[name, "rule"] for name in ("ppo-taught", "ppo-alone", "lessons-alone"))
    assert taught[1] < alone[1] and taught[0] > alone[0] and "They do not pay here" in said
    assert (
        f"taught policy spends {taught[1]:.1f} % of the time in range and {taught[0]:.1f} below 70 mg/dL"
        in said
    )
    assert f"without lessons {alone[1]:.1f} and {alone[0]:.1f}" in said
    low = rows["lessons-alone", "off"][0]
    assert f"give {lessons[1]:.1f} and {lessons[0]:.1f}, and {low:.1f} % below 70 without the shield" in said


def test_the_shields_defaults() -> None:
    told = "floor {:.0f}, {:.0f} for those who have eaten nothing of what was announced, {} members, spread {}"
    guard = Guard()
    assert guard.uneaten_floor_mg_dl is not None
    assert told.format(guard.floor_mg_dl, guard.uneaten_floor_mg_dl, guard.members, guard.sd) in README
