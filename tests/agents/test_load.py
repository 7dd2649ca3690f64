"""From a word to an agent: names, classes of one's own and folders, and a clear answer to everything else."""

import sys
from pathlib import Path

import numpy as np
import pytest

from agents.basal_bolus import BasalBolus, ConstantBasal, RuleOf500
from agents.base import Policy, Treatment
from agents.frozen import FrozenPolicy, PolicyError
from agents.load import COHORT, FAMILIES, NAMES, TIERS, TREATMENTS, TUNED, load, tier
from agents.tunable import Tuned, Values
from tests.agents import tiny_policy

_CLASSES = """
import numpy as np
from envs.therapy import Request

class Acts:
    def act(self, view):
        return Request(np.zeros(len(view)), np.zeros(len(view)))

class Predicts:
    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        return np.zeros((len(observation), 2)), state

class Neither:
    pass

class NeedsArguments(Acts):
    def __init__(self, path):
        self.path = path

made = Acts()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with classes of one's own, importable for the length of a test."""
    name = f"own_agents_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(_CLASSES)
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("basal-bolus", BasalBolus),
        ("basal-bolus-rule", RuleOf500),
        ("constant-basal", ConstantBasal),
    ],
)
def test_a_name_gives_its_treatment(name: str, kind: type) -> None:
    assert type(load(name)) is kind


@pytest.mark.parametrize("name", ["low-glucose-suspend", "pid"])
def test_an_untuned_family_has_its_start_values(name: str) -> None:
    agent = load(name)
    assert isinstance(agent, Tuned) and agent.family is FAMILIES[name]
    assert isinstance(agent.values, np.ndarray) and np.array_equal(agent.values, FAMILIES[name].start)


@pytest.mark.parametrize("name", [*TUNED, *COHORT])
def test_a_tuned_name_asks_for_its_gains_once_and_uses_them(name: str) -> None:
    asked: list[str] = []
    family = (TUNED | COHORT)[name]
    one = (family.bounds.mean(axis=0)).tolist()

    def gains(whose: str) -> Values:
        asked.append(whose)
        return {"adult#001": one} if name in TUNED else one

    agent = load(name, gains)
    assert asked == [name]
    assert isinstance(agent, Tuned) and agent.family is family
    held = agent.values["adult#001"] if isinstance(agent.values, dict) else agent.values
    assert held.tolist() == one
    with pytest.raises(ValueError, match=f"{name} needs .*tune them first"):
        load(name)


def test_gains_of_each_person_and_of_everybody_are_not_mistaken_for_each_other() -> None:
    with pytest.raises(ValueError, match="basal-bolus-tuned needs gains of each person, but"):
        load("basal-bolus-tuned", lambda _: (1.0, 1.0))
    with pytest.raises(ValueError, match="basal-bolus-cohort needs one set of gains for everybody, but"):
        load("basal-bolus-cohort", lambda _: {"adult#001": (1.0, 1.0)})


def test_every_name_has_its_information_tier() -> None:
    tiers = {name: tier(name) for name in NAMES}
    assert {tiers[name] for name in ("basal-bolus", "basal-bolus-rule", "pid", "constant-basal")} == {"T0"}
    assert tiers["pid-tuned"] == tiers["basal-bolus-tuned"] == "T2 (this body)"
    assert tiers["pid-cohort"] == tiers["low-glucose-suspend-cohort"] == "T2 (other bodies)"
    assert set(tiers.values()) <= set(TIERS)
    with pytest.raises(ValueError, match="no information tier of 'pid-tunned'; did you mean 'pid-tuned'"):
        tier("pid-tunned")


@pytest.mark.parametrize("name", TREATMENTS)
def test_gains_are_not_asked_for_by_untuned_names(name: str) -> None:
    load(name, lambda _: pytest.fail("tuning takes long and was not asked for"))


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("basal-bolu", "basal-bolus"),
        ("basalbolus", "basal-bolus"),
        ("low-glucose-suspnd", "low-glucose-suspend"),
        ("constant_basal", "constant-basal"),
        ("basal-bolus-tuned ", "basal-bolus-tuned"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(word: str, near: str) -> None:
    with pytest.raises(ValueError, match="unknown agent") as error:
        load(word)
    assert f"did you mean '{near}'?" in str(error.value)
    assert all(name in str(error.value) for name in NAMES)


@pytest.mark.parametrize("word", ["", "qqq", "\0"])
def test_a_word_that_names_nothing_is_answered_with_what_is_known(word: str) -> None:
    with pytest.raises(ValueError, match="known are basal-bolus, .*module:Class, or the folder"):
        load(word)


def test_a_path_that_leads_to_no_policy_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "CARD.md").write_text("x")
    for path, said in (("no/such/folder", "is no folder here; give that"), (tmp_path / "CARD.md", "is a file; give")):
        with pytest.raises(ValueError, match=f"unknown agent: .*{said}.* of a saved policy"):
            load(str(path))


def test_a_class_with_act_or_with_predict_is_an_agent(module: str) -> None:
    acts, predicts = load(f"{module}:Acts"), load(f"{module}:Predicts")
    assert isinstance(acts, Treatment) and not isinstance(acts, Policy)
    assert isinstance(predicts, Policy) and not isinstance(predicts, Treatment)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("Neither", "has neither predict.* nor act"),
        ("NeedsArguments", "cannot be built without arguments .*'path'"),
        ("Act", "no 'Act' in module .* did you mean 'Acts'.*module:Class"),
        ("", "no '' in module .*module:Class"),
        ("made", "without arguments"),
    ],
)
def test_a_class_that_is_no_agent_is_refused_with_the_reason(module: str, word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        load(f"{module}:{word}")
    assert f"{module}:{word}" in str(error.value)


@pytest.mark.parametrize("word", ["no_such_module:Agent", "agents.no_such_module:Agent"])
def test_a_module_that_is_not_there_is_named_with_what_to_do(word: str) -> None:
    with pytest.raises(ValueError, match="agent '.*PYTHONPATH"):
        load(word)


@pytest.mark.parametrize("word", [":Agent", ".x:Agent", "..:Agent", ":"])
def test_half_a_name_of_a_class_is_answered_with_what_is_needed(word: str) -> None:
    with pytest.raises(ValueError, match="needed is module:Class"):
        load(word)


def test_a_module_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python scripts/evaluate.py` puts the folder of the script on the path, not the current one."""
    (tmp_path / "lies_here.py").write_text(_CLASSES)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(Path.cwd()))])
    monkeypatch.chdir(tmp_path)
    assert isinstance(load("lies_here:Acts"), Treatment)


def test_a_fault_within_a_class_of_ones_own_keeps_its_traceback(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}_b.py").write_text(
        "class Broken:\n    def __init__(self):\n        self.missing_thing\n    def act(self, view): ...\n"
    )
    with pytest.raises(AttributeError, match="missing_thing"):
        load(f"{module}_b:Broken")


def test_the_folder_of_a_policy_and_of_its_run_give_the_same_policy(tmp_path: Path) -> None:
    tiny_policy.write(tmp_path / "run" / "policy")
    one, other = load(str(tmp_path / "run" / "policy")), load(str(tmp_path / "run"))
    assert isinstance(one, FrozenPolicy) and isinstance(other, FrozenPolicy)
    assert one.manifest == other.manifest and one.train_seed == 7
    rows = np.random.default_rng(0).normal(size=(5, len(one.manifest.observation_names)))
    assert np.array_equal(one.predict(rows)[0], other.predict(rows)[0])


def test_a_folder_without_a_policy_says_what_a_policy_is(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match="a policy is a folder with manifest.json and policy.safetensors"
    ):
        load(str(tmp_path))


def test_a_folder_with_a_damaged_policy_is_refused(tmp_path: Path) -> None:
    tiny_policy.write(tmp_path)
    (tmp_path / "policy.safetensors").write_bytes(b"")
    with pytest.raises(PolicyError, match="is not the file its manifest was written for"):
        load(str(tmp_path))


def test_a_name_wins_over_a_folder_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_policy.write(tmp_path / "basal-bolus")
    monkeypatch.chdir(tmp_path)
    assert type(load("basal-bolus")) is BasalBolus
