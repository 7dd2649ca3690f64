"""Decisions of a simulation in a log: what happened, and the same once more, bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import frozen
from agents.load import FAMILIES, load
from agents.tunable import Tuned
from experiments import decisions
from experiments.evaluate import evaluate
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.decision_log import DecisionLog, LogError, read_log
from experiments.results.evaluations import read_evaluation
from scripts import evaluate as evaluate_script
from scripts import replay_log
from tests.agents import tiny_policy

PEOPLE = ("adult#001", "child#002")


def _protocol(**changes: Any) -> ProtocolConfig:
    small = {"people": PEOPLE, "days": 0.25, "replicas": 2} | changes
    return load_protocol("simglucose-default").model_copy(update=small)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy.write(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def judged(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation of a policy with its log beside it."""
    place = tmp_path_factory.mktemp("judged")
    agent = frozen.load(policy)
    evaluate(agent, "tiny", _protocol(), place / "out", modified=True, decision_log=place / "log.jsonl")
    return place


def test_the_log_says_what_the_traces_say(judged: Path) -> None:
    found = read_evaluation(judged / "out")
    log = read_log(judged / "log.jsonl", found.summary["decision_log"]["sha256"])
    assert len(log.decisions) == found.summary["decision_log"]["decisions"] == 4 * 12
    traces = found.traces()
    first = [line for line in log.decisions if (line["person"], line["replica"]) == ("child#002", 1)]
    mine = (traces["person"] == "child#002") & (traces["replica"] == 1)
    for logged, column in (
        ("requested_basal_u_per_h", "requested_basal_u_per_h"),
        ("requested_bolus_u", "requested_bolus_u"),
        ("delivered_basal_u_per_h", "basal_u_per_h"),
        ("delivered_bolus_u", "bolus_u"),
    ):
        told = np.concatenate([line[logged] for line in first])
        np.testing.assert_allclose(told, traces[column][mine], rtol=1e-5)
    assert [reason for line in first for reason in line["reason"]] == traces["reason"][mine].tolist()
    assert [line["minute"] for line in first] == list(range(0, 360, 30))
    assert all(len(line["margin_mg_dl"]) == 6 and len(line["asked"]["action"]) == 2 for line in first)
    changed = [
        (line["requested_basal_u_per_h"][k], line["allowed_basal_u_per_h"][k])
        for line in log.decisions
        for k, reason in enumerate(line["reason"])
        if reason in ("low", "predicted_low")
    ]
    assert all(allowed <= requested for requested, allowed in changed)
    assert {line["model_sha256"] for line in log.decisions} == {log.opening["model_sha256"]}
    assert len({line["observation_sha256"] for line in log.decisions}) == 48, "everybody saw something else"


def test_a_log_changes_nothing_of_what_is_judged(judged: Path, policy: Path, tmp_path: Path) -> None:
    evaluate(frozen.load(policy), "tiny", _protocol(), tmp_path / "out", modified=True)
    for name in ("episodes.csv", "traces.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (judged / "out" / name).read_bytes()


def test_the_same_agent_decides_the_same_once_more(judged: Path, policy: Path) -> None:
    log = read_log(judged / "log.jsonl")
    again = decisions.replay(log, frozen.load(policy))
    assert (again.same, again.logged, again.first_difference) == (48, 48, "")


def test_a_decision_that_was_changed_is_named_though_its_chain_was_made_anew(
    judged: Path, policy: Path, tmp_path: Path
) -> None:
    old = read_log(judged / "log.jsonl")
    opening = {key: value for key, value in old.opening.items() if key not in ("kind", "format", "previous")}
    with DecisionLog(tmp_path / "log", opening) as log:
        for line in old.decisions:
            told = {key: value for key, value in line.items() if key not in ("kind", "n", "previous")}
            if line["n"] == 20:
                value = line["allowed_basal_u_per_h"][0]
                told["allowed_basal_u_per_h"] = [
                    float(np.nextafter(value, 9)),
                    *line["allowed_basal_u_per_h"][1:],
                ]
            log.write(told)
    again = decisions.replay(read_log(tmp_path / "log"), frozen.load(policy))
    assert again.same == 47 and again.first_difference.startswith("line 22: allowed_basal_u_per_h: logged [")


def test_another_agent_or_other_settings_are_refused(judged: Path, tmp_path: Path) -> None:
    log = read_log(judged / "log.jsonl")
    other = frozen.load(tiny_policy.write(tmp_path / "other", seed=1))
    with pytest.raises(LogError, match="this agent has the hash .* give the same files"):
        decisions.replay(log, other)
    for change, message in (
        ({"shield": "off"}, "config_sha256 is not that of its settings"),
        ({"kernel_hash": 3}, "kernel_hash is '3'; needed is str"),
    ):
        log.opening["settings"].update(change)
        with pytest.raises(ValueError, match=message):
            decisions.replay(log, other)
    del log.opening["config_sha256"]
    with pytest.raises(LogError, match="line 1 of the log lacks config_sha256"):
        decisions.replay(log, other)


def test_gains_and_source_are_a_part_of_what_an_agent_is() -> None:
    family = FAMILIES["pid"]
    start = decisions.model_hash(Tuned(family))
    assert start == decisions.model_hash(Tuned(family)) == decisions.model_hash(load("pid"))
    more = decisions.model_hash(Tuned(family, family.start * 1.01))
    each = decisions.model_hash(Tuned(family, {"adult#001": family.start}))
    others = {
        decisions.model_hash(load(name)) for name in ("basal-bolus", "low-glucose-suspend", "constant-basal")
    }
    assert len({start, more, each} | others) == 6


def test_a_log_of_many_episodes_is_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="up to 32 episodes, and these are 34; give --person"):
        evaluate(load("pid"), "pid", _protocol(replicas=17), tmp_path / "out", decision_log=tmp_path / "log")
    assert not (tmp_path / "log").exists() and list((tmp_path / "out").iterdir()) == []


def test_command_lines_write_check_and_decide_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, out = str(tmp_path / "log.jsonl"), str(tmp_path / "out")
    words = [
        "--person",
        "adult#001",
        "--days",
        "0.25",
        "--replicas",
        "1",
        "--out",
        out,
        "--decision-log",
        log,
    ]
    assert evaluate_script.main(["--agent", "low-glucose-suspend", *words]) == 0
    assert replay_log.main([log, "--summary", out]) == 0
    said = capsys.readouterr().out
    assert "the chain holds: 72 decisions of low-glucose-suspend" in said
    assert "72 of 72 decisions came out again, bit for bit" in said
    with pytest.raises(ValueError, match="--gains x.json given, but low-glucose-suspend takes none"):
        replay_log.main([log, "--gains", "x.json"])
    data = Path(log).read_bytes()
    Path(log).write_bytes(data[:-300])
    assert replay_log.main([log, "--chain-only"]) == 1
    assert "not finished: it has no last line, and line 73 is torn" in capsys.readouterr().out
    with pytest.raises(LogError, match="was cut"):
        replay_log.main([log, "--summary", out])


def test_nothing_that_a_log_names_is_imported(judged: Path, tmp_path: Path) -> None:
    """A log from somebody else may name any module; only the one who asks may."""
    (tmp_path / "trap.py").write_text("raise SystemExit('it ran')")
    old = read_log(judged / "log.jsonl").opening
    told = {key: value for key, value in old.items() if key not in ("kind", "format", "previous")}
    for name in ("trap:Agent", str(tmp_path), ["pid"], None):
        path = tmp_path / f"{len(json.dumps(name))}.jsonl"
        with DecisionLog(path, told | {"agent": name}):
            pass
        with pytest.raises(ValueError, match="what else a log names is not loaded: give --agent|needed is str"):
            replay_log.main([str(path)])
