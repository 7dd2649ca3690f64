"""The ladder's cells, and its whole path on one hidden person with trainings of a moment."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import fleet
from experiments.hidden import arms, ladder, outcome
from experiments.personal import policy
from experiments.plots import hidden as plots
from experiments.plots.style import svg
from experiments.records.tables import Table, concat, select

FEW = (
    "as-lived",
    "basal-bolus",
    "basal-bolus-twin",
    "cohort-history",
    "cohort-twin-settings",
    "twin-map",
    "somebody-elses-twin",
)


def test_every_arm_of_every_person_is_a_cell_with_what_it_needs() -> None:
    cells = {cell.name: cell for cell in ladder.cells("M3", 4, 11, [0, 1])}
    assert sum(name.startswith("judged/") for name in cells) == 12
    assert sum(name.startswith("train/") for name in cells) == 12 * len(ladder.TRAINED) * 2
    needs = cells["judged/uva-001"].needs
    assert "twins/uva-001" in needs and "train/true-body/uva-001/seed1" in needs
    assert "train/twin-posterior/uva-003/seed0" in needs and "train/twin-map/uva-003/seed0" not in needs
    assert cells["judged/uva-001"].arguments["placebo"] == [
        f"train/twin-posterior/uva-003/seed{k}" for k in (0, 1)
    ]
    pairs = {number: ladder.partner(number) for number in range(1, 13)}
    assert all(
        pairs[other] == number != other and (number - other) % 2 == 0 for number, other in pairs.items()
    )
    assert (
        all(policy.cohort_policy(seed, name).is_dir() for name in arms.COHORTS.values() for seed in (0, 1, 2))
        and arms.GAINS.is_file()
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("M4", 1, 1, [0]), "unknown rung 'M4'; allowed are M1, M2, M3"),
        (("M3", 3, 1, [0]), "3 people of each core"),
        (("M3", 4, 1, [0, 0]), "each seed once"),
        (("M3", 4, -1, [0]), "seed is -1"),
        (
            ("M3", 4, 1, [9]),
            "training seed 9: no policy ppo-domain of the cohort comes with it; give seeds of 0, 1, 2",
        ),
    ],
)
def test_what_is_no_ladder_is_refused(given: tuple[Any, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ladder.cells(*given)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Table]:
    """One person's cells, done in this process."""
    folder, patch = tmp_path_factory.mktemp("M1"), pytest.MonkeyPatch()
    brief = {"n_timesteps": 640, "eval_freq": 640, "save_freq": 640, "eval_days": 0.5, "lanes": 20, "episode_days": 0.5,
             "eval_replicas": 1, "hyperparams": policy.LEARNER["hyperparams"] | {"batch_size": 320}}  # fmt: skip
    patch.setattr(policy, "LEARNER", policy.LEARNER | brief)
    patch.setattr(arms, "ARMS", {arm: arms.ARMS[arm] for arm in FEW})
    patch.setattr(policy, "TUNE_PERSON_DAYS", 350.0)
    patch.setattr(policy, "TUNE_DRAWS", 2)
    patch.setattr(arms, "FORESEEN_DAYS", 1.0)
    patch.setattr(arms, "FORESEEN_DRAWS", 2)
    patch.setattr(arms, "new_days", lambda *given: _new_days(*given, days=2))
    cells = [
        cell for cell in ladder.cells("M1", 4, 11, [0])
        if "uva-001" in cell.name and not any(word in cell.name for word in ("true-body", "posterior", "pid"))
    ]  # fmt: skip
    for cell in cells:
        if cell.name.startswith("judged/"):  # a placebo of oneself: there is nobody else here
            given = {**cell.arguments, "placebo": ["train/twin-map/uva-001/seed0"]}
            given["trainings"] = {"twin-map": given["trainings"]["twin-map"]}
            cell = dataclasses.replace(cell, arguments=given)
        out = folder / cell.name
        out.parent.mkdir(parents=True, exist_ok=True)
        cell.work(folder, out, **cell.arguments)
    patch.undo()
    return folder, ladder.read(folder, ["judged/uva-001"])


_new_days = arms.new_days


@pytest.mark.slow
def test_a_person_goes_the_whole_way(lived: tuple[Path, Table]) -> None:
    folder, episodes = lived
    assert episodes["arm"].tolist() == [arm for arm in FEW for _ in arms.SHIELDS]
    assert (episodes["own"] == 1).all() and (episodes["accepted"] == 1).all()
    tir = {arm: select(episodes, arm=arm, shield="rule")["tir_pct"][0] for arm in FEW}
    assert tir["twin-map"] == tir["somebody-elses-twin"], "the same policy on the same days"
    assert len(set(tir.values())) >= 3 and all(0 < value <= 100 for value in tir.values())
    told, untold = (
        select(episodes, arm=arm)["foreseen_tir_pct"] for arm in ("cohort-history", "somebody-elses-twin")
    )
    assert told[0] == told[1] and 20 < told[0] <= 100 and np.isnan(untold).all()


@pytest.mark.slow
def test_the_table_and_the_figures_tell_it(
    lived: tuple[Path, Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, one = lived
    other = one | {"person": np.full(len(one["arm"]), "somebody"), "tir_pct": one["tir_pct"] - 3}
    episodes = concat([one, other])
    posterior = {**select(episodes, arm="twin-map"), "arm": np.full(4, "twin-posterior")}
    episodes = concat([episodes, posterior])
    monkeypatch.setattr(outcome, "ARMS", {arm: arms.ARMS[arm] for arm in (*FEW, "twin-posterior")})
    monkeypatch.setattr(
        outcome, "COMPARED", (("twin-posterior", "cohort-history"), ("basal-bolus-twin", "basal-bolus"))
    )
    text = outcome.words("M1", episodes, folder, ["python"])
    assert "not a medical device" in text and "| twin-posterior | rule | 0 of 2 |" in text
    assert "2 hidden people (2 of uva), 0 of them" in text and "| uva | 1 |" in text
    assert all(svg(ax).startswith(b"<?xml") for ax in (plots.arms(episodes), plots.foreseen(episodes)))


def test_a_refused_twin_keeps_the_policy_of_the_cohort(
    lived: tuple[Path, Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = lived
    held = (
        (folder / "twins/uva-001/twin.json")
        .read_text("utf-8")
        .replace('"accepted": true', '"accepted": false')
    )
    (tmp_path / "twins").mkdir()
    (tmp_path / "twins/uva-001").mkdir()
    (tmp_path / "twins/uva-001/twin.json").write_text(held)
    person = {"rung": "M1", "core": "uva", "number": 1, "seed": 11}
    arms.train_cell(tmp_path, tmp_path / "trained", "twin-map", person, "twins/uva-001", 0)
    arms.tune_cell(tmp_path, tmp_path / "gains.json", "basal-bolus", "twins/uva-001")
    tunings, trainings = {"basal-bolus-twin": "gains.json"}, {"twin-map": ["trained"]}
    for arm in ("basal-bolus-twin", "twin-map", "somebody-elses-twin"):
        agent, own = arms._agent(tmp_path, arm, 0, 0, False, trainings, tunings, ["trained"])
        assert not own and (arm == "basal-bolus-twin") == (not hasattr(agent, "predict"))
    therapy = np.arange(7.0)[None]
    assert np.array_equal(policy.settings_found(tmp_path / "gains.json", therapy), therapy)


def test_a_cell_hangs_on_who_fits_and_who_is_hidden() -> None:
    cell = ladder.cells("M1", 4, 11, [0])[0]
    assert (
        isinstance(cell, fleet.Cell)
        and cell.stamp
        and cell.digest != dataclasses.replace(cell, stamp="").digest
    )


def test_more_training_seeds_leave_what_is_done_of_the_others() -> None:
    few, more = ({cell.name: cell.digest for cell in ladder.cells("M1", 4, 11, seeds)} for seeds in ([0], [0, 1]))
    assert set(few) < set(more)
    anew = {name for name in few if few[name] != more[name]}
    assert len(anew) == 4 and all(name.startswith("judged/") for name in anew)


def test_the_true_body_is_trained_on_as_it_is_on_many_of_its_days() -> None:
    person = arms.one("M1", "uva", 1, 11)
    bodies = arms._on_their_days(person, person.cohort.therapy[0])
    day = len(person.cohort.model.inner.parameter_names)
    first = bodies.parameters[:, day]
    assert first.tolist() == list(range(arms.FIRST_DAYS)) and len(set(bodies.ids)) == arms.FIRST_DAYS
    same = np.delete(bodies.parameters, day, axis=1) == np.delete(person.cohort.parameters, day, axis=1)
    assert same.all()
