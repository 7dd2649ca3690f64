"""Cards say what files say: regenerated they are the committed ones; failures come first; what is missing is named."""

import json
import re
from pathlib import Path

import pytest

from agents import frozen
from agents.frozen import PolicyError
from agents.load import POLICIES
from experiments.cards.policy_cards import (
    CARD,
    policy_card,
    stale,
    train_command,
    write_cards,
)
from experiments.cards.protocol_cards import protocol_card, protocols_page
from experiments.config import train_settings
from experiments.protocol import load_protocol, protocols
from experiments.records.provenance import ROOT
from tests.agents import tiny_policy
from tests.experiments.tiny_study import HASH, episodes, study

TRAINED = {
    "people": ["adult#003", "adult#004"], "fold": 0, "drawn_per_group": 84, "protocol": "realistic", "split": "train",
    "seed": 5, "shield": "rule", "episode_days": 5.0, "timesteps": 1_087_500, "person_days": 22656.25,
    "validation_seed": 500, "init_from": None,
}  # fmt: skip
BASE = (80.0, 70.0, 75.0, 65.0, 72.0, 60.0)
BETTER = (90.0, 86.0, 84.0, 70.0, 80.0, 66.0)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of policies (one with two copies) and of results (one study of the policy and a baseline)."""
    root = tmp_path_factory.mktemp("cards")
    for fold in (0, 1):
        facts = {**TRAINED, "fold": fold}
        tiny_policy.write(root / "policies" / "ppo-x" / f"fold{fold}-seed5", seed=fold, trained_on=facts)
    tables = [
        episodes("base", BASE),
        episodes("base", BASE, shield="off"),
        episodes("best-learner", BETTER, train_seed=0),
    ]
    tables += [
        episodes("ppo-x", BETTER, train_seed=5, recommendations_per_day=44, failed=(0, 0, 0, 0, 1, 0)),
        episodes("ppo-x", BETTER, train_seed=5, shield="off"),
    ]
    study(tables, name="first").write(root / "results" / "first")
    return root / "policies", root / "results"


@pytest.fixture(scope="module")
def card(places: tuple[Path, Path]) -> str:
    return policy_card(places[0] / "ppo-x", places[1])


def section(card: str, title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", card, re.S | re.M)
    assert found, title
    return found.group(1)


@pytest.mark.slow
def test_a_committed_card_is_the_one_that_would_be_written_now() -> None:
    folder = POLICIES / "ppo"
    assert (folder / CARD).read_text("utf-8") == policy_card(folder), "run: python -m scripts.cards"


@pytest.mark.verify
def test_the_committed_cards_are_those_that_would_be_written_now() -> None:
    assert [path.relative_to(ROOT).as_posix() for path in stale()] == [], "run: python -m scripts.cards"


def test_every_shipped_policy_has_a_card() -> None:
    shipped = [path for path in POLICIES.glob("*") if any(path.rglob("manifest.json"))]
    assert len(shipped) >= 7 and all((path / CARD).is_file() for path in shipped)


def test_a_card_that_says_something_else_is_stale(tmp_path: Path) -> None:
    policies, results = tmp_path / "policies", tmp_path / "results"
    tiny_policy.write(policies / "alone")
    results.mkdir()
    assert stale(policies, results) == [policies / "alone" / CARD, results / "protocols.md"]
    assert write_cards(policies, results) == [policies / "alone" / CARD, results / "protocols.md"]
    assert stale(policies, results) == []
    tiny_policy.write(policies / "alone", seed=1)
    assert stale(policies, results) == [policies / "alone" / CARD], "the weights are others"


def test_a_card_says_what_the_policy_is_and_what_it_was_trained_on(
    places: tuple[Path, Path], card: str
) -> None:
    what, trained = section(card, "What it is"), section(card, "What it was trained on")
    assert "Research software, not a medical device" in card.splitlines()[2]
    assert "ppo, layers 16 x 8 (tanh), 730 numbers" in what and "every 30 min" in what
    assert "cgm_0min ... cgm_240min" in what and "0" * 64 in what and "MIT" in what
    assert "T2, simulator access: 22,656 simulated person-days a copy, other bodies" in what
    for fact in (
        "2 virtual people of the table",
        "leaves out its fold (0, 1)",
        "84",
        "realistic",
        "1,087,500",
        "rule",
    ):
        assert fact in trained, fact
    hashes = [
        json.loads(path.read_text())["weights_sha256"] for path in sorted(places[0].glob("*/*/manifest.json"))
    ]
    assert re.findall(r"[0-9a-f]{64}", section(card, "Files")) == hashes and len(set(hashes)) == 2


def test_results_begin_with_failures_and_name_groups_persons_and_bars(card: str) -> None:
    found = section(card, "Results")
    assert f"### simglucose-default (study first, hash `{HASH[:12]}`)" in found
    head, _, ours, theirs, ours_off, theirs_off = [
        line for line in found.splitlines() if line.startswith("| ")
    ][:6]
    assert head.split(" | ")[2] == "failures", "before any measure of glucose"
    assert ours.startswith("| ppo-x | rule | 2 of 12 | 79.3 [") and theirs.startswith(
        "| base | rule | 0 of 12 | 70.3 ["
    )
    assert ours_off.startswith("| ppo-x | off | 0 of 12") and theirs_off.startswith("| base | off |")
    assert "Shield rule: 2 of 12 episodes failed, in 1 of 6 persons: child#001 (2)" in found
    assert "Bar broken, burden: mean at most 6 a day (recommendations_per_day 44.00" in found
    assert "| weight: lightest (up to" in found and "| insulin sensitivity: least sensitive (above" in found
    (worst,) = re.findall(r"^\| worst persons .*?\n.*?\n(.*?)\n", found, re.M)
    assert worst.startswith("| child#001 | 2 of 2 | 80.0 ")
    assert "best-learner" not in found, "it is compared with the best baseline"


def test_a_card_says_what_was_not_tested_and_what_cannot_be_assessed(card: str) -> None:
    untested = section(card, "What it was not tested on")
    assert "realistic" in untested and "simglucose-default" not in untested and "real people" in untested
    assert "neither sex nor ethnicity" in section(card, "Limits")
    assert "Not for: dosing insulin for anybody" in section(card, "What it is for")


def test_the_command_of_a_card_trains_with_the_settings_of_the_manifest(places: tuple[Path, Path]) -> None:
    manifest = frozen.load(places[0] / "ppo-x" / "fold1-seed5").manifest
    words = train_command(manifest).removeprefix("python -m scripts.train ").split()
    assert set(words[::2]) == {"--set"}
    config = train_settings({}, None, words[1::2])
    assert (config.fold, config.seed, config.protocol, config.drawn_per_group) == (1, 5, "realistic", 84)
    assert (config.n_timesteps, config.max_wall_s, config.episode_days) == (1_087_500, None, 5.0)


def test_a_card_tells_of_a_limit_of_cost_where_there_was_one(
    card: str, places: tuple[Path, Path], tmp_path: Path
) -> None:
    facts = {**TRAINED, "cost_limit": 0.01, "lagrange_ki": 3.0}
    folder = tiny_policy.write(tmp_path / "policies" / "ppo-x" / "seed5", trained_on=facts)
    assert "| limit of the mean cost of a decision in training | 0.01 |" in policy_card(
        folder.parent, places[1]
    )
    assert "cost" not in card[card.index("## What it was trained on") : card.index("chosen on")]
    words = train_command(frozen.load(folder).manifest).removeprefix("python -m scripts.train ").split()
    config = train_settings({}, None, words[1::2])
    assert (config.cost_limit, config.lagrange_ki, config.cost_penalty) == (0.01, 3.0, 0.0)


def test_a_policy_without_results_says_so_and_a_damaged_one_has_no_card(
    places: tuple[Path, Path], tmp_path: Path
) -> None:
    assert "None is committed." in policy_card(places[0] / "ppo-x", tmp_path)
    folder = tiny_policy.write(tmp_path / "policies" / "broken" / "seed0").parent
    (folder / "seed0" / "policy.safetensors").write_bytes(b"")
    with pytest.raises(PolicyError, match="not the file its manifest was written for"):
        policy_card(folder, tmp_path)
    with pytest.raises(FileNotFoundError, match="no policy in"):
        policy_card(tmp_path, tmp_path)


# --- protocols ----------------------------------------------------------------------------------------------
def test_every_protocol_has_a_card_with_what_may_and_may_not_be_claimed(places: tuple[Path, Path]) -> None:
    page = protocols_page(places[1])
    for name in protocols():
        protocol = load_protocol(name)
        text = section(page, re.escape(f"{name} (version {protocol.version})"))
        assert protocol.hash("") in text and "May be claimed" in text and "anything about real people" in text
        assert (
            f"--protocol {name} " in text and f"below {protocol.glucose_failure_low_mg_dl:g} or above" in text
        )


def test_a_protocols_card_follows_its_settings(places: tuple[Path, Path]) -> None:
    realistic, stress = (protocol_card(load_protocol(name), places[1]) for name in ("realistic", "stress"))
    assert "60: 20 adults, 20 adolescents, 20 children; 30 of them drawn" in realistic
    assert "each wrong by up to 20 %" in realistic and "7 % of meals never announced" in realistic
    assert (
        "bodies that its policies have not met" in realistic
        and "| faults of the sensor | none |" in realistic
    )
    assert "50 % of readings lost" in stress and "sensitivity times 0.7, 1.3" in stress
    first = load_protocol("simglucose-default")
    card = protocol_card(first, places[1])
    assert "anything about other bodies" in card and "meals are announced as they are" in card
    assert "nobody treats lows" in card and f"study first, under the hash `{HASH}`" in card
    other = protocol_card(first.model_copy(update={"days": 20.0, "cgm_bias_mg_dl": -15.0}), places[1])
    assert "-15 mg/dL on every reading" in other and "two weeks" in card and "two weeks" not in other
