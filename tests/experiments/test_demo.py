"""Parts of the demonstration: whose days are replayed, and what is refused before it begins."""

from pathlib import Path

import pytest

from experiments.demo import demo, keep_earlier, settings
from experiments.records.config_files import ConfigError


@pytest.mark.parametrize("recordings", ["nowhere", "empty"])
def test_without_recordings_the_simulated_diary_is_replayed_and_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recordings: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / recordings))
    study = settings(60.0, (0,), None, None)
    assert "Instead the simulated diary that comes with the project is replayed" in capsys.readouterr().out
    assert study.changes["diary"]["scenario"] == "diary:simulated"


@pytest.mark.real
def test_with_recordings_a_real_persons_days_are_replayed() -> None:
    assert settings(60.0, (0,), None, None).changes["diary"] == {}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"people": ["adult#099"]}, "unknown person 'adult#099'"),
        ({"replicas": 0}, "replicas"),
        ({"train_s": -1.0}, "max_wall_s"),
        ({"seeds": (-1,)}, "seeds"),
        ({"seeds": (1, 1)}, "each once"),
        ({"seeds": ()}, "seeds"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_begun(
    tmp_path: Path, wrong: dict[str, object], message: str
) -> None:
    out = tmp_path / "demo"
    with pytest.raises(ConfigError, match=message):
        demo(out, **wrong)  # type: ignore[arg-type]
    assert not out.exists()


def test_an_earlier_demonstration_is_renamed_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "report.html").write_text("earlier")
    keep_earlier(folder)
    kept = [path for path in tmp_path.iterdir() if path.name.startswith("demo-")]
    assert len(kept) == 1 and (kept[0] / "report.html").read_text() == "earlier" and not folder.exists()
