"""Somebody brings an agent of their own: the README's file and commands, typed as they stand."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from agents.basal_bolus import BasalBolus
from agents.load import TIERS
from experiments.evaluate import evaluate
from experiments.protocol import load_protocol
from experiments.records.provenance import ROOT
from experiments.results.against_committed import against_committed, committed
from experiments.results.collect import collect
from experiments.results.evaluations import read_evaluation

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Your own agent in 20 lines\n")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's my_agent.py and nothing else."""
    (code,) = re.findall(r"^```python my_agent\.py\n(.*?)^```", SECTION, re.S | re.M)
    assert len(code.splitlines()) <= 20
    place = tmp_path_factory.mktemp("own")
    (place / "my_agent.py").write_text(code, encoding="utf-8")
    return place


def run(folder: Path, command: str) -> str:
    """What a command of the README prints, typed in `folder` with the checkout on PYTHONPATH."""
    words = shlex.split(command)
    assert words[0] == "python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands() -> tuple[str, str]:
    (block,) = re.findall(r"^```\n(python .*?)^```", SECTION, re.S | re.M)
    first, second = block.strip().splitlines()
    return first, second


@pytest.mark.slow
def test_a_first_look_on_few_people_is_marked_as_modified_and_compared_with_nothing(folder: Path) -> None:
    said = run(folder, commands()[0])
    found = read_evaluation(folder / "look")
    assert found.summary["agent"] == "my_agent:EasesOff" and found.summary["modified"] is True
    assert sorted(set(found.episodes["person"].tolist())) == ["adult#001", "child#002"]
    assert "my_agent:EasesOff" in said and "not a medical device" in said
    if committed("realistic") is None:
        assert "Not compared: no study of protocol realistic is committed." in said
    else:
        assert "it is modified (people, drawn_per_group, days not as in the protocol)" in said


@pytest.mark.verify
def test_judged_as_the_committed_table_it_gets_its_rank_or_hears_why_not(folder: Path) -> None:
    said = run(folder, commands()[1])
    found = read_evaluation(folder / "judged")
    assert found.summary["modified"] is False and found.summary["persons"] == 30
    study = committed("simglucose-default")
    if study is None:
        assert "Not compared: no study of protocol simglucose-default is committed." in said
    elif study.about["protocols"]["simglucose-default"]["hash"] != found.summary["protocol_hash"]:
        assert "the hash of its protocol is another one" in said
    else:
        assert re.search(r"^rank \d+ of \d+ by time in range", said, re.M)
        assert re.search(r"^> my_agent:EasesOff +\d+\.\d %", said, re.M)
        assert "Minus the best baseline, " in said and "points [" in said


@pytest.mark.verify
def test_beside_a_table_of_the_same_days_it_has_a_rank_and_a_difference(folder: Path, tmp_path: Path) -> None:
    """The same for certain, whatever is committed: a table made here, of basal-bolus on the same days."""
    if not (folder / "judged").is_dir():
        run(folder, commands()[1])
    protocol = load_protocol("simglucose-default")
    base = evaluate(BasalBolus(), "basal-bolus", protocol, tmp_path / "base", trace_replicas=0)
    collect([base.folder], name="made-here").write(tmp_path / "results" / "made-here")
    mine = read_evaluation(folder / "judged")
    said = against_committed(mine, tmp_path / "results").splitlines()
    assert re.fullmatch(r"rank [12] of 2 by time in range \(time after a failure is out of range\)", said[1])
    assert sorted(line.split()[0] for line in said[2:4]) == [">", "basal-bolus"]
    gained = mine.episodes["tir_pct"].mean() - base.episodes["tir_pct"].mean()
    assert said[4].startswith(f"Minus the best baseline, basal-bolus: time in range {gained:+.1f} points [")


@pytest.mark.slow
def test_the_agent_halves_the_rate_only_while_glucose_falls(folder: Path) -> None:
    """What the tutorial says it does: less basal than its base while glucose falls, the same otherwise."""
    code = (
        "import numpy as np, my_agent\n"
        "from envs import therapy, view as v\n"
        "from twins import cohort\n"
        "one = cohort.load(['adult#001', 'child#001'])\n"
        "seen = v.View.empty(one.ids, one.therapy, one.weight_kg, 5)\n"
        "seen.begin(np.arange(2), np.array([120.0, 120.0]))\n"
        "seen.now[:, v.SLOPE_MG_DL_PER_MIN] = [-1.0, 0.0]\n"
        "asked = my_agent.EasesOff().act(seen).basal_u_per_h / therapy.basal_bolus(seen).basal_u_per_h\n"
        "print(asked.tolist())"
    )
    assert run(folder, shlex.join(["python", "-c", code])).strip() == "[0.5, 1.0]"


def test_the_tiers_are_those_of_the_code() -> None:
    for name, words in TIERS.items():
        assert f"| {name} | {words} |" in README
