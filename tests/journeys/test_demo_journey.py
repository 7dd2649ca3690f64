"""The path of somebody who types `make demo`: from nothing to a page, with what was there before kept."""

from pathlib import Path

import pytest

from agents import frozen
from experiments.demo import demo
from experiments.records.tables import read_table, select
from experiments.results import study_tables
from experiments.runs import read_manifest

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("adult#001", "adult#004")


@pytest.mark.slow
def test_the_demonstration_trains_judges_replays_and_writes_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without recordings of real people it replays the simulated diary, and the page says so."""
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / "no-recordings"))
    monkeypatch.setattr("experiments.demo.TUNE_PERSON_DAYS", 100)  # the least there is
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "report.html").write_text("an earlier page")

    page = demo("demo", train_s=1, seeds=(0,), people=PEOPLE, replicas=1)

    kept = [path for path in tmp_path.glob("demo-*")]
    assert len(kept) == 1 and (kept[0] / "report.html").read_text() == "an earlier page"
    assert page == Path("demo/report.html") and page.stat().st_size > 50_000
    run = Path("demo/train/ppo/seed0")
    assert read_manifest(run)["status"] == "finished"
    assert frozen.load(run / "policy").manifest.trained_on["people"] == list(PEOPLE)
    assert len(read_table(run / "evaluations.csv")["timesteps"]) >= 2
    held = study_tables.read("demo")
    assert held.about["flow"]["failed"] == held.about["flow"]["refused"] == 0
    wanted = {"ppo", "basal-bolus", "basal-bolus-tuned", "pid-tuned", "constant-basal"}
    for protocol, shield in (
        ("simglucose-default", "rule"),
        ("simglucose-default", "off"),
        ("diary", "rule"),
    ):
        mine = select(held.episodes, protocol=protocol, shield=shield)
        assert wanted <= set(mine["agent"].tolist())
    assert held.about["protocols"]["diary"]["diary"]["simulated"] is True
    assert held.about["protocols"]["simglucose-default"]["modified"] is True

    text = page.read_text()
    assert "simulated diary that comes with the project" in text and "no real person" in text
    assert "not a medical device" in text and "adult#001" in text
    assert str(ROOT) not in text, "no page shows where the checkout lies"
    said = capsys.readouterr().out
    assert "set HOMEOSTAT_DATA" in said and "simulated diary that comes with the project is replayed" in said
    assert "failures" in said.lower() and "basal-bolus-tuned" in said
