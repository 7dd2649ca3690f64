"""An evaluation beside the committed table: ranked with its like, compared in pairs, or refused with the reason."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.protocol import load_protocol
from experiments.results.against_committed import against_committed, committed, standings
from tests.experiments.tiny_study import PEOPLE, episodes, evaluation, study

BASE = (80.0, 70.0, 75.0, 65.0, 72.0, 60.0)
SETTINGS = load_protocol("simglucose-default").model_dump(mode="json")


def plus(points: float) -> tuple[float, ...]:
    """The baseline's time in range and so many points, a little more for one person than for another."""
    return tuple(value + points + 0.1 * k for k, value in enumerate(BASE))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed study of two treatments and a learned agent of two trainings, with the shield only."""
    root = tmp_path_factory.mktemp("results")
    tables = [
        episodes("careless", plus(-9), failed=(1, 0, 0, 0, 0, 0)),
        episodes("base", BASE),
        episodes("learned", plus(8), train_seed=0),
        episodes("learned", plus(9), train_seed=1),
        episodes("for-adults", (99.0, 99.0), people=PEOPLE[:2]),
    ]
    study(tables).write(root / "some-study")
    return root


def lines(results: Path, tir: tuple[float, ...], **summary: Any) -> list[str]:
    return against_committed(evaluation(episodes("mine", tir), **summary), results).splitlines()


def test_it_stands_at_its_rank_with_failures_and_both_best_ones_are_compared(results: Path) -> None:
    said = lines(results, plus(3), protocol_settings=SETTINGS)
    assert "simglucose-default, shield rule, 6 people" in said[0] and said[1].startswith("rank 2 of 4 ")
    table = [line.split("%")[0].split() for line in said[2:6]]
    assert [row[:-1] for row in table] == [["learned"], [">", "mine"], ["base"], ["careless"]]
    assert float(table[1][-1]) == pytest.approx(np.mean(plus(3)), abs=0.06)
    assert "failures 0 of 24" in said[2] and "failures 2 of 12" in said[5]
    baseline, learned = said[6:8]
    assert baseline.startswith("Minus the best baseline, base: time in range +3.2 points [+3.")
    assert baseline.endswith("more time in range, and no more time below 70 mg/dL.")
    assert learned.startswith("Minus the best learned agent, learned: time in range -5.5 points")
    assert learned.endswith("less time in range.")
    assert said[8] == "Not ranked, as not all of these people were judged with them: for-adults."


def test_who_is_told_the_future_or_is_hostile_is_nobodys_best_baseline(tmp_path: Path) -> None:
    tables = [episodes(name, plus(k)) for k, name in enumerate(("base", "clairvoyant (oracle)", "hostile-meal"))]
    study(tables).write(tmp_path / "some-study")
    said = lines(tmp_path, plus(3), protocol_settings=SETTINGS)
    assert said[1].startswith("rank 1 of 4 ") and "clairvoyant (oracle)" in "\n".join(said[2:6])
    (difference,) = [line for line in said if line.startswith("Minus ")]
    assert difference.startswith("Minus the best baseline, base:")


def test_failures_are_made_good_by_nothing(results: Path) -> None:
    mine = evaluation(episodes("mine", plus(5), failed=(0, 0, 0, 0, 0, 1)))
    said = against_committed(mine, results)
    assert "base: time in range +5.2" in said and "it failed more often, which nothing makes good" in said


def test_only_people_in_common_are_compared(results: Path) -> None:
    mine = evaluation(episodes("mine", (99.0, 50.0), people=PEOPLE[:2]))
    said = against_committed(mine, results).splitlines()
    assert "2 people" in said[0] and said[1].startswith("rank 4 of 5 ")
    assert any(line.split()[:2] == ["for-adults", "99.0"] for line in said)


def test_whoever_was_trained_on_the_people_it_is_judged_on_is_told_so(results: Path) -> None:
    said = lines(results, plus(3), trained_on={"people": ["adult#001", "child#001", "child#010"]})
    assert said[-1] == "It was trained on 2 of these 6 people, on other days."
    assert "trained on" not in "".join(lines(results, plus(3)))


@pytest.mark.parametrize(
    ("summary", "reason"),
    [
        (
            {"protocol_settings": {**SETTINGS, "days": 1.0, "seed": 3}},
            "modified \\(days, seed not as in the protocol",
        ),
        ({"modified": True}, "it is modified"),
        ({"protocol_hash": "cd" * 32}, "the hash of its protocol is another one.*judge the agents"),
        ({"shield": "off"}, "no agent of the table was judged under shield off"),
    ],
)
def test_what_is_not_alike_is_not_compared_and_the_reason_is_said(
    results: Path, summary: dict[str, Any], reason: str
) -> None:
    (said,) = lines(results, plus(3), **summary)
    assert said.startswith("Not compared with the committed table of simglucose-default: ")
    assert re.search(reason, said), said


def test_other_people_and_protocols_without_a_table_are_not_compared(results: Path, tmp_path: Path) -> None:
    rows = episodes("mine", BASE)
    others = rows | {"person": np.char.add(rows["person"], "0")}
    assert "it has other people" in against_committed(evaluation(others), results)
    mine = evaluation(episodes("mine", BASE, protocol="stress"))
    assert against_committed(mine, results) == "Not compared: no study of protocol stress is committed."
    assert against_committed(mine, tmp_path) == "Not compared: no study of protocol stress is committed."


def test_the_study_named_like_the_protocol_is_taken_and_modified_ones_are_not(tmp_path: Path) -> None:
    study([episodes("a", BASE)], name="a-first").write(tmp_path / "a-first")
    study([episodes("b", BASE)], name="of-the-name").write(tmp_path / "simglucose-default")
    found = committed("simglucose-default", tmp_path)
    assert found is not None and found.about["name"] == "of-the-name"
    changed = study([episodes("b", BASE)])
    changed.about["protocols"]["simglucose-default"]["modified"] = True
    changed.write(tmp_path / "simglucose-default")
    found = committed("simglucose-default", tmp_path)
    assert found is not None and found.about["name"] == "a-first"


def test_standings_average_trainings_within_a_person(results: Path) -> None:
    rows = committed("simglucose-default", results)
    assert rows is not None
    order, left_out = standings(rows.episodes, PEOPLE)
    assert [one.agent for one in order] == ["learned", "base", "careless"] and left_out == ["for-adults"]
    assert order[0].tir_pct == pytest.approx(np.mean([plus(8), plus(9)])) and order[0].judged.trained
    assert order[0].judged.tir_pct.shape == (2, 6) and not order[1].judged.trained
