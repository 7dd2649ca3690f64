"""What means hide, on episodes whose numbers are known: middle half, worst persons, pairs with failures first."""

import re

import numpy as np
import pytest

from experiments.page import beyond
from experiments.page.findings import Findings
from experiments.records.tables import concat
from tests.experiments.tiny_study import episodes, study

GOOD, PLAIN = (90.0, 92.0, 94.0, 96.0, 60.0, 98.0), (80.0, 82.0, 84.0, 86.0, 88.0, 90.0)


@pytest.fixture(scope="module")
def view() -> Findings:
    ours = [
        episodes("ppo", GOOD, train_seed=seed, below_54_pct=(0.2, 0.2, 0.2, 0.2, 9.0, 0.2)) for seed in (0, 1)
    ]
    ours[1]["failed"][ours[1]["person"] == "child#001"] = 1.0
    named = {"agent": "ppo", "baseline": "pid", "protocol": "simglucose-default", "shield": "rule"}
    return Findings(
        study(
            [concat(ours), episodes("pid", PLAIN)],
            about={"primary": {**named, "population": "all", "prespecified": True}},
        )
    )


def _texts(part: dict, name: str) -> list[str]:  # type: ignore[type-arg]
    (row,) = (row for row in part["parts"][0]["rows"] if row["name"] == name)
    return [cell["text"] for cell in row["cells"]]


def test_tails_name_the_worst_person(view: Findings) -> None:
    part = beyond.tails(view)
    middle, tenth, worst, low_tenth, low_worst = _texts(part, "ppo")
    cells = np.sort(np.repeat(GOOD, 2))
    assert middle == f"{cells[3:-3].mean():.1f}"  # of 12 cells a quarter is cut at each end
    assert tenth == worst == "60.0", "a tenth of six persons is the worst one"
    assert low_tenth == low_worst == "9.00"
    named = next(row for row in part["parts"][0]["rows"] if row["name"] == "ppo")["cells"]
    assert named[2]["small"] == named[4]["small"] == "child#001"
    assert _texts(part, "pid")[2] == "80.0"


def test_pairs_count_failures_first(view: Findings) -> None:
    part = beyond.pairs(view)
    assert part is not None
    chance, ratio, wins, losses, ties, by_failure, by_low, by_tir = _texts(part, "ppo - pid")
    # of 12 pairs ten have more time in range; of the two of child#001 one failed, the other was low for longer
    assert chance == "83" and ratio == "5.00"
    assert (wins, losses, ties) == ("83", "17", "0")
    assert (by_failure, by_low, by_tir) == ("0 - 8", "0 - 8", "83 - 0")
    assert re.fullmatch(r"\d+–\d+", part["parts"][0]["rows"][0]["cells"][0]["small"])


def test_without_a_comparison_there_are_no_pairs() -> None:
    lone = Findings(study([episodes("pid", PLAIN)], about={"primary": {
        "agent": None, "baseline": "pid", "protocol": "simglucose-default", "shield": "rule", "population": "all",
    }}))  # fmt: skip
    assert beyond.pairs(lone) is None
    assert _texts(beyond.tails(lone), "pid")[2] == "80.0"
