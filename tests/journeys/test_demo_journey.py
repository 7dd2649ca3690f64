"""The path of somebody who types `make demo`: from a diary to a twin, a policy and a page, with what was there kept."""

import json
import re
from pathlib import Path

import pytest

from agents import frozen
from experiments.demo import TREATMENTS, demo
from experiments.personal import policy
from experiments.results.evaluations import read_evaluation
from experiments.runs import read_manifest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_demonstration_goes_from_a_diary_to_a_policy_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without recordings of real people it is the simulated diary's, whose body is known, and the page says so."""
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / "no-recordings"))
    monkeypatch.setattr("experiments.demo.JUDGED_DAYS", 1)
    monkeypatch.setattr("experiments.demo.JUDGED_DRAWS", 2)
    monkeypatch.setattr("experiments.demo.fleet.run", _here)
    monkeypatch.setattr(policy, "TUNE_DRAWS", 2)
    monkeypatch.setattr(policy, "TUNE_PERSON_DAYS", 350.0)
    brief = {"n_timesteps": 640, "eval_freq": 640, "save_freq": 640, "eval_days": 0.5, "lanes": 20, "episode_days": 0.5,
             "eval_replicas": 1, "hyperparams": policy.LEARNER["hyperparams"] | {"batch_size": 320}}  # fmt: skip
    monkeypatch.setattr(policy, "LEARNER", policy.LEARNER | brief)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "report.html").write_text("an earlier page")

    page = demo("demo", seeds=(0,))

    kept = [path for path in tmp_path.glob("demo-*")]
    assert len(kept) == 1 and (kept[0] / "report.html").read_text() == "an earlier page"
    assert page == Path("demo/report.html") and page.stat().st_size > 50_000
    card = json.loads(Path("demo/twin/card.json").read_text("utf-8"))
    assert card["accepted"] and (card["fit_days"], card["test_days"]) == (10, 4)
    run = Path("demo/train/seed0")
    assert read_manifest(run)["status"] == "finished"
    told = frozen.load(run / "policy").manifest.trained_on
    assert told["people"][-1] == "twin of a simulated adult" and told["init_from"] is not None
    for where, people in (("twin", 2), ("body", 3)):  # of the body its own days, too, which are not shown
        for shield in ("rule", "off"):
            for arm in (*TREATMENTS, "cohort-seed0", "personal-seed0"):
                found = read_evaluation(Path("demo/judged") / where / shield / arm)
                assert len(found.episodes["person"]) == people and (found.episodes["days"] == 1).all()

    text = page.read_text("utf-8")
    assert "hidden virtual body that the diary is of" in text and "Read the first table" in text
    assert "not a medical device" in text and str(ROOT) not in text and str(tmp_path) not in text
    seen = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", text, flags=re.S)
    assert not re.search(r"\d ?U(/h|/day)?\b", seen), "relative changes, and no dose"
    said = capsys.readouterr().out
    assert "set HOMEOSTAT_DATA" in said and "simulated diary that comes with the project is used" in said
    assert "failures" in said and "personal" in said


def _here(cells, folder, processes=None):  # type: ignore[no-untyped-def]
    """A fleet of this very process, which has the brief settings of this test."""
    from experiments.fleet import Flow

    for cell in cells:
        out = folder / cell.name
        out.parent.mkdir(parents=True, exist_ok=True)
        cell.work(folder, out, **cell.arguments)
    return Flow(tuple(cell.name for cell in cells), {}, {})
