"""Parts of the demonstration: whose diary it is, what is refused before it begins, and a twin that may not be used."""

from pathlib import Path

import pytest

from experiments import demo as demonstration
from experiments.demo import cells, demo, keep_earlier, whose
from twins.world.diary import DiaryError


@pytest.mark.parametrize("recordings", ["nowhere", "empty"])
def test_without_recordings_the_simulated_diary_is_used_and_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recordings: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / recordings))
    diary, hidden = whose(None)
    assert hidden and diary.who == "a simulated adult"
    assert "Instead the simulated diary that comes with the project is used" in capsys.readouterr().out
    with pytest.raises(DiaryError, match="azt1d"):
        whose("azt1d/10")


@pytest.mark.real
def test_with_recordings_it_is_a_real_persons() -> None:
    diary, hidden = whose(None)
    assert not hidden and "10" in diary.who
    assert not any("/body/" in cell.name for cell in cells((0,), hidden)), "nobody doses a real person"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"person": "azt1d/99"}, "99"),
        ({"seeds": (-1,)}, "training seed -1: no policy ppo-history of the cohort"),
        ({"seeds": (7,)}, "training seed 7: no policy .* give seeds of 0, 1"),
        ({"seeds": (1, 1)}, "each once"),
        ({"seeds": ()}, "at least one"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_begun(
    tmp_path: Path, wrong: dict[str, object], message: str
) -> None:
    out = tmp_path / "demo"
    with pytest.raises((ValueError, DiaryError), match=message):
        demo(out, **({"person": "simulated"} | wrong))  # type: ignore[arg-type]
    assert not out.exists()


@pytest.mark.verify
def test_a_twin_that_its_card_refuses_trains_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("twins.inference.validity.FALL_OVER_RULE", (2.0, 3.0))
    page = demonstration.demo(tmp_path / "demo", (0,), "simulated")
    assert "no policy is trained on it" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "may not be used for what-ifs and policies" in text and "Refused: a unit lowers glucose by" in text
    assert not (tmp_path / "demo" / "train").exists() and 'id="policies"' not in text


def test_an_earlier_demonstration_is_renamed_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "report.html").write_text("earlier")
    keep_earlier(folder)
    kept = [path for path in tmp_path.iterdir() if path.name.startswith("demo-")]
    assert len(kept) == 1 and (kept[0] / "report.html").read_text() == "earlier" and not folder.exists()
