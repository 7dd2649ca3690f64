"""The tidy tables of a study: collected from folders, checked, and the same after writing and reading."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.records.tables import read_table, select, write_table
from experiments.results import study_tables
from experiments.results.collect import collect, degradation
from experiments.results.evaluations import read_evaluation
from experiments.results.study_tables import COLUMNS, StudyTables
from tests.experiments import fake_evaluation as fake


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("cells") / "realistic"
    made = [
        fake.write_evaluation(root / f"ppo/seed{s}", "ppo", "rule", s, trained_on=("adult#001",))
        for s in (0, 1)
    ]
    return [*made, fake.write_evaluation(root / "basal-bolus", "basal-bolus", "rule")]


@pytest.fixture(scope="module")
def study(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> StudyTables:
    run = fake.write_training_run(tmp_path_factory.mktemp("runs") / "seed0", 0)
    lost = {name: np.array([value]) for name, value in {
        "cell": "ppo/seed9", "agent": "ppo", "shield": "rule", "protocol": "simglucose-default", "fold": -1.0,
        "train_seed": 9.0, "persons": 6.0, "status": "failed", "protocol_hash": "", "run": "", "command": "",
        "error": "killed",
    }.items()}  # fmt: skip
    return collect(folders, {run: "ppo"}, command="make x", cells=lost)


def test_collected_tables_say_what_was_done(study: StudyTables) -> None:
    assert study.about["flow"] == {"attempted": 4, "refused": 0, "failed": 1, "analysed": 3}
    assert sorted(study.cells["cell"].tolist()) == ["basal-bolus", "ppo/seed0", "ppo/seed1", "ppo/seed9"]
    assert study.about["primary"] == {
        "agent": "ppo", "baseline": "basal-bolus", "protocol": "simglucose-default", "shield": "rule",
        "population": "table", "prespecified": False,
    }  # fmt: skip
    agents = dict(zip(study.agents["agent"].tolist(), study.agents["tier"].tolist(), strict=True))
    assert agents == {"ppo": "T2 (this body)", "basal-bolus": "T0"}
    ours = select(study.agents, agent="ppo")
    assert ours["seeds"].tolist() == ["0, 1"] and ours["person_days"].tolist() == [24_000.0]
    assert ours["train_wall_s"].tolist() == pytest.approx([180.0])
    assert study.learning is not None and set(study.learning["agent"].tolist()) == {"ppo"}
    assert len(study.episodes["person"]) == 36 and set(study.episodes["fold"].tolist()) == {-1.0}


def test_counts_of_all_evaluations_are_summed(study: StudyTables, folders: list[Path]) -> None:
    assert study.curves is not None
    every = sum(float(read_table(folder / "curves.csv")["count"].sum()) for folder in folders)
    assert float(study.curves["count"].sum()) == every


def test_the_day_is_that_of_the_middle_episode_of_both(study: StudyTables, folders: list[Path]) -> None:
    assert study.days is not None
    person = set(study.days["person"].tolist())
    assert len(person) == 1 and set(study.days["agent"].tolist()) == {"ppo", "basal-bolus"}
    first = read_evaluation(folders[0]).episodes
    shown = select(first, person=person.pop(), replica=float(study.days["replica"][0]))["tir_pct"][0]
    assert (first["tir_pct"] <= shown).sum() >= 6 and (first["tir_pct"] >= shown).sum() >= 6
    assert study.days["minute"].max() <= 1440


def test_a_study_is_the_same_after_writing_and_reading(study: StudyTables, tmp_path: Path) -> None:
    study.write(tmp_path)
    again = study_tables.read(tmp_path)
    assert again.about == study.about
    for name in COLUMNS:
        before, after = getattr(study, name), getattr(again, name)
        assert (before is None) == (after is None)
        for column in before or ():
            if before[column].dtype.kind == "f":
                np.testing.assert_allclose(after[column], before[column], rtol=1e-5)
            else:
                assert after[column].tolist() == before[column].tolist(), (name, column)
    assert (tmp_path / "curves.csv.gz").is_file() != (tmp_path / "curves.csv").is_file()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    replace(study, days=None).write(tmp_path)
    assert not list(tmp_path.glob("days.csv*")), "a table that there is no more is removed"
    study.write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_long_tables_are_compressed(study: StudyTables, tmp_path: Path) -> None:
    many = {name: np.tile(column, 60) for name, column in study.episodes.items()}
    many["replica"] = np.repeat(np.arange(60.0), len(study.episodes["person"])) * 2 + many["replica"]
    replace(study, episodes=many).write(tmp_path)
    assert (tmp_path / "episodes.csv.gz").is_file() and not (tmp_path / "episodes.csv").exists()
    assert study_tables.read(tmp_path).episodes["person"].tolist() == many["person"].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agents": {"agent": np.array(["ppo"])}}, "agents.csv lacks the columns words, tier"),
        ({"days": {"agent": np.array(["ppo"])}}, "days.csv lacks the columns shield"),
    ],
)
def test_missing_columns_are_named(study: StudyTables, change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(study, **change)  # type: ignore[arg-type]


def test_tables_that_disagree_are_refused(study: StudyTables) -> None:
    stranger = study.episodes | {"agent": np.full(len(study.episodes["agent"]), "pid")}
    with pytest.raises(ValueError, match="agent 'pid' does not stand in agents.csv"):
        replace(study, episodes=stranger)
    twice = {name: np.concatenate([column, column[:1]]) for name, column in study.episodes.items()}
    with pytest.raises(ValueError, match=r"the same episode was given twice \(agent ppo"):
        replace(study, episodes=twice)
    with pytest.raises(ValueError, match="status 'lost' is none of done, failed, refused"):
        replace(study, cells=study.cells | {"status": np.full(4, "lost")})
    with pytest.raises(ValueError, match="population 'both' is none of drawn, table, all"):
        replace(study, about={**study.about, "primary": {**study.about["primary"], "population": "both"}})
    with pytest.raises(ValueError, match=r"study.json lacks primary.shield"):
        primary = {key: value for key, value in study.about["primary"].items() if key != "shield"}
        replace(study, about={**study.about, "primary": primary})


def test_folders_that_are_no_study_are_said_to_be_none(study: StudyTables, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no study.json in"):
        study_tables.read(tmp_path)
    study.write(tmp_path)
    (tmp_path / "agents.csv").unlink()
    with pytest.raises(FileNotFoundError, match="no agents.csv or agents.csv.gz"):
        study_tables.read(tmp_path)
    damaged = bytearray(gzip.compress(b"agent,words\n" * 50, mtime=0))
    damaged[12] ^= 0xFF
    (tmp_path / "agents.csv.gz").write_bytes(damaged)
    with pytest.raises(ValueError, match="agents.csv.gz is not a gzip file"):
        study_tables.read(tmp_path)
    (tmp_path / "agents.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="agents.csv.gz is not a gzip file"):
        study_tables.read(tmp_path)
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(ValueError, match="study.json is not JSON"):
        study_tables.read(tmp_path)


def _changed(folder: Path, **facts: object) -> Path:
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))
    return folder


def test_folds_are_trainings_of_one_method_but_other_settings_are_not(tmp_path: Path) -> None:
    made = []
    for fold in (0, 1):
        folder = fake.write_evaluation(tmp_path / f"fold{fold}", "ppo", "rule", 0)
        episodes = read_evaluation(folder).episodes
        write_table(folder / "episodes.csv", episodes | {"fold": np.full(12, float(fold))})
        made.append(
            _changed(folder, trained_on={"people": [f"adult#00{fold + 3}"], "fold": fold, "shield": "rule"})
        )
    study = collect(made)
    assert set(study.episodes["fold"].tolist()) == {0.0, 1.0}
    assert study.agents["tier"].tolist() == ["T2 (other bodies)"]
    _changed(made[1], trained_on={"people": [], "fold": 1, "shield": "off"})
    with pytest.raises(ValueError, match=r"agent ppo trained differently \(shield\)"):
        collect(made)
    _changed(made[1], protocol_hash="f" * 64)
    with pytest.raises(ValueError, match="under different hashes"):
        collect(made)
    with pytest.raises(ValueError, match="no evaluation was given"):
        collect([])


def test_degradation_is_the_mean_over_persons_at_every_point(folders: list[Path]) -> None:
    table = degradation({("cgm_bias", -15.0): folders[:2], ("cgm_bias", 0.0): folders[2:]})
    assert table["agent"].tolist() == ["ppo", "basal-bolus"] and table["value"].tolist() == [-15.0, 0.0]
    episodes = read_evaluation(folders[2]).episodes
    assert table["tir_pct"][1] == pytest.approx(episodes["tir_pct"].mean())
    assert table["episodes"].tolist() == [24.0, 12.0] and table["persons"].tolist() == [6.0, 6.0]


def test_a_day_can_come_from_evaluations_that_are_in_no_table(folders: list[Path], tmp_path: Path) -> None:
    bare = []
    for k, folder in enumerate(folders[1:]):
        copy = tmp_path / str(k)
        copy.mkdir()
        for name in ("episodes.csv", "summary.json"):
            (copy / name).write_bytes((folder / name).read_bytes())
        bare.append(copy)
    assert collect(bare).days is None
    shown = collect(bare, day_from=[folders[0], folders[2]]).days
    assert shown is not None and set(shown["agent"].tolist()) == {"ppo", "basal-bolus"}
