"""What an agent may have learned from is said only where it is recorded."""

from typing import Any

import pytest

from experiments.page import sentences
from experiments.page.findings import Findings
from experiments.results.agents_table import UNKNOWN, agents_table
from tests.experiments.tiny_study import PEOPLE, episodes, evaluation, study

TIR = [80.0] * len(PEOPLE)


@pytest.mark.parametrize(
    ("agent", "train_seed", "trained_on", "tier"),
    [
        ("ppo", 0, {"people": ["adult#009"], "seed": 0}, "T2 (other bodies)"),
        ("ppo", 0, {"people": ["adult#009", PEOPLE[0]], "seed": 0}, "T2 (this body)"),
        ("ppo", 0, {"seed": 0}, UNKNOWN),
        ("mine:Learned", 0, None, UNKNOWN),
        ("mine:Rule", -1, None, UNKNOWN),
        ("basal-bolus", -1, None, "T0"),
        ("pid-cohort", -1, None, "T2 (other bodies)"),
    ],
)
def test_tiers(agent: str, train_seed: int, trained_on: dict[str, Any] | None, tier: str) -> None:
    found = agents_table([evaluation(episodes(agent, TIR, train_seed=train_seed), trained_on=trained_on)], {})
    assert found["tier"].tolist() == [tier]


def test_the_page_claims_nothing_of_whom_an_unknown_training_met() -> None:
    found = study([episodes("mine:Learned", TIR, train_seed=0)])
    found.agents["tier"] = found.agents["tier"].astype("U20")
    found.agents["tier"][:] = UNKNOWN
    (text,) = sentences.training(Findings(found))
    assert "mine:Learned" in text and "not recorded" in text and "nobody judged" not in text
